"""Find the strings, heredocs, comments and brackets of HCL source, so that the rest needs no lexer for them.

For `hcl_syntax`, which cuts files into blocks and attributes, and `hcl_grammar`, which hands the library's parser
expressions without strings: its own patterns for strings end at the wrong quote when interpolations nest, and
backtrack for minutes on an unclosed one. Everything here takes time linear in the source.
Source: "HCL Native Syntax Specification", sections Lexical Elements and Templates.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

MAX_NESTING = 100  # of brackets and templates in one another: real code stays below 20


class HclSyntaxError(Exception):
    """The source is no HCL, or so odd that it is not read; `str()` is `path:line: what is wrong`."""

    def __init__(self, path: str, line: int, problem: str) -> None:
        super().__init__(f"{path}:{line}: {problem}")
        self.path = path
        self.line = line
        self.problem = problem


class Source:
    """The text of one file, with LF line ends and no byte order mark."""

    def __init__(self, source: str | bytes, path: str) -> None:
        text = source.decode("utf-8", "replace") if isinstance(source, bytes) else source
        self.text = text.removeprefix("\ufeff").replace("\r\n", "\n")
        self.path = path

    def line_of(self, position: int) -> int:
        return bisect_left(self._newlines, position) + 1

    @cached_property
    def _newlines(self) -> list[int]:
        return [newline.start() for newline in re.finditer("\n", self.text)]

    def error(self, position: int, problem: str) -> HclSyntaxError:
        return HclSyntaxError(self.path, self.line_of(position), problem)


class Token(NamedTuple):
    """A part of the source that is no plain code; `kind` is one of string, heredoc, comment, open, close, newline."""

    kind: str
    start: int
    end: int


_TOKEN = re.compile(
    r"""
      (?P<string>"[^"\\$%\n]*(?:(?:\\.|[$%](?!\{))[^"\\$%\n]*)*")  # without interpolation
    | (?P<quote>")
    | (?P<heredoc><<-?[^\W\d][\w-]*\n)
    | (?P<comment>\#[^\n]*|//[^\n]*|/\*(?s:.*?)\*/)
    | (?P<open>[{(\[])
    | (?P<close>[})\]])
    | (?P<newline>\n)
    | (?P<unclosed>/\*)
    """,
    re.VERBOSE,
)
_UNTIL_STRING_STOPS = re.compile(r'[^"\\$%\n]*(?:(?:\\.|\$\$\{|%%\{|[$%](?!\{))[^"\\$%\n]*)*')
_UNTIL_LINE_STOPS = re.compile(r"[^$%\n]*(?:(?:\$\$\{|%%\{|[$%](?!\{))[^$%\n]*)*")
_CLOSING = {"{": "}", "(": ")", "[": "]"}


def tokens(source: Source, start: int, end: int, depth: int = 0) -> Iterator[Token]:
    """The tokens between two offsets; a string or heredoc is one token, with all that is nested in it."""
    position = start
    while found := _TOKEN.search(source.text, position, end):
        kind, position = found.lastgroup or "", found.end()
        if kind == "quote":
            kind, position = "string", _end_of_string(source, position, end, depth)
        elif kind == "heredoc":
            position = _end_of_heredoc(source, found.start(), position, end, depth)
        elif kind == "unclosed":
            raise source.error(found.start(), "this comment is never closed (expected */)")
        yield Token(kind, found.start(), position)


def end_of_bracket(source: Source, opening: int, end: int, depth: int = 0) -> int:
    """The offset of the bracket that closes the one at `opening`."""
    text = source.text
    expected: list[str] = []
    for token in tokens(source, opening, end, depth):
        if token.kind == "open":
            expected.append(_CLOSING[text[token.start]])
            if depth + len(expected) > MAX_NESTING:
                raise source.error(token.start, f"brackets are nested more than {MAX_NESTING} deep")
        elif token.kind == "close":
            if text[token.start] != expected.pop():
                raise source.error(token.start, f'unexpected "{text[token.start]}"')
            if not expected:
                return token.start
    raise source.error(opening, f'"{text[opening]}" is never closed')


def _end_of_string(source: Source, position: int, end: int, depth: int) -> int:
    """The offset behind the closing quote, from the offset behind the opening one."""
    opening = position - 1
    while True:
        position = _end_of(_UNTIL_STRING_STOPS, source.text, position, end)
        stop = source.text[position : position + 1] if position < end else ""
        if stop == '"':
            return position + 1
        if stop not in ("$", "%"):
            raise source.error(opening, "this string is never closed")
        position = end_of_bracket(source, position + 1, end, depth + 1) + 1


def _end_of_heredoc(source: Source, start: int, position: int, end: int, depth: int) -> int:
    """The offset behind the closing marker, which stands alone in its line, blanks aside."""
    marker = source.text[start:position].lstrip("<-").rstrip("\n")
    while position < end:
        line_end = _end_of(re.compile(r"[^\n]*"), source.text, position, end)
        if source.text[position:line_end].strip() == marker:
            return line_end
        position = _end_of_heredoc_line(source, position, end, depth) + 1
    raise source.error(start, f"this heredoc is never closed (expected a line {marker})")


def _end_of_heredoc_line(source: Source, position: int, end: int, depth: int) -> int:
    """The offset of the line's newline; what is interpolated may span lines."""
    while True:
        position = _end_of(_UNTIL_LINE_STOPS, source.text, position, end)
        if position >= end or source.text[position] == "\n":
            return position
        position = end_of_bracket(source, position + 1, end, depth + 1) + 1


def _end_of(pattern: re.Pattern[str], text: str, position: int, end: int) -> int:
    found = pattern.match(text, position, end)
    return found.end() if found else position
