"""Check a Terragrunt stack: the units that it makes, each from a directory and with its own values.

For `terragrunt.units`. A unit is a copy of its directory, which is not there yet. Sources: "Explicit Stacks", and
"unit", "stack" and "autoinclude" under "HCL Blocks", in the Terragrunt documentation.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

from unapproved_iam.hcl.expression import Literal
from unapproved_iam.hcl.syntax import Block
from unapproved_iam.policies.attachment import Attachment, Place, Reading, Unjudged, limits_in
from unapproved_iam.policies.inline_skips import skip_in_lines
from unapproved_iam.terraform.root_module import TerraformTree
from unapproved_iam.terragrunt.configuration import Configuration, Injected, attribute_in
from unapproved_iam.terragrunt.extra_arguments import names_of
from unapproved_iam.terragrunt.unit_reading import UNIT_NAMES, UnitReading, attached_by, inputs_of, local_directory

STACK_NAME = "terragrunt.stack.hcl"
MOST_STACKS = 20  # within stacks

_FILES = {"unit": UNIT_NAMES, "stack": (STACK_NAME,)}


class StackReading:
    """One stack, `depth` stacks deep; `injected` are blocks that another stack adds, each with where it stands."""

    def __init__(
        self,
        configuration: Configuration,
        modules: TerraformTree,
        depth: int = 0,
        injected: tuple[tuple[Configuration, Block], ...] = (),
    ) -> None:
        self._own = configuration
        self._modules = modules
        self._depth = depth
        self._injected = injected
        self._unjudged: list[Unjudged] = []

    def reading(self) -> Reading:
        skip = skip_in_lines(self._own.text.splitlines(), lists=True)
        found = [one if skip is None or one.skip is not None else one._replace(skip=skip) for one in self._attached()]
        return Reading(tuple(found), tuple(dict.fromkeys((*self._unjudged, *limits_in(found)))))

    def _attached(self) -> Iterator[Attachment]:
        if self._depth > MOST_STACKS:
            what = f"stacks are nested more than {MOST_STACKS} deep"
            self._unjudged.append(Unjudged(Place(self._own.path), what))
            return
        blocks = {(block.type, *block.labels): (self._own, block) for block in self._own.body.blocks}
        blocks |= {(block.type, *block.labels): (scope, block) for scope, block in self._injected}
        for scope, block in blocks.values():
            if block.type in _FILES:
                yield from self._made(scope, block)

    def _made(self, scope: Configuration, block: Block) -> Iterator[Attachment]:
        """What a block of a stack makes; `scope` is where the block stands."""
        attributes = block.body.attributes
        written = scope.text_of(attributes.get("source"))
        values = scope.value(attributes["values"]) if "values" in attributes else None
        directory = local_directory(scope, written)
        if directory is None:
            if values is not None:
                given = {name: (attribute_in(values, name, name), attributes["values"]) for name in names_of(values)}
                yield from attached_by(scope, given)
            for part in self._injected_by(scope, block):
                yield from attached_by(part, inputs_of(part))
            return
        names = _FILES[block.type]
        file = next((path for name in names if os.path.isfile(path := os.path.join(directory, name))), None)
        if file is None:
            shown = os.path.relpath(directory, self._own.context.tree).replace(os.sep, "/")
            self._unjudged.append(Unjudged(block.place, f'"{shown}" holds no {names[0]} (expected one)'))
            return
        copy = self._directory_of(scope, block)
        config = os.path.join(copy, os.path.basename(file))
        copies = (*self._own.context.copies, (copy, directory))
        context = replace(self._own.context, unit=config, config=config, file=file, values=values, copies=copies)
        made = Configuration(file, context)
        reading = self._reading_of(made, scope, block)
        self._unjudged += reading.unjudged
        for one in reading.attachments:
            yield one._replace(calls=(block.place, *one.calls), unit=self._own.path)

    def _reading_of(self, made: Configuration, scope: Configuration, block: Block) -> Reading:
        if block.type == "stack":
            injected = tuple(
                (scope, one) for part in block.body.blocks if part.type == "autoinclude" for one in part.body.blocks
            )
            return StackReading(made, self._modules, self._depth + 1, injected).reading()
        made.injected = next(self._injected_by(scope, block), None)
        return UnitReading(made, self._modules).reading()

    @staticmethod
    def _injected_by(scope: Configuration, block: Block) -> Iterator[Configuration]:
        if block.type == "unit":
            yield from (Injected(scope, part) for part in block.body.blocks if part.type == "autoinclude")

    def _directory_of(self, scope: Configuration, block: Block) -> str:
        """Where the copy will lie."""
        attributes = block.body.attributes
        path = scope.text_of(attributes.get("path")) or (block.labels[0] if block.labels else "")
        beside = attributes.get("no_dot_terragrunt_stack")
        directory = os.path.dirname(self._own.context.config)
        inner = "" if beside and beside.expression == Literal(True) else ".terragrunt-stack"
        return os.path.normpath(os.path.join(os.path.realpath(directory), inner, path))
