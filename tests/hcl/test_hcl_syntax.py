"""HCL source is read as terraform reads it: structure, precedence, strings, heredocs; and what is none is an error."""

from __future__ import annotations

import contextlib
from fractions import Fraction

import pytest
from project_files import PROJECT
from unapproved_iam.hcl.expression import (
    Expression,
    GetAttribute,
    Index,
    Literal,
    Name,
    Splat,
    SplatItem,
    Template,
    TemplateIf,
)
from unapproved_iam.hcl.syntax import Body, HclSyntaxError, parse_body, parse_expression, parse_template
from unapproved_iam.policies.attachment import Place

FIXTURES = PROJECT / "fixtures"


def written(expression: str) -> str:
    return str(parse_expression(expression, "main.tf"))


# -- expressions -------------------------------------------------------------------------------------------------------

# as written: with the parentheses that precedence means
PRECEDENCE = {
    'var.e == "p" ? "A" : "B"': 'var.e == "p" ? "A" : "B"',
    'a == "x" || b != 1 && !c ? d : e': '(a == "x") || ((b != 1) && !c) ? d : e',
    "1 + 2 * 3 - 4": "(1 + (2 * 3)) - 4",
    "1 - 2 - 3": "(1 - 2) - 3",
    "(1 - 2) * 3": "(1 - 2) * 3",
    "2 * 3 + 4 * 5 > 6 % 7": "((2 * 3) + (4 * 5)) > (6 % 7)",
    "a < b == c >= d": "(a < b) == (c >= d)",
    "a || b && c || d": "(a || (b && c)) || d",
    "a ? b : c ? d : e": "a ? b : (c ? d : e)",
    "a ? b ? c : d : e": "a ? (b ? c : d) : e",
    "a ? b : c == d": "a ? b : (c == d)",
    "(a ? b : c) == d": "(a ? b : c) == d",
    "-1 + 2": "-1 + 2",
    "-a.b[0] * !c": "-a.b[0] * !c",
    "!(a && b)": "!(a && b)",
    "[for x in y : x if a == b ? c : d]": "[for x in y : x if a == b ? c : d]",
    "{for k, v in m : k => v...}": "{for k, v in m : k => v...}",
    "f(a ? b : c, d && e)[1 + 2 * 3]": "f(a ? b : c, d && e)[1 + (2 * 3)]",
}


@pytest.mark.parametrize(("expression", "meaning"), PRECEDENCE.items())
def test_operators_bind_as_in_terraform(expression: str, meaning: str) -> None:
    assert written(expression) == meaning


SHAPES = {
    "1.5e3": "1500",
    "2E-1": "0.2",
    "true": "true",
    "null": "null",
    "a.b-c.d": "a.b-c.d",
    "a.0.b": "a[0].b",
    'a["k"].b[c.d]': 'a["k"].b[c.d]',
    "a[*].b.c[0]": "a[*].b.c[0]",
    "a[ * ].b": "a[*].b",
    "a.*.b.c[0]": "a[*].b.c[0]",
    "a.0[1].2": "a[0][1][2]",
    "a . b [0]": "a.b[0]",
    "--1 - -1": "--1 - -1",
    "f (a)": "f(a)",
    "core :: max(a)": "core::max(a)",
    "\u00e9\u0301-\u0939\u093f": "\u00e9\u0301-\u0939\u093f",
    "f()": "f()",
    "f(a, b...)": "f(a, b...)",
    "f(\n  a, # first\n  b, // second\n)": "f(a, b)",
    "provider::aws::arn_parse(a).account": "provider::aws::arn_parse(a).account",
    "[]": "[]",
    "[\n  a, /* comment */\n  b,\n]": "[a, b]",
    "{}": "{}",
    '{ a = 1, "b" : 2, (c) = 3 }': '{"a" = 1, "b" = 2, c = 3}',
    "{ null = 1, 2 = 3, a ? b : c : d ? e : f }": '{"null" = 1, 2 = 3, a ? b : c = d ? e : f}',
    "{ a = <<E\nx\nE\n  b = 1 }": '{"a" = "x\\n", "b" = 1}',
    "[a\n[0]]": "[a[0]]",
    "{\n  a = 1 # one\n\n  b = 2\n  for = 3\n  if = in\n}": '{"a" = 1, "b" = 2, "for" = 3, "if" = in}',
    "{\n  a = b\n  (c) = d\n}": '{"a" = b, c = d}',
    "{ a = (b\n  ) }": '{"a" = b}',
    "(\n  a\n  && b\n  || c\n)": "(a && b) || c",
    "a ? {\n  b = 1\n} : {\n  c = 2\n}": 'a ? {"b" = 1} : {"c" = 2}',
    "[for s in [\n  {\n    a = 1\n  },\n] : s.a]": '[for s in [{"a" = 1}] : s.a]',
    "{ # comment\n  for x in y : x => x\n}": "{for x in y : x => x}",
}


@pytest.mark.parametrize(("expression", "meaning"), SHAPES.items())
def test_expressions_are_read(expression: str, meaning: str) -> None:
    assert written(expression) == meaning


SPLATS = {
    "a[*].b[0]": Splat(Name("a"), Index(GetAttribute(SplatItem("a[*]"), "b"), Literal(Fraction(0)))),
    "a.*.b[0]": Index(Splat(Name("a"), GetAttribute(SplatItem("a[*]"), "b")), Literal(Fraction(0))),
    "a.*.b.0": Splat(Name("a"), Index(GetAttribute(SplatItem("a[*]"), "b"), Literal(Fraction(0)))),
    "a[*].b[*].c": Splat(
        Name("a"), Splat(GetAttribute(SplatItem("a[*]"), "b"), GetAttribute(SplatItem("a[*].b[*]"), "c"))
    ),
}


@pytest.mark.parametrize(("expression", "read"), SPLATS.items())
def test_splats_differ_in_what_follows_them(expression: str, read: Expression) -> None:
    assert repr(parse_expression(expression, "main.tf")) == repr(read)


# -- strings -----------------------------------------------------------------------------------------------------------


def parts_of(expression: Expression) -> list[str]:
    assert isinstance(expression, Template)
    return [part if isinstance(part, str) else f"<{part}>" for part in expression.parts]


STRINGS: dict[str, list[str]] = {
    r'""': [],
    r'"plain"': ["plain"],
    r'"a\n\t\"\\\u00e9\U0001F600"': ['a\n\t"\\é😀'],
    r'"$${no} %%{no} $ % $$ %%"': ["${no} %{no} $ % $$ %%"],
    r'"$$${x}"': ["$${x}"],
    r'"a ${b.c} d"': ["a ", "<b.c>", " d"],
    r'"${a}${b}"': ["<a>", "<b>"],
    r'"${ a ? "x}" : "y\"${"z"}" }"': [r'<a ? "x}" : "y\"${"z"}">'],
    r'"${f({ a = "}" }["a"])}"': ['<f({"a" = "}"}["a"])>'],
    r'"a  ${~ b ~}  c"': ["a", "<b>", "c"],
    r'"%{ if a }x%{ else }y%{ endif }"': ["<%{ if a }x%{ else }y%{ endif }>"],
    r'"%{ for k, v in m ~} ${k} %{~ endfor }!"': ["<%{ for k, v in m }${k}%{ endfor }>", "!"],
    '"${\n  a\n}"': ["<a>"],
}


@pytest.mark.parametrize(("source", "parts"), STRINGS.items())
def test_strings_are_unescaped_and_their_templates_read(source: str, parts: list[str]) -> None:
    assert parts_of(parse_expression(source, "main.tf")) == parts


HEREDOCS: dict[str, list[str]] = {
    "<<EOT\nEOT": [],
    "<<EOT\na\n  b\nEOT": ["a\n  b\n"],
    "<<EOT\n\\n ${a} $${b}\n  EOT": ["\\n ", "<a>", " ${b}\n"],
    "<<EOT\nEOTX\n EOT\n": ["EOTX\n"],
    "<<-EOT\n    a\n      b\n\n   c\n  EOT": [" a\n   b\n\nc\n"],
    "<<-EOT\n  ${a}\n   b\n  EOT": ["<a>", "\n b\n"],
    "<<-EOT\n${a}\n   b\nEOT": ["<a>", "\n   b\n"],
    '<<EOT\n%{ for x in y ~}\n  ${x}"\n%{ endfor ~}\nend\nEOT': ['<%{ for x in y }  ${x}\\"\\n%{ endfor }>', "end\n"],
    "<<EOT\n${f(<<IN\n x\nIN\n)}\nEOT": ['<f(" x\\n")>', "\n"],
    '<<A-1\n{"a": "${b}"}\nA-1': ['{"a": "', "<b>", '"}\n'],
}


@pytest.mark.parametrize(("source", "parts"), HEREDOCS.items())
def test_heredocs_are_read(source: str, parts: list[str]) -> None:
    assert parts_of(parse_expression(source, "main.tf")) == parts


def test_a_template_without_quotes_keeps_its_backslashes() -> None:
    place = Place("main.tf.json", 3)
    template = parse_template('a\\n"${b}" $${c}\n%{ if d }e%{ endif }', place)
    assert isinstance(template, Template)
    assert template.place == place
    assert parts_of(template)[:3] == ['a\\n"', "<b>", '" ${c}\n']
    assert isinstance(template.parts[3], TemplateIf)


# -- structure ---------------------------------------------------------------------------------------------------------

SOURCE = """# checkov:skip=CKV_1:top
resource "aws_iam_role" "a-1" { # first
  name = "x" // second

  /* third
  line */
  dynamic inline_policy {
    for_each = [
      "#",
    ]
    content { name = "//" }
  }
  policy = <<-EOT
    # no comment
    EOT
} // fourth
locals { a = 1 }
locals {}
"""


@pytest.mark.parametrize("make", [str, lambda s: "\ufeff" + s, lambda s: s.replace("\n", "\r\n"), str.encode])
def test_bodies_blocks_attributes_and_comments_have_their_lines(make: object) -> None:
    body = parse_body(make(SOURCE), "main.tf")  # type: ignore[operator]
    role, one_line, empty = body.blocks
    assert (role.type, role.labels, role.line, role.end_line) == ("resource", ("aws_iam_role", "a-1"), 2, 16)
    assert {name: (a.line, a.end_line) for name, a in role.body.attributes.items()} == {
        "name": (3, 3),
        "policy": (13, 15),
    }
    assert [(comment.line, comment.text) for comment in role.comments] == [
        (2, "# first"),
        (3, "// second"),
        (5, "/* third\n  line */"),
    ]
    assert [comment.line for comment in body.comments] == [1, 2, 3, 5, 16]
    (dynamic,) = role.body.blocks
    assert (dynamic.type, dynamic.labels, dynamic.line, dynamic.end_line) == ("dynamic", ("inline_policy",), 7, 12)
    assert str(dynamic.body.attributes["for_each"].expression) == '["#"]'
    assert str(dynamic.body.blocks[0].body.attributes["name"].expression) == '"//"'
    assert str(one_line.body.attributes["a"].expression) == "1"
    assert role.place == Place("main.tf", 2, 16)
    assert not empty.body.attributes
    assert not empty.body.blocks


LABELS = {
    "aws_iam_role": "aws_iam_role",
    '"a-1"': "a-1",
    r'"aws_iam\u005frole"': "aws_iam_role",
    r'"\u0061\U00000062\""': 'ab"',
    '"$${a}"': "${a}",
    "\u0939\u093f\u0928": "\u0939\u093f\u0928",
}


@pytest.mark.parametrize(("written", "label"), LABELS.items())
def test_labels_are_read(written: str, label: str) -> None:
    (block,) = parse_body(f"resource {written} x {{\n}}\n", "main.tf").blocks
    assert block.labels == (label, "x")


def test_a_string_knows_its_line() -> None:
    body = parse_body('a = [\n  "x",\n  "y${b}",\n  <<EOT\nz\nEOT\n]\n', "main.tf")
    expression = body.attributes["a"].expression
    assert [item.place.line for item in expression.items] == [2, 3, 4]  # type: ignore[union-attr]


def test_reading_is_lazy_and_remembered() -> None:
    body = parse_body('resource "a" "b" {\n  broken = = 1\n  fine = 1\n}\n', "main.tf")
    attributes = body.blocks[0].body.attributes
    assert attributes["fine"].expression is attributes["fine"].expression
    with pytest.raises(HclSyntaxError):
        _ = attributes["broken"].expression


ERRORS = {
    "a = [\n": 'main.tf:1: "[" is never closed',
    'a = "x\n"': "main.tf:1: this string is never closed",
    'a = "${x"\n': "main.tf:1: this string is never closed",
    "\na = <<EOT\nx\n": "main.tf:2: this heredoc is never closed (expected a line EOT)",
    "a = 1 /* x\n": "main.tf:1: this comment is never closed (expected */)",
    "a = <<EOT x\n": "main.tf:1: this is not a heredoc (expected <<MARKER and the end of the line)",
    "a = (]\n": 'main.tf:1: unexpected "]"',
    "a = 1\nb = 2 }\n": 'main.tf:2: unexpected "}"',
    "= 1\n": 'main.tf:1: unexpected "=" (expected an attribute or a block)',
    "a\n": 'main.tf:1: expected "=" or "{"',
    "a = 1\na = 2\n": 'main.tf:2: "a" is set twice',
    "a = b c\n": 'main.tf:1: this is not an expression, or not one that is understood: unexpected "c"',
    "a = 1 +\n": "main.tf:1: this is not an expression, or not one that is understood: it ends too early",
    "a = \n": "main.tf:1: this is not an expression, or not one that is understood: it ends too early",
    'a = "\\q"\n': 'main.tf:1: unknown escape sequence "\\q"',
    'a = "%{ endif }"\n': "main.tf:1: unexpected template directive",
    'a = "%{ if x }y"\n': "main.tf:1: a template directive is never closed (expected endif)",
    'a = "%{ for x }y%{ endfor }"\n': "main.tf:1: this is not a loop (expected for NAME in COLLECTION)",
    f"a = {'9' * 200}\n": "main.tf:1: this number has more than 150 digits",
    "a = 1e999999999\n": "main.tf:1: this number has more than 150 digits",
    "a = [\n1,\n2 3]\n": 'main.tf:3: this is not an expression, or not one that is understood: unexpected "3]"',
    "a = f(b..., c)\n": 'main.tf:1: this is not an expression, or not one that is understood: unexpected ", c)"',
    "a = b.0.1\n": 'main.tf:1: this is not an expression, or not one that is understood: unexpected "0.1"',
    "a = {\nb = 1 c = 2\n}\n": (
        'main.tf:2: this is not an expression, or not one that is understood: unexpected "c = 2\n}"'
    ),
    "a = {\nb =\n1\n}\n": 'main.tf:2: this is not an expression, or not one that is understood: unexpected "1\n}"',
    "a = [for a, b in c : d => e]\n": (
        'main.tf:1: this is not an expression, or not one that is understood: unexpected "=> e]"'
    ),
    'a = "${b ~ }"\n': 'main.tf:1: this is not an expression, or not one that is understood: unexpected "~ }""',
    "a\u00b2 = 1\n": 'main.tf:1: "a\u00b2" is not a name',
    "a = b\u00a0\n": 'main.tf:1: "b\u00a0" is not a name',
    'resource "\\q" {\n}\n': 'main.tf:1: unknown escape sequence "\\q"',
}


def read_all(body: Body) -> None:
    for attribute in body.attributes.values():
        _ = attribute.expression
    for block in body.blocks:
        read_all(block.body)


@pytest.mark.parametrize(("source", "message"), ERRORS.items())
def test_what_is_no_hcl_is_an_error_with_its_line(source: str, message: str) -> None:
    with pytest.raises(HclSyntaxError) as raised:
        read_all(parse_body(source, "main.tf"))
    assert str(raised.value) == message


# Some take a careless parser minutes, others more stack than there is. None may hang.
ABSURD = {
    "brackets": "a = " + "[" * 5000 + "]" * 5000,
    "templates": "a = " + '"${' * 5000 + "1" + '}"' * 5000,
    "blocks": "a {\n" * 5000 + "}\n" * 5000,
    "unclosed interpolation": 'a = "${' + "a" * 200_000 + '"\n',
    "unclosed string": 'a = "' + "\\\\" * 200_000 + "\n",
    "unclosed quotes": 'a = ["' * 20_000,
    "blanks": "a = [1," + " " * 500_000 + "2 2]",
    "lines": "a = [1," + "\n" * 500_000 + "2 2]",
    "unclosed heredocs": "a = [" + "<<EOT\n" * 20_000,
    "comments": "a = 1 " + "/* */" * 100_000 + "/*",
    "operators": "a = " + "1 + " * 10_000 + "1",
    "conditionals": "a = " + "b ? 1 : " * 10_000 + "1",
    "conditionals within": "a = " + "b ? " * 10_000 + "1" + " : 1" * 10_000,
    "signs": "a = " + "!" * 100_000 + "b",
    "splats": "a = b" + "[*]" * 10_000,
    "attributes": "a = b" + ".c" * 10_000 + "[0]",
    "calls": "a = " + "f(" * 90 + "1" + ")" * 90,
    "size": "a = [" + "b, " * 1_000_000 + "]",
}


@pytest.mark.parametrize("source", ABSURD.values(), ids=ABSURD)
def test_absurd_source_ends(source: str) -> None:
    with contextlib.suppress(HclSyntaxError):
        read_all(parse_body(source + "\n", "main.tf"))


@pytest.mark.parametrize("length", [1000, 1_000_000])
def test_long_strings_and_heredocs_are_read(length: int) -> None:
    text = "line of text\n" * (length // 13)
    body = parse_body(f'a = <<EOT\n{text}EOT\nb = "{"x" * length}"\n', "main.tf")
    assert parts_of(body.attributes["a"].expression) == [text]
    assert parts_of(body.attributes["b"].expression) == ["x" * length]


# -- the library -------------------------------------------------------------------------------------------------------


def structure(body: Body) -> list[object]:
    return [*body.attributes, *((block.type, *block.labels, structure(block.body)) for block in body.blocks)]


def test_the_structure_is_the_one_that_the_library_finds() -> None:
    """On every Terraform fixture that the library can read."""
    from hcl2.parser import Hcl2
    from lark import Token, Tree, UnexpectedInput

    def library_structure(body: Tree[Token]) -> list[object]:
        attributes: list[object] = []
        blocks: list[object] = []
        for child in body.children:
            assert isinstance(child, Tree)
            if child.data == "attribute":
                attributes.append(str(child.children[0].children[0]))
                continue
            *names, inner = child.children
            labels = [str(n) if isinstance(n, Token) else str(n.children[0]) for n in names]
            assert isinstance(inner, Tree)
            blocks.append((*(label.strip('"') for label in labels), library_structure(inner)))
        return attributes + blocks

    compared = 0
    for path in sorted(FIXTURES.rglob("*.tf")):
        source = path.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
        try:
            tree = Hcl2.lark_parser.parse(source + "\n")
        except UnexpectedInput:
            continue
        body = next(child for child in tree.children if isinstance(child, Tree) and child.data == "body")
        assert structure(parse_body(source, str(path))) == library_structure(body), path
        compared += 1
    assert compared
