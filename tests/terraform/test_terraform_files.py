"""Which files terraform reads, what it makes of their names and of JSON syntax, beside what terraform itself computes.

The expressions of each tree are outputs for terraform, and policies that are attached for the engine.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from terraform_oracle import outputs_of
from terraform_verdicts import attachments_in
from unapproved_iam.terraform.source_look import may_attach, may_call, may_hold
from written_files import write_tree

VARIABLE = 'variable "p" {\n  default = "default"\n}\n'
CALLED = 'output "o" {\n  value = "%s"\n}\n'
PASSING = 'variable "v" {}\noutput "o" {\n  value = var.v\n}\n'
JSON_BLOCKS = r"""{
  "//": "a comment",
  "locals": [{
    "//": "a comment",
    "n": "N",
    "default": "a ${local.n}", "source": "b ${local.n}", "version": "c ${local.n}", "depends_on": "d ${local.n}",
    "provider": "e ${local.n}", "providers": "f ${local.n}", "type": "g ${local.n}",
    "m": {"//": "h ${local.n}", "${local.n}": "i"}, "l": [{"//": "j"}],
    "\u0078y": "k", "es\u0063aped": "l"
  }],
  "variable": {"default": {"//": "a comment", "default": {"//": "m", "k": "$${n} ${local.n}"}, "type": "any"}},
  "modul\u0065": {"m": {"//": "a comment", "sourc\u0065": ".\/m", "v": {"//": "n", "default": "o ${local.n}"}}}
}"""
IN_JSON = [
    *(f"local.{name}" for name in ("default", "source", "version", "depends_on", "provider", "providers", "type")),
    *("local.xy", "local.escaped", 'join(",", keys(local.m))', 'local.m["//"]', "local.m.N", 'local.l[0]["//"]'),
    *("var.default.k", 'var.default["//"]', "module.m.o.default", 'module.m.o["//"]'),
]

TREES: dict[str, tuple[dict[str, str], list[str]]] = {
    "hidden files": (
        {"main.tf": VARIABLE, ".z.auto.tfvars": 'p = "hidden"\n', ".terraform.tfvars": "p = 1\n", ".x.tf": VARIABLE},
        ["var.p"],
    ),
    "the order of files of variables": (
        {
            "main.tf": VARIABLE,
            "terraform.tfvars": 'p = "first"\n',
            ".z.auto.tfvars": 'p = "hidden"\n',
            "A.auto.tfvars.json": '{"p": "upper"}',
            "#b.auto.tfvars": 'p = "hash"\n',
        },
        ["var.p"],
    ),
    "what editors leave behind": (
        {
            "main.tf": VARIABLE,
            "~z.auto.tfvars": 'p = "tilde"\n',
            "zz.auto.tfvars~": 'p = "backup"\n',
            "#zz.auto.tfvars#": 'p = "recovery"\n',
            "#x.tf#": VARIABLE,
            "y.tf~": VARIABLE,
        },
        ["var.p"],
    ),
    "suffixes in upper case": ({"main.tf": VARIABLE, "x.TF": VARIABLE, "x.auto.TFVARS": 'p = "upper"\n'}, ["var.p"]),
    "files of OpenTofu": ({"main.tf": VARIABLE, "main.tofu": "locals {}\n", "x.tofu": VARIABLE}, ["var.p"]),
    "sources with backslashes": (
        {
            "main.tf": 'module "a" {\n  source = ".\\\\m"\n}\nmodule "b" {\n  source = "./m\\\\n"\n}\n',
            "m/main.tf": CALLED % "m",
            "m/n/main.tf": CALLED % "n",
        },
        ["module.a.o", "module.b.o"],
    ),
    "names of calls": (
        {
            "main.tf": 'module "ünï" {\n  source = "./m"\n}\nmodule é-1 {\n  source = "./m"\n}\n'
            'module /* c */ "c" /* d */ {\n  source = "./m"\n}\n',
            "m/main.tf": CALLED % "m",
        },
        ["module.ünï.o", "module.é-1.o", "module.c.o"],
    ),
    "JSON syntax": ({"blocks.tf.json": JSON_BLOCKS, "m/main.tf": PASSING}, IN_JSON),
    "variables in JSON": (
        {
            "main.tf": VARIABLE + 'variable "q" {}\n',
            "terraform.tfvars.json": '{"p": "${1} %{ if true }", "q": {"//": "x", "k\\u0061": "y"}}',
        },
        ["var.p", 'join(",", keys(var.q))'],
    ),
}


@pytest.mark.skipif(not shutil.which("terraform"), reason="terraform is not installed")
@pytest.mark.parametrize(("files", "expressions"), TREES.values(), ids=TREES)
def test_it_reads_what_terraform_reads(files: Mapping[str, str], expressions: list[str], tmp_path: Path) -> None:
    outputs = "".join(f'output "o{n}" {{\n  value = {one}\n}}\n' for n, one in enumerate(expressions))
    computed = outputs_of(write_tree(tmp_path / "terraform", {**files, "outputs.tf": outputs}))
    attached = "".join(
        f'resource "aws_iam_role_policy_attachment" "o{n}" {{\n  role = "r"\n  policy_arn = {one}\n}}\n'
        for n, one in enumerate(expressions)
    )
    found = attachments_in(write_tree(tmp_path / "engine", {**files, "attached.tf": attached}))
    loaded = re.compile(r"((.*\.auto|terraform)\.tfvars(\.json)?)?")  # or the default
    read_by_terraform = [
        one for one in found if loaded.fullmatch(one.origin) and one.block.path.endswith("attached.tf")
    ]
    known = {one.resource.rpartition(".")[2]: one.policy.known for one in read_by_terraform}
    assert known == computed


LOOKS = {
    "a resource": ('resource "aws_iam_role" "x" {}', may_attach),
    "a resource with an escape in its type": ('resource "aws_\\u0069am_role" "x" {}', may_attach),
    "a resource with a long escape": ('resource "aws_iam\\U0000005frole" "x" {}', may_attach),
    "a resource in JSON": ('{"resource": {"aws_iam_rol\\u0065": {"x": {}}}}', may_attach),
    "a call": ('module "x" {}', may_call),
    "a call of any name": ("module é-1 {}", may_call),
    "a call behind a comment": ('/**/module/**/"x"/**/{}', may_call),
    "a call behind a byte order mark": ('\ufeffmodule "x" {}', may_call),
    "a call in JSON": ('{"module": {}}', may_call),
    "a call in escaped JSON": ('{"modul\\u0065": {}}', may_call),
    "a local": ("locals { é = 1 }", lambda source: may_hold(source, "locals", "é")),
    "a local in escaped JSON": ('{"locals": {"\\u00e9": 1}}', lambda source: may_hold(source, "locals", "é")),
}
NOT_SEEN = {
    "another resource": ('resource "aws_s3_bucket" "x" {}', may_attach),
    "a reference to a call": ("x = module.x.y", may_call),
    "the path of a module": ('x = "${path.module}/y"', may_call),
    "a longer word": ("modules = 1", may_call),
    "what encoders of JSON escape": ('{"x": "\\u003c"}', may_call),
}


@pytest.mark.parametrize(("source", "look"), LOOKS.values(), ids=LOOKS)
def test_the_look_at_bytes_misses_nothing(source: str, look: object) -> None:
    assert callable(look)
    assert look(source.encode())


@pytest.mark.parametrize(("source", "look"), NOT_SEEN.values(), ids=NOT_SEEN)
def test_the_look_at_bytes_rules_out(source: str, look: object) -> None:
    assert callable(look)
    assert not look(source.encode())
