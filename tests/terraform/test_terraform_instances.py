"""Which instances a resource has by `count` and `for_each`, under which conditions, and how they are addressed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from terraform_oracle import outputs_of, refused_lines
from terraform_verdicts import attachments_in, told
from written_files import write_tree

VARIABLES = """
variable "none" { default = 0 }
variable "two" { default = 2 }
variable "flag" { default = true }
variable "unset" {}
variable "empty" { default = {} }
variable "map" { default = { a = 1 } }
locals { keys = ["a", "b"] }
"""
ATTACHMENT = """
resource "aws_iam_role_policy_attachment" "x" {{
  {}
  role       = "app"
  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
}}
"""


def instances_in(tree: Path, source: str, **others: str) -> list[str]:
    write_tree(tree, {"main.tf": source, **others})
    found = attachments_in(tree)
    return [told(one.resource, one.when) for one in found]


X = "aws_iam_role_policy_attachment.x"


@pytest.mark.parametrize(
    ("argument", "instances"),
    [
        ("", [X]),
        ("count = 0", []),
        ("count = 1", [f"{X}[0]"]),
        ("count = 2", [f"{X}[0]", f"{X}[1]"]),
        ('count = "2"', [f"{X}[0]", f"{X}[1]"]),
        ("count = length(local.keys)", [f"{X}[0]", f"{X}[1]"]),
        ("count = var.two", [f"{X}[0]", f"{X}[1]"]),
        ("count = var.none", [f"{X} when var.none > 0"]),
        ("count = var.unset", [f"{X} when var.unset > 0"]),
        ("count = var.flag ? 1 : 0", [f"{X}[0] when var.flag is true"]),
        ("count = var.flag ? 2 : 1", [f"{X}[0]", f"{X}[1] when var.flag is true"]),
        ("count = var.flag ? 0 : var.unset", [f"{X} when var.flag is false and var.unset > 0"]),
        ("for_each = toset([])", []),
        ("for_each = toset(local.keys)", [f'{X}["a"]', f'{X}["b"]']),
        ("for_each = { a = 1, b = 2 }", [f'{X}["a"]', f'{X}["b"]']),
        ("for_each = {}", []),
        ("for_each = var.map", [f'{X}["a"]']),
        ("for_each = var.empty", [f"{X} when var.empty is not its default"]),
        ("for_each = toset(var.unset)", [X]),
        ("for_each = toset([var.unset])", [X]),
        ('for_each = toset(["p-${var.unset}"])', [X]),
        ('for_each = var.flag ? toset(["a"]) : []', [f'{X}["a"] when var.flag is true']),
        ('for_each = toset(concat(["a"], var.flag ? ["b"] : []))', [f'{X}["a"]', f'{X}["b"] when var.flag is true']),
        ('for_each = { "a\\"b" = 1, "ä" = 2 }', [f'{X}["a\\"b"]', f'{X}["ä"]']),
        ('for_each = "a"', []),  # as terraform refuses it
    ],
)
def test_instances_of_a_resource(argument: str, instances: list[str], tmp_path: Path) -> None:
    assert instances_in(tmp_path, VARIABLES + ATTACHMENT.format(argument)) == instances


@pytest.mark.parametrize(
    ("argument", "instances"),
    [
        ("", [f"module.m.{X}[0]", f"module.m.{X}[1]"]),
        ("count = 0", []),
        ("count = 1", [f"module.m[0].{X}[0]", f"module.m[0].{X}[1]"]),
        ('for_each = toset(["k"])', [f'module.m["k"].{X}[0]', f'module.m["k"].{X}[1]']),
        (
            "count = var.flag ? 1 : 0",
            [f"module.m[0].{X}[0] when var.flag is true", f"module.m[0].{X}[1] when var.flag is true"],
        ),
    ],
)
def test_instances_of_a_module(argument: str, instances: list[str], tmp_path: Path) -> None:
    call = f'module "m" {{\n  source = "./m"\n  {argument}\n}}\n'
    module = ATTACHMENT.format("count = 2")
    assert instances_in(tmp_path, VARIABLES + call, **{"m/main.tf": module}) == instances


@pytest.mark.parametrize(
    ("arguments", "policies"),
    [
        ('count = 2\n  policy_arn = local.arns[count.index]', ["A", "B"]),
        ('for_each = toset(["A"])\n  policy_arn = "arn:aws:iam::aws:policy/${each.key}"', ["A"]),
        ('for_each = toset(["A"])\n  policy_arn = "arn:aws:iam::aws:policy/${each.value}"', ["A"]),
        ('for_each = { A = "B" }\n  policy_arn = "arn:aws:iam::aws:policy/${each.key}"', ["A"]),
        ('for_each = { A = "B" }\n  policy_arn = "arn:aws:iam::aws:policy/${each.value}"', ["B"]),
        ('for_each = { A = { p = "B" } }\n  policy_arn = "arn:aws:iam::aws:policy/${each.value.p}"', ["B"]),
        ('policy_arn = each.key', ["${each.key}"]),
        ('count = 1\n  policy_arn = each.key', ["${each.key}"]),
        ('for_each = toset(["A"])\n  policy_arn = count.index', ["${count.index}"]),
    ],
)  # fmt: skip
def test_what_an_instance_sees(arguments: str, policies: list[str], tmp_path: Path) -> None:
    source = 'locals { arns = ["arn:aws:iam::aws:policy/A", "arn:aws:iam::aws:policy/B"] }\n'
    source += f'resource "aws_iam_role_policy_attachment" "x" {{\n  {arguments}\n  role = "app"\n}}\n'
    write_tree(tmp_path, {"main.tf": source})
    assert [str(one.policy).rpartition("/")[2] for one in attachments_in(tmp_path)] == policies


@pytest.mark.parametrize(
    ("argument", "policies"),
    [
        ("", ["Default"]),
        ('name = "Given"', ["Given"]),
        ("name = null", ['${"arn:aws:iam::aws:policy/${var.name}"}']),  # null is given, which terraform refuses here
        ('nullable = "Given"', ["Given"]),
        ("nullable = null", ["Default"]),
        ('nullable = var.flag ? null : "Given"', ["Default when var.flag is true", "Given when var.flag is false"]),
    ],
)
def test_what_a_module_is_given(argument: str, policies: list[str], tmp_path: Path) -> None:
    variable = "nullable" if argument.startswith("nullable") else "name"
    module = (
        'variable "name" { default = "Default" }\n'
        'variable "nullable" {\n  default  = "Default"\n  nullable = false\n}\n'
        'resource "aws_iam_role_policy_attachment" "x" {\n  role = "app"\n'
        f'  policy_arn = "arn:aws:iam::aws:policy/${{var.{variable}}}"\n}}\n'
    )
    call = f'variable "flag" {{ default = true }}\nmodule "m" {{\n  source = "./m"\n  {argument}\n}}\n'
    write_tree(tmp_path, {"main.tf": call, "m/main.tf": module})
    attached = [told(one.policy, one.when) for one in attachments_in(tmp_path)]
    assert [one.removeprefix("arn:aws:iam::aws:policy/") for one in attached] == policies


COUNTS = [
    *("2", '"2"', '"2.0"', '"+2"', '"1e0"', "1e0", "2.0", '"01"', '"1."', "0", "1.5", '"1.5"', "-1", '"-1"', "true"),
    *('"x"', '""', '" 1"', '"0x1"', "[]", "null"),
]


@pytest.mark.skipif(not shutil.which("terraform"), reason="terraform is not installed")
def test_count_takes_what_terraform_takes(tmp_path: Path) -> None:
    block = 'resource "terraform_data" "c{}" {{ count = {} }}\n'
    (tmp_path / "main.tf").write_text("".join(block.format(*one) for one in enumerate(COUNTS)))
    refused = {COUNTS[line - 1] for line in refused_lines(tmp_path)}
    taken = [count for count in COUNTS if count not in refused]
    (tmp_path / "main.tf").write_text(
        "".join(
            block.format(number, count) + f'output "n{number}" {{ value = length(terraform_data.c{number}) }}\n'
            for number, count in enumerate(taken)
        )
    )
    outputs = outputs_of(tmp_path)
    numbers = {count: outputs[f"n{number}"] for number, count in enumerate(taken)}
    for count in COUNTS:
        found = instances_in(tmp_path, ATTACHMENT.format(f"count = {count}"))
        assert found == [f"{X}[{number}]" for number in range(numbers.get(count, 0))], count
