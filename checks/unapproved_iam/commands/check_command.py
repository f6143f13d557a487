"""`unapproved-iam check`: arguments in, report and exit code out; `scan.tree_check` finds.

Exit codes: 0 when everything was checked and nothing is denied, 1 when everything was checked and something is, 2 when
something could not be checked, whatever else was found. So 1 is always the whole answer.
Reports are imported only when one is asked for: a commit that cannot matter pays for none.
"""

from __future__ import annotations

import os
import re
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any

from unapproved_iam.commands.command_line import DENY_LIST, argument_parser
from unapproved_iam.commands.progress import watched
from unapproved_iam.deny_list.discovery import find_deny_list, repositories_of
from unapproved_iam.directory_entry import hiding
from unapproved_iam.printed_words import tolerate_any_text
from unapproved_iam.program import UsageError
from unapproved_iam.scan.check_scope import Request, is_below
from unapproved_iam.scan.findings import Findings, all_of
from unapproved_iam.scan.plan_files import root_module_of
from unapproved_iam.scan.side_by_side import processors
from unapproved_iam.scan.source_files import kind_of
from unapproved_iam.scan.tree_check import findings_of

# For each format, the module of `reports` and the function in it: findings and seconds in, the whole report out.
WRITERS = {
    "cli": ("report_text", "text_report"),
    "json": ("report_json", "json_report"),
    "sarif": ("report_sarif", "sarif_report"),
    "github": ("report_github", "github_report"),
    "gitlab": ("report_gitlab", "gitlab_report"),
    "junit": ("report_junit", "junit_report"),
    "rdjson": ("report_rdjson", "rdjson_report"),
    "markdown": ("report_markdown", "markdown_report"),
}


def main(argv: Sequence[str]) -> int:
    started = time.monotonic()
    arguments = parser().parse_args(argv)
    repositories = repositories_of(arguments.path)
    findings = all_of([_findings(root, repositories, arguments) for root in repositories])
    _report(findings, time.monotonic() - started, arguments)
    return findings.exit_code


def _findings(root: str, repositories: Mapping[str, Sequence[str]], arguments: Namespace) -> Findings:
    """What is found in one of the repositories, by its own list; a plan outside of them all belongs to the first."""
    deny_list = find_deny_list(arguments.deny_list, os.environ, root, of_several=len(repositories) > 1)
    changed = None
    if arguments.changed_since is not None:
        from unapproved_iam.scan.changed_files import changed_files

        changed = changed_files(arguments.changed_since, root, os.environ)
    request = Request(
        paths=repositories[root],
        changed=changed,
        plans=[plan for plan in arguments.plan if _repository_of(plan, repositories) == root],
        only_plan_changes=arguments.plan_changes_only,
        var_files=arguments.var_file,
        parameters=arguments.parameters,
        exclude=arguments.exclude,
        screen=arguments.screen,
        jobs=arguments.jobs or processors(),
        watch=watched,
    )
    findings = findings_of(request, deny_list, root)
    if changed is not None and os.environ.get("PRE_COMMIT"):
        return _of_commit(findings, changed, lambda: findings_of(request, deny_list, root), root)
    return findings


def _of_commit(findings: Findings, changed: Sequence[str], again: Callable[[], Findings], root: str) -> Findings:
    """What is found in the files of a commit, which is read once more without what lies beside them and is no part of
    it: an override, or the values of whoever commits, may hide what everybody else applies."""
    from unapproved_iam.scan.changed_files import sources_in_no_commit, untracked_files

    if findings.exit_code:
        findings = findings.without(untracked_files(root), "untracked, so not in the commit")
    beside = sources_in_no_commit(root) if any(kind_of(os.path.basename(path)) for path in changed) else frozenset()
    if not beside:
        return findings
    with hiding(beside):
        return findings.with_more(again())


def _repository_of(plan: str, repositories: Iterable[str]) -> str:
    around = [root for root in repositories if is_below(root_module_of(plan), [root])]
    return max(around, key=len, default=next(iter(repositories)))


def _path_glob(written: str) -> str:
    from unapproved_iam.deny_list.list_format import FILES  # a run without --exclude does not pay for it

    if not re.fullmatch(FILES.pattern, written):
        raise ArgumentTypeError(f"{written!r} matches no path (expected {FILES.expected})")
    return written


def _number_of_jobs(written: str) -> int:
    if not re.fullmatch("[1-9][0-9]{0,2}", written, re.ASCII):
        raise ArgumentTypeError(f"{written!r} is not a number of processes (expected 1 to 999)")
    return int(written)


REPEATED: dict[str, Any] = {"action": "append", "default": []}
SWITCH: dict[str, Any] = {"action": "store_true"}
# Each option: its names and what argparse makes of it.
OPTIONS: dict[tuple[str, ...], dict[str, Any]] = {
    ("--deny-list",): DENY_LIST,
    ("--changed-since",): {
        "metavar": "COMMIT",
        "help": "check only what the changes since this commit can affect, including deleted and new files; asks git",
    },
    ("--plan",): REPEATED
    | {
        "metavar": "FILE[=DIR]",
        "help": "Terraform plans in JSON (`terraform show -json PLANFILE`), made in the root module DIR"
        " (default: where FILE is); FILE may be a directory or a glob; may be repeated",
    },
    ("--plan-changes-only",): SWITCH | {"help": "fail only on what plans newly attach, and count the rest"},
    ("--var-file",): REPEATED
    | {"metavar": "FILE", "help": "values of root variables, as in terraform; may be repeated"},
    ("--parameters",): REPEATED
    | {
        "metavar": "TEMPLATE=FILE",
        "help": "parameter values of a template, if the file's name and keys do not say which template;"
        " may be repeated",
    },
    ("--exclude",): REPEATED
    | {
        "metavar": "GLOB",
        "type": _path_glob,
        "help": "skip these paths, relative to the repository's root; may be repeated",
    },
    ("-o", "--output"): {"choices": tuple(WRITERS), "default": "cli", "help": "the report's format (default: cli)"},
    ("--output-file",): {"metavar": "FILE", "help": "write the report to this file; the text is printed as well"},
    ("-v", "--verbose"): SWITCH | {"help": "show everything about each finding, and each one by itself"},
    ("--summary-file",): {
        "metavar": "FILE",
        "help": "also append the report in Markdown to this file, e.g. $GITHUB_STEP_SUMMARY",
    },
    ("-q", "--quiet"): SWITCH | {"help": "no summary: print only what was found"},
    ("--no-screen",): {
        "dest": "screen",
        "action": "store_false",
        "help": "parse every file, without a quick look first; finds the same and takes longer",
    },
    ("--jobs",): {
        "metavar": "N",
        "type": _number_of_jobs,
        "help": "number of processes (default: one for each processor)",
    },
}


def parser() -> ArgumentParser:
    parser = argument_parser("check")
    parser.add_argument(
        "path", nargs="*", help="a directory, or a file and what it can affect (default: this directory)"
    )
    for names, meaning in OPTIONS.items():
        parser.add_argument(*names, **meaning)
    return parser


def _report(findings: Findings, seconds: float, arguments: Namespace) -> None:
    """Write the report, and for people what they need to see of it."""
    report = _written(findings, seconds, arguments.output)
    if arguments.output_file:
        _put("--output-file", arguments.output_file, "w", report)
    if arguments.summary_file:
        _put("--summary-file", arguments.summary_file, "a", _written(findings, seconds, "markdown"))
    tolerate_any_text()
    if arguments.output_file or arguments.output == "cli":
        _tell_people(findings, seconds, arguments)
        return
    sys.stdout.write(report)
    sys.stdout.flush()
    if not arguments.quiet:
        from unapproved_iam.reports.summary_text import summary

        print(summary(findings, seconds), file=sys.stderr)


def _tell_people(findings: Findings, seconds: float, arguments: Namespace) -> None:
    """The text; in a GitHub job the annotations instead, which its log shows as text: nothing is there twice."""
    from unapproved_iam.reports.report_text import closing_text, found_text

    colours = _wants_colours()
    if os.environ.get("GITHUB_ACTIONS"):
        sys.stdout.write(_written(findings, seconds, "github"))
    else:
        sys.stdout.write(found_text(findings, colours, arguments.verbose))
    if not arguments.quiet:
        sys.stdout.write(closing_text(findings, seconds, colours))


def _put(option: str, path: str, mode: str, report: str) -> None:
    try:
        with open(path, mode, encoding="utf-8", errors="backslashreplace") as file:
            file.write(report)
    except OSError as error:
        raise UsageError(f"{option} {path}: {error.strerror or error}") from error


def _written(findings: Findings, seconds: float, output: str) -> str:
    """The report in one of the formats."""
    module, name = WRITERS[output]
    writer = getattr(import_module(f"unapproved_iam.reports.{module}"), name)
    return str(writer(findings, seconds))


def _wants_colours() -> bool:
    """On a terminal, unless NO_COLOR says otherwise (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
