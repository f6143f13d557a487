"""Add to checkov's reports what the engine finds in the same files although checkov never asked about it.

For `unapproved-iam checkov`. Seen of checkov: it never asks about resources under a false Condition, in `Fn::ForEach`,
in `.tofu` files, in further documents such as eksctl's, in templates that it skips whole for one odd resource, in files
that its parser rejects, nor about anything in a second `--directory` when a single framework runs; and it folds equal
failures of two root modules.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing import active_children
from typing import Any

from checkov.common.models.enums import CheckResult
from checkov.common.output.record import Record
from checkov.common.output.report import Report
from checkov.common.runners.base_runner import filter_ignored_paths
from checkov.common.runners.runner_registry import RunnerRegistry
from checkov.runner_filter import RunnerFilter
from checkov.terraform.checks.resource.registry import resource_registry
from unapproved_iam.checkov_host.check_verdict import details_of, sentence_of
from unapproved_iam.deny_list.verdict import without_instance_keys
from unapproved_iam.documents.document_types import DOCUMENT_TYPES
from unapproved_iam.policies.attachment import Attachment, Place
from unapproved_iam.policies.inline_skips import CHECK_ID
from unapproved_iam.scan.findings import Findings

# The reports in which attachments are shown.
FRAMEWORKS = ("terraform", "terraform_plan", "terraform_json", "cloudformation", "kubernetes", "ansible")


def framework_of(attachment: Attachment) -> str:
    """The framework in whose report checkov shows, or would show, this attachment."""
    if attachment.resource_type in DOCUMENT_TYPES:
        return DOCUMENT_TYPES[attachment.resource_type].framework
    if "::" in attachment.resource_type:
        return "cloudformation"
    if attachment.change:
        return "terraform_plan"
    return "terraform_json" if attachment.block.path.endswith(".json") else "terraform"


class CompletedRunners(RunnerRegistry):  # type: ignore[misc]
    """checkov's runners, whose reports are completed.

    `scan.findings` are the engine's for each directory that is scanned; for files, the key is None.
    """

    def __init__(self, banner: str, findings: Mapping[str | None, Findings], *runners: Any, tool: str) -> None:
        super().__init__(banner, RunnerFilter(), *runners, tool=tool)
        self.scans = 0
        self.crash: Exception | None = None
        self._findings = findings

    def run(self, root_folder: str | None = None, **others: Any) -> list[Report]:
        try:
            reports: list[Report] = super().run(root_folder=root_folder, **others)
        except Exception as error:  # one odd file is enough, such as a template with a mapping for a resource's type
            self.crash, reports = error, self.scan_reports
            for runner in active_children():
                runner.terminate()  # it waits for somebody to take its report, and this process at its end for it
        found, completion = self._findings[root_folder], Completion(reports, self.runner_filter, root_folder)
        for finding in found.violations:
            completion.add(finding.attachment, CheckResult.FAILED, sentence_of(finding), details_of([finding], found))
        for finding in found.skipped:
            completion.add(finding.attachment, CheckResult.SKIPPED, finding.attachment.skip or "")
        for finding in found.approved:
            completion.add(finding.attachment, CheckResult.SKIPPED, sentence_of(finding))
        self.scans += 1
        return reports


class Completion:
    """The reports of one scan, to which records are added. `scanned` is the directory that paths are shown from."""

    def __init__(self, reports: list[Report], runner_filter: RunnerFilter, scanned: str | None) -> None:
        self._reports = reports
        self._filter = runner_filter
        self._scanned = os.path.abspath(scanned or os.curdir)
        self._check = resource_registry.get_check_by_id(CHECK_ID)
        self._of_file: dict[str, list[Record]] = {}
        self._added: list[Record] = []
        for report in reports:
            for record in report.get_all_records():
                if record.check_id == CHECK_ID:
                    self._remember(record)

    def add(self, attachment: Attachment, result: CheckResult, sentence: str, details: Sequence[str] = ()) -> None:
        """Show an attachment that fails or is skipped, unless checkov shows it, or was told to leave it out."""
        framework = framework_of(attachment)
        if not self._is_wanted(_shown_block(attachment).path, framework):
            return
        records = list(self._records_of(attachment))
        shown = next((record for record in records if _shows(record, result, sentence)), None)
        if shown:
            shown.details += [line for line in details if line not in shown.details]  # checkov drops a template's
            return
        for record in records:
            if record in self._added and record.check_result["result"] is result:
                record.check_name += f". {sentence}"
                record.details += details
                return
        record = self._record(attachment, result, sentence)
        record.details = list(details)
        report = self._report(framework)
        report.add_record(record)
        report.add_resource(f"{record.file_abs_path}:{record.resource}")
        self._added.append(record)
        self._remember(record)

    def _remember(self, record: Record) -> None:
        self._of_file.setdefault(os.path.realpath(record.file_abs_path), []).append(record)

    def _records_of(self, attachment: Attachment) -> Iterator[Record]:
        # A nested stack's resources stand in another file than the stack.
        for path in {os.path.realpath(_shown_block(attachment).path), os.path.realpath(attachment.unit)}:
            for record in self._of_file.get(path, ()):
                if is_same_resource(record.resource, attachment.resource):
                    yield record

    def _is_wanted(self, path: str, framework: str) -> bool:
        """Whether the user's arguments let checkov report on this file."""
        shown = self._shown(path)
        return (
            not {framework, "all"}.isdisjoint(self._filter.framework)
            and self._filter.should_run_check(self._check, report_type=framework, file_origin_paths=[shown])
            and not (self._filter.excluded_paths and self._is_skipped_path(shown))
        )

    def _is_skipped_path(self, shown: str) -> bool:
        """Whether an argument --skip-path covers the file or a directory above it, by checkov's own rule."""
        directory = self._scanned
        for name in shown.split("/")[1:]:
            names = [name]
            filter_ignored_paths(directory, names, self._filter.excluded_paths, included_paths=[name])
            if not names:
                return True
            directory = os.path.join(directory, name)
        return False

    def _shown(self, path: str) -> str:
        return "/" + os.path.relpath(path, self._scanned).replace(os.sep, "/")

    def _report(self, framework: str) -> Report:
        report = next((report for report in self._reports if report.check_type == framework), None)
        if report is None:
            report = Report(framework)
            self._reports.append(report)
        return report

    def _record(self, attachment: Attachment, result: CheckResult, sentence: str) -> Record:
        block = _shown_block(attachment)
        caller = attachment.calls[-1] if attachment.calls else None
        name = attachment.resource
        if "::" in attachment.resource_type:
            name = f"{attachment.resource_type}.{name}"
        record = blank_record(self._check, result)
        record.resource, record.file_abs_path, record.file_path = name, block.path, self._shown(block.path)
        record.file_line_range, record.code_block = [block.line, block.end_line], _lines_of(block)
        if caller:
            record.caller_file_path = self._shown(caller.path)
            record.caller_file_line_range = (caller.line, caller.end_line)
        if result is CheckResult.SKIPPED:
            record.check_result["suppress_comment"] = sentence
        else:
            record.check_name += f": {sentence}"
        return record


def blank_record(check: Any, result: CheckResult) -> Record:
    """A record of the check that is about nothing yet."""
    return Record(
        check_id=CHECK_ID,
        check_name=check.title,
        check_result={"result": result, "evaluated_keys": []},
        code_block=[],
        file_path="",
        file_line_range=[],
        resource="",
        evaluations=None,
        check_class=type(check).__module__,
        file_abs_path="",
        severity=check.severity,
    )


def _shown_block(attachment: Attachment) -> Place:
    """Where checkov shows an attachment: it knows a plan only by itself, not by its source."""
    return attachment.change.place if attachment.change else attachment.block


def _shows(record: Record, result: CheckResult, sentence: str) -> bool:
    """Whether a record of the same resource tells this; what is skipped may stand beside what fails."""
    return result is CheckResult.SKIPPED or (record.check_result["result"] is result and sentence in record.check_name)


def is_same_resource(shown: str, address: str) -> bool:
    """Whether checkov's name of a resource means this address, instance keys aside.

    checkov writes `m` for `module.m`, `AWS::IAM::Role.Logical` for `Logical`, and in `.tf.json` files `resource.x` for
    a resource of any type. What stands in a nested stack's template (`Stack.Logical`) is shown at the stack.
    """
    first, _, rest = shown.partition(".")
    shown = rest if "::" in first or first == "resource" else shown
    shown, address = _without_keys_and_modules(shown), _without_keys_and_modules(address)
    return shown == address or address.endswith(f".{shown}") or address.startswith(f"{shown}.")


def _without_keys_and_modules(address: str) -> str:
    return ".".join(part for part in without_instance_keys(address).split(".") if part != "module")


def _lines_of(block: Place) -> list[tuple[int, str]]:
    """As checkov keeps a block's source: numbered lines with their ends."""
    with open(block.path, encoding="utf-8", errors="replace") as file:
        lines = file.readlines()
    return list(enumerate(lines[block.line - 1 : block.end_line], start=block.line))


def weakening(config: Any, runner_filter: RunnerFilter) -> Iterator[str]:
    """What the user's own arguments take from the check, a sentence for each."""
    check = resource_registry.get_check_by_id(CHECK_ID)
    left_out = [name for name in FRAMEWORKS if {name, "all"}.isdisjoint(runner_filter.framework)]
    if left_out:
        yield f"--framework or --skip-framework leaves out {', '.join(left_out)}"
    if not all(runner_filter.should_run_check(check, report_type=name) for name in FRAMEWORKS):
        yield "--check or --skip-check switches it off"
    if not {CHECK_ID, "IAM_*"}.isdisjoint(runner_filter.skip_checks_regex_patterns):
        yield "--skip-check switches it off in some files"
    if config.skip_path:
        yield f"--skip-path leaves out {', '.join(config.skip_path)}"
    if config.baseline:
        yield f"--baseline leaves out what is in {config.baseline}"
    failing = Report(FRAMEWORKS[0])
    failing.add_record(blank_record(check, CheckResult.FAILED))
    if not failing.get_exit_code(RunnerRegistry.get_fail_thresholds(config, failing.check_type)):
        yield "--soft-fail, --soft-fail-on or --hard-fail-on lets violations pass"
