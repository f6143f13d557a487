"""Templates with lists, files of parameters and nested templates made at random, and what they attach in one world.

For the tests that compare the reader with every assignment. An assignment gives each parameter its default, one of the
constants that the template holds against it, or something else, and so for the first and second element of each list;
each file of parameters is an assignment of its own. Independent of the reader, and of `template_author`.
"""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Json = Any
Given = dict[str, Any]  # texts, and lists of texts

OTHER = "something else"
ANOTHER = "not its default"  # of a parameter that has one: what nobody gives is not told
ARN = "arn:aws:iam::aws:policy/"
NAMES = ("ReadOnlyAccess", "SecurityAudit", "AdministratorAccess", "IAMFullAccess")
NO_VALUE = {"Ref": "AWS::NoValue"}
CONDITIONS = ("First", "Second", "Third")
SCALARS: dict[str, Json] = {
    "Stage": {"Type": "String", "Default": "dev", "AllowedValues": ["dev", "prod"]},
    "Team": {"Type": "String", "AllowedValues": ["red", "blue"]},
    "Open": {"Type": "String", "Default": "x"},
    "Free": {"Type": "String"},
    "Stored": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/path"},
    "AWS::Region": None,
    "AWS::Partition": None,
}
CONSTANTS = {
    "Stage": ("dev", "prod"),
    "Team": ("red", "blue"),
    "Open": ("x", "y", ANOTHER),
    "Free": ("x", "y", OTHER),
    "Stored": ("x", OTHER),
    "AWS::Region": ("us-east-1", "eu-west-1", OTHER),
    "AWS::Partition": ("aws", "aws-cn", OTHER),
}
LISTS: dict[str, Json] = {
    "Names": {"Type": "CommaDelimitedList", "Default": "ReadOnlyAccess, AdministratorAccess"},
    "Empty": {"Type": "CommaDelimitedList", "Default": ""},
    "Bare": {"Type": "List<String>"},
    "Picked": {"Type": "CommaDelimitedList", "AllowedValues": ["SecurityAudit", "IAMFullAccess"]},
    "StoredList": {"Type": "AWS::SSM::Parameter::Value<List<String>>", "Default": "/path"},
}
ELEMENTS = {
    **{name: ("", "x", ANOTHER if "Default" in kind else OTHER) for name, kind in LISTS.items()},
    "StoredList": ("", "x", OTHER),
    "Picked": ("SecurityAudit", "IAMFullAccess"),
}
UNTOLD = (OTHER, ANOTHER)


class Missing(Exception):
    """There is no such stack, or the value is not there."""


def plain(name: str) -> str:
    return name.replace("::", "")


def by_element(name: str, element: str) -> list[Callable[[], Json]]:
    listed = {"Ref": name}
    return [
        lambda: {"Fn::Equals": [{"Fn::Select": [0, listed]}, element]},
        lambda: {"Fn::Equals": [element, {"Fn::Select": ["1", listed]}]},
        lambda: {"Fn::Equals": ["", {"Fn::Select": [0, listed]}]},
    ]


def by_whole(name: str, element: str) -> list[Callable[[], Json]]:
    listed = {"Ref": name}
    return [
        lambda: {"Fn::Equals": [{"Fn::Join": ["", listed]}, ""]},
        lambda: {"Fn::Equals": [{"Fn::Join": [",", listed]}, f"{element},{element}"]},
    ]


class EstateAuthor:
    """Writes a template, the one that it nests, and files of parameters; the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.choose = self.random.choice
        self.scalars = self.random.sample(list(SCALARS), 2)
        self.lists = self.random.sample(list(LISTS), self.choose([1, 1, 2]))
        self.forms_of_lists = {name: self.choose([by_element, by_whole]) for name in self.lists}
        self.is_sam = self.random.random() < 0.15
        self.has_stack = self.random.random() < 0.4

    def name(self) -> str:
        return self.choose(NAMES)

    def sometimes(self, share: float = 0.5) -> bool:
        return self.random.random() < share

    def files(self) -> dict[str, Json]:
        files = {"template.json": self.template()}
        if self.has_stack:
            files["child.json"] = self.child()
        if self.sometimes(0.25):
            for name in self.random.sample(["a", "b", "c"], self.choose([1, 2])):
                files[f"template.{name}.parameters.json"] = self.parameter_file()
        return files

    def template(self) -> Json:
        declared = {name: kind for name, kind in {**SCALARS, **LISTS}.items() if kind and name in self.used}
        template: Json = {"AWSTemplateFormatVersion": "2010-09-09", "Parameters": declared}
        template["Transform"] = ["AWS::LanguageExtensions", *(["AWS::Serverless-2016-10-31"] if self.is_sam else [])]
        template["Mappings"] = {f"By{plain(name)}": self.mapping(name) for name in self.scalars}
        template["Conditions"] = {
            name: self.condition(CONDITIONS[:number], 2) for number, name in enumerate(CONDITIONS)
        }
        if self.sometimes(0.25):
            template["Rules"] = {"Rule": self.rule()}
        resources = {f"Role{number}": self.role() for number in range(2)}
        looped: Json = self.choose([[*self.random.sample(NAMES, 2)], {"Ref": self.choose(self.lists)}])
        body = self.role("Turn")
        resources["Fn::ForEach::Loop"] = ["Turn", looped, {"Loop&{Turn}": body}]
        if self.has_stack:
            resources["Stack"] = self.stack()
            resources["After"] = self.attaching([{"Fn::GetAtt": ["Stack", "Outputs.Policy"]}])
        if self.sometimes(0.2):
            resources["Set"] = self.stack_set()
        if self.is_sam:
            resources["Function"] = self.function()
        template["Resources"] = resources
        return template

    @property
    def used(self) -> list[str]:
        return [*self.scalars, *self.lists]

    def mapping(self, name: str) -> Json:
        keys = [value for value in CONSTANTS[name] if value not in UNTOLD]
        rows = self.random.sample(keys, self.random.randint(1, len(keys)))
        return {key: {"P": self.name(), "Q": [self.name(), self.name()]} for key in rows}

    def parameter_file(self) -> Json:
        given: dict[str, str] = {}
        for name in self.used:
            if name.startswith("AWS") or name.startswith("Stored") or self.sometimes(0.3):
                continue
            if name in LISTS:
                of_list = [one for one in ELEMENTS[name] if one not in ("", *UNTOLD)]
                given[name] = ",".join([self.choose(of_list), self.choose(of_list)])
            else:
                given[name] = self.choose([one for one in CONSTANTS[name] if one not in UNTOLD])
        if not given:
            given["Unused"] = "x"
        if self.sometimes():
            return {"Parameters": given}
        return [{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()]

    # Conditions and rules

    def condition(self, earlier: tuple[str, ...], depth: int) -> Json:
        name, of_list = self.choose(self.scalars), self.choose(self.lists)
        constant = self.choose([value for value in CONSTANTS[name] if value not in UNTOLD])
        element = self.choose([value for value in ELEMENTS[of_list] if value not in ("", *UNTOLD)])
        forms: list[Callable[[], Json]] = [
            lambda: {"Fn::Equals": [{"Ref": name}, constant]},
            self.choose(self.forms_of_lists[of_list](of_list, element)),
            lambda: {"Fn::Equals": [self.with_default(name), self.name()]},
        ]
        if earlier:
            maybe = {"Fn::If": [self.choose(earlier), "a", NO_VALUE]}
            forms.append(lambda: {"Condition": self.choose(earlier)})
            forms.append(lambda: {"Fn::Equals": [{"Fn::Length": [maybe, "b"]}, self.choose("12")]})
        if depth:
            parts = [self.condition(earlier, depth - 1) for _ in range(2)]
            forms += [lambda: {"Fn::Not": parts[:1]}, lambda: {"Fn::And": parts}, lambda: {"Fn::Or": parts}]
        return self.choose(forms)()

    def with_default(self, name: str) -> Json:
        return {"Fn::FindInMap": [f"By{plain(name)}", {"Ref": name}, "P", {"DefaultValue": self.name()}]}

    def rule(self) -> Json:
        name, of_list = self.choose(self.scalars), self.choose(self.lists)
        constants = [value for value in CONSTANTS[name] if value not in UNTOLD]
        elements = [*ELEMENTS[of_list][:1], "ReadOnlyAccess", "AdministratorAccess"]
        forms: list[Json] = [
            {"Fn::Contains": [constants[:1], {"Ref": name}]},
            {"Fn::Contains": [constants, {"Ref": name}]},
            {"Fn::EachMemberIn": [{"Ref": of_list}, elements]},
            {"Fn::EachMemberEquals": [{"Ref": of_list}, self.choose(elements)]},
            {"Fn::Not": [{"Fn::Contains": [constants[-1:], {"Ref": name}]}]},
        ]
        rule: Json = {"Assertions": [{"Assert": self.choose(forms)}]}
        if self.sometimes(0.3):
            rule["RuleCondition"] = {"Fn::Equals": [{"Ref": name}, self.choose(constants)]}
        return rule

    # Resources

    def role(self, turn: str = "") -> Json:
        role = self.attaching(self.policies(turn))
        if self.sometimes(0.2):
            role["Properties"] = {"Fn::If": [self.choose(CONDITIONS), role["Properties"], NO_VALUE]}
        if self.sometimes(0.3):
            role["Condition"] = self.choose(CONDITIONS)
        return role

    def attaching(self, policies: Json) -> Json:
        properties = {"AssumeRolePolicyDocument": {"Version": "2012-10-17"}, "ManagedPolicyArns": policies}
        return {"Type": "AWS::IAM::Role", "Properties": properties}

    def policies(self, turn: str) -> Json:
        of_list = self.choose(self.lists)
        single = [self.maybe(self.arn(turn, 2)) for _ in range(self.choose([1, 2]))]
        forms: list[Json] = [
            single,
            single,
            {"Fn::If": [self.choose(CONDITIONS), single, NO_VALUE]},
            {"Fn::If": [self.choose(CONDITIONS), single, [self.arn(turn, 1)]]},
            {"Fn::Split": [",", {"Fn::Sub": [ARN + "${One}," + ARN + self.name(), {"One": self.policy(turn, 1)}]}]},
            {"Fn::Split": ["|", {"Fn::Join": ["|", [self.arn(turn, 1), self.arn(turn, 1)]]}]},
        ]
        if of_list != "Picked":  # every element with the beginning of an ARN
            joined = {"Fn::Join": ["|" + ARN, {"Ref": of_list}]}
            forms.append({"Fn::Split": ["|", {"Fn::Sub": [ARN + "${All}", {"All": joined}]}]})
        return self.choose(forms)

    def maybe(self, arn: Json) -> Json:
        if self.sometimes(0.7):
            return arn
        other = NO_VALUE if self.sometimes() else self.arn("", 0)
        return {"Fn::If": [self.choose(CONDITIONS), self.maybe(arn), other]}

    def arn(self, turn: str, depth: int) -> Json:
        policy = self.policy(turn, depth)
        forms: list[Json] = [
            {"Fn::Join": ["", [ARN, policy]]},
            {"Fn::Sub": [ARN + "${Own}", {"Own": policy}]},
            {"Fn::Join": ["/", ["arn:aws:iam::aws:policy", policy]]},
        ]
        return self.choose(forms)

    def policy(self, turn: str, depth: int) -> Json:
        name, of_list = self.choose(self.scalars), self.choose(self.lists)
        mapping = f"By{plain(name)}"
        forms: list[Callable[[], Json]] = [
            self.name,
            lambda: {"Fn::FindInMap": [mapping, {"Ref": name}, "P"]},
            lambda: self.with_default(name),
            lambda: {"Fn::Select": [self.choose([0, 1]), {"Fn::FindInMap": [mapping, {"Ref": name}, "Q"]}]},
            lambda: {"Fn::Select": [self.choose([0, 1]), {"Ref": of_list}]},
            lambda: {
                "Fn::Select": [self.choose([0, "1"]), {"Fn::Split": [",", {"Fn::Join": [",", {"Ref": of_list}]}]}]
            },
            lambda: {"Ref": name},
            lambda: {"Fn::Sub": f"${{{name}}}"},
        ]
        if turn:
            forms += [lambda: {"Ref": turn}, lambda: {"Fn::Sub": f"${{{turn}}}"}] * 2
        if depth:
            inner = [self.policy(turn, depth - 1) for _ in range(2)]
            forms += [lambda: {"Fn::If": [self.choose(CONDITIONS), *inner]}] * 2
            forms += [lambda: {"Fn::Select": [self.choose([0, 1]), inner]}]
            shifted = [{"Fn::If": [self.choose(CONDITIONS), inner[0], NO_VALUE]}, inner[1], self.name()]
            forms += [lambda: {"Fn::Select": [self.choose([0, 1]), shifted]}]
        return self.choose(forms)()

    def function(self) -> Json:
        properties = {"Handler": "a.b", "Runtime": "python3.13", "InlineCode": "pass"}
        listed = [self.choose([self.name(), self.arn("", 1)]) for _ in range(2)]
        policies = self.choose([listed, {"Fn::If": [self.choose(CONDITIONS), listed, NO_VALUE]}, self.name()])
        return {"Type": "AWS::Serverless::Function", "Properties": {**properties, "Policies": policies}}

    # The nested stack

    def stack(self) -> Json:
        given: Json = {"Name": self.policy("", 1)}
        of_list = self.choose(self.lists)
        if self.sometimes(0.7):
            given["Wide"] = self.choose(["yes", "no", {"Fn::If": [self.choose(CONDITIONS), "yes", "no"]}])
        if self.sometimes(0.7):
            given["Listed"] = self.choose(
                [
                    {"Fn::Join": [",", {"Ref": of_list}]},
                    {"Fn::Join": [",", [self.name(), self.policy("", 1)]]},
                    {"Fn::If": [self.choose(CONDITIONS), "SecurityAudit,IAMFullAccess", NO_VALUE]},
                ]
            )
        parameters: Json = given
        if self.sometimes(0.25):
            parameters = {"Fn::If": [self.choose(CONDITIONS), given, {"Name": self.name(), "Wide": "yes"}]}
        stack: Json = {
            "Type": "AWS::CloudFormation::Stack",
            "Properties": {"TemplateURL": self.choose(["child.json", "./child.json"]), "Parameters": parameters},
        }
        return {**stack, "Condition": self.choose(CONDITIONS)} if self.sometimes(0.2) else stack

    def stack_set(self) -> Json:
        """A template as text, in which conditions and parameters are those of the template around it."""
        inner = {"Role": self.attaching([*(self.maybe(self.arn("", 1)) for _ in range(2)), ARN + "SecurityAudit"])}
        body = {"Fn::ToJsonString": {"Resources": inner}}
        properties = {"StackSetName": "set", "PermissionModel": "SELF_MANAGED", "TemplateBody": body}
        return {"Type": "AWS::CloudFormation::StackSet", "Properties": properties}

    def child(self) -> Json:
        listed = {"Ref": "Listed"}
        return {
            "Parameters": {
                "Name": {"Type": "String"},
                "Wide": {"Type": "String", "Default": self.choose(["yes", "no"])},
                "Listed": {"Type": "CommaDelimitedList", "Default": self.choose(["SecurityAudit", "IAMFullAccess"])},
            },
            "Conditions": {"IsWide": {"Fn::Equals": [{"Ref": "Wide"}, "yes"]}},
            "Resources": {
                "Role": self.attaching(
                    [
                        {"Fn::If": ["IsWide", {"Fn::Sub": ARN + "${Name}"}, NO_VALUE]},
                        {"Fn::Sub": [ARN + "${One}", {"One": {"Fn::Select": [0, listed]}}]},
                    ]
                )
            },
            "Outputs": {"Policy": {"Value": {"Fn::If": ["IsWide", ARN + self.name(), {"Fn::Sub": ARN + "${Name}"}]}}},
        }


def worlds_of(files: Mapping[str, Json]) -> list[Given]:
    """Every assignment that matters to the template: of its own parameters, and one for each file of parameters."""
    template = files["template.json"]
    declared = template["Parameters"]
    open_names = [name for name in {**SCALARS, **LISTS} if name in declared or name.startswith("AWS::")]
    used = [name for name in open_names if json.dumps(name) in json.dumps(template) or f"${{{name}}}" in str(template)]
    worlds = [dict(zip(used, values, strict=True)) for values in itertools.product(*map(candidates, used))]
    for name, document in files.items():
        if "parameters" in name:
            worlds += list(_of_file(document, declared, used))
    return worlds


def candidates(name: str) -> list[Any]:
    if name not in LISTS:
        return list(CONSTANTS[name])
    default = LISTS[name].get("Default") if not name.startswith("Stored") else None
    lists = [] if default is None else [as_list(default)]
    if "AllowedValues" not in LISTS[name]:
        lists += [[""], ["x"], *([one, "x", ELEMENTS[name][-1]] for one in ("", "x"))]
    lists += [[one, f"{other} too" if other in UNTOLD else other] for one in ELEMENTS[name] for other in ELEMENTS[name]]
    return [one for number, one in enumerate(lists) if one not in lists[:number] and one != ["", ""]]


def has_defaults(given: Given) -> bool:
    """Whether each parameter that has a default has it."""
    defaults = {name: kind["Default"] for name, kind in {**SCALARS, **LISTS}.items() if kind and "Default" in kind}
    return all(
        value == (as_list(defaults[name]) if name in LISTS else defaults[name])
        for name, value in given.items()
        if name in defaults and not name.startswith("Stored")
    )


def as_list(written: str) -> list[str]:
    return [part.strip() for part in written.split(",")]


def _of_file(document: Json, declared: Json, used: list[str]) -> Iterator[Given]:
    pairs = document["Parameters"].items() if isinstance(document, dict) else [tuple(one.values()) for one in document]
    given = {name: as_list(value) if name in LISTS else value for name, value in pairs}
    for name, kind in declared.items():
        if name not in given and "Default" in kind and not name.startswith("Stored"):
            given[name] = as_list(kind["Default"]) if name in LISTS else kind["Default"]
    left = [name for name in used if name not in given]
    for values in itertools.product(*map(candidates, left)):
        yield {**given, **dict(zip(left, values, strict=True))}


class Interpreter:
    """What one template is in one world."""

    def __init__(self, files: Mapping[str, Json], file: str, given: Given, is_lenient: bool = False) -> None:
        self.files = files
        self.template = files[file]
        self.given = given
        self.is_lenient = is_lenient  # in rules about lists, and where a list has no such element
        self.truths: dict[str, bool] = {}

    def is_allowed(self) -> bool:
        for rule in self.template.get("Rules", {}).values():
            applies = "RuleCondition" not in rule or self.value(rule["RuleCondition"])
            if applies and not all(self.value(assertion["Assert"]) for assertion in rule["Assertions"]):
                return False
        return True

    def attached(self) -> Iterator[tuple[str, str]]:
        """Logical ids and policies; nothing when a rule forbids the stack."""
        if not self.is_allowed():
            return
        for logical_id, resource in self.template["Resources"].items():
            if logical_id.startswith("Fn::ForEach"):
                yield from self._looped(resource)
            else:
                yield from self.attached_by(logical_id, resource)

    def _looped(self, loop: Json) -> Iterator[tuple[str, str]]:
        identifier, collection, body = loop
        for turn in self.value(collection):
            inner = Interpreter(self.files, "template.json", {**self.given, identifier: turn}, self.is_lenient)
            for resource in body.values():
                yield from inner.attached_by("Loop", resource)

    def attached_by(self, logical_id: str, resource: Json) -> Iterator[tuple[str, str]]:
        if "Condition" in resource and not self.condition(resource["Condition"]):
            return
        properties = resource["Properties"]
        while properties and "Fn::If" in properties:
            properties = self._branch(properties)
        if properties == NO_VALUE:
            return
        if resource["Type"].endswith("StackSet"):
            try:
                inner = json.loads(self.value(properties["TemplateBody"]))
            except Missing:
                return
            for name, role in inner["Resources"].items():
                yield from ((f"{logical_id}.{name}", policy) for policy in role["Properties"]["ManagedPolicyArns"])
            return
        if resource["Type"].endswith("Stack"):
            yield from ((f"{logical_id}.{name}", policy) for name, policy in self.nested(properties).attached())
            return
        policies = properties.get("Policies", properties.get("ManagedPolicyArns"))
        while isinstance(policies, dict) and "Fn::If" in policies:
            policies = self._branch(policies)
        if policies == NO_VALUE:
            return
        for policy in policies if isinstance(policies, list) else [policies]:
            try:
                values = self.value(policy)
            except Missing:  # what does not refer to it stands, as in the reader
                continue
            for value in values if isinstance(values, list) else [values]:
                if value is not None and "\0" not in value:
                    yield logical_id, value if value.startswith("arn:") else ARN + value

    def nested(self, properties: Json) -> Interpreter:
        declared = self.files["child.json"]["Parameters"]
        given: Given = {name: kind["Default"] for name, kind in declared.items() if "Default" in kind}
        passed = properties["Parameters"]
        for name, expression in (self._branch(passed) if "Fn::If" in passed else passed).items():
            try:
                value = self.value(expression)
            except Missing:
                value = "\0"
            if value is not None:
                given[name] = value
        given["Listed"] = as_list(given["Listed"])
        return Interpreter(self.files, "child.json", given)

    def condition(self, name: str) -> bool:
        if name not in self.truths:
            self.truths[name] = bool(self.value(self.template["Conditions"][name]))
        return self.truths[name]

    def _branch(self, expression: Json) -> Json:
        name, if_true, if_false = expression["Fn::If"]
        return if_true if self.condition(name) else if_false

    def value(self, expression: Json) -> Any:
        if isinstance(expression, list):
            return [value for item in expression if (value := self.value(item)) is not None]
        if not isinstance(expression, dict):
            return expression
        if len(expression) != 1 or not next(iter(expression)).startswith(("Fn::", "Ref", "Condition")):
            return {name: self.value(part) for name, part in expression.items()}
        [(function, argument)] = expression.items()
        return getattr(self, "_" + function.replace("::", "").lower())(argument)

    def _ref(self, name: str) -> Any:
        return None if name == "AWS::NoValue" else self.given[name]

    def _fngetatt(self, argument: Json) -> Any:
        stack, attribute = argument
        resource = self.template["Resources"][stack]
        if "Condition" in resource and not self.condition(resource["Condition"]):
            raise Missing
        inner = self.nested(resource["Properties"])
        return inner.value(inner.template["Outputs"][attribute.removeprefix("Outputs.")]["Value"])

    def _fntojsonstring(self, argument: Json) -> str:
        return json.dumps(self.value(argument))

    def _fnlength(self, argument: Json) -> str:
        return str(len(self.value(argument)))

    def _fnsub(self, argument: Json) -> str:
        written, own = argument if isinstance(argument, list) else (argument, {})
        for name, value in {**self.given, **{name: self.value(value) for name, value in own.items()}}.items():
            if "${" + name + "}" in written:
                written = written.replace("${" + name + "}", str(value))
        return str(written)

    def _fnjoin(self, argument: Json) -> str:
        return str(argument[0].join(self.value(argument[1])))

    def _fnsplit(self, argument: Json) -> list[str]:
        return str(self.value(argument[1])).split(argument[0])

    def _fnselect(self, argument: Json) -> Any:
        listed = (
            [one for part in argument[1] for one in self._unless_missing(part)]
            if isinstance(argument[1], list)
            else self.value(argument[1])
        )
        if int(argument[0]) >= len(listed):
            if self.is_lenient:
                return "\0"
            raise Missing
        if listed[int(argument[0])] == "\0":
            raise Missing
        return listed[int(argument[0])]

    def _unless_missing(self, expression: Json) -> list[Any]:
        try:
            value = self.value(expression)
        except Missing:
            return ["\0"]
        return [] if value is None else [value]

    def _fnif(self, argument: Json) -> Any:
        return self.value(argument[1 if self.condition(argument[0]) else 2])

    def _fnfindinmap(self, argument: Json) -> Any:
        name, key, attribute, *rest = argument
        row = self.template["Mappings"][name].get(self.value(key))
        if row is not None:
            return row[attribute]
        if rest:
            return self.value(rest[0]["DefaultValue"])
        raise Missing

    def _condition(self, name: str) -> bool:
        return self.condition(name)

    def _fnequals(self, argument: Json) -> bool:
        try:
            return bool(self.value(argument[0]) == self.value(argument[1]))
        except Missing:  # no stack; the reader takes it for untrue
            return False

    def _fnnot(self, argument: Json) -> bool:
        return not self.value(argument[0])

    def _fnand(self, argument: Json) -> bool:
        return all(self.value(part) for part in argument)

    def _fnor(self, argument: Json) -> bool:
        return any(self.value(part) for part in argument)

    def _fncontains(self, argument: Json) -> bool:
        return self.value(argument[1]) in self.value(argument[0])

    def _fneachmemberin(self, argument: Json) -> bool:
        """Of a list that is not its default, a reader need not know; it has to count each world that is possible."""
        if self.is_lenient and self.value(argument[0]) != as_list(LISTS[argument[0]["Ref"]].get("Default", OTHER)):
            return True
        return set(self.value(argument[0])) <= set(self.value(argument[1]))

    def _fneachmemberequals(self, argument: Json) -> bool:
        return self._fneachmemberin([argument[0], [argument[1]]])
