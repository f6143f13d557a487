"""The file for which Terragrunt code is evaluated, and what Terragrunt's functions ask of it.

For `terragrunt.configuration`, which reads files, and `terragrunt.functions`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from unapproved_iam.hcl.syntax import Attribute, Block, Body
from unapproved_iam.hcl.values import Value


@dataclass(frozen=True)
class Context:
    """Who a file is evaluated for."""

    tree: str  # absolute: the repository, outside of which nothing is read
    unit: str  # the file of the unit
    config: str  # where the file lies, or will lie, that paths count from: the unit's, or one that is read
    file: str  # that file itself; others are included
    values: Value | None = None  # of the unit, when a stack makes it
    files: tuple[str, ...] = ()  # on the way here, so that none is read within itself
    copies: tuple[tuple[str, str], ...] = ()  # of `hcl.scope.Files`: the directories of the stacks' units
    parsed: dict[str, tuple[str, Body]] = field(default_factory=dict, compare=False)  # by path: most units share some


class File(Protocol):
    """A file in its context."""

    path: str
    context: Context

    @property
    def including(self) -> Mapping[str, tuple[File, Block]]: ...
    def value(self, attribute: Attribute) -> Value: ...
    def known(self, value: Value) -> str | None: ...
    def found(self, path: str) -> str | None: ...
    def path_value(self, path: str) -> Value: ...
    def exposed_of(self, path: str) -> Value | None: ...
