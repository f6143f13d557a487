"""Write the audit of live accounts as text, JSON, CSV and Markdown.

Names and reasons come from outside. Each format leaves out what a terminal, a spreadsheet or a Markdown page would take
for a command.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from unapproved_iam.account.audit import AccountReading, Audit
from unapproved_iam.account.report_rows import (
    NOT_AT_ALL,
    PolicyRows,
    Row,
    account_title,
    by_policy,
    denied_by_account,
    extent,
    headline,
    looked_at,
    not_looked_at,
    rows_of,
)
from unapproved_iam.late_patterns import late_pattern
from unapproved_iam.printed_words import counted, json_text, markdown_code, markdown_text, printable
from unapproved_iam.program import version

FORMAT_VERSION = 1


def text_report(audit: Audit) -> str:
    """For people, in a terminal."""
    return "".join(f"{printable(line)}\n" for line in _text_lines(audit))


def _text_lines(audit: Audit) -> Iterator[str]:
    several = len(audit.readings) > 1
    for policy in by_policy(audit):
        yield f"{policy.policy}: {_attached_to(policy)}"
        for label, words in _about(policy):
            yield f"    {label:<12}{words}"
        for account, rows in groupby(policy.rows, key=lambda row: (row.account, row.account_name)):
            if several:
                yield f"    in account {' '.join(filter(None, account))}"
            for row in rows:
                yield f"    {row.verdict:<10}{row.kind}/{row.principal}"
                for words in _details(row):
                    yield f"              {words}"
        yield ""
    if several:
        numbers = denied_by_account(audit)
        for reading in audit.readings:
            found = counted(numbers[reading.account.id], "denied attachment")
            words = looked_at(reading)
            if words != "whole":
                found = "not checked" if words == NOT_AT_ALL else f"{found}; only partly checked"
            yield f"account {account_title(reading.account)}: {found}"
    yield from audit.remarks
    yield f"{headline(audit)}; checked {extent(audit)}; list: {_deny_list(audit)}"


def _attached_to(policy: PolicyRows) -> str:
    verdicts = [f"{number:,} {verdict}" for verdict, number in policy.verdicts.items()]
    return f"{counted(len(policy.rows), 'attachment')} ({', '.join(verdicts)})" if len(verdicts) > 1 else verdicts[0]


def _about(policy: PolicyRows) -> list[tuple[str, str]]:
    shown = [
        ("arn", policy.policy_arn if policy.policy != policy.policy_arn else ""),
        ("why", policy.reason),
        ("use instead", policy.use_instead),
        ("denied by", policy.denied_by),
    ]
    return [(label, words) for label, words in shown if words]


def _details(row: Row) -> list[str]:
    approval = f"approval: {row.approval}" if row.approval else ""
    in_code = f"in code: {row.in_code}" if row.in_code else ""
    note = f"note: {row.note}" if row.note else ""
    return [words for words in (approval, in_code, row.detach, note) if words]


def _deny_list(audit: Audit) -> str:
    return f"{audit.deny_list.source} ({counted(len(audit.deny_list.entries), 'entry', 'entries')})"


def json_report(audit: Audit) -> str:
    """For programs; the shape is described in docs/audit.md. New keys may come at any time."""
    denied = denied_by_account(audit)
    report = {
        "format_version": FORMAT_VERSION,
        "tool": {"name": "unapproved-iam", "version": version()},
        "deny_list": {"source": audit.deny_list.source, "entries": len(audit.deny_list.entries)},
        "day": audit.today.isoformat(),
        "exit_code": audit.exit_code,
        "summary": {
            "accounts": len(audit.readings),
            "attached_policies": sum(reading.policies for reading in audit.readings),
            "permission_sets": sum(reading.permission_sets for reading in audit.readings),
            "denied": len(audit.denied),
            "warned": len(audit.warned),
            "approved": len(audit.approved),
            "expired": len(audit.expired),
            "unjudged": len(audit.unjudged),
        },
        "policies": [_policy(policy) for policy in by_policy(audit)],
        "accounts": [_account(reading, denied[reading.account.id]) for reading in audit.readings],
        "remarks": list(audit.remarks),
    }
    return json_text(report)


def _policy(policy: PolicyRows) -> dict[str, Any]:
    return {
        "policy": policy.policy,
        "arn": policy.policy_arn,
        "attachment_count": len(policy.rows),
        "verdicts": policy.verdicts,
        "reason": policy.reason,
        "use_instead": policy.use_instead,
        "denied_by": policy.denied_by,
        "attachments": [_attachment(row) for row in policy.rows],
    }


def _account(reading: AccountReading, denied: int) -> dict[str, Any]:
    return {
        "id": reading.account.id,
        "name": reading.account.name,
        "partition": reading.account.partition,
        "attached_policies": reading.policies,
        "permission_sets": reading.permission_sets,
        "denied": denied,
        "looked_at": looked_at(reading),
        "unjudged": [{"reason": unjudged.reason, "advice": unjudged.advice} for unjudged in reading.unjudged],
    }


_OF_ATTACHMENT = ("account", "kind", "principal", "verdict", "approval", "in_code", "detach", "note")


def _attachment(row: Row) -> dict[str, str | None]:
    return {column: getattr(row, column) or None for column in _OF_ATTACHMENT}


# "CSV Injection" at OWASP: a spreadsheet takes a cell that begins so, in half or full width, for a formula; an
# apostrophe makes it text.
_FORMULA = late_pattern(r"[=+\-@\uff1d\uff0b\uff0d\uff20]")


def csv_report(audit: Audit) -> str:
    """For spreadsheets: one line for each attachment. What could not be checked is said on standard error."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(Row._fields)
    for row in rows_of(audit):
        cells = map(printable, row)
        writer.writerow([f"'{cell}" if _FORMULA.match(cell) else cell for cell in cells])
    return written.getvalue()


def markdown_report(audit: Audit) -> str:
    """For a pull request, a wiki or a ticket."""
    return "".join(f"{line}\n" for line in _markdown_lines(audit))


def _markdown_lines(audit: Audit) -> Iterator[str]:
    yield "# Unapproved IAM policies in live accounts"
    yield ""
    yield f"**{markdown_text(headline(audit))}**"
    yield ""
    yield markdown_text(f"Checked {extent(audit)} on {audit.today}. List: {_deny_list(audit)}.")
    incomplete = [f"account {account_title(account)}: {words}" for account, words in not_looked_at(audit)]
    for title, lines in (("Not checked", incomplete), ("Remarks", audit.remarks)):
        if lines:
            yield from ("", f"## {title}", "", *(f"- {markdown_text(line)}" for line in lines))
    for policy in by_policy(audit):
        yield from ("", f"## {markdown_text(policy.policy)}", "", markdown_text(_attached_to(policy)), "")
        yield from (f"- {label}: {markdown_text(words)}" for label, words in _about(policy))
        yield from ("", *_markdown_table(policy, audit))
        commands = [row.detach for row in policy.rows if row.detach]
        if commands:
            yield from ("", *markdown_code("sh", commands))


def _markdown_table(policy: PolicyRows, audit: Audit) -> Iterator[str]:
    columns = ["account", "attached to", "verdict", "approval", "note"]
    columns += [] if audit.in_code is None else ["in code"]
    yield f"| {' | '.join(columns)} |"
    yield "|" + " --- |" * len(columns)
    for row in policy.rows:
        account = f"{row.account} {row.account_name}".strip()
        cells = [account, f"{row.kind}/{row.principal}", row.verdict, row.approval, row.note]
        cells += [] if audit.in_code is None else [row.in_code]
        yield f"| {' | '.join(map(markdown_text, cells))} |"
