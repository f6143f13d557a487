"""Read a file of the tree in one way, for whoever needs its bytes: never waiting, and in UTF-8 whatever it is in.

A byte order mark says that a file is in UTF-16, which PowerShell's `>` writes, and so does an ASCII character at its
beginning that has a zero beside it. Everything else is UTF-8.
"""

from __future__ import annotations

import errno
import os
import stat

# Without the first, opening a pipe waits for its writer.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_MOST_AT_ONCE = 1024 * 1024


def contents(path: str) -> bytes:
    """All bytes of a file, in UTF-8. Raises OSError, for a pipe or a device too: reading one may never end."""
    # Without a file object: most files are small, and making one takes longer than reading them.
    descriptor = os.open(path, _FLAGS)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "is not a regular file", path)
        content = part = os.read(descriptor, status.st_size + 1)
        while part and len(content) != status.st_size:  # it has grown, or the kernel makes it up as it goes
            part = os.read(descriptor, _MOST_AT_ONCE)
            content += part
    finally:
        os.close(descriptor)
    return in_utf8(content)


def readable(path: str) -> bytes | None:
    """All bytes of a file, None when it cannot be read: whoever needs it says so."""
    try:
        return contents(path)
    except (OSError, ValueError):
        return None


def in_utf8(content: bytes) -> bytes:
    """The same text in UTF-8; what is no text stays as it is, or becomes a replacement character."""
    begin = content[:2]
    if begin in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    elif len(begin) == 2 and begin.count(0) == 1:
        encoding = "utf-16-be" if begin[0] == 0 else "utf-16-le"
    else:
        return content
    return content.decode(encoding, errors="replace").encode("utf-8", errors="replace")


def decoded(content: bytes) -> str:
    """The text of bytes in UTF-8. Never fails: what is no text cannot be part of a policy's name either."""
    return content.decode("utf-8-sig", errors="replace")
