"""Read what documents other than Terraform and templates attach: eksctl, Crossplane, Ansible and the rest of the table.

For `scan.tree_check`; the table is `documents.document_types`. What a template engine fills in, `{{ … }}` or `${…}`, is
unknown. A document that is recognized and has another form than its row expects is `Unjudged`, never passed over.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from unapproved_iam.cloudformation.document import (
    Array,
    Node,
    Object,
    Scalar,
    Unreadable,
    documents_of,
    function_of,
    value_of,
    values_of,
)
from unapproved_iam.cloudformation.source_skips import TemplateText
from unapproved_iam.cloudformation.world import VARIABLE, scalar_text
from unapproved_iam.documents.document_types import DOCUMENT_TYPES, JSON_PATCH, MARKS, DocumentType, Form, Policies
from unapproved_iam.documents.recognition import steps_of
from unapproved_iam.documents.serverless_framework import is_serverless, read_serverless
from unapproved_iam.late_patterns import late_pattern
from unapproved_iam.policies.attachment import Attachment, Principal, Reading, Unjudged, together
from unapproved_iam.policies.policy_arn import aws_managed, customer_managed
from unapproved_iam.policies.policy_lookup import policies_named
from unapproved_iam.policies.possible_text import Hole, Text, text, unknown
from unapproved_iam.source_bytes import contents, decoded


def read_documents(path: str) -> Reading | None:
    """What the documents of a file attach; None when no row of the table is about any of them."""
    path = os.path.abspath(path)
    source = TemplateText(path, decoded(contents(path)))
    plain = _ESCAPED_LETTER.sub(lambda escape: chr(int(escape[1], 16)), source.written)
    rows = [row for row in DOCUMENT_TYPES.values() if any(mark in plain for mark in row.marks)]
    if not rows and not _PROVIDER.search(plain):
        return None
    readings = list(_readings_in(source, rows))
    return together(readings) if readings else None


def _readings_in(source: TemplateText, rows: Sequence[DocumentType]) -> Iterator[Reading]:
    try:
        for document in documents_of(source.written):
            yield from _readings_of(document, source, rows)
    except Unreadable as error:
        if _SEEMS_TO_HOLD.search(source.written):
            line = min(error.line, max(len(source.lines), 1))
            yield Reading(unjudged=(Unjudged(source.place(line), f"cannot be read: {error.reason}"),))


# In YAML and JSON an escape may write a letter of a mark.
_ESCAPED_LETTER = late_pattern(r"\\(?:x|u00|U000000)([2-7][0-9A-Fa-f])")
_PROVIDER = late_pattern(r"""\bprovider["']?[ \t]*:""")  # of the Serverless Framework
# In what is no YAML, such as a template of Helm, with a colon behind it; a part of a path says enough.
_SEEMS_TO_HOLD = late_pattern(rf"""(?:{"|".join(map(re.escape, MARKS))})(?:(?<=/)|["']?[ \t]*:)""")


def _readings_of(document: Node, source: TemplateText, rows: Sequence[DocumentType]) -> Iterator[Reading]:
    if is_serverless(document):
        yield read_serverless(document, source)
    targets: dict[int, str] = {}
    for key, node in _parts_of(document) if rows else ():
        if isinstance(node, Scalar):
            yield from _readings_within(node, source, rows, targets.get(id(node), ""))
            continue
        targets |= {id(patch): _target_of(node) for patch in values_of(node, "patch")}
        for row in rows:
            found = row.recognize(node)
            if found is not None:
                yield _Recognized(row, node, found, key, source).reading()


# A text of its own: a patch of Kustomize, an entry of a ConfigMap, a template within a Composition.
_DOCUMENT = late_pattern(r"""^[\s\[{,-]*["']?(?:apiVersion|op)["']?[ \t]*:""", re.MULTILINE)
_BLOCK = late_pattern(r"[|>][+-]?\d?[+-]?[ \t]*(?:#.*)?$")
MOST_WITHIN = 3  # texts within one another


def _target_of(patch: Object) -> str:
    """To what Kustomize applies a patch: KIND/NAME."""
    target = value_of(patch, "target")
    return "/".join(filter(None, (_written(target, key) for key in ("kind", "name")))) if target else ""


def _readings_within(
    scalar: Scalar, source: TemplateText, rows: Sequence[DocumentType], target: str
) -> Iterator[Reading]:
    """What the documents attach that stand in a text of another one."""
    rows = [row for row in rows if row.framework == "kubernetes" and any(mark in scalar.text for mark in row.marks)]
    if not rows or not _DOCUMENT.search(scalar.text):
        return
    is_block = scalar.line and _BLOCK.search(source.lines[scalar.line - 1])
    within = _Within(
        source.path,
        scalar.text,
        source.place(scalar.line + bool(is_block)).line,
        on_one_line=source.on_one_line or not is_block,
        embedded=True,
        depth=getattr(source, "depth", 0) + 1,
        target=target,
    )
    if within.depth > MOST_WITHIN:
        reason = f"documents are nested more than {MOST_WITHIN} deep"
        yield Reading(unjudged=(Unjudged(within.place(1), reason),))
        return
    yield from _readings_in(within, rows)


@dataclass(frozen=True)
class _Within(TemplateText):
    """A text within texts; a patch has a target."""

    depth: int = 0
    target: str = ""


def _parts_of(document: Node) -> Iterator[tuple[Scalar, Object | Scalar]]:
    """Every mapping and every text, with the key under which it stands; each once, for an alias may repeat it."""
    seen: set[int] = set()
    waiting: list[tuple[Scalar, Node]] = [(Scalar("", getattr(document, "line", 0)), document)]
    while waiting:
        key, node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, Scalar):
            yield key, node
        elif isinstance(node, Array):
            waiting += [(Scalar("", item.line), item) for item in reversed(node.items)]
        else:
            yield key, node
            waiting += [(name, value) for name, value in reversed(node.pairs) if isinstance(name, Scalar)]


@dataclass(frozen=True)
class _Member:
    """The innermost list member, or value under any key, on the way to a policy: what an approval can name."""

    node: Node
    line: int
    address: str


@dataclass(frozen=True)
class _At:
    """A place on the way to a policy."""

    node: Node
    member: _Member
    path: str = ""  # from where the row's paths begin, as addresses and messages write it


class _Recognized:
    """One document, or a part of one, that a row of the table is about."""

    def __init__(self, row: DocumentType, node: Object, found: Node, key: Scalar, source: TemplateText) -> None:
        self._row = row
        self._found = found
        self._source = source
        self._is_base = key.text == "base"  # of a Composition of Crossplane, whose patches may name other principals
        name = next(filter(None, (_written(found, path) for path in row.name_paths)), "") or _written(node, "name")
        if row is JSON_PATCH:
            name = " ".join(filter(None, (getattr(source, "target", ""), _written(node, "path"))))
        address = row.label + _keyed(name) if row.label else _plain(key.text) if key.text else ""
        self._whole = _Member(node, key.line or node.line, address)

    def reading(self) -> Reading:
        attachments: list[Attachment] = []
        unjudged: list[Unjudged] = []
        for policies in self._row.policies:
            for at in self._reached(_At(self._found, self._whole), list(steps_of(policies.path)), unjudged):
                attachments += self._attached(at, policies, unjudged)
        return Reading(tuple(attachments), tuple(dict.fromkeys(unjudged)))

    def _reached(self, at: _At, steps: list[tuple[str, bool]], unjudged: list[Unjudged]) -> Iterator[_At]:
        """Where a path leads; something that is filled in later may be anything, and is reached whole."""
        if not steps or _is_null(at.node) or _is_filled_in(at.node):
            if not _is_null(at.node):
                yield at
            return
        (wanted, each), *rest = steps
        if not isinstance(at.node, Object) or function_of(at.node):
            unjudged.append(self._odd(at, "a mapping"))
            return
        for key, value in at.node.pairs:
            name = scalar_text(key)
            if wanted not in (name, "*"):
                continue
            if wanted == "*":
                yield from self._reached(self._member(at, value, key.line, _keyed(name)), rest, unjudged)
                continue
            inner = replace(at, node=value, path=f"{at.path}.{name}" if at.path else name)
            if not each or _is_null(value) or _is_filled_in(value):
                yield from self._reached(inner, rest, unjudged)
            elif isinstance(value, Array):
                for number, item in enumerate(value.items):
                    key_of_item = _keyed(_name_of(item)) or f"[{number}]"
                    yield from self._reached(self._member(inner, item, item.line, key_of_item), rest, unjudged)
            else:
                unjudged.append(self._odd(inner, "a list"))

    def _member(self, at: _At, node: Node, line: int, key: str) -> _At:
        path = at.path + key
        return _At(node, _Member(node, line, ".".join(filter(None, (self._whole.address, path)))), path)

    def _odd(self, at: _At, expected: str) -> Unjudged:
        function, _ = function_of(at.node) or ("", None)
        kind = function or {Object: "a mapping", Array: "a list", Scalar: "a text"}[type(at.node)]
        what = f"{at.path} of {self._row.name}" if at.path else self._row.name
        return Unjudged(self._source.place(at.node.line), f"{what} is {kind} (expected {expected})")

    def _attached(self, at: _At, policies: Policies, unjudged: list[Unjudged]) -> Iterator[Attachment]:
        block = self._source.place(*self._source.block_of(at.member.node, at.member.line))
        principals = tuple(self._principals(at.member))
        skip = self._source.skip_of(at.member.node, at.member.line)
        for policy, line in self._policies(at, policies, unjudged):
            yield Attachment(
                resource=at.member.address,
                resource_type=self._row.name,
                policy=policy,
                principals=principals,
                place=self._source.place(line),
                block=block,
                skip=skip,
                unit=self._source.path,
            )

    def _policies(self, at: _At, policies: Policies, unjudged: list[Unjudged]) -> Iterator[tuple[Text, int]]:
        if policies.form is Form.REFERENCE:
            yield customer_managed(unknown(at.path, "the document that it refers to names it")), at.node.line
            return
        for item in at.node.items if isinstance(at.node, Array) else [at.node]:
            if _is_null(item):
                continue
            if not isinstance(item, Scalar) and not _is_filled_in(item):
                unjudged.append(self._odd(replace(at, node=item), policies.form.value))
                continue
            for written in _texts_of(item, policies.form):
                yield from ((policy, item.line) for policy in _as_policies(written, policies.form))

    def _principals(self, member: _Member) -> Iterator[Principal]:
        start = self._found if member is self._whole else member.node
        for named in () if self._is_base else self._row.principals:
            names = next(filter(None, (_names_at(start, path) for path in named.paths)), [])
            if not names and len(self._row.principals) == 1:
                hole = unknown(named.kind, f"the document does not name the {named.kind}")
                yield Principal(named.kind, hole, member.address)
            yield from (Principal(named.kind, _text_of(name), member.address) for name in names)


def _names_at(node: Node, path: str) -> list[Scalar]:
    """The names, one or several, that stand under a path."""
    for wanted, _ in steps_of(path):
        pairs = node.pairs if isinstance(node, Object) else []
        node = next((value for key, value in reversed(pairs) if scalar_text(key) == wanted), Scalar("", is_null=True))
    items = node.items if isinstance(node, Array) else [node]
    return [item if isinstance(item, Scalar) else Scalar("${…}") for item in items if not _is_null(item)]


def _written(node: Node, path: str) -> str:
    return "".join(name.text for name in _names_at(node, path)[:1])


def _name_of(item: Node) -> str:
    """What a member of a list is called."""
    return next(filter(None, (_written(item, path) for path in ("name", "metadata.name", "serviceAccountName"))), "")


def _keyed(name: str) -> str:
    return '["' + name.replace('"', "'") + '"]' if name else ""


def _plain(key: str) -> str:
    """A key as an address writes it: one of other characters stands in brackets."""
    return key if re.fullmatch(r"\w[\w-]*", key, re.ASCII) else f"resource{_keyed(key)}"


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and (node.is_null or not node.text)


# What Helm, Jinja, Kustomize's replacements, `envsubst` and Go templates fill in; `!vault` hides a text of Ansible's.
_FILLED_IN = late_pattern(rf"(\{{\{{.*?\}}\}}|\{{%.*?%\}}|<%.*?%>|{VARIABLE}|\$\(.*?\)|\$[A-Za-z_]\w*)", re.DOTALL)


def _is_filled_in(node: Node) -> bool:
    """Whether a whole value comes from elsewhere."""
    if isinstance(node, Object):
        return (function_of(node) or ("",))[0] == "Fn::vault" or _is_flow_of_braces(node)
    return isinstance(node, Scalar) and _FILLED_IN.fullmatch(node.text.strip()) is not None


def _is_flow_of_braces(node: Object) -> bool:
    """`key: {{ value }}` without quotes, which YAML reads as a mapping with a mapping for its key."""
    return len(node.pairs) == 1 and isinstance(node.pairs[0][0], Object)


def _text_of(node: Node) -> Text:
    """A text with holes for what is filled in."""
    if not isinstance(node, Scalar):
        return unknown("…", "it is filled in before the document is used")
    parts = _FILLED_IN.split(node.text.strip())
    return text(
        *(
            Hole(part, f"{part} is filled in before the document is used") if n % 2 else part
            for n, part in enumerate(parts)
        )
    )


def _texts_of(node: Node, form: Form) -> list[Text]:
    """One text, or where Ansible takes a list several with commas between."""
    if form is Form.NAME and isinstance(node, Scalar) and "," in node.text and not _FILLED_IN.search(node.text):
        return [text(part.strip()) for part in node.text.split(",")]
    return [_text_of(node)]


def _as_policies(written: Text, form: Form) -> tuple[Text, ...]:
    if form is Form.ARN or str(written).startswith("arn:") or (form is Form.NAME and written.is_unknown):
        return (written,)
    if form is Form.CUSTOMER:
        return (customer_managed(written),)
    known = written.known or ""
    return (aws_managed(known),) if "/" in known else policies_named(written)
