"""What keeps a reader busy without end, or breaks it, could not be checked; the rest is judged all the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from unapproved_iam.commands.command_line import main
from unapproved_iam.policies.attachment import Reading
from unapproved_iam.scan import guarded_reading
from unapproved_iam.scan.guarded_reading import OutOfTime, guarded

# Where the time ends in a destructor or a hook of the garbage collector, Python tells of it, and it ends once more.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

ADMIN = '"arn:aws:iam::aws:policy/AdministratorAccess"'
ATTACHED = 'resource "aws_iam_role_policy_attachment" "{}" {{\n  role       = "ops"\n  policy_arn = {}\n}}\n'
NUMBERS = ", ".join(["1"] * 100_000)
SLOW = {
    "slow/main.tf": ATTACHED.format("slow", f"[{ADMIN}, {NUMBERS}][0]"),
    "slow/template.yaml": "Resources:\n"
    + "".join(
        f"  R{n}:\n    Type: AWS::IAM::Role\n    Properties: {{ManagedPolicyArns: [{ADMIN}]}}\n" for n in range(6000)
    ),
}


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    for name in ("before", "slow", "zafter"):
        (tmp_path / name).mkdir()
        if name != "slow":
            (tmp_path / name / "main.tf").write_text(ATTACHED.format(f"fail_{name}", ADMIN))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def report(capsys: pytest.CaptureFixture[str]) -> tuple[set[str], dict[str, str]]:
    """The resources of the violations, and what could not be checked."""
    report = json.loads(capsys.readouterr().out)
    resources = {one["resource"] for one in report["findings"] if one["violation"]}
    return resources, {one["path"]: one["reason"] for one in report["unjudged"]}


@pytest.mark.parametrize("name", SLOW)
def test_a_unit_that_takes_too_long_is_not_judged(
    name: str, tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    unit = "slow" if name.endswith(".tf") else name
    (tree / name).write_text(SLOW[name])
    others = {"aws_iam_role_policy_attachment.fail_before", "aws_iam_role_policy_attachment.fail_zafter"}
    monkeypatch.setattr(guarded_reading, "MOST_SECONDS", 0.1)
    assert main(["check", "--output", "json"]) == 2
    assert report(capsys) == (others, {unit: "takes more than 0.1 s to read"})
    monkeypatch.undo()
    monkeypatch.chdir(tree)
    assert main(["check", "--output", "json"]) == 1
    resources, unjudged = report(capsys)
    assert (resources > others, unjudged) == (True, {})


def test_no_handler_on_the_way_holds_it_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def stubborn(path: str) -> Reading:
        while True:
            try:
                sum(range(1000))
            except Exception:  # such as a library's
                continue

    monkeypatch.setattr(guarded_reading, "MOST_SECONDS", 0.05)
    reading = guarded(stubborn, "/a")
    assert reading is not None
    assert [(one.reason, one.is_whole_unit) for one in reading.unjudged] == [("takes more than 0.05 s to read", True)]
    assert not issubclass(OutOfTime, Exception)


def test_nothing_is_left_ticking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded_reading, "MOST_SECONDS", 0.05)
    assert guarded(lambda path: Reading(), "/a") == Reading()
    monkeypatch.setattr(guarded_reading, "MOST_SECONDS", 60.0)
    whole = sum(number * number for number in range(2_000_000))  # takes longer than the first limit
    assert whole > 0


@pytest.mark.parametrize("error", [ValueError("odd"), RecursionError(), OSError(5, "Input/output error")])
def test_what_breaks_a_reader_is_told(error: Exception) -> None:
    def broken(path: str) -> Reading:
        raise error

    reading = guarded(broken, "/a")
    assert reading is not None
    (unjudged,) = reading.unjudged
    assert unjudged.is_whole_unit
    assert (type(error).__name__ in unjudged.reason) is not isinstance(error, OSError)


def test_a_broken_installation_is_no_unit_that_cannot_be_read() -> None:
    def broken(path: str) -> Reading:
        raise ModuleNotFoundError("No module named 'yaml'", name="yaml")

    with pytest.raises(ModuleNotFoundError):
        guarded(broken, "/a")
