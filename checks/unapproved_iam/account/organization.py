"""Read several accounts, each through a role of the same name: those of a file, or those of the organization.

Several accounts are read at once. One that cannot be read is reported, and the others are still read. Source:
"ListAccounts" in the AWS Organizations API reference, "AssumeRole" in that of AWS STS.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from unapproved_iam.account.access import Access, AccessError, Account, pages
from unapproved_iam.account.audit import AccountReading, not_told, read_account
from unapproved_iam.deny_list.verdict import Verdict
from unapproved_iam.policies.possible_text import Text
from unapproved_iam.program import UsageError

ORGANIZATION = "org"
ACCOUNTS_AT_ONCE = 8

# Nobody can sign in to these, so nothing in them can be used or read.
CLOSED_STATES = ("SUSPENDED", "CLOSED", "PENDING_ACTIVATION")


def accounts_of_file(path: str, partition: str) -> tuple[Account, ...]:
    """The accounts of a file with one id on each line, and perhaps a comment after `#`. Raises UsageError."""
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is not UTF-8 text (expected one account id on each line)") from error
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror} (expected a file of account ids, or {ORGANIZATION})") from error
    ids: dict[str, None] = {}
    for number, line in enumerate(lines, 1):
        written = line.partition("#")[0].strip()
        if written and not re.fullmatch(r"\d{12}", written, re.ASCII):
            raise UsageError(f'{path}:{number}: "{written}" is not an account id (expected 12 digits)')
        if written:
            ids[written] = None
    if not ids:
        raise UsageError(f"{path}: names no account (expected one account id on each line)")
    return tuple(Account(id_, partition) for id_ in ids)


def accounts_of_organization(access: Access) -> tuple[tuple[Account, ...], tuple[str, ...]]:
    """The accounts of the organization, and what is to be said of those that are closed. Raises AccessError."""
    accounts: list[Account] = []
    remarks: list[str] = []
    for page in pages(access.client("organizations"), "list_accounts"):
        for told in page["Accounts"]:
            account = Account(told["Id"], access.account.partition, told.get("Name", ""))
            state = told.get("State") or told.get("Status", "")
            if state in CLOSED_STATES:
                remarks.append(f"account {account.id} is {state.lower().replace('_', ' ')}: nothing there can be used")
            else:
                accounts.append(account)
    if not accounts:
        raise AccessError("the organization lists no account that can be audited")
    return tuple(accounts), tuple(remarks)


def read_accounts(
    access: Access,
    accounts: Sequence[Account],
    role_name: str,
    verdict_of: Callable[[Text], Verdict],
    watch: Callable[[Sequence[Account]], Iterable[Account]] = iter,
) -> tuple[AccountReading, ...]:
    """Read each account through the role of that name; the caller's own account through the caller's credentials.

    `watch` hands the accounts through one by one as they are done, for a progress bar.
    """

    def read(account: Account) -> AccountReading:
        try:
            of_role = f"arn:{account.partition}:iam::{account.id}:role/{role_name}"
            reached = access if account.id == access.account.id else access.assume(of_role)
            return replace(read_account(reached.client("iam"), reached.account, verdict_of), account=account)
        except AccessError as error:
            return AccountReading(account, unjudged=(not_told(account, "anything", error),))

    with ThreadPoolExecutor(ACCOUNTS_AT_ONCE) as pool:
        return tuple(reading for _, reading in zip(watch(accounts), pool.map(read, accounts), strict=True))
