"""Decode YAML as Terraform's `yamldecode` does.

For `hcl.data_functions`. Source: "yamldecode" in the Terraform documentation, and what terraform does: plain scalars as
in YAML 1.1 (`yes` is true), without octal and sexagesimal numbers.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import yaml
from unapproved_iam.hcl.decimal_numbers import number_in
from unapproved_iam.hcl.values import Refused


class UnusualYaml(Exception):
    """A scalar whose meaning is not redone here: a date, a number in another notation."""


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


def _number(loader: _Loader, node: yaml.ScalarNode) -> Fraction:
    number = number_in(node.value)
    if number is None:
        raise UnusualYaml
    return number


def _unusual(loader: _Loader, node: yaml.Node) -> Any:
    raise UnusualYaml


for _tag, _pattern, _first in _SCALARS:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_pattern})\\Z"), _first)
_Loader.add_constructor("tag:yaml.org,2002:bool", _bool)
_Loader.add_constructor("tag:yaml.org,2002:float", _number)
for _tag in ("unusual", "int", "binary", "timestamp", "set", "omap", "pairs"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_tag}", _unusual)


def yaml_of(document: str) -> Any:
    """The data of one document. Raises Refused when it is no YAML, UnusualYaml when it is not redone here."""
    try:
        loader = _Loader(document)
        node = loader.get_single_node()
        if node is None:
            raise Refused("there is no document")
        return loader.construct_document(node)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError):
        raise Refused("this is no YAML") from None
