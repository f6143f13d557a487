"""`unapproved-iam audit`: find attachments of denied policies in live accounts, by the list that is used for code.

The audit is read-only. What could not be looked at is reported, with exit code 2: it is never clean on partial
knowledge.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence

from unapproved_iam.commands.command_line import DENY_LIST, argument_parser
from unapproved_iam.commands.progress import watched
from unapproved_iam.program import UsageError

OUTPUTS = ("text", "json", "csv", "markdown", "html", "script")


def parser() -> ArgumentParser:
    parser = argument_parser("audit")
    parser.add_argument("--deny-list", **DENY_LIST)
    parser.add_argument("--profile", metavar="NAME", help="a profile of your AWS configuration")
    parser.add_argument("--region", metavar="NAME", help="the region of Identity Center; it also sets the partition")
    parser.add_argument("--role-arn", metavar="ARN", help="a role to assume first")
    parser.add_argument(
        "-o",
        "--output",
        choices=OUTPUTS,
        default="text",
        help="the report's format (default: text); script is a shell script that detaches",
    )
    parser.add_argument("--no-identity-center", action="store_true", help="skip permission sets")
    parser.add_argument("--compare", metavar="DIR", help="say which attachments the code below DIR declares")
    several = parser.add_mutually_exclusive_group()
    several.add_argument(
        "--accounts",
        metavar="FILE|org",
        help="audit the accounts listed in a file, one id per line, or those of the organization",
    )
    several.add_argument(
        "--config-aggregator", metavar="NAME", help="audit the accounts that this AWS Config aggregator covers"
    )
    parser.add_argument("--role-name", metavar="NAME", help="with --accounts: the role to assume in each account")
    return parser


def main(argv: Sequence[str]) -> int:
    arguments = parser().parse_args(argv)
    if bool(arguments.accounts) != bool(arguments.role_name):
        raise UsageError("--accounts and --role-name need each other")
    from unapproved_iam.account.audit_run import run  # needs boto3, and telling of the arguments does not

    return run(arguments, watched)
