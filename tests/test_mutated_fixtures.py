"""Fixtures with something broken in them: whatever comes out is read, or said to be unreadable, and the screen agrees.

Hypothesis deletes, doubles, swaps and exchanges tokens and lines of the real fixtures, puts in brackets, quotes, odd
characters and parts of other fixtures, and cuts files off; `MUTATED_EXAMPLES=5000 pytest` tries more than CI does.
"""

from __future__ import annotations

import os
import re
import signal
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from project_files import PROJECT
from terraform_verdicts import ENTRIES
from unapproved_iam.deny_list.entries import DenyList, Entry, Origin, Unresolved
from unapproved_iam.deny_list.reader import DenyListError, read_deny_list
from unapproved_iam.scan.check_scope import Request
from unapproved_iam.scan.tree_check import findings_of
from written_files import write_tree

FIXTURES = PROJECT / "fixtures"
EXAMPLES = int(os.environ.get("MUTATED_EXAMPLES", "0"))
SECONDS = 60  # far more than any of the small fixtures takes, however it is broken

# -- what is broken, and how -------------------------------------------------------------------------------------------

Files = dict[str, str]  # a character for each byte, so that a change may cut one of UTF-8 in two


def files_of(directory: Path, *paths: Path) -> Files:
    return {str(path.relative_to(directory)): path.read_bytes().decode("latin-1") for path in paths if path.is_file()}


TERRAFORM = [files_of(tree, *tree.rglob("*")) for tree in sorted((FIXTURES / "terraform").iterdir())]
TERRAFORM += [files_of(tree, *tree.rglob("*")) for tree in sorted((FIXTURES / "checkov" / "source").iterdir())]
TEMPLATES = [
    files_of(path.parent, path)
    for kind in ("cloudformation", "sam", "checkov/templates", "checkov/unasked")
    for path in sorted((FIXTURES / kind).glob("*.yaml"))
]
TEMPLATES.append(files_of(FIXTURES / "cloudformation", *(FIXTURES / "cloudformation" / "nested").iterdir()))
PLANS = [files_of(path.parent, path) for path in sorted((FIXTURES / "plan").iterdir())]
LISTS = [files_of(path.parent, path) for path in sorted((FIXTURES / "deny_lists").rglob("*.yaml"))]
VALID_LISTS = [files_of(FIXTURES / "deny_lists" / "valid", *(FIXTURES / "deny_lists" / "valid").rglob("*.yaml"))]
VALID_LISTS += [files_of(path.parent, path) for path in sorted((FIXTURES / "deny_lists" / "valid").glob("*.yaml"))]
# Marks, characters that are easily taken for others, and words that mean something somewhere.
MARKS = "{}()[]\"'`=:,.?*&|!<>-+/\\#%$~@^;\n\r\t \0\x7f\x85\ufeff\u2028\u200d\u0130\u01c5\U0001f600\ud800"
WORDS = r"""
    ${ %{ %{if %{for~ %{endif} ~} /* */ // \u0041 \x41 ... [*] .* => == && null true 1e999 -1 0x1F
    each.key each.value count.index self path.module local. var. module. data. for in
    replace( jsondecode( file( templatefile( formatlist( flatten( try( merge( range( toset(
    !Sub !If !GetAtt !Foo !!binary &a *a <<: --- {"Ref":" "Fn::If": "Fn::ForEach::X": AWS::NoValue AWS::Include
    Condition Resources: __file__ arn: policy/ arn:aws:iam::aws:policy/ AdministratorAccess legacy- aws_iam_role
    AWS::IAM::Role
"""
LINES = [
    "<<EOT\n",
    "<<-EOT\n",
    "EOT\n",
    "---\n",
    "...\n",
    "%TAG ! x\n",
    "\\\n",
    "- \n",
    "? \n",
    "9" * 5000,
    "1e999999999",
]
ODD = [odd.encode("utf-8", "surrogatepass").decode("latin-1") for odd in (*MARKS, *WORDS.split(), *LINES)]


def tokens_of(content: str) -> list[str]:
    return re.findall(r"\w+|[^\S\n]+|.", content, re.DOTALL)


def literals_of(content: str) -> list[str]:
    return re.findall(r"\"[^\"\n]*\"|'[^'\n]*'|[\w:/.!-]+|[^\S\n]+|.", content, re.DOTALL)


def lines_of(content: str) -> list[str]:
    return content.splitlines(keepends=True)


def kind_of(part: str) -> object:
    """A part is exchanged for one of its kind, so that not everything falls apart: a line for one indented alike."""
    if len(part) > 1 and part.endswith("\n"):
        return len(part) - len(part.lstrip(" "))
    return "blank" if part.isspace() else "words" if re.search(r"\w", part) else "mark"


Parts = list[str]
# What becomes of the parts of a file between two places, where a new part may stand instead.
CHANGES: dict[str, Callable[[Parts, int, int, str], Parts]] = {
    "exchange": lambda parts, at, to, new: [*parts[:at], new, *parts[at + 1 :]],
    "insert": lambda parts, at, to, new: [*parts[:at], new, *parts[at:]],
    "delete": lambda parts, at, to, new: parts[:at] + parts[to:],
    "double": lambda parts, at, to, new: parts[:to] + parts[at:],
    "reverse": lambda parts, at, to, new: parts[:at] + parts[at:to][::-1] + parts[to:],
    "cut off": lambda parts, at, to, new: parts[:at],
}
OFTEN = [*("exchange",) * 8, *("insert", "delete", "double") * 3, "reverse", "cut off"]


def changed(draw: st.DrawFn, content: str, corpus: Sequence[Files]) -> str:
    cut = draw(st.sampled_from([tokens_of, literals_of, lines_of]))
    parts = cut(content) or [""]
    at = draw(st.integers(0, len(parts) - 1))
    to = at + draw(st.integers(1, 8))
    source = draw(st.sampled_from([ODD, parts, parts, None]))
    if source is None:
        another = draw(st.sampled_from(corpus))
        source = cut(another[draw(st.sampled_from(sorted(another)))])
    alike = source if source is ODD else [part for part in source if kind_of(part) == kind_of(parts[at])]
    new = draw(st.sampled_from(alike or ODD))
    return "".join(CHANGES[draw(st.sampled_from(OFTEN))](parts, at, to, new))


@st.composite
def mutated(draw: st.DrawFn, corpus: Sequence[Files], others: Sequence[Files]) -> Files:
    files = dict(draw(st.sampled_from(corpus)))
    for _ in range(draw(st.integers(1, 4))):
        name = draw(st.sampled_from(sorted(files)))
        files[name] = changed(draw, files[name], others)
    return files


# -- what must hold all the same ---------------------------------------------------------------------------------------


class Hang(BaseException):
    """Not an `Exception`, which a reader might be guarded against."""


@contextmanager
def bounded() -> Iterator[None]:
    def stop(_: int, __: FrameType | None) -> None:
        raise Hang(f"took more than {SECONDS} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


NAMES = (
    "AdministratorAccess",
    "PowerUserAccess",
    "job-function/*",
    "*FullAccess",
    "*User*",
    "AWSLambdaBasicExecutionRole",
)
DENY_LISTS = [
    DenyList("fixtures", ENTRIES),
    DenyList("fixtures", ENTRIES, unresolved=Unresolved.FAIL),
    *(DenyList("one", (Entry(name, Origin("one")),)) for name in (*NAMES, "*", "arn:aws:iam::*:policy/legacy-*")),
]


def judged(tree: Path, deny_list: DenyList, screen: bool) -> tuple[int, set[tuple[str, ...]]]:
    found = findings_of(Request([str(tree)], screen=screen), deny_list, str(tree), date(2026, 1, 1))
    violations = (finding.attachment for finding in found.violations)
    return found.exit_code, {(one.unit, one.block.path, one.resource, str(one.policy)) for one in violations}


def settled(examples: int) -> settings:
    return settings(max_examples=EXAMPLES or examples, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(autouse=True)
def _defects_are_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNAPPROVED_IAM_TRACEBACK", "1")


def judge_alike(files: Files, deny_list: DenyList) -> None:
    with tempfile.TemporaryDirectory() as directory, bounded():
        tree = write_tree(Path(directory), {name: content.encode("latin-1") for name, content in files.items()})
        assert judged(tree, deny_list, screen=True) == judged(tree, deny_list, screen=False)


@pytest.mark.parametrize("number", ["1e999999999", "1e-999999999", "9" * 5000], ids=["large", "small", "long"])
@pytest.mark.parametrize(
    "source",
    [
        '{"count": NUMBER}',
        '{"count": "NUMBER"}',
        '{"count": "${NUMBER}"}',
        '{"count": "${length([1].NUMBER)}"}',
        '{"count": "${\\"NUMBER\\" + 1}"}',
        '{"count": "${length(jsondecode(\\"[NUMBER]\\"))}"}',
        '{"count": "${length(yamldecode(\\"NUMBER\\"))}"}',
        '{"count": "${length([1][NUMBER])}"}',
        '{"role": "${format(\\"%[NUMBER]s\\", 1)}"}',
        '{"role": "${format(\\"%NUMBERs\\", 1)}"}',
    ],
)
def test_no_number_takes_forever(source: str, number: str) -> None:
    attached = source.replace("NUMBER", number).replace("{", '{"policy_arn": "arn:aws:iam::aws:policy/X", ', 1)
    files = {"main.tf.json": f'{{"resource": {{"aws_iam_role_policy_attachment": {{"x": {attached}}}}}}}'}
    judge_alike(files, DENY_LISTS[0])


lists = st.sampled_from(DENY_LISTS)


@settled(60)
@given(mutated(TERRAFORM, TERRAFORM), lists)
def test_terraform(files: Files, deny_list: DenyList) -> None:
    judge_alike(files, deny_list)


@settled(60)
@given(mutated(TEMPLATES, TEMPLATES), lists)
def test_templates(files: Files, deny_list: DenyList) -> None:
    judge_alike(files, deny_list)


@settled(30)
@given(mutated(PLANS, PLANS), lists)
def test_plans(files: Files, deny_list: DenyList) -> None:
    judge_alike(files, deny_list)


@settled(300)
@given(mutated(VALID_LISTS, LISTS))
def test_deny_lists(files: Files) -> None:
    with tempfile.TemporaryDirectory() as directory, bounded():
        tree = write_tree(Path(directory), {name: content.encode("latin-1") for name, content in files.items()})
        for name in files:
            try:
                assert read_deny_list(str(tree / name), shown_as=name).entries is not None
            except DenyListError as error:
                for line in str(error).splitlines():
                    assert re.match(r".+\.yaml(:\d+)?: \S", line), line
