"""Say facts in words: the shortest that are true in exactly the worlds in which something is so.

For whoever writes a message about attachments in Terraform source: `terraform.worlds` and the others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

from unapproved_iam.hcl.facts import (
    ANYTHING,
    LOADED,
    PERHAPS,
    TRUTHS,
    VARIABLE_FILE,
    Choice,
    Constant,
    Facts,
    Marker,
    Numeral,
    Spelled,
    SpelledTruth,
    Subject,
    number_as_text,
    short,
    world_of,
)
from unapproved_iam.hcl.ways import WHICH, telling_apart, united
from unapproved_iam.late_patterns import late_pattern

MAX_VALUES_SHOWN = 6
MAX_WAYS_SHOWN = 4
MAX_COMPARED = 8  # ways of which each is compared with all others, when they are not long
MAX_FACTS_COMPARED = 48
MAX_INCLUDED = 32  # ways of which each may be a part of another

_OPERATOR = late_pattern(r" (==|!=|<|>|<=|>=|&&|\|\|) ")
_NEGATED = {"==": "!=", ">": "<=", ">=": "<"}


def words(facts: Facts) -> Iterator[str]:
    """Each fact as a message says it: `var.env is "prod" or "qa"`, `var.admin is true`."""
    told: set[str] = set()
    for subject, choice in facts.choices.items():
        if _is_told(subject) and not choice.is_full and not (choice.excludes and _is_implied(subject, facts)):
            said = _in_words(subject, choice)
            yield f"another {said}" if subject.written in told else said  # element of the same collection
            told.add(subject.written)


def _is_implied(subject: Subject, facts: Facts) -> bool:
    """Whether another fact speaks of it: that `length(var.x) > 0` says that `var.x` is not its default `[]`."""
    name = re.compile(rf"(?<![\w.-]){re.escape(subject.written)}(?![\w-])")
    return any(name.search(other.written) for other in facts.choices if other != subject)


def files_of_ways(ways: list[Facts]) -> str:
    """The variable files that bring it; none where it comes without them, too."""
    choices = [way.of(VARIABLE_FILE) for way in ways]
    given = {str(path) for choice in choices for path in choice.constants if not choice.excludes}
    loaded = dict.fromkeys(subject.written for way in ways for subject in way.choices if subject.owner == LOADED)
    if any(choice.excludes for choice in choices):
        given = set()
    return ", ".join(filter(None, (" or ".join(sorted(given)), *loaded)))


def words_of_ways(ways: list[Facts]) -> tuple[str, ...]:
    """What holds in each of the ways; of many the plainest are told."""
    ways = _without_included(united(map(_told, ways)))
    if len(ways) <= MAX_COMPARED and sum(len(facts.choices) for facts in ways) <= MAX_FACTS_COMPARED:
        ways = _widened(ways)
    if any(not list(words(facts)) for facts in ways):
        return ()
    if len(ways) == 1:
        return tuple(words(ways[0]))
    told = sorted((" and ".join(words(facts)) for facts in ways), key=len)
    more = f", or {len(told) - MAX_WAYS_SHOWN} more ways" if len(told) > MAX_WAYS_SHOWN else ""
    return (" or ".join(dict.fromkeys(told[:MAX_WAYS_SHOWN])) + more,)


def _in_words(subject: Subject, choice: Choice) -> str:
    written = short(subject.written)
    truth = next(iter(choice.constants)) if len(choice.constants) == 1 else None
    if isinstance(truth, bool):
        holds = truth is not choice.excludes
        if not _OPERATOR.search(written):
            return f"{written} is {'true' if holds else 'false'}"
        if holds:
            return written
        if subject.bound is not None and subject.bound[0].count and subject.bound[1].limit == 0:
            return f"{short(subject.bound[0].written)} is 0"
        (operator, *more) = _OPERATOR.findall(written)
        if more or operator not in _NEGATED:
            return f"not ({written})"
        return written.replace(f" {operator} ", f" {_NEGATED[operator]} ")
    if not choice.excludes:
        return f"{written} is {_listed(choice.constants, 'or')}"
    excluded = choice.constants - {None} or choice.constants  # that it is something goes without saying
    return f"{written} is {'neither' if len(excluded) > 1 else 'not'} {_listed(excluded, 'nor')}"


def _listed(constants: Iterable[Constant], conjunction: str) -> str:
    written = sorted(map(_written, constants))
    if len(written) > MAX_VALUES_SHOWN:
        written = [*written[: MAX_VALUES_SHOWN - 1], f"one of {len(written) - MAX_VALUES_SHOWN + 1} more"]
    return (
        f", {conjunction} ".join([", ".join(written[:-1]), written[-1]])
        if len(written) > 2
        else (f" {conjunction} ".join(written))
    )


def _written(constant: Constant) -> str:
    if isinstance(constant, Marker):
        return constant.written
    if isinstance(constant, SpelledTruth):
        return '"true"' if constant else '"false"'
    if constant is None or isinstance(constant, bool):
        return {None: "null", True: "true", False: "false"}[constant]
    if isinstance(constant, Numeral):
        shown = number_as_text(constant.value)
        return f'"{shown}"' if isinstance(constant, Spelled) else shown
    return short(json.dumps(constant, ensure_ascii=False))


def _told(facts: Facts) -> Facts:
    """Without what no message tells as a condition, and without what the others say anyway."""
    told = {subject: choice for subject, choice in facts.choices.items() if _is_told(subject)}
    facts = facts if len(told) == len(facts.choices) else Facts(told, facts.is_linked)
    if facts.is_linked:
        for subject, choice in sorted(facts, key=lambda one: not one[1].excludes):
            if choice.excludes:
                news = frozenset(one for one in choice.constants if _may_be(subject, one, facts))
                facts = facts.replacing(subject, choice._replace(constants=news))
            elif world_of(facts.replacing(subject, choice.opposite)) is None:
                facts = facts.replacing(subject, ANYTHING)
    return facts


def _may_be(subject: Subject, constant: Constant, facts: Facts) -> bool:
    """Whether it may be this as far as the other facts say."""
    return world_of(facts.replacing(subject, Choice(frozenset({constant})))) is not None


def _is_told(subject: Subject) -> bool:
    is_about_values = subject != VARIABLE_FILE and subject.owner != LOADED and subject not in PERHAPS.choices
    return is_about_values and subject.written != WHICH


def _widened(ways: list[Facts]) -> list[Facts]:
    """Without facts that another way makes needless: `a, or b while not a` is `a or b`."""
    different = telling_apart(ways)
    for number, facts in enumerate(ways):
        others = [one for place, one in enumerate(ways) if place != number]
        for subject in different:
            choice = facts.choices.get(subject)
            if choice is None:
                continue
            opposites = [ways[number].replacing(subject, one) for one in (choice.opposite, _negation(choice))]
            if any(one.includes(opposite) for one in others for opposite in opposites):
                ways[number] = ways[number].replacing(subject, ANYTHING)
    return _without_included(united(ways))


def _without_included(ways: list[Facts]) -> list[Facts]:
    """Without ways that are worlds of another one anyway."""
    if len(ways) > MAX_INCLUDED:
        return ways
    return [
        facts
        for number, facts in enumerate(ways)
        if not any(
            _include(one, facts) and (place < number or not _include(facts, one))
            for place, one in enumerate(ways)
            if place != number
        )
    ]


def _include(one: Facts, other: Facts) -> bool:
    """Whether the facts hold wherever the others do: that `var.c.on` is true holds for a default that says so."""
    for subject, choice in one.choices.items():
        if not choice.includes(other.of(subject)):
            known = (constant for when, constant in subject.known if when.includes(other))
            if not any((constant in choice.constants) is not choice.excludes for constant in known):
                return False
    return True


def _negation(choice: Choice) -> Choice:
    """The other one of true and false: that null is neither is no news."""
    return Choice(TRUTHS - choice.constants) if choice.constants < TRUTHS else choice.opposite
