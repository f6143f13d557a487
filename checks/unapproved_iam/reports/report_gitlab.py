"""Write findings as GitLab's code quality report, which merge requests show beside the changed lines.

Source: "Code Quality report format" in the GitLab documentation. What could not be checked is in it too, as an issue of
its own: a merge request without issues must mean that there are none.
"""

from __future__ import annotations

from typing import Any

from unapproved_iam.policies.attachment import Place
from unapproved_iam.policies.inline_skips import CHECK_ID
from unapproved_iam.printed_words import json_text
from unapproved_iam.reports.report_sarif import fingerprint, identity_of
from unapproved_iam.scan.findings import Findings


def gitlab_report(findings: Findings, seconds: float = 0) -> str:
    """A JSON array of issues."""
    issues = []
    for finding in findings.shown:
        severity = "critical" if findings.is_violation(finding) else "minor"
        place = finding.attachment.place
        issues.append(_issue(finding.message, severity, fingerprint(finding, findings), place, findings))
    for unjudged in findings.unjudged:
        identity = identity_of(findings.relative(unjudged.place.path), unjudged.reason)
        said = f"could not be checked: {unjudged.reason}"
        issues.append(_issue(said, "critical", identity, unjudged.place, findings))
    return json_text(issues)


def _issue(description: str, severity: str, identity: str, place: Place, findings: Findings) -> dict[str, Any]:
    return {
        "type": "issue",
        "check_name": CHECK_ID,
        "description": description,
        "categories": ["Security"],
        "severity": severity,
        "fingerprint": identity,
        "location": {
            "path": findings.relative(place.path),
            "lines": {"begin": place.line, "end": place.end_line},
        },
    }
