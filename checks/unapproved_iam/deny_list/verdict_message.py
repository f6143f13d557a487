"""Put a verdict into one sentence for people, alike in every report.

A sentence says what is attached to whom, why it is denied and what to use instead. For `deny_list.verdict`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from unapproved_iam.deny_list.entries import Approval, Entry
from unapproved_iam.policies.attachment import Attachment
from unapproved_iam.policies.policy_arn import display_name
from unapproved_iam.policies.possible_text import Alphabet

MOST_APPROVALS = 3


def denied(
    attachment: Attachment,
    entry: Entry,
    from_day: date | None,
    advice: Sequence[str],
    expired: Sequence[Approval],
    elsewhere: Sequence[Approval],
) -> str:
    """`from_day`: the entry counts from then only; `elsewhere`: the approvals that other attachments of it have."""
    sentence = f"{display_name(attachment.policy)} must not be attached{_to(attachment)}{_when(attachment)}"
    sentence += f" from {from_day} on" if from_day else ""
    sentence += f": {entry.reason or _denied_by(entry)}"
    if advice:
        sentence += f"; use {' or '.join(advice)} instead"
    for approval in expired:
        sentence += f"; the approval at {approval.origin} expired on {approval.expires}"
    if elsewhere:
        shown = [f"{a.attached_to} in {a.files}" if a.files else a.attached_to for a in elsewhere[:MOST_APPROVALS]]
        more = len(elsewhere) - len(shown)
        sentence += f"; approved only for {', '.join(shown)}" + (f" and {more} more" if more else "")
    return sentence


def _denied_by(entry: Entry) -> str:
    if entry.policy == "*":
        return f"only what {entry.origin.source} approves may be attached"
    return f"denied by {entry.origin}"


def approved(attachment: Attachment, approvals: Sequence[Approval]) -> str:
    reasons = "; ".join(
        approval.reason + (f", until {approval.expires}" if approval.expires else "") for approval in approvals
    )
    return f"{display_name(attachment.policy)} may be attached{_to(attachment)}: {reasons}"


def unresolved(attachment: Attachment, from_day: date | None = None) -> str:
    # The partition and the account need no word, unless it is they that decide.
    holes = [hole for hole in attachment.policy.holes if hole.alphabet is Alphabet.ANY] or attachment.policy.holes
    reasons = "; ".join(dict.fromkeys(hole.reason for hole in holes))
    remedies = " or ".join(dict.fromkeys(hole.remedy for hole in holes if hole.remedy))
    sentence = f"cannot tell which policy is attached{_to(attachment)}{_when(attachment)}: {reasons}"
    sentence += f"; {remedies}" if remedies else ""
    return f"{sentence} (fails from {from_day} on)" if from_day else sentence


def _to(attachment: Attachment) -> str:
    names = dict.fromkeys(
        f"{principal.kind}/{principal.address if principal.name.is_unknown and principal.address else principal.name}"
        for principal in attachment.principals
    )
    if names:
        return f" to {', '.join(names)}"
    return f" by {attachment.resource}" if attachment.resource else ""


def _when(attachment: Attachment) -> str:
    asides = [f"value from {attachment.origin}"] if attachment.origin else []
    asides += [attachment.note] if attachment.note else []
    conditions = f" when {' and '.join(attachment.when)}" if attachment.when else ""
    return conditions + (f" ({', '.join(asides)})" if asides else "")
