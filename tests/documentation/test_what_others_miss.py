"""The README's table of what others miss: this command, checkov's own check and a text search, on the same samples."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from project_files import README, table

ARN = "arn:aws:iam::aws:policy/AdministratorAccess"
ATTACHED = 'resource "aws_iam_role_policy_attachment" "x" {\n  role       = "deploy"\n  policy_arn = %s\n}\n'
EACH = ATTACHED.replace("{\n", "{\n  for_each   = %s\n", 1)
TEMPLATE = "Resources:\n  Role:\n    Type: AWS::IAM::Role\n    Properties:\n      ManagedPolicyArns: %s\n"
CONDITIONAL = """Parameters:
  Stage: {Type: String, Default: test}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
"""
SAM = """Transform: AWS::Serverless-2016-10-31
Resources:
  Worker:
    Type: AWS::Serverless::Function
    Properties: {Handler: app.handler, Runtime: python3.13, CodeUri: app, Policies: AdministratorAccess}
"""
SAMPLES: dict[str, dict[str, str]] = {
    "a literal ARN": {"main.tf": ATTACHED % f'"{ARN}"'},
    "a module's argument and for_each": {
        "main.tf": 'module "m" {\n  source   = "./role"\n  policies = ["AdministratorAccess"]\n}\n',
        "role/main.tf": 'variable "policies" {}\n'
        + EACH % ("toset(var.policies)", '"arn:aws:iam::aws:policy/${each.value}"'),
    },
    "a condition on a variable": {
        "main.tf": 'variable "admin" {\n  default = false\n}\n'
        + ATTACHED % '"arn:aws:iam::aws:policy/${var.admin ? "AdministratorAccess" : "ReadOnlyAccess"}"'
    },
    "concat, a for expression and for_each": {
        "main.tf": 'locals {\n  names = concat(["ReadOnlyAccess"], ["AdministratorAccess"])\n}\n'
        + EACH % ('toset([for name in local.names : "arn:aws:iam::aws:policy/${name}"])', "each.value")
    },
    "the ARN with the current partition": {
        "main.tf": 'data "aws_partition" "this" {}\n'
        + ATTACHED % '"arn:${data.aws_partition.this.partition}:iam::aws:policy/AdministratorAccess"'
    },
    "data.aws_iam_policy, by name": {
        "main.tf": 'data "aws_iam_policy" "admin" {\n  name = "AdministratorAccess"\n}\n'
        + ATTACHED % "data.aws_iam_policy.admin.arn"
    },
    "a variable file of one environment": {
        "main.tf": 'variable "policy" {\n  default = "ReadOnlyAccess"\n}\n'
        + ATTACHED % '"arn:aws:iam::aws:policy/${var.policy}"',
        "envs/prod.tfvars": 'policy = "AdministratorAccess"\n',
    },
    "an argument of a module from a registry": {
        "main.tf": f'module "admins" {{\n  source = "terraform-aws-modules/iam/aws"\n  policies = ["{ARN}"]\n}}\n'
    },
    "Fn::If and a parameter": {"stack.yaml": CONDITIONAL + TEMPLATE % f"!If [IsProd, [{ARN}], []]"},
    "Fn::Sub with the partition": {"stack.yaml": TEMPLATE % f'[!Sub "{ARN.replace("aws", "${AWS::Partition}", 1)}"]'},
    "the Policies of a SAM function": {"stack.yaml": SAM},
}
ROWS = {row[0]: row[1:] for row in table(README, "| AdministratorAccess is attached")}


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory for each row, by its number."""
    directory = tmp_path_factory.mktemp("samples")
    for number, files in enumerate(SAMPLES.values()):
        for name, text in files.items():
            path = directory / str(number) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return directory


def of(paths: list[str]) -> set[int]:
    return {int(path.lstrip("/").partition("/")[0]) for path in paths}


def in_column(column: int) -> set[int]:
    return {number for number, row in enumerate(ROWS.values()) if row[column] == "found"}


def run(directory: Path, *command: str) -> Any:
    environment = {**os.environ, "HOME": str(directory)}
    result = subprocess.run(command, cwd=directory, capture_output=True, text=True, env=environment)
    return json.loads(result.stdout)


def test_each_row_has_a_sample() -> None:
    assert list(ROWS) == list(SAMPLES)
    assert all(set(row) <= {"found", "missed"} for row in ROWS.values())


def test_here(samples: Path) -> None:
    found = run(samples, sys.executable, "-m", "unapproved_iam_checks", "check", "--output", "json")["findings"]
    assert of([one["path"] for one in found if one["violation"]]) == in_column(0) == set(range(len(ROWS)))


def test_the_check_of_checkov(samples: Path) -> None:
    checkov = str(Path(sys.executable).with_name("checkov"))
    command = [checkov, "--directory", ".", "--check", "CKV_AWS_274", "--skip-download", "--output", "json"]
    reports = run(samples, *command)
    reports = reports if isinstance(reports, list) else [reports]  # of one framework it is no list
    found = [one for report in reports for one in report["results"]["failed_checks"]]
    assert of([one["file_path"] for one in found]) == in_column(1)


def test_a_text_search(samples: Path) -> None:
    found = [path.relative_to(samples).as_posix() for path in samples.glob("[0-9]*/**/*.*") if ARN in path.read_text()]
    assert of(found) == in_column(2)
