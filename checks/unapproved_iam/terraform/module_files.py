"""Decide which files make up the Terraform module of a directory, and read their blocks and variable values.

For `terraform.module_blocks`. Files are read once and parsed only when somebody asks for their blocks. Sources: "Files
and Directories", "Override Files", "JSON Configuration Syntax" and "Variable Definitions (.tfvars) Files" in the
Terraform documentation; "Files and Directories" in that of OpenTofu. The reader of JSON
syntax is imported only when a file needs it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from enum import Enum
from functools import cached_property
from typing import NamedTuple

from unapproved_iam.directory_entry import is_file
from unapproved_iam.hcl.syntax import Attribute, Block, Body, HclSyntaxError, parse_body
from unapproved_iam.policies.attachment import Place
from unapproved_iam.source_bytes import contents
from unapproved_iam.terraform.source_look import may_hold


class Program(Enum):
    """Who reads the tree. Terraform reads no .tofu file; for OpenTofu one replaces the .tf file of the same name."""

    TERRAFORM = (".tf.json", ".tf")
    OPENTOFU = (".tofu.json", ".tofu", ".tf.json", ".tf")

    def __init__(self, *suffixes: str) -> None:
        self.suffixes = suffixes


VARIABLE_SUFFIXES = (".tfvars", ".tfvars.json")
_FIRST_VARIABLES = ("terraform.tfvars", "terraform.tfvars.json")
# What terraform and package managers download, and what version control keeps: no source of the tree.
IGNORED_DIRECTORIES = frozenset({".git", ".hg", ".svn", ".terraform", ".terragrunt-cache", "node_modules"})


class Listing(NamedTuple):
    """What is in one directory: the files that Terraform reads, in its order, and the directories below."""

    configuration: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    automatic_variables: tuple[str, ...] = ()  # later ones win
    other_variables: tuple[str, ...] = ()
    directories: tuple[str, ...] = ()  # without symbolic links

    @property
    def has_configuration(self) -> bool:
        return bool(self.configuration or self.overrides)


def listing_of(names: Iterable[str], directories: Iterable[str] = (), program: Program = Program.OPENTOFU) -> Listing:
    """Sort the names of a directory's files by what the program does with them."""
    names = set(names)
    present = {name for name in names if name.endswith(program.suffixes) and not _is_ignored(name)}
    used = sorted(name for name in present if program is Program.TERRAFORM or not _is_replaced(name, present))
    variables = sorted(name for name in names if name.endswith(VARIABLE_SUFFIXES))  # hidden ones are loaded, too
    automatic = [name for name in variables if name in _FIRST_VARIABLES]
    automatic += [name for name in variables if name.endswith((".auto.tfvars", ".auto.tfvars.json"))]
    return Listing(
        configuration=tuple(name for name in used if not _is_override(name)),
        overrides=tuple(name for name in used if _is_override(name)),
        automatic_variables=tuple(automatic),
        other_variables=tuple(name for name in variables if name not in automatic),
        directories=tuple(sorted(directories)),
    )


def _is_ignored(name: str) -> bool:
    """Hidden files of configuration and what editors leave behind."""
    return name.startswith(".") or name.endswith("~") or (name.startswith("#") and name.endswith("#"))


def _is_replaced(name: str, present: set[str]) -> bool:
    stem, suffix = _split(name)
    return suffix.startswith(".tf") and stem + suffix.replace(".tf", ".tofu", 1) in present


def _is_override(name: str) -> bool:
    stem = _split(name)[0]
    return stem == "override" or stem.endswith("_override")


def _split(name: str) -> tuple[str, str]:
    suffix = next(suffix for suffix in Program.OPENTOFU.suffixes if name.endswith(suffix))
    return name[: -len(suffix)], suffix


class ConfigurationFile:
    """One file: its bytes, and its blocks once they are asked for."""

    def __init__(self, path: str) -> None:
        self.path = path

    @cached_property
    def data(self) -> bytes:
        """Raises OSError."""
        return contents(self.path)

    def mentions(self, *names: str) -> bool:
        """Whether every one of these names may stand in it: else the file cannot declare such a block."""
        return may_hold(self.data, *names)

    @cached_property
    def body(self) -> Body:
        """Raises HclSyntaxError."""
        if self.path.endswith(".json"):
            from unapproved_iam.terraform.json_syntax import parse_json_body  # few trees have such files

            return parse_json_body(self.data, self.path)
        return parse_body(self.data, self.path)

    @cached_property
    def lines(self) -> list[str]:
        """None of a JSON file, in which no comments are honoured."""
        if self.path.endswith(".json"):
            return []
        return self.data.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")

    def declared(self, block_type: str, *labels: str) -> list[Block]:
        """The blocks of this type and these labels; none when the file cannot be parsed."""
        key = (block_type, *labels)
        is_parsed = "_by_labels" in self.__dict__
        return self._by_labels.get(key, []) if is_parsed or self.mentions(*key) else []

    @cached_property
    def _by_labels(self) -> dict[tuple[str, ...], list[Block]]:
        found: dict[tuple[str, ...], list[Block]] = {}
        try:
            for block in self.body.blocks:
                found.setdefault((block.type, *block.labels), []).append(block)
        except HclSyntaxError:
            pass
        return found

    def local(self, name: str) -> Attribute | None:
        """The argument that defines this local, of several the last. Raises HclSyntaxError."""
        is_parsed = "_locals" in self.__dict__
        return self._locals.get(name) if is_parsed or self.mentions("locals", name) else None

    @cached_property
    def _locals(self) -> dict[str, Attribute]:
        return {name: argument for block in self.declared("locals") for name, argument in block.body.attributes.items()}


class Declaration:
    """A top-level block with what override files change in it."""

    def __init__(self, block: Block, overrides: Iterable[Block] = ()) -> None:
        self.block = block
        self._overrides = tuple(overrides)

    @property
    def type(self) -> str:
        return self.block.type

    @property
    def labels(self) -> tuple[str, ...]:
        return self.block.labels

    @property
    def address(self) -> str:
        """As that of a call begins: `module.NAME`."""
        return f"{self.type}.{self.labels[0]}"

    @property
    def place(self) -> Place:
        return self.block.place

    @cached_property
    def attributes(self) -> dict[str, Attribute]:
        """By name; an override's argument wins. Raises HclSyntaxError."""
        attributes = dict(self.block.body.attributes)
        for override in self._overrides:
            attributes |= override.body.attributes
        return attributes

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The nested blocks; those of an override replace all of their type. Raises HclSyntaxError."""
        blocks = self.block.body.blocks
        for override in self._overrides:
            replaced = {nested_type(block) for block in override.body.blocks}
            blocks = (*(block for block in blocks if nested_type(block) not in replaced), *override.body.blocks)
        return blocks


def nested_type(block: Block) -> str:
    """The type of a nested block; `dynamic "x"` makes blocks of type x."""
    return block.labels[0] if block.type == "dynamic" and block.labels else block.type


class VariableFile:
    """The values that a .tfvars file assigns."""

    def __init__(self, path: str) -> None:
        self.path = path

    @cached_property
    def assignments(self) -> dict[str, Attribute]:
        """Raises OSError and HclSyntaxError."""
        data = contents(self.path)
        if self.path.endswith(".json"):
            from unapproved_iam.terraform.json_syntax import parse_json_variables

            return parse_json_variables(data, self.path)
        return parse_body(data, self.path).attributes


class Directories:
    """The directories of the file system as one program sees them, each listed once."""

    def __init__(self, program: Program = Program.OPENTOFU) -> None:
        self._program = program
        self._listings: dict[str, Listing | None] = {}

    @property
    def holds_tofu(self) -> bool:
        """Whether one of those listed so far holds a .tofu file, so that the programs differ."""
        listings = filter(None, self._listings.values())
        return any(".tofu" in name for one in listings for name in (*one.configuration, *one.overrides))

    def listing(self, directory: str) -> Listing | None:
        """None when there is no such directory, or when it cannot be read."""
        if directory not in self._listings:
            try:
                with os.scandir(directory) as entries:
                    found = list(entries)
                self._listings[directory] = listing_of(
                    (entry.name for entry in found if is_file(entry)),
                    (entry.name for entry in found if entry.is_dir(follow_symlinks=False)),
                    self._program,
                )
            except OSError:
                self._listings[directory] = None
        return self._listings[directory]

    def below(self, directory: str, without_configuration: bool = False) -> Iterator[str]:
        """The directory and those below it; on demand only such as are no modules themselves."""
        waiting = [directory]
        while waiting:
            one = waiting.pop()
            listing = self.listing(one)
            if listing is None or (without_configuration and one != directory and listing.has_configuration):
                continue
            yield one
            waiting += [os.path.join(one, name) for name in listing.directories if name not in IGNORED_DIRECTORIES]


__all__ = [
    "ConfigurationFile",
    "Declaration",
    "Directories",
    "HclSyntaxError",
    "Listing",
    "Program",
    "VariableFile",
    "listing_of",
    "nested_type",
]
