"""Find where names, strings, heredocs, comments and brackets of HCL source end.

For `hcl.syntax`, which cuts files into blocks and attributes, and `hcl.expression_reader`, which reads what an
attribute is. Everything here takes time linear in the source.
Source: "HCL Native Syntax Specification", sections Lexical Elements and Templates.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from unapproved_iam.late_patterns import late_pattern

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

    def check_name(self, name: str, position: int) -> None:
        """Raises HclSyntaxError when it has a letter of another alphabet that is none. Unicode's rule, as terraform
        and Python apply it."""
        if not name.isascii() and not name.replace("-", "_").isidentifier():
            raise self.error(position, f'"{name}" is not a name')


class Token(NamedTuple):
    """A part of the source that is no plain code; `kind` is one of string, heredoc, comment, open, close, newline."""

    kind: str
    start: int
    end: int


# Letters, then digits and `-` too, and all beyond ASCII, of which `Source.check_name` says more. Said by what is left
# out: a set of all that Unicode has takes 30 ms to compile.
NAME = r"[^\x00-@\[-^`{-\x7f][^\x00-,./:-@\[-^`{-\x7f]*"
HEREDOC = rf"<<-?({NAME})\n"

# Text of a quoted string, and of one line of a heredoc or template file, up to what is interpolated.
STRING_TEXT = late_pattern(r'[^"\\$%\n]*(?:(?:\\.|\$\$\{|%%\{|[$%](?!\{))[^"\\$%\n]*)*')
LINE_TEXT = late_pattern(r"[^$%\n]*(?:(?:\$\$\{|%%\{|[$%](?!\{))[^$%\n]*)*\n?")

# Runs of code that hold nothing to look into; `$` and `%` before a brace end a string's.
_SIMPLE_STRING = r'"[^"\\$%\n]*(?:(?:\\.|[$%](?!\{))[^"\\$%\n]*)*"'
_COMMENT = r"#[^\n]*|//[^\n]*|/\*(?s:.*?)\*/"
_UNTIL_BRACKET = late_pattern(rf'(?:[^"#/<{{}}()\[\]]+|{_SIMPLE_STRING}|{_COMMENT}|/(?!\*)|<(?!<))*')
_UNTIL_LINE_ENDS = late_pattern(rf'(?:[^"#/<{{}}()\[\]\n]+|{_SIMPLE_STRING}|/\*(?s:.*?)\*/|/(?![*/])|<(?!<))*')
_HEREDOC = late_pattern(HEREDOC)
_TOKEN = late_pattern(
    rf"""
      (?P<string>{_SIMPLE_STRING})
    | (?P<comment>{_COMMENT.replace("#", "[#]")})
    | (?P<open>[{{(\[])
    | (?P<close>[}})\]])
    | (?P<newline>\n)
    | (?P<other>"|/\*|<<)
    """,
    re.VERBOSE,
)
_CLOSING = {"{": "}", "(": ")", "[": "]"}


def tokens(source: Source, start: int, end: int) -> Iterator[Token]:
    """The tokens between two offsets; a string or heredoc is one token, with all that is nested in it."""
    position = start
    while found := _TOKEN.search(source.text, position, end):
        kind, position = found.lastgroup or "", found.end()
        if kind == "other":
            kind = "heredoc" if source.text[found.start()] == "<" else "string"
            position = _past(source, found.start(), end, 0)
        yield Token(kind, found.start(), position)


def end_of_bracket(source: Source, opening: int, end: int, depth: int = 0) -> int:
    """The offset of the bracket that closes the one at `opening`."""
    text = source.text
    expected: list[str] = []
    position = opening
    while (position := end_of(_UNTIL_BRACKET, text, position, end)) < end:
        stop = text[position]
        if stop in _CLOSING:
            expected.append(_CLOSING[stop])
            if depth + len(expected) > MAX_NESTING:
                raise source.error(position, f"brackets are nested more than {MAX_NESTING} deep")
            position += 1
        elif stop in "})]":
            if stop != expected.pop():
                raise source.error(position, f'unexpected "{stop}"')
            if not expected:
                return position
            position += 1
        else:
            position = _past(source, position, end, depth)
    raise source.error(opening, f'"{text[opening]}" is never closed')


def end_of_expression(source: Source, start: int, end: int) -> int:
    """An attribute ends with its line, or a comment in it; within brackets, strings and heredocs lines do not count."""
    text = source.text
    position = start
    while (position := end_of(_UNTIL_LINE_ENDS, text, position, end)) < end:
        stop = text[position]
        if stop in "\n#" or text.startswith("//", position):
            return position
        if stop in _CLOSING:
            position = end_of_bracket(source, position, end) + 1
        elif stop in "})]":
            raise source.error(position, f'unexpected "{stop}"')
        else:
            position = _past(source, position, end, 0)
    return end


def _past(source: Source, position: int, end: int, depth: int) -> int:
    """The offset behind the string or heredoc that begins here."""
    if source.text[position] == '"':
        return _end_of_string(source, position, end, depth)
    if source.text[position] == "/":
        raise source.error(position, "this comment is never closed (expected */)")
    return end_of_heredoc(source, position, end, depth)


def _end_of_string(source: Source, opening: int, end: int, depth: int) -> int:
    position = opening + 1
    while True:
        position = end_of(STRING_TEXT, source.text, position, end)
        stop = source.text[position] if position < end else ""
        if stop == '"':
            return position + 1
        if stop not in ("$", "%"):
            raise source.error(opening, "this string is never closed")
        position = end_of_bracket(source, position + 1, end, depth + 1) + 1


def end_of_heredoc(source: Source, start: int, end: int, depth: int = 0) -> int:
    """The offset behind the closing marker, which stands alone in its line, blanks aside."""
    text = source.text
    heredoc = _HEREDOC.match(text, start, end)
    if not heredoc:
        raise source.error(start, "this is not a heredoc (expected <<MARKER and the end of the line)")
    position = heredoc.end()
    while position < end:
        line_end = text.find("\n", position, end)
        line_end = end if line_end < 0 else line_end
        if text[position:line_end].strip() == heredoc[1]:
            return line_end
        position = _end_of_heredoc_line(source, position, end, depth)
    raise source.error(start, f"this heredoc is never closed (expected a line {heredoc[1]})")


def _end_of_heredoc_line(source: Source, position: int, end: int, depth: int) -> int:
    """The offset behind the line's newline; what is interpolated may span lines."""
    while True:
        stop = end_of(LINE_TEXT, source.text, position, end)
        if stop >= end or (stop > position and source.text[stop - 1] == "\n"):
            return stop
        position = end_of_bracket(source, stop + 1, end, depth + 1) + 1


def end_of(pattern: re.Pattern[str], text: str, position: int, end: int) -> int:
    """The offset up to which the pattern matches."""
    found = pattern.match(text, position, end)
    return found.end() if found else position
