"""Decide what to check: from the paths on the command line, or from the files that changed.

For `scan.tree_check`. Directories are looked at whole. A file, given or changed, stands for the units that it can
affect.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

from unapproved_iam.cloudformation.parameter_look import may_give_parameters
from unapproved_iam.policies.attachment import Unjudged
from unapproved_iam.program import UsageError
from unapproved_iam.scan.affected_units import Tree, affected_by, spread
from unapproved_iam.scan.module_graph import ModuleGraph
from unapproved_iam.scan.side_by_side import Watch
from unapproved_iam.scan.source_files import Kind, SourceDirectory, kind_of, links_below, listed, walk
from unapproved_iam.scan.unit_files import UnitFiles, is_unit
from unapproved_iam.scan.unit_screen import Screen
from unapproved_iam.source_bytes import readable


class Request(NamedTuple):
    """What to look at; paths as the user wrote them.

    With `changed`, directories only say where the units may be that the changed files can affect; such a file, and a
    given one, need not exist any more.
    """

    paths: Sequence[str] = ()  # none: the current directory; with `changed` anywhere; with `plans` nothing else
    changed: Sequence[str] | None = None
    plans: Sequence[str] = ()  # files, directories, globs; each may name its root module behind `=`
    only_plan_changes: bool = False  # what plans leave attached as it is makes no violation
    var_files: Sequence[str] = ()
    parameters: Sequence[str] = ()  # of --parameters: TEMPLATE=FILE
    exclude: Sequence[str] = ()  # path globs from the root
    screen: bool = True
    jobs: int = 1  # processes that read side by side
    watch: Watch = iter


class Scope:
    """What to look at; absolute paths."""

    def __init__(self, surroundings: list[str], graph: ModuleGraph) -> None:
        self.surroundings = surroundings  # the directories in which callers of a module are looked for
        self.graph = graph
        self.directories: set[str] = set()  # that are judged as far as they are root modules
        self.callers: set[str] = set()  # these directories and whoever calls them in the surroundings
        self.files: dict[str, Kind | None] = {}  # every file that is looked at
        self.unjudged: list[Unjudged] = []
        self.unit_files: UnitFiles | None = None  # where units are looked at

    @property
    def units(self) -> list[str]:
        """The units and stacks of Terragrunt, and the Terraform Stacks, that are looked at."""
        return [path for path, kind in self.files.items() if kind in (Kind.UNIT, None) and is_unit(path)]

    def add(self, directory: SourceDirectory) -> None:
        within = os.path.join(directory.path, "")
        self.files.update({within + name: kind for name, kind in directory.files})
        if any(kind is Kind.TERRAFORM for _, kind in directory.files):
            self.directories.add(directory.path)
            self.callers.add(directory.path)


def scope_of(
    request: Request, lists: frozenset[str], root: str, screen: Screen, left_out: frozenset[str] = frozenset()
) -> Scope:
    """What a request asks for. Raises UsageError for a path that cannot be what it is given as.

    `lists` are the files of the deny list: when one changed, or a file of `--var-file`, everything is asked for.
    `left_out` are directories that are not walked into.
    """
    default = [os.curdir] if request.changed is None and not request.plans else []
    directories, files = _sorted_out(request.paths or default)
    changed = {*files, *map(os.path.abspath, request.changed or ())}
    within = directories if request.changed is not None else []
    whole = directories if request.changed is None else []
    of_all = lists.union(map(os.path.realpath, request.var_files))
    if any(os.path.realpath(path) in of_all for path in changed):
        whole, changed = within or [root], set()
    scope = Scope([root] if changed else whole, ModuleGraph(screen, root))
    whole_tree = cache(lambda: list(_walked([root], left_out, scope)))
    for directory in whole_tree() if whole == [root] else _walked(whole, left_out, scope):
        scope.add(directory)
        scope.graph.add(directory)
    if changed:
        changed = spread(changed, root, links_below(root, left_out))
        scope.unit_files = UnitFiles(screen, root, whole_tree)
        _add_affected(scope, changed, within, root, screen, whole_tree)
        _add_parameters(scope, request, within, root)
    elif scope.units:
        around = whole_tree if whole == [root] else lambda: _only_directories(walk([root], left_out))
        scope.unit_files = UnitFiles(screen, root, around)
    if request.changed is not None:  # a file of another kind, such as a README with a template in it, is none itself
        scope.files = {path: kind for path, kind in scope.files.items() if kind}
    scope.graph.complete()
    return scope


def _add_affected(
    scope: Scope,
    changed: set[str],
    within: list[str],
    root: str,
    screen: Screen,
    directories: Callable[[], Iterable[SourceDirectory]],
) -> None:
    def whole_tree() -> Tree:
        templates = []
        for directory in directories():
            scope.graph.add(directory)
            templates += [os.path.join(directory.path, name) for name, kind in directory.files if kind is Kind.TEMPLATE]
        scope.graph.complete()
        return scope.graph, templates

    affected = affected_by(changed, root, screen, whole_tree)
    units = scope.unit_files.affected(changed, affected.directories) if scope.unit_files else ()
    scope.callers |= affected.directories
    for path in affected.directories:
        if is_below(path, within):
            scope.add(listed(path).of_terraform)
    scope.files |= {
        path: kind_of(os.path.basename(path))
        for path in (*affected.files, *units)
        if is_below(path, within) and os.path.isfile(path)
    }


def _add_parameters(scope: Scope, request: Request, within: list[str], root: str) -> None:
    """The parameter files of the templates that are looked at, and the templates of such files."""
    files = [path for path, kind in scope.files.items() if kind not in (Kind.TERRAFORM, Kind.VARIABLES)]
    if not any(b"Parameter" in source or may_give_parameters(source) for source in map(readable, files) if source):
        return
    from unapproved_iam.scan.parameter_binding import ParameterBinding  # few changes are about such files

    bound = ParameterBinding(root, request.parameters).around(files)
    scope.files |= {path: kind_of(os.path.basename(path)) for path in bound if is_below(path, within)}


def _only_directories(found: Iterable[SourceDirectory | Unjudged]) -> Iterator[SourceDirectory]:
    return (one for one in found if not isinstance(one, Unjudged))


def _walked(directories: Iterable[str], left_out: frozenset[str], scope: Scope) -> Iterable[SourceDirectory]:
    for found in walk(directories, left_out):
        if isinstance(found, Unjudged):
            scope.unjudged.append(found)
        else:
            yield found


def _sorted_out(paths: Iterable[str]) -> tuple[list[str], list[str]]:
    """Directories and files, absolute; what is neither must look like a file that was deleted."""
    directories, files = [], []
    for path in paths:
        absolute = os.path.abspath(path)
        if os.path.isdir(absolute):
            directories.append(absolute)
        elif os.path.exists(absolute) and not os.path.isfile(absolute):
            raise UsageError(f"{path}: is neither a regular file nor a directory")
        elif os.path.lexists(absolute) or kind_of(os.path.basename(path)):
            files.append(absolute)
        else:
            raise UsageError(f"{path}: no such file or directory")
    return directories, files


def is_below(path: str, directories: Iterable[str]) -> bool:
    """Whether a path is at or below one of these directories, or there are none."""
    directories = list(directories)
    return not directories or any(path == one or path.startswith(one.rstrip(os.sep) + os.sep) for one in directories)
