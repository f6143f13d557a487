"""`unapproved-iam list`: the effective deny list, after `use` and `extends`, and where each line of it comes from."""

from __future__ import annotations

import json
import os
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timezone
from typing import Any

from unapproved_iam.commands.command_line import DENY_LIST, argument_parser
from unapproved_iam.deny_list.builtin_lists import BUILTIN_LISTS, PURPOSES
from unapproved_iam.deny_list.discovery import find_deny_list, repository_root
from unapproved_iam.deny_list.entries import Approval, DenyList, Entry, InlineSkips, Origin, Unresolved
from unapproved_iam.printed_words import printable
from unapproved_iam.program import CLEAN

FORMAT_VERSION = 1


def parser() -> ArgumentParser:
    parser = argument_parser("list")
    parser.epilog = "built-in lists:\n" + "\n".join(f"  {name}: {purpose}" for name, purpose in PURPOSES.items())
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--deny-list", **DENY_LIST)
    which.add_argument("--built-in", metavar="NAME", choices=tuple(PURPOSES), help="show a built-in list instead")
    parser.add_argument("-o", "--output", choices=tuple(WRITERS), default="text", help="the format (default: text)")
    return parser


def main(argv: Sequence[str]) -> int:
    arguments = parser().parse_args(argv)
    if arguments.built_in:
        deny_list = DenyList(f"built-in list {arguments.built_in}", BUILTIN_LISTS[arguments.built_in])
    else:
        deny_list = find_deny_list(arguments.deny_list, os.environ, repository_root(os.curdir))
    today = datetime.now(timezone.utc).date()
    print("\n".join(WRITERS[arguments.output](deny_list, today)))
    return CLEAN


def as_text(deny_list: DenyList, today: date) -> Iterator[str]:
    yield f"{printable(deny_list.source)}: {_counts(deny_list)}"
    sections = (
        ("denied", ((entry.policy, _about_entry(entry, today), entry.origin) for entry in deny_list.entries)),
        ("approved", ((_approved(a), _about_approval(a, today), a.origin) for a in deny_list.approvals)),
        ("not checked", ((exclusion.path, exclusion.reason, exclusion.origin) for exclusion in deny_list.exclusions)),
    )
    for title, lines in sections:
        rows = list(lines)
        if rows:
            yield from ("", title)
        for what, about, origin in rows:
            yield printable(f"  {what}  ({origin})")
            if about:
                yield printable(f"      {about}")


def as_markdown(deny_list: DenyList, today: date) -> Iterator[str]:
    yield f"{_cell(deny_list.source)}: {_counts(deny_list)}"
    yield from _table(
        ("Denied", "Why", "Instead", "From"),
        (
            (f"`{entry.policy}`", _why(entry, today), "; ".join(entry.use_instead), str(entry.origin))
            for entry in deny_list.entries
        ),
    )
    yield from _table(
        ("Approved", "For", "Until", "Why", "From"),
        (
            (f"`{a.policy}`", f"`{a.where}`", _until(a, today), _approved_because(a), str(a.origin))
            for a in deny_list.approvals
        ),
    )
    yield from _table(
        ("Not checked", "Why", "From"), ((f"`{e.path}`", e.reason, str(e.origin)) for e in deny_list.exclusions)
    )


def as_json(deny_list: DenyList, today: date) -> Iterator[str]:
    """Keys as in the list's own format; lines count from 1, null for a built-in list."""
    yield json.dumps(
        {
            "format_version": FORMAT_VERSION,
            "source": deny_list.source,
            "unresolved": deny_list.unresolved.value,
            "inline_skips": deny_list.inline_skips.value,
            "deny": [
                {
                    "policy": entry.policy,
                    "reason": entry.reason,
                    "use_instead": list(entry.use_instead),
                    "enforce_from": _iso(entry.enforce_from),
                    "source": entry.source,
                    "origin": _origin(entry.origin),
                }
                for entry in deny_list.entries
            ],
            "approve": [
                {
                    "policy": approval.policy,
                    "attached_to": approval.attached_to,
                    "in": approval.written_files,
                    "reason": approval.reason,
                    "approved_by": approval.approved_by or None,
                    "expires": _iso(approval.expires),
                    "expired": approval.expired(today),
                    "origin": _origin(approval.origin),
                }
                for approval in deny_list.approvals
            ],
            "exclude": [
                {"path": exclusion.path, "reason": exclusion.reason, "origin": _origin(exclusion.origin)}
                for exclusion in deny_list.exclusions
            ],
        },
        indent=2,
    )


WRITERS = {"text": as_text, "json": as_json, "markdown": as_markdown}


def _counts(deny_list: DenyList) -> str:
    """How long the list is, and what is set otherwise than by default."""
    said = [f"{len(deny_list.entries)} denied"]
    said += [f"{len(deny_list.approvals)} approved"] if deny_list.approvals else []
    said += ["unresolved: fail"] if deny_list.unresolved is Unresolved.FAIL else []
    said += ["inline_skips: refuse"] if deny_list.inline_skips is InlineSkips.REFUSE else []
    return ", ".join(said)


def _about_entry(entry: Entry, today: date) -> str:
    advice = f"use {' or '.join(entry.use_instead)} instead" if entry.use_instead else ""
    return "; ".join(filter(None, (_why(entry, today), advice, entry.source and f"source: {entry.source}")))


def _why(entry: Entry, today: date) -> str:
    later = entry.enforce_from and today < entry.enforce_from
    return "; ".join(filter(None, (entry.reason, f"counts from {entry.enforce_from} on" if later else "")))


def _approved(approval: Approval) -> str:
    return f"{approval.policy} for {approval.where}"


def _about_approval(approval: Approval, today: date) -> str:
    return "; ".join(filter(None, (_approved_because(approval), _until(approval, today))))


def _approved_because(approval: Approval) -> str:
    return approval.reason + (f" (approved by {approval.approved_by})" if approval.approved_by else "")


def _until(approval: Approval, today: date) -> str:
    if approval.expires is None:
        return ""
    return f"expired on {approval.expires}" if approval.expired(today) else f"until {approval.expires}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    lines = [f"| {' | '.join(map(_cell, row))} |" for row in rows]
    if lines:
        yield from ("", f"| {' | '.join(head)} |", "|" + "---|" * len(head), *lines)


def _cell(text: str) -> str:
    return printable(text).replace("|", "\\|")


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _origin(origin: Origin) -> dict[str, Any]:
    return {"source": origin.source, "line": origin.line or None}
