"""Launch the `unapproved-iam` command: `python checks` in a clone, `unapproved-iam` when installed.

The engine stands beside this file and is imported by its bare name, so that one spelling works in a clone, in a copy,
in the wheel and under checkov, whatever else is installed. checkov never executes a file whose name begins with `__`.
"""

from __future__ import annotations

import os
import sys


def main() -> int:
    sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
    from unapproved_iam.command_line import main as run_command

    return run_command(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
