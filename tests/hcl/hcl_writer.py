"""Hypothesis writes Terraform modules, from a table of patterns for expressions of each type.

In a pattern, `@list` is an expression of that type, `@list0` a small one, `@list!` one that an index may follow,
`@(x|y)` one of these, and ITEM, KEY and VALUE are variables of a loop, which `@string+ITEM` may use. Comparisons and
conditionals stand without parentheses wherever Terraform needs none, so that precedence counts.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

PATTERNS = {
    "string": (
        '"p-${@string}@(-s|$${x}|)"',
        '"${@bool ? @string : @string}"',
        '"x${@number}"',
        '"%{ if @bool }y${@string}%{ else }n%{ endif }"',
        '"%{ for ITEM in @list ~} ${@string+ITEM},%{ endfor }"',
        '"%{ for KEY, VALUE in @map }${KEY}=${@string+VALUE} %{ endfor }"',
        "(@bool ? @string : @string)",
        "(@bool ? @number : @string)",
        "concat(@bool ? [@string] : [], @list)[@number]",
        "merge(@map, @bool ? { a = @string } : {}, @map).a",
        "reverse(@list)[0]",
        "try(upper(@list![@number]), @string)",
        "@(lower|upper|trimspace|title|chomp|strrev|base64encode|basename|urlencode|sha1)(@string)",
        '@(trimprefix|trimsuffix|trim)(@string, @("a"|"arn:"|"-s"))',
        'replace(@string, @("a"|"/"|"x"), @string)',
        'join(@(","|""), @list)',
        'format("%s:%v", @string, @string)',
        'format("%d%%-%[1]q", @number)',
        'format("%s-%5s-%-4s|%02d", @string, @string, @string, @number)',
        "element(@list, @number)",
        "@list![@number]",
        "@list![length(@list) - 1]",
        "@map![@string]",
        "@map!.@(a|b|prod|k-1)",
        "lookup(@map, @string, @string)",
        'coalesce(@string, @string, "z")',
        "coalesce(null, @string, @string)",
        "try(@map!.prod, @list![1], @string)",
        "one([@string])",
        'split(@("/"|":"), @string)[@(0|1|2)]',
        "jsonencode(@(1|null))",
        "jsonencode(@list)",
        "jsonencode({ x = @string, y = @number, z = [@bool] })",
        "jsondecode(jsonencode([@string]))[0]",
        'yamldecode("- ${jsonencode(@string)}\\n- yes\\n")[@(0|1)]',
        "tostring(@number)",
        "substr(@string, @(0|1), @(2|-1))",
        "{ for ITEM in @list : ITEM => @string+ITEM... }[@string][0]",
        'try(regex("^([a-z]+):(.*)$", @string)[1], @string)',
        'nonsensitive("${@string}")',
        'element(concat(@list, [""]), 0)',
        'coalesce(lookup(@map, @string, null), one([for ITEM in @list : ITEM if @bool+ITEM]), @string)',
        "(contains(keys(@map), @string) ? @map![@string] : @string)",
        'regex("[^/]+$", @string)',
        'replace(@string, "/[^a-zA-Z0-9]+/", "-")',
        'jsonencode({ x = @list, y = @map, "z/<&>" = @groups, w = null })',
        "base64decode(base64encode(@string))",
    ),
    "number": (
        "@number0 @(+|*) @number0 @(+|*) @number0",
        "length(@list)",
        "length(@map)",
        "@(max|min)(@number, @number)",
        "(@bool ? @number : @number)",
        "@(abs|ceil|floor|signum)(@number)",
        "@number0 % @(2|3)",
        "index(@list, @string)",
        "sum([@number, @number])",
        "length([for ITEM in @list : ITEM if @bool])",
        "length(lookup(@groups, @string, []))",
    ),
    "bool": (
        "@string0 @(==|!=) @string0",
        "@string0 == @string0 @(&&|OR) @number0 @(<|<=|>|>=|==|!=) @number0 @(+|-|*) @number0",
        "@number0 @(+|-|*) @number0 @(<|<=|>|>=|==|!=) @number0 @(&&|OR) @bool0 @(&&|OR) !@bool0",
        "!(@bool)",
        "contains(@list, @string)",
        "@(startswith|endswith|strcontains)(@string, @string)",
        "@(alltrue|anytrue)([@bool, @bool])",
        "can(@map!.prod)",
        "can(upper(@list![@number]))",
        'can(regex("^arn:[a-z]+:", @string))',
        "@string0 @(==|!=) null",
        "(@bool ? @bool : @bool)",
        'tobool(@("true"|false))',
        "length(@list) > @(0|1)",
        "length(@groups) > 0",
        "can(@groups!.prod[0])",
        'length(regexall("[a-z]/", @string)) > 0',
    ),
    "list": (
        "[\n  @string, # one\n  @string /* two */,\n]",
        "concat(@list, @list)",
        "concat(@list, @bool ? [@string] : [], @list)",
        "flatten([@list, [@list], @string])",
        "flatten([for ITEM in @list : [for VALUE in @list : @string+ITEM+VALUE]])",
        "tolist(toset(@list))",
        "@(distinct|compact|sort|reverse|tolist)(@list)",
        "slice(@list, @(0|1), @(1|2))",
        'split(@("/"|","), @string)',
        "@(keys|values)(@map)",
        'formatlist("%s/%s", @list, @string)',
        'formatlist("%s/%s", @list, @list)',
        'coalescelist(@list, @list, ["z"])',
        "[for ITEM in @list : @string+ITEM]",
        "[for ITEM in @list : @string+ITEM if @bool+ITEM]",
        "[for KEY, ITEM in @list : \"${KEY}-${ITEM}\"]",
        "[for ITEM in toset(@list) : @string+ITEM]",
        "[for KEY, VALUE in @map : @string+KEY+VALUE if @bool+KEY+VALUE]",
        "(@bool ? @list : @list)",
        "[{ a = @string, b = [@string] }][*].a",
        "[{ a = @string, b = [@string] }].*.b[0]",
        "[{ a = @string, b = [@string] }].*.b.0",
        "flatten([{ a = [{ b = @string }, { b = @string }] }][*].a[*].b)",
        "setproduct(@list, [@string])[*][0]",
        "tolist(@(setunion|setintersection|setsubtract)(@list, @list))",
        "jsondecode(jsonencode(@list))",
        "concat([for ITEM in [@list, @list] : ITEM]...)",
        "chunklist(@list, 2)[0]",
        '@("one"|null)[*]',
        "matchkeys(@list, @list, @list)",
        "try(tolist(@list), [])",
        "values({ for ITEM in @list : ITEM => @string+ITEM... })[0]",
        "transpose({ a = @list, b = @list })[@string]",
        "[for ITEM in range(@(0|3)) : \"n${ITEM}\"]",
        "flatten(values(@groups))",
        "concat(values(@groups)...)",
        "flatten([for KEY, VALUE in @groups : [for ITEM in VALUE : { k = KEY, v = \"${KEY}-${ITEM}\" }]])[*].v",
        "lookup(@groups, @string, @list)",
        "try(@groups![@string], @list)",
        "compact(concat(@list, [@bool ? @string : \"\"]))",
        "coalesce(null, @list)",
        "[for ITEM in setproduct(keys(@groups), @list) : join(\"/\", ITEM)]",
        "[for ITEM in @list : ITEM if !contains(@list, ITEM)]",
        'regexall("[a-z]+", @string)',
    ),
    "map": (
        "{ a = @string, \"${\"b\"}\" : @string\n  (\"prod\") = @string }",
        "{ (@string) = @string }",
        "merge(@map, @map)",
        "merge([@map, @map]...)",
        "merge({}, @bool ? { a = @string } : {}, @map)",
        'zipmap(["a", "prod"], [@string, @string])',
        "(@bool ? @map : @map)",
        "{ for KEY, VALUE in @map : \"${KEY}x\" => @string+VALUE }",
        "{ for KEY, VALUE in @map : KEY => @string+VALUE if @bool+VALUE }",
        "{ for ITEM in toset(@list) : ITEM => @string+ITEM }",
        "tomap(@map)",
        'jsondecode(jsonencode(@map))',
        "merge([for ITEM in @list : { (ITEM) = @string+ITEM }]...)",
        "{ for KEY, VALUE in @groups : KEY => join(\",\", VALUE) }",
        "{ for ITEM in flatten([for KEY, VALUE in @groups : [for ITEM in VALUE : { k = KEY, v = ITEM }]])"
        " : \"${ITEM.k}.${ITEM.v}\" => ITEM.v }",
        "zipmap(keys(@map), values(@map))",
        "lookup({ a = @map, prod = @map }, @string, {})",
    ),
    "groups": (
        "{ a = @list, prod = @list }",
        "{ (@string) = @list }",
        "merge(@groups, @bool ? { a = @list } : {})",
        "merge([for KEY, VALUE in @groups : { (KEY) = VALUE }]...)",
        "{ for ITEM in @list : @string+ITEM => ITEM... }",
        "{ for KEY, VALUE in @map : KEY => [VALUE, KEY] }",
        "{ for KEY, VALUE in @groups : KEY => [for ITEM in VALUE : @string+ITEM] if length(VALUE) > 0 }",
        "transpose(@groups)",
        'zipmap(["a", "prod"], [@list, @list])',
        "(@bool ? @groups : @groups)",
        "jsondecode(jsonencode(@groups))",
    ),
}  # fmt: skip

# Not computed exactly: minus zero, and whether two lists are of one type.
OPEN_PATTERNS = {
    "number": ("-(@number)", "@number0 @(+|-|*) @number0 @(+|-|*) @number0", "@number / 2", "@number0 % -@(2|3)"),
    "bool": ("@list0 == @list0", "@map0 != @map0"),
}

STRINGS = (
    "a", "b", "A-b", "", "prod", "dev", "x/y", "arn:aws:iam::aws:policy/ReadOnlyAccess",
    'say "hi"', "${no}", "%{no}", "é\n", "true", "7", "yes",
)  # fmt: skip
SMALL_NUMBERS = ("0", "1", "2", "4", "1.5", "2e1", "0.25")
HEREDOC_PIECES = (
    "x", "$${y}", "  ", "\\n", "$x", '"q"', "${@string}", "${~ @string ~}", "%{ if @bool ~} t %{ else } e %{~ endif }",
    "%{ for ITEM in @list ~}", "${ @bool ? @string : @string }",
)  # fmt: skip
KEYS = ("a", "b", "prod", "k-1")
KINDS = tuple(PATTERNS)

_PLACEHOLDER = re.compile(rf"@\(([^)]*)\)|@({'|'.join(KINDS)})([0!]?)((?:\+[A-Z]+\d+)*)")
_LOOP_VARIABLE = re.compile(r"(?<![A-Z])(ITEM|KEY|VALUE)(?![A-Z])")


@dataclass(frozen=True)
class WrittenModule:
    source: str  # variables and locals
    outputs: tuple[str, ...]  # expressions
    unknowns: dict[str, Any]  # the values of variables without a default


@st.composite
def written_modules(draw: st.DrawFn, is_open: bool) -> WrittenModule:
    """A module; one that is not open has no variables."""
    writer = _Writer(draw)
    if is_open:
        writer.patterns = {kind: PATTERNS[kind] + OPEN_PATTERNS.get(kind, ()) for kind in KINDS}
        writer.write_variables()
    for number in range(draw(st.integers(1, 6))):
        writer.write_local(f"l{number}")
    outputs = tuple(writer.expression(writer.pick(KINDS), 3) for _ in range(draw(st.integers(20, 40))))
    return WrittenModule("".join(writer.lines), outputs, writer.unknowns)


class _Writer:
    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.patterns = PATTERNS
        self.lines: list[str] = []
        self.unknowns: dict[str, Any] = {}
        self.names: dict[str, list[str]] = {kind: [] for kind in KINDS}  # that expressions may refer to
        self.loops = 0

    def pick(self, options: tuple[str, ...] | list[str]) -> str:
        return self.draw(st.sampled_from(options))

    def one_in(self, number: int) -> bool:
        return self.draw(st.integers(1, number)) == 1

    def write_variables(self) -> None:
        """One of each type with a default, and one without."""
        types = {
            "string": "string",
            "number": "number",
            "bool": "bool",
            "list": "list(string)",
            "map": "map(string)",
            "groups": "map(list(string))",
        }
        for kind, written in types.items():
            default = _quoted(self.datum(kind))
            self.lines.append(f'variable "{kind}_d" {{\n  type = {written}\n  default = {default}\n}}\n')
            self.lines.append(f'variable "{kind}_u" {{\n  type = {written}\n}}\n')
            self.unknowns[f"{kind}_u"] = self.datum(kind)
            self.names[kind] += [f"var.{kind}_d", f"var.{kind}_u"]

    def datum(self, kind: str) -> Any:
        strings = st.sampled_from(STRINGS)
        return self.draw(
            {
                "string": strings,
                "number": st.integers(-3, 9),
                "bool": st.booleans(),
                "list": st.lists(strings, max_size=3),
                "map": st.dictionaries(st.sampled_from(KEYS), strings, max_size=3),
                "groups": st.dictionaries(st.sampled_from(KEYS), st.lists(strings, max_size=3), max_size=3),
            }[kind]
        )

    def write_local(self, name: str) -> None:
        kind = self.pick(KINDS)
        if kind == "string" and self.one_in(2):
            expression = f"try({self.heredoc()}\n, {_quoted(self.datum(kind))})"
        else:
            expression = f"try({self.expression(kind, 2)}, {_quoted(self.datum(kind))})"
        self.lines.append(f"locals {{\n  {name} = {expression}\n}}\n")
        self.names[kind].append(f"local.{name}")

    def heredoc(self) -> str:
        lines = []
        for _ in range(self.draw(st.integers(0, 4))):
            pieces = [self.pick(HEREDOC_PIECES) for _ in range(self.draw(st.integers(0, 3)))]
            line = " " * self.draw(st.integers(0, 4)) + "".join(pieces)
            lines.append(line + "z\n%{ endfor }" * line.count("%{ for ") + "\n")
        return self.filled(f"<<{self.pick(('-', ''))}EOT\n{''.join(lines)}{self.pick(('', '  '))}EOT", 1)

    def expression(self, kind: str, depth: int) -> str:
        if depth <= 0 or self.one_in(5):
            if self.names[kind] and self.one_in(2):
                return self.pick(self.names[kind])
            return self.literal(kind)
        return self.filled(self.pick(self.patterns[kind]), depth - 1)

    def literal(self, kind: str) -> str:
        return self.pick(SMALL_NUMBERS) if kind == "number" else _quoted(self.datum(kind))

    def filled(self, pattern: str, depth: int) -> str:
        """The pattern with its placeholders replaced."""
        self.loops += 1
        mark = str(self.loops)

        def replacement(placeholder: re.Match[str]) -> str:
            choices, kind, mode, loops = placeholder.groups()
            if choices is not None:
                return self.pick([choice.replace("OR", "||") for choice in choices.split("|")])
            variables = loops.split("+")[1:]
            self.names["string"].extend(variables)
            written = self.expression(kind, 0 if mode == "0" else depth)
            del self.names["string"][len(self.names["string"]) - len(variables) :]
            return f"({written})" if mode == "!" and not re.fullmatch(r"[\w.]+", written) else written

        return _PLACEHOLDER.sub(replacement, _LOOP_VARIABLE.sub(rf"\g<1>{mark}", pattern))


def _quoted(datum: Any) -> str:
    return json.dumps(datum, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
