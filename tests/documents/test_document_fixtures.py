"""What is found in the fixtures of further documents: each finding's line and policy stand in a comment on that line.

A name that begins with `fail` is denied something, with `open` unresolved; nothing else is denied anything.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from project_files import PROJECT
from unapproved_iam.cloudformation.document import Array, Node, Object, documents_of
from unapproved_iam.deny_list.builtin_lists import BUILTIN_LISTS
from unapproved_iam.deny_list.entries import DenyList, Entry, Origin
from unapproved_iam.deny_list.verdict import Judge, Verdict
from unapproved_iam.documents.document_reading import read_documents
from unapproved_iam.documents.document_types import DOCUMENT_TYPES, DocumentType
from unapproved_iam.documents.recognition import steps_of
from unapproved_iam.policies.attachment import Reading
from unapproved_iam.policies.policy_arn import display_name

FIXTURES = PROJECT / "fixtures/documents"
DOCUMENTS = sorted(FIXTURES.iterdir())
LEGACY = Entry("arn:aws:iam::*:policy/legacy-*", Origin("fixtures"))
JUDGE = Judge(DenyList("fixtures", (*BUILTIN_LISTS["aws-admin"], LEGACY)), str(FIXTURES), date(2026, 1, 1))
READABLE = [path for path in DOCUMENTS if path.stem != "odd_shapes"]


def read(path: Path) -> Reading:
    reading = read_documents(str(path))
    assert reading is not None
    return reading


def found_in(path: Path) -> dict[int, set[str]]:
    found: dict[int, set[str]] = defaultdict(set)
    reading = read(path)
    for attachment in reading.attachments:
        verdict = JUDGE.judge(attachment).verdict
        if verdict is Verdict.DENIED and attachment.skip is None:
            found[attachment.place.line].add(display_name(attachment.policy).rpartition("/")[2])
        elif verdict is Verdict.UNRESOLVED:
            found[attachment.place.line].add("unresolved")
    for problem in reading.unjudged:
        found[problem.place.line].add("not judged")
    return dict(found)


def commented(path: Path) -> Iterator[tuple[int, set[str]]]:
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        comment = re.search(r" # (?:denied: ([\w-]+)|(unresolved|not judged))$", line)
        if comment:
            yield number, {comment[1] or comment[2]}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_line_and_policy_of_each_finding(path: Path) -> None:
    assert found_in(path) == dict(commented(path))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_nothing_is_found_of_a_harmless_policy(path: Path, tmp_path: Path) -> None:
    """The twin of each finding: its policy, and nothing else, is another one."""
    twin = tmp_path / path.name
    denied = r"AdministratorAccess|PowerUserAccess|IAMFullAccess|(?<=[/\[ ])legacy-\w+"
    twin.write_text(re.sub(denied, "harmless", path.read_text("utf-8")), "utf-8")
    expected = [({"unresolved"}, {"not judged"})[number] for number in (0, 1)]
    assert all(said in expected for said in found_in(twin).values())


@pytest.mark.parametrize("path", READABLE, ids=lambda path: path.name)
def test_findings_have_the_names_that_expect_them(path: Path) -> None:
    for attachment in read(path).attachments:
        names = re.findall(r"\b(fail|open|pass|skip)-", f"{attachment.resource} {attachment.principals}")
        verdict = JUDGE.judge(attachment).verdict
        assert "pass" not in names or verdict is Verdict.CLEAN
        assert verdict is not Verdict.UNRESOLVED or "fail" not in names


@pytest.mark.parametrize("path", READABLE, ids=lambda path: path.name)
def test_a_block_holds_its_finding(path: Path) -> None:
    for attachment in read(path).attachments:
        assert attachment.block.line <= attachment.place.line <= attachment.block.end_line


# -- the table ---------------------------------------------------------------------------------------------------------


def parts_of(node: Node) -> Iterator[Object]:
    if isinstance(node, Object):
        yield node
        for _, value in node.pairs:
            yield from parts_of(value)
    elif isinstance(node, Array):
        for item in node.items:
            yield from parts_of(item)


@pytest.mark.parametrize("row", DOCUMENT_TYPES.values(), ids=DOCUMENT_TYPES)
def test_each_row_has_a_fixture(row: DocumentType) -> None:
    """With a denied policy at the end of each of its paths, and its mark in the file."""
    recognized: list[Node] = []
    for path in READABLE:
        written = path.read_text("utf-8")
        found = [node for one in documents_of(written) for part in parts_of(one) if (node := row.recognize(part))]
        assert not found or any(mark in written for mark in row.marks)
        recognized += found
    for policies in row.policies:
        assert any(reached(node, list(steps_of(policies.path))) for node in recognized), policies.path


def reached(node: Node, steps: list[tuple[str, bool]]) -> bool:
    if not steps:
        return True
    (wanted, each), *rest = steps
    values = [value for key, value in getattr(node, "pairs", ()) if wanted in (key.text, "*")]
    return any(reached(item, rest) for value in values for item in (value.items if each else [value]))


@pytest.mark.parametrize("row", DOCUMENT_TYPES.values(), ids=DOCUMENT_TYPES)
def test_each_mark_is_one_that_the_screen_finds(row: DocumentType) -> None:
    """It looks for marks only where it finds a part of a word for policies."""
    assert all(re.search("olic(?:ies|y[AR])|managed_policy", policies.path) for policies in row.policies)
    assert row.marks


# -- forms that no fixture has room for --------------------------------------------------------------------------------

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
ROLE: dict[str, Any] = {
    "apiVersion": "iam.services.k8s.aws/v1alpha1",
    "kind": "Role",
    "metadata": {"name": "x"},
    "spec": {"name": "x", "policies": [ADMINISTRATOR]},
}


def verdicts(tmp_path: Path, written: str, name: str = "document.yaml") -> list[str]:
    (tmp_path / name).write_text(written)
    reading = read_documents(str(tmp_path / name))
    if reading is None:
        return ["no such document"]
    judged = [JUDGE.judge(attachment).verdict.value for attachment in reading.attachments]
    return judged + ["not judged"] * len(reading.unjudged)


CASES = {
    "as JSON": (yaml.safe_dump(ROLE, default_flow_style=True, width=1000), ["denied"]),
    "with an escaped letter": (
        yaml.safe_dump(ROLE).replace("iam.services.k8s", '"\\u0069am.services.k8s').replace("/v1alpha1", '/v1alpha1"'),
        ["denied"],
    ),
    "of another group": (
        yaml.safe_dump(ROLE).replace("iam.services.k8s.aws", "iam.services.k8s.awz"),
        ["no such document"],
    ),
    "of another kind": (yaml.safe_dump(ROLE).replace("kind: Role", "kind: Policy"), ["no such document"]),
    "two of them": (yaml.safe_dump_all([ROLE, ROLE]), ["denied", "denied"]),
    "one text for a list": (yaml.safe_dump(ROLE).replace(f"\n  - {ADMINISTRATOR}", f" {ADMINISTRATOR}"), ["denied"]),
    "a hole in the name": (
        yaml.safe_dump(ROLE).replace("AdministratorAccess", "'{{ x }}'").replace("policy/'{{ x }}'", "policy/{{x}}"),
        ["unresolved"],
    ),
    "a hole within a hole": (yaml.safe_dump(ROLE).replace(ADMINISTRATOR, "${a.${b.${c}}}"), ["unresolved"]),
    "a hole of many braces": (yaml.safe_dump(ROLE).replace(ADMINISTRATOR, "'${a:-{}{b}}'"), ["unresolved"]),
    "a hole in the partition": (yaml.safe_dump(ROLE).replace("arn:aws:", "arn:${PARTITION}:"), ["denied"]),
    "no policies": (yaml.safe_dump(ROLE).replace(f"\n  - {ADMINISTRATOR}", " []"), []),
    "policies of null": (yaml.safe_dump(ROLE).replace(f"\n  - {ADMINISTRATOR}", " null"), []),
    "broken": (yaml.safe_dump(ROLE) + "  broken: [\n", ["not judged"]),
    "broken and about something else": ("a: [\n", ["no such document"]),
    "an alias": (
        yaml.safe_dump(ROLE).replace(" policies:", " other: &p").replace("spec:", "spec:").rstrip()
        + "\n  policies: *p\n",
        ["denied"],
    ),
}


@pytest.mark.parametrize(("written", "expected"), CASES.values(), ids=CASES)
def test_forms(written: str, expected: list[str], tmp_path: Path) -> None:
    assert verdicts(tmp_path, written) == expected


def test_a_patch_is_named_by_its_target(tmp_path: Path) -> None:
    """Two patches of one file are two places to approve."""
    patch = "- target: {kind: Role, name: %s}\n  patch: |\n    - {op: add, path: /spec/policies/-, value: %s}\n"
    written = "patches:\n" + patch % ("a", ADMINISTRATOR) + patch % ("b", ADMINISTRATOR)
    (tmp_path / "kustomization.yaml").write_text(written)
    addresses = [one.resource for one in read(tmp_path / "kustomization.yaml").attachments]
    assert addresses == ['patch["Role/a /spec/policies/-"]', 'patch["Role/b /spec/policies/-"]']
