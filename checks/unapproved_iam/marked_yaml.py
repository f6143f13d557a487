"""Read one YAML document into values that remember their line, for the deny list's reader.

The file may be anything: binary, endless, or made to exhaust whoever reads it. Built on the parser's events, because
PyYAML's own composer recurses without bound (libyaml's ends the process on deeply nested input) and lets aliases
multiply: here nesting is bounded and an alias stands for a single value only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import Any, NamedTuple

MOST_BYTES = 4 * 1024 * 1024
DEEPEST = 16  # the format itself nests four levels deep
_TOO_DEEP = f"is nested too deeply (expected at most {DEEPEST} levels)"


class Kind(Enum):
    """What a value is, in the words of messages."""

    TEXT = "text"
    NUMBER = "a number"
    TRUTH = "true or false"
    NOTHING = "nothing"
    LIST = "a list"
    MAPPING = "a mapping"
    OTHER = "a value with a tag of its own"


class Marked(NamedTuple):
    """A value and where it stands; a scalar has `text`, as written, a list or mapping has its parts.

    It begins on `line`, counted from 1, in `column`, counted from 0, and its last line is `end`.
    """

    kind: Kind
    line: int
    text: str = ""
    items: tuple[Marked, ...] = ()
    pairs: tuple[tuple[Marked, Marked], ...] = ()
    column: int = 0
    end: int = 0


class Refusal(NamedTuple):
    """Why PyYAML refuses a text."""

    what: str
    line: int  # 0 when no line is to blame
    is_too_deep: bool  # by a bound of the library's own, which newer ones have


def refusal_of(error: Exception) -> Refusal:
    """What a YAMLError says; for the reader of templates too."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    what = getattr(error, "problem", None) or str(error).splitlines()[0]
    return Refusal(what, mark.line + 1 if mark else 0, "nesting depth" in what)


class NoYaml(Exception):
    """The bytes hold no readable YAML document; `line` is 0 when no line is to blame."""

    def __init__(self, what: str, line: int = 0) -> None:
        super().__init__(what)
        self.line = line


def read_marked_yaml(content: bytes) -> Marked | None:
    """The one document of a file's bytes, None when it holds none. Raises `NoYaml`."""
    import yaml  # here, so that a run without a list of its own does not pay for it

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(_decoded(content))
    try:
        return _Composer(loader).document()
    except yaml.YAMLError as error:
        refusal = refusal_of(error)
        raise NoYaml(_TOO_DEEP if refusal.is_too_deep else f"is not YAML: {refusal.what}", refusal.line) from error
    finally:
        loader.dispose()


def _decoded(content: bytes) -> str:
    if len(content) > MOST_BYTES:
        raise NoYaml(f"is too large (expected at most {MOST_BYTES // 1024 // 1024} MiB)")
    try:
        written = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = _line_at(content[: error.start].decode("utf-8-sig"))
        raise NoYaml(f"is not UTF-8: byte 0x{content[error.start]:02x} (expected UTF-8 text)", line) from error
    # "Character Set" in the YAML specification; the parsers disagree about the position that they report.
    odd = re.search("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]", written)
    if odd:
        line = _line_at(written[: odd.start()])
        raise NoYaml(f"holds the control character U+{ord(odd[0]):04X} (expected text)", line)
    return written


def _line_at(before: str) -> int:
    """The line on which something stands, given what stands before; counted as YAML does, to which \\r is a break."""
    return len(f"{before}.".splitlines())


class _Composer:
    def __init__(self, loader: Any) -> None:
        self.loader = loader
        self.anchors: dict[str, Marked] = {}
        self.closed_on = 0  # the line of the last `]` or `}`

    def document(self) -> Marked | None:
        document = None
        for event in self._events():
            name = type(event).__name__
            if name == "DocumentStartEvent" and document is not None:
                raise NoYaml("is more than one YAML document (expected one)", event.start_mark.line + 1)
            if name in ("ScalarEvent", "SequenceStartEvent", "MappingStartEvent", "AliasEvent"):
                document = self._value(event, 1)
        return document

    def _events(self) -> Iterator[Any]:
        while self.loader.check_event():
            yield self.loader.get_event()

    def _value(self, event: Any, depth: int) -> Marked:
        line, column = event.start_mark.line + 1, event.start_mark.column
        if depth > DEEPEST:
            raise NoYaml(_TOO_DEEP, line)
        name = type(event).__name__
        if name == "AliasEvent":
            return self._alias(event, line)
        if name == "ScalarEvent":
            value = Marked(self._scalar_kind(event), line, event.value, column=column, end=_last_line(event))
            if event.anchor:
                self.anchors[event.anchor] = value
            return value
        parts = tuple(self._parts(depth))
        # In blocks the parser says only where the next value begins.
        end = max([self.closed_on if event.flow_style else line, *(part.end for part in parts)])
        if event.tag not in (None, "!"):
            return Marked(Kind.OTHER, line)
        if name == "SequenceStartEvent":
            return Marked(Kind.LIST, line, items=parts, column=column, end=end)
        pairs = tuple(zip(parts[::2], parts[1::2], strict=True))
        return Marked(Kind.MAPPING, line, pairs=pairs, column=column, end=end)

    def _parts(self, depth: int) -> Iterator[Marked]:
        for event in self._events():
            if type(event).__name__ in ("SequenceEndEvent", "MappingEndEvent"):
                self.closed_on = _last_line(event)
                return
            yield self._value(event, depth + 1)

    def _alias(self, event: Any, line: int) -> Marked:
        value = self.anchors.get(event.anchor)
        if value is None:
            raise NoYaml(
                f"has an alias *{event.anchor} that does not stand for a single value (expected it written out)", line
            )
        return value._replace(line=line, column=event.start_mark.column, end=_last_line(event))

    def _scalar_kind(self, event: Any) -> Kind:
        from yaml.nodes import ScalarNode

        tag = event.tag
        if tag in (None, "!"):
            tag = self.loader.resolve(ScalarNode, event.value, event.implicit)
        kind = _KINDS.get(str(tag).removeprefix("tag:yaml.org,2002:"), Kind.OTHER)
        # `yes` and `off` are text in YAML 1.2, which editors follow.
        return Kind.TEXT if kind is Kind.TRUTH and event.value.lower() not in ("true", "false") else kind


def _last_line(event: Any) -> int:
    """The last line of what an event is about: a literal block ends where the next line begins."""
    mark = event.end_mark
    return int(mark.line + bool(mark.column))


_KINDS = {
    "str": Kind.TEXT,
    "timestamp": Kind.TEXT,  # a date is text in YAML 1.2, which editors follow
    "merge": Kind.TEXT,
    "value": Kind.TEXT,
    "int": Kind.NUMBER,
    "float": Kind.NUMBER,
    "bool": Kind.TRUTH,
    "null": Kind.NOTHING,
}
