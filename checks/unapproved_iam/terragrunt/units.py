"""Check the Terragrunt units and stacks of a tree.

For `scan.tree_check`.
"""

from __future__ import annotations

import os

from unapproved_iam.deny_list.discovery import repository_root
from unapproved_iam.hcl.syntax import Body, HclSyntaxError
from unapproved_iam.policies.attachment import Place, Reading, Unjudged
from unapproved_iam.terraform.root_module import TerraformTree
from unapproved_iam.terragrunt.configuration import Configuration
from unapproved_iam.terragrunt.context import Context
from unapproved_iam.terragrunt.stack_reading import STACK_NAME, StackReading
from unapproved_iam.terragrunt.unit_reading import UNIT_NAMES, UnitReading


class TerragruntUnits:
    """The units of a tree, whose Terraform modules are `modules`; `root` is its directory where there is no git."""

    def __init__(self, modules: TerraformTree, root: str) -> None:
        self._modules = modules
        self._root = root
        self._parsed: dict[str, tuple[str, Body]] = {}

    def read(self, path: str) -> Reading | None:
        """What a unit or a stack attaches; None when a file is neither."""
        path = os.path.abspath(path)
        directory, name = os.path.split(path)
        if name not in (*UNIT_NAMES, STACK_NAME):
            return None
        if name == UNIT_NAMES[1] and os.path.isfile(os.path.join(directory, UNIT_NAMES[0])):
            return Reading()  # Terragrunt reads the other one
        tree = repository_root(directory)
        if tree == directory and directory.startswith(self._root.rstrip(os.sep) + os.sep):
            tree = self._root
        reader = StackReading if name == STACK_NAME else UnitReading
        try:
            configuration = Configuration(path, Context(tree, path, path, path, parsed=self._parsed))
            return reader(configuration, self._modules).reading()
        except HclSyntaxError as error:
            return Reading(unjudged=(Unjudged(Place(error.path, error.line), error.problem),))
