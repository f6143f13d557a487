"""Which template a parameter file is about, seen from what a check finds; each tree has a twin with another name."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
from unapproved_iam.commands.command_line import main
from unapproved_iam.scan import parameter_binding
from written_files import write_tree

TEMPLATE = """
Parameters:
  Policy: {Type: String}
  Env: {Type: String, Default: dev}
Conditions:
  Prod: !Equals [!Ref Env, prod]
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: deploy
      ManagedPolicyArns: [!Sub 'arn:aws:iam::aws:policy/${Policy}']
"""
UNDER_CONDITION = TEMPLATE.replace("Type: AWS::IAM::Role", "Type: AWS::IAM::Role\n    Condition: Prod")
OTHER = "Parameters: {Other: {Type: String}}\nResources: {Topic: {Type: AWS::SNS::Topic}}\n"
ADMINISTRATOR = '[{"ParameterKey": "Policy", "ParameterValue": "AdministratorAccess"}]'
READER = ADMINISTRATOR.replace("AdministratorAccess", "ReadOnlyAccess")
IN_PRODUCTION = '["Policy=AdministratorAccess", "Env=prod"]'
GIT_SYNC = "template-file-path: %s\nparameters: {Policy: AdministratorAccess}\n"
UNBOUND = "unbound"  # the file is named, and nothing is said of the template


class Tree(NamedTuple):
    files: dict[str, str]
    found: list[str]  # verdicts; what is only named
    arguments: tuple[str, ...] = ()


TREES = {
    "beside": Tree({"x.yaml": TEMPLATE, "x.parameters.json": ADMINISTRATOR}, ["denied"]),
    "beside, another policy": Tree({"x.yaml": TEMPLATE, "x.parameters.json": READER}, []),
    "beside, with a dash": Tree({"x.yaml": TEMPLATE, "x-params.json": ADMINISTRATOR}, ["denied"]),
    "the only template with this parameter": Tree({"x.yaml": TEMPLATE, "prod.json": ADMINISTRATOR}, ["denied"]),
    "one of two with this parameter": Tree(
        {"x.yaml": TEMPLATE, "y.yaml": TEMPLATE, "prod.json": ADMINISTRATOR}, [UNBOUND]
    ),
    "one of two that has its name": Tree(
        {"x.yaml": TEMPLATE, "y.yaml": TEMPLATE, "parameters/x.json": ADMINISTRATOR}, ["denied"]
    ),
    "no template has this parameter": Tree({"x.yaml": OTHER, "prod.json": ADMINISTRATOR}, [UNBOUND]),
    "in capitals": Tree({"x.YAML": TEMPLATE, "x.Parameters.JSON": ADMINISTRATOR}, ["denied"]),
    "in a directory of parameters": Tree({"x.yaml": TEMPLATE, "parameters/prod.json": ADMINISTRATOR}, ["denied"]),
    "beside the directory of templates": Tree(
        {"templates/x.yaml": TEMPLATE, "parameters/prod.json": ADMINISTRATOR}, ["denied"]
    ),
    "in a directory of something else": Tree({"x.yaml": TEMPLATE, "data/prod.json": ADMINISTRATOR}, [UNBOUND]),
    "named": Tree(
        {"x.yaml": TEMPLATE, "data/prod.json": ADMINISTRATOR},
        ["denied"],
        ("--parameters", "x.yaml=data/prod.json"),
    ),
    "a condition that the file makes true": Tree({"x.yaml": UNDER_CONDITION, "prod.json": IN_PRODUCTION}, ["denied"]),
    "a condition that the file makes false": Tree(
        {"x.yaml": UNDER_CONDITION, "prod.json": IN_PRODUCTION.replace("=prod", "=test")}, []
    ),
    "a configuration of SAM": Tree(
        {"template.yaml": TEMPLATE, "samconfig.toml": 'parameter_overrides = "Policy=AdministratorAccess"\n'},
        ["denied"],
    ),
    "a configuration of SAM for another template": Tree(
        {
            "x.yaml": TEMPLATE,
            "template.yaml": OTHER,
            "samconfig.toml": 'template_file = "x.yaml"\nparameter_overrides = "Policy=AdministratorAccess"\n',
        },
        ["denied"],
    ),
    "a configuration of SAM in YAML": Tree(
        {"template.yaml": TEMPLATE, "samconfig.yaml": "a: {parameter_overrides: [Policy=AdministratorAccess]}\n"},
        ["denied"],
    ),
    "a configuration of SAM in YAML for a template below": Tree(
        {
            "below/x.yaml": TEMPLATE,
            "samconfig.yml": "a: {template_file: below/x.yaml, parameter_overrides: [Policy=AdministratorAccess]}\n",
        },
        ["denied"],
    ),
    "Git sync": Tree({"deep/er/x.yaml": TEMPLATE, "deep/d.yaml": GIT_SYNC % "deep/er/x.yaml"}, ["denied"]),
    "Git sync, another policy": Tree(
        {
            "deep/er/x.yaml": TEMPLATE,
            "deep/d.yaml": GIT_SYNC.replace("AdministratorAccess", "ReadOnlyAccess") % "deep/er/x.yaml",
        },
        [],
    ),
    "Git sync, for a template that is not there": Tree({"x.yaml": TEMPLATE, "d.yaml": GIT_SYNC % "y.yaml"}, [UNBOUND]),
    "a directory for each environment": Tree(
        {"templates/x.yaml": TEMPLATE, "templates/y.yaml": TEMPLATE, "parameters/prod/x.json": ADMINISTRATOR},
        ["denied"],
    ),
    "a directory for each environment, no template of this name": Tree(
        {"templates/x.yaml": TEMPLATE, "templates/y.yaml": TEMPLATE, "parameters/prod/z.json": ADMINISTRATOR},
        [UNBOUND],
    ),
    "a configuration of SAM for no template": Tree(
        {"x.yaml": TEMPLATE, "samconfig.toml": 'parameter_overrides = "Policy=AdministratorAccess"\n'}, [UNBOUND]
    ),
}


def check(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str]]:
    exit_code = main(["check", "--output=json", *arguments])
    report = json.loads(capsys.readouterr().out)
    assert not report["unjudged"]
    return exit_code, [one["verdict"] for one in report["findings"]] + [UNBOUND] * len(report["mentions"])


@pytest.mark.parametrize("screen", [(), ("--no-screen",)], ids=["screened", "all"])
@pytest.mark.parametrize("tree", TREES.values(), ids=TREES)
def test_what_a_file_gives(
    tree: Tree,
    screen: tuple[str, ...],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_tree(tmp_path, tree.files)
    monkeypatch.chdir(tmp_path)
    _, found = check(capsys, *tree.arguments, *screen, ".")
    assert [one for one in found if one != "unresolved"] == tree.found  # without a file the parameter has no value


@pytest.mark.parametrize("changed", ["x.yaml", "parameters/prod.json"])
def test_a_change_of_either_is_seen(
    changed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tree(tmp_path, TREES["in a directory of parameters"].files)
    monkeypatch.chdir(tmp_path)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message=x"]):
        subprocess.run([*git, *command], check=True)
    assert check(capsys, "--changed-since=HEAD") == (0, [])
    with open(changed, "a") as file:
        file.write("\n")
    assert check(capsys, "--changed-since=HEAD") == (1, ["denied"])
    assert check(capsys, changed) == (1, ["denied"])


WRONG = {
    "x.yaml": "--parameters x.yaml: names no file (expected TEMPLATE=FILE)",
    "x.yaml=missing.json": "--parameters x.yaml=missing.json: missing.json: no such file",
    "x.yaml=x.yaml": "gives no parameters (expected [{ParameterKey, ParameterValue}]",
}


@pytest.mark.parametrize(("argument", "message"), WRONG.items(), ids=WRONG)
def test_a_wrong_argument(
    argument: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tree(tmp_path, TREES["beside"].files)
    monkeypatch.chdir(tmp_path)
    assert main(["check", "--parameters", argument]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("file", [ADMINISTRATOR, '[{"ParameterKey": "Policy", "ParameterValue": "Admin"}]'])
def test_a_file_that_is_too_large_is_not_checked(
    file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tree(tmp_path, {"x.yaml": TEMPLATE, "x.parameters.json": file + " " * 100})
    monkeypatch.chdir(tmp_path)
    assert main(["check"]) == int(file == ADMINISTRATOR)
    monkeypatch.setattr(parameter_binding, "MOST_BYTES", 100)
    capsys.readouterr()
    assert main(["check"]) == 2
    assert "has more than 100 bytes of parameters" in capsys.readouterr().out
