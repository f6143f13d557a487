"""Compute functions of file paths of which often only the end is known: `basename(path.cwd)`.

For `hcl.function_calls`. Source: "Filesystem Functions" in the Terraform documentation, and `Base`, `Dir` and `Abs` of
Go's package `path/filepath`, which they call.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable

from unapproved_iam.hcl.alternatives import applied, unknown_like
from unapproved_iam.hcl.scope import CHECKOUT, Scope
from unapproved_iam.hcl.string_functions import text_argument
from unapproved_iam.hcl.values import Plain, Value, string
from unapproved_iam.policies.possible_text import Hole, Text, text


def _basename(written: object, path: Plain) -> Value:
    start, end = _halves(text_argument(path))
    name = posixpath.basename(end.rstrip("/"))
    if start is None:
        return string(name or end[:1] or ".")
    return string(name) if name else unknown_like(written, path)


def _dirname(written: object, path: Plain) -> Value:
    start, end = _halves(text_argument(path))
    if start is None:
        return string(posixpath.normpath(posixpath.dirname(end) or "."))
    return _cleaned(start, posixpath.dirname(end)) if end else unknown_like(written, path)


def absolute_path(written: object, scope: Scope, path: Plain) -> Value:
    """abspath(PATH): from where terraform runs."""
    start, end = _halves(text_argument(path))
    if start is not None:
        return _cleaned(start, end) if start == CHECKOUT else unknown_like(written, path)
    if end.startswith("/"):
        return string(posixpath.normpath(end).replace("//", "/"))

    def below(directory: Plain) -> Value:
        start, above = _halves(text_argument(directory))
        return _cleaned(start, f"{above}/{end}") if start else unknown_like(written, directory)

    return applied(below, [scope.value_of(("path", "cwd"))], written)


def _halves(path: Text) -> tuple[Hole | None, str]:
    """What stands for the unknown beginning, and the known end, from a slash on; without the first all is known."""
    if path.known is not None:
        return None, path.known
    last = path.pieces[-1]
    slash = last.find("/") if isinstance(last, str) else -1
    end = last[slash:] if isinstance(last, str) and slash >= 0 else ""
    start = text(*path.pieces[:-1], last[:slash]) if isinstance(last, str) and end else path
    hole = start.holes[0]
    return hole if start.is_unknown and len(start.pieces) == 1 else hole._replace(written=str(start)), end


def _cleaned(start: Hole, end: str) -> Value:
    """A path without `.`, `..` and empty names; of what leads above the known names nothing is known but that."""
    names: list[str] = []
    for name in end.split("/"):
        if name == "..":
            if not names:
                start = start._replace(written=f"{start.written}/..", subject=None)
            names = names[:-1]
        elif name not in ("", "."):
            names.append(name)
    return string(text(start, "".join(f"/{name}" for name in names)))


PATH_FUNCTIONS: dict[str, tuple[Callable[..., Value], int, int | None]] = {
    # name: (function, fewest arguments, most arguments)
    "basename": (_basename, 1, 1),
    "dirname": (_dirname, 1, 1),
}
