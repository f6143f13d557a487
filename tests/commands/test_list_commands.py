"""`list`, `explain` and `init`: what people ask a deny list, and what they start one with."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from project_files import PROJECT, README, block
from unapproved_iam.commands import explain_command, init_command, list_command
from unapproved_iam.deny_list.builtin_lists import BUILTIN_LISTS, PURPOSES
from unapproved_iam.deny_list.discovery import FILE_NAME, find_deny_list
from unapproved_iam.deny_list.entries import InlineSkips, Unresolved
from unapproved_iam.deny_list.reader import DenyListError, read_deny_list
from unapproved_iam.marked_yaml import read_marked_yaml
from unapproved_iam.program import UsageError
from unapproved_iam.scan.check_scope import Request
from unapproved_iam.scan.tree_check import findings_of

FIXTURES = PROJECT / "fixtures" / "deny_lists"

LIST = """\
version: 1
use: [aws-admin]
deny:
  - policy: arn:aws:iam::*:policy/legacy-*
    reason: it is a|b
  - policy: AmazonS3FullAccess
    enforce_from: 2090-01-01
approve:
  - {policy: AdministratorAccess, attached_to: role/break-glass, in: live/**, reason: reviewed, expires: 2090-01-01}
  - {policy: IAMFullAccess, attached_to: role/iam, reason: reviewed, approved_by: security, expires: 2020-01-01}
  - {policy: PowerUserAccess, attached_to: "*", in: sandbox/**, reason: play}
exclude:
  - {path: charts/**, reason: Helm}
inline_skips: refuse
"""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / FILE_NAME).write_text(LIST)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_list_shows_every_line_and_where_it_comes_from(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert list_command.main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{FILE_NAME}: 6 denied, 3 approved, inline_skips: refuse"
    origins = dict(re.findall(r"^  (\S+).*  \((.+)\)$", "\n".join(lines), re.M))
    assert origins["arn:aws:iam::*:policy/legacy-*"] == f"{FILE_NAME}:4"
    assert origins["PowerUserAccess"] == f"{FILE_NAME}:11"  # of the approval, the later one
    assert "  AWSCloudShellFullAccess  (built-in list aws-admin)" in lines
    assert "      counts from 2090-01-01 on" in lines
    assert "      reviewed (approved by security); expired on 2020-01-01" in lines
    assert f"  charts/**  ({FILE_NAME}:13)" in lines


@pytest.mark.parametrize("path", sorted((FIXTURES / "valid").glob("*.yaml")), ids=lambda path: path.stem)
def test_list_as_json_is_the_whole_list(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    list_command.main(["--deny-list", str(path), "--output", "json"])
    shown, deny_list = json.loads(capsys.readouterr().out), read_deny_list(str(path))
    assert [(e["policy"], e["reason"], tuple(e["use_instead"])) for e in shown["deny"]] == [
        (entry.policy, entry.reason, entry.use_instead) for entry in deny_list.entries
    ]
    assert [(a["policy"], a["attached_to"], a["in"], a["expires"]) for a in shown["approve"]] == [
        (a.policy, a.attached_to, a.written_files, str(a.expires) if a.expires else None) for a in deny_list.approvals
    ]
    assert [(e["path"], e["reason"]) for e in shown["exclude"]] == [(e.path, e.reason) for e in deny_list.exclusions]
    assert (Unresolved(shown["unresolved"]), InlineSkips(shown["inline_skips"])) == (
        deny_list.unresolved,
        deny_list.inline_skips,
    )


def test_list_as_markdown(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    list_command.main(["--output", "markdown"])
    tables = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    assert f"| `arn:aws:iam::*:policy/legacy-*` | it is a\\|b |  | {FILE_NAME}:4 |" in tables
    columns = [len(re.findall(r"(?<!\\)\|", line)) - 1 for line in tables]
    assert columns == [4] * 8 + [5] * 5 + [3] * 3


@pytest.mark.parametrize("name", PURPOSES)
def test_list_shows_a_built_in_list(name: str, repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    list_command.main(["--built-in", name])
    shown = capsys.readouterr().out
    assert shown.startswith(f"built-in list {name}: {len(BUILTIN_LISTS[name])} denied\n")
    for entry in BUILTIN_LISTS[name]:
        assert f"\n  {entry.policy}  (built-in list {name})\n      {entry.reason}; " in shown


@pytest.mark.parametrize(
    ("arguments", "code", "lines"),
    [
        (["ReadOnlyAccess"], 0, [f"clean: {FILE_NAME} does not deny ReadOnlyAccess"]),
        (
            ["AdministratorAccess"],
            1,
            [
                "denied: AdministratorAccess must not be attached: it allows every action",
                "  denied by AdministratorAccess (built-in list aws-admin): it allows every action on every resource; ",
                f"  approved for role/break-glass in live/** until 2090-01-01 ({FILE_NAME}:9): reviewed",
            ],
        ),
        (
            ["AdministratorAccess", "--attached-to", "role/break-glass", "--in", "live/a.tf"],
            0,
            ["approved: AdministratorAccess may be attached to role/break-glass: reviewed, until 2090-01-01"],
        ),
        (
            ["IAMFullAccess", "--attached-to", "role/iam"],
            1,
            [
                "denied: IAMFullAccess must not be attached to role/iam: ",
                "  denied by IAMFullAccess",
                f"  approval expired for role/iam on 2020-01-01 ({FILE_NAME}:10): reviewed, by security",
            ],
        ),
        (
            ["AmazonS3FullAccess", "--attached-to", "aws_iam_role.x"],
            0,
            [
                "warned: AmazonS3FullAccess must not be attached by aws_iam_role.x from 2090-01-01 on: denied by",
                f"  denied from 2090-01-01 on by AmazonS3FullAccess ({FILE_NAME}:6)",
            ],
        ),
        (
            ["arn:aws:iam::123456789012:policy/legacy-x"],
            1,
            [
                "denied: arn:aws:iam::123456789012:policy/legacy-x must not be attached: it is a|b",
                f"  denied by arn:aws:iam::*:policy/legacy-* ({FILE_NAME}:4): it is a|b",
            ],
        ),
        (["arn:aws:iam::123456789012:policy/modern"], 0, ["clean: "]),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, list) else None,
)
def test_explain(
    arguments: list[str], code: int, lines: list[str], repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert explain_command.main(arguments) == code
    shown = capsys.readouterr().out.splitlines()
    for line, start in zip(shown, lines, strict=False):
        assert line.startswith(start)
    assert len(shown) >= len(lines)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["AdministratorAcces"], "did you mean AdministratorAccess?"),
        (["S3FullAccess"], "did you mean AmazonS3FullAccess?"),
        (["cloudshellfullaccess"], "did you mean AWSCloudShellFullAccess?"),
        (["Admin*"], '"Admin*" has wildcards (expected one policy: a name or an ARN)'),
        (["arn:aws:s3:::bucket"], '"s3" has no policies to attach (expected iam)'),
        (
            ["arn:aws:iam::123456789012:policy/a b"],
            "is not a policy ARN (expected arn:PARTITION:iam::ACCOUNT:policy/NAME)",
        ),
        (
            ["AdministratorAccess", "--attached-to", "roles/x"],
            '--attached-to: "roles/x" is not a principal (expected role/',
        ),
        (
            ["AdministratorAccess", "--attached-to", "break-glass"],
            '--attached-to: "break-glass" is not an address (expected role/',
        ),
        (
            ["AdministratorAccess", "--attached-to", "role/"],
            '--attached-to: "role/" is not a principal (expected role/',
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_explain_says_what_it_expects(arguments: list[str], problem: str, repository: Path) -> None:
    with pytest.raises(UsageError, match=re.escape(problem)):
        explain_command.main(arguments)


@pytest.mark.parametrize(
    ("whom", "file", "is_asked_for"),
    [
        ("role/break-glass", None, True),
        ("role/break-glass", "other/main.tf", False),
        ("role/app", None, False),  # of no approval
        ("role/iam", None, False),  # of one that has expired
    ],
)
def test_explain_asks_for_the_file_where_an_approval_depends_on_it(
    whom: str, file: str | None, is_asked_for: bool, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for policy in ("AdministratorAccess", "IAMFullAccess"):
        explain_command.main([policy, "--attached-to", whom, *(["--in", file] if file else [])])
    assert ("depends on the file: name it with --in FILE" in capsys.readouterr().out) is is_asked_for


def test_explain_decides_as_check_does(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every policy of the list and some others, attached in three directories to three roles."""
    policies = ["AdministratorAccess", "IAMFullAccess", "PowerUserAccess", "AmazonS3FullAccess", "ReadOnlyAccess"]
    asked = {}
    for directory in ("live", "sandbox", "other"):
        (repository / directory).mkdir()
        blocks = []
        for policy in policies:
            for role in ("break-glass", "iam", "app"):
                name = f"{policy}_{role}"
                asked[f"{directory}/main.tf", f"aws_iam_role_policy_attachment.{name}"] = policy, role
                blocks.append(
                    f'resource "aws_iam_role_policy_attachment" "{name}" {{\n  role = "{role}"\n'
                    f'  policy_arn = "arn:aws:iam::aws:policy/{policy}"\n}}\n'
                )
        (repository / directory / "main.tf").write_text("".join(blocks))
    findings = findings_of(Request(), find_deny_list(None, {}, str(repository)), str(repository))
    failing = {(findings.relative(f.attachment.block.path), f.attachment.resource) for f in findings.violations}
    for (file, address), (policy, role) in asked.items():
        code = explain_command.main([policy, "--attached-to", f"role/{role}", "--in", file])
        assert code == ((file, address) in failing), capsys.readouterr().out
    assert 0 < len(failing) < len(asked)


def test_init_writes_a_list_that_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    assert init_command.main([]) == 0
    deny_list = find_deny_list(None, {}, str(tmp_path))
    assert deny_list.source == FILE_NAME
    assert deny_list.entries == BUILTIN_LISTS["aws-admin"]
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o077 == 0o044


def test_all_that_init_comments_out_is_valid(tmp_path: Path) -> None:
    everything = re.sub(r"^#(?! )", "", init_command.starting_list(list(PURPOSES)), flags=re.M)
    everything = re.sub(r"^#(?=  )", "", everything, flags=re.M)
    (tmp_path / "shared").mkdir()
    shutil.copy(FIXTURES / "valid" / "use_only.yaml", tmp_path / "shared" / FILE_NAME)
    (tmp_path / FILE_NAME).write_text(everything)
    assert read_deny_list(str(tmp_path / FILE_NAME)).unresolved is Unresolved.FAIL
    document = read_marked_yaml(everything.encode())
    assert document is not None
    keys = [key.text for key, _ in document.pairs]
    assert keys == ["version", "use", "deny", "approve", "exclude", "unresolved", "inline_skips", "extends"]


def test_init_never_overwrites(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert init_command.main([]) == 2
    assert capsys.readouterr().out == f"{FILE_NAME}: exists already, so it was not changed\n"
    (repository / ".pre-commit-config.yaml").write_text("repos: []\n")
    assert init_command.main(["--pre-commit"]) == 0
    assert "- id: unapproved-iam-policies\n" in capsys.readouterr().out
    assert (repository / ".pre-commit-config.yaml").read_text() == "repos: []\n"
    assert (repository / FILE_NAME).read_text() == LIST
    (repository / FILE_NAME).rename(repository / "unapproved-iam-policies.yml")
    with pytest.raises(DenyListError, match="is not read under this name"):
        init_command.main([])


def test_of_many_that_init_at_once_one_writes_and_nobody_sees_half(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    command = [sys.executable, str(PROJECT / "checks"), "init"]

    def start(_: int) -> int:
        return subprocess.run(command, cwd=tmp_path, stdout=subprocess.PIPE, check=False).returncode

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(start, range(6))) == [0, 2, 2, 2, 2, 2]
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [FILE_NAME]
    assert read_deny_list(str(tmp_path / FILE_NAME)).entries


def test_the_hook_that_init_writes_is_the_readmes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It makes its own environment, so that it works for those who have not installed the command."""
    monkeypatch.chdir(tmp_path)
    assert init_command.main(["--pre-commit"]) == 0
    assert (tmp_path / ".pre-commit-config.yaml").read_text() == block(README, "- id: unapproved-iam-policies")
    assert (
        "replace REPOSITORY with the URL of this project's repository, and REVISION with the commit"
        in capsys.readouterr().out
    )
