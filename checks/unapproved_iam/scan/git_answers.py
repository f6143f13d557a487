"""Ask git about a repository: no program that the repository's settings name is run, and no answer is waited for long.

For `scan.source_files`, which asks what is ignored, and `scan.changed_files`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess

MOST_SECONDS = 120  # the largest public repositories take one

_OPTIONS = ("-c", "core.fsmonitor=false", "-c", "core.quotePath=false", "--no-optional-locks")


class NoAnswer(Exception):
    """git could not be asked; `str()` says why."""


def git(root: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """What git says of the repository at `root`, and its exit code. Raises NoAnswer."""
    import subprocess  # without a repository nobody is asked

    command = ["git", "-C", root, *_OPTIONS, *arguments]
    try:
        answer = subprocess.run(
            command, capture_output=True, check=False, timeout=MOST_SECONDS, env=os.environ | {"LC_ALL": "C"}
        )
    except FileNotFoundError:
        raise NoAnswer("git is not on PATH") from None
    except OSError as error:
        raise NoAnswer(f"git cannot be started: {error.strerror or error}") from error
    except subprocess.TimeoutExpired:
        raise NoAnswer(f"git did not answer for {MOST_SECONDS} s") from None
    if answer.returncode and b"dubious ownership" in answer.stderr:
        raise NoAnswer(
            f"git refuses {root}, which somebody else owns (git config --global --add safe.directory {root})"
        )
    return answer
