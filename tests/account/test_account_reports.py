"""What the audit's reports show, and that what people and AWS wrote stays text in each of them."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
import xml.etree.ElementTree as ElementTree
from datetime import date
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unapproved_iam.account.access import Account
from unapproved_iam.account.audit import AccountReading, Audit, attachment_of, judged
from unapproved_iam.account.audit_reports import csv_report, json_report, markdown_report, text_report
from unapproved_iam.account.detach_script import detach_script
from unapproved_iam.account.html_report import html_report
from unapproved_iam.account.picture import picture
from unapproved_iam.account.report_rows import Row, headline, rows_of
from unapproved_iam.deny_list.entries import Approval, DenyList, Entry, Origin
from unapproved_iam.policies.attachment import Place, Unjudged

TODAY = date(2027, 1, 1)
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
POWER = "arn:aws:iam::aws:policy/PowerUserAccess"


def audited(
    *attachments: tuple[str, str],
    reason: str = "it grants everything",
    account: Account = Account("123456789012", "aws", "live"),  # noqa: B008
    unjudged: tuple[str, ...] = (),
) -> Audit:
    """An audit of principals ("role/app") and policy ARNs by a list that denies a few."""
    line = iter(range(3, 99))
    deny_list = DenyList(
        "list.yaml",
        (
            Entry(
                "AdministratorAccess", Origin("list.yaml", next(line)), reason, ("PowerUserAccess", "ViewOnlyAccess")
            ),
            Entry("PowerUserAccess", Origin("list.yaml", next(line)), enforce_from=date(2027, 6, 1)),
            Entry("arn:aws:iam::123456789012:policy/*", Origin("list.yaml", next(line))),
        ),
        (
            Approval("AdministratorAccess", "role/kept", Origin("list.yaml", next(line)), "SEC-1", approved_by="eve"),
            Approval(
                "AdministratorAccess", "role/late", Origin("list.yaml", next(line)), "SEC-2", expires=date(2026, 1, 1)
            ),
            Approval("AdministratorAccess", "*", Origin("list.yaml", next(line)), "SEC-3", files=("live/**",)),
        ),
    )
    reading = AccountReading(
        account,
        policies=7,
        attachments=tuple(
            attachment_of(account, principal.split("/", 1)[0], principal.split("/", 1)[1], arn)
            for principal, arn in attachments
        ),
        unjudged=tuple(Unjudged(Place(account.arn), words) for words in unjudged),
    )
    return judged(deny_list, TODAY, "eu-west-1", [reading])


EXAMPLE = audited(("role/app", ADMIN), ("role/kept", ADMIN), ("role/late", ADMIN), ("user/eve", POWER))


def test_each_verdict_has_its_row() -> None:
    rows = {f"{row.kind}/{row.principal}": row for row in rows_of(EXAMPLE)}
    assert {name: row.verdict for name, row in rows.items()} == {
        "role/app": "denied",
        "role/kept": "approved",
        "role/late": "denied",
        "user/eve": "warned",
    }
    assert rows["role/kept"].approval == "SEC-1, by eve (list.yaml:6)"
    assert rows["role/late"].approval == "SEC-2, expired on 2026-01-01 (list.yaml:7)"
    assert rows["role/app"].use_instead == "ViewOnlyAccess", "what the list denies is no advice"
    assert (rows["user/eve"].detach, rows["user/eve"].note) == ("", "denied from 2027-06-01 on")
    assert EXAMPLE.exit_code == 1
    assert audited(("role/kept", ADMIN), ("user/eve", POWER)).exit_code == 0
    assert audited(("role/kept", ADMIN), unjudged=("cannot see",)).exit_code == 2


def test_the_text_says_everything_once() -> None:
    assert text_report(EXAMPLE) == (
        "AdministratorAccess: 3 attachments (2 denied, 1 approved)\n"
        "    arn         arn:aws:iam::aws:policy/AdministratorAccess\n"
        "    why         it grants everything\n"
        "    use instead ViewOnlyAccess\n"
        "    denied by   AdministratorAccess in list.yaml:3\n"
        "    denied    role/app\n"
        "              aws iam detach-role-policy --role-name app"
        " --policy-arn arn:aws:iam::aws:policy/AdministratorAccess\n"
        "    approved  role/kept\n"
        "              approval: SEC-1, by eve (list.yaml:6)\n"
        "    denied    role/late\n"
        "              approval: SEC-2, expired on 2026-01-01 (list.yaml:7)\n"
        "              aws iam detach-role-policy --role-name late"
        " --policy-arn arn:aws:iam::aws:policy/AdministratorAccess\n"
        "\n"
        "PowerUserAccess: 1 warned\n"
        "    arn         arn:aws:iam::aws:policy/PowerUserAccess\n"
        "    denied by   PowerUserAccess in list.yaml:4\n"
        "    warned    user/eve\n"
        "              note: denied from 2027-06-01 on\n"
        "\n"
        "2 denied attachments of 1 policy; checked 1 account, 7 attached policies, 0 permission sets;"
        " 1 attachment denied from a later date; 1 attachment approved; 1 attachment no longer approved;"
        " list: list.yaml (3 entries)\n"
    )


def test_partial_knowledge_is_the_first_thing_said() -> None:
    partial = audited(unjudged=("cannot see which policies are attached: denied",))
    assert headline(partial) == "could not check everything; in what was checked: no denied policy is attached"
    assert 'class="outcome partial"' in html_report(partial)
    assert "## Not checked\n\n- account 123456789012 live: cannot see which" in markdown_report(partial)
    assert json.loads(json_report(partial))["accounts"][0]["unjudged"][0]["reason"].startswith("cannot see which")
    assert 'class="outcome clean"' in html_report(audited())


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_the_page_is_the_same_in_every_encoding(encoding: str) -> None:
    """Standard output may have any; the page says UTF-8."""
    written = html_report(audited(("role/app", ADMIN), reason="Grüße → …"))
    assert written.encode(encoding) == written.encode("utf-8")
    assert "Grüße → …" in Page(written).text


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\uff1d1+1"])
def test_a_spreadsheet_runs_no_name(name: str) -> None:
    table = list(csv.DictReader(io.StringIO(csv_report(audited((f"role/{name}", ADMIN))))))
    assert table[0]["principal"] == f"'{name}"
    [row] = csv.DictReader(io.StringIO(csv_report(audited(("role/1+1", ADMIN), reason="two\r\n=lines"))))
    assert (row["principal"], row["reason"]) == ("1+1", "two\\r\\n=lines")


hostile = st.text(min_size=1, max_size=30) | st.sampled_from(
    [
        "<script>alert(1)</script>",
        "</style><img src=x>",
        "'\"&<>",
        "a|b",
        "`rm`",
        "```",
        "**x**",
        "[x](javascript:y)",
        "\\",
    ]
)


class Page(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@given(hostile, hostile)
def test_no_name_or_reason_becomes_markup(name: str, reason: str) -> None:
    plain = Page(html_report(audited(("role/app", ADMIN), reason="plain", account=Account("1", "aws", "x"))))
    audit = audited((f"role/{name}", ADMIN), reason=reason, account=Account("1", "aws", name))
    page = Page(html_report(audit))
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in plain.tags]
    assert reason in page.text or not reason.isprintable()
    table = [line for line in markdown_report(audit).split("\n") if line.startswith("|")]
    assert len(table) == 3
    assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", table[2])) == 6
    assert all(line.isprintable() for line in text_report(audit).split("\n"))


def test_the_page_is_whole_in_itself() -> None:
    page = Page(html_report(EXAMPLE))
    addresses = [
        value for _, attributes in page.tags for name, value in attributes.items() if name in ("src", "href", "srcset")
    ]
    assert addresses == []
    assert not [
        attributes
        for _, attributes in page.tags
        if any(name.startswith("on") or name == "style" for name in attributes)
    ]
    [policy] = [a["content"] for tag, a in page.tags if tag == "meta" and a.get("http-equiv")]
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    source = html_report(EXAMPLE)
    for tag in ("style", "script"):
        [inline] = re.findall(f"<{tag}>(.*?)</{tag}>", source, re.DOTALL)
        assert f"'sha256-{base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()}'" in policy


def test_the_page_can_be_read_without_seeing_it() -> None:
    page = Page(html_report(EXAMPLE))
    tags = [tag for tag, _ in page.tags]
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert ("html", {"lang": "en"}) in page.tags
    assert (
        tags.count("h1")
        == tags.count("main")
        == tags.count("title") - len(re.findall("<title", picture(rows_of(EXAMPLE))))
        == 1
    )
    assert len(ids) == len(set(ids))
    labels = [value.split() for _, attributes in page.tags if (value := attributes.get("aria-labelledby"))]
    assert {id_ for label in labels for id_ in label} <= set(ids)
    assert [tag for tag in tags if tag in ("input", "select")] == ["input", "select"]
    assert tags.count("label") == 2
    assert all(attributes.get("scope") for tag, attributes in page.tags if tag == "th")


def rows(number: int, accounts: int = 1) -> list[Row]:
    audits = [
        audited(*[(f"role/r{n}", ADMIN) for n in range(number)], account=Account(f"{100000000000 + account}", "aws"))
        for account in range(accounts)
    ]
    return [row for audit in audits for row in rows_of(audit)]


@pytest.mark.parametrize(
    ("number", "accounts", "labels"),
    [
        (2, 1, {"role/r0", "role/r1"}),
        (29, 1, {"roles 29"}),
        (2, 2, {"role/r0 · 100000000000", "role/r1 · 100000000001"}),
        (20, 2, {"roles of 100000000000 20", "roles of 100000000001 20"}),
        (2, 40, {"roles 80"}),
    ],
)
def test_a_picture_of_many_draws_them_together(number: int, accounts: int, labels: set[str]) -> None:
    drawn = ElementTree.fromstring(picture(rows(number, accounts)))
    texts = {"".join(element.itertext()) for element in drawn.iter("text")}
    assert labels <= texts
    assert len(texts) <= 32


def test_long_names_that_end_differently_are_told_apart() -> None:
    drawn = ElementTree.fromstring(picture(rows_of(audited(*[(f"role/{'n' * 60}-{n}", ADMIN) for n in range(9)]))))
    texts = {"".join(element.itertext()) for element in drawn.iter("text")}
    assert {f"role/nnnnnnnnnn…nnnnnnnnnnnn-{n}" for n in range(9)} <= texts


def test_a_picture_bounds_its_policies() -> None:
    many = [replace_policy(row, number) for number, row in enumerate(rows(1) * 40)]
    drawn = ElementTree.fromstring(picture(many))
    texts = {"".join(element.itertext()) for element in drawn.iter("text")}
    assert "24 more policies 24" in texts


def test_no_report_holds_a_command_of_a_ci_system() -> None:
    """Azure Pipelines looks for ##vso[…] anywhere in a log's line; the name of an account is anybody's."""
    name = "##vso[task.setvariable variable=x]y"
    audit = audited(("role/app", ADMIN), reason=name, account=Account("123456789012", "aws", name), unjudged=(name,))
    for report in (text_report, json_report, csv_report, markdown_report, detach_script):
        assert "##vso" not in report(audit)
    assert json.loads(json_report(audit))["accounts"][0]["name"] == name


def replace_policy(row: Row, number: int) -> Row:
    arn = f"arn:aws:iam::123456789012:policy/it/p{number}"
    return row._replace(policy=arn, policy_arn=arn)


def test_advice_is_kept_when_the_list_does_not_deny_it() -> None:
    entries = tuple(entry._replace(enforce_from=None) for entry in EXAMPLE.deny_list.entries[:1])
    audit = judged(EXAMPLE.deny_list._replace(entries=entries), TODAY, "eu-west-1", EXAMPLE.readings)
    assert rows_of(audit)[0].use_instead == "PowerUserAccess or ViewOnlyAccess"
