"""Decide whether a condition of a template is certain, and follow both branches when it is not.

For the evaluator. A condition is certain when literals, AllowedValues or a parent stack's arguments decide it; a
parameter with only a default may be given another value, so a condition on it is open. Choices that exclude each other
are not followed. Source: "Condition functions" in the CloudFormation documentation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from unapproved_iam.cloudformation.document import Node, Scalar, function_of
from unapproved_iam.cloudformation.world import SOMETHING, Call, Choice, Evaluation, World, literal
from unapproved_iam.policies.possible_text import Match, Text, match, text

MOST_OUTCOMES = 200  # that are tried; beyond, a condition counts as open, and choices as possible

Truth = bool | None  # None: open


def decided(evaluator: Evaluation, name: str, world: World) -> Iterator[tuple[bool, World]]:
    """The truth values that a named condition may have, each with its world; a single one when it is certain."""
    if name in world.conditions:
        yield world.conditions[name], world
        return
    if world.deciding:
        yield from _outcomes(evaluator, name, world)
        return
    outcomes = list(islice(_outcomes(evaluator, name, replace(world, deciding=True)), MOST_OUTCOMES))
    truths = {truth for truth, _ in outcomes}
    if len(truths) == 1 and len(outcomes) < MOST_OUTCOMES:
        yield truths.pop(), world
        return
    forks = [world.with_condition(name, truth) for truth in (True, False)]
    forks = [fork for fork in forks if is_possible(evaluator, fork)]
    for fork in forks:
        truth = fork.conditions[name]
        told = Choice(f"Condition {name}", frozenset({str(truth).lower()}), 2)
        yield truth, fork.telling(told) if len(forks) > 1 else fork  # what earlier choices imply is not worth telling


def is_possible(evaluator: Evaluation, world: World) -> bool:
    """Whether the conditions chosen so far can all be as chosen."""
    start = replace(world, conditions={}, deciding=True)
    attempts = list(islice(_attempts(evaluator, [*world.conditions.items()], start), MOST_OUTCOMES))
    return any(attempts) or len(attempts) == MOST_OUTCOMES


def _attempts(evaluator: Evaluation, conditions: list[tuple[str, bool]], world: World) -> Iterator[bool]:
    """For each way to decide the conditions, whether they come out like this."""
    if not conditions:
        yield True
        return
    name, truth = conditions[0]
    for outcome, after in _outcomes(evaluator, name, world):
        if outcome is truth:
            yield from _attempts(evaluator, conditions[1:], after)
        else:
            yield False


def _outcomes(evaluator: Evaluation, name: str, world: World) -> Iterator[tuple[bool, World]]:
    """The truth values of a condition, each with the choices of parameters that lead there."""
    if name in world.conditions:
        yield world.conditions[name], world
    elif name not in evaluator.conditions or name in world.within:  # unknown, or it refers to itself
        for truth in (True, False):
            yield truth, world.with_condition(name, truth)
    else:
        node, declared_in = evaluator.conditions[name]
        inside = replace(world, within=world.within | {name}, loops=declared_in.loops)
        for known_truth, after in _truths(evaluator, node, inside):
            outside = replace(after, within=world.within, loops=world.loops)
            for truth in (True, False) if known_truth is None else (known_truth,):
                yield truth, outside.with_condition(name, truth)


def _truths(evaluator: Evaluation, node: Node, world: World) -> Iterator[tuple[Truth, World]]:
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
                yield from _compared(evaluator, left.text, right.text, right.world)
    else:
        yield None, world


def _combined(evaluator: Evaluation, parts: list[Node], world: World, decisive: bool) -> Iterator[tuple[Truth, World]]:
    """And, which a false part decides, and Or, which a true part decides."""
    for first, inner in _truths(evaluator, parts[0], world):
        if first is decisive or len(parts) == 1:
            yield first, inner
            continue
        for others, after in _combined(evaluator, parts[1:], inner, decisive):
            yield (None if first is None and others is not decisive else others), after


def _compared(evaluator: Evaluation, left: Text, right: Text, world: World) -> Iterator[tuple[Truth, World]]:
    """Whether two texts are equal. A parameter of which nothing is known may be the other text, or anything else."""
    truth = equal(left, right)
    known, other = (left, right) if left.known is not None else (right, left)
    name = other.holes[0].written if len(other.pieces) == 1 and other.holes else ""
    if truth is not None or known.known is None or not (name in evaluator.parameters or name.startswith("AWS::")):
        yield truth, world
        return
    if (name, known.known) not in world.excluded:
        yield True, world.with_reference(name, text(known))
    yield False, replace(world, excluded=world.excluded | {(name, known.known)})


def equal(left: Text, right: Text) -> Truth:
    """Whether two texts are equal; those with the same holes are, when the holes stand for the same thing."""
    if left == right and not any(hole.written.startswith(("Fn::", SOMETHING)) for hole in left.holes):
        return True
    if left.known is not None and right.known is not None:
        return left == right
    known, other = (left.known, right) if left.known is not None else (right.known, left)
    return False if known is not None and match(other, [literal(known)]) is Match.NEVER else None
