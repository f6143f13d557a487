"""Read `.tf.json`, `.tfvars.json`, and the JSON of Terragrunt and Terraform Stacks, into the same blocks and attributes
that `hcl.syntax` reads from native syntax.

For `terraform.module_files` and `terragrunt.configuration`. Whether a key of a block is an argument or a nested block
is known to the provider only, so an object stands for both. Source: "JSON Configuration Syntax" in the Terraform
documentation.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from json.decoder import JSONArray, JSONObject, scanstring  # type: ignore[attr-defined]
from json.scanner import py_make_scanner  # type: ignore[attr-defined]
from typing import Any

from unapproved_iam.hcl.decimal_numbers import MAX_DIGITS, decimal
from unapproved_iam.hcl.expression import Expression, Literal, ObjectOf, Template, TupleOf
from unapproved_iam.hcl.source_text import Source
from unapproved_iam.hcl.syntax import Attribute, Block, Body, HclSyntaxError, parse_expression, parse_template
from unapproved_iam.policies.attachment import Place

_LABELS = {
    **dict.fromkeys(("resource", "data", "ephemeral"), 2),
    **dict.fromkeys(("module", "variable", "output", "provider"), 1),
    **dict.fromkeys(("component", "stack", "deployment"), 1),  # of Terraform Stacks
    **dict.fromkeys(("dependency", "feature", "generate"), 1),  # of Terragrunt
}
_NESTED_LABELS = {"dynamic": 1, "extra_arguments": 1}
_COMMENT = "//"  # in a block; in a value it is a key like any other
# By their blocks, which have a label: strings that are no templates, and strings that are expressions. (Of a module's
# source, in which OpenTofu has references, a template is the same string where terraform takes it.)
_LITERAL_ARGUMENTS = {("variable", "default")}
_BARE_ARGUMENTS = {("variable", "type"), ("dynamic", "iterator")}


@dataclass(frozen=True)
class _Placed:
    """A value and the offset of its first and last character."""

    start: int
    end: int


@dataclass(frozen=True)
class _String(_Placed):
    value: str


@dataclass(frozen=True)
class _Array(_Placed):
    items: tuple[Any, ...]


@dataclass(frozen=True)
class _Object(_Placed):
    pairs: tuple[tuple[str, Any], ...]  # a key may come twice: it is as good as an array


class _Decoder(json.JSONDecoder):
    """The standard decoder, keeping the offsets of strings, arrays and objects, and keys that come twice."""

    def __init__(self) -> None:
        super().__init__(parse_float=self._number, parse_int=self._number)
        self.parse_string = self._string
        self.parse_array = self._array
        self.parse_object = self._object
        self.scan_once = py_make_scanner(self)

    @staticmethod
    def _number(digits: str) -> Fraction:
        number = decimal(digits)
        if number is None:
            raise OverflowError
        return number

    @staticmethod
    def _string(text: str, start: int, strict: bool) -> tuple[_String, int]:
        value, end = scanstring(text, start, strict)
        return _String(start - 1, end - 1, value), end

    @staticmethod
    def _array(text_and_start: tuple[str, int], scan_once: Any) -> tuple[_Array, int]:
        items, end = JSONArray(text_and_start, scan_once)
        return _Array(text_and_start[1] - 1, end - 1, tuple(items)), end

    @staticmethod
    def _object(text_and_start: tuple[str, int], strict: bool, scan_once: Any, *_: Any) -> tuple[_Object, int]:
        pairs, end = JSONObject(text_and_start, strict, scan_once, None, lambda pairs: pairs, {})
        return _Object(text_and_start[1] - 1, end - 1, tuple(pairs)), end


class _JsonAttribute(Attribute):
    """An argument whose value is JSON; `is_template` unless the string means just itself."""

    def __init__(self, name: str, source: Source, value: Any, around: _Object, is_template: bool) -> None:
        span = value if isinstance(value, _Placed) else around
        super().__init__(name, source, span.start, span.end if span is value else around.start)
        self._value, self._is_template = value, is_template

    @property
    def expression(self) -> Expression:
        return _expression(self._value, self.place, self._source, self._is_template)


class _BareAttribute(Attribute):
    """An argument that JSON writes as a string, and native syntax without quotes."""

    def __init__(self, name: str, source: Source, value: _String) -> None:
        super().__init__(name, source, value.start, value.end)
        self._value = value

    @property
    def expression(self) -> Expression:
        return parse_expression(self._value.value, self._source.path, self.line)


class _JsonBlock(Block):
    def __init__(self, block_type: str, labels: tuple[str, ...], source: Source, value: _Object) -> None:
        super().__init__(block_type, labels, source, value.start, value.start, value.end)
        self._value = value

    @property
    def body(self) -> Body:
        source, value = self._source, self._value
        pairs = [(name, argument) for name, argument in value.pairs if name != _COMMENT]
        attributes = {name: self._attribute(name, argument) for name, argument in pairs}
        blocks = tuple(
            block for name, argument in pairs for block in _blocks(name, argument, _NESTED_LABELS.get(name, 0), source)
        )
        return Body(attributes, blocks, (source, value.start, value.start))

    def _attribute(self, name: str, argument: Any) -> Attribute:
        argued = (self.type, name) if self.labels else ("", "")
        if argued in _BARE_ARGUMENTS and isinstance(argument, _String):
            return _BareAttribute(name, self._source, argument)
        return _JsonAttribute(name, self._source, argument, self._value, argued not in _LITERAL_ARGUMENTS)


def parse_json_body(data: bytes, path: str) -> Body:
    """The top level of a file of JSON syntax. Raises HclSyntaxError."""
    source, document = _decoded(data, path)
    attributes: dict[str, Attribute] = {
        name: _JsonAttribute(name, source, value, top, is_template=True)
        for top in _objects(document)
        for name, value in top.pairs
        if name != _COMMENT
    }
    blocks = [
        block
        for top in _objects(document)
        for block_type, value in top.pairs
        for block in _blocks(block_type, value, _LABELS.get(block_type, 0), source)
    ]
    return Body(attributes, tuple(blocks), (source, 0, 0))


def parse_json_variables(data: bytes, path: str) -> dict[str, Attribute]:
    """The assignments of a `.tfvars.json` file, whose strings are no templates. Raises HclSyntaxError."""
    source, document = _decoded(data, path)
    return {
        name: _JsonAttribute(name, source, value, top, is_template=False)
        for top in _objects(document)
        for name, value in top.pairs
    }


def _decoded(data: bytes, path: str) -> tuple[Source, Any]:
    source = Source(data, path)
    try:
        return source, _Decoder().decode(source.text)
    except json.JSONDecodeError as error:
        raise HclSyntaxError(path, error.lineno, f"this is not JSON: {error.msg}") from None
    except OverflowError:
        raise HclSyntaxError(path, 1, f"a number has more than {MAX_DIGITS} digits") from None
    except RecursionError:
        raise HclSyntaxError(path, 1, "brackets are nested too deeply") from None


def _objects(value: Any) -> Iterator[_Object]:
    """The value if it is an object, or those in it if it is an array: both may stand for blocks."""
    for item in value.items if isinstance(value, _Array) else (value,):
        if isinstance(item, _Object):
            yield item


def _blocks(block_type: str, value: Any, labels: int, source: Source) -> Iterator[Block]:
    for found, bodies in _labelled(value, labels):
        yield from (_JsonBlock(block_type, found, source, body) for body in _objects(bodies))


def _labelled(value: Any, labels: int) -> Iterable[tuple[tuple[str, ...], Any]]:
    if not labels:
        yield (), value
        return
    for level in _objects(value):
        for label, inner in level.pairs:
            if label != _COMMENT:
                yield from (((label, *others), body) for others, body in _labelled(inner, labels - 1))


def _expression(value: Any, place: Place, source: Source, is_template: bool) -> Expression:
    if isinstance(value, _Placed):
        place = Place(source.path, source.line_of(value.start))
    if isinstance(value, _String):
        if is_template:
            return parse_template(value.value, place)
        return Template((value.value,) if value.value else (), place)
    if isinstance(value, _Array):
        return TupleOf(tuple(_expression(item, place, source, is_template) for item in value.items))
    if isinstance(value, _Object):
        return ObjectOf(
            tuple(
                (
                    parse_template(key, place) if is_template else Template((key,), place),
                    _expression(item, place, source, is_template),
                )
                for key, item in value.pairs
            )
        )
    return Literal(value)
