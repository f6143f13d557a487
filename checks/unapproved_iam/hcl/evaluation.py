"""Evaluate a Terraform expression to all values it can have, given what the files say.

For `terraform.root_module`. What Terraform computes is always among the values; one value without unknown parts, in
every world, is exact. A condition that depends on a root variable, or on something unknown, has both sides, each under
the facts that make it true or false. Source: "HCL Native Syntax Specification" and "Expressions" in the Terraform
documentation. One file, since each kind of expression evaluates all the others.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from unapproved_iam.hcl.alternatives import applied, one_of, unknown_like
from unapproved_iam.hcl.bounds import Count
from unapproved_iam.hcl.collection_elements import Element, Elements, elements_of
from unapproved_iam.hcl.collection_parts import Parts, Row, entries_of_key, grouped
from unapproved_iam.hcl.collection_values import attribute_of, element_of, mapping_of, with_strings
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
from unapproved_iam.hcl.facts import ALWAYS, Facts, Subject, Turn, holds, joined
from unapproved_iam.hcl.function_calls import called
from unapproved_iam.hcl.operators import operated, truths_of
from unapproved_iam.hcl.scope import SPLAT_ITEM, Layer, Reference, Scope, length_of_reference, owner_of, variable_of
from unapproved_iam.hcl.strings import as_strings, concatenated
from unapproved_iam.hcl.texts import holds_unknown, policies_written_in
from unapproved_iam.hcl.turns import given, within
from unapproved_iam.hcl.values import (
    NULL,
    Boolean,
    Entry,
    Item,
    Null,
    Number,
    Plain,
    Possible,
    Refused,
    Sequence,
    String,
    Unknown,
    Value,
    beyond_limit,
    constant_of,
    exactly,
    is_refused,
    refused,
    string,
    under,
    unknown,
)
from unapproved_iam.hcl.ways import exclusive

# Bounds of ours: README, "Limits".
MAX_DEPTH = 150  # of expressions within one expression: Python's stack holds about 1,000 frames
_DEPTH = "the expressions within one another that can be followed"
MAX_STEPS = 1_000_000  # expressions evaluated for one that was asked for


class _Deeper(Exception):
    """A reference that has to be followed first, from the start of the stack: chains of references have no bound."""

    def __init__(self, reference: Reference, scope: Scope) -> None:
        super().__init__(reference)
        self.asked = (reference, scope)


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
        return _from_the_start(expression, scope)
    return _evaluated(expression, scope)


def _from_the_start(expression: Expression, scope: Scope) -> Value:
    waiting: list[tuple[Reference, Scope]] = []
    while True:
        try:
            if not waiting:
                return _evaluated(expression, scope)
            reference, where = waiting[-1]
            _effort.depth += 1
            try:
                where.value_of(reference)
            finally:
                _effort.depth -= 1
            waiting.pop()
        except _Deeper as deeper:
            if deeper.asked in waiting:
                return _not_evaluated(expression, "it refers to itself")
            waiting.append(deeper.asked)


def _evaluated(expression: Expression, scope: Scope) -> Value:
    _effort.steps += 1
    if _effort.depth >= MAX_DEPTH:
        return _beyond(expression, _DEPTH)
    if _effort.steps > MAX_STEPS:
        return _beyond(expression, f"{MAX_STEPS} steps to evaluate")
    _effort.depth += 1
    try:
        value = _EVALUATIONS[type(expression)](expression, scope)
    except Refused as reason:
        return refused(expression, str(reason), policies_written_in(expression))
    except RecursionError:
        return _beyond(expression, _DEPTH)
    finally:
        _effort.depth -= 1
    for possible in value.possible:
        if isinstance(possible.plain, Unknown):
            value = _named(value, expression, scope)
            break
    if _effort.doubts is not None and any(holds_unknown(possible.plain) for possible in value):
        _effort.doubts += 1
    return value


def _named(value: Value, expression: Expression, scope: Scope) -> Value:
    """What is not known is what facts are about, by the words of the first expression that yields it.

    Where the same expression is true or false anyway, that is a fact, too: one for both is short to tell.
    """
    if not any(_is_unnamed(possible.plain) for possible in value):
        return value
    known = tuple((when, constant[0]) for plain, when in value if (constant := constant_of(plain)) is not None)
    subject = Subject(str(expression), owner_of(expression, scope), count=_count_of(value), known=known)

    def named(possible: Possible) -> Possible:
        plain, when = possible
        if isinstance(plain, Unknown) and _is_unnamed(plain):
            return Possible(replace(plain, hole=plain.hole._replace(subject=subject)), when)
        if isinstance(plain, Boolean):
            return Possible(plain, joined(when, holds(subject, plain.value)) or when)
        return possible

    return Value(tuple(named(possible) for possible in value))


def _count_of(value: Value) -> Count | None:
    """Which numbers are possible when all alternatives count something."""
    counts = []
    for plain in (possible.plain for possible in value if not is_refused(possible)):
        if isinstance(plain, Unknown) and plain.shape is not None and plain.shape.count is not None:
            counts.append(plain.shape.count)
        elif isinstance(plain, Number) and isinstance(plain.value, int):
            counts.append(Count(plain.value, plain.value))
        else:
            return None
    ends = [count.most for count in counts if count.most is not None]
    return Count(min(count.least for count in counts), max(ends) if len(ends) == len(counts) else None)


def _is_unnamed(plain: Plain) -> bool:
    return isinstance(plain, Unknown) and not plain.fails and plain.hole.subject is None


def evaluate_with_doubt(expression: Expression, scope: Scope) -> tuple[Value, bool | None]:
    """The value, and whether Terraform may refuse to compute it even where it is not refused here.

    Whatever is made of something unknown may be refused; None where that is not even asked: what a reference means is
    computed elsewhere, and when that is refused, so is everything.
    """
    outer, _effort.doubts = _effort.doubts, 0
    try:
        value = evaluate(expression, scope)
        is_mere_reference = isinstance(expression, GetAttribute) and isinstance(expression.source, Name)
        return value, None if is_mere_reference else bool(_effort.doubts)
    finally:
        _effort.doubts = outer  # what is tried is no doubt for what is around it


def value_of_reference(reference: Reference, scope: Scope) -> Value:
    """What a reference means; from far down the stack it is followed from the start first."""
    if _effort.depth > MAX_CHAIN and not scope.is_known(reference):
        raise _Deeper(reference, scope)
    outer, _effort.doubts = _effort.doubts, None
    try:
        return given(scope.value_of(reference))
    finally:
        _effort.doubts = outer


MAX_CHAIN = 60  # expressions within one another before a reference is followed on its own


def _beyond(expression: Expression, limit: str) -> Value:
    """What a bound of ours kept from being evaluated, with the policies that stand in the expression."""
    try:
        written = str(expression)
    except RecursionError:
        written = "an expression"
    return beyond_limit(written, limit, policies_written_in(expression))


def _not_evaluated(expression: Expression, reason: str) -> Value:
    return unknown(expression, reason, found=policies_written_in(expression))


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
                return unknown(expression, f"{expression} is not a reference")
            value = value_of_reference(tuple(names[:length]), scope)
        names = names[length:]
    else:
        names.reverse()
        value = evaluate(source, scope)
    for name in names:
        value = applied(lambda one, name=name: attribute_of(one, name, expression), [value], expression)
    return value


def _index(expression: Index, scope: Scope) -> Value:
    values = [evaluate(expression.source, scope), evaluate(expression.key, scope)]
    return applied(lambda source, key: element_of(source, key, expression), values, expression)


def _splat(expression: Splat, scope: Scope) -> Value:
    def every(source: Plain) -> Value:
        parts = Parts()
        if isinstance(source, Null):
            return exactly(Sequence(()))
        if not isinstance(source, Sequence | Unknown):
            only = parts.accepts(_of_item(expression.each, exactly(source), scope))
            return parts.whole(Sequence((Item(only),) if only else ()), expression)
        elements = elements_of(source, expression.source)

        def results(each: Element) -> Iterator[tuple[Value, Facts]]:
            turn = each.turns[0] if each.turns else None
            yield _of_item(expression.each, each.value, scope, turn), each.when

        row = _row_of(elements, results, parts)
        return parts.whole(row.sequence(expression), expression)

    return applied(every, [evaluate(expression.source, scope)], expression)


def _row_of(elements: Elements, results: Callable[[Element], Iterable[tuple[Value, Facts]]], parts: Parts) -> Row:
    """What a loop makes of each element, in the order of the elements, and the facts under which it is there."""
    row = Row(elements.ordered or elements.after is not None)
    at = len(elements.each) - (elements.after or 0)

    def add(several: tuple[Element, ...]) -> None:
        for each in several:
            for value, when in results(each):
                item = parts.accepts(value, when)
                if item is not None:
                    row.items.append(Item(item, when))

    add(elements.each[:at])
    for each in elements.rest:
        with within(each.turns):
            for value, when in results(each):
                row.further(under(value, when))
    add(elements.each[at:])
    return row


def _of_item(each: Expression, item: Value, scope: Scope, turn: Turn | None = None) -> Value:
    return item if isinstance(each, SplatItem) else evaluate(each, Layer(scope, {SPLAT_ITEM: item}, turn))


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
        entries.extend(entries_of_key(parts, evaluate(key, scope), evaluate(value, scope), ALWAYS, key))
    return parts.whole(mapping_of(entries), expression)


def _for(expression: For, scope: Scope) -> Value:
    def looped(collection: Plain) -> Value:
        elements = elements_of(collection, expression.collection)
        if expression.result_key is None:
            return _for_tuple(expression, elements, scope)
        turns = [(each, _turn(each, expression, scope)) for each in elements.each]
        rest = [(each, _turn(each, expression, scope)) for each in elements.rest]
        return _for_object(expression, expression.result_key, turns, rest)

    return applied(looped, [evaluate(expression.collection, scope)], expression)


_Turn = tuple[Element, Layer]


def _turn(element: Element, expression: For | TemplateFor, scope: Scope) -> Layer:
    values: dict[Reference, Value] = {(expression.value,): element.value}
    if expression.key is not None:
        values[(expression.key,)] = element.key
    return Layer(scope, values, element.turns[0] if element.turns else None)


def _for_tuple(expression: For, elements: Elements, scope: Scope) -> Value:
    parts = Parts()

    def results(element: Element) -> Iterator[tuple[Value, Facts]]:
        turn = _turn(element, expression, scope)
        for when in _inclusions(parts, expression, element, turn):
            yield evaluate(expression.result, turn), when

    row = _row_of(elements, results, parts)
    return parts.whole(row.sequence(expression.result), expression)


_FURTHER = "further elements"  # that there are some is never denied: it contradicts nothing


def _for_object(expression: For, key: Expression, turns: list[_Turn], rest: list[_Turn]) -> Value:
    parts = Parts()
    perhaps = holds(Subject(f"length({expression.collection}) > {len(turns)}", _FURTHER), True)

    def entries_of(turns: list[_Turn], also: Facts = ALWAYS) -> list[Entry]:
        entries: list[Entry] = []
        for element, scope in turns:
            with within(element.turns):
                for when in _inclusions(parts, expression, element, scope):
                    value = evaluate(expression.result, scope)
                    entries += entries_of_key(parts, evaluate(key, scope), value, joined(when, also) or when, key)
        return entries

    entries, further = entries_of(turns), entries_of(rest, perhaps)
    return parts.whole(
        mapping_of(grouped(entries, further) if expression.grouped else [*entries, *further]), expression
    )


def _inclusions(parts: Parts, expression: For, element: Element, scope: Scope) -> list[Facts]:
    """The facts under which a turn yields something, in ways that exclude one another; none when it never does."""
    if expression.condition is None:
        return [element.when]
    truths, refusals = truths_of(evaluate(expression.condition, scope), expression.condition)
    for refusal in refusals:
        parts.accepts(refusal, element.when)
    return exclusive(when for truth, facts in truths if truth and (when := joined(element.when, facts)) is not None)


# -- conditions --------------------------------------------------------------------------------------------------------


def _conditional(expression: Conditional, scope: Scope) -> Value:
    return _decided(expression.condition, expression.then, expression.otherwise, scope, expression)


def _decided(condition: Expression, then: Expression, otherwise: Expression, scope: Scope, written: object) -> Value:
    """The branches that some world takes, each under the facts that take it there."""
    truths, refusals = truths_of(evaluate(condition, scope), condition)
    branches = {truth: evaluate(then if truth else otherwise, scope) for truth in dict(truths)}
    chosen = one_of([*(under(branches[truth], when) for truth, when in truths), *refusals], written)
    # Both branches have one type: next to a string, numbers and bools become strings.
    if any(isinstance(possible.plain, Number | Boolean) for possible in chosen):
        branches |= {
            holds: evaluate(then if holds else otherwise, scope) for holds in (True, False) if holds not in branches
        }
        if any(isinstance(possible.plain, String) for branch in branches.values() for possible in branch):
            return with_strings(chosen)
    return chosen


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
    def looped(collection: Plain) -> Value:
        elements = elements_of(collection, expression.collection)
        turns = [*elements.each, *elements.rest]
        values = []
        for each in turns:
            with within(each.turns):
                body = evaluate(expression.body, _turn(each, expression, scope))
                values.append(concatenated([body], expression))
        parts = Sequence(tuple(Item(value, each.when) for each, value in zip(turns, values, strict=True)))
        ways = parts.ways if elements.ordered and not elements.rest else None
        if ways is None:
            return unknown_like(expression, collection, parts)
        return one_of(
            [under(concatenated([item.value for item in one.items], expression), when) for one, when in ways],
            expression,
        )

    return applied(looped, [evaluate(expression.collection, scope)], expression)


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
