"""Which values an expression may yield, under which conditions, and that every evaluation ends."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hcl_module import Module
from unapproved_iam.hcl import collection_parts, evaluation, strings
from unapproved_iam.hcl.evaluation import evaluate
from unapproved_iam.hcl.scope import Files, Layer
from unapproved_iam.hcl.syntax import parse_expression
from unapproved_iam.hcl.texts import policies_in_text, possible_texts
from unapproved_iam.hcl.values import Found, Record, Unknown, Value, exactly, string, unknown
from unapproved_iam.policies.possible_text import Hole, text

MODULE = """
variable "env" { default = "dev" }
variable "flag" { default = true }
variable "number" { default = 1 }
variable "list" { default = ["a", "b"] }
variable "map" { default = { dev = "a", prod = "b" } }
variable "empty" { default = [] }
variable "nothing" { default = null }
variable "argument" {}
variable "unset" {}
locals {
  map = { dev = "x", prod = "y" }
  roles = { r = { env = "dev", admin = false } }
  one = local.two
  two = "${local.one}"
}
"""


@pytest.fixture(scope="module")
def module() -> Module:
    return Module(MODULE, arguments={"argument": '"given"'})


# Root variables: used as they are, and yet a condition on them stays open.
OPEN = {
    "var.env": ["dev"],
    '"${var.env}-x"': ["dev-x"],
    "var.list": ["a", "b"],
    "var.list[1]": ["b"],
    "element(var.list, 3)": ["b"],
    "var.map.prod": ["b"],
    "join(\",\", var.list)": ["a,b"],
    "[for x in var.list : upper(x)]": ["A", "B"],
    'var.env == "dev" ? "x" : "y"': ['x when var.env is "dev"', 'y when var.env is not "dev"'],
    'var.flag ? "x" : "y"': ["x when var.flag is true", "y when var.flag is false"],
    '!var.flag ? "x" : "y"': ["x when var.flag is false", "y when var.flag is true"],
    'length(var.list) > 0 ? "x" : "y"': ["x when length(var.list) > 0", "y when length(var.list) is 0"],
    'contains(var.list, "a") ? "x" : "y"': [
        'x when contains(var.list, "a") is true',
        'y when contains(var.list, "a") is false',
    ],
    # a variable that is a whole selector may select any element, an element of one selects as it is
    "local.map[var.env]": ['x when var.env is "dev"', 'y when var.env is "prod"'],
    'lookup(local.map, var.env, "z")': [
        'x when var.env is "dev"',
        'y when var.env is "prod"',
        'z when var.env is neither "dev" nor "prod"',
    ],
    # a loop over something unknown may turn any number of times
    '{ for e in var.unset : "a" => e... }.a[1]': ["${var.unset} when length(var.unset) > 0"],
    "[for e in var.list : lookup({ a = 1, c = 2 }, e, 3)]": [
        '1 when var.list[*] is "a" or var.list is its default',
        '3 when var.list is its default or var.list[*] is neither "a" nor "c"',
        '2 when var.list[*] is "c"',
    ],
    "[for e in toset(var.list) : e == \"a\" ? 1 : 2]": [
        '1 when var.list[*] is "a" or var.list is its default',
        '2 when var.list[*] is not "a" or var.list is its default',
    ],
    "[for e in var.list : e == \"a\" ? 1 : 2][0]": [
        '1 when var.list[*] is "a" or var.list is its default',
        '2 when var.list[*] is not "a"',
    ],
    # arguments of a call are decided
    'var.argument == "given" ? "x" : "y"': ["x"],
    # a side that is open decides nothing
    'var.flag || var.unset ? "x" : "y"': [
        "x when var.flag is true or var.unset is true",
        "y when var.flag is false and var.unset is false",
    ],
    'var.flag && true ? "x" : "y"': ["x when var.flag is true", "y when var.flag is false"],
    'false || var.flag ? "x" : "y"': ["x when var.flag is true", "y when var.flag is false"],
    '!var.flag && var.unset ? "x" : "y"': [
        "x when var.flag is false and var.unset is true",
        "y when var.flag is true or var.unset is false",
    ],
    # decided, whatever the open part is
    'var.flag || true ? "x" : "y"': ["x"],
    'false && var.unset ? "x" : "y"': ["y"],
    'length([var.env, var.unset]) == 2 ? "x" : "y"': ["x"],
    'contains(["a", var.env], "a") ? "x" : "y"': ["x"],
    # defaults that hold nothing
    "var.empty[0]": ["${var.empty[0]} when var.empty is not its default"],
    'var.unset ? var.empty[0] : "x"': [
        "x when var.unset is false",
        "${var.empty[0]} when var.unset is true and var.empty is not its default",
    ],
    'var.unset ? ["a"][1] : "x"': ["x when var.unset is false"],
    "[for x in var.empty : x]": ["${var.empty} when var.empty is not its default"],
    "var.nothing": ["${var.nothing} when var.nothing is not null"],
    'var.nothing == null ? "x" : "y"': ["x when var.nothing is null", "y when var.nothing is not null"],
    "coalesce(var.nothing, \"x\")": ["x"],
}  # fmt: skip


UNKNOWN = {
    "var.unset": ["${var.unset}"],
    '"a-${var.unset.x[0]}"': ["a-${var.unset.x[0]}"],
    'var.unset ? "x" : "y"': ["x when var.unset is true", "y when var.unset is false"],
    'var.unset == "a" ? "x" : "y"': ['x when var.unset is "a"', 'y when var.unset is not "a"'],
    '["x", "y"][var.unset]': ["x when var.unset is 0", "y when var.unset is 1"],
    'concat(["x"], var.unset)': ["x", "${var.unset}"],
    'concat(["x"], var.unset)[0]': ["x"],
    'concat(var.unset, ["x"])[0]': ["x", "${var.unset}"],
    'concat(var.unset ? ["x"] : [], ["y", "z"])[0]': ["x when var.unset is true", "y when var.unset is false"],
    'concat(var.unset ? ["x"] : [], ["y", "z"])[1]': ["y when var.unset is true", "z when var.unset is false"],
    'concat(var.unset ? ["x"] : [], ["y", "z"])[2]': ["z when var.unset is true"],
    'concat(["x"], var.unset, [])[0]': ["x"],
    'format("%s%s", var.unset ? "a" : "b", var.unset ? "c" : "d")': [
        "ac when var.unset is true",
        "bd when var.unset is false",
    ],
    'reverse(concat(["x"], var.unset))[0]': ["x", "${var.unset}"],
    'merge({ a = "y" }, var.unset ? { a = "x" } : {}).a': ["x when var.unset is true", "y when var.unset is false"],
    'merge(var.unset ? { a = "x" } : {}, { a = "y" }).a': ["y"],
    'merge(var.unset, { a = "x" }).a': ["x"],
    'merge({ a = "x" }, var.unset).a': ["${var.unset}", "x"],
    '[for x in var.unset : "p/${x}"]': ["p/${var.unset}"],
    '{ for x in var.unset : x => "y" }': ["y when length(var.unset) > 0"],
    "var.unset[*].arn": ["${var.unset[*].arn}"],
    'toset(["b", "a", var.unset])': ["a", "b", "${var.unset}"],
    'tolist(toset(["b", var.unset]))[0]': ["b", "${var.unset}"],
    'distinct(["b", var.unset, "b"])': ["b", "${var.unset}"],
    'compact([var.unset, ""])': ['${var.unset} when var.unset is not ""'],
    'split(":", "a:b-${var.unset}:c")[0]': ["a"],
    'split(":", "a:b-${var.unset}:c")[1]': ["b-${var.unset}", "${var.unset}", "c"],
    'format("%s/%s", var.unset, "x")': ["${var.unset}/x"],
    'format("%d-%5s", 1, var.unset)': ["1-${%5s of format(\"%d-%5s\", 1, var.unset)}"],
    'formatlist("p/%s", concat(["a"], var.unset))': ["p/a", "p/${var.unset}"],
    'upper("a${var.unset}b")': ["A${var.unset}B"],
    'replace("a-b", "-", var.unset)': ["a${var.unset}b"],
    'coalesce(var.unset, "x")': [
        '${var.unset} when var.unset is not ""',
        'x when var.unset is "" or null',
    ],
    'try(var.unset.a, "x")': ["${var.unset.a} when var.unset.a is not missing", "x when var.unset.a is missing"],
    'try(var.unset, "x")': ["${var.unset}"],
    'can(var.unset) ? "x" : "y"': ["x"],
    'try("p/${var.unset.a}", "x")': [
        'p/${var.unset.a} when can("p/${var.unset.a}") is true',
        'x when can("p/${var.unset.a}") is false',
    ],
    "try(length([var.unset.a]), 7)": [
        "1 when can(length([var.unset.a])) is true",
        "7 when can(length([var.unset.a])) is false",
    ],
    'try(try({}.a, "x"), "y")': ["x"],
    "setproduct([\"a\"], var.unset)": ["a", "${var.unset}"],
    "local.one": ["${local.one}"],
    "length(var.unset)": ["${length(var.unset)}"],
    "1 / 3": ["${1 / 3}"],
    "0 * -1": ["${0 * -1}"],
    "-0": ["${-0}"],
    '"1e999999999" > 1 ? "x" : "y"': ['x when "1e999999999" > 1', 'y when "1e999999999" <= 1'],
    'format("%9999999999s", "x")': ['${%9999999999s of format("%9999999999s", "x")}'],
    "-6 % 3": ["${-6 % 3}"],
    # maps and lists may be equal, but for their types
    '{ a = 1 } == { a = 1 } ? "x" : "y"': ['x when {"a" = 1} == {"a" = 1}', 'y when {"a" = 1} != {"a" = 1}'],
    '["a"] == ["a"] ? "x" : "y"': ['x when ["a"] == ["a"]', 'y when ["a"] != ["a"]'],
    '[var.unset] == ["a"] ? "x" : "y"': ['x when [var.unset] == ["a"]', 'y when [var.unset] != ["a"]'],
    'merge({ a = "x" }, var.unset) == { a = "x", b = "y" } ? "x" : "y"': [
        'x when merge({"a" = "x"}, var.unset) == {"a" = "x", "b" = "y"}',
        'y when merge({"a" = "x"}, var.unset) != {"a" = "x", "b" = "y"}',
    ],
    '{ a = "x", b = "y" } == merge({ a = "x" }, var.unset) ? "x" : "y"': [
        'x when {"a" = "x", "b" = "y"} == merge({"a" = "x"}, var.unset)',
        'y when {"a" = "x", "b" = "y"} != merge({"a" = "x"}, var.unset)',
    ],
    'concat(["a"], var.unset) == ["b"] ? "x" : "y"': [
        'x when concat(["a"], var.unset) == ["b"]',
        'y when concat(["a"], var.unset) != ["b"]',
    ],
    '["b"] == concat(["a"], var.unset) ? "x" : "y"': [
        'x when ["b"] == concat(["a"], var.unset)',
        'y when ["b"] != concat(["a"], var.unset)',
    ],
    '[var.unset ? "a" : "b"] == ["a"] ? "x" : "y"': [
        'x when [var.unset ? "a" : "b"] == ["a"]',
        'y when [var.unset ? "a" : "b"] != ["a"]',
    ],
    '[var.unset ? "a" : "b"] == ["c"] ? "x" : "y"': ["y"],
    'null == var.unset ? "x" : "y"': ["x when var.unset is null", "y when var.unset is not null"],
    '(var.unset ? true : false) && true ? "x" : "y"': ["x when var.unset is true", "y when var.unset is false"],
    '(var.unset ? true : false) || false ? "x" : "y"': ["x when var.unset is true", "y when var.unset is false"],
    '"t${var.unset}" ? "x" : "y"': ['x when "t${var.unset}" is true', 'y when "t${var.unset}" is false'],
    '"1${var.unset}" > 0 ? "x" : "y"': ['x when "1${var.unset}" > 0', 'y when "1${var.unset}" <= 0'],
    "0 / -1": ["${0 / -1}"],
    '1 == "1" ? "x" : "y"': ['x when 1 == "1"', 'y when 1 != "1"'],
    '[var.unset ? ["a"][7] : "x"]': ["x when var.unset is false"],
    # one that is refused under a condition leaves the others
    '[for x in concat(["a"], var.unset ? ["b"] : []) : { a = "A" }[x]]': ["A when var.unset is false"],
    'try([var.unset ? ["a"][7] : "x", var.unset ? ["a"][8] : "x"], "z")': [
        'x when can([var.unset ? ["a"][7] : "x", var.unset ? ["a"][8] : "x"]) is true and var.unset is false',
        'z when var.unset is true or can([var.unset ? ["a"][7] : "x", var.unset ? ["a"][8] : "x"]) is false',
    ],
    # an element that is there twice is there when any of them is
    'toset(concat(var.unset ? ["a"] : [], ["a"]))': ["a"],
    'toset(concat(["a"], var.unset ? ["a"] : []))': ["a"],
    'toset(concat(var.unset ? ["a"] : [], var.unset ? ["a"] : []))': ["a when var.unset is true"],
    'toset(concat(var.unset ? ["a"] : [], var.flag ? ["a"] : []))': ["a when var.flag is true or var.unset is true"],
    'tolist(toset(concat(["b"], var.unset ? ["a"] : [])))[0]': [
        "a when var.unset is true",
        "b when var.unset is false",
    ],
    # loops with conditions
    '[for x in ["a", "b"] : x if var.flag]': ["a when var.flag is true", "b when var.flag is true"],
    '[for x in ["a", "b"] : x if !var.flag]': ["a when var.flag is false", "b when var.flag is false"],
    '[for x in ["a", "b"] : x if x == var.env]': ['a when var.env is "a"', 'b when var.env is "b"'],
    '[for x in ["a", "b"] : x if var.unset ? true : x == "a"]': ["a", "b when var.unset is true"],
    '[for x in ["a", "b"] : x if var.unset ? false : x == "a"]': ["a when var.unset is false"],
    '[for x in concat(var.unset ? ["a"] : [], ["b"]) : x if x != "a"]': ["b"],
    '[for x in concat(var.unset ? ["a"] : [], ["b"]) : x if x == "a"]': ["a when var.unset is true"],
    '[for i, x in concat(var.unset ? ["a"] : [], ["b"]) : "${i}${x}"]': [
        '${concat(var.unset ? ["a"] : [], ["b"])}a when var.unset is true',
        '${concat(var.unset ? ["a"] : [], ["b"])}b',
    ],
    '"%{ for x in concat(var.unset ? ["a"] : [], ["b"]) }${x}%{ endfor }"': [
        "ab when var.unset is true",
        "b when var.unset is false",
    ],
    '"%{ if var.flag }a%{ else }b%{ endif }"': ["a when var.flag is true", "b when var.flag is false"],
    # keys that are not known
    '{ a = "x", b = "y" }[var.unset]': ['y when var.unset is "b"', 'x when var.unset is "a"'],
    '{ a = "x", "${var.unset}" = "y" }.a': ["y", "x"],
    '{ a = "x", "${var.unset}" = "y" }.b': ["y"],
    '{ "${var.unset}" = "y", a = "x" }.a': ["x"],
    '{ "p-${var.unset}" = "y", a = "x" }["p-1"]': ["y"],
    '{ "p-${var.unset}" = "y", a = "x" }.b': ['${{"p-${var.unset}" = "y", "a" = "x"}.b}'],
    '(var.unset ? ["a"] : ["b"])[0]': ["a when var.unset is true", "b when var.unset is false"],
    # both branches of a conditional have one type
    'var.flag ? 1 : "a"': ["1 when var.flag is true", "a when var.flag is false"],
    'var.flag ? "a" : null': ["a when var.flag is true"],
    # keys and groups
    '{ for x in var.unset ? ["a"] : ["b"] : (var.unset ? "k" : "l") => x }': [
        "a when var.unset is true",
        "b when var.unset is false",
    ],
    '{ for x in concat(var.unset ? ["a"] : [], ["b"]) : (var.unset ? 1 : 2) => x }["2"]': ["b when var.unset is false"],
    '{ for x in ["a", "b"] : x => "v-${x}"... }.a': ["v-a"],
    '{ for x in var.unset : (var.flag ? "a" : "b") => x... }.a': [
        "${var.unset} when length(var.unset) > 0 and var.flag is true"
    ],
    '{ for x in merge({ a = "p" }, var.unset) : "k" => x... }.k[0]': [
        "p",
        '${var.unset} when length(merge({"a" = "p"}, var.unset)) > 1',
    ],
    'length({ for x in concat(["p"], var.unset ? ["q"] : []) : "k" => x... }) == 1 ? "x" : "y"': ["x"],
    # an alternative that is excluded does not end the others
    'flatten(var.unset ? [["a"]] : [["d"], var.unset ? ["b"] : ["c"]])': [
        "a when var.unset is true",
        "d when var.unset is false",
        "c when var.unset is false",
    ],
    'concat(tolist(toset(["b", var.unset])), ["c"])[1]': ["b", "${var.unset}", "c"],
    "concat(var.unset, [" + '"x", ' * 70 + "])[0]": ["x", "${var.unset}"],
    "nothing.at_all.known": ["${nothing.at_all.known}"],
    "nothing": ["${nothing}"],
}  # fmt: skip

DECIDED = {
    # both branches of a conditional have one type
    '(true ? 1 : "a") == "1" ? "x" : "y"': ["x"],
    # what terraform refuses in a part it refuses in the whole
    'try(upper(["a"][7]), "x")': ["x"],
    'try(file(["a"][7]), "x")': ["x"],
    'try(fileset("."), "x")': ["x"],
    'try([["a"][7]], "x")': ["x"],
    'try({ a = ["a"][7] }, "x")': ["x"],
    'try("-${["a"][7]}", "x")': ["x"],
    'try([for n in [0, 7] : ["a"][n]], "x")': ["x"],
    'can(["a"][7] == "a") ? "x" : "y"': ["y"],
    'can(length(["a", {}.b])) ? "x" : "y"': ["y"],
    '-7 % 3 == -1 ? "x" : "y"': ["x"],
    '0 * 1 == 0 ? "x" : "y"': ["x"],
    '1 - 1 == 0 ? "x" : "y"': ["x"],
    '1 + 0 == 1 ? "x" : "y"': ["x"],
    "6 / 4": ["1.5"],
    'try(1 / 0, "x")': ["x"],
    'try(1 % 0, "x")': ["x"],
    '1 + -1 == 0 ? "x" : "y"': ["x"],
    '1 < 1 ? "x" : "y"': ["y"],
    '1 < 2 ? "x" : "y"': ["x"],
    '1 <= 1 ? "x" : "y"': ["x"],
    '2 <= 1 ? "x" : "y"': ["y"],
    '1 > 1 ? "x" : "y"': ["y"],
    '2 > 1 ? "x" : "y"': ["x"],
    '1 >= 1 ? "x" : "y"': ["x"],
    '1 >= 2 ? "x" : "y"': ["y"],
    'can(true + 1) ? "x" : "y"': ["y"],
    'can([] + 1) ? "x" : "y"': ["y"],
    'can("a" + 1) ? "x" : "y"': ["y"],
    # texts that are bools, and what is none
    '"true" ? "x" : "y"': ["x"],
    '"false" ? "x" : "y"': ["y"],
    '"1" ? "x" : "y"': ["x"],
    '"0" ? "x" : "y"': ["y"],
    'can("yes" ? 1 : 2) ? "x" : "y"': ["y"],
    'can([] ? 1 : 2) ? "x" : "y"': ["y"],
    'try({ (["a"]) = 1 }, "z")': ["z"],
    'try(reverse("a"), "z")': ["z"],
    'try(concat(["a"], "b"), "z")': ["z"],
    'concat(tolist(toset(["b", "a"])), ["c"])[1]': ["b"],
    # loops, splats and elements
    '[for x in ["a", "b"] : x if x != "a"]': ["b"],
    '[for x in ["a"] : x if "true"]': ["a"],
    '[for i, x in ["a", "b"] : "${i}${x}"]': ["0a", "1b"],
    '[for k, v in { b = 1, a = 2 } : "${k}${v}"]': ["a2", "b1"],
    '[for k, v in toset(["a"]) : "${k}${v}"]': ["aa"],
    '[["a"], ["b"]][*][0]': ["a", "b"],
    '[{ p = "x" }, { p = "y" }][*].p': ["x", "y"],
    '{ a = "x" }[*].a': ["x"],
    '"a"[*]': ["a"],
    "null[*]": [],
    '["a", "b"]["1"]': ["b"],
    '["a", "b"][1.0]': ["b"],
    '"%{ for x in ["a", "b"] }${x}%{ endfor }"': ["ab"],
    '"a%{ if false }b%{ endif }c"': ["ac"],
    '"${1}-${true}-${1.50}"': ["1-true-1.5"],
    'try({ a = "x" }["b"], "z")': ["z"],
    'try(["a"][1.5], "z")': ["z"],
    'try(["a"][-1], "z")': ["z"],
    'try(toset(["a"])[0], "z")': ["z"],
    'try("a".x, "z")': ["z"],
    'try(["a"].x, "z")': ["z"],
    'try({ a = 1 }[["a"]], "z")': ["z"],
    'try([for x in "a" : x], "z")': ["z"],
    'try({ for x in ["a"] : null => x }, "z")': ["z"],
    # both sides count where both are decided
    'true && true ? "x" : "y"': ["x"],
    'true && false ? "x" : "y"': ["y"],
    'false || true ? "x" : "y"': ["x"],
    'false || false ? "x" : "y"': ["y"],
    # what surely differs is not equal
    '["a"] == "a" ? "x" : "y"': ["y"],
    '"a" == { a = "a" } ? "x" : "y"': ["y"],
    '{ a = "a" } == "a" ? "x" : "y"': ["y"],
    '1 == "a" ? "x" : "y"': ["y"],
    '["a", "b"] == ["a"] ? "x" : "y"': ["y"],
    '["a", "b"] == ["a", "c"] ? "x" : "y"': ["y"],
    '{ a = "x" } == { b = "x" } ? "x" : "y"': ["y"],
    '{ a = "x", b = "x" } == { a = "x", b = "y" } ? "x" : "y"': ["y"],
    'null == "a" ? "x" : "y"': ["y"],
    '"a" == null ? "x" : "y"': ["y"],
    'null == null ? "x" : "y"': ["x"],
    '{ for x in ["a", "b"] : "k" => x... }.k[0]': ["a"],
    # regular expressions as Go reads them
    'can(regex("^a{,2}$", "a{,2}")) ? "x" : "y"': ["x"],
    'can(regex("^a{,2}$", "aa")) ? "x" : "y"': ["y"],
    'can(regex("^a{1,2}$", "aa")) ? "x" : "y"': ["x"],
    'can(regex("(?i)^A$", "a")) ? "x" : "y"': ["x"],
    'can(regex("(?m)^a$", "b\\na\\nb")) ? "x" : "y"': ["x"],
    'can(regex("^a$", "a\\n")) ? "x" : "y"': ["y"],
    # what is written like a number for Python only
    '".5" + "5." == 5.5 ? "x" : "y"': ["x"],
    'can("1_0" + 1) ? "x" : "y"': ["y"],
    'can("1/3" + 1) ? "x" : "y"': ["y"],
    'can(" 1" + 1) ? "x" : "y"': ["y"],
}


@pytest.mark.parametrize(("expression", "texts"), (OPEN | UNKNOWN | DECIDED).items())
def test_possible_values(expression: str, texts: list[str], module: Module) -> None:
    found = module.texts(expression)
    assert sorted(dict.fromkeys(found)) == sorted(dict.fromkeys(texts))


def test_a_hole_says_why_and_what_to_do() -> None:
    scope = Layer(Module(""), {("var", "x"): unknown("var.x", "variable x has no default", "give it a default")})
    (found,) = possible_texts(evaluate(parse_expression('lower("${var.x.y}")', "main.tf"), scope))
    assert [(hole.reason, hole.remedy) for hole in found.text.holes] == [
        ("variable x has no default", "give it a default")
    ]


def test_a_text_knows_the_line_of_its_literal() -> None:
    module = Module('locals {\n  a = [\n    "x",\n    "y",\n  ]\n}\n')
    places = [found.place.line for found in possible_texts(module.evaluated("local.a")) if found.place]
    assert places == [3, 4]


# -- conditions --------------------------------------------------------------------------------------------------------


def test_sides_of_one_condition_exclude_one_another(module: Module) -> None:
    assert module.texts('"${var.unset ? "a" : "b"}${var.unset ? "c" : "d"}"') == [
        "ac when var.unset is true",
        "bd when var.unset is false",
    ]


def test_the_same_words_in_another_turn_of_a_loop_are_another_condition(module: Module) -> None:
    turns = module.texts('join("", [for x in var.unset.known ? ["1", "2"] : ["1", "2"] : x == var.unset ? "a" : "b"])')
    assert {turn.partition(" ")[0] for turn in turns} == {"ab", "ba", "bb"}  # not both are equal


def test_an_instance_has_its_own_names(module: Module) -> None:
    scope = Layer(
        module, {("each", "key"): string("r"), ("each", "value"): string("v"), ("count", "index"): string("0")}
    )
    expression = parse_expression('each.key == "r" ? "${each.value}${count.index}" : "no"', "main.tf")
    assert [str(found.text) for found in possible_texts(evaluate(expression, scope))] == ["v0"]


def test_attributes_of_a_resource_are_computed_on_demand(module: Module) -> None:
    asked = []

    def attribute(name: str) -> Value:
        asked.append(name)
        return string(f"<{name}>")

    scope = Layer(module, {("aws_iam_policy", "x"): exactly(Record("aws_iam_policy.x", attribute))})
    for written, value in {
        "aws_iam_policy.x.arn": "<arn>",
        'aws_iam_policy.x["arn"]': "<arn>",
        "aws_iam_policy.x[*].arn": "<arn>",
        "resource.aws_iam_policy.x.arn": "<arn>",
        "one(aws_iam_policy.x[*].arn)": "<arn>",
    }.items():
        texts = possible_texts(evaluate(parse_expression(written, "main.tf"), scope))
        assert [str(found.text) for found in texts] == [value]
    assert set(asked) == {"arn"}


# -- policies stay -----------------------------------------------------------------------------------------------------


def test_policies_are_found_within_documents() -> None:
    hole = Hole("x", "unknown")
    document = text('{"a": ["arn:aws:iam::aws:policy/A", "arn:', hole, ":iam::aws:policy/B\"], 'arn:aws:s3:::bucket'}")
    assert policies_in_text(document) == [text("arn:aws:iam::aws:policy/A"), text("arn:", hole, ":iam::aws:policy/B")]


# -- every evaluation ends ---------------------------------------------------------------------------------------------

DOUBLED = "\n".join(f'  s{n + 1} = "${{local.s{n}}}${{local.s{n}}}"' for n in range(60))
LISTS = "\n".join(f"  l{n + 1} = concat(local.l{n}, local.l{n})" for n in range(60))
TREES = "\n".join(f"  t{n + 1} = [local.t{n}, local.t{n}]" for n in range(24))
CHAIN = "\n".join(f"  c{n + 1} = local.c{n}" for n in range(2000))
BOMBS = f"""
variable "unset" {{}}
locals {{
  s0 = "arn:aws:iam::aws:policy/X"
  {DOUBLED}
  l0 = ["arn:aws:iam::aws:policy/X"]
  {LISTS}
  t0 = "arn:aws:iam::aws:policy/X"
  {TREES}
  c0 = "arn:aws:iam::aws:policy/X"
  {CHAIN}
  self = [for x in local.self : x]
  big = [for a in range(1000) : [for b in range(1000) : [for c in range(1000) : "x"]]]
}}
"""


@pytest.mark.parametrize("expression", ["local.s60", "local.l60", "local.big", "local.self"])
def test_bombs_end_in_a_hole_with_a_reason(expression: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, bound in ((strings, "MAX_LENGTH"), (collection_parts, "MAX_ITEMS"), (evaluation, "MAX_STEPS")):
        monkeypatch.setattr(module, bound, 20_000)
    found = possible_texts(Module(BOMBS).evaluated(expression))
    assert any(one.text.holes and one.text.holes[0].reason for one in found)
    assert len(found) < 50_000


def test_a_chain_of_references_has_no_bound() -> None:
    assert Module(BOMBS).texts("local.c2000") == ["arn:aws:iam::aws:policy/X"]


def test_elements_of_large_trees_are_not_walked_twice() -> None:
    """A list that holds the same list twice, 24 times over, has 16 million elements."""
    assert Module(BOMBS).texts("try(local.t24[0][1][0].x, 1)") == ["1"]


def test_policies_survive_too_many_possible_values() -> None:
    call = "f(" + ", ".join('var.unset ? "a" : "arn:aws:iam::aws:policy/X"' for _ in range(20)) + ")"
    plains = [possible.plain for possible in Module(BOMBS).evaluated(call)]
    assert {str(found.text) for plain in plains if isinstance(plain, Unknown) for found in plain.found} == {
        "arn:aws:iam::aws:policy/X"
    }


# -- files -------------------------------------------------------------------------------------------------------------


def test_files_are_read_inside_the_tree_only(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "module").mkdir(parents=True)
    (tree / "shared.txt").write_text("shared", encoding="utf-8")
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    os.symlink(tmp_path / "secret.txt", tree / "module" / "link.txt")
    files = Files(str(tree / "module"), str(tree))
    for path, content in {
        "../shared.txt": "shared",
        f"{tree}/shared.txt": "shared",
        "missing.txt": None,
        "../../secret.txt": None,
        "link.txt": None,
        "/etc/hostname": None,
        "..": None,
        "\0": None,
    }.items():
        found = files.find(path)
        assert (None if found is None else files.read(found)) == content, path


def test_each_file_that_an_unknown_part_of_a_path_may_mean_is_read(tmp_path: Path) -> None:
    for name in ("dev", "prod", "qa"):
        (tmp_path / f"{name}.txt").write_text(name.upper(), encoding="utf-8")
    module = Module('variable "env" { default = "dev" }\nvariable "unset" {}\n', str(tmp_path))
    assert sorted(module.texts('file("${var.env}.txt")')) == [
        'DEV when var.env is "dev"',
        'PROD when var.env is "prod"',
        'QA when var.env is "qa"',
    ]
    assert module.texts('file("${var.unset}o${var.unset}.txt")') == ['${file("${var.unset}o${var.unset}.txt")}']
    assert module.texts('file("p${var.unset}d.txt")') == ['PROD when var.unset is "ro"']
    assert module.texts('try(file("x-${var.unset}.txt"), "refused")')[0].startswith('${file("x-${var.unset}.txt")}')


def test_a_template_file_sees_its_variables_only(tmp_path: Path) -> None:
    (tmp_path / "t.tftpl").write_text("%{ for x in xs ~}\n${x}-%{ endfor }${y}", encoding="utf-8")
    (tmp_path / "outer.tftpl").write_text("${local.a}", encoding="utf-8")
    module = Module('locals {\n  a = "a"\n}\n', str(tmp_path))
    assert module.texts('templatefile("t.tftpl", { xs = ["1", local.a], y = "z" })') == ["1-a-z"]
    assert module.texts('try(templatefile("outer.tftpl", {}), "refused")') == ["refused"]


def test_found_texts_are_distinct(module: Module) -> None:
    assert possible_texts(module.evaluated('["a", "a"]')) == [
        Found(text("a"), place=possible_texts(module.evaluated('"a"'))[0].place)
    ]
