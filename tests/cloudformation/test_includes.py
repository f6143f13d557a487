"""What `AWS::Include` brings into a template from a file of the tree, with a twin that includes another policy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from unapproved_iam.commands.command_line import main
from written_files import write_tree

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
INCLUDE = "Fn::Transform: {Name: AWS::Include, Parameters: {Location: %s}}"
ROLE = "Resources:\n  R:\n    Type: AWS::IAM::Role\n    Properties: {%s}\n"
PROPERTIES = f"ManagedPolicyArns: ['{ADMIN}']\n"
WHOLE_ROLE = f"R: {{Type: 'AWS::IAM::Role', Properties: {{ManagedPolicyArns: ['{ADMIN}']}}}}\n"

TREES = {
    "properties": {"t.yaml": ROLE % (INCLUDE % "p.yaml"), "p.yaml": PROPERTIES},
    "beside others": {
        "t.yaml": ROLE % ("Path: /, " + INCLUDE % "./p.yaml"),
        "p.yaml": f"ManagedPolicyArns: ['{ADMIN}']\n",
    },
    "a list": {"t.yaml": ROLE % f"ManagedPolicyArns: {{{INCLUDE % 'p.yaml'}}}", "p.yaml": f"- {ADMIN}\n"},
    "an element": {"t.yaml": ROLE % f"ManagedPolicyArns: [{{{INCLUDE % 'p.yaml'}}}]", "p.yaml": f"{ADMIN}\n"},
    "a resource": {"t.yaml": f"Resources:\n  {INCLUDE % 'x/r.yaml'}\n", "x/r.yaml": WHOLE_ROLE},
    "all resources": {"t.yaml": f"{INCLUDE % 'r.yaml'}\n", "r.yaml": f"Resources:\n  {WHOLE_ROLE}"},
    "JSON": {
        "t.json": json.dumps(
            {
                "Resources": {
                    "R": {
                        "Type": "AWS::IAM::Role",
                        "Properties": {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "p.json"}}},
                    }
                }
            }
        ),
        "p.json": json.dumps({"ManagedPolicyArns": [ADMIN]}),
    },
    "a function in it": {
        "t.yaml": "Parameters: {P: {Type: String, Default: Administrator}}\n" + ROLE % (INCLUDE % "p.yaml"),
        "p.yaml": "ManagedPolicyArns: [!Sub 'arn:aws:iam::aws:policy/${P}Access']\n",
    },
}


@pytest.mark.parametrize("arguments", [[], ["--no-screen"]], ids=["screen", "no screen"])
@pytest.mark.parametrize("files", TREES.values(), ids=TREES)
def test_what_is_included(
    files: dict[str, str], arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for is_denied in (True, False):
        name = "Administrator" if is_denied else "ReadOnly"
        twin = {path: source.replace("Administrator", name) for path, source in files.items()}
        tree = write_tree(tmp_path / str(is_denied), twin)
        assert main(["check", "--output=json", *arguments, str(tree)]) == int(is_denied)
        verdicts = {finding["verdict"] for finding in json.loads(capsys.readouterr().out)["findings"]}
        assert verdicts == ({"denied"} if is_denied else set())


def test_what_lies_elsewhere_is_not_known(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_tree(
        tmp_path, {"t.yaml": ROLE % (INCLUDE % "s3://bucket/p.yaml"), "p.yaml": f"ManagedPolicyArns: ['{ADMIN}']\n"}
    )
    assert main(["check", "--output=json", str(tmp_path)]) == 0
    assert [one["verdict"] for one in json.loads(capsys.readouterr().out)["findings"]] == ["unresolved"]
