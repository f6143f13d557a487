"""`unapproved-iam check` from the outside: arguments, what it looks at, outputs and exit codes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from unapproved_iam.commands.command_line import main
from written_files import write_tree

ROLE = """Resources:
  {name}:
    Type: AWS::IAM::Role
    Properties:
      ManagedPolicyArns:
        - arn:aws:iam::aws:policy/{policy}
"""
DENIED = ROLE.format(name="FailRole", policy="AdministratorAccess")
CLEAN = ROLE.format(name="Role", policy="ReadOnlyAccess")
BROKEN = DENIED + "  Next: {\n"
BROKEN_AND_HARMLESS = CLEAN + "  Next: {\n"
NOT_OURS = "provider:\n  iamManagedPolicies: [AdministratorAccess]\n"
LIST = """version: 1
deny: [AdministratorAccess]
approve:
  - {policy: AdministratorAccess, attached_to: Approved, in: live/**, reason: drill}
exclude:
  - {path: charts/**, reason: Helm templates}
"""


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory: a repository without files."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(*arguments: str) -> int:
    return main(["check", *arguments])


def summary_of(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out.splitlines()[-1]


def found(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[set[str], int]:
    """Path and resource of each violation, and the exit code."""
    code = check("--output", "json", *arguments)
    report = json.loads(capsys.readouterr().out)
    return {f"{one['path']} {one['resource']}" for one in report["findings"] if one["violation"]}, code


@pytest.mark.parametrize(
    ("files", "code", "outcome"),
    [
        ({}, 0, "clean: 0 files"),
        ({"a.yaml": CLEAN}, 0, "clean: 1 file"),
        ({"a.yaml": DENIED}, 1, "1 violation in 1 file"),
        ({"a.yaml": BROKEN}, 2, "could not check everything (1 problem): no violation in 1 file"),
        ({"a.yaml": BROKEN_AND_HARMLESS}, 0, "clean: 1 file"),
        ({"a.yaml": DENIED, "b.yaml": BROKEN}, 2, "could not check everything (1 problem): 1 violation in 2 files"),
        ({"serverless.yml": NOT_OURS}, 0, "no violation in 1 file"),
        ({"unapproved-iam-policies.yaml": LIST, "charts/a.yaml": DENIED}, 0, "clean: 1 file"),
        (
            {"unapproved-iam-policies.yaml": LIST, "live/a.yaml": DENIED.replace("FailRole", "Approved")},
            0,
            "clean: 1 file",
        ),
        (
            {"unapproved-iam-policies.yaml": LIST, "dev/a.yaml": DENIED.replace("FailRole", "Approved")},
            1,
            "1 violation in 1 file",
        ),
        ({"unapproved-iam-policies.yaml": LIST.replace("deny", "dney"), "a.yaml": CLEAN}, 2, ""),
    ],
    ids=[
        "nothing",
        "clean",
        "denied",
        "unreadable",
        "unreadable, without a denied name",
        "denied and unreadable",
        "a mention",
        "excluded",
        "approved",
        "approved elsewhere",
        "a bad list",
    ],
)
def test_exit_codes(
    tree: Path, files: dict[str, str], code: int, outcome: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_tree(tree, files)
    assert check() == code
    printed = capsys.readouterr()
    assert printed.out.splitlines()[-1].startswith(f"{outcome} ") if outcome else not printed.out
    assert bool(printed.err) is not bool(outcome)
    assert "Traceback" not in printed.out + printed.err


def test_the_summary_counts(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    skipped = DENIED + "    Metadata:\n      checkov: {skip: [{id: IAM_068, comment: agreed}]}\n"
    write_tree(
        tree,
        {
            "unapproved-iam-policies.yaml": LIST,
            "live/a.yaml": DENIED.replace("FailRole", "Approved"),
            "live/b.yaml": skipped.replace("FailRole", "Skipped"),
            "live/c.yaml": "# not AdministratorAccess\n"
            + ROLE.format(name="Open", policy="${X}").replace("arn:", "!Sub arn:"),
            "charts/a.yaml": DENIED,
            "charts/b.yaml": DENIED,
            "serverless.yml": NOT_OURS,
            "notes.md": DENIED,
        },
    )
    assert check() == 0
    lines = capsys.readouterr().out.splitlines()
    assert (
        lines[0] == "serverless.yml:2: not checked: names AdministratorAccess, and files of this kind are not read here"
    )
    assert [re.sub(r"\([0-9.]+ s\)", "(N s)", line) for line in lines[1:]] == [
        "no violation in 6 files (N s), list: unapproved-iam-policies.yaml; 1 approved, 1 skipped inline, 1 unresolved,"
        " 1 file not read that names a denied policy, 2 excluded (charts/**: Helm templates)"
    ]


def test_directories_and_files(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_tree(tree, {"one/a.yaml": DENIED, "two/b.yaml": DENIED, "two/c.yaml": CLEAN})
    everything = {"one/a.yaml FailRole", "two/b.yaml FailRole"}
    assert found(capsys) == (everything, 1)
    assert found(capsys, "one", "two") == (everything, 1)
    assert found(capsys, "two") == ({"two/b.yaml FailRole"}, 1)
    assert found(capsys, "two/b.yaml") == ({"two/b.yaml FailRole"}, 1)
    assert found(capsys, "two/c.yaml") == (set(), 0)
    assert found(capsys, "two/c.yaml", "one") == ({"one/a.yaml FailRole"}, 1)
    assert found(capsys, "gone.yaml") == (set(), 0)
    assert check("gone") == 2
    assert capsys.readouterr().err == "gone: no such file or directory\n"


def test_a_change_of_the_list_judges_everything(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_tree(tree, {"unapproved-iam-policies.yaml": LIST, "one/a.yaml": DENIED})
    assert found(capsys, "unapproved-iam-policies.yaml") == ({"one/a.yaml FailRole"}, 1)


def test_exclude(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_tree(tree, {"one/a.yaml": DENIED, "one/b.yaml": BROKEN})
    assert check("--exclude", "one/b.yaml") == 1
    assert summary_of(capsys).endswith("list: aws-admin; 1 excluded (one/b.yaml: by --exclude)")
    assert check("--exclude", "one/**") == 0
    with pytest.raises(SystemExit):
        check("--exclude", "[a")
    assert "argument --exclude: '[a' matches no path (expected a path from" in capsys.readouterr().err


def test_plans_by_argument_and_by_content(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = {
        "format_version": "1.2",
        "planned_values": {
            "root_module": {
                "resources": [
                    {
                        "address": "aws_iam_role_policy_attachment.fail",
                        "mode": "managed",
                        "type": "aws_iam_role_policy_attachment",
                        "name": "fail",
                        "values": {"role": "x", "policy_arn": "arn:aws:iam::aws:policy/AdministratorAccess"},
                    }
                ]
            }
        },
    }
    write_tree(tree, {"tfplan": json.dumps(plan), "plans/plan.json": json.dumps(plan), "other.json": "{}"})
    by_content = "plans/plan.json aws_iam_role_policy_attachment.fail"
    assert found(capsys, "plans/plan.json") == ({by_content}, 1)
    assert found(capsys, ".") == ({by_content}, 1)
    assert found(capsys, "--plan", "tfplan", "other.json") == ({"tfplan aws_iam_role_policy_attachment.fail"}, 1)
    assert check("--plan", "other.json") == 2
    assert capsys.readouterr().err == (
        "--plan other.json: no Terraform plan (expected what `terraform show -json PLANFILE` prints)\n"
    )
    assert check("--plan", "gone.json") == 2
    assert capsys.readouterr().err == "--plan gone.json: No such file or directory\n"


def test_only_a_plan_means_only_that_plan(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_tree(tree, {"a.yaml": DENIED, "plan.json": '{"format_version": "1.2", "planned_values": {}}'})
    assert found(capsys, "--plan", "plan.json") == (set(), 0)


def test_output_files_and_what_is_printed_beside(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_tree(tree, {"a.yaml": DENIED})
    assert check("--output", "sarif", "--output-file", "report.sarif") == 1
    printed = capsys.readouterr()
    assert printed.out.startswith("a.yaml:6: AdministratorAccess must not be attached to role/FailRole\n")
    assert json.loads((tree / "report.sarif").read_text())["version"] == "2.1.0"
    assert check("--output", "sarif") == 1
    printed = capsys.readouterr()
    assert json.loads(printed.out)["version"] == "2.1.0"
    assert printed.err.startswith("1 violation in 1 file ")
    assert check("--output", "sarif", "--quiet") == 1
    assert capsys.readouterr().err == ""
    assert check("--output-file", "no/such/directory") == 2
    assert capsys.readouterr().err == "--output-file no/such/directory: No such file or directory\n"


def test_github_gets_annotations_by_itself(
    tree: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tree(tree, {"a.yaml": DENIED})
    assert check() == 1
    assert "::error" not in capsys.readouterr().out
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert check() == 1
    annotation = (
        "::error file=a.yaml,line=6,endLine=6,title=IAM_068::a.yaml:6: AdministratorAccess must not be attached"
    )
    first, *others = capsys.readouterr().out.splitlines()
    assert first.startswith(annotation)
    assert not [line for line in others if "AdministratorAccess" in line]  # nothing is there twice
    assert check("--output", "json") == 1
    assert "::error" not in capsys.readouterr().out


@pytest.mark.parametrize(("variables", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_colours_only_on_a_terminal(tree: Path, variables: dict[str, str], coloured: bool) -> None:
    write_tree(tree, {"a.yaml": DENIED})
    command = [sys.executable, "-m", "unapproved_iam_checks", "check"]
    environment = os.environ | {"TERM": "xterm"} | variables
    plain = subprocess.run(command, capture_output=True, env=environment).stdout
    assert b"\x1b" not in plain
    master, slave = os.openpty()
    with subprocess.Popen(command, stdout=slave, env=environment) as process:
        os.close(slave)
        shown = b""
        while part := _read(master):
            shown += part
    os.close(master)
    assert process.returncode == 1
    assert (b"\x1b[" in shown) is coloured


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # the terminal is closed
        return b""


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_any_name_can_be_printed(tree: Path, encoding: str) -> None:
    write_tree(tree, {"\N{SNOWMAN}\N{ESCAPE}[31m.yaml": DENIED})
    command = [sys.executable, "-m", "unapproved_iam_checks", "check"]
    result = subprocess.run(command, capture_output=True, env=os.environ | {"PYTHONIOENCODING": encoding})
    assert result.returncode == 1
    assert result.stderr == b""
    shown = "\N{SNOWMAN}" if encoding == "utf-8" else r"\u2603"
    assert result.stdout.decode(encoding).startswith(shown + r"\x1b[31m.yaml:6: ")


def test_a_reader_that_goes_away_gets_no_traceback(tree: Path) -> None:
    write_tree(tree, {f"{number}.yaml": DENIED for number in range(300)})
    command = f"{sys.executable} -m unapproved_iam_checks check | head -n 1"
    result = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert len(result.stdout.splitlines()) == 1
    assert result.stderr == ""


HEAVY = (
    "checkov",
    "jsonschema",
    "boto3",
    "botocore",
    "asyncio",
    "dataclasses",
    "importlib.metadata",
    "inspect",
    "json",
    "subprocess",
)


@pytest.mark.parametrize("arguments", [["."], ["live/main.tf", "stack.yaml"]], ids=["a directory", "files"])
def test_what_cannot_matter_imports_little(tree: Path, arguments: list[str]) -> None:
    write_tree(
        tree,
        {
            "unapproved-iam-policies.yaml": LIST,
            "live/main.tf": 'resource "aws_iam_role" "x" { managed_policy_arns = ["arn:aws:iam::aws:policy/X"] }\n',
            "stack.yaml": CLEAN,
            "k8s.yaml": "kind: Deployment\n",
        },
    )
    script = (
        "import sys; from unapproved_iam_checks.__main__ import main;"
        "sys.argv = ['unapproved-iam', 'check', *sys.argv[1:]];"
        "code = main(); print(*sys.modules, sep=chr(10)); sys.exit(code)"
    )
    result = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    summary, *modules = result.stdout.splitlines()
    assert summary.startswith("clean: ")
    assert "unapproved_iam.scan.tree_check" in modules
    loaded_before = {"importlib.metadata", "json", "subprocess"} & _modules_at_start()
    assert not {name for name in modules if name.split(".")[0] in HEAVY or name in HEAVY} - loaded_before
    assert not [
        name for name in modules if name.startswith(("unapproved_iam.hcl", "unapproved_iam.reports.report_json"))
    ]


def _modules_at_start() -> set[str]:
    """What the environment's own site files load before anything of ours runs."""
    result = subprocess.run([sys.executable, "-c", "import sys; print(*sys.modules)"], capture_output=True, text=True)
    return set(result.stdout.split())


def test_help_and_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        check("--help")
    assert ended.value.code == 0
    assert "--changed-since" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        check("--no-such-option")
    assert ended.value.code == 2
