"""The JSON Schema and the reader accept and refuse the same files, but for what a fixture says beside itself."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from project_files import PROJECT
from unapproved_iam.commands.schema_command import deny_list_schema, main

ROOT = PROJECT
FIXTURES = ROOT / "fixtures" / "deny_lists"
VALIDATOR = jsonschema.Draft7Validator(deny_list_schema(), format_checker=jsonschema.FormatChecker(["date"]))


class EditorLoader(yaml.SafeLoader):
    """Reads scalars as YAML 1.2 does, and so editors: dates, `yes`, `off` and `<<` are text."""


EditorLoader.yaml_implicit_resolvers = {
    first: [
        (tag, re.compile("true|false", re.I) if tag.endswith(":bool") else expression)
        for tag, expression in resolvers
        if not tag.endswith((":timestamp", ":merge"))
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def accepts(path: Path) -> bool:
    try:
        documents: list[Any] = list(yaml.load_all(path.read_text(), EditorLoader))
    except yaml.YAMLError:
        return False
    return bool(documents) and all(VALIDATOR.is_valid(document) for document in documents)


@pytest.mark.parametrize("path", sorted((FIXTURES / "valid").rglob("*.yaml")), ids=lambda path: path.stem)
def test_accepts_what_the_reader_accepts(path: Path) -> None:
    [document] = yaml.load_all(path.read_text(), EditorLoader)
    VALIDATOR.validate(document)


@pytest.mark.parametrize("path", sorted((FIXTURES / "invalid").rglob("*.yaml")), ids=lambda path: path.stem)
def test_refuses_what_the_reader_refuses(path: Path) -> None:
    content = path.read_text()
    beyond_a_schema = re.search(r"^# not in the schema: .", content, re.M)
    assert accepts(path) == bool(beyond_a_schema)


def test_is_a_schema_and_the_file_for_editors(capsys: pytest.CaptureFixture[str]) -> None:
    jsonschema.Draft7Validator.check_schema(deny_list_schema())
    file = ROOT / "docs" / "unapproved-iam-policies.schema.json"
    assert main([]) == 0
    assert file.read_text() == capsys.readouterr().out, f"run: unapproved-iam schema > {file.relative_to(ROOT)}"
