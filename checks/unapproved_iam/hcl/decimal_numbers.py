"""Read numbers as Terraform reads them: of the source, of a text that is used as a number, as a count or an index.

For everything that reads, converts or counts. Terraform takes the text "2.0", "+2" or "2e0" for the number 2 wherever
it needs a number. Source: "Type Conversion" in the Terraform documentation, and what terraform does.
"""

from __future__ import annotations

import re
from fractions import Fraction

from unapproved_iam.hcl.values import Null, Number, Plain, Refused, String, Unknown, Value, exactly, unknown
from unapproved_iam.late_patterns import late_pattern

MAX_DIGITS = 150  # of a number

_DECIMAL = late_pattern(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
# Terraform takes these, too: an exponent of two, and infinity.
_NOT_DECIMAL = late_pattern(r"[+-]?(?:(?:\d+\.?\d*|\.\d+)[pP][+-]?\d+|[iI]nf)", re.ASCII)


def decimal(digits: str) -> Fraction | None:
    """The number of these decimal digits; None when it has too many of them, be it by an exponent.

    Without a bound, computing `1e999999999` takes all time and memory.
    """
    exponent = digits.lower().partition("e")[2]
    if len(digits) > MAX_DIGITS or (exponent and abs(int(exponent)) > MAX_DIGITS):
        return None
    return Fraction(digits)


def number_in(written: str) -> Fraction | None:
    """The number that a text holds; None when it is not redone here. Raises Refused when it holds none."""
    if not _DECIMAL.fullmatch(written):
        if _NOT_DECIMAL.fullmatch(written):
            return None
        raise Refused("this is not a number")
    number = decimal(written)
    return None if number == 0 and written.startswith("-") else number  # which Terraform writes as "-0"


def number_of(plain: Plain) -> Fraction | None:
    """The plain value as a number; None when it is not known. Raises Refused for what is none."""
    if isinstance(plain, Number):
        return Fraction(plain.value)
    if isinstance(plain, Unknown) or (isinstance(plain, String) and plain.text.holes):
        return None
    known = plain.text.known if isinstance(plain, String) else None
    if known is None:
        raise Refused("null is not a number" if isinstance(plain, Null) else "this is not a number")
    return number_in(known)


def whole_number(plain: Plain) -> int | None:
    """The plain value as a count or an index; None when it is not known. Raises Refused for what is none."""
    number = number_of(plain)
    return None if number is None else whole(number)


def whole(number: Fraction) -> int:
    """The number as an integer. Raises Refused when it has a fraction."""
    if number.denominator != 1:
        raise Refused("a whole number is required")
    return int(number)


def computed_number(number: Fraction, written: object) -> Value:
    """A number that is exact in binary and of a sane size; Terraform rounds others to 512 bits, which is not redone."""
    denominator = number.denominator
    if denominator & (denominator - 1) or abs(number.numerator) >= 2**500 or denominator >= 2**500:
        return unknown(written, "the number is not computed exactly")
    return exactly(Number(number))
