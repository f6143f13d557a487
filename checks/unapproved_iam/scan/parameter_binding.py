"""Decide which template a parameter file belongs to.

For `scan.tree_check` and `scan.affected_units`. A file belongs to the template that `--parameters` names, to the one
beside it that has its name (`x.parameters.json` and `x.yaml`), else to the only template around it that has all of its
parameters: in its own directory, and for one in or below a directory such as `parameters` also above and beside that.
Those of the SAM CLI and of Git sync name their templates, and may lie above them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

from unapproved_iam.cloudformation.parameter_look import SAM_CONFIGURATIONS, may_give_parameters
from unapproved_iam.late_patterns import late_pattern
from unapproved_iam.policies.attachment import Place, Unjudged
from unapproved_iam.program import UsageError
from unapproved_iam.scan.source_files import up_to
from unapproved_iam.source_bytes import readable

if TYPE_CHECKING:
    from unapproved_iam.cloudformation.parameter_files import ParameterValues

_SUFFIXES = (".yaml", ".yml", ".json", ".template")
_OF_PARAMETERS = late_pattern(r"[._-]param(?:eter)?s?$", re.IGNORECASE)  # at the end of a name without its suffix
_DIRECTORY = late_pattern(r"param|env|config", re.IGNORECASE)
MOST_BYTES = 16 * 1024 * 1024  # of a parameter file


class ParameterBinding:
    """`root` is the absolute directory of the tree, `named` are those of `--parameters`, each as TEMPLATE=FILE."""

    def __init__(self, root: str, named: Sequence[str] = ()) -> None:
        self._root = root
        self._named = [_named(argument) for argument in named]
        self._values = cache(_values_of)
        self._declared = cache(_declared_in)
        self._files = cache(_files_in)
        self._parameter_directories = cache(_parameter_directories)
        self._giving = cache(self._files_that_give)
        self.templates_of = cache(self._templates_of)

    def around(self, files: Iterable[str]) -> set[str]:
        """The templates that some of these files are about, and the files that are about these templates."""
        near = {path for path in files if _may_matter(os.path.basename(path))}
        near |= {template for file in near for template in self.templates_of(file)}
        return near | {values.path for path in near for values in self.of(path) if self._declared(path)}

    def of(self, template: str) -> list[ParameterValues]:
        """What the files that are about a template give to its parameters, each with its path."""
        files = [file for named, file in self._named if named == template]
        directory = os.path.dirname(template)
        above = list(up_to(os.path.dirname(directory), self._root))
        near = [one for path in (directory, *above) for one in self._parameter_directories(path)]
        for around in (directory, *near, *above):
            files += [file for file in self._giving(around) if template in self.templates_of(file)]
        return [values for file in dict.fromkeys(files) for values in self._values(file)]

    def with_given(self, template: str, source: bytes) -> bytes:
        """A template's source together with the files that are about it."""
        given = dict.fromkeys(values.path for values in self.of(template))
        return b"\n".join((source, *(readable(path) or b"" for path in given)))

    @staticmethod
    def too_large(path: str, source: bytes) -> list[Unjudged]:
        """What is said of a file that may give parameters and is not read."""
        too_large = len(source) > MOST_BYTES
        return [Unjudged(Place(path), f"has more than {MOST_BYTES} bytes of parameters")] if too_large else []

    def _files_that_give(self, directory: str) -> list[str]:
        return [file for file in self._files(directory) if self._values(file)]

    def _templates_of(self, file: str) -> tuple[str, ...]:
        """The templates that a file is about: one, but for what names its templates."""
        named = [template for template, one in self._named if one == file]
        directory, name = os.path.split(file)
        if named or not self._values(file):
            return tuple(named)
        from unapproved_iam.cloudformation.parameter_files import templates_named  # few files give parameters

        written = templates_named(file, readable(file) or b"")
        if written or name in SAM_CONFIGURATIONS:
            names = written or ["template.yaml", "template.yml", "template.json"]
            # Git sync counts from the repository's root, the SAM CLI from the file.
            bases = [directory] if name in SAM_CONFIGURATIONS else [self._root, directory]
            paths = (os.path.normpath(os.path.join(base, path)) for path in names for base in bases)
            return tuple(path for path in dict.fromkeys(paths) if os.path.isfile(path))
        stem = os.path.splitext(name)[0]
        own = _OF_PARAMETERS.sub("", stem)
        beside = [path for path in self._files(directory) if os.path.splitext(path)[0] == os.path.join(directory, own)]
        beside = [path for path in beside if path != file and self._declared(path)]
        if own != stem and len(beside) == 1:
            return tuple(beside)
        wanted = set(self._values(file)[0].values)
        having = [path for path in self._around(directory) if path != file and wanted <= self._declared(path)]
        if len(having) > 1:
            having = [path for path in having if os.path.splitext(os.path.basename(path))[0] == own]
        return tuple(having) if len(having) == 1 else ()

    def _around(self, directory: str) -> Iterator[str]:
        yield from self._files(directory)
        own = [one for one in (os.path.dirname(directory), directory) if _DIRECTORY.search(os.path.basename(one))]
        if own:
            above = os.path.dirname(own[0])
            yield from self._files(above)
            for beside in _directories_in(above):
                if beside not in (directory, own[0]):
                    yield from self._files(beside)


def _named(argument: str) -> tuple[str, str]:
    template, equals, file = argument.partition("=")
    if not equals:
        raise UsageError(f"--parameters {argument}: names no file (expected TEMPLATE=FILE)")
    for path in (template, file):
        if not os.path.isfile(path):
            raise UsageError(f"--parameters {argument}: {path}: no such file")
    template, file = os.path.abspath(template), os.path.abspath(file)
    if not _values_of(file):
        expected = "expected [{ParameterKey, ParameterValue}], {Parameters: {KEY: VALUE}} or [KEY=VALUE]"
        raise UsageError(f"--parameters {argument}: {file} gives no parameters ({expected})")
    return template, file


def _values_of(file: str) -> list[ParameterValues]:
    source = readable(file) or b""
    if len(source) > MOST_BYTES or not may_give_parameters(source):
        return []
    from unapproved_iam.cloudformation.parameter_files import parameter_values  # few files give parameters

    return parameter_values(file, source)


def _declared_in(template: str) -> frozenset[str]:
    from unapproved_iam.cloudformation.parameter_files import declared_parameters  # with them

    return declared_parameters(readable(template) or b"")


def _files_in(directory: str) -> tuple[str, ...]:
    """Files that may be templates or give parameters."""
    try:
        with os.scandir(directory) as entries:
            names = [entry.name for entry in entries if entry.is_file()]
    except OSError:
        return ()
    return tuple(os.path.join(directory, name) for name in sorted(names) if _may_matter(name))


def _may_matter(name: str) -> bool:
    return name.lower().endswith(_SUFFIXES) or name in SAM_CONFIGURATIONS


def _directories_in(directory: str) -> list[str]:
    try:
        with os.scandir(directory) as entries:
            return sorted(entry.path for entry in entries if entry.is_dir(follow_symlinks=False))
    except OSError:
        return []


def _parameter_directories(directory: str) -> list[str]:
    """The directories of parameters in a directory, and those in them."""
    found = [path for path in _directories_in(directory) if _DIRECTORY.search(os.path.basename(path))]
    return [one for path in found for one in (path, *_directories_in(path))]
