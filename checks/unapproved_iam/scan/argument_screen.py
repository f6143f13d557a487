"""Decide which arguments of calls of modules that are not in the tree may pass a policy: no other one is evaluated.

For `scan.module_graph`, which knows the files, and through it for `terraform.root_module`. Such a call attaches the
policies whose ARNs are among its arguments. Every such ARN holds the word `policy`: references have to lead from the
argument to a text that holds it, or from which it may be put together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from unapproved_iam.hcl.syntax import Attribute
from unapproved_iam.late_patterns import late_pattern
from unapproved_iam.scan.file_reads import reads_files
from unapproved_iam.scan.name_pieces import hides_text
from unapproved_iam.scan.unit_screen import is_escaped
from unapproved_iam.scan.unit_slices import Part, Slices
from unapproved_iam.terraform.passed_arguments import META_ARGUMENTS

# Also in the types of resources that declare policies.
_WORD = late_pattern(rb"policy", re.IGNORECASE)
# A piece of text that ends with a beginning of the word: behind the colon of an ARN, by itself, or as a key.
_BEGUN = late_pattern(
    rb'(?:[:"}\s({,]|%[^a-zA-Z"\n]{0,9}[a-z])p(?:o(?:l(?:ic?)?)?)?(?:["$%\\]|\s*[:=](?![=>]))', re.IGNORECASE
)


def _may_name_policies(text: str | bytes) -> bool:
    source = text.encode() if isinstance(text, str) else text
    written = _WORD.search(source) or _BEGUN.search(source)
    return bool(written) or is_escaped(source) or hides_text(source) or reads_files(source)


class _Unit(NamedTuple):
    """What a root module attaches, as far as its source tells at first sight."""

    attaches: bool
    passing: frozenset[Part]  # parts from which references lead to a policy
    directories: frozenset[str]  # of its modules


class ArgumentScreen:
    """Looks at each text once; `values_of` are the variable files of a root module, None for one that is unreadable."""

    def __init__(self, values_of: Callable[[str], Sequence[bytes | None]]) -> None:
        self._slices = Slices()
        self._values_of = values_of
        self._may_name_policies = cache(_may_name_policies)
        self._unit = cache(self._look_at)

    def may_attach(self, root: str) -> bool:
        """Whether a root module attaches anything by itself, or may do so by what it passes."""
        unit = self._unit(root)
        return unit is None or unit.attaches

    def may_pass(self, root: str, directory: str, arguments: Mapping[str, Attribute]) -> frozenset[str]:
        """The arguments of a call in a directory that may pass a policy."""
        names = frozenset(arguments) - META_ARGUMENTS
        unit = self._unit(root)
        if unit is None or directory not in unit.directories:
            return names
        found = frozenset(name for name in arguments if Part(directory, arguments[name].text) in unit.passing)
        return names if "for_each" in found else found & names

    def _look_at(self, root: str) -> _Unit | None:
        """None where it cannot be told."""
        found = self._slices.of(root)
        if found is None:
            return None
        values = self._values_of(root)
        given = root if any(value is None or self._may_name_policies(value) for value in values) else None
        referring: dict[Part, list[Part]] = {}
        for part, meant in found.parts.items():
            for one in meant:
                referring.setdefault(one, []).append(part)
        passing: set[Part] = set()
        waiting = [part for part in found.parts if self._is_one(part, given)]
        while waiting:
            part = waiting.pop()
            if part not in passing:
                passing.add(part)
                waiting += referring.get(part, ())
        attaches = found.attaches or not passing.isdisjoint(found.passing)
        return _Unit(attaches, frozenset(passing), frozenset(part.directory for part in found.parts))

    def _is_one(self, part: Part, given: str | None) -> bool:
        """Whether the word is in a part itself; `given` is the directory whose variables may hold it."""
        if self._may_name_policies(part.text):
            return True
        roots = {reference[0] for reference in self._slices.references_in(part.text)}
        return (part.directory == given and "var" in roots) or (
            "path" in roots and self._may_name_policies(part.directory)
        )
