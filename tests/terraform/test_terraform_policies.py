"""Which policies each form of an attribute attaches, and which arguments of a module call are taken for attached."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from terraform_verdicts import attachments_in, findings_in, told
from unapproved_iam.deny_list.entries import DenyList, Entry, Origin
from unapproved_iam.deny_list.verdict import Judge, Verdict
from unapproved_iam.scan.findings import one_per_policy
from written_files import write_tree

ARN = "arn:aws:iam::aws:policy/"
OWN = "arn:${partition}:iam::${account}:policy"
VARIABLES = 'variable "unset" {}\nvariable "flag" { default = true }\n'


def policies_in(tree: Path, source: str) -> list[str]:
    write_tree(tree, {"main.tf": VARIABLES + source})
    return [told(one.policy, one.when) for one in attachments_in(tree)]


def resource(resource_type: str, *lines: str) -> str:
    return f'resource "{resource_type}" "x" {{\n' + "\n".join(lines) + "\n}\n"


REFERENCE = "customer_managed_policy_reference"
BLOCKS = "aws_ssoadmin_customer_managed_policy_attachments_exclusive"
OBJECTS = "customer_managed_policy_references"
PERMISSION_SET = "awscc_sso_permission_set"
MANAGED_POLICY = "awscc_iam_managed_policy"


@pytest.mark.parametrize(
    ("source", "policies"),
    [
        pytest.param(
            resource("aws_iam_role", f'managed_policy_arns = ["{ARN}A", "{ARN}B"]'), [f"{ARN}A", f"{ARN}B"], id="list"
        ),
        pytest.param(resource("aws_iam_role", 'name = "x"'), [], id="nothing"),
        pytest.param(resource("aws_iam_role", "managed_policy_arns = []"), [], id="empty list"),
        # a policy that is attached by itself
        pytest.param(
            resource(MANAGED_POLICY, 'managed_policy_name = "a"', 'roles = ["r"]'), [f"{OWN}/a"], id="own name"
        ),
        pytest.param(
            resource(MANAGED_POLICY, 'managed_policy_name = "a"', 'path = "/p/"', 'roles = ["r"]'),
            [f"{OWN}/p/a"],
            id="own name and path",
        ),
        pytest.param(
            resource(MANAGED_POLICY, 'managed_policy_name = "a"', "path = null", 'roles = ["r"]'),
            [f"{OWN}/a"],
            id="own name and no path",
        ),
        pytest.param(resource(MANAGED_POLICY, 'managed_policy_name = "a"'), [], id="own name, and nobody has it"),
        # names in blocks
        pytest.param(
            resource(BLOCKS, f'{REFERENCE} {{\nname = "a"\n}}', f'{REFERENCE} {{\nname = "b"\npath = "/p/"\n}}'),
            [f"{OWN}/a", f"{OWN}/p/b"],
            id="blocks",
        ),
        pytest.param(
            resource(BLOCKS, "timeouts {}", f'{REFERENCE} {{\npath = "/p/"\n}}', f'{REFERENCE} {{\nname = "b"\n}}'),
            [f"{OWN}/b"],
            id="blocks of another kind, and without a name",
        ),
        pytest.param(
            resource(
                BLOCKS,
                f'dynamic "{REFERENCE}" {{\nfor_each = ["a", "b"]\ncontent {{\nname = {REFERENCE}.value\n}}\n}}',
                f'{REFERENCE} {{\nname = "c"\n}}',
            ),
            [f"{OWN}/a", f"{OWN}/b", f"{OWN}/c"],
            id="blocks that a loop makes",
        ),
        pytest.param(
            resource(
                BLOCKS,
                f'dynamic "{REFERENCE}" {{\nfor_each = var.flag ? ["a"] : []\niterator = it\n'
                "content {\nname = it.value\n}\n}",
            ),
            [f"{OWN}/a when var.flag is true"],
            id="blocks that a loop makes under a condition",
        ),
        pytest.param(
            resource(BLOCKS, f'dynamic "{REFERENCE}" {{\ncontent {{\nname = "a"\n}}\n}}'), [], id="a loop over nothing"
        ),
        pytest.param(
            resource(BLOCKS, f'dynamic "{REFERENCE}" {{\nfor_each = [1]\nlabels = []\nother {{\nname = "a"\n}}\n}}'),
            [],
            id="a loop without content",
        ),
        # names in objects
        pytest.param(
            resource(PERMISSION_SET, f'{OBJECTS} = [{{ name = "a" }}, {{ name = "b", path = "/p/" }}]'),
            [f"{OWN}/a", f"{OWN}/p/b"],
            id="objects",
        ),
        pytest.param(
            resource(PERMISSION_SET, f'{OBJECTS} = concat([{{ name = "a" }}], var.unset)'),
            [f"{OWN}/a", "${var.unset}"],
            id="objects, and others that are not known",
        ),
        pytest.param(
            resource(PERMISSION_SET, f'{OBJECTS} = [for n in var.unset : {{ name = "a-${{n}}" }}]'),
            [f"{OWN}/a-${{var.unset}}"],
            id="objects of a loop over what is not known",
        ),
        pytest.param(
            resource(PERMISSION_SET, f'{OBJECTS} = [{{ name = var.flag ? "a" : "b" }}]'),
            [f"{OWN}/a when var.flag is true", f"{OWN}/b when var.flag is false"],
            id="objects with a choice",
        ),
    ],
)  # fmt: skip
def test_what_a_resource_attaches(source: str, policies: list[str], tmp_path: Path) -> None:
    assert policies_in(tmp_path, source) == policies


@pytest.mark.parametrize(
    ("arguments", "policies"),
    [
        (f'policy = "{ARN}A"', [f"{ARN}A"]),
        (f'policies = ["{ARN}A", "{ARN}B"]', [f"{ARN}A", f"{ARN}B"]),
        (f'policies = {{ a = "{ARN}A" }}', [f"{ARN}A"]),
        (f'policies = {{ "{ARN}A" = true }}', [f"{ARN}A"]),
        (f'roles = {{ r = {{ policies = ["{ARN}A"] }} }}', [f"{ARN}A"]),
        (f'policies = var.flag ? ["{ARN}A"] : []', [f"{ARN}A when var.flag is true"]),
        ('policy = "arn:${var.unset}:iam::aws:policy/A"', ["arn:${var.unset}:iam::aws:policy/A"]),
        (f'policy = "{ARN}${{var.unset}}"', [f"{ARN}${{var.unset}}"]),  # a policy, whichever it is
        ("policy = var.unset", []),
        ('policy = "AdministratorAccess"', []),  # a name may be anything
        (f'version = "{ARN}A"', []),
        (f'source_policy = "{ARN}A"', [f"{ARN}A"]),
        (f'providers = {{ aws = "{ARN}A" }}', []),
        (f'depends_on = ["{ARN}A"]', []),
        (f'for_each = toset(["{ARN}A"])', []),
        (f'for_each = toset(["{ARN}A"])\n  policy = each.key', [f"{ARN}A"]),
        (f'permissions_boundary = "{ARN}A"', []),
        (f'role = {{ boundary_arn = "{ARN}A", policy_arn = "{ARN}B" }}', [f"{ARN}B"]),
        (f'inline_policy = "{ARN}A"', [f"{ARN}A"]),
        (f'boundary_policies = "{ARN}A"', [f"{ARN}A"]),
        (f'without_boundary = "{ARN}A"', [f"{ARN}A"]),
        (f'iam_role_permissions_boundary_arn = "{ARN}A"', []),
        (f'permission_boundary = "{ARN}A"', []),
        (f'parameters = [{{ parameter_key = "PermissionsBoundary", parameter_value = "{ARN}A" }}]', []),
        (f'parameters = [{{ parameter_key = "Policy", parameter_value = "{ARN}A" }}]', [f"{ARN}A"]),
        (f'rules = [{{ Effect = "Allow", Action = "*", Resource = "{ARN}A" }}]', []),
        (f'rules = [{{ Effect = var.unset, Action = "*", Resource = "{ARN}A" }}]', []),
        (f'rules = [{{ effect = "create", action = "*", resource = "{ARN}A" }}]', [f"{ARN}A"]),
        (f'rules = [{{ Effect = "Allow", Resource = "{ARN}A" }}]', [f"{ARN}A"]),
        (f'rules = [{{ actions = ["iam:*"], resources = ["{ARN}A"] }}]', [f"{ARN}A"]),
        (f'rules = [{{ effect = "Deny", NotAction = ["*"], condition = "{ARN}A", x = "{ARN}B" }}]', [f"{ARN}B"]),
        (
            f'rules = jsonencode([{{ effect = "Deny", not_actions = ["*"], condition = ["{ARN}A"], x = "{ARN}B" }}])',
            [f"{ARN}B"],
        ),
        (
            f'rules = jsonencode({{ s = [{{ Effect = "Allow", Action = "*", Resource = ["{ARN}A", var.unset] }}] }})',
            [],
        ),
        (f'rules = jsonencode({{ a = jsonencode({{ permissions_boundary = "{ARN}A", b = "{ARN}B" }}) }})', [f"{ARN}B"]),
        (f'policies = "{ARN}A,{ARN}B"', [f"{ARN}A", f"{ARN}B"]),
        (f'policies = "{ARN}A:{ARN}B|{ARN}x/C"', [f"{ARN}A", f"{ARN}B", f"{ARN}x/C"]),
        (f'policies = "{ARN}A,b"', [f"{ARN}A", f"{ARN}A,b"]),  # or one name, with a comma
        (f'policies = "x=${{var.unset}},{ARN}${{var.unset}}-x, y"', [f"{ARN}${{var.unset}}-x"]),
        (f'policies = join(",", ["{ARN}A", var.unset])', [f"{ARN}A"]),
        (f'policies = yamlencode({{ a = "{ARN}A" }})', [f"{ARN}A"]),
        (f'policies = <<-E\n    a: "{ARN}A"\n    role_permissions_boundary: {ARN}B\n  E', [f"{ARN}A"]),
        (f'policies = "Effect: Allow, {ARN}A."', [f"{ARN}A"]),
        ('policies = "{\\"a\\": \\"arn:aws:iam::aws:policy\\\\/A\\"}"', [f"{ARN}A"]),
        (f'rules = [{{ x = ["iam:*"], y = "{ARN}A" }}]', [f"{ARN}A"]),
    ],
)
def test_what_a_call_of_a_foreign_module_attaches(arguments: str, policies: list[str], tmp_path: Path) -> None:
    assert policies_in(tmp_path, f'module "m" {{\n  source = "registry/role/aws"\n  {arguments}\n}}\n') == policies


TEMPLATE = """<<-EOT
  Parameters: {{Name: {{Type: String{0}}}}}
  Resources:
    Role:
      Type: AWS::IAM::Role
      Properties: {{ManagedPolicyArns: [!Sub "arn:aws:iam::aws:policy/${{Name}}"]}}
  EOT
"""


@pytest.mark.parametrize(
    ("default", "parameters", "policies"),
    [
        ("", 'parameters = { Name = "A" }', [f"{ARN}A"]),
        (", Default: B", 'parameters = { Name = "A" }', [f"{ARN}A"]),
        (", Default: B", "", [f"{ARN}B"]),
        (", Default: B", 'parameters = { Other = "A" }', [f"{ARN}B"]),
        (", Default: B", "parameters = var.unset", [f"{ARN}B"]),
        ("", "parameters = { Name = var.unset }", [f"{ARN}${{var.unset}}"]),
        ("", 'parameters = { Name = var.flag ? "A" : "B" }', [f"{ARN}A", f"{ARN}B"]),
        ("", 'parameters = var.flag ? { Name = "A" } : { Name = "B" }', [f"{ARN}A", f"{ARN}B"]),
    ],
)
def test_what_a_stack_attaches(default: str, parameters: str, policies: list[str], tmp_path: Path) -> None:
    body = TEMPLATE.format(default).replace("${", "$${")
    stack = f'resource "aws_cloudformation_stack" "x" {{\n  {parameters}\n  template_body = {body}}}\n'
    write_tree(tmp_path, {"main.tf": VARIABLES + stack})
    assert [str(one.policy) for one in attachments_in(tmp_path)] == policies


@pytest.mark.parametrize(
    ("reference", "written"),
    [
        ("data.aws_partition.x.partition", "${partition}"),
        ("data.aws_partition.x.id", "${partition}"),
        ("data.aws_partition.x.dns_suffix", "${data.aws_partition.x.dns_suffix}"),
        ("data.aws_caller_identity.x.account_id", "${account}"),
        ("data.aws_caller_identity.x.id", "${account}"),
        ("data.aws_caller_identity.x.user_id", "${data.aws_caller_identity.x.user_id}"),
        ("terraform_data.x.output", "input"),
        ("terraform_data.x.input", "input"),
        ("terraform_data.x.id", "${terraform_data.x.id}"),
        ("aws_iam_policy.x.arn", "arn:${partition}:iam::${account}:policy/p/own"),
        ("aws_iam_policy.x.id", "arn:${partition}:iam::${account}:policy/p/own"),
        ("aws_iam_policy.x.name", "own"),
        ("aws_iam_policy.y.arn", "arn:${partition}:iam::${account}:policy/own-${aws_iam_policy.y.name}"),
        ("data.aws_iam_policy.x.arn", "arn:${partition}:iam::aws:policy/IAMFullAccess"),
        ("data.aws_iam_policy.x.id", "arn:${partition}:iam::aws:policy/IAMFullAccess"),
        ("data.aws_iam_policy.x.name", "IAMFullAccess"),
        ("data.aws_iam_policy.y.arn", "arn:aws:iam::aws:policy/X"),
    ],
)
def test_what_an_attribute_is(reference: str, written: str, tmp_path: Path) -> None:
    declared = """
data "aws_partition" "x" {}
data "aws_caller_identity" "x" {}
data "aws_iam_policy" "x" { name = "IAMFullAccess" }
data "aws_iam_policy" "y" { arn = "arn:aws:iam::aws:policy/X" }
resource "terraform_data" "x" { input = "input" }
resource "aws_iam_policy" "x" {
  name = "own"
  path = "/p/"
}
resource "aws_iam_policy" "y" { name_prefix = "own-" }
"""
    attached = resource("aws_iam_role_policy_attachment", f"policy_arn = {reference}", 'role = "app"')
    assert policies_in(tmp_path, declared + attached) == [written]


def test_what_a_limit_keeps_from_being_evaluated_is_not_judged_and_keeps_its_policies(tmp_path: Path) -> None:
    deep = 'var.unset ? "a" : ' * 300 + f'"{ARN}AdministratorAccess"'
    source = resource("aws_iam_role_policy_attachment", f"policy_arn = {deep}", 'role = "app"')
    findings, unjudged = findings_in(write_tree(tmp_path, {"main.tf": source}))
    assert [one.reason.partition(" has ")[2] for one in unjudged] == [
        "more than the expressions within one another that can be followed"
    ]
    found = [str(finding.attachment.policy) for finding in findings]
    assert any(one.startswith(f"{ARN}AdministratorAccess") for one in found)


@pytest.mark.parametrize(
    ("entry", "verdicts"),
    [
        ("arn:aws:iam::*:policy/team-*", [Verdict.DENIED]),
        ("arn:aws:iam::*:policy/team-queue", [Verdict.DENIED]),
        ("arn:aws:iam::*:policy/team/*", [Verdict.UNRESOLVED]),  # its path may be /team/
        ("*", [Verdict.DENIED]),
        ("team-queue", [Verdict.DENIED]),  # AWS may have added it since this release
        ("arn:aws:iam::aws:policy/team-*", []),
        ("arn:aws:iam::*:policy/crew-*", [Verdict.UNRESOLVED]),  # its path may be /crew-x/
        ("arn:aws:iam::*:policy/crew-queue", []),
    ],
)
def test_a_lookup_by_name_is_one_finding(entry: str, verdicts: list[Verdict], tmp_path: Path) -> None:
    source = 'data "aws_iam_policy" "own" {\n  name = "team-queue"\n}\n'
    source += resource("aws_iam_role_policy_attachment", "policy_arn = data.aws_iam_policy.own.arn", 'role = "app"')
    write_tree(tmp_path, {"main.tf": source})
    by_list = Judge(DenyList("list", (Entry(entry, Origin("list", 1)),)), str(tmp_path), date(2026, 1, 1))
    found = one_per_policy(map(by_list.judge, attachments_in(tmp_path)))
    assert [one.verdict for one in found if one.verdict is not Verdict.CLEAN] == verdicts
