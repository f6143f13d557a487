"""Many switches that have nothing to do with each other: a list takes its linear share, a text stops at its bound."""

from __future__ import annotations

import json
from typing import Any

import pytest
from unapproved_iam.cloudformation.document import node_of_value
from unapproved_iam.cloudformation.template import read_template_text
from unapproved_iam.cloudformation.values import Evaluator
from unapproved_iam.cloudformation.world import World
from unapproved_iam.policies.attachment import Reading

ARN = "arn:aws:iam::aws:policy/"
NO_VALUE = {"Ref": "AWS::NoValue"}


def switch(number: int, if_true: Any, if_false: Any) -> dict[str, Any]:
    return {"Fn::If": [f"C{number}", if_true, if_false]}


def listed(size: int) -> Any:
    return [switch(n, f"{ARN}Policy{n}" if n else f"{ARN}AdministratorAccess", NO_VALUE) for n in range(size)]


def joined(size: int) -> Any:
    parts = [switch(n, f"-{n}", "") for n in range(size)]
    return [{"Fn::Join": ["", [f"{ARN}Administrator", *parts, "Access"]]}]


def substituted(size: int) -> Any:
    names = "".join(f"${{V{n}}}" for n in range(size))
    values = {f"V{n}": switch(n, f"-{n}", "") for n in range(size)}
    return [{"Fn::Sub": [f"{ARN}Administrator{names}Access", values]}]


def template(policies: Any, size: int) -> dict[str, Any]:
    return {
        "Parameters": {f"P{n}": {"Type": "String", "Default": "no"} for n in range(size)},
        "Conditions": {f"C{n}": {"Fn::Equals": [{"Ref": f"P{n}"}, "yes"]} for n in range(size)},
        "Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": {"ManagedPolicyArns": policies}}},
    }


def read(policies: Any, size: int) -> Reading:
    reading = read_template_text(json.dumps(template(policies, size)), "template.json")
    assert reading is not None
    return reading


def test_each_switch_of_a_list_takes_as_many_steps() -> None:
    def steps(size: int) -> int:
        evaluator = Evaluator(node_of_value(template([], size)))
        before = evaluator.steps
        for member in evaluator.members(node_of_value(listed(size)), World()):
            list(evaluator.resolved(member))
        return before - evaluator.steps

    assert steps(300) - steps(200) == steps(200) - steps(100)
    reading = read(listed(30), 30)
    assert (len(reading.attachments), reading.unjudged) == (30, ())


@pytest.mark.parametrize("form", [joined, substituted])
def test_a_text_of_many_switches_is_not_judged(form: Any) -> None:
    """n of them are 2^n texts."""
    few = read(form(4), 4)
    assert (len(few.attachments), few.unjudged) == (16, ())
    [problem] = read(form(30), 30).unjudged
    assert problem.reason == ("Role has more possible values than can be followed (at most 100000 steps of evaluation)")
