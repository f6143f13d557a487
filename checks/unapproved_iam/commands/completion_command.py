"""Print the script that completes subcommands, options and their values in a shell; shtab writes it.

The script needs nothing else: completing starts no Python.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module

from unapproved_iam.commands.command_line import SUBCOMMANDS, argument_parser
from unapproved_iam.program import CLEAN, PROGRAM

SHELLS = ("bash", "zsh", "fish")
EPILOG = f"""\
bash: {PROGRAM} completion bash > ~/.local/share/bash-completion/completions/{PROGRAM}
zsh:  {PROGRAM} completion zsh > DIRECTORY/_{PROGRAM}, where DIRECTORY is one of $fpath
fish: {PROGRAM} completion fish > ~/.config/fish/completions/{PROGRAM}.fish"""


def parser() -> ArgumentParser:
    parser = argument_parser("completion")
    parser.add_argument("shell", choices=SHELLS, help="the shell that reads the script")
    parser.epilog = EPILOG
    return parser


def main(argv: Sequence[str]) -> int:
    arguments = parser().parse_args(argv)
    import shtab

    whole = ArgumentParser(prog=PROGRAM)
    whole.add_argument("-V", "--version", action="store_true", help="print the version")
    subparsers = whole.add_subparsers()
    for name, subcommand in SUBCOMMANDS.items():
        parents = []
        with suppress(ModuleNotFoundError):  # its extra is not installed: its options are of no use
            parents = [import_module(subcommand.module).parser()]
        added = subparsers.add_parser(name, help=subcommand.summary, parents=parents, add_help=not parents)
        for action in added._actions:
            kind = {"FILE": shtab.FILE, "DIR": shtab.DIRECTORY}.get(str(action.metavar or action.dest).upper())
            if kind or action.dest == "path":
                action.complete = kind or shtab.FILE  # type: ignore[attr-defined]
    subparsers.add_parser("help", help="show all subcommands, or the options of one").add_argument(
        "subcommand", nargs="?", choices=tuple(SUBCOMMANDS)
    )
    print(shtab.complete(whole, arguments.shell))
    return CLEAN
