"""What is a number, an index or whole, beside what the real terraform answers for each way to write one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hcl_module import Module
from hcl_writer import WrittenModule
from terraform_oracle import REFUSED, admits, computed_by_terraform, is_exact
from unapproved_iam.hcl.values import is_refused

pytestmark = pytest.mark.skipif(not shutil.which("terraform"), reason="terraform is not installed")

LONG = "12345678901234567890123456789012345678901234567890123"
WRITTEN = [
    *("0", "1", "01", "+1", "-1", "-0", "1.0", "1.", ".5", "-.5", "1.5", "1e0", "1E0", "10e-1", ".1e1", "1e", "1e400"),
    *(
        "1p0",
        "1P1",
        "0x1",
        "0b1",
        "0o1",
        "1_0",
        " 1",
        "1 ",
        "",
        ".",
        "+",
        "one",
        "true",
        "null",
        "nan",
        "Inf",
        "infinity",
    ),
    *("08", "010", "1:30", "1.5.2", LONG, "٣", "1e+3", "1e-3"),
]
USES = [
    'tonumber("{}")',
    '"{}" + 1',
    '["a", "b"]["{}"]',
    'element(["a", "b"], "{}")',
    'slice(["a", "b"], 0, "{}")',
    'substr("abc", "{}", 1)',
    'chunklist(["a", "b"], "{}")',
    'format("%d", "{}")',
    'ceil("{}")',
    'jsondecode("{}")',
    'yamldecode("{}")',
    'csvdecode("n\\n{}\\n")[0].n',
    '["a", "b"][csvdecode("n\\n{}\\n")[0].n]',
    '["a", "b"][yamldecode("{}")]',
]
LITERAL = ["0", "1", "1.0", "1.5", "-1", "1e0", "true", "null", "[]"]
LITERAL_USES = ['["a", "b"][{}]', 'element(["a", "b"], {})', 'slice(["a", "b"], 0, {})']

# What is not redone here: it counts as a number that is not known, so that every element may be meant.
NOT_REDONE = {"-0", "1e400", "1p0", "1P1", "Inf"}
NOT_REDONE_IN_YAML = {"1e", "0x1", "0b1", "0o1", "1_0", "1:30", "1.5.2"}
OTHERWISE = {
    'element(["a", "b"], "-1")',  # newer releases count from the end
    'element(["a", "b"], -1)',
    *(
        use.format(LONG)
        for use in ('element(["a", "b"], "{}")', 'substr("abc", "{}", 1)', 'chunklist(["a", "b"], "{}")')
    ),
    '"1e-3" + 1',  # rounded to 512 bits
}


def test_a_number_is_what_terraform_takes_for_one(tmp_path: Path) -> None:
    rows = [(use.format(written), written, use) for use in USES for written in WRITTEN]
    rows += [(use.format(literal), literal, use) for use in LITERAL_USES for literal in LITERAL]
    computed = computed_by_terraform(WrittenModule("", tuple(row[0] for row in rows), {}), tmp_path)
    engine = Module("", str(tmp_path))
    different = []
    for (expression, written, use), data in zip(rows, computed, strict=True):
        value = engine.evaluated(expression)
        if written in NOT_REDONE or expression in OTHERWISE or ("yaml" in use and written in NOT_REDONE_IN_YAML):
            as_terraform = data is REFUSED or admits(value, data)
        else:
            as_terraform = all(map(is_refused, value)) if data is REFUSED else admits(value, data) and is_exact(value)
        if not as_terraform:
            different.append((expression, data, value))
    assert different == []
