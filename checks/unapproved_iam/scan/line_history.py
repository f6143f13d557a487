"""Ask git how long a line of the source has been there, for reports that people read to decide.

It looks at the commit that is checked out, never at the work tree: reading that could run a program that the
repository's settings name. Source: "git-blame" in the Git documentation (`--porcelain`).
"""

from __future__ import annotations

import os
from datetime import datetime, timezone
from functools import lru_cache

from unapproved_iam.policies.attachment import Place
from unapproved_iam.scan.git_answers import NoAnswer, git

_OPTIONS = ("-c", "blame.ignoreRevsFile=", "blame", "--porcelain", "--no-textconv")


def since(place: Place, root: str) -> str:
    """The day of the commit that brought a line, in words; empty when that cannot be said."""
    path = os.path.relpath(place.path, root)
    try:
        answer = git(root, *_OPTIONS, "-L", f"{place.line},{place.line}", "HEAD", "--", path)
        with open(place.path, "rb") as file:
            line = file.read().split(b"\n")[place.line - 1]
    except (NoAnswer, OSError, IndexError):
        return ""
    told = answer.stdout.split(b"\n")
    written = next((one[1:] for one in told if one.startswith(b"\t")), None)
    if answer.returncode or written is None or written.rstrip(b"\r") != line.rstrip(b"\r"):
        return ""
    time = next((one.split()[1] for one in told if one.startswith(b"author-time ")), b"")
    if not time.isdigit():
        return ""
    day = datetime.fromtimestamp(int(time), timezone.utc).date()
    return f"{day} or before" if b"boundary" in told and _is_shallow(root) else f"{day}"


@lru_cache(maxsize=16)
def _is_shallow(root: str) -> bool:
    """Whether the clone lacks older commits: then its oldest one seems to have brought everything."""
    return git(root, "rev-parse", "--is-shallow-repository").stdout.strip() == b"true"
