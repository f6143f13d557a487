"""Run what the pages show: their files and commands in the order of the page, their output compared line by line."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from project_files import CHECKOV, PAGES, PROJECT, README, Block, block, blocks, commands

pytestmark = pytest.mark.xdist_group("samples")

ADMINISTRATOR = block(README, "break_glass")
BIN = Path(sys.executable).parent  # of the environment that holds this project and checkov
SHOWING = [page for page in PAGES if any(block.language == "console" for block in blocks(page))]


@pytest.fixture(scope="module")
def repositories(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Path]:
    """The repository of each page's reader, empty at first: a sample finds what those before it have left."""
    made = {page: tmp_path_factory.mktemp(page.stem) for page in SHOWING}
    for directory in made.values():
        subprocess.run(["git", "init", "--quiet", directory], check=True)
    return made


def bash(script: str, directory: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
    command = ["bash", "-c", script]
    return subprocess.run(
        command, cwd=directory, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def untimed(output: str) -> str:
    """Without what each run and each day changes: how long it took, and the day that a proposed approval expires."""
    proposed = re.sub(r"(?<=reason: …, expires: )[\d-]+(?=})", "DAY", output)
    return re.sub(r"\b\d+\.\d+ s\b", "N s", proposed)


def next_year(shown: str) -> str:
    """The samples' days lie in the future of their reader; for the tests, whenever they run, in the next year."""
    return shown.replace("2027-", f"{date.today().year + 1}-")


def test_pages_show_commands_and_their_output() -> None:
    assert {page.name for page in SHOWING} >= {"README.md", "deny-list.md", "rule.md"}


@pytest.mark.parametrize(
    ("page", "sample"),
    [(page, sample) for page in SHOWING for sample in blocks(page)],
    ids=lambda value: f"line-{value.line}" if isinstance(value, Block) else value.stem,
)
def test_sample(repositories: dict[Path, Path], page: Path, sample: Block) -> None:
    repository = repositories[page]
    if sample.file:
        (repository / sample.file).parent.mkdir(parents=True, exist_ok=True)
        (repository / sample.file).write_text(next_year(sample.text))
    for command in commands(sample) if sample.language == "console" else ():
        printed = bash(next_year(command.command), repository).stdout
        assert untimed(printed) == next_year(untimed(command.output)), f"{page.name}:{command.line}"


def test_the_commands_that_install_and_check(clone: Path, tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/main.tf").write_text(ADMINISTRATOR)
    script = block(README, "/bin/unapproved-iam check DIRECTORY")
    script = script.replace("REPOSITORY", clone.as_uri()).replace("DIRECTORY", str(tmp_path / "tree"))
    result = bash(f"export HOME={tmp_path}\n{script}", tmp_path)
    assert result.returncode == 1, result.stdout
    assert "AdministratorAccess must not be attached to role/break-glass" in result.stdout


def test_the_command_that_sets_up_and_tests_is_the_gate_s() -> None:
    command = block(README, "pytest").strip()
    assert command in (PROJECT / ".ci/run").read_text()


@pytest.mark.parametrize(
    ("number", "directory", "here"),
    [(0, "../tree", "elsewhere"), (1, "../tree", "elsewhere"), (1, ".", "tree")],
    ids=["directory", "git", "git, in the scanned directory"],
)
def test_the_raw_checkov_commands(clone: Path, tmp_path: Path, number: int, directory: str, here: str) -> None:
    for name in ("tree", "elsewhere"):
        (tmp_path / name).mkdir()
    (tmp_path / "tree/main.tf").write_text(ADMINISTRATOR)
    command = block(CHECKOV, "--external-checks-git").splitlines()[number]
    places = {"REPOSITORY": clone.as_uri(), "CLONE": str(clone), "DIRECTORY": directory}
    for placeholder, place in places.items():
        command = command.replace(placeholder, place)
    result = bash(f"{command} --check IAM_068 --framework terraform --skip-download", tmp_path / here)
    assert result.returncode == 1, result.stdout
    assert "AdministratorAccess must not be attached" in result.stdout
    assert "Failed checks: 1," in result.stdout  # and none of the fixtures'
    assert "[ERROR]" not in result.stdout


@pytest.mark.parametrize(("broken", "code"), [(False, 0), (True, 2)], ids=["loaded", "not loaded"])
def test_the_canary_of_raw_checkov(clone: Path, tmp_path: Path, broken: bool, code: int) -> None:
    shutil.copytree(clone / "checks", tmp_path / "checks")
    if broken:
        (tmp_path / "checks/__init__.py").unlink()
    result = bash(block(CHECKOV, "canary=").replace("CLONE", str(tmp_path)), tmp_path)
    assert result.returncode == code, result.stdout
