"""Decide what a value may become that a plan shows as "known after apply", by the references of its configuration.

For `terraform.plan`. A plan tells of an unknown value only what the expression refers to: literals that stand beside
references, functions, conditions and locals are not in it. So a single unknown value is taken for one of the things it
refers to, and what cannot be followed is a hole. Source: "JSON Output Format" in the Terraform documentation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple

from unapproved_iam.deny_list.verdict import without_instance_keys
from unapproved_iam.late_patterns import late_pattern
from unapproved_iam.policies.attachment import Principal
from unapproved_iam.policies.policy_arn import POLICY_ARN, ROOT_PATH, customer_managed
from unapproved_iam.policies.policy_lookup import policies_named
from unapproved_iam.policies.possible_text import Text, text, unknown
from unapproved_iam.terraform.plan_resources import PlannedResource, list_of, object_of
from unapproved_iam.terraform.resource_types import DECLARED_POLICIES, DECLARED_PRINCIPALS

SCAN_SOURCE = "check the Terraform source as well"
MAX_ALTERNATIVES = 1000  # policies that one unknown value may be
MAX_DEPTH = 50  # modules and variables behind one another: a plan has no cycles, a forged one may


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


class TooManyAlternatives(Exception):
    """More policies are possible than are looked at, or more steps lead to them; the text says which."""


_Key = tuple[str, str, str | int | None, int]  # of an expression, in the instances of a block for which it is the same


class PlanLookup:
    """Follows references through the configuration and the resources of one plan."""

    def __init__(self, plan: dict[str, Any], resources: Iterable[PlannedResource]) -> None:
        self._configuration = object_of(object_of(plan.get("configuration")).get("root_module"))
        self._variables = object_of(plan.get("variables"))
        self._modules = _Modules(self._configuration)
        self._resources: dict[tuple[str, str], dict[str | int | None, list[PlannedResource]]] = {}
        for resource in resources:
            by_index = self._resources.setdefault((resource.module, resource.key), {})
            by_index.setdefault(resource.index, []).append(resource)
            self._modules.add(resource.module)
        self._found: dict[_Key, tuple[Target, ...]] = {}
        self._policies: dict[_Key, tuple[Text, ...]] = {}
        self._principals: dict[tuple[_Key, str], dict[str, Principal]] = {}

    def configuration_of(self, resource: PlannedResource) -> dict[str, Any] | None:
        """What the configuration says of a resource, None when the plan does not hold it."""
        return self._modules.resources(resource.module).get(resource.key)

    def source_of_call(self, module: str) -> str | None:
        """Where the call of a module instance takes the module from."""
        parent, call, _ = call_of(module)
        written = self._modules.call(parent, call).get("source")
        return written if isinstance(written, str) else None

    def policies(self, resource: PlannedResource, expression: Any) -> tuple[Text, ...]:
        """The policy ARNs that an unknown value may be; a hole where they are not all in the plan.

        Raises TooManyAlternatives.
        """
        key, targets = self._targets_of(resource, expression)
        if key not in self._policies:
            policies = tuple(dict.fromkeys(policy for target in targets for policy in _policies_of(target)))
            if len(policies) > MAX_ALTERNATIVES:
                raise TooManyAlternatives(f"one of more than {MAX_ALTERNATIVES:,} policies may be attached")
            nothing = unknown(_written(expression), "it is known only after the apply", remedy=SCAN_SOURCE)
            self._policies[key] = policies or (nothing,)
        return self._policies[key]

    def principals(self, resource: PlannedResource, kind: str, expression: Any) -> Mapping[str, Principal]:
        """The principals that an expression refers to, by their names."""
        key, targets = self._targets_of(resource, expression)
        if (key, kind) not in self._principals:
            found = (principal for target in targets for principal in _principals_of(target, kind))
            self._principals[key, kind] = {one.name.known or one.address: one for one in found}
        return self._principals[key, kind]

    def _targets_of(self, resource: PlannedResource, expression: Any) -> tuple[_Key, tuple[Target, ...]]:
        """Sought once for all instances of a block, unless its own key counts."""
        index = resource.index if _depends_on_key(expression) else None
        key = (resource.module, resource.key, index, id(expression))
        if key not in self._found:
            scope = _Scope(resource.module, index, self.configuration_of(resource) or {})
            self._found[key] = tuple(self._targets(expression, scope))
        return key, self._found[key]

    def _targets(self, expression: Any, scope: _Scope) -> Iterator[Target]:
        """An expression is `constant_value` or `references`; a nested block has expressions inside."""
        if isinstance(expression, list):
            for nested in expression:
                yield from self._targets(nested, scope)
        elif isinstance(expression, dict):
            if "constant_value" in expression:
                yield Target(value=expression["constant_value"])
            references = _most_specific(expression.get("references"))
            narrow = _names_key(references)
            for reference in references:
                yield from self._targets_of_reference(reference, scope, narrow)
            for key, nested in expression.items():
                if key not in ("constant_value", "references"):
                    yield from self._targets(nested, scope)

    def _targets_of_reference(self, reference: str, scope: _Scope, narrow: bool) -> Iterator[Target]:
        steps = _steps(reference)
        root, name = steps[0][0], steps[1][0] if len(steps) > 1 else ""
        if scope.depth > MAX_DEPTH:
            raise TooManyAlternatives(f"{reference} leads through more than {MAX_DEPTH} modules and variables")
        if root == "local":
            yield Target(hole=unknown(reference, "the value of a local is not in a plan", remedy=SCAN_SOURCE))
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
        parent, call, key = call_of(scope.module)
        if not call:
            value = object_of(self._variables.get(name)).get("value")
            yield Target(value=value)
            return
        holder = self._modules.call(parent, call)
        expressions = object_of(holder.get("expressions"))
        if name in expressions:
            yield from self._targets(expressions[name], _Scope(parent, key, holder, scope.depth + 1))
        else:
            variables = object_of(object_of(holder.get("module")).get("variables"))
            yield Target(value=object_of(variables.get(name)).get("default"))

    def _targets_of_outputs(self, steps: list[tuple[str, list[Any]]], scope: _Scope, narrow: bool) -> Iterator[Target]:
        if len(steps) < 2:
            return
        call, keys = steps[1]
        output = steps[2][0] if len(steps) > 2 else None
        children = self._modules.children(scope.module, call)
        wanted = keys[0] if keys else scope.index if narrow else None
        prefix = ".".join(filter(None, (scope.module, "module", call)))
        for module in children.get(wanted) or [one for of_key in children.values() for one in of_key] or [prefix]:
            outputs = object_of(self._modules.configuration(module).get("outputs"))
            for name, declared in outputs.items():
                if output in (None, name):
                    expression = object_of(declared).get("expression")
                    yield from self._targets(expression, _Scope(module, None, {}, scope.depth + 1))

    def _targets_of_resource(
        self, reference: str, steps: list[tuple[str, list[Any]]], scope: _Scope, narrow: bool
    ) -> Iterator[Target]:
        length = 3 if steps[0][0] == "data" else 2
        key = ".".join(step for step, _ in steps[:length])
        keys = steps[length - 1][1] if len(steps) >= length else []
        attribute = steps[length][0] if len(steps) > length else ""
        found = self._resources.get((scope.module, key), {})
        wanted = keys[0] if keys else scope.index if narrow else None
        of_wanted = found.get(wanted) if wanted is not None else None
        for resource in of_wanted or [one for of_index in found.values() for one in of_index]:
            yield Target(resource, attribute)


class _Modules:
    """The modules of a plan: their configuration, and the instances that there are of them."""

    def __init__(self, root: dict[str, Any]) -> None:
        self._configurations = {"": root}
        self._resources: dict[str, dict[str, dict[str, Any]]] = {}
        self._children: dict[tuple[str, str], dict[str | int | None, list[str]]] = {}
        self._instances: set[str] = {""}

    def add(self, module: str) -> None:
        """Remember an instance and those on the way to it."""
        while module not in self._instances:
            self._instances.add(module)
            parent, call, key = call_of(module)
            self._children.setdefault((parent, call), {}).setdefault(key, []).append(module)
            module = parent

    def children(self, parent: str, call: str) -> dict[str | int | None, list[str]]:
        """The instances of a call, by their key."""
        return self._children.get((parent, call), {})

    def call(self, parent: str, name: str) -> dict[str, Any]:
        return object_of(object_of(self.configuration(parent).get("module_calls")).get(name))

    def configuration(self, module: str) -> dict[str, Any]:
        """What the plan holds of a module's configuration; the same for all its instances."""
        static = without_instance_keys(module)
        if static not in self._configurations:
            parent, name, _ = call_of(static)
            self._configurations[static] = object_of(self.call(parent, name).get("module")) if name else {}
        return self._configurations[static]

    def resources(self, module: str) -> dict[str, dict[str, Any]]:
        """The configuration of a module's resources, by their address in it."""
        static = without_instance_keys(module)
        if static not in self._resources:
            blocks = [
                block for block in list_of(self.configuration(module).get("resources")) if isinstance(block, dict)
            ]
            named = [(block.get("address"), block) for block in blocks]
            self._resources[static] = {address: block for address, block in named if isinstance(address, str)}
        return self._resources[static]


def _depends_on_key(expression: Any) -> bool:
    """Whether the value differs between the instances of a block."""
    if isinstance(expression, list):
        return any(map(_depends_on_key, expression))
    if not isinstance(expression, dict):
        return False
    return _names_key(list_of(expression.get("references"))) or any(
        _depends_on_key(nested) for key, nested in expression.items() if key not in ("constant_value", "references")
    )


def _names_key(references: list[Any]) -> bool:
    return "each.key" in references or "count.index" in references


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
    elif resource.is_unknown(attribute):
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
    value = resource.values.get(attribute)
    if isinstance(value, str) and value:
        return text(value)
    return text("/", text_of(resource, attribute)) if resource.is_unknown(attribute) else ROOT_PATH


_STEP = late_pattern(r'\.?([^.\[\]]+)|\[(?:"((?:[^"\\]|\\.)*)"|(\d{1,9}))\]')


def _steps(address: str) -> list[tuple[str, list[Any]]]:
    """The names of an address or reference, each with its instance keys."""
    steps: list[tuple[str, list[Any]]] = []
    for name, key, number in (found.groups() for found in _STEP.finditer(address)):
        if name is not None:
            steps.append((name, []))
        elif steps:
            steps[-1][1].append(re.sub(r"\\(.)", r"\1", key) if key is not None else int(number))
    return steps or [("", [])]


@lru_cache(maxsize=10_000)
def call_of(module: str) -> tuple[str, str, str | int | None]:
    """Of a module instance's address: that of its parent, the name of its call, and its instance key."""
    steps = _steps(module)
    if len(steps) < 2:
        return "", "", None
    name, keys = steps[-1]
    parent = module[: [found.start() for found in _STEP.finditer(module) if found[1]][-2]]
    return parent, name, keys[0] if keys else None


def _most_specific(references: Any) -> list[str]:
    """Terraform lists `a.b.c` followed by `a.b`: without those that only lead to another one."""
    names = [reference for reference in list_of(references) if isinstance(reference, str)]
    return [
        name for name in dict.fromkeys(names) if not any(other.startswith((name + ".", name + "[")) for other in names)
    ]


def _written(expression: Any) -> str:
    references = _most_specific(expression.get("references")) if isinstance(expression, dict) else []
    return ", ".join(references) or "value"
