"""Commit through the hooks as a user would: a repository that names a clone of this project in its configuration."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent
TOOLS = ("pre-commit", "prek")


def of_tool(*, hook: str = "unapproved-iam-policies") -> pytest.MarkDecorator:
    """Run a test with both tools; those of one tool and hook share a worker, hence the hook's environment."""
    marked = [pytest.param((tool, hook), id=tool, marks=pytest.mark.xdist_group(f"{tool} {hook}")) for tool in TOOLS]
    return pytest.mark.parametrize("repository", marked, indirect=True)


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the tools keep the hooks' environments."""
    return tmp_path_factory.mktemp("hooks")


class Repository:
    """A repository whose commits pass through one hook."""

    def __init__(self, directory: Path, clone: Path, home: Path, tool: str, hook: str) -> None:
        self.directory, self.tool = directory, tool
        self.environment = os.environ | {
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "PRE_COMMIT_HOME": str(home / tool),
            "PREK_HOME": str(home / tool),
        }
        revision = subprocess.run(["git", "-C", clone, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
        self.write(
            {
                ".pre-commit-config.yaml": f"repos: [{{repo: '{clone.as_uri()}', rev: {revision.stdout.strip()},"
                f" hooks: [{{id: {hook}}}]}}]\n"
            }
        )
        self.git("init", "--quiet", "--initial-branch=main")

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            path = self.directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=self.directory, env=self.environment, capture_output=True, text=True)

    def git(self, *arguments: str) -> None:
        result = self.run("git", *arguments)
        assert result.returncode == 0, result.stdout + result.stderr

    def had(self, files: dict[str, str]) -> None:
        """Commit files from before the hook was there, and install it."""
        self.write(files)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message=before")
        installed = self.run(self.tool, "install")
        assert installed.returncode == 0, installed.stderr

    def commit(self, files: dict[str, str] | None = None) -> str:
        """Commit these files, or what is staged; the hook's output when it refuses, else nothing."""
        self.write(files or {})
        if files:
            self.git("add", "--", *files)
        result = self.run("git", "commit", "--message=change")
        output = result.stdout + result.stderr
        if result.returncode == 0:
            assert "Passed" in output, f"the hook did not run: {output}"
            return ""
        assert "Failed" in output, output
        return output

    def hook_on(self, *arguments: str) -> str:
        """The hook's output when it fails, started by hand."""
        result = self.run(self.tool, "run", *arguments)
        return result.stdout + result.stderr if result.returncode else ""


@pytest.fixture
def repository(clone: Path, home: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Repository:
    tool, hook = request.param
    return Repository(tmp_path, clone, home, tool, hook)


def attachment(policy: str, name: str = "x") -> str:
    """A root module of one file: its policy is a literal, or an expression in `${}`."""
    return f"""resource "aws_iam_role_policy_attachment" "{name}" {{
  role       = "{name}"
  policy_arn = "arn:aws:iam::aws:policy/{policy}"
}}
"""


DENIED, CLEAN = "AdministratorAccess", "ReadOnlyAccess"
REFUSED = f"{DENIED} must not be attached"
VARIABLE = attachment("${var.policy}") + 'variable "policy" {\n  default = "%s"\n}\n'
CALL = 'module "deploy" {\n  source = "../../modules/deploy"\n}\n'
TEMPLATE = """AWSTemplateFormatVersion: "2010-09-09"
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: x
      ManagedPolicyArns: [arn:aws:iam::aws:policy/%s]
      AssumeRolePolicyDocument: {}
"""


@of_tool()
def test_a_violation_is_refused_and_its_correction_passes(repository: Repository) -> None:
    repository.had({"README": "text"})
    refusal = repository.commit({"main.tf": attachment(DENIED)})
    assert f"main.tf:3: {REFUSED} to role/x" in refusal
    assert repository.commit({"main.tf": attachment(CLEAN)}) == ""


@of_tool()
def test_the_first_commit_is_judged(repository: Repository) -> None:
    assert repository.run(repository.tool, "install").returncode == 0
    assert REFUSED in repository.commit({"main.tf": attachment(DENIED)})


@of_tool()
def test_what_was_there_before_blocks_nothing_and_is_shown_on_request(repository: Repository) -> None:
    repository.had({"old/main.tf": attachment(DENIED, "old")})
    assert repository.commit({"new/main.tf": attachment(CLEAN)}) == ""
    assert repository.commit({"old/README.md": "text"}) == ""
    assert f"old/main.tf:3: {REFUSED}" in repository.hook_on("--all-files")


# What was there, what a commit changes (None: deletes), and the same change with a harmless value.
Files = dict[str, str | None]
CHANGES: dict[str, tuple[dict[str, str], Files, Files]] = {
    "variables of a root module": (
        {"live/main.tf": VARIABLE % CLEAN, "live/terraform.tfvars": f'policy = "{CLEAN}"'},
        {"live/terraform.tfvars": f'policy = "{DENIED}"'},
        {"live/terraform.tfvars": 'policy = "ViewOnlyAccess"'},
    ),
    "JSON variables": (
        {"live/main.tf": VARIABLE % CLEAN},
        {"live/x.auto.tfvars.json": f'{{"policy": "{DENIED}"}}'},
        {"live/x.auto.tfvars.json": f'{{"policy": "{CLEAN}"}}'},
    ),
    "a called module": (
        {"live/a/main.tf": CALL, "modules/deploy/main.tf": attachment(CLEAN)},
        {"modules/deploy/main.tf": attachment(DENIED)},
        {"modules/deploy/main.tf": attachment("ViewOnlyAccess")},
    ),
    "a file that source reads": (
        {"main.tf": attachment('${trimspace(file("${path.module}/policy.txt"))}'), "policy.txt": CLEAN},
        {"policy.txt": DENIED},
        {"policy.txt": "ViewOnlyAccess"},
    ),
    "the deny list": (
        {"main.tf": attachment(DENIED), "unapproved-iam-policies.yaml": "version: 1\ndeny: [IAMFullAccess]\n"},
        {"unapproved-iam-policies.yaml": f"version: 1\ndeny: [{DENIED}]\n"},
        {"unapproved-iam-policies.yaml": "version: 1\ndeny: [PowerUserAccess]\n"},
    ),
    "a template": (
        {"stack.yaml": TEMPLATE % CLEAN},
        {"stack.yaml": TEMPLATE % DENIED},
        {"stack.yaml": TEMPLATE % "ViewOnlyAccess"},
    ),
    "a template with a name of its own": (
        {},
        {"stack.template": TEMPLATE % DENIED},
        {"stack.template": TEMPLATE % CLEAN},
    ),
    "OpenTofu": ({}, {"main.tofu": attachment(DENIED)}, {"main.tofu": attachment(CLEAN)}),
    "deleted variables": (
        {
            "live/main.tf": VARIABLE % DENIED,
            "live/terraform.tfvars": f'policy = "{CLEAN}"',
            "live/x.tfvars": f'policy = "{CLEAN}"',
        },
        {"live/terraform.tfvars": None},
        {"live/x.tfvars": None},
    ),
    "a deleted override": (
        {"main.tf": attachment(DENIED), "main_override.tf": attachment(CLEAN), "notes.txt": "text"},
        {"main_override.tf": None},
        {"notes.txt": None},
    ),
    "a deleted list": (
        {
            "main.tf": attachment(DENIED),
            "unapproved-iam-policies.yaml": "version: 1\ndeny: [IAMFullAccess]\n",
            "other.yaml": "a: 1",
        },
        {"unapproved-iam-policies.yaml": None},
        {"other.yaml": None},
    ),
    "a name with blanks and more": (
        {},
        {"dir with blanks/näme 'x'.tf": attachment(DENIED)},
        {"dir with blanks/näme 'x'.tf": attachment(CLEAN)},
    ),
}


def make(repository: Repository, change: Files) -> str:
    deleted = [name for name, text in change.items() if text is None]
    if deleted:
        repository.git("rm", "--quiet", "--", *deleted)
    return repository.commit({name: text for name, text in change.items() if text is not None})


@pytest.mark.parametrize("case", CHANGES)
@of_tool()
def test_a_change_is_judged_by_what_it_affects(repository: Repository, case: str) -> None:
    before, refused, passing = CHANGES[case]
    repository.had({"unrelated/main.tf": attachment(CLEAN, "unrelated"), **before})
    refusal = make(repository, refused)
    assert REFUSED in refusal
    repository.git("reset", "--quiet", "--hard")
    assert make(repository, passing) == ""


@of_tool()
def test_a_symbolic_link_counts_as_terraform_reads_it(repository: Repository) -> None:
    repository.had({"shared/attachment.tf.off": attachment(DENIED)})
    (repository.directory / "live").mkdir()
    (repository.directory / "live/main.tf").symlink_to("../shared/attachment.tf.off")
    repository.git("add", "live/main.tf")
    assert REFUSED in repository.commit()


@of_tool()
def test_a_moved_file_is_judged_where_it_arrives(repository: Repository) -> None:
    repository.had({"off/main.tf.off": attachment(DENIED)})
    repository.git("mv", "off/main.tf.off", "off/main.tf")
    assert REFUSED in repository.commit()


@of_tool()
def test_only_what_is_staged_counts(repository: Repository) -> None:
    repository.had({"main.tf": attachment("ViewOnlyAccess")})
    repository.write({"main.tf": attachment(CLEAN)})
    repository.git("add", "main.tf")
    repository.write({"main.tf": attachment(DENIED)})
    assert repository.commit() == ""  # the violation is not part of it

    repository.git("add", "main.tf")
    repository.write({"main.tf": attachment(CLEAN)})
    assert REFUSED in repository.commit()  # the correction is not part of it
    assert (repository.directory / "main.tf").read_text() == attachment(CLEAN)


@of_tool()
def test_what_is_not_part_of_the_commit_does_not_block_it(repository: Repository) -> None:
    repository.had({"main.tf": attachment("ViewOnlyAccess"), ".gitignore": "*.auto.tfvars\n"})
    repository.write({"draft.tf": attachment(DENIED, "draft")})
    assert repository.commit({"main.tf": attachment(CLEAN)}) == ""
    repository.git("add", "draft.tf")
    assert REFUSED in repository.commit()
    repository.git("rm", "--cached", "--quiet", "draft.tf")
    repository.write({"ignored.auto.tfvars": f'policy = "{DENIED}"\n'})  # Terraform reads it, so it counts
    assert REFUSED in repository.commit({"main.tf": VARIABLE % CLEAN})


@of_tool()
def test_a_range_of_commits_is_judged_with_what_it_deletes(repository: Repository) -> None:
    repository.had(
        {"main.tf": attachment(DENIED), "main_override.tf": attachment(CLEAN), "x/main.tf": attachment(DENIED)}
    )
    repository.git("rm", "--quiet", "main_override.tf")
    repository.git("commit", "--quiet", "--no-verify", "--message=change")
    refusal = repository.hook_on("--from-ref=HEAD~1", "--to-ref=HEAD")
    assert f" main.tf:3: {REFUSED}" in f" {refusal}".replace("\n", " ")
    assert "x/main.tf" not in refusal


@of_tool()
def test_thousands_of_files_are_judged_whole(repository: Repository) -> None:
    """Their names fill several command lines; the violation's variables may stand in another than its source."""
    long = "d" * 60
    files = {f"{long}/m{number:04}/{long}.tf": attachment(CLEAN) for number in range(2000)}
    assert sum(map(len, files)) > 2 * 2**17 - 2**14
    files |= {"a/main.tf": VARIABLE % CLEAN, "z/z.tfvars": "", "a/terraform.tfvars": f'policy = "{DENIED}"'}
    repository.had(files)
    assert REFUSED in repository.hook_on("--all-files")


@of_tool()
def test_what_cannot_be_judged_refuses_the_commit(repository: Repository) -> None:
    repository.had({"README": "text"})
    refusal = repository.commit({"unapproved-iam-policies.yaml": "version: 1\ndeny: [AdministratorAcces]\n"})
    assert "AdministratorAccess" in refusal
    assert "exit code: 2" in refusal


@of_tool(hook="checkov-unapproved-iam-policies")
def test_the_hook_on_checkov(repository: Repository) -> None:
    repository.had({"live/main.tf": VARIABLE % CLEAN, "README.md": "text"})
    refusal = repository.commit({"live/terraform.tfvars": f'policy = "{DENIED}"'})
    assert DENIED in refusal
    assert repository.commit({"live/terraform.tfvars": f'policy = "{CLEAN}"'}) == ""
