"""Check one Terragrunt unit: a call of a module, with its inputs as arguments.

For `terragrunt.units` and `terragrunt.stack_reading`. A module in the tree is checked with these inputs, as a root
module whose variables they are; any other by the ARNs among the inputs, as Terraform's calls are. What lies beside a
unit is copied to its module, so variable files there count, too. Sources: "Units" and "HCL Blocks" in the Terragrunt
documentation.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from unapproved_iam.hcl.alternatives import one_of
from unapproved_iam.hcl.expression import Name
from unapproved_iam.hcl.fact_words import files_of_ways, words
from unapproved_iam.hcl.scope import Layer, Scope
from unapproved_iam.hcl.syntax import Attribute, HclSyntaxError
from unapproved_iam.hcl.values import Mapping as MappingValue
from unapproved_iam.hcl.values import Null, Plain, Value, exactly, under
from unapproved_iam.late_patterns import late_pattern
from unapproved_iam.policies.attachment import Attachment, Place, Reading, Unjudged, limits_in
from unapproved_iam.policies.inline_skips import skip_in_lines
from unapproved_iam.terraform.attachments import policies_of_call
from unapproved_iam.terraform.module_files import Directories, Listing, Program, VariableFile, listing_of
from unapproved_iam.terraform.root_module import TerraformTree
from unapproved_iam.terraform.variables import Default, Given, RootVariables, Unreadable, given_in, may_give
from unapproved_iam.terragrunt.configuration import Configuration, attribute_in
from unapproved_iam.terragrunt.extra_arguments import Variables, extra_arguments_of, names_of
from unapproved_iam.terragrunt.generated_files import unread_in

UNIT_NAMES = ("terragrunt.hcl", "terragrunt.hcl.json")

# "Module Sources" in the Terraform documentation; `{{` is filled in before, by boilerplate or another template engine.
_REMOTE = late_pattern(r"[\w+.-]+::|[\w+.-]+://|git@|(?:github|gitlab|bitbucket)\.(?:com|org)/|.*\{\{")


class UnitReading:
    """One unit: its inputs, and the module that has them."""

    def __init__(self, configuration: Configuration, modules: TerraformTree) -> None:
        self._own = configuration
        self._modules = modules
        self._path = configuration.path
        self._directories = Directories(Program.OPENTOFU)
        self._unjudged: list[Unjudged] = []

    def reading(self) -> Reading:
        attachments = list(self._of_unit())
        skip = skip_in_lines(self._own.text.splitlines(), lists=True)
        attachments = [one if skip is None or one.skip is not None else one._replace(skip=skip) for one in attachments]
        return Reading(tuple(attachments), tuple(dict.fromkeys((*self._unjudged, *limits_in(attachments)))))

    def _of_unit(self) -> Iterator[Attachment]:
        self._unjudged += unread_in(self._own)
        source = next(
            ((one, block) for one, block in self._own.in_terraform() if "source" in block.body.attributes), None
        )
        if source is None:
            yield from self._of_own_directory()
            return
        configuration, block = source
        attribute = block.body.attributes["source"]
        written = configuration.text_of(attribute)
        directory = local_directory(self._own, written)
        if directory != self._directory and self._listing(self._directory).has_configuration:
            yield from self._of_module(self._directory, attribute)  # it is copied to the module
        if directory is None:
            extra = extra_arguments_of(self._own)
            assigned = self._assigned_in((*self._loaded(self._directory), *extra.files))
            yield from attached_by(
                self._own, {**inputs_of(self._own), **extra.environment, **assigned, **extra.command_line}
            )
            return
        if not self._listing(directory).has_configuration:
            if not self._is_part_of_others():
                shown = os.path.relpath(directory, self._own.context.tree).replace(os.sep, "/")
                what = f'module directory "{shown}" holds no configuration, or is not there'
                self._unjudged.append(Unjudged(attribute.place, what))
            return
        yield from self._of_module(directory, attribute)

    def _of_own_directory(self) -> Iterator[Attachment]:
        """Without a source the module stands beside the unit; where none does, what takes the inputs is elsewhere."""
        if self._listing(self._directory).has_configuration:
            yield from self._of_module(self._directory, self._own.body.attributes.get("inputs"))
        elif not self._is_part_of_others():
            yield from attached_by(self._own, inputs_of(self._own))

    def _is_part_of_others(self) -> bool:
        """Whether the file is no unit by itself: units below include it, or a stack makes one of it elsewhere."""
        if self._own.context.values is not None:
            return False
        below = os.walk(os.path.dirname(self._path))
        _ = next(below, None)
        return "values." in self._own.text or any(name in files for _, _, files in below for name in UNIT_NAMES)

    def _of_module(self, directory: str, argument: Attribute | None) -> Iterator[Attachment]:
        """What a module of the tree attaches when it has these inputs."""
        place = argument.place if argument else Place(self._path)
        extra = extra_arguments_of(self._own)
        files = RootVariables(directory, [*self._loaded(directory), *extra.files], [])
        variables = _Inputs(self._own.inputs, extra.environment, files, extra.command_line)
        reading = self._modules.read(directory, variables)
        self._unjudged += reading.unjudged
        place = Place(self._path, place.line, place.end_line) if place.path == self._path else Place(self._path)
        for one in reading.attachments:
            yield one._replace(calls=(place, *one.calls), unit=self._path)

    @property
    def _directory(self) -> str:
        """Where the unit lies: of one that a stack makes, where what becomes it does."""
        return os.path.dirname(self._path)

    def _listing(self, directory: str) -> Listing:
        return self._directories.listing(directory) or Listing()

    def _loaded(self, directory: str) -> list[str]:
        """The variable files that terraform loads by itself; those beside the unit replace those of the module."""
        holders = {name: one for one in (directory, self._directory) for name in self._listing(one).automatic_variables}
        return [os.path.join(holders[name], name) for name in listing_of(holders).automatic_variables]

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


def inputs_of(own: Configuration) -> dict[str, tuple[Value, Attribute]]:
    """The inputs by name, each with the attribute that holds it; the last one that has it counts."""
    merged = own.inputs
    found: dict[str, tuple[Value, Attribute]] = {}
    for one in reversed(own.everything):
        attribute = one.body.attributes.get("inputs")
        if attribute and merged is not None:
            value = one.value(attribute)
            for name in names_of(value):
                found[name] = attribute_in(merged, name, f"inputs.{name}"), attribute
            others = [under(other, possible.when) for possible in value for other in _of_unknown_names(possible.plain)]
            if others:
                found[_ANY] = one_of([*others, *([found[_ANY][0]] if _ANY in found else [])], "inputs"), attribute
    return found


def attached_by(own: Configuration, inputs: Variables) -> Iterator[Attachment]:
    """What a unit attaches by its inputs alone: its module is not in the tree."""
    for name, (value, attribute) in inputs.items():
        layer = Layer(own, {(_INPUT,): value})
        for policy in policies_of_call({name: _Argument(name, attribute)}, layer):
            place = policy.place if policy.place.path == own.path else Place(own.path)
            yield Attachment(
                resource=f"inputs.{name}" if name else "inputs",
                resource_type="Terragrunt unit",
                policy=policy.found.text,
                principals=(),
                place=policy.place,
                block=Place(own.path, attribute.line, attribute.end_line)
                if attribute.place.path == own.path
                else place,
                when=tuple(words(policy.found.when)),
                calls=() if attribute.place.path == own.path else (Place(own.path),),
                origin=files_of_ways([policy.found.when]),
                unit=own.path,
            )


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


def local_directory(scope: Configuration, source: str | None) -> str | None:
    """The directory of the tree that a source means; None when it means none, or is not known."""
    if not source or _REMOTE.match(source):
        return None
    return scope.found(source.partition("?")[0].replace("\\", "/").replace("//", "/"))
