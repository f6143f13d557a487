"""What the screen takes for evidence, construct by construct, each beside a twin that differs in what decides.

That the screen loses nothing is tested against the readers in test_screen_contract.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from unapproved_iam import sam_resources
from unapproved_iam.deny_list import DenyList, Entry, Origin, Unresolved
from unapproved_iam.unit_screen import ADDED_BY_SAM, EVERYTHING, NOTHING, Evidence, Screen

HERE = Origin("list", 1)


def deny_list(*policies: str, unresolved: Unresolved = Unresolved.PASS) -> DenyList:
    return DenyList("list", tuple(Entry(policy, HERE) for policy in policies), unresolved=unresolved)


ADMIN = deny_list("AdministratorAccess")
TYPES, NAMES = Evidence(True, False), Evidence(False, True)

ARN = "arn:aws:iam::aws:policy/"
ATTACHMENT = 'resource "aws_iam_role_policy_attachment" "x" {}'

TERRAFORM = [
    ("nothing", 'resource "aws_s3_bucket" "x" {}', NOTHING),
    ("an attaching type", ATTACHMENT, TYPES),
    ("a type that attaches nothing", 'resource "aws_iam_instance_profile" "x" {}', NOTHING),
    ("a call may be of a module elsewhere", 'module "x" {}', TYPES),
    ("a reference to a call", "x = module.x.id", NOTHING),
    ("the name", 'x = "AdministratorAccess"', NAMES),
    ("another name", 'x = "ReadOnlyAccess"', NOTHING),
    ("another ARN", f'x = "{ARN}ReadOnlyAccess"', NOTHING),
    ("policy/ and the end of the literal", f'x = "{ARN}"', NAMES),
    ("policy/ and an interpolation", f'x = "{ARN}${{var.x}}"', NAMES),
    ("policy/ and a directive", f'x = "{ARN}%{{ if true }}X%{{ endif }}"', NAMES),
    ("policy/ and a format", f'x = format("{ARN}%s", "X")', NAMES),
    ("a name that goes on in an interpolation", f'x = "{ARN}X${{var.x}}"', NAMES),
    ("a beginning of the name", f'x = "{ARN}Administrator"', NAMES),
    ("a beginning of another name", f'x = "{ARN}ReadOnly"', NOTHING),
    ("a path and a beginning", f'x = "{ARN}job-function/Admin"', NAMES),
    ("a path and the end", f'x = "{ARN}job-function/"', NAMES),
    ("any policy, in a statement", f'x = "{ARN}*"', NOTHING),
    ("policy without its slash", 'x = join("/", ["arn:aws:iam::aws:policy", var.x])', NAMES),
    ("a file is read", 'x = file("x.json")', NAMES),
    ("files are listed", 'x = fileset("x", "*")', NAMES),
    ("text is decoded", 'x = base64decode("QQ==")', NAMES),
    ("text is encoded otherwise", "x = jsonencode({})", NOTHING),
    ("an escape", 'x = "\\u0041dministratorAccess"', EVERYTHING),
    ("an escape of a character that no ARN has", 'x = "\\u003c"', NOTHING),
    ("two bytes a character", "x\0", EVERYTHING),
    ("a policy is looked up by a literal", 'data "aws_iam_policy" "x" {\n  name = "ReadOnlyAccess"\n}', NOTHING),
    ("a policy is looked up by a value", 'data "aws_iam_policy" "x" {\n  name = var.x\n}', NAMES),
    ("a policy is looked up by two literals", 'data "aws_iam_policy" "x" {\n  name = "${var.x}Y"\n}', NAMES),
    ("a policy of one's own", 'resource "aws_iam_policy" "x" {\n  name = var.x\n}', NOTHING),
    ("a reference to a policy", "x = aws_iam_policy.x.arn", NOTHING),
    ("a template in a string", 'template_body = "Type: AWS::IAM::Role"', TYPES),
]

ROLE = "Type: AWS::IAM::Role"
TEMPLATES = [
    ("nothing", "Type: AWS::S3::Bucket", NOTHING),
    ("an attaching type", ROLE, TYPES),
    ("a registry module", "Type: Org::Team::Role::MODULE", TYPES),
    ("the name", "- AdministratorAccess", NAMES),
    ("a beginning, in a list", f"[{ARN}Admin, istratorAccess]", NAMES),
    ("a whole other name, in a list", f"[{ARN}ReadOnlyAccess, istratorAccess]", NOTHING),
    ("an escaped slash", '"arn:aws:iam::aws:policy\\/"', NAMES),
    ("a loop", "Fn::ForEach::Roles: []", EVERYTHING),
    ("an include", "Name: AWS::Include", EVERYTHING),
    ("a folded line", '"arn:aws:iam::aws:pol\\\nicy/x"', EVERYTHING),
    ("a line of a script that goes on", "run a \\\n  b", NOTHING),
    ("base64", "!!binary QQ==", EVERYTHING),
    ("a nested stack in a file", "Type: AWS::CloudFormation::Stack\nTemplateURL: ./child.yaml", EVERYTHING),
    ("a nested stack elsewhere", "Type: AWS::CloudFormation::Stack\nTemplateURL: https://x/child.yaml", TYPES),
    ("SAM, names as they are", "Type: AWS::Serverless::Function\nPolicies: [ReadOnlyAccess]", TYPES),
    ("SAM, a made name", "Type: AWS::Serverless::Function\nPolicies: [!Sub '${X}Access']", EVERYTHING),
]


@pytest.mark.parametrize(("source", "evidence"), [row[1:] for row in TERRAFORM], ids=[row[0] for row in TERRAFORM])
def test_terraform(source: str, evidence: Evidence) -> None:
    assert Screen(ADMIN).terraform(source.encode()) == evidence


@pytest.mark.parametrize(("source", "evidence"), [row[1:] for row in TEMPLATES], ids=[row[0] for row in TEMPLATES])
def test_templates(source: str, evidence: Evidence) -> None:
    assert Screen(ADMIN).template(source.encode()) == evidence


LISTS = [
    ("a glob's longest part", ["arn:aws:iam::aws:policy/*FullAccess"], f'"{ARN}S3FullAccess"', True),
    ("not a glob's", ["arn:aws:iam::aws:policy/*FullAccess"], f'"{ARN}S3ReadOnly"', False),
    ("a part of a glob's part", ["arn:aws:iam::aws:policy/*FullAccess"], f'"{ARN}S3Full"', True),
    ("a path, written", ["arn:aws:iam::aws:policy/job-function/*"], f'"{ARN}job-function/X"', True),
    ("another path", ["arn:aws:iam::aws:policy/job-function/*"], f'"{ARN}service-role/X"', False),
    ("a name under a path", ["arn:aws:iam::aws:policy/service-role/X1"], 'name = "X1"', True),
    ("a path, looked up", ["arn:aws:iam::aws:policy/job-function/*"], "data aws_iam_policy x {}", True),
    ("a customer's policy", ["arn:aws:iam::*:policy/legacy-*"], '"policy/legacy-x"', True),
    ("a customer's other policy", ["arn:aws:iam::*:policy/legacy-*"], '"policy/new-x"', False),
    ("a customer's policy declared", ["arn:aws:iam::*:policy/legacy-*"], "resource aws_iam_policy x {}", True),
    ("no customer's policy declared", ["AdministratorAccess"], 'resource "aws_iam_policy" "x" {}', False),
    ("every policy", ["*"], "", True),
    ("every AWS managed policy", ["arn:aws:iam::aws:policy/*"], "", True),
    ("a pattern that does not tell the name", ["arn:aws:iam::aws:*"], "", True),
    ("two entries, the second", ["AdministratorAccess", "PowerUserAccess"], "PowerUserAccess", True),
]


@pytest.mark.parametrize(("policies", "source", "named"), [row[1:] for row in LISTS], ids=[row[0] for row in LISTS])
def test_names_by_list(policies: list[str], source: str, named: bool) -> None:
    assert Screen(deny_list(*policies)).terraform(source.encode()).names is named


def test_where_unresolved_fails_types_alone_decide() -> None:
    strict = Screen(deny_list("AdministratorAccess", unresolved=Unresolved.FAIL))
    assert strict.terraform(ATTACHMENT.encode()).suffices
    assert not strict.terraform(b'resource "aws_s3_bucket" "x" {}').suffices


def test_the_transforms_own_policies_are_known() -> None:
    source = Path(sam_resources.__file__).read_text()
    written = set(re.findall(r'"((?:service-role/)?AWS\w+)"', source))
    assert written <= set(ADDED_BY_SAM)
    for name in ADDED_BY_SAM:
        template = b"Type: AWS::Serverless::Function"
        assert Screen(deny_list(name.rpartition("/")[2])).template(template).suffices
        assert not Screen(ADMIN).template(template).suffices
