"""Read the values that a file gives to the parameters of a template.

For `scan.parameter_binding`, which knows whose parameters they are, and `cloudformation.template`. Sources:
"create-stack" and "deploy" in the AWS CLI command reference (`[{ParameterKey, ParameterValue}]`, `["KEY=VALUE"]`),
"Template configuration file" in the CodePipeline user guide (`{Parameters: {KEY: VALUE}}`), "Stack deployment file" of
Git sync in the CloudFormation user guide, "AWS SAM CLI configuration file".
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from unapproved_iam.cloudformation.document import (
    Array,
    Node,
    Object,
    Scalar,
    Unreadable,
    documents_of,
    value_of,
    values_of,
)
from unapproved_iam.cloudformation.parameter_look import DEPLOYMENT_FILE, SAM_CONFIGURATIONS
from unapproved_iam.cloudformation.world import scalar_text
from unapproved_iam.late_patterns import late_pattern
from unapproved_iam.policies.possible_text import Text, text, unknown
from unapproved_iam.source_bytes import decoded

_SAM_TOML = SAM_CONFIGURATIONS[0]


class ParameterValues(NamedTuple):
    """What one file gives to the parameters of one stack."""

    path: str
    values: Mapping[str, Text]


def parameter_values(path: str, source: bytes) -> list[ParameterValues]:
    """The values in a file, once for each stack that it is about; none when it has none of the forms."""
    written = decoded(source)
    name = os.path.basename(path)
    if name == _SAM_TOML:
        return [ParameterValues(path, values) for values in _of_sam(written) if values]
    documents = _documents_in(written)
    if name in SAM_CONFIGURATIONS:
        overrides = (node for document in documents for node in _under("parameter_overrides", document))
        return [ParameterValues(path, values) for node in overrides if (values := dict(_overridden(node)))]
    values = dict(_given(documents[0])) if len(documents) == 1 else {}
    return [ParameterValues(path, values)] if values else []


def _documents_in(written: str) -> list[Node]:
    try:
        return list(documents_of(written))
    except Unreadable:
        return []


def _under(key: str, document: Node) -> Iterator[Node]:
    """Every value under a key, however deep; an alias is followed once."""
    waiting, seen = [document], set[int]()
    while waiting:
        node = waiting.pop()
        if id(node) in seen or isinstance(node, Scalar):
            continue
        seen.add(id(node))
        yield from values_of(node, key)
        waiting += node.items if isinstance(node, Array) else [value for _, value in node.pairs]


def _overridden(node: Node) -> Iterator[tuple[str, Text]]:
    """What `parameter_overrides` in YAML assigns: one text, a list of texts, or a mapping."""
    if isinstance(node, Object):
        yield from ((scalar_text(key), _value_of(scalar_text(key), value)) for key, value in node.pairs)
    elif isinstance(node, Array):
        yield from _assigned(scalar_text(item) for item in node.items)
    else:
        yield from _assigned(_words(node.text))


def declared_parameters(source: bytes) -> frozenset[str]:
    """The names of a template's parameters; none when it cannot be read, which its reader says."""
    if b"Parameters" not in source or b"Resources" not in source:
        return frozenset()
    try:
        sections = [value_of(one, "Parameters") for one in documents_of(decoded(source)) if value_of(one, "Resources")]
    except Unreadable:
        return frozenset()
    pairs = [pair for section in sections for pair in (section.pairs if isinstance(section, Object) else ())]
    return frozenset(scalar_text(key) for key, _ in pairs)


def _given(document: Node) -> Iterator[tuple[str, Text]]:
    if isinstance(document, Array):
        if all(isinstance(item, Scalar) for item in document.items):
            yield from _assigned(scalar_text(item) for item in document.items)
        elif all(scalar_text(value_of(item, "ParameterKey")) for item in document.items):
            for item in document.items:
                name = scalar_text(value_of(item, "ParameterKey"))
                yield name, _value_of(name, value_of(item, "ParameterValue"))
        return
    section = value_of(document, "Parameters" if value_of(document, DEPLOYMENT_FILE) is None else "parameters")
    pairs = section.pairs if isinstance(section, Object) and value_of(document, "Resources") is None else []
    if all(not isinstance(value, Object) for _, value in pairs):
        yield from ((scalar_text(key), _value_of(scalar_text(key), value)) for key, value in pairs)


def _value_of(name: str, node: Node | None) -> Text:
    """A list is written as the text with commas that it becomes."""
    if isinstance(node, Array) and all(isinstance(item, Scalar) for item in node.items):
        return text(",".join(map(scalar_text, node.items)))
    if isinstance(node, Scalar):
        return text(scalar_text(node))
    return unknown(name, f"parameter {name} keeps the value that the stack has")


def _assigned(pairs: Iterator[str] | list[str]) -> Iterator[tuple[str, Text]]:
    """What `KEY=VALUE` and the longer `ParameterKey=KEY,ParameterValue=VALUE` assign."""
    for pair in pairs:
        long_form = re.fullmatch(r"ParameterKey=([^,]*),ParameterValue=(.*)", pair, re.DOTALL)
        name, equals, value = (long_form[1], "=", long_form[2]) if long_form else pair.partition("=")
        if equals and re.fullmatch(r"\w+", name):
            yield name, text(value)


# The few words of TOML that matter here: its library comes with Python 3.11 only.
_STRING_FORMS = r'"""(.*?)"""|\'\'\'(.*?)\'\'\'|"((?:\\.|[^"\\\n])*)"|\'([^\'\n]*)\''
_STRING = late_pattern(_STRING_FORMS, re.DOTALL)
_OVERRIDES = late_pattern(
    rf"^[ \t]*parameter_overrides[ \t]*=[ \t]*(\[(?:[^\]\"']|{_STRING_FORMS})*\]|{_STRING_FORMS})",
    re.MULTILINE | re.DOTALL,
)
_TEMPLATE_FILE = late_pattern(rf"^[ \t]*(?:template_file|template)[ \t]*=[ \t]*({_STRING_FORMS})", re.MULTILINE)


def _of_sam(written: str) -> Iterator[dict[str, Text]]:
    for found in _OVERRIDES.finditer(written):
        strings = list(_strings(found[1]))
        yield dict(_assigned(strings if found[1].startswith("[") else _words(strings[0])))


def _words(written: str) -> list[str]:
    try:
        return shlex.split(written)
    except ValueError:  # a quotation that does not end
        return [written]


def templates_named(path: str, source: bytes) -> list[str]:
    """The paths of templates that a file names which gives parameters."""
    written = decoded(source)
    if os.path.basename(path) == _SAM_TOML:
        return [name for found in _TEMPLATE_FILE.finditer(written) for name in _strings(found[1])]
    is_sam = os.path.basename(path) in SAM_CONFIGURATIONS
    keys = ("template_file", "template") if is_sam else (DEPLOYMENT_FILE,) if DEPLOYMENT_FILE in written else ()
    nodes = (node for key in keys for document in _documents_in(written) for node in _under(key, document))
    return [node.text for node in nodes if isinstance(node, Scalar) and node.text]


def _strings(written: str) -> Iterator[str]:
    import json  # few trees have a configuration of the SAM CLI

    for found in _STRING.finditer(written):
        literal = next((part for part in (found[2], found[4]) if part is not None), None)
        if literal is not None:
            yield literal
            continue
        basic = found[1] if found[1] is not None else found[3]
        try:
            yield str(json.loads('"' + basic.replace("\n", "\\n") + '"'))
        except ValueError:
            yield basic
