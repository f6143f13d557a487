"""The oracle of `hcl.expression_reader`: what the library `hcl2` (bc-python-hcl2, checkov's own) reads.

Its lexer mistakes strings: it is given numbers in their place, and each `${}` of a string by itself. Its grammar has no
precedence and hangs a conditional under the last operator (`a == b ? c : d` is read as `a == (b ? c : d)`): only its
order of operands and operators is used, and precedence is applied here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from hcl2.parser import Hcl2
from lark import Token as LarkToken
from lark import Tree
from unapproved_iam.hcl.decimal_numbers import decimal
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
    TupleOf,
)
from unapproved_iam.hcl.source_text import Source, Token, end_of_bracket, tokens
from unapproved_iam.policies.attachment import Place

PLACE = Place("", 1)

_LEVELS = (("||",), ("&&",), ("==", "!="), ("<", ">", "<=", ">="), ("+", "-"), ("*", "/", "%"))
_PRECEDENCE = {operator: level for level, operators in enumerate(_LEVELS) for operator in operators}
_KEYWORDS = {"true": True, "false": False, "null": None}

_BLANKS = re.compile(r"[^\S\n]+")
_LINE_ENDS = re.compile(r"([{,]?)\s*\n\s*(?=([},]?))")
_EXPANSION = re.compile(r"\.\.\.\s*\)")
_SPLAT = re.compile(r"\[\s*\*\s*\]")
_EXPONENT = re.compile(r"(?<![\w.])(?<!\w-)\d+(?:\.\d+)?[eE][+-]?\d+")
_LOOP_AHEAD = re.compile(r"\{(?:\s|#[^\n]*\n|//[^\n]*\n|/\*(?s:.*?)\*/)*for\b")
_INTERPOLATION = re.compile(r"\$\$\{|%%\{|\\.|\$\{~?", re.DOTALL)


def with_strings_numbered(expression: str) -> tuple[str, list[str]]:
    """The expression in one line, without comments and with commas between the items of an object, "0", "1", … for its
    strings; and what is interpolated in those."""
    source = Source(expression, "")
    pieces: list[str] = []
    inner: list[str] = []
    strings = 0
    lines_separate = [False]
    position = 0
    for token in tokens(source, 0, len(source.text)):
        pieces.append(source.text[position : token.start])
        position = token.end
        if token.kind in ("string", "heredoc"):
            pieces.append(f'"{strings}"')
            inner.extend(_interpolated(source, token))
            strings += 1
        elif token.kind == "comment":
            pieces.append(" ")
        elif token.kind == "newline":
            pieces.append("\n" if lines_separate[-1] else " ")
        else:
            pieces.append(source.text[token.start : position])
            if token.kind == "open":
                is_object = source.text[token.start] == "{" and not _LOOP_AHEAD.match(source.text, token.start)
                lines_separate.append(is_object)
            elif len(lines_separate) > 1:
                lines_separate.pop()
    pieces.append(source.text[position:])
    code = _BLANKS.sub(" ", "".join(pieces)).strip()
    return _LINE_ENDS.sub(lambda found: f"{found[1]} " if found[1] or found[2] else ", ", code), inner


def _interpolated(source: Source, token: Token) -> Iterator[str]:
    position = token.start
    while found := _INTERPOLATION.search(source.text, position, token.end):
        position = found.end()
        if found[0].startswith("${"):
            closing = end_of_bracket(source, found.start() + 1, token.end)
            yield source.text[position:closing].removesuffix("~")
            position = closing + 1


def library_expression(code: str) -> Expression:
    """What the library reads of an expression without newlines, comments, and strings that hold more than a number.
    Raises UnexpectedInput."""
    code = _SPLAT.sub("[*]", _EXPANSION.sub(', "...")', code))
    body = Hcl2.lark_parser.parse(f"a = {_EXPONENT.sub(_numbered, code)}\n").children[0]
    return _Reader().read(body.children[0].children[1])


def _numbered(exponent: re.Match[str]) -> str:
    return f'"#{exponent[0]}"'


class _Reader:
    """Turns the library's tree into expressions."""

    def read(self, tree: Any) -> Expression:
        if isinstance(tree, LarkToken):
            return self.string(tree)
        sequence = list(_in_order(tree))
        if len(sequence) == 1:
            return self.term(sequence[0])
        operators = _Operators([part if isinstance(part, str) else self.term(part) for part in sequence])
        return operators.conditional()

    def term(self, tree: Any) -> Expression:
        if isinstance(tree, LarkToken):
            return self.string(tree)
        return self.KINDS[tree.data](self, tree.children)

    def string(self, token: LarkToken) -> Expression:
        inside = token[1:-1]
        return self.number([inside[1:]]) if inside.startswith("#") else Template((str(inside),), PLACE)

    def expr_term(self, children: list[Any]) -> Expression:
        return self.read(children[0])

    def unary_op(self, children: list[Any]) -> Expression:
        return Operation(str(children[0]), (self.read(children[1]),))

    def number(self, children: list[Any]) -> Expression:
        return Literal(decimal("".join(children)))

    def identifier(self, children: list[Any]) -> Expression:
        name = str(children[0])
        return Literal(_KEYWORDS[name]) if name in _KEYWORDS else Name(name)

    def tuple_(self, children: list[Any]) -> Expression:
        return TupleOf(tuple(self.read(child) for child in children))

    def object_(self, children: list[Any]) -> Expression:
        return ObjectOf(tuple((self.key(item.children[0]), self.read(item.children[1])) for item in children))

    def key(self, tree: Any) -> Expression:
        """A bare name is the name itself, in parentheses it is a reference."""
        while isinstance(tree, Tree) and tree.data in ("expr_term", "identifier") and len(tree.children) == 1:
            if tree.data == "identifier":
                return Template((str(tree.children[0]),), PLACE)
            if isinstance(tree.children[0], Tree) and tree.children[0].data == "expr_term":
                break
            tree = tree.children[0]
        return self.read(tree)

    def function_call(self, children: list[Any]) -> Expression:
        names = [_name(child) for child in children if child.data == "identifier"]
        given = [argument for child in children if child.data == "arguments" for argument in child.children]
        expands = bool(given) and _is_expansion(given[-1])
        arguments = tuple(self.read(argument) for argument in (given[:-1] if expands else given))
        return Call("::".join(names), arguments, expands)

    def step(self, children: list[Any]) -> Expression:
        """`SOURCE.NAME` and `SOURCE[KEY]`"""
        return self.followed(self.read(children[0]), children[1])

    def followed(self, source: Expression, step: Any) -> Expression:
        if step.data == "get_attr":
            return GetAttribute(source, _name(step.children[0]))
        key = step.children
        if isinstance(key[0], LarkToken) and key[0].isdigit():
            return Index(source, self.number(key))  # the older `SOURCE.0`
        return Index(source, self.read(key[0]))

    def full_splat(self, children: list[Any]) -> Expression:
        source = self.read(children[0])
        each: Expression = SplatItem(f"{source}[*]")
        for step in children[1].children:
            each = self.followed(each, step)
        return Splat(source, each)

    def attribute_splat(self, children: list[Any]) -> Expression:
        """`SOURCE.*.NAME[KEY]` is an element of the whole list: only names belong to `.*`."""
        steps = children[1].children
        names = 0
        source = self.read(children[0])
        each: Expression = SplatItem(f"{source}[*]")
        while names < len(steps) and steps[names].data == "get_attr":
            each = self.followed(each, steps[names])
            names += 1
        whole: Expression = Splat(source, each)
        for step in steps[names:]:
            whole = self.followed(whole, step)
        return whole

    def loop(self, children: list[Any]) -> Expression:
        intro = next(child for child in children if isinstance(child, Tree) and child.data == "for_intro")
        trees = [child for child in intro.children if isinstance(child, Tree)]
        names = [_name(tree) for tree in trees[:-1]]
        condition = next((c for c in children if isinstance(c, Tree) and c.data == "for_cond"), None)
        results = [c for c in children if isinstance(c, Tree) and c is not intro and c is not condition]
        return For(
            key=names[0] if len(names) == 2 else None,
            value=names[-1],
            collection=self.read(trees[-1]),
            result_key=self.read(results[0]) if len(results) == 2 else None,
            result=self.read(results[-1]),
            grouped=any(isinstance(child, LarkToken) and child == "..." for child in children),
            condition=self.read(condition.children[-1]) if condition else None,
        )

    KINDS: ClassVar[dict[str, Callable[[_Reader, list[Any]], Expression]]] = {
        "expr_term": expr_term,
        "unary_op": unary_op,
        "int_lit": number,
        "float_lit": number,
        "identifier": identifier,
        "tuple": tuple_,
        "object": object_,
        "function_call": function_call,
        "provider_function_call": function_call,
        "get_attr_expr_term": step,
        "index_expr_term": step,
        "full_splat_expr_term": full_splat,
        "attr_splat_expr_term": attribute_splat,
        "for_tuple_expr": loop,
        "for_object_expr": loop,
    }


def _name(tree: Any) -> str:
    return str(tree.children[0])


def _is_expansion(tree: Any) -> bool:
    return isinstance(tree, Tree) and len(tree.children) == 1 and tree.children[0] == '"..."'


def _in_order(tree: Any) -> Iterator[Any]:
    """Operands and operators as they were written, however the library nested them."""
    waiting = [tree]
    while waiting:
        part = waiting.pop()
        if not isinstance(part, Tree):
            yield part
        elif part.data in ("binary_op", "binary_term"):
            waiting.extend(reversed(part.children))
        elif part.data == "binary_operator":
            yield str(part.children[0])
        elif part.data == "conditional":
            condition, then, otherwise = part.children
            waiting.extend((otherwise, ":", then, "?", condition))
        else:
            yield part


class _Operators:
    """Applies Terraform's precedence to operands and operators in their written order."""

    def __init__(self, sequence: list[Expression | str]) -> None:
        self.sequence = sequence
        self.next = 0

    def conditional(self) -> Expression:
        condition = self.binary()
        if not self.takes("?"):
            return condition
        then = self.conditional()
        self.takes(":")
        return Conditional(condition, then, self.conditional())

    def binary(self, loosest: int = 0) -> Expression:
        left = self.operand()
        while (operator := self.operator()) and _PRECEDENCE[operator] >= loosest:
            self.next += 1
            left = Operation(operator, (left, self.binary(_PRECEDENCE[operator] + 1)))
        return left

    def operand(self) -> Expression:
        operand = self.sequence[self.next]
        assert isinstance(operand, Expression)
        self.next += 1
        return operand

    def operator(self) -> str | None:
        following = self.sequence[self.next] if self.next < len(self.sequence) else None
        return following if isinstance(following, str) and following in _PRECEDENCE else None

    def takes(self, mark: str) -> bool:
        taken = self.next < len(self.sequence) and self.sequence[self.next] == mark
        self.next += taken
        return taken
