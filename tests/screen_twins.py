"""Ways in which something that counts is reached, each with its twin, for tests of what the screens pass over."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import NamedTuple

from unapproved_iam.deny_list.entries import DenyList
from unapproved_iam.scan.check_scope import Request
from unapproved_iam.scan.findings import Findings
from unapproved_iam.scan.tree_check import findings_of


class Way(NamedTuple):
    """Files in which something is reached, and a token with what leads elsewhere when it stands in its place."""

    files: dict[str, str]
    token: str
    elsewhere: str

    @property
    def twin(self) -> dict[str, str]:
        """The files in which the token leads elsewhere."""
        return {name: text.replace(self.token, self.elsewhere) for name, text in self.files.items()}


def findings_in(tree: Path, deny_list: DenyList, screen: bool) -> Findings:
    return findings_of(Request(paths=[str(tree)], screen=screen), deny_list, str(tree), date(2026, 11, 1))
