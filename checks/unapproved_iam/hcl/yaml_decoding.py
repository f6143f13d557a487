"""Decode YAML as Terraform's `yamldecode` does.

For `hcl.data_functions`. Source: "yamldecode" in the Terraform documentation, and what terraform does: plain scalars as
in YAML 1.1 (`yes` is true), without octal and sexagesimal numbers.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import yaml
from unapproved_iam.hcl.decimal_numbers import MAX_DIGITS, number_in
from unapproved_iam.hcl.values import Refused, Value, beyond_limit, unknown
from unapproved_iam.late_patterns import late_pattern


class UnusualYaml(Exception):
    """What is not redone here: sets, ordered maps, and what PyYAML does not take. The text says what."""


_DIGITS = "0123456789"
# YAML tag, pattern, the characters that a scalar of it may begin with ("" for none at all)
_SCALARS = (
    (
        "bool",
        r"y|Y|n|N|(?:yes|Yes|YES|true|True|TRUE|on|On|ON|no|No|NO|false|False|FALSE|off|Off|OFF)",
        list("yYnNtTfFoO"),
    ),
    ("float", r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?", list("-+." + _DIGITS)),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("merge", r"<<", ["<"]),
    ("unusual", r"[-+.]?(?:[0-9][0-9_a-fA-FoxX.:+TtZ -]*|inf|Inf|INF|nan|NaN|NAN)", list("-+." + _DIGITS)),
)


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader with those scalars only."""

    yaml_implicit_resolvers = {}  # noqa: RUF012


def _bool(loader: _Loader, node: yaml.ScalarNode) -> bool:
    return node.value.lower() in ("y", "yes", "true", "on")


def _number(loader: _Loader, node: yaml.ScalarNode) -> Fraction | Value:
    number = number_in(node.value)
    return beyond_limit(node.value, f"{MAX_DIGITS} digits") if number is None else number


def _unusual(loader: _Loader, node: yaml.Node) -> Value:
    if not isinstance(node, yaml.ScalarNode):
        raise UnusualYaml(f"{node.tag.rpartition(':')[2]} in line {node.start_mark.line + 1}")
    return unknown(node.value, f"{node.value} in YAML is not computed here")


for _tag, _pattern, _first in _SCALARS:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", late_pattern(f"(?:{_pattern})\\Z"), _first)
_Loader.add_constructor("tag:yaml.org,2002:bool", _bool)
_Loader.add_constructor("tag:yaml.org,2002:float", _number)
for _tag in ("unusual", "int", "binary", "timestamp", "set", "omap", "pairs"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_tag}", _unusual)


def yaml_of(document: str) -> Any:
    """The data of one document, with values for what is not known of it: a date, a number in another notation.

    Raises Refused when there is none, UnusualYaml when it is not redone here: what PyYAML refuses, Terraform may take.
    """
    try:
        loader = _Loader(document)
        node = loader.get_single_node()
        if node is None:
            raise Refused("there is no document")
        return loader.construct_document(node)
    except (yaml.YAMLError, ValueError, TypeError) as error:
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
        raise UnusualYaml(f"{problem or error}{f' in line {mark.line + 1}' if mark else ''}") from None
