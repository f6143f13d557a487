"""Decide which parts of a root module and of what it calls say which policies it attaches: by following references.

For `scan.module_graph`: where whole files do not rule out that a denied policy is attached, a name counts only where it
stands in such a part. These are the arguments that attach policies, and what they refer to, through any number of
locals, variables, resources, outputs and calls. Nothing is evaluated, and no expression is parsed: names with a dot
between them are a reference, wherever they stand.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import NamedTuple

from unapproved_iam.hcl.source_text import NAME
from unapproved_iam.hcl.syntax import Attribute, Block, HclSyntaxError, parse_body
from unapproved_iam.late_patterns import late_pattern
from unapproved_iam.scan.source_files import Kind, listed
from unapproved_iam.source_bytes import readable
from unapproved_iam.terraform.module_files import nested_type
from unapproved_iam.terraform.resource_types import ATTACHING_TYPES
from unapproved_iam.terraform.resource_values import yields_arguments
from unapproved_iam.terraform.root_module import MAX_CALLS
from unapproved_iam.terraform.source_look import local_path

_BLANK = r"(?:\s|/\*(?s:.*?)\*/|(?:#|//)[^\n]*\n)*"
_DOT = rf"{_BLANK}\.{_BLANK}"
# (Looked around at the first name only to be fast: it has an end, and a beginning but for what precedes it in words.)
_REFERENCE = late_pattern(rf"(?<![A-Za-z_])({NAME})(?=[\s./#]){_DOT}({NAME})(?:{_DOT}({NAME}))?(?:{_DOT}({NAME}))?")
_LITERAL = late_pattern(r'\s*"([^"$%\\\n]*)"\s*')
_INSTANCES = ("count", "for_each")

Key = tuple[str, ...]  # ("var", NAME), ("local", NAME), ("output", NAME), (TYPE, NAME), ("data", TYPE, NAME)


class Part(NamedTuple):
    """A part of the source in a directory."""

    directory: str
    text: str


class Slice(NamedTuple):
    """What says which policies a unit attaches."""

    parts: dict[Part, tuple[Part, ...]]  # with those that each refers to
    passing: tuple[Part, ...]  # the arguments of calls of modules that are not in the tree
    attaches: bool  # whether something else than these attaches policies


class NotFollowed(Exception):
    """What a unit is made of cannot be told without reading it closely."""


class _Call(NamedTuple):
    directory: str | None  # of the module; None when that is not in the tree
    arguments: dict[str, Attribute]


class _Module:
    """What the configuration in one directory declares, for all programs that read it. Raises NotFollowed and
    HclSyntaxError."""

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self.calls: dict[str, _Call] = {}
        self.attaching: list[str] = []  # what attaches policies, in this very module
        self.passing: list[str] = []  # the arguments of calls of modules that are not in the tree
        self.texts: dict[Key, list[str]] = {}  # of variables, locals and outputs
        self.resources: dict[Key, list[Block]] = {}
        paths = listed(directory).paths(Kind.TERRAFORM)
        if not paths or any(path.endswith(".json") for path in paths):
            raise NotFollowed
        for path in paths:
            self._add_file(path)

    def _add_file(self, path: str) -> None:
        source = readable(path)
        if source is None:
            raise NotFollowed
        for block in parse_body(source, path).blocks:
            add = _ADD.get(block.type)
            if add:
                add(self, block)

    def add_locals(self, block: Block) -> None:
        for name, attribute in block.body.attributes.items():
            self._declare(("local", name), attribute)

    def add_variable(self, block: Block) -> None:
        self._declare(("var", *block.labels), *_all_but_description(block))
        for nested in block.body.blocks:  # a validation says which values there may be
            self._declare(("var", *block.labels), *_all_but_description(nested))

    def add_output(self, block: Block) -> None:
        key = ("output", *block.labels)
        self._declare(key, *_all_but_description(block))
        self.texts[key].append(_head(block))  # a loop over the module sees its name

    def _declare(self, key: Key, *attributes: Attribute) -> None:
        self.texts.setdefault(key, []).extend(attribute.text for attribute in attributes)

    def add_data(self, block: Block) -> None:
        self.resources.setdefault(("data", *block.labels), []).append(block)

    def add_resource(self, block: Block) -> None:
        self.resources.setdefault(block.labels, []).append(block)
        row = ATTACHING_TYPES.get(block.labels[0]) if block.labels else None
        if row:
            attributes = block.body.attributes
            found = [attributes[name].text for name in row.arguments if name in attributes]
            found += [nested.text for nested in block.body.blocks if nested_type(nested) in row.arguments]
            instances = [attributes[name].text for name in _INSTANCES if name in attributes]
            self.attaching += [_head(block), *found, *instances] if found else []

    def add_call(self, block: Block) -> None:
        arguments = block.body.attributes
        source = _LITERAL.fullmatch(arguments["source"].text) if "source" in arguments else None
        if source is None or len(block.labels) != 1 or block.labels[0] in self.calls:
            raise NotFollowed
        path = local_path(source[1]) or (source[1] if os.path.isabs(source[1]) else None)
        directory = os.path.normpath(os.path.join(self.directory, path)) if path else None
        self.calls[block.labels[0]] = _Call(directory, arguments)
        if directory is None:
            self.passing += [argument.text for argument in arguments.values()]


_ADD: dict[str, Callable[[_Module, Block], None]] = {
    "locals": _Module.add_locals,
    "variable": _Module.add_variable,
    "output": _Module.add_output,
    "data": _Module.add_data,
    "resource": _Module.add_resource,
    "module": _Module.add_call,
}


def _head(block: Block) -> str:
    """As the screen looks for it."""
    return " ".join((block.type, *(f'"{label}"' for label in block.labels)))


def _all_but_description(block: Block) -> Iterator[Attribute]:
    return (attribute for name, attribute in block.body.attributes.items() if name not in _PROSE)


_PROSE = frozenset({"description", "error_message"})


class Slices:
    """The modules of a tree, each of which is looked at once."""

    def __init__(self) -> None:
        self._modules: dict[str, _Module | None] = {}
        self.references_in = cache(_references_in)

    def of(self, root: str) -> Slice | None:
        """The parts of a root module that say what it attaches; None where that cannot be told."""
        try:
            return _Walk(self, root).slice()
        except (NotFollowed, HclSyntaxError):
            return None

    def module(self, directory: str) -> _Module:
        """Raises NotFollowed."""
        if directory not in self._modules:
            try:
                self._modules[directory] = _Module(directory)
            except (NotFollowed, HclSyntaxError):
                self._modules[directory] = None
        module = self._modules[directory]
        if module is None:
            raise NotFollowed
        return module


def _references_in(text: str) -> frozenset[Key]:
    return frozenset(tuple(filter(None, names)) for names in _REFERENCE.findall(text))


class _Walk:
    def __init__(self, slices: Slices, root: str) -> None:
        self._slices = slices
        self._heights: dict[str, int] = {}  # of modules within one another, by the directory of the outermost
        self._calls_of: dict[str, list[tuple[str, _Call]]] = {}  # with the caller's directory
        self._reach(root, ())

    def _reach(self, directory: str, above: tuple[str, ...]) -> int:
        if directory in above or len(above) + self._heights.get(directory, 0) > MAX_CALLS:
            raise NotFollowed
        if directory not in self._heights:
            heights = [0]
            for call in self._slices.module(directory).calls.values():
                if call.directory is not None:
                    self._calls_of.setdefault(call.directory, []).append((directory, call))
                    heights.append(1 + self._reach(call.directory, (*above, directory)))
            self._heights[directory] = max(heights)
        return self._heights[directory]

    def slice(self) -> Slice:
        modules = [self._slices.module(directory) for directory in self._heights]
        attaching = [Part(module.directory, text) for module in modules for text in module.attaching]
        passing = [Part(module.directory, text) for module in modules for text in module.passing]
        parts: dict[Part, tuple[Part, ...]] = {}
        waiting = [*attaching, *passing]
        while waiting:
            part = waiting.pop()
            if part not in parts:
                module = self._slices.module(part.directory)
                references = self._slices.references_in(part.text)
                parts[part] = tuple(meant for one in references for meant in self._meant(module, one))
                waiting += parts[part]
        return Slice(parts, tuple(passing), bool(attaching))

    def _meant(self, module: _Module, reference: Key) -> Iterator[Part]:
        """What a reference in a module leads to."""
        kind = reference[0]
        if kind == "module":
            yield from self._of_call(module, *reference[1:3])
        elif kind in ("var", "local"):
            yield from (Part(module.directory, text) for text in module.texts.get(reference[:2], ()))
        else:
            yield from self._of_resource(module, reference[1:] if kind == "resource" else reference)
        if kind == "var":
            for caller, call in self._calls_of.get(module.directory, ()):
                names = (reference[1], *_INSTANCES) if reference[1] in call.arguments else ()
                yield from _arguments(caller, call.arguments, names)

    def _of_resource(self, module: _Module, reference: Key) -> Iterator[Part]:
        """Its arguments; of one that has no other values, those of the attribute that is asked for."""
        length = 3 if reference[0] == "data" else 2
        asked = reference[length : length + 1]
        for block in module.resources.get(reference[:length], ()):
            attributes = block.body.attributes
            if yields_arguments(".".join(reference[: length - 1])):
                yield from _arguments(module.directory, attributes, (*asked, *_INSTANCES) if asked else attributes)
            else:
                yield Part(module.directory, _head(block))
                yield from _arguments(module.directory, attributes, attributes)

    def _of_call(self, module: _Module, name: str, output: str = "") -> Iterator[Part]:
        call = module.calls.get(name)
        if call is None or call.directory is None:
            return
        yield from _arguments(module.directory, call.arguments, _INSTANCES)
        for key, texts in self._slices.module(call.directory).texts.items():
            if key[0] == "output" and output in ("", *key[1:]):
                yield from (Part(call.directory, text) for text in texts)


def _arguments(directory: str, attributes: dict[str, Attribute], names: Iterable[str]) -> Iterator[Part]:
    return (Part(directory, attributes[name].text) for name in names if name in attributes)
