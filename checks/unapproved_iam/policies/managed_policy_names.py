"""List the AWS managed policies of this release, so that a misspelt entry is an error instead of a silent hole.

The names are in `managed_policy_names.txt`, one per line, with their path: `job-function/ViewOnlyAccess`.
`scripts/refresh_managed_policies.py` makes the file.
"""

from __future__ import annotations

import os
from functools import lru_cache

NAMES_FILE = os.path.join(os.path.dirname(__file__), "managed_policy_names.txt")


@lru_cache(maxsize=1)
def managed_policy_names() -> dict[str, str]:
    """The path of each AWS managed policy ("" or e.g. "job-function/") by its name."""
    names = {}
    with open(NAMES_FILE, encoding="ascii") as file:
        for line in file.read().splitlines():
            path, slash, name = line.rpartition("/")
            names[name] = path + slash
    return names


def similar_managed_policy(name: str) -> str | None:
    """The AWS managed policy that somebody who wrote `name` probably meant."""
    import difflib  # only a misspelt name pays for it

    by_lower_case = {known.lower(): known for known in managed_policy_names()}
    written = name.rpartition("/")[2].lower()
    for maker in ("amazon", "aws"):  # S3FullAccess is short for AmazonS3FullAccess, and closer to IVSFullAccess
        if maker + written in by_lower_case:
            return by_lower_case[maker + written]
    close = difflib.get_close_matches(written, by_lower_case, n=1, cutoff=0.7)
    return by_lower_case[close[0]] if close else None
