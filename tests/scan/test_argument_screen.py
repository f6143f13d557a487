"""Which arguments of calls of modules that are not in the tree are evaluated: those that reach a policy, and no other.

Each way to a policy has a twin in which one token leads elsewhere. Whatever is passed over, reading everything finds
the same.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from screen_twins import Way, findings_in
from unapproved_iam.deny_list.entries import DenyList, Entry, Origin
from unapproved_iam.hcl.syntax import parse_body
from unapproved_iam.scan.argument_screen import ArgumentScreen
from unapproved_iam.scan.findings import Findings
from written_files import write_tree

POLICY = "arn:aws:iam::aws:policy/AdministratorAccess"
START = "arn:aws:iam::aws:"


def call(argument: str, further: str = "") -> str:
    return f'module "m" {{\n  source = "a/b/aws"\n  a = {argument}\n{further}}}\n'


def check(tree: Path, screen: bool = True) -> Findings:
    everything = DenyList("list", (Entry("*", Origin("list", 1)),))
    return findings_in(tree, everything, screen)


LOCALS = f'locals {{\n  a = "{POLICY}"\n  b = "x"\n}}\n'
CHILD = 'variable "v" { default = "x" }\n' + call("var.v")

WAYS = {
    "a literal": Way({"main.tf": call(f'"{POLICY}"')}, "policy/", "role/"),
    "a local": Way({"main.tf": LOCALS + call("local.a")}, "local.a", "local.b"),
    "in a list of objects": Way({"main.tf": LOCALS + call("[{ x = local.a }]")}, "local.a", "local.b"),
    "a key": Way({"main.tf": LOCALS + call("{ (local.a) = 1 }")}, "(local.a)", "(local.b)"),
    "what instances are made of": Way(
        {"main.tf": call("each.value", f'  for_each = toset(["{POLICY}"])\n')}, "policy/", "role/"
    ),
    "a default": Way({"main.tf": f'variable "v" {{ default = "{POLICY}" }}\n' + call("var.v")}, "policy/", "role/"),
    "what a type adds": Way(
        {
            "main.tf": f'variable "v" {{\n  type = object({{ arn = optional(string, "{POLICY}") }})\n  default = {{}}\n'
            "}\n" + call("var.v")
        },
        "policy/",
        "role/",
    ),
    "a file of variables": Way(
        {"main.tf": 'variable "v" { default = "x" }\n' + call("var.v"), "a.auto.tfvars": f'v = "{POLICY}"\n'},
        "policy/",
        "role/",
    ),
    "an argument of the caller": Way(
        {"main.tf": f'module "c" {{\n  source = "./c"\n  v = "{POLICY}"\n}}\n', "c/main.tf": CHILD}, "  v =", "  w ="
    ),
    "the keys of the caller's instances": Way(
        {
            "main.tf": f'module "c" {{\n  source = "./c"\n  for_each = toset(["{POLICY}"])\n  v = each.key\n}}\n',
            "c/main.tf": CHILD,
        },
        "  v =",
        "  w =",
    ),
    "an output": Way(
        {
            "main.tf": 'module "c" { source = "./c" }\n' + call("module.c.a"),
            "c/main.tf": f'output "a" {{ value = "{POLICY}" }}\noutput "b" {{ value = "x" }}\n',
        },
        "module.c.a",
        "module.c.b",
    ),
    "an attribute of a resource": Way(
        {"main.tf": f'resource "aws_x" "x" {{\n  a = "{POLICY}"\n  b = "x"\n}}\n' + call("aws_x.x.a")},
        "aws_x.x.a",
        "aws_x.x.b",
    ),
    "a policy that the tree declares": Way(
        {"main.tf": 'resource "aws_iam_policy" "x" { name = "x" }\n' + call("aws_iam_policy.x.arn")},
        "aws_iam_policy",
        "aws_iam_role",
    ),
    "a policy that is looked up": Way(
        {"main.tf": 'data "aws_iam_policy" "x" { name = "AdministratorAccess" }\n' + call("data.aws_iam_policy.x.arn")},
        "aws_iam_policy",
        "aws_iam_role",
    ),
    "another argument": Way({"main.tf": LOCALS + call('"Allow"', "  resource = local.a\n")}, "local.a", "local.b"),
    "a template of an interpolation": Way(
        {"main.tf": 'locals { a = "policy" }\n' + call(f'"{START}${{local.a}}/X"')}, "policy", "role"
    ),
    "in other letters": Way({"main.tf": call(f'lower("{POLICY.upper()}")')}, "POLICY", "ROLE"),
    "in a longer word": Way({"main.tf": call(f'replace("{START}policy_X", "_X", "/X")')}, "policy_", "role_"),
    "in pieces": Way({"main.tf": call(f'join("", ["{START}pol", "icy/X"])')}, "pol", "ro"),
    "in pieces by themselves": Way({"main.tf": call(f'join("", ["{START}", "po", "licy/X"])')}, '"po"', '"ro"'),
    "in pieces around an interpolation": Way(
        {"main.tf": 'locals { a = "lic" }\n' + call(f'"{START}po${{local.a}}y/X"')}, ":po", ":ro"
    ),
    "in pieces behind a verb": Way({"main.tf": call(f'format("%sp%s", "{START}", "olicy/X")')}, "%sp%s", "%sr%s"),
    "in pieces of which one is a key": Way(
        {"main.tf": call(f'[for k, v in {{ poli = "cy/X" }} : "{START}${{k}}${{v}}"]')}, "poli", "role"
    ),
    "in a file": Way(
        {"main.tf": call('file("a.txt")') + 'locals { x = "a" }\n', "a.txt": POLICY}, 'file("a.txt")', "local.x"
    ),
    "encoded": Way({"main.tf": call('base64decode("YXJuOmF3czppYW06OmF3czpwb2xpY3kvWA==")')}, "base64decode", "upper"),
    "with escapes": Way({"main.tf": call(f'"{START}\\u0070olicy/X"')}, "\\u0070olicy", "role"),
    "the name of a directory": Way(
        {
            "main.tf": 'module "c" { source = "./policy/x" }\n',
            "policy/x/main.tf": call(f'"{START}${{path.module}}"'),
        },
        "path.module",
        "terraform.workspace",
    ),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_what_reaches_a_policy_is_evaluated(way: Way, tmp_path: Path) -> None:
    write_tree(tmp_path, way.files)
    found = check(tmp_path)
    assert found.violations
    assert found.violations == check(tmp_path, screen=False).violations
    assert any(way.token in text for text in way.files.values())
    write_tree(tmp_path, way.twin)
    assert not check(tmp_path, screen=False).violations
    assert check(tmp_path).units == 0


def passing(tree: Path, source: str) -> set[str]:
    write_tree(tree, {"main.tf": source})
    block = next(block for block in parse_body(source, "main.tf").blocks if block.type == "module")
    screen = ArgumentScreen(lambda root: [])
    return set(screen.may_pass(str(tree), str(tree), block.body.attributes))


def test_each_argument_counts_for_itself(tmp_path: Path) -> None:
    source = LOCALS + call("local.a", "  b = local.b\n  c = [local.b, local.a]\n")
    assert passing(tmp_path, source) == {"a", "c"}
    assert passing(tmp_path, source.replace("local.b, local.a", "local.b")) == {"a"}


def test_what_instances_are_made_of_counts_for_all(tmp_path: Path) -> None:
    assert passing(tmp_path, LOCALS + call("each.key", "  for_each = toset([local.a])\n  b = 1\n")) == {"a", "b"}
    assert passing(tmp_path, LOCALS + call("each.key", "  for_each = toset([local.b])\n  b = 1\n")) == set()


def test_what_cannot_be_followed_is_evaluated(tmp_path: Path) -> None:
    source = LOCALS + call("local.b")
    assert passing(tmp_path, source) == set()
    assert passing(tmp_path, source + 'module "gone" { source = "./gone" }\n') == {"a"}


@pytest.mark.parametrize(("key", "is_found"), [("PermissionsBoundary", False), ("Managed", True)])
def test_an_argument_that_passes_nothing_may_tell_what_another_one_is(key: str, is_found: bool, tmp_path: Path) -> None:
    source = f'module "m" {{\n  source = "a/b/aws"\n  key = "{key}"\n  value = "{POLICY}"\n}}\n'
    assert passing(tmp_path, source) == {"value"}
    assert bool(check(tmp_path).violations) is is_found


@pytest.mark.parametrize(("effect", "is_found"), [("Allow", False), ("x", True)])
def test_a_statement_attaches_nothing(effect: str, is_found: bool, tmp_path: Path) -> None:
    source = (
        f'module "m" {{\n  source = "a/b/aws"\n  effect = "{effect}"\n  actions = []\n  resources = ["{POLICY}"]\n}}\n'
    )
    assert passing(tmp_path, source) == {"resources"}
    assert bool(check(tmp_path).violations) is is_found
