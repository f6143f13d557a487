"""Apply operators to values of which some are open or not known, and decide what is true.

For `hcl.evaluation`. Source: "Arithmetic and Logical Operators" in the Terraform documentation.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction

from unapproved_iam.hcl.alternatives import applied, applied_to_alternatives, unknown_like
from unapproved_iam.hcl.collection_values import entries_in_order, is_certain, is_exact, same_text
from unapproved_iam.hcl.expression import decimal
from unapproved_iam.hcl.values import (
    Boolean,
    Mapping,
    Null,
    Number,
    Plain,
    Possible,
    Record,
    Refused,
    Sequence,
    String,
    Unknown,
    Value,
    exactly,
    joined,
    text_of,
    under,
    unknown,
)


def operated(operator: str, operands: list[Value], written: object) -> Value:
    """The operator applied to one operand or two."""
    if operator in ("&&", "||"):
        return applied_to_alternatives(lambda a, b: _logical(operator, a, b, written), operands, written)
    return applied(lambda *plains: _result(operator, plains, written), operands, written)


def _logical(operator: str, one: Possible, other: Possible, written: object) -> Value:
    """A side that is decided may decide the whole, whatever the other side is."""
    decisive = operator == "||"
    sides = [(boolean_of(possible.plain), possible.openness) for possible in (one, other)]
    when = joined(one.when, other.when) or ()
    decided_by = [openness for truth, openness in sides if truth is decisive]
    if decided_by and not min(decided_by):
        return under(exactly(Boolean(decisive)), when)
    if None in [truth for truth, _ in sides]:
        return under(unknown_like(written, one.plain, other.plain), when)
    return under(exactly(Boolean(bool(decided_by) is decisive)), when, max(openness for _, openness in sides))


def boolean_of(plain: Plain) -> bool | None:
    """Whether a condition holds; None when that is not known. Raises Refused for what is no bool."""
    if isinstance(plain, Boolean):
        return plain.value
    if isinstance(plain, Unknown):
        return None
    if isinstance(plain, String):
        if plain.text.known in ("true", "1"):
            return True
        if plain.text.known in ("false", "0"):
            return False
        if plain.text.holes:
            return None
    raise Refused("this is no bool")


def _result(operator: str, plains: tuple[Plain, ...], written: object) -> Value:
    if operator == "!":
        truth = boolean_of(plains[0])
        return unknown_like(written, *plains) if truth is None else exactly(Boolean(not truth))
    if operator in ("==", "!="):
        equal = are_equal(*plains)
        return unknown_like(written, *plains) if equal is None else exactly(Boolean(equal is (operator == "==")))
    numbers = [number_of(plain) for plain in plains]
    known = [number for number in numbers if number is not None]
    if len(known) < len(numbers):
        return unknown_like(written, *plains)
    if operator in _COMPARISONS:
        return exactly(Boolean(_COMPARISONS[operator](*known)))
    if operator in ("/", "%") and not known[-1]:
        raise Refused("division by zero")
    result = -known[0] if len(known) == 1 else _ARITHMETIC[operator](*known)
    if not result and (len(known) == 1 or (operator in ("*", "/", "%") and min(known) < 0)):
        return unknown(written, "it is zero or minus zero")  # which Terraform writes differently
    return number_value(result, written)


_COMPARISONS: dict[str, Callable[[Fraction, Fraction], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
_ARITHMETIC: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "%": lambda a, b: a - b * int(a / b),
}


def number_of(plain: Plain) -> Fraction | None:
    """The plain value as a number; None when it is not known. Raises Refused for what is none."""
    if isinstance(plain, Number):
        return Fraction(plain.value)
    if isinstance(plain, Unknown) or (isinstance(plain, String) and plain.text.holes):
        return None
    known = plain.text.known if isinstance(plain, String) else None
    if known is None or not _NUMBER.fullmatch(known):
        raise Refused("this is no number")
    return decimal(known)


_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)


def number_value(number: Fraction, written: object) -> Value:
    """A number that is exact in binary and of a sane size; Terraform rounds others to 512 bits, which is not redone."""
    denominator = number.denominator
    if denominator & (denominator - 1) or abs(number.numerator) >= 2**500 or denominator >= 2**500:
        return unknown(written, "the number is not computed exactly")
    return exactly(Number(number))


def are_equal(one: Plain, other: Plain) -> bool | None:
    """Whether `==` holds; None when that is not known.

    Values of different types are never equal for Terraform, but what is written as one type may have been converted by
    then (a variable's type, a conditional with two types): where only the type differs, the answer is not known.
    """
    if isinstance(one, Unknown | Record) or isinstance(other, Unknown | Record):
        return None
    if isinstance(one, Null) and isinstance(other, Null):
        return True
    if isinstance(one, Sequence) and isinstance(other, Sequence):
        return _unless_different(_items_differ(one, other))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return _unless_different(_entries_differ(one, other))
    written = text_of(one), text_of(other)
    if written[0] is None or written[1] is None:
        return False
    same = same_text(written[0], written[1])
    return same if type(one) is type(other) else _unless_different(same is False)


def _unless_different(different: bool) -> bool | None:
    return False if different else None


def _items_differ(one: Sequence, other: Sequence) -> bool:
    if not (is_certain(one) and is_certain(other)):
        return False
    if len(one.items) != len(other.items):
        return True
    return any(_differ(a.value, b.value) for a, b in zip(one.items, other.items, strict=True))


def _entries_differ(one: Mapping, other: Mapping) -> bool:
    if not (is_exact(one) and is_exact(other)):
        return False
    if {entry.key for entry in one.entries} != {entry.key for entry in other.entries}:
        return True
    return any(_differ(a.value, b.value) for a, b in zip(entries_in_order(one), entries_in_order(other), strict=True))


def _differ(one: Value, other: Value) -> bool:
    return all(are_equal(a.plain, b.plain) is False for a in one for b in other)
