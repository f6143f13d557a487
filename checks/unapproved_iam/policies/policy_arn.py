"""Decide what is a policy ARN, and which policy ARNs an entry of the deny list means.

For the deny list, the evaluators and the screen. Source: "IAM identifiers" and "Amazon Resource Names (ARNs)" in the
AWS documentation: `arn:PARTITION:iam::ACCOUNT:policy/[PATH/]NAME`, where ACCOUNT is `aws` for AWS managed policies
and 12 digits for customer managed ones.
"""

from __future__ import annotations

import re
from functools import lru_cache

from unapproved_iam.late_patterns import late_pattern
from unapproved_iam.policies.possible_text import Alphabet, Glob, Hole, Text, text

# "CreatePolicy" in the IAM API reference: a name has up to 128 characters of this set.
POLICY_NAME = late_pattern(r"[\w+=,.@-]{1,128}", re.ASCII)
POLICY_ARN = late_pattern(
    r"arn:(?P<partition>[a-z][a-z0-9-]*):iam::(?P<account>aws|\d{12}):policy/(?P<path>(?:[!-~]+/)*)(?P<name>[\w+=,.@-]{1,128})",
    re.ASCII,
)


@lru_cache(maxsize=65536)
def globs_of_entry(policy: str) -> tuple[Glob, ...]:
    """The policy ARNs that an entry means: an AWS managed policy's name, or an ARN; both may hold `*` and `?`.

    A name means that policy in every partition, whatever its path; an ARN whose partition is `aws` means every
    partition; `*` alone means every attachment.
    """
    if policy == "*":
        return (Glob("*"),)
    if not policy.startswith("arn:"):
        before = "arn:*:iam::aws:policy/"
        return tuple(Glob(before + path + policy, frozenset({4})) for path in ("", "*/"))
    if policy.startswith("arn:aws:"):
        return (Glob("arn:*:" + policy.removeprefix("arn:aws:"), frozenset({4})),)
    return (Glob(policy),)


def narrowed(policy: Text) -> Text:
    """Use the ARN's form: a hole between colons is one segment; a policy's path and name hold no colon either.

    What is both the partition and the account can only be `aws`: an account's number is no partition.
    """
    if not isinstance(policy.pieces[0] if policy.pieces else None, str) or not str(policy).startswith("arn:"):
        return policy
    match policy.pieces:
        case ("arn:", Hole() as partition, ":iam::", Hole() as account, str() as rest, *more):
            if partition == account and rest.startswith(":policy/"):
                return narrowed(text("arn:aws:iam::aws", rest, *more))
    pieces = list(policy.pieces)
    for number in range(1, len(pieces)):
        piece, before, after = pieces[number], pieces[number - 1], pieces[number + 1] if pieces[number + 1 :] else ""
        between_colons = str(before).endswith(":") and str(after).startswith(":")
        in_the_name = any(isinstance(one, str) and ":policy/" in one for one in pieces[:number])
        if isinstance(piece, Hole) and piece.alphabet is Alphabet.ANY and (between_colons or in_the_name):
            pieces[number] = piece._replace(alphabet=Alphabet.SEGMENT)
    return Text(tuple(pieces))


def aws_managed(path_and_name: str) -> Text:
    """The ARN of an AWS managed policy in a partition that is not known."""
    return text("arn:", PARTITION, f":iam::aws:policy/{path_and_name}")


PARTITION = Hole("partition", "the partition depends on the account", Alphabet.SEGMENT)
# The partition of an AWS managed policy that this release does not know: only who names it means it.
ADDED_SINCE = Hole("partition", "AWS may have added this policy after this release", Alphabet.SEGMENT)
ACCOUNT = Hole("account", "the account is the one it is deployed to", Alphabet.DIGITS)


ROOT_PATH = text("/")


def customer_managed(name: Text, path: Text = ROOT_PATH) -> Text:
    """The ARN of a customer managed policy in an account that is not known; `path` begins and ends with a slash."""
    return text("arn:", PARTITION, ":iam::", ACCOUNT, ":policy", path, name)


def display_name(policy: Text) -> str:
    """How messages call a policy: an AWS managed one by its name, every other by its ARN, holes as `${what}`."""
    written = str(policy)
    aws_policy = _AWS_MANAGED.fullmatch(written)
    return aws_policy[1] if aws_policy else written


# A slash in a hole, e.g. in the name of a parameter that is looked up, ends no path.
_PART = r"(?:\$\{[^}]*\}|(?!\$\{)[^/])+"
_AWS_MANAGED = late_pattern(rf"arn:(?:[a-z0-9-]+|\$\{{[^}}]*\}}):iam::aws:policy/(?:{_PART}/)*({_PART})")
