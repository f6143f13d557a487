"""Find the declarations of one module directory: its resources, variables, locals, outputs and module calls.

For `terraform.module_scope`, which evaluates them, and `terraform.module_reading`. A file is parsed only when it
mentions what is looked for. One that cannot be parsed is reported when it may attach policies; when it may declare
something else, then only if an attachment needs that.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cached_property

from unapproved_iam.hcl.expression import Template
from unapproved_iam.hcl.syntax import Attribute, Block, HclSyntaxError
from unapproved_iam.policies.attachment import Place, Unjudged
from unapproved_iam.terraform.module_files import ConfigurationFile, Declaration, Listing
from unapproved_iam.terraform.resource_types import ATTACHING_TYPES
from unapproved_iam.terraform.source_look import may_attach, may_call


class Module:
    """The configuration in one directory, which any number of calls may share."""

    def __init__(self, directory: str, listing: Listing) -> None:
        self.directory = directory
        self.listing = listing
        self._files = [ConfigurationFile(os.path.join(directory, name)) for name in listing.configuration]
        self._overrides = [ConfigurationFile(os.path.join(directory, name)) for name in listing.overrides]
        self._unjudged: dict[tuple[Place, str], Unjudged] = {}
        self._found: dict[tuple[str, ...], Declaration | None] = {}

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
        files = [file for file in self._all_files if may_attach(file.data)]
        found = self._declarations("resource", files, self.report)
        return tuple(one for one in found if len(one.labels) == 2 and one.labels[0] in ATTACHING_TYPES)

    @cached_property
    def calls(self) -> tuple[Declaration, ...]:
        """The module calls."""
        files = [file for file in self._all_files if may_call(file.data)]
        return tuple(one for one in self._declarations("module", files, self.report) if len(one.labels) == 1)

    def written_source(self, call: Declaration) -> str | None:
        """The source of a module call when it is written out, as Terraform wants it."""
        try:
            source = call.attributes.get("source")
            expression = source.expression if source else None
        except HclSyntaxError:
            return None  # reported when the call is judged
        parts = expression.parts if isinstance(expression, Template) else (None,)
        return "".join(map(str, parts)) if all(isinstance(part, str) for part in parts) else None

    def find(self, block_type: str, *labels: str) -> Declaration | None:
        """The declaration of this type and these labels."""
        key = (block_type, *labels)
        if key not in self._found:
            found: dict[bool, list[Block]] = {False: [], True: []}  # by whether they are overrides
            for file in self._all_files:
                found[file in self._overrides] += file.declared(*key)
            first = [*found[False], *found[True]][:1]
            self._found[key] = Declaration(first[0], found[True]) if first else None
        return self._found[key]

    @cached_property
    def variables(self) -> frozenset[str]:
        """The names of all variables."""
        files = [file for file in self._all_files if file.mentions("variable")]
        return frozenset(one.labels[0] for one in self._declarations("variable", files) if one.labels)

    def outputs(self) -> tuple[str, ...]:
        """The names of all outputs."""
        files = [file for file in self._all_files if file.mentions("output")]
        return tuple(one.labels[0] for one in self._declarations("output", files) if one.labels)

    def local(self, name: str) -> Attribute | None:
        """The argument of a `locals` block that defines this local. Raises HclSyntaxError."""
        found = [local for file in self._all_files if (local := file.local(name))]
        return found[-1] if found else None

    def broken_file(self, *names: str) -> HclSyntaxError | None:
        """Why a file that mentions these names cannot be read: it may declare them."""
        for file in self._all_files:
            if file.mentions(*names):
                try:
                    file.body  # noqa: B018
                except HclSyntaxError as error:
                    return error
        return None

    def report(self, error: HclSyntaxError) -> None:
        self.report_at(Place(error.path, error.line), error.problem)

    def report_at(self, place: Place, reason: str, advice: str = "") -> None:
        """Record that something which may attach policies cannot be judged."""
        self._unjudged.setdefault((place, reason), Unjudged(place, reason, advice))

    @property
    def has_backend(self) -> bool:
        """Whether its state has a place of its own: then it is applied by itself."""
        return any(self._holds_backend(file) for file in self._all_files)

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
        """The lines of one of its files, for what stands in comments."""
        file = next((file for file in self._all_files if file.path == path), None)
        return file.lines if file else []

    @cached_property
    def _all_files(self) -> list[ConfigurationFile]:
        return [file for file in (*self._files, *self._overrides) if self._is_readable(file)]

    def _is_readable(self, file: ConfigurationFile) -> bool:
        try:
            file.data  # noqa: B018
        except OSError as error:
            self.report_at(Place(file.path), f"cannot be read: {error.strerror or error}")
            return False
        return True

    def _declarations(
        self, block_type: str, files: list[ConfigurationFile], broken: Callable[[HclSyntaxError], None] | None = None
    ) -> Iterator[Declaration]:
        """The blocks of a type in these files, merged with their overrides; an override of nothing stands alone.

        A file that cannot be parsed has none; `broken` is told.
        """
        blocks: dict[ConfigurationFile, list[Block]] = {}
        for file in files:
            try:
                blocks[file] = [block for block in file.body.blocks if block.type == block_type]
            except HclSyntaxError as error:
                if broken:
                    broken(error)
        overrides = [block for file in self._overrides for block in blocks.get(file, ())]
        by_labels: dict[tuple[str, ...], list[Block]] = {}
        for block in overrides:
            by_labels.setdefault(block.labels, []).append(block)
        overridden: set[tuple[str, ...]] = set()
        for file in self._files:
            for block in blocks.get(file, ()):
                overridden.add(block.labels)
                yield Declaration(block, by_labels.get(block.labels, ()))
        yield from (Declaration(block) for block in overrides if block.labels not in overridden)
