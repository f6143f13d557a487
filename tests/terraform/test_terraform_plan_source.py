"""Plans and their source: one list for both steps, and findings that stand where somebody can change them.

The plans are terraform's own: `terraform_data`, which plans without a provider, stands in for the attachments, and its
`input` for their arguments. What the source says of a block, its plan has to say, too.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from unapproved_iam.deny_list.reader import read_deny_list
from unapproved_iam.scan.check_scope import Request
from unapproved_iam.scan.findings import Findings
from unapproved_iam.scan.tree_check import findings_of
from written_files import write_tree

TYPE = "aws_iam_role_policy_attachment"
SOURCE = {
    "live/main.tf": """
resource "aws_iam_role_policy_attachment" "plain" {
  role       = "plain"
  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
}

resource "aws_iam_role_policy_attachment" "skipped" {
  # checkov:skip=IAM_068:reviewed in SEC-1
  role       = "skipped"
  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
}

resource "aws_iam_role_policy_attachment" "by_address" {
  role       = "any"
  policy_arn = "arn:aws:iam::aws:policy/IAMFullAccess"
}

locals {
  policies = ["AdministratorAccess", "ReadOnlyAccess"]
}

resource "aws_iam_role_policy_attachment" "each" {
  for_each   = toset(local.policies)
  role       = "each"
  policy_arn = "arn:aws:iam::aws:policy/${each.key}"
}

module "team" {
  for_each = { a = "AdministratorAccess", "b.c" = "PowerUserAccess", d = "ReadOnlyAccess" }
  source   = "../modules/team"
  policy   = "arn:aws:iam::aws:policy/${each.value}"
}

module "silenced" {
  # checkov:skip=IAM_068:whole module
  source = "../modules/team"
  policy = "arn:aws:iam::aws:policy/AdministratorAccess"
}
""",
    "modules/team/main.tf": """
variable "policy" {}

resource "aws_iam_role_policy_attachment" "own" {
  count      = 2
  role       = "ops"
  policy_arn = var.policy
}

module "inner" {
  source = "./inner"
  given  = var.policy
}
""",
    "modules/team/inner/more.tf": """
variable "given" {}
resource "aws_iam_role_policy_attachment" "deep" {
  role       = "deep"
  policy_arn = var.given
}
""",
}
LIST = """
version: 1
use: [aws-admin]
approve:
  - {policy: IAMFullAccess, attached_to: aws_iam_role_policy_attachment.by_address, in: live/main.tf, reason: r}
  - {policy: AdministratorAccess, attached_to: role/each, in: live/**, reason: r}
  - policy: PowerUserAccess
    attached_to: 'module.team["b.c"].aws_iam_role_policy_attachment.own[0]'
    in: "**"
    reason: r
  - {policy: PowerUserAccess, attached_to: role/deep, in: live/**, reason: not the file of the block}
"""


def twin(source: str) -> str:
    """The same with resources that terraform can plan."""
    source = source.replace(f'"{TYPE}"', '"terraform_data"')
    return re.sub(r"  role +=(.*)\n  policy_arn +=(.*)\n", r"  input = { role = \1, policy_arn = \2 }\n", source)


def planned(files: dict[str, str], directory: Path, root: str) -> dict[str, Any]:
    """The plan of terraform's for this source."""
    write_tree(directory, {name: twin(content) for name, content in files.items()})
    environment = {"PATH": os.environ["PATH"], "TF_CLI_CONFIG_FILE": os.devnull, "CHECKPOINT_DISABLE": "1"}

    def terraform(*arguments: str) -> str:
        return subprocess.run(
            ["terraform", *arguments], cwd=directory / root, env=environment, capture_output=True, text=True, check=True
        ).stdout

    terraform("init", "-input=false")
    terraform("plan", "-input=false", "-out=tfplan")
    plan: dict[str, Any] = json.loads(terraform("show", "-json", "tfplan").replace("terraform_data", TYPE))
    return dict(_with_arguments(plan))


def _with_arguments(value: Any) -> Any:
    """`input` taken apart into the arguments that it stands for."""
    if isinstance(value, list):
        return [_with_arguments(item) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"input"} and "references" in value["input"]:  # expressions
        return {"role": value["input"], "policy_arn": value["input"]}
    if isinstance(value.get("input"), dict):
        return {key: item for key, item in value.items() if key != "input"} | value["input"]
    return {key: _with_arguments(item) for key, item in value.items()}


def judged(tree: Path, request: Request, deny_list: str) -> Findings:
    path = tree / "unapproved-iam-policies.yaml"
    path.write_text(deny_list)
    return findings_of(request, read_deny_list(str(path)), str(tree))


def told(findings: Findings) -> list[tuple[Any, ...]]:
    """What must be the same for the source and its plan."""
    return [
        (
            one.attachment.resource,
            str(one.attachment.policy),
            one.verdict.value,
            one.attachment.skip,
            findings.is_violation(one),
            f"{findings.relative(one.attachment.place.path)}:{one.attachment.place.line}",
            f"{findings.relative(one.attachment.block.path)}:{one.attachment.block.line}",
            [findings.relative(call.path) for call in one.attachment.calls],
        )
        for one in findings.judged
    ]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a plan beside its root module."""
    if not shutil.which("terraform"):
        pytest.skip("terraform is not on PATH")
    tree = tmp_path_factory.mktemp("tree")
    write_tree(tree, SOURCE)
    plan = planned(SOURCE, tmp_path_factory.mktemp("twin"), "live")
    (tree / "live/plan.json").write_text(json.dumps(plan))
    return tree


def test_a_plan_is_judged_as_its_source_is(tree: Path) -> None:
    source = judged(tree, Request([str(tree / "live/main.tf")]), LIST)
    plan = judged(tree, Request(plans=[str(tree / "live/plan.json")]), LIST)
    assert told(plan) == told(source)
    assert {one.verdict.value for one in plan.judged} == {"denied", "approved"}
    assert plan.skipped
    assert len(plan.violations) == 6


def test_a_call_is_shown_by_the_argument_that_brings_the_policy_in(tree: Path) -> None:
    plan = judged(tree, Request(plans=[str(tree / "live/plan.json")]), LIST)
    address = f'module.team["a"].module.inner.{TYPE}.deep'
    deep = next(one.attachment for one in plan.judged if one.attachment.resource == address)
    lines = [Path(call.path).read_text().splitlines()[call.line - 1].strip() for call in deep.calls]
    assert lines == ['policy   = "arn:aws:iam::aws:policy/${each.value}"', "given  = var.policy"]


FOREIGN = """
module "roles" {
  for_each = { a = "x", b = "y" }
  source   = "terraform-aws-modules/iam/aws//modules/iam-assumable-role"
  name     = each.value
  policies = [
    "arn:aws:iam::aws:policy/ReadOnlyAccess",
    "arn:aws:iam::aws:policy/AdministratorAccess",
  ]
}
"""


def test_a_module_that_is_not_in_the_tree_is_approved_and_shown_by_its_call(tmp_path: Path) -> None:
    write_tree(tmp_path, {"main.tf": FOREIGN})
    address = 'module.roles["a"].aws_iam_role_policy_attachment.this[1]'
    values = {"policy_arn": "arn:aws:iam::aws:policy/AdministratorAccess", "role": "x"}
    resource = {"address": address, "type": TYPE, "name": "this", "index": 1, "values": values}
    module = {"address": 'module.roles["a"]', "resources": [resource]}
    plan = {"format_version": "1.2", "planned_values": {"root_module": {"child_modules": [module]}}}
    (tmp_path / "plan.json").write_text(json.dumps(plan))

    def verdict(attached_to: str) -> tuple[str, str]:
        approval = f"{{policy: AdministratorAccess, attached_to: '{attached_to}', in: main.tf, reason: r}}"
        findings = judged(tmp_path, Request(plans=[str(tmp_path / "plan.json")]), f"{ADMIN}approve: [{approval}]\n")
        (finding,) = findings.judged
        place = finding.attachment.place
        return finding.verdict.value, f"{findings.relative(place.path)}:{place.line}"

    assert verdict("module.roles") == ("approved", "main.tf:8")
    assert verdict('module.roles["a"]') == ("approved", "main.tf:8")
    assert verdict('module.roles["b"]') == ("denied", "main.tf:8")


ADMIN = "version: 1\nuse: [aws-admin]\n"


def test_a_plan_that_lies_elsewhere_stands_for_itself_until_its_root_module_is_named(tree: Path) -> None:
    plan = tree / "plans/prod.json"
    plan.parent.mkdir(exist_ok=True)
    shutil.copy(tree / "live/plan.json", plan)
    elsewhere = judged(tree, Request(plans=[str(plan)]), LIST)
    assert {one.attachment.block.path for one in elsewhere.judged} == {str(plan)}
    assert not elsewhere.skipped
    beside = judged(tree, Request(plans=[str(tree / "live/plan.json")]), LIST)
    assert told(judged(tree, Request(plans=[f"{plan}={tree / 'live'}"]), LIST)) == told(beside)


def test_a_block_that_is_declared_twice_is_none_of_the_plan(tmp_path: Path) -> None:
    """As beside regula's plans, where each file is a root module by itself: an exception must not reach another's."""
    source = f'resource "{TYPE}" "a" {{\n  # checkov:skip=IAM_068:reviewed\n  policy_arn = "x"\n}}\n'
    write_tree(tmp_path, {"one.tf": source})
    change = {"actions": ["create"], "after": {"policy_arn": "arn:aws:iam::aws:policy/AdministratorAccess"}}
    plan = {"resource_changes": [{"address": f"{TYPE}.a", "type": TYPE, "name": "a", "change": change}]}
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    request = Request(plans=[str(tmp_path / "plan.json")])
    assert len(judged(tmp_path, request, ADMIN).skipped) == 1
    write_tree(tmp_path, {"two.tf": source})
    assert len(judged(tmp_path, request, ADMIN).violations) == 1
