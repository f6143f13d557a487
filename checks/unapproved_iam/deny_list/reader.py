"""Read the deny list from its file and those that it extends: the one authority on what is a valid list.

Reports all that is wrong at once, with lines: a list that is half understood is a silent hole, so it is not used.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import NamedTuple, TypeVar

from unapproved_iam.deny_list.builtin_lists import BUILTIN_LISTS
from unapproved_iam.deny_list.entries import (
    PRINCIPAL_KINDS,
    Approval,
    DenyList,
    Entry,
    Exclusion,
    InlineSkips,
    Origin,
    Unresolved,
)
from unapproved_iam.deny_list.list_format import ATTACHED_TO, DAY, DENY_LIST, FILES, NEEDS_NO_FILES, POLICY, Form, Key
from unapproved_iam.marked_yaml import MOST_BYTES, Kind, Marked, NoYaml, read_marked_yaml
from unapproved_iam.policies.policy_pattern import impossible_because, unknown_because
from unapproved_iam.program import UsageError

# Looking for the name that was meant takes some milliseconds; beyond so many the file is no list of policy names.
MOST_SUGGESTIONS = 50

_Value = TypeVar("_Value")


class Problem(NamedTuple):
    """Something wrong in a list; `line` is 0 when no line is to blame."""

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        said = f"{self.path}:{self.line}: {self.what}" if self.line else f"{self.path}: {self.what}"
        return _printable(said)  # one line, whatever the list quotes


class DenyListError(UsageError):
    """No usable deny list; its text is all problems, one per line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


def read_deny_list(path: str, *, shown_as: str | None = None, within: str | None = None) -> DenyList:
    """The effective list of a file, after `use` and `extends`. Raises `DenyListError`.

    `shown_as` is how findings call the file (default: `path`); `within` is the directory that the files it extends
    must not leave, symbolic links resolved (default: they may be anywhere).
    """
    reader, shown_as = _Reader(within), path if shown_as is None else shown_as
    parts = reader.read(path, shown_as)
    entries = tuple(entry for part in parts for entry in part.entries)
    if not entries and not reader.problems:
        what = f"denies nothing (expected use, deny or extends, e.g. use: [{next(iter(BUILTIN_LISTS))}])"
        reader.problems.append(Problem(path, 0, what))
    if reader.problems:
        files = list(dict.fromkeys(problem.path for problem in reader.problems))
        raise DenyListError(sorted(reader.problems, key=lambda problem: (files.index(problem.path), problem.line)))
    return DenyList(
        shown_as,
        entries,
        tuple(approval for part in parts for approval in part.approvals),
        tuple(exclusion for part in parts for exclusion in part.exclusions),
        _effective([part.unresolved for part in parts], Unresolved.FAIL, Unresolved.PASS),
        _effective([part.inline_skips for part in parts], InlineSkips.REFUSE, InlineSkips.ALLOW),
    )


class _Part(NamedTuple):
    """What one file contributes."""

    entries: list[Entry]
    approvals: list[Approval]
    exclusions: list[Exclusion]
    unresolved: Unresolved | None = None
    inline_skips: InlineSkips | None = None


class _Use(NamedTuple):
    """A built-in list whose entries count, perhaps from a later day on."""

    name: str
    enforce_from: date | None


def _effective(words: list[_Value | None], strict: _Value, default: _Value) -> _Value:
    """The first file's word counts; where it is silent, the strictest of those that it extends."""
    return words[0] or (strict if strict in words else default)


class _Reader:
    """Reads a file and those that it extends, each once, the extending file first."""

    def __init__(self, within: str | None) -> None:
        self.within = os.path.realpath(within) if within is not None else None
        self.problems: list[Problem] = []
        self.done: set[str] = set()
        self.extending: list[str] = []

    def read(self, path: str, shown_as: str, extended_at: Problem | None = None) -> list[_Part]:
        real = os.path.realpath(path)
        try:
            if refusal := self._refused(path, real):
                raise _NoFile(refusal)
            if real in self.done:
                return []
            self.done.add(real)
            self.extending.append(real)
            parts = self._read_file(path, shown_as)
            self.extending.pop()
        except _NoFile as error:
            what = f'"{path}" {error}' if extended_at else str(error)
            self.problems.append((extended_at or Problem(path, 0, ""))._replace(what=what))
            return [_Part([], [], [])]
        return parts

    def _refused(self, path: str, real: str) -> str | None:
        if real in self.extending:
            return "extends itself (expected no cycle)"
        if self.within is not None and os.path.commonpath([self.within, real]) != self.within:
            named = (
                "only a list named by --deny-list or UNAPPROVED_IAM_POLICIES may be elsewhere, or extend one that is"
            )
            return f"is outside the repository (expected a file below {self.within}; {named})"
        if self.within is not None and os.path.exists(real) and not os.path.isfile(real) and not os.path.isdir(real):
            return "is not a regular file (expected a deny list)"  # reading a pipe may never end
        return None

    def _read_file(self, path: str, shown_as: str) -> list[_Part]:
        file = _File(path, shown_as, self.problems)
        try:
            document = read_marked_yaml(_content(path))
        except NoYaml as error:
            self.problems.append(Problem(path, error.line, str(error)))
            return [_Part([], [], [])]
        if document is None or document.kind is Kind.NOTHING:
            self.problems.append(Problem(path, 0, f"is empty (expected {DENY_LIST.expected})"))
            return [_Part([], [], [])]
        keys = file.mapping(document, DENY_LIST, "the deny list")
        parts = [file.part(keys)]
        for other in file.items(keys.get("extends"), DENY_LIST.keys["extends"].form, "extends"):
            directory = os.path.dirname
            at = Problem(path, other.line, "")
            if re.match(r"[a-z0-9+]+://", other.text):
                self.problems.append(at._replace(what=f'"{other.text}" is not a local file (expected a path)'))
                continue
            parts += self.read(
                os.path.normpath(os.path.join(directory(path), other.text)),
                os.path.normpath(os.path.join(directory(shown_as), other.text)),
                at,
            )
        return parts


class _NoFile(Exception):
    """There is no file that could be a deny list; who names it is to blame."""


def _content(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise _NoFile(f"cannot be read: {why} (expected a deny list)") from error


class _File:
    """Checks one file's document against the format and makes the list's values of it."""

    def __init__(self, path: str, shown_as: str, problems: list[Problem]) -> None:
        self.path = path
        self.shown_as = shown_as
        self.problems = problems

    # ---- the format

    def report(self, line: int, what: str) -> None:
        self.problems.append(Problem(self.path, line, what))

    def mapping(self, value: Marked, form: Form, called: str) -> dict[str, Marked]:
        """The values of the known keys, each once, that are what they may be; a short form counts as its mapping."""
        if form.short and value.kind is not Kind.MAPPING:
            short = form.keys[form.short].form
            return {form.short: value} if self._fits(value, short, called, form.expected) else {}
        if not self._fits(value, form, called):
            return {}
        found: dict[str, Marked] = {}
        seen: set[str] = set()
        for name, held in value.pairs:
            key = form.keys.get(name.text) if name.kind is Kind.TEXT else None
            if key is None:
                self.report(name.line, _unknown_key(name, form.keys))
            elif name.text in seen:
                self.report(name.line, f'the key "{name.text}" appears twice (expected once)')
            elif self._fits(held, key.form, f'"{name.text}"'):
                found[name.text] = held
            seen.add(name.text)
        for name_of_key, key in form.keys.items():
            if key.required and name_of_key not in seen:
                self.report(
                    value.line, f'{called} has no "{name_of_key}" (expected {name_of_key}: {key.form.expected})'
                )
        return found

    def items(self, value: Marked | None, form: Form, called: str) -> Iterator[Marked]:
        """The items of a list that are scalars of the right form, each once."""
        assert form.items
        seen = set()
        items = (value.items if value.kind is Kind.LIST else (value,)) if value else ()
        for item in items:
            if self._fits(item, form.items, f'an item of "{called}"'):
                if item.text in seen:
                    self.report(item.line, f'"{item.text}" appears twice (expected once)')
                    continue
                seen.add(item.text)
                yield item

    def _fits(self, value: Marked, form: Form, called: str, expected: str = "") -> bool:
        expected = expected or form.expected
        if form.or_one and form.items and value.kind is not Kind.LIST:
            return self._fits(value, form.items, called, expected)
        if value.kind is not form.kind:
            self.report(value.line, f"{called} is {_description(value)} (expected {expected})")
        elif value.kind is Kind.LIST and not value.items:
            self.report(value.line, f"{called} is an empty list (expected {expected})")
        elif form.choices and value.text not in form.choices:
            self.report(
                value.line,
                f'{called} is "{_clipped(value.text)}" (expected {expected}{_meant(value.text, form.choices)})',
            )
        elif form.pattern and not re.fullmatch(form.pattern, value.text):
            self.report(
                value.line, f'{called} is "{_clipped(value.text)}" (expected {expected}{_hint(value.text, form)})'
            )
        else:
            return True
        return False

    # ---- the values

    def part(self, keys: dict[str, Marked]) -> _Part:
        part = _Part(
            list(self._values(keys, "deny", self._entry, lambda entry: (entry.policy,))),
            list(
                self._values(keys, "approve", self._approval, lambda a: (a.policy, a.attached_to, ", ".join(a.files)))
            ),
            list(self._values(keys, "exclude", self._exclusion, lambda exclusion: (exclusion.path,))),
            Unresolved(keys["unresolved"].text) if "unresolved" in keys else None,
            InlineSkips(keys["inline_skips"].text) if "inline_skips" in keys else None,
        )
        for use in self._values(keys, "use", self._use, lambda use: (use.name,)):
            part.entries.extend(one._replace(enforce_from=use.enforce_from) for one in BUILTIN_LISTS[use.name])
        return part

    def _values(
        self,
        keys: dict[str, Marked],
        section: str,
        made: Callable[[dict[str, Marked], Origin], _Value | None],
        identity: Callable[[_Value], tuple[str, ...]],
    ) -> Iterator[_Value]:
        form = DENY_LIST.keys[section].form.items
        assert form
        first: dict[tuple[str, ...], int] = {}
        for item in keys[section].items if section in keys else ():
            found = self.mapping(item, form, f'an item of "{section}"')
            value = made(found, Origin(self.shown_as, item.line))
            if value is None:
                continue
            line = first.get(identity(value))
            if line is not None:
                what = " ".join(filter(None, identity(value)))
                self.report(item.line, f'"{what}" is already at line {line} (expected once)')
            first.setdefault(identity(value), item.line)
            yield value

    def _use(self, keys: dict[str, Marked], origin: Origin) -> _Use | None:
        return _Use(keys["list"].text, self._day(keys.get("enforce_from"))) if "list" in keys else None

    def _entry(self, keys: dict[str, Marked], origin: Origin) -> Entry | None:
        policy = self._policy(keys)
        use_instead = self.items(keys.get("use_instead"), _form_of("deny", "use_instead"), "use_instead")
        replacements = tuple(_sentence(item) for item in use_instead)
        enforce_from = self._day(keys.get("enforce_from"))
        if policy is None:
            return None
        return Entry(policy, origin, _sentence(keys.get("reason")), replacements, enforce_from=enforce_from)

    def _approval(self, keys: dict[str, Marked], origin: Origin) -> Approval | None:
        policy = self._policy(keys)
        expires = self._day(keys.get("expires"))
        attached_to = keys.get("attached_to")
        if attached_to and "in" not in keys and not re.fullmatch(NEEDS_NO_FILES, attached_to.text):
            what = f'the address "{attached_to.text}" has no "in", and anyone can give a resource that name'
            self.report(attached_to.line, f"{what} (expected in: {FILES.expected})")
        if policy is None or attached_to is None or "reason" not in keys:
            return None
        return Approval(
            policy,
            attached_to.text,
            origin,
            _sentence(keys["reason"]),
            tuple(item.text for item in self.items(keys.get("in"), _form_of("approve", "in"), "in")),
            _sentence(keys.get("approved_by")),
            expires,
        )

    def _exclusion(self, keys: dict[str, Marked], origin: Origin) -> Exclusion | None:
        if "path" not in keys or "reason" not in keys:
            return None
        return Exclusion(keys["path"].text, _sentence(keys["reason"]), origin)

    def _policy(self, keys: dict[str, Marked]) -> str | None:
        policy = keys.get("policy")
        if policy is None:
            return None
        problem = impossible_because(policy.text)
        allow_unknown = "allow_unknown" in keys and keys["allow_unknown"].text.lower() == "true"
        if problem is None and not allow_unknown:
            problem = unknown_because(policy.text, suggest=len(self.problems) < MOST_SUGGESTIONS)
        if problem:
            self.report(policy.line, problem)
        return policy.text

    def _day(self, value: Marked | None) -> date | None:
        if value is None:
            return None
        try:
            return date.fromisoformat(value.text)
        except ValueError:
            self.report(value.line, f'"{value.text}" is not a date (expected {DAY.expected})')
            return None


def _form_of(section: str, key: str) -> Form:
    items = DENY_LIST.keys[section].form.items
    assert items
    return items.keys[key].form


def _sentence(value: Marked | None) -> str:
    """Text on one line: messages and reports are made of lines."""
    return " ".join(value.text.split()) if value else ""


def _description(value: Marked) -> str:
    if value.kind in (Kind.TEXT, Kind.NUMBER):
        return f'"{_clipped(value.text)}", {value.kind.value}'
    return value.text.lower() if value.kind is Kind.TRUTH else str(value.kind.value)


def _clipped(written: str) -> str:
    shown = written if len(written) <= 80 else written[:77] + "..."
    return _printable(shown)


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else f"\\x{ord(character):02x}" for character in text)


def _unknown_key(name: Marked, keys: Mapping[str, Key]) -> str:
    if name.kind is not Kind.TEXT:
        return f"a key is {_description(name)} (expected {', '.join(keys)})"
    return f'unknown key "{_clipped(name.text)}" (expected {", ".join(keys)}{_meant(name.text, keys)})'


def _meant(written: str, choices: Iterable[str]) -> str:
    import difflib  # only a mistake pays for it

    close = difflib.get_close_matches(written[:80].lower(), list(choices), n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _hint(written: str, form: Form) -> str:
    """What people have in mind who write it otherwise."""
    if form in (POLICY, FILES) and re.search(r"[\[\]{}]", written):
        return "; [ ] and { } are not special here"
    if form is FILES and re.match(r"\.?/", written):
        return "; drop the leading slash or dot"
    if form is FILES and written.endswith("/"):
        return f"; write {written}** for everything below"
    if form is ATTACHED_TO and written.startswith(tuple(f"{kind}/" for kind in PRINCIPAL_KINDS)):
        return "; drop the path from the principal's name"
    return _meant(written.partition("/")[0], PRINCIPAL_KINDS) if form is ATTACHED_TO else ""
