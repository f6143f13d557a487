"""Which deny list counts: one file, by a fixed order, and never a silent fall back from one that was named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from unapproved_iam.deny_list.discovery import ENVIRONMENT_VARIABLE, FILE_NAME, find_deny_list, repository_root
from unapproved_iam.deny_list.reader import DenyListError

NAMED, ENVIRON, AT_ROOT = "AmazonS3FullAccess", "AmazonSQSFullAccess", "AmazonSNSFullAccess"


def list_of(path: Path, policy: str, more: str = "") -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"version: 1\ndeny: [{policy}]\n{more}")
    return str(path)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose every directory has a list, the current directory beside it."""
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "repository"
    (root / ".git").mkdir(parents=True)
    list_of(root / FILE_NAME, AT_ROOT)
    list_of(root / "live" / FILE_NAME, "AmazonRDSFullAccess")
    list_of(tmp_path / FILE_NAME, "AmazonRDSFullAccess")
    return root


def test_the_order(root: Path, tmp_path: Path) -> None:
    named = list_of(tmp_path / "named.yaml", NAMED)
    environ = {ENVIRONMENT_VARIABLE: list_of(tmp_path / "environ.yaml", ENVIRON)}

    def policies(named: str | None, environ: dict[str, str]) -> list[str]:
        return [entry.policy for entry in find_deny_list(named, environ, str(root)).entries]

    assert policies(named, environ) == [NAMED]
    assert policies(None, environ) == [ENVIRON]
    assert policies(None, {}) == [AT_ROOT]
    (root / FILE_NAME).unlink()
    assert "AdministratorAccess" in policies(None, {})
    assert find_deny_list(None, {}, str(root)).source == "built-in list aws-admin"


@pytest.mark.parametrize(
    ("named", "environ", "error"),
    [
        ("missing.yaml", {}, "missing.yaml: cannot be read: No such file or directory (expected a deny list)"),
        ("", {}, "--deny-list: names no file (expected the path of a deny list)"),
        (None, {ENVIRONMENT_VARIABLE: "missing.yaml"}, "missing.yaml: cannot be read: No such file or directory (exp"),
        (None, {ENVIRONMENT_VARIABLE: ""}, "UNAPPROVED_IAM_POLICIES: names no file (expected the path of a deny list)"),
        ("repository", {}, "repository: cannot be read: Is a directory (expected a deny list)"),
    ],
)
def test_a_list_that_was_named_must_be_usable(
    named: str | None, environ: dict[str, str], error: str, root: Path
) -> None:
    with pytest.raises(DenyListError) as caught:
        find_deny_list(named, environ, str(root))
    assert str(caught.value).startswith(error)


@pytest.mark.parametrize(
    "make", [lambda path: path.mkdir(), lambda path: path.symlink_to("nowhere")], ids=["dir", "link"]
)
def test_what_has_the_lists_name_must_be_a_list(make: object, root: Path) -> None:
    (root / FILE_NAME).unlink()
    assert callable(make)
    make(root / FILE_NAME)
    with pytest.raises(DenyListError, match="cannot be read"):
        find_deny_list(None, {}, str(root))


@pytest.mark.parametrize("name", ["unapproved-iam-policies.yml", ".unapproved-iam-policies.yaml"])
def test_a_file_with_nearly_the_name_is_no_silent_default(name: str, root: Path) -> None:
    (root / FILE_NAME).rename(root / name)
    with pytest.raises(DenyListError) as caught:
        find_deny_list(None, {}, str(root))
    assert str(caught.value) == f"repository/{name}: is not read under this name (expected {FILE_NAME})"


@pytest.mark.parametrize("how", ["relative", "absolute", "link", "whole list is a link"])
def test_only_a_list_that_was_named_may_leave_the_repository(how: str, root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.yaml"
    list_of(outside, NAMED)
    own = root / FILE_NAME
    if how == "whole list is a link":
        own.unlink()
        own.symlink_to(outside)
    else:
        if how == "link":
            (root / "link.yaml").symlink_to(outside)
        extended = {"relative": "../outside.yaml", "absolute": str(outside), "link": "link.yaml"}[how]
        list_of(own, AT_ROOT, f"extends: [{extended}]\n")
    with pytest.raises(DenyListError, match="is outside the repository"):
        find_deny_list(None, {}, str(root))
    assert NAMED in [entry.policy for entry in find_deny_list(str(own), {}, str(root)).entries]
    assert NAMED in [
        entry.policy for entry in find_deny_list(None, {ENVIRONMENT_VARIABLE: str(own)}, str(root)).entries
    ]


def test_a_list_may_extend_files_of_its_repository(root: Path) -> None:
    list_of(root / FILE_NAME, AT_ROOT, f"extends: [live/{FILE_NAME}]\n")
    origins = [str(entry.origin) for entry in find_deny_list(None, {}, str(root)).entries]
    assert origins == [f"{FILE_NAME}:2", f"live/{FILE_NAME}:2"]


def test_findings_call_a_list_alike_from_wherever_it_is_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for directory, named in ((root, FILE_NAME), (root / "live", f"../{FILE_NAME}"), (Path("/"), str(root / FILE_NAME))):
        monkeypatch.chdir(directory)
        for path in (named, None):
            assert find_deny_list(path, {}, str(root)).source == FILE_NAME


def test_errors_name_the_file_as_seen_from_here(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    list_of(root / FILE_NAME, "Quux")
    for directory, shown in (
        (root.parent, f"repository/{FILE_NAME}"),
        (root, FILE_NAME),
        (root / "live", str(root / FILE_NAME)),
    ):
        monkeypatch.chdir(directory)
        with pytest.raises(DenyListError) as caught:
            find_deny_list(None, {}, str(root))
        assert str(caught.value).startswith(f"{shown}:2: ")


def test_repository_root(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "live" / "deep").mkdir()
    assert repository_root(str(root / "live" / "deep")) == str(root)
    assert repository_root(str(root)) == str(root)
    (root / "live" / ".git").write_text("gitdir: ../.git/modules/live\n")  # a submodule or worktree
    assert repository_root(str(root / "live" / "deep")) == str(root / "live")
    monkeypatch.chdir(root / "live" / "deep")
    assert repository_root(os.curdir) == str(root / "live")
    (tmp_path / "plain").mkdir()
    assert repository_root(str(tmp_path / "plain")) == str(tmp_path / "plain")
