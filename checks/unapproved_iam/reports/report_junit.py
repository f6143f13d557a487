"""Write findings as JUnit XML, which Jenkins, Azure DevOps and GitLab show as test results.

Each finding is a test case: a violation has failed, what could not be checked is an error, and what does not fail the
run is skipped, with the reason. If there is nothing to report, one case passes, because a CI system takes no results
for a broken job. Source: `junit-10.xsd` of Jenkins' xUnit plugin, and "JUnit test results" in the GitLab documentation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from xml.etree import ElementTree

from unapproved_iam.deny_list.verdict import Finding, Verdict
from unapproved_iam.policies.policy_arn import display_name
from unapproved_iam.printed_words import printable
from unapproved_iam.program import PROGRAM
from unapproved_iam.reports.rule_text import CHECK_ID, TITLE
from unapproved_iam.scan.findings import Findings


class _Case(NamedTuple):
    where: str
    name: str
    outcome: str = ""  # failure, error or skipped; none: it passes
    kind: str = ""
    message: str = ""


def junit_report(findings: Findings, seconds: float = 0) -> str:
    """An XML document with one suite."""
    cases = list(_cases(findings)) or [_Case(PROGRAM, TITLE)]
    counts = {
        "tests": str(len(cases)),
        "failures": str(sum(case.outcome == "failure" for case in cases)),
        "errors": str(sum(case.outcome == "error" for case in cases)),
        "time": f"{seconds:.3f}",
    }
    skipped = str(sum(case.outcome == "skipped" for case in cases))
    suites = ElementTree.Element("testsuites", {"name": PROGRAM, **counts})
    suite = ElementTree.SubElement(suites, "testsuite", {"name": CHECK_ID, **counts, "skipped": skipped})
    for case in cases:
        written = ElementTree.SubElement(suite, "testcase", classname=printable(case.where), name=printable(case.name))
        if case.outcome:
            outcome = ElementTree.SubElement(written, case.outcome, type=case.kind, message=printable(case.message))
            outcome.text = printable(f"{case.where}: {case.message}")
    ElementTree.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(suites, encoding="unicode")}\n'


def _cases(findings: Findings) -> Iterator[_Case]:
    for finding in findings.judged:
        attachment = finding.attachment
        outcome = "failure" if findings.is_violation(finding) else "skipped"
        name = f"{display_name(attachment.policy)} by {attachment.resource}"
        yield _Case(findings.at(attachment.place), name, outcome, _kind(finding), finding.message)
    for unjudged in findings.unjudged:
        message = unjudged.reason + (f" ({unjudged.advice})" if unjudged.advice else "")
        yield _Case(findings.at(unjudged.place), "could not be checked", "error", "unjudged", message)
    for mention in findings.mentions:
        message = f"names {mention.name}, and files of this kind are not read here"
        yield _Case(findings.at(mention.place), "not checked", "skipped", "mention", message)


def _kind(finding: Finding) -> str:
    would_fail = finding.verdict in (Verdict.DENIED, Verdict.WARNED)
    return "skipped inline" if would_fail and finding.attachment.skip is not None else finding.verdict.value
