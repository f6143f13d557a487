"""Check Terragrunt units: each is a call of a module, with its inputs as arguments.

For `scan.tree_check`. A module of the tree is checked as a root module whose variables have these inputs; of any other,
the ARNs among the inputs count, as for Terraform's calls. Sources: "Units", "Stacks" and "HCL Blocks" in the Terragrunt
documentation.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from unapproved_iam.deny_list.discovery import repository_root
from unapproved_iam.hcl.alternatives import one_of
from unapproved_iam.hcl.expression import Name
from unapproved_iam.hcl.facts import files_of_ways, words
from unapproved_iam.hcl.scope import Layer, Scope
from unapproved_iam.hcl.syntax import Attribute, Block, Body, HclSyntaxError
from unapproved_iam.hcl.values import Mapping as MappingValue
from unapproved_iam.hcl.values import Null, Plain, String, Value, exactly, parts_of, under
from unapproved_iam.policies.attachment import Attachment, Place, Reading, Unjudged
from unapproved_iam.policies.inline_skips import skip_in_lines
from unapproved_iam.terraform.attachments import policies_of_call
from unapproved_iam.terraform.module_files import Directories, Program, VariableFile
from unapproved_iam.terraform.resource_types import ATTACHING_TYPES
from unapproved_iam.terraform.root_module import TerraformTree
from unapproved_iam.terraform.variables import Default, Given, RootVariables, Unreadable, given_in, may_give
from unapproved_iam.terragrunt.configuration import Configuration, attribute_in
from unapproved_iam.terragrunt.context import Context
from unapproved_iam.terragrunt.extra_arguments import Variables, extra_arguments_of, names_of

UNIT, STACK = NAMES = ("terragrunt.hcl", "terragrunt.stack.hcl")
MOST_STACKS = 20  # within stacks

# "Module Sources" in the Terraform documentation; `{{` is filled in before, by boilerplate or another template engine.
_REMOTE = re.compile(r"[\w+.-]+::|[\w+.-]+://|git@|(?:github|gitlab|bitbucket)\.(?:com|org)/|.*\{\{")
_WRITTEN_TERRAFORM = re.compile("|".join([*ATTACHING_TYPES, r"module\s+\""]))


class TerragruntUnits:
    """The units of a tree, whose Terraform modules are `modules`; `root` is its directory where there is no git."""

    def __init__(self, modules: TerraformTree, root: str) -> None:
        self._modules = modules
        self._root = root
        self._parsed: dict[str, tuple[str, Body]] = {}

    def read(self, path: str) -> Reading | None:
        """What a unit or a stack attaches; None when a file is neither."""
        path = os.path.abspath(path)
        if os.path.basename(path) not in NAMES:
            return None
        directory = os.path.dirname(path)
        tree = repository_root(directory)
        if tree == directory and directory.startswith(self._root.rstrip(os.sep) + os.sep):
            tree = self._root
        try:
            configuration = Configuration(path, Context(tree, path, path, path, parsed=self._parsed))
            return _Unit(configuration, self._modules).reading()
        except HclSyntaxError as error:
            return Reading(unjudged=(Unjudged(Place(error.path, error.line), error.problem),))


class _Unit:
    def __init__(self, configuration: Configuration, modules: TerraformTree, stacks: int = 0) -> None:
        self._own = configuration
        self._modules = modules
        self._stacks = stacks
        self._path = configuration.path
        self._unjudged: list[Unjudged] = []

    def reading(self) -> Reading:
        attachments = list(self._of_stack() if os.path.basename(self._path) == STACK else self._of_unit())
        skip = skip_in_lines(self._own.text.splitlines(), lists=True)
        attachments = [one if skip is None or one.skip is not None else replace(one, skip=skip) for one in attachments]
        return Reading(tuple(attachments), tuple(dict.fromkeys(self._unjudged)))

    # -- a unit --------------------------------------------------------------------------------------------------------

    def _of_unit(self) -> Iterator[Attachment]:
        self._report_written()
        source = next(
            ((one, block) for one, block in self._own.in_terraform() if "source" in block.body.attributes), None
        )
        if source is None:
            yield from self._of_own_directory()
            return
        configuration, block = source
        attribute = block.body.attributes["source"]
        written = configuration.text_of(attribute)
        directory = (
            self._own.found(written.partition("?")[0].replace("//", "/")) if written and _is_local(written) else None
        )
        if directory is None:
            extra = extra_arguments_of(self._own)
            given = {**self._inputs(), **extra.environment, **self._assigned_in(extra.files), **extra.command_line}
            yield from self._of_foreign_module(given, self._own)
            return
        listing = Directories(Program.OPENTOFU).listing(directory)
        if listing is None or not listing.has_configuration:
            if not self._is_part_of_others():
                shown = os.path.relpath(directory, self._own.context.tree).replace(os.sep, "/")
                what = f'module directory "{shown}" holds no configuration, or is not there'
                self._unjudged.append(Unjudged(attribute.place, what))
            return
        yield from self._of_module(directory, attribute)

    def _of_own_directory(self) -> Iterator[Attachment]:
        """Without a source the module stands beside the unit; where none does, what takes the inputs is elsewhere."""
        directory = os.path.dirname(self._own.context.config)
        listing = Directories(Program.OPENTOFU).listing(directory)
        if listing and listing.has_configuration:
            yield from self._of_module(directory, self._own.body.attributes.get("inputs"))
        elif not self._is_part_of_others():
            yield from self._of_foreign_module(self._inputs(), self._own)

    def _is_part_of_others(self) -> bool:
        """Whether the file is no unit by itself: units below include it, or a stack makes one of it elsewhere."""
        if self._own.context.values is not None:
            return False
        below = os.walk(os.path.dirname(self._path))
        _ = next(below, None)
        return "values." in self._own.text or any(UNIT in files for _, _, files in below)

    def _report_written(self) -> None:
        """What `generate` writes into the module and may attach something there is not read."""
        for one in self._own.everything:
            written = [block.body.attributes.get("contents") for block in one.blocks("generate")]
            for attribute in filter(None, [*written, one.body.attributes.get("generate")]):
                if any(map(_WRITTEN_TERRAFORM.search, [attribute.text, *_texts_in(one.value(attribute))])):
                    what = "generates Terraform that may attach policies (expected it in the module)"
                    self._unjudged.append(Unjudged(attribute.place, what))

    def _of_module(self, directory: str, argument: Attribute | None) -> Iterator[Attachment]:
        """What a module of the tree attaches when it has these inputs."""
        place = argument.place if argument else Place(self._path)
        listing = Directories(Program.OPENTOFU).listing(directory)
        loaded = [os.path.join(directory, name) for name in listing.automatic_variables] if listing else []
        extra = extra_arguments_of(self._own)
        files = RootVariables(directory, [*loaded, *extra.files], [])
        variables = _Inputs(self._own.inputs, extra.environment, files, extra.command_line)
        reading = self._modules.read(directory, variables)
        self._unjudged += reading.unjudged
        place = Place(self._path, place.line, place.end_line) if place.path == self._path else Place(self._path)
        for one in reading.attachments:
            yield replace(one, calls=(place, *one.calls), unit=self._path)

    def _assigned_in(self, files: Iterable[str]) -> dict[str, tuple[Value, Attribute]]:
        found: dict[str, tuple[Value, Attribute]] = {}
        for path in files:
            try:
                assignments = VariableFile(path).assignments
            except HclSyntaxError as error:
                self._unjudged.append(Unjudged(Place(error.path, error.line), error.problem))
                continue
            found |= {name: (self._own.value(one), one) for name, one in assignments.items()}
        return found

    def _inputs(self) -> dict[str, tuple[Value, Attribute]]:
        """The inputs by name, each with the attribute that holds it; the last one that has it counts."""
        merged = self._own.inputs
        found: dict[str, tuple[Value, Attribute]] = {}
        for one in reversed(self._own.everything):
            attribute = one.body.attributes.get("inputs")
            if attribute and merged is not None:
                value = one.value(attribute)
                for name in names_of(value):
                    found[name] = attribute_in(merged, name, f"inputs.{name}"), attribute
                others = [
                    under(other, possible.when) for possible in value for other in _of_unknown_names(possible.plain)
                ]
                if others:
                    found[_ANY] = one_of([*others, *([found[_ANY][0]] if _ANY in found else [])], "inputs"), attribute
        return found

    def _of_foreign_module(self, inputs: Mapping[str, tuple[Value, Attribute]], scope: Scope) -> Iterator[Attachment]:
        for name, (value, attribute) in inputs.items():
            layer = Layer(scope, {(_INPUT,): value})
            for policy in policies_of_call({name: _Argument(name, attribute)}, layer):
                place = policy.place if policy.place.path == self._path else Place(self._path)
                yield Attachment(
                    resource=f"inputs.{name}" if name else "inputs",
                    resource_type="Terragrunt unit",
                    policy=policy.found.text,
                    principals=(),
                    place=policy.place,
                    block=Place(self._path, attribute.line, attribute.end_line)
                    if attribute.place.path == self._path
                    else place,
                    when=tuple(words(policy.found.when)),
                    calls=() if attribute.place.path == self._path else (Place(self._path),),
                    origin=files_of_ways([policy.found.when]),
                    unit=self._path,
                )

    # -- a stack -------------------------------------------------------------------------------------------------------

    def _of_stack(self) -> Iterator[Attachment]:
        """What the units of a stack attach; each is made from a directory, with values of its own."""
        if self._stacks > MOST_STACKS:
            self._unjudged.append(Unjudged(Place(self._path), f"more than {MOST_STACKS} stacks lie within one another"))
            return
        for block in self._own.body.blocks:
            if block.type in ("unit", "stack"):
                yield from self._made(block, UNIT if block.type == "unit" else STACK)

    def _made(self, block: Block, name: str) -> Iterator[Attachment]:
        attributes = block.body.attributes
        written = self._own.text_of(attributes.get("source"))
        values = self._own.value(attributes["values"]) if "values" in attributes else None
        directory = self._own.found(written.replace("//", "/")) if written and _is_local(written) else None
        if directory is None:
            attribute = attributes.get("values")
            inputs = (
                {name: (attribute_in(values, name, name), attribute) for name in names_of(values)}
                if values and attribute
                else {}
            )
            yield from self._of_foreign_module(inputs, self._own)
            return
        file = os.path.join(directory, name)
        if not os.path.isfile(file):
            self._unjudged.append(Unjudged(block.place, f'"{written}" holds no {name} (expected one)'))
            return
        path = self._own.text_of(attributes.get("path")) or (block.labels[0] if block.labels else "")
        config = os.path.join(os.path.dirname(self._own.context.config), ".terragrunt-stack", path, name)
        context = replace(self._own.context, unit=config, config=config, file=file, values=values)
        made = _Unit(Configuration(file, context), self._modules, self._stacks + 1)
        reading = made.reading()
        self._unjudged += reading.unjudged
        for one in reading.attachments:
            yield replace(one, calls=(block.place, *one.calls), unit=self._path)


_INPUT = "input"
_ANY = ""  # for the inputs whose names are not known


def _of_unknown_names(plain: Plain) -> Iterator[Value]:
    """What may be an input of any name."""
    if isinstance(plain, MappingValue):
        yield from (under(entry.value, entry.when) for entry in plain.entries if entry.key.known is None)
    elif not isinstance(plain, Null):
        yield exactly(plain)


class _Argument(Attribute):
    """An input as the argument of a call: its value stands in the scope."""

    def __init__(self, name: str, attribute: Attribute) -> None:
        self.name = name
        self._place = attribute.place
        self.__dict__.update(expression=Name(_INPUT), line=attribute.line, end_line=attribute.end_line)

    @property
    def place(self) -> Place:
        return self._place


class _Inputs:
    """The variables of a root module: the inputs, the environment, the files that terraform loads, its command line."""

    def __init__(
        self, inputs: Value | None, environment: Variables, files: RootVariables, command_line: Variables
    ) -> None:
        self._inputs = inputs
        self._environment = environment
        self._files = files
        self._command_line = command_line

    def loaded(self, name: str, scope: Scope, unreadable: Unreadable, default: Default) -> Given | None:
        if name in self._command_line:
            return Given(self._command_line[name][0], is_decided=True)
        given = self._files.loaded(name, scope, unreadable, default)
        if given is not None:
            return given
        if name in self._environment:
            return Given(self._environment[name][0], is_decided=True)
        value = given_in(self._inputs, name, default) if self._inputs and may_give(self._inputs, name) else None
        return Given(value, is_decided=True) if value else None

    def of_other_runs(self, name: str, scope: Scope, unreadable: Unreadable) -> Iterator[tuple[str, Value]]:
        yield from ()


def _is_local(source: str) -> bool:
    return not _REMOTE.match(source)


def _texts_in(value: Value) -> Iterator[str]:
    for possible in value:
        if isinstance(possible.plain, String):
            yield str(possible.plain.text)
        for part, _ in parts_of(possible.plain):
            yield from _texts_in(part)
