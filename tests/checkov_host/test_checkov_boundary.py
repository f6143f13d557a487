"""Hand the checks to checkov as users do: a copy, from any directory, from git, installed, beside an older release."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from project_files import PROJECT

pytest.importorskip("checkov")

pytestmark = [pytest.mark.boundary, pytest.mark.xdist_group("boundary")]

ROOT = PROJECT
CHECKS = ROOT / "checks"
CHECKOV = Path(sys.executable).with_name("checkov")

needs_signatures = pytest.mark.skipif(
    find_spec("checkov.common.external_checks.verification") is None, reason="this checkov verifies no signatures"
)

Result = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Terraform and a template, each with a denied policy and a harmless one; scanned by forked runners."""
    tree = tmp_path_factory.mktemp("scanned")
    shutil.copytree(ROOT / "fixtures/checkov/source/values_elsewhere", tree / "terraform")
    shutil.copy(ROOT / "fixtures/checkov/templates/asked.yaml", tree)
    return tree


FAILING = {"fail_value_in_another_file", "FailLiteral", "FailTwo"}


def checkov(
    tree: Path, *arguments: str, cwd: Path, program: Path = CHECKOV, framework: str = "terraform,cloudformation"
) -> Result:
    fixed = ["--check=IAM_068", f"--framework={framework}", "--output=json", "--quiet", "--skip-download"]
    command = [str(program), f"--directory={tree}", *fixed, *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


def failed(result: Result) -> dict[str, str]:
    """What the report says of each failed resource, by its name."""
    reports = json.loads(result.stdout)
    reports = reports if isinstance(reports, list) else [reports]
    records = [record for report in reports for record in report["results"]["failed_checks"]]
    return {record["resource"].rpartition(".")[2]: record["check_name"] for record in records}


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The checks alone, under another name."""
    copy = tmp_path / "rules"
    shutil.copytree(CHECKS, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def test_a_copy_of_the_checks_works_alone_and_from_a_foreign_directory(
    scanned: Path, copied: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    result = checkov(scanned, f"--external-checks-dir={copied}", cwd=tmp_path / "elsewhere")
    assert (result.returncode, set(failed(result))) == (1, FAILING), result.stderr


@pytest.mark.parametrize("missing", ["the engine", "a module of it", "a module that it needs later"])
def test_without_its_engine_every_attachment_fails(scanned: Path, copied: Path, tmp_path: Path, missing: str) -> None:
    if missing == "the engine":
        shutil.rmtree(copied / "unapproved_iam")
    elif missing == "a module of it":
        (copied / "unapproved_iam/deny_list/verdict.py").write_text("syntax error")
    else:
        (copied / "unapproved_iam/deny_list/discovery.py").write_text(
            "def repository_root(path): raise OSError('no disk')\ndef find_deny_list(*_): ..."
        )
    result = checkov(scanned, f"--external-checks-dir={copied}", cwd=tmp_path)
    assert result.returncode == 1, result.stderr
    assert set(failed(result)) >= FAILING | {"pass_value_in_another_file", "PassLiteral"}
    assert all("could not be checked: " in said for said in failed(result).values())


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> tuple[EllipticCurvePrivateKey, Path]:
    """A key to sign with, and the file of its public half."""
    private = generate_private_key(SECP256R1())
    public = tmp_path_factory.mktemp("key") / "public.pem"
    public.write_bytes(private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private, public


def sign(directory: Path, key: EllipticCurvePrivateKey) -> None:
    """Sign each file as checkov asks for ("External checks verification": a hash of the file, by ECDSA on P-256)."""
    for path in directory.rglob("*.py"):
        source = path.read_bytes()
        path.write_bytes(source + b"# checkov-digest: " + key.sign(source, ECDSA(SHA256())).hex().encode() + b"\n")


@needs_signatures
def test_signed_checks_work(
    scanned: Path, copied: Path, tmp_path: Path, key: tuple[EllipticCurvePrivateKey, Path]
) -> None:
    private, public = key
    sign(copied, private)
    signed = [f"--external-checks-dir={copied}", f"--external-checks-public-key={public}"]
    result = checkov(scanned, *signed, cwd=tmp_path)
    assert (result.returncode, set(failed(result))) == (1, FAILING), result.stderr


@needs_signatures
def test_a_changed_engine_is_refused_in_signed_mode(
    scanned: Path, copied: Path, tmp_path: Path, key: tuple[EllipticCurvePrivateKey, Path]
) -> None:
    private, public = key
    sign(copied, private)
    changed = copied / "unapproved_iam/deny_list/verdict.py"
    changed.write_bytes(b"# changed\n" + changed.read_bytes())
    signed = [f"--external-checks-dir={copied}", f"--external-checks-public-key={public}"]
    result = checkov(scanned, *signed, cwd=tmp_path)
    assert result.returncode not in (0, 1), result.stdout + result.stderr


def test_the_checks_come_from_a_git_repository(scanned: Path, clone: Path, tmp_path: Path) -> None:
    result = checkov(scanned, f"--external-checks-git=file://{clone}//checks", cwd=tmp_path)
    assert (result.returncode, set(failed(result))) == (1, FAILING), result.stderr


@pytest.fixture(scope="module")
def environment(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh virtual environment with checkov and an older release of this distribution, which words it its way."""
    older = tmp_path_factory.mktemp("older") / "source"
    shutil.copytree(clone, older)
    project = older / "pyproject.toml"
    project.write_text(re.sub(r'(?m)^version = "[^"]*"', 'version = "0.0.1"', project.read_text()))
    message = older / "checks/unapproved_iam/deny_list/verdict_message.py"
    message.write_text(
        message.read_text().replace("must not be attached", "was not to be attached in an older release")
    )
    environment = tmp_path_factory.mktemp("environment")
    version = subprocess.run([CHECKOV, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    for arguments in (
        ["venv", "--python", sys.executable, "--clear", environment],
        ["pip", "install", "--python", environment, f"checkov=={version}", older],
    ):
        subprocess.run([sys.executable, "-m", "uv", "--quiet", *map(str, arguments)], check=True, capture_output=True)
    return environment


def test_an_older_release_beside_it_has_no_say(scanned: Path, environment: Path, tmp_path: Path) -> None:
    program = environment / "bin/checkov"
    of_the_clone = checkov(scanned, f"--external-checks-dir={CHECKS}", cwd=tmp_path, program=program)
    assert set(failed(of_the_clone)) == FAILING
    assert "older release" not in of_the_clone.stdout


def test_the_installed_checks_are_found_by_their_directory(scanned: Path, environment: Path, tmp_path: Path) -> None:
    command = [str(environment / "bin/unapproved-iam"), "checks-dir"]
    directory = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout.strip()
    result = checkov(scanned, f"--external-checks-dir={directory}", cwd=tmp_path, program=environment / "bin/checkov")
    assert set(failed(result)) == FAILING
    assert "older release" in result.stdout


def test_the_installed_wrapper_runs_the_installed_checks(scanned: Path, environment: Path, tmp_path: Path) -> None:
    command = [str(environment / "bin/unapproved-iam"), "checkov", f"--directory={scanned}", "--check=IAM_068"]
    result = subprocess.run([*command, "--output=json", "--quiet"], cwd=tmp_path, capture_output=True, text=True)
    assert (result.returncode, set(failed(result))) == (1, FAILING), result.stderr


def test_the_other_python_hcl2_is_named(environment: Path, tmp_path: Path) -> None:
    """python-hcl2 owns the same module as bc-python-hcl2, and installs over it."""
    (module,) = environment.glob("lib/python*/site-packages/hcl2/__init__.py")
    of_the_fork = module.read_text()
    module.unlink()  # a link into uv's cache: never written to
    module.write_text("from .api import load, loads\n")
    try:
        command = [str(environment / "bin/unapproved-iam"), "checkov", "--directory=."]
        result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    finally:
        module.write_text(of_the_fork)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    assert "pip uninstall python-hcl2" in result.stderr
