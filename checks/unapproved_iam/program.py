"""What the program is called, which version it is, where its checks stand, and what its exit codes mean.

For every part that answers a user or another program.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = "unapproved-iam"
DISTRIBUTION = "checkov-unapproved-iam"

CLEAN, VIOLATION, COULD_NOT_JUDGE = 0, 1, 2


class UsageError(Exception):
    """What the user has to put right, as the sentence to print: exit 2."""


def checks_directory() -> Path:
    """What checkov receives as --external-checks-dir: the directory that holds the checks and the engine."""
    from pathlib import Path

    return Path(__file__).resolve().parent.parent


def how_to_install(extra: str = "") -> str:
    """What brings what is missing: from the repository, as long as nobody has registered the distribution's name."""
    wanted = f"{DISTRIBUTION}[{extra}] @ git+REPOSITORY" if extra else "git+REPOSITORY"
    return f"pip install '{wanted}', with the URL of this project's repository as REPOSITORY"


def version() -> str:
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as version_of

    try:
        return version_of(DISTRIBUTION)
    except PackageNotFoundError:
        return "(not installed)"
