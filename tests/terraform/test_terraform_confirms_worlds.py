"""What the brute force of `world_writer` says that a module attaches in a world, terraform says, too.

Else the engine would be held against a mistake. Resources become `terraform_data`, which every terraform has, and one
run applies many modules, each called with the values of one world. `CONFIRMED_PROGRAMS=300` tries more than CI does.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from random import Random
from typing import Any

import pytest
from terraform_oracle import outputs_of
from world_writer import Program, World, quoted, written_program
from written_files import write_tree

PROGRAMS = int(os.environ.get("CONFIRMED_PROGRAMS", "12"))
FIRST = int(os.environ.get("CONFIRMED_FIRST", "0"))
PER_PROGRAM = 3  # worlds

pytestmark = pytest.mark.skipif(not shutil.which("terraform"), reason="terraform is not installed")

PLAIN = (  # what stands for a resource that needs the provider
    (re.compile(r'"aws_\w+"( "x\d+" \{\n)'), r'"terraform_data"\1'),
    (re.compile(r'^  (?:role|name|instance_arn|permission_set_arn) = "\w"\n', re.MULTILINE), ""),
    (re.compile(r"^  (?:policy_arn|managed_policy_arns) =", re.MULTILINE), "  input ="),
    (
        re.compile(r"^  dynamic .*\n    for_each = (.*)\n    content \{\n.*\n    \}\n  \}\n", re.MULTILINE),
        r'  input = [for reference in \1 : "legacy-${reference}"]\n',
    ),
)
TYPE = re.compile(r"aws_\w+\.")


@pytest.mark.parametrize("part", range(2))
def test_terraform_attaches_the_same(part: int, tmp_path: Path) -> None:
    """Where the brute force computes all resources of a world, terraform computes these policies."""
    files: dict[str, str] = {}
    expected: dict[str, dict[str, list[str]]] = {}
    calls = []
    for seed in range(FIRST + part, FIRST + PROGRAMS, 2):
        program = written_program(seed)
        files |= {f"p{seed}/{name}": as_data(text) for name, text in program.files.items() if name.endswith(".tf")}
        files[f"p{seed}/outputs.tf"] = outputs_of_module(program, "")
        for number, (values, attached) in enumerate(some_worlds(program, Random(seed))):
            name = f"p{seed}_{number}"
            arguments = "".join(f"  {variable} = {quoted(value)}\n" for variable, value in values.items())
            calls.append(f'module "{name}" {{\n  source = "./p{seed}"\n{arguments}}}\n')
            calls.append(f'output "{name}" {{\n  value = jsonencode(module.{name}.attached)\n}}\n')
            expected[name] = attached
    files["main.tf"] = "".join(calls)
    for directory in {os.path.dirname(name) for name in files if name.endswith("m/main.tf")}:
        files[f"{directory}/outputs.tf"] = outputs_of_directory(files[f"{directory}/main.tf"])
    computed = {name: json.loads(value) for name, value in outputs_of(write_tree(tmp_path, files)).items()}
    assert {name: told(attached) for name, attached in computed.items()} == expected


def as_data(source: str) -> str:
    for pattern, replacement in PLAIN:
        source = pattern.sub(replacement, source)
    return source


def outputs_of_module(program: Program, directory: str) -> str:
    return outputs_of_directory(as_data(program.files[f"{directory}main.tf"]))


def outputs_of_directory(source: str) -> str:
    """An output with the policies of each resource, and those of the called module."""
    names = re.findall(r'resource "terraform_data" "(\w+)"', source)
    own = "".join(f"    {name} = flatten([terraform_data.{name}[*].input])\n" for name in names)
    each = "".join(
        f"    {name} = flatten([for one in values(terraform_data.{name}) : one.input])\n"
        for name in names
        if re.search(rf'"{name}" {{\n  for_each', source)
    )
    for line in each.splitlines():
        own = re.sub(rf"^    {line.split()[0]} = .*\n", line + "\n", own, flags=re.MULTILINE)
    called = "    m = flatten([module.m])\n" if re.search(r'^module "m"', source, re.MULTILINE) else ""
    return f'output "attached" {{\n  value = {{\n{own}{called}  }}\n}}\n'


def told(attached: dict[str, Any], prefix: str = "") -> dict[str, list[str]]:
    """The names of policies, by the resource without its type."""
    found: dict[str, list[str]] = {}
    for name, policies in attached.items():
        if name == "m":
            for one in policies:
                found |= told(one["attached"], f"{prefix}module.m.")
        elif names := sorted({policy.rpartition("/")[2] for policy in policies} - {""}):
            found[prefix + name] = names
    return found


def some_worlds(program: Program, random: Random) -> list[tuple[dict[str, Any], dict[str, list[str]]]]:
    """Worlds in which nothing is refused, with what each resource attaches there."""
    found: list[tuple[dict[str, Any], dict[str, list[str]]]] = []
    for _ in range(40):
        options = random.choice(program.runs)
        values = {name: random.choice(several) for name, several in options.items()}
        fixed = {name: [value] for name, value in values.items()}
        attached = {address: worth(World(fixed, [], is_eager=True)) for address, worth in program.attached.items()}
        if len(found) < PER_PROGRAM and program.is_computed(World(fixed, [], is_eager=True)):
            named = {TYPE.sub("", name): sorted(set(map(str, got))) for name, got in attached.items() if got}
            found.append((values, named))
    return found
