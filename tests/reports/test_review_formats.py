"""JUnit XML and rdjson from real runs: against the schemas that their readers publish, and what they tell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import xmlschema
from jsonschema import Draft4Validator
from unapproved_iam.commands.command_line import main

SCHEMAS = Path(__file__).parent / "schemas"
LIST = """version: 1
deny:
  - {policy: AdministratorAccess, reason: too much, use_instead: [ReadOnlyAccess]}
  - {policy: IAMFullAccess, use_instead: [IAMReadOnlyAccess, a policy of your own]}
  - {policy: job-function/DataScientist, use_instead: [job-function/ViewOnlyAccess]}
  - {policy: PowerUserAccess, use_instead: [ViewOnlyAccess]}
  - {policy: AmazonS3FullAccess, enforce_from: 2090-01-01}
approve:
  - {policy: AdministratorAccess, attached_to: role/break-glass, reason: drill}
"""
BLOCK = """resource "aws_iam_role_policy_attachment" "{name}" {{
  role       = "{role}"
  policy_arn = {policy}
}}
"""


def block(name: str, policy: str, role: str = "ops") -> str:
    return BLOCK.format(name=name, role=role, policy=policy)


def arn(policy: str) -> str:
    return f'"arn:aws:iam::aws:policy/{policy}"'


EVERYTHING = {
    "main.tf": block("denied", arn("AdministratorAccess"))
    + block("approved", arn("AdministratorAccess"), role="break-glass")
    + block("open", "var.open")
    + block("warned", arn("AmazonS3FullAccess"))
    + block("skipped", arn("IAMFullAccess")).replace("  policy_arn", "  # checkov:skip=IAM_068:agreed\n  policy_arn")
    + 'variable "open" {}\n',
    "broken/main.tf": block("broken", arn("AdministratorAccess")).rstrip("}\n"),
    "serverless.yml": "managed: [AdministratorAccess]\n",
}


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "unapproved-iam-policies.yaml").write_text(LIST)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def report(files: dict[str, str], output: str, capsys: pytest.CaptureFixture[str]) -> str:
    for name, text in files.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(text)
    main(["check", "--output", output])
    return capsys.readouterr().out


@pytest.mark.parametrize("files", [EVERYTHING, {}], ids=["everything", "clean"])
def test_junit_keeps_its_schema(tree: Path, files: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    xmlschema.XMLSchema(str(SCHEMAS / "junit-10.xsd")).validate(report(files, "junit", capsys))


def test_junit_tells_each_answer_by_its_name(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    suites = ElementTree.fromstring(report(EVERYTHING, "junit", capsys))
    (suite,) = suites
    told = {(outcome.tag, outcome.attrib["type"]) for case in suite for outcome in case}
    assert told == {
        ("failure", "denied"),
        ("skipped", "approved"),
        ("skipped", "unresolved"),
        ("skipped", "warned"),
        ("skipped", "skipped inline"),
        ("skipped", "mention"),
        ("error", "unjudged"),
    }
    assert [suite.attrib[name] for name in ("tests", "failures", "errors", "skipped")] == ["7", "1", "1", "5"]
    assert suites.attrib["failures"] == "1"
    (failure,) = suite.iter("failure")
    assert failure.text
    assert failure.text.startswith("main.tf:3: AdministratorAccess must not be attached to role/ops: too much")
    names = [(case.attrib["classname"], case.attrib["name"]) for case in suite]
    assert len(set(names)) == len(names)


def test_junit_of_a_clean_tree_has_one_case_that_passes(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (suite,) = ElementTree.fromstring(report({}, "junit", capsys))
    assert [len(case) for case in suite] == [0]


@pytest.mark.parametrize("files", [EVERYTHING, {}], ids=["everything", "clean"])
def test_rdjson_keeps_its_schema(tree: Path, files: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    schema = json.loads((SCHEMAS / "DiagnosticResult.json").read_text())
    Draft4Validator(schema).validate(json.loads(report(files, "rdjson", capsys)))


def test_rdjson_shows_what_fails_and_what_was_not_checked(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    diagnostics = json.loads(report(EVERYTHING, "rdjson", capsys))["diagnostics"]
    told = {
        (one["location"]["path"], one["location"]["range"]["start"]["line"], one["severity"]) for one in diagnostics
    }
    assert told == {
        ("main.tf", 3, "ERROR"),
        ("main.tf", 15, "WARNING"),
        ("broken/main.tf", 1, "ERROR"),
        ("serverless.yml", 1, "WARNING"),
    }


def accepted(source: str, diagnostic: dict[str, Any]) -> str:
    """The line that a reviewer gets who accepts the suggestion: columns count bytes from 1, the end is exclusive."""
    (suggestion,) = diagnostic["suggestions"]
    start, end = suggestion["range"]["start"], suggestion["range"]["end"]
    assert start["line"] == end["line"]
    line = source.encode().splitlines()[start["line"] - 1]
    accepted: bytes = line[: start["column"] - 1] + suggestion["text"].encode() + line[end["column"] - 1 :]
    return accepted.decode().strip()


SUGGESTED = [
    ("a name in an ARN", arn("AdministratorAccess"), arn("ReadOnlyAccess")),
    ("after a character of several bytes", f"/* é */ {arn('AdministratorAccess')}", None),
    ("a path in both", arn("job-function/DataScientist"), arn("job-function/ViewOnlyAccess")),
    ("a path only in the replacement", arn("PowerUserAccess"), arn("job-function/ViewOnlyAccess")),
    ("a name beside the ARN", '"arn:aws:iam::aws:policy/${"AdministratorAccess"}"', None),
    ("a path that stands elsewhere", '"arn:aws:iam::aws:policy/${"PowerUserAccess"}"', ""),
    ("two policies to use instead", arn("IAMFullAccess"), ""),
    ("written in pieces", 'join("", ["arn:aws:iam::aws:policy/Administrator", "Access"])', ""),
    ("written twice", 'true ? "arn:aws:iam::aws:policy/AdministratorAccess" : "AdministratorAccess"', ""),
]


@pytest.mark.parametrize(("policy", "instead"), [row[1:] for row in SUGGESTED], ids=[row[0] for row in SUGGESTED])
def test_rdjson_suggests_the_one_replacement(
    tree: Path, policy: str, instead: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    source = block("x", policy)
    (diagnostic,) = json.loads(report({"main.tf": source}, "rdjson", capsys))["diagnostics"]
    if instead == "":
        assert "suggestions" not in diagnostic
        return
    line = f"policy_arn = {instead or policy.replace('AdministratorAccess', 'ReadOnlyAccess')}"
    assert accepted(source, diagnostic) == line
    (tree / "main.tf").write_text(source.replace(f"policy_arn = {policy}", line))
    assert main(["check"]) == 0
