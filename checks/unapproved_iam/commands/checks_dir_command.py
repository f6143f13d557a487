"""Print the directory that checkov receives as --external-checks-dir, for scripts and CI."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence

from unapproved_iam.commands.command_line import argument_parser
from unapproved_iam.program import CLEAN, checks_directory


def parser() -> ArgumentParser:
    return argument_parser("checks-dir")


def main(argv: Sequence[str]) -> int:
    parser().parse_args(argv)
    print(checks_directory())
    return CLEAN
