"""What templates import from one another and get from parameter files, with the screen and without.

Each tree is checked as it is, and with a token of its denied name changed: then nothing is denied.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from unapproved_iam.commands.command_line import main

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
ROLE = "Resources:\n  R:\n    Type: AWS::IAM::Role\n    Properties: {ManagedPolicyArns: [%s]}\n"
NET = "Parameters: {Net: {Type: String, Default: base}}\n"


def exports(value: str, name: str, more: str = "Resources: {Q: {Type: AWS::SQS::Queue}}") -> str:
    return f"{more}\nOutputs: {{P: {{Value: {value}, Export: {{Name: {name}}}}}}}\n"


IMPORT = ROLE % '!ImportValue "base-policy"'
STACK_NAME = '!Sub "${AWS::StackName}-policy"'
POLICY_PARAMETER = "Parameters: {P: {Type: String}}\nResources: {Q: {Type: AWS::SQS::Queue}}"
UNDER_CONDITION = (
    "Conditions: {C: !Equals [a, %s]}\nResources: {Q: {Type: AWS::SQS::Queue}}\n"
    f"Outputs: {{P: {{Condition: C, Value: {ADMIN}, Export: {{Name: base-policy}}}}}}\n"
)

DENIED: dict[str, dict[str, str]] = {
    "by its name": {"a.yaml": exports(ADMIN, "base-policy"), "b.yaml": IMPORT},
    "in other directories": {"x/a.yaml": exports(ADMIN, "base-policy"), "y/z/b.template": IMPORT},
    "by a name that the default of a parameter makes": {
        "a.yaml": exports(ADMIN, "base-policy"),
        "b.yaml": NET + ROLE % '!ImportValue {"Fn::Sub": "${Net}-policy"}',
    },
    "by a name that begins with the stack's": {"a.yaml": exports(ADMIN, STACK_NAME), "b.yaml": IMPORT},
    "by names of which each begins with a parameter": {
        "a.yaml": exports(ADMIN, STACK_NAME),
        "b.yaml": NET.replace(", Default: base", "") + ROLE % '!ImportValue {"Fn::Sub": "${Net}-policy"}',
    },
    "a part of the name": {
        "a.yaml": exports("Administrator", "half"),
        "b.yaml": ROLE % '!Sub ["arn:aws:iam::aws:policy/${X}Access", {X: !ImportValue half}]',
    },
    "one of a list that is joined": {
        "a.yaml": exports(f'"arn:aws:iam::aws:policy/ReadOnlyAccess,{ADMIN}"', "base-policy"),
        "b.yaml": ROLE % '!Select [1, !Split [",", !ImportValue base-policy]]',
    },
    "pieces that are cut out": {
        "a.yaml": exports("xx-Administrator-xx", "half"),
        "b.yaml": ROLE
        % '!Sub ["arn:aws:iam::aws:policy/${X}Access", {X: !Select [1, !Split ["-", !ImportValue half]]}]',
    },
    "what is imported itself": {
        "a.yaml": exports(ADMIN, "first"),
        "b.yaml": exports("!ImportValue first", "base-policy"),
        "c.yaml": IMPORT,
    },
    "what a parameter file gives": {
        "a.yaml": exports("!Ref P", "base-policy", POLICY_PARAMETER),
        "a.parameters.json": json.dumps([f"P={ADMIN}"]),
        "b.yaml": IMPORT,
    },
    "what a parent passes": {
        "a.yaml": exports("!Ref P", "base-policy", POLICY_PARAMETER),
        "parent.yaml": "Resources: {S: {Type: AWS::CloudFormation::Stack, Properties: "
        f"{{TemplateURL: a.yaml, Parameters: {{P: {ADMIN}}}}}}}}}\n",
        "b.yaml": IMPORT,
    },
    "under a condition that holds": {"a.yaml": UNDER_CONDITION % "a", "b.yaml": IMPORT},
    "pieces of a name in a parameter file": {
        "x.yaml": "Parameters: {P: {Type: String}}\n" + ROLE % '!Sub "arn:aws:iam::aws:policy/${P}Access"',
        "x.parameters.json": '["P=Administrator"]',
    },
    "pieces of a name in a parameter file, of another form": {
        "x.yaml": "Parameters: {P: {Type: String}, Q: {Type: String}}\n"
        + ROLE % '!Join ["", ["arn:aws:iam::aws:policy/", !Ref P, !Ref Q]]',
        "x.parameters.json": '[{"ParameterKey": "P", "ParameterValue": "Administrator"},'
        ' {"ParameterKey": "Q", "ParameterValue": "Access"}]',
    },
    "pieces of a name in a parameter file that are cut out": {
        "x.yaml": "Parameters: {P: {Type: String}}\n"
        + ROLE % '!Sub ["arn:aws:iam::aws:policy/${X}Access", {X: !Select [1, !Split ["-", !Ref P]]}]',
        "x.parameters.json": '["P=xx-Administrator-xx"]',
    },
    "pieces of a name in the configuration of the SAM CLI": {
        "template.yaml": "Parameters: {P: {Type: String}}\n" + ROLE % '!Sub "arn:aws:iam::aws:policy/${P}Access"',
        "samconfig.toml": '[default.deploy.parameters]\nparameter_overrides = "P=Administrator"\n',
    },
}
CLEAN = {
    "another name": {"a.yaml": exports(ADMIN, "base-policies"), "b.yaml": IMPORT},
    "under a condition that never holds": {"a.yaml": UNDER_CONDITION % "b", "b.yaml": IMPORT},
    "exports that import each other": {
        "a.yaml": exports("!ImportValue second", "first"),
        "b.yaml": exports("!ImportValue first", "second"),
        "c.yaml": ROLE % "!ImportValue first",
    },
    "what a parent passes instead": {
        "a.yaml": exports("!Ref P", "base-policy", POLICY_PARAMETER.replace("String}", f"String, Default: {ADMIN}}}")),
        "parent.yaml": "Resources: {S: {Type: AWS::CloudFormation::Stack, Properties: "
        "{TemplateURL: a.yaml, Parameters: {P: arn:aws:iam::aws:policy/ReadOnlyAccess}}}}\n",
        "b.yaml": IMPORT,
    },
}
TREES = {
    **{name: (files, True) for name, files in DENIED.items()},
    **{
        f"{name}, another policy": (
            {path: source.replace("Administrator", "Readministrator") for path, source in files.items()},
            False,
        )
        for name, files in DENIED.items()
    },
    **{name: (files, False) for name, files in CLEAN.items()},
}


@pytest.mark.parametrize(("files", "is_denied"), TREES.values(), ids=TREES)
@pytest.mark.parametrize("arguments", [[], ["--no-screen"]], ids=["screen", "no screen"])
def test_what_comes_from_other_files(
    files: dict[str, str], is_denied: bool, arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, source in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(source)
    code = main(["check", "--output=json", *arguments, str(tmp_path)])
    found = json.loads(capsys.readouterr().out)["findings"]
    assert ("denied" in {finding["verdict"] for finding in found}, code) == (is_denied, int(is_denied))


def test_what_nobody_exports_is_unresolved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "b.yaml").write_text(IMPORT)
    assert main(["check", "--output=json", "--no-screen", str(tmp_path)]) == 0
    found = json.loads(capsys.readouterr().out)["findings"]
    assert [(one["verdict"], "exported by another stack" in one["message"]) for one in found] == [("unresolved", True)]


def test_an_export_by_the_very_name_leaves_nothing_open(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.yaml").write_text(exports("arn:aws:iam::aws:policy/ReadOnlyAccess", "base-policy"))
    (tmp_path / "b.yaml").write_text(IMPORT)
    assert main(["check", "--output=json", "--no-screen", str(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out)["findings"] == []
