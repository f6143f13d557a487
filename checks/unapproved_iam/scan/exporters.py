"""Find the templates of a tree that export values, and tell what the screen sees in them, for those that import some.

For `scan.tree_check` and `scan.affected_units`. Nothing is looked for until a template that attaches something imports
something, or until one that exports something changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property

from unapproved_iam.cloudformation.document import (
    Array,
    Node,
    Object,
    Scalar,
    Unreadable,
    documents_of,
    value_of,
    values_of,
)
from unapproved_iam.cloudformation.exports import Exports
from unapproved_iam.policies.attachment import Unjudged
from unapproved_iam.scan.name_pieces import nests_files
from unapproved_iam.scan.parameter_binding import ParameterBinding
from unapproved_iam.scan.screen_evidence import Evidence
from unapproved_iam.scan.source_files import Kind, walk
from unapproved_iam.scan.unit_screen import Screen, may_export, may_import
from unapproved_iam.source_bytes import decoded, readable


class Exporters:
    """The exporting templates below a directory; `left_out` are directories that are not walked into."""

    def __init__(self, root: str, left_out: frozenset[str], screen: Screen, parameters: ParameterBinding) -> None:
        self._root = root
        self._left_out = left_out
        self._screen = screen
        self._parameters = parameters
        self.exports = Exports(lambda: self._sources, parameters.of)

    @cached_property
    def evidence(self) -> Evidence:
        """Of the names that an exported value, or a part of it, may be made of."""
        found = Evidence.NOTHING
        for path, source in self._sources.items():
            whole = self._parameters.with_given(path, source)
            found |= self._screen.names_in_text(whole) | self._screen.pieces.common_in_text(whole)
        return found

    @cached_property
    def _sources(self) -> dict[str, bytes]:
        """Those that export something, and those that may nest one which does, by their paths."""
        found = {}
        for directory in walk([self._root], self._left_out):
            for path in () if isinstance(directory, Unjudged) else directory.paths(Kind.TEMPLATE):
                source = readable(path) or b""
                if may_export(source) or nests_files(source):
                    found[path] = source
        return found


def importing(changed: Iterable[str], files: Iterable[str]) -> set[str]:
    """The templates that may import what one of the changed ones exports, as far as they write a word of its name."""
    sources = (source for path in changed if (source := readable(path)) and may_export(source))
    words = {word for source in sources for word in _words_of_exports(decoded(source))}
    importers = ((path, source) for path in files if words and (source := readable(path)) and may_import(source))
    return {path for path, source in importers if any(word in source for word in words)}


def _words_of_exports(template: str) -> Iterator[bytes]:
    """The longest word in each name of an export."""
    try:
        outputs = [section for document in documents_of(template) for section in values_of(document, "Outputs")]
    except Unreadable:
        return
    for section in outputs:
        for _, output in section.pairs if isinstance(section, Object) else ():
            written = " ".join(_scalars_in(value_of(value_of(output, "Export"), "Name")))
            words = re.findall(r"\w+", re.sub(r"\$\{[^}]*\}", " ", written))
            yield max(words, key=len, default="").encode()


def _scalars_in(node: Node | None) -> Iterator[str]:
    if isinstance(node, Scalar):
        yield node.text
    elif node is not None:
        inner = node.items if isinstance(node, Array) else [value for _, value in node.pairs]
        for part in inner:
            yield from _scalars_in(part)
