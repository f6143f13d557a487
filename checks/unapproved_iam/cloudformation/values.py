"""Decide which values an expression of a template may have: every text that it can yield.

For the readers of templates. Source: "Parameters", "Pseudo parameters reference", "Ref" and "Fn::GetAtt" in the
CloudFormation documentation; the other functions are in `cloudformation.intrinsic_functions`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from unapproved_iam.cloudformation.conditions import rules_of, truth_of
from unapproved_iam.cloudformation.document import Array, Node, Object, Scalar, function_of, value_of, values_of
from unapproved_iam.cloudformation.intrinsic_functions import FUNCTIONS, unknown_function
from unapproved_iam.cloudformation.parameters import OUTERMOST, PSEUDO_PARAMETERS, Arguments, Parameters, StackPlace
from unapproved_iam.cloudformation.unknowns import SOMETHING, FilledIn, TooManyValues, Unknowns
from unapproved_iam.cloudformation.world import (
    PLACEHOLDER,
    Call,
    Entry,
    Exported,
    Expression,
    Given,
    Items,
    Possible,
    Value,
    World,
    list_of,
    placeholder_number,
    scalar_text,
)
from unapproved_iam.late_patterns import late_pattern
from unapproved_iam.policies.facts import ALWAYS, NEVER, Facts
from unapproved_iam.policies.policy_arn import ROOT_PATH, customer_managed
from unapproved_iam.policies.possible_text import Hole, Text, text, unknown

MOST_STEPS = 100_000  # to evaluate one resource; far beyond what a template that people write needs

# What a reference to a resource (attribute "") or one of its attributes gives back: the value of this property.
GIVEN_BACK = {
    ("AWS::IAM::Role", ""): "RoleName",
    ("AWS::IAM::User", ""): "UserName",
    ("AWS::IAM::Group", ""): "GroupName",
    ("AWS::SSM::Parameter", "Value"): "Value",
}
# What may stand for a mapping.
_OF_MAPPINGS = frozenset({"Ref", "Fn::If", "Fn::FindInMap", "Fn::Select"})


ANYWHERE = World()


class Evaluator:
    """Evaluates the expressions of one template.

    `arguments` are the parameter values that a parent stack passes; None when nobody calls the template. `holes` are
    unknown parts of the template's own text, written there as `placeholder(number)`. `start` is the world in which the
    stack is created.
    """

    def __init__(
        self,
        root: Node,
        arguments: Arguments | None = None,
        holes: Sequence[Hole] = (),
        unknowns: Unknowns | None = None,
        start: World = ANYWHERE,
        place: StackPlace = OUTERMOST,
    ) -> None:
        self.holes = holes
        self.unknowns = unknowns or Unknowns()
        self.steps = MOST_STEPS
        self.output_of_nested: Callable[[str, str, World], Iterable[Possible] | None] = lambda *_: None
        self.exported: Callable[[Text], Iterable[Exported]] = lambda _: ()
        self.mappings = tuple(values_of(root, "Mappings"))
        self.parameters: dict[str, Node] = {}
        self.conditions: dict[str, tuple[Node, World]] = {}
        self.resources: dict[str, Entry] = {}
        self._truths: dict[str, Facts] = {}
        self._given = Parameters(self, arguments, place)
        self.parameters = {entry.name: entry.node for entry in self._section(root, "Parameters", start)}
        self.conditions = {entry.name: (entry.node, entry.world) for entry in self._section(root, "Conditions", start)}
        self.rules = rules_of(self, values_of(root, "Rules"))
        self.start = start.with_facts(start.facts & self.rules)
        self.declared = tuple(self._section(root, "Resources", self.start))  # a logical id may be there twice
        self.resources = {entry.name: entry for entry in self.declared}

    def _section(self, root: Node, name: str, world: World) -> Iterator[Entry]:
        for section in values_of(root, name):
            yield from self.entries(section, world)

    def step(self) -> None:
        """Count one step of evaluation. Raises `TooManyValues` when they are used up."""
        self.steps -= 1
        if self.steps < 0:
            raise TooManyValues(f"{MOST_STEPS} steps of evaluation")

    def condition(self, name: str) -> Facts:
        """When a named condition is true."""
        if name not in self._truths:
            question = self.unknowns.question(f"Condition {name}", (id(self), name))
            self._truths[name] = question  # when it refers to itself
            if name in self.conditions:
                node, world = self.conditions[name]
                self._truths[name] = truth_of(self, node, World(loops=world.loops), f"Condition {name}")
        return self._truths[name]

    def exists(self, declared: Entry) -> Facts:
        """When a resource or an output is created: under its condition."""
        condition = value_of(declared.node, "Condition")
        if not isinstance(condition, Scalar) or condition.is_null:
            return ALWAYS
        return self.condition(str(self.written(condition.text, declared.world)))

    def named_facts(self) -> dict[str, Facts]:
        """The conditions, as messages name them."""
        return {f"Condition {name}": self.condition(name) for name in self.conditions}

    # Mappings

    def entries(self, node: Node | None, world: World) -> Iterator[Entry]:
        """The keys and values of a mapping, with every Fn::ForEach in it unrolled; of each that Fn::If may choose."""
        if not isinstance(node, Object):
            return
        function, _ = function_of(node) or ("", node)
        if function in _OF_MAPPINGS:
            for possible in self.values(node, world):
                if isinstance(possible.value, Object):
                    yield from self.entries(possible.value, possible.world)
            return
        for key, value in node.pairs:
            self.step()
            name = self.written(key.text, world) if isinstance(key, Scalar) else text(SOMETHING)
            parts = value.items if isinstance(value, Array) else []
            if str(name).startswith("Fn::ForEach") and len(parts) == 3:
                identifier, collection, body = parts
                for member in self.texts(collection, world):
                    for turn, inner in self.filled_in(member.text, member.world):
                        loops = {**inner.loops, scalar_text(identifier): turn}
                        yield from self.entries(body, inner.with_loops(loops))
            else:
                yield Entry(str(name), value, world, key.line)

    def under(self, node: Node | None, key: str, world: World) -> Iterator[tuple[Node, World]]:
        """Every value under a key of a mapping that may hold Fn::ForEach."""
        return ((entry.node, entry.world) for entry in self.entries(node, world) if entry.name == key)

    def at(self, node: Node | None, path: str, world: World) -> Iterator[tuple[Node, World]]:
        """Every value under a path of keys; on the way there are mappings, or lists of such."""
        key, _, rest = path.partition(".")
        for found, inner in self.under(node, key, world):
            if not rest:
                yield found, inner
                continue
            for member in self.members(found, inner):
                if isinstance(member.value, Object):
                    yield from self.at(member.value, rest, member.world)

    def property_texts(self, properties: Node | None, path: str, world: World) -> list[Possible]:
        """Every text that a property may have; empty when it is absent."""
        found = self.at(properties, path, world)
        return [possible for node, inner in found for possible in self.texts(node, inner)]

    # Values

    def members(self, node: Expression, world: World) -> Iterator[Possible]:
        """Every text or mapping that the node may be, or that may be in the list that it may be."""
        for possible in self.values(node, world):
            yield from self.members_of(possible)

    def members_of(self, possible: Possible) -> Iterator[Possible]:
        value = possible.value
        if isinstance(value, Items):
            for element in value.elements:
                if isinstance(element, Text):
                    members = self.members_of(possible._replace(value=element))
                else:
                    members = self.members(element, possible.world)
                for member in members:
                    yield member._replace(line=value.line) if value.line else member
            if value.rest is not None:
                yield possible._replace(value=value.rest, line=value.line or possible.line)
        elif value is not None:
            yield possible

    def texts(self, node: Expression, world: World) -> Iterator[Possible]:
        """As `members`, where only text is expected."""
        return (possible._replace(value=possible.text) for possible in self.members(node, world))

    def values(self, node: Expression, world: World) -> Iterator[Possible]:
        """Every value that the node may have in the world."""
        self.step()
        if isinstance(node, Text):
            yield Possible(node, world, 0)
        elif isinstance(node, Given):
            for given in node.alternatives:
                facts = world.facts & given.world.facts
                if facts is not NEVER:
                    yield given._replace(world=self._both(world, given.world, facts))
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
                yield name._replace(line=call.line)
            else:
                yield from self._named(name.text.known, name.world, call.line)

    def _named(self, name: str, world: World, line: int) -> Iterator[Possible]:
        if name in world.loops:
            yield Possible(world.loops[name], world, line)
        elif name == "AWS::NoValue":
            yield Possible(None, world, line)
        elif name in PSEUDO_PARAMETERS:
            yield Possible(text(self._given.pseudo_parameter(name)), world, line)
        elif name in self.parameters:
            for given in self.values(self._given.parameter(name), world):
                for value, inner in self._told(given):
                    items = replace(value, line=line) if isinstance(value, Items) else value
                    yield given._replace(value=items, world=inner, line=line)
        else:
            yield from self._attribute(name, "", world, line)

    def _told(self, given: Possible) -> Iterator[tuple[Value, World]]:
        """What a parameter is; a list of which not all is known, as the facts of its world tell it."""
        if not isinstance(given.value, Items) or given.value.whole is None:
            yield given.value, given.world
            return
        for whole, inner in self.lists_told(given.value.whole, given.world):
            yield list_of(self.unknowns, whole, inner.facts), inner

    def _get_att(self, call: Call, world: World) -> Iterator[Possible]:
        dotted = text(".")
        for joined, within in self.joined(call.arguments, dotted, world):
            for name, inner in self.filled_in(joined, within):
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
        facts = world.facts & self.exists(resource)
        if facts is NEVER:
            return  # what refers to it cannot be created
        inner = world.with_facts(facts).with_loops(resource.world.loops)
        kind = scalar_text(value_of(resource.node, "Type"))
        properties = value_of(resource.node, "Properties")
        hole = unknown(written, f"{written} is known when the stack is created")
        found: Iterable[Possible] | None = None
        if kind == "AWS::IAM::ManagedPolicy" and attribute in ("", "PolicyArn"):
            found = self.own_policies(logical_id, properties, inner)
        elif (kind, attribute) in GIVEN_BACK:
            found = self.property_texts(properties, GIVEN_BACK[kind, attribute], inner) or None
        elif attribute.startswith("Outputs."):
            found = self.output_of_nested(logical_id, attribute.removeprefix("Outputs."), inner)
        for possible in [Possible(hole, inner, line)] if found is None else found:
            yield Possible(possible.value, possible.world.with_loops(world.loops), line, logical_id)

    def own_policies(self, logical_id: str, properties: Node | None, world: World) -> Iterator[Possible]:
        """The ARNs that an AWS::IAM::ManagedPolicy may have."""
        generated = unknown(logical_id, f"CloudFormation generates the name of {logical_id}", remedy="name it")
        for path in self.property_texts(properties, "Path", world) or [Possible(ROOT_PATH, world, 0)]:
            names = self.property_texts(properties, "ManagedPolicyName", path.world)
            for name in names or [Possible(generated, path.world, 0)]:
                yield name._replace(value=customer_managed(name.text, path.text))

    # Texts whose unknown parts have values

    def filled_in(self, value: Text, world: World) -> Iterator[tuple[Text, World]]:
        """Every text that it may be, for a function that has to know it."""
        if not value.holes:
            yield value, world
            return
        yield from self._in_worlds(self.unknowns.filled_in(value, world.facts), world)

    def lists_told(self, value: Text, world: World) -> Iterator[tuple[Text, World]]:
        """The same, of a text with commas that will be a list."""
        listed = value.pieces[0] if len(value.pieces) == 1 else ""
        if isinstance(listed, Hole) and self.unknowns.is_list(listed):
            yield from self._in_worlds(self.unknowns.list_told(listed, world.facts), world)
        else:
            yield from self.filled_in(value, world)

    def _in_worlds(self, texts: Iterable[FilledIn], world: World) -> Iterator[tuple[Text, World]]:
        for filled in texts:
            self.step()
            defaults, supposed = world.defaults | filled.defaults, world.supposed | filled.supposed
            yield filled.text, World(filled.facts, world.loops, world.origin, defaults, supposed)

    def resolved(self, possible: Possible) -> Iterator[Possible]:
        """Every text that it may be for somebody who is told the facts: a default counts as it is."""
        for value, world in self.filled_in(possible.text, possible.world):
            if not self.unknowns.is_supposed(value, world.supposed):
                named = sorted(one.subject for one in world.defaults - possible.world.defaults)
                of_default = f"the default of {', '.join(named)}".replace("parameter ", "") if named else ""
                facts = self.unknowns.told(world.facts, world.defaults)
                yield possible._replace(value=value, world=World(facts, world.loops, of_default or world.origin))

    def _both(self, world: World, given: World, facts: Facts) -> World:
        """The world of an expression in which something given has a value."""
        silent = frozenset(one for one in given.defaults if not world.facts.values_of(one))
        supposed = frozenset(one for one in given.supposed if self.unknowns.untold(one, None, world.facts)[1])
        return World(
            facts, world.loops, given.origin or world.origin, world.defaults | silent, world.supposed | supposed
        )

    # Joining, which Fn::Join, Fn::Sub and Fn::GetAtt share

    def joined(self, parts: Sequence[Expression], separator: Text, world: World) -> list[tuple[Text, World]]:
        """The parts joined, lists among them taken apart; what is AWS::NoValue is left out."""
        results: list[tuple[Text | None, World]] = [(None, world)]
        for part in parts:
            following: list[tuple[Text | None, World]] = []
            for so_far, inner in results:
                for possible in self.values(part, inner):
                    for piece, after in self._joined_value(possible, separator):
                        self.step()
                        both = piece if so_far is None else so_far if piece is None else so_far + separator + piece
                        following.append((both, after))
            results = following
        return [(text() if result is None else result, after) for result, after in results]

    def _joined_value(self, possible: Possible, separator: Text) -> Sequence[tuple[Text | None, World]]:
        value = possible.value
        if not isinstance(value, Items):
            return [(None if value is None else possible.text, possible.world)]
        if value.whole is not None and separator.known in ("", ","):
            return [(_with_commas(value.whole, separator.known), possible.world)]
        if value.rest is not None:
            rest = _rest_joined(value.rest, separator)
            alone = [] if value.whole is None else self.filled_in(value.whole, possible.world)
            return [(rest if one.holes else one, inner) for one, inner in alone] or [(rest, possible.world)]
        if not value.elements:
            return [(None, possible.world)]
        return self.joined(value.elements, separator, possible.world)


def _with_commas(whole: Text, separator: str) -> Text:
    """A list that is not known, as text: written with commas it is the parameter's own text."""
    return text(*(piece.replace(",", separator) if isinstance(piece, str) else piece for piece in whole.pieces))


def _rest_joined(rest: Text, separator: Text) -> Text:
    first = rest.pieces[0]
    if not isinstance(first, Hole):
        return rest
    return text(first._replace(reason=f"{first.reason} (joined by {separator})"))


_LOOP_IDENTIFIER = late_pattern(r"([$&]\{\s*\w+\s*\})")


def _loop_value(part: str, loops: Mapping[str, Text]) -> str | Text:
    """`${Identifier}` is the loop's value, `&{Identifier}` its letters and digits."""
    name = part[2:-1].strip()
    if not _LOOP_IDENTIFIER.fullmatch(part) or name not in loops:
        return part
    value = loops[name]
    return value if part[0] == "$" or value.known is None else re.sub("[^0-9A-Za-z]", "", value.known)
