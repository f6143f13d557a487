"""Run the CI blocks of the documentation and the action's own steps, as far as they run without their hosts."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from project_files import PROJECT, README, block, blocks, table

pytestmark = pytest.mark.xdist_group("ci")

CI = PROJECT / "docs/ci.md"
BIN = Path(sys.executable).parent
ACTION: dict[str, Any] = yaml.safe_load((PROJECT / "action.yml").read_text())
STEPS: dict[str, dict[str, Any]] = {step["name"]: step for step in ACTION["runs"]["steps"]}
BLOCKS = {sample.file: sample.text for sample in blocks(CI)}
README_WORKFLOW = block(README, "jobs:")

DENIED = block(README, "break_glass")
CLEAN = DENIED.replace("AdministratorAccess", "ReadOnlyAccess")


class Branch(NamedTuple):
    """A repository as CI clones it: the merge commit of a branch that adds one file to a base with a violation."""

    directory: Path
    base: str
    head: str


def git(directory: Path, *arguments: str) -> str:
    command = ["git", "-C", str(directory), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def branch(directory: Path, source: str, depth: int) -> Branch:
    origin, clone = directory / "origin", directory / "clone"
    git(directory, "init", "--quiet", "--initial-branch=main", str(origin))
    for name, text in (("old/main.tf", DENIED), ("new/main.tf", source)):
        (origin / name).parent.mkdir()
        (origin / name).write_text(text)
        git(origin, "add", "--all")
        git(origin, "commit", "--quiet", "--message", name)
        if name == "old/main.tf":
            git(origin, "switch", "--quiet", "--create", "branch")
    head = git(origin, "rev-parse", "branch")
    git(origin, "switch", "--quiet", "main")
    git(origin, "commit", "--quiet", "--allow-empty", "--message=meanwhile")
    base = git(origin, "rev-parse", "main")
    git(origin, "merge", "--quiet", "--no-ff", "--message=merge", "branch")
    git(directory, "clone", "--quiet", f"--depth={depth}", origin.as_uri(), str(clone))
    return Branch(clone, base, head)


def run(script: str, directory: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a script as the hosts do: bash, ending at the first error."""
    environment = os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"} | variables
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    return subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True)


def placed(script: str, clone: Path) -> str:
    revision = git(clone, "rev-parse", "HEAD")
    return script.replace("REPOSITORY", clone.as_uri()).replace("REVISION", revision)


@pytest.fixture(scope="module")
def runner_temp(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runner's directory for temporary files, in which the action has installed the command."""
    directory = tmp_path_factory.mktemp("runner")
    result = run(STEPS["Install"]["run"], directory, RUNNER_TEMP=str(directory), ACTION_PATH=str(clone))
    assert result.returncode == 0, result.stderr
    return directory


def judge(runner_temp: Path, pull_request: Branch | None, directory: Path, **inputs: str) -> dict[str, Any]:
    """What the action's step gives in a job: exit code, lines of its log, and the results of the report it leaves."""
    output = runner_temp / "output"
    output.write_text("")
    (runner_temp / "unapproved-iam.sarif").unlink(missing_ok=True)
    given = {name: str(row.get("default", "")) for name, row in ACTION["inputs"].items()} | inputs
    variables = {variable: given[name] for variable, name in wired().items()}
    events = {"BASE": pull_request.base, "HEAD": pull_request.head} if pull_request else {"BASE": "", "HEAD": ""}
    page = runner_temp / "summary"
    page.write_text("")
    host = {"RUNNER_TEMP": str(runner_temp), "GITHUB_OUTPUT": str(output), "GITHUB_ACTIONS": "true"}
    host["GITHUB_STEP_SUMMARY"] = str(page)
    result = run(STEPS["Check"]["run"], directory, **host, **variables, **events)
    reported = dict(line.split("=", 1) for line in output.read_text().splitlines())
    found = locations(Path(reported["sarif"])) if reported else None
    log = result.stdout + result.stderr
    return {"code": result.returncode, "log": log, "found": found, "page": page.read_text()}


def locations(sarif: Path) -> list[str]:
    """The files of a report's results."""
    results = json.loads(sarif.read_text())["runs"][0]["results"]
    return [result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in results]


def wired() -> dict[str, str]:
    """The inputs that reach the step, by the variable that brings them."""
    found = {
        variable: re.fullmatch(r"\$\{\{ inputs\.([\w-]+) \}\}", expression)
        for variable, expression in STEPS["Check"]["env"].items()
    }
    return {variable: match[1] for variable, match in found.items() if match}


def test_the_action_judges_what_a_pull_request_changes(runner_temp: Path, tmp_path: Path) -> None:
    pull_request = branch(tmp_path, DENIED, depth=2)
    judged = judge(runner_temp, pull_request, pull_request.directory)
    assert (judged["code"], judged["found"]) == (1, ["new/main.tf"])
    assert "::error file=new/main.tf,line=3" in judged["log"]


def test_a_pull_request_passes_beside_an_old_violation(runner_temp: Path, tmp_path: Path) -> None:
    pull_request = branch(tmp_path, CLEAN, depth=2)
    judged = judge(runner_temp, pull_request, pull_request.directory)
    assert (judged["code"], judged["found"]) == (0, [])


@pytest.mark.parametrize(("depth", "scope"), [(1, "changed"), (2, "all")], ids=["shallow clone", "scope all"])
def test_without_knowledge_of_the_change_everything_is_judged(
    runner_temp: Path, tmp_path: Path, depth: int, scope: str
) -> None:
    pull_request = branch(tmp_path, CLEAN, depth)
    judged = judge(runner_temp, pull_request, pull_request.directory, scope=scope)
    assert (judged["code"], judged["found"]) == (1, ["old/main.tf"])
    assert ("::notice::" in judged["log"]) is (depth == 1)


def test_on_other_events_everything_is_judged(runner_temp: Path, tmp_path: Path) -> None:
    directory = branch(tmp_path, DENIED, depth=2).directory
    assert judge(runner_temp, None, directory)["found"] == ["new/main.tf", "old/main.tf"]


def test_inputs_are_data(runner_temp: Path, tmp_path: Path) -> None:
    """Nothing that an input holds is run or taken for an option, and several paths stay several."""
    git(tmp_path, "init", "--quiet")
    (tmp_path / "a b").mkdir()
    (tmp_path / "a b/main.tf").write_text(DENIED)
    hostile = '$(touch pwned); `touch pwned`"; touch pwned #'
    assert judge(runner_temp, None, tmp_path, paths=f"a b\n{hostile}")["code"] == 2
    assert judge(runner_temp, None, tmp_path, **{"deny-list": hostile})["code"] == 2
    assert judge(runner_temp, None, tmp_path, scope=hostile)["code"] == 2
    assert judge(runner_temp, None, tmp_path, paths="a b\n")["found"] == ["a%20b/main.tf"]
    assert not list(tmp_path.rglob("pwned"))


def test_the_action_reads_plans(runner_temp: Path, tmp_path: Path) -> None:
    (tmp_path / "live").mkdir()
    (tmp_path / "live/main.tf").write_text(DENIED)
    (tmp_path / "plan.json").write_text(json.dumps(plan("AdministratorAccess")))
    judged = judge(runner_temp, None, tmp_path, paths="plan.json", plans="plan.json\n")
    assert (judged["code"], judged["found"]) == (1, ["plan.json"])
    assert judge(runner_temp, None, tmp_path, paths="plan.json", plans="plan.json=nowhere")["code"] == 2


def test_the_action_adds_to_the_summary_of_the_job(runner_temp: Path, tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(DENIED)
    judged = judge(runner_temp, None, tmp_path)
    assert judged["page"].startswith("## Ensure unapproved IAM managed policies are not attached\n\n**1 violation**\n")
    assert "| AdministratorAccess |" in judged["page"]


def plan(policy: str) -> dict[str, Any]:
    """The JSON of a plan that attaches one policy."""
    values = {"role": "x", "policy_arn": f"arn:aws:iam::aws:policy/{policy}"}
    kind = "aws_iam_role_policy_attachment"
    resource = {"address": f"{kind}.x", "mode": "managed", "type": kind, "name": "x", "values": values}
    change = {**resource, "change": {"actions": ["create"], "before": None, "after": values, "after_unknown": {}}}
    return {
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "planned_values": {"root_module": {"resources": [resource]}},
        "resource_changes": [change],
        "configuration": {"root_module": {}},
    }


def test_every_input_of_the_action_is_used_and_documented() -> None:
    used = {*wired().values(), *re.findall(r"inputs\.([\w-]+)", str(STEPS["Upload to code scanning"]["if"]))}
    rows = {row[0]: row[1] for row in table(CI, "| input")}
    assert used == set(ACTION["inputs"]) == set(rows)
    assert all(rows[name] == row["default"] for name, row in ACTION["inputs"].items())


def workflows() -> list[Any]:
    samples = [pytest.param(text, id=name) for name, text in BLOCKS.items() if name.startswith(".github")]
    own = [pytest.param(path.read_text(), id=path.name) for path in sorted(PROJECT.glob(".github/workflows/*.yml"))]
    samples.append(pytest.param(README_WORKFLOW, id="README"))
    return [*samples, *own, pytest.param((PROJECT / "action.yml").read_text(), id="action.yml")]


@pytest.mark.parametrize("workflow", workflows())
def test_no_expression_is_part_of_a_script(workflow: str) -> None:
    for step in steps_of(yaml.safe_load(workflow)):
        assert "${{" not in step.get("run", "")


@pytest.mark.parametrize("workflow", workflows())
def test_foreign_actions_are_pinned_to_a_commit(workflow: str) -> None:
    used = re.findall(r"uses: (\S+)", workflow)
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}|OWNER/checkov-unapproved-iam@REVISION", name) for name in used)


@pytest.mark.parametrize("workflow", workflows()[:-1])
def test_permissions_are_spelled_out(workflow: str) -> None:
    assert yaml.safe_load(workflow)["permissions"] in ({}, {"contents": "read"})


def steps_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    if "runs" in document:
        return list(document["runs"]["steps"])
    return [step for job in document["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize(("source", "code"), [(DENIED, 1), (CLEAN, 0)], ids=["violation", "clean"])
def test_the_workflow_without_the_action(clone: Path, tmp_path: Path, source: str, code: int) -> None:
    (script,) = [
        step["run"]
        for step in steps_of(yaml.safe_load(BLOCKS[".github/workflows/unapproved-iam-plain.yml"]))
        if "run" in step
    ]
    directory = branch(tmp_path, source, depth=2).directory
    result = run(placed(script, clone), directory, RUNNER_TEMP=str(tmp_path), GITHUB_ACTIONS="true")
    assert result.returncode == code, result.stderr
    assert ("::error file=new/main.tf" in result.stdout) is bool(code)
    assert "old/main.tf" not in result.stdout


def test_the_gitlab_job(clone: Path, tmp_path: Path) -> None:
    job = yaml.safe_load(BLOCKS[".gitlab-ci.yml"])["unapproved-iam"]
    script = placed("\n".join(job["script"]), clone).replace("/tmp/unapproved-iam", str(tmp_path / "environment"))
    merge_request = branch(tmp_path, DENIED, depth=100)
    result = run(script, merge_request.directory, CI_MERGE_REQUEST_DIFF_BASE_SHA=merge_request.base)
    assert result.returncode == 1, result.stderr
    report = json.loads((merge_request.directory / job["artifacts"]["reports"]["codequality"]).read_text())
    assert [row["location"]["path"] for row in report] == ["new/main.tf"]


def test_the_test_report(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(DENIED)
    assert run(BLOCKS["junit.sh"], tmp_path).returncode == 1
    assert 'failures="1"' in (tmp_path / "unapproved-iam.xml").read_text()


def test_reviewdog(tmp_path: Path) -> None:
    """With a stand-in for reviewdog, which says what it was given and ends well: the violation fails all the same."""
    (tmp_path / "main.tf").write_text(DENIED)
    (tmp_path / "reviewdog").write_text("#!/bin/sh\ncat\n")
    (tmp_path / "reviewdog").chmod(0o755)
    result = run(BLOCKS["review.sh"], tmp_path, PATH=os.pathsep.join([str(tmp_path), str(BIN), os.environ["PATH"]]))
    assert (result.returncode, len(json.loads(result.stdout)["diagnostics"])) == (1, 1)


def test_the_plain_shell(clone: Path, tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(DENIED)
    result = run(placed(BLOCKS["check.sh"], clone), tmp_path)
    assert result.returncode == 1, result.stderr
    assert "main.tf:3: AdministratorAccess" in result.stdout


@pytest.mark.parametrize(("policy", "code"), [("AdministratorAccess", 1), ("ReadOnlyAccess", 0)])
def test_the_recipe_that_plans_first(tmp_path: Path, policy: str, code: int) -> None:
    """With a stand-in for terraform, since planning needs a provider: it shows a plan and tells what was run."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "plan").write_text(json.dumps(plan(policy)))
    terraform = tmp_path / "bin/terraform"
    terraform.write_text('#!/bin/sh\necho "$1" >> ran\ncase $1 in show) cat plan;; esac\n')
    terraform.chmod(0o755)
    path = os.pathsep.join([str(terraform.parent), str(BIN), os.environ["PATH"]])
    result = run(BLOCKS["plan_first.sh"], tmp_path, PATH=path)
    assert result.returncode == code, result.stdout + result.stderr
    assert (tmp_path / "ran").read_text().split() == ["init", "plan", "show", *(["apply"] if code == 0 else [])]


@pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not on PATH")
def test_the_recipe_runs_with_terraform(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text('output "x" {\n  value = "arn:aws:iam::aws:policy/AdministratorAccess"\n}\n')
    result = run(BLOCKS["plan_first.sh"], tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
