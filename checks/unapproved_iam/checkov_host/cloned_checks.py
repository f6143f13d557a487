"""Keep checkov to the directory that `--external-checks-git URL//checks` names.

checkov 3.3 splits the directory off the URL and then forgets it. Of the whole clone it reads every YAML and JSON file
as a policy of its own, and the first file that is not one, such as a template or a list with a date, ends the run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from checkov.common.checks_infra.registry import Registry
from unapproved_iam.program import checks_directory


def keep_to_checks() -> None:
    """Make checkov look for policies in the checks' directory, when it would in a directory above."""
    load = getattr(Registry, "_load_checks_from_dir", None)
    if load is None or hasattr(load, "keeps_to"):
        return

    def load_from_checks(self: Any, directory: str, external_check: bool) -> None:
        checks = checks_directory()
        is_above = external_check and Path(directory).resolve() in checks.parents
        load(self, str(checks) if is_above else directory, external_check)

    load_from_checks.keeps_to = checks_directory()  # type: ignore[attr-defined]
    Registry._load_checks_from_dir = load_from_checks
