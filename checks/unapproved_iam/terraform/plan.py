"""Read what Terraform plans would attach, from the JSON that `terraform show -json PLANFILE` prints.

For the command's plans and for checkov's. It reports what will be attached after the apply, by the values in the plan.
If the source of the plan is there, a finding names its line in the source. Source: "JSON Output Format" in the
Terraform documentation.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from unapproved_iam.policies.attachment import (
    Attachment,
    Place,
    PlannedChange,
    Principal,
    Reading,
    Unjudged,
    together,
)
from unapproved_iam.policies.policy_arn import display_name
from unapproved_iam.policies.possible_text import Text
from unapproved_iam.terraform.plan_document import Plan, plans_in
from unapproved_iam.terraform.plan_lines import lines_of_addresses
from unapproved_iam.terraform.plan_lookalikes import HOW_TO
from unapproved_iam.terraform.plan_lookup import PlanLookup, TooManyAlternatives
from unapproved_iam.terraform.plan_resources import CREATE, NO_OP, REPLACE, UPDATE, PlannedResource, planned_resources
from unapproved_iam.terraform.plan_source import PlanSource
from unapproved_iam.terraform.plan_values import PlanValues, shown_template
from unapproved_iam.terraform.resource_types import ATTACHING_TYPES, Form, PolicyAttribute


def read_plan(path: str, root_module: str | None = None) -> Reading | None:
    """The attachments of the plans in a file; None when it certainly holds none. Raises OSError.

    `root_module` is the absolute directory that the plan was made in: by default the one that the file lies in.
    """
    file = plans_in(path)
    if file is None:
        return None
    directory = root_module or os.path.dirname(path)
    readings = [_PlanReader(path, file.text, plan, directory).reading() for plan in file.plans]
    return together([*readings, Reading(unjudged=file.unjudged)])


class _PlanReader:
    def __init__(self, path: str, text: str, plan: Plan, directory: str) -> None:
        self._path = path
        self._line = plan.line
        planned = planned_resources(plan.content)
        self._errored = plan.content.get("errored") is True
        self._faults = planned.faults
        self._attaching = [one for one in planned.resources if one.type in ATTACHING_TYPES]
        addresses = {one.address for one in planned.resources}
        before = [one for one in planned.before if one.address not in addresses]
        self._lookup = PlanLookup(plan.content, [*before, *planned.resources])
        self._values = PlanValues(self._lookup)
        self._source = PlanSource(directory, self._lookup)
        wanted = {one.address for one in self._attaching}
        self._lines = lines_of_addresses(text, plan.start, plan.end, plan.line, wanted) if wanted else {}

    def reading(self) -> Reading:
        return together([*map(self._reading_of, self._attaching), Reading(unjudged=tuple(self._unjudged()))])

    def _unjudged(self) -> Iterator[Unjudged]:
        place = Place(self._path, self._line)
        if self._faults:
            more = len(self._faults) - 1
            said = f"the plan has an unknown shape: {self._faults[0]}" + (f" (and {more} more)" if more else "")
            yield Unjudged(place, said, HOW_TO)
        if self._errored:
            yield Unjudged(place, "planning failed, so the plan may lack resources", "plan again")

    def _reading_of(self, resource: PlannedResource) -> Reading:
        place = Place(self._path, self._lines.get(resource.address, self._line))
        try:
            found = self._attached(resource, place)
        except TooManyAlternatives as bound:
            said = f"{resource.address}: {bound}"
            return Reading(unjudged=(Unjudged(place, said, "check the Terraform source as well"),))
        before = self._before(resource, place) if resource.action == UPDATE else []
        attachments = []
        for one in found.attachments:
            change = PlannedChange(resource.action, _is_new(one, resource.action, before), place)
            attachments.append(self._in_source(one._replace(change=change), resource))
        return Reading(tuple(attachments), found.unjudged)

    def _before(self, resource: PlannedResource, place: Place) -> list[Attachment]:
        """What the resource attaches before it is updated."""
        earlier = replace(resource, values=resource.before, unknown=None, sensitive=None)
        return list(self._attached(earlier, place).attachments)

    def _in_source(self, attachment: Attachment, resource: PlannedResource) -> Attachment:
        """The same where its block stands, when the plan's root module is there and holds it."""
        if not self._source.is_there:
            return attachment
        attributes = [one.name.partition(".")[0] for one in ATTACHING_TYPES[resource.type].policies]
        found = self._source.place_of(resource, attributes, _name_of(attachment.policy))
        if found is None:
            return attachment
        return attachment._replace(
            place=found.place,
            block=found.block,
            calls=found.calls,
            skip=attachment.skip if found.skip is None else found.skip,
            source_address=found.call,
            unit=self._source.directory,
        )

    # -- what a resource attaches --------------------------------------------------------------------------------------

    def _attached(self, resource: PlannedResource, place: Place) -> Reading:
        row = ATTACHING_TYPES[resource.type]
        configuration = self._lookup.configuration_of(resource)
        attributes = [one for one in row.policies if _is_set(one, resource, configuration)]
        templates = [one for one in attributes if one.form in (Form.TEMPLATE, Form.PROPERTIES)]
        if any(resource.values.get(one.name) for one in templates) or len(templates) == len(row.policies):
            return together(self._template_of(resource, attribute, place) for attribute in templates)
        unknown = [self._template_of(resource, attribute, place) for attribute in templates]
        others = (one for one in attributes if one not in templates)
        policies = [one for attribute in others for one in self._values.policies(resource, attribute)]
        principals = tuple(one for attribute in row.principals for one in self._values.principals(resource, attribute))
        if not principals and any(one.form is Form.OWN for one in row.policies):
            return Reading()  # a policy that nobody has
        found = tuple(_attachment(resource, policy, principals, place) for policy in dict.fromkeys(policies))
        return together([Reading(found), *unknown])

    def _template_of(self, resource: PlannedResource, attribute: PolicyAttribute, place: Place) -> Reading:
        """What a CloudFormation template attaches that the resource deploys."""
        body, reading = shown_template(resource, attribute, place)
        if reading is None:
            return Reading((_attachment(resource, body, (), place),) if body else ())
        attachments = (
            _attachment(resource, one.policy, one.principals, place)._replace(
                when=one.when,
                skip=one.skip,
                note=", ".join(filter(None, (f"by {one.resource} in its template" if one.resource else "", one.note))),
            )
            for one in reading.attachments
        )
        return Reading(tuple(attachments), reading.unjudged)


def _is_set(attribute: PolicyAttribute, resource: PlannedResource, configuration: dict[str, Any] | None) -> bool:
    """Whether the attribute is an argument, and not what the provider tells of attachments that others make.

    The configuration lists no blocks that are made by `dynamic` ones, so that it is asked only where it has to be.
    """
    if not attribute.computed or configuration is None:
        return True
    known_from_the_start = resource.action in (CREATE, REPLACE) and resource.values.get(attribute.name) is not None
    expressions = configuration.get("expressions")
    return known_from_the_start or (isinstance(expressions, dict) and attribute.name in expressions)


def _attachment(resource: PlannedResource, policy: Text, principals: tuple[Principal, ...], place: Place) -> Attachment:
    return Attachment(resource.address, resource.type, policy, principals, place=place, block=place, unit=place.path)


def _is_new(attachment: Attachment, action: str, before: Iterable[Attachment]) -> bool:
    """Whether somebody gets the policy by the plan who does not have it by the same resource already."""
    if action != UPDATE:
        return action != NO_OP
    of_policy = [one for one in before if (one.policy, one.note) == (attachment.policy, attachment.note)]
    had = {(principal.kind, principal.name) for one in of_policy for principal in one.principals}
    return not of_policy or any((one.kind, one.name) not in had for one in attachment.principals)


def _name_of(policy: Text) -> str:
    """What stands in the source where the policy is written out; empty when its name is not known."""
    name = display_name(policy).rpartition("/")[2]
    return "" if "${" in name else name
