"""To whom Terraform source attaches a policy: by the names that it tells, and else by the resource that declares it.

Approvals are given to principals, so that a wrong one would approve what nobody approved. Written is
`KIND/NAME ADDRESS`; a hole in a name is `${what}`.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from terraform_verdicts import attachments_in
from unapproved_iam.terraform.resource_types import ATTACHING_TYPES, DECLARED_PRINCIPALS, Form
from written_files import write_tree

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
ARNS = f'policy_arns = ["{ADMIN}"]'
MANAGED = f'managed_policy_arns = ["{ADMIN}"]'
BY_NAME = 'customer_managed_policy_reference {\n  name = "x"\n}'

# What each type needs beside what names its principals, and how these are written.
TYPES = {
    "aws_iam_policy_attachment": (f'policy_arn = "{ADMIN}"', 'roles = ["a", "b"]\nusers = ["c"]\ngroups = ["d"]'),
    "aws_iam_role_policy_attachment": (f'policy_arn = "{ADMIN}"', 'role = "a"'),
    "aws_iam_user_policy_attachment": (f'policy_arn = "{ADMIN}"', 'user = "a"'),
    "aws_iam_group_policy_attachment": (f'policy_arn = "{ADMIN}"', 'group = "a"'),
    "aws_iam_role_policy_attachments_exclusive": (ARNS, 'role_name = "a"'),
    "aws_iam_user_policy_attachments_exclusive": (ARNS, 'user_name = "a"'),
    "aws_iam_group_policy_attachments_exclusive": (ARNS, 'group_name = "a"'),
    "aws_iam_role": (MANAGED, 'name = "a"'),
    "aws_ssoadmin_managed_policy_attachment": (
        f'managed_policy_arn = "{ADMIN}"',
        "permission_set_arn = aws_ssoadmin_permission_set.x.arn",
    ),
    "aws_ssoadmin_managed_policy_attachments_exclusive": (
        MANAGED,
        "permission_set_arn = aws_ssoadmin_permission_set.x.arn",
    ),
    "aws_ssoadmin_customer_managed_policy_attachment": (
        BY_NAME,
        "permission_set_arn = aws_ssoadmin_permission_set.x.arn",
    ),
    "aws_ssoadmin_customer_managed_policy_attachments_exclusive": (
        BY_NAME,
        "permission_set_arn = aws_ssoadmin_permission_set.x.arn",
    ),
    "awscc_iam_role": (MANAGED, 'role_name = "a"'),
    "awscc_iam_user": (MANAGED, 'user_name = "a"'),
    "awscc_iam_group": (MANAGED, 'group_name = "a"'),
    "awscc_iam_managed_policy": (
        'managed_policy_name = "legacy-x"',
        'roles = ["a", "b"]\nusers = ["c"]\ngroups = ["d"]',
    ),
    "aws_budgets_budget_action": (
        "",
        f'definition {{\n  iam_action_definition {{\n    policy_arn = "{ADMIN}"\n    roles = ["a", "b"]\n'
        '    users = ["c"]\n    groups = ["d"]\n  }\n}',
    ),
    "awscc_budgets_budgets_action": (
        "",
        f'definition = {{ iam_action_definition = {{ policy_arn = "{ADMIN}", roles = ["a", "b"], users = ["c"], '
        'groups = ["d"] } }',
    ),
    "awscc_sso_permission_set": (f'managed_policies = ["{ADMIN}"]', 'name = "a"'),
}
SEVERAL = ["role/a", "role/b", "user/c", "group/d"]


def principals_in(tree: Path, *files: str, **others: str) -> list[str]:
    write_tree(tree, {"main.tf": "\n".join(files), **others})
    attachments = attachments_in(tree)
    told = {tuple(f"{p.kind}/{p.name} {p.address}".strip() for p in one.principals) for one in attachments}
    assert len(told) == 1, attachments
    return list(told.pop())


def test_every_type_that_names_principals_is_here() -> None:
    elsewhere = (Form.TEMPLATE, Form.PROPERTIES, Form.PASSED)  # that says who gets the policies
    assert set(TYPES) == {
        name for name, row in ATTACHING_TYPES.items() if any(one.form not in elsewhere for one in row.policies)
    }


@pytest.mark.parametrize("resource_type", TYPES)
def test_names_that_are_written(resource_type: str, tmp_path: Path) -> None:
    policies, principals = TYPES[resource_type]
    declared = 'resource "aws_ssoadmin_permission_set" "x" {\n  name = "a"\n}\n'
    own = any(one.own for one in ATTACHING_TYPES[resource_type].principals)
    by_arn = any(one.by_arn for one in ATTACHING_TYPES[resource_type].principals)
    address = f" {resource_type}.this" if own else " aws_ssoadmin_permission_set.x" if by_arn else ""
    found = principals_in(tmp_path, declared, f'resource "{resource_type}" "this" {{\n{policies}\n{principals}\n}}\n')
    kinds = [one.kind for one in ATTACHING_TYPES[resource_type].principals]
    assert found == [name + address for name in ([f"{kinds[0]}/a"] if len(kinds) == 1 else SEVERAL)]


DECLARED = """
resource "aws_iam_role" "named" { name = "app" }
resource "aws_iam_role" "prefixed" { name_prefix = "app-" }
resource "aws_iam_role" "generated" {}
resource "aws_iam_role" "null" { name = null }
resource "aws_iam_role" "open" { name = var.name }
resource "aws_iam_role" "chosen" { name = var.flag ? "a" : "b" }
resource "aws_iam_role" "counted" {
  count = 2
  name  = "app-${count.index}"
}
resource "aws_iam_role" "each" {
  for_each = toset(["x"])
  name     = each.key
}
resource "awscc_iam_role" "named" { role_name = "app" }
data "aws_iam_role" "looked_up" { name = "app" }
variable "name" {}
variable "flag" { default = true }
module "role" { source = "./role" }
"""
MODULE = """
resource "aws_iam_role" "this" { name = "inner" }
output "name" { value = aws_iam_role.this.name }
output "id" { value = aws_iam_role.this.id }
"""


@pytest.mark.parametrize(
    ("role", "principals"),
    [
        ('"app"', ["role/app"]),
        ("aws_iam_role.named.name", ["role/app aws_iam_role.named"]),
        ("aws_iam_role.named.id", ["role/app aws_iam_role.named"]),
        ("aws_iam_role.prefixed.name", ["role/app-${aws_iam_role.prefixed.name} aws_iam_role.prefixed"]),
        ("aws_iam_role.generated.name", ["role/${aws_iam_role.generated.name} aws_iam_role.generated"]),
        ("aws_iam_role.null.name", ["role/${aws_iam_role.null.name} aws_iam_role.null"]),
        ("aws_iam_role.open.name", ["role/${var.name} aws_iam_role.open"]),
        ("aws_iam_role.chosen.name", ["role/a aws_iam_role.chosen", "role/b aws_iam_role.chosen"]),
        ("aws_iam_role.counted[1].name", ["role/app-1 aws_iam_role.counted[1]"]),
        ('aws_iam_role.each["x"].name', ['role/x aws_iam_role.each["x"]']),
        ("awscc_iam_role.named.role_name", ["role/app awscc_iam_role.named"]),
        ("awscc_iam_role.named.id", ["role/app awscc_iam_role.named"]),
        ("data.aws_iam_role.looked_up.name", ["role/app data.aws_iam_role.looked_up"]),
        ("module.role.name", ["role/inner module.role.aws_iam_role.this"]),
        ("module.role.id", ["role/inner module.role.aws_iam_role.this"]),
        ('"${aws_iam_role.named.name}-x"', ["role/app-x"]),
        ("var.name", ["role/${var.name}"]),
    ],
)
def test_names_that_are_referred_to(role: str, principals: list[str], tmp_path: Path) -> None:
    attachment = f'resource "aws_iam_role_policy_attachment" "x" {{\n  role = {role}\n  policy_arn = "{ADMIN}"\n}}\n'
    assert principals_in(tmp_path, DECLARED, attachment, **{"role/main.tf": MODULE}) == principals


@pytest.mark.parametrize(
    ("name", "arn", "principals"),
    [
        ('"Ops"', "aws_ssoadmin_permission_set.x.arn", ["permission-set/Ops aws_ssoadmin_permission_set.x"]),
        ('"Ops"', "aws_ssoadmin_permission_set.x.id", ["permission-set/Ops aws_ssoadmin_permission_set.x"]),
        ("var.x", "aws_ssoadmin_permission_set.x.arn", ["permission-set/${var.x} aws_ssoadmin_permission_set.x"]),
        ('"Ops"', "var.x", ["permission-set/${var.x}"]),
        ('"Ops"', '"arn:aws:sso:::permissionSet/x/y"', ['permission-set/${"arn:aws:sso:::permissionSet/x/y"}']),
    ],
)
def test_an_arn_tells_the_name_only_by_what_it_refers_to(
    name: str, arn: str, principals: list[str], tmp_path: Path
) -> None:
    declared = f'resource "aws_ssoadmin_permission_set" "x" {{ name = {name} }}\nvariable "x" {{}}\n'
    attaching = "aws_ssoadmin_managed_policy_attachment"
    attachment = f'resource "{attaching}" "x" {{\n  permission_set_arn = {arn}\n  managed_policy_arn = "{ADMIN}"\n}}\n'
    assert principals_in(tmp_path, declared, attachment) == principals


@pytest.mark.parametrize("declaring", DECLARED_PRINCIPALS)
def test_each_declaring_type_tells_the_name(declaring: str, tmp_path: Path) -> None:
    """As the role of an attachment, whatever it declares: what counts is that its name and address are known."""
    name = DECLARED_PRINCIPALS[declaring].name
    block = "data" if declaring.startswith("data.") else "resource"
    source = f'{block} "{declaring.removeprefix("data.")}" "x" {{\n  {name} = "app"\n}}\n'
    attaching = f'role = {declaring}.x.{name}\n  policy_arn = "{ADMIN}"'
    attachment = f'resource "aws_iam_role_policy_attachment" "x" {{\n  {attaching}\n}}\n'
    assert principals_in(tmp_path, source, attachment) == [f"role/app {declaring}.x"]
