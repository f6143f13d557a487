"""Render templates from files and from texts: templatefile() and templatestring().

For `hcl.function_calls`. A template sees its variables only. Source: "String Templates" and the pages of the two
functions in the Terraform documentation.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from unapproved_iam.hcl.alternatives import applied, unknown_like
from unapproved_iam.hcl.expression import Call
from unapproved_iam.hcl.file_functions import content_of
from unapproved_iam.hcl.scope import Evaluation, Files, Layer, Reference, Scope
from unapproved_iam.hcl.strings import as_strings
from unapproved_iam.hcl.syntax import HclSyntaxError, parse_template
from unapproved_iam.hcl.values import Mapping, Plain, Refused, String, Value
from unapproved_iam.policies.attachment import Place


def templatefile(call: Call, scope: Scope, evaluation: Evaluation) -> Value:
    """templatefile(PATH, VARIABLES)"""
    path, variables = _arguments(call, scope, evaluation)
    contents = applied(lambda plain: content_of(call, scope, plain), [path], call)
    return _rendered(call, scope, evaluation, contents, variables)


def templatestring(call: Call, scope: Scope, evaluation: Evaluation) -> Value:
    """templatestring(TEMPLATE, VARIABLES)"""
    return _rendered(call, scope, evaluation, *_arguments(call, scope, evaluation))


def _arguments(call: Call, scope: Scope, evaluation: Evaluation) -> tuple[Value, Value]:
    if len(call.arguments) != 2:
        raise Refused("wrong number of arguments")
    first, variables = (evaluation.value(argument, scope) for argument in call.arguments)
    return first, variables


def _rendered(call: Call, scope: Scope, evaluation: Evaluation, contents: Value, variables: Value) -> Value:
    def rendered(content: Plain, given: Plain) -> Value:
        known = content.text.known if isinstance(content, String) else None
        if not isinstance(content, String) or known is None or not isinstance(given, Mapping) or not given.is_exact:
            return unknown_like(call, content, given)
        values: dict[Reference, Value] = {(entry.key.known or "",): entry.value for entry in given.entries}
        try:
            template = parse_template(known, content.place or Place(""))
        except HclSyntaxError as error:
            raise Refused(str(error)) from None
        return as_strings(evaluation.value(template, Layer(_Nothing(scope.files), values)), call)

    return applied(rendered, [contents, variables], call)


@dataclass(frozen=True)
class _Nothing:
    """The scope of a template, which sees its variables only."""

    files: Files

    def value_of(self, reference: Reference) -> Value:
        raise Refused("a template sees its variables only")

    def is_known(self, reference: Reference) -> bool:
        return True

    def owner_of(self, reference: Reference) -> Hashable:
        return self
