"""What Terraform Stacks attach: each tree has a twin that differs in one token; both are checked as a user would."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from unapproved_iam.commands.command_line import main
from written_files import write_tree

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
READER = "arn:aws:iam::aws:policy/ReadOnlyAccess"
MODULE = f"""
variable "policy" {{
  type    = string
  default = "{READER}"
}}
resource "aws_iam_role_policy_attachment" "x" {{
  role       = "deploy"
  policy_arn = var.policy
}}
output "policy" {{
  value = var.policy
}}
"""
VARIABLE = 'variable "policy" {\n  type = string\n}\n'
DEFAULT = f'variable "policy" {{\n  type    = string\n  default = "{ADMINISTRATOR}"\n}}\n'
Files = Mapping[str, str]


def component(inputs: str = "{ policy = var.policy }", source: str = "./role", more: str = "", name: str = "x") -> str:
    return f'component "{name}" {{\n  source = "{source}"\n  {more}\n  inputs = {inputs}\n}}\n'


def deployment(policy: str = f'"{ADMINISTRATOR}"', more: str = "", name: str = "prod") -> str:
    return f'deployment "{name}" {{\n  inputs = {{\n    policy = {policy}\n  }}\n  {more}\n}}\n'


EMBEDDED = 'stack "child" {\n  source = "./child"\n  inputs = { policy = var.policy }\n}\n'
FORMS: dict[str, dict[str, str]] = {
    "an input of a component": {"x.tfcomponent.hcl": component(f'{{ policy = "{ADMINISTRATOR}" }}')},
    "an input of a deployment": {"x.tfcomponent.hcl": VARIABLE + component(), "x.tfdeploy.hcl": deployment()},
    "the older suffix": {"x.tfstack.hcl": VARIABLE + component(), "x.tfdeploy.hcl": deployment()},
    "several files": {"a.tfcomponent.hcl": VARIABLE, "b.tfcomponent.hcl": component(), "x.tfdeploy.hcl": deployment()},
    "JSON": {
        "x.tfcomponent.json": json.dumps(
            {
                "variable": {"policy": {"type": "string"}},
                "component": {"x": {"source": "./role", "inputs": {"policy": "${var.policy}"}}},
            }
        ),
        "x.tfdeploy.json": json.dumps({"deployment": {"prod": {"inputs": {"policy": ADMINISTRATOR}}}}),
    },
    "a local of the deployments": {
        "x.tfcomponent.hcl": VARIABLE + component(),
        "x.tfdeploy.hcl": 'locals {\n  name = "AdministratorAccess"\n}\n'
        + deployment('"arn:aws:iam::aws:policy/${local.name}"'),
    },
    "a local of the components": {
        "x.tfcomponent.hcl": 'locals {\n  name = "AdministratorAccess"\n}\n'
        + component('{ policy = "arn:aws:iam::aws:policy/${local.name}" }')
    },
    "a default that the deployment leaves": {
        "x.tfcomponent.hcl": DEFAULT + component(),
        "x.tfdeploy.hcl": 'deployment "prod" {\n  inputs = {}\n}\n',
    },
    "a default without a deployment": {"x.tfcomponent.hcl": DEFAULT + component()},
    "a component for each of several values": {
        "x.tfcomponent.hcl": component(
            "{ policy = each.value }", more=f'for_each = {{ a = "{READER}", b = "{ADMINISTRATOR}" }}'
        )
    },
    "inputs that are merged": {
        "x.tfcomponent.hcl": component(f'merge({{ policy = "{READER}" }}, {{ policy = "{ADMINISTRATOR}" }})')
    },
    "an output of another component": {
        "x.tfcomponent.hcl": component(f'{{ policy = "{ADMINISTRATOR}" }}', source="./quiet", name="y")
        + component("{ policy = component.y.policy }"),
        "quiet/main.tf": 'variable "policy" {}\noutput "policy" {\n  value = var.policy\n}\n',
    },
    "a module from elsewhere": {
        "x.tfcomponent.hcl": component(f'{{ policies = ["{ADMINISTRATOR}"] }}', source="app.terraform.io/a/roles/aws")
    },
    "a Stack within a Stack": {
        "x.tfcomponent.hcl": VARIABLE + EMBEDDED,
        "child/x.tfcomponent.hcl": VARIABLE + component(source="../role"),
        "x.tfdeploy.hcl": deployment(),
    },
    "a Stack from elsewhere": {
        "x.tfcomponent.hcl": f'stack "x" {{\n  source = "a/b"\n  inputs = {{ policy = "{ADMINISTRATOR}" }}\n}}\n'
    },
    "the module beside the Stack": {
        "main.tf": MODULE,
        "x.tfcomponent.hcl": component(f'{{ policy = "{ADMINISTRATOR}" }}', source="./"),
    },
    "a deployment of components that are elsewhere": {"x.tfdeploy.hcl": deployment()},
}


def write(files: Files, directory: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(directory)], check=True)
    write_tree(directory, {"role/main.tf": MODULE, **files})


def check(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, dict[str, Any]]:
    exit_code = main(["check", "--output=json", *map(str, arguments)])
    return exit_code, json.loads(capsys.readouterr().out)


def verdicts(report: dict[str, Any]) -> list[str]:
    assert not report["unjudged"], report["unjudged"]
    return [one["verdict"] for one in report["findings"]]


@pytest.mark.parametrize("files", FORMS.values(), ids=FORMS)
def test_what_a_stack_attaches(files: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for directory, written in (("denied", files), ("harmless", harmless(files))):
        write(written, tmp_path / directory)
        exit_code, report = check(capsys, tmp_path / directory)
        assert verdicts(report) == ["denied"] * (directory == "denied")
        assert exit_code == (directory == "denied")
        assert check(capsys, "--no-screen", tmp_path / directory)[1]["findings"] == report["findings"]


def harmless(files: Files) -> Files:
    return {name: text.replace("AdministratorAccess", "ViewOnlyAccess") for name, text in files.items()}


UNKNOWN = {
    "a variable set": ("store.varset.x.policy", "no file says what a variable set holds"),
    "another Stack": ("upstream_input.x.policy", "no file says what another Stack outputs"),
}


@pytest.mark.parametrize(("value", "reason"), UNKNOWN.values(), ids=UNKNOWN)
def test_what_is_in_no_file_is_unresolved(
    value: str, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write({"x.tfcomponent.hcl": VARIABLE + component(), "x.tfdeploy.hcl": deployment(value)}, tmp_path)
    (tmp_path / "unapproved-iam-policies.yaml").write_text("version: 1\nuse: [aws-admin]\nunresolved: fail\n")
    exit_code, report = check(capsys, tmp_path)
    assert (exit_code, verdicts(report)) == (1, ["unresolved"])
    assert reason in report["findings"][0]["message"]


REFUSED = {
    "components that are no HCL": ({"x.tfcomponent.hcl": component() + "x = [\n"}, "x.tfcomponent.hcl", 6, ""),
    "a module that is not there": (
        {"x.tfcomponent.hcl": component(f'{{ policy = "{ADMINISTRATOR}" }}', source="./missing")},
        "x.tfcomponent.hcl",
        1,
        'module directory "./missing" holds no configuration, or is not there',
    ),
    "a module that is not there, beside one that lies with the Stack": (
        {
            "main.tf": MODULE,
            "x.tfcomponent.hcl": component("{}", source="./missing") + component("{}", source="./", name="y"),
            "x.tfdeploy.hcl": deployment(),
        },
        "x.tfcomponent.hcl",
        1,
        'module directory "./missing" holds no configuration, or is not there',
    ),
    "deployments that are no HCL": (
        {"x.tfcomponent.hcl": VARIABLE + component(), "x.tfdeploy.hcl": deployment() + "x = [\n"},
        "x.tfdeploy.hcl",
        7,
        "",
    ),
}


@pytest.mark.parametrize(("files", "path", "line", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_understood_is_not_judged(
    files: Files, path: str, line: int, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(files, tmp_path)
    (tmp_path / "unapproved-iam-policies.yaml").write_text('version: 1\ndeny: ["*"]\n')
    exit_code, report = check(capsys, tmp_path / path)
    assert exit_code == 2
    (problem,) = report["unjudged"]
    assert (problem["path"], problem["line"]) == (path, line)
    assert reason in problem["reason"]


def test_a_deployment_that_is_taken_down_attaches_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, more in (("kept", "destroy = false"), ("gone", "destroy = true")):
        files = {"x.tfcomponent.hcl": VARIABLE + component(), "x.tfdeploy.hcl": deployment(more=more)}
        write(files, tmp_path / name)
        assert verdicts(check(capsys, tmp_path / name)[1]) == ["denied"] * (name == "kept")


def test_what_all_deployments_attach_alike_is_told_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    components = VARIABLE + component() + component(f'{{ policy = "{ADMINISTRATOR}" }}', name="always")
    deployments = deployment() + deployment(f'"{READER}"', name="dev")
    write({"x.tfcomponent.hcl": components, "x.tfdeploy.hcl": deployments}, tmp_path)
    _, report = check(capsys, tmp_path)
    assert sorted(one["resource"] for one in report["findings"]) == [
        "component.always.aws_iam_role_policy_attachment.x",
        "deployment.prod.component.x.aws_iam_role_policy_attachment.x",
    ]


@pytest.mark.parametrize("changed", ["x.tfcomponent.hcl", "x.tfdeploy.hcl", "role/main.tf"])
def test_a_change_leads_to_the_stack(
    changed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write({"x.tfcomponent.hcl": VARIABLE + component(), "x.tfdeploy.hcl": deployment()}, tmp_path)
    monkeypatch.chdir(tmp_path)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["add", "."], ["commit", "--quiet", "--message=x"]):
        subprocess.run([*git, *command], check=True)
    assert verdicts(check(capsys, "--changed-since=HEAD")[1]) == []
    with open(changed, "a") as file:
        file.write("\n")
    for arguments in (["--changed-since=HEAD"], [changed]):
        assert verdicts(check(capsys, *arguments)[1]) == ["denied"]


def test_the_approval_that_a_finding_prints_covers_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write({"x.tfcomponent.hcl": VARIABLE + component(), "x.tfdeploy.hcl": deployment()}, tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["check"]) == 1
    (line,) = (line for line in capsys.readouterr().out.splitlines() if "to allow it: " in line)
    approval = line.partition("to allow it: ")[2].replace("…", "reviewed in SEC-1")
    written = "version: 1\nuse: [aws-admin]\napprove:\n  "
    Path("unapproved-iam-policies.yaml").write_text(written + approval + "\n")
    assert main(["check"]) == 0
    Path("unapproved-iam-policies.yaml").write_text(written + approval.replace("role/", "role/other-") + "\n")
    assert main(["check"]) == 1


@pytest.mark.parametrize("skipped", ["component", "deployment"])
def test_an_inline_skip_counts(skipped: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    comment = "# checkov:skip=IAM_068:reviewed"
    components = component(more=comment if skipped == "component" else "")
    deployments = deployment(more=comment if skipped == "deployment" else "")
    write({"x.tfcomponent.hcl": VARIABLE + components, "x.tfdeploy.hcl": deployments}, tmp_path)
    exit_code, report = check(capsys, tmp_path)
    assert (exit_code, [one["skipped"] for one in report["findings"]]) == (0, ["reviewed"])
