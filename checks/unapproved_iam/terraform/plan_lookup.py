"""Decide what a value may become that a Terraform plan does not know yet, by the references of its configuration.

For `terraform.plan`. A plan tells of an unknown value only what the expression refers to: literals that stand beside
references, functions, conditions and locals are not in it. So a single unknown value is taken for one of the things it
refers to, and what cannot be followed is a hole. Source: "JSON Output Format" in the Terraform documentation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from unapproved_iam.deny_list.verdict import without_instance_keys
from unapproved_iam.policies.attachment import Principal
from unapproved_iam.policies.policy_arn import POLICY_ARN, ROOT_PATH, customer_managed
from unapproved_iam.policies.policy_lookup import policies_named
from unapproved_iam.policies.possible_text import Text, text, unknown
from unapproved_iam.terraform.resource_types import DECLARED_POLICIES, DECLARED_PRINCIPALS

SCAN_SOURCE = "scan the Terraform source as well"
_MAX_DEPTH = 50  # modules and variables behind one another: a plan has no cycles, a forged one may


@dataclass(frozen=True)
class PlannedResource:
    """A resource or data source as it will be after the apply."""

    address: str
    module: str  # address of its module instance, "" in the root module
    key: str  # its address within the module without instance key, e.g. "data.aws_iam_policy.x"
    type: str  # as in the tables, e.g. "data.aws_iam_policy"
    index: str | int | None
    values: dict[str, Any]
    unknown: dict[str, Any]  # true, or the same shape with true, where a value is not known


class Target(NamedTuple):
    """What a reference leads to: an attribute of a resource, a known value, or nothing that the plan tells."""

    resource: PlannedResource | None = None
    attribute: str = ""  # empty: the whole resource
    value: Any = None
    hole: Text | None = None


@dataclass(frozen=True)
class _Scope:
    """Where an expression stands: what `each`, `count` and `var` mean there."""

    module: str
    index: str | int | None
    holder: dict[str, Any]  # configuration of the resource or module call, for its for_each_expression
    depth: int = 0


class PlanLookup:
    """Follows references through the configuration and the resources of one plan."""

    def __init__(self, plan: dict[str, Any], resources: Iterable[PlannedResource]) -> None:
        self._configuration = _mapping(_mapping(plan.get("configuration")).get("root_module"))
        self._variables = _mapping(plan.get("variables"))
        self._resources: dict[tuple[str, str], list[PlannedResource]] = {}
        self._modules: set[str] = set()
        for resource in resources:
            self._resources.setdefault((resource.module, resource.key), []).append(resource)
            self._modules.update(_instances_on_the_way(resource.module))

    def configuration_of(self, resource: PlannedResource) -> dict[str, Any] | None:
        """What the configuration says of a resource, None when the plan does not hold it."""
        module = self._module_configuration(resource.module)
        found = (block for block in _list(_mapping(module).get("resources")) if isinstance(block, dict))
        return next((block for block in found if block.get("address") == resource.key), None)

    def policies(self, resource: PlannedResource, expression: Any) -> tuple[Text, ...]:
        """The policy ARNs that an unknown value may be; a hole where they are not all in the plan."""
        policies: list[Text] = []
        for target in self._targets_of(resource, expression):
            policies += _policies_of(target)
        nothing = unknown(_written(expression), "it is known only after the apply", remedy=SCAN_SOURCE)
        return tuple(dict.fromkeys(policies or [nothing]))

    def principals(self, resource: PlannedResource, kind: str, expression: Any) -> tuple[Principal, ...]:
        """The principals that an expression refers to."""
        principals = []
        for target in self._targets_of(resource, expression):
            principals += list(_principals_of(target, kind))
        return tuple(dict.fromkeys(principals))

    def _targets_of(self, resource: PlannedResource, expression: Any) -> Iterator[Target]:
        holder = self.configuration_of(resource) or {}
        return self._targets(expression, _Scope(resource.module, resource.index, holder))

    def _targets(self, expression: Any, scope: _Scope) -> Iterator[Target]:
        """An expression is `constant_value` or `references`; a nested block has expressions inside."""
        if isinstance(expression, list):
            for nested in expression:
                yield from self._targets(nested, scope)
        elif isinstance(expression, dict):
            if "constant_value" in expression:
                yield Target(value=expression["constant_value"])
            references = _most_specific(expression.get("references"))
            narrow = not {"each.key", "count.index"}.isdisjoint(references)
            for reference in references:
                yield from self._targets_of_reference(reference, scope, narrow)
            for key, nested in expression.items():
                if key not in ("constant_value", "references"):
                    yield from self._targets(nested, scope)

    def _targets_of_reference(self, reference: str, scope: _Scope, narrow: bool) -> Iterator[Target]:
        steps = _steps(reference)
        root, name = steps[0][0], steps[1][0] if len(steps) > 1 else ""
        if scope.depth > _MAX_DEPTH or root == "local":
            why = "the value of a local is not in a plan" if root == "local" else "references are nested too deep"
            yield Target(hole=unknown(reference, why, remedy=SCAN_SOURCE))
        elif root == "each" and name == "value":
            deeper = replace(scope, depth=scope.depth + 1)
            yield from self._targets(scope.holder.get("for_each_expression"), deeper)
        elif root == "var":
            yield from self._targets_of_variable(name, scope)
        elif root == "module":
            yield from self._targets_of_outputs(steps, scope, narrow)
        elif root not in ("each", "count", "path", "terraform", "self"):
            yield from self._targets_of_resource(reference, steps, scope, narrow)

    def _targets_of_variable(self, name: str, scope: _Scope) -> Iterator[Target]:
        parent, call, key = _call_of(scope.module)
        if not call:
            value = _mapping(self._variables.get(name)).get("value")
            yield Target(value=value)
            return
        configuration = _mapping(self._module_configuration(parent))
        holder = _mapping(_mapping(configuration.get("module_calls")).get(call))
        expressions = _mapping(holder.get("expressions"))
        if name in expressions:
            yield from self._targets(expressions[name], _Scope(parent, key, holder, scope.depth + 1))
        else:
            variables = _mapping(_mapping(holder.get("module")).get("variables"))
            yield Target(value=_mapping(variables.get(name)).get("default"))

    def _targets_of_outputs(self, steps: list[tuple[str, list[Any]]], scope: _Scope, narrow: bool) -> Iterator[Target]:
        if len(steps) < 2:
            return
        call, keys = steps[1]
        output = steps[2][0] if len(steps) > 2 else None
        prefix = ".".join(filter(None, (scope.module, "module", call)))
        children = [module for module in self._modules if _parent_and_name(module) == (scope.module, call)]
        wanted = keys[0] if keys else scope.index if narrow else None
        instances = [module for module in children if wanted is not None and _call_of(module)[2] == wanted] or children
        for module in sorted(instances) or [prefix]:
            outputs = _mapping(_mapping(self._module_configuration(module)).get("outputs"))
            for name, declared in outputs.items():
                if output in (None, name):
                    expression = _mapping(declared).get("expression")
                    yield from self._targets(expression, _Scope(module, None, {}, scope.depth + 1))

    def _targets_of_resource(
        self, reference: str, steps: list[tuple[str, list[Any]]], scope: _Scope, narrow: bool
    ) -> Iterator[Target]:
        length = 3 if steps[0][0] == "data" else 2
        key = ".".join(step for step, _ in steps[:length])
        keys = steps[length - 1][1] if len(steps) >= length else []
        attribute = steps[length][0] if len(steps) > length else ""
        found = self._resources.get((scope.module, key), [])
        wanted = keys[0] if keys else scope.index if narrow else None
        for resource in [one for one in found if wanted is not None and one.index == wanted] or found:
            yield Target(resource, attribute)

    def _module_configuration(self, module: str) -> dict[str, Any] | None:
        configuration = self._configuration
        for name in without_instance_keys(module).split(".")[1::2]:
            call = _mapping(_mapping(configuration.get("module_calls")).get(name))
            if "module" not in call:
                return None
            configuration = _mapping(call["module"])
        return configuration


def _policies_of(target: Target) -> Iterator[Text]:
    if target.hole:
        yield target.hole
    elif target.resource is None:
        yield from policy_arns_in(target.value)
    else:
        yield from _policies_of_resource(target.resource, target.attribute)


def _policies_of_resource(resource: PlannedResource, attribute: str) -> Iterator[Text]:
    declared = DECLARED_POLICIES.get(resource.type)
    known = tuple(policy_arns_in(resource.values.get(attribute) if attribute else resource.values))
    if known:
        yield from known
    elif declared and attribute in ("", *declared.arns):
        yield customer_managed(text_of(resource, declared.name), path_of(resource, declared.path))
    elif resource.type == "data.aws_iam_policy" and attribute in ("", "arn", "id"):
        prefix = resource.values.get("path_prefix")
        yield from policies_named(text_of(resource, "name"), text(prefix) if isinstance(prefix, str) else ROOT_PATH)
    elif resource.unknown.get(attribute):
        written = f"{resource.address}.{attribute}"
        yield unknown(written, f"{written} is known only after the apply", remedy=SCAN_SOURCE)


def _principals_of(target: Target, kind: str) -> Iterator[Principal]:
    if target.resource is None:
        names = [target.value] if isinstance(target.value, str) else []
        yield from (Principal(kind, text(name)) for name in names if name)
        return
    declared = DECLARED_PRINCIPALS.get(target.resource.type)
    if declared and declared.kind == kind:
        yield Principal(kind, text_of(target.resource, declared.name), target.resource.address)


def policy_arns_in(value: Any) -> Iterator[Text]:
    """The policy ARNs among all strings of a value."""
    if isinstance(value, str):
        if POLICY_ARN.fullmatch(value):
            yield text(value)
    elif isinstance(value, (list, dict)):
        for nested in value.values() if isinstance(value, dict) else value:
            yield from policy_arns_in(nested)


def text_of(resource: PlannedResource, attribute: str) -> Text:
    """A string attribute as far as the plan knows it; the generated part of a name is a hole."""
    value = resource.values.get(attribute)
    if isinstance(value, str) and value:
        return text(value)
    written = f"{resource.address}.{attribute}"
    rest = unknown(written, f"{written} is known only after the apply", remedy=SCAN_SOURCE)
    prefix = resource.values.get("name_prefix") if attribute == "name" else None
    return text(prefix, rest) if isinstance(prefix, str) else rest


def path_of(resource: PlannedResource, attribute: str) -> Text:
    """The path of a policy, which is `/` when it is not given."""
    known = resource.values.get(attribute) or not resource.unknown.get(attribute)
    return (text(resource.values.get(attribute) or "/")) if known else text("/", text_of(resource, attribute))


_STEP = re.compile(r'\.?([^.\[\]]+)|\[(?:"((?:[^"\\]|\\.)*)"|(\d{1,9}))\]')


def _steps(address: str) -> list[tuple[str, list[Any]]]:
    """The names of an address or reference, each with its instance keys."""
    steps: list[tuple[str, list[Any]]] = []
    for name, key, number in (found.groups() for found in _STEP.finditer(address)):
        if name is not None:
            steps.append((name, []))
        elif steps:
            steps[-1][1].append(re.sub(r"\\(.)", r"\1", key) if key is not None else int(number))
    return steps or [("", [])]


def _call_of(module: str) -> tuple[str, str, str | int | None]:
    """Of a module instance's address: that of its parent, the name of its call, and its instance key."""
    steps = _steps(module)
    if len(steps) < 2:
        return "", "", None
    name, keys = steps[-1]
    parent = module[: [found.start() for found in _STEP.finditer(module) if found[1]][-2]]
    return parent, name, keys[0] if keys else None


def _parent_and_name(module: str) -> tuple[str, str]:
    return _call_of(module)[:2]


def _instances_on_the_way(module: str) -> Iterator[str]:
    while module:
        yield module
        module = _call_of(module)[0]


def _most_specific(references: Any) -> list[str]:
    """Terraform lists `a.b.c` followed by `a.b`: without those that only lead to another one."""
    names = [reference for reference in _list(references) if isinstance(reference, str)]
    return [
        name for name in dict.fromkeys(names) if not any(other.startswith((name + ".", name + "[")) for other in names)
    ]


def _written(expression: Any) -> str:
    references = _most_specific(expression.get("references")) if isinstance(expression, dict) else []
    return ", ".join(references) or "value"


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
