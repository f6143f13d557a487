"""Decide which units a change can affect, so that a commit is checked for what it does and not for what is elsewhere.

For `scan.tree_check`, which gets changed files from the hook or from git; a deleted file affects what it was part of.

| changed | affected |
|---|---|
| the deny list, or a list that it extends | everything |
| Terraform source | its directory and all that may call it, if it attaches anything or has an output |
| Terraform variables | the nearest module at or above their directory, else all that declare what they assign |
| what a symbolic link leads to | what the link is part of, as if it had changed |
| a directory: a submodule, or a link to one | as if every file in it had changed |
| a file that Terraform source may read (`file()`, `templatefile()`, …) | that source's directory and all that call it |
| what may be a template or a plan | itself, templates that name it as a nested stack or import what it exports |

Affected are directories; which of them are root modules is for `terraform.root_module` to say.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from unapproved_iam.deny_list.discovery import FILE_NAME
from unapproved_iam.deny_list.entries import DenyList
from unapproved_iam.path_glob import path_matches
from unapproved_iam.scan.file_reads import asked_paths, glob_of
from unapproved_iam.scan.module_graph import ModuleGraph
from unapproved_iam.scan.screen_evidence import Evidence
from unapproved_iam.scan.source_files import Kind, files_below, kind_of, listed, up_to
from unapproved_iam.scan.unit_screen import Screen, may_export
from unapproved_iam.source_bytes import readable

# The graph of a tree's modules, and its files that may be templates.
Tree = tuple[ModuleGraph, Sequence[str]]


class Affected(NamedTuple):
    """Directories of Terraform source, and files that may be units by themselves; absolute paths."""

    directories: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()


def lists_of(deny_list: DenyList, root: str) -> frozenset[str]:
    """The absolute paths of the files that the list was, or would be, read from; with symbolic links and without."""
    origins = [entry.origin for entry in deny_list.entries]
    origins += [approval.origin for approval in deny_list.approvals]
    origins += [exclusion.origin for exclusion in deny_list.exclusions]
    names = {FILE_NAME, deny_list.source, *(origin.source for origin in origins)}
    paths = {os.path.abspath(os.path.join(base, name)) for name in names for base in (root, os.curdir)}
    return frozenset(paths | {os.path.realpath(path) for path in paths})


def spread(changed: Iterable[str], root: str, links: Iterable[tuple[str, str]]) -> set[str]:
    """The changed files by all of their paths: git names a submodule or a link as one, and follows none.

    `links` are those of the repository, each with the path that it leads to.
    """
    paths, real_root = set(changed), os.path.realpath(root)
    for path in [path for path in paths if os.path.isdir(path)]:
        if real_root in up_to(os.path.realpath(path), ""):  # nobody reads beyond
            paths.update(files_below(path))
    to: dict[str, list[str]] = {}
    for link, target in links:
        to.setdefault(target, []).append(link)
    real = {os.path.realpath(path) for path in paths} if to else set()
    return paths | {
        link + path[len(above) :] for path in real for above in up_to(path, "") for link in to.get(above, ())
    }


def affected_by(changed: Iterable[str], root: str, screen: Screen, whole_tree: Callable[[], Tree]) -> Affected:
    """What a change of these files can affect, the deny list aside; absolute paths, files need not exist.

    `whole_tree` looks through the repository; it is asked only when others may depend on what changed.
    """
    by_kind: dict[Kind | None, set[str]] = {}
    for path in changed:
        by_kind.setdefault(kind_of(os.path.basename(path)), set()).add(path)
    starts = {os.path.dirname(path) for path in by_kind.pop(Kind.TERRAFORM, ())}
    near = ModuleGraph(screen, root)
    variables = by_kind.pop(Kind.VARIABLES, set())
    for path in variables:
        for directory in up_to(os.path.dirname(path), root):
            near.add(listed(directory))
        root_module = near.root_of_variables(os.path.dirname(path))
        starts |= {root_module} if root_module else set()
    for directory in starts:
        near.add(listed(directory))
    near.complete()
    starts = {directory for directory in starts if _can_matter(directory, near)}
    others = set().union(*by_kind.values())
    elsewhere = {path for path in variables if not near.is_of_nearest(path)}
    if not starts and not others and not elsewhere:
        return Affected()
    graph, files = whole_tree()
    starts |= {path for path, module in graph.modules.items() if module.chooses_source} if starts else set()
    starts |= {root for path in elsewhere for root in graph.modules_of_file(path) if _can_matter(root, graph)}
    starts |= {path for path, module in graph.modules.items() if module.reads_files and may_read(path, others)}
    return Affected(frozenset(graph.callers_of(starts)), frozenset(others | elsewhere | _depending(others, files)))


def _depending(changed: set[str], files: Sequence[str]) -> set[str]:
    """The templates that nest one of these files, or import what one exports."""
    templates = {path for path in changed if _may_be_template(path)}
    if not templates:
        return set()
    importers: set[str] = set()
    if any(may_export(readable(path) or b"") for path in templates):
        from unapproved_iam.scan.exporters import importing  # few templates export anything

        importers = importing(templates, files)
    return importers | _nesting(templates | importers, files)


def _nesting(changed: set[str], files: Iterable[str]) -> set[str]:
    """The templates that have one of these files as a nested stack, directly or not."""
    found: set[str] = set()
    named = changed
    from unapproved_iam.scan.name_pieces import nests_files  # only templates need it

    parents = {path: source for path in files if (source := readable(path)) and nests_files(source)}
    while named:
        names = [os.path.basename(path).encode("utf-8", "surrogateescape") for path in named]
        named = {path for path, source in parents.items() if any(name in source for name in names)} - found
        found |= named
    return found


def _may_be_template(path: str) -> bool:
    if os.path.exists(path):
        return b"Resources" in (readable(path) or b"")
    return kind_of(os.path.basename(path)) is Kind.TEMPLATE


def _can_matter(directory: str, graph: ModuleGraph) -> bool:
    """Whether a module attaches anything, itself or through what it calls, or gives its callers a value."""
    if graph.modules[directory].has_outputs:
        return True
    return any(graph.modules[path].evidence & Evidence.TYPE for path in graph.called_by([directory]))


def may_read(directory: str, others: Iterable[str]) -> bool:
    """Whether source in a directory may read one of these files, by the literals in its calls."""
    globs: set[str] = set()
    for path in listed(directory).paths(Kind.TERRAFORM):
        globs |= {glob_of(read) for read in asked_paths(readable(path) or b"", directory)}
    return any(path_matches(path.replace(os.sep, "/"), glob) for glob in globs for path in others)
