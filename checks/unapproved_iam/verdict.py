"""Decide the verdict of an attachment and put it into words, alike for every front end.

An attachment is denied when an entry matches whatever its holes turn out to be, approved when every principal that it
may be attached to is covered by a valid approval, unresolved when an entry matches for some values, else clean.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import Enum

from unapproved_iam.attachment import Attachment, Principal
from unapproved_iam.deny_list import Approval, DenyList, Entry, path_matches
from unapproved_iam.policy_arn import display_name, narrowed
from unapproved_iam.possible_text import Alphabet, Glob, Match, Text, match


class Verdict(Enum):
    DENIED = "denied"
    APPROVED = "approved"
    CLEAN = "clean"
    UNRESOLVED = "unresolved"


@dataclass(frozen=True)
class Finding:
    """An attachment with its verdict; `entry` is set unless it is clean, `message` is one sentence for people."""

    attachment: Attachment
    verdict: Verdict
    entry: Entry | None = None
    approvals: tuple[Approval, ...] = ()  # that cover it (approved), or that would but have expired (denied)
    message: str = ""


class Judge:
    """Judges attachments by one deny list on one day.

    `root` is the absolute directory that the paths of approvals count from: the repository's root.
    """

    def __init__(self, deny_list: DenyList, root: str, today: date) -> None:
        self.deny_list = deny_list
        self.root = root
        self.today = today

    def judge(self, attachment: Attachment) -> Finding:
        policy = narrowed(attachment.policy)
        entry, certainty = self._entry_of(policy)
        if entry is None:
            return Finding(attachment, Verdict.CLEAN)
        valid, expired = self._approvals_of(attachment, policy)
        if valid:
            return Finding(attachment, Verdict.APPROVED, entry, valid, _approved(attachment, valid))
        if certainty is Match.ALWAYS:
            return Finding(attachment, Verdict.DENIED, entry, expired, _denied(attachment, entry, expired))
        return Finding(attachment, Verdict.UNRESOLVED, entry, expired, _unresolved(attachment))

    def _entry_of(self, policy: Text) -> tuple[Entry | None, Match]:
        """The first entry that always matches, else the first that may."""
        possible: Entry | None = None
        for entry in self.deny_list.entries:
            certainty = match(policy, entry.globs)
            if certainty is Match.ALWAYS:
                return entry, certainty
            if certainty is Match.SOMETIMES and possible is None:
                possible = entry
        if possible and match(policy, self._all_globs) is Match.ALWAYS:
            return possible, Match.ALWAYS  # no single entry is certain, but one of them is
        return possible, Match.SOMETIMES if possible else Match.NEVER

    @property
    def _all_globs(self) -> tuple[Glob, ...]:
        return tuple(glob for entry in self.deny_list.entries for glob in entry.globs)

    def _approvals_of(self, attachment: Attachment, policy: Text) -> tuple[tuple[Approval, ...], tuple[Approval, ...]]:
        """The valid approvals that together cover every principal, and the expired ones that would."""
        covering = [
            approval
            for approval in self.deny_list.approvals
            if match(policy, approval.globs) is Match.ALWAYS and self._covers_files(approval, attachment)
        ]
        valid = [approval for approval in covering if not approval.expired(self.today)]
        used = _covering_all(attachment, valid)
        return used, () if used else tuple(a for a in covering if a not in valid and _covers_any(attachment, a))

    def _covers_files(self, approval: Approval, attachment: Attachment) -> bool:
        if not approval.files:
            return True
        paths = [attachment.block.path, *(call.path for call in attachment.calls[:1])]
        return all(path_matches(self.relative(path), approval.files) for path in paths)

    def relative(self, path: str) -> str:
        """The POSIX path from the repository root."""
        return os.path.relpath(path, self.root).replace(os.sep, "/")


def _covering_all(attachment: Attachment, approvals: Iterable[Approval]) -> tuple[Approval, ...]:
    """One approval of the resource, or one for each principal; empty when any principal is left uncovered."""
    approvals = tuple(approvals)
    for approval in approvals:
        if _covers_resource(approval, attachment.resource):
            return (approval,)
    used = []
    for principal in attachment.principals:
        approval_of_principal = next((a for a in approvals if _covers_principal(a, principal)), None)
        if approval_of_principal is None:
            return ()
        used.append(approval_of_principal)
    return tuple(dict.fromkeys(used))


def _covers_any(attachment: Attachment, approval: Approval) -> bool:
    return _covers_resource(approval, attachment.resource) or any(
        _covers_principal(approval, principal) for principal in attachment.principals
    )


def _covers_resource(approval: Approval, address: str) -> bool:
    """An address without instance keys covers every instance."""
    if approval.principal is not None:
        return False
    return approval.anywhere or approval.attached_to in (address, without_instance_keys(address))


def _covers_principal(approval: Approval, principal: Principal) -> bool:
    if approval.principal is None:
        return bool(principal.address) and _covers_resource(approval, principal.address)
    kind, name = approval.principal
    if kind != principal.kind or principal.name.is_unknown:
        return False
    return match(principal.name, (Glob(name),)) is Match.ALWAYS


def without_instance_keys(address: str) -> str:
    return re.sub(r'\["(?:[^"\\]|\\.)*"\]|\[\d+\]', "", address)


def _denied(attachment: Attachment, entry: Entry, expired: tuple[Approval, ...]) -> str:
    sentence = f"{display_name(attachment.policy)} must not be attached{_to(attachment)}{_when(attachment)}"
    sentence += f": {entry.reason}" if entry.reason else f": denied by {entry.origin}"
    if entry.use_instead:
        sentence += f"; use {' or '.join(entry.use_instead)} instead"
    for approval in expired:
        sentence += f"; the approval at {approval.origin} expired on {approval.expires}"
    return sentence


def _approved(attachment: Attachment, approvals: tuple[Approval, ...]) -> str:
    reasons = "; ".join(
        approval.reason + (f", until {approval.expires}" if approval.expires else "") for approval in approvals
    )
    return f"{display_name(attachment.policy)} is approved{_to(attachment)}: {reasons}"


def _unresolved(attachment: Attachment) -> str:
    holes = [hole for hole in attachment.policy.holes if hole.alphabet is Alphabet.ANY]
    reasons = "; ".join(dict.fromkeys(hole.reason for hole in holes))
    remedies = " or ".join(dict.fromkeys(hole.remedy for hole in holes if hole.remedy))
    sentence = f"cannot tell which policy is attached{_to(attachment)}{_when(attachment)}: {reasons}"
    return f"{sentence}; {remedies}" if remedies else sentence


def _to(attachment: Attachment) -> str:
    names = dict.fromkeys(
        f"{principal.kind}/{principal.address if principal.name.is_unknown and principal.address else principal.name}"
        for principal in attachment.principals
    )
    return f" to {', '.join(names)}" if names else f" by {attachment.resource}"


def _when(attachment: Attachment) -> str:
    asides = [f"value from {attachment.origin}"] if attachment.origin else []
    asides += [attachment.note] if attachment.note else []
    conditions = f" when {' and '.join(attachment.when)}" if attachment.when else ""
    return conditions + (f" ({', '.join(asides)})" if asides else "")
