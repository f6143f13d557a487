"""The rule as reports describe it: its title, what it means and what to do about a finding."""

from __future__ import annotations

from unapproved_iam.policies.inline_skips import CHECK_ID

NAME = "UnapprovedIamPolicy"
TITLE = "Ensure unapproved IAM managed policies are not attached"
DESCRIPTION = (
    "A managed policy that the deny list does not allow is attached to an IAM role, user or group,"
    " or to a permission set of IAM Identity Center."
)
HELP = (
    "Attach a policy that grants only what is needed. If the deny list has a replacement, the finding names it."
    " If somebody needs the policy anyway, ask the owner of the deny list to approve it for this principal."
)

# The page of the rule that this one is named after: what it means, and the same in AWS's own console.
HELP_URI = "https://www.trendmicro.com/cloudoneconformity/knowledge-base/aws/IAM/unapproved-iam-policy-in-use.html"

__all__ = ["CHECK_ID", "DESCRIPTION", "HELP", "HELP_URI", "NAME", "TITLE"]
