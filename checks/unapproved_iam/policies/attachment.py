"""The records of a check: an attachment, its place in the source, and what could not be checked.

Made by the readers (Terraform, plans, CloudFormation, the live account), judged by `deny_list.verdict`, shown by the
front ends.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from unapproved_iam.policies.possible_text import Text


class _Lines(NamedTuple):
    path: str
    line: int
    end_line: int


class Place(_Lines):
    """Lines of a file; `path` is absolute, lines count from 1, `end_line` is inclusive."""

    __slots__ = ()

    def __new__(cls, path: str, line: int = 1, end_line: int = 0) -> Place:
        return super().__new__(cls, path, line, max(line, end_line))


class Principal(NamedTuple):
    """To whom a policy is attached."""

    kind: str  # role, user, group or permission-set
    name: Text  # a hole when the tree does not tell
    address: str = ""  # of the resource that declares the principal, when it is known


class PlannedChange(NamedTuple):
    """What a Terraform plan does with the resource that attaches."""

    action: str  # create, replace, update, no-op; empty when the plan does not tell
    is_new: bool  # the plan attaches it; else it is attached before the apply, too
    place: Place  # in the plan
    also: tuple[Place, ...] = ()  # in other plans that attach the same


class Attachment(NamedTuple):
    """One policy ARN that one resource attaches, or may attach, to its principals."""

    resource: str  # Terraform address with module path and instance keys, or CloudFormation logical id
    resource_type: str
    policy: Text
    principals: tuple[Principal, ...]  # all that it is, or may be, attached to; empty when no principal is named
    place: Place  # of the expression that yields the policy, in the block's file where that can be said
    block: Place  # of the resource block (or module call)
    when: tuple[str, ...] = ()  # conditions that the tree leaves open, e.g. "var.admin is true"; empty: always
    calls: tuple[Place, ...] = ()  # the chain of module calls, outermost first
    origin: str = ""  # where an alternative value comes from, e.g. "envs/prod.tfvars"
    skip: str | None = None  # an inline skip's comment ("" without a comment); None: not skipped
    note: str = ""  # wording of its own, e.g. what the SAM transform adds by itself
    unit: str = ""  # directory of the root module, the template or the plan: what is judged together
    change: PlannedChange | None = None  # None outside of plans
    source_address: str = ""  # of its block in the source where that is another: a call of a module not in the tree

    @property
    def brought_by(self) -> Place:
        """The outermost call, else the block: what in the unit's own files makes it, wherever the block stands."""
        return self.calls[0] if self.calls else self.block


class Unjudged(NamedTuple):
    """Something that may hold an attachment and could not be read: never silently dropped."""

    place: Place
    reason: str
    advice: str = ""
    is_whole_unit: bool = False  # nothing is known of the unit: `place` is its directory or file
    hole_reason: str = ""  # of the holes that it leaves in policies, with its place; it makes no other of it

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unjudged) and self[:-1] == other[:-1]

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self[:-1])


class Reading(NamedTuple):
    """What a reader found in one unit."""

    attachments: tuple[Attachment, ...] = ()
    unjudged: tuple[Unjudged, ...] = ()
    nested: frozenset[str] = frozenset()  # files of templates that are a part of it


def limits_in(attachments: Iterable[Attachment]) -> list[Unjudged]:
    """The bounds of ours that kept policies from being known."""
    found = ((one.place, hole.reason) for one in attachments for hole in one.policy.holes if hole.is_limit)
    return [Unjudged(place, reason, hole_reason=reason) for place, reason in dict.fromkeys(found)]


def together(readings: Iterable[Reading]) -> Reading:
    readings = tuple(readings)
    return Reading(
        tuple(attachment for reading in readings for attachment in reading.attachments),
        tuple(problem for reading in readings for problem in reading.unjudged),
        frozenset(file for reading in readings for file in reading.nested),
    )
