"""Start `unapproved-iam checkov` as a user would: what it reports, what it refuses, and what cannot disarm it."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from pathlib import Path

import pytest
from project_files import PROJECT
from unapproved_iam.checkov_host.session import FIRST_TESTED, FIRST_UNTESTED

pytest.importorskip("checkov")

ROOT = PROJECT
CHECKS = ROOT / "checks"
UNASKED = ROOT / "fixtures/checkov/unasked"
TITLE = "Ensure unapproved IAM managed policies are not attached"

ADMINISTRATOR = """
resource "aws_iam_role_policy_attachment" "fail_admin" {
  role       = "ci"
  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
}
"""
READER = ADMINISTRATOR.replace("AdministratorAccess", "ReadOnlyAccess").replace("fail", "pass")

Result = subprocess.CompletedProcess[str]


def wrapper(
    *arguments: str | Path, cwd: Path, checks: Path = CHECKS, environment: Mapping[str, str] | None = None
) -> Result:
    command = [sys.executable, str(checks), "checkov", *map(str, arguments)]
    environ = {**os.environ, **(environment or {})}
    return subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True, timeout=300)


def only_ours(*arguments: str | Path, **options: object) -> Result:
    return wrapper("--check=IAM_068", "--quiet", "--compact", *arguments, **options)  # type: ignore[arg-type]


def failed(result: Result) -> dict[str, list[str]]:
    """What a JSON report, one object or a list of them, says of each failed resource."""
    report = json.loads(result.stdout)
    said: dict[str, list[str]] = {}
    for one in report if isinstance(report, list) else [report]:
        for record in one.get("results", {}).get("failed_checks", ()):
            if record["check_id"] == "IAM_068":
                said.setdefault(record["resource"].rpartition(".")[2], []).append(record["check_name"])
    return said


# -- it reports what checkov does not ask about ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def unasked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree in which every violation escapes checkov: see the comments in the fixture's files."""
    tree = tmp_path_factory.mktemp("unasked") / "tree"
    shutil.copytree(UNASKED, tree)
    for directory in ("two_roots", "called_with_tfvars"):
        shutil.copytree(ROOT / "fixtures/checkov/source" / directory, tree / directory)
    return tree


def test_it_leaves_out_what_the_command_leaves_out(tmp_path: Path) -> None:
    """What git ignores and a virtual environment holds is judged only when it is asked for by name."""
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    template = "Resources: {Fail_NAME: {Type: AWS::IAM::Role, Properties: {ManagedPolicyArns: ['%s']}}}"
    for name in ("build", "venv", "live"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "main.tf").write_text(ADMINISTRATOR.replace("admin", name))
        written = template.replace("_NAME", name.title()) % "arn:aws:iam::aws:policy/AdministratorAccess"
        (tmp_path / name / "stack.yaml").write_text(written)
    (tmp_path / ".gitignore").write_text("build/\n")
    (tmp_path / "venv/pyvenv.cfg").touch()
    options = ("--framework=terraform,cloudformation", "--output=json")
    assert set(failed(only_ours("-d", tmp_path, *options, cwd=tmp_path))) == {"fail_live", "FailLive"}
    assert set(failed(only_ours("-d", "build", *options, cwd=tmp_path))) == {"fail_build", "FailBuild"}


def test_it_reports_what_checkov_never_asks_about(unasked: Path, tmp_path: Path) -> None:
    frameworks = "--framework=terraform,cloudformation,kubernetes"
    result = only_ours("-d", unasked, frameworks, "--output=json", cwd=tmp_path)
    assert result.returncode == 1
    assert set(failed(result)) == {
        'addons["fail_addon"]',
        "FailUnderCondition",
        "FailLoopOne",
        "FailLoopTwo",
        "FailBesideOddProperties",
        "FailBesideOddName",
        "fail_tofu",
        "attached",
        "through_the_call",
    }
    # Both roots call the resource by one address; checkov keeps one of two equal failures.
    assert len(failed(result)["attached"]) == 2


def test_every_finding_has_the_line_that_would_approve_it_once(tmp_path: Path) -> None:
    """checkov prints the details of a Terraform resource and drops those of a template's."""
    (tmp_path / "main.tf").write_text(ADMINISTRATOR)
    template = "Resources: {Fail: {Type: AWS::IAM::Role, Properties: {ManagedPolicyArns: ['%s']}}}"
    (tmp_path / "stack.yaml").write_text(template % "arn:aws:iam::aws:policy/AdministratorAccess")
    result = only_ours("-d", tmp_path, "--framework=terraform,cloudformation", cwd=tmp_path)
    lines = [line for line in result.stdout.splitlines() if "to allow it: - {policy: AdministratorAccess, " in line]
    assert sorted(line.partition(" in: ")[2].partition(",")[0] for line in lines) == ["main.tf", "stack.yaml"]


def test_it_reports_although_checkov_crashes(tmp_path: Path) -> None:
    """It ends, too: the report of another runner is longer than what a pipe holds that nobody reads any more."""
    others = (
        ADMINISTRATOR.replace("fail_admin", f"pass_{n}").replace("AdministratorA", "ReadOnlyA") for n in range(500)
    )
    (tmp_path / "main.tf").write_text(ADMINISTRATOR + "".join(others))
    (tmp_path / "odd.yaml").write_text("Resources:\n  Odd:\n    Type: {not: a text}\n    Properties: {some: thing}\n")
    result = only_ours("--directory=.", "--framework=terraform,cloudformation", "--output=json", cwd=tmp_path)
    assert (result.returncode, set(failed(result))) == (2, {"fail_admin"})
    assert "checkov crashed; only the findings of IAM_068 are complete" in result.stderr


def test_it_scans_every_directory(tmp_path: Path) -> None:
    """With a single framework, checkov scans the first directory again instead of the second one."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "main.tf").write_text(ADMINISTRATOR.replace("fail_admin", f"fail_{name}"))
    result = only_ours("-d", "one", "-d", "two", "--framework=terraform", cwd=tmp_path)
    assert result.returncode == 1
    assert "aws_iam_role_policy_attachment.fail_two" in result.stdout


OUTPUT_FILES = {
    "cli": "results_cli.txt",
    "json": "results_json.json",
    "sarif": "results_sarif.sarif",
    "junitxml": "results_junitxml.xml",
    "github_failed_only": "results_github_failed_only.md",
    "gitlab_sast": "results_gitlab_sast.json",
}


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Each report on a tree whose violations checkov asks about (Terraform, template) and does not (.tofu)."""
    tree = tmp_path_factory.mktemp("outputs")
    shutil.copy(UNASKED / "main.tofu", tree / "other.tofu")  # a main.tofu would stand for main.tf, too
    shutil.copy(ROOT / "fixtures/checkov/templates/asked.yaml", tree)
    (tree / "main.tf").write_text(ADMINISTRATOR)
    (tree / "reports").mkdir()
    formats = [f"--output={name}" for name in OUTPUT_FILES]
    for some in (formats, ["--output=csv"]):  # beside csv, checkov loses the others
        arguments = ["--directory=.", "--framework=terraform,cloudformation", "--output-file-path=reports"]
        result = only_ours(*arguments, *some, cwd=tree)
        assert result.returncode == 1, result.stderr
    reports = {name: (tree / "reports" / file).read_text() for name, file in OUTPUT_FILES.items()}
    (table,) = (tree / "reports").glob("*iac.csv")
    return {**reports, "csv": table.read_text()}


@pytest.mark.parametrize("output", [*OUTPUT_FILES, "csv"])
def test_every_output_tells_policy_and_reason(outputs: dict[str, str], output: str) -> None:
    assert "it allows every action on every resource" in outputs[output]
    for attached in (
        "AdministratorAccess must not be attached to role/ci",  # main.tf
        "AdministratorAccess must not be attached to role/operator",  # other.tofu
        "AdministratorAccess must not be attached to role/FailLiteral",
        "PowerUserAccess must not be attached to user/FailTwo",
        "IAMFullAccess must not be attached to user/FailTwo",
    ):
        assert attached in outputs[output]


def test_the_outputs_are_whole(outputs: dict[str, str]) -> None:
    reports = json.loads(outputs["json"])
    records = [record for report in reports for record in report["results"]["failed_checks"]]
    assert {record["severity"] for record in records} == {"HIGH"}
    (run,) = json.loads(outputs["sarif"])["runs"]
    (rule,) = run["tool"]["driver"]["rules"]
    assert rule["shortDescription"]["text"].startswith(TITLE)
    assert len(ElementTree.fromstring(outputs["junitxml"]).findall(".//failure")) == 4
    assert {row["Resource"].rpartition(".")[2] for row in csv.DictReader(outputs["csv"].splitlines())} >= {"fail_tofu"}


# -- the scanned tree can neither disarm it nor run code -------------------------------------------------------------

HOSTILE_SETTINGS = """
soft-fail: true
skip-path: [main.tf]
skip-check: [IAM_068]
external-checks-dir: [checks]
framework: [kubernetes]
"""
HOSTILE_ENVIRONMENT = {
    "CKV_SKIP_CHECK": "IAM_068",
    "CKV_CHECK": "CKV_AWS_1",
    "CKV_FRAMEWORK": "kubernetes",
    "CHECKOV_NO_OUTPUT": "True",
    "BC_ROOT_DIR": "/nonexistent",
    "PRISMA_API_URL": "http://127.0.0.1:9",
}


def hostile_tree(tree: Path, canary: Path) -> None:
    """A violation, and all that a stranger could put beside it."""
    tree.mkdir()
    (tree / "main.tf").write_text(ADMINISTRATOR)
    run_by_import = f"open({str(canary)!r}, 'a').write(__file__)"
    for name in (".checkov.yaml", ".checkov.yml"):
        (tree / name).write_text(HOSTILE_SETTINGS)
    for package in ("checks", "unapproved_iam", "checkov", "unapproved_iam_checks"):
        (tree / package).mkdir()
        for module in ("__init__", "__main__", "rule", "main", "program", "session"):
            (tree / package / f"{module}.py").write_text(run_by_import)
    for module in ("hcl2", "yaml", "lark", "json", "sitecustomize", "usercustomize", "session"):
        (tree / f"{module}.py").write_text(run_by_import)
    # On PYTHONPATH: what Python itself imports before anything of ours runs is beyond us.
    (tree / "packages").mkdir()
    for module in ("hcl2", "yaml", "lark", "checkov"):
        (tree / f"packages/{module}.py").write_text(run_by_import)


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Path]:
    """The run in a hostile tree, and the file that code of the tree would have written."""
    directory = tmp_path_factory.mktemp("hostile")
    tree, canary = directory / "tree", directory / "canary"
    hostile_tree(tree, canary)
    environment = {**HOSTILE_ENVIRONMENT, "HOME": str(tree), "PYTHONPATH": str(tree / "packages")}
    result = wrapper("-d", ".", "--output=json", cwd=tree, environment=environment)
    return result, canary


def test_a_hostile_tree_is_reported(attacked: tuple[Result, Path]) -> None:
    result, _ = attacked
    assert result.returncode == 1, result.stderr
    assert set(failed(result)) == {"fail_admin"}


def test_a_hostile_tree_runs_nothing(attacked: tuple[Result, Path]) -> None:
    _, canary = attacked
    assert not canary.exists(), canary.read_text()


def test_the_tree_would_disarm_checkov_itself(tmp_path: Path) -> None:
    """Otherwise the tests above would prove nothing."""
    tree, canary = tmp_path / "tree", tmp_path / "canary"
    hostile_tree(tree, canary)
    command = [str(Path(sys.executable).with_name("checkov")), "-d", ".", f"--external-checks-dir={CHECKS}"]
    result = subprocess.run([*command, "--skip-download"], cwd=tree, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


# -- it proves that it can judge -------------------------------------------------------------------------------------


def copied_checks(directory: Path) -> Path:
    checks = directory / "rules"
    shutil.copytree(CHECKS, checks, ignore=shutil.ignore_patterns("__pycache__"))
    return checks


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("__init__.py", "did not load IAM_068 for aws_iam_policy_attachment"),
        ("unapproved_iam_policy_terraform.py", "did not load IAM_068 for aws_iam_policy_attachment"),
        ("unapproved_iam_policy_cloudformation.py", "did not load IAM_068 for AWS::"),
        ("unapproved_iam/terraform/root_module.py", "is broken"),
    ],
)
def test_an_installation_that_lacks_a_file_judges_nothing(tmp_path: Path, broken: str, said: str) -> None:
    checks = copied_checks(tmp_path)
    (checks / broken).unlink()
    (tmp_path / "main.tf").write_text(READER)
    result = only_ours("--directory=.", cwd=tmp_path, checks=checks)
    assert (result.returncode, result.stdout) == (2, "")
    assert said in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("named", ["argument", "repository"])
def test_a_list_that_cannot_be_used_is_an_error_with_its_line(tmp_path: Path, named: str) -> None:
    (tmp_path / "main.tf").write_text(READER)
    file = tmp_path / ("unapproved-iam-policies.yaml" if named == "repository" else "list.yaml")
    file.write_text("version: 1\ndeny:\n  - AdministratorAcess\n")
    result = only_ours(
        "--directory=.",
        *(["--deny-list=list.yaml"] if named == "argument" else []),
        cwd=tmp_path,
    )
    assert (result.returncode, result.stdout) == (2, "")
    assert f"{file.name}:3: " in result.stderr


def test_files_that_cannot_be_read_count_when_they_may_attach(tmp_path: Path) -> None:
    (tmp_path / "broken.tf").write_text(ADMINISTRATOR.replace('"ci"', '"ci'))
    (tmp_path / "harmless.tf").write_text('resource "aws_sns_topic" "broken" {')
    result = only_ours("--directory=.", "--framework=terraform", cwd=tmp_path)
    assert result.returncode == 2
    assert "broken.tf:3: " in result.stderr
    assert "harmless.tf" not in result.stderr


def test_the_tested_versions_are_those_that_the_extra_installs() -> None:
    first, below = (".".join(map(str, version)) for version in (FIRST_TESTED, FIRST_UNTESTED))
    assert f'"checkov>={first},<{below}"' in (ROOT / "pyproject.toml").read_text()


def test_nothing_to_scan_is_bad_usage(tmp_path: Path) -> None:
    result = only_ours(cwd=tmp_path)
    assert result.returncode == 2
    assert "--directory" in result.stderr


# -- the user's own arguments ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--soft-fail", "--skip-check=IAM_068:main.tf", "--framework=terraform"],
            [
                "--soft-fail, --soft-fail-on or --hard-fail-on lets violations pass",
                "--skip-check switches it off in some files",
                "--framework or --skip-framework leaves out "
                "terraform_plan, terraform_json, cloudformation, kubernetes, ansible",
            ],
        ),
        (
            ["--check=CKV_AWS_1", "--skip-path=main.tf"],
            ["--check or --skip-check switches it off", "--skip-path leaves out main.tf"],
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_the_users_arguments_take_from_the_check_is_said(
    tmp_path: Path, arguments: list[str], said: list[str]
) -> None:
    (tmp_path / "main.tf").write_text(ADMINISTRATOR)
    result = wrapper("--directory=.", "--quiet", *arguments, cwd=tmp_path)
    assert result.returncode == 0
    for sentence in said:
        assert f"IAM_068: {sentence}" in result.stderr
