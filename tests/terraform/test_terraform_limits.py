"""Ordinary data is far from every limit, and what reaches one is not judged: it is never clean."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from terraform_verdicts import findings_in
from unapproved_iam.deny_list.verdict import Verdict
from unapproved_iam.hcl import (
    alternatives,
    collection_parts,
    decimal_numbers,
    evaluation,
    regular_expressions,
    scope,
    strings,
    ways,
)
from unapproved_iam.terraform import instances, root_module
from written_files import write_tree

ARN = "arn:aws:iam::aws:policy/"
ADMIN = "AdministratorAccess"


def attached(policy: str, *more: str) -> str:
    lines = "\n  ".join(('role = "r"', *more, f'policy_arn = "{ARN}{policy}"'))
    return f'resource "aws_iam_role_policy_attachment" "x" {{\n  {lines}\n}}\n'


def booleans(count: int) -> str:
    return "".join(f'variable "b{number}" {{ default = false }}\n' for number in range(count))


def listed(count: int) -> str:
    items = ", ".join(f'var.b{number} ? ["P{number}"] : []' for number in range(count - 1))
    return f'concat({items}, var.b{count - 1} ? ["{ADMIN}"] : [])'


def modules(depth: int) -> dict[str, str]:
    call = 'variable "p" { default = "ReadOnlyAccess" }\nmodule "m" {\n  source = "./m"\n  p = var.p\n}\n'
    last = 'variable "p" { default = "ReadOnlyAccess" }\n' + attached("${var.p}")
    within = {"m/" * number + "main.tf": call if number < depth else last for number in range(1, depth + 1)}
    return {"main.tf": f'module "m" {{\n  source = "./m"\n  p = "{ADMIN}"\n}}\n', **within}


ORDINARY: dict[str, Mapping[str, str]] = {
    "a table of 10,000 rows": {
        "main.tf": attached(
            "${each.value.policy}", 'for_each = { for r in csvdecode(file("p.csv")) : "${r.role}-${r.policy}" => r }'
        ),
        "p.csv": "role,policy\n" + "".join(f"r{n},P{n}\n" for n in range(10_000)) + f"r,{ADMIN}\n",
    },
    "YAML of 10,001 items": {
        "main.tf": attached('${yamldecode(file("c.yaml")).policy}'),
        "c.yaml": f"policy: {ADMIN}\npad: [{', '.join(['1'] * 10_001)}]\n",
    },
    "JSON of 4 MB": {
        "main.tf": attached('${jsondecode(file("c.json")).policy}'),
        "c.json": json.dumps({"policy": ADMIN, "pad": ["x" * 1_000] * 4_200}),
    },
    "a map of 1,000 keys by a variable": {
        "main.tf": 'variable "e" { default = "k" }\nlocals {\n  m = {\n'
        + "".join(f'    k{n} = "P{n}"\n' for n in range(1_000))
        + f'    z = "{ADMIN}"\n  }}\n}}\n'
        + attached("${local.m[var.e]}"),
    },
    "a map of 4,000 keys by each key": {
        "main.tf": "locals {\n  m = {\n"
        + "".join(f'    k{n} = "P{n}"\n' for n in range(4_000))
        + f'    z = "{ADMIN}"\n  }}\n}}\n'
        + attached("${local.m[each.key]}", "for_each = local.m"),
    },
    "a chain of 500 locals": {
        "main.tf": f'locals {{\n  a0 = "{ADMIN}"\n'
        + "".join(f'  a{n + 1} = "${{local.a{n}}}"\n' for n in range(500))
        + "}\n"
        + attached("${local.a500}"),
    },
    "10,001 names": {
        "main.tf": "locals {\n  n = [\n"
        + "".join(f'    "P{n}",\n' for n in range(10_000))
        + f'    "{ADMIN}",\n  ]\n}}\n'
        + attached("${each.value}", "for_each = toset(local.n)"),
    },
    "100 variable files": {
        "main.tf": 'variable "p" { default = "ReadOnlyAccess" }\n' + attached("${var.p}"),
        **{f"envs/e{n}.tfvars": f'p = "P{n}"\n' for n in range(100)},
        "envs/z.tfvars": f'p = "{ADMIN}"\n',
    },
    "30 independent switches in a list": {
        "main.tf": booleans(30) + attached("${each.value}", f"for_each = toset({listed(30)})"),
    },
    "30 switches in one condition": {
        "main.tf": booleans(30) + attached(ADMIN, f"count = {' && '.join(f'var.b{n}' for n in range(30))} ? 1 : 0"),
    },
    "40 modules within one another": modules(40),
}


@pytest.mark.parametrize("files", ORDINARY.values(), ids=ORDINARY)
def test_ordinary_data_is_judged(files: Mapping[str, str], tmp_path: Path) -> None:
    findings, unjudged = findings_in(write_tree(tmp_path, files))
    denied = [finding for finding in findings if finding.verdict is Verdict.DENIED]
    assert (len(denied), unjudged) == (1, [])


CHOSEN = ORDINARY["a map of 1,000 keys by a variable"]["main.tf"].partition("resource")[0] + (
    'module "x" {\n  source = "a/b/c"\n  x = %s\n}\n'
)
PASSED = {
    "as it is": "local.m[var.e]",
    "in a text": '"x-${local.m[var.e]}"',
    "in a list": "[local.m[var.e]]",
    "in an object": "{ x = local.m[var.e] }",
    "encoded": "jsonencode([local.m[var.e]])",
    "in an ARN": '"arn:aws:iam::aws:policy/${local.m[var.e]}"',
}
NESTED = "[" * 3_000 + "]" * 3_000

BEYOND = {
    "possible values": ((alternatives, "MAX_POSSIBLE"), ORDINARY["a map of 1,000 keys by a variable"]),
    "elements": ((collection_parts, "MAX_ITEMS"), {"main.tf": attached(f'${{concat(range(150), ["{ADMIN}"])[150]}}')}),
    "characters": ((strings, "MAX_LENGTH"), {"main.tf": attached('${join("", range(200))}')}),
    "bytes": ((scope, "MAX_FILE"), ORDINARY["YAML of 10,001 items"]),
    "steps": ((evaluation, "MAX_STEPS"), {"main.tf": attached('${join("", [for x in range(200) : x + 1])}')}),
    "lists": (
        (ways, "MAX_EXPANDED"),
        {"main.tf": booleans(12) + attached(f'${{join("", {listed(12)})}}')},
    ),
    "instances": ((instances, "MAX_COUNTED"), {"main.tf": attached("P${count.index}", "count = 200")}),
    "modules": ((root_module, "MAX_CALLS"), modules(101)),
    "bytes of a template": (
        (scope, "MAX_FILE"),
        {
            "main.tf": attached('${templatefile("a.tpl", {})}'),
            "a.tpl": f"{ADMIN}%{{ if false }}{' ' * 100}%{{ endif }}",
        },
    ),
    "directories": (
        (scope, "MAX_DIRECTORIES"),
        {
            "main.tf": attached('${one([for f in fileset(".", "z/P*") : basename(f)])}'),
            **{f"d{n:03}/x": "" for n in range(101)},
            "z/PowerUserAccess": "",
        },
    ),
    "ways to match": (
        (regular_expressions, "MAX_REGEX"),
        {"main.tf": attached(f'${{regex("[A-Z].*s+", "{ADMIN}")}}')},
    ),
    "ways to replace": (
        (regular_expressions, "MAX_REGEX"),
        {"main.tf": attached(f'${{replace("{ADMIN}x1x", "/x\\\\d*.*/", "")}}')},
    ),
    "digits": ((decimal_numbers, "MAX_DIGITS"), {"main.tf": attached(f'${{jsondecode("{"1" * 151}")}}')}),
    **{
        f"possible values {shape} that a module elsewhere is given": (
            (alternatives, "MAX_POSSIBLE"),
            {"main.tf": CHOSEN % written},
        )
        for shape, written in PASSED.items()
    },
}


@pytest.mark.parametrize(("limit", "files"), BEYOND.values(), ids=BEYOND)
def test_what_reaches_a_limit_is_not_judged(
    limit: tuple[object, str], files: Mapping[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(*limit, 100)
    _, unjudged = findings_in(write_tree(tmp_path, files))
    assert ["more than" in one.reason for one in unjudged] != []
    assert all("more than" in one.reason for one in unjudged)


@pytest.mark.parametrize("written", PASSED.values(), ids=PASSED)
def test_below_a_limit_nothing_is_left_open(written: str, tmp_path: Path) -> None:
    findings, unjudged = findings_in(write_tree(tmp_path, {"main.tf": CHOSEN % written}))
    is_denied = Verdict.DENIED in {finding.verdict for finding in findings}
    assert (is_denied, unjudged) == ("arn:" in written, [])


@pytest.mark.parametrize("function", ["jsondecode", "yamldecode"])
def test_a_document_that_is_nested_too_deep_is_not_judged(function: str, tmp_path: Path) -> None:
    """`try` must not go on as if Terraform refused it."""
    tree = write_tree(
        tmp_path,
        {
            "main.tf": attached(f'${{try({function}(file("d.json")).p, "ReadOnlyAccess")}}'),
            "d.json": f'{{"p": "{ADMIN}", "x": {NESTED}}}',
        },
    )
    assert ["more than" in one.reason for one in findings_in(tree)[1]] == [True]


@pytest.mark.parametrize("document", ["p:\tAdministratorAccess\n", "p: AdministratorAccess\nx: !!omap [a: b]\n"])
def test_yaml_that_cannot_be_read_is_not_judged(document: str, tmp_path: Path) -> None:
    """Terraform reads the first; and what it refuses is nothing to be silent about either."""
    source = attached('${try(yamldecode(file("d.yaml")).p, "ReadOnlyAccess")}')
    tree = write_tree(tmp_path, {"main.tf": source, "d.yaml": document})
    assert ["cannot be read here" in one.reason for one in findings_in(tree)[1]] == [True]
