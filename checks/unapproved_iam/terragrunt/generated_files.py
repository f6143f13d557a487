"""Report what `generate` writes into a Terragrunt unit's module and may attach something there: it is not read.

For `terragrunt.unit_reading`. A provider or a backend, which most units generate, attaches nothing. Source: "generate"
under "HCL Blocks" and "HCL Attributes" in the Terragrunt reference.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from unapproved_iam.hcl.expression import Call, Literal
from unapproved_iam.hcl.syntax import Attribute
from unapproved_iam.hcl.values import Mapping, String, Unknown, Value
from unapproved_iam.late_patterns import late_pattern
from unapproved_iam.policies.attachment import Unjudged
from unapproved_iam.policies.possible_text import Hole
from unapproved_iam.terraform.module_files import Program
from unapproved_iam.terraform.resource_types import ATTACHING_TYPES
from unapproved_iam.terragrunt.configuration import Configuration, attribute_in

# Not what an import or a moved block names.
_ATTACHES = late_pattern(rf"""resource[\\\s"':{{]+(?:{"|".join(ATTACHING_TYPES)})\b|module\\?["\s]""")
_MODULE = "expected it in the module"


class _Written(NamedTuple):
    contents: Value
    path: str | None  # None where it is not known
    attribute: Attribute


def unread_in(unit: Configuration) -> Iterator[Unjudged]:
    """What a unit, or what it includes, generates and cannot be told to attach nothing."""
    for one in unit.everything:
        for written in _written_by(one):
            if written.path is None or written.path.endswith(Program.OPENTOFU.suffixes):
                reason = _reason(one, written)
                if reason:
                    yield Unjudged(written.attribute.place, reason)


def _written_by(scope: Configuration) -> Iterator[_Written]:
    for block in scope.blocks("generate"):
        attributes = block.body.attributes
        off = attributes.get("disable")
        if "contents" in attributes and not (off and off.expression == Literal(True)):
            path = scope.text_of(attributes.get("path"))
            yield _Written(scope.value(attributes["contents"]), path, attributes["contents"])
    attribute = scope.body.attributes.get("generate")
    for possible in scope.value(attribute) if attribute else ():
        assert attribute is not None
        if not isinstance(possible.plain, Mapping):
            yield _Written(Value((possible,)), None, attribute)
            continue
        for entry in possible.plain.entries:
            path = scope.known(attribute_in(entry.value, "path", "path"))
            yield _Written(attribute_in(entry.value, "contents", "contents"), path, attribute)


def _reason(scope: Configuration, written: _Written) -> str:
    """Why it may attach something; empty where it does not."""
    texts = [written.attribute.text, *_texts_in(written.contents)]
    hole = next(_unknown_in(written.contents), None)
    if hole:
        files = list(_files_read(scope, written.attribute.expression))
        if not files or None in files:
            return f"generates Terraform that is not known: {hole.reason} ({_MODULE})"
        texts += [text for text in files if text is not None]
    return f"generates Terraform that may attach policies ({_MODULE})" if any(map(_ATTACHES.search, texts)) else ""


def _texts_in(value: Value) -> Iterator[str]:
    for possible in value:
        if isinstance(possible.plain, String):
            yield str(possible.plain.text)


def _unknown_in(value: Value) -> Iterator[Hole]:
    """What may be a block, or several: the whole text, or a line of it."""
    for possible in value:
        if isinstance(possible.plain, Unknown) and not possible.plain.fails:  # what is refused generates nothing
            yield possible.plain.hole
        if isinstance(possible.plain, String):
            pieces = ("\n", *possible.plain.text.pieces, "\n")
            for before, piece, after in zip(pieces, pieces[1:], pieces[2:], strict=False):
                if isinstance(piece, Hole) and _ends_line(before) and _begins_line(after):
                    yield piece


def _ends_line(piece: object) -> bool:
    return isinstance(piece, str) and not piece.rpartition("\n")[2].strip()


def _begins_line(piece: object) -> bool:
    return isinstance(piece, str) and not piece.partition("\n")[0].strip()


def _files_read(scope: Configuration, expression: object) -> Iterator[str | None]:
    """The files that an expression reads; None for one that is not known or not there."""
    if isinstance(expression, Call) and expression.name in ("file", "templatefile") and expression.arguments:
        path = scope.known(scope.evaluated(expression.arguments[0]))
        found = scope.found(path) if path else None
        yield scope.files.read(found) if found else None
    elif isinstance(expression, tuple):  # as every expression is one
        for part in expression:
            yield from _files_read(scope, part)
