"""Decide when a condition of a template is true: always, never, or under which facts about its parameters.

For the evaluator of templates. Literals, AllowedValues and a parent stack's arguments decide. A parameter with only a
default may get another value, so a condition on it stays open. What cannot be taken apart is one open question of its
own. Source: "Condition functions", "Rules" and "Rule-specific intrinsic functions" in the CloudFormation documentation.
"""

from __future__ import annotations

from collections.abc import Iterator

from unapproved_iam.cloudformation.document import Array, Node, Scalar, function_of, value_of
from unapproved_iam.cloudformation.world import Call, Evaluation, Expression, Items, World
from unapproved_iam.policies.facts import ALWAYS, NEVER, Facts


def truth_of(evaluator: Evaluation, node: Node, world: World, subject: str) -> Facts:
    """When the expression of a condition is true; `subject` is what messages call what cannot be taken apart."""
    evaluator.step()
    function, argument = function_of(node) or ("", node)
    parts = Call(function, argument, 0).arguments
    if function == "Condition" and isinstance(argument, Scalar):
        return evaluator.condition(str(evaluator.written(argument.text, world)))
    if function == "Fn::Not" and len(parts) == 1:
        return ~truth_of(evaluator, parts[0], world, subject)
    if function in ("Fn::And", "Fn::Or") and parts:
        is_and = function == "Fn::And"
        facts = ALWAYS if is_and else NEVER
        for part in parts:
            truth = truth_of(evaluator, part, world, subject)
            facts = facts & truth if is_and else facts | truth
        return facts
    if function == "Fn::Equals" and len(parts) == 2:
        return _equal(evaluator, parts[0], parts[1], world)
    if function == "Fn::Contains" and len(parts) == 2 and isinstance(parts[0], Array):
        facts = NEVER
        for item in parts[0].items:
            facts |= _equal(evaluator, item, parts[1], world)
        return facts
    question = evaluator.unknowns.question(subject, (subject, id(node)))
    if function in ("Fn::EachMemberIn", "Fn::EachMemberEquals") and len(parts) == 2:
        return _each_is_one_of(evaluator, parts[0], parts[1], world, question)
    return question


def _each_is_one_of(evaluator: Evaluation, listed: Node, values: Node, world: World, question: Facts) -> Facts:
    """When each element of a list is one of the values; a question where not all elements are known."""
    facts = NEVER
    for possible in evaluator.values(listed, world):
        each = possible.world.facts
        if isinstance(possible.value, Items) and possible.value.rest is None:
            for element in possible.value.elements:
                each &= _equal(evaluator, values, element, possible.world)
        else:
            each &= question
        facts |= each
    return facts


def _equal(evaluator: Evaluation, one: Expression, other: Expression, world: World) -> Facts:
    facts = NEVER
    for left in evaluator.texts(one, world):
        for right in evaluator.texts(other, left.world):
            facts |= right.world.facts & evaluator.unknowns.equal(left.text, right.text)
    return facts


def rules_of(evaluator: Evaluation, sections: Iterator[Node]) -> Facts:
    """What the rules of a template assert of its parameters: no stack is created otherwise."""
    facts = ALWAYS
    for section in sections:
        for rule in evaluator.entries(section, World()):
            condition = value_of(rule.node, "RuleCondition")
            subject = f"rule {rule.name}"
            applies = ALWAYS if condition is None else truth_of(evaluator, condition, rule.world, subject)
            assertions = value_of(rule.node, "Assertions")
            for assertion in assertions.items if isinstance(assertions, Array) else ():
                asserted = value_of(assertion, "Assert")
                if asserted is not None:
                    facts &= ~applies | truth_of(evaluator, asserted, rule.world, subject)
    return facts
