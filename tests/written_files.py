"""Write the small trees that tests are about."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def write_tree(directory: Path, files: Mapping[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return directory
