"""Templates that are odd, hostile or no templates at all: each gets an answer, quickly, and nothing is dropped."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest
from project_files import PROJECT
from unapproved_iam.cloudformation.document import Array, Node, Scalar, documents_of
from unapproved_iam.cloudformation.source_skips import TemplateText
from unapproved_iam.cloudformation.stack import Nesting, Stack, stacks_of
from unapproved_iam.cloudformation.template import read_template, read_template_text, reading_of_conf
from unapproved_iam.policies.attachment import Reading
from unapproved_iam.policies.possible_text import text, unknown

FIXTURES = PROJECT / "fixtures"
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
OTHER = "arn:aws:iam::aws:policy/ReadOnlyAccess"
ROLE = f"{{Type: AWS::IAM::Role, Properties: {{ManagedPolicyArns: [{ADMIN}]}}}}"


def read(path: Path, content: str | bytes) -> Reading | None:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_template(str(path))


def policies(reading: Reading | None) -> list[str]:
    assert reading is not None
    return [str(attachment.policy) for attachment in reading.attachments]


NO_TEMPLATES = {
    "empty": "",
    "nothing but blanks": " \n\n",
    "Kubernetes": "apiVersion: v1\nkind: Role\nmetadata: {name: x}\nrules: []\n",
    "Kubernetes that mentions a type": "kind: ConfigMap\ndata: {Resources: '1', type: AWS::IAM::Role}\n",
    "Helm": "{{- if .Values.rbac }}\nkind: Role\n{{- end }}\n",
    "workflow": "on: push\njobs: {build: {runs-on: ubuntu-latest, steps: [{run: aws iam list-roles}]}}\n",
    "OpenAPI": '{"openapi": "3.0.0", "paths": {}}',
    "package": '{"name": "x", "dependencies": {}}',
    "parameters of a stack": '[{"ParameterKey": "Type", "ParameterValue": "AWS::IAM::Role"}]',
    "resource specification": '{"ResourceTypes": {"AWS::IAM::Role": {"Properties": {"ManagedPolicyArns": {}}}}}',
    "list of types": '["AWS::IAM::Role", "Resources"]',
    "template without attaching types": "Resources: {Bucket: {Type: AWS::S3::Bucket}}\n",
    "broken YAML that is no template": "AWS::IAM::Role: [\n",
    "broken Helm chart": "kind: Role\n{{ if x }}\n  a: [\n",
    "binary": bytes(range(256)) * 10,
}


@pytest.mark.parametrize("content", NO_TEMPLATES.values(), ids=NO_TEMPLATES)
def test_no_template(content: str | bytes, tmp_path: Path) -> None:
    assert read(tmp_path / "file.yaml", content) is None


def test_resources_that_are_none(tmp_path: Path) -> None:
    assert read(tmp_path / "file.json", '{"Resources": ["AWS::IAM::Role"]}') == Reading()


def test_nothing_to_read(tmp_path: Path) -> None:
    assert read_template(str(tmp_path / "missing.yaml")) is None
    directory = read_template(str(tmp_path))
    assert directory is not None
    assert [one.reason for one in directory.unjudged] == ["cannot be read: is not a regular file"]


TYPE_ACROSS_LINES = '"AWS::IAM::\\\n      Role"'
READABLE = {
    "bare": f"Resources: {{Role: {ROLE}}}\n",
    "byte order mark": f"\ufeffResources: {{Role: {ROLE}}}\n",
    "Windows line ends": f"Resources:\r\n  Role: {ROLE}\r\n",
    "UTF-16": f"Resources: {{Role: {ROLE}}}\n".encode("utf-16"),
    "Latin-1": f"# caf\xe9\nResources: {{Role: {ROLE}}}\n".encode("latin-1"),
    "indented": f"  Resources:\n    Role: {ROLE}\n",
    "JSON indented by tabs": json.dumps(
        {"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": {"ManagedPolicyArns": [ADMIN]}}}}, indent="\t"
    ),
    "JSON with escapes": (
        '{"\\u0052esources": {"Role": {"Type": "AWS\\u003a:IAM::Role", "Properties": {"Description": '
        f'"\\ud83d\\ude00 \\ud83d \\\\ud83d \\/ \\b", "ManagedPolicyArns": ["{ADMIN}"]}}}}}}}}'
    ),
    "type across lines": f"Resources:\n  Role: {ROLE.replace('AWS::IAM::Role', TYPE_ACROSS_LINES)}\n",
    "key of its own line": f"Resources:\n  ? Role\n  : {ROLE}\n",
    "tagged text": f"Resources:\n  Role: {ROLE.replace('AWS::IAM', '!!str AWS::IAM')}\n",
    "key written twice": f"Resources: {{Role: {ROLE}}}\nResources: {{Bucket: {{Type: AWS::S3::Bucket}}}}\n",
}


@pytest.mark.parametrize("content", READABLE.values(), ids=READABLE)
def test_readable(content: str | bytes, tmp_path: Path) -> None:
    reading = read(tmp_path / "file.template", content)
    assert policies(reading) == [ADMIN]
    assert reading is not None
    assert reading.unjudged == ()


UNREADABLE = {
    "templating": (f"Resources:\n{{% for x in y %}}\n  Role: {ROLE}\n{{% endfor %}}\n", 2),
    "templating of values": ("Resources:\n  Role:\n    Type: AWS::IAM::Role\n    Properties: {{ properties }\n", 4),
    "tabs": (f"Resources:\n\tRole: {ROLE}\n", 2),
    "cut off": ('{"Resources": {"Role": {"Type": "AWS::IAM::Role"', 1),
    "brackets without end": ("Resources:\n  Role: {Type: AWS::IAM::Role}\n  Deep: " + "[" * 100_000, 3),
    "lists without end": ("Resources:\n  Role: {Type: AWS::IAM::Role}\n  Deep:\n    " + "- " * 100_000, 4),
    "unknown alias": ("Resources:\n  Role: {Type: AWS::IAM::Role, Properties: *missing}\n", 2),
    "list of resources": (f"Resources:\n  - {ROLE}\n", 2),
}


@pytest.mark.parametrize(("content", "line"), UNREADABLE.values(), ids=UNREADABLE)
def test_unreadable(content: str, line: int, tmp_path: Path) -> None:
    reading = read(tmp_path / "file.yaml", content)
    assert reading is not None
    assert [problem.place.line for problem in reading.unjudged] == [line]


def test_what_could_be_read_is_kept(tmp_path: Path) -> None:
    reading = read(tmp_path / "file.yaml", f"Resources: {{Role: {ROLE}}}\n---\nResources: [\n")
    assert policies(reading) == [ADMIN]
    assert reading is not None
    assert len(reading.unjudged) == 1


BOMB = "\n".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12))
ODD_ROLE = "  Odd: {Type: AWS::IAM::Role, Properties: {ManagedPolicyArns: "
ODD_POLICY = "  Odd: {Type: AWS::IAM::ManagedPolicy, Properties: {ManagedPolicyName: !Ref Odd, Users: [someone]}}\n"
ENDLESS = {
    "alias bomb": f"a0: &a0 [x]\n{BOMB}\nResources:\n{ODD_ROLE}*a11}}}}\n",
    "alias of itself": f"Resources:\n{ODD_ROLE}&a [*a]}}}}\n",
    "policy named after itself": f"Resources:\n{ODD_POLICY}",
    "functions of themselves": f"Resources:\n{ODD_ROLE}[&a {{'Fn::Select': [0, [*a]]}}]}}}}\n",
}


@pytest.mark.parametrize("content", ENDLESS.values(), ids=ENDLESS)
def test_bounded(content: str, tmp_path: Path) -> None:
    reading = read(tmp_path / "file.yaml", f"{content}  Role: {ROLE}\n")
    assert policies(reading) == [ADMIN]
    assert reading is not None
    assert [problem.reason.split()[0] for problem in reading.unjudged] == ["Odd"]


def test_too_many_combinations_are_not_judged(tmp_path: Path) -> None:
    parameters = {f"P{n}": {"Type": "String", "AllowedValues": list("abcdefgh")} for n in range(30)}
    joined = {"Fn::Join": ["", [{"Ref": name} for name in parameters]]}
    role = {"Type": "AWS::IAM::Role", "Properties": {"ManagedPolicyArns": [joined]}}
    content = json.dumps({"Parameters": parameters, "Resources": {"Role": role}}, indent=0)
    reading = read(tmp_path / "file.json", content)
    assert reading is not None
    [problem] = reading.unjudged
    assert problem.reason == "Role has more possible values than can be followed (at most 5000 of one text)"
    assert content.splitlines()[problem.place.line - 1].startswith('"Role"')


def test_values_of_principals_are_bounded(tmp_path: Path) -> None:
    """A role's name may be anything then, so that no approval covers it; its policies are judged all the same."""
    parameters = {f"P{n}": {"Type": "String", "AllowedValues": list("abcdefgh")} for n in range(30)}
    name = {"Fn::Join": ["", [{"Ref": name} for name in parameters]]}
    role = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": name, "ManagedPolicyArns": [ADMIN]}}
    reading = read(tmp_path / "file.json", json.dumps({"Parameters": parameters, "Resources": {"Role": role}}))
    assert policies(reading) == [ADMIN]
    assert reading is not None
    assert reading.unjudged == ()
    assert [str(one.name) for one in reading.attachments[0].principals] == ["${Role}"]


PASSED = {"Fn::Sub": "arn:aws:iam::aws:policy/${Name}"}


def test_an_ordinary_nested_stack_is_followed(tmp_path: Path) -> None:
    """Many arguments that AllowedValues and rows of a mapping multiply: each is looked at when it is asked for."""
    parameters = {f"P{n}": {"Type": "String", "AllowedValues": list("abcdefghij")} for n in range(12)}
    mapping = {key: {"Name": f"{key}Access"} for key in "abcdefghij"}
    sub = {"Fn::Sub": "-".join(f"${{{name}}}" for name in parameters)}
    found = [{"Fn::FindInMap": ["Map", {"Ref": name}, "Name"]} for name in parameters]
    arguments = {"Long": sub, "Longer": {"Fn::Join": ["-", found]}, "Name": found[0]}
    role = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": {"Ref": "Long"}, "ManagedPolicyArns": [PASSED]}}
    child = {"Parameters": {name: {"Type": "String"} for name in arguments}, "Resources": {"Role": role}}
    stack = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateBody": child, "Parameters": arguments}}
    template = {"Parameters": parameters, "Mappings": {"Map": mapping}, "Resources": {"Stack": stack}}
    reading = read(tmp_path / "file.json", json.dumps(template))
    assert policies(reading) == [f"arn:aws:iam::aws:policy/{key}Access" for key in "abcdefghij"]
    assert reading is not None
    assert reading.unjudged == ()


@pytest.mark.parametrize("conditions", [10, 30])
def test_conditions_cost_their_share(conditions: int) -> None:
    """Each is decided once, however many resources ask for it, and independent ones do not multiply."""
    parameters = {f"P{n}": {"Type": "String", "Default": "x"} for n in range(conditions)}
    chained: dict[str, Any] = {f"C{n}": {"Fn::Equals": [{"Ref": f"P{n}"}, "y"]} for n in range(conditions)}
    chained |= {f"D{n}": {"Fn::And": [{"Condition": f"D{n - 1}"}, chained[f"C{n}"]]} for n in range(1, conditions)}
    chained["D0"] = chained["C0"]
    chosen = [{"Fn::If": [name, ADMIN, {"Ref": "AWS::NoValue"}]} for name in chained]
    role = {"Type": "AWS::IAM::Role", "Properties": {"ManagedPolicyArns": chosen}}
    kept = []
    for roles in (2, 20):
        resources = {f"R{n}": role for n in range(roles)}
        template = {"Parameters": parameters, "Conditions": chained, "Resources": resources}
        [stack] = stacks_of(TemplateText("file.json", json.dumps(template)), Nesting("file.json"))
        assert isinstance(stack, Stack)
        assert len(stack.reading().attachments) == roles
        kept.append(len(stack.nesting.unknowns.diagram))
    assert kept[0] == kept[1] < 8 * conditions**2


def test_larger_than_any_template(tmp_path: Path) -> None:
    reading = read(
        tmp_path / "file.json", f'{{"Resources": {{"Role": {{"Type": "AWS::IAM::Role"}}}}}}{" " * (16 << 20)}'
    )
    assert reading is not None
    assert [problem.reason for problem in reading.unjudged] == ["is larger than 16 MiB (CloudFormation accepts 1 MiB)"]
    assert read(tmp_path / "file.json", " " * (17 << 20)) is None


@pytest.mark.parametrize("seed", range(60))
def test_any_shape_is_walked(seed: int, tmp_path: Path) -> None:
    """Any part of a template may be anything else: no crash, and what is left untouched is still found."""
    chance = random.Random(seed)
    path = chance.choice(
        sorted((FIXTURES / "cloudformation").glob("*.yaml")) + sorted((FIXTURES / "sam").glob("*.yaml"))
    )
    for document in documents_of(path.read_text("utf-8-sig")):
        for _ in range(10):
            value = plain(document)
            for _ in range(chance.choice([1, 3, 10])):
                spoil(value, chance)
            if isinstance(value, dict) and isinstance(value.get("Resources"), dict):
                value["Resources"]["Untouched"] = {
                    "Type": "AWS::IAM::Role",
                    "Properties": {"ManagedPolicyArns": [ADMIN]},
                }
                reading = read(tmp_path / "file.json", json.dumps(value))
                assert reading is not None
                assert [str(a.policy) for a in reading.attachments if a.resource == "Untouched"] == [ADMIN]


ODD: list[Any] = [
    None,
    "",
    "x",
    0,
    1.5,
    True,
    [],
    {},
    [[]],
    [None],
    {"Ref": None},
    {"Ref": ["x"]},
    {"Fn::Sub": []},
    {"Fn::If": "x"},
]
ODD += [
    {"Fn::Join": {}},
    {"Fn::Select": [[], {}]},
    {"Fn::FindInMap": [1, 2]},
    {"Fn::GetAtt": {}},
    {"": {}},
    {"Fn::": 1},
]


def spoil(value: Any, chance: random.Random) -> None:
    """Replace one part, anywhere."""
    while isinstance(value, dict | list) and value:
        key = chance.choice(list(value) if isinstance(value, dict) else range(len(value)))
        if not isinstance(value[key], dict | list) or not value[key] or chance.random() < 0.2:
            value[key] = copy.deepcopy(chance.choice(ODD))
            return
        value = value[key]


def plain(node: Node) -> Any:
    if isinstance(node, Scalar):
        return None if node.is_null else node.text
    if isinstance(node, Array):
        return [plain(item) for item in node.items]
    return {key.text: plain(value) for key, value in node.pairs if isinstance(key, Scalar)}


# Templates inside other files


BODY = """\
Parameters:
  Policy: {Type: String}
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      ManagedPolicyArns:
        - !Sub arn:aws:iam::aws:policy/${Policy}
"""


def test_text_inside_another_file() -> None:
    reading = read_template_text(BODY, "main.tf", line=11, arguments={"Policy": [text("A"), text("B")]})
    assert policies(reading) == ["arn:aws:iam::aws:policy/A", "arn:aws:iam::aws:policy/B"]
    assert reading is not None
    first, second = reading.attachments
    assert (Path(first.place.path).name, first.place.line, first.block.line, first.block.end_line) == (
        "main.tf",
        18,
        14,
        18,
    )
    assert (first.when, second.when) == (("parameter Policy is A",), ("parameter Policy is B",))


def test_text_on_one_line() -> None:
    reading = read_template_text(BODY, "main.tf", line=11, on_one_line=True)
    assert reading is not None
    assert [(a.place.line, a.block.line, a.block.end_line) for a in reading.attachments] == [(11, 11, 11)]


def test_arguments_that_are_not_known() -> None:
    assert policies(read_template_text(BODY, "main.tf")) == ["arn:aws:iam::aws:policy/${Policy}"]
    assert policies(read_template_text(BODY, "main.tf", arguments={})) == ["arn:aws:iam::aws:policy/${Policy}"]


def test_holes_in_the_text_stay_holes() -> None:
    hole = unknown("var.policy", "variable policy has no default")
    start, end = BODY.split("${Policy}")
    reading = read_template_text(text(start, hole, end), "main.tf")
    assert reading is not None
    [attachment] = reading.attachments
    assert attachment.policy == text("arn:aws:iam::aws:policy/", hole)


def test_text_that_is_no_template() -> None:
    assert read_template_text("kind: Role", "main.tf") is None
    assert read_template_text(text(unknown("var.body", "unknown")), "main.tf") is None


# Resources as checkov hands them to a check


def test_conf_of_a_resource() -> None:
    conf = {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "ManagedPolicyArns": [ADMIN, {"Ref": "Policy"}, {"Fn::If": ["IsProd", OTHER, {"Ref": "AWS::NoValue"}]}],
            "__startline__": 4,
            "__endline__": 9,
            "__file__": "t.yaml",
        },
        "__startline__": 3,
        "__endline__": 9,
        "__file__": "t.yaml",
    }
    attachments = reading_of_conf("Role", conf, "t.yaml").attachments
    assert [(str(a.policy), a.when) for a in attachments] == [
        (ADMIN, ()),
        ("${Policy}", ()),
        (OTHER, ("Condition IsProd is true",)),
    ]
    assert {(a.resource, a.resource_type, a.block.line) for a in attachments} == {("Role", "AWS::IAM::Role", 3)}


def test_conf_with_the_default_of_a_list() -> None:
    conf = {"Type": "AWS::IAM::Role", "Properties": {"ManagedPolicyArns": f"{ADMIN}, {OTHER}"}}
    assert [str(a.policy) for a in reading_of_conf("Role", conf, "t.yaml").attachments] == [ADMIN, OTHER]


@pytest.mark.parametrize("conf", [None, [], "x", {"Type": []}, {"Type": "AWS::IAM::Role", "Properties": {}}])
def test_conf_of_any_shape(conf: object) -> None:
    assert reading_of_conf("Role", conf, "t.yaml") == Reading()


def test_conf_that_cannot_be_read() -> None:
    reading = reading_of_conf("Role", {"Type": "AWS::IAM::Role", "Properties": []}, "t.yaml")
    assert [one.reason for one in reading.unjudged] == ["Properties of Role is a list (expected a mapping)"]


def test_properties_that_no_mapping_has(tmp_path: Path) -> None:
    role = f"{{Type: AWS::IAM::Role, Properties: !FindInMap [Map, a, '{ADMIN}']}}"
    reading = read(tmp_path / "file.yaml", f"Mappings: {{Map: {{a: {{b: c}}}}}}\nResources: {{Role: {role}}}\n")
    assert reading is not None
    assert [one.reason for one in reading.unjudged] == ["Properties of Role is Fn::FindInMap (expected a mapping)"]


# Nested stacks


def test_nested_stacks_say_who_calls() -> None:
    reading = read_template(str(FIXTURES / "cloudformation" / "nested" / "parent.yaml"))
    assert reading is not None
    nested = {a.resource: a for a in reading.attachments if a.calls}
    role = nested["FailChildOfProd.OpenRole"]
    assert (Path(role.block.path).name, Path(role.calls[0].path).name) == ("child.yaml", "parent.yaml")
    assert (role.calls[0].line, role.calls[0].end_line) == (28, 35)
    assert (role.when, role.origin) == (("parameter Stage of parent.yaml is prod",), "the arguments in parent.yaml")
    assert Path(role.unit).name == "parent.yaml"


def test_a_nested_template_that_attaches_nothing(tmp_path: Path) -> None:
    """What is passed to it is harmless then, and its outputs count all the same."""
    (tmp_path / "child.yaml").write_text(f"Resources: {{}}\nOutputs: {{Arn: {{Value: {ADMIN}}}}}\n")
    stack = {
        "Type": "AWS::CloudFormation::Stack",
        "Properties": {"TemplateURL": "child.yaml", "Parameters": {"P": OTHER}},
    }
    role = {"Type": "AWS::IAM::Role", "Properties": {"ManagedPolicyArns": [{"Fn::GetAtt": "Stack.Outputs.Arn"}]}}
    reading = read(tmp_path / "parent.json", json.dumps({"Resources": {"Stack": stack, "Role": role}}))
    assert policies(reading) == [ADMIN]


def test_nested_templates_are_bounded(tmp_path: Path) -> None:
    """Stacks that nest each other ten at a time, to no end."""
    for level in range(6):
        stacks = {
            f"S{n}": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": f"{level + 1}.json"}}
            for n in range(10)
        }
        (tmp_path / f"{level}.json").write_text(json.dumps({"Resources": stacks}))
    (tmp_path / "6.json").write_text(json.dumps({"Resources": {"Role": {"Type": "AWS::IAM::Role"}}}))
    reading = read_template(str(tmp_path / "0.json"))
    assert reading is not None
    assert {problem.reason for problem in reading.unjudged} == {"more than 200 stacks are nested"}


def test_skip_of_a_nesting_resource_covers_what_it_nests(tmp_path: Path) -> None:
    (tmp_path / "child.yaml").write_text(f"Resources:\n  Role: {ROLE}\n")
    parent = "Resources:\n  Stack:\n    # checkov:skip=IAM_068:reviewed\n    Type: AWS::CloudFormation::Stack\n"
    reading = read(tmp_path / "parent.yaml", f"{parent}    Properties: {{TemplateURL: child.yaml}}\n")
    assert reading is not None
    assert [attachment.skip for attachment in reading.attachments] == ["reviewed"]


def test_a_nested_template_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "child.yaml").write_text("Resources:\n  Role: {Type: AWS::IAM::Role\n")
    stack = "Resources:\n  Stack: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: child.yaml}}\n"
    reading = read(tmp_path / "parent.yaml", stack)
    assert reading is not None
    assert [Path(problem.place.path).name for problem in reading.unjudged] == ["child.yaml"]
