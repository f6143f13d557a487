"""Decide which values an expression of a template may have: every text that it can yield.

For the readers of templates. Source: "Parameters", "Pseudo parameters reference", "Ref" and "Fn::GetAtt" in the
CloudFormation documentation; the other functions are in `cloudformation.intrinsic_functions`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from unapproved_iam.cloudformation.conditions import is_possible
from unapproved_iam.cloudformation.document import Array, Node, Object, Scalar, function_of, value_of, values_of
from unapproved_iam.cloudformation.intrinsic_functions import FUNCTIONS, unknown_function
from unapproved_iam.cloudformation.world import (
    PLACEHOLDER,
    SOMETHING,
    Call,
    Choice,
    Entry,
    Items,
    Possible,
    World,
    placeholder_number,
    scalar_text,
    split_text,
)
from unapproved_iam.policies.policy_arn import ROOT_PATH, customer_managed
from unapproved_iam.policies.possible_text import Alphabet, Hole, Text, text, unknown

MOST_STEPS = 30_000  # to evaluate one resource; far beyond what a template that people write needs


class TooManyValues(Exception):
    """The expression multiplies its values beyond every bound."""


PSEUDO_PARAMETERS = {
    "AWS::AccountId": Hole("AWS::AccountId", "the account is the one that it is applied to", Alphabet.DIGITS),
    "AWS::Partition": Hole("AWS::Partition", "the partition is that of the account", Alphabet.SEGMENT),
    "AWS::Region": Hole("AWS::Region", "the region is the one that it is applied to", Alphabet.SEGMENT),
    "AWS::StackName": Hole("AWS::StackName", "the stack's name is given when it is created", Alphabet.SEGMENT),
    "AWS::URLSuffix": Hole("AWS::URLSuffix", "the suffix is that of the partition", Alphabet.SEGMENT),
    "AWS::StackId": Hole("AWS::StackId", "the stack's id is known when it is created"),
    "AWS::NotificationARNs": Hole("AWS::NotificationARNs", "they are given when the stack is created"),
}

# What a reference to a resource (attribute "") or one of its attributes gives back: the value of this property.
GIVEN_BACK = {
    ("AWS::IAM::Role", ""): "RoleName",
    ("AWS::IAM::User", ""): "UserName",
    ("AWS::IAM::Group", ""): "GroupName",
    ("AWS::SSM::Parameter", "Value"): "Value",
}


class Evaluator:
    """Evaluates the expressions of one template.

    `arguments` are the parameter values that a parent stack passes, each with its alternatives; None when nobody calls
    the template. `holes` are unknown parts of the template's own text, written there as `placeholder(number)`.
    """

    def __init__(
        self,
        root: Node,
        arguments: Mapping[str, Sequence[Possible]] | None = None,
        holes: Sequence[Hole] = (),
    ) -> None:
        self.arguments = arguments
        self.holes = holes
        self.steps = MOST_STEPS
        self.output_of_nested: Callable[[str, str, World], Iterable[Possible]] = lambda *_: ()
        self.parameters: dict[str, Node] = {}
        self.mappings = tuple(values_of(root, "Mappings"))
        self.conditions: dict[str, tuple[Node, World]] = {}
        self.resources: dict[str, Entry] = {}
        self.parameters = {entry.name: entry.node for entry in self._section(root, "Parameters")}
        self.conditions = {entry.name: (entry.node, entry.world) for entry in self._section(root, "Conditions")}
        self.declared = tuple(self._section(root, "Resources"))  # a logical id may be there twice
        self.resources = {entry.name: entry for entry in self.declared}

    def _section(self, root: Node, name: str) -> Iterator[Entry]:
        for section in values_of(root, name):
            yield from self.entries(section, World())

    def step(self) -> None:
        """Count one step of evaluation. Raises `TooManyValues` when they are used up."""
        self.steps -= 1
        if self.steps < 0:
            raise TooManyValues

    # Mappings

    def entries(self, node: Node | None, world: World) -> Iterator[Entry]:
        """The keys and values of a mapping, with every Fn::ForEach in it unrolled."""
        for key, value in node.pairs if isinstance(node, Object) else ():
            self.step()
            name = self.written(key.text, world) if isinstance(key, Scalar) else text(SOMETHING)
            parts = value.items if isinstance(value, Array) else []
            if str(name).startswith("Fn::ForEach") and len(parts) == 3:
                identifier, collection, body = parts
                for member in self.texts(collection, world):
                    yield from self.entries(body, member.world.with_loop(scalar_text(identifier), member.text))
            else:
                yield Entry(str(name), value, world, key.line)

    def under(self, node: Node | None, key: str, world: World) -> Iterator[tuple[Node, World]]:
        """Every value under a key of a mapping that may hold Fn::ForEach."""
        return ((entry.node, entry.world) for entry in self.entries(node, world) if entry.name == key)

    def property_texts(self, properties: Node | None, key: str, world: World) -> list[Possible]:
        """Every text that a property may have; empty when it is absent."""
        found = self.under(properties, key, world)
        return [possible for node, inner in found for possible in self.texts(node, inner)]

    # Values

    def members(self, node: Node | Text, world: World) -> Iterator[Possible]:
        """Every text or mapping that the node may be, or that may be in the list that it may be."""
        for possible in self.values(node, world):
            yield from self.members_of(possible)

    def members_of(self, possible: Possible) -> Iterator[Possible]:
        value = possible.value
        if isinstance(value, Items):
            for element in value.elements:
                if isinstance(element, Text):
                    members = self.members_of(replace(possible, value=element))
                else:
                    members = self.members(element, possible.world)
                for member in members:
                    yield replace(member, line=value.line) if value.line else member
            if value.rest is not None:
                yield replace(possible, value=value.rest, line=value.line or possible.line)
        elif value is not None:
            yield possible

    def texts(self, node: Node | Text, world: World) -> Iterator[Possible]:
        """As `members`, where only text is expected."""
        return (replace(possible, value=possible.text) for possible in self.members(node, world))

    def values(self, node: Node | Text, world: World) -> Iterator[Possible]:
        """Every value that the node may have in the world."""
        self.step()
        if isinstance(node, Text):
            yield Possible(node, world, 0)
        elif isinstance(node, Scalar):
            yield Possible(None if node.is_null else self.written(node.text, world), world, node.line)
        elif isinstance(node, Array):
            yield Possible(Items(tuple(node.items)), world, node.line)
        else:
            function, argument = function_of(node) or ("", node)
            call = Call(function, argument, node.line)
            if function == "Ref":
                yield from self._ref(call, world)
            elif function == "Fn::GetAtt":
                yield from self._get_att(call, world)
            elif function:
                yield from FUNCTIONS.get(function, unknown_function)(self, call, world)
            else:
                yield Possible(node, world, node.line)

    def written(self, source: str, world: World) -> Text:
        """A text of the source, with the identifiers of loops and the unknown parts of the template filled in."""
        parts: list[str | Text] = [source]
        if world.loops and "{" in source:
            parts = [_loop_value(part, world.loops) for part in _LOOP_IDENTIFIER.split(source)]
        if not self.holes:
            return text(*parts)
        filled = text()
        for part in parts:
            if isinstance(part, Text):
                filled += part
            else:
                filled += text(*map(self._known_or_hole, PLACEHOLDER.split(part)))
        return filled

    def _known_or_hole(self, piece: str) -> str | Hole:
        number = placeholder_number(piece) if PLACEHOLDER.fullmatch(piece) else len(self.holes)
        return self.holes[number] if number < len(self.holes) else piece

    # References

    def _ref(self, call: Call, world: World) -> Iterator[Possible]:
        for name in self.texts(call.argument, world):
            if name.text.known is None:
                yield replace(name, line=call.line)
            else:
                yield from self._named(name.text.known, name.world, call.line)

    def _named(self, name: str, world: World, line: int) -> Iterator[Possible]:
        if name in world.loops:
            yield Possible(world.loops[name], world, line)
        elif name == "AWS::NoValue":
            yield Possible(None, world, line)
        elif name in world.references:
            yield Possible(world.references[name], world, line)
        elif name in PSEUDO_PARAMETERS:
            yield Possible(text(PSEUDO_PARAMETERS[name]), world, line)
        elif name in self.parameters:
            yield from self._parameter(name, world, line)
        else:
            yield from self._attribute(name, "", world, line)

    def _parameter(self, name: str, world: World, line: int) -> Iterator[Possible]:
        kind = scalar_text(value_of(self.parameters[name], "Type"))
        is_list = kind == "CommaDelimitedList" or "List<" in kind
        alternatives = self._alternatives(name, world)
        if not alternatives:
            hole = unknown(name, f"parameter {name} has no default", remedy="give it a default or AllowedValues")
            if kind.startswith("AWS::SSM::Parameter::Value"):
                hole = unknown(name, f"parameter {name} is read from the SSM parameter store")
            yield Possible(Items((), hole, line) if is_list else hole, world, line)
        for alternative in alternatives:
            value = _as_list(alternative, line) if is_list else alternative.value
            if not isinstance(value, Text | Items):
                value = alternative.text
            told, origin = alternative.world.told, alternative.world.origin
            if len(alternatives) == 1:
                if is_possible(self, world.with_reference(name, value)):
                    yield Possible(value, replace(world, told=world.told + told, origin=origin), line)
                else:  # e.g. the default is "", and a condition says that the parameter is not ""
                    other = unknown(name, f"parameter {name} is not its default then")
                    yield Possible(Items((), other, line) if is_list else other, world, line)
                continue
            told = told or (Choice(f"parameter {name}", frozenset({str(value)}), len(alternatives)),)
            fork = world.with_reference(name, value, *told)
            if world.deciding or is_possible(self, fork):
                yield Possible(value, fork, line)

    def _alternatives(self, name: str, world: World) -> list[Possible]:
        """The values that a parameter may be given, as far as the tree tells; empty when it does not tell any."""
        node = self.parameters[name]
        if scalar_text(value_of(node, "Type")).startswith("AWS::SSM::Parameter::Value"):
            return []  # what is written is a name in the parameter store
        default = value_of(node, "Default")
        values = [] if default is None else [self.written(scalar_text(default), World())]
        if self.arguments is not None:
            passed = self.arguments.get(name, ())
            return [*passed] or [Possible(value, World(origin=f"the default of {name}"), 0) for value in values]
        allowed = value_of(node, "AllowedValues")
        if isinstance(allowed, Array) and allowed.items:
            values += [self.written(scalar_text(item), World()) for item in allowed.items]
        elif world.deciding:
            return []
        return [Possible(value, World(origin=f"the default of {name}"), 0) for value in dict.fromkeys(values)]

    def _get_att(self, call: Call, world: World) -> Iterator[Possible]:
        dotted = text(".")
        for name, inner in self.joined(call.arguments, dotted, world):
            resource, _, attribute = str(name).partition(".")
            yield from self._attribute(resource, attribute, inner, call.line)

    def _attribute(self, logical_id: str, attribute: str, world: World, line: int) -> Iterator[Possible]:
        """A reference to a resource (attribute "") or to one of its attributes."""
        written = f"{logical_id}.{attribute}" if attribute else logical_id
        if logical_id not in self.resources:
            hole = unknown(written, f"the template has nothing named {logical_id}")
            yield Possible(hole, world, line, logical_id)
            return
        resource = self.resources[logical_id]
        inner = replace(world, loops=resource.world.loops)
        kind = scalar_text(value_of(resource.node, "Type"))
        properties = value_of(resource.node, "Properties")
        found: Iterable[Possible] = ()
        if kind == "AWS::IAM::ManagedPolicy" and attribute in ("", "PolicyArn"):
            found = self.own_policies(logical_id, properties, inner)
        elif (kind, attribute) in GIVEN_BACK:
            found = self.property_texts(properties, GIVEN_BACK[kind, attribute], inner)
        elif attribute.startswith("Outputs."):
            found = self.output_of_nested(logical_id, attribute.removeprefix("Outputs."), inner)
        hole = unknown(written, f"{written} is known when the stack is created")
        for possible in [*found] or [Possible(hole, inner, line)]:
            yield Possible(possible.value, replace(possible.world, loops=world.loops), line, logical_id)

    def own_policies(self, logical_id: str, properties: Node | None, world: World) -> Iterator[Possible]:
        """The ARNs that an AWS::IAM::ManagedPolicy may have."""
        generated = unknown(logical_id, f"CloudFormation makes up the name of {logical_id}", remedy="name it")
        for path in self.property_texts(properties, "Path", world) or [Possible(ROOT_PATH, world, 0)]:
            names = self.property_texts(properties, "ManagedPolicyName", path.world)
            for name in names or [Possible(generated, path.world, 0)]:
                yield replace(name, value=customer_managed(name.text, path.text))

    # Joining, which Fn::Join, Fn::Sub and Fn::GetAtt share

    def joined(self, parts: Sequence[Node | Text], separator: Text, world: World) -> list[tuple[Text, World]]:
        """The parts joined, lists among them taken apart; what is AWS::NoValue is left out."""
        results: list[tuple[Text | None, World]] = [(None, world)]
        for part in parts:
            following: list[tuple[Text | None, World]] = []
            for so_far, inner in results:
                for possible in self.values(part, inner):
                    for piece, after in self._joined_value(possible, separator):
                        both = piece if so_far is None else so_far if piece is None else so_far + separator + piece
                        following.append((both, after))
            if len(following) > MOST_ALTERNATIVES:
                return [(unknown("…", f"it may have more than {MOST_ALTERNATIVES} values"), world)]
            results = following
        return [(text() if result is None else result, after) for result, after in results]

    def _joined_value(self, possible: Possible, separator: Text) -> Sequence[tuple[Text | None, World]]:
        value = possible.value
        if not isinstance(value, Items):
            return [(None if value is None else possible.text, possible.world)]
        if value.rest is not None:
            return [(value.rest, possible.world)]
        if not value.elements:
            return [(None, possible.world)]
        return self.joined(value.elements, separator, possible.world)


MOST_ALTERNATIVES = 200  # of one text; beyond, its value counts as unknown

_LOOP_IDENTIFIER = re.compile(r"([$&]\{\s*\w+\s*\})")


def _loop_value(part: str, loops: Mapping[str, Text]) -> str | Text:
    """`${Identifier}` is the loop's value, `&{Identifier}` its letters and digits."""
    name = part[2:-1].strip()
    if not _LOOP_IDENTIFIER.fullmatch(part) or name not in loops:
        return part
    value = loops[name]
    return value if part[0] == "$" or value.known is None else re.sub("[^0-9A-Za-z]", "", value.known)


def _as_list(possible: Possible, line: int) -> Items:
    """The value of a parameter that is a list: in a template it is written as one text with commas."""
    if isinstance(possible.value, Items):
        return replace(possible.value, line=line)
    items = split_text(possible.text, ",")
    trimmed = tuple(text(e.known.strip()) if isinstance(e, Text) and e.known is not None else e for e in items.elements)
    return replace(items, elements=trimmed, line=line)
