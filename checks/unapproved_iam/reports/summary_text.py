"""Sum up a run in one line, and count many findings by policy.

For every output of `check` and for the checkov wrapper. It shows only counts that are not zero, and says `clean` only
if nothing is left open.
"""

from __future__ import annotations

from collections import Counter

from unapproved_iam.policies.policy_arn import display_name
from unapproved_iam.printed_words import counted, printable
from unapproved_iam.scan.findings import Findings

MANY = 10  # findings, above which their policies are counted
MOST_POLICIES = 8


def summary(findings: Findings, seconds: float) -> str:
    """The one line that every run ends with."""
    said = f"{_outcome(findings)} {counted(findings.files, 'file')} ({seconds:.1f} s), list: {_list_name(findings)}"
    return printable("; ".join(filter(None, (said, ", ".join(_counts(findings)), *findings.remarks))))


def _outcome(findings: Findings) -> str:
    violations = counted(len(findings.violations), "violation") if findings.violations else ""
    if findings.unjudged:
        problems = counted(len(findings.unjudged), "problem")
        return f"could not check everything ({problems}): {violations or 'no violation'} in"
    if violations:
        return f"{violations} in"
    is_open = findings.mentions or findings.unresolved or findings.warnings
    return "no violation in" if is_open else "clean:"


def _counts(findings: Findings) -> list[str]:
    numbers = (
        (len(findings.warnings), "warned about"),
        (len(findings.attached_before), "attached before"),
        (len(findings.approved), "approved"),
        (len(findings.skipped), "skipped inline"),
        (len([one for one in findings.unresolved if not findings.is_violation(one)]), "unresolved"),
    )
    counts = [f"{number:,} {what}" for number, what in numbers if number]
    if findings.mentions:
        counts.append(f"{counted(len(findings.mentions), 'file')} not read that {_name(findings)} a denied policy")
    return counts + [f"{number:,} excluded ({reason})" for reason, number in findings.excluded.items()]


def _name(findings: Findings) -> str:
    return "names" if len(findings.mentions) == 1 else "name"


def _list_name(findings: Findings) -> str:
    return findings.deny_list.source.removeprefix("built-in list ")


def totals(findings: Findings) -> str:
    """How many findings each policy has, when there are many; else empty."""
    shown = findings.shown
    policies = Counter(display_name(one.attachment.policy) if one.is_certain else "unresolved" for one in shown)
    if policies.total() <= MANY:
        return ""
    most = [f"{policy} {number:,}" for policy, number in policies.most_common(MOST_POLICIES)]
    more = [f"{len(policies) - len(most)} more policies"] if len(policies) > len(most) else []
    return printable("by policy: " + ", ".join(most + more))
