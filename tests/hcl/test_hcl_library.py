"""Expressions are read as the library `hcl2` reads them: all of the fixtures, and those that Hypothesis writes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hcl_library import library_expression, with_strings_numbered
from hcl_writer import WrittenModule, written_modules
from hypothesis import HealthCheck, Phase, given, settings
from lark import UnexpectedInput
from project_files import PROJECT
from unapproved_iam.hcl.syntax import Body, HclSyntaxError, parse_body, parse_expression

FIXTURES = PROJECT / "fixtures"
SPLAT_BEHIND_SPLAT = re.compile(r"\*\]?[\w.-]*(?:\[\*|\.\*|\.\d)")  # the library mistakes them, see test_hcl_syntax


def difference(expression: str) -> str:
    """Nothing when the library reads the same, in what is interpolated too, or does not know what it reads."""
    code, interpolated = with_strings_numbered(expression)
    if SPLAT_BEHIND_SPLAT.search(code):
        return ""
    try:
        of_library = library_expression(code)
    except UnexpectedInput:
        of_library = None
    read = parse_expression(code, "")
    if of_library is not None and repr(read) != repr(of_library):
        return f"{code}\nlibrary: {of_library!r}\nreader: {read!r}"
    return "".join(map(difference, interpolated))


def expressions_in(body: Body) -> Iterator[str]:
    for attribute in body.attributes.values():
        yield attribute.text
    for block in body.blocks:
        yield from expressions_in(block.body)


def test_the_expressions_of_the_fixtures() -> None:
    compared = 0
    for path in sorted(FIXTURES.rglob("*.tf")):
        try:
            written = list(expressions_in(parse_body(path.read_bytes(), str(path))))
            for expression in written:
                parse_expression(expression, str(path))
        except HclSyntaxError:
            continue
        assert not "".join(map(difference, written)), path
        compared += len(written)
    assert compared > 500


@settings(max_examples=30, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
          suppress_health_check=list(HealthCheck))  # fmt: skip
@given(module=written_modules(is_open=True))
def test_the_expressions_that_hypothesis_writes(module: WrittenModule) -> None:
    written = [*module.outputs, *expressions_in(parse_body(module.source, ""))]
    assert not "".join(map(difference, written))
