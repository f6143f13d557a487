"""Tell which files Terraform source may read, by the literals in its calls of `file()`, `templatefile()` and so on.

For `scan.affected_units`, which asks who reads a changed file, and `scan.module_graph`, which looks for names in what
is read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from unapproved_iam.late_patterns import late_pattern

_BLANK = rb"(?:\s|/\*(?s:.*?)\*/|(?:#|//)[^\n]*\n)*"
# A call with its argument where that is one literal. What only a hash is made of brings no text. (The word that `re`
# skips to comes first: a `templatefile` is a `file` here.)
_FUNCTION = rb"file(?:(?<=\btemplatefile)|(?<=\bfile)(?!md5|sha|base64sha)\w*)"
_READING_CALL = late_pattern(rb'(%b)%b\(%b("(?:[^"\\\n]|\\.)*"\s*[,)])?' % (_FUNCTION, _BLANK, _BLANK))
_INTERPOLATION = late_pattern(r"[$%]\{[^}]*\}")

ANY_FILE = "**"


def reads_files(source: bytes) -> bool:
    return b"file" in source and _READING_CALL.search(source) is not None


def asked_paths(source: bytes, directory: str) -> set[str]:
    """The same with the paths of which source only asks whether there is such a file."""
    return _paths(_READING_CALL.findall(source), directory)


def read_paths(source: bytes, directory: str) -> set[str]:
    """The paths that source in a directory may read, `**` standing for what is unknown of them.

    An absolute one is in normal form; any other counts from where Terraform is run, usually the root module.
    """
    calls = _READING_CALL.findall(source)
    return _paths((call for call in calls if call[0] != b"fileexists"), directory)


def _paths(calls: Iterable[tuple[bytes, bytes]], directory: str) -> set[str]:
    return {_path_of(function, argument, directory.replace(os.sep, "/")) for function, argument in calls}


def _path_of(function: bytes, argument: bytes, directory: str) -> str:
    if not argument or b"\\" in argument:  # an escape may be any character
        return ANY_FILE
    literal = argument.decode("utf-8", "surrogateescape").rstrip(" \t\r\n,)")[1:-1]
    path = _from_what_is_known(_INTERPOLATION.sub(ANY_FILE, literal.replace("${path.module}", directory)))
    if function == b"fileset":
        path += "/**"  # its argument is a directory; what it yields are the names of the files below
    return os.path.normpath(path) if path.startswith("/") else path


def _from_what_is_known(path: str) -> str:
    """Without the directories before one of which nothing is known, or before steps upwards from there: `${path.root}`,
    or a local, may be `..`."""
    names = path.split("/")
    first = next((number for number, name in enumerate(names) if ANY_FILE in name), len(names))
    anywhere = [number for number, name in enumerate(names) if name == ANY_FILE or (name == ".." and number > first)]
    return "/".join([ANY_FILE, *names[anywhere[-1] + 1 :]]) if anywhere else path


def glob_of(path: str) -> str:
    """The absolute paths that one of `read_paths` may mean, as a glob of `path_glob`."""
    if path.startswith("/"):
        return path
    below = re.sub(r"^(?:\.{0,2}/)+", "", os.path.normpath(path))
    return below if below.startswith("**") else f"**/{below}"
