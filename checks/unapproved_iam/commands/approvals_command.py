"""`unapproved-iam approvals`: which approvals are used, unused, about to expire or expired.

It reads every file, without the quick look first: no approval may look unused because nobody looked.
"""

from __future__ import annotations

import json
import os
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta, timezone
from enum import Enum
from typing import NamedTuple

from unapproved_iam.commands.command_line import DENY_LIST, argument_parser
from unapproved_iam.deny_list.discovery import find_deny_list, repository_root
from unapproved_iam.deny_list.entries import SOON, Approval
from unapproved_iam.printed_words import printable
from unapproved_iam.program import CLEAN, COULD_NOT_JUDGE, VIOLATION, UsageError
from unapproved_iam.scan.check_scope import Request
from unapproved_iam.scan.findings import Findings
from unapproved_iam.scan.tree_check import findings_of

FORMAT_VERSION = 1


class State(Enum):
    """What the owner of an approval has to know of it, the most urgent first."""

    EXPIRED = "expired"
    EXPIRING = "about to expire"
    UNUSED = "unused"
    USED = "used"


class Status(NamedTuple):
    approval: Approval
    state: State
    places: tuple[str, ...]  # path:line of each attachment that it covers, or would if it had not expired


def parser() -> ArgumentParser:
    parser = argument_parser("approvals")
    parser.add_argument("--deny-list", **DENY_LIST)
    parser.add_argument(
        "--expiring",
        metavar="DAYS",
        type=int,
        default=SOON.days,
        help=f"how many days before its last day an approval counts as about to expire (default: {SOON.days})",
    )
    parser.add_argument("--fail-on-unused", action="store_true", help="exit with 1 when an approval is unused")
    parser.add_argument(
        "--fail-on-expiring", metavar="DAYS", type=int, help="exit with 1 when an approval expires within these days"
    )
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text", help="the format (default: text)")
    return parser


def main(argv: Sequence[str]) -> int:
    arguments = parser().parse_args(argv)
    for name, days in (("--expiring", arguments.expiring), ("--fail-on-expiring", arguments.fail_on_expiring or 0)):
        if not 0 <= days <= timedelta.max.days:
            raise UsageError(f"{name}: {days} is not a number of days (expected 0 or more)")
    root = repository_root(os.curdir)
    deny_list = find_deny_list(arguments.deny_list, os.environ, root)
    today = datetime.now(timezone.utc).date()
    findings = findings_of(Request(paths=[root], screen=False), deny_list, root, today)
    soon = max(arguments.expiring, arguments.fail_on_expiring or 0)
    statuses = list(statuses_of(findings, today, timedelta(days=soon)))
    if arguments.output == "json":
        print(as_json(statuses, findings))
    else:
        for line in as_text(statuses, findings):
            print(printable(line))
    if findings.unjudged:
        return COULD_NOT_JUDGE
    failing = arguments.fail_on_unused and any(not status.places for status in statuses)
    if arguments.fail_on_expiring is not None:
        within = timedelta(days=arguments.fail_on_expiring)
        failing = failing or any(status.approval.expires_within(within, today) for status in statuses)
    return VIOLATION if failing else CLEAN


def statuses_of(findings: Findings, today: date, soon: timedelta) -> Iterator[Status]:
    """One for each approval, in the order of the list."""
    places: dict[Approval, dict[str, None]] = {approval: {} for approval in findings.deny_list.approvals}
    for finding in findings.judged:
        for approval in finding.approvals:
            places[approval][findings.at(finding.attachment.place)] = None
    for approval, covered in places.items():
        yield Status(approval, _state(approval, bool(covered), today, soon), tuple(covered))


def _state(approval: Approval, used: bool, today: date, soon: timedelta) -> State:
    if approval.expired(today):
        return State.EXPIRED
    if not used:
        return State.UNUSED
    return State.EXPIRING if approval.expires_within(soon, today) else State.USED


def as_text(statuses: Iterable[Status], findings: Findings) -> Iterator[str]:
    statuses = list(statuses)
    for state in State:
        for approval, _, places in (status for status in statuses if status.state is state):
            until = f", until {approval.expires}" if approval.expires else ""
            what = f"{approval.policy} for {approval.where}{until}"
            covers = "would cover" if state is State.EXPIRED else "covers"
            yield f"{approval.origin}: {state.value}: {what}; {covers} {', '.join(places) or 'nothing'}"
    for unjudged in findings.unjudged:
        yield f"{findings.at(unjudged.place)}: could not be checked: {unjudged.reason}"
    counts = [f"{sum(status.state is state for status in statuses)} {state.value}" for state in State]
    yield f"{len(statuses)} in {findings.deny_list.source}: {', '.join(counts)}"


def as_json(statuses: Iterable[Status], findings: Findings) -> str:
    return json.dumps(
        {
            "format_version": FORMAT_VERSION,
            "source": findings.deny_list.source,
            "approvals": [
                {
                    "state": state.value,
                    "policy": approval.policy,
                    "attached_to": approval.attached_to,
                    "in": approval.written_files,
                    "reason": approval.reason,
                    "approved_by": approval.approved_by or None,
                    "expires": approval.expires.isoformat() if approval.expires else None,
                    "origin": {"source": approval.origin.source, "line": approval.origin.line},
                    "covers": list(places),
                }
                for approval, state, places in statuses
            ],
            "unjudged": [
                {"path": findings.relative(u.place.path), "line": u.place.line, "reason": u.reason}
                for u in findings.unjudged
            ],
        },
        indent=2,
    )
