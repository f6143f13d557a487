"""Turn facts into the words of a message ("when var.env is prod"): every case, in as few words as possible.

For the readers that report attachments. Facts become cases: each says of some variables which values they have. A case
is made as wide as the facts allow, which drops what is implied; a case that others cover is dropped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from unapproved_iam.policies.facts import ALWAYS, NEVER, Diagram, Facts, Variable

MOST_CASES = 3  # that a sentence lists, when no condition's name says the same
MOST_SAID = 4  # of variables in one case, as before
MOST_TRIED = 16  # cases that are looked at
MOST_VALUES = 8  # of a variable whose other values are fewer


class Said(NamedTuple):
    """What is said of one variable: its value is one of these, or (`is_none`) none of them."""

    values: frozenset[str]
    is_none: bool = False


Case = dict[Variable, Said]


def told(facts: Facts, assumed: Facts = ALWAYS, names: Mapping[str, Facts] = {}, here: str = "") -> tuple[str, ...]:
    """What has to hold, each part a sentence; empty for what always does, when `assumed` holds.

    `names` are facts that have a name, of which messages say that it is true or false. A variable that another file
    than `here` declares is told with the file's name.
    """
    if facts is ALWAYS or assumed & ~facts is NEVER:
        return ()
    teller = _Teller(facts.diagram, facts | ~assumed)
    cases, are_all = teller.cases(facts)
    if are_all and len(cases) == 1 and len(cases[0]) <= MOST_SAID:
        return _sentences(cases[0], here)
    named = _by_names(facts & assumed, assumed, names)
    if named:
        return named
    if len(cases) == 1 and are_all:
        return _sentences(cases[0], here)
    alternatives = sorted((_sentences(case, here) for case in cases), key=lambda said: (len(said), said))
    shown = " or when ".join(" and ".join(said) for said in alternatives[:MOST_CASES])
    if are_all and not cases[MOST_CASES:]:
        return (shown,)
    return (f"{shown} or in {f'{len(cases) - MOST_CASES} other' if are_all else 'other'} cases",)


class _Teller:
    def __init__(self, diagram: Diagram, target: Facts) -> None:
        self.diagram = diagram
        self.refuted = ~target

    def cases(self, facts: Facts) -> tuple[list[Case], bool]:
        """Cases that together say all, and whether they do: where there are too many, some are left out."""
        found = list(islice(_cases_of(facts), MOST_TRIED + 1))
        wide: list[Case] = []
        for case in found:
            widened = self._widened(case)
            if widened not in wide:
                wide.append(widened)
        for case in sorted(wide, key=len, reverse=True):
            others = [other for other in wide if other is not case]
            if self._facts_of(case) & ~self._any_of(others) is NEVER:
                wide = others
        return wide, len(found) <= MOST_TRIED

    def _widened(self, case: Case) -> Case:
        case = dict(case)
        for variable in sorted(case, key=lambda one: -one.order):
            others = {one: said for one, said in case.items() if one is not variable}
            fixed = self._facts_of(others)
            if fixed & self.refuted is NEVER:
                case = others
            else:
                case[variable] = self._widest(variable, case[variable], fixed)
        return case

    def _widest(self, variable: Variable, said: Said, fixed: Facts) -> Said:
        known = {*said.values, *self.refuted.values_of(variable), *(variable.values or ())}
        fine = frozenset(
            value for value in known if fixed & self.diagram.has_value(variable, value) & self.refuted is NEVER
        )
        if variable.values is None and fixed & ~self.diagram.one_of(variable, known) & self.refuted is NEVER:
            return Said(frozenset(known - fine), is_none=True)
        is_long = variable.values is not None and len(fine) > MOST_VALUES > len(known - fine)
        return Said(frozenset(known - fine), is_none=True) if is_long else Said(fine)

    def _facts_of(self, case: Case) -> Facts:
        facts = ALWAYS
        for variable, said in case.items():
            one_of = self.diagram.one_of(variable, said.values)
            facts &= ~one_of if said.is_none else one_of
        return facts

    def _any_of(self, cases: list[Case]) -> Facts:
        facts = NEVER
        for case in cases:
            facts |= self._facts_of(case)
        return facts


def _cases_of(facts: Facts) -> Iterator[Case]:
    """The ways through the diagram that lead to ALWAYS."""
    if facts is ALWAYS:
        yield {}
    elif facts is not NEVER:
        values: dict[Facts, set[str]] = {}
        for value, rest in facts.cases.items():
            values.setdefault(rest, set()).add(value)
        sides = [(Said(frozenset(some)), rest) for rest, some in values.items()]
        sides.append((Said(frozenset(facts.cases), is_none=True), facts.otherwise))
        for said, rest in sides:
            for case in _cases_of(rest):
                yield {facts.variable: said, **case}


def _by_names(facts: Facts, assumed: Facts, names: Mapping[str, Facts]) -> tuple[str, ...]:
    """The same facts by names, when some of them say exactly that."""
    implied: dict[str, Facts] = {}
    for name, meaning in sorted(names.items()):
        for truth, side in (("true", meaning), ("false", ~meaning)):
            if facts & ~side is NEVER and assumed & ~side is not NEVER:
                implied[f"{name} is {truth}"] = side
    for said in list(implied):
        others = {other: side for other, side in implied.items() if other != said}
        if others and _all_of(others, assumed) is _all_of(implied, assumed):
            implied = others
    return tuple(implied) if implied and _all_of(implied, assumed) is facts else ()


def _all_of(sides: Mapping[str, Facts], assumed: Facts) -> Facts:
    for side in sides.values():
        assumed &= side
    return assumed


def _sentences(case: Case, here: str) -> tuple[str, ...]:
    return tuple(sorted(f"{_subject(variable, here)} {_predicate(said)}" for variable, said in case.items()))


def _subject(variable: Variable, here: str) -> str:
    return f"{variable.subject} of {variable.owner}" if variable.owner not in ("", here) else variable.subject


def _predicate(said: Said) -> str:
    values = [value or '""' for value in sorted(said.values)]
    if not said.is_none:
        return f"is {' or '.join(values)}"
    return f"is not {values[0]}" if len(values) == 1 else f"is neither {' nor '.join(values)}"
