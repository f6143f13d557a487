"""Decide which policies count when they are passed to a module or stack whose source we do not have.

For calls of Terraform modules and for stacks whose template is elsewhere. Nobody passes a policy's ARN without a
purpose, so it counts wherever it stands: as a value or a key, in a list that is joined by commas, in an encoded
document. What does not count is a permissions boundary, by the whole name of what holds it, and what stands in a policy
statement, by its shape. Source: "IAM JSON policy element reference" in the IAM User Guide.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache

from unapproved_iam.late_patterns import late_pattern
from unapproved_iam.policies.policy_arn import POLICY_ARN, narrowed
from unapproved_iam.policies.possible_text import Alphabet, Hole, Text, text

_BOUNDARY = late_pattern(r"(?:[a-z0-9]*permissions?|policy)?boundary(?:policy)?(?:arn|name)?")
_ACTIONS = frozenset({"action", "actions", "notaction", "notactions"})
_STATEMENT = _ACTIONS | {
    *("sid", "effect", "resource", "resources", "notresource", "notresources", "condition", "conditions"),
    *("principal", "principals", "notprincipal", "notprincipals"),
}
_NAMES, _VALUES = frozenset({"key", "parameterkey"}), frozenset({"value", "parametervalue"})

_FIRST_HOLE = 0xF0000  # private use characters stand for the holes while a text is searched
_HOLE = late_pattern("([\U000f0000-\U000fffff])")
_H = "\U000f0000-\U000fffff"
# Without commas and colons in path and name: texts are lists of ARNs more often than such names occur.
_ARN_IN_TEXT = late_pattern(
    rf"arn:[a-z0-9{_H}-]+:iam::[a-z0-9{_H}]+:policy/(?:[\w+=.@{_H}-]+/)*[\w+=.@{_H}-]*[\w+=@{_H}-]", re.ASCII
)
MAX_DOCUMENT = 200_000  # characters of a text that is decoded; in a longer one every ARN counts


@lru_cache(maxsize=4096)
def is_boundary(name: str) -> bool:
    """Whether an argument, key or parameter of this name holds a permissions boundary: `role_permissions_boundary_arn`,
    `PermissionsBoundary`."""
    return _BOUNDARY.fullmatch(_plain(name)) is not None


def not_attached(fields: Mapping[str, str | None]) -> Collection[str]:
    """The keys of an object whose values are not attached; `fields` has its keys, with the values that are texts."""
    by_name = {_plain(key): value for key, value in fields.items()}
    is_statement = not _ACTIONS.isdisjoint(by_name) and "effect" in by_name
    if is_statement and (by_name["effect"] or "allow").lower() in ("allow", "deny"):
        exempt = _STATEMENT
    else:
        # A parameter may be written as an object of its name and its value.
        exempt = _VALUES if any(is_boundary(by_name.get(name) or "") for name in _NAMES) else frozenset()
    return {key for key in fields if _plain(key) in exempt or is_boundary(key)}


def tells_of_others(name: str) -> bool:
    """Whether the value of such a key decides about those of others."""
    return _plain(name) in _NAMES or _plain(name) == "effect"


@lru_cache(maxsize=4096)  # of every key of every object that is passed
def _plain(name: str) -> str:
    return re.sub("[_-]", "", name).lower()


def policies_passed(content: Text) -> list[Text]:
    """The ARNs of policies in a text that is passed."""
    if content.known is not None and "policy" not in content.known:
        return []
    whole = [content] if is_policy_arn(content) else []
    if whole and "," not in str(content):
        return whole
    stand_ins = {chr(_FIRST_HOLE + number): hole for number, hole in enumerate(dict.fromkeys(content.holes))}
    by_hole = {hole: character for character, hole in stand_ins.items()}
    searched = "".join(by_hole[piece] if isinstance(piece, Hole) else piece for piece in content.pieces)
    if "policy" not in searched:
        return []
    found = (text(*(stand_ins.get(part, part) for part in _HOLE.split(arn))) for arn in _arns_of(_decoded(searched)))
    # A comma may as well stand in a name.
    return [arn for arn in dict.fromkeys((*found, *(whole if not content.holes else ()))) if is_policy_arn(arn)]


def policies_passed_in(data: object) -> list[Text]:
    """The ARNs of policies in decoded JSON that is passed."""
    return list(dict.fromkeys(map(text, _arns_of(data))))


def is_policy_arn(content: Text) -> bool:
    """Whether it surely is the ARN of one policy, whatever its partition, account or a part of its path and name."""
    stand_ins = {Alphabet.ANY: "\0", Alphabet.SEGMENT: "x", Alphabet.DIGITS: "0" * 12}
    pieces = (stand_ins[piece.alphabet] if isinstance(piece, Hole) else piece for piece in narrowed(content).pieces)
    written = "".join(pieces)
    return "arn:" not in written[1:] and POLICY_ARN.fullmatch(written) is not None


def _decoded(written: str) -> object:
    """The document that a text is, where that tells statements and boundaries from the rest; else the text itself."""
    telling = any(word in written.lower() for word in ("effect", "boundar")) or "\\/" in written
    if not telling or len(written) > MAX_DOCUMENT:
        return written
    try:
        return json.loads(written)
    except (ValueError, RecursionError):
        pass
    if "\\\n" in written:
        return written  # YAML folds such lines, which could join the pieces of a name
    import yaml  # few texts get here

    try:
        document: object = yaml.load(written, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError, TypeError):
        return written
    return document if isinstance(document, dict | list) else written


def _arns_of(document: object) -> Iterator[str]:
    waiting, seen = deque([document]), set()
    while waiting:
        part = waiting.popleft()
        if isinstance(part, str):
            inner = _decoded(part) if part is not document and part.lstrip()[:1] in ("{", "[") else part
            if inner is part:
                yield from _ARN_IN_TEXT.findall(part)
            else:
                waiting.append(inner)
        elif isinstance(part, dict | list) and id(part) not in seen:
            seen.add(id(part))  # an alias of YAML leads to a part again
            if isinstance(part, dict):
                fields = {str(key): value if isinstance(value, str) else None for key, value in part.items()}
                exempt = not_attached(fields)
                waiting += [*part, *(value for key, value in part.items() if str(key) not in exempt)]
            else:
                waiting += part
