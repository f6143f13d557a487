"""Decide which policies a resource or a module call attaches, and to whom.

For `terraform.root_module` and `checkov_host.resource_conf`. A resource attaches by the attributes that
`terraform.resource_types` lists; a call of a module that is not in the tree attaches the policies whose ARNs are among
its arguments.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from unapproved_iam.hcl.alternatives import applied
from unapproved_iam.hcl.collection_values import attribute_of
from unapproved_iam.hcl.evaluation import evaluate
from unapproved_iam.hcl.facts import Facts, joined
from unapproved_iam.hcl.scope import Scope
from unapproved_iam.hcl.syntax import Attribute, Block
from unapproved_iam.hcl.texts import given_texts, possible_texts
from unapproved_iam.hcl.values import (
    Found,
    Plain,
    Possible,
    Sequence,
    Value,
    exactly,
    string,
    text_of,
)
from unapproved_iam.hcl.values import Mapping as MappingValue
from unapproved_iam.policies.attachment import Place, Principal
from unapproved_iam.policies.policy_arn import ROOT_PATH, customer_managed
from unapproved_iam.policies.possible_text import Hole, Text
from unapproved_iam.terraform.embedded_templates import EmbeddedTemplate, deploys_known_template, templates_of
from unapproved_iam.terraform.nested_blocks import NestedArgument, arguments_at, bodies_of
from unapproved_iam.terraform.passed_arguments import META_ARGUMENTS, passed_by, policies_within
from unapproved_iam.terraform.resource_types import ATTACHING_TYPES, Form, PolicyAttribute, PrincipalAttribute
from unapproved_iam.terraform.resource_values import SCAN_THE_PLAN, Declared, name_of


class Policy(NamedTuple):
    """A policy that may be attached, and where the expression stands that yields it."""

    found: Found
    place: Place


@dataclass(frozen=True)
class AttachingResource:
    """One instance of a resource of a type that attaches policies. Its methods raise HclSyntaxError."""

    declared: Declared
    blocks: tuple[Block, ...]  # the nested ones
    others: Mapping[str, Declared]  # resources by address, for principals that are named by an ARN

    def policies(self) -> Iterator[Policy]:
        row = ATTACHING_TYPES[self.declared.type]
        if any(attribute.form is Form.OWN for attribute in row.policies) and not any(self.principals()):
            return  # a policy that nobody has
        for attribute in row.policies:
            if attribute.form is Form.NAME:
                yield from self._named_in_blocks(attribute.name)
            if attribute.form is Form.PASSED:
                yield from self._passed(attribute.name)
            elif attribute.form not in (Form.TEMPLATE, Form.PROPERTIES):
                for nested in self._arguments_at(attribute.name):
                    for found in possible_texts(self._policies_of(nested, attribute)):
                        yield from _under(nested.when, Policy(found, place_within(nested.argument, found)))

    def _policies_of(self, nested: NestedArgument, attribute: PolicyAttribute) -> Value:
        if attribute.form is Form.NAME:
            return applied(_arns_of_references, [nested.value], nested.expression)
        if attribute.form is Form.OWN:
            return _customer_managed(nested.value, self.declared.argument("path") or string(ROOT_PATH))
        return nested.value

    def _passed(self, name: str) -> Iterator[Policy]:
        """The policies in parameters of a template that is elsewhere, whether they are blocks or an argument."""
        if deploys_known_template(self.declared):
            return
        bodies = list(bodies_of(self.blocks, name, self.declared.scope))
        for body in bodies:
            for found, argument in passed_by(body.body.attributes, body.scope, body.body.attributes):
                yield from _under(body.when, Policy(found, place_within(argument, found)))
        for nested in self._arguments_at(name) if not bodies else ():
            for found in policies_within(nested.value):
                yield Policy(found, place_within(nested.argument, found))

    def templates(self) -> Iterator[EmbeddedTemplate]:
        """The CloudFormation templates that it deploys."""
        return templates_of(self.declared)

    def principals(self) -> Iterator[Principal]:
        for attribute in ATTACHING_TYPES[self.declared.type].principals:
            yield from self._principals_by(attribute)

    def _value(self, argument: Attribute) -> Value:
        return evaluate(argument.expression, self.declared.scope)

    def _arguments_at(self, path: str) -> Iterator[NestedArgument]:
        return arguments_at(path, self.declared.arguments, self.blocks, self.declared.scope)

    def _named_in_blocks(self, block_type: str) -> Iterator[Policy]:
        """Blocks with a name and a path."""
        for block in bodies_of(self.blocks, block_type, self.declared.scope):
            arguments, scope = block.body.attributes, block.scope
            if "name" in arguments:
                name = evaluate(arguments["name"].expression, scope)
                path = evaluate(arguments["path"].expression, scope) if "path" in arguments else string(ROOT_PATH)
                for found in possible_texts(_customer_managed(name, path)):
                    yield from _under(block.when, Policy(found, arguments["name"].place))

    def _principals_by(self, attribute: PrincipalAttribute) -> Iterator[Principal]:
        if attribute.own:
            names = given_texts(name_of(self.declared, attribute.name))
            yield from (Principal(attribute.kind, found.text, self.declared.address) for found in names)
            return
        for nested in self._arguments_at(attribute.name):
            for found in given_texts(nested.value):
                yield from self._principals_named(attribute, nested, found)

    def _principals_named(
        self, attribute: PrincipalAttribute, nested: NestedArgument, found: Found
    ) -> Iterator[Principal]:
        other = self.others.get(found.address)
        if not attribute.by_arn:
            yield Principal(attribute.kind, found.text, found.address)
        elif other is not None:
            names = given_texts(name_of(other, "name"))
            yield from (Principal(attribute.kind, name.text, found.address) for name in names)
        else:
            hole = Hole(str(nested.expression), "an ARN does not give the name", remedy=SCAN_THE_PLAN)
            yield Principal(attribute.kind, Text((hole,)))


def policies_of_call(
    arguments: Mapping[str, Attribute], scope: Scope, among: Collection[str] | None = None
) -> Iterator[Policy]:
    """The policies that are passed to a module that is not in the tree, `among` these arguments. Raises
    HclSyntaxError."""
    passed = {name: argument for name, argument in arguments.items() if name not in META_ARGUMENTS}
    for found, argument in passed_by(passed, scope, passed if among is None else among):
        yield Policy(found, place_within(argument, found))


def place_within(argument: Attribute, found: Found) -> Place:
    """The literal's line when it stands in the argument, else the argument's: what stands elsewhere is used here."""
    inside = found.place and found.place.path == argument.place.path
    if inside and found.place and argument.line <= found.place.line <= argument.end_line:
        return found.place
    return Place(argument.place.path, argument.line)


def _under(when: Facts, policy: Policy) -> Iterator[Policy]:
    """The policy of a nested block, in the worlds that have the block."""
    both = joined(when, policy.found.when)
    if both is not None:
        yield policy._replace(found=policy.found._replace(when=both))


def _customer_managed(name: Value, path: Value) -> Value:
    def arn(name: Plain, path: Plain) -> Value:
        written = text_of(name)
        return string(customer_managed(written, text_of(path) or ROOT_PATH)) if written else Value((Possible(name),))

    return applied(arn, [name, path], "the policy's name and path")


def _arns_of_references(plain: Plain) -> Value:
    """Objects with a name and a path, as the ARNs of these policies; other alternatives as they are."""
    if isinstance(plain, Sequence):
        items = tuple(item._replace(value=applied(_arns_of_references, [item.value], "")) for item in plain.items)
        rest = applied(_arns_of_references, [plain.rest], "") if plain.rest else None
        return exactly(replace(plain, items=items, rest=rest))
    if isinstance(plain, MappingValue):
        has_path = any(entry.key.known == "path" for entry in plain.entries)
        path = attribute_of(plain, "path", "path") if has_path else string(ROOT_PATH)
        return _customer_managed(attribute_of(plain, "name", "name"), path)
    return exactly(plain)
