"""Build lists and maps from parts that may be absent, unknown, or refused by Terraform.

For `hcl.evaluation` and the functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from unapproved_iam.hcl.alternatives import bounded_ways, one_of
from unapproved_iam.hcl.collection_elements import any_element
from unapproved_iam.hcl.facts import ALWAYS, Facts, joined, without
from unapproved_iam.hcl.strings import as_strings
from unapproved_iam.hcl.texts import policies_in
from unapproved_iam.hcl.turns import another
from unapproved_iam.hcl.values import (
    MAX_ITEMS,
    Entry,
    Item,
    Kind,
    Mapping,
    Null,
    Plain,
    Possible,
    Refused,
    Sequence,
    String,
    Unknown,
    Value,
    beyond_limit,
    exactly,
    is_other,
    is_refused,
    size_of,
    under,
)
from unapproved_iam.policies.possible_text import Text

MAX_TOLD = 8  # combinations of what the tree tells that are looked at one by one
MAX_LEFT = 3  # sets of worlds in which not all is told
MAX_TINY = 10  # elements of a collection that is computed in several sets of worlds
MAX_COMPUTED = 16  # sets of worlds in which a tiny collection is computed; others in one


class Parts:
    """Gathers the parts of a collection: where Terraform refuses to compute one, it refuses the whole."""

    def __init__(self) -> None:
        self.refusals: list[Value] = []
        self.is_refused = False

    def accepts(self, value: Value, when: Facts = ALWAYS) -> Value | None:
        """The part without the alternatives that are refused; None when all are."""
        if not any(is_refused(possible) for possible in value):
            return value
        computed = tuple(possible for possible in value if not is_refused(possible))
        refusals = Value(tuple(possible for possible in value if is_refused(possible)))
        self.refusals.append(under(refusals, when))
        self.is_refused |= not computed and not when and any(not possible.when for possible in value)
        return Value(computed) if computed else None

    def whole(self, collection: Sequence | Mapping, written: object) -> Value:
        if isinstance(collection, Sequence):
            return self.joined_with(exactly(bounded_sequence(collection, written)), written)
        return self.joined_with(exactly(bounded_mapping(collection, written)), written)

    def joined_with(self, value: Value, written: object) -> Value:
        """What is made of the parts, and where they are refused the refusals."""
        if not self.refusals:
            return value
        refusals = [possible for refusal in self.refusals for possible in refusal]
        ways = bounded_ways([possible.when for possible in refusals])
        plains = [possible.plain for possible in refusals]
        caught = [one for one in plains if isinstance(one, Unknown) and not one.is_final] or plains
        whole = Value(tuple(Possible(caught[0], when) for when in ways))
        if self.is_refused:
            return whole
        computed = [ALWAYS]
        for way in (way for way in ways if way.is_sure):
            computed = [left for world in computed for left in without(world, way)]
        # Of the same collection in many worlds all have to be looked at: better in some that refuse it, too.
        if len(computed) > (MAX_COMPUTED if size_of([value]) <= MAX_TINY else 1):
            computed = [ALWAYS]
        return one_of([*(under(value, when) for when in computed), whole], written)


def entries_of_key(parts: Parts, key: Value, value: Value, when: Facts, written: object) -> Iterator[Entry]:
    """One entry for each key that it may be."""
    keys = parts.accepts(as_strings(key, written), when)
    element = parts.accepts(value, when)
    if keys is None or element is None:
        return
    for possible in keys:
        conditions = joined(when, possible.when)
        if conditions is not None and isinstance(possible.plain, String):
            yield Entry(possible.plain.text, element, conditions)


def grouped(entries: list[Entry], further: list[Entry]) -> Iterator[Entry]:
    """One entry for each key, of the tuple of its values; a further entry stands for any number of them."""
    everywhere = [entry for entry in (*entries, *further) if entry.key.known is None]
    same: dict[Text, list[Entry]] = {}
    more: dict[Text, list[Entry]] = {}
    for several, by_key in ((entries, same), (further, more)):
        for entry in several:
            by_key.setdefault(entry.key, []).append(entry)
    for key in dict.fromkeys((*same, *more)):
        sure, perhaps = same.get(key, []), more.get(key, [])
        items = () if key.known is None else tuple(Item(entry.value, entry.when) for entry in sure)
        others = [under(entry.value, entry.when) for entry in dict.fromkeys((*everywhere, *perhaps))]
        rest = one_of(others, "the group") if others else None
        group = exactly(Sequence(items, rest, ordered=rest is None))
        for when in bounded_ways([entry.when for entry in (*sure, *perhaps)]):
            yield Entry(key, group, when)


class Row:
    """Gathers elements one after the other, and where among them the further ones are."""

    def __init__(self, ordered: bool = True) -> None:
        self.items: list[Item] = []
        self.rest: list[Value] = []
        self.before = 0  # how many items come before the first further elements
        self.ordered = ordered

    def append(self, sequence: Sequence, when: Facts = ALWAYS) -> None:
        before, after = sequence.around_rest or (sequence.items, ())
        self.ordered &= sequence.around_rest is not None
        self._items(before, when)
        if sequence.rest is not None:
            self.further(under(sequence.rest, when))
        self._items(after, when)

    def further(self, value: Value) -> None:
        if not self.rest:
            self.before = len(self.items)
        self.rest.append(value)

    def _items(self, items: Iterable[Item], when: Facts) -> None:
        for item in items:
            both = joined(when, item.when) if when else item.when
            if both is not None:
                self.items.append(item if both is item.when else Item(item.value, both))

    def sequence(self, written: object, kind: Kind = Kind.TUPLE) -> Sequence:
        if not self.rest:
            return Sequence(tuple(self.items), kind=kind, ordered=self.ordered)
        after = len(self.items) - self.before
        rest = one_of(self.rest, written)
        is_last = self.ordered and not after
        return Sequence(tuple(self.items), rest, kind, is_last, after=after if self.ordered and after else None)


def spliced(parts: Iterable[tuple[Value, Facts]], written: object) -> Sequence:
    """One sequence of the elements of all; raises Refused when one of them is surely no sequence."""
    row = Row()
    for value, when in parts:
        for possible in value:
            conditions = joined(when, possible.when)
            if conditions is None:
                continue
            sequence = sequence_of(possible.plain)
            if sequence is None:
                raise Refused("this is not a list")
            row.append(sequence, conditions)
    return bounded_sequence(row.sequence(written), written)


def as_told_or_not(together: Callable[[list[Value]], Value], values: list[Value]) -> list[Value]:
    """What is made of the values where each is what the tree tells, and in the worlds where one is something else."""
    told = [Value(tuple(possible for possible in value if not is_other(possible))) for value in values]
    is_open = [len(one.possible) < len(value.possible) for one, value in zip(told, values, strict=True)]
    if not any(is_open) or not all(one.possible for one in told):
        return [together(values)]
    ways: list[tuple[list[Value], Facts]] = [([], ALWAYS)]
    for one, is_it in zip(told, is_open, strict=True):
        choices = [(Value((possible,)), possible.when) for possible in one] if is_it else [(one, ALWAYS)]
        ways = [
            ([*chosen, value], both)
            for chosen, when in ways
            for value, own in choices
            if (both := joined(when, own)) is not None
        ]
        if len(ways) > MAX_TOLD:
            return [together(values)]
    left = _worlds_of_others(values)
    if len(left) > MAX_LEFT:  # the same again in many worlds: better in some where all is told, too
        left = [ALWAYS]
    every = [*ways, *((values, when) for when in left)]
    return [under(together([_within(one, when) for one in several]), when) for several, when in every]


def _within(value: Value, world: Facts) -> Value:
    """The alternatives that the world has, without the facts that hold there anyway."""
    found = ((plain, when, joined(when, world)) for plain, when in value)
    kept = ((plain, ALWAYS if when.includes(world) else both) for plain, when, both in found if both is not None)
    return Value(tuple(Possible(plain, when) for plain, when in kept))


def _worlds_of_others(values: list[Value]) -> list[Facts]:
    """The worlds in which one of the values is what the tree does not tell: the first, or a later one."""
    found: list[Facts | None] = []
    before: list[Facts | None] = [ALWAYS]
    for value in values:
        others = [possible.when for possible in value if is_other(possible)]
        if others:
            told = [possible.when for possible in value if not is_other(possible)]
            found += [joined(world, when) for world in before if world is not None for when in others]
            before = [joined(world, when) for world in before if world is not None for when in told]
    return [world for world in found if world is not None]


def bounded_sequence(sequence: Sequence, written: object) -> Sequence:
    """As it is, up to MAX_ITEMS elements; beyond, only its policies are remembered."""
    if sequence.size <= MAX_ITEMS:
        return sequence
    return Sequence((), _too_many(sequence, written), sequence.kind, ordered=False)


def bounded_mapping(mapping: Mapping, written: object) -> Mapping:
    """As it is, up to MAX_ITEMS elements; beyond, only its policies are remembered."""
    if mapping.size <= MAX_ITEMS:
        return mapping
    rest = _too_many(mapping, written)
    unknown = rest.possible[0].plain
    assert isinstance(unknown, Unknown)
    return Mapping((Entry(Text((unknown.hole,)), rest),), mapping.kind)


def _too_many(collection: Sequence | Mapping, written: object) -> Value:
    return beyond_limit(written, f"{MAX_ITEMS} elements", policies_in(exactly(collection)))


def sequence_of(plain: Plain) -> Sequence | None:
    """As a sequence, for functions that take one; None when it is surely none."""
    if isinstance(plain, Sequence):
        return plain
    if isinstance(plain, Unknown):
        return Sequence((), any_element(plain, plain.hole.written).value)
    return None


def required_sequence(plain: Plain) -> Sequence:
    sequence = sequence_of(plain)
    if sequence is None:
        raise Refused("a list is required")
    return sequence


def any_item(sequence: Sequence, written: object) -> Value | None:
    values = [under(item.value, item.when) for item in sequence.items]
    if sequence.rest is not None:
        values.append(another(sequence.rest))
    return one_of(values, written) if values else None


def is_filled(plain: Plain) -> bool | None:
    """Whether it is neither null nor an empty string; None when that is not known."""
    if isinstance(plain, Null):
        return False
    if isinstance(plain, Unknown):
        return None
    if isinstance(plain, String):
        return None if plain.text.is_unknown else bool(plain.text.pieces)
    return True
