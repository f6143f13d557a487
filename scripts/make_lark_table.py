"""Make the parser table that the engine ships: run it whenever bc-python-hcl2 or lark changes.

python scripts/make_lark_table.py
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "checks"))

from unapproved_iam.lark_table import TABLE, computed_parser, installed_grammar, key_of


def made_table() -> bytes:
    grammar = installed_grammar()
    table = io.BytesIO()
    computed_parser(grammar).save(table)
    return key_of(grammar) + b"\n" + table.getvalue()


if __name__ == "__main__":
    TABLE.write_bytes(made_table())
    print(f"{TABLE}: {TABLE.stat().st_size} bytes")
