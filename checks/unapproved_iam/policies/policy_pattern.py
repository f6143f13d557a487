"""Decide whether a pattern of the deny list can match any policy ARN. One that cannot would silently deny nothing.

For the deny list's reader and for `explain`. Source: "IAM identifiers" and "AWS partitions" in the AWS documentation.
"""

from __future__ import annotations

import re

from unapproved_iam.policies.managed_policy_names import managed_policy_names, similar_managed_policy
from unapproved_iam.policies.policy_arn import globs_of_entry
from unapproved_iam.policies.possible_text import Alphabet, Glob, Hole, Match, match, text

PARTITIONS = ("aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc")

# A policy name's characters, a slash and colon between its parts, and the wildcards. In a path AWS allows more; a `?`
# stands for those. "GetPolicy" in the IAM API reference: an ARN has at most 2048 characters.
PATTERN = r"[A-Za-z0-9_+=,.@/:*?-]{1,2048}"
LONGEST_NAME = 128

_ARN = "an ARN of the form arn:PARTITION:iam::ACCOUNT:policy/NAME, where ACCOUNT is aws or 12 digits"
_NAME = Hole("name", "any name", Alphabet.SEGMENT)
_ACCOUNT = Hole("account", "any account", Alphabet.DIGITS)


def impossible_because(pattern: str) -> str | None:
    """Why no ARN of a policy can ever match, as `what (expected …)`; None when one can. `pattern` fits `PATTERN`."""
    if not pattern.startswith("arn:"):
        if ":" in pattern:
            return f'"{pattern}" is neither a name nor an ARN (expected the name of an AWS managed policy, or {_ARN})'
        if pattern.endswith("/"):
            return f'"{pattern}" ends without a name (expected a name)'
        too_long = _too_long(pattern)
        return f'"{pattern}" cannot match any policy: {too_long}' if too_long else None
    segments = pattern.split(":", 5)
    # An ARN has five colons (AWS allows more in a path, where nobody has any): of a pattern with as many, each part
    # stands for one of the ARN's; with fewer, a `*` must stand for colons, too (`arn:*:policy/X`).
    possible = len(segments) < 6 and _may_match_across_segments(pattern)
    wrong = None if possible else _wrong_segment(segments)
    return f'"{pattern}" cannot match any policy: {wrong}' if wrong else None


def _wrong_segment(segments: list[str]) -> str | None:
    if len(segments) < 6:
        return f"it has {len(segments)} parts instead of 6 (expected {_ARN})"
    _, partition, service, region, account, resource = segments
    if not any(Glob(partition).expression.fullmatch(known) for known in PARTITIONS):
        others = ", ".join(PARTITIONS[1:])
        return f'unknown partition "{partition}" (expected aws, which means every partition, or {others})'
    if not Glob(service).expression.fullmatch("iam"):
        return f'"{service}" has no policies to attach (expected iam)'
    if not Glob(region).expression.fullmatch(""):
        return f'IAM has no region "{region}" (expected nothing between the colons)'
    if not _can_be_account(account):
        return f'"{account}" is not an account (expected aws, 12 digits, or * for every account)'
    is_policy = resource.startswith("policy/") or match(text("policy/", _NAME), (Glob(resource),)) is not Match.NEVER
    if not is_policy:
        return f'"{resource}" is not a policy (expected policy/NAME)'
    if resource.endswith("/"):
        return f'"{resource}" ends without a name (expected policy/NAME)'
    if ":" in resource.rpartition("/")[2]:
        return f'no policy has a name with a colon such as "{resource}" (expected policy/NAME)'
    return _too_long(resource)


def _too_long(pattern: str) -> str | None:
    certain = re.split(r"[/*]", pattern)[-1]  # a `*` may end a path
    if len(certain) <= LONGEST_NAME:
        return None
    return f"no policy has a name of {len(certain)} characters (expected at most {LONGEST_NAME})"


def _can_be_account(pattern: str) -> bool:
    return bool(Glob(pattern).expression.fullmatch("aws")) or _can_be_customer_account(pattern)


def _can_be_customer_account(pattern: str) -> bool:
    certain = pattern.replace("*", "")
    if not re.fullmatch(r"[0-9?]*", certain):
        return False
    return len(certain) <= 12 if "*" in pattern else len(certain) == 12


def _may_match_across_segments(pattern: str) -> bool:
    if pattern.endswith("/"):
        return False
    globs = globs_of_entry(pattern)
    return any(
        match(text(f"arn:{partition}:iam::", account, ":policy/", _NAME), globs) is not Match.NEVER
        for partition in PARTITIONS
        for account in ("aws", _ACCOUNT)
    )


def unknown_because(pattern: str, suggest: bool = True) -> str | None:
    """Why a possible pattern matches no policy that AWS has; None when it does, or can match a customer's policy.

    `suggest`: look for the name that was probably meant, which takes some milliseconds.
    """
    if _can_match_customer_managed(pattern) or _is_known(pattern):
        return None
    names = managed_policy_names()
    newer = "if it is newer than this release, add allow_unknown: true"
    name = pattern.rpartition("/")[2]
    if re.search(r"[*?]", pattern):
        customer = f"for customer managed policies write arn:aws:iam::*:policy/{name}"
        return f'no AWS managed policy matches "{pattern}" ({customer}; {newer})'
    meant = name if name in names else similar_managed_policy(name) if suggest else None
    if not meant:
        customer = f"a customer managed one is arn:aws:iam::*:policy/{name}"
        return f'there is no AWS managed policy "{pattern}" ({customer}; {newer})'
    if pattern.startswith("arn:"):
        meant = pattern.partition(":policy/")[0] + ":policy/" + names[meant] + meant
    return f'there is no AWS managed policy "{pattern}" (did you mean {meant}? {newer})'


def _can_match_customer_managed(pattern: str) -> bool:
    if not pattern.startswith("arn:"):
        return False
    anyone = text("arn:", Hole("partition", "any partition", Alphabet.SEGMENT), ":iam::", _ACCOUNT, ":policy/", _NAME)
    return match(anyone, globs_of_entry(pattern)) is not Match.NEVER


def _is_known(pattern: str) -> bool:
    names = managed_policy_names()
    if not re.search(r"[*?]", pattern):
        path, slash, name = pattern.rpartition(":policy/")[2].rpartition("/")
        whatever_path = not slash and not pattern.startswith("arn:")
        return name in names and (whatever_path or names[name] == path + slash)
    expressions = [glob.expression for glob in globs_of_entry(pattern)]
    return any(
        expression.fullmatch(f"arn:{partition}:iam::aws:policy/{path}{name}")
        for partition in PARTITIONS
        for name, path in names.items()
        for expression in expressions
    )
