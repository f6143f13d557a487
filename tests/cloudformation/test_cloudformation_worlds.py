"""What templates attach, against every assignment of their parameters: nothing silent, nothing invented, all decided.

And what the messages say: in exactly the worlds in which the words hold is the policy attached.
"""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict

import pytest
from template_author import NAMES, Assignment, Author, Interpreter, Json, assignments
from unapproved_iam.cloudformation.template import read_template_text
from unapproved_iam.policies.attachment import Attachment

PROGRAMS = int(os.environ.get("TEMPLATES_TRIED", "400"))  # 20,000 take some minutes
DENIED = {name for name in NAMES if name.endswith("FullAccess") or name.startswith("Administrator")}
Worlds = frozenset[int]


def expected(template: Json) -> dict[tuple[str, str], Worlds]:
    """Who gets which policy, and in which worlds, by their numbers."""
    found: dict[tuple[str, str], set[int]] = defaultdict(set)
    for number, assignment in enumerate(assignments()):
        for attached in Interpreter(template, assignment).attached():
            found[attached].add(number)
    return {attached: frozenset(worlds) for attached, worlds in found.items()}


def possible(template: Json) -> Worlds:
    """The worlds that no rule forbids."""
    return frozenset(
        number for number, one in enumerate(assignments()) if any(Interpreter({**template, **LONE}, one).attached())
    )


LONE: Json = {"Resources": {"R": {"Type": "T", "Properties": {"ManagedPolicyArns": ["x"]}}}}


def worlds_of(attachment: Attachment, template: Json) -> Worlds | None:
    """The worlds of which the message tells; None where it leaves some out."""
    if any("other case" in sentence or "Condition Given" in sentence for sentence in attachment.when):
        return None  # `Given` is a condition of the nested stack
    return frozenset(
        number
        for number, assignment in enumerate(assignments())
        if all(any(says(case, assignment, template) for case in s.split(" or when ")) for s in attachment.when)
    )


def says(case: str, assignment: Assignment, template: Json) -> bool:
    return all(fact(one, assignment, template) for one in case.split(" and "))


def fact(sentence: str, assignment: Assignment, template: Json) -> bool:
    subject, _, said = sentence.partition(" is ")
    kind, name = subject.removesuffix(" of template.json").split(" ", 1)
    is_condition = kind == "Condition"
    value = str(Interpreter(template, assignment).condition(name)).lower() if is_condition else assignment[name]
    if said.startswith("not "):
        return value != said.removeprefix("not ")
    if said.startswith("neither "):
        return value not in said.removeprefix("neither ").split(" nor ")
    return value in said.split(" or ")


def faults(seed: int) -> list[str]:
    template = Author(seed).template()
    reading = read_template_text(json.dumps(template), "template.json")
    assert reading is not None
    wrong = ["not judged" for _ in reading.unjudged]
    attached = expected(template)
    found: dict[tuple[str, str], list[Attachment]] = defaultdict(list)
    for attachment in reading.attachments:
        found[attachment.resource, str(attachment.policy)].append(attachment)
    for who in {*attached, *found}:
        is_denied = who[1].rpartition("/")[2] in DENIED
        if who not in found:
            wrong.append("silent" if is_denied else "left out")
        elif "${" in who[1]:
            wrong.append("unresolved")
        elif who not in attached:
            wrong.append("false alarm" if is_denied else "invented")
        elif not found[who][0].origin.startswith("the default of"):
            told = [worlds_of(one, template) for one in found[who]]
            known = [worlds for worlds in told if worlds is not None]
            if len(known) == len(told) and frozenset().union(*known) & possible(template) != attached[who]:
                wrong.append("told otherwise")
    return wrong


@pytest.mark.parametrize("part", range(4))
def test_nothing_silent_nothing_invented(part: int) -> None:
    counts: Counter[str] = Counter()
    seeds = [seed for seed in range(PROGRAMS) if seed % 4 == part]
    wrong = {seed: found for seed in seeds if (found := faults(seed))}
    for found in wrong.values():
        counts.update(set(found))
    assert not counts, f"{counts} in {len(seeds)} templates, for example in those of the seeds {[*wrong][:5]}"
