"""For which modules a variable file elsewhere in the repository counts, and what is said of one that is for nobody."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from unapproved_iam.deny_list.entries import DenyList, Entry, Origin
from unapproved_iam.scan.check_scope import Request
from unapproved_iam.scan.findings import Findings
from unapproved_iam.scan.tree_check import findings_of
from written_files import write_tree

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
LIST = DenyList("list", (Entry("AdministratorAccess", Origin("list", 1)),))
VALUES = f'p = "{ADMIN}"\n'
IN_HALVES = 'a = "Administrator"\nb = "Access"\n'


def stack(*variables: str, policy: str = "") -> str:
    declared = "".join(f'variable "{name}" {{\n  default = ""\n}}\n' for name in variables)
    policy = policy or f"var.{variables[0]}"
    return declared + f'resource "aws_iam_role_policy_attachment" "x" {{\n  role = "r"\n  policy_arn = {policy}\n}}\n'


CALL = 'module "m" {\n  source = "../m"\n  p = "x"\n}\n'
# What denies in which unit, and which files are mentioned.
TREES = {
    "beside": ({"stack/main.tf": stack("p"), "env/prod.tfvars": VALUES}, ["stack from ../env/prod.tfvars"], []),
    "in JSON": (
        {"stack/main.tf": stack("p"), "env/prod.tfvars.json": f'{{"p": "{ADMIN}"}}'},
        ["stack from ../env/prod.tfvars.json"],
        [],
    ),
    "of a usual name": (
        {"stack/main.tf": stack("p"), "env/prod/terraform.tfvars": VALUES},
        ["stack from ../env/prod/terraform.tfvars"],
        [],
    ),
    "for several": (
        {"a/main.tf": stack("p"), "b/main.tf": stack("p", "q"), "env/prod.tfvars": VALUES},
        ["a from ../env/prod.tfvars", "b from ../env/prod.tfvars"],
        [],
    ),
    "with a name that is not declared": (
        {"stack/main.tf": stack("p"), "env/prod.tfvars": VALUES + "q = 1\n"},
        [],
        ["env/prod.tfvars"],
    ),
    "for nobody": ({"stack/main.tf": stack("q"), "env/prod.tfvars": VALUES}, [], ["env/prod.tfvars"]),
    "for a module that is only called": (
        {"live/main.tf": CALL, "m/main.tf": stack("p"), "env/prod.tfvars": VALUES},
        [],
        ["env/prod.tfvars"],
    ),
    "below the module that it is for": (
        {"a/main.tf": stack("p"), "b/main.tf": stack("p"), "a/env/prod.tfvars": VALUES},
        ["a from env/prod.tfvars"],
        [],
    ),
    "below a module that declares something else": (
        {"main.tf": stack("q"), "stack/main.tf": stack("p"), "env/prod.tfvars": VALUES},
        ["stack from ../env/prod.tfvars"],
        [],
    ),
    "in another module": (
        {"a/main.tf": stack("q"), "b/main.tf": stack("p"), "a/b.tfvars": VALUES},
        ["b from ../a/b.tfvars"],
        [],
    ),
    "loaded by another module": (
        {"a/main.tf": stack("p"), "b/main.tf": stack("p"), "a/terraform.tfvars": VALUES},
        ["a from terraform.tfvars"],
        [],
    ),
    "in halves": (
        {"stack/main.tf": stack("a", "b", policy=f'"{ADMIN[:-19]}${{var.a}}${{var.b}}"'), "env/prod.tfvars": IN_HALVES},
        ["stack from ../env/prod.tfvars"],
        [],
    ),
    "that cannot be read": ({"stack/main.tf": stack("p"), "env/prod.tfvars": VALUES + "{"}, [], ["env/prod.tfvars"]),
}


def told(found: Findings, tree: Path) -> tuple[list[str], list[str]]:
    denied = [f"{Path(one.attachment.unit).relative_to(tree)} from {one.attachment.origin}" for one in found.violations]
    return denied, [str(Path(one.place.path).relative_to(tree)) for one in found.mentions]


@pytest.mark.parametrize(("files", "denied", "mentioned"), TREES.values(), ids=TREES)
def test_whom_a_file_is_for(files: dict[str, str], denied: list[str], mentioned: list[str], tmp_path: Path) -> None:
    write_tree(tmp_path, files)
    for screen in (True, False):
        found = findings_of(Request([str(tmp_path)], screen=screen), LIST, str(tmp_path), date(2026, 1, 1))
        assert told(found, tmp_path) == (denied, mentioned)


@pytest.mark.parametrize(("files", "denied", "mentioned"), TREES.values(), ids=TREES)
def test_a_change_of_the_file_affects_them(
    files: dict[str, str], denied: list[str], mentioned: list[str], tmp_path: Path
) -> None:
    write_tree(tmp_path, {".git/HEAD": "", **files})
    changed = [str(tmp_path / name) for name in files if "tfvars" in name]
    found = findings_of(Request(changed=changed), LIST, str(tmp_path), date(2026, 1, 1))
    assert told(found, tmp_path) == (denied, mentioned)
