"""Write findings as reviewdog's rdjson, which puts them beside the changed lines on any code host.

Where the list names exactly one policy to use instead, and the denied one is written out in the lines that attach it,
the replacement is a suggestion that a reviewer can accept. Source: "Reviewdog Diagnostic Format" (proto/rdf) in
reviewdog's repository.
"""

from __future__ import annotations

import re
from typing import Any

from unapproved_iam.deny_list.verdict import Finding
from unapproved_iam.policies.attachment import Place
from unapproved_iam.policies.managed_policy_names import managed_policy_names
from unapproved_iam.policies.policy_arn import display_name
from unapproved_iam.printed_words import json_text, printable
from unapproved_iam.program import PROGRAM
from unapproved_iam.reports.rule_text import CHECK_ID, HELP_URI
from unapproved_iam.reports.source_lines import lines_of
from unapproved_iam.scan.findings import Findings


def rdjson_report(findings: Findings, seconds: float = 0) -> str:
    """A JSON object, a DiagnosticResult."""
    diagnostics = []
    for finding in findings.shown:
        severity = "ERROR" if findings.is_violation(finding) else "WARNING"
        written = _diagnostic(finding.message, severity, finding.attachment.place, findings)
        diagnostics.append(written | _suggestions(finding))
    for unjudged in findings.unjudged:
        said = f"could not be checked: {unjudged.reason}"
        diagnostics.append(_diagnostic(said, "ERROR", unjudged.place, findings))
    for mention in findings.mentions:
        said = f"not checked: names {mention.name}, and files of this kind are not read here"
        diagnostics.append(_diagnostic(said, "WARNING", mention.place, findings))
    return json_text({"source": {"name": PROGRAM}, "diagnostics": diagnostics})


def _diagnostic(message: str, severity: str, place: Place, findings: Findings) -> dict[str, Any]:
    lines = {"start": {"line": place.line}, "end": {"line": place.end_line}}
    return {
        "message": printable(message),
        "location": {"path": findings.relative(place.path), "range": lines},
        "severity": severity,
        "code": {"value": CHECK_ID, "url": HELP_URI},
    }


def _suggestions(finding: Finding) -> dict[str, Any]:
    paths = managed_policy_names()
    denied = display_name(finding.attachment.policy)
    instead = [advice.rpartition("/")[2] for advice in finding.use_instead]
    if denied not in paths or len(instead) != 1 or instead[0] not in paths:
        return {}
    before, after = paths[denied] + denied, paths[instead[0]] + instead[0]
    written = re.compile(rf"(?<![\w-])(?:(policy/){re.escape(before)}|{re.escape(denied)})(?![\w-])".encode())
    place = finding.attachment.place
    found = [(number, match) for number, line in lines_of(place) for match in written.finditer(line)]
    if len(found) != 1:
        return {}
    ((number, match),) = found
    if match[1] is None and paths[denied] != paths[instead[0]]:
        return {}  # the path of the ARN stands somewhere else, and would be wrong
    span = {
        "start": {"line": number, "column": match.start() + 1},
        "end": {"line": number, "column": match.end() + 1},
    }
    return {"suggestions": [{"range": span, "text": f"policy/{after}" if match[1] else instead[0]}]}
