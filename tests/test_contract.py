"""The contract of the front ends: the screen loses nothing, and checkov through the wrapper says what the command says.

Compared on every fixture and on trees put together by hypothesis from the pieces that evidence is made of.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from project_files import PROJECT
from unapproved_iam.checkov_host.report_completion import is_same_resource
from unapproved_iam.deny_list.builtin_lists import BUILTIN_LISTS
from unapproved_iam.deny_list.entries import DenyList, Entry, Origin
from unapproved_iam.scan.check_scope import Request
from unapproved_iam.scan.findings import Findings
from unapproved_iam.scan.tree_check import findings_of

ROOT = PROJECT
FIXTURES = ROOT / "fixtures"
TREES = [
    *sorted(path for path in (FIXTURES / "terraform").iterdir() if path.is_dir()),
    *sorted(path for path in (FIXTURES / "checkov").iterdir() if path.is_dir()),
    FIXTURES / "cloudformation",
    FIXTURES / "sam",
    FIXTURES / "plan",
]
DEFAULT = DenyList("built-in list aws-admin", BUILTIN_LISTS["aws-admin"])
CUSTOMER = DenyList(
    "a list", tuple(Entry(policy, Origin("a list", 1)) for policy in ("arn:aws:iam::*:policy/legacy-*",))
)


def told(findings: Findings) -> tuple[int, set[tuple[str, str, str]]]:
    """The exit code, and what is denied where."""
    denied = {
        (findings.relative(one.attachment.block.path), one.attachment.resource, one.message)
        for one in findings.violations
    }
    return findings.exit_code, denied


def with_and_without_screen(tree: Path, deny_list: DenyList) -> tuple[Findings, Findings]:
    root = str(tree)
    screened, whole = (findings_of(Request([root], screen=screen), deny_list, root) for screen in (True, False))
    return screened, whole


@pytest.mark.parametrize("deny_list", [DEFAULT, CUSTOMER], ids=["default", "customer managed"])
@pytest.mark.parametrize("tree", TREES, ids=lambda tree: str(tree.relative_to(FIXTURES)))
def test_the_screen_loses_nothing_of_the_fixtures(tree: Path, deny_list: DenyList) -> None:
    screened, whole = with_and_without_screen(tree, deny_list)
    assert told(screened) == told(whole)


def test_the_fixtures_have_something_to_lose() -> None:
    for deny_list in (DEFAULT, CUSTOMER):
        assert any(with_and_without_screen(tree, deny_list)[1].violations for tree in TREES)


NAMES = ("AdministratorAccess", "ReadOnlyAccess", "IAMFullAccess", "job-function/ViewOnlyAccess")
# {0} is a policy's name, {1} and {2} are its two halves.
TERRAFORM = (
    'resource "aws_iam_role_policy_attachment" "a{n}" {{\n role = "r"\n'
    ' policy_arn = "arn:aws:iam::aws:policy/{0}"\n}}\n',
    'resource "aws_iam_role" "b{n}" {{\n managed_policy_arns = local.arns\n}}\n',
    'resource "aws_iam_user_policy_attachment" "c{n}" {{\n user = "u"\n policy_arn = "${{local.base}}/{0}"\n}}\n',
    'resource "aws_iam_user_policy_attachment" "d{n}" {{\n user = "u"\n'
    ' policy_arn = "arn:aws:iam::aws:policy/{1}${{local.end}}"\n}}\n',
    'resource "aws_iam_user_policy_attachment" "e{n}" {{\n user = "u"\n'
    ' policy_arn = format("arn:aws:iam::aws:policy/%s%s", "{1}", local.end)\n}}\n',
    'data "aws_iam_policy" "f{n}" {{\n name = var.name\n}}\n'
    'resource "aws_iam_group_policy_attachment" "f{n}" {{\n group = "g"\n'
    " policy_arn = data.aws_iam_policy.f{n}.arn\n}}\n",
    'module "g{n}" {{\n source = "./child"\n policy = "{0}"\n}}\n',
    'module "h{n}" {{\n source = "example/iam/aws"\n policies = ["arn:aws:iam::aws:policy/{0}"]\n}}\n',
    'resource "aws_s3_bucket" "i{n}" {{\n bucket = "{0}"\n}}\n',
    'resource "aws_iam_role_policy_attachment" "j{n}" {{\n for_each = toset(var.names)\n role = "r"\n'
    ' policy_arn = "arn:aws:iam::aws:policy/${{each.key}}"\n}}\n',
    'resource "aws_iam_role_policy_attachment" "k{n}" {{\n role = "r"\n'
    ' policy_arn = trimspace(file("${{path.module}}/policy.txt"))\n}}\n',
)
SHARED = """
locals {{
  base = "arn:aws:iam::aws:policy"
  arns = [for name in var.names : "arn:aws:iam::aws:policy/${{name}}"]
  end  = "{2}"
}}
variable "name" {{
  default = "{0}"
}}
variable "names" {{
  default = ["{0}"]
}}
"""
CHILD = """
variable "policy" {}
resource "aws_iam_role_policy_attachment" "child" {
  role       = "r"
  policy_arn = "arn:aws:iam::aws:policy/${var.policy}"
}
"""
TEMPLATE = """
Parameters:
  Name: {{Type: String, Default: {0}}}
Resources:
  A:
    Type: AWS::IAM::Role
    Properties: {{ManagedPolicyArns: [!Sub "arn:${{AWS::Partition}}:iam::aws:policy/${{Name}}"]}}
  B: {{Type: AWS::IAM::User, Properties: {{ManagedPolicyArns: ["arn:aws:iam::aws:policy/{0}"]}}}}
  C: {{Type: AWS::Serverless::Function, Properties: {{Policies: [{0}]}}}}
"""


def halves(name: str) -> tuple[str, str, str]:
    return name, name[:6], name[6:]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.tuples(st.sampled_from(TERRAFORM), st.sampled_from(NAMES)), max_size=4),
    st.sampled_from(NAMES),
    st.sampled_from((*NAMES, "")),
)
def test_the_screen_loses_nothing_of_generated_trees(
    blocks: list[tuple[str, str]], shared: str, in_template: str
) -> None:
    with tempfile.TemporaryDirectory() as name:
        tree = Path(name)
        (tree / "child").mkdir()
        (tree / "child/main.tf").write_text(CHILD)
        (tree / "policy.txt").write_text(f"arn:aws:iam::aws:policy/{shared}\n")
        (tree / "shared.tf").write_text(SHARED.format(*halves(shared)))
        written = "".join(block.format(*halves(policy), n=n) for n, (block, policy) in enumerate(blocks))
        (tree / "main.tf").write_text(written)
        if in_template:
            (tree / "template.yaml").write_text(TEMPLATE.format(in_template))
        screened, whole = with_and_without_screen(tree, DEFAULT)
        assert told(screened) == told(whole)


def run(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "checks"), *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)


def test_checkov_through_the_wrapper_says_what_the_command_says(tmp_path: Path) -> None:
    """On all fixtures in one repository; with the exit code of the command, whatever it is.

    What a nested stack attaches, checkov is asked about at the stack, in the template that nests it.
    """
    tree = tmp_path / "tree"
    for source in ("terraform", "cloudformation", "sam"):
        shutil.copytree(FIXTURES / source, tree / source)
    command = json.loads((checked := run("check", "--output=json", tree, cwd=tmp_path)).stdout)
    wrapped = run("checkov", "--directory", tree, "--check", "IAM_068", "--output=json", cwd=tmp_path)
    assert wrapped.returncode == checked.returncode, wrapped.stderr
    reports = json.loads(wrapped.stdout)
    reports = reports if isinstance(reports, list) else [reports]
    records = [record for report in reports for record in report["results"]["failed_checks"]]
    said = [(Path(record["file_abs_path"]), record["resource"], record["check_name"]) for record in records]
    violations = [finding for finding in command["findings"] if finding["violation"]]
    assert violations
    unsaid = [
        (finding["path"], finding["resource"], finding["message"])
        for finding in violations
        if not any(
            any((tree / path).samefile(file) for path in (finding["block"]["path"], finding["unit"]))
            and is_same_resource(resource, finding["resource"])
            and finding["message"] in name
            for file, resource, name in said
        )
    ]
    assert unsaid == []
    messages = {finding["message"] for finding in violations}
    assert [name for _, _, name in said if not any(message in name for message in messages)] == []
