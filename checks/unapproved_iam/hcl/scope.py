"""What an expression can see: its references, its loop variables, and the files that it reads.

`terraform.root_module` makes a `Scope` for each module; loops and instances of resources lay their own names over it.
"""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from unapproved_iam.hcl.expression import Expression, GetAttribute, Name, SplatItem
from unapproved_iam.hcl.source_text import HclSyntaxError
from unapproved_iam.hcl.values import Value, unknown
from unapproved_iam.path_glob import globs_of_fileset, path_matches
from unapproved_iam.policies.possible_text import Hole, Text, text

Reference = tuple[str, ...]  # ("var", "name"), ("data", "aws_iam_policy", "x"), …; a loop variable: ("name",)

SPLAT_ITEM: Reference = ("*",)  # the element that a splat looks at

_LENGTH = {"data": 3, "ephemeral": 3, "self": 1}


def length_of_reference(root: str) -> int:
    """How many names make up a reference that begins with this one; what follows are attributes of its value.

    A call that the scope itself computes, such as one of Terragrunt's functions, is a reference by its whole text.
    """
    return 1 if "(" in root else _LENGTH.get(root, 2)


class Scope(Protocol):
    """A module, or one with further names laid over it."""

    @property
    def files(self) -> Files:
        """What the functions that read files may read."""

    def value_of(self, reference: Reference) -> Value:
        """The value of ("var", NAME), ("local", NAME), ("module", NAME), ("each", "key" or "value"), ("count",
        "index"), ("self",), ("path", "module" …), ("terraform", "workspace"), ("data", TYPE, NAME), or (TYPE, NAME)
        of a resource.

        Total: what the tree does not tell is unknown, with a reason, and so is what refers to itself.
        """

    def is_known(self, reference: Reference) -> bool:
        """Whether its value is at hand: to compute it leads no deeper."""

    def owner_of(self, reference: Reference) -> Hashable:
        """Where the reference has its meaning: the same reference of the same owner is the same value."""


class Evaluation(Protocol):
    """How the evaluator evaluates an argument; handed in, since it calls functions itself."""

    def value(self, expression: Expression, scope: Scope) -> Value: ...

    def value_and_doubt(self, expression: Expression, scope: Scope) -> tuple[Value, bool | None]:
        """The value, and whether Terraform may refuse to compute it even where it is not refused here; None for what
        it refuses elsewhere, if at all."""


class DeclaredNames(ABC):
    """The names that source declares: each is evaluated when it is first asked for, and once."""

    def __init__(self) -> None:
        self._values: dict[Reference, Value] = {}
        self._in_progress: set[Reference] = set()

    def is_known(self, reference: Reference) -> bool:
        return reference in self._values or reference in self._in_progress

    def owner_of(self, reference: Reference) -> Hashable:
        return self

    def value_of(self, reference: Reference) -> Value:
        value = self._values.get(reference)
        if value is not None:
            return value
        written = ".".join(reference)
        if reference in self._in_progress:
            return unknown(written, f"{written} refers to itself")
        self._in_progress.add(reference)
        try:
            value = self._value_of(reference, written)
        except HclSyntaxError as error:
            value = self._unreadable(written, error)
        finally:
            self._in_progress.discard(reference)
        self._values[reference] = value
        return value

    @abstractmethod
    def _value_of(self, reference: Reference, written: str) -> Value:
        """Its value, as the source declares it. Raises HclSyntaxError."""

    @abstractmethod
    def _unreadable(self, written: str, error: HclSyntaxError) -> Value:
        """What stands for a value whose declaration is broken."""


class Layer:
    """A scope with further names: the variables of a loop, or `each`, `count` and `self` of an instance."""

    def __init__(self, outer: Scope, values: Mapping[Reference, Value], owner: Hashable = None) -> None:
        self.outer = outer
        self.values = values
        self.owner = owner or self  # of what is said of its names

    @property
    def files(self) -> Files:
        return self.outer.files

    def value_of(self, reference: Reference) -> Value:
        value = self.values.get(reference)
        return self.outer.value_of(reference) if value is None else value

    def is_known(self, reference: Reference) -> bool:
        return reference in self.values or self.outer.is_known(reference)

    def owner_of(self, reference: Reference) -> Hashable:
        return self.owner if reference in self.values else self.outer.owner_of(reference)


def variable_of(scope: Scope, name: str) -> Value | None:
    """The value of a loop's variable; None when no loop around has it."""
    while isinstance(scope, Layer):
        value = scope.values.get((name,))
        if value is not None:
            return value
        scope = scope.outer
    return None


# The tree's own directory, which is another one on every machine.
CHECKOUT = Hole("checkout", "no file says where the tree is checked out", remedy="check the plan")

MAX_FILE = 16_000_000  # bytes of a file that an expression reads
MAX_DIRECTORIES = 1_000  # that an expression lists


class TooManyDirectories(Exception):
    """More than `MAX_DIRECTORIES` are below the one that an expression lists."""


@dataclass(frozen=True)
class Files:
    """The files that expressions may read: those of the tree, so that nothing of the machine flows into a message."""

    directory: str  # absolute, of the root module: what relative paths count from
    tree: str  # absolute, of the scanned tree: nothing outside of it is read
    copies: tuple[tuple[str, str], ...] = ()  # directories that will be made, each with the one that is copied there

    @property
    def working_directory(self) -> Text:
        """Where Terraform runs, as far as every machine has it: the root module, from the tree's directory on."""
        below = os.path.relpath(os.path.realpath(self.directory), os.path.realpath(self.tree)).replace(os.sep, "/")
        return text(CHECKOUT, "" if below == "." else f"/{below}")

    def on_this_machine(self, path: Text) -> Text:
        """The path with the directory in which the tree is checked out here."""
        here = os.path.realpath(self.tree)
        return text(*(here if piece == CHECKOUT else piece for piece in path.pieces))

    def find(self, path: str) -> str | None:
        """The absolute path of what may be read, whether it is there or not; None when it is outside the tree."""
        try:
            real = os.path.realpath(os.path.join(self.directory, path))
        except (OSError, ValueError):
            return None
        tree = os.path.realpath(self.tree)
        if not (real + os.sep).startswith(tree.rstrip(os.sep) + os.sep):
            return None
        for copy, original in reversed(self.copies):
            if (real + os.sep).startswith(copy + os.sep) and not os.path.exists(real):
                real = original + real[len(copy) :]
        return real

    def read(self, found: str) -> str | None:
        """The text of a file; None when it is missing, no regular file, no text or too long."""
        if not self.exists(found):  # reading a pipe may never end
            return None
        try:
            with open(found, "rb") as opened:
                data = opened.read(MAX_FILE + 1)
            return data.decode("utf-8") if len(data) <= MAX_FILE else None
        except (OSError, ValueError):
            return None

    def is_too_long(self, found: str) -> bool:
        return self.exists(found) and os.path.getsize(found) > MAX_FILE

    def exists(self, found: str) -> bool:
        return os.path.isfile(found)

    def like(self, pieces: Iterable[str | int]) -> dict[tuple[str, ...], str]:
        """The files whose path has these pieces, for each number one text without a slash: their paths by these texts.
        None where two such texts meet in one name, or where too many directories may be meant."""
        names: list[list[str | int]] = [[]]
        for piece in pieces:
            first, *others = piece.split("/") if isinstance(piece, str) else [piece]
            names[-1].append(first)
            names += [[other] for other in others]
        ways: list[tuple[dict[int, str], str]] = [({}, "")]
        for name in names:
            ways = [way for parts, above in ways for way in self._entries_like(name, parts, above)]
            if len(ways) > MAX_DIRECTORIES:
                return {}
        paths = {tuple(part for _, part in sorted(parts.items())): path[:-1] for parts, path in ways}
        return {parts: path for parts, path in paths.items() if (found := self.find(path)) and self.exists(found)}

    def _entries_like(
        self, name: list[str | int], parts: dict[int, str], above: str
    ) -> Iterator[tuple[dict[int, str], str]]:
        """The entries of a directory that have such a name, each with the texts that it tells."""
        pieces = [parts.get(piece, piece) if isinstance(piece, int) else piece for piece in name]
        untold = [piece for piece in dict.fromkeys(pieces) if isinstance(piece, int)]
        if not untold:
            yield parts, f"{above}{''.join(map(str, pieces))}/"
        directory = self.find(above or ".") if len(untold) == 1 else None
        if directory is None or not os.path.isdir(directory):
            return
        first = pieces.index(untold[0])
        written = (re.escape(piece) if isinstance(piece, str) else r"\1" for piece in pieces[first + 1 :])
        pattern = re.compile(f"{re.escape(''.join(map(str, pieces[:first])))}(.+){''.join(written)}", re.DOTALL)
        for entry in sorted(os.listdir(directory)):
            found = pattern.fullmatch(entry)
            if found:
                yield parts | {untold[0]: found[1]}, f"{above}{entry}/"

    def matching(self, found: str, pattern: str) -> list[str] | None:
        """The files below a directory whose relative path matches, as `fileset` has it; None when the pattern is not
        understood, or a directory cannot be read, as where a symbolic link leads out of the tree. Raises
        TooManyDirectories."""
        globs = globs_of_fileset(pattern)
        if globs is None:
            return None
        deepest = None if any("**" in glob for glob in globs) else max(glob.count("/") for glob in globs)
        names: list[str] = []
        waiting: list[tuple[str, ...]] = [()]
        for number, below in enumerate(waiting):
            if number >= MAX_DIRECTORIES:
                raise TooManyDirectories
            inside = self._entries(os.path.join(found, *below))
            if inside is None:
                return None
            for name, is_directory in inside:
                path = "/".join((*below, name))
                if not is_directory:
                    names += [path] if any(path_matches(path, glob) for glob in globs) else []
                elif deepest is None or len(below) < deepest:
                    waiting.append((*below, name))
        return sorted(names)

    def _entries(self, path: str) -> list[tuple[str, bool]] | None:
        """The files of a directory, and the directories in it but for links to one that it lies in, of which all has
        been seen; none where there is no directory, None where it cannot be read."""
        directory = self.find(path)
        if directory is None:
            return None
        try:
            with os.scandir(directory) as entries:
                return [
                    (entry.name, entry.is_dir())
                    for entry in entries
                    if entry.is_file() or (entry.is_dir() and not _leads_back(entry, directory))
                ]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError:
            return None


def _leads_back(entry: os.DirEntry[str], directory: str) -> bool:
    return entry.is_symlink() and (directory + os.sep).startswith(os.path.realpath(entry) + os.sep)


def owner_of(expression: Expression, scope: Scope) -> Hashable:
    """Where the expression has its meaning: the innermost scope that has any of its names."""
    while isinstance(scope, Layer):
        references = list(references_in(expression))
        if any(reference[:length] in scope.values for reference in references for length in (1, 2)):
            return scope.owner
        scope = scope.outer
    return next((scope.owner_of(reference) for reference in references_in(expression)), None)


def references_in(part: object) -> Iterator[Reference]:
    """The names with which the references in an expression begin."""
    if isinstance(part, GetAttribute) and isinstance(part.source, Name):
        yield (part.source.name, part.name)
    elif isinstance(part, Name):
        yield (part.name,)
    elif isinstance(part, SplatItem):
        yield SPLAT_ITEM
    elif isinstance(part, tuple):  # as every expression is one
        for element in part:
            yield from references_in(element)
