"""The audit of a live account, against moto's server over HTTP: what it finds, and that it never calls a part clean."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import boto3
import pytest
from account_server import AccountServer
from project_files import PROJECT, blocks
from unapproved_iam.commands.command_line import main

if TYPE_CHECKING:
    from account_fixtures import Audit, PermissionSets, Told

pytest_plugins = ["account_fixtures"]

IDENTITY_CENTER = "role/aws-reserved/sso.amazonaws.com/eu-west-1"

# Whom a policy is attached to, and the verdict; None: it is on no entry of the list. Neighbours differ in one thing.
ATTACHMENTS: list[tuple[str, str, str | None]] = [
    ("role/app", "AdministratorAccess", "denied"),
    ("role/app", "ReadOnlyAccess", None),
    ("user/teams/app", "AdministratorAccess", "denied"),
    ("group/app", "AdministratorAccess", "denied"),
    ("role/break-glass", "AdministratorAccess", "approved"),
    ("user/break-glass", "AdministratorAccess", "denied"),
    ("role/break-glass-2", "AdministratorAccess", "denied"),
    ("role/break-glass", "DataScientist", "denied"),
    ("role/pipeline-live", "AdministratorAccess", "approved"),
    ("user/visitor", "AdministratorAccess", "denied"),
    ("group/finance", "Billing", "approved"),
    ("group/financiers", "Billing", "denied"),
    ("group/financiers", "AWSBillingReadOnlyAccess", None),
    ("user/old", "legacy-all", "denied"),
    ("user/old", "teams/legacy-all-2", None),  # the entry has no path
    ("user/old", "only-there", None),  # denied in another account
    (f"{IDENTITY_CENTER}/AWSReservedSSO_Emergency_0123456789abcdef", "AdministratorAccess", "approved"),
    (f"{IDENTITY_CENTER}/AWSReservedSSO_Emergencies_0123456789abcdef", "AdministratorAccess", "denied"),
    ("role/AWSReservedSSO_Emergency_fedcba9876543210", "AdministratorAccess", "denied"),  # anyone may choose the name
]


def test_each_attachment_has_its_verdict(aws: AccountServer, audit: Audit) -> None:
    aws.attach(*[(principal, policy) for principal, policy, _ in ATTACHMENTS])
    told = audit("--output", "json")
    expected = {
        (f"{principal.partition('/')[0]}/{principal.rpartition('/')[2]}", policy.rpartition("/")[2], verdict)
        for principal, policy, verdict in ATTACHMENTS
        if verdict
    }
    assert told.verdicts == expected
    assert (told.code, told.error) == (1, "")
    verdicts = [verdict for _, _, verdict in ATTACHMENTS]
    assert told.json["summary"] == {
        "accounts": 1,
        "attached_policies": len({policy for _, policy, _ in ATTACHMENTS}),
        "permission_sets": 0,
        "denied": verdicts.count("denied"),
        "warned": 0,
        "approved": verdicts.count("approved"),
        "expired": 1,
        "unjudged": 0,
    }
    of = {policy["policy"]: policy for policy in told.json["policies"]}
    admin = of["AdministratorAccess"]
    assert admin["attachment_count"] == sum(policy == "AdministratorAccess" for _, policy, _ in ATTACHMENTS)
    assert admin["reason"] == "it grants everything"
    assert admin["use_instead"] == "PowerUserAccess"
    by_principal = {f"{one['kind']}/{one['principal']}": one for one in admin["attachments"]}
    assert "SEC-3, expired on 2020-02-29" in by_principal["user/visitor"]["approval"]
    assert by_principal["role/break-glass"]["detach"] is None
    assert by_principal["user/app"]["detach"] == (
        "aws iam detach-user-policy --user-name app --policy-arn arn:aws:iam::aws:policy/AdministratorAccess"
    )
    made = by_principal["role/AWSReservedSSO_Emergencies_0123456789abcdef"]
    assert made["detach"] is None
    assert "permission-set/Emergencies" in made["note"]
    assert by_principal["role/AWSReservedSSO_Emergency_fedcba9876543210"]["detach"]


def test_an_account_without_denied_policies_costs_a_call_and_is_clean(aws: AccountServer, audit: Audit) -> None:
    aws.attach(("role/app", "ReadOnlyAccess"), ("user/eve", "not-legacy"))
    boto3.Session().client("iam").create_role(
        RoleName="bounded",
        AssumeRolePolicyDocument="{}",
        PermissionsBoundary="arn:aws:iam::aws:policy/AdministratorAccess",
    )
    aws.calls()
    told = audit("--no-identity-center")
    assert told.code == 0
    assert told.out.endswith(
        "no denied policy is attached; checked 1 account, 2 attached policies, 0 permission sets;"
        " list: unapproved-iam-policies.yaml (4 entries)\n"
    )
    assert aws.calls() == ["sts:GetCallerIdentity", "iam:ListPolicies"]


def test_a_boundary_is_no_attachment_of_a_policy_that_others_have(aws: AccountServer, audit: Audit) -> None:
    aws.attach(("role/app", "AdministratorAccess"))
    iam = boto3.Session().client("iam")
    iam.create_role(RoleName="bounded", AssumeRolePolicyDocument="{}", PermissionsBoundary=ADMIN)
    everyone = iam.list_entities_for_policy(PolicyArn=ADMIN)["PolicyRoles"]
    assert {role["RoleName"] for role in everyone} == {"app", "bounded"}
    assert audit("--output", "json").verdicts == {("role/app", "AdministratorAccess", "denied")}


def test_approvals_alone_are_no_violation(aws: AccountServer, audit: Audit) -> None:
    aws.attach(("role/break-glass", "AdministratorAccess"))
    assert audit().code == 0
    aws.attach(("role/brake-glass", "AdministratorAccess"))
    assert audit().code == 1


@pytest.mark.parametrize(("partition", "region"), [("aws-cn", "cn-north-1"), ("aws-us-gov", "us-gov-west-1")])
def test_every_partition_is_judged_by_the_same_list(
    aws: AccountServer, audit: Audit, partition: str, region: str
) -> None:
    aws.attach(("role/app", "AdministratorAccess"), ("role/app", "ReadOnlyAccess"), partition=partition)
    told = audit("--region", region, "--output", "json")
    assert told.code == 1
    assert [policy["arn"] for policy in told.json["policies"]] == [
        f"arn:{partition}:iam::aws:policy/AdministratorAccess"
    ]
    assert told.json["accounts"][0]["partition"] == partition


def test_pages_are_read_to_the_end(aws: AccountServer, audit: Audit) -> None:
    """AWS answers with at most 1,000 at a time: 2,050 attached policies, and 2,100 principals of one of them."""
    admins = [(f"{kind}/n{number}", "AdministratorAccess") for kind in ("role", "user") for number in range(1050)]
    others = [("role/n0", f"legacy-{number}" if number % 200 == 0 else f"fine-{number}") for number in range(2049)]
    aws.attach(*admins, *others)
    told = audit("--output", "json")
    assert told.json["summary"]["attached_policies"] == 2050
    denied = {(principal, policy, "denied") for principal, policy in admins}
    denied |= {(principal, policy, "denied") for principal, policy in others if policy.startswith("legacy")}
    assert told.verdicts == denied
    calls = aws.calls()
    assert calls.count("iam:ListPolicies") == 3
    assert calls.count("iam:ListEntitiesForPolicy") == 3 + 11


ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"


def test_permission_sets_are_judged_too(permission_sets: PermissionSets, audit: Audit) -> None:
    permission_sets.add("Admins", ADMIN, "arn:aws:iam::aws:policy/ReadOnlyAccess")
    permission_sets.add("Emergency", ADMIN)
    permission_sets.add("Readers", "arn:aws:iam::aws:policy/ReadOnlyAccess")
    permission_sets.add("Old", "/legacy-all", "/teams/legacy-all")
    for number in range(100):  # beyond a page
        permission_sets.add(f"None{number}")
    told = audit("--output", "json")
    assert told.verdicts == {
        ("permission-set/Admins", "AdministratorAccess", "denied"),
        ("permission-set/Emergency", "AdministratorAccess", "approved"),
        ("permission-set/Old", "legacy-all", "denied"),
    }
    assert told.code == 1
    assert told.json["summary"]["permission_sets"] == 104
    [admins, _] = told.json["policies"][0]["attachments"]
    assert admins["detach"].startswith(
        "aws sso-admin detach-managed-policy-from-permission-set --region us-east-1"
        f" --instance-arn {permission_sets.instance} --permission-set-arn arn:aws:sso:::"
    )
    assert "provisioned again" in admins["note"]
    told = audit("--output", "json", "--no-identity-center")
    assert (told.code, told.verdicts) == (0, set())
    assert "left out" in told.json["remarks"][0]


@pytest.mark.parametrize(("account", "code"), [("its own", 1), ("210987654321", 0)])
def test_a_reference_counts_in_the_accounts_where_it_is_provisioned(
    aws: AccountServer, audit: Audit, permission_sets: PermissionSets, account: str, code: int
) -> None:
    """A permission set names a customer managed policy; the account in which it is provisioned completes the ARN."""
    account = aws.account if account == "its own" else account
    Path("unapproved-iam-policies.yaml").write_text(
        f"version: 1\ndeny: ['arn:aws:iam::{account}:policy/it/only-there']\n"
    )
    permission_sets.add("Here", "/it/only-there", provisioned=True)
    permission_sets.add("Nowhere", "/it/only-there")
    told = audit("--output", "json")
    assert told.code == code
    assert told.verdicts == ({("permission-set/Here", "only-there", "denied")} if code else set())


DENIED_CALLS = [
    (
        "iam:ListPolicies",
        "AccessDenied",
        "cannot see which policies are attached: access to iam:ListPolicies is denied",
    ),
    (
        "iam:ListEntitiesForPolicy",
        "AccessDenied",
        f"cannot see what {ADMIN} is attached to: access to iam:ListE",
    ),
    ("iam:ListRoles", "AccessDenied", "cannot see which roles belong to a permission set: access to iam:ListRoles"),
    ("iam:ListPolicies", "ExpiredToken", "cannot see which policies are attached: the credentials have expired"),
    ("iam:ListPolicies", "Throttling", "AWS still throttled iam:ListPolicies at the last attempt: Rate exceeded"),
    ("iam:ListPolicies", "not AWS", "iam:ListPolicies was answered by something that is not AWS (is there a proxy"),
    ("iam:ListPolicies", "SignatureDoesNotMatch", "rejects the time at which iam:ListPolicies was signed: "),
    ("iam:ListPolicies", "ServiceFailure", "iam:ListPolicies failed: ServiceFailure: "),
    ("sso:ListInstances", "AccessDeniedException", "cannot see which permission sets there are (--no-identity-center"),
    ("sso:ListPermissionSets", "AccessDeniedException", "cannot see which permission sets there are (--no-identity-c"),
    ("sso:ListPermissionSets", "ThrottlingException", "AWS still throttled sso:ListPermissionSets"),
    (
        "sso:ListManagedPoliciesInPermissionSet",
        "AccessDeniedException",
        "cannot see what permission set arn:aws:sso",
    ),
    (
        "sso:ListCustomerManagedPolicyReferencesInPermissionSet",
        "AccessDeniedException",
        "cannot see what permission set",
    ),
    ("sso:DescribePermissionSet", "AccessDeniedException", "cannot see what permission set arn:aws:sso"),
]


@pytest.mark.parametrize(("action", "fault", "words"), DENIED_CALLS, ids=[" ".join(row[:2]) for row in DENIED_CALLS])
def test_one_call_that_fails_is_said_and_is_not_clean(
    aws: AccountServer,
    audit: Audit,
    permission_sets: PermissionSets,
    monkeypatch: pytest.MonkeyPatch,
    action: str,
    fault: str,
    words: str,
) -> None:
    permission_sets.add("Emergency", ADMIN)
    aws.attach((f"{IDENTITY_CENTER}/AWSReservedSSO_Emergency_0123456789abcdef", "AdministratorAccess"))
    assert audit().code == 0
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    aws.tell(faults={action: fault})
    told = audit()
    assert told.code == 2
    assert told.error.startswith(f"account {aws.account}: ")
    assert words in told.error
    assert len(told.error.splitlines()) == 1
    assert "could not check everything" in told.out


def test_what_was_found_is_reported_beside_what_was_not_looked_at(aws: AccountServer, audit: Audit) -> None:
    aws.attach(("role/app", "AdministratorAccess"), ("role/app", "DataScientist"), ("role/app", "Billing"))
    aws.tell(faults={"iam:ListEntitiesForPolicy job-function": "AccessDenied"})
    told = audit("--output", "json")
    assert told.code == 2
    assert told.verdicts == {("role/app", "AdministratorAccess", "denied")}
    assert "what each of 2 (arn:aws:iam::aws:policy/job-function/" in told.error


def test_what_is_deleted_meanwhile_is_no_gap(aws: AccountServer, audit: Audit, permission_sets: PermissionSets) -> None:
    """Between the list and the question about one of its items, somebody deletes that."""
    aws.attach(("role/app", "AdministratorAccess"))
    permission_sets.add("Admins", ADMIN)
    aws.tell(
        faults={
            "iam:ListEntitiesForPolicy": "NoSuchEntity",
            "sso:ListManagedPoliciesInPermissionSet": "ResourceNotFoundException",
        }
    )
    told = audit("--output", "json")
    assert (told.code, told.verdicts, told.error) == (0, set(), "")


def test_many_refusals_of_a_kind_are_one_line(
    aws: AccountServer, audit: Audit, permission_sets: PermissionSets
) -> None:
    for number in range(5):
        permission_sets.add(f"None{number}")
    aws.tell(faults={"sso:ListManagedPoliciesInPermissionSet": "AccessDeniedException"})
    told = audit()
    assert told.code == 2
    assert "cannot see what permission set each of 5 (arn:aws:sso:::" in told.error
    assert len(told.error.splitlines()) == 1


def test_throttling_is_waited_out(aws: AccountServer, audit: Audit) -> None:
    aws.attach(("role/app", "AdministratorAccess"))
    aws.tell(faults={"iam:ListPolicies": ["Throttling", 1], "iam:ListEntitiesForPolicy": ["Throttling", 2]})
    assert audit("--no-identity-center").code == 1
    assert aws.calls().count("iam:ListEntitiesForPolicy") == 3


def test_permission_sets_of_another_account_are_no_gap(
    aws: AccountServer, audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A member account sees the organization's instance and may not list its permission sets; it has their roles."""
    instance = {"InstanceArn": "arn:aws:sso:::instance/ssoins-1", "OwnerAccountId": "210987654321"}
    aws.tell(
        faults={"sso:ListPermissionSets": "AccessDeniedException"},
        answers={"sso:ListInstances": {"Instances": [instance]}},
    )
    told = audit("--output", "json")
    assert told.code == 0
    assert "belong to account 210987654321: audit them there" in told.json["remarks"][0]
    instance["OwnerAccountId"] = aws.account
    aws.tell(answers={"sso:ListInstances": {"Instances": [instance]}})
    assert audit().code == 2


def test_each_instance_is_looked_at(aws: AccountServer, audit: Audit, permission_sets: PermissionSets) -> None:
    """An account may see several: the organization's own, one for applications only, one of another account."""
    permission_sets.add("Admins", ADMIN)
    own = permission_sets.instance  # its name is moto's, and may begin like the others: faults name a whole ARN
    of_applications, foreign = "arn:aws:sso:::instance/ssoins-2", "arn:aws:sso:::instance/ssoins-3"
    instances = [
        {"InstanceArn": of_applications, "OwnerAccountId": aws.account},
        {"InstanceArn": foreign, "OwnerAccountId": "210987654321"},
        {"InstanceArn": own, "OwnerAccountId": aws.account},
    ]
    aws.tell(
        answers={"sso:ListInstances": {"Instances": instances}},
        faults={
            f'sso:ListPermissionSets "{of_applications}"': "ValidationException",
            f'sso:ListPermissionSets "{foreign}"': "AccessDeniedException",
        },
    )
    told = audit("--output", "json")
    assert (told.code, told.verdicts) == (1, {("permission-set/Admins", "AdministratorAccess", "denied")})
    [application, another] = told.json["remarks"]
    assert application == f"{of_applications} is an account instance of Identity Center: it has no permission sets"
    assert "belong to account 210987654321" in another
    aws.tell(faults={f'sso:ListPermissionSets "{of_applications}"': "InternalServerException"})
    assert audit().code == 2


@pytest.mark.parametrize(("path", "region"), [("/eu-west-1/", "eu-west-1"), ("/", "us-east-1")])
def test_a_region_that_identity_center_does_not_live_in_is_no_clean_account(
    aws: AccountServer, audit: Audit, path: str, region: str
) -> None:
    """The roles that it made tell where it lives."""
    aws.attach((f"role/aws-reserved/sso.amazonaws.com{path}AWSReservedSSO_Ops_0123456789abcdef", "ReadOnlyAccess"))
    aws.tell(answers={"sso:ListInstances": {"Instances": []}})
    told = audit("--region", "eu-north-1")
    assert told.code == 2
    assert f"no Identity Center instance was found in eu-north-1, but roles were created from {region}" in told.error
    assert audit("--region", region).code == audit("--region", "eu-north-1", "--no-identity-center").code == 0
    aws.tell(faults={"iam:ListRoles": "AccessDenied"})
    told = audit("--region", region)
    assert told.code == 2
    assert "cannot see which region Identity Center is in: access to iam:ListRoles is denied" in told.error


def test_a_region_without_identity_center_is_named(aws: AccountServer, audit: Audit) -> None:
    aws.tell(answers={"sso:ListInstances": {"Instances": []}})
    told = audit("--output", "json", "--region", "eu-west-3")
    assert told.code == 0
    assert told.json["remarks"] == [
        "no Identity Center instance was found in eu-west-3, so there are no permission sets to look at"
    ]
    for output in ("text", "markdown", "html", "script"):
        assert "no permission sets to look at" in audit("--region", "eu-west-3", "--output", output).out
    error = audit("--region", "eu-west-3", "--output", "csv").error
    assert error.endswith(", so there are no permission sets to look at\n")


class Refusal(NamedTuple):
    id: str
    words: str
    arguments: tuple[str, ...] = ()
    environment: tuple[tuple[str, str | None], ...] = ()
    fault: str = ""


CONFIGURATION = """\
[profile broken]
credential_process = false
[profile lost]
role_arn = arn:aws:iam::210987654321:role/audit
source_profile = nobody
"""

REFUSALS = [
    Refusal(
        "no credentials",
        "no AWS credentials were found (name a --profile, or sign in)",
        environment=(("AWS_ACCESS_KEY_ID", None), ("AWS_SECRET_ACCESS_KEY", None)),
    ),
    Refusal(
        "half of the credentials", "the AWS credentials are incomplete", environment=(("AWS_SECRET_ACCESS_KEY", None),)
    ),
    Refusal(
        "credentials of a process that fails",
        "the AWS credentials cannot be loaded: Error when retrieving credentials from custom-process",
        ("--profile", "broken"),
        environment=(("AWS_CONFIG_FILE", "aws.ini"), ("AWS_ACCESS_KEY_ID", None), ("AWS_SECRET_ACCESS_KEY", None)),
    ),
    Refusal(
        "credentials of a profile that is not there",
        'the AWS configuration: The source_profile "nobody" referenced in the profile "lost" does not exist',
        ("--profile", "lost"),
        environment=(("AWS_CONFIG_FILE", "aws.ini"), ("AWS_ACCESS_KEY_ID", None), ("AWS_SECRET_ACCESS_KEY", None)),
    ),
    Refusal("expired", "the credentials have expired; sign in again", fault="ExpiredToken"),
    Refusal("a clock that is wrong", "rejects the time at which sts:GetCaller", fault="RequestExpired"),
    Refusal("a proxy that answers", "sts:GetCallerIdentity was answered by something that is not AWS", fault="not AWS"),
    Refusal("refused", "AWS does not accept the credentials", fault="InvalidClientTokenId"),
    Refusal("unknown profile", 'unknown profile "nobody" (expected one from ~/.aws', ("--profile", "nobody")),
    Refusal("unknown region", 'unknown region "mars-1" (expected one such as', ("--region", "mars-1")),
    Refusal("no region", "no region is configured (set one with --region", environment=(("AWS_DEFAULT_REGION", None),)),
    Refusal(
        "nobody listens",
        "sts:GetCallerIdentity cannot be reached",
        environment=(("AWS_ENDPOINT_URL", "http://127.0.0.1:9"), ("AWS_MAX_ATTEMPTS", "1")),
    ),
    Refusal("no URL", "the endpoint of sts: Invalid endpoint", environment=(("AWS_ENDPOINT_URL", "nonsense"),)),
    Refusal("no role ARN", "sts:AssumeRole", ("--role-arn", "short")),
    Refusal("accounts without a role", "--accounts and --role-name need each other", ("--accounts", "org")),
    Refusal("two ways at once", "not allowed with argument", ("--accounts", "org", "--config-aggregator", "all")),
    Refusal("unknown output", "invalid choice: 'pdf'", ("--output", "pdf")),
    Refusal("no such list", "nowhere.yaml", ("--deny-list", "nowhere.yaml")),
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.id)
def test_what_cannot_be_reached_is_one_line(
    aws: AccountServer,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    refusal: Refusal,
) -> None:
    Path("aws.ini").write_text(CONFIGURATION)
    for name, value in refusal.environment:
        monkeypatch.delenv(name) if value is None else monkeypatch.setenv(name, value)
    if refusal.fault:
        aws.tell(faults={"sts:GetCallerIdentity": refusal.fault})
    try:
        code = main(["audit", *refusal.arguments])
    except SystemExit as stop:  # argparse
        code = int(str(stop.code))
    out, error = capsys.readouterr()
    assert (code, out) == (2, "")
    assert refusal.words in error
    assert len(error.splitlines()) == 1 or error.startswith("usage: ")


@pytest.mark.parametrize(
    ("environment", "arguments", "region"),
    [
        ({}, (), "us-east-1"),
        ({"AWS_REGION": "eu-west-3"}, (), "eu-west-3"),
        ({"AWS_REGION": "eu-west-3"}, ("--region", "eu-north-1"), "eu-north-1"),
    ],
)
def test_the_region_is_found_as_the_aws_command_finds_it(
    aws: AccountServer,
    audit: Audit,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    arguments: tuple[str, ...],
    region: str,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    aws.tell(answers={"sso:ListInstances": {"Instances": []}})
    assert f"instance was found in {region}, so" in audit(*arguments).out


def test_without_boto3_one_line_says_what_to_install() -> None:
    program = "import sys; sys.modules['boto3'] = None; sys.path.insert(0, sys.argv[1]);"
    program += "from unapproved_iam.commands.command_line import main; sys.exit(main(['audit']))"
    told = subprocess.run([sys.executable, "-c", program, str(PROJECT / "checks")], capture_output=True, text=True)
    assert (told.returncode, told.stdout) == (2, "")
    assert "pip install 'checkov-unapproved-iam[aws] @ git+REPOSITORY'" in told.stderr
    assert len(told.stderr.splitlines()) == 1


def test_a_role_is_assumed_before_anything_else(aws: AccountServer, audit: Audit) -> None:
    aws.attach(("role/app", "AdministratorAccess"), account="210987654321")
    told = audit("--output", "json", "--role-arn", "arn:aws:iam::210987654321:role/audit")
    assert [account["id"] for account in told.json["accounts"]] == ["210987654321"]
    assert told.code == 1
    assert audit("--role-arn", f"arn:aws:iam::{aws.account}:role/audit").code == 0


def documented(*statements: str) -> list[str]:
    """The actions of docs/audit.md's policy document."""
    [block] = [block for block in blocks(PROJECT / "docs" / "audit.md") if block.language == "json"]
    return [
        action
        for statement in json.loads(block.text)["Statement"]
        if statement["Sid"] in statements
        for action in statement["Action"]
    ]


def test_the_documented_privileges_suffice_and_each_is_needed(
    aws: AccountServer, audit: Audit, permission_sets: PermissionSets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """moto refuses what the caller's policies do not allow, as AWS does."""
    aws.attach((f"{IDENTITY_CENTER}/AWSReservedSSO_Emergency_0123456789abcdef", "AdministratorAccess"))
    permission_sets.add("Emergency", ADMIN)
    permission_sets.add("Here", "/only-there", provisioned=True)
    iam = boto3.Session().client("iam")
    iam.create_user(UserName="auditor")
    key = iam.create_access_key(UserName="auditor")["AccessKey"]
    actions = documented("Account", "IdentityCenter")

    def audit_with(allowed: list[str]) -> Told:
        aws.enforce(False)
        statement = {"Effect": "Allow", "Action": allowed, "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName="auditor", PolicyName="audit", PolicyDocument=document)
        aws.enforce(True)
        return audit()

    with monkeypatch.context() as caller:
        caller.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
        caller.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
        try:
            told = audit_with(actions)
            assert (told.code, told.error) == (0, "")
            needed = {action for action in actions if audit_with([a for a in actions if a != action]).code == 2}
        finally:
            aws.enforce(False)
    assert needed == set(actions)
