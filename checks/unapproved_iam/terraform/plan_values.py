"""Decide which policies and principals the attributes of a planned resource name.

For `terraform.plan`. A value counts as the plan shows it; what will be known only after the apply is looked up by the
configuration's references. Tools that store plans mask secrets, each with marks of its own: what cannot be a policy or
a principal is not known, and so is a secret where nothing is shown. Source: "JSON Output Format" in the Terraform
documentation (`after_unknown`, `after_sensitive`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from unapproved_iam.policies.attachment import Place, Principal, Reading
from unapproved_iam.policies.passed_policies import is_policy_arn, policies_passed_in
from unapproved_iam.policies.policy_arn import POLICY_ARN, POLICY_NAME, customer_managed
from unapproved_iam.policies.possible_text import Text, text, unknown
from unapproved_iam.terraform.embedded_templates import as_resource, may_attach, template_of_properties
from unapproved_iam.terraform.plan_lookup import SCAN_SOURCE, PlanLookup, path_of, text_of
from unapproved_iam.terraform.plan_resources import PlannedResource, object_of
from unapproved_iam.terraform.resource_types import Form, PolicyAttribute, PrincipalAttribute

_AFTER_APPLY = "is known only after the apply"
_MASKED = "is not shown by the plan"


class PlanValues:
    def __init__(self, lookup: PlanLookup) -> None:
        self._lookup = lookup

    def policies(self, resource: PlannedResource, attribute: PolicyAttribute) -> Iterator[Text]:
        """The policies of an attribute that is no template. Raises TooManyAlternatives."""
        if attribute.form is Form.PASSED:
            yield from policies_passed_in({attribute.name: resource.values.get(attribute.name)})
            if _holds_true(resource.is_unknown(attribute.name)):  # of which only a policy's ARN counts, as in source
                expression = self._expression(resource, attribute.name)
                yield from filter(is_policy_arn, self._lookup.policies(resource, expression))
            return
        for inner, name in _inner(resource, attribute.name):
            yield from self._policies(inner, attribute._replace(name=name), resource, attribute.name)

    def _policies(
        self, resource: PlannedResource, attribute: PolicyAttribute, whole: PlannedResource, path: str
    ) -> Iterator[Text]:
        if attribute.form is Form.OWN:
            for name in _names(resource, attribute.name):
                yield customer_managed(name, path_of(resource, "path"))
        elif attribute.form is Form.NAME:
            yield from _policies_by_name(resource, attribute.name)
        else:
            yield from _shown_arns(resource, attribute)
            marks = resource.is_unknown(attribute.name)
            if _holds_true(marks):
                yield from self._lookup.policies(whole, self._expression(whole, path))
            if marks is True and attribute.form is Form.ARNS:
                # Of a list with an unknown element the plan may not even tell the elements that are written out.
                yield _hole(resource, attribute.name, "the list is known only after the apply")

    def principals(self, resource: PlannedResource, attribute: PrincipalAttribute) -> Iterator[Principal]:
        if attribute.own:
            yield Principal(attribute.kind, text_of(resource, attribute.name), resource.address)
            return
        for inner, name in _inner(resource, attribute.name):
            yield from self._principals(inner, attribute._replace(name=name), resource, attribute.name)

    def _principals(
        self, resource: PlannedResource, attribute: PrincipalAttribute, whole: PlannedResource, path: str
    ) -> Iterator[Principal]:
        declared = self._lookup.principals(whole, attribute.kind, self._expression(whole, path))
        shown = list(_leaves(resource.values.get(attribute.name)))
        # An ARN holds an identifier, not the name.
        names = [] if attribute.by_arn else [name for name in shown if _is_name(name)]
        alone = next(iter(declared.values())).address if len(declared) == len(names) == 1 else ""
        for name in names:
            yield declared.get(name) or Principal(attribute.kind, text(name), alone)
        is_unknown = _holds_true(resource.is_unknown(attribute.name))
        is_hidden = is_unknown or len(shown) > len(names) or _holds_true(resource.is_sensitive(attribute.name))
        if is_hidden and not names:
            reason = f"the principal {_AFTER_APPLY if is_unknown else _MASKED}"
            yield from declared.values() or [Principal(attribute.kind, _hole(resource, attribute.name, reason))]
        elif len(shown) > len(names):
            yield Principal(attribute.kind, _hole(resource, attribute.name, f"the principal {_MASKED}"))

    def _expression(self, resource: PlannedResource, path: str) -> Any:
        expression = object_of(self._lookup.configuration_of(resource)).get("expressions")
        for name in path.split("."):
            block = object_of(expression[0] if isinstance(expression, list) and expression else expression)
            if "references" in block:
                break  # an object, whose attributes are not listed
            expression = block.get(name)
        return expression


def _inner(resource: PlannedResource, path: str) -> Iterator[tuple[PlannedResource, str]]:
    """The nested blocks, or objects, that a path with dots leads to, each as if it were the resource; with the last
    name of the path."""
    first, _, rest = path.partition(".")
    if not rest:
        yield resource, path
        return
    value, marks, secrets = resource.values.get(first), resource.is_unknown(first), resource.is_sensitive(first)
    blocks = value if isinstance(value, list) else [value] if value or marks is True or secrets is True else []
    for number, block in enumerate(blocks):
        inner = replace(
            resource,
            address=f"{resource.address}.{first}",
            values=object_of(block),
            unknown=_element(marks, number) if isinstance(value, list) else marks,
            sensitive=_element(secrets, number) if isinstance(value, list) else secrets,
        )
        yield from _inner(inner, rest)


def shown_template(
    resource: PlannedResource, attribute: PolicyAttribute, place: Place
) -> tuple[Text | None, Reading | None]:
    """What a template in an attribute attaches, else a hole where it is not shown, neither where there is none."""
    from unapproved_iam.cloudformation.template import read_template_text  # few plans have such resources

    name, type_ = attribute.name, text_of(resource, "type_name") if attribute.form is Form.PROPERTIES else None
    if type_ and not may_attach(type_):
        return None, None
    body = resource.values.get(name)
    if isinstance(body, str) and body:
        whole = template_of_properties(type_, text(body)) if type_ else text(body)
        reading = read_template_text(whole, place.path, place.line, _parameters_of(resource), on_one_line=True)
        if reading:
            return None, as_resource(reading, resource.address) if type_ else reading
        return _hole(resource, name, f"a template {_MASKED}"), None
    if resource.is_unknown(name):
        return text_of(resource, name), None
    if body or resource.is_sensitive(name):
        return _hole(resource, name, f"the template {_MASKED}"), None
    return None, None


def _parameters_of(resource: PlannedResource) -> dict[str, list[Text]] | None:
    """The template's parameters that the resource gives; None when they are known only after the apply."""
    marks, given = resource.is_unknown("parameters"), resource.values.get("parameters")
    if isinstance(given, list):  # of objects with a key and a value
        given = {str(one.get("parameter_key")): one.get("parameter_value") for one in map(object_of, given)}
        marks = _holds_true(marks)
    if marks is True or (_holds_true(resource.is_sensitive("parameters")) and not given):
        return None
    parameters = replace(
        resource,
        address=f"{resource.address}.parameters",
        values={name: value for name, value in object_of(given).items() if isinstance(value, str)},
        unknown=marks,
    )
    names = dict.fromkeys((*parameters.values, *object_of(marks)))
    return {name: [text_of(parameters, name)] for name in names}


def _shown_arns(resource: PlannedResource, attribute: PolicyAttribute) -> Iterator[Text]:
    """A single ARN has to be there: where none is shown, somebody has taken it out."""
    name = attribute.name
    shown = list(_leaves(resource.values.get(name)))
    for value in shown:
        is_arn = isinstance(value, str) and POLICY_ARN.fullmatch(value)
        yield text(value) if is_arn else _hole(resource, name, f"{resource.address}.{name} {_MASKED}")
    is_taken_out = attribute.form is Form.ARN and not _holds_true(resource.is_unknown(name))
    if not shown and (is_taken_out or _holds_true(resource.is_sensitive(name))):
        yield _hole(resource, name, f"{resource.address}.{name} {_MASKED}")


def _policies_by_name(resource: PlannedResource, attribute: str) -> Iterator[Text]:
    written = f"{resource.address}.{attribute}"
    value = resource.values.get(attribute)
    references = value if isinstance(value, list) else [value] if value else []
    marks, secrets = resource.is_unknown(attribute), resource.is_sensitive(attribute)
    for number, reference in enumerate(references):
        of_this = PlannedResource(
            f"{written}[{number}]",
            resource.module,
            key="",
            type="",
            index=None,
            values=object_of(reference),
            unknown=_element(marks, number),
            sensitive=_element(secrets, number),
        )
        for name in _names(of_this, "name"):
            yield customer_managed(name, path_of(of_this, "path"))
    if marks is True:
        yield customer_managed(_hole(resource, attribute, f"{written} {_AFTER_APPLY}"))
    elif not references and _holds_true(secrets):
        yield customer_managed(_hole(resource, attribute, f"{written} {_MASKED}"))


def _names(resource: PlannedResource, attribute: str) -> Iterator[Text]:
    """The name of a policy; a secret may be a mark that looks like one."""
    value = resource.values.get(attribute)
    is_name = _is_name(value)
    if is_name or not value:
        yield text_of(resource, attribute)
    if (value and not is_name) or resource.is_sensitive(attribute):
        yield _hole(resource, attribute, f"{resource.address}.{attribute} {_MASKED}")


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and POLICY_NAME.fullmatch(value) is not None


def _hole(resource: PlannedResource, attribute: str, reason: str) -> Text:
    return unknown(f"{resource.address}.{attribute}", reason, remedy=SCAN_SOURCE)


def _element(marks: Any, number: int) -> Any:
    if isinstance(marks, list):
        return marks[number] if number < len(marks) else None
    return True if marks is True else None


def _leaves(value: Any) -> Iterator[Any]:
    """What stands in a value, however deep; null and empty strings attach nothing."""
    if isinstance(value, (list, dict)):
        for nested in value.values() if isinstance(value, dict) else value:
            yield from _leaves(nested)
    elif value is not None and value != "":
        yield value


def _holds_true(marks: Any) -> bool:
    if isinstance(marks, (list, dict)):
        return any(map(_holds_true, marks.values() if isinstance(marks, dict) else marks))
    return marks is True
