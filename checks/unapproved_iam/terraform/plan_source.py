"""Find the block in the source that a resource of a plan comes from: approvals name files, and reports show lines.

For `terraform.plan`. Module calls and names of an address lead there, as the plan's own configuration says where the
modules come from. A module that is not in the tree is represented by its call, as it is when the source is checked.
Nothing is evaluated: the plan says what is attached, and only the lines are sought. Source: "Resource Addressing" in
the Terraform documentation.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple, Protocol

from unapproved_iam.deny_list.verdict import without_instance_keys
from unapproved_iam.hcl.syntax import Attribute, HclSyntaxError
from unapproved_iam.late_patterns import late_pattern
from unapproved_iam.policies.attachment import Place
from unapproved_iam.policies.inline_skips import skip_in_block
from unapproved_iam.terraform.module_blocks import Module
from unapproved_iam.terraform.module_files import Declaration, Program, nested_type
from unapproved_iam.terraform.plan_lookup import call_of
from unapproved_iam.terraform.plan_resources import PlannedResource
from unapproved_iam.terraform.root_module import ProgramTree


class SourcePlace(NamedTuple):
    """Where the source attaches what a plan attaches."""

    place: Place  # of the argument that names the policy
    block: Place
    calls: tuple[Place, ...]  # of the arguments that bring the policy in, else of the calls; outermost first
    skip: str | None
    call: str = ""  # the address of the call that stands for a module which is not in the tree


def holds_configuration(directory: str) -> bool:
    """Whether a plan can have been made in this directory."""
    return ProgramTree(Program.OPENTOFU).module_at(directory) is not None


class CallSources(Protocol):
    def source_of_call(self, module: str) -> str | None:
        """Where the call of a module instance takes the module from, as the plan tells it."""


class PlanSource:
    """The root module that a plan was made of. Its directory is absolute."""

    def __init__(self, directory: str, plan: CallSources) -> None:
        self.directory = directory
        self._plan = plan
        self._tree = ProgramTree(Program.OPENTOFU)
        self._root = self._tree.module_at(directory)
        self._places: dict[tuple[str, str, str], SourcePlace | None] = {}
        self._modules: dict[str, _CalledModule | None] = {}
        self._blocks: dict[int, dict[tuple[str, ...], Declaration]] = {}

    @property
    def is_there(self) -> bool:
        return self._root is not None

    def place_of(self, resource: PlannedResource, attributes: Iterable[str], policy: str) -> SourcePlace | None:
        """Where the source attaches a policy, None where that is not found. `attributes` may name it."""
        module = without_instance_keys(resource.module)
        key = (module, resource.key, policy)
        if key not in self._places:
            try:
                self._places[key] = self._place_of(module, resource.key, tuple(attributes), policy)
            except HclSyntaxError:
                self._places[key] = None
        place = self._places[key]
        return place and place._replace(call=_with_keys(place.call, resource.module))

    def _place_of(self, address: str, key: str, attributes: tuple[str, ...], policy: str) -> SourcePlace | None:
        called = self._called(address)
        block = called and (called.foreign or self._blocks_of(called.module).get(tuple(key.split(".", 1))))
        if called is None or block is None:
            return None
        wanted = attributes if block is not called.foreign else tuple(block.attributes)
        lines = _Lines(called.module, policy)
        chain = [(step.caller, step.call) for step in called.steps]
        skips = (_skip_in(module, call) for module, call in [*chain, (called.module, block)])
        calls: list[Place] = []
        used = lines.variables(block, [name for name in wanted if name in block.attributes])
        for caller, call in reversed(chain):
            of_caller = _Lines(caller, policy)
            arguments = [name for name in call.attributes if name in used]
            calls.insert(0, of_caller.of_policy(call, arguments) or call.place)
            used = of_caller.variables(call, arguments)
        place = lines.of_policy(block, wanted, only_named=block is called.foreign)
        return SourcePlace(
            place=place or block.place,
            block=block.place,
            calls=tuple(calls),
            skip=next((skip for skip in skips if skip is not None), None),
            call=called.address if called.foreign else "",
        )

    # -- modules -------------------------------------------------------------------------------------------------------

    def _called(self, address: str) -> _CalledModule | None:
        if address not in self._modules:
            self._modules[address] = self._found_module(address)
        return self._modules[address]

    def _found_module(self, address: str) -> _CalledModule | None:
        if not address:
            return _CalledModule(address, self._root) if self._root else None
        parent_address, name, _ = call_of(address)
        parent = self._called(parent_address)
        if parent is None or parent.foreign:
            return parent
        call = self._blocks_of(parent.module).get((name,))
        if call is None:
            return None
        source = self._plan.source_of_call(address) or parent.module.written_source(call)
        module = self._tree.local_module(parent.module, source) if source else None
        if module is None:
            return parent._replace(address=address, foreign=call)
        return _CalledModule(address, module, (*parent.steps, _Step(parent.module, call)))

    def _blocks_of(self, module: Module) -> Mapping[tuple[str, ...], Declaration]:
        """Its attaching resources by type and name, its module calls by name; not what is declared twice, as where
        several root modules lie in one directory."""
        if id(module) not in self._blocks:
            declared = (*module.calls, *module.attaching)
            times = Counter(one.labels for one in declared)
            self._blocks[id(module)] = {one.labels: one for one in declared if times[one.labels] == 1}
        return self._blocks[id(module)]


class _Step(NamedTuple):
    caller: Module
    call: Declaration


class _CalledModule(NamedTuple):
    """A module that the root calls, or itself; `foreign` is the call in `module` of one that is not in the tree."""

    address: str
    module: Module
    steps: tuple[_Step, ...] = ()
    foreign: Declaration | None = None


def _with_keys(call: str, module: str) -> str:
    """The address of a call with the instance keys that the address of a module has on the way."""
    while call and module and without_instance_keys(module) != call:
        module = call_of(module)[0]
    return module if call else ""


def _skip_in(module: Module, block: Declaration) -> str | None:
    place = block.place
    return skip_in_block(_lines_of(module, place.path), place.line, place.end_line)


@lru_cache(maxsize=256)
def _lines_of(module: Module, path: str) -> list[str]:
    return module.lines_of(path)


class _Lines(NamedTuple):
    """Looks for a policy in the lines of a module's blocks."""

    module: Module
    policy: str  # its name or ARN; empty when it is not known

    def of_policy(self, block: Declaration, wanted: Collection[str], only_named: bool = False) -> Place | None:
        """The line that names the policy, else that of the first argument or nested block that may bring it."""
        places = [block.attributes[name].place for name in wanted if name in block.attributes]
        places += [nested.place for nested in block.blocks if nested_type(nested) in wanted]
        for place in places:
            for number, line in self._numbered(place):
                if self._names_policy(line):
                    return Place(place.path, number)
        return Place(places[0].path, places[0].line) if places and not only_named else None

    def variables(self, block: Declaration, wanted: list[str]) -> set[str]:
        """The input variables that these arguments are made of, through locals and the block's `for_each`."""
        waiting: list[Attribute] = [block.attributes[name] for name in wanted]
        variables: set[str] = set()
        seen: set[str] = set()
        while waiting:
            written = "\n".join(line for _, line in self._numbered(waiting.pop().place))
            for root, name in _REFERENCE.findall(written):
                if root == "var":
                    variables.add(name)
                elif f"{root}.{name}" not in seen:
                    seen.add(f"{root}.{name}")
                    found = self.module.local(name) if root == "local" else block.attributes.get("for_each")
                    waiting += [found] if found else []
        return variables

    def _numbered(self, place: Place) -> Iterator[tuple[int, str]]:
        lines = _lines_of(self.module, place.path)[place.line - 1 : place.end_line]
        return enumerate(lines, place.line)

    def _names_policy(self, line: str) -> bool:
        return bool(self.policy) and re.search(rf"(?<![\w-]){re.escape(self.policy)}(?![\w-])", line) is not None


_REFERENCE = late_pattern(r"\b(var|local|each)\.([\w-]+)")
