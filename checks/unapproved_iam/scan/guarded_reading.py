"""Read one unit with a time limit, and turn a crash of its reader into "could not be checked".

For `scan.tree_check` and the checkov checks. Nesting, alternatives and sizes have limits of their own where they are
read. This is for everything else: a stranger's file may cost a minute, not an afternoon.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from unapproved_iam.policies.attachment import Place, Reading, Unjudged

MOST_SECONDS = 60.0  # of computing, for one unit: the largest public root modules and templates take two

Reader = Callable[[str], Reading | None]


class OutOfTime(BaseException):
    """The time is up. No `Exception`: whoever handles those on the way must not hold it up."""


def guarded(reader: Reader, path: str) -> Reading | None:
    """What a reader finds in a unit: a root module's directory, or the file of a template or plan."""
    try:
        with _limited(MOST_SECONDS):
            return reader(path)
    except OSError as error:
        return _unjudged(path, f"cannot be read: {error.strerror or error}")
    except ModuleNotFoundError:  # nothing can be read by a broken installation
        raise
    except OutOfTime:
        return _unjudged(path, f"takes more than {MOST_SECONDS:g} s to read")
    except Exception as error:
        if os.environ.get("UNAPPROVED_IAM_TRACEBACK"):
            raise
        return Reading(unjudged=(broken_by(path, error),))


def broken_by(path: str, error: Exception) -> Unjudged:
    """A file or unit that met a bug of ours: one odd file must not hide what is found in the others."""
    said = f"could not be read, because of a bug in this program: {type(error).__name__}: {error}"
    return Unjudged(Place(path), said, "please report it", is_whole_unit=True)


def _unjudged(path: str, reason: str, advice: str = "") -> Reading:
    return Reading(unjudged=(Unjudged(Place(path), reason, advice, is_whole_unit=True),))


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Raise OutOfTime when the process has computed for so long; waiting for others does not count.

    Signals reach the main thread only, and Windows has none of these: there the readers' own bounds remain.
    """
    import signal  # most runs read nothing closely
    import threading

    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    is_armed = True

    def stop(number: int, frame: FrameType | None) -> None:
        if is_armed:
            raise OutOfTime

    before = signal.signal(signal.SIGVTALRM, stop)
    # Again and again: one that is raised where Python swallows exceptions, as in a destructor, is lost.
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, 0.1)
    try:
        try:
            yield
        finally:
            is_armed = False
    finally:  # also when the last one came on the way to the line above
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
