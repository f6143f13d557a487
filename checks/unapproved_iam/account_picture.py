"""Draw which denied policies are attached to which principals, as one SVG element for the HTML report.

Policies stand on the left, principals on the right, a line for each attachment. A picture of hundreds of lines shows
nothing: beyond a bound, the rest is drawn as one node that says how many it stands for; the report's table has all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from html import escape
from typing import NamedTuple, TypeVar

from unapproved_iam.account_rows import Row, counted
from unapproved_iam.verdict import Verdict

MOST_POLICIES, MOST_PRINCIPALS = 14, 28

WIDTH, ROW_HEIGHT, TOP = 960, 30, 34
LEFT_EDGE, RIGHT_EDGE = 330, 600  # where the lines begin and end
MOST_CHARACTERS = 38

_Node = TypeVar("_Node", bound=Hashable)


class _Principal(NamedTuple):
    account: str
    kind: str
    name: str


def picture(rows: Sequence[Row]) -> str:
    """An SVG element with a title and a description; its colours come from the page's style sheet."""
    policies = Counter(row.policy_arn for row in rows)
    principals = Counter(_principal(row) for row in rows)
    names = {row.policy_arn: row.policy for row in rows}
    left = _most(policies, MOST_POLICIES)
    places = {arn: number for number, arn in enumerate(left)}
    right = _most(principals, MOST_PRINCIPALS)
    right.sort(key=lambda principal: _middle(principal, rows, places))
    more_left, more_right = len(policies) - len(left), len(principals) - len(right)
    rows_left, rows_right = len(left) + bool(more_left), len(right) + bool(more_right)
    height = TOP + max(rows_left, rows_right) * ROW_HEIGHT
    several = len({row.account for row in rows}) > 1

    def left_y(arn: str) -> float:
        return _y(places.get(arn, len(left)), rows_left, height)

    place_of = {principal: number for number, principal in enumerate(right)}

    def right_y(principal: _Principal) -> float:
        return _y(place_of.get(principal, len(right)), rows_right, height)

    lines: dict[tuple[float, float], list[Row]] = {}
    for row in rows:
        lines.setdefault((left_y(row.policy_arn), right_y(_principal(row))), []).append(row)
    parts = [_line(start, end, drawn) for (start, end), drawn in lines.items()]
    parts += [
        _node(
            LEFT_EDGE,
            left_y(arn),
            names[arn],
            f"{names[arn]}: {counted(policies[arn], 'attachment')}",
            "policy",
            policies[arn],
        )
        for arn in left
    ]
    if more_left:
        parts.append(
            _node(LEFT_EDGE, left_y(""), f"and {counted(more_left, 'more policy', 'more policies')}", "", "policy")
        )
    for principal in right:
        label = f"{principal.kind}/{principal.name}"
        suffix = f" · {principal.account}" if several else ""
        parts.append(
            _node(
                RIGHT_EDGE,
                right_y(principal),
                label,
                f"{label} in account {principal.account}",
                "principal",
                suffix=suffix,
            )
        )
    if more_right:
        parts.append(
            _node(
                RIGHT_EDGE,
                _y(len(right), rows_right, height),
                f"and {counted(more_right, 'more principal')}",
                "",
                "principal",
            )
        )
    described = (
        f"{counted(len(policies), 'policy', 'policies')} attached to {counted(len(principals), 'principal')};"
        " the table below lists every attachment"
    )
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="picture-title picture-description">'
        '<title id="picture-title">Which policy is attached to which principal</title>'
        f'<desc id="picture-description">{escape(described)}</desc>'
        f'<text class="head end" x="{LEFT_EDGE - 12}" y="16">Denied policy</text>'
        f'<text class="head" x="{RIGHT_EDGE + 12}" y="16">Attached to</text>'
        f"{''.join(parts)}</svg>"
    )


def _principal(row: Row) -> _Principal:
    return _Principal(row.account, row.kind, row.principal)


def _most(counts: Counter[_Node], most: int) -> list[_Node]:
    """The most frequent ones; one more than the bound is shown too, rather than as «1 more»."""
    ranked = [node for node, _ in counts.most_common()]
    return ranked if len(ranked) <= most + 1 else ranked[:most]


def _middle(principal: _Principal, rows: Sequence[Row], places: dict[str, int]) -> tuple[float, _Principal]:
    """Principals stand near their policies, so that few lines cross."""
    at = [places.get(row.policy_arn, len(places)) for row in rows if _principal(row) == principal]
    return sum(at) / len(at), principal


def _y(number: int, of: int, height: int) -> float:
    """The middle of a row; the shorter column is spread over the whole height."""
    return round(TOP + (number + 0.5) * (height - TOP) / of, 1)


def _line(start: float, end: float, rows: list[Row]) -> str:
    denied = sum(row.verdict != Verdict.APPROVED.value for row in rows)
    bend = (LEFT_EDGE + RIGHT_EDGE) / 2
    said = f"{rows[0].policy} → {rows[0].kind}/{rows[0].principal}: {rows[0].verdict}" if len(rows) == 1 else ""
    said = said or f"{counted(len(rows), 'attachment')}, {denied:,} denied"
    path = f"M{LEFT_EDGE} {start}C{bend} {start} {bend} {end} {RIGHT_EDGE} {end}"
    return f'<path class="{"denied" if denied else "approved"}" d="{path}"><title>{escape(said)}</title></path>'


def _node(x: int, y: float, label: str, title: str, kind: str, count: int = 0, suffix: str = "") -> str:
    shown = label if len(label) <= MOST_CHARACTERS else label[: MOST_CHARACTERS - 1] + "…"
    at = f'class="end" x="{x - 12}"' if kind == "policy" else f'x="{x + 12}"'
    number = f' <tspan class="dim">{count:,}</tspan>' if count else ""
    aside = f'<tspan class="dim">{escape(suffix)}</tspan>' if suffix else ""
    return (
        f'<g><title>{escape(title or label)}</title><circle class="{kind}" cx="{x}" cy="{y}" r="5"/>'
        f'<text {at} y="{y + 4}">{escape(shown)}{number}{aside}</text></g>'
    )
