"""The values that a Terraform expression may yield: what the tree tells of them, and what it leaves open.

For `hcl.evaluation`, which computes them, `hcl.function_calls`, and `terraform.root_module`, which hands in variables
and reads policies out with `possible_texts`.

A `Value` is one or more `Possible`s: alternatives, each a plain value with the conditions under which it holds. The
elements of a collection are values again; an element may be absent (`when`), and a collection may have any number of
further elements of which only a model is known (`rest`). What Terraform computes is always among the possible values.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from unapproved_iam.policies.attachment import Place
from unapproved_iam.policies.possible_text import Hole, Text, text

MAX_POSSIBLE = 64  # alternatives of one value; beyond, the value is a hole that remembers the policies in it
MAX_COMBINATIONS = 256  # of the alternatives of a function's arguments
MAX_ITEMS = 10_000  # of one collection, with those of its elements
MAX_LENGTH = 1_000_000  # characters of one text


class Refused(Exception):
    """Terraform would refuse to compute this; `str()` says why."""


def short(written: object) -> str:
    """An expression as messages show it."""
    shown = str(written)
    return shown if len(shown) <= 120 else shown[:117] + "..."


_OPERATOR = re.compile(r" (==|!=|<|>|<=|>=|&&|\|\|) ")


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that the tree leaves open, with the side of it that is meant: "var.admin is true".

    `owner` is where its names have their meaning (a module, one turn of a loop): the same words there mean the same
    condition, so both sides of it exclude one another.
    """

    written: str
    holds: bool = True
    owner: Hashable = None

    def __str__(self) -> str:
        written = short(self.written)
        if not _OPERATOR.search(written):
            return f"{written} is {'true' if self.holds else 'false'}"
        if self.holds:
            return written
        return (
            written.replace(" == ", " != ")
            if len(_OPERATOR.findall(written)) == 1 and " == " in written
            else f"not ({written})"
        )

    def excludes(self, other: Condition) -> bool:
        return self.holds != other.holds and self.written == other.written and self.owner == other.owner


When = tuple[Condition, ...]


class Kind(Enum):
    """The types that Terraform tells apart: a list compares unequal to a tuple of the same elements."""

    TUPLE = "tuple"
    LIST = "list"
    SET = "set"
    OBJECT = "object"
    MAP = "map"


@dataclass(frozen=True, slots=True)
class String:
    text: Text
    place: Place | None = field(default=None, compare=False)  # of the literal that it comes from, when it is one
    address: str = field(default="", compare=False)  # of the resource that it names, when it is such a name


@dataclass(frozen=True, slots=True)
class Number:
    value: Fraction | int


@dataclass(frozen=True, slots=True)
class Boolean:
    value: bool


@dataclass(frozen=True, slots=True)
class Null:
    pass


class Item(NamedTuple):
    """An element of a sequence; absent unless every condition holds."""

    value: Value
    when: When = ()


class Entry(NamedTuple):
    """An element of a mapping; absent unless every condition holds."""

    key: Text
    value: Value
    when: When = ()


@dataclass(frozen=True)
class Sequence:
    """A tuple, list or set."""

    items: tuple[Item, ...]
    rest: Value | None = None  # what any further elements are; None: there are none
    kind: Kind = Kind.TUPLE
    ordered: bool = True  # False: the items are in some other order; a set's known strings are in Terraform's order

    @cached_property
    def size(self) -> int:
        return size_of([item.value for item in self.items])


@dataclass(frozen=True)
class Mapping:
    """An object or map; a later entry of the same key wins."""

    entries: tuple[Entry, ...]  # one whose key has a hole stands for any number of them
    kind: Kind = Kind.OBJECT

    @cached_property
    def size(self) -> int:
        return size_of([entry.value for entry in self.entries])


@dataclass(frozen=True, slots=True)
class Record:
    """An object whose attributes are computed on demand: a resource, a data source, a module."""

    written: str  # e.g. "aws_iam_policy.admin"
    attribute: Callable[[str], Value]  # total: an attribute that the tree does not tell is unknown
    names: tuple[str, ...] | None = None  # of all attributes; None: there may be more than the tree tells


class Found(NamedTuple):
    """A text that an unknown value may hold."""

    text: Text
    when: When = ()
    origin: str = ""
    place: Place | None = None
    address: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Any value at all; `found` are the policies that it may hold.

    `fails` when Terraform would refuse to go on: for want of an element when `is_absent`, and when `is_missing` of one
    that may as well be there: then the other alternatives are the elements that are.
    """

    hole: Hole
    found: tuple[Found, ...] = ()
    fails: bool = False
    is_missing: bool = False
    is_absent: bool = False


Plain = String | Number | Boolean | Null | Sequence | Mapping | Record | Unknown


class Openness(IntEnum):
    """Whether something that the tree does not decide had a say in a value, which is nevertheless the one to use."""

    DECIDED = 0
    ELEMENT = 1  # it is an element of a root variable's collection: a condition on it is not decided
    VARIABLE = 2  # it depends on a whole root variable, or is unknown: nor is what it selects from a collection


@dataclass(frozen=True, slots=True)
class Possible:
    """One alternative of a value; `origin` names the file that it comes from, e.g. "envs/prod.tfvars"."""

    plain: Plain
    when: When = ()
    openness: Openness = Openness.DECIDED
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Value:
    """Never empty."""

    possible: tuple[Possible, ...]
    _hash: list[int] = field(default_factory=list, init=False, compare=False, repr=False)  # once it was asked for

    def __iter__(self) -> Iterator[Possible]:
        return iter(self.possible)

    def __hash__(self) -> int:
        # Alternatives are told apart again and again, and a collection's hash is that of everything in it.
        if not self._hash:
            self._hash.append(hash(self.possible))
        return self._hash[0]

    @property
    def decided(self) -> Plain | None:
        """The only possible value, when no condition and no root variable had a say in it."""
        if len(self.possible) == 1 and not self.possible[0].when and not self.possible[0].openness:
            return self.possible[0].plain
        return None


def size_of(values: Iterable[Value]) -> int:
    """How many elements the values have, with those of their elements."""
    return sum(
        1 + possible.plain.size if isinstance(possible.plain, Sequence | Mapping) else 1
        for value in values
        for possible in value
    )


def exactly(plain: Plain) -> Value:
    """A value that is decided."""
    return Value((Possible(plain),))


def string(content: str | Text, place: Place | None = None) -> Value:
    """A string that is decided, except for its holes."""
    if isinstance(content, str):
        # Terraform normalizes strings: the Kelvin sign becomes the letter K.
        content = text(content if content.isascii() else unicodedata.normalize("NFC", content))
    return Value((Possible(String(content, place), openness=Openness.VARIABLE if content.holes else Openness.DECIDED),))


def unknown(written: object, reason: str, remedy: str = "", found: Iterable[Found] = ()) -> Value:
    """Any value at all, and the policies that it may hold."""
    return Value(
        (Possible(Unknown(Hole(short(written), reason, remedy=remedy), tuple(found)), openness=Openness.VARIABLE),)
    )


def refused(written: object, reason: str, found: Iterable[Found] = ()) -> Value:
    """What Terraform would refuse to compute, as far as the tree tells: `try` goes on, everything else is unknown."""
    hole = Hole(short(written), f"terraform would refuse it: {reason}")
    return Value((Possible(Unknown(hole, tuple(found), fails=True)),))


def missing(written: object, others: list[Value]) -> Value:
    """The refusal of an element that is not there, or may not be while others are."""
    if not others:
        hole = Hole(short(written), f"terraform would refuse it: there is no {short(written)}")
        return Value((Possible(Unknown(hole, fails=True, is_absent=True)),))
    hole = Hole(short(written), f"there may be no {short(written)}")
    return Value((Possible(Unknown(hole, fails=True, is_missing=True)),))


NULL = exactly(Null())


def value_of_json(data: Any, place: Place | None = None) -> Value:
    """The value of decoded JSON or YAML. Raises OverflowError when it has more than MAX_ITEMS elements,
    TypeError when it is no such data."""
    return _of_json(data, place, iter(range(MAX_ITEMS)))


def _of_json(data: Any, place: Place | None, remaining: Iterator[int]) -> Value:
    if next(remaining, None) is None:
        raise OverflowError
    if data is None:
        return NULL
    if isinstance(data, bool):
        return exactly(Boolean(data))
    if isinstance(data, int | float | Fraction):
        return exactly(Number(Fraction(str(data)) if isinstance(data, float) else Fraction(data)))
    if isinstance(data, list | tuple):
        return exactly(Sequence(tuple(Item(_of_json(element, place, remaining)) for element in data)))
    if isinstance(data, dict):
        entries = {str(key): _of_json(element, place, remaining) for key, element in data.items()}
        return exactly(Mapping(tuple(Entry(text(key), element) for key, element in entries.items())))
    if not isinstance(data, str):
        raise TypeError(f"{type(data).__name__} is no JSON")
    return string(data, place)


def joined(*conditions: When) -> When | None:
    """All of the conditions; None when they exclude one another."""
    given = [when for when in conditions if when]
    if len(given) < 2:
        return given[0] if given else ()
    together: dict[tuple[str, Hashable], Condition] = {}
    equal: dict[tuple[str, Hashable], str] = {}  # what must be equal to which literal
    for when in given:
        for condition in when:
            other = together.setdefault((condition.written, condition.owner), condition)
            if other.holds != condition.holds:
                return None
            name, literal = _equality(condition.written) if condition.holds else ("", "")
            if literal and equal.setdefault((name, condition.owner), literal) != literal:
                return None
    return tuple(together.values())


_EQUALITY = re.compile(r'([\w.-]+) == ("[^"\\$%]*")')


@lru_cache
def _equality(written: str) -> tuple[str, str]:
    """The name and the string of `var.environment == "prod"`: the same name cannot be equal to another string, too."""
    found = _EQUALITY.fullmatch(written)
    return (found[1], found[2]) if found else ("", "")


def under(value: Value, when: When, openness: Openness = Openness.DECIDED, origin: str = "") -> Value:
    """The value as it is under further conditions; alternatives that they exclude are gone, unless all would be."""
    if not when and not openness and not origin:
        return value
    kept = []
    for possible in value:
        conditions = joined(when, possible.when)
        if conditions is not None:
            origins = possible.origin if origin in ("", possible.origin) else f"{possible.origin}, {origin}".strip(", ")
            kept.append(Possible(possible.plain, conditions, max(possible.openness, openness), origins))
    return Value(tuple(kept)) if kept else value


def opened(value: Value) -> Value:
    """The value of a root variable: used as it is, while a condition on it stays undecided."""
    return under(value, (), Openness.VARIABLE)


def is_refused(possible: Possible) -> bool:
    return isinstance(possible.plain, Unknown) and possible.plain.fails


def parts_of(plain: Plain) -> Iterator[tuple[Value, When]]:
    """The elements of a collection, with the conditions under which they are there; a mapping's values."""
    if isinstance(plain, Sequence):
        yield from plain.items
        if plain.rest is not None:
            yield plain.rest, ()
    elif isinstance(plain, Mapping):
        yield from ((entry.value, entry.when) for entry in plain.entries)


def text_of(plain: Plain) -> Text | None:
    """The plain value as a string, as Terraform converts it; None when it is none."""
    if isinstance(plain, String):
        return plain.text
    if isinstance(plain, Boolean):
        return text("true" if plain.value else "false")
    if isinstance(plain, Number):
        return text(number_as_text(plain.value))
    if isinstance(plain, Unknown):
        return Text((plain.hole,))
    return None


def whole_number(plain: Plain) -> int | None:
    """The plain value as an index: a whole number, or a string of one; None when it is none, or not known."""
    if isinstance(plain, String):
        known = plain.text.known
        return int(known) if known and re.fullmatch(r"-?\d{1,9}", known, re.ASCII) else None
    return int(plain.value) if isinstance(plain, Number) and plain.value.denominator == 1 else None


def number_as_text(number: Fraction | int) -> str:
    """In digits, without an exponent; every `Number` is a decimal fraction."""
    if number.denominator == 1:
        return str(number.numerator)
    digits = 0
    while (number * 10**digits).denominator != 1:
        digits += 1
    scaled = str(abs(int(number * 10**digits))).rjust(digits + 1, "0")
    return f"{'-' if number < 0 else ''}{scaled[:-digits]}.{scaled[-digits:]}"
