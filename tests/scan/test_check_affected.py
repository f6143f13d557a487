"""What a changed file can affect, in one repository that has every way in which files depend on each other."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from unapproved_iam.deny_list.entries import DenyList, Entry, Origin
from unapproved_iam.scan.affected_units import affected_by, lists_of
from unapproved_iam.scan.check_scope import Request, scope_of
from unapproved_iam.scan.source_files import Kind, kind_of, walk
from unapproved_iam.scan.unit_screen import Screen

LIST = DenyList(
    "unapproved-iam-policies.yaml",
    (
        Entry("AdministratorAccess", Origin("unapproved-iam-policies.yaml", 2)),
        Entry("PowerUserAccess", Origin("lists/more.yaml", 2)),
    ),
)

ROLE = 'resource "aws_iam_role" "x" {}\n'
FILES = {
    # live/app calls modules/role, which attaches; modules/names only gives a value; modules/bucket gives nothing.
    "live/app/main.tf": 'variable "admin" {}\nmodule "role" { source = "../../modules/role" }\n'
    'module "bucket" { source = "../../modules/bucket" }\n',
    "live/app/prod/prod.tfvars": "admin = true\n",
    "live/other/main.tf": 'module "names" { source = "../../modules/names" }\nvariable "admin" {}\n' + ROLE,
    "live/other/terraform.tfvars": "admin = true\n",
    "live/plain/main.tf": 'resource "aws_s3_bucket" "x" {}\n',
    "modules/role/main.tf": ROLE + 'module "names" { source = "../names" }\n',
    "modules/names/main.tf": 'output "policy" { value = "x" }\n',
    "modules/bucket/main.tf": 'resource "aws_s3_bucket" "x" {}\n',
    # data that Terraform reads
    "live/data/main.tf": ROLE + 'locals { p = jsondecode(file("${path.module}/policies/${var.env}.json")) }\n',
    "live/data/policies/prod.json": "[]\n",
    "live/text/main.tf": ROLE + 'locals { p = split(",", file("roles.txt")) }\n',
    "live/text/roles.txt": "x\n",
    "live/any/main.tf": ROLE + "locals { p = [for f in var.files : file(f)] }\n",
    "live/chosen/main.tf": 'module "x" { source = "../../modules/${var.x}" }\n',
    # templates
    "stacks/parent.yaml": "Resources:\n  C:\n    Type: AWS::CloudFormation::Stack\n"
    "    Properties: {TemplateURL: ./child.yaml}\n",
    "stacks/grand.yaml": "Resources:\n  P:\n    Type: AWS::Serverless::Application\n"
    "    Properties: {Location: parent.yaml}\n",
    "stacks/child.yaml": "Resources: {}\n",
    "stacks/other.yaml": "Resources:\n  C:\n    Type: AWS::CloudFormation::Stack\n"
    "    Properties: {TemplateURL: ./child.cfn}\n",
    "stacks/child.cfn": "Resources: {}\n",
    "stacks/exporting.yaml": "Resources: {}\nOutputs:\n  P:\n    Value: x\n"
    "    Export: {Name: !Sub '${AWS::StackName}-policy'}\n",
    "stacks/importing.yaml": "Resources: {R: {Properties: {X: !ImportValue base-policy}}}\n",
    "stacks/importing_other.yaml": "Resources: {R: {Properties: {X: !ImportValue base-bucket}}}\n",
    "stacks/around.yaml": "Resources:\n  C:\n    Type: AWS::CloudFormation::Stack\n"
    "    Properties: {TemplateURL: ./importing.yaml}\n",
    "k8s/deployment.yaml": "kind: Deployment\n",
    "unapproved-iam-policies.yaml": "",
    "lists/more.yaml": "",
}
ANY = "live/any"  # it may read whatever changes
CHOOSES = "live/chosen"  # it may call whatever changes

ROWS = [
    ("a root module that calls one", ["live/app/main.tf"], {"live/app", CHOOSES}, set()),
    ("a root module that attaches", ["live/other/main.tf"], {"live/other", CHOOSES}, set()),
    ("a root module that attaches nothing", ["live/plain/main.tf"], set(), set()),
    ("a called module that attaches", ["modules/role/main.tf"], {"modules/role", "live/app", CHOOSES}, set()),
    (
        "a called module with an output: callers of callers",
        ["modules/names/main.tf"],
        {"modules/names", "modules/role", "live/app", "live/other", CHOOSES},
        set(),
    ),
    ("a called module that does neither", ["modules/bucket/main.tf"], set(), set()),
    ("a deleted file of a module", ["modules/role/gone.tf"], {"modules/role", "live/app", CHOOSES}, set()),
    ("a deleted file of a directory that is gone", ["live/gone/main.tf"], set(), set()),
    ("variables beside a root module", ["live/other/terraform.tfvars"], {"live/other", CHOOSES}, set()),
    ("variables below a root module", ["live/app/prod/prod.tfvars"], {"live/app", CHOOSES}, set()),
    ("variables of no root module", ["live/prod.tfvars"], set(), set()),
    (
        "a file that Terraform reads by a made name",
        ["live/data/policies/prod.json"],
        {"live/data", ANY},
        {"live/data/policies/prod.json"},
    ),
    ("a file that Terraform reads by its name", ["live/text/roles.txt"], {"live/text", ANY}, {"live/text/roles.txt"}),
    ("a file of that name elsewhere", ["k8s/roles.txt"], {"live/text", ANY}, {"k8s/roles.txt"}),
    ("a file that nobody reads", ["k8s/deployment.yaml"], {ANY}, {"k8s/deployment.yaml"}),
    (
        "a nested stack: its parents",
        ["stacks/child.yaml"],
        {ANY},
        {"stacks/child.yaml", "stacks/parent.yaml", "stacks/grand.yaml"},
    ),
    (
        "a nested stack in a file of any name",
        ["stacks/child.cfn"],
        {ANY},
        {"stacks/child.cfn", "stacks/other.yaml"},
    ),
    (
        "an exporting stack: those that import its values, and their parents",
        ["stacks/exporting.yaml"],
        {ANY},
        {"stacks/exporting.yaml", "stacks/importing.yaml", "stacks/around.yaml"},
    ),
    (
        "a stack: its parents, not its children",
        ["stacks/parent.yaml"],
        {ANY},
        {"stacks/parent.yaml", "stacks/grand.yaml"},
    ),
]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("repository")
    (root / ".git").mkdir()
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.parametrize(("changed", "directories", "files"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_affected(repository: Path, changed: list[str], directories: set[str], files: set[str]) -> None:
    screen = Screen(LIST)
    scope = scope_of(Request(paths=[str(repository)]), frozenset(), str(repository), screen)
    templates = [path for path, kind in scope.files.items() if kind is Kind.TEMPLATE]
    paths = [str(repository / name) for name in changed]
    affected = affected_by(paths, str(repository), screen, lambda: (scope.graph, templates))

    def relative(paths: frozenset[str]) -> set[str]:
        return {os.path.relpath(path, repository) for path in paths}

    assert relative(affected.directories) == directories
    assert relative(affected.files) == files


@pytest.mark.parametrize("name", ["unapproved-iam-policies.yaml", "lists/more.yaml"])
def test_a_changed_list_asks_for_everything(repository: Path, name: str) -> None:
    screen, root = Screen(LIST), str(repository)
    everything = scope_of(Request(paths=[root]), frozenset(), root, screen)
    lists = lists_of(LIST, root)
    changed = scope_of(Request(paths=[str(repository / name)]), lists, root, screen)
    assert changed.files == everything.files
    assert changed.directories == everything.directories


def test_directories_say_where_changes_count(repository: Path) -> None:
    screen, root = Screen(LIST), str(repository)
    changed = [str(repository / name) for name in ("modules/names/main.tf", "live/app/main.tf")]

    def directories(*paths: str) -> set[str]:
        request = Request(paths=[str(repository / path) for path in paths], changed=changed)
        return {os.path.relpath(path, root) for path in scope_of(request, frozenset(), root, screen).directories}

    assert directories() == {"live/app", CHOOSES, "live/other", "modules/names", "modules/role"}
    assert directories("live") == {"live/app", "live/other", CHOOSES}
    assert directories("live/other") == {"live/other"}
    assert directories("k8s") == set()


def test_the_walk_leaves_out_what_is_not_source(tmp_path: Path) -> None:
    for name in (
        "a/main.tf",
        "a/.terraform/modules/x/main.tf",
        "node_modules/x/template.yaml",
        "venv/pyvenv.cfg",
        "venv/lib/template.yaml",
        "env/main.tf",  # a directory of that name, and no virtual environment
        ".github/workflow.yml",
        "a/notes.md",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "linked.yaml").symlink_to(tmp_path / "a" / "notes.md")
    (tmp_path / "dangling.yaml").symlink_to(tmp_path / "nowhere")
    walked = {
        os.path.relpath(os.path.join(directory.path, name), tmp_path)
        for directory in walk([str(tmp_path)])
        if not hasattr(directory, "reason")
        for name, _ in directory.files
    }
    assert walked == {"a/main.tf", "env/main.tf", ".github/workflow.yml", "linked.yaml"}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("main.tf", Kind.TERRAFORM),
        ("main.tofu.json", Kind.TERRAFORM),
        ("x.auto.tfvars.json", Kind.VARIABLES),
        ("template.json", Kind.TEMPLATE),
        ("stack.template", Kind.TEMPLATE),
        ("terragrunt.hcl", Kind.UNIT),
        ("samconfig.toml", Kind.OTHER),
        ("pyproject.toml", None),
        ("STACK.YAML", Kind.TEMPLATE),
        ("stack.Json", Kind.TEMPLATE),
        (".stack.yml", Kind.TEMPLATE),
        (".z.auto.tfvars", Kind.VARIABLES),
        (".z.auto.tfvars.json", Kind.VARIABLES),
        ("main.TF", None),
        ("main.tf.JSON", Kind.TEMPLATE),
        (".main.tf", None),
        (".terraform.lock.hcl", None),
        ("main.tf.bak", None),
        ("README.md", None),
    ],
)
def test_kinds(name: str, kind: Kind | None) -> None:
    assert kind_of(name) is kind
