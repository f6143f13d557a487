"""Compute the Terraform functions that need fully known data, in plain Python: strings, Fractions, lists and dicts.

For `hcl.function_calls`, which asks here only when no argument has an unknown part. A function raises Refused where
Terraform does, and Inexact where we do not compute exactly what Terraform does. Source: "Functions" in the Terraform
documentation.
"""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from unapproved_iam.hcl.decimal_numbers import MAX_DIGITS, number_in, whole
from unapproved_iam.hcl.facts import number_as_text
from unapproved_iam.hcl.inexact import Inexact, NotJudged
from unapproved_iam.hcl.regular_expressions import all_found_by, found_by
from unapproved_iam.hcl.values import (
    NULL,
    Boolean,
    Entry,
    Item,
    Mapping,
    Null,
    Number,
    Plain,
    Refused,
    Sequence,
    String,
    Value,
    beyond_limit,
    exactly,
    string,
)
from unapproved_iam.policies.possible_text import text


def data_of(plain: Plain) -> Any:
    """A value that is wholly known as str, Fraction, bool, None, list or dict; raises Inexact for others."""
    if isinstance(plain, String) and plain.text.known is not None:
        return plain.text.known
    if isinstance(plain, Number):
        return Fraction(plain.value)
    if isinstance(plain, Boolean):
        return plain.value
    if isinstance(plain, Null):
        return None
    if isinstance(plain, Sequence) and plain.is_certain:
        return [_only(item.value) for item in plain.items]
    if isinstance(plain, Mapping) and plain.is_exact:
        return {entry.key.known: _only(entry.value) for entry in plain.entries}
    raise Inexact


def _only(value: Value) -> Any:
    if value.decided is None:
        raise Inexact
    return data_of(value.decided)


def value_of_json(data: Any) -> Value:
    """The value of decoded JSON or YAML, in which parts may be values already. Raises TypeError when it is no such
    data."""
    if isinstance(data, Value):
        return data
    if data is None:
        return NULL
    if isinstance(data, bool):
        return exactly(Boolean(data))
    if isinstance(data, int | float | Fraction):
        return exactly(Number(Fraction(str(data)) if isinstance(data, float) else data))
    if isinstance(data, list | tuple):
        return exactly(Sequence(tuple(Item(value_of_json(element)) for element in data)))
    if isinstance(data, dict):
        entries = {_key(key): value_of_json(element) for key, element in data.items()}
        return exactly(Mapping(tuple(Entry(text(key), element) for key, element in entries.items())))
    if not isinstance(data, str):
        raise TypeError(f"{type(data).__name__} is not JSON")
    return string(data)


def _key(key: object) -> str:
    if isinstance(key, bool):
        return str(key).lower()
    if isinstance(key, int | Fraction):
        return number_as_text(key)
    if key is None:
        raise Refused("a key must not be null")
    if not isinstance(key, str):
        raise TypeError(f"{type(key).__name__} is not a key")
    return key


def single_characters(*strings: str) -> None:
    """Terraform counts characters as people see them (grapheme clusters): here only where each is one code point."""
    if any(character == "\r" or character >= "\u0300" for string in strings for character in string):
        raise Inexact


# -- strings -----------------------------------------------------------------------------------------------------------


def _title(string: str) -> str:
    letters = [
        letter.title() if number == 0 or _separates(string[number - 1]) else letter
        for number, letter in enumerate(string)
    ]
    return "".join(new if len(new) == 1 else old for new, old in zip(letters, string, strict=True))


def _separates(character: str) -> bool:
    if character.isascii():
        return not (character.isalnum() or character == "_")
    return character.isspace() and not character.isalnum()


def _substr(string: str, offset: Fraction, length: Fraction) -> str:
    single_characters(string)
    start, count = whole(offset), whole(length)
    start = max(len(string) + start, 0) if start < 0 else start
    return string[start:] if count < 0 else string[start : start + count]


def _strrev(string: str) -> str:
    single_characters(string)
    return string[::-1]


def _indent(spaces: Fraction, string: str) -> str:
    return string.replace("\n", "\n" + " " * min(whole(spaces), 1000))


# -- numbers -----------------------------------------------------------------------------------------------------------


def _pow(base: Fraction, exponent: Fraction) -> Fraction:
    if exponent.denominator != 1 or not 0 <= exponent <= 100 or base.denominator != 1 or abs(base) > 10_000:
        raise Inexact
    result = base**exponent
    if abs(result) > 2**53:
        raise Inexact
    return Fraction(result)


def _parseint(string: Any, base: Fraction) -> Fraction:
    try:
        return Fraction(int(str(string).replace("_", "x"), whole(base)))
    except ValueError:
        raise Refused("this is not a number in that base") from None


def _range(*limits: Fraction) -> list[Fraction]:
    start, end = (Fraction(0), limits[0]) if len(limits) == 1 else limits[:2]
    step = limits[2] if len(limits) == 3 else Fraction(1 if start <= end else -1)
    if not step or (end - start) * step < 0:
        raise Refused("the step leads away from the end")
    count = math.ceil((end - start) / step)
    if count > 1024:
        raise Refused("more than 1024 values")
    return [start + number * step for number in range(count)]


# -- encodings ---------------------------------------------------------------------------------------------------------


def json_of(data: Any) -> str:
    """As Terraform writes it: keys in order, no blanks, and the characters that HTML minds escaped."""
    return _escaped_for_html(_json(data))


def _json(data: Any) -> str:
    if isinstance(data, Fraction):
        return number_as_text(data)
    if isinstance(data, dict):
        return "{" + ",".join(f"{_json(key)}:{_json(data[key])}" for key in sorted(data)) + "}"
    if isinstance(data, list):
        return "[" + ",".join(map(_json, data)) + "]"
    written = json.dumps(data, ensure_ascii=False)
    if "\x7f" in written or "\\b" in written or "\\f" in written:
        raise Inexact
    return written


def _escaped_for_html(written: str) -> str:
    for character in "<>&\u2028\u2029":
        written = written.replace(character, f"\\u{ord(character):04x}")
    return written


def _jsondecode(string: str) -> Any:
    try:
        return json.loads(string, parse_float=_number, parse_int=_number, parse_constant=_no_number)
    except ValueError:
        raise Refused("this is not JSON") from None


def _number(written: str) -> Fraction | Value:
    number = number_in(written)
    return beyond_limit(written, f"{MAX_DIGITS} digits") if number is None else number


def _no_number(name: str) -> Fraction:
    raise Refused(f"{name} is not JSON")


def _yamldecode(string: str) -> Any:
    from unapproved_iam.hcl.yaml_decoding import UnusualYaml, yaml_of  # PyYAML is not needed by most

    try:
        return yaml_of(string)
    except UnusualYaml as reason:
        raise NotJudged(f"cannot be read here: {reason}") from None


# What few expressions call imports its library when it is called: some take longer than a whole small unit.


def _csvdecode(string: str) -> list[dict[str, str]]:
    import csv

    csv.field_size_limit(len(string) + 1)
    try:
        rows = [row for row in csv.reader(io.StringIO(string, newline=""), strict=True) if row]
    except csv.Error as reason:  # Go minds other things
        raise NotJudged(f"cannot be read here: {reason}") from None
    if not rows or len(set(rows[0])) < len(rows[0]) or any(len(row) != len(rows[0]) for row in rows):
        raise Refused("this is not CSV")
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def _base64encode(string: str) -> str:
    from base64 import b64encode

    return b64encode(string.encode()).decode()


def _base64decode(string: str) -> str:
    from base64 import b64decode

    try:
        return b64decode(re.sub(r"[\r\n]", "", string), validate=True).decode()
    except ValueError:
        raise Refused("this is not the base64 of a text") from None


def _hexadecimal(name: str) -> Callable[[str], str]:
    def digest(string: str) -> str:
        from hashlib import new

        return new(name, string.encode(), usedforsecurity=False).hexdigest()

    return digest


def _urlencode(string: str) -> str:
    from urllib.parse import quote_plus

    return quote_plus(string, safe="")


# -- collections -------------------------------------------------------------------------------------------------------


def _chunklist(elements: list[Any], size: Fraction) -> list[list[Any]]:
    step = whole(size)
    if step < 0:
        raise Refused("the size must not be negative")
    return [elements[start : start + step] for start in range(0, len(elements), step)] if step else [elements]


def _matchkeys(values: list[Any], keys: list[Any], wanted: list[Any]) -> list[Any]:
    if len(values) != len(keys):
        raise Refused("as many keys as values are required")
    return [value for value, key in zip(values, keys, strict=True) if key in wanted]


def _transpose(mapping: dict[str, list[str]]) -> dict[str, list[str]]:
    transposed: dict[str, list[str]] = {}
    for key in sorted(mapping):
        for value in mapping[key]:
            transposed.setdefault(str(value), []).append(key)
    return {key: sorted(values) for key, values in transposed.items()}


def _sum(numbers: list[Any]) -> Fraction:
    if any(isinstance(number, str) for number in numbers):
        raise Inexact  # terraform converts them
    if not numbers or not all(isinstance(number, Fraction) for number in numbers):
        raise Refused("numbers are required")
    return sum(numbers, Fraction(0))


# Parameters: s a string, n a number, l a list, m a mapping, a anything; a last `*` repeats the one before.
DATA_FUNCTIONS: dict[str, tuple[str, Callable[..., Any]]] = {
    "abs": ("n", abs),
    "base64decode": ("s", _base64decode),
    "base64encode": ("s", _base64encode),
    "ceil": ("n", lambda number: Fraction(math.ceil(number))),
    "chomp": ("s", lambda string: string.rstrip("\r\n")),
    "chunklist": ("ln", _chunklist),
    "csvdecode": ("s", _csvdecode),
    "floor": ("n", lambda number: Fraction(math.floor(number))),
    "indent": ("ns", _indent),
    "jsondecode": ("s", _jsondecode),
    "jsonencode": ("a", json_of),
    "matchkeys": ("lll", _matchkeys),
    "max": ("n*", lambda *numbers: max(numbers)),
    "md5": ("s", _hexadecimal("md5")),
    "min": ("n*", lambda *numbers: min(numbers)),
    "parseint": ("an", _parseint),
    "pow": ("nn", _pow),
    "range": ("n*", _range),
    "regex": ("ss", found_by),
    "regexall": ("ss", all_found_by),
    "sha1": ("s", _hexadecimal("sha1")),
    "sha256": ("s", _hexadecimal("sha256")),
    "sha512": ("s", _hexadecimal("sha512")),
    "signum": ("n", lambda number: Fraction((whole(number) > 0) - (number < 0))),
    "strrev": ("s", _strrev),
    "substr": ("snn", _substr),
    "sum": ("l", _sum),
    "title": ("s", _title),
    "transpose": ("m", _transpose),
    "trim": ("ss", lambda string, characters: string.strip(characters) if characters else string),
    "trimspace": ("s", str.strip),
    "urlencode": ("s", _urlencode),
    "yamldecode": ("s", _yamldecode),
}
