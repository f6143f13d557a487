"""Walk one root module with all that it calls, and record what is attached.

For `terraform.root_module`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from unapproved_iam.hcl.facts import ALWAYS, Facts, joined
from unapproved_iam.hcl.syntax import HclSyntaxError
from unapproved_iam.hcl.values import settled_text
from unapproved_iam.policies.attachment import Attachment, Principal
from unapproved_iam.policies.inline_skips import skip_in_block
from unapproved_iam.terraform.attachments import AttachingResource, Policy, policies_of_call
from unapproved_iam.terraform.embedded_templates import EmbeddedTemplate
from unapproved_iam.terraform.instances import Instance, instances_of
from unapproved_iam.terraform.module_blocks import Module
from unapproved_iam.terraform.module_files import Declaration
from unapproved_iam.terraform.module_scope import ModuleScope
from unapproved_iam.terraform.requirements import Requirement
from unapproved_iam.terraform.worlds import Found, told


@dataclass(frozen=True)
class _Way:
    """What holds on the way to a module instance: facts, an inline skip."""

    when: Facts = ALWAYS
    skip: str | None = None
    is_other: bool = False  # what else a variable may be makes an instance on the way

    def through(self, instance: Instance, skip: str | None = None, also: Facts = ALWAYS) -> _Way | None:
        """The way on into an instance; None when its facts contradict those on the way."""
        when = joined(self.when, instance.when, also)
        if when is None:
            return None
        return _Way(when, skip if self.skip is None else self.skip, self.is_other or instance.is_other)


def attachments_of_unit(root: ModuleScope) -> list[Attachment]:
    """What a root module attaches, directly and through its calls."""
    return told(_of_module(root, _Way()))


def _of_module(scope: ModuleScope, way: _Way) -> list[Found]:
    found = list(_of_blocks(scope, way))  # what is required of variables is known then
    return [one for one in found if all(requirement.admits(one.when) for requirement in scope.requirements)]


def _of_blocks(scope: ModuleScope, way: _Way) -> Iterator[Found]:
    for declaration in scope.module.attaching:
        yield from _guarded(scope.module, declaration, _of_resource(scope, declaration, way))
    for declaration in scope.module.calls:
        yield from _guarded(scope.module, declaration, _of_call(scope, declaration, way))


def _guarded(module: Module, declaration: Declaration, attachments: Iterator[Found]) -> Iterator[Found]:
    """A block that cannot be read is reported, and the others are judged all the same."""
    try:
        yield from attachments
    except HclSyntaxError as error:
        module.report(error)
    except RecursionError:
        module.report_at(declaration.place, "the block is nested too deeply to be checked")


def _of_resource(scope: ModuleScope, declaration: Declaration, way: _Way) -> Iterator[Found]:
    skip = _skip_in(scope.module, declaration)
    for instance in instances_of(declaration.attributes, scope):
        reached = way.through(instance, skip)
        if reached is not None:
            resource = AttachingResource(scope.declared(declaration, instance), declaration.blocks, scope.unit.declared)
            recorder = _Recorder(scope, declaration, resource.declared.address, declaration.labels[0], reached)
            required = _preconditions(declaration, instance)
            for found in _of_instance(recorder, resource):
                if all(requirement.admits(found.when) for requirement in required):
                    yield found


def _of_instance(recorder: _Recorder, resource: AttachingResource) -> Iterator[Found]:
    yield from recorder.attachments(resource.policies(), tuple(dict.fromkeys(resource.principals())))
    for template in resource.templates():
        yield from recorder.attachments_of_template(template)


def _preconditions(declaration: Declaration, instance: Instance) -> list[Requirement]:
    lifecycles = (block.body for block in declaration.blocks if block.type == "lifecycle")
    conditions = (block.body.attributes for body in lifecycles for block in body.blocks if block.type == "precondition")
    return [Requirement(one["condition"].expression, instance.scope) for one in conditions if "condition" in one]


def _of_call(scope: ModuleScope, call: Declaration, way: _Way) -> Iterator[Found]:
    if not scope.unit.calls.may_attach(scope.module, call):
        return
    skip = _skip_in(scope.module, call)
    passing = scope.unit.calls.may_pass(scope, call)
    for instance, child in ((instance, one) for instance, made in scope.children(call).items() for one in made):
        reached = way.through(instance, skip, child.when)
        if reached is None:
            continue
        if child.scope is not None:
            yield from _of_module(child.scope, reached)
            continue
        recorder = _Recorder(scope, call, scope.address_of(call.address, instance), call.type, reached)
        yield from recorder.attachments(policies_of_call(call.attributes, instance.scope, passing), ())


def _skip_in(module: Module, declaration: Declaration) -> str | None:
    place = declaration.place
    return skip_in_block(module.lines_of(place.path), place.line, place.end_line)


@dataclass(frozen=True)
class _Recorder:
    """Makes the attachments of one block's instance."""

    scope: ModuleScope
    declaration: Declaration
    address: str
    resource_type: str
    way: _Way

    def attachments(self, policies: Iterable[Policy], principals: tuple[Principal, ...]) -> Iterator[Found]:
        for policy in policies:
            when = joined(self.way.when, policy.found.when)
            if when is not None:
                attachment = Attachment(
                    resource=self.address,
                    resource_type=self.resource_type,
                    policy=settled_text(policy.found.text, when),
                    principals=principals,
                    place=policy.place,
                    block=self.declaration.place,
                    calls=tuple(call.declaration.place for call in self.scope.calls),
                    skip=self.way.skip,
                    unit=self.scope.unit.root.directory,
                )
                yield Found(attachment, when, self.way.is_other)

    def attachments_of_template(self, template: EmbeddedTemplate) -> Iterator[Found]:
        """What a CloudFormation template attaches that the resource deploys."""
        reading = template.reading()
        for unjudged in reading.unjudged:
            self.scope.module.report_at(unjudged.place, unjudged.reason, unjudged.advice)
        for one in reading.attachments if joined(self.way.when, template.found.when) is not None else ():
            own = next(self.attachments([Policy(template.found._replace(text=one.policy), one.place)], one.principals))
            note = ", ".join(filter(None, (f"by {one.resource} in its template" if one.resource else "", one.note)))
            skip = own.attachment.skip if own.attachment.skip is not None else one.skip
            yield own._replace(attachment=own.attachment._replace(when=one.when, skip=skip, note=note))
