"""Write findings for people at a terminal: three lines each, then what could not be checked, then one line of summary.

The first line of a finding makes sense by itself. Text from the scanned tree may come from a stranger: a terminal gets
it without control characters, and a CI log without workflow commands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from unapproved_iam.deny_list.verdict import Verdict
from unapproved_iam.policies.attachment import Place, Unjudged
from unapproved_iam.policies.policy_arn import display_name
from unapproved_iam.printed_words import printable
from unapproved_iam.reports.finding_text import Group, details, exception, expiring, groups, headline, shown
from unapproved_iam.reports.summary_text import summary, totals
from unapproved_iam.scan.findings import Findings

_BOLD, _DIM, _RED, _YELLOW, _GREEN, _PLAIN = (f"\x1b[{code}m" for code in (1, 2, 31, 33, 32, 0))
MOST_ALIKE = 3  # problems of one kind, and files that are not read, that are told one by one


def text_report(findings: Findings, seconds: float, colours: bool = False, verbose: bool = False) -> str:
    """The whole report, lines ended by line feeds; one line when there is nothing to say."""
    return found_text(findings, colours, verbose) + closing_text(findings, seconds, colours)


def found_text(findings: Findings, colours: bool = False, verbose: bool = False) -> str:
    """What was found, and what could not be checked."""
    return "".join(f"{line}\n" for line in _found(findings, _Paint(colours), verbose))


def closing_text(findings: Findings, seconds: float, colours: bool = False) -> str:
    """How to get an exception, the totals, the summary."""
    paint = _Paint(colours)
    remarks = [printable(line) for line in (totals(findings), way_out(findings)) if line]
    lines = [*([""] if remarks else []), *(paint(_DIM, line) for line in remarks)]
    lines.append(paint(_GREEN if findings.exit_code == 0 else _RED, summary(findings, seconds)))
    return "".join(f"{line}\n" for line in lines)


class _Paint:
    def __init__(self, colours: bool) -> None:
        self.colours = colours

    def __call__(self, colour: str, text: str) -> str:
        return f"{colour}{text}{_PLAIN}" if self.colours else text


def _found(findings: Findings, paint: _Paint, verbose: bool) -> Iterator[str]:
    if verbose:
        for finding in findings.shown:
            yield from _verbose(Group(finding.attachment.place, (finding,)), findings, paint)
    else:
        for group in groups(findings.shown):
            yield from _short(group, findings, paint)
    yield from _problems(findings, paint, verbose)
    for line in expiring(findings):
        yield paint(_YELLOW, printable(line))
    most = len(findings.mentions) if verbose else MOST_ALIKE
    for mention in findings.mentions[:most]:
        said = f"not checked: names {mention.name}, and files of this kind are not read here"
        yield f"{_at(mention.place, paint)} {paint(_YELLOW, printable(said))}"
    if len(findings.mentions) > most:
        yield f"and {len(findings.mentions) - most} more files that are not checked (--verbose shows them)"


def _short(group: Group, findings: Findings, paint: _Paint) -> Iterator[str]:
    yield f"{_at(group.place, paint)} {_painted(headline(group), group, paint)}"
    yield f"    {printable(group.first.why)}"
    if line := exception(group, findings):
        yield f"    {paint(_DIM, printable(line))}"


def _verbose(group: Group, findings: Findings, paint: _Paint) -> Iterator[str]:
    yield f"{_at(group.place, paint)} {_painted(group.first.message, group, paint)}"
    for label, detail in details(group.first, findings):
        yield f"    {paint(_DIM, f'{label:<10}')}{printable(detail)}"


def _painted(sentence: str, group: Group, paint: _Paint) -> str:
    policy = printable(display_name(group.first.attachment.policy))
    colour = _YELLOW if group.first.verdict is Verdict.WARNED else _RED
    return printable(sentence).replace(policy, paint(colour, policy), 1)


def _problems(findings: Findings, paint: _Paint, verbose: bool) -> Iterator[str]:
    """What could not be checked; of many that are alike, the first one stands for all."""
    alike: dict[tuple[str, str], list[Unjudged]] = {}
    for unjudged in findings.unjudged:
        alike.setdefault((re.sub(r'"[^"]*"', "", unjudged.reason), unjudged.advice), []).append(unjudged)
    for several in alike.values():
        named = several if verbose or len(several) <= MOST_ALIKE else several[:1]
        for unjudged in named:
            said = unjudged.reason + (f" ({unjudged.advice})" if unjudged.advice else "")
            more = (
                f"; the same {len(several) - 1} more times (--verbose shows them)" if len(named) < len(several) else ""
            )
            yield f"{_at(unjudged.place, paint)} {paint(_RED, 'could not be checked')}: {printable(said + more)}"


def _at(place: Place, paint: _Paint) -> str:
    return paint(_BOLD, f"{printable(shown(place.path))}:{place.line}:")


def way_out(findings: Findings) -> str:
    if all(finding.verdict is Verdict.UNRESOLVED for finding in findings.shown):
        return ""
    if findings.deny_list.source.startswith("built-in"):
        return "exceptions go into your own list (unapproved-iam init writes one)"
    return f"exceptions go under `approve:` in {findings.deny_list.source}, with a reason in place of …"
