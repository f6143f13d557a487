"""How facts meet, unite and are negated, and the words that a message has for them."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unapproved_iam.hcl.fact_words import files_of_ways, words, words_of_ways
from unapproved_iam.hcl.facts import (
    ALWAYS,
    ANYTHING,
    DEFAULT,
    Choice,
    Constant,
    Facts,
    Numeral,
    Subject,
    constant_of_text,
    is_loaded,
    is_none_of,
    is_one_of,
    joined,
    without,
)
from unapproved_iam.hcl.ways import exclusive, united

A, B, C = Subject("a"), Subject("b"), Subject("c")
VALUES = ("x", "y", "z", "else")
WORLDS: list[dict[Subject, str | bool]] = [
    {A: a, B: b, C: c} for a, b, c in product(VALUES, VALUES, (True, False))
]  # C is a condition


def hold(facts: Facts, world: dict[Subject, str | bool]) -> bool:
    return all((world[one] in choice.constants) is not choice.excludes for one, choice in facts.choices.items())


choices = st.builds(
    Choice, st.frozensets(st.sampled_from(VALUES[:3]), min_size=1), st.booleans(), st.just(False)
)  # "else" stands for what nobody names
conditions = st.booleans().map(lambda truth: Choice(frozenset({truth}), is_condition=True))
several = st.tuples(st.dictionaries(st.sampled_from((A, B)), choices), st.dictionaries(st.just(C), conditions)).map(
    lambda both: Facts(both[0] | both[1]) if both[0] or both[1] else ALWAYS
)


@pytest.mark.parametrize(
    ("written", "constant"),
    [
        ("true", True),
        ("false", False),
        ("3", Numeral(3)),
        ("-0.5", Numeral(Fraction(-1, 2))),
        *((written, written) for written in ("", "True", "1.0", "01", "-0", "1e3", "+1", ".5", "1.", "null", "1\n")),
    ],
)
def test_a_text_is_the_bool_or_number_that_it_becomes(written: str, constant: Constant) -> None:
    found = constant_of_text(written)
    assert found == constant
    assert joined(is_one_of(A, found), is_none_of(A, constant)) is None
    assert list(words(is_one_of(A, found))) == [f"a is {json.dumps(written)}"]


def test_two_texts_are_not_all_that_a_text_may_be() -> None:
    both = [is_one_of(A, constant_of_text(truth)) for truth in ("true", "false")]
    assert words_of_ways(both) == ('a is "false" or "true"',)


@given(several, several)
def test_joined_facts_hold_where_both_hold(one: Facts, other: Facts) -> None:
    both = joined(one, other)
    for world in WORLDS:
        assert (both is not None and hold(both, world)) is (hold(one, world) and hold(other, world))


@given(several, several)
def test_what_is_left_without_others_excludes_them_and_itself(one: Facts, other: Facts) -> None:
    left = without(one, other)
    for world in WORLDS:
        ways = [hold(way, world) for way in left]
        assert sum(ways) == (hold(one, world) and not hold(other, world))


@given(st.lists(several, min_size=1, max_size=4))
def test_exclusive_ways_hold_once_where_any_holds(ways: list[Facts]) -> None:
    apart = exclusive(ways)
    for world in WORLDS:
        assert sum(hold(way, world) for way in apart) == any(hold(way, world) for way in ways)


@given(several, st.sampled_from((A, B, C)))
def test_facts_that_differ_in_one_subject_have_one_hash_without_it(facts: Facts, subject: Subject) -> None:
    rest = facts.replacing(subject, ANYTHING)
    assert facts.hash_without(subject) == hash(rest) == hash(Facts(dict(list(rest.choices.items())[::-1])))
    assert facts.with_last([A, B]) == facts
    assert hash(facts.with_last([A, B])) == hash(facts)
    assert list(facts.with_last([A, B]).choices) == [one for one in (C, A, B) if one in facts.choices]


@given(st.lists(several, min_size=1, max_size=6))
def test_united_ways_hold_where_any_holds(ways: list[Facts]) -> None:
    fewer = united(ways)
    assert len(fewer) <= len(ways)
    for world in WORLDS:
        assert any(hold(way, world) for way in fewer) is any(hold(way, world) for way in ways)


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        (is_one_of(A, "x"), ['a is "x"']),
        (is_one_of(A, "y", "x"), ['a is "x" or "y"']),
        (is_one_of(A, "x", "y", None), ['a is "x", "y", or null']),
        (is_none_of(A, "x"), ['a is not "x"']),
        (is_none_of(A, "x", "y"), ['a is neither "x" nor "y"']),
        (is_one_of(A, True), ["a is true"]),
        (is_none_of(A, True), ["a is false"]),
        (is_one_of(A, Numeral(1)), ["a is 1"]),
        (is_one_of(A, DEFAULT), ["a is its default"]),
        (is_one_of(Subject("length(a) > 0"), True), ["length(a) > 0"]),
        (is_one_of(Subject("length(a) > 0"), False), ["length(a) <= 0"]),
        (is_one_of(Subject("a == b"), False), ["a != b"]),
        (joined(is_none_of(A, DEFAULT), is_one_of(Subject("length(a) > 0"), True)), ["length(a) > 0"]),
        (is_loaded("x.auto.tfvars"), []),
        (joined(is_one_of(A, "x"), is_one_of(Subject("a", 1), "y")), ['a is "x"', 'another a is "y"']),
        (is_one_of(A, *"0123456789"), ['a is "0", "1", "2", "3", "4", or one of 5 more']),
    ],
)
def test_words(facts: Facts, told: list[str]) -> None:
    assert list(words(facts)) == told


def test_ways_are_told_in_the_shortest_words() -> None:
    one, other = is_one_of(A, True), is_one_of(B, True)
    assert words_of_ways([one, other]) == ("a is true or b is true",)
    late = Facts({**is_one_of(A, False).choices, **other.choices})
    assert words_of_ways([one, late]) == ("a is true or b is true",)  # that a is false is needless
    assert words_of_ways([ALWAYS, one]) == ()


def test_files_are_told_as_the_origin() -> None:
    assert files_of_ways([is_loaded("x.auto.tfvars")]) == "x.auto.tfvars"
    assert files_of_ways([ALWAYS, is_one_of(A, True)]) == ""
