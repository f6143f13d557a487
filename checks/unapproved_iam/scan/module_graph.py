"""Find without a parser which Terraform directories call which, and what the screen finds in each.

For `scan.tree_check`, which reads only root modules that reach enough evidence, and for `scan.affected_units`, which
asks who calls a changed module. Every quoted relative path that leads to a directory with Terraform files counts as a
call: a call too many makes something be read that need not be, a missed one would lose a finding.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from unapproved_iam.scan.file_reads import read_paths, reads_files
from unapproved_iam.scan.screen_evidence import NAMED, Evidence
from unapproved_iam.scan.source_files import Kind, SourceDirectory, listed
from unapproved_iam.scan.unit_screen import Screen, chooses_source
from unapproved_iam.source_bytes import readable
from unapproved_iam.terraform.source_look import local_sources, may_call

if TYPE_CHECKING:
    from unapproved_iam.scan.argument_screen import ArgumentScreen
    from unapproved_iam.terraform.variable_files import VariableFiles

Look = Callable[[bytes], Evidence]


class Module(NamedTuple):
    """A directory with Terraform files, of source or of variables."""

    evidence: Evidence = Evidence.NOTHING  # types and whole names in its sources
    variables: Evidence = Evidence.NOTHING  # in its variable files, which count for the nearest module at or above it
    called: tuple[str, ...] = ()  # absolute directories; they need not exist
    has_sources: bool = False
    has_variables: bool = False
    has_outputs: bool = False
    reads_files: bool = False
    chooses_source: bool = False  # of a call: then it may call any module


class ModuleGraph:
    """Walked directories are added; those that are only called are found by themselves.

    `root` is the absolute directory outside of which no expression reads a file.
    """

    def __init__(self, screen: Screen, root: str) -> None:
        self._screen = screen
        self._root = root
        self.modules: dict[str, Module] = {}
        self._directories: dict[str, SourceDirectory] = {}
        self._given: Sequence[bytes] = ()

    def add(self, directory: SourceDirectory) -> None:
        if directory.path not in self.modules:
            self._directories[directory.path] = directory
            self.modules[directory.path] = self._module(directory)

    def complete(self) -> None:
        """Find the modules that are called and were not walked, e.g. outside of the walked directories."""
        waiting = [called for module in self.modules.values() for called in module.called]
        while waiting:
            directory = waiting.pop()
            if directory in self.modules:
                continue
            self.add(listed(directory))
            waiting += self.modules[directory].called

    def _module(self, directory: SourceDirectory) -> Module:
        paths, variable_paths = directory.paths(Kind.TERRAFORM), directory.paths(Kind.VARIABLES)
        files = [source for path in paths if (source := readable(path)) is not None]
        # Files are small: a search takes longer to begin than to go through most of them.
        together = b"\n".join(files)
        calls = may_call(together)
        # Where nothing is called, a path in quotes is something else.
        called = local_sources(together) if calls else ()
        absolute = (os.path.normpath(os.path.join(directory.path, path)) for path in called)
        return Module(
            self._screen.terraform(together, files) if len(files) == len(paths) else Evidence.EVERYTHING,
            _look_at(variable_paths, self._screen.terraform, Evidence.EVERYTHING),
            tuple(dict.fromkeys(absolute)),
            has_sources=bool(paths),
            has_variables=bool(variable_paths),
            has_outputs=b"output" in together,
            reads_files=reads_files(together),
            chooses_source=calls and chooses_source(together, files),
        )

    def _paths(self, directory: str, kind: Kind) -> list[str]:
        return (self._directories.get(directory) or listed(directory)).paths(kind)

    def suspicious(self, directories: set[str], var_files: Iterable[str] = ()) -> set[str]:
        """Those of the directories of which the screen does not rule out that a denied policy is attached there.

        `var_files` count for every root module.
        """
        shown = {path: module.evidence for path, module in self.modules.items()}
        for path, module in self.modules.items():
            for root in self.roots_of_variables(path) if module.variables else ():
                shown[root] |= module.variables & Evidence.NAME
        given = [source for path in var_files if (source := readable(path)) is not None]
        if any(self._screen.terraform(source) & Evidence.NAME for source in given):
            shown = {path: evidence | Evidence.NAME for path, evidence in shown.items()}
        types = self._reaching(shown, Evidence.TYPE) & directories
        suspicious = types & self._reaching(shown, Evidence.NAME)
        return self._named_in_slices(suspicious | self._named_by_pieces(types - suspicious, given), given)

    def _named_by_pieces(self, directories: set[str], given: Iterable[bytes]) -> set[str]:
        """Those of the directories, none of which reaches a whole name, that reach what one may be made of."""
        if not directories:
            return set()
        pieces, screen = self._screen.pieces, self._screen
        shown = self._looked_at(
            directories,
            given,
            pieces.rare_in_terraform,
            screen.rare_in_read,
        )
        rare = self._reaching(shown, Evidence.FIRST_PIECE | Evidence.OPEN_ARN) & directories
        common = self._looked_at(rare, given, pieces.common_in_terraform, pieces.common_in_text)
        shown = {path: evidence | common.get(path, Evidence.NOTHING) for path, evidence in shown.items()}
        found = (set.intersection(*(self._reaching(shown, flag) for flag in named)) for named in NAMED)
        return directories.intersection(set().union(*found))

    def _looked_at(
        self, directories: set[str], given: Iterable[bytes], into_source: Look, into_text: Look
    ) -> dict[str, Evidence]:
        """What a closer look finds in these directories and all that they call, and in the files that they read."""
        shown = {path: _look_at(self._paths(path, Kind.TERRAFORM), into_source) for path in self.called_by(directories)}
        for path in shown:
            if path in self.modules and self.modules[path].reads_files:
                shown[path] |= self._look_at_read(path, into_text)
        for path, module in self.modules.items():
            found = _look_at(self._paths(path, Kind.VARIABLES), into_source) if module.has_variables else None
            for root in self.roots_of_variables(path) & directories if found else ():
                shown[root] |= found or Evidence.NOTHING
        for source in given:
            found = into_source(source)
            shown = {path: evidence | found for path, evidence in shown.items()}
        return shown

    def _look_at_read(self, directory: str, into_text: Look) -> Evidence:
        paths = self._read_by(directory)
        if any("*" in path for path in paths):
            return Evidence.NAME
        return _look_at((path for path in paths if self._is_readable(path)), into_text)

    def _named_in_slices(self, directories: set[str], given: Sequence[bytes]) -> set[str]:
        """Those of the directories in which names stand where they reach what is attached, and whoever calls these."""
        if not directories:
            return directories
        self._given = given
        if self._screen.names_count:
            from unapproved_iam.scan.slice_screen import SliceScreen  # most runs find nothing that needs it

            screen = SliceScreen(self._screen, self._is_readable)  # its parts are gone when units are read
            named = {path for path in directories if screen.may_name(path, self._values_of(path))}
        else:
            named = {path for path in directories if self.arguments.may_attach(path)}
        return directories & self.callers_of(named)

    @cached_property
    def arguments(self) -> ArgumentScreen:
        from unapproved_iam.scan.argument_screen import ArgumentScreen  # it is needed for what is read closely

        return ArgumentScreen(self._values_of)

    def _values_of(self, root: str) -> list[bytes | None]:
        return [*self._values.get(root, ()), *self._given]

    @cached_property
    def _values(self) -> dict[str, list[bytes | None]]:
        values: dict[str, list[bytes | None]] = {}
        for path, module in self.modules.items():
            for root in self.roots_of_variables(path) if module.has_variables else ():
                values.setdefault(root, []).extend(map(readable, self._paths(path, Kind.VARIABLES)))
        return values

    def reads(self, file: str) -> bool:
        """Whether a module surely reads this very file: the literals in its calls name no other."""
        reading = (directory for directory, module in self.modules.items() if module.reads_files)
        return self._is_readable(file) and any(file in self._read_by(directory) for directory in reading)

    def _read_by(self, directory: str) -> set[str]:
        """The absolute paths that a module may read, `*` in those that are not wholly known."""
        paths: set[str] = set()
        for path in self._paths(directory, Kind.TERRAFORM):
            paths |= read_paths(readable(path) or b"", directory)
        # A relative path counts from the root module, which may be any of the callers.
        bases = self.callers_of([directory])
        return {os.path.normpath(os.path.join(base, path)) for path in paths for base in bases}

    def _is_readable(self, path: str) -> bool:
        """Whether it is a file that an expression may read."""
        real, root = os.path.realpath(path), os.path.realpath(self._root)
        return real.startswith(root.rstrip(os.sep) + os.sep) and os.path.isfile(real)

    def _reaching(self, shown: Mapping[str, Evidence], flag: Evidence) -> set[str]:
        return self.callers_of(path for path, evidence in shown.items() if evidence & flag)

    def variable_files(self) -> list[str]:
        """All variable files of the directories that were walked."""
        directories = sorted(path for path, module in self.modules.items() if module.has_variables)
        return [file for path in directories for file in self._paths(path, Kind.VARIABLES)]

    def roots_of_variables(self, directory: str) -> set[str]:
        """The directories with source that the variable files in a directory may be for."""
        nearest = self.root_of_variables(directory)
        files = self._paths(directory, Kind.VARIABLES)
        return {*([nearest] if nearest else ()), *(root for file in files for root in self.modules_of_file(file))}

    def modules_of_file(self, path: str) -> set[str]:
        """The directories whose module a variable file is for although it lies elsewhere."""
        sources = (directory for directory, module in self.modules.items() if module.has_sources)
        return self._variable_files.modules_of(path, sources)

    def is_of_nearest(self, path: str) -> bool:
        """Whether a variable file is for the nearest module at or above it, and for no other; or it is gone."""
        nearest = self._variable_files.owner_of(path)
        is_its = nearest is not None and self._variable_files.names_of(path) <= nearest.variables
        return is_its or not os.path.exists(path)

    def is_for_nobody(self, path: str) -> bool:
        """Whether no module that may be a root declares what a variable file assigns, not even the nearest one."""
        nearest = self._variable_files.owner_of(path)
        names = self._variable_files.names_of(path)
        if nearest and names & nearest.variables:
            return False
        called = {
            called
            for path, module in self.modules.items()
            for called in module.called
            if not path.startswith(called + os.sep)
        }
        return self.modules_of_file(path) <= called

    @cached_property
    def _variable_files(self) -> VariableFiles:
        from unapproved_iam.terraform.root_module import tree_of_opentofu  # few trees have files that may name a policy
        from unapproved_iam.terraform.variable_files import VariableFiles  # likewise

        return VariableFiles((), tree_of_opentofu().module_at)

    def root_of_variables(self, directory: str) -> str | None:
        """The nearest directory with source at or above one with variable files: the one that they are for."""
        while True:
            module = self.modules.get(directory)
            if module and module.has_sources:
                return directory
            above = os.path.dirname(directory)
            if above == directory:
                return None
            directory = above

    def callers_of(self, directories: Iterable[str]) -> set[str]:
        """These directories and all that call them, directly or not."""
        callers: dict[str, list[str]] = {}
        for path, module in self.modules.items():
            for called in module.called:
                callers.setdefault(called, []).append(path)
        return _reached(directories, lambda path: callers.get(path, ()))

    def called_by(self, directories: Iterable[str]) -> set[str]:
        """These directories and all that they call, directly or not."""

        def called_at(path: str) -> Iterable[str]:
            module = self.modules.get(path)
            return module.called if module else ()

        return _reached(directories, called_at)


def _look_at(paths: Iterable[str], look: Look, unreadable: Evidence = Evidence.NAME) -> Evidence:
    """What is found in some files at once."""
    paths = list(paths)
    sources = [source for path in paths if (source := readable(path)) is not None]
    return look(b"\n".join(sources)) if len(sources) == len(paths) else unreadable


def _reached(starts: Iterable[str], following: Callable[[str], Iterable[str]]) -> set[str]:
    reached: set[str] = set()
    waiting = list(starts)
    while waiting:
        path = waiting.pop()
        if path not in reached:
            reached.add(path)
            waiting.extend(following(path))
    return reached
