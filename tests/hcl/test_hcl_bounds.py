"""Bounds of numbers against brute force: which numbers are left, and whether any is."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st
from unapproved_iam.hcl.bounds import Bound, is_admitted, leave_nothing
from unapproved_iam.hcl.facts import Facts, Numeral, Subject, holds, is_none_of, is_one_of, joined

HALVES = [Fraction(number, 2) for number in range(-3, 12)]  # between all limits there is one, and beyond them
truths = st.lists(st.tuples(st.builds(Bound, st.integers(0, 4), st.booleans()), st.booleans()), max_size=3)
excluded = st.sets(st.integers(0, 4), max_size=4)


@given(truths, excluded, st.booleans())
def test_what_bounds_leave(several: list[tuple[Bound, bool]], without: set[int], is_count: bool) -> None:
    left = [one for one in HALVES if is_admitted(one, several) and one not in without]
    if is_count:
        left = [one for one in left if one.denominator == 1 and one >= 0]
    assert leave_nothing(several, without, is_count) is (not left)


def compared(number: Subject, limit: int, truth: bool) -> Facts:
    return holds(Subject(f"{number.written} > {limit}", bound=(number, Bound(limit))), truth)


def test_bounds_and_values_are_one_world() -> None:
    number, count = Subject("n"), Subject("length(l)", is_count=True)
    assert joined(compared(number, 4, True), compared(number, 2, False)) is None
    assert joined(compared(number, 2, True), compared(number, 4, False)) is not None
    assert joined(compared(number, 2, True), is_one_of(number, Numeral(2))) is None
    assert joined(compared(count, 1, True), compared(count, 2, False), is_none_of(count, Numeral(2))) is None
    few = joined(compared(number, 2, True), is_one_of(number, Numeral(2), Numeral(3)))
    assert few is not None
    assert few.of(number) == is_one_of(number, Numeral(3)).of(number)
