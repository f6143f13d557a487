"""Write random root modules, each expression together with what it is worth in a given world.

An expression is its text and a function of the world, so that every attachment can be computed by brute force, by
nothing that the engine has. A world gives each variable its default, what a variable file says, or a constant.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import combinations, product
from operator import eq, ge, gt, le, lt
from random import Random
from typing import Any, NamedTuple, TypeVar

DENIED = ("AdministratorAccess", "IAMFullAccess")
NAMES = (*DENIED, "ReadOnlyAccess", "AmazonS3ReadOnlyAccess", "ViewOnlyAccess")
ENVIRONMENTS = ("dev", "qa", "stage", "prod")
FIRST, ELSE = "AAA", "zzz"  # what no module names
ARN = "arn:aws:iam::aws:policy/"
COMPARISONS = {">": gt, "<": lt, ">=": ge, "<=": le, "==": eq}


Picked = TypeVar("Picked")


class Refused(Exception):
    """Terraform refuses to compute it."""


class RefusedElsewhere(Exception):
    """Terraform refuses a local or an argument that is needed: no `try` around the reference helps."""


class Other(str):
    """A text that the tree does not tell, unless a condition has compared it."""


Options = dict[str, list[Any]]  # of each variable, its values


class World:
    """One world: each variable gets its value when it is first asked for, so that what nobody asks is not multiplied.

    `path` are the numbers of the choices; it grows with the questions.
    """

    def __init__(self, options: Options, path: list[int], is_eager: bool = False) -> None:
        self.options = options
        self.path = path
        self.is_eager = is_eager  # whether `&&` and `||` compute both sides, as before version 1.12 of terraform
        self.chosen: dict[str, Any] = {}
        self.asked: set[str] = set()  # what `Other` texts turned out to be equal to

    def value(self, name: str) -> Any:
        if name not in self.chosen:
            number = len(self.chosen)
            if number == len(self.path):
                self.path.append(0)
            self.chosen[name] = self.options[name][self.path[number]]
        return self.chosen[name]


def worlds(options: Options, is_eager: bool = False) -> Iterator[World]:
    """All worlds, as far as those differ who ask for values in the one that is handed out."""
    path: list[int] = []
    while True:
        world = World(options, path, is_eager)
        yield world
        widths = [len(options[name]) for name in world.chosen]
        del path[len(widths) :]
        while path and path[-1] + 1 == widths[len(path) - 1]:
            path.pop()
        if not path:
            return
        path[-1] += 1


@dataclass(frozen=True)
class View:
    """What an expression sees: the world, the module's variables and locals, and the loops around it."""

    world: World
    variables: dict[str, Callable[[], Any]]
    locals: dict[str, Expression]
    loops: dict[str, Any] = field(default_factory=dict)

    def inside(self, **loops: Any) -> View:
        return View(self.world, self.variables, self.locals, {**self.loops, **loops})


@dataclass(frozen=True)
class Expression:
    text: str
    worth: Callable[[View], Any]


@dataclass
class Attaching:
    """A resource block of a module, and the policy names that it attaches in a view."""

    address: str
    text: str
    worth: Callable[[View], list[Any]]
    expressions: tuple[Expression, ...] = ()  # that terraform computes, if there is an instance or not


@dataclass
class Program:
    files: dict[str, str]
    runs: list[Options]  # without a variable file, and with each
    attached: dict[str, Callable[[World], list[Any] | None]]  # by the resource's address without instance keys
    is_computed: Callable[[World], bool]  # whether terraform refuses nothing, be it used or not


def equal(view: View, one: Any, other: Any) -> bool:
    same = one == other
    for text in (one, other):
        if isinstance(text, Other) and same:
            view.world.asked.add(str(text))
    return bool(same)


def contains(view: View, several: Iterable[Any], wanted: Any) -> bool:
    if wanted is None:
        raise Refused
    return any(equal(view, wanted, one) for one in several)


def both(view: View, one: bool, other: Expression) -> bool:
    if view.world.is_eager:
        other.worth(view)
    return bool(one and other.worth(view))


def quoted(data: Any) -> str:
    if isinstance(data, bool):
        return "true" if data else "false"
    if data is None:
        return "null"
    if isinstance(data, str):
        return f'"{data}"'
    if isinstance(data, list):
        return "[" + ", ".join(map(quoted, data)) + "]"
    if isinstance(data, dict):
        return "{ " + ", ".join(f"{key} = {quoted(value)}" for key, value in data.items()) + " }"
    return str(data)


def constant(data: Any) -> Expression:
    return Expression(quoted(data), lambda view: data)


class Writer:
    """Writes the expressions of one module; `variables` are its names by kind."""

    def __init__(self, random: Random, variables: dict[str, list[str]]) -> None:
        self.random = random
        self.variables = variables
        self.locals: dict[str, Expression] = {}
        self.kinds: dict[str, list[str]] = {"name": [], "flag": [], "list": []}
        self.loop_names: list[str] = []
        self.loops = 0

    def pick(self, options: Iterable[Picked]) -> Picked:
        return self.random.choice(list(options))

    def one_in(self, number: int) -> bool:
        return self.random.randrange(number) == 0

    def variable(self, name: str) -> Expression:
        return Expression(f"var.{name}", lambda view: view.variables[name]())

    def local(self, name: str) -> Expression:
        def worth(view: View) -> Any:
            return _elsewhere(view.locals[name], View(view.world, view.variables, view.locals))

        return Expression(f"local.{name}", worth)

    def any_variable(self, kind: str) -> Expression | None:
        names = self.variables.get(kind)
        return self.variable(self.pick(names)) if names else None

    # -- conditions ----------------------------------------------------------------------------------------------------

    def flag(self, depth: int) -> Expression:
        forms = [self.flag_variable, self.compared, self.compared, self.member]
        if depth > 0:
            forms += [self.negated, self.both, self.both, self.can_choose, self.counted, self.choice_of_flag]
            forms += [self.name_compared, self.listed, self.looked_up_flag, self.longer, self.switched]
        if self.kinds["flag"] and self.one_in(4):
            return self.local(self.pick(self.kinds["flag"]))
        return self.pick(forms)(depth - 1)

    def flag_variable(self, depth: int) -> Expression:
        return self.any_variable("flag") or constant(self.one_in(2))

    def switched(self, depth: int) -> Expression:
        """By a switch that may be null."""
        switch, other, operator = self.any_variable("switch"), self.pick((True, False, None)), self.pick(("==", "!="))
        if switch is None:
            return self.compared(depth)
        if self.one_in(2):
            return self.asked(switch)
        if self.one_in(3):
            otherwise = other is True
            return Expression(
                f"coalesce({switch.text}, {quoted(otherwise)})",
                lambda view: otherwise if switch.worth(view) is None else switch.worth(view),
            )
        negated = operator == "!="
        return Expression(
            f"({switch.text} {operator} {quoted(other)})", lambda view: (switch.worth(view) is other) is not negated
        )

    def asked(self, switch: Expression) -> Expression:
        def worth(view: View) -> Any:
            if switch.worth(view) is None:
                raise Refused
            return switch.worth(view)

        return Expression(switch.text, worth)

    def environment(self) -> Expression:
        return self.any_variable("environment") or constant(self.pick(ENVIRONMENTS))

    def compared(self, depth: int) -> Expression:
        one, other, negated = self.environment(), self.pick((*ENVIRONMENTS, *ENVIRONMENTS, None)), self.one_in(2)
        text = f"({one.text} {'!=' if negated else '=='} {quoted(other)})"
        return Expression(text, lambda view: equal(view, one.worth(view), other) is not negated)

    def member(self, depth: int) -> Expression:
        one = self.environment()
        among = self.random.sample(ENVIRONMENTS, self.pick((1, 2, 2, 3)))

        return Expression(f"contains({quoted(among)}, {one.text})", lambda view: contains(view, among, one.worth(view)))

    def negated(self, depth: int) -> Expression:
        one = self.flag(depth)
        return Expression(f"!({one.text})", lambda view: not one.worth(view))

    def both(self, depth: int) -> Expression:
        one, other, operator = self.flag(depth), self.flag(depth), self.pick(("&&", "||"))

        def worth(view: View) -> bool:
            if operator == "&&":
                return both(view, one.worth(view), other)
            if view.world.is_eager:
                other.worth(view)
            return bool(one.worth(view) or other.worth(view))

        return Expression(f"({one.text} {operator} {other.text})", worth)

    def choice_of_flag(self, depth: int) -> Expression:
        return self.choice(self.flag, depth)

    def choice(self, of: Callable[[int], Expression], depth: int) -> Expression:
        condition, then, otherwise = self.flag(depth), of(depth), of(depth)

        def worth(view: View) -> Any:
            return then.worth(view) if condition.worth(view) else otherwise.worth(view)

        return Expression(f"({condition.text} ? {then.text} : {otherwise.text})", worth)

    def table(self, of: Callable[[int], Expression], depth: int) -> dict[str, Expression]:
        return {key: of(min(depth, 0)) for key in self.random.sample(ENVIRONMENTS, self.pick((1, 2, 2, 3)))}

    def can_choose(self, depth: int) -> Expression:
        one, keys = self.environment(), self.random.sample(ENVIRONMENTS, 2)
        text = f"can({{ {keys[0]} = 1, {keys[1]} = 2 }}[{one.text}])"
        return Expression(text, lambda view: one.worth(view) in keys)

    def looked_up_flag(self, depth: int) -> Expression:
        one, keys, default = self.environment(), self.random.sample(ENVIRONMENTS, 2), self.one_in(2)
        text = f'lookup({{ {keys[0]} = true, {keys[1]} = false }}, coalesce({one.text}, "dev"), {quoted(default)})'

        def worth(view: View) -> bool:
            key = one.worth(view) or "dev"
            return bool({keys[0]: True, keys[1]: False}.get(key, default))

        return Expression(text, worth)

    def counted(self, depth: int) -> Expression:
        several, number = self.names(depth), self.pick((0, 1, 2))
        return Expression(f"(length({several.text}) > {number})", lambda view: len(several.worth(view)) > number)

    def longer(self, depth: int) -> Expression:
        number, limit = self.any_variable("number") or constant(3), self.pick((1, 2, 4))
        operator = self.pick((">", ">", "<", ">=", "<=", "=="))
        return Expression(
            f"({number.text} {operator} {limit})", lambda view: COMPARISONS[operator](number.worth(view), limit)
        )

    def name_compared(self, depth: int) -> Expression:
        one, other, negated = self.name(min(depth, 1)), self.pick(NAMES), self.one_in(2)
        text = f"({one.text} {'!=' if negated else '=='} {quoted(other)})"
        return Expression(text, lambda view: equal(view, one.worth(view), other) is not negated)

    def listed(self, depth: int) -> Expression:
        several, one = self.names(min(depth, 1)), self.pick(NAMES)
        return Expression(
            f"contains({several.text}, {quoted(one)})",
            lambda view: any(equal(view, element, one) for element in several.worth(view)),
        )

    # -- names of policies ---------------------------------------------------------------------------------------------

    def name(self, depth: int) -> Expression:
        if self.loop_names and self.one_in(3):
            loop = self.pick(self.loop_names)
            return Expression(loop, lambda view: view.loops[loop])
        if self.kinds["name"] and self.one_in(4):
            return self.local(self.pick(self.kinds["name"]))
        forms = [lambda depth: constant(self.pick(NAMES)), self.name_variable]
        if depth > 0:
            forms += [self.choice_of_name, self.choice_of_name, self.looked_up, self.indexed, self.tried]
            forms += [self.coalesced, self.merged, self.templated, self.filtered, self.element, self.of_object]
            forms += [self.of_grant]
        return self.pick(forms)(depth - 1)

    def name_variable(self, depth: int) -> Expression:
        return self.any_variable("name") or constant(self.pick(NAMES))

    def choice_of_name(self, depth: int) -> Expression:
        return self.choice(self.name, depth)

    def looked_up(self, depth: int) -> Expression:
        table, one, default = self.table(self.name, depth), self.environment(), self.name(depth)
        entries = ", ".join(f"{key} = {value.text}" for key, value in table.items())

        def worth(view: View) -> Any:
            key, otherwise = one.worth(view), default.worth(view)
            values = {entry: value.worth(view) for entry, value in table.items()}
            if key is None:
                raise Refused
            return values.get(key, otherwise)

        return Expression(f"lookup({{ {entries} }}, {one.text}, {default.text})", worth)

    def indexed(self, depth: int) -> Expression:
        table, one = self.table(self.name, depth), self.environment()
        entries = ", ".join(f"{key} = {value.text}" for key, value in table.items())

        def worth(view: View) -> Any:
            key = one.worth(view)
            values = {entry: value.worth(view) for entry, value in table.items()}
            if key not in table:
                raise Refused
            return values[key]

        return Expression(f"{{ {entries} }}[{one.text}]", worth)

    def tried(self, depth: int) -> Expression:
        one, other = self.indexed(depth), self.name(depth)

        def worth(view: View) -> Any:
            try:
                return one.worth(view)
            except Refused:
                return other.worth(view)

        return Expression(f"try({one.text}, {other.text})", worth)

    def coalesced(self, depth: int) -> Expression:
        condition, one, other = self.flag(depth), self.name(depth), self.name(depth)
        empty = self.pick(('""', "null"))
        text = f"coalesce({condition.text} ? {one.text} : {empty}, {other.text})"

        def worth(view: View) -> Any:
            first = one.worth(view) if condition.worth(view) else None
            second = other.worth(view)
            for name in (first, second):
                if name is not None and not equal(view, name, ""):
                    return name
            raise Refused

        return Expression(text, worth)

    def merged(self, depth: int) -> Expression:
        one, condition, other = self.name(depth), self.flag(depth), self.name(depth)
        text = f"merge({{ a = {one.text} }}, {condition.text} ? {{ a = {other.text} }} : {{}}).a"
        return Expression(
            text, lambda view: [one.worth(view), (other if condition.worth(view) else one).worth(view)][1]
        )

    def templated(self, depth: int) -> Expression:
        condition, one, other = self.flag(depth), self.name(depth), self.name(depth)
        text = f'"%{{ if {condition.text} }}${{{one.text}}}%{{ else }}${{{other.text}}}%{{ endif }}"'
        return Expression(text, lambda view: (one if condition.worth(view) else other).worth(view))

    def filtered(self, depth: int) -> Expression:
        condition, one, other = self.flag(depth), self.name(depth), self.name(depth)
        text = (
            f'join("", [for w in [{{ v = {one.text}, on = {condition.text} }}, '
            f"{{ v = {other.text}, on = !({condition.text}) }}] : w.v if w.on])"
        )

        def worth(view: View) -> Any:
            both = {True: one.worth(view), False: other.worth(view)}
            return both[bool(condition.worth(view))]

        return Expression(text, worth)

    def element(self, depth: int) -> Expression:
        several, function = self.names(depth), self.pick(("{}[0]", "element({}, 1)", 'try({}[1], "ReadOnlyAccess")'))

        def worth(view: View) -> Any:
            names = several.worth(view)
            if function == "{}[0]":
                if not names:
                    raise Refused
                return names[0]
            if function.startswith("element"):
                if not names:
                    raise Refused
                return names[1 % len(names)]
            return names[1] if len(names) > 1 else "ReadOnlyAccess"

        return Expression(function.format(several.text), worth)

    def of_object(self, depth: int) -> Expression:
        objects = self.any_variable("object")
        if objects is None:
            return self.choice_of_name(depth)

        def worth(view: View) -> Any:
            if objects.worth(view) is None:
                raise Refused
            return objects.worth(view)["policy"]

        return Expression(f"{objects.text}.policy", worth)

    def of_grant(self, depth: int) -> Expression:
        grants = self.any_variable("grants")
        if grants is None:
            return self.of_object(depth)

        def worth(view: View) -> Any:
            if not grants.worth(view):
                raise Refused
            return grants.worth(view)[0]["policy"]

        return Expression(f"{grants.text}[0].policy", worth)

    # -- lists of names ------------------------------------------------------------------------------------------------

    def names(self, depth: int) -> Expression:
        if self.kinds["list"] and self.one_in(4):
            return self.local(self.pick(self.kinds["list"]))
        forms = [self.tuple, self.list_variable, self.list_variable]
        if depth > 0:
            forms += [self.concatenated, self.loop, self.loop, self.compacted, self.choice_of_names, self.subtracted]
            forms += [self.of_roles, self.of_grants, self.flattened, self.sorted_set, self.kept_keys]
        return self.pick(forms)(depth - 1)

    def tuple(self, depth: int) -> Expression:
        items = [self.name(depth) for _ in range(self.pick((0, 1, 2, 3)))]
        if not items:
            return Expression("tolist([])", lambda view: [])
        return Expression(
            f"[{', '.join(item.text for item in items)}]", lambda view: [item.worth(view) for item in items]
        )

    def list_variable(self, depth: int) -> Expression:
        return self.any_variable("list") or self.tuple(depth)

    def choice_of_names(self, depth: int) -> Expression:
        condition, one = self.flag(depth), self.names(depth)
        return Expression(
            f"({condition.text} ? {one.text} : [])", lambda view: one.worth(view) if condition.worth(view) else []
        )

    def concatenated(self, depth: int) -> Expression:
        one, other = self.names(depth), self.choice_of_names(depth)
        return Expression(f"concat({one.text}, {other.text})", lambda view: [*one.worth(view), *other.worth(view)])

    def flattened(self, depth: int) -> Expression:
        one, other = self.names(depth), self.names(depth)
        return Expression(f"flatten([{one.text}, {other.text}])", lambda view: [*one.worth(view), *other.worth(view)])

    def loop(self, depth: int) -> Expression:
        several = self.names(depth)
        self.loops += 1
        loop = f"n{self.loops}"
        self.loop_names.append(loop)
        result = self.name(min(depth, 1)) if self.one_in(2) else Expression(loop, lambda view: view.loops[loop])
        condition = self.loop_condition(loop, depth)
        self.loop_names.remove(loop)

        def worth(view: View) -> list[Any]:
            turns = [view.inside(**{loop: name}) for name in several.worth(view)]
            return [result.worth(turn) for turn in turns if condition.worth(turn)]

        return Expression(f"[for {loop} in {several.text} : {result.text} if {condition.text}]", worth)

    def loop_condition(self, loop: str, depth: int) -> Expression:
        kind, among = self.random.randrange(3), self.random.sample(NAMES, 2)
        if kind == 0:
            return self.flag(depth)
        if kind == 1:
            return Expression(f"{loop} != {quoted(among[0])}", lambda view: not equal(view, view.loops[loop], among[0]))
        return Expression(
            f"!contains({quoted(among)}, {loop})",
            lambda view: not any(equal(view, view.loops[loop], one) for one in among),
        )

    def compacted(self, depth: int) -> Expression:
        pairs = [(self.flag(depth), self.name(depth)) for _ in range(self.pick((1, 2)))]
        items = ", ".join(f'{condition.text} ? {name.text} : ""' for condition, name in pairs)

        def worth(view: View) -> list[Any]:
            names = [name.worth(view) for condition, name in pairs if condition.worth(view)]
            return [name for name in names if not equal(view, name, "")]

        return Expression(f"compact([{items}])", worth)

    def subtracted(self, depth: int) -> Expression:
        several, among = self.names(depth), self.random.sample(NAMES, 2)

        def worth(view: View) -> list[Any]:
            names = [one for one in several.worth(view) if not any(equal(view, one, other) for other in among)]
            return sorted(set(names))

        return Expression(f"tolist(setsubtract({several.text}, {quoted(among)}))", worth)

    def sorted_set(self, depth: int) -> Expression:
        several = self.names(depth)
        return Expression(f"tolist(toset({several.text}))", lambda view: sorted(set(several.worth(view))))

    def kept_keys(self, depth: int) -> Expression:
        pairs = [(name, self.flag(depth)) for name in self.random.sample(NAMES, 2)]
        entries = ", ".join(f"{name} = {condition.text}" for name, condition in pairs)
        return Expression(
            f"[for k, v in {{ {entries} }} : k if v]",
            lambda view: sorted(name for name, condition in pairs if condition.worth(view)),
        )

    def of_grants(self, depth: int) -> Expression:
        grants = self.any_variable("grants")
        if grants is None:
            return self.of_roles(depth)
        if self.one_in(2):
            return Expression(
                f"({grants.text}[*].policy)", lambda view: [grant["policy"] for grant in grants.worth(view)]
            )
        condition = self.flag(min(depth, 1))
        return Expression(
            f"[for g in {grants.text} : g.policy if g.on && {condition.text}]",
            lambda view: [grant["policy"] for grant in grants.worth(view) if both(view, grant["on"], condition)],
        )

    def of_roles(self, depth: int) -> Expression:
        roles = self.any_variable("roles")
        if roles is None:
            return self.choice_of_names(depth)
        environment = self.environment()
        if self.one_in(2):
            return Expression(
                f"[for k, r in {roles.text} : r.policy if r.on]",
                lambda view: [role["policy"] for _, role in sorted(roles.worth(view).items()) if role["on"]],
            )
        return Expression(
            f"[for r in values({roles.text}) : r.policy if contains(r.envs, {environment.text})]",
            lambda view: [
                role["policy"]
                for _, role in sorted(roles.worth(view).items())
                if contains(view, role["envs"], environment.worth(view))
            ],
        )

    # -- resources -----------------------------------------------------------------------------------------------------

    def write_locals(self) -> str:
        lines = []
        for number in range(self.random.randrange(4)):
            kind = self.pick(("name", "flag", "list"))
            expression = {"name": self.name, "flag": self.flag, "list": self.names}[kind](2)
            name = f"l{number}"
            self.locals[name] = expression
            self.kinds[kind].append(name)
            lines.append(f"  {name} = {expression.text}\n")
        return f"locals {{\n{''.join(lines)}}}\n" if lines else ""

    def resource(self, number: int) -> Attaching:
        forms = [self.plain, self.conditional, self.for_each, self.of_role, self.by_index, self.blocks]
        forms += [self.each_role, self.each_grant]
        return self.pick(forms)(f"x{number}")

    def attachment(self, name: str, lines: str, worth: Callable[[View], list[Any]]) -> Attaching:
        text = f'resource "aws_iam_role_policy_attachment" "{name}" {{\n  role = "r"\n{lines}}}\n'
        return Attaching(f"aws_iam_role_policy_attachment.{name}", text, worth)

    def plain(self, name: str) -> Attaching:
        policy = self.name(3)
        return self.attachment(name, f'  policy_arn = "{ARN}${{{policy.text}}}"\n', lambda view: [policy.worth(view)])

    def conditional(self, name: str) -> Attaching:
        policy, condition = self.name(2), self.flag(2)
        lines = f'  count = {condition.text} ? 1 : 0\n  policy_arn = "{ARN}${{{policy.text}}}"\n'
        attaching = self.attachment(name, lines, lambda view: [policy.worth(view)] if condition.worth(view) else [])
        return replace(attaching, expressions=(policy,))

    def for_each(self, name: str) -> Attaching:
        several = self.names(3)
        lines = f'  for_each = toset({several.text})\n  policy_arn = "{ARN}${{each.value}}"\n'
        return self.attachment(name, lines, lambda view: several.worth(view))

    def by_index(self, name: str) -> Attaching:
        several = self.names(2)
        lines = f'  count = length({several.text})\n  policy_arn = "{ARN}${{{several.text}[count.index]}}"\n'
        return self.attachment(name, lines, lambda view: several.worth(view))

    def each_role(self, name: str) -> Attaching:
        roles = self.any_variable("roles")
        if roles is None:
            return self.for_each(name)
        condition = self.flag(1)
        lines = (
            f"  for_each = {{ for k, r in {roles.text} : k => r if r.on && {condition.text} }}\n"
            f'  policy_arn = "{ARN}${{each.value.policy}}"\n'
        )
        return self.attachment(
            name,
            lines,
            lambda view: [
                role["policy"] for role in roles.worth(view).values() if role["on"] and condition.worth(view)
            ],
        )

    def each_grant(self, name: str) -> Attaching:
        grants = self.any_variable("grants")
        if grants is None:
            return self.each_role(name)
        lines = (
            f'  for_each = {{ for i, g in {grants.text} : "k${{i}}" => g if g.on }}\n'
            f'  policy_arn = "{ARN}${{each.value.policy}}"\n'
        )
        return self.attachment(
            name, lines, lambda view: [grant["policy"] for grant in grants.worth(view) if grant["on"]]
        )

    def of_role(self, name: str) -> Attaching:
        several = self.names(3)
        text = (
            f'resource "aws_iam_role" "{name}" {{\n  name = "r"\n'
            f'  managed_policy_arns = [for p in {several.text} : "{ARN}${{p}}"]\n}}\n'
        )
        return Attaching(f"aws_iam_role.{name}", text, lambda view: several.worth(view))

    def blocks(self, name: str) -> Attaching:
        several = self.names(2)
        text = (
            f'resource "aws_ssoadmin_customer_managed_policy_attachments_exclusive" "{name}" {{\n'
            '  instance_arn = "i"\n  permission_set_arn = "p"\n'
            f'  dynamic "customer_managed_policy_reference" {{\n    for_each = {several.text}\n'
            '    content {\n      name = "legacy-${customer_managed_policy_reference.value}"\n    }\n  }\n}\n'
        )

        def worth(view: View) -> list[Any]:
            return [
                Other(f"legacy-{one}") if isinstance(one, Other) else f"legacy-{one}" for one in several.worth(view)
            ]

        return Attaching(f"aws_ssoadmin_customer_managed_policy_attachments_exclusive.{name}", text, worth)


# -- programs ----------------------------------------------------------------------------------------------------------

KINDS = {
    "environment": "env",
    "flag": "a",
    "name": "p",
    "list": "names",
    "object": "cfg",
    "roles": "roles",
    "grants": "grants",
    "number": "n",
    "switch": "s",
}


def datum(random: Random, kind: str) -> Any:
    def names(least: int) -> list[str]:
        return random.sample(NAMES, random.choice((least, 1, 2)))

    written: dict[str, Callable[[], Any]] = {
        "environment": lambda: random.choice((*ENVIRONMENTS, *ENVIRONMENTS, None)),
        "flag": lambda: random.choice((True, False)),
        "name": lambda: random.choice(NAMES),
        "list": lambda: names(1),
        "object": lambda: {"policy": random.choice(NAMES), "on": random.choice((True, False))},
        "roles": lambda: {
            key: {
                "policy": random.choice(NAMES),
                "on": random.choice((True, False)),
                "envs": random.sample(ENVIRONMENTS, random.choice((1, 2))),
            }
            for key in random.sample(("k1", "k2", "k3"), random.choice((1, 2)))
        },
        "grants": lambda: [
            {"policy": random.choice(NAMES), "on": random.choice((True, False))} for _ in range(random.choice((1, 2)))
        ],
        "number": lambda: random.choice((1, 2, 3, 5)),
        "switch": lambda: random.choice((True, False, None)),
    }
    return written[kind]()


TYPES = {
    "environment": "string",
    "flag": "bool",
    "name": "string",
    "list": "list(string)",
    "object": "object({ policy = string, on = bool })",
    "roles": "map(object({ policy = string, on = bool, envs = list(string) }))",
    "grants": "list(object({ policy = string, on = bool }))",
    "number": "number",
    "switch": "bool",
}


SECOND = {"flag": "b", "environment": "tier", "name": "q"}  # a variable of the same kind


class Validity(NamedTuple):
    """What a variable's block says of its values, and whether a value is one of them."""

    lines: str
    takes: Callable[[Any], bool]


ANY = Validity("", lambda value: True)


def validity(random: Random, kind: str, name: str) -> Validity:
    """Mostly every value is one."""
    few, policies, limit = random.sample(ENVIRONMENTS, 2), random.sample(NAMES, 2), random.choice((1, 2))
    conditions: dict[str, list[tuple[str, Callable[[Any], bool]]]] = {
        "environment": [
            (f"contains({quoted(few)}, var.{name})", lambda value: value in few),
            (f"var.{name} == {quoted(few[0])} || var.{name} == {quoted(few[1])}", lambda value: value in few),
            (f"var.{name} != {quoted(few[0])}", lambda value: value != few[0]),
        ],
        "name": [
            (f"!contains({quoted(policies)}, var.{name})", lambda value: value not in policies),
            (f"var.{name} != {quoted(policies[0])}", lambda value: value != policies[0]),
        ],
        "number": [(f"var.{name} > {limit} && var.{name} <= 4", lambda value: limit < value <= 4)],
        "list": [(f"length(var.{name}) > {limit - 1}", lambda value: len(value) >= limit)],
    }
    if kind in conditions and random.randrange(4) == 0:
        condition, takes = random.choice(conditions[kind])
        return Validity(f'  validation {{\n    condition = {condition}\n    error_message = "no"\n  }}\n', takes)
    if kind in ("environment", "switch") and random.randrange(4) == 0:
        return Validity("  nullable = false\n", lambda value: value is not None)
    return ANY


def written_program(seed: int) -> Program:
    random = Random(seed)
    names = {kind: [name] for kind, name in KINDS.items() if random.randrange(3)}
    for kind, name in SECOND.items():
        if kind in names and random.randrange(2 if kind == "flag" else 3) == 0:
            names[kind].append(name)
    if {"list", "roles", "grants"} <= names.keys():  # all values of all three would take long
        del names[random.choice(("list", "roles", "grants"))]
    of_kind = {name: kind for kind, several in names.items() for name in several}
    valid = {name: validity(random, kind, name) for name, kind in of_kind.items()}
    defaults = {name: _valid_datum(random, kind, valid[name]) for name, kind in of_kind.items()}
    files: dict[str, str] = {}
    variables = "".join(_declared(name, of_kind[name], defaults[name], valid[name]) for name in defaults)
    variable_files = _variable_files(random, of_kind, files, valid)
    modules = _modules(random, files, variables, names)
    source = "".join(files.values())
    runs = [_options(of_kind, {**defaults, **file}, valid, source) for file in [{}, *variable_files]]

    def view(world: World) -> View:
        return View(world, {name: partial(world.value, name) for name in defaults}, modules.locals)

    return Program(files, runs, dict(_attached(modules, "", view)), lambda world: _is_computed(modules, view(world)))


def _valid_datum(random: Random, kind: str, valid: Validity) -> Any:
    while True:
        value = datum(random, kind)
        if valid.takes(value):
            return value


def _declared(name: str, kind: str, default: Any, valid: Validity) -> str:
    return f'variable "{name}" {{\n  type = {TYPES[kind]}\n  default = {quoted(default)}\n{valid.lines}}}\n'


def _variable_files(
    random: Random, of_kind: dict[str, str], files: dict[str, str], valid: dict[str, Validity]
) -> list[dict[str, Any]]:
    several = []
    for number in range(random.choice((0, 0, 1, 2))):
        chosen = random.sample(sorted(of_kind), min(len(of_kind), random.choice((1, 2, 3))))
        values = {name: _valid_datum(random, of_kind[name], valid[name]) for name in chosen}
        if values:
            files[f"envs/f{number}.tfvars"] = "".join(f"{name} = {quoted(value)}\n" for name, value in values.items())
            several.append(values)
    return several


def _options(of_kind: dict[str, str], usual: dict[str, Any], valid: dict[str, Validity], source: str) -> Options:
    """Of each variable what it usually is, and what else somebody may give it.

    What the source does not name stands for all that it does not name, before and after the others in their order.
    """
    names = [
        *(name for name in NAMES if name in DENIED or name in source),
        ELSE,
        *([FIRST] if "set" in source else []),
    ]
    environments = [one for one in ENVIRONMENTS if re.search(rf"\b{one}\b", source)]
    others: dict[str, list[Any]] = {
        "environment": [*environments, ELSE, "", None],
        "flag": [True, False],
        "switch": [True, False, None],
        "number": [0, 1, 1.5, 2, 2.5, 3, 3.5, 4, 5],
        "name": [Other(one) for one in (*names, "")],
        "list": _other_lists(names),
        "roles": _other_roles(names),
        "grants": _other_grants(names),
        "object": [None, *_other_objects((*names, ""))],
    }
    return {
        name: [
            usual[name],
            *(
                one
                for one in others[kind]
                if (one != usual[name] or type(one) is not type(usual[name])) and valid[name].takes(one)
            ),
        ]
        for name, kind in of_kind.items()
    }


def _other_objects(names: Iterable[str]) -> list[dict[str, Any]]:
    return [{"policy": Other(name), "on": on} for name, on in product(names, (True, False))]


def _other_grants(names: list[str]) -> list[list[dict[str, Any]]]:
    given = [one for one in _other_objects((*names, "")) if one["on"]]
    pairs = [[*pair] for pair in product(given, repeat=2)]
    return [[], *([one] for one in _other_objects((*names, ""))), *pairs, *_triples(given, given[names.index(ELSE)])]


def _triples(several: Iterable[Picked], filling: Picked) -> Iterator[list[Picked]]:
    """Each in each place, among such as nobody names."""
    for one, place in product(several, range(3)):
        yield [one if number == place else filling for number in range(3)]


def _other_lists(names: list[str]) -> list[list[Other]]:
    lists = [(), *product((*names, "")), *product((*names, ""), repeat=2)]
    lists += [(*names[start:], *names[:start]) for start in range(len(names))]
    lists += [*combinations(names, 3), *map(tuple, _triples(names, ELSE))]
    return [list(map(Other, several)) for several in lists]


def _other_roles(names: list[str]) -> list[dict[str, Any]]:
    roles = [
        {"policy": Other(name), "on": on, "envs": list(envs)}
        for name, on, envs in product((*names, ""), (True, False), ((), ENVIRONMENTS))
    ]
    several = [role for role in roles if role["on"] and role["envs"]]
    pairs = [{"k8": one, "k9": other} for one, other in product(several, repeat=2)]
    triples = [
        dict(zip(("k7", "k8", "k9"), three, strict=True)) for three in _triples(several, several[names.index(ELSE)])
    ]
    return [{}, *({"k9": role} for role in roles), *pairs, *triples]


@dataclass
class _Module:
    locals: dict[str, Expression]
    resources: list[Attaching]
    calls: list[tuple[str, Expression | None, dict[str, Expression], dict[str, Any], _Module]]


def _modules(random: Random, files: dict[str, str], variables: str, names: dict[str, list[str]]) -> _Module:
    return _written_module(random, files, "", variables, names, depth=random.choice((0, 1, 2)))


def _written_module(
    random: Random, files: dict[str, str], directory: str, variables: str, names: dict[str, list[str]], depth: int
) -> _Module:
    writer = Writer(random, names)
    text = variables + writer.write_locals()
    module = _Module(writer.locals, [], [])
    for number in range(random.choice((1, 1, 2)) if depth else random.choice((1, 2, 3))):
        resource = writer.resource(number)
        module.resources.append(resource)
        text += resource.text
    if depth:
        text += _call(random, files, directory, writer, module, depth)
    files[f"{directory}main.tf"] = text
    return module


def _call(random: Random, files: dict[str, str], directory: str, writer: Writer, module: _Module, depth: int) -> str:
    kinds = {kind: [f"m_{KINDS[kind]}"] for kind in ("flag", "environment", "name", "list") if random.randrange(3)}
    of_kind = {several[0]: kind for kind, several in kinds.items()}
    defaults = {name: datum(random, kind) for name, kind in of_kind.items()}
    written = {
        "flag": writer.flag,
        "environment": lambda depth: writer.environment(),
        "name": writer.name,
        "list": writer.names,
    }
    arguments = {name: written[kind](1) for name, kind in of_kind.items() if random.randrange(4)}
    condition = writer.flag(1) if not random.randrange(3) else None
    child = _written_module(
        random,
        files,
        f"{directory}m/",
        "".join(_declared(name, kind, defaults[name], ANY) for name, kind in of_kind.items()),
        kinds,
        depth - 1,
    )
    module.calls.append(("m", condition, arguments, defaults, child))
    lines = "".join(f"  {name} = {value.text}\n" for name, value in arguments.items())
    count = f"  count = {condition.text} ? 1 : 0\n" if condition else ""
    return f'module "m" {{\n  source = "./m"\n{count}{lines}}}\n'


def _attached(
    module: _Module, prefix: str, view_in: Callable[[World], View | None]
) -> Iterator[tuple[str, Callable[[World], list[Any] | None]]]:
    """What each resource attaches in a world; None for what is refused.

    Each is computed by itself, so that what is refused elsewhere does not matter.
    """
    for resource in module.resources:
        yield prefix + resource.address, partial(_policies, resource, view_in)
    for name, condition, arguments, defaults, child in module.calls:
        yield from _attached(
            child, f"{prefix}module.{name}.", partial(_inside, view_in, condition, arguments, defaults, child)
        )


def _policies(resource: Attaching, view_in: Callable[[World], View | None], world: World) -> list[Any] | None:
    try:
        world.asked.clear()
        view = view_in(world)
        policies = resource.worth(view) if view else []
    except (Refused, RefusedElsewhere):
        return None
    return [one for one in policies if one]


def _inside(
    view_in: Callable[[World], View | None],
    condition: Expression | None,
    arguments: dict[str, Expression],
    defaults: dict[str, Any],
    child: _Module,
    world: World,
) -> View | None:
    """What the expressions of a called module see, where it is there."""
    view = view_in(world)
    if view is None or (condition and not condition.worth(view)):
        return None
    inner = {variable: _given(arguments.get(variable), default, view) for variable, default in defaults.items()}
    return View(world, inner, child.locals)


def _is_computed(module: _Module, view: View) -> bool:
    try:
        for expression in module.locals.values():
            expression.worth(view)
        for resource in module.resources:
            resource.worth(view)
            for expression in resource.expressions:
                expression.worth(view)
        for _, condition, arguments, defaults, child in module.calls:
            for expression in filter(None, (condition, *arguments.values())):
                expression.worth(view)
            inner = {variable: _given(arguments.get(variable), default, view) for variable, default in defaults.items()}
            if not _is_computed(child, View(view.world, inner, child.locals)):
                return False
    except (Refused, RefusedElsewhere):
        return False
    return True


def _given(argument: Expression | None, default: Any, view: View) -> Callable[[], Any]:
    return lambda: _elsewhere(argument, view) if argument else default


def _elsewhere(expression: Expression, view: View) -> Any:
    try:
        return expression.worth(view)
    except Refused:
        raise RefusedElsewhere from None


def is_told(one: str, world: World) -> bool:
    """Whether the tree says which policy it is, in a world in which conditions were asked."""
    return not isinstance(one, Other) or str(one).removeprefix("legacy-") in world.asked
