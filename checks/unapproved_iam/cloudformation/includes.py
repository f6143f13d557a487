"""Put the files of the tree that `AWS::Include` names into a template, as `aws cloudformation package` uploads them.

For the readers of templates. What lies elsewhere stays as it is, and is not known. Sources: "AWS::Include transform" in
the CloudFormation documentation, "package" in the AWS CLI command reference.
"""

from __future__ import annotations

import os

from unapproved_iam.cloudformation.document import (
    Array,
    Node,
    Object,
    Scalar,
    Unreadable,
    documents_of,
    value_of,
)
from unapproved_iam.source_bytes import decoded, readable

_TRANSFORM = "Fn::Transform"


def may_include(written: str) -> bool:
    return "AWS::Include" in written


def with_includes(node: Node, directory: str) -> Node:
    """The same node with what the files below the directory of the template hold, on the line that names each."""
    return _with_includes(node, directory, {})


def _with_includes(node: Node, directory: str, seen: dict[int, Node]) -> Node:
    if isinstance(node, Scalar):
        return node
    if id(node) not in seen:  # an alias leads to a part again
        if isinstance(node, Array):
            items = [_with_includes(item, directory, seen) for item in node.items]
            seen[id(node)] = Array(items, node.line, node.end_line)
        else:
            seen[id(node)] = _object(node, directory, seen)
    return seen[id(node)]


def _object(node: Object, directory: str, seen: dict[int, Node]) -> Node:
    pairs: list[tuple[Node, Node]] = []
    for key, value in node.pairs:
        is_transform = isinstance(key, Scalar) and key.text == _TRANSFORM
        included = _included(value, directory, key.line) if is_transform else None
        if isinstance(included, Object):
            pairs += included.pairs
        elif included is not None and len(node.pairs) == 1:
            return included
        else:
            pairs.append((key, _with_includes(value, directory, seen)))
    return Object(pairs, node.line, node.end_line)


def _included(transform: Node, directory: str, line: int) -> Node | None:
    """What the file of a transform holds; None when it is none of the tree, or cannot be read."""
    name, location = value_of(transform, "Name"), value_of(value_of(transform, "Parameters"), "Location")
    if not isinstance(name, Scalar) or name.text != "AWS::Include" or not isinstance(location, Scalar):
        return None
    path = os.path.normpath(os.path.join(directory, location.text.removeprefix("file://")))
    source = readable(path) if "://" not in location.text.removeprefix("file://") else None
    if source is None:
        return None
    try:
        documents = list(documents_of(decoded(source)))
    except Unreadable:
        return None
    return _on_line(documents[0], line) if len(documents) == 1 else None


def _on_line(node: Node, line: int) -> Node:
    if isinstance(node, Scalar):
        return Scalar(node.text, line, node.is_null)
    if isinstance(node, Array):
        return Array([_on_line(item, line) for item in node.items], line, line)
    return Object([(_on_line(key, line), _on_line(value, line)) for key, value in node.pairs], line, line)
