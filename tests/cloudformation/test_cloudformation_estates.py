"""What templates with lists, parameter files and nested templates attach, against every assignment of their parameters.

Nothing denied is silent, nothing is invented, and what one of the assignments leaves unknown is unresolved.
"""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from estate_author import ANOTHER, ARN, OTHER, EstateAuthor, Interpreter, Json, has_defaults, worlds_of
from unapproved_iam.cloudformation.parameter_files import parameter_values
from unapproved_iam.cloudformation.template import read_template

ESTATES = int(os.environ.get("ESTATES_TRIED", "400"))
DENIED = {ARN + "AdministratorAccess", ARN + "IAMFullAccess"}


def expected(files: dict[str, Json], is_lenient: bool = False) -> set[tuple[str, str]]:
    """Who gets which policy."""
    worlds = (Interpreter(files, "template.json", given, is_lenient) for given in worlds_of(files))
    return {attached for world in worlds for attached in world.attached()}


def expected_by_default(files: dict[str, Json]) -> set[tuple[str, str]]:
    """Who gets which policy while each parameter has its default, where no file of parameters gives another value."""
    if any("parameters" in name for name in files):
        return set()
    worlds = (Interpreter(files, "template.json", given) for given in worlds_of(files) if has_defaults(given))
    return {attached for world in worlds for attached in world.attached()}


def found_in(files: dict[str, Json], directory: Path) -> dict[tuple[str, str], list[str]]:
    for name, document in files.items():
        (directory / name).write_text(json.dumps(document))
    given = [
        one
        for name in files
        if "parameters" in name
        for one in parameter_values(str(directory / name), (directory / name).read_bytes())
    ]
    reading = read_template(str(directory / "template.json"), lambda: given)
    assert reading is not None
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for problem in reading.unjudged:
        found["not judged", problem.reason].append("")
    for attachment in reading.attachments:
        logical_id = "Loop" if attachment.resource.startswith("Loop") else attachment.resource
        policy = str(attachment.policy).replace("arn:${partition}:", "arn:aws:")  # as SAM names it
        found[logical_id, policy].append(" and ".join(attachment.when))
    return found


def faults(seed: int, directory: Path) -> set[str]:
    files = EstateAuthor(seed).files()
    attached = expected(files)
    is_exact = not any(word in json.dumps(files) for word in ("EachMember", "ToJsonString"))
    possible = attached if is_exact else expected(files, is_lenient=True)
    found = found_in(files, directory)
    wrong = set()
    certain = {who for who, policy in expected_by_default(files) if OTHER in policy}
    unresolved = {who for who, policy in found if "${" in policy}
    if certain - unresolved:
        wrong.add("left out")
    unknown = {who for who, policy in possible if OTHER in policy or ANOTHER in policy}
    for who in {*possible, *found}:
        if who[0] == "not judged":
            wrong.add(f"not judged: {who[1]}")
        elif "${" in who[1]:
            if who[0] not in unknown:
                wrong.add("unresolved")
        elif OTHER in who[1] or ANOTHER in who[1]:
            continue
        elif who in attached and who not in found and who[1] in DENIED:
            wrong.add("silent")
        elif who not in possible and who[1] in DENIED:
            wrong.add("false alarm")
    return wrong


@pytest.mark.parametrize("part", range(4))
def test_nothing_silent_nothing_invented(part: int, tmp_path: Path) -> None:
    seeds = [seed for seed in range(ESTATES) if seed % 4 == part]
    wrong = {}
    for seed in seeds:
        directory = tmp_path / str(seed)
        directory.mkdir()
        if found := faults(seed, directory):
            wrong[seed] = found
    counts = Counter(fault for found in wrong.values() for fault in found)
    assert not counts, f"{counts} in {len(seeds)} estates, for example in those of the seeds {[*wrong][:5]}"
