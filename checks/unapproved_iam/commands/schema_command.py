"""The JSON Schema of the deny list, for editors: `unapproved-iam schema` prints it.

Made from the table that the reader checks files by, so both refuse the same files, but for what a schema cannot say:
whether AWS has such a policy, whether an ARN can match, whether the files that a list extends are there.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from unapproved_iam.commands.command_line import argument_parser
from unapproved_iam.deny_list.list_format import APPROVAL, DAY, DENY_LIST, NEEDS_NO_FILES, Form
from unapproved_iam.marked_yaml import Kind
from unapproved_iam.program import CLEAN


def parser() -> ArgumentParser:
    return argument_parser("schema")


def main(argv: Sequence[str]) -> int:
    parser().parse_args(argv)
    print(json.dumps(deny_list_schema(), indent=2))
    return CLEAN


def deny_list_schema() -> dict[str, Any]:
    """The schema as JSON values; draft 7, which every editor's YAML support knows."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Deny list of IAM managed policies",
        "description": "Which IAM managed policies must not be attached, and the approved exceptions.",
        **_schema_of(DENY_LIST),
        "anyOf": [{"required": [key]} for key in DENY_LIST.keys if key != "version"],
    }


def _schema_of(form: Form) -> dict[str, Any]:
    if form.kind is Kind.MAPPING:
        return _schema_of_mapping(form)
    if form.kind is Kind.LIST:
        assert form.items
        several = {"type": "array", "minItems": 1, "uniqueItems": True, "items": _schema_of(form.items)}
        return {"anyOf": [_schema_of(form.items), several]} if form.or_one else several
    if form.kind is Kind.TRUTH:
        return {"type": "boolean"}
    if form.kind is Kind.NUMBER:
        return {"enum": [int(choice) for choice in form.choices]}
    if form.choices:
        return {"enum": list(form.choices)}
    day = {"format": "date"} if form is DAY else {}
    return {"type": "string", "pattern": f"^(?:{form.pattern})$", **day}


def _schema_of_mapping(form: Form) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "required": [name for name, key in form.keys.items() if key.required],
        "properties": {name: {"description": key.purpose, **_schema_of(key.form)} for name, key in form.keys.items()},
    }
    if form.short:
        short = _schema_of(form.keys[form.short].form)
        if "pattern" not in short:
            return {"anyOf": [short, schema]}
        schema |= {
            "type": ["string", "object"],
            "pattern": short["pattern"],
        }  # speaks of text only, the rest of mappings
    if form is APPROVAL:
        addresses_nothing = {"properties": {"attached_to": {"pattern": f"^(?:{NEEDS_NO_FILES})$"}}}
        schema |= {"if": addresses_nothing, "else": {"required": ["in"]}}
    return schema
