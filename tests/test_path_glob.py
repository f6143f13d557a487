"""Which paths a glob matches, against what it means spelled out, and what the patterns of `fileset` become."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unapproved_iam.path_glob import MOST_ALTERNATIVES, globs_of_fileset, path_matches


@pytest.mark.parametrize(
    ("path", "glob", "matches"),
    [
        ("a.tf", "*.tf", True),
        ("live/a.tf", "*.tf", False),
        ("live/a.tf", "**/*.tf", True),
        ("a.tf", "**/*.tf", True),
        ("live/x/a.tf", "live/**", True),
        ("live", "live/**", False),
        ("live/a.tf", "live", False),
        ("live/x/a.tf", "live/*", False),
        ("live/x/y/a.tf", "live/**/a.tf", True),
        ("live/a.tf", "live/**/a.tf", True),
        ("live/b.tf", "live/?.tf", True),
        ("live/bb.tf", "live/?.tf", False),
        ("live/", "live/?", False),
        ("a+b.tf", "a+b.tf", True),
        ("aab.tf", "a+b.tf", False),
        ("live/x/y/a.tf", "**a**.tf", True),
        ("live/x/y/a.tf", "**/x/**/*.t?", True),
        ("live/x/y/a.tf", "**/x/*.t?", False),
        ("x/a/y/x/b.tf", "**/x/**/y/**", True),  # behind the first x, not the last one
        # Neither may take long.
        ("a/" * 1000 + "b", "**/" * 20 + "x", False),
        ("a" * 2000, "*a" * 20 + "b", False),
        ("a" * 2000, "**a" * 20 + "a", True),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else None,
)
def test_path_matches(path: str, glob: str, matches: bool) -> None:
    assert path_matches(path, glob) is matches


def plainly(path: str, glob: str) -> bool:
    """What a path glob means, spelled out."""
    if not glob:
        return not path
    if glob.startswith("**/"):
        below = [path] + [path[at + 1 :] for at, character in enumerate(path) if character == "/"]
        return any(plainly(rest, glob[3:]) for rest in below)
    if glob.startswith("**"):
        return any(plainly(path[at:], glob[2:]) for at in range(len(path) + 1))
    if glob[0] == "*" and plainly(path, glob[1:]):
        return True
    if glob[0] in "*?":
        return path[:1] not in ("", "/") and plainly(path[1:], glob if glob[0] == "*" else glob[1:])
    return path[:1] == glob[0] and plainly(path[1:], glob[1:])


@settings(max_examples=1000)
@given(
    st.text("ab/", max_size=12),
    st.lists(st.sampled_from(["**/", "**", "*", "?", "a", "b", "/", "a/", "b/"]), max_size=6).map("".join),
)
def test_a_path_glob_means_what_it_says(path: str, glob: str) -> None:
    assert path_matches(path, glob) == plainly(path, glob)


@pytest.mark.parametrize(
    ("pattern", "globs"),
    [
        ("*.json", ["*.json"]),
        ("**/*.json", ["**/*.json"]),
        ("a/**", ["a/**"]),
        ("**.json", ["*.json"]),
        ("a**/b", ["a*/b"]),
        ("{a,b}.json", ["a.json", "b.json"]),
        ("{a,b}{c,d}", ["ac", "ad", "bc", "bd"]),
        ("{a,b{c,d}}e", ["ae", "bce", "bde"]),
        ("{,a}b", ["b", "ab"]),
        ("x/{a,b}/y", ["x/a/y", "x/b/y"]),
        ("a,b", ["a,b"]),
        ("a}b", ["a}b"]),
        ("{a}}", ["a}"]),
        ("a{b", None),
        ("{a/b,c}", None),
        ("[ab]", None),
        ("a\\\\b", None),
        ("../a", None),
        ("./a", None),
        ("{.,a}/b", None),
        ("a//b", None),
        ("", None),
        ("{a,b}" * 8, MOST_ALTERNATIVES),
        ("{a,b}" * 9, None),
    ],
)
def test_patterns_of_fileset(pattern: str, globs: list[str] | int | None) -> None:
    found = globs_of_fileset(pattern)
    assert (len(found) if found is not None and isinstance(globs, int) else found and list(found)) == globs
