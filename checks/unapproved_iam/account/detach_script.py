"""Write a shell script that detaches what the audit denies, for a person to review and run.

Nothing here runs it. Each account has a section, and the script runs only the one that its credentials belong to. So
the wrong credentials detach nothing. Every word is quoted, and what people wrote is only in comments.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from itertools import groupby

from unapproved_iam.account.audit import Audit
from unapproved_iam.account.detach_commands import detachment
from unapproved_iam.deny_list.verdict import Finding
from unapproved_iam.printed_words import counted, printable


def detach_script(audit: Audit) -> str:
    """A POSIX shell script that detaches everything denied in the account whose credentials it is run with."""
    denied = sorted(audit.denied, key=lambda finding: finding.attachment.unit)
    by_account = {unit: list(group) for unit, group in groupby(denied, key=lambda finding: finding.attachment.unit)}
    lines = [
        "#!/bin/sh",
        "# Detaches the policies that the deny list denies. Review it, then run it with credentials that may detach:",
        "# once per account below. Writing this script ran nothing.",
        *_comment(f"deny list: {audit.deny_list.source}"),
        *_comment(
            f"written on {audit.today} for {counted(len(denied), 'denied attachment')}"
            f" in {counted(len(by_account), 'account')}"
        ),
        *(comment for unjudged in audit.unjudged for comment in _comment(f"not checked: {unjudged.reason}")),
        *(comment for remark in audit.remarks for comment in _comment(remark)),
        "set -eu",
        "export AWS_PAGER=  # version 2 of the AWS CLI would wait in a pager",
        "",
    ]
    if not denied:
        return "\n".join([*lines, "# nothing to detach", ""])
    lines += ["account=$(aws sts get-caller-identity --query Account --output text)", 'case "$account" in']
    for unit, findings in by_account.items():
        lines += [f"{unit.split(':')[4]})", *(f"  {line}" for line in _section(findings, audit.region)), "  ;;"]
    lines += ["*)", '  echo "nothing to detach in account $account" >&2', "  exit 1", "  ;;", "esac", ""]
    return "\n".join(lines)


def _section(findings: Iterable[Finding], region: str) -> list[str]:
    lines: list[str] = []
    run: set[str] = set()  # a reference that is denied in several accounts is detached once
    afterwards: dict[tuple[str, ...], None] = {}
    for finding in findings:
        detach = detachment(finding, region)
        lines += _comment(finding.message)
        lines += _comment(f"note: {detach.note}") if detach.note else []
        lines += [detach.line] if detach.command and detach.line not in run else []
        run.add(detach.line)
        if detach.then:
            afterwards[detach.then] = None
    lines += [shlex.join(command) for command in afterwards]
    return lines if any(not line.startswith("#") for line in lines) else [*lines, ":"]


def _comment(words: str) -> list[str]:
    """One line, whatever the words hold: a line break would end the comment and begin a command."""
    return [f"# {printable(' '.join(words.split()))}"]
