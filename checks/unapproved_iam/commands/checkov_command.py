"""Start `unapproved-iam checkov`: real checkov with these checks, for teams that want everything in one checkov report.

All of checkov's checks run beside IAM_068; every argument that is not ours is checkov's. What the scanned tree brings
along must neither switch the check off nor run: checkov takes settings from `.checkov.yaml` in the scanned directory,
the working directory and the home directory, and from its environment variables, and Python takes modules from the
working directory and PYTHONPATH. So checkov runs in a process of its own, isolated from all of these, and
`checkov_host.session` tells there what it may not be told by a file.

Exit codes: 0 clean, 1 a violation of any check, 2 could not check everything.
"""

from __future__ import annotations

import os
import site
import subprocess
import sys
import tempfile
from argparse import SUPPRESS, ArgumentParser
from collections.abc import Mapping, Sequence

from unapproved_iam.commands.command_line import DENY_LIST, argument_parser
from unapproved_iam.deny_list.discovery import ENVIRONMENT_VARIABLE
from unapproved_iam.printed_words import complain
from unapproved_iam.program import CLEAN, COULD_NOT_JUDGE, VIOLATION, checks_directory

# checkov's own variables ("Environment Variables" and `--help` in the checkov documentation), and Python's.
CHECKOV_VARIABLES = ("CKV_", "CHECKOV_", "BC_", "PRISMA_", "RENDER_", "CREATE_", "PYTHON")
CHECKOV_SWITCHES = frozenset(
    {
        "DOWNLOAD_EXTERNAL_MODULES",
        "ENABLE_CONFIG_FILE_VALIDATION",
        "EVAL_TF_PLAN_AFTER_UNKNOWN",
        "EXTERNAL_MODULES_DIR",
        "HCL_PARSE_TIMEOUT_SEC",
        "RAW_TF_IN_GRAPH",
        "TF_SPLIT_GRAPH",
    }
)

# checkov opens these while it still stands in the empty directory.
OPENED_AT_START = ("--config-file", "--create-config")

# `-I` keeps Python from adding the working directory, PYTHONPATH and the user's packages to its path.
_SESSION = """
import sys
sys.path.insert(0, sys.argv[1])
from unapproved_iam.commands.command_line import guarded
def session():
    from unapproved_iam.checkov_host.session import main
    return main()
sys.exit(guarded("checkov", session))
"""


def parser() -> ArgumentParser:
    parser = argument_parser("checkov")
    parser.epilog = "every other argument is checkov's own, see checkov --help"
    parser.add_argument("--deny-list", **DENY_LIST)
    for name in OPENED_AT_START:
        parser.add_argument(name, help=SUPPRESS)
    return parser


def main(argv: Sequence[str]) -> int:
    own, arguments = parser().parse_known_args(argv)
    for name in OPENED_AT_START:
        path = getattr(own, name.removeprefix("--").replace("-", "_"))
        arguments += [f"{name}={os.path.abspath(path)}"] if path else []
    packages = site.getusersitepackages() if site.ENABLE_USER_SITE else ""
    with tempfile.TemporaryDirectory(prefix="unapproved-iam-") as empty:
        code = subprocess.call(
            [sys.executable, "-I", "-c", _SESSION, str(checks_directory()), os.getcwd(), packages, *arguments],
            cwd=empty,
            env=environment(os.environ, home=empty, deny_list=own.deny_list),
        )
    return code if code in (CLEAN, VIOLATION, COULD_NOT_JUDGE) else complain(f"checkov ended with {code}")


def environment(environ: Mapping[str, str], home: str, deny_list: str | None) -> dict[str, str]:
    """The variables that checkov gets to see."""
    kept = {
        name: value
        for name, value in environ.items()
        if not name.upper().startswith(CHECKOV_VARIABLES) and name.upper() not in CHECKOV_SWITCHES
    }
    kept |= {"HOME": home, "USERPROFILE": home}
    kept["CKV_SKIP_PACKAGE_UPDATE_CHECK"] = "true"  # asks the network at each start
    if sys.platform in ("darwin", "win32"):
        kept["CHECKOV_PARALLELIZATION_TYPE"] = "none"  # there, runners are threads that share each check's state
    if deny_list is not None:
        kept[ENVIRONMENT_VARIABLE] = deny_list
    return kept
