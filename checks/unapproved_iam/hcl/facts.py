"""Facts about what the files leave open (`var.env` is "prod", is not "dev", is its default), and how they combine.

For `hcl.values`, whose alternatives each hold under their facts, and for `terraform.module_reading`, which reports
them. What cannot be taken apart is one condition, true or false. Facts that contradict each other describe no world.
One file, since facts about one subject say something of another one.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import reduce
from operator import xor
from typing import Any, NamedTuple

from unapproved_iam.hcl.bounds import Bound, Count, Truths, is_admitted, leave_nothing
from unapproved_iam.late_patterns import late_pattern

MAX_SHOWN = 120  # characters of an expression in a message


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
    count: Count | None = field(default=None, compare=False)  # a whole number, and which ones it may be
    domain: frozenset[Constant] | None = field(default=None, compare=False)  # all that it may be
    known: tuple[tuple[Facts, Constant], ...] = field(default=(), compare=False)  # what it is in some worlds
    told: tuple[tuple[Facts, Any], ...] = field(default=(), compare=False)  # the plain value that it is in some worlds
    bound: tuple[Subject, Bound] | None = field(default=None, compare=False)  # of a number, when it is a comparison
    needs: Facts | None = field(default=None, compare=False)  # what is so wherever it is anything
    _hash: int = field(default=0, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.written, self.owner)))

    def __hash__(self) -> int:
        return self._hash  # asked for millions of times

    @property
    def is_linked(self) -> bool:
        """Whether facts about it say something of others."""
        is_bounded = self.bound is not None or (self.count is not None and self.count != Count())
        return is_bounded or self.domain is not None or self.needs is not None or bool(self.known)

    @property
    def implied(self) -> Facts:
        """What is so wherever facts are about it."""
        needs = self.needs or (self.bound[0].needs if self.bound else None)
        return ALWAYS if needs is None else needs


class Turn:
    """One turn of a loop, or one evaluation: what it owns is not asked again by the same words elsewhere."""

    __slots__ = ()


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


class Spelled:
    """A text that Terraform converts to a bool or number, and that into it: facts take both for one value, and only
    messages show that it is a text."""


class SpelledTruth(Spelled, int):
    """ "true" or "false"."""


class SpelledNumber(Spelled, Numeral):
    """A number as Terraform writes it."""


Constant = str | bool | Numeral | SpelledTruth | Marker | None

_NUMBER = late_pattern(r"(?!-0\Z)-?(?:0|[1-9][0-9]{0,99})(?:\.[0-9]{0,50}[1-9])?\Z")


def number_as_text(number: Fraction | int) -> str:
    """In digits, without an exponent; every `Number` is a decimal fraction."""
    if number.denominator == 1:
        return str(number.numerator)
    digits = 0
    while (number * 10**digits).denominator != 1:
        digits += 1
    scaled = str(abs(int(number * 10**digits))).rjust(digits + 1, "0")
    return f"{'-' if number < 0 else ''}{scaled[:-digits]}.{scaled[-digits:]}"


def constant_of_text(written: str) -> Constant:
    """What facts call a text."""
    if written in ("true", "false"):
        return SpelledTruth(written == "true")
    return SpelledNumber(Fraction(written)) if _NUMBER.match(written) else written


def constant_of_key(written: str) -> Constant:
    """What facts call the key of an element: whoever writes `true = ...` asks for a bool."""
    constant = constant_of_text(written)
    return bool(constant) if isinstance(constant, SpelledTruth) else constant


class Choice(NamedTuple):
    """The values that are possible: these, or with `excludes` all but these."""

    constants: frozenset[Constant]
    excludes: bool = False
    is_condition: bool = False  # it is asked whether it holds: what is neither true nor false is refused

    def both(self, other: Choice) -> Choice:
        is_condition = self.is_condition or other.is_condition
        if not self.excludes:
            if self.is_condition is not other.is_condition and not other.excludes:
                return other._where(self) if self.is_condition else self._where(other)
            kept = self.constants - other.constants if other.excludes else self.constants & other.constants
            return Choice(kept, False, is_condition)
        if not other.excludes:
            return Choice(other.constants - self.constants, False, is_condition)
        return Choice(self.constants | other.constants, True)

    def _where(self, condition: Choice) -> Choice:
        """Those of the values that make a condition what it is: Terraform takes "1" and "0" for true and false, too."""
        taken = {one for truth in condition.constants for one in (truth, Numeral(1 if truth else 0))}
        kept = frozenset(one for one in self.constants if one in taken)
        return Choice(kept, False, kept <= TRUTHS)

    def either(self, other: Choice) -> Choice:
        if not (self.excludes or other.excludes):
            return Choice(self.constants | other.constants, False, self.is_condition and other.is_condition)
        one, another = (Choice(choice.constants, not choice.excludes) for choice in (self, other))
        neither = one.both(another)
        return Choice(neither.constants, not neither.excludes)

    @property
    def opposite(self) -> Choice:
        if self.is_condition:
            return Choice(TRUTHS - self.constants, False, True)
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
        is_known = not self.excludes and all(isinstance(one, str | Spelled) for one in self.constants)
        return len(self.constants) if is_known else 0

    @property
    def is_full(self) -> bool:
        """Whether it says nothing; of what is true or false, both say nothing."""
        if self.excludes:
            return not self.constants
        return self.constants >= TRUTHS and not any(isinstance(one, Spelled) for one in self.constants)


TRUTHS = frozenset({True, False})
ANYTHING = Choice(frozenset(), True)


class Facts:
    """Facts that are true together: for each subject the values that it may have."""

    __slots__ = ("_hash", "choices", "is_linked")

    def __init__(self, choices: Mapping[Subject, Choice], is_linked: bool = False) -> None:
        self.choices = choices
        self.is_linked = is_linked  # whether one of them may say something of another one
        self._hash: int | None = None

    def __bool__(self) -> bool:
        return bool(self.choices)

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Facts) and self.choices == other.choices)

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = reduce(xor, map(hash, self.choices.items()), 0)
        return self._hash

    def hash_without(self, subject: Subject) -> int:
        """The hash of the facts about all others: where these differ, so do the facts."""
        choice = self.choices.get(subject)
        return hash(self) if choice is None else hash(self) ^ hash((subject, choice))

    def __repr__(self) -> str:
        written = (f"{one.written} {'not ' * choice.excludes}{set(choice.constants)}" for one, choice in self)
        return f"Facts({', '.join(written)})"

    def __iter__(self) -> Iterator[tuple[Subject, Choice]]:
        return iter(self.choices.items())

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
        return Facts(choices, self.is_linked or subject.is_linked) if choices else ALWAYS

    def with_last(self, subjects: Iterable[Subject]) -> Facts:
        """The same facts, those about these subjects last."""
        choices = dict(self.choices)
        for subject in subjects:
            choice = choices.pop(subject, None)
            if choice is not None:
                choices[subject] = choice
        facts = Facts(choices, self.is_linked)
        facts._hash = self._hash
        return facts

    def value_of(self, subject: Subject) -> tuple[Constant] | None:
        """The only value that the subject can have, by itself or by what is known of it."""
        found = self.constant(subject)
        if found is None or isinstance(found[0], Marker):
            found = next(((constant,) for when, constant in subject.known if when.includes(self)), None)
        return found

    @property
    def is_sure(self) -> bool:
        """Whether they say of what it depends."""
        return not any(subject in PERHAPS.choices for subject in self.choices)

    def includes(self, other: Facts) -> bool:
        """Whether they hold wherever the others do."""
        return all(choice.includes(other.of(subject)) for subject, choice in self.choices.items())


ALWAYS = Facts({})


def is_one_of(subject: Subject, *constants: Constant) -> Facts:
    return Facts({subject: Choice(frozenset(constants))}, subject.is_linked)


def is_none_of(subject: Subject, *constants: Constant) -> Facts:
    return Facts({subject: Choice(frozenset(constants), True)}, subject.is_linked) if constants else ALWAYS


def holds(subject: Subject, truth: bool) -> Facts:
    """That a condition holds, or does not."""
    return Facts({subject: Choice(frozenset({truth}), is_condition=True)}, subject.is_linked)


# Something may be so or not, and nobody can say of what it depends: not told, and not held against anything.
PERHAPS = is_one_of(Subject("perhaps", "perhaps"), True)
LOADED = "loaded"


def is_loaded(path: str) -> Facts:
    """That a value stands in a file that is loaded in every run: where it comes from, and no condition."""
    return is_one_of(Subject(path, LOADED), True)


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
        both_facts = world_of(Facts(choices, together.is_linked or facts.is_linked))
        if both_facts is None:
            return None
        together = both_facts
    return together


def world_of(facts: Facts) -> Facts | None:
    """The facts as far as one of them says something of another one; None when they are no world."""
    if not facts.is_linked:
        return facts
    for subject, choice in facts.choices.items():
        for when, constant in subject.known:
            if (constant in choice.constants) is choice.excludes and when.includes(facts):
                return None
    choices = dict(facts.choices)
    if not _keep_to_domains(choices) or not _agree_on_numbers(choices, facts):
        return None
    if not _meet_needs(choices, facts):
        return None
    return Facts(choices, True) if choices else ALWAYS


def _meet_needs(choices: dict[Subject, Choice], facts: Facts) -> bool:
    """Whether what is so anyway, since facts are about a subject, is possible beside them."""
    needed = [implied for subject in choices if (implied := subject.implied)]
    if not needed:
        return True
    everything = dict(choices)
    for implied in needed:
        for subject, choice in implied:
            everything[subject] = choice.both(everything.get(subject, ANYTHING))
    return not any(choice.is_empty for choice in everything.values()) and _agree_on_numbers(everything, facts)


def _keep_to_domains(choices: dict[Subject, Choice]) -> bool:
    """Without facts that say no more than what something may be anyway."""
    for subject, choice in list(choices.items()):
        if subject.domain is not None:
            kept = choice.both(Choice(subject.domain))
            if kept.is_empty:
                return False
            choices[subject] = kept
            if kept.constants == subject.domain:
                del choices[subject]
    return True


def _agree_on_numbers(choices: dict[Subject, Choice], facts: Facts) -> bool:
    """Hold what numbers may be against the comparisons with them; values that are excluded are gone."""
    compared: dict[Subject, Truths] = {}
    for subject, choice in choices.items():
        if subject.bound is not None and choice.constants < TRUTHS:
            number, bound = subject.bound
            compared.setdefault(number, []).append((bound, True in choice.constants))
        elif subject.count is not None:
            compared.setdefault(subject, [])
    for number, truths in compared.items():
        choice = choices.get(number, ANYTHING)
        known = facts.value_of(number)
        if known is not None and not _may_be(known[0], truths):
            return False
        named = [one.value for one in choice.constants if isinstance(one, Numeral)]
        if choice.excludes and leave_nothing(truths, named, number.count):
            return False
        kept = frozenset(one for one in choice.constants if _may_be(one, truths) and _is_counted(one, number))
        if not kept and not choice.excludes:
            return False
        choices[number] = choice._replace(constants=kept)
        if choices[number].is_full:
            del choices[number]
    return True


def _is_counted(constant: Constant, number: Subject) -> bool:
    return number.count is None or not isinstance(constant, Numeral) or number.count.admits(constant.value)


def _may_be(constant: Constant, truths: Truths) -> bool:
    """Whether a value can be compared like this: a number by itself, and what is not told or a text that may be one."""
    return is_admitted(constant.value, truths) if isinstance(constant, Numeral) else isinstance(constant, Marker | str)


def without(facts: Facts, others: Facts) -> list[Facts]:
    """The worlds of the facts in which the others do not hold, as facts that exclude one another."""
    rest: list[Facts] = []
    held = facts
    for subject, choice in others.choices.items():
        outside = held.of(subject).both(choice.opposite)
        if not outside.is_empty and (world := world_of(held.replacing(subject, outside))) is not None:
            rest.append(world)
        inside = held.of(subject).both(choice)
        if inside.is_empty:
            break
        held = held.replacing(subject, inside)
    return rest
