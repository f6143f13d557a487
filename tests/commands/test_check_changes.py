"""What `check` judges of a repository, and what it leaves alone: changed files, ignored directories, variable files."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from unapproved_iam.commands.command_line import main
from unapproved_iam.scan.source_files import kind_of
from written_files import write_tree

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
MODULE = """variable "arn" {
  default = "arn:aws:iam::aws:policy/ReadOnlyAccess"
}

resource "aws_iam_role_policy_attachment" "x" {
  role       = "x"
  policy_arn = var.arn
}
"""
ATTACHED = f'resource "aws_iam_user_policy_attachment" "old" {{\n  user = "x"\n  policy_arn = "{ADMIN}"\n}}\n'
TEMPLATE = f"Resources: {{R: {{Type: AWS::IAM::Role, Properties: {{ManagedPolicyArns: ['{ADMIN}']}}}}}}\n"
IS_ADMIN, READ_ONLY = f'arn = "{ADMIN}"\n', 'arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"\n'
FILES = {
    "modules/attach/main.tf": MODULE,
    "live/app/main.tf": 'variable "arn" {}\nmodule "a" {\n  source = "../../modules/attach"\n  arn = var.arn\n}\n',
    "live/app/terraform.tfvars": READ_ONLY,
    "live/old/main.tf": ATTACHED,
    "live/data/main.tf": 'resource "aws_iam_group_policy_attachment" "d" {\n  for_each = toset(jsondecode(file('
    '"${path.module}/policies.json")))\n  group = "x"\n  policy_arn = each.value\n}\n',
    "live/data/policies.json": '["arn:aws:iam::aws:policy/ReadOnlyAccess"]\n',
    "live/named/main.tf": 'resource "aws_iam_group_policy_attachment" "n" {\n'
    '  for_each = fileset("${path.module}/policies", "*")\n  group = "x"\n'
    '  policy_arn = "arn:aws:iam::aws:policy/${each.value}"\n}\n',
}


def git(repository: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(repository), *arguments], check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory: a git repository with one commit, which has one old violation."""
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    write_tree(tmp_path, FILES)
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message=first")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def link(repository: Path, links: dict[str, str]) -> None:
    for path, target in links.items():
        (repository / path).parent.mkdir(parents=True, exist_ok=True)
        (repository / path).unlink(missing_ok=True)
        (repository / path).symlink_to(target)


def found(capsys: pytest.CaptureFixture[str], *arguments: str) -> set[str]:
    """The units with a violation; nothing may be left unjudged."""
    code = main(["check", "--output", "json", *arguments])
    report = json.loads(capsys.readouterr().out)
    units = {one["unit"] for one in report["findings"] if one["violation"]}
    assert code == (1 if units else 0)
    return units


OLD, APP, DATA, NAMED = "live/old", "live/app", "live/data", "live/named"


@pytest.mark.parametrize(
    ("name", "text", "units"),
    [
        ("live/app/terraform.tfvars", IS_ADMIN, {APP}),
        ("live/app/terraform.tfvars", READ_ONLY + "# still\n", set()),
        ("live/app/prod/prod.tfvars", IS_ADMIN, {APP}),
        ("modules/attach/main.tf", MODULE.replace("var.arn", f'"{ADMIN}"'), {APP}),
        ("modules/attach/main.tf", MODULE + "\n", set()),
        ("live/data/policies.json", f'["{ADMIN}"]\n', {DATA}),
        ("live/data/policies.json", "[]\n", set()),
        ("live/named/policies/AdministratorAccess", "", {NAMED}),
        ("live/named/policies/ReadOnlyAccess", "", set()),
        ("live/old/main.tf", ATTACHED + "\n", {OLD}),
        ("docs/readme.yaml", "a: b\n", set()),
        ("docs/readme.md", f"# Roles\n\n```yaml\n{TEMPLATE}```\n", set()),
        ("unapproved-iam-policies.yaml", "version: 1\nuse: [aws-admin]\n", {OLD}),
    ],
    ids=[
        "variables that attach",
        "variables that do not",
        "other variables that attach",
        "a called module that attaches",
        "a called module that does not",
        "data that attaches",
        "data that does not",
        "the name of a file that attaches",
        "the name of a file that does not",
        "what has violated before",
        "something else",
        "a template in a text",
        "the list",
    ],
)
def test_a_change_is_judged_by_what_it_can_affect(
    repository: Path, name: str, text: str, units: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    write_tree(repository, {name: text})
    git(repository, "add", ".")
    if kind_of(name) or units:  # else what is named is asked for all the same
        assert found(capsys, name) == units
    assert found(capsys, "--changed-since", "HEAD", name) == units
    assert found(capsys) == units | {OLD}


# Links of a repository: their paths, and what they lead to.
LINKS = {
    "live/linked/arn.tf": "../../shared/arn.inc",
    "live/linked/policy.txt": "../../shared/policy",
    "live/module/current": "../../shared/module-1",
    "stacks/linked.yaml": "../shared/stack",
}
CALLED = 'module "a" {\n  source = "./current"\n}\n'
BEHIND_LINKS = {
    "live/linked/main.tf": MODULE.replace("var.arn", "local.arn")
    + MODULE.replace('"x"', '"y"').replace('variable "arn"', 'variable "z"').replace("var.arn", 'file("policy.txt")'),
    "live/module/main.tf": CALLED,
    "shared/arn.inc": f"locals {{\n  {READ_ONLY}}}\n",
    "shared/policy": "arn:aws:iam::aws:policy/ReadOnlyAccess",
    "shared/module-1/main.tf": MODULE,
    "shared/module-2/main.tf": ATTACHED,
    "shared/stack": TEMPLATE.replace("AdministratorAccess", "ReadOnlyAccess"),
}


@pytest.mark.parametrize(
    ("files", "links", "units"),
    [
        ({"shared/arn.inc": f"locals {{\n  {IS_ADMIN}}}\n"}, {}, {"live/linked"}),
        ({"shared/policy": ADMIN}, {}, {"live/linked"}),
        (
            {"shared/module-1/main.tf": MODULE.replace("var.arn", f'"{ADMIN}"')},
            {},
            {"live/module"},
        ),
        ({"shared/stack": TEMPLATE}, {}, {"stacks/linked.yaml"}),
        ({}, {"live/module/current": "../../shared/module-2"}, {"live/module"}),
        ({"shared/arn.inc": f"locals {{\n  {READ_ONLY}}}\n# still\n"}, {}, set()),
        ({}, {"live/beyond": "/"}, set()),
    ],
    ids=["source", "a file that is read", "a module", "a template", "another module", "nothing", "the whole machine"],
)
def test_links_lead_to_what_changed(
    repository: Path,
    files: dict[str, str],
    links: dict[str, str],
    units: set[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_tree(repository, BEHIND_LINKS)
    link(repository, LINKS)
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "--message=links")
    write_tree(repository, files)
    link(repository, links)
    git(repository, "add", ".")
    assert found(capsys, "--changed-since", "HEAD") == units


def test_a_submodule_that_moves_on_has_changed_whole(
    repository: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path_factory.mktemp("other")
    git(other, "init", "--quiet", "--initial-branch=main")
    write_tree(other, {"role/main.tf": MODULE, "stack.yaml": TEMPLATE})
    git(other, "add", ".")
    git(other, "commit", "--quiet", "--message=first")
    git(repository, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), "shared")
    write_tree(repository, {"live/called/main.tf": 'module "a" {\n  source = "../../shared/role"\n}\n'})
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "--message=submodule")
    write_tree(repository / "shared", {"role/main.tf": MODULE.replace("var.arn", f'"{ADMIN}"')})
    assert found(capsys, "--changed-since", "HEAD") == set()  # nothing that a commit here can hold
    git(repository / "shared", "commit", "--quiet", "--all", "--message=second")
    assert found(capsys, "--changed-since", "HEAD") == {"live/called", "shared/stack.yaml"}


def test_a_deletion_is_judged_by_what_it_can_affect(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_tree(
        repository, {"live/app/override.tf": "locals {}\n", "live/app/main_override.tf": 'module "a" { arn = "x" }\n'}
    )
    write_tree(repository, {"live/app/terraform.tfvars": IS_ADMIN})
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "--message=second")
    assert found(capsys, "--changed-since", "HEAD") == set()
    (repository / "live/app/main_override.tf").unlink()
    assert found(capsys, "--changed-since", "HEAD") == {APP}
    assert found(capsys, "live/app/main_override.tf") == {APP}
    assert found(capsys, "--changed-since", "HEAD", "modules") == set()
    assert found(capsys, "--changed-since", "HEAD", "live") == {APP}


def test_only_whole_directories_are_ignored(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Terraform reads an ignored variable file, and what is tracked counts whatever the ignore rules say."""
    write_tree(
        repository,
        {
            ".gitignore": "build/\n*.tfvars\nvendor/\n",
            "build/main.tf": ATTACHED,
            "build/stack.yaml": TEMPLATE,
            "vendor/main.tf": ATTACHED,
            "live/app/terraform.tfvars": IS_ADMIN,
        },
    )
    git(repository, "add", "--force", "vendor/main.tf")
    assert found(capsys) == {OLD, APP, "vendor"}
    assert found(capsys, "--no-screen") == {OLD, APP, "vendor"}
    assert found(capsys, "build") == {"build", "build/stack.yaml"}


def test_a_caller_in_an_ignored_directory_hides_nothing(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_tree(
        repository,
        {
            ".gitignore": "scratch/\n",
            "modules/admin/main.tf": ATTACHED,
            "scratch/main.tf": 'module "a" {\n  source = "../modules/admin"\n}\n',
        },
    )
    for screen in ([], ["--no-screen"]):
        assert found(capsys, *screen) == {OLD, "modules/admin"}


def test_values_from_elsewhere(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_tree(repository, {"values/prod.tfvars": IS_ADMIN})
    assert found(capsys, "live/app") == set()
    assert found(capsys, "--var-file", "values/prod.tfvars", "live/app") == {APP}
    assert found(capsys, "--var-file", "values/prod.tfvars", "values/prod.tfvars") == {APP, OLD}
    assert main(["check", "--var-file", "values/gone.tfvars", "live/app"]) == 2
    assert capsys.readouterr().err == "--var-file values/gone.tfvars: No such file or directory\n"
    write_tree(repository, {"values/broken.tfvars": "arn =\n"})
    assert main(["check", "--var-file", "values/broken.tfvars", "live/app"]) == 2
    assert capsys.readouterr().err.startswith("--var-file values/broken.tfvars:1: ")


def test_what_terraform_reads_is_no_mention(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_tree(repository, {"live/data/policies.json": f'["{ADMIN}"]\n', "live/data/other.json": f'["{ADMIN}"]\n'})
    main(["check", "--output", "json"])
    report = json.loads(capsys.readouterr().out)
    assert [one["path"] for one in report["mentions"]] == ["live/data/other.json"]


def test_a_module_outside_of_what_is_judged_is_read(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_tree(repository, {"modules/attach/main.tf": MODULE.replace("var.arn", f'"{ADMIN}"')})
    assert found(capsys, "live/app") == {APP}
    assert found(capsys, "modules") == {"modules/attach"}


OVERRIDE = 'resource "aws_iam_role_policy_attachment" "x" {\n  policy_arn = "arn:aws:iam::aws:policy/%s"\n}\n'
BESIDE = {
    "an override": ("live/new/override.tf", OVERRIDE % "ReadOnlyAccess"),
    "an override of another name": ("live/new/me_override.tf", OVERRIDE % "ReadOnlyAccess"),
    "an override in JSON": (
        "live/new/override.tf.json",
        '{"resource": {"aws_iam_role_policy_attachment": {"x": {"policy_arn": "arn:aws:iam::aws:policy/x"}}}}',
    ),
    "values": ("live/new/terraform.tfvars", READ_ONLY),
    "values of another name": ("live/new/me.auto.tfvars", READ_ONLY),
    "a file of OpenTofu": ("live/new/main.tofu", 'locals { x = "nothing" }\n'),
}


@pytest.mark.parametrize("is_ignored", [True, False], ids=["ignored", "untracked"])
@pytest.mark.parametrize(("name", "content"), BESIDE.values(), ids=BESIDE)
def test_what_is_no_part_of_the_commit_hides_nothing_of_it(
    name: str,
    content: str,
    is_ignored: bool,
    repository: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PRE_COMMIT", "1")
    write_tree(repository, {"live/new/main.tf": MODULE.replace("ReadOnlyAccess", "AdministratorAccess")})
    git(repository, "add", ".")
    write_tree(repository, {name: content})
    if is_ignored:
        write_tree(repository, {".git/info/exclude": f"{name}\n"})
    assert main(["check", "--changed-since=HEAD"]) == 1
    assert "live/new/main.tf:" in capsys.readouterr().out
    write_tree(repository, {"live/new/main.tf": MODULE})
    git(repository, "add", ".")
    assert main(["check", "--changed-since=HEAD"]) == 0


def test_values_that_git_ignores_are_read_by_the_hook_as_well(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRE_COMMIT", "1")
    write_tree(repository, {"live/new/main.tf": MODULE, ".git/info/exclude": "*.tfvars\n"})
    git(repository, "add", ".")
    assert main(["check", "--changed-since=HEAD"]) == 0
    write_tree(repository, {"live/new/terraform.tfvars": IS_ADMIN})
    assert main(["check", "--changed-since=HEAD"]) == 1
