"""Several accounts in one audit: through roles, side by side, and through an aggregator of AWS Config."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from account_server import AccountServer
from project_files import PROJECT, blocks
from unapproved_iam.account.access import Account
from unapproved_iam.account.organization import ACCOUNTS_AT_ONCE
from unapproved_iam.commands import audit_command
from unapproved_iam.commands.command_line import main

if TYPE_CHECKING:
    from account_fixtures import Audit, PermissionSets, Told

pytest_plugins = ["account_fixtures"]

BY_FILE = ("--accounts", "accounts.txt", "--role-name", "audit/reader", "--output", "json")
BY_ORGANIZATION = ("--accounts", "org", "--role-name", "audit", "--output", "json")
BY_AGGREGATOR = ("--config-aggregator", "everything", "--output", "json")


def fleet(aws: AccountServer, number: int) -> list[str]:
    """The caller's account and others, each with one denied attachment and one that is not."""
    accounts = [aws.account, *(str(int(aws.account) + 10**11 + n) for n in range(1, number))]
    for account in accounts:
        aws.attach((f"role/app-{account}", "AdministratorAccess"), ("role/reader", "ReadOnlyAccess"), account=account)
    Path("accounts.txt").write_text("# all of them\n\n" + "".join(f"{account}  # one\n" for account in accounts))
    aws.tell(members=accounts)
    return accounts


def denied(accounts: list[str]) -> set[tuple[str, str, str | None]]:
    return {(f"role/app-{account}", "AdministratorAccess", "denied") for account in accounts}


def by_account(told: Told) -> dict[str, tuple[int, bool]]:
    """Denied attachments of each account, and whether it was looked at as a whole."""
    return {account["id"]: (account["denied"], not account["unjudged"]) for account in told.json["accounts"]}


def test_accounts_of_a_file_are_read_through_their_role(aws: AccountServer, audit: Audit) -> None:
    accounts = fleet(aws, 11)
    told = audit(*BY_FILE)
    assert (told.code, told.error) == (1, "")
    assert told.verdicts == denied(accounts)
    assert by_account(told) == dict.fromkeys(accounts, (1, True))
    calls = aws.calls()
    assert calls.count("sts:AssumeRole") == 10, "the caller's own account needs no role"
    assert calls.count("sso:ListInstances") == 1, "permission sets are looked at once"


def test_progress_counts_the_accounts(aws: AccountServer, audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    def watch(accounts: Sequence[Account]) -> Iterator[Account]:
        for account in accounts:
            yield account
            done.append(account.id)

    monkeypatch.setattr(audit_command, "watched", watch)
    accounts = fleet(aws, 3)
    assert (audit(*BY_FILE).verdicts, done) == (denied(accounts), accounts)


def test_an_account_that_fails_stops_no_other(aws: AccountServer, audit: Audit) -> None:
    accounts = fleet(aws, 4)
    aws.tell(faults={f"sts:AssumeRole {accounts[2]}": "AccessDenied"})
    told = audit(*BY_FILE)
    assert told.code == 2
    assert told.error.startswith(f"account {accounts[2]}: cannot see anything: access to sts:AssumeRole is denied: ")
    assert len(told.error.splitlines()) == 1
    assert told.verdicts == denied([account for account in accounts if account != accounts[2]])
    assert by_account(told)[accounts[2]] == (0, False)
    assert [account["looked_at"] for account in told.json["accounts"]] == ["whole", "whole", "not at all", "whole"]
    text = audit(*BY_FILE[:-1], "text").out
    assert f"account {accounts[2]}: not checked\n" in text
    assert "3 denied attachments of 1 policy in 3 of 4 accounts" in text


def test_no_more_than_a_few_accounts_are_read_at_once(aws: AccountServer, audit: Audit) -> None:
    fleet(aws, 3 * ACCOUNTS_AT_ONCE)
    aws.tell(delay=0.05)
    most, stop = 0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not stop.wait(0.01):
            most = max(most, sum("ThreadPoolExecutor" in thread.name for thread in threading.enumerate()))

    watcher = threading.Thread(target=watch)
    watcher.start()
    told = audit(*BY_FILE)
    stop.set()
    watcher.join()
    assert len(told.verdicts) == 3 * ACCOUNTS_AT_ONCE
    assert ACCOUNTS_AT_ONCE <= most <= 2 * ACCOUNTS_AT_ONCE, "each with one call about its one policy"


def test_permission_sets_alone_do_not_make_an_account_looked_at(
    aws: AccountServer, audit: Audit, permission_sets: PermissionSets
) -> None:
    """The accounts to audit are without the one that the command starts in, and that keeps the permission sets."""
    _, other = fleet(aws, 2)
    Path("accounts.txt").write_text(f"{other}\n")
    assert by_account(audit(*BY_FILE)) == {other: (1, True)}
    permission_sets.add("Admins", "arn:aws:iam::aws:policy/AdministratorAccess")
    told = audit(*BY_FILE)
    assert [(account["id"], account["denied"], account["looked_at"]) for account in told.json["accounts"]] == [
        (other, 1, "whole"),
        (aws.account, 1, "permission sets only"),
    ]
    assert told.json["remarks"] == [
        f"account {aws.account} counts for its permission sets only: it is not among the accounts to audit"
    ]


FILES = [
    ("12345678901", 'accounts.txt:1: "12345678901" is not an account id (expected 12 digits)'),
    ("100000000001\nlive", 'accounts.txt:2: "live" is not an account id (expected 12 digits)'),
    ("\uff11" * 12, "is not an account id"),
    ("# nobody\n", "accounts.txt: names no account (expected one account id on each line)"),
    (b"\xff\xfe1", "accounts.txt: is not UTF-8 text"),
    (None, "accounts.txt: No such file or directory (expected a file of account ids, or org)"),
]


@pytest.mark.parametrize(("content", "words"), FILES)
def test_a_file_that_lists_no_accounts_is_one_line(
    aws: AccountServer, capsys: pytest.CaptureFixture[str], content: str | bytes | None, words: str
) -> None:
    if content is not None:
        Path("accounts.txt").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert main(["audit", *BY_FILE]) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert words in error
    assert len(error.splitlines()) == 1


def test_the_organization_names_its_accounts(aws: AccountServer, audit: Audit) -> None:
    organizations = boto3.Session().client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    made = {
        organizations.create_account(AccountName=name, Email=f"{name}@example.com")["CreateAccountStatus"][
            "AccountId"
        ]: name
        for name in ("live", "test", "closed", *(f"more{number}" for number in range(20)))
    }
    ids = {name: account for account, name in made.items()}
    organizations.close_account(AccountId=ids["closed"])
    aws.attach(("role/app", "AdministratorAccess"), account=ids["live"])
    aws.attach(("role/app", "AdministratorAccess"), account=ids["closed"])
    told = audit(*BY_ORGANIZATION)
    assert told.code == 1
    names = {account["id"]: account["name"] for account in told.json["accounts"]}
    assert names == {aws.account: "master"} | {account: name for account, name in made.items() if name != "closed"}
    assert [row["account"] for policy in told.json["policies"] for row in policy["attachments"]] == [ids["live"]]
    assert told.json["remarks"] == [f"account {ids['closed']} is suspended: nothing there can be used"]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("AccessDeniedException", "access to organizations:ListAccounts is denied"),
        ("AWSOrganizationsNotInUseException", "this account is not in an organization"),
    ],
)
def test_an_organization_that_does_not_answer_is_one_line(
    aws: AccountServer, audit: Audit, fault: str, words: str
) -> None:
    aws.tell(faults={"organizations:ListAccounts": fault})
    told = audit(*BY_ORGANIZATION)
    assert (told.code, told.out) == (2, "")
    assert words in told.error
    aws.tell(faults={}, answers={"organizations:ListAccounts": {"Accounts": []}})
    assert audit(*BY_ORGANIZATION).error == "the organization lists no account that can be audited\n"


def test_the_aggregator_says_what_the_roles_say(aws: AccountServer, audit: Audit) -> None:
    """The same report, but for the pages: 100 principals each, and no call to any account."""
    accounts = fleet(aws, 5)
    aws.attach(
        *[(f"user/n{number}", "AdministratorAccess" if number % 2 else "ReadOnlyAccess") for number in range(250)],
        ("group/team", "legacy-all"),
        ("role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Emergency_0123456789abcdef", "AdministratorAccess"),
        ("role/AWSReservedSSO_Emergency_fedcba9876543210", "AdministratorAccess"),
    )
    by_roles = audit(*BY_FILE)
    aws.calls()
    by_aggregator = audit(*BY_AGGREGATOR)
    calls = aws.calls()
    assert by_aggregator.json == by_roles.json
    assert by_aggregator.code == 1
    assert calls.count("config:SelectAggregateResourceConfig") == 3
    assert not [call for call in calls if call.startswith("iam:") or call == "sts:AssumeRole"]
    assert len(by_roles.verdicts) == len(accounts) + 125 + 1 + 2


SUCCEEDED = {"SourceType": "ACCOUNT", "AwsRegion": "us-east-1", "LastUpdateStatus": "SUCCEEDED"}
FAILED = SUCCEEDED | {"AwsRegion": "eu-west-1", "LastUpdateStatus": "FAILED", "LastErrorMessage": "not authorized"}


def test_what_the_aggregator_lacks_was_not_looked_at(aws: AccountServer, audit: Audit) -> None:
    first, second = fleet(aws, 2)
    told = audit(*BY_AGGREGATOR)
    assert (told.code, by_account(told)) == (1, {first: (1, True), second: (1, True)})
    silent = "300000000009"
    sources = [SUCCEEDED | {"SourceId": account} for account in (first, second, silent)]
    sources += [FAILED | {"SourceId": second}, FAILED | {"SourceId": "all", "SourceType": "ORGANIZATION"}]
    aws.tell(answers={"config:DescribeConfigurationAggregatorSourcesStatus": {"AggregatedSourceStatusList": sources}})
    told = audit(*BY_AGGREGATOR)
    assert (told.code, by_account(told)) == (2, {first: (1, False), second: (1, False), silent: (0, False)})
    assert told.error.splitlines() == [
        f"account {first}: cannot see everything: the collection of eu-west-1 from organization all by aggregator"
        " everything has status FAILED: not authorized",
        f"account {second}: cannot see everything: the collection of eu-west-1 by aggregator everything has status"
        " FAILED: not authorized",
        f"account {silent}: cannot see everything: aggregator everything has no roles of this account:"
        " AWS Config records none there",
    ]


def test_an_account_whose_roles_are_not_recorded_was_not_looked_at(aws: AccountServer, audit: Audit) -> None:
    aws.attach(("group/team", "ReadOnlyAccess"))
    aws.tell(members=[aws.account])
    told = audit(*BY_AGGREGATOR)
    assert told.code == 2
    assert (
        f"account {aws.account}: cannot see everything: aggregator everything has no roles of this account"
        in told.error
    )
    aws.attach(("role/app", "ReadOnlyAccess"))
    assert audit(*BY_AGGREGATOR).code == 0


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        ({"config:SelectAggregateResourceConfig": "AccessDeniedException"}, "access to config:SelectAggregate"),
        ({"config:DescribeConfigurationAggregatorSourcesStatus": "AccessDeniedException"}, "access to config:Describe"),
        (
            {"config:DescribeConfigurationAggregatorSourcesStatus": "NoSuchConfigurationAggregatorException"},
            "this account and region have no AWS Config aggregator of that name",
        ),
        ({}, "aggregator everything has no accounts"),
    ],
)
def test_an_aggregator_that_does_not_answer_is_one_line(
    aws: AccountServer, audit: Audit, faults: dict[str, str], words: str
) -> None:
    aws.tell(faults=faults)
    told = audit(*BY_AGGREGATOR)
    assert (told.code, told.out) == (2, "")
    assert words in told.error


def test_the_documented_privileges_are_those_that_are_called(aws: AccountServer, audit: Audit) -> None:
    """moto enforces no policy for AWS Config and Organizations: what is called is compared instead."""
    [block] = [block for block in blocks(PROJECT / "docs" / "audit.md") if block.language == "json"]
    fleet(aws, 2)
    boto3.Session().client("organizations").create_organization(FeatureSet="ALL")
    aws.calls()
    for arguments in (BY_FILE, BY_ORGANIZATION, BY_AGGREGATOR):
        audit(*arguments, "--no-identity-center")
    called = set(aws.calls()) - {"sts:GetCallerIdentity"}
    beyond_one_account = {action for action in called if not action.startswith("iam:")}
    assert beyond_one_account == {
        "organizations:ListAccounts",
        "sts:AssumeRole",
        "config:DescribeConfigurationAggregatorSourcesStatus",
        "config:SelectAggregateResourceConfig",
    }
    assert all(f'"{action}"' in block.text for action in called)
