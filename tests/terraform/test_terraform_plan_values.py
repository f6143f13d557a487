"""Which values of a plan count, and whether the plan attaches them anew.

Where an attribute may be left to the provider ("Optional, Computed" in the schemas of hashicorp/aws and awscc) the
configuration tells whether somebody has set it; it lists no block that a `dynamic` one makes, as the plan of checkov's
`plan_nested_child_modules_with_connections` shows for security groups. Masks are those of hashicorp/terraform-json's
`sanitize` (REDACTED_SENSITIVE), of tfmask and GitHub's logs (***), and null.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from unapproved_iam.deny_list.entries import DenyList, Entry, Origin
from unapproved_iam.deny_list.verdict import Judge, Verdict
from unapproved_iam.policies.attachment import Attachment
from unapproved_iam.terraform.plan import read_plan

ADMIN, READER = "arn:aws:iam::aws:policy/AdministratorAccess", "arn:aws:iam::aws:policy/ReadOnlyAccess"
ENTRIES = ("AdministratorAccess", "arn:aws:iam::*:policy/legacy-*")
JUDGE = Judge(DenyList("test", tuple(Entry(policy, Origin("test", 1)) for policy in ENTRIES)), "/", date(2025, 1, 1))
ATTACHMENT = "aws_iam_role_policy_attachment"
ON_SET = "aws_ssoadmin_customer_managed_policy_attachment"


def attachments(
    tmp_path: Path,
    type_: str,
    after: dict[str, Any],
    actions: tuple[str, ...] = ("create",),
    before: dict[str, Any] | None = None,
    configured: tuple[str, ...] | None = None,
    **told: Any,
) -> tuple[Attachment, ...]:
    resource = {"address": f"{type_}.a", "mode": "managed", "type": type_, "name": "a"}
    change = {"actions": list(actions), "before": before, "after": after, "after_unknown": {}} | told
    plan: dict[str, Any] = {"format_version": "1.2", "resource_changes": [resource | {"change": change}]}
    if configured is not None:
        expressions = {name: {"references": ["local.x"]} for name in configured}
        plan["configuration"] = {"root_module": {"resources": [resource | {"expressions": expressions}]}}
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(plan))
    reading = read_plan(str(path))
    assert reading is not None
    assert not reading.unjudged
    return reading.attachments


def verdicts(found: tuple[Attachment, ...]) -> set[str]:
    return {JUDGE.judge(one).verdict.value for one in found}


def test_a_block_that_the_configuration_does_not_list_counts(tmp_path: Path) -> None:
    for name, verdict in (("legacy-x", "denied"), ("reader", "clean")):
        after = {"customer_managed_policy_reference": [{"name": name, "path": "/"}]}
        assert verdicts(attachments(tmp_path, ON_SET, after, configured=("instance_arn",))) == {verdict}


COMPUTED = {
    "aws_iam_role": ("managed_policy_arns", [ADMIN]),
    "awscc_iam_role": ("managed_policy_arns", [ADMIN]),
    "awscc_iam_user": ("managed_policy_arns", [ADMIN]),
    "awscc_iam_group": ("managed_policy_arns", [ADMIN]),
    "awscc_sso_permission_set": ("managed_policies", [ADMIN]),
}


@pytest.mark.parametrize("type_", COMPUTED)
def test_what_the_provider_tells_of_others_attachments_is_judged_there(tmp_path: Path, type_: str) -> None:
    attribute, value = COMPUTED[type_]
    values = {attribute: value}

    def found(configured: tuple[str, ...] | None, action: str = "no-op") -> set[str]:
        return verdicts(attachments(tmp_path, type_, values, (action,), values, configured))

    assert found(("name",)) == set()
    assert found((attribute,)) == {"denied"}
    assert found(None) == {"denied"}  # a plan without its configuration
    assert found(("name",), "create") == {"denied"}  # known before it is there: somebody has set it


@pytest.mark.parametrize("mask", ["REDACTED_SENSITIVE", "***", "(sensitive value)", "", None, True, 0], ids=str)
def test_a_masked_value_is_unresolved(tmp_path: Path, mask: object) -> None:
    secret = {"policy_arn": True, "policy_arns": True}
    found = attachments(tmp_path, ATTACHMENT, {"policy_arn": mask, "role": "r"}, after_sensitive=secret)
    assert verdicts(found) == {"unresolved"}
    exclusive = "aws_iam_role_policy_attachments_exclusive"
    for value in ([mask], mask):
        found = attachments(tmp_path, exclusive, {"policy_arns": value, "role_name": "r"}, after_sensitive=secret)
        assert verdicts(found) == {"unresolved"}


@pytest.mark.parametrize("values", [{}, {"policy_arn": ""}, {"policy_arn": None}], ids=str)
def test_an_attachment_of_nothing_has_been_masked(tmp_path: Path, values: dict[str, Any]) -> None:
    """As in the plan of terraform-compliance's `test_issue_522`, from which an issue's author has taken the ARNs."""
    assert verdicts(attachments(tmp_path, ATTACHMENT, {"role": "r"} | values)) == {"unresolved"}


def test_a_secret_that_is_shown_is_judged(tmp_path: Path) -> None:
    for policy, verdict in ((ADMIN, "denied"), (READER, "clean")):
        values = {"policy_arn": policy, "role": "r"}
        assert verdicts(attachments(tmp_path, ATTACHMENT, values, after_sensitive={"policy_arn": True})) == {verdict}


@pytest.mark.parametrize("mask", ["REDACTED_SENSITIVE", "***", None])
def test_a_masked_name_or_template_is_unresolved(tmp_path: Path, mask: str | None) -> None:
    reference = {"customer_managed_policy_reference": [{"name": mask, "path": "/"}]}
    secret = {"customer_managed_policy_reference": [{"name": True}]}
    assert "unresolved" in verdicts(attachments(tmp_path, ON_SET, reference, after_sensitive=secret))
    stack = attachments(
        tmp_path, "aws_cloudformation_stack", {"template_body": mask}, after_sensitive={"template_body": True}
    )
    assert verdicts(stack) == {"unresolved"}


def test_an_empty_user_is_nobody(tmp_path: Path) -> None:
    """As in regula's plan `user_attached_policy_infra`, whose `after_unknown` lists each element."""
    values = {"policy_arn": ADMIN, "users": [""], "groups": ["g"]}
    unknown = {"users": [False], "groups": [False]}
    (one,) = attachments(tmp_path, "aws_iam_policy_attachment", values, after_unknown=unknown)
    assert [(principal.kind, principal.name.known) for principal in one.principals] == [("group", "g")]


def test_a_masked_principal_is_not_known(tmp_path: Path) -> None:
    values = {"policy_arn": ADMIN, "role": "***"}
    (one,) = attachments(tmp_path, ATTACHMENT, values, after_sensitive={"role": True})
    assert [principal.name.is_unknown for principal in one.principals] == [True]


ROLE = {"policy_arn": ADMIN, "role": "r"}
CHANGES = {
    "create": (("create",), ATTACHMENT, None, ROLE, "create", True),
    "replace": (("delete", "create"), ATTACHMENT, ROLE | {"role": "q"}, ROLE, "replace", True),
    "replace, created first": (("create", "delete"), ATTACHMENT, ROLE, ROLE, "replace", True),
    "replace, the old one forgotten": (("create", "forget"), ATTACHMENT, ROLE, ROLE, "replace", True),
    "left as it is": (("no-op",), ATTACHMENT, ROLE, ROLE, "no-op", False),
    "update of something else": (("update",), ATTACHMENT, ROLE, ROLE | {"id": "x"}, "update", False),
    "update to this policy": (("update",), ATTACHMENT, ROLE | {"policy_arn": READER}, ROLE, "update", True),
    "update to one more principal": (
        ("update",),
        "aws_iam_policy_attachment",
        {"policy_arn": ADMIN, "roles": ["a"]},
        {"policy_arn": ADMIN, "roles": ["a", "b"]},
        "update",
        True,
    ),
    "update to one principal less": (
        ("update",),
        "aws_iam_policy_attachment",
        {"policy_arn": ADMIN, "roles": ["a", "b"]},
        {"policy_arn": ADMIN, "roles": ["a"]},
        "update",
        False,
    ),
}


@pytest.mark.parametrize(("actions", "type_", "before", "after", "action", "is_new"), CHANGES.values(), ids=CHANGES)
def test_what_the_plan_does(
    tmp_path: Path,
    actions: tuple[str, ...],
    type_: str,
    before: dict[str, Any] | None,
    after: dict[str, Any],
    action: str,
    is_new: bool,
) -> None:
    (one,) = (a for a in attachments(tmp_path, type_, after, actions, before) if str(a.policy) == ADMIN)
    assert one.change
    assert (one.change.action, one.change.is_new) == (action, is_new)
    assert JUDGE.judge(one).verdict is Verdict.DENIED


def test_a_template_is_compared_with_the_one_before(tmp_path: Path) -> None:
    def template(*policies: str) -> dict[str, str]:
        arns = ", ".join(policies)
        return {
            "template_body": f"Resources: {{R: {{Type: AWS::IAM::Role, Properties: {{ManagedPolicyArns: [{arns}]}}}}}}"
        }

    stack = "aws_cloudformation_stack"
    found = attachments(tmp_path, stack, template(ADMIN, READER), ("update",), template(READER))
    assert {(str(one.policy), one.change and one.change.is_new) for one in found} == {(ADMIN, True), (READER, False)}


def test_a_parameter_that_is_a_policy_counts_before_it_is_known(tmp_path: Path) -> None:
    """What is not a policy's ARN for sure is passed by, as in source."""
    stack = {
        "address": "aws_cloudformation_stack.a",
        "mode": "managed",
        "type": "aws_cloudformation_stack",
        "name": "a",
    }
    expressions = {"parameters": {"references": ["aws_iam_policy.p.arn", "aws_iam_policy.p", "var.vpc"]}}

    def found(name: str) -> set[str]:
        policy = {"address": "aws_iam_policy.p", "mode": "managed", "type": "aws_iam_policy", "name": "p"}
        changes = [
            policy | {"change": {"actions": ["create"], "after": {"name": name}, "after_unknown": {"arn": True}}},
            stack | {"change": {"actions": ["create"], "after": {}, "after_unknown": {"parameters": {"P": True}}}},
        ]
        blocks = [stack | {"expressions": expressions}, policy | {"expressions": {}}]
        plan = {"resource_changes": changes, "configuration": {"root_module": {"resources": blocks}}}
        (tmp_path / "plan.json").write_text(json.dumps({"format_version": "1.2"} | plan))
        reading = read_plan(str(tmp_path / "plan.json"))
        assert reading
        return verdicts(reading.attachments)

    assert found("legacy-x") == {"denied"}
    assert found("reader") == {"clean"}


def test_parameters_are_objects_or_a_list_of_them(tmp_path: Path) -> None:
    role = "{Type: AWS::IAM::Role, Properties: {ManagedPolicyArns: [!Ref P]}}"
    template = f"Parameters: {{P: {{Type: String}}}}\nResources:\n  R: {role}\n"
    for policy, verdict in ((ADMIN, "denied"), (READER, "clean")):
        listed = [{"parameter_key": "P", "parameter_value": policy}]
        for type_, parameters in (
            ("aws_cloudformation_stack", {"P": policy}),
            ("awscc_cloudformation_stack_set", listed),
        ):
            values = {"template_body": template, "parameters": parameters}
            assert verdicts(attachments(tmp_path, type_, values)) == {verdict}
