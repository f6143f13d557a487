"""Every function that the engine computes, beside what the real terraform computes for the same arguments.

A row is a function and arguments for it. Where the engine does not give terraform's own answer, it must not know it:
such rows stand in NOT_COMPUTED.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hcl_module import Module
from hcl_writer import WrittenModule
from terraform_oracle import REFUSED, admits, computed_by_terraform, is_exact
from unapproved_iam.hcl.function_calls import COMPUTED
from unapproved_iam.hcl.values import is_refused

pytestmark = pytest.mark.skipif(not shutil.which("terraform"), reason="terraform is not installed")

CALLS = {
    "abs": ["-3", "2.5", '"-7"'],
    "abspath": ['"/a/../b//c/"', '"//a"', '"a/./b"', '""', '"../../../../../../../../../x"'],
    "alltrue": ["[true, false]", "[]", '["true", true]', "[null]"],
    "anytrue": ["[false, true]", "[]", '["false"]', "[null]"],
    "base64decode": ['"QWRtaW4="', '"no base64!"', '"w6Q="', r'"QWRt\naW4=\r\n"', '"QWRt aW4="'],
    "base64encode": ['"Admin"', '"ä€"', '""'],
    "basename": ['"a/b.txt"', '"a/"', '"/"', '""'],
    "can": ['["a"][3]', '["a"][0]'],
    "ceil": ["1.2", "-1.2", "3"],
    "chomp": [r'"a\n\n"', r'"a\r\n"', '"a"', r'"\na"'],
    "chunklist": ['["a", "b", "c"], 2', '["a"], 0', "[], 2"],
    "coalesce": ['null, "", "a"', 'null, "b"'],
    "coalescelist": ['[], ["a"]', '["b"], []'],
    "compact": ['["a", "", null, "b"]', "[]"],
    "concat": ['["a"], []', '["a"], ["b", "c"]', '[1], ["x"]'],
    "contains": ['["a", "b"], "b"', '["a"], "c"', '[], "a"', '[1], "1"'],
    "csvdecode": [r'"name,arn\nA,x\nB,\"y,z\""', r'"a,a\n1,2"', '"a"', '""'],
    "dirname": ['"a/b.txt"', '"a"', '"/"', '"a/b/"', '""'],
    "distinct": ['["a", "b", "a"]', "[]", '[1, "1"]'],
    "element": ['["a", "b"], 3', '["a"], 0', "[], 0"],
    "endswith": ['"abc", "bc"', '"abc", "a"', '"", ""'],
    "file": ['"text.txt"', '"missing.txt"'],
    "filebase64": ['"text.txt"', '"missing.txt"'],
    "fileexists": ['"text.txt"', '"missing.txt"'],
    "fileset": [
        *(
            '".", "*.txt"',
            '".", "**/*.md"',
            '"sub", "?.md"',
            '"sub", "**"',
            '".", "sub/**"',
            '".", "**.md"',
            '".", "s**"',
        ),
        *('".", "{text,x}.txt"', '".", "{a,te}{x,y}t.txt"', '".", "**/{t.*,a.md}"', '".", "{te{xt,x},b}.txt"'),
        *('"sub", "a,b.md"', '".", "text}.txt"', '".", "{text.txt"', '".", "{sub/a,b}.md"', '".", "{**/a,b}.md"'),
        *('".", "linked/*.md"', '".", "*/a.md"', '"linked", "**"', '".", "text.txt/*"', '".", "l*/deep/*.md"'),
        *('".", "te[w-y]t.txt"', '".", "te\\\\xt.txt"', '"sub", "../text.*"', '".", "./*.txt"', '".", ""'),
    ],
    "flatten": ['[["a"], [["b"], []]]', '["a"]', "[]"],
    "floor": ["1.8", "-1.2", "3"],
    "format": [
        '"%s-%s", "a", 1',
        '"%5s|%-5s|", "a", "b"',
        '"%03d", 7',
        '"%q", "a"',
        '"%%"',
        '"%v", true',
        '"%.2f", 1.005',
        '"%s"',
        '"%t", true',
        '"%[2]s%[1]s", "a", "b"',
        '"%x", 255',
        '"%#v", ["a"]',
    ],
    "formatlist": ['"%s-%s", ["a", "b"], "x"', '"%s", []', '"%s%s", ["a", "b"], ["c"]'],
    "indent": [r'2, "a\nb"', r'0, "a\nb"', '2, "a"'],
    "index": ['["a", "b"], "b"', '["a"], "c"'],
    "join": ['",", ["a", "b"]', '"", []', '"-", ["a"], ["b"]', '",", [1, true]'],
    "jsondecode": [r'"{\"a\": [1, null, true, \"x\"]}"', '"[1.5, 1e2]"', '"{"', '"null"'],
    "jsonencode": ['{ b = 1, a = ["x", null, true] }', '"<&>"', '"ä€"', "1.50", r'"a\"b\n"', "[]"],
    "keys": ["{ b = 1, a = 2 }", "{}"],
    "length": ['["a", "b"]', '"äb"', "{ a = 1 }", "[]", '""'],
    "lookup": ['{ a = "x" }, "a", "d"', '{ a = "x" }, "b", "d"', '{ a = "x" }, "b"'],
    "lower": ['"ABC"', '"ÄÖ"', '"İ"'],
    "matchkeys": ['["a", "b", "c"], [1, 2, 1], [1]', '["a"], ["x"], []'],
    "max": ["1, 3, 2", '"5", 4', "-1"],
    "md5": ['"Admin"', '""'],
    "merge": ["{ a = 1, b = 2 }, { b = 3 }", "{}, { a = 1 }", "{ a = 1 }, null"],
    "min": ["1, 3, 2", '"5", 4', "-1"],
    "nonsensitive": ['sensitive("a")'],  # and so `sensitive`, of which terraform shows nothing
    "one": ['["a"]', "[]", '["a", "b"]'],
    "parseint": ['"ff", 16', '"-12", 10', '"zz", 36', '"9", 8', '"", 10', '"1_0", 10'],
    "pow": ["2, 10", "2, 0.5", "2, -1"],
    "range": ["3", "1, 4", "4, 1, -2", "0", "1, 2, 0.5"],
    "regex": [
        *('"^(.*?)-", "A-a-b"', '"a+?", "aaa"', '"a??b", "ab"', '"^(?<n>[a-z]+)", "abc"', '"a{,2}?$", "a{,2"'),
        *('"(?P<n>a)(?<m>b)", "ab"', '"^(a|ab)?(c|bcd)??d", "abcd"', '"(|a)?b", "ab"', '"a++", "aa"', '"a*?+", "aa"'),
        *('"a(b)(c)", "abc"', '"b+", "abbc"', '"(?P<x>b)", "abc"', '"z", "abc"', '"^.$", "ä"'),
    ],
    "regexall": [
        *('"[ab]", "xaby"', '"z", "abc"', '"a(b)", "abab"'),
        *(
            '"a*", "baac"',
            '"|a", "aa"',
            '"a|", "aba"',
            '"a*?", "aab"',
            '"^|b", "ab"',
            '"x*", ""',
            '"(?m)^", "a\\nb\\n"',
        ),
    ],
    "replace": [
        '"a-b-c", "-", "+"',
        '"abc", "/b/", "x"',
        '"abab", "/(a)(b)/", "$2$1"',
        '"a/b", "/", "-"',
        '"aaa", "", "-"',
        *('"baac", "/a*/", "-"', '"abc", "/x*/", "-"', '"aa", "/|a/", "-"', '"a", "/$/", "-"', '"", "/x*/", "-"'),
        *(
            f'"x:A", "/^(y)?x:(?P<n>.*)$/", "{by}"'
            for by in ("<$1>$2", "$n", "$${n}z", "$2z", "$$1", "$3", "a$", "$ ", "$0!")
        ),
        '"a.b", ".", "$1"',
    ],
    "reverse": ['["a", "b"]', "[]"],
    "setintersection": ['["a", "b"], ["b", "c"]', '["a"], []'],
    "setproduct": ['["a", "b"], ["x", "y"]', '[], ["x"]'],
    "setsubtract": ['["a", "b"], ["b"]', '[], ["b"]'],
    "setunion": ['["b"], ["a", "b"]', "[], []"],
    "sha1": ['"Admin"'],
    "sha256": ['"Admin"'],
    "sha512": ['"Admin"'],
    "signum": ["-3", "0", "2.5"],
    "slice": ['["a", "b", "c"], 1, 3', '["a"], 0, 0', '["a"], 0, 2'],
    "sort": ['["b", "A", "a", "B"]', "[]", '["10", "9"]'],
    "split": ['",", "a,b"', '",", ""', '"", "ab"', '"ab", "xaby"'],
    "startswith": ['"abc", "ab"', '"abc", "b"', '"", ""'],
    "strcontains": ['"abc", "b"', '"abc", "d"', '"", ""'],
    "strrev": ['"abc"', '"äb"', '""'],
    "substr": [
        '"hello", 1, 3',
        '"hello", -3, -1',
        '"hello", 0, 99',
        '"äöü", 1, 1',
        '"hello", 5, 1',
        '"hello", 9, 1',
        '"hello", -9, 2',
    ],
    "sum": ["[1, 2.5]", '["3"]', "[]"],
    "templatefile": ['"sub/t.tftpl", { name = "x", list = ["a", "b"] }', '"missing.tftpl", {}', '"sub/t.tftpl", {}'],
    "templatestring": [
        'local.template, { name = "x", list = ["a", "b"] }',
        "local.template, {}",
        'local.plain, { name = "x" }',
        "local.broken, {}",
    ],
    "title": ['"hello world"', '"aB cD"', '"it\'s a-b"', '"ä"'],
    "tobool": ['"true"', '"no"', "null", "true"],
    "tolist": ['["b", "a"]', '["a", 1]', 'toset(["b", "a"])'],
    "tomap": ['{ a = "x", b = 1 }', "{}"],
    "tonumber": ['"1.50"', '"x"', "null", '""', '"0x1"'],
    "toset": ['["b", "a", "b"]', '["a", 1]', "[]"],
    "tostring": ["true", "1.50", "null", "1000000000000000000000", "0.1"],
    "transpose": ['{ a = ["x", "y"], b = ["y"] }', "{}"],
    "trim": ['"?!a?!", "!?"', '"a", ""', '"aba", "a"'],
    "trimprefix": ['"aab", "a"', '"ab", "b"'],
    "trimspace": [r'"  a b\n\t"', '""', r'"\u00a0a"'],
    "trimsuffix": ['"baa", "a"', '"ab", "a"'],
    "try": ['["a"][3], "b"', '["a"][0], "b"'],
    "upper": ['"abc"', '"ß"', '"ä"'],
    "urlencode": ['"a b&c/ä~"', '"*()"', '"-_."'],
    "values": ["{ b = 1, a = 2 }", "{}"],
    "yamldecode": [r'"a: [1, yes, null, x]\n"', '"- a\\n- b"', '"{"', '"1e3"', '"0x1F"', '"2020-01-01"', '""'],
    "zipmap": ['["a", "b"], [1, 2]', "[], []", '["a"], [1, 2]'],
}
NOT_COMPUTED = {
    'abspath("a/./b")',
    'abspath("")',
    'abspath("../../../../../../../../../x")',
    "ceil(-1.2)",  # of a negative number, which is an operation
    'contains([1], "1")',
    'fileset(".", "")',
    'fileset("sub", "../text.*")',
    'fileset(".", "te[w-y]t.txt")',
    'fileset(".", "te\\\\xt.txt")',
    'fileset(".", "./*.txt")',
    "floor(-1.2)",
    'format("%.2f", 1.005)',
    'format("%x", 255)',
    'format("%#v", ["a"])',
    'length("äb")',
    "pow(2, 0.5)",
    "pow(2, -1)",
    'replace("aaa", "", "-")',
    'split("", "ab")',
    'sum(["3"])',
    'yamldecode("0x1F")',
    'yamldecode("2020-01-01")',
}
# Parts of a document that are not computed, or unusual, leave the others as they are.
IN_DOCUMENTS = [
    *(
        f'yamldecode("x: {odd}\\npolicy: admin").policy'
        for odd in (
            "2020-01-01",
            "2020-01-01T00:00:00Z",
            "0x1F",
            "0o17",
            "017",
            "1_000",
            "1:30",
            ".inf",
            "!!binary aGk=",
        )
    ),
    *(f'yamldecode("x: {number}\\npolicy: admin").policy' for number in ("1" * 200, "1e400")),
    *(f'jsondecode("{{\\"x\\": {number}, \\"policy\\": \\"admin\\"}}").policy' for number in ("1" * 200, "1e400")),
    *(f'yamldecode("{{{key}: admin}}")["{name}"]' for key, name in (("yes", "true"), ("1.50", "1.5"), ("~", ""))),
    f'csvdecode("policy,x\\nadmin,{"y" * 140_000}")[0].policy',
]
FILES = {
    "text.txt": "text\n",
    "sub/a.md": "a",
    "sub/deep/b.md": "b",
    "sub/t.tftpl": "%{ for x in list }${name}-${x}\n%{ endfor }",
}
SOURCE = r"""
locals {
  template = "%%{ for x in list }$${name}-$${upper(x)}\n%%{ endfor }"
  plain    = "a\\b\"c"
  broken   = "$${"
}
"""
LINKS = {"linked": "sub", "linked.md": "sub/a.md"}


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("functions")
    for name, content in FILES.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(content)
    for name, target in LINKS.items():
        (directory / name).symlink_to(target)
    return directory


def test_it_computes_what_terraform_computes(directory: Path) -> None:
    expressions = tuple(f"{function}({arguments})" for function, rows in CALLS.items() for arguments in rows)
    computed = computed_by_terraform(WrittenModule(SOURCE, expressions, {}), directory)
    engine = Module(SOURCE, str(directory))
    different = []
    for expression, data in zip(expressions, computed, strict=True):
        value = engine.evaluated(expression)
        if data is REFUSED:
            as_terraform = any(is_refused(one) or not is_exact(value) for one in value)
        else:
            as_terraform = admits(value, data) and is_exact(value) is (expression not in NOT_COMPUTED)
        if not as_terraform:
            different.append((expression, data, value))
    assert different == []


def test_what_it_does_not_compute_leaves_the_rest_of_a_document(directory: Path) -> None:
    computed = computed_by_terraform(WrittenModule("", tuple(IN_DOCUMENTS), {}), directory)
    engine = Module("", str(directory))
    different = []
    for expression, data in zip(IN_DOCUMENTS, computed, strict=True):
        value = engine.evaluated(expression)
        is_same = any(map(is_refused, value)) if data is REFUSED else admits(value, data) and is_exact(value)
        different += [] if is_same else [(expression[:80], data, value)]
    assert different == []


def test_every_function_has_its_rows() -> None:
    elsewhere = {"ephemeralasnull", "provider::aws::arn_build", "sensitive"}  # what terraform cannot show here
    assert set(CALLS) | elsewhere == COMPUTED
