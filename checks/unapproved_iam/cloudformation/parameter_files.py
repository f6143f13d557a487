"""Read the values that a file gives to the parameters of a template.

For `scan.parameter_binding`, which knows whose parameters they are, and `cloudformation.template`. Sources:
"create-stack" and "deploy" in the AWS CLI command reference (`[{ParameterKey, ParameterValue}]`, `["KEY=VALUE"]`),
"Template configuration file" in the CodePipeline user guide (`{Parameters: {KEY: VALUE}}`), "AWS SAM CLI
configuration file".
"""

from __future__ import annotations

import json
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
)
from unapproved_iam.cloudformation.world import scalar_text
from unapproved_iam.policies.possible_text import Text, text, unknown
from unapproved_iam.source_bytes import decoded

SAM_CONFIGURATION = "samconfig.toml"


class ParameterValues(NamedTuple):
    """What one file gives to the parameters of one stack."""

    path: str
    values: Mapping[str, Text]


def parameter_values(path: str, source: bytes) -> list[ParameterValues]:
    """The values in a file, once for each stack that it is about; none when it has none of the forms."""
    written = decoded(source)
    if os.path.basename(path) == SAM_CONFIGURATION:
        return [ParameterValues(path, values) for values in _of_sam(written) if values]
    try:
        documents = list(documents_of(written))
    except Unreadable:
        return []
    values = dict(_given(documents[0])) if len(documents) == 1 else {}
    return [ParameterValues(path, values)] if values else []


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
    section = value_of(document, "Parameters")
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
_STRING = re.compile(r'"""(.*?)"""|\'\'\'(.*?)\'\'\'|"((?:\\.|[^"\\\n])*)"|\'([^\'\n]*)\'', re.DOTALL)
_OVERRIDES = re.compile(
    rf"^[ \t]*parameter_overrides[ \t]*=[ \t]*(\[(?:[^\]\"']|{_STRING.pattern})*\]|{_STRING.pattern})",
    re.MULTILINE | re.DOTALL,
)
_TEMPLATE_FILE = re.compile(rf"^[ \t]*(?:template_file|template)[ \t]*=[ \t]*({_STRING.pattern})", re.MULTILINE)


def _of_sam(written: str) -> Iterator[dict[str, Text]]:
    for found in _OVERRIDES.finditer(written):
        strings = list(_strings(found[1]))
        try:
            pairs = strings if found[1].startswith("[") else shlex.split(strings[0])
        except ValueError:  # a quotation that does not end
            pairs = strings
        yield dict(_assigned(pairs))


def templates_of_sam(source: bytes) -> list[str]:
    """The paths of templates that a configuration of the SAM CLI names."""
    return [path for found in _TEMPLATE_FILE.finditer(decoded(source)) for path in _strings(found[1])]


def _strings(written: str) -> Iterator[str]:
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
