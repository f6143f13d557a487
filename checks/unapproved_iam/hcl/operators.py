"""Apply operators (`==`, `&&`, `+`, …) to values that are open or unknown, and decide when a condition is true.

For `hcl.evaluation`. Source: "Arithmetic and Logical Operators" in the Terraform documentation.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import ceil

from unapproved_iam.hcl.alternatives import applied, bounded_ways, one_of, unknown_like
from unapproved_iam.hcl.bounds import Bound
from unapproved_iam.hcl.collection_values import same_text
from unapproved_iam.hcl.decimal_numbers import computed_number, number_of
from unapproved_iam.hcl.facts import (
    PERHAPS,
    Constant,
    Facts,
    Numeral,
    Subject,
    holds,
    is_none_of,
    is_one_of,
    joined,
    short,
    world_of,
)
from unapproved_iam.hcl.lengths import compares
from unapproved_iam.hcl.values import (
    Boolean,
    Mapping,
    Null,
    Plain,
    Possible,
    Record,
    Refused,
    Sequence,
    String,
    Unknown,
    Value,
    constant_of,
    exactly,
    refused,
    settled,
    subject_of,
    text_of,
    under,
    unknown,
)


def operated(operator: str, operands: list[Value], written: object) -> Value:
    """The operator applied to one operand or two."""
    if operator in ("&&", "||"):
        return _logical(operands, written, decisive=operator == "||")
    if operator == "!":
        truths, refusals = truths_of(operands[0], written)
        return one_of([*(under(exactly(Boolean(not truth)), when) for truth, when in truths), *refusals], written)
    if operator in ("==", "!="):
        return _compared(operands, written, equal=operator == "==")
    if operator in _COMPARISONS:
        return _bounded(operator, operands, written)
    return applied(lambda *plains: _result(operator, plains, written), operands, written)


Truth = tuple[bool, Facts]


def truths_of(condition: Value, written: object) -> tuple[list[Truth], list[Value]]:
    """The facts under which a condition holds and does not hold, and the alternatives that Terraform refuses.

    One that is not known holds or not: that is a fact itself.
    """
    if len(condition.possible) == 1 and isinstance(condition.possible[0].plain, Boolean):
        return [(condition.possible[0].plain.value, condition.possible[0].when)], []
    truths: list[Truth] = []
    asked: set[Subject] = set()
    decided: list[Truth] = []
    refusals = []
    for possible in condition:
        plain = settled(possible.plain, possible.when)
        try:
            truth = None if isinstance(plain, Unknown) and plain.fails else boolean_of(plain)
        except Refused as reason:
            refusals.append(under(refused(written, str(reason)), possible.when))
            continue
        if isinstance(plain, Unknown) and plain.fails:
            refusals.append(Value((possible,)))
        elif truth is not None:
            decided.append((truth, possible.when))
        else:
            subject = subject_of(plain) or Subject(short(written))
            asked.add(subject)
            for truth in (True, False):
                when = joined(possible.when, holds(subject, truth))
                if when is not None:
                    truths.append((truth, when))
    for subject in asked:
        told = [(truth, when, when.value_of(subject)) for truth, when in decided]
        decided = [
            (truth, (joined(when, holds(subject, truth)) or when) if known == (truth,) else when)
            for truth, when, known in told
        ]
    return _united([*decided, *truths], written), refusals


def _united(truths: list[Truth], written: object) -> list[Truth]:
    sides = ((truth, [when for one, when in truths if one is truth]) for truth in (True, False))
    return [(truth, when) for truth, several in sides if several for when in bounded_ways(several)]


def _logical(operands: list[Value], written: object, decisive: bool) -> Value:
    """A side may decide the whole; before version 1.12 terraform refuses the whole where it refuses the other side."""
    results: list[Truth] = []
    (left, refusals), (right, others) = (truths_of(operand, written) for operand in operands)
    for truth, when in left:
        if truth is decisive:
            results.append((truth, when))
            perhaps = joined(when, PERHAPS) if others else None
            refusals += [under(other, perhaps) for other in others] if perhaps is not None else []
            continue
        for other, condition in right:
            both = joined(when, condition)
            if both is not None:
                results.append((other, both))
        refusals += [under(other, when) for other in others]
    united = _united(results, written)
    return one_of([*(under(exactly(Boolean(truth)), when) for truth, when in united), *refusals], written)


def _compared(operands: list[Value], written: object, equal: bool) -> Value:
    """`==` or `!=`: what is unknown is equal to a constant where it is that constant."""
    asked: dict[Subject, set[Constant]] = {}

    def of_plains(one: Plain, other: Plain) -> Value:
        same = are_equal(one, other)
        if same is not None:
            return exactly(Boolean(same is equal))
        for unknown_one, known in ((one, other), (other, one)):
            subject, constant = subject_of(unknown_one), constant_of(known)
            if subject is not None and constant is not None:
                is_it, is_not = is_one_of(subject, *constant), is_none_of(subject, *constant)
                if subject.count is not None and world_of(is_it) is None:
                    return exactly(Boolean(not equal))
                asked.setdefault(subject, set()).add(constant[0])
                return one_of(
                    [under(exactly(Boolean(equal)), is_it), under(exactly(Boolean(not equal)), is_not)], written
                )
        return unknown_like(written, one, other)

    result = applied(of_plains, operands, written)
    if len(asked) != 1:
        return result
    ((subject, constants),) = asked.items()
    if len(constants) > 1:
        return result
    (constant,) = constants
    facts = {equal: is_one_of(subject, constant), (not equal): is_none_of(subject, constant)}
    return _told(result, subject, lambda value: (value == constant) is equal, facts)


def _told(
    result: Value, subject: Subject, compared: Callable[[Constant], bool | None], facts: dict[bool, Facts]
) -> Value:
    """Where the subject is known, what the comparison says of it, as it does elsewhere: that is shorter to tell."""

    def told(possible: Possible) -> Possible:
        plain, when = possible
        known = when.value_of(subject) if isinstance(plain, Boolean) else None
        if known is None or not isinstance(plain, Boolean) or compared(known[0]) is not plain.value:
            return possible
        return Possible(plain, joined(when, facts[plain.value]) or when)

    return one_of([Value(tuple(map(told, result)))], "")


def _bounded(operator: str, operands: list[Value], written: object) -> Value:
    """`<` and its like: what is unknown is on one side of a constant or on the other."""
    asked: dict[Subject, Subject] = {}

    def of_plains(one: Plain, other: Plain) -> Value:
        left, right = number_of(one), number_of(other)
        if left is not None and right is not None:
            return exactly(Boolean(_COMPARISONS[operator](left, right)))
        number, limit = (one, right) if right is not None else (other, left)
        subject = subject_of(number)
        if subject is None or limit is None:
            return unknown_like(written, one, other)
        bound, truth = _bound(operator if right is not None else _MIRRORED[operator], limit)
        if subject.count is not None and bound.takes_limit:
            bound = Bound(ceil(limit) - 1)
        compared = compares(subject, bound)
        for holding in (True, False):
            if subject.count is not None and world_of(holds(compared, holding)) is None:
                return exactly(Boolean(holding is not truth))
        asked[compared] = subject
        return one_of(
            [under(exactly(Boolean(holding is truth)), holds(compared, holding)) for holding in (True, False)], written
        )

    result = applied(of_plains, operands, written)
    if len(asked) != 1:
        return result
    ((compared, subject),) = asked.items()
    assert compared.bound
    _, bound = compared.bound
    _, truth = _bound(operator, 0)
    facts = {holding is truth: holds(compared, holding) for holding in (True, False)}
    return _told(result, subject, lambda value: _is_admitted(value, bound) is truth, facts)


def _is_admitted(value: Constant, bound: Bound) -> bool | None:
    return bound.admits(value.value) if isinstance(value, Numeral) else None


def _bound(operator: str, limit: Fraction | int) -> tuple[Bound, bool]:
    """The bound that a comparison asks about, and whether it says that it holds."""
    return Bound(limit, takes_limit=operator in (">=", "<")), operator in (">", ">=")


_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


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
    raise Refused("this is not a bool")


def _result(operator: str, plains: tuple[Plain, ...], written: object) -> Value:
    numbers = [number_of(plain) for plain in plains]
    known = [number for number in numbers if number is not None]
    if len(known) < len(numbers):
        return unknown_like(written, *plains)
    if operator in ("/", "%") and not known[-1]:
        raise Refused("division by zero")
    result = -known[0] if len(known) == 1 else _ARITHMETIC[operator](*known)
    if not result and (len(known) == 1 or (operator in ("*", "/", "%") and min(known) < 0)):
        return unknown(written, "it is zero or minus zero")  # which Terraform writes differently
    return computed_number(result, written)


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
    if not (one.is_certain and other.is_certain):
        return False
    if len(one.items) != len(other.items):
        return True
    return any(_differ(a.value, b.value) for a, b in zip(one.items, other.items, strict=True))


def _entries_differ(one: Mapping, other: Mapping) -> bool:
    if not (one.is_exact and other.is_exact):
        return False
    if {entry.key for entry in one.entries} != {entry.key for entry in other.entries}:
        return True
    return any(_differ(a.value, b.value) for a, b in zip(one.in_order, other.in_order, strict=True))


def _differ(one: Value, other: Value) -> bool:
    return all(are_equal(a.plain, b.plain) is False for a in one for b in other)
