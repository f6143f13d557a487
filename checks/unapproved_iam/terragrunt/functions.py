"""Compute the functions that Terragrunt has beside Terraform's.

For `terragrunt.configuration`. The evaluator of expressions does not know them: each call becomes a reference, to a
value that is computed here. Source: "HCL Functions" in the Terragrunt reference.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from unapproved_iam.hcl.expression import Call, Expression, Name
from unapproved_iam.hcl.facts import Subject
from unapproved_iam.hcl.open_values import open_value
from unapproved_iam.hcl.texts import possible_texts
from unapproved_iam.hcl.values import Record, Value, exactly, string, unknown
from unapproved_iam.policies.policy_arn import ACCOUNT
from unapproved_iam.policies.possible_text import text
from unapproved_iam.terragrunt.context import File

Function = Callable[[File, list[Value]], Value | None]  # None: it is not known what is meant

_UNIT_NAMES = ("terragrunt.hcl", "terragrunt.hcl.json", "root.hcl")  # that are sought when no name is given


def prepared(expression: Expression, remember: Callable[[Call], str]) -> Expression:
    """The expression with references for the calls of Terragrunt's own functions; `remember` gives a call its name."""
    if isinstance(expression, Call):
        expression = expression._replace(arguments=tuple(prepared(one, remember) for one in expression.arguments))
        return Name(remember(expression)) if expression.name in FUNCTIONS else expression
    parts = [_prepared(one, remember) for one in expression]
    same = all(one is other for one, other in zip(expression, parts, strict=True))
    return expression if same else type(expression)._make(parts)


def _prepared(part: Any, remember: Callable[[Call], str]) -> Any:
    if isinstance(part, Expression):
        return prepared(part, remember)
    if isinstance(part, tuple):
        parts = tuple(_prepared(one, remember) for one in part)
        return part if all(one is other for one, other in zip(part, parts, strict=True)) else parts
    return part


def computed(here: File, call: Call, arguments: list[Value]) -> Value:
    value = FUNCTIONS[call.name](here, arguments)
    return value or unknown(call, f"{call} is not known here")


# -- paths -------------------------------------------------------------------------------------------------------------


def _find_in_parent_folders(here: File, arguments: list[Value]) -> Value | None:
    wanted = [here.known(arguments[0])] if arguments else list(_UNIT_NAMES)
    directory = os.path.dirname(os.path.dirname(here.context.config))
    while directory.startswith(here.context.tree):
        for name in wanted:
            path = os.path.normpath(os.path.join(directory, name or "\0"))
            if name and (found := here.found(path)) and os.path.exists(found):
                return here.path_value(path)
        directory, before = os.path.dirname(directory), directory
        if directory == before:
            break
    return arguments[1] if len(arguments) > 1 and None not in wanted else None


def _terragrunt_dir(here: File, arguments: list[Value]) -> Value:
    return here.path_value(os.path.dirname(here.context.config))


def _original_dir(here: File, arguments: list[Value]) -> Value:
    return here.path_value(os.path.dirname(here.context.unit))


def _included_dir(here: File, arguments: list[Value]) -> str | None:
    """The directory of the file that is included: this one, else the one that its block of that name includes."""
    if here.path != here.context.file:
        return os.path.dirname(here.path)
    label = here.known(arguments[0]) if arguments else None
    found = here.including.get(label or "") or next(iter(here.including.values()), None)
    return os.path.dirname(found[0].path) if found else None


def _parent_dir(here: File, arguments: list[Value]) -> Value | None:
    directory = _included_dir(here, arguments)
    return here.path_value(directory or os.path.dirname(here.context.config))


def _relative_to_include(here: File, arguments: list[Value]) -> Value | None:
    directory = _included_dir(here, arguments)
    return string(_relative(os.path.dirname(here.context.config), directory)) if directory else string(".")


def _relative_from_include(here: File, arguments: list[Value]) -> Value | None:
    directory = _included_dir(here, arguments)
    return string(_relative(directory, os.path.dirname(here.context.config))) if directory else string(".")


def _path_to_root(here: File, arguments: list[Value]) -> Value:
    return string(_relative(here.context.tree, os.path.dirname(here.context.config)))


def _path_from_root(here: File, arguments: list[Value]) -> Value:
    return string(_relative(os.path.dirname(here.context.config), here.context.tree))


def _relative(path: str, start: str) -> str:
    return os.path.relpath(path, start).replace(os.sep, "/")


# -- other files, and what is in no file -------------------------------------------------------------------------------


def _read(here: File, arguments: list[Value]) -> Value | None:
    written = here.known(arguments[0]) if arguments else None
    path = here.found(written) if written is not None else None
    if path is None:
        return None
    exposed = here.exposed_of(path)
    if exposed is None and len(arguments) > 1 and not os.path.exists(path):
        return arguments[1]
    return exposed


def _read_variables(here: File, arguments: list[Value]) -> Value | None:
    from unapproved_iam.terraform.module_files import VariableFile  # few units read such files

    written = here.known(arguments[0]) if arguments else None
    path = here.found(written) if written is not None else None
    if path is None or not os.path.isfile(path):
        return None
    values = {name: here.value(attribute) for name, attribute in VariableFile(path).assignments.items()}
    missing = f"{os.path.basename(path)} does not assign it"
    return exactly(
        Record(os.path.basename(path), lambda name: values.get(name) or unknown(name, missing), tuple(values))
    )


def _environment(here: File, arguments: list[Value]) -> Value | None:
    """A default is a value that someone may change."""
    names = possible_texts(arguments[0]) if arguments else []
    subject = Subject(f'get_env("{names[0].text}")') if len(names) == 1 else Subject("get_env(...)", id(here))
    return open_value(subject, arguments[1]) if len(arguments) > 1 else None


def _account(here: File, arguments: list[Value]) -> Value:
    return string(text(ACCOUNT))


def _unknown(here: File, arguments: list[Value]) -> None:
    """What a command prints, or the account tells."""


FUNCTIONS: dict[str, Function] = {
    "find_in_parent_folders": _find_in_parent_folders,
    "get_terragrunt_dir": _terragrunt_dir,
    "get_working_dir": _terragrunt_dir,
    "get_original_terragrunt_dir": _original_dir,
    "get_parent_terragrunt_dir": _parent_dir,
    "path_relative_to_include": _relative_to_include,
    "path_relative_from_include": _relative_from_include,
    "get_repo_root": lambda here, arguments: here.path_value(here.context.tree),
    "get_path_to_repo_root": _path_to_root,
    "get_path_from_repo_root": _path_from_root,
    "read_terragrunt_config": _read,
    "read_tfvars_file": _read_variables,
    "mark_as_read": lambda here, arguments: arguments[0] if arguments else None,
    "get_env": _environment,
    "get_aws_account_id": _account,
    "run_cmd": _unknown,
    "sops_decrypt_file": _unknown,
    "get_aws_account_alias": _unknown,
    "get_aws_caller_identity_arn": _unknown,
    "get_aws_caller_identity_user_id": _unknown,
    "get_terraform_command": _unknown,
    "get_terraform_cli_args": _unknown,
    "get_terragrunt_source_cli_flag": _unknown,
    "get_default_retryable_errors": _unknown,
    "get_platform": _unknown,
    "constraint_check": _unknown,
}
