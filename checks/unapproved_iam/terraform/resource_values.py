"""Decide what the attributes of resources and data sources are, as far as their arguments tell.

For `terraform.module_scope`. An attribute that is an argument has the argument's value; the ARN of a policy follows
from its name and path; everything else is in no file. Sources: the pages of these resources and data sources in the
documentation of the AWS provider.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from unapproved_iam.hcl.alternatives import applied, one_of
from unapproved_iam.hcl.evaluation import evaluate
from unapproved_iam.hcl.facts import Subject
from unapproved_iam.hcl.scope import Scope
from unapproved_iam.hcl.syntax import Attribute
from unapproved_iam.hcl.values import Null, Plain, Possible, String, Value, exactly, string, text_of, under, unknown
from unapproved_iam.policies.policy_arn import ACCOUNT, PARTITION, ROOT_PATH, customer_managed
from unapproved_iam.policies.policy_lookup import policies_named
from unapproved_iam.policies.possible_text import Hole, Text, text
from unapproved_iam.terraform.resource_types import DECLARED_POLICIES, DECLARED_PRINCIPALS

SCAN_THE_PLAN = "check the plan"


class Declared(NamedTuple):
    """One instance of a resource or data source."""

    type: str  # as in the tables, e.g. "data.aws_iam_policy"
    address: str
    arguments: Mapping[str, Attribute]
    scope: Scope

    def argument(self, name: str) -> Value | None:
        attribute = self.arguments.get(name)
        return evaluate(attribute.expression, self.scope) if attribute else None

    def not_written(self, name: str) -> Value:
        written = f"{self.address}.{name}"
        known = "read when terraform plans" if self.type.startswith("data.") else "known only after the apply"
        return unknown(written, f"{written} is {known}", SCAN_THE_PLAN, subject=Subject(written))


def attribute_of_resource(declared: Declared, name: str) -> Value:
    """The value of an attribute. Raises HclSyntaxError."""
    policy = DECLARED_POLICIES.get(declared.type)
    if policy and name in policy.arns:
        return _arn(name_of(declared, policy.name), declared.argument(policy.path), declared.address)
    principal = DECLARED_PRINCIPALS.get(declared.type)
    if principal and name in (principal.name, "id", "arn"):
        return _principal(declared, principal.name, name)
    known = _KNOWN.get((declared.type, name))
    if known:
        return known(declared)
    return declared.argument(name) or declared.not_written(name)


def yields_arguments(type_: str) -> bool:
    """Whether each attribute of such a resource or data source has the value of the argument of its name, or none that
    is in a file."""
    return not any(type_ in types for types in (DECLARED_POLICIES, DECLARED_PRINCIPALS, _TYPES_KNOWN))


def name_of(declared: Declared, name: str) -> Value:
    """The name of a principal or policy, with a hole for what the provider generates."""
    generated = Hole(f"{declared.address}.{name}", f"{declared.address}.{name} is generated", remedy=SCAN_THE_PLAN)
    prefix = declared.argument(f"{name}_prefix") or string("")
    by_prefix = applied(lambda plain: string(text(text_of(plain) or "", generated)), [prefix], name)
    given = declared.argument(name)
    if given is None:
        return by_prefix
    return one_of([_or_generated(possible, by_prefix) for possible in given], name)


def _or_generated(possible: Possible, generated: Value) -> Value:
    if isinstance(possible.plain, Null):
        return under(generated, possible.when)
    return Value((possible,))


def _arn(name: Value, path: Value | None, address: str) -> Value:
    def arn(name: Plain, path: Plain) -> Value:
        return string(customer_managed(_text(name, f"{address}.name"), text_of(path) or ROOT_PATH))

    return applied(arn, [name, path or string(ROOT_PATH)], f"{address}.arn")


def _text(plain: Plain, written: str) -> Text:
    return text_of(plain) or Text((Hole(written, f"{written} is not a string"),))


def _principal(declared: Declared, name: str, wanted: str) -> Value:
    """Its name, which for most types is the id too; whatever else it is known by, the reference tells which it is."""
    is_name = wanted == name or (wanted == "id" and declared.type != "aws_ssoadmin_permission_set")
    value = name_of(declared, name) if is_name else declared.not_written(wanted)
    alternatives = []
    for possible in value:
        content = text_of(possible.plain)
        place = possible.plain.place if isinstance(possible.plain, String) else None
        plain = String(content, place, declared.address) if content is not None else possible.plain
        alternatives.append(Possible(plain, possible.when))
    return Value(tuple(alternatives))


def _looked_up_policy(declared: Declared) -> Value:
    """`data.aws_iam_policy` by ARN, or by name and perhaps path prefix."""
    arn = declared.argument("arn")
    if arn is not None:
        return arn
    name = declared.argument("name") or declared.not_written("name")
    prefix = declared.argument("path_prefix") or string(ROOT_PATH)

    def policies(name: Plain, prefix: Plain) -> Value:
        named = policies_named(_text(name, f"{declared.address}.name"), text_of(prefix) or ROOT_PATH)
        place = name.place if isinstance(name, String) else None
        return one_of([string(policy, place) for policy in named], declared.address)

    return applied(policies, [name, prefix], f"{declared.address}.arn")


def _always(*pieces: Hole | str) -> Callable[[Declared], Value]:
    return lambda declared: string(text(*pieces))


def _argument(name: str) -> Callable[[Declared], Value]:
    return lambda declared: declared.argument(name) or exactly(Null())


_KNOWN: dict[tuple[str, str], Callable[[Declared], Value]] = {
    ("data.aws_iam_policy", "arn"): _looked_up_policy,
    ("data.aws_iam_policy", "id"): _looked_up_policy,
    ("data.aws_partition", "partition"): _always(PARTITION),
    ("data.aws_partition", "id"): _always(PARTITION),
    ("data.aws_caller_identity", "account_id"): _always(ACCOUNT),
    ("data.aws_caller_identity", "id"): _always(ACCOUNT),
    ("terraform_data", "output"): _argument("input"),
}
_TYPES_KNOWN = frozenset(type_ for type_, _ in _KNOWN)
