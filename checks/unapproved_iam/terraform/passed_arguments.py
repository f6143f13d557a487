"""Decide which policies in the arguments of a module or stack that is not in the tree count as attached.

For `terraform.attachments` (parameters of stacks), `terraform.module_reading` (calls of modules) and
`checkov_host.resource_conf`. The rule itself is in `policies.passed_policies`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from unapproved_iam.hcl.evaluation import evaluate
from unapproved_iam.hcl.facts import joined
from unapproved_iam.hcl.scope import Scope
from unapproved_iam.hcl.syntax import Attribute
from unapproved_iam.hcl.values import NEVER, Found, Possible, Sequence, String, Unknown, Value, parts_of, settled, under
from unapproved_iam.hcl.values import Mapping as MappingValue
from unapproved_iam.policies.passed_policies import is_policy_arn, not_attached, policies_passed, tells_of_others
from unapproved_iam.policies.possible_text import Hole, text

META_ARGUMENTS = frozenset({"source", "version", "providers", "depends_on", "count", "for_each"})


def passed_by(
    arguments: Mapping[str, Attribute], scope: Scope, among: Collection[str]
) -> Iterator[tuple[Found, Attribute]]:
    """The policies in some arguments of a call or block, and what went past a bound, each with its argument. Raises
    HclSyntaxError."""
    if not any(name in among for name in arguments):
        return
    values = {
        name: evaluate(argument.expression, scope) if name in among or tells_of_others(name) else NEVER
        for name, argument in arguments.items()
    }
    exempt = not_attached({name: _known(value) for name, value in values.items()})
    for name, value in values.items():
        for found in policies_within(value) if name not in exempt else ():
            yield found, arguments[name]


def policies_within(value: Value) -> Iterator[Found]:
    """The policies that a value passes, wherever in it they stand."""
    for possible in value:
        yield from _of_possible(possible)


def _of_possible(possible: Possible) -> Iterator[Found]:
    plain = settled(possible.plain, possible.when)
    if isinstance(plain, String):
        for policy in policies_passed(plain.text):
            yield Found(policy, possible.when, plain.place)
        yield from (_beyond(hole, possible) for hole in plain.text.holes if hole.is_limit)
    elif isinstance(plain, Unknown):  # what a function is not computed of may be in what it yields
        if plain.hole.is_limit:
            yield _beyond(plain.hole, possible)
        for found in plain.found:
            if is_policy_arn(found.text) and (when := joined(possible.when, found.when)) is not None:
                yield found._replace(when=when)
    elif isinstance(plain, MappingValue):
        exempt = not_attached({entry.key.known or "": _known(entry.value) for entry in plain.entries})
        for entry in plain.entries:
            when = joined(possible.when, entry.when)
            if when is None:
                continue
            for policy in policies_passed(entry.key):
                yield Found(policy, when)
            if (entry.key.known or "") not in exempt:
                yield from policies_within(under(entry.value, when))
    elif isinstance(plain, Sequence):
        for part, of_part in parts_of(plain):
            when = joined(possible.when, of_part)
            if when is not None:
                yield from policies_within(under(part, when))


def _beyond(hole: Hole, possible: Possible) -> Found:
    """What a bound of ours kept from being known: a policy may be in it."""
    return Found(text(hole), possible.when)


def _known(value: Value) -> str | None:
    """The text that a value is, whatever decides."""
    plain = value.possible[0].plain if len(value.possible) == 1 else None
    return plain.text.known if isinstance(plain, String) else None
