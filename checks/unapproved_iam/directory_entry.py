"""Tell what an entry of a directory is, links and broken ones among them.

For whoever lists directories: the walk over a tree, and the reader of a Terraform module.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

_hidden: set[str] = set()


def is_file(entry: os.DirEntry[str]) -> bool:
    """Whether it is a file, perhaps behind a link. A link that leads to itself is none, as one that leads nowhere is.

    What cannot be told counts as one: whoever reads it says why it cannot be read.
    """
    if _hidden and os.path.abspath(entry.path) in _hidden:
        return False
    try:
        return entry.is_file()
    except OSError as error:
        return error.errno != errno.ELOOP


@contextmanager
def hiding(files: Iterable[str]) -> Iterator[None]:
    """Meanwhile no directory holds these files, given by their absolute paths."""
    _hidden.update(files)
    try:
        yield
    finally:
        _hidden.clear()
