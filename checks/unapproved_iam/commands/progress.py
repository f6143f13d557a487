"""Show a progress bar at a terminal when a run takes more than two seconds; on standard error, and never in a log.

For `check`, and for `audit` of several accounts. The bar is tqdm's, which the extra `terminal` brings. It is imported
only when there is something to show.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from typing import Any, TypeVar

Unit = TypeVar("Unit")

PATIENCE = 2.0  # seconds


def watched(units: Sequence[Unit]) -> Iterator[Unit]:
    """The units, one after the other; each is done when the next one is asked for."""
    if not sys.stderr.isatty():
        yield from units
        return
    started = time.monotonic()
    done = 0
    while done < len(units) and time.monotonic() - started < PATIENCE:
        yield units[done]
        done += 1
    if done < len(units):
        with _bar(len(units), done) as bar:
            for unit in units[done:]:
                yield unit
                if bar is not None:
                    bar.update()


def _bar(total: int, done: int) -> Any:
    try:
        from tqdm import tqdm
    except ModuleNotFoundError:
        return nullcontext()
    tqdm.monitor_interval = 0  # no thread beside the processes that read
    layout = "reading {percentage:3.0f} % {bar} {elapsed}"
    return tqdm(total=total, initial=done, file=sys.stderr, leave=False, bar_format=layout)
