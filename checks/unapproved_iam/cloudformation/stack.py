"""Read one template as one stack: what its resources attach, and what the stacks that it nests attach.

For `cloudformation.template`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from unapproved_iam.cloudformation.attachments import Attached, Declared, Odd, attached_by, oddity_of
from unapproved_iam.cloudformation.document import Node, Object, Scalar, value_of, values_of
from unapproved_iam.cloudformation.nested_stacks import (
    NestedTemplate,
    arguments_of,
    policies_in_arguments,
    templates_of,
)
from unapproved_iam.cloudformation.parameters import Arguments, StackPlace
from unapproved_iam.cloudformation.resource_types import ATTACHING_TYPES
from unapproved_iam.cloudformation.sam_resources import (
    ROLE_OF_TYPE,
    attached_by_sam,
    attached_for_deployment,
    role_has_own_condition,
)
from unapproved_iam.cloudformation.source_skips import (
    TemplateText,
    declares_attaching_type,
    mentions_policies,
    text_of_body,
    text_of_file,
)
from unapproved_iam.cloudformation.unknowns import TooManyValues, Unknowns
from unapproved_iam.cloudformation.values import MOST_STEPS, Evaluator
from unapproved_iam.cloudformation.world import Entry, Exported, Given, Possible, World, scalar_text, with_late_parts
from unapproved_iam.policies.attachment import Attachment, Place, Principal, Reading, Unjudged, together
from unapproved_iam.policies.facts import ALWAYS, NEVER, Facts, TooManyFacts
from unapproved_iam.policies.possible_text import Text
from unapproved_iam.policies.told_facts import told

MOST_STEPS_OF_ALL = 1_000_000  # to evaluate all resources of one template
MOST_STACKS = 200  # nested in one template, all levels together


BEYOND_BOUNDS = (TooManyValues, TooManyFacts, RecursionError)


@dataclass
class Budget:
    stacks: int = MOST_STACKS


@dataclass(frozen=True)
class Nesting:
    """How a stack comes to be: which resources nest it, and what they pass."""

    unit: str  # the outermost template
    arguments: Arguments | None = None  # None: nobody in the tree creates the stack
    prefix: str = ""  # of logical ids, e.g. "Network.Roles."
    stack_set: str = ""  # the part of it that leads to the innermost StackSet
    places: tuple[Place, ...] = ()  # of the resources, outermost first
    files: tuple[str, ...] = ()  # of the templates in which they are
    world: World = field(default_factory=World)  # in which the stack is created
    assumed: Facts = ALWAYS  # what the rules of the outer templates assert
    names: Mapping[str, Facts] = field(default_factory=dict)  # facts that have a name in the outer templates
    skip: str | None = None
    budget: Budget = field(default_factory=Budget)
    unknowns: Unknowns = field(default_factory=Unknowns)
    exported: Callable[[Text], Iterable[Exported]] = lambda _: ()  # by the tree's stacks, under a name


class Stack:
    def __init__(self, root: Node, source: TemplateText, nesting: Nesting) -> None:
        """Raises one of BEYOND_BOUNDS when the sections of the template cannot be followed."""
        self.root = root
        self.source = source
        self.nesting = nesting
        place = StackPlace(nesting.prefix, nesting.stack_set, os.path.basename(source.path))
        self.evaluator = Evaluator(root, nesting.arguments, source.holes, nesting.unknowns, nesting.world, place)
        self.evaluator.output_of_nested = self._output_of_nested
        self.evaluator.exported = nesting.exported
        self._nested: dict[str, list[Stack]] = {}
        self._attached: set[tuple[int, int, Text]] = set()
        self._said: dict[Facts, tuple[str, ...]] = {}

    def reading(self) -> Reading:
        readings = [Reading(unjudged=self._odd_sections())]
        remaining = MOST_STEPS_OF_ALL
        for entry in sorted(self.evaluator.declared, key=lambda entry: bool(entry.world.supposed)):
            self.evaluator.steps = allowed = min(MOST_STEPS, remaining)
            try:
                readings += list(self._read_resource(entry))
                remaining -= allowed - self.evaluator.steps
            except BEYOND_BOUNDS as bound:
                remaining -= allowed
                said = f"{entry.name} has more possible values than can be followed ({_bound(bound)})"
                readings.append(self._unjudged(entry.line, said))
        return together(readings)

    def _odd_sections(self) -> tuple[Unjudged, ...]:
        return tuple(
            problem
            for section in values_of(self.root, "Resources")
            if not isinstance(section, Object) and declares_attaching_type(section)
            for problem in self._unjudged(section.line, "Resources is not a mapping of logical ids").unjudged
        )

    def _unjudged(self, line: int, reason: str) -> Reading:
        return Reading(unjudged=(Unjudged(self.source.place(line), reason),))

    # One resource

    def _read_resource(self, entry: Entry) -> Iterator[Reading]:
        written = value_of(entry.node, "Type")
        if not isinstance(written, Scalar):
            if mentions_policies(entry.node) or declares_attaching_type(entry.node):
                yield self._unjudged(entry.line, f"{entry.name} has no Type (expected for example AWS::IAM::Role)")
            return
        resource_type = str(self.evaluator.written(written.text, entry.world))
        if "${" in resource_type and mentions_policies(entry.node):
            yield self._unjudged(entry.line, f"the Type of {entry.name} is not known")
        if resource_type not in ATTACHING_TYPES and not resource_type.endswith("::MODULE"):
            return
        always = Declared(entry.name, resource_type, entry.node, entry.world, entry.line)
        yield Reading(nested=frozenset(nested.file for nested in self._templates_of(always) if nested.file))
        attached: list[Attached] = []
        if resource_type == "AWS::Serverless::Function":
            exists, shared = self.evaluator.exists(entry), value_of(self.root, "Globals")
            attached += attached_for_deployment(self.evaluator, always, exists, shared)
        for world in self._worlds_of(entry, resource_type):
            declared = Declared(entry.name, resource_type, entry.node, world, entry.line)
            for result in self._attached_by(declared):
                if isinstance(result, Odd):
                    yield self._unjudged(result.line, result.what)
                else:
                    attached.append(result)
            yield from self._read_nested(declared)
        yield Reading(tuple(self._new(entry, self._attachments(entry, resource_type, attached))))

    def _new(self, entry: Entry, attachments: Iterable[Attachment]) -> Iterator[Attachment]:
        """Without those that a loop over a parameter's default attaches as well as one over any other value."""
        for attachment in attachments:
            same = (id(entry.node), attachment.place.line, attachment.policy)
            if same not in self._attached or not entry.world.supposed:
                self._attached.add(same)
                yield attachment

    def _worlds_of(self, entry: Entry, resource_type: str) -> Iterator[World]:
        """The worlds in which the resource is created, or its role."""
        exists = ALWAYS if role_has_own_condition(resource_type, entry.node) else self.evaluator.exists(entry)
        facts = entry.world.facts & exists
        if facts is not NEVER:
            yield entry.world.with_facts(facts)

    def _attached_by(self, declared: Declared) -> Iterator[Attached | Odd]:
        odd = oddity_of(self.evaluator, declared)
        if odd:
            yield odd
        elif declared.resource_type in ROLE_OF_TYPE:
            yield from attached_by_sam(self.evaluator, declared, value_of(self.root, "Globals"))
        elif declared.resource_type in ATTACHING_TYPES:
            yield from attached_by(self.evaluator, declared, ATTACHING_TYPES[declared.resource_type])

    def _attachments(self, entry: Entry, resource_type: str, attached: Iterable[Attached]) -> Iterator[Attachment]:
        """One attachment for each policy and line, with the facts under which there is one."""
        alternatives: dict[tuple[Text, tuple[Principal, ...], int, str, str], Facts] = {}
        for one in attached:
            same = (one.policy, one.principals, one.line, one.note, one.world.origin)
            alternatives[same] = alternatives.get(same, NEVER) | one.world.facts
        if not alternatives:
            return
        block, skip = self._block_of(entry)
        possible = self.nesting.unknowns.of_lists()
        for (policy, principals, line, note, origin), facts in alternatives.items():
            if facts & possible is NEVER:
                continue
            named = (principal._replace(name=with_late_parts(principal.name)) for principal in principals)
            yield Attachment(
                resource=self.nesting.prefix + entry.name,
                resource_type=resource_type,
                policy=with_late_parts(policy),
                principals=tuple(named),
                place=self.source.place(line or entry.line),
                block=block,
                when=self._told(facts),
                calls=self.nesting.places,
                origin=origin,
                skip=skip,
                note=note,
                unit=self.nesting.unit,
            )

    def _told(self, facts: Facts) -> tuple[str, ...]:
        if facts not in self._said:
            here = os.path.basename(self.source.path)
            assumed = self.nesting.assumed & self.evaluator.rules & self.nesting.unknowns.of_lists()
            self._said[facts] = told(facts, assumed, self._names(), here)
        return self._said[facts]

    def _names(self) -> Mapping[str, Facts]:
        return {**self.nesting.names, **self.evaluator.named_facts()}

    def _names_elsewhere(self) -> Mapping[str, Facts]:
        """The names as messages about another file say them."""
        file = os.path.basename(self.source.path)
        return {
            **self.nesting.names,
            **{f"{name} of {file}": one for name, one in self.evaluator.named_facts().items()},
        }

    def _block_of(self, entry: Entry) -> tuple[Place, str | None]:
        """Where the resource stands, and its inline skip; one of a nesting resource covers all that it nests."""
        first, last = self.source.block_of(entry.node, entry.line)
        skip = self.nesting.skip
        return self.source.place(first, last), self.source.skip_of(entry.node, entry.line) if skip is None else skip

    # Nested stacks

    def _read_nested(self, declared: Declared) -> Iterator[Reading]:
        stacks = [stack for nested in self._templates_of(declared) for stack in self._stacks_of(declared, nested)]
        yield from (stack if isinstance(stack, Reading) else stack.reading() for stack in stacks)
        if not stacks:
            entry = Entry(declared.logical_id, declared.node, declared.world, declared.line)
            passed = policies_in_arguments(self.evaluator, declared)
            yield Reading(tuple(self._attachments(entry, declared.resource_type, passed)))

    def _templates_of(self, declared: Declared) -> Iterator[NestedTemplate]:
        return templates_of(self.evaluator, declared, os.path.dirname(self.source.path))

    def _stacks_of(self, declared: Declared, nested: NestedTemplate) -> Iterator[Stack | Reading]:
        """The stacks that a resource creates from one template, or what cannot be judged of it."""
        if nested.file in (self.source.path, *self.nesting.files):
            return  # it nests itself, which CloudFormation would refuse
        block, skip = self._block_of(Entry(declared.logical_id, declared.node, declared.world, declared.line))
        source = self._text_of(nested)
        if isinstance(source, Unjudged):
            yield Reading(unjudged=(source,))
        if not isinstance(source, TemplateText):
            return
        for arguments in arguments_of(self.evaluator, declared, os.path.basename(self.source.path)):
            if self.nesting.budget.stacks <= 0:
                yield self._unjudged(declared.line, f"more than {MOST_STACKS} stacks are nested")
                return
            self.nesting.budget.stacks -= 1
            prefix = f"{self.nesting.prefix}{declared.logical_id}."
            is_set = declared.resource_type == "AWS::CloudFormation::StackSet"
            nesting = replace(
                self.nesting,
                arguments=arguments,
                prefix=prefix,
                stack_set=prefix if is_set else self.nesting.stack_set,
                places=(*self.nesting.places, block),
                files=(*self.nesting.files, self.source.path),
                world=World(nested.world.facts, defaults=nested.world.defaults),
                assumed=self.nesting.assumed & self.evaluator.rules,
                names=self._names_elsewhere(),
                skip=skip,
            )
            yield from stacks_of(source, nesting, nested.body if isinstance(nested.body, Object) else None)

    def _text_of(self, nested: NestedTemplate) -> TemplateText | Unjudged | None:
        if nested.file:
            return text_of_file(nested.file, may_be_any=True)
        if isinstance(nested.body, Text):
            line, on_one_line = self._line_of_body(nested.body, nested.line)
            place = self.source.place(line)
            return text_of_body(nested.body, place.path, place.line, on_one_line or self.source.on_one_line)
        return self.source

    def _line_of_body(self, body: Text, line: int) -> tuple[int, bool]:
        """The line on which an embedded template begins: in a YAML block, the one after its key."""
        first = str(body).lstrip("\n").partition("\n")[0].strip()
        following = self.source.lines[line : line + 1]
        return (line + 1, False) if following and following[0].strip() == first else (line, True)

    def nested_stacks(self) -> Iterator[Stack]:
        """Those that its resources create, for who asks for their outputs."""
        for entry in self.evaluator.declared:
            yield from self._nested_in(entry)

    def _nested_in(self, entry: Entry) -> list[Stack]:
        if entry.name not in self._nested:
            resource_type = scalar_text(value_of(entry.node, "Type"))
            declared = Declared(entry.name, resource_type, entry.node, entry.world, entry.line)
            stacks = [stack for nested in self._templates_of(declared) for stack in self._stacks_of(declared, nested)]
            self._nested[entry.name] = [stack for stack in stacks if isinstance(stack, Stack)]
        return self._nested[entry.name]

    def _output_of_nested(self, logical_id: str, output: str, world: World) -> list[Possible] | None:
        """The values of an output of a nested stack, for Fn::GetAtt; None when the tree does not have the output."""
        outputs = [
            (stack, entry, entry.world.with_facts(entry.world.facts & stack.evaluator.exists(entry)))
            for stack in self._nested_in(self.evaluator.resources[logical_id])
            for section in values_of(stack.root, "Outputs")
            for entry in stack.evaluator.entries(section, stack.evaluator.start)
            if entry.name == output
        ]
        values = (
            Given((possible._replace(line=0),))
            for stack, entry, inner in outputs
            if inner.facts is not NEVER
            for possible in stack.evaluator.property_texts(entry.node, "Value", inner)
        )
        return [one for value in values for one in self.evaluator.values(value, world)] if outputs else None


def stacks_of(source: TemplateText, nesting: Nesting, root: Node | None = None) -> Iterator[Stack | Reading]:
    """The stack of each document of a text that is a template, and what cannot be judged of it."""
    roots, unjudged = ([root], []) if root is not None else source.roots()
    if unjudged:
        yield Reading(unjudged=tuple(unjudged))
    for document in roots:
        try:
            yield Stack(document, source, nesting)
        except BEYOND_BOUNDS as bound:
            reason = f"its loops and parameters have more values than can be followed ({_bound(bound)})"
            yield Reading(unjudged=(Unjudged(source.place(document.line), reason),))


def _bound(reached: BaseException) -> str:
    return "it is nested too deeply" if isinstance(reached, RecursionError) else f"at most {reached}"
