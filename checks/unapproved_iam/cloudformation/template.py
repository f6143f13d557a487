"""Read a CloudFormation or SAM template: everything that it attaches, and what could not be checked.

For every front end: templates in files, in Terraform's `template_body`, and single resources as checkov knows them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from unapproved_iam.cloudformation.document import Object, Scalar, node_of_value
from unapproved_iam.cloudformation.parameter_files import ParameterValues
from unapproved_iam.cloudformation.source_skips import TemplateText, text_of_body, text_of_file
from unapproved_iam.cloudformation.stack import Nesting, Stack, stacks_of
from unapproved_iam.cloudformation.world import Exported, Possible, World
from unapproved_iam.policies.attachment import Attachment, Reading, Unjudged, together
from unapproved_iam.policies.possible_text import Text, text


def read_template(
    path: str,
    given: Callable[[], Sequence[ParameterValues]] = tuple,
    exported: Callable[[Text], Iterable[Exported]] = lambda _: (),
) -> Reading | None:
    """What a file attaches; None when it is certainly no template, or one in which nothing can be attached.

    A file that may be one and cannot be read yields what could be read, and `Unjudged`. A template that another one
    nests is read as itself here, and with its parameters when the other one is read: those attachments have `calls`,
    and "Parent.Child" as their resource. `given` tells parameter values,
    each of a stack that may be made of the template; it is asked when there is one.
    `exported` tells what other stacks export under a name.
    """
    path = os.path.abspath(path)
    source = text_of_file(path)
    if isinstance(source, Unjudged):
        return Reading(unjudged=(source,))
    own = _read(source, Nesting(path, exported=exported)) if source else None
    stacks_given = given() if own else ()
    if source is None or own is None or not stacks_given:
        return own
    # What one of the files gives is open no more; what they leave to its default stands in the template's own reading.
    names = {name for values in stacks_given for name in values.values}
    kept = [one for one in own.attachments if not any(hole.written in names for hole in one.policy.holes)]
    stacks = (_read(source, Nesting(path, arguments_given(values), exported=exported)) for values in stacks_given)
    return together([own._replace(attachments=tuple(kept)), *(stack for stack in stacks if stack)])


def arguments_given(given: ParameterValues) -> dict[str, Callable[[], list[Possible]]]:
    """They decide the conditions of their stack: a file and what depends on it belong together."""
    world = World(origin=os.path.basename(given.path))
    return {name: _values_of([value], world) for name, value in given.values.items()}


def read_template_text(
    body: Text | str,
    path: str,
    line: int = 1,
    arguments: Mapping[str, Sequence[Text]] | None = None,
    on_one_line: bool = False,
) -> Reading | None:
    """What a template attaches that stands inside another file, e.g. in Terraform's `template_body`.

    None when it is no template, or one in which nothing can be attached.
    `body` may have holes. It begins on this line of the file, and is there as a whole when it is `on_one_line`.
    `arguments` are the values of its parameters, each with its alternatives; None when the tree does not tell them.
    """
    path = os.path.abspath(path)
    passed = None
    if arguments is not None:
        passed = {name: _values_of(values) for name, values in arguments.items() if values}
    return _read(text_of_body(body, path, line, on_one_line), Nesting(path, passed))


def read_template_node(root: Object, source: TemplateText) -> Reading:
    """What a template attaches that is made of parts of another document; `source` is that document's file."""
    return _read(source, Nesting(source.path), root) or Reading()


def _values_of(values: Sequence[Text], world: World = World()) -> Callable[[], list[Possible]]:  # noqa: B008
    return lambda: [Possible(value, world, 0) for value in values]


def reading_of_conf(logical_id: str, conf: object, path: str) -> Reading:
    """What one resource attaches, as checkov hands it to a check, when its template cannot be found.

    References that checkov has not replaced are holes, and conditions are open. Raises nothing.
    """
    path = os.path.abspath(path)
    resource = node_of_value(conf)
    root = Object([(Scalar("Resources"), Object([(Scalar(logical_id, resource.line), resource)]))])
    reading = _read(TemplateText(path, ""), Nesting(path), root) or Reading()
    attachments: list[Attachment] = []
    for attachment in reading.attachments:
        # checkov writes the default of a list parameter as one text
        policies = [text(part) for part in re.split(r",\s*(?=arn:)", attachment.policy.known or "")]
        several = len(policies) > 1
        attachments += [attachment._replace(policy=policy) for policy in policies] if several else [attachment]
    return reading._replace(attachments=tuple(attachments))


def _read(source: TemplateText, nesting: Nesting, root: Object | None = None) -> Reading | None:
    readings = [stack.reading() if isinstance(stack, Stack) else stack for stack in stacks_of(source, nesting, root)]
    return together(readings) if readings else None
