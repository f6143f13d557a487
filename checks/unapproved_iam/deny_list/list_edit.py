"""Add approvals to a deny list's file and leave every other byte of it as it is: comments, order, line ends.

The new lines are put behind the last approval, or at the file's end under a key of their own. Whoever calls this reads
the result again before it counts: the reader alone decides what is a valid list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from unapproved_iam.deny_list.approval_proposal import yaml_of
from unapproved_iam.marked_yaml import Marked, read_marked_yaml


class NotEditable(Exception):
    """The file is written in a form into which no line can be put; `line` is the one to blame, 0: none."""

    def __init__(self, what: str, line: int = 0) -> None:
        super().__init__(what)
        self.line = line


def with_approvals(
    content: bytes, approvals: Sequence[Mapping[str, str | bool | tuple[str, ...]]], remark: str
) -> bytes:
    """The file's content with these approvals, a mapping of keys each, below a remark. Raises NotEditable, NoYaml."""
    lines = content.decode("utf-8").splitlines(keepends=True)
    newline = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += newline
    document = read_marked_yaml(content)
    present = _approvals(document)
    if present is None:
        new = ["", "approve:", *_written(approvals, remark, "  ")]
        at = len(lines)
    else:
        if lines[present.line - 1][present.column] != "-":
            what = '"approve" is not written line by line (expected "- " before each approval)'
            raise NotEditable(what, present.line)
        new = _written(approvals, remark, " " * present.column)
        at = _behind_remarks(lines, present.end, present.column)
    lines[at:at] = [line + newline for line in new]
    return "".join(lines).encode("utf-8")


def _approvals(document: Marked | None) -> Marked | None:
    pairs = document.pairs if document else ()
    return next((value for key, value in pairs if key.text == "approve" and value.items), None)


def _behind_remarks(lines: Sequence[str], end: int, indent: int) -> int:
    """Behind the comments that follow line `end` and are indented like a part of the list's last item."""
    for number in range(end, len(lines)):
        line = lines[number]
        if line.strip() and len(line) - len(line.lstrip(" ")) <= indent:
            break
        if line.strip():
            end = number + 1
    return end


def _written(approvals: Sequence[Mapping[str, str | bool | tuple[str, ...]]], remark: str, indent: str) -> list[str]:
    lines = [f"{indent}# {remark}"]
    for approval in approvals:
        pairs = [f"{key}: {yaml_of(value)}" for key, value in approval.items()]
        lines += [f"{indent}{'  ' if number else '- '}{pair}" for number, pair in enumerate(pairs)]
    return lines
