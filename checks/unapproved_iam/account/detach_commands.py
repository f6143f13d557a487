"""Write the AWS CLI command that detaches what a finding of the audit denies, or say why there is none.

Nothing here runs a command: a person reviews and runs them. Sources: "detach-role-policy" and its sisters in the AWS
CLI command reference; "Provision permission sets" in the IAM Identity Center user guide.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass

from unapproved_iam.account.audit import SERVICE_LINKED_POLICY
from unapproved_iam.deny_list.verdict import Finding, Verdict

SUBCOMMAND = {
    "group": ("detach-group-policy", "--group-name"),
    "role": ("detach-role-policy", "--role-name"),
    "user": ("detach-user-policy", "--user-name"),
}


@dataclass(frozen=True)
class Detachment:
    """How to detach one policy: a command, or a note that says why there is none, or what must follow the command."""

    command: tuple[str, ...] = ()
    note: str = ""
    then: tuple[str, ...] = ()  # a command to run once, after all those of the same permission set

    @property
    def line(self) -> str:
        """The command for a POSIX shell; empty when there is none."""
        return shlex.join(self.command)


def detachment(finding: Finding, region: str) -> Detachment:
    """How to detach what a finding denies; `region` is where Identity Center lives."""
    if finding.verdict is Verdict.APPROVED:
        return Detachment()
    if finding.verdict is Verdict.WARNED and finding.entry:
        return Detachment(note=f"denied from {finding.entry.enforce_from} on")
    attachment = finding.attachment
    principal = attachment.principals[0]
    arn = str(attachment.policy)
    if principal.kind == "permission-set":
        return _of_permission_set(attachment.resource, arn, region)
    if principal.address:
        return Detachment(note=f"Identity Center made this role: detach the policy from {principal.address}")
    if SERVICE_LINKED_POLICY in arn:
        return Detachment(note="only the AWS service that made this service-linked role can change it")
    subcommand, name = SUBCOMMAND[principal.kind]
    options = (*_option(name, str(principal.name)), *_option("--policy-arn", arn))
    return Detachment(("aws", "iam", subcommand, *options))


def _of_permission_set(arn: str, policy: str, region: str) -> Detachment:
    # The ARN of a permission set, arn:aws:sso:::permissionSet/INSTANCE/ID, tells that of its instance.
    instance = f"{arn.partition(':sso:')[0]}:sso:::instance/{arn.split('/')[-2]}"
    named = (*_option("--region", region), *_option("--instance-arn", instance), *_option("--permission-set-arn", arn))
    if ":iam::aws:policy/" in policy:
        detach = ("detach-managed-policy-from-permission-set", *named, "--managed-policy-arn", policy)
    else:
        path, _, name = policy.partition(":policy")[2].rpartition("/")
        reference = json.dumps({"Name": name, "Path": path + "/"})  # the shorthand has no way to quote a comma
        subcommand = "detach-customer-managed-policy-reference-from-permission-set"
        detach = (subcommand, *named, "--customer-managed-policy-reference", reference)
    return Detachment(
        ("aws", "sso-admin", *detach),
        "takes effect in the accounts once the permission set is provisioned again",
        ("aws", "sso-admin", "provision-permission-set", *named, "--target-type", "ALL_PROVISIONED_ACCOUNTS"),
    )


def _option(name: str, value: str) -> tuple[str, ...]:
    """An option with its value; IAM allows names that begin like an option."""
    return (f"{name}={value}",) if value.startswith("-") else (name, value)
