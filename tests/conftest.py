"""What every test starts from: an environment that says nothing, and reproducible generated cases."""

from __future__ import annotations

import os

from hypothesis import settings

# Variables that steer the command, checkov, Terraform or git (set when the tests run inside a hook or a CI job) would
# change what a test sees, in its own process and in those that it starts.
STEERING = ("AWS_", "BC_", "CHECKOV_", "CKV_", "GITHUB_", "GITLAB_", "GIT_", "TF_", "UNAPPROVED_IAM_")

for name in [name for name in os.environ if name.startswith(STEERING)]:
    del os.environ[name]

# A slow machine is no defect. In CI the same cases each time: a new counterexample must not stop an unrelated change.
settings.register_profile("local", deadline=None, print_blob=True)
settings.register_profile("ci", parent=settings.get_profile("local"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")
