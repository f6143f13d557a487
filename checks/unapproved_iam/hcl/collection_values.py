"""Look into collections of which not every element is certain: what an index, a key or a loop may find there.

For `hcl.evaluation` and `hcl.function_calls`. An element may be absent, a key may have holes, and the order may be
open: then every element that may be meant is a possible value.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from unapproved_iam.hcl.alternatives import one_of, unknown_like
from unapproved_iam.hcl.values import (
    Boolean,
    Condition,
    Entry,
    Item,
    Kind,
    Mapping,
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
    string,
    text_of,
    under,
    unknown,
    whole_number,
)
from unapproved_iam.policies.possible_text import Hole, Text, text


@dataclass(frozen=True, slots=True)
class Key:
    """What an element is looked up by, how that is written, and where it has its meaning."""

    plain: Plain
    written: str = ""
    owner: Hashable = None

    @property
    def text(self) -> Text | None:
        """None when it may be any key; raises Refused when it is none."""
        if isinstance(self.plain, Unknown):
            return None
        found = text_of(self.plain)
        if found is None:
            raise Refused("this is no key")
        return found

    def equals(self, other: str) -> When:
        return (Condition(f"{self.written} == {other}", True, self.owner),) if self.written else ()


def key_of(possible: Possible, written: str, owner: Hashable = None) -> Key:
    """A key for looking elements up: one that is a root variable's own value may be any key."""
    plain = possible.plain
    is_selector = possible.openness is Openness.VARIABLE and isinstance(plain, String | Number | Boolean)
    if is_selector and (text_of(plain) or text()).known is not None:
        plain = Unknown(Hole(written, f"{written} depends on a root variable"))
    return Key(plain, written, owner)


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


def is_exact(mapping: Mapping) -> bool:
    """Whether all keys are known, and surely there."""
    return not any(entry.when or entry.key.holes for entry in mapping.entries)


def entries_in_order(mapping: Mapping) -> tuple[Entry, ...]:
    """In Terraform's order, which is that of the keys; those whose key is not known come last."""
    return tuple(sorted(mapping.entries, key=lambda entry: (entry.key.known is None, entry.key.known or "")))


def entries_at(mapping: Mapping, key: Key) -> tuple[list[Value], bool]:
    """The values that the key may mean, and whether the mapping may have no such key."""
    wanted = key.text
    values: list[Value] = []
    for entry in reversed(mapping.entries):
        same = None if wanted is None else same_text(entry.key, wanted)
        if same is False:
            continue
        asked = () if same or (wanted is not None and wanted.known is not None) else key.equals(f'"{entry.key}"')
        when = joined(entry.when, asked)
        if when is not None:
            values.append(under(entry.value, when))
        if same and not entry.when:
            return values, False
    return values, True


# -- sequences ---------------------------------------------------------------------------------------------------------


def is_certain(sequence: Sequence) -> bool:
    """Whether the number of elements and the place of each are known."""
    in_order = sequence.ordered or len(sequence.items) < 2
    return in_order and sequence.rest is None and not any(item.when for item in sequence.items)


def items_at(sequence: Sequence, key: Key, written: object) -> list[Value]:
    """The elements that an index may mean; none when there is surely no such element."""
    index = whole_number(key.plain)
    if index is None and not isinstance(key.plain, Unknown | String):
        raise Refused("this is no index")
    anywhere = index is None or not sequence.ordered
    values: list[Value] = []
    absent = 0  # how many of the items before may be absent
    for number, item in enumerate(sequence.items):
        if anywhere:
            values.append(under(item.value, item.when + (key.equals(str(number)) if index is None else ())))
        elif index is not None and number - absent <= index <= number:
            values.append(under(item.value, item.when))
            if number == index and not item.when and not absent:
                return values
        absent += bool(item.when)
    if sequence.rest is not None:
        values.append(sequence.rest)
    if anywhere or not values or absent or sequence.rest is not None:
        values.append(missing(written, values))
    return values


def projected_element(value: Value, source: Possible) -> Value:
    """An element as one of its collection, which may come from a root variable or another file."""
    return under(value, (), min(source.openness, Openness.ELEMENT), source.origin)


def set_of(sequence: Sequence) -> Sequence:
    """A set of the elements: equal ones once, in Terraform's order as far as all are known."""
    known: dict[Any, Item] = {}
    others: list[Item] = []
    for item in unified(sequence.items):
        identity = known_scalar(item.value)
        if identity is None:
            others.append(item)
        else:
            known[identity] = either(known[identity], item) if identity in known else item
    ordered = not others and sequence.rest is None and not any(item.when for item in known.values())
    in_order = sorted(known) if len({type(identity) for identity in known}) <= 1 else known
    return Sequence((*(known[identity] for identity in in_order), *others), sequence.rest, Kind.SET, ordered)


def either(one: Item, other: Item) -> Item:
    """Equal elements as a single one: it is there when any of them is."""
    if not one.when or not other.when:
        return one._replace(when=())
    common = tuple(condition for condition in one.when if condition in other.when)
    if common in (one.when, other.when):
        return one._replace(when=common)
    member = Condition(f"contains(…, {text_of(one.value.possible[0].plain)})")
    return one._replace(when=(*(condition for condition in common if condition != member), member))


def known_scalar(value: Value) -> object | None:
    """A hashable, sortable stand-in of a string, number or bool that is known; None for all others."""
    if len(value.possible) != 1 or value.possible[0].when:
        return None
    plain = value.possible[0].plain
    if isinstance(plain, String):
        return plain.text.known
    return plain.value if isinstance(plain, Number | Boolean) else None


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
            replace(possible, plain=String(text_of(possible.plain) or text()))
            if isinstance(possible.plain, Number | Boolean)
            else possible
            for possible in value
        )
    )


# -- elements, whatever the collection ---------------------------------------------------------------------------------


class Element(NamedTuple):
    """What a loop sees in one turn."""

    key: Value
    value: Value
    when: When


class Elements(NamedTuple):
    ordered: bool  # whether they come in this order, as far as they are there; further ones come last
    each: tuple[Element, ...]
    rest: tuple[Element, ...] = ()  # what any further ones are

    @property
    def certain(self) -> bool:
        """Whether their number and order are known."""
        return self.ordered and not self.rest and not any(element.when for element in self.each)


def elements_of(source: Possible, written: object) -> Elements:
    """The elements of a collection as a loop sees them. Raises Refused when it is surely none."""
    plain = source.plain
    uncertain = unknown(written, "its keys are not certain")
    if isinstance(plain, Sequence):
        is_set = plain.kind is Kind.SET
        each = []
        in_place = plain.ordered
        for number, item in enumerate(plain.items):
            in_place &= not item.when
            value = item.value if is_set else projected_element(item.value, source)
            each.append(Element(value if is_set else number_value(number) if in_place else uncertain, value, item.when))
        rest = []
        if plain.rest is not None:
            value = plain.rest if is_set else projected_element(plain.rest, source)
            rest.append(Element(value if is_set else uncertain, value, ()))
        return Elements(plain.ordered, tuple(each), tuple(rest))
    if isinstance(plain, Record) and plain.names is not None:
        names = sorted(plain.names)
        return Elements(
            True, tuple(Element(string(n), projected_element(plain.attribute(n), source), ()) for n in names)
        )
    if isinstance(plain, Mapping):
        each, rest = [], []
        for entry in entries_in_order(plain):
            element = Element(string(entry.key), projected_element(entry.value, source), entry.when)
            (rest if entry.key.holes else each).append(element)
        return Elements(not rest, tuple(each), tuple(rest))
    if isinstance(plain, Unknown | Record):
        return Elements(True, (), (Element(uncertain, unknown_like(written, plain), ()),))
    raise Refused("this is no collection")


def number_value(number: int) -> Value:
    return exactly(Number(number))


# -- attributes and indices --------------------------------------------------------------------------------------------


def attribute_of(source: Possible, name: str, written: object) -> Value:
    """`SOURCE.NAME`"""
    if isinstance(source.plain, Sequence):
        return _projected(refused(written, f"a {source.plain.kind.value} has no attributes"), source)
    return element_of(source, Key(String(text(name))), written)


def element_of(source: Possible, key: Key, written: object) -> Value:
    """`SOURCE[KEY]`; a key that is unknown may mean every element."""
    plain = source.plain
    values: list[Value] = []
    if isinstance(plain, Unknown):
        values.append(unknown_like(written, plain) if not plain.fails else exactly(plain))
    elif isinstance(plain, Mapping):
        values, may_miss = entries_at(plain, key)
        if may_miss:
            values.append(missing(written, values))
    elif isinstance(plain, Record):
        name = key.text.known if key.text is not None else None
        values.append(unknown(written, f"{key.written} is not known") if name is None else plain.attribute(name))
    elif isinstance(plain, Sequence) and plain.kind is not Kind.SET:
        try:
            values = items_at(plain, key, written)
        except Refused as reason:
            values.append(refused(written, str(reason)))
    else:
        values.append(refused(written, "it has no elements to choose from"))
    return _projected(one_of(values, written), source)


def _projected(value: Value, source: Possible) -> Value:
    return under(value, source.when, min(source.openness, Openness.ELEMENT), source.origin)
