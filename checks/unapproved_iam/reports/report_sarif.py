"""Write findings as SARIF, for code scanning: results, and notifications of what could not be checked.

Source: "Static Analysis Results Interchange Format (SARIF) Version 2.1.0" of OASIS, and "SARIF support for code
scanning" in the GitHub documentation.
"""

from __future__ import annotations

import hashlib
import os
from typing import Any
from urllib.parse import quote

from unapproved_iam.deny_list.verdict import Finding
from unapproved_iam.policies.attachment import Place
from unapproved_iam.printed_words import json_text
from unapproved_iam.program import DISTRIBUTION, version
from unapproved_iam.reports.rule_text import CHECK_ID, DESCRIPTION, HELP, HELP_URI, NAME, TITLE
from unapproved_iam.scan.findings import Findings

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def sarif_report(findings: Findings, seconds: float = 0) -> str:
    """A SARIF 2.1.0 log with one run."""
    rule = {
        "id": CHECK_ID,
        "name": NAME,
        "shortDescription": {"text": TITLE},
        "fullDescription": {"text": DESCRIPTION},
        "help": {"text": HELP},
        "helpUri": HELP_URI,
        "defaultConfiguration": {"level": "error"},
        # GitHub sorts by it: above 7 is high.
        "properties": {"security-severity": "8.0", "precision": "high", "tags": ["security", "iam"]},
    }
    notifications = [
        {
            "level": "error",
            "message": {"text": unjudged.reason},
            "locations": [_location(unjudged.place, findings)],
        }
        for unjudged in findings.unjudged
    ]
    run = {
        "tool": {"driver": {"name": DISTRIBUTION, "version": version(), "rules": [rule]}},
        "invocations": [
            {
                "executionSuccessful": not notifications,
                "exitCode": findings.exit_code,
                "toolExecutionNotifications": notifications,
            }
        ],
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, findings) for finding in findings.shown],
    }
    return json_text({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _result(finding: Finding, findings: Findings) -> dict[str, Any]:
    attachment = finding.attachment
    result: dict[str, Any] = {
        "ruleId": CHECK_ID,
        "ruleIndex": 0,
        "level": "error" if findings.is_violation(finding) else "warning",
        "message": {"text": finding.message},
        "locations": [
            _location(attachment.place, findings) | {"logicalLocations": [{"fullyQualifiedName": attachment.resource}]}
        ],
        "partialFingerprints": {"attachment/v1": fingerprint(finding, findings)},
    }
    if attachment.change:
        result["properties"] = {"plan": attachment.change.action or "unknown", "new": attachment.change.is_new}
    if attachment.calls:
        result["relatedLocations"] = [
            _location(call, findings) | {"message": {"text": "module call"}} for call in attachment.calls
        ]
    return result


def _location(place: Place, findings: Findings) -> dict[str, Any]:
    path = findings.relative(place.path)
    inside = not path.startswith("/") and ":" not in path[:3]
    uri = quote(os.fsencode(path)) if inside else "file://" + quote(os.fsencode("/" + path.lstrip("/")))
    artifact = {"uri": uri} | ({"uriBaseId": "%SRCROOT%"} if inside else {})
    region = {"startLine": place.line, "endLine": place.end_line}
    return {"physicalLocation": {"artifactLocation": artifact, "region": region}}


def fingerprint(finding: Finding, findings: Findings) -> str:
    """The same for the same attachment wherever its lines move."""
    attachment = finding.attachment
    return identity_of(findings.relative(attachment.block.path), attachment.resource, str(attachment.policy))


def identity_of(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "backslashreplace")).hexdigest()
