"""Run the checks through checkov's real runners: what fails is what is called so, and what the command says."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from project_files import PROJECT

pytest.importorskip("checkov")

from checkov.cloudformation.runner import Runner as CloudFormationRunner
from checkov.common.models.enums import CheckResult
from checkov.common.output.record import Record
from checkov.common.output.report import Report
from checkov.runner_filter import RunnerFilter
from checkov.serverless.runner import Runner as ServerlessRunner
from checkov.terraform.checks.resource.registry import resource_registry
from checkov.terraform.plan_runner import Runner as PlanRunner
from checkov.terraform.runner import Runner as TerraformRunner
from checkov.terraform_json.runner import TerraformJsonRunner
from unapproved_iam.checkov_host.report_completion import is_same_resource
from unapproved_iam.deny_list.discovery import find_deny_list
from unapproved_iam.policies.inline_skips import CHECK_ID
from unapproved_iam.scan import guarded_reading
from unapproved_iam.scan.check_scope import Request
from unapproved_iam.scan.tree_check import findings_of

pytestmark = pytest.mark.xdist_group("checkov")

ROOT = PROJECT
CHECKS = ROOT / "checks"
FIXTURES = ROOT / "fixtures"
TITLE = "Ensure unapproved IAM managed policies are not attached"

RUNNERS = {
    "terraform": TerraformRunner,
    "cloudformation": CloudFormationRunner,
    "plan": PlanRunner,
    "json": TerraformJsonRunner,
    "serverless": ServerlessRunner,
}


def scan(runner: str, directory: Path, **settings: bool) -> Report:
    report = RUNNERS[runner]().run(
        root_folder=str(directory),
        external_checks_dir=[str(CHECKS)],
        runner_filter=RunnerFilter(checks=[CHECK_ID], show_progress_bar=False, **settings),
    )
    assert isinstance(report, Report)
    return report


def announced(resource: str) -> str | None:
    """What the last name or instance key of an address announces, unless a module call before it says otherwise."""
    said = [one.lower() for one in re.findall(r"(?:^|[.\"])(fail|pass|open|skip)_?", resource, re.IGNORECASE)]
    own = re.search(r"(?:^|[.\"])(fail|pass|open|skip)[^.\"]*(?:\"\])?$", resource, re.IGNORECASE)
    return said[-1] if own and len(set(said)) == 1 else None


def names(records: list[Record]) -> set[str]:
    return {record.resource for record in records}


DENY_LIST = "unapproved-iam-policies.yaml"


def admin_and(*paths: str) -> str:
    """A deny list for fixtures with customer managed policies."""
    own = [f"arn:aws:iam::*:policy/{path}" for path in paths]
    return f"version: 1\nuse: [aws-admin]\ndeny: {own}\n"


# Runner, fixture, and the deny list when it is not the built-in default.
TREES = [
    ("terraform", "checkov/source", ""),
    ("terraform", "terraform", admin_and("legacy-*", "retired/*")),
    ("cloudformation", "checkov/templates", ""),
    ("cloudformation", "cloudformation", admin_and("legacy-*", "old/legacy-*", "teams/legacy-*")),
    ("cloudformation", "sam", ""),
    ("plan", "plan", admin_and("legacy-*", "retired/*")),
    ("json", "checkov/json", ""),
]

# The files in which the command finds more than checkov asks about, and why checkov does not.
UNASKED = {
    "checkov/source": {
        "called_with_tfvars/called/main.tf": "a module that is called, and a root module all the same",
        "two_roots/attach/main.tf": "two equal failures are folded",
    },
    "terraform": {
        "files/json/main.tf.json": "of another runner",
        "files/tofu/main.tofu": "of OpenTofu",
        "files/tofu/more.tofu.json": "of OpenTofu",
        "modules/modules/own_state/main.tf": "a module that is called, and a root module all the same",
        "modules/modules/own_values/main.tf": "a module that is called, and a root module all the same",
    },
    "cloudformation": {
        "conditions.yaml": "conditions that are false by the defaults",
        "documents.yaml": "more than one document",
        "loops.yaml": "loops",
        "odd_shapes.yaml": "odd shapes, for which it skips the whole template",
    },
}


class Scan(NamedTuple):
    tree: Path
    fixture: str
    report: Report

    def relative(self, path: str) -> str:
        return Path(path).relative_to(self.tree).as_posix()


@pytest.fixture(scope="module", params=TREES, ids=lambda param: param[1])
def scanned(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Scan:
    runner, fixture, deny_list = request.param
    tree = tmp_path_factory.mktemp("scanned") / "tree"
    shutil.copytree(FIXTURES / fixture, tree)
    if deny_list:
        (tree / DENY_LIST).write_text(deny_list)
    return Scan(tree, fixture, scan(runner, tree))


def test_what_fails_is_what_is_called_so(scanned: Scan) -> None:
    """A block that only overrides another one passes; the one that is overridden fails."""
    failed, passed, skipped = (
        names(records)
        for records in (scanned.report.failed_checks, scanned.report.passed_checks, scanned.report.skipped_checks)
    )
    assert {announced(name) for name in failed} <= {"fail", None}
    assert {announced(name) for name in passed - failed} <= {"pass", "open", None}
    assert {announced(name) for name in skipped} <= {"skip"}
    assert "fail" in map(announced, failed)
    assert "pass" in map(announced, passed)


def test_only_what_fails_says_more_than_the_title(scanned: Scan) -> None:
    """The name belongs to one result: nothing of it stays for the next one."""
    report = scanned.report
    assert all(record.check_name.startswith(f"{TITLE}: ") for record in report.failed_checks)
    silent = [one for one in report.passed_checks + report.skipped_checks if "cannot tell" not in one.check_name]
    assert {record.check_name for record in silent} == {TITLE}
    assert {record.severity.name for record in report.failed_checks} == {"HIGH"}


def test_the_checks_say_what_the_command_says(scanned: Scan) -> None:
    """Nothing else, and all of it but what checkov keeps from them."""
    root = str(scanned.tree)
    said = {(one.file_abs_path, one.resource): one.check_name for one in scanned.report.failed_checks}
    rest, unsaid = dict(said), set()
    for finding in findings_of(Request([root]), find_deny_list(None, {}, root), root).violations:
        name, files = finding.attachment.resource, (finding.attachment.block.path, finding.attachment.unit)
        records = [key for key in said if key[0] in files and is_same_resource(key[1], name)]
        if not any(finding.message in said[key] for key in records):
            unsaid.add(scanned.relative(finding.attachment.block.path))
        rest |= {key: rest[key].replace(finding.message, "") for key in records}
    assert {one.strip(". ") for one in rest.values()} == {f"{TITLE}:"}
    assert unsaid == set(UNASKED.get(scanned.fixture, ()))


def test_one_module_in_two_roots_is_two_resources_of_one_address() -> None:
    """Only the identity of what checkov hands over tells the one that is denied from the one that is not."""
    report = scan("terraform", FIXTURES / "checkov/same_address")
    address = {"module.attach.aws_iam_role_policy_attachment.attached"}
    assert names(report.failed_checks) == names(report.passed_checks) == address


def test_a_single_file_is_judged_with_the_values_of_the_others() -> None:
    file = FIXTURES / "checkov/source/values_elsewhere/main.tf"
    report = TerraformRunner().run(
        root_folder=None,
        files=[str(file)],
        external_checks_dir=[str(CHECKS)],
        runner_filter=RunnerFilter(checks=[CHECK_ID], show_progress_bar=False),
    )
    assert names(report.failed_checks) == {"aws_iam_role_policy_attachment.fail_value_in_another_file"}


def test_a_module_that_checkov_downloads_is_judged_by_what_checkov_makes_of_it(tmp_path: Path) -> None:
    """Its source is none of the tree's; here its own default is denied, and one call passes something else."""
    module, tree = tmp_path / "module", tmp_path / "tree"
    for directory in (module, tree):
        directory.mkdir()
    (module / "main.tf").write_text(
        'variable "policy" { default = "AdministratorAccess" }\n'
        'resource "aws_iam_role_policy_attachment" "attached" {\n'
        '  role       = "operator"\n'
        '  policy_arn = "arn:aws:iam::aws:policy/${var.policy}"\n'
        "}\n"
    )
    for arguments in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message=module"]):
        subprocess.run(["git", "-C", str(module), *arguments], check=True)
    source = f'source = "git::file://{module}"\n'
    (tree / "main.tf").write_text(
        f'module "denied" {{\n  {source}}}\nmodule "clean" {{\n  {source}  policy = "ReadOnlyAccess"\n}}\n'
    )
    report = scan("terraform", tree, download_external_modules=True)
    resource = "aws_iam_role_policy_attachment.attached"
    assert names(report.failed_checks) == {f"module.denied.{resource}"}
    assert f"module.clean.{resource}" in names(report.passed_checks)


def test_what_a_stranger_wrote_does_not_steer_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(ATTACHMENTS.replace('"break-glass"', r'"red\u001b[31m\n::error::"'))
    (record,) = scan("terraform", tmp_path).failed_checks
    assert r"role/red\x1b[31m\n::error::" in record.check_name
    assert all(text.isprintable() for text in (record.check_name, *record.details))


def test_a_resource_that_cannot_be_read_fails(tmp_path: Path) -> None:
    properties = '      Fn::Sub: "{}"\n'
    for name, of_role in (("FailOdd", properties), ("PassRead", "      Path: /\n")):
        role = f"  {name}:\n    Type: AWS::IAM::Role\n    Properties:\n{of_role}"
        (tmp_path / f"{name}.yaml").write_text(f"Resources:\n{role}")
    report = scan("cloudformation", tmp_path)
    (record,) = report.failed_checks
    assert (record.resource, names(report.passed_checks)) == ("AWS::IAM::Role.FailOdd", {"AWS::IAM::Role.PassRead"})
    assert "could not be checked: Properties of FailOdd is Fn::Sub" in record.check_name


@pytest.mark.parametrize(
    ("value", "failed", "said"),
    [
        ('"ReadOnlyAccess"', set(), ""),
        ('"ReadOnlyAccess', {"of_variable"}, "could not be checked: terraform.tfvars:1 cannot be read: "),
    ],
    ids=["read", "broken"],
)
def test_what_needs_a_file_that_cannot_be_read_fails(tmp_path: Path, value: str, failed: set[str], said: str) -> None:
    (tmp_path / "main.tf").write_text(
        'variable "policy" { default = "ReadOnlyAccess" }\n'
        + ATTACHMENT.format("of_variable", '"arn:aws:iam::aws:policy/${var.policy}"')
        + ATTACHMENT.format("literal", '"arn:aws:iam::aws:policy/ReadOnlyAccess"')
    )
    (tmp_path / "terraform.tfvars").write_text(f"policy = {value}\n")
    records = scan("terraform", tmp_path).failed_checks
    assert {record.resource.rpartition(".")[2] for record in records} == failed
    assert all(said in record.check_name for record in records)


READ = "Resources: {R: {Type: AWS::IAM::Role, Properties: {ManagedPolicyArns: [ReadOnlyAccess]}}}"
WITHIN = {"PassRead": READ, "FailBroken": READ.replace("]", "")}
STACKS = {name: {"template_body": body} for name, body in WITHIN.items()}
STACK_SETS = {
    name: {"Type": "AWS::CloudFormation::StackSet", "Properties": {"TemplateBody": body}}
    for name, body in WITHIN.items()
}


@pytest.mark.parametrize(
    ("runner", "file", "document"),
    [
        ("json", "main.tf.json", {"resource": {"aws_cloudformation_stack": STACKS}}),
        ("serverless", "serverless.yml", {"provider": {"name": "aws"}, "resources": {"Resources": STACK_SETS}}),
    ],
)
def test_a_template_within_a_resource_that_cannot_be_read_fails(
    tmp_path: Path, runner: str, file: str, document: dict[str, Any]
) -> None:
    """Where the source of a resource cannot be found, and what checkov hands over is all that there is."""
    (tmp_path / file).write_text(json.dumps(document, indent=1))
    report = scan(runner, tmp_path)
    (record,) = report.failed_checks
    (passed,) = names(report.passed_checks)
    assert (record.resource.rpartition(".")[2], passed.rpartition(".")[2]) == ("FailBroken", "PassRead")
    assert "could not be checked: cannot be read as a template: " in record.check_name


def test_nothing_passes_in_a_unit_that_takes_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = ", ".join(["1"] * 20_000)
    (tmp_path / "main.tf").write_text(ATTACHMENTS + f"locals {{\n  numbers = [{numbers}]\n}}\n")
    (tmp_path / "slow.tf").write_text(ATTACHMENT.format("slow", "local.numbers[0]"))
    with monkeypatch.context() as limited:
        limited.setattr(guarded_reading, "MOST_SECONDS", 0.1)
        records = scan("terraform", tmp_path).failed_checks
    assert {record.resource.rpartition(".")[2] for record in records} == {"admin", "unknown", "nothing", "slow"}
    assert {record.check_name for record in records} == {
        f"{TITLE}: could not be checked: takes more than 0.1 s to read"
    }


def test_what_a_check_says_in_one_thread_is_not_heard_in_another(tmp_path: Path) -> None:
    """On macOS and Windows checkov's runners are threads that share the checks."""
    (tmp_path / "main.tf").write_text(ATTACHMENTS)
    scan("terraform", tmp_path)
    check = resource_registry.get_check_by_id(CHECK_ID)
    assert check is not None
    check.name = TITLE
    attachment = {"role": ["operator"], "policy_arn": ["arn:aws:iam::aws:policy/AdministratorAccess"]}

    def asked_in_a_thread() -> tuple[CheckResult, str]:
        result = check.run("/main.tf", attachment, "admin", "aws_iam_role_policy_attachment", {})
        return result["result"], check.name

    with ThreadPoolExecutor() as threads:
        result, said = threads.submit(asked_in_a_thread).result()
    assert (result, check.name) == (CheckResult.FAILED, TITLE)
    assert said.startswith(f"{TITLE}: AdministratorAccess must not be attached to role/operator")


# -- the deny list decides -------------------------------------------------------------------------------------------

ATTACHMENTS = """
resource "aws_iam_role_policy_attachment" "admin" {
  role       = "break-glass"
  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
}

resource "aws_iam_role_policy_attachment" "skipped" {
  # checkov:skip=IAM_068:we know
  role       = "operator"
  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
}

resource "aws_iam_role_policy_attachment" "unknown" {
  role       = "operator"
  policy_arn = var.policy
}

resource "aws_iam_role" "nothing" {
  name = "nothing"
}
"""
ATTACHMENT = 'resource "aws_iam_role_policy_attachment" "{}" {{\n  role = "operator"\n  policy_arn = {}\n}}\n'
ADMIN_DENIED = "version: 1\ndeny: [AdministratorAccess]\n"
APPROVAL = """
approve:
  - {policy: AdministratorAccess, attached_to: role/break-glass, reason: reviewed in 2026, expires: %s}
"""


@pytest.mark.parametrize(
    ("deny_list", "failed", "skipped", "said"),
    [
        (ADMIN_DENIED, {"admin"}, {"skipped"}, "AdministratorAccess must not be attached to role/break-glass"),
        (ADMIN_DENIED + APPROVAL % "2999-12-31", set(), {"admin", "skipped"}, "reviewed in 2026"),
        (ADMIN_DENIED + APPROVAL % "2020-12-31", {"admin"}, {"skipped"}, "expired on 2020-12-31"),
        (ADMIN_DENIED + "unresolved: fail\n", {"admin", "unknown"}, {"skipped"}, "cannot tell which policy"),
        (ADMIN_DENIED + "inline_skips: refuse\n", {"admin", "skipped"}, set(), "its inline skip does not count"),
        (
            ADMIN_DENIED + "exclude:\n  - {path: '*.tf', reason: examples}\n",
            set(),
            {"admin", "skipped", "unknown"},
            "*.tf is excluded: examples",
        ),
        ("version: 1\ndeny: [AmazonS3FullAccess]\n", set(), {"skipped"}, "we know"),
        ("version: 1\ndeny: [AdministratorAcess]\n", {"admin", "skipped", "unknown"}, set(), f"{DENY_LIST}:2: "),
    ],
    ids=["denied", "approved", "expired", "unresolved", "skips refused", "excluded", "another policy", "unusable list"],
)
def test_the_list_of_the_scanned_tree_decides(
    tmp_path: Path, deny_list: str, failed: set[str], skipped: set[str], said: str
) -> None:
    (tmp_path / DENY_LIST).write_text(deny_list)
    (tmp_path / "main.tf").write_text(ATTACHMENTS)
    report = scan("terraform", tmp_path)
    found = {name.rpartition(".")[2] for name in names(report.failed_checks)}
    passed_over = {name.rpartition(".")[2] for name in names(report.skipped_checks)}
    assert (found, passed_over) == (failed, skipped)
    comments = [record.check_result["suppress_comment"] for record in report.skipped_checks]
    assert said in " ".join([record.check_name for record in report.failed_checks] + comments)
