"""Read a file of the tree in one way, for whoever needs its bytes: never waiting, and in UTF-8 whatever it is in.

A byte order mark says that a file is in UTF-16, which PowerShell's `>` writes, and so does an ASCII character at its
beginning that has a zero beside it. Everything else is UTF-8.
"""

from __future__ import annotations

import errno
import os
import stat

_AT_ONCE = getattr(os, "O_NONBLOCK", 0)  # else opening a pipe waits for its writer


def contents(path: str) -> bytes:
    """All bytes of a file, in UTF-8. Raises OSError, for a pipe or a device too: reading one may never end."""
    with open(path, "rb", buffering=0, opener=_opened) as file:
        content: bytes | None = file.readall()
    if content is None:  # what the kernel shows as a file may have nothing to say yet
        raise OSError(errno.EAGAIN, "has no content that can be read now", path)
    return in_utf8(content)


def _opened(path: str, flags: int) -> int:
    descriptor = os.open(path, flags | _AT_ONCE)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, "is no regular file", path)


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
