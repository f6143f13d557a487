"""Assemble a quoted string, heredoc or template file from its pieces: escapes, strip markers, indentation, directives.

For `hcl.expression_reader`, which finds the pieces. Source: "HCL Native Syntax Specification", section Templates; where
it is silent, what terraform does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby

from unapproved_iam.hcl.expression import Expression, Template, TemplateFor, TemplateIf
from unapproved_iam.hcl.source_text import Source
from unapproved_iam.late_patterns import late_pattern
from unapproved_iam.policies.attachment import Place

_ESCAPE = late_pattern(r"\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})|\\(.)|\$\$\{|%%\{", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}


@dataclass(frozen=True, slots=True)
class Marker:
    """`${…}`, or `%{…}` with its keyword; a `~` at one of its ends takes the blanks off the text on that side."""

    position: int
    keyword: str = ""
    expression: Expression | None = None  # the condition of `if`, the collection of `for`
    names: tuple[str, ...] = ()  # of the loop
    strips_before: bool = False
    strips_after: bool = False


Piece = str | Marker


def unescaped(source: Source, text: str, position: int) -> str:
    """The text of a quoted string that stands at `position`. Raises HclSyntaxError."""
    if "\\" not in text:
        return without_doubling(text)

    def character(escape: re.Match[str]) -> str:
        code = escape[1] or escape[2]
        if code:
            if int(code, 16) > 0x10FFFF:
                raise source.error(position + escape.start(), f'"{escape[0]}" is not a character')
            return chr(int(code, 16))
        if not escape[3]:
            return escape[0][1:]
        if escape[3] not in _ESCAPED:
            raise source.error(position + escape.start(), f'unknown escape sequence "{escape[0]}"')
        return _ESCAPED[escape[3]]

    return _ESCAPE.sub(character, text)


def without_doubling(text: str) -> str:
    """The text of a heredoc or template file, where a backslash is a backslash."""
    return text.replace("$${", "${").replace("%%{", "%{")


def template_of(pieces: list[Piece], source: Source, place: Place, is_indented: bool = False) -> Template:
    """The pieces as one template; `is_indented` for a `<<-` heredoc. Raises HclSyntaxError."""
    pieces = _stripped(pieces)
    if is_indented:
        pieces = _flush(pieces)
    melded: list[Piece] = []
    for is_text, group in groupby(pieces, lambda piece: isinstance(piece, str)):
        together = list(group)
        melded.extend(["".join(map(str, together))] if is_text else together)
    return _Directives(source, place, melded).read()


def _stripped(pieces: list[Piece]) -> list[Piece]:
    """A marker reaches to the end of the line, since each line of a heredoc is a piece."""
    stripped: list[Piece] = []
    for number, piece in enumerate(pieces):
        if isinstance(piece, str):
            before, after = pieces[number - 1 : number], pieces[number + 1 : number + 2]
            if before and isinstance(before[0], Marker) and before[0].strips_after:
                piece = piece.lstrip()
            if after and isinstance(after[0], Marker) and after[0].strips_before:
                piece = piece.rstrip()
        stripped.append(piece)
    return stripped


def _flush(pieces: list[Piece]) -> list[Piece]:
    """Take from the lines of a `<<-` heredoc the indentation that they share; blank lines have no say."""
    first_in_line = [0] if pieces else []
    first_in_line += [
        after for after, piece in enumerate(pieces[:-1], 1) if isinstance(piece, str) and piece.endswith("\n")
    ]
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


class _Directives:
    """Turns the flat pieces of a template into nested `%{ if }` and `%{ for }`."""

    def __init__(self, source: Source, place: Place, pieces: list[Piece]) -> None:
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
            elif piece.keyword == "if":
                parts.append(self._if(piece))
            elif piece.keyword == "for":
                parts.append(self._for(piece))
            elif piece.keyword in ends:
                return Template(tuple(parts), self.place), piece.keyword
            elif piece.expression:
                parts.append(piece.expression)
            else:
                raise self.source.error(piece.position, "unexpected template directive")
        if ends:
            raise self.source.error(
                self._last_position(), f"a template directive is never closed (expected {ends[-1]})"
            )
        return Template(tuple(parts), self.place), ""

    def _if(self, marker: Marker) -> TemplateIf:
        assert marker.expression
        then, ended_by = self._until(("else", "endif"))
        otherwise = Template((), self.place)
        if ended_by == "else":
            otherwise, _ = self._until(("endif",))
        return TemplateIf(marker.expression, then, otherwise)

    def _for(self, marker: Marker) -> TemplateFor:
        assert marker.expression
        *key, value = marker.names
        body, _ = self._until(("endfor",))
        return TemplateFor(key[0] if key else None, value, marker.expression, body)

    def _last_position(self) -> int:
        return max((piece.position for piece in self.pieces if isinstance(piece, Marker)), default=0)
