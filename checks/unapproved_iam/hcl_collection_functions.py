"""Functions on lists, sets and maps of which not every element is certain.

For `hcl_functions`. Source: "Collection Functions" in the Terraform documentation. An element that may be absent stays
one, and where an unknown part decides what is in the result, all that may be in it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product

from unapproved_iam.hcl_collections import (
    Key,
    Refused,
    bounded_sequence,
    conditions_of,
    elements_of,
    entries_at,
    is_certain,
    is_exact,
    items_at,
    key_of,
    known_scalar,
    mapping_of,
    sequence_of,
    set_of,
    spliced,
    unified,
    unknown_like,
    with_strings,
)
from unapproved_iam.hcl_operators import are_equal, boolean_of, number_of
from unapproved_iam.hcl_values import (
    MAX_ITEMS,
    MAX_POSSIBLE,
    NULL,
    Boolean,
    Condition,
    Entry,
    Item,
    Kind,
    Mapping,
    Null,
    Number,
    Openness,
    Plain,
    Possible,
    Record,
    Sequence,
    String,
    Unknown,
    Value,
    When,
    applied_to_alternatives,
    exactly,
    joined,
    missing,
    one_of,
    refused,
    text_of,
    under,
    whole_number,
)
from unapproved_iam.possible_text import Text


@dataclass(frozen=True)
class Argument:
    """An argument of a call; absent unless every condition holds, which only `list...` can bring about."""

    value: Value
    written: str
    when: When = ()
    is_repeated: bool = False  # it stands for any number of arguments


def _openness(values: list[Value]) -> Openness:
    return max((possible.openness for value in values for possible in value), default=Openness.DECIDED)


def _required(plain: Plain) -> Sequence:
    sequence = sequence_of(plain)
    if sequence is None:
        raise Refused("a list is required")
    return sequence


# -- functions of any number of collections ----------------------------------------------------------------------------


def _all_of(written: object, arguments: list[Argument]) -> Sequence:
    """The elements of all arguments."""
    sequence = spliced(((argument.value, argument.when) for argument in arguments), written)
    if any(argument.is_repeated for argument in arguments):
        return Sequence((), _any_item(sequence, written), ordered=False)
    return sequence


def _concat(written: object, arguments: list[Argument]) -> Value:
    sequence = _all_of(written, arguments)
    return under(exactly(sequence), (), _openness([argument.value for argument in arguments]))


def _setunion(written: object, arguments: list[Argument]) -> Value:
    sequence = _all_of(written, arguments)
    return under(exactly(set_of(sequence)), (), _openness([argument.value for argument in arguments]))


def _merge(written: object, arguments: list[Argument]) -> Value:
    entries: list[Entry] = []
    for argument in arguments:
        for possible in argument.value:
            when = joined(argument.when, conditions_of(possible, argument.value, argument.written))
            if when is not None:
                entries.extend(_entries_of(possible, when, argument.written))
    return under(exactly(mapping_of(entries)), (), _openness([argument.value for argument in arguments]))


def _entries_of(possible: Possible, when: When, written: str) -> Iterator[Entry]:
    if isinstance(possible.plain, Null):
        return
    if not isinstance(possible.plain, Mapping | Record | Unknown):
        raise Refused("a map is required")
    elements = _elements_in_written_order(possible, written)
    for key, value, condition in elements:
        conditions = joined(when, condition)
        if conditions is not None:
            yield Entry(key, value, conditions)


def _elements_in_written_order(possible: Possible, written: str) -> Iterator[tuple[Text, Value, When]]:
    """A later entry wins, so a mapping's entries keep their order."""
    if isinstance(possible.plain, Mapping):
        for entry in possible.plain.entries:
            yield (
                entry.key,
                under(entry.value, (), min(possible.openness, Openness.ELEMENT), possible.origin),
                entry.when,
            )
        return
    elements = elements_of(possible, written)
    for element in [*elements.each, *([elements.rest] if elements.rest else [])]:
        key = text_of(element.key.possible[0].plain)
        if key is not None:
            yield key, element.value, element.when


def _coalesce(written: object, arguments: list[Argument]) -> Value:
    """The first that is neither null nor an empty string."""
    return _first(written, arguments, _coalesces)


def _coalescelist(written: object, arguments: list[Argument]) -> Value:
    """The first that has an element."""
    return _first(written, arguments, _has_element)


def _first(written: object, arguments: list[Argument], taken: Callable[[Plain], bool | None]) -> Value:
    """The first argument that is taken; one of which that is not known may be the one, and so may those after it."""
    results: list[Value] = []
    open_conditions: list[When] = [()]
    for argument in arguments:
        following: list[When] = []
        for when in open_conditions:
            for possible in argument.value:
                conditions = joined(when, possible.when)
                if conditions is None:
                    continue
                is_taken = taken(possible.plain)
                if argument.when:
                    following.append(conditions)
                    conditions = joined(conditions, argument.when) or conditions
                elif is_taken is None:
                    is_null = Condition(f"{argument.written} == null")
                    following.append(joined(conditions, (is_null,)) or conditions)
                    conditions = joined(conditions, (replace(is_null, holds=False),)) or conditions
                elif not is_taken:
                    following.append(conditions)
                if is_taken is not False:
                    results.append(Value((replace(possible, when=conditions),)))
        open_conditions = list(dict.fromkeys(following))
        if not open_conditions:
            break
        if len(open_conditions) > MAX_POSSIBLE:
            open_conditions = [()]  # more is possible than before, and nothing is lost
    if open_conditions:
        results.append(under(refused(written, "all arguments are null or empty"), open_conditions[0]))
    result = one_of(results, written)
    plains = [possible.plain for argument in arguments for possible in argument.value]
    return with_strings(result) if any(isinstance(plain, String) for plain in plains) else result


def _coalesces(plain: Plain) -> bool | None:
    if isinstance(plain, Null):
        return False
    if isinstance(plain, Unknown):
        return None
    if isinstance(plain, String):
        return None if plain.text.is_unknown else bool(plain.text.pieces)
    return True


def _has_element(plain: Plain) -> bool | None:
    if isinstance(plain, Null):
        return False
    sequence = _required(plain)
    if any(not item.when for item in sequence.items):
        return True
    return None if sequence.items or sequence.rest is not None else False


# -- functions of one list ---------------------------------------------------------------------------------------------


def _flatten(written: object, plain: Plain) -> Value:
    items: list[Item] = []
    rest: list[Value] = []
    opennesses: list[Openness] = []
    ordered = _flatten_into(_required(plain), (), written, items, rest, opennesses)
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
    sequence = _required(plain)
    return under(exactly(set_of(sequence)), (), _openness_of_items(sequence))


def _openness_of_items(sequence: Sequence) -> Openness:
    """What the elements say when they decide how many the result has."""
    return min(_openness([item.value for item in sequence.items]), Openness.ELEMENT)


def _tolist(written: object, plain: Plain) -> Value:
    if isinstance(plain, Null | Unknown):
        return exactly(plain)
    sequence = _required(plain)
    return exactly(replace(sequence, items=unified(sequence.items), kind=Kind.LIST))


def _tomap(written: object, plain: Plain) -> Value:
    if isinstance(plain, Null | Unknown | Record):
        return exactly(plain)
    if not isinstance(plain, Mapping):
        raise Refused("an object is required")
    values = unified(tuple(Item(entry.value) for entry in plain.entries))
    entries = tuple(entry._replace(value=item.value) for entry, item in zip(plain.entries, values, strict=True))
    return exactly(Mapping(entries, Kind.MAP))


def _distinct(written: object, plain: Plain) -> Value:
    sequence = _required(plain)
    kept: list[Item] = []
    seen: dict[object, When] = {}
    for item in unified(sequence.items):
        identity = known_scalar(item.value)
        if identity is not None and not seen.get((type(identity), identity), ((),)):
            continue  # one that is surely there equals it
        if identity is not None:
            seen[(type(identity), identity)] = item.when
        kept.append(item)
    all_known = len(seen) == len(kept) and sequence.rest is None
    return under(
        exactly(Sequence(tuple(kept), sequence.rest, Kind.LIST, sequence.ordered and all_known)),
        (),
        _openness_of_items(sequence),
    )


def _compact(written: object, plain: Plain) -> Value:
    """Without the empty strings and nulls."""
    sequence = _required(plain)
    kept: list[Item] = []
    ordered = sequence.ordered
    for item in unified(sequence.items):
        staying = [possible for possible in item.value if _coalesces(possible.plain) is not False]
        ordered &= all(_coalesces(possible.plain) is True for possible in staying)
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
    sequence = _required(plain)
    ordered = sequence.ordered and sequence.rest is None
    return exactly(replace(sequence, items=tuple(reversed(sequence.items)), ordered=ordered))


def _sort(written: object, plain: Plain) -> Value:
    sequence = _required(plain)
    items = tuple(item._replace(value=with_strings(item.value)) for item in sequence.items)
    known = [known_scalar(item.value) for item in items]
    if is_certain(sequence) and all(isinstance(identity, str) for identity in known):
        items = tuple(sorted(items, key=lambda item: str(known_scalar(item.value))))
        return exactly(Sequence(items, kind=Kind.LIST))
    return exactly(Sequence(items, sequence.rest, Kind.LIST, ordered=False))


def _one(written: object, plain: Plain) -> Value:
    """The only element, or null."""
    sequence = _required(plain)
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
    sequence = _required(plain)
    truths: list[bool | None] = [None] if sequence.rest is not None else []
    for item in sequence.items:
        for possible in item.value:
            truth = False if isinstance(possible.plain, Null) else boolean_of(possible.plain)
            certain = not item.when and len(item.value.possible) == 1
            truths.append(truth if certain or truth is wanted else None)
    openness = _openness([item.value for item in sequence.items])
    if (not wanted) in truths and not openness:
        return exactly(Boolean(not wanted))
    if None in truths:
        return unknown_like(written, plain)
    return under(exactly(Boolean(wanted if all(truth is wanted for truth in truths) else not wanted)), (), openness)


def _length(written: object, plain: Plain) -> Value:
    if isinstance(plain, String) and plain.text.known is not None and plain.text.known.isascii():
        return exactly(Number(len(plain.text.known)))
    if isinstance(plain, Sequence) and is_certain(plain):
        return exactly(Number(len(plain.items)))
    if isinstance(plain, Mapping) and is_exact(plain):
        return exactly(Number(len(plain.entries)))
    if isinstance(plain, Null | Number | Boolean):
        raise Refused("it has no length")
    return unknown_like(written, plain)


def _keys(written: object, plain: Plain) -> Value:
    return _parts(written, plain, lambda element: element[0])


def _values(written: object, plain: Plain) -> Value:
    return _parts(written, plain, lambda element: element[1])


def _parts(written: object, plain: Plain, part: Callable[[tuple[Value, Value, When]], Value]) -> Value:
    if isinstance(plain, Sequence):
        raise Refused("a map is required")
    elements = elements_of(Possible(plain), written)
    items = tuple(Item(part(element), element.when) for element in elements.each)
    rest = part(elements.rest) if elements.rest else None
    return exactly(Sequence(items, rest, ordered=elements.ordered))


# -- functions of a collection and something to find in it -------------------------------------------------------------


def _contains(written: object, plain: Plain, wanted: Plain) -> Value:
    sequence = _required(plain)
    openness = _openness([item.value for item in sequence.items])
    perhaps = sequence.rest is not None
    for item in sequence.items:
        matches = [are_equal(possible.plain, wanted) for possible in item.value]
        if not item.when and all(match is True for match in matches):
            return under(exactly(Boolean(True)), (), _openness([item.value]))
        perhaps |= any(match is not False for match in matches)
    return unknown_like(written, plain, wanted) if perhaps else under(exactly(Boolean(False)), (), openness)


def _index(written: object, plain: Plain, wanted: Plain) -> Value:
    sequence = _required(plain)
    for number, item in enumerate(sequence.items):
        matches = [are_equal(possible.plain, wanted) for possible in item.value]
        if item.when or not sequence.ordered or not (all(matches) or not any(match is not False for match in matches)):
            return unknown_like(written, plain, wanted)
        if all(match is True for match in matches):
            return exactly(Number(number))
    if sequence.rest is not None:
        return unknown_like(written, plain, wanted)
    raise Refused("it has no such element")


def _lookup(written: object, arguments: list[Argument]) -> Value:
    """lookup(MAP, KEY, DEFAULT)"""

    def found(source: Possible, key: Possible) -> Value:
        plain = source.plain
        wanted = key_of(key, arguments[1].written)
        if isinstance(plain, Mapping):
            values, may_miss = entries_at(plain, wanted)
        elif isinstance(plain, Record) and isinstance(wanted.plain, String) and wanted.plain.text.known is not None:
            values, may_miss = (
                [plain.attribute(wanted.plain.text.known)],
                wanted.plain.text.known not in (plain.names or ()),
            )
        elif isinstance(plain, Unknown | Record):
            values, may_miss = [unknown_like(written, plain)], True
        else:
            raise Refused("a map is required")
        values = [under(value, (), min(source.openness, Openness.ELEMENT), source.origin) for value in values]
        if may_miss:
            default = arguments[2].value if len(arguments) > 2 else missing(written)
            is_missing = Condition(f"contains(keys({arguments[0].written}), {arguments[1].written})", False)
            values.append(under(default, (is_missing,)) if values else default)
        when = joined(source.when, key.when) or ()
        return under(
            one_of(values, written), when, min(max(source.openness, key.openness), Openness.ELEMENT), key.origin
        )

    return applied_to_alternatives(found, [arguments[0].value, arguments[1].value], written)


def _element(written: object, arguments: list[Argument]) -> Value:
    """element(LIST, INDEX), which starts again at the end of the list"""

    def found(source: Possible, key: Possible) -> Value:
        if isinstance(source.plain, Unknown):
            value = unknown_like(written, source.plain)
        else:
            sequence = _required(source.plain)
            wanted = key_of(key, arguments[1].written)
            index = whole_number(wanted.plain)
            if index is not None and is_certain(sequence) and sequence.items:
                wanted = Key(Number(index % len(sequence.items)))
            elif index is not None:
                wanted = replace(wanted, plain=unknown_like(written).possible[0].plain, written="")
            value = one_of(items_at(sequence, wanted, written), written)
        when = joined(source.when, key.when) or ()
        return under(value, when, min(max(source.openness, key.openness), Openness.ELEMENT), source.origin)

    return applied_to_alternatives(found, [arguments[0].value, arguments[1].value], written)


def _slice(written: object, plain: Plain, start: Plain, end: Plain) -> Value:
    sequence = _required(plain)
    first, last = whole_number(start), whole_number(end)
    if first is None or last is None or not is_certain(sequence):
        return exactly(Sequence((), _any_item(sequence, written), ordered=False))
    if not 0 <= first <= last <= len(sequence.items):
        raise Refused("the list is shorter")
    return exactly(replace(sequence, items=sequence.items[first:last]))


def _any_item(sequence: Sequence, written: object) -> Value | None:
    values = [under(item.value, item.when) for item in sequence.items]
    if sequence.rest is not None:
        values.append(sequence.rest)
    return one_of(values, written) if values else None


# -- functions of several collections ----------------------------------------------------------------------------------


def _zipmap(written: object, keys: Plain, values: Plain) -> Value:
    names, elements = _required(keys), _required(values)
    if is_certain(names) and is_certain(elements):
        if len(names.items) != len(elements.items):
            raise Refused("there are not as many keys as values")
        pairs: list[tuple[Value, Value, When]] = [
            (name.value, element.value, ()) for name, element in zip(names.items, elements.items, strict=True)
        ]
    else:
        any_element = _any_item(elements, written) or NULL
        pairs = [(name.value, any_element, name.when) for name in names.items]
        if names.rest is not None:
            pairs.append((names.rest, any_element, ()))
    entries = []
    for name, element, when in pairs:
        for possible in name:
            key = text_of(possible.plain)
            conditions = joined(when, conditions_of(possible, name, written))
            if key is not None and conditions is not None:
                entries.append(Entry(key, element, conditions))
    return exactly(mapping_of(entries))


def _setproduct(written: object, *plains: Plain) -> Value:
    sequences = [_required(plain) for plain in plains]
    size = 1
    for sequence in sequences:
        size *= len(sequence.items)
    if not all(is_certain(sequence) for sequence in sequences) or size > MAX_ITEMS:
        parts = [_any_item(sequence, written) for sequence in sequences]
        row = exactly(Sequence(tuple(Item(part) for part in parts if part is not None)))
        return exactly(Sequence((), row, ordered=False)) if None not in parts else exactly(Sequence(()))
    rows = product(*(sequence.items for sequence in sequences))
    return exactly(Sequence(tuple(Item(exactly(Sequence(row))) for row in rows)))


def _setsubtract(written: object, plain: Plain, removed: Plain) -> Value:
    return _selected(written, plain, removed, wanted=False)


def _setintersection(written: object, first: Plain, *others: Plain) -> Value:
    result = exactly(set_of(_required(first)))
    for other in others:
        result = _selected(written, result.possible[0].plain, other, wanted=True)
    return result


def _selected(written: object, plain: Plain, other: Plain, wanted: bool) -> Value:
    """The elements that are (or are not) in another set too."""
    elements, others = set_of(_required(plain)), set_of(_required(other))
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


def _tonumber(written: object, plain: Plain) -> Value:
    if isinstance(plain, Null | Unknown):
        return exactly(plain)
    number = number_of(plain)
    return unknown_like(written, plain) if number is None else exactly(Number(number))


def _tobool(written: object, plain: Plain) -> Value:
    if isinstance(plain, Null | Unknown):
        return exactly(plain)
    truth = boolean_of(plain)
    return unknown_like(written, plain) if truth is None else exactly(Boolean(truth))


def _itself(written: object, plain: Plain) -> Value:
    return exactly(plain)


# Of whole arguments, each with its alternatives.
# name: (function, fewest arguments, most arguments, whether an argument may be absent or stand for any number)
ARGUMENT_FUNCTIONS: dict[str, tuple[Callable[[object, list[Argument]], Value], int, int | None, bool]] = {
    "coalesce": (_coalesce, 1, None, True),
    "coalescelist": (_coalescelist, 1, None, True),
    "concat": (_concat, 0, None, True),
    "element": (_element, 2, 2, False),
    "lookup": (_lookup, 2, 3, False),
    "merge": (_merge, 0, None, True),
    "setunion": (_setunion, 1, None, True),
}

# Of one alternative of each argument.
COLLECTION_FUNCTIONS: dict[str, tuple[Callable[..., Value], int, int | None]] = {
    "alltrue": (_all_true, 1, 1),
    "anytrue": (_any_true, 1, 1),
    "compact": (_compact, 1, 1),
    "contains": (_contains, 2, 2),
    "distinct": (_distinct, 1, 1),
    "ephemeralasnull": (_itself, 1, 1),
    "flatten": (_flatten, 1, 1),
    "index": (_index, 2, 2),
    "keys": (_keys, 1, 1),
    "length": (_length, 1, 1),
    "nonsensitive": (_itself, 1, 1),
    "one": (_one, 1, 1),
    "reverse": (_reverse, 1, 1),
    "sensitive": (_itself, 1, 1),
    "setintersection": (_setintersection, 1, None),
    "setproduct": (_setproduct, 1, None),
    "setsubtract": (_setsubtract, 2, 2),
    "slice": (_slice, 3, 3),
    "sort": (_sort, 1, 1),
    "tobool": (_tobool, 1, 1),
    "tolist": (_tolist, 1, 1),
    "tomap": (_tomap, 1, 1),
    "tonumber": (_tonumber, 1, 1),
    "toset": (_toset, 1, 1),
    "values": (_values, 1, 1),
    "zipmap": (_zipmap, 2, 2),
}
