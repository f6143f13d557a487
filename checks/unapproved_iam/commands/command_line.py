"""The command `unapproved-iam`: which subcommands there are, and what all of them share.

A subcommand is a module with `main(argv) -> int`, imported only when it is called: a commit that cannot matter pays for
`check` alone. Exit codes: 0 clean, 1 a violation, 2 could not check everything (bad list, unreadable file, bad usage,
broken installation). No traceback reaches a user, unless UNAPPROVED_IAM_TRACEBACK asks for it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from argparse import ArgumentParser

from unapproved_iam.printed_words import complain
from unapproved_iam.program import CLEAN, COULD_NOT_JUDGE, PROGRAM, UsageError, how_to_install, version


class Subcommand(NamedTuple):
    name: str  # of its module, but for `_command`
    summary: str
    extra: str = ""  # the extra of the distribution that brings what it needs

    @property
    def module(self) -> str:
        return f"unapproved_iam.commands.{self.name}_command"


SUBCOMMANDS = {
    "check": Subcommand("check", "find attachments of denied policies in Terraform, plans, CloudFormation and SAM"),
    "checkov": Subcommand("checkov", "run checkov with these checks, safely; takes checkov's own arguments", "checkov"),
    "audit": Subcommand("audit", "find attachments of denied policies in live accounts", "aws"),
    "list": Subcommand("list", "show the deny list in force, and where each entry comes from"),
    "explain": Subcommand("explain", "say whether a policy is denied, by which entry, and what approves it"),
    "init": Subcommand("init", "write a commented deny list"),
    "adopt": Subcommand("adopt", "approve today's violations for a while, so that only new ones fail"),
    "approvals": Subcommand("approvals", "show used, unused, expiring and expired approvals"),
    "schema": Subcommand("schema", "print the JSON Schema of the deny list, for editors"),
    "checks-dir": Subcommand("checks_dir", "print the directory for checkov's --external-checks-dir"),
    "completion": Subcommand("completion", "print a completion script for your shell", "terminal"),
}
DENY_LIST: dict[str, Any] = {
    "metavar": "FILE",
    "help": "the deny list (default: the repository's)",
}
HELP = ("-h", "--help", "help")
VERSION = ("-V", "--version", "version")


def main(argv: Sequence[str]) -> int:
    name, *rest = argv or ["help"]
    of_help = [name] if name in HELP and rest else []
    if of_help:
        name, rest = rest[0], ["--help"]
    if name in HELP or name in VERSION:
        return guarded(name, lambda: _say(_help() if name in HELP else f"{PROGRAM} {version()}"))
    if name not in SUBCOMMANDS:
        return complain(_unknown(of_help, name, [] if of_help else rest))
    return guarded(name, lambda: import_module(SUBCOMMANDS[name].module).main(rest))


def _say(words: str) -> int:
    print(words)
    return CLEAN


def _unknown(of_help: Sequence[str], name: str, rest: Sequence[str]) -> str:
    """What to say to somebody who wrote no subcommand, or misspelt one."""
    from shlex import join

    from unapproved_iam.commands.misspelt_words import closest  # only what is misspelt pays for it

    is_for_check = not of_help and (os.path.exists(name) or _is_option_of_check(name))
    meant = "check" if is_for_check else closest(name, SUBCOMMANDS)
    command = join([PROGRAM, *of_help, meant, *([name] if is_for_check else []), *rest])
    hint = f"did you mean `{command}`? " if meant else ""
    return f"unknown subcommand {name!r} ({hint}{PROGRAM} help lists them)"


def _is_option_of_check(name: str) -> bool:
    options = import_module(SUBCOMMANDS["check"].module).OPTIONS
    return any(name.partition("=")[0] in names for names in options)


def guarded(name: str, subcommand: Callable[[], int]) -> int:
    """Run a subcommand and return its exit code; whatever goes wrong in it becomes a sentence, and 2.

    That includes what it prints: nobody has seen what could not be written.
    """
    if sys.stdout is None:
        return complain("standard output is closed (expected somewhere to write the answer)")
    code = _answered(name, subcommand)
    try:
        sys.stdout.flush()
    except OSError:  # said already; Python would try again at its end, and exit with a code of its own
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def _answered(name: str, subcommand: Callable[[], int]) -> int:
    try:
        try:
            return int(subcommand())
        finally:
            sys.stdout.flush()  # also what argparse has printed before it exits
    except KeyboardInterrupt:
        return complain("interrupted")
    except BrokenPipeError:  # the reader has gone (`| head`)
        return COULD_NOT_JUDGE
    except ModuleNotFoundError as error:
        hint = how_to_install(SUBCOMMANDS[name].extra if name in SUBCOMMANDS else "")
        return complain(f"{PROGRAM} {name} needs the Python module {error.name} ({hint})")
    except Exception as error:
        if isinstance(error, UsageError):
            return complain(str(error))
        if os.environ.get("UNAPPROVED_IAM_TRACEBACK"):
            raise
        return complain(_unexpected(error))


def _unexpected(error: Exception) -> str:
    if isinstance(error, FileNotFoundError) and not error.filename and not _has_working_directory():
        return "the working directory has been deleted (expected one that exists)"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    origin = error.__traceback__
    while origin and origin.tb_next:
        origin = origin.tb_next
    where = f" at {os.path.basename(origin.tb_frame.f_code.co_filename)}:{origin.tb_lineno}" if origin else ""
    return (
        f"bug in {PROGRAM} {version()}{where}: {type(error).__name__}: {error}"
        " (please report it; UNAPPROVED_IAM_TRACEBACK=1 shows more)"
    )


def _has_working_directory() -> bool:
    try:
        os.getcwd()
    except FileNotFoundError:
        return False
    return True


def argument_parser(name: str) -> ArgumentParser:
    """The parser of a subcommand, to which its module adds its arguments; usage errors exit with 2."""
    from argparse import RawDescriptionHelpFormatter

    from unapproved_iam.commands.misspelt_words import HelpfulParser  # needs argparse, and `help` does not

    return HelpfulParser(
        prog=f"{PROGRAM} {name}",
        description=SUBCOMMANDS[name].summary,
        allow_abbrev=False,
        # Without a width each parser measures the terminal, help or not, and imports what that takes.
        formatter_class=lambda prog: RawDescriptionHelpFormatter(prog, width=100),
    )


def _help() -> str:
    width = max(map(len, SUBCOMMANDS))
    lines = [f"usage: {PROGRAM} SUBCOMMAND [ARGUMENT ...]", ""]
    lines += [f"  {name:{width}}  {subcommand.summary}" for name, subcommand in SUBCOMMANDS.items()]
    lines += [
        "",
        f"{PROGRAM} check looks at this directory; {PROGRAM} help SUBCOMMAND has the options.",
        "exit codes: 0 clean, 1 violation, 2 could not check everything",
    ]
    return "\n".join(lines)
