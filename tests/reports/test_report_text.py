"""What a person reads after a real run: which line to edit, what is one finding, what is counted, the summary."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from unapproved_iam.commands.command_line import main

LIST = "version: 1\nuse: [aws-admin]\n"
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
ROLE = """variable "name" {}
variable "policies" {
  default = []
}
resource "aws_iam_role_policy_attachment" "this" {
  for_each   = toset(var.policies)
  role       = var.name
  policy_arn = each.value
}
"""


def attachment(role: str, policy: str = ADMIN, name: str = "this") -> str:
    head = f'resource "aws_iam_role_policy_attachment" "{name}" {{'
    return f'{head}\n  role       = "{role}"\n  policy_arn = "{policy}"\n}}\n'


def call(name: str, argument: str = "") -> str:
    return f'module "{name}" {{\n  source = "../role"\n  name   = "{name}"\n{argument}}}\n'


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def report(tree: Path, files: dict[str, str], capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    for name, text in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
    main(["check", *arguments])
    return capsys.readouterr().out.splitlines()


def test_a_finding_has_three_lines(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = report(tree, {"main.tf": attachment("ops")}, capsys)
    expires = datetime.now(timezone.utc).date() + timedelta(days=90)
    assert lines[:4] == [
        "main.tf:3: AdministratorAccess must not be attached to role/ops",
        "    it allows every action on every resource; use a policy with only the actions that are needed instead",
        "    to allow it: - {policy: AdministratorAccess, attached_to: role/ops, in: main.tf, reason: …,"
        f" expires: {expires}}}",
        "",
    ]


EDITED = [
    (
        "the argument that brings it",
        {"live/main.tf": call("ops", f'  policies = ["{ADMIN}"]\n'), "role/main.tf": ROLE},
        "live/main.tf:4: AdministratorAccess must not be attached to role/ops (through role/main.tf:8)",
    ),
    (
        "the input of a Terragrunt unit",
        {
            "live/terragrunt.hcl": 'terraform {\n  source = "../role"\n}\n'
            + f'inputs = {{\n  name     = "ops"\n  policies = ["{ADMIN}"]\n}}\n',
            "role/main.tf": ROLE,
        },
        "live/terragrunt.hcl:6: AdministratorAccess must not be attached to role/ops (through role/main.tf:8)",
    ),
    (
        "the module, where the argument only repeats it",
        {
            "live/main.tf": call("ops", "  # AdministratorAccess\n"),
            "role/main.tf": ROLE.replace("[]", f'["{ADMIN}"]'),
        },
        "role/main.tf:8: AdministratorAccess must not be attached to role/ops (called at live/main.tf:1)",
    ),
    (
        "the module, where the argument does not name it",
        {
            "live/main.tf": call("ops", "  policies = local.x\n") + f'locals {{\n  x = ["{ADMIN}"]\n}}\n',
            "role/main.tf": ROLE,
        },
        "role/main.tf:8: AdministratorAccess must not be attached to role/ops (called at live/main.tf:1)",
    ),
    (
        "the argument of the outermost call",
        {
            "live/main.tf": call("ops", f'  policies = ["{ADMIN}"]\n').replace("../role", "../team"),
            "team/main.tf": 'variable "name" {}\nvariable "policies" {}\n'
            + call("inner", "  policies = var.policies\n").replace('"inner"\n', "var.name\n"),
            "role/main.tf": ROLE,
        },
        "live/main.tf:4: AdministratorAccess must not be attached to role/ops (through role/main.tf:8)",
    ),
]


@pytest.mark.parametrize(("files", "line"), [row[1:] for row in EDITED], ids=[row[0] for row in EDITED])
def test_the_line_to_edit_comes_first(
    files: dict[str, str], line: str, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(tree, files, capsys)[0] == line


def test_a_block_that_many_callers_reach_is_one_finding(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {"role/main.tf": ROLE.replace("[]", f'["{ADMIN}"]')}
    files |= {f"live/{number}.tf": call(f"team-{number}") for number in range(5)}
    lines = report(tree, files, capsys)
    assert lines[0] == (
        "role/main.tf:8: AdministratorAccess must not be attached to role/team-0, role/team-1, role/team-2 and 2 more"
        " (5 times, called at live/0.tf:1, live/1.tf:1, live/2.tf:1 and 2 more)"
    )
    assert lines[2].startswith(
        "    to allow it (1 of 5, --verbose shows all): - {policy: AdministratorAccess, attached_to: role/"
    )
    assert len([line for line in lines if "must not be attached" in line]) == 1
    assert lines[-1].startswith("5 violations in 6 files (")
    whole = report(tree, {}, capsys, "--verbose")
    assert len([line for line in whole if "must not be attached" in line]) == 5
    assert "    called at live/4.tf:1" in whole


def test_findings_that_differ_in_more_stay_apart(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    conditional = 'variable "on" {\n  default = true\n}\n' + call("b", "  count = var.on ? 1 : 0\n")
    files = {"role/main.tf": ROLE.replace("[]", f'["{ADMIN}"]'), "live/main.tf": call("a") + conditional}
    lines = [line for line in report(tree, files, capsys) if "must not be attached" in line]
    assert len(lines) == 2
    assert [" when " in line for line in lines] == [False, True]


def test_long_names_are_shortened_in_their_middle(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    long = "a" * 30 + "b" * 30
    first, *_ = report(tree, {"main.tf": attachment(long)}, capsys)
    assert first.endswith("role/" + "a" * 18 + "…" + "b" * 23)
    assert long in "".join(report(tree, {}, capsys, "--verbose"))


def test_many_findings_are_counted_by_policy(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    few = "".join(attachment(f"r{number}", name=f"r{number}") for number in range(10))
    assert not [line for line in report(tree, {"main.tf": few}, capsys) if line.startswith("by policy")]
    more = few + attachment("x", ADMIN.replace("AdministratorAccess", "IAMFullAccess"), "x")
    assert "by policy: AdministratorAccess 10, IAMFullAccess 1" in report(tree, {"main.tf": more}, capsys)


def test_what_is_unresolved_has_one_total_and_no_way_to_an_exception(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = {"unapproved-iam-policies.yaml": f"{LIST}unresolved: fail\n"}
    unknown = "".join(
        f'variable "p{number}" {{}}\n' + attachment("x", f"${{var.p{number}}}", f"u{number}") for number in range(11)
    )
    lines = report(tree, {**listed, "main.tf": unknown}, capsys)
    assert "by policy: unresolved 11" in lines
    assert not [line for line in lines if line.startswith("exceptions go")]
    lines = report(tree, {"main.tf": unknown + attachment("ops")}, capsys)
    assert "by policy: unresolved 11, AdministratorAccess 1" in lines
    assert [line for line in lines if line.startswith("exceptions go under")]


def test_the_same_problem_many_times_is_one_line(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    calls = "".join(
        f'module "m{number}" {{\n  source = "./m{number}"\n  policies = ["{ADMIN}"]\n}}\n' for number in range(5)
    )
    for number in range(5):
        (tree / f"m{number}").mkdir()
    lines = [line for line in report(tree, {"main.tf": calls}, capsys) if "could not be checked" in line]
    assert lines == [
        'main.tf:1: could not be checked: module directory "./m0" holds no configuration, or is not there (run git'
        " submodule update --init if it is a submodule); the same 4 more times (--verbose shows them)"
    ]
    whole = report(tree, {}, capsys, "--verbose")
    assert len([line for line in whole if "could not be checked" in line]) == 5
    assert whole[-1].startswith("could not check everything (5 problems): 5 violations in 1 file (")
    (tree / "m0").rmdir()
    first = next(line for line in report(tree, {}, capsys) if "could not be checked" in line)
    assert first.endswith("or is not there")  # what git has not made is no submodule


@pytest.mark.parametrize(("days", "is_told"), [(30, True), (31, False)])
def test_an_approval_that_expires_soon_is_told(
    days: int, is_told: bool, tree: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    day = datetime.now(timezone.utc).date() + timedelta(days=days)
    approval = f"  - {{policy: AdministratorAccess, attached_to: role/ops, reason: drill, expires: {day}}}\n"
    files = {"unapproved-iam-policies.yaml": f"{LIST}approve:\n{approval}", "main.tf": attachment("ops")}
    line = f"unapproved-iam-policies.yaml:4: the approval of AdministratorAccess for role/ops expires on {day}"
    assert (line in report(tree, files, capsys)) is is_told
    unused = {"main.tf": attachment("ops", ADMIN.replace("AdministratorAccess", "ReadOnlyAccess"))}
    assert line not in report(tree, unused, capsys)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    annotated = [line for line in report(tree, files, capsys) if line.startswith("::warning file=unapproved-iam")]
    assert len(annotated) == is_told


def test_an_expired_approval_is_extended_and_never_written_twice(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    approval = "- {policy: AdministratorAccess, attached_to: role/ops, in: main.tf, reason: x, expires: 2020-01-01}"
    name = "unapproved-iam-policies.yaml"
    narrow = f"{LIST}approve:\n{approval}\n"
    lines = report(tree, {"main.tf": attachment("ops"), name: narrow}, capsys)
    assert lines[2] == f"    to allow it again: set a later `expires` at {name}:4"
    wide = narrow.replace("role/ops", "role/*")
    line = report(tree, {name: wide}, capsys)[2]
    assert line.startswith(f"    to allow it: {approval.partition(' reason')[0]} reason: …")
    approved = wide + line.partition(": ")[2].replace("…", "reviewed") + "\n"
    assert "1 approved" in report(tree, {name: approved}, capsys)[-1]


def test_the_summary_tells_what_is_not_zero(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def summary(files: dict[str, str]) -> str:
        return re.sub(r"\(\d+\.\d s\)", "(N s)", report(tree, files, capsys)[-1])

    assert summary({}) == "clean: 0 files (N s), list: aws-admin"
    assert summary({"main.tf": attachment("ops")}) == "1 violation in 1 file (N s), list: aws-admin"
    opened = 'variable "p" {}\n' + attachment("ops").replace(f'"{ADMIN}"', 'trimprefix(var.p, "AdministratorAccess")')
    assert summary({"main.tf": opened}) == "no violation in 1 file (N s), list: aws-admin; 1 unresolved"
    mentioned = summary({"main.tf": "", "inputs.json": '{"policy": "AdministratorAccess"}\n'})
    assert mentioned == "no violation in 2 files (N s), list: aws-admin; 1 file not read that names a denied policy"
