"""Make text safe and readable for terminals, logs and people: escaped characters, counts, complaints.

For everything that prints.
"""

from __future__ import annotations

import re
import sys

from unapproved_iam.program import COULD_NOT_JUDGE


def complain(message: str) -> int:
    """Print what is wrong, on standard error, and return the exit code that says that nothing was judged."""
    print("\n".join(printable(line) for line in message.splitlines()), file=sys.stderr)
    return COULD_NOT_JUDGE


def printable(text: str) -> str:
    """The text on one line, without what steers a terminal or a CI system's log: what is scanned may be a stranger's.

    Characters that are not printable become backslash escapes, and so does a `#` of `##[…]` and `##vso[…]`, which
    GitHub Actions and Azure Pipelines look for anywhere in a line, and a `:` of `::` at the beginning, blanks aside.
    """
    if not (text.isascii() and text.isprintable()):
        text = "".join(
            character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
        )
    text = re.sub(r"##(?=\w*\[)", r"#\\x23", text) if "##" in text else text
    return re.sub(r"^(\s*):(?=:)", r"\1\\x3a", text)


def counted(number: int, one: str, many: str = "") -> str:
    """A number of things in words: `1 file`, `2 files`, `2 entries`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def json_text(value: object) -> str:
    """A value as JSON to print, without the `##[…]` and `##vso[…]` that CI systems look for anywhere in a line."""
    import json  # a run with nothing to report does not pay for it

    return json.dumps(value, indent=2).replace("##", "#\\u0023") + "\n"


def markdown_text(words: str) -> str:
    """Text that Markdown shows as it is, within a line and within a table's cell ("Backslash escapes" in GFM)."""
    return re.sub(r"([\\`*_\[\]<>|~&#$])", r"\\\1", " ".join(printable(words).split()))


def markdown_code(language: str, lines: list[str]) -> list[str]:
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [fence + language, *map(printable, lines), fence]


def tolerate_any_text() -> None:
    """A terminal or log that cannot show a character gets its escape, not a failure."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
