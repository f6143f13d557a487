"""Which templates are judged through others, and what a check of a tree then finds; raw checkov's check agrees."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from unapproved_iam.commands.command_line import main
from unapproved_iam.scan.nested_templates import judged_through_others, judged_through_others_below

PASSED = "Parameters: {P: {Type: String, AllowedValues: [AdministratorAccess, ReadOnlyAccess]}}\n"
CHILD = (
    PASSED + "Resources:\n  Role:\n    Type: AWS::IAM::Role\n    Properties:\n"
    "      ManagedPolicyArns: [!Sub 'arn:aws:iam::aws:policy/${P}']\n"
)


def parent(passed: str = "ReadOnlyAccess", url: str = "child.yaml", more: str = "") -> str:
    stack = f"Properties: {{TemplateURL: {url}, Parameters: {{P: {passed}}}}}"
    resource = f"  App:\n    Type: AWS::CloudFormation::Stack\n{more}    {stack}\n"
    return f"Conditions: {{Never: !Equals [a, b]}}\nResources:\n{resource}"


ROWS: dict[str, tuple[dict[str, str], list[str]]] = {
    "by itself": ({"child.yaml": CHILD}, ["child.yaml Role"]),
    "harmless argument": ({"child.yaml": CHILD, "parent.yaml": parent()}, []),
    "denied argument": ({"child.yaml": CHILD, "parent.yaml": parent("AdministratorAccess")}, ["child.yaml App.Role"]),
    "never created": ({"child.yaml": CHILD, "parent.yaml": parent(more="    Condition: Never\n")}, []),
    "another template": ({"child.yaml": CHILD, "parent.yaml": parent(url="other.yaml")}, ["child.yaml Role"]),
    "through two": (
        {
            "child.yaml": CHILD,
            "middle.yaml": parent("!Ref P") + PASSED,
            "outer.yaml": parent("AdministratorAccess", "middle.yaml"),
        },
        ["child.yaml App.App.Role"],
    ),
    "only its example": (
        {"child.yaml": CHILD, "examples/parent.yaml": parent(url="../child.yaml")},
        ["child.yaml Role"],
    ),
    "its parameter file, too": (
        {
            "child.yaml": CHILD,
            "parent.yaml": parent(),
            "child.parameters.json": '[{"ParameterKey": "P", "ParameterValue": "AdministratorAccess"}]',
        },
        ["child.yaml Role"],
    ),
}


@pytest.mark.parametrize("screen", [[], ["--no-screen"]], ids=["screen", "no screen"])
@pytest.mark.parametrize(("files", "denied"), ROWS.values(), ids=ROWS)
def test_a_nested_template(
    files: dict[str, str], denied: list[str], screen: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    assert main(["check", *screen, "--output=json", str(tmp_path)]) == bool(denied)
    found = json.loads(capsys.readouterr().out)["findings"]
    assert sorted({f"{Path(one['path']).name} {one['resource']}" for one in found}) == denied


def test_one_file_is_judged_through_its_callers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "child.yaml").write_text(CHILD)
    (tmp_path / "parent.yaml").write_text(parent())
    assert main(["check", str(tmp_path / "child.yaml")]) == 0
    capsys.readouterr()


def test_templates_that_nest_each_other_count_by_themselves() -> None:
    one, other, outer = "/t/one.yaml", "/t/other.yaml", "/t/outer.yaml"
    nested = {one: frozenset({other}), other: frozenset({one})}
    assert judged_through_others(nested) == frozenset()
    assert judged_through_others({**nested, outer: frozenset({one, other})}) == {one, other}


def test_below_a_directory(tmp_path: Path) -> None:
    """As raw checkov's check asks, which reads one file after the other."""
    (tmp_path / "child.yaml").write_text(CHILD)
    (tmp_path / "parent.yaml").write_text(parent())
    assert judged_through_others_below(str(tmp_path)) == {str(tmp_path / "child.yaml")}
