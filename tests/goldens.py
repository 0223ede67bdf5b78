"""Expected output in files; `NETPOLGEN_UPDATE_GOLDENS=1 pytest` writes them anew, to be read in the diff."""

from __future__ import annotations

import os
from pathlib import Path

GOLDENS = Path(__file__).parent / "golden"


def check_golden(name: str, text: str) -> None:
    """Compare with `tests/golden/NAME`, byte for byte; with the variable set, write it instead."""
    path = GOLDENS / name
    if os.environ.get("NETPOLGEN_UPDATE_GOLDENS") == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    assert path.is_file(), f"no golden {name}: run once with NETPOLGEN_UPDATE_GOLDENS=1 and read the diff"
    # bytes, because CSV ends its lines as RFC 4180 says and text would hide that
    assert text == path.read_bytes().decode(), f"golden {name} differs"
