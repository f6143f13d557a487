"""Check a resource by the values that checkov hands over, where we cannot find its source: `.tf.json`, remote modules.

For the checks. checkov wraps values in lists, has replaced the references that it could resolve, and leaves the others
as text, with or without `${}`. Literals are what they are; what a reference would yield is not known here.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from fractions import Fraction
from typing import Any

from unapproved_iam.hcl.expression import Call, Expression, Literal, ObjectOf, Template, TupleOf
from unapproved_iam.hcl.fact_words import words
from unapproved_iam.hcl.scope import Files, Reference
from unapproved_iam.hcl.source_text import Source
from unapproved_iam.hcl.syntax import Attribute, HclSyntaxError, parse_expression, parse_template
from unapproved_iam.hcl.values import Record, Value, exactly, unknown
from unapproved_iam.late_patterns import late_pattern
from unapproved_iam.policies.attachment import Attachment, Place, Reading, together
from unapproved_iam.policies.possible_text import Text
from unapproved_iam.terraform.attachments import AttachingResource, policies_of_call
from unapproved_iam.terraform.resource_types import ATTACHING_TYPES
from unapproved_iam.terraform.resource_values import SCAN_THE_PLAN, Declared, attribute_of_resource

MAX_DEPTH = 40

# A text that begins so is an expression that lost its `${}`; others are what they say, for names may hold dots.
_EXPRESSION = late_pattern(r"(?:var|local|module|data|each|count|path|self|aws_\w+|awscc_\w+)\.|[\w:]+\(|\[|.*\?.*:")
# Which instance is meant is not known here, so that it is one.
_INSTANCE_KEY = late_pattern(r"((?:data\.)?\b(?:aws|awscc)_\w+\.[\w-]+)\[[^\[\]]*\]")


def reading_of_conf(resource_type: str, address: str, conf: Mapping[str, Any], path: str, line: int) -> Reading:
    """What a resource, or the call of a module (`resource_type` is "module"), attaches. Takes any shape."""
    place = Place(path, line)
    scope = _NoSource(path)
    arguments: dict[str, Attribute] = {}
    for name, value in conf.items() if isinstance(conf, Mapping) else ():
        if isinstance(name, str) and not name.startswith("__"):
            arguments[name] = _ConfAttribute(name, value, place)
    resource = AttachingResource(Declared(resource_type, address, arguments, scope), (), scope.declared)
    attached = Attachment(address, resource_type, Text(()), (), place, place)
    if resource_type == "module":
        policies, templates = policies_of_call(arguments, scope), Reading()
    elif resource_type in ATTACHING_TYPES:
        attached = attached._replace(principals=tuple(dict.fromkeys(resource.principals())))
        policies = resource.policies()
        templates = together(template.reading() for template in resource.templates())
    else:
        return Reading()
    found = (attached._replace(policy=policy.found.text, when=tuple(words(policy.found.when))) for policy in policies)
    deployed = (
        attached._replace(policy=one.policy, principals=one.principals, when=one.when) for one in templates.attachments
    )
    return Reading((*found, *deployed), templates.unjudged)


class _ConfAttribute(Attribute):
    """An argument as checkov has it; the only place that is known is that of the resource."""

    def __init__(self, name: str, value: Any, place: Place) -> None:
        super().__init__(name, Source("", place.path), 0, 0)
        self._value = value
        self._place = place

    @property
    def place(self) -> Place:
        return self._place

    @property
    def expression(self) -> Expression:
        return _expression(self._value, self._place)


def _expression(value: Any, place: Place, depth: int = 0) -> Expression:
    while isinstance(value, list) and len(value) == 1:
        value = value[0]  # one value, or a block that stands once
    if depth > MAX_DEPTH:
        return Call("nested", ())
    if isinstance(value, str):
        return _of_text(value, place)
    if isinstance(value, Mapping):
        pairs = [(str(key), item) for key, item in value.items() if not str(key).startswith("__")]
        return ObjectOf(tuple((Template((key,), place), _expression(item, place, depth + 1)) for key, item in pairs))
    if isinstance(value, (list, tuple, set, frozenset)):
        return TupleOf(tuple(_expression(item, place, depth + 1) for item in value))
    if isinstance(value, float):
        return Template((str(value),), place)
    return Literal(Fraction(value) if isinstance(value, int) and not isinstance(value, bool) else value or None)


def _of_text(written: str, place: Place) -> Expression:
    text = _INSTANCE_KEY.sub(r"\1", written)
    try:
        if "${" in text or "%{" in text:
            return parse_template(text, place)
        if _EXPRESSION.match(text):
            return parse_expression(text, place.path, place.line)
    except HclSyntaxError:
        return Call("expression", (Template((written,), place),))  # the policies in it, and something unknown
    return Template((written,) if written else (), place)


class _NoSource:
    """The scope of a resource without its module: what a reference yields is open, save what its type tells."""

    def __init__(self, path: str) -> None:
        self.files = Files("", "")
        self.declared: dict[str, Declared] = {}

    def is_known(self, reference: Reference) -> bool:
        return True

    def owner_of(self, reference: Reference) -> Hashable:
        return self

    def value_of(self, reference: Reference) -> Value:
        written = ".".join(reference)
        if reference[0] in ("var", "local", "module", "each", "count", "self", "path", "terraform"):
            return unknown(written, f"checkov did not resolve {written}", SCAN_THE_PLAN)
        type_ = ".".join(reference[:-1])
        declared = self.declared.setdefault(written, Declared(type_, written, {}, self))
        return exactly(Record(written, lambda name: attribute_of_resource(declared, name)))
