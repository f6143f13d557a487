"""Make strings of values, and put strings together, when parts of them are not known.

For `hcl.evaluation` (templates) and `hcl.function_calls` (join, format, …).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from unapproved_iam.hcl.alternatives import one_of
from unapproved_iam.hcl.texts import policies_in
from unapproved_iam.hcl.values import (
    MAX_LENGTH,
    MAX_POSSIBLE,
    Openness,
    Possible,
    String,
    Unknown,
    Value,
    joined,
    refused,
    short,
    text_of,
    unknown,
)
from unapproved_iam.policies.attachment import Place
from unapproved_iam.policies.possible_text import Hole, Text, text

HOLE_LENGTH = 100  # as how many characters a hole counts


def as_strings(value: Value, written: object) -> Value:
    """The value converted to a string: every alternative is a String then, or one that Terraform would refuse."""
    if all(isinstance(possible.plain, String) for possible in value):
        return value
    return one_of([Value(tuple(_strings_of(possible, written))) for possible in value], written)


def _strings_of(possible: Possible, written: object) -> Iterator[Possible]:
    plain = possible.plain
    if isinstance(plain, String) or (isinstance(plain, Unknown) and plain.fails):
        yield possible
    elif isinstance(plain, Unknown):
        for found in plain.found[:MAX_POSSIBLE]:
            when = joined(possible.when, found.when)
            if when is not None:
                yield Possible(String(found.text, found.place), when, Openness.VARIABLE, found.origin)
        yield Possible(String(Text((plain.hole,))), possible.when, Openness.VARIABLE, possible.origin)
    else:
        content = text_of(plain)
        if content is None:
            yield from refused(written, "this is no string")
        else:
            yield Possible(String(content), possible.when, possible.openness, possible.origin)


def concatenated(values: Iterable[Value], written: object, place: Place | None = None) -> Value:
    """The values one after the other, as one string; what Terraform refuses to convert, it refuses to concatenate."""
    parts: list[list[Possible]] = []
    refusals: list[Value] = []
    for value in values:
        strings = as_strings(value, written)
        parts.append([possible for possible in strings if isinstance(possible.plain, String)])
        refusals.extend(Value((possible,)) for possible in strings if not isinstance(possible.plain, String))
        if not parts[-1]:
            return one_of(refusals, written)
    combinations = [_Combination()]
    for part in parts:
        options = part
        if len(combinations) * len(part) > MAX_POSSIBLE:
            options = [_any_of(part, written)]
        combinations = [longer for one in combinations for option in options if (longer := one.followed_by(option))]
    if not combinations:
        return unknown(written, "no combination of its conditions is possible")
    if max(one.length for one in combinations) > MAX_LENGTH:
        found = policies_in(*(Value(tuple(part)) for part in parts))
        return unknown(written, f"it is longer than {MAX_LENGTH} characters", found=found)
    return one_of([*(Value((one.string(place),)) for one in combinations), *refusals], written)


class _Combination:
    """One alternative of each part."""

    def __init__(self, texts: tuple[Text, ...] = (), length: int = 0, like: Possible | None = None) -> None:
        self.texts = texts
        self.length = length
        self.like = like or Possible(String(text()))

    def followed_by(self, option: Possible) -> _Combination | None:
        when = joined(self.like.when, option.when)
        if when is None or not isinstance(option.plain, String):
            return None
        origin = ", ".join(dict.fromkeys(origin for origin in (self.like.origin, option.origin) if origin))
        content = option.plain.text
        length = self.length + sum(len(piece) if isinstance(piece, str) else HOLE_LENGTH for piece in content.pieces)
        like = Possible(self.like.plain, when, max(self.like.openness, option.openness), origin)
        return _Combination((*self.texts, content), length, like) if length <= 2 * MAX_LENGTH else self

    def string(self, place: Place | None) -> Possible:
        return replace(self.like, plain=String(text(*self.texts), place))


def _any_of(part: list[Possible], written: object) -> Possible:
    hole = Hole(short(written), f"a part of it has more than {MAX_POSSIBLE} possible values")
    return Possible(String(Text((hole,))), openness=max(possible.openness for possible in part))
