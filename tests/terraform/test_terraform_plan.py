"""Plans: what will be attached is judged, whatever of it the plan knows; what cannot be read is said."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from project_files import PROJECT
from unapproved_iam.deny_list.entries import DenyList, Entry, Origin
from unapproved_iam.deny_list.verdict import Judge, Verdict
from unapproved_iam.policies.attachment import Attachment, Reading
from unapproved_iam.terraform.plan import read_plan
from unapproved_iam.terraform.resource_types import ATTACHING_TYPES

PLANS = PROJECT / "fixtures" / "plan"
ENTRIES = ("AdministratorAccess", "PowerUserAccess", "arn:aws:iam::*:policy/legacy-*")
JUDGE = Judge(DenyList("test", tuple(Entry(policy, Origin("test", 1)) for policy in ENTRIES)), "/", date(2025, 1, 1))


def attachments_of(path: Path) -> tuple[Attachment, ...]:
    reading = read_plan(str(path))
    assert reading is not None
    assert not reading.unjudged
    return reading.attachments


def resources_with(verdict: Verdict, attachments: tuple[Attachment, ...]) -> set[str]:
    return {one.resource for one in attachments if JUDGE.judge(one).verdict is verdict}


@pytest.mark.parametrize("name", ["created.json", "changed.json"])
def test_a_planned_attachment_fails_exactly_when_its_name_says_so(name: str) -> None:
    attachments = attachments_of(PLANS / name)
    changes = json.loads((PLANS / name).read_text())["resource_changes"]
    addresses = [change["address"] for change in changes if change["type"] in ATTACHING_TYPES]
    named_to_fail = {address for address in addresses if re.search(r'[."]fail_', address)}
    named_unknown = {address for address in addresses if ".unknown_" in address}
    assert resources_with(Verdict.DENIED, attachments) == named_to_fail != set()
    assert resources_with(Verdict.UNRESOLVED, attachments) == named_unknown
    assert any(".pass_" in one.resource for one in attachments)


def principals_by_resource(name: str) -> dict[str, list[str]]:
    return {
        one.resource: [f"{p.kind}/{p.name} {p.address}".strip() for p in one.principals]
        for one in attachments_of(PLANS / name)
    }


def test_principals_are_known_by_name_and_by_the_resource_that_declares_them() -> None:
    created = principals_by_resource("created.json")
    assert created["aws_iam_role_policy_attachment.fail_literal"] == ["role/app aws_iam_role.app"]
    assert created["aws_iam_role_policy_attachment.pass_customer_managed"] == [
        "role/app-${aws_iam_role.generated.name} aws_iam_role.generated"
    ]
    assert created["aws_ssoadmin_customer_managed_policy_attachment.fail_permission_set"] == [
        "permission-set/ops aws_ssoadmin_permission_set.ops"
    ]
    changed = principals_by_resource("changed.json")
    assert changed["aws_iam_role.fail_own"] == ["role/own aws_iam_role.fail_own"]
    assert changed["aws_iam_policy_attachment.fail_for_all"] == ["role/app", "user/ann"]


def test_the_line_is_that_of_the_resource_when_the_plan_has_lines(tmp_path: Path) -> None:
    path = PLANS / "changed.json"
    lines = path.read_text().splitlines()
    for one in attachments_of(path):
        assert f'"address": {json.dumps(one.resource)}' in lines[one.place.line - 1]
    packed = tmp_path / "packed.json"
    packed.write_text(json.dumps(json.loads(path.read_text())))
    assert {one.place.line for one in attachments_of(packed)} == {1}


def test_a_plan_that_cannot_be_read_is_an_error_that_says_so(tmp_path: Path) -> None:
    whole = (PLANS / "changed.json").read_text()
    path = tmp_path / "plan.json"

    def problem(data: bytes) -> str:
        path.write_bytes(data)
        reading = read_plan(str(path))
        assert reading is not None
        (unjudged,) = reading.unjudged
        return f"{unjudged.place.line}: {unjudged.reason}"

    half = whole[: len(whole) // 2]
    assert problem(half.encode()).startswith(f"{half.count(chr(10)) + 1}: the plan is not a complete JSON document: ")
    assert problem(b'{"planned_values": ' + b"[" * 200_000) == "1: the plan is nested too deeply to be read"
    assert problem(b'{"planned_values": ' + b"9" * 5000 + b"}") == "1: the plan holds a number with too many digits"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_plan_may_be_in_utf_16(encoding: str, tmp_path: Path) -> None:
    """PowerShell's `>` writes it so."""
    path = tmp_path / "plan.json"
    path.write_text((PLANS / "changed.json").read_text())
    usual = read_plan(str(path))
    path.write_text(path.read_text(), encoding=encoding)
    assert usual is not None
    assert usual.attachments
    assert read_plan(str(path)) == usual


def test_json_that_is_no_plan_is_none(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    for other in ("", "[]", "{}", '{"planned_values": 1}', '{"terraform_version": "1.11", "values": {}}', "no JSON"):
        path.write_text(other)
        assert read_plan(str(path)) is None


def test_yaml_that_quotes_a_plan_is_none(tmp_path: Path) -> None:
    plan = (PLANS / "changed.json").read_text()
    path = tmp_path / "tests.yaml"
    path.write_text(f"- name: an S3 bucket\n  input: {plan}")
    assert read_plan(str(path)) is None


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text((PLANS / "changed.json").read_text(), encoding="utf-8-sig")
    assert len(attachments_of(path)) == len(attachments_of(PLANS / "changed.json"))


KEYS = (
    *("address", "type", "name", "mode", "index", "values", "resources", "child_modules", "root_module", "references"),
    *("change", "after", "actions", "after_unknown", "expressions", "module_calls", "module", "managed_policy_arns"),
)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["", "x", "aws_iam_role", "module.a", "${x}"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=12,
)


@given(planned=ANY_JSON, changes=ANY_JSON, configuration=ANY_JSON)
@example(planned=None, changes={"address": []}, configuration=None)
def test_any_shape_is_walked(
    tmp_path_factory: pytest.TempPathFactory, planned: object, changes: object, configuration: object
) -> None:
    path = tmp_path_factory.getbasetemp() / "shape.json"
    resource: dict[str, object] = {"address": "aws_iam_role.x", "type": "aws_iam_role", "name": "x", "values": planned}
    plan = {
        "planned_values": {"root_module": {"resources": [planned, resource], "child_modules": [planned]}},
        "resource_changes": [changes, {**resource, "change": changes}],
        "configuration": {"root_module": configuration},
    }
    path.write_text(json.dumps(plan))
    assert isinstance(read_plan(str(path)), Reading)


ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
DESIRED = json.dumps({"ManagedPolicyArns": [ADMIN]})
BY_PARAMETER = json.dumps(
    {
        "Parameters": {"P": {"Type": "String"}},
        "Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": {"ManagedPolicyArns": [{"Ref": "P"}]}}},
    }
)


def budget(**action: Any) -> dict[str, Any]:
    return {"definition": [{"iam_action_definition": [action], "scp_action_definition": []}]}


@pytest.mark.parametrize(
    ("resource_type", "values", "unknown", "attached"),
    [
        ("aws_budgets_budget_action", budget(policy_arn=ADMIN, roles=["r"]), {}, [(ADMIN, ["role/r"])]),
        (
            "aws_budgets_budget_action",
            budget(roles=["r"]),
            budget(policy_arn=True),
            [("${aws_iam_policy.x.arn}", ["role/r"])],
        ),
        (
            "awscc_budgets_budgets_action",
            {"definition": {"iam_action_definition": {"policy_arn": ADMIN, "users": ["u"]}}},
            {},
            [(ADMIN, ["user/u"])],
        ),
        ("aws_cloudformation_stack", {"template_url": "x", "parameters": {"P": f"{ADMIN},x"}}, {}, [(ADMIN, [])]),
        ("aws_cloudformation_stack", {"template_url": "x", "parameters": {"PermissionsBoundary": ADMIN}}, {}, []),
        ("aws_cloudformation_stack", {"template_body": '{"Resources": {}}', "parameters": {"P": ADMIN}}, {}, []),
        (
            "aws_cloudformation_stack",
            {"template_body": BY_PARAMETER, "parameters": {"P": ADMIN}},
            {},
            [(ADMIN, ["role/${R}"])],
        ),
        (
            "aws_cloudcontrolapi_resource",
            {"type_name": "AWS::IAM::Role", "desired_state": DESIRED},
            {},
            [(ADMIN, ["role/${Resource} aws_cloudcontrolapi_resource.x"])],
        ),
        ("aws_cloudcontrolapi_resource", {"type_name": "AWS::S3::Bucket", "desired_state": DESIRED}, {}, []),
        (
            "aws_cloudcontrolapi_resource",
            {"type_name": "AWS::IAM::Role"},
            {"desired_state": True},
            [("${aws_cloudcontrolapi_resource.x.desired_state}", [])],
        ),
        (
            "aws_servicecatalog_provisioned_product",
            {"provisioning_parameters": [{"key": "P", "value": ADMIN}, {"key": "PermissionsBoundary", "value": ADMIN}]},
            {},
            [(ADMIN, [])],
        ),
        ("aws_cloudformation_stack_set_instance", {"parameter_overrides": {"P": ADMIN}}, {}, [(ADMIN, [])]),
    ],
)
def test_nested_attributes_templates_and_parameters(
    resource_type: str,
    values: dict[str, Any],
    unknown: dict[str, Any],
    attached: list[tuple[str, list[str]]],
    tmp_path: Path,
) -> None:
    address = f"{resource_type}.x"
    named = {"address": address, "mode": "managed", "type": resource_type, "name": "x"}
    change = {"actions": ["create"], "after": values, "after_unknown": unknown}
    expressions = budget(policy_arn={"references": ["aws_iam_policy.x.arn", "aws_iam_policy.x"]}) if unknown else {}
    plan = {
        "planned_values": {"root_module": {"resources": [{**named, "values": values}]}},
        "resource_changes": [{**named, "change": change}],
        "configuration": {"root_module": {"resources": [{**named, "expressions": expressions}]}},
    }
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    found = [
        (
            str(one.policy),
            [f"{to.kind}/{to.name} {to.address if '.' in to.address else ''}".strip() for to in one.principals],
        )
        for one in attachments_of(tmp_path / "plan.json")
    ]
    assert found == attached
