"""Say what something may be that the tree gives a value and somebody may give another one: a root variable.

For `terraform.module_scope` and Terragrunt's functions.
"""

from __future__ import annotations

from collections.abc import Sequence

from unapproved_iam.hcl.alternatives import one_of
from unapproved_iam.hcl.facts import (
    ALWAYS,
    DEFAULT,
    VARIABLE_FILE,
    Constant,
    Facts,
    Marker,
    Subject,
    is_loaded,
    is_none_of,
    is_one_of,
    joined,
)
from unapproved_iam.hcl.values import Unknown, Value, constant_of, exactly, under
from unapproved_iam.policies.possible_text import Hole


def open_value(
    subject: Subject, usual: Value | None, others: Sequence[tuple[str, Value]] = (), loaded_from: str = ""
) -> Value:
    """The value in every world: as the tree gives it, as one of the `others` does, which are files, or anything else.

    What stands in one file holds together: a run is given one of them.
    """
    others = [(path, value) for path, value in others if value != usual]
    alternatives = [
        under(value, _fact_of(value, subject, Marker(path), is_one_of(VARIABLE_FILE, path))) for path, value in others
    ]
    elsewhere = ALWAYS  # in the run of another file it may as well be given its default
    if usual is not None:
        origin = is_loaded(loaded_from) if loaded_from else ALWAYS
        without_files = joined(is_none_of(VARIABLE_FILE, *(path for path, _ in others)), origin) or ALWAYS
        alternatives.insert(0, under(usual, _fact_of(usual, subject, DEFAULT, without_files)))
        elsewhere = elsewhere if others else is_none_of(subject, *(_constant(usual) or (DEFAULT,)))
    reason = f"{subject.written} may have another value, which is in no file"
    hole = Hole(subject.written, reason, remedy="scan the plan", subject=subject, is_other=True)
    return one_of([*alternatives, under(exactly(Unknown(hole)), elsewhere)], subject.written)


def _fact_of(value: Value, subject: Subject, marker: Marker, of_file: Facts) -> Facts:
    return joined(is_one_of(subject, *(_constant(value) or (marker,))), of_file) or ALWAYS


def _constant(value: Value) -> tuple[Constant] | None:
    return None if value.decided is None else constant_of(value.decided)
