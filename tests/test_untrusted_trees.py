"""A tree from a stranger runs nothing, reaches no network, is read within its rule and steers no terminal and no log.

Shown with Python's own audit events, which tell of every file that is opened, every process, socket and import. What
docs/security-model.md claims is shown here or in the tests that it names.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import NamedTuple

import pytest
from project_files import PROJECT

CHECKS = PROJECT / "checks"
PAGE = PROJECT / "docs/security-model.md"

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
ATTACHED = 'resource "aws_iam_role_policy_attachment" "{}" {{\n  role       = "ops"\n  policy_arn = {}\n}}\n'
SECRET = "arn:aws:iam::aws:policy/AdministratorAccess/secret-of-the-machine"

# Runs the command in a process that tells of what it does: `[event, first argument]`, one a line.
LAUNCHER = """
import json, os, runpy, sys
told = open(sys.argv[1], "w")
TOLD = ("open", "subprocess.Popen", "import", "exec", "pty.spawn", "ctypes.dlopen")
def hook(event, arguments):
    if event in TOLD or event.startswith(("os.exec", "os.spawn", "os.posix_spawn", "os.system", "os.fork", "socket.")):
        first = arguments[0] if arguments else None
        first = getattr(first, "co_filename", first)
        path = os.fsdecode(first) if isinstance(first, (str, bytes, os.PathLike)) else None
        if event == "open" and path is not None:
            path = os.path.realpath(path)
        told.write(json.dumps([event, path]) + chr(10))
        told.flush()
checks, sys.argv = sys.argv[2], sys.argv[2:]
sys.path[0] = checks
sys.addaudithook(hook)
runpy.run_path(os.path.join(checks, "__main__.py"), run_name="__main__")
"""


class Watched(NamedTuple):
    result: subprocess.CompletedProcess[str]
    events: list[tuple[str, str | None]]

    def of(self, *kinds: str) -> set[str | None]:
        return {argument for event, argument in self.events if event.startswith(kinds)}


def watched(directory: Path, cwd: Path, *arguments: str) -> Watched:
    launcher, told = directory / "launcher.py", directory / "told"
    launcher.write_text(LAUNCHER)
    result = subprocess.run(
        [sys.executable, str(launcher), str(told), str(CHECKS), *arguments],
        cwd=cwd,
        env=os.environ | {"XDG_CACHE_HOME": str(directory / "cache")},
        capture_output=True,
        encoding="utf-8",
    )
    events = [json.loads(line) for line in told.read_text().splitlines()]
    return Watched(result, [(event, argument) for event, argument in events])


RUNS = "open('ran', 'a').write(__file__)\n"
HOSTILE = {
    "main.tf": ATTACHED.format("fail_here", f'"{ADMIN}"')
    + "".join(
        ATTACHED.format(f"read_{number}", value)
        for number, value in enumerate(
            (
                'file("../outside/secret.txt")',
                'file("${path.module}/../outside/secret.txt")',
                'file("link.txt")',
                'file("OUTSIDE/secret.txt")',
                'templatefile("../outside/secret.txt", {})',
                'jsondecode(file("../outside/secret.txt")).x',
                'join("", fileset("../outside", "*"))',
                'join("", fileset(".", "OUTSIDE/*"))',
                'file("~/.aws/credentials")',
                'file("/etc/passwd")',
                "data.external.run.result.arn",
                "data.http.get.response_body",
            )
        )
    )
    + 'data "external" "run" {\n  program = ["sh", "-c", "echo > ran"]\n}\n'
    + 'data "http" "get" {\n  url = "http://127.0.0.1:9/"\n}\n'
    + 'resource "terraform_data" "x" {\n  provisioner "local-exec" {\n    command = "echo > ran"\n  }\n}\n'
    + f'module "fail_remote" {{\n  source = "git::http://127.0.0.1:9/x.git"\n  policy = "{ADMIN}"\n}}\n',
    # Nothing in here names a policy: whether one may be meant is looked for in what is read.
    "reads/main.tf": ATTACHED.format("read", 'file("../outside/secret.txt")')
    + ATTACHED.format("read_too", 'file("OUTSIDE/secret.txt")'),
    "stack.yaml": f"""Resources:
  FailRole:
    Type: AWS::IAM::Role
    Properties:
      ManagedPolicyArns:
        - {ADMIN}
        - Fn::Transform: {{Name: AWS::Include, Parameters: {{Location: http://127.0.0.1:9/x}}}}
  Remote:
    Type: AWS::CloudFormation::Stack
    Properties: {{TemplateURL: http://127.0.0.1:9/x.yaml}}
  Odd: !!python/object/apply:os.system ["echo > ran"]
""",
    "unapproved-iam-policies.yaml": "version: 1\nuse: [aws-admin]\n",
    **{f"{name}.py": RUNS for name in ("sitecustomize", "json", "yaml", "lark", "hcl2", "re", "unapproved_iam")},
    "unapproved_iam/__init__.py": RUNS,
    "unapproved_iam/commands/command_line.py": RUNS,
    "checks/__main__.py": RUNS,
    ".terraformrc": "provider_installation {\n  direct {}\n}\n",
}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Watched]:
    """A repository with all that a stranger could put there, and what the command does in it."""
    directory = tmp_path_factory.mktemp("hostile")
    tree, outside = directory / "tree", directory / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text(SECRET)
    for name, text in HOSTILE.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text.replace("OUTSIDE", str(outside)))
    (tree / "link.txt").symlink_to(outside / "secret.txt")
    (tree / "directory").symlink_to(outside)
    subprocess.run(["git", "init", "--quiet", str(tree)], check=True)
    for key, value in (("core.fsmonitor", "echo > ran"), ("core.hooksPath", "hooks"), ("core.pager", "echo > ran")):
        subprocess.run(["git", "-C", str(tree), "config", key, value], check=True)
    return tree, watched(directory, tree, "check", "--no-screen", "--verbose")


def test_it_judges_a_hostile_tree(hostile: tuple[Path, Watched]) -> None:
    """Otherwise the tests below would prove nothing."""
    result = hostile[1].result
    assert result.returncode in (1, 2), result.stderr
    for resource in ("aws_iam_role_policy_attachment.fail_here", "module.fail_remote", "FailRole"):
        assert f"resource  {resource} " in result.stdout


def test_a_tree_runs_nothing(hostile: tuple[Path, Watched]) -> None:
    tree, run = hostile
    assert list(tree.rglob("ran")) == []
    assert run.of("subprocess.Popen") == {"git"}
    assert run.of("os.exec", "os.posix_spawn", "os.spawn", "os.system", "pty.", "ctypes.") <= {
        "git",
        *(os.path.join(directory, "git") for directory in os.environ["PATH"].split(os.pathsep)),
    }
    assert [path for path in run.of("exec") if path and path.startswith(str(tree))] == []


def test_a_tree_reaches_no_network(hostile: tuple[Path, Watched]) -> None:
    assert hostile[1].of("socket.") == set()


def test_a_tree_is_read_within_its_root(hostile: tuple[Path, Watched]) -> None:
    tree, run = hostile
    python = [sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    allowed = [
        os.path.realpath(str(path))
        for path in (
            *python,
            sys.prefix,
            sys.base_prefix,
            CHECKS,
            tree,
            tree.parent / "launcher.py",
            os.devnull,
        )
    ]
    opened = {path for path in run.of("open") if path and os.path.isabs(path)}
    assert str(tree / "main.tf") in opened
    outside = [path for path in opened if not any(path == one or path.startswith(one + os.sep) for one in allowed)]
    harmless = re.compile(r"/(?:proc/self/|etc/localtime|usr/share/zoneinfo|usr/lib/(?:locale|ssl))|.*/pyvenv\.cfg$")
    assert [path for path in outside if not harmless.match(path)] == []
    assert "secret-of-the-machine" not in run.result.stdout + run.result.stderr


# -- what is read outside of the root: local modules, nested templates and links, as the tools that deploy do ----------


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A directory beside a repository."""
    (tmp_path / "tree/.git").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    return tmp_path / "outside"


def test_what_a_deployment_would_read_outside_of_the_root_is_judged(outside: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (outside / "main.tf").write_text(ATTACHED.format("fail_module", f'"{ADMIN}"'))
    (outside / "nested.yaml").write_text(
        f"Resources:\n  FailNested: {{Type: AWS::IAM::Role, Properties: {{ManagedPolicyArns: ['{ADMIN}']}}}}\n"
    )
    (outside / "linked").write_text(ATTACHED.format("fail_linked", f'"{ADMIN}"'))
    (tree / "main.tf").write_text('module "outside" {\n  source = "../outside"\n}\n')
    (tree / "linked.tf").symlink_to("../outside/linked")
    (tree / "stack.yaml").write_text(
        "# AdministratorAccess\nResources:\n  Stack:\n    Type: AWS::CloudFormation::Stack\n"
        "    Properties: {TemplateURL: ../outside/nested.yaml}\n"
    )
    result = subprocess.run(
        [sys.executable, str(CHECKS), "check", "--output", "json", "tree"], cwd=tmp_path, capture_output=True
    )
    resources = {one["resource"].rpartition(".")[2] for one in json.loads(result.stdout)["findings"]}
    assert resources == {"fail_module", "fail_linked", "FailNested"}


def test_a_linked_file_that_is_something_else_is_not_quoted(outside: Path, tmp_path: Path) -> None:
    """A link to a stranger's taste: what is no Terraform and no template does not reach the output."""
    (outside / "secret.txt").write_text(f"aws_iam_role_policy_attachment {SECRET}\npassword = hunter2 hunter3\n")
    for name in ("a.tf", "a.tfvars", "a.yaml", "a.json"):
        (tmp_path / "tree" / name).symlink_to("../outside/secret.txt")
    for output in ("cli", "json", "sarif", "github", "gitlab"):
        command = [sys.executable, str(CHECKS), "check", "--no-screen", "--output", output, "tree"]
        result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert "secret-of-the-machine" not in result.stdout + result.stderr
        assert "hunter" not in result.stdout + result.stderr


# -- output ------------------------------------------------------------------------------------------------------------

ESCAPES = "\x1b]0;pwned\x07\x1b[31m"
COMMANDS = (
    "\n::error::pwned",
    "##[set-env name=x]pwned",
    "##vso[task.setvariable variable=x]pwned",
    "\r::set-output::x",
)
STEERING = ESCAPES + "".join(COMMANDS) + "\u202e\x9b31m"
QUOTED = json.dumps(STEERING)  # for JSON, YAML and HCL alike
LISTED = "'::error::pwned ##[set-env name=x]pwned ##vso[task.setvariable variable=x]pwned'"  # more a list refuses


@pytest.fixture(scope="module")
def steering(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every text that a stranger can bring into the output, full of what steers terminals and logs."""
    tree = tmp_path_factory.mktemp("steering")
    (tree / ".git").mkdir()
    name = STEERING.replace("/", "")
    role = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": STEERING, "ManagedPolicyArns": [ADMIN]}}
    legacy = f"arn:aws:iam::123456789012:policy/legacy-{STEERING}"
    texts = {
        f"{name}.yaml": json.dumps({"Resources": {"Fail" + STEERING: role}}),
        "::error::first.yaml": json.dumps({"Resources": {"FailFirst": role}}),
        "named.json": json.dumps({"Resources": {"FailNamed": {**role, "Properties": {"ManagedPolicyArns": [legacy]}}}}),
        "typed.json": json.dumps({"Resources": {"Odd" + STEERING: {"Type": "AWS::IAM::Role", "Properties": [ADMIN]}}}),
        f"{name}/main.tf": f"""resource "aws_iam_role_policy_attachment" "fail" {{
  for_each   = {{ {QUOTED} = "x" }}
  role       = {QUOTED}
  policy_arn = "{ADMIN}"
}}
module "fail_call" {{
  source = {QUOTED}
  policy = "{ADMIN}"
}}
""",
        "broken.tf": f'resource "aws_iam_role" "x" {{ managed_policy_arns = ["{ADMIN}"] }}\n{STEERING}\n',
        "serverless.hcl": f"# AdministratorAccess {STEERING}\n",
        "charts/x.yaml": json.dumps({"Resources": {}}),
        "unapproved-iam-policies.yaml": f"""version: 1
deny:
  - policy: AdministratorAccess
    reason: {LISTED}
    use_instead: [ReadOnlyAccess]
  - arn:aws:iam::*:policy/legacy-*
approve:
  - {{policy: AdministratorAccess, attached_to: role/other, reason: {LISTED}, expires: 2020-01-01}}
exclude:
  - {{path: charts/**, reason: {LISTED}}}
""",
    }
    for path, text in texts.items():
        (tree / path).parent.mkdir(exist_ok=True)
        (tree / path).write_text(text, newline="")
    return tree


@pytest.mark.parametrize("output", ["cli", "github", "json", "sarif", "gitlab"])
@pytest.mark.parametrize("by", ["list", "built-in"])
def test_nothing_steers_terminals_or_logs(steering: Path, output: str, by: str) -> None:
    listed = steering / "unapproved-iam-policies.yaml"
    moved = steering.parent / f"{steering.name}.yaml"
    if by == "built-in":
        listed.rename(moved)
    try:
        result = subprocess.run(
            [sys.executable, str(CHECKS), "check", "--output", output],
            cwd=steering,
            env=os.environ | {"GITHUB_ACTIONS": "true"},
            capture_output=True,
            encoding="utf-8",
        )
    finally:
        if by == "built-in":
            moved.rename(listed)
    assert "pwned" in result.stdout
    assert result.returncode == 2, result.stderr  # broken.tf
    assert_steers_nothing(result.stdout, ours=output in ("cli", "github"))
    assert_steers_nothing(result.stderr, ours=False)


@pytest.mark.parametrize(
    "subcommand", [["list"], ["approvals"], ["explain", "AdministratorAccess"]], ids=lambda a: a[0]
)
def test_no_list_steers_terminals_or_logs(steering: Path, subcommand: list[str]) -> None:
    result = subprocess.run(
        [sys.executable, str(CHECKS), *subcommand], cwd=steering, capture_output=True, encoding="utf-8"
    )
    assert "pwned" in result.stdout + result.stderr
    assert_steers_nothing(result.stdout + result.stderr, ours=False)


OURS = re.compile(r"::(?:error|warning) file=[^:]*,line=\d+,endLine=\d+,title=[^:]*::[^\r\n]*")


def assert_steers_nothing(printed: str, ours: bool) -> None:
    for line in printed.split("\n"):
        assert line.isprintable(), ascii(line)
        if not (ours and OURS.fullmatch(line)):
            assert not re.match(r"\s*::", line), ascii(line)
        assert not re.search(r"##\w*\[", line), ascii(line)


# -- the page ----------------------------------------------------------------------------------------------------------


def test_every_claim_names_tests_that_exist() -> None:
    claims = [
        line for line in PAGE.read_text().splitlines() if line.startswith("| ") and not line.startswith("| claim")
    ]
    for claim in claims:
        named = re.findall(r"(tests/[\w/]+\.py)::(\w+)", claim)
        assert named, claim
        for path, name in named:
            assert f"\ndef {name}(" in (PROJECT / path).read_text(), claim
    assert len(claims) > 10
