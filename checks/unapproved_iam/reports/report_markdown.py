"""Write findings as Markdown, for a pull request comment or the summary of a job.

A row has what you need to decide: policy, principal, where, since when. Below are the lines that would approve it. What
comes from the scanned tree is plain text on the page. A GitHub comment holds 65,536 characters: what does not fit is
counted.
"""

from __future__ import annotations

from collections.abc import Iterator

from unapproved_iam.deny_list.verdict import Finding, Verdict
from unapproved_iam.deny_list.verdict_message import WHOLE, circumstances
from unapproved_iam.policies.policy_arn import display_name
from unapproved_iam.printed_words import counted, markdown_code, markdown_text
from unapproved_iam.reports.finding_text import approval_lines
from unapproved_iam.reports.report_text import way_out
from unapproved_iam.reports.rule_text import TITLE
from unapproved_iam.reports.summary_text import summary
from unapproved_iam.scan.findings import Findings
from unapproved_iam.scan.line_history import since

MOST_CHARACTERS = 60_000
MOST_ROWS = 100  # git is asked for each
_COLUMNS = ("Policy", "Attached to", "Where", "Since", "Why")


def markdown_report(findings: Findings, seconds: float = 0) -> str:
    """A page without a byte that steers it; its last line is the summary."""
    lines = [f"## {TITLE}", "", f"**{markdown_text(_headline(findings))}**"]
    lines += _not_judged(findings)
    lines += _fitting(findings, MOST_CHARACTERS - sum(map(len, lines)))
    lines += ["", markdown_text(summary(findings, seconds))]
    return "".join(f"{line}\n" for line in lines)


def _headline(findings: Findings) -> str:
    said = [counted(len(findings.violations), "violation")] if findings.violations else []
    said += [counted(len(findings.warnings), "warning")] if findings.warnings else []
    said += [f"{counted(len(findings.unjudged), 'part')} could not be checked"] if findings.unjudged else []
    return ", ".join(said) or "nothing that the deny list refuses"


def _not_judged(findings: Findings) -> Iterator[str]:
    shown = findings.unjudged[:MOST_ROWS]
    if shown:
        yield from ("", "Could not be checked:", "")
    for one in shown:
        advice = f" ({one.advice})" if one.advice else ""
        yield f"- {markdown_text(findings.at(one.place))}: {markdown_text((one.reason + advice)[:500])}"
    if len(findings.unjudged) > len(shown):
        yield f"- and {len(findings.unjudged) - len(shown):,} more"
    mentions = findings.mentions[:MOST_ROWS]
    if mentions:
        yield from ("", "Files of a kind that is not read here, and what they name:", "")
    yield from (f"- {markdown_text(findings.at(one.place))}: {markdown_text(one.name)}" for one in mentions)
    if len(findings.mentions) > len(mentions):
        yield f"- and {len(findings.mentions) - len(mentions):,} more"


def _fitting(findings: Findings, room: int) -> Iterator[str]:
    """The table and the approvals, as far as they fit."""
    rows: list[str] = []
    approvals: dict[str, None] = {}
    for finding in findings.shown[:MOST_ROWS]:
        row = _row(finding, findings)
        lines = approval_lines(finding, findings) if finding.verdict is not Verdict.UNRESOLVED else []
        room -= len(row) + sum(len(line) + 1 for line in lines if line not in approvals)
        if room < 0:
            break
        rows.append(row)
        approvals |= dict.fromkeys(lines)
    if rows:
        yield from ("", f"| {' | '.join(_COLUMNS)} |", "|" + " --- |" * len(_COLUMNS), *rows)
    if len(findings.shown) > len(rows):
        yield from ("", f"and {len(findings.shown) - len(rows):,} more: the log lists all")
    if approvals:
        yield from ("", markdown_text(way_out(findings)), "", *markdown_code("yaml", list(approvals)))


def _row(finding: Finding, findings: Findings) -> str:
    attachment = finding.attachment
    principals = [f"{one.kind}/{one.name.known or one.address or one.name}" for one in attachment.principals]
    where = [findings.at(attachment.place), *(f"called at {findings.at(call)}" for call in reversed(attachment.calls))]
    cells = (
        display_name(attachment.policy),
        ", ".join(principals) or attachment.resource,
        ", ".join(where),
        _since(finding, findings),
        _why(finding),
    )
    return f"| {' | '.join(markdown_text(cell[:2000]) for cell in cells)} |"


def _why(finding: Finding) -> str:
    """When, and why not; the other columns have the rest of the sentence."""
    if not finding.is_certain:
        return finding.message
    from_day = f" from {finding.from_day} on" if finding.from_day else ""
    return ": ".join(filter(None, ((circumstances(finding.attachment, WHOLE) + from_day).lstrip(), finding.why)))


def _since(finding: Finding, findings: Findings) -> str:
    change = finding.attachment.change
    if change and change.is_new:
        return f"new by this plan ({change.action})" if change.action else "new by this plan"
    place = finding.attachment.place
    day = since(place, findings.repository_of(place.path))
    return ", ".join(filter(None, ("before this plan" if change else "", day))) or "not known"
