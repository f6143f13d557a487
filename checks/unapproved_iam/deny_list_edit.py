"""Add approvals to a deny list's file and leave every other byte of it as it is: comments, order, line ends.

The new lines are put behind the last approval, or at the file's end under a key of their own. Whoever calls this reads
the result again before it counts: the reader alone decides what is a valid list.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from unapproved_iam.approval_proposal import yaml_scalar
from unapproved_iam.marked_yaml import Kind, Marked, read_marked_yaml


class NotEditable(Exception):
    """The file is written in a form into which no line can be put; `line` is the one to blame, 0: none."""

    def __init__(self, what: str, line: int = 0) -> None:
        super().__init__(what)
        self.line = line


def with_approvals(content: bytes, approvals: Sequence[Mapping[str, str | bool]], remark: str) -> bytes:
    """The file's content with these approvals, a mapping of keys each, below a remark. Raises NotEditable, NoYaml."""
    lines = content.decode("utf-8").splitlines(keepends=True)
    newline = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += newline
    document = read_marked_yaml(content)
    last = _last_approval(document)
    if last is None:
        new = ["", "approve:", *_written(approvals, remark, "  ")]
        at = len(lines)
    else:
        dash = re.match(r"( *)- ", lines[last.line - 1])
        if dash is None:
            raise NotEditable('"approve" is not written line by line (expected "- " before each approval)', last.line)
        new = _written(approvals, remark, dash[1])
        at = _end_of_item(lines, last.line, len(dash[1]))
    lines[at:at] = [line + newline for line in new]
    return "".join(lines).encode("utf-8")


def _last_approval(document: Marked | None) -> Marked | None:
    if document is None or document.kind is not Kind.MAPPING:
        return None
    approve = next((value for key, value in document.pairs if key.text == "approve"), None)
    return approve.items[-1] if approve and approve.items else None


def _end_of_item(lines: Sequence[str], start: int, indent: int) -> int:
    """Behind the last line that belongs to the item which begins on line `start`: those that are indented further."""
    end = start
    for number in range(start, len(lines)):
        line = lines[number]
        if line.strip() and len(line) - len(line.lstrip(" ")) <= indent:
            break
        if line.strip():
            end = number + 1
    return end


def _written(approvals: Sequence[Mapping[str, str | bool]], remark: str, indent: str) -> list[str]:
    lines = [f"{indent}# {remark}"]
    for approval in approvals:
        pairs = [f"{key}: {yaml_scalar(value)}" for key, value in approval.items()]
        lines += [f"{indent}{'  ' if number else '- '}{pair}" for number, pair in enumerate(pairs)]
    return lines
