"""The records of evaluation: what an expression of a template may be, and the choices that lead there.

For the evaluator of templates and the readers that ask it. An expression is evaluated in a world: the choices made so
far about what the template leaves open (conditions, parameters that allow several values). Where a choice is open the
world forks, so two uses of one condition never contradict each other, and a finding can say when it holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

from unapproved_iam.cloudformation.document import Node, Object, Scalar
from unapproved_iam.policies.possible_text import Glob, Hole, Text, text, unknown


@dataclass(frozen=True)
class Items:
    """A list. `rest` is set when it may hold more than its elements, none of which is then in a certain position."""

    elements: tuple[Node | Text, ...]
    rest: Text | None = None
    line: int = 0  # where the list is referred to, when its elements are not written there

    def __str__(self) -> str:
        return ",".join(str(element) for element in self.elements)


Value = Text | Items | Object | None  # None: AWS::NoValue, or null


@dataclass(frozen=True)
class Choice:
    """One choice as messages tell it; `alternatives` is how many values there are to choose from."""

    subject: str  # e.g. "Condition IsProd"
    values: frozenset[str]
    alternatives: int

    def __str__(self) -> str:
        return f"{self.subject} is {' or '.join(sorted(self.values))}"


def least_told(alternatives: Iterable[tuple[Choice, ...]]) -> tuple[Choice, ...]:
    """What has to be told when any of several alternatives will do: not a choice whose every value is among them."""
    sets = {frozenset(_by_subject(told)) for told in alternatives}
    while True:
        joined = set(sets)
        for subject in {choice.subject for told in sets for choice in told}:
            groups: dict[frozenset[Choice], set[str]] = {}
            for told in joined:
                own = next((choice for choice in told if choice.subject == subject), None)
                if own:
                    groups.setdefault(told - {own}, set()).update(own.values)
                    number = own.alternatives
            without = {told for told in joined if all(choice.subject != subject for choice in told)}
            for rest, values in groups.items():
                complete = len(values) >= number or rest in without
                without.add(rest if complete else rest | {Choice(subject, frozenset(values), number)})
            joined = without
        if joined == sets:
            break
        sets = joined
    least = min(sets, key=lambda told: (len(told), sorted(map(str, told))))
    return tuple(sorted(least, key=str))


def _by_subject(told: tuple[Choice, ...]) -> Iterable[Choice]:
    """One choice for each subject; the last one, which was made in the world of the others."""
    return {choice.subject: choice for choice in told}.values()


@dataclass(frozen=True)
class World:
    """What has been chosen so far on the way to a value."""

    conditions: Mapping[str, bool] = field(default_factory=dict)
    references: Mapping[str, Text | Items] = field(default_factory=dict)  # parameters and pseudo parameters
    loops: Mapping[str, Text] = field(default_factory=dict)  # the identifiers of Fn::ForEach
    told: tuple[Choice, ...] = ()
    origin: str = ""  # where the value comes from, when that is not the place where it is used
    deciding: bool = False  # a condition is being decided: a parameter's default is one value among unknown others
    within: frozenset[str] = frozenset()  # the conditions that are being decided
    excluded: frozenset[tuple[str, str]] = frozenset()  # parameters, and values that they do not have

    def with_condition(self, name: str, truth: bool) -> World:
        return replace(self, conditions={**self.conditions, name: truth})

    def with_reference(self, name: str, value: Text | Items, *told: Choice) -> World:
        return replace(self, references={**self.references, name: value}, told=self.told + told)

    def telling(self, *told: Choice) -> World:
        return replace(self, told=self.told + told)

    def with_loop(self, identifier: str, value: Text) -> World:
        return replace(self, loops={**self.loops, identifier: value})


@dataclass(frozen=True)
class Possible:
    """One value that an expression may have."""

    value: Value
    world: World
    line: int  # of the expression that yields it; 0 when it is written nowhere
    address: str = ""  # the logical id of the resource that the expression refers to

    @property
    def text(self) -> Text:
        """The value where a text is expected."""
        if isinstance(self.value, Text):
            return self.value
        return text() if self.value is None else unknown(SOMETHING, "a text is expected here, and this is none")


class Entry(NamedTuple):
    """One key of a mapping with its value, in the world of the loops that unroll it."""

    name: str
    node: Node
    world: World
    line: int  # of the key


class Evaluation(Protocol):
    """What conditions and intrinsic functions ask the evaluator of their template, which asks them in turn."""

    parameters: dict[str, Node]
    mappings: tuple[Node, ...]
    conditions: dict[str, tuple[Node, World]]

    def step(self) -> None: ...
    def entries(self, node: Node | None, world: World) -> Iterator[Entry]: ...
    def under(self, node: Node | None, key: str, world: World) -> Iterator[tuple[Node, World]]: ...
    def members(self, node: Node | Text, world: World) -> Iterator[Possible]: ...
    def texts(self, node: Node | Text, world: World) -> Iterator[Possible]: ...
    def values(self, node: Node | Text, world: World) -> Iterator[Possible]: ...
    def written(self, source: str, world: World) -> Text: ...
    def joined(self, parts: Sequence[Node | Text], separator: Text, world: World) -> list[tuple[Text, World]]: ...


SOMETHING = "…"  # how a hole is written that no name stands for


@dataclass(frozen=True)
class Call:
    """One call of an intrinsic function."""

    function: str
    argument: Node
    line: int

    @property
    def arguments(self) -> list[Node]:
        return self.argument.items if not isinstance(self.argument, Scalar | Object) else [self.argument]


def scalar_text(node: Node | None) -> str:
    """The text of a scalar, "" for everything else."""
    return node.text if isinstance(node, Scalar) and not node.is_null else ""


def literal(written: str) -> Glob:
    """The narrowest pattern that matches the text, for asking whether something can be equal to it."""
    return Glob(written.replace("*", "?"))


def split_text(whole: Text, separator: str) -> Items:
    """Split a text that may have holes: what stands in a hole may be split again, so no position is certain then."""
    if not separator:
        return Items((whole,))
    if whole.known is not None:
        return Items(tuple(text(part) for part in whole.known.split(separator)))
    elements: list[Text] = [text()]
    for piece in whole.pieces:
        first, *others = piece.split(separator) if isinstance(piece, str) else [piece]
        elements[-1] += text(first)
        elements += [text(other) for other in others]
    divisible = [hole for hole in whole.holes if all(character in hole.alphabet for character in separator)]
    if not divisible:
        return Items(tuple(elements))
    return Items(() if whole.is_unknown else tuple(elements), text(divisible[0]))


def with_late_parts(value: Text) -> Text:
    """Turn into holes what is filled in later: `{{resolve:…}}` by CloudFormation, others by whoever makes the template.

    No name or path of a policy can hold braces. Source: "Dynamic references" in the CloudFormation documentation.
    """
    if not any(isinstance(piece, str) and "{" in piece for piece in value.pieces):
        return value
    holes = iter(value.holes)
    whole = "".join(piece if isinstance(piece, str) else "\0" for piece in value.pieces)
    parts: list[str | Hole] = []
    for number, part in enumerate(_LATE_PART.split(whole)):
        inner = [next(holes) for _ in range(part.count("\0"))]
        if number % 2:
            written = part.replace("\0", SOMETHING).strip("${} ")
            looked_up = "{{resolve:" in part
            reason = (
                "is looked up when the stack is created" if looked_up else "is filled in before the stack is created"
            )
            parts.append(Hole(written, f"{written} {reason}"))
        else:
            first, *others = part.split("\0")
            parts.append(first)
            for hole, known in zip(inner, others, strict=True):
                parts += [hole, known]
    return text(*parts)


_LATE_PART = re.compile(r"(\{\{.*?\}\}|\$\{.*?\})", re.DOTALL)


_FIRST_PLACEHOLDER = 0xE000  # a private use character stands for each unknown part of an embedded template
PLACEHOLDER = re.compile("([\ue000-\uf8ff])")


def placeholder(number: int) -> str:
    return chr(_FIRST_PLACEHOLDER + number)


def placeholder_number(character: str) -> int:
    return ord(character) - _FIRST_PLACEHOLDER
