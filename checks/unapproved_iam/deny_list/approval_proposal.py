"""Say which approval would cover a finding: for the report that shows its line, and for `adopt`, which writes it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from typing import NamedTuple

from unapproved_iam.deny_list.verdict import Finding
from unapproved_iam.policies.attachment import Attachment
from unapproved_iam.policies.policy_arn import POLICY_NAME, display_name
from unapproved_iam.policies.possible_text import Hole


class Proposal(NamedTuple):
    """The keys of an approval that a finding tells; the reason is for a person to give."""

    policy: str
    attached_to: str
    files: str = ""  # key `in`

    @property
    def pairs(self) -> dict[str, str]:
        """Its keys as a list writes them."""
        pairs = {"policy": self.policy, "attached_to": self.attached_to, "in": self.files}
        return {key: value for key, value in pairs.items() if value}


def proposals(finding: Finding, relative: Callable[[str], str]) -> list[Proposal]:
    """One for each principal; by resource and file where one is unknown, or the policy's name: a principal that may
    have any policy could get every other one, too. `relative` gives a path from the root.
    """
    attachment = finding.attachment
    policy = _policy_pattern(finding)
    names = [(principal.kind, principal.name.known) for principal in attachment.principals]
    if names and all(name for _, name in names) and "*" not in policy.rpartition("/")[2]:
        return [Proposal(policy, f"{kind}/{name}") for kind, name in dict.fromkeys(names)]
    return [Proposal(policy, attachment.resource, files_of(attachment, relative))]


def files_of(attachment: Attachment, relative: Callable[[str], str]) -> str:
    """The narrowest path glob that covers the block's file and, in a called module, the outermost call's."""
    paths = {relative(place.path) for place in (attachment.block, *attachment.calls[:1])}
    if len(paths) == 1:
        return _without_wildcards(paths.pop())
    directory = posixpath.commonpath([posixpath.dirname(path) for path in paths])
    return posixpath.join(_without_wildcards(directory), "**")


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


def yaml_scalar(value: str | bool) -> str:
    """A YAML scalar, in flow or block; text is quoted unless it is plain for sure."""
    if isinstance(value, bool):
        return "true" if value else "false"
    is_word = value.lower() in ("true", "false", "null", "yes", "no", "on", "off")
    if not is_word and re.fullmatch(r"\d{4}-\d{2}-\d{2}|[A-Za-z…][\w…./@+=-]*(?::[\w./*:@+=-]+)*", value):
        return value
    return "'" + value.replace("'", "''") + "'"
