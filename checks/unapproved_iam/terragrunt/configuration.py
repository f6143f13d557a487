"""Evaluate one Terragrunt file: its locals, what it includes and reads, and what it hands to its module.

For `terragrunt.units`. Outputs of other units, output of commands and environment variables are in no file, and
unknown. Source: "HCL Blocks", "HCL Attributes" and "HCL Functions" in the Terragrunt reference.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property

from unapproved_iam.hcl.alternatives import applied
from unapproved_iam.hcl.collection_values import attribute_of
from unapproved_iam.hcl.evaluation import evaluate
from unapproved_iam.hcl.expression import Call, Expression
from unapproved_iam.hcl.facts import Subject
from unapproved_iam.hcl.open_values import open_value
from unapproved_iam.hcl.scope import CHECKOUT, DeclaredNames, Files, Reference
from unapproved_iam.hcl.syntax import Attribute, Block, Body, HclSyntaxError, parse_body
from unapproved_iam.hcl.values import (
    Entry,
    Mapping,
    Record,
    String,
    Value,
    exactly,
    string,
    unknown,
)
from unapproved_iam.policies.possible_text import text
from unapproved_iam.terragrunt.context import Context
from unapproved_iam.terragrunt.functions import computed, prepared
from unapproved_iam.terragrunt.merging import deeply_merged, merged

VALUES = "terragrunt.values.hcl"  # beside a unit: what it has where no stack gives anything
MOST_FILES = 200  # that one unit includes and reads, each in its place


class Configuration(DeclaredNames):
    """One file in its context, and a scope for `hcl.evaluation`.

    Raises HclSyntaxError and OSError when it cannot be read.
    """

    def __init__(self, path: str, context: Context) -> None:
        self.path = path
        self.context: Context = replace(context, files=(*context.files, path))
        if path not in context.parsed:
            with open(path, "rb") as file:
                data = file.read()
            context.parsed[path] = data.decode("utf-8", "replace"), _parsed(data, path)
        self.text, self.body = context.parsed[path]
        super().__init__()
        self.injected: Configuration | None = None  # what a stack adds to this unit
        self._calls: dict[str, Call] = {}

    # -- what is in it -------------------------------------------------------------------------------------------------

    def blocks(self, block_type: str) -> list[Block]:
        return [block for block in self.body.blocks if block.type == block_type]

    @cached_property
    def including(self) -> dict[str, tuple[Configuration, Block]]:
        """The files that it includes, by the labels of their blocks; without those that are not known or not there."""
        found: dict[str, tuple[Configuration, Block]] = {}
        for block in self._includes:
            path = self.path_in(block.body.attributes.get("path"))
            other = self.read(path, self.context) if path else None
            if other:
                found[block.labels[0] if block.labels else ""] = other, block
        return found

    @property
    def _includes(self) -> list[Block]:
        """In JSON one without a label stands as its body, and others as objects by their labels."""
        found = self.blocks("include")
        if not self.path.endswith(".json"):
            return found
        bare = [block for block in found if "path" in block.body.attributes]
        return bare or [Labelled(inner) for block in found for inner in block.body.blocks]

    def read(self, path: str, context: Context) -> Configuration | None:
        """Another file; None when it is not there, or on the way here already."""
        if path in self.context.files or len(self.context.files) > MOST_FILES or not os.path.isfile(path):
            return None
        return Configuration(path, replace(context, files=self.context.files))

    def exposed_of(self, path: str) -> Value | None:
        """What a file exposes that is read by itself; None when it is not there."""
        other = self.read(path, replace(self.context, config=path, file=path))
        return other.exposed(f'read_terragrunt_config("{os.path.basename(path)}")') if other else None

    @cached_property
    def everything(self) -> tuple[Configuration, ...]:
        """This file and all that it includes, what counts most first."""
        included = [other for other, block in reversed(self.including.values()) if self._strategy(block) != "no_merge"]
        injected = [self.injected] if self.injected else []
        return (*injected, self, *(one for other in included for one in other.everything))

    def _strategy(self, block: Block) -> str:
        return self.text_of(block.body.attributes.get("merge_strategy")) or "shallow"

    @cached_property
    def inputs(self) -> Value | None:
        """What is handed to the module, merged as the includes say; None when nothing is."""
        attribute = self.body.attributes.get("inputs")
        value = self.value(attribute) if attribute else None
        for other, block in reversed(self.including.values()):
            strategy = self._strategy(block)
            if other.inputs is not None and strategy != "no_merge":
                merge = deeply_merged if strategy.startswith("deep") else merged
                value = other.inputs if value is None else merge(other.inputs, value)
        if self.injected and self.injected.inputs is not None:
            value = self.injected.inputs if value is None else merged(value, self.injected.inputs)
        return value

    @property
    def merges_deeply(self) -> bool:
        return any(self._strategy(block).startswith("deep") for _, block in self.including.values())

    def in_terraform(self) -> Iterator[tuple[Configuration, Block]]:
        """The `terraform` blocks that count, the most important first."""
        yield from ((one, block) for one in self.everything for block in one.blocks("terraform"))

    # -- values --------------------------------------------------------------------------------------------------------

    def evaluated(self, expression: Expression) -> Value:
        """Its value; its calls of Terragrunt's own functions are computed here."""
        return evaluate(prepared(expression, self._remember), self)

    def value(self, attribute: Attribute) -> Value:
        try:
            return self.evaluated(attribute.expression)
        except RecursionError:
            return unknown(attribute.name, f"{attribute.name} is nested too deeply to be evaluated")

    def _remember(self, call: Call) -> str:
        self._calls[str(call)] = call
        return str(call)

    def text_of(self, attribute: Attribute | None) -> str | None:
        """The one text of an attribute, as far as this machine knows it; None when it is not decided."""
        if attribute is None:
            return None
        return self.known(self.value(attribute))

    def known(self, value: Value) -> str | None:
        if len(value.possible) != 1:
            return None
        plain = value.possible[0].plain
        return self.files.on_this_machine(plain.text).known if isinstance(plain, String) else None

    def texts_of(self, attribute: Attribute) -> list[str]:
        """The texts of a list that are decided."""
        values = [item.value for one in self.value(attribute) for item in getattr(one.plain, "items", ())]
        return [known for value in values if (known := self.known(value)) is not None]

    def path_in(self, attribute: Attribute | None) -> str | None:
        """The absolute path that an attribute says; None when it is not known, or outside of the tree."""
        written = self.text_of(attribute)
        return self.found(written) if written is not None else None

    def found(self, path: str) -> str | None:
        return self.files.find(os.path.join(os.path.dirname(self.context.config), path))

    def path_value(self, path: str) -> Value:
        """An absolute path as a value, without where the tree lies on this machine."""
        below = os.path.relpath(os.path.realpath(path), os.path.realpath(self.context.tree)).replace(os.sep, "/")
        return string(text(CHECKOUT, "" if below == "." else f"/{below}"))

    # -- Scope ---------------------------------------------------------------------------------------------------------

    @property
    def files(self) -> Files:
        return Files(os.path.dirname(self.path), self.context.tree, self.context.copies)

    def _unreadable(self, written: str, error: HclSyntaxError) -> Value:
        return unknown(written, f"{os.path.basename(error.path)}:{error.line} cannot be read: {error.problem}")

    def _value_of(self, reference: Reference, written: str) -> Value:
        root, *names = reference
        name = names[0] if names else ""
        if root in self._calls:
            call = self._calls[root]
            return computed(self, call, [evaluate(argument, self) for argument in call.arguments])
        if root == "local":
            for block in self.blocks("locals"):
                if name in block.body.attributes:
                    return self.value(block.body.attributes[name])
        if root == "include":
            return self._included(name, written)
        if root == "feature":
            for block in self.blocks("feature"):
                default = block.body.attributes.get("default")
                if block.labels == (name,) and default:
                    value = open_value(Subject(f"feature.{name}.value"), self.value(default))
                    return exactly(Mapping((Entry(text("value"), value),)))
        if root == "values" and self._given_values is not None:
            return attribute_in(self._given_values, name, written)
        if root == "dependency":
            return unknown(written, "no file says what another unit outputs")
        return unknown(written, f"{written} is not known")

    @cached_property
    def _given_values(self) -> Value | None:
        """What a stack gives, else what stands in a file beside the unit."""
        if self.context.values is not None:
            return self.context.values
        other = self.read(os.path.join(os.path.dirname(self.context.file), VALUES), self.context)
        attributes = other.body.attributes if other else {}
        entries = (Entry(text(name), other.value(one)) for name, one in attributes.items() if other)
        return exactly(Mapping(tuple(entries))) if other else None

    def _included(self, name: str, written: str) -> Value:
        if name in self.including:
            return self.including[name][0].exposed(written)
        if "" in self.including:  # a block without a label
            return attribute_in(self.including[""][0].exposed("include"), name, written)
        return unknown(written, f"what {written} includes is not known")

    def exposed(self, written: str) -> Value:
        """What others see of it: locals, inputs, and nothing else that is known."""

        def attribute(name: str) -> Value:
            if name == "locals":
                names = [name for block in self.blocks("locals") for name in block.body.attributes]
                return exactly(Mapping(tuple(Entry(text(name), self.value_of(("local", name))) for name in names)))
            if name == "inputs":
                return self.inputs or exactly(Mapping(()))
            return unknown(f"{written}.{name}", f"{written}.{name} is not known")

        return exactly(Record(written, attribute, ("locals", "inputs")))


class Injected(Configuration):
    """The `autoinclude` block of a stack, which is a part of a unit: evaluated where it stands."""

    def __init__(self, stack: Configuration, block: Block) -> None:
        super().__init__(stack.path, replace(stack.context, files=stack.context.files[:-1]))
        self.body = block.body
        self._stack = stack

    def _value_of(self, reference: Reference, written: str) -> Value:
        return self._stack.value_of(reference) if reference[0] == "local" else super()._value_of(reference, written)


class Labelled(Block):
    """An object within a block of JSON, as the block that its key labels."""

    def __init__(self, inner: Block) -> None:
        self.__dict__.update(inner.__dict__)
        self.type, self.labels = "include", (inner.type,)
        self._inner = inner

    @property
    def body(self) -> Body:
        return self._inner.body


def _parsed(data: bytes, path: str) -> Body:
    if path.endswith(".json"):
        from unapproved_iam.terraform.json_syntax import parse_json_body  # few units are written so

        return parse_json_body(data, path)
    return parse_body(data, path)


def attribute_in(value: Value, name: str, written: str) -> Value:
    """An attribute of a value."""
    return applied(lambda plain: attribute_of(plain, name, written), [value], written)
