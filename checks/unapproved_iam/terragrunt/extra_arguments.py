"""Read the variables that `extra_arguments` hand to terraform: in files, on the command line, in its environment.

For `terragrunt.units`. Which subcommands get them does not count. Source: "terraform" under "HCL Blocks" in the
Terragrunt reference; "Variable Definition Precedence" in the Terraform documentation.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from unapproved_iam.hcl.alternatives import one_of
from unapproved_iam.hcl.evaluation import evaluate
from unapproved_iam.hcl.syntax import Attribute, HclSyntaxError, parse_expression
from unapproved_iam.hcl.values import Mapping as MappingValue
from unapproved_iam.hcl.values import Possible, String, Value, parts_of, under
from unapproved_iam.late_patterns import late_pattern
from unapproved_iam.policies.possible_text import text
from unapproved_iam.terragrunt.configuration import Configuration, attribute_in

Variables = Mapping[str, tuple[Value, Attribute]]  # variables by name, each with the attribute that holds it

_ENVIRONMENT = "TF_VAR_"
_OPTION = late_pattern(r"--?(var|var-file)(?:=(.*))?", re.DOTALL)


class ExtraArguments(NamedTuple):
    environment: Variables
    files: tuple[str, ...]  # absolute paths, later ones win
    command_line: Variables


def extra_arguments_of(unit: Configuration) -> ExtraArguments:
    """What the blocks of a unit and of what it includes say, as far as it is known."""
    environment, command_line = _Assignments(), _Assignments()
    files: list[str] = []
    for one, block in unit.in_terraform():
        for extra in block.body.blocks:
            if extra.type != "extra_arguments":
                continue
            attributes = extra.body.attributes
            for name in ("required_var_files", "optional_var_files"):
                files += one.texts_of(attributes[name]) if name in attributes else []
            if arguments := attributes.get("arguments"):
                for option, value in _options(one.value(arguments)):
                    if option == "var":
                        command_line.add(_assigned(value), one, arguments)
                    else:
                        files += filter(None, [one.known(value)])
            if variables := attributes.get("env_vars"):
                environment.add(_of_environment(one.value(variables)), one, variables)
    found = (unit.found(path) for path in files)
    known = tuple(path for path in found if path and os.path.isfile(path))
    return ExtraArguments(environment.given, known, command_line.given)


class _Assignments:
    """Variables that blocks assign; what several of them do, which are for different subcommands, is an alternative."""

    def __init__(self) -> None:
        self.given: dict[str, tuple[Value, Attribute]] = {}

    def add(self, assigned: Iterable[tuple[str, Value]], scope: Configuration, attribute: Attribute) -> None:
        for name, written in assigned:
            earlier = [self.given[name][0]] if name in self.given else []
            self.given[name] = one_of([*earlier, *_as_read(written, scope, attribute)], f"var.{name}"), attribute


def names_of(value: Value | None) -> list[str]:
    """The keys of a mapping that are known."""
    names = {
        entry.key.known
        for possible in value or ()
        if isinstance(possible.plain, MappingValue)
        for entry in possible.plain.entries
    }
    return sorted(name for name in names if name is not None)


def _options(arguments: Value) -> Iterator[tuple[str, Value]]:
    """`-var` and `-var-file` among arguments, each with what stands behind it or in the next argument."""
    for possible in arguments:
        waiting = ""
        for item, when in parts_of(possible.plain):
            value = under(under(item, when), possible.when)
            if waiting:
                yield waiting, value
                waiting = ""
                continue
            for one in value:
                option = _OPTION.fullmatch(_start_of(one))
                if option and option[2] is None:
                    waiting = option[1]
                elif option:
                    yield option[1], Value((_behind(one, "="),))


def _assigned(argument: Value) -> Iterator[tuple[str, Value]]:
    """`NAME=VALUE`"""
    for one in argument:
        name, equals, _ = _start_of(one).partition("=")
        if equals:
            yield name.strip(), Value((_behind(one, "="),))


def _of_environment(variables: Value) -> Iterator[tuple[str, Value]]:
    for name in names_of(variables):
        if name.startswith(_ENVIRONMENT):
            yield name.removeprefix(_ENVIRONMENT), attribute_in(variables, name, name)


def _start_of(one: Possible) -> str:
    """What a text begins with, as far as it is known."""
    first = one.plain.text.pieces[:1] if isinstance(one.plain, String) else ()
    return first[0] if first and isinstance(first[0], str) else ""


def _behind(one: Possible, mark: str) -> Possible:
    """A text without what stands before a mark, and without the mark."""
    assert isinstance(one.plain, String)
    first, *others = one.plain.text.pieces
    assert isinstance(first, str)
    return one._replace(plain=String(text(first.partition(mark)[2], *others), one.plain.place))


def _as_read(value: Value, scope: Configuration, attribute: Attribute) -> Iterator[Value]:
    """Each alternative as Terraform reads it: lists and objects are written as expressions."""
    for one in value:
        known = one.plain.text.known if isinstance(one.plain, String) else None
        if known is None or not known.lstrip().startswith(("[", "{")):
            yield Value((one,))
            continue
        try:
            expression = parse_expression(known, attribute.place.path, attribute.line)
        except HclSyntaxError:
            yield Value((one,))
        else:
            yield under(evaluate(expression, scope), one.when)
