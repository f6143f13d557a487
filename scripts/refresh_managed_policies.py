"""Bring the names of AWS managed policies and the computed built-in lists up to date, and show what changed.

Run it before a release, with the newest moto and cloudsplaining (checkov brings it along) installed:

    python scripts/refresh_managed_policies.py

A name that AWS has removed stays known, for it may still be attached; when it is missing in `aws-deprecated`, this says
so. Takes about 20 seconds.
"""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "checks"))

from builtin_list_analysis import Policy, computed_lists
from unapproved_iam.deny_list.builtin_lists import BUILTIN_LISTS, file_of, written
from unapproved_iam.policies.managed_policy_names import NAMES_FILE


def main() -> int:
    policies = list(policies_of_moto())
    refresh(Path(NAMES_FILE), names_file(policies))
    for name, entries in computed_lists(policies).items():
        refresh(Path(file_of(name)), written(entries))
    for name in sorted(removed_names(policies)):
        print(f"AWS has removed {name}: add it to {Path(file_of('aws-deprecated')).name}, with what replaces it")
    return 0


def policies_of_moto() -> Iterable[Policy]:
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    for name, policy in sorted(json.loads(aws_managed_policies_data).items()):
        yield Policy(name, policy["Path"], policy["DefaultVersionId"], policy["Document"])


def names_file(policies: Iterable[Policy]) -> str:
    """The present names, and those of earlier releases: a policy moved to another path counts once."""
    present = {policy.name: policy.path.lstrip("/") + policy.name for policy in policies}
    earlier = {line.rpartition("/")[2]: line for line in _lines(Path(NAMES_FILE))}
    return "".join(f"{line}\n" for line in sorted({**earlier, **present}.values()))


def removed_names(policies: Iterable[Policy]) -> set[str]:
    known = {line.rpartition("/")[2] for line in _lines(Path(NAMES_FILE))}
    return known - {policy.name for policy in policies} - {entry.policy for entry in BUILTIN_LISTS["aws-deprecated"]}


def refresh(path: Path, text: str) -> None:
    print(f"{path.name}: {len(text.splitlines())} entries")
    for line in difflib.unified_diff(_lines(path), text.splitlines(), lineterm="", n=0):
        if not line.startswith(("---", "+++", "@@")):
            print(f"  {line}")
    path.write_text(text, encoding="utf-8")


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


if __name__ == "__main__":
    sys.exit(main())
