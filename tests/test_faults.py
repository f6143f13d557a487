"""Whatever breaks ends with the right answer or with exit code 2 and the cause: the rows of docs/faults.md.

Each row is a repository with a fault in it and a real run of the command there. The page and the rows are held together
by the tests at the end: every row is on the page with its answer, and every test that the page names exists.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

import pytest
from project_files import PROJECT, table

CHECKS = PROJECT / "checks"
PAGE = PROJECT / "docs/faults.md"
HANGS = 300  # seconds after which a run is taken for one that never ends

LIST = "unapproved-iam-policies.yaml"
ADMIN = '"arn:aws:iam::aws:policy/AdministratorAccess"'
DENIED = f"""resource "aws_iam_role_policy_attachment" "fail" {{
  role       = "ops"
  policy_arn = {ADMIN}
}}
"""
BINARY_PLAN = b"PK\x03\x04" + b"\0" * 20 + b"tfplan"
UTF_16 = DENIED.encode("utf-16")
FOUND = "AdministratorAccess must not be attached to role/"
TEMPLATE = f"""Resources:
  FailRole:
    Type: AWS::IAM::Role
    Properties:
      ManagedPolicyArns: [{ADMIN}]
"""
APPROVED = """version: 1
deny: [AdministratorAccess]
approve:
  - {policy: AdministratorAccess, attached_to: role/ops, reason: drill, expires: DAY}
"""
MANY = 10_000
DEEP = "[" * MANY + "]" * MANY
BOMB = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))

Make = Callable[[Path], object]


def files(contents: Mapping[str, str | bytes]) -> Make:
    def make(repository: Path) -> None:
        for name, content in contents.items():
            path = os.path.join(os.fsencode(repository), os.fsencode(name))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(content if isinstance(content, bytes) else content.encode())

    return make


def link(name: str, target: str) -> Make:
    return lambda repository: (repository / name).symlink_to(target)


def pipe(name: str) -> Make:
    return lambda repository: os.mkfifo(repository / name)


def socket_file(name: str) -> Make:
    def make(repository: Path) -> None:
        here = os.getcwd()
        os.chdir(repository)  # the path of a socket must be short
        with socket.socket(socket.AF_UNIX) as unbound:
            unbound.bind(name)
        os.chdir(here)

    return make


def sparse(name: str, beginning: str) -> Make:
    def make(repository: Path) -> None:
        with open(repository / name, "wb") as file:
            file.write(beginning.encode())
            file.truncate(200 << 20)

    return make


def program(name: str, script: str) -> Make:
    def make(repository: Path) -> None:
        path = repository / "bin" / name
        path.parent.mkdir()
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    return make


class Fault(NamedTuple):
    code: int
    sentence: str  # in what is printed
    make: tuple[Make, ...]
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = {}


def closed(name: str) -> Make:
    return lambda repository: (repository / name).chmod(0)


SOURCE = files({"main.tf": DENIED})
CALLS_ITSELF = files({"main.tf": 'module "m" {\n  source = "./m"\n}\n' + DENIED})
READS = 'resource "aws_iam_role_policy_attachment" "x" {{\n  role = "ops"\n  policy_arn = file("{}")\n}}\n'
REFUSES = "echo \"fatal: detected dubious ownership in repository at '/x'\" >&2; exit 128"
NO_LIBRARY = "raise ModuleNotFoundError(\"No module named 'yaml'\", name='yaml')\n"

FAULTS = {
    # the deny list
    "list-is-a-pipe": Fault(2, f"{LIST}: is not a regular file (expected a deny list)", (SOURCE, pipe(LIST))),
    "list-is-a-device": Fault(2, f"{LIST}: is outside the repository", (SOURCE, link(LIST, "/dev/zero"))),
    "list-links-to-itself": Fault(2, f"{LIST}: cannot be read: Too many levels", (SOURCE, link(LIST, LIST))),
    "list-named-is-endless": Fault(
        2, "/dev/zero: is too large (expected at most 4 MiB)", (SOURCE,), ("--deny-list", "/dev/zero")
    ),
    "list-is-closed": Fault(
        2, f"{LIST}: cannot be read: Permission denied", (SOURCE, files({LIST: "version: 1"}), closed(LIST))
    ),
    "list-is-huge": Fault(2, f"{LIST}: is too large", (SOURCE, sparse(LIST, "version: 1\ndeny: [X]\n"))),
    "list-is-deep": Fault(2, f"{LIST}:1: is nested too deeply", (SOURCE, files({LIST: DEEP}))),
    "list-is-a-bomb": Fault(
        2,
        f"{LIST}:3: has an alias *a0 that does not stand for a single value",
        (SOURCE, files({LIST: f"version: 1\n{BOMB}deny: *a11\n"})),
    ),
    "list-name-steers": Fault(
        2, r"no\x0a\x1b[31m.yaml: cannot be read: No such file", (SOURCE,), ("--deny-list", "no\n\x1b[31m.yaml")
    ),
    "list-error-steers": Fault(
        2,
        r'LIST:3: "no\x0a::error::x" cannot be read: No such file'.replace("LIST", LIST),
        (SOURCE, files({LIST: 'version: 1\ndeny: [AdministratorAccess]\nextends: ["no\\n::error::x"]\n'})),
    ),
    "argument-steers": Fault(2, r"\x3a:error::x: no such file or directory", (SOURCE,), ("::error::x",)),
    # arguments
    "file-argument-is-a-pipe": Fault(
        2, "a.yaml: is neither a regular file nor a directory", (SOURCE, pipe("a.yaml")), ("a.yaml",)
    ),
    "plan-is-a-pipe": Fault(2, "--plan plan: is not a regular file", (pipe("plan"),), ("--plan", "plan")),
    "plan-is-a-device": Fault(2, "--plan /dev/zero: is not a regular file", (), ("--plan", "/dev/zero")),
    "plan-is-a-directory": Fault(2, "--plan .: ", (), ("--plan", ".")),
    "var-file-is-a-pipe": Fault(
        2, "--var-file a.tfvars: is not a regular file", (SOURCE, pipe("a.tfvars")), ("--var-file", "a.tfvars")
    ),
    "var-file-is-missing": Fault(
        2, "--var-file a.tfvars: No such file or directory", (SOURCE,), ("--var-file", "a.tfvars")
    ),
    # files
    "source-is-closed": Fault(
        2, "main.tf:1: could not be checked: cannot be read: Permission denied", (SOURCE, closed("main.tf"))
    ),
    "template-is-closed": Fault(
        2,
        "a.yaml:1: could not be checked: cannot be read: Permission denied",
        (files({"a.yaml": TEMPLATE}), closed("a.yaml")),
    ),
    "directory-is-closed": Fault(
        2, "a:1: could not be checked: cannot be listed: Permission denied", (files({"a/main.tf": DENIED}), closed("a"))
    ),
    "pipes-in-the-tree": Fault(1, FOUND, (SOURCE, pipe("a.tf"), pipe("a.yaml"))),
    "socket-in-the-tree": Fault(1, FOUND, (SOURCE, socket_file("a.tf"))),
    "directory-with-a-file-name": Fault(1, FOUND, (SOURCE, lambda repository: (repository / "a.tf").mkdir())),
    "link-to-nowhere": Fault(1, FOUND, (SOURCE, link("a.tf", "nowhere"))),
    "link-to-itself": Fault(1, FOUND, (SOURCE, link("a.tf", "a.tf"))),
    "link-to-itself-beside-a-file": Fault(1, FOUND, (SOURCE, link("z.tf", "z.tf")), ("main.tf",)),
    "link-to-the-directory-above": Fault(1, FOUND, (SOURCE, link("loop", "."))),
    "link-to-itself-called": Fault(
        2, 'module directory "./m" holds no configuration, or is not there', (CALLS_ITSELF, link("m", "m"))
    ),
    "text-of-a-pipe": Fault(0, "clean: ", (files({"main.tf": READS.format("a.txt")}), pipe("a.txt"))),
    "text-of-a-device": Fault(0, "clean: ", (files({"main.tf": READS.format("/dev/zero")}),)),
    "name-with-anything": Fault(1, r"""a\udcff\n'"\u202e.tf:3: """, (files({"a\udcff\n'\"\u202e.tf": DENIED}),)),
    "path-is-long": Fault(1, FOUND, (files({"/".join(["d" * 100] * 15) + "/main.tf": DENIED}),)),
    "terraform-is-huge": Fault(2, "big.tf:5: could not be checked: unexpected", (sparse("big.tf", DENIED),)),
    "template-is-huge": Fault(
        2, "big.yaml:1: could not be checked: is larger than 16", (sparse("big.yaml", TEMPLATE),)
    ),
    "terraform-is-deep": Fault(
        2,
        "main.tf:2: could not be checked: brackets are nested more than 100",
        (files({"main.tf": DENIED.replace('"ops"', DEEP)}),),
    ),
    "terraform-blocks-are-deep": Fault(
        2,
        "deep.tf:105: could not be checked: brackets are nested more than 100",
        (files({"deep.tf": DENIED + "a {\n" * MANY + "}\n" * MANY}),),
    ),
    "terraform-templates-are-deep": Fault(
        2,
        "main.tf:2: could not be checked: brackets are nested more than 100",
        (files({"main.tf": DENIED.replace('"ops"', '"${' * MANY + "1" + '}"' * MANY)}),),
    ),
    "terraform-json-is-deep": Fault(
        2,
        "main.tf.json:1: could not be checked: brackets are nested too deeply",
        (
            files(
                {
                    "main.tf.json": f'{{"resource": {{"aws_iam_role_policy_attachment": {{"x":'
                    f' {{"policy_arn": {ADMIN}, "role": {DEEP}}}}}}}}}'
                }
            ),
        ),
    ),
    "template-json-is-deep": Fault(
        2,
        "a.json:1: could not be checked: cannot be read as a template: nested deeper than 200",
        (
            files(
                {
                    "a.json": f'{{"Resources": {{"X": {{"Type": "AWS::IAM::Role", "Properties":'
                    f' {{"ManagedPolicyArns": [{ADMIN}], "Path": {DEEP}}}}}}}}}'
                }
            ),
        ),
    ),
    "template-yaml-is-deep": Fault(
        2,
        "a.yaml:6: could not be checked: cannot be read as a template: nested deeper than 200",
        (files({"a.yaml": f"{TEMPLATE}      Path: {DEEP}\n"}),),
    ),
    "plan-is-deep": Fault(
        2,
        "plan.json:1: could not be checked: the plan is nested too deeply",
        (
            files(
                {
                    "plan.json": '{"planned_values": {"root_module": {"resources": ['
                    '{"type": "aws_iam_role_policy_attachment",'
                    f' "values": {{"policy_arn": {ADMIN}, "role": {DEEP}}}}}]}}}}'
                }
            ),
        ),
    ),
    "template-with-a-bomb": Fault(1, f"{FOUND}FailRole", (files({"a.yaml": f"{BOMB}{TEMPLATE}      Path: *a11\n"}),)),
    "template-attaches-a-bomb": Fault(
        2,
        "FailRole has more possible values than can be followed",
        (files({"a.yaml": f"# AdministratorAccess\n{BOMB}{TEMPLATE.replace(f'[{ADMIN}]', '*a11')}"}),),
    ),
    "string-never-closed": Fault(
        2,
        "main.tf:5: could not be checked: this string is never closed",
        (files({"main.tf": DENIED + 'x = "${' + "a" * 200_000 + '"\n'}),),
    ),
    "heredocs-never-closed": Fault(
        2,
        "main.tf:5: could not be checked: this heredoc is never closed",
        (files({"main.tf": DENIED + "x = [" + "<<EOT\n" * 20_000}),),
    ),
    "operators-side-by-side": Fault(
        2,
        "main.tf:2: could not be checked: this expression has more than 1000 operators",
        (files({"main.tf": DENIED.replace('"ops"', " + ".join(["1"] * MANY))}),),
    ),
    "binary-in-terraform": Fault(
        2, "main.tf:5: could not be checked: unexpected", (files({"main.tf": DENIED + "\0"}),)
    ),
    "utf-16-in-terraform": Fault(1, FOUND, (files({"main.tf": UTF_16}),)),
    "utf-16-in-terraform-without-a-mark": Fault(1, FOUND, (files({"main.tf": UTF_16[2:]}),)),
    "file-of-the-kernel": Fault(
        2, "a.yaml:1: could not be checked: cannot be read", (SOURCE, link("a.yaml", "/proc/self/mem"))
    ),
    "state-file": Fault(
        2,
        "a.json: is a state file, which does not say what will be attached (write the plan with",
        (files({"a.json": '{"version": 4, "terraform_version": "1.11.0", "lineage": "x", "resources": []}'}),),
        ("a.json",),
    ),
    "plan-file": Fault(
        2, "tfplan: is a plan file, not its JSON (write the plan with", (files({"tfplan": BINARY_PLAN}),), ("tfplan",)
    ),
    "log-of-a-plan": Fault(
        2,
        "log.json: is the log that",
        (files({"log.json": '{"@level":"info","@module":"terraform.ui","type":"version"}\n'}),),
        ("log.json",),
    ),
    "latin-1-in-a-template": Fault(
        1, FOUND, (files({"a.yaml": TEMPLATE.replace("FailRole", "F\xfcr").encode("latin-1")}),)
    ),
    # the environment
    "no-home": Fault(1, FOUND, (SOURCE,), (), {"HOME": "/proc/none", "XDG_CACHE_HOME": "/proc/none"}),
    "output-file-is-a-directory": Fault(2, "--output-file .: Is a directory", (SOURCE,), ("--output-file", ".")),
    "output-file-disk-full": Fault(
        2, "--output-file /dev/full: No space left", (SOURCE,), ("--output-file", "/dev/full")
    ),
    # git
    "no-git": Fault(1, FOUND, (SOURCE, files({".gitignore": "x/\n"})), (), {"PATH": "/nonexistent"}),
    "git-fails": Fault(1, FOUND, (SOURCE, program("git", "exit 128")), (), {"PATH": "bin"}),
    "repository-of-somebody-else": Fault(
        1,
        "what git ignores is checked, too: git refuses",
        (SOURCE, program("git", REFUSES)),
        (),
        {"PATH": "bin"},
    ),
    "repository-of-somebody-else-for-changes": Fault(
        2,
        "which somebody else owns (git config --global --add safe.directory",
        (SOURCE, program("git", REFUSES)),
        ("--changed-since", "HEAD"),
        {"PATH": "bin"},
    ),
    "no-git-for-changes": Fault(
        2, "--changed-since: git is not on PATH", (SOURCE,), ("--changed-since", "HEAD"), {"PATH": "/nonexistent"}
    ),
    "git-fails-for-changes": Fault(
        2,
        "--changed-since HEAD: git failed",
        (SOURCE, program("git", "exit 128")),
        ("--changed-since", "HEAD"),
        {"PATH": "bin"},
    ),
    # the engine
    "library-is-missing": Fault(
        2,
        "unapproved-iam check needs the Python module yaml",
        (SOURCE, files({LIST: "version: 1\nuse: [aws-admin]\n", "path/yaml.py": NO_LIBRARY})),
        (),
        {"PYTHONPATH": "path"},
    ),
    "another-engine-on-the-path": Fault(
        2,
        "shadows the engine in",
        (SOURCE, files({"path/unapproved_iam/__init__.py": "", "path/unapproved_iam/commands/command_line.py": ""})),
        (),
        {"PYTHONPATH": "path"},
    ),
}


# For root no file is closed, unless it gives that privilege away.
SETPRIV = shutil.which("setpriv") if sys.platform != "win32" and os.geteuid() == 0 else None
CLOSED_FOR_ROOT = [SETPRIV, "--bounding-set=-dac_override,-dac_read_search", "--"] if SETPRIV else []


def check(repository: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CLOSED_FOR_ROOT, sys.executable, str(CHECKS), "check", *arguments],
        cwd=repository,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=HANGS,
    )


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    return tmp_path


@pytest.mark.skipif(sys.platform == "win32", reason="pipes, sockets and devices are made the POSIX way")
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_fault(fault: Fault, repository: Path) -> None:
    for make in fault.make:
        make(repository)
    result = check(repository, *fault.arguments, **fault.environment)
    printed = result.stdout + result.stderr
    assert fault.sentence in printed
    assert result.returncode == fault.code, printed
    assert "Traceback" not in printed
    assert "bug in" not in printed


# -- what takes more than a file and an argument -----------------------------------------------------------------------


@pytest.mark.parametrize("zone", ["UTC0", "EAST-14", "WEST12"])
def test_the_last_day_ends_in_utc(repository: Path, zone: str) -> None:
    """14 hours east of UTC and 12 west of it, at any hour one of the two has another day."""
    files({"main.tf": DENIED})(repository)
    for days, code, said in ((0, 0, "1 approved"), (-1, 1, "expired on")):
        today = None
        while today != datetime.now(timezone.utc).date():  # again, should midnight have passed meanwhile
            today = datetime.now(timezone.utc).date()
            (repository / LIST).write_text(APPROVED.replace("DAY", str(today + timedelta(days=days))))
            result = check(repository, TZ=zone)
        assert (result.returncode, said in result.stdout) == (code, True), result.stdout


@pytest.mark.parametrize("source", [DENIED, ""], ids=["denied", "clean"])
def test_standard_output_is_closed(repository: Path, source: str) -> None:
    files({"main.tf": source})(repository)
    command = [sys.executable, str(CHECKS), "check"]
    result = subprocess.run(["sh", "-c", '"$@" >&-', "sh", *command], cwd=repository, stderr=subprocess.PIPE, text=True)
    assert result.returncode == 2
    assert result.stderr == "standard output is closed (expected somewhere to write the answer)\n"


@pytest.mark.parametrize("buffering", [{}, {"PYTHONUNBUFFERED": "1"}], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize(
    "command",
    [
        "check",
        "check --help",
        "list",
        "list --output json",
        "explain AdministratorAccess",
        "approvals",
        "schema",
        "checks-dir",
        "audit --help",
        "--help",
        "--version",
    ],
)
def test_standard_output_is_full(repository: Path, command: str, buffering: dict[str, str]) -> None:
    files({"main.tf": DENIED})(repository)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"} | buffering
    with open("/dev/full", "w") as full:
        result = subprocess.run(
            [sys.executable, str(CHECKS), *command.split()],
            cwd=repository,
            env=environment,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert (result.returncode, result.stderr) == (2, "No space left on device\n")


def test_the_working_directory_is_gone(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    script = f'rmdir "$PWD"; exec "{sys.executable}" "{CHECKS}" check'
    result = subprocess.run(["sh", "-c", script], cwd=gone, capture_output=True, text=True)
    assert result.returncode == 2
    assert result.stderr == "the working directory has been deleted (expected one that exists)\n"


def test_what_an_extra_brings_is_missing(tmp_path: Path) -> None:
    """Telling of the arguments needs nothing of it, and nobody is sent to a registry."""
    (tmp_path / "boto3.py").write_text("raise ModuleNotFoundError(name='boto3')")
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}

    def audit(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(CHECKS), "audit", *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)

    assert audit("--help").returncode == 0
    assert audit().returncode == 2
    assert audit().stderr == (
        "unapproved-iam audit needs the Python module boto3"
        " (pip install 'checkov-unapproved-iam[aws] @ git+REPOSITORY',"
        " with the URL of this project's repository as REPOSITORY)\n"
    )


def test_a_killed_run_leaves_the_last_report(repository: Path) -> None:
    """Killed while it waits for git, the last thing before it judges."""
    files({"main.tf": DENIED, "report.json": "the last one"})(repository)
    program("git", "echo > waiting; exec sleep 60")(repository)
    path = os.pathsep.join([str(repository / "bin"), os.environ["PATH"]])
    command = [sys.executable, str(CHECKS), "check", "--output", "json", "--output-file", "report.json"]
    # The run and its git are one group, so that nothing is left behind.
    with subprocess.Popen(
        command, cwd=repository, env=os.environ | {"PATH": path}, start_new_session=True, stdout=subprocess.PIPE
    ) as run:
        while run.poll() is None and not (repository / "waiting").exists():
            time.sleep(0.01)
        os.killpg(run.pid, signal.SIGKILL)
        assert run.stdout is not None
        assert run.stdout.read() == b""
    assert run.returncode == -signal.SIGKILL
    assert (repository / "report.json").read_text() == "the last one"
    assert {path.name for path in repository.iterdir()} == {".git", "bin", "main.tf", "report.json", "waiting"}


# -- the page ----------------------------------------------------------------------------------------------------------

SECTIONS = ("deny list", "arguments", "files", "environment", "git", "engine", "checkov")
ROWS = [row for section in SECTIONS for row in table(PAGE, f"| {section} |")]
REFERENCE = re.compile(r"(tests/(?:\w+/)*\w+\.py)::(\w+)(?:\[([^\]]+)\])?")


def _tests_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_test_that_the_page_names_exists() -> None:
    references = REFERENCE.findall(PAGE.read_text())
    assert len(references) >= len(ROWS)
    known = {path: _tests_in(PROJECT / path) for path, _, _ in references}
    assert [f"{path}::{name}" for path, name, _ in references if name not in known[path]] == []


def test_every_symptom_is_in_a_message() -> None:
    sources = "".join(path.read_text() for path in CHECKS.rglob("*.py"))
    symptoms = re.findall(r"^\| `([^`]+)`", PAGE.read_text().partition("## Limits")[0], re.MULTILINE)
    assert len(symptoms) > 10
    assert [symptom for symptom in symptoms if symptom not in sources] == []


def test_every_row_is_on_the_page_with_its_answer() -> None:
    on_page = {}
    for _, code, sentence, test in ROWS:
        (reference,) = REFERENCE.findall(test)
        if reference[:2] == ("tests/test_faults.py", "test_fault"):
            on_page[reference[2]] = (int(code), sentence)
    assert on_page == {name: (fault.code, _shown(fault.sentence)) for name, fault in FAULTS.items()}


def _shown(sentence: str) -> str:
    return f"{sentence.strip().replace(str(LIST), 'LIST')} …"
