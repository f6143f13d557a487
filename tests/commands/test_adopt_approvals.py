"""`adopt` and `approvals`: switching the check on where violations are, and watching them shrink."""

from __future__ import annotations

import difflib
import json
import os
import shutil
import subprocess
import sys
import threading
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from project_files import PROJECT
from unapproved_iam.commands import adopt_command, approvals_command, atomic_file
from unapproved_iam.deny_list.approval_proposal import proposals, yaml_of
from unapproved_iam.deny_list.discovery import FILE_NAME, find_deny_list
from unapproved_iam.deny_list.entries import Approval, DenyList, Origin
from unapproved_iam.deny_list.reader import DenyListError, read_deny_list
from unapproved_iam.deny_list.verdict import Finding, Judge, Verdict
from unapproved_iam.marked_yaml import Kind, read_marked_yaml
from unapproved_iam.policies.attachment import Attachment, Place, Principal
from unapproved_iam.policies.policy_arn import aws_managed
from unapproved_iam.policies.possible_text import text, unknown
from unapproved_iam.program import UsageError
from unapproved_iam.scan.check_scope import Request
from unapproved_iam.scan.tree_check import findings_of

FIXTURES = PROJECT / "fixtures" / "deny_lists" / "valid"
TODAY = datetime.now(timezone.utc).date()

VIOLATIONS = {
    "main.tf": """\
resource "aws_iam_role_policy_attachment" "literal" {
  role       = "deploy"
  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
}

resource "aws_iam_policy_attachment" "several" {
  name       = "several"
  roles      = ["a", "b"]
  users      = ["jane@example.com"]
  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
}

resource "aws_iam_role_policy_attachment" "unknown_role" {
  for_each   = toset(["x y", "z"])
  role       = var.role
  policy_arn = "arn:aws:iam::aws:policy/${each.value == "z" ? "IAMFullAccess" : "AdministratorAccess"}"
}

variable "role" {}
""",
    "live/calls.tf": 'module "roles" {\n  source = "../modules/roles"\n  name   = "app"\n}\n',
    "modules/roles/main.tf": """\
variable "name" {}

resource "aws_iam_role" "this" {
  name                = var.name
  managed_policy_arns = ["arn:aws:iam::aws:policy/AdministratorAccess"]
}

resource "aws_iam_group_policy_attachment" "this" {
  group      = data.aws_iam_group.this.group_name
  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
}
""",
    "odd [name]/stack.yaml": """\
AWSTemplateFormatVersion: "2010-09-09"
Resources:
  Admin:
    Type: AWS::IAM::Role
    Properties:
      ManagedPolicyArns: [!Sub "arn:${AWS::Partition}:iam::aws:policy/AdministratorAccess"]
      AssumeRolePolicyDocument: {}
""",
}


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "repository"
    (root / ".git").mkdir(parents=True)
    for name, content in VIOLATIONS.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    monkeypatch.chdir(root)
    return root


def violations(root: Path) -> int:
    findings = findings_of(Request(), find_deny_list(None, {}, str(root)), str(root))
    assert not findings.unjudged
    return len(findings.violations)


def added_lines(before: bytes, after: bytes) -> list[str]:
    """The lines that were put in; fails when any other byte is touched."""
    changes = list(difflib.ndiff(before.decode().splitlines(True), after.decode().splitlines(True)))
    assert not [change for change in changes if change.startswith("- ")]
    return [change[2:] for change in changes if change.startswith("+ ")]


def test_adopt_approves_what_is_there_and_nothing_else(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert violations(repository) == 7
    assert adopt_command.main([]) == 0
    deny_list = find_deny_list(None, {}, str(repository))
    assert capsys.readouterr().out == (
        f"{FILE_NAME}: {len(deny_list.approvals)} approved until {TODAY + timedelta(days=90)}; edit the reasons,"
        " and spread the dates: now all expire on one day\n"
        "no violations left\n"
    )
    called = ("live/calls.tf", "modules/roles/main.tf")
    unknown_role = "aws_iam_role_policy_attachment.unknown_role"
    assert {(a.policy, a.attached_to, a.files) for a in deny_list.approvals} == {
        ("AdministratorAccess", "role/deploy", ("main.tf",)),
        ("AdministratorAccess", "role/a", ("main.tf",)),
        ("AdministratorAccess", "role/b", ("main.tf",)),
        ("AdministratorAccess", "user/jane@example.com", ("main.tf",)),
        ("AdministratorAccess", f'{unknown_role}["x y"]', ("main.tf",)),
        ("IAMFullAccess", f'{unknown_role}["z"]', ("main.tf",)),
        ("AdministratorAccess", "role/app", called),
        (
            "AdministratorAccess",
            "module.roles.aws_iam_group_policy_attachment.this",
            called,
        ),
        ("AdministratorAccess", "Admin", ("odd ?name?/stack.yaml",)),
    }
    assert {(a.expires, a.reason) for a in deny_list.approvals} == {
        (TODAY + timedelta(days=90), adopt_command.DEFAULT_REASON)
    }
    (repository / "new.tf").write_text(VIOLATIONS["main.tf"].replace('"deploy"', '"other"').split("\n\n")[0])
    assert violations(repository) == 1


def test_adopt_once_more_changes_nothing(repository: Path) -> None:
    adopt_command.main([])
    before = (repository / FILE_NAME).read_bytes()
    assert adopt_command.main([]) == 0
    assert (repository / FILE_NAME).read_bytes() == before


LISTS = {path.stem: path.read_bytes() for path in sorted(FIXTURES.glob("*.yaml"))} | {
    "comments": b"""\
# first
version: 1 # one
use:   [ aws-admin ]

approve: # exceptions
- policy:   'IAMFullAccess'   # odd spacing
  attached_to: role/x
  reason: |
    several

    # lines
    of text
    # a remark on nothing

# before the next
unresolved: pass
# last
""",
    "crlf": b"version: 1\r\nuse: [aws-admin]\r\napprove:\r\n  - policy: X\r\n".replace(b"X\r\n", b"IAMFullAccess\r\n")
    + b"    attached_to: role/x\r\n    reason: y\r\n# end\r\n",
    "remarks inside": b"""\
version: 1
use: [aws-admin]
approve:
  - # the first
    policy: IAMFullAccess
# at the margin
    attached_to: role/x
  # beside the dash
    reason: y

    # of the first, too
# of the next
unresolved: pass
""",
    "text to the margin": b"""\
version: 1
use: [aws-admin]
approve:
  - policy: IAMFullAccess
    attached_to: role/x
    reason: "several
lines of
  - text"
exclude:
  - {path: a, reason: b}
""",
    "byte order mark": b"\xef\xbb\xbfversion: 1\nuse: [aws-admin]\n",
    "no line end": b"version: 1\nuse: [aws-admin]",
}
IN_BRACKETS = {"as_json": b"", "flow": b"version: 1\nuse: [aws-admin]\napprove: [{policy: IAMFullAccess, "}


@pytest.mark.parametrize("name", [name for name in LISTS if name != "as_json"])
def test_adopt_only_adds_lines(name: str, repository: Path) -> None:
    shutil.copytree(FIXTURES / "extended", repository / "extended")
    (repository / FILE_NAME).write_bytes(LISTS[name])
    before = read_deny_list(FILE_NAME)
    present = violations(repository)
    adopt_command.main(["--expires", str(TODAY)])
    lines = added_lines(LISTS[name].removesuffix(b"\n") + b"\n", (repository / FILE_NAME).read_bytes())
    assert violations(repository) == 0
    after = read_deny_list(FILE_NAME)
    own = [approval for approval in after.approvals if approval.expires == TODAY]
    assert {approval for approval in after.approvals if approval not in own} >= {
        approval for approval in before.approvals if approval.origin.source != FILE_NAME
    }
    assert len(after.approvals) == len(before.approvals) + len(own)
    assert bool(own) == bool(present) == bool(lines)
    if name == "crlf":
        assert all(line.endswith("\r\n") for line in lines)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (
            b"version: 1\nuse: [aws-admin]\napprove: [{policy: IAMFullAccess, attached_to: role/x, reason: y}]\n",
            f'{FILE_NAME}:3: "approve" is not written line by line (expected "- " before each approval)',
        ),
        (LISTS["as_json"], f"{FILE_NAME}: cannot take new approvals: is not YAML: "),
        (b"version: 1\nuse: [aws-admin]\n...\n", f"{FILE_NAME}: cannot take new approvals: "),
    ],
)
def test_adopt_leaves_a_list_alone_that_it_cannot_add_to(content: bytes, problem: str, repository: Path) -> None:
    (repository / FILE_NAME).write_bytes(content)
    with pytest.raises(DenyListError) as caught:
        adopt_command.main([])
    assert str(caught.value).startswith(problem)
    assert (repository / FILE_NAME).read_bytes() == content
    assert not list(repository.glob(".unapproved-iam-*"))


def test_adopt_does_not_bring_an_expired_approval_back(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / FILE_NAME).write_text(
        "version: 1\nuse: [aws-admin]\napprove:\n"
        "  - {policy: AdministratorAccess, attached_to: role/deploy, reason: x, expires: 2020-01-01}\n"
    )
    assert adopt_command.main([]) == 1
    out = capsys.readouterr().out
    assert "main.tf:3: AdministratorAccess must not be attached to role/deploy: " in out
    assert f"the approval at {FILE_NAME}:4 expired on 2020-01-01 (to keep it, extend that approval by hand)" in out
    assert out.endswith("1 violation left\n")


def test_adopt_takes_unresolved_ones_where_they_fail(repository: Path) -> None:
    (repository / "unknown.tf").write_text(
        'variable "policy" {}\nresource "aws_iam_role_policy_attachment" "unknown" {\n'
        '  role       = "unknown"\n  policy_arn = var.policy\n}\n'
    )
    (repository / FILE_NAME).write_text("version: 1\nuse: [aws-admin]\nunresolved: fail\n")
    assert adopt_command.main([]) == 0
    approvals = find_deny_list(None, {}, str(repository)).approvals
    address = "aws_iam_role_policy_attachment.unknown"
    assert ("*", address, ("unknown.tf",)) in {(a.policy, a.attached_to, a.files) for a in approvals}
    with (repository / "unknown.tf").open("a") as file:
        file.write(VIOLATIONS["main.tf"].replace('"deploy"', '"unknown"').split("\n\n")[0])
    assert violations(repository) == 1  # that role may not have every policy now


def test_adopt_leaves_over_what_no_approval_can_say(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in VIOLATIONS:
        (repository / name).unlink()
    attached = [("a b", "arn:aws:iam::aws:policy/X"), ("c", "no policy"), ("d", "arn:aws:s3:::bucket")]
    blocks = [
        f'resource "aws_iam_role_policy_attachment" "_{number}" {{\n  role = "{role}"\n  policy_arn = "{policy}"\n}}\n'
        for number, (role, policy) in enumerate(attached)
    ]
    blocks += [
        'resource "aws_iam_role_policy_attachment" "keyed" {\n  for_each   = toset(["a\\"b"])\n  role     = var.role\n'
        '  policy_arn = "arn:aws:iam::aws:policy/IAMFullAccess"\n}\nvariable "role" {}\n'
    ]
    (repository / "main.tf").write_text("".join(blocks))
    (repository / FILE_NAME).write_text('version: 1\ndeny: ["*"]\n')
    assert adopt_command.main([]) == 1
    assert capsys.readouterr().out.splitlines()[1:] == [
        'main.tf:3: cannot be adopted, because "role/a b" is not a principal or an address',
        'main.tf:7: cannot be adopted, because "no policy" is not a policy',
        'main.tf:11: cannot be adopted, because "arn:aws:s3:::bucket" cannot match any policy: "s3" has no policies to'
        " attach (expected iam)",
        "3 violations left",
    ]
    [approval] = find_deny_list(None, {}, str(repository)).approvals
    assert approval.attached_to == "aws_iam_role_policy_attachment.keyed"


def test_adopt_names_a_policy_that_is_newer_than_this_release(repository: Path) -> None:
    (repository / "newer.tf").write_text(
        'resource "aws_iam_role_policy_attachment" "newer" {\n  role       = "newer"\n'
        '  policy_arn = "arn:aws:iam::aws:policy/NewerThanThisRelease"\n}\n'
    )
    (repository / FILE_NAME).write_text('version: 1\ndeny: ["*"]\n')
    assert adopt_command.main([]) == 0
    assert "policy: NewerThanThisRelease\n" in (repository / FILE_NAME).read_text()


def test_adopt_leaves_a_list_alone_that_somebody_else_is_writing(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository / FILE_NAME).write_text("version: 1\nuse: [aws-admin]\n")

    def read(path: str) -> DenyList:
        (repository / FILE_NAME).write_text("version: 1\nuse: [aws-admin]  # by somebody else\n")
        return read_deny_list(path)

    monkeypatch.setattr(adopt_command, "read_deny_list", read)
    with pytest.raises(UsageError, match="somebody else changed it in the meantime, so nothing was written"):
        adopt_command.main([])
    assert (repository / FILE_NAME).read_text() == "version: 1\nuse: [aws-admin]  # by somebody else\n"


def test_adopt_leaves_skipped_and_warned_ones_alone(repository: Path) -> None:
    content = "version: 1\nuse: [{list: aws-admin, enforce_from: 2090-01-01}]\ndeny: [ReadOnlyAccess]\n"
    (repository / FILE_NAME).write_text(content)
    (repository / "skipped.tf").write_text(
        'resource "aws_iam_role_policy_attachment" "skipped" {\n  # checkov:skip=IAM_068:known\n'
        '  role       = "reader"\n  policy_arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"\n}\n'
    )
    assert adopt_command.main([]) == 0
    assert (repository / FILE_NAME).read_text() == content


@pytest.mark.parametrize("day", ["2020-01-01", "soon", "2090-02-30", "20900101", str(TODAY - timedelta(days=1))])
def test_adopt_needs_a_day_to_come(day: str, repository: Path) -> None:
    with pytest.raises(UsageError, match=rf'--expires: "{day}" is not a valid day \(expected a day from {TODAY} on'):
        adopt_command.main(["--expires", day])
    assert not (repository / FILE_NAME).exists()


@pytest.mark.parametrize("reason", ["", " ", "\x07", "…", "TODO"])
def test_adopt_needs_a_reason(reason: str, repository: Path) -> None:
    with pytest.raises(UsageError, match=r'--reason: ".*" is not a reason \(expected why, in words'):
        adopt_command.main(["--reason", reason])
    assert not (repository / FILE_NAME).exists()


def test_adopt_could_not_judge_everything(repository: Path) -> None:
    (repository / "broken.tf").write_text('resource "aws_iam_role_policy_attachment" "broken" {\n  AdministratorAccess')
    assert adopt_command.main([]) == 2


def test_adopt_writes_to_the_list_that_counts(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "list.yaml"
    target.write_text("version: 1\nuse: [aws-admin]\n")
    target.chmod(0o640)
    (tmp_path / "link.yaml").symlink_to(target)
    monkeypatch.setenv("UNAPPROVED_IAM_POLICIES", str(tmp_path / "link.yaml"))
    assert adopt_command.main([]) == 0
    assert "role/deploy" in target.read_text()
    assert (tmp_path / "link.yaml").is_symlink()
    assert target.stat().st_mode & 0o777 == 0o640
    assert not (repository / FILE_NAME).exists()


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    """Readers beside writers see complete contents only, and a writer never undoes what it has not seen."""
    path = tmp_path / "file"
    contents = [bytes([65 + number]) * 100_000 for number in range(8)]
    path.write_bytes(contents[0])
    seen, refused, done = set(), [], threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.add(path.read_bytes())

    def write(new: bytes) -> None:
        for _ in range(20):
            try:
                atomic_file.replace(str(path), path.read_bytes(), new)
            except atomic_file.Changed:
                refused.append(new)

    reader = threading.Thread(target=read)
    reader.start()
    writers = [threading.Thread(target=write, args=(content,)) for content in contents]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    done.set()
    reader.join()
    assert seen <= set(contents)
    assert [child.name for child in tmp_path.iterdir()] == ["file"]
    with pytest.raises(atomic_file.Changed):
        atomic_file.replace(str(path), b"something else", b"new")
    assert path.read_bytes() in contents


def test_of_writers_at_once_none_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"")
    code = (
        "import sys; from unapproved_iam.commands.atomic_file import Changed, replace\n"
        "written = 0\n"
        "for _ in range(100):\n"
        "    old = open(sys.argv[1], 'rb').read()\n"
        "    try:\n"
        "        replace(sys.argv[1], old, old + b'.')\n"
        "    except Changed:\n"
        "        continue\n"
        "    written += 1\n"
        "print(written)"
    )
    environ = {**os.environ, "PYTHONPATH": str(Path(atomic_file.__file__).parents[2])}
    command = [sys.executable, "-c", code, str(path)]
    writers = [subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    written = [int(writer.communicate()[0]) for writer in writers]
    assert len(path.read_bytes()) == sum(written) >= 100


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_read_only_file_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(0o444)
    with pytest.raises(PermissionError):
        atomic_file.replace(str(path), b"old", b"new")
    assert path.read_bytes() == b"old"


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def interrupted(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        atomic_file.replace(str(path), b"old", b"new")
    with pytest.raises(KeyboardInterrupt):
        atomic_file.write_new(str(tmp_path / "other"), b"new")
    assert [child.name for child in tmp_path.iterdir()] == ["file"]
    assert path.read_bytes() == b"old"


SOON, FAR = TODAY + timedelta(days=10), date(2090, 1, 1)
APPROVALS = f"""\
version: 1
use: [aws-admin]
approve:
  - {{policy: AdministratorAccess, attached_to: role/deploy, reason: x, expires: {FAR}}}
  - {{policy: AdministratorAccess, attached_to: role/a, reason: x, expires: {SOON}}}
  - {{policy: AdministratorAccess, attached_to: role/b, reason: x}}
  - {{policy: AdministratorAccess, attached_to: user/*, reason: x, expires: 2020-01-01}}
  - {{policy: IAMFullAccess, attached_to: role/deploy, reason: x, expires: {SOON}}}
  - {{policy: IAMFullAccess, attached_to: role/x, reason: x, expires: 2020-01-01}}
  - {{policy: AdministratorAccess, attached_to: aws_iam_policy_attachment.several, in: live/**, reason: x}}
"""


@pytest.mark.parametrize(
    ("days", "problem"), [("-1", "-1 is not a number of days"), (str(10**9), "is not a number of days")]
)
def test_approvals_needs_a_number_of_days(days: str, problem: str, repository: Path) -> None:
    with pytest.raises(UsageError, match=problem):
        approvals_command.main(["--expiring", days])
    assert approvals_command.main(["--expiring", str(timedelta.max.days)]) == 0


def test_approvals_tells_which_are_used(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / FILE_NAME).write_text(APPROVALS)
    assert approvals_command.main(["--output", "json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert [(a["origin"]["line"], a["state"], a["covers"]) for a in shown["approvals"]] == [
        (4, "used", ["main.tf:3"]),
        (5, "unused", []),  # it covers one of three principals, which is not enough
        (6, "unused", []),
        (7, "expired", ["main.tf:10"]),
        (8, "unused", []),
        (9, "expired", []),
        (10, "unused", []),
    ]
    (repository / FILE_NAME).write_text(APPROVALS.replace("2020-01-01", str(FAR)))
    approvals_command.main([])
    assert capsys.readouterr().out.splitlines() == [
        f"{FILE_NAME}:5: about to expire: AdministratorAccess for role/a, until {SOON}; covers main.tf:10",
        f"{FILE_NAME}:8: unused: IAMFullAccess for role/deploy, until {SOON}; covers nothing",
        f"{FILE_NAME}:9: unused: IAMFullAccess for role/x, until {FAR}; covers nothing",
        f"{FILE_NAME}:10: unused: AdministratorAccess for aws_iam_policy_attachment.several in live/**; covers nothing",
        f"{FILE_NAME}:4: used: AdministratorAccess for role/deploy, until {FAR}; covers main.tf:3",
        f"{FILE_NAME}:6: used: AdministratorAccess for role/b; covers main.tf:10",
        f"{FILE_NAME}:7: used: AdministratorAccess for user/*, until {FAR}; covers main.tf:10",
        f"7 in {FILE_NAME}: 0 expired, 1 about to expire, 3 unused, 3 used",
    ]
    approvals_command.main(["--expiring", "9"])
    assert f"{FILE_NAME}:5: used: " in capsys.readouterr().out


def test_approvals_can_fail_on_unused_ones(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / FILE_NAME).write_text(APPROVALS)
    assert approvals_command.main(["--fail-on-unused"]) == 1
    (repository / FILE_NAME).write_text("".join(APPROVALS.splitlines(keepends=True)[:4]))
    assert approvals_command.main(["--fail-on-unused"]) == 0
    (repository / FILE_NAME).write_text(APPROVALS.replace("2020-01-01", str(FAR)))
    for days, code in (("9", 0), ("10", 1), ("0", 0)):
        assert approvals_command.main(["--fail-on-expiring", days]) == code
    later = APPROVALS.replace("2020-01-01", str(FAR)).replace(str(SOON), str(TODAY + timedelta(days=40)))
    (repository / FILE_NAME).write_text(later)
    capsys.readouterr()
    approvals_command.main([])
    assert f"{FILE_NAME}:5: used: " in capsys.readouterr().out
    assert approvals_command.main(["--fail-on-expiring", "40"]) == 1
    assert f"{FILE_NAME}:5: about to expire: " in capsys.readouterr().out, "it says which approval fails the run"
    (repository / FILE_NAME).write_text(APPROVALS.replace(str(SOON), str(FAR)))
    assert approvals_command.main(["--fail-on-expiring", "0"]) == 1
    with pytest.raises(UsageError, match="--fail-on-expiring: -1 is not a number of days"):
        approvals_command.main(["--fail-on-expiring", "-1"])
    (repository / "broken.tf").write_text('resource "aws_iam_role_policy_attachment" "broken" {\n  AdministratorAccess')
    assert approvals_command.main([]) == 2


def test_approvals_of_the_whole_repository_wherever_it_is_asked(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / FILE_NAME).write_text(APPROVALS)
    approvals_command.main([])
    here = capsys.readouterr().out
    monkeypatch.chdir(repository / "live")
    approvals_command.main([])
    assert capsys.readouterr().out == here


def test_what_the_report_proposes_covers_the_finding(repository: Path) -> None:
    """Also in a called module, where the approval must cover the file of the call."""
    root = str(repository)
    findings = findings_of(Request([root]), find_deny_list(None, {}, root), root)
    assert any(finding.attachment.calls for finding in findings.violations)
    for finding in findings.violations:
        approvals = tuple(
            Approval(one.policy, one.attached_to, Origin("list", 1), "why", one.files)
            for one in proposals(finding, findings.relative)
        )
        judge = Judge(findings.deny_list._replace(approvals=approvals), root, TODAY)
        assert judge.judge(finding.attachment).verdict is Verdict.APPROVED, finding.message


@pytest.mark.parametrize(
    ("names", "proposed"),
    [
        (["a", "b"], [("role/a", ("main.tf",)), ("role/b", ("main.tf",))]),
        (["a", None], [("aws_iam_policy_attachment.x", ("main.tf",))]),
        ([], [("aws_iam_policy_attachment.x", ("main.tf",))]),
    ],
)
def test_an_approval_is_by_resource_where_a_principal_is_unknown(
    names: list[str | None], proposed: list[tuple[str, tuple[str, ...]]]
) -> None:
    principals = [Principal("role", text(name) if name else unknown("var.x", "no default")) for name in names]
    place = Place("/repository/main.tf")
    policy = aws_managed("AdministratorAccess")
    attachment = Attachment("aws_iam_policy_attachment.x", "x", policy, tuple(principals), place, place)
    found = proposals(Finding(attachment, Verdict.DENIED), lambda path: path.removeprefix("/repository/"))
    assert [(one.attached_to, one.files) for one in found] == proposed


ODD_SCALARS = [
    *("true", "False", "no", "on", "off", "yes", "null", "~", "1", "1e3", "0x1f", "0o7", ".5", "=", "<<", "2027-06-30"),
    *("a:b", "a::b", "a:", ":a", "a: b", "#a", "a#b", "a #b", "*", "*a", "&a", "!a", "@a", "`a", "%", "-", "-a", "- a"),
    *(
        "?",
        "?a",
        "|",
        ">",
        "{a}",
        "[a]",
        "",
        "'",
        "''",
        '"a"',
        "role/x",
        "aws_iam_role.x[0]",
        "arn:aws:iam::*:policy/x-*",
    ),
]


@given(st.sampled_from(ODD_SCALARS) | st.text(st.characters(exclude_categories=["C", "Zl", "Zp"])))
def test_any_text_is_written_as_a_scalar_that_reads_as_it(written: str) -> None:
    for line in (f"- {{a: {yaml_of(written)}, b: c}}\n", f"- a: {yaml_of(written)}\n  b: c\n"):
        document = read_marked_yaml(line.encode())
        assert document
        [(_, value), (_, other)] = document.items[0].pairs
        assert (value.kind, value.text, other.text) == (Kind.TEXT, written, "c")
        [read_by_all] = yaml.safe_load(line)  # in YAML 1.1 `on` is no text
        assert read_by_all["a"] == written or isinstance(read_by_all["a"], date)


@pytest.mark.parametrize(("truth", "written"), [(True, "true"), (False, "false")])
def test_a_truth_is_written_as_one(truth: bool, written: str) -> None:
    assert yaml_of(truth) == written
    document = read_marked_yaml(written.encode())
    assert document
    assert document.kind is Kind.TRUTH


@pytest.mark.parametrize("plain", ["role/app", "2027-06-30", "arn:aws:iam::*:policy/x", "module.a.aws_iam_role.x", "…"])
def test_what_needs_no_quotes_has_none(plain: str) -> None:
    assert yaml_of(plain) == plain
