"""Write the names of all AWS managed policies from the documents that moto ships, and show what changed.

Run it before a release, with the newest moto installed: python scripts/refresh_managed_policies.py
"""

from __future__ import annotations

import difflib
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "checks"))

from unapproved_iam.managed_policy_names import NAMES_FILE


def main() -> int:
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    policies = json.loads(aws_managed_policies_data)
    names = sorted(policy["Path"].lstrip("/") + name for name, policy in policies.items())
    before = NAMES_FILE.read_text(encoding="ascii").splitlines() if NAMES_FILE.exists() else []
    for line in difflib.unified_diff(before, names, "before", "after", lineterm="", n=0):
        if not line.startswith("@@"):
            print(line)
    NAMES_FILE.write_text("".join(f"{name}\n" for name in names), encoding="ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main())
