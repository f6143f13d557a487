"""The pages on the deny list: their lists are valid, their tables are those of the format, their claims hold."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from project_files import PROJECT, blocks, table
from unapproved_iam.deny_list.builtin_lists import BUILTIN_LISTS, PURPOSES
from unapproved_iam.deny_list.list_format import APPROVAL, DENY_LIST, ENTRY, EXCLUSION, USE, Form
from unapproved_iam.deny_list.reader import read_deny_list
from unapproved_iam.policies.policy_arn import globs_of_entry

REFERENCE, MIGRATING = PROJECT / "docs" / "deny-list.md", PROJECT / "docs" / "migrating.md"


@pytest.mark.parametrize("name", ["unapproved-iam-policies.yaml", "allow-list.yaml"])
def test_the_lists_of_the_reference_are_valid(name: str, tmp_path: Path) -> None:
    [sample] = [sample for sample in blocks(REFERENCE) if sample.file == name]
    (tmp_path / name).write_text(sample.text)
    assert read_deny_list(str(tmp_path / name)).entries


def test_the_lists_of_the_guide_are_valid(tmp_path: Path) -> None:
    samples = [one for one in blocks(MIGRATING) if one.language == "yaml"]
    assert len(samples) == 4
    for sample in samples:
        (tmp_path / sample.file).write_text(sample.text)
        assert read_deny_list(str(tmp_path / sample.file)).entries


def rows(form: Form) -> Iterator[str]:
    for name, key in form.keys.items():
        yield f"| `{name}` | {key.form.expected}{' (required)' if key.required else ''} | {key.purpose} |"


@pytest.mark.parametrize("form", [DENY_LIST, USE, ENTRY, APPROVAL, EXCLUSION], ids=lambda form: form.expected[:40])
def test_the_keys_are_those_of_the_format(form: Form) -> None:
    head = "| key | what it holds | what it is for |\n|---|---|---|\n"
    assert head + "\n".join(rows(form)) + "\n\n" in REFERENCE.read_text()


def test_what_an_entry_matches() -> None:
    examples = table(REFERENCE, "| entry | matches |")
    for entry, matching, other in examples[:-1]:
        for arns, expected in ((matching, True), (other, False)):
            for arn in arns.split(", "):
                matches = any(glob.expression.fullmatch(arn) for glob in globs_of_entry(entry))
                assert matches is expected, (entry, arn)
    assert examples[-1][0] == "*"


def test_the_built_in_lists() -> None:
    shown = table(REFERENCE, "| list | entries |")
    assert shown == [[name, str(len(BUILTIN_LISTS[name])), purpose] for name, purpose in PURPOSES.items()]
