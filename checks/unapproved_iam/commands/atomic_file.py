"""Write a file whole or not at all: whoever reads it, or interrupts this, finds the old content or the new one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Changed(Exception):
    """Somebody else has written the file since it was read."""


def write_new(path: str, content: bytes) -> None:
    """Write a file that is not there yet. Raises FileExistsError, else OSError."""
    with temporary_beside(path, content, mode=0o666 & ~_umask()) as temporary:
        os.link(temporary, path)  # unlike a rename, it refuses to replace


def replace(path: str, old: bytes, new: bytes) -> None:
    """Replace a file's content, through a symbolic link too. Raises Changed unless it is still `old`, or OSError."""
    path = os.path.realpath(path)
    with temporary_beside(path, new, mode=os.stat(path).st_mode & 0o777) as temporary, _only_writer(path):
        with open(path, "r+b") as file:  # for writing: a read-only file is not to be replaced either
            if file.read() != old:
                raise Changed(path)
        os.replace(temporary, path)


@contextmanager
def _only_writer(path: str) -> Iterator[None]:
    """Let nobody else who asks for this write between a look at the file and its replacement.

    The directory is locked, since the file itself is another one afterwards; where that cannot be, nothing is.
    """
    try:
        from fcntl import LOCK_EX, flock
    except ModuleNotFoundError:  # on Windows
        yield
        return
    directory = os.open(os.path.dirname(path), os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without locks
            flock(directory, LOCK_EX)
        yield
    finally:
        os.close(directory)


@contextmanager
def temporary_beside(path: str, content: bytes, mode: int = 0o600) -> Iterator[str]:
    """A complete file in the same directory, hence on the same file system; it is gone afterwards."""
    descriptor, temporary = tempfile.mkstemp(prefix=".unapproved-iam-", dir=os.path.dirname(path) or os.curdir)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        yield temporary
    finally:
        with suppress(FileNotFoundError):
            os.unlink(temporary)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
