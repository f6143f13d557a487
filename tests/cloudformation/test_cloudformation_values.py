"""Each function and shape of expression, and every text that it may be; a hole is written `${what}`."""

from __future__ import annotations

from typing import Any

import pytest
from unapproved_iam.cloudformation.document import node_of_value
from unapproved_iam.cloudformation.parameters import PSEUDO_PARAMETERS
from unapproved_iam.cloudformation.template import read_template_text
from unapproved_iam.cloudformation.values import Evaluator
from unapproved_iam.cloudformation.world import Possible, World, split_text, with_late_parts
from unapproved_iam.policies.possible_text import Alphabet, text, unknown
from unapproved_iam.policies.told_facts import told

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
ZONE = {"Fn::Join": ["", [{"Ref": "AWS::Region"}, {"Fn::Select": [0, {"Fn::GetAZs": ""}]}]]}
TEMPLATE: dict[str, Any] = {
    "Parameters": {
        "Plain": {"Type": "String", "Default": "plain"},
        "Number": {"Type": "Number", "Default": 1},
        "Chosen": {"Type": "String", "Default": "a", "AllowedValues": ["a", "b"]},
        "Outside": {"Type": "String", "Default": "c", "AllowedValues": ["a"]},
        "Missing": {"Type": "String"},
        "List": {"Type": "CommaDelimitedList", "Default": "x, y"},
        "Lists": {"Type": "CommaDelimitedList", "AllowedValues": ["x", "y"]},
        "MissingList": {"Type": "List<AWS::EC2::Subnet::Id>"},
        "Stored": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/path"},
        "StoredList": {"Type": "AWS::SSM::Parameter::Value<List<String>>", "Default": "/path"},
        "Odd": None,
        **{f"Letter{n}": {"Type": "String", "AllowedValues": list("abcdefgh")} for n in range(3)},
    },
    "Mappings": {"Map": {"one": {"Value": "1"}, "two": {"Value": "2"}, "123456789012": {"Value": "3"}}},
    "Conditions": {
        "Always": {"Fn::Equals": ["a", "a"]},
        "Open": {"Fn::Equals": [{"Ref": "Missing"}, "a"]},
        "Itself": {"Condition": "Itself"},
        "Odd": {"Fn::Equals": ["a"]},
        "Alike": {"Fn::Equals": [{"Ref": "AWS::Region"}, {"Ref": "AWS::Region"}]},
        "Apart": {"Fn::Equals": [{"Fn::Sub": "a-${Missing}"}, "b-x"]},
        "Part": {"Fn::Equals": [{"Fn::Sub": "${AWS::Region}-x"}, "eu-west-1-x"]},
        "Unlike": {"Fn::Equals": [{"Fn::GetAZs": ""}, {"Fn::GetAZs": "x"}]},
        "Last": {
            "Fn::Or": [
                {"Fn::Equals": [{"Ref": f"Letter{n}"}, letter]}
                for n, letter in ((0, "z"), (1, "z"), (2, "z"), (0, "h"))
            ]
        },
        "Half": {"Fn::And": [{"Fn::Equals": ["a"]}, {"Condition": "Always"}]},
        "Never": {"Fn::And": [{"Fn::Equals": ["a"]}, {"Fn::Not": [{"Condition": "Always"}]}]},
        "Home": {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-west-1"]},
        "Abroad": {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]},
        "Turned": {"Fn::Equals": ["a", {"Ref": "Missing"}]},
        "Letters": {"Fn::Equals": [{"Ref": "AWS::AccountId"}, "letters"]},
        "Mixed": {"Fn::Equals": [ZONE, ZONE]},
        "Neither": {"Fn::Not": [{"Condition": "Always"}]},
        "NotOfNone": {"Fn::Not": []},
        "NotOfText": {"Fn::Not": "Always"},
        "OfList": {"Condition": ["Always"]},
        "NotOfTwo": {"Fn::Not": [{"Condition": "Always"}, {"Condition": "Always"}]},
        "AndOfNone": {"Fn::And": []},
        "Later": {"Fn::Later": ["a", "a"]},
        "Fn::ForEach::Conditions": [
            "Letter",
            ["a", "b"],
            {
                "Is${Letter}": {"Fn::Equals": [{"Ref": "Letter"}, "a"]},
                "Too${Letter}": {"Fn::And": [{"Condition": "Always"}, {"Fn::Equals": [{"Ref": "Letter"}, "a"]}]},
            },
        ],
    },
    "Resources": {
        "Policy": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"ManagedPolicyName": "own", "Path": "/p/"}},
        "Unnamed": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {}},
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "role"}},
        "User": {"Type": "AWS::IAM::User", "Properties": {"UserName": "user"}},
        "Group": {"Type": "AWS::IAM::Group", "Properties": {"GroupName": "group"}},
        "Parameter": {"Type": "AWS::SSM::Parameter", "Properties": {"Value": "stored"}},
        "Bucket": {"Type": "AWS::S3::Bucket"},
    },
}

ROWS: list[tuple[Any, list[str]]] = [
    # texts
    ("text", ["text"]),
    (12, ["12"]),
    (True, ["true"]),
    (None, []),
    (["a", ["b", None]], ["a", "b"]),
    # references
    ({"Ref": "Plain"}, ["plain"]),
    ({"Ref": "Number"}, ["1"]),
    ({"Ref": "Chosen"}, ["a", "b"]),
    ({"Ref": "Outside"}, ["c", "a"]),
    ({"Ref": "Missing"}, ["${Missing}"]),
    ({"Ref": "List"}, ["x", "y"]),
    ({"Ref": "Lists"}, ["x", "y"]),
    ({"Ref": "MissingList"}, ["${MissingList}"]),
    ({"Ref": "Stored"}, ["${Stored}"]),
    ({"Ref": "StoredList"}, ["${StoredList}"]),
    ({"Ref": "Odd"}, ["${Odd}"]),
    ({"Ref": "Nothing"}, ["${Nothing}"]),
    ({"Ref": "AWS::NoValue"}, []),
    ({"Ref": "AWS::AccountId"}, ["${AWS::AccountId}"]),
    ({"Ref": "Policy"}, ["arn:${partition}:iam::${account}:policy/p/own"]),
    ({"Ref": "Unnamed"}, ["arn:${partition}:iam::${account}:policy/${Unnamed}"]),
    ({"Ref": "Role"}, ["role"]),
    ({"Ref": "User"}, ["user"]),
    ({"Ref": "Group"}, ["group"]),
    ({"Ref": "Parameter"}, ["${Parameter}"]),
    ({"Fn::GetAtt": "Parameter.Value"}, ["stored"]),
    ({"Fn::GetAtt": "Role.Arn"}, ["${Role.Arn}"]),
    ({"Ref": "Bucket"}, ["${Bucket}"]),
    *(({"Ref": name}, [f"${{{name}}}"]) for name in PSEUDO_PARAMETERS),
    ({"Ref": {"Ref": "Missing"}}, ["${Missing}"]),
    ({"Ref": ["Plain"]}, ["plain"]),
    # attributes
    ({"Fn::GetAtt": "Policy.PolicyArn"}, ["arn:${partition}:iam::${account}:policy/p/own"]),
    ({"Fn::GetAtt": ["Bucket", "Arn"]}, ["${Bucket.Arn}"]),
    ({"Fn::GetAtt": ["Bucket", {"Ref": "Plain"}]}, ["${Bucket.plain}"]),
    ({"Fn::GetAtt": {}}, ["${${…}}"]),
    # text made of others
    ({"Fn::Sub": "${Plain}-${!Plain}-${ Chosen }"}, ["plain-${Plain}-a", "plain-${Plain}-b"]),
    ({"Fn::Sub": "${Plain} and no end ${"}, ["plain and no end ${"]),
    ({"Fn::Sub": ["${Own}${Plain}", {"Own": {"Ref": "Chosen"}}]}, ["aplain", "bplain"]),
    ({"Fn::Sub": ["${Plain}", "odd"]}, ["plain"]),
    ({"Fn::Sub": ["${Plain}", {}, {}]}, ["${Fn::Sub}"]),
    ({"Fn::Join": ["-", ["a", {"Ref": "AWS::NoValue"}, {"Ref": "List"}]]}, ["a-x-y"]),
    ({"Fn::Join": ["-", {"Ref": "MissingList"}]}, ["${MissingList}"]),
    ({"Fn::Join": ["-", [{"a": "b"}]]}, ["${…}"]),
    ({"Fn::Join": ["-", []]}, [""]),
    ({"Fn::Join": "odd"}, ["${Fn::Join}"]),
    ({"Fn::Join": ["-", {"Fn::Split": [",", {"Fn::Sub": "a,${Missing}"}]}]}, ["${Missing}"]),
    # lists
    ({"Fn::Split": [",", "a,b"]}, ["a", "b"]),
    ({"Fn::Split": [{"Ref": "Missing"}, "a,b"]}, ["a,b"]),
    ({"Fn::Split": [":", {"Fn::Sub": "a:${AWS::Region}:b"}]}, ["a", "${AWS::Region}", "b"]),
    ({"Fn::Select": [1, ["a", "b"]]}, ["b"]),
    ({"Fn::Select": ["2", ["a", "b"]]}, ["${Fn::Select}"]),
    ({"Fn::Select": ["9" * 5000, ["a", "b"]]}, ["a", "b"]),
    ({"Fn::Select": [{"Ref": "Missing"}, ["a", "b"]]}, ["a", "b"]),
    ({"Fn::Select": [0, {"Ref": "MissingList"}]}, ["${MissingList}"]),
    ({"Fn::Select": [0, "no list"]}, ["no list"]),
    ({"Fn::Select": [0, {"Fn::GetAZs": ""}]}, ["${Fn::GetAZs}"]),
    # choices
    ({"Fn::If": ["Always", "a", "b"]}, ["a"]),
    ({"Fn::If": ["Open", "a", "b"]}, ["a", "b"]),
    ({"Fn::If": ["Itself", "a", "b"]}, ["a", "b"]),
    ({"Fn::If": ["Odd", "a", "b"]}, ["a", "b"]),
    ({"Fn::If": ["Nowhere", "a", "b"]}, ["a", "b"]),
    ({"Fn::If": ["Alike", "a", "b"]}, ["a"]),
    ({"Fn::If": ["Apart", "a", "b"]}, ["b"]),
    ({"Fn::If": ["Unlike", "a", "b"]}, ["a", "b"]),
    ({"Fn::If": ["Home", {"Fn::If": ["Abroad", "never", "home"]}, "abroad"]}, ["home", "abroad"]),
    ({"Fn::If": ["Open", ["a", "b"], "c"]}, ["a", "b", "c"]),
    ({"Fn::If": ["Open", "a"]}, ["${Fn::If}"]),
    ({"Fn::FindInMap": ["Map", "one", "Value"]}, ["1"]),
    ({"Fn::FindInMap": ["Map", {"Ref": "Missing"}, "Value"]}, ["1", "2", "3"]),
    ({"Fn::FindInMap": ["Map", {"Ref": "AWS::AccountId"}, "Value"]}, ["3"]),
    ({"Fn::FindInMap": ["Map", {"Fn::Sub": "t${Missing}"}, "Value"]}, ["2"]),
    ({"Fn::FindInMap": ["Map", "none", "Value"]}, ["${Fn::FindInMap}"]),
    ({"Fn::FindInMap": ["Map", {"Ref": "Chosen"}, "Value"]}, []),  # there is no such stack
    ({"Fn::FindInMap": ["Map", "none", "Value", {"DefaultValue": "d"}]}, ["d"]),
    ({"Fn::FindInMap": ["Map", {"Ref": "Missing"}, "Value", {"DefaultValue": "d"}]}, ["1", "2", "3", "d"]),
    ({"Fn::FindInMap": ["Map"]}, ["${Fn::FindInMap}"]),
    # what the template does not tell
    ({"Fn::ImportValue": "name"}, ["${Fn::ImportValue name}"]),
    ({"Fn::Transform": {"Name": "AWS::Include"}}, ["${Fn::Transform}"]),
    ({"Fn::Later": {"x": [ADMIN, {"Fn::If": ["Open", {"y": ADMIN}, "z"]}]}}, [ADMIN, "${Fn::Later}"]),
]


def possibles(expression: Any) -> list[Possible]:
    evaluator = Evaluator(node_of_value(TEMPLATE))
    members = evaluator.members(node_of_value(expression), World())
    return [final for possible in members for final in evaluator.resolved(possible)]


def told_of(possible: Possible) -> tuple[str, ...]:
    return told(possible.world.facts, names={})


@pytest.mark.parametrize(("expression", "texts"), ROWS, ids=[str(expression) for expression, _ in ROWS])
def test_every_text(expression: Any, texts: list[str]) -> None:
    assert [str(possible.text) for possible in possibles(expression)] == texts


@pytest.mark.parametrize(
    ("condition", "texts"),
    [
        ("Half", ["a", "b"]),
        ("Never", ["b"]),
        ("Turned", ["a", "b"]),
        ("Letters", ["b"]),
        ("Mixed", ["a", "b"]),
        ("Neither", ["b"]),
        ("NotOfNone", ["a", "b"]),
        ("NotOfText", ["a", "b"]),
        ("OfList", ["a", "b"]),
        ("NotOfTwo", ["a", "b"]),
        ("AndOfNone", ["a", "b"]),
        ("Later", ["a", "b"]),
        ("Isa", ["a"]),
        ("Isb", ["b"]),
        ("Tooa", ["a"]),
        ("Toob", ["b"]),
        pytest.param("Last", ["a", "b"], id="true for the last of 512 values only"),
    ],
)
def test_sides_of_a_condition(condition: str, texts: list[str]) -> None:
    assert [str(possible.text) for possible in possibles({"Fn::If": [condition, "a", "b"]})] == texts


def test_a_text_tells_of_its_parts() -> None:
    texts = [str(possible.text) for possible in possibles({"Fn::If": ["Part", {"Fn::If": ["Home", "a", "b"]}, "c"]})]
    assert texts == ["a", "c"]


def test_a_part_of_an_unknown_text_is_not_the_text() -> None:
    """That the first part of a parameter is `a` does not say that the parameter is."""
    template = {
        **TEMPLATE,
        "Conditions": {
            "First": {"Fn::Equals": [{"Fn::Select": [0, {"Fn::Split": ["-", {"Ref": "Missing"}]}]}, "a"]},
            "Open": {"Fn::Equals": [{"Ref": "Missing"}, "a"]},
        },
    }
    evaluator = Evaluator(node_of_value(template))
    expression = {"Fn::If": ["First", {"Fn::If": ["Open", "a", "b"]}, "c"]}
    assert [str(one.text) for one in evaluator.members(node_of_value(expression), World())] == ["a", "b", "c"]


def test_the_same_key_is_chosen_twice() -> None:
    """A key that is not known is the same wherever it is looked up."""
    look_up = {"Fn::FindInMap": ["Map", {"Ref": "Missing"}, "Value"]}
    texts = [str(possible.text) for possible in possibles({"Fn::Join": ["", [look_up, {"Ref": "Missing"}, look_up]]})]
    assert texts == ["1one1", "2two2", "31234567890123"]


def test_what_earlier_choices_imply_is_not_told() -> None:
    inner = {"Fn::If": ["Abroad", "never", "home"]}
    said = {str(one.text): told_of(one) for one in possibles({"Fn::If": ["Home", inner, "abroad"]})}
    assert said == {"home": ("AWS::Region is eu-west-1",), "abroad": ("AWS::Region is not eu-west-1",)}


@pytest.mark.parametrize(
    ("name", "alphabet"),
    [
        ("AWS::AccountId", Alphabet.DIGITS),
        ("AWS::Partition", Alphabet.SEGMENT),
        ("AWS::Region", Alphabet.SEGMENT),
        ("AWS::StackName", Alphabet.SEGMENT),
        ("AWS::URLSuffix", Alphabet.SEGMENT),
        ("AWS::StackId", Alphabet.ANY),
        ("AWS::NotificationARNs", Alphabet.ANY),
        ("Missing", Alphabet.ANY),
    ],
)
def test_what_may_stand_in_a_reference(name: str, alphabet: Alphabet) -> None:
    [possible] = possibles({"Ref": name})
    assert [hole.alphabet for hole in possible.text.holes] == [alphabet]


def test_a_fact_is_told() -> None:
    said = [told_of(possible) for possible in possibles({"Fn::If": ["Open", "a", "b"]})]
    assert said == [("parameter Missing is a",), ("parameter Missing is not a",)]


def test_where_a_value_comes_from() -> None:
    [plain] = possibles({"Ref": "Plain"})
    assert plain.world.origin == "the default of Plain"


def test_split_keeps_what_a_hole_may_hide() -> None:
    hole = unknown("x", "unknown")
    items = split_text(text("a,b", hole, "c,d"), ",")
    assert [str(element) for element in items.elements] == ["a", "b${x}c", "d"]
    assert items.rest == hole
    assert split_text(text("a:", unknown("x", "unknown", Alphabet.SEGMENT)), ":").rest is None


def test_late_parts_become_holes() -> None:
    hole = unknown("Region", "unknown")
    written = text("arn:{{resolve:ssm:/", hole, "/x}}:", hole, ":${LATER}")
    assert str(with_late_parts(written)) == "arn:${resolve:ssm:/…/x}:${Region}:${LATER}"


@pytest.mark.parametrize("written", ["${a.${b}}", "${a.${b.${c.${d.${e}}}}}", "${a, '{'}", "${a, {}}"])
def test_a_late_part_ends_with_its_last_brace(written: str) -> None:
    assert with_late_parts(text(written)).is_unknown
    assert str(with_late_parts(text(written))) == written


@pytest.mark.parametrize(
    ("value", "policies"),
    [
        ("[!Ref A, !Ref B]", ["arn:aws:iam::aws:policy/x", "arn:aws:iam::aws:policy/y"]),
        ("!Split [',', 'x,y']", ["arn:aws:iam::aws:policy/x", "arn:aws:iam::aws:policy/y"]),
        ("!GetAZs ''", ["arn:aws:iam::aws:policy/${Fn::GetAZs}"]),
        ("{a: b}", ["arn:aws:iam::aws:policy/${…}"]),
    ],
)
def test_lists_as_arguments_of_a_nested_stack(value: str, policies: list[str]) -> None:
    reading = read_template_text(
        f"""
Parameters: {{A: {{Default: x}}, B: {{Default: y}}}}
Resources:
  Stack:
    Type: AWS::CloudFormation::Stack
    Properties:
      Parameters: {{Names: {value}}}
      TemplateBody:
        Parameters: {{Names: {{Type: CommaDelimitedList}}}}
        Resources:
          Fn::ForEach::Names:
            - Name
            - !Ref Names
            - Role${{Name}}:
                Type: AWS::IAM::Role
                Properties: {{ManagedPolicyArns: [!Sub "arn:aws:iam::aws:policy/${{Name}}"]}}
""",
        "parent.yaml",
    )
    assert reading is not None
    assert [str(attachment.policy) for attachment in reading.attachments] == policies


def test_a_type_that_is_not_known() -> None:
    hole = unknown("var.type", "unknown")
    body = text("Resources: {Role: {Type: '", hole, "', Properties: {ManagedPolicyArns: [x]}}}")
    reading = read_template_text(body, "main.tf")
    assert reading is not None
    assert [problem.reason for problem in reading.unjudged] == ["the Type of Role is not known"]
