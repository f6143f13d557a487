"""The built-in lists: policies that most organizations do not want attached, for those who maintain no list yet."""

from __future__ import annotations

from unapproved_iam.deny_list import Entry, Origin

DEFAULT_LIST = "aws-admin"


def _entry(built_in_list: str, policy: str, reason: str, use_instead: tuple[str, ...], source: str) -> Entry:
    return Entry(policy, Origin(f"built-in list {built_in_list}"), reason, use_instead, source)


BUILTIN_LISTS: dict[str, tuple[Entry, ...]] = {
    # Whoever holds one of these owns the account, or can take it.
    "aws-admin": (
        _entry(
            "aws-admin",
            "AdministratorAccess",
            "it allows every action on every resource",
            ("a policy with only the actions that are needed",),
            "CIS AWS Foundations Benchmark 2.0.0, 1.16; AWS Security Hub controls, IAM.1",
        ),
        _entry(
            "aws-admin",
            "IAMFullAccess",
            "it allows to create and change every role and policy, hence to become administrator",
            ("IAMReadOnlyAccess", "a policy limited to the roles that are needed"),
            "checkov CKV2_AWS_56; AWS IAM User Guide, Security best practices in IAM",
        ),
        _entry(
            "aws-admin",
            "PowerUserAccess",
            "it allows every action of every service but the management of users, groups and organizations",
            ("a policy with only the services that are needed",),
            "AWS IAM User Guide, AWS managed policies for job functions; cfn_nag issue 75",
        ),
        _entry(
            "aws-admin",
            "AWSCloudShellFullAccess",
            "it allows to move files in and out of the account through CloudShell",
            ("a policy that denies cloudshell:GetFileUploadUrls and cloudshell:GetFileDownloadUrls",),
            "CIS AWS Foundations Benchmark 2.0.0, 1.22; AWS Security Hub controls, IAM.27",
        ),
    ),
}
