"""Find the templates from which a resource creates further stacks, and the parameters that it passes to them.

For the reader of templates. Source: "AWS::CloudFormation::Stack" and "AWS::CloudFormation::StackSet" in the
CloudFormation template reference, "AWS::Serverless::Application" in the SAM specification; that `TemplateURL` and
`Location` may name a local file: "package" in the AWS CLI command reference; the metadata that the CDK leaves.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

from unapproved_iam.cloudformation.attachments import Attached, Declared, attached_as
from unapproved_iam.cloudformation.document import Node, Object, value_of, values_of
from unapproved_iam.cloudformation.parameters import Arguments
from unapproved_iam.cloudformation.resource_types import ATTACHING_TYPES, OVERRIDES, Form
from unapproved_iam.cloudformation.values import Evaluator
from unapproved_iam.cloudformation.world import Entry, Expression, Given, Items, Possible, World, scalar_text
from unapproved_iam.policies.facts import NEVER, Facts
from unapproved_iam.policies.passed_policies import is_boundary, not_attached, policies_passed
from unapproved_iam.policies.possible_text import Text, text


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
        for node, inner in evaluator.at(declared.properties, policy.name, declared.world):
            if policy.form is Form.TEMPLATE:
                for member in evaluator.members(node, inner):
                    for body, world in _bodies(evaluator, member):
                        yield NestedTemplate(body, "", world, member.line)
            elif policy.form is Form.LOCATION:
                asset = _asset_of(declared.node)
                for location in evaluator.texts(text(asset) if asset else node, inner):
                    for value, world in evaluator.filled_in(location.text, location.world):
                        file = _local_file(value.known, directory)
                        if file:
                            yield NestedTemplate(None, file, world, location.line)


def _bodies(evaluator: Evaluator, possible: Possible) -> Iterator[tuple[Object | Text, World]]:
    """A template; a parameter that is one as a whole has values, one within its text is an unknown part of it."""
    if isinstance(possible.value, Object):
        yield possible.value, possible.world
    elif possible.text.is_unknown:
        yield from evaluator.filled_in(possible.text, possible.world)
    else:
        yield possible.text, possible.world


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


def arguments_of(evaluator: Evaluator, declared: Declared, caller: str) -> Iterator[Arguments]:
    """The parameter values that a resource passes, each when it is asked for; `caller` is the template's file name.

    Once for the stack, and once for each group of a StackSet's instances that overrides any.
    """
    groups: dict[str, list[Entry]] = {"": []}
    for passed in _parameters_of(evaluator, declared):
        groups.setdefault(passed.group, []).append(passed.entry)
    for group, of_group in groups.items():
        by_name: dict[str, list[Entry]] = {}
        for entry in (*groups[""], *(of_group if group else ())):
            by_name.setdefault(entry.name, []).append(entry)
        origin = f"the arguments in {caller}"
        facts = declared.world.facts
        yield {name: partial(_alternatives, evaluator, entries, facts, origin) for name, entries in by_name.items()}


def _alternatives(evaluator: Evaluator, passed: Sequence[Entry], facts: Facts, origin: str) -> list[Possible]:
    """The values by themselves: in the other template names mean other things.

    A parameter may be there several times, under different facts. The last one counts; where there is none, it is as if
    AWS::NoValue were passed.
    """
    found: list[Possible] = []
    for entry in reversed(passed):
        here = facts & entry.world.facts
        if here is not NEVER:
            found += evaluator.values(entry.node, entry.world.with_facts(here))
            facts &= ~entry.world.facts
    if facts is not NEVER:
        found.append(Possible(None, World(facts), 0))
    return [one._replace(value=_by_itself(evaluator, one), world=_passed(one.world, origin), line=0) for one in found]


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
    return replace(value, elements=tuple(members), line=0)


def _passed(world: World, origin: str) -> World:
    return World(world.facts, {}, origin, world.defaults, world.supposed)


class _Passed(NamedTuple):
    entry: Entry  # the parameter's name and value
    group: str = ""  # of a StackSet's instances, when it counts for those alone


def _parameters_of(evaluator: Evaluator, declared: Declared) -> Iterator[_Passed]:
    """The parameters that a resource passes: in a mapping or a list of keys and values, for a module all properties."""
    if declared.resource_type.endswith("::MODULE"):
        yield from map(_Passed, evaluator.entries(declared.properties, declared.world))
        return
    row = ATTACHING_TYPES.get(declared.resource_type)
    for policy in row.policies if row else ():
        if policy.form is Form.PASSED:
            for number, (node, world) in enumerate(evaluator.at(declared.properties, policy.name, declared.world)):
                group = f"{policy.name} {number}" if policy.name == OVERRIDES else ""
                yield from (_Passed(entry, group) for entry in _entries(evaluator, node, world))


def _entries(evaluator: Evaluator, node: Node, world: World) -> Iterator[Entry]:
    for member in evaluator.members(node, world):
        if isinstance(member.value, Object):
            names = [scalar_text(value_of(member.value, key)) for key in ("ParameterKey", "Key")]
            values = [value for key in ("ParameterValue", "Value") for value in values_of(member.value, key)]
            if any(names) and values:
                yield Entry(names[0] or names[1], values[0], member.world, member.line)
            elif not any(names):
                yield from evaluator.entries(member.value, member.world)


def policies_in_arguments(evaluator: Evaluator, declared: Declared) -> Iterator[Attached]:
    """The policies that are passed to a template that is not in the tree: nobody passes an ARN without a purpose."""
    for passed in _parameters_of(evaluator, declared):
        name, node, world, line = passed.entry
        if not is_boundary(name):
            for possible in _policies_within(evaluator, node, world):
                yield from attached_as(evaluator, possible, possible.line or line, f"passed as {name}")


def _policies_within(evaluator: Evaluator, node: Expression, world: World) -> Iterator[Possible]:
    """Every policy inside what is passed, however deep, and in the middle of texts."""
    for possible in evaluator.members(node, world):
        if isinstance(possible.value, Object):
            entries = list(evaluator.entries(possible.value, possible.world))
            exempt = not_attached({entry.name: scalar_text(entry.node) or None for entry in entries})
            for entry in entries:
                if entry.name not in exempt:
                    yield from _policies_within(evaluator, entry.node, entry.world)
            continue
        for final in evaluator.resolved(possible):
            for policy in policies_passed(final.text):
                yield final._replace(value=policy)
