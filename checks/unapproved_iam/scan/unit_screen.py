"""Prove from their bytes alone that some files attach nothing denied: the cheap test before any parser.

A unit (a root module with its local modules and variable files, or a template) is read closely only when its files
together show evidence of *types*, something that may attach a policy, and of *names*, something from which the name of
a denied policy may come. This file looks for types and for whole names; `scan.name_pieces` looks on where types are
there and names are not. The test errs on one side only: whatever the readers could find denied shows both.

Names rule out denied verdicts only. Where the list makes unresolved ones fail, or denies every policy, types alone
decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, cached_property
from typing import TYPE_CHECKING

from unapproved_iam.cloudformation.resource_types import ATTACHING_TYPES as TEMPLATE_TYPES
from unapproved_iam.deny_list.entries import DenyList, Unresolved
from unapproved_iam.late_patterns import late_pattern
from unapproved_iam.scan.screen_evidence import (
    Evidence,
    LiteralRun,
    holds_template,
    suffices,
    without_tests,
)
from unapproved_iam.terraform.source_look import may_attach, may_call
from unapproved_iam.word_patterns import Search, searches_for

if TYPE_CHECKING:
    from unapproved_iam.scan.name_pieces import NamePieces


# Characters that a parser makes of others: escapes (but for `<`, `>` and `&`, which encoders of JSON write so), UTF-16,
# and in YAML a line that goes on after a backslash (U+0085, U+2028 and U+2029 end lines, too), and base64. In a shell
# script a blank precedes the backslash.
_ESCAPED = late_pattern(rb"\\(?:u(?!00(?:3[cCeE]|26))[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|x[0-9a-fA-F]{2})")
_FOLDED = late_pattern(rb"\\(?:[\r\n](?<=[^\s\\]\\[\r\n])|\xc2\x85|\xe2\x80[\xa8\xa9])")
_TAGGED = late_pattern(rb"![^\s\"']*binary")

# OpenTofu lets variables choose the source: then anything may be called.
_CHOSEN_SOURCE = late_pattern(rb'source(?<!\wsource)"?(?:\s|/\*(?s:.*?)\*/)*[=:]\s*(?:[^"\s]|"[^"\n]*[$%])')

_LITERAL = late_pattern(r'\s*"[^"$%]*"\s*')

# What brings types or names that do not stand in the template.
_TEMPLATE_MACROS = (b"Fn::ForEach", b"Fn::Transform", b"AWS::Include", b"!Rain::")


class Screen:
    """Looks for evidence against one deny list."""

    def __init__(self, deny_list: DenyList) -> None:
        self._deny_list = deny_list
        self.runs = tuple(LiteralRun.of(entry.policy) for entry in deny_list.entries)
        # The empty name is found everywhere: where names do not count, and that of an entry which tells none.
        by_names = deny_list.unresolved is Unresolved.PASS
        self._names = searches_for([run.text for run in self.runs] if by_names else [""])

    def terraform(self, source: bytes, files: Sequence[bytes] = ()) -> Evidence:
        """Types and whole names in a file of Terraform source or variables, or in the JSON of a plan.

        Several files of a directory are given joined, and as they are.
        """
        if is_escaped(source):
            return Evidence.EVERYTHING
        calls = may_call(source)  # of a module that is not in the tree attaches by its arguments
        if calls and chooses_source(source, files):
            return Evidence.EVERYTHING
        evidence = Evidence.TYPE if calls or may_attach(source) else Evidence.NOTHING
        if self._names_policy(source) and self._names_policy(without_tests(source)):
            evidence |= Evidence.NAME
        if holds_template(source):
            for file in filter(holds_template, files or [source]):
                evidence |= self.template(file)
        return evidence

    def may_name(self, source: bytes) -> bool:
        """Whether a whole name may stand in a file."""
        return is_escaped(source) or self._names_policy(source)

    @property
    def names_count(self) -> bool:
        """Whether names rule anything out: not where the list looks for any policy."""
        return not self._names_policy(b"")

    def rare_in_expressions(self, source: bytes) -> Evidence:
        """Whole names in expressions of Terraform source, and what is seldom found there beside them."""
        if is_escaped(source) or (self._names_policy(source) and self._names_policy(without_tests(source))):
            return Evidence.NAME
        if holds_template(source) and self.template(source) & Evidence.NAME:
            return Evidence.NAME
        return self.pieces.rare_in_terraform(source)

    def _names_policy(self, source: bytes) -> bool:
        return _finds(self._names, source)

    def template(self, source: bytes, names: bool = True) -> Evidence:
        """Types and whole names in a CloudFormation template or a further document, or in what may be one.

        Without `names` it has none, as `may_name` says, and they are not looked for again.
        """
        if (names and is_escaped(source)) or (b"\\" in source and _FOLDED.search(source)) or b"%TAG" in source:
            return Evidence.EVERYTHING
        has_colons = b"::" in source
        if (b"binary" in source and _TAGGED.search(source)) or (has_colons and _holds(_TEMPLATE_MACROS, source)):
            return Evidence.EVERYTHING
        is_one = (has_colons and _finds(_template_types(), source)) or _may_attach_elsewhere(source)
        evidence = Evidence.TYPE if is_one else Evidence.NOTHING
        return evidence | Evidence.NAME if names and self._names_policy(source) else evidence

    def rare_in_read(self, source: bytes) -> Evidence:
        """Whole names in a file that Terraform source reads, and what is seldom found there beside them."""
        return self.template(source) & Evidence.NAME or self.pieces.rare_in_read(source)

    def template_by_itself(self, source: bytes, names: bool = True) -> Evidence:
        """What decides whether a template by itself has to be read; `names` as of `template`."""
        evidence = self.template(source, names)
        if not evidence:  # of most files, and flags are slow
            return evidence
        if evidence == Evidence.TYPE:
            evidence |= self.pieces.rare_in_template(source)
        if evidence & Evidence.FIRST_PIECE:
            evidence |= self.pieces.common_in_text(source)
        return evidence

    def names_in_text(self, source: bytes, elsewhere: Evidence = Evidence.NOTHING) -> Evidence:
        """Whole names and what they are made of, in a template or in what goes into one; `elsewhere` is what its other
        parts show."""
        names = self.template(source) & Evidence.NAME
        if names:
            return names
        evidence = elsewhere | self.pieces.rare_in_text(source)
        return evidence | self.pieces.common_in_text(source) if evidence & Evidence.FIRST_PIECE else evidence

    def plan_suffices(self, source: bytes) -> bool:
        """Whether the JSON of a plan has to be read."""
        evidence = self.terraform(source)
        if evidence == Evidence.TYPE:
            evidence |= self.pieces.rare_in_terraform(source) | self.pieces.common_in_terraform(source)
        return suffices(evidence)

    @cached_property
    def pieces(self) -> NamePieces:
        """The closer look; only trees with types and without names need it."""
        from unapproved_iam.scan.name_pieces import NamePieces  # compiles many searches

        return NamePieces(self._deny_list, self.runs)


# The one character that becomes an ASCII letter when Terraform normalizes a string.
_KELVIN_SIGN = "\u212a".encode()


def is_escaped(source: bytes) -> bool:
    if b"\0" in source or (b"\\" in source and _ESCAPED.search(source) is not None):
        return True
    return not source.isascii() and _KELVIN_SIGN in source


def _may_attach_elsewhere(source: bytes) -> bool:
    """Whether a row of `documents.document_types` may be about a file: what attaches policies says so in a key."""
    is_key = _POLICY_KEY.search(source) is not None or b"managed_policy" in source
    return is_key and _holds(_document_marks(), source)


_POLICY_KEY = late_pattern(rb"olic(?:ies|y[AR])")  # not the `imagePullPolicy` of every deployment


# These are asked of every file: a generator takes as long to begin as one of them to search.
def _holds(words: Sequence[bytes], source: bytes) -> bool:
    for word in words:  # noqa: SIM110
        if word in source:
            return True
    return False


def _finds(searches: Sequence[Search], source: bytes) -> bool:
    for search in searches:  # noqa: SIM110
        if search(source):
            return True
    return False


@cache
def _template_types() -> tuple[Search, ...]:
    return searches_for([*TEMPLATE_TYPES, "::MODULE"])


@cache
def _document_marks() -> list[bytes]:
    from unapproved_iam.documents.document_types import MARKS, SERVERLESS_MARKS  # few changes are about policies

    return [mark.encode() for mark in (*MARKS, *SERVERLESS_MARKS)]


def chooses_source(source: bytes, files: Sequence[bytes] = ()) -> bool:
    """Whether a module call in the files, or in the one, has a source that is no literal; true where that cannot be
    told."""
    return _CHOSEN_SOURCE.search(source) is not None and any(map(_chooses_source, files or [source]))


def _chooses_source(source: bytes) -> bool:
    if not may_call(source) or _CHOSEN_SOURCE.search(source) is None:
        return False
    from unapproved_iam.hcl.syntax import HclSyntaxError, parse_body  # no library is needed to cut out blocks

    try:
        calls = [block.body.attributes for block in parse_body(source, "").blocks if block.type == "module"]
    except HclSyntaxError:  # .tf.json, too
        return True
    return not all(_LITERAL.fullmatch(call["source"].text) for call in calls if "source" in call)


def may_be_plan(source: bytes) -> bool:
    """Whether a JSON file may be a Terraform plan ("JSON Output Format" in the Terraform documentation)."""
    return b'"planned_values"' in source or b'"resource_changes"' in source


def may_export(source: bytes) -> bool:
    return b"Export" in source and b"Outputs" in source


def may_import(source: bytes) -> bool:
    """Whether a template may import what others export."""
    return b"ImportValue" in source
