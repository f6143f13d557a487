"""Decide the values of a root module's variables, and what a variable's type makes of the value that it is given.

For `terraform.module_scope`. In the tree are defaults and variable files; `-var`, `TF_VAR_` and workspaces are not.
Files that Terraform would not load by itself stand for runs with `-var-file`: each value in them is an alternative,
under its file's name. Sources: "Input Variables", "Type Constraints" and "Variable Definition Precedence" in the
Terraform documentation.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Sequence as List
from dataclasses import replace
from typing import NamedTuple, Protocol

from unapproved_iam.hcl.alternatives import applied, one_choice_of, one_of
from unapproved_iam.hcl.argument_functions import Argument, lookup
from unapproved_iam.hcl.collection_values import mapping_of, set_of, with_strings
from unapproved_iam.hcl.decimal_numbers import number_of
from unapproved_iam.hcl.evaluation import evaluate
from unapproved_iam.hcl.expression import Call, Expression, Name, ObjectOf, TupleOf
from unapproved_iam.hcl.facts import (
    ALWAYS,
    Constant,
    Facts,
    Marker,
    Subject,
    joined,
)
from unapproved_iam.hcl.operators import boolean_of, truths_of
from unapproved_iam.hcl.scope import Layer, Scope
from unapproved_iam.hcl.shapes import name_of_key, shape_of
from unapproved_iam.hcl.syntax import HclSyntaxError
from unapproved_iam.hcl.values import (
    NULL,
    Boolean,
    Entry,
    Item,
    Kind,
    Mapping,
    Null,
    Number,
    Plain,
    Possible,
    Refused,
    Sequence,
    String,
    Unknown,
    Value,
    exactly,
    holes_of,
    string,
    subject_of,
    under,
    unknown,
)
from unapproved_iam.policies.possible_text import text
from unapproved_iam.terraform.module_files import VariableFile
from unapproved_iam.terraform.resource_values import SCAN_THE_PLAN

Unreadable = Callable[[str, HclSyntaxError], Value]
Default = Callable[[], Value | None]


class Given(NamedTuple):
    """What a variable has in a usual run, in place of its default."""

    value: Value
    file: str = ""  # that says so, by its path from the root module
    is_decided: bool = False  # nobody gives it anything else


class Variables(Protocol):
    """Where the values of a root module's variables come from."""

    def loaded(self, name: str, scope: Scope, unreadable: Unreadable, default: Default) -> Given | None:
        """What a usual run gives it; None when that is its default in every world."""

    def of_other_runs(self, name: str, scope: Scope, unreadable: Unreadable) -> Iterator[tuple[str, Value]]:
        """The files of other runs that assign it, by their paths from the root module."""


class RootVariables:
    """What the variable files of a root module assign.

    `loaded` are absolute paths in Terraform's order, later ones win; `others` are the files of other runs.
    """

    def __init__(self, directory: str, loaded: List[str], others: List[str]) -> None:
        self._directory = directory
        self._loaded = [VariableFile(path) for path in loaded]
        self._others = [VariableFile(path) for path in others]

    def loaded(self, name: str, scope: Scope, unreadable: Unreadable, default: Default) -> Given | None:
        """What the files assign that Terraform loads by itself; None when they do not."""
        for file in reversed(self._loaded):
            value = _assigned(file, name, scope, unreadable)
            if value is not None:
                return Given(value, self._shown(file.path))
        return None

    def of_other_runs(self, name: str, scope: Scope, unreadable: Unreadable) -> Iterator[tuple[str, Value]]:
        """The other files that assign it, by their paths from the root module."""
        for file in self._others:
            value = _assigned(file, name, scope, unreadable)
            if value is not None:
                yield self._shown(file.path), value

    def _shown(self, path: str) -> str:
        return os.path.relpath(path, self._directory).replace(os.sep, "/")


def _assigned(file: VariableFile, name: str, scope: Scope, unreadable: Unreadable) -> Value | None:
    """A file that cannot be read may assign it: what `unreadable` yields is possible, too."""
    try:
        assignment = file.assignments.get(name)
        return evaluate(assignment.expression, scope) if assignment else None
    except HclSyntaxError as error:
        return unreadable(f"var.{name}", error)
    except OSError as error:
        return unreadable(f"var.{name}", HclSyntaxError(file.path, 1, error.strerror or str(error)))


def given_in(inputs: Value, name: str, default: Default) -> Value | None:
    """What an object of inputs gives a variable; the default in the worlds in which it has no such key."""
    if not may_give(inputs, name):
        return default()
    absent = default() or no_value(name)
    written = f"inputs.{name}"

    def found(plain: Plain) -> Value:
        if isinstance(plain, Null):
            return absent
        arguments = (exactly(plain), string(name), absent)
        return lookup(written, [Argument(value, written) for value in arguments])

    return applied(found, [inputs], written)


def may_give(inputs: Value, name: str) -> bool:
    """Whether an object of inputs has such a key in some world."""
    plains = [one.plain for one in inputs if not isinstance(one.plain, Null)]
    keys = (entry.key.known for plain in plains if isinstance(plain, Mapping) for entry in plain.entries)
    return any(key in (None, name) for key in keys) or any(not isinstance(plain, Mapping) for plain in plains)


def no_value(name: str) -> Value:
    """A root variable of which the tree tells nothing."""
    remedy = f"give variable {name} a default, or {SCAN_THE_PLAN}"
    return unknown(f"var.{name}", f"variable {name} has no default", remedy, subject=Subject(f"var.{name}"))


def validated(value: Value, conditions: Iterable[Expression], name: str, scope: Scope) -> Value:
    """The value where it passes the validation of its variable; what that says goes with what is not known of it."""
    subjects = {hole.subject for possible in value for hole in holes_of(possible.plain)}
    needs: dict[Subject, Facts] = {}
    for condition in conditions:
        kept: list[Value] = []
        for plain, when in value:
            truths, _ = truths_of(evaluate(condition, Layer(scope, {("var", name): exactly(plain)})), condition)
            valid = [facts for truth, facts in truths if truth]
            facts = [Facts({one: choice for one, choice in way if one in subjects}) for way in valid]
            kept += [Value((Possible(plain, both),)) for way in facts if (both := joined(when, way)) is not None]
            subject = subject_of(plain)
            if subject is not None and valid:
                needs[subject] = joined(needs.get(subject, ALWAYS), _common(valid)) or ALWAYS
        value = one_of(kept, f"var.{name}") if kept else value
    for subject in (one for one in subjects if isinstance(one, Subject)):
        domain, needed = _domain(value, subject), needs.get(subject)
        if domain or needed:
            value = _within(value, replace(subject, domain=domain, needs=needed or None))
    return value


def _common(ways: List[Facts]) -> Facts:
    """What is so in all of the ways."""
    choices = {one: one_choice_of(way.of(one) for way in ways) for one in ways[0].choices}
    return Facts({one: choice for one, choice in choices.items() if not choice.is_full})


def _domain(value: Value, subject: Subject) -> frozenset[Constant] | None:
    """All that it may be, where that is known."""
    choices = [when.of(subject) for _, when in value]
    domain = frozenset(constant for choice in choices for constant in choice.constants)
    is_open = any(choice.excludes for choice in choices) or any(isinstance(one, Marker) for one in domain)
    return None if is_open or not domain else domain


def _within(value: Value, subject: Subject) -> Value:
    """The value with a subject that knows what it may be."""

    def plain(one: Plain) -> Plain:
        is_it = isinstance(one, Unknown) and one.hole.subject == subject
        return replace(one, hole=one.hole._replace(subject=subject)) if is_it and isinstance(one, Unknown) else one

    def facts(when: Facts) -> Facts:
        choices = {subject if one == subject else one: choice for one, choice in when.choices.items()}
        return Facts(choices, is_linked=True)

    return Value(tuple(Possible(plain(one), facts(when)) for one, when in value))


def converted(value: Value, type_: Expression, scope: Scope, written: str) -> Value:
    """The value as the variable's type makes it: sets of lists, and the defaults of optional attributes."""
    return applied(lambda plain: _converted(plain, type_, scope, written), [value], written)


def _converted(plain: Plain, type_: Expression, scope: Scope, written: str) -> Value:
    if isinstance(plain, Unknown):
        return exactly(replace(plain, shape=shape_of(type_)))
    if isinstance(type_, Name) and type_.name == "string":
        return with_strings(exactly(plain))
    if isinstance(type_, Name) and isinstance(plain, String):
        return exactly(_scalar(plain, type_.name))
    if not isinstance(type_, Call) or not type_.arguments:
        return exactly(plain)
    inner = type_.arguments[0]
    if isinstance(plain, Sequence):
        if isinstance(inner, TupleOf):
            types = (*inner.items, *[Name("any")] * len(plain.items))
            pairs = zip(plain.items, types, strict=False)
            items = (item._replace(value=converted(item.value, of, scope, written)) for item, of in pairs)
            return exactly(Sequence(tuple(items), plain.rest, plain.kind, plain.ordered))
        kind = {"list": Kind.LIST, "set": Kind.SET}.get(type_.name)
        if kind:
            items = (Item(converted(item.value, inner, scope, written), item.when) for item in plain.items)
            rest = converted(plain.rest, inner, scope, written) if plain.rest else None
            sequence = Sequence(tuple(items), rest, kind, plain.ordered)
            return exactly(set_of(sequence) if kind is Kind.SET else sequence)
    if isinstance(plain, Mapping):
        if type_.name == "map":
            entries = (entry._replace(value=converted(entry.value, inner, scope, written)) for entry in plain.entries)
            return exactly(Mapping(tuple(entries), Kind.MAP))
        if type_.name == "object" and isinstance(inner, ObjectOf):
            return exactly(_object(plain, inner, scope, written))
    return exactly(plain)


def _scalar(plain: String, type_name: str) -> Plain:
    """A string as the bool or number that it stands for; as it is where Terraform would refuse it or it is unknown."""
    try:
        if type_name == "bool" and (truth := boolean_of(plain)) is not None:
            return Boolean(truth)
        if type_name == "number" and (number := number_of(plain)) is not None:
            return Number(number)
    except Refused:
        pass
    return plain


def _object(plain: Mapping, declared: ObjectOf, scope: Scope, written: str) -> Mapping:
    """Attributes that the type does not name are gone; optional ones that are missing or null have their default."""
    entries: list[Entry] = []
    for key, type_ in declared.items:
        name = name_of_key(key)
        default = None
        if isinstance(type_, Call) and type_.name == "optional" and type_.arguments:
            default = evaluate(type_.arguments[1], scope) if len(type_.arguments) > 1 else NULL
            type_ = type_.arguments[0]
        given = [entry for entry in plain.entries if entry.key.known == name]
        if default is not None and not any(not entry.when for entry in given):
            entries.append(Entry(text(name), converted(default, type_, scope, written)))
        for entry in given:
            value = entry.value
            if default is not None:
                value = one_of([_instead_of_null(possible, default) for possible in value], written)
            entries.append(entry._replace(value=converted(value, type_, scope, written)))
    entries += [entry for entry in plain.entries if entry.key.holes]
    return mapping_of(entries)


def _instead_of_null(possible: Possible, default: Value) -> Value:
    if isinstance(possible.plain, Null):
        return under(default, possible.when)
    return Value((possible,))
