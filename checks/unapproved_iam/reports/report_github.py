"""Write findings as workflow commands, which GitHub Actions shows as annotations on the lines of a pull request.

Source: "Workflow commands for GitHub Actions" in the GitHub documentation, and the escapes that GitHub's own toolkit
uses. Every value is escaped: names and paths of a pull request must not become commands.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from unapproved_iam.policies.attachment import Place
from unapproved_iam.policies.inline_skips import CHECK_ID
from unapproved_iam.printed_words import printable
from unapproved_iam.reports.finding_text import exception, expiring, groups, headline
from unapproved_iam.scan.findings import Findings


def github_report(findings: Findings, seconds: float = 0) -> str:
    """One line for each annotation; empty when there is none."""
    return "".join(f"{line}\n" for line in _annotations(findings))


def _annotations(findings: Findings) -> Iterator[str]:
    for group in groups(findings.shown):
        level = "error" if findings.is_violation(group.first) else "warning"
        lines = [line for line in (headline(group), group.first.why, exception(group, findings)) if line]
        yield _annotation(level, group.place, CHECK_ID, lines, findings)
    for approval, line in zip(findings.expiring, expiring(findings), strict=True):
        place = Place(os.path.join(findings.root, approval.origin.source), approval.origin.line)
        yield _annotation("warning", place, f"{CHECK_ID}: an approval expires soon", [line], findings)
    for unjudged in findings.unjudged:
        yield _annotation("error", unjudged.place, f"{CHECK_ID}: could not be checked", [unjudged.reason], findings)
    for mention in findings.mentions:
        message = f"names {mention.name}, and files of this kind are not read here"
        yield _annotation("warning", mention.place, f"{CHECK_ID}: not checked", [message], findings)


def _annotation(level: str, place: Place, title: str, lines: Sequence[str], findings: Findings) -> str:
    """The message begins with the place, which the log does not show otherwise."""
    properties = {
        "file": findings.relative(place.path),
        "line": str(place.line),
        "endLine": str(place.end_line),
        "title": title,
    }
    written = ",".join(f"{key}={_escaped_property(value)}" for key, value in properties.items())
    message = "%0A".join(map(_escaped, [f"{findings.at(place)}: {lines[0]}", *lines[1:]]))
    return f"::{level} {written}::{message}"


def _escaped(value: str) -> str:
    return printable(value).replace("%", "%25")


def _escaped_property(value: str) -> str:
    return _escaped(value).replace(":", "%3A").replace(",", "%2C")
