"""Decide which instances a resource or module call has, by `count` and `for_each`, and how references see them.

For `terraform.module_scope` and `terraform.attachments`. What literals or the call decide is decided: a count of 0 is
nothing. What depends on a root variable or on something unknown is open: the instance may be there or not. Sources:
"The count Meta-Argument", "The for_each Meta-Argument" and "dynamic Blocks" in the Terraform documentation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from collections.abc import Mapping as Arguments
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from unapproved_iam.hcl.alternatives import one_of
from unapproved_iam.hcl.collection_values import Element, elements_of, mapping_of, number_value
from unapproved_iam.hcl.evaluation import evaluate
from unapproved_iam.hcl.expression import Expression, Literal, Operation
from unapproved_iam.hcl.scope import Layer, Reference, Scope
from unapproved_iam.hcl.syntax import Attribute
from unapproved_iam.hcl.texts import possible_texts
from unapproved_iam.hcl.values import (
    Condition,
    Entry,
    Item,
    Kind,
    Null,
    Number,
    Openness,
    Possible,
    Refused,
    Sequence,
    String,
    Unknown,
    Value,
    When,
    exactly,
    is_refused,
    joined,
    under,
    unknown,
)
from unapproved_iam.policies.possible_text import Hole, Text

MAX_COUNTED = 1000  # instances of one block; the others are like one whose index is not known


class Instance(NamedTuple):
    """One instance, or several of which only a model is known."""

    suffix: str  # of its address: `["key"]`, `[0]`; empty without one, and when the key is not known
    key: Text | int | None  # None without one, and when nothing of it is known
    when: When
    origin: str
    scope: Scope  # the module, with `each` or `count`


class Alternative(NamedTuple):
    """The instances for one possible value of `count` or `for_each`."""

    of: Possible
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
        counted = [_counted(one, expression, scope) for one in _computed(expression, scope)]
        return Instances("count", tuple(_shared(counted)))
    if "for_each" in arguments:
        expression = arguments["for_each"].expression
        return Instances("for_each", tuple(_repeated(one, expression, scope) for one in _computed(expression, scope)))
    alone = Instance("", None, (), "", scope)
    return Instances("", (Alternative(Possible(Null()), (alone,)),))


def turns_of(expression: Expression, iterator: str, scope: Scope) -> Iterator[Instance]:
    """The blocks that a `dynamic` block makes; `iterator` is what its key and value are called."""
    for possible in _computed(expression, scope):
        if not isinstance(possible.plain, Null):
            yield from _repeated(possible, expression, scope, iterator).instances


def _computed(expression: Expression, scope: Scope) -> list[Possible]:
    """The alternatives that terraform computes, as far as there are any, and those for which a root variable's default
    lacks an element: another value has it."""
    value = evaluate(expression, scope)
    return [possible for possible in value if not is_refused(possible) or _lacks_an_element(possible)] or list(value)


def _lacks_an_element(possible: Possible) -> bool:
    return (
        possible.openness is not Openness.DECIDED and isinstance(possible.plain, Unknown) and possible.plain.is_absent
    )


def _counted(possible: Possible, expression: Expression, scope: Scope) -> Alternative:
    count = _whole_number(possible)
    if count is None or (count <= 0 and possible.openness):
        is_positive = Operation(">", (expression, Literal(Fraction(0))))
        when = joined(possible.when, (Condition(str(is_positive)),)) or ()
        index = unknown("count.index", f"{expression} is not decided")
        return Alternative(possible, (_instance("", None, when, possible, scope, {("count", "index"): index}),))
    instances = [
        _instance(f"[{number}]", number, possible.when, possible, scope, {("count", "index"): number_value(number)})
        for number in range(min(count, MAX_COUNTED))
    ]
    if count > MAX_COUNTED:
        index = unknown("count.index", f"there are more than {MAX_COUNTED} instances")
        instances.append(_instance("", None, possible.when, possible, scope, {("count", "index"): index}))
    return Alternative(possible, tuple(instances))


def _shared(alternatives: list[Alternative]) -> Iterator[Alternative]:
    """An instance of one number is the same for every count that includes it, under what these have in common."""
    by_number: dict[object, Instance] = {}
    for instance in (instance for alternative in alternatives for instance in alternative.instances):
        other = by_number.setdefault(instance.key, instance)
        common = tuple(condition for condition in other.when if condition in instance.when)
        by_number[instance.key] = other._replace(when=common)
    for alternative in alternatives:
        yield alternative._replace(instances=tuple(by_number[one.key] for one in alternative.instances))


def _whole_number(possible: Possible) -> int | None:
    plain = possible.plain
    if isinstance(plain, Number):
        return int(plain.value)
    written = plain.text.known if isinstance(plain, String) else None
    return int(written) if written is not None and re.fullmatch(r"\d{1,9}", written, re.ASCII) else None


def _repeated(possible: Possible, expression: Expression, scope: Scope, iterator: str = "each") -> Alternative:
    try:
        elements = elements_of(possible, expression)
        turns = [*elements.each, *elements.rest]
    except Refused:
        turns = []  # as terraform refuses it
    if not turns and possible.openness:
        reason, remedy = f"{expression} has no elements by default", "scan the plan"
        turns = [Element(unknown(f"{iterator}.key", reason, remedy), unknown(f"{iterator}.value", reason, remedy), ())]
    instances = []
    for element in turns:
        when = joined(possible.when, element.when)
        if when is None:
            continue
        # A set's elements are its keys; terraform refuses lists, with whose numbers nobody would be served.
        is_set = isinstance(possible.plain, Sequence) and iterator == "each"
        content = _without_null(element.value) if is_set else element.value
        if content is None:
            continue
        key = content if is_set else element.key
        value = under(content, (), min(possible.openness, Openness.ELEMENT))
        texts = possible_texts(key)
        known = texts[0].text if len(texts) == 1 and not texts[0].text.is_unknown else None
        written = known.known if known is not None else None
        suffix = f"[{json.dumps(written, ensure_ascii=False)}]" if written is not None else ""
        layer: dict[Reference, Value] = {(iterator, "key"): key, (iterator, "value"): value}
        instances.append(_instance(suffix, known, when, possible, scope, layer))
    return Alternative(possible, tuple(instances))


def _without_null(value: Value) -> Value | None:
    """A key of an instance; terraform refuses null."""
    kept = tuple(possible for possible in value if not isinstance(possible.plain, Null))
    return Value(kept) if kept else None


def _instance(
    suffix: str, key: Text | int | None, when: When, possible: Possible, scope: Scope, layer: dict[Reference, Value]
) -> Instance:
    return Instance(suffix, key, when, possible.origin, Layer(scope, layer))


def _collection(argument: str, alternative: Alternative, value: Callable[[Instance], Value]) -> Value:
    possible = alternative.of
    if argument == "count":
        items = [Item(value(one)) for one in alternative.instances if isinstance(one.key, int)]
        rest = [value(one) for one in alternative.instances if not isinstance(one.key, int)]
        collection = exactly(Sequence(tuple(items), rest[0] if rest else None, ordered=not rest))
    else:
        hole = Text((Hole("each.key", "the key is not known"),))
        entries = [
            Entry(one.key if isinstance(one.key, Text) else hole, value(one), _own_conditions(one, possible))
            for one in alternative.instances
        ]
        collection = exactly(mapping_of(entries, Kind.MAP))
    return under(collection, possible.when, possible.openness, possible.origin)


def _own_conditions(instance: Instance, possible: Possible) -> When:
    return tuple(condition for condition in instance.when if condition not in possible.when)
