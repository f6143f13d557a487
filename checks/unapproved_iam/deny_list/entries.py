"""The deny list: what the security team denies (entries), allows anyway (approvals) and leaves out (exclusions).

Plain values for `deny_list.verdict` and the front ends; `deny_list.reader` makes them from the file and is the one
authority on its format.
"""

from __future__ import annotations

from datetime import date, timedelta
from enum import Enum
from typing import NamedTuple

from unapproved_iam.path_glob import path_matches
from unapproved_iam.policies.managed_policy_names import managed_policy_names
from unapproved_iam.policies.policy_arn import globs_of_entry
from unapproved_iam.policies.possible_text import Glob, Text, is_certain, is_possible

_OF_AWS = (Glob("arn:*:iam::aws:*", frozenset({4})),)

SOON = timedelta(days=30)  # an approval that expires within it is worth a warning


class Origin(NamedTuple):
    """Where an entry or approval is written: a list file and its line, or a built-in list (line 0)."""

    source: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.source}:{self.line}" if self.line else self.source


class Entry(NamedTuple):
    """One denied policy or pattern of policies."""

    policy: str  # as written: a name or an ARN, perhaps with `*` and `?`
    origin: Origin
    reason: str = ""
    use_instead: tuple[str, ...] = ()
    source: str = ""  # of a built-in entry: who advises against the policy, by title
    enforce_from: date | None = None  # before this day, UTC, findings are shown and do not fail

    @property
    def globs(self) -> tuple[Glob, ...]:
        return globs_of_entry(self.policy)


class Approval(NamedTuple):
    """An exception: these policies may be attached to this principal or by this resource, until a day."""

    policy: str
    attached_to: str  # role/NAME, user/NAME, group/NAME, permission-set/NAME, a resource address / logical id, or *
    origin: Origin
    reason: str
    files: tuple[str, ...] = ()  # path globs from the repository root (key `in`); required for an address
    approved_by: str = ""
    expires: date | None = None  # the last valid day, UTC

    @property
    def globs(self) -> tuple[Glob, ...]:
        return globs_of_entry(self.policy)

    def covers_policy(self, policy: Text) -> bool:
        """Whether it is about a policy, whatever its holes turn out to be.

        An ARN is about policies of AWS only where it says `aws`: `*` in the account's place is any customer's account.
        """
        says_aws = not self.policy.startswith("arn:") or self.policy.split(":")[4:5] == ["aws"]
        return is_certain(policy, self.globs) and (says_aws or not _may_be_of_aws(policy))

    @property
    def where(self) -> str:
        """To whom and in which files, in words."""
        return f"{self.attached_to} in {' and '.join(self.files)}" if self.files else self.attached_to

    @property
    def written_files(self) -> str | list[str] | None:
        """As the list's own format has them."""
        return list(self.files) if len(self.files) > 1 else self.files[0] if self.files else None

    @property
    def anywhere(self) -> bool:
        """Whether it is neither for a principal nor for a resource: any attachment of the policy is covered."""
        return self.attached_to == "*"

    @property
    def principal(self) -> tuple[str, str] | None:
        """Kind and name pattern when the exception is for a principal, None when it is for an address."""
        kind, slash, name = self.attached_to.partition("/")
        return (kind, name) if slash and kind in PRINCIPAL_KINDS else None

    def expired(self, today: date) -> bool:
        return self.expires is not None and today > self.expires

    def expires_within(self, days: timedelta, today: date) -> bool:
        """Whether it has expired, or will in these days."""
        return self.expires is not None and self.expires - today <= days


def _may_be_of_aws(policy: Text) -> bool:
    """Whether AWS may be the owner: for that, too, the name has to be one that AWS has."""
    if not is_possible(policy, _OF_AWS):
        return False
    _, slash, name = str(policy.pieces[-1]).rpartition("/")
    return not (slash and isinstance(policy.pieces[-1], str)) or name in managed_policy_names()


class Exclusion(NamedTuple):
    """Files that are not judged, by decision of the list's owner."""

    path: str  # path glob from the repository root
    reason: str
    origin: Origin


PRINCIPAL_KINDS = ("role", "user", "group", "permission-set")


class Unresolved(Enum):
    """Whether an attachment fails when the code doesn't tell if its policy is denied."""

    PASS = "pass"
    FAIL = "fail"


class InlineSkips(Enum):
    """Whether a comment beside the code (`checkov:skip=IAM_068`) may silence a finding."""

    ALLOW = "allow"
    REFUSE = "refuse"


class DenyList(NamedTuple):
    """One effective list, after `use` and `extends`."""

    source: str  # the file as shown to the user, or "built-in list aws-admin"
    entries: tuple[Entry, ...]
    approvals: tuple[Approval, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    unresolved: Unresolved = Unresolved.PASS
    inline_skips: InlineSkips = InlineSkips.ALLOW

    def exclusion_of(self, path: str) -> Exclusion | None:
        """The exclusion that covers a file, given its POSIX path from the repository root."""
        return next((exclusion for exclusion in self.exclusions if path_matches(path, exclusion.path)), None)
