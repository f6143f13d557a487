"""Decide whether a file holds Terraform plans as JSON, and read them.

For `terraform.plan`. One file may hold several plans, one after the other, as tools that plan many root modules write
them. Source: "JSON Output Format" in the documentation of Terraform (its `format_version`: a reader must refuse a major
version that it does not know).
"""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from unapproved_iam.late_patterns import late_pattern
from unapproved_iam.policies.attachment import Place, Unjudged
from unapproved_iam.source_bytes import contents, decoded
from unapproved_iam.terraform.plan_lookalikes import HOW_TO

_MARKS = ("planned_values", "resource_changes")
_KNOWN_MAJORS = ("0", "1")
LARGE = 5_000_000  # characters
_ONLY_OUTPUT = "only the JSON may be in the file; in GitHub Actions set `terraform_wrapper: false` for setup-terraform"


class Plan(NamedTuple):
    """One plan of a file."""

    content: dict[str, Any]
    start: int  # where its text begins and ends in that of the file
    end: int
    line: int  # of its beginning, from 1


class PlanFile(NamedTuple):
    """The plans of a file, and what of it is none."""

    text: str = ""
    plans: tuple[Plan, ...] = ()
    unjudged: tuple[Unjudged, ...] = ()


def plans_in(path: str) -> PlanFile | None:
    """The plans in a file; None when it certainly holds none. Raises OSError."""
    data = contents(path)
    if not any(f'"{mark}"'.encode() in data for mark in (*_MARKS, "terraform_version")):  # the last if cut off early
        return None
    if path.endswith((".yaml", ".yml")) and not data.lstrip().startswith(b"{"):
        return None  # YAML that quotes a plan, e.g. in the tests of a policy
    text = decoded(data)
    del data  # a plan may be large
    if len(text) < LARGE:
        return _read(path, text)
    # What is decoded stays to the end: looking for garbage in it would take a fifth of the whole time.
    collects = gc.isenabled()
    gc.disable()
    try:
        return _read(path, text)
    finally:
        gc.freeze()
        if collects:
            gc.enable()


def _read(path: str, text: str) -> PlanFile | None:
    plans: list[Plan] = []
    unjudged: list[Unjudged] = []
    others = 0

    def problem(line: int, reason: str, advice: str = HOW_TO) -> None:
        unjudged.append(Unjudged(Place(path, line), reason, advice))

    try:
        for document in _documents(text):
            content = document.content
            if not isinstance(content, dict) or not _is_plan(content):
                others += 1
            elif not _is_known(content.get("format_version")):
                written = json.dumps(content.get("format_version"))
                problem(document.line, f"the plan has format_version {written} (expected 0.x or 1.x)")
            else:
                plans.append(document)
    except json.JSONDecodeError as error:
        first = _after_blanks(text, 0)
        if plans or (text[first : first + 1] != "{" and _BEGINS.search(text)):
            said = "the file holds more than the plan, such as lines of a log"
            problem(error.lineno, said, _ONLY_OUTPUT)
        else:
            problem(error.lineno, f"the plan is not a complete JSON document: {error.msg}")
    except ValueError:  # Python converts no number of thousands of digits
        problem(1, "the plan holds a number with too many digits")
    except RecursionError:
        problem(1, "the plan is nested too deeply to be read")
    if not plans and not unjudged:
        return None
    if others:
        problem(1, "the file holds a second JSON document that is not a plan")
    return PlanFile(text, tuple(plans), tuple(unjudged))


_BLANKS = late_pattern(r"[ \t\r\n]*")
_BEGINS = late_pattern(r'\{\s*"(?:format_version|terraform_version|planned_values|resource_changes)"\s*:')


def _documents(text: str) -> Iterator[Plan]:
    """The JSON documents that stand one after the other. Raises ValueError, of which JSONDecodeError is one."""
    decoder = json.JSONDecoder()
    start = _after_blanks(text, 0)
    line = 1 + text.count("\n", 0, start)
    while start < len(text):
        content, end = decoder.raw_decode(text, start)
        yield Plan(content, start, end, line)
        following = _after_blanks(text, end)
        line += text.count("\n", start, following)
        start = following


def _after_blanks(text: str, position: int) -> int:
    found = _BLANKS.match(text, position)
    return found.end() if found else position


def _is_plan(content: dict[str, Any]) -> bool:
    """Whether it is meant for one: what it holds may still be of another shape than a plan's."""
    named = [content[mark] for mark in _MARKS if mark in content]
    return any(isinstance(value, (dict, list)) for value in named) or bool(named and "format_version" in content)


def _is_known(version: Any) -> bool:
    """A plan that some tool has cut down may not tell its version."""
    return version is None or (isinstance(version, str) and version.partition(".")[0] in _KNOWN_MAJORS)
