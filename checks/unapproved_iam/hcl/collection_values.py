"""Look into lists and maps that are only partly known: what an index, a key or a loop may find there.

For `hcl.evaluation` and `hcl.function_calls`. An element may be absent, a key may have unknown parts, and the order may
be open: then every element that may be meant is a possible value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from unapproved_iam.hcl.alternatives import one_of, unknown_like
from unapproved_iam.hcl.decimal_numbers import whole_number
from unapproved_iam.hcl.facts import (
    ALWAYS,
    MISSING,
    PERHAPS,
    Facts,
    Numeral,
    Subject,
    constant_of_key,
    is_none_of,
    is_one_of,
    joined,
    short,
    without,
)
from unapproved_iam.hcl.lengths import has_element
from unapproved_iam.hcl.texts import policies_in
from unapproved_iam.hcl.turns import Renewal, another
from unapproved_iam.hcl.values import (
    Boolean,
    Entry,
    Item,
    Kind,
    Mapping,
    Number,
    Plain,
    Possible,
    Record,
    Refused,
    Sequence,
    String,
    Unknown,
    Value,
    beyond_limit,
    constant_of,
    exactly,
    refused,
    settled,
    subject_of,
    text_of,
    under,
)
from unapproved_iam.hcl.ways import MAX_EXPANDED, exclusive, one_each, united
from unapproved_iam.policies.possible_text import Text, text


def missing(written: object) -> Value:
    """The refusal of an element that is not there."""
    return refused(written, f"there is no {short(written)}")


def same_text(one: Text, other: Text) -> bool | None:
    """Whether two texts are equal; None when their holes decide."""
    if one.known is not None and other.known is not None:
        return one.known == other.known
    first = min(len(_beginning(one)), len(_beginning(other)))
    last = min(len(_ending(one)), len(_ending(other)))
    if _beginning(one)[:first] != _beginning(other)[:first]:
        return False
    if last and _ending(one)[-last:] != _ending(other)[-last:]:
        return False
    return None


def _beginning(content: Text) -> str:
    return content.pieces[0] if content.pieces and isinstance(content.pieces[0], str) else ""


def _ending(content: Text) -> str:
    return content.pieces[-1] if content.pieces and isinstance(content.pieces[-1], str) else ""


# -- mappings ----------------------------------------------------------------------------------------------------------


def mapping_of(entries: Iterable[Entry], kind: Kind = Kind.OBJECT) -> Mapping:
    """The entries without those that a later one surely replaces."""
    kept: list[Entry] = []
    replaced: set[str] = set()
    for entry in reversed(list(entries)):
        known = entry.key.known
        if known is not None and known in replaced:
            continue
        if known is not None and not entry.when:
            replaced.add(known)
        kept.append(entry)
    return Mapping(tuple(reversed(kept)), kind)


def key_text(key: Plain) -> Text | None:
    """What an element is looked up by; None when it may be any key. Raises Refused when it is none."""
    if isinstance(key, Unknown):
        return None
    found = text_of(key)
    if found is None:
        raise Refused("this is not a key")
    return found


def entries_at(mapping: Mapping, key: Plain, absent: Value) -> list[Value]:
    """The values that the key may mean, each where it means that, and `absent` where there is no such key."""
    wanted, subject = key_text(key), subject_of(key)
    entries: Iterable[Entry] = reversed(mapping.entries)
    if wanted is not None and wanted.known is not None and mapping.has_known_keys:
        found = mapping.by_key.get(wanted.known, [])
        if not found or not found[-1].when:
            return [found[-1].value if found else absent]
        entries = reversed(found)
    values: list[Value] = []
    worlds = [ALWAYS]  # in which none of the entries so far is meant
    is_sure = True  # that none is meant there
    for entry in entries:
        same = None if wanted is None else same_text(entry.key, wanted)
        if same is False:
            continue
        if entry.key.known is None:
            entry = Renewal().entry(entry)
        when: Facts | None = entry.when
        is_decided = same is True
        if subject is not None and entry.key.known is not None:
            when, is_decided = joined(entry.when, is_one_of(subject, constant_of_key(entry.key.known))), True
        if when is None:
            continue
        values += [under(entry.value, both) for world in worlds if (both := joined(world, when)) is not None]
        is_sure &= is_decided
        if is_decided:
            worlds = _worlds_without(worlds, when, subject, entry)
    perhaps = ALWAYS if is_sure else PERHAPS
    return [*values, *(under(absent, both) for world in worlds if (both := joined(world, perhaps)) is not None)]


def _worlds_without(worlds: list[Facts], when: Facts, subject: Subject | None, entry: Entry) -> list[Facts]:
    if subject is not None and not entry.when and len(worlds) == 1:  # the plainest words for what is common
        world = joined(worlds[0], is_none_of(subject, constant_of_key(str(entry.key.known))))
        return [world] if world is not None else []
    rest = [left for world in worlds for left in without(world, when)]
    return rest if len(rest) <= MAX_WORLDS else worlds


MAX_WORLDS = 16  # that are followed while an element is looked for; beyond, more than the possible ones are


# -- sequences ---------------------------------------------------------------------------------------------------------


def in_each_world(function: Callable[[Sequence], Value], sequence: Sequence, written: object) -> Value | None:
    """What a function makes of the sequence in each world; None when its number or order is not known."""
    ways = sequence.ways
    if ways is not None:
        return one_of([under(function(certain), when) for certain, when in ways], written)
    if sequence.rest is not None or not sequence.ordered:
        return None
    return beyond_limit(written, f"{MAX_EXPANDED} possible lists of its elements", policies_in(exactly(sequence)))


def items_at(sequence: Sequence, key: Plain, written: object) -> list[Value]:
    """The elements that an index may mean, and the refusal where there is no such element."""
    index, subject = whole_number(key), subject_of(key)
    if index is not None and sequence.is_certain:
        return [sequence.items[index].value if 0 <= index < len(sequence.items) else missing(written)]
    if index is not None:
        ways = sequence.ways
        if ways is not None:
            return [under(one, when) for certain, when in ways for one in items_at(certain, key, written)]
        sets = ways_of_set(sequence)
        if sets is not None:
            is_open = sequence.rest is not None
            each = ((_at_in_set(known, others, index, is_open, written), when) for known, others, when in sets)
            return [under(one, when) for values, when in each for one in values]
    if index is None and sequence.is_certain and subject is not None:
        values = [under(item.value, is_one_of(subject, Numeral(at))) for at, item in enumerate(sequence.items)]
        is_there = False
    elif index is not None and (row := _at_in_row(sequence, index)) is not None:
        values, is_there = row
    else:
        values = [under(item.value, item.when) for item in sequence.items]
        values += [another(sequence.rest)] if sequence.rest is not None else []
        is_there = False
    if is_there:
        return values
    surely_missing = [ALWAYS]
    for possible in (possible for value in values for possible in value):
        surely_missing = [left for way in surely_missing for left in without(way, possible.when)]
        if len(surely_missing) > MAX_WORLDS:
            surely_missing = []
            break
    refusals = [under(missing(written), way) for way in surely_missing]
    return [*values, *refusals, *([under(missing(written), PERHAPS)] if values else [])]


def _at_in_row(sequence: Sequence, index: int) -> tuple[list[Value], bool] | None:
    """What may be at an index when the order is known, and whether there surely is something.

    Any number of elements may stand between those before and those after the further ones.
    """
    before, after = sequence.around_rest or ((), ())
    ways = Sequence(before).ways if sequence.around_rest is not None and index >= 0 else None
    if ways is None:
        return None
    values: list[Value] = []
    is_there = True
    for certain, when in ways:
        if index < len(certain.items):
            values.append(under(certain.items[index].value, when))
            continue
        values += [under(another(sequence.rest), when)] if sequence.rest is not None else []
        least = len(certain.items)  # elements that are surely before
        for item in after:
            if least <= index:
                values.append(under(under(item.value, item.when), when))
            least += not item.when
        is_there &= index < least
    return values, is_there


def set_of(sequence: Sequence) -> Sequence:
    """A set of the elements: equal ones once, in Terraform's order as far as all are known."""
    known: dict[Any, list[Item]] = {}
    same: dict[Any, list[Item]] = {}  # of what is not known
    for number, item in enumerate(told_apart(unified(sequence.items))):
        identity = known_scalar(item.value)
        if identity is None:
            same.setdefault(open_scalar(item.value) or number, []).append(item)
        else:
            known.setdefault(identity, []).append(item)
    others = [one for several in same.values() for one in once(several)]
    ordered = not others and sequence.rest is None
    is_sorted = len({type(identity) for identity in known}) <= 1
    in_order = sorted(known) if is_sorted else known
    items = (item for identity in in_order for item in once(known[identity]))
    return Sequence((*items, *others), sequence.rest, Kind.SET, ordered, is_sorted)


def ways_of_set(sequence: Sequence) -> list[tuple[list[Value], list[Value], Facts]] | None:
    """What is known of a sorted sequence in each world, in order, and what is not; None when these are not few."""
    ways = replace(sequence, ordered=True, rest=None).ways if sequence.is_sorted else None
    if ways is None:
        return None
    told = []
    for certain, when in ways:
        values = [item.value for item in certain.items]
        known = [value for value in values if known_scalar(value) is not None]
        others = [value for value in values if known_scalar(value) is None]
        others += [another(sequence.rest)] if sequence.rest is not None else []
        told.append((known, others, when))
    return told


def _at_in_set(known: list[Value], others: list[Value], index: int, is_open: bool, written: object) -> list[Value]:
    """The elements at an index, where what is not known may stand anywhere, or be what is known.

    When it `is_open`, the last of the others stands for any number of them.
    """
    among = index + 1 if is_open else len(others)
    values = [value for number, value in enumerate(known) if number <= index <= number + among]
    if 0 <= index < len(known) + among:
        values += others
    if values and index < max(len(known), int(len(others) > is_open)):
        return values
    return [*values, under(missing(written), PERHAPS if values else ALWAYS)]


def told_apart(items: Iterable[Item]) -> tuple[Item, ...]:
    """An element that has several values, as one element for each, of which one is there."""
    apart: list[Item] = []
    for item in items:
        if len(item.value.possible) == 1 and not item.value.possible[0].when:
            apart.append(item)
            continue
        each = ((plain, joined(item.when, when)) for plain, when in exclusively(item.value))
        apart += [Item(exactly(plain), both) for plain, both in each if both is not None]
    return tuple(apart)


def _without_the_same(value: Value) -> Iterator[Possible]:
    """What is not known only where it is not what another alternative says: `var.x`, which a file says, too."""
    known = [possible for possible in value if not isinstance(possible.plain, Unknown)]
    for possible in value:
        ways = [possible.when]
        for other in known if isinstance(possible.plain, Unknown) else ():
            both = joined(possible.when, other.when)
            if both is not None and settled(possible.plain, both) == other.plain:
                ways = [left for way in ways for left in without(way, other.when)]
        yield from (Possible(possible.plain, way) for way in ways)


def exclusively(value: Value) -> Value:
    value = Value(tuple(_without_the_same(value)))
    ways = one_each([when for _, when in value])
    return Value(tuple(Possible(plain, when) for (plain, _), when in zip(value, ways, strict=True)))


def once(items: list[Item]) -> list[Item]:
    """Equal elements, of which in each world at most one is there: where the first is, the second is not."""
    if len(items) == 1:
        return items
    return [items[0]._replace(when=when) for when in exclusive(united(item.when for item in items))]


def known_scalar(value: Value) -> object | None:
    """A hashable, sortable stand-in of a string, number or bool that is known; None for all others."""
    plain = value.decided
    if isinstance(plain, String):
        return plain.text.known
    return plain.value if isinstance(plain, Number | Boolean) else None


def open_scalar(value: Value) -> Value | None:
    """The value when it is a text that is not known, and the same wherever it stands; None for all others."""
    content = None if value.decided is None else text_of(value.decided)
    is_same = content is not None and all(isinstance(hole.subject, Subject) for hole in content.holes)
    return value if is_same else None


def unified(items: tuple[Item, ...]) -> tuple[Item, ...]:
    """The elements of a list or set have one type: next to strings, numbers and bools become strings."""
    plains = [possible.plain for item in items for possible in item.value]
    if not any(isinstance(plain, String) for plain in plains) or all(isinstance(plain, String) for plain in plains):
        return items
    return tuple(item._replace(value=with_strings(item.value)) for item in items)


def with_strings(value: Value) -> Value:
    """Numbers and bools as strings, all else as it is."""
    return Value(
        tuple(
            Possible(String(text_of(possible.plain) or text()), possible.when)
            if isinstance(possible.plain, Number | Boolean)
            else possible
            for possible in value
        )
    )


# -- attributes and indices --------------------------------------------------------------------------------------------


def attribute_of(source: Plain, name: str, written: object) -> Value:
    """`SOURCE.NAME`"""
    if isinstance(source, Sequence):
        return refused(written, f"a {source.kind.value} has no attributes")
    return element_of(source, String(text(name)), written)


def element_of(source: Plain, key: Plain, written: object) -> Value:
    """`SOURCE[KEY]`; a key that is unknown may mean every element."""
    if isinstance(source, Unknown):
        return exactly(source) if source.fails else _part_of(source, key, written)
    if isinstance(source, Mapping):
        return one_of(entries_at(source, key, missing(written)), written)
    if isinstance(source, Record):
        name = key_text(key)
        if name is None or name.known is None:
            return unknown_like(written, key)
        return source.attribute(name.known)
    if isinstance(source, Sequence) and source.kind is not Kind.SET:
        return one_of(items_at(source, key, written), written)
    return refused(written, "it has no elements to choose from")


def _known_part(whole: Subject, key: Plain, written: object) -> dict[str, Any]:
    """What an element is where the tree tells what the whole is."""
    parts = [(when, element_of(plain, key, written).decided) for when, plain in whole.told]
    told = tuple((when, part) for when, part in parts if part is not None and not isinstance(part, Unknown))
    known = [(when, constant[0]) for when, part in told if (constant := constant_of(part)) is not None]
    known += [(when, MISSING) for when, part in parts if isinstance(part, Unknown) and part.fails]
    return {"told": told, "known": tuple(known)}


def _part_of(source: Unknown, key: Plain, written: object) -> Value:
    """An element of something unknown: facts may be about it, too."""
    (part,) = unknown_like(written, source, key)
    subject, name = subject_of(source), text_of(key)
    if subject is not None and name is not None and name.known is not None and isinstance(part.plain, Unknown):
        path = f"{subject.written}.{name}" if isinstance(key, String) else f"{subject.written}[{name}]"
        attribute = source.shape.attribute(name.known) if source.shape else None
        shape = attribute[0] if attribute else source.shape.element if source.shape else None
        # Also of an object that has it, which may be null.
        about = Subject(path, subject.owner, **_known_part(subject, key, written), needs=has_element(source, key))
        return exactly(replace(part.plain, hole=part.plain.hole._replace(subject=about), shape=shape))
    return Value((part,))
