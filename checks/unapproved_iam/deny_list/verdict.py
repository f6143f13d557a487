"""Decide the verdict of an attachment; every front end asks here.

Denied: an entry matches, whatever the unknown parts turn out to be. Approved: a valid approval covers every principal
that it may be attached to. Unresolved: an entry matches for some values of the unknown parts. Clean: none of these. It
is a warning where it would be denied and the entry counts from a later day only.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from datetime import date
from enum import Enum
from typing import NamedTuple

from unapproved_iam.deny_list.entries import Approval, DenyList, Entry, InlineSkips, Unresolved
from unapproved_iam.deny_list.verdict_message import (
    WHOLE,
    Words,
    cannot_tell,
    may_be_attached,
    must_not_be_attached,
    why_approved,
    why_denied,
    why_unresolved,
)
from unapproved_iam.path_glob import path_matches
from unapproved_iam.policies.attachment import Attachment, Principal
from unapproved_iam.policies.policy_arn import ADDED_SINCE, POLICY_NAME, aws_managed, narrowed
from unapproved_iam.policies.possible_text import Glob, Match, Text, is_certain, is_possible


class Verdict(Enum):
    DENIED = "denied"
    APPROVED = "approved"
    CLEAN = "clean"
    UNRESOLVED = "unresolved"
    WARNED = "warned"


class Finding(NamedTuple):
    """An attachment with its verdict; `entry` is set unless it is clean."""

    attachment: Attachment
    verdict: Verdict
    entry: Entry | None = None
    approvals: tuple[Approval, ...] = ()  # that cover it (approved), or that would but have expired (denied)
    why: str = ""  # the reason, for people
    use_instead: tuple[str, ...] = ()  # what the entry advises, without what this list denies as well
    fails: bool = False  # unresolved, and the list makes that a violation
    is_certain: bool = True  # else the entry matches for some values only
    from_day: date | None = None  # the entry counts from then only

    @property
    def message(self) -> str:
        """One sentence: what is attached to whom, and why that is refused or allowed."""
        return f"{self.headline()}: {self.why}" if self.entry else ""

    def headline(self, words: Words = WHOLE) -> str:
        """What is attached to whom, and when."""
        if self.verdict is Verdict.APPROVED:
            return may_be_attached(self.attachment, words)
        if not self.is_certain:
            return cannot_tell(self.attachment, words)
        from_day = f" from {self.from_day} on" if self.from_day else ""
        return must_not_be_attached(self.attachment, words) + from_day


class _Approvals(NamedTuple):
    """The approvals of a policy, as one attachment of it sees them."""

    used: tuple[Approval, ...]  # valid ones that together cover every principal
    expired: tuple[Approval, ...] = ()  # that would have covered a principal
    elsewhere: tuple[Approval, ...] = ()  # valid ones of a principal or the resource, in other files or of some only


class Judge:
    """Judges attachments by one deny list on one day.

    `root` is the absolute directory that the paths of approvals count from: the repository's root.
    """

    def __init__(self, deny_list: DenyList, root: str, today: date) -> None:
        self.deny_list = deny_list
        self.root = root
        self.today = today
        # An entry that denies everything comes last: a policy with an entry of its own is denied for its own reason.
        by_weight = sorted(deny_list.entries, key=lambda entry: entry.policy == "*")
        later = [entry.enforce_from is not None and today < entry.enforce_from for entry in by_weight]
        self._in_force = tuple(entry for entry, is_later in zip(by_weight, later, strict=True) if not is_later)
        self._announced = tuple(entry for entry, is_later in zip(by_weight, later, strict=True) if is_later)

    def judge(self, attachment: Attachment) -> Finding:
        policy = narrowed(attachment.policy)
        verdict, entry, certain = self._before_approvals(policy)
        if entry is None:
            return Finding(attachment, verdict)
        approvals = self._approvals_of(attachment, policy)
        if approvals.used:
            return Finding(attachment, Verdict.APPROVED, entry, approvals.used, why_approved(approvals.used))
        from_day = entry.enforce_from if verdict is Verdict.WARNED else None
        advice: tuple[str, ...] = ()
        if certain:
            advice = tuple(policy for policy in entry.use_instead if not self._refuses(policy))
            why = why_denied(entry, advice, approvals.expired, approvals.elsewhere)
        else:
            why = why_unresolved(attachment) + (f" (fails from {from_day} on)" if from_day else "")
        if attachment.skip is not None and self.deny_list.inline_skips is InlineSkips.REFUSE:
            attachment = attachment._replace(skip=None)
            why += f"; its inline skip does not count, because {self.deny_list.source} refuses them"
        fails = verdict is Verdict.UNRESOLVED and self.deny_list.unresolved is Unresolved.FAIL
        return Finding(attachment, verdict, entry, approvals.expired, why, advice, fails, certain, from_day)

    def _before_approvals(self, policy: Text) -> tuple[Verdict, Entry | None, bool]:
        """The verdict without approvals, the entry that it comes from, and whether that matches for certain."""
        in_force, announced = self._in_force, self._announced
        if ADDED_SINCE in policy.holes:
            in_force, announced = _naming_one(in_force), _naming_one(announced)
        entry, certainty = _first_match(policy, in_force)
        later, later_certainty = _first_match(policy, announced)
        fails = self.deny_list.unresolved is Unresolved.FAIL
        if certainty is Match.ALWAYS:
            return Verdict.DENIED, entry, True
        if later_certainty is Match.ALWAYS and not (entry and fails):
            return Verdict.WARNED, later, True
        if entry or later:
            return Verdict.UNRESOLVED if entry or not fails else Verdict.WARNED, entry or later, False
        return Verdict.CLEAN, None, True

    def _approvals_of(self, attachment: Attachment, policy: Text) -> _Approvals:
        of_policy = [a for a in self.deny_list.approvals if a.covers_policy(policy)]
        valid = [approval for approval in of_policy if not approval.expired(self.today)]
        here = [approval for approval in of_policy if self._covers_files(approval, attachment)]
        used = _covering_all(attachment, [approval for approval in here if approval in valid])
        if used:
            return _Approvals(used)
        expired = (a for a in here if a not in valid and covers_any(attachment, a))
        elsewhere = (a for a in valid if covers_any(attachment, a))
        return _Approvals((), tuple(expired), tuple(elsewhere))

    def _refuses(self, advised: str) -> bool:
        """Whether this list denies, today or later, what an entry advises: then it is no advice."""
        if not POLICY_NAME.fullmatch(advised):
            return False
        policy = aws_managed(advised)
        _, entry, _ = self._before_approvals(policy)
        approvals = (a for a in self.deny_list.approvals if a.anywhere and not a.files and not a.expired(self.today))
        return entry is not None and not any(approval.covers_policy(policy) for approval in approvals)

    def _covers_files(self, approval: Approval, attachment: Attachment) -> bool:
        if not approval.files:
            return True
        paths = [attachment.block.path, *(call.path for call in attachment.calls[:1])]
        return all(any(path_matches(self.relative(path), glob) for glob in approval.files) for path in paths)

    def relative(self, path: str) -> str:
        """The POSIX path from the repository root."""
        return os.path.relpath(path, self.root).replace(os.sep, "/")


def _naming_one(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """The entries that name one policy."""
    return tuple(entry for entry in entries if not {"*", "?"}.intersection(entry.policy))


def _first_match(policy: Text, entries: tuple[Entry, ...]) -> tuple[Entry | None, Match]:
    """The first entry that always matches, else the first that may."""
    certain = next((entry for entry in entries if is_certain(policy, entry.globs)), None)
    if certain or policy.known is not None:
        return certain, Match.ALWAYS if certain else Match.NEVER
    possible = next((entry for entry in entries if is_possible(policy, entry.globs)), None)
    if possible is None:
        return None, Match.NEVER
    # Perhaps no single entry is certain, but one of them is.
    together = is_certain(policy, tuple(glob for entry in entries for glob in entry.globs))
    return possible, Match.ALWAYS if together else Match.SOMETIMES


def _covering_all(attachment: Attachment, approvals: Sequence[Approval]) -> tuple[Approval, ...]:
    """One approval of the resource, or one for each principal; empty when any principal is left uncovered."""
    for approval in approvals:
        if _covers_block(approval, attachment):
            return (approval,)
    used = []
    for principal in attachment.principals:
        approval_of_principal = next((a for a in approvals if _covers_principal(a, principal)), None)
        if approval_of_principal is None:
            return ()
        used.append(approval_of_principal)
    return tuple(dict.fromkeys(used))


def covers_any(attachment: Attachment, approval: Approval) -> bool:
    """Whether the approval is of the resource or of one of its principals, in whatever file."""
    return _covers_block(approval, attachment) or any(
        _covers_principal(approval, principal) for principal in attachment.principals
    )


def _covers_block(approval: Approval, attachment: Attachment) -> bool:
    """By the address of the resource, or of what stands for it in the source."""
    addresses = filter(None, (attachment.resource, attachment.source_address))
    return any(_covers_resource(approval, address) for address in addresses)


def _covers_resource(approval: Approval, address: str) -> bool:
    """An address without instance keys covers every instance."""
    if approval.principal is not None:
        return False
    return approval.anywhere or approval.attached_to in (address, without_instance_keys(address))


def _covers_principal(approval: Approval, principal: Principal) -> bool:
    if approval.principal is None:
        return _covers_resource(approval, principal.address)
    kind, name = approval.principal
    if kind != principal.kind or principal.name.is_unknown:
        return False
    return is_certain(principal.name, (Glob(name),))


def without_instance_keys(address: str) -> str:
    return re.sub(r'\["(?:[^"\\]|\\.)*"\]|\[\d+\]', "", address)
