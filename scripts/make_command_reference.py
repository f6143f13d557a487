"""Make docs/commands.md from the parsers of the subcommands: run it whenever an argument or its help changes.

python scripts/make_command_reference.py
"""

from __future__ import annotations

import re
import sys
import textwrap
from argparse import SUPPRESS, Action, ArgumentParser, HelpFormatter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "checks"))

from unapproved_iam.commands.command_line import SUBCOMMANDS
from unapproved_iam.program import DISTRIBUTION, PROGRAM

REFERENCE = Path(__file__).resolve().parent.parent / "docs/commands.md"

HEAD = f"""\
# The command

What `{PROGRAM} SUBCOMMAND --help` says, for all subcommands. `{PROGRAM} --version` tells the release.
The [exit codes](../README.md#exit-codes) are 0 clean, 1 violation, 2 could not check everything.
"""

# Where a subcommand is told of at length.
GUIDES = {
    "check": "[Outputs](outputs.md), [CI](ci.md), [plans](how-to/plans.md)",
    "checkov": "[In checkov](checkov.md)",
    "audit": "[Audit of the live account](audit.md), [of an organization](how-to/organization-audit.md)",
    "list": "[The deny list](deny-list.md)",
    "explain": "[Approvals](deny-list.md#approvals)",
    "init": "[Write your first list](how-to/first-list.md)",
    "adopt": "[Roll it out on an old repository](how-to/roll-out.md)",
    "approvals": "[Get an exception](how-to/exceptions.md)",
    "schema": "[Editors](deny-list.md#editors)",
    "checks-dir": "[In checkov](checkov.md)",
    "completion": "the lines below say where the script goes",
}


def reference() -> str:
    return "\n".join([HEAD, *("\n".join(section(name)) for name in SUBCOMMANDS)])


def section(name: str) -> Iterator[str]:
    subcommand, parser = SUBCOMMANDS[name], parser_of(name)
    extra = f" It needs the extra `[{subcommand.extra}]` of {DISTRIBUTION}." if subcommand.extra else ""
    yield f"## {name}\n"
    yield f"{subcommand.summary[0].upper()}{subcommand.summary[1:]}.{extra} More: {GUIDES[name]}.\n"
    yield f"```text\n{usage(parser)}\n```\n"
    rows = [f"| `{invocation(action)}` | {meaning(action)} |" for action in parser._actions if is_shown(action)]
    if rows:
        yield "\n".join(["| argument | meaning |", "|---|---|", *rows, ""])
    if parser.epilog:
        yield f"```text\n{parser.epilog}\n```\n"


def parser_of(name: str) -> ArgumentParser:
    parser: ArgumentParser = import_module(SUBCOMMANDS[name].module).parser()
    return parser


def usage(parser: ArgumentParser) -> str:
    """On lines of our own: where they are broken depends on the release of Python."""
    parser.formatter_class = lambda prog: HelpFormatter(prog, width=sys.maxsize)
    whole = parser.format_usage().strip().removeprefix("usage: ").replace(" [-h]", "")
    unbroken = re.sub(r"\[.*?\]", lambda part: part[0].replace(" ", "\0"), whole)
    return textwrap.fill(unbroken, 100, subsequent_indent="    ", break_on_hyphens=False).replace("\0", " ")


def is_shown(action: Action) -> bool:
    return action.help != SUPPRESS and "--help" not in action.option_strings


def invocation(action: Action) -> str:
    if not action.option_strings:
        return action.dest
    value = action.metavar or ("{" + ",".join(action.choices) + "}" if action.choices else action.dest.upper())
    return ", ".join(action.option_strings) + ("" if action.nargs == 0 else f" {value}".replace("|", r"\|"))


def meaning(action: Action) -> str:
    return (action.help or "") % vars(action)


if __name__ == "__main__":
    REFERENCE.write_text(reference())
    print(f"{REFERENCE}: {len(SUBCOMMANDS)} subcommands")
