"""Propose the approval that would cover a finding: the line that a report shows, and that `adopt` writes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from unapproved_iam.deny_list.list_format import ADDRESS_PATTERN
from unapproved_iam.deny_list.verdict import Finding, without_instance_keys
from unapproved_iam.policies.policy_arn import POLICY_NAME, display_name
from unapproved_iam.policies.possible_text import Hole

DAYS = 90  # that an approval counts for which nobody has chosen a day


class Proposal(NamedTuple):
    """The keys of an approval that a finding tells; the reason is for a person to give."""

    policy: str
    attached_to: str
    files: tuple[str, ...] = ()  # key `in`

    @property
    def pairs(self) -> dict[str, str | tuple[str, ...]]:
        """Its keys as a list writes them."""
        files = self.files[0] if len(self.files) == 1 else self.files
        pairs = {"policy": self.policy, "attached_to": self.attached_to, "in": files}
        return {key: value for key, value in pairs.items() if value}


def proposals(finding: Finding, relative: Callable[[str], str]) -> list[Proposal]:
    """The narrowest ones that together cover a finding: one for each principal; by resource where one is unknown, or
    the policy's name: a principal that may have any policy could get every other one, too.

    `relative` gives a path from the root, and an absolute one outside, where no approval can be kept to a file.
    """
    attachment = finding.attachment
    policy = _policy_pattern(finding)
    paths = dict.fromkeys(relative(place.path) for place in (attachment.brought_by, attachment.block))
    files = tuple(map(_without_wildcards, paths)) if not any(path.startswith("/") for path in paths) else ()
    names = [(principal.kind, principal.name.known) for principal in attachment.principals]
    if names and all(name for _, name in names) and "*" not in policy.rpartition("/")[2]:
        return [Proposal(policy, f"{kind}/{name}", files) for kind, name in dict.fromkeys(names)]
    address = attachment.resource
    if not re.fullmatch(ADDRESS_PATTERN, address):
        address = without_instance_keys(address)
    return [Proposal(policy, address, files)]


def _without_wildcards(path: str) -> str:
    """What a path glob cannot say literally stands as any one character."""
    return re.sub(r"[*\[\]{}\\]", "?", path)


def _policy_pattern(finding: Finding) -> str:
    """The policy as an approval writes it: a name, or an ARN with wildcards for what is unknown."""
    policy = finding.attachment.policy
    name = display_name(policy)
    if POLICY_NAME.fullmatch(name):
        return name
    pieces = ["*" if isinstance(piece, Hole) else piece for piece in policy.pieces]
    return re.sub(r"^arn:\*:", "arn:aws:", "".join(pieces))


def yaml_of(value: str | bool | tuple[str, ...]) -> str:
    """A YAML scalar, in flow or block, or a list in brackets; text is quoted unless it is plain for sure."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(yaml_of, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    is_word = value.lower() in ("true", "false", "null", "yes", "no", "on", "off")
    if not is_word and re.fullmatch(r"\d{4}-\d{2}-\d{2}|[A-Za-z…][\w…./@+=-]*(?::[\w./*:@+=-]+)*", value):
        return value
    return "'" + value.replace("'", "''") + "'"
