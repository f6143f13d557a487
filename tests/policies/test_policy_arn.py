"""What an entry of the list means, what the form of an ARN tells of its holes, and what a lookup by name finds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unapproved_iam.policies.managed_policy_names import managed_policy_names
from unapproved_iam.policies.policy_arn import globs_of_entry, narrowed
from unapproved_iam.policies.policy_lookup import policies_named
from unapproved_iam.policies.possible_text import Alphabet, Glob, Hole, Match, Text, match, text

ANY, SEGMENT, DIGITS = Alphabet.ANY, Alphabet.SEGMENT, Alphabet.DIGITS


@pytest.mark.parametrize("entry", ["Billing", "arn:aws:iam::aws:policy/job-function/Billing"])
@pytest.mark.parametrize(
    ("partition", "matches"), [("aws", True), ("aws-cn", True), ("", True), ("aws:x", False), ("aws:iam::aws", False)]
)
def test_every_partition_is_one_segment(entry: str, partition: str, matches: bool) -> None:
    arn = f"arn:{partition}:iam::aws:policy/job-function/Billing"
    assert any(glob.expression.fullmatch(arn) for glob in globs_of_entry(entry)) is matches


def hole(written: str = "var.x", alphabet: Alphabet = ANY) -> Hole:
    return Hole(written, f"{written} is unknown", alphabet)


@pytest.mark.parametrize(
    ("policy", "alphabets"),
    [
        pytest.param(text("arn:", hole(), ":iam::", hole("y"), ":policy/", hole()), [SEGMENT] * 3, id="between colons"),
        pytest.param(text("arn:aws:iam::aws:policy/a", hole(), "b"), [SEGMENT], id="in the name"),
        pytest.param(text("arn:aws:iam::aws:policy/", hole(), "/", hole()), [SEGMENT] * 2, id="in path and name"),
        pytest.param(text("arn:aws:iam::", hole("x", DIGITS), ":policy/x"), [DIGITS], id="narrow already"),
        pytest.param(text("arn:aws:iam::aws:pol", hole()), [ANY], id="before the name begins"),
        pytest.param(text("arn:aws:", hole()), [ANY], id="at the end"),
        pytest.param(text("arn:aws", hole(), ":iam::aws:policy/x"), [ANY], id="a colon behind it alone"),
        pytest.param(text("arn:", hole(), "x:iam::aws:policy/x"), [ANY], id="a colon before it alone"),
        pytest.param(text(hole(), ":iam::aws:policy/", hole()), [ANY] * 2, id="what begins unknown"),
        pytest.param(text("urn:", hole(), ":iam::aws:policy/", hole()), [ANY] * 2, id="no ARN"),
        pytest.param(text(), [], id="nothing"),
    ],
)
def test_the_form_of_an_arn_narrows_its_holes(policy: Text, alphabets: list[Alphabet]) -> None:
    assert [one.alphabet for one in narrowed(policy).holes] == alphabets
    assert str(narrowed(policy)) == str(policy)


@pytest.mark.parametrize(
    ("account", "rest", "written"),
    [
        ("var.x", ":policy/Name", "arn:aws:iam::aws:policy/Name"),
        ("var.y", ":policy/Name", "arn:${var.x}:iam::${var.y}:policy/Name"),
        ("var.x", ":policy-x/Name", "arn:${var.x}:iam::${var.x}:policy-x/Name"),
    ],
)
def test_what_is_partition_and_account_alike_is_aws(account: str, rest: str, written: str) -> None:
    assert str(narrowed(text("arn:", hole(), ":iam::", hole(account), rest))) == written


OWN = "arn:${partition}:iam::${account}:policy"
ANYONES = "arn:${partition}:iam::${owner}:policy"
AWS = "arn:${partition}:iam::aws:policy"


@pytest.mark.parametrize(
    ("name", "prefix", "found"),
    [
        ("IAMFullAccess", "/", [f"{AWS}/IAMFullAccess"]),
        ("Billing", "/", [f"{AWS}/job-function/Billing"]),
        ("Billing", "/job-function/", [f"{AWS}/job-function/Billing"]),
        ("Billing", hole("var.p"), [f"{AWS}/job-function/Billing"]),
        ("Billing", "/team/", [f"{OWN}/team/Billing", f"{OWN}/team/Billing"]),
        ("own", "/", [f"{OWN}/own", f"{OWN}/own", f"{AWS}/own"]),
        ("own", "/team/", [f"{OWN}/team/own", f"{OWN}/team/own"]),
        ("own", hole("var.p"), [f"{OWN}${{var.p}}own", f"{OWN}${{var.p}}/own"]),
        ("own", "", [f"{OWN}own", f"{OWN}/own"]),
        (text("a", hole()), "/", [f"{OWN}/a${{var.x}}", f"{OWN}/a${{var.x}}", f"{AWS}/a${{var.x}}"]),
        (hole(), "/team/", [f"{ANYONES}/team/${{path}}${{var.x}}"]),
    ],
)  # fmt: skip
def test_what_a_lookup_by_name_may_find(name: str | Hole | Text, prefix: str | Hole, found: list[str]) -> None:
    assert [str(policy) for policy in policies_named(text(name), text(prefix))] == found


PATHS = st.lists(st.sampled_from(["a", "b", "job-function", "service-role"]), max_size=2)


@given(
    st.sampled_from(["own", "Billing", "AdministratorAccess", "AWSLambdaBasicExecutionRole"]),
    PATHS,
    PATHS,
    st.sampled_from(["aws", "aws-cn"]),
)
def test_what_the_account_has_is_found(name: str, path: list[str], prefix: list[str], partition: str) -> None:
    """The provider lists all policies whose path begins so, and takes the one of that name; two of them it refuses."""
    begins, own = (f"/{''.join(f'{part}/' for part in parts)}" for parts in (prefix, path))
    having = {f"arn:{partition}:iam::123456789012:policy{own}{name}": own}
    if name in managed_policy_names():
        of_aws = f"/{managed_policy_names()[name]}"
        having[f"arn:{partition}:iam::aws:policy{of_aws}{name}"] = of_aws
    listed = [arn for arn, path_of_it in having.items() if path_of_it.startswith(begins)]
    possible = policies_named(text(name), text(begins))
    if len(listed) == 1:
        assert any(match(policy, [Glob(listed[0])]) is not Match.NEVER for policy in possible)
