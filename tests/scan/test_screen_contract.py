"""The contract of the screen: the same denied findings and the same exit code as without it.

On every fixture, with lists of every form; and on generated units in which a policy's ARN is put together in as many
ways as the languages have. The generated ARNs are denied as often as not, so that something is there to be lost.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from project_files import PROJECT
from unapproved_iam.deny_list.entries import DenyList, Entry, Origin, Unresolved
from unapproved_iam.scan.check_scope import Request
from unapproved_iam.scan.tree_check import findings_of
from written_files import write_tree

FIXTURES = PROJECT / "fixtures"
TODAY = date(2026, 11, 1)

LISTS = {
    "names": ["AdministratorAccess", "PowerUserAccess", "IAMFullAccess", "AmazonEC2FullAccess"],
    "a path": ["arn:aws:iam::aws:policy/job-function/*", "arn:aws:iam::aws:policy/service-role/AWSLambdaRole"],
    "the end of names": ["*FullAccess"],
    "the middle of names": ["*User*"],
    "a customer's": ["arn:aws:iam::*:policy/legacy-*", "arn:aws:iam::*:policy/team/old_admin.1"],
    "what the transform adds": ["AWSLambdaBasicExecutionRole", "AWSXRayDaemonWriteAccess"],
    "everything of AWS": ["arn:aws:iam::aws:policy/*"],
    "everything": ["*"],
}


def deny_list(policies: list[str], unresolved: Unresolved = Unresolved.PASS) -> DenyList:
    entries = tuple(Entry(policy, Origin("list", number)) for number, policy in enumerate(policies, 1))
    return DenyList("list", entries, unresolved=unresolved)


def outcome(tree: Path, policies: DenyList, screen: bool) -> tuple[set[tuple[str, ...]], int]:
    found = findings_of(Request(paths=[str(tree)], screen=screen), policies, str(tree), TODAY)
    attachments = [finding.attachment for finding in found.violations]
    return {(one.unit, one.block.path, one.resource, str(one.policy)) for one in attachments}, found.exit_code


@pytest.mark.parametrize("kind", sorted(path.name for path in FIXTURES.iterdir() if path.name != "deny_lists"))
@pytest.mark.parametrize("policies", LISTS.values(), ids=LISTS.keys())
def test_fixtures(kind: str, policies: list[str]) -> None:
    for unresolved in Unresolved:
        by_list = deny_list(policies, unresolved)
        assert outcome(FIXTURES / kind, by_list, screen=True) == outcome(FIXTURES / kind, by_list, screen=False)


POLICIES = [
    "arn:aws:iam::aws:policy/AdministratorAccess",
    "arn:aws-cn:iam::aws:policy/PowerUserAccess",
    "arn:aws:iam::aws:policy/job-function/SystemAdministrator",
    "arn:aws:iam::aws:policy/AmazonEC2FullAccess",
    "arn:aws:iam::123456789012:policy/legacy-1",
    "arn:aws:iam::123456789012:policy/team/old_admin.1",
    "arn:aws:iam::aws:policy/ReadOnlyAccess",
]
lists = st.sampled_from([deny_list(policies) for policies in LISTS.values()])


Choice = TypeVar("Choice")


class Unit:
    """Files of one unit, filled while an expression is made."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self.draw = draw
        self.files: dict[str, str] = {}
        self.number = 0

    def choose(self, *alternatives: Choice) -> Choice:
        chosen: Choice = self.draw(st.sampled_from(alternatives))
        return chosen

    def name(self) -> str:
        self.number += 1
        return f"n{self.number}"

    def append(self, file: str, text: str) -> None:
        self.files[file] = self.files.get(file, "") + text

    def cut(self, text: str) -> tuple[str, str]:
        at = self.draw(st.integers(0, len(text)))
        return text[:at], text[at:]


def quoted(text: str) -> str:
    return json.dumps(text)


class TerraformUnit(Unit):
    """Expressions of HCL whose value is a given text."""

    def expression(self, text: str, depth: int = 3) -> str:
        leaves = (self.literal, self.in_local, self.in_variable, self.in_values, self.in_file, self.in_data)
        makers = (self.template, self.joined, self.formatted, self.chosen, self.looked_up, self.split, self.keyed)
        maker: Callable[[str, int], str] = self.choose(*leaves, *makers) if depth else self.literal
        return maker(text, depth - 1)

    def literal(self, text: str, depth: int) -> str:
        return quoted(text)

    def escaped(self, text: str, depth: int) -> str:
        return '"' + "".join(f"\\u{ord(character):04x}" for character in text) + '"'

    def in_local(self, text: str, depth: int) -> str:
        name, value = self.name(), self.expression(text, depth)
        self.append("locals.tf", f"locals {{\n  {name} = {value}\n}}\n")
        return f"local.{name}"

    def in_variable(self, text: str, depth: int) -> str:
        name = self.name()
        self.append("variables.tf", f'variable "{name}" {{\n  default = {quoted(text)}\n}}\n')
        return f"var.{name}"

    def in_values(self, text: str, depth: int) -> str:
        name = self.name()
        self.append("variables.tf", f'variable "{name}" {{}}\n')
        self.append("terraform.tfvars", f"{name} = {quoted(text)}\n")
        return f"var.{name}"

    def in_file(self, text: str, depth: int) -> str:
        name = f"{self.name()}.txt"
        self.append(name, text)
        return self.choose(f'file("${{path.module}}/{name}")', f'templatefile("{name}", {{}})')

    def in_data(self, text: str, depth: int) -> str:
        name = f"{self.name()}.json"
        self.append(name, json.dumps({"key": [text]}))
        return f'jsondecode(file("${{path.module}}/{name}")).key[0]'

    def template(self, text: str, depth: int) -> str:
        before, after = self.cut(text)
        one, other = self.expression(before, depth), self.expression(after, depth)
        return self.choose(
            f'"${{{one}}}${{{other}}}"',
            f'"{before}${{{other}}}"',
            f'"${{{one}}}{after}"',
            f'"%{{ if true }}{before}%{{ endif }}{after}"',
        )

    def joined(self, text: str, depth: int) -> str:
        separator = self.choose("", "/", "-", "s", ":policy/")
        parts = text.split(separator) if separator else list(self.cut(text))
        return f"join({quoted(separator)}, [{', '.join(self.expression(part, depth) for part in parts)}])"

    def formatted(self, text: str, depth: int) -> str:
        before, after = self.cut(text)
        return self.choose(
            f'format("%s%s", {self.expression(before, depth)}, {self.expression(after, depth)})',
            f'format("{before}%s", {self.expression(after, depth)})',
            f'format("%[1]s{after}", {self.expression(before, depth)})',
        )

    def chosen(self, text: str, depth: int) -> str:
        name = self.name()
        self.append("variables.tf", f'variable "{name}" {{\n  default = false\n}}\n')
        return f'(var.{name} ? {self.expression(text, depth)} : "x")'

    def looked_up(self, text: str, depth: int) -> str:
        return f"{{ a = {self.expression(text, depth)} }}[{self.expression('a', depth)}]"

    def split(self, text: str, depth: int) -> str:
        return f'split(",", {self.expression(f"x,{text}", depth)})[1]'

    def keyed(self, text: str, depth: int) -> str:
        return f"keys({{ ({self.expression(text, depth)}) = 1 }})[0]"

    def attach(self, policy: str) -> None:
        by_arn, name = self.expression(policy), policy.rpartition("/")[2]
        account, path = policy.split(":")[4], policy.partition(":policy")[2].removesuffix(name)
        ways = [
            f'resource "aws_iam_role_policy_attachment" "a" {{\n  role = "x"\n  policy_arn = {by_arn}\n}}\n',
            f'resource "aws_iam_role" "a" {{\n  name = "x"\n  managed_policy_arns = [{by_arn}]\n}}\n',
            'resource "aws_iam_user_policy_attachment" "a" {\n  for_each = toset(['
            f"{self.expression(policy.partition(':policy/')[2])}])\n"
            f'  user = "x"\n  policy_arn = "arn:aws:iam::{account}:policy/${{each.value}}"\n}}\n',
            f'module "a" {{\n  source = "./called"\n  arn = {by_arn}\n}}\n',
            f'module "a" {{\n  source = "registry/role/aws"\n  arns = [{by_arn}]\n}}\n',
        ]
        if account == "aws":
            ways.append(
                f'data "aws_iam_policy" "p" {{\n  name = {self.expression(name)}\n}}\n'
                'resource "aws_iam_role_policy_attachment" "a" {\n  role = "x"\n'
                "  policy_arn = data.aws_iam_policy.p.arn\n}\n"
            )
        else:
            ways.append(
                f'resource "aws_iam_policy" "p" {{\n  name = {self.expression(name)}\n  path = {quoted(path)}\n}}\n'
                'resource "aws_iam_role_policy_attachment" "a" {\n  role = "x"\n'
                "  policy_arn = aws_iam_policy.p.arn\n}\n"
            )
        way = self.choose(*ways)
        self.append("main.tf", way)
        if "./called" in way:
            self.append(
                "called/main.tf",
                'variable "arn" {}\nresource "aws_iam_group_policy_attachment" "a" {\n'
                '  group = "x"\n  policy_arn = var.arn\n}\n',
            )


class TemplateUnit(Unit):
    """Values of a template, in their long form, whose value is a given text."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        super().__init__(draw)
        self.template: dict[str, Any] = {"Parameters": {"P": {"Type": "String", "Default": "p"}}, "Mappings": {}}
        self.template["Conditions"] = {"C": {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-central-1"]}}

    def value(self, text: str, depth: int = 3) -> Any:
        makers = (self.literal, self.parameter, self.sub, self.joined, self.chosen, self.mapped, self.selected)
        maker: Callable[[str, int], Any] = self.choose(*makers) if depth else self.literal
        return maker(text, depth - 1)

    def literal(self, text: str, depth: int) -> Any:
        return text

    def parameter(self, text: str, depth: int) -> Any:
        name = self.name()
        self.template["Parameters"][name] = {"Type": "String", "Default": text}
        return {"Ref": name}

    def sub(self, text: str, depth: int) -> Any:
        before, after = self.cut(text)
        if before.startswith("arn:aws:"):
            return {"Fn::Sub": ["arn:${AWS::Partition}:" + before[8:] + "${X}", {"X": self.value(after, depth)}]}
        return {"Fn::Sub": ["${X}" + after, {"X": self.value(before, depth)}]}

    def joined(self, text: str, depth: int) -> Any:
        separator = self.choose("", "/", "-", "s")
        parts = text.split(separator) if separator else list(self.cut(text))
        return {"Fn::Join": [separator, [self.value(part, depth) for part in parts]]}

    def chosen(self, text: str, depth: int) -> Any:
        return {"Fn::If": ["C", self.value(text, depth), "x"]}

    def mapped(self, text: str, depth: int) -> Any:
        name = self.name()
        self.template["Mappings"][name] = {"a": {"b": text}}
        return {"Fn::FindInMap": [name, "a", "b"]}

    def selected(self, text: str, depth: int) -> Any:
        if self.choose(True, False):
            return {"Fn::Select": [1, ["x", self.value(text, depth)]]}
        return {"Fn::Select": [1, {"Fn::Split": [",", self.value(f"x,{text}", depth)]}]}

    def attach(self, policy: str) -> None:
        name = policy.rpartition("/")[2]
        resource = self.choose(
            {"Type": "AWS::IAM::Role", "Properties": {"ManagedPolicyArns": [self.value(policy)]}},
            {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"ManagedPolicyName": self.value(name), "Roles": ["x"]}},
            {"Type": "AWS::Serverless::Function", "Properties": {"Policies": [self.value(name)], "Tracing": "Active"}},
            {"Type": "AWS::SSO::PermissionSet", "Properties": {"ManagedPolicies": [self.value(policy)]}},
        )
        self.template["Resources"] = {"A": resource}
        if resource["Type"] == "AWS::Serverless::Function":
            self.template["Transform"] = "AWS::Serverless-2016-10-31"
        self.files["template.json"] = json.dumps(self.template)


@st.composite
def units(
    draw: Callable[[st.SearchStrategy[Any]], Any], kind: type[TerraformUnit] | type[TemplateUnit]
) -> dict[str, str]:
    unit = kind(draw)
    unit.attach(draw(st.sampled_from(POLICIES)))
    return unit.files


def compare(files: dict[str, str], policies: DenyList) -> None:
    with tempfile.TemporaryDirectory() as directory:
        for name, text in files.items():
            path = Path(directory) / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        with_screen, without = (outcome(Path(directory), policies, screen) for screen in (True, False))
        assert with_screen == without


GENERATED = settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])


@GENERATED
@given(units(TerraformUnit), lists)
def test_generated_terraform(files: dict[str, str], policies: DenyList) -> None:
    compare(files, policies)


@GENERATED
@given(units(TemplateUnit), lists)
def test_generated_templates(files: dict[str, str], policies: DenyList) -> None:
    compare(files, policies)


ROLE = """
Resources:
  R:
    Type: AWS::IAM::Role
    Properties: {{ManagedPolicyArns: [{}]}}
"""
IN_PIECES = '!Join ["", !Split ["-", "arn:aws:iam::aws:policy/-Power-UserAccess"]]'
NESTING = "Resources: {{N: {{Type: AWS::CloudFormation::Stack, Properties: {{TemplateURL: {}}}}}}}\n"
STACK = 'resource "aws_cloudformation_stack" "s" {\n  name = "s"\n  template_body = file("stack.cfn")\n}\n'
ATTACHMENT = 'resource "aws_iam_role_policy_attachment" "a" {{\n  role = "r"\n  policy_arn = {}\n}}\n'
TRACED = "Resources: {F: {Type: AWS::Serverless::Function, Properties: {Tracing: Active}}}\n"

# Files in which a denied name does not stand as a whole, or not where the attaching type does.
SCATTERED = {
    "split text in a template that Terraform reads": {"main.tf": STACK, "stack.cfn": ROLE.format(IN_PIECES)},
    "what the transform adds, in a template that Terraform reads": {
        "main.tf": STACK,
        "stack.cfn": f"Transform: AWS::Serverless-2016-10-31\n{TRACED}",
    },
    "a nested stack of a template that Terraform reads": {
        "main.tf": STACK,
        "stack.cfn": NESTING.format("child.cfn"),
        "child.cfn": ROLE.format("arn:aws:iam::aws:policy/PowerUserAccess"),
    },
    "a nested stack whose file's name is put together": {
        "stack.yaml": NESTING.format("!Sub 'child.${X}'") + "Parameters: {X: {Type: String, Default: cfn}}\n",
        "child.cfn": ROLE.format("arn:aws:iam::aws:policy/PowerUserAccess"),
    },
    "a file that is read by a file that Terraform reads": {
        "main.tf": ATTACHMENT.format('templatefile("arn.tpl", {})'),
        "arn.tpl": 'arn:aws:iam::aws:policy/${file("name.txt")}',
        "name.txt": "PowerUserAccess",
    },
    "a file above the root module, by what is no literal": {
        "live/main.tf": ATTACHMENT.format('trimspace(file("${path.root}/../arn.txt"))'),
        "arn.txt": "arn:aws:iam::aws:policy/PowerUserAccess",
    },
    "a file above, by a local": {
        "live/main.tf": ATTACHMENT.format('file("${path.module}/${local.up}/arn.txt")') + 'locals { up = ".." }\n',
        "arn.txt": "arn:aws:iam::aws:policy/PowerUserAccess",
    },
    "pieces behind anchors in a file that Terraform reads": {
        "main.tf": ATTACHMENT.format('join("", values(yamldecode(file("x.yml"))))'),
        "x.yml": "a: &a arn:aws:iam::aws:policy/Power\nb: &b UserAccess\n",
    },
}


@pytest.mark.parametrize("files", SCATTERED.values(), ids=SCATTERED.keys())
def test_scattered_names(files: dict[str, str], tmp_path: Path) -> None:
    write_tree(tmp_path, files)
    by_list = deny_list(["PowerUserAccess", "AWSXRayDaemonWriteAccess"])
    found = outcome(tmp_path, by_list, screen=True)
    assert found == outcome(tmp_path, by_list, screen=False)
    assert found[0]
