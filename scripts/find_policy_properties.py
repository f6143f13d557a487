"""Find the properties of CloudFormation resource types that may hold IAM managed policies, or templates that do.

Prints each as `TYPE PATH`, from the resource schemas that cfn-lint ships. test_policy_properties.py wants every one of
them in `cloudformation.resource_types`, or on its list of those that attach nothing, with the reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Schema = dict[str, Any]

_NAME = re.compile(
    r"polic(?:y|ies)arns?$|managedpolic|guardrailpolic|permissionsboundary$"
    r"|^(?:template(?:body|url)|provisioningparameters|parameteroverrides)$",
    re.IGNORECASE,
)
_IAM_POLICY = re.compile(r":iam:.*policy")
_OTHER_ARN = re.compile(r"arn:(?!.*iam)")  # a pattern of ARNs that cannot be those of IAM


def schemas() -> Iterator[Schema]:
    """Every resource schema that cfn-lint knows, whatever region offers the type; sorted by type."""
    import cfnlint

    directory = Path(cfnlint.__file__).parent / "data/schemas/resources"
    found = [json.loads(path.read_text("utf-8")) for path in directory.glob("*.json")]
    yield from sorted(found, key=lambda schema: str(schema["typeName"]))


def policy_properties() -> Iterator[tuple[str, str]]:
    """Type and path; the elements of lists have the path of their list."""
    for schema in schemas():
        read_only = {pointer.rpartition("/")[2] for pointer in schema.get("readOnlyProperties", ())}
        paths = dict.fromkeys(
            ".".join(path)
            for path, definition in _properties(schema, schema, (), frozenset())
            if path[0] not in read_only and _may_hold_policies(path[-1], definition)
        )
        yield from ((schema["typeName"], path) for path in paths)


def _may_hold_policies(name: str, definition: Schema) -> bool:
    patterns = " ".join(_patterns(definition))
    if _IAM_POLICY.search(patterns):
        return True
    return _NAME.search(name) is not None and not _OTHER_ARN.search(patterns)


def _patterns(definition: Any) -> Iterator[str]:
    """The patterns of a text or of the texts in a list."""
    if isinstance(definition, dict):
        if isinstance(definition.get("pattern"), str):
            yield definition["pattern"]
        for part in (definition.get("items"), *(definition.get("anyOf") or ()), *(definition.get("oneOf") or ())):
            yield from _patterns(part)


def _properties(
    schema: Schema, node: Any, path: tuple[str, ...], seen: frozenset[str]
) -> Iterator[tuple[tuple[str, ...], Schema]]:
    if not isinstance(node, dict):
        return
    reference = node.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/") and reference not in seen:
        target: Any = schema
        for key in reference[2:].split("/"):
            target = target.get(key, {})
        yield from _properties(schema, target, path, seen | {reference})
    for part in (node.get("items"), *(part for key in ("anyOf", "oneOf", "allOf") for part in node.get(key) or ())):
        yield from _properties(schema, part, path, seen)
    for name, definition in (node.get("properties") or {}).items():
        if isinstance(definition, dict):
            yield (*path, name), definition
            yield from _properties(schema, definition, (*path, name), seen)


if __name__ == "__main__":
    for one in policy_properties():
        print(*one)
