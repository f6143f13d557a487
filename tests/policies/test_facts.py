"""Sets of facts against sets of worlds: the same algebra, and what is told of them is exactly them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import reduce
from operator import or_
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unapproved_iam.policies import facts as facts_module
from unapproved_iam.policies.facts import ALWAYS, NEVER, Diagram, Facts, TooManyFacts, Variable
from unapproved_iam.policies.told_facts import told

VALUES = {"Env": ("dev", "prod", "qa"), "Admin": ("false", "true"), "Team": ("red", "blue", "neither")}
CLOSED = {"Env": VALUES["Env"], "Admin": VALUES["Admin"], "Team": None}
World = dict[str, str]


def worlds() -> Iterator[World]:
    for values in itertools.product(*VALUES.values()):
        yield dict(zip(VALUES, values, strict=True))


class Atoms(NamedTuple):
    diagram: Diagram
    variables: dict[str, Variable]

    def facts(self, name: str, value: str) -> Facts:
        return self.diagram.has_value(self.variables[name], value)


def atoms() -> Atoms:
    return Atoms(Diagram(), {name: Variable(name, values) for name, values in CLOSED.items()})


def constants(name: str) -> tuple[str, ...]:
    return VALUES[name] if CLOSED[name] else VALUES[name][:-1]


ATOM = st.sampled_from([(name, value) for name in VALUES for value in constants(name)])
FORMULA = st.recursive(
    ATOM,
    lambda part: st.one_of(
        st.tuples(st.just("not"), part), st.tuples(st.just("and"), part, part), st.tuples(st.just("or"), part, part)
    ),
    max_leaves=12,
)


def built(of: Atoms, formula: tuple) -> Facts:  # type: ignore[type-arg]
    match formula:
        case ("not", part):
            return ~built(of, part)
        case ("and", one, other):
            return built(of, one) & built(of, other)
        case ("or", one, other):
            return built(of, one) | built(of, other)
    return of.facts(*formula)


def holds(formula: tuple, world: World) -> bool:  # type: ignore[type-arg]
    match formula:
        case ("not", part):
            return not holds(part, world)
        case ("and", one, other):
            return holds(one, world) and holds(other, world)
        case ("or", one, other):
            return holds(one, world) or holds(other, world)
    name, value = formula
    return world[str(name)] == str(value)


@given(FORMULA, FORMULA)
def test_facts_are_sets_of_worlds(one: tuple, other: tuple) -> None:  # type: ignore[type-arg]
    of = atoms()
    facts, others = built(of, one), built(of, other)
    assert [facts.hold(world) for world in worlds()] == [holds(one, world) for world in worlds()]
    same = all(holds(one, world) == holds(other, world) for world in worlds())
    assert (facts is others) == same  # what holds in the same worlds is the same object
    assert (facts is ALWAYS) == all(holds(one, world) for world in worlds())
    assert (facts is NEVER) == (not any(holds(one, world) for world in worlds()))


@given(FORMULA)
def test_what_is_left_when_a_variable_has_a_value(formula: tuple) -> None:  # type: ignore[type-arg]
    of = atoms()
    facts = built(of, formula)
    for name, value in (("Env", "prod"), ("Team", "red"), ("Admin", "true")):
        left = of.diagram.given(facts, of.variables[name], value)
        assert of.variables[name] not in left.variables()
        assert all(left.hold(world) == holds(formula, {**world, name: value}) for world in worlds())


def meant(sentences: tuple[str, ...], world: World) -> bool:
    """What the words of a message say of a world."""
    return all(any(case_holds(case, world) for case in s.split(" or when ")) for s in sentences)


def case_holds(case: str, world: World) -> bool:
    return all(fact_holds(fact, world) for fact in case.split(" and "))


def fact_holds(fact: str, world: World) -> bool:
    name, _, said = fact.partition(" is ")
    if said.startswith("not "):
        return world[name] != said.removeprefix("not ")
    if said.startswith("neither "):
        return world[name] not in said.removeprefix("neither ").split(" nor ")
    return world[name] in said.split(" or ")


@given(FORMULA, FORMULA)
def test_what_is_told_is_exact(formula: tuple, assumption: tuple) -> None:  # type: ignore[type-arg]
    """In every world that is possible, the words hold when the facts do."""
    of = atoms()
    facts, assumed = built(of, formula), built(of, assumption)
    if facts & assumed is NEVER:
        return
    sentences = told(facts & assumed, assumed)
    if any("other cases" in sentence for sentence in sentences):
        return
    for world in worlds():
        if holds(assumption, world):
            assert meant(sentences, world) == holds(formula, world)


@pytest.mark.parametrize(
    ("formula", "sentences"),
    [
        (("or", ("Env", "prod"), ("Env", "dev")), ("Env is dev or prod",)),
        (("not", ("Env", "dev")), ("Env is prod or qa",)),
        (("not", ("Team", "red")), ("Team is not red",)),
        (("not", ("or", ("Team", "red"), ("Team", "blue"))), ("Team is neither blue nor red",)),
        (("and", ("Env", "prod"), ("Admin", "true")), ("Admin is true", "Env is prod")),
        (("or", ("Env", "prod"), ("Admin", "true")), ("Admin is true or when Env is prod",)),
        (("or", ("Admin", "false"), ("Admin", "true")), ()),
    ],
)
def test_the_words(formula: tuple, sentences: tuple[str, ...]) -> None:  # type: ignore[type-arg]
    assert told(built(atoms(), formula)) == sentences


def test_a_name_says_what_would_be_long() -> None:
    diagram = Diagram()
    long = ALWAYS
    for number in range(9):
        long &= diagram.has_value(Variable(f"P{number}"), "x")
    names = {"Condition All": long, "Condition Other": diagram.has_value(Variable("Q"), "x")}
    assert told(long, names=names) == ("Condition All is true",)
    assert told(~long, names=names) == ("Condition All is false",)
    assert told(long & names["Condition Other"], names=names) == ("Condition All is true", "Condition Other is true")


def test_many_cases_are_counted() -> None:
    diagram = Diagram()
    any_of = NEVER
    for number in range(9):
        any_of |= diagram.has_value(Variable(f"P{number}"), "x")
    assert told(any_of) == ("P0 is x or when P1 is x or when P2 is x or in 6 other cases",)


def test_a_variable_of_another_file() -> None:
    diagram = Diagram()
    facts = diagram.has_value(Variable("parameter Env", owner="parent.yaml"), "")
    assert told(facts, here="child.yaml") == ('parameter Env of parent.yaml is ""',)
    assert told(facts, here="parent.yaml") == ('parameter Env is ""',)


def test_facts_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pairs that are asked about in the worst order double with each pair."""
    monkeypatch.setattr(facts_module, "MOST_FACTS", 2_000)
    diagram = Diagram()
    firsts, seconds = ([Variable(f"{side}{n}") for n in range(14)] for side in "ab")
    for variable in (*firsts, *seconds):
        diagram.has_value(variable, "x")
    pairs = [diagram.has_value(a, "x") & diagram.has_value(b, "x") for a, b in zip(firsts, seconds, strict=True)]
    with pytest.raises(TooManyFacts):
        reduce(or_, pairs)
