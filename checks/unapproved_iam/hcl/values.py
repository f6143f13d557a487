"""The values that a Terraform expression can have: what the files say of them, and what they leave open.

For `hcl.evaluation`, which computes them, `hcl.function_calls`, and `terraform.root_module`, which hands in variables
and reads policies out with `possible_texts`.

A `Value` is a set of `Possible`s: alternatives, each a plain value with the facts under which it holds. The elements of
a collection are values again; an element may be absent (`when`), and a collection may have any number of further
elements of which only a model is known (`rest`). What Terraform computes is always among the possible values.
One file, since all of these are made of one another.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from unapproved_iam.hcl.facts import (
    ALWAYS,
    Constant,
    Facts,
    Marker,
    Numeral,
    Spelled,
    SpelledTruth,
    Subject,
    constant_of_text,
    joined,
    number_as_text,
    short,
)
from unapproved_iam.hcl.shapes import Shape
from unapproved_iam.hcl.ways import presences
from unapproved_iam.policies.attachment import Place
from unapproved_iam.policies.possible_text import Hole, Piece, Text, text

# Bounds of ours. What reaches one is not judged where an attachment needs it: README, "Limits".
MAX_POSSIBLE = 10_000  # alternatives of one value, and combinations of those of a function's arguments
MAX_ITEMS = 1_000_000  # of one collection, with those of its elements
MAX_LENGTH = 16_000_000  # characters of one text


class Refused(Exception):
    """Terraform would refuse to compute this; `str()` says why."""


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
    """An element of a sequence; absent where these facts do not hold."""

    value: Value
    when: Facts = ALWAYS


class Entry(NamedTuple):
    """An element of a mapping; absent where these facts do not hold."""

    key: Text
    value: Value
    when: Facts = ALWAYS


@dataclass(frozen=True)
class Sequence:
    """A tuple, list or set."""

    items: tuple[Item, ...]
    rest: Value | None = None  # what any further elements are; None: there are none
    kind: Kind = Kind.TUPLE
    ordered: bool = True  # False: the items are in some other order, and the further elements among them
    is_sorted: bool = False  # as a set is: what is known is in order, what is not may stand between
    after: int | None = None  # unless ordered: of items in order, that many come after the first further elements

    @cached_property
    def size(self) -> int:
        return size_of(item.value for item in self.items)

    @cached_property
    def around_rest(self) -> tuple[tuple[Item, ...], tuple[Item, ...]] | None:
        """The items before the further elements and those after or among them; None when their order is not known."""
        if self.after is not None and not self.ordered:
            return self.items[: len(self.items) - self.after], self.items[len(self.items) - self.after :]
        return (self.items, ()) if self.ordered or (self.rest is None and len(self.items) < 2) else None

    @cached_property
    def least(self) -> int:
        """How many elements are surely there; those of a set may be equal."""
        return sum(not item.when for item in self.items)

    @cached_property
    def is_certain(self) -> bool:
        """Whether the number of elements and the place of each are known."""
        in_order = self.ordered or len(self.items) < 2
        return in_order and self.rest is None and not any(item.when for item in self.items)

    @cached_property
    def ways(self) -> list[tuple[Sequence, Facts]] | None:
        """The sequence as it is in each world, when these are few."""
        if self.is_certain:
            return [(self, ALWAYS)]
        if self.rest is not None or not self.ordered:
            return None
        items = tuple(Item(item.value) for item in self.items)
        numbers: dict[Value, int] = {}
        each = (numbers.setdefault(item.value, number) for number, item in enumerate(self.items))
        ways = presences(zip(each, (item.when for item in self.items), strict=True))
        if ways is None:
            return None
        return [(replace(self, items=tuple(items[one] for one in there)), when) for there, when in ways]

    @cached_property
    def strings(self) -> frozenset[str] | None:
        """The elements when all are strings that are known, in every world."""
        found: set[str] = set()
        if self.rest is not None:
            return None
        for item in self.items:
            plain = item.value.decided
            if item.when or not isinstance(plain, String) or plain.text.known is None:
                return None
            found.add(plain.text.known)
        return frozenset(found)


@dataclass(frozen=True)
class Mapping:
    """An object or map; a later entry of the same key wins."""

    entries: tuple[Entry, ...]  # one whose key has a hole stands for any number of them
    kind: Kind = Kind.OBJECT

    @cached_property
    def size(self) -> int:
        return size_of(entry.value for entry in self.entries)

    @cached_property
    def is_exact(self) -> bool:
        """Whether all keys are known, and surely there."""
        return self.has_known_keys and not any(entry.when for entry in self.entries)

    @cached_property
    def has_known_keys(self) -> bool:
        return not any(entry.key.known is None for entry in self.entries)

    @cached_property
    def by_key(self) -> dict[str, list[Entry]]:
        """The entries whose key is known."""
        found: dict[str, list[Entry]] = {}
        for entry in self.entries:
            if entry.key.known is not None:
                found.setdefault(entry.key.known, []).append(entry)
        return found

    @cached_property
    def in_order(self) -> tuple[Entry, ...]:
        """In Terraform's order, which is that of the keys; those whose key is not known come last."""
        return tuple(sorted(self.entries, key=lambda entry: (entry.key.known is None, entry.key.known or "")))


@dataclass(frozen=True, slots=True)
class Record:
    """An object whose attributes are computed on demand: a resource, a data source, a module."""

    written: str  # e.g. "aws_iam_policy.admin"
    attribute: Callable[[str], Value]  # total: an attribute that the tree does not tell is unknown
    names: tuple[str, ...] | None = None  # of all attributes; None: there may be more than the tree tells


class Found(NamedTuple):
    """A text that an unknown value may hold."""

    text: Text
    when: Facts = ALWAYS
    place: Place | None = None
    address: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Any value; `found` are the policies that it may hold. `fails` when Terraform would refuse to go on."""

    hole: Hole
    found: tuple[Found, ...] = ()
    fails: bool = False
    is_final: bool = False  # what a reference means fails: there is no plan at all, whatever `try` is around it
    shape: Shape | None = None  # by the type of a variable, where that tells
    decoded: String | None = None  # what base64decode makes of it again

    @property
    def may_be_list(self) -> bool:
        return self.shape is None or self.shape.is_list


Plain = String | Number | Boolean | Null | Sequence | Mapping | Record | Unknown


class Possible(NamedTuple):
    """One alternative of a value, with the facts under which it is the value."""

    plain: Plain
    when: Facts = ALWAYS


class Value:
    """Its alternatives; none where no world has it. (Made for every expression: a dataclass takes thrice as long.)"""

    __slots__ = ("_hash", "possible")

    def __init__(self, possible: tuple[Possible, ...]) -> None:
        self.possible = possible
        self._hash: int | None = None

    def __iter__(self) -> Iterator[Possible]:
        return iter(self.possible)

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Value) and self.possible == other.possible)

    def __hash__(self) -> int:
        if self._hash is None:  # that of a collection is of everything in it
            self._hash = hash(self.possible)
        return self._hash

    @property
    def decided(self) -> Plain | None:
        """The only possible value, in whatever world."""
        is_one = len(self.possible) == 1 and not self.possible[0].when
        return self.possible[0].plain if is_one else None


def size_of(values: Iterable[Value]) -> int:
    """How many elements the values have, with those of their elements."""
    plains = (possible.plain for value in values for possible in value.possible)
    return sum(1 + plain.size if isinstance(plain, Sequence | Mapping) else 1 for plain in plains)


def exactly(plain: Plain) -> Value:
    """A value that is decided."""
    return Value((Possible(plain),))


def string(content: str | Text, place: Place | None = None) -> Value:
    """A string that is decided, except for its holes."""
    if isinstance(content, str):
        # Terraform normalizes strings: the Kelvin sign becomes the letter K.
        content = text(content if content.isascii() else unicodedata.normalize("NFC", content))
    return Value((Possible(String(content, place)),))


def unknown(
    written: object, reason: str, remedy: str = "", found: Iterable[Found] = (), subject: Subject | None = None
) -> Value:
    """Any value at all, and the policies that it may hold."""
    return exactly(Unknown(Hole(short(written), reason, remedy=remedy, subject=subject), tuple(found)))


def beyond_limit(written: object, limit: str, found: Iterable[Found] = ()) -> Value:
    """What a bound of ours kept from being followed; `limit` says what it has too many of."""
    return not_judged(written, f"has more than {limit}", found)


def not_judged(written: object, reason: str, found: Iterable[Found] = ()) -> Value:
    """What Terraform may well compute, and we do not look at for this reason."""
    return exactly(Unknown(Hole(short(written), f"{short(written)} {reason}", is_limit=True), tuple(found)))


def refused(written: object, reason: str, found: Iterable[Found] = ()) -> Value:
    """What Terraform would refuse to compute, as far as the tree tells: `try` goes on, everything else is unknown."""
    return exactly(Unknown(Hole(short(written), f"terraform would reject it: {reason}"), tuple(found), fails=True))


NEVER = Value(())
NULL = exactly(Null())


def under(value: Value, when: Facts) -> Value:
    """The value as it is where the facts hold, too; alternatives that they exclude are gone."""
    if not when:
        return value
    if len(value.possible) == 1:
        plain, own = value.possible[0]
        both = joined(when, own)
        return NEVER if both is None else Value((Possible(plain, both),))
    return Value(tuple(Possible(plain, both) for plain, own in value if (both := joined(when, own)) is not None))


def settled(plain: Plain, when: Facts) -> Plain:
    """The plain value with what the facts say of its unknown parts: `var.x` is "a" where that is the only choice."""
    if when:
        if isinstance(plain, Unknown):
            only = when.constant(plain.hole.subject)
            return plain if only is None or isinstance(only[0], Marker) else plain_of(only[0])
        if isinstance(plain, String) and plain.text.known is None:
            return replace(plain, text=settled_text(plain.text, when))
    return plain


def settled_text(content: Text, when: Facts) -> Text:
    if not when or content.known is not None:
        return content
    return text(*(_settled_piece(piece, when) for piece in content.pieces))


def _settled_piece(piece: Piece, when: Facts) -> Piece | Text:
    only = when.constant(piece.subject) if isinstance(piece, Hole) else None
    if only is None or isinstance(only[0], Marker):
        return piece
    return text_of(plain_of(only[0])) or piece


def plain_of(constant: Constant) -> Plain:
    if isinstance(constant, bool):
        return Boolean(constant)
    if isinstance(constant, SpelledTruth):
        return String(text("true" if constant else "false"))
    if isinstance(constant, Numeral):
        return String(text(number_as_text(constant.value))) if isinstance(constant, Spelled) else Number(constant.value)
    return Null() if constant is None else String(text(str(constant)))


def constant_of(plain: Plain) -> tuple[Constant] | None:
    """What facts call a scalar that is known; None for everything else."""
    if isinstance(plain, String):
        return None if plain.text.known is None else (constant_of_text(plain.text.known),)
    if isinstance(plain, Number):
        return (Numeral(plain.value),)
    if isinstance(plain, Boolean):
        return (plain.value,)
    return (None,) if isinstance(plain, Null) else None


def subject_of(plain: Plain) -> Subject | None:
    """What facts about an unknown value are about."""
    if isinstance(plain, String) and len(plain.text.pieces) == 1 and isinstance(plain.text.pieces[0], Hole):
        subject = plain.text.pieces[0].subject
    else:
        subject = plain.hole.subject if isinstance(plain, Unknown) and not plain.fails else None
    return subject if isinstance(subject, Subject) else None


def holes_of(plain: Plain) -> tuple[Hole, ...]:
    """The unknown parts of a scalar, and of how many elements a collection has."""
    if isinstance(plain, String):
        return plain.text.holes
    if isinstance(plain, Sequence):
        return tuple(hole for possible in plain.rest or () for hole in holes_of(possible.plain))
    if isinstance(plain, Mapping):
        return () if plain.has_known_keys else tuple(hole for entry in plain.entries for hole in entry.key.holes)
    return (plain.hole,) if isinstance(plain, Unknown) else ()


def is_other(possible: Possible) -> bool:
    """Whether it is what else somebody may give in place of what the tree tells, or has such elements."""
    return any(hole.is_other for hole in holes_of(possible.plain))


def is_refused(possible: Possible) -> bool:
    plain, when = possible
    if isinstance(plain, Unknown):
        return plain.fails or _is_not_there(plain.hole, when)
    is_text = bool(when) and isinstance(plain, String) and plain.text.known is None
    return is_text and any(_is_not_there(hole, when) for hole in holes_of(plain))


def is_final(possible: Possible) -> bool:
    """Whether there is no plan where this is the value."""
    return isinstance(possible.plain, Unknown) and possible.plain.is_final


def _is_not_there(hole: Hole, when: Facts) -> bool:
    """Whether facts say that there is no such element."""
    needs = hole.subject.needs if isinstance(hole.subject, Subject) else None
    return needs is not None and joined(when, needs) is None


def parts_of(plain: Plain) -> Iterator[tuple[Value, Facts]]:
    """The elements of a collection, with the conditions under which they are there; a mapping's values."""
    if isinstance(plain, Sequence):
        yield from plain.items
        if plain.rest is not None:
            yield plain.rest, ALWAYS
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
