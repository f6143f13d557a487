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

# What other tools call a thing.
SYNONYMS = {
    **dict.fromkeys(("lint", "run", "scan", "test", "validate", "verify"), "check"),
    **dict.fromkeys(("allow", "approve", "except", "exception", "exceptions", "waive"), "approvals"),
    **dict.fromkeys(("baseline", "rollout"), "adopt"),
    **dict.fromkeys(("ls", "policies", "show"), "list"),
    **dict.fromkeys(("why", "describe"), "explain"),
    **dict.fromkeys(("setup", "new", "create"), "init"),
    **dict.fromkeys(("live", "account"), "audit"),
    **dict.fromkeys(("--config", "--list", "--policies", "--policy-file"), "--deny-list"),
    **dict.fromkeys(("--diff", "--since", "--base"), "--changed-since"),
    **dict.fromkeys(("--format", "--json", "--sarif"), "--output"),
    **dict.fromkeys(("--ignore", "--skip", "--skip-path"), "--exclude"),
    **dict.fromkeys(("--out", "--output-file-path"), "--output-file"),
    "--tfvars": "--var-file",
    "--workers": "--jobs",
}
# The share of letters in their order, below which a guess is far-fetched; among the few choices of an option it is not.
ALIKE, ALIKE_OF_FEW = 0.76, 0.6


def closest(word: str, known: Iterable[str], alike: float = ALIKE) -> str:
    """The known word that somebody who wrote this one probably means; empty when none is close."""
    from difflib import get_close_matches  # only what is misspelt pays for it

    known = list(known)
    meant = SYNONYMS.get(word)
    return meant if meant in known else next(iter(get_close_matches(word, known, n=1, cutoff=alike)), "")


class HelpfulParser(ArgumentParser):
    """A parser whose errors are one sentence, with what was probably meant and where to look."""

    def error(self, message: str) -> NoReturn:
        misspelt = re.search(r"unrecognized arguments: ([^\s=]+)|invalid choice: '([^']*)'", message)
        meant = closest(misspelt[1], self._options()) if misspelt and misspelt[1] else ""
        meant = closest(misspelt[2], self._choices(), ALIKE_OF_FEW) if misspelt and misspelt[2] else meant
        hint = f"did you mean {meant}? " if meant else ""
        self.exit(complain(f"{self.prog}: {message}; {hint}see {self.prog} --help"))

    def print_help(self, file: SupportsWrite[str] | None = None) -> None:
        """Unlike the inherited one, it does not hide that nothing could be written."""
        print(self.format_help(), end="", file=file)

    def _options(self) -> Iterable[str]:
        return (option for action in self._actions for option in action.option_strings)

    def _choices(self) -> Iterable[str]:
        return (str(choice) for action in self._actions for choice in action.choices or ())
