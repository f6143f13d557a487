"""Decide which policies a resource or a module call attaches, and to whom.

For `terraform.root_module` and `checkov_host.resource_conf`. A resource attaches by the attributes that
`terraform.resource_types` lists; a call of a module that is not in the tree attaches the policies whose ARNs are among
its arguments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from unapproved_iam.hcl.alternatives import applied, applied_to_alternatives, one_of
from unapproved_iam.hcl.collection_values import attribute_of
from unapproved_iam.hcl.evaluation import evaluate
from unapproved_iam.hcl.scope import Scope
from unapproved_iam.hcl.syntax import Attribute, Block
from unapproved_iam.hcl.texts import possible_texts
from unapproved_iam.hcl.values import (
    Found,
    Null,
    Openness,
    Plain,
    Possible,
    Sequence,
    String,
    Value,
    parts_of,
    string,
    text_of,
    under,
    unknown,
)
from unapproved_iam.hcl.values import Mapping as MappingValue
from unapproved_iam.policies.attachment import Attachment, Place, Principal, Reading
from unapproved_iam.policies.policy_arn import POLICY_ARN, ROOT_PATH, customer_managed, narrowed
from unapproved_iam.policies.possible_text import Alphabet, Hole, Text
from unapproved_iam.terraform.instances import turns_of
from unapproved_iam.terraform.module_files import nested_type
from unapproved_iam.terraform.resource_types import ATTACHING_TYPES, Form, PolicyAttribute, PrincipalAttribute
from unapproved_iam.terraform.resource_values import SCAN_THE_PLAN, Declared, name_of


class Policy(NamedTuple):
    """A policy that may be attached, and where the expression stands that yields it."""

    found: Found
    place: Place


@dataclass(frozen=True)
class EmbeddedTemplate:
    """The text of a CloudFormation template in an argument, and the parameters that are given to it."""

    found: Found
    argument: Attribute
    parameters: Value | None

    def reading(self) -> Reading:
        from unapproved_iam.cloudformation.template import read_template_text  # few trees have such resources

        place = Place(self.argument.place.path, self.argument.line)
        # Of a template that is not computed the policies in it are known, like those of any such value.
        if self.found.text.is_unknown or _is_policy_arn(self.found.text):
            return Reading((Attachment("", "", self.found.text, (), place, place),))
        is_heredoc = self.argument.end_line > self.argument.line and self.found.place is not None
        line = self.argument.line + is_heredoc
        reading = read_template_text(self.found.text, place.path, line, self._arguments(), not is_heredoc)
        return reading or Reading()

    def _arguments(self) -> dict[str, list[Text]] | None:
        if self.parameters is None:
            return {}
        if any(not isinstance(possible.plain, MappingValue) for possible in self.parameters):
            return None
        arguments: dict[str, list[Text]] = {}
        for possible in self.parameters:
            for entry in possible.plain.entries if isinstance(possible.plain, MappingValue) else ():
                if entry.key.known is None:
                    return None
                arguments.setdefault(entry.key.known, []).extend(found.text for found in possible_texts(entry.value))
        return arguments


@dataclass(frozen=True)
class AttachingResource:
    """One instance of a resource of a type that attaches policies. Its methods raise HclSyntaxError."""

    declared: Declared
    blocks: tuple[Block, ...]  # the nested ones
    others: Mapping[str, Declared]  # resources by address, for principals that are named by an ARN

    def policies(self) -> Iterator[Policy]:
        row = ATTACHING_TYPES[self.declared.type]
        if any(attribute.form is Form.OWN for attribute in row.policies) and not any(self.principals()):
            return  # a policy that nobody has
        for attribute in row.policies:
            argument = self.declared.arguments.get(attribute.name)
            if attribute.form is Form.NAME:
                yield from self._named_in_blocks(attribute.name)
            if argument is None:
                continue
            if attribute.form is Form.NAME:
                value = applied_to_alternatives(_arns_of_references, [self._value(argument)], argument.expression)
            elif attribute.form is Form.TEMPLATE:
                continue
            elif attribute.form is Form.OWN:
                path = self.declared.argument("path") or string(ROOT_PATH)
                value = _customer_managed(self._value(argument), path)
            else:
                value = self._attached(attribute, argument)
            for found in possible_texts(value):
                yield Policy(found, place_within(argument, found))

    def templates(self) -> Iterator[EmbeddedTemplate]:
        """The CloudFormation templates that it deploys."""
        for attribute in ATTACHING_TYPES[self.declared.type].policies:
            argument = self.declared.arguments.get(attribute.name)
            if attribute.form is Form.TEMPLATE and argument is not None:
                for found in possible_texts(self._value(argument)):
                    yield EmbeddedTemplate(found, argument, self.declared.argument("parameters"))

    def principals(self) -> Iterator[Principal]:
        for attribute in ATTACHING_TYPES[self.declared.type].principals:
            yield from self._principals_by(attribute)

    def _value(self, argument: Attribute) -> Value:
        return evaluate(argument.expression, self.declared.scope)

    def _attached(self, attribute: PolicyAttribute, argument: Attribute) -> Value:
        """The policies of an argument; where a root variable has none by default, they are still to come."""
        value = self._value(argument)
        if not any(map(_has_none_by_default, value)):
            return value
        written = f"{self.declared.address}.{attribute.name}"
        missing = unknown(written, f"{argument.expression} has no value by default", SCAN_THE_PLAN)
        return one_of(
            [
                under(missing, one.when, one.openness, one.origin) if _has_none_by_default(one) else Value((one,))
                for one in value
            ],
            argument.expression,
        )

    def _named_in_blocks(self, block_type: str) -> Iterator[Policy]:
        """Blocks with a name and a path, and `dynamic` blocks that make such."""
        for block in self.blocks:
            if nested_type(block) != block_type:
                continue
            if block.type != "dynamic":
                yield from self._named_in(block, self.declared.scope)
                continue
            arguments = block.body.attributes
            iterator = str(arguments["iterator"].expression) if "iterator" in arguments else block_type
            for content in block.body.blocks:
                if content.type == "content" and "for_each" in arguments:
                    for turn in turns_of(arguments["for_each"].expression, iterator, self.declared.scope):
                        for policy in self._named_in(content, turn.scope):
                            found = policy.found._replace(when=(*turn.when, *policy.found.when))
                            yield policy._replace(found=found)

    def _named_in(self, block: Block, scope: Scope) -> Iterator[Policy]:
        arguments = block.body.attributes
        if "name" in arguments:
            name = evaluate(arguments["name"].expression, scope)
            path = evaluate(arguments["path"].expression, scope) if "path" in arguments else string(ROOT_PATH)
            for found in possible_texts(_customer_managed(name, path)):
                yield Policy(found, arguments["name"].place)

    def _principals_by(self, attribute: PrincipalAttribute) -> Iterator[Principal]:
        if attribute.own:
            names = possible_texts(name_of(self.declared, attribute.name))
            yield from (Principal(attribute.kind, found.text, self.declared.address) for found in names)
            return
        argument = self.declared.arguments.get(attribute.name)
        if argument is None:
            return
        for found in possible_texts(self._value(argument)):
            other = self.others.get(found.address)
            if not attribute.by_arn:
                yield Principal(attribute.kind, found.text, found.address)
            elif other is not None:
                names = possible_texts(name_of(other, "name"))
                yield from (Principal(attribute.kind, name.text, found.address) for name in names)
            else:
                hole = Hole(str(argument.expression), "an ARN does not tell the name", remedy=SCAN_THE_PLAN)
                yield Principal(attribute.kind, Text((hole,)))


def place_within(argument: Attribute, found: Found) -> Place:
    """The literal's line when it stands in the argument, else the argument's: what stands elsewhere is used here."""
    inside = found.place and found.place.path == argument.place.path
    if inside and found.place and argument.line <= found.place.line <= argument.end_line:
        return found.place
    return Place(argument.place.path, argument.line)


def _has_none_by_default(possible: Possible) -> bool:
    """Whether a root variable decides which policies there are, and its value names none: null, `""` or `[]`."""
    plain = possible.plain
    is_empty = isinstance(plain, Null) or (isinstance(plain, Sequence) and not plain.items and plain.rest is None)
    is_empty = is_empty or (isinstance(plain, String) and plain.text.known == "")
    return is_empty and possible.openness is not Openness.DECIDED


def _customer_managed(name: Value, path: Value) -> Value:
    def arn(name: Plain, path: Plain) -> Value:
        written = text_of(name)
        return string(customer_managed(written, text_of(path) or ROOT_PATH)) if written else Value((Possible(name),))

    return applied(arn, [name, path], "the policy's name and path")


def _arns_of_references(possible: Possible) -> Value:
    """Objects with a name and a path, as the ARNs of these policies; other alternatives as they are."""
    plain = possible.plain
    if isinstance(plain, Sequence):
        items = tuple(
            item._replace(value=applied_to_alternatives(_arns_of_references, [item.value], "")) for item in plain.items
        )
        rest = applied_to_alternatives(_arns_of_references, [plain.rest], "") if plain.rest else None
        return Value((replace(possible, plain=replace(plain, items=items, rest=rest)),))
    if isinstance(plain, MappingValue):
        has_path = any(entry.key.known == "path" for entry in plain.entries)
        path = attribute_of(possible, "path", "path") if has_path else string(ROOT_PATH)
        return _customer_managed(attribute_of(possible, "name", "name"), path)
    return Value((possible,))


# -- calls of modules that are not in the tree -------------------------------------------------------------------------

_META_ARGUMENTS = {"source", "version", "providers", "depends_on", "count", "for_each"}
# What limits a principal attaches nothing; what stands in a policy document is attached by nobody.
_NOT_ATTACHED = re.compile(r"boundar|statement|document|inline|condition", re.IGNORECASE)
_OF_A_DOCUMENT = {"effect", "action", "actions", "not_actions", "notaction", "notactions", "statement", "statements"}


def policies_of_call(arguments: Mapping[str, Attribute], scope: Scope) -> Iterator[Policy]:
    """The policy ARNs among the arguments of a call; what may be something else is none. Raises HclSyntaxError."""
    for name, argument in arguments.items():
        if name in _META_ARGUMENTS or _NOT_ATTACHED.search(name):
            continue
        for possible in evaluate(argument.expression, scope):
            for found in _policies_within(possible):
                yield Policy(found, place_within(argument, found))


def _policies_within(possible: Possible) -> Iterator[Found]:
    plain = possible.plain
    if isinstance(plain, String):
        if _is_policy_arn(plain.text):
            yield Found(plain.text, possible.when, possible.origin, plain.place)
    elif isinstance(plain, MappingValue):
        if _OF_A_DOCUMENT.isdisjoint((entry.key.known or "").lower() for entry in plain.entries):
            for entry in plain.entries:
                if _is_policy_arn(entry.key):
                    yield Found(entry.key, (*possible.when, *entry.when), possible.origin)
                if not _NOT_ATTACHED.search(entry.key.known or ""):
                    yield from _policies_of_parts(under(entry.value, entry.when), possible)
    elif isinstance(plain, Sequence):
        for value, when in parts_of(plain):
            yield from _policies_of_parts(under(value, when), possible)


def _policies_of_parts(value: Value, whole: Possible) -> Iterator[Found]:
    for possible in under(value, whole.when, origin=whole.origin):
        yield from _policies_within(possible)


def _is_policy_arn(content: Text) -> bool:
    """Whether it surely is the ARN of a policy, whatever its partition, its account or a part of its path and name."""
    stand_ins = {Alphabet.ANY: "\0", Alphabet.SEGMENT: "x", Alphabet.DIGITS: "0" * 12}
    pieces = (stand_ins[piece.alphabet] if isinstance(piece, Hole) else piece for piece in narrowed(content).pieces)
    return POLICY_ARN.fullmatch("".join(pieces)) is not None
