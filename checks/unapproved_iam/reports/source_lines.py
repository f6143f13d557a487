"""Find the line to edit: where the policy is written, which need not be the line that attaches it.

For the reports that people act on. Files are read again only for what is reported.
"""

from __future__ import annotations

import os
import re
import sys
from functools import lru_cache

from unapproved_iam.deny_list.verdict import Finding
from unapproved_iam.policies.attachment import Place
from unapproved_iam.policies.policy_arn import display_name


def place_to_edit(finding: Finding) -> Place:
    """The argument of a module call that names the policy, else the expression that attaches it.

    Where a module on the way names the policy, too, an argument may only repeat it.
    """
    attachment = finding.attachment
    name = display_name(attachment.policy).rpartition("/")[2]
    inside = [os.path.dirname(place.path) for place in (*attachment.calls[1:], attachment.block)]
    for depth, call in enumerate(attachment.calls):
        # A Terragrunt unit is a call as a whole: its inputs are not in the block that names the module.
        arguments = Place(call.path, 1, sys.maxsize) if call.path.endswith(".hcl") else call
        named = [number for number, line in lines_of(arguments) if name_pattern(name).search(line)]
        if named and not any(_is_named_in(module, name) for module in inside[depth:]):
            return Place(call.path, named[0])
    return attachment.place


@lru_cache(maxsize=256)
def _is_named_in(directory: str, name: str) -> bool:
    """Whether Terraform source in the directory names the policy."""
    try:
        entries = list(os.scandir(directory))
    except OSError:
        return True  # nobody knows
    sources = [one.path for one in entries if one.name.endswith((".tf", ".tofu", ".json")) and one.is_file()]
    return any(name_pattern(name).search(line) for source in sources for line in _lines(source))


@lru_cache(maxsize=64)
def name_pattern(name: str) -> re.Pattern[bytes]:
    """Matches the name where it is not a part of another one."""
    return re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])".encode("utf-8", "backslashreplace"))


def lines_of(place: Place) -> list[tuple[int, bytes]]:
    """The lines of a place with their numbers, as bytes; none when the file cannot be read any more."""
    lines = _lines(place.path)[place.line - 1 : place.end_line]
    return list(enumerate(lines, place.line))


@lru_cache(maxsize=16)
def _lines(path: str) -> list[bytes]:
    try:
        with open(path, "rb") as file:
            return file.read().splitlines()
    except OSError:
        return []
