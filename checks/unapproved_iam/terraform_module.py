"""Find the declarations of one module directory: its resources, variables, locals, outputs and module calls.

For `terraform_instance`, which evaluates them, and `terraform_tree`. A file is parsed only when it mentions what is
looked for. A file that cannot be parsed and mentions it is reported: it may declare it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cached_property

from unapproved_iam.attachment import Place, Unjudged
from unapproved_iam.hcl_expression import Template
from unapproved_iam.hcl_syntax import Attribute, Block, HclSyntaxError
from unapproved_iam.terraform_files import ConfigurationFile, Declaration, Listing
from unapproved_iam.terraform_resources import ATTACHING_TYPES

_ATTACHING_TYPE = re.compile("|".join(ATTACHING_TYPES).encode())
_BLANK = rb"(?:\s|/\*.*?\*/)*"
_MODULE_CALL = re.compile(rb'\bmodule(?:"\s*:|%s"?[\w-]+"?%s\{)' % (_BLANK, _BLANK), re.DOTALL)


class Module:
    """The configuration in one directory, which any number of calls may share."""

    def __init__(self, directory: str, listing: Listing) -> None:
        self.directory = directory
        self.listing = listing
        self._files = [ConfigurationFile(os.path.join(directory, name)) for name in listing.configuration]
        self._overrides = [ConfigurationFile(os.path.join(directory, name)) for name in listing.overrides]
        self._unjudged: dict[tuple[Place, str], Unjudged] = {}
        self._found: dict[tuple[str, ...], tuple[Declaration, ...]] = {}

    @cached_property
    def identity(self) -> str:
        """The same for every path that leads to the directory."""
        return os.path.realpath(self.directory)

    @property
    def unjudged(self) -> tuple[Unjudged, ...]:
        """The files and blocks that were asked for so far and cannot be read."""
        return tuple(self._unjudged.values())

    @cached_property
    def attaching(self) -> tuple[Declaration, ...]:
        """The resources of types that attach policies, in the order of files and lines."""
        files = [file for file in self._all_files if self._readable(file) and _ATTACHING_TYPE.search(file.data)]
        found = self._declarations("resource", files)
        return tuple(one for one in found if len(one.labels) == 2 and one.labels[0] in ATTACHING_TYPES)

    @cached_property
    def calls(self) -> tuple[Declaration, ...]:
        """The module calls."""
        files = [file for file in self._all_files if self._readable(file) and _MODULE_CALL.search(file.data)]
        return tuple(one for one in self._declarations("module", files) if len(one.labels) == 1)

    def written_source(self, call: Declaration) -> str | None:
        """The source of a module call when it is written out, as Terraform wants it."""
        source = self.guarded(call).get("source")
        expression = source.expression if source else None
        parts = expression.parts if isinstance(expression, Template) else (None,)
        return "".join(map(str, parts)) if all(isinstance(part, str) for part in parts) else None

    def find(self, block_type: str, *labels: str) -> Declaration | None:
        """The declaration of this type and these labels."""
        found = self._found.get((block_type, *labels))
        if found is None:
            files = [file for file in self._all_files if self._readable(file) and file.mentions(block_type, *labels)]
            found = tuple(one for one in self._declarations(block_type, files) if one.labels == labels)
            self._found[(block_type, *labels)] = found
        return found[0] if found else None

    def names_of(self, block_type: str, label: str) -> tuple[str, ...]:
        """The last labels of all blocks of a type whose first label this is, e.g. of all resources of one type."""
        files = [file for file in self._all_files if self._readable(file) and file.mentions(block_type, label)]
        found = self._declarations(block_type, files)
        return tuple(one.labels[-1] for one in found if one.labels[:1] == (label,))

    def outputs(self) -> tuple[str, ...]:
        """The names of all outputs."""
        files = [file for file in self._all_files if self._readable(file) and file.mentions("output")]
        return tuple(one.labels[0] for one in self._declarations("output", files) if one.labels)

    def local(self, name: str) -> Attribute | None:
        """The argument of a `locals` block that defines this local."""
        files = [file for file in self._all_files if self._readable(file) and file.mentions("locals", name)]
        found: Attribute | None = None
        for declaration in self._declarations("locals", files):
            attributes = self.guarded(declaration)
            found = attributes.get(name, found)
        return found

    def guarded(self, declaration: Declaration) -> dict[str, Attribute]:
        """The arguments of a block; none, and a report, when it cannot be read."""
        try:
            return declaration.attributes
        except HclSyntaxError as error:
            self.report(error)
            return {}

    def guarded_blocks(self, declaration: Declaration) -> tuple[Block, ...]:
        """The nested blocks; none, and a report, when the block cannot be read."""
        try:
            return declaration.blocks
        except HclSyntaxError as error:
            self.report(error)
            return ()

    def report(self, error: HclSyntaxError) -> None:
        self.report_at(Place(error.path, error.line), error.problem)

    def report_at(self, place: Place, reason: str, advice: str = "") -> None:
        self._unjudged.setdefault((place, reason), Unjudged(place, reason, advice))

    @property
    def has_backend(self) -> bool:
        """Whether its state has a place of its own: then it is applied by itself."""
        return any(self._holds_backend(file) for file in self._all_files if self._readable(file))

    @staticmethod
    def _holds_backend(file: ConfigurationFile) -> bool:
        if not file.mentions("terraform") or not (file.mentions("backend") or file.mentions("cloud")):
            return False
        try:
            settings = [block.body for block in file.body.blocks if block.type == "terraform"]
            return any(block.type in ("backend", "cloud") for body in settings for block in body.blocks)
        except HclSyntaxError:
            return False

    def lines_of(self, path: str) -> list[str]:
        """The lines of one of its files; none of a JSON file, in which no comments are honoured."""
        if path.endswith(".json"):
            return []
        file = next((file for file in self._all_files if file.path == path), None)
        return file.data.decode("utf-8", "replace").replace("\r\n", "\n").split("\n") if file else []

    @property
    def _all_files(self) -> list[ConfigurationFile]:
        return self._files + self._overrides

    def _declarations(self, block_type: str, files: list[ConfigurationFile]) -> Iterator[Declaration]:
        """The blocks of a type in these files, merged with their overrides; an override of nothing stands alone."""
        overriding = [block for file in self._overrides if file in files for block in self._blocks(file, block_type)]
        used: set[int] = set()
        for file in self._files:
            if file not in files:
                continue
            for block in self._blocks(file, block_type):
                overrides = [one for one in overriding if one.labels == block.labels]
                used.update(id(one) for one in overrides)
                yield Declaration(block, overrides)
        yield from (Declaration(block) for block in overriding if id(block) not in used)

    def _blocks(self, file: ConfigurationFile, block_type: str) -> tuple[Block, ...]:
        try:
            return tuple(block for block in file.body.blocks if block.type == block_type)
        except HclSyntaxError as error:
            self.report(error)
            return ()

    def _readable(self, file: ConfigurationFile) -> bool:
        try:
            return bool(file.data) or True
        except OSError as error:
            self.report_at(Place(file.path), f"the file cannot be read: {error.strerror or error}")
            return False
