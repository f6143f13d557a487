"""The expressions of HCL, as a tree of small records.

Made by `hcl.expression_reader`, evaluated by `hcl.evaluation`.
Source: "HCL Native Syntax Specification", section Expressions.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from unapproved_iam.policies.attachment import Place


class Literal(NamedTuple):
    """A number, true, false or null."""

    value: Fraction | bool | None

    def __str__(self) -> str:
        if self.value is None or isinstance(self.value, bool):
            return {None: "null", True: "true", False: "false"}[self.value]
        return str(self.value if self.value.denominator == 1 else float(self.value))


class Template(NamedTuple):
    """A quoted string or heredoc: texts, interpolated expressions and directives; without parts it is empty.

    A template of nothing but one interpolation yields that value as it is, be it a string or not.
    """

    parts: tuple[str | Expression, ...]
    place: Place

    def __str__(self) -> str:
        return '"' + "".join(_in_quotes(part) for part in self.parts) + '"'


class TemplateIf(NamedTuple):
    """`%{ if CONDITION }…%{ else }…%{ endif }`, a part of a template."""

    condition: Expression
    then: Template
    otherwise: Template

    def __str__(self) -> str:
        return f"%{{ if {self.condition} }}{str(self.then)[1:-1]}%{{ else }}{str(self.otherwise)[1:-1]}%{{ endif }}"


class TemplateFor(NamedTuple):
    """`%{ for KEY, VALUE in COLLECTION }…%{ endfor }`, a part of a template."""

    key: str | None
    value: str
    collection: Expression
    body: Template

    def __str__(self) -> str:
        names = f"{self.key}, {self.value}" if self.key else self.value
        return f"%{{ for {names} in {self.collection} }}{str(self.body)[1:-1]}%{{ endfor }}"


class Name(NamedTuple):
    """The root of a reference (`var`, `local`, `each`, a resource type, …) or a variable of a loop."""

    name: str

    def __str__(self) -> str:
        return self.name


class GetAttribute(NamedTuple):
    """`SOURCE.NAME`"""

    source: Expression
    name: str

    def __str__(self) -> str:
        return f"{self.source}.{self.name}"


class Index(NamedTuple):
    """`SOURCE[KEY]`, also the older `SOURCE.0`"""

    source: Expression
    key: Expression

    def __str__(self) -> str:
        return f"{self.source}[{self.key}]"


class Splat(NamedTuple):
    """`SOURCE[*]` or `SOURCE.*` with what follows; in `each` the element is the SplatItem."""

    source: Expression
    each: Expression

    def __str__(self) -> str:
        return str(self.each)


class SplatItem(NamedTuple):
    """The element that a splat looks at."""

    written: str  # as `SOURCE[*]`

    def __str__(self) -> str:
        return self.written


class Call(NamedTuple):
    """A function call; `expands` when the last argument is a list of arguments (`f(list...)`)."""

    name: str  # with its provider: "provider::aws::arn_build"
    arguments: tuple[Expression, ...]
    expands: bool = False

    def __str__(self) -> str:
        return f"{self.name}({', '.join(map(str, self.arguments))}{'...' if self.expands else ''})"


class TupleOf(NamedTuple):
    """`[…]`"""

    items: tuple[Expression, ...]

    def __str__(self) -> str:
        return f"[{', '.join(map(str, self.items))}]"


class ObjectOf(NamedTuple):
    """`{…}`; a bare key is a Template of its name."""

    items: tuple[tuple[Expression, Expression], ...]

    def __str__(self) -> str:
        return f"{{{', '.join(f'{key} = {value}' for key, value in self.items)}}}"


class For(NamedTuple):
    """`[for …]`, or with a `result_key` `{for …}`; `grouped` when the result ends in `...`."""

    key: str | None
    value: str
    collection: Expression
    result_key: Expression | None
    result: Expression
    grouped: bool
    condition: Expression | None

    def __str__(self) -> str:
        names = f"{self.key}, {self.value}" if self.key else self.value
        result = f"{self.result_key} => {self.result}" if self.result_key else str(self.result)
        result += ("..." if self.grouped else "") + (f" if {self.condition}" if self.condition else "")
        loop = f"for {names} in {self.collection} : {result}"
        return f"{{{loop}}}" if self.result_key else f"[{loop}]"


class Conditional(NamedTuple):
    """`CONDITION ? THEN : OTHERWISE`"""

    condition: Expression
    then: Expression
    otherwise: Expression

    def __str__(self) -> str:
        condition = f"({self.condition})" if isinstance(self.condition, Conditional) else str(self.condition)
        return f"{condition} ? {_operand(self.then)} : {_operand(self.otherwise)}"


class Operation(NamedTuple):
    """An operator with one operand or two: ! - * / % + < > <= >= == != && ||"""

    operator: str
    operands: tuple[Expression, ...]

    def __str__(self) -> str:
        if len(self.operands) == 1:
            return f"{self.operator}{_operand(self.operands[0])}"
        return f"{_operand(self.operands[0])} {self.operator} {_operand(self.operands[1])}"


# `str()` writes one as in the source, in one line.
Expression = (
    Literal
    | Template
    | TemplateIf
    | TemplateFor
    | Name
    | GetAttribute
    | Index
    | Splat
    | SplatItem
    | Call
    | TupleOf
    | ObjectOf
    | For
    | Conditional
    | Operation
)


def _operand(expression: Expression) -> str:
    is_compound = isinstance(expression, Conditional) or (
        isinstance(expression, Operation) and len(expression.operands) > 1
    )
    return f"({expression})" if is_compound else str(expression)


def _in_quotes(part: str | Expression) -> str:
    if isinstance(part, str):
        escaped = part.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return escaped.replace("${", "$${").replace("%{", "%%{")
    return str(part) if isinstance(part, TemplateIf | TemplateFor) else f"${{{part}}}"
