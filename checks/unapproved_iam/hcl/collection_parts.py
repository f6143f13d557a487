"""Put collections together from parts that may be absent, not known, or refused.

For `hcl.evaluation` and the functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from unapproved_iam.hcl.alternatives import one_of
from unapproved_iam.hcl.collection_values import projected_element
from unapproved_iam.hcl.strings import as_strings
from unapproved_iam.hcl.texts import policies_in
from unapproved_iam.hcl.values import (
    MAX_ITEMS,
    Condition,
    Entry,
    Item,
    Mapping,
    Null,
    Openness,
    Plain,
    Possible,
    Refused,
    Sequence,
    String,
    Unknown,
    Value,
    When,
    exactly,
    is_refused,
    joined,
    short,
    under,
    unknown,
)
from unapproved_iam.policies.possible_text import Hole, Text


class Parts:
    """Gathers the parts of a collection: where Terraform refuses to compute one, it refuses the whole."""

    def __init__(self) -> None:
        self.refusals: list[Value] = []
        self.is_refused = False

    def accepts(self, value: Value, when: When = ()) -> Value | None:
        """The part without the alternatives that are refused; None when all are."""
        computed = tuple(possible for possible in value if not is_refused(possible))
        if len(computed) == len(value.possible):
            return value
        refusals = Value(tuple(possible for possible in value if is_refused(possible)))
        self.refusals.append(under(refusals, when))
        self.is_refused |= not computed and not when
        return Value(computed) if computed else None

    def whole(self, collection: Sequence | Mapping, written: object) -> Value:
        if isinstance(collection, Sequence):
            return self.joined_with(exactly(bounded_sequence(collection, written)), written)
        return self.joined_with(exactly(bounded_mapping(collection, written)), written)

    def joined_with(self, value: Value, written: object) -> Value:
        """What is made of the parts, and where they are refused the refusals."""
        if not self.refusals:
            return value
        return one_of([*([] if self.is_refused else [value]), _any_of(self.refusals)], written)


def _any_of(refusals: list[Value]) -> Value:
    """One refusal for all, under what they have in common: it is refused, whatever else would have been, too."""
    alternatives = [possible for value in refusals for possible in value]
    first = alternatives[0]
    common = tuple(condition for condition in first.when if all(condition in one.when for one in alternatives))
    openness = max(one.openness for one in alternatives)
    return Value((replace(first, when=common, openness=openness),))


def entries_of_key(parts: Parts, key: Value, value: Value, when: When, written: object) -> Iterator[Entry]:
    """One entry for each key that it may be."""
    keys = parts.accepts(as_strings(key, written), when)
    element = parts.accepts(value, when)
    if keys is None or element is None:
        return
    for possible in keys:
        conditions = joined(when, conditions_of(possible, keys, written))
        if conditions is not None and isinstance(possible.plain, String):
            yield Entry(possible.plain.text, element, conditions)


def grouped(entries: list[Entry], further: list[Entry]) -> Iterator[Entry]:
    """One entry for each key, of the tuple of its values; a further entry stands for any number of them."""
    everywhere = [entry for entry in (*entries, *further) if entry.key.holes]
    for key in dict.fromkeys(entry.key for entry in (*entries, *further)):
        same = [entry for entry in entries if entry.key == key]
        more = [entry for entry in further if entry.key == key]
        items = () if key.holes else tuple(Item(entry.value, entry.when) for entry in same)
        others = [under(entry.value, entry.when) for entry in dict.fromkeys((*everywhere, *more))]
        rest = one_of(others, "the group") if others else None
        group = exactly(Sequence(items, rest, ordered=rest is None))
        conditions = [entry.when for entry in (*same, *more)]
        for when in [()] if () in conditions else dict.fromkeys(conditions):
            yield Entry(key, group, when)


def spliced(parts: Iterable[tuple[Value, When]], written: object) -> Sequence:
    """One sequence of the elements of all; raises Refused when one of them is surely no sequence."""
    items: list[Item] = []
    rest: list[Value] = []
    ordered = True
    for value, when in parts:
        for possible in value:
            conditions = joined(when, conditions_of(possible, value, written))
            if conditions is None:
                continue
            sequence = sequence_of(possible.plain)
            if sequence is None:
                raise Refused("this is no list")
            # What follows an unknown number of elements may stand anywhere.
            ordered &= sequence.ordered and not (rest and sequence.items)
            for item in sequence.items:
                all_conditions = joined(conditions, item.when)
                if all_conditions is not None:
                    items.append(Item(projected_element(item.value, possible), all_conditions))
            if sequence.rest is not None:
                rest.append(under(projected_element(sequence.rest, possible), conditions))
    return bounded_sequence(Sequence(tuple(items), one_of(rest, written) if rest else None, ordered=ordered), written)


def conditions_of(possible: Possible, value: Value, written: object) -> When:
    """The conditions of an alternative, which say at least that there are others."""
    if possible.when or len(value.possible) == 1:
        return possible.when
    return (Condition(f"{written} == the value from {possible.origin or 'the defaults'}"),)


def bounded_sequence(sequence: Sequence, written: object) -> Sequence:
    """As it is, up to MAX_ITEMS elements; beyond, only its policies are remembered."""
    if sequence.size <= MAX_ITEMS:
        return sequence
    return Sequence((), _too_many(sequence, written), sequence.kind, ordered=False)


def bounded_mapping(mapping: Mapping, written: object) -> Mapping:
    """As it is, up to MAX_ITEMS elements; beyond, only its policies are remembered."""
    if mapping.size <= MAX_ITEMS:
        return mapping
    key = Hole(short(written), f"it has more than {MAX_ITEMS} elements")
    return Mapping((Entry(Text((key,)), _too_many(mapping, written)),), mapping.kind)


def _too_many(collection: Sequence | Mapping, written: object) -> Value:
    return unknown(written, f"it has more than {MAX_ITEMS} elements", found=policies_in(exactly(collection)))


def sequence_of(plain: Plain) -> Sequence | None:
    """As a sequence, for functions that take one; None when it is surely none."""
    if isinstance(plain, Sequence):
        return plain
    if isinstance(plain, Unknown):
        return Sequence((), Value((Possible(plain, openness=Openness.VARIABLE),)))
    return None


def openness_of(values: list[Value]) -> Openness:
    return max((possible.openness for value in values for possible in value), default=Openness.DECIDED)


def required_sequence(plain: Plain) -> Sequence:
    sequence = sequence_of(plain)
    if sequence is None:
        raise Refused("a list is required")
    return sequence


def any_item(sequence: Sequence, written: object) -> Value | None:
    values = [under(item.value, item.when) for item in sequence.items]
    if sequence.rest is not None:
        values.append(sequence.rest)
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
