"""What the real terraform computes is among the values that the engine holds possible, and is the only one when nothing
is unknown and no condition is open.

Hypothesis writes modules of variables, locals, loops, conditions, templates and functions; one run of terraform
computes many expressions. `HCL_EXAMPLES=500 pytest tests/hcl/test_hcl_differential.py` tries more modules than CI does.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hcl_module import Module
from hcl_writer import WrittenModule, written_modules
from hypothesis import HealthCheck, Phase, given, settings
from terraform_oracle import REFUSED, admits, computed_by_terraform, is_exact, may_be, strings_in
from unapproved_iam.hcl.texts import possible_texts

EXAMPLES = int(os.environ.get("HCL_EXAMPLES", "30"))
EXHAUSTIVE = "HCL_EXAMPLES" in os.environ

differential = settings(
    max_examples=EXAMPLES,
    derandomize=not EXHAUSTIVE,
    database=None,
    deadline=None,
    phases=[Phase.generate],  # a failure names one expression, which is small enough as it is
    suppress_health_check=list(HealthCheck),
)

pytestmark = pytest.mark.skipif(not shutil.which("terraform"), reason="terraform is not installed")


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("module")


@differential
@given(module=written_modules(is_open=True))
def test_what_terraform_computes_is_possible(module: WrittenModule, directory: Path) -> None:
    computed = computed_by_terraform(module, directory)
    evaluated = Module(module.source, str(directory))
    for expression, data in zip(module.outputs, computed, strict=True):
        if data is REFUSED:
            continue
        value = evaluated.evaluated(expression)
        assert admits(value, data), _difference(module, expression, data, value)
        texts = [found.text for found in possible_texts(value)]
        for string in strings_in(data):
            assert any(may_be(one, string) for one in texts), _difference(module, expression, string, texts)


@differential
@given(module=written_modules(is_open=False))
def test_what_nothing_leaves_openis_exact(module: WrittenModule, directory: Path) -> None:
    computed = computed_by_terraform(module, directory)
    evaluated = Module(module.source, str(directory))
    for expression, data in zip(module.outputs, computed, strict=True):
        value = evaluated.evaluated(expression)
        if data is not REFUSED:
            assert is_exact(value), _difference(module, expression, data, value)
            assert admits(value, data), _difference(module, expression, data, value)


def _difference(module: WrittenModule, expression: str, data: object, value: object) -> str:
    return f"{expression}\nterraform: {data!r}\nengine: {value}\n{module.source}\nvariables: {module.unknowns}"
