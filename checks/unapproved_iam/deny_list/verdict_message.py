"""Put a verdict into words: what is attached to whom, and why that is refused or allowed.

For `deny_list.verdict`. Every report takes its sentences from here; one for people at a terminal asks for short ones.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from unapproved_iam.deny_list.entries import Approval, Entry
from unapproved_iam.policies.attachment import Attachment
from unapproved_iam.policies.policy_arn import display_name
from unapproved_iam.policies.possible_text import Alphabet

MOST_APPROVALS = 3


class Words(NamedTuple):
    """How much is said of a name or condition, and of several."""

    longest: int
    most: int

    def of(self, text: str) -> str:
        """The text, shortened in its middle."""
        if len(text) <= self.longest:
            return text
        half = (self.longest - 1) // 2
        return f"{text[:half]}…{text[-half:]}"

    def list_of(self, texts: Iterable[str], joint: str = ", ") -> str:
        """Each once, the first ones by name and the others by their number."""
        texts = list(dict.fromkeys(texts))
        named = [self.of(text) for text in texts[: self.most]]
        more = len(texts) - len(named)
        return joint.join(named) + (f" and {more} more" if more else "")


WHOLE, SHORT = Words(sys.maxsize, sys.maxsize), Words(48, 3)


def must_not_be_attached(attachment: Attachment, words: Words) -> str:
    return f"{display_name(attachment.policy)} must not be attached" + _whom_and_when(attachment, words)


def may_be_attached(attachment: Attachment, words: Words) -> str:
    return f"{display_name(attachment.policy)} may be attached{_to(attachment, words)}"


def cannot_tell(attachment: Attachment, words: Words) -> str:
    return "cannot tell which policy is attached" + _whom_and_when(attachment, words)


def why_denied(entry: Entry, advice: Sequence[str], expired: Sequence[Approval], elsewhere: Sequence[Approval]) -> str:
    """The reason, what to use instead, and the approvals that would have covered it or come near."""
    reason = entry.reason or _denied_by(entry)
    if advice:
        reason += f"; use {' or '.join(advice)} instead"
    for approval in expired:
        reason += f"; the approval at {approval.origin} expired on {approval.expires}"
    if elsewhere:
        named = (a.where for a in elsewhere)
        reason += f"; approved only for {Words(sys.maxsize, MOST_APPROVALS).list_of(named)}"
    return reason


def _denied_by(entry: Entry) -> str:
    if entry.policy == "*":
        return f"only what {entry.origin.source} approves may be attached"
    return f"denied by {entry.origin}"


def why_approved(approvals: Sequence[Approval]) -> str:
    return "; ".join(
        approval.reason + (f", until {approval.expires}" if approval.expires else "") for approval in approvals
    )


def why_unresolved(attachment: Attachment) -> str:
    # The partition and the account need no word, unless it is they that decide.
    holes = [hole for hole in attachment.policy.holes if hole.alphabet is Alphabet.ANY] or attachment.policy.holes
    reasons = "; ".join(dict.fromkeys(hole.reason for hole in holes))
    remedies = " or ".join(dict.fromkeys(hole.remedy for hole in holes if hole.remedy))
    return reasons + (f"; {remedies}" if remedies else "")


def _to(attachment: Attachment, words: Words) -> str:
    names = [
        f"{principal.kind}/{principal.address if principal.name.is_unknown and principal.address else principal.name}"
        for principal in attachment.principals
    ]
    if names:
        return f" to {words.list_of(names)}"
    return f" by {words.of(attachment.resource)}" if attachment.resource else ""


_PLANNED = {
    "create": "the plan creates it",
    "replace": "the plan replaces it",
    "update": "the plan updates it",
    "no-op": "the plan leaves it as it is",
}


def _planned(attachment: Attachment) -> list[str]:
    """What the plan does with the resource, and whether it attaches the policy by that."""
    change = attachment.change
    if change is None or change.action not in _PLANNED:
        return []
    before = ", attached before" if change.action == "update" and not change.is_new else ""
    return [_PLANNED[change.action] + before]


def _whom_and_when(attachment: Attachment, words: Words) -> str:
    return _to(attachment, words) + circumstances(attachment, words)


def circumstances(attachment: Attachment, words: Words) -> str:
    """When it is attached, where its value is from, and what a plan does; begins with a space unless it is empty."""
    asides = [f"value from {attachment.origin}"] if attachment.origin else []
    asides += [attachment.note] if attachment.note else []
    asides += _planned(attachment)
    conditions = f" when {words.list_of(attachment.when, ' and ')}" if attachment.when else ""
    return conditions + (f" ({', '.join(asides)})" if asides else "")
