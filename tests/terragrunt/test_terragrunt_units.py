"""What Terragrunt units attach: each tree has a twin that differs in one token; both are checked as a user would."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pytest
from unapproved_iam.commands.command_line import main
from written_files import write_tree

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
READER = "arn:aws:iam::aws:policy/ReadOnlyAccess"
MODULE = """
variable "policy" {
  type    = string
  default = "arn:aws:iam::aws:policy/ReadOnlyAccess"
}
variable "create" {
  type    = bool
  default = false
}
resource "aws_iam_role_policy_attachment" "x" {
  count      = var.create ? 1 : 0
  role       = "deploy"
  policy_arn = var.policy
}
"""
LOCAL = 'terraform { source = "../modules//role" }\n'
FOREIGN = 'terraform { source = "git::https://example.com/roles.git//role?ref=v1" }\n'
INCLUDE = 'include "root" { path = find_in_parent_folders("root.hcl") }\n'


def inputs(policy: str = f'"{ADMINISTRATOR}"', more: str = "create = true") -> str:
    return f"inputs = {{\n  policy = {policy}\n  {more}\n}}\n"


def extra(arguments: str, source: str = "../modules/role") -> str:
    """A unit with `extra_arguments`, whose inputs name no policy."""
    block = f'  extra_arguments "x" {{\n    commands = ["plan"]\n    {arguments}\n  }}\n'
    return f'terraform {{\n  source = "{source}"\n{block}}}\ninputs = {{ create = true }}\n'


class Tree(NamedTuple):
    unit: str  # live/terragrunt.hcl
    denied: bool
    files: Mapping[str, str] = MappingProxyType({})  # beside a module in modules/role
    name: str = "terragrunt.hcl"


UNKNOWN_VALUE = 'yamldecode(sops_decrypt_file("secrets.yaml"))'
UNKNOWN_INPUTS = 'inputs = yamldecode(sops_decrypt_file("secrets.yaml"))\n'
UNKNOWN_MERGED = 'inputs = merge({ x = 1 }, yamldecode(sops_decrypt_file("secrets.yaml")), { y = 2 })\n'
NAMED = 'locals { name = "AdministratorAccess" }\n'
OTHER = NAMED.replace("AdministratorAccess", "ReadOnlyAccess")
BY_NAME = inputs('"arn:aws:iam::aws:policy/${%s}"')


STACK = 'unit "x" {{\n  source = "../units/x"\n  path = "x"\n  {more}\n}}\n'
HERE = 'terraform { source = "." }\n'
BY_VALUE = inputs("values.policy")
CREATE = "inputs = { create = true }\n"
ASSIGNED = f'policy = "{ADMINISTRATOR}"\n'
ASSIGNED_READER = f'policy = "{READER}"\n'


def both(unit: str, files: dict[str, str] | None = None, name: str = "terragrunt.hcl") -> tuple[Tree, Tree]:
    """A tree in which the policy is denied, and the one with another policy."""
    written = files or {}
    harmless = {path: text.replace("AdministratorAccess", "ReadOnlyAccess") for path, text in written.items()}
    return Tree(unit, True, written, name), Tree(
        unit.replace("AdministratorAccess", "ReadOnlyAccess"), False, harmless, name
    )


FORMS: dict[str, tuple[Tree, Tree]] = {
    "an input of a module of the tree": both(LOCAL + inputs()),
    "an input that switches the resource off": (
        Tree(LOCAL + inputs(), True),
        Tree(LOCAL + inputs(more="create = false"), False),
    ),
    "an input of another module": both(FOREIGN + inputs()),
    "a boundary among such inputs": (
        Tree(FOREIGN + inputs(), True),
        Tree(FOREIGN + inputs().replace("policy =", "permissions_boundary ="), False),
    ),
    "the module beside the unit": both(inputs(), {"live/main.tf": MODULE}),
    "inputs that no module of the tree takes": both(inputs()),
    "a source from the repository's root": both(
        'terraform { source = "${get_repo_root()}/modules/role" }\n' + inputs()
    ),
    "a source by a relative path to the root": both(
        'terraform { source = "${get_path_to_repo_root()}//modules/role" }\n' + inputs()
    ),
    "a source by the directory of a file above": both(
        'terraform { source = "${dirname(find_in_parent_folders("root.hcl"))}/modules/role" }\n' + inputs(),
        {"root.hcl": ""},
    ),
    "a local": both(LOCAL + NAMED + BY_NAME % "local.name"),
    "an input of what is included": both(LOCAL + INCLUDE + "inputs = { create = true }\n", {"root.hcl": inputs()}),
    "an input that overrides the included one": (
        Tree(LOCAL + INCLUDE + inputs(), True, {"root.hcl": inputs(f'"{READER}"')}),
        Tree(LOCAL + INCLUDE + inputs(f'"{READER}"'), False, {"root.hcl": inputs()}),
    ),
    "an input beside unknown ones": (
        Tree(LOCAL + INCLUDE + inputs(), True, {"root.hcl": UNKNOWN_INPUTS}),
        Tree(LOCAL + INCLUDE + inputs(more="create = false"), False, {"root.hcl": UNKNOWN_INPUTS}),
    ),
    "an input beside a merge with unknown ones": (
        Tree(LOCAL + INCLUDE + inputs(), True, {"root.hcl": UNKNOWN_MERGED}),
        Tree(LOCAL + INCLUDE + inputs(more="create = false"), False, {"root.hcl": UNKNOWN_MERGED}),
    ),
    "an input before unknown ones, of another module": both(
        FOREIGN + f'inputs = merge({{ policy = "{ADMINISTRATOR}" }}, {UNKNOWN_VALUE})\n'
    ),
    "an included input that the unit may leave": both(
        LOCAL + INCLUDE + f'inputs = get_env("X") == "a" ? {{ policy = "{READER}" }} : {{ create = true }}\n',
        {"root.hcl": inputs()},
    ),
    "an input whose name is not known": both(FOREIGN + f'inputs = {{ (get_env("X")) = "{ADMINISTRATOR}" }}\n'),
    "an input whose name is not known, of a module of the tree": both(
        LOCAL + f'inputs = {{ (get_env("X")) = "{ADMINISTRATOR}", create = true }}\n'
    ),
    "inputs that are decoded from what is not computed": both(
        FOREIGN + f'inputs = yamldecode(templatefile(get_env("X"), {{ policy = "{ADMINISTRATOR}" }}))\n'
    ),
    "inputs that are not merged": (
        Tree(LOCAL + INCLUDE + "inputs = { create = true }\n", True, {"root.hcl": inputs()}),
        Tree(
            LOCAL
            + INCLUDE.replace("}", '\n merge_strategy = "no_merge"\n}').replace("{ path", "{\n path")
            + "inputs = { create = true }\n",
            False,
            {"root.hcl": inputs()},
        ),
    ),
    "lists that are merged deeply": (
        Tree(
            FOREIGN
            + INCLUDE.replace("}", '\n merge_strategy = "deep"\n}').replace("{ path", "{\n path")
            + f'inputs = {{ policies = ["{READER}"] }}\n',
            True,
            {"root.hcl": f'inputs = {{ policies = ["{ADMINISTRATOR}"] }}\n'},
        ),
        Tree(
            FOREIGN + INCLUDE + f'inputs = {{ policies = ["{READER}"] }}\n',
            False,
            {"root.hcl": f'inputs = {{ policies = ["{ADMINISTRATOR}"] }}\n'},
        ),
    ),
    "a local of what is included": both(
        LOCAL
        + INCLUDE.replace("}", "\n expose = true\n}").replace("{ path", "{\n path")
        + BY_NAME % "include.root.locals.name",
        {"root.hcl": NAMED},
    ),
    "an include without a label": both(
        LOCAL
        + 'include {\n  path   = find_in_parent_folders("root.hcl")\n  expose = true\n}\n'
        + BY_NAME % "include.locals.name",
        {"root.hcl": NAMED},
    ),
    "the source of what is included": both(
        INCLUDE + inputs(), {"root.hcl": 'terraform { source = "${get_parent_terragrunt_dir()}/modules/role" }\n'}
    ),
    "a file that is read": both(
        LOCAL
        + 'locals { other = read_terragrunt_config(find_in_parent_folders("account.hcl")) }\n'
        + BY_NAME % "local.other.locals.name",
        {"account.hcl": NAMED},
    ),
    "YAML that is read": both(
        LOCAL
        + 'locals { other = yamldecode(file(find_in_parent_folders("common.yaml"))) }\n'
        + BY_NAME % "local.other.name",
        {"common.yaml": "name: AdministratorAccess\n"},
    ),
    "a file by the unit's directory": both(
        LOCAL
        + "locals { directory = get_terragrunt_dir() }\n"
        + 'locals { other = yamldecode(file("${local.directory}/../data/${basename(local.directory)}.yaml")) }\n'
        + BY_NAME % "local.other.name",
        {"data/live.yaml": "name: AdministratorAccess\n"},
    ),
    "variables that are read": both(
        LOCAL + 'locals { other = read_tfvars_file("x.tfvars") }\n' + BY_NAME % "local.other.name",
        {"live/x.tfvars": 'name = "AdministratorAccess"\n'},
    ),
    "a file of variables among the arguments": both(
        'terraform {\n  source = "../modules/role"\n  extra_arguments "x" {\n    commands = ["plan"]\n'
        '    optional_var_files = ["${get_terragrunt_dir()}/x.tfvars"]\n  }\n}\ninputs = { create = true }\n',
        {"live/x.tfvars": f'policy = "{ADMINISTRATOR}"\n'},
    ),
    "a file of variables in an argument of its own": both(
        extra('arguments = ["-lock=false", "-var-file", "x.tfvars"]'),
        {"live/x.tfvars": f'policy = "{ADMINISTRATOR}"\n'},
    ),
    "a file of variables for a module elsewhere": both(
        extra('arguments = ["-var-file=x.tfvars.json"]', "git::https://example.com/roles.git"),
        {"live/x.tfvars.json": f'{{"policy": "{ADMINISTRATOR}"}}\n'},
    ),
    "a variable among the arguments": both(
        extra('arguments = ["-var", "policy=arn:aws:iam::aws:policy/${local.name}"]') + NAMED
    ),
    "a variable among the arguments, for a module elsewhere": both(
        extra(f'arguments = ["-var=roles=[\\"{ADMINISTRATOR}\\"]"]', "git::https://example.com/roles.git")
    ),
    "a variable of the environment": both(extra(f'env_vars = {{ TF_VAR_policy = "{ADMINISTRATOR}" }}')),
    "a variable of the environment, for a module elsewhere": both(
        extra(f'env_vars = {{ TF_VAR_policy = "{ADMINISTRATOR}" }}', "git::https://example.com/roles.git")
    ),
    "a file of another kind": both(
        FOREIGN + 'inputs = { policy = trimspace(file(find_in_parent_folders("x.txt"))) }\n',
        {"x.txt": f"{ADMINISTRATOR}\n"},
    ),
    "the default of an environment variable": both(LOCAL + BY_NAME % 'get_env("NAME", "AdministratorAccess")'),
    "a feature's default": both(
        LOCAL + 'feature "name" { default = "AdministratorAccess" }\n' + BY_NAME % "feature.name.value"
    ),
    "the values of a stack's unit": both(
        f'unit "x" {{\n  source = "../units/x"\n  path = "x"\n  values = {{ policy = "{ADMINISTRATOR}" }}\n}}\n',
        {
            "units/x/terragrunt.hcl": 'terraform { source = "../../../modules/role" }\n'
            "inputs = { policy = values.policy, create = true }\n"
        },
        "terragrunt.stack.hcl",
    ),
    "a stack within a stack": both(
        f'stack "x" {{\n  source = "../stacks/x"\n  path = "x"\n  values = {{ policy = "{ADMINISTRATOR}" }}\n}}\n',
        {
            "stacks/x/terragrunt.stack.hcl": 'unit "x" {\n  source = "${get_repo_root()}/units/x"\n  path = "y"\n'
            "  values = { policy = values.policy }\n}\n",
            "units/x/terragrunt.hcl": 'terraform { source = "${get_repo_root()}/modules/role" }\n'
            "inputs = { policy = values.policy, create = true }\n",
        },
        "terragrunt.stack.hcl",
    ),
    "a module beside the unit of a stack": both(
        STACK.format(more=f'values = {{ policy = "{ADMINISTRATOR}" }}'),
        {"units/x/terragrunt.hcl": HERE + BY_VALUE, "units/x/main.tf": MODULE},
        "terragrunt.stack.hcl",
    ),
    "a file beside the unit of a stack": both(
        STACK.format(more=""),
        {
            "units/x/terragrunt.hcl": 'terraform { source = "${get_repo_root()}/modules/role" }\n'
            + inputs('yamldecode(file("${get_terragrunt_dir()}/x.yaml")).policy'),
            "units/x/x.yaml": f"policy: {ADMINISTRATOR}\n",
        },
        "terragrunt.stack.hcl",
    ),
    "a unit by a mere name": both(
        STACK.format(more='values = { name = "deploy" }').replace("../units/x", "x"),
        {"live/x/terragrunt.hcl": HERE + inputs() + "# values.name\n", "live/x/main.tf": MODULE},
        "terragrunt.stack.hcl",
    ),
    "a unit by a path that is read": both(
        STACK.format(more="").replace('"../units/x"', '"${read_terragrunt_config("../common.hcl").locals.units}/x"'),
        {
            "common.hcl": 'locals { units = "${get_repo_root()}/units" }\n',
            "units/x/terragrunt.hcl": 'terraform { source = "../../../modules/role" }\n' + inputs() + "# values.name\n",
        },
        "terragrunt.stack.hcl",
    ),
    "a unit beside its stack": both(
        STACK.format(more=f'no_dot_terragrunt_stack = true\n  values = {{ policy = "{ADMINISTRATOR}" }}'),
        {"units/x/terragrunt.hcl": 'terraform { source = "../../modules/role" }\n' + BY_VALUE},
        "terragrunt.stack.hcl",
    ),
    "what a stack adds to a unit": both(
        STACK.format(more='autoinclude {\n    inputs = { policy = "arn:aws:iam::aws:policy/${local.name}" }\n  }')
        + NAMED,
        {"units/x/terragrunt.hcl": HERE + inputs(f'"{READER}"'), "units/x/main.tf": MODULE},
        "terragrunt.stack.hcl",
    ),
    "what a stack adds to a unit from elsewhere": both(
        'unit "x" {\n  source = "git::https://example.com/units.git//x"\n  path = "x"\n'
        f'  autoinclude {{\n    inputs = {{ policy = "{ADMINISTRATOR}" }}\n  }}\n}}\n',
        {},
        "terragrunt.stack.hcl",
    ),
    "a unit that a stack adds to a stack": both(
        'stack "s" {\n  source = "../stacks/s"\n  path = "s"\n  autoinclude {\n'
        + STACK.format(more=f'values = {{ policy = "{ADMINISTRATOR}" }}')
        + "  }\n}\n",
        {
            "stacks/s/terragrunt.stack.hcl": STACK.format(more=f'values = {{ policy = "{READER}" }}').replace(
                "../units", "${get_repo_root()}/units"
            ),
            "units/x/terragrunt.hcl": HERE + BY_VALUE,
            "units/x/main.tf": MODULE,
        },
        "terragrunt.stack.hcl",
    ),
    "the values in a file beside the unit": both(
        LOCAL + BY_VALUE, {"live/terragrunt.values.hcl": f'policy = "{ADMINISTRATOR}"\n'}
    ),
    "a file of variables beside the unit": both(
        LOCAL + "inputs = { create = true }\n", {"live/terraform.tfvars": f'policy = "{ADMINISTRATOR}"\n'}
    ),
    "a file of variables beside the unit, for a module elsewhere": both(
        FOREIGN, {"live/x.auto.tfvars": f'policy = "{ADMINISTRATOR}"\n'}
    ),
    "a file of variables beside the unit, in place of the module's": (
        Tree(
            LOCAL + CREATE, True, {"live/terraform.tfvars": ASSIGNED, "modules/role/terraform.tfvars": ASSIGNED_READER}
        ),
        Tree(
            LOCAL + CREATE, False, {"live/terraform.tfvars": ASSIGNED_READER, "modules/role/terraform.tfvars": ASSIGNED}
        ),
    ),
    "Terraform beside the unit": both(
        FOREIGN + 'inputs = {\n  name   = "AdministratorAccess"\n  create = true\n}\n',
        {
            "live/main.tf": MODULE.replace("= var.policy", '= "arn:aws:iam::aws:policy/${var.name}"')
            + 'variable "name" {}\n'
        },
    ),
    "a source with backslashes": both(LOCAL.replace("/", "\\\\") + inputs()),
    "JSON": both(
        json.dumps(
            {
                "terraform": {"source": "../modules/role"},
                "locals": {"name": "AdministratorAccess"},
                "inputs": {"policy": "arn:aws:iam::aws:policy/${local.name}", "create": True},
            }
        ),
        name="terragrunt.hcl.json",
    ),
    "JSON that includes JSON": both(
        json.dumps(
            {
                "include": {"root": {"path": '${find_in_parent_folders("root.hcl.json")}', "expose": True}},
                "inputs": {"policy": "arn:aws:iam::aws:policy/${include.root.locals.name}", "create": True},
            }
        ),
        {
            "root.hcl.json": json.dumps(
                {
                    "terraform": {"source": "${get_parent_terragrunt_dir()}/modules/role"},
                    "locals": {"name": "AdministratorAccess"},
                }
            )
        },
        "terragrunt.hcl.json",
    ),
    "JSON with extra arguments": both(
        json.dumps(
            {
                "terraform": {
                    "source": "../modules/role",
                    "extra_arguments": {
                        "x": {"commands": ["plan"], "arguments": ["-var", f"policy={ADMINISTRATOR}"]},
                    },
                },
                "inputs": {"create": True},
            }
        ),
        name="terragrunt.hcl.json",
    ),
    "the values of a unit from elsewhere": both(
        'unit "x" {\n  source = "git::https://example.com/units.git//x"\n  path = "x"\n'
        f'  values = {{ policy = "{ADMINISTRATOR}" }}\n}}\n',
        {},
        "terragrunt.stack.hcl",
    ),
}


def write(tree: Tree, directory: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(directory)], check=True)
    write_tree(directory, {"modules/role/main.tf": MODULE, f"live/{tree.name}": tree.unit, **tree.files})


def check(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, list[dict[str, object]]]:
    exit_code = main(["check", "--output=json", *map(str, arguments)])
    report = json.loads(capsys.readouterr().out)
    assert not report["unjudged"], report["unjudged"]
    return exit_code, [one for one in report["findings"] if str(one["unit"]).startswith("live/terragrunt.")]


CASES = [(name, tree) for name, twins in FORMS.items() for tree in twins]
IDS = [f"{name}, {'denied' if tree.denied else 'harmless'}" for name, tree in CASES]


@pytest.mark.parametrize("tree", [tree for _, tree in CASES], ids=IDS)
def test_what_a_unit_attaches(tree: Tree, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tree, tmp_path)
    _, found = check(capsys, tmp_path)
    assert [one["verdict"] for one in found] == ["denied"] * tree.denied
    assert check(capsys, "--no-screen", tmp_path)[1] == found


@pytest.mark.parametrize("changed", ["live/terragrunt.hcl", "root.hcl", "data/x.yaml", "modules/role/main.tf"])
def test_a_change_leads_to_the_units_that_it_can_affect(
    changed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read = 'locals { other = yamldecode(file("${get_repo_root()}/data/x.yaml")) }\n'
    files = {"root.hcl": read, "data/x.yaml": "name: AdministratorAccess\n", "other/terragrunt.hcl": LOCAL}
    expose = INCLUDE.replace("}", "\n expose = true\n}").replace("{ path", "{\n path")
    write(Tree(LOCAL + expose + BY_NAME % "include.root.locals.other.name", True, files), tmp_path)
    monkeypatch.chdir(tmp_path)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["add", "."], ["commit", "--quiet", "--message=x"]):
        subprocess.run([*git, *command], check=True)
    assert check(capsys, "--changed-since=HEAD") == (0, [])
    with open(changed, "a") as file:
        file.write("\n")
    for arguments in (["--changed-since=HEAD"], [changed]):
        exit_code, found = check(capsys, *arguments)
        assert (exit_code, [one["verdict"] for one in found]) == (1, ["denied"])


def test_a_changed_file_of_a_directory_that_a_stack_copies_leads_to_the_stack(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(FORMS["a file beside the unit of a stack"][0], tmp_path)
    monkeypatch.chdir(tmp_path)
    for changed in ("units/x/terragrunt.hcl", "units/x/x.yaml"):
        assert [one["verdict"] for one in check(capsys, changed)[1]] == ["denied"]


UNKNOWN = {
    "an output of another unit": ("dependency.other.outputs.policy", "no file says what another unit outputs"),
    "what a command prints": ('run_cmd("echo", "x")', 'run_cmd("echo", "x") is not known here'),
    "an environment variable": ('get_env("POLICY")', 'get_env("POLICY") is not known here'),
    "a file that is not there": (
        'read_terragrunt_config("missing.hcl").locals.x',
        'read_terragrunt_config("missing.hcl") is not known here',
    ),
}


@pytest.mark.parametrize(("value", "reason"), UNKNOWN.values(), ids=UNKNOWN)
def test_what_is_in_no_file_is_unresolved(
    value: str, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Mocked outputs are no values."""
    mocked = f'dependency "other" {{\n  config_path = "../x"\n  mock_outputs = {{ policy = "{ADMINISTRATOR}" }}\n}}\n'
    write(Tree(mocked + LOCAL + inputs(value), False), tmp_path)
    _, found = check(capsys, tmp_path)
    assert [one["verdict"] for one in found] == ["unresolved"]
    assert reason in str(found[0]["message"])


@pytest.mark.parametrize(("policy", "expected"), [(ADMINISTRATOR, {"denied", "unresolved"}), (READER, {"unresolved"})])
def test_what_unknown_inputs_may_hide_is_possible(
    policy: str, expected: set[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unit = LOCAL + f'inputs = merge({{ policy = "{policy}", create = true }}, {UNKNOWN_VALUE})\n'
    write(Tree(unit, False), tmp_path)
    (tmp_path / "unapproved-iam-policies.yaml").write_text("version: 1\nuse: [aws-admin]\nunresolved: fail\n")
    assert {one["verdict"] for one in check(capsys, tmp_path)[1]} == expected


def test_inputs_that_are_not_known_may_give_anything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The default as well; and a message has the words of the source."""
    for name, unit, expected in (
        ("unknown", LOCAL + UNKNOWN_INPUTS, ["unresolved"]),
        ("known", LOCAL + "inputs = {}\n", []),
    ):
        write(Tree(unit, False, {"modules/role/main.tf": MODULE.replace("var.create ? 1 : 0", "1")}), tmp_path / name)
        (tmp_path / name / "unapproved-iam-policies.yaml").write_text(
            "version: 1\nuse: [aws-admin]\nunresolved: fail\n"
        )
        _, found = check(capsys, tmp_path / name)
        assert [one["verdict"] for one in found] == expected
        assert all(
            'when yamldecode(sops_decrypt_file("secrets.yaml")).policy is' in str(one["message"]) for one in found
        )


@pytest.mark.parametrize(("policy", "exit_code"), [("AdministratorAccess", 2), ("ReadOnlyAccess", 1)])
def test_a_template_of_units_counts_by_its_own_text(
    policy: str, exit_code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody applies it as it stands; a unit that is broken otherwise may attach what it includes."""
    template = INCLUDE + LOCAL + f"inputs = {{\n  {{{{ if .Create }}}}\n  name = {policy}\n  {{{{ end }}}}\n}}\n"
    files = {"root.hcl": inputs(), ".boilerplate/terragrunt.hcl": template}
    write(Tree(INCLUDE + LOCAL, True, files), tmp_path)
    assert main(["check", str(tmp_path)]) == exit_code
    (tmp_path / ".boilerplate/terragrunt.hcl").write_text(template.replace("{{", "").replace("}}", ""))
    assert main(["check", str(tmp_path)]) == 2
    capsys.readouterr()


def generated(contents: str, path: str = "x.tf", more: str = "") -> str:
    return f'generate "x" {{\n  path = "{path}"\n  if_exists = "overwrite"\n  {more}\n  contents = {contents}\n}}\n'


REFUSED = {
    "a module that is not there": (
        LOCAL.replace("role", "missing") + inputs(),
        "live/terragrunt.hcl",
        'module directory "modules/missing" holds no configuration, or is not there',
    ),
    "source that is no HCL": (LOCAL + inputs() + "x = [\n", "live/terragrunt.hcl", ""),
    "Terraform that is generated": (
        LOCAL + inputs() + 'generate "x" {\n  path = "x.tf"\n  if_exists = "overwrite"\n'
        '  contents = <<EOF\nresource "aws_iam_user_policy_attachment" "x" {}\nEOF\n}\n',
        "live/terragrunt.hcl",
        "generates Terraform that may attach policies (expected it in the module)",
    ),
    "Terraform that is generated by an attribute": (
        LOCAL
        + inputs()
        + 'generate = { x = { path = "x.tf", contents = "resource aws_iam_user_policy_attachment x {}" } }\n',
        "live/terragrunt.hcl",
        "generates Terraform that may attach policies (expected it in the module)",
    ),
    "generated Terraform that is in no file": (
        LOCAL + inputs() + generated('run_cmd("x")'),
        "live/terragrunt.hcl",
        'generates Terraform that is not known: run_cmd("x") is not known here (expected it in the module)',
    ),
    "generated Terraform with a line that is in no file": (
        LOCAL + inputs() + generated('<<EOF\nprovider "aws" {}\n${run_cmd("x")}\nEOF\n'),
        "live/terragrunt.hcl",
        'generates Terraform that is not known: run_cmd("x") is not known here (expected it in the module)',
    ),
    "generated Terraform from a template": (
        LOCAL + inputs() + generated('templatefile("../modules/role/main.tf", { x = run_cmd("x") })'),
        "live/terragrunt.hcl",
        "generates Terraform that may attach policies (expected it in the module)",
    ),
    "a unit of a stack that is not there": (
        f'unit "x" {{\n  source = "../units/x"\n  path = "x"\n  values = {{ policy = "{ADMINISTRATOR}" }}\n}}\n',
        "live/terragrunt.stack.hcl",
        '"units/x" holds no terragrunt.hcl (expected one)',
    ),
}


@pytest.mark.parametrize(("unit", "path", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_understood_is_not_judged(
    unit: str, path: str, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(Tree(unit, False, name=path.removeprefix("live/")), tmp_path)
    assert main(["check", "--output=json", str(tmp_path)]) == 2
    (problem,) = json.loads(capsys.readouterr().out)["unjudged"]
    assert problem["path"] == path
    assert reason in problem["reason"]


HARMLESS = {
    "a text with a value that is in no file": generated(
        '<<EOF\nprovider "aws" {\n  region = "${run_cmd("x")}"\n}\nEOF\n'
    ),
    "a template that attaches nothing": generated('templatefile("provider.tpl", { region = run_cmd("x") })'),
    "a file of another kind": generated('run_cmd("x")', "x.json"),
    "an import of what attaches": generated("<<EOF\nimport {\n  to = aws_iam_role_policy_attachment.x\n}\nEOF\n"),
    "what is refused": "locals { x = {} }\n" + generated("<<EOF\n${local.x.missing}\nEOF\n"),
    "what is switched off": generated('run_cmd("x")', more="disable = true"),
}


@pytest.mark.parametrize("block", HARMLESS.values(), ids=HARMLESS)
def test_what_is_generated_and_attaches_nothing(block: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    template = 'provider "aws" {\n  region = "${region}"\n}\n'
    write(Tree(LOCAL + inputs() + block, True, {"live/provider.tpl": template}), tmp_path)
    assert [one["verdict"] for one in check(capsys, tmp_path)[1]] == ["denied"]


def test_a_file_that_units_include_is_none_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its module is meant from below."""
    parent = 'terraform { source = "${get_terragrunt_dir()}/../modules/role" }\n'
    write(Tree("include { path = find_in_parent_folders() }\n" + inputs(), True, {"terragrunt.hcl": parent}), tmp_path)
    _, found = check(capsys, tmp_path)
    assert [one["verdict"] for one in found] == ["denied"]


def test_an_approval_covers_the_module_and_the_unit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(FORMS["an input of a module of the tree"][0], tmp_path)
    approval = "{policy: AdministratorAccess, attached_to: role/deploy, in: %s, reason: reviewed in SEC-1}"
    for files, exit_code in (("'{modules}/**'", 2), ("modules/**", 1), ("'**'", 0)):
        written = f"version: 1\nuse: [aws-admin]\napprove:\n  - {approval % files}\n"
        (tmp_path / "unapproved-iam-policies.yaml").write_text(written)
        assert main(["check", str(tmp_path)]) == exit_code
    capsys.readouterr()


def test_an_inline_skip_in_the_unit_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(Tree("# checkov:skip=IAM_068:reviewed\n" + LOCAL + inputs(), False), tmp_path)
    exit_code, found = check(capsys, tmp_path)
    assert (exit_code, [one["skipped"] for one in found]) == (0, ["reviewed"])
