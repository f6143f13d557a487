"""Write findings as JSON, for programs: the shape is stable and described in docs/outputs.md.

`format_version` changes when a key is removed or changes its meaning; new keys may come at any time.
"""

from __future__ import annotations

from typing import Any

from unapproved_iam.deny_list.entries import Approval
from unapproved_iam.deny_list.verdict import Finding
from unapproved_iam.policies.attachment import Place, PlannedChange
from unapproved_iam.policies.policy_arn import display_name
from unapproved_iam.printed_words import json_text
from unapproved_iam.program import version
from unapproved_iam.scan.findings import Findings

FORMAT_VERSION = 1


def json_report(findings: Findings, seconds: float) -> str:
    """A JSON object; paths are POSIX paths from the repository's root, lines count from 1."""
    return json_text(
        {
            "format_version": FORMAT_VERSION,
            "tool": {"name": "unapproved-iam", "version": version()},
            "deny_list": {"source": findings.deny_list.source, "entries": len(findings.deny_list.entries)},
            "exit_code": findings.exit_code,
            "summary": {
                "files": findings.files,
                "units": findings.units,
                "seconds": round(seconds, 3),
                "violations": len(findings.violations),
                "attached_before": len(findings.attached_before),
                "warnings": len(findings.warnings),
                "approved": len(findings.approved),
                "skipped": len(findings.skipped),
                "unresolved": len(findings.unresolved),
                "unjudged": len(findings.unjudged),
                "mentions": len(findings.mentions),
                "excluded": dict(findings.excluded),
            },
            "findings": [_finding(finding, findings) for finding in findings.judged],
            "unjudged": [
                _place(unjudged.place, findings) | {"reason": unjudged.reason, "advice": unjudged.advice}
                for unjudged in findings.unjudged
            ],
            "expiring": [_approval(approval) for approval in findings.expiring],
            "remarks": list(findings.remarks),
            "mentions": [_place(mention.place, findings) | {"policy": mention.name} for mention in findings.mentions],
        }
    )


def _finding(finding: Finding, findings: Findings) -> dict[str, Any]:
    attachment, entry = finding.attachment, finding.entry
    return {
        "verdict": finding.verdict.value,
        "violation": findings.is_violation(finding),
        "skipped": attachment.skip,
        **_place(attachment.place, findings),
        "policy": display_name(attachment.policy),
        "arn": str(attachment.policy),
        "principals": [
            {"kind": principal.kind, "name": principal.name.known, "address": principal.address or None}
            for principal in attachment.principals
        ],
        "resource": attachment.resource,
        "resource_type": attachment.resource_type,
        "block": _place(attachment.block, findings),
        "unit": findings.relative(attachment.unit) if attachment.unit else None,
        "calls": [_place(call, findings) for call in attachment.calls],
        "when": list(attachment.when),
        "plan": attachment.change and _change(attachment.change, findings),
        "origin": attachment.origin or None,
        "message": finding.message,
        "entry": entry
        and {
            "policy": entry.policy,
            "origin": str(entry.origin),
            "reason": entry.reason,
            "use_instead": list(entry.use_instead),
        },
        "approvals": [_approval(approval) for approval in finding.approvals],
    }


def _approval(approval: Approval) -> dict[str, Any]:
    return {
        "policy": approval.policy,
        "attached_to": approval.attached_to,
        "origin": str(approval.origin),
        "reason": approval.reason,
        "approved_by": approval.approved_by,
        "expires": approval.expires.isoformat() if approval.expires else None,
    }


def _change(change: PlannedChange, findings: Findings) -> dict[str, Any]:
    return {
        "action": change.action or None,
        "new": change.is_new,
        "places": [_place(place, findings) for place in (change.place, *change.also)],
    }


def _place(place: Place, findings: Findings) -> dict[str, Any]:
    return {"path": findings.relative(place.path), "line": place.line, "end_line": place.end_line}
