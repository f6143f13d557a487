"""Fixtures of the tests of the audit: an AWS that holds nothing yet, and the command in this process."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import pytest
from account_server import AccountServer
from unapproved_iam.commands.command_line import main

LIST = """\
version: 1
deny:
  - policy: AdministratorAccess
    reason: it grants everything
    use_instead: [PowerUserAccess]
  - arn:aws:iam::aws:policy/job-function/*
  - arn:aws:iam::*:policy/legacy-*
  - arn:aws:iam::210987654321:policy/only-there
approve:
  - {policy: AdministratorAccess, attached_to: role/break-glass, reason: SEC-1, approved_by: security}
  - {policy: AdministratorAccess, attached_to: role/pipeline-*, in: live/**, reason: SEC-2}
  - {policy: AdministratorAccess, attached_to: user/visitor, reason: SEC-3, expires: 2020-02-29}
  - {policy: AdministratorAccess, attached_to: permission-set/Emergency, reason: SEC-4}
  - {policy: AdministratorAccess, attached_to: aws_iam_role.app, in: main.tf, reason: SEC-5}
  - {policy: 'arn:aws:iam::aws:policy/job-function/*', attached_to: group/finance, reason: SEC-6}
"""


class Told(NamedTuple):
    code: int
    out: str
    error: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def verdicts(self) -> set[tuple[str, str, str | None]]:
        """Principal, policy and verdict of everything in a JSON report."""
        return {
            (f"{attachment['kind']}/{attachment['principal']}", policy["arn"].rpartition("/")[2], attachment["verdict"])
            for policy in self.json["policies"]
            for attachment in policy["attachments"]
        }


Audit = Callable[..., Told]


@pytest.fixture(scope="session")
def account_server() -> Iterator[AccountServer]:
    server = AccountServer()
    yield server
    server.stop()


@pytest.fixture
def aws(account_server: AccountServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AccountServer:
    """An AWS that holds nothing, reached by this process, with the list above at the root of the repository."""
    account_server.renew()
    for name, value in account_server.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "unapproved-iam-policies.yaml").write_text(LIST)
    return account_server


@pytest.fixture
def audit(aws: AccountServer, capsys: pytest.CaptureFixture[str]) -> Audit:
    def run(*arguments: str) -> Told:
        code = main(["audit", *arguments])
        out, error = capsys.readouterr()
        assert "Traceback" not in error
        return Told(code, out, error)

    return run


class PermissionSets:
    """Identity Center as moto has it: one instance in each region."""

    def __init__(self) -> None:
        self.client = boto3.Session().client("sso-admin")
        self.instance = self.client.list_instances()["Instances"][0]["InstanceArn"]

    def add(self, name: str, *policies: str, provisioned: bool = False) -> None:
        """A permission set with AWS managed policies (ARNs) and customer managed ones (path and name)."""
        made = self.client.create_permission_set(Name=name, InstanceArn=self.instance)["PermissionSet"]
        named = {"InstanceArn": self.instance, "PermissionSetArn": made["PermissionSetArn"]}
        for policy in policies:
            if policy.startswith("arn:"):
                self.client.attach_managed_policy_to_permission_set(**named, ManagedPolicyArn=policy)
            else:
                path, _, policy_name = policy.rpartition("/")
                self.client.attach_customer_managed_policy_reference_to_permission_set(
                    **named, CustomerManagedPolicyReference={"Name": policy_name, "Path": path + "/"}
                )
        if provisioned:
            self.client.provision_permission_set(**named, TargetType="ALL_PROVISIONED_ACCOUNTS")


@pytest.fixture
def permission_sets(aws: AccountServer) -> PermissionSets:
    return PermissionSets()
