"""Decide which values the parameters of a template may have: what a parent stack passes, defaults, AllowedValues.

For the evaluator of templates. A parameter of one value is an unknown part of a text until somebody has to know it; a
list is known by its elements. Source: "Parameters" and "Pseudo parameters reference" in the CloudFormation
documentation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from unapproved_iam.cloudformation.document import Array, Node, value_of
from unapproved_iam.cloudformation.world import Evaluation, Given, Items, Possible, World, list_of, scalar_text
from unapproved_iam.late_patterns import late_pattern
from unapproved_iam.policies.facts import ALWAYS, Variable
from unapproved_iam.policies.possible_text import Alphabet, Hole, Text, text

Arguments = Mapping[str, Callable[[], Sequence[Possible]]]

PSEUDO_PARAMETERS = {
    "AWS::AccountId": Hole("AWS::AccountId", "the account is the one it is deployed to", Alphabet.DIGITS),
    "AWS::Partition": Hole("AWS::Partition", "the partition depends on the account", Alphabet.SEGMENT),
    "AWS::Region": Hole("AWS::Region", "the region is the one it is deployed to", Alphabet.SEGMENT),
    "AWS::StackName": Hole("AWS::StackName", "the stack's name is given when it is created", Alphabet.SEGMENT),
    "AWS::URLSuffix": Hole("AWS::URLSuffix", "the suffix depends on the partition", Alphabet.SEGMENT),
    "AWS::StackId": Hole("AWS::StackId", "the stack's id is known when it is created"),
    "AWS::NotificationARNs": Hole("AWS::NotificationARNs", "they are given when the stack is created"),
}


# What a nested stack shares with its parent, unless it is one of a StackSet.
_OF_PLACE = frozenset({"AWS::AccountId", "AWS::Partition", "AWS::Region", "AWS::URLSuffix"})


class StackPlace(NamedTuple):
    """Where a stack stands among others: what parameters of the same name are told apart by."""

    stack: str = ""  # logical ids from the outermost template to it, e.g. "Network.Roles."
    stack_set: str = ""  # the same to the StackSet that brings it to other accounts and regions
    file: str = ""  # the name of the file that declares its parameters


OUTERMOST = StackPlace()


class Parameters:
    """The parameters of one template in one stack.

    `arguments` are what a parent stack passes; None when nobody in the tree creates the stack.
    """

    def __init__(self, evaluator: Evaluation, arguments: Arguments | None, place: StackPlace) -> None:
        self._evaluator = evaluator
        self._arguments = arguments
        self._place = place
        self._of_stack = f" of {place.stack.rstrip('.')}" if place.stack else ""
        self._given: dict[str, Given] = {}

    def pseudo_parameter(self, name: str) -> Hole:
        hole = PSEUDO_PARAMETERS[name]
        stack = self._place.stack_set if name in _OF_PLACE else self._place.stack
        return hole._replace(reason=f"{hole.reason} of {stack.rstrip('.')}") if stack else hole

    def parameter(self, name: str) -> Given:
        if name not in self._given:
            node = self._evaluator.parameters[name]
            kind = scalar_text(value_of(node, "Type"))
            passed = self._arguments.get(name) if self._arguments is not None else None
            is_list = kind == "CommaDelimitedList" or "List<" in kind
            if kind.startswith("AWS::SSM::Parameter::Value"):  # what is written is a name in the parameter store
                found: Sequence[Possible] = [self._stored(name, is_list)]
            elif passed:
                found = self._passed(name, passed(), lambda: self._declared(name, node, is_list))
            else:
                found = self._declared(name, node, is_list)
            self._given[name] = Given(tuple(map(self._as_list, found) if is_list else map(_as_text, found)))
        return self._given[name]

    def _stored(self, name: str, is_list: bool) -> Possible:
        hole = Hole(name, f"parameter {name} is read from the SSM parameter store{self._of_stack}")
        return self._open(hole, Variable(f"parameter {name}{self._of_stack}", owner=self._place.file), is_list)

    def _open(self, hole: Hole, variable: Variable, is_list: bool, elements: tuple[str, ...] | None = None) -> Possible:
        unknowns = self._evaluator.unknowns
        if is_list:
            unknowns.declare_list(hole, variable, elements)
        else:
            unknowns.declare(hole, variable)
        return Possible(text(hole), World(), 0)

    def _passed(
        self, name: str, passed: Sequence[Possible], declared: Callable[[], list[Possible]]
    ) -> Sequence[Possible]:
        """What the caller passes; when nothing tells which of several it is, that is a choice of its own."""
        if len(passed) > 1 and all(possible.world.facts is ALWAYS for possible in passed):
            values = tuple(dict.fromkeys(str(possible.value) for possible in passed))
            choice, diagram = Variable(f"parameter {name}", values), self._evaluator.unknowns.diagram
            chosen = (diagram.has_value(choice, str(possible.value)) for possible in passed)
            return [one._replace(world=one.world.with_facts(facts)) for one, facts in zip(passed, chosen, strict=True)]
        found: list[Possible] = []
        for possible in passed:
            if possible.value is not None:
                found.append(possible)
                continue
            for one in declared():  # AWS::NoValue: nothing is passed then
                facts = possible.world.facts & one.world.facts
                found.append(one._replace(world=one.world.with_facts(facts)))
        return found

    def _declared(self, name: str, node: Node, is_list: bool) -> list[Possible]:
        """The default and AllowedValues. Without a caller in the tree, a parameter may be given any other value."""
        written = self._written(value_of(node, "Default"))
        default = None if written is None else written.known
        if is_list and default is not None:  # blanks around its commas do not make another list
            default = ",".join(part.strip() for part in default.split(","))
        values = self._allowed(node)
        if written is not None and default is None:  # a part of it is filled in by who makes the template
            return [Possible(written, World(origin=f"the default of {name}"), 0)]
        if default is not None and (self._arguments is not None or (values and set(values) == {default})):
            return [Possible(text(default), World(origin=f"the default of {name}"), 0)]
        if values and default is not None:
            values = tuple(dict.fromkeys((default, *values)))
        subject = f"parameter {name}{self._of_stack}"
        variable = Variable(subject, None if is_list else values or None, default, self._place.file)
        reason = (
            f"{subject} has no default"
            if default is None
            else f"{subject} has a value other than its default, and no file has that value"
        )
        hole = Hole(name, reason, remedy="give it a default or AllowedValues" if default is None else "")
        found = self._open(hole, variable, is_list, values or None)
        return self._lists(name, hole, variable) if is_list else [found]

    def _lists(self, name: str, hole: Hole, variable: Variable) -> list[Possible]:
        found = []
        unknowns = self._evaluator.unknowns
        for value, facts in unknowns.choices(variable, ALWAYS):
            defaults, supposed = unknowns.untold(variable, value, ALWAYS)
            origin = f"the default of {name}" if value is not None and value == variable.default else ""
            items = text(hole if value is None else value)
            found.append(Possible(items, World(facts, {}, origin, defaults, supposed), 0))
        return found

    def _allowed(self, node: Node) -> tuple[str, ...]:
        allowed = value_of(node, "AllowedValues")
        if isinstance(allowed, Array) and allowed.items:
            values = [str(self._written(item)) for item in allowed.items]
            return tuple(dict.fromkeys(values))
        pattern = scalar_text(value_of(node, "AllowedPattern"))
        alternatives = _ALTERNATIVES.fullmatch(pattern)
        return tuple(dict.fromkeys(alternatives[1].split("|"))) if alternatives else ()

    def _as_list(self, possible: Possible) -> Possible:
        """The value of a parameter that is a list: in a template it is written as one text with commas."""
        if isinstance(possible.value, Items):
            return possible
        return possible._replace(value=list_of(self._evaluator.unknowns, possible.text))

    def _written(self, node: Node | None) -> Text | None:
        return None if node is None else self._evaluator.written(scalar_text(node), World())


# A pattern that says no more than AllowedValues does: `^(dev|prod)$`.
_ALTERNATIVES = late_pattern(r"\^?\(?(?:\?:)?([\w/:-]+(?:\|[\w/:-]*)*)\)?\$?", re.ASCII)


def _as_text(possible: Possible) -> Possible:
    return possible if isinstance(possible.value, Text | Items) else possible._replace(value=possible.text)
