"""The tables of the README and of the reference say what the code's tables say."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from project_files import CHECKOV, COVERAGE, PROJECT, README, block, blocks, table
from unapproved_iam.cloudformation.resource_types import ATTACHING_TYPES as CLOUDFORMATION_TYPES
from unapproved_iam.commands.command_line import SUBCOMMANDS, main
from unapproved_iam.deny_list.builtin_lists import BUILTIN_LISTS, DEFAULT_LIST, PURPOSES
from unapproved_iam.deny_list.discovery import FILE_NAME
from unapproved_iam.deny_list.list_format import DENY_LIST, Form
from unapproved_iam.deny_list.reader import read_deny_list
from unapproved_iam.documents.document_types import DOCUMENT_TYPES, JSON_PATCH
from unapproved_iam.program import CLEAN, COULD_NOT_JUDGE, VIOLATION
from unapproved_iam.scan.source_files import KINDS, NAMES
from unapproved_iam.terraform.resource_types import ATTACHING_TYPES as TERRAFORM_TYPES

CONTRIBUTING = PROJECT / "CONTRIBUTING.md"


@pytest.mark.parametrize(
    ("header", "types"),
    [("| Terraform resource", TERRAFORM_TYPES), ("| CloudFormation and SAM", CLOUDFORMATION_TYPES)],
    ids=["Terraform", "CloudFormation"],
)
def test_resources(header: str, types: Mapping[str, Any]) -> None:
    rows = {name: (attributes, principals) for name, attributes, principals in table(COVERAGE, header)}
    assert list(rows) == list(types)
    for name, (attributes, principals) in rows.items():
        assert attributes == ", ".join(policy.name for policy in types[name].policies) or "what the transform adds"
        assert not types[name].principals or principals == ", ".join(one.kind for one in types[name].principals)


PATCHED = "the places in objects of Kubernetes"


def test_further_documents() -> None:
    """One page has a row for each kind of document, the other one for each family."""
    page = {row[0]: row[1:] for row in table(PROJECT / "docs/documents.md", "| document")}
    assert page == {
        name: [
            PATCHED if row is JSON_PATCH else ", ".join(policies.path for policies in row.policies),
            ", ".join(principal.kind for principal in row.principals),
            row.source,
        ]
        for name, row in DOCUMENT_TYPES.items()
    }
    assert {
        policies for row in DOCUMENT_TYPES.values() if row.framework == "kubernetes" for policies in row.policies
    } == {*JSON_PATCH.policies}
    families: dict[str, list[dict[str, None]]] = {}
    for name, row in DOCUMENT_TYPES.items():
        family, _, kind = name.rpartition(" ")
        kinds, keys, principals = families.setdefault(family, [{}, {}, {}])
        kinds[kind] = None
        keys.update({PATCHED: None} if row is JSON_PATCH else dict.fromkeys(policies.key for policies in row.policies))
        principals.update(dict.fromkeys(principal.kind for principal in row.principals))
    rows = {row[0]: row[1:] for row in table(COVERAGE, "| further document")}
    assert rows.pop("Serverless Framework")
    assert rows == {family: [", ".join(cell) for cell in cells] for family, cells in families.items()}


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_every_subcommand_is_there(name: str) -> None:
    assert find_spec(SUBCOMMANDS[name].module)


def test_each_key_of_the_json_report_is_described(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for file, policy in (("main.tf", "AdministratorAccess"), ("serverless.yml", "IAMFullAccess")):
        (tmp_path / file).write_text(block(README, "break_glass").replace("AdministratorAccess", policy))
    (tmp_path / "broken.tf").write_text(block(README, "break_glass").removesuffix("}\n"))
    (tmp_path / FILE_NAME).write_text(block(README, "the data team").replace("live/security/**", "'*.tf'"))
    main(["check", "--output=json", str(tmp_path)])
    report = json.loads(capsys.readouterr().out)
    assert report["findings"]
    assert report["findings"][0]["approvals"]
    assert report["unjudged"]
    assert report["mentions"]
    described = set(re.findall(r"`([a-z_]+)`", (PROJECT / "docs/outputs.md").read_text()))
    report["summary"]["excluded"] = {}  # its keys are reasons
    assert keys_in(report) <= described


def keys_in(value: object) -> set[str]:
    """The keys of objects at any depth."""
    if isinstance(value, dict):
        return set(value).union(*map(keys_in, value.values()))
    return set().union(*map(keys_in, value)) if isinstance(value, list) else set()


def test_exit_codes() -> None:
    assert [int(row[0]) for row in table(README, "| exit code")] == [CLEAN, VIOLATION, COULD_NOT_JUDGE]


def test_hooks() -> None:
    hooks = yaml.safe_load((PROJECT / ".pre-commit-hooks.yaml").read_text())
    rows = table(CHECKOV, "| hook")
    assert [row[0] for row in rows] == [hook["id"] for hook in hooks]
    assert all(hook["entry"].startswith(row[1]) for row, hook in zip(rows, hooks, strict=True))


@pytest.mark.parametrize("name", [*(f"name{suffix}" for suffix in KINDS), *NAMES])
def test_hooks_start_for_every_file_that_is_looked_at(name: str) -> None:
    for hook in yaml.safe_load((PROJECT / ".pre-commit-hooks.yaml").read_text()):
        assert re.search(hook["files"], f"directory/{name}")
        assert re.search(hook["files"], f"DIRECTORY/{name.upper()}")


def test_the_configurations_of_pre_commit_name_hooks() -> None:
    hooks = {hook["id"] for hook in yaml.safe_load((PROJECT / ".pre-commit-hooks.yaml").read_text())}
    samples = [sample for page in (README, CHECKOV) for sample in blocks(page)]
    shown = [yaml.safe_load(sample.text) for sample in samples if sample.file == ".pre-commit-config.yaml"]
    assert [hook["id"] for sample in shown for repository in sample["repos"] for hook in repository["hooks"]] == list(
        dict.fromkeys(row[0] for row in table(CHECKOV, "| hook") if row[0] in hooks)
    )


def test_the_default_list_is_named_whole() -> None:
    names = ", ".join(entry.policy for entry in BUILTIN_LISTS[DEFAULT_LIST])
    assert f"`{DEFAULT_LIST}` applies: {names}." in README.read_text()


def test_builtin_lists() -> None:
    assert {row[0]: row[1] for row in table(README, "| built-in list")} == PURPOSES


def keys_of(form: Form) -> set[str]:
    """Every key that may stand in a deny list, at any depth."""
    found = set(form.keys or {})
    for nested in [*(key.form for key in (form.keys or {}).values()), *([form.items] if form.items else [])]:
        found |= keys_of(nested)
    return found


def test_every_key_of_the_list_is_explained() -> None:
    section = README.read_text().partition("## Your list")[2].partition("## Exceptions")[0]
    assert not [key for key in keys_of(DENY_LIST) if not re.search(rf"\b{key}:", section)]


def test_the_list_is_one_that_the_reader_accepts(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    path.write_text(block(README, "the data team"))
    deny_list = read_deny_list(str(path))
    assert (len(deny_list.approvals), len(deny_list.exclusions)) == (1, 0)
    assert len(deny_list.entries) == 2 + len(BUILTIN_LISTS["aws-admin"])
