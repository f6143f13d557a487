"""Look at a template's text before it is read closely: is it one, where are its resources, which of them are skipped.

For the reader of templates. A template is a YAML or JSON document with the section `Resources`. A file without the name
of a type that attaches policies does not matter, so most files cost one search in their bytes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from unapproved_iam.cloudformation.document import (
    Array,
    Node,
    Scalar,
    Unreadable,
    documents_of,
    value_of,
    values_of,
)
from unapproved_iam.cloudformation.includes import may_include, with_includes
from unapproved_iam.cloudformation.resource_types import ATTACHING_TYPES
from unapproved_iam.cloudformation.world import placeholder, scalar_text
from unapproved_iam.late_patterns import late_pattern
from unapproved_iam.policies.attachment import Place, Unjudged
from unapproved_iam.policies.inline_skips import CHECK_ID, skip_in_lines
from unapproved_iam.policies.possible_text import Hole, Text, text
from unapproved_iam.source_bytes import contents, decoded

MOST_BYTES = 16 * 1024 * 1024  # CloudFormation itself accepts 1 MiB ("CloudFormation quotas")

# An attaching type, a loop over types, or a file that may have one.
_MAY_ATTACH = late_pattern(
    b"|".join(re.escape(name.encode()) for name in (*ATTACHING_TYPES, "::MODULE", "Fn::ForEach", "AWS::Include"))
)
_RESOURCES = late_pattern("Resources[\"']?[ \t]*:")
_ATTACHING_TYPE = late_pattern("|".join(map(re.escape, ATTACHING_TYPES)))


@dataclass(frozen=True)
class TemplateText:
    """The text of a template and where it stands; lines are counted within the text, from 1."""

    path: str
    written: str
    first_line: int = 1  # of the text in its file
    on_one_line: bool = False  # of the file, however many lines the text has
    embedded: bool = False  # in another file, or in a text of another template
    holes: tuple[Hole, ...] = ()

    def place(self, line: int, end_line: int = 0) -> Place:
        if self.on_one_line:
            return Place(self.path, self.first_line)
        before = self.first_line - 1
        return Place(self.path, before + max(line, 1), before + max(end_line, line, 1))

    def roots(self) -> tuple[list[Node], list[Unjudged]]:
        """The documents that are templates. One that cannot be read matters when it shows an attaching type."""
        roots: list[Node] = []
        try:
            for written in documents_of(self.written):
                includes = may_include(self.written) and not self.embedded
                node = with_includes(written, os.path.dirname(self.path)) if includes else written
                if value_of(node, "Resources") is not None:
                    roots.append(node)
        except Unreadable as error:
            if _seems_to_attach(self.written):
                line = min(error.line, max(len(self.lines), 1))
                return roots, [Unjudged(self.place(line), f"cannot be read as a template: {error.reason}")]
        return roots, []

    @cached_property
    def lines(self) -> list[str]:
        return self.written.splitlines()

    def block_of(self, node: Node, line: int) -> tuple[int, int]:
        """The first and last line of a resource that is declared under a key on this line."""
        last = line if isinstance(node, Scalar) else node.end_line
        if not self._is_json:
            last = max(last - 1, line)  # the end of a YAML block is where the next thing begins
            while line < last <= len(self.lines) and _is_blank(self.lines[last - 1]):
                last -= 1
        return line, max(last, line)

    def skip_of(self, node: Node, line: int) -> str | None:
        """The comment of a resource's inline skip, in its lines or its metadata; None without one."""
        if self.embedded:
            return None
        first, last = self.block_of(node, line)
        skip = skip_in_lines(self.lines[first - 1 : last], lists=False)
        return _skip_in_metadata(node) if skip is None else skip

    @cached_property
    def _is_json(self) -> bool:
        return self.written.lstrip().startswith("{")


def _is_blank(line: str) -> bool:
    return line.strip() == "" or line.strip().startswith("#")


def _skip_in_metadata(node: Node) -> str | None:
    """`Metadata: {checkov: {skip: [{id: …, comment: …}]}}`, as checkov reads it."""
    metadata = value_of(node, "Metadata")
    for tool in ("checkov", "bridgecrew"):
        skips = value_of(value_of(metadata, tool), "skip")
        for skip in skips.items if isinstance(skips, Array) else ():
            if scalar_text(value_of(skip, "id")) == CHECK_ID:
                return scalar_text(value_of(skip, "comment"))
    return None


def text_of_file(path: str, may_be_any: bool = False) -> TemplateText | Unjudged | None:
    """The text of a file that may be a template which attaches something; None when it certainly is not.

    With `may_be_any` also of one that attaches nothing: outputs of a nested stack are wanted, too.
    """
    try:
        content = contents(path)
    except (IsADirectoryError, FileNotFoundError):
        return None
    except OSError as error:
        return Unjudged(Place(path), f"cannot be read: {error.strerror}")
    if not may_be_any and not may_attach(content):
        return None
    source = TemplateText(path, decoded(content))
    if len(content) <= MOST_BYTES:
        return source
    too_large = f"is larger than {MOST_BYTES // 1024 // 1024} MiB (CloudFormation accepts 1 MiB)"
    return Unjudged(Place(path), too_large) if _seems_to_attach(source.written) else None


def may_attach(content: bytes) -> bool:
    """Whether a file's bytes name an attaching type; cheap, and never wrong when it says no."""
    return _names_attaching_type(content) or (b"\\" in content and _names_attaching_type(_unescaped(content)))


def _seems_to_attach(written: str) -> bool:
    """Whether a text that cannot be read shows the section `Resources` and an attaching type after it."""
    section = _RESOURCES.search(written)
    return section is not None and _ATTACHING_TYPE.search(written, section.end()) is not None


def _names_attaching_type(content: bytes) -> bool:
    return (b"Resources" in content or b"AWS::Include" in content) and _MAY_ATTACH.search(content) is not None


def _unescaped(content: bytes) -> bytes:
    """Undo the escapes in which YAML and JSON can write an ASCII letter or a colon, and a line's end inside quotes."""
    letters = _ESCAPED_LETTER.sub(lambda escape: bytes.fromhex(escape[1].decode()), content)
    return re.sub(rb"\\\r?\n[ \t]*", b"", letters)


_ESCAPED_LETTER = late_pattern(rb"\\(?:x|u00|U000000)([2-7][0-9A-Fa-f])")


def text_of_body(body: Text | str, path: str, line: int, on_one_line: bool = False) -> TemplateText:
    """The text of a template that begins on this line of a file; its holes become placeholders."""
    whole = text(body)
    holes = tuple(dict.fromkeys(whole.holes))
    pieces = [piece if isinstance(piece, str) else placeholder(holes.index(piece)) for piece in whole.pieces]
    return TemplateText(path, "".join(pieces), line, on_one_line, embedded=True, holes=holes)


def declares_attaching_type(node: Node) -> bool:
    """Whether anything inside has an attaching type as its `Type`, in whatever shape."""
    types = [value for part in _parts_of(node) for value in values_of(part, "Type")]
    return any(scalar_text(part) in ATTACHING_TYPES for written in types for part in _parts_of(written))


def mentions_policies(node: Node) -> bool:
    """Whether a resource without a type has a property that attaches policies."""
    properties = value_of(node, "Properties")
    names = {policy.name for row in ATTACHING_TYPES.values() for policy in row.policies if policy.name in _UNMISTAKABLE}
    return any(value_of(properties, name) is not None for name in names)


_UNMISTAKABLE = ("ManagedPolicyArns", "ManagedPolicies", "ManagedPolicyName", "CustomerManagedPolicyReferences")


def _parts_of(node: Node) -> Iterator[Node]:
    """The node and everything in it; each part once, for an alias may put it in many places."""
    seen: set[int] = set()
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        yield part
        if isinstance(part, Array):
            waiting += part.items
        else:
            waiting += [inner for pair in getattr(part, "pairs", ()) for inner in pair]
