"""Install what a user would install, in an environment of its own, and run it there."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("packaging")

LEAN = {"checkov-unapproved-iam", "pyyaml"}

ADMINISTRATOR = """
resource "aws_iam_role_policy_attachment" "ci" {
  role       = "ci"
  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
}
"""
READER = ADMINISTRATOR.replace("AdministratorAccess", "ReadOnlyAccess")

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def uv(*arguments: str | Path) -> str:
    command = [sys.executable, "-m", "uv", "--quiet", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def distributions(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory with the sdist, and the wheel that was built from the sdist."""
    target = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--installer=uv", f"--outdir={target}", str(clone)]
    subprocess.run(command, check=True, capture_output=True)
    return target


@pytest.fixture(scope="module")
def wheel(distributions: Path) -> Path:
    return next(distributions.glob("*.whl"))


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh virtual environment that holds the wheel and what it cannot do without."""
    environment = tmp_path_factory.mktemp("lean")
    uv("venv", "--python", sys.executable, "--clear", environment)
    uv("pip", "install", "--python", environment, wheel)
    return environment


@pytest.fixture
def installed(environment: Path, tmp_path: Path) -> Run:
    """Runs the installed command in an empty directory."""

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [environment / "bin/unapproved-iam", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    return run


def files_of(clone: Path) -> set[str]:
    """The files of `checks/`, as paths from there."""
    return {path.relative_to(clone / "checks").as_posix() for path in (clone / "checks").rglob("*") if path.is_file()}


def test_the_wheel_holds_the_checks_with_the_engine_beside_them_and_nothing_else(clone: Path, wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert names == {f"unapproved_iam_checks/{name}" for name in files_of(clone)}


def test_the_sdist_holds_what_its_own_tests_need(clone: Path, distributions: Path) -> None:
    with tarfile.open(next(distributions.glob("*.tar.gz"))) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    committed = subprocess.run(["git", "-C", clone, "ls-files"], check=True, capture_output=True, text=True).stdout
    needed = {name for name in committed.splitlines() if not name.startswith((".github/", ".gitignore"))}
    assert needed <= held


def test_the_lean_install_brings_two_libraries(environment: Path) -> None:
    listed = uv("pip", "list", "--python", environment, "--format=freeze")
    assert {line.partition("==")[0].lower() for line in listed.splitlines()} == LEAN


@pytest.mark.parametrize(("source", "code"), [(ADMINISTRATOR, 1), (READER, 0)], ids=["violation", "clean"])
def test_the_installed_command_judges(installed: Run, tmp_path: Path, source: str, code: int) -> None:
    (tmp_path / "main.tf").write_text(source)
    result = installed("check", ".")
    assert (result.returncode, result.stderr) == (code, "")
    assert ("main.tf:4: AdministratorAccess must not be attached to role/ci" in result.stdout) is bool(code)


@pytest.mark.parametrize(("subcommand", "extra"), [("checkov", "checkov"), ("audit", "aws")])
def test_what_is_missing_is_said_in_one_line(installed: Run, subcommand: str, extra: str) -> None:
    result = installed(subcommand)
    assert result.returncode == 2
    assert result.stderr.rstrip("\n").count("\n") == 0
    assert f"pip install 'checkov-unapproved-iam[{extra}] @ git+REPOSITORY'" in result.stderr


def test_the_installed_checks_serve_checkov(installed: Run, tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(ADMINISTRATOR)
    directory = installed("checks-dir").stdout.strip()
    checkov = [sys.executable, "-m", "checkov.main", "--directory=.", f"--external-checks-dir={directory}"]
    arguments = ["--check=IAM_068", "--framework=terraform", "--quiet", "--compact", "--skip-download"]
    result = subprocess.run([*checkov, *arguments], cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 1, result.stdout + result.stderr
    assert "AdministratorAccess must not be attached" in result.stdout


def test_a_clone_uses_its_own_engine_beside_an_installed_one(environment: Path, clone: Path, tmp_path: Path) -> None:
    changed = tmp_path / "checks"
    shutil.copytree(clone / "checks", changed)
    program = changed / "unapproved_iam/program.py"
    program.write_text(program.read_text().replace('PROGRAM = "unapproved-iam"', 'PROGRAM = "of-the-clone"'))
    command = [str(environment / "bin/python"), str(changed), "--version"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (result.returncode, result.stdout.split()[0]) == (0, "of-the-clone"), result.stderr
