"""Draw which denied policies are attached to which principals, as one SVG element for the HTML report.

Policies are on the left, principals on the right. A picture of hundreds of lines shows nothing, so many principals are
drawn as one, by account or by kind, and a thicker line means more attachments. The report's table has them all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from html import escape
from math import log2

from unapproved_iam.account.report_rows import Row
from unapproved_iam.deny_list.verdict import Verdict
from unapproved_iam.printed_words import counted

MOST_POLICIES, MOST_PRINCIPALS = 16, 28

# In pixels of a text of 14; the widest sans-serif faces take about 8.5 for a character.
ROW_HEIGHT, TOP, BETWEEN, GAP = 30, 34, 230, 12
CHARACTER, MOST_CHARACTERS = 8.5, 30  # a column fits on a phone
DENSE = 60  # lines, from which on they are drawn paler


def picture(rows: Sequence[Row]) -> str:
    """An SVG element with a title and a description; its colours come from the page's style sheet."""
    right_of = _grouping(rows)
    left, left_of = _most(rows, _policy, MOST_POLICIES, "policies")
    right, right_of = _most(rows, right_of, MOST_PRINCIPALS, "principals")
    right.sort(key=lambda label: _middle(label, rows, left, left_of, right_of))
    height = TOP + max(len(left), len(right)) * ROW_HEIGHT
    left_y = {label: _y(number, len(left), height) for number, label in enumerate(left)}
    right_y = {label: _y(number, len(right), height) for number, label in enumerate(right)}
    lines: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        lines.setdefault((left_of(row), right_of(row)), []).append(row)
    counts = Counter(map(left_of, rows)) + Counter(map(right_of, rows))
    begin = _width(left, counts)
    end = begin + BETWEEN
    width = end + _width(right, counts)
    parts = [
        _line(policy, principal, (begin, left_y[policy]), (end, right_y[principal]), drawn)
        for (policy, principal), drawn in lines.items()
    ]
    parts += [_node("policy", begin, y, label, counts[label]) for label, y in left_y.items()]
    parts += [_node("principal", end, y, label, counts[label]) for label, y in right_y.items()]
    described = f"{counted(len(rows), 'attachment')} of denied policies; the table below lists them all"
    dense = ' class="dense"' if len(lines) >= DENSE else ""
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}"{dense} role="img"'
        ' aria-labelledby="picture-title picture-description">'
        '<title id="picture-title">Which policy is attached to whom</title>'
        f'<desc id="picture-description">{escape(described)}</desc>'
        f'<text class="head end" x="{begin - GAP}" y="16">Policy</text>'
        f'<text class="head" x="{end + GAP}" y="16">Attached to</text>'
        f"{''.join(parts)}</svg>"
    )


Grouping = Callable[[Row], str]  # the label of the node that stands for a row


def _policy(row: Row) -> str:
    """A customer managed policy by its name: it is the same one in every account."""
    return row.policy_arn.rpartition(":policy/")[2] if row.policy == row.policy_arn else row.policy


def _principal(row: Row) -> str:
    return f"{row.kind}/{row.principal}"


def _principal_of_account(row: Row) -> str:
    return f"{_principal(row)} · {row.account}"


def _kind_of_account(row: Row) -> str:
    return f"{_kind(row)} of {row.account}"


def _account(row: Row) -> str:
    return f"{row.account} {row.account_name}" if row.account_name else f"account {row.account}"


def _kind(row: Row) -> str:
    return f"{row.kind.replace('-', ' ')}s"


def _grouping(rows: Sequence[Row]) -> Grouping:
    """How principals are drawn together: the first way that yields few enough."""
    several = len({row.account for row in rows}) > 1
    ways = (_principal_of_account, _kind_of_account, _account, _kind) if several else (_principal, _kind)
    return next((way for way in ways if len(set(map(way, rows))) <= MOST_PRINCIPALS), _kind)


def _most(rows: Sequence[Row], grouping: Grouping, most: int, what: str) -> tuple[list[str], Grouping]:
    """The labels with the most rows; beyond the bound the rest share one label."""
    ranked = [label for label, _ in Counter(map(grouping, rows)).most_common()]
    if len(ranked) <= most:
        return ranked, grouping
    kept, rest = set(ranked[:most]), f"{len(ranked) - most:,} more {what}"
    return [*ranked[:most], rest], lambda row: label if (label := grouping(row)) in kept else rest


def _middle(
    label: str, rows: Sequence[Row], left: Sequence[str], left_of: Grouping, right_of: Grouping
) -> tuple[float, str]:
    """Principals stand near their policies, so that few lines cross."""
    at = [left.index(left_of(row)) for row in rows if right_of(row) == label]
    return sum(at) / len(at), label


def _y(number: int, of: int, height: int) -> float:
    """The middle of a row; the shorter column is spread over the whole height."""
    return round(TOP + (number + 0.5) * (height - TOP) / of, 1)


def _width(labels: Sequence[str], counts: Mapping[str, int]) -> int:
    """Of a column, from the edge of the picture to its nodes."""
    longest = max(len(_shown(label) + _number(counts[label])) for label in labels)
    return round(CHARACTER * longest) + 2 * GAP


def _shown(label: str) -> str:
    """Long labels lose their middle: generated names begin alike and end differently."""
    half = MOST_CHARACTERS // 2
    return label if len(label) <= MOST_CHARACTERS else f"{label[:half]}…{label[half + 1 - MOST_CHARACTERS :]}"


def _number(count: int) -> str:
    return f" {count:,}" if count > 1 else ""


def _line(policy: str, principal: str, start: tuple[int, float], end: tuple[int, float], rows: list[Row]) -> str:
    verdicts = Counter(row.verdict for row in rows)
    verdict = min(verdicts, key=_SEVERITY.index)
    said = f"{policy} → {principal}: " + ", ".join(f"{number:,} {verdict}" for verdict, number in verdicts.items())
    bend = (start[0] + end[0]) // 2
    path = f"M{start[0]} {start[1]}C{bend} {start[1]} {bend} {end[1]} {end[0]} {end[1]}"
    width = round(1.6 + log2(len(rows)), 1)
    return f'<path class="{verdict}" d="{path}" stroke-width="{width}"><title>{escape(said)}</title></path>'


_SEVERITY = [verdict.value for verdict in (Verdict.DENIED, Verdict.UNRESOLVED, Verdict.WARNED, Verdict.APPROVED)]


def _node(side: str, x: int, y: float, label: str, count: int) -> str:
    at = f'class="end" x="{x - GAP}"' if side == "policy" else f'x="{x + GAP}"'
    return (
        f"<g><title>{escape(label)}: {counted(count, 'attachment')}</title>"
        f'<circle class="{side}" cx="{x}" cy="{y}" r="5"/>'
        f'<text {at} y="{y + 4}">{escape(_shown(label))}<tspan class="dim">{_number(count)}</tspan></text></g>'
    )
