"""How alternatives are united, combined and bounded, and what becomes of the parts of a collection."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from unapproved_iam.hcl import alternatives, collection_parts
from unapproved_iam.hcl.alternatives import applied, one_of, unknown_like
from unapproved_iam.hcl.collection_parts import (
    Parts,
    bounded_mapping,
    bounded_sequence,
    sequence_of,
    spliced,
)
from unapproved_iam.hcl.decimal_numbers import computed_number
from unapproved_iam.hcl.facts import ALWAYS, Facts, Subject, is_none_of, is_one_of
from unapproved_iam.hcl.operators import are_equal
from unapproved_iam.hcl.texts import possible_texts
from unapproved_iam.hcl.values import (
    NULL,
    Boolean,
    Entry,
    Item,
    Kind,
    Mapping,
    Null,
    Number,
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
)
from unapproved_iam.policies.possible_text import Hole, text

POLICY = "arn:aws:iam::aws:policy/X"
C, NOT_C, D = (is_one_of(Subject(name), truth) for name, truth in (("c", True), ("c", False), ("d", True)))


def string_plain(content: str) -> String:
    return String(text(content))


def numbered(number: int, *more: str) -> list[Value]:
    return [string(content) for content in (*map(str, range(number - len(more))), *more)]


def only_unknown(value: Value) -> Unknown:
    (possible,) = value
    assert isinstance(possible.plain, Unknown)
    return possible.plain


# -- alternatives ------------------------------------------------------------------------------------------------------


@pytest.fixture
def few_possible(monkeypatch: pytest.MonkeyPatch) -> int:
    """The bound at a size that a test can reach."""
    monkeypatch.setattr(alternatives, "MAX_POSSIBLE", 8)
    return 8


def test_the_same_alternative_counts_once(few_possible: int) -> None:
    assert one_of([string("a")] * (few_possible + 1), "x") == string("a")


@pytest.mark.parametrize(
    ("one", "other", "united"),
    [
        (C, NOT_C, [ALWAYS]),
        (C, D, [C, D]),
        (C, C, [C]),
        (C, is_one_of(Subject("c", "another turn"), False), [C, is_one_of(Subject("c", "another turn"), False)]),
    ],
)
def test_what_holds_either_way_holds(one: Facts, other: Facts, united: list[Facts]) -> None:
    value = one_of([under(string("a"), one), under(string("a"), other)], "x")
    assert [possible.when for possible in value] == united


def test_other_alternatives_keep_their_facts() -> None:
    value = one_of([under(string("a"), C), under(string("b"), NOT_C)], "x")
    assert [possible.when for possible in value] == [C, NOT_C]


def test_too_many_alternatives_are_not_judged_and_remember_policies(few_possible: int) -> None:
    assert len(one_of(numbered(few_possible, POLICY), "x").possible) == few_possible
    plain = only_unknown(one_of(numbered(few_possible + 1, POLICY), "x"))
    assert (plain.hole.reason, plain.hole.is_limit) == (f"x has more than {few_possible} possible values", True)
    assert [str(found.text) for found in plain.found] == [POLICY]


def test_of_too_many_ways_only_what_they_have_in_common_is_known() -> None:
    ways = [Facts({**D.choices, **is_one_of(Subject(f"s{number}"), True).choices}) for number in range(40)]
    (possible,) = one_of([under(string("a"), way) for way in ways], "x")
    assert possible.when.of(Subject("d")) == D.of(Subject("d"))
    assert not possible.when.is_sure


# -- functions of alternatives -----------------------------------------------------------------------------------------


def joined_texts(*plains: Plain) -> Value:
    return string("-".join(str(plain.text) for plain in plains if isinstance(plain, String)))


def test_a_result_holds_under_the_facts_of_its_arguments() -> None:
    one, other = under(string("a"), C), under(string("b"), D)
    (possible,) = applied(joined_texts, (value for value in (one, string("c"), other, one)), "x")
    assert possible == Possible(string_plain("a-c-b-a"), Facts({**C.choices, **D.choices}))


def test_arguments_that_exclude_one_another_have_no_result() -> None:
    one = one_of([under(string("a"), C), under(string("b"), NOT_C)], "x")
    results = applied(joined_texts, [one, one], "x")
    assert [possible.plain for possible in results] == [string_plain("a-a"), string_plain("b-b")]
    assert list(applied(joined_texts, [under(string("a"), C), under(string("z"), NOT_C)], "x")) == []


def test_a_function_is_told_what_the_facts_say_of_an_unknown_argument() -> None:
    x = Subject("var.x")
    value = exactly(Unknown(Hole("var.x", "why", subject=x)))
    told = applied(joined_texts, [under(value, is_one_of(x, "a")), string("b")], "x")
    assert [possible.plain for possible in told] == [string_plain("a-b")]


def test_too_many_combinations_are_not_judged_and_remember_policies(few_possible: int) -> None:
    four, three, two = (one_of(numbered(number), "x") for number in (4, 3, 2))
    assert applied(lambda *plains: string("a"), [four, two], "x") == string("a")
    plain = only_unknown(applied(lambda *plains: string("a"), [four, three, string(POLICY)], "x"))
    assert (plain.hole.reason, plain.hole.is_limit) == (f"x has more than {few_possible} possible values", True)
    assert [str(found.text) for found in plain.found] == [POLICY]


def test_what_else_variables_may_be_is_one_alternative_and_no_product() -> None:
    def variable(name: str) -> Value:
        other = Unknown(Hole(name, "why", subject=Subject(name), is_other=True))
        return one_of(
            [
                under(string(name), is_one_of(Subject(name), name)),
                under(exactly(other), is_none_of(Subject(name), name)),
            ],
            name,
        )

    names = [f"v{number}" for number in range(30)]
    told, other = applied(joined_texts, [variable(name) for name in names], "x")
    assert told.plain == string_plain("-".join(names))
    assert only_unknown(Value((other,))).hole.is_other


@pytest.mark.parametrize("others", [[string("a")], [one_of(numbered(2), "x")]], ids=["one combination", "several"])
def test_what_is_refused_is_refused_under_all_facts(others: list[Value]) -> None:
    result = applied(joined_texts, [under(refused("x", "why"), C), *(under(one, D) for one in others)], "x")
    (possible,) = result
    assert is_refused(possible)
    assert possible.when == Facts({**C.choices, **D.choices})


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


def listed(*values: Value, when: Facts = ALWAYS, **more: Any) -> Sequence:
    return Sequence(tuple(Item(value, when) for value in values), **more)


def mapped(key: str | Hole, content: str, when: Facts = ALWAYS) -> Mapping:
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
        (listed(string("a")), listed(string("b"), when=C), None),
        (listed(string("a"), string("b")), listed(string("b"), string("c"), ordered=False), None),
        (listed(string("a")), listed(string("b"), rest=string("c")), None),
        (listed(string("a")), listed(one_of([string("a"), string("b")], "x")), None),
        (listed(string("a")), listed(one_of([string("b"), string("c")], "x")), False),
        (mapped("a", "x"), mapped("a", "x"), None),
        (mapped("a", "x"), mapped("a", "y"), False),
        (mapped("a", "x"), mapped("b", "x"), False),
        (mapped("a", "x"), mapped("a", "y", C), None),
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
    (possible,) = computed_number(number, "x")
    assert isinstance(possible.plain, Number) is is_exact


# -- parts -------------------------------------------------------------------------------------------------------------


def test_collections_are_bounded_and_remember_policies(monkeypatch: pytest.MonkeyPatch) -> None:
    most_items = 100
    monkeypatch.setattr(collection_parts, "MAX_ITEMS", most_items)
    items = tuple(Item(string(POLICY)) for _ in range(most_items + 1))
    most = Sequence(items[1:], kind=Kind.SET)
    assert bounded_sequence(most, "x") is most
    more = bounded_sequence(Sequence(items, kind=Kind.SET), "x")
    assert (more.items, more.kind, more.ordered) == ((), Kind.SET, False)
    entries = tuple(Entry(text(str(number)), string(POLICY)) for number in range(most_items + 1))
    fewer = Mapping(entries[1:], Kind.MAP)
    assert bounded_mapping(fewer, "x") is fewer
    (entry,) = bounded_mapping(Mapping(entries, Kind.MAP), "x").entries
    assert [hole.reason for hole in entry.key.holes] == [f"x has more than {most_items} elements"]
    for rest in (more.rest, entry.value):
        assert rest
        plain = only_unknown(rest)
        assert plain.hole.reason == f"x has more than {most_items} elements"
        assert [str(found.text) for found in plain.found] == [POLICY]
    whole = Parts().whole(Mapping(entries, Kind.MAP), "x").decided
    assert isinstance(whole, Mapping)
    assert whole.kind is Kind.MAP


def test_where_a_part_is_refused_the_whole_is() -> None:
    parts = Parts()
    for value in (under(refused("x", "why"), C), refused("y", "why")):
        assert parts.accepts(value, D) is None
    computed, refusal = parts.joined_with(string("a"), "x")
    assert computed.plain == string_plain("a")
    assert is_refused(refusal)
    assert (computed.when, refusal.when) == (is_none_of(Subject("d"), True), D)


def test_an_excluded_part_does_not_end_the_others() -> None:
    one, other = (under(exactly(listed(string(content))), when) for content, when in (("a", C), ("b", NOT_C)))
    assert spliced([(one_of([one, other], "x"), NOT_C)], "x") == listed(string("b"), when=NOT_C)


def test_an_unknown_list_has_any_number_of_elements() -> None:
    sequence = sequence_of(HOLE)
    assert sequence
    assert (sequence.items, [str(text.text) for text in possible_texts(sequence.rest or NULL)]) == ((), ["${x}"])
    assert sequence_of(string_plain("a")) is None
