"""The commands that the audit prints, run by the real AWS CLI: then the audit is clean, whatever the names hold."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from account_server import AccountServer
from hypothesis import given
from hypothesis import strategies as st
from unapproved_iam.account.access import Account
from unapproved_iam.account.audit import AccountReading, attachment_of, judged
from unapproved_iam.account.detach_commands import detachment
from unapproved_iam.account.detach_script import detach_script
from unapproved_iam.deny_list.entries import DenyList, Entry, Origin

if TYPE_CHECKING:
    from account_fixtures import Audit, PermissionSets

pytest_plugins = ["account_fixtures"]

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"

# IAM allows these names ("CreateRole" in its API reference), and these paths: anything from ! to ~.
ODD_ATTACHMENTS = [
    ("role/-dash", "AdministratorAccess"),
    ("role/--policy-arn", "AdministratorAccess"),
    ("user/a=b,c+d@e.f", "AdministratorAccess"),
    ("group/it's/$(touch${IFS}ran)/;touch${IFS}ran;/team", "AdministratorAccess"),
    ("role/app", "it's/$(touch${IFS}ran)/`touch${IFS}ran`/;touch${IFS}ran;/\"#/legacy-a=b,c@d"),
]


@pytest.fixture(scope="session")
def aws_cli(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory with the `aws` command, in an environment of its own: it pins another botocore."""
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    environment = tmp_path_factory.mktemp("aws-cli") / "environment"
    python = environment / "bin" / "python"
    for command in (
        [uv, "venv", "--quiet", str(environment)],
        [uv, "pip", "install", "--python", str(python), "awscli"],
    ):
        subprocess.run(command, check=True, capture_output=True)
    return python.parent


def run_shell(script: str, directory: Path, aws_cli: Path) -> subprocess.CompletedProcess[str]:
    """Run a script by the system's POSIX shell, in a directory in which nothing may appear."""
    directory.mkdir(exist_ok=True)
    told = subprocess.run(
        ["sh", "-s"],
        input=script,
        cwd=directory,
        env=os.environ | {"PATH": f"{aws_cli}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )
    assert not list(directory.iterdir()), "a name was run as a command"
    return told


def test_the_script_detaches_everything_that_is_denied(
    aws: AccountServer,
    audit: Audit,
    permission_sets: PermissionSets,
    aws_cli: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    list_file = Path("unapproved-iam-policies.yaml")
    list_file.write_text(
        list_file.read_text()
        .replace("it grants everything", '"on two lines:\\n touch ran; $(touch ran)"')
        .replace(":policy/legacy-*", ":policy/*legacy-*")
        + "  - {policy: AdministratorAccess, attached_to: role/kept, reason: it stays}\n"
    )
    aws.attach(*ODD_ATTACHMENTS, ("role/kept", "AdministratorAccess"), ("role/app", "ReadOnlyAccess"))
    permission_sets.add("Admins", ADMIN, "arn:aws:iam::aws:policy/ReadOnlyAccess")
    permission_sets.add("Old", "/it/legacy-a,b=c", ADMIN)
    before = audit("--output", "json")
    script = audit("--output", "script")
    assert script.code == 1
    assert before.json["summary"]["denied"] == len(ODD_ATTACHMENTS) + 3

    with monkeypatch.context() as another:
        another.setenv("AWS_ACCESS_KEY_ID", "999999999999")
        elsewhere = run_shell(script.out, tmp_path / "elsewhere", aws_cli)
    assert (elsewhere.returncode, elsewhere.stderr) == (1, "nothing to detach in account 999999999999\n")
    assert audit("--output", "json").json["summary"] == before.json["summary"]

    done = run_shell(script.out, tmp_path / "here", aws_cli)
    assert (done.returncode, done.stderr) == (0, "")
    after = audit("--output", "json")
    assert after.code == 0
    assert after.verdicts == {("role/kept", "AdministratorAccess", "approved")}
    assert after.json["summary"]["attached_policies"] == 2
    assert aws.calls().count("sso:ProvisionPermissionSet") == 2  # once for each permission set
    assert "nothing to detach" in audit("--output", "script").out


def test_a_reference_that_is_denied_in_several_accounts_is_detached_once(
    aws: AccountServer, audit: Audit, permission_sets: PermissionSets, aws_cli: Path, tmp_path: Path
) -> None:
    accounts = [aws.account, "210987654321"]
    entries = "".join(f"  - arn:aws:iam::{account}:policy/only-there\n" for account in accounts)
    Path("unapproved-iam-policies.yaml").write_text(f"version: 1\ndeny:\n{entries}")
    permission_sets.add("Old", "/only-there")
    aws.tell(answers={"sso:ListAccountsForProvisionedPermissionSet": {"AccountIds": accounts}})
    assert audit("--output", "json").json["summary"]["denied"] == 2
    done = run_shell(audit("--output", "script").out, tmp_path / "here", aws_cli)
    assert (done.returncode, done.stderr) == (0, "")
    assert audit().code == 0


def test_each_command_of_a_report_detaches_its_attachment(
    aws: AccountServer, audit: Audit, aws_cli: Path, tmp_path: Path
) -> None:
    aws.attach(*ODD_ATTACHMENTS[1:3])
    [policy] = audit("--output", "json").json["policies"]
    for left, attachment in zip((1, 0), policy["attachments"], strict=True):
        done = run_shell(attachment["detach"], tmp_path / "here", aws_cli)
        assert (done.returncode, done.stderr) == (0, "")
        assert audit("--output", "json").json["summary"]["denied"] == left


def test_what_only_aws_can_change_has_a_note_instead_of_a_command(aws: AccountServer, audit: Audit) -> None:
    Path("unapproved-iam-policies.yaml").write_text("version: 1\ndeny: ['*']\n")
    aws.attach(
        ("role/aws-service-role/support.amazonaws.com/AWSServiceRoleForSupport", "AWSSupportServiceRolePolicy"),
        ("role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Ops_0123456789abcdef", "ReadOnlyAccess"),
    )
    told = audit("--output", "json")
    notes = {policy["policy"]: policy["attachments"][0]["note"] for policy in told.json["policies"]}
    assert "service-linked role" in notes["AWSSupportServiceRolePolicy"]
    assert notes["ReadOnlyAccess"].endswith("detach the policy from permission-set/Ops")
    assert [attachment["detach"] for policy in told.json["policies"] for attachment in policy["attachments"]] == [
        None
    ] * 2
    script = audit("--output", "script").out
    assert subprocess.run(["sh", "-n"], input=script, text=True, check=True).returncode == 0


ENTRY = Entry("*", Origin("list.yaml", 1), reason="why\n\x1b[31m not\r\u2028;")
printable_ascii = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)


@given(st.sampled_from(["role", "user", "group"]), st.text(min_size=1, max_size=40), printable_ascii)
def test_any_name_stays_one_word_of_its_command(kind: str, name: str, path: str) -> None:
    """A shell reads back exactly the name and the ARN, and the script has no line that is not meant."""
    account = Account("123456789012", "aws")
    arn = f"arn:aws:iam::123456789012:policy/{path}/name"
    reading = AccountReading(account, attachments=(attachment_of(account, kind, name, arn),))
    audit = judged(DenyList("list.yaml", (ENTRY,)), date(2027, 1, 1), "eu-west-1", [reading])
    words = shlex.split(detachment(audit.findings[0], "eu-west-1").line)
    assert words[:3] == ["aws", "iam", f"detach-{kind}-policy"]
    assert " ".join(words[3:]).replace("=", " ", 1).startswith(f"--{kind}-name ")
    assert words[3:] in (
        [f"--{kind}-name", name, "--policy-arn", arn],
        [f"--{kind}-name={name}", "--policy-arn", arn],
    )
    commands = [line for line in detach_script(audit).split("\n") if line.strip() and not line.lstrip().startswith("#")]
    if "\n" not in name:
        assert commands[5] == f"  {shlex.join(words)}"
        assert len(commands) == 12


def test_a_script_for_several_accounts_has_a_section_for_each(aws: AccountServer, audit: Audit) -> None:
    first, second = aws.account, "200000000001"
    aws.attach(("role/one", "AdministratorAccess"))
    aws.attach(("role/two", "AdministratorAccess"), account=second)
    Path("accounts.txt").write_text(f"{first}\n{second}  # the other\n")
    script = audit("--accounts", "accounts.txt", "--role-name", "audit", "--output", "script").out
    sections = [
        line for line in script.splitlines() if line.endswith(")") and not line.startswith((" ", "#", "account"))
    ]
    assert sections == [f"{first})", f"{second})", "*)"]
    assert json.dumps(script).count("detach-role-policy") == 2
