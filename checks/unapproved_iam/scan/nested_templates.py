"""Decide which templates are checked only through those that nest them, as called modules are through their calls.

For `scan.tree_check` and the checkov checks. What a parent passes decides what the nested template attaches. One that
only templates in directories below it nest, such as its own examples, is published: it counts by itself as well.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache

from unapproved_iam.policies.attachment import Unjudged
from unapproved_iam.scan.guarded_reading import guarded
from unapproved_iam.scan.source_files import Kind, walk
from unapproved_iam.source_bytes import readable


def judged_through_others(nested: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """The files that are judged as parts of others; `nested` are those of each unit, however deep."""
    callers: dict[str, list[str]] = {}
    for unit, files in nested.items():
        for file in files:
            if file != unit and not _is_below(os.path.dirname(unit), os.path.dirname(file)):
                callers.setdefault(file, []).append(unit)
    # Of templates that nest each other nobody is the outermost: each counts by itself.
    return frozenset(file for file, units in callers.items() if any(unit not in callers for unit in units))


def _is_below(directory: str, above: str) -> bool:
    return directory.startswith(above.rstrip(os.sep) + os.sep) and directory != above


@lru_cache(maxsize=8)
def judged_through_others_below(directory: str) -> frozenset[str]:
    """The same for all templates in a directory and below it; for who does not read the whole tree anyway."""
    from unapproved_iam.cloudformation.template import read_template  # the command has read everything already
    from unapproved_iam.scan.name_pieces import nests_files  # compiles many searches

    nested = {}
    for found in walk([directory]):
        for path in () if isinstance(found, Unjudged) else found.paths(Kind.TEMPLATE):
            reading = guarded(read_template, path) if nests_files(readable(path) or b"") else None
            if reading is not None:
                nested[path] = reading.nested
    return judged_through_others(nested)
