"""Tell whether a mapping is a document of some kind: an object of Kubernetes, a task of Ansible, a JSON patch.

For `documents.document_types`, whose rows say which kinds there are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from unapproved_iam.cloudformation.document import Array, Node, Object, Scalar, value_of
from unapproved_iam.late_patterns import late_pattern

# The part of a recognized mapping in which the paths of a row begin; None when it is something else.
Recognition = Callable[[Object], Node | None]


def steps_of(path: str) -> Iterator[tuple[str, bool]]:
    """The keys along a path, each with whether every member of a list is meant; a key with a dot stands in quotes."""
    for quoted, plain, each in re.findall(r'"([^"]*)"|([^.\[\]"/]+)(\[\])?', path):
        yield quoted or plain, bool(each)


def _written(node: Node | None) -> str:
    return node.text if isinstance(node, Scalar) else ""


def kubernetes(group: str, kind: str) -> Recognition:
    """An object of the Kubernetes API, wherever it stands: in a List, in the base of a Composition."""

    def recognize(node: Object) -> Node | None:
        is_one = _written(value_of(node, "kind")) == kind
        return node if is_one and re.fullmatch(rf"(?:{group})/\w+", _written(value_of(node, "apiVersion"))) else None

    return recognize


def pulumi(module: str, kind: str) -> Recognition:
    """A resource of Pulumi YAML by its type token, short (`aws:iam:Role`) or whole (`aws:iam/role:Role`)."""
    token = rf"{module}(?:/{kind[0].lower()}{kind[1:]})?:{kind}"

    def recognize(node: Object) -> Node | None:
        return value_of(node, "properties") if re.fullmatch(token, _written(value_of(node, "type"))) else None

    return recognize


def ansible(module: str) -> Recognition:
    """A task's arguments for a module, with or without its collection; none when the task removes what it names."""
    name = re.compile(rf"(?:(?:amazon|community)\.aws\.|ansible\.(?:legacy|builtin)\.)?{module}")

    def recognize(node: Object) -> Node | None:
        arguments = _arguments_of(node, name)
        if arguments is None or _written(value_of(arguments, "state")) == "absent":
            return None
        if isinstance(arguments, Scalar):  # a value of something else, unless a template fills it in
            return arguments if re.search(r"\{\{", arguments.text) else None
        return arguments

    return recognize


def _arguments_of(task: Object, name: re.Pattern[str]) -> Node | None:
    """What a task hands to the module of this name, in all the forms that Ansible takes; the last one counts."""
    arguments: Node | None = None
    for key, value in [*task.pairs, (Scalar("action"), value_of(task, "module") or Scalar(""))]:
        if _written(key) in ("action", "local_action"):
            module, _, written = _written(value).strip().partition(" ")
            own: Node = assigned_in(Scalar(written, value.line))
        else:
            module, own = _written(key), assigned_in(value)
        if name.fullmatch(module):
            arguments = own
    if arguments is None or isinstance(arguments, Array):
        return arguments
    others = [value_of(task, "args"), task if value_of(task, "module") is not None else None]
    added = [pair for other in others if isinstance(other, Object) for pair in other.pairs]
    if not added or (isinstance(arguments, Scalar) and arguments.text):
        return arguments
    own_pairs = arguments.pairs if isinstance(arguments, Object) else []
    return Object([*added, *own_pairs], task.line, task.end_line)


_ASSIGNED = late_pattern(r"""(?<!\S)(\w+)=("(?:\\.|[^"\\])*"|'[^']*'|(?:\{\{.*?\}\}|\S)*)""", re.DOTALL)


def assigned_in(value: Node) -> Node:
    """Arguments that are written in one text, `name=x managed_policies=y`, as a mapping; others as they are."""
    if not isinstance(value, Scalar):
        return value
    pairs = [
        (found[1], re.sub(r"""^(['"])(.*)\1$""", r"\2", found[2], flags=re.DOTALL))
        for found in _ASSIGNED.finditer(value.text)
    ]
    found: list[tuple[Node, Node]] = [(Scalar(key, value.line), Scalar(text, value.line)) for key, text in pairs]
    return Object(found, value.line, value.line) if found else value


def json_patch(paths: tuple[str, ...]) -> Recognition:
    """An operation that adds or replaces a value: the part of a document that it makes, where one of these paths leads
    into it."""

    def recognize(node: Object) -> Node | None:
        pointer, made = _written(value_of(node, "path")), value_of(node, "value")
        if made is None or not pointer.startswith("/") or _written(value_of(node, "op")) not in ("add", "replace"):
            return None
        for key in reversed(pointer[1:].split("/")):
            if key == "-" or key.isdigit():
                made = Array([made], node.line, node.end_line)
            else:
                name = Scalar(key.replace("~1", "/").replace("~0", "~"), made.line)
                made = Object([(name, made)], node.line, node.end_line)
        return made if any(_leads_into(made, list(steps_of(path))) for path in paths) else None

    return recognize


def _leads_into(node: Node, steps: list[tuple[str, bool]]) -> bool:
    if not steps:
        return True
    (wanted, each), *rest = steps
    values = [value for key, value in getattr(node, "pairs", ()) if wanted in ("*", _written(key))]
    items = [item for value in values for item in (getattr(value, "items", ()) if each else [value])]
    return any(_leads_into(item, rest) for item in items)


def with_key(key: str, form: type[Array] | type[Object]) -> Recognition:
    """A document of its own that has this key, with a value of this form."""
    return lambda node: node if isinstance(value_of(node, key), form) else None
