"""Read a Serverless Framework file as the CloudFormation template that it becomes.

For `documents.document_reading`. The Framework makes a role for all functions, or one for each, and merges `resources`
into the template; its variables (`${self:…}`, `${file(…)}`) are filled in before, and are holes here. Sources: "IAM
Permissions For Functions" and "AWS CloudFormation Resources" in the Framework's documentation; the plugin
serverless-attach-managed-policy.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from unapproved_iam.cloudformation.document import Array, Node, Object, Scalar, value_of, values_of
from unapproved_iam.cloudformation.source_skips import TemplateText
from unapproved_iam.cloudformation.template import read_template_node
from unapproved_iam.cloudformation.world import scalar_text
from unapproved_iam.policies.attachment import Reading

_SECTIONS = ("Parameters", "Mappings", "Conditions", "Resources")


class RolePath(NamedTuple):
    """Where a role that the Framework or a plugin makes has its policies and its name."""

    policies: str
    name: str


SERVICE_ROLE = (
    RolePath("provider.iam.role.managedPolicies", "provider.iam.role.name"),
    RolePath("provider.iamManagedPolicies", "provider.iam.role.name"),
    RolePath("provider.managedPolicyArns", "provider.iam.role.name"),
)
FUNCTION_ROLE = (RolePath("iam.role.managedPolicies", "iam.role.name"),)


def is_serverless(document: Node) -> bool:
    provider = value_of(document, "provider")
    is_aws = "aws" in (scalar_text(provider), scalar_text(value_of(provider, "name")))
    return is_aws and any(value_of(document, key) is not None for key in ("service", "functions", "resources"))


def read_serverless(document: Node, source: TemplateText) -> Reading:
    """What the service attaches."""
    sections: dict[str, list[tuple[Node, Node]]] = {name: [] for name in _SECTIONS}
    for part in _members(value_of(document, "resources")):
        for name in _SECTIONS:
            for section in values_of(part, name):
                sections[name] += section.pairs if isinstance(section, Object) else []
        sections["Resources"] += _extensions(value_of(part, "extensions"))
    sections["Resources"] += _roles(document, SERVICE_ROLE, "IamRoleLambdaExecution")
    for functions in _members(value_of(document, "functions")):
        for key, function in functions.pairs if isinstance(functions, Object) else ():
            logical_id = f"{_capitalized(scalar_text(key))}IamRoleLambdaExecution"
            sections["Resources"] += _roles(function, FUNCTION_ROLE, logical_id)
    root = Object([_pair(name, Object(pairs, 1)) for name, pairs in sections.items()], 1)
    return read_template_node(root, source)


def _members(node: Node | None) -> list[Node]:
    return node.items if isinstance(node, Array) else [node] if node is not None else []


def _extensions(extensions: Node | None) -> Iterator[tuple[Node, Node]]:
    """What is added to resources that the Framework makes; of its roles the policies."""
    for name, extension in extensions.pairs if isinstance(extensions, Object) else ():
        attaches = value_of(value_of(extension, "Properties"), "ManagedPolicyArns") is not None
        if attaches and isinstance(extension, Object):
            yield (
                name,
                Object([_pair("Type", Scalar("AWS::IAM::Role")), *extension.pairs], extension.line, extension.end_line),
            )


def _roles(holder: Node, paths: tuple[RolePath, ...], logical_id: str) -> Iterator[tuple[Node, Node]]:
    """The role that a service or a function has, once for each key under which it has policies."""
    for path in paths:
        policies = _at(holder, path.policies)
        if policies is not None:
            properties = [_pair("ManagedPolicyArns", _as_list(policies))]
            name = _at(holder, path.name)
            properties += [_pair("RoleName", name)] if isinstance(name, Scalar) else []
            line, end = policies.line, policies.line if isinstance(policies, Scalar) else policies.end_line
            role = [_pair("Type", Scalar("AWS::IAM::Role")), _pair("Properties", Object(properties, line, end))]
            yield _pair(logical_id, Object(role, line, end))


def _pair(key: str, value: Node) -> tuple[Node, Node]:
    return Scalar(key, value.line), value


def _at(node: Node | None, path: str) -> Node | None:
    for key in path.split("."):
        node = value_of(node, key)
    return node


def _as_list(node: Node) -> Node:
    return node if isinstance(node, Array) else Array([node], node.line, node.line)


def _capitalized(name: str) -> str:
    return name[:1].upper() + name[1:]
