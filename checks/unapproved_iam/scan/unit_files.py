"""Know, without a parser, which files a unit may be made of, and what evidence the screen finds in them.

A unit is one of Terragrunt, or a stack of them, or a file of a Terraform Stack: what calls Terraform modules from the
outside.

For `scan.tree_check`, which reads only units that show enough evidence, and `scan.check_scope`, which asks which units
a change can affect. A unit may be made of the files in its directory and above, of every other file whose name stands
in one of these, and of the modules whose directory's name does. That is more than it reads, and never less, but for
names that are put together from pieces.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property, reduce
from operator import or_
from typing import NamedTuple

from unapproved_iam.late_patterns import late_pattern
from unapproved_iam.scan.module_graph import ModuleGraph
from unapproved_iam.scan.screen_evidence import Evidence, suffices
from unapproved_iam.scan.source_files import Kind, SourceDirectory, up_to
from unapproved_iam.scan.unit_screen import Screen
from unapproved_iam.source_bytes import readable

_STACK = "terragrunt.stack.hcl"
UNIT_NAMES = ("terragrunt.hcl", "terragrunt.hcl.json", _STACK)
_STACK_FILES = tuple(f".{kind}.{form}" for kind in ("tfcomponent", "tfstack", "tfdeploy") for form in ("hcl", "json"))
_KINDS = (Kind.UNIT, Kind.TEMPLATE, Kind.VARIABLES)
_SUFFIXES = (".hcl", ".yaml", ".yml", ".json", ".tfvars")
# Parts of paths: names of directories and files. Behind an interpolation only the end of one is known.
_ENDS = tuple(suffix.encode() for suffix in _SUFFIXES)
_PART = late_pattern(rb"(\}?)([\w.-]+)")
# A file of another kind that is read, or one whose name is put together, may hold anything.
_OTHER_FILE = late_pattern(
    rb"""file\s*\((?:[^()"]*\()*\s*"[^"]*"(?<!\.yaml")(?<!\.yml")(?<!\.json")(?<!\.hcl")(?<!\.tfvars")"""
)
_CALLING = (".hcl", ".hcl.json", *_STACK_FILES)  # whose words may name other files


def is_unit(path: str) -> bool:
    return os.path.basename(path) in UNIT_NAMES or path.endswith(_STACK_FILES)


_STRING = late_pattern(rb'"([^"\n]*)"')


class _Look(NamedTuple):
    """What a file, or several, show at first sight."""

    paths: frozenset[str] = frozenset()
    rare: Evidence = Evidence.NOTHING
    names: frozenset[str] = frozenset()  # of files
    ends: frozenset[str] = frozenset()  # of their names
    words: frozenset[bytes] = frozenset()

    def __or__(self, other: _Look) -> _Look:
        return _Look.of([self, other])

    @classmethod
    def of(cls, looks: Sequence[_Look]) -> _Look:
        """What several files show together."""
        paths, rare, names, ends, words = zip(*looks, strict=True)
        one = frozenset[str]()
        evidence = reduce(or_, rare, Evidence.NOTHING)
        return cls(one.union(*paths), evidence, one.union(*names), one.union(*ends), frozenset[bytes]().union(*words))


class UnitFiles:
    """`everything` walks the repository; it is asked only when there is a unit."""

    def __init__(self, screen: Screen, root: str, everything: Callable[[], Iterable[SourceDirectory]]) -> None:
        self._screen = screen
        self._root = root
        self._everything = everything
        self._look = cache(self._look_at)
        self._above = cache(self._look_above)
        self._common = cache(self._common_in)
        self._named = cache(self._look_at_named)
        self._near = cache(self._near_to)
        self._paths_in = cache(self._paths_written_in)

    def suspicious(self, units: Iterable[str], modules: ModuleGraph) -> set[str]:
        """Those of the units of which the screen does not rule out that a denied policy is attached there."""
        by_name: dict[bytes, list[str]] = {}
        for path, module in modules.modules.items():
            if module.has_sources:
                by_name.setdefault(os.fsencode(os.path.basename(path)), []).append(path)
        found = {unit for unit in units if suffices(self._evidence(unit, modules, by_name))}
        return {unit for unit in found if not self._is_harmless_template(unit)}

    def affected(self, changed: set[str], directories: Iterable[str]) -> set[str]:
        """The units that a change of these files, and of modules in these directories, can affect."""
        names = {os.path.basename(path) for path in changed if path.endswith(_SUFFIXES)}
        above = {os.path.dirname(path) for path in changed if os.path.basename(path) in names}
        around = set(directories)
        words = {os.path.basename(path).encode("utf-8", "surrogateescape") for path in directories}
        found: set[str] = set()
        for unit in self.units if names or words else ():
            whole = self._whole(unit)
            is_named = names & whole.names or any(name.endswith(end) for end in whole.ends for name in names)
            if (
                is_named
                or changed & whole.paths
                or (above | around) & set(up_to(os.path.dirname(unit), self._root))
                or words & whole.words
            ):
                found.add(unit)
        return found

    def of(self, units: Iterable[str]) -> set[str]:
        """The files that these units may be made of."""
        return {path for unit in units for path in self._whole(unit).paths}

    @cached_property
    def units(self) -> list[str]:
        return [path for name, paths in self._by_name.items() if is_unit(name) for path in paths]

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        """The files that units may be made of, by their names."""
        found: dict[str, list[str]] = {}
        for directory in self._everything():
            for name, kind in directory.files:
                if kind in _KINDS:
                    found.setdefault(name, []).append(os.path.join(directory.path, name))
        return found

    def _evidence(self, unit: str, modules: ModuleGraph, by_name: Mapping[bytes, list[str]]) -> Evidence:
        whole = self._whole(unit)
        called = [path for name in by_name.keys() & whole.words for path in by_name[name]]
        # A source of nothing but dots names none of these.
        called += [path for path in up_to(os.path.dirname(unit), self._root) if path in modules.modules]
        evidence = Evidence.TYPE | whole.rare
        for path in modules.called_by(called) if called else ():
            evidence |= modules.modules[path].evidence | modules.modules[path].variables
        if not suffices(evidence) and whole.rare & (Evidence.FIRST_PIECE | Evidence.OPEN_ARN):
            evidence |= reduce(or_, (self._common(path) for path in whole.paths), Evidence.NOTHING)
        return evidence

    def _is_harmless_template(self, unit: str) -> bool:
        """Whether it is the source of a unit, with `{{ … }}` to be filled in, and attaches nothing denied by itself."""
        source = readable(unit) or b""
        is_template = b"{{" in source and unit.endswith(".hcl")  # JSON ends many objects at once
        if not is_template or suffices(Evidence.TYPE | self._look(unit).rare | self._common(unit)):
            return False
        from unapproved_iam.hcl.syntax import HclSyntaxError, parse_body  # few units hold braces

        try:
            bodies = [parse_body(source, unit)]
            for body in bodies:
                bodies += [block.body for block in body.blocks]
                _ = [attribute.expression for attribute in body.attributes.values()]
        except HclSyntaxError:
            return True
        return False

    def _whole(self, unit: str) -> _Look:
        looks, waiting, seen = list[_Look](), [unit], {unit}
        while waiting:
            one = waiting.pop()
            near = self._near(one)
            looks.append(near)
            if os.path.basename(one) == _STACK:  # whose units are copies of directories
                made = {path for file in near.paths for path in self._copied(file, os.path.dirname(one))} - seen
                seen |= made
                waiting += made
        return _Look.of(looks) if len(looks) > 1 else looks[0]

    def _near_to(self, unit: str) -> _Look:
        near = self._look(unit) | self._above(os.path.dirname(unit))
        return near | self._named(near.names - set(UNIT_NAMES), near.ends)

    def _copied(self, file: str, directory: str) -> Iterator[str]:
        """The units in directories of which a file has the path, as far as it is written out.

        Where the file itself will lie is not known, so the end of a path is enough; but for a mere name.
        """
        for is_name, parts in self._paths_in(file):
            for unit in self._by_directory_name.get(parts[-1], ()):
                end = os.path.join(directory, parts[-1]) if is_name else "/".join(["", *parts])
                if os.path.dirname(unit).endswith(end):
                    yield unit

    def _paths_written_in(self, file: str) -> list[tuple[bool, list[str]]]:
        """The ends of the paths among the texts of a file; whether each is a mere name."""
        source = readable(file) if file.endswith(".hcl") else None
        found = []
        for written in set(_STRING.findall(source or b"")):
            end = written.rpartition(b"}")[2].partition(b"?")[0]
            parts = [part for part in os.fsdecode(end).split("/") if part not in ("", ".", "..")]
            if parts and parts[-1] in self._by_directory_name:
                found.append((b"/" not in written and b"}" not in written, parts))
        return found

    @cached_property
    def _by_directory_name(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for unit in self.units:
            found.setdefault(os.path.basename(os.path.dirname(unit)), []).append(unit)
        return found

    def _look_above(self, directory: str) -> _Look:
        """The files of a directory and of those above it, but for other units."""
        if not directory.startswith(self._root):
            return _Look()
        paths = (path for path in self._beside(directory) if os.path.basename(path) not in UNIT_NAMES)
        above = os.path.dirname(directory)
        parents = [os.path.join(above, name) for name in UNIT_NAMES] if above.startswith(self._root) else []
        looks = [self._look(path) for path in (*paths, *filter(os.path.isfile, parents))]
        return reduce(or_, looks, _Look()) | (self._above(above) if above != directory else _Look())

    def _beside(self, directory: str) -> list[str]:
        return self._by_directory.get(directory, [])

    @cached_property
    def _by_directory(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for paths in self._by_name.values():
            for path in paths:
                found.setdefault(os.path.dirname(path), []).append(path)
        return found

    def _look_at_named(self, names: frozenset[str], ends: frozenset[str]) -> _Look:
        """The files of these names, wherever they lie, and those whose names stand in them."""
        found, seen = _Look(names=names, ends=ends), frozenset[str]()
        while True:
            ended = {name for name in self._by_name if any(name.endswith(end) for end in found.ends)}
            new = (found.names | ended) - seen - set(UNIT_NAMES)
            if not new:
                return found
            seen |= new
            for name in new:
                for path in self._by_name.get(name, ()):
                    found |= self._look(path)

    def _look_at(self, path: str) -> _Look:
        source = readable(path)
        if source is None:
            return _Look(frozenset([path]), Evidence.EVERYTHING)
        parts = set(_PART.findall(source)) if path.endswith(_CALLING) else set()
        named = [(brace, os.fsdecode(part)) for brace, part in parts if part.endswith(_ENDS)]
        pieces, is_text = self._screen.pieces, not path.endswith((".hcl", ".tfvars"))
        rare = (self._screen.template(source) if is_text else self._screen.terraform(source)) & Evidence.NAME
        rare |= pieces.rare_in_text(source) if is_text else pieces.rare_in_terraform(source)
        if not is_text and _OTHER_FILE.search(source):
            rare = Evidence.EVERYTHING
        return _Look(
            frozenset([path]),
            rare,
            frozenset(name for brace, name in named if not brace),
            frozenset(name for brace, name in named if brace),
            frozenset(part for _, part in parts),
        )

    def _common_in(self, path: str) -> Evidence:
        source, pieces = readable(path) or b"", self._screen.pieces
        is_text = not path.endswith((".hcl", ".tfvars"))
        return pieces.common_in_text(source) if is_text else pieces.common_in_terraform(source)
