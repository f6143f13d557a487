"""Random root modules against brute force: what some world attaches is found, and nothing else is.

`WORLD_PROGRAMS=20000 pytest tests/terraform/test_terraform_worlds.py` tries more modules than CI does.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from terraform_verdicts import ENTRIES, findings_in
from unapproved_iam.deny_list.entries import DenyList, Unresolved
from unapproved_iam.deny_list.verdict import Finding, Verdict
from unapproved_iam.policies.policy_arn import display_name
from unapproved_iam.scan.check_scope import Request
from unapproved_iam.scan.tree_check import findings_of
from world_writer import DENIED, Other, World, is_told, worlds, written_program
from written_files import write_tree

PROGRAMS = int(os.environ.get("WORLD_PROGRAMS", "150"))
FIRST = int(os.environ.get("WORLD_FIRST", "0"))


ONCE_WRONG = (531, 1179)  # a list of which no element is there; an element that is there in many sets of worlds
MOST_UNRESOLVED = 0.001
MOST_FALSE = 0.001
MOST_WORLDS = 20_000  # of one resource; of one that has more it is only asked whether it is missed


class Truth(NamedTuple):
    """Pairs of resource and denied policy, and resources."""

    surely: set[tuple[str, str]]  # attached in a world in which every name is told
    perhaps: set[tuple[str, str]]  # attached in a world in which a condition has told the name
    untold: set[str]  # that attach in some world what the tree does not tell
    attaching: set[str]  # that attach something in some world
    refused: set[str]  # that terraform refuses to compute in some world
    unfinished: set[str]  # that have too many worlds


class Faults(NamedTuple):
    silent: set[str]
    unresolved: set[str]
    false: set[tuple[str, str]]


@pytest.mark.parametrize("unresolved", Unresolved)
def test_what_some_world_attaches_is_found_and_nothing_else(unresolved: Unresolved, tmp_path: Path) -> None:
    seeds = (*range(FIRST, FIRST + PROGRAMS), *ONCE_WRONG)
    faults = {seed: faults_of(seed, tmp_path / str(seed), unresolved) for seed in seeds}
    silent, still_open, false = ([seed for seed in seeds if faults[seed][kind]] for kind in range(3))
    assert silent == []
    assert len(still_open) <= PROGRAMS * MOST_UNRESOLVED, still_open
    assert len(false) <= PROGRAMS * MOST_FALSE, false


def faults_of(seed: int, tree: Path, unresolved: Unresolved) -> Faults:
    """What a check says too little or too much, by a list that passes what is unresolved or that does not."""
    write_tree(tree, written_program(seed).files)
    deny_list = DenyList("fixtures", ENTRIES, unresolved=unresolved)
    found = findings_of(Request(paths=[str(tree)]), deny_list, str(tree), date(2026, 1, 1))
    assert not found.unjudged, seed
    faults = _faults(found.judged, truth_of(seed))
    return _faults(found.judged, truth_of(seed, is_eager=True)) if any(faults) else faults


def _faults(findings: Iterable[Finding], truth: Truth) -> Faults:
    denied, still_open = set(), set()
    for finding in findings:
        resource, policy = _without_keys(finding.attachment.resource), finding.attachment.policy
        if resource in truth.refused - truth.attaching:
            continue  # there is no answer: nobody has a plan with it
        if finding.verdict is Verdict.DENIED and not any(hole.is_other for hole in policy.holes):
            denied.add((resource, display_name(policy).rpartition("/")[2]))
        elif finding.verdict is Verdict.UNRESOLVED and resource not in truth.untold:
            still_open.add(resource)
    missed = {resource for resource, _ in truth.surely - denied}
    false = {pair for pair in denied - truth.perhaps if pair[0] not in truth.unfinished}
    return Faults(missed - still_open, still_open - truth.unfinished, false)


NAMES = 'variable "names" { default = ["ReadOnlyAccess", "IAMFullAccess"] }\n'
FLAG = 'variable "a" { default = true }\n'
BOOL = 'variable "a" { type = bool }\n'
TEXTS = "".join(f'variable "{name}" {{\n  type    = string\n  default = "a"\n}}\n' for name in "pq")
LIST = 'variable "l" {\n  type    = list(string)\n  default = ["a"]\n}\n'
VALIDATED = """
variable "env" {
  default = "dev"
  validation {
    condition     = contains(["dev", "<qa|prod>"], var.env)
    error_message = "no"
  }
}
"""
ROLE = """
resource "aws_iam_role" "x" {{
  name                = "r"
  managed_policy_arns = [for p in {} : "arn:aws:iam::aws:policy/${{p}}"]
}}
"""
VALIDATING = """
variable "n" {{
  {}
  validation {{
    {}
    error_message = "no"
  }}
}}
"""
ONE = """
resource "aws_iam_role_policy_attachment" "x" {{
  role       = "r"
  policy_arn = "arn:aws:iam::aws:policy/${{{}}}"
}}
"""
WITH_LIFECYCLE = """
resource "aws_iam_role_policy_attachment" "x" {{
  role       = "r"
  policy_arn = "arn:aws:iam::aws:policy/${{{}}}"
  lifecycle {{
    precondition {{
      {}
      error_message = "no"
    }}
  }}
}}
"""
KINDS = {  # <denied|clean>
    "a filter on a loop's element": (NAMES, '[for n in var.names : n if n != "<ReadOnlyAccess|IAMFullAccess>"]'),
    "a filter by contains": (NAMES, '[for n in var.names : n if !contains(["<ReadOnlyAccess|IAMFullAccess>"], n)]'),
    "a filter in a template": (
        NAMES,
        '["%{for n in var.names}%{if n != "<ReadOnlyAccess|IAMFullAccess>"}${n}%{endif}%{endfor}"]',
    ),
    "a condition and its negation": (FLAG, '[var.a && <|!>var.a ? "IAMFullAccess" : "ReadOnlyAccess"]'),
    "a switch that is null": (
        FLAG,
        '[var.a == true ? "ReadOnlyAccess" : <var.a == false|!var.a> ? "ReadOnlyAccess" : "IAMFullAccess"]',
    ),
    "a condition that another decides": (
        FLAG + 'variable "l" { default = [] }\nvariable "p" { default = "ReadOnlyAccess" }\n',
        '(var.p == "x" ? length(var.l) > 0 : <true|false>) && var.p != "x" && length(var.l) == 0 '
        '? ["IAMFullAccess"] : []',
    ),
    "a condition on the value itself": (
        'variable "n" { default = "IAMFullAccess" }\n',
        '[var.n == "<ReadOnlyAccess|IAMFullAccess>" ? "ReadOnlyAccess" : var.n]',
    ),
    "a part that may be missing": (
        'variable "o" { default = {} }\n',
        '[try(var.o.name, "<IAMFullAccess|ReadOnlyAccess>")]',
    ),
    "two elements of a list that is not known": (
        'variable "l" { default = [] }\nlocals { l = concat(var.l, []) }\n',
        'flatten([for x in local.l : [for y in local.l : "IAMFullAccess" if x == "a" && <y|x> == "b"]])',
    ),
    "bounds of a number": (
        'variable "n" { default = 3 }\n',
        '[var.n > 4 && var.n <= <9|2> ? "IAMFullAccess" : "ReadOnlyAccess"]',
    ),
    "texts that are put into one list": (
        'variable "p" {\n  type    = string\n  default = "ReadOnlyAccess"\n}\n',
        '[flatten([["ReadOnlyAccess", var.p], ["IAMFullAccess"]])[<2|0>]]',
    ),
    "what comes after elements that are not known": (
        'variable "l" {\n  type    = list(string)\n  default = ["ViewOnlyAccess"]\n}\n',
        '[flatten([for n in concat(var.l, ["ReadOnlyAccess", "IAMFullAccess"]) : n if n != ""])[<2|0>]]',
    ),
    "an element of a list that depends": (
        FLAG,
        "[element([for k, v in { ReadOnlyAccess = true, IAMFullAccess = var.a } : k if v], <0|1>)]",
    ),
    "a fallback of a variable": (
        'variable "p" { default = "ReadOnlyAccess" }\n',
        '[try({ a = var.p }["<b|a>"], "IAMFullAccess")]',
    ),
    "elements of which some are left out": (
        NAMES,
        'contains([for n in var.names : n if n != "a"], "<b|a>") ? ["IAMFullAccess"] : []',
    ),
    "what comes after two lists that are not known": (
        'variable "l" {\n  type    = list(string)\n  default = ["ViewOnlyAccess"]\n}\n',
        '[concat(["ReadOnlyAccess"], var.l, ["IAMFullAccess"], var.l)[<1|0>]]',
    ),
    "the first of a set with a list that is not known": (
        LIST,
        '[tolist(toset(concat(["<ViewOnlyAccess|AdministratorJob>", "IAMFullAccess"], var.l)))[0]]',
    ),
    "the first of a set": (
        'variable "p" { default = "ReadOnlyAccess" }\n',
        '[tolist(toset(["IAMFullAccess", "<PowerUserAccess|AmazonS3ReadOnlyAccess>", var.p]))[0]]',
    ),
    "how many are left of a list that is not known": (
        FLAG + LIST,
        '<!|>(length([for n in var.l : n if var.a]) > 0) && !var.a ? ["IAMFullAccess"] : []',
    ),
    "how many a list has at least": (
        LIST,
        'length(concat(var.l, ["b", "c"])) < <4|2> ? ["IAMFullAccess"] : []',
    ),
    "how many a list that is not known surely has not": (
        LIST,
        'length(concat(var.l, ["b", "c"])) == <2|1> ? ["IAMFullAccess"] : []',
    ),
    "elements that nobody looks at": (
        FLAG + LIST,
        '[for n in [for n in var.l : "x" if var.a] : "IAMFullAccess" if <|!>var.a]',
    ),
    "the first of a list that is empty": (
        LIST,
        '[length(var.l) > 0 ? "" : <"a"|var.l[0]> == "a" ? "IAMFullAccess" : ""]',
    ),
    "what a validation says of a number": (
        'variable "n" {\n  default = 3\n  validation {\n    condition     = var.n > <0|1>\n'
        '    error_message = "no"\n  }\n}\n',
        'var.n <= 1 ? ["IAMFullAccess"] : []',
    ),
    "what a validation says of a length": (
        'variable "l" {\n  type    = list(string)\n  default = ["a", "b"]\n  validation {\n'
        '    condition     = length(var.l) > <0|1>\n    error_message = "no"\n  }\n}\n',
        'length(var.l) == 1 ? ["IAMFullAccess"] : []',
    ),
    "how many a set has": (
        'variable "p" { default = "ReadOnlyAccess" }\n',
        'length(toset([var.p<, "a"|>])) > 1 ? ["IAMFullAccess"] : []',
    ),
    "a bool as the key of a map": (
        BOOL,
        'var.a ? [] : [{ true = "ReadOnlyAccess", false = "<IAMFullAccess|ViewOnlyAccess>" }[var.a]]',
    ),
    "a bool as a text": (BOOL, 'var.a ? [] : [tostring(var.a) == "<false|true>" ? "IAMFullAccess" : "ReadOnlyAccess"]'),
    "a bool in a template": (BOOL, 'var.a ? [] : ["${var.a}" == "<false|true>" ? "IAMFullAccess" : "ReadOnlyAccess"]'),
    "a bool in a list of texts": (
        BOOL,
        'contains(["<false|true>"], tostring(var.a)) && !var.a ? ["IAMFullAccess"] : []',
    ),
    "a text as a bool": (
        'variable "e" { default = "true" }\n',
        'var.e == "<false|true>" ? [var.e ? "ReadOnlyAccess" : "IAMFullAccess"] : []',
    ),
    "a digit as a bool": (
        'variable "e" { default = "1" }\n',
        'var.e == "<0|2>" ? [var.e ? "ReadOnlyAccess" : "IAMFullAccess"] : []',
    ),
    "a bool as a digit": (
        'variable "e" { default = "0" }\n',
        'var.e ? [var.e == "<1|0>" ? "IAMFullAccess" : "ReadOnlyAccess"] : []',
    ),
    "a number as the key of a map": (
        'variable "n" { type = number }\n',
        'var.n == <3|2> ? [lookup({ "3" = "IAMFullAccess" }, var.n, "ReadOnlyAccess")] : []',
    ),
    "a number as a text": (
        'variable "n" { default = 2 }\n',
        'var.n == <3|4> && tostring(var.n) == "3" ? ["IAMFullAccess"] : []',
    ),
    "a text as a number": (
        'variable "n" { default = "2" }\n',
        'var.n == "<1|2>" ? [["ReadOnlyAccess", "IAMFullAccess", "ReadOnlyAccess"][var.n]] : []',
    ),
    "a part of a text": (
        'variable "e" { default = "x" }\n',
        'var.e == "prod-eu" ? [split("-", var.e)[0] == "prod" ? "<IAMFullAccess|x>" : "ReadOnlyAccess"] : []',
    ),
    "a text in other letters": (
        'variable "e" { default = "x" }\n',
        'var.e == "PROD" ? [lower("a-${var.e}") == "<a-prod|b-prod>" ? "IAMFullAccess" : "ReadOnlyAccess"] : []',
    ),
    "what may be ephemeral": (
        'variable "e" {\n  ephemeral = true\n  default   = "x"\n}\n',
        'ephemeralasnull(var.e) == null ? ["<IAMFullAccess|ReadOnlyAccess>"] : ["ViewOnlyAccess"]',
    ),
    "how many a set has of what is not known": (
        TEXTS,
        'length(toset([var.p, var.<q|p>, var.p])) > 1 ? ["IAMFullAccess"] : []',
    ),
    "how many are distinct": (
        TEXTS,
        'length(distinct([var.p, var.<q|p>, var.p])) > 1 ? ["IAMFullAccess"] : []',
    ),
    "how many are distinct where two may be equal": (
        TEXTS,
        'length(distinct([var.p, var.q, <"b"|var.p>])) == 3 ? ["IAMFullAccess"] : []',
    ),
    "how many a set has of a list that is not known": (
        LIST,
        'length(var.l) > 1 && length(<toset(var.l)|var.l>) == 1 ? ["IAMFullAccess"] : []',
    ),
    "what is refused, and so absent nowhere": (
        'variable "e" {\n  type    = string\n  default = "a"\n}\nlocals { l = contains(["a"], var.e) }\n',
        '[join("", [for w in [{ v = "x", on = local.l }, { v = "y", on = <|!>local.l }] : w.v if w.on]) == "" '
        '? "IAMFullAccess" : ""]',
    ),
    "what another variable makes impossible": (
        'variable "s" { default = false }\nvariable "env" {\n  default = "qa"\n  validation {\n'
        '    condition     = var.env != "<prod|dev>"\n    error_message = "no"\n  }\n}\n',
        '[var.s ? "IAMFullAccess" : "", var.s ? { dev = "" }[var.env] : ""]',
    ),
    "what is refused elsewhere": (
        'variable "m" {\n  type    = map(string)\n  default = { a = "x" }\n}\nlocals { l = { a = "x" }[var.m.a] }\n',
        '[try(<{ a = "x" }[var.m.a]|local.l>, "IAMFullAccess")]',
    ),
    "an element that is there before it starts again": (
        LIST,
        '[element(concat(["ReadOnlyAccess", "IAMFullAccess"], var.l), <1|0>)]',
    ),
    "a variable that is never null": (
        'variable "s" {\n  default = true\n<|  nullable = false\n>}\n',
        'var.s == null ? ["IAMFullAccess"] : []',
    ),
    "a validation": (VALIDATED, '[lookup({ qa = "IAMFullAccess" }, var.env, "ReadOnlyAccess")]'),
}


@pytest.mark.parametrize(("variables", "names"), KINDS.values(), ids=KINDS)
def test_a_value_and_its_condition_belong_to_one_world(variables: str, names: str, tmp_path: Path) -> None:
    source = variables + ROLE.format(names)
    for is_denied in (True, False):
        chosen = re.sub(r"<([^<>|]*)\|([^<>|]*)>", r"\1" if is_denied else r"\2", source)
        findings, _ = findings_in(write_tree(tmp_path / str(is_denied), {"main.tf": chosen}))
        assert {finding.verdict for finding in findings} - {Verdict.CLEAN} == ({Verdict.DENIED} if is_denied else set())


OF_NUMBER = "condition = var.n >= 1 && var.n <= <4|3>"
REQUIRED = {  # type and default of a variable, what is required of it, what is attached; <denied|clean>
    "what a text matches": (
        'default = "x"',
        'condition = !can(regex("<Power|Full>", var.n))',
        'var.n == "IAMFullAccess" ? "IAMFullAccess" : "x"',
    ),
    "how a text begins": (
        'default = "dev-1"',
        'condition = startswith(var.n, "<d|dev>-")',
        'startswith(var.n, "dev-") ? "x" : "IAMFullAccess"',
    ),
    "what is made of a text": (
        'default = "dev"',
        'condition = contains(["dev", "<qa|prod>"], lower(var.n))',
        'lookup({ qa = "IAMFullAccess" }, lower(var.n), "x")',
    ),
    "where a list has it": (
        'default = "dev"',
        'condition = can(index(["dev", "<qa|prod>"], var.n))',
        'lookup({ qa = "IAMFullAccess" }, var.n, "x")',
    ),
    "an attribute": (
        'default = { env = "dev" }',
        'condition = contains(["dev", "<qa|prod>"], var.n.env)',
        'lookup({ qa = "IAMFullAccess" }, var.n.env, "x")',
    ),
    "bounds of a number": ("default = 1", OF_NUMBER, 'var.n > 3 ? "IAMFullAccess" : "x"'),
    "a number that is a key": ("type = number", OF_NUMBER, 'lookup({ 4 = "IAMFullAccess" }, var.n, "x")'),
    "how long a list is": (
        "default = []",
        "condition = length(var.n) < <2|1>",
        'length(var.n) > <0|1> ? "IAMFullAccess" : "x"',
    ),
    "what a list holds": (
        'default = ["x"]',
        'condition = !contains(var.n, "<y|IAMFullAccess>")',
        'contains(var.n, "IAMFullAccess") ? "IAMFullAccess" : "x"',
    ),
    "another variable": (
        "default = false",
        'condition = <var.n|!var.n> || terraform.workspace != "prod"',
        'var.n && terraform.workspace == "prod" ? "IAMFullAccess" : "x"',
    ),
    "that it is something": (
        "default = null",
        'condition = <!|>can(regex("^[a-z]", var.n))',
        'var.n == "X" ? "IAMFullAccess" : "x"',
    ),
    "the length of a text that is a key": (
        "type = string",
        "condition = length(var.n) > 3",
        'lookup({ true = "<IAMFullAccess|y>", x = "x" }, var.n, "x")',
    ),
}


@pytest.mark.parametrize(("variable", "required", "name"), REQUIRED.values(), ids=REQUIRED)
@pytest.mark.parametrize("by", ["validation", "precondition", "validation in a module"])
def test_where_a_requirement_fails_nothing_is_attached(
    by: str, variable: str, required: str, name: str, tmp_path: Path
) -> None:
    if by == "precondition":
        source = f'variable "n" {{\n  {variable}\n}}\n' + WITH_LIFECYCLE.format(name, required)
    else:
        source = VALIDATING.format(variable, required) + ONE.format(name)
    calling = f'variable "n" {{\n  {variable}\n}}\nmodule "m" {{\n  source = "./m"\n  n      = var.n\n}}\n'
    for is_denied in (True, False):
        chosen = re.sub(r"<([^<>|]*)\|([^<>|]*)>", r"\1" if is_denied else r"\2", source)
        files = {"m/main.tf": chosen, "main.tf": calling} if by.endswith("module") else {"main.tf": chosen}
        findings, _ = findings_in(write_tree(tmp_path / str(is_denied), files))
        assert any(finding.verdict is Verdict.DENIED for finding in findings) is is_denied


FILES = {
    "a/eu.txt": "ReadOnlyAccess",
    "a/a.txt": "ViewOnlyAccess",
    "b/us.txt": "IAMFullAccess",
    "b/a-b.txt": "IAMFullAccess",
    "b/c-c.txt": "PowerUserAccess",
}
BY_FILE = {  # <denied|clean>
    "by two parts": '[file("${terraform.workspace}/<${var.region}|eu>.txt")]',
    "by two parts, one of which is told elsewhere": (
        'terraform.workspace == "<b|a>" ? [file("${terraform.workspace}/${var.region}.txt")] : []'
    ),
    "by one part twice": '[file("<b|a>/${terraform.workspace}-${terraform.workspace}.txt")]',
    "by a part in two names": '[file("${terraform.workspace}/${terraform.workspace}.txt"), <"IAMFullAccess"|"x">]',
    "a template": '[templatefile("<b|a>/${var.region}.txt", {})]',
}


@pytest.mark.parametrize("names", BY_FILE.values(), ids=BY_FILE)
def test_each_file_that_a_path_may_mean_counts(names: str, tmp_path: Path) -> None:
    source = 'variable "region" {}\n' + ROLE.format(names)
    for is_denied in (True, False):
        chosen = re.sub(r"<([^<>|]*)\|([^<>|]*)>", r"\1" if is_denied else r"\2", source)
        findings, _ = findings_in(write_tree(tmp_path / str(is_denied), FILES | {"main.tf": chosen}))
        denied = any(finding.verdict is Verdict.DENIED for finding in findings)
        assert denied is is_denied


COUNTED = """
variable "l" {{ default = {0} }}
resource "aws_iam_role_policy_attachment" "x" {{
  count      = {1}
  role       = "r"
  policy_arn = "arn:aws:iam::aws:policy/${{{1} == {2} ? "IAMFullAccess" : "ReadOnlyAccess"}}"
}}
"""


@pytest.mark.parametrize(("default", "number"), [("[]", "length(var.l)"), ("0", "var.l")])
def test_an_instance_says_that_its_count_is_positive(default: str, number: str, tmp_path: Path) -> None:
    for count, is_denied in ((1, True), (0, False)):
        source = COUNTED.format(default, number, count)
        findings, _ = findings_in(write_tree(tmp_path / str(count), {"main.tf": source}))
        assert any(finding.verdict is Verdict.DENIED for finding in findings) is is_denied


ABSENT = """
variable "env" {{ default = "dev" }}
module "m" {{
  source = "./m"
  count  = var.env == "{}" ? 0 : 1
  env    = var.env
}}
resource "aws_iam_role_policy_attachment" "x" {{
  role       = "r"
  policy_arn = "arn:aws:iam::aws:policy/${{var.env == "qa" ? "IAMFullAccess" : "x"}}"
}}
"""
OF_MODULE = """
variable "env" {
  validation {
    condition     = var.env != "qa"
    error_message = "no"
  }
}
resource "aws_iam_role_policy_attachment" "m" {
  role       = var.env
  policy_arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
}
"""


def test_what_a_module_requires_says_nothing_of_worlds_without_it(tmp_path: Path) -> None:
    findings, _ = findings_in(write_tree(tmp_path, {"main.tf": ABSENT.format("qa"), "m/main.tf": OF_MODULE}))
    assert any(finding.verdict is Verdict.DENIED for finding in findings)


OBJECT = """
variable "o" {
  type    = any
  default = %s
}
resource "aws_iam_user_policy_attachment" "x" {
  count      = try(var.o.on, true) ? 1 : 0
  user       = "u"
  policy_arn = "arn:aws:iam::aws:policy/IAMFullAccess"
}
"""


@pytest.mark.parametrize("default", ["{}", "{ on = true }"])
def test_a_default_that_decides_the_same_is_not_told(default: str, tmp_path: Path) -> None:
    findings, _ = findings_in(write_tree(tmp_path, {"main.tf": OBJECT % default}))
    assert [finding.attachment.when for finding in findings] == [("var.o.on is missing or true",)]


NEVER_DEV = """
variable "env" {
  default = "qa"
  validation {
    condition     = var.env != "%s"
    error_message = "no"
  }
}
resource "aws_iam_user_policy_attachment" "x" {
  count      = var.env != "dev" ? 1 : 0
  user       = "u"
  policy_arn = "arn:aws:iam::aws:policy/IAMFullAccess"
}
"""


@pytest.mark.parametrize(("excluded", "when"), [("prod", ('var.env is not "dev"',)), ("dev", ())])
def test_what_a_validation_says_anyway_is_not_told(excluded: str, when: tuple[str, ...], tmp_path: Path) -> None:
    findings, _ = findings_in(write_tree(tmp_path, {"main.tf": NEVER_DEV % excluded}))
    assert [finding.attachment.when for finding in findings] == [when]


OF_OBJECT = """
variable "c" {{
  type    = object({{ own = optional(bool, true), policy = optional(string, "") }})
  default = {{}}
}}
resource "aws_iam_role_policy_attachment" "x" {{
  role       = "r"
  policy_arn = var.c.own ? "arn:aws:iam::aws:policy/ReadOnlyAccess" : {}
}}
"""


@pytest.mark.parametrize(
    ("otherwise", "verdicts"),
    [("var.c.policy", {Verdict.UNRESOLVED}), ('"arn:aws:iam::aws:policy/ViewOnlyAccess"', set())],
)
def test_a_branch_that_the_default_does_not_take_is_told(
    otherwise: str, verdicts: set[Verdict], tmp_path: Path
) -> None:
    findings, _ = findings_in(write_tree(tmp_path, {"main.tf": OF_OBJECT.format(otherwise)}))
    assert {finding.verdict for finding in findings} - {Verdict.CLEAN} == verdicts


@cache
def truth_of(seed: int, is_eager: bool = False) -> Truth:
    """Eagerly computed is less, as terraform may refuse the other side of `&&`, and conditions tell more."""
    program = written_program(seed)
    truth = Truth(set(), set(), set(), set(), set(), set())
    for resource, attached in program.attached.items():
        every = (one for run in program.runs for eager in {False, is_eager} for one in worlds(run, eager))
        for number, world in enumerate(every):
            if number == MOST_WORLDS:
                truth.unfinished.add(resource)
                break
            _tell(truth, resource, attached(world), world)
    return truth


def _tell(truth: Truth, resource: str, policies: list[Any] | None, world: World) -> None:
    if policies is None:
        truth.refused.add(resource)
    elif policies:
        truth.attaching.add(resource)
    for policy in policies or ():
        if not is_told(policy, world):
            truth.untold.add(resource)
        elif policy in DENIED or policy.startswith("legacy-"):
            truth.perhaps.add((resource, str(policy)))
            if not isinstance(policy, Other):
                truth.surely.add((resource, policy))


def _without_keys(address: str) -> str:
    return re.sub(r'\["[^"]*"\]|\[\d+\]', "", address)
