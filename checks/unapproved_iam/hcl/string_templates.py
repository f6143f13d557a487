"""Read the inside of quoted strings, heredocs and template files: escapes, `${}`, `%{}`, strip markers, indentation.

For `hcl.syntax` and `hcl.grammar`, and for the function `templatefile`. Source: "HCL Native Syntax Specification",
section Templates; where it is silent, what terraform does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby

from unapproved_iam.hcl.expression import Expression, Template, TemplateFor, TemplateIf
from unapproved_iam.hcl.source_text import Source, end_of_bracket
from unapproved_iam.hcl.syntax import expression_between
from unapproved_iam.policies.attachment import Place

_QUOTED_TEXT = re.compile(r"[^\\$%]*(?:(?:\\.|\$\$\{|%%\{|[$%](?!\{))[^\\$%]*)*", re.DOTALL)
_LINE_TEXT = re.compile(r"[^$%\n]*(?:(?:\$\$\{|%%\{|[$%](?!\{))[^$%\n]*)*\n?")
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})|\\(.)|\$\$\{|%%\{", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_DIRECTIVE = re.compile(r"\s*(if|else|endif|for|endfor)\b")
_LOOP = re.compile(r"\s*([^\W\d][\w-]*)\s*(?:,\s*([^\W\d][\w-]*)\s*)?\bin\b")


@dataclass
class _Marker:
    """`${…}` or `%{…}`: the offsets of what is between the braces."""

    kind: str
    start: int
    end: int


_Piece = str | _Marker


def quoted(source: Source, start: int, end: int) -> Template:
    """The string whose quotes stand at `start` and before `end`."""
    pieces = _pieces(source, start + 1, end - 1, _QUOTED_TEXT, lambda text, at: _unescaped(source, text, at))
    return _template(source, start, pieces)


def heredoc(source: Source, start: int, end: int) -> Template:
    """The heredoc whose `<<` stands at `start` and whose closing marker ends at `end`."""
    first = source.text.index("\n", start) + 1
    last = source.text.rindex("\n", start, end) + 1
    pieces = _pieces(source, first, last, _LINE_TEXT, lambda text, at: _without_doubling(text))
    if source.text.startswith("<<-", start):
        pieces = _flush(pieces)
    return _template(source, start, pieces)


def template_of_text(text: str, place: Place) -> Template:
    """A string that is a template without quotes: of `.tf.json`, or a template file. Raises HclSyntaxError."""
    source = Source("", place.path)
    source.text = "\n" * (place.line - 1) + text
    start = place.line - 1
    pieces = _pieces(source, start, len(source.text), _LINE_TEXT, lambda text, at: _without_doubling(text))
    return _template(source, start, pieces)


def _pieces(
    source: Source, position: int, end: int, literal: re.Pattern[str], value_of: Callable[[str, int], str]
) -> list[_Piece]:
    """Texts, with strip markers applied, and what stands between braces."""
    pieces: list[_Piece] = []
    strip_next = False
    while position < end:
        if (found := literal.match(source.text, position, end)) and found[0]:
            value = value_of(found[0], position)
            pieces.append(value.lstrip() if strip_next else value)
            strip_next = False
            position = found.end()
            continue
        closing = end_of_bracket(source, position + 1, end)
        inner = _Marker(source.text[position], position + 2, closing)
        if source.text.startswith("~", inner.start):
            inner.start += 1
            if pieces and isinstance(pieces[-1], str):
                pieces[-1] = pieces[-1].rstrip()
        strip_next = inner.end > inner.start and source.text[inner.end - 1] == "~"
        inner.end -= strip_next
        pieces.append(inner)
        position = closing + 1
    return pieces


def _unescaped(source: Source, text: str, position: int) -> str:
    def character(escape: re.Match[str]) -> str:
        code = escape[1] or escape[2]
        if code:
            if int(code, 16) > 0x10FFFF:
                raise source.error(position + escape.start(), f'"{escape[0]}" is no character')
            return chr(int(code, 16))
        if not escape[3]:
            return escape[0][1:]
        if escape[3] not in _ESCAPED:
            raise source.error(position + escape.start(), f'unknown escape sequence "{escape[0]}"')
        return _ESCAPED[escape[3]]

    return _ESCAPE.sub(character, text)


def _without_doubling(text: str) -> str:
    return text.replace("$${", "${").replace("%%{", "%{")


def _flush(pieces: list[_Piece]) -> list[_Piece]:
    """Take from the lines of a `<<-` heredoc the indentation that they share; blank lines have no say."""
    first_in_line = [number for number in range(len(pieces)) if number == 0 or str(pieces[number - 1]).endswith("\n")]
    indents = {}
    for number in first_in_line:
        piece = pieces[number]
        if not isinstance(piece, str):
            indents[number] = 0
        elif piece.strip() or not piece.endswith("\n"):
            indents[number] = len(piece) - len(piece.lstrip())
    shared = min(indents.values(), default=0)
    flushed = list(pieces)
    for number in indents:
        piece = flushed[number]
        if isinstance(piece, str):
            flushed[number] = piece[shared:]
    return flushed


def _template(source: Source, start: int, pieces: list[_Piece]) -> Template:
    place = Place(source.path, source.line_of(start))
    melded: list[_Piece] = []
    for is_text, group in groupby(pieces, lambda piece: isinstance(piece, str)):
        together = list(group)
        melded.extend(["".join(map(str, together))] if is_text else together)
    return _Directives(source, place, melded).read()


class _Directives:
    """Turns the flat pieces of a template into nested `%{ if }` and `%{ for }`."""

    def __init__(self, source: Source, place: Place, pieces: list[_Piece]) -> None:
        self.source = source
        self.place = place
        self.pieces = pieces
        self.next = 0

    def read(self) -> Template:
        template, ended_by = self._until(())
        assert not ended_by
        return template

    def _until(self, ends: tuple[str, ...]) -> tuple[Template, str]:
        """The parts up to one of the directives that end here, and which one it was."""
        parts: list[str | Expression] = []
        while self.next < len(self.pieces):
            piece = self.pieces[self.next]
            self.next += 1
            if isinstance(piece, str):
                if piece:
                    parts.append(piece)
            elif piece.kind == "$":
                parts.append(expression_between(self.source, piece.start, piece.end))
            else:
                keyword = _DIRECTIVE.match(self.source.text, piece.start, piece.end)
                if keyword and keyword[1] == "if":
                    parts.append(self._if(piece, keyword.end()))
                elif keyword and keyword[1] == "for":
                    parts.append(self._for(piece, keyword.end()))
                elif keyword and keyword[1] in ends:
                    return Template(tuple(parts), self.place), keyword[1]
                else:
                    raise self.source.error(piece.start, "unexpected template directive")
        if ends:
            raise self.source.error(self._position(), f"a template directive is never closed (expected {ends[-1]})")
        return Template(tuple(parts), self.place), ""

    def _if(self, marker: _Marker, start: int) -> TemplateIf:
        condition = expression_between(self.source, start, marker.end)
        then, ended_by = self._until(("else", "endif"))
        otherwise = Template((), self.place)
        if ended_by == "else":
            otherwise, _ = self._until(("endif",))
        return TemplateIf(condition, then, otherwise)

    def _for(self, marker: _Marker, start: int) -> TemplateFor:
        loop = _LOOP.match(self.source.text, start, marker.end)
        if not loop:
            raise self.source.error(marker.start, "this is no loop (expected for NAME in COLLECTION)")
        collection = expression_between(self.source, loop.end(), marker.end)
        body, _ = self._until(("endfor",))
        return TemplateFor(loop[1] if loop[2] else None, loop[2] or loop[1], collection, body)

    def _position(self) -> int:
        return max((piece.end for piece in self.pieces if isinstance(piece, _Marker)), default=0)
