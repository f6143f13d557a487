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


def presences(elements: Iterable[tuple[int, Facts]]) -> list[tuple[tuple[int, ...], Facts]] | None:
    """The numbers of the elements that are there, in each world; None when these are not few.

    Each element comes with its condition, and equal ones have the same number.
    """
    ways: list[tuple[tuple[int, ...], Facts]] = [((), ALWAYS)]
    for number, condition in elements:
        longer = []
        for there, when in ways:
            both = joined(when, condition)
            if both is not None:
                longer.append(((*there, number), both))
            longer += [(there, left) for left in without(when, condition)]
        ways = longer if len(longer) <= FEW_EXPANDED else _with_the_same(longer)
        if len(ways) > MAX_EXPANDED:
            return None
    return ways


FEW_EXPANDED = 16  # that are not looked at for what they have in common


def _with_the_same(ways: list[tuple[tuple[int, ...], Facts]]) -> list[tuple[tuple[int, ...], Facts]]:
    """In fewer ways: an element that is there in many sets of worlds is there in all of them."""
    groups: dict[tuple[int, ...], list[Facts]] = {}
    for there, when in ways:
        groups.setdefault(there, []).append(when)
    return [(there, when) for there, several in groups.items() for when in united(several)]


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


def of_variables(facts: Facts) -> Facts:
    """What they say of all elements alike, without what they say of the one of a turn, or what is never denied."""
    kept = {one: choice for one, choice in facts.choices.items() if not isinstance(one.owner, Turn | str)}
    return facts if len(kept) == len(facts.choices) else Facts(kept, facts.is_linked)


def telling_apart(ways: list[Facts]) -> list[Subject]:
    subjects = dict.fromkeys(subject for facts in ways for subject in facts.choices)
    return [subject for subject in subjects if len({facts.choices.get(subject) for facts in ways}) > 1]
