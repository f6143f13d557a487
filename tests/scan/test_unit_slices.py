"""Which parts of a unit say what it attaches: a denied name counts where references lead to it, and nowhere else.

Each way to a name has a twin in which one token leads elsewhere: then nothing is read closely, and without the screen
nothing is found either. What cannot be followed is read, whatever stands where.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from screen_twins import Way, findings_in
from unapproved_iam.deny_list.entries import DenyList, Entry, Origin, Unresolved
from unapproved_iam.scan.findings import Findings
from written_files import write_tree

DENIED = "arn:aws:iam::aws:policy/AdministratorAccess"
NAME = "AdministratorAccess"


def attached(value: str) -> str:
    return f'resource "aws_iam_role_policy_attachment" "a" {{\n  role = "r"\n  policy_arn = {value}\n}}\n'


def check(tree: Path, screen: bool = True, unresolved: Unresolved = Unresolved.PASS) -> Findings:
    by_name = DenyList("list", (Entry(NAME, Origin("list", 1)),), unresolved=unresolved)
    return findings_in(tree, by_name, screen)


CALLED = 'variable "arn" { default = "arn:aws:iam::aws:policy/ReadOnlyAccess" }\n' + attached("var.arn")
OUTPUT = f'output "arn" {{ value = "{DENIED}" }}\noutput "other" {{ value = "x" }}\n'

WAYS = {
    "the argument itself": Way({"main.tf": attached(f'"{DENIED}"')}, "policy_arn", "description"),
    "a list of a role": Way(
        {"main.tf": f'resource "aws_iam_role" "a" {{ managed_policy_arns = ["{DENIED}"] }}'},
        "managed_policy_arns",
        "permissions_boundary",
    ),
    "a block that a dynamic one makes": Way(
        {
            "main.tf": 'resource "aws_budgets_budget_action" "a" {\n  dynamic "definition" {\n    for_each = [1]\n'
            "    content {\n      iam_action_definition {\n        roles = []\n"
            f'        policy_arn = "{DENIED}"\n      }}\n    }}\n  }}\n}}\n'
        },
        'dynamic "definition"',
        'dynamic "subscriber"',
    ),
    "a local": Way(
        {"main.tf": f'locals {{\n  a = "{DENIED}"\n  b = "x"\n}}\n' + attached("local.a")}, "local.a", "local.b"
    ),
    "a local through another file": Way(
        {"main.tf": attached("local.a"), "locals.tf": f'locals {{\n  a = local.c\n  b = "x"\n  c = "{DENIED}"\n}}\n'},
        "local.a",
        "local.b",
    ),
    "with blanks and comments around the dot": Way(
        {"main.tf": f'locals {{\n  a = "{DENIED}"\n  b = "x"\n}}\n' + attached("(local # why\n  . /* this */ a)")},
        "*/ a",
        "*/ b",
    ),
    "in a string": Way(
        {"main.tf": f'locals {{\n  a = "{NAME}"\n  b = "x"\n}}\n' + attached('"arn:aws:iam::aws:policy/${local.a}"')},
        "local.a",
        "local.b",
    ),
    "a default": Way(
        {"main.tf": f'variable "v" {{ default = "{DENIED}" }}\n' + attached("var.v")}, "default", "description"
    ),
    "what a type adds": Way(
        {
            "main.tf": f'variable "v" {{\n  type = object({{ arn = optional(string, "{DENIED}") }})\n'
            "  default = {}\n}\n" + attached("var.v.arn")
        },
        "type",
        "description",
    ),
    "an argument of a call": Way(
        {"main.tf": f'module "m" {{\n  source = "./m"\n  arn = "{DENIED}"\n}}\n', "m/main.tf": CALLED},
        "  arn =",
        "  other =",
    ),
    "an argument of a call by the keys of its instances": Way(
        {
            "main.tf": f'module "m" {{\n  source = "./m"\n  for_each = toset(["{DENIED}"])\n  arn = each.value\n}}\n',
            "m/main.tf": CALLED,
        },
        "  arn =",
        "  other =",
    ),
    "an output": Way(
        {"main.tf": 'module "m" { source = "./m" }\n' + attached("module.m.arn"), "m/main.tf": OUTPUT},
        "module.m.arn",
        "module.m.other",
    ),
    "an output of an instance": Way(
        {
            "main.tf": 'module "m" {\n  source = "./m"\n  count = 1\n}\nlocals { b = "x" }\n'
            + attached("module.m[0].arn"),
            "m/main.tf": OUTPUT,
        },
        "module.m[0].arn",
        "local.b",
    ),
    "two modules further": Way(
        {
            "main.tf": f'module "m" {{\n  source = "./m"\n  arn = "{DENIED}"\n}}\n',
            "m/main.tf": 'variable "arn" {}\nvariable "b" { default = "x" }\n'
            'module "n" {\n  source = "../n"\n  arn = var.arn\n}\n',
            "n/main.tf": CALLED,
        },
        "arn = var.arn",
        "arn = var.b",
    ),
    "a module that is not in the tree": Way(
        {
            "main.tf": f'locals {{\n  a = "{DENIED}"\n  b = "x"\n}}\n'
            'module "m" {\n  source = "a/b/aws"\n  arns = [local.a]\n}\n'
        },
        "local.a",
        "local.b",
    ),
    "an attribute of a resource": Way(
        {"main.tf": f'resource "aws_x" "x" {{\n  a = "{DENIED}"\n  b = "x"\n}}\n' + attached("aws_x.x.a")},
        "aws_x.x.a",
        "aws_x.x.b",
    ),
    "an attribute of some instance": Way(
        {
            "main.tf": f'resource "aws_x" "x" {{\n  count = 1\n  a = "{DENIED}"\n}}\nlocals {{ b = "x" }}\n'
            + attached("aws_x.x[0].a")
        },
        "aws_x.x[0].a",
        "local.b",
    ),
    "a policy that is looked up": Way(
        {
            "main.tf": f'data "aws_iam_policy" "a" {{ name = "{NAME}" }}\nlocals {{ b = "x" }}\n'
            + attached("data.aws_iam_policy.a.arn")
        },
        "data.aws_iam_policy.a.arn",
        "local.b",
    ),
    "a policy that is looked up by a name that is rewritten": Way(
        {
            "main.tf": f'data "aws_iam_policy" "a" {{ name = replace("{NAME[:4]}-{NAME[4:]}", "-", "") }}\n'
            'locals { b = "x" }\n' + attached("data.aws_iam_policy.a.arn")
        },
        "data.aws_iam_policy.a.arn",
        "local.b",
    ),
    "the name of an output": Way(
        {
            "main.tf": 'module "m" { source = "./m" }\nlocals { b = "x" }\n'
            + attached('"arn:aws:iam::aws:policy/${keys(module.m)[0]}"'),
            "m/main.tf": f'output "{NAME}" {{ value = 1 }}\n',
        },
        "keys(module.m)[0]",
        "local.b",
    ),
    "a template of two locals": Way(
        {
            "main.tf": "locals {\n  a = <<-EOT\n    Resources:\n      R:\n        Type: AWS::IAM::Role\n"
            '        Properties: {ManagedPolicyArns: [!Join ["", [arn:aws:iam::aws:policy/, \n  EOT\n'
            f"  c = <<-EOT\n    {NAME[:4]}, {NAME[4:]}]]]}}\n  EOT\n}}\n"
            'resource "aws_cloudformation_stack" "s" {\n  name = "s"\n  template_body = "${local.a}${local.c}"\n}\n'
        },
        "local.c",
        "local.a",
    ),
    "what data is kept as": Way(
        {
            "main.tf": f'resource "terraform_data" "x" {{ input = "{DENIED}" }}\nlocals {{ b = "x" }}\n'
            + attached("resource.terraform_data.x.output")
        },
        "resource.terraform_data.x.output",
        "local.b",
    ),
    "a file": Way(
        {"main.tf": attached('file("a.txt")'), "a.txt": DENIED, "b.txt": "x"},
        "a.txt",
        "b.txt",
    ),
    "a file that a called module reads": Way(
        {
            "main.tf": 'module "m" { source = "./m" }\n',
            "m/main.tf": attached('file( # see there\n    "${path.module}/a.txt")'),
            "m/a.txt": DENIED,
            "m/b.txt": "x",
        },
        "a.txt",
        "b.txt",
    ),
    "a template of a stack": Way(
        {
            "main.tf": 'locals {\n  a = file("a.txt")\n  b = "x"\n}\n'
            'resource "aws_cloudformation_stack" "s" {\n  name = "s"\n  template_body = local.a\n}\n',
            "a.txt": '{"Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": {"ManagedPolicyArns": ["'
            + DENIED
            + '"]}}}}',
        },
        "local.a",
        "local.b",
    ),
    "a parameter of a stack": Way(
        {
            "main.tf": 'resource "aws_cloudformation_stack" "s" {\n  name = "s"\n  template_url = "https://x"\n'
            f'  parameters = {{ P = "{DENIED}" }}\n}}\n',
        },
        "parameters",
        "tags",
    ),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_a_name_counts_where_references_lead_to_it(way: Way, tmp_path: Path) -> None:
    write_tree(tmp_path, way.files)
    assert check(tmp_path).violations
    assert any(way.token in text for text in way.files.values())
    write_tree(tmp_path, way.twin)
    assert not check(tmp_path, screen=False).violations
    assert check(tmp_path).units == 0


# What is not followed, beside a name that reaches nothing.
NOT_FOLLOWED = {
    "JSON syntax": {"more.tf.json": "{}"},
    "a file that cannot be read": {"more.tf": "locals {"},
    "a module that is not there": {"more.tf": 'module "m" { source = "./gone" }'},
    "a module that calls itself": {
        "more.tf": 'module "m" { source = "./m" }',
        "m/m.tf": 'module "m" { source = "../m" }',
    },
    "a source that is chosen": {"more.tf": 'variable "s" {}\nmodule "m" { source = var.s }'},
    "two calls of one name": {
        "more.tf": 'module "m" { source = "a/b/c" }',
        "x_override.tf": 'module "m" { version = 1 }',
    },
    "a file somewhere": {
        "more.tf": 'variable "f" {}\nresource "aws_iam_role" "r" { managed_policy_arns = [file(var.f)] }'
    },
    "a block that sets something twice": {
        "more.tf": 'resource "x" "x" {\n  a = 1\n  a = 2\n}\n'
        'resource "aws_iam_role" "r" { managed_policy_arns = [x.x.a] }'
    },
    "a hidden text": {"more.tf": 'resource "aws_iam_role" "r" { managed_policy_arns = [base64decode("eA==")] }'},
}


@pytest.mark.parametrize("files", NOT_FOLLOWED.values(), ids=NOT_FOLLOWED.keys())
def test_what_cannot_be_followed_is_read(files: dict[str, str], tmp_path: Path) -> None:
    elsewhere = {"main.tf": f'locals {{ a = "{DENIED}" }}\n' + attached('"x"')}
    write_tree(tmp_path, elsewhere)
    assert check(tmp_path).units == 0
    write_tree(tmp_path, files)
    assert check(tmp_path).units > 0


def test_where_unresolved_fails_names_do_not_count(tmp_path: Path) -> None:
    write_tree(tmp_path, {"main.tf": f'locals {{ a = "{DENIED}" }}\nvariable "v" {{}}\n' + attached("var.v")})
    assert check(tmp_path).exit_code == 0
    assert check(tmp_path, unresolved=Unresolved.FAIL).exit_code == 1


def test_a_file_of_variables_counts_for_its_root_module(tmp_path: Path) -> None:
    write_tree(
        tmp_path, {"main.tf": 'variable "v" { default = "x" }\n' + attached("var.v"), "a.tfvars": f'v = "{DENIED}"\n'}
    )
    assert check(tmp_path).violations


def test_who_calls_a_suspicious_module_is_read_in_its_place(tmp_path: Path) -> None:
    """The module reads a file by a path that counts from the root module, in which there is none."""
    called = attached('file("name.txt")')
    write_tree(tmp_path, {"main.tf": 'module "m" { source = "./m" }\n', "m/main.tf": called, "m/name.txt": DENIED})
    assert check(tmp_path).violations == check(tmp_path, screen=False).violations
