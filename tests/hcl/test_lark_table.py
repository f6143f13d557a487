"""The shipped parser table is the one that the installed grammar makes, and never used for another."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from unapproved_iam.hcl import lark_table
from unapproved_iam.hcl.lark_table import TABLE, computed_parser, installed_grammar, key_of, loaded_parser

EXPRESSIONS = (
    'a == "0" ? b : c',
    "!a && b || c.d[0].e[*].f",
    '{ a = 1, (b) : [for x in y : x if z], "0" = {for k, v in m : k => v...} }',
    "f(a, -1.5 * 2)[a.*.b.0]",
    "provider::aws::arn_parse(a).b",
)


def test_the_shipped_table_equals_what_the_grammar_makes() -> None:
    grammar = installed_grammar()
    shipped = loaded_parser(TABLE, key_of(grammar))
    assert shipped, "run scripts/make_lark_table.py"
    made = computed_parser(grammar)
    assert len(shipped.rules) == len(made.rules)
    assert {terminal.name: str(terminal.pattern) for terminal in shipped.terminals} == {
        terminal.name: str(terminal.pattern) for terminal in made.terminals
    }
    for expression in EXPRESSIONS:
        assert shipped.parse(expression) == made.parse(expression)


def test_a_table_of_another_grammar_is_not_used() -> None:
    assert loaded_parser(TABLE, key_of(installed_grammar() + " ")) is None


@pytest.mark.parametrize("broken", [b"", b"\n", b"{key}", b"{key}\nno table", b"other\nno table"])
def test_a_broken_table_is_not_used(broken: bytes, tmp_path: Path) -> None:
    key = key_of(installed_grammar())
    table = tmp_path / "table"
    table.write_bytes(broken.replace(b"{key}", key))
    assert loaded_parser(table, key) is None


PARSE = """
import sys
from pathlib import Path
from unapproved_iam.hcl import lark_table
lark_table.TABLE = Path("missing") / lark_table.TABLE.name
computed = []
lark_table.computed_parser = lambda grammar, compute=lark_table.computed_parser: computed.append(1) or compute(grammar)
print(lark_table.expression_parser().parse("a + b").data, len(computed))
"""


def test_without_the_shipped_table_it_is_computed_once(tmp_path: Path) -> None:
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "PYTHONPATH": str(TABLE.parents[2])}

    def parsed() -> str:
        run = subprocess.run([sys.executable, "-c", PARSE], env=environment, capture_output=True, text=True, check=True)
        return run.stdout.strip()

    assert parsed() == "binary_op 1"
    assert parsed() == "binary_op 0"
    kept = tmp_path / "unapproved-iam" / TABLE.name
    kept.chmod(0o666)
    assert parsed() == "binary_op 1", "anyone may have written that table"
    assert not lark_table.is_private(tmp_path / "missing")
