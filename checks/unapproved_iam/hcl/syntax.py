"""Read HCL source into bodies, blocks, attributes and typed expressions (`hcl.expression`).

For `terraform.root_module`, which knows what the blocks mean, and `hcl.evaluation`, which evaluates the expressions.
Source: "HCL Native Syntax Specification".

    body = parse_body(data, "/repo/main.tf")         # HclSyntaxError when it is no HCL
    for block in body.blocks:
        block.type, block.labels, block.line, block.end_line
        block.body.attributes["policy_arn"].expression
        block.comments                               # for inline skips

Reading is lazy: `parse_body` finds the outermost blocks and attributes, `Block.body` reads one block, and
`Attribute.expression` one expression. Each of the three raises HclSyntaxError when its part of the source is broken,
and remembers what it read.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from unapproved_iam.hcl.expression import Expression
from unapproved_iam.hcl.expression_reader import read_expression, read_template
from unapproved_iam.hcl.source_text import (
    NAME,
    HclSyntaxError,
    Source,
    end_of,
    end_of_bracket,
    end_of_expression,
    tokens,
)
from unapproved_iam.hcl.string_templates import unescaped
from unapproved_iam.late_patterns import late_pattern
from unapproved_iam.policies.attachment import Place

__all__ = ["HclSyntaxError", "parse_body", "parse_expression", "parse_template"]


class Comment(NamedTuple):
    """A comment as written, with its `#`, `//` or `/*`."""

    text: str
    line: int


class _Span:
    """A part of a file, from its first character to its last one."""

    def __init__(self, source: Source, start: int, end: int) -> None:
        self._source, self._start, self._end = source, start, end

    @property
    def place(self) -> Place:
        return Place(self._source.path, self.line, self.end_line)

    @cached_property
    def line(self) -> int:
        return self._source.line_of(self._start)

    @cached_property
    def end_line(self) -> int:
        return self._source.line_of(self._end)


class Attribute(_Span):
    """`NAME = EXPRESSION` in a body; its lines begin with that of the name."""

    def __init__(self, name: str, source: Source, start: int, end: int) -> None:
        super().__init__(source, start, end)
        self.name = name

    @property
    def text(self) -> str:
        """The expression as it is written."""
        return self._source.text[self._start : self._end]

    @cached_property
    def expression(self) -> Expression:
        """Raises HclSyntaxError when it is none."""
        return read_expression(self._source, self._start, self._end)


class Block(_Span):
    """`TYPE "LABEL" … {` body `}`; its lines end with that of the closing brace."""

    def __init__(self, block_type: str, labels: tuple[str, ...], source: Source, start: int, opening: int, end: int):
        super().__init__(source, start, end)
        self.type = block_type
        self.labels = labels
        self._opening = opening

    @cached_property
    def body(self) -> Body:
        """Raises HclSyntaxError when it is none."""
        return _body(self._source, self._opening + 1, self._end)

    @property
    def comments(self) -> tuple[Comment, ...]:
        """All comments between its braces, those of nested blocks too."""
        return self.body.comments

    @property
    def text(self) -> str:
        """The block as it is written."""
        return self._source.text[self._start : self._end + 1]


class Body:
    """Attributes by name, and blocks in their order."""

    def __init__(self, attributes: dict[str, Attribute], blocks: tuple[Block, ...], span: tuple[Source, int, int]):
        self.attributes = attributes
        self.blocks = blocks
        self._source, self._start, self._end = span

    @cached_property
    def comments(self) -> tuple[Comment, ...]:
        """All comments in it, those of nested blocks too."""
        source = self._source
        return tuple(
            Comment(source.text[token.start : token.end], source.line_of(token.start))
            for token in tokens(source, self._start, self._end)
            if token.kind == "comment"
        )


def parse_body(source: str | bytes, path: str) -> Body:
    """Read a file of native syntax (.tf, .tofu, .tfvars). Raises HclSyntaxError."""
    whole = Source(source, path)
    return _body(whole, 0, len(whole.text))


def parse_expression(text: str, path: str, line: int = 1) -> Expression:
    """Read one expression, e.g. a reference within `.tf.json`. Raises HclSyntaxError."""
    source = Source("\n" * (line - 1) + text, path)
    return read_expression(source, line - 1, len(source.text))


def parse_template(text: str, place: Place) -> Expression:
    """Read a string with its `${}` and `%{}` as `.tf.json` holds it: without quotes and escapes. A single `${}` is what
    it holds. Raises HclSyntaxError."""
    return read_template(text, place)


_BLANK = late_pattern(r"(?:[ \t\r\n\f\v\ufeff]+|#[^\n]*|//[^\n]*|/\*(?s:.*?)\*/)*")
_INLINE_BLANK = late_pattern(r"(?:[ \t\r]+|/\*(?s:.*?)\*/)*")
_NAME = late_pattern(NAME)
_LABEL = late_pattern(rf'{NAME}|"([^"\\\n]*(?:\\.[^"\\\n]*)*)"')


def _body(source: Source, start: int, end: int) -> Body:
    attributes: dict[str, Attribute] = {}
    blocks: list[Block] = []
    for item in _items(source, start, end):
        if isinstance(item, Block):
            blocks.append(item)
        elif item.name in attributes:
            raise HclSyntaxError(source.path, item.line, f'"{item.name}" is set twice')
        else:
            attributes[item.name] = item
    return Body(attributes, tuple(blocks), (source, start, end))


def _items(source: Source, start: int, end: int) -> Iterator[Attribute | Block]:
    text = source.text
    position = end_of(_BLANK, text, start, end)
    while position < end:
        name = _NAME.match(text, position, end)
        if not name:
            raise source.error(position, f'unexpected "{text[position]}" (expected an attribute or a block)')
        source.check_name(name[0], position)
        after = end_of(_INLINE_BLANK, text, name.end(), end)
        if text[after : after + 1] == "=" and after < end:
            stop = end_of_expression(source, after + 1, end)
            yield Attribute(name[0], source, after + 1, stop)
        else:
            labels, opening = _labels(source, after, end)
            stop = end_of_bracket(source, opening, end)
            yield Block(name[0], labels, source, position, opening, stop)
            stop += 1
        position = end_of(_BLANK, text, stop, end)


def _labels(source: Source, position: int, end: int) -> tuple[tuple[str, ...], int]:
    """The labels of a block, and the offset of its opening brace."""
    labels = []
    while label := _LABEL.match(source.text, position, end):
        if label[1] is None:
            source.check_name(label[0], position)
        labels.append(label[0] if label[1] is None else unescaped(source, label[1], label.start(1)))
        position = end_of(_INLINE_BLANK, source.text, label.end(), end)
    if position >= end or source.text[position] != "{":
        raise source.error(min(position, end - 1), 'expected "=" or "{"')
    return tuple(labels), position
