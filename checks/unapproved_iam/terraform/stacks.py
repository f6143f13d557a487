"""Check Terraform Stacks: components are calls of modules, and deployments call the Stack with their inputs.

For `scan.tree_check`. All component files of a directory make one configuration, and its deployment files say how often
it is deployed. No file says what variable sets hold and what other Stacks output. Sources: "Component configuration
overview" and "Deployment configuration overview" in the Terraform documentation; package stackconfig in Terraform's
source, which also reads JSON.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import cache, cached_property

from unapproved_iam.directory_entry import is_file
from unapproved_iam.hcl.evaluation import evaluate
from unapproved_iam.hcl.expression import Literal, ObjectOf, Template
from unapproved_iam.hcl.scope import Reference
from unapproved_iam.hcl.syntax import HclSyntaxError
from unapproved_iam.hcl.values import Value, unknown
from unapproved_iam.policies.attachment import Attachment, Reading
from unapproved_iam.terraform.module_blocks import Module
from unapproved_iam.terraform.module_files import Declaration, Listing, Program
from unapproved_iam.terraform.module_scope import Call, ModuleScope
from unapproved_iam.terraform.root_module import ProgramTree
from unapproved_iam.terraform.source_look import local_path
from unapproved_iam.terraform.variables import RootVariables, given_in

COMPONENTS = (".tfcomponent.hcl", ".tfcomponent.json", ".tfstack.hcl", ".tfstack.json")
DEPLOYMENTS = (".tfdeploy.hcl", ".tfdeploy.json")
SUFFIXES = (*COMPONENTS, *DEPLOYMENTS)

_IN_NO_FILE = {
    "store": "no file says what a variable set holds",
    "upstream_input": "no file says what another Stack outputs",
    "identity_token": "no file holds the token",
    "deployment": "no file says what a deployment outputs",
}


class TerraformStacks:
    """The Stacks of a tree, each read once."""

    def __init__(self, root: str) -> None:
        self._tree = _StackTree(root)
        self._reading = cache(self._read)

    def read(self, path: str) -> Reading | None:
        """What the components of a file attach, in every deployment; None when it is no file of a Stack."""
        path = os.path.abspath(path)
        if not path.endswith(SUFFIXES):
            return None
        directory = os.path.dirname(path)
        files = self._tree.files_of(directory, COMPONENTS) or self._tree.files_of(directory, DEPLOYMENTS)
        reading = self._reading(directory)
        if path not in files:
            return Reading()
        by_it = (one._replace(unit=path) for one in reading.attachments if _file_of(one) == path)
        first = path == files[0]
        unjudged = (
            one for one in reading.unjudged if one.place.path == path or (first and one.place.path not in files)
        )
        return Reading(tuple(by_it), tuple(unjudged), reading.nested)

    def _read(self, directory: str) -> Reading:
        tree = self._tree
        deployments = tree.module_of(directory, DEPLOYMENTS)
        if deployments is None:
            components = tree.module_of(directory, COMPONENTS)
            assert components is not None
            return self._read_root(components)
        reading = self._read_root(deployments)
        return reading._replace(attachments=_once(reading.attachments, len(deployments.calls)))

    def _read_root(self, root: _StackModule) -> Reading:
        unit = self._tree.unit_of(root, RootVariables(root.directory, [], []))
        reading = self._tree.reading_of(_StackScope(unit, root))
        stacks = {one.directory for one in unit.modules.values() if isinstance(one, _StackModule)}
        embedded = (one for one in stacks - {root.directory} if not self._tree.files_of(one, DEPLOYMENTS))
        files = (file for directory in embedded for file in self._tree.files_of(directory, COMPONENTS))
        return reading._replace(nested=frozenset(files))


def _file_of(attachment: Attachment) -> str:
    """The file of the component that attaches."""
    calls = [*attachment.calls, attachment.block]
    return next((call.path for call in calls if call.path.endswith(COMPONENTS)), calls[0].path)


def _once(attachments: Iterable[Attachment], deployments: int) -> tuple[Attachment, ...]:
    """What each of several deployments attaches alike is the component's own, and is told once."""
    grouped: dict[Attachment, list[Attachment]] = {}
    for one in attachments:
        address = one.resource.split(".", 2)[2] if one.calls else one.resource
        principals = tuple(
            named._replace(address=named.address.split(".", 2)[2]) if named.address.startswith("deployment.") else named
            for named in one.principals
        )
        alike = one._replace(resource=address, calls=one.calls[1:], principals=principals)
        grouped.setdefault(alike, []).append(one)
    return tuple(
        one
        for alike, group in grouped.items()
        for one in ([alike] if alike.calls and len(group) == deployments > 1 else group)
    )


class _StackModule(Module):
    """The files of one kind in a directory: components, or deployments."""

    def __init__(self, directory: str, listing: Listing, block_types: tuple[str, ...]) -> None:
        super().__init__(directory, listing)
        self._block_types = block_types

    @cached_property
    def identity(self) -> str:
        """Another one than that of a module beside it."""
        return "\0".join((os.path.realpath(self.directory), *self._block_types))

    @cached_property
    def calls(self) -> tuple[Declaration, ...]:
        found = (one for kind in self._block_types for one in self._declarations(kind, self._all_files, self.report))
        return tuple(one for one in found if len(one.labels) == 1 and not _is_destroyed(one))


def _is_destroyed(declaration: Declaration) -> bool:
    """Whether it is a deployment that is taken down."""
    try:
        destroy = declaration.attributes.get("destroy") if declaration.type == "deployment" else None
        expression = destroy.expression if destroy else None
    except HclSyntaxError:
        return False
    return expression == Literal(True) or (isinstance(expression, Template) and expression.parts == ("true",))


class _InputsCall(Call):
    """A component, an embedded stack or a deployment: what it gives stands in one object."""

    def given(self, name: str, default: Callable[[], Value | None]) -> Value | None:
        attribute = self.declaration.attributes.get("inputs")
        if attribute is None:
            return default()
        expression = attribute.expression
        if isinstance(expression, ObjectOf) and all(_written(key) is not None for key, _ in expression.items):
            values = [value for key, value in expression.items if _written(key) == name]
            return evaluate(values[-1], self.instance.scope) if values else default()
        return given_in(evaluate(expression, self.instance.scope), name, default)


def _written(key: object) -> str | None:
    parts = key.parts if isinstance(key, Template) else (None,)
    return "".join(map(str, parts)) if all(isinstance(part, str) for part in parts) else None


class _StackScope(ModuleScope):
    """The files of a Stack: what they refer to, and the modules and Stacks that they make."""

    def _value_of(self, reference: Reference, written: str) -> Value:
        root, *names = reference
        if root in ("component", "stack") and names:
            return self._module(root, names[0], written)
        if root in _IN_NO_FILE:
            return unknown(written, _IN_NO_FILE[root])
        return super()._value_of(reference, written)

    def _made(self, module: Module, call: Call) -> ModuleScope:
        made = _StackScope if isinstance(module, _StackModule) else ModuleScope
        return made(self.unit, module, _InputsCall(*call))


class _StackTree(ProgramTree):
    """The modules that Stacks call, and the Stacks."""

    def __init__(self, root: str) -> None:
        super().__init__(Program.TERRAFORM)
        self._scanned = [root]
        self.module_of = cache(self._module_of_files)

    def files_of(self, directory: str, suffixes: tuple[str, ...]) -> list[str]:
        """The files of a directory that have one of these suffixes."""
        try:
            with os.scandir(directory) as entries:
                names = [entry.name for entry in entries if entry.name.endswith(suffixes) and is_file(entry)]
        except OSError:
            return []
        return [os.path.join(directory, name) for name in sorted(names) if not name.startswith(".")]

    def _module_of_files(self, directory: str, suffixes: tuple[str, ...]) -> _StackModule | None:
        names = [os.path.basename(path) for path in self.files_of(directory, suffixes)]
        block_types = ("component", "stack") if suffixes is COMPONENTS else ("deployment",)
        return _StackModule(directory, Listing(tuple(names)), block_types) if names else None

    def _module_of(self, caller: Module, call: Declaration, source: str) -> Module | None:
        if call.type != "stack":
            return super()._module_of(caller, call, source)
        path = local_path(source)
        return self.module_of(os.path.normpath(os.path.join(caller.directory, path)), COMPONENTS) if path else None

    def called(self, scope: ModuleScope, call: Declaration, source: str | None) -> Module | None:
        if call.type == "deployment":
            return self.module_of(scope.module.directory, COMPONENTS)
        return super().called(scope, call, source)

    def may_attach(self, caller: Module, call: Declaration) -> bool:
        return call.type in ("deployment", "stack") or super().may_attach(caller, call)
