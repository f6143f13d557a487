"""Decide which policies a lookup by name may find: `data.aws_iam_policy` with a name and perhaps a path prefix.

For the Terraform readers. Source: "Data Source: aws_iam_policy" in the documentation of the AWS provider: it searches
the account's policies, AWS managed ones among them, and fails when several have the name. So the name of an AWS managed
policy finds that policy, and any other name finds a customer managed one. It may lie at any path: at the path that is
asked for it is taken to lie, and what lies deeper is said in the same words, so that both are one finding.
"""

from __future__ import annotations

from unapproved_iam.policies.managed_policy_names import managed_policy_names
from unapproved_iam.policies.policy_arn import ACCOUNT, ADDED_SINCE, PARTITION, ROOT_PATH, aws_managed, customer_managed
from unapproved_iam.policies.possible_text import Alphabet, Hole, Text, text

_OWNER = Hole("owner", "the policy may belong to AWS or to the account", Alphabet.SEGMENT)
_PATH = Hole("path", "the path of the policy is not in the source")
_DEEPER = Hole("", _PATH.reason)


def policies_named(name: Text, path_prefix: Text = ROOT_PATH) -> tuple[Text, ...]:
    """The ARNs that the lookup may yield."""
    if name.is_unknown:
        return (text("arn:", PARTITION, ":iam::", _OWNER, ":policy/", _relative(path_prefix), _PATH, name),)
    path_of_aws_policy = managed_policy_names().get(name.known or "")
    if path_of_aws_policy is not None and ("/" + path_of_aws_policy).startswith(path_prefix.known or "/"):
        return (aws_managed(f"{path_of_aws_policy}{name}"),)
    own = (customer_managed(name, path_prefix), _deeper(name, path_prefix))
    if path_prefix != ROOT_PATH:
        return own
    of_aws = text("arn:", PARTITION if name.holes else ADDED_SINCE, ":iam::aws:policy/", name)
    return (*own, of_aws)


def _deeper(name: Text, path_prefix: Text) -> Text:
    *others, last = path_prefix.pieces or ("",)
    above = text(*others, last.removesuffix("/") if isinstance(last, str) else last)
    return text("arn:", PARTITION, ":iam::", ACCOUNT, ":policy", above, _DEEPER, "/", name)


def _relative(path_prefix: Text) -> Text:
    """Without the slash at its beginning, which `policy/` has."""
    first, *others = path_prefix.pieces or ("",)
    return text(first[1:], *others) if isinstance(first, str) else path_prefix
