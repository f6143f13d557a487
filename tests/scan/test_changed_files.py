"""Which files git says a change touches."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from unapproved_iam.commands.command_line import main
from unapproved_iam.program import UsageError
from unapproved_iam.scan import git_answers
from unapproved_iam.scan.changed_files import HOOK, RANGE_START, changed_files


def git(repository: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main"]
    command = ["git", "-C", str(repository), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One commit with four files; the work tree is clean."""
    git(tmp_path, "init", "--quiet")
    for name in ("kept.tf", "edited.tf", "deleted.tf", "moved.tf"):
        (tmp_path / name).write_text(f"# {name}\n" * 5)
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message=first")
    return tmp_path


def names(since: str, repository: Path, environ: dict[str, str] | None = None) -> set[str]:
    return {os.path.relpath(path, repository) for path in changed_files(since, str(repository), environ or {})}


def change(repository: Path) -> None:
    (repository / "edited.tf").write_text("# other\n")
    (repository / "sub").mkdir()
    git(repository, "rm", "--quiet", "deleted.tf")
    git(repository, "mv", "moved.tf", "sub/nämé\n.tf")
    git(repository, "add", ".")


CHANGED = {"edited.tf", "deleted.tf", "moved.tf", "sub/nämé\n.tf"}


def test_a_clean_work_tree_has_no_changes(repository: Path) -> None:
    assert names("HEAD", repository) == set()


def test_deleted_and_moved_files_are_named_on_both_sides(repository: Path) -> None:
    change(repository)
    assert names("HEAD", repository) == CHANGED


def test_a_branch_is_compared_with_where_it_left(repository: Path) -> None:
    git(repository, "branch", "base")
    change(repository)
    git(repository, "commit", "--quiet", "--message=mine")
    git(repository, "switch", "--quiet", "base")
    (repository / "kept.tf").write_text("# theirs\n")
    git(repository, "commit", "--quiet", "--all", "--message=theirs")
    git(repository, "switch", "--quiet", "main")
    assert names("base", repository) == CHANGED
    assert names("HEAD", repository, {RANGE_START: "base"}) == CHANGED


def test_before_the_first_commit_every_file_is_new(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "a.tf").write_text("")
    git(tmp_path, "add", ".")
    assert names("HEAD", tmp_path) == {"a.tf"}


@pytest.mark.parametrize("since", ["nowhere", "--output=x", ""])
def test_a_commit_that_is_not_there_is_an_error(repository: Path, since: str) -> None:
    with pytest.raises(UsageError, match="--changed-since"):
        names(since, repository)
    assert not (repository / "x").exists()


def test_a_directory_without_git_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--changed-since HEAD"):
        changed_files("HEAD", str(tmp_path), {})


def test_a_git_that_never_answers_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is ignored is judged, too; what has changed, nobody knows."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/git").write_text("#!/bin/sh\nexec sleep 60\n")
    (tmp_path / "bin/git").chmod(0o755)
    (tmp_path / "main.tf").write_text(
        'resource "aws_iam_role_policy_attachment" "x" {\n'
        '  role       = "ops"\n'
        '  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"\n}\n'
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path / "bin"), os.environ["PATH"]]))
    monkeypatch.setattr(git_answers, "MOST_SECONDS", 0.2)
    assert main(["check"]) == 1
    assert main(["check", "--changed-since", "HEAD"]) == 2
    assert "--changed-since: git did not answer for 0.2 s" in capsys.readouterr().err


def test_new_files_count_before_git_tracks_them(repository: Path) -> None:
    """In a hook they do not: what is judged there is the commit, and they are not in it."""
    (repository / ".gitignore").write_text("*.log\n")
    for name in ("new.tf", "new.log"):
        (repository / name).write_text("")
    assert names("HEAD", repository) == {".gitignore", "new.tf"}
    assert names("HEAD", repository, {HOOK: "1"}) == set()
