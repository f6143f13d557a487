"""Decide which files of a tree are read, and as what.

For `scan.tree_check`. Left out are only directories that hold other people's code or none at all; whole directories
that git ignores are left out, too, but no ignored file in a directory that counts: Terraform reads an ignored
`terraform.tfvars`. Directories behind symbolic links are not walked into, or a loop would never end; Terraform modules
behind one are found through their calls.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import NamedTuple

from unapproved_iam.directory_entry import is_file
from unapproved_iam.policies.attachment import Place, Unjudged

NOT_WALKED = frozenset({".git", ".terraform", ".terragrunt-cache", "node_modules", ".venv", "__pycache__"})
# Names of virtual environments that are a directory's name as well: only with the file that makes them one.
MAYBE_ENVIRONMENTS = frozenset({"venv", "env"})
ENVIRONMENT_MARK = "pyvenv.cfg"


class Kind(Enum):
    TERRAFORM = "Terraform source"
    VARIABLES = "Terraform variables"
    TEMPLATE = "what may be a CloudFormation template, or a plan when it is JSON"
    UNIT = "a unit or a stack of Terragrunt, or what these include; a Terraform Stack"
    OTHER = "what no engine reads, and may name a policy all the same"


KINDS = {
    **dict.fromkeys((".tf", ".tofu", ".tf.json", ".tofu.json"), Kind.TERRAFORM),
    **dict.fromkeys((".tfvars", ".tfvars.json"), Kind.VARIABLES),
    **dict.fromkeys((".yaml", ".yml", ".json", ".template"), Kind.TEMPLATE),
    **dict.fromkeys((".hcl", ".hcl.json", ".tfcomponent.json", ".tfstack.json", ".tfdeploy.json"), Kind.UNIT),
}
NAMES = {"samconfig.toml": Kind.OTHER}  # which gives values to a template's parameters


def kind_of(name: str) -> Kind | None:
    """What a file is by its name; None when it cannot matter.

    Terraform reads no hidden file of source, and minds upper case; who deploys a template may give it any name.
    """
    suffix = name[name.rfind(".") :]
    kind = KINDS.get(suffix) or NAMES.get(name)
    if suffix == ".json":
        kind = KINDS.get(name[name.rfind(".", 0, -len(suffix)) :], kind)
    if kind is None:
        return Kind.TEMPLATE if KINDS.get(suffix.lower()) is Kind.TEMPLATE else None
    return None if kind in (Kind.TERRAFORM, Kind.UNIT) and name.startswith(".") else kind


class SourceDirectory(NamedTuple):
    path: str
    files: tuple[tuple[str, Kind], ...]  # names of those that matter

    def paths(self, kind: Kind) -> list[str]:
        within = os.path.join(self.path, "")
        return [within + name for name, its_kind in self.files if its_kind is kind]

    @property
    def of_terraform(self) -> SourceDirectory:
        kinds = (Kind.TERRAFORM, Kind.VARIABLES)
        return SourceDirectory(self.path, tuple(file for file in self.files if file[1] in kinds))


def listed(directory: str) -> SourceDirectory:
    """One directory by itself; without files when there is none, or when it cannot be listed."""
    try:
        with os.scandir(directory) as entries:
            files = [(entry.name, kind) for entry in entries if (kind := kind_of(entry.name)) and is_file(entry)]
    except (OSError, ValueError):
        files = []
    return _sorted(directory, files)


def _sorted(path: str, files: list[tuple[str, Kind]]) -> SourceDirectory:
    return SourceDirectory(path, tuple(sorted(files, key=lambda file: file[0])))


def walk(directories: Iterable[str], left_out: frozenset[str] = frozenset()) -> Iterator[SourceDirectory | Unjudged]:
    """Every directory at or below the given absolute ones that holds a file that matters, each once."""
    for path, entries, error in _entered(directories, left_out):
        if error:
            yield Unjudged(Place(path), f"cannot be listed: {error.strerror or error}")
        files = [(entry.name, kind) for entry in entries if (kind := kind_of(entry.name)) and is_file(entry)]
        if files:
            yield _sorted(path, files)


def links_below(directory: str, left_out: frozenset[str] = frozenset()) -> Iterator[tuple[str, str]]:
    """The symbolic links that a walk meets, each with the path that it leads to without any further link."""
    for _, entries, _ in _entered([directory], left_out):
        yield from ((entry.path, os.path.realpath(entry.path)) for entry in entries if entry.is_symlink())


def files_below(directory: str) -> Iterator[str]:
    """Every file of a directory, perhaps behind a link; what is below it, too, but for what is not walked into."""
    for path, entries, _ in _entered([directory], frozenset()):
        yield from (os.path.join(path, entry.name) for entry in entries if is_file(entry))


def _entered(
    directories: Iterable[str], left_out: frozenset[str]
) -> Iterator[tuple[str, list[os.DirEntry[str]], OSError | None]]:
    """The directories of a walk, with all that is no directory in each, and why that may not be all."""
    seen: set[str] = set()
    waiting = list(dict.fromkeys(directories))[::-1]
    while waiting:
        path = waiting.pop()
        if path in seen or path in left_out:
            continue
        seen.add(path)
        others, below, error = [], [], None
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    if not entry.is_dir(follow_symlinks=False):
                        others.append(entry)
                    elif not _is_foreign(entry.path):
                        below.append(entry.path)
        except OSError as problem:
            error = problem
        yield path, others, error
        waiting.extend(sorted(below, reverse=True))


def _is_foreign(directory: str) -> bool:
    """Whether a directory holds other people's code, or none at all."""
    name = os.path.basename(directory)
    return name in NOT_WALKED or (
        name in MAYBE_ENVIRONMENTS and os.path.exists(os.path.join(directory, ENVIRONMENT_MARK))
    )


def is_left_out(path: str, start: str, ignored: frozenset[str]) -> bool:
    """Whether a walk that starts in a directory above does not come to a path; all of them absolute."""
    while len(path) > len(start):
        if path in ignored or _is_foreign(path):
            return True
        path = os.path.dirname(path)
    return False


def ignored_directories(root: str) -> frozenset[str]:
    """The absolute directories of which git ignores everything and tracks nothing. Raises NoAnswer.

    What is tracked counts, whatever the ignore rules say: who changes the source may change those, too.
    """
    if not os.path.lexists(os.path.join(root, ".git")):
        return frozenset()
    from unapproved_iam.scan.git_answers import NoAnswer, git  # most runs never ask

    answer = git(root, "ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory")
    if b"not a git repository" in answer.stderr:  # what is called .git need not be one
        return frozenset()
    if answer.returncode:
        raise NoAnswer(" ".join(os.fsdecode(answer.stderr).split()) or "git failed")
    names = (os.fsdecode(name) for name in answer.stdout.split(b"\0"))
    return frozenset(os.path.join(root, name.rstrip("/")) for name in names if name.endswith("/"))


def up_to(directory: str, root: str) -> Iterator[str]:
    """The directory and those around it, as far as the root."""
    while directory.startswith(root):
        yield directory
        directory, before = os.path.dirname(directory), directory
        if directory == before:
            return
