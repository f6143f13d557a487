"""Make inputs that grow in one way each, to see that time and memory grow with them and not faster.

Each shape writes an input of a given size. One policy in a hundred is denied, and nothing may end as "not judged".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
READ = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def policy(n: int) -> str:
    return ADMIN if n % 100 == 0 else READ


def attachment(name: str, arn: str, further: str = "") -> str:
    """A Terraform attachment; `arn` is an expression."""
    body = f'{further}  role       = "{name}"\n  policy_arn = {arn}\n'
    return f'resource "aws_iam_role_policy_attachment" "{name}" {{\n{body}}}\n'


def attachments(directory: Path, size: int) -> None:
    blocks = []
    for n in range(size):
        blocks.append(f'locals {{\n  policy_{n} = "{policy(n)}"\n}}\n')
        blocks.append(f'resource "aws_iam_role" "r{n}" {{\n  name               = "role-{n}"\n}}\n')
        blocks.append(
            f'resource "aws_iam_role_policy_attachment" "a{n}" {{\n'
            f"  role       = aws_iam_role.r{n}.name\n  policy_arn = local.policy_{n}\n}}\n"
        )
    (directory / "main.tf").write_text("".join(blocks))


def elements(directory: Path, size: int) -> None:
    names = "".join(f'    "{policy(n)}-{n}",\n' if n else f'    "{ADMIN}",\n' for n in range(size))
    source = f"locals {{\n  policies = [\n{names}  ]\n}}\n"
    (directory / "main.tf").write_text(
        source + attachment("each", "each.value", "  for_each   = toset(local.policies)\n")
    )


def map_entries(directory: Path, size: int) -> None:
    entries = "".join(f'    team{n} = {{ policy = "{policy(n)}" }}\n' for n in range(size))
    source = f"locals {{\n  teams = {{\n{entries}  }}\n}}\n"
    arn = "local.teams[each.key].policy"
    (directory / "main.tf").write_text(source + attachment("each", arn, "  for_each   = local.teams\n"))


def callers(directory: Path, size: int) -> None:
    module = directory / "module"
    module.mkdir()
    variable = 'variable "policies" {\n  type = list(string)\n}\n'
    (module / "main.tf").write_text(variable + attachment("each", "each.value", "  for_each   = toset(var.policies)\n"))
    for n in range(size):
        (directory / f"root{n}").mkdir()
        call = f'module "m" {{\n  source   = "../module"\n  policies = ["{policy(n)}", "{READ}"]\n}}\n'
        (directory / f"root{n}" / "main.tf").write_text(call)


def modules_deep(directory: Path, size: int) -> None:
    below = directory
    for _ in range(size):
        (below / "main.tf").write_text(
            'variable "arn" {\n  default = "' + READ + '"\n}\nmodule "m" {\n  source = "./m"\n  arn    = var.arn\n}\n'
        )
        below /= "m"
        below.mkdir()
    (below / "main.tf").write_text('variable "arn" {\n}\n' + attachment("a", f'"{ADMIN}"') + attachment("b", "var.arn"))


def variable_files(directory: Path, size: int) -> None:
    (directory / "main.tf").write_text('variable "arn" {\n  type = string\n}\n' + attachment("a", "var.arn"))
    (directory / "envs").mkdir()
    for n in range(size):
        arn = f"{READ}-{n}" if n else ADMIN
        (directory / "envs" / f"env{n}.tfvars").write_text(f'arn = "{arn}"\n')


def switches(directory: Path, size: int) -> None:
    variables = "".join(f'variable "v{n}" {{\n  type    = bool\n  default = false\n}}\n' for n in range(size))
    lists = ",\n".join(
        f'    var.v{n} ? ["{policy(n)}-{n}"] : []' if n else f'    var.v0 ? ["{ADMIN}"] : []' for n in range(size)
    )
    source = f"{variables}locals {{\n  policies = concat(\n{lists}\n  )\n}}\n"
    (directory / "main.tf").write_text(
        source + attachment("each", "each.value", "  for_each   = toset(local.policies)\n")
    )


def template(directory: Path, size: int) -> None:
    """Roles that pick their policies by four of thirty conditions, each of which is an Fn::And with the one before."""
    document = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Parameters": {f"P{n}": {"Type": "String", "Default": "no"} for n in range(30)},
        "Conditions": {
            **{f"C{n}": {"Fn::Equals": [{"Ref": f"P{n}"}, "yes"]} for n in range(30)},
            "D0": {"Fn::Not": [{"Condition": "C0"}]},
            **{f"D{n}": {"Fn::And": [{"Condition": f"D{n - 1}"}, {"Condition": f"C{n}"}]} for n in range(1, 30)},
        },
        "Resources": {
            f"Role{n}": {
                "Type": "AWS::IAM::Role",
                "Condition": f"D{n % 30}",
                "Properties": {
                    "ManagedPolicyArns": [
                        {"Fn::If": [f"D{(n + k) % 30}", policy(n + k), {"Ref": "AWS::NoValue"}]} for k in range(4)
                    ]
                },
            }
            for n in range(size)
        },
    }
    (directory / "template.json").write_text(json.dumps(document, indent=1))


def template_switches(directory: Path, size: int) -> None:
    document = {
        "Parameters": {f"P{n}": {"Type": "String", "Default": "no"} for n in range(size)},
        "Conditions": {f"C{n}": {"Fn::Equals": [{"Ref": f"P{n}"}, "yes"]} for n in range(size)},
        "Resources": {
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "ManagedPolicyArns": [
                        {"Fn::If": [f"C{n}", f"{policy(n)}-{n}" if n else ADMIN, {"Ref": "AWS::NoValue"}]}
                        for n in range(size)
                    ]
                },
            }
        },
    }
    (directory / "template.json").write_text(json.dumps(document, indent=1))


def plan(directory: Path, size: int) -> None:
    """Attachments in a plan; about 5 kB for each, as plans of providers have beside them."""
    kind = "aws_iam_role_policy_attachment"

    def resources() -> Iterator[dict[str, Any]]:
        for n in range(size):
            yield {
                "address": f"{kind}.a{n}",
                "mode": "managed",
                "type": kind,
                "name": f"a{n}",
                "provider_name": "registry.terraform.io/hashicorp/aws",
                "schema_version": 0,
                "values": {"role": f"role-{n}", "policy_arn": policy(n)},
                "sensitive_values": {},
            }
            yield {
                "address": f"aws_s3_bucket.b{n}",
                "mode": "managed",
                "type": "aws_s3_bucket",
                "name": f"b{n}",
                "provider_name": "registry.terraform.io/hashicorp/aws",
                "values": {"bucket": f"bucket-{n}", "tags": {f"tag{k}": "x" * 40 for k in range(20)}},
                "sensitive_values": {},
            }

    planned = list(resources())
    document = {
        "format_version": "1.2",
        "terraform_version": "1.11.0",
        "planned_values": {"root_module": {"resources": planned}},
        "resource_changes": [
            {
                **{key: one[key] for key in ("address", "mode", "type", "name", "provider_name")},
                "change": {
                    "actions": ["create"],
                    "before": None,
                    "after": one["values"],
                    "after_unknown": {"id": True},
                },
            }
            for one in planned
        ],
        "configuration": {
            "root_module": {
                "resources": [
                    {
                        **{key: one[key] for key in ("address", "mode", "type", "name")},
                        "expressions": {name: {"references": [f"var.{name}"]} for name in one["values"]},
                    }
                    for one in planned
                ]
            }
        },
    }
    (directory / "plan.json").write_text(json.dumps(document, separators=(",", ":")))


class Shape(NamedTuple):
    """What grows, how it is written, and the sizes that are measured."""

    what: str
    write: Callable[[Path, int], None]
    sizes: tuple[int, ...]


SHAPES = (
    Shape("attachments in one root module, each with its role and local", attachments, (500, 1000, 5000)),
    Shape("elements of one `for_each`", elements, (1000, 5000, 10_000)),
    Shape("entries of a map that `each.key` indexes", map_entries, (500, 1000, 5000)),
    Shape("root modules that call one module", callers, (30, 100, 300)),
    Shape("modules deep", modules_deep, (10, 20, 30)),
    Shape("variable files of one root module", variable_files, (50, 100, 200)),
    Shape("independent switches in one list", switches, (10, 20, 30)),
    Shape("independent switches in one list of a template", template_switches, (10, 20, 30)),
    Shape("roles under chained conditions in one template", template, (125, 250, 500)),
    Shape("attachments in one plan", plan, (2000, 10_000, 20_000)),
)
