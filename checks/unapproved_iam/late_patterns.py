"""Regular expressions that are compiled when they are used for the first time.

For every part that has some: compiling takes longer than most searches, and most runs use few of those that there are.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, AnyStr, cast


def late_pattern(written: AnyStr | Callable[[], AnyStr], flags: int = 0) -> re.Pattern[AnyStr]:
    """What `re.compile` gives; an expression that takes time to write may come from a function."""
    return cast("re.Pattern[AnyStr]", _LatePattern(written, flags))


class _LatePattern:
    """Has the attributes of a compiled expression, each from its first use on."""

    def __init__(self, written: Any, flags: int) -> None:
        self._written = written
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        written = self._written() if callable(self._written) else self._written
        value = getattr(re.compile(written, self._flags), name)  # `re` keeps what it has compiled
        setattr(self, name, value)
        return value
