"""Functions on lists and sets of which not every element is certain.

For `hcl.function_calls`. Source: "Collection Functions" in the Terraform documentation. Each takes one
alternative of each argument. An element that may be absent stays one, and where an unknown part decides what is in the
result, all that may be in it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product

from unapproved_iam.hcl.alternatives import one_of, unknown_like
from unapproved_iam.hcl.collection_parts import (
    any_item,
    bounded_sequence,
    conditions_of,
    is_filled,
    openness_of,
    required_sequence,
)
from unapproved_iam.hcl.collection_values import either, is_certain, known_scalar, set_of, unified, with_strings
from unapproved_iam.hcl.operators import are_equal, boolean_of
from unapproved_iam.hcl.values import (
    MAX_ITEMS,
    NULL,
    Boolean,
    Condition,
    Item,
    Kind,
    Null,
    Number,
    Openness,
    Plain,
    Refused,
    Sequence,
    Unknown,
    Value,
    When,
    exactly,
    joined,
    text_of,
    under,
    whole_number,
)


def _flatten(written: object, plain: Plain) -> Value:
    items: list[Item] = []
    rest: list[Value] = []
    opennesses: list[Openness] = []
    ordered = _flatten_into(required_sequence(plain), (), written, items, rest, opennesses)
    sequence = Sequence(tuple(items), one_of(rest, written) if rest else None, ordered=ordered)
    return under(exactly(bounded_sequence(sequence, written)), (), max(opennesses, default=Openness.DECIDED))


def _flatten_into(
    sequence: Sequence, when: When, written: object, items: list[Item], rest: list[Value], opennesses: list[Openness]
) -> bool:
    """Add the elements, and say whether they are in their order."""
    ordered = sequence.ordered
    parts = [(item.value, joined(when, item.when), False) for item in sequence.items]
    if sequence.rest is not None:
        parts.append((sequence.rest, when, True))
    for value, conditions, is_rest in parts:
        if conditions is None:
            continue
        if not is_rest and not any(isinstance(possible.plain, Sequence | Unknown) for possible in value):
            items.append(Item(value, conditions))
            continue
        for possible in value:
            every = joined(conditions, conditions_of(possible, value, written))
            if every is None:
                continue
            alone = Value((replace(possible, when=()),))
            if isinstance(possible.plain, Sequence):
                opennesses.append(possible.openness)
                inner: list[Item] = []
                nested = under(exactly(possible.plain), (), possible.openness).possible[0].plain
                assert isinstance(nested, Sequence)
                ordered &= _flatten_into(nested, every, written, inner, rest, opennesses) and not is_rest
                inner = [
                    item._replace(
                        value=under(item.value, (), min(possible.openness, Openness.ELEMENT), possible.origin)
                    )
                    for item in inner
                ]
                if is_rest:
                    rest.extend(under(item.value, item.when) for item in inner)
                else:
                    items.extend(inner)
            elif isinstance(possible.plain, Unknown) or is_rest:
                rest.append(under(alone, every))
                ordered = False
            else:
                items.append(Item(alone, every))
    return ordered


def _toset(written: object, plain: Plain) -> Value:
    if isinstance(plain, Null | Unknown):
        return exactly(plain)
    sequence = required_sequence(plain)
    return under(exactly(set_of(sequence)), (), _openness_of_items(sequence))


def _openness_of_items(sequence: Sequence) -> Openness:
    """What the elements say when they decide how many the result has."""
    return min(openness_of([item.value for item in sequence.items]), Openness.ELEMENT)


def _tolist(written: object, plain: Plain) -> Value:
    if isinstance(plain, Null | Unknown):
        return exactly(plain)
    sequence = required_sequence(plain)
    return exactly(replace(sequence, items=unified(sequence.items), kind=Kind.LIST))


def _distinct(written: object, plain: Plain) -> Value:
    sequence = required_sequence(plain)
    kept: dict[object, Item] = {}
    ordered = sequence.ordered
    for number, item in enumerate(unified(sequence.items)):
        identity = known_scalar(item.value)
        key = number if identity is None else (type(identity), identity)
        if key in kept:
            ordered &= not kept[key].when  # else the first of them may be this one
            item = either(kept[key], item)
        kept[key] = item
    all_known = sequence.rest is None and all(isinstance(key, tuple) for key in kept)
    return under(
        exactly(Sequence(tuple(kept.values()), sequence.rest, Kind.LIST, ordered and all_known)),
        (),
        _openness_of_items(sequence),
    )


def _compact(written: object, plain: Plain) -> Value:
    """Without the empty strings and nulls."""
    sequence = required_sequence(plain)
    kept: list[Item] = []
    ordered = sequence.ordered
    for item in unified(sequence.items):
        staying = [possible for possible in item.value if is_filled(possible.plain) is not False]
        ordered &= all(is_filled(possible.plain) is True for possible in staying)
        if len(staying) == len(item.value.possible):
            kept.append(item)
            continue
        for possible in staying:
            when = joined(item.when, conditions_of(possible, item.value, written))
            if when is not None:
                kept.append(Item(Value((possible,)), when))
    result = Sequence(tuple(kept), sequence.rest, Kind.LIST, ordered)
    return under(exactly(result), (), _openness_of_items(sequence))


def _reverse(written: object, plain: Plain) -> Value:
    sequence = required_sequence(plain)
    ordered = sequence.ordered and sequence.rest is None
    return exactly(replace(sequence, items=tuple(reversed(sequence.items)), ordered=ordered))


def _sort(written: object, plain: Plain) -> Value:
    sequence = required_sequence(plain)
    items = tuple(item._replace(value=with_strings(item.value)) for item in sequence.items)
    known = [known_scalar(item.value) for item in items]
    if is_certain(sequence) and all(isinstance(identity, str) for identity in known):
        items = tuple(sorted(items, key=lambda item: str(known_scalar(item.value))))
        return exactly(Sequence(items, kind=Kind.LIST))
    return exactly(Sequence(items, sequence.rest, Kind.LIST, ordered=False))


def _one(written: object, plain: Plain) -> Value:
    """The only element, or null."""
    sequence = required_sequence(plain)
    if is_certain(sequence):
        if len(sequence.items) > 1:
            raise Refused("it has more than one element")
        return sequence.items[0].value if sequence.items else NULL
    values = [under(item.value, item.when) for item in sequence.items]
    if sequence.rest is not None:
        values.append(sequence.rest)
    return one_of([*values, NULL], written)


def _all_true(written: object, plain: Plain) -> Value:
    return _every(written, plain, wanted=True)


def _any_true(written: object, plain: Plain) -> Value:
    return _every(written, plain, wanted=False)


def _every(written: object, plain: Plain, wanted: bool) -> Value:
    """Whether all elements are `wanted`, negated for anytrue; null counts as false."""
    sequence = required_sequence(plain)
    truths: list[bool | None] = [None] if sequence.rest is not None else []
    for item in sequence.items:
        for possible in item.value:
            truth = False if isinstance(possible.plain, Null) else boolean_of(possible.plain)
            certain = not item.when and len(item.value.possible) == 1
            truths.append(truth if certain or truth is wanted else None)
    openness = openness_of([item.value for item in sequence.items])
    if (not wanted) in truths and not openness:
        return exactly(Boolean(not wanted))
    if None in truths:
        return unknown_like(written, plain)
    return under(exactly(Boolean(wanted if all(truth is wanted for truth in truths) else not wanted)), (), openness)


def _contains(written: object, plain: Plain, wanted: Plain) -> Value:
    sequence = required_sequence(plain)
    openness = openness_of([item.value for item in sequence.items])
    perhaps = sequence.rest is not None
    for item in sequence.items:
        matches = [are_equal(possible.plain, wanted) for possible in item.value]
        if not item.when and all(match is True for match in matches):
            return under(exactly(Boolean(True)), (), openness_of([item.value]))
        perhaps |= any(match is not False for match in matches)
    return unknown_like(written, plain, wanted) if perhaps else under(exactly(Boolean(False)), (), openness)


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
    if first is None or last is None or not is_certain(sequence):
        return exactly(Sequence((), any_item(sequence, written), ordered=False))
    if not 0 <= first <= last <= len(sequence.items):
        raise Refused("the list is shorter")
    return exactly(replace(sequence, items=sequence.items[first:last]))


def _setproduct(written: object, *plains: Plain) -> Value:
    sequences = [required_sequence(plain) for plain in plains]
    size = 1
    for sequence in sequences:
        size *= len(sequence.items)
    if not all(is_certain(sequence) for sequence in sequences) or size > MAX_ITEMS:
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
        contained = (
            _contains(written, others, item.value.possible[0].plain).decided if len(item.value.possible) == 1 else None
        )
        if not isinstance(contained, Boolean):
            condition = Condition(f'contains({written}, "{_shown(item)}")')
            kept.append(Item(item.value, joined(item.when, (condition,)) or item.when))
        elif contained.value is wanted:
            kept.append(item)
    return exactly(set_of(Sequence(tuple(kept), elements.rest)))


def _shown(item: Item) -> str:
    return " or ".join(str(text_of(possible.plain)) for possible in item.value)


# name: (function, fewest arguments, most arguments)
LIST_FUNCTIONS: dict[str, tuple[Callable[..., Value], int, int | None]] = {
    "alltrue": (_all_true, 1, 1),
    "anytrue": (_any_true, 1, 1),
    "compact": (_compact, 1, 1),
    "contains": (_contains, 2, 2),
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
