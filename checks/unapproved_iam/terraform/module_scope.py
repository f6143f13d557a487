"""Decide what a reference means in one instance of a module: its variables, locals, resources and module outputs.

For `hcl.evaluation`, through the protocol `Scope`. Everything is evaluated when it is first asked for, and once. What
the attributes of resources and data sources are is decided in `terraform.resource_values`. Source: "References to Named
Values" in the Terraform documentation.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from unapproved_iam.hcl.alternatives import one_of
from unapproved_iam.hcl.evaluation import evaluate, value_of_reference
from unapproved_iam.hcl.expression import GetAttribute, Literal, Name, Operation
from unapproved_iam.hcl.facts import Facts, Subject
from unapproved_iam.hcl.open_values import open_value
from unapproved_iam.hcl.scope import DeclaredNames, Files, Reference
from unapproved_iam.hcl.syntax import HclSyntaxError
from unapproved_iam.hcl.values import NULL, Null, Record, String, Value, exactly, string, text_of, under, unknown
from unapproved_iam.policies.attachment import Place, Unjudged
from unapproved_iam.policies.possible_text import text
from unapproved_iam.terraform.instances import Instance, Instances, instances_of
from unapproved_iam.terraform.module_blocks import Module
from unapproved_iam.terraform.module_files import Declaration
from unapproved_iam.terraform.requirements import Requirement
from unapproved_iam.terraform.resource_values import SCAN_THE_PLAN, Declared, attribute_of_resource
from unapproved_iam.terraform.variables import (
    Variables,
    converted,
    no_value,
    validated,
)


class ModuleCalls(Protocol):
    """The modules of the tree, as calls find them."""

    def called(self, scope: ModuleScope, call: Declaration, source: str | None) -> Module | None:
        """The module that a call makes instances of with this source; None when that is not known, or the module is
        not in the tree, or cannot be read."""

    def may_attach(self, caller: Module, call: Declaration) -> bool:
        """Whether anything may be attached by what a call makes."""

    def may_pass(self, scope: ModuleScope, call: Declaration) -> frozenset[str]:
        """The arguments of a call of a module that is not in the tree that may pass a policy."""


@dataclass
class Unit:
    """What all module instances of one root module share."""

    root: Module
    files: Files
    variables: Variables
    calls: ModuleCalls
    modules: dict[str, Module] = field(default_factory=dict)  # those that were called, by identity
    declared: dict[str, Declared] = field(default_factory=dict)  # resources that were referred to, by address
    problems: dict[str, Unjudged] = field(default_factory=dict)  # by the reason that holes have of them

    def unreadable(self, written: str, error: HclSyntaxError) -> Value:
        """What stands in a part of the source that cannot be read; it matters when an attachment needs it."""
        shown = os.path.relpath(error.path, self.root.directory).replace(os.sep, "/")
        reason = f"{shown}:{error.line} cannot be read: {error.problem}"
        self.problems[reason] = Unjudged(Place(error.path, error.line), error.problem, hole_reason=reason)
        return unknown(written, reason)


class Call(NamedTuple):
    """The instance of a module call that made a module instance."""

    declaration: Declaration
    instance: Instance
    caller: ModuleScope

    def given(self, name: str, default: Callable[[], Value | None]) -> Value | None:
        """What a variable has by it, the default where it gives nothing."""
        argument = self.declaration.attributes.get(name)
        return evaluate(argument.expression, self.instance.scope) if argument else default()


class Child(NamedTuple):
    """What an instance of a call makes where these facts hold: OpenTofu lets variables choose the source."""

    when: Facts
    scope: ModuleScope | None  # None when the module is not in the tree


Children = dict[Instance, tuple[Child, ...]]


def _is_false(value: Value) -> bool:
    return value.decided is not None and text_of(value.decided) == text("false")


class ModuleScope(DeclaredNames):
    """One instance of a module: the root, or what one instance of a call makes."""

    def __init__(self, unit: Unit, module: Module, call: Call | None = None) -> None:
        super().__init__()
        self.unit = unit
        self.module = module
        self.call = call
        self.calls: tuple[Call, ...] = (*call.caller.calls, call) if call else ()  # outermost first
        self.requirements: list[Requirement] = []  # of variables that were referred to
        self._called: dict[tuple[str, str], tuple[Instances, Children]] = {}

    def address_of(self, name: str, instance: Instance) -> str:
        """The address of a block of this module: `module.a["x"].aws_iam_role.y["k"]`."""
        names = [f"{call.declaration.address}{call.instance.suffix}" for call in self.calls]
        return ".".join([*names, name + instance.suffix])

    def _modules_of(self, call: Declaration) -> list[tuple[Facts, Module | None]]:
        """The modules that a call may be of, by what its source may be."""
        source = call.attributes.get("source")
        found: list[tuple[Facts, Module | None]] = []
        for plain, when in evaluate(source.expression, self) if source else NULL:
            written = plain.text.known if isinstance(plain, String) else None
            found.append((when, self.unit.calls.called(self, call, written)))
        return found

    # -- Scope ---------------------------------------------------------------------------------------------------------

    @property
    def files(self) -> Files:
        return self.unit.files

    def _unreadable(self, written: str, error: HclSyntaxError) -> Value:
        return self.unit.unreadable(written, error)

    def _value_of(self, reference: Reference, written: str) -> Value:
        root, *names = reference
        if root in ("each", "count", "self") or not names:
            return unknown(written, f"{written} has no meaning here")
        if root == "var":
            return self._variable(names[0])
        if root == "local":
            attribute = self.module.local(names[0])
            return evaluate(attribute.expression, self) if attribute else self._missing(written, "locals", names[0])
        if root == "module":
            return self._module("module", names[0], written)
        if root == "output":
            declaration = self.module.find("output", names[0])
            attribute = declaration.attributes.get("value") if declaration else None
            return evaluate(attribute.expression, self) if attribute else self._missing(written, "output", names[0])
        if root == "path":
            return self._path(names[0])
        if root == "terraform":
            return unknown(written, f"{written} is not in the source", SCAN_THE_PLAN, subject=Subject(written))
        if root == "data" and len(names) == 2:
            return self._resource("data", names[0], names[1], written)
        return self._resource("resource", root, names[0], written)

    def _missing(self, written: str, *names: str) -> Value:
        error = self.module.broken_file(*names)
        return self.unit.unreadable(written, error) if error else unknown(written, f"{written} is not declared")

    def _path(self, name: str) -> Value:
        if name == "module":
            return string(os.path.relpath(self.module.directory, self.unit.root.directory).replace(os.sep, "/"))
        return string(self.files.working_directory if name == "cwd" else ".")  # terraform runs in the root module

    # -- variables -----------------------------------------------------------------------------------------------------

    def _variable(self, name: str) -> Value:
        declaration = self.module.find("variable", name)
        arguments = declaration.attributes if declaration else {}

        def default() -> Value | None:
            return evaluate(arguments["default"].expression, self) if "default" in arguments else None

        def typed(value: Value) -> Value:
            return converted(value, arguments["type"].expression, self, written) if "type" in arguments else value

        written = f"var.{name}"
        is_nullable = "nullable" not in arguments or not _is_false(evaluate(arguments["nullable"].expression, self))
        if self.call is not None:
            value = self._argument(self.call, name, default, is_nullable)
            value = typed(value) if value is not None else None
        else:
            value = self._root_variable(name, default, is_nullable, typed)
        if value is None and declaration is None:
            return self._missing(written, "variable", name)
        value = value or typed(no_value(name))
        conditions = [
            block.body.attributes["condition"].expression
            for block in (declaration.blocks if declaration else ())
            if block.type == "validation" and "condition" in block.body.attributes
        ]
        self.requirements += [Requirement(condition, self) for condition in conditions]
        if self.call is None and not is_nullable:  # null stands for the default
            conditions.append(Operation("!=", (GetAttribute(Name("var"), name), Literal(None))))
        return validated(value, conditions, name, self) if conditions else value

    def _root_variable(
        self, name: str, default: Callable[[], Value | None], is_nullable: bool, typed: Callable[[Value], Value]
    ) -> Value | None:
        variables, unreadable = self.unit.variables, self.unit.unreadable

        def given(value: Value) -> Value | None:
            """Null stands for the default where the variable is not nullable."""
            return value if is_nullable or value.decided != Null() else default() or value

        loaded = variables.loaded(name, self, unreadable, default)
        usual = default() if loaded is None else given(loaded.value)
        if loaded is not None and loaded.is_decided:
            return typed(usual) if usual is not None else None
        others = [
            (path, typed(value))
            for path, one in variables.of_other_runs(name, self, unreadable)
            if (value := given(one)) is not None
        ]
        if usual is None and not others:
            return None
        usual = typed(usual) if usual is not None else None
        return typed(open_value(Subject(f"var.{name}"), usual, others, loaded.file if loaded is not None else ""))

    def _argument(self, call: Call, name: str, default: Callable[[], Value | None], nullable: bool) -> Value | None:
        """What the call gives, else the default; null counts as given where the variable is nullable."""
        value = call.given(name, default)
        if value is None or nullable or not any(isinstance(possible.plain, Null) for possible in value):
            return value
        fallback = default() or value
        return one_of(
            [under(fallback, one.when) if isinstance(one.plain, Null) else Value((one,)) for one in value],
            f"var.{name}",
        )

    # -- resources and modules -----------------------------------------------------------------------------------------

    def _resource(self, block_type: str, type_: str, name: str, written: str) -> Value:
        declaration = self.module.find(block_type, type_, name)
        if declaration is None:
            return self._missing(written, block_type, type_, name)
        arguments = declaration.attributes

        def record(instance: Instance) -> Value:
            declared = self.declared(declaration, instance)
            values: dict[str, Value] = {}

            def attribute(wanted: str) -> Value:
                if wanted not in values:
                    values[wanted] = attribute_of_resource(declared, wanted)
                return values[wanted]

            return exactly(Record(written + instance.suffix, attribute))

        return instances_of(arguments, self).seen_as(record, written)

    def declared(self, declaration: Declaration, instance: Instance) -> Declared:
        """A resource or data source; it is remembered, for principals that others name by its ARN."""
        kind = "data." if declaration.type == "data" else ""
        type_, name = declaration.labels
        address = self.address_of(f"{kind}{type_}.{name}", instance)
        declared = Declared(kind + type_, address, declaration.attributes, instance.scope)
        self.unit.declared[address] = declared
        return declared

    def children(self, call: Declaration) -> Children:
        """The instances of a module call, each with what it may make."""
        return self._instances(call)[1]

    def _instances(self, call: Declaration) -> tuple[Instances, Children]:
        name = (call.type, call.labels[0])
        if name not in self._called:
            modules = self._modules_of(call)
            self.unit.modules.update({module.identity: module for _, module in modules if module})
            instances = instances_of(call.attributes, self)
            children = {
                instance: tuple(
                    Child(when, self._made(module, Call(call, instance, self)) if module else None)
                    for when, module in modules
                )
                for instance in instances
            }
            self._called[name] = (instances, children)
        return self._called[name]

    def _made(self, module: Module, call: Call) -> ModuleScope:
        """The instance of a module that a call makes."""
        return ModuleScope(self.unit, module, call)

    def _module(self, block_type: str, name: str, written: str) -> Value:
        declaration = self.module.find(block_type, name)
        if declaration is None:
            return self._missing(written, block_type, name)
        instances, children = self._instances(declaration)

        def record(instance: Instance) -> Value:
            made = children[instance]

            def of_child(child: Child, wanted: str) -> Value:
                if child.scope is not None:
                    return under(value_of_reference(("output", wanted), child.scope), child.when)
                reason = f"the source of {written} is not in the tree"
                return under(unknown(f"{written}.{wanted}", reason, SCAN_THE_PLAN), child.when)

            def output(wanted: str) -> Value:
                return one_of([of_child(child, wanted) for child in made], f"{written}.{wanted}")

            outputs = [child.scope.module.outputs() if child.scope else None for child in made]
            known = tuple(dict.fromkeys(name for names in outputs if names for name in names))
            return exactly(Record(written + instance.suffix, output, None if None in outputs else known))

        return instances.seen_as(record, written)
