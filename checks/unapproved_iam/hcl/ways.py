"""Say in which worlds something is so in fewer ways, or in ways of which one is meant in each world.

For `hcl.values`, `hcl.alternatives` and whoever makes messages. A way is a set of facts; several of them stand for all
worlds in which one holds.
"""

from __future__ import annotations

from collections.abc import Iterable

from unapproved_iam.hcl.facts import (
    ALWAYS,
    ANYTHING,
    PERHAPS,
    Choice,
    Facts,
    Numeral,
    Subject,
    Turn,
    is_one_of,
    joined,
    without,
)


def united(ways: Iterable[Facts]) -> list[Facts]:
    """The same worlds in fewer ways: of two that differ in one subject only, that may have the values of both."""
    merged = list(dict.fromkeys(ways))
    while len(merged) > 1:
        before, subjects = len(merged), telling_apart(merged)
        for subject in subjects:
            if len({facts.hash_without(subject) for facts in merged}) < len(merged):
                merged = _united_over(subject, merged)
        merged = [facts.with_last(subjects) for facts in merged]
        if len(merged) == before:
            break
    return merged


def _united_over(subject: Subject, ways: list[Facts]) -> list[Facts]:
    groups: dict[Facts, Choice] = {}
    for facts in ways:
        rest = facts.replacing(subject, ANYTHING)
        choice = facts.of(subject)
        groups[rest] = groups[rest].either(choice) if rest in groups else choice
    return [rest.replacing(subject, choice) for rest, choice in groups.items()]


def exclusive(ways: Iterable[Facts]) -> list[Facts]:
    """The same worlds in ways that exclude one another, as the presence of an element has to be."""
    kept: list[Facts] = []
    for facts in ways:
        left = [facts]
        for way in kept:
            left = [rest for one in left for rest in without(one, way)]
        kept += left
        if len(kept) > MAX_EXCLUSIVE:
            return [PERHAPS]
    return kept


MAX_EXPANDED = 64  # ways in which some elements are there or not: README, "Limits"


def presences(conditions: Iterable[Facts]) -> list[tuple[tuple[int, ...], Facts]] | None:
    """The numbers of the elements that are there, in each world; `conditions` are those of each. None when these are
    not few."""
    ways: list[tuple[tuple[int, ...], Facts]] = [((), ALWAYS)]
    for number, condition in enumerate(conditions):
        longer = []
        for there, when in ways:
            both = joined(when, condition)
            if both is not None:
                longer.append(((*there, number), both))
            longer += [(there, left) for left in without(when, condition)]
        ways = longer
        if len(ways) > MAX_EXPANDED:
            return None
    return ways


MAX_EXCLUSIVE = 32
WHICH = ""  # no message tells which


def one_each(ways: list[Facts]) -> list[Facts]:
    """Ways of which one is meant in each world: where they overlap, nothing says which."""
    if len(ways) < 2:
        return ways
    pairs = ((one, other) for number, one in enumerate(ways[:MAX_EXCLUSIVE]) for other in ways[:number])
    if len(ways) <= MAX_EXCLUSIVE and all(joined(one, other) is None for one, other in pairs):
        return ways
    which = Subject(WHICH, Turn())
    each = (joined(when, is_one_of(which, Numeral(number))) for number, when in enumerate(ways))
    return [when for when in each if when is not None]


def telling_apart(ways: list[Facts]) -> list[Subject]:
    subjects = dict.fromkeys(subject for facts in ways for subject in facts.choices)
    return [subject for subject in subjects if len({facts.choices.get(subject) for facts in ways}) > 1]
