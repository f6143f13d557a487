"""The built-in lists: policies that most organizations do not want attached, for those who maintain no list yet.

Each is a text file beside this one, with one entry per line: policy, what to use instead, source and reason, separated
by tabs. `aws-admin` and `aws-deprecated` are kept by hand, the others come from what the policies' documents allow:
`scripts/refresh_managed_policies.py` writes them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping

from unapproved_iam.deny_list.entries import Entry, Origin

DEFAULT_LIST = "aws-admin"

# What each list is about, in the order in which they are shown.
PURPOSES = {
    "aws-admin": "policies that give away the account: full access, a way to it, or a way to carry its data out",
    "aws-privilege-escalation": "policies that let their holder gain more permissions",
    "aws-credentials-exposure": "policies that let their holder obtain credentials",
    "aws-data-exfiltration": "policies that let their holder read every object, parameter or secret of the account",
    "aws-deprecated": "policies that AWS has removed or will remove soon: attaching one fails, or soon will",
}

BETWEEN_FIELDS, BETWEEN_ADVICE = "\t", " | "


class _BuiltinLists(Mapping[str, tuple[Entry, ...]]):
    """The entries of a list by its name; a file is read when its list is asked for."""

    def __init__(self) -> None:
        self._read: dict[str, tuple[Entry, ...]] = {}

    def __getitem__(self, name: str) -> tuple[Entry, ...]:
        if name not in self._read:
            if name not in PURPOSES:
                raise KeyError(name)
            with open(file_of(name), encoding="utf-8") as file:
                self._read[name] = tuple(_entries(name, file.read()))
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(PURPOSES)

    def __len__(self) -> int:
        return len(PURPOSES)


BUILTIN_LISTS: Mapping[str, tuple[Entry, ...]] = _BuiltinLists()


def file_of(name: str) -> str:
    return os.path.join(os.path.dirname(__file__), f"builtin_list_{name.replace('-', '_')}.txt")


def written(entries: Iterable[Entry]) -> str:
    """The text of a list's file."""
    fields = ((entry.policy, BETWEEN_ADVICE.join(entry.use_instead), entry.source, entry.reason) for entry in entries)
    return "".join(BETWEEN_FIELDS.join(line) + "\n" for line in fields)


def _entries(name: str, text: str) -> Iterator[Entry]:
    for line in text.splitlines():
        policy, use_instead, source, reason = line.split(BETWEEN_FIELDS)
        advice = tuple(use_instead.split(BETWEEN_ADVICE)) if use_instead else ()
        yield Entry(policy, Origin(f"built-in list {name}"), reason, advice, source)
