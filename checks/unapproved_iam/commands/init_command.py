"""`unapproved-iam init`: write a commented deny list to start from and, if asked, the entry for pre-commit.

It never overwrites. In what it writes, `#` right before a letter comments out YAML, `# ` begins a remark.
"""

from __future__ import annotations

import os
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence

from unapproved_iam.commands.atomic_file import write_new
from unapproved_iam.commands.command_line import argument_parser
from unapproved_iam.deny_list.builtin_lists import DEFAULT_LIST, PURPOSES
from unapproved_iam.deny_list.discovery import FILE_NAME, refuse_near_misses, repository_root
from unapproved_iam.program import CLEAN, COULD_NOT_JUDGE, PROGRAM

PRE_COMMIT_FILE = ".pre-commit-config.yaml"

# The README's block. Only the reader can give the URL, and the revision that was reviewed.
PRE_COMMIT_ENTRY = """\
repos:
  - repo: REPOSITORY
    rev: REVISION
    hooks:
      - id: unapproved-iam-policies
"""
PRE_COMMIT_HINT = (
    f"{PRE_COMMIT_FILE}: replace REPOSITORY with the URL of this project's repository, and REVISION with the commit or"
    " tag that you have reviewed"
)

NEXT_STEPS = f"""\
next: {PROGRAM} check shows what it finds here
      {PROGRAM} adopt approves that for now, so that only new violations fail"""


def parser() -> ArgumentParser:
    parser = argument_parser("init")
    parser.add_argument(
        "--use",
        metavar="LIST",
        action="append",
        choices=tuple(PURPOSES),
        help=f"a built-in list to start with; may be repeated (default: {DEFAULT_LIST}); one of {', '.join(PURPOSES)}",
    )
    parser.add_argument("--pre-commit", action="store_true", help=f"write the hook into {PRE_COMMIT_FILE}, too")
    return parser


def main(argv: Sequence[str]) -> int:
    arguments = parser().parse_args(argv)
    root = repository_root(os.curdir)
    refuse_near_misses(root)
    written = _write(root, FILE_NAME, starting_list(arguments.use or [DEFAULT_LIST]))
    if arguments.pre_commit:
        if not _write(root, PRE_COMMIT_FILE, PRE_COMMIT_ENTRY):
            print(f"add this to it:\n\n{PRE_COMMIT_ENTRY}")
        print(PRE_COMMIT_HINT)
    if written:
        print(NEXT_STEPS)
    return CLEAN if written or arguments.pre_commit else COULD_NOT_JUDGE


def _write(root: str, name: str, content: str) -> bool:
    """Whether the file is written; one that is there is left alone."""
    path = os.path.relpath(os.path.join(root, name))
    try:
        write_new(path, content.encode())
    except FileExistsError:
        print(f"{path}: exists already, so it was not changed")
        return False
    print(f"{path}: written")
    return True


def starting_list(use: Sequence[str]) -> str:
    """A valid deny list that uses these built-in lists, with everything else in comments."""
    return "\n".join(_starting_lines(use)) + "\n"


def _starting_lines(use: Sequence[str]) -> Iterator[str]:
    yield "# Which IAM managed policies must not be attached, and who may attach them anyway."
    yield "# `unapproved-iam list` shows what counts, `unapproved-iam explain POLICY` why."
    yield "version: 1"
    yield ""
    yield "# Built-in lists; `unapproved-iam list --built-in NAME` shows one."
    yield "use:"
    for name, purpose in PURPOSES.items():
        yield f"  # {name}: {purpose}"
        yield f"  - {name}" if name in use else f"#  - {name}"
    yield from _REST.splitlines()


_REST = """
# More policies: an AWS managed one by its name, any by its ARN; * is any characters, ? is one.
#deny:
#  - AmazonS3FullAccess
#  - policy: arn:aws:iam::*:policy/legacy-*
#    reason: it predates the permission model
#    use_instead: [AmazonS3ReadOnlyAccess]
#    enforce_from: 2027-01-01

# Exceptions: for a role, user, group or permission set, or for one resource in some files.
#approve:
#  - policy: AdministratorAccess
#    attached_to: role/break-glass
#    in: live/security/**
#    reason: reviewed by security
#    expires: 2027-06-30

# Files that are not checked.
#exclude:
#  - path: charts/**
#    reason: Helm templates

# An attachment whose policy can't be determined from the code: pass (the default) or fail.
#unresolved: fail

# A comment checkov:skip=IAM_068 beside the code silences a finding: allow (the default) or refuse.
#inline_skips: refuse

# Further lists, as paths from this file's directory.
#extends: [shared/unapproved-iam-policies.yaml]
"""
