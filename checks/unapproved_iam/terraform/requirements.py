"""Decide which worlds Terraform refuses: those in which a condition fails that the source requires.

For `terraform.module_reading`. Required is what validates a variable, and what a resource has for preconditions: where
they fail, nothing is applied. (`check` blocks only warn.) Sources: "Custom Conditions" in the Terraform documentation.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from unapproved_iam.hcl.evaluation import evaluate
from unapproved_iam.hcl.expression import Expression
from unapproved_iam.hcl.facts import Facts, joined
from unapproved_iam.hcl.operators import truths_of
from unapproved_iam.hcl.scope import Layer, Reference, Scope, references_in
from unapproved_iam.hcl.values import Value, constant_of, exactly, settled

_Told = tuple[tuple[Reference, Value], ...]


@dataclass
class Requirement:
    """A condition in its scope."""

    condition: Expression
    scope: Scope
    _holding: dict[_Told, list[Facts]] = field(default_factory=dict)

    def admits(self, when: Facts) -> bool:
        """Whether it may hold where these facts do. One that never seems to hold is passed over."""
        ways = self._ways_to_hold(())
        if not ways:
            return True
        return any(joined(when, way) is not None for way in ways) and bool(self._ways_to_hold(self._told_by(when)))

    @cached_property
    def _variables(self) -> list[Reference]:
        return [one for one in dict.fromkeys(references_in(self.condition)) if one[0] == "var" and len(one) == 2]

    def _told_by(self, when: Facts) -> _Told:
        """The variables of which the facts tell what they are."""
        told = []
        for reference in self._variables:
            value = self.scope.value_of(reference)
            plains = [settled(plain, both) for plain, own in value if (both := joined(own, when)) is not None]
            if len(plains) == 1 and constant_of(plains[0]) is not None:
                told.append((reference, exactly(plains[0])))
        return tuple(told)

    def _ways_to_hold(self, told: _Told) -> list[Facts]:
        """The facts under which it may hold, with what is told of variables. What is refused may be computed by
        Terraform, for which a constant may have another type."""
        if told not in self._holding:
            scope = Layer(self.scope, dict(told)) if told else self.scope
            truths, refusals = truths_of(evaluate(self.condition, scope), self.condition)
            refused = (possible.when for refusal in refusals for possible in refusal)
            self._holding[told] = [*(when for truth, when in truths if truth), *refused]
        return self._holding[told]
