"""Decide which files `--plan` means and which root module each belongs to, and read them.

For `scan.tree_check`. An argument is a file, a directory that is looked through, or a glob; `=DIR` behind it names the
root module that it was made in: below a directory of plans, the directory of the same path below DIR where there is
one. What several plans of the same code attach alike is one attachment.
"""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from unapproved_iam.policies.attachment import Attachment, Place, PlannedChange, Reading, Unjudged
from unapproved_iam.program import UsageError
from unapproved_iam.scan.guarded_reading import guarded
from unapproved_iam.source_bytes import contents

EXPECTED = "expected what `terraform show -json PLANFILE` prints"
_NAMES = (".json", ".jsonl", ".ndjson")  # that plans have in a directory
_ZIP = b"PK\x03\x04"


class PlanFile(NamedTuple):
    """A file of plans; absolute paths."""

    path: str
    root_module: str | None  # None: the directory that it lies in, if that is one
    argument: str  # as the user wrote it
    found: bool = False  # in a directory, where other files may lie, too


def root_module_of(argument: str) -> str:
    """The directory that a `--plan` argument is about: it tells whose list counts."""
    path, root = _split(argument)
    return os.path.abspath(root or (path if os.path.isdir(path) else os.path.dirname(path)))


def plan_files(arguments: Iterable[str]) -> tuple[PlanFile, ...]:
    """The files that are meant. Raises UsageError where there are none."""
    found = []
    for argument in arguments:
        files = list(_files_of(argument))
        if not files:
            raise UsageError(f"--plan {argument}: holds no Terraform plan ({EXPECTED})")
        found += files
    return tuple({file.path: file for file in found}.values())


def _split(argument: str) -> tuple[str, str]:
    path, equals, root = argument.rpartition("=")
    return (argument, "") if os.path.exists(argument) or not equals or not path else (path, root)


def _files_of(argument: str) -> Iterator[PlanFile]:
    path, root = _split(argument)
    if root and not os.path.isdir(root):
        raise UsageError(f"--plan {argument}: {root} is not a directory (expected the root module of the plan)")
    paths = [path]
    if not os.path.lexists(path) and glob.has_magic(path):
        paths = sorted(glob.glob(path, recursive=True))
        if not paths:
            raise UsageError(f"--plan {argument}: no such file")
    for one in paths:
        if os.path.isdir(one):
            yield from _files_below(one, root, argument)
        else:
            yield PlanFile(os.path.abspath(one), _root_module(root, "", argument), argument)


def _files_below(directory: str, root: str, argument: str) -> Iterator[PlanFile]:
    for below, directories, names in os.walk(directory):
        directories[:] = sorted(one for one in directories if not one.startswith("."))
        for name in sorted(names):
            if name.endswith(_NAMES) or _is_alone(below, name, names):
                relative = os.path.relpath(below, directory)
                path = os.path.abspath(os.path.join(below, name))
                yield PlanFile(path, _root_module(root, relative, argument), argument, found=True)


def _is_alone(directory: str, name: str, names: Sequence[str]) -> bool:
    """Whether it may be a plan that is not JSON, and its JSON does not lie beside it."""
    if f"{name}.json" in names or f"{os.path.splitext(name)[0]}.json" in names:
        return False
    path = os.path.join(directory, name)
    try:
        if not os.path.isfile(path):
            return False
        with open(path, "rb", buffering=0) as file:
            return file.read(len(_ZIP)) == _ZIP
    except OSError:
        return False


def _root_module(root: str, relative: str, argument: str) -> str | None:
    if not root:
        return None
    from unapproved_iam.terraform.plan_source import holds_configuration  # few plans have one named

    for directory in dict.fromkeys((os.path.join(root, relative), root)):
        absolute = os.path.abspath(directory)
        if holds_configuration(absolute):
            return absolute
    if relative:
        return None
    raise UsageError(f"--plan {argument}: {root} holds no Terraform configuration (expected the plan's root module)")


def read_plans(files: Sequence[PlanFile]) -> Iterator[tuple[str, Reading]]:
    """What is in each file. Raises UsageError for a file that holds no plan, and for a directory without any."""
    if not files:
        return
    # Only with a plan: most runs have none.
    from unapproved_iam.terraform.plan import read_plan
    from unapproved_iam.terraform.plan_lookalikes import HOW_TO, other_form  # with it

    empty = {file.argument for file in files if file.found}
    for file in files:
        _refuse_unreadable(file)
        reading = guarded(partial(read_plan, root_module=file.root_module), file.path)
        form = other_form(contents(file.path)) if reading is None else None
        if form and file.found:
            reading = Reading(unjudged=(Unjudged(Place(file.path), f"the file {form}", HOW_TO),))
        if reading is not None:
            empty.discard(file.argument)
            yield file.path, reading
        elif not file.found:
            raise UsageError(f"--plan {file.argument}: {form or 'no Terraform plan'} ({EXPECTED})")
    for argument in empty:
        raise UsageError(f"--plan {argument}: holds no Terraform plan ({EXPECTED})")


def _refuse_unreadable(file: PlanFile) -> None:
    """Reading a pipe or a device may never end."""
    try:
        is_regular = stat.S_ISREG(os.stat(file.path).st_mode)
    except OSError as error:
        raise UsageError(f"--plan {file.argument}: {error.strerror or error}") from error
    if not is_regular:
        raise UsageError(f"--plan {file.argument}: is not a regular file")


# -- duplicates --------------------------------------------------------------------------------------------------------


def folded(readings: Iterable[tuple[str, Reading]]) -> list[tuple[str, Reading]]:
    """The same with what several plans attach alike only once: at the first, with everybody whom it is attached to."""
    readings = list(readings)
    kept: dict[tuple[object, ...], Attachment] = {}
    for _, reading in readings:
        for one in reading.attachments:
            if one.change:
                key = _identity(one, one.change)
                kept[key] = _both(kept[key], kept[key].change, one, one.change) if key in kept else one

    def once(attachments: Iterable[Attachment]) -> Iterator[Attachment]:
        for one in attachments:
            first = kept.pop(_identity(one, one.change), None) if one.change else one
            if first:
                yield first

    return [(unit, reading._replace(attachments=tuple(once(reading.attachments)))) for unit, reading in readings]


def _identity(attachment: Attachment, change: PlannedChange) -> tuple[object, ...]:
    """Without its source it is the same only if it is attached to the same principals."""
    is_in_source = attachment.block.path != change.place.path
    where = attachment.block if is_in_source else attachment.principals
    return attachment.resource, attachment.policy, attachment.when, attachment.note, where


def _both(first: Attachment, change: PlannedChange | None, other: Attachment, others: PlannedChange) -> Attachment:
    assert change
    principals = tuple(dict.fromkeys((*first.principals, *other.principals)))
    places = dict.fromkeys((change.place, *change.also, others.place, *others.also))
    told = change if change.is_new or not others.is_new else others
    place, *also = places
    return first._replace(principals=principals, change=told._replace(place=place, also=tuple(also)))
