"""The command `unapproved-iam`: which subcommands there are, and what all of them share.

A subcommand is a module with `main(argv) -> int`, imported only when it is called: a commit that cannot matter pays for
`check` alone. Exit codes: 0 clean, 1 a violation, 2 could not judge (bad list, unreadable file, bad usage, broken
installation). No traceback reaches a user, unless UNAPPROVED_IAM_TRACEBACK asks for it.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from pathlib import Path

PROGRAM = "unapproved-iam"
DISTRIBUTION = "checkov-unapproved-iam"

CLEAN, VIOLATION, COULD_NOT_JUDGE = 0, 1, 2


class Subcommand(NamedTuple):
    module: str
    summary: str
    extra: str = ""  # the extra of the distribution that brings what it needs


SUBCOMMANDS = {
    "check": Subcommand(
        "check_command", "find attachments of denied policies in Terraform, plans, CloudFormation and SAM"
    ),
    "checkov": Subcommand(
        "checkov_run", "run checkov with these checks, safely; takes checkov's own arguments", "checkov"
    ),
    "audit": Subcommand("account_audit_command", "find attachments of denied policies in the live account", "aws"),
    "list": Subcommand("list_command", "show the effective deny list and where each entry comes from"),
    "explain": Subcommand("explain_command", "tell whether a policy is denied, by which entry, and what approves it"),
    "init": Subcommand("init_command", "write a commented deny list"),
    "adopt": Subcommand("adopt_command", "approve today's violations until a day, so that new ones are stopped now"),
    "approvals": Subcommand("approvals_command", "show used, unused, expiring and expired approvals"),
    "schema": Subcommand("deny_list_schema", "print the JSON Schema of the deny list, for editors"),
    "checks-dir": Subcommand("checks_dir_command", "print the directory for checkov's --external-checks-dir"),
}


class UsageError(Exception):
    """What the user has to put right, as the sentence to print: exit 2."""


def main(argv: Sequence[str]) -> int:
    name, *rest = argv or ["--help"]
    if name in ("-h", "--help", "help"):
        print(_help())
        return CLEAN
    if name in ("-V", "--version"):
        print(f"{PROGRAM} {version()}")
        return CLEAN
    if name not in SUBCOMMANDS:
        return complain(
            f"unknown subcommand {name!r} (expected one of: {', '.join(SUBCOMMANDS)}; see {PROGRAM} --help)"
        )
    return guarded(name, lambda: import_module(f"unapproved_iam.{SUBCOMMANDS[name].module}").main(rest))


def guarded(name: str, subcommand: Callable[[], int]) -> int:
    """Run a subcommand and return its exit code; whatever goes wrong in it becomes a sentence, and 2."""
    if sys.stdout is None:
        return complain("standard output is closed (expected somewhere to write the answer)")
    try:
        code = int(subcommand())
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return complain("interrupted")
    except BrokenPipeError:
        # The reader has gone (`| head`): what was not printed was not seen, and flushing at exit must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return COULD_NOT_JUDGE
    except ModuleNotFoundError as error:
        extra = SUBCOMMANDS[name].extra
        needed = DISTRIBUTION + (f"[{extra}]" if extra else "")
        return complain(f"{PROGRAM} {name} needs the Python module {error.name} (pip install '{needed}')")
    except Exception as error:
        from unapproved_iam.deny_list_reader import DenyListError

        if isinstance(error, UsageError | DenyListError):
            return complain(str(error))
        if os.environ.get("UNAPPROVED_IAM_TRACEBACK"):
            raise
        return complain(_unexpected(error))


def _unexpected(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    origin = error.__traceback__
    while origin and origin.tb_next:
        origin = origin.tb_next
    where = f" at {os.path.basename(origin.tb_frame.f_code.co_filename)}:{origin.tb_lineno}" if origin else ""
    return (
        f"defect in {PROGRAM} {version()}{where}: {type(error).__name__}: {error}"
        " (please report it; UNAPPROVED_IAM_TRACEBACK=1 shows more)"
    )


def complain(message: str) -> int:
    """Print what is wrong, on standard error, and return the exit code that says that nothing was judged."""
    print("\n".join(printable(line) for line in message.splitlines()), file=sys.stderr)
    return COULD_NOT_JUDGE


def printable(text: str) -> str:
    """The text on one line, without what steers a terminal or a CI system's log: what is scanned may be a stranger's.

    Characters that are not printable become backslash escapes, and so does a `#` of `##[…]` and `##vso[…]`, which
    GitHub Actions and Azure Pipelines look for anywhere in a line, and a `:` of `::` at the beginning, blanks aside.
    """
    if not (text.isascii() and text.isprintable()):
        text = "".join(
            character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
        )
    text = re.sub(r"##(?=\w*\[)", r"#\\x23", text) if "##" in text else text
    return re.sub(r"^(\s*):(?=:)", r"\1\\x3a", text)


def counted(number: int, one: str, many: str = "") -> str:
    """A number of things in words: `1 file`, `2 files`, `2 entries`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def without_commands(json: str) -> str:
    """The same JSON without the `##[…]` and `##vso[…]` that CI systems look for anywhere in a log's line."""
    return json.replace("##", "#\\u0023")


def tolerate_any_text() -> None:
    """A terminal or log that cannot show a character gets its escape, not a failure."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def argument_parser(name: str) -> ArgumentParser:
    """The parser of a subcommand, to which its module adds its arguments; usage errors exit with 2."""
    from argparse import ArgumentParser, RawDescriptionHelpFormatter

    return ArgumentParser(
        prog=f"{PROGRAM} {name}",
        description=SUBCOMMANDS[name].summary,
        allow_abbrev=False,
        # Without a width each parser measures the terminal, help or not, and imports what that takes.
        formatter_class=lambda prog: RawDescriptionHelpFormatter(prog, width=100),
    )


def checks_directory() -> Path:
    """What checkov receives as --external-checks-dir: the directory that holds the checks and the engine."""
    from pathlib import Path

    return Path(__file__).resolve().parent.parent


def version() -> str:
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as version_of

    try:
        return version_of(DISTRIBUTION)
    except PackageNotFoundError:
        return "(not installed)"


def _help() -> str:
    width = max(map(len, SUBCOMMANDS))
    lines = [f"usage: {PROGRAM} SUBCOMMAND [--help] [ARGUMENT ...]", ""]
    lines += [f"  {name:{width}}  {subcommand.summary}" for name, subcommand in SUBCOMMANDS.items()]
    lines += ["", "exit codes: 0 clean, 1 violation, 2 could not judge", f"version: {PROGRAM} --version"]
    return "\n".join(lines)
