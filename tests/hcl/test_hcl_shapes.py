"""Every shape in which an expression may yield a policy: one denied, and a clean twin that differs in one token.

In a shape, `<X|Y>` is X in the denied twin and Y in the clean one; ADMIN and READ are the ARNs of two policies.
"""

# ruff: noqa: E501 (a shape is one line)

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from hcl_module import Module
from unapproved_iam.policies.policy_arn import globs_of_entry, narrowed
from unapproved_iam.policies.possible_text import Match, match

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
READ = "arn:aws:iam::aws:policy/ReadOnlyAccess"
DENIED = globs_of_entry("AdministratorAccess")

MODULE = """
variable "env" { default = "dev" }
variable "is_admin" { default = false }
variable "names" { default = ["ReadOnlyAccess", "<AdministratorAccess|ViewOnlyAccess>"] }
variable "roles" { default = { dev = { policies = ["<AdministratorAccess|ViewOnlyAccess>"], is_admin = false } } }
variable "unset" {}
locals {
  admin = "<ADMIN|READ>"
  is_production = var.env == "prod"
  by_env = { dev = "READ", prod = "<ADMIN|READ>" }
  list = ["READ", "<ADMIN|READ>"]
  nested = { a = { b = ["READ", "<ADMIN|READ>"] } }
  always = true
  loop = [local.loop, "<ADMIN|READ>"]
}
"""


@dataclass(frozen=True)
class Shape:
    expression: str
    when: str | None = None  # the conditions of the denied policy; None: it is certain
    leaves_open: bool = False  # the clean twin holds something unknown


SHAPES = {
    # literals and templates
    "literal": Shape('"<ADMIN|READ>"'),
    "list": Shape('["READ", "<ADMIN|READ>"]'),
    "template": Shape('"arn:aws:iam::aws:policy/${"<AdministratorAccess|ReadOnlyAccess>"}"'),
    "nested template": Shape('"${"${"<ADMIN|READ>"}"}"'),
    "unknown partition": Shape('"arn:${data.aws_partition.x.partition}:iam::aws:policy/<AdministratorAccess|ReadOnlyAccess>"'),
    "heredoc": Shape("trimspace(<<-EOT\n    <ADMIN|READ>\n  EOT\n)"),
    "directive": Shape('"arn:aws:iam::aws:policy/%{ if <true|false> }AdministratorAccess%{ else }ReadOnlyAccess%{ endif }"'),
    "open directive": Shape(
        '"arn:aws:iam::aws:policy/%{ if var.is_admin }<AdministratorAccess|ViewOnlyAccess>%{ else }ReadOnlyAccess%{ endif }"',
        when="var.is_admin is true",
    ),
    "loop in a template": Shape('"arn:aws:iam::aws:policy/%{ for x in ["Administrator", "<Access|Only>"] }${x}%{ endfor }"'),
    "escapes": Shape(r'"arn\u003aaws:iam::aws:policy/<Admin\u0069strator|ReadOnly>Access"'),
    "a character that terraform normalizes": Shape('replace("arn:aws:iam::aws:policy/\u212aX", "KX", "<AdministratorAccess|ReadOnlyAccess>")'),
    # references
    "local": Shape("local.admin"),
    "default of a root variable": Shape('[for name in var.names : "arn:aws:iam::aws:policy/${name}"]'),
    "attributes of a root variable": Shape('"arn:aws:iam::aws:policy/${var.roles.dev.policies[0]}"'),
    "index": Shape("local.list[<1|0>]"),
    "index by a variable": Shape("local.list[var.unset]", when="var.unset is 1"),
    "older index": Shape("local.list.<1|0>"),
    "key": Shape('local.by_env["<prod|dev>"]'),
    "key of a root variable": Shape("local.by_env[var.env]", when='var.env is "prod"'),
    "attribute": Shape("local.by_env.<prod|dev>"),
    "nested attributes": Shape("local.nested.a.b[<1|0>]"),
    "splat": Shape('[{ arn = "<ADMIN|READ>" }][*].arn'),
    "splat of one": Shape('{ arn = "<ADMIN|READ>" }[*].arn'),
    "attribute splat": Shape('[{ arn = "<ADMIN|READ>" }].*.arn'),
    "a local that refers to itself": Shape("local.loop", leaves_open=True),
    # conditions
    "conditional": Shape('<true|false> ? "ADMIN" : "READ"'),
    "comparison without parentheses": Shape('"prod" == "<prod|dev>" ? "ADMIN" : "READ"'),
    "comparison with a variable": Shape('var.env == "prod" ? "<ADMIN|READ>" : "READ"', when='var.env is "prod"'),
    "other side of a comparison": Shape('var.env == "prod" ? "READ" : "<ADMIN|READ>"', when='var.env is not "prod"'),
    "condition in a local": Shape('local.is_production ? "<ADMIN|READ>" : "READ"', when='var.env is "prod"'),
    "negated condition": Shape('!var.is_admin ? "READ" : "<ADMIN|READ>"', when="var.is_admin is true"),
    "unknown condition": Shape('var.unset ? "<ADMIN|READ>" : "READ"', when="var.unset is true"),
    "a side that decides": Shape('local.always || var.unset ? "<ADMIN|READ>" : "READ"'),
    "a dead side": Shape('var.unset && <local.always|false> ? "ADMIN" : "READ"', when="var.unset is true"),
    "both sides": Shape('var.unset ? "<ADMIN|READ>" : "<ADMIN|READ>"'),
    "conditional in a conditional": Shape(
        'var.unset ? "READ" : var.is_admin ? "<ADMIN|READ>" : "READ"', when="var.unset is false and var.is_admin is true"
    ),
    "a condition that contradicts another": Shape('var.unset ? (var.unset ? "<ADMIN|READ>" : "READ") : "READ"', when="var.unset is true"),
    "conditional list": Shape('concat(["READ"], var.is_admin ? ["<ADMIN|READ>"] : [])', when="var.is_admin is true"),
    "arithmetic": Shape("local.list[<2 - 1|2 - 2>]"),
    "precedence": Shape('1 + 2 * 3 == <7|9> ? "ADMIN" : "READ"'),
    # loops
    "for": Shape('[for name in ["<AdministratorAccess|ViewOnlyAccess>"] : "arn:aws:iam::aws:policy/${name}"]'),
    "for with a condition": Shape('[for arn in ["ADMIN", "READ"] : arn if arn <==|!=> "ADMIN"]'),
    "for with an open condition": Shape('[for arn in ["<ADMIN|READ>"] : arn if var.unset]', when="var.unset is true"),
    "for over a map": Shape('[for k, v in { a = "<ADMIN|READ>" } : v]'),
    "for over keys": Shape('[for k, v in { "<ADMIN|READ>" = 1 } : k]'),
    "for into a map": Shape('{ for k, v in { a = "<ADMIN|READ>" } : k => v }'),
    "for in groups": Shape('{ for arn in ["<ADMIN|READ>"] : "all" => arn... }["all"]'),
    "for in for": Shape('flatten([for r in var.roles : [for p in r.policies : "arn:aws:iam::aws:policy/${p}"]])'),
    "for over something unknown": Shape('[for x in var.unset : "<ADMIN|READ>"]'),
    "for over a set": Shape('[for arn in toset(["<ADMIN|READ>"]) : arn]'),
    # functions
    **{
        call: Shape(call)
        for call in (
            'concat(["READ"], ["<ADMIN|READ>"])',
            'flatten(["READ", [["<ADMIN|READ>"]]])',
            'toset(["<ADMIN|READ>", "READ"])',
            'tolist(toset(["<ADMIN|READ>"]))',
            'distinct(["<ADMIN|READ>", "<ADMIN|READ>"])',
            'compact(["", null, "<ADMIN|READ>"])',
            'sort(["<ADMIN|READ>", "READ"])',
            'reverse(["READ", "<ADMIN|READ>"])[0]',
            'slice(["READ", "<ADMIN|READ>", "READ"], 1, 2)',
            'element(["READ", "<ADMIN|READ>"], 3)',
            'merge({ a = "ADMIN" }, { <b|a> = "READ" })',
            'values({ a = "<ADMIN|READ>" })',
            'keys({ "<ADMIN|READ>" = 1 })',
            'lookup({ a = "<ADMIN|READ>" }, "a", "READ")',
            'lookup({ a = "READ" }, "b", "<ADMIN|READ>")',
            'zipmap(["a"], ["<ADMIN|READ>"])["a"]',
            'one(["<ADMIN|READ>"])',
            'coalesce(null, "", "<ADMIN|READ>")',
            'coalescelist([], ["<ADMIN|READ>"])',
            'try({}.a, "<ADMIN|READ>")',
            'can({}.a) ? "READ" : "<ADMIN|READ>"',
            'join("/", ["arn:aws:iam::aws:policy", "<AdministratorAccess|ReadOnlyAccess>"])',
            'split(",", "READ,<ADMIN|READ>")',
            'format("arn:%s:iam::aws:policy/%s", "aws", "<AdministratorAccess|ReadOnlyAccess>")',
            'format("%s/%[1]s", "a") == "a/a" ? "<ADMIN|READ>" : "READ"',
            'formatlist("arn:aws:iam::aws:policy/%s", ["ReadOnlyAccess", "<AdministratorAccess|ViewOnlyAccess>"])',
            'replace("arn:PARTITION:iam::aws:policy/<AdministratorAccess|ReadOnlyAccess>", "PARTITION", "aws")',
            'replace("arn:PARTITION:iam::aws:policy/<AdministratorAccess|ReadOnlyAccess>", "PARTITION", var.unset)',
            'replace("arn:aws:iam::aws:policy/<AdministratorAccess|ReadOnlyAccess>9", "/[0-9]$/", "")',
            'trimprefix("x<ADMIN|READ>", "x")',
            'trimsuffix("<ADMIN|READ>x", "x")',
            'trimspace(" <ADMIN|READ> ")',
            '"arn:aws:iam::aws:policy/${title("<administrator|readOnly>")}Access"',
            'lower("ARN:AWS:IAM::AWS:POLICY/") == "arn:aws:iam::aws:policy/" ? "<ADMIN|READ>" : "READ"',
            'setunion(["READ"], ["<ADMIN|READ>"])',
            'setsubtract(["ADMIN", "READ"], ["<READ|ADMIN>"])',
            'setintersection(["ADMIN", "READ"], ["<ADMIN|READ>"])',
            'setproduct(["READ"], ["<ADMIN|READ>"])[*][1]',
            'contains(["a"], "<a|b>") ? "ADMIN" : "READ"',
            'length(["a"]) == <1|2> ? "ADMIN" : "READ"',
            'startswith("arn:aws", "<arn|foo>") ? "ADMIN" : "READ"',
            'jsondecode("[\\"<ADMIN|READ>\\"]")',
            'jsondecode(jsonencode({ a = "<ADMIN|READ>" })).a',
            'yamldecode("arns:\\n  - <ADMIN|READ>\\n").arns',
            'csvdecode("arn\\n<ADMIN|READ>\\n")[0].arn',
            'base64decode(base64encode("<ADMIN|READ>"))',
            'regex("^(arn:.*/).*$", "<ADMIN|READ>")[0] == "arn:aws:iam::aws:policy/" ? "<ADMIN|READ>" : "READ"',
            'nonsensitive(sensitive("<ADMIN|READ>"))',
            'tomap({ a = "<ADMIN|READ>" })',
            'chunklist(["READ", "<ADMIN|READ>"], 1)[1]',
            'matchkeys(["ADMIN", "READ"], ["a", "b"], ["<a|b>"])',
            'transpose({ "<ADMIN|READ>" = ["a"] })["a"]',
            '[for i in range(2) : local.list[i]]',
            'concat([for x in [["READ"], ["<ADMIN|READ>"]] : x]...)',
            'merge([for x in ["<ADMIN|READ>"] : { a = x }]...)["a"]',
            'provider::aws::arn_build("aws", "iam", "", "aws", "policy/<AdministratorAccess|ReadOnlyAccess>")',
            'file("<admin|read>.txt")',
            'jsondecode(file("${path.module}/<admin|read>.json")).arns',
            'templatefile("policy.tftpl", { name = "<AdministratorAccess|ReadOnlyAccess>" })',
        )
    },
    # something unknown beside the policies: they stay
    "unknown function": Shape('unknown_function("<ADMIN|READ>")', leaves_open=True),
    "function of a provider": Shape('provider::x::f({ a = ["<ADMIN|READ>"] })', leaves_open=True),
    "document given to an unknown function": Shape('unknown_function("{\\"a\\": \\"<ADMIN|READ>\\"}")', leaves_open=True),
    "unknown arguments": Shape('element(unknown_function(["<ADMIN|READ>"]), 0)', leaves_open=True),
    "attribute of an unknown value": Shape('unknown_function(["<ADMIN|READ>"]).x[0].y', leaves_open=True),
    "unknown list": Shape('concat(["<ADMIN|READ>"], var.unset)', leaves_open=True),
    "unknown map": Shape('merge(var.unset, { a = "<ADMIN|READ>" })["a"]'),
    "map that something unknown may change": Shape('merge({ a = "<ADMIN|READ>" }, var.unset)["a"]', leaves_open=True),
    "fallback of something unknown": Shape('try(data.x.y.z, "<ADMIN|READ>")', when="data.x.y.z is missing", leaves_open=True),
    "fallback of null": Shape('coalesce(var.unset, "<ADMIN|READ>")', when='var.unset is "" or null', leaves_open=True),
    "what terraform refuses": Shape('concat("<ADMIN|READ>")', leaves_open=True),
    "element that is not there": Shape('["ADMIN"][<0|7>]', leaves_open=True),
    "a file that is not there": Shape('[file("missing.txt"), "<ADMIN|READ>"]', leaves_open=True),
    "a file outside the tree": Shape('[file("../outside.txt"), "<ADMIN|READ>"]', leaves_open=True),
    "too many alternatives": Shape('"${' + "}${".join(f'var.unset != "{n}" ? "a" : "b"' for n in range(7)) + '}" == "aaaaaaa" ? "<ADMIN|READ>" : "READ"', when="*"),
    "too many alternatives of a call": Shape(
        "f(" + ", ".join(f'var.unset == "{n}" ? "a" : "<ADMIN|READ>"' for n in range(9)) + ")", when="*", leaves_open=True
    ),
    "absurd nesting": Shape("[" * 90 + '"<ADMIN|READ>"' + "]" * 90),
    "absurd operators": Shape('"' + "${var.env}" * 400 + '" == "" ? "<ADMIN|READ>" : "READ"', when="*"),
}  # fmt: skip


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("tree") / "module"
    directory.mkdir()
    (directory.parent / "outside.txt").write_text(ADMIN, encoding="utf-8")
    (directory / "policy.tftpl").write_text("arn:aws:iam::aws:policy/${name}", encoding="utf-8")
    for name, arn in (("admin", ADMIN), ("read", READ)):
        (directory / f"{name}.txt").write_text(arn, encoding="utf-8")
        (directory / f"{name}.json").write_text(f'{{"arns": ["{arn}"]}}', encoding="utf-8")
    return directory


def twin(source: str, is_denied: bool) -> str:
    chosen = re.sub(r"<([^<>|]*)\|([^<>|]*)>", r"\1" if is_denied else r"\2", source)
    return chosen.replace("ADMIN", ADMIN).replace("READ", READ)


def matches_in(shape: Shape, directory: Path, is_denied: bool) -> list[tuple[Match, str]]:
    module = Module(twin(MODULE, is_denied), str(directory))
    return [
        (match(narrowed(found.policy), DENIED), " and ".join(found.when))
        for found in module.attachments(twin(shape.expression, is_denied))
    ]


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_the_denied_twin_is_found_and_the_clean_one_is_not(shape: Shape, directory: Path) -> None:
    denied = [when for certainty, when in matches_in(shape, directory, is_denied=True) if certainty is Match.ALWAYS]
    assert denied
    if shape.when != "*":
        assert set(denied) == {shape.when or ""}
    clean = {certainty for certainty, _ in matches_in(shape, directory, is_denied=False)}
    assert clean <= ({Match.NEVER, Match.SOMETIMES} if shape.leaves_open else {Match.NEVER})
