"""The verdict of an attachment: which entry counts, what holes make of it, and what an approval covers until when."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unapproved_iam.deny_list.entries import Approval, DenyList, Entry, InlineSkips, Origin, Unresolved
from unapproved_iam.deny_list.verdict import Finding, Judge, Verdict, without_instance_keys
from unapproved_iam.policies.attachment import Attachment, Place, Principal
from unapproved_iam.policies.policy_arn import aws_managed, customer_managed, display_name, narrowed
from unapproved_iam.policies.possible_text import Alphabet, Hole, Text, text, unknown

ROOT = "/repository"
TODAY = date(2027, 6, 30)
RESOURCE = "aws_iam_role_policy_attachment.this"
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"


def hole(written: str = "var.x", alphabet: Alphabet = Alphabet.ANY) -> Hole:
    return Hole(written, f"{written} is unknown", alphabet)


def role(name: str | Text, address: str = "") -> Principal:
    return Principal("role", text(name), address)


def attachment(policy: str | Text, *principals: Principal, path: str = "main.tf", **more: object) -> Attachment:
    place = Place(f"{ROOT}/{path}", 3)
    return Attachment(RESOURCE, "x", text(policy), principals, place, place, **more)  # type: ignore[arg-type]


def judge(denied: list[str], judged: Attachment, *approvals: Approval, today: date = TODAY) -> Finding:
    entries = tuple(Entry(policy, Origin("list.yaml", number + 3)) for number, policy in enumerate(denied))
    return Judge(DenyList("list.yaml", entries, approvals), ROOT, today).judge(judged)


def approval(attached_to: str, policy: str = "AdministratorAccess", **more: object) -> Approval:
    return Approval(policy, attached_to, Origin("list.yaml", 9), "reviewed", **more)  # type: ignore[arg-type]


DENIED, CLEAN, UNRESOLVED, APPROVED = Verdict.DENIED, Verdict.CLEAN, Verdict.UNRESOLVED, Verdict.APPROVED
WARNED, UNKNOWN = Verdict.WARNED, unknown("var.p", "no default")


@pytest.mark.parametrize(
    ("entry", "policy", "verdict"),
    [
        # A name is that AWS managed policy in every partition, whatever its path, and nothing that looks alike.
        ("AdministratorAccess", ADMIN, DENIED),
        ("AdministratorAccess", "arn:aws-us-gov:iam::aws:policy/AdministratorAccess", DENIED),
        ("AdministratorAccess", "arn:aws-cn:iam::aws:policy/AdministratorAccess", DENIED),
        ("Billing", "arn:aws:iam::aws:policy/job-function/Billing", DENIED),
        ("job-function/Billing", "arn:aws:iam::aws:policy/job-function/Billing", DENIED),
        ("AdministratorAccess", "arn:aws:iam::aws:policy/AdministratorAccess-Amplify", CLEAN),
        ("AdministratorAccess", "arn:aws:iam::aws:policy/MyAdministratorAccess", CLEAN),
        ("AdministratorAccess", "arn:aws:iam::aws:policy/administratoraccess", CLEAN),
        ("AdministratorAccess", "arn:aws:iam::123456789012:policy/AdministratorAccess", CLEAN),
        ("AdministratorAccess", "AdministratorAccess", CLEAN),
        ("IAMFullAccess", "arn:aws:iam::aws:policy/MyIAMFullAccessReadOnly", CLEAN),
        # An ARN is matched whole; the partition aws is every partition, another one is itself.
        ("arn:aws:iam::aws:policy/job-function/*", "arn:aws-cn:iam::aws:policy/job-function/Billing", DENIED),
        ("arn:aws-cn:iam::aws:policy/IAMFullAccess", "arn:aws-cn:iam::aws:policy/IAMFullAccess", DENIED),
        ("arn:aws-cn:iam::aws:policy/IAMFullAccess", "arn:aws:iam::aws:policy/IAMFullAccess", CLEAN),
        ("arn:aws:iam::*:policy/legacy-*", "arn:aws:iam::123456789012:policy/legacy-x/y", DENIED),
        ("arn:aws:iam::*:policy/legacy-*", "arn:aws:iam::123456789012:policy/path/legacy-x", CLEAN),
        ("*FullAccess", "arn:aws:iam::aws:policy/AmazonS3FullAccess", DENIED),
        ("*FullAccess", "arn:aws:iam::123456789012:policy/AmazonS3FullAccess", CLEAN),
        ("AmazonS?FullAccess", "arn:aws:iam::aws:policy/AmazonS3FullAccess", DENIED),
        ("AmazonS?FullAccess", "arn:aws:iam::aws:policy/AmazonSNSFullAccess", CLEAN),
        # `*` alone is every attachment, one of which nothing is known too; the list of names is not.
        ("*", "anything", DENIED),
        ("*", unknown("var.p", "no default"), DENIED),
        ("?*", unknown("var.p", "no default"), UNRESOLVED),
        # A hole counts as whatever it may be.
        ("AdministratorAccess", aws_managed("AdministratorAccess"), DENIED),
        (
            "AdministratorAccess",
            text("arn:", hole("data.aws_partition.p"), ":iam::aws:policy/AdministratorAccess"),
            DENIED,
        ),
        ("AdministratorAccess", text("arn:", hole(), ":iam::aws:policy/ReadOnlyAccess"), CLEAN),
        ("AdministratorAccess", text("arn:aws:iam::aws:policy/", hole()), UNRESOLVED),
        ("AdministratorAccess", text("arn:aws:iam::aws:policy/Amazon", hole()), UNRESOLVED),  # a path may end the hole
        ("AdministratorAccess", text("arn:aws:iam::aws:policy/", hole(), "ReadOnly"), CLEAN),
        ("AdministratorAccess", text(hole(), "/AdministratorAccess"), UNRESOLVED),
        ("AdministratorAccess", text("arn:aws:iam::", hole(), ":policy/AdministratorAccess"), UNRESOLVED),
        ("AdministratorAccess", unknown("var.p", "no default"), UNRESOLVED),
        # A customer managed policy is clean unless a customer entry could match.
        ("AdministratorAccess", customer_managed(text(hole())), CLEAN),
        ("arn:aws:iam::*:policy/legacy-*", customer_managed(text(hole())), UNRESOLVED),
        ("arn:aws:iam::*:policy/legacy-*", customer_managed(text("legacy-x")), DENIED),
        ("arn:aws:iam::*:policy/legacy-*", customer_managed(text("modern-x")), CLEAN),
        ("arn:aws:iam::123456789012:policy/x", customer_managed(text("x")), UNRESOLVED),
        # what is partition and account alike can only be "aws"
        ("AdministratorAccess", text("arn:", hole(), ":iam::", hole(), ":policy/AdministratorAccess"), DENIED),
        (
            "AdministratorAccess",
            text("arn:", hole(), ":iam::", hole("var.y"), ":policy/AdministratorAccess"),
            UNRESOLVED,
        ),
    ],
)
def test_one_entry(entry: str, policy: str | Text, verdict: Verdict) -> None:
    assert judge([entry], attachment(policy, role("app"))).verdict is verdict


def test_the_first_certain_entry_counts_before_one_that_is_possible() -> None:
    named = judge(
        ["job-function/*", "arn:*:iam::*:policy/*"], attachment("arn:aws:iam::aws:policy/job-function/Billing")
    )
    assert named.entry is not None
    assert named.entry.policy == "job-function/*"
    partly = text("arn:aws:iam::", hole(), ":policy/job-function/Billing")
    certain = judge(["job-function/*", "arn:*:iam::*:policy/*"], attachment(partly))
    assert certain.entry is not None
    assert certain.entry.policy == "arn:*:iam::*:policy/*"


def test_entries_that_together_leave_no_way_out_deny() -> None:
    either = text("arn:aws:iam::", hole(alphabet=Alphabet.DIGITS), ":policy/x")
    assert judge(["arn:aws:iam::?*:policy/x"], attachment(either)).verdict is UNRESOLVED
    assert judge(["arn:aws:iam::?*:policy/x", "arn:aws:iam:::policy/x"], attachment(either)).verdict is DENIED


A_ROLE, OTHER = role("break-glass"), role("app")
MAYBE = role(text("break-", hole()))
SOME_ROLE = role(text(hole()))
USER = Principal("user", text("break-glass"))


@pytest.mark.parametrize(
    ("attached_to", "principals", "verdict"),
    [
        pytest.param("role/break-glass", [A_ROLE], APPROVED, id="the principal"),
        pytest.param("role/break-*", [A_ROLE], APPROVED, id="a pattern"),
        pytest.param("role/break-glas", [A_ROLE], DENIED, id="another name"),
        pytest.param("role/break-glass", [USER], DENIED, id="another kind"),
        pytest.param("role/break-glass", [A_ROLE, OTHER], DENIED, id="not for every principal"),
        pytest.param("role/break-glass", [MAYBE], DENIED, id="a name that may be it"),
        pytest.param("role/break-*", [MAYBE], APPROVED, id="a name that matches whatever it is"),
        pytest.param("role/*", [SOME_ROLE], DENIED, id="a name of which nothing is known"),
        pytest.param("role/*", [], DENIED, id="no principal"),
        pytest.param("aws_iam_role_policy_attachment.this", [OTHER], APPROVED, id="the resource"),
        pytest.param("aws_iam_role_policy_attachment.that", [OTHER], DENIED, id="another resource"),
        pytest.param("aws_iam_role.app", [role("app", "aws_iam_role.app")], APPROVED, id="the principal's resource"),
        pytest.param("aws_iam_role.app", [role("app", "aws_iam_role.api")], DENIED, id="another principal's resource"),
        pytest.param("*", [OTHER], APPROVED, id="anywhere"),
        pytest.param("*", [], APPROVED, id="anywhere, no principal"),
        pytest.param("*", [SOME_ROLE], APPROVED, id="anywhere, unknown principal"),
    ],
)
def test_whom_an_approval_covers(attached_to: str, principals: list[Principal], verdict: Verdict) -> None:
    finding = judge(["AdministratorAccess"], attachment(ADMIN, *principals), approval(attached_to, files=("main.tf",)))
    assert finding.verdict is verdict
    assert bool(finding.approvals) is (verdict is APPROVED)


OF_CUSTOMER = "arn:aws:iam::123456789012:policy/"
SOME_ACCOUNT = text("arn:aws:iam::", hole(), ":policy/team-x")
SOME_ACCOUNT_OR_AWS = text("arn:aws:iam::", hole(), ":policy/AdministratorAccess")


@pytest.mark.parametrize(
    ("approved", "policy", "verdict"),
    [
        ("arn:aws:iam::*:policy/*", OF_CUSTOMER + "x", APPROVED),
        ("arn:aws:iam::*:policy/*", ADMIN, DENIED),
        ("arn:*:iam::*:policy/*", ADMIN, DENIED),
        ("arn:*", ADMIN, DENIED),
        ("arn:*", OF_CUSTOMER + "x", APPROVED),
        ("arn:aws:iam::aws:policy/*", ADMIN, APPROVED),
        ("Admin*", ADMIN, APPROVED),
        ("*", ADMIN, APPROVED),
        ("arn:aws:iam::*:policy/*", SOME_ACCOUNT, APPROVED),
        ("arn:aws:iam::*:policy/*", SOME_ACCOUNT_OR_AWS, DENIED),
    ],
)
def test_whose_policies_an_approval_covers(approved: str, policy: str | Text, verdict: Verdict) -> None:
    """In an allow list, `*` in the account's place is any customer's account."""
    assert judge(["*"], attachment(policy, A_ROLE), approval("*", approved)).verdict is verdict


def test_block_and_call_match_one_of_the_files_each() -> None:
    judged = attachment(ADMIN, A_ROLE, path="modules/m/main.tf", calls=(Place(f"{ROOT}/live/main.tf"),))
    for files, verdict in (
        (("live/main.tf", "modules/m/main.tf"), APPROVED),
        (("live/main.tf",), DENIED),
        (("modules/m/main.tf",), DENIED),
        (("live/*.tf", "modules/**"), APPROVED),
    ):
        assert judge(["AdministratorAccess"], judged, approval("*", files=files)).verdict is verdict


def test_several_approvals_may_cover_the_principals_together() -> None:
    both = [approval("role/app"), approval("role/break-glass")]
    assert judge(["AdministratorAccess"], attachment(ADMIN, A_ROLE, OTHER), *both).approvals == (both[1], both[0])


@pytest.mark.parametrize(
    ("policy", "attached", "verdict"),
    [
        ("AdministratorAccess", ADMIN, APPROVED),
        ("Administrator*", ADMIN, APPROVED),
        ("PowerUserAccess", ADMIN, DENIED),
        ("*", ADMIN, APPROVED),
        ("AdministratorAccess", text("arn:aws:iam::aws:policy/", hole()), UNRESOLVED),
        ("arn:aws:iam::aws:policy/*", text("arn:aws:iam::aws:policy/", hole()), APPROVED),
    ],
)
def test_which_policy_an_approval_covers(policy: str, attached: str | Text, verdict: Verdict) -> None:
    finding = judge(["AdministratorAccess"], attachment(attached, A_ROLE), approval("role/break-glass", policy))
    assert finding.verdict is verdict


@pytest.mark.parametrize("days", range(-2, 3))
def test_an_approval_counts_until_the_end_of_its_last_day(days: int) -> None:
    expiring = approval("role/break-glass", expires=TODAY)
    finding = judge(["AdministratorAccess"], attachment(ADMIN, A_ROLE), expiring, today=TODAY + timedelta(days=days))
    assert finding.verdict is (DENIED if days > 0 else APPROVED)
    assert finding.approvals == (expiring,)
    assert ("the approval at list.yaml:9 expired on 2027-06-30" in finding.message) is (days > 0)


@pytest.mark.parametrize(
    ("attached_to", "told"), [("role/break-glass", True), ("role/app", False), (RESOURCE, True), ("other", False)]
)
def test_an_expired_approval_is_told_to_whom_it_covered(attached_to: str, told: bool) -> None:
    expired = approval(attached_to, files=("**",), expires=TODAY - timedelta(days=1))
    finding = judge(["AdministratorAccess"], attachment(ADMIN, A_ROLE), expired)
    assert (finding.verdict, finding.approvals) == (DENIED, (expired,) if told else ())
    assert ("expired on" in finding.message) is told


def test_a_valid_approval_counts_beside_an_expired_one() -> None:
    approvals = approval("role/break-glass", expires=TODAY - timedelta(days=1)), approval("role/break-*")
    finding = judge(["AdministratorAccess"], attachment(ADMIN, A_ROLE), *approvals)
    assert (finding.verdict, finding.approvals) == (APPROVED, approvals[1:])


@pytest.mark.parametrize(
    ("files", "block", "outermost_call", "verdict"),
    [
        ("live/**", "live/main.tf", None, APPROVED),
        ("live/**", "test/main.tf", None, DENIED),
        ("live/**", "live/main.tf", "live/calls.tf", APPROVED),
        ("live/**", "live/main.tf", "test/calls.tf", DENIED),
        ("live/**", "modules/main.tf", "live/calls.tf", DENIED),
        ("**", "modules/main.tf", "live/calls.tf", APPROVED),
        ("live/**", "../live/main.tf", None, DENIED),
    ],
)
def test_in_which_files_an_approval_counts(
    files: str, block: str, outermost_call: str | None, verdict: Verdict
) -> None:
    calls = (Place(f"{ROOT}/{outermost_call}"), Place(f"{ROOT}/elsewhere.tf")) if outermost_call else ()
    judged = attachment(ADMIN, A_ROLE, path=block, calls=calls)
    assert (
        judge(["AdministratorAccess"], judged, approval("role/break-glass", files=(files,) if files else ())).verdict
        is verdict
    )


@pytest.mark.parametrize("address", ['module.m["a/b"].aws_iam_role.x', "role", "user"])
def test_an_address_is_no_principal(address: str) -> None:
    judged = attachment(ADMIN, OTHER)._replace(resource=address)
    assert judge(["AdministratorAccess"], judged, approval(address, files=("**",))).verdict is APPROVED
    assert judge(["AdministratorAccess"], attachment(ADMIN, OTHER), approval(address, files=("**",))).verdict is DENIED


@pytest.mark.parametrize("kind", ["role", "user", "group", "permission-set"])
def test_every_kind_of_principal_may_be_approved(kind: str) -> None:
    judged = attachment(ADMIN, Principal(kind, text("app")))
    assert judge(["AdministratorAccess"], judged, approval(f"{kind}/app")).verdict is APPROVED
    assert judge(["AdministratorAccess"], judged, approval(f"{kind}/ops")).verdict is DENIED


@pytest.mark.parametrize(
    ("address", "without"),
    [
        ("aws_iam_role.a", "aws_iam_role.a"),
        ("aws_iam_role.a[0]", "aws_iam_role.a"),
        ('module.m["k.e]y"].aws_iam_role.a["x\\"y"]', "module.m.aws_iam_role.a"),
    ],
)
def test_an_address_without_keys_covers_every_instance(address: str, without: str) -> None:
    assert without_instance_keys(address) == without
    place = Place(f"{ROOT}/main.tf")
    judged = Attachment(address, "x", text(ADMIN), (OTHER,), place, place)
    assert judge(["AdministratorAccess"], judged, approval(without, files=("**",))).verdict is APPROVED


YESTERDAY, LATER = TODAY - timedelta(days=1), TODAY + timedelta(days=1)


@pytest.mark.parametrize(
    ("in_force", "announced", "policy", "unresolved", "verdict", "certain"),
    [
        pytest.param([], ["AdministratorAccess"], ADMIN, "pass", WARNED, True, id="a later day"),
        pytest.param([], ["AdministratorAccess"], ADMIN, "fail", WARNED, True, id="a later day, strict"),
        pytest.param(["Admin*"], ["AdministratorAccess"], ADMIN, "pass", DENIED, True, id="denied today by another"),
        pytest.param([], ["AdministratorAccess"], UNKNOWN, "pass", UNRESOLVED, False, id="perhaps denied later"),
        pytest.param([], ["AdministratorAccess"], UNKNOWN, "fail", WARNED, False, id="would fail later"),
        pytest.param(["IAMFullAccess"], ["AdministratorAccess"], UNKNOWN, "fail", UNRESOLVED, False, id="fails today"),
        pytest.param(["IAMFullAccess"], ["*"], UNKNOWN, "pass", WARNED, True, id="certain later, perhaps today"),
        pytest.param(["IAMFullAccess"], ["*"], UNKNOWN, "fail", UNRESOLVED, False, id="certain later, fails today"),
        pytest.param([], ["IAMFullAccess"], ADMIN, "fail", CLEAN, False, id="another policy"),
    ],
)
def test_an_entry_that_counts_from_a_later_day_warns(
    in_force: list[str], announced: list[str], policy: str | Text, unresolved: str, verdict: Verdict, certain: bool
) -> None:
    origin = Origin("list.yaml", 3)
    entries = [
        Entry(policy, origin, enforce_from=day)
        for day, them in ((TODAY, in_force), (LATER, announced))
        for policy in them
    ]
    deny_list = DenyList("list.yaml", tuple(entries), unresolved=Unresolved(unresolved))
    finding = Judge(deny_list, ROOT, TODAY).judge(attachment(policy, OTHER))
    assert finding.verdict is verdict
    assert (str(LATER) in finding.message) is (verdict is WARNED)
    assert ("must not be attached" in finding.message) is certain
    approved = deny_list._replace(approvals=(approval("*", "*"),))
    if verdict is not CLEAN:
        assert Judge(approved, ROOT, TODAY).judge(attachment(policy, OTHER)).verdict is APPROVED


@pytest.mark.parametrize("policy", [ADMIN, unknown("var.p", "no default")])
def test_an_inline_skip_counts_unless_the_list_refuses_it(policy: str | Text) -> None:
    entries = (Entry("AdministratorAccess", Origin("list.yaml", 3)),)
    skipped = attachment(policy, OTHER, skip="because")
    for inline_skips, skip in ((InlineSkips.ALLOW, "because"), (InlineSkips.REFUSE, None)):
        finding = Judge(DenyList("list.yaml", entries, inline_skips=inline_skips), ROOT, TODAY).judge(skipped)
        assert finding.attachment.skip == skip
        refused = "; its inline skip does not count, because list.yaml refuses them"
        assert finding.message.endswith(refused) is (skip is None)
        unskipped = Judge(DenyList("list.yaml", entries, inline_skips=inline_skips), ROOT, TODAY).judge(
            attachment(policy, OTHER)
        )
        assert not unskipped.message.endswith(refused)


def test_what_the_list_itself_denies_is_no_advice() -> None:
    advising = Entry("AdministratorAccess", Origin("list.yaml", 3), "why", ("ReadOnlyAccess", "a policy of your own"))
    others = Entry("ReadOnly*", Origin("list.yaml", 4))
    anywhere = approval("*", "ReadOnlyAccess")
    for entries, approvals, advice in (
        ((advising,), (), "use ReadOnlyAccess or a policy of your own instead"),
        ((advising, others), (), "use a policy of your own instead"),
        ((advising, others), (anywhere,), "use ReadOnlyAccess or a policy of your own instead"),
        ((advising, others), (anywhere._replace(files=("live/**",)),), "use a policy of your own instead"),
        ((advising, others), (anywhere._replace(attached_to="role/app"),), "use a policy of your own instead"),
        ((advising, others), (anywhere._replace(expires=YESTERDAY),), "use a policy of your own instead"),
        ((advising, others), (anywhere._replace(expires=TODAY),), "use ReadOnlyAccess or a policy of your own instead"),
    ):
        finding = Judge(DenyList("list.yaml", entries, approvals), ROOT, TODAY).judge(attachment(ADMIN, OTHER))
        assert finding.message == f"AdministratorAccess must not be attached to role/app: why; {advice}"


def test_where_nothing_is_allowed_but_what_is_approved() -> None:
    approvals = (
        approval("*", "ReadOnlyAccess"),
        approval("role/team-*", "arn:aws:iam::*:policy/team-*"),
        approval("role/break-glass", files=("live/**",)),
    )
    for policy, verdict in (
        ("arn:aws:iam::aws:policy/ReadOnlyAccess", APPROVED),
        (aws_managed("ReadOnlyAccess"), APPROVED),
        ("arn:aws:iam::aws:policy/ReadOnlyAccess2", DENIED),
        (customer_managed(text("team-x")), DENIED),
        (unknown("var.p", "no default"), DENIED),
    ):
        assert judge(["*"], attachment(policy, OTHER), *approvals).verdict is verdict
    assert judge(["*"], attachment(customer_managed(text("team-x")), role("team-a")), *approvals).verdict is APPROVED
    only = "only what list.yaml approves may be attached"
    for principal, said in (
        (OTHER, f"must not be attached to role/app: {only}"),
        (role("break-glass"), f"must not be attached to role/break-glass: {only}; approved only for "),
    ):
        message = judge(["*"], attachment(ADMIN, principal), *approvals).message
        assert message.removeprefix("AdministratorAccess ") == said + (
            "role/break-glass in live/**" if said.endswith("for ") else ""
        )


def test_a_policy_keeps_its_own_reason_where_everything_is_denied() -> None:
    everything = Entry("*", Origin("list.yaml", 2))
    own = Entry("AdministratorAccess", Origin("list.yaml", 3), "it allows everything")
    for entries in ((everything, own), (own, everything)):
        finding = Judge(DenyList("list.yaml", entries), ROOT, TODAY).judge(attachment(ADMIN, A_ROLE))
        assert finding.message.endswith(": it allows everything")
        other = Judge(DenyList("list.yaml", entries), ROOT, TODAY).judge(attachment(aws_managed("X"), A_ROLE))
        assert other.message.endswith(": only what list.yaml approves may be attached")


def test_messages() -> None:
    entry = Entry("AdministratorAccess", Origin("list.yaml", 3), "it allows everything", ("A", "B"))
    finding = Judge(DenyList("list.yaml", (entry,)), ROOT, TODAY).judge(
        attachment(ADMIN, A_ROLE, when=("var.admin is true",), origin="prod.tfvars")
    )
    assert finding.message == (
        "AdministratorAccess must not be attached to role/break-glass when var.admin is true (value from prod.tfvars): "
        "it allows everything; use A or B instead"
    )
    bare = judge(["AdministratorAccess"], attachment(ADMIN))
    assert bare.message == (
        "AdministratorAccess must not be attached by aws_iam_role_policy_attachment.this: denied by list.yaml:3"
    )
    open_one = judge(["AdministratorAccess"], attachment(unknown("var.p", "variable p has no default"), A_ROLE))
    assert open_one.message == "cannot tell which policy is attached to role/break-glass: variable p has no default"
    elsewhere = judge(["arn:aws:iam::123456789012:policy/x"], attachment(customer_managed(text("x")), A_ROLE))
    assert elsewhere.message.endswith("; the account is the one it is deployed to")


@pytest.mark.parametrize(
    ("policy", "name"),
    [
        (aws_managed("job-function/ViewOnlyAccess"), "ViewOnlyAccess"),
        (text("arn:aws:iam::aws:policy/service-role/", hole("/team/policy")), "${/team/policy}"),
        (text("arn:aws:iam::aws:policy/", hole("a/b"), "/", hole("c/d"), "Access"), "${c/d}Access"),
        (text("arn:aws:iam::123456789012:policy/own"), "arn:aws:iam::123456789012:policy/own"),
    ],
)
def test_name_of_a_policy_in_messages(policy: Text, name: str) -> None:
    assert display_name(policy) == name


@given(st.text(), st.text())
def test_no_verdict_and_no_message_fails_on_any_text(policy: str, name: str) -> None:
    for subject in (text(policy), text("arn:", hole(), ":", policy)):
        assert judge(["AdministratorAccess", "*"], attachment(subject, role(name))).verdict is DENIED
        assert display_name(subject) or not policy
        assert str(narrowed(subject)) == str(subject)
