"""Decide what one resource of a template attaches, and to whom.

For the reader of templates; works by the table in `cloudformation.resource_types`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from unapproved_iam.cloudformation.document import Node, Object, Scalar, function_of, value_of
from unapproved_iam.cloudformation.intrinsic_functions import policy_arns_within, unknown_function
from unapproved_iam.cloudformation.resource_types import AttachingType, Form, PolicyProperty
from unapproved_iam.cloudformation.values import Evaluator
from unapproved_iam.cloudformation.world import Call, Choice, Possible, World
from unapproved_iam.policies.attachment import Principal
from unapproved_iam.policies.policy_arn import ROOT_PATH, customer_managed
from unapproved_iam.policies.possible_text import Text, unknown


@dataclass(frozen=True)
class Declared:
    """One resource of a template."""

    logical_id: str
    resource_type: str
    node: Node  # its mapping, with `Type` and `Properties`
    world: World  # with its own Condition chosen
    line: int  # of its logical id

    @property
    def properties(self) -> Node | None:
        return value_of(self.node, "Properties")


@dataclass(frozen=True)
class Attached:
    """One policy that a resource attaches in one world."""

    policy: Text
    principals: tuple[Principal, ...]
    world: World
    line: int
    note: str = ""


@dataclass(frozen=True)
class Odd:
    """Something in an attaching resource that has a form that nobody expects."""

    line: int
    what: str


def oddity_of(evaluator: Evaluator, declared: Declared) -> Odd | None:
    """What is wrong with the properties of an attaching resource, when they cannot be looked into."""
    properties = declared.properties
    if properties is None or all(possible.value is None for possible in evaluator.values(properties, declared.world)):
        return None
    function, _ = function_of(properties) or ("", properties)
    if isinstance(properties, Object) and function in ("", "Fn::Transform"):
        return None
    kind = function or ("a text" if isinstance(properties, Scalar) else "a list")
    return Odd(properties.line, f"Properties of {declared.logical_id} is {kind} (expected a mapping)")


def attached_by(evaluator: Evaluator, declared: Declared, row: AttachingType) -> Iterator[Attached | Odd]:
    """What a resource attaches through its own properties; other templates and SAM are read elsewhere."""
    principals, world = _principals_of(evaluator, declared, row)
    if not principals:
        return
    for policy in row.policies:
        for attached in _policies_of(evaluator, declared, policy, world):
            yield replace(attached, principals=principals) if isinstance(attached, Attached) else attached
    yield from inserted(evaluator, declared, principals)


def _policies_of(
    evaluator: Evaluator, declared: Declared, policy: PolicyProperty, world: World
) -> Iterator[Attached | Odd]:
    if policy.form is Form.OWN:
        for own in evaluator.own_policies(declared.logical_id, declared.properties, world):
            yield Attached(own.text, (), own.world, own.line or declared.line)
        return
    for node, inner in evaluator.under(declared.properties, policy.name, world):
        for member in evaluator.members(node, inner):
            if policy.form is Form.NAMES:
                yield from _named(evaluator, member)
            elif isinstance(member.value, Object):
                for arn in policy_arns_within(evaluator, member.value, member.world):
                    yield Attached(arn.text, (), arn.world, arn.line)
                yield Odd(
                    member.line,
                    f"{policy.name} of {declared.logical_id} holds a mapping (expected {policy.form.value})",
                )
            else:
                yield Attached(given(member), (), member.world, member.line or node.line)


def given(member: Possible) -> Text:
    """The text; a default that is empty only says that another value has to be given."""
    origin = member.world.origin
    if member.text.pieces or not origin:
        return member.text
    return unknown(origin, f"{origin} is empty", remedy="give it a value")


def _named(evaluator: Evaluator, reference: Possible) -> Iterator[Attached]:
    """A customer managed policy by its name and path."""
    if not isinstance(reference.value, Object):
        yield Attached(customer_managed(reference.text), (), reference.world, reference.line)
        return
    for path in evaluator.property_texts(reference.value, "Path", reference.world) or [
        replace(reference, value=ROOT_PATH)
    ]:
        for name in evaluator.property_texts(reference.value, "Name", path.world):
            yield Attached(customer_managed(name.text, path.text), (), name.world, name.line)


def inserted(evaluator: Evaluator, declared: Declared, principals: tuple[Principal, ...]) -> Iterator[Attached]:
    """What AWS::Include or another macro puts among the properties is not in the template."""
    for entry in evaluator.entries(declared.properties, declared.world):
        if entry.name != "Fn::Transform":
            continue
        for possible in unknown_function(evaluator, Call(entry.name, entry.node, entry.line), entry.world):
            for member in evaluator.members_of(possible):
                yield Attached(member.text, principals, member.world, member.line)


def _principals_of(evaluator: Evaluator, declared: Declared, row: AttachingType) -> tuple[tuple[Principal, ...], World]:
    """All principals that the policies are, or may be, attached to, and the world in which there are any."""
    principals: dict[Principal, None] = {}
    worlds: list[World] = []
    for named in row.principals:
        names = evaluator.property_texts(declared.properties, named.name, declared.world)
        if named.own and not names:
            hole = unknown(declared.logical_id, f"CloudFormation makes up the name of {declared.logical_id}")
            names = [Possible(hole, declared.world, declared.line)]
        for name in names:
            address = declared.logical_id if named.own else name.address
            principals[Principal(named.kind, name.text, address)] = None
            worlds.append(name.world)
        if named.own:
            worlds.append(declared.world)
    return tuple(principals), replace(declared.world, told=_common(declared.world, worlds))


def _common(world: World, worlds: Iterable[World]) -> tuple[Choice, ...]:
    """The choices under which there is a principal at all: those that all worlds share."""
    shared = [inner.told for inner in worlds]
    if not shared:
        return world.told
    return tuple(choice for choice in shared[0] if all(choice in told for told in shared))
