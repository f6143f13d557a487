"""Find the nested blocks of a resource, those that `dynamic` ones make too, and arguments that stand in them.

For `terraform.attachments`. In JSON syntax, and where the provider has objects for blocks, an argument stands for a
block. Source: "dynamic Blocks" in the Terraform documentation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from typing import NamedTuple

from unapproved_iam.hcl.evaluation import evaluate
from unapproved_iam.hcl.expression import Expression, GetAttribute
from unapproved_iam.hcl.facts import ALWAYS, Facts, joined
from unapproved_iam.hcl.scope import Scope
from unapproved_iam.hcl.syntax import Attribute, Block, Body
from unapproved_iam.hcl.values import Value
from unapproved_iam.terraform.instances import turns_of
from unapproved_iam.terraform.module_files import nested_type


class BlockBody(NamedTuple):
    """What one block holds, when there is such a block, and what its expressions can see."""

    body: Body
    scope: Scope
    when: Facts


class NestedArgument(NamedTuple):
    """An argument in nested blocks; `expression` is what is wanted of it."""

    argument: Attribute
    expression: Expression
    scope: Scope
    when: Facts

    @property
    def value(self) -> Value:
        return evaluate(self.expression, self.scope)


def bodies_of(blocks: Iterable[Block], block_type: str, scope: Scope) -> Iterator[BlockBody]:
    """The blocks of a type, also those that `dynamic` blocks make. Raises HclSyntaxError."""
    for block in blocks:
        if nested_type(block) != block_type:
            continue
        if block.type != "dynamic":
            yield BlockBody(block.body, scope, ALWAYS)
            continue
        arguments = block.body.attributes
        iterator = str(arguments["iterator"].expression) if "iterator" in arguments else block_type
        for content in block.body.blocks:
            if content.type == "content" and "for_each" in arguments:
                for turn in turns_of(arguments["for_each"].expression, iterator, scope):
                    yield BlockBody(content.body, turn.scope, turn.when)


def arguments_at(
    path: str, arguments: Mapping[str, Attribute], blocks: Iterable[Block], scope: Scope
) -> Iterator[NestedArgument]:
    """The arguments that a path with dots leads to. Raises HclSyntaxError."""
    first, _, rest = path.partition(".")
    if rest and any(nested_type(block) == first for block in blocks):
        for inner in bodies_of(blocks, first, scope):
            for found in arguments_at(rest, inner.body.attributes, inner.body.blocks, inner.scope):
                when = joined(inner.when, found.when)
                if when is not None:
                    yield found._replace(when=when)
    elif first in arguments:
        argument = arguments[first]
        names = rest.split(".") if rest else []
        yield NestedArgument(argument, reduce(GetAttribute, names, argument.expression), scope, ALWAYS)
