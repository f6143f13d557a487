"""Which values a file gives to the parameters of a template, in each form that a tool of AWS takes."""

from __future__ import annotations

import json

import pytest
from unapproved_iam.cloudformation.parameter_files import parameter_values
from unapproved_iam.cloudformation.parameter_look import may_give_parameters

LISTED = [{"ParameterKey": "Policy", "ParameterValue": "a=b"}, {"ParameterKey": "Env", "ParameterValue": "prod"}]

FORMS: dict[str, tuple[str, str, list[dict[str, str]]]] = {
    "create-stack": ("p.json", json.dumps(LISTED), [{"Policy": "a=b", "Env": "prod"}]),
    "create-stack as YAML": ("p.yaml", "- ParameterKey: Policy\n  ParameterValue: x\n", [{"Policy": "x"}]),
    "deploy": ("p.json", '["Policy=a=b", "Env=prod"]', [{"Policy": "a=b", "Env": "prod"}]),
    "CodePipeline": ("p.json", '{"Parameters": {"Policy": "x"}, "Tags": {"a": "b"}}', [{"Policy": "x"}]),
    "a list": ("p.json", '{"Parameters": {"Policies": ["x", "y"]}}', [{"Policies": "x,y"}]),
    "a number": ("p.json", '{"Parameters": {"Count": 3}}', [{"Count": "3"}]),
    "the value that the stack has": (
        "p.json",
        '[{"ParameterKey": "Policy", "UsePreviousValue": true}]',
        [{"Policy": "${Policy}"}],
    ),
    "a template": ("p.json", '{"Parameters": {"Policy": {"Type": "String"}}, "Resources": {}}', []),
    "declarations only": ("p.json", '{"Parameters": {"Policy": {"Type": "String"}}}', []),
    "another list": ("p.json", '[{"Key": "a"}]', []),
    "no JSON": ("p.json", '[{"ParameterKey": "Policy",', []),
    "SAM, one text": (
        "samconfig.toml",
        '[a.deploy.parameters]\nparameter_overrides = "Policy=\\"x y\\" Env=prod"\n',
        [{"Policy": "x y", "Env": "prod"}],
    ),
    "SAM, the long form": (
        "samconfig.toml",
        "parameter_overrides = 'ParameterKey=Policy,ParameterValue=x ParameterKey=Env,ParameterValue=y'\n",
        [{"Policy": "x", "Env": "y"}],
    ),
    "SAM, a list": (
        "samconfig.toml",
        "parameter_overrides = [\n  'Policy=x', # one\n  \"Env=y\",\n]\n",
        [{"Policy": "x", "Env": "y"}],
    ),
    "SAM, two environments": (
        "samconfig.toml",
        "[a]\nparameter_overrides = 'Policy=x'\n[b]\nparameter_overrides = '''Policy=y\nEnv=z'''\n",
        [{"Policy": "x"}, {"Policy": "y", "Env": "z"}],
    ),
    "SAM, commented out": ("samconfig.toml", "# parameter_overrides = 'Policy=x'\n", []),
    "SAM in YAML, one text": (
        "samconfig.yaml",
        'version: 0.1\na:\n  deploy:\n    parameters:\n      parameter_overrides: Policy="x y" Env=prod\n',
        [{"Policy": "x y", "Env": "prod"}],
    ),
    "SAM in YAML, a list": (
        "samconfig.yml",
        "a: {deploy: {parameters: {parameter_overrides: [Policy=x, Env=y]}}}\n",
        [{"Policy": "x", "Env": "y"}],
    ),
    "SAM in YAML, a mapping": (
        "samconfig.yaml",
        "a: {deploy: {parameters: {parameter_overrides: {Policy: x, Env: 1}}}}\n",
        [{"Policy": "x", "Env": "1"}],
    ),
    "SAM in a file of another name": ("x.yaml", "a: {parameter_overrides: [Policy=x]}\n", []),
    "Git sync": (
        "d.yaml",
        "template-file-path: x.yaml\nparameters: {Policy: x}\ntags: {a: b}\n",
        [{"Policy": "x"}],
    ),
    "no template of Git sync": ("d.yaml", "parameters: {Policy: x}\n", []),
    "another TOML": ("pyproject.toml", "parameter_overrides = 'Policy=x'\n", []),
}


@pytest.mark.parametrize(("name", "written", "expected"), FORMS.values(), ids=FORMS)
def test_forms(name: str, written: str, expected: list[dict[str, str]]) -> None:
    found = parameter_values(name, written.encode())
    assert [{key: str(value) for key, value in one.values.items()} for one in found] == expected
    assert may_give_parameters(written.encode()) or not expected


def test_where_a_file_may_give_parameters() -> None:
    """The manifests that the CDK writes beside a template are read by nobody: they have the word in other words."""
    assert may_give_parameters(b'{"Parameters" : {}}')
    assert may_give_parameters(b"Parameters:\n  A: x\n")
    assert not may_give_parameters(b'{"responseParameters": "*", "data": "Parameters1"}')


@pytest.mark.parametrize(
    ("written", "may_give"),
    [
        ('{"Parameters": {"Version": {"Type": "String"}}, "Rules": {}}', False),
        ('{"Parameters" : {\n "\\"A" : {"Type": "String"}}}', False),
        ('{"Parameters": {"Version": {"Type": "String"}}, "in": {"Parameters": {"Version": "1"}}}', True),
        ('{"Parameters": {"Policies": ["x"]}}', True),
        ("Parameters: {A: {Type: String}}", True),  # not read so closely
    ],
)
def test_a_template_without_resources_gives_none(written: str, may_give: bool) -> None:
    assert may_give_parameters(written.encode()) is may_give
    assert may_give or not parameter_values("p.json", written.encode())
