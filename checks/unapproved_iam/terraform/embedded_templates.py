"""Read the CloudFormation templates that a Terraform resource deploys, and the resource that it creates by properties.

For `terraform.attachments`, which `checkov_host.resource_conf` asks as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from unapproved_iam.hcl.syntax import Attribute
from unapproved_iam.hcl.texts import given_texts
from unapproved_iam.hcl.values import Found, Mapping, Plain, Sequence, String, Value, parts_of
from unapproved_iam.policies.attachment import Attachment, Place, Reading
from unapproved_iam.policies.passed_policies import is_policy_arn
from unapproved_iam.policies.possible_text import Text, text
from unapproved_iam.terraform.resource_types import ATTACHING_TYPES, Form
from unapproved_iam.terraform.resource_values import Declared


@dataclass(frozen=True)
class EmbeddedTemplate:
    """The text of a CloudFormation template in an argument, and the parameters that are given to it.

    With a `resource_type` the text is the properties of one resource.
    """

    found: Found
    argument: Attribute
    parameters: Value | None = None
    resource_type: Text | None = None
    address: str = ""  # of the Terraform resource that has the properties

    def reading(self) -> Reading:
        from unapproved_iam.cloudformation.template import read_template_text  # few trees have such resources

        place = Place(self.argument.place.path, self.argument.line)
        # Of a template that is not computed the policies in it are known, like those of any such value.
        if self.resource_type is not None and not may_attach(self.resource_type):
            return Reading()
        if self.found.text.is_unknown or is_policy_arn(self.found.text):
            return Reading((Attachment("", "", self.found.text, (), place, place),))
        is_heredoc = self.argument.end_line > self.argument.line and self.found.place is not None
        line = self.argument.line + is_heredoc
        type_ = self.resource_type
        body = self.found.text if type_ is None else template_of_properties(type_, self.found.text)
        reading = read_template_text(body, place.path, line, self._arguments(), not is_heredoc) or Reading()
        return reading if type_ is None else as_resource(reading, self.address)

    def _arguments(self) -> dict[str, list[Text]] | None:
        if self.parameters is None:
            return {}
        arguments: dict[str, list[Text]] = {}
        for possible in self.parameters:
            for name, value in _parameters_in(possible.plain):
                if name is None:
                    return None
                arguments.setdefault(name, []).extend(found.text for found in given_texts(value))
        return arguments


_ONLY = "Resource"  # the logical id in a template of one resource


def may_attach(resource_type: Text) -> bool:
    """Whether a CloudFormation resource of this type may attach policies."""
    from unapproved_iam.cloudformation.resource_types import ATTACHING_TYPES as TEMPLATE_TYPES  # few trees need them

    return resource_type.known is None or resource_type.known in TEMPLATE_TYPES


def template_of_properties(resource_type: Text, properties: Text) -> Text:
    """A template with one resource, whose properties are JSON."""
    start = text('{"Resources": {"', _ONLY, '": {"Type": "', resource_type, '", "Properties": ')
    return text(start, properties, "}}}")


def as_resource(reading: Reading, address: str) -> Reading:
    """What such a template attaches: its resource is the one of Terraform that has the properties."""
    attachments = []
    for one in reading.attachments:
        principals = (to._replace(address=address) if to.address == _ONLY else to for to in one.principals)
        attachments.append(one._replace(resource="", principals=tuple(principals)))
    return reading._replace(attachments=tuple(attachments))


def _parameters_in(plain: Plain) -> Iterator[tuple[str | None, Value]]:
    """The parameters in a mapping, or in a list of objects with key and value; without a name they are not known."""
    if isinstance(plain, Mapping):
        yield from ((entry.key.known, entry.value) for entry in plain.entries)
    elif isinstance(plain, Sequence):
        for part, _ in parts_of(plain):
            for possible in part:
                entries = possible.plain.entries if isinstance(possible.plain, Mapping) else ()
                fields = {entry.key.known: entry.value for entry in entries}
                keys = [one.plain for one in fields.get("parameter_key", ())]
                known = keys[0].text.known if len(keys) == 1 and isinstance(keys[0], String) else None
                yield known, fields.get("parameter_value", part)
    else:
        yield None, Value(())


def templates_of(declared: Declared) -> Iterator[EmbeddedTemplate]:
    """The templates that a resource deploys. Raises HclSyntaxError."""
    for attribute in ATTACHING_TYPES[declared.type].policies:
        argument = declared.arguments.get(attribute.name)
        value = declared.argument(attribute.name) if argument else None
        if argument is None or value is None:
            continue
        if attribute.form is Form.TEMPLATE:
            for found in given_texts(value):
                yield EmbeddedTemplate(found, argument, declared.argument("parameters"))
        elif attribute.form is Form.PROPERTIES:
            type_ = declared.argument("type_name") or declared.not_written("type_name")
            for found in given_texts(value):
                for resource_type in given_texts(type_):
                    yield EmbeddedTemplate(found, argument, None, resource_type.text, declared.address)


def deploys_known_template(declared: Declared) -> bool:
    """Whether a template in the tree says what becomes of the parameters."""
    templates = [template for template in templates_of(declared) if template.resource_type is None]
    return bool(templates) and not any(template.found.text.is_unknown for template in templates)
