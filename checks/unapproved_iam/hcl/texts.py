"""List the strings that a value may yield, and the policy ARNs in them.

For `terraform.root_module`, and for everything that makes a value unknown: that keeps the value's policies.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from unapproved_iam.hcl.expression import Expression, Template
from unapproved_iam.hcl.facts import Facts, joined
from unapproved_iam.hcl.values import (
    Boolean,
    Found,
    Mapping,
    Number,
    Plain,
    Possible,
    Record,
    Sequence,
    String,
    Unknown,
    Value,
    is_refused,
    parts_of,
    settled,
    text_of,
    under,
)
from unapproved_iam.late_patterns import late_pattern
from unapproved_iam.policies.possible_text import Hole, Text, text


def possible_texts(value: Value) -> list[Found]:
    """Every string that a value may yield where a string, or a list, set or map of strings, is used.

    A part that is unknown yields a text of one hole; null yields nothing.
    """
    return list(_distinct(found for possible in computed(value) for found in _texts_of(possible)))


def given_texts(value: Value) -> list[Found]:
    """The strings that the tree gives it; what else somebody may give only where that is none."""
    found = possible_texts(value)
    return [one for one in found if not any(hole.is_other for hole in one.text.holes)] or found


def computed(value: Value) -> list[Possible]:
    """The alternatives that Terraform computes, as far as there are any: where it surely refuses, nothing happens."""
    return [possible for possible in value if not is_refused(possible)] or list(value)


def policies_in(*values: Value) -> tuple[Found, ...]:
    """Every policy ARN that stands anywhere in the values, within longer texts and unknown values too."""
    return _distinct(found for value in values for possible in value for found in _policies_of(possible))


def _distinct(found: Iterable[Found]) -> tuple[Found, ...]:
    distinct: dict[tuple[Text, Facts], Found] = {}
    for one in found:
        distinct.setdefault((one.text, one.when), one)
    return tuple(distinct.values())


def _texts_of(possible: Possible) -> Iterator[Found]:
    plain = settled(possible.plain, possible.when)
    if isinstance(plain, String):
        yield Found(plain.text, possible.when, plain.place, plain.address)
    elif isinstance(plain, Number | Boolean):
        yield Found(text_of(plain) or text(), possible.when)
    elif isinstance(plain, Unknown):
        yield from _within(possible, plain.found)
        yield Found(Text((plain.hole,)), possible.when)
    elif isinstance(plain, Record):
        hole = Hole(plain.written, f"{plain.written} is not a string")
        yield Found(Text((hole,)), possible.when)
    else:
        for value, when in parts_of(plain):
            both = joined(possible.when, when)
            if both is not None:
                for one in computed(under(value, both)):
                    yield from _texts_of(one)


def _policies_of(possible: Possible) -> Iterator[Found]:
    plain = possible.plain
    if isinstance(plain, String):
        if plain.text.known is None or "policy/" in plain.text.known:
            for policy in policies_in_text(plain.text):
                yield Found(policy, possible.when, plain.place)
    elif isinstance(plain, Unknown):
        yield from _within(possible, plain.found)
    elif isinstance(plain, Sequence | Mapping):
        for value, when in parts_of(plain):
            both = joined(possible.when, when)
            if both is not None:
                for one in under(value, both):
                    yield from _policies_of(one)


def _within(possible: Possible, found: Iterable[Found]) -> Iterator[Found]:
    for one in found:
        when = joined(possible.when, one.when)
        if when is not None:
            yield one._replace(when=when)


_POLICY_IN_TEXT = late_pattern(r"arn:[^\s\"'`,;\\\[\](){}<>|]{0,1000}policy/[^\s\"'`,;\\\[\](){}<>|]{0,1000}")


_FIRST_HOLE = 0xF0000  # private use characters stand for the holes while a text is searched
_HOLE = late_pattern("([\U000f0000-\U000fffff])")


def holds_unknown(plain: Plain) -> bool:
    """Whether a part of it may be anything at all; what is surely refused is not, nor what else a variable may be."""
    if isinstance(plain, Unknown):
        return not plain.fails and not plain.hole.is_other
    return any(holds_unknown(possible.plain) for part, _ in parts_of(plain) for possible in part)


def policies_in_text(content: Text) -> list[Text]:
    """The policy ARNs in a text, which may be a whole document."""
    stand_ins = {chr(_FIRST_HOLE + number): hole for number, hole in enumerate(dict.fromkeys(content.holes))}
    by_hole = {hole: character for character, hole in stand_ins.items()}
    searched = "".join(by_hole[piece] if isinstance(piece, Hole) else piece for piece in content.pieces)
    return [
        text(*(stand_ins.get(part, part) for part in _HOLE.split(found[0])))
        for found in _POLICY_IN_TEXT.finditer(searched)
    ]


def policies_written_in(expression: Expression) -> tuple[Found, ...]:
    """The policies in its strings, without evaluating anything."""
    found: dict[Text, Found] = {}
    waiting: list[object] = [expression]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Template):
            content = text(*(piece if isinstance(piece, str) else _INTERPOLATED for piece in part.parts))
            found |= {policy: Found(policy, place=part.place) for policy in policies_in_text(content)}
        if isinstance(part, tuple):  # as every expression is one
            waiting.extend(part)
    return tuple(found.values())


_INTERPOLATED = Hole("...", "it is not evaluated")
