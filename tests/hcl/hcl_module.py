"""A module for tests of HCL expressions: the variables and locals of one source text."""

from __future__ import annotations

from collections.abc import Hashable

from terraform_verdicts import told
from unapproved_iam.hcl.evaluation import evaluate
from unapproved_iam.hcl.facts import Subject
from unapproved_iam.hcl.open_values import open_value
from unapproved_iam.hcl.scope import Files, Reference
from unapproved_iam.hcl.syntax import Attribute, parse_body, parse_expression
from unapproved_iam.hcl.texts import possible_texts
from unapproved_iam.hcl.values import Value, string, unknown
from unapproved_iam.policies.attachment import Attachment, Place
from unapproved_iam.terraform import worlds
from unapproved_iam.terraform.variables import no_value


class Module:
    """A root module: variables with a default may be something else, those without are unknown; arguments are given."""

    def __init__(self, source: str, directory: str = "/module", arguments: dict[str, str] | None = None) -> None:
        self.files = Files(directory, directory)
        self.attributes: dict[str, Attribute] = {}
        self.variables: dict[str, Attribute | None] = {}
        for block in parse_body(source, "main.tf").blocks:
            if block.type == "locals":
                self.attributes |= block.body.attributes
            elif block.type == "variable":
                self.variables[block.labels[0]] = block.body.attributes.get("default")
        self.arguments = {name: self.evaluated(text) for name, text in (arguments or {}).items()}
        self._values: dict[Reference, Value | None] = {}

    def value_of(self, reference: Reference) -> Value:
        written = ".".join(reference)
        if reference not in self._values:
            self._values[reference] = None
            try:
                self._values[reference] = self._computed(reference, written)
            finally:
                if self._values[reference] is None:
                    del self._values[reference]
        return self._values[reference] or unknown(written, f"{written} refers to itself")

    def _computed(self, reference: Reference, written: str) -> Value:
        kind, name = reference[0], reference[-1]
        if kind == "var" and name in self.arguments:
            return self.arguments[name]
        default = self.variables.get(name)
        if kind == "var":
            return open_value(Subject(written), evaluate(default.expression, self)) if default else no_value(name)
        if kind == "local" and name in self.attributes:
            return evaluate(self.attributes[name].expression, self)
        if reference == ("path", "module"):
            return string(".")
        return unknown(written, f"{written} is not known")

    def is_known(self, reference: Reference) -> bool:
        return reference in self._values

    def owner_of(self, reference: Reference) -> Hashable:
        return self

    def evaluated(self, expression: str) -> Value:
        return evaluate(parse_expression(expression, "main.tf"), self)

    def attachments(self, expression: str) -> list[Attachment]:
        """Every possible string with its facts, as if a resource attached it."""
        place = Place("main.tf")
        return worlds.told(
            worlds.Found(Attachment("x", "x", one.text, (), place, place), one.when)
            for one in possible_texts(self.evaluated(expression))
        )

    def texts(self, expression: str) -> list[str]:
        """The same in words: "TEXT when FACT and FACT"."""
        return [told(one.policy, one.when) for one in self.attachments(expression)]
