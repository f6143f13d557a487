"""What the screen takes for evidence, construct by construct, each beside a twin that differs in what decides.

That the screen loses nothing is tested against the readers in test_screen_contract.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unapproved_iam.cloudformation import sam_resources
from unapproved_iam.deny_list.entries import DenyList, Entry, Origin, Unresolved
from unapproved_iam.scan.file_reads import asked_paths, glob_of, read_paths, reads_files
from unapproved_iam.scan.name_pieces import ADDED_BY_SAM
from unapproved_iam.scan.screen_evidence import Evidence, suffices
from unapproved_iam.scan.unit_screen import Screen, may_be_plan
from unapproved_iam.source_bytes import in_utf8
from unapproved_iam.terraform.source_look import local_sources
from unapproved_iam.word_patterns import any_of, searches_for

HERE = Origin("list", 1)


def deny_list(*policies: str, unresolved: Unresolved = Unresolved.PASS) -> DenyList:
    return DenyList("list", tuple(Entry(policy, HERE) for policy in policies), unresolved=unresolved)


ADMIN = deny_list("AdministratorAccess")
NOTHING, TYPE, NAME, EVERYTHING = Evidence.NOTHING, Evidence.TYPE, Evidence.NAME, Evidence.EVERYTHING

ARN = "arn:aws:iam::aws:policy/"
ATTACHMENT = 'resource "aws_iam_role_policy_attachment" "x" {}'

TERRAFORM = [
    ("nothing", 'resource "aws_s3_bucket" "x" {}', NOTHING),
    ("an attaching type", ATTACHMENT, TYPE),
    ("a type that attaches nothing", 'resource "aws_iam_instance_profile" "x" {}', NOTHING),
    ("a call may be of a module elsewhere", 'module "x" {}', TYPE),
    ("a reference to a call", "x = module.x.id", NOTHING),
    ("a call of a module that a variable chooses", 'module "x" { source = var.x }', EVERYTHING),
    ("a call of a module that a directive chooses", 'module "x" { source = "%{ if var.x }./x%{ endif }" }', EVERYTHING),
    ("the name", 'x = "AdministratorAccess"', NAME),
    ("another name", 'x = "ReadOnlyAccess"', NOTHING),
    ("another ARN", f'x = "{ARN}ReadOnlyAccess"', NOTHING),
    ("an escape", 'x = "\\u0041dministratorAccess"', EVERYTHING),
    ("an escape of a character that no ARN has", 'x = "\\u003c"', NOTHING),
    ("a long escape", 'x = "\\U00000041dministratorAccess"', EVERYTHING),
    ("a path of Windows", "x = <<EOT\nC:\\Users\\user-creation\nEOT", NOTHING),
    ("a character that becomes a K", 'x = "AWS\u212aeyManagement"', EVERYTHING),
    ("a character that becomes none", 'x = "AWS\u2126eyManagement"', NOTHING),
    ("two bytes a character", "x\0", EVERYTHING),
    ("a template in a string", 'template_body = "Type: AWS::IAM::Role"', TYPE),
    ("a macro in a template in a string", 'x = "AWS::IAM::Thing, Fn::Transform"', EVERYTHING),
    ("a macro beside another service", 'x = "AWS::CloudWatch::Metric, Fn::Transform"', NOTHING),
    ("a macro beside a service that is put together", 'x = "AWS::${var.service}::Thing, Fn::Transform"', EVERYTHING),
    ("a name that a text is only compared with", 'x = can(regex("user|AdministratorAccess", var.x))', NOTHING),
    ("a name that is found in a text", 'x = regex("user|AdministratorAccess", var.x)', NAME),
    ("a name that is compared, and used", 'x = can(regex("x", "y")) ? "AdministratorAccess" : ""', NAME),
    ("an ARN that a text is compared with", f'x = can(regex("{ARN}AdministratorAccess", var.x))', NAME),
    (
        "a chosen source of something else, beside a call",
        'module "x" {\n  source = "./x"\n}\nresource "aws_s3_object" "x" {\n  source = var.x\n}',
        TYPE,
    ),
    (
        "a chosen source of a call, beside something else",
        'module "x" {\n  source = var.x\n}\nresource "aws_s3_object" "x" {\n  source = "./x"\n}',
        EVERYTHING,
    ),
    (
        "a chosen source of one of two calls",
        'module "x" {\n  source = "./x"\n}\nmodule "y" { source = var.y }',
        EVERYTHING,
    ),
    (
        "a chosen source, and one in an argument",
        'module "x" {\n  y = { source = var.x }\n  source = "./x-${var.x}"\n}',
        EVERYTHING,
    ),
    ("a source in an argument", 'module "x" {\n  y = { source = var.x }\n  source = "./x"\n}', TYPE),
    ("a chosen source in what cannot be read", 'module "x" {\n  source = "./x"\n}\n{ source = var.x }', EVERYTHING),
]

TEMPLATES = [
    ("nothing", "Type: AWS::S3::Bucket", NOTHING),
    ("an attaching type", "Type: AWS::IAM::Role", TYPE),
    ("a registry module", "Type: Org::Team::Role::MODULE", TYPE),
    ("the name", "- AdministratorAccess", NAME),
    ("a loop", "Fn::ForEach::Roles: []", EVERYTHING),
    ("an include", "Name: AWS::Include", EVERYTHING),
    ("a folded line", '"arn:aws:iam::aws:pol\\\nicy/x"', EVERYTHING),
    ("a line folded at another end", '"arn:aws:iam::aws:pol\\\u2028icy/x"', EVERYTHING),
    ("a line of a script that goes on", "run a \\\n  b", NOTHING),
    ("base64", "!!binary QQ==", EVERYTHING),
    ("base64 behind an anchor", "&x !!binary QQ==", EVERYTHING),
    ("base64 by a longer tag", "!<tag:yaml.org,2002:binary> QQ==", EVERYTHING),
    ("a word", "binary: QQ==", NOTHING),
    ("base64 by a tag of its own", "%TAG !x! tag:yaml.org,2002:bin", EVERYTHING),
    ("an escape", '"\\u0041dministratorAccess"', EVERYTHING),
    ("an escape of another form", '"\\U00000041dministratorAccess"', EVERYTHING),
    ("a hexadecimal escape", '"\\x41dministratorAccess"', EVERYTHING),
    ("an escape of a character that no ARN has", '"\\u003c"', NOTHING),
    ("two bytes a character", "T\0", EVERYTHING),
]


@pytest.mark.parametrize(("source", "evidence"), [row[1:] for row in TERRAFORM], ids=[row[0] for row in TERRAFORM])
def test_types_and_names_in_terraform(source: str, evidence: Evidence) -> None:
    assert Screen(ADMIN).terraform(source.encode()) == evidence


@pytest.mark.parametrize(("source", "evidence"), [row[1:] for row in TEMPLATES], ids=[row[0] for row in TEMPLATES])
def test_types_and_names_in_templates(source: str, evidence: Evidence) -> None:
    assert Screen(ADMIN).template(source.encode()) == evidence


# Whether the construct, together with an attaching type, is enough to be read.
PIECES = [
    ("one piece", 'x = "Administrator"', False),
    ("the other piece", 'x = "Access"', False),
    ("both pieces", 'x = ["Administrator", "Access"]', True),
    ("a piece of one letter", 'x = ["A", "dministratorAccess"]', True),
    ("a piece of another name", 'x = ["ReadOnly", "Access"]', False),
    ("pieces inside of literals", 'x = ["Administrator of this", "Access to that"]', False),
    ("a piece beside an interpolation", 'x = ["Administrator${var.x}", "${var.x}Access"]', True),
    ("a piece behind a path", f'x = ["{ARN}Administrator", "Access"]', True),
    ("a piece behind a verb", 'x = [format("%sAccess", "Administrator")]', True),
    ("pieces as keys", "x = { Administrator = 1, Access = 2 }", True),
    ("a piece as a key behind a comment", 'x = ["Administrator", keys({ /* y */ Access = 1 })]', True),
    ("a piece in a path", 'x = ["Administrator", "y/Access = 1"]', False),
    ("a piece between directives", 'x = "%{ if true }Admin%{ endif }${"istratorAccess"}"', True),
    ("a function, and nothing open", f'x = replace("{ARN}ReadOnlyAccess", "a", "b")', False),
    ("nothing open, and a function", f'x = "{ARN}${{var.x}}"', False),
    ("a function, and the end of the literal", f'x = [replace("a", "b", "c"), "{ARN}"]', True),
    ("a function, and a beginning of the name", f'x = [title("access"), "{ARN}Administrator"]', True),
    ("a function, and a beginning behind a path", f'x = [title("access"), "{ARN}x/Administrator"]', True),
    ("a function, and the beginning of another name", f'x = [title("access"), "{ARN}Adverb"]', False),
    ("a function, and an interpolation", f'x = "{ARN}${{title("x")}}"', True),
    ("a function, and policy without its slash", 'x = join("/", ["arn:aws:iam::aws:policy", title("x")])', True),
    ("a function, and any policy in a statement", f'x = [title("x"), "{ARN}*"]', False),
    ("a function, and a policy that is looked up", 'data "aws_iam_policy" "x" {\n  name = title("x")\n}', True),
    ("a function, and a policy that is looked up by JSON", '{"aws_iam_policy": {"x": "${title(1)}"}}', True),
    ("a function, and a policy that is declared", 'resource "aws_iam_policy" "x" {\n  name = title("x")\n}', False),
    ("a function, and a reference", "x = title(data.aws_iam_policy.x.arn)", False),
    ("a function that only compares", f'x = [can(regex("a", var.x)), "{ARN}${{var.x}}"]', False),
    ("a function that compares, and one that cuts", f'x = [can(regex(substr("a"))), "{ARN}${{var.x}}"]', True),
    ("files are listed", 'x = fileset("x", "*")', True),
    ("a file's hash", 'x = filesha256("x")', False),
    ("text is decoded", 'x = base64decode("QQ==")', True),
    ("a certificate is decoded", "x = base64decode(module.eks.cluster_certificate_authority_data)", False),
    ("text is encoded", 'x = base64encode("x")', False),
    ("a template that splits text", 'x = "AWS::IAM::Role: !Split []"', True),
    ("pieces in a template", "x = <<EOT\nAWS::IAM::Role: !Sub ${X}Access\nX: Administrator\nEOT", True),
    ("pieces in no template", "x = <<EOT\nRole: !Sub ${X}Access\nX: Administrator\nEOT", False),
]


@pytest.mark.parametrize(("source", "enough"), [row[1:] for row in PIECES], ids=[row[0] for row in PIECES])
def test_what_names_are_made_of_in_terraform(source: str, enough: bool) -> None:
    pieces = Screen(ADMIN).pieces
    found = pieces.rare_in_terraform(source.encode()) | pieces.common_in_terraform(source.encode())
    assert suffices(found | TYPE) is enough
    assert not suffices(found)


TEMPLATE_PIECES = [
    ("one piece", "- Administrator", False),
    ("both pieces", f"[{ARN}Administrator, Access]", True),
    ("a whole other name, in a list", f"[{ARN}ReadOnlyAccess, Access]", False),
    ("a piece behind a reference", "- !Sub ${X}Access\nX: Administrator", True),
    ("quoted pieces", "['Administrator', 'Access']", True),
    ("a piece behind an apostrophe", "- don'Access\n- Administrator", False),
    ("a piece behind an anchor", "- &x Access\n- Administrator", True),
    ("a piece behind a tag", "- !!str Access\n- Administrator", True),
    ("a piece behind a word", "- the Access\n- Administrator", False),
    ("an escaped slash", '["arn:aws:iam::aws:policy\\/Administrator", "Access"]', True),
    ("words in sentences", "Description: Administrator has Access to this", False),
    ("a namespace", "AWS::Access: Administrator", False),
    ("text is split", "!Split [',', !Ref X]", False),
    ("text is split, nobody can tell where", "!Split [!Ref Y, !Ref X]", True),
    ("text is split at a blank", "!Split [' ', !Ref X]", True),
    ("pieces beside what text is split at", "[!Split ['-', Power], x-Administrator-y, x-Access-y]", True),
    ("pieces beside something else", "[!Split ['/', Power], x-Administrator-y, x-Access-y]", False),
    ("a piece beside what text is split at", "[!Split ['-', Power], x-Administrator-y, x-Accessory-y]", False),
    ("pieces beside ends of what text is split at", "[!Split ['_.', Power], Administrator_, xs.Access_]", True),
    ("pieces where text is split, in a list of JSON", '{"Fn::Split": [":", "a:Administrator:Access:b"]}', True),
    ("pieces where text is split, below", "X: !Split\n  - ':'\n  - a:Administrator:Access:b", True),
    ("pieces where text is split elsewhere", "X: !Split\n  - '/'\n  - a:Administrator:Access:b", False),
    ("a nested stack in a file", "Type: AWS::CloudFormation::Stack\nTemplateURL: ./child.yaml", True),
    ("a nested stack elsewhere", "Type: AWS::CloudFormation::Stack\nTemplateURL: https://x/child.yaml", False),
    (
        "a nested stack elsewhere, put together",
        "Type: AWS::CloudFormation::Stack\nTemplateURL: !Sub 'https://${X}'",
        False,
    ),
    ("a nested stack by a file's URL", "Type: AWS::CloudFormation::Stack\nTemplateURL: file://child.yaml", True),
    ("a nested stack in a file of any name", "Type: AWS::Serverless::Application\nLocation: ./child", True),
    ("a nested stack that a parameter names", "Type: AWS::CloudFormation::Stack\nTemplateURL: !Ref X", True),
    ("SAM, names as they are", "Type: AWS::Serverless::Function\nPolicies: [ReadOnlyAccess]", False),
    ("SAM, a made name", "Type: AWS::Serverless::Function\nX: Administrator\nPolicies: [!Sub '${X}Access']", True),
]


@pytest.mark.parametrize(
    ("source", "enough"), [row[1:] for row in TEMPLATE_PIECES], ids=[r[0] for r in TEMPLATE_PIECES]
)
def test_what_names_are_made_of_in_templates(source: str, enough: bool) -> None:
    assert suffices(Screen(ADMIN).template_by_itself(f"Type: AWS::IAM::Role\n{source}\n".encode())) is enough
    assert not suffices(Screen(ADMIN).template_by_itself(source.replace("AWS::", "").encode()))


LISTS = [
    ("a glob's longest part", ["arn:aws:iam::aws:policy/*FullAccess"], f'"{ARN}S3FullAccess"', True),
    ("not a glob's", ["arn:aws:iam::aws:policy/*FullAccess"], f'"{ARN}S3ReadOnly"', False),
    ("the end of a glob's part", ["arn:aws:iam::aws:policy/*FullAccess"], '"${var.x}lAccess"', True),
    ("the end of a glob's part inside a word", ["arn:aws:iam::aws:policy/*FullAccess"], '"lAccess to"', False),
    ("the beginning of a glob's part", ["arn:aws:iam::*:policy/legacy-*"], '"lega${var.x}"', True),
    ("the beginning of a glob's part inside a word", ["arn:aws:iam::*:policy/legacy-*"], '"xlega${var.x}"', False),
    ("a function, and a glob's part begun", ["arn:aws:iam::aws:policy/*FullX"], f'[title(x), "{ARN}S3Fu"]', True),
    ("a function, and nothing begun", ["arn:aws:iam::aws:policy/*FullX"], f'[title(x), "{ARN}"]', True),
    ("a function, and another name begun", ["arn:aws:iam::aws:policy/*FullX"], f'[title(x), "{ARN}S3Go"]', False),
    ("a glob open on both sides", ["arn:aws:iam::aws:policy/*Full*"], '"x"', True),
    ("a path, written", ["arn:aws:iam::aws:policy/job-function/*"], f'"{ARN}job-function/X"', True),
    ("a path with a wildcard", ["arn:aws:iam::*:policy/legacy-*/*"], '"policy/legacy-x/y"', True),
    ("another path", ["arn:aws:iam::aws:policy/service-role/X1Y"], f'"{ARN}service-role/X"', False),
    ("a name under a path", ["arn:aws:iam::aws:policy/service-role/X1Y"], 'name = "X1Y"', True),
    ("a path, looked up", ["arn:aws:iam::aws:policy/job-function/*"], 'data "aws_iam_policy" "x" {}', True),
    ("a customer's policy", ["arn:aws:iam::*:policy/legacy-x"], '"policy/legacy-x"', True),
    ("a customer's other policy", ["arn:aws:iam::*:policy/legacy-x"], '"policy/new-x"', False),
    (
        "a customer's policy, made",
        ["arn:aws:iam::*:policy/legacy-x"],
        'resource "awscc_iam_managed_policy" { lower("X") }',
        True,
    ),
    ("a number", ["arn:aws:iam::*:policy/legacy-1"], '"legacy-${count.index}"', True),
    ("no number", ["arn:aws:iam::*:policy/legacy-x"], '"legacy-${count.index}"', False),
    ("a number at the beginning", ["arn:aws:iam::*:policy/7legacy"], '"${count.index}legacy"', True),
    ("no number at the beginning", ["arn:aws:iam::*:policy/xlegacy"], '"${count.index}legacy"', False),
    ("one that is false", ["arn:aws:iam::*:policy/x-false"], '"x-${!var.x}"', True),
    (
        "a customer's policy, made, beside another entry",
        ["AdministratorAccess", "arn:aws:iam::*:policy/legacy-x"],
        'resource "aws_iam_policy" { lower("X") }',
        True,
    ),
    (
        "a policy of AWS, made",
        ["AdministratorAccess"],
        'resource "aws_iam_policy" { lower("X") }',
        False,
    ),
    (
        "a customer's policy, attached by a made name",
        ["arn:aws:iam::*:policy/legacy-x"],
        'resource "aws_ssoadmin_customer_managed_policy_attachment" { lower("X") }',
        True,
    ),
    (
        "a customer's policy, attached by a made name, where ARNs are, too",
        ["arn:aws:iam::*:policy/legacy-x"],
        'resource "awscc_sso_permission_set" { lower("X") }',
        True,
    ),
    (
        "a customer's policy, attached by another name",
        ["arn:aws:iam::*:policy/legacy-x"],
        'resource "aws_iam_role_policy_attachment" { lower("X") }',
        False,
    ),
    ("every policy", ["*"], "", True),
    ("every policy, and one", ["*", "AdministratorAccess"], "", True),
    ("every AWS managed policy", ["arn:aws:iam::aws:policy/*"], "", True),
    ("a pattern that does not tell the name", ["arn:aws:iam::aws:*"], "", True),
    ("two entries, the second", ["AdministratorAccess", "PowerUserAccess"], "PowerUserAccess", True),
]


@pytest.mark.parametrize(("policies", "source", "enough"), [row[1:] for row in LISTS], ids=[row[0] for row in LISTS])
def test_names_by_list(policies: list[str], source: str, enough: bool) -> None:
    screen = Screen(deny_list(*policies))
    text = source.encode()
    found = screen.terraform(text)
    if not found & NAME:
        found |= screen.pieces.rare_in_terraform(text) | screen.pieces.common_in_terraform(text)
    assert suffices(found | TYPE) is enough


TEMPLATE_LISTS = [
    ("a glob's beginning", ["Legacy*"], "[lega, Lega]", True),
    ("not a glob's beginning", ["Legacy*"], "[lega, cy]", False),
    ("a glob's end", ["*Legacy"], "[Lega, cy]", True),
    ("not a glob's end", ["*Legacy"], "[Lega, cx]", False),
    ("a glob open on both sides", ["*Legacy*"], "[x]", True),
    ("a name", ["Legacy"], "[Lega, cy]", True),
    ("not a name", ["Legacy"], "[Lega, cx]", False),
]


@pytest.mark.parametrize(
    ("policies", "source", "enough"), [row[1:] for row in TEMPLATE_LISTS], ids=[row[0] for row in TEMPLATE_LISTS]
)
def test_names_by_list_in_templates(policies: list[str], source: str, enough: bool) -> None:
    assert (
        suffices(Screen(deny_list(*policies)).template_by_itself(f"Type: AWS::IAM::Role\nX: {source}\n".encode()))
        is enough
    )


@pytest.mark.parametrize(
    ("call", "path"),
    [
        ('file("a.json")', "a.json"),
        ('file("${path.module}/a.json")', "/d/a.json"),
        ('file("${path.module}/../a.json")', "/a.json"),
        ('templatefile("a.tpl", {})', "a.tpl"),
        ('filebase64( "a.bin" \t)', "a.bin"),
        ('file("./a/${var.x}.json")', "./a/**.json"),
        ('file("${path.root}/../a.json")', "**/a.json"),
        ('file("${path.module}/${local.above}/a/b.json")', "**/a/b.json"),
        ('file("${path.module}/a-${var.x}/../b.json")', "**/b.json"),
        ('file("../${var.x}/a-${var.y}/b.json")', "**/a-**/b.json"),
        ('fileset("${path.root}/../a", "*.json")', "**/a/**"),
        ('file("a/%{ if true }b%{ endif }.json")', "a/**b**.json"),
        ('fileset("${path.module}/a", "*.json")', "/d/a/**"),
        ('fileset("a", "*.json")', "a/**"),
        ("file(var.x)", "**"),
        ('file /* a */ (/* b */"a.json")', "a.json"),
        ('file(# a\n  // b\n"a.json")', "a.json"),
        (r'file("\u0061.json")', "**"),
        ('file("a" + "b")', "**"),
        ('filemd5("a.json")', None),
        ("profile", None),
    ],
)
def test_what_source_reads(call: str, path: str | None) -> None:
    assert read_paths(f"x = {call}".encode(), "/d") == ({path} if path else set())
    assert reads_files(call.encode()) is (path is not None)


def test_what_is_only_asked_for() -> None:
    """Whether a file is there may decide what is attached, but it brings no name."""
    asking = b'x = fileexists("a.json")'
    assert reads_files(asking)
    assert asked_paths(asking, "/d") == {"a.json"}
    assert read_paths(asking, "/d") == set()


@pytest.mark.parametrize(
    ("path", "glob"),
    [
        ("a.json", "**/a.json"),
        ("./a.json", "**/a.json"),
        ("../../a/b.json", "**/a/b.json"),
        (".hidden.json", "**/.hidden.json"),
        ("/d/a.json", "/d/a.json"),
        ("**", "**"),
        ("**/a.json", "**/a.json"),
        ("a/**.json", "**/a/**.json"),
    ],
)
def test_where_it_may_be(path: str, glob: str) -> None:
    assert glob_of(path) == glob


@pytest.mark.parametrize(
    ("source", "paths"),
    [
        ('module "x" { source = "./x" }', ["./x"]),
        ('module "x" { source = "../x" }', ["../x"]),
        ('module "x" { source = ".." }', [".."]),
        ('module "x" { source = "/abs/x" }', ["/abs/x"]),
        ('{"module": {"x": {"source": "\\/abs\\/x"}}}', ["/abs/x"]),
        ('module "x" { source = ".\\\\x\\\\y" }', ["./x/y"]),
        ('module "x" { source = "./x\\\\y" }', ["./x/y"]),
        ('module "x" { source = "\\u002e/x" }', ["./x"]),
        ('x = "a\\"b" /* \\ */\nmodule "x" { source = ".\\U0000002f\\u0078" }', ["./x"]),
        ('module "x" { source = "./$x" }', ["./$x"]),
        ('x = "\\\\x"', []),
        ('x = "/abs/x"', []),
        ('x = "x/y"', []),
        ('x = "./${var.x}"', []),
    ],
)
def test_what_may_be_a_local_module(source: str, paths: list[str]) -> None:
    assert local_sources(source.encode()) == paths


def test_plans() -> None:
    plan = '{"planned_values": {"type": "aws_iam_role", "name": ["Administrator", "Access"]}}'
    assert Screen(ADMIN).plan_suffices(plan.encode())
    assert not Screen(ADMIN).plan_suffices(plan.replace("Access", "").encode())
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le"):
        assert may_be_plan(in_utf8(plan.encode(encoding)))
        assert may_be_plan(in_utf8(plan.replace("planned_values", "resource_changes").encode(encoding)))
        assert not may_be_plan(in_utf8(plan.replace("planned_values", "values").encode(encoding)))


def test_paths_need_not_be_text() -> None:
    assert local_sources(b'module "x" { source = ".\\/\xff" }') == ["./\udcff"]
    assert read_paths(b'file("${path.module}/\xff")', "/d") == {"/d/\udcff"}


def test_where_unresolved_fails_types_alone_decide() -> None:
    strict = Screen(deny_list("AdministratorAccess", unresolved=Unresolved.FAIL))
    assert suffices(strict.terraform(ATTACHMENT.encode()))
    assert not suffices(strict.terraform(b'resource "aws_s3_bucket" "x" {}'))


def test_the_transforms_own_policies_are_known() -> None:
    source = Path(sam_resources.__file__).read_text()
    written = re.findall(r'"(?:arn:aws:iam::aws:policy/)?((?:service-role/)?AWS(?!::)\w+)"', source)
    assert set(written) == set(ADDED_BY_SAM)
    template = b"Type: AWS::Serverless::Function"
    for name in ADDED_BY_SAM:
        assert suffices(Screen(deny_list(name.rpartition("/")[2])).template_by_itself(template))
    assert not suffices(Screen(ADMIN).template_by_itself(template))


@given(st.lists(st.text("abc", min_size=1, max_size=4), min_size=1, max_size=30), st.text("abc", max_size=12))
def test_searches_find_what_plain_search_finds(words: list[str], text: str) -> None:
    expected = any(word in text for word in words)
    assert any(search(text.encode()) for search in searches_for(words)) is expected
    assert bool(re.search(any_of(words), text)) is expected
