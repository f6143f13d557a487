"""How the computed built-in lists come about: on small documents, and on AWS's own, whose claims must be true."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from project_files import PROJECT
from unapproved_iam.deny_list.builtin_lists import BUILTIN_LISTS, file_of, written

sys.path.insert(0, str(PROJECT / "scripts"))
moto_policies = pytest.importorskip("moto.iam.aws_managed_policies")
pytest.importorskip("cloudsplaining")

from builtin_list_analysis import (  # noqa: E402
    REASONS,
    Policy,
    computed_lists,
    credentials_exposure,
    data_exfiltration,
    privilege_escalation,
)

ESCALATION = "it lets its holder start an instance with any role, and so gain more permissions"
PASS_ROLE = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"}
RUN = {"Effect": "Allow", "Action": "ec2:RunInstances", "Resource": "*"}


def policy(*statements: dict[str, Any], name: str = "Some", path: str = "/") -> Policy:
    return Policy(name, path, "v1", {"Version": "2012-10-17", "Statement": list(statements)})


def passed_to(*services: str, operator: str = "StringEquals", key: str = "iam:PassedToService") -> dict[str, Any]:
    return PASS_ROLE | {"Condition": {operator: {key: list(services)}}}


@pytest.mark.parametrize(
    ("statements", "reason"),
    [
        ([PASS_ROLE, RUN], ESCALATION),
        ([PASS_ROLE], ""),
        ([PASS_ROLE | {"Resource": "arn:aws:iam::*:role/*"}, RUN], ESCALATION),
        ([PASS_ROLE | {"Resource": "arn:aws:iam::*:role/service/*"}, RUN], ""),
        ([PASS_ROLE | {"Resource": ["arn:aws:iam::*:role/x", "*"]}, RUN], ESCALATION),
        # A condition that names the service leaves the role open; any other is a constraint.
        ([passed_to("ec2.amazonaws.com"), RUN], ESCALATION),
        ([passed_to("ec2.*", operator="StringLike"), RUN], ESCALATION),
        ([passed_to("ecs.amazonaws.com"), RUN], ""),
        ([passed_to("ec2.amazonaws.com", operator="StringNotEquals"), RUN], ""),
        ([passed_to("ec2.amazonaws.com", key="iam:AssociatedResourceArn"), RUN], ""),
        ([PASS_ROLE | {"Effect": "Deny"}, RUN], ""),
        ([PASS_ROLE | {"Action": "*"}], ""),
    ],
)
def test_privilege_escalation(statements: list[dict[str, Any]], reason: str) -> None:
    if statements[0].get("Action") == "*":
        found = privilege_escalation(policy(*statements))
        assert found.startswith("it lets its holder create access keys of other users, give other users a password, ")
        assert found.endswith(" more, and so gain more permissions")
        return
    assert privilege_escalation(policy(*statements)) == reason


@pytest.mark.parametrize(
    ("actions", "resource", "credentials", "data"),
    [
        (
            ["redshift:GetClusterCredentials"],
            "*",
            "it lets its holder obtain credentials through redshift:GetClusterCredentials",
            "",
        ),
        (["ecr:GetAuthorizationToken"], "*", "", ""),  # a registry's token, good for what its holder may do anyway
        (["s3:GetObject"], "*", "", "it lets its holder read every object in S3"),
        (["s3:GetObject"], "arn:aws:s3:::*", "", "it lets its holder read every object in S3"),
        (["s3:GetObject"], "arn:aws:s3:::*/*", "", "it lets its holder read every object in S3"),
        (
            ["ssm:GetParameter"],
            "arn:aws:ssm:*:*:parameter/*",
            "",
            "it lets its holder read every parameter in Parameter Store",
        ),
        (["ssm:GetParameter"], "arn:aws:ssm:*:*:parameter/app/*", "", ""),
        (["s3:GetObject"], "arn:aws:s3:::bucket/*", "", ""),
        (
            ["s3:Get*", "ssm:GetParameter*", "secretsmanager:*"],
            "*",
            "",
            "it lets its holder read every object in S3, every parameter in Parameter Store"
            " and every secret in Secrets Manager",
        ),
        (["s3:ListBucket"], "*", "", ""),
    ],
)
def test_credentials_and_data(actions: list[str], resource: str, credentials: str, data: str) -> None:
    one = policy({"Effect": "Allow", "Action": actions, "Resource": resource})
    assert (credentials_exposure(one), data_exfiltration(one)) == (credentials, data)


def test_what_is_advised_is_not_in_the_list_itself() -> None:
    read = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    harmless = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}
    service_linked = policy(read, name="AmazonS3ServiceRolePolicy", path="/aws-service-role/")
    full = policy(read, name="AmazonS3FullAccess")
    for read_only, advice in ((harmless, ("AmazonS3ReadOnlyAccess",)), (read, ())):
        policies = [full, policy(read_only, name="AmazonS3ReadOnlyAccess"), service_linked]
        first, *others = computed_lists(policies)["aws-data-exfiltration"]
        assert first.policy == "AmazonS3FullAccess"
        assert first.use_instead == (*advice, "a policy limited to the resources that are needed")
        assert [entry.policy for entry in others] == ([] if advice else ["AmazonS3ReadOnlyAccess"])


POLICIES = {
    name: Policy(name, found["Path"], found["DefaultVersionId"], found["Document"])
    for name, found in json.loads(moto_policies.aws_managed_policies_data).items()
}


@pytest.mark.parametrize("name", REASONS)
def test_each_entry_is_true_of_its_document(name: str) -> None:
    """Of the version that the entry names; `scripts/refresh_managed_policies.py` goes on to newer ones."""
    entries = [
        entry for entry in BUILTIN_LISTS[name] if entry.source.endswith(f"document {POLICIES[entry.policy].version}")
    ]
    assert len(entries) > 20
    for entry in entries:
        assert REASONS[name](POLICIES[entry.policy]) == entry.reason


@settings(max_examples=20)
@given(st.sampled_from(sorted(set(POLICIES) - {entry.policy for name in REASONS for entry in BUILTIN_LISTS[name]})))
def test_a_policy_in_no_list_allows_none_of_it(name: str) -> None:
    if POLICIES[name].path != "/aws-service-role/":
        assert not any(reason(POLICIES[name]) for reason in REASONS.values())


@pytest.mark.parametrize("name", BUILTIN_LISTS)
def test_a_list_is_what_its_file_says(name: str) -> None:
    assert written(BUILTIN_LISTS[name]) == Path(file_of(name)).read_text(encoding="utf-8")
