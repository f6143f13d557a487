"""Find the name of a denied policy in a file that nothing here can read, such as an unknown kind of document.

A mention is not a violation, because it is unknown what becomes of it. It is still reported: silence must mean clean.
"""

from __future__ import annotations

import re

from unapproved_iam.deny_list.entries import DenyList
from unapproved_iam.late_patterns import late_pattern
from unapproved_iam.policies.attachment import Place
from unapproved_iam.scan.findings import Mention
from unapproved_iam.word_patterns import any_of, searches_for

_ARN = late_pattern(rb"arn:[a-z][a-z-]*:iam::(?:aws|\d{12}):policy/[\w+=.@/-]+")
# Every template says so of its resources; what it does not attach is no mention.
_TEMPLATE_MARKS = (b"AWS::", b"Resources")


class Mentions:
    """Looks for what one deny list denies: for names as whole words, and for ARNs that a pattern matches."""

    def __init__(self, deny_list: DenyList) -> None:
        exact = {entry.policy.rpartition("/")[2] for entry in deny_list.entries if not re.search("[*?]", entry.policy)}
        self._names = searches_for(exact)
        # A name may hold `=`, but before it there stands one in `Policy=NAME` far more often.
        self._words = late_pattern(rf"(?<![\w+.@-])(?:{any_of(exact)})(?![\w+=.@-])".encode())
        patterns = [entry for entry in deny_list.entries if re.search("[*?]", entry.policy)]
        self._globs = tuple(glob for entry in patterns for glob in entry.globs)

    def first_in(self, source: bytes, path: str) -> Mention | None:
        """The first denied policy that a file names, if it is no template."""
        if all(mark in source for mark in _TEMPLATE_MARKS):
            return None
        # Few files hold any, and looking for words takes ten times longer than looking for letters.
        found = self._words.search(source) if any(search(source) for search in self._names) else None
        for arn in _ARN.finditer(source) if self._globs and b":policy/" in source else ():
            written = arn[0].decode()
            if any(glob.expression.fullmatch(written) for glob in self._globs):
                found = arn if found is None or arn.start() < found.start() else found
                break
        if found is None:
            return None
        return Mention(Place(path, source.count(b"\n", 0, found.start()) + 1), found[0].decode())
