"""Decide which policies a lookup by name may find: `data.aws_iam_policy` with a name and perhaps a path prefix.

For the Terraform readers. Source: "Data Source: aws_iam_policy" in the documentation of the AWS provider: it searches
the account's policies, AWS managed ones among them, and fails when several have the name. So the name of an AWS managed
policy finds that policy, and any other name finds a customer managed one, or an AWS managed one that this release does
not know yet.
"""

from __future__ import annotations

from unapproved_iam.policies.managed_policy_names import managed_policy_names
from unapproved_iam.policies.policy_arn import PARTITION, ROOT_PATH, aws_managed, customer_managed
from unapproved_iam.policies.possible_text import Alphabet, Hole, Text, text

_OWNER = Hole("owner", "the policy may belong to AWS or to the account", Alphabet.SEGMENT)
_PATH = Hole("path", "the path of the policy is not in the source")


def policies_named(name: Text, path_prefix: Text = ROOT_PATH) -> tuple[Text, ...]:
    """The ARNs that the lookup may yield."""
    relative_prefix = _relative(path_prefix)
    if name.is_unknown:
        return (text("arn:", PARTITION, ":iam::", _OWNER, ":policy/", relative_prefix, _PATH, name),)
    path_of_aws_policy = managed_policy_names().get(name.known or "")
    if path_of_aws_policy is not None and ("/" + path_of_aws_policy).startswith(path_prefix.known or "/"):
        return (aws_managed(f"{path_of_aws_policy}{name}"),)
    deeper = text("arn:", PARTITION, ":iam::", _OWNER, ":policy/", relative_prefix, _PATH, "/", name)
    if path_prefix != ROOT_PATH:
        return (customer_managed(name, path_prefix), deeper)
    return (customer_managed(name), text("arn:", PARTITION, ":iam::aws:policy/", name), deeper)


def _relative(path_prefix: Text) -> Text:
    """Without the slash at its beginning, which `policy/` has."""
    first, *others = path_prefix.pieces or ("",)
    return text(first[1:], *others) if isinstance(first, str) else path_prefix
