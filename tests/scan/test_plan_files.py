"""`--plan`: files, directories and globs, the root module of each, and one finding for what several plans attach."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from unapproved_iam.commands.command_line import main
from written_files import write_tree

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
SOURCE = f'resource "aws_iam_role_policy_attachment" "a" {{\n  role       = var.role\n  policy_arn = "{ADMIN}"\n}}\n'


def plan(role: str = "r", action: str = "create", name: str = "a") -> str:
    type_ = "aws_iam_role_policy_attachment"
    values = {"policy_arn": ADMIN, "role": role}
    change = {"actions": [action], "before": values if action == "no-op" else None, "after": values}
    resource = {"address": f"{type_}.{name}", "type": type_, "name": name, "change": change}
    return json.dumps({"format_version": "1.2", "planned_values": {}, "resource_changes": [resource]})


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str], dict[str, Any]]:
    """The exit code, the place and principals of each finding, and the summary."""
    code = main(["check", "--output", "json", *arguments])
    report = json.loads(capsys.readouterr().out)
    found = [
        f"{one['path']}:{one['line']} {', '.join(who['name'] or '?' for who in one['principals'])}"
        for one in report["findings"]
    ]
    return code, found, report


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["check", *arguments]) == 2
    return capsys.readouterr().err.strip()


def test_a_directory_and_a_glob_stand_for_their_plans(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_tree(tree, {"p/a.json": plan("a", name="a"), "p/deep/b.json": plan("b", name="b"), "p/other.json": "{}"})
    both = ["p/a.json:1 a", "p/deep/b.json:1 b"]
    assert check(capsys, "--plan", "p")[:2] == (1, both)
    assert check(capsys, "--plan", "p/**/[ab].json")[:2] == (1, both)
    assert check(capsys, "--plan", "p/a*")[:2] == (1, both[:1])
    assert check(capsys, "--plan", "p", "--plan", "p/a.json")[:2] == (1, both)
    assert "--plan p/o*: no Terraform plan" in complaint(capsys, "--plan", "p/o*")
    assert complaint(capsys, "--plan", "q/*.json") == "--plan q/*.json: no such file"


def test_a_directory_without_a_plan_is_none(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_tree(tree, {"p/other.json": "{}", "q/main.tf": ""})
    for directory in "p", "q":
        assert complaint(capsys, "--plan", directory).startswith(
            f"--plan {directory}: holds no Terraform plan (expected"
        )


def test_in_a_directory_nothing_is_passed_over_that_is_a_plan(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_tree(tree, {"p/a.json": plan(), "p/half.json": plan()[:90], "p/b": "PK\x03\x04 tfplan"})
    code, _, report = check(capsys, "--plan", "p")
    assert (code, [one["path"] for one in report["unjudged"]]) == (2, ["p/b", "p/half.json"])
    write_tree(tree, {"p/half.json": "{}", "p/b.json": plan()})  # the plan file's own JSON
    assert check(capsys, "--plan", "p")[0] == 1


def test_the_root_module_is_named_behind_an_equals_sign(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_tree(tree, {"live/main.tf": SOURCE, "plan.json": plan(), "a=b.json": plan(), "empty/x.txt": ""})
    assert check(capsys, "--plan", "plan.json")[1] == ["plan.json:1 r"]
    assert check(capsys, "--plan", "plan.json=live")[1] == ["live/main.tf:3 r"]
    assert check(capsys, "--plan", "a=b.json")[1] == ["a=b.json:1 r"]
    assert check(capsys, "--plan", "a=b.json=live")[1] == ["live/main.tf:3 r"]
    assert "empty holds no Terraform configuration" in complaint(capsys, "--plan", "plan.json=empty")
    assert "gone is not a directory" in complaint(capsys, "--plan", "plan.json=gone")


def test_a_directory_of_plans_mirrors_that_of_their_root_modules(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As `terragrunt run --all plan --json-out-dir` writes them."""
    write_tree(tree, {"live/a/main.tf": SOURCE, "live/b/main.tf": SOURCE, "live/c/terragrunt.hcl": ""})
    write_tree(tree, {f"plans/{name}/tfplan.json": plan(name) for name in "abc"})
    assert check(capsys, "--plan", "plans=live")[1] == [
        "live/a/main.tf:3 a",
        "live/b/main.tf:3 b",
        "plans/c/tfplan.json:1 c",
    ]


def test_what_several_plans_attach_alike_is_one_finding(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_tree(
        tree,
        {"main.tf": SOURCE, "a.json": plan("a"), "b.json": plan("b"), "p/a.json": plan("a"), "p/b.json": plan("a")},
    )
    code, found, report = check(capsys, "--plan", "a.json", "--plan", "b.json")
    assert (code, found) == (1, ["main.tf:3 a, b"])
    assert [place["path"] for place in report["findings"][0]["plan"]["places"]] == ["a.json", "b.json"]
    assert check(capsys, "--plan", "p")[1] == ["p/a.json:1 a"]
    write_tree(tree, {"p/b.json": plan("b")})
    assert check(capsys, "--plan", "p")[1] == ["p/a.json:1 a", "p/b.json:1 b"]


def test_a_source_and_its_plan_are_one_finding(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_tree(tree, {"main.tf": SOURCE, "plan.json": plan()})
    assert check(capsys, ".", "--plan", "plan.json")[1] == ["main.tf:3 r"]


def test_a_plan_that_is_excluded_is_counted(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_tree(tree, {"p/a.json": plan()})
    code, found, report = check(capsys, "--plan", "p/a.json", "--exclude", "p/**")
    assert (code, found, report["summary"]["excluded"]) == (0, [], {"p/**: by --exclude": 1})


def test_only_what_the_plans_change_may_fail(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_tree(tree, {"new.json": plan("a", name="a"), "old.json": plan("b", "no-op", "b")})
    assert check(capsys, "--plan", "old.json")[0] == 1
    code, found, report = check(capsys, "--plan", "old.json", "--plan-changes-only")
    assert (code, found, report["summary"]["attached_before"]) == (0, ["old.json:1 b"], 1)
    assert report["findings"][0]["plan"] | {"places": []} == {"action": "no-op", "new": False, "places": []}
    code, _, report = check(capsys, "--plan", "old.json", "--plan", "new.json", "--plan-changes-only")
    assert (code, report["summary"]["violations"], report["summary"]["attached_before"]) == (1, 1, 1)
    write_tree(tree, {"main.tf": SOURCE})
    assert check(capsys, "main.tf", "--plan-changes-only")[0] == 1


def test_text_tells_what_the_plan_does(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_tree(tree, {"new.json": plan("a"), "old.json": plan("b", "no-op", "b")})
    main(["check", "--verbose", "--plan", "new.json", "--plan", "old.json"])
    said = capsys.readouterr().out
    assert "must not be attached to role/a (the plan creates it)" in said
    assert "must not be attached to role/b (the plan leaves it as it is)" in said
    assert "    plan      create in new.json:1\n" in said
    main(["check", "--plan", "new.json", "--plan", "old.json", "--plan-changes-only"])
    assert "; 1 attached before" in capsys.readouterr().out
