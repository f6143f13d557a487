"""Find which denied policies the permission sets of IAM Identity Center attach.

Permission sets belong to the organization's management account and are kept in the one region of Identity Center. In
every other account they appear as roles, which `account.audit` reads there. Source: "Permission sets" in the IAM
Identity Center user guide, and its API reference.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from unapproved_iam.account.access import Access, AccessError, Account, answer, pages
from unapproved_iam.account.audit import (
    AT_ONCE,
    IDENTITY_CENTER_PATH,
    AccountReading,
    not_told,
    not_told_of_some,
)
from unapproved_iam.deny_list.verdict import Verdict
from unapproved_iam.policies.attachment import Attachment, Place, Principal, Unjudged
from unapproved_iam.policies.policy_arn import ACCOUNT
from unapproved_iam.policies.possible_text import Text, text

RESOURCE_TYPE = "AWS::SSO::PermissionSet"


@dataclass(frozen=True)
class IdentityCenterReading:
    """The permission sets of an account, and what is to be said where there are none to read."""

    reading: AccountReading
    remarks: tuple[str, ...] = ()


def read_identity_center(access: Access, verdict_of: Callable[[Text], Verdict]) -> IdentityCenterReading:
    """Read the permission sets of every instance that the account sees in its region."""
    account, client = access.account, access.client("sso-admin")
    nothing = AccountReading(account, of_permission_sets=True)
    try:
        instances = [instance for page in pages(client, "list_instances") for instance in page["Instances"]]
    except AccessError as error:
        return IdentityCenterReading(replace(nothing, unjudged=(_not_told_which(account, error),)))
    if not instances:
        return _without_instances(access, nothing)
    total = nothing
    remarks: list[str] = []
    for instance in instances:
        try:
            total += _read_instance(client, nothing, instance["InstanceArn"], verdict_of)
        except AccessError as error:
            owner = instance.get("OwnerAccountId", account.id)
            if error.denied and owner != account.id:
                remarks.append(
                    f"the permission sets of Identity Center belong to account {owner}: audit them there"
                    f" (the roles that they create in account {account.id} were checked)"
                )
            elif error.of_account_instance:
                remarks.append(
                    f"{instance['InstanceArn']} is an account instance of Identity Center: it has no permission sets"
                )
            else:
                total += replace(nothing, unjudged=(_not_told_which(account, error),))
    return IdentityCenterReading(total, tuple(remarks))


def _without_instances(access: Access, nothing: AccountReading) -> IdentityCenterReading:
    """No instance was found in the region: there is none to look at, unless roles show that it is in another one."""
    account = access.account
    try:
        found = pages(access.client("iam"), "list_roles", PathPrefix=IDENTITY_CENTER_PATH)
        paths = {role["Path"] for page in found for role in page["Roles"]}
    except AccessError as error:
        unjudged = not_told(account, "which region Identity Center is in", error)
        return IdentityCenterReading(replace(nothing, unjudged=(unjudged,)))
    unnamed = "us-east-1" if account.partition == "aws" else access.region
    regions = {path.removeprefix(IDENTITY_CENTER_PATH).strip("/") or unnamed for path in paths} - {access.region}
    if regions:
        elsewhere = AccessError(
            f"no Identity Center instance was found in {access.region}, but roles were created from"
            f" {' and '.join(sorted(regions))} (set --region)"
        )
        return IdentityCenterReading(replace(nothing, unjudged=(_not_told_which(account, elsewhere),)))
    remark = f"no Identity Center instance was found in {access.region}, so there are no permission sets to look at"
    return IdentityCenterReading(nothing, (remark,))


def _not_told_which(account: Account, error: AccessError) -> Unjudged:
    return not_told(account, "which permission sets there are (--no-identity-center leaves them out)", error)


def _read_instance(
    client: Any, nothing: AccountReading, instance: str, verdict_of: Callable[[Text], Verdict]
) -> AccountReading:
    """Raises AccessError when the permission sets cannot be listed."""
    account = nothing.account
    arns = [
        arn for page in pages(client, "list_permission_sets", InstanceArn=instance) for arn in page["PermissionSets"]
    ]

    def read(arn: str) -> tuple[Attachment, ...] | AccessError:
        try:
            return _attachments_of(client, account, instance, arn, verdict_of)
        except AccessError as error:
            return () if error.gone else error

    attachments: list[Attachment] = []
    failures: list[tuple[str, AccessError]] = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for arn, found in zip(arns, pool.map(read, arns), strict=True):
            if isinstance(found, AccessError):
                failures.append((arn, found))
            else:
                attachments += found
    unjudged = not_told_of_some(account, "what permission set {} attaches", failures)
    return replace(nothing, permission_sets=len(arns), attachments=tuple(attachments), unjudged=unjudged)


def _attachments_of(
    client: Any, account: Account, instance: str, permission_set: str, verdict_of: Callable[[Text], Verdict]
) -> tuple[Attachment, ...]:
    named = {"InstanceArn": instance, "PermissionSetArn": permission_set}
    policies = [
        text(policy["Arn"])
        for page in pages(client, "list_managed_policies_in_permission_set", **named)
        for policy in page["AttachedManagedPolicies"]
    ]
    for page in pages(client, "list_customer_managed_policy_references_in_permission_set", **named):
        for reference in page["CustomerManagedPolicyReferences"]:
            where = f":policy{reference.get('Path') or '/'}{reference['Name']}"
            in_any_account = text(f"arn:{account.partition}:iam::", ACCOUNT, where)
            if verdict_of(in_any_account) in (Verdict.UNRESOLVED, Verdict.WARNED):  # it may depend on the account
                policies += [text(f"arn:{account.partition}:iam::{id_}{where}") for id_ in _accounts(client, named)]
            else:
                policies.append(in_any_account)
    listed = [policy for policy in policies if verdict_of(policy) is not Verdict.CLEAN]
    if not listed:
        return ()
    name = answer(client, "describe_permission_set", **named)["PermissionSet"]["Name"]
    place = Place(account.arn)
    principals = (Principal("permission-set", text(name)),)
    return tuple(
        Attachment(permission_set, RESOURCE_TYPE, policy, principals, place, place, unit=account.arn)
        for policy in listed
    )


def _accounts(client: Any, named: dict[str, str]) -> list[str]:
    """The accounts in which a permission set is provisioned."""
    found = pages(client, "list_accounts_for_provisioned_permission_set", **named)
    return [account for page in found for account in page["AccountIds"]]
