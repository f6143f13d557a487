"""How alternatives are united, combined and bounded, and what becomes of the parts of a collection."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from unapproved_iam.hcl.alternatives import applied, one_of, unknown_like
from unapproved_iam.hcl.collection_parts import (
    Parts,
    bounded_mapping,
    bounded_sequence,
    conditions_of,
    openness_of,
    sequence_of,
    spliced,
)
from unapproved_iam.hcl.operators import are_equal, number_value
from unapproved_iam.hcl.values import (
    MAX_COMBINATIONS,
    MAX_ITEMS,
    MAX_POSSIBLE,
    Boolean,
    Condition,
    Entry,
    Item,
    Kind,
    Mapping,
    Null,
    Number,
    Openness,
    Plain,
    Possible,
    Record,
    Sequence,
    String,
    Unknown,
    Value,
    exactly,
    is_refused,
    refused,
    string,
    under,
    unknown,
)
from unapproved_iam.policies.possible_text import Hole, text

POLICY = "arn:aws:iam::aws:policy/X"
C, NOT_C, D = Condition("c"), Condition("c", holds=False), Condition("d")


def string_plain(content: str) -> String:
    return String(text(content))


def numbered(number: int, *more: str) -> list[Value]:
    return [string(content) for content in (*map(str, range(number - len(more))), *more)]


def only_unknown(value: Value) -> Unknown:
    (possible,) = value
    assert isinstance(possible.plain, Unknown)
    return possible.plain


# -- alternatives ------------------------------------------------------------------------------------------------------


def test_the_same_alternative_counts_once() -> None:
    assert one_of([string("a")] * (MAX_POSSIBLE + 1), "x") == string("a")


@pytest.mark.parametrize(
    ("one", "other", "united"),
    [
        (C, NOT_C, [()]),
        (C, D, [(C,), (D,)]),
        (C, Condition("c", holds=False, owner="another turn"), [(C,), (Condition("c", False, "another turn"),)]),
    ],
)
def test_what_holds_either_way_holds(one: Condition, other: Condition, united: list[tuple[Condition, ...]]) -> None:
    value = one_of([under(string("a"), (one,)), under(string("a"), (other,))], "x")
    assert [possible.when for possible in value] == united


def test_other_alternatives_keep_their_conditions() -> None:
    value = one_of([under(string("a"), (C,)), under(string("b"), (NOT_C,))], "x")
    assert [possible.when for possible in value] == [(C,), (NOT_C,)]


def test_too_many_alternatives_are_a_hole_that_remembers_policies() -> None:
    assert len(one_of(numbered(MAX_POSSIBLE, POLICY), "x").possible) == MAX_POSSIBLE
    plain = only_unknown(one_of(numbered(MAX_POSSIBLE + 1, POLICY), "x"))
    assert plain.hole.reason == f"x has more than {MAX_POSSIBLE} possible values"
    assert [str(found.text) for found in plain.found] == [POLICY]


def test_too_many_conditions_are_dropped_first() -> None:
    values = [under(string(str(number % 2)), (Condition(str(number)),)) for number in range(MAX_POSSIBLE + 1)]
    assert one_of(values, "x") == one_of([string("0"), string("1")], "x")
    assert [possible.when for possible in one_of(values[1:], "x")] == [value.possible[0].when for value in values[1:]]


# -- functions of alternatives -----------------------------------------------------------------------------------------


def joined_texts(*plains: Plain) -> Value:
    return string("-".join(str(plain.text) for plain in plains if isinstance(plain, String)))


def test_a_result_holds_under_the_conditions_of_its_arguments() -> None:
    one = Value((Possible(string_plain("a"), (C,), Openness.ELEMENT, "a.tfvars"),))
    other = Value((Possible(string_plain("b"), (D,), Openness.VARIABLE, "b.tfvars"),))
    (possible,) = applied(joined_texts, (value for value in (one, string("c"), other, one)), "x")
    assert possible == Possible(string_plain("a-c-b-a"), (C, D), Openness.VARIABLE, "a.tfvars, b.tfvars")


def test_arguments_that_exclude_one_another_have_no_result() -> None:
    one = one_of([under(string("a"), (C,)), under(string("b"), (NOT_C,))], "x")
    results = applied(joined_texts, [one, one], "x")
    assert [possible.plain for possible in results] == [string_plain("a-a"), string_plain("b-b")]
    never = one_of([under(string("a"), (C,)), under(string("b"), (C, D))], "x")
    hole = only_unknown(applied(joined_texts, [never, under(string("z"), (NOT_C,))], "x")).hole
    assert hole.reason == "no combination of its conditions is possible"


def test_too_many_combinations_are_a_hole_that_remembers_policies() -> None:
    four = one_of(numbered(4), "x")
    assert MAX_COMBINATIONS == 4 * MAX_POSSIBLE
    as_many = applied(lambda *plains: string("a"), [four, one_of(numbered(MAX_POSSIBLE), "x")], "x")
    assert as_many == string("a")
    five = one_of(numbered(5, POLICY), "x")
    plain = only_unknown(applied(lambda *plains: string("a"), [five, one_of(numbered(MAX_POSSIBLE), "x")], "x"))
    assert plain.hole.reason == f"x has more than {MAX_POSSIBLE} possible values"
    assert [str(found.text) for found in plain.found] == [POLICY]


@pytest.mark.parametrize("others", [[string("a")], [one_of(numbered(2), "x")]], ids=["one combination", "several"])
def test_what_is_refused_is_refused_under_all_conditions(others: list[Value]) -> None:
    result = applied(joined_texts, [under(refused("x", "why"), (C,)), *(under(one, (D,)) for one in others)], "x")
    (possible,) = result
    assert is_refused(possible)
    assert possible.when == (C, D)


def test_an_unknown_result_has_the_reason_of_what_it_depends_on() -> None:
    known = String(text(POLICY))
    holes = Hole("a", "why a", remedy="do a"), Hole("b", "why b")
    for sources, reason, remedy in (
        ((known, Unknown(holes[0]), Unknown(holes[1])), "why a", "do a"),
        ((known, String(text("x", holes[0], "y", holes[1]))), "why a", "do a"),
        ((known, Number(1)), "x depends on values that are not known", ""),
    ):
        plain = only_unknown(unknown_like("x", *sources))
        assert (plain.hole.written, plain.hole.reason, plain.hole.remedy) == ("x", reason, remedy)
        assert [str(found.text) for found in plain.found] == [POLICY]


# -- equality and numbers ----------------------------------------------------------------------------------------------

EMPTY_LIST, EMPTY_MAP = Sequence(()), Mapping(())


def listed(*values: Value, when: tuple[Condition, ...] = (), **more: Any) -> Sequence:
    return Sequence(tuple(Item(value, when) for value in values), **more)


def mapped(key: str | Hole, content: str, when: tuple[Condition, ...] = ()) -> Mapping:
    return Mapping((Entry(text(key), string(content), when),))


RECORD = Record("x", lambda name: string("a"))
HOLE = Unknown(Hole("x", "why"))


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (HOLE, HOLE, None),
        (HOLE, string_plain("a"), None),
        (RECORD, string_plain("a"), None),
        (RECORD, RECORD, None),
        (HOLE, Null(), None),
        (Null(), Null(), True),
        (Null(), string_plain("a"), False),
        (Null(), EMPTY_LIST, False),
        (EMPTY_LIST, EMPTY_LIST, None),  # a list is no tuple
        (EMPTY_LIST, EMPTY_MAP, False),
        (listed(string("a")), listed(string("a")), None),
        (listed(string("a")), listed(string("b")), False),
        (listed(string("a")), listed(string("a"), string("a")), False),
        (listed(string("a")), listed(string("b"), when=(C,)), None),
        (listed(string("a"), string("b")), listed(string("b"), string("c"), ordered=False), None),
        (listed(string("a")), listed(string("b"), rest=string("c")), None),
        (listed(string("a")), listed(one_of([string("a"), string("b")], "x")), None),
        (listed(string("a")), listed(one_of([string("b"), string("c")], "x")), False),
        (mapped("a", "x"), mapped("a", "x"), None),
        (mapped("a", "x"), mapped("a", "y"), False),
        (mapped("a", "x"), mapped("b", "x"), False),
        (mapped("a", "x"), mapped("a", "y", (C,)), None),
        (mapped("a", "x"), mapped(Hole("k", "why"), "y"), None),
        (EMPTY_LIST, string_plain("a"), False),
        (EMPTY_MAP, string_plain("a"), False),
        (string_plain("a"), string_plain("a"), True),
        (string_plain("a"), string_plain("b"), False),
        (string_plain("1"), Number(1), None),
        (string_plain("2"), Number(1), False),
        (Boolean(True), Boolean(True), True),
        (Boolean(True), Boolean(False), False),
    ],
)
def test_what_is_equal(one: Plain, other: Plain, equal: bool | None) -> None:
    assert are_equal(one, other) is equal
    assert are_equal(other, one) is equal


@pytest.mark.parametrize(
    ("number", "is_exact"),
    [
        (Fraction(2**500 - 1), True),
        (Fraction(2**500), False),
        (Fraction(-(2**500)), False),
        (Fraction(1, 2**499), True),
        (Fraction(1, 2**500), False),
        (Fraction(1, 3), False),
        (Fraction(3, 4), True),
        (Fraction(0), True),
    ],
)
def test_numbers_that_terraform_may_round_are_not_computed(number: Fraction, is_exact: bool) -> None:
    (possible,) = number_value(number, "x")
    assert isinstance(possible.plain, Number) is is_exact


# -- parts -------------------------------------------------------------------------------------------------------------


def test_collections_are_bounded_and_remember_policies() -> None:
    items = tuple(Item(string(POLICY)) for _ in range(MAX_ITEMS + 1))
    most = Sequence(items[1:], kind=Kind.SET)
    assert bounded_sequence(most, "x") is most
    more = bounded_sequence(Sequence(items, kind=Kind.SET), "x")
    assert (more.items, more.kind, more.ordered) == ((), Kind.SET, False)
    entries = tuple(Entry(text(str(number)), string(POLICY)) for number in range(MAX_ITEMS + 1))
    fewer = Mapping(entries[1:], Kind.MAP)
    assert bounded_mapping(fewer, "x") is fewer
    (entry,) = bounded_mapping(Mapping(entries, Kind.MAP), "x").entries
    assert [hole.reason for hole in entry.key.holes] == [f"it has more than {MAX_ITEMS} elements"]
    for rest in (more.rest, entry.value):
        assert rest
        plain = only_unknown(rest)
        assert plain.hole.reason == f"it has more than {MAX_ITEMS} elements"
        assert [str(found.text) for found in plain.found] == [POLICY]
    whole = Parts().whole(Mapping(entries, Kind.MAP), "x").decided
    assert isinstance(whole, Mapping)
    assert whole.kind is Kind.MAP


def test_a_refusal_is_as_open_as_the_most_open_part() -> None:
    parts = Parts()
    opened = under(refused("x", "why"), (C,), Openness.VARIABLE)
    for value in (refused("x", "why"), opened, refused("y", "why")):
        assert parts.accepts(value, (D,)) is None
    computed, refusal = parts.joined_with(string("a"), "x")
    assert computed.plain == string_plain("a")
    assert is_refused(refusal)
    assert (refusal.when, refusal.openness) == ((D,), Openness.VARIABLE)


def test_an_excluded_part_does_not_end_the_others() -> None:
    one, other = (under(exactly(listed(string(content))), (when,)) for content, when in (("a", C), ("b", NOT_C)))
    assert spliced([(one_of([one, other], "x"), (NOT_C,))], "x") == listed(string("b"), when=(NOT_C,))


def test_an_unknown_list_is_open() -> None:
    sequence = sequence_of(HOLE)
    assert sequence
    assert sequence.rest
    assert [possible.openness for possible in sequence.rest] == [Openness.VARIABLE]
    assert sequence_of(string_plain("a")) is None


def test_values_are_as_open_as_the_most_open() -> None:
    values = [string("a"), unknown("x", "why"), string("b")]
    assert (openness_of(values), openness_of(values[:1]), openness_of([])) == (
        Openness.VARIABLE,
        Openness.DECIDED,
        Openness.DECIDED,
    )


def test_an_alternative_without_conditions_says_that_there_are_others() -> None:
    default, other = Possible(string_plain("a")), Possible(string_plain("b"), origin="envs/prod.tfvars")
    value = Value((default, other, Possible(string_plain("c"), (C,))))
    assert [tuple(map(str, conditions_of(possible, value, "var.x"))) for possible in value] == [
        ("var.x == the value from the defaults",),
        ("var.x == the value from envs/prod.tfvars",),
        ("c is true",),
    ]
    assert conditions_of(default, exactly(default.plain), "var.x") == ()
