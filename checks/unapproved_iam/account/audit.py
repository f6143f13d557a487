"""Find which denied policies a live account attaches, and to whom.

The account's readers make the same attachments as those of Terraform and CloudFormation, so the same code gives the
verdicts; the account's ARN stands for the file. Only policies that the list denies are followed to their principals: an
account that attaches none costs one call for each 1,000 attached policies. Source: "ListPolicies" and
"ListEntitiesForPolicy" in the IAM API reference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, NamedTuple

from unapproved_iam.account.access import AccessError, Account, pages
from unapproved_iam.deny_list.entries import DenyList, Entry
from unapproved_iam.deny_list.verdict import Finding, Judge, Verdict
from unapproved_iam.late_patterns import late_pattern
from unapproved_iam.policies.attachment import Attachment, Place, Principal, Unjudged
from unapproved_iam.policies.policy_arn import POLICY_NAME, aws_managed
from unapproved_iam.policies.possible_text import Text, text
from unapproved_iam.program import CLEAN, COULD_NOT_JUDGE, VIOLATION

NOT_DECLARED = "not declared"  # what is said of an attachment that no code declares

AT_ONCE = 4  # calls to one account; IAM throttles an account, not a caller


class EntityKind(NamedTuple):
    """How IAM speaks of one kind of principal in the answer of ListEntitiesForPolicy."""

    resource_type: str  # as CloudFormation and AWS Config call it
    entities: str
    name: str


ENTITY_KINDS = {
    "group": EntityKind("AWS::IAM::Group", "PolicyGroups", "GroupName"),
    "role": EntityKind("AWS::IAM::Role", "PolicyRoles", "RoleName"),
    "user": EntityKind("AWS::IAM::User", "PolicyUsers", "UserName"),
}

# "Using service-linked roles" and "Referencing permission sets in resource policies" in the AWS documentation: both
# kinds of role are made by AWS under a path that is reserved for it, and only AWS can change them.
SERVICE_LINKED_POLICY = ":policy/aws-service-role/"
IDENTITY_CENTER_PATH = "/aws-reserved/sso.amazonaws.com/"  # then the region of Identity Center, but for us-east-1
IDENTITY_CENTER_ROLE = late_pattern(r"AWSReservedSSO_(?P<permission_set>.+)_[0-9a-f]{16}")


@dataclass(frozen=True)
class AccountReading:
    """What was read in one account: numbers of what was looked at, and denied or approved attachments only."""

    account: Account
    policies: int = 0  # attached policies
    permission_sets: int = 0
    attachments: tuple[Attachment, ...] = ()
    unjudged: tuple[Unjudged, ...] = ()
    of_permission_sets: bool = False  # of nothing else: the account was not among those to audit

    def __add__(self, other: AccountReading) -> AccountReading:
        return AccountReading(
            self.account,
            self.policies + other.policies,
            self.permission_sets + other.permission_sets,
            self.attachments + other.attachments,
            self.unjudged + other.unjudged,
            self.of_permission_sets and other.of_permission_sets,
        )


@dataclass(frozen=True)
class Audit:
    """What the reports show."""

    deny_list: DenyList
    today: date
    region: str  # where Identity Center was asked
    readings: tuple[AccountReading, ...]  # one for each account
    findings: tuple[Finding, ...]  # all but clean ones, by policy, account and principal
    remarks: tuple[str, ...] = ()  # what was left out on purpose, or is not there to be looked at
    in_code: Mapping[Attachment, str] | None = None  # where code declares each of them; None: no code was compared

    @property
    def denied(self) -> tuple[Finding, ...]:
        passing = (Verdict.APPROVED, Verdict.WARNED)
        return tuple(finding for finding in self.findings if finding.verdict not in passing)

    @property
    def approved(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.verdict is Verdict.APPROVED)

    @property
    def warned(self) -> tuple[Finding, ...]:
        """Denied from a later day on."""
        return tuple(finding for finding in self.findings if finding.verdict is Verdict.WARNED)

    @property
    def expired(self) -> tuple[Finding, ...]:
        """Denied for no other reason than that the approval has expired."""
        return tuple(finding for finding in self.denied if finding.approvals)

    @property
    def unjudged(self) -> tuple[Unjudged, ...]:
        return tuple(unjudged for reading in self.readings for unjudged in reading.unjudged)

    @property
    def exit_code(self) -> int:
        """2 wins over 1: with 0 and 1 everything was looked at, so that 1 is the whole answer."""
        if self.unjudged:
            return COULD_NOT_JUDGE
        return VIOLATION if self.denied else CLEAN


class AccountJudge:
    """Judges live attachments by a deny list.

    Nothing in an account tells which file declared an attachment. So an approval of a principal covers it wherever
    the code stands, and one of a resource address, or of whatever stands in some files, covers nothing.
    """

    def __init__(self, deny_list: DenyList, today: date) -> None:
        approvals = tuple(
            approval._replace(files=())
            for approval in deny_list.approvals
            if approval.principal or (approval.anywhere and not approval.files)
        )
        self._judge = Judge(deny_list._replace(approvals=approvals), root="", today=today)

    def verdict_of(self, policy: Text) -> Verdict:
        """The verdict of a policy by its ARN alone, before it is known whom it is attached to."""
        nowhere = Place("")
        return self._judge.judge(Attachment("", "", policy, (), nowhere, nowhere)).verdict

    def judge(self, attachment: Attachment) -> Finding:
        """The verdict; a role that Identity Center made is approved as a role or as its permission set."""
        finding = self._judge.judge(attachment)
        kind, _, name = attachment.principals[0].address.partition("/")
        if kind and finding.verdict is not Verdict.APPROVED:
            of_permission_set = self._judge.judge(attachment._replace(principals=(Principal(kind, text(name)),)))
            if of_permission_set.approvals:
                finding = of_permission_set._replace(attachment=attachment)
        return finding._replace(entry=finding.entry and self._with_advice(finding.entry))

    def _with_advice(self, entry: Entry) -> Entry:
        """The entry without advice that the list itself denies."""
        advice = (
            policy
            for policy in entry.use_instead
            if not POLICY_NAME.fullmatch(policy) or self.verdict_of(aws_managed(policy)) is Verdict.CLEAN
        )
        return entry._replace(use_instead=tuple(advice))


def judged(deny_list: DenyList, today: date, region: str, readings: Sequence[AccountReading]) -> Audit:
    """Judge every attachment that was read."""
    judge = AccountJudge(deny_list, today)
    findings = [judge.judge(attachment) for reading in readings for attachment in reading.attachments]
    listed = [finding for finding in findings if finding.verdict is not Verdict.CLEAN]
    return Audit(deny_list, today, region, tuple(readings), tuple(sorted(listed, key=_order)))


def _order(finding: Finding) -> tuple[str, ...]:
    attachment = finding.attachment
    policy, principal = str(attachment.policy), attachment.principals[0]
    return policy.rpartition("/")[2], policy, attachment.unit, principal.kind, str(principal.name)


def read_account(iam: Any, account: Account, verdict_of: Callable[[Text], Verdict]) -> AccountReading:
    """Read to whom the listed ones of the attached policies are attached; `iam` is a client of IAM in that account."""
    listed: list[str] = []
    policies = 0
    unjudged: list[Unjudged] = []
    try:
        for page in pages(iam, "list_policies", Scope="All", OnlyAttached=True):
            policies += len(page["Policies"])
            attached = [policy["Arn"] for policy in page["Policies"]]
            listed += [arn for arn in attached if verdict_of(text(arn)) is not Verdict.CLEAN]
    except AccessError as error:
        unjudged.append(not_told(account, "which policies are attached", error))
    attachments: list[Attachment] = []
    failures: list[tuple[str, AccessError]] = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for arn, entities in zip(listed, pool.map(lambda arn: _entities_of(iam, arn), listed), strict=True):
            if isinstance(entities, AccessError):
                failures.append((arn, entities))
            else:
                attachments += [attachment_of(account, kind, name, arn) for kind, name in entities]
    unjudged += not_told_of_some(account, "what {} is attached to", failures)
    reading = AccountReading(account, policies, attachments=tuple(attachments), unjudged=tuple(unjudged))
    return _with_permission_sets_of_roles(iam, reading)


def _entities_of(iam: Any, policy_arn: str) -> list[tuple[str, str]] | AccessError:
    """Kind and name of each principal that a policy is attached to, or why that could not be read."""
    try:
        found = pages(iam, "list_entities_for_policy", PolicyArn=policy_arn, PolicyUsageFilter="PermissionsPolicy")
        return [
            (kind, entity[words.name])
            for page in found
            for kind, words in ENTITY_KINDS.items()
            for entity in page[words.entities]
        ]
    except AccessError as error:
        return [] if error.gone else error


def attachment_of(account: Account, kind: str, name: str, policy_arn: str, declared_by: str = "") -> Attachment:
    """A live attachment; `declared_by` names the permission set of a role that Identity Center made."""
    place = Place(account.arn)
    return Attachment(
        resource=f"{kind}/{name}",
        resource_type=ENTITY_KINDS[kind].resource_type,
        policy=text(policy_arn),
        principals=(Principal(kind, text(name), declared_by),),
        place=place,
        block=place,
        unit=account.arn,
    )


def permission_set_of_role(name: str, path: str) -> str:
    """The address of the permission set for which Identity Center made a role; empty for every other role.

    The name alone proves nothing: anyone may choose it. The path is reserved.
    """
    made = IDENTITY_CENTER_ROLE.fullmatch(name) if path.startswith(IDENTITY_CENTER_PATH) else None
    return f"permission-set/{made['permission_set']}" if made else ""


def _with_permission_sets_of_roles(iam: Any, reading: AccountReading) -> AccountReading:
    """Say of the roles that Identity Center made which permission set they stand for."""
    if not any(IDENTITY_CENTER_ROLE.fullmatch(_name(attachment)) for attachment in reading.attachments):
        return reading
    try:
        found = pages(iam, "list_roles", PathPrefix=IDENTITY_CENTER_PATH)
        paths = {role["RoleName"]: role["Path"] for page in found for role in page["Roles"]}
    except AccessError as error:
        unjudged = not_told(reading.account, "which roles belong to a permission set", error)
        return replace(reading, unjudged=(*reading.unjudged, unjudged))
    attachments = []
    for attachment in reading.attachments:
        principal = attachment.principals[0]
        name = _name(attachment)
        if principal.kind == "role" and name in paths:
            declared = principal._replace(address=permission_set_of_role(name, paths[name]))
            attachment = attachment._replace(principals=(declared,))
        attachments.append(attachment)
    return replace(reading, attachments=tuple(attachments))


def _name(attachment: Attachment) -> str:
    return str(attachment.principals[0].name)


def not_told(account: Account, what: str, error: AccessError) -> Unjudged:
    """What could not be read in an account, for the reports."""
    advice = "grant it: docs/audit.md shows the least privileges" if error.denied else ""
    return Unjudged(Place(account.arn), f"cannot see {what}: {error}", advice)


def not_told_of_some(account: Account, what: str, failures: Iterable[tuple[str, AccessError]]) -> tuple[Unjudged, ...]:
    """One line for all failures of a kind, not for each policy or permission set; `what` has {} for its ARN."""
    alike: dict[tuple[str, str], list[tuple[str, AccessError]]] = {}
    for arn, error in failures:
        alike.setdefault((error.action, error.code), []).append((arn, error))
    return tuple(
        not_told(account, what.format(arn if len(some) == 1 else f"each of {len(some):,} ({arn}, …)"), error)
        for some in alike.values()
        for arn, error in some[:1]
    )


def merged(readings: Iterable[AccountReading]) -> tuple[AccountReading, ...]:
    """One reading for each account, in the order of their first appearance."""
    by_account: dict[str, AccountReading] = {}
    for reading in readings:
        known = by_account.get(reading.account.id)
        by_account[reading.account.id] = known + reading if known else reading
    return tuple(by_account.values())
