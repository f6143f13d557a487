"""Ask git which files a change touches, deleted ones included: pre-commit names to its hooks only those that remain.

For `check --changed-since`, behind the hook and pull requests: deleting a variable file or an override can attach a
denied policy as well as writing one. Source: "git-diff" in the Git documentation; "pre-commit during push" and
`--from-ref` in the pre-commit documentation.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from unapproved_iam.program import UsageError
from unapproved_iam.scan.git_answers import NoAnswer, git
from unapproved_iam.scan.source_files import KINDS, Kind

# What pre-commit and prek tell their hooks when they judge a range of commits: its start, while the end is checked out.
RANGE_START = "PRE_COMMIT_FROM_REF"

HOOK = "PRE_COMMIT"  # both set it for their hooks


def changed_files(since: str, root: str, environ: Mapping[str, str]) -> list[str]:
    """Absolute paths of the files that differ between the work tree and the commit where HEAD left `since`.

    New files count before git tracks them, unless it ignores them, or a hook asks: they are in no commit yet.
    `root` is the top of the repository. Where nothing is committed yet, every tracked file is new. Raises `UsageError`.
    """
    since = environ.get(RANGE_START) or since
    # The scanned repository's own settings must neither run programs nor hide files here.
    diff = ["diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--ignore-submodules=dirty"]
    try:
        answer = git(root, *diff, *([] if since == "HEAD" else ["--merge-base"]), "--end-of-options", since, "--")
        if answer.returncode and since == "HEAD" and git(root, "rev-parse", "--verify", "--quiet", "HEAD").returncode:
            answer = git(root, "ls-files", "-z")
        new = git(root, "ls-files", "-z", "--others", "--exclude-standard") if HOOK not in environ else None
    except NoAnswer as reason:
        raise UsageError(f"--changed-since: {reason}") from reason
    if answer.returncode:
        complaint = os.fsdecode(answer.stderr).strip().splitlines() or ["git failed"]
        expected = f"a commit that the clone in {root} holds with its history"
        raise UsageError(f"--changed-since {since}: {complaint[0]} (expected {expected})")
    names = answer.stdout + (new.stdout if new else b"")
    return [os.path.join(root, os.fsdecode(name)) for name in names.split(b"\0") if name]


# Kept by git for nobody, and large.
_NOT_LOOKED_INTO = ("--exclude=.terraform", "--exclude=.terragrunt-cache", "--exclude=node_modules", "--exclude=.venv")


def sources_in_no_commit(root: str) -> frozenset[str]:
    """Absolute paths of Terraform source and variables that git does not track, ignored ones included: overrides and
    variable files mostly are. None when git gives no answer."""
    suffixes = (f"*{suffix}" for suffix, kind in KINDS.items() if kind in (Kind.TERRAFORM, Kind.VARIABLES))
    try:
        answer = git(root, "ls-files", "--others", *_NOT_LOOKED_INTO, "-z", "--", *suffixes)
    except NoAnswer:
        return frozenset()
    return frozenset(os.path.join(root, os.fsdecode(name)) for name in answer.stdout.split(b"\0") if name)


def untracked_files(root: str) -> frozenset[str]:
    """Absolute paths of the files that are in no commit, not staged and not ignored; none when git gives no answer."""
    try:
        answer = git(root, "ls-files", "--others", "--exclude-standard", "-z")
    except NoAnswer:
        return frozenset()
    return frozenset(os.path.join(root, os.fsdecode(name)) for name in answer.stdout.split(b"\0") if name)
