"""Decide what `Fn::ImportValue` may import: what templates of the tree export under its name.

For `scan.tree_check`, which hands it to the readers of templates. Exports are evaluated only when a policy is imported.
Where a part of the name is unknown on either side, as with `${AWS::StackName}` in it, an export may be meant, and so
may one of another stack. Source: "Outputs" and "Fn::ImportValue" in the CloudFormation documentation.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

from unapproved_iam.cloudformation.document import Scalar, value_of, values_of
from unapproved_iam.cloudformation.parameter_files import ParameterValues
from unapproved_iam.cloudformation.source_skips import TemplateText, text_of_file
from unapproved_iam.cloudformation.stack import BEYOND_BOUNDS, Nesting, Stack, stacks_of
from unapproved_iam.cloudformation.template import arguments_given
from unapproved_iam.cloudformation.unknowns import ALWAYS_UNKNOWN
from unapproved_iam.cloudformation.world import Entry, Exported, scalar_text
from unapproved_iam.policies.facts import NEVER
from unapproved_iam.policies.possible_text import Glob, Hole, Match, Text, match, text, unknown


class _Export(NamedTuple):
    name: Text
    output: Entry
    stack: Stack


class Exports:
    """`templates` are the files of the tree that may export something or nest what does; `given` tells what parameter
    files give a template."""

    def __init__(
        self, templates: Callable[[], Iterable[str]], given: Callable[[str], Sequence[ParameterValues]]
    ) -> None:
        self._templates = templates
        self._given = given
        self._values: dict[int, tuple[Text, ...] | None] = {}  # by the output's number; None while it is evaluated

    def named(self, name: Text) -> Iterator[Exported]:
        """What may be imported under a name of which something is known. Raises one of BEYOND_BOUNDS."""
        for number, (exported, output, stack) in enumerate(self._all if not name.is_unknown else ()):
            if match(name, [Glob(_pattern(exported))]) is not Match.NEVER:
                is_certain = name.known is not None and name == exported
                file = os.path.basename(stack.source.path)
                for value in self._values_of(number, output, stack):
                    yield Exported(_of_another_stack(value, file), file, is_certain)

    def _values_of(self, number: int, output: Entry, stack: Stack) -> tuple[Text, ...]:
        if number not in self._values:
            self._values[number] = None
            evaluator = stack.evaluator
            found = evaluator.property_texts(output.node, "Value", output.world)
            self._values[number] = tuple(
                dict.fromkeys(one.text for possible in found for one in evaluator.resolved(possible))
            )
        return self._values[number] or ()  # exports that import each other: CloudFormation would refuse them

    @cached_property
    def _all(self) -> list[_Export]:
        stacks = [stack for path in sorted(self._templates()) for stack in self._stacks_of(path)]
        nested: list[Stack] = []
        waiting = list(stacks)
        while waiting:
            inner = list(waiting.pop().nested_stacks())
            nested += inner
            waiting += inner
        # What another template nests has the parameters that are passed to it.
        through_others = {stack.source.path for stack in nested}
        own = [stack for stack in stacks if stack.source.path not in through_others]
        return [export for stack in (*own, *nested) for export in _exports_of(stack)]

    def _stacks_of(self, path: str) -> Iterator[Stack]:
        source = text_of_file(path, may_be_any=True)
        if not isinstance(source, TemplateText):
            return
        nestings = [Nesting(path, exported=self.named)]
        nestings += [replace(nestings[0], arguments=arguments_given(values)) for values in self._given(path)]
        for nesting in nestings:
            yield from (one for one in stacks_of(source, nesting) if isinstance(one, Stack))


def _exports_of(stack: Stack) -> Iterator[_Export]:
    evaluator = stack.evaluator
    for section in values_of(stack.root, "Outputs"):
        for output in evaluator.entries(section, evaluator.start):
            condition = value_of(output.node, "Condition")
            if isinstance(condition, Scalar) and evaluator.condition(scalar_text(condition)) is NEVER:
                continue
            try:
                names = [
                    one.text
                    for possible in evaluator.property_texts(output.node, "Export.Name", output.world)
                    for one in evaluator.resolved(possible)
                ]
            except BEYOND_BOUNDS:
                names = [unknown(output.name, "it has many names")]
            yield from (_Export(name, output, stack) for name in dict.fromkeys(names))


def _pattern(name: Text) -> str:
    return "".join("*" if isinstance(piece, Hole) else piece.replace("*", "?") for piece in name.pieces)


def _of_another_stack(value: Text, file: str) -> Text:
    """With holes that are not those of the importing template which happen to have their names."""
    return text(
        *(
            piece._replace(written=f"Fn::ImportValue {piece.written}", reason=f"{piece.reason} (in {file})")
            if isinstance(piece, Hole) and piece.written not in ALWAYS_UNKNOWN
            else piece
            for piece in value.pieces
        )
    )
