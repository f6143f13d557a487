"""Decide what a loop sees of a collection: its elements with their keys, and models of those that are not known.

For `hcl.evaluation`, the functions on collections, and `terraform.instances`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from unapproved_iam.hcl.alternatives import bounded_ways, unknown_like
from unapproved_iam.hcl.collection_values import exclusively
from unapproved_iam.hcl.facts import ALWAYS, Facts, Subject, Turn, short
from unapproved_iam.hcl.turns import Renewal, given
from unapproved_iam.hcl.values import (
    Kind,
    Mapping,
    Number,
    Plain,
    Record,
    Refused,
    Sequence,
    Unknown,
    Value,
    exactly,
    string,
    subject_of,
    unknown,
)


class Element(NamedTuple):
    """What a loop sees in one turn."""

    key: Value
    value: Value
    when: Facts
    turns: tuple[Turn, ...] = ()  # of a model: what this element is told apart by


class Elements(NamedTuple):
    ordered: bool  # whether they come in this order, as far as they are there; further ones come last
    each: tuple[Element, ...]
    rest: tuple[Element, ...] = ()  # what any further ones are
    after: int | None = None  # unless ordered: of those in order, that many come after the first further ones

    @property
    def certain(self) -> bool:
        """Whether their number and order are known."""
        return self.ordered and not self.rest and not any(element.when for element in self.each)


def elements_of(plain: Plain, written: object) -> Elements:
    """The elements of a collection as a loop sees them. Raises Refused when it is surely none."""
    if isinstance(plain, Sequence):
        is_set = plain.kind is Kind.SET
        each = []
        before, _ = plain.around_rest or ((), ())
        in_place = True
        uncertain = unknown(written, "its keys are not certain")
        for number, item in enumerate(plain.items):
            in_place &= not item.when and number < len(before)
            key = item.value if is_set else number_value(number) if in_place else uncertain
            each.append(Element(key, item.value, item.when))
        rest = []
        if plain.rest is not None:
            renewal = Renewal()
            one = exclusively(given(renewal.value(plain.rest)))
            ways = bounded_ways([possible.when for possible in one])
            # Where no element of a list is there, what a loop makes of it is not there either, whatever it makes.
            when = ways[0] if len(ways) == 1 else ALWAYS
            rest.append(Element(one if is_set else uncertain, one, when, (Turn(), *renewal.turns)))
        return Elements(plain.ordered, tuple(each), tuple(rest), plain.after)
    if isinstance(plain, Record) and plain.names is not None:
        return Elements(
            True, tuple(Element(string(name), plain.attribute(name), ALWAYS) for name in sorted(plain.names))
        )
    if isinstance(plain, Mapping):
        each, rest = [], []
        for entry in plain.in_order:
            if entry.key.known is not None:
                each.append(Element(string(entry.key), entry.value, entry.when))
                continue
            renewal = Renewal()
            entry = renewal.entry(entry)
            entry = entry._replace(value=given(entry.value))
            rest.append(Element(string(entry.key), entry.value, entry.when, (Turn(), *renewal.turns)))
        return Elements(not rest, tuple(each), tuple(rest))
    if isinstance(plain, Unknown | Record):
        element = any_element(plain, written)
        return Elements(True, (), (element._replace(value=given(element.value), key=given(element.key)),))
    raise Refused("this is not a collection")


def any_element(plain: Unknown | Record, written: object) -> Element:
    """A model of the elements of something unknown: facts about it are those of this turn alone."""
    (value,) = unknown_like(written, plain)
    (key,) = unknown(written, "its keys are not certain")
    subject = subject_of(plain)
    of = subject.written if subject else short(written)
    turn = Turn()
    shape = plain.shape.element if isinstance(plain, Unknown) and plain.shape else None
    return Element(
        exactly(_about(key.plain, Subject(f"the key of an element of {of}", turn), plain)),
        exactly(replace(_about(value.plain, Subject(f"{of}[*]", turn), plain), shape=shape)),
        ALWAYS,
        (turn,),
    )


def _about(element: Plain, subject: Subject, collection: Plain) -> Unknown:
    assert isinstance(element, Unknown)
    other = isinstance(collection, Unknown) and collection.hole.is_other
    return replace(element, hole=element.hole._replace(subject=subject, is_other=other))


def number_value(number: int) -> Value:
    return exactly(Number(number))
