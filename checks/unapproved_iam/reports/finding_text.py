"""Say a finding in three lines: where and what, why and what to use instead, how to get an exception.

For the reports that people read. What one line of source causes in several instances or through several calls is one
finding there, because one edit removes it. JSON and SARIF list every one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from unapproved_iam.deny_list.verdict import Finding, Verdict
from unapproved_iam.deny_list.verdict_message import SHORT, WHOLE
from unapproved_iam.policies.attachment import Place
from unapproved_iam.policies.policy_arn import display_name
from unapproved_iam.reports.source_lines import place_to_edit
from unapproved_iam.scan.findings import Findings

CALLS = SHORT._replace(longest=WHOLE.longest)  # a path that is shortened leads nowhere


class Group(NamedTuple):
    """Findings that one edit removes; they differ in the instance, the caller or the principal alone."""

    place: Place  # to edit
    findings: tuple[Finding, ...]

    @property
    def first(self) -> Finding:
        return self.findings[0]


def groups(findings: Iterable[Finding]) -> list[Group]:
    """In the order of their first findings."""
    together: dict[object, tuple[Place, list[Finding]]] = {}
    for finding in findings:
        attachment = finding.attachment
        place = place_to_edit(finding)
        planned = attachment.change and attachment.change.action
        said = (attachment.when, attachment.origin, attachment.note, planned, finding.verdict, finding.why)
        key = (place, attachment.place, display_name(attachment.policy), *said)
        together.setdefault(key, (place, []))[1].append(finding)
    return [Group(place, tuple(several)) for place, several in together.values()]


def headline(group: Group) -> str:
    """What is attached to whom and when, and from where it is reached; long names and lists are shortened."""
    principals = tuple(dict.fromkeys(one for finding in group.findings for one in finding.attachment.principals))
    attachment = group.first.attachment._replace(principals=principals)
    sentence = group.first._replace(attachment=attachment).headline(SHORT)
    asides = [f"{len(group.findings)} times"] if len(group.findings) > 1 else []
    if group.place != attachment.place:
        asides.append(f"through {_at(attachment.place)}")
    else:
        calls = [_at(finding.attachment.calls[0]) for finding in group.findings if finding.attachment.calls]
        asides += [f"called at {CALLS.list_of(calls)}"] if calls else []
    return sentence + (f" ({', '.join(asides)})" if asides else "")


def exception(group: Group, findings: Findings) -> str:
    """The line of YAML that would approve it, the first one of several; empty for what no approval can cover."""
    if group.first.verdict is Verdict.UNRESOLVED:
        return ""
    lines = dict.fromkeys(line for finding in group.findings for line in approval_lines(finding, findings))
    if not lines:
        expired = (str(approval.origin) for finding in group.findings for approval in finding.approvals)
        return f"to allow it again: set a later `expires` at {CALLS.list_of(expired)}"
    several = f" (1 of {len(lines)}, --verbose shows all)" if len(lines) > 1 else ""
    return f"to allow it{several}: {next(iter(lines))}"


def expiring(findings: Findings) -> list[str]:
    """A line for each approval that covers something here and soon will not."""
    return [
        f"{approval.origin}: the approval of {approval.policy} for {approval.attached_to} expires on {approval.expires}"
        for approval in findings.expiring
    ]


def details(finding: Finding, findings: Findings) -> Iterator[tuple[str, str]]:
    """The long form: everything that is known of one finding, as rows of label and text."""
    attachment = finding.attachment
    yield "resource", f"{attachment.resource} ({attachment.resource_type})"
    if attachment.change:
        places = ", ".join(map(_at, (attachment.change.place, *attachment.change.also)))
        yield "plan", f"{attachment.change.action or 'unknown action'} in {places}"
    if attachment.calls:
        yield "called at", ", ".join(map(_at, attachment.calls))
    if finding.entry:
        yield "denied by", f"{finding.entry.policy} in {finding.entry.origin}"
    if finding.verdict is not Verdict.UNRESOLVED:
        for line in approval_lines(finding, findings):
            yield "approve", line


def approval_lines(finding: Finding, findings: Findings) -> list[str]:
    """What to add under `approve:`, one line of YAML for each principal; by resource where one is unknown.

    Nothing in them needs a change but the reason, without which no list takes them. An approval that has expired is in
    the list already, and no list takes one twice.
    """
    from unapproved_iam.deny_list.approval_proposal import (  # a clean run does not pay for it
        DAYS,
        Proposal,
        proposals,
        yaml_of,
    )

    expired = [Proposal(approval.policy, approval.attached_to, approval.files) for approval in finding.approvals]
    new = [proposal for proposal in proposals(finding, findings.in_repository) if proposal not in expired]
    expires = datetime.now(timezone.utc).date() + timedelta(days=DAYS)
    more = {"reason": "…", "expires": str(expires)}
    found = [{**proposal.pairs, **more} for proposal in new]
    return [f"- {{{', '.join(f'{key}: {yaml_of(value)}' for key, value in pairs.items())}}}" for pairs in found]


def _at(place: Place) -> str:
    return f"{shown(place.path)}:{place.line}"


def shown(path: str) -> str:
    """The path as a person in the current directory would write it; never one that CI systems take for a command."""
    here = os.getcwd()
    path = os.path.relpath(path, here) if path.startswith(here.rstrip(os.sep) + os.sep) else path
    return f".{os.sep}{path}" if path.startswith(":") else path
