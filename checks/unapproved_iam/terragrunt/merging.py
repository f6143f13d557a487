"""Merge what Terragrunt files hand to a module: those that are included, and the one that includes them.

For `terragrunt.configuration`. Source: "include" in the Terragrunt reference, on `merge_strategy`.
"""

from __future__ import annotations

from unapproved_iam.hcl.alternatives import applied, unknown_like
from unapproved_iam.hcl.collection_values import mapping_of
from unapproved_iam.hcl.values import Entry, Mapping, Null, Plain, Sequence, Value, exactly
from unapproved_iam.policies.possible_text import Hole, text


def merged(first: Value, second: Value) -> Value:
    """Key by key; what the second one has wins."""

    def both(one: Plain, other: Plain) -> Value:
        if isinstance(one, Null):
            return exactly(other)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            return exactly(mapping_of((*one.entries, *other.entries)))
        if isinstance(other, Mapping):
            return exactly(mapping_of((_anything(one), *other.entries)))
        return unknown_like("inputs", one, other)

    return applied(both, [first, second], "inputs")


def _anything(unknown: Plain) -> Entry:
    """Any number of inputs, of which not even the names are known."""
    hole = Hole("inputs", "what is included has inputs that are not known")
    return Entry(text(hole), unknown_like("inputs", unknown))


def deeply_merged(first: Value, second: Value) -> Value:
    """Objects key by key at every depth, and lists one after the other; else what the second one has."""

    def both(one: Plain, other: Plain) -> Value:
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            theirs = {entry.key: entry.value for entry in one.entries}
            entries = (
                Entry(entry.key, deeply_merged(theirs[entry.key], entry.value), entry.when)
                if entry.key in theirs
                else entry
                for entry in other.entries
            )
            return exactly(mapping_of((*one.entries, *entries)))
        if isinstance(other, Mapping) and not isinstance(one, Null):
            return exactly(mapping_of((_anything(one), *other.entries)))
        if isinstance(one, Sequence) and isinstance(other, Sequence) and one.rest is other.rest is None:
            return exactly(Sequence((*one.items, *other.items), ordered=one.ordered and other.ordered))
        return exactly(other)

    return applied(both, [first, second], "inputs")
