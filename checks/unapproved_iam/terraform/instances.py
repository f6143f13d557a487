"""Decide which instances `count` and `for_each` make of a block, and how references see them.

For `terraform.module_scope` and `terraform.attachments`. Literals and the arguments of a call decide: a count of 0 is
nothing. What depends on a root variable or on something unknown is open: the instance may be there or not. Sources:
"The count Meta-Argument", "The for_each Meta-Argument" and "dynamic Blocks" in the Terraform documentation.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from collections.abc import Mapping as Arguments
from dataclasses import dataclass
from typing import NamedTuple

from unapproved_iam.hcl.alternatives import bounded_ways, one_of
from unapproved_iam.hcl.bounds import Bound
from unapproved_iam.hcl.collection_elements import elements_of, number_value
from unapproved_iam.hcl.collection_values import mapping_of
from unapproved_iam.hcl.decimal_numbers import whole_number
from unapproved_iam.hcl.evaluation import evaluate
from unapproved_iam.hcl.expression import Expression
from unapproved_iam.hcl.facts import ALWAYS, Facts, Subject, Turn, holds, joined
from unapproved_iam.hcl.scope import Layer, Reference, Scope, owner_of
from unapproved_iam.hcl.syntax import Attribute
from unapproved_iam.hcl.texts import computed, possible_texts
from unapproved_iam.hcl.values import (
    Entry,
    Item,
    Kind,
    Null,
    Possible,
    Refused,
    Sequence,
    Value,
    beyond_limit,
    exactly,
    holes_of,
    is_other,
    settled,
    subject_of,
    under,
    unknown,
)
from unapproved_iam.policies.possible_text import Hole, Text

MAX_COUNTED = 100_000  # instances of one block by `count`; beyond, they are not judged: README, "Limits"


class Instance(NamedTuple):
    """One instance, or several of which only a model is known."""

    suffix: str  # of its address: `["key"]`, `[0]`; empty without one, and when the key is not known
    key: Text | int | None  # None without one, and when nothing of it is known
    when: Facts
    scope: Scope  # the module, with `each` or `count`
    is_other: bool = False  # what else a variable may be makes it


class Alternative(NamedTuple):
    """The instances for one possible value of `count` or `for_each`."""

    when: Facts
    instances: tuple[Instance, ...]


@dataclass(frozen=True)
class Instances:
    """All possible instances of a block."""

    argument: str  # count, for_each or empty
    alternatives: tuple[Alternative, ...]

    def __iter__(self) -> Iterator[Instance]:
        found = (instance for alternative in self.alternatives for instance in alternative.instances)
        return iter({id(instance): instance for instance in found}.values())

    def seen_as(self, value: Callable[[Instance], Value], written: str) -> Value:
        """What a reference to the block means: an object, a tuple of them with `count`, a map with `for_each`."""
        if not self.argument:
            return value(self.alternatives[0].instances[0])
        values = {id(instance): value(instance) for instance in self}
        collections = [_collection(self.argument, one, lambda one: values[id(one)]) for one in self.alternatives]
        return one_of(collections, written)


def instances_of(arguments: Arguments[str, Attribute], scope: Scope) -> Instances:
    """The instances of a resource, data source or module call with these arguments. Raises HclSyntaxError."""
    if "count" in arguments:
        expression = arguments["count"].expression
        counted = [_counted(one, expression, scope) for one in computed(evaluate(expression, scope))]
        return Instances("count", tuple(_shared(counted)))
    if "for_each" in arguments:
        expression = arguments["for_each"].expression
        values = computed(evaluate(expression, scope))
        return Instances("for_each", tuple(_repeated(one, expression, scope) for one in values))
    return Instances("", (Alternative(ALWAYS, (Instance("", None, ALWAYS, scope),)),))


def turns_of(expression: Expression, iterator: str, scope: Scope) -> Iterator[Instance]:
    """The blocks that a `dynamic` block makes; `iterator` is what its key and value are called."""
    for possible in computed(evaluate(expression, scope)):
        if not isinstance(possible.plain, Null):
            yield from _repeated(possible, expression, scope, iterator).instances


def _counted(possible: Possible, expression: Expression, scope: Scope) -> Alternative:
    plain = settled(possible.plain, possible.when)
    try:
        count = whole_number(plain)
    except Refused:
        count = 0  # as terraform refuses it, and so creates nothing
    if count is None or count > MAX_COUNTED:
        index = unknown("count.index", f"{expression} is not decided")
        when = possible.when
        if count is not None:
            index = beyond_limit(expression, f"{MAX_COUNTED} instances")
        elif not any(hole.is_limit for hole in holes_of(plain)):
            counted = subject_of(plain) or Subject(str(expression), owner_of(expression, scope))
            is_positive = Subject(f"{counted.written} > 0", counted.owner, bound=(counted, Bound(0)))
            exists = joined(when, holds(is_positive, True))
            if exists is None:
                return Alternative(when, ())
            when = exists
        layer: dict[Reference, Value] = {("count", "index"): index}
        return Alternative(possible.when, (Instance("", None, when, Layer(scope, layer, Turn()), is_other(possible)),))
    instances = (
        Instance(f"[{number}]", number, possible.when, Layer(scope, {("count", "index"): number_value(number)}))
        for number in range(count)
    )
    return Alternative(possible.when, tuple(instances))


def _shared(alternatives: list[Alternative]) -> list[Alternative]:
    """An instance of one number is the same for every count that includes it."""
    if len(alternatives) < 2:
        return alternatives
    ways: dict[object, list[Facts]] = {}
    for instance in (instance for alternative in alternatives for instance in alternative.instances):
        ways.setdefault((instance.key, instance.is_other), []).append(instance.when)
    shared: dict[object, tuple[Instance, ...]] = {}
    for instance in (instance for alternative in alternatives for instance in alternative.instances):
        identity = (instance.key, instance.is_other)
        if identity not in shared:
            whens = bounded_ways(ways[identity])
            shared[identity] = tuple(instance._replace(when=when) for when in whens)
    return [
        alternative._replace(
            instances=tuple(one for old in alternative.instances for one in shared[(old.key, old.is_other)])
        )
        for alternative in alternatives
    ]


def _repeated(possible: Possible, expression: Expression, scope: Scope, iterator: str = "each") -> Alternative:
    plain = settled(possible.plain, possible.when)
    try:
        elements = elements_of(plain, expression)
        turns = [*elements.each, *elements.rest]
    except Refused:
        turns = []  # as terraform refuses it
    # A set's elements are its keys; terraform refuses lists, with whose numbers nobody would be served.
    is_set = isinstance(plain, Sequence) and iterator == "each"
    instances = []
    for element in turns:
        when = joined(possible.when, element.when)
        if when is None:
            continue
        content = _without_null(under(element.value, when)) if is_set else element.value
        if content is None:
            continue
        key = content if is_set else element.key
        texts = possible_texts(key)
        known = texts[0].text if len(texts) == 1 and not texts[0].text.is_unknown else None
        written = known.known if known is not None else None
        suffix = f"[{json.dumps(written, ensure_ascii=False)}]" if written is not None else ""
        layer: dict[Reference, Value] = {(iterator, "key"): key, (iterator, "value"): content}
        other = any(is_other(one) for one in (*key, *content))
        inside = Layer(scope, layer, element.turns[0] if element.turns else None)
        instances.append(Instance(suffix, known, when, inside, other and written is None))
    return Alternative(possible.when, tuple(instances))


def _without_null(value: Value) -> Value | None:
    """A key of an instance; terraform refuses null."""
    kept = tuple(possible for possible in value if not isinstance(possible.plain, Null))
    return Value(kept) if kept else None


def _collection(argument: str, alternative: Alternative, value: Callable[[Instance], Value]) -> Value:
    if argument == "count":
        items = [
            Item(value(one), _of_its_own(one, alternative)) for one in alternative.instances if isinstance(one.key, int)
        ]
        rest = [value(one) for one in alternative.instances if not isinstance(one.key, int)]
        collection = exactly(Sequence(tuple(items), rest[0] if rest else None, ordered=not rest))
    else:
        hole = Text((Hole("each.key", "the key is not known"),))
        entries = [
            Entry(one.key if isinstance(one.key, Text) else hole, value(one), _of_its_own(one, alternative))
            for one in alternative.instances
        ]
        collection = exactly(mapping_of(entries, Kind.MAP))
    return under(collection, alternative.when)


def _of_its_own(instance: Instance, alternative: Alternative) -> Facts:
    """What decides about the instance where the alternative holds."""
    own = {
        subject: choice
        for subject, choice in instance.when.choices.items()
        if not choice.includes(alternative.when.of(subject))
    }
    return Facts(own) if own else ALWAYS
