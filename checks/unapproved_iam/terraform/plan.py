"""Read what a Terraform plan would attach from the JSON that `terraform show -json PLANFILE` prints.

For the command's `--plan` and for checkov's plans. Judged is what will be attached after the apply: what is created,
changed, replaced or left as it is; what is deleted or forgotten is not. Source: "JSON Output Format" in the Terraform
documentation.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from unapproved_iam.policies.attachment import Attachment, Place, Principal, Reading, Unjudged, together
from unapproved_iam.policies.policy_arn import customer_managed
from unapproved_iam.policies.possible_text import Text, text, unknown
from unapproved_iam.terraform.plan_lookup import SCAN_SOURCE, PlanLookup, PlannedResource, path_of, text_of
from unapproved_iam.terraform.resource_types import (
    ATTACHING_TYPES,
    AttachingType,
    Form,
    PolicyAttribute,
    PrincipalAttribute,
)

_MARKS = ("planned_values", "resource_changes")
_HOW_TO = "write the plan with `terraform show -json PLANFILE`, in UTF-8"


def read_plan(path: str) -> Reading | None:
    """The attachments of a plan; None when the file is certainly no plan. Raises OSError."""
    with open(path, "rb") as file:
        data = file.read()
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data[:100]:
        packed = data.replace(b"\0", b"")
        if not any(mark.encode() in packed for mark in _MARKS):
            return None
        return _unjudged(path, 1, "the plan is not in UTF-8 (PowerShell's `>` writes UTF-16)")
    if not any(f'"{mark}"'.encode() in data for mark in (*_MARKS, "terraform_version")):
        return None
    if path.endswith((".yaml", ".yml")) and not data.lstrip().startswith(b"{"):
        return None  # YAML that quotes a plan, e.g. in the tests of a policy
    try:
        written = data.decode("utf-8-sig")
        plan = json.loads(written)
    except UnicodeDecodeError:
        return _unjudged(path, 1, "the plan is not in UTF-8")
    except json.JSONDecodeError as error:
        return _unjudged(path, error.lineno, f"the plan is no whole JSON document: {error.msg}")
    except ValueError:  # Python converts no number of thousands of digits
        return _unjudged(path, 1, "the plan holds a number with too many digits")
    except RecursionError:
        return _unjudged(path, 1, "the plan is nested too deep to be read")
    if not isinstance(plan, dict) or not any(isinstance(plan.get(mark), (dict, list)) for mark in _MARKS):
        return None
    return _Plan(path, written, plan).reading()


def _unjudged(path: str, line: int, reason: str) -> Reading:
    return Reading(unjudged=(Unjudged(Place(path, line), reason, _HOW_TO),))


class _Plan:
    def __init__(self, path: str, written: str, plan: dict[str, Any]) -> None:
        self._path = path
        self._written = written
        self._resources = _planned_resources(plan)
        read_before = {one.address: one for one in _resources_of_values(_get(plan, "prior_state", "values"), {})}
        self._lookup = PlanLookup(plan, (read_before | self._resources).values())

    def reading(self) -> Reading:
        return together(self._reading_of(one) for one in self._resources.values() if one.type in ATTACHING_TYPES)

    def _reading_of(self, resource: PlannedResource) -> Reading:
        row = ATTACHING_TYPES[resource.type]
        configuration = self._lookup.configuration_of(resource)
        expressions = _get(configuration, "expressions") or {}
        # What a role has beside its own arguments is attached by others, and judged there.
        attributes = [one for one in row.policies if configuration is None or one.name in expressions]
        if any(attribute.form is Form.TEMPLATE for attribute in row.policies):
            return together(self._template_of(resource, attribute) for attribute in attributes)
        return Reading(tuple(self._attachments_of(resource, row, attributes, expressions)))

    def _template_of(self, resource: PlannedResource, attribute: PolicyAttribute) -> Reading:
        """What a CloudFormation template attaches that the resource deploys."""
        from unapproved_iam.cloudformation.template import read_template_text  # few plans have such resources

        if not (resource.values.get(attribute.name) or resource.unknown.get(attribute.name)):
            return Reading()
        place = Place(self._path, self._line_of(resource.address))
        body = text_of(resource, attribute.name)
        if body.is_unknown:
            return Reading((_attachment(resource, body, (), place),))
        reading = read_template_text(body, place.path, place.line, _parameters_of(resource), on_one_line=True)
        if reading is None:
            return Reading()
        attachments = (
            replace(
                _attachment(resource, one.policy, one.principals, place),
                when=one.when,
                skip=one.skip,
                note=", ".join(filter(None, (f"by {one.resource} in its template" if one.resource else "", one.note))),
            )
            for one in reading.attachments
        )
        return Reading(tuple(attachments), reading.unjudged)

    def _attachments_of(
        self,
        resource: PlannedResource,
        row: AttachingType,
        attributes: Iterable[PolicyAttribute],
        expressions: dict[str, Any],
    ) -> Iterator[Attachment]:
        policies = [
            policy
            for attribute in attributes
            for policy in self._policies(resource, attribute, expressions.get(attribute.name))
        ]
        principals = tuple(
            principal
            for attribute in row.principals
            for principal in self._principals(resource, attribute, expressions.get(attribute.name))
        )
        if not policies or (not principals and any(one.form is Form.OWN for one in row.policies)):
            return
        place = Place(self._path, self._line_of(resource.address))
        for policy in dict.fromkeys(policies):
            yield _attachment(resource, policy, principals, place)

    def _policies(self, resource: PlannedResource, attribute: PolicyAttribute, expression: Any) -> Iterator[Text]:
        if attribute.form is Form.OWN:
            yield customer_managed(text_of(resource, attribute.name), path_of(resource, "path"))
        elif attribute.form is Form.NAME:
            yield from self._policies_by_name(resource, attribute)
        else:
            known, is_unknown = resource.values.get(attribute.name), resource.unknown.get(attribute.name)
            yield from (text(policy) for policy in _strings(known))
            if _is_unknown(is_unknown):
                yield from self._lookup.policies(resource, expression)
            if is_unknown is True and attribute.form is Form.ARNS:
                # Of a list with an unknown element the plan may not even tell the elements that are written out.
                written = f"{resource.address}.{attribute.name}"
                yield unknown(written, "the list is known only after the apply", remedy=SCAN_SOURCE)

    def _policies_by_name(self, resource: PlannedResource, attribute: PolicyAttribute) -> Iterator[Text]:
        references = _list(resource.values.get(attribute.name))
        unknowns = resource.unknown.get(attribute.name)
        for number, reference in enumerate(references):
            if isinstance(reference, dict):
                of_this = unknowns[number] if isinstance(unknowns, list) and number < len(unknowns) else {}
                written = f"{resource.address}.{attribute.name}[{number}]"
                named = PlannedResource(
                    written, resource.module, "", "", None, reference, of_this if isinstance(of_this, dict) else {}
                )
                yield customer_managed(text_of(named, "name"), path_of(named, "path"))
        if unknowns is True:
            written = f"{resource.address}.{attribute.name}"
            name = unknown(written, f"{written} is known only after the apply", remedy=SCAN_SOURCE)
            yield customer_managed(name, text("/"))

    def _principals(
        self, resource: PlannedResource, attribute: PrincipalAttribute, expression: Any
    ) -> Iterator[Principal]:
        if attribute.own:
            yield Principal(attribute.kind, text_of(resource, attribute.name), resource.address)
            return
        declared = self._lookup.principals(resource, attribute.kind, expression)
        if attribute.by_arn:
            names: tuple[str, ...] = ()  # an ARN that holds an identifier, not the name
        else:
            names = tuple(_strings(resource.values.get(attribute.name)))
        by_name = {one.name.known: one for one in declared if one.address}
        for name in names:
            yield by_name.get(name) or Principal(attribute.kind, text(name), _only_address(declared, names))
        if not names and (resource.unknown.get(attribute.name) or resource.values.get(attribute.name)):
            unnamed = unknown(
                f"{resource.address}.{attribute.name}",
                "the principal is known only after the apply",
                remedy=SCAN_SOURCE,
            )
            yield from declared or [Principal(attribute.kind, unnamed)]

    def _line_of(self, address: str) -> int:
        """The line where a plan that was written in several lines first speaks of a resource."""
        found = self._written.find(f'"address": {json.dumps(address)}')
        return self._written.count("\n", 0, found) + 1 if found > 0 else 1


def _attachment(resource: PlannedResource, policy: Text, principals: tuple[Principal, ...], place: Place) -> Attachment:
    return Attachment(resource.address, resource.type, policy, principals, place=place, block=place, unit=place.path)


def _parameters_of(resource: PlannedResource) -> dict[str, list[Text]] | None:
    """The template's parameters that the resource gives; None when they are known only after the apply."""
    if resource.unknown.get("parameters") is True:
        return None
    given, unknowns = resource.values.get("parameters"), resource.unknown.get("parameters")
    known = {name: value for name, value in given.items() if isinstance(value, str)} if isinstance(given, dict) else {}
    later = [name for name, is_unknown in unknowns.items() if is_unknown] if isinstance(unknowns, dict) else []
    return {name: [text(value)] for name, value in known.items()} | {
        name: [unknown(f"{resource.address}.parameters.{name}", "it is known only after the apply", remedy=SCAN_SOURCE)]
        for name in later
    }


def _only_address(declared: tuple[Principal, ...], names: tuple[str, ...]) -> str:
    """One name, one declaring resource whose name the plan does not know: that is it."""
    return declared[0].address if len(names) == len(declared) == 1 and declared[0].name.known is None else ""


def _planned_resources(plan: dict[str, Any]) -> dict[str, PlannedResource]:
    """All resources and data sources that there are after the apply, by address."""
    changes = [change for change in _list(plan.get("resource_changes")) if isinstance(change, dict)]
    deferred = [_get(change, "resource_change") for change in _list(plan.get("deferred_changes"))]
    changes += [change for change in deferred if isinstance(change, dict)]
    kept = [change for change in changes if not _is_gone(change) and "deposed" not in change]
    unknowns = {
        address: _get(change, "change", "after_unknown")
        for change in kept
        if isinstance(address := change.get("address"), str)
    }
    planned = {one.address: one for one in _resources_of_values(plan.get("planned_values"), unknowns)}
    for change in kept:
        module = change.get("module_address")
        resource = _resource(
            change, module if isinstance(module, str) else "", _get(change, "change", "after"), unknowns
        )
        if resource:
            planned.setdefault(resource.address, resource)
    return planned


def _is_gone(change: dict[str, Any]) -> bool:
    actions = _list(_get(change, "change", "actions"))
    return bool(actions) and all(action in ("delete", "forget") for action in actions)


def _resources_of_values(values: Any, unknowns: dict[Any, Any]) -> Iterator[PlannedResource]:
    modules = [_get(values, "root_module")]
    while modules:
        module = modules.pop()
        address = _get(module, "address")
        for written in _list(_get(module, "resources")):
            resource = _resource(
                written, address if isinstance(address, str) else "", _get(written, "values"), unknowns
            )
            if resource:
                yield resource
        modules += _list(_get(module, "child_modules"))


def _resource(written: Any, module: str, values: Any, unknowns: dict[Any, Any]) -> PlannedResource | None:
    address, type_, name = (_get(written, key) for key in ("address", "type", "name"))
    if not (isinstance(address, str) and isinstance(type_, str) and isinstance(name, str)):
        return None
    kind = f"data.{type_}" if _get(written, "mode") == "data" else type_
    index = _get(written, "index")
    unknown_values = unknowns.get(address)
    return PlannedResource(
        address=address,
        module=module,
        key=f"{kind}.{name}",
        type=kind,
        index=index if isinstance(index, (str, int)) else None,
        values=values if isinstance(values, dict) else {},
        unknown=unknown_values if isinstance(unknown_values, dict) else {},
    )


def _strings(value: Any) -> Iterable[str]:
    """The strings of a string or list; empty ones attach nothing."""
    values = value if isinstance(value, list) else [value]
    return (one for one in values if isinstance(one, str) and one)


def _is_unknown(value: Any) -> bool:
    return value is True or (isinstance(value, list) and any(_is_unknown(nested) for nested in value))


def _get(value: Any, *keys: str) -> Any:
    """What stands under these keys, None where the shape is another."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
