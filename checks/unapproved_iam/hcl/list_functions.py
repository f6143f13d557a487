"""Compute the Terraform functions on lists and sets, some elements of which may be absent or unknown.

For `hcl.function_calls`. Each takes one alternative of each argument. An element that may be absent stays one, and
where an unknown part decides what is in the result, everything that may be in it is. Source: "Collection Functions" in
the Terraform documentation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product

from unapproved_iam.hcl.alternatives import one_of, unknown_like
from unapproved_iam.hcl.collection_elements import any_element
from unapproved_iam.hcl.collection_parts import (
    Row,
    any_item,
    as_told_or_not,
    bounded_sequence,
    is_filled,
    required_sequence,
)
from unapproved_iam.hcl.collection_values import (
    in_each_world,
    known_scalar,
    once,
    open_scalar,
    set_of,
    told_apart,
    unified,
    with_strings,
)
from unapproved_iam.hcl.decimal_numbers import whole_number
from unapproved_iam.hcl.facts import ALWAYS, Facts, Subject, Turn, is_none_of, is_one_of, joined, without
from unapproved_iam.hcl.operators import are_equal, operated, truths_of
from unapproved_iam.hcl.shapes import Shape
from unapproved_iam.hcl.turns import another, given
from unapproved_iam.hcl.values import (
    MAX_ITEMS,
    NULL,
    Boolean,
    Item,
    Kind,
    Null,
    Number,
    Plain,
    Possible,
    Refused,
    Sequence,
    String,
    Unknown,
    Value,
    beyond_limit,
    constant_of,
    exactly,
    refused,
    subject_of,
    under,
)
from unapproved_iam.hcl.ways import WHICH


def _flatten(written: object, plain: Plain) -> Value:
    sequence = required_sequence(plain)

    def together(values: list[Value]) -> Value:
        row = Row()
        parts = (item._replace(value=value) for item, value in zip(sequence.items, values, strict=True))
        _flatten_into(replace(sequence, items=tuple(parts)), ALWAYS, row)
        return exactly(bounded_sequence(row.sequence(written), written))

    return one_of(as_told_or_not(together, [item.value for item in sequence.items]), written)


def _flatten_into(sequence: Sequence, when: Facts, row: Row) -> None:
    before, after = sequence.around_rest or (sequence.items, ())
    row.ordered &= sequence.around_rest is not None
    for item in before:
        _flatten_item(item.value, joined(when, item.when), row)
    for further in sequence.rest or ():
        inner = Row()
        _flatten_item(Value((further,)), when, inner)
        for one in (*(under(item.value, item.when) for item in inner.items), *inner.rest):
            row.further(one)
    for item in after:
        _flatten_item(item.value, joined(when, item.when), row)


def _flatten_item(value: Value, when: Facts | None, row: Row) -> None:
    if when is None:
        return
    if not any(_may_be_list(possible.plain) for possible in value):
        row.items.append(Item(value, when))
        return
    for possible in value:
        every = joined(when, possible.when)
        if every is None:
            continue
        if isinstance(possible.plain, Sequence):
            _flatten_into(possible.plain, every, row)
        elif isinstance(possible.plain, Unknown) and possible.plain.may_be_list:
            row.further(under(_flat_element(possible.plain), every))
        else:
            row.items.append(Item(exactly(possible.plain), every))


def _may_be_list(plain: Plain) -> bool:
    return isinstance(plain, Sequence) or (isinstance(plain, Unknown) and plain.may_be_list)


def _flat_element(plain: Unknown) -> Value:
    """One of the elements of what may be a list, of lists perhaps: it is none."""
    value = any_element(plain, plain.hole.written).value
    return Value(
        tuple(
            Possible(replace(one, shape=Shape()) if one.may_be_list else one, when)
            for one, when in value
            if isinstance(one, Unknown)
        )
    )


def _toset(written: object, plain: Plain) -> Value:
    if isinstance(plain, Unknown):
        plain = replace(plain, shape=replace(plain.shape or Shape(is_list=True), is_set=True))
    if isinstance(plain, Null | Unknown):
        return given(exactly(plain), False)
    return exactly(set_of(required_sequence(plain)))


def _tolist(written: object, plain: Plain) -> Value:
    if isinstance(plain, Null | Unknown):
        return given(exactly(plain), False)
    sequence = required_sequence(plain)
    return exactly(replace(sequence, items=unified(sequence.items), kind=Kind.LIST))


def _distinct(written: object, plain: Plain) -> Value:
    sequence = required_sequence(plain)
    kept: dict[object, list[Item]] = {}
    for number, item in enumerate(told_apart(unified(sequence.items))):
        identity = known_scalar(item.value)
        key = open_scalar(item.value) or number
        if identity is None and kept and key not in kept:  # it may be equal to another one
            item = item._replace(when=joined(item.when, is_one_of(Subject(WHICH, Turn()), True)) or item.when)
        kept.setdefault(key if identity is None else (type(identity), identity), []).append(item)
    # Where the first of equal elements may be absent, another stands at its place.
    in_place = all(len(several) == 1 or not several[0].when for several in kept.values())
    all_known = sequence.rest is None and all(isinstance(key, tuple) for key in kept)
    items = tuple(item for several in kept.values() for item in once(several))
    return exactly(Sequence(items, sequence.rest, Kind.LIST, sequence.ordered and all_known and in_place))


def _compact(written: object, plain: Plain) -> Value:
    """Without the empty strings and nulls."""
    sequence = required_sequence(plain)
    before, after = sequence.around_rest or (sequence.items, ())
    row = Row()
    row.append(Sequence(_filled(before), sequence.rest, ordered=sequence.around_rest is not None))
    row.append(Sequence(_filled(after)))
    row.ordered &= all(_is_told_filled(item) for item in row.items)
    return exactly(row.sequence(written, Kind.LIST))


def _filled(items: tuple[Item, ...]) -> tuple[Item, ...]:
    return tuple(filled for item in told_apart(unified(items)) if (filled := _where_filled(item)) is not None)


def _where_filled(item: Item) -> Item | None:
    """The element where it is neither empty nor null; None when it is nowhere."""
    plain = item.value.possible[0].plain
    is_it, subject = is_filled(plain), subject_of(plain)
    if is_it is None and subject is not None:
        when = joined(item.when, is_none_of(subject, "", None))
        return None if when is None else item._replace(when=when)
    return None if is_it is False else item


def _is_told_filled(item: Item) -> bool:
    plain = item.value.possible[0].plain
    return subject_of(plain) is not None or is_filled(plain) is True


def _reverse(written: object, plain: Plain) -> Value:
    sequence = required_sequence(plain)
    ordered = sequence.ordered and sequence.rest is None
    return exactly(replace(sequence, items=tuple(reversed(sequence.items)), ordered=ordered, is_sorted=False))


def _sort(written: object, plain: Plain) -> Value:
    sequence = required_sequence(plain)
    items = tuple(item._replace(value=with_strings(item.value)) for item in sequence.items)
    known = [known_scalar(item.value) for item in items]
    if sequence.is_certain and all(isinstance(identity, str) for identity in known):
        items = tuple(sorted(items, key=lambda item: str(known_scalar(item.value))))
        return exactly(Sequence(items, kind=Kind.LIST))
    return exactly(Sequence(items, sequence.rest, Kind.LIST, ordered=False))


def _one(written: object, plain: Plain) -> Value:
    """The only element, or null."""
    sequence = required_sequence(plain)

    def only(certain: Sequence) -> Value:
        if len(certain.items) > 1:
            raise Refused("it has more than one element")
        return certain.items[0].value if certain.items else NULL

    if sequence.is_certain:
        return only(sequence)
    if all(len(certain.items) < 2 for certain, _ in sequence.ways or []):
        value = in_each_world(only, sequence, written)
        if value is not None:
            return value
    values = [under(item.value, item.when) for item in sequence.items]
    if sequence.rest is not None:
        values.append(another(sequence.rest))
    return one_of([*values, NULL], written)


def _all_true(written: object, plain: Plain) -> Value:
    return _every(written, plain, "&&")


def _any_true(written: object, plain: Plain) -> Value:
    return _every(written, plain, "||")


def _every(written: object, plain: Plain, operator: str) -> Value:
    """All elements by `&&`, or by `||`; null counts as false, and what is absent does not count."""
    sequence = required_sequence(plain)
    neutral = Boolean(operator == "&&")
    result = exactly(neutral)
    for item in sequence.items:
        value = Value(
            tuple(one._replace(plain=Boolean(False)) if isinstance(one.plain, Null) else one for one in item.value)
        )
        absent = [under(exactly(neutral), when) for when in without(ALWAYS, item.when)] if item.when else []
        result = operated(operator, [result, one_of([under(value, item.when), *absent], written)], written)
    if sequence.rest is not None:
        result = operated(operator, [result, _of_rest(written, sequence.rest, neutral.value)], written)
    return result


def _of_rest(written: object, rest: Value, absent: bool, *wanted: Plain) -> Value:
    """What is not known of further elements, in the worlds that have such."""
    rest = another(rest)
    worlds = [ALWAYS]
    for possible in rest:
        worlds = [left for world in worlds for left in without(world, possible.when)]
    if len(worlds) > MAX_COMPARED:
        worlds = []
    open_ones = [
        under(unknown_like(written, possible.plain, *wanted), possible.when)
        for possible in rest
        if all(_may_be(Value((possible,)), one, written) for one in wanted)
    ]
    return one_of([*open_ones, *(under(exactly(Boolean(absent)), world) for world in worlds)], written)


def _may_be(element: Value, wanted: Plain, written: object) -> bool:
    truths, _ = truths_of(operated("==", [element, exactly(wanted)], written), written)
    return any(truth for truth, _ in truths)


def _contains_given(written: object, plain: Plain, wanted: Plain) -> Value:
    """contains(LIST, VALUE), which takes no null"""
    if isinstance(wanted, Null):
        raise Refused("null is not a value to look for")
    found, subject = _contains(written, plain, wanted), subject_of(wanted)
    if subject is None or not any(subject in possible.when.choices for possible in found):
        return found
    null = under(refused(written, "null is not a value to look for"), is_one_of(subject, None))
    return one_of([under(found, is_none_of(subject, None)), null], written)


def _contains(written: object, plain: Plain, wanted: Plain) -> Value:
    """Whether one of the elements is equal, by `==` and `||`."""
    sequence = required_sequence(plain)
    if isinstance(wanted, String) and wanted.text.known is not None and sequence.strings is not None:
        return exactly(Boolean(wanted.text.known in sequence.strings))
    subject = subject_of(wanted)
    if subject is not None and sequence.is_certain:
        constants = [constant_of(item.value.decided or wanted) for item in sequence.items]
        every = [constant[0] for constant in constants if constant is not None]
        if len(every) == len(constants):
            inside, outside = is_one_of(subject, *every), is_none_of(subject, *every)
            found = [under(exactly(Boolean(True)), inside)] if every else []
            return one_of([*found, under(exactly(Boolean(False)), outside)], written)
    if len(sequence.items) > MAX_COMPARED:
        return unknown_like(written, plain, wanted)
    if not sequence.items and sequence.rest is not None:
        return _of_rest(written, sequence.rest, False, wanted)
    result = exactly(Boolean(False))
    for item in sequence.items:
        same = operated("==", [under(item.value, item.when), exactly(wanted)], f"{written}")
        absent = [under(exactly(Boolean(False)), when) for when in without(ALWAYS, item.when)] if item.when else []
        result = operated("||", [result, one_of([same, *absent], written)], written)
    if sequence.rest is not None:
        result = operated("||", [result, _of_rest(written, sequence.rest, False, wanted)], written)
    return result


MAX_COMPARED = 256  # elements that are not certain, with something that is not known


def _index(written: object, plain: Plain, wanted: Plain) -> Value:
    sequence = required_sequence(plain)
    for number, item in enumerate(sequence.items):
        matches = [are_equal(possible.plain, wanted) for possible in item.value]
        if item.when or not sequence.ordered or not (all(matches) or not any(match is not False for match in matches)):
            return unknown_like(written, plain, wanted)
        if all(match is True for match in matches):
            return exactly(Number(number))
    if sequence.rest is not None:
        return unknown_like(written, plain, wanted)
    raise Refused("it has no such element")


def _slice(written: object, plain: Plain, start: Plain, end: Plain) -> Value:
    sequence = required_sequence(plain)
    first, last = whole_number(start), whole_number(end)

    def part(certain: Sequence) -> Value:
        if first is None or last is None or not 0 <= first <= last <= len(certain.items):
            raise Refused("the list is shorter")
        return exactly(replace(certain, items=certain.items[first:last]))

    if first is not None and last is not None:
        if sequence.is_certain:
            return part(sequence)
        if all(len(certain.items) >= last for certain, _ in sequence.ways or []):
            value = in_each_world(part, sequence, written)
            if value is not None:
                return value
    return exactly(Sequence((), any_item(sequence, written), ordered=False))


def _setproduct(written: object, *plains: Plain) -> Value:
    sequences = [required_sequence(plain) for plain in plains]
    size = 1
    for sequence in sequences:
        size *= len(sequence.items)
    if size > MAX_ITEMS:
        return beyond_limit(written, f"{MAX_ITEMS} elements")
    if not all(sequence.is_certain for sequence in sequences):
        parts = [any_item(sequence, written) for sequence in sequences]
        row = exactly(Sequence(tuple(Item(part) for part in parts if part is not None)))
        return exactly(Sequence((), row, ordered=False)) if None not in parts else exactly(Sequence(()))
    rows = product(*(sequence.items for sequence in sequences))
    return exactly(Sequence(tuple(Item(exactly(Sequence(row))) for row in rows)))


def _setsubtract(written: object, plain: Plain, removed: Plain) -> Value:
    return _selected(written, plain, removed, wanted=False)


def _setintersection(written: object, first: Plain, *others: Plain) -> Value:
    result = exactly(set_of(required_sequence(first)))
    for other in others:
        result = _selected(written, result.possible[0].plain, other, wanted=True)
    return result


def _selected(written: object, plain: Plain, other: Plain, wanted: bool) -> Value:
    """The elements that are (or are not) in another set too."""
    elements, others = set_of(required_sequence(plain)), set_of(required_sequence(other))
    kept: list[Item] = []
    for item in elements.items:
        truths, _ = truths_of(_contains(written, others, item.value.possible[0].plain), written)
        ways = [joined(item.when, when) for truth, when in truths if truth is wanted]
        kept += [item._replace(when=when) for when in ways if when is not None]
    further = []
    for plain, when in elements.rest or ():
        truths, _ = truths_of(_contains(written, others, plain), written)
        further += [under(under(exactly(plain), when), way) for truth, way in truths if truth is wanted]
    rest = one_of(further, written)
    return exactly(set_of(Sequence(tuple(kept), rest if rest.possible else None)))


# name: (function, fewest arguments, most arguments)
LIST_FUNCTIONS: dict[str, tuple[Callable[..., Value], int, int | None]] = {
    "alltrue": (_all_true, 1, 1),
    "anytrue": (_any_true, 1, 1),
    "compact": (_compact, 1, 1),
    "contains": (_contains_given, 2, 2),
    "distinct": (_distinct, 1, 1),
    "flatten": (_flatten, 1, 1),
    "index": (_index, 2, 2),
    "one": (_one, 1, 1),
    "reverse": (_reverse, 1, 1),
    "setintersection": (_setintersection, 1, None),
    "setproduct": (_setproduct, 2, None),
    "setsubtract": (_setsubtract, 2, 2),
    "slice": (_slice, 3, 3),
    "sort": (_sort, 1, 1),
    "tolist": (_tolist, 1, 1),
    "toset": (_toset, 1, 1),
}
