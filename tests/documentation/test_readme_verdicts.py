"""The table of verdicts in the reference holds, row by row: each has a tree, and a twin that differs in one token."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import pytest
from project_files import COVERAGE, table
from unapproved_iam.commands.command_line import main

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
READER = "arn:aws:iam::aws:policy/ReadOnlyAccess"


class Case(NamedTuple):
    """One tree for a row: its files, the verdicts that `check` reports of them, and what a message says besides."""

    row: str  # how the row begins
    files: dict[str, str]
    verdicts: list[str]
    says: str = ""


def attach(policy: str = f'"{ADMINISTRATOR}"', more: str = "") -> str:
    return f"""
resource "aws_iam_role_policy_attachment" "x" {{
  role       = "x"
  policy_arn = {policy}
  {more}
}}
"""


def attach_list(policies: str) -> str:
    return f'resource "aws_iam_role" "x" {{\n  managed_policy_arns = {policies}\n}}\n'


def variable(default: str = "") -> str:
    return 'variable "x" {' + (f"\n  default = {default}\n" if default else "") + "}\n"


def call(source: str = "../module", more: str = "") -> str:
    return f'module "called" {{\n  source = "{source}"\n  {more}\n}}\n'


def template(policy: str, head: str = "", resource: str = "") -> str:
    return f"""{head}
Resources:
  Role:
    Type: AWS::IAM::Role
    {resource}
    Properties:
      ManagedPolicyArns: [{policy}]
"""


LITERAL = "literal, local"
VARIABLE = "root variable: default"
VALUELESS = "root variable without"
DECIDED = "condition, count, for_each decided"
OPEN = "condition, count, for_each that depends"
UNCALLED = "module directory that nobody"
CALLED = "module directory that is called"
FOREIGN = "call of a module whose source"
CHOSEN = "call whose source a variable"
PARAMETER = "CloudFormation parameter"
CONDITION = "CloudFormation condition"
IMPORTED = "Fn::ImportValue"
NESTED = "template that another one in the tree nests"
UNIT = "input of a Terragrunt unit"
OUTPUT = "output of another Terragrunt unit"
COMPONENT = "input of a component of a Terraform Stack"
VARIABLE_SET = "variable set of a Terraform Stack"
WRITTEN = "further document: literal"
FILLED_IN = "further document: value that is filled in"

STATEMENT = f'rules = jsonencode([{{ %s = "Allow", Action = "*", Resource = "{ADMINISTRATOR}" }}])'
ENCODED_STATEMENT = STATEMENT.replace("jsonencode(", "base64encode(jsonencode(") + ")"
ELSEWHERE = (
    "Resources: {S: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: 'https://x/y', "
    "Parameters: {D: !Base64 'x %s y'}}}}\n"
)
STACK = 'resource "aws_cloudformation_stack" "x" {\n  template_url = "https://x/y"\n  parameters = { %s = "%s" }\n}\n'

PICKED = attach(f'var.x ? "{ADMINISTRATOR}" : "{READER}"')
ALLOWED = "Parameters: {P: {Type: String, AllowedValues: [" + READER + ", %s]}}"


def unit(policy: str, source: str = "git::https://example.com/x.git") -> str:
    return f'terraform {{ source = "{source}" }}\ninputs = {{ x = {policy} }}\n'


def deployment(policy: str) -> str:
    return f'deployment "x" {{\n  inputs = {{ x = {policy} }}\n}}\n'


COMPONENTS = variable() + 'component "x" {\n  source = "./m"\n  inputs = { x = var.x }\n}\n'
EXPORTING = "Resources: {Q: {Type: AWS::SQS::Queue}}\nOutputs: {O: {Value: '%s', Export: {Name: %s}}}\n"

# By itself it attaches nothing that is denied.
SET = attach("var.x") + variable(f'"{READER}"')

NAMED = attach('"arn:aws:iam::aws:policy/${var.x}"') + variable('"ReadOnlyAccess"')
CHOICE = variable('"./m"') + 'module "x" {\n  source = var.x\n  x = "%s"\n}\n'

ROLE = """
apiVersion: iam.services.k8s.aws/v1alpha1
kind: Role
metadata: {name: x}
spec: {name: x, policies: ["%s"]}
"""

NESTING = "Resources: {S: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: x.yaml, Parameters: {P: '%s'}}}}"

CASES = [
    Case(UNIT, {"terragrunt.hcl": unit(f'"{ADMINISTRATOR}"')}, ["denied"]),
    Case(UNIT, {"terragrunt.hcl": unit(f'"{READER}"')}, []),
    Case(UNIT, {"x/terragrunt.hcl": unit(f'"{ADMINISTRATOR}"', "../m"), "m/main.tf": SET}, ["denied"]),
    Case(UNIT, {"x/terragrunt.hcl": unit(f'"{READER}"', "../m"), "m/main.tf": SET}, []),
    Case(OUTPUT, {"x/terragrunt.hcl": unit("dependency.y.outputs.x", "../m"), "m/main.tf": SET}, ["unresolved"]),
    Case(OUTPUT, {"x/terragrunt.hcl": unit(f'"{READER}"', "../m"), "m/main.tf": SET}, []),
    *(
        Case(row, {"x.tfcomponent.hcl": COMPONENTS, "x.tfdeploy.hcl": deployment(policy), "m/main.tf": SET}, verdicts)
        for row, policy, verdicts in (
            (COMPONENT, f'"{ADMINISTRATOR}"', ["denied"]),
            (COMPONENT, f'"{READER}"', []),
            (VARIABLE_SET, "store.varset.y.x", ["unresolved"]),
            (VARIABLE_SET, f'"{READER}"', []),
        )
    ),
    Case(WRITTEN, {"role.yaml": ROLE % ADMINISTRATOR}, ["denied"]),
    Case(WRITTEN, {"role.yaml": ROLE % READER}, []),
    Case(FILLED_IN, {"role.yaml": ROLE % "{{ policy }}"}, ["unresolved"]),
    Case(FILLED_IN, {"role.yaml": ROLE % f"{READER}"}, []),
    Case(LITERAL, {"main.tf": attach()}, ["denied"]),
    Case(LITERAL, {"main.tf": attach(f'"{READER}"')}, []),
    Case(LITERAL, {"main.tf": attach("local.x") + f'locals {{ x = "{ADMINISTRATOR}" }}'}, ["denied"]),
    Case(LITERAL, {"main.tf": attach("local.x") + f'locals {{ x = "{READER}" }}'}, []),
    Case(
        LITERAL,
        {"root/main.tf": call(more=f'x = "{ADMINISTRATOR}"'), "module/main.tf": attach("var.x") + variable()},
        ["denied"],
    ),
    Case(LITERAL, {"root/main.tf": call(more=f'x = "{READER}"'), "module/main.tf": attach("var.x") + variable()}, []),
    Case(
        LITERAL,
        {"root/main.tf": call(), "module/main.tf": attach("var.x") + variable(f'"{ADMINISTRATOR}"')},
        ["denied"],
    ),
    Case(LITERAL, {"root/main.tf": call(), "module/main.tf": attach("var.x") + variable(f'"{READER}"')}, []),
    Case(VARIABLE, {"main.tf": attach("var.x") + variable(f'"{ADMINISTRATOR}"')}, ["denied"]),
    Case(VARIABLE, {"main.tf": attach("var.x") + variable(f'"{READER}"')}, []),
    Case(
        VARIABLE,
        {"main.tf": attach("var.x") + variable(f'"{READER}"'), "terraform.tfvars": f'x = "{ADMINISTRATOR}"'},
        ["denied"],
    ),
    Case(
        VARIABLE,
        {"main.tf": attach("var.x") + variable(f'"{ADMINISTRATOR}"'), "terraform.tfvars": f'x = "{READER}"'},
        [],
    ),
    Case(
        VARIABLE,
        {"main.tf": attach("var.x") + variable(f'"{READER}"'), "envs/prod.tfvars": f'x = "{ADMINISTRATOR}"'},
        ["denied"],
        "envs/prod.tfvars",
    ),
    Case(
        VARIABLE,
        {"stack/main.tf": attach("var.x") + variable(f'"{READER}"'), "env/prod.tfvars": f'x = "{ADMINISTRATOR}"'},
        ["denied"],
        "../env/prod.tfvars",
    ),
    Case(
        VARIABLE,
        {"stack/main.tf": attach("var.x") + variable(f'"{READER}"'), "env/x.tfvars": f'y = 1\nx = "{ADMINISTRATOR}"'},
        [],
    ),
    Case(VALUELESS, {"main.tf": attach("var.x") + variable()}, ["unresolved"], "variable x"),
    Case(VALUELESS, {"main.tf": attach("var.x") + variable("null")}, ["unresolved"], "may have another value"),
    Case(VALUELESS, {"main.tf": attach("var.x") + variable('""')}, ["unresolved"], "may have another value"),
    Case(VALUELESS, {"main.tf": attach_list("var.x") + variable("[]")}, ["unresolved"], "may have another value"),
    Case(VALUELESS, {"main.tf": attach_list("[]")}, []),
    Case(VALUELESS, {"main.tf": attach("var.x[0]") + variable("[]")}, ["unresolved"], "may have another value"),
    Case(
        VALUELESS,
        {"main.tf": attach("data.aws_ssm_parameter.x.value") + 'data "aws_ssm_parameter" "x" {}'},
        ["unresolved"],
        "data.aws_ssm_parameter.x.value is read when terraform plans",
    ),
    Case(VALUELESS, {"main.tf": attach("data.terraform_remote_state.x.outputs.policy")}, ["unresolved"]),
    Case(DECIDED, {"main.tf": attach(more='count = "a" == "b" ? 1 : 0')}, []),
    Case(DECIDED, {"main.tf": attach(more='count = "a" == "a" ? 1 : 0')}, ["denied"]),
    Case(DECIDED, {"main.tf": attach(more="for_each = toset([])")}, []),
    Case(DECIDED, {"main.tf": attach(more='for_each = toset(["a"])')}, ["denied"]),
    Case(DECIDED, {"root/main.tf": call(more="x = false"), "module/main.tf": PICKED + variable()}, []),
    Case(DECIDED, {"root/main.tf": call(more="x = true"), "module/main.tf": PICKED + variable()}, ["denied"]),
    Case(OPEN, {"main.tf": PICKED + variable("false")}, ["denied"], "when var.x is true"),
    Case(OPEN, {"main.tf": PICKED + variable()}, ["denied"], "when var.x is true"),
    Case(OPEN, {"main.tf": attach(more="count = var.x ? 1 : 0") + variable("false")}, ["denied"], "when "),
    Case(UNCALLED, {"module/main.tf": attach("var.x") + variable(f'"{ADMINISTRATOR}"')}, ["denied"]),
    Case(
        CALLED,
        {
            "root/main.tf": call(more=f'x = "{READER}"'),
            "module/main.tf": attach("var.x") + variable(f'"{ADMINISTRATOR}"'),
        },
        [],
    ),
    Case(
        CALLED,
        {
            "root/main.tf": call(more=f'x = "{READER}"'),
            "module/main.tf": attach("var.x") + variable(f'"{ADMINISTRATOR}"'),
            "module/terraform.tfvars": "",
        },
        ["denied"],
    ),
    Case(
        CALLED,
        {"main.tf": PICKED + variable("false"), "examples/x/main.tf": call("../..", "x = false")},
        ["denied"],
        "when var.x is true",
    ),
    Case(CALLED, {"m/main.tf": PICKED + variable("false"), "examples/x/main.tf": call("../../m", "x = false")}, []),
    Case(FOREIGN, {"main.tf": call("registry/role/aws", f'policies = ["{ADMINISTRATOR}"]')}, ["denied"]),
    Case(FOREIGN, {"main.tf": call("registry/role/aws", f'policies = ["{READER}"]')}, []),
    Case(FOREIGN, {"main.tf": call("registry/role/aws", f'permissions_boundary_arn = "{ADMINISTRATOR}"')}, []),
    Case(FOREIGN, {"main.tf": call("registry/role/aws", f'boundary_policies = "{ADMINISTRATOR}"')}, ["denied"]),
    Case(FOREIGN, {"main.tf": call("registry/role/aws", "policies = var.x") + variable()}, []),
    Case(FOREIGN, {"main.tf": call("registry/role/aws", f'policies = "{READER},{ADMINISTRATOR}"')}, ["denied"]),
    Case(FOREIGN, {"main.tf": call("registry/role/aws", f'policies = "{READER},{ADMINISTRATOR}-x"')}, []),
    *(
        Case(FOREIGN, {"main.tf": call("registry/role/aws", f"data = {encoded % name}")}, verdicts)
        for encoded in (
            'base64encode("aws iam attach-role-policy --policy-arn %s")',
            "base64encode(<<-EOT\n    x %s\n  EOT\n  )",
            'base64gzip("%s")',
            'jsonencode({ x = base64encode("%s") })',
            '"x-${base64encode("%s")}"',
            'urlencode("%s")',
        )
        for name, verdicts in ((ADMINISTRATOR, ["denied"]), (READER, []))
    ),
    Case(FOREIGN, {"x.yaml": ELSEWHERE % ADMINISTRATOR}, ["denied"]),
    Case(FOREIGN, {"x.yaml": ELSEWHERE % READER}, []),
    Case(FOREIGN, {"main.tf": call("registry/role/aws", STATEMENT % "Effect")}, []),
    Case(FOREIGN, {"main.tf": call("registry/role/aws", ENCODED_STATEMENT % "Effect")}, []),
    Case(FOREIGN, {"main.tf": call("registry/role/aws", ENCODED_STATEMENT % "Sid")}, ["denied"]),
    Case(FOREIGN, {"main.tf": call("registry/role/aws", STATEMENT % "Sid")}, ["denied"]),
    Case(FOREIGN, {"main.tf": STACK % ("Policy", ADMINISTRATOR)}, ["denied"]),
    Case(FOREIGN, {"main.tf": STACK % ("Policy", READER)}, []),
    Case(FOREIGN, {"main.tf": STACK % ("PermissionsBoundary", ADMINISTRATOR)}, []),
    Case(CHOSEN, {"main.tf": CHOICE % "AdministratorAccess", "m/main.tf": NAMED}, ["denied"], 'when var.x is "./m"'),
    Case(CHOSEN, {"main.tf": CHOICE % "AmazonS3ReadOnlyAccess", "m/main.tf": NAMED}, []),
    Case(CHOSEN, {"main.tf": CHOICE % ADMINISTRATOR, "m/main.tf": attach(f'"{READER}"')}, ["denied"]),
    Case(
        PARAMETER,
        {"x.yaml": template("!Ref P", f"Parameters: {{P: {{Type: String, Default: '{ADMINISTRATOR}'}}}}")},
        ["denied"],
    ),
    Case(
        PARAMETER,
        {"x.yaml": template("!Ref P", "Parameters: {P: {Type: String}}"), "p.json": f'["P={ADMINISTRATOR}"]'},
        ["denied"],
    ),
    Case(PARAMETER, {"x.yaml": template("!Ref P", "Parameters: {P: {Type: String}}"), "p.json": f'["P={READER}"]'}, []),
    Case(PARAMETER, {"x.yaml": template("!Ref P", f"Parameters: {{P: {{Type: String, Default: '{READER}'}}}}")}, []),
    Case(PARAMETER, {"x.yaml": template("!Ref P", ALLOWED % ADMINISTRATOR)}, ["denied"]),
    Case(PARAMETER, {"x.yaml": template("!Ref P", ALLOWED % READER)}, []),
    Case(PARAMETER, {"x.yaml": template("!Ref P", "Parameters: {P: {Type: String}}")}, ["unresolved"]),
    Case(
        CONDITION,
        {
            "x.yaml": template(
                ADMINISTRATOR, "Parameters: {E: {Type: String}}\nConditions: {C: !Equals [!Ref E, p]}", "Condition: C"
            )
        },
        ["denied"],
        "when parameter E is",
    ),
    Case(CONDITION, {"x.yaml": template(ADMINISTRATOR, "Conditions: {C: !Equals [a, p]}", "Condition: C")}, []),
    Case(
        NESTED, {"x.yaml": template("!Ref P", ALLOWED % ADMINISTRATOR), "y.yaml": NESTING % ADMINISTRATOR}, ["denied"]
    ),
    Case(NESTED, {"x.yaml": template("!Ref P", ALLOWED % ADMINISTRATOR), "y.yaml": NESTING % READER}, []),
    Case(IMPORTED, {"x.yaml": template("!ImportValue n"), "y.yaml": EXPORTING % (ADMINISTRATOR, "n")}, ["denied"]),
    Case(IMPORTED, {"x.yaml": template("!ImportValue n"), "y.yaml": EXPORTING % (READER, "n")}, []),
    Case(IMPORTED, {"x.yaml": template("!ImportValue n"), "y.yaml": EXPORTING % (ADMINISTRATOR, "m")}, ["unresolved"]),
    Case(CONDITION, {"x.yaml": template(ADMINISTRATOR, "Conditions: {C: !Equals [p, p]}", "Condition: C")}, ["denied"]),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.row)
def test_verdict(case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in case.files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    code = main(["check", "--no-screen", "--output=json", str(tmp_path)])
    found = json.loads(capsys.readouterr().out)["findings"]
    assert [finding["verdict"] for finding in found] == case.verdicts
    assert code == ("denied" in case.verdicts)
    assert all(case.says in finding["message"] for finding in found)


def test_each_row_of_the_table_has_cases() -> None:
    rows = [row[0] for row in table(COVERAGE, "| evidence")]
    covered = {next(row for row in rows if row.startswith(case.row)) for case in CASES}
    assert covered == set(rows)
