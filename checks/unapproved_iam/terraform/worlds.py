"""Decide which cases a finding names: the shortest words that are true, complete and no surprise.

For `terraform.module_reading`. It names what the files say. What else somebody may give a variable it names only where
the files say nothing, as for a list that is empty by default.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from unapproved_iam.hcl.alternatives import bounded_ways
from unapproved_iam.hcl.fact_words import files_of_ways, words_of_ways
from unapproved_iam.hcl.facts import ANYTHING, VARIABLE_FILE, Choice, Facts, Subject
from unapproved_iam.hcl.values import settled_text
from unapproved_iam.policies.attachment import Attachment
from unapproved_iam.policies.policy_arn import ACCOUNT, display_name
from unapproved_iam.policies.possible_text import Hole, Text


class Found(NamedTuple):
    """An attachment, and the facts under which it is made."""

    attachment: Attachment
    when: Facts
    is_other: bool = False  # an instance makes it that exists by what else a variable may be


def told(found: Iterable[Found]) -> list[Attachment]:
    """One attachment for each policy that an instance attaches, with all its worlds and all its principals."""
    blocks: dict[object, list[Found]] = {}
    for one in found:
        blocks.setdefault((one.attachment.block, one.attachment.calls), []).extend(_each_value(one))
    return [attachment for several in blocks.values() for attachment in _of_block(several)]


MAX_NAMED = 64  # values of one variable that are named one by one


def _each_value(one: Found) -> list[Found]:
    """The policy for each value that its variable may have, where these are few and decide which one it is."""
    if one.attachment.policy.known is not None or any(hole in _OF_THE_ACCOUNT for hole in one.attachment.policy.holes):
        return [one]
    for hole in one.attachment.policy.holes:
        subject = hole.subject
        if isinstance(subject, Subject) and 0 < one.when.of(subject).number <= MAX_NAMED:
            constants = one.when.of(subject).constants
            ways = [one.when.replacing(subject, Choice(frozenset({constant}))) for constant in constants]
            return [each for when in ways for each in _each_value(_settled(one, when))]
    return [one]


def _settled(one: Found, when: Facts) -> Found:
    return one._replace(attachment=one.attachment._replace(policy=settled_text(one.attachment.policy, when)), when=when)


# The names of an account's own policies are many, and seldom what a list denies one by one.
_OF_THE_ACCOUNT = (ACCOUNT,)


def _of_block(several: list[Found]) -> Iterator[Attachment]:
    others = [one for one in several if _is_other(one)]
    kept = several
    if others:
        given = [one for one in several if not _is_other(one)]
        filled = [one for one in given if not _is_nothing(one.attachment.policy)]
        kept = [*(_widened(one, others) for one in filled), *_still_to_come(filled, others)]
        # What is no policy by default is nothing where a variable may name one.
        named = {one.attachment.resource for one in kept}
        kept += [one for one in given if _is_nothing(one.attachment.policy) and one.attachment.resource not in named]
    merged: dict[tuple[str, object], list[Found]] = {}
    for one in kept:
        merged.setdefault((one.attachment.resource, one.attachment.policy), []).append(one)
    ways = _ways_by_name(kept)
    for same in merged.values():
        yield _merged(same, ways[_name(same[0])])


def _is_other(one: Found) -> bool:
    return one.is_other or _is_open(one)


def _is_nothing(policy: Text) -> bool:
    """Whether it names no policy: an empty text, or an ARN without a name."""
    last = policy.pieces[-1] if policy.pieces else ""
    return isinstance(last, str) and (not last or last.endswith("/"))


def _still_to_come(given: list[Found], others: list[Found]) -> Iterator[Found]:
    """What else may be attached, where that says more than what is given."""
    policies = {display_name(one.attachment.policy) for one in given}
    for other in others:
        if _is_open(other):
            is_told = any(_is_beside(one, other) and _apart(one.when, other.when) is not None for one in given)
        else:
            is_told = display_name(other.attachment.policy) in policies
        if not is_told:
            yield other


def _widened(one: Found, others: list[Found]) -> Found:
    """Without the fact that a variable is what the tree gives it, where another value may do the same."""
    when = one.when
    for other in others:
        if _is_beside(one, other) and (
            _is_open(other) or display_name(other.attachment.policy) == display_name(one.attachment.policy)
        ):
            when = _without_default(when, other)
    return one._replace(when=when)


def _is_open(one: Found) -> bool:
    return any(hole.is_other for hole in one.attachment.policy.holes)


def _is_beside(one: Found, other: Found) -> bool:
    """Whether the other may be the same instance, with another value of a variable."""
    return other.is_other or other.attachment.resource == one.attachment.resource


def _apart(when: Facts, other: Facts) -> list[Subject] | None:
    """The variables that are what the tree gives them in one and something else in the other; None when more than that
    tells them apart."""
    apart = []
    for subject, choice in when.choices.items():
        elsewhere = other.of(subject)
        if subject != VARIABLE_FILE and choice.both(elsewhere).is_empty:
            if not elsewhere.excludes:
                return None
            apart.append(subject)
    return apart


def _without_default(when: Facts, other: Found) -> Facts:
    """The facts with the values of the others, too, where one variable tells them apart."""
    apart = _apart(when, other.when)
    if apart is not None and len(apart) == 1:
        return when.replacing(apart[0], when.of(apart[0]).either(other.when.of(apart[0])))
    if apart == [] and other.when.replacing(VARIABLE_FILE, ANYTHING).includes(when):
        wider = other.when.replacing(VARIABLE_FILE, when.of(VARIABLE_FILE))
        for hole in other.attachment.policy.holes:  # that it is not the default is no news of a value from a file
            if isinstance(hole.subject, Subject) and wider.of(hole.subject).excludes:
                wider = wider.replacing(hole.subject, ANYTHING)
        return wider
    return when


def _name(one: Found) -> tuple[str, str]:
    return one.attachment.resource, display_name(one.attachment.policy)


def _ways_by_name(found: list[Found]) -> dict[tuple[str, str], list[Facts]]:
    ways: dict[tuple[str, str], list[Facts]] = {}
    for one in found:
        ways.setdefault(_name(one), []).append(one.when)
    return {name: bounded_ways(several) for name, several in ways.items()}


def _merged(same: list[Found], ways: list[Facts]) -> Attachment:
    first = min(same, key=lambda one: len(one.when.choices)).attachment
    everybody = tuple(dict.fromkeys(principal for one in same for principal in one.attachment.principals))
    when = tuple(dict.fromkeys((*words_of_ways(ways), *first.when)))
    return first._replace(
        policy=_without_subjects(first.policy),
        principals=tuple(one._replace(name=_without_subjects(one.name)) for one in everybody),
        when=when,
        origin=files_of_ways(ways),
    )


def _without_subjects(content: Text) -> Text:
    """Facts are told by now, and what they are about is nothing that outlives the reading of a unit."""
    if content.known is not None:
        return content
    return Text(tuple(one._replace(subject=None) if isinstance(one, Hole) else one for one in content.pieces))
