"""The values that a Terraform expression may yield: what the tree tells of them, and what it leaves open.

For `hcl_evaluation`, which computes them, `hcl_functions`, and `terraform_tree`, which hands in variables and reads
policies out with `possible_texts`.

A `Value` is one or more `Possible`s: alternatives, each a plain value with the conditions under which it holds. The
elements of a collection are values again; an element may be absent (`when`), and a collection may have any number of
further elements of which only a model is known (`rest`). What Terraform computes is always among the possible values.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from typing import NamedTuple

from unapproved_iam.attachment import Place
from unapproved_iam.possible_text import Hole, Text

MAX_POSSIBLE = 64  # alternatives of one value; beyond, the value is a hole that remembers the policies in it
MAX_ITEMS = 10_000  # of one collection
MAX_LENGTH = 1_000_000  # characters of one text


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
        return f"{self.written} is {'true' if self.holds else 'false'}"


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


@dataclass(frozen=True, slots=True)
class Number:
    value: Fraction


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


@dataclass(frozen=True, slots=True)
class Sequence:
    """A tuple, list or set."""

    items: tuple[Item, ...]
    rest: Value | None = None  # what any further elements are; None: there are none
    kind: Kind = Kind.TUPLE
    ordered: bool = True  # False: the items are in some other order; a set's known strings are in Terraform's order


@dataclass(frozen=True, slots=True)
class Mapping:
    """An object or map; a later entry of the same key wins."""

    entries: tuple[Entry, ...]
    rest: Value | None = None  # what the values of any further keys are; None: there are none
    kind: Kind = Kind.OBJECT


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


@dataclass(frozen=True, slots=True)
class Unknown:
    """Any value at all; `found` are the policies that it may hold, `fails` when Terraform would refuse to go on."""

    hole: Hole
    found: tuple[Found, ...] = ()
    fails: bool = False


Plain = String | Number | Boolean | Null | Sequence | Mapping | Record | Unknown


@dataclass(frozen=True, slots=True)
class Possible:
    """One alternative of a value.

    `is_open` when it depends on a root variable or on something unknown: it is the value to use, and yet a condition
    on it is not decided. `origin` names the file of an alternative value, e.g. "envs/prod.tfvars".
    """

    plain: Plain
    when: When = ()
    is_open: bool = False
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Value:
    """Never empty."""

    possible: tuple[Possible, ...]

    def __iter__(self) -> Iterator[Possible]:
        return iter(self.possible)

    @property
    def decided(self) -> Plain | None:
        """The only possible value, when no condition and no root variable had a say in it."""
        if len(self.possible) == 1 and not self.possible[0].when and not self.possible[0].is_open:
            return self.possible[0].plain
        return None
