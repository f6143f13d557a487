"""`unapproved-iam explain POLICY`: whether the list denies a policy, by which entries, and what approves it until when.

The exit code is 0 if it may be attached, and 1 if it is denied or unresolved, as in `check`.
"""

from __future__ import annotations

import os
import re
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timezone

from unapproved_iam.commands.command_line import DENY_LIST, argument_parser
from unapproved_iam.deny_list.discovery import find_deny_list, repository_root
from unapproved_iam.deny_list.entries import PRINCIPAL_KINDS, Approval, DenyList
from unapproved_iam.deny_list.list_format import ADDRESS_PATTERN
from unapproved_iam.deny_list.verdict import Finding, Judge, Verdict, covers_any
from unapproved_iam.policies.attachment import Attachment, Place, Principal
from unapproved_iam.policies.managed_policy_names import managed_policy_names
from unapproved_iam.policies.policy_arn import POLICY_ARN, aws_managed, display_name
from unapproved_iam.policies.policy_pattern import impossible_because, unknown_because
from unapproved_iam.policies.possible_text import Match, Text, match, text
from unapproved_iam.printed_words import printable
from unapproved_iam.program import CLEAN, VIOLATION, UsageError

# Which file it is about when none is named: one that `in` covers only as `**`.
ANY_FILE = ".."

_EXPECTED = f"expected {', '.join(f'{kind}/NAME' for kind in PRINCIPAL_KINDS)}, or a resource's address or logical id"


def parser() -> ArgumentParser:
    parser = argument_parser("explain")
    parser.add_argument("policy", help="the name of an AWS managed policy, or a policy's ARN")
    parser.add_argument(
        "--attached-to",
        metavar="WHOM",
        default="",
        help=f"{', '.join(f'{kind}/NAME' for kind in PRINCIPAL_KINDS)}, or a resource's address or logical id",
    )
    parser.add_argument("--in", dest="file", metavar="FILE", default=ANY_FILE, help="the file that attaches it")
    parser.add_argument("--deny-list", **DENY_LIST)
    return parser


def main(argv: Sequence[str]) -> int:
    arguments = parser().parse_args(argv)
    policy = policy_named(arguments.policy)
    root = repository_root(os.curdir)
    deny_list = find_deny_list(arguments.deny_list, os.environ, root)
    place = Place(root + os.sep + ANY_FILE if arguments.file is ANY_FILE else os.path.abspath(arguments.file))
    today = datetime.now(timezone.utc).date()
    finding = Judge(deny_list, root, today).judge(_attachment(policy, arguments.attached_to, place))
    for line in explanation(finding, deny_list, today):
        print(printable(line))
    if arguments.file is ANY_FILE and _depends_on_file(finding, deny_list, today):
        print(printable("  whether an approval with `in` counts depends on the file: name it with --in FILE"))
    if arguments.attached_to.isalnum():
        print(
            printable(
                f"  {arguments.attached_to} is taken for a logical id (the role would be role/{arguments.attached_to})"
            )
        )
    return CLEAN if finding.verdict in (Verdict.CLEAN, Verdict.APPROVED, Verdict.WARNED) else VIOLATION


def _depends_on_file(finding: Finding, deny_list: DenyList, today: date) -> bool:
    """Whether an approval that counts in some files only may be about it."""
    if finding.verdict is Verdict.APPROVED or not finding.entry:
        return False
    of_policy = [one for one in deny_list.approvals if one.covers_policy(finding.attachment.policy)]
    return any(one.files and not one.expired(today) and covers_any(finding.attachment, one) for one in of_policy)


def policy_named(policy: str) -> Text:
    """The ARN of the policy that is meant. Raises UsageError."""
    if re.search(r"[*?]", policy):
        raise UsageError(f'"{policy}" has wildcards (expected one policy: a name or an ARN)')
    if policy.startswith("arn:") and POLICY_ARN.fullmatch(policy):
        return text(policy)
    problem = impossible_because(policy) or unknown_because(policy)
    if problem or policy.startswith("arn:"):
        raise UsageError(problem or f'"{policy}" is not a policy ARN (expected arn:PARTITION:iam::ACCOUNT:policy/NAME)')
    name = policy.rpartition("/")[2]
    return aws_managed(managed_policy_names()[name] + name)


def _attachment(policy: Text, attached_to: str, place: Place) -> Attachment:
    kind, slash, name = attached_to.partition("/")
    if slash and not (name and kind in PRINCIPAL_KINDS):
        raise UsageError(f'--attached-to: "{attached_to}" is not a principal ({_EXPECTED})')
    if attached_to and not slash and not re.fullmatch(ADDRESS_PATTERN, attached_to):
        raise UsageError(
            f'--attached-to: "{attached_to}" is not an address ({_EXPECTED}; did you mean role/{attached_to}?)'
        )
    principals = (Principal(kind, text(name)),) if slash else ()
    return Attachment("" if slash else attached_to, "", policy, principals, place, place)


def explanation(finding: Finding, deny_list: DenyList, today: date) -> Iterator[str]:
    """The verdict, then every entry and approval of the policy, a line each."""
    policy = finding.attachment.policy
    sentence = finding.message or f"{deny_list.source} does not deny {display_name(policy)}"
    yield f"{finding.verdict.value}: {sentence}"
    for entry in deny_list.entries:
        certainty = match(policy, entry.globs)
        if certainty is not Match.NEVER:
            perhaps = "perhaps " if certainty is Match.SOMETIMES else ""
            from_day = f" from {entry.enforce_from} on" if entry.enforce_from and today < entry.enforce_from else ""
            about = "; ".join(filter(None, (entry.reason, entry.source)))
            yield f"  {perhaps}denied{from_day} by {entry.policy} ({entry.origin})" + (f": {about}" if about else "")
    for approval in deny_list.approvals:
        if finding.entry and approval.covers_policy(policy):
            yield f"  {_approval(approval, today)}"


def _approval(approval: Approval, today: date) -> str:
    state = "approval expired" if approval.expired(today) else "approved"
    until = f" on {approval.expires}" if approval.expired(today) else f" until {approval.expires}"
    until = until if approval.expires else ""
    by = f", by {approval.approved_by}" if approval.approved_by else ""
    return f"{state} for {approval.where}{until} ({approval.origin}): {approval.reason}{by}"
