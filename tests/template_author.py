"""Templates made at random, and what they attach in one world: CloudFormation for one assignment of parameters.

For the tests that compare the reader with every assignment. A parameter that may be given any value is tried with its
default, with each constant that the template holds against it, and with something else.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from typing import Any

Json = Any
Assignment = dict[str, str]

PARAMETERS: dict[str, Json] = {
    "Stage": {"Type": "String", "Default": "dev", "AllowedValues": ["dev", "test", "prod"]},
    "Team": {"Type": "String", "AllowedValues": ["red", "blue"]},
    "Open": {"Type": "String", "Default": "x"},
    "Free": {"Type": "String"},
    "Kind": {"Type": "String", "Default": "one", "AllowedPattern": "^(one|two)$"},
}
OTHER = "something else"
VALUES = {
    "Stage": ("dev", "test", "prod"),
    "Team": ("red", "blue"),
    "Open": ("x", "y", "z", OTHER),
    "Free": ("x", "y", OTHER),
    "Kind": ("one", "two"),
}
NAMES = ("ReadOnlyAccess", "SecurityAudit", "AdministratorAccess", "IAMFullAccess")
CONDITIONS = ("First", "Second", "Third", "Fourth")
ARN = "arn:aws:iam::aws:policy/"
NO_VALUE = {"Ref": "AWS::NoValue"}


class Missing(Exception):
    """A mapping has no such key: there is no such stack."""


class Author:
    """Writes a template; the same one for the same seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.choose = self.random.choice
        self.mappings = {
            f"By{name}": {value: {"P": self.name(), "Q": self.name()} for value in self.some(values)}
            for name, values in VALUES.items()
        }

    def name(self) -> str:
        return self.choose(NAMES)

    def some(self, values: tuple[str, ...]) -> list[str]:
        known = [value for value in values if value != OTHER]
        return self.random.sample(known, self.random.randint(1, len(known)))

    def template(self) -> Json:
        template: Json = {"Transform": "AWS::LanguageExtensions", "Parameters": PARAMETERS, "Mappings": self.mappings}
        template["Conditions"] = {
            name: self.condition(CONDITIONS[:number], 2) for number, name in enumerate(CONDITIONS)
        }
        if self.random.random() < 0.2:
            rule: Json = {"Assertions": [{"Assert": self.condition((), 1)}]}
            if self.random.random() < 0.5:
                rule["RuleCondition"] = self.condition((), 0)
            template["Rules"] = {"Rule": rule}
        template["Resources"] = {f"Role{number}": self.role() for number in range(3)}
        template["Resources"]["Fn::ForEach::Loop"] = ["Name", self.collection(), {"Loop${Name}": self.role(("Name",))}]
        if self.random.random() < 0.5:
            template["Resources"]["Stack"] = self.stack()
        return template

    def condition(self, earlier: tuple[str, ...], depth: int) -> Json:
        name = self.choose(list(VALUES))
        constant = self.choose([value for value in VALUES[name] if value != OTHER] + ["nothing"] * (name == "Stage"))
        sides = [{"Ref": name}, constant]
        forms: list[Callable[[], Json]] = [
            lambda: {"Fn::Equals": sides if self.random.random() < 0.5 else sides[::-1]},
            lambda: {"Fn::Equals": [{"Fn::Sub": f"{name}-${{{name}}}"}, f"{name}-{constant}"]},
        ]
        if earlier:
            forms.append(lambda: {"Condition": self.choose(earlier)})
        if depth:
            parts = [self.condition(earlier, depth - 1) for _ in range(self.choose([2, 2, 3]))]
            forms += [lambda: {"Fn::Not": parts[:1]}, lambda: {"Fn::And": parts}, lambda: {"Fn::Or": parts}]
        return self.choose(forms)()

    def collection(self) -> Json:
        return self.random.sample(NAMES, 2)

    def role(self, loops: tuple[str, ...] = ()) -> Json:
        role: Json = {"Type": "AWS::IAM::Role", "Properties": self.properties(loops)}
        if self.random.random() < 0.2:
            role["Properties"] = {"Fn::If": [self.choose(CONDITIONS), role["Properties"], self.properties(loops)]}
        if self.random.random() < 0.4:
            role["Condition"] = self.choose(CONDITIONS)
        return role

    def properties(self, loops: tuple[str, ...]) -> Json:
        policies: Json = [self.arn(loops) for _ in range(self.choose([1, 2]))]
        if self.random.random() < 0.3:
            policies = {"Fn::If": [self.choose(CONDITIONS), policies, [self.arn(loops)]]}
        return {"ManagedPolicyArns": policies}

    def arn(self, loops: tuple[str, ...]) -> Json:
        policy = self.policy(loops, 2)
        if self.random.random() < 0.3:
            return {"Fn::If": [self.choose(CONDITIONS), self.arn(loops), NO_VALUE]}
        forms: list[Json] = [{"Fn::Join": ["", [ARN, policy]]}, {"Fn::Sub": [ARN + "${Own}", {"Own": policy}]}]
        return self.choose(forms)

    def policy(self, loops: tuple[str, ...], depth: int) -> Json:
        name = self.choose(list(VALUES))
        forms: list[Callable[[], Json]] = [
            self.name,
            lambda: {"Fn::FindInMap": [f"By{name}", {"Ref": name}, self.choose("PQ")]},
            lambda: {"Fn::FindInMap": [{"Fn::Sub": f"By{name}"}, {"Fn::Sub": f"${{{name}}}"}, "P"]},
            lambda: {"Fn::FindInMap": [f"By{name}", {"Ref": name}, "Q", {"DefaultValue": self.name()}]},
            lambda: {"Fn::Select": [self.choose("01"), [self.name(), self.name()]]},
        ]
        if loops:
            forms += [lambda: {"Ref": self.choose(loops)}] * 3
        if depth:
            nested: list[Callable[[], Json]] = [
                lambda: {
                    "Fn::If": [
                        self.choose(CONDITIONS),
                        self.policy(loops, depth - 1),
                        self.policy(loops, depth - 1),
                    ]
                },
                lambda: {
                    "Fn::Select": [
                        0,
                        {"Fn::Split": ["/", {"Fn::Join": ["/", [self.policy(loops, depth - 1), {"Ref": "Open"}]]}]},
                    ]
                },
            ]
            forms += nested * 2
        return self.choose(forms)()

    def stack(self) -> Json:
        """A nested stack: its parameter `Name` is a policy, `Passed` decides its condition, `Own` has its default."""
        child = {
            "Parameters": {
                "Name": {"Type": "String"},
                "Passed": {"Type": "String", "Default": "y"},
                "Own": {"Type": "String", "Default": "x"},
            },
            "Conditions": {
                "Given": {"Fn::Equals": [{"Ref": "Passed"}, self.choose("xy")]},
                "Owned": {"Fn::Equals": [{"Ref": "Own"}, self.choose("xy")]},
            },
            "Resources": {
                "Role": {
                    "Type": "AWS::IAM::Role",
                    "Properties": {
                        "ManagedPolicyArns": [
                            {"Fn::If": [self.choose(["Given", "Owned"]), {"Fn::Sub": ARN + "${Name}"}, NO_VALUE]},
                            {"Fn::If": [self.choose(["Given", "Owned"]), ARN + self.name(), ARN + self.name()]},
                        ]
                    },
                }
            },
        }
        parameters: Json = {"Name": self.policy((), 1)}
        if self.random.random() < 0.7:
            parameters["Passed"] = self.choose([{"Ref": "Open"}, "x", {"Fn::If": [self.choose(CONDITIONS), "x", "y"]}])
        stack = {
            "Type": "AWS::CloudFormation::Stack",
            "Properties": {"TemplateBody": child, "Parameters": parameters},
        }
        return {**stack, "Condition": self.choose(CONDITIONS)} if self.random.random() < 0.3 else stack


def assignments() -> Iterator[Assignment]:
    for values in itertools.product(*VALUES.values()):
        yield dict(zip(VALUES, values, strict=True))


class Interpreter:
    """What one template is in one world."""

    def __init__(self, template: Json, assignment: Assignment) -> None:
        self.template = template
        self.assignment = assignment
        self.truths: dict[str, bool] = {}

    def attached(self) -> Iterator[tuple[str, str]]:
        """Logical ids and policies; nothing when a rule forbids the stack."""
        for rule in self.template.get("Rules", {}).values():
            applies = "RuleCondition" not in rule or self.value(rule["RuleCondition"])
            if applies and not all(self.value(assertion["Assert"]) for assertion in rule["Assertions"]):
                return
        for logical_id, resource in self.template["Resources"].items():
            if logical_id.startswith("Fn::ForEach"):
                identifier, collection, body = resource
                [(name, looped)] = body.items()
                for turn in collection:
                    inner = Interpreter(self.template, {**self.assignment, identifier: turn})
                    yield from inner.attached_by(name.replace(f"${{{identifier}}}", turn), looped)
            else:
                yield from self.attached_by(logical_id, resource)

    def attached_by(self, logical_id: str, resource: Json) -> Iterator[tuple[str, str]]:
        if "Condition" in resource and not self.condition(resource["Condition"]):
            return
        properties = resource["Properties"]
        while "Fn::If" in properties:
            properties = self._if(properties)
        if "TemplateBody" in properties:
            for name, policy in self._nested(properties):
                yield f"{logical_id}.{name}", policy
            return
        policies = properties["ManagedPolicyArns"]
        while isinstance(policies, dict):
            policies = self._if(policies)
        for policy in policies:
            try:
                value = self.value(policy)
            except Missing:
                continue
            if value is not None:
                yield logical_id, value

    def _nested(self, properties: Json) -> Iterator[tuple[str, str]]:
        child = properties["TemplateBody"]
        given = {
            name: parameter["Default"] for name, parameter in child["Parameters"].items() if "Default" in parameter
        }
        for name, value in properties["Parameters"].items():
            try:
                given[name] = self.value(value)
            except Missing:  # what does not refer to it stands, as in the reader
                given[name] = "\0"
        yield from ((one, policy) for one, policy in Interpreter(child, given).attached() if "\0" not in policy)

    def condition(self, name: str) -> bool:
        if name not in self.truths:
            self.truths[name] = bool(self.value(self.template["Conditions"][name]))
        return self.truths[name]

    def _if(self, expression: Json) -> Json:
        name, if_true, if_false = expression["Fn::If"]
        return if_true if self.condition(name) else if_false

    def value(self, expression: Json) -> Any:
        if not isinstance(expression, dict):
            return [self.value(item) for item in expression] if isinstance(expression, list) else expression
        [(function, argument)] = expression.items()
        return getattr(self, "_" + function.replace("::", "").lower())(argument)

    def _ref(self, name: str) -> Any:
        return None if name == "AWS::NoValue" else self.assignment[name]

    def _fnsub(self, argument: Json) -> str:
        written, own = argument if isinstance(argument, list) else (argument, {})
        for name, value in {**self.assignment, **{name: self.value(value) for name, value in own.items()}}.items():
            written = written.replace("${" + name + "}", str(value))
        return str(written)

    def _fnjoin(self, argument: Json) -> str:
        return str(argument[0].join(self.value(argument[1])))

    def _fnsplit(self, argument: Json) -> list[str]:
        return str(self.value(argument[1])).split(argument[0])

    def _fnselect(self, argument: Json) -> Any:
        return self.value(argument[1])[int(argument[0])]

    def _fnif(self, argument: Json) -> Any:
        return self.value(argument[1 if self.condition(argument[0]) else 2])

    def _fnfindinmap(self, argument: Json) -> Any:
        name, key, attribute, *rest = argument
        row = self.template["Mappings"][self.value(name)].get(self.value(key))
        if row is not None:
            return row[attribute]
        if rest:
            return self.value(rest[0]["DefaultValue"])
        raise Missing

    def _condition(self, name: str) -> bool:
        return self.condition(name)

    def _fnequals(self, argument: Json) -> bool:
        return bool(self.value(argument[0]) == self.value(argument[1]))

    def _fnnot(self, argument: Json) -> bool:
        return not self.value(argument[0])

    def _fnand(self, argument: Json) -> bool:
        return all(self.value(argument))

    def _fnor(self, argument: Json) -> bool:
        return any(self.value(argument))
