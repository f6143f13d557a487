"""Answer a misspelt subcommand, option or choice with the one that was probably meant.

For `commands.command_line` and the parsers of all subcommands.
"""

from __future__ import annotations

import re
from argparse import ArgumentParser
from collections.abc import Iterable
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

from unapproved_iam.printed_words import complain


def closest(word: str, known: Iterable[str]) -> str:
    """The known word that is written most like this one; empty when none is."""
    from difflib import get_close_matches  # only what is misspelt pays for it

    return next(iter(get_close_matches(word, list(known), n=1)), "")


class HelpfulParser(ArgumentParser):
    """A parser whose errors are one sentence, with what was probably meant and where to look."""

    def error(self, message: str) -> NoReturn:
        misspelt = re.search(r"unrecognized arguments: ([^\s=]+)|invalid choice: '([^']*)'", message)
        meant = closest(misspelt[1] or misspelt[2], self._words()) if misspelt else ""
        hint = f"did you mean {meant}? " if meant else ""
        self.exit(complain(f"{self.prog}: {message}; {hint}see {self.prog} --help"))

    def print_help(self, file: SupportsWrite[str] | None = None) -> None:
        """Unlike the inherited one, it does not hide that nothing could be written."""
        print(self.format_help(), end="", file=file)

    def _words(self) -> Iterable[str]:
        for action in self._actions:
            yield from action.option_strings
            yield from map(str, action.choices or ())
