"""Read many units in several processes at once, where there are several processors: each unit is read by itself.

For `scan.tree_check`. If a process ends early, because memory ran out or somebody killed it, the run ends: what it had
to read may not be clean.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import BinaryIO

from unapproved_iam.policies.attachment import Reading
from unapproved_iam.program import UsageError

FEWEST_UNITS = 8  # fewer are read before another process is ready

Reader = Callable[[str], Reading | None]
Watch = Callable[[Sequence[str]], Iterable[str]]  # gives the same units, and may tell somebody how far it is


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def read_side_by_side(reader: Reader, units: Sequence[str], jobs: int, watch: Watch = iter) -> list[Reading | None]:
    """What the reader finds in each of the units, in their order. Raises what a reader raises.

    Watched are the units that this process reads itself: the others take as long.
    """
    if jobs < 2 or len(units) < FEWEST_UNITS or not hasattr(os, "fork"):
        return [reader(unit) for unit in watch(units)]
    found: dict[str, Reading | None] = {}
    shares = [units[first::jobs] for first in range(jobs)]
    with _processes(reader, shares[1:]) as answers:
        found.update(_read(reader, watch(shares[0])))
        for answer in answers:
            found.update(_received(answer))
    return [found[unit] for unit in units]


def _read(reader: Reader, units: Iterable[str]) -> dict[str, Reading | None]:
    return {unit: reader(unit) for unit in units}


@contextmanager
def _processes(reader: Reader, shares: Sequence[Sequence[str]]) -> Iterator[list[BinaryIO]]:
    """A copy of this process for each share, and where its answer comes from; none is left behind."""
    from signal import SIGKILL  # Windows has none

    parent = os.getpid()
    answers: list[BinaryIO] = []
    children: list[int] = []
    restore = _ended_together(children)
    try:
        for share in shares:
            receiving, sending = os.pipe()
            child = os.fork()
            if child == 0:
                restore()
                os.close(receiving)  # or it would wait for ever for itself to listen
                _answer(reader, share, sending, parent)
            os.close(sending)
            children.append(child)
            answers.append(os.fdopen(receiving, "rb"))
        yield answers
    finally:
        for answer in answers:
            answer.close()  # whoever still writes is told that nobody listens
        for child in children:
            os.kill(child, SIGKILL)  # it has answered, or nobody wants the answer any more
            os.waitpid(child, 0)
        restore()


def _ended_together(children: Sequence[int]) -> Callable[[], None]:
    """Let what ends this process by request end its copies first; what is returned undoes that.

    A process that is ended otherwise is missed by its copies before their next unit.
    """
    import signal
    import threading

    if threading.current_thread() is not threading.main_thread():
        return lambda: None  # only the main thread hears of signals

    def end(number: int, frame: FrameType | None) -> None:
        for child in children:
            os.kill(child, signal.SIGKILL)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    return restore


def _answer(reader: Reader, share: Sequence[str], sending: int, parent: int) -> None:
    """Send what is found, or what went wrong, and end without running what the copied process would run at its end."""
    import pickle

    try:
        try:
            answer: object = _read(reader, _while_waited_for(share, parent))
        except Exception as error:
            answer = error
        with open(sending, "wb") as pipe:
            pickle.dump(answer, pipe)
    except BaseException:  # interrupted, or nobody listens: the missing answer says so
        os._exit(1)
    os._exit(0)


def _while_waited_for(share: Sequence[str], parent: int) -> Iterator[str]:
    """The units, as long as the process lives that wants the answer: whatever ends it ends its copies."""
    for unit in share:
        if os.getppid() != parent:
            os._exit(1)
        yield unit


def _received(answer: BinaryIO) -> dict[str, Reading | None]:
    import pickle

    try:
        found = pickle.load(answer)
    except (EOFError, pickle.UnpicklingError):
        raise UsageError("a worker process ended early (is there enough memory?)") from None
    if isinstance(found, Exception):
        raise found
    return dict(found)
