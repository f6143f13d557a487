"""Tell what an entry of a directory is, links and broken ones among them.

For whoever lists directories: the walk over a tree, and the reader of a Terraform module.
"""

from __future__ import annotations

import errno
import os


def is_file(entry: os.DirEntry[str]) -> bool:
    """Whether it is a file, perhaps behind a link. A link that leads to itself is none, as one that leads nowhere is.

    What cannot be told counts as one: whoever reads it says why it cannot be read.
    """
    try:
        return entry.is_file()
    except OSError as error:
        return error.errno != errno.ELOOP
