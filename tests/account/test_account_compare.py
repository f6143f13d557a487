"""Which live attachments come from code, and which nobody declared there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from account_server import AccountServer

if TYPE_CHECKING:
    from account_fixtures import Audit, PermissionSets

pytest_plugins = ["account_fixtures"]

CODE = """\
data "aws_partition" "current" {}

variable "team" {}

resource "aws_iam_role" "app" {
  name = "app"
}

resource "aws_iam_role_policy_attachment" "app" {
  role       = aws_iam_role.app.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/AdministratorAccess" # role/app
}

resource "aws_iam_group_policy_attachment" "team" {
  group      = "${var.team}-admins"
  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess" # perhaps group/…-admins
}

resource "aws_iam_policy" "legacy" {
  name   = "legacy-all"
  policy = "{}"
}

resource "aws_iam_user_policy_attachment" "old" {
  user       = "old"
  policy_arn = aws_iam_policy.legacy.arn # user/old
}

resource "aws_ssoadmin_permission_set" "admins" {
  name         = "Admins"
  instance_arn = "arn:aws:sso:::instance/ssoins-1"
}

resource "aws_ssoadmin_managed_policy_attachment" "admins" {
  instance_arn       = "arn:aws:sso:::instance/ssoins-1"
  permission_set_arn = aws_ssoadmin_permission_set.admins.arn
  managed_policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess" # permission-set/Admins and its role
}
"""

TEMPLATE = """\
Resources:
  Excluded:
    Type: AWS::IAM::Role
    Properties:
      RoleName: stack
      AssumeRolePolicyDocument: {}
      ManagedPolicyArns:
        - arn:aws:iam::aws:policy/AdministratorAccess # role/stack
"""

ADMIN, OTHER = "AdministratorAccess", "DataScientist"

# A live attachment, and what is said of it; {…} is the line that holds the words.
ATTACHMENTS = [
    ("role/app", ADMIN, "code/main.tf:{# role/app}"),
    ("role/app", OTHER, "not declared"),
    ("user/app", ADMIN, "not declared"),
    ("role/app2", ADMIN, "not declared"),
    ("group/ops-admins", ADMIN, "perhaps code/main.tf:{# perhaps group}"),
    ("group/ops-readers", ADMIN, "not declared"),
    ("user/old", "legacy-all", "code/main.tf:{# user/old}"),
    ("role/stack", ADMIN, "code/excluded/template.yaml:{# role/stack}"),
    (
        "role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admins_0123456789abcdef",
        ADMIN,
        "code/main.tf:{# permission-set/Admins}",
    ),
]


@pytest.fixture
def code(aws: AccountServer) -> None:
    Path(".git").mkdir()
    Path("code/excluded").mkdir(parents=True)
    Path("code/main.tf").write_text(CODE)
    Path("code/excluded/template.yaml").write_text(TEMPLATE)
    with Path("unapproved-iam-policies.yaml").open("a") as deny_list:
        deny_list.write("exclude:\n  - {path: code/excluded/**, reason: another team}\n")


def expected(words: str) -> str:
    before, opened, marker = words.partition("{")
    if not opened:
        return words
    source = CODE if "main.tf" in before else TEMPLATE
    [line] = [number for number, line in enumerate(source.splitlines(), 1) if marker[:-1] in line]
    return f"{before}{line}"


@pytest.mark.usefixtures("code")
def test_each_live_attachment_is_looked_up_in_the_code(
    aws: AccountServer, audit: Audit, permission_sets: PermissionSets
) -> None:
    aws.attach(*[(principal, policy) for principal, policy, _ in ATTACHMENTS])
    permission_sets.add("Admins", f"arn:aws:iam::aws:policy/{ADMIN}")
    told = audit("--compare", "code", "--output", "json")
    said = {
        (f"{attachment['kind']}/{attachment['principal']}", policy["arn"].rpartition("/")[2]): attachment["in_code"]
        for policy in told.json["policies"]
        for attachment in policy["attachments"]
    }
    table = {
        (f"{principal.partition('/')[0]}/{principal.rpartition('/')[2]}", policy): expected(words)
        for principal, policy, words in ATTACHMENTS
    }
    assert said == table | {("permission-set/Admins", ADMIN): expected("code/main.tf:{# permission-set/Admins}")}
    for output in ("text", "markdown", "html", "csv"):
        assert "not declared" in audit("--compare", "code", "--output", output).out
    assert "4 attachments not declared in code" in audit("--compare", "code").out


@pytest.mark.usefixtures("code")
def test_code_that_cannot_be_read_is_named(aws: AccountServer, audit: Audit) -> None:
    aws.attach(("role/app", ADMIN))
    Path("code/main.tf").write_text(CODE + "resource {{\n")
    told = audit("--compare", "code", "--output", "json")
    assert told.code == 1
    assert any("code that could not be read may declare more: code/main.tf:" in line for line in told.json["remarks"])


def test_a_directory_that_is_not_there_is_one_line(audit: Audit) -> None:
    told = audit("--compare", "nowhere")
    assert (told.code, told.out) == (2, "")
    assert "nowhere" in told.error
    assert len(told.error.splitlines()) == 1
