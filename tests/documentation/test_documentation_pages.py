"""The pages of the documentation: what is made from the code is up to date, and every link leads somewhere."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token
from project_files import PAGES, PROJECT, README
from unapproved_iam.reports.rule_text import CHECK_ID, DESCRIPTION, HELP, TITLE

sys.path.insert(0, str(PROJECT / "scripts"))
from make_command_reference import REFERENCE, reference

RULE = PROJECT / "docs/rule.md"
MARKDOWN = MarkdownIt("commonmark").enable("table")


def inline(page: Path) -> Iterator[tuple[Token, list[Token]]]:
    """Each stretch of text, as the token before it, which says what it is of, and the tokens in it."""
    tokens = MARKDOWN.parse(page.read_text())
    for before, token in pairwise(tokens):
        if token.type == "inline":
            yield before, token.children or []


def headings(page: Path) -> list[str]:
    return [
        "".join(token.content for token in tokens) for before, tokens in inline(page) if before.type == "heading_open"
    ]


def anchors(page: Path) -> set[str]:
    """As the repository's host makes them from headings."""
    slugs = [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings(page)]
    assert not [slug for slug, times in Counter(slugs).items() if times > 1], "a link cannot tell these apart"
    return set(slugs)


def targets(page: Path) -> list[str]:
    tokens = [token for _, tokens in inline(page) for token in tokens]
    return [str(token.attrs[name]) for token in tokens for name in ("href", "src") if name in token.attrs]


@pytest.mark.parametrize("page", sorted({*PROJECT.glob("*.md"), *PAGES}), ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in targets(page):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        place = (page.parent / path).resolve() if path else page
        assert place.exists(), target
        assert place.is_relative_to(PROJECT), target
        assert not anchor or anchor in anchors(place), target


def test_links_are_found() -> None:
    found = targets(README)
    assert "docs/ci.md" in found
    assert "docs/how-to/plans.md" in found
    assert "benchmarks.svg" in targets(PROJECT / "docs/benchmarks.md")


def test_the_readme_leads_to_every_page() -> None:
    assert {page.relative_to(PROJECT).as_posix() for page in PAGES[1:]} <= set(targets(README))


def test_the_command_reference_is_what_the_parsers_say() -> None:
    assert reference() == REFERENCE.read_text(), "run scripts/make_command_reference.py"


def test_the_rule_page_has_its_order_and_says_what_reports_say() -> None:
    assert headings(RULE) == [
        f"Rule {CHECK_ID}",
        "What it does",
        "Example",
        "Output",
        "Why",
        "How to fix",
        "How to get an exception",
    ]
    for sentence in re.split(r"(?<=\.) ", f"{TITLE}. {DESCRIPTION} {HELP}"):
        assert sentence in RULE.read_text()
