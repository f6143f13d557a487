"""Calls whose source a variable or local chooses, as OpenTofu has it: whatever some world calls is read.

Terraform refuses such sources, so no oracle is here. `<denied|clean>` is the one difference of twins.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from terraform_verdicts import findings_in
from unapproved_iam.deny_list.verdict import Verdict
from written_files import write_tree

ATTACHED = (
    'resource "aws_iam_role_policy_attachment" "m" {\n  role = "r"\n  policy_arn = "arn:aws:iam::aws:policy/%s"\n}\n'
)
MODULE = 'variable "name" { default = "ReadOnlyAccess" }\n' + ATTACHED % "${var.name}"
READER = 'variable "name" { default = "ReadOnlyAccess" }\n' + ATTACHED % "ReadOnlyAccess"
CALL = 'module "x" {\n  source = %s\n  name = "<AdministratorAccess|ReadOnlyAccess>"\n}\n'
VARIABLE = 'variable "s" { default = "%s" }\n'
ADMIN, READ_ONLY = "arn:aws:iam::aws:policy/AdministratorAccess", "arn:aws:iam::aws:policy/ReadOnlyAccess"

TREES: dict[str, Mapping[str, str]] = {
    "a variable": {"main.tf": VARIABLE % "./m" + CALL % "var.s"},
    "a part of it": {"main.tf": VARIABLE % "m" + CALL % '"./${var.s}"'},
    "a local": {"main.tf": 'locals { s = "./m" }\n' + CALL % "local.s"},
    "a directive": {"main.tf": 'variable "s" { default = true }\n' + CALL % '"%{ if var.s }./m%{ else }./n%{ endif }"'},
    "the branch that is not the default": {"main.tf": VARIABLE % "n" + CALL % 'var.s == "m" ? "./m" : "./n"'},
    "a variable file": {"main.tf": VARIABLE % "./n" + CALL % "var.s", "prod.tfvars": 's = "./m"\n'},
    "JSON": {
        "main.tf.json": '{"variable": {"s": {"default": "./m"}}, "module": {"x": {"source": "${var.s}",'
        ' "name": "<AdministratorAccess|ReadOnlyAccess>"}}}'
    },
    "through a caller": {
        "main.tf": 'module "outer" {\n  source = "./outer"\n  s = "../m"\n}\n',
        "outer/main.tf": 'variable "s" {}\n' + CALL % "var.s",
    },
    "an output of what is chosen": {
        "main.tf": VARIABLE % "./o" + CALL % "var.s" + ATTACHED % "${module.x.name}",
        "o/main.tf": 'variable "name" {}\noutput "name" { value = var.name }\n',
    },
    "an argument that only a module elsewhere attaches": {
        "main.tf": VARIABLE % "./n" + f'module "x" {{\n  source = var.s\n  name = "<{ADMIN}|{READ_ONLY}>"\n}}\n'
    },
}


@pytest.mark.parametrize("files", TREES.values(), ids=TREES)
def test_whatever_some_world_calls_is_read(files: Mapping[str, str], tmp_path: Path) -> None:
    for is_denied in (True, False):
        written = {
            name: re.sub(r"<([^<>|]*)\|([^<>|]*)>", r"\1" if is_denied else r"\2", source)
            for name, source in {**files, "m/main.tf": MODULE, "n/main.tf": READER}.items()
        }
        findings, unjudged = findings_in(write_tree(tmp_path / str(is_denied), written))
        assert not unjudged
        assert (Verdict.DENIED in {finding.verdict for finding in findings}) is is_denied


def test_a_module_that_is_not_there_is_told_of_in_every_world(tmp_path: Path) -> None:
    tree = write_tree(tmp_path, {"main.tf": VARIABLE % "./gone" + CALL % "var.s"})
    assert [one.reason for one in findings_in(tree)[1]] == [
        'module directory "./gone" holds no configuration, or is not there'
    ]


def test_a_call_that_chooses_itself_ends(tmp_path: Path) -> None:
    tree = write_tree(tmp_path, {"main.tf": CALL % "module.x.name" + ATTACHED % "${module.x.name}"})
    assert Verdict.DENIED not in {finding.verdict for finding in findings_in(tree)[0]}
