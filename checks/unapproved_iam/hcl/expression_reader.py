"""Read the expressions of HCL, and the templates in their strings: one pass from left to right, by recursive descent.

For `hcl.syntax`, which knows where an expression begins and ends. Source: "HCL Native Syntax Specification", sections
Expressions and Templates, and "Arithmetic and Logical Operators" in the Terraform language documentation; where they
are silent, what terraform does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import ClassVar

from unapproved_iam.hcl.decimal_numbers import MAX_DIGITS, decimal
from unapproved_iam.hcl.expression import (
    Call,
    Conditional,
    Expression,
    For,
    GetAttribute,
    Index,
    Literal,
    Name,
    ObjectOf,
    Operation,
    Splat,
    SplatItem,
    Template,
    TemplateFor,
    TemplateIf,
    TupleOf,
)
from unapproved_iam.hcl.expression_tokens import WITHIN_LINE, Tokens
from unapproved_iam.hcl.source_text import LINE_TEXT, MAX_NESTING, STRING_TEXT, HclSyntaxError, Source, end_of_heredoc
from unapproved_iam.hcl.string_templates import Marker, Piece, template_of, unescaped, without_doubling
from unapproved_iam.late_patterns import late_pattern
from unapproved_iam.policies.attachment import Place

MAX_CHAIN = 1_000  # operators, or steps of a reference, side by side: real code has fewer than 50

_NUMBER = late_pattern(r"[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_KEYWORDS = {"true": True, "false": False, "null": None}
_PRECEDENCE = {
    operator: level
    for level, operators in enumerate(
        (("||",), ("&&",), ("==", "!="), ("<", ">", "<=", ">="), ("+", "-"), ("*", "/", "%"))
    )
    for operator in operators
}


def read_expression(source: Source, start: int, end: int) -> Expression:
    """The expression between two offsets. Raises HclSyntaxError."""
    reader = _Reader(source, start, end)
    try:
        reader.advance()
        expression = reader.expression()
    except RecursionError:
        raise source.error(start, "this expression is nested too deeply to be read") from None
    if reader.kind != "end":
        raise reader.unexpected()
    return expression


def read_template(text: str, place: Place) -> Expression:
    """The template that the text is: of `.tf.json`, or a template file. A single `${}` is what it holds. Raises
    HclSyntaxError."""
    source = Source("", place.path)
    start = place.line - 1
    source.text = "\n" * start + text
    reader = _Reader(source, start, len(source.text))
    try:
        template = reader.lines(start, len(source.text), place)
    except RecursionError:
        raise source.error(start, "this template is nested too deeply to be read") from None
    only = template.parts[0] if len(template.parts) == 1 else ""
    return template if isinstance(only, str | TemplateIf | TemplateFor) else only


class _Reader(Tokens):
    """Each method reads what begins with the token that the reader stands on, and leaves it on the token behind."""

    depth = 0

    # -- operators -----------------------------------------------------------------------------------------------------

    def expression(self) -> Expression:
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise self.source.error(self.start, f"expressions are nested more than {MAX_NESTING} deep")
        last = self.operation()
        if self.kind == "?":
            last = self.conditional(last)
        self.depth -= 1
        return last

    def conditional(self, condition: Expression) -> Expression:
        """Further conditionals behind the colon are read side by side."""
        choices: list[tuple[Expression, Expression]] = []
        last = condition
        while self.takes("?"):
            choices.append((last, self.expression()))
            self.expect(":")
            last = self.operation()
            if len(choices) > MAX_CHAIN:
                raise self.too_long()
        for choice in reversed(choices):
            last = Conditional(*choice, last)
        return last

    def operation(self, loosest: int = 0) -> Expression:
        left = self.operand()
        length = 0
        while (level := _PRECEDENCE.get(self.kind, -1)) >= loosest:
            operator = self.kind
            self.advance()
            left = Operation(operator, (left, self.operation(level + 1)))
            length += 1
            if length > MAX_CHAIN:
                raise self.too_long()
        return left

    def operand(self) -> Expression:
        signs = []
        while self.kind in ("-", "!"):
            signs.append(self.kind)
            self.advance()
            if len(signs) > MAX_NESTING:
                raise self.too_long()
        read = self.TERMS.get(self.kind)
        if not read:
            raise self.unexpected()
        operand = read(self)
        if self.kind in (".", "["):
            operand = self.steps(operand)
        for sign in reversed(signs):
            operand = Operation(sign, (operand,))
        return operand

    def too_long(self) -> HclSyntaxError:
        return self.source.error(self.start, f"this expression has more than {MAX_CHAIN} operators or steps in a row")

    # -- what follows a term -------------------------------------------------------------------------------------------

    def steps(self, source: Expression) -> Expression:
        for _ in range(MAX_CHAIN):
            if self.takes("."):
                source = self.splat_of_names(source) if self.kind == "*" else self.attribute(source)
            elif self.kind == "[":
                outer = self.open()
                if self.takes("*"):
                    self.close("]", outer)
                    return Splat(source, self.steps(SplatItem(f"{source}[*]")))
                key = self.expression()
                self.close("]", outer)
                source = Index(source, key)
            else:
                return source
        raise self.too_long()

    def attribute(self, source: Expression) -> Expression:
        """`.NAME`, or the older `.0`"""
        token = self.token
        if self.kind == "number" and token.isdecimal():
            return Index(source, self.number())
        return GetAttribute(source, self.name())

    def splat_of_names(self, source: Expression) -> Expression:
        """`.*` looks at each element for the names and the older indices that follow; all else is of the whole list."""
        self.advance()
        each: Expression = SplatItem(f"{source}[*]")
        for _ in range(MAX_CHAIN):
            if not self.takes("."):
                return Splat(source, each)
            each = self.attribute(each)
        raise self.too_long()

    # -- terms ---------------------------------------------------------------------------------------------------------

    def named(self) -> Expression:
        name = self.name()
        if self.kind in ("(", "::"):
            return self.call(name)
        return Literal(_KEYWORDS[name]) if name in _KEYWORDS else Name(name)

    def call(self, name: str) -> Expression:
        while self.takes("::"):
            name += f"::{self.name()}"
        if self.kind != "(":
            raise self.unexpected()
        outer = self.open()
        arguments, expands = [], False
        while self.kind != ")":
            arguments.append(self.expression())
            expands = self.takes("...")
            if expands or not self.takes(","):
                break
        self.close(")", outer)
        return Call(name, tuple(arguments), expands)

    def number(self) -> Expression:
        digits = self.token
        if not _NUMBER.fullmatch(digits):
            raise self.unexpected()
        number = decimal(digits)
        if number is None:
            raise self.source.error(self.start, f"this number has more than {MAX_DIGITS} digits")
        self.advance()
        return Literal(number)

    def parenthesis(self) -> Expression:
        outer = self.open()
        inner = self.expression()
        self.close(")", outer)
        return inner

    def tuple_(self) -> Expression:
        outer = self.open()
        if self.takes_word("for"):
            return self.loop("]", outer)
        items = []
        while self.kind != "]":
            items.append(self.expression())
            if not self.takes(","):
                break
        self.close("]", outer)
        return TupleOf(tuple(items))

    def object_(self) -> Expression:
        outer = self.open()
        if self.takes_word("for"):
            return self.loop("}", outer)
        self.pattern = WITHIN_LINE
        items = []
        while self.kind != "}":
            key = self.key()
            if not self.takes("="):
                self.expect(":")
            items.append((key, self.expression()))
            if not self.takes(",") and self.kind not in ("newline", "}"):
                raise self.unexpected()
            while self.takes("newline"):
                pass
        self.close("}", outer)
        return ObjectOf(tuple(items))

    def key(self) -> Expression:
        """A bare name is the name itself, in parentheses it is a reference."""
        if self.kind != "name":
            return self.expression()
        name, place = self.token, self.place()
        key = self.expression()
        return Template((name,), place) if isinstance(key, Name | Literal) else key

    def loop(self, bracket: str, outer: re.Pattern[str]) -> Expression:
        *key, value = self.loop_names()
        collection = self.expression()
        self.expect(":")
        result = self.expression()
        result_key, grouped = None, False
        if bracket == "}":
            self.expect("=>")
            result_key, result = result, self.expression()
            grouped = self.takes("...")
        condition = self.expression() if self.takes_word("if") else None
        self.close(bracket, outer)
        return For(key[0] if key else None, value, collection, result_key, result, grouped, condition)

    def loop_names(self) -> tuple[str, ...]:
        """`NAME in` or `KEY, VALUE in`"""
        at, names = self.start, [self.token]
        is_loop = self.takes("name")
        if is_loop and self.takes(","):
            names.append(self.token)
            is_loop = self.takes("name")
        if not (is_loop and self.takes_word("in")):
            raise self.source.error(at, "this is not a loop (expected for NAME in COLLECTION)")
        return tuple(names)

    # -- templates -----------------------------------------------------------------------------------------------------

    def plain(self) -> Expression:
        string = Template((self.token,) if self.token else (), self.place())
        self.advance()
        return string

    def quoted(self) -> Expression:
        start, place = self.start, self.place()
        pieces = self.pieces(STRING_TEXT, self.end, lambda text, at: unescaped(self.source, text, at))
        if self.text[self.position : min(self.position + 1, self.end)] != '"':
            raise self.source.error(start, "this string is never closed")
        self.position += 1
        self.advance()
        return template_of(pieces, self.source, place)

    def heredoc(self) -> Expression:
        place, is_indented = self.place(), self.token.startswith("<<-")
        end = end_of_heredoc(self.source, self.start, self.end)
        last = self.text.rindex("\n", self.start, end) + 1
        template = self.lines(self.position, last, place, is_indented)
        self.position = end
        self.advance()
        return template

    def lines(self, start: int, end: int, place: Place, is_indented: bool = False) -> Template:
        self.position = start
        pieces = self.pieces(LINE_TEXT, end, lambda text, at: without_doubling(text))
        return template_of(pieces, self.source, place, is_indented)

    def pieces(self, literal: re.Pattern[str], end: int, value_of: Callable[[str, int], str]) -> list[Piece]:
        """Texts and markers, up to the end or a character that is neither."""
        pieces: list[Piece] = []
        while self.position < end:
            found = literal.match(self.text, self.position, end)
            if found and found[0]:
                pieces.append(value_of(found[0], self.position))
                self.position = found.end()
            elif self.text[self.position] in "$%":
                pieces.append(self.marker())
            else:
                break
        return pieces

    def marker(self) -> Marker:
        """Leaves the reader behind the closing brace, where text goes on."""
        at, is_directive = self.position, self.text[self.position] == "%"
        strips_before = self.text.startswith("~", at + 2)
        self.position += 2 + strips_before
        outer = self.open()
        keyword = self.name() if is_directive else ""
        names = self.loop_names() if keyword == "for" else ()
        expression = self.expression() if keyword in ("", "for", "if") else None
        if self.kind not in ("}", "~}"):
            raise self.unexpected()
        self.pattern = outer
        return Marker(at, keyword, expression, names, strips_before, strips_after=self.kind == "~}")

    TERMS: ClassVar[dict[str, Callable[[_Reader], Expression]]] = {
        "name": named,
        "number": number,
        "text": plain,
        "quote": quoted,
        "heredoc": heredoc,
        "(": parenthesis,
        "[": tuple_,
        "{": object_,
    }
