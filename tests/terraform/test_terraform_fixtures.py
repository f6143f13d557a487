"""What is found in the Terraform fixtures: every verdict is in a name, every denied policy in a comment at its line.

An attachment is denied exactly when a name or key in its address begins with `fail`, unresolved when one begins with
`open`, else clean. One that is denied stands on a line whose comment names the policy, and its condition if there is
one.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from project_files import PROJECT
from terraform_verdicts import findings_in, told
from unapproved_iam.deny_list.verdict import Verdict
from unapproved_iam.policies.policy_arn import display_name
from unapproved_iam.terraform.resource_types import ATTACHING_TYPES

FIXTURES = PROJECT / "fixtures" / "terraform"
TREES = sorted(path for path in FIXTURES.iterdir() if path.is_dir())
NAME = re.compile(r'(?:^|[."])(fail|open)_\w+')


@pytest.mark.parametrize("tree", TREES, ids=lambda tree: tree.name)
def test_the_verdict_of_each_attachment_is_in_its_name(tree: Path) -> None:
    findings, unjudged = findings_in(tree)
    assert not unjudged
    verdicts: dict[str, set[Verdict]] = {}
    for finding in findings:
        named = NAME.search(finding.attachment.resource)
        named_part = finding.attachment.resource[: named.end()] if named else finding.attachment.resource
        verdicts.setdefault(named_part, set()).add(finding.verdict)
    for named_part, found in verdicts.items():
        kind = NAME.search(named_part)
        if kind is None:
            assert found == {Verdict.CLEAN}, named_part
        elif kind[1] == "fail":
            assert Verdict.DENIED in found, named_part
        else:
            assert found - {Verdict.CLEAN} == {Verdict.UNRESOLVED}, named_part


@pytest.mark.parametrize("tree", TREES, ids=lambda tree: tree.name)
def test_everything_that_is_named_to_fail_is_found(tree: Path) -> None:
    findings, _ = findings_in(tree)
    found = {name for finding in findings for name in re.findall(r"\b(?:fail|open)_\w+", finding.attachment.resource)}
    declared = set()
    for path in (path for path in tree.rglob("*") if path.is_file()):
        source = re.sub(r"^\s*#.*|\"//\".*", "", path.read_text(), flags=re.MULTILINE)
        declared |= set(re.findall(r"\b(?:fail|open)_\w+", source))
    assert found == declared != set()


@pytest.mark.parametrize("tree", TREES, ids=lambda tree: tree.name)
def test_a_comment_at_the_line_names_the_denied_policy(tree: Path) -> None:
    named: dict[str, bool] = {}
    for finding in findings_in(tree)[0]:
        one = finding.attachment
        if finding.verdict is Verdict.DENIED and not one.place.path.endswith(".json"):
            line = Path(one.place.path).read_text().splitlines()[one.place.line - 1]
            policy = told(display_name(one.policy), one.when)
            origin = f" (value from {one.origin})" if one.origin else ""
            named[one.resource] = named.get(one.resource, False) or policy + origin in line
    assert [resource for resource, is_named in named.items() if not is_named] == []


def test_every_row_of_the_table_has_a_denied_and_a_clean_resource() -> None:
    verdicts: dict[str, set[Verdict]] = {}
    for finding in findings_in(FIXTURES / "attaching_types")[0]:
        verdicts.setdefault(finding.attachment.resource_type, set()).add(finding.verdict)
    source = (FIXTURES / "attaching_types" / "main.tf").read_text()
    for resource_type in ATTACHING_TYPES:
        assert Verdict.DENIED in verdicts[resource_type]
        assert f'resource "{resource_type}" "pass_' in source
