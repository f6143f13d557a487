"""The parser of the library `hcl2` for expressions, without the second that it takes to compute its table.

For `hcl_grammar`. The table is shipped with the engine (`scripts/make_lark_table.py` makes it) and is used when the
installed grammar and lark are those that it was made from; else it is computed, which gives the same parser. The
library itself is not imported: it would compute its own table.
"""

from __future__ import annotations

import hashlib
import io
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import lark

TABLE = Path(__file__).with_name("hcl2_expression.lark-table")
START = "expression"


@lru_cache(maxsize=1)
def expression_parser() -> lark.Lark:
    """The LALR parser of one expression."""
    grammar = installed_grammar()
    shipped = TABLE.read_bytes() if TABLE.is_file() else b""
    key, _, table = shipped.partition(b"\n")
    if key == key_of(grammar):
        return lark.Lark.load(io.BytesIO(table))
    return computed_parser(grammar)


def installed_grammar() -> str:
    """The text of `hcl2.lark`."""
    library = find_spec("hcl2")
    if library is None or library.origin is None:
        raise ModuleNotFoundError("the library hcl2 is missing (install bc-python-hcl2)", name="hcl2")
    return Path(library.origin).with_name("hcl2.lark").read_text(encoding="utf-8")


def computed_parser(grammar: str) -> lark.Lark:
    return lark.Lark(grammar, parser="lalr", start=START, propagate_positions=False)


def key_of(grammar: str) -> bytes:
    """What a table is made from."""
    made_from = "\0".join((lark.__version__, START, grammar))
    return hashlib.sha256(made_from.encode()).hexdigest().encode()
