"""Find and replace by regular expressions as Go does, in whose syntax Terraform's are.

For `hcl.data_functions` and `hcl.string_functions`. What Python's `re` reads otherwise, or might take too long for, is
not computed. Sources: "regex" and "replace" in the Terraform documentation; `FindAll`, `ReplaceAll` and `Expand` of
Go's package `regexp`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from unapproved_iam.hcl.inexact import Inexact, NotJudged
from unapproved_iam.hcl.values import Refused
from unapproved_iam.late_patterns import late_pattern


def found_by(pattern: str, string: str) -> Any:
    found = _compiled(pattern, string).search(string)
    if not found:
        raise Refused("the regular expression does not match")
    return _groups(found)


def all_found_by(pattern: str, string: str) -> list[Any]:
    return [_groups(found) for found in _matches(pattern, string)]


def _matches(pattern: str, string: str) -> Iterator[re.Match[str]]:
    """As Go finds them: nothing at the end of the match before, and behind an empty one not at the same place."""
    compiled = _compiled(pattern, string)
    position, last_end = 0, -1
    while position <= len(string) and (found := compiled.search(string, position)):
        if found.end() > found.start() or found.start() != last_end:
            yield found
        last_end = found.end()
        position = max(last_end, position + (last_end == position))


def _groups(found: re.Match[str]) -> Any:
    if found.re.groupindex:
        return dict(found.groupdict())
    return list(found.groups()) if found.re.groups else found[0]


# What Go's regular expressions (RE2) and Python's read alike, and what takes polynomial time here.
_OTHER_SYNTAX = late_pattern(
    r"\\[^dDwWsSbB.\\\-/+*?()\[\]{}^$|:]|\[\[:|\(\?(?!P?<\w|:)|\)[*+{]|[*+?}](?:\+|\?[*+?{])|&&|--|~~|\|\|"
)

MAX_REGEX = 10_000_000  # characters to the power of the repetitions: what takes longer may take all day

# `$` is the very end for Go, also before a last newline for Python; a brace that counts nothing is a brace for Go only,
# which knows names without a P.
_OTHERWISE = late_pattern(r"(\\.|\[\^?\]?[^\]]*\]|\(\?P)|(\$)|(\(\?)(?=<)|\{(?!\d+(?:,\d*)?\})")
_FLAGS = late_pattern(r"\(\?([ims]+)\)")  # at the beginning; elsewhere they hold for the rest of a group for Go only


def _compiled(pattern: str, string: str) -> re.Pattern[str]:
    leading = _FLAGS.match(pattern)
    flags = leading[1] if leading else ""
    pattern = pattern[leading.end() :] if leading else pattern
    end = "$" if "m" in flags else r"\Z"
    quantifiers = len(re.findall(r"[*+?{]", pattern))
    if _OTHER_SYNTAX.search(pattern) or "\v" in string:
        raise Inexact
    if max(len(string), 2) ** quantifiers > MAX_REGEX:
        raise NotJudged(f"has more than {MAX_REGEX} ways to match a regular expression")
    try:
        same = _OTHERWISE.sub(lambda found: found[1] or (end if found[2] else "(?P" if found[3] else r"\{"), pattern)
        return re.compile((f"(?{flags})" if flags else "") + same, re.ASCII)
    except re.error:
        raise Refused("this is not a regular expression") from None


def replaced(string: str, wanted: str, replacement: str) -> str:
    if len(wanted) > 1 and wanted.startswith("/") and wanted.endswith("/"):
        return "".join(_replaced_matches(string, wanted[1:-1], replacement))
    if not wanted:
        raise Inexact
    return string.replace(wanted, replacement)


_GROUP = late_pattern(r"\$(?:(\$)|(\w+)|\{(\w+)\})", re.ASCII)  # what else begins with `$` stands for itself


def _replaced_matches(string: str, pattern: str, replacement: str) -> Iterator[str]:
    end = 0
    for found in _matches(pattern, string):
        yield string[end : found.start()]
        yield _with_groups(replacement, found)
        end = found.end()
    yield string[end:]


def _with_groups(replacement: str, found: re.Match[str]) -> str:
    return _GROUP.sub(lambda group: group[1] or _group(found, group[2] or group[3]), replacement)


def _group(found: re.Match[str], name: str) -> str:
    """The text of a group by its number or name, nothing for one that there is not."""
    key: int | str = int(name) if name.isdigit() and len(name) < 4 else name
    is_there = key <= found.re.groups if isinstance(key, int) else key in found.re.groupindex
    return found[key] or "" if is_there else ""
