"""Sets of facts about a template's parameters and unknowns: under which of their values something holds.

For the evaluators. A variable is a parameter, a pseudo parameter, or a question that nothing answers. Facts are kept as
a decision diagram: variables in the order in which they were first asked about, equal parts only once. So intersection,
union and negation are exact, contradictory facts are NEVER, and what holds anyway is ALWAYS, whatever way led there.
Source: R. Bryant, "Graph-Based Algorithms for Boolean Function Manipulation".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

MOST_FACTS = 200_000  # that are kept of one unit; far beyond what conditions that people write need


class TooManyFacts(Exception):
    """The conditions multiply beyond every bound, which the text says."""


@dataclass(eq=False)
class Variable:
    """Something that has one value in each world; `values` are all that it may have, when the tree tells them."""

    subject: str  # as messages name it, e.g. "parameter Env"
    values: tuple[str, ...] | None = None
    default: str | None = None
    owner: str = ""  # the file that declares it, for messages about another file
    order: int = 0  # in the diagram; 0 until it is asked about


class Facts:
    """The worlds in which something holds. Equal facts are the same object."""

    __slots__ = ("cases", "diagram", "otherwise", "variable")

    def __init__(self, diagram: Diagram, variable: Variable, cases: dict[str, Facts], otherwise: Facts) -> None:
        self.diagram = diagram
        self.variable = variable
        self.cases = cases
        self.otherwise = otherwise

    def __and__(self, other: Facts) -> Facts:
        if self is NEVER or other is NEVER:
            return NEVER
        if self is ALWAYS or self is other:
            return other
        return self if other is ALWAYS else self.diagram.combined(self, other, NEVER)

    def __or__(self, other: Facts) -> Facts:
        if self is ALWAYS or other is ALWAYS:
            return ALWAYS
        if self is NEVER or self is other:
            return other
        return self if other is NEVER else self.diagram.combined(self, other, ALWAYS)

    def __invert__(self) -> Facts:
        if self is ALWAYS:
            return NEVER
        return ALWAYS if self is NEVER else self.diagram.negated(self)

    def of(self, variable: Variable, value: str | None) -> Facts:
        """What is left when the variable, the first that is asked about, has the value; None: one not named here."""
        if self.variable is not variable:
            return self
        return self.otherwise if value is None else self.cases.get(value, self.otherwise)

    def values_of(self, variable: Variable) -> set[str]:
        """The values of a variable that these facts tell apart."""
        return {value for part in self._parts() if part.variable is variable for value in part.cases}

    def variables(self) -> set[Variable]:
        return {part.variable for part in self._parts()}

    def hold(self, values: Mapping[str, str]) -> bool:
        """Whether they hold in a world, given by the values of the variables' subjects."""
        facts = self
        while facts not in (ALWAYS, NEVER):
            facts = facts.of(facts.variable, values.get(facts.variable.subject))
        return facts is ALWAYS

    def _parts(self) -> Iterator[Facts]:
        seen = {ALWAYS, NEVER}
        waiting = [self]
        while waiting:
            part = waiting.pop()
            if part not in seen:
                seen.add(part)
                yield part
                waiting += [*part.cases.values(), part.otherwise]


def _terminal() -> Facts:
    return Facts.__new__(Facts)


ALWAYS, NEVER = _terminal(), _terminal()
for _end in (ALWAYS, NEVER):
    _end.variable = Variable("")
    _end.cases = {}


class Diagram:
    """All facts of one unit."""

    def __init__(self) -> None:
        self._variables = 0
        self._nodes: dict[tuple[Variable, tuple[tuple[str, Facts], ...], Facts], Facts] = {}
        self._combined: dict[tuple[Facts, Facts, Facts], Facts] = {}
        self._negated: dict[Facts, Facts] = {}
        self._given: dict[tuple[Facts, Variable, str], Facts] = {}

    def __len__(self) -> int:
        """How many facts are kept."""
        return len(self._nodes)

    def has_value(self, variable: Variable, value: str) -> Facts:
        return self.one_of(variable, [value])

    def one_of(self, variable: Variable, values: Iterable[str]) -> Facts:
        possible = values if variable.values is None else [value for value in values if value in variable.values]
        return self._node(variable, dict.fromkeys(possible, ALWAYS), NEVER)

    def combined(self, one: Facts, other: Facts, decisive: Facts) -> Facts:
        """Intersection, which NEVER decides, or union, which ALWAYS decides."""
        key = (one, other, decisive)
        if key not in self._combined:
            first = min((one.variable, other.variable), key=lambda variable: variable.order)
            cases = {}
            for value in (
                *(one.cases if one.variable is first else ()),
                *(other.cases if other.variable is first else ()),
            ):
                cases[value] = _either_or(one.of(first, value), other.of(first, value), decisive)
            otherwise = _either_or(one.of(first, None), other.of(first, None), decisive)
            self._combined[key] = self._combined[other, one, decisive] = self._node(first, cases, otherwise)
        return self._combined[key]

    def negated(self, facts: Facts) -> Facts:
        if facts not in self._negated:
            cases = {value: ~rest for value, rest in facts.cases.items()}
            self._negated[facts] = self._node(facts.variable, cases, ~facts.otherwise)
        return self._negated[facts]

    def given(self, facts: Facts, variable: Variable, value: str) -> Facts:
        """What is left of the facts when a variable has this value: nothing about that variable."""
        if facts in (ALWAYS, NEVER) or variable.order == 0 or facts.variable.order > variable.order:
            return facts
        if facts.variable is variable:
            return facts.of(variable, value)
        key = (facts, variable, value)
        if key not in self._given:
            cases = {case: self.given(rest, variable, value) for case, rest in facts.cases.items()}
            self._given[key] = self._node(facts.variable, cases, self.given(facts.otherwise, variable, value))
        return self._given[key]

    def _node(self, variable: Variable, cases: dict[str, Facts], otherwise: Facts) -> Facts:
        """The one object for these facts; of values that are all known, the last one is the other."""
        if not variable.order:
            self._variables += 1
            variable.order = self._variables
        if variable.values is not None:
            last = variable.values[-1]
            rest = cases.get(last, otherwise)
            if rest is not otherwise:
                cases = {value: cases.get(value, otherwise) for value in variable.values}
                otherwise = rest
        differing = {value: cases[value] for value in sorted(cases) if cases[value] is not otherwise}
        if not differing:
            return otherwise
        key = (variable, tuple(differing.items()), otherwise)
        if key not in self._nodes:
            if len(self._nodes) >= MOST_FACTS:
                raise TooManyFacts(f"{MOST_FACTS} facts")
            self._nodes[key] = Facts(self, variable, differing, otherwise)
        return self._nodes[key]


def _either_or(one: Facts, other: Facts, decisive: Facts) -> Facts:
    return one & other if decisive is NEVER else one | other
