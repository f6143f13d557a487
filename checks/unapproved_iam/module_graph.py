"""Know, without a parser, which Terraform directories call which, and what evidence the screen finds in each.

For `tree_check`, which reads only root modules that reach both kinds of evidence, and for `affected_units`, which asks
who calls a changed module. Every quoted relative path that leads to a directory with Terraform files counts as a call:
a call too many makes something be read that need not be, a missed one would lose a finding.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from unapproved_iam.source_files import Kind, SourceDirectory, listed
from unapproved_iam.unit_screen import EVERYTHING, NOTHING, Evidence, Screen, local_sources, reads_other_files


class Module(NamedTuple):
    """A directory with Terraform files, of source or of variables."""

    evidence: Evidence = NOTHING  # in its sources
    variables: Evidence = NOTHING  # in its variable files, which count for root modules at and above it
    called: tuple[str, ...] = ()  # absolute directories; they need not exist
    has_sources: bool = False
    has_outputs: bool = False
    reads_files: bool = False


class ModuleGraph:
    """Walked directories are added; those that are only called are found by themselves."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self.modules: dict[str, Module] = {}

    def add(self, directory: SourceDirectory) -> None:
        if directory.path not in self.modules:
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
        evidence = variables = NOTHING
        called: list[str] = []
        has_sources = has_outputs = reads_files = calls = False
        for name, kind in directory.files:
            if kind is Kind.VARIABLES:
                variables |= self._evidence(os.path.join(directory.path, name))[0]
            elif kind is Kind.TERRAFORM:
                found, source = self._evidence(os.path.join(directory.path, name))
                evidence |= found
                has_sources = True
                calls |= b"module" in source
                has_outputs |= b"output" in source
                reads_files |= reads_other_files(source)
                called += local_sources(source)
        # Where nothing is called, a path in quotes is something else.
        absolute = (os.path.normpath(os.path.join(directory.path, path)) for path in (called if calls else ()))
        return Module(evidence, variables, tuple(dict.fromkeys(absolute)), has_sources, has_outputs, reads_files)

    def _evidence(self, path: str) -> tuple[Evidence, bytes]:
        try:
            source = contents(path)
        except OSError:
            return EVERYTHING, b""  # whoever reads it says so
        return self._screen.terraform(source), source

    def suspicious(self, given: Evidence = NOTHING) -> set[str]:
        """The directories that reach both kinds of evidence; `given` is that of variable files from elsewhere."""
        names = self.callers_of(self._showing("names")) if not given.names else set(self.modules)
        return self.callers_of(self._showing("types")) & names

    def _showing(self, what: str) -> set[str]:
        shown = {path for path, module in self.modules.items() if getattr(module.evidence, what)}
        for path, module in self.modules.items():
            if getattr(module.variables, what):
                shown.update(self.roots_of_variables(path))
        return shown

    def roots_of_variables(self, directory: str) -> set[str]:
        """The directories at and above one with variable files that these may be for."""
        found = set()
        while True:
            module = self.modules.get(directory)
            if module and module.has_sources:
                found.add(directory)
            above = os.path.dirname(directory)
            if above == directory:
                return found
            directory = above

    def callers_of(self, directories: Iterable[str]) -> set[str]:
        """These directories and all that call them, directly or not."""
        callers: dict[str, list[str]] = {}
        for path, module in self.modules.items():
            for called in module.called:
                callers.setdefault(called, []).append(path)
        return _reached(directories, callers)

    def called_by(self, directories: Iterable[str]) -> set[str]:
        """These directories and all that they call, directly or not."""
        return _reached(directories, {path: module.called for path, module in self.modules.items()})


def _reached(starts: Iterable[str], following: Mapping[str, Iterable[str]]) -> set[str]:
    reached: set[str] = set()
    waiting = list(starts)
    while waiting:
        path = waiting.pop()
        if path not in reached:
            reached.add(path)
            waiting.extend(following.get(path, ()))
    return reached


def contents(path: str) -> bytes:
    """All bytes of a file. Raises OSError."""
    with open(path, "rb", buffering=0) as file:
        return file.readall()
