"""The real terraform as an oracle: what it computes for expressions, and whether a value of ours holds that."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

from hcl_writer import WrittenModule
from unapproved_iam.hcl.collection_values import entries_at
from unapproved_iam.hcl.facts import number_as_text
from unapproved_iam.hcl.values import (
    NEVER,
    Boolean,
    Item,
    Mapping,
    Null,
    Number,
    Plain,
    Sequence,
    String,
    Unknown,
    Value,
    parts_of,
)
from unapproved_iam.policies.possible_text import Hole, Text, text

REFUSED = object()


def computed_by_terraform(module: WrittenModule, directory: Path) -> list[Any]:
    outputs = "".join(
        f'output "o{number}" {{\n  value = try(jsonencode([{expression}]), "refused")\n}}\n'
        for number, expression in enumerate(module.outputs)
    )
    (directory / "main.tf").write_text(module.source + outputs, encoding="utf-8")
    (directory / "terraform.tfvars.json").write_text(json.dumps(module.unknowns), encoding="utf-8")
    (directory / "terraform.tfstate").unlink(missing_ok=True)
    environment = {
        "PATH": os.environ["PATH"],
        "TF_CLI_CONFIG_FILE": os.devnull,
        "TF_DATA_DIR": str(directory / "data"),
        "CHECKPOINT_DISABLE": "1",
    }
    run = subprocess.run(
        ["terraform", "apply", "-auto-approve", "-input=false", "-no-color", "-backup=-"],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, f"{run.stderr}\n{module.source}"
    state = json.loads((directory / "terraform.tfstate").read_text(encoding="utf-8"))["outputs"]
    written = [state[f"o{number}"]["value"] for number in range(len(module.outputs))]
    return [REFUSED if one == "refused" else json.loads(one)[0] for one in written]


def outputs_of(directory: Path) -> dict[str, Any]:
    """The outputs of the root module in a directory, by their names."""
    environment = {"PATH": os.environ["PATH"], "TF_CLI_CONFIG_FILE": os.devnull, "CHECKPOINT_DISABLE": "1"}
    for command in (["init"], ["apply", "-auto-approve"]):
        run = subprocess.run(
            ["terraform", *command, "-input=false", "-no-color"],
            cwd=directory,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr
    outputs = json.loads((directory / "terraform.tfstate").read_text(encoding="utf-8"))["outputs"]
    return {name: output["value"] for name, output in outputs.items()}


def refused_lines(directory: Path) -> set[int]:
    """The lines of the configuration with which terraform finds fault."""
    environment = {"PATH": os.environ["PATH"], "TF_CLI_CONFIG_FILE": os.devnull, "CHECKPOINT_DISABLE": "1"}
    command = ["terraform", "plan", "-json", "-input=false"]
    run = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)
    messages = [json.loads(line) for line in run.stdout.splitlines()]
    found = [message["diagnostic"]["range"]["start"]["line"] for message in messages if message["@level"] == "error"]
    assert bool(found) is bool(run.returncode), run.stdout
    return set(found)


# -- whether a value holds what terraform computed ---------------------------------------------------------------------


def admits(value: Value, data: Any) -> bool:
    return any(_plain_admits(possible.plain, data) for possible in value)


def _plain_admits(plain: Plain, data: Any) -> bool:
    """Scalars are compared as strings: a type constraint that is not in the expression may have converted them."""
    if isinstance(plain, Unknown):
        return not plain.fails
    if isinstance(plain, Null):
        return data is None
    if isinstance(plain, Sequence):
        return isinstance(data, list) and _sequence_admits(plain, data)
    if isinstance(plain, Mapping):
        return isinstance(data, dict) and _mapping_admits(plain, data)
    scalar = _scalar(data)
    if scalar is None:
        return False
    if isinstance(plain, Boolean):
        return scalar == ("true" if plain.value else "false")
    if isinstance(plain, Number):
        return scalar == number_as_text(plain.value)
    return isinstance(plain, String) and may_be(plain.text, scalar)


def _scalar(data: Any) -> str | None:
    if isinstance(data, bool):
        return "true" if data else "false"
    if isinstance(data, int | float):
        return str(data) if data != int(data) else str(int(data))
    return data if isinstance(data, str) else None


def _sequence_admits(sequence: Sequence, data: list[Any]) -> bool:
    if sequence.ordered:
        return _in_order(sequence, sequence.items, data)
    surely = [item for item in sequence.items if not item.when]
    parts = [value for value, _ in parts_of(sequence)]
    return all(any(admits(part, element) for part in parts) for element in data) and all(
        any(admits(item.value, element) for element in data) for item in surely
    )


def _in_order(sequence: Sequence, items: tuple[Item, ...], data: list[Any]) -> bool:
    """Whether the items, those that may be absent left out as needed, are the data, and the rest what follows."""
    starts = {0}
    for item in items:
        taken = {start + 1 for start in starts if start < len(data) and admits(item.value, data[start])}
        starts = taken | starts if item.when else taken
    rest = sequence.rest
    return any(
        start == len(data) or (rest is not None and all(admits(rest, element) for element in data[start:]))
        for start in starts
    )


def _mapping_admits(mapping: Mapping, data: dict[str, Any]) -> bool:
    for key, element in data.items():
        values = entries_at(mapping, String(text(key)), NEVER)
        if not any(admits(value, element) for value in values):
            return False
    return all(entry.key.known in data for entry in mapping.entries if not entry.when and not entry.key.holes)


def may_be(content: Text, string: str) -> bool:
    pattern = "".join(".*" if isinstance(piece, Hole) else re.escape(piece) for piece in content.pieces)
    return re.fullmatch(pattern, string, re.DOTALL) is not None


def is_exact(value: Value) -> bool:
    if len(value.possible) > 1 or value.possible[0].when:
        return False
    plain = value.possible[0].plain
    if isinstance(plain, Sequence) and not plain.ordered:
        return False
    if isinstance(plain, Unknown) or (isinstance(plain, String) and plain.text.holes):
        return False
    return all(not when and is_exact(part) for part, when in parts_of(plain))


def strings_in(data: Any) -> list[str]:
    if isinstance(data, str):
        return [data]
    parts = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    return [string for part in parts for string in strings_in(part)]
