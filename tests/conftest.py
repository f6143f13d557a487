"""What every test starts from: an environment that says nothing, reproducible cases, a clone of the project."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import settings
from project_files import PROJECT

# Variables that steer the command, checkov, Terraform or git (set when the tests run inside a hook or a CI job) would
# change what a test sees, in its own process and in those that it starts.
STEERING = ("AWS_", "BC_", "CHECKOV_", "CKV_", "GITHUB_", "GITLAB_", "GIT_", "TF_", "UNAPPROVED_IAM_")

for name in [name for name in os.environ if name.startswith(STEERING)]:
    del os.environ[name]

# git asks for an author, and must find none of the machine's settings.
os.environ |= {
    "GIT_AUTHOR_NAME": "Test",
    "GIT_AUTHOR_EMAIL": "test@example.com",
    "GIT_COMMITTER_NAME": "Test",
    "GIT_COMMITTER_EMAIL": "test@example.com",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}

# A slow machine is no defect. In CI the same cases each time: a new counterexample must not stop an unrelated change.
settings.register_profile("local", deadline=None, print_blob=True)
settings.register_profile("ci", parent=settings.get_profile("local"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A git repository with one commit: the project as it stands in the work tree, for those who install from it."""
    target = tmp_path_factory.mktemp("clone") / "checkov-unapproved-iam"
    if (PROJECT / ".git").exists():
        listed = subprocess.run(
            ["git", "-C", str(PROJECT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            check=True,
            capture_output=True,
        ).stdout
        for name in filter(None, listed.split(b"\0")):
            source = PROJECT / os.fsdecode(name)
            if source.is_file():
                (target / os.fsdecode(name)).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target / os.fsdecode(name), follow_symlinks=False)
    else:  # an unpacked sdist
        shutil.copytree(PROJECT, target, ignore=shutil.ignore_patterns(".*_cache", ".venv", "__pycache__", "build"))
    for arguments in (["init", "--quiet"], ["add", "--all", "--force"], ["commit", "--quiet", "--message=clone"]):
        subprocess.run(["git", "-C", str(target), *arguments], check=True)
    return target
