"""Evaluate an expression over all values that the tree gives it: what Terraform computes is among the possible ones.

For `terraform.root_module`. Values without unknown parts and without open conditions are exact. A condition is open
when it depends on a root variable, with or without a default, or on something unknown: then both sides are possible,
each under its condition. Source: "HCL Native Syntax Specification" and "Expressions" in the Terraform documentation.
One file, since each kind of expression evaluates all the others.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from unapproved_iam.hcl.alternatives import applied_to_alternatives, one_of, unknown_like
from unapproved_iam.hcl.collection_parts import Parts, entries_of_key, grouped
from unapproved_iam.hcl.collection_values import (
    Element,
    attribute_of,
    element_of,
    elements_of,
    key_of,
    mapping_of,
    with_strings,
)
from unapproved_iam.hcl.expression import (
    Call,
    Conditional,
    Expression,
    For,
    GetAttribute,
    Index,
    Literal,
    Name,
    ObjectOf,
    Operation,
    Splat,
    SplatItem,
    Template,
    TemplateFor,
    TemplateIf,
    TupleOf,
)
from unapproved_iam.hcl.function_calls import called
from unapproved_iam.hcl.operators import boolean_of, operated
from unapproved_iam.hcl.scope import SPLAT_ITEM, Layer, Reference, Scope, length_of_reference, owner_of, variable_of
from unapproved_iam.hcl.strings import as_strings, concatenated
from unapproved_iam.hcl.texts import holds_unknown, policies_written_in
from unapproved_iam.hcl.values import (
    NULL,
    Boolean,
    Condition,
    Entry,
    Item,
    Null,
    Number,
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
    refused,
    string,
    under,
    unknown,
)

MAX_DEPTH = 150  # of expressions within expressions, through references too: Python's stack holds about 1,000 frames
MAX_STEPS = 50_000  # expressions evaluated for one that was asked for: some seconds


class _Effort(threading.local):
    depth = 0
    steps = 0
    doubts: int | None = None  # how many values were not known, while someone asks whether Terraform computes them


_effort = _Effort()


def evaluate(expression: Expression, scope: Scope) -> Value:
    """Every value that the expression may yield. Total, except for HclSyntaxError when something that it refers to
    is read and is broken."""
    if _effort.depth == 0:
        _effort.steps = 0
    _effort.steps += 1
    if _effort.depth >= MAX_DEPTH:
        return _not_evaluated(expression, "it is nested too deeply to be evaluated")
    if _effort.steps > MAX_STEPS:
        return _not_evaluated(expression, f"it takes more than {MAX_STEPS} steps to evaluate")
    _effort.depth += 1
    try:
        value = _EVALUATIONS[type(expression)](expression, scope)
        if _effort.doubts is not None and holds_unknown(value):
            _effort.doubts += 1
        return value
    except Refused as reason:
        return refused(expression, str(reason), policies_written_in(expression))
    except RecursionError:
        return _not_evaluated(expression, "it is nested too deeply to be evaluated")
    finally:
        _effort.depth -= 1


def evaluate_with_doubt(expression: Expression, scope: Scope) -> tuple[Value, bool]:
    """The value, and whether Terraform may refuse to compute it even where it is not refused here.

    Whatever is made of something unknown may be refused. What a reference means is computed elsewhere: when that is
    refused, so is everything.
    """
    outer, _effort.doubts = _effort.doubts, 0
    try:
        value = evaluate(expression, scope)
        is_mere_reference = isinstance(expression, GetAttribute) and isinstance(expression.source, Name)
        return value, bool(_effort.doubts) and not is_mere_reference
    finally:
        _effort.doubts = outer  # what is tried is no doubt for what is around it


def _value_of_reference(reference: Reference, scope: Scope) -> Value:
    outer, _effort.doubts = _effort.doubts, None
    try:
        return scope.value_of(reference)
    finally:
        _effort.doubts = outer


def _not_evaluated(expression: Expression, reason: str) -> Value:
    """Something unknown, with the policies that stand in the expression."""
    try:
        written = str(expression)
    except RecursionError:
        written = "an expression"
    return unknown(written, reason, found=policies_written_in(expression))


# -- literals and references -------------------------------------------------------------------------------------------


def _literal(expression: Literal, scope: Scope) -> Value:
    if expression.value is None:
        return NULL
    if isinstance(expression.value, bool):
        return exactly(Boolean(expression.value))
    return exactly(Number(expression.value))


def _reference(expression: Name | GetAttribute, scope: Scope) -> Value:
    """A loop's variable, or a reference of the module; the names that follow it are attributes."""
    names: list[str] = []
    source: Expression = expression
    while isinstance(source, GetAttribute):
        names.append(source.name)
        source = source.source
    if isinstance(source, Name):
        names.append(source.name)
        names.reverse()
        value = variable_of(scope, source.name)
        length = 1
        if value is None:
            if names[0] == "resource" and len(names) > 2:
                names = names[1:]
            length = length_of_reference(names[0])
            if len(names) < length:
                return unknown(expression, f"{expression} is no reference")
            value = _value_of_reference(tuple(names[:length]), scope)
        names = names[length:]
    else:
        names.reverse()
        value = evaluate(source, scope)
    for name in names:
        value = applied_to_alternatives(lambda one, name=name: attribute_of(one, name, expression), [value], expression)
    return value


def _index(expression: Index, scope: Scope) -> Value:
    owner = owner_of(expression.key, scope)
    written = str(expression.key)

    def chosen(source: Possible, key: Possible) -> Value:
        value = element_of(source, key_of(key, written, owner), expression)
        return under(value, key.when, key.openness, key.origin)

    values = [evaluate(expression.source, scope), evaluate(expression.key, scope)]
    return applied_to_alternatives(chosen, values, expression)


def _splat(expression: Splat, scope: Scope) -> Value:
    def every(source: Possible) -> Value:
        plain = source.plain
        parts = Parts()
        if isinstance(plain, Null):
            return exactly(Sequence(()))
        if not isinstance(plain, Sequence | Unknown):
            only = parts.accepts(_of_item(expression.each, Value((source,)), scope))
            return parts.whole(Sequence((Item(only),) if only else ()), expression)
        elements = elements_of(source, expression.source)
        items = [
            Item(item, each.when)
            for each in elements.each
            if (item := parts.accepts(_of_item(expression.each, each.value, scope), each.when)) is not None
        ]
        further = [under(_of_item(expression.each, each.value, scope), each.when) for each in elements.rest]
        rest = one_of(further, expression) if further else None
        result = parts.whole(Sequence(tuple(items), rest, ordered=elements.ordered), expression)
        return under(result, source.when, source.openness, source.origin)

    return applied_to_alternatives(every, [evaluate(expression.source, scope)], expression)


def _of_item(each: Expression, item: Value, scope: Scope) -> Value:
    return item if isinstance(each, SplatItem) else evaluate(each, Layer(scope, {SPLAT_ITEM: item}))


def _splat_item(expression: SplatItem, scope: Scope) -> Value:
    return variable_of(scope, SPLAT_ITEM[0]) or unknown("*", "there is no splat around it")


# -- collections -------------------------------------------------------------------------------------------------------


def _tuple(expression: TupleOf, scope: Scope) -> Value:
    parts = Parts()
    items = (parts.accepts(evaluate(item, scope)) for item in expression.items)
    sequence = Sequence(tuple(Item(item) for item in items if item is not None))
    return parts.whole(sequence, expression)


def _object(expression: ObjectOf, scope: Scope) -> Value:
    parts = Parts()
    entries: list[Entry] = []
    for key, value in expression.items:
        entries.extend(entries_of_key(parts, evaluate(key, scope), evaluate(value, scope), (), key))
    return parts.whole(mapping_of(entries), expression)


def _for(expression: For, scope: Scope) -> Value:
    def looped(collection: Possible) -> Value:
        elements = elements_of(collection, expression.collection)
        turns = [(each, _turn(each, expression, scope)) for each in elements.each]
        rest = [(each, _turn(each, expression, scope)) for each in elements.rest]
        if expression.result_key is not None:
            result = _for_object(expression, expression.result_key, turns, rest)
        else:
            result = _for_tuple(expression, turns, rest, elements.ordered)
        return under(result, collection.when, collection.openness, collection.origin)

    return applied_to_alternatives(looped, [evaluate(expression.collection, scope)], expression)


_Turn = tuple[Element, Layer]


def _turn(element: Element, expression: For | TemplateFor, scope: Scope) -> Layer:
    values: dict[Reference, Value] = {(expression.value,): element.value}
    if expression.key is not None:
        values[(expression.key,)] = element.key
    return Layer(scope, values)


def _for_tuple(expression: For, turns: list[_Turn], rest: list[_Turn], ordered: bool) -> Value:
    parts = Parts()
    items = []
    for element, scope in turns:
        for when in _inclusions(parts, expression, element, scope):
            item = parts.accepts(evaluate(expression.result, scope), when)
            if item is not None:
                items.append(Item(item, when))
    further = [
        under(evaluate(expression.result, scope), when)
        for element, scope in rest
        for when in _inclusions(parts, expression, element, scope)
    ]
    sequence = Sequence(tuple(items), one_of(further, expression.result) if further else None, ordered=ordered)
    return parts.whole(sequence, expression)


def _for_object(expression: For, key: Expression, turns: list[_Turn], rest: list[_Turn]) -> Value:
    parts = Parts()
    perhaps = (Condition(f"length({expression.collection}) > {len(turns)}"),)

    def entries_of(turns: list[_Turn], also: When = ()) -> list[Entry]:
        return [
            entry
            for element, scope in turns
            for when in _inclusions(parts, expression, element, scope)
            for entry in entries_of_key(
                parts, evaluate(key, scope), evaluate(expression.result, scope), joined(when, also) or when, key
            )
        ]

    entries, further = entries_of(turns), entries_of(rest, perhaps)
    return parts.whole(
        mapping_of(grouped(entries, further) if expression.grouped else [*entries, *further]), expression
    )


def _inclusions(parts: Parts, expression: For, element: Element, scope: Scope) -> list[When]:
    """The conditions under which a turn yields something; none when it surely yields nothing."""
    if expression.condition is None:
        return [element.when]
    condition = parts.accepts(evaluate(expression.condition, scope), element.when)
    if condition is None:
        return []
    truths = [None if possible.openness else boolean_of(possible.plain) for possible in condition]
    if all(truths):
        return [element.when]
    inclusions = []
    for possible, truth in zip(condition, truths, strict=True):
        if truth is False:
            continue
        # An alternative that names no condition of its own is one of several.
        own = possible.when if truth else (*possible.when, *_condition(expression.condition, True, scope))
        when = joined(element.when, own or _condition(expression.condition, True, scope))
        if when is not None:
            inclusions.append(when)
    return list(dict.fromkeys(inclusions))


# -- conditions --------------------------------------------------------------------------------------------------------


def _conditional(expression: Conditional, scope: Scope) -> Value:
    return _decided(expression.condition, expression.then, expression.otherwise, scope, expression)


def _decided(condition: Expression, then: Expression, otherwise: Expression, scope: Scope, written: object) -> Value:
    """One branch where the condition is decided, both under their conditions where it is open."""
    branches: dict[bool, Value] = {}

    def branch(holds: bool) -> Value:
        if holds not in branches:
            branches[holds] = evaluate(then if holds else otherwise, scope)
        return branches[holds]

    results = []
    for possible in evaluate(condition, scope):
        if is_refused(possible):
            results.append(Value((possible,)))
            continue
        truth = boolean_of(possible.plain)
        if truth is not None and not possible.openness:
            results.append(under(branch(truth), possible.when, origin=possible.origin))
            continue
        for holds in (True, False):
            when = joined(possible.when, _condition(condition, holds, scope))
            if when is not None:
                results.append(under(branch(holds), when, origin=possible.origin))
    chosen = one_of(results, written)
    # Both branches have one type: next to a string, numbers and bools become strings.
    if any(isinstance(possible.plain, Number | Boolean) for possible in chosen):
        both = [possible.plain for holds in (True, False) for possible in branch(holds)]
        if any(isinstance(plain, String) for plain in both):
            return with_strings(chosen)
    return chosen


def _condition(expression: Expression, holds: bool, scope: Scope) -> When:
    """The condition in its simplest words: `!x` is true when x is false, `a != b` when `a == b` is false."""
    while isinstance(expression, Operation) and expression.operator in ("!", "!="):
        holds = not holds
        is_negation = expression.operator == "!"
        expression = expression.operands[0] if is_negation else Operation("==", expression.operands)
    return (Condition(str(expression), holds, owner_of(expression, scope)),)


def _template(expression: Template, scope: Scope) -> Value:
    parts = expression.parts
    if not parts or (len(parts) == 1 and isinstance(parts[0], str)):
        return string("".join(map(str, parts)), expression.place)
    if len(parts) == 1 and isinstance(parts[0], Expression) and not isinstance(parts[0], TemplateIf | TemplateFor):
        return evaluate(parts[0], scope)
    values = [string(part) if isinstance(part, str) else evaluate(part, scope) for part in parts]
    return concatenated(values, expression, expression.place)


def _template_if(expression: TemplateIf, scope: Scope) -> Value:
    chosen = _decided(expression.condition, expression.then, expression.otherwise, scope, expression)
    return as_strings(chosen, expression)


def _template_for(expression: TemplateFor, scope: Scope) -> Value:
    def looped(collection: Possible) -> Value:
        elements = elements_of(collection, expression.collection)
        turns = [*elements.each, *elements.rest]
        values = [
            concatenated([evaluate(expression.body, _turn(each, expression, scope))], expression) for each in turns
        ]
        if elements.certain:
            result = concatenated(values, expression)
        else:
            result = unknown_like(expression, collection.plain, Sequence(tuple(map(Item, values))))
        return under(result, collection.when, collection.openness, collection.origin)

    return applied_to_alternatives(looped, [evaluate(expression.collection, scope)], expression)


def _operation(expression: Operation, scope: Scope) -> Value:
    return operated(expression.operator, [evaluate(operand, scope) for operand in expression.operands], expression)


def _call(expression: Call, scope: Scope) -> Value:
    return called(expression, scope, _EVALUATION)


class _Evaluation:
    """What functions evaluate their arguments with."""

    value = staticmethod(evaluate)
    value_and_doubt = staticmethod(evaluate_with_doubt)


_EVALUATION = _Evaluation()


_EVALUATIONS: dict[type[Expression], Callable[..., Value]] = {
    Literal: _literal,
    Name: _reference,
    GetAttribute: _reference,
    Index: _index,
    Splat: _splat,
    SplatItem: _splat_item,
    TupleOf: _tuple,
    ObjectOf: _object,
    For: _for,
    Conditional: _conditional,
    Operation: _operation,
    Template: _template,
    TemplateIf: _template_if,
    TemplateFor: _template_for,
    Call: _call,
}
