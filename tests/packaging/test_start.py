"""What a run pays before it has looked at a file: no regular expression is compiled that it does not use."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from project_files import PROJECT

ENGINE = PROJECT / "checks/unapproved_iam"


def run_at_import(node: ast.AST) -> Iterator[ast.AST]:
    """What is run when a module is imported: all but what stands in functions."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, (ast.FunctionDef, ast.Lambda)):
            yield child
            yield from run_at_import(child)


def compiles(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and ast.unparse(node) == "re.compile"


@pytest.mark.parametrize("path", sorted(ENGINE.rglob("*.py")), ids=lambda path: path.stem)
def test_no_expression_is_compiled_by_an_import(path: Path) -> None:
    found = [ast.unparse(node) for node in run_at_import(ast.parse(path.read_text())) if compiles(node)]
    assert not found, f"{path}: late_pattern compiles when it is needed"


@pytest.mark.parametrize(
    ("source", "is_compiled"),
    [
        ("import re\nA = re.compile('a')", True),
        ("import re\nclass A:\n    a = [re.compile('a')]", True),
        ("import re\ndef f():\n    return re.compile('a')", False),
        ("import re\nclass A:\n    def f(self):\n        return re.compile('a')", False),
        ("A = late_pattern(lambda: 'a')", False),
    ],
)
def test_the_search_for_them_tells_functions_from_what_is_run(source: str, is_compiled: bool) -> None:
    assert any(map(compiles, run_at_import(ast.parse(source)))) is is_compiled
