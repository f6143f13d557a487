"""What a list's settings do to a check of real files, and that no document whatever breaks the reader."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unapproved_iam.commands import check_command
from unapproved_iam.commands.schema_command import deny_list_schema
from unapproved_iam.deny_list.discovery import FILE_NAME
from unapproved_iam.deny_list.list_format import DENY_LIST, Form
from unapproved_iam.deny_list.reader import DenyListError, read_deny_list
from unapproved_iam.marked_yaml import Kind

TREE = {
    "main.tf": """\
resource "aws_iam_role_policy_attachment" "skipped" {
  # checkov:skip=IAM_068:known since 2020
  role       = "app"
  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
}
""",
    "stack.yaml": """\
Resources:
  Skipped:
    Type: AWS::IAM::Role
    Metadata:
      checkov:
        skip:
          - {id: IAM_068, comment: known since 2020}
    Properties:
      RoleName: app
      ManagedPolicyArns: [arn:aws:iam::aws:policy/AdministratorAccess]
""",
}


@pytest.mark.parametrize(
    ("settings_of_list", "skip", "code", "lines"),
    [
        ("", True, 0, []),
        ("inline_skips: allow", True, 0, []),
        ("", False, 1, ["must not be attached to role/app\n"] * 2),
        ("inline_skips: refuse", True, 1, [f"its inline skip does not count, because {FILE_NAME} refuses them"] * 2),
        ("inline_skips: refuse", False, 1, ["must not be attached to role/app\n"] * 2),
        ("enforce_from: 2090-01-01", False, 0, ["must not be attached to role/app from 2090-01-01 on\n"] * 2),
        ("enforce_from: 2020-01-01", False, 1, ["must not be attached to role/app\n"] * 2),
        ("enforce_from: 2090-01-01", True, 0, []),
    ],
)
def test_settings(
    settings_of_list: str,
    skip: bool,
    code: int,
    lines: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, content in TREE.items():
        (tmp_path / name).write_text(content if skip else re.sub("IAM_068", "CKV_1", content))
    monkeypatch.chdir(tmp_path)
    of_use = f", {settings_of_list}" if settings_of_list.startswith("enforce_from") else ""
    rest = "" if of_use else settings_of_list
    (tmp_path / FILE_NAME).write_text(f"version: 1\nuse: [{{list: aws-admin{of_use}}}]\n{rest}\n")
    assert check_command.main([]) == code
    out = capsys.readouterr().out
    for line in set(lines):
        assert out.count(line) == lines.count(line), out
    assert ("must not be attached" in out) is bool(lines)


# What only the reader can know; see the module's docstring of the schema.
BEYOND_THE_SCHEMA = (
    "can match no policy",
    "is neither a name nor an ARN",
    "ends without a name",
    "there is no AWS managed policy",
    "no AWS managed policy matches",
    "is already at line",
    "denies nothing",
    "cannot be read",
    "extends itself",
    "is not a local file",
)

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 3),
    st.sampled_from(
        ["", " ", "x", "1", "AdministratorAccess", "*", "role/x", "roles/x", "a.b", "live/**", "/x", "pass"]
    ),
    st.sampled_from(
        ["aws-admin", "aws-admn", "fail", "refuse", "2027-06-30", "2027-02-30", "soon", "arn:aws:iam::*:policy/x"]
    ),
)


def near(form: Form) -> st.SearchStrategy[Any]:
    """Values that a form may hold, now and then one that it may not."""
    if form.kind is Kind.LIST:
        assert form.items
        return st.one_of(st.lists(near(form.items), max_size=2), SCALARS)
    if form.kind is Kind.MAPPING:
        keys = {name: near(key.form) for name, key in form.keys.items()}
        required = {name: keys[name] for name, key in form.keys.items() if key.required}
        optional = {name: keys[name] for name in keys if name not in required} | {"unknown": SCALARS}
        whole = st.fixed_dictionaries(required, optional=optional)
        partial = st.fixed_dictionaries({}, optional=keys)
        return st.one_of(whole, whole, partial, near(form.keys[form.short].form) if form.short else SCALARS)
    fitting = {
        "1": st.just(1),
        "true or false": st.booleans(),
        "a day such as 2027-06-30": st.sampled_from(["2027-06-30", "2027-02-30"]),
    }.get(form.expected, st.sampled_from(form.choices) if form.choices else SCALARS)
    return st.one_of(fitting, fitting, fitting, SCALARS)


VALIDATOR = jsonschema.Draft7Validator(deny_list_schema(), format_checker=jsonschema.FormatChecker(["date"]))


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(document=near(DENY_LIST))
def test_reader_and_schema_agree_on_any_document(document: Any, tmp_path: Path) -> None:
    path = tmp_path / "list.yaml"
    path.write_text(json.dumps(document))
    try:
        read_deny_list(str(path))
        problems: list[str] = []
    except DenyListError as error:
        problems = [problem.what for problem in error.problems]
    in_the_schema = [what for what in problems if not any(words in what for words in BEYOND_THE_SCHEMA)]
    says_nothing = document == {"version": 1}  # refused by both, by the reader because nothing is denied
    assert VALIDATOR.is_valid(document) == (not in_the_schema and not says_nothing), problems
