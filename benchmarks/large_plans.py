"""Read plans of growing size, beside what Python takes to decode the same JSON: `python benchmarks/large_plans.py`.

The time of a plan has to grow with its bytes. Figures are medians of whole processes that take turns: megabytes a
second, and memory as a multiple of the file; only ratios say something elsewhere.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from pathlib import Path

from growing_trees import plan

SIZES = (1_000, 5_000, 20_000)  # attachments, of about 5 kB each
RUNS = 3
COMMAND = Path(sys.executable).with_name("unapproved-iam")
DECODE = "import json, sys; json.load(open(sys.argv[1]))"


def main() -> None:
    print("| plan | json.load | check --plan | ratio |\n|---|---|---|---|")
    for size in SIZES:
        with tempfile.TemporaryDirectory() as scratch:
            plan(Path(scratch), size)
            path = Path(scratch, "plan.json")
            decode, check = [], []
            for _ in range(RUNS):
                decode.append(measured(sys.executable, "-c", DECODE, str(path)))
                check.append(measured(str(COMMAND), "check", "--plan", str(path)))
            megabytes = path.stat().st_size / 1e6
        rows = [
            (statistics.median(one for one, _ in runs), statistics.median(one for _, one in runs))
            for runs in (decode, check)
        ]
        said = [f"{megabytes / seconds:.0f} MB/s, {memory / megabytes:.1f} x" for seconds, memory in rows]
        print(f"| {size:,} attachments, {megabytes:.0f} MB | {' | '.join(said)} | {rows[1][0] / rows[0][0]:.1f} |")


def measured(*command: str) -> tuple[float, float]:
    """Seconds and peak megabytes of a process, which must have judged everything."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    process = os.posix_spawn(command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, nowhere, 1)])
    os.close(nowhere)
    _, status, usage = os.wait4(process, 0)
    assert os.waitstatus_to_exitcode(status) in (0, 1), command
    seconds = usage.ru_utime + usage.ru_stime  # of computing: what else the machine does counts less
    return seconds, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6


if __name__ == "__main__":
    main()
