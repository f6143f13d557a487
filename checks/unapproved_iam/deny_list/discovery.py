"""Find the one deny list that counts for a repository.

In this order, and only one is ever read: the file that was named, the file that the environment names, the file at the
root of the scanned repository, the built-in default. Never a file further down: a nearer list would let anyone who may
change a directory replace the security team's. The reader is imported only when there is a file.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from unapproved_iam.deny_list.builtin_lists import BUILTIN_LISTS, DEFAULT_LIST
from unapproved_iam.deny_list.entries import DenyList

FILE_NAME = "unapproved-iam-policies.yaml"
ENVIRONMENT_VARIABLE = "UNAPPROVED_IAM_POLICIES"

_NEAR_MISSES = ("unapproved-iam-policies.yml", ".unapproved-iam-policies.yaml", "unapproved-iam-policies.json")


def find_deny_list(named: str | None, environ: Mapping[str, str], root: str, of_several: bool = False) -> DenyList:
    """The deny list of the repository whose root directory is `root`. Raises `DenyListError`.

    `named` is the argument of --deny-list, None without one. A file that was named and cannot be used is an error,
    never a reason to look further. One of several repositories' lists is shown with its directory.
    """
    path = file_that_counts(named, environ, root)
    if path is None:
        return DenyList(f"built-in list {DEFAULT_LIST}", BUILTIN_LISTS[DEFAULT_LIST])
    from unapproved_iam.deny_list.reader import read_deny_list

    if named is None and ENVIRONMENT_VARIABLE not in environ:
        return read_deny_list(path, shown_as=os.path.relpath(path) if of_several else FILE_NAME, within=root)
    inside = os.path.relpath(path, root)
    outside = inside == os.pardir or inside.startswith(os.pardir + os.sep) or os.path.isabs(inside)
    return read_deny_list(path, shown_as=path if outside else inside.replace(os.sep, "/"))


def file_that_counts(named: str | None, environ: Mapping[str, str], root: str) -> str | None:
    """The path of the one file that is read, which need not be there when it was named; None: the built-in default.

    Raises DenyListError when a name is empty, or a file nearly has the list's name.
    """
    for path, by in ((named, "--deny-list"), (environ.get(ENVIRONMENT_VARIABLE), ENVIRONMENT_VARIABLE)):
        if path == "":
            from unapproved_iam.deny_list.reader import DenyListError, Problem

            raise DenyListError([Problem(by, 0, "names no file (expected the path of a deny list)")])
        if path is not None:
            return path
    path = os.path.join(root, FILE_NAME)
    if os.path.lexists(path):
        return _from_here(path)
    refuse_near_misses(root)
    return None


def repository_root(directory: str) -> str:
    """The nearest directory at or above that holds `.git`, else the directory itself; absolute."""
    start = os.path.abspath(directory)
    candidate = start
    while not os.path.lexists(os.path.join(candidate, ".git")):
        above = os.path.dirname(candidate)
        if above == candidate:
            return start
        candidate = above
    return candidate


def repositories_of(paths: Sequence[str]) -> dict[str, list[str]]:
    """The roots of the repositories that the paths are in, each with its paths; of none, that of this directory.

    Without git, paths are in one repository when a list stands in a directory that they share, else when none of them
    has a list of its own: the outermost list between what they share and a path is that path's.
    """
    directories = {path: os.path.abspath(path if os.path.isdir(path) else os.path.dirname(path)) for path in paths}
    shared = os.path.commonpath(directories.values()) if paths else os.path.abspath(os.curdir)
    found: dict[str, list[str]] = {} if paths else {repository_root(shared): []}
    for path, directory in directories.items():
        root = repository_root(directory)
        if not os.path.lexists(os.path.join(root, ".git")):
            between = [shared]
            for name in os.path.relpath(directory, shared).split(os.sep):
                between.append(os.path.normpath(os.path.join(between[-1], name)))
            root = next((one for one in between if os.path.lexists(os.path.join(one, FILE_NAME))), shared)
        found.setdefault(root, []).append(path)
    return found


def refuse_near_misses(root: str) -> None:
    """Raise DenyListError when a file nearly has the list's name: nobody must believe that it is in force."""
    for name in _NEAR_MISSES:
        path = os.path.join(root, name)
        if os.path.lexists(path):
            from unapproved_iam.deny_list.reader import DenyListError, Problem

            what = f"is not read under this name (expected {FILE_NAME})"
            raise DenyListError([Problem(_from_here(path), 0, what)])


def _from_here(path: str) -> str:
    """The path as a person in the current directory would write it."""
    path = os.path.abspath(path)
    here = os.getcwd()
    return os.path.relpath(path, here) if path.startswith(here.rstrip(os.sep) + os.sep) else path
