"""What the screen looks for: kinds of evidence, and which of them suffice.

For `scan.unit_screen`, which looks for types and whole names, and `scan.name_pieces`, which looks on.
"""

from __future__ import annotations

import re
from enum import IntFlag
from typing import NamedTuple

from unapproved_iam.cloudformation.resource_types import ATTACHING_TYPES
from unapproved_iam.late_patterns import late_pattern
from unapproved_iam.word_patterns import any_of


class Evidence(IntFlag):
    """What files show; a flag stands when it cannot be ruled out."""

    NOTHING = 0
    TYPE = 1  # something may attach a policy
    NAME = 2  # the name of a denied policy may stand there as a whole, or come from where it cannot be looked for
    FIRST_PIECE = 4  # a literal ends with the beginning of a denied name
    LAST_PIECE = 8  # a literal begins with the end of a denied name
    REWRITING = 16  # a function cuts or rewrites text
    OPEN_ARN = 32  # a policy is attached whose name does not stand beside its `policy/`
    EVERYTHING = TYPE | NAME


# What names come from, each by the flags that it takes: a whole one, one in pieces, one that a function makes.
NAMED = (
    (Evidence.NAME,),
    (Evidence.FIRST_PIECE, Evidence.LAST_PIECE),
    (Evidence.REWRITING, Evidence.OPEN_ARN),
)


def suffices(evidence: Evidence) -> bool:
    """Whether a unit that shows this has to be read."""
    return bool(evidence & Evidence.TYPE) and any(all(evidence & flag for flag in named) for named in NAMED)


class LiteralRun(NamedTuple):
    """The longest literal part of an entry's name, or of its path where the name has none; empty when neither has."""

    text: str
    begins: bool  # whether the name begins with it
    ends: bool  # whether the name ends with it
    is_customer_managed: bool  # whether the entry may mean a customer's policy

    @classmethod
    def of(cls, policy: str) -> LiteralRun:
        is_arn = policy.startswith("arn:")
        before, policy_part, after = policy.rpartition(":policy/") if is_arn else ("::aws", ":policy/", policy)
        path, slash, name = after.rpartition("/")
        if not policy_part:
            return cls("", False, False, True)
        longest = max(re.split(r"[*?]", name), key=len) or max(re.split(r"[*?]", path + slash), key=len)
        return cls(longest, name.startswith(longest), name.endswith(longest), not before.endswith("::aws"))


# The services of types that attach policies in templates, or an AWS:: with its service elsewhere.
_SERVICES = {resource_type.split("::")[1] for resource_type in ATTACHING_TYPES}
_ATTACHING_SERVICE = late_pattern(lambda: rf"AWS::(?:{any_of(_SERVICES)}|(?![A-Za-z]))|::MODULE".encode())
# What a text is only compared with becomes part of none. Providers of whole estates ask so for the role in use.
_TESTED = late_pattern(rb'can\(\s*regex\(\s*"(?:(?!policy/)[^"\\\n])*"')


def holds_template(source: bytes) -> bool:
    """Whether a template that attaches something may stand in Terraform source, or in the values of a plan."""
    return b"AWS::" in source and _ATTACHING_SERVICE.search(source) is not None


def without_tests(source: bytes) -> bytes:
    """Terraform source without what texts are only compared with."""
    return _TESTED.sub(b"", source) if b"can(" in source else source
