"""Find the name of a denied policy in a file that no engine reads, such as a document of a kind that is not known.

Such a mention is no violation, since nobody can tell here what becomes of it; but it is said, or silence would mean
more than it should.
"""

from __future__ import annotations

import re

from unapproved_iam.deny_list.entries import DenyList
from unapproved_iam.policies.attachment import Place
from unapproved_iam.scan.findings import Mention

_ARN = re.compile(rb"arn:[a-z][a-z-]*:iam::(?:aws|\d{12}):policy/[\w+=.@/-]+")
# Every template says so of its resources; what it does not attach is no mention.
_TEMPLATE_MARKS = (b"AWS::", b"Resources")


class Mentions:
    """Looks for what one deny list denies: for names as whole words, and for ARNs that a pattern matches."""

    def __init__(self, deny_list: DenyList) -> None:
        exact = {entry.policy.rpartition("/")[2] for entry in deny_list.entries if not re.search("[*?]", entry.policy)}
        names = "|".join(map(re.escape, sorted(exact)))
        # A name may hold `=`, but before it there stands one in `Policy=NAME` far more often.
        self._names = re.compile(rf"(?<![\w+.@-])(?:{names})(?![\w+=.@-])".encode()) if exact else None
        patterns = [entry for entry in deny_list.entries if re.search("[*?]", entry.policy)]
        self._globs = tuple(glob for entry in patterns for glob in entry.globs)

    def first_in(self, source: bytes, path: str) -> Mention | None:
        """The first denied policy that a file names, if it is no template."""
        found = self._names.search(source) if self._names else None
        for arn in _ARN.finditer(source) if self._globs else ():
            written = arn[0].decode()
            if any(glob.expression.fullmatch(written) for glob in self._globs):
                found = arn if found is None or arn.start() < found.start() else found
                break
        if found is None or all(mark in source for mark in _TEMPLATE_MARKS):
            return None
        return Mention(Place(path, source.count(b"\n", 0, found.start()) + 1), found[0].decode())
