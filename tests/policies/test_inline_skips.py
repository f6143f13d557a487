"""Which comments skip the check: line by line, each beside a twin that differs in what decides."""

from __future__ import annotations

import pytest
from unapproved_iam.policies.inline_skips import skip_in_block, skip_in_lines


@pytest.mark.parametrize(
    ("line", "comment"),
    [
        ("# checkov:skip=IAM_068:we know", "we know"),
        ("# checkov:skip=IAM_068:we know\r\n", "we know"),
        ("# checkov:skip=IAM_068: we : know ", " we : know "),
        ("# checkov:skip=IAM_068", ""),
        ("# checkov:skip=IAM_068:X", "X"),
        ("# checkov:skip= IAM_068", ""),
        ("# checkov:skip =IAM_068", None),
        ("# bridgecrew:skip=IAM_068:x", "x"),
        ("# cortex:skip=IAM_068:x", "x"),
        ("# other:skip=IAM_068:x", None),
        ("# checkov:skip=IAM_0681", None),
        ("# checkov:skip=CKV_AWS_1", None),
        ("# checkov:skip=CKV_AWS_1,IAM_068:x", "x"),
        ("# checkov:skip=CKV_AWS_1, IAM_068:x", None),
        ("# checkov:skip=:IAM_068", None),
        ("# checkov:skip=CKV_AWS_1 checkov:skip=IAM_068", None),  # the first mark of a line counts
        ("policy_arn = 1 // checkov:skip=IAM_068", ""),
    ],
)
def test_which_line_skips(line: str, comment: str | None) -> None:
    assert skip_in_lines([line]) == comment


@pytest.mark.parametrize(("mark", "comment"), [("IAM_068", "x"), ("IAM_068,CKV_AWS_1", None)])
def test_a_list_of_checks_skips_nothing_in_a_template(mark: str, comment: str | None) -> None:
    assert skip_in_lines([f"# checkov:skip={mark}:x"], lists=False) == comment
    assert skip_in_lines([f"# checkov:skip={mark}:x"]) == "x"


@pytest.mark.parametrize(("at", "comment"), [(1, None), (2, None), (3, "x"), (4, "x"), (5, None), (6, None)])
def test_a_skip_stands_strictly_within_a_block(at: int, comment: str | None) -> None:
    lines = ["line"] * 6
    lines[at - 1] = "# checkov:skip=IAM_068:x"
    assert skip_in_block(lines, 2, 5) == comment


def test_a_block_on_one_line_has_nothing_within() -> None:
    assert skip_in_block(["x {}", "# checkov:skip=IAM_068", "# checkov:skip=IAM_068"], 2, 2) is None


def test_the_first_skip_counts() -> None:
    lines = ["# checkov:skip=CKV_AWS_1:a", "# checkov:skip=IAM_068:b", "# checkov:skip=IAM_068:c"]
    assert skip_in_lines(lines) == "b"
