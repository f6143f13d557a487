"""Write the audit of live accounts as one HTML page that a security engineer can forward.

The page needs nothing else: no network, and a content security policy forbids it. Without JavaScript, only the filter
is missing. Source: "Content-Security-Policy" in Web security at MDN (hashes of inline style and script).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from html import escape

from unapproved_iam.account.audit import AccountReading, Audit
from unapproved_iam.account.picture import picture
from unapproved_iam.account.report_rows import (
    NOT_AT_ALL,
    PolicyRows,
    Row,
    account_title,
    by_policy,
    denied_by_account,
    extent,
    headline,
    looked_at,
    not_looked_at,
    rows_of,
)
from unapproved_iam.deny_list.verdict import Verdict
from unapproved_iam.printed_words import counted
from unapproved_iam.program import version

STYLE = """
:root { color-scheme: light dark; --ground: #fff; --panel: #f4f5f7; --text: #1c2330; --dim: #5a6475; --edge: #d5d9e0;
  --denied: #b3261e; --denied-ground: #fbe9e7; --approved: #1b6e3c; --approved-ground: #e5f4ea;
  --warning: #7a4b00; --warning-ground: #fff3d6; --accent: #1f5fbf; }
@media (prefers-color-scheme: dark) { :root { --ground: #12161d; --panel: #1b212b; --text: #e6e9ef; --dim: #a3adbd;
  --edge: #343c4a; --denied: #ff8a80; --denied-ground: #3b1a18; --approved: #7fd39b; --approved-ground: #14301f;
  --warning: #ffcf70; --warning-ground: #362a10; --accent: #8ab4f8; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 78rem; padding: 1.5rem; background: var(--ground); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 .75rem; }
p { margin: .25rem 0; }
.dim { color: var(--dim); fill: var(--dim); }
.outcome { border-left: .3rem solid; border-radius: .25rem; margin: 1rem 0; padding: .6rem .9rem; font-weight: 600; }
.outcome.clean { color: var(--approved); background: var(--approved-ground); }
.outcome.violation { color: var(--denied); background: var(--denied-ground); }
.outcome.partial, .partial-list { color: var(--warning); background: var(--warning-ground); }
.partial-list { border-radius: .25rem; margin: 0; padding: .6rem .9rem .6rem 2rem; }
.counts { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .75rem; margin: 1rem 0; }
.counts div { background: var(--panel); border: 1px solid var(--edge); border-radius: .5rem; padding: .6rem .8rem;
  display: flex; flex-direction: column-reverse; justify-content: flex-end; }
.counts dt { color: var(--dim); font-size: .85rem; line-height: 1.3; }
.counts dd { margin: 0; font-size: 1.6rem; font-weight: 650; line-height: 1.2; font-variant-numeric: tabular-nums; }
.counts .bad dd { color: var(--denied); }
.picture { overflow-x: auto; border: 1px solid var(--edge); border-radius: .5rem; padding: .75rem; }
.picture:focus-visible, input:focus-visible, select:focus-visible { outline: 3px solid var(--accent); }
svg { display: block; margin: 0 auto; font: 14px system-ui, sans-serif; }
svg text { fill: var(--text); }
svg .end { text-anchor: end; }
svg .head, svg tspan.dim { fill: var(--dim); }
svg .head { font-size: 13px; font-weight: 600; }
svg path { fill: none; opacity: .7; }
svg.dense path { opacity: .3; }
svg path:hover { opacity: 1; }
svg path.denied, svg path.unresolved { stroke: var(--denied); }
svg path.approved { stroke: var(--approved); stroke-dasharray: 5 4; }
svg path.warned { stroke: var(--warning); stroke-dasharray: 2 3; }
svg circle.policy { fill: var(--denied); }
svg circle.principal { fill: var(--accent); }
.keys { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin-top: .4rem; }
.key { display: inline-block; width: 1.6rem; border-top: 3px solid var(--denied); vertical-align: middle; }
.key.approved { border-top: 3px dashed var(--approved); }
.key.warned { border-top: 3px dotted var(--warning); }
.filter { display: none; gap: .75rem; flex-wrap: wrap; align-items: end; margin-bottom: .75rem; }
.js .filter { display: flex; }
label { font-size: .85rem; color: var(--dim); display: flex; flex-direction: column; gap: .15rem; }
input, select { font: inherit; color: var(--text); background: var(--ground); border: 1px solid var(--dim);
  border-radius: .35rem; padding: .4rem .6rem; min-height: 2.6rem; }
::placeholder { color: var(--dim); opacity: 1; }
input { width: 20rem; max-width: 100%; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { text-align: left; vertical-align: top; padding: .5rem .6rem; border-bottom: 1px solid var(--edge); }
thead th { color: var(--dim); font-size: .82rem; white-space: nowrap; }
tbody th { font-weight: 600; }
td > p:first-child { margin-top: 0; }
.policy { background: var(--panel); }
.policy th { font-weight: 400; padding-top: .8rem; }
.policy h3 { display: inline; font-size: 1rem; margin: 0; }
.policy p { color: var(--dim); }
.policy code { color: var(--text); }
.account { white-space: nowrap; font-variant-numeric: tabular-nums; }
[hidden] { display: none !important; }
.verdict { border-radius: 1rem; padding: .1rem .6rem; font-size: .82rem; font-weight: 600; white-space: nowrap; }
.verdict.denied, .verdict.unresolved { color: var(--denied); background: var(--denied-ground); }
.verdict.approved { color: var(--approved); background: var(--approved-ground); }
.verdict.warned { color: var(--warning); background: var(--warning-ground); }
code { font: .85em/1.45 ui-monospace, "DejaVu Sans Mono", monospace; }
code.command { display: block; background: var(--panel); border-radius: .3rem; padding: .35rem .5rem;
  user-select: all; }
footer { margin-top: 2.5rem; border-top: 1px solid var(--edge); padding-top: .75rem; font-size: .85rem; }
@media screen and (min-width: 52rem) {
  thead th { position: sticky; top: 0; background: var(--ground); box-shadow: inset 0 -1px var(--edge); }
}
@media screen and (max-width: 51.99rem) {
  body { padding: 1rem; }
  .drawn { display: none; }
  table, tbody, tr, td, tbody th { display: block; width: 100%; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  tbody tr { border: 1px solid var(--edge); border-radius: .5rem; margin-bottom: .75rem; padding: .35rem .7rem; }
  tbody td, tbody th { border: 0; padding: .25rem 0; }
  tbody td:empty { display: none; }
  tbody td::before { content: attr(data-column); color: var(--dim); font-size: .78rem; display: block; }
  #accounts td { display: inline-block; width: auto; margin-right: 1rem; }
  #accounts td::before { display: inline; margin-right: .35rem; }
  .policy h3 { display: block; font-size: 1.05rem; }
  label, input, select { width: 100%; }
}
@media print {
  :root { color-scheme: light; --ground: #fff; --panel: #f4f5f7; --text: #000; --dim: #444; --edge: #bbb;
    --denied: #b3261e; --denied-ground: #fff; --approved: #1b6e3c; --approved-ground: #fff;
    --warning: #7a4b00; --warning-ground: #fff; }
  body { max-width: none; padding: 0; font-size: 9.5pt; }
  .js .filter { display: none; }
  svg { max-width: 100%; height: auto; }
  h2, .policy { break-after: avoid; }
  tbody tr, .counts div, .picture { break-inside: avoid; }
  thead { display: table-header-group; }
}
"""

SCRIPT = """
'use strict';
document.documentElement.classList.add('js');
const words = document.getElementById('words');
const verdict = document.getElementById('verdict');
const shown = document.getElementById('shown');
const policies = Array.from(document.querySelectorAll('#attachments tbody'), body => {
  const [heading, ...rows] = body.rows;
  const about = heading.textContent.toLowerCase();
  return [body, rows.map(row => [row, about + ' ' + row.textContent.toLowerCase()])];
});
function filter() {
  const wanted = words.value.toLowerCase().split(/\\s+/).filter(Boolean);
  let number = 0, all = 0;
  for (const [body, rows] of policies) {
    let here = 0;
    for (const [row, text] of rows) {
      const fits = (!verdict.value || row.dataset.verdict === verdict.value)
        && wanted.every(word => text.includes(word));
      row.hidden = !fits;
      here += fits;
    }
    body.hidden = !here;
    number += here;
    all += rows.length;
  }
  shown.textContent = number + ' of ' + all + ' shown';
}
words.addEventListener('input', filter);
verdict.addEventListener('change', filter);
filter();
"""


def html_report(audit: Audit) -> str:
    """The page; everything that comes from outside is escaped."""
    rows = rows_of(audit)
    policy = (
        f"default-src 'none'; style-src {_hash(STYLE)}; script-src {_hash(SCRIPT)}; base-uri 'none'; form-action 'none'"
    )
    day = f'<time datetime="{audit.today}">{audit.today}</time>'
    body = [
        "<header><h1>Unapproved IAM policies in live accounts</h1>",
        f'<p class="dim">{escape(_accounts(audit))}, on {day}</p></header>',
        f'<main><p class="outcome {_OUTCOME[audit.exit_code]}">{_sentence(headline(audit))}</p>',
        _counts(audit),
        _list(
            "Not checked",
            "partial-list",
            (f"account {account_title(a)}: {words}" for a, words in not_looked_at(audit)),
        ),
        _list("Remarks", "", audit.remarks),
        _picture(rows),
        _of_accounts(audit),
        _table(audit),
        "</main>",
        f'<footer class="dim"><p>{_sentence(f"checked {extent(audit)}")} List: {escape(audit.deny_list.source)}'
        f" ({counted(len(audit.deny_list.entries), 'entry', 'entries')}).</p>"
        f"<p>Written by unapproved-iam {escape(version())}, which changes nothing in an account: review a command"
        " before you run it.</p></footer>",
    ]
    page = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>Unapproved IAM policies: {escape(headline(audit))}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(part for part in body if part)
        + (f"\n<script>{SCRIPT}</script>" if rows else "")
        + "\n</body>\n</html>\n"
    )
    # The same page in whatever encoding it is written to a file.
    return page.encode("ascii", "xmlcharrefreplace").decode("ascii")


_OUTCOME = ("clean", "violation", "partial")  # by exit code


def _hash(source: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"


def _sentence(words: str) -> str:
    return escape(words[:1].upper() + words[1:]) + "."


def _accounts(audit: Audit) -> str:
    if len(audit.readings) == 1:
        return f"Account {account_title(audit.readings[0].account)}"
    return counted(len(audit.readings), "account")


def _counts(audit: Audit) -> str:
    principals = {(finding.attachment.unit, finding.attachment.principals) for finding in audit.denied}
    counts = [
        ("denied attachments", len(audit.denied), True),
        ("denied policies", len({str(finding.attachment.policy) for finding in audit.denied}), True),
        ("principals that have them", len(principals), True),
        ("expired approvals", len(audit.expired), True),
        ("approved attachments", len(audit.approved), False),
        ("attached policies checked", sum(reading.policies for reading in audit.readings), False),
        ("permission sets checked", sum(reading.permission_sets for reading in audit.readings), False),
    ]
    if len(audit.readings) > 1:
        counts.append(("accounts", len(audit.readings), False))
    if audit.warned:
        counts.append(("denied from a later date", len(audit.warned), False))
    boxes = (
        f"<div{' class=bad' if bad and number else ''}><dt>{label}</dt><dd>{number:,}</dd></div>"
        for label, number, bad in counts
    )
    return f'<dl class="counts">{"".join(boxes)}</dl>'


def _list(title: str, css_class: str, lines: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    of_class = f' class="{css_class}"' if css_class else ""
    return f"<section><h2>{title}</h2><ul{of_class}>{items}</ul></section>" if items else ""


def _picture(rows: tuple[Row, ...]) -> str:
    if not rows:
        return ""
    drawn = picture(rows)
    verdicts = [verdict.value for verdict in Verdict if f'<path class="{verdict.value}"' in drawn]
    key = "".join(f'<span><span class="key {verdict}"></span> {verdict}</span>' for verdict in verdicts)
    if drawn.count("<path") < len(rows):
        key += "<span>a thick line stands for many attachments and shows their worst verdict</span>"
    return (
        '<section class="drawn"><h2>Which policy is attached to whom</h2>'
        '<div class="picture" tabindex="0" role="region" aria-label="Picture of policies and principals">'
        f'{drawn}</div><p class="keys dim">{key}</p>'
        "</section>"
    )


def _table(audit: Audit) -> str:
    """The attachments, under a heading for each policy; the filter shows and hides both."""
    policies = by_policy(audit)
    if not policies:
        return ""
    columns = ["Attached to", "Account", "Verdict", "What to do"] + ([] if audit.in_code is None else ["In code"])
    verdicts = sorted({finding.verdict.value for finding in audit.findings})
    return (
        '<section><h2 id="attachments-title">Attachments</h2>'
        '<div class="filter" role="search"><label>Filter<input id="words" type="search" autocomplete="off"'
        ' placeholder="policy, principal, account, …"></label>'
        '<label>Verdict<select id="verdict"><option value="">all</option>'
        f"{''.join(f'<option>{verdict}</option>' for verdict in verdicts)}</select></label>"
        '<span id="shown" class="dim" role="status"></span></div>'
        '<table id="attachments" role="table" aria-labelledby="attachments-title">'
        f'<thead role="rowgroup"><tr role="row">{_heads(columns)}</tr></thead>'
        f"{''.join(_policy_body(audit, policy, len(columns)) for policy in policies)}</table></section>"
    )


def _heads(columns: Iterable[str]) -> str:
    return "".join(f'<th scope="col" role="columnheader">{column}</th>' for column in columns)


def _policy_body(audit: Audit, policy: PolicyRows, columns: int) -> str:
    counts = ", ".join(f"{number:,} {verdict}" for verdict, number in policy.verdicts.items())
    arn = "" if policy.policy == policy.policy_arn else f"<code>{escape(policy.policy_arn)}</code>"
    why = [
        policy.reason,
        f"Use instead: {policy.use_instead}" if policy.use_instead else "",
        f"Denied by {policy.denied_by}",
    ]
    return (
        '<tbody role="rowgroup"><tr class="policy" role="row">'
        f'<th colspan="{columns}" scope="rowgroup" role="rowheader">'
        f"<h3>{escape(policy.policy)}</h3><p>{escape(counts)} {arn}</p>{_paragraphs(why)}</th></tr>"
        f"{''.join(_table_row(audit, row) for row in policy.rows)}</tbody>"
    )


def _table_row(audit: Audit, row: Row) -> str:
    name = f'<br><span class="dim">{escape(row.account_name)}</span>' if row.account_name else ""
    to_do = f'<code class="command">{escape(row.detach)}</code>' if row.detach else ""
    cells = [
        ("Account", f'<span class="account">{escape(row.account)}</span>{name}'),
        ("Verdict", f'<span class="verdict {row.verdict}">{row.verdict}</span>{_paragraphs([row.approval])}'),
        ("What to do", to_do + _paragraphs([row.note])),
    ]
    cells += [] if audit.in_code is None else [("In code", escape(row.in_code))]
    shown = "".join(f'<td role="cell" data-column="{column}">{cell}</td>' for column, cell in cells)
    principal = f'<span class="dim">{escape(row.kind)}/</span>{escape(row.principal)}'
    return f'<tr role="row" data-verdict="{row.verdict}"><th scope="row" role="rowheader">{principal}</th>{shown}</tr>'


def _paragraphs(lines: Iterable[str]) -> str:
    return "".join(f"<p>{escape(line)}</p>" for line in lines if line)


def _of_accounts(audit: Audit) -> str:
    """How each account fared, where there are several."""
    if len(audit.readings) < 2:
        return ""
    denied = denied_by_account(audit)
    rows = "".join(
        f'<tr role="row"><th scope="row" role="rowheader">{escape(account_title(reading.account))}</th>'
        f'<td role="cell" data-column="Denied attachments">{_number(reading, denied[reading.account.id])}</td>'
        f'<td role="cell" data-column="Attached policies">{_number(reading, reading.policies)}</td>'
        f'<td role="cell" data-column="Checked">{_extent(reading)}</td></tr>'
        for reading in audit.readings
    )
    heads = _heads(("Account", "Denied attachments", "Attached policies", "Checked"))
    return (
        '<section><h2 id="accounts-title">Accounts</h2>'
        '<table id="accounts" role="table" aria-labelledby="accounts-title">'
        f'<thead role="rowgroup"><tr role="row">{heads}</tr></thead>'
        f'<tbody role="rowgroup">{rows}</tbody></table></section>'
    )


def _number(reading: AccountReading, number: int) -> str:
    """A number that says nothing of an account that could not be looked at is left out."""
    return "—" if looked_at(reading) == NOT_AT_ALL else f"{number:,}"


def _extent(reading: AccountReading) -> str:
    words = looked_at(reading)
    return words if words == "whole" else f'<span class="verdict warned">{words}</span>'
