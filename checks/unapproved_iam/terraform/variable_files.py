"""Decide which modules a variable file elsewhere in the tree is for: `env/prod.tfvars` beside `stack/`.

For `terraform.root_module`, which takes what it assigns for an alternative, and `scan.module_graph`, which asks whom a
file may reach. Terraform gets such a file by `-var-file`. It is for every module that declares all that it assigns;
but one at or below a module that does is that module's alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import cached_property

from unapproved_iam.terraform.module_blocks import Module
from unapproved_iam.terraform.module_files import HclSyntaxError, VariableFile

ModuleAt = Callable[[str], Module | None]


class VariableFiles:
    """The variable files of a tree; `paths` are absolute."""

    def __init__(self, paths: Iterable[str], module_at: ModuleAt) -> None:
        self._paths = tuple(paths)
        self._module_at = module_at
        self._names: dict[str, frozenset[str]] = {}

    def of(self, module: Module) -> list[str]:
        """Those elsewhere that are for a module."""
        return [path for path in self._elsewhere if self._fits(path, module) and not _is_below(path, module.directory)]

    def modules_of(self, path: str, directories: Iterable[str]) -> set[str]:
        """The directories, of these, whose module a file is for although it lies elsewhere."""
        if self._has_owner(path):
            return set()
        modules = {directory: self._module_at(directory) for directory in directories}
        return {directory for directory, module in modules.items() if module and self._fits(path, module)}

    def names_of(self, path: str) -> frozenset[str]:
        """The variables that a file assigns; none when it cannot be read: whoever it is for says so."""
        if path not in self._names:
            try:
                self._names[path] = frozenset(VariableFile(path).assignments)
            except (OSError, HclSyntaxError):
                self._names[path] = frozenset()
        return self._names[path]

    def owner_of(self, path: str) -> Module | None:
        """The nearest module of the repository at or above a file."""
        directory, above = path, os.path.dirname(path)
        module = None
        while module is None and above != directory and not os.path.lexists(os.path.join(directory, ".git")):
            directory, above = above, os.path.dirname(above)
            module = self._module_at(directory)
        return module

    @cached_property
    def _elsewhere(self) -> list[str]:
        return [path for path in self._paths if not self._has_owner(path)]

    def _has_owner(self, path: str) -> bool:
        owner = self.owner_of(path)
        return owner is not None and self._fits(path, owner)

    def _fits(self, path: str, module: Module) -> bool:
        names = self.names_of(path)
        return bool(names) and names <= module.variables


def _is_below(path: str, directory: str) -> bool:
    return path.startswith(directory.rstrip(os.sep) + os.sep)
