"""Read a template's text into nodes that remember their lines, every intrinsic function in its long form.

For the readers of templates. YAML and JSON take the same way, because JSON is YAML; the two places in which it is not
are smoothed over first. Built on the parser's events: PyYAML's own composer recurses without bound (with libyaml,
deeply nested input ends the process) and resolves types that CloudFormation does not know.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from unapproved_iam.late_patterns import late_pattern
from unapproved_iam.marked_yaml import refusal_of

DEEPEST = 200  # CloudFormation itself refuses far shallower templates
_TOO_DEEP = f"nested deeper than {DEEPEST} levels"


@dataclass(slots=True)
class Scalar:
    text: str
    line: int = 0  # counts from 1; 0 when the node was never written in a file
    is_null: bool = False


@dataclass(slots=True)
class Array:
    items: list[Node]
    line: int = 0
    end_line: int = 0  # the line on which the next thing begins, as YAML parsers count the end of a block


@dataclass(slots=True)
class Object:
    pairs: list[tuple[Node, Node]]  # in source order; a key that is written twice is there twice
    line: int = 0
    end_line: int = 0  # as of an array


Node = Scalar | Array | Object


class Unreadable(Exception):
    """The text cannot be read to its end: the reason in a few words, and the line."""

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


def function_of(node: Node) -> tuple[str, Node] | None:
    """The name and the argument when the node calls an intrinsic function: `{"Fn::Sub": …}`, `!Sub …`."""
    if isinstance(node, Object) and len(node.pairs) == 1:
        key, argument = node.pairs[0]
        is_name = isinstance(key, Scalar) and (key.text.startswith("Fn::") or key.text in UNPREFIXED)
        if isinstance(key, Scalar) and is_name and not key.text.startswith("Fn::ForEach"):
            return key.text, argument
    return None


# "Intrinsic function reference" in the CloudFormation documentation: all others are called `Fn::…`.
UNPREFIXED = frozenset({"Ref", "Condition"})


def value_of(node: Node | None, key: str) -> Node | None:
    """The value under a key; the last one when the key is written twice, as parsers of YAML and JSON do."""
    return next(reversed(list(values_of(node, key))), None)


def values_of(node: Node | None, key: str) -> Iterator[Node]:
    """Every value under a key, which may be written more than once."""
    if isinstance(node, Object):
        for name, value in node.pairs:
            if isinstance(name, Scalar) and name.text == key:
                yield value


def documents_of(text: str) -> Iterator[Node]:
    """The documents of a YAML or JSON text, one after the other. Raises `Unreadable` where it cannot go on."""
    import yaml  # here, so that whoever reads no template does not pay for it

    parser = getattr(yaml, "CBaseLoader", yaml.BaseLoader)(_without_json_oddities(text))
    try:
        yield from _Builder(parser).documents()
    except yaml.YAMLError as error:
        refusal = refusal_of(error)
        raise Unreadable(_TOO_DEEP if refusal.is_too_deep else refusal.what, refusal.line or 1) from error
    finally:
        parser.dispose()


_JSON_ESCAPE = late_pattern(
    r"\\\\"  # a backslash, which may stand before a `u`
    r"|\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"
    r"|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)


def _without_json_oddities(text: str) -> str:
    """JSON writes characters beyond U+FFFF as two escapes, which YAML does not know; and a tab may indent JSON."""
    if not text.lstrip().startswith("{"):
        return text
    if "\t" in text:
        text = re.sub(r"^[\t ]+", lambda blanks: " " * len(blanks[0]), text, flags=re.MULTILINE)
    return _JSON_ESCAPE.sub(_as_in_yaml, text) if "\\ud" in text.lower() else text


def _as_in_yaml(escape: re.Match[str]) -> str:
    if escape[0] == "\\\\":
        return escape[0]
    pair = bytes.fromhex(escape[1] + escape[2]) if escape[1] else b""
    return pair.decode("utf-16-be") or "\N{REPLACEMENT CHARACTER}"


@dataclass(slots=True)
class _Open:
    """A collection whose end has not been read yet."""

    node: Array | Object
    whole: Node  # the node itself, or the function call that its tag makes of it
    parts: list[Node] = field(default_factory=list)


class _Builder:
    """Builds nodes of the parser's events: with a loop for recursion, for nesting may be deep."""

    def __init__(self, parser: Any) -> None:
        self.parser = parser
        self.anchors: dict[str, Node] = {}

    def documents(self) -> Iterator[Node]:
        opened: list[_Open] = []
        read = self.parser.get_event
        while (kind := type(event := read()).__name__) != "StreamEndEvent":
            if kind == "ScalarEvent":
                node: Node = _scalar(event)
                if event.tag or event.anchor:
                    node = self._named(event, node)
            elif kind in ("MappingStartEvent", "SequenceStartEvent"):
                line = event.start_mark.line + 1
                if len(opened) >= DEEPEST:
                    raise Unreadable(_TOO_DEEP, line)
                collection: Array | Object = Object([], line) if kind == "MappingStartEvent" else Array([], line)
                whole = self._named(event, collection) if event.tag or event.anchor else collection
                opened.append(_Open(collection, whole))
                continue
            elif kind in ("MappingEndEvent", "SequenceEndEvent"):
                node = _closed(opened.pop(), event.end_mark.line + 1)
            elif kind == "AliasEvent":
                if event.anchor not in self.anchors:
                    raise Unreadable(f"alias *{event.anchor} is not defined", event.start_mark.line + 1)
                node = self.anchors[event.anchor]
            else:
                self.anchors = {}  # a document begins or ends
                continue
            if opened:
                opened[-1].parts.append(node)
            else:
                yield node

    def _named(self, event: Any, node: Node) -> Node:
        """Write a short form out (`!Sub x` becomes `{"Fn::Sub": x}`), and remember an anchor."""
        tag = event.tag or ""
        if len(tag) > 1 and tag[0] == "!":
            name = tag[1:] if tag[1:] in UNPREFIXED else "Fn::" + tag[1:]
            node = Object([(Scalar(name, node.line), node)], node.line, node.line)
        if event.anchor:
            self.anchors[event.anchor] = node
        return node


def _closed(collection: _Open, end_line: int) -> Node:
    """The collection with its parts; of a mapping, they are keys and values in turn."""
    node, parts = collection.node, collection.parts
    node.end_line = end_line
    if isinstance(collection.whole, Object):
        collection.whole.end_line = end_line
    if isinstance(node, Array):
        node.items.extend(parts)
        return collection.whole
    pairs = list(zip(parts[::2], parts[1::2], strict=True))
    node.pairs.extend(pair for pair in pairs if not _is_merge(pair[0]))
    if len(node.pairs) < len(pairs):
        for key, value in pairs:
            if _is_merge(key):
                _merge(node, value)
    return collection.whole


def _is_merge(key: Node) -> bool:
    return isinstance(key, Scalar) and key.text == "<<"


def _merge(node: Object, merged: Node) -> None:
    """Add what a merge key brings, which never overrides ("Merge Key Language-Independent Type for YAML")."""
    for source in merged.items if isinstance(merged, Array) else [merged]:
        if isinstance(source, Object):
            written = {key.text for key, _ in node.pairs if isinstance(key, Scalar)}
            added = [pair for pair in source.pairs if not isinstance(pair[0], Scalar) or pair[0].text not in written]
            node.pairs.extend(added)


# CloudFormation reads YAML 1.1: unquoted `Yes` is a boolean, which becomes the text "true".
_PLAIN = {
    **dict.fromkeys(["true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"], "true"),
    **dict.fromkeys(["false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"], "false"),
}
_NULL = frozenset(["", "~", "null", "Null", "NULL"])


def _scalar(event: Any) -> Scalar:
    written = event.value
    line = event.start_mark.line + 1
    if not event.implicit[0]:
        return Scalar(written, line)
    return Scalar(_PLAIN.get(written, written), line, written in _NULL)


def node_of_value(value: object, line: int = 0) -> Node:
    """The node of a Python value, e.g. of a resource as checkov hands it to a check.

    checkov's parser leaves `__startline__`, `__endline__` and `__file__` in mappings and marks on its own str, list
    and dict classes; lines are taken from there.
    """
    mark = getattr(value, "start_mark", None)
    line = getattr(mark, "line", line - 1) + 1
    if isinstance(value, Mapping):
        start = value.get("__startline__")
        line = start if isinstance(start, int) else line
        end = value.get("__endline__")
        pairs = [(key, part) for key, part in value.items() if key not in ("__startline__", "__endline__", "__file__")]
        return Object(
            [(node_of_value(key, line), node_of_value(part, line)) for key, part in pairs],
            line,
            end if isinstance(end, int) else line,
        )
    if isinstance(value, list | tuple):
        return Array([node_of_value(item, line) for item in value], line, line)
    if isinstance(value, bool):
        return Scalar("true" if value else "false", line)
    return Scalar("" if value is None else str(value), line, is_null=value is None)
