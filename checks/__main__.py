"""Launch the `unapproved-iam` command: `python checks` in a clone, `unapproved-iam` when installed.

The engine stands beside this file and is imported by its bare name, so that one spelling works in a clone, in a copy,
in the wheel and under checkov, whatever else is installed. checkov never executes a file whose name begins with `__`.
"""

from __future__ import annotations

import gc
import os
import sys


def main() -> int:
    # Most of what is made stays, modules first: looking for garbage seven times as often takes longer.
    gc.set_threshold(5_000)
    directory = os.path.dirname(os.path.realpath(__file__))
    sys.path.insert(0, directory)
    import unapproved_iam

    portions = getattr(unapproved_iam, "__path__", None) or [unapproved_iam.__file__]
    found = os.path.realpath(next(iter(portions)))
    if found != os.path.join(directory, "unapproved_iam"):
        # A package of that name, e.g. on PYTHONPATH, wins over a directory, wherever it stands on sys.path.
        print(f"{found}: shadows the engine in {directory}", file=sys.stderr)
        return 2
    from unapproved_iam.commands import command_line

    return command_line.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
