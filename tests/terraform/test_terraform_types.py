"""What a variable's type makes of its value, beside what the real terraform makes of it.

A row is a type and a value that terraform accepts for it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hcl_module import Module
from hcl_writer import WrittenModule
from terraform_oracle import admits, computed_by_terraform, is_exact
from unapproved_iam.hcl.syntax import parse_expression
from unapproved_iam.hcl.values import Boolean, Kind, Mapping, Number, Sequence, String
from unapproved_iam.terraform.variables import converted

ROWS = [
    ("string", '"a"'),
    ("string", "1.50"),
    ("string", "true"),
    ("string", "null"),
    ("bool", '"true"'),
    ("bool", '"false"'),
    ("number", '"1.5"'),
    ("any", '"true"'),
    ("any", "[1]"),
    ("list(string)", '["a", 1, true]'),
    ("list(number)", '["1", 2]'),
    ("list(any)", '["a", "b"]'),
    ("list(list(string))", "[[1], []]"),
    ("set(string)", '["b", "a", "b"]'),
    ("set(number)", '["2", 1, 1]'),
    ("set(string)", "[2, 1]"),
    ("tuple([string, number])", '[1, "2"]'),
    ("tuple([string, list(string)])", '["a", [1]]'),
    ("map(string)", "{ a = 1, b = true }"),
    ("map(list(string))", "{ a = [1] }"),
    ("map(any)", '{ a = "x" }'),
    ("object({ a = string })", "{ a = 1, b = 2 }"),
    ("object({ a = list(string) })", "{ a = [1] }"),
    ("object({ a = optional(string) })", "{}"),
    ("object({ a = optional(string) })", "{ a = 1 }"),
    ('object({ a = optional(string, "d") })', "{}"),
    ('object({ a = optional(string, "d") })', "{ a = null }"),
    ('object({ a = optional(string, "d") })', '{ a = "x" }'),
    ("object({ a = optional(string, 1) })", "{}"),
    ("object({ a = optional(bool, true), b = string })", '{ a = "false", b = 1 }'),
    ("object({ a = optional(list(string), [1]) })", "{}"),
    ("object({ a = optional(object({ b = optional(string, \"d\") }), {}) })", "{}"),
    ("object({ a = optional(object({ b = optional(string, \"d\") })) })", "{ a = {} }"),
    ("object({ a = optional(object({ b = optional(string, \"d\") })) })", "{}"),
    ('list(object({ a = optional(string, "d") }))', '[{}, { a = "x" }, { a = null }]'),
    ('map(object({ a = optional(string, "d") }))', '{ k = {}, l = { a = "x" } }'),
]  # fmt: skip


@pytest.mark.skipif(not shutil.which("terraform"), reason="terraform is not installed")
def test_a_type_makes_of_a_value_what_terraform_makes_of_it(tmp_path: Path) -> None:
    variables = "".join(
        f'variable "v{number}" {{\n  type    = {type_}\n  default = {value}\n}}\n'
        for number, (type_, value) in enumerate(ROWS)
    )
    names = tuple(f"var.v{number}" for number in range(len(ROWS)))
    engine, different = Module(""), []
    for (type_, value), data in zip(
        ROWS, computed_by_terraform(WrittenModule(variables, names, {}), tmp_path), strict=True
    ):
        ours = converted(engine.evaluated(value), parse_expression(type_, "main.tf"), engine, "var.v")
        if not (admits(ours, data) and is_exact(ours)):
            different.append((type_, value, data, ours))
    assert different == []


@pytest.mark.parametrize(
    ("type_", "value", "kind"),
    [
        ("list(string)", "[1]", Kind.LIST),
        ("set(string)", "[1]", Kind.SET),
        ("tuple([string])", "[1]", Kind.TUPLE),
        ("any", "[1]", Kind.TUPLE),
        ("map(string)", "{ a = 1 }", Kind.MAP),
        ("object({ a = string })", "{ a = 1 }", Kind.OBJECT),
        ("string", "1", String),
        ("bool", '"true"', Boolean),
        ("number", '"1"', Number),
        ("bool", '"x"', String),  # which terraform refuses
        ("number", '"x"', String),
        ("bool", '"${var.x}t"', String),
    ],
)
def test_a_value_is_of_its_type(type_: str, value: str, kind: Kind | type) -> None:
    engine = Module("")
    (possible,) = converted(engine.evaluated(value), parse_expression(type_, "main.tf"), engine, "var.v")
    plain = possible.plain
    assert (plain.kind if isinstance(plain, Sequence | Mapping) else type(plain)) is kind
