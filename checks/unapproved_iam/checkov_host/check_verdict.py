"""Answer checkov's question "does this resource pass?" with the engine's verdict. It never raises.

For the check classes of all frameworks. checkov drops a resource whose check raises (result UNKNOWN, exit 0), so a
failure in here is an answer too: FAILED, with the error as its text. The text travels in the check's name, the one
field that reaches all outputs of all frameworks (`details` are not printed for CloudFormation); the name begins with
the check's title, because a SARIF report takes its rule's title from the first record.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any, NamedTuple

from checkov.common.bridgecrew.platform_integration import bc_integration
from checkov.common.models.enums import CheckResult
from unapproved_iam.deny_list.discovery import find_deny_list, repository_root
from unapproved_iam.deny_list.entries import InlineSkips
from unapproved_iam.deny_list.verdict import Finding, Judge, Verdict
from unapproved_iam.policies.attachment import Attachment, Reading
from unapproved_iam.printed_words import printable
from unapproved_iam.reports.finding_text import approval_lines
from unapproved_iam.scan.check_scope import is_below
from unapproved_iam.scan.findings import Findings, one_per_policy
from unapproved_iam.scan.git_answers import NoAnswer
from unapproved_iam.scan.left_out import LeftOut
from unapproved_iam.scan.source_files import ignored_directories, is_left_out


class Question(NamedTuple):
    """What checkov hands to a check: one resource or module call, as far as checkov resolved it."""

    scanned_file: str  # a slash and the path from the scanned directory (with --file: from the working directory)
    resource_type: str
    name: str
    conf: dict[str, Any]
    graph: Any  # of the Terraform runners, else None


class Known(NamedTuple):
    """What the engine knows of one resource or module call."""

    path: str  # of its file; absolute
    reading: Reading


class Answer(NamedTuple):
    result: CheckResult
    sentences: tuple[str, ...] = ()  # one for each policy that has something to say
    details: tuple[str, ...] = ()  # what checkov prints below: the lines that would approve
    comment: str = ""  # why it was skipped


# The check has nothing to say: checkov leaves it out of the report.
NOT_ASKED = Answer(CheckResult.UNKNOWN)


class JudgedByEngine:
    """What a check class inherits from before checkov's base class: `run()` answers, and cannot fail.

    checkov shares one instance between its runners, which are threads on macOS and Windows, and reads name and details
    right after `run()`: each thread has its own.
    """

    title: str
    _said: threading.local

    def look_up(self, question: Question) -> Known | None:
        """What the engine knows of a resource, None when it is judged elsewhere. Whatever it raises fails it."""
        raise NotImplementedError

    def run(
        self,
        scanned_file: str,
        entity_configuration: dict[str, Any],
        entity_name: str,
        entity_type: str,
        skip_info: dict[str, Any],
    ) -> dict[str, Any]:
        # Not left to checkov's own run(): it never asks about a resource whose `count` it takes for 0.
        graph = getattr(self, "graph", None)
        question = Question(scanned_file, entity_type, entity_name, entity_configuration, graph)
        skip = skip_info.get("suppress_comment") or "" if skip_info else None
        try:
            known = self.look_up(question)
            answer = answer_for(known, scanned_file, skip) if known else NOT_ASKED
        except Exception as error:
            answer = Answer(CheckResult.FAILED, (could_not_judge(str(error) or type(error).__name__),))
        self._said.details = list(answer.details)
        self._said.name = ": ".join(filter(None, (self.title, ". ".join(answer.sentences))))
        result = {"result": answer.result, "evaluated_keys": []}
        return result | {"suppress_comment": answer.comment} if answer.result is CheckResult.SKIPPED else result

    @property
    def name(self) -> str:
        return getattr(self._said, "name", self.title)

    @name.setter
    def name(self, title: str) -> None:
        self.title, self._said = title, threading.local()

    @property
    def details(self) -> list[str]:
        return getattr(self._said, "details", [])

    @details.setter
    def details(self, details: list[str]) -> None:
        self._said.details = details


def answer_for(known: Known, scanned_file: str, skip: str | None) -> Answer:
    """Judge one resource by the deny list of the repository that is scanned; `skip` is checkov's inline skip.

    Raises DenyListError when something is attached and the list cannot be used: no inline skip hides that.
    """
    reading = _as_walked(known)
    if not reading.attachments and not reading.unjudged:
        return _passed([] if skip is None else [skip])
    judge = _judge_of(list_root(known.path, scanned_file))
    if judge.deny_list.inline_skips is InlineSkips.REFUSE:
        skip = None
    left_out = LeftOut(judge.deny_list, (), judge.relative)
    reasons = left_out.reasons(known.path, reading.attachments)
    attached = (one for one in reading.attachments if not left_out.attachment(one))
    attached = (one if skip is None or one.skip is not None else one._replace(skip=skip) for one in attached)
    found = Findings(judge.deny_list, judge.root, one_per_policy(map(judge.judge, attached)))
    failing = _sentences(found.violations)
    if skip is None and not left_out.file(known.path):
        failing += tuple(dict.fromkeys(could_not_judge(one.hole_reason or one.reason) for one in reading.unjudged))
    if failing:
        return Answer(CheckResult.FAILED, failing, details_of(found.violations, found))
    reasons += [] if skip is None else [skip]
    reasons += [finding.attachment.skip or "" for finding in found.skipped]
    return _passed([*reasons, *_sentences(found.approved)], _sentences((*found.warnings, *found.unresolved)))


def _as_walked(known: Known) -> Reading:
    """What the command judges of it, too: unlike checkov, it leaves out what git ignores and other people's code."""
    path, reading = known
    attachments = tuple(one for one in reading.attachments if not _is_unwalked(one.unit or path))
    return Reading(attachments, () if reading.unjudged and _is_unwalked(path) else reading.unjudged)


@lru_cache(maxsize=1024)
def _is_unwalked(path: str) -> bool:
    """Whether no scanned directory leads to a unit; a file that was given by --file is always scanned."""
    starts = [
        start for directory in bc_integration.scan_dir or () if is_below(path, [start := os.path.abspath(directory)])
    ]
    return bool(starts) and all(is_left_out(path, start, _ignored(repository_root(start))) for start in starts)


@lru_cache
def _ignored(root: str) -> frozenset[str]:
    try:
        return ignored_directories(root)
    except NoAnswer:  # then nothing is ignored, and the wrapper's summary says so
        return frozenset()


def _passed(reasons: Iterable[str], sentences: tuple[str, ...] = ()) -> Answer:
    """The answer for what does not fail: skipped when there is a reason to say, else passed."""
    said = tuple(dict.fromkeys(reasons))
    return Answer(CheckResult.SKIPPED if said else CheckResult.PASSED, sentences, comment="; ".join(said))


def sentence_of(finding: Finding) -> str:
    """A finding in words; they may hold what a stranger wrote, and checkov prints a name as it is."""
    return printable(finding.message)


def details_of(violations: Iterable[Finding], findings: Findings) -> tuple[str, ...]:
    """How to get them approved; the name tells the rest."""
    denied = [finding for finding in violations if finding.verdict is Verdict.DENIED]
    lines = (line for finding in denied for line in approval_lines(finding, findings))
    return tuple(dict.fromkeys(printable(f"to allow it: {line}") for line in lines))


def _sentences(findings: Iterable[Finding]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(sentence_of, findings)))


def reading_of_block(reading: Reading, path: str, lines: range, attachments: Iterable[Attachment]) -> Reading:
    """What one block attaches, and what of it, or of what its policies come from, could not be read.

    Of a unit that could not be read at all, no block could.
    """
    attachments = tuple(attachments)
    missed = {hole.reason for one in attachments for hole in one.policy.holes}
    unjudged = (
        one
        for one in reading.unjudged
        if one.is_whole_unit or one.hole_reason in missed or (one.place.path == path and one.place.line in lines)
    )
    return Reading(attachments, tuple(unjudged))


def could_not_judge(reason: str) -> str:
    return printable(f"could not be checked: {'; '.join(reason.splitlines())}")


@lru_cache
def _judge_of(root: str) -> Judge:
    return Judge(find_deny_list(None, os.environ, root), root, datetime.now(timezone.utc).date())


def scanned_path(scanned_file: str) -> str:
    """The absolute path of a file of which checkov tells the check only the path from the scanned directory."""
    directories: list[str] = bc_integration.scan_dir or [os.curdir]
    paths = [os.path.abspath(directory) + scanned_file for directory in directories]
    return next(filter(os.path.isfile, paths), paths[0])


def list_root(path: str, scanned_file: str) -> str:
    """The directory whose deny list counts for a scanned file: the root of the repository that is scanned.

    Looked for from the scanned directory, which is what is left of the file's absolute path: a repository further down
    has no say.
    """
    return repository_root(scanned_root(path, scanned_file))


def scanned_root(path: str, scanned_file: str) -> str:
    """The directory that is scanned, which is what is left of a file's absolute path."""
    return path.removesuffix(scanned_file) if path.endswith(scanned_file) else os.path.dirname(path)
