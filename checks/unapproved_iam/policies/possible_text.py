"""Decide whether a text that is only partly known matches a pattern: always, sometimes or never.

For the evaluators, which build such texts from Terraform expressions and CloudFormation intrinsic functions, and for
the deny list, which asks whether an attachment's policy ARN or principal is one of its own.

A text is a sequence of known pieces and holes; a pattern is a glob. Both are read as small automata over the same
alphabet, so the answer is exact: no guessing with placeholder strings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable
from enum import Enum
from functools import cached_property, lru_cache
from typing import NamedTuple


class Alphabet(Enum):
    """The characters that may stand in a hole."""

    ANY = "any text"
    SEGMENT = "any text without a colon"
    DIGITS = "digits"

    def __contains__(self, character: str) -> bool:
        if self is Alphabet.ANY:
            return True
        if self is Alphabet.SEGMENT:
            return character != ":"
        return character.isdigit()


class Hole(NamedTuple):
    """An unknown part of a text: how it is written, why it is unknown, what may stand in it (perhaps nothing)."""

    written: str  # as in the source, e.g. "var.policy_arn"; empty where it is not told
    reason: str  # e.g. "variable policy_arn has no default"
    alphabet: Alphabet = Alphabet.ANY
    remedy: str = ""  # how to make it known, e.g. "give it a default"
    subject: Hashable = None  # what the facts that a reader has are about: the same subject is the same text
    is_other: bool = False  # it stands for whatever else somebody may give in place of what the source tells
    is_limit: bool = False  # it is a bound of ours that was reached: what stands here is not judged

    def __str__(self) -> str:
        return "${" + self.written + "}" if self.written else ""


Piece = str | Hole


class Text:
    """A string of which some parts may be unknown. Pieces never hold empty or adjacent strings: use `text()`."""

    def __init__(self, pieces: tuple[Piece, ...]) -> None:
        self.pieces = pieces

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Text) and self.pieces == other.pieces

    def __hash__(self) -> int:
        return hash(self.pieces)

    def __repr__(self) -> str:
        return f"Text({self.pieces})"

    @property
    def known(self) -> str | None:
        """The whole string when nothing in it is unknown, else None."""
        if not self.pieces:
            return ""
        if len(self.pieces) == 1 and isinstance(self.pieces[0], str):
            return self.pieces[0]
        return None

    @cached_property
    def holes(self) -> tuple[Hole, ...]:
        return tuple(piece for piece in self.pieces if isinstance(piece, Hole))

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        steps: list[Step] = []
        for piece in self.pieces:
            if isinstance(piece, Hole):
                steps.append(_loop(piece.alphabet))
            else:
                steps.extend(_one(character) for character in piece)
        return tuple(steps)

    @cached_property
    def probes(self) -> tuple[str, ...]:
        """Two of the texts that it may be, unlike what anybody means: a cheap first look."""
        empty = "".join(piece for piece in self.pieces if isinstance(piece, str))
        odd = {Alphabet.ANY: "\0", Alphabet.SEGMENT: "\0", Alphabet.DIGITS: "0"}
        return empty, "".join(odd[piece.alphabet] if isinstance(piece, Hole) else piece for piece in self.pieces)

    @property
    def is_unknown(self) -> bool:
        """Whether not one character of it is known."""
        return bool(self.pieces) and len(self.holes) == len(self.pieces)

    def __add__(self, other: Text) -> Text:
        return text(*self.pieces, *other.pieces)

    def __str__(self) -> str:
        return "".join(str(piece) for piece in self.pieces)


def text(*pieces: Piece | Text) -> Text:
    """Join pieces into one text in normal form."""
    joined: list[Piece] = []
    for piece in pieces:
        for part in piece.pieces if isinstance(piece, Text) else (piece,):
            if isinstance(part, Hole):
                joined.append(part)
            elif part:
                if joined and isinstance(joined[-1], str):
                    joined[-1] += part
                else:
                    joined.append(part)
    return Text(tuple(joined))


def unknown(written: str, reason: str, alphabet: Alphabet = Alphabet.ANY, remedy: str = "") -> Text:
    """A text of which nothing is known."""
    return Text((Hole(written, reason, alphabet, remedy),))


class Match(Enum):
    """Whether a pattern matches a text, whatever its holes turn out to hold."""

    ALWAYS = "always"
    SOMETIMES = "sometimes"
    NEVER = "never"


class Step(NamedTuple):
    """One state of an automaton: a character that it takes, or the characters that it may loop over (any number)."""

    takes: Callable[[str], bool]
    loops: bool
    literal: str = ""


class Glob:
    """A pattern: `*` is any characters, `?` one character, nothing else is special; the whole text must match.

    `segment_at` holds the offsets of those `*` that stand for one ARN segment, hence for anything but a colon.
    """

    def __init__(self, pattern: str, segment_at: frozenset[int] = frozenset()) -> None:
        self.pattern = pattern
        self.segment_at = segment_at

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Glob) and (self.pattern, self.segment_at) == (other.pattern, other.segment_at)

    def __hash__(self) -> int:
        return hash((self.pattern, self.segment_at))

    @cached_property
    def expression(self) -> re.Pattern[str]:
        """For `fullmatch`; linear in the text, which may be a stranger's.

        What follows a `*` is sought once and not given up again (an atomic group, in the spelling that Python 3.10
        knows): if the rest matches after a later place, it matches after the first, too.
        """
        literals = ["".join("." if c == "?" else re.escape(c) for c in part) for part in self.pattern.split("*")]
        stars = [offset for offset, character in enumerate(self.pattern) if character == "*"]
        written = literals[0]
        for number, (star, literal) in enumerate(zip(stars, literals[1:], strict=True)):
            if star in self.segment_at:
                written += "[^:]*" + literal
            elif star == stars[-1]:
                written += ".*" + literal
            elif star < max(self.segment_at, default=0):
                written += ".*?" + literal  # not the first place, but one from which no colon is in the way
            else:
                written += f"(?=(?P<found{number}>.*?{literal}))(?P=found{number})"
        return re.compile(written, re.DOTALL)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        steps = []
        for offset, character in enumerate(self.pattern):
            if character == "*":
                steps.append(_loop(Alphabet.SEGMENT if offset in self.segment_at else Alphabet.ANY))
            elif character == "?":
                steps.append(Step(Alphabet.ANY.__contains__, loops=False))
            else:
                steps.append(_one(character))
        return tuple(steps)


def match(subject: Text, globs: Iterable[Glob]) -> Match:
    """Match a text against alternatives: ALWAYS when each text that it may be is matched by at least one of them."""
    globs = tuple(globs)
    if not is_possible(subject, globs):
        return Match.NEVER
    return Match.ALWAYS if is_certain(subject, globs) else Match.SOMETIMES


@lru_cache(maxsize=65536)
def is_possible(subject: Text, globs: tuple[Glob, ...]) -> bool:
    """Whether one of the texts that it may be is matched."""
    known = subject.known
    if known is not None:
        return any(glob.expression.fullmatch(known) for glob in globs)
    return any(not _apart(subject, glob.pattern) and _overlap(subject.steps, glob.steps) for glob in globs)


@lru_cache(maxsize=65536)
def is_certain(subject: Text, globs: tuple[Glob, ...]) -> bool:
    """Whether each of the texts that it may be is matched by one of the alternatives."""
    known = subject.known
    if known is not None:
        return any(glob.expression.fullmatch(known) for glob in globs)
    for probe in subject.probes:
        if not any(glob.expression.fullmatch(probe) for glob in globs):
            return False
    return _covers(subject.steps, tuple(glob.steps for glob in globs if not _apart(subject, glob.pattern)))


def _apart(subject: Text, pattern: str) -> bool:
    """Whether known beginnings or known ends differ, as for most entries of a list: then it can never match."""
    literals = re.split(r"[*?]", pattern)
    head, tail = subject.pieces[0], subject.pieces[-1]
    if isinstance(head, str) and not (head.startswith(literals[0]) or literals[0].startswith(head)):
        return True
    return isinstance(tail, str) and not (tail.endswith(literals[-1]) or literals[-1].endswith(tail))


def _overlap(subject: tuple[Step, ...], pattern: tuple[Step, ...]) -> bool:
    """Whether any text is taken by both: a walk through pairs of places, of which there are few."""
    seen = {(0, 0)}
    waiting = [(0, 0)]
    while waiting:
        here, there = waiting.pop()
        if here == len(subject) and there == len(pattern):
            return True
        following = []
        if here < len(subject) and subject[here].loops:
            following.append((here + 1, there))
        if there < len(pattern) and pattern[there].loops:
            following.append((here, there + 1))
        if here < len(subject) and there < len(pattern) and _share_character(subject[here], pattern[there]):
            following.append((here + (not subject[here].loops), there + (not pattern[there].loops)))
        for places in following:
            if places not in seen:
                seen.add(places)
                waiting.append(places)
    return False


def _share_character(one: Step, other: Step) -> bool:
    # Digits are in every alphabet.
    return other.takes(one.literal) if one.literal else one.takes(other.literal or "0")


# Of a pattern such as `*a??????????????` there can be absurdly many; what takes longer is not called certain.
MOST_STATES = 4_000

# A state of the product: how far the text is read, and every place where a reading of a pattern may stand by then.
_Places = frozenset[tuple[int, int]]


def _covers(subject: tuple[Step, ...], patterns: tuple[tuple[Step, ...], ...]) -> bool:
    """Whether every text that the subject takes is taken by one of the patterns; False when that takes too long."""
    characters = _representatives(subject, patterns)
    start = _closed(patterns, ((number, 0) for number in range(len(patterns))))
    seen: set[tuple[int, _Places]] = set()
    waiting = [(0, start)]
    while waiting:
        if len(seen) > MOST_STATES:
            return False
        state = waiting.pop()
        if state in seen:
            continue
        seen.add(state)
        offset, places = state
        if offset == len(subject):
            if not any(place == len(patterns[number]) for number, place in places):
                return False
            continue
        step = subject[offset]
        if step.loops:
            waiting.append((offset + 1, places))
        for character in characters:
            if step.takes(character):
                following = _advanced(patterns, places, character)
                waiting.append((offset if step.loops else offset + 1, following))
    return True


def _advanced(patterns: tuple[tuple[Step, ...], ...], places: _Places, character: str) -> _Places:
    after = []
    for number, place in places:
        if place < len(patterns[number]):
            step = patterns[number][place]
            if step.takes(character):
                after.append((number, place if step.loops else place + 1))
    return _closed(patterns, after)


def _closed(patterns: tuple[tuple[Step, ...], ...], places: Iterable[tuple[int, int]]) -> _Places:
    """Add the places that are reached by leaving loops."""
    closed: set[tuple[int, int]] = set()
    for number, place in places:
        closed.add((number, place))
        while place < len(patterns[number]) and patterns[number][place].loops:
            place += 1
            closed.add((number, place))
    return frozenset(closed)


def _representatives(subject: tuple[Step, ...], patterns: tuple[tuple[Step, ...], ...]) -> frozenset[str]:
    """One character for each way in which the automata can tell characters apart."""
    literals = {step.literal for steps in (subject, *patterns) for step in steps} - {""}
    other_digit = next((digit for digit in "0123456789" if digit not in literals), "0")
    return frozenset(literals | {other_digit, ":", "\0"})


def _one(character: str) -> Step:
    return Step(character.__eq__, loops=False, literal=character)


def _loop(alphabet: Alphabet) -> Step:
    return Step(alphabet.__contains__, loops=True)
