"""The console that commands print to."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

PLAIN: dict[str, Any] = {"box": None, "header_style": "bold", "pad_edge": False}  # of tables
_WIDE = 160  # of a file or pipe, where nobody's lines wrap


def console() -> Console:
    """Standard output, as wide as the terminal; wide where there is none."""
    from rich.console import Console

    wide = not sys.stdout.isatty() and "COLUMNS" not in os.environ
    return Console(width=_WIDE if wide else None, highlight=False)
