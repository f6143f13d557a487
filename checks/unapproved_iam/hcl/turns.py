"""Keep facts about one element apart from facts about another, where one model represents them all.

For `hcl.collection_values` and whoever takes an element out of a collection. Facts about a model are about the element
of one turn of a loop. Who takes out an element once more gets another one, of which other facts may be true.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from unapproved_iam.hcl.facts import Choice, Facts, Subject, Turn
from unapproved_iam.hcl.values import (
    Entry,
    Item,
    Mapping,
    Plain,
    Possible,
    Record,
    Sequence,
    String,
    Unknown,
    Value,
    subject_of,
)
from unapproved_iam.policies.possible_text import Hole, Text


class _Running(threading.local):
    turns: tuple[Turn, ...] = ()


_running = _Running()


@contextmanager
def within(turns: Iterable[Turn]) -> Iterator[None]:
    """While the body of a loop is evaluated for an element, that stays the same one."""
    outer = _running.turns
    _running.turns = (*outer, *turns)
    try:
        yield
    finally:
        _running.turns = outer


def another(model: Value) -> Value:
    """One more element like the model."""
    return Renewal().value(model)


def given(value: Value, is_given: bool = True) -> Value:
    """The value as what is referred to, which is computed already; or as a result, which may have been refused."""

    def marked(plain: Plain) -> Plain:
        if isinstance(plain, Unknown) and plain.fails and is_given:
            return plain if plain.is_final else replace(plain, is_final=True)
        subject = subject_of(plain) if isinstance(plain, Unknown) else None
        if subject is None or subject.is_given is is_given or not isinstance(plain, Unknown):
            return plain
        return replace(plain, hole=plain.hole._replace(subject=replace(subject, is_given=is_given)))

    found = tuple(Possible(marked(plain), when) for plain, when in value)
    return value if all(a.plain is b.plain for a, b in zip(found, value, strict=True)) else Value(found)


class Renewal:
    """Facts about the elements of turns that are over become facts about another element; `turns` are the new ones."""

    def __init__(self) -> None:
        self._renewed: dict[Turn, Turn] = {}

    @property
    def turns(self) -> tuple[Turn, ...]:
        return tuple(self._renewed.values())

    def value(self, value: Value) -> Value:
        found = [Possible(self.plain(plain), self.facts(when)) for plain, when in value]
        is_same = all(a.plain is b.plain and a.when is b.when for a, b in zip(found, value, strict=True))
        return value if is_same else Value(tuple(found))

    def plain(self, plain: Plain) -> Plain:
        if isinstance(plain, String):
            content = self.text(plain.text)
            return plain if content is plain.text else replace(plain, text=content)
        if isinstance(plain, Unknown):
            hole = self._hole(plain.hole)
            found = tuple(one._replace(text=self.text(one.text), when=self.facts(one.when)) for one in plain.found)
            return plain if hole is plain.hole and found == plain.found else replace(plain, hole=hole, found=found)
        if isinstance(plain, Sequence):
            items = tuple(Item(self.value(item.value), self.facts(item.when)) for item in plain.items)
            rest = None if plain.rest is None else self.value(plain.rest)
            is_same = rest is plain.rest and all(map(_are_same, items, plain.items))
            return plain if is_same else replace(plain, items=items, rest=rest)
        if isinstance(plain, Mapping):
            entries = tuple(self.entry(entry) for entry in plain.entries)
            return plain if all(map(_are_same, entries, plain.entries)) else replace(plain, entries=entries)
        if isinstance(plain, Record):
            attribute = plain.attribute
            return replace(plain, attribute=lambda name: self.value(attribute(name)))
        return plain

    def entry(self, entry: Entry) -> Entry:
        return Entry(self.text(entry.key), self.value(entry.value), self.facts(entry.when))

    def facts(self, facts: Facts) -> Facts:
        if not any(self._is_over(subject) for subject in facts.choices):
            return facts
        choices: dict[Subject, Choice] = {}
        for subject, choice in facts.choices.items():
            renewed = self._subject(subject)
            assert isinstance(renewed, Subject)
            choices[renewed] = choice
        return Facts(choices)

    def text(self, content: Text) -> Text:
        if not any(self._is_over(hole.subject) for hole in content.holes):
            return content
        return Text(tuple(self._hole(piece) if isinstance(piece, Hole) else piece for piece in content.pieces))

    def _hole(self, hole: Hole) -> Hole:
        return hole._replace(subject=self._subject(hole.subject)) if self._is_over(hole.subject) else hole

    def _is_over(self, subject: object) -> bool:
        return isinstance(subject, Subject) and isinstance(subject.owner, Turn) and subject.owner not in _running.turns

    def _subject(self, subject: object) -> Subject | None:
        if not isinstance(subject, Subject) or not isinstance(subject.owner, Turn):
            return subject if isinstance(subject, Subject) else None
        if subject.owner in _running.turns:
            return subject
        bound = subject.bound
        if bound is not None and (number := self._subject(bound[0])) is not None:
            bound = (number, bound[1])
        return replace(subject, owner=self._renewed.setdefault(subject.owner, Turn()), bound=bound)


def _are_same(one: Item | Entry, other: Item | Entry) -> bool:
    return all(a is b for a, b in zip(one, other, strict=True))
