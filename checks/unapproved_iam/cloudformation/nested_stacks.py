"""Find the templates that a resource of a template creates further stacks from, and what it passes to them.

For the reader of templates. Source: "AWS::CloudFormation::Stack" and "AWS::CloudFormation::StackSet" in the
CloudFormation template reference, "AWS::Serverless::Application" in the SAM specification; that `TemplateURL` and
`Location` may name a local file: "package" in the AWS CLI command reference; the metadata that the CDK leaves.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from unapproved_iam.cloudformation.attachments import Attached, Declared, attached_as
from unapproved_iam.cloudformation.document import Array, Node, Object, value_of
from unapproved_iam.cloudformation.intrinsic_functions import policy_arns_within
from unapproved_iam.cloudformation.parameters import Arguments
from unapproved_iam.cloudformation.resource_types import ATTACHING_TYPES, Form
from unapproved_iam.cloudformation.values import Evaluator
from unapproved_iam.cloudformation.world import Entry, Given, Items, Possible, World, scalar_text
from unapproved_iam.policies.possible_text import Alphabet, Text, text


@dataclass(frozen=True)
class NestedTemplate:
    """A template that stands in another one: a mapping, a text, or a file named by its path."""

    body: Object | Text | None
    file: str
    world: World
    line: int


def templates_of(evaluator: Evaluator, declared: Declared, directory: str) -> Iterator[NestedTemplate]:
    """The templates that a resource names or holds, as far as they are in the tree; `directory` is the template's."""
    row = ATTACHING_TYPES.get(declared.resource_type)
    for policy in row.policies if row else ():
        for node, inner in evaluator.under(declared.properties, policy.name, declared.world):
            if policy.form is Form.TEMPLATE:
                for member in evaluator.members(node, inner):
                    body = member.value if isinstance(member.value, Object | Text) else member.text
                    yield NestedTemplate(body, "", member.world, member.line)
            elif policy.form is Form.LOCATION:
                asset = _asset_of(declared.node)
                for location in evaluator.texts(text(asset) if asset else node, inner):
                    for value, world in evaluator.filled_in(location.text, location.world):
                        file = _local_file(value.known, directory)
                        if file:
                            yield NestedTemplate(None, file, world, location.line)


def _asset_of(resource: Node) -> str | None:
    """The file that the CDK wrote beside the template and uploads when the stack is deployed."""
    metadata = value_of(resource, "Metadata")
    if scalar_text(value_of(metadata, "aws:asset:property")) != "TemplateURL":
        return None
    return scalar_text(value_of(metadata, "aws:asset:path")) or None


def _local_file(location: str | None, directory: str) -> str | None:
    if not location or "\0" in location or "://" in location.removeprefix("file://"):
        return None
    file = os.path.normpath(os.path.join(directory, location.removeprefix("file://")))
    return file if os.path.isfile(file) else None


def arguments_of(evaluator: Evaluator, declared: Declared, caller: str) -> Arguments:
    """The parameter values that a resource passes, each when it is asked for; `caller` is the template's file name."""
    return {
        passed.name: partial(_alternatives, evaluator, passed, f"the arguments in {caller}")
        for passed in _parameters_of(evaluator, declared)
    }


def _alternatives(evaluator: Evaluator, passed: Entry, origin: str) -> list[Possible]:
    """The values by themselves: in the other template names mean other things."""
    values = evaluator.values(passed.node, passed.world)
    return [one._replace(value=_by_itself(evaluator, one), world=_passed(one.world, origin), line=0) for one in values]


def _by_itself(evaluator: Evaluator, possible: Possible) -> Text | Items | None:
    value = possible.value
    if not isinstance(value, Items):
        return None if value is None else possible.text
    members = [
        Given(
            tuple(
                one._replace(value=one.text, world=_passed(one.world, ""))
                for one in evaluator.members(element, possible.world)
            )
        )
        for element in value.elements
    ]
    return Items(tuple(members), value.rest)


def _passed(world: World, origin: str) -> World:
    return World(world.facts, {}, origin, world.defaults, world.supposed)


def _parameters_of(evaluator: Evaluator, declared: Declared) -> Iterator[Entry]:
    """The parameters that a resource passes: in a mapping, in a StackSet's list, for a module all its properties."""
    if declared.resource_type.endswith("::MODULE"):
        yield from evaluator.entries(declared.properties, declared.world)
        return
    for parameters, world in evaluator.under(declared.properties, "Parameters", declared.world):
        yield from evaluator.entries(parameters, world)
        for item in parameters.items if isinstance(parameters, Array) else ():
            value = value_of(item, "ParameterValue")
            if value is not None:
                yield Entry(scalar_text(value_of(item, "ParameterKey")), value, world, item.line)


def policies_in_arguments(evaluator: Evaluator, declared: Declared) -> Iterator[Attached]:
    """The policies that are passed to a template that is not in the tree: nobody passes an ARN without a purpose."""
    for passed in _parameters_of(evaluator, declared):
        if "boundary" not in passed.name.lower():
            for arn in policy_arns_within(evaluator, passed.node, passed.world):
                for attached in attached_as(evaluator, arn, arn.line, f"passed as {passed.name}"):
                    if all(hole.alphabet is not Alphabet.ANY for hole in attached.policy.holes):
                        yield attached
