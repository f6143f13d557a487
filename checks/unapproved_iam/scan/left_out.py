"""Decide what is left out of a check, and report how much that is and who decided it.

For `scan.tree_check`. Exclusions, of the deny list or of --exclude, leave out units: what a root module's own file or a
template brings, wherever its block stands. A module in an excluded directory counts for whoever calls it, a variable
file for whoever reads it. Directories that git ignores are left out whole.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Sequence

from unapproved_iam.deny_list.entries import DenyList, Exclusion, Origin
from unapproved_iam.policies.attachment import Attachment, Unjudged
from unapproved_iam.scan.check_scope import is_below
from unapproved_iam.scan.source_files import Kind, kind_of, listed


class LeftOut:
    """What one deny list and the globs of --exclude leave out; `relative` gives a path from the list's root."""

    def __init__(self, deny_list: DenyList, globs: Sequence[str], relative: Callable[[str], str]) -> None:
        by_argument = (Exclusion(glob, "by --exclude", Origin("--exclude")) for glob in globs)
        self._list = DenyList("", (), exclusions=(*deny_list.exclusions, *by_argument))
        self._relative = relative

    def _exclusion_of(self, path: str) -> Exclusion | None:
        return self._list.exclusion_of(self._relative(path)) if self._list.exclusions else None

    def file(self, path: str) -> bool:
        return self._exclusion_of(path) is not None

    def root_module(self, directory: str) -> bool:
        """Whether every file of its source is excluded: then it is none, and calls nothing either."""
        if not self._list.exclusions:
            return False
        return all(self.file(path) for path in listed(directory).paths(Kind.TERRAFORM))

    def attachment(self, attachment: Attachment) -> bool:
        return self.file(attachment.brought_by.path)

    def unjudged(self, unjudged: Unjudged, unit: str) -> bool:
        """Whether it is about a file that the unit, a directory or a file, itself has; variable files always count."""
        path = unjudged.place.path
        is_variables = kind_of(os.path.basename(path)) is Kind.VARIABLES
        return unit in (path, os.path.dirname(path)) and not is_variables and self.file(path)

    def only(self, files: Collection[str], others: Iterable[str]) -> list[str]:
        """The globs that match some of the files and none of the others."""
        found = dict.fromkeys(one.path for path in sorted(files) if (one := self._exclusion_of(path)))
        useful = {one.path for path in others if found and (one := self._exclusion_of(path))}
        return [glob for glob in found if glob not in useful]

    def reasons(self, path: str, attachments: Iterable[Attachment]) -> list[str]:
        """Which exclusions leave out some of what a block in a file attaches, in words; of none, the file's own."""
        paths = [one.brought_by.path for one in attachments] or [path]
        found = dict.fromkeys(one for path in paths if (one := self._exclusion_of(path)))
        return [f"{one.path} is excluded: {one.reason}" for one in found]

    def counts(self, looked_at: Iterable[str], ignored: Iterable[str], unseen: Iterable[str]) -> dict[str, int]:
        """The number of files by what leaves them out: of `looked_at`, exclusions; of `unseen`, what git ignores."""
        said = [f"{one.path}: {one.reason}" for path in looked_at if (one := self._exclusion_of(path))]
        for path in unseen:
            directory = next((one for one in ignored if is_below(path, [one])), None)
            if directory:
                said.append(f"{self._relative(directory)}/: ignored by git")
        return {one: said.count(one) for one in sorted(set(said))}
