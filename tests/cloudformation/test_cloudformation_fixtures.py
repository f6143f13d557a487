"""What is found in the fixtures: each resource's verdict is in its name, each finding's line and policy in a comment.

`Fail…` attaches a denied policy, `Open…` an unresolved one, `Skip…` a denied one that an inline skip covers; everything
else attaches nothing that is denied. Of nested stacks, the name of the resource that nests them counts.
"""

from __future__ import annotations

import json
import re
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from project_files import PROJECT
from unapproved_iam.cloudformation.document import Array, Node, Object, Scalar, documents_of, function_of
from unapproved_iam.cloudformation.resource_types import ATTACHING_TYPES
from unapproved_iam.cloudformation.template import read_template
from unapproved_iam.deny_list.builtin_lists import BUILTIN_LISTS
from unapproved_iam.deny_list.entries import DenyList, Entry, Origin
from unapproved_iam.deny_list.verdict import Judge, Verdict
from unapproved_iam.policies.attachment import Attachment, Reading
from unapproved_iam.policies.policy_arn import display_name

FIXTURES = PROJECT / "fixtures"
TEMPLATES = sorted(
    path for kind in ("cloudformation", "sam") for path in (FIXTURES / kind).rglob("*.*") if path.is_file()
)
LEGACY = [Entry(f"arn:aws:iam::*:policy/{path}legacy-*", Origin("fixtures")) for path in ("", "old/", "teams/")]
JUDGE = Judge(DenyList("fixtures", (*BUILTIN_LISTS["aws-admin"], *LEGACY)), str(FIXTURES), date(2026, 1, 1))
EXPECTED = {"Fail": Verdict.DENIED, "Open": Verdict.UNRESOLVED, "Skip": Verdict.DENIED}


def read(path: Path) -> Reading:
    reading = read_template(str(path))
    assert reading is not None
    return reading


def verdicts_of(reading: Reading) -> dict[str, set[Verdict]]:
    """The verdicts that are not clean, by the resource that stands in the template itself."""
    verdicts: dict[str, set[Verdict]] = defaultdict(set)
    for attachment in reading.attachments:
        verdict = JUDGE.judge(attachment).verdict
        verdicts[outermost(attachment)] |= {verdict} - {Verdict.CLEAN}
    return verdicts


def outermost(attachment: Attachment) -> str:
    return attachment.resource.split(".")[0] if attachment.calls else attachment.resource


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_verdict_of_each_resource(path: Path) -> None:
    verdicts = verdicts_of(read(path))
    assert verdicts
    for name, found in verdicts.items():
        expected = {EXPECTED[name[:4]]} if name[:4] in EXPECTED else set()
        assert found == expected or (name.startswith("Fail") and Verdict.DENIED in found), name


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_each_name_that_expects_something_is_read(path: Path) -> None:
    written = set(re.findall(r"^ *\"?((?:Fail|Open|Skip)[A-Za-z0-9.]*)\"?:", path.read_text("utf-8"), re.MULTILINE))
    assert written <= set(verdicts_of(read(path)))


@pytest.mark.parametrize("path", [path for path in TEMPLATES if path.suffix == ".yaml"], ids=lambda path: path.name)
def test_line_and_policy_of_each_finding(path: Path) -> None:
    reading = read(path)
    found: dict[int, set[str]] = defaultdict(set)
    for attachment in reading.attachments:
        verdict = JUDGE.judge(attachment).verdict
        if verdict is Verdict.DENIED and attachment.place.path == str(path) and attachment.skip is None:
            found[attachment.place.line].add(display_name(attachment.policy).rpartition("/")[2])
        elif verdict is Verdict.UNRESOLVED and attachment.place.path == str(path):
            found[attachment.place.line].add("unresolved")
    for problem in reading.unjudged:
        found[problem.place.line].add("not judged")
    assert dict(found) == dict(commented(path))


def commented(path: Path) -> Iterator[tuple[int, set[str]]]:
    """What the comments at the ends of lines say, e.g. "denied: AdministratorAccess, not judged"."""
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        comment = re.search(r" # (?:denied: )?((?:[\w-]+Access|legacy-\w+|unresolved|not judged)(?:, [\w ]+)*)$", line)
        if comment:
            yield number, set(comment[1].split(", "))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_block_holds_the_finding(path: Path) -> None:
    for attachment in read(path).attachments:
        if not attachment.place.path == attachment.block.path == str(path) or "MergeKey" in attachment.resource:
            continue
        assert attachment.block.line <= attachment.place.line <= attachment.block.end_line
        name = attachment.resource.rpartition(".")[2] if attachment.calls else attachment.resource
        written = path.read_text("utf-8").splitlines()[attachment.block.line - 1]
        if "Fn::ToJsonString" in written:  # the whole template stands where the function is called
            continue
        key = written.strip(' -"').partition(":")[0].rstrip('"')
        assert re.fullmatch(".+".join(map(re.escape, re.split(r"[$&]\{\w+\}", key))), name)


def test_every_attaching_type_is_in_a_fixture() -> None:
    written = "".join(path.read_text("utf-8") for path in TEMPLATES)
    assert [name for name in ATTACHING_TYPES if name not in written] == []


def json_of(node: Node, step: int = 1) -> str:
    """The node as JSON; a key that is written twice is there twice. With a step of -1 the keys are in reverse order."""
    if isinstance(node, Scalar):
        return "null" if node.is_null else json.dumps(node.text)
    if isinstance(node, Array):
        return "[" + ",\n".join(json_of(item, step) for item in node.items) + "]"
    assert function_of(node) is None or node.pairs
    return "{" + ",\n".join(f"{json_of(key)}: {json_of(value, step)}" for key, value in node.pairs[::step]) + "}"


def block_style_of(node: Node, indent: str = "\n") -> str:
    """The node as YAML in block style, with a comment before each line."""
    inner = f"{indent}  "
    if isinstance(node, Array) and node.items:
        return "".join(f"{indent}# - {ODD}{indent}-{block_style_of(item, inner)}" for item in node.items)
    if isinstance(node, Object) and node.pairs:
        pairs = [(json_of(key), block_style_of(value, inner)) for key, value in node.pairs]
        return "".join(f"{indent}# {ODD}{indent}{key}:{value} # {ODD}" for key, value in pairs)
    return f" {json_of(node)}"


ODD = "ManagedPolicyArns: ['arn:aws:iam::aws:policy/AdministratorAccess' {"
FORMS: dict[str, Callable[[str, Node], str]] = {
    "json": lambda written, node: json_of(node),
    "json in reverse order": lambda written, node: json_of(node, -1),
    "flow style": lambda written, node: f"# {ODD}\n--- # {ODD}\n{json_of(node)}",
    "block style": lambda written, node: block_style_of(node),
    "windows": lambda written, node: "\ufeff" + written.replace("\n", "\r\n"),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("path", [path for path in TEMPLATES if path.stem != "skips"], ids=lambda path: path.name)
def test_the_same_template_in_another_form_attaches_the_same(
    path: Path, form: Callable[[str, Node], str], tmp_path: Path
) -> None:
    """Without the fixture of skips, since JSON knows no comments."""
    written = path.read_text("utf-8-sig")
    for number, document in enumerate(documents_of(written)):
        one = re.split(r"^---$", written, flags=re.MULTILINE)[number]
        readings = []
        for name, content in (("written", one), ("formed", form(one, document))):
            copy = tmp_path / name / "template"
            shutil.copytree(path.parent, copy.parent, dirs_exist_ok=True)
            copy.write_text(content, "utf-8", newline="")
            readings.append(said(read_template(str(copy))))
        assert readings[0] == readings[1]


def said(reading: Reading | None) -> Any:
    """What a reading says, lines and file names aside."""
    if reading is None:
        return None
    attachments = [
        (a.resource, str(a.policy), sorted((p.kind, str(p.name), p.address) for p in a.principals), a.when, a.note)
        for a in reading.attachments
        if a.skip is None
    ]
    return sorted(attachments), len(reading.unjudged)
