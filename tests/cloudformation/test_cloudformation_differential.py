"""What the evaluator says that an expression may be, against two oracles.

The plain interpreter below tries every assignment of parameters and evaluates, without a thought for anything else:
the evaluator must yield exactly the same texts. And cfn-lint, which resolves the same functions in its own way, must
know every one of them; where nothing is used twice, so that no choice excludes another, both must agree. cfn-lint
unrolls loops, too: a template must attach the same before and after.
"""

from __future__ import annotations

import copy
import itertools
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from unapproved_iam.cloudformation.document import node_of_value
from unapproved_iam.cloudformation.template import read_template_text
from unapproved_iam.cloudformation.values import Evaluator
from unapproved_iam.cloudformation.world import World
from unapproved_iam.policies.facts import NEVER, Facts

Json = Any

PARAMETERS = {
    "Stage": {"Type": "String", "Default": "dev", "AllowedValues": ["dev", "prod"]},
    "Team": {"Type": "String", "AllowedValues": ["red", "blue", "green"]},
    "Policy": {"Type": "String", "Default": "ReadOnlyAccess"},
    "Path": {"Type": "String", "Default": "team/x-y/z"},
    "Names": {"Type": "CommaDelimitedList", "Default": "Alpha, Beta,Gamma"},
    "Open": {"Type": "String", "Default": "x"},  # only conditions refer to it: in them its value is open
}
MAPPINGS: dict[str, Json] = {
    "Stages": {
        "dev": {"Name": "Development", "List": ["d1", "d2"]},
        "prod": {"Name": "Production", "List": ["p1", "p2", "p3"]},
    },
    "Teams": {team: {"Stages": f"{team}-all", "Name": team.title()} for team in ("red", "blue", "green")},
    "Partial": {"dev": {"red": "for red", "blue": "for blue"}, "prod": {"red": "only red"}},
    "Keys": {"dev": {"Team": "red"}, "prod": {"Team": "green"}},
}
NO_VALUE = {"Ref": "AWS::NoValue"}
OPEN_VALUES = ("x", "y", "something else")


CONDITION_NAMES = ["First", "Second", "Third"]


class Author:
    """Writes conditions and expressions at random, nested in any order; the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def conditions(self) -> dict[str, Json]:
        return {name: self.condition(CONDITION_NAMES[:number], 2) for number, name in enumerate(CONDITION_NAMES)}

    def condition(self, earlier: list[str], depth: int) -> Json:
        choose = self.random.choice
        forms: list[Callable[[], Json]] = [
            lambda: {"Fn::Equals": [{"Ref": "Stage"}, choose(["dev", "prod", "test"])]},
            lambda: {"Fn::Equals": [choose(["red", "blue"]), {"Ref": "Team"}]},
            lambda: {"Fn::Equals": [{"Ref": "Open"}, choose(["x", "y"])]},
            lambda: {"Fn::Equals": [choose("ab"), choose("ab")]},
        ]
        if earlier:
            forms.append(lambda: {"Condition": choose(earlier)})
        if depth:
            parts = [self.condition(earlier, depth - 1) for _ in range(choose([2, 3]))]
            forms += [lambda: {"Fn::Not": parts[:1]}, lambda: {"Fn::And": parts}, lambda: {"Fn::Or": parts}]
        return choose(forms)()

    def text(self, depth: int = 4) -> Json:
        choose = self.random.choice
        name = choose(["Stage", "Team", "Policy"])
        literal = choose(["a", "b", "x-y", "AdministratorAccess", "arn:aws:iam::aws:policy/"])
        forms: list[Callable[[], Json]] = [
            lambda: literal,
            lambda: {"Ref": name},
            lambda: {"Fn::Sub": f"{literal}${{{name}}}${{!Kept}}"},
            lambda: {"Fn::FindInMap": ["Stages", choose(["dev", {"Ref": "Stage"}]), "Name"]},
            lambda: {"Fn::FindInMap": ["Teams", {"Ref": "Team"}, "Name"]},
            lambda: {"Fn::FindInMap": ["Stages", "nowhere", "Name", {"DefaultValue": literal}]},
            lambda: {"Fn::FindInMap": ["Partial", {"Ref": "Stage"}, {"Ref": "Team"}, {"DefaultValue": literal}]},
            lambda: {"Fn::FindInMap": ["Teams", {"Fn::FindInMap": ["Keys", {"Ref": "Stage"}, "Team"]}, "Name"]},
            lambda: {"Fn::Select": [choose([0, "1"]), {"Fn::Split": ["/", {"Ref": "Path"}]}]},
        ]
        nested: list[Callable[[], Json]] = [
            lambda: {"Fn::Sub": [f"${{Own}}/${{{name}}}", {"Own": self.text(depth - 1)}]},
            lambda: {"Fn::Sub": [f"${{{name}}}:${{Own}}", {name: self.text(depth - 1), "Own": self.text(depth - 1)}]},
            lambda: {"Fn::Join": [choose(["", "-", "/"]), self.list(depth - 1)]},
            lambda: {"Fn::Join": [choose(["", "-"]), self.list_with_gaps(depth - 1)]},
            lambda: {"Fn::If": [choose(CONDITION_NAMES), self.text(depth - 1), self.text(depth - 1)]},
            lambda: {"Fn::Select": ["0", self.list(depth - 1)]},
        ]
        return choose(forms + nested * 2 if depth else forms)()

    def list_with_gaps(self, depth: int) -> Json:
        """A list of which AWS::NoValue leaves at least the first element."""
        choose = self.random.choice
        gaps = [
            NO_VALUE,
            {"Fn::If": [choose(CONDITION_NAMES), *choose([(self.text(depth - 1), NO_VALUE), (NO_VALUE, "b")])]},
        ]
        return [self.text(depth - 1), *self.random.sample(gaps, choose([1, 2])), self.text(depth - 1)]

    def resources(self, identifiers: tuple[str, ...] = (), depth: int = 3) -> dict[str, Json]:
        """Roles in loops, and loops in their properties, with the loops' identifiers in the names of policies."""
        resources: dict[str, Json] = {}
        for place in "AB"[: self.random.choice([1, 2])]:
            identifier = f"Loop{depth}{place}"
            if depth and self.random.random() < 0.6:
                body = self.resources((*identifiers, identifier), depth - 1)
                resources[f"Fn::ForEach::{identifier}"] = [identifier, self.collection(), body]
            else:
                name = place + "".join(f"{other}&{{{other}}}" for other in identifiers)
                resources[name] = {"Type": "AWS::IAM::Role", "Properties": self.properties(identifiers)}
        return resources

    def collection(self) -> Json:
        policy = {"Ref": "Policy"}
        return self.random.choice(
            [["a", "b-c"], [policy, "z"], {"Ref": "Names"}, {"Fn::FindInMap": ["Stages", "dev", "List"]}]
        )

    def properties(self, identifiers: tuple[str, ...]) -> Json:
        choose = self.random.choice
        if choose([True, False, False]):
            policies = [self.looped_text((*identifiers, "Property"))]
            return {"Fn::ForEach::Properties": ["Property", ["ManagedPolicyArns"], {"${Property}": policies}]}
        return {"ManagedPolicyArns": [self.looped_text(identifiers) for _ in range(choose([1, 2]))]}

    def looped_text(self, identifiers: tuple[str, ...]) -> Json:
        choose = self.random.choice
        name = choose(identifiers) if identifiers else "Policy"
        forms: list[Callable[[], Json]] = [
            lambda: {"Ref": name},
            lambda: {"Fn::Sub": f"arn:aws:iam::aws:policy/${{{name}}}Access"},
            lambda: {"Fn::Sub": [f"${{Own}}:${{{name}}}", {"Own": {"Ref": name}}]},
            lambda: {"Fn::Join": ["-", [{"Ref": name}, {"Ref": "Policy"}]]},
        ]
        if identifiers:
            forms.append(lambda: {"Fn::FindInMap": ["Stages", {"Ref": name}, "Name", {"DefaultValue": "neither"}]})
        return choose(forms)()

    def list(self, depth: int) -> Json:
        choose = self.random.choice
        forms: list[Callable[[], Json]] = [
            lambda: {"Ref": "Names"},
            lambda: {"Fn::FindInMap": ["Stages", {"Ref": "Stage"}, "List"]},
        ]
        nested: list[Callable[[], Json]] = [
            lambda: [self.text(depth - 1) for _ in range(choose([1, 2, 3]))],
            lambda: {"Fn::Split": ["-", self.text(depth - 1)]},
            lambda: {"Fn::If": [choose(CONDITION_NAMES), self.list(depth - 1), self.list(depth - 1)]},
        ]
        return choose(forms + nested * 2 if depth > 0 else forms)()


class Interpreter:
    """CloudFormation for one assignment of parameters and no other concern."""

    def __init__(self, assignment: dict[str, Any], named_conditions: dict[str, Json]) -> None:
        self.assignment = assignment
        self.named_conditions = named_conditions

    def value(self, expression: Json) -> Any:
        if isinstance(expression, list):
            return [value for value in map(self.value, expression) if value is not None]
        if not isinstance(expression, dict):
            return expression
        [(function, argument)] = expression.items()
        return getattr(self, "_" + function.replace("::", "").lower())(argument)

    def _ref(self, name: str) -> Any:
        return None if name == "AWS::NoValue" else self.assignment[name]

    def _fnsub(self, argument: Json) -> str:
        written, own = argument if isinstance(argument, list) else (argument, {})
        values = {**{name: value for name, value in self.assignment.items() if isinstance(value, str)}}
        values |= {name: self.value(value) for name, value in own.items()}
        for name, value in values.items():
            written = written.replace("${" + name + "}", value)
        return str(written).replace("${!", "${")

    def _fnjoin(self, argument: Json) -> str:
        return str(argument[0].join(self.value(argument[1])))

    def _fnsplit(self, argument: Json) -> list[str]:
        return str(self.value(argument[1])).split(argument[0])

    def _fnselect(self, argument: Json) -> Any:
        return self.value(argument[1])[int(argument[0])]

    def _fnif(self, argument: Json) -> Any:
        return self.value(argument[1 if self.value(self.named_conditions[argument[0]]) else 2])

    def _fnfindinmap(self, argument: Json) -> Any:
        name, first, second, *rest = argument
        found = MAPPINGS[name].get(self.value(first), {}).get(self.value(second))
        return found if found is not None else self.value(rest[0]["DefaultValue"])

    def _condition(self, name: str) -> bool:
        return bool(self.value(self.named_conditions[name]))

    def _fnequals(self, argument: Json) -> bool:
        return bool(self.value(argument[0]) == self.value(argument[1]))

    def _fnnot(self, argument: Json) -> bool:
        return not self.value(argument[0])

    def _fnand(self, argument: Json) -> bool:
        return all(self.value(argument))

    def _fnor(self, argument: Json) -> bool:
        return any(self.value(argument))


def assignments() -> Iterator[dict[str, Any]]:
    for stage, team, free in itertools.product(["dev", "prod"], ["red", "blue", "green"], OPEN_VALUES):
        names = ["Alpha", "Beta", "Gamma"]
        fixed = {"Policy": "ReadOnlyAccess", "Names": names, "Path": "team/x-y/z"}
        yield {"Stage": stage, "Team": team, "Open": free, **fixed}


def texts_by_trying(expression: Json, named_conditions: dict[str, Json]) -> set[str]:
    return {Interpreter(assignment, named_conditions).value(expression) for assignment in assignments()}


def texts_by_evaluating(template: dict[str, Json], expression: Json) -> set[str]:
    return set(facts_by_text(Evaluator(node_of_value(template)), expression))


def facts_by_text(evaluator: Evaluator, expression: Json) -> dict[str, Facts]:
    """Every text that an expression may be, with all that may be told of it."""
    found: dict[str, Facts] = {}
    for possible in evaluator.members(node_of_value(expression), World()):
        for final in evaluator.resolved(possible):
            found[str(final.text)] = found.get(str(final.text), NEVER) | final.world.facts
    return found


class Linter:
    """cfn-lint's resolution of functions in a template."""

    def __init__(self, template: dict[str, Json]) -> None:
        from cfnlint.context import create_context_for_template
        from cfnlint.jsonschema import CfnTemplateValidator
        from cfnlint.template import Template

        parsed = Template("template.yaml", template, ["us-east-1"])
        self.validator = CfnTemplateValidator({}).evolve(context=create_context_for_template(parsed), cfn=parsed)

    def texts(self, expression: Json) -> set[str]:
        """It leaves the mark of `${!Literal}` in."""
        resolved = self.validator.resolve_value(expression)
        return {str(value).replace("${!", "${") for value, _, error in resolved if not error}


def is_free(expression: Json, named_conditions: dict[str, Json]) -> bool:
    """Whether no choice decides another one: nothing is used twice, and each condition may be true and false."""
    written = json.dumps([expression, *named_conditions.values()])
    once = all(written.count(name) < 2 for name in ("Stage", "Team", "Open", *CONDITION_NAMES))
    interpreters = [Interpreter(assignment, named_conditions) for assignment in assignments()]
    return once and all(
        {bool(interpreter.value(condition)) for interpreter in interpreters} == {True, False}
        for name, condition in named_conditions.items()
        if name in json.dumps(expression)
    )


def template_with(named_conditions: dict[str, Json]) -> dict[str, Json]:
    return {"Parameters": PARAMETERS, "Mappings": MAPPINGS, "Conditions": named_conditions, "Resources": {}}


@pytest.mark.parametrize("seed", range(40))
def test_exactly_the_values_of_all_assignments(seed: int) -> None:
    author = Author(seed)
    named_conditions = author.conditions()
    for _ in range(25):
        expression = author.text()
        evaluated = texts_by_evaluating(template_with(named_conditions), expression)
        assert evaluated == texts_by_trying(expression, named_conditions), json.dumps([expression, named_conditions])


@pytest.mark.parametrize("seed", range(100, 120))
def test_cfn_lint_knows_every_value(seed: int) -> None:
    author = Author(seed)
    named_conditions = author.conditions()
    template = template_with(named_conditions)
    linter = Linter(template)
    for _ in range(10):
        expression = author.text(3)
        if "AWS::NoValue" in json.dumps(expression):
            continue  # cfn-lint gives up a Fn::Join that leaves something out
        evaluated, linted = texts_by_evaluating(template, expression), linter.texts(expression)
        assert evaluated <= linted, json.dumps([expression, named_conditions])
        if is_free(expression, named_conditions):
            assert evaluated == linted, json.dumps([expression, named_conditions])


def attached_by(template: dict[str, Json]) -> set[tuple[str, str]]:
    reading = read_template_text(json.dumps(template), "template.json")
    assert reading is not None
    assert not reading.unjudged
    named = (attachment for attachment in reading.attachments if "${" not in attachment.resource)  # by other values
    return {(attachment.resource, str(attachment.policy)) for attachment in named}


@pytest.mark.parametrize("seed", range(300, 310))
def test_loops_attach_what_cfn_lint_unrolls_them_to(seed: int) -> None:
    from cfnlint.template import Template
    from cfnlint.template.transforms._language_extensions import language_extension

    author = Author(seed)
    for _ in range(5):
        template = {**template_with({}), "Transform": "AWS::LanguageExtensions", "Resources": author.resources()}
        problems, unrolled = language_extension(Template("template.json", copy.deepcopy(template), ["us-east-1"]))
        assert not problems
        assert attached_by(template) == attached_by(unrolled), json.dumps(template["Resources"])


@pytest.mark.parametrize("seed", range(200, 220))
def test_what_is_told_is_exact(seed: int) -> None:
    """The facts that a message tells hold whenever the text is the one of the message, and only then."""
    author = Author(seed)
    named_conditions = author.conditions()
    evaluator = Evaluator(node_of_value(template_with(named_conditions)))
    for _ in range(25):
        expression = author.text()
        told = facts_by_text(evaluator, expression)
        for assignment in assignments():
            values = {f"parameter {name}": value for name, value in assignment.items()}
            text = Interpreter(assignment, named_conditions).value(expression)
            assert {one for one, facts in told.items() if facts.hold(values)} == {text}
