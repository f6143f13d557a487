"""Decide whether a condition of a template is certain, and follow both branches when it is not.

For the evaluator. A condition is certain when literals, AllowedValues or a parent stack's arguments decide it; a
parameter with only a default may be given another value, so a condition on it is open. Source: "Condition functions"
in the CloudFormation documentation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from unapproved_iam.cloudformation_document import Node, Scalar, function_of
from unapproved_iam.cloudformation_world import SOMETHING, Call, Choice, World, literal
from unapproved_iam.possible_text import Match, Text, match

if TYPE_CHECKING:
    from unapproved_iam.cloudformation_values import Evaluator

MOST_OUTCOMES = 64  # of one condition; beyond, it counts as open

Truth = bool | None  # None: open


def decided(evaluator: Evaluator, name: str, world: World) -> Iterator[tuple[bool, World]]:
    """The truth values that a named condition may have, each with its world; a single one when it is certain."""
    if name in world.conditions:
        yield world.conditions[name], world
        return
    truths = _truths_of_named(evaluator, name, world)
    if len(truths) == 1 and None not in truths:
        yield bool(truths.pop()), world
        return
    forks = []
    for truth in (True, False):
        fork = world.with_condition(name, truth, Choice(f"Condition {name}", frozenset({str(truth).lower()}), 2))
        if world.deciding or is_possible(evaluator, fork):
            forks.append((truth, fork))
    if len(forks) == 1:  # the choices made so far imply it: nothing to tell
        truth, fork = forks[0]
        yield truth, replace(fork, told=world.told)
    else:
        yield from forks


def is_possible(evaluator: Evaluator, world: World) -> bool:
    """Whether the conditions chosen so far can all be as chosen."""
    for name, truth in world.conditions.items():
        others = {other: chosen for other, chosen in world.conditions.items() if other != name}
        truths = _truths_of_named(evaluator, name, replace(world, conditions=others))
        if None not in truths and truth not in truths:
            return False
    return True


def _truths_of_named(evaluator: Evaluator, name: str, world: World) -> set[Truth]:
    if name not in evaluator.conditions or name in world.deciding:  # unknown, or it refers to itself
        return {None}
    node, declared_in = evaluator.conditions[name]
    truths: set[Truth] = set()
    deciding = replace(world, deciding=world.deciding | {name}, loops=declared_in.loops)
    for number, (truth, _) in enumerate(_truths(evaluator, node, deciding)):
        truths.add(truth)
        if None in truths or len(truths) == 2:
            break
        if number > MOST_OUTCOMES:
            return {None}
    return truths


def _truths(evaluator: Evaluator, node: Node, world: World) -> Iterator[tuple[Truth, World]]:
    """The truth values that a condition's expression may have."""
    evaluator.step()
    function, argument = function_of(node) or ("", node)
    parts = Call(function, argument, 0).arguments
    if function == "Condition" and isinstance(argument, Scalar):
        yield from decided(evaluator, str(evaluator.written(argument.text, world)), world)
    elif function == "Fn::Not" and len(parts) == 1:
        for truth, inner in _truths(evaluator, parts[0], world):
            yield (None if truth is None else not truth), inner
    elif function in ("Fn::And", "Fn::Or") and parts:
        yield from _combined(evaluator, parts, world, decisive=function == "Fn::Or")
    elif function == "Fn::Equals" and len(parts) == 2:
        for left in evaluator.texts(parts[0], world):
            for right in evaluator.texts(parts[1], left.world):
                yield equal(left.text, right.text), right.world
    else:
        yield None, world


def _combined(evaluator: Evaluator, parts: list[Node], world: World, decisive: bool) -> Iterator[tuple[Truth, World]]:
    """And, which a false part decides, and Or, which a true part decides."""
    for first, inner in _truths(evaluator, parts[0], world):
        if first is decisive or len(parts) == 1:
            yield first, inner
            continue
        for others, after in _combined(evaluator, parts[1:], inner, decisive):
            yield (None if first is None and others is not decisive else others), after


def equal(left: Text, right: Text) -> Truth:
    """Whether two texts are equal; those with the same holes are, when the holes stand for the same thing."""
    if left == right and not any(hole.written.startswith(("Fn::", SOMETHING)) for hole in left.holes):
        return True
    if left.known is not None and right.known is not None:
        return left == right
    known, other = (left.known, right) if left.known is not None else (right.known, left)
    return False if known is not None and match(other, [literal(known)]) is Match.NEVER else None
