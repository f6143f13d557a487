"""Facts about what the files leave open (`var.env` is "prod", is not "dev", is its default), and how they combine.

For `hcl.values`, whose alternatives each hold under their facts, and for `terraform.module_reading`, which reports
them. What cannot be taken apart is one condition, true or false. Facts that contradict each other describe no world.
"""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

MAX_SHOWN = 120  # characters of an expression in a message
MAX_VALUES_SHOWN = 6
MAX_WAYS_SHOWN = 4

_OPERATOR = re.compile(r" (==|!=|<|>|<=|>=|&&|\|\|) ")


def short(written: object) -> str:
    """An expression as messages show it."""
    shown = str(written)
    return shown if len(shown) <= MAX_SHOWN else shown[: MAX_SHOWN - 3] + "..."


@dataclass(frozen=True, slots=True)
class Subject:
    """What a fact is about.

    `owner` is where its words have their meaning (a module, one turn of a loop), None for the root module's variables:
    the same words there mean the same thing.
    """

    written: str
    owner: Hashable = None
    is_given: bool = field(default=False, compare=False)  # a variable or a loop's: to refer to it is never refused


@dataclass(frozen=True, slots=True)
class Marker:
    """A value that a fact names without telling it: a default that is a list, a variable file."""

    written: str


DEFAULT = Marker("its default")
MISSING = Marker("missing")  # or what Terraform cannot compute
VARIABLE_FILE = Subject("the variable file")  # that is given to Terraform beside those that it loads by itself


class Numeral(NamedTuple):
    """A number: for Python, 1 and true are equal."""

    value: Fraction | int


Constant = str | bool | Numeral | Marker | None


class Choice(NamedTuple):
    """The values that are possible: these, or with `excludes` all but these."""

    constants: frozenset[Constant]
    excludes: bool = False
    is_condition: bool = False  # it is asked whether it holds: what is neither true nor false is refused

    def both(self, other: Choice) -> Choice:
        is_condition = self.is_condition or other.is_condition
        if not self.excludes:
            kept = self.constants - other.constants if other.excludes else self.constants & other.constants
            return Choice(kept, False, is_condition)
        if not other.excludes:
            return Choice(other.constants - self.constants, False, is_condition)
        return Choice(self.constants | other.constants, True)

    def either(self, other: Choice) -> Choice:
        if self.is_condition and other.is_condition:
            return Choice(self.constants | other.constants, False, True)
        one, another = (Choice(choice.constants, not choice.excludes) for choice in (self, other))
        neither = one.both(another)
        return Choice(neither.constants, not neither.excludes)

    @property
    def opposite(self) -> Choice:
        if self.is_condition:
            return Choice(_TRUTHS - self.constants, False, True)
        return Choice(self.constants, not self.excludes)

    def includes(self, other: Choice) -> bool:
        both = self.both(other)
        return both.constants == other.constants and both.excludes == other.excludes

    @property
    def is_empty(self) -> bool:
        return not self.excludes and not self.constants

    @property
    def number(self) -> int:
        """How many values are possible; 0 when that is not known, or one of them is no text."""
        is_known = not self.excludes and all(isinstance(one, str) for one in self.constants)
        return len(self.constants) if is_known else 0

    @property
    def is_full(self) -> bool:
        """Whether it says nothing; of what is true or false, both say nothing."""
        return self.constants >= _TRUTHS if not self.excludes else not self.constants


_TRUTHS = frozenset({True, False})
ANYTHING = Choice(frozenset(), True)


class Facts:
    """Facts that are true together: for each subject the values that it may have."""

    __slots__ = ("_hash", "choices")

    def __init__(self, choices: Mapping[Subject, Choice]) -> None:
        self.choices = choices
        self._hash: int | None = None

    def __bool__(self) -> bool:
        return bool(self.choices)

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Facts) and self.choices == other.choices)

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(frozenset(self.choices.items()))
        return self._hash

    def __repr__(self) -> str:
        return f"Facts({' and '.join(words(self)) or 'always'})"

    def of(self, subject: Subject) -> Choice:
        return self.choices.get(subject, ANYTHING)

    def constant(self, subject: Hashable) -> tuple[Constant] | None:
        """The only value that the subject can have; None when there are several."""
        choice = self.choices.get(subject)  # type: ignore[call-overload]
        return tuple(choice.constants) if choice and not choice.excludes and len(choice.constants) == 1 else None

    def replacing(self, subject: Subject, choice: Choice) -> Facts:
        choices = dict(self.choices)
        choices.pop(subject, None)
        if not choice.is_full:
            choices[subject] = choice
        return Facts(choices) if choices else ALWAYS

    @property
    def is_sure(self) -> bool:
        """Whether they say of what it depends."""
        return not any(subject in PERHAPS.choices for subject in self.choices)

    def includes(self, other: Facts) -> bool:
        """Whether they hold wherever the others do."""
        return all(choice.includes(other.of(subject)) for subject, choice in self.choices.items())


ALWAYS = Facts({})


def is_one_of(subject: Subject, *constants: Constant) -> Facts:
    return Facts({subject: Choice(frozenset(constants))})


def is_none_of(subject: Subject, *constants: Constant) -> Facts:
    return Facts({subject: Choice(frozenset(constants), True)}) if constants else ALWAYS


def holds(subject: Subject, truth: bool) -> Facts:
    """That a condition holds, or does not."""
    return Facts({subject: Choice(frozenset({truth}), is_condition=True)})


# Something may be so or not, and nobody can say of what it depends: not told, and not held against anything.
PERHAPS = is_one_of(Subject("perhaps", "perhaps"), True)
_LOADED = "loaded"


def is_loaded(path: str) -> Facts:
    """That a value stands in a file that is loaded in every run: where it comes from, and no condition."""
    return is_one_of(Subject(path, _LOADED), True)


def _is_told(subject: Subject) -> bool:
    is_about_values = subject != VARIABLE_FILE and subject.owner != _LOADED and subject not in PERHAPS.choices
    return is_about_values and subject.written != _WHICH


def joined(*several: Facts) -> Facts | None:
    """All of the facts; None when they contradict one another."""
    together = ALWAYS
    for facts in several:
        if not facts.choices or facts is together:
            continue
        if not together.choices:
            together = facts
            continue
        choices = dict(together.choices)
        for subject, choice in facts.choices.items():
            other = choices.get(subject)
            if other is None:
                choices[subject] = choice
            elif other is not choice:
                both = choice.both(other)
                if both.is_empty:
                    return None
                choices[subject] = both
        together = Facts(choices)
    return together


def without(facts: Facts, others: Facts) -> list[Facts]:
    """The worlds of the facts in which the others do not hold, as facts that exclude one another."""
    rest: list[Facts] = []
    held = facts
    for subject, choice in others.choices.items():
        outside = held.of(subject).both(choice.opposite)
        if not outside.is_empty:
            rest.append(held.replacing(subject, outside))
        inside = held.of(subject).both(choice)
        if inside.is_empty:
            break
        held = held.replacing(subject, inside)
    return rest


MAX_COMPARED = 8  # ways of which each is compared with all others, when they are not long
MAX_FACTS_COMPARED = 48


def united(ways: Iterable[Facts]) -> list[Facts]:
    """The same worlds in fewer ways: of two that differ in one subject only, that may have the values of both."""
    merged = list(dict.fromkeys(ways))
    while len(merged) > 1:
        before = len(merged)
        for subject in _telling_apart(merged):
            groups: dict[Facts, Choice] = {}
            for facts in merged:
                rest = facts.replacing(subject, ANYTHING)
                choice = facts.of(subject)
                groups[rest] = groups[rest].either(choice) if rest in groups else choice
            merged = [rest.replacing(subject, choice) for rest, choice in groups.items()]
        if len(merged) == before:
            break
    return merged


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


MAX_EXCLUSIVE = 32
_WHICH = ""  # no message tells which


def one_each(ways: list[Facts]) -> list[Facts]:
    """Ways of which one is meant in each world: where they overlap, nothing says which."""
    pairs = ((one, other) for number, one in enumerate(ways[:MAX_EXCLUSIVE]) for other in ways[:number])
    if len(ways) <= MAX_EXCLUSIVE and all(joined(one, other) is None for one, other in pairs):
        return ways
    which = Subject(_WHICH, object())
    each = (joined(when, is_one_of(which, Numeral(number))) for number, when in enumerate(ways))
    return [when for when in each if when is not None]


def _telling_apart(ways: list[Facts]) -> list[Subject]:
    subjects = dict.fromkeys(subject for facts in ways for subject in facts.choices)
    first = ways[0]
    return [subject for subject in subjects if any(facts.of(subject) != first.of(subject) for facts in ways)]


def _widened(ways: list[Facts]) -> list[Facts]:
    """Without facts that another way makes needless: `a, or b while not a` is `a or b`."""
    different = _telling_apart(ways)
    for number, facts in enumerate(ways):
        others = [one for place, one in enumerate(ways) if place != number]
        for subject in different:
            choice = facts.choices.get(subject)
            if choice is None:
                continue
            opposites = [ways[number].replacing(subject, one) for one in (choice.opposite, _negation(choice))]
            if any(one.includes(opposite) for one in others for opposite in opposites):
                ways[number] = ways[number].replacing(subject, ANYTHING)
    return [
        facts
        for number, facts in enumerate(ways)
        if not any(
            one.includes(facts) and (place < number or one != facts)
            for place, one in enumerate(ways)
            if place != number
        )
    ]


def _negation(choice: Choice) -> Choice:
    """The other one of true and false: that null is neither is no news."""
    return Choice(_TRUTHS - choice.constants) if choice.constants < _TRUTHS else choice.opposite


# -- words -------------------------------------------------------------------------------------------------------------


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
    loaded = dict.fromkeys(subject.written for way in ways for subject in way.choices if subject.owner == _LOADED)
    if any(choice.excludes for choice in choices):
        given = set()
    return ", ".join(filter(None, (" or ".join(sorted(given)), *loaded)))


def words_of_ways(ways: list[Facts]) -> tuple[str, ...]:
    """What holds in each of the ways; of many the plainest are told."""
    ways = united(ways)
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
        is_equality = len(_OPERATOR.findall(written)) == 1 and " == " in written
        return written.replace(" == ", " != ") if is_equality else f"not ({written})"
    if not choice.excludes:
        return f"{written} is {_listed(choice.constants, 'or')}"
    several = len(choice.constants) > 1
    return f"{written} is {'neither' if several else 'not'} {_listed(choice.constants, 'nor')}"


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
    if constant is None or isinstance(constant, bool):
        return {None: "null", True: "true", False: "false"}[constant]
    if isinstance(constant, Numeral):
        return str(constant.value if constant.value.denominator == 1 else float(constant.value))
    return short(json.dumps(constant, ensure_ascii=False))
