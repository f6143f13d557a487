"""Turn each finding of an audit into a row of plain texts, which every report of the audit shows in its own form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from unapproved_iam.account.access import Account
from unapproved_iam.account.audit import NOT_DECLARED, AccountReading, Audit
from unapproved_iam.account.detach_commands import detachment
from unapproved_iam.deny_list.entries import Approval
from unapproved_iam.deny_list.verdict import Finding, Verdict
from unapproved_iam.policies.policy_arn import display_name
from unapproved_iam.printed_words import counted


class Row(NamedTuple):
    """One attachment; the fields are the columns of the CSV file, in this order."""

    account: str
    account_name: str
    policy: str
    policy_arn: str
    kind: str
    principal: str
    verdict: str
    reason: str
    use_instead: str
    denied_by: str
    approval: str  # what approves it, or approved it until it expired
    in_code: str  # where code declares it; empty when no code was compared
    detach: str  # a command for a POSIX shell
    note: str


class PolicyRows(NamedTuple):
    """One policy that the list denies, with everything that it is attached to."""

    policy: str
    policy_arn: str
    reason: str
    use_instead: str
    denied_by: str
    rows: tuple[Row, ...]

    @property
    def verdicts(self) -> Counter[str]:
        return Counter(row.verdict for row in self.rows)


def rows_of(audit: Audit) -> tuple[Row, ...]:
    """One row for each finding, in their order: by policy, account and principal."""
    accounts = {reading.account.arn: reading.account for reading in audit.readings}
    return tuple(_row(audit, finding, accounts[finding.attachment.unit]) for finding in audit.findings)


def by_policy(audit: Audit) -> tuple[PolicyRows, ...]:
    return tuple(_policy_rows(tuple(rows)) for _, rows in groupby(rows_of(audit), key=lambda row: row.policy_arn))


def _policy_rows(rows: tuple[Row, ...]) -> PolicyRows:
    first = rows[0]
    return PolicyRows(first.policy, first.policy_arn, first.reason, first.use_instead, first.denied_by, rows)


def _row(audit: Audit, finding: Finding, account: Account) -> Row:
    attachment, entry = finding.attachment, finding.entry
    principal = attachment.principals[0]
    how = detachment(finding, audit.region)
    return Row(
        account=account.id,
        account_name=account.name,
        policy=display_name(attachment.policy),
        policy_arn=str(attachment.policy),
        kind=principal.kind,
        principal=str(principal.name),
        verdict=finding.verdict.value,
        reason=entry.reason if entry else "",
        use_instead=" or ".join(entry.use_instead) if entry else "",
        denied_by=f"{entry.policy} in {entry.origin}" if entry else "",
        approval="; ".join(_approval(a, finding.verdict is Verdict.APPROVED) for a in finding.approvals),
        in_code="" if audit.in_code is None else audit.in_code[attachment],
        detach=how.line,
        note=how.note,
    )


def _approval(approval: Approval, valid: bool) -> str:
    words = [approval.reason]
    if approval.approved_by:
        words.append(f"by {approval.approved_by}")
    if approval.expires:
        words.append(f"until {approval.expires}" if valid else f"expired on {approval.expires}")
    return f"{', '.join(words)} ({approval.origin})"


def headline(audit: Audit) -> str:
    """The outcome in one sentence."""
    if not audit.denied:
        found = "no denied policy is attached"
    else:
        policies = len({str(finding.attachment.policy) for finding in audit.denied})
        accounts = len({finding.attachment.unit for finding in audit.denied})
        found = f"{counted(len(audit.denied), 'denied attachment')} of {counted(policies, 'policy', 'policies')}"
        found += f" in {accounts:,} of {counted(len(audit.readings), 'account')}" if len(audit.readings) > 1 else ""
    return f"could not check everything; in what was checked: {found}" if audit.unjudged else found


def extent(audit: Audit) -> str:
    """What was checked, and what was found besides violations."""
    checked = [
        counted(len(audit.readings), "account"),
        counted(sum(reading.policies for reading in audit.readings), "attached policy", "attached policies"),
        counted(sum(reading.permission_sets for reading in audit.readings), "permission set"),
    ]
    besides = [
        (len(audit.warned), "denied from a later date"),
        (len(audit.approved), "approved"),
        (len(audit.expired), "no longer approved"),
        (list((audit.in_code or {}).values()).count(NOT_DECLARED), "not declared in code"),
    ]
    said = [f"{counted(number, 'attachment')} {what}" for number, what in besides if number]
    return "; ".join((", ".join(checked), *said))


def not_looked_at(audit: Audit) -> Iterator[tuple[Account, str]]:
    """What could not be checked, by account."""
    for reading in audit.readings:
        for unjudged in reading.unjudged:
            yield reading.account, unjudged.reason + (f" ({unjudged.advice})" if unjudged.advice else "")


NOT_AT_ALL = "not at all"


def looked_at(reading: AccountReading) -> str:
    """How much of an account was looked at."""
    if reading.unjudged:
        return "in part" if reading.policies or reading.permission_sets else NOT_AT_ALL
    return "permission sets only" if reading.of_permission_sets else "whole"


def account_title(account: Account) -> str:
    return f"{account.id} {account.name}" if account.name else account.id


def denied_by_account(audit: Audit) -> Counter[str]:
    """The number of denied attachments by account id."""
    names = {reading.account.arn: reading.account.id for reading in audit.readings}
    return Counter(names[finding.attachment.unit] for finding in audit.denied)
