"""Run checkov with these checks in a process of its own, and make sure that it loses nothing.

For `unapproved-iam checkov`; `commands.checkov_command` starts it. checkov is silent about much: checks that do not
load, files that it cannot parse, resources that it never asks about. So the session proves that the checks are
registered before it scans, has `checkov_host.report_completion` add what is missing, and names the arguments that take
something from the check. Whatever imports checkov is imported only when the session has made that safe.
"""

from __future__ import annotations

import os
import site
import sys
import time
from typing import Any

from unapproved_iam.deny_list.discovery import find_deny_list, repositories_of
from unapproved_iam.policies.inline_skips import CHECK_ID
from unapproved_iam.printed_words import complain
from unapproved_iam.program import CLEAN, COULD_NOT_JUDGE, UsageError, checks_directory
from unapproved_iam.reports.summary_text import summary
from unapproved_iam.scan.check_scope import Request
from unapproved_iam.scan.findings import Findings, all_of
from unapproved_iam.scan.tree_check import findings_of

# The loader of external checks is no public API: the versions that the tests have seen.
FIRST_TESTED, FIRST_UNTESTED = (3, 3, 20), (3, 4)

# Settings that ask checkov for something else than a scan of files.
WITHOUT_SCAN = ("list", "show_config", "add_check", "docker_image")


def main() -> int:
    """Takes from `sys.argv`: the checks' directory, the user's directory, the user's packages, checkov's arguments."""
    _, directory, packages, *arguments = sys.argv[1:]
    if packages:
        site.addsitedir(packages)
    sys.argv = ["checkov"]  # here checkov looks for directories whose `.checkov.yaml` it then obeys
    checkov = _import_checkov()
    _load_checks()
    session = checkov.Checkov(arguments)
    os.chdir(directory)  # the settings are read; from here on paths are the user's
    return _scan(checkov, session)


def _scan(checkov: Any, session: Any) -> int:
    """Run checkov as it was set up, and return its exit code, or 2 when not everything was judged."""
    from unapproved_iam.checkov_host.report_completion import CompletedRunners, weakening
    from unapproved_iam.checkov_host.source_check import VAR_FILES

    config = session.config
    config.skip_download = True  # offline, checkov prints a traceback instead of its guidelines
    VAR_FILES.extend(config.var_file or ())
    started = time.monotonic()
    targets = config.directory or ([None] if config.file else [])
    findings = {target: _findings([target] if target else config.file, config.var_file) for target in targets}
    seconds = time.monotonic() - started
    tool = config.custom_tool_name or checkov.default_tool
    runners = CompletedRunners(checkov.checkov_banner, findings, *checkov.DEFAULT_RUNNERS, tool=tool)
    checkov.outer_registry = runners
    try:
        code = session.run() or CLEAN
    except SystemExit as end:
        code = COULD_NOT_JUDGE if end.code else CLEAN
    sys.stdout.flush()
    if code == COULD_NOT_JUDGE or any(getattr(config, name) for name in WITHOUT_SCAN):
        return code
    if not targets:
        return complain("nothing to scan (expected --directory DIR or --file FILE)")
    if runners.scans < len(targets):
        return complain("checkov did not scan what it was given")
    if runners.crash:
        crash = f"{type(runners.crash).__name__}: {runners.crash}"
        complain(f"checkov crashed; only the findings of {CHECK_ID} are complete ({crash})")
        code = code if config.no_fail_on_crash else COULD_NOT_JUDGE
    for sentence in weakening(config, runners.runner_filter):
        print(f"{CHECK_ID}: {sentence}", file=sys.stderr)
    for found in findings.values():
        for unjudged in found.unjudged:
            complain(f"{found.at(unjudged.place)}: could not be checked: {unjudged.reason}")
            code = COULD_NOT_JUDGE
        print(f"{CHECK_ID}: {summary(found, seconds)}", file=sys.stderr)
    return code


def _findings(paths: list[str], var_files: list[str] | None) -> Findings:
    """What the engine finds in these paths, each by the deny list of its repository."""
    repositories = repositories_of(paths)
    lists = {root: find_deny_list(None, os.environ, root, len(repositories) > 1) for root in repositories}
    requests = {root: Request(paths=within, var_files=var_files or ()) for root, within in repositories.items()}
    return all_of([findings_of(requests[root], lists[root], root) for root in repositories])


def _import_checkov() -> Any:
    try:
        import checkov.main
        from checkov.version import version
    except ModuleNotFoundError:
        raise
    except ImportError as error:
        if "hcl2" not in str(error):
            raise UsageError(f"checkov cannot start: {error}") from error
        raise UsageError(
            "checkov cannot start: python-hcl2 is installed over bc-python-hcl2, which owns the same module"
            " (pip uninstall python-hcl2, then pip install --force-reinstall bc-python-hcl2)"
        ) from error
    numbers = tuple(int(number) for number in version.split(".") if number.isdigit())
    if not FIRST_TESTED <= numbers < FIRST_UNTESTED:
        expected = f">={_dotted(FIRST_TESTED)},<{_dotted(FIRST_UNTESTED)}"
        raise UsageError(f"checkov {version} was not tested with these checks (expected {expected})")
    return checkov.main


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _load_checks() -> None:
    """Load the checks here, before checkov's runners fork, and prove that each attaching type has its check."""
    from checkov.cloudformation.checks.resource.registry import cfn_registry
    from checkov.terraform.checks.module.registry import module_registry
    from checkov.terraform.checks.resource.registry import resource_registry

    directory = str(checks_directory())
    try:
        from unapproved_iam.checkov_host.source_check import ModuleCalls, TerraformResources
        from unapproved_iam.checkov_host.template_check import TemplateResources
        from unapproved_iam.cloudformation import resource_types as cloudformation_resources
        from unapproved_iam.terraform import resource_types as terraform_resources
    except Exception as error:
        raise UsageError(f"the engine in {directory} is broken: {error}") from error
    resource_registry.load_external_checks(directory)
    for registry, types, answering in (
        (resource_registry, terraform_resources.ATTACHING_TYPES, TerraformResources),
        (module_registry, ("module",), ModuleCalls),
        (cfn_registry, cloudformation_resources.ATTACHING_TYPES, TemplateResources),
    ):
        for asked in types:
            if not any(check.id == CHECK_ID and isinstance(check, answering) for check in registry.get_checks(asked)):
                raise UsageError(f"checkov did not load {CHECK_ID} for {asked} from {directory}")
