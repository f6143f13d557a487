"""Compute the built-in lists that follow from what a policy's document allows.

cloudsplaining finds what a document allows without constraint; here stands what counts as a constraint, what the
findings mean in words, and what is advised instead. For `refresh_managed_policies.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from unapproved_iam.deny_list.entries import Entry, Origin

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Policy:
    """An AWS managed policy as moto ships it."""

    name: str
    path: str  # "/" or e.g. "/job-function/"
    version: str
    document: Document


# Attached by AWS alone, to service-linked roles.
NOT_ATTACHABLE = "/aws-service-role/"

# cloudsplaining's ways to gain permissions (published by Rhino Security Labs): in words, and the service to which a
# role is passed.
ESCALATIONS = {
    "CreateAccessKey": ("create access keys of other users", ""),
    "CreateLoginProfile": ("give other users a password", ""),
    "UpdateLoginProfile": ("change the passwords of other users", ""),
    "AddUserToGroup": ("join any group", ""),
    "CreateNewPolicyVersion": ("rewrite any customer managed policy", ""),
    "SetExistingDefaultPolicyVersion": ("bring back any version of a policy", ""),
    "AttachUserPolicy": ("attach any policy to any user", ""),
    "AttachGroupPolicy": ("attach any policy to any group", ""),
    "AttachRolePolicy": ("attach any policy to a role and assume it", ""),
    "PutUserPolicy": ("write inline policies of any user", ""),
    "PutGroupPolicy": ("write inline policies of any group", ""),
    "PutRolePolicy": ("write inline policies of a role and assume it", ""),
    "UpdateRolePolicyToAssumeIt": ("rewrite who may assume a role and assume it", ""),
    "CreateEC2WithExistingIP": ("start an instance with any role", "ec2"),
    "PassExistingRoleToNewLambdaThenInvoke": ("run a new Lambda function with any role", "lambda"),
    "PassExistingRoleToNewLambdaThenTriggerWithNewDynamo": ("run a new Lambda function with any role", "lambda"),
    "PassExistingRoleToNewLambdaThenTriggerWithExistingDynamo": ("run a new Lambda function with any role", "lambda"),
    "PassExistingRoleToNewGlueDevEndpoint": ("start a Glue development endpoint with any role", "glue"),
    "PassExistingRoleToCloudFormation": ("create a CloudFormation stack with any role", "cloudformation"),
    "PassExistingRoleToNewDataPipeline": ("run a data pipeline with any role", "datapipeline"),
    "UpdateExistingGlueDevEndpoint": ("log in to a Glue development endpoint that has a role", ""),
    "EditExistingLambdaFunctionWithRole": ("change the code of a Lambda function that has a role", ""),
}
PASSED_TO = sorted({service for _, service in ESCALATIONS.values()})

# What cloudsplaining calls credentials and is none worth a finding.
NO_CREDENTIALS = {
    # Tokens of registries, good for what the holder's policies allow anyway; every puller of images has one.
    "ecr:GetAuthorizationToken",
    "ecr-public:GetAuthorizationToken",
    "codeartifact:GetAuthorizationToken",
    # Public operations: they are called without credentials ("Cognito identity pools" in the Amazon Cognito guide).
    "cognito-identity:GetCredentialsForIdentity",
    "cognito-identity:GetOpenIdToken",
    # A certificate, which is public.
    "cognito-idp:GetSigningCertificate",
}

DATA = {
    "s3:GetObject": "every object in S3",
    "ssm:GetParameter": "every parameter in Parameter Store",
    "ssm:GetParameters": "every parameter in Parameter Store",
    "ssm:GetParametersByPath": "every parameter in Parameter Store",
    "secretsmanager:GetSecretValue": "every secret in Secrets Manager",
}

# What AWS offers for the same purpose and with less; where the names do not tell.
LESS = {
    "AmazonDynamoDBFullAccesswithDataPipeline": "AmazonDynamoDBFullAccess_v2",
    "AmazonElasticMapReduceFullAccess": "AmazonEMRFullAccessPolicy_v2",
    "AmazonElasticMapReduceReadOnlyAccess": "AmazonEMRReadOnlyAccessPolicy_v2",
    "AmazonElasticMapReduceRole": "AmazonEMRServicePolicy_v2",
    "AmazonSSMManagedInstanceCore": "AmazonSSMManagedEC2InstanceDefaultPolicy",
    "AdministratorAccess": "ViewOnlyAccess",
    "PowerUserAccess": "ViewOnlyAccess",
    "ReadOnlyAccess": "ViewOnlyAccess",
    "SystemAdministrator": "ViewOnlyAccess",
}
LIMITED = "a policy limited to the resources that are needed"


def computed_lists(policies: Iterable[Policy]) -> dict[str, list[Entry]]:
    """The entries of each computed list, by its name."""
    policies = [policy for policy in policies if policy.path != NOT_ATTACHABLE]
    return {name: list(_entries(name, policies, reason_of)) for name, reason_of in REASONS.items()}


def _entries(name: str, policies: list[Policy], reason_of: Callable[[Policy], str]) -> Iterator[Entry]:
    denied = [(policy, reason) for policy in policies if (reason := reason_of(policy))]
    harmless = {policy.name for policy in policies} - {policy.name for policy, _ in denied}
    for policy, reason in denied:
        yield Entry(
            policy.name,
            Origin(f"built-in list {name}"),
            reason,
            (*_less_than(policy.name, harmless), LIMITED),
            f"cloudsplaining {_version()}, document {policy.version}",
        )


def privilege_escalation(policy: Policy) -> str:
    """How a holder gains further permissions, "" when there is no way."""
    ways = []
    for service in PASSED_TO:
        document = without_limits(policy.document, service)
        found = _analysed(document).allows_privilege_escalation
        ways += [ESCALATIONS[way["type"]][0] for way in found if ESCALATIONS[way["type"]][1] == service]
    return f"it lets its holder {_some(ways)}, and so gain more permissions" if ways else ""


def credentials_exposure(policy: Policy) -> str:
    """Which actions return credentials, "" when none does."""
    found = _analysed(without_limits(policy.document)).credentials_exposure
    actions = sorted(set(found) - NO_CREDENTIALS)
    return f"it lets its holder obtain credentials through {_some(actions)}" if actions else ""


def data_exfiltration(policy: Policy) -> str:
    """Which data it lets its holder read, "" when it is none."""
    found = _analysed(without_limits(policy.document)).allows_data_exfiltration_actions
    data = [DATA[action] for action in DATA if action in found]
    return f"it lets its holder read {_some(data)}" if data else ""


REASONS = {
    "aws-privilege-escalation": privilege_escalation,
    "aws-credentials-exposure": credentials_exposure,
    "aws-data-exfiltration": data_exfiltration,
}


def without_limits(document: Document, passed_to: str = "") -> Document:
    """The document without what only looks like a constraint.

    An ARN that is every resource of its type counts as `*`, and a condition that lets roles be passed to a service
    does not say which roles.
    """
    document = deepcopy(dict(document))
    for statement in _listed(document.get("Statement")):
        resources = _listed(statement.get("Resource"))
        if any(_is_every_resource(resource) for resource in resources):
            statement["Resource"] = "*"
        if passed_to and _only_limits_service(statement.get("Condition"), f"{passed_to}.amazonaws.com"):
            del statement["Condition"]
    return document


def _is_every_resource(arn: str) -> bool:
    if arn.split(":")[2:3] == ["s3"]:  # its resources have no type: a bucket's name comes first
        return re.fullmatch(r"arn:[^:]+:s3:::\*(/\*)?", arn) is not None
    return re.fullmatch(r"\*|arn:[^:]+:[^:]+:\*?:\*?:([a-z-]+[/:])?\*", arn) is not None


def _only_limits_service(condition: Any, service: str) -> bool:
    """Whether `iam:PassedToService` is all that a condition asks, and the service is among its values."""
    if not isinstance(condition, Mapping) or len(condition) != 1:
        return False
    [(operator, asked)] = condition.items()
    if "String" not in operator or "Not" in operator or [key.lower() for key in asked] != ["iam:passedtoservice"]:
        return False
    return any(fnmatchcase(service, value) for values in asked.values() for value in _listed(values))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _analysed(document: Document) -> Any:
    from cloudsplaining.scan.policy_document import PolicyDocument

    return PolicyDocument(dict(document))


def _version() -> str:
    from importlib.metadata import version

    return version("cloudsplaining")


def _some(things: Iterable[str]) -> str:
    """The first three in words, the others as a number."""
    shown = list(dict.fromkeys(things))
    if len(shown) > 3:
        shown = [*shown[:3], f"{len(shown) - 3} more"]
    return ", ".join(shown[:-1]) + " and " + shown[-1] if len(shown) > 1 else shown[0]


def _less_than(name: str, others: set[str]) -> Iterator[str]:
    """The policy of AWS that serves the same purpose with less, when there is one."""
    read_only = re.sub(r"_?(?:FullAccess|ConsoleFullAccess|Administrator|PowerUser)$", "", name)
    candidates = [LESS.get(name, "")]
    if read_only != name:
        candidates += [read_only + suffix for suffix in ("ReadOnlyAccess", "_ReadOnlyAccess", "ReadOnly")]
    yield from [candidate for candidate in candidates if candidate in others][:1]
