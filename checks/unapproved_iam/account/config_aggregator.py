"""Read the accounts of an organization from an aggregator of AWS Config, without reaching into any of them.

One query over all accounts yields every role, user and group with its attached managed policies, page by page.
Sources: "SelectAggregateResourceConfig" and "DescribeConfigurationAggregatorSourcesStatus" in the AWS Config API
reference; the properties of AWS::IAM::Role, User and Group in the schema for advanced queries.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from unapproved_iam.account.access import Access, AccessError, Account, pages
from unapproved_iam.account.audit import (
    ENTITY_KINDS,
    AccountReading,
    attachment_of,
    not_told,
    permission_set_of_role,
)
from unapproved_iam.deny_list.verdict import Verdict
from unapproved_iam.policies.attachment import Attachment
from unapproved_iam.policies.possible_text import Text

QUERY = (
    "SELECT accountId, resourceType, resourceName, configuration.path, configuration.attachedManagedPolicies"
    " WHERE resourceType IN ({})"
).format(", ".join(f"'{kind.resource_type}'" for kind in ENTITY_KINDS.values()))

_KIND_OF_TYPE = {words.resource_type: kind for kind, words in ENTITY_KINDS.items()}


def read_aggregator(access: Access, name: str, verdict_of: Callable[[Text], Verdict]) -> tuple[AccountReading, ...]:
    """Read every account of the aggregator. Raises AccessError.

    An account of which the aggregator holds no role records none: it was not looked at, for every account has roles.
    """
    client = access.client("config")
    troubles = _troubles_of_sources(client, name, access.account.id)
    attached: dict[str, set[str]] = {}  # policies by account, those that the list does not deny too
    found: dict[str, dict[Attachment, None]] = {}  # the same resource comes once for each region that records it
    with_roles: set[str] = set()
    for entity in _entities(client, name):
        account = Account(entity["accountId"], access.account.partition)
        listed = found.setdefault(account.id, {})
        policies = attached.setdefault(account.id, set())
        if _KIND_OF_TYPE[entity["resourceType"]] == "role":
            with_roles.add(account.id)
        for attachment in _attachments_of(entity, account):
            policies.add(str(attachment.policy))
            if verdict_of(attachment.policy) is not Verdict.CLEAN:
                listed[attachment] = None
    if not found and not troubles:
        raise AccessError(f"aggregator {name} has no accounts")
    readings = []
    for id_ in sorted(found.keys() | troubles.keys()):
        account = Account(id_, access.account.partition)
        reasons = list(troubles.get(id_, ()))
        if id_ not in with_roles and not reasons:
            reasons.append(f"aggregator {name} has no roles of this account: AWS Config records none there")
        unjudged = tuple(not_told(account, "everything", AccessError(reason)) for reason in reasons)
        policies, listed = attached.get(id_, set()), found.get(id_, {})
        readings.append(AccountReading(account, len(policies), attachments=tuple(listed), unjudged=unjudged))
    return tuple(readings)


def _attachments_of(entity: Mapping[str, Any], account: Account) -> Iterator[Attachment]:
    """What one role, user or group has attached."""
    kind, principal = _KIND_OF_TYPE[entity["resourceType"]], entity["resourceName"]
    configuration = entity.get("configuration") or {}
    declared_by = permission_set_of_role(principal, configuration.get("path") or "")
    for policy in configuration.get("attachedManagedPolicies") or ():
        yield attachment_of(account, kind, principal, policy["policyArn"], declared_by)


def _entities(client: Any, name: str) -> Iterator[dict[str, Any]]:
    found = pages(client, "select_aggregate_resource_config", ConfigurationAggregatorName=name, Expression=QUERY)
    for page in found:
        for result in page["Results"]:
            yield json.loads(result)


def _troubles_of_sources(client: Any, name: str, own: str) -> dict[str, list[str]]:
    """The accounts that the aggregator collects from, each with what is wrong with its regions.

    What is wrong with the organization as a source counts for the aggregator's own account: nobody knows which accounts
    it hides.
    """
    troubles: dict[str, list[str]] = {}
    found = pages(client, "describe_configuration_aggregator_sources_status", ConfigurationAggregatorName=name)
    for page in found:
        for source in page["AggregatedSourceStatusList"]:
            reasons = _troubles_of(source, name)
            if source.get("SourceType") == "ACCOUNT":
                troubles.setdefault(source["SourceId"], []).extend(reasons)
            elif reasons:
                troubles.setdefault(own, []).extend(reasons)
    return troubles


def _troubles_of(source: Mapping[str, Any], name: str) -> list[str]:
    status = source.get("LastUpdateStatus", "unknown")
    if status == "SUCCEEDED":
        return []
    why = source.get("LastErrorMessage") or source.get("LastErrorCode") or "no reason given"
    what = source.get("AwsRegion", "a region")
    what += "" if source.get("SourceType") == "ACCOUNT" else f" from organization {source['SourceId']}"
    return [f"the collection of {what} by aggregator {name} has status {status}: {why}"]
