"""Say of a file that somebody takes for a Terraform plan in JSON what it is instead.

For `terraform.plan`, and for whoever is handed a file as a plan. Sources: "Machine-Readable UI" in the documentation of
Terraform, "State and Plan Encryption" in that of OpenTofu.
"""

from __future__ import annotations

import re

from unapproved_iam.late_patterns import late_pattern

HOW_TO = "write the plan with `terraform show -json PLANFILE`"

# The first that is found in a file says what it is.
_FORMS = (
    (late_pattern(rb"\APK\x03\x04[\s\S]*tfplan"), "is a plan file, not its JSON"),
    (late_pattern(rb'\A\s*\{[\s\S]*"encrypted_data"\s*:'), "is encrypted by OpenTofu"),
    (late_pattern(rb'"@module"\s*:\s*"(?:terraform|tofu)\.ui"'), "is the log that `terraform plan -json` prints"),
    (late_pattern(rb'\A\s*\{[\s\S]*"lineage"\s*:'), "is a state file, which does not say what will be attached"),
    (
        late_pattern(rb'\A\s*\{[\s\S]*"terraform_version"\s*:[\s\S]*"values"\s*:\s*\{'),
        "is the JSON of a state, which does not say what will be attached",
    ),
    (
        late_pattern(rb"^(?:.*will perform the following actions|Plan: \d+ to (?:add|import))", re.MULTILINE),
        "is the text that `terraform plan` prints",
    ),
)


def other_form(data: bytes) -> str | None:
    """What a file is that somebody may take for a plan in JSON, e.g. "is a state file"; None when that is not known."""
    return next((said for pattern, said in _FORMS if pattern.search(data)), None)
