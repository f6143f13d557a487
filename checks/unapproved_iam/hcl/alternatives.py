"""Combine values that have several alternatives: unite them, or apply a function to each combination that can occur.

For `hcl.evaluation` and the functions. The number of alternatives has a limit. A value beyond it is not checked, and
remembers the policies in it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from math import prod

from unapproved_iam.hcl.facts import ALWAYS, PERHAPS, Choice, Facts, joined, short
from unapproved_iam.hcl.texts import policies_in
from unapproved_iam.hcl.values import (
    MAX_POSSIBLE,
    NEVER,
    Mapping,
    Plain,
    Possible,
    Refused,
    Sequence,
    Unknown,
    Value,
    beyond_limit,
    exactly,
    holes_of,
    is_other,
    refused,
    settled,
    under,
    unknown,
)
from unapproved_iam.hcl.ways import united

MAX_WAYS = 16  # in which one alternative comes about; beyond, only what they have in common is known
MAX_UNITED = 300  # facts of ways that are compared with one another
MAX_SMALL = 50  # elements of a collection that is compared with others
FEW_COMBINATIONS = 16  # of which also those are told apart that nobody asked for


def one_of(values: Iterable[Value], written: object) -> Value:
    """A value that is one of these; `written` is the expression that yields it (`str()` of it is for messages)."""
    alternatives = tuple(possible for value in values for possible in value)
    if len(alternatives) < 2:
        return Value(alternatives)
    ways: dict[Hashable, list[Facts]] = {}
    plains: dict[Hashable, Plain] = {}
    for plain, when in alternatives:
        is_large = isinstance(plain, Sequence | Mapping) and plain.size > MAX_SMALL
        key: Hashable = id(plain) if is_large else plain
        plains.setdefault(key, plain)
        ways.setdefault(key, []).append(when)
    if len(plains) == len(alternatives):
        return _bounded(alternatives, written)
    merged = (Possible(plains[key], when) for key, several in ways.items() for when in bounded_ways(several))
    return _bounded(tuple(merged), written)


def _bounded(alternatives: tuple[Possible, ...], written: object) -> Value:
    if len(alternatives) <= MAX_POSSIBLE:
        return Value(alternatives)
    return beyond_limit(written, f"{MAX_POSSIBLE} possible values", policies_in(Value(alternatives)))


def bounded_ways(several: list[Facts]) -> list[Facts]:
    """The same worlds in fewer ways; of too many only what they have in common, and that there is more to it."""
    if len(several) == 1:
        return several
    size = sum(len(facts.choices) for facts in several)
    ways = united(several) if size <= MAX_UNITED else several
    if len(ways) <= MAX_WAYS:
        return ways
    common = {
        subject: choice
        for subject in ways[0].choices
        if all(subject in way.choices for way in ways)
        and not (choice := one_choice_of(way.of(subject) for way in ways)).is_full
    }
    return [Facts({**common, **PERHAPS.choices})]


def one_choice_of(choices: Iterable[Choice]) -> Choice:
    """What is possible in one of several ways."""
    first, *others = choices
    for other in others:
        first = first.either(other)
    return first


def applied(function: Callable[..., Value], arguments: Iterable[Value], written: object) -> Value:
    """The function of the arguments, for every combination of their alternatives that some world has.

    It takes plain values, and is not asked where Terraform refuses to compute one of them.
    """
    arguments = tuple(arguments)
    only = [argument.possible[0] for argument in arguments if len(argument.possible) == 1]
    if len(only) == len(arguments):
        when = joined(*[one.when for one in only])
        return NEVER if when is None else _strictly(function, tuple([one.plain for one in only]), when, written)
    if len(arguments) == 1:
        return one_of(_of_each(function, arguments[0], written), written)
    arguments, others = _others_together(arguments, written)
    combinations: list[tuple[tuple[Plain, ...], Facts]] = [((), ALWAYS)]
    for argument in arguments:
        longer = []
        for plains, when in combinations:
            for plain, own in argument:
                both = joined(when, own)
                if both is not None:
                    longer.append(((*plains, plain), both))
            if len(longer) > MAX_POSSIBLE:
                return beyond_limit(written, f"{MAX_POSSIBLE} possible values", policies_in(*arguments))
        combinations = longer
    return one_of([*(_strictly(function, plains, when, written) for plains, when in combinations), *others], written)


def _of_each(function: Callable[..., Value], argument: Value, written: object) -> Iterator[Value]:
    """The function of each alternative; of one collection in several worlds it is asked once."""
    known: dict[int, Value] = {}
    for plain, when in argument:
        if not isinstance(plain, Sequence | Mapping):
            yield _strictly(function, (plain,), when, written)
            continue
        if id(plain) not in known:
            known[id(plain)] = _strictly(function, (plain,), ALWAYS, written)
        yield under(known[id(plain)], when)


def _others_together(arguments: tuple[Value, ...], written: object) -> tuple[tuple[Value, ...], list[Value]]:
    """What several variables may be besides what the tree tells is one alternative, not a product of them."""
    if prod(len(argument.possible) for argument in arguments) <= FEW_COMBINATIONS:
        return arguments, []
    told = [Value(tuple(possible for possible in argument if not is_other(possible))) for argument in arguments]
    open_ones = [place for place, value in enumerate(told) if 0 < len(value.possible) < len(arguments[place].possible)]
    if len(open_ones) < 2:
        return arguments, []
    others = [possible.plain for place in open_ones for possible in arguments[place] if is_other(possible)]
    kept = tuple(told[place] if place in open_ones else argument for place, argument in enumerate(arguments))
    return kept, [unknown_like(written, *others)]


def _strictly(function: Callable[..., Value], plains: tuple[Plain, ...], when: Facts, written: object) -> Value:
    """What Terraform refuses to compute it refuses to go on with."""
    for plain in plains:
        if isinstance(plain, Unknown) and plain.fails:
            return Value((Possible(plain, when),))
    try:
        if not when:
            return function(*plains)
        return under(function(*(settled(plain, when) for plain in plains)), when)
    except Refused as reason:
        return under(refused(written, str(reason), policies_in(*map(exactly, plains))), when)


def unknown_like(written: object, *sources: Plain) -> Value:
    """The unknown result of something that depends on these: for the first one's reason, with the policies in all."""
    found = policies_in(*map(exactly, sources))
    holes = [hole for source in sources for hole in holes_of(source)]
    if not holes:
        return unknown(written, f"{written} depends on values that are not known", found=found)
    hole = next((hole for hole in holes if hole.is_limit), holes[0])
    other = any(hole.is_other for hole in holes)
    return exactly(Unknown(hole._replace(written=short(written), subject=None, is_other=other), found))
