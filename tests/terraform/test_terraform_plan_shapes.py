"""What is no plan, or none that is understood: never clean, and the answer says what it is.

Shapes are those of "JSON Output Format" in the Terraform documentation, which wants a reader to refuse a major version
that it does not know. Other forms are terraform's own files, made here. Of public plans, `plan_with_terraform_wrapper`
of infracost is one among lines of a log, and `plan_vpc_endpoint` of checkov one without a version.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from unapproved_iam.terraform import plan_lookup
from unapproved_iam.terraform.plan import read_plan
from unapproved_iam.terraform.plan_lookalikes import other_form

TYPE = "aws_iam_role_policy_attachment"
NAMED = {"address": f"{TYPE}.a", "mode": "managed", "type": TYPE, "name": "a"}
VALUES = {"policy_arn": "arn:aws:iam::aws:policy/AdministratorAccess", "role": "r"}
CREATED = {"actions": ["create"], "before": None, "after": VALUES, "after_unknown": {"id": True}}
PLANNED = {"root_module": {"resources": [NAMED | {"values": VALUES}]}}
WHOLE = {"format_version": "1.2", "planned_values": PLANNED, "resource_changes": [NAMED | {"change": CREATED}]}


def read(tmp_path: Path, content: str) -> tuple[list[str], list[str]]:
    """The resources that attach, and what could not be checked."""
    path = tmp_path / "plan.json"
    path.write_text(content)
    reading = read_plan(str(path))
    assert reading is not None
    told = [f"{one.place.line}: {one.reason}" for one in reading.unjudged]
    return [one.resource for one in reading.attachments], told


def test_the_documented_shape_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, json.dumps(WHOLE)) == ([f"{TYPE}.a"], [])


@pytest.mark.parametrize("version", [None, "0.1", "0.2", "1.0", "1.2", "1.99"])
def test_versions_that_are_known(tmp_path: Path, version: str | None) -> None:
    plan = {key: value for key, value in WHOLE.items() if key != "format_version"}
    plan |= {"format_version": version} if version else {}
    assert read(tmp_path, json.dumps(plan)) == ([f"{TYPE}.a"], [])


ODD: dict[str, tuple[dict[str, Any], str]] = {
    "another major version": ({"format_version": "2.0"}, 'the plan has format_version "2.0" (expected 0.x or 1.x)'),
    "a version that is no text": ({"format_version": 1.2}, "the plan has format_version 1.2 (expected 0.x or 1.x)"),
    "planned_values is a list": ({"planned_values": []}, "planned_values is not an object"),
    "resource_changes is an object": ({"resource_changes": {"a": {}}}, "resource_changes is not a list"),
    "root_module is a list": (
        {"planned_values": {"root_module": []}},
        "root_module of planned_values is not an object",
    ),
    "resources is an object": (
        {"planned_values": {"root_module": {"resources": {}}}},
        "resources of planned_values is not a list",
    ),
    "child_modules is text": (
        {"planned_values": {"root_module": {"child_modules": "x"}}},
        "child_modules of planned_values is not a list",
    ),
    "a resource is text": ({"resource_changes": ["x"]}, "resource_changes holds something other than objects"),
    "a resource without a type": (
        {"resource_changes": [{"address": "x"}]},
        "a resource in resource_changes has no address, type or name",
    ),
    "an attachment without an address": (
        {"resource_changes": [{"type": TYPE, "name": "a"}]},
        "a resource in resource_changes has no address, type or name",
    ),
    "an attachment without a change": ({"resource_changes": [NAMED]}, f"{TYPE}.a has no change"),
    "a change that is null": ({"resource_changes": [NAMED | {"change": None}]}, f"{TYPE}.a has no change"),
    "a change that is a list": ({"resource_changes": [NAMED | {"change": []}]}, f"change of {TYPE}.a is not an object"),
    "an action that is not known": (
        {"resource_changes": [NAMED | {"change": CREATED | {"actions": ["adopt"]}}]},
        f"actions of {TYPE}.a are not known here",
    ),
    "values after that are a list": (
        {"resource_changes": [NAMED | {"change": CREATED | {"after": [1]}}]},
        f"after of {TYPE}.a is not an object",
    ),
    "deferred changes that are an object": ({"deferred_changes": {}}, "deferred_changes is not a list"),
}


@pytest.mark.parametrize(("change", "said"), ODD.values(), ids=ODD)
def test_a_shape_that_is_not_understood_is_said(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    (told,) = read(tmp_path, json.dumps(WHOLE | change))[1]
    assert said in told


def test_what_attaches_nothing_may_have_any_shape(tmp_path: Path) -> None:
    other = {"address": "x_y.a", "type": "x_y", "name": "a", "change": {"actions": ["adopt"], "after": [1]}}
    assert read(tmp_path, json.dumps(WHOLE | {"resource_changes": [other]})) == ([f"{TYPE}.a"], [])


def test_a_plan_that_failed_may_lack_resources(tmp_path: Path) -> None:
    assert read(tmp_path, json.dumps(WHOLE | {"errored": False}))[1] == []
    assert read(tmp_path, json.dumps(WHOLE | {"errored": True}))[1] == [
        "1: planning failed, so the plan may lack resources"
    ]


def test_both_places_count_where_they_differ(tmp_path: Path) -> None:
    """No plan of terraform's does that; whatever changed one of them must not hide what the other says."""
    clean = VALUES | {"policy_arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}
    for planned, after in ((VALUES, clean), (clean, VALUES)):
        values = {"root_module": {"resources": [NAMED | {"values": planned}]}}
        changes = [NAMED | {"change": CREATED | {"after": after}}]
        plan = WHOLE | {"planned_values": values, "resource_changes": changes}
        assert read(tmp_path, json.dumps(plan)) == ([f"{TYPE}.a", f"{TYPE}.a"], [])


# -- several plans, and other things in the file -----------------------------------------------------------------------


def test_plans_one_after_the_other_are_all_read(tmp_path: Path) -> None:
    other = json.dumps(WHOLE).replace(f"{TYPE}.a", f"{TYPE}.b")
    assert read(tmp_path, f"{json.dumps(WHOLE)}\n{other}\n") == ([f"{TYPE}.a", f"{TYPE}.b"], [])
    packed = json.dumps(WHOLE, indent=1) + other
    assert read(tmp_path, packed) == ([f"{TYPE}.a", f"{TYPE}.b"], [])


def test_lines_count_from_the_beginning_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    written = json.dumps(WHOLE, indent=1)
    path.write_text(f"{json.dumps(WHOLE)}\n\n{written}\n{json.dumps(WHOLE)}")
    reading = read_plan(str(path))
    assert reading
    inside = written.splitlines().index(f'     "address": "{TYPE}.a",')
    assert [one.place.line for one in reading.attachments] == [1, 3 + inside, 3 + written.count("\n") + 1]


AMONG = {
    "a line before": ("[command]terraform show -json plan\n{}", "1: the file holds more than the plan, such as lines"),
    "a line behind": ("{}\n::debug::Terraform exited", "2: the file holds more than the plan, such as lines"),
    "a name before": ("[live/prod] {}", "1: the file holds more than the plan, such as lines"),
    "other JSON before": (
        '{{"@level":"info","@module":"terraform.ui"}}\n{}',
        "1: the file holds a second JSON document",
    ),
}


@pytest.mark.parametrize(("around", "said"), AMONG.values(), ids=AMONG)
def test_a_plan_among_other_things_is_not_judged_whole(tmp_path: Path, around: str, said: str) -> None:
    (told,) = read(tmp_path, around.format(json.dumps(WHOLE)))[1]
    assert told.startswith(said)


@pytest.mark.parametrize(
    "before", ["", "\n", "\ufeff"], ids=["at once", "after a blank line", "after a byte order mark"]
)
def test_a_plan_that_is_cut_off_is_told_from_one_among_other_things(tmp_path: Path, before: str) -> None:
    """As terraform-json's `testdata/invalid/plan.json`."""
    for whole in (WHOLE, {"variables": {}} | WHOLE):
        (told,) = read(tmp_path, before + json.dumps(whole)[:-40])[1]
        assert "the plan is not a complete JSON document: " in told


@pytest.fixture(scope="module")
def of_terraform(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the files that terraform writes and prints."""
    if not shutil.which("terraform"):
        pytest.skip("terraform is not on PATH")
    directory = tmp_path_factory.mktemp("forms")
    (directory / "main.tf").write_text('resource "terraform_data" "a" {\n  input = "x"\n}\n')
    environment = {"PATH": os.environ["PATH"], "TF_CLI_CONFIG_FILE": os.devnull, "CHECKPOINT_DISABLE": "1"}

    def terraform(*arguments: str, to: str = os.devnull) -> None:
        with open(directory / to, "w") as file:
            subprocess.run(["terraform", *arguments], cwd=directory, env=environment, stdout=file, check=True)

    terraform("init", "-input=false")
    terraform("plan", "-input=false", "-out=tfplan", to="text")
    terraform("plan", "-input=false", "-json", to="log")
    terraform("show", "-json", "tfplan", to="plan")
    terraform("apply", "-auto-approve", "tfplan")
    terraform("show", "-json", to="state")
    return directory


FORMS = {
    "tfplan": "is a plan file, not its JSON",
    "text": "is the text that `terraform plan` prints",
    "log": "is the log that `terraform plan -json` prints",
    "state": "is the JSON of a state, which does not say what will be attached",
    "terraform.tfstate": "is a state file, which does not say what will be attached",
    "main.tf": None,
}


def test_what_terraform_writes_besides_is_known(of_terraform: Path) -> None:
    assert {name: other_form((of_terraform / name).read_bytes()) for name in FORMS} == FORMS
    assert {name for name in FORMS if read_plan(str(of_terraform / name))} == set()
    assert read_plan(str(of_terraform / "plan"))


def test_what_opentofu_encrypts_is_known() -> None:
    """The members that "State and Plan Encryption" of the OpenTofu documentation lets one see."""
    written = {"serial": 1, "lineage": "x", "meta": {}, "encrypted_data": "x", "encryption_version": "v0"}
    assert other_form(json.dumps(written).encode()) == "is encrypted by OpenTofu"


def _own_policies(*names: str) -> list[dict[str, Any]]:
    return [
        {"address": f"aws_iam_policy.{one}", "mode": "managed", "type": "aws_iam_policy", "name": one} for one in names
    ]


PASSED = {"p": {"references": ["aws_iam_policy.a.arn", "aws_iam_policy.a", "aws_iam_policy.b.arn", "aws_iam_policy.b"]}}
CALLED = {"resources": [NAMED | {"expressions": {"policy_arn": {"references": ["var.p"]}}}], "variables": {"p": {}}}
INNER = NAMED | {"address": f"module.m.{TYPE}.a"}
UNKNOWN = {
    "planned_values": {
        "root_module": {
            "resources": [one | {"values": {"name": one["name"]}} for one in _own_policies("a", "b")],
            "child_modules": [{"address": "module.m", "resources": [INNER | {"values": {"role": "r"}}]}],
        }
    },
    "resource_changes": [
        INNER
        | {"module_address": "module.m"}
        | {
            "change": {
                "actions": ["create"],
                "before": None,
                "after": {"role": "r"},
                "after_unknown": {"policy_arn": True},
            }
        }
    ],
    "configuration": {
        "root_module": {
            "resources": [one | {"expressions": {}} for one in _own_policies("a", "b")],
            "module_calls": {"m": {"source": "./m", "expressions": PASSED, "module": CALLED}},
        }
    },
}


@pytest.mark.parametrize(("limit", "most"), [("MAX_ALTERNATIVES", 2), ("MAX_DEPTH", 1)])
def test_a_limit_that_is_reached_is_told(
    limit: str, most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_lookup, limit, most)
    attached, unjudged = read(tmp_path, json.dumps(UNKNOWN))
    assert (attached, unjudged) == ([INNER["address"]] * 2, [])
    monkeypatch.setattr(plan_lookup, limit, most - 1)
    attached, unjudged = read(tmp_path, json.dumps(UNKNOWN))
    assert (attached, len(unjudged)) == ([], 1)
    assert f"more than {most - 1}" in unjudged[0]
