"""Bounds of numbers against brute force: which numbers are left, and whether any is."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st
from unapproved_iam.hcl.bounds import Bound, Count, is_admitted, leave_nothing
from unapproved_iam.hcl.facts import Facts, Numeral, Subject, holds, is_none_of, is_one_of, joined

HALVES = [Fraction(number, 2) for number in range(-3, 12)]  # between all limits there is one, and beyond them
truths = st.lists(st.tuples(st.builds(Bound, st.integers(0, 4), st.booleans()), st.booleans()), max_size=3)
excluded = st.sets(st.integers(0, 4), max_size=4)


counts = st.builds(Count, st.integers(0, 3), st.none() | st.integers(3, 5))


@given(truths, excluded, st.none() | counts)
def test_what_bounds_leave(several: list[tuple[Bound, bool]], without: set[int], count: Count | None) -> None:
    left = [one for one in HALVES if is_admitted(one, several) and one not in without]
    if count is not None:
        left = [one for one in left if count.admits(one)]
    assert leave_nothing(several, without, count) is (not left)


def compared(number: Subject, limit: int, truth: bool) -> Facts:
    return holds(Subject(f"{number.written} > {limit}", bound=(number, Bound(limit))), truth)


def test_bounds_and_values_are_one_world() -> None:
    number, count = Subject("n"), Subject("length(l)", count=Count())
    assert joined(compared(number, 4, True), compared(number, 2, False)) is None
    assert joined(compared(number, 2, True), compared(number, 4, False)) is not None
    assert joined(compared(number, 2, True), is_one_of(number, Numeral(2))) is None
    assert joined(compared(count, 1, True), compared(count, 2, False), is_none_of(count, Numeral(2))) is None
    few = joined(compared(number, 2, True), is_one_of(number, Numeral(2), Numeral(3)))
    assert few is not None
    assert few.of(number) == is_one_of(number, Numeral(3)).of(number)
    some = Subject("length(m)", count=Count(1, 3))
    assert joined(compared(some, 2, True), is_none_of(some, Numeral(3))) is None
    assert joined(compared(some, 0, False), is_one_of(A, "x")) is None
    assert joined(is_one_of(some, Numeral(4)), is_one_of(A, "x")) is None
    assert joined(is_one_of(some, Numeral(3)), is_one_of(A, "x")) is not None


A = Subject("a")
