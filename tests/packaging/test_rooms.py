"""The engine's folders: what each may import is the table in CONTRIBUTING, and nothing imports in a circle."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest
from project_files import PROJECT, table

ENGINE = PROJECT / "checks/unapproved_iam"
FILES = sorted(ENGINE.rglob("*.py"))
GROUND = "(ground)"
MOST_LINES = 400


class Import(NamedTuple):
    module: str  # as "hcl.values"
    line: int
    is_late: bool  # inside a function


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ENGINE).with_suffix("").parts)


def room_of(module: str) -> str:
    room, dot, _ = module.partition(".")
    return room if dot else GROUND


@cache
def imports_of(path: Path) -> tuple[Import, ...]:
    return tuple(_imports(ast.parse(path.read_text()), is_late=False))


def _imports(node: ast.AST, is_late: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ImportFrom) and child.module and child.module.split(".")[0] == "unapproved_iam":
            package = child.module.removeprefix("unapproved_iam").lstrip(".")
            for alias in child.names:
                whole = f"{package}.{alias.name}".lstrip(".")
                yield Import(whole if whole in MODULES else package, child.lineno, is_late)
        yield from _imports(child, is_late or isinstance(child, ast.FunctionDef))


MODULES = {name_of(path): path for path in FILES}
ROOMS = {row[0]: row[2] for row in table(PROJECT / "CONTRIBUTING.md", "| room")}


def test_each_folder_has_its_row() -> None:
    assert set(ROOMS) == {room_of(name) for name in MODULES}


@pytest.mark.parametrize("name", MODULES)
def test_a_room_imports_what_its_row_says(name: str) -> None:
    allowed = {room_of(name), GROUND, *ROOMS[room_of(name)].split(", ")}
    assert not [one for one in imports_of(MODULES[name]) if room_of(one.module) not in allowed]


def test_rooms_and_files_import_in_no_circle() -> None:
    rooms = {room: set(allowed.split(", ")) & set(ROOMS) for room, allowed in ROOMS.items()}
    files = {name: {one.module for one in imports_of(path)} for name, path in MODULES.items()}
    for graph in (rooms, files):
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            pytest.fail(" -> ".join(error.args[1]))


@pytest.mark.parametrize("name", MODULES)
def test_a_late_import_says_why(name: str) -> None:
    """Beside it, or once for the whole file in its first lines."""
    source = MODULES[name].read_text()
    if "imported only when" in (ast.get_docstring(ast.parse(source)) or ""):
        return
    lines = source.splitlines()
    late = [one.line for one in imports_of(MODULES[name]) if one.is_late]
    assert not [line for line in late if "#" not in lines[line - 1] and "#" not in lines[line - 2]]


@pytest.mark.parametrize("name", MODULES)
def test_a_long_file_says_why_it_is_one(name: str) -> None:
    source = MODULES[name].read_text()
    assert len(source.splitlines()) <= MOST_LINES or "One file, since" in (ast.get_docstring(ast.parse(source)) or "")


@pytest.mark.parametrize("name", MODULES)
def test_a_file_says_what_it_decides(name: str) -> None:
    assert ast.get_docstring(ast.parse(MODULES[name].read_text()))
