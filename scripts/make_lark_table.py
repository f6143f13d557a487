"""Make the parser table that the engine ships: run it whenever bc-python-hcl2 or lark changes.

python scripts/make_lark_table.py
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "checks"))

from unapproved_iam.hcl.lark_table import TABLE, computed_parser, installed_grammar, key_of, written_table

if __name__ == "__main__":
    grammar = installed_grammar()
    TABLE.write_bytes(written_table(computed_parser(grammar), key_of(grammar)))
    print(f"{TABLE}: {TABLE.stat().st_size} bytes")
