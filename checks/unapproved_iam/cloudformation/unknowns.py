"""Decide when two partly unknown texts are equal, and what such a text becomes once facts about its unknown parts hold.

For the evaluator of templates. An unknown part of a text is a variable: a parameter with its default and the values
that it allows, a pseudo parameter, an attribute that is known when the stack is created. Parts whose name does not tell
what they are, such as the result of a function, stand for something else each time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from unapproved_iam.policies.facts import ALWAYS, NEVER, Diagram, Facts, Variable
from unapproved_iam.policies.policy_arn import ACCOUNT, PARTITION
from unapproved_iam.policies.possible_text import Glob, Hole, Match, Piece, Text, match, text

SOMETHING = "…"  # how a hole is written that no name stands for

MOST_TEXTS = 5_000  # that one text is filled in to: a policy's ARN made of several parameters with AllowedValues


# What no parameter decides.
ALWAYS_UNKNOWN = frozenset({"AWS::Partition", "AWS::AccountId", "AWS::Region", PARTITION.written, ACCOUNT.written})


class TooManyValues(Exception):
    """An expression multiplies its values beyond every bound, which the text says."""


class FilledIn(NamedTuple):
    """A text whose variables have values, and what holds then."""

    text: Text
    facts: Facts
    defaults: frozenset[Variable] = frozenset()  # those that have their default, although nothing says so
    supposed: frozenset[Variable] = frozenset()  # those that have another value, although nothing says so


class Unknowns:
    """The variables of one outermost template and of all that it nests."""

    def __init__(self) -> None:
        self.diagram = Diagram()
        self._variables: dict[Hole, Variable | None] = {}
        self._equal: dict[tuple[Text, Text], Facts] = {}
        self._questions: dict[object, Variable] = {}
        self._elements: dict[Hole, tuple[str, ...] | None] = {}  # of lists
        self._places: dict[Hole, tuple[Hole, int | None]] = {}  # of elements in their lists
        self._wholes: dict[Hole, set[str]] = {}  # of lists: the texts that something is said of

    def declare(self, hole: Hole, variable: Variable | None) -> None:
        """Say which variable a hole is; None when it stands for something else each time."""
        self._variables[hole] = variable

    def variable_of(self, hole: Hole) -> Variable | None:
        """None when the hole stands for something else each time."""
        if hole not in self._variables:
            is_named = not hole.written.startswith(("Fn::", SOMETHING))
            self._variables[hole] = Variable(hole.written) if is_named else None
        return self._variables[hole]

    def declare_list(self, hole: Hole, variable: Variable, elements: tuple[str, ...] | None = None) -> None:
        """Say that a hole is a list as one text with commas, and which values each of its elements may have."""
        self.declare(hole, variable)
        self._elements[hole] = elements

    def is_list(self, hole: Hole) -> bool:
        return hole in self._elements

    def element(self, listed: Hole, place: int | None = None) -> Hole:
        """The element of a list in a place, or any of them."""
        element = listed._replace(subject=("element", place))
        whole = self._variables[listed]
        if element not in self._places and whole is not None:
            self._places[element] = (listed, place)
            subject = f"{'an element' if place is None else f'element {place + 1}'} of {whole.subject}"
            self.declare(element, Variable(subject, self._elements[listed], owner=whole.owner))
        return element

    def places_told(self, listed: Hole, facts: Facts) -> int:
        """How many of the first elements of a list the facts may tell of."""
        places = {self._variables[one]: place for one, (whole, place) in self._places.items() if whole == listed}
        told = facts.variables() if places else ()
        return max((place + 1 for one, place in places.items() if one in told and place is not None), default=0)

    def question(self, subject: str, key: object) -> Facts:
        """That something is true which nothing tells."""
        if key not in self._questions:
            self._questions[key] = Variable(subject, ("false", "true"))
        return self.diagram.has_value(self._questions[key], "true")

    # When texts are equal

    def equal(self, left: Text, right: Text) -> Facts:
        if left.known is not None and right.known is not None:
            return ALWAYS if left == right else NEVER
        if left == right and all(self.variable_of(hole) for hole in left.holes):
            return ALWAYS
        if (left, right) not in self._equal:
            known, other = (left.known, right) if left.known is not None else (right.known, left)
            facts = self._spells(other, known) if known is not None else self._alike(left, right, frozenset())
            self._equal[left, right] = self._equal[right, left] = facts
        return self._equal[left, right]

    def _spells(self, subject: Text, known: str) -> Facts:
        """When the text is this one: its first unknown part is any part of it that the others leave."""
        if not subject.holes:
            return ALWAYS if subject.known == known else NEVER
        if match(subject, [Glob(known.replace("*", "?"))]) is Match.NEVER:
            return NEVER
        before, hole, after = _around_first_hole(subject)
        variable = self.variable_of(hole)
        if variable is None:
            return self.question(f"{subject} == {known}", (subject, known))
        rest, facts = known[len(before) :], NEVER
        for end in range(len(rest) + 1) if after else [len(rest)]:
            value = rest[:end]
            if all(character in hole.alphabet for character in value) and self._may_be(hole, value):
                self._note(hole, value)
                has_value = self.diagram.has_value(variable, value)
                facts |= has_value & self.equal(_with(text(*after), hole, value), text(rest[end:]))
        return facts

    def _note(self, hole: Hole, value: str) -> None:
        if self.is_list(hole):
            self._wholes.setdefault(hole, set()).add(value)

    def of_lists(self) -> Facts:
        """What holds between lists and their elements: where a list is one text, they are the parts of that."""
        facts = ALWAYS
        for element, (listed, place) in self._places.items():
            whole, part = self._variables[listed], self._variables[element]
            if whole is None or part is None:
                continue
            for value in sorted(self._wholes.get(listed, ())):
                parts = [one.strip() for one in value.split(",")]
                there = parts if place is None else parts[place : place + 1]
                if there:
                    facts &= ~self.diagram.has_value(whole, value) | self.diagram.one_of(part, there)
        return facts

    def _may_be(self, hole: Hole, value: str) -> bool:
        elements = self._elements.get(hole)
        return elements is None or all(one.strip() in elements for one in value.split(","))

    def _alike(self, left: Text, right: Text, seen: frozenset[Variable]) -> Facts:
        """When two texts of which both are partly unknown are the same, one variable after the other."""
        if _apart(left, right):
            return NEVER
        for hole in (*left.holes, *right.holes):
            variable = self.variable_of(hole)
            values = () if variable is None or variable in seen else variable.values or (variable.default,)
            if variable is None or not values or values == (None,):
                continue
            facts, others = NEVER, ALWAYS
            for value in values:
                has_value = self.diagram.has_value(variable, value or "")
                facts |= has_value & self.equal(_with(left, hole, value or ""), _with(right, hole, value or ""))
                others &= ~has_value
            return facts | (others & self._alike(left, right, seen | {variable}) if others is not NEVER else NEVER)
        return self.question(f"{left} == {right}", frozenset((left, right)))

    # Which texts they are

    def choices(self, variable: Variable, facts: Facts) -> Iterator[tuple[str | None, Facts]]:
        """The values that a variable may have in a world; None for one that no file tells."""
        default = () if variable.default is None else (variable.default,)
        known = variable.values or tuple(dict.fromkeys([*default, *sorted(facts.values_of(variable))]))
        for value in known:
            within = facts & self.diagram.has_value(variable, value)
            if within is not NEVER:
                yield value, within
        if variable.values is None:
            within = facts & ~self.diagram.one_of(variable, known)
            if within is not NEVER:
                yield None, within

    def filled_in(self, value: Text, facts: Facts) -> list[FilledIn]:
        """Every text that it may be: with each known value of each variable in it, and any other one as a hole."""
        found = [FilledIn(value, facts)]
        for hole in dict.fromkeys(value.holes):
            variable = self.variable_of(hole)
            if variable is not None:
                chosen = self._with_values
                if hole in self._places:
                    chosen = self._with_elements
                elif self.is_list(hole):
                    chosen = self._with_lists
                found = [after for before in found for after in chosen(before, hole, variable)]
                if len(found) > MOST_TEXTS:
                    raise TooManyValues(f"{MOST_TEXTS} of one text")
        return found

    def list_told(self, listed: Hole, facts: Facts) -> Iterator[FilledIn]:
        """A list as far as facts tell of it as a whole; of the rest, elements are told by themselves."""
        variable = self._variables[listed]
        return iter(()) if variable is None else self._with_values(FilledIn(text(listed), facts), listed, variable)

    def _with_lists(self, before: FilledIn, hole: Hole, variable: Variable) -> Iterator[FilledIn]:
        """As a text, a list may be any of its elements alone, too."""
        for one in self._with_values(before, hole, variable):
            facts = one.facts
            for element in (self._elements[hole] or ()) if hole in one.text.holes else ():
                self._note(hole, element)
                alone = facts & self.diagram.has_value(variable, element)
                facts &= ~alone
                if alone is not NEVER:
                    yield one._replace(text=_with(one.text, hole, element), facts=alone)
            if facts is not NEVER:
                yield one._replace(facts=facts)

    def _with_elements(self, before: FilledIn, hole: Hole, variable: Variable) -> Iterator[FilledIn]:
        """What an element of a list may be, in worlds that tell of the list as a whole and in others."""
        listed, place = self._places[hole]
        whole = self._variables[listed]
        for value, facts in self.choices(whole, before.facts) if whole is not None else ():
            within = before._replace(facts=facts)
            if value is None:
                yield from self._with_values(within, hole, variable)
                continue
            elements = [one.strip() for one in value.split(",")]
            for element in elements if place is None else elements[place : place + 1]:
                yield within._replace(text=_with(before.text, hole, element))

    def _with_values(self, before: FilledIn, hole: Hole, variable: Variable) -> Iterator[FilledIn]:
        for known, facts in self.choices(variable, before.facts):
            defaults, supposed = self.untold(variable, known, before.facts)
            value = before.text if known is None else _with(before.text, hole, known)
            yield FilledIn(value, facts, before.defaults | defaults, before.supposed | supposed)

    def untold(self, variable: Variable, value: str | None, facts: Facts) -> tuple[frozenset[Variable], ...]:
        """Whether the facts do not say that a parameter has its default (first set), or has not (second)."""
        of_it = frozenset((variable,))
        if variable.default is None or variable.values is not None:
            return frozenset(), frozenset()
        if value is None:
            is_default = facts & self.diagram.has_value(variable, variable.default)
            return frozenset(), of_it if is_default is not NEVER else frozenset()
        return frozenset() if value != variable.default or facts.values_of(variable) else of_it, frozenset()

    @staticmethod
    def is_supposed(value: Text, supposed: frozenset[Variable]) -> bool:
        """Whether parts of the text are unknown, perhaps only because a parameter is supposed not to be its default."""
        return bool(supposed) and any(hole.written not in ALWAYS_UNKNOWN for hole in value.holes)

    def told(self, facts: Facts, defaults: frozenset[Variable]) -> Facts:
        """The facts without those that only say that parameters have their defaults."""
        for variable in defaults:
            facts = self.diagram.given(facts, variable, variable.default or "")
        return facts


def _around_first_hole(subject: Text) -> tuple[str, Hole, tuple[Piece, ...]]:
    first = subject.pieces[0]
    if isinstance(first, Hole):
        return "", first, subject.pieces[1:]
    return first, subject.holes[0], subject.pieces[2:]


def _with(subject: Text, hole: Hole, value: str | Hole) -> Text:
    return text(*(value if piece == hole else piece for piece in subject.pieces))


def _apart(left: Text, right: Text) -> bool:
    """Whether known beginnings or ends rule out that the texts are equal."""
    for place, begins in ((0, str.startswith), (-1, str.endswith)):
        one, other = left.pieces[place], right.pieces[place]
        if isinstance(one, str) and isinstance(other, str) and not (begins(one, other) or begins(other, one)):
            return True
    return False
