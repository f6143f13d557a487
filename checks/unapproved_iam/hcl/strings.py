"""Convert values to strings and join strings, parts of which may be unknown.

For `hcl.evaluation` (templates) and `hcl.function_calls` (join, format, …).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from unapproved_iam.hcl.alternatives import applied, one_of
from unapproved_iam.hcl.facts import joined
from unapproved_iam.hcl.texts import policies_in
from unapproved_iam.hcl.values import (
    MAX_LENGTH,
    Plain,
    Possible,
    String,
    Unknown,
    Value,
    beyond_limit,
    exactly,
    refused,
    settled,
    text_of,
)
from unapproved_iam.policies.attachment import Place
from unapproved_iam.policies.possible_text import Text, text


def as_strings(value: Value, written: object) -> Value:
    """The value converted to a string: every alternative is a String then, or one that Terraform would refuse."""
    if all(isinstance(possible.plain, String) for possible in value):
        return value
    return one_of([Value(tuple(_strings_of(possible, written))) for possible in value], written)


def _strings_of(possible: Possible, written: object) -> Iterator[Possible]:
    plain = settled(possible.plain, possible.when)
    if isinstance(plain, String) or (isinstance(plain, Unknown) and plain.fails):
        yield Possible(plain, possible.when)
    elif isinstance(plain, Unknown):
        for found in plain.found:
            when = joined(possible.when, found.when)
            if when is not None:
                yield Possible(String(found.text, found.place), when)
        yield Possible(String(Text((plain.hole,))), possible.when)
    else:
        content = text_of(plain)
        if content is None:
            yield from (Possible(one.plain, possible.when) for one in refused(written, "this is not a string"))
        else:
            yield Possible(String(content), possible.when)


def concatenated(values: Iterable[Value], written: object, place: Place | None = None) -> Value:
    """The values one after the other, as one string; what Terraform refuses to convert, it refuses to concatenate."""
    strings = [as_strings(value, written) for value in values]

    def together(*plains: Plain) -> Value:
        content = text(*(plain.text for plain in plains if isinstance(plain, String)))
        if sum(len(piece) for piece in content.pieces if isinstance(piece, str)) > MAX_LENGTH:
            return beyond_limit(written, f"{MAX_LENGTH} characters", policies_in(*strings))
        return exactly(String(content, place))

    return applied(together, strings, written)
