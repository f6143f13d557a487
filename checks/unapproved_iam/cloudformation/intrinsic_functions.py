"""Decide what an intrinsic function may yield.

For the evaluator of templates, which handles Ref and Fn::GetAtt itself. A function that stands in this table is
applied; every other yields the policy ARNs inside its arguments and a hole, never nothing. Source: "Intrinsic function
reference" and "AWS::LanguageExtensions transform" in the CloudFormation documentation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from unapproved_iam.cloudformation.conditions import decided
from unapproved_iam.cloudformation.document import Array, Node, Object, Scalar, function_of, value_of
from unapproved_iam.cloudformation.world import (
    Call,
    Choice,
    Evaluation,
    Items,
    Possible,
    World,
    literal,
    scalar_text,
    split_text,
)
from unapproved_iam.policies.possible_text import Hole, Match, Text, match, text, unknown


def _join(evaluator: Evaluation, call: Call, world: World) -> Iterator[Possible]:
    separator, *parts = call.arguments
    for between in evaluator.texts(separator, world):
        for joined, inner in evaluator.joined(parts, between.text, between.world):
            yield Possible(joined, inner, call.line)


def _sub(evaluator: Evaluation, call: Call, world: World) -> Iterator[Possible]:
    template, *maps = call.arguments
    variables = {entry.name: entry.node for node in maps for entry in evaluator.entries(node, world)}
    pieces: list[Node | Text] = []
    for piece in evaluator.written(scalar_text(template), world).pieces:
        if isinstance(piece, Hole):
            pieces.append(text(piece))
            continue
        for number, token in enumerate(_SUB_REFERENCE.split(piece)):
            name = token.strip()
            if number % 2 == 0:
                pieces.append(text(token))
            elif name.startswith("!"):
                pieces.append(text("${" + name[1:] + "}"))
            else:
                pieces.append(variables.get(name) or _reference(name, call.line))
    for substituted, inner in evaluator.joined(pieces, text(), world):
        yield Possible(substituted, inner, call.line)


_SUB_REFERENCE = re.compile(r"\$\{([^}]*)\}")


def _reference(name: str, line: int) -> Node:
    """`${Name}` and `${Resource.Attribute}` in Fn::Sub are short for Ref and Fn::GetAtt."""
    function = "Fn::GetAtt" if "." in name else "Ref"
    return Object([(Scalar(function, line), Scalar(name, line))], line, line)


def _split(evaluator: Evaluation, call: Call, world: World) -> Iterator[Possible]:
    separator, whole = call.arguments
    for between in evaluator.texts(separator, world):
        for possible in evaluator.texts(whole, between.world):
            items = split_text(possible.text, between.text.known or "")
            yield Possible(replace(items, line=call.line), possible.world, call.line)


def _select(evaluator: Evaluation, call: Call, world: World) -> Iterator[Possible]:
    index, listing = call.arguments
    for number in evaluator.texts(index, world):
        for possible in evaluator.values(listing, number.world):
            yield from _selected(evaluator, call, number.text.known or "", possible)


def _selected(evaluator: Evaluation, call: Call, number: str, possible: Possible) -> Iterator[Possible]:
    """The element in a certain position, every element when the position is not certain."""
    items = possible.value if isinstance(possible.value, Items) else Items((possible.text,), line=call.line)
    chosen = items.elements
    if items.rest is None and re.fullmatch(r"\d{1,9}", number, re.ASCII):
        chosen = chosen[int(number) : int(number) + 1] or (unknown(call.function, f"its list has no element {number}"),)
    for element in chosen:
        for inner in evaluator.values(element, possible.world):
            yield replace(inner, line=items.line or inner.line or call.line)
    if items.rest is not None:
        yield Possible(items.rest, possible.world, call.line)


def _if(evaluator: Evaluation, call: Call, world: World) -> Iterator[Possible]:
    condition, if_true, if_false = call.arguments
    name = str(evaluator.written(scalar_text(condition), world))
    for truth, inner in decided(evaluator, name, world):
        yield from evaluator.values(if_true if truth else if_false, inner)


def _find_in_map(evaluator: Evaluation, call: Call, world: World) -> Iterator[Possible]:
    *keys, default = call.arguments if len(call.arguments) == 4 else [*call.arguments, Object([])]
    found: list[tuple[Node, World]] = [(node, world) for node in evaluator.mappings]
    missing: list[World] = []
    for key in keys:
        following: list[tuple[Node, World]] = []
        for node, inner in found:
            for name in evaluator.texts(key, inner):
                within = list(_under_possible_key(evaluator, node, name.text, name.world))
                following += within
                if not within or name.text.known is None:
                    missing.append(name.world)
        found = following
    for node, inner in found:
        for possible in evaluator.values(node, inner):
            value = possible.value
            elsewhere = replace(value, line=call.line) if isinstance(value, Items) else value
            yield replace(possible, value=elsewhere, line=call.line)
    otherwise = value_of(default, "DefaultValue")
    if otherwise is not None:
        for inner in missing:
            yield from evaluator.values(otherwise, inner)
    elif not found:
        yield Possible(unknown(call.function, "Mappings has no value under these keys"), world, call.line)


def _under_possible_key(evaluator: Evaluation, node: Node, key: Text, world: World) -> Iterator[tuple[Node, World]]:
    """The values under every key that the text may be; which one it is becomes a choice of the world."""
    if key.known is not None:
        yield from evaluator.under(node, key.known, world)
        return
    candidates = [
        entry for entry in evaluator.entries(node, world) if match(key, [literal(entry.name)]) is not Match.NEVER
    ]
    for entry in candidates:
        chosen = world
        if len(key.pieces) == 1:  # the whole key is one reference
            written = key.holes[0].written
            subject = f"parameter {written}" if written in evaluator.parameters else written
            told = Choice(subject, frozenset({entry.name}), len(candidates))
            chosen = world.with_reference(written, text(entry.name), told)
        yield entry.node, chosen


def _import_value(evaluator: Evaluation, call: Call, world: World) -> Iterator[Possible]:
    for name in evaluator.texts(call.argument, world):
        hole = unknown(f"{call.function} {name.text}", f"{name.text} is exported by another stack")
        yield Possible(hole, name.world, call.line)


def _unknown_list(_: Evaluation, call: Call, world: World) -> Iterator[Possible]:
    rest = unknown(call.function, f"the result of {call.function} is known when the stack is created")
    yield Possible(Items((), rest, call.line), world, call.line)


def unknown_function(evaluator: Evaluation, call: Call, world: World) -> Iterator[Possible]:
    """A function that is not applied: the policy ARNs inside the call, and a hole."""
    result = unknown(call.function, f"the result of {call.function} is known when the stack is created")
    arns = tuple(dict.fromkeys(possible.text for possible in policy_arns_within(evaluator, call.argument, world)))
    yield Possible(Items(arns, result, call.line) if arns else result, world, call.line)


def policy_arns_within(evaluator: Evaluation, node: Node, world: World) -> Iterator[Possible]:
    """Every text inside the node, however deep, that has the form of a policy's ARN."""
    if isinstance(node, Object) and function_of(node) is None:
        for entry in evaluator.entries(node, world):
            yield from policy_arns_within(evaluator, entry.node, entry.world)
    elif isinstance(node, Array):
        for item in node.items:
            yield from policy_arns_within(evaluator, item, world)
    else:
        for possible in evaluator.members(node, world):
            if isinstance(possible.value, Object):
                yield from policy_arns_within(evaluator, possible.value, possible.world)
            elif _POLICY_ARN.fullmatch(str(possible.text)):
                yield possible


_POLICY_ARN = re.compile(r"arn:.*:iam:.*:policy/.+", re.DOTALL)

Function = Callable[[Evaluation, Call, World], Iterator[Possible]]


def _taking(function: Function, *numbers: int) -> Function:
    """The function when it is called with one of these numbers of arguments, else what is not applied."""

    def checked(evaluator: Evaluation, call: Call, world: World) -> Iterator[Possible]:
        usual = len(call.arguments) in numbers
        return (function if usual else unknown_function)(evaluator, call, world)

    return checked


FUNCTIONS: dict[str, Function] = {
    "Fn::Join": _taking(_join, 2),
    "Fn::Sub": _taking(_sub, 1, 2),
    "Fn::Split": _taking(_split, 2),
    "Fn::Select": _taking(_select, 2),
    "Fn::If": _taking(_if, 3),
    "Fn::FindInMap": _taking(_find_in_map, 3, 4),
    "Fn::ImportValue": _import_value,
    "Fn::GetAZs": _unknown_list,
    "Fn::Cidr": _unknown_list,
}
