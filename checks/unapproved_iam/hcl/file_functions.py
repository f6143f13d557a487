"""Compute the Terraform functions that read files of the tree, also by a path some parts of which are not known.

For `hcl.function_calls`. Where the path has unknown parts, each file that it may be counts, by what these parts are for
it. Source: "Filesystem Functions" in the Terraform documentation.
"""

from __future__ import annotations

from collections.abc import Callable

from unapproved_iam.hcl.alternatives import MAX_WAYS, one_of, unknown_like
from unapproved_iam.hcl.expression import Call
from unapproved_iam.hcl.facts import ALWAYS, Facts, Subject, constant_of_text, is_one_of, joined, without
from unapproved_iam.hcl.path_functions import absolute_path
from unapproved_iam.hcl.scope import MAX_DIRECTORIES, MAX_FILE, Files, Scope, TooManyDirectories
from unapproved_iam.hcl.string_functions import text_argument
from unapproved_iam.hcl.texts import policies_in
from unapproved_iam.hcl.values import (
    Boolean,
    Item,
    Kind,
    Plain,
    Sequence,
    String,
    Unknown,
    Value,
    beyond_limit,
    exactly,
    refused,
    string,
    under,
    unknown,
)
from unapproved_iam.policies.attachment import Place
from unapproved_iam.policies.possible_text import Hole, Text, text


def content_of(call: Call, scope: Scope, path: Plain) -> Value:
    """file(PATH)"""
    name = scope.files.on_this_machine(text_argument(path))
    if name.known is None and not isinstance(path, Unknown):
        return _of_matching(call, scope, name) or _unread(call, path)
    found = _found(scope.files, path)
    content = None if found is None else scope.files.read(found)
    if found is not None and scope.files.is_too_long(found):
        return beyond_limit(call, f"{MAX_FILE} bytes")
    return _unread(call, path) if found is None or content is None else string(content, Place(found))


def _of_matching(call: Call, scope: Scope, path: Text) -> Value | None:
    """Each file that the path may be; None when there is none."""
    holes = list(dict.fromkeys(path.holes))
    paths = scope.files.like([holes.index(piece) if isinstance(piece, Hole) else piece for piece in path.pieces])
    contents = []
    worlds = [ALWAYS]  # in which none of them is meant
    for parts, written in paths.items():
        when = joined(*(_is(hole, part) for hole, part in zip(holes, parts, strict=True)))
        if when is not None:
            contents.append(under(content_of(call, scope, String(text(written))), when))
            worlds = [left for world in worlds for left in without(world, when)]
        if len(worlds) > MAX_WAYS:
            return None
    missing = refused(call, "there is no such file in the tree")
    return one_of([*contents, *(under(missing, world) for world in worlds)], call) if contents else None


def _is(hole: Hole, part: str) -> Facts:
    subject = hole.subject if isinstance(hole.subject, Subject) else Subject(hole.written)
    return is_one_of(subject, constant_of_text(part))


def _fileexists(call: Call, scope: Scope, path: Plain) -> Value:
    found = _found(scope.files, path)
    return _unread(call, path) if found is None else exactly(Boolean(scope.files.exists(found)))


def _fileset(call: Call, scope: Scope, directory: Plain, pattern: Plain) -> Value:
    found, wanted = _found(scope.files, directory), text_argument(pattern).known
    try:
        names = None if found is None or wanted is None else scope.files.matching(found, wanted)
    except TooManyDirectories:
        return beyond_limit(call, f"{MAX_DIRECTORIES} directories")
    if names is None:
        return _unread(call, directory, pattern)
    return exactly(Sequence(tuple(Item(string(name)) for name in names), kind=Kind.SET))


def _found(files: Files, path: Plain) -> str | None:
    name = files.on_this_machine(text_argument(path)).known
    return None if name is None else files.find(name)


def _unread(call: Call, *plains: Plain) -> Value:
    if any(isinstance(plain, Unknown) or (isinstance(plain, String) and plain.text.holes) for plain in plains):
        return unknown_like(call, *plains)
    found = policies_in(*map(exactly, plains))
    return unknown(call, f"{call} reads a file that the tree does not hold", "check the plan", found)


FILE_FUNCTIONS: dict[str, tuple[Callable[..., Value], int]] = {  # with the number of arguments
    "abspath": (absolute_path, 1),
    "file": (content_of, 1),
    "fileexists": (_fileexists, 1),
    "fileset": (_fileset, 2),
}
