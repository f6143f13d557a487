"""Make the value of a root variable: what the files say, or whatever else somebody may set.

For `terraform.module_scope` and Terragrunt's functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

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
    alternatives = [under(value, _of_file(value, subject, path)) for path, value in others]
    told: list[Constant] = [Marker(path) for path, value in others if _constant(value) is None]
    if usual is not None:
        origin = is_loaded(loaded_from) if loaded_from else ALWAYS
        constant = _constant(usual)
        # A text or a number may be given in the run of a file, too; what is more than that is not compared.
        elsewhere = is_none_of(VARIABLE_FILE, *(path for path, _ in others)) if constant is None else ALWAYS
        facts = joined(is_one_of(subject, *(constant or (DEFAULT,))), origin, elsewhere) or ALWAYS
        alternatives.insert(0, under(usual, facts))
        told += constant or (DEFAULT,)
    reason = f"{subject.written} may have another value, which is in no file"
    known = tuple((when, plain) for value in alternatives for plain, when in value)
    given = replace(subject, is_given=True, told=known)
    hole = Hole(subject.written, reason, remedy="check the plan", subject=given, is_other=True)
    return one_of([*alternatives, under(exactly(Unknown(hole)), is_none_of(subject, *told))], subject.written)


def _of_file(value: Value, subject: Subject, path: str) -> Facts:
    return joined(is_one_of(subject, *(_constant(value) or (Marker(path),))), is_one_of(VARIABLE_FILE, path)) or ALWAYS


def _constant(value: Value) -> tuple[Constant] | None:
    return None if value.decided is None else constant_of(value.decided)
