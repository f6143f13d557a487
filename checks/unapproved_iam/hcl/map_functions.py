"""Compute the Terraform functions on maps, some elements of which may be absent or unknown, and type conversions.

For `hcl.function_calls`. Each takes one alternative of each argument. Source: "Collection Functions" in the Terraform
documentation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from unapproved_iam.hcl.alternatives import MAX_WAYS, bounded_ways, one_of, unknown_like
from unapproved_iam.hcl.bounds import Count
from unapproved_iam.hcl.collection_elements import Element, elements_of
from unapproved_iam.hcl.collection_parts import any_item, required_sequence
from unapproved_iam.hcl.collection_values import in_each_world, known_scalar, mapping_of, once, unified, ways_of_set
from unapproved_iam.hcl.decimal_numbers import number_of
from unapproved_iam.hcl.facts import ALWAYS, Facts, Subject, joined, without
from unapproved_iam.hcl.lengths import length_of
from unapproved_iam.hcl.operators import boolean_of
from unapproved_iam.hcl.shapes import Shape
from unapproved_iam.hcl.turns import given
from unapproved_iam.hcl.values import (
    NULL,
    Boolean,
    Entry,
    Item,
    Kind,
    Mapping,
    Null,
    Number,
    Plain,
    Record,
    Refused,
    Sequence,
    String,
    Unknown,
    Value,
    exactly,
    subject_of,
    text_of,
    under,
)
from unapproved_iam.hcl.ways import of_variables


def _tomap(written: object, plain: Plain) -> Value:
    if isinstance(plain, Null | Unknown | Record):
        return given(exactly(plain), False)
    if not isinstance(plain, Mapping):
        raise Refused("an object is required")
    values = unified(tuple(Item(entry.value) for entry in plain.entries))
    entries = tuple(entry._replace(value=item.value) for entry, item in zip(plain.entries, values, strict=True))
    return exactly(Mapping(entries, Kind.MAP))


def _length(written: object, plain: Plain) -> Value:
    if isinstance(plain, Sequence) and plain.rest is not None:
        return _length_with_rest(written, plain)
    if isinstance(plain, String) and plain.text.known is not None and plain.text.known.isascii():
        return exactly(Number(len(plain.text.known)))
    if isinstance(plain, Mapping) and plain.has_known_keys:
        # One of several entries of one key may be there: counted as a list, each stands once.
        plain = Sequence(tuple(Item(NULL, when) for entries in plain.by_key.values() for when in _ways_of(entries)))
    if isinstance(plain, Sequence):
        in_order = plain if plain.kind is Kind.SET else replace(plain, ordered=True)
        counted = in_each_world(lambda certain: exactly(Number(len(certain.items))), in_order, written)
        if counted is not None:
            return counted
        sets = ways_of_set(plain)
        if sets is not None:
            return one_of([under(_counted(known, others, written), when) for known, others, when in sets], written)
    if isinstance(plain, Null | Number | Boolean):
        raise Refused("it has no length")
    is_set = isinstance(plain, Unknown) and plain.shape is not None and plain.shape.is_set
    whole = subject_of(plain) if isinstance(plain, Unknown) and not is_set else None
    return _count(written, plain, Count(), None if whole is None else length_of(whole))


def _length_with_rest(written: object, sequence: Sequence) -> Value:
    """In the worlds in which there are no further elements as many as are told, in others more."""
    filled = bounded_ways([of_variables(possible.when) for possible in sequence.rest or ()])
    empty = [ALWAYS]
    for way in filled:
        empty = [left for world in empty for left in without(world, way)]
    certain = [item.value for item in sequence.items if not item.when]
    known = [value for value in certain if known_scalar(value) is not None]
    is_set = sequence.kind is Kind.SET  # in which what is not known may be equal to what is
    count = _count(written, sequence, Count(max(len(known), min(len(certain), 1)) if is_set else len(certain)))
    if not empty or len(empty) > MAX_WAYS:
        return count
    told = _length(written, replace(sequence, rest=None))
    return one_of([*(under(count, way) for way in filled), *(under(told, world) for world in empty)], written)


def _count(written: object, plain: Plain, count: Count, subject: Subject | None = None) -> Value:
    (number,) = unknown_like(written, plain)
    assert isinstance(number.plain, Unknown)
    return exactly(replace(number.plain, hole=number.plain.hole._replace(subject=subject), shape=Shape(count=count)))


def _counted(known: list[Value], others: list[Value], written: object) -> Value:
    """How many elements a set has, of which some may be equal to others."""
    number = len(known) + len(others)
    if not others or number == 1:
        return exactly(Number(number))
    return _count(written, others[0].possible[0].plain, Count(max(len(known), 1), number))


def _ways_of(entries: list[Entry]) -> list[Facts]:
    return [item.when for item in once([Item(NULL, entry.when) for entry in entries])]


def _keys(written: object, plain: Plain) -> Value:
    return _parts(written, plain, lambda element: element.key)


def _values(written: object, plain: Plain) -> Value:
    return _parts(written, plain, lambda element: element.value)


def _parts(written: object, plain: Plain, part: Callable[[Element], Value]) -> Value:
    if isinstance(plain, Sequence):
        raise Refused("a map is required")
    elements = elements_of(plain, written)
    items = tuple(Item(part(element), element.when) for element in elements.each)
    further = [under(part(element), element.when) for element in elements.rest]
    return exactly(Sequence(items, one_of(further, written) if further else None, ordered=elements.ordered))


def _zipmap(written: object, keys: Plain, values: Plain) -> Value:
    names, elements = required_sequence(keys), required_sequence(values)
    if names.is_certain and elements.is_certain:
        if len(names.items) != len(elements.items):
            raise Refused("there are not as many keys as values")
        pairs: list[tuple[Value, Value, Facts]] = [
            (name.value, element.value, ALWAYS) for name, element in zip(names.items, elements.items, strict=True)
        ]
    else:
        any_element = any_item(elements, written) or NULL
        pairs = [(name.value, any_element, name.when) for name in names.items]
        if names.rest is not None:
            pairs.append((names.rest, any_element, ALWAYS))
    entries = []
    for name, element, when in pairs:
        for possible in name:
            key = text_of(possible.plain)
            conditions = joined(when, possible.when)
            if key is not None and conditions is not None:
                entries.append(Entry(key, element, conditions))
    return exactly(mapping_of(entries))


def _tonumber(written: object, plain: Plain) -> Value:
    if isinstance(plain, Null):
        return exactly(plain)
    number = number_of(plain)
    return unknown_like(written, plain) if number is None else exactly(Number(number))


def _tobool(written: object, plain: Plain) -> Value:
    if isinstance(plain, Null):
        return exactly(plain)
    truth = boolean_of(plain)
    return unknown_like(written, plain) if truth is None else exactly(Boolean(truth))


def _ephemeral_as_null(written: object, plain: Plain) -> Value:
    """Null for what is ephemeral, which is not followed here; all else as it is."""
    return one_of([exactly(plain), NULL], written)


def _itself(written: object, plain: Plain) -> Value:
    return exactly(plain)


# name: (function, fewest arguments, most arguments)
MAP_FUNCTIONS: dict[str, tuple[Callable[..., Value], int, int | None]] = {
    "ephemeralasnull": (_ephemeral_as_null, 1, 1),
    "keys": (_keys, 1, 1),
    "length": (_length, 1, 1),
    "nonsensitive": (_itself, 1, 1),
    "sensitive": (_itself, 1, 1),
    "tobool": (_tobool, 1, 1),
    "tomap": (_tomap, 1, 1),
    "tonumber": (_tonumber, 1, 1),
    "values": (_values, 1, 1),
    "zipmap": (_zipmap, 2, 2),
}
