"""Functions of whole arguments, each with all its alternatives: concat, merge, lookup, coalesce, …

For `hcl.function_calls`. Source: "Collection Functions" in the Terraform documentation. An element that may be absent
stays one, and where an unknown part decides what is in the result, all that may be in it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from unapproved_iam.hcl.alternatives import applied_to_alternatives, one_of, unknown_like
from unapproved_iam.hcl.collection_parts import (
    any_item,
    conditions_of,
    is_filled,
    openness_of,
    required_sequence,
    spliced,
)
from unapproved_iam.hcl.collection_values import (
    Key,
    elements_of,
    entries_at,
    is_certain,
    items_at,
    key_of,
    mapping_of,
    set_of,
    with_strings,
)
from unapproved_iam.hcl.values import (
    MAX_POSSIBLE,
    Condition,
    Entry,
    Mapping,
    Null,
    Number,
    Openness,
    Plain,
    Possible,
    Record,
    Refused,
    Sequence,
    String,
    Unknown,
    Value,
    When,
    exactly,
    joined,
    missing,
    refused,
    text_of,
    under,
    whole_number,
)
from unapproved_iam.policies.possible_text import Text


@dataclass(frozen=True)
class Argument:
    """An argument of a call; absent unless every condition holds, which only `list...` can bring about."""

    value: Value
    written: str
    when: When = ()
    is_repeated: bool = False  # it stands for any number of arguments


# Past the arguments that are not taken: the conditions under which they are not, and whether a root variable decides.
Way = tuple[When, Openness]


def _all_of(written: object, arguments: list[Argument]) -> Sequence:
    """The elements of all arguments."""
    sequence = spliced(((argument.value, argument.when) for argument in arguments), written)
    if any(argument.is_repeated for argument in arguments):
        return Sequence((), any_item(sequence, written), ordered=False)
    return sequence


def _concat(written: object, arguments: list[Argument]) -> Value:
    sequence = _all_of(written, arguments)
    return under(exactly(sequence), (), openness_of([argument.value for argument in arguments]))


def _setunion(written: object, arguments: list[Argument]) -> Value:
    sequence = _all_of(written, arguments)
    return under(exactly(set_of(sequence)), (), openness_of([argument.value for argument in arguments]))


def _merge(written: object, arguments: list[Argument]) -> Value:
    entries: list[Entry] = []
    for argument in arguments:
        for possible in argument.value:
            when = joined(argument.when, conditions_of(possible, argument.value, argument.written))
            if when is not None:
                entries.extend(_entries_of(possible, when, argument.written))
    return under(exactly(mapping_of(entries)), (), openness_of([argument.value for argument in arguments]))


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
    for element in [*elements.each, *elements.rest]:
        key = text_of(element.key.possible[0].plain)
        if key is not None:
            yield key, element.value, element.when


def _coalesce(written: object, arguments: list[Argument]) -> Value:
    """The first that is neither null nor an empty string."""
    return _first(written, arguments, is_filled)


def _coalescelist(written: object, arguments: list[Argument]) -> Value:
    """The first that has an element."""
    return _first(written, arguments, _has_element)


def _first(written: object, arguments: list[Argument], taken: Callable[[Plain], bool | None]) -> Value:
    """The first argument that is taken; one of which that is not known may be the one, and so may those after it."""
    results: list[Value] = []
    open_ways: list[Way] = [((), Openness.DECIDED)]
    for argument in arguments:
        following: list[Way] = []
        for when, openness in open_ways:
            for possible in argument.value:
                conditions = joined(when, possible.when)
                if conditions is None:
                    continue
                reached = max(openness, possible.openness)
                is_taken = taken(possible.plain)
                if argument.when:
                    following.append((conditions, openness))
                    conditions = joined(conditions, argument.when) or conditions
                elif is_taken is None:
                    is_null = Condition(f"{argument.written} == null")
                    following.append((joined(conditions, (is_null,)) or conditions, openness))
                    conditions = joined(conditions, (replace(is_null, holds=False),)) or conditions
                elif not is_taken:
                    following.append((conditions, reached))
                if is_taken is not False:
                    results.append(Value((replace(possible, when=conditions, openness=reached),)))
        open_ways = list(dict.fromkeys(following))
        if not open_ways:
            break
        if len(open_ways) > MAX_POSSIBLE:
            open_ways = [((), Openness.VARIABLE)]  # more is possible than before, and nothing is lost
    if open_ways:
        results.append(under(refused(written, "all arguments are null or empty"), *open_ways[0]))
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
            default = arguments[2].value if len(arguments) > 2 else missing(written, values)
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
            sequence = required_sequence(source.plain)
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


# Of whole arguments, each with its alternatives.
# name: (function, fewest arguments, most arguments, whether an argument may be absent or stand for any number)
ARGUMENT_FUNCTIONS: dict[str, tuple[Callable[[object, list[Argument]], Value], int, int | None, bool]] = {
    "coalesce": (_coalesce, 1, None, True),
    "coalescelist": (_coalescelist, 1, None, True),
    "concat": (_concat, 1, None, True),
    "element": (_element, 2, 2, False),
    "lookup": (_lookup, 2, 3, False),
    "merge": (_merge, 0, None, True),
    "setunion": (_setunion, 1, None, True),
}
