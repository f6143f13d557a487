"""Decide whether a denied name may stand in the parts of a root module that say what it attaches.

For `scan.module_graph`. Looked for is what `scan.unit_screen` and `scan.name_pieces` look for in whole files.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import cache, reduce
from operator import or_

from unapproved_iam.scan.file_reads import read_paths
from unapproved_iam.scan.screen_evidence import Evidence, holds_template, suffices
from unapproved_iam.scan.unit_screen import Screen
from unapproved_iam.scan.unit_slices import Part, Slices
from unapproved_iam.source_bytes import readable


class SliceScreen:
    """Looks at each part and each file once. Expressions read the files that are `readable`."""

    def __init__(self, screen: Screen, is_readable: Callable[[str], bool]) -> None:
        self._is_readable = is_readable
        self._slices = Slices()
        self._paths_in = cache(_paths_in)
        self._encoded = cache(str.encode)
        self._holds_template = cache(holds_template)
        pieces = screen.pieces
        self._rare = cache(screen.rare_in_expressions)
        self._common = cache(pieces.common_in_terraform)
        self._rare_in_file = cache(lambda path: _look(path, screen.rare_in_read))
        self._common_in_file = cache(lambda path: _look(path, pieces.common_in_text))

    def may_name(self, root: str, values: Sequence[bytes | None]) -> bool:
        """Whether a denied name may come of what a root module attaches.

        `values` are its variable files, None for one that cannot be read.
        """
        found = self._slices.of(root)
        known = [source for source in values if source is not None]
        if found is None or len(known) < len(values):
            return True
        parts = found.parts
        paths = {os.path.normpath(os.path.join(root, path)) for part in parts for path in self._paths_in(part)}
        if any("*" in path for path in paths):
            return True
        texts = {*(self._encoded(part.text) for part in parts), *known}
        if any(map(self._holds_template, texts)):
            texts = {b"\n".join(sorted(texts))}  # the template may be put together from several
        files = [path for path in paths if self._is_readable(path)]
        evidence = reduce(or_, (*map(self._rare, texts), *map(self._rare_in_file, files)), Evidence.TYPE)
        if not suffices(evidence) and evidence & (Evidence.FIRST_PIECE | Evidence.OPEN_ARN):
            evidence = reduce(or_, (*map(self._common, texts), *map(self._common_in_file, files)), evidence)
        return suffices(evidence)


def _look(path: str, into: Callable[[bytes], Evidence]) -> Evidence:
    source = readable(path)
    return Evidence.NAME if source is None else into(source)


def _paths_in(part: Part) -> set[str]:
    """The paths that a part of the source may read; relative ones count from the root module."""
    return read_paths(part.text.encode(), part.directory) if "file" in part.text else set()
