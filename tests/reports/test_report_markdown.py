"""The Markdown of `check`: what a person needs to decide, as text whatever the tree holds, and short enough to post."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from unapproved_iam.commands.command_line import main

ATTACHMENT = """
resource "aws_iam_role_policy_attachment" "%s" {
  role       = "%s"
  policy_arn = "arn:aws:iam::aws:policy/%s"
}
"""
LIST = "version: 1\nuse: [aws-admin]\n"


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    git("init", "--quiet")
    (tmp_path / "unapproved-iam-policies.yaml").write_text(LIST)
    return tmp_path


def git(*arguments: str, day: str = "2024-05-06") -> None:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    environment = {"PATH": "/usr/bin:/bin", "GIT_AUTHOR_DATE": f"{day}T00:00:00Z", "HOME": "/nonexistent"}
    subprocess.run(["git", *who, *arguments], check=True, env=environment)


def report(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    main(["check", "--output", "markdown", *arguments])
    return capsys.readouterr().out


def rows(page: str) -> list[list[str]]:
    """The cells of the table's rows, as they are shown."""
    lines = [line for line in page.splitlines() if line.startswith("| ")][1:]
    cells = [re.split(r"(?<!\\) \| ", line[2:-2]) for line in lines if "---" not in line]
    return [[re.sub(r"\\([\\`*_\[\]<>|~&#$])", r"\1", cell) for cell in row] for row in cells]


def test_a_row_tells_policy_principal_place_and_day(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tree / "main.tf").write_text(ATTACHMENT % ("a", "ops", "AdministratorAccess"))
    git("add", ".")
    git("commit", "--quiet", "-m", "x")
    with (tree / "main.tf").open("a") as file:
        file.write(ATTACHMENT % ("b", "new", "IAMFullAccess"))
    page = report(capsys)
    assert [row[:4] for row in rows(page)] == [
        ["AdministratorAccess", "role/ops", "main.tf:4", "2024-05-06"],
        ["IAMFullAccess", "role/new", "main.tf:9", "not known"],
    ]
    assert page.startswith("## Ensure unapproved IAM managed policies are not attached\n\n**2 violations**\n")
    assert "2 violations in 1 file" in page.splitlines()[-1]


def test_a_row_says_when_and_why_and_repeats_no_other_column(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    switch = 'variable "on" {\n  type = bool\n}\n'
    block = ATTACHMENT % ("a", "ops", "AdministratorAccess")
    (tree / "main.tf").write_text(switch + block.replace("{\n", "{\n  count = var.on ? 1 : 0\n"))
    why = "it allows every action on every resource; use a policy with only the actions that are needed instead"
    assert rows(report(capsys))[0][4] == f"when var.on is true: {why}"
    later = LIST.replace("aws-admin", "{list: aws-admin, enforce_from: 2090-01-01}")
    (tree / "unapproved-iam-policies.yaml").write_text(later)
    assert rows(report(capsys))[0][4] == f"when var.on is true from 2090-01-01 on: {why}"
    (tree / "main.tf").write_text(block)
    assert rows(report(capsys))[0][4] == f"from 2090-01-01 on: {why}"


def test_the_approvals_below_are_what_a_list_takes(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tree / "main.tf").write_text(ATTACHMENT % ("a", "ops", "AdministratorAccess"))
    block = re.search(r"```yaml\n(.*?)```", report(capsys), re.DOTALL)
    assert block
    (approval,) = yaml.safe_load(block[1].replace("…", "reviewed"))
    approval["expires"] = str(approval["expires"])
    (tree / "unapproved-iam-policies.yaml").write_text(LIST + f"approve:\n  - {json.dumps(approval)}\n")
    assert main(["check"]) == 0


def test_a_plan_tells_what_is_new(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tree / "main.tf").write_text(ATTACHMENT % ("a", "ops", "AdministratorAccess"))
    git("add", ".")
    git("commit", "--quiet", "-m", "x")
    values = {"policy_arn": "arn:aws:iam::aws:policy/AdministratorAccess", "role": "ops"}
    type_ = "aws_iam_role_policy_attachment"
    for action, said in (("create", "new by this plan (create)"), ("no-op", "before this plan, 2024-05-06")):
        change = {"actions": [action], "before": None, "after": values}
        resource = {"address": f"{type_}.a", "type": type_, "name": "a", "change": change}
        (tree / "plan.json").write_text(json.dumps({"format_version": "1.2", "resource_changes": [resource]}))
        assert rows(report(capsys, "--plan", "plan.json"))[0][:4] == [
            "AdministratorAccess",
            "role/ops",
            "main.tf:4",
            said,
        ]


def test_a_shallow_clone_cannot_tell_the_day(
    tree: Path,
    tmp_path_factory: pytest.TempPathFactory,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tree / "main.tf").write_text(ATTACHMENT % ("a", "ops", "AdministratorAccess"))
    git("add", ".")
    git("commit", "--quiet", "-m", "x")
    git("commit", "--quiet", "--allow-empty", "-m", "y", day="2024-05-07")
    clone = tmp_path_factory.mktemp("clone")
    git("clone", "--quiet", "--depth", "1", tree.as_uri(), str(clone))
    monkeypatch.chdir(clone)
    assert rows(report(capsys))[0][3] == "2024-05-07 or before"


def test_names_of_a_stranger_stay_text(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = "x` | <img src=x> [a](b) @team ``` *b* ~ &amp; #1"
    directory = tree / "a|b`c"
    directory.mkdir()
    (directory / "main.tf").write_text(ATTACHMENT % ("a", name, "AdministratorAccess"))
    page = report(capsys)
    ((policy, principal, where, _, _),) = rows(page)
    assert (policy, principal, where) == ("AdministratorAccess", f"role/{name}", "a|b`c/main.tf:4")
    text, _, code = page.partition("````yaml\n")
    assert not re.search(r"(?<!\\)[`<\[*]", text.split("| --- |\n")[-1])
    assert code.count("````") == 1


def test_a_page_fits_into_a_comment(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = [ATTACHMENT % (f"a{number}", "r" * 900, "AdministratorAccess") for number in range(150)]
    (tree / "main.tf").write_text("".join(blocks))
    page = report(capsys)
    assert len(page) < 65_536
    shown = len(rows(page))
    assert 0 < shown < 100
    assert f"and {150 - shown} more: the log lists all" in page


def test_the_summary_file_gets_the_page_at_its_end(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tree / "main.tf").write_text(ATTACHMENT % ("a", "ops", "AdministratorAccess"))
    (tree / "summary.md").write_text("before\n")
    assert main(["check", "--summary-file", "summary.md", "--output", "json"]) == 1
    assert json.loads(capsys.readouterr().out)["exit_code"] == 1
    written = (tree / "summary.md").read_text()
    assert written.startswith("before\n## ")
    assert rows(written)
    assert main(["check", "--summary-file", "gone/summary.md"]) == 2
    assert capsys.readouterr().err == "--summary-file gone/summary.md: No such file or directory\n"
