"""The built-in lists: every entry means something, says why, and never stands in the way of incident response."""

from __future__ import annotations

from pathlib import Path

import pytest
from unapproved_iam.deny_list.builtin_lists import BUILTIN_LISTS, DEFAULT_LIST
from unapproved_iam.policies.managed_policy_names import NAMES_FILE, managed_policy_names
from unapproved_iam.policies.policy_pattern import impossible_because, unknown_because

# They take permissions away: attaching them is what people do about a leaked key.
RESTRICTING = sorted(
    name for name in managed_policy_names() if name == "AWSDenyAll" or name.startswith("AWSCompromisedKeyQuarantine")
)


@pytest.mark.parametrize("name", BUILTIN_LISTS)
def test_an_entry_says_what_why_and_who_says_so(name: str) -> None:
    for entry in BUILTIN_LISTS[name]:
        assert str(entry.origin) == f"built-in list {name}"
        assert impossible_because(entry.policy) is None
        assert unknown_because(entry.policy) is None
        assert entry.reason
        assert entry.source
        # Some that AWS has removed belong to a service that is gone, too.
        assert entry.use_instead or name == "aws-deprecated"
        for advice in entry.use_instead:
            assert advice in managed_policy_names() or advice.startswith("a policy ")


@pytest.mark.parametrize("name", BUILTIN_LISTS)
def test_no_entry_matches_a_policy_that_restricts(name: str) -> None:
    assert len(RESTRICTING) >= 4
    for restricting in RESTRICTING:
        arn = f"arn:aws:iam::aws:policy/{restricting}"
        matching = [e for e in BUILTIN_LISTS[name] if any(glob.expression.fullmatch(arn) for glob in e.globs)]
        assert not matching


@pytest.mark.parametrize("name", BUILTIN_LISTS)
def test_a_list_names_each_policy_once_and_advises_none_of_its_own(name: str) -> None:
    policies = [entry.policy for entry in BUILTIN_LISTS[name]]
    assert len(set(policies)) == len(policies) > 0
    advised = {policy for entry in BUILTIN_LISTS[name] for policy in entry.use_instead}
    assert not advised & set(policies)


def test_the_default_list() -> None:
    assert {entry.policy for entry in BUILTIN_LISTS[DEFAULT_LIST]} == {
        "AdministratorAccess",
        "IAMFullAccess",
        "PowerUserAccess",
        "AWSCloudShellFullAccess",
    }


def test_names_are_those_that_moto_ships() -> None:
    """`python scripts/refresh_managed_policies.py` brings them up to date."""
    lines = Path(NAMES_FILE).read_text(encoding="ascii").splitlines()
    assert lines == sorted(lines)
    assert len(managed_policy_names()) == len(lines) > 1500
