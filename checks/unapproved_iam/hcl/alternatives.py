"""Combine the alternatives of values: unite them, and apply functions to every combination of them.

For `hcl.evaluation` and the functions. Alternatives are bounded: beyond, a value is something unknown that remembers
the policies in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import product

from unapproved_iam.hcl.texts import policies_in
from unapproved_iam.hcl.values import (
    MAX_COMBINATIONS,
    MAX_POSSIBLE,
    Openness,
    Plain,
    Possible,
    String,
    Unknown,
    Value,
    exactly,
    is_refused,
    joined,
    short,
    under,
    unknown,
)


def one_of(values: Iterable[Value], written: object) -> Value:
    """A value that is one of these; `written` is the expression that yields it (`str()` of it is for messages)."""
    alternatives = tuple(possible for value in values for possible in value)
    if len(alternatives) == 1:
        return Value(alternatives)
    alternatives = tuple(dict.fromkeys(alternatives))
    return bounded(_without_needless_conditions(alternatives), written)


def _without_needless_conditions(alternatives: tuple[Possible, ...]) -> tuple[Possible, ...]:
    """What holds whether a condition is true or false holds without it."""
    if len(alternatives) != 2:
        return alternatives
    one, other = alternatives
    if len(one.when) != 1 or len(other.when) != 1 or not one.when[0].excludes(other.when[0]):
        return alternatives
    return (replace(one, when=()),) if replace(one, when=()) == replace(other, when=()) else alternatives


def bounded(alternatives: tuple[Possible, ...], written: object) -> Value:
    """At most MAX_POSSIBLE alternatives: too many are first taken without their conditions, then for a hole."""
    if len(alternatives) > MAX_POSSIBLE:
        alternatives = tuple(dict.fromkeys(replace(possible, when=()) for possible in alternatives))
    if len(alternatives) <= MAX_POSSIBLE:
        return Value(alternatives)
    reason = f"{short(written)} has more than {MAX_POSSIBLE} possible values"
    return unknown(written, reason, found=policies_in(Value(alternatives)))


def applied(function: Callable[..., Value], arguments: Iterable[Value], written: object) -> Value:
    """The function of the arguments, for every combination of their alternatives.

    It takes plain values. What it yields holds under the conditions of its arguments, and is open when one of them is.
    """

    def of_plain(*combination: Possible) -> Value:
        result = function(*(possible.plain for possible in combination))
        when = joined(*(possible.when for possible in combination)) or ()
        openness = max((possible.openness for possible in combination), default=Openness.DECIDED)
        origin = ", ".join(dict.fromkeys(possible.origin for possible in combination if possible.origin))
        return under(result, when, openness, origin)

    return applied_to_alternatives(of_plain, arguments, written)


def applied_to_alternatives(function: Callable[..., Value], arguments: Iterable[Value], written: object) -> Value:
    """The function of every combination of alternatives, save refused ones; it minds their conditions itself."""
    arguments = tuple(arguments)
    combinations = 1
    for argument in arguments:
        combinations *= len(argument.possible)
    if combinations == 1:
        return _strictly(function, tuple(argument.possible[0] for argument in arguments))
    if combinations > MAX_COMBINATIONS:
        reason = f"{short(written)} has more than {MAX_POSSIBLE} possible values"
        return unknown(written, reason, found=policies_in(*arguments))
    results = [
        _strictly(function, combination)
        for combination in product(*arguments)
        if joined(*(possible.when for possible in combination)) is not None
    ]
    return one_of(results, written) if results else unknown(written, "no combination of its conditions is possible")


def _strictly(function: Callable[..., Value], combination: tuple[Possible, ...]) -> Value:
    """What Terraform refuses to compute it refuses to go on with."""
    for possible in combination:
        if is_refused(possible):
            return Value((replace(possible, when=joined(*(one.when for one in combination)) or ()),))
    return function(*combination)


def unknown_like(written: object, *sources: Plain) -> Value:
    """The unknown result of something that depends on these: for the first one's reason, with the policies in all."""
    found = policies_in(*map(exactly, sources))
    for source in sources:
        hole = source.hole if isinstance(source, Unknown) else None
        if isinstance(source, String) and source.text.holes:
            hole = source.text.holes[0]
        if hole:
            return unknown(written, hole.reason, hole.remedy, found)
    return unknown(written, f"{written} depends on values that are not known", found=found)
