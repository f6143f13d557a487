"""Tell which live attachments the code of a directory declares, and which nobody declared there.

The code is read as `check` reads it, by the same list. A live attachment is declared where the code attaches the same
policy to a principal of that kind and name; perhaps declared where the code leaves the name, or the policy, open.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from unapproved_iam.account.audit import NOT_DECLARED
from unapproved_iam.deny_list.discovery import repository_root
from unapproved_iam.deny_list.entries import DenyList
from unapproved_iam.policies.attachment import Attachment
from unapproved_iam.policies.policy_arn import narrowed
from unapproved_iam.policies.possible_text import Alphabet, Glob, Match, Text, match, text
from unapproved_iam.scan.check_scope import Request
from unapproved_iam.scan.findings import Findings
from unapproved_iam.scan.tree_check import findings_of

MOST_PLACES = 3


class DeclaredCode:
    """What the code below a directory attaches, of the policies that the list denies. Raises UsageError."""

    def __init__(self, directory: str, deny_list: DenyList) -> None:
        self.directory = directory
        # What the list's owner leaves out of a check declares attachments all the same.
        everything = deny_list._replace(exclusions=())
        self._findings = findings_of(Request(paths=(directory,)), everything, repository_root(directory))
        self._named: dict[tuple[str, str], list[Attachment]] = {}
        self._open: dict[str, list[Attachment]] = {}  # by the kind of a principal whose name is not known
        for attachment in _attachments(self._findings):
            for principal in attachment.principals:
                if principal.name.known is None:
                    self._open.setdefault(principal.kind, []).append(attachment)
                else:
                    self._named.setdefault((principal.kind, principal.name.known), []).append(attachment)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What could not be read: an attachment that is «not declared» may be declared there."""
        places = (self._findings.at(one.place) for one in self._findings.unjudged)
        return tuple(f"code that could not be read may declare more: {place}" for place in dict.fromkeys(places))

    def places(self, attachments: Iterable[Attachment]) -> Mapping[Attachment, str]:
        """In words, where the code declares each live attachment."""
        return {attachment: self._place(attachment) for attachment in attachments}

    def _place(self, live: Attachment) -> str:
        principal = live.principals[0]
        # A role that Identity Center made is declared as its permission set.
        kind, _, name = principal.address.partition("/") if principal.address else (principal.kind, "", "")
        name = name or str(principal.name)
        certain: list[Attachment] = []
        possible: list[Attachment] = []
        for declared in self._named.get((kind, name), ()):
            matched = _same_policy(declared.policy, live.policy)
            if matched is not Match.NEVER:
                (certain if matched is Match.ALWAYS else possible).append(declared)
        for declared in self._open.get(kind, ()):
            named = any(match(one.name, (Glob(name),)) is not Match.NEVER for one in declared.principals)
            if named and _same_policy(declared.policy, live.policy) is not Match.NEVER:
                possible.append(declared)
        if certain:
            return self._written(certain)
        return f"perhaps {self._written(possible)}" if possible else NOT_DECLARED

    def _written(self, declared: Iterable[Attachment]) -> str:
        places = list(dict.fromkeys(self._findings.at(a.place) for a in declared))
        more = f" and {len(places) - MOST_PLACES} more" if len(places) > MOST_PLACES else ""
        return ", ".join(places[:MOST_PLACES]) + more


def _attachments(findings: Findings) -> Iterable[Attachment]:
    return (finding.attachment for finding in findings.judged)


def _same_policy(declared: Text, live: Text) -> Match:
    """Whether the policy that code declares is the live one.

    A partition and an account that the code leaves open are those of the account that it is applied to: no doubt.
    """
    if live.known is None:  # a permission set's own reference, which means a policy of each account
        live = text(*(piece if isinstance(piece, str) else "*" for piece in live.pieces))
    declared = narrowed(declared)
    matched = match(declared, (Glob(str(live)),))
    in_doubt = any(hole.alphabet is Alphabet.ANY for hole in declared.holes)
    return Match.ALWAYS if matched is Match.SOMETIMES and not in_doubt else matched
