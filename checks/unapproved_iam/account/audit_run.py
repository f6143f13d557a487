"""Audit the accounts that `unapproved-iam audit` was asked for, and print the report in the format asked for.

Separate from the subcommand, so that `audit --help` works where boto3 is not installed.
"""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timezone

from unapproved_iam.account.access import Access, AccessError, Account, open_access
from unapproved_iam.account.audit import AccountJudge, AccountReading, Audit, judged, merged, read_account
from unapproved_iam.account.audit_reports import csv_report, json_report, markdown_report, text_report
from unapproved_iam.account.config_aggregator import read_aggregator
from unapproved_iam.account.detach_script import detach_script
from unapproved_iam.account.html_report import html_report
from unapproved_iam.account.identity_center import read_identity_center
from unapproved_iam.account.organization import (
    ORGANIZATION,
    accounts_of_file,
    accounts_of_organization,
    read_accounts,
)
from unapproved_iam.account.report_rows import account_title, not_looked_at
from unapproved_iam.account.tree_comparison import DeclaredCode
from unapproved_iam.deny_list.discovery import find_deny_list, repository_root
from unapproved_iam.deny_list.entries import DenyList
from unapproved_iam.printed_words import complain, tolerate_any_text
from unapproved_iam.program import UsageError

REPORTS = {
    "text": text_report,
    "json": json_report,
    "csv": csv_report,
    "markdown": markdown_report,
    "html": html_report,
    "script": detach_script,
}
Watch = Callable[[Sequence[Account]], Iterable[Account]]
WITHOUT_REMARKS = ("csv",)  # there they are said on standard error


def run(arguments: Namespace, watch: Watch = iter) -> int:
    deny_list = find_deny_list(arguments.deny_list, os.environ, repository_root(os.getcwd()))
    code = DeclaredCode(arguments.compare, deny_list) if arguments.compare else None
    try:
        audit = _audit(arguments, deny_list, datetime.now(timezone.utc).date(), watch)
    except AccessError as error:
        raise UsageError(str(error)) from error
    if code:
        in_code = code.places(finding.attachment for finding in audit.findings)
        audit = replace(audit, in_code=in_code, remarks=(*audit.remarks, *code.remarks))
    tolerate_any_text()
    sys.stdout.write(REPORTS[arguments.output](audit))
    sys.stdout.flush()
    for account, words in not_looked_at(audit):
        complain(f"account {account_title(account)}: {words}")
    for remark in audit.remarks if arguments.output in WITHOUT_REMARKS else ():
        complain(remark)
    return audit.exit_code


def _audit(arguments: Namespace, deny_list: DenyList, today: date, watch: Watch) -> Audit:
    access = open_access(arguments.profile, arguments.region, arguments.role_arn)
    judge = AccountJudge(deny_list, today)
    readings, remarks = _readings(arguments, access, judge, watch)
    if arguments.no_identity_center:
        remarks += ("the permission sets of Identity Center were left out (--no-identity-center)",)
    else:
        identity_center = read_identity_center(access, judge.verdict_of)
        remarks += identity_center.remarks
        if identity_center.reading.permission_sets or identity_center.reading.unjudged:
            readings = merged((*readings, identity_center.reading))
    remarks += tuple(
        f"account {reading.account.id} counts for its permission sets only: it is not among the accounts to audit"
        for reading in readings
        if reading.of_permission_sets
    )
    return replace(judged(deny_list, today, access.region, readings), remarks=remarks)


def _readings(
    arguments: Namespace, access: Access, judge: AccountJudge, watch: Watch
) -> tuple[tuple[AccountReading, ...], tuple[str, ...]]:
    if arguments.config_aggregator:
        return read_aggregator(access, arguments.config_aggregator, judge.verdict_of), ()
    if arguments.accounts == ORGANIZATION:
        accounts, remarks = accounts_of_organization(access)
        return read_accounts(access, accounts, arguments.role_name, judge.verdict_of, watch), remarks
    if arguments.accounts:
        accounts = accounts_of_file(arguments.accounts, access.account.partition)
        return read_accounts(access, accounts, arguments.role_name, judge.verdict_of, watch), ()
    return (read_account(access.client("iam"), access.account, judge.verdict_of),), ()
