"""Decode YAML as Terraform's `yamldecode` does: YAML 1.2's few plain scalars, so `yes` and `on` are strings.

For `hcl_data_functions`.
"""

from __future__ import annotations

import re
from typing import Any

import yaml
from unapproved_iam.hcl_collections import Refused

# YAML tag, pattern, the characters that a scalar of it may begin with ("" for none at all)
_SCALARS = (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]{1,50}", "-+0123456789"),
    ("float", r"[-+]?[0-9]{1,50}\.[0-9]{1,50}", "-+0123456789"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("merge", r"<<", "<"),
)


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader with those scalars only."""

    yaml_implicit_resolvers = {}  # noqa: RUF012


for _tag, _pattern, _first in _SCALARS:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_pattern})$"), list(_first))


def yaml_of(document: str) -> Any:
    """The data of one document. Raises Refused when it is no YAML."""
    try:
        return yaml.load(document, _Loader)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError):
        raise Refused("this is no YAML") from None
