"""Decide whether a path matches a path glob: of the deny list, of Terraform's `fileset`, or of what source may read.

For `deny_list.entries`, `deny_list.verdict`, `hcl.scope` and `scan.affected_units`. Both may come from a stranger, so
nothing here backtracks.
"""

from __future__ import annotations

import re
from functools import lru_cache

MOST_ALTERNATIVES = 256  # that the braces of one pattern stand for


def path_matches(path: str, glob: str) -> bool:
    """Whether a POSIX path matches: `**` any directories, `*` and `?` within one name.

    It keeps all places up to which the glob may have read the path: a regular expression would try every way to share
    the path among its wildcards.
    """
    tokens = _tokens(glob)
    if not path.endswith(tokens[-1].lstrip("*?/")):  # most paths: a quick look
        return False
    places = {0}
    for token in tokens:
        places = _places_after(token, path, places)
        if not places:
            return False
    return len(path) in places


def _places_after(token: str, path: str, places: set[int]) -> set[int]:
    if token == "**":
        return set(range(min(places), len(path) + 1))
    if token == "**/":
        first = min(places)
        return places | {place for place in range(first + 1, len(path) + 1) if path[place - 1] == "/"}
    if token == "?":
        return {place + 1 for place in places if path[place : place + 1] not in ("", "/")}
    if token != "*":
        return {place + len(token) for place in places if path.startswith(token, place)}
    reached: set[int] = set()
    for place in places:
        while place not in reached:
            reached.add(place)
            place += path[place : place + 1] not in ("", "/")
    return reached


@lru_cache(maxsize=1024)
def _tokens(glob: str) -> tuple[str, ...]:
    return tuple(filter(None, re.split(r"(\*\*/|\*\*|\*|\?)", glob))) or ("",)


def globs_of_fileset(pattern: str) -> tuple[str, ...] | None:
    """The path globs that match what a pattern of `fileset` matches; None for one that is not understood.

    Two stars that are no whole name are one. Not understood are classes of characters, escapes, steps upwards, and
    braces that do not close before the next slash, which terraform refuses. Source: "fileset Function" in the Terraform
    documentation.
    """
    alternatives = _without_braces(pattern)
    if alternatives is None or re.search(r"[\[\\]", pattern):
        return None
    names = [alternative.split("/") for alternative in alternatives]
    if any(not {"", ".", ".."}.isdisjoint(one) for one in names):
        return None
    return tuple("/".join(name if name == "**" else re.sub(r"\*+", "*", name) for name in one) for one in names)


def _without_braces(pattern: str) -> list[str] | None:
    """`{a,b}c` as `ac` and `bc`."""
    written = [""]
    opened: list[tuple[list[str], list[str]]] = []  # what stands before each brace, and its alternatives so far
    for part in re.split(r"([{},/])", pattern):
        if part == "{":
            opened.append((written, []))
            written = [""]
        elif part == "," and opened:
            opened[-1][1].extend(written)
            written = [""]
        elif part == "}" and opened:
            before, inside = opened.pop()
            written = [one + other for one in before for other in (*inside, *written)]
        elif part == "/" and opened:
            return None
        else:
            written = [one + part for one in written]
        if len(written) > MOST_ALTERNATIVES:
            return None
    return None if opened else written
