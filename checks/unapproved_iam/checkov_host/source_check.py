"""Find the resource that checkov asks about in our own reading of its root module or plan, for the Terraform checks.

checkov's values are not used: it loses or distorts some. A resource is found by its file, and by its address with the
module calls in it, which checkov's graph knows. Two roots may call one module: then address and file of two nodes of
the graph are equal, and only the identity of the configuration object tells them apart.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from checkov.common.bridgecrew.platform_integration import bc_integration
from unapproved_iam.checkov_host.check_verdict import JudgedByEngine, Known, Question, reading_of_block, scanned_path
from unapproved_iam.checkov_host.resource_conf import reading_of_conf
from unapproved_iam.deny_list.discovery import repository_root
from unapproved_iam.deny_list.verdict import without_instance_keys
from unapproved_iam.late_patterns import late_pattern
from unapproved_iam.policies.attachment import Attachment, Reading
from unapproved_iam.scan.guarded_reading import guarded
from unapproved_iam.scan.source_files import Kind, SourceDirectory, ignored_directories, walk
from unapproved_iam.terraform.plan import read_plan
from unapproved_iam.terraform.root_module import TerraformTree
from unapproved_iam.terraform.source_look import local_path


class TerraformResources(JudgedByEngine):
    """Answers for resources, of source and plans alike."""

    def look_up(self, question: Question) -> Known:
        written = question.conf.get("__address__")  # `.tf.json` files have none
        return _look_up(question, written or f"{question.resource_type}.{question.name}")


class ModuleCalls(JudgedByEngine):
    """Answers for calls of modules that are not in the tree; what is in the tree is judged resource by resource."""

    def look_up(self, question: Question) -> Known | None:
        if _is_local(question.conf.get("source")):
            return None
        written = question.conf.get("__address__") or question.name  # `call`, or `module.outer.call`
        return _look_up(question, _LAST_STEP.sub(r"module.\g<0>", written))


def _look_up(question: Question, address: str) -> Known:
    """In the plan, or in the source, or else in what checkov made of it."""
    plan = _text(question.conf.get("__file__"))
    if plan:
        return _in_plan(os.path.abspath(plan), address)
    block = _block_of(question)
    if block:
        return _in_source(block, address)
    path = scanned_path(question.scanned_file)
    return Known(path, reading_of_conf(question.resource_type, address, question.conf, path, 1))


def _in_plan(path: str, address: str) -> Known:
    reading = _read_plan(path)
    attachments = tuple(one for one in reading.attachments if one.resource == address)
    return Known(path, Reading(attachments, reading.unjudged))


class Block(NamedTuple):
    """Where the source of a resource or module call stands."""

    path: str  # absolute
    first_line: int
    last_line: int
    root_module: str  # the directory of the outermost module call, else of the file


def _block_of(question: Question) -> Block | None:
    """By the graph of checkov's Terraform runner; None without one (`.tf.json`) and in a module that it downloaded."""
    graph = _nodes_of(question.graph) if question.graph is not None else Nodes({}, {})
    node = graph.by_configuration.get(id(question.conf))
    if node is None:
        return None
    path = outermost = os.path.abspath(node["file_path_"])
    call = node.get("source_module_object_")
    while call:
        if not _is_local(graph.sources.get((call.path, call.name), ".")):
            return None
        outermost, call = os.path.abspath(call.path), call.nested_tf_module
    return Block(path, node["__start_line__"], node["__end_line__"], os.path.dirname(outermost))


class Nodes(NamedTuple):
    """What is looked up in a graph of checkov's."""

    by_configuration: Mapping[int, dict[str, Any]]  # attributes, by the identity of what a check is handed
    sources: Mapping[tuple[str, str], Any]  # of module calls, by file and name


@lru_cache(maxsize=4)  # keeps the graph, and so the identities
def _nodes_of(graph: Any) -> Nodes:
    by_configuration, sources = {}, {}
    for _, attributes in graph.nodes():
        configuration = attributes.get("config_")
        while isinstance(configuration, dict) and len(configuration) == 1:  # {type: {name: …}}, {name: …}
            (configuration,) = configuration.values()
            by_configuration[id(configuration)] = attributes
        if attributes.get("block_type_") == "module" and isinstance(configuration, dict):
            name = without_instance_keys(attributes["block_name_"])
            sources[attributes["file_path_"], name] = configuration.get("source")
    return Nodes(by_configuration, sources)


def _in_source(block: Block, address: str) -> Known:
    """What the engine found in a block; an instance whose key both know has its own, every other has all."""
    asked = _steps(address)
    of_block = _by_block(block.root_module).get((os.path.realpath(block.path), *_names(asked)), [])
    of_instance = [one for one in of_block if _is_instance(_steps(one.resource), asked)]
    lines = range(block.first_line, block.last_line + 1)
    whole = _read_root(block.root_module)
    return Known(block.path, reading_of_block(whole, block.path, lines, of_instance or of_block))


@lru_cache(maxsize=64)
def _by_block(root_module: str) -> Mapping[tuple[str, ...], list[Attachment]]:
    """The attachments of a root module by file and address without instance keys.

    An override file repeats the address of what it changes; judged is the block that is changed.
    """
    found: dict[tuple[str, ...], list[Attachment]] = {}
    for one in _read_root(root_module).attachments:
        found.setdefault((os.path.realpath(one.block.path), *_names(_steps(one.resource))), []).append(one)
    return found


_STEP = late_pattern(r'([^.\[\]]+)(\[(?:"(?:[^"\\]|\\.)*"|\d+)\])?')
_LAST_STEP = late_pattern(_STEP.pattern + r"$")


def _steps(address: str) -> list[tuple[str, str]]:
    """Names and instance keys along an address, without the word `module`."""
    return [(name, key) for name, key in _STEP.findall(address) if name != "module"]


def _names(steps: list[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(name for name, _ in steps)


def _is_instance(steps: list[tuple[str, str]], asked: list[tuple[str, str]]) -> bool:
    """Whether no key differs; a key that one side does not know differs from none."""
    return all(key == other or not key or not other for (_, key), (_, other) in zip(steps, asked, strict=True))


def _is_local(source: Any) -> bool:
    """Whether a module is in the tree ("Module Sources" in the Terraform documentation)."""
    return local_path(_text(source)) is not None


def _text(value: Any) -> str:
    """A text that checkov may have wrapped in lists."""
    while isinstance(value, list) and value:
        value = value[0]
    return value if isinstance(value, str) else ""


# Those of --var-file, set by `unapproved-iam checkov`: from checkov itself a check does not learn them.
VAR_FILES: list[str] = []


@lru_cache(maxsize=1)
def _tree() -> TerraformTree:
    return TerraformTree(VAR_FILES, list(_variable_files()))


def _variable_files() -> Iterator[str]:
    """All variable files below the scanned directories."""
    for start in map(os.path.abspath, bc_integration.scan_dir or ()):
        for found in walk([start], ignored_directories(repository_root(start))):
            yield from found.paths(Kind.VARIABLES) if isinstance(found, SourceDirectory) else ()


@lru_cache(maxsize=64)
def _read_root(root_module: str) -> Reading:
    return guarded(_tree().read, root_module) or Reading()


@lru_cache(maxsize=4)
def _read_plan(path: str) -> Reading:
    return guarded(read_plan, path) or Reading()
