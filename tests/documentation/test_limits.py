"""The page about what is checked tells every limit, with the number that the code has."""

from __future__ import annotations

import re

from project_files import PROJECT
from unapproved_iam.cloudformation import source_skips, stack, unknowns
from unapproved_iam.cloudformation import values as template_values
from unapproved_iam.hcl import decimal_numbers, evaluation, regular_expressions, scope, values, ways
from unapproved_iam.policies import facts
from unapproved_iam.scan import guarded_reading, parameter_binding
from unapproved_iam.terraform import instances, plan_lookup, root_module
from unapproved_iam.terragrunt import configuration

LIMITS = {
    "possible values of one expression": values.MAX_POSSIBLE,
    "elements of one collection": values.MAX_ITEMS,
    "characters of one text": values.MAX_LENGTH,
    "bytes of a file": scope.MAX_FILE,
    "directories that one `fileset`": scope.MAX_DIRECTORIES,
    "digits of a number": decimal_numbers.MAX_DIGITS,
    "ways to match a regular expression": regular_expressions.MAX_REGEX,
    "steps to evaluate what one argument": evaluation.MAX_STEPS,
    "expressions within one another": evaluation.MAX_DEPTH,
    "lists of which some elements": ways.MAX_EXPANDED,
    "instances of one block": instances.MAX_COUNTED,
    "modules within modules": root_module.MAX_CALLS,
    "texts that one text of a template": unknowns.MOST_TEXTS,
    "steps to evaluate one resource": template_values.MOST_STEPS,
    "steps to evaluate all resources": stack.MOST_STEPS_OF_ALL,
    "stacks nested in one template": stack.MOST_STACKS,
    "facts about the parameters": facts.MOST_FACTS,
    "bytes of a template": source_skips.MOST_BYTES,
    "policies that one unknown value of a plan": plan_lookup.MAX_ALTERNATIVES,
    "modules and variables between a resource": plan_lookup.MAX_DEPTH,
    "bytes of a parameter file": parameter_binding.MOST_BYTES,
    "files that one Terragrunt unit": configuration.MOST_FILES,
    "seconds of computing": guarded_reading.MOST_SECONDS,
}


def test_the_table_tells_the_limits() -> None:
    page = (PROJECT / "docs" / "coverage.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([a-z][^|]+) \| (\d+) \|$", page, re.MULTILINE)
    told = {start: int(number) for what, number in rows for start in LIMITS if what.startswith(start)}
    assert (told, len(rows)) == (LIMITS, len(LIMITS))
