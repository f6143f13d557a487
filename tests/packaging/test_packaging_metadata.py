"""The metadata, the locked versions and the layout agree with each other and with what the host demands."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from project_files import PROJECT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

METADATA = tomllib.loads((PROJECT / "pyproject.toml").read_text())
EXTRAS = METADATA["project"]["optional-dependencies"]


def locked(file: str) -> dict[str, str]:
    """Version by normalized name, for the Python that runs."""
    requirements = map(Requirement, re.findall(r"^[a-z].*$", (PROJECT / file).read_text(), re.M))
    return {
        requirement.name: str(requirement.specifier).removeprefix("==")
        for requirement in requirements
        if requirement.marker is None or requirement.marker.evaluate()
    }


def wanted(listed: list[str]) -> list[Requirement]:
    return [
        requirement
        for requirement in map(Requirement, listed)
        if requirement.name != METADATA["project"]["name"]
        and (requirement.marker is None or requirement.marker.evaluate())
    ]


LOCKS = {
    "requirements-dev.txt": [
        *METADATA["project"]["dependencies"],
        *(item for extra in EXTRAS.values() for item in extra),
    ],
    "docs/requirements.txt": METADATA["dependency-groups"]["docs"],
}


@pytest.mark.parametrize(
    ("file", "requirement"),
    [(file, requirement) for file, listed in LOCKS.items() for requirement in wanted(listed)],
    ids=str,
)
def test_the_lock_holds_a_version_that_the_metadata_allows(file: str, requirement: Requirement) -> None:
    version = locked(file)[re.sub(r"[-_.]+", "-", requirement.name).lower()]
    assert requirement.specifier.contains(version)


def test_all_is_every_other_extra() -> None:
    (everything,) = map(Requirement, EXTRAS["all"])
    assert everything.extras == set(EXTRAS) - {"all", "dev"}


def test_every_directory_of_the_engine_is_packaged() -> None:
    directories = {path.parent.relative_to(PROJECT / "checks") for path in (PROJECT / "checks").rglob("*.py")}
    packages = {".".join(("unapproved_iam_checks", *directory.parts)) for directory in directories}
    assert METADATA["tool"]["setuptools"]["package-dir"] == {"unapproved_iam_checks": "checks"}
    assert packages == set(METADATA["tool"]["setuptools"]["packages"])


def test_the_engine_is_no_regular_package() -> None:
    """checkov would run each file beside an `__init__.py` as a check."""
    assert [path.relative_to(PROJECT) for path in PROJECT.glob("checks/**/__init__.py")] == [Path("checks/__init__.py")]


def test_no_file_under_checks_is_taken_for_a_checkov_policy() -> None:
    assert not [path for path in (PROJECT / "checks").rglob("*") if path.suffix in (".yaml", ".yml", ".json")]


def test_no_name_of_the_engine_shadows_a_module() -> None:
    """checkov puts each directory below `checks` in front of `sys.path`: their names hide others."""
    below = [path for path in (PROJECT / "checks").rglob("*") if path.suffix == ".py" or path.is_dir()]
    names = {path.stem for path in below} - {"__init__", "__main__", "__pycache__"}
    probe = "import sys, importlib.util as u; print([n for n in sys.argv[1:] if u.find_spec(n)])"
    command = [sys.executable, "-I", "-c", probe, *names]
    found = subprocess.run(command, check=True, capture_output=True, text=True)
    assert found.stdout.strip() == "[]"


def test_the_edges_of_the_range_are_tested() -> None:
    """The oldest and the newest Python, and the oldest checkov, that the metadata allows."""
    named = (item.rpartition(" ")[2] for item in METADATA["project"]["classifiers"] if "Python :: 3." in item)
    pythons = sorted(named, key=lambda version: int(version.partition(".")[2]))
    assert METADATA["project"]["requires-python"] == f">={pythons[0]}"
    (checkov,) = map(Requirement, EXTRAS["checkov"])
    oldest = next(one.version for one in checkov.specifier if one.operator == ">=")
    script = (PROJECT / ".ci/range").read_text()
    assert re.findall(r"for (\w+) in ([^;]+);", script) == [
        ("python", f"{pythons[0]} {pythons[-1]}"),
        ("checkov", f"{oldest} newest"),
    ]
    workflow = yaml.safe_load((PROJECT / ".github/workflows/ci.yml").read_text())
    assert workflow["jobs"]["gate"]["strategy"]["matrix"]["python"] == [pythons[0], pythons[-1]]
    assert workflow["jobs"]["range"]["strategy"]["matrix"] == {
        "python": [pythons[0], pythons[-1]],
        "checkov": [oldest, "newest"],
    }


def test_workflows_use_what_is_pinned() -> None:
    """Actions by commit, one commit for each action; uv in the locked version."""
    sources = [*sorted((PROJECT / ".github/workflows").glob("*.yml")), PROJECT / "action.yml"]
    written = "\n".join(source.read_text() for source in sources)
    used = re.findall(r"uses: ([\w./-]+)@(\S+) # (v[\d.]+)$", written, re.M)
    assert len(used) == written.count("uses: ")
    assert all(re.fullmatch("[0-9a-f]{40}", commit) for _, commit, _ in used)
    assert len({action for action, _, _ in used}) == len(set(used))
    assert set(re.findall(r"\buv==([\d.]+)", written)) == {locked("requirements-dev.txt")["uv"]}
