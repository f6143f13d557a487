"""Read what Terraform source would attach: every root module of a tree, with its local modules and variable files.

For the command and the checks. A root module is a directory with configuration that nobody calls but directories below
it, or that has a backend or variable files of its own; every other directory is checked through its calls. Source:
"Modules" in the Terraform documentation.

    tree = TerraformTree()
    for root in tree.root_modules(["/repo"]):
        reading = tree.read(root)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence

from unapproved_iam.deny_list.discovery import repository_root
from unapproved_iam.hcl.scope import Files
from unapproved_iam.hcl.syntax import Attribute
from unapproved_iam.policies.attachment import Reading, limits_in
from unapproved_iam.terraform.module_blocks import Module
from unapproved_iam.terraform.module_files import Declaration, Directories, Program
from unapproved_iam.terraform.module_reading import attachments_of_unit
from unapproved_iam.terraform.module_scope import ModuleScope, Unit
from unapproved_iam.terraform.source_look import local_path
from unapproved_iam.terraform.variable_files import VariableFiles
from unapproved_iam.terraform.variables import RootVariables, Variables

MAX_CALLS = 100  # modules within modules: real code stays below 8
WITHOUT_TOFU = "terraform runs it, which reads no .tofu file"


# Which arguments of a call in a directory may pass a policy; the root module's directory comes first.
MayPass = Callable[[str, str, Mapping[str, Attribute]], frozenset[str]]


def everything(root: str, directory: str, arguments: Mapping[str, Attribute]) -> frozenset[str]:
    return frozenset(arguments)


class TerraformTree:
    """All Terraform modules of a tree, as terraform and OpenTofu read it.

    `var_files` are those of `--var-file`, in their order; they count for every root module. `elsewhere` are all
    variable files of the tree: those that are for a root module count for it wherever they lie.
    """

    def __init__(
        self, var_files: Sequence[str] = (), elsewhere: Sequence[str] = (), may_pass: MayPass = everything
    ) -> None:
        self._by_opentofu = ProgramTree(Program.OPENTOFU, var_files, elsewhere, may_pass)
        self._by_terraform = ProgramTree(Program.TERRAFORM, var_files, elsewhere, may_pass)

    def root_modules(self, paths: Iterable[str], among: Iterable[str] | None = None) -> list[str]:
        """The root modules at and below these directories; absolute, sorted.

        `among` names the absolute directories that are to be looked at, when it is known that nobody else calls them.
        """
        paths, among = list(paths), None if among is None else set(among)
        roots = self._by_opentofu.root_modules(paths, among)
        if self._by_opentofu.holds_tofu:
            roots = sorted({*roots, *self._by_terraform.root_modules(paths, among)})
        return roots

    def read(self, root_module: str, variables: Variables | None = None) -> Reading:
        """What a root module attaches, and what of it could not be read; `variables` instead of those in its files."""
        reading = self._by_opentofu.read(root_module, variables)
        if not self._by_opentofu.holds_tofu:
            return reading
        other = self._by_terraform.read(root_module, variables)
        known = set(reading.attachments)
        only = (one for one in other.attachments if one not in known)
        attachments = (*reading.attachments, *(one._replace(when=(*one.when, WITHOUT_TOFU)) for one in only))
        return Reading(attachments, tuple(dict.fromkeys((*reading.unjudged, *other.unjudged))))


def tree_of_opentofu() -> ProgramTree:
    """The modules as the program reads them that reads every file."""
    return ProgramTree(Program.OPENTOFU)


class ProgramTree:
    """The modules as one program reads them; each file is read and parsed once, however many roots need it."""

    def __init__(
        self,
        program: Program,
        var_files: Sequence[str] = (),
        elsewhere: Sequence[str] = (),
        may_pass: MayPass = everything,
    ) -> None:
        self._may_pass = may_pass
        self._elsewhere = VariableFiles(elsewhere, self.module_at)
        self._var_files = [os.path.abspath(path) for path in var_files]
        self._directories = Directories(program)
        self._modules: dict[str, Module] = {}
        self._may_attach: dict[str, bool] = {}
        self._readings: dict[str, Reading] = {}
        self._scanned: list[str] = []

    @property
    def holds_tofu(self) -> bool:
        return self._directories.holds_tofu

    def root_modules(self, paths: Iterable[str], among: Iterable[str] | None = None) -> list[str]:
        self._scanned = [os.path.abspath(path) for path in paths]
        if among is None:
            among = {one for path in self._scanned for one in self._directories.below(path)}
        modules = [module for directory in sorted(among) if (module := self.module_at(directory))]
        # What only its own examples and tests call is published: others call it as they like.
        called = {
            called.identity
            for module in modules
            for called in self._local_calls(module)
            if not module.identity.startswith(called.identity + os.sep)
        }
        roots = [module for module in modules if module.identity not in called or self._is_applied_itself(module)]
        reached: set[str] = set()
        for module in roots:
            self._reach(module, reached)
        for module in modules:
            # Modules that only call one another: nobody applies them, and yet nothing goes unseen.
            if module.identity not in reached:
                roots.append(module)
                self._reach(module, reached)
        return sorted(module.directory for module in roots)

    def read(self, root_module: str, variables: Variables | None = None) -> Reading:
        directory = os.path.abspath(root_module)
        if variables is not None:
            module = self.module_at(directory)
            return self._read(module, variables) if module else Reading()
        if directory not in self._readings:
            module = self.module_at(directory)
            self._readings[directory] = self._read(module, self._variables_of(module)) if module else Reading()
        return self._readings[directory]

    def _read(self, root: Module, variables: Variables) -> Reading:
        return self.reading_of(ModuleScope(self.unit_of(root, variables), root))

    def unit_of(self, root: Module, variables: Variables) -> Unit:
        return Unit(root, Files(root.directory, self._tree_of(root.directory)), variables, self)

    def reading_of(self, scope: ModuleScope) -> Reading:
        """What a root module attaches, and what of it could not be read."""
        unit, root = scope.unit, scope.module
        attachments = attachments_of_unit(scope)
        unjudged = [one for module in (root, *unit.modules.values()) for one in module.unjudged]
        reasons = dict.fromkeys(hole.reason for one in attachments for hole in one.policy.holes)
        needed = [unit.problems[reason] for reason in reasons if reason in unit.problems]
        needed += limits_in(attachments)
        return Reading(tuple(attachments), tuple(dict.fromkeys((*needed, *unjudged))))

    def _tree_of(self, directory: str) -> str:
        """What expressions may read files from: the repository, without one the directory that is scanned."""
        repository = repository_root(directory)
        if repository != directory:
            return repository
        above = [path for path in self._scanned if os.path.commonpath([path, directory]) == path]
        return min(above, key=len, default=directory)

    def _variables_of(self, root: Module) -> RootVariables:
        directory = root.directory
        loaded = [os.path.join(directory, name) for name in root.listing.automatic_variables] + self._var_files
        others = [os.path.join(directory, name) for name in root.listing.other_variables]
        for below in self._directories.below(directory, without_configuration=True):
            listing = self._directories.listing(below) if below != directory else None
            if listing:
                names = (*listing.automatic_variables, *listing.other_variables)
                others += [os.path.join(below, name) for name in names]
        others += self._elsewhere.of(root)
        return RootVariables(directory, loaded, [path for path in dict.fromkeys(others) if path not in loaded])

    # -- modules and their calls ---------------------------------------------------------------------------------------

    def module_at(self, directory: str) -> Module | None:
        """The module in a directory, None when it holds no configuration."""
        if directory not in self._modules:
            listing = self._directories.listing(directory)
            if listing is None or not listing.has_configuration:
                return None
            self._modules[directory] = Module(directory, listing)
        return self._modules[directory]

    def _is_applied_itself(self, module: Module) -> bool:
        listing = module.listing
        return bool(listing.automatic_variables or listing.other_variables) or module.has_backend

    def _local_calls(self, module: Module) -> list[Module]:
        """The modules of the tree that it calls, by sources that are written out."""
        sources = (module.written_source(call) for call in module.calls)
        return [called for source in sources if source and (called := self.local_module(module, source))]

    def local_module(self, caller: Module, source: str) -> Module | None:
        """What a call with this source makes instances of; None when it is not in the tree."""
        path = local_path(source) or (source if os.path.isabs(source) else None)
        return self.module_at(os.path.normpath(os.path.join(caller.directory, path))) if path else None

    def _reach(self, module: Module, reached: set[str]) -> None:
        waiting = [module]
        while waiting:
            one = waiting.pop()
            if one.identity not in reached:
                reached.add(one.identity)
                waiting += self._local_calls(one)

    def called(self, scope: ModuleScope, call: Declaration, source: str | None) -> Module | None:
        """The module that a call makes instances of with this source; None when that is not known, or the module is
        not in the tree, or cannot be read."""
        module = self._module_of(scope.module, call, source) if source else None
        if source is None or (module is None and local_path(source) is None):
            return None
        if module is None:
            reason = f'module directory "{source}" holds no configuration, or is not there'
            scope.module.report_at(call.place, reason, _advice_on(os.path.join(scope.module.directory, source)))
            return None
        chain = [
            scope.unit.root.identity,
            *(call.caller.module.identity for call in scope.calls),
            scope.module.identity,
        ]
        if module.identity in chain or len(chain) > MAX_CALLS:
            more = f"is nested in more than {MAX_CALLS} modules"
            reason = "calls itself" if module.identity in chain else more
            scope.module.report_at(call.place, f'module "{source}" {reason}')
            return None
        return module

    def _module_of(self, caller: Module, call: Declaration, source: str) -> Module | None:
        return self.local_module(caller, source)

    def may_attach(self, caller: Module, call: Declaration) -> bool:
        """Whether anything may be attached by what a call makes."""
        source = caller.written_source(call)
        module = self.local_module(caller, source) if source else None
        return module is None or self._attaches(module)

    def may_pass(self, scope: ModuleScope, call: Declaration) -> frozenset[str]:
        """The arguments of a call of a module that is not in the tree that may pass a policy."""
        return self._may_pass(scope.unit.root.directory, scope.module.directory, call.attributes)

    def _attaches(self, module: Module) -> bool:
        if module.identity not in self._may_attach:
            self._may_attach[module.identity] = False  # a module that calls itself attaches nothing by that
            self._may_attach[module.identity] = bool(
                module.attaching or any(self.may_attach(module, call) for call in module.calls) or module.unjudged
            )
        return self._may_attach[module.identity]


def _advice_on(missing: str) -> str:
    """What to do about a module that is not there: git makes a submodule's directory, and fills it when asked."""
    is_empty = os.path.isdir(missing) and not os.listdir(missing)
    return "run git submodule update --init if it is a submodule" if is_empty else ""
