"""Units that are read in several processes are read as in one, and a process that is lost ends the run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from project_files import PROJECT
from unapproved_iam.commands.command_line import main
from unapproved_iam.policies.attachment import Place, Reading, Unjudged
from unapproved_iam.program import UsageError
from unapproved_iam.scan.side_by_side import FEWEST_UNITS, read_side_by_side

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes are not copied there")

UNITS = [f"/unit-{number}" for number in range(2 * FEWEST_UNITS + 1)]


def read(unit: str) -> Reading | None:
    """Tells which process has read it."""
    return None if unit == UNITS[7] else Reading(unjudged=(Unjudged(Place(unit, os.getpid()), "read"),))


@pytest.fixture(autouse=True)
def nobody_is_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every process that is made has ended, and has been waited for, when the test is over."""
    made: list[int] = []

    def recorded(fork: Callable[[], int] = os.fork) -> int:
        process = fork()
        made.append(process)
        return process

    monkeypatch.setattr(os, "fork", recorded)
    yield
    for process in made:
        with pytest.raises(ChildProcessError):
            os.waitpid(process, os.WNOHANG)


@pytest.mark.parametrize(("units", "jobs", "processes"), [(UNITS, 1, 1), (UNITS, 3, 3), (UNITS[:FEWEST_UNITS], 2, 2)])
def test_each_unit_is_read_once_and_in_its_place(units: list[str], jobs: int, processes: int) -> None:
    readings = read_side_by_side(read, units, jobs)
    told = [reading.unjudged[0].place if reading else None for reading in readings]
    assert [place.path if place else None for place in told] == [unit if unit != UNITS[7] else None for unit in units]
    assert len({place.line for place in told if place}) == processes


def test_few_units_are_read_here() -> None:
    readings = read_side_by_side(read, UNITS[: FEWEST_UNITS - 1], 3)
    assert {reading.unjudged[0].place.line for reading in readings if reading} == {os.getpid()}


@pytest.mark.parametrize("unit", UNITS[:2], ids=["here", "in another process"])
def test_what_a_reader_raises_is_raised(unit: str) -> None:
    def refuse(asked: str) -> Reading:
        if asked == unit:
            raise UsageError("odd")
        return Reading()

    with pytest.raises(UsageError, match="odd"):
        read_side_by_side(refuse, UNITS, 2)


def test_a_process_that_is_lost_ends_the_run() -> None:
    here = os.getpid()

    def killed(unit: str) -> Reading:
        if os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)
        return Reading()

    with pytest.raises(UsageError, match="ended early"):
        read_side_by_side(killed, UNITS, 2)


def test_the_command_says_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(2 * FEWEST_UNITS):
        policy = "AdministratorAccess" if number % 3 else "ReadOnlyAccess"
        (tmp_path / f"root-{number}").mkdir()
        (tmp_path / f"root-{number}/main.tf").write_text(
            f'# AdministratorAccess\nresource "aws_iam_role_policy_attachment" "x" {{\n  role = "ops"\n'
            f'  policy_arn = "arn:aws:iam::aws:policy/{policy}"\n}}\n'
        )
        (tmp_path / f"stack-{number}.yaml").write_text(
            "Resources:\n  Role:\n    Type: AWS::IAM::Role\n    Properties:\n"
            f"      ManagedPolicyArns: [arn:aws:iam::aws:policy/{policy}] # AdministratorAccess\n"
        )
    (tmp_path / "mentions.json").write_text('{"Policy": "AdministratorAccess", "Resources": "AWS::IAM::Role"}')
    monkeypatch.chdir(tmp_path)
    reports = []
    for jobs in ("1", "3"):
        assert main(["check", "--jobs", jobs, "--output", "json"]) == 1
        report = json.loads(capsys.readouterr().out)
        del report["summary"]["seconds"]
        reports.append(report)
    assert reports[0] == reports[1]
    assert reports[0]["summary"]["violations"] == 2 * len([n for n in range(2 * FEWEST_UNITS) if n % 3])


def test_a_number_of_processes_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    for wrong in ("0", "-1", "many", "1.5"):
        with pytest.raises(SystemExit) as ended:
            main(["check", f"--jobs={wrong}"])
        assert ended.value.code == 2
        assert "is not a number of processes (expected 1 to 999)" in capsys.readouterr().err


CHECKS = PROJECT / "checks"
LOOKED_AFTER = """
import os, sys, time
sys.path.insert(0, sys.argv[1])
from unapproved_iam.scan.side_by_side import read_side_by_side
here = os.getpid()
def read(unit):
    open(f"{os.getpid()}.worker", "w").close()
    time.sleep(float(sys.argv[2]) if os.getpid() != here else 60)
read_side_by_side(read, [str(number) for number in range(1000)], 3)
"""


@pytest.mark.parametrize(
    ("number", "seconds"),
    [(signal.SIGTERM, "60"), (signal.SIGHUP, "60"), (signal.SIGKILL, "0.1")],
    ids=["asked to end", "its terminal closed", "killed"],
)
def test_no_process_outlives_the_run(number: int, seconds: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", LOOKED_AFTER, str(CHECKS), seconds]
    with subprocess.Popen(command, cwd=tmp_path, start_new_session=True) as run:
        wait_for(lambda: len(list(tmp_path.glob("*.worker"))) == 3)
        run.send_signal(number)
    assert run.returncode == -number
    workers = [int(path.stem) for path in tmp_path.glob("*.worker")]
    wait_for(lambda: not any(map(is_running, workers)))


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)
