"""Compute the Terraform functions that need whole arguments, with all alternatives: concat, merge, lookup, coalesce, …

For `hcl.function_calls`. An element that may be absent stays one, and where an unknown part decides what is in the
result, everything that may be in it is. Source: "Collection Functions" in the Terraform documentation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from unapproved_iam.hcl.alternatives import applied, bounded_ways, one_of, unknown_like
from unapproved_iam.hcl.collection_elements import elements_of
from unapproved_iam.hcl.collection_parts import any_item, as_told_or_not, is_filled, required_sequence, spliced
from unapproved_iam.hcl.collection_values import (
    element_of,
    entries_at,
    items_at,
    key_text,
    mapping_of,
    missing,
    set_of,
    told_apart,
    ways_of_set,
    with_strings,
)
from unapproved_iam.hcl.decimal_numbers import whole_number
from unapproved_iam.hcl.facts import (
    ALWAYS,
    MISSING,
    Facts,
    Subject,
    Turn,
    holds,
    is_none_of,
    is_one_of,
    joined,
    without,
)
from unapproved_iam.hcl.values import (
    Entry,
    Mapping,
    Null,
    Plain,
    Possible,
    Record,
    Refused,
    Sequence,
    String,
    Unknown,
    Value,
    exactly,
    refused,
    subject_of,
    text_of,
    under,
)


@dataclass(frozen=True)
class Argument:
    """An argument of a call; absent where these facts do not hold, which only `list...` can bring about."""

    value: Value
    written: str
    when: Facts = ALWAYS
    is_repeated: bool = False  # it stands for any number of arguments


def _all_of(written: object, arguments: list[Argument]) -> Sequence:
    """The elements of all arguments."""
    sequence = spliced(((argument.value, argument.when) for argument in arguments), written)
    if any(argument.is_repeated for argument in arguments):
        return Sequence((), any_item(sequence, written), ordered=False)
    return sequence


def _concat(written: object, arguments: list[Argument]) -> Value:
    """In order where every argument is what the tree tells; where one of them is something else, in any."""

    def together(values: list[Value]) -> Value:
        return exactly(
            _all_of(written, [replace(one, value=value) for one, value in zip(arguments, values, strict=True)])
        )

    return one_of(as_told_or_not(together, [argument.value for argument in arguments]), written)


def _setunion(written: object, arguments: list[Argument]) -> Value:
    return exactly(set_of(_all_of(written, arguments)))


def _merge(written: object, arguments: list[Argument]) -> Value:
    entries: list[Entry] = []
    for argument in arguments:
        for possible in argument.value:
            when = joined(argument.when, possible.when)
            if when is not None:
                entries.extend(_entries_of(possible.plain, when, argument.written))
    return exactly(mapping_of(entries))


def _entries_of(plain: Plain, when: Facts, written: str) -> Iterator[Entry]:
    """In the order in which they are written, since a later entry wins."""
    if isinstance(plain, Mapping):
        for entry in plain.entries:
            both = joined(when, entry.when)
            if both is not None:
                yield entry if both is entry.when else Entry(entry.key, entry.value, both)
    elif isinstance(plain, Record | Unknown):
        elements = elements_of(plain, written)
        for element in [*elements.each, *elements.rest]:
            key = text_of(element.key.possible[0].plain)
            if key is not None:
                yield Entry(key, element.value, when)
    elif not isinstance(plain, Null):
        raise Refused("a map is required")


def _coalesce(written: object, arguments: list[Argument]) -> Value:
    """The first that is neither null nor an empty string."""
    return _first(written, arguments, is_filled)


def _coalescelist(written: object, arguments: list[Argument]) -> Value:
    """The first that has an element."""
    apart = []
    for argument in arguments:
        ways = [way for possible in argument.value for way in _known_to_be_empty(possible)]
        apart.append(Argument(Value(tuple(ways)), argument.written, argument.when, argument.is_repeated))
    return _first(written, apart, _has_element)


def _known_to_be_empty(possible: Possible) -> Iterator[Possible]:
    """A list that has elements in some worlds only, as one alternative for each of these."""
    plain = possible.plain
    if not isinstance(plain, Sequence) or plain.rest is not None or any(not item.when for item in plain.items):
        yield possible
        return
    left = [possible.when]
    for item in told_apart(plain.items):
        for way in left:
            both = joined(way, item.when)
            if both is not None:
                yield Possible(Sequence((item._replace(when=ALWAYS), *plain.items), kind=plain.kind), both)
        left = [rest for way in left for rest in without(way, item.when)]
    for way in left:
        yield Possible(Sequence(()), way)


def _first(written: object, arguments: list[Argument], taken: Callable[[Plain], bool | None]) -> Value:
    """The first argument that is taken; one of which that is not known may be the one, and so may those after it."""
    results: list[Value] = []
    open_ways = [ALWAYS]
    for argument in arguments:
        following: list[Facts] = []
        for way in open_ways:
            following += without(way, argument.when) if argument.when else []
            for plain, when in under(argument.value, joined(way, argument.when) or way):
                is_taken = taken(plain)
                if is_taken is None:
                    subject = subject_of(plain)
                    empty = (None, "") if taken is is_filled else (None,)
                    name = subject if subject is not None and taken is is_filled else Subject(argument.written, Turn())
                    following += [both for both in [joined(when, is_one_of(name, *empty))] if both is not None]
                    filled = joined(when, is_none_of(name, *empty))
                    if filled is not None:
                        results.append(Value((Possible(plain, filled),)))
                elif is_taken:
                    results.append(Value((Possible(plain, when),)))
                else:
                    following.append(when)
        if not following:
            open_ways = []
            break
        open_ways = bounded_ways(following)
    results += [under(refused(written, "all arguments are null or empty"), when) for when in open_ways]
    result = one_of(results, written)
    plains = [possible.plain for argument in arguments for possible in argument.value]
    return with_strings(result) if any(isinstance(plain, String) for plain in plains) else result


def _has_element(plain: Plain) -> bool | None:
    if isinstance(plain, Null):
        return False
    sequence = required_sequence(plain)
    if any(not item.when for item in sequence.items):
        return True
    return None if sequence.items or sequence.rest is not None else False


def lookup(written: object, arguments: list[Argument]) -> Value:
    """lookup(MAP, KEY, DEFAULT)"""
    absent = arguments[2].value if len(arguments) > 2 else missing(written)

    def found(source: Plain, key: Plain) -> Value:
        if isinstance(source, Mapping):
            subject = subject_of(key)
            if subject is None:
                return one_of(entries_at(source, key, absent), written)
            null = under(refused(written, "null is not a key"), is_one_of(subject, None))
            otherwise = under(absent, is_none_of(subject, None))
            return one_of([*entries_at(source, key, otherwise), null], written)
        if not isinstance(source, Record | Unknown):
            raise Refused("a map is required")
        name = key_text(key)
        if isinstance(source, Record) and source.names is not None and name is not None and name.known is not None:
            return source.attribute(name.known) if name.known in source.names else absent
        part = element_of(source, key, written) if isinstance(source, Unknown) else unknown_like(written, source)
        subject = subject_of(part.possible[0].plain)
        if subject is not None:
            there, not_there = is_none_of(subject, MISSING), is_one_of(subject, MISSING)
            return one_of([under(part, there), under(absent, not_there)], written)
        has_key = Subject(f"contains(keys({arguments[0].written}), {arguments[1].written})", Turn())
        value = unknown_like(written, source)
        return one_of([under(value, holds(has_key, True)), under(absent, holds(has_key, False))], written)

    return applied(found, [arguments[0].value, arguments[1].value], written)


def _element(written: object, arguments: list[Argument]) -> Value:
    """element(LIST, INDEX), which starts again at the end of the list"""

    def wrapped(certain: Sequence, index: int) -> Value:
        if not certain.items:
            return refused(written, "the list is empty")
        return certain.items[index % len(certain.items)].value

    def turned(known: list[Value], others: list[Value], index: int) -> list[Value]:
        if not others:
            return [known[index % len(known)]] if known else [refused(written, "the list is empty")]
        return [*known, *others]

    def found(source: Plain, key: Plain) -> Value:
        if isinstance(source, Unknown):
            return unknown_like(written, source)
        sequence = required_sequence(source)
        index = whole_number(key)
        ways = sequence.ways if index is not None else None
        if ways is not None:
            return one_of([under(wrapped(certain, index or 0), when) for certain, when in ways], written)
        sets = ways_of_set(sequence) if index is not None else None
        if sets is not None:
            return one_of(
                [under(one, when) for known, others, when in sets for one in turned(known, others, index or 0)], written
            )
        if not sequence.items and sequence.rest is None:
            raise Refused("the list is empty")
        if index is not None and index < sequence.least:
            return one_of(items_at(sequence, key, written), written)
        return one_of(items_at(sequence, unknown_like(written, key).possible[0].plain, written), written)

    return applied(found, [arguments[0].value, arguments[1].value], written)


# Of whole arguments, each with its alternatives.
# name: (function, fewest arguments, most arguments, whether an argument may be absent or stand for any number)
ARGUMENT_FUNCTIONS: dict[str, tuple[Callable[[object, list[Argument]], Value], int, int | None, bool]] = {
    "coalesce": (_coalesce, 1, None, True),
    "coalescelist": (_coalescelist, 1, None, True),
    "concat": (_concat, 1, None, True),
    "element": (_element, 2, 2, False),
    "lookup": (lookup, 2, 3, False),
    "merge": (_merge, 0, None, True),
    "setunion": (_setunion, 1, None, True),
}
