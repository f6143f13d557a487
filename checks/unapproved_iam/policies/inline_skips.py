"""Decide whether a comment in the source skips the check for a block, by the rule that checkov follows.

For the readers: what is skipped under checkov is skipped by the command too, and nothing else. The rule of checkov
3.3.30, seen by running it: the first mark of a line counts, and the line need not be a comment; identifiers are
separated by commas without spaces; an explanation follows after a colon. In Terraform the line must stand strictly
between the block's first and last line, and a mark inside a module call covers everything that the call makes. In
CloudFormation a list of several identifiers skips nothing. Plans and `.tf.json` files know no skips.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from unapproved_iam.late_patterns import late_pattern

CHECK_ID = "IAM_068"

# "Suppressing and Skipping Policies" in the checkov documentation; the blank after `=` is checkov's own leniency.
SKIP_MARK = late_pattern(
    r"(?:checkov|bridgecrew|cortex):skip= *(?P<ids>[A-Za-z_\d-]+(?:,[A-Za-z_\d-]+)*)?(?P<comment>:[^\n]*)?"
)


def skip_in_block(lines: Sequence[str], first: int, last: int) -> str | None:
    """The comment of the skip inside a Terraform block ("" without one), None when it is not skipped.

    `lines` are all lines of the file; `first` and `last` are those of the block, counted from 1.
    """
    return skip_in_lines(lines[first : max(first, last - 1)])


def skip_in_lines(lines: Iterable[str], lists: bool = True) -> str | None:
    """The comment of the first skip in these lines; without `lists` only a mark that names a single check counts."""
    for line in lines:
        mark = SKIP_MARK.search(line) if ":skip=" in line else None
        if mark and mark["ids"] and CHECK_ID in (mark["ids"].split(",") if lists else [mark["ids"]]):
            return (mark["comment"] or "").rstrip("\r\n")[1:]
    return None
