"""Matching partly known texts, against the plain way to do it: fill the holes with everything and look."""

from __future__ import annotations

import itertools
import re
import string
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unapproved_iam.policies.possible_text import Alphabet, Glob, Hole, Match, Text, match, text, unknown

# The letters of texts and patterns; in holes a letter and a digit besides that stand in no pattern.
LETTERS = "a:1z"
HOLE_LETTERS = LETTERS + "2"
HOLES = {alphabet: Hole("x", "unknown", alphabet) for alphabet in Alphabet}


def plainly(glob: Glob, subject: str) -> bool:
    """What a pattern means, spelled out."""
    if not glob.pattern:
        return not subject
    rest = Glob(glob.pattern[1:], frozenset(offset - 1 for offset in glob.segment_at))
    if glob.pattern[0] != "*":
        return bool(subject) and glob.pattern[0] in ("?", subject[0]) and plainly(rest, subject[1:])
    if plainly(rest, subject):
        return True
    stops = not subject or (0 in glob.segment_at and subject[0] == ":")
    return not stops and plainly(glob, subject[1:])


def fillings(alphabet: Alphabet, longest: int) -> list[str]:
    letters = [letter for letter in HOLE_LETTERS if letter in alphabet]
    return ["".join(filling) for length in range(longest + 1) for filling in itertools.product(letters, repeat=length)]


def filled(subject: Text) -> Iterator[str]:
    longest = 5 if len(subject.holes) < 2 else 3
    parts = [[piece] if isinstance(piece, str) else fillings(piece.alphabet, longest) for piece in subject.pieces]
    return map("".join, itertools.product(*parts))


@st.composite
def globs(draw: st.DrawFn, longest: int = 3) -> Glob:
    pattern = draw(st.text("a:1*?", max_size=longest))
    stars = [offset for offset, character in enumerate(pattern) if character == "*"]
    return Glob(pattern, draw(st.frozensets(st.sampled_from(stars))) if stars else frozenset())


known = st.text(LETTERS, max_size=3)
holes = st.sampled_from(list(HOLES.values()))
texts = st.one_of(
    st.builds(text, known, holes, known),
    st.builds(text, known, holes, st.text(LETTERS, max_size=1), holes, known),
)


@settings(max_examples=300)
@given(texts, st.lists(globs(), min_size=1, max_size=2))
def test_match_says_what_filling_the_holes_shows(subject: Text, patterns: list[Glob]) -> None:
    seen = set()
    for one in filled(subject):
        seen.add(any(glob.expression.fullmatch(one) for glob in patterns))
        if len(seen) == 2:
            break
    shown = Match.SOMETIMES if len(seen) == 2 else Match.ALWAYS if True in seen else Match.NEVER
    assert match(subject, patterns) is shown


@settings(max_examples=1000)
@given(globs(8), st.text(LETTERS, max_size=12))
def test_a_pattern_means_what_it_says(glob: Glob, subject: str) -> None:
    assert bool(glob.expression.fullmatch(subject)) == plainly(glob, subject)
    assert match(text(subject), [glob]) is (Match.ALWAYS if plainly(glob, subject) else Match.NEVER)


@given(st.text(string.printable, min_size=1), st.text(string.printable))
def test_nothing_but_star_and_question_mark_is_special(pattern: str, subject: str) -> None:
    literal = re.sub(r"[*?]", "", pattern)
    assert match(text(literal), [Glob(literal)]) is Match.ALWAYS
    assert match(text(subject), [Glob(literal)]) is (Match.ALWAYS if subject == literal else Match.NEVER)


@pytest.mark.parametrize(
    ("subject", "patterns", "expected"),
    [
        (text("arn:", HOLES[Alphabet.ANY], ":x"), ["arn:*:x"], Match.ALWAYS),
        (text("arn:", HOLES[Alphabet.ANY], ":x"), ["arn:*:y"], Match.NEVER),
        (text("arn:", HOLES[Alphabet.ANY], ":x"), ["arn:aws:x"], Match.SOMETIMES),
        (text(HOLES[Alphabet.DIGITS]), ["a*", "*a*"], Match.NEVER),
        (text(HOLES[Alphabet.DIGITS]), ["", "?*"], Match.ALWAYS),  # no pattern alone is certain, but one of them is
        (text(HOLES[Alphabet.DIGITS]), ["", "0*"], Match.SOMETIMES),
        (unknown("var.p", "no default"), ["*"], Match.ALWAYS),
        (text(), ["*"], Match.ALWAYS),
        (text("a"), [], Match.NEVER),
        (unknown("var.p", "no default"), [], Match.NEVER),
    ],
)
def test_match(subject: Text, patterns: list[str], expected: Match) -> None:
    assert match(subject, [Glob(pattern) for pattern in patterns]) is expected


@pytest.mark.parametrize(
    "subject", [text("a" * 100_000), text("a" * 200, HOLES[Alphabet.ANY], "b")], ids=["long", "with a hole"]
)
def test_no_pattern_takes_forever(subject: Text) -> None:
    """Each of these would take years by backtracking or by building every state."""
    assert match(subject, [Glob("*a" * 20 + "c")]) is Match.NEVER
    assert match(subject, [Glob("*a" + "?" * 60 + "c*")]) in (Match.NEVER, Match.SOMETIMES)


@pytest.mark.parametrize(("alphabet", "expected"), [(Alphabet.SEGMENT, Match.ALWAYS), (Alphabet.ANY, Match.SOMETIMES)])
def test_a_hole_that_is_one_segment_fits_into_one(alphabet: Alphabet, expected: Match) -> None:
    subject = text("arn:", HOLES[alphabet], ":x")
    assert match(subject, [Glob("arn:*:x", frozenset({4}))]) is expected


def test_what_takes_too_long_is_not_called_certain() -> None:
    anything = [Glob(""), Glob("?*")]
    assert match(text(HOLES[Alphabet.ANY]), anything) is Match.ALWAYS
    assert match(text(HOLES[Alphabet.ANY]), [*anything, Glob("*a" + "?" * 20)]) is Match.SOMETIMES


@given(st.lists(st.one_of(known, holes, texts), max_size=5))
def test_texts_have_one_form(pieces: list[str | Hole | Text]) -> None:
    joined = text(*pieces)
    assert "" not in joined.pieces
    assert not any(isinstance(a, str) and isinstance(b, str) for a, b in itertools.pairwise(joined.pieces))
    assert str(joined) == "".join(map(str, pieces))
    assert text(joined) == joined == text(*joined.pieces)
    assert (joined.known is None) == bool(joined.holes)
    assert joined.is_unknown == (bool(joined.pieces) and all(isinstance(piece, Hole) for piece in joined.pieces))
