"""Which list judges what, when the paths are in more than one repository: each path by the list of its own."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from unapproved_iam.commands.command_line import main
from unapproved_iam.deny_list.discovery import FILE_NAME, repositories_of

ATTACHED = """resource "aws_iam_role_policy_attachment" "x" {{
  role       = "x"
  policy_arn = "arn:aws:iam::aws:policy/{policy}"
}}
"""
DENIES = "version: 1\ndeny: [{policy}]\n"
OPEN = 'variable "p" {{}}\n' + ATTACHED.replace("{policy}", "${{var.p}}")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, beside which the others stand."""
    directory = tmp_path / "a"
    directory.mkdir()
    monkeypatch.chdir(directory)
    return directory


def repository(path: Path, denied: str, attached: str, with_git: bool = True) -> None:
    path.mkdir(exist_ok=True)
    if with_git:
        subprocess.run(["git", "init", "--quiet", str(path)], check=True)
    if denied:
        (path / FILE_NAME).write_text(DENIES.format(policy=denied))
    (path / "main.tf").write_text(ATTACHED.format(policy=attached))


@pytest.mark.parametrize("with_git", [True, False], ids=["with git", "without git"])
@pytest.mark.parametrize(
    ("denied", "attached", "others", "code"),
    [
        ("AmazonS3FullAccess", "AmazonS3FullAccess", "ReadOnlyAccess", 1),  # the first list, once dropped
        ("AmazonS3FullAccess", "ReadOnlyAccess", "AmazonS3FullAccess", 0),  # which says nothing of the second
        ("AmazonS3FullAccess", "ReadOnlyAccess", "AmazonEC2FullAccess", 1),
    ],
)
def test_each_path_by_its_own_list(
    denied: str, attached: str, others: str, code: int, with_git: bool, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repository(here, denied, attached, with_git)
    repository(here.parent / "b", "AmazonEC2FullAccess", others, with_git)
    for paths in ([".", "../b"], ["main.tf", "../b/main.tf"]):
        assert main(["check", *paths]) == code
        assert f", list: {FILE_NAME} and ../b/{FILE_NAME}" in capsys.readouterr().out


def test_each_sort_of_report_counts_from_what_they_share(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    repository(here, "AmazonS3FullAccess", "AmazonS3FullAccess")
    repository(here.parent / "b", "", "AdministratorAccess")
    assert main(["check", ".", "../b", "--output", "json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["deny_list"] == {"source": f"{FILE_NAME} and built-in list aws-admin", "entries": 5}
    assert [(one["path"], one["policy"]) for one in report["findings"]] == [
        ("a/main.tf", "AmazonS3FullAccess"),
        ("b/main.tf", "AdministratorAccess"),
    ]


def test_what_may_fail_is_each_lists_word(here: Path) -> None:
    repository(here, "AmazonS3FullAccess", "ReadOnlyAccess")
    repository(here.parent / "b", "AmazonS3FullAccess", "ReadOnlyAccess")
    for path in (here, here.parent / "b"):
        (path / "main.tf").write_text(OPEN.format())
    assert main(["check", ".", "../b"]) == 0
    with (here.parent / "b" / FILE_NAME).open("a") as file:
        file.write("unresolved: fail\n")
    assert main(["check", ".", "../b"]) == 1
    assert main(["check", "."]) == 0


def test_one_bad_list_is_enough(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    repository(here, "AmazonS3FullAccess", "AmazonS3FullAccess")
    repository(here.parent / "b", "AmazonS3FulAccess", "ReadOnlyAccess")
    assert main(["check", ".", "../b"]) == 2
    assert f"../b/{FILE_NAME}:2: " in capsys.readouterr().err.replace(str(here.parent), "..")


def test_adopt_writes_into_each_list(here: Path) -> None:
    repository(here, "AmazonS3FullAccess", "AmazonS3FullAccess")
    repository(here.parent / "b", "AmazonEC2FullAccess", "AmazonEC2FullAccess")
    assert main(["adopt", ".", "../b"]) == 0
    assert "policy: AmazonS3FullAccess" in (here / FILE_NAME).read_text()
    assert "policy: AmazonEC2FullAccess" in (here.parent / "b" / FILE_NAME).read_text()
    assert main(["check", ".", "../b"]) == 0


def test_without_git_a_list_above_counts_for_all(here: Path) -> None:
    for name in ("one", "two"):
        (here / name).mkdir()
    both = [str(here / "one"), str(here / "two")]
    assert repositories_of(both) == {str(here): both}  # no list anywhere
    (here / "two" / FILE_NAME).write_text("")
    assert repositories_of(both) == {str(here): both[:1], str(here / "two"): both[1:]}
    (here / FILE_NAME).write_text("")
    assert repositories_of(both) == {str(here): both}
    assert repositories_of([]) == {str(here): []}
