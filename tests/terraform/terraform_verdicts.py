"""Judge Terraform trees in tests: by one deny list, for fixtures and for trees that a test writes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

from unapproved_iam.deny_list.builtin_lists import BUILTIN_LISTS
from unapproved_iam.deny_list.entries import DenyList, Entry, Origin
from unapproved_iam.deny_list.verdict import Finding, Judge, Verdict
from unapproved_iam.hcl.fact_words import words
from unapproved_iam.hcl.facts import Facts
from unapproved_iam.policies.attachment import Attachment, Unjudged
from unapproved_iam.terraform.root_module import TerraformTree

LEGACY = ("arn:aws:iam::*:policy/legacy-*", "arn:aws:iam::*:policy/retired/*")
ENTRIES = (
    *BUILTIN_LISTS["aws-admin"],
    *(Entry(policy, Origin("fixtures"), "predates the permission model") for policy in LEGACY),
)
JUDGE = Judge(DenyList("fixtures", ENTRIES), "/", date(2026, 1, 1))


def findings_in(tree: Path, *var_files: Path) -> tuple[list[Finding], list[Unjudged]]:
    """What every root module of a tree attaches, judged; and what could not be."""
    reader = TerraformTree([str(path) for path in var_files])
    readings = [reader.read(root) for root in reader.root_modules([str(tree)])]
    findings = [JUDGE.judge(one) for reading in readings for one in reading.attachments]
    return findings, [one for reading in readings for one in reading.unjudged]


def attachments_in(tree: Path, *var_files: Path) -> list[Attachment]:
    findings, unjudged = findings_in(tree, *var_files)
    assert not unjudged
    return [finding.attachment for finding in findings]


def verdicts_in(tree: Path, *var_files: Path) -> set[Verdict]:
    """The verdicts that are not clean."""
    findings, unjudged = findings_in(tree, *var_files)
    assert not unjudged
    return {finding.verdict for finding in findings} - {Verdict.CLEAN}


def told(content: object, when: Facts | Iterable[object]) -> str:
    """As a message would say it: "CONTENT when CONDITION and CONDITION"."""
    conditions = " and ".join(words(when) if isinstance(when, Facts) else map(str, when))
    return f"{content} when {conditions}" if conditions else str(content)
