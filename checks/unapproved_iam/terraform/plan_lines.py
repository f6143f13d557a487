"""Find the lines on which a plan speaks of its resources: in one pass over the text, which may be large.

For `terraform.plan`. Terraform writes a plan on one line; others write it on many.
"""

from __future__ import annotations

import json
from collections.abc import Container

from unapproved_iam.late_patterns import late_pattern

_ADDRESS = late_pattern(r'"address"\s*:\s*("(?:[^"\\]|\\.)*")')


def lines_of_addresses(text: str, start: int, end: int, line: int, wanted: Container[str]) -> dict[str, int]:
    """The line where each wanted address first stands between `start`, which is on `line`, and `end`."""
    lines: dict[str, int] = {}
    if text.find("\n", start, end) < 0:
        return lines
    for found in _ADDRESS.finditer(text, start, end):
        written = found[1]
        address = json.loads(written) if "\\" in written else written[1:-1]
        if address in wanted and address not in lines:
            line += text.count("\n", start, found.start())
            start = found.start()
            lines[address] = line
    return lines
