"""Check some paths: find every attachment that the deny list does not allow, reading no more than it takes.

For `check`, `adopt`, `approvals` and the checkov wrapper. Files are read as bytes first. Only root modules, templates
and plans in which the screen finds both kinds of evidence are parsed and judged. Their readers are imported only when
there is one.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from datetime import date, datetime, timezone
from functools import cache, cached_property
from typing import TYPE_CHECKING

from unapproved_iam.cloudformation.parameter_look import may_give_parameters
from unapproved_iam.deny_list.entries import DenyList
from unapproved_iam.deny_list.verdict import Finding, Judge, Verdict
from unapproved_iam.policies.attachment import Place, Reading, Unjudged, together
from unapproved_iam.program import UsageError
from unapproved_iam.scan.affected_units import lists_of
from unapproved_iam.scan.check_scope import Request, Scope, is_below, scope_of
from unapproved_iam.scan.findings import Findings, Mention, expiring_soon, one_per_policy
from unapproved_iam.scan.guarded_reading import broken_by, guarded
from unapproved_iam.scan.left_out import LeftOut
from unapproved_iam.scan.nested_templates import judged_through_others
from unapproved_iam.scan.plan_files import folded, plan_files, read_plans
from unapproved_iam.scan.policy_mention import Mentions
from unapproved_iam.scan.screen_evidence import Evidence, suffices
from unapproved_iam.scan.side_by_side import read_side_by_side
from unapproved_iam.scan.source_files import Kind, ignored_directories
from unapproved_iam.scan.unit_files import is_unit
from unapproved_iam.scan.unit_screen import Screen, may_be_plan, may_import
from unapproved_iam.source_bytes import contents, readable

if TYPE_CHECKING:
    from unapproved_iam.scan.exporters import Exporters
    from unapproved_iam.scan.parameter_binding import ParameterBinding
    from unapproved_iam.terraform.root_module import TerraformTree
    from unapproved_iam.terraform.stacks import TerraformStacks
    from unapproved_iam.terragrunt.units import TerragruntUnits


def findings_of(request: Request, deny_list: DenyList, root: str, today: date | None = None) -> Findings:
    """All findings in what is asked for; `root` is the absolute directory that the list's paths count from.

    Raises UsageError for a path that cannot be what it is given as.
    """
    return _Check(request, deny_list, root, today or datetime.now(timezone.utc).date()).findings()


class _Suspicious:
    """What the screen leaves over in a scope. Without the screen everything is read, and this counts all the same:
    what cannot be read is reported only where a denied attachment may be in it."""

    def __init__(self, directories: set[str], unjudged: list[Unjudged]) -> None:
        self.directories = directories  # of Terraform source, whoever asked for them
        self.files: set[str] = set()
        self.harmless: list[str] = []  # files that may be templates or plans
        self.attaching: list[str] = []  # templates among them that attach something
        self.mentions: list[Mention] = []
        self.unjudged = unjudged

    @property
    def others(self) -> bool:
        return bool(self.files or self.mentions or self.unjudged)


class _Check:
    def __init__(self, request: Request, deny_list: DenyList, root: str, today: date) -> None:
        self._request = request
        self._deny_list = deny_list
        self._root = root
        self._judge = Judge(deny_list, root, today)
        self._screen = Screen(deny_list)
        self._mentions = Mentions(deny_list)
        self._lists = lists_of(deny_list, root)
        self._remarks: list[str] = []
        self._left_out = LeftOut(deny_list, request.exclude, self._judge.relative)
        self._plan_files = plan_files(request.plans)
        self._plans = [one for one in self._plan_files if not self._left_out.file(one.path)]

    def findings(self) -> Findings:
        for path in self._request.var_files:
            _refuse_bad_variables(path)
        if self._request.parameters:
            _ = self._parameters  # refuses what is wrong
        scope, suspicious = self._screened(frozenset())
        seen, ignored = scope, frozenset[str]()
        if suspicious.directories & scope.directories or suspicious.others or not self._request.screen:
            # Only now, because asking git takes longer than looking at most trees.
            ignored = self._ignored()
            if ignored:
                scope, suspicious = self._screened(ignored)
        readings = folded([*self._through_callers(self._readings(scope, suspicious)), *read_plans(self._plans)])
        unjudged = [one for one in suspicious.unjudged if not self._left_out.file(one.place.path)]
        for unit, reading in readings:
            unjudged += [one for one in reading.unjudged if not self._left_out.unjudged(one, unit)]
        unseen = [path for path in seen.files if path not in scope.files]
        looked_at = [*scope.files, *(one.path for one in self._plan_files)]
        variables = self._excluded_variables(scope, {one.place.path for one in unjudged})
        counted = [path for path in looked_at if path not in variables]
        self._remarks += [
            f"{glob} excludes nothing: variable files count for the root module that reads them"
            for glob in self._left_out.only(variables, counted)
        ]
        judged = one_per_policy(finding for _, reading in readings for finding in self._judged(reading))
        return Findings(
            deny_list=self._deny_list,
            root=self._root,
            judged=judged,
            unjudged=_sorted(unjudged),
            mentions=tuple(one for one in suspicious.mentions if not scope.graph.reads(one.place.path)),
            files=len(scope.files) - self._number_of_lists(scope.files) + len(self._plans),
            units=len(readings),
            only_plan_changes=self._request.only_plan_changes,
            remarks=tuple(self._remarks),
            excluded=self._left_out.counts(counted, ignored, unseen),
            expiring=expiring_soon(judged, self._judge.today),
        )

    def _excluded_variables(self, scope: Scope, unreadable: Collection[str]) -> set[str]:
        """The variable files that an exclusion matches, and that are read all the same."""
        files = (path for path, kind in scope.files.items() if kind is Kind.VARIABLES)
        excluded = [path for path in files if self._left_out.file(path)]
        return {path for path in excluded if path in unreadable or not scope.graph.is_for_nobody(path)}

    def _number_of_lists(self, files: Iterable[str]) -> int:
        """How many of the files are the deny list, and so none that it is about."""
        names = tuple(map(os.path.basename, self._lists))
        named = [path for path in files if path.endswith(names)]
        return len(self._lists.intersection(map(os.path.realpath, named)))

    def _ignored(self) -> frozenset[str]:
        """The directories that git ignores, but for those that were asked for by name."""
        given = [os.path.abspath(path) for path in self._request.paths]
        from unapproved_iam.scan.git_answers import NoAnswer  # most runs never ask

        try:
            ignored = ignored_directories(self._root)
        except NoAnswer as reason:
            self._remarks.append(f"what git ignores is checked, too: {reason}")
            return frozenset()
        return frozenset(path for path in ignored if not any(is_below(one, [path]) for one in given))

    def _screened(self, left_out: frozenset[str]) -> tuple[Scope, _Suspicious]:
        scope = scope_of(self._request, self._lists, self._root, self._screen, left_out)
        directories = scope.graph.suspicious(scope.callers, self._request.var_files)
        suspicious = _Suspicious(directories, list(scope.unjudged))
        for path, kind in scope.files.items():
            if kind is Kind.TERRAFORM or self._is_left_out(path):
                continue
            try:
                self._look_at(path, kind, suspicious, scope)
            except OSError as error:
                suspicious.unjudged.append(Unjudged(Place(path), f"cannot be read: {error.strerror or error}"))
            except UsageError:
                raise
            except Exception as error:
                suspicious.unjudged.append(broken_by(path, error))
        self._exporters = cache(lambda: self._exporters_without(left_out))
        for path in suspicious.attaching:
            if self._names_elsewhere(path):
                suspicious.files.add(path)
                suspicious.harmless.remove(path)
        if scope.unit_files:
            units = {unit for unit in scope.units if not self._is_left_out(unit)}
            suspicious.files |= scope.unit_files.suspicious(units, scope.graph)
            suspicious.harmless += sorted(units - suspicious.files)
            read = scope.unit_files.of(suspicious.files & units)
            suspicious.mentions = [one for one in suspicious.mentions if one.place.path not in read]
        return scope, suspicious

    def _look_at(self, path: str, kind: Kind | None, suspicious: _Suspicious, scope: Scope) -> None:
        """Screen a file that may be a unit by itself. Raises UsageError for one that was given and is a plan's kin."""
        if kind is Kind.VARIABLES:  # whoever they are for reads them
            named = self._mentions.first_in(readable(path) or b"", path)
            suspicious.mentions += [named] if named and scope.graph.is_for_nobody(path) else []
            return
        source = contents(path)
        if path in self._given and b"Resources" not in source and not may_be_plan(source):
            self._refuse_other_form(path, source)
        names = self._screen.may_name(source)
        if (names or b"ParameterKey" in source) and may_give_parameters(source):
            suspicious.unjudged += self._parameters.too_large(path, source)
        if names and may_give_parameters(source):
            templates = [template for template in self._parameters.templates_of(path) if template in scope.files]
            suspicious.files.update(template for template in templates if not self._is_left_out(template))
            if templates:
                return
        if kind is Kind.TEMPLATE or (kind is None and b"Resources" in source):
            evidence = self._screen.template_by_itself(source, names)
            if (evidence and suffices(evidence)) or (may_be_plan(source) and self._screen.plan_suffices(source)):
                suspicious.files.add(path)
                return
            suspicious.harmless.append(path)
            suspicious.attaching += [path] if evidence and evidence & Evidence.TYPE else []
        mention = self._mentions.first_in(source, path) if kind and names else None
        if mention:
            suspicious.mentions.append(mention)

    def _names_elsewhere(self, path: str) -> bool:
        """Whether a template attaches what a denied name comes from together with what others give or export."""
        source = readable(path) or b""
        whole = self._parameters.with_given(path, source) if b"Parameters" in source else source
        imports = may_import(source)
        if len(whole) == len(source) and not imports:
            return False
        exported = self._exporters().evidence if imports else Evidence.NOTHING
        if exported and b"Split" in source:  # what is cut out of an exported text is no word of it
            return True
        return suffices(Evidence.TYPE | self._screen.names_in_text(whole, exported))

    def _exporters_without(self, left_out: frozenset[str]) -> Exporters:
        from unapproved_iam.scan.exporters import Exporters  # few changes are about templates

        return Exporters(self._root, left_out, self._screen, self._parameters)

    @cached_property
    def _given(self) -> frozenset[str]:
        """The paths that somebody asks to be judged; a hook's files are only what changed."""
        paths = self._request.paths if self._request.changed is None else ()
        return frozenset(map(os.path.abspath, paths))

    def _refuse_other_form(self, path: str, source: bytes) -> None:
        from unapproved_iam.terraform.plan_lookalikes import HOW_TO, other_form  # only for files that were given

        form = other_form(source)
        if form:
            raise UsageError(f"{os.path.relpath(path)}: {form} ({HOW_TO}, and check that with --plan)")

    @cached_property
    def _parameters(self) -> ParameterBinding:
        from unapproved_iam.scan.parameter_binding import ParameterBinding  # few trees have parameter files

        return ParameterBinding(self._root, self._request.parameters)

    @cached_property
    def _units(self) -> TerragruntUnits:
        from unapproved_iam.terraform.root_module import TerraformTree  # few trees are Terragrunt's
        from unapproved_iam.terragrunt.units import TerragruntUnits  # so is this

        modules = TerraformTree([os.path.abspath(path) for path in self._request.var_files])
        return TerragruntUnits(modules, self._root)

    @cached_property
    def _stacks(self) -> TerraformStacks:
        from unapproved_iam.terraform.stacks import TerraformStacks  # few trees have some

        return TerraformStacks(self._root)

    def _readings(self, scope: Scope, suspicious: _Suspicious) -> Iterator[tuple[str, Reading]]:
        """Each root module, file and plan that is read closely, without the screen all of them, and what is found."""
        tree, modules = self._root_modules(scope, suspicious)
        files = sorted(suspicious.files)
        harmless = [] if self._request.screen else suspicious.harmless

        def read(unit: str) -> Reading | None:
            return guarded(tree.read if tree and unit in modules else self._read_file, unit)

        units = [*modules, *files, *harmless]
        for unit, reading in zip(
            units, read_side_by_side(read, units, self._request.jobs, self._request.watch), strict=True
        ):
            if reading and (unit in suspicious.directories or unit in suspicious.files):
                yield unit, reading
            elif reading:
                yield unit, reading._replace(unjudged=())
            elif unit in suspicious.files:
                mention = self._mentions.first_in(contents(unit), unit)
                suspicious.mentions += [mention] if mention else []

    def _through_callers(self, readings: Iterable[tuple[str, Reading]]) -> Iterator[tuple[str, Reading]]:
        """Without what templates attach by themselves that others nest, unless parameter files are about them."""
        readings = list(readings)
        through_others = judged_through_others({unit: reading.nested for unit, reading in readings})
        for unit, reading in readings:
            if unit not in through_others or self._parameters.of(unit):
                yield unit, reading

    def _read_file(self, path: str) -> Reading | None:
        """A plan, a template or another document that attaches policies; None when a file is none of them."""
        if is_unit(path):
            return self._units.read(path) or self._stacks.read(path)
        if may_be_plan(contents(path)):
            from unapproved_iam.terraform.plan import read_plan

            reading = read_plan(path)
            if reading is not None:
                return reading
        from unapproved_iam.cloudformation.template import read_template
        from unapproved_iam.documents.document_reading import read_documents

        of_template = read_template(
            path, lambda: self._parameters.of(path), lambda name: self._exporters().exports.named(name)
        )
        found = [reading for reading in (of_template, read_documents(path)) if reading is not None]
        return together(found) if found else None

    def _root_modules(self, scope: Scope, suspicious: _Suspicious) -> tuple[TerraformTree | None, dict[str, None]]:
        """The directories of the root modules that are asked for, in their order, and what reads them."""
        # Whoever calls a suspicious module is suspicious, too: so these tell which of them are root modules.
        read = suspicious.directories if self._request.screen else scope.callers
        read = {directory for directory in read if not self._left_out.root_module(directory)}
        if not read & scope.directories:
            return None, {}
        from unapproved_iam.terraform.root_module import TerraformTree, everything

        var_files = [os.path.abspath(path) for path in self._request.var_files]
        may_pass = scope.graph.arguments.may_pass if self._request.screen else everything
        tree = TerraformTree(var_files, scope.graph.variable_files(), may_pass)
        found = tree.root_modules(scope.surroundings, read)
        return tree, {directory: None for directory in found if directory in scope.directories}

    def _judged(self, reading: Reading) -> Iterator[Finding]:
        for attachment in reading.attachments:
            if not self._left_out.attachment(attachment):
                finding = self._judge.judge(attachment)
                if finding.verdict is not Verdict.CLEAN:
                    yield finding

    def _is_left_out(self, path: str) -> bool:
        return path in self._lists or self._left_out.file(path)


def _sorted(unjudged: Iterable[Unjudged]) -> tuple[Unjudged, ...]:
    return tuple(sorted(set(unjudged), key=lambda one: (one.place.path, one.place.line, one.reason)))


def _refuse_bad_variables(path: str) -> None:
    """A file of values that was named counts whole, or not at all."""
    from unapproved_iam.terraform.module_files import HclSyntaxError, VariableFile

    _argument(path, "--var-file")
    try:
        for attribute in VariableFile(os.path.abspath(path)).assignments.values():
            _ = attribute.expression
    except HclSyntaxError as error:
        raise UsageError(f"--var-file {path}:{error.line}: {error.problem}") from error


def _argument(path: str, name: str) -> bytes:
    try:
        return contents(path)
    except OSError as error:
        raise UsageError(f"{name} {path}: {error.strerror or error}") from error
