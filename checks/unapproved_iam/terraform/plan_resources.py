"""Decide which resources there will be after a plan is applied, with which values, and what the plan does with each.

For `terraform.plan` and `terraform.plan_lookup`. What is created, changed, replaced or left as it is will be there;
what is deleted or forgotten will not. A shape that is not the documented one is a fault, never nothing: what stands in
it is not known. Source: "JSON Output Format" in the Terraform documentation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from unapproved_iam.terraform.resource_types import ATTACHING_TYPES

CREATE, REPLACE, UPDATE, NO_OP, READ = "create", "replace", "update", "no-op", "read"
_GONE = frozenset({"delete", "forget"})
_KNOWN_ACTIONS = _GONE | {CREATE, UPDATE, NO_OP, READ}


@dataclass(frozen=True)
class PlannedResource:
    """A resource or data source as it will be after the apply."""

    address: str
    module: str  # address of its module instance, "" in the root module
    key: str  # its address within the module without instance key, e.g. "data.aws_iam_policy.x"
    type: str  # as in the tables, e.g. "data.aws_iam_policy"
    index: str | int | None
    values: dict[str, Any]
    unknown: Any = None  # true, or the same shape with true, where a value is not known
    sensitive: Any = None  # likewise, where it is a secret and may be masked
    before: dict[str, Any] = field(default_factory=dict)  # its values before the apply
    action: str = ""  # what the plan does with it; empty when it does not tell

    def is_unknown(self, attribute: str) -> Any:
        """True, or the attribute's shape with true, where its value is not known."""
        return _marked(self.unknown, attribute)

    def is_sensitive(self, attribute: str) -> Any:
        return _marked(self.sensitive, attribute)


def _marked(marks: Any, attribute: str) -> Any:
    return True if marks is True else object_of(marks).get(attribute)


class Planned(NamedTuple):
    """What one plan tells of resources."""

    resources: tuple[PlannedResource, ...]  # that will be there
    before: tuple[PlannedResource, ...]  # in the state before, with the data sources that were read for the plan
    faults: tuple[str, ...]  # sentences about shapes that are not understood


def planned_resources(plan: dict[str, Any]) -> Planned:
    shapes = _Shapes()
    changes = _changes(plan, shapes)
    planned = list(_of_modules(plan.get("planned_values"), "planned_values", shapes))
    # The state before only helps to look things up: its faults are none of the plan's.
    prior = _of_modules(object_of(plan.get("prior_state")).get("values"), "prior_state", _Shapes())
    before = tuple(_resource(written, module, object_of(written.get("values"))) for written, module in prior)
    return Planned(tuple(_merged(planned, changes, shapes)), before, tuple(shapes.faults))


class _Shapes:
    """Takes a plan's parts for what they should be, and remembers what is something else."""

    def __init__(self) -> None:
        self.faults: dict[str, None] = {}

    def fault(self, said: str) -> None:
        self.faults.setdefault(said)

    def object(self, value: Any, where: str) -> dict[str, Any]:
        if value is not None and not isinstance(value, dict):
            self.fault(f"{where} is not an object")
        return object_of(value)

    def objects(self, value: Any, where: str) -> Iterator[dict[str, Any]]:
        if value is not None and not isinstance(value, list):
            self.fault(f"{where} is not a list")
        for item in list_of(value):
            if isinstance(item, dict):
                yield item
            else:
                self.fault(f"{where} holds something other than objects")

    def part(self, resource: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
        """An object of a resource's, which matters only where the resource may attach something."""
        return self.object(value, f"{name} of {resource['address']}") if _may_attach(resource) else object_of(value)

    def is_named(self, resource: dict[str, Any], where: str) -> bool:
        is_named = all(isinstance(resource.get(key), str) for key in ("address", "type", "name"))
        if not is_named and (_may_attach(resource) or not isinstance(resource.get("type"), str)):
            self.fault(f"a resource in {where} has no address, type or name")
        return is_named


def _may_attach(resource: dict[str, Any]) -> bool:
    type_ = resource.get("type")
    return isinstance(type_, str) and type_ in ATTACHING_TYPES


Changes = dict[str, list[dict[str, Any]]]


def _changes(plan: dict[str, Any], shapes: _Shapes) -> Changes:
    """What the plan does with resources that will be there, by address."""
    changes = list(shapes.objects(plan.get("resource_changes"), "resource_changes"))
    for deferred in shapes.objects(plan.get("deferred_changes"), "deferred_changes"):
        changes += shapes.objects([deferred.get("resource_change")], "deferred_changes")
    by_address: Changes = {}
    for change in changes:
        if "deposed" not in change and shapes.is_named(change, "resource_changes") and not _is_gone(change, shapes):
            by_address.setdefault(change["address"], []).append(change)
    return by_address


def _is_gone(change: dict[str, Any], shapes: _Shapes) -> bool:
    if change.get("change") is None and _may_attach(change):
        shapes.fault(f"{change['address']} has no change")
    written = shapes.part(change, "change", change.get("change")).get("actions")
    actions = list_of(written)
    is_known = all(isinstance(one, str) and one in _KNOWN_ACTIONS for one in actions)
    if (not is_known or (written is not None and not isinstance(written, list))) and _may_attach(change):
        shapes.fault(f"actions of {change['address']} are not known here")
    return bool(actions) and is_known and _GONE.issuperset(actions)


def _of_modules(values: Any, where: str, shapes: _Shapes) -> Iterator[tuple[dict[str, Any], str]]:
    """The resources of all modules, each with its module's address."""
    modules = [shapes.object(shapes.object(values, where).get("root_module"), f"root_module of {where}")]
    while modules:
        module = modules.pop()
        named = module.get("address") or ""
        address = named if isinstance(named, str) else ""
        if address != named:
            shapes.fault(f"the address of a module in {where} is not a string")
        for resource in shapes.objects(module.get("resources"), f"resources of {where}"):
            if shapes.is_named(resource, where):
                yield resource, address
        modules += shapes.objects(module.get("child_modules"), f"child_modules of {where}")


def _merged(planned: list[tuple[dict[str, Any], str]], changes: Changes, shapes: _Shapes) -> Iterator[PlannedResource]:
    """Values as both places tell them; where these differ, which they do in no plan of Terraform's, both count."""
    for written, module in planned:
        values = shapes.part(written, "values", written.get("values"))
        for change in changes.get(written["address"], [{}]):
            after = _after(change, shapes) if change else {}
            resource = _resource(written, module, {**after, **values}, change)
            yield resource
            if any(value != resource.values[name] for name, value in after.items()):
                yield replace(resource, values={**values, **after})
    listed = {written["address"] for written, _ in planned}
    for address, of_address in changes.items():
        for one in of_address if address not in listed else ():
            yield _resource(one, _module_of(one), _after(one, shapes), one)


def _after(change: dict[str, Any], shapes: _Shapes) -> dict[str, Any]:
    return shapes.part(change, "after", object_of(change.get("change")).get("after"))


def _module_of(change: dict[str, Any]) -> str:
    told = change.get("module_address")
    if isinstance(told, str):
        return told
    module, _, _ = change["address"].rpartition(f".{change['type']}.{change['name']}")
    return module if module.startswith("module.") else ""


def _resource(
    written: dict[str, Any], module: str, values: dict[str, Any], told: dict[str, Any] | None = None
) -> PlannedResource:
    kind = f"data.{written['type']}" if written.get("mode") == "data" else written["type"]
    index = written.get("index")
    change = object_of(object_of(told).get("change"))
    marks = [change.get("after_sensitive"), written.get("sensitive_values")]
    return PlannedResource(
        address=written["address"],
        module=module,
        key=f"{kind}.{written['name']}",
        type=kind,
        index=index if isinstance(index, (str, int)) else None,
        values=values,
        unknown=change.get("after_unknown"),
        sensitive=True if True in marks else {**object_of(marks[1]), **object_of(marks[0])},
        before=object_of(change.get("before")),
        action=_action(list_of(change.get("actions"))),
    )


def _action(actions: list[Any]) -> str:
    if CREATE in actions and len(actions) > 1:
        return REPLACE
    return actions[0] if actions and isinstance(actions[0], str) else ""


def object_of(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def list_of(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
