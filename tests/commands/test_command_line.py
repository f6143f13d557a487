"""The command itself: help, version, misspelt words, completion in a shell, and progress at a terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from project_files import PROJECT
from unapproved_iam.commands.command_line import SUBCOMMANDS, main
from unapproved_iam.program import version

COMMAND = [sys.executable, str(PROJECT / "checks")]


def run(*arguments: str, directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], cwd=directory, capture_output=True, text=True)


@pytest.mark.parametrize("arguments", [[], ["help"], ["--help"], ["-h"]], ids=str)
def test_help_names_every_subcommand(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    for name, subcommand in SUBCOMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(subcommand.summary)}$", printed, re.M)
    assert "exit codes: 0 clean, 1 violation, 2 " in printed


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_help_of_a_subcommand_is_its_own(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown = []
    for arguments in (["help", name], [name, "--help"]):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 0
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1]
    assert SUBCOMMANDS[name].summary in " ".join(shown[0].split())


@pytest.mark.parametrize("argument", ["version", "--version", "-V"])
def test_version(argument: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([argument]) == 0
    assert capsys.readouterr().out == f"unapproved-iam {version()}\n"


MISSPELT = [
    (["chek", "."], "unknown subcommand 'chek' (did you mean `unapproved-iam check .`? "),
    (["help", "aproval"], "unknown subcommand 'aproval' (did you mean `unapproved-iam help approvals`? "),
    (["scan", "."], "(did you mean `unapproved-iam check .`? "),
    (["exception"], "(did you mean `unapproved-iam approvals`? "),
    (["schem"], "(did you mean `unapproved-iam schema`? "),
    (["schooner"], "unknown subcommand 'schooner' (unapproved-iam help lists them)"),
    (["--zzz"], "unknown subcommand '--zzz' (unapproved-iam help lists them)"),
    (["check", "--format", "json"], "unrecognized arguments: --format; did you mean --output? see "),
    (["init", "--format", "json"], "unrecognized arguments: --format json; see unapproved-iam init --help"),
    (["main.tf"], "unknown subcommand 'main.tf' (did you mean `unapproved-iam check main.tf`? "),
    (["--output", "json"], "unknown subcommand '--output' (did you mean `unapproved-iam check --output json`? "),
    (["zzz"], "unknown subcommand 'zzz' (unapproved-iam help lists them)"),
    (["check", "--ouput", "json"], "unrecognized arguments: --ouput; did you mean --output? see "),
    (["check", "--ouput=json"], "unrecognized arguments: --ouput=json; did you mean --output? see "),
    (["check", "-o", "jsn"], "; did you mean json? see unapproved-iam check --help"),
    (["list", "--built-in", "admin"], "; did you mean aws-admin? see unapproved-iam list --help"),
    (["check", "--zzz"], "unrecognized arguments: --zzz; see unapproved-iam check --help"),
]


@pytest.mark.parametrize(("arguments", "answer"), MISSPELT, ids=lambda value: str(value)[:40])
def test_misspelt_words(arguments: list[str], answer: str, tmp_path: Path) -> None:
    (tmp_path / "main.tf").touch()
    result = run(*arguments, directory=tmp_path)
    assert result.returncode == 2
    assert answer in result.stderr
    assert (result.stdout, len(result.stderr.splitlines())) == ("", 1)


COMPLETED = [
    ("unapproved-iam app", "approvals"),
    ("unapproved-iam check --changed", "--changed-since"),
    ("unapproved-iam check --output sa", "sarif"),
    ("unapproved-iam init --use aws-cred", "aws-credentials-exposure"),
    ("unapproved-iam help expl", "explain"),
]


@pytest.mark.parametrize(("line", "completed"), COMPLETED, ids=[line for line, _ in COMPLETED])
def test_bash_completes(line: str, completed: str, tmp_path: Path) -> None:
    (tmp_path / "script").write_text(run("completion", "bash", directory=tmp_path).stdout)
    ask = f"source ./script; COMP_WORDS=({line}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); "
    ask += 'function=$(complete -p unapproved-iam | sed "s/.*-F //; s/ .*//"); $function; echo "${COMPREPLY[@]}"'
    answer = subprocess.run(["bash", "-c", ask], cwd=tmp_path, capture_output=True, text=True).stdout
    assert answer.split() == [completed]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_for_each_shell(shell: str, tmp_path: Path) -> None:
    result = run("completion", shell, directory=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert all(name in result.stdout for name in SUBCOMMANDS)


SLOW = """
import sys, time
from unapproved_iam.commands import progress
progress.PATIENCE = 0.1
units = []
for unit in progress.watched([str(number) for number in range(8)]):
    time.sleep(0.05 if sys.argv[1] == "slow" else 0)
    units.append(unit)
assert units == [str(number) for number in range(8)]
print("tqdm" in sys.modules)
"""


@pytest.mark.parametrize(
    ("speed", "terminal", "shown"), [("slow", True, True), ("slow", False, False), ("", True, False)]
)
def test_progress_is_for_people_who_wait(speed: str, terminal: bool, shown: bool) -> None:
    command = [sys.executable, "-c", SLOW, speed]
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    os.set_blocking(ours, False)
    environment = os.environ | {"PYTHONPATH": str(PROJECT / "checks")}
    result = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=theirs if terminal else subprocess.PIPE, env=environment, text=True
    )
    printed = os.read(ours, 65536).decode() if shown else ""
    os.close(theirs)
    os.close(ours)
    assert result.returncode == 0
    assert result.stdout.strip() == str(shown)
    assert ("reading" in printed) is shown
