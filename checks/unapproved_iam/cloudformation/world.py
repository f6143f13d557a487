"""The records of evaluating a template: each possible value, and the facts under which it is the value.

For the evaluator of templates and the readers that ask it. An expression is evaluated in a world: the facts about
parameters, pseudo parameters and other unknowns that hold on the way to it. A value and the conditions on it belong to
the same world, so two uses of one parameter never contradict each other, and a finding can say when it holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from unapproved_iam.cloudformation.document import Node, Object, Scalar
from unapproved_iam.cloudformation.unknowns import SOMETHING, Unknowns
from unapproved_iam.late_patterns import late_pattern
from unapproved_iam.policies.facts import ALWAYS, Facts, Variable
from unapproved_iam.policies.possible_text import Hole, Text, text, unknown


@dataclass(frozen=True)
class Items:
    """A list. `rest` is set when it may hold more than its elements, none of which is then in a certain position.

    So many of the first ones as are `certain` do all the same, and the others follow in their order, with more among
    them; None when nothing is known of the order.
    """

    elements: tuple[Expression, ...]
    rest: Text | None = None
    certain: int | None = None
    whole: Text | None = (
        None  # as the one text with commas that it is for whoever gives a parameter, if not all is known
    )
    line: int = 0  # where the list is referred to, when its elements are not written there

    def __str__(self) -> str:
        return ",".join(str(element) for element in self.elements)


Value = Text | Items | Object | None  # None: AWS::NoValue, or null


class World(NamedTuple):
    """What holds on the way to a value."""

    facts: Facts = ALWAYS
    loops: Mapping[str, Text] = {}  # the identifiers of Fn::ForEach
    origin: str = ""  # where the value comes from, when that is not the place where it is used
    defaults: frozenset[Variable] = frozenset()  # those that have their default, although nothing says so
    supposed: frozenset[Variable] = frozenset()  # those that have another value, although nothing says so

    def with_facts(self, facts: Facts) -> World:
        return World(facts, self.loops, self.origin, self.defaults, self.supposed)

    def with_loops(self, loops: Mapping[str, Text]) -> World:
        return World(self.facts, loops, self.origin, self.defaults, self.supposed)


class Possible(NamedTuple):
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
        return text() if self.value is None else unknown(SOMETHING, "this is not a string")


class Given(NamedTuple):
    """What somebody else says that a value is: a parent stack, or the declaration of a parameter."""

    alternatives: tuple[Possible, ...]


Expression = Node | Text | Given


class Exported(NamedTuple):
    """A value that another stack exports under a name that is asked for."""

    value: Text
    file: str  # the name of its template's file
    is_certain: bool  # whether this is surely the name


class Entry(NamedTuple):
    """One key of a mapping with its value, in the world of the loops that unroll it."""

    name: str
    node: Node
    world: World
    line: int  # of the key


class Evaluation(Protocol):
    """What conditions and intrinsic functions ask the evaluator of their template, which asks them in turn."""

    unknowns: Unknowns
    parameters: dict[str, Node]
    mappings: tuple[Node, ...]
    conditions: dict[str, tuple[Node, World]]

    @property
    def exported(self) -> Callable[[Text], Iterable[Exported]]: ...

    def step(self) -> None: ...
    def condition(self, name: str) -> Facts: ...
    def entries(self, node: Node | None, world: World) -> Iterator[Entry]: ...
    def under(self, node: Node | None, key: str, world: World) -> Iterator[tuple[Node, World]]: ...
    def members(self, node: Expression, world: World) -> Iterator[Possible]: ...
    def texts(self, node: Expression, world: World) -> Iterator[Possible]: ...
    def values(self, node: Expression, world: World) -> Iterator[Possible]: ...
    def written(self, source: str, world: World) -> Text: ...
    def joined(self, parts: Sequence[Expression], separator: Text, world: World) -> list[tuple[Text, World]]: ...
    def filled_in(self, value: Text, world: World) -> Iterator[tuple[Text, World]]: ...
    def lists_told(self, value: Text, world: World) -> Iterator[tuple[Text, World]]: ...


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


def split_text(whole: Text, separator: str) -> Items:
    """Split a text that may have holes: what stands in a hole may be split again, so no position is certain then."""
    if not separator:
        return Items((whole,))
    if whole.known is not None:
        return Items(tuple(text(part) for part in whole.known.split(separator)))
    elements: list[Text] = [text()]
    rest, certain = None, None
    for piece in whole.pieces:
        if rest is None and isinstance(piece, Hole) and all(character in piece.alphabet for character in separator):
            rest, certain = text(piece), len(elements) - 1
        first, *others = piece.split(separator) if isinstance(piece, str) else [piece]
        elements[-1] += text(first)
        elements += [text(other) for other in others]
    return Items(() if rest and whole.is_unknown else tuple(elements), rest, certain)


def list_of(unknowns: Unknowns, whole: Text, facts: Facts = ALWAYS) -> Items:
    """The list that a text with commas is. Of one that is a parameter's, its elements are parts of their own."""
    listed = whole.pieces[0] if len(whole.pieces) == 1 else ""
    if isinstance(listed, Hole) and unknowns.is_list(listed):
        told = tuple(text(unknowns.element(listed, place)) for place in range(unknowns.places_told(listed, facts)))
        return Items(told, text(unknowns.element(listed)), len(told) or None, whole)
    items = split_text(whole, ",")
    trimmed = tuple(text(e.known.strip()) if isinstance(e, Text) and e.known is not None else e for e in items.elements)
    return replace(items, elements=trimmed, whole=whole if items.rest else None)


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
            written = part.replace("\0", SOMETHING)[2 : -2 if part.startswith("{{") else -1].strip()
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


def _variable(depth: int) -> str:
    """`${…}`, with others inside as the Serverless Framework writes them: `${self:custom.${sls:stage}}`."""
    return rf"\$\{{(?:[^{{}}]|{_variable(depth - 1)})*\}}" if depth else r"\$\{[^{}]*\}"


# Whose braces do not match may end anywhere: no literal of a policy's name must seem to follow it.
VARIABLE = rf"{_variable(3)}|\$\{{.*\}}"
_LATE_PART = late_pattern(rf"(\{{\{{.*?\}}\}}|{VARIABLE})", re.DOTALL)


_FIRST_PLACEHOLDER = 0xE000  # a private use character stands for each unknown part of an embedded template
PLACEHOLDER = late_pattern("([\ue000-\uf8ff])")


def placeholder(number: int) -> str:
    return chr(_FIRST_PLACEHOLDER + number)


def placeholder_number(character: str) -> int:
    return ord(character) - _FIRST_PLACEHOLDER
