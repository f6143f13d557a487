"""The reader against the fixtures: each says beside the line what is wrong with it."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from project_files import PROJECT
from unapproved_iam.deny_list.entries import Approval, InlineSkips, Unresolved
from unapproved_iam.deny_list.reader import DenyListError, read_deny_list
from unapproved_iam.marked_yaml import MOST_BYTES, NoYaml, read_marked_yaml
from unapproved_iam.policies.managed_policy_names import managed_policy_names
from unapproved_iam.policies.policy_arn import POLICY_ARN, globs_of_entry
from unapproved_iam.policies.policy_pattern import PATTERN, impossible_because, unknown_because

FIXTURES = PROJECT / "fixtures" / "deny_lists"
VALID = sorted((FIXTURES / "valid").glob("*.yaml"))
INVALID = sorted((FIXTURES / "invalid").glob("*.yaml"))


def expected_problems(path: Path) -> Iterator[str]:
    """`# error: …` stands on the line that is to blame; `# error at N: …` and `# error in the file: …` below."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        for where, what in re.findall(r"# error( at \d+| in the file|): (.*?)(?=  # error|$)", line):
            if where == " in the file":
                yield f"{path}: {what}"
            else:
                yield f"{path}:{where.removeprefix(' at ') or number}: {what}"


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_valid(path: Path) -> None:
    assert read_deny_list(str(path)).entries
    assert not list(expected_problems(path))


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_invalid(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    expected = list(expected_problems(Path(path.name)))
    with pytest.raises(DenyListError) as caught:
        read_deny_list(path.name)
    extended = {problem.path for problem in caught.value.problems} - {path.name}
    for other in sorted(extended):
        expected += expected_problems(Path(other))
    assert expected
    assert sorted(str(caught.value).splitlines()) == sorted(expected)
    of_the_file = [problem.line for problem in caught.value.problems if problem.path == path.name]
    assert of_the_file == sorted(of_the_file)


def test_the_whole_format_comes_through() -> None:
    path = str(FIXTURES / "valid" / "whole_format.yaml")
    deny_list = read_deny_list(path, shown_as="list.yaml")
    assert deny_list.source == "list.yaml"
    assert [(entry.policy, str(entry.origin)) for entry in deny_list.entries] == [
        ("AmazonRDSFullAccess", "list.yaml:5"),
        ("arn:aws:iam::aws:policy/job-function/*", "list.yaml:6"),
        ("arn:aws:iam::*:policy/legacy-*", "list.yaml:7"),
        ("AdministratorAccess", "built-in list aws-admin"),
        ("IAMFullAccess", "built-in list aws-admin"),
        ("PowerUserAccess", "built-in list aws-admin"),
        ("AWSCloudShellFullAccess", "built-in list aws-admin"),
    ]
    legacy = deny_list.entries[2]
    assert (legacy.reason, legacy.use_instead) == ("predates the permission model", ("AmazonRDSReadOnlyAccess",))
    [approval] = deny_list.approvals
    assert approval == Approval(
        "AdministratorAccess",
        "role/break-glass",
        approval.origin,
        "reviewed in SEC-142",
        ("live/security/**",),
        "security",
        date(2027, 6, 30),
    )
    assert (approval.origin.source, approval.origin.line) == ("list.yaml", 11)
    [exclusion] = deny_list.exclusions
    assert (exclusion.path, exclusion.reason, exclusion.origin.line) == ("charts/**", "Helm templates", 18)
    assert deny_list.unresolved is Unresolved.PASS


def test_extended_lists_come_after_the_one_that_extends_and_each_once() -> None:
    deny_list = read_deny_list(str(FIXTURES / "valid" / "extends_others.yaml"), shown_as="list.yaml")
    assert [str(entry.origin) for entry in deny_list.entries] == ["extended/deep/entries.yaml:2"]
    assert [str(approval.origin) for approval in deny_list.approvals] == ["extended/approvals.yaml:4"]
    assert deny_list.unresolved is Unresolved.FAIL


@pytest.mark.parametrize(
    ("key", "lax", "strict"), [("unresolved", "pass", "fail"), ("inline_skips", "allow", "refuse")]
)
def test_the_extending_lists_word_counts_else_the_strictest(key: str, lax: str, strict: str, tmp_path: Path) -> None:
    for own, extended, effective in (
        (None, (None, None), lax),
        (None, (None, strict), strict),
        (None, (lax, strict), strict),
        (lax, (strict, strict), lax),
        (strict, (lax, None), strict),
    ):
        for number, word in enumerate((own, *extended)):
            lines = ["version: 1", "use: [aws-admin]"] + [f"{key}: {word}"] * (word is not None)
            (tmp_path / f"{number}.yaml").write_text("\n".join(lines + ["extends: [1.yaml, 2.yaml]"] * (number == 0)))
        assert getattr(read_deny_list(str(tmp_path / "0.yaml")), key).value == effective


def test_a_whole_built_in_list_may_count_from_a_later_day() -> None:
    deny_list = read_deny_list(str(FIXTURES / "valid" / "later.yaml"))
    days = {str(entry.origin).rpartition("/")[2]: entry.enforce_from for entry in deny_list.entries}
    assert days == {
        "built-in list aws-admin": None,
        "built-in list aws-privilege-escalation": date(2027, 1, 1),
        "later.yaml:7": date(2020, 1, 1),
    }
    assert deny_list.inline_skips is InlineSkips.REFUSE


LIST = b"version: 1\ndeny:\n  - AdministratorAccess\n"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(LIST, None, id="plain"),
        pytest.param(LIST.replace(b"\n", b"\r\n"), None, id="crlf"),
        pytest.param(b"\xef\xbb\xbf" + LIST, None, id="byte order mark"),
        pytest.param(LIST + "# grün\n".encode(), None, id="utf-8"),
        pytest.param(LIST + b"#" * MOST_BYTES, ": is too large (expected at most 4 MiB)", id="huge"),
        pytest.param(b"", ": is empty (expected a mapping", id="empty"),
        pytest.param(LIST + "# grün\n".encode("latin-1"), ":4: is not UTF-8: byte 0xfc (expected UTF-8", id="latin-1"),
        pytest.param(LIST.replace(b"\n", b"\r") + b"\xfc", ":4: is not UTF-8: byte 0xfc", id="latin-1, old line ends"),
        pytest.param(LIST.replace(b"\n", b"\r") + b"\x00", ":4: holds the control", id="binary, old line ends"),
        pytest.param(LIST.decode().encode("utf-16"), ":1: is not UTF-8: byte 0xff (expected UTF-8 text)", id="utf-16"),
        pytest.param(LIST + b"\x00", ":4: holds the control character U+0000 (expected text)", id="binary"),
        pytest.param(b"\x7fELF\x02\x01\x01", ":1: holds the control character U+007F", id="program"),
        pytest.param(b"[" * 1_000_000, ":1: is nested too deeply (expected at most 16 levels)", id="deep"),
        pytest.param(b"- " * 1_000_000, ":1: is nested too deeply (expected at most 16 levels)", id="deep blocks"),
        pytest.param(b"a: &a [x, *a]\n", ":1: has an alias *a that does not stand for a single value", id="circle"),
    ],
)
def test_any_bytes(content: bytes, problem: str | None, tmp_path: Path) -> None:
    path = tmp_path / "list.yaml"
    path.write_bytes(content)
    if problem is None:
        [entry] = read_deny_list(str(path), shown_as="list.yaml").entries
        assert str(entry.origin) == "list.yaml:3"
        return
    with pytest.raises(DenyListError) as caught:
        read_deny_list(str(path))
    assert str(caught.value).startswith(f"{path}{problem}")


@pytest.mark.parametrize(
    ("path", "why"),
    [("missing.yaml", "No such file or directory"), (".", "Is a directory")],
)
def test_no_file(path: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DenyListError) as caught:
        read_deny_list(path)
    assert f"{path}: cannot be read: {why}" in str(caught.value)


@given(st.binary() | st.text(alphabet="ad:-[]{}*&!?'\"#|>% \n\t1,").map(str.encode))
def test_marked_yaml_reads_or_refuses_whatever_comes(content: bytes) -> None:
    with contextlib.suppress(NoYaml):
        read_marked_yaml(content)


@settings(max_examples=50)
@given(st.sampled_from(sorted(managed_policy_names())))
def test_every_aws_managed_policy_may_be_an_entry(name: str) -> None:
    arn = f"arn:aws:iam::aws:policy/{managed_policy_names()[name]}{name}"
    assert POLICY_ARN.fullmatch(arn)
    for policy in (name, arn, arn.replace("arn:aws:", "arn:*:")):
        assert impossible_because(policy) is None
        assert any(glob.expression.fullmatch(arn) for glob in globs_of_entry(policy))


@settings(max_examples=300)
@given(
    arn=st.from_regex(POLICY_ARN.pattern, fullmatch=True).filter(
        lambda arn: re.fullmatch(PATTERN, arn) and arn.count(":") == 5
    ),
    partition=st.sampled_from(["aws", "aws-cn", "aws-us-gov"]),
    data=st.data(),
)
def test_what_is_called_impossible_matches_no_arn(arn: str, partition: str, data: st.DataObject) -> None:
    """Cut pieces out of an ARN and put wildcards in: the pattern matches the ARN, so it must count as possible."""
    arn = re.sub(r"^arn:[^:]+", f"arn:{partition}", arn)
    pattern = arn
    for _ in range(data.draw(st.integers(0, 3))):
        start = data.draw(st.integers(4, len(pattern) - 1))
        end = data.draw(st.integers(start, len(pattern)))
        pattern = pattern[:start] + "*" + pattern[end:]
    assert any(glob.expression.fullmatch(arn) for glob in globs_of_entry(pattern))
    assert impossible_because(pattern) is None


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("*", ""),
        ("arn:aws:iam::aws:*", ""),
        ("arn:aws:iam::aws:pol*", ""),
        ("arn:aws:iam::aws:rol*", '"rol*" is not a policy (expected policy/NAME)'),
        ("arn:aws:iam::aws:policy/a:b/c", ""),  # AWS allows a colon in a path
        ("arn:aws:iam::aws:policy/b/a:c", 'no policy has a name with a colon such as "policy/b/a:c"'),
        ("arn:aws:iam::123456789012*:policy/x", ""),
        ("arn:aws:iam::1234567890123*:policy/x", '"1234567890123*" is not an account'),
        ("arn:*:policy/x", ""),
        ("arn:aws-cn*:policy/x", ""),
        ("arn:aws-cn:iam*/x", ""),
        ("arn:aws-cn:iam::aws*x", ""),
        ("arn:aws-xx:iam*/x", "it has 3 parts instead of 6"),
        ("arn:aws-cn:iam::aws*x/", "it has 5 parts instead of 6"),
        ("Billing", ""),
        ("Billing/", '"Billing/" ends without a name (expected a name)'),
    ],
)
def test_which_patterns_can_match_a_policy(pattern: str, problem: str) -> None:
    said = impossible_because(pattern)
    assert (said is None) if not problem else (said and problem in said)


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("*", ""),
        ("*Full*Access", ""),
        ("*Fool*Access", 'no AWS managed policy matches "*Fool*Access"'),
        ("Billing", ""),
        ("job-function/Billing", ""),
        ("job/Billing", "(did you mean Billing? "),
        ("arn:aws:iam::aws:policy/job-function/Billing", ""),
        ("arn:aws:iam::aws:policy/Billing", "(did you mean arn:aws:iam::aws:policy/job-function/Billing? "),
        ("arn:*:policy/own", ""),  # a customer's
        ("arn:aws:iam::*:policy/own", ""),
        ("arn:aws:iam::12*:policy/own", ""),
        ("arn:aws-cn:iam::*:policy/own", ""),
        ("arn:aws:iam::aws:policy/own", "(a customer managed one is arn:aws:iam::*:policy/own; "),
        ("arn:*::aws:policy/own", 'no AWS managed policy matches "arn:*::aws:policy/own"'),
    ],
)
def test_which_patterns_match_a_policy_that_there_is(pattern: str, problem: str) -> None:
    assert impossible_because(pattern) is None
    said = unknown_because(pattern)
    assert (said is None) if not problem else (said and problem in said)


def test_the_reader_loads_names_and_yaml_only_for_a_list() -> None:
    code = (
        "import sys; from unapproved_iam.deny_list.discovery import find_deny_list\n"
        "find_deny_list(None, {}, sys.argv[1])\n"
        "print(sorted({'yaml', 'difflib', 'unapproved_iam.deny_list.reader'} & set(sys.modules)))"
    )
    env = {**os.environ, "PYTHONPATH": str(FIXTURES.parent.parent / "checks")}
    done = subprocess.run(
        [sys.executable, "-c", code, str(FIXTURES)], env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
