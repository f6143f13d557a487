"""Decide what one resource of a template attaches, and to whom.

For the reader of templates; works by the table in `cloudformation.resource_types`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from unapproved_iam.cloudformation.document import Node, Object, Scalar, function_of, value_of
from unapproved_iam.cloudformation.intrinsic_functions import policy_arns_within, unknown_function
from unapproved_iam.cloudformation.resource_types import AttachingType, Form, PolicyProperty, PrincipalProperty
from unapproved_iam.cloudformation.unknowns import TooManyValues
from unapproved_iam.cloudformation.values import Evaluator
from unapproved_iam.cloudformation.world import Call, Possible, World
from unapproved_iam.policies.attachment import Principal
from unapproved_iam.policies.facts import ALWAYS, NEVER, Facts
from unapproved_iam.policies.passed_policies import is_policy_arn
from unapproved_iam.policies.policy_arn import ROOT_PATH, customer_managed
from unapproved_iam.policies.possible_text import Text, unknown

MOST_STEPS_OF_PRINCIPALS = 5_000  # of one resource


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
    function, _ = (properties and function_of(properties)) or ("", properties)
    if properties is None or function == "Fn::Transform":
        return None
    for possible in evaluator.values(properties, declared.world):
        is_made = isinstance(properties, Scalar) and _stands_for_unknown(possible)
        if possible.value is not None and not isinstance(possible.value, Object) and not is_made:
            kind = function or ("a text" if isinstance(properties, Scalar) else "a list")
            return Odd(properties.line, f"Properties of {declared.logical_id} is {kind} (expected a mapping)")
    return None


def _stands_for_unknown(possible: Possible) -> bool:
    """Whether a text stands where Terraform makes an object of a template that it puts together: of one that is not
    computed only the policies in it are known."""
    return isinstance(possible.value, Text) and (possible.value.is_unknown or is_policy_arn(possible.value))


def attached_by(evaluator: Evaluator, declared: Declared, row: AttachingType) -> Iterator[Attached | Odd]:
    """What a resource attaches through its own properties; other templates and SAM are read elsewhere."""
    if not row.principals:
        return
    principals = _Principals(evaluator, declared, row)
    for policy in row.policies:
        for attached in _policies_of(evaluator, declared, policy, declared.world):
            yield from principals.to_whom(attached) if isinstance(attached, Attached) else [attached]
    for attached in inserted(evaluator, declared, ()):
        yield from principals.to_whom(attached)
    if isinstance(declared.properties, Scalar):
        for possible in filter(_stands_for_unknown, evaluator.values(declared.properties, declared.world)):
            for attached in attached_as(evaluator, possible, declared.properties.line):
                yield from principals.to_whom(attached)


def _policies_of(
    evaluator: Evaluator, declared: Declared, policy: PolicyProperty, world: World
) -> Iterator[Attached | Odd]:
    if policy.form is Form.OWN:
        for own in evaluator.own_policies(declared.logical_id, declared.properties, world):
            yield from attached_as(evaluator, own, own.line or declared.line)
        return
    for node, inner in evaluator.at(declared.properties, policy.name, world):
        for member in evaluator.members(node, inner):
            if policy.form is Form.NAMES:
                yield from _named(evaluator, member)
            elif isinstance(member.value, Object):
                for arn in policy_arns_within(evaluator, member.value, member.world):
                    yield from attached_as(evaluator, arn, arn.line)
                yield Odd(
                    member.line,
                    f"{policy.name} of {declared.logical_id} holds a mapping (expected {policy.form.value})",
                )
            else:
                yield from attached_as(evaluator, member, member.line or node.line)


def attached_as(evaluator: Evaluator, policy: Possible, line: int, note: str = "") -> Iterator[Attached]:
    """The policies that a text may be, each with what has to be told."""
    for final in evaluator.resolved(policy):
        yield Attached(given(final), (), final.world, line, note)


def given(member: Possible) -> Text:
    """The text; a default that is empty only says that another value has to be given."""
    origin = member.world.origin
    if member.text.pieces or not origin:
        return member.text
    return unknown(origin, f"{origin} is empty", remedy="give it a value")


def _named(evaluator: Evaluator, reference: Possible) -> Iterator[Attached]:
    """A customer managed policy by its name and path."""
    if not isinstance(reference.value, Object):
        named = reference._replace(value=customer_managed(reference.text))
        yield from attached_as(evaluator, named, reference.line)
        return
    for path in evaluator.property_texts(reference.value, "Path", reference.world) or [
        reference._replace(value=ROOT_PATH)
    ]:
        for name in evaluator.property_texts(reference.value, "Name", path.world):
            named = name._replace(value=customer_managed(name.text, path.text))
            yield from attached_as(evaluator, named, name.line)


def inserted(evaluator: Evaluator, declared: Declared, principals: tuple[Principal, ...]) -> Iterator[Attached]:
    """What AWS::Include or another macro puts among the properties is not in the template."""
    for entry in evaluator.entries(declared.properties, declared.world):
        if entry.name != "Fn::Transform":
            continue
        for possible in unknown_function(evaluator, Call(entry.name, entry.node, entry.line), entry.world):
            for member in evaluator.members_of(possible):
                for attached in attached_as(evaluator, member, member.line):
                    yield replace(attached, principals=principals)


class _Principals:
    """All principals that a resource attaches its policies to, each with the facts under which it does."""

    def __init__(self, evaluator: Evaluator, declared: Declared, row: AttachingType) -> None:
        self.evaluator = evaluator
        self.found: list[tuple[Principal, Facts]] = []
        self.anyone = NEVER  # when there is a principal at all
        steps, evaluator.steps = evaluator.steps, MOST_STEPS_OF_PRINCIPALS
        for named in row.principals:
            try:
                self._add(declared, named)
            except TooManyValues:  # no approval covers a principal without a name
                reason = "it has more possible values than can be followed"
                self.found.append((Principal(named.kind, unknown(declared.logical_id, reason)), ALWAYS))
                self.anyone = ALWAYS
        evaluator.steps = steps

    def _add(self, declared: Declared, named: PrincipalProperty) -> None:
        names = self.evaluator.property_texts(declared.properties, named.name, declared.world)
        for name in names:
            self.anyone |= name.world.facts
            address = declared.logical_id if named.own else name.address
            for final in self.evaluator.resolved(name):
                self.found.append((Principal(named.kind, final.text, address), final.world.facts))
        if named.own:
            self.anyone = ALWAYS
            if not names:
                hole = unknown(declared.logical_id, f"CloudFormation generates the name of {declared.logical_id}")
                self.found.append((Principal(named.kind, hole, declared.logical_id), ALWAYS))

    def to_whom(self, attached: Attached) -> Iterator[Attached]:
        """The attachment with its principals; none when it has none in its world."""
        facts = attached.world.facts & self.anyone
        if facts is not NEVER:
            principals = dict.fromkeys(one for one, its_facts in self.found if its_facts & facts is not NEVER)
            world = attached.world.with_facts(facts)
            yield replace(attached, principals=tuple(principals), world=world)
