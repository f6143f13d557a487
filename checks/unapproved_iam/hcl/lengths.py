"""Name the length of what is not known, and compare it: the same length, whoever asks for it by whatever words.

For `length`, for comparisons of numbers, and for the elements of a list, each of which says how long the list is.
"""

from __future__ import annotations

from unapproved_iam.hcl.bounds import Bound, Count
from unapproved_iam.hcl.decimal_numbers import whole_number
from unapproved_iam.hcl.facts import Facts, Numeral, Subject, holds, number_as_text
from unapproved_iam.hcl.values import Mapping, Number, Plain, Sequence, Unknown, subject_of


def length_of(whole: Subject) -> Subject:
    """The length of something that is not known: the same, whoever asks for it by whatever words."""
    told = ((when, length) for when, plain in whole.told if (length := _certain_length(plain)) is not None)
    known = tuple((when, Numeral(length)) for when, length in told)
    return Subject(f"length({whole.written})", whole.owner, count=Count(), known=known)


def _certain_length(plain: Plain) -> int | None:
    if isinstance(plain, Mapping):
        return len(plain.by_key) if plain.is_exact else None
    return len(plain.items) if isinstance(plain, Sequence) and plain.is_certain else None


def compares(number: Subject, bound: Bound) -> Subject:
    sign = ">=" if bound.takes_limit else ">"
    written = f"{number.written} {sign} {number_as_text(bound.limit)}"
    return Subject(written, number.owner, bound=(number, bound))


def has_element(source: Unknown, key: Plain) -> Facts | None:
    """How long a list is where it has an element of this number."""
    index, whole = whole_number(key) if isinstance(key, Number) else None, subject_of(source)
    if index is None or whole is None or source.shape is None or not source.shape.is_list or source.shape.is_set:
        return None
    return holds(compares(length_of(whole), Bound(index)), True)
