"""What exclusions and ignored directories leave out: units, whoever's file their blocks stand in, and never in silence.

Each row is a tree with one way to attach AdministratorAccess; the pass case and its fail twin differ in what the glob
names.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from unapproved_iam.commands.command_line import main
from written_files import write_tree

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
MODULE = """variable "arn" {
  default = "arn:aws:iam::aws:policy/ReadOnlyAccess"
}
resource "aws_iam_role_policy_attachment" "x" {
  role       = "x"
  policy_arn = var.arn
}
"""
FIXED = MODULE.replace("var.arn", f'"{ADMIN}"')
BROKEN = MODULE + 'resource "aws_iam_role" "x" {\n'
TEMPLATE = f"Resources: {{R: {{Type: AWS::IAM::Role, Properties: {{ManagedPolicyArns: ['{ADMIN}']}}}}}}\n"


def calling(source: str, arn: str = ADMIN) -> str:
    return f'module "m" {{\n  source = "{source}"\n  arn    = "{arn}"\n}}\n'


def nesting(file: str) -> str:
    return f"Resources: {{S: {{Type: AWS::CloudFormation::Stack, Properties: {{TemplateURL: {file}}}}}}}\n"


EXAMPLES = {"main.tf": MODULE, "examples/admin/main.tf": calling("../..")}
VENDORED = {"main.tf": calling("./vendor/m"), "vendor/m/main.tf": MODULE}
ONLY_CALLED = {"modules/m/main.tf": FIXED, "examples/main.tf": calling("../modules/m")}
TWO_CALLERS = {"live/main.tf": calling("../m"), "examples/main.tf": calling("../m"), "m/main.tf": MODULE}
NESTED = {"parent.yaml": nesting("parts/child.yaml"), "parts/child.yaml": TEMPLATE}
BROKEN_MODULE = {"live/main.tf": calling("../m"), "m/main.tf": BROKEN}
ONE_FILE = {"live/main.tf": MODULE, "live/generated.tf": FIXED.replace('"x" {', '"y" {', 1).replace('"arn"', '"b"')}

CASES = {
    "a root module": (ONE_FILE, "live/**", 0),
    "another directory": (ONE_FILE, "other/**", 1),
    "one file of a root module": (ONE_FILE, "live/generated.tf", 0),
    "another file of it": (ONE_FILE, "live/main.tf", 1),
    "an example, the block of which stands outside": (EXAMPLES, "examples/**", 0),
    "the block's file, and not the example": (EXAMPLES, "main.tf", 1),
    "a called module": (VENDORED, "vendor/**", 1),
    "a called module's caller": (VENDORED, "main.tf", 0),
    "the only caller of a module that attaches by itself": (ONLY_CALLED, "examples/**", 1),
    "it and the module": (ONLY_CALLED, "**", 0),
    "one of two callers": (TWO_CALLERS, "examples/**", 1),
    "both callers": (TWO_CALLERS, "*/main.tf", 0),
    "what is broken, and called by others": (BROKEN_MODULE, "m/**", 2),
    "who calls what is broken": (BROKEN_MODULE, "*/**", 0),
    "a template": ({"a.yaml": TEMPLATE}, "a.yaml", 0),
    "another template": ({"a.yaml": TEMPLATE}, "b.yaml", 1),
    "what nests a template": (NESTED, "*.yaml", 1),
    "both templates": (NESTED, "**", 0),
}


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("screen", [[], ["--no-screen"]], ids=["screened", "whole"])
@pytest.mark.parametrize(("files", "glob", "code"), CASES.values(), ids=CASES)
def test_exclusions_leave_out_units(
    files: dict[str, str], glob: str, code: int, screen: list[str], repository: Path
) -> None:
    write_tree(repository, files)
    assert main(["check", *screen]) > 0
    assert main(["check", *screen, "--exclude", glob]) == code


def test_what_is_left_out_is_said_with_its_reason(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_tree(
        repository,
        {
            "unapproved-iam-policies.yaml": "version: 1\nuse: [aws-admin]\n"
            "exclude:\n  - {path: examples/**, reason: never deployed}\n",
            ".gitignore": "cdk.out\n",
            "cdk.out/a.template.json": TEMPLATE,
            "cdk.out/b.template.json": TEMPLATE,
            "cdk.out/notes.md": "",
            "examples/main.tf": FIXED,
        },
    )
    assert main(["check"]) == 0
    said = capsys.readouterr().out
    assert "2 excluded (cdk.out/: ignored by git), 1 excluded (examples/**: never deployed)" in said
    assert main(["check", "cdk.out"]) == 1  # asked for by name
    assert "ignored" not in capsys.readouterr().out


OPEN = MODULE.replace("var.arn", '"arn:aws:iam::aws:policy/${var.arn}"')
VARIABLES = {
    "a value": ('arn = "AdministratorAccess"\n', "*.tfvars", 1),
    "a broken file": ('arn = "AdministratorAccess\n', "*.tfvars", 2),
    "a value, and who reads it": ('arn = "AdministratorAccess"\n', "*", 0),
}


@pytest.mark.parametrize(("text", "glob", "code"), VARIABLES.values(), ids=VARIABLES)
def test_variable_files_count_for_the_root_module_that_reads_them(
    text: str, glob: str, code: int, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_tree(repository, {"main.tf": OPEN, "terraform.tfvars": text})
    assert main(["check", "--exclude", glob]) == code
    said = capsys.readouterr().out
    assert ("*.tfvars excludes nothing: variable files count" in said) is (glob == "*.tfvars")
    assert "excluded" not in said or glob == "*"


def test_the_list_is_none_of_the_files(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {"main.tf": FIXED, "unapproved-iam-policies.yaml": "version: 1\nuse: [aws-admin]\n"}
    write_tree(repository, files | {"other.yaml": files["unapproved-iam-policies.yaml"]})
    assert main(["check"]) == 1
    assert "1 violation in 2 files" in capsys.readouterr().out
    assert main(["check", "--deny-list", "other.yaml"]) == 1  # the other one is no file of the tree, either
    assert "1 violation in 1 file " in capsys.readouterr().out


READING = 'output "text" {{\n  value = file("{}")\n}}\n'
MENTIONING = {"live/inputs.json": f'["{ADMIN}"]\n'}
MENTIONS = {
    "an unknown file is read": (READING.format("${var.a}/${var.b}"), True),
    "a file that is known in part": (READING.format("${path.module}/${var.b}.json"), True),
    "another file of the name": (READING.format("${path.module}/../inputs.json"), True),
    "this very file": (READING.format("${path.module}/inputs.json"), False),
    "this very file, from the root module": (READING.format("inputs.json"), False),
}


@pytest.mark.parametrize(("source", "is_said"), MENTIONS.values(), ids=MENTIONS)
def test_a_mention_is_dropped_where_that_file_is_read(
    source: str, is_said: bool, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_tree(repository, MENTIONING | {"live/main.tf": source})
    assert main(["check"]) == 0
    assert ("live/inputs.json:1: not checked: names AdministratorAccess" in capsys.readouterr().out) is is_said
