"""Hold comparisons of a number against one another: `n > 4` and `n <= 2` are true in no world.

For `hcl.facts`, when facts about bounds of the same number meet.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import ceil, floor
from typing import NamedTuple


class Bound(NamedTuple):
    """That a number is greater than the limit, or equal where it `takes_limit`; else that it is not."""

    limit: Fraction | int
    takes_limit: bool = False

    def admits(self, number: Fraction | int) -> bool:
        return number > self.limit or (self.takes_limit and number == self.limit)


class Count(NamedTuple):
    """What is counted: a whole number, between these two."""

    least: int = 0
    most: int | None = None

    def admits(self, number: Fraction | int) -> bool:
        return number.denominator == 1 and number >= self.least and (self.most is None or number <= self.most)


Truths = list[tuple[Bound, bool]]

MAX_COUNTED = 16  # whole numbers between bounds that are looked at one by one


def is_admitted(number: Fraction | int, truths: Truths) -> bool:
    """Whether a number is one that all of them say."""
    return all(bound.admits(number) is truth for bound, truth in truths)


def leave_nothing(truths: Truths, excluded: Iterable[Fraction | int], count: Count | None) -> bool:
    """Whether no number is left but the excluded ones; of what is counted, no whole number."""
    known = set(excluded)
    if count is not None:
        first = max([count.least, *(_next(bound) for bound, truth in truths if truth)])
        ends = [_next(bound) for bound, truth in truths if not truth]
        after = min([*ends, *([] if count.most is None else [count.most + 1])], default=first + MAX_COUNTED)
        return after - first < MAX_COUNTED and all(number in known for number in range(first, after))
    least = max((bound for bound, truth in truths if truth), key=_edge, default=None)
    most = min((bound for bound, truth in truths if not truth), key=_edge, default=None)
    if least is None or most is None:
        return False
    if least.limit != most.limit:
        return least.limit > most.limit
    return not (least.takes_limit and not most.takes_limit) or least.limit in known


def _edge(bound: Bound) -> tuple[Fraction | int, bool]:
    return bound.limit, not bound.takes_limit


def _next(bound: Bound) -> int:
    """The first whole number that is admitted."""
    return ceil(bound.limit) if bound.takes_limit else floor(bound.limit) + 1
