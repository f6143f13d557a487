"""`unapproved-iam adopt`: approve today's violations for a while, so that the check can be turned on now.

Each approval is as narrow as it can be (one policy, one principal, one file), says that nobody has reviewed it yet, and
expires. So new violations fail at once, and the old ones are written down where everybody sees them.
"""

from __future__ import annotations

import os
import re
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta, timezone

from unapproved_iam.commands.atomic_file import Changed, replace, temporary_beside, write_new
from unapproved_iam.commands.command_line import argument_parser
from unapproved_iam.commands.init_command import starting_list
from unapproved_iam.deny_list.approval_proposal import DAYS, Proposal, proposals
from unapproved_iam.deny_list.builtin_lists import DEFAULT_LIST
from unapproved_iam.deny_list.discovery import FILE_NAME, file_that_counts, find_deny_list, repositories_of
from unapproved_iam.deny_list.entries import DenyList
from unapproved_iam.deny_list.list_edit import NotEditable, with_approvals
from unapproved_iam.deny_list.list_format import ATTACHED_TO, POLICY, REASON
from unapproved_iam.deny_list.reader import DenyListError, Problem, read_deny_list
from unapproved_iam.policies.policy_pattern import impossible_because, unknown_because
from unapproved_iam.printed_words import counted, printable
from unapproved_iam.program import COULD_NOT_JUDGE, UsageError
from unapproved_iam.scan.check_scope import Request
from unapproved_iam.scan.findings import Findings
from unapproved_iam.scan.tree_check import findings_of

DEFAULT_REASON = "attached before the check was switched on, not reviewed yet"


def parser() -> ArgumentParser:
    parser = argument_parser("adopt")
    parser.add_argument("path", nargs="*", help="as for check (default: this directory)")
    parser.add_argument("--deny-list", metavar="FILE", help="the list to add to (default: the repository's)")
    parser.add_argument("--expires", metavar="DAY", help=f"the last day of the approvals (default: in {DAYS} days)")
    parser.add_argument(
        "--reason", default=DEFAULT_REASON, help=f"the reason of each approval (default: {DEFAULT_REASON})"
    )
    return parser


def main(argv: Sequence[str]) -> int:
    today = datetime.now(timezone.utc).date()
    arguments = parser().parse_args(argv)
    expires = _day(arguments.expires, today)
    if not re.fullmatch(REASON.pattern, arguments.reason):
        raise UsageError(f'--reason: "{arguments.reason}" is not a reason (expected {REASON.expected})')
    repositories = repositories_of(arguments.path)
    several = len(repositories) > 1
    return max(_adopt(root, paths, several, expires, today, arguments) for root, paths in repositories.items())


def _adopt(root: str, paths: Sequence[str], several: bool, expires: date, today: date, arguments: Namespace) -> int:
    """Add to the list of one repository; the exit code tells what is left of its violations."""
    path = file_that_counts(arguments.deny_list, os.environ, root)
    deny_list = find_deny_list(arguments.deny_list, os.environ, root, several)
    request = Request(paths=paths)
    findings = findings_of(request, deny_list, root)
    new, left_over = _approvals(findings, deny_list)
    if new:
        written = [_written(proposal, arguments.reason, expires) for proposal in new]
        _add(path or os.path.join(root, FILE_NAME), written, f"adopted on {today}", is_new=path is None)
        deny_list = find_deny_list(arguments.deny_list, os.environ, root, several)
        print(f"{printable(deny_list.source)}: {_adopted(len(new), expires)}")
    for line in left_over:
        print(printable(line))
    return _outcome(findings_of(request, deny_list, root))


def _adopted(number: int, expires: date) -> str:
    if number == 1:
        return f"1 approved until {expires}; edit its reason"
    return f"{number} approved until {expires}; edit the reasons, and spread the dates: now all expire on one day"


def _day(written: str | None, today: date) -> date:
    if written is None:
        return today + timedelta(days=DAYS)
    try:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", written) or date.fromisoformat(written) < today:
            raise ValueError
    except ValueError:
        expected = f"expected a day from {today} on, such as {today + timedelta(days=DAYS)}"
        raise UsageError(f'--expires: "{written}" is not a valid day ({expected})') from None
    return date.fromisoformat(written)


def _approvals(findings: Findings, deny_list: DenyList) -> tuple[list[Proposal], list[str]]:
    """What to approve, each once, and why the rest of the violations cannot be adopted."""
    present = {Proposal(approval.policy, approval.attached_to, approval.files) for approval in deny_list.approvals}
    new: dict[Proposal, None] = {}
    left_over = []
    for finding in findings.violations:
        place = findings.at(finding.attachment.place)
        if finding.approvals:
            left_over.append(f"{place}: {finding.message} (to keep it, extend that approval by hand)")
            continue
        for proposal in proposals(finding, findings.in_repository):
            problem = _not_writable_because(proposal)
            if problem:
                left_over.append(f"{place}: cannot be adopted, because {problem}")
            elif proposal not in present:
                new[proposal] = None
    return list(new), left_over


def _not_writable_because(proposal: Proposal) -> str | None:
    """Why no approval in a list can say this: what the code holds need be no name that AWS would take."""
    if not proposal.files:
        return "it is outside the repository"
    if not re.fullmatch(ATTACHED_TO.pattern, proposal.attached_to):
        return f'"{proposal.attached_to}" is not a principal or an address'
    if not re.fullmatch(POLICY.pattern, proposal.policy):
        return f'"{proposal.policy}" is not a policy'
    return impossible_because(proposal.policy)


def _written(proposal: Proposal, reason: str, expires: date) -> dict[str, str | bool | tuple[str, ...]]:
    newer = unknown_because(proposal.policy, suggest=False) is not None
    return {**proposal.pairs, "reason": reason, "expires": str(expires)} | ({"allow_unknown": True} if newer else {})


def _add(path: str, approvals: Sequence[Mapping[str, str | bool | tuple[str, ...]]], remark: str, is_new: bool) -> None:
    """Write the list with these approvals, whole or not at all. Raises DenyListError, UsageError."""
    try:
        if is_new:
            content = with_approvals(starting_list([DEFAULT_LIST]).encode(), approvals, remark)
            write_new(path, content)
            return
        with open(path, "rb") as file:
            before = file.read()
        after = with_approvals(before, approvals, remark)
        with temporary_beside(path, after) as candidate:
            read_deny_list(candidate)
        replace(path, before, after)
    except NotEditable as error:
        raise DenyListError([Problem(path, error.line, str(error))]) from error
    except DenyListError as error:
        what = f"cannot take new approvals: {error.problems[0].what} (expected a list written line by line)"
        raise DenyListError([Problem(path, 0, what)]) from error
    except (Changed, FileExistsError):
        raise UsageError(
            f"{path}: somebody else changed it in the meantime, so nothing was written (run this again)"
        ) from None


def _outcome(findings: Findings) -> int:
    if findings.unjudged:
        for unjudged in findings.unjudged:
            print(printable(f"{findings.at(unjudged.place)}: could not be checked: {unjudged.reason}"))
        return COULD_NOT_JUDGE
    print(f"{counted(len(findings.violations), 'violation')} left" if findings.violations else "no violations left")
    return findings.exit_code
