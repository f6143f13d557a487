"""Read the project's Markdown: its fenced blocks and its tables, so that tests can hold the text to what is true."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PROJECT = Path(__file__).resolve().parent.parent
README = PROJECT / "README.md"
PAGES = [README, *sorted(PROJECT.glob("docs/**/*.md"))]
COVERAGE, CHECKOV = PROJECT / "docs/coverage.md", PROJECT / "docs/checkov.md"

_FENCED = re.compile(r"^```(?P<language>\w+)(?: (?P<file>\S+))?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A fenced block; `file` is what follows the language: the file that it shows."""

    language: str
    file: str
    text: str
    line: int


class Command(NamedTuple):
    """A command of a `console` block with the output that is printed below it."""

    line: int
    command: str
    output: str


def blocks(page: Path) -> list[Block]:
    source = page.read_text()
    return [
        Block(found["language"], found["file"] or "", found["text"], source.count("\n", 0, found.start()) + 1)
        for found in _FENCED.finditer(source)
    ]


def block(page: Path, containing: str) -> str:
    """The text of the one block that holds these characters."""
    (only,) = (block.text for block in blocks(page) if containing in block.text)
    return only


def commands(console: Block) -> Iterator[Command]:
    for found in re.finditer(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", console.text, re.MULTILINE):
        yield Command(console.line + console.text.count("\n", 0, found.start()) + 1, found[1], found[2])


def table(page: Path, header: str) -> list[list[str]]:
    """The rows of the table whose header row begins with these cells, without the marks of code."""
    lines = iter(page.read_text().splitlines())
    if not any(line.startswith(header) for line in lines):
        raise AssertionError(f"{page.name} has no table {header!r}")
    next(lines)
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().replace("`", "") for cell in re.split(r"(?<!\\)\|", line.strip("|"))])
    return rows
