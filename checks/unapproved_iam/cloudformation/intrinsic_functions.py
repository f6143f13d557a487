"""Decide what an intrinsic function (`Fn::Sub`, `Fn::If`, …) may return.

For the evaluator of templates, which handles Ref and Fn::GetAtt itself. Functions in this table are computed. Any other
returns the policy ARNs among its arguments and something unknown: never nothing. Source: "Intrinsic function reference"
and "AWS::LanguageExtensions transform" in the CloudFormation documentation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from unapproved_iam.cloudformation.document import Array, Node, Object, Scalar, function_of, value_of
from unapproved_iam.cloudformation.world import (
    Call,
    Evaluation,
    Expression,
    Items,
    Possible,
    World,
    list_of,
    scalar_text,
    split_text,
)
from unapproved_iam.late_patterns import late_pattern
from unapproved_iam.policies.facts import NEVER, Facts
from unapproved_iam.policies.passed_policies import policies_passed
from unapproved_iam.policies.possible_text import Hole, Text, text, unknown


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


_SUB_REFERENCE = late_pattern(r"\$\{([^}]*)\}")


def _reference(name: str, line: int) -> Node:
    """`${Name}` and `${Resource.Attribute}` in Fn::Sub are short for Ref and Fn::GetAtt."""
    function = "Fn::GetAtt" if "." in name else "Ref"
    return Object([(Scalar(function, line), Scalar(name, line))], line, line)


def _split(evaluator: Evaluation, call: Call, world: World) -> Iterator[Possible]:
    separator, whole = call.arguments
    for between in evaluator.texts(separator, world):
        for possible in evaluator.texts(whole, between.world):
            known_as = evaluator.lists_told if between.text.known == "," else evaluator.filled_in
            for filled, inner in known_as(possible.text, possible.world):
                items = _parts_of(evaluator, filled, between.text.known or "", inner)
                yield Possible(replace(items, line=call.line), inner, call.line)


def _parts_of(evaluator: Evaluation, whole: Text, separator: str, world: World) -> Items:
    if separator == "," and any(evaluator.unknowns.is_list(hole) for hole in whole.holes if len(whole.pieces) == 1):
        return list_of(evaluator.unknowns, whole, world.facts)
    return split_text(_in_parts(evaluator, whole, separator), separator)


def _in_parts(evaluator: Evaluation, whole: Text, separator: str) -> Text:
    """What is unknown and may be split: a part of it is not the whole, and each part may be another one."""
    pieces: list[str | Hole] = []
    for piece in whole.pieces:
        if isinstance(piece, Hole) and separator and all(character in piece.alphabet for character in separator):
            piece = piece._replace(reason=f"{piece.reason}; only a part of it is used")
            evaluator.unknowns.declare(piece, None)
        pieces.append(piece)
    return text(*pieces)


def _select(evaluator: Evaluation, call: Call, world: World) -> Iterator[Possible]:
    index, listing = call.arguments
    for number in evaluator.texts(index, world):
        for possible in evaluator.values(listing, number.world):
            yield from _selected(evaluator, call, number.text, possible)


def _selected(evaluator: Evaluation, call: Call, number: Text, possible: Possible) -> Iterator[Possible]:
    """The element in each position that the number may be; every element when no position is certain."""
    items = possible.value if isinstance(possible.value, Items) else Items((possible.text,), line=call.line)
    written = number.known or ""
    position = int(written) if re.fullmatch(r"\d{1,9}", written, re.ASCII) else None
    if items.rest is not None and position is not None:
        items = _around(evaluator, items, position)
    chosen = [(element, possible.world) for element in items.elements]
    if items.rest is None and (number.known is None or position is not None) and items.certain is None:
        index = number if position is None else text(str(position))
        chosen = list(_in_places(evaluator, items.elements, index, possible.world))
        if not chosen and isinstance(call.arguments[1], Array):  # of others, there is no such stack
            chosen = [(unknown(call.function, f"its list has no element {number}"), possible.world)]
    for element, world in chosen:
        for inner in evaluator.values(element, world):
            yield inner._replace(line=items.line or inner.line or call.line)
    if items.rest is not None:
        yield Possible(items.rest, possible.world, call.line)


def _in_places(
    evaluator: Evaluation, elements: Sequence[Expression], index: Text, world: World
) -> Iterator[tuple[Expression, World]]:
    """The elements that may stand in the place: what is AWS::NoValue takes none."""
    before = {0: world.facts}
    for element in elements:
        absent = _absent(evaluator, element, world)
        for place, facts in before.items():
            chosen = facts & ~absent & evaluator.unknowns.equal(index, text(str(place)))
            if chosen is not NEVER:
                yield element, world.with_facts(chosen)
        before = _with_another(before, absent)


def _absent(evaluator: Evaluation, element: Expression, world: World) -> Facts:
    """When an element is AWS::NoValue."""
    absent = NEVER
    for possible in evaluator.values(element, world):
        absent = absent | possible.world.facts if possible.value is None else absent
    return absent


def _with_another(numbers: dict[int, Facts], absent: Facts) -> dict[int, Facts]:
    """When a list has so many elements, after another one that may be absent."""
    after: dict[int, Facts] = {}
    for number, facts in numbers.items():
        after[number] = after.get(number, NEVER) | (facts & absent)
        after[number + 1] = facts & ~absent
    return {number: facts for number, facts in after.items() if facts is not NEVER}


def _length(evaluator: Evaluation, call: Call, world: World) -> Iterator[Possible]:
    for possible in evaluator.values(call.argument, world):
        if not isinstance(possible.value, Items) or possible.value.rest is not None:
            hole = unknown(call.function, "the length of the list is known when the stack is created")
            yield Possible(hole, possible.world, call.line)
            continue
        numbers = {0: possible.world.facts}
        for element in possible.value.elements:
            numbers = _with_another(numbers, _absent(evaluator, element, possible.world))
        for number, facts in numbers.items():
            yield Possible(text(str(number)), possible.world.with_facts(facts), call.line)


def _around(evaluator: Evaluation, items: Items, position: int) -> Items:
    """What may stand in a position of a list of which not every element is known."""
    listed = items.whole.pieces[0] if items.whole is not None and len(items.whole.pieces) == 1 else ""
    if isinstance(listed, Hole) and evaluator.unknowns.is_list(listed):
        return replace(items, elements=(text(evaluator.unknowns.element(listed, position)),), rest=None, certain=1)
    if items.certain is None:
        return items
    if position < items.certain:
        return replace(items, elements=items.elements[position : position + 1], rest=None)
    return replace(items, elements=items.elements[items.certain : position + 1])


def _if(evaluator: Evaluation, call: Call, world: World) -> Iterator[Possible]:
    condition, if_true, if_false = call.arguments
    truth = evaluator.condition(str(evaluator.written(scalar_text(condition), world)))
    for branch, side in ((if_true, truth), (if_false, ~truth)):
        facts = world.facts & side
        if facts is not NEVER:
            yield from evaluator.values(branch, world.with_facts(facts))


def _find_in_map(evaluator: Evaluation, call: Call, world: World) -> Iterator[Possible]:
    *keys, default = call.arguments if len(call.arguments) == 4 else [*call.arguments, Object([])]
    found: list[tuple[Node, World]] = [(node, world) for node in evaluator.mappings]
    for key in keys:
        found = [within for node, inner in found for within in _under_key(evaluator, node, key, inner)]
    for node, inner in found:
        for possible in evaluator.values(node, inner):
            value = possible.value
            elsewhere = replace(value, line=call.line) if isinstance(value, Items) else value
            yield possible._replace(value=elsewhere, line=call.line)
    otherwise = value_of(default, "DefaultValue")
    if otherwise is not None:
        missing = world.facts
        for _, inner in found:
            missing &= ~inner.facts
        if missing is not NEVER:
            yield from evaluator.values(otherwise, world.with_facts(missing))
    elif not found and all(isinstance(key, Scalar) for key in keys):
        yield Possible(unknown(call.function, "Mappings has no value under these keys"), world, call.line)
    elif any(map(_is_put_together, evaluator.mappings)):
        yield Possible(unknown(call.function, "a transform brings a part of Mappings"), world, call.line)


def _is_put_together(mappings: Node) -> bool:
    """Whether rows come from elsewhere, such as a file that AWS::Include names and that is not in the tree."""
    maps = mappings.pairs if isinstance(mappings, Object) else []
    names = [key for _, rows in maps if isinstance(rows, Object) for key, _ in (*rows.pairs, *maps)]
    return any(isinstance(name, Scalar) and name.text == "Fn::Transform" for name in names)


def _under_key(evaluator: Evaluation, node: Node, key: Node, world: World) -> Iterator[tuple[Node, World]]:
    """The values under every key that it may be, each with the facts that make it this one."""
    for name in evaluator.texts(key, world):
        if name.text.known is not None:
            yield from evaluator.under(node, name.text.known, name.world)
            continue
        for entry in evaluator.entries(node, name.world):
            facts = entry.world.facts & evaluator.unknowns.equal(name.text, text(entry.name))
            if facts is not NEVER:
                yield entry.node, entry.world.with_facts(facts)


def _import_value(evaluator: Evaluation, call: Call, world: World) -> Iterator[Possible]:
    for name in evaluator.texts(call.argument, world):
        is_open = False
        for written, inner in evaluator.filled_in(name.text, name.world):
            found = list(evaluator.exported(written))
            for one in found:
                yield Possible(one.value, inner._replace(origin=f"the exports of {one.file}"), call.line)
            is_told = any(one.is_certain for one in found) or evaluator.unknowns.is_supposed(written, inner.supposed)
            is_open = is_open or not is_told
        if is_open:
            hole = unknown(f"{call.function} {name.text}", f"{name.text} is exported by another stack")
            yield Possible(hole, name.world, call.line)


def _to_json_string(evaluator: Evaluation, call: Call, world: World) -> Iterator[Possible]:
    for written, inner in _as_json(evaluator, call.argument, world):
        yield Possible(written, inner, call.line)


def _as_json(evaluator: Evaluation, node: Expression, world: World) -> Iterator[tuple[Text | None, World]]:
    """What a value is as JSON, every scalar as a text; None where it is AWS::NoValue."""
    for possible in evaluator.values(node, world):
        value, inner = possible.value, possible.world
        if isinstance(value, Object):
            entries = evaluator.entries(value, inner)
            keyed = [(text(json.dumps(entry.name) + ": "), entry.node, entry.world) for entry in entries]
            yield from _in_brackets(evaluator, "{}", keyed, inner)
        elif isinstance(value, Items):
            rest = () if value.rest is None else (value.rest,)
            listed = [(text(), element, inner) for element in (*value.elements, *rest)]
            yield from _in_brackets(evaluator, "[]", listed, inner)
        elif isinstance(value, Text):
            quoted = (json.dumps(one)[1:-1] if isinstance(one, str) else one for one in value.pieces)
            yield text('"', *quoted, '"'), inner
        else:
            yield None, inner


def _in_brackets(
    evaluator: Evaluation, brackets: str, parts: Sequence[tuple[Text, Expression, World]], world: World
) -> Iterator[tuple[Text, World]]:
    """A mapping's or a list's parts, each in the worlds in which it is there; what is AWS::NoValue is left out."""
    found: list[tuple[tuple[Text, ...], World]] = [((), world)]
    for key, part, where in parts:
        following = []
        for so_far, inner in found:
            there, elsewhere = inner.facts & where.facts, inner.facts & ~where.facts
            if there is not NEVER:
                for one, after in _as_json(evaluator, part, inner.with_facts(there).with_loops(where.loops)):
                    with_it = so_far if one is None else (*so_far, key + one)
                    following.append((with_it, after.with_loops(world.loops)))
            if elsewhere is not NEVER:
                following.append((so_far, inner.with_facts(elsewhere)))
        found = following
    for elements, inner in found:
        between = [piece for element in elements for piece in (text(", "), element)][1:]
        yield text(brackets[0], *between, brackets[1]), inner


def _base64(evaluator: Evaluation, call: Call, world: World) -> Iterator[Possible]:
    """What is encoded is not known, but for the policies in it."""
    for content in evaluator.texts(call.argument, world):
        for possible, inner in evaluator.filled_in(content.text, content.world):
            rest = unknown(call.function, f"the result of {call.function} is known when the stack is created")
            policies = tuple(policies_passed(possible))
            yield Possible(Items(policies, rest, line=call.line) if policies else rest, inner, call.line)


def _unknown_list(_: Evaluation, call: Call, world: World) -> Iterator[Possible]:
    rest = unknown(call.function, f"the result of {call.function} is known when the stack is created")
    yield Possible(Items((), rest, line=call.line), world, call.line)


def unknown_function(evaluator: Evaluation, call: Call, world: World) -> Iterator[Possible]:
    """A function that is not applied: the policy ARNs inside the call, and a hole."""
    result = unknown(call.function, f"the result of {call.function} is known when the stack is created")
    arns = tuple(dict.fromkeys(possible.text for possible in policy_arns_within(evaluator, call.argument, world)))
    yield Possible(Items(arns, result, line=call.line) if arns else result, world, call.line)


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


_POLICY_ARN = late_pattern(r"arn:.*:iam:.*:policy/.+", re.DOTALL)

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
    "Fn::Length": _length,
    "Fn::Base64": _base64,
    "Fn::ImportValue": _import_value,
    "Fn::ToJsonString": _to_json_string,
    "Fn::GetAZs": _unknown_list,
    "Fn::Cidr": _unknown_list,
}
