"""The verdict does not depend on how the source is written: the fixtures, written in another way, attach the same."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from project_files import PROJECT
from terraform_verdicts import findings_in
from unapproved_iam.hcl.source_text import Source, Token, tokens
from unapproved_iam.hcl.syntax import Attribute, Block, Body, parse_body

FIXTURES = PROJECT / "fixtures"
TREES = [tree for kind in ("terraform", "checkov/source") for tree in sorted((FIXTURES / kind).iterdir())]
NATIVE = (".tf", ".tofu", ".tfvars")
ODD_COMMENT = 'policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess" } ]) ${ <<EOT'


def said(tree: Path) -> set[Any]:
    """What is found in a tree, lines aside; that JSON writes `"${x}"` and is in `x.tf.json` makes no difference."""
    findings, unjudged = findings_in(tree)
    bare = str.maketrans("", "", '"${}')

    def called(path: str) -> str:
        return str(Path(path).relative_to(tree)).removesuffix(".json")

    return {one.reason for one in unjudged} | {
        (
            *map(
                called, (one.attachment.unit, one.attachment.block.path, *(call.path for call in one.attachment.calls))
            ),
            one.attachment.resource,
            str(one.attachment.policy).translate(bare),
            tuple(sorted(f"{to.kind} {to.name} {to.address}".translate(bare) for to in one.attachment.principals)),
            " and ".join(one.attachment.when).translate(bare),
            one.attachment.skip is not None,
            one.message.translate(bare),
        )
        for one in findings
    }


# -- other ways to write a file ----------------------------------------------------------------------------------------


def pieces(source: str) -> Iterator[tuple[str, str]]:
    """The source in its order: strings, heredocs, comments, brackets and line ends, and the "code" between them."""
    end = 0
    for token in (*tokens(Source(source, ""), 0, len(source)), Token("", len(source), len(source))):
        yield "code", source[end : token.start]
        yield token.kind, source[token.start : token.end]
        end = token.end


def commented(source: str) -> str:
    lines = f"\n# {ODD_COMMENT}\n\n// {ODD_COMMENT}\n/* {ODD_COMMENT}\n\n*/\n"
    return "".join(lines if kind == "newline" else text for kind, text in pieces(source))


def spaced(source: str, blank: str = f" \t/* {ODD_COMMENT} */ ") -> str:
    return "".join(re.sub(r"[ \t]+", blank, text) if kind == "code" else text for kind, text in pieces(source))


def reordered(source: str) -> str:
    """Blocks, and arguments in them, the other way round; what stands above one on lines of its own goes with it."""
    lines = source.splitlines(keepends=True)
    return "".join(_reordered(parse_body(source, ""), lines, 0, len(lines)))


def _reordered(body: Body, lines: list[str], start: int, end: int) -> list[str]:
    parts: list[list[str]] = []
    items: list[Attribute | Block] = [*body.attributes.values(), *body.blocks]
    for item in sorted(items, key=lambda item: item.line):
        before, last = lines[start : item.line - 1], item.end_line
        inner = lines[item.line - 1 : last]
        if isinstance(item, Block) and len(inner) > 1:
            inner = [inner[0], *_reordered(item.body, lines, item.line, last - 1), inner[-1]]
        parts.append([*before, *inner])
        start = last
    return [line for part in reversed(parts) for line in part] + lines[start:end]


NAMES = ("type", "iterator")  # in native syntax no strings
ODD_IN_JSON = ("depends_on", "provider", "providers", "ignore_changes")


def as_json(source: str) -> tuple[str, str]:
    """What can be said in JSON, and the rest. Source: "JSON Configuration Syntax" in the Terraform documentation."""
    lines = source.splitlines(keepends=True)
    in_json, rest = [], []
    for block in parse_body(source, "").blocks:
        try:
            in_json.append({block.type: _labelled(block, lines)})
        except ValueError:
            rest.append("".join(lines[block.line - 1 : block.end_line]))
    return json.dumps(in_json, indent=1), "".join(rest)


def _labelled(block: Block, lines: list[str]) -> Any:
    value: Any = _json_of(block.body, lines)
    for label in reversed(block.labels):
        value = {label: value}
    return value


def _json_of(body: Body, lines: list[str]) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for name, attribute in body.attributes.items():
        source = "".join(lines[attribute.line - 1 : attribute.end_line])
        value[name] = _json_value(name, [piece for piece in pieces(source.partition("=")[2]) if piece[0] != "comment"])
    for block in body.blocks:
        if block.line == block.end_line:
            raise ValueError("its arguments are on its line")
        value.setdefault(block.type, []).append(_labelled(block, lines))
    return value


def _json_value(name: str, expression: list[tuple[str, str]]) -> Any:
    written = "".join(text for _, text in expression).strip()
    kinds = [kind for kind, text in expression if text.strip()]
    if "heredoc" in kinds or name in ODD_IN_JSON:
        raise ValueError("JSON says it in another way")
    if name in NAMES:
        return written
    return json.loads(written) if kinds == ["string"] or name == "default" else f"${{{written}}}"


# -- the verdicts stay -------------------------------------------------------------------------------------------------

WAYS: dict[str, Callable[[str], str]] = {
    "comments": commented,
    "blanks": spaced,
    "order": reordered,
    "windows": lambda source: source.replace("\n", "\r\n"),
    "byte order mark": lambda source: "\ufeff" + source,
}


def copied(tree: Path, target: Path) -> list[Path]:
    """The files of native syntax in a copy of the tree."""
    shutil.copytree(tree, target)
    return [path for path in sorted(target.rglob("*")) if path.suffix in NATIVE]


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
@pytest.mark.parametrize("tree", TREES, ids=lambda tree: tree.name)
def test_written_in_another_way(tree: Path, way: Callable[[str], str], tmp_path: Path) -> None:
    for path in copied(tree, tmp_path / tree.name):
        path.write_text(way(path.read_text()), newline="")
    assert said(tmp_path / tree.name) ^ said(tree) == set()


@pytest.mark.parametrize("tree", TREES, ids=lambda tree: tree.name)
def test_written_in_json(tree: Path, tmp_path: Path) -> None:
    if tree.name == "skips":
        pytest.skip("JSON knows no comments")
    for path in copied(tree, tmp_path / tree.name):
        if path.suffix != ".tfvars":
            in_json, rest = as_json(path.read_text())
            path.write_text(rest)
            path.with_name(path.name + ".json").write_text(in_json)
    assert said(tmp_path / tree.name) ^ said(tree) == set()


@pytest.mark.skipif(not shutil.which("terraform"), reason="terraform is not installed")
def test_formatted_by_terraform(tmp_path: Path) -> None:
    for tree in TREES:
        for path in copied(tree, tmp_path / tree.name):
            path.write_text(spaced(path.read_text(), blank="  "))
    unformatted = {tree.name: said(tmp_path / tree.name) for tree in TREES}
    subprocess.run(["terraform", "fmt", "-recursive", "-list=false", str(tmp_path)], check=True)
    for tree in TREES:
        assert said(tmp_path / tree.name) ^ said(tree) == unformatted[tree.name] ^ said(tree) == set()
