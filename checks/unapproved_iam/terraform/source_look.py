"""Tell from its bytes what a file of Terraform source may declare, before any parser reads it.

For `terraform.module_blocks`, which parses only files that may hold what it looks for, and for the screen, which must
not have another opinion. It errs towards reading only: whatever the parser finds, these find in the bytes, written with
escapes too. Names that are compared are never normalized: Terraform takes them as they are written.
"""

from __future__ import annotations

import re

from unapproved_iam.late_patterns import late_pattern
from unapproved_iam.terraform.resource_types import ATTACHING_TYPES
from unapproved_iam.word_patterns import any_of

# Characters that a parser makes of escapes; but for `<`, `>` and `&`, which encoders of JSON write so, and no name has.
_ESCAPED = late_pattern(rb"\\(?:u(?!00(?:3[cCeE]|26))[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})")
_ATTACHING_TYPE = late_pattern(any_of(ATTACHING_TYPES).encode())
# The keyword, and not a reference `module.x` or `path.module`: what may follow a block's type is no such character.
# The word comes first, to which `re` skips.
_MODULE_CALL = late_pattern(rb"module(?<!\.module)(?![.\w-])")

# Every quoted relative path may be the source of a local module, and an absolute one where it is written as a source.
_LOCAL_SOURCE = late_pattern(rb'"(\.\.?(?:[/\\](?:[^"$\n]|\$(?!\{))*)?)"')
_ABSOLUTE_SOURCE = late_pattern(rb'source"?\s*[=:]\s*"(\\?/[^"$\n]+)"')
_ESCAPED_STRING = late_pattern(rb'"(?=([^"\\\n]*(?:\\.[^"\\\n]*)+)")')
_ESCAPE = late_pattern(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))")


def is_escaped(source: bytes) -> bool:
    """Whether characters of names may be written as escapes."""
    return b"\\" in source and _ESCAPED.search(source) is not None


def may_hold(source: bytes, *names: str) -> bool:
    """Whether every one of these names may stand in it."""
    return all(name.encode() in source for name in names) or is_escaped(source)


def may_attach(source: bytes) -> bool:
    """Whether a resource of a type that attaches policies may stand in it."""
    return _ATTACHING_TYPE.search(source) is not None or is_escaped(source)


def may_call(source: bytes) -> bool:
    """Whether a module call may stand in it."""
    return _MODULE_CALL.search(source) is not None or is_escaped(source)


def local_path(source: str) -> str | None:
    """The relative path of the module that a source means; None when it is no such source.

    Terraform takes a backslash for a slash ("Module Sources" in its documentation does not tell).
    """
    path = source.replace("\\", "/")
    return path if path in (".", "..") or path.startswith(("./", "../")) else None


def local_sources(source: bytes) -> list[str]:
    """The paths in it that may be sources of local modules."""
    found = _LOCAL_SOURCE.findall(source)
    if b"source" in source:
        found += _ABSOLUTE_SOURCE.findall(source)
    if b"\\" in source:
        found += _ESCAPED_STRING.findall(source)
    texts = (_ESCAPE.sub(_unescaped, one.decode("utf-8", "surrogateescape")) for one in dict.fromkeys(found))
    return [path for text in texts if (path := local_path(text) or (text if text.startswith("/") else None))]


def _unescaped(escape: re.Match[str]) -> str:
    digits = escape[1] or escape[2]
    if digits is None:
        return escape[3]
    return chr(int(digits, 16)) if int(digits, 16) <= 0x10FFFF else ""
