"""Read from the type of a variable what its value is made of, whatever that is.

For `hcl.values` and `terraform.variables`. Source: "Type Constraints" in the Terraform documentation.
"""

from __future__ import annotations

from dataclasses import dataclass

from unapproved_iam.hcl.bounds import Count
from unapproved_iam.hcl.expression import Call, Expression, Literal, Name, ObjectOf, Template


@dataclass(frozen=True, slots=True)
class Shape:
    """Of what a value consists, as far as its type tells, or what computes it."""

    is_list: bool = False
    is_set: bool = False  # a list of which equal elements are one
    element: Shape | None = None  # of a list, set or map
    attributes: tuple[tuple[str, Shape | None], ...] = ()  # of an object
    count: Count | None = None  # of a number that counts something

    def attribute(self, name: str) -> tuple[Shape | None] | None:
        """The shape of an attribute that is surely there."""
        return next(((shape,) for own, shape in self.attributes if own == name), None)


def shape_of(type_: Expression) -> Shape | None:
    """The shape of a type; None where it does not tell."""
    if isinstance(type_, Name):
        return Shape() if type_.name in ("string", "number", "bool") else None
    if not isinstance(type_, Call) or not type_.arguments:
        return None
    inner = type_.arguments[0]
    if type_.name in ("list", "set"):
        return Shape(is_list=True, is_set=type_.name == "set", element=shape_of(inner))
    if type_.name == "map":
        return Shape(element=shape_of(inner))
    if type_.name == "object" and isinstance(inner, ObjectOf):
        return Shape(attributes=tuple((name_of_key(key), shape_of(of)) for key, of in inner.items))
    return shape_of(inner) if type_.name == "optional" else None


def name_of_key(key: Expression) -> str:
    """The name of an attribute, as the type of an object writes it."""
    if isinstance(key, Template):
        return "".join(part for part in key.parts if isinstance(part, str))
    return key.name if isinstance(key, Name) else str(key.value) if isinstance(key, Literal) else ""
