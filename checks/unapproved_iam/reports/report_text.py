"""Write findings for people: what is attached to whom, why it is denied, what to use instead, how to get it approved.

The first line of a finding is whole by itself, for those who read one line of it. What stems from the scanned tree may
come from a stranger: it reaches the terminal without characters that steer it, and the log of a CI system without what
that system takes for a command.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone

from unapproved_iam.deny_list.approval_proposal import DAYS, proposals, yaml_of
from unapproved_iam.deny_list.verdict import Finding, Verdict
from unapproved_iam.policies.attachment import Place
from unapproved_iam.policies.policy_arn import display_name
from unapproved_iam.printed_words import counted, printable
from unapproved_iam.scan.findings import Findings

_BOLD, _DIM, _RED, _YELLOW, _GREEN, _PLAIN = (f"\x1b[{code}m" for code in (1, 2, 31, 33, 32, 0))
MOST_MENTIONS = 10


def text_report(findings: Findings, seconds: float, colours: bool = False) -> str:
    """The whole report, lines ended by line feeds; one line when there is nothing to say."""
    return "".join(f"{line}\n" for line in _lines(findings, seconds, _Paint(colours)))


def summary(findings: Findings, seconds: float) -> str:
    """The one line that every run ends with."""
    deny_list = findings.deny_list
    counts = [
        f"{len(findings.approved)} approved",
        f"{len(findings.skipped)} skipped inline",
        f"{len(findings.unresolved)} unresolved",
        f"{len(findings.unjudged) + len(findings.mentions)} not judged",
    ]
    if findings.attached_before:
        counts.insert(0, f"{len(findings.attached_before)} attached before")
    if findings.warnings:
        counts.insert(0, counted(len(findings.warnings), "warning"))
    counts += [f"{number} excluded ({reason})" for reason, number in findings.excluded.items()]
    looked_at = f"{counted(findings.files, 'file')}, {findings.units:,} read closely, in {seconds:.2f} s"
    by = f"{deny_list.source} ({counted(len(deny_list.entries), 'entry', 'entries')})"
    return printable(f"{_outcome(findings)}: {looked_at} by {by}; {', '.join(counts)}")


def _outcome(findings: Findings) -> str:
    said = []
    if findings.violations:
        said.append(counted(len(findings.violations), "violation"))
    if findings.unjudged:
        said.append("could not judge everything")
    return ", ".join(said) or "clean"


class _Paint:
    def __init__(self, colours: bool) -> None:
        self.colours = colours

    def __call__(self, colour: str, text: str) -> str:
        return f"{colour}{text}{_PLAIN}" if self.colours else text


def _lines(findings: Findings, seconds: float, paint: _Paint) -> Iterator[str]:
    for finding in findings.shown:
        yield from _finding(finding, findings, paint)
    for unjudged in findings.unjudged:
        said = unjudged.reason + (f" ({unjudged.advice})" if unjudged.advice else "")
        yield f"{_at(unjudged.place, paint)} {paint(_RED, 'could not be judged')}: {printable(said)}"
    for mention in findings.mentions[:MOST_MENTIONS]:
        said = f"not judged: names {mention.name}, and files of this kind are not read here"
        yield f"{_at(mention.place, paint)} {paint(_YELLOW, printable(said))}"
    if len(findings.mentions) > MOST_MENTIONS:
        yield f"and {len(findings.mentions) - MOST_MENTIONS} more files that are not judged (--output json lists all)"
    if findings.shown:
        yield ""
        yield paint(_DIM, printable(_way_out(findings)))
    yield paint(_GREEN if findings.exit_code == 0 else _RED, summary(findings, seconds))


def _finding(finding: Finding, findings: Findings, paint: _Paint) -> Iterator[str]:
    attachment = finding.attachment
    policy = printable(display_name(attachment.policy))
    colour = _YELLOW if finding.verdict is Verdict.WARNED else _RED
    yield f"{_at(attachment.place, paint)} {printable(finding.message).replace(policy, paint(colour, policy), 1)}"
    details = [("resource", f"{attachment.resource} ({attachment.resource_type})")]
    if attachment.change:
        places = (attachment.change.place, *attachment.change.also)
        said = ", ".join(f"{shown(place.path)}:{place.line}" for place in places)
        details.append(("plan", f"{attachment.change.action or 'not told'} in {said}"))
    if attachment.calls:
        details.append(("called at", ", ".join(f"{shown(call.path)}:{call.line}" for call in attachment.calls)))
    if finding.entry:
        details.append(("denied by", f"{finding.entry.policy} in {finding.entry.origin}"))
    if finding.verdict is not Verdict.UNRESOLVED:
        details += [("approve", line) for line in approval_lines(finding, findings)]
    for label, detail in details:
        yield f"    {paint(_DIM, f'{label:<10}')}{printable(detail)}"


def _at(place: Place, paint: _Paint) -> str:
    return paint(_BOLD, f"{printable(shown(place.path))}:{place.line}:")


def shown(path: str) -> str:
    """The path as a person in the current directory would write it; never one that CI systems take for a command."""
    here = os.getcwd()
    path = os.path.relpath(path, here) if path.startswith(here.rstrip(os.sep) + os.sep) else path
    return f".{os.sep}{path}" if path.startswith(":") else path


def _way_out(findings: Findings) -> str:
    if findings.deny_list.source.startswith("built-in"):
        return "an approval stands in a deny list of your own (unapproved-iam init writes one)"
    return (
        f"to get one approved, propose its line under `approve:` in {findings.deny_list.source},"
        " with a reason in place of …"
    )


def approval_lines(finding: Finding, findings: Findings) -> list[str]:
    """What to add under `approve:`, one line of YAML for each principal; by resource where one is unknown.

    Nothing in them needs a change but the reason, without which no list takes them.
    """
    expires = datetime.now(timezone.utc).date() + timedelta(days=DAYS)
    more = {"reason": "…", "expires": str(expires)}
    return [_line({**proposal.pairs, **more}) for proposal in proposals(finding, findings.in_repository)]


def _line(pairs: Mapping[str, str | tuple[str, ...]]) -> str:
    return f"- {{{', '.join(f'{key}: {yaml_of(value)}' for key, value in pairs.items())}}}"
