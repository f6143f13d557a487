"""Compute the Terraform functions that join or split strings, parts of which may be unknown.

For `hcl.function_calls`. Each takes plain values and returns a Value. What they cannot decide is unknown, and keeps the
policies that the arguments hold. Source: "String Functions" in the Terraform documentation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from math import prod

from unapproved_iam.hcl.alternatives import applied, one_of, unknown_like
from unapproved_iam.hcl.collection_parts import bounded_sequence, sequence_of, spliced
from unapproved_iam.hcl.collection_values import entries_at, in_each_world
from unapproved_iam.hcl.data_functions import data_of, json_of, single_characters
from unapproved_iam.hcl.decimal_numbers import number_of, whole
from unapproved_iam.hcl.facts import ALWAYS, number_as_text, short
from unapproved_iam.hcl.inexact import Inexact, NotJudged
from unapproved_iam.hcl.regular_expressions import replaced
from unapproved_iam.hcl.strings import concatenated
from unapproved_iam.hcl.texts import policies_in
from unapproved_iam.hcl.values import (
    Boolean,
    Item,
    Kind,
    Mapping,
    Null,
    Number,
    Plain,
    Refused,
    Sequence,
    String,
    Unknown,
    Value,
    exactly,
    not_judged,
    string,
    text_of,
    under,
)
from unapproved_iam.hcl.ways import MAX_EXPANDED
from unapproved_iam.late_patterns import late_pattern
from unapproved_iam.policies.possible_text import Alphabet, Hole, Piece, Text, text


def text_argument(plain: Plain) -> Text:
    """A string argument. Raises Refused for what is none."""
    found = text_of(plain)
    if found is None:
        raise Refused("a string is required")
    return found


# -- format ------------------------------------------------------------------------------------------------------------

_VERB = late_pattern(r"%(?:%|([ +#0-]*)(\d+)?(?:\.(\d+))?(?:\[(\d{1,9})\])?([a-zA-Z]))|%")


def formatted(written: object, pattern: Plain, *arguments: Plain) -> Value:
    """format(PATTERN, ARGUMENTS…)"""
    known = text_argument(pattern).known
    if known is None:
        return unknown_like(written, pattern, *arguments)
    return concatenated(_format_parts(written, known, arguments), written)


def _format_parts(written: object, pattern: str, arguments: tuple[Plain, ...]) -> Iterator[Value]:
    position = 0
    number = 0
    highest = 0
    for verb in _VERB.finditer(pattern):
        yield string(pattern[position : verb.start()])
        position = verb.end()
        if verb[0] == "%%":
            yield string("%")
            continue
        if verb[0] == "%":
            raise Refused("the format has an incomplete verb")
        number = int(verb[4]) if verb[4] else number + 1
        highest = max(highest, number)
        if not 1 <= number <= len(arguments):
            raise Refused("the format asks for more arguments than there are")
        try:
            yield _format_argument(verb, arguments[number - 1])
        except Inexact:
            yield unknown_like(f"{verb[0]} of {written}", arguments[number - 1])
    yield string(pattern[position:])
    if highest < len(arguments):
        raise Refused("there are more arguments than the format asks for")


def _format_argument(verb: re.Match[str], argument: Plain) -> Value:
    flags, width, precision, _, mode = verb.groups()
    if width and len(width) > 3:
        raise Inexact  # nobody pads so much, and memory has an end
    if mode in ("s", "v") and not flags and not width and not precision:
        if mode == "v" and isinstance(argument, Null):
            return string("null")
        if mode == "v" and text_of(argument) is None:
            return string(json_of(data_of(argument)))
        return exactly(argument)  # it is converted where it is put together
    if mode == "d":
        found = number_of(argument)
        digits = None if found is None else number_as_text(whole(found))
        if digits is not None and not precision and not set(flags) - {"0"}:
            return string(digits.zfill(int(width or 0)) if "0" in flags else digits.rjust(int(width or 0)))
    if mode == "v":
        raise Inexact  # with flags it shows more than strings
    known = text_argument(argument).known
    if known is not None and not precision:
        if width:
            single_characters(known)
        if mode == "t":
            return string(known)
        if mode in ("s", "q"):
            shown = json_of(known) if mode == "q" else known
            padding = ("0" if "0" in flags else " ") * (int(width or 0) - len(shown))
            return string(shown + padding if "-" in flags else padding + shown)
    raise Inexact


def formatted_list(written: object, pattern: Plain, *arguments: Plain) -> Value:
    """formatlist(PATTERN, ARGUMENTS…): one string for each element of the lists among the arguments."""
    lists = [argument for argument in arguments if isinstance(argument, Sequence)]
    if not lists:
        if any(isinstance(argument, Unknown) for argument in arguments):
            strings = formatted(written, pattern, *arguments)
            return exactly(Sequence((), strings, Kind.LIST, ordered=False))
        return exactly(Sequence((Item(formatted(written, pattern, *arguments)),), kind=Kind.LIST))
    if len(lists) > 1 and not all(one.is_certain for one in lists):
        return unknown_like(written, pattern, *arguments)
    longest = lists[0]
    if any(len(one.items) != len(longest.items) for one in lists):
        raise Refused("the lists have different lengths")

    def turn(number: int) -> Value:
        plains = [
            (argument.items[number].value if isinstance(argument, Sequence) else exactly(argument))
            for argument in arguments
        ]
        return _applied_format(written, pattern, plains)

    items = tuple(Item(turn(number), item.when) for number, item in enumerate(longest.items))
    rest = None
    if longest.rest is not None:
        rest = _applied_format(
            written, pattern, [longest.rest if argument is longest else exactly(argument) for argument in arguments]
        )
    return exactly(bounded_sequence(Sequence(items, rest, Kind.LIST, longest.ordered), written))


def _applied_format(written: object, pattern: Plain, arguments: list[Value]) -> Value:
    return applied(lambda *plains: formatted(written, pattern, *plains), arguments, written)


# -- join and split ----------------------------------------------------------------------------------------------------


def joined_strings(written: object, separator: Plain, *lists: Plain) -> Value:
    """join(SEPARATOR, LISTS…)"""
    between = text_argument(separator)
    sequences = [sequence_of(plain) for plain in lists]
    if None in sequences:
        raise Refused("a list is required")
    whole = spliced(((exactly(plain), ALWAYS) for plain in lists), written)

    def together(certain: Sequence) -> Value:
        parts = [part for item in certain.items for part in (string(between), item.value)]
        return concatenated(parts[1:], written)

    return in_each_world(together, whole, written) or unknown_like(written, separator, *lists)


def split(written: object, separator: Plain, subject: Plain) -> Value:
    """split(SEPARATOR, STRING): what follows an unknown part may stand anywhere in the list."""
    between = text_argument(separator).known
    content = text_argument(subject)
    if not between or (isinstance(subject, Unknown) and subject.found):
        return unknown_like(written, separator, subject)
    certain: list[list[Piece]] = []
    uncertain: list[list[Piece]] = []
    current: list[list[Piece]] = [[]]  # what the element at hand may be: several once an unknown part may split it
    was_split = False

    def finish(elements: list[list[Piece]]) -> None:
        (uncertain if was_split else certain).extend(elements)

    for piece in content.pieces:
        if isinstance(piece, str):
            first, *others = piece.split(between)
            current = [[*element, first] for element in current]
            for other in others:
                finish(current)
                current = [[other]]
        else:
            is_whole = _excludes(piece.alphabet, between)
            part = piece if is_whole else _changed(piece)
            current = [[*element, part] for element in current]
            if not is_whole:
                was_split = True
                finish(current)
                current.append([part])
    finish(current)
    items = tuple(Item(string(text(*element))) for element in certain)
    rest = one_of([string(text(*element)) for element in uncertain], written) if uncertain else None
    return exactly(Sequence(items, rest, Kind.LIST))


def _excludes(alphabet: Alphabet, separator: str) -> bool:
    return any(character not in alphabet for character in separator)


# -- pieces of a string ------------------------------------------------------------------------------------------------


def _by_character(change: Callable[[str], str]) -> Callable[..., Value]:
    """Letter case, which a known part changes whatever the unknown parts are."""

    def changed(character: str) -> str:
        other = change(character)
        return other if len(other) == 1 else character

    def function(written: object, subject: Plain) -> Value:
        if isinstance(subject, Unknown):
            return unknown_like(written, subject)
        pieces = text_argument(subject).pieces
        return string(text(*("".join(map(changed, p)) if isinstance(p, str) else _changed(p) for p in pieces)))

    return function


def _changed(hole: Hole) -> Hole:
    """What was made of it: facts are about what it was."""
    return hole._replace(subject=None)


def _replace(written: object, subject: Plain, wanted: Plain, replacement: Plain) -> Value:
    """replace(STRING, SUBSTRING or /PATTERN/, REPLACEMENT)"""
    content, search, by = (text_argument(plain) for plain in (subject, wanted, replacement))
    if content.known is None or search.known is None:
        return unknown_like(written, subject, wanted, replacement)
    if by.known is not None:
        try:
            return string(replaced(content.known, search.known, by.known))
        except NotJudged as reason:
            return not_judged(written, str(reason), policies_in(*map(exactly, (subject, wanted, replacement))))
        except Inexact:
            return unknown_like(written, subject, wanted, replacement)
    if not search.known or (len(search.known) > 1 and search.known[0] == search.known[-1] == "/"):
        return unknown_like(written, subject, wanted, replacement)
    first, *others = content.known.split(search.known)
    return string(text(first, *(part for other in others for part in (by, other))))


def _edge_function(at_start: bool, trims: bool) -> Callable[..., Value]:
    """trimprefix, trimsuffix, startswith and endswith: decided by the known beginning or end."""

    def function(written: object, subject: Plain, edge: Plain) -> Value:
        content, wanted = text_argument(subject), text_argument(edge).known
        known = content.known
        piece = known if known is not None else content.pieces[0 if at_start else -1]
        if wanted is None or not isinstance(piece, str) or isinstance(subject, Unknown):
            return unknown_like(written, subject, edge)
        if piece.startswith(wanted) if at_start else piece.endswith(wanted):
            if not trims:
                return exactly(Boolean(True))
            length = len(wanted)
            shorter = piece[length:] if at_start else piece[: len(piece) - length]
            if known is not None:
                return string(shorter)
            return string(text(shorter, *content.pieces[1:]) if at_start else text(*content.pieces[:-1], shorter))
        compared = min(len(piece), len(wanted))
        differs = (
            piece[:compared] != wanted[:compared]
            if at_start
            else (piece[len(piece) - compared :] != wanted[len(wanted) - compared :])
        )
        if known is None and not differs:
            return unknown_like(written, subject, edge)
        return string(content) if trims else exactly(Boolean(False))

    return function


def _strcontains(written: object, subject: Plain, part: Plain) -> Value:
    content, wanted = text_argument(subject), text_argument(part).known
    if wanted is not None and not isinstance(subject, Unknown):
        if any(isinstance(piece, str) and wanted in piece for piece in content.pieces):
            return exactly(Boolean(True))
        if content.known is not None:
            return exactly(Boolean(wanted in content.known))
    return unknown_like(written, subject, part)


def _tostring(written: object, subject: Plain) -> Value:
    if isinstance(subject, Null | Unknown):
        return exactly(subject)
    return string(text_argument(subject))


def _arn_build(written: object, *parts: Plain) -> Value:
    """provider::aws::arn_build(PARTITION, SERVICE, REGION, ACCOUNT, RESOURCE)"""
    values = [string("arn"), *(value for part in parts for value in (string(":"), exactly(part)))]
    return concatenated(values, written)


# -- jsonencode --------------------------------------------------------------------------------------------------------


def json_with_holes(written: object, plain: Plain) -> Value:
    """jsonencode(VALUE) of what is not wholly known: a hole stands for a part of a string, or for a whole element."""
    parts = _json_parts(written, plain)
    if parts is not None:
        return parts
    if isinstance(plain, String):
        return string(text('"', *map(_within_json_string, plain.text.pieces), '"'))
    if isinstance(plain, Number | Boolean | Null):
        return string(json_of(data_of(plain)))
    hole = plain.hole if isinstance(plain, Unknown) else Hole(short(written), "its elements are not certain")
    policies = [under(string(text('"', found.text, '"')), found.when) for found in policies_in(exactly(plain))]
    return one_of([*policies, string(Text((hole,)))], written)


def _json_parts(written: object, plain: Plain) -> Value | None:
    """The JSON of a collection of which the tree tells in which worlds it has which elements; None of any other."""
    if isinstance(plain, Sequence):
        ways = plain.ways
        lists = ([_json_of_element(written, item.value) for item in certain.items] for certain, _ in ways or ())
        texts = [concatenated(_enclosed("[", items, "]"), written) for items in lists]
        return (
            None
            if ways is None
            else one_of([under(text, when) for text, (_, when) in zip(texts, ways, strict=True)], written)
        )
    if isinstance(plain, Mapping) and plain.has_known_keys:
        members = [_json_of_member(written, plain, key) for key in sorted(plain.by_key)]
        if plain.is_exact or prod(len(member.possible) for member in members) <= MAX_EXPANDED:
            whole = concatenated([string("{"), *members, string("}")], written)
            return applied(_without_first_comma, [whole], written)
    return None


def _json_of_member(written: object, mapping: Mapping, key: str) -> Value:
    """A comma, the key and its value; nothing in the worlds in which there is no such key."""
    absent = Null()
    found = one_of(entries_at(mapping, String(text(key)), exactly(absent)), written)
    start = string(text(',"', _within_json_string(key), '":'))
    members = (
        string("") if plain is absent else concatenated([start, _json_of_element(written, exactly(plain))], written)
        for plain, _ in found
    )
    return one_of([under(member, when) for member, (_, when) in zip(members, found, strict=True)], written)


def _without_first_comma(plain: Plain) -> Value:
    first, *others = plain.text.pieces if isinstance(plain, String) else [plain]
    return string(text("{" + first[1:].removeprefix(","), *others)) if isinstance(first, str) else exactly(plain)


def _json_of_element(written: object, value: Value) -> Value:
    return applied(lambda plain: json_with_holes(written, plain), [value], written)


def _enclosed(start: str, values: list[Value], end: str) -> Iterator[Value]:
    for number, value in enumerate(values):
        yield string("," if number else start)
        yield value
    yield string(end if values else start + end)


def _within_json_string(piece: Piece) -> Piece:
    if isinstance(piece, Hole):
        return piece
    try:
        return json_of(piece)[1:-1]
    except Inexact:
        return Hole(json.dumps(piece), "terraform may escape its characters differently")


STRING_FUNCTIONS: dict[str, tuple[Callable[..., Value], int, int | None]] = {
    # name: (function, fewest arguments, most arguments)
    "endswith": (_edge_function(at_start=False, trims=False), 2, 2),
    "format": (formatted, 1, None),
    "formatlist": (formatted_list, 1, None),
    "join": (joined_strings, 2, None),
    "lower": (_by_character(lambda character: "i" if character == "\u0130" else character.lower()), 1, 1),
    "provider::aws::arn_build": (_arn_build, 5, 5),
    "replace": (_replace, 3, 3),
    "split": (split, 2, 2),
    "startswith": (_edge_function(at_start=True, trims=False), 2, 2),
    "strcontains": (_strcontains, 2, 2),
    "tostring": (_tostring, 1, 1),
    "trimprefix": (_edge_function(at_start=True, trims=True), 2, 2),
    "trimsuffix": (_edge_function(at_start=False, trims=True), 2, 2),
    "upper": (_by_character(str.upper), 1, 1),
}
