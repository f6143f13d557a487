"""The tokens of an expression, one after the other.

For `hcl.expression_reader`. Source: "HCL Native Syntax Specification", section Lexical Elements.
"""

from __future__ import annotations

import re

from unapproved_iam.hcl.source_text import HEREDOC, NAME, HclSyntaxError, Source
from unapproved_iam.late_patterns import late_pattern
from unapproved_iam.policies.attachment import Place

_COMMENT = r"(?:#[^\n]*|//[^\n]*|/\*(?s:.*?)\*/)"
_TOKEN = rf"""
    (?P<name>{NAME})
  | (?P<mark>\.\.\.|=>|::|[=!<>]=|&&|\|\||~\}}|[-+*/%!?:.,=(){{}}\[\]>]|<(?!<))
  | "(?P<text>[^"\\$%\n]*(?:[$%](?![{{$%])[^"\\$%\n]*)*)"
  | (?P<number>[0-9](?:[0-9]|\.[0-9]|[eE][+-]?[0-9])*)
  | (?P<quote>")
  | (?P<heredoc>{HEREDOC})
  | (?P<newline>\n)
  | (?P<end>\Z)
  | (?P<other>(?s:.))
"""
WITHIN_LINE = late_pattern(rf"[ \t\r]*(?:{_COMMENT}[ \t\r]*)*(?:{_TOKEN})".replace("#", r"\#"), re.VERBOSE)
ACROSS_LINES = late_pattern(rf"[ \t\r\n]*(?:{_COMMENT}[ \t\r\n]*)*(?:{_TOKEN})".replace("#", r"\#"), re.VERBOSE)


class Tokens:
    """Stands on one token: of a string with anything to interpolate the opening quote, of a heredoc its first line.

    Within brackets a newline means nothing, but between the items of an object it is a token.
    """

    def __init__(self, source: Source, start: int, end: int) -> None:
        self.source, self.text, self.end = source, source.text, end
        self.kind = ""  # of the token: of a mark, the mark itself
        self.token = ""
        self.start = self.position = start  # of the token, and behind it
        self.pattern = ACROSS_LINES

    def advance(self) -> None:
        found = self.pattern.match(self.text, self.position, self.end)
        assert found  # there is always an end, or another character
        kind = found.lastgroup or ""
        self.token = token = found[kind]
        self.kind = token if kind == "mark" else kind
        self.start, self.position = found.start(kind), found.end()
        if kind == "name" and not token.isascii():
            self.source.check_name(token, self.start)

    def expect(self, mark: str) -> None:
        if self.kind != mark:
            raise self.unexpected()
        self.advance()

    def takes(self, mark: str) -> bool:
        if self.kind != mark:
            return False
        self.advance()
        return True

    def takes_word(self, word: str) -> bool:
        return self.kind == "name" and self.token == word and self.takes("name")

    def name(self) -> str:
        name = self.token
        self.expect("name")
        return name

    def open(self, pattern: re.Pattern[str] = ACROSS_LINES) -> re.Pattern[str]:
        """Step into a bracket; what comes back is for `close`, which steps out of it."""
        outer, self.pattern = self.pattern, pattern
        self.advance()
        return outer

    def close(self, bracket: str, outer: re.Pattern[str]) -> None:
        self.pattern = outer
        self.expect(bracket)

    def unexpected(self) -> HclSyntaxError:
        near = self.text[self.start : min(self.start + 20, self.end)].strip()
        problem = f'unexpected "{near}"' if near else "it ends too early"
        return self.source.error(self.start, f"this is not an expression, or not one that is understood: {problem}")

    def place(self) -> Place:
        return Place(self.source.path, self.source.line_of(self.start))
