"""The parser of the library `hcl2` for expressions, without the second that it takes to compute its table.

For `hcl.grammar`. The table is shipped with the engine (`scripts/make_lark_table.py` makes it) and is used when the
installed grammar and lark are those that it was made from; else it is computed once and kept in the user's cache
directory, which only the user can write. The library itself is not imported: it would compute its own table, and it
keeps that one in the shared temporary directory.
"""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import stat
import tempfile
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
    key = key_of(grammar)
    kept_at = cache_directory() / TABLE.name
    for table in (TABLE, kept_at if is_private(kept_at) else None):
        parser = loaded_parser(table, key) if table else None
        if parser:
            return parser
    parser = computed_parser(grammar)
    keep(kept_at, written_table(parser, key))
    return parser


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


def written_table(parser: lark.Lark, key: bytes) -> bytes:
    """A line with the key, and the table."""
    table = io.BytesIO()
    parser.save(table)
    return key + b"\n" + table.getvalue()


def loaded_parser(path: Path, key: bytes) -> lark.Lark | None:
    """The parser of a written table; None when there is none, or one of another grammar or lark."""
    try:
        found, _, table = path.read_bytes().partition(b"\n")
        return lark.Lark.load(io.BytesIO(table)) if found == key else None
    except (OSError, EOFError, ValueError, pickle.UnpicklingError):
        return None


def cache_directory() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")) / "unapproved-iam"


def is_private(path: Path) -> bool:
    """Whether only the user can have written it: loading a table means trusting it."""
    try:
        return all(
            found.st_uid == os.getuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
            for found in (path.stat(), path.parent.stat())
        )
    except (OSError, AttributeError):
        return False


def keep(path: Path, table: bytes) -> None:
    """Write it for the next run, if that can be done."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as unfinished:
            unfinished.write(table)
        os.replace(unfinished.name, path)
    except OSError:
        pass
