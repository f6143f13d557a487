"""What a check of some paths found: the record that every report is written from, and its exit code.

`scan.tree_check` makes it; `check`, `adopt`, `approvals` and the checkov wrapper read it.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from unapproved_iam.deny_list.entries import SOON, Approval, DenyList
from unapproved_iam.deny_list.verdict import Finding, Verdict
from unapproved_iam.policies.attachment import Place, Unjudged
from unapproved_iam.policies.policy_arn import display_name
from unapproved_iam.program import CLEAN, COULD_NOT_JUDGE, VIOLATION


class Mention(NamedTuple):
    """A denied name in a file that no engine here judges, e.g. serverless.yml: shown, and no violation."""

    place: Place
    name: str


class Findings(NamedTuple):
    """One finding for each policy that a resource attaches, unless it is clean; sorted by place.

    Of several repositories, each judged by its own list: the directory that they share is the root of shown paths, and
    the list is one in name only.
    """

    deny_list: DenyList
    root: str  # the absolute directory that shown paths count from
    judged: tuple[Finding, ...] = ()
    unjudged: tuple[Unjudged, ...] = ()
    mentions: tuple[Mention, ...] = ()
    files: int = 0  # that were looked at
    units: int = 0  # root modules, templates and plans that were read closely
    excluded: Mapping[str, int] = {}  # number of files by reason
    only_plan_changes: bool = False  # what plans leave attached as it is makes no violation
    expiring: tuple[Approval, ...] = ()  # that cover something, and will not for long
    remarks: tuple[str, ...] = ()  # on how it was looked, a sentence each
    repositories: tuple[str, ...] = ()  # the roots of several; paths of approvals count from the one they are in

    @property
    def violations(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.judged if self.is_violation(finding))

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What will be a violation from a later day on."""
        return tuple(finding for finding in self.judged if _is_warning(finding))

    @property
    def shown(self) -> tuple[Finding, ...]:
        """Violations and warnings, in the order of their places."""
        return tuple(finding for finding in self.judged if self.is_violation(finding) or _is_warning(finding))

    @property
    def skipped(self) -> tuple[Finding, ...]:
        """What a comment in the source has silenced."""
        speaking = (
            finding for finding in self.judged if finding.verdict is Verdict.WARNED or self._would_fail(finding)
        )
        return tuple(finding for finding in speaking if finding.attachment.skip is not None)

    @property
    def approved(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.judged if finding.verdict is Verdict.APPROVED)

    @property
    def unresolved(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.judged if finding.verdict is Verdict.UNRESOLVED)

    @property
    def attached_before(self) -> tuple[Finding, ...]:
        """What would be violations if a plan attached it that only leaves it as it is."""
        failing = (one for one in self.judged if _fails(one) and one.attachment.skip is None)
        return tuple(finding for finding in failing if self._is_left_attached(finding))

    def is_violation(self, finding: Finding) -> bool:
        return self._would_fail(finding) and finding.attachment.skip is None

    def _would_fail(self, finding: Finding) -> bool:
        return _fails(finding) and not self._is_left_attached(finding)

    def _is_left_attached(self, finding: Finding) -> bool:
        change = finding.attachment.change
        return self.only_plan_changes and change is not None and not change.is_new

    @property
    def exit_code(self) -> int:
        """2 wins over 1: with 0 and 1 everything was judged, so that 1 is the whole answer."""
        if self.unjudged:
            return COULD_NOT_JUDGE
        return VIOLATION if self.violations else CLEAN

    def without(self, files: Collection[str], reason: str) -> Findings:
        """The same without what stands in these files, which count as excluded."""
        judged = tuple(finding for finding in self.judged if finding.attachment.block.path not in files)
        unjudged = tuple(one for one in self.unjudged if one.place.path not in files)
        dropped = {
            *(finding.attachment.block.path for finding in self.judged),
            *(one.place.path for one in self.unjudged),
        }.intersection(files)
        excluded = {**self.excluded, **({reason: len(dropped)} if dropped else {})}
        return self._replace(judged=judged, unjudged=unjudged, excluded=excluded)

    def with_more(self, other: Findings) -> Findings:
        """The same with what is found only by another look at the same files."""
        unjudged = tuple(dict.fromkeys((*self.unjudged, *other.unjudged)))
        return self._replace(judged=one_per_policy((*self.judged, *other.judged)), unjudged=unjudged)

    def relative(self, path: str) -> str:
        """The POSIX path from the root; absolute for a file outside of it."""
        return _relative(path, self.root)

    def at(self, place: Place) -> str:
        return f"{self.relative(place.path)}:{place.line}"

    def in_repository(self, path: str) -> str:
        """The same from the root of the repository that the file is in: as approvals have it."""
        return _relative(path, self.repository_of(path))

    def repository_of(self, path: str) -> str:
        """The root of the repository that a file is in."""
        around = [root for root in self.repositories if not _relative(path, root).startswith("/")]
        return max(around, key=len, default=self.root)


def _relative(path: str, root: str) -> str:
    relative = os.path.relpath(path, root)
    outside = relative == os.pardir or relative.startswith(os.pardir + os.sep)
    return (path if outside else relative).replace(os.sep, "/")


def all_of(several: Sequence[Findings]) -> Findings:
    """The findings of several repositories as one; of one, that one."""
    if len(several) == 1:
        return several[0]
    excluded: dict[str, int] = {}
    for findings in several:
        for reason, number in findings.excluded.items():
            excluded[reason] = excluded.get(reason, 0) + number
    names = dict.fromkeys(findings.deny_list.source for findings in several)
    entries = dict.fromkeys(entry for findings in several for entry in findings.deny_list.entries)
    return Findings(
        deny_list=DenyList(" and ".join(names), tuple(entries)),
        root=os.path.commonpath([findings.root for findings in several]),
        judged=tuple(finding for findings in several for finding in findings.judged),
        unjudged=tuple(unjudged for findings in several for unjudged in findings.unjudged),
        mentions=tuple(mention for findings in several for mention in findings.mentions),
        files=sum(findings.files for findings in several),
        units=sum(findings.units for findings in several),
        excluded=excluded,
        only_plan_changes=any(findings.only_plan_changes for findings in several),
        remarks=tuple(remark for findings in several for remark in findings.remarks),
        repositories=tuple(findings.root for findings in several),
        expiring=tuple(dict.fromkeys(approval for findings in several for approval in findings.expiring)),
    )


def _fails(finding: Finding) -> bool:
    return finding.verdict is Verdict.DENIED or finding.fails


def _is_warning(finding: Finding) -> bool:
    return finding.verdict is Verdict.WARNED and finding.attachment.skip is None


def one_per_policy(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Keep one finding for each policy that a resource attaches, the one with the fewest conditions; sort by place.

    A value that holds always says more than one that holds sometimes, one without an origin more than one that a
    variable file may bring, one that is written more than what the SAM transform adds anyway, and a plan more than its
    source.
    """
    kept: dict[tuple[str, ...], Finding] = {}
    for finding in sorted(findings, key=_by_weight):
        attachment = finding.attachment
        policy = display_name(attachment.policy)
        kept.setdefault((attachment.unit, attachment.block.path, attachment.resource, policy), finding)
    return tuple(sorted(kept.values(), key=_by_place))


def _by_weight(finding: Finding) -> tuple[int, int, int, int, int, str]:
    attachment = finding.attachment
    order = (Verdict.DENIED, Verdict.WARNED, Verdict.UNRESOLVED, Verdict.APPROVED, Verdict.CLEAN)
    told = (len(attachment.when), len(attachment.origin), len(attachment.note), attachment.change is None)
    return order.index(finding.verdict), *told, finding.message


def _by_place(finding: Finding) -> tuple[str, int, str, str]:
    attachment = finding.attachment
    return attachment.place.path, attachment.place.line, attachment.resource, str(attachment.policy)


def expiring_soon(findings: Iterable[Finding], today: date) -> tuple[Approval, ...]:
    """The approvals that cover one of the findings and expire within a month."""
    used = (one for finding in findings if finding.verdict is Verdict.APPROVED for one in finding.approvals)
    return tuple(dict.fromkeys(approval for approval in used if approval.expires_within(SOON, today)))
