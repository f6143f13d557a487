"""Find the one deny list that counts for a repository.

In this order, and only one is ever read: the file that was named, the file that the environment names, the file at the
root of the scanned repository, the built-in default. Never a file further down: a nearer list would let anyone who may
change a directory replace the security team's.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from unapproved_iam.builtin_lists import BUILTIN_LISTS, DEFAULT_LIST
from unapproved_iam.deny_list import DenyList

FILE_NAME = "unapproved-iam-policies.yaml"
ENVIRONMENT_VARIABLE = "UNAPPROVED_IAM_POLICIES"

# Looked for so that nobody believes that their list is in force.
_NEAR_MISSES = ("unapproved-iam-policies.yml", ".unapproved-iam-policies.yaml", "unapproved-iam-policies.json")


def find_deny_list(named: str | None, environ: Mapping[str, str], root: str) -> DenyList:
    """The deny list of the repository whose root directory is `root`. Raises `DenyListError`.

    `named` is the argument of --deny-list, None without one. A file that was named and cannot be used is an error,
    never a reason to look further.
    """
    environment = environ.get(ENVIRONMENT_VARIABLE)
    for path, by in ((named, "--deny-list"), (environment, ENVIRONMENT_VARIABLE)):
        if path is not None:
            return _named(path, by, root)
    path = os.path.join(root, FILE_NAME)
    if os.path.lexists(path):
        from unapproved_iam.deny_list_reader import read_deny_list

        return read_deny_list(_from_here(path), shown_as=FILE_NAME, within=root)
    _refuse_near_misses(root)
    return DenyList(f"built-in list {DEFAULT_LIST}", BUILTIN_LISTS[DEFAULT_LIST])


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


def _named(path: str, by: str, root: str) -> DenyList:
    from unapproved_iam.deny_list_reader import DenyListError, Problem, read_deny_list

    if not path:
        raise DenyListError([Problem(by, 0, "names no file (expected the path of a deny list)")])
    inside = os.path.relpath(path, root)
    outside = inside == os.pardir or inside.startswith(os.pardir + os.sep) or os.path.isabs(inside)
    return read_deny_list(path, shown_as=path if outside else inside.replace(os.sep, "/"))


def _refuse_near_misses(root: str) -> None:
    for name in _NEAR_MISSES:
        path = os.path.join(root, name)
        if os.path.lexists(path):
            from unapproved_iam.deny_list_reader import DenyListError, Problem

            what = f"is not read under this name (expected {FILE_NAME})"
            raise DenyListError([Problem(_from_here(path), 0, what)])


def _from_here(path: str) -> str:
    """The path as a person in the current directory would write it."""
    path = os.path.abspath(path)
    here = os.getcwd()
    return os.path.relpath(path, here) if path.startswith(here.rstrip(os.sep) + os.sep) else path
