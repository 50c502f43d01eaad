"""How paths of oracles are written: as JSON, a point to a line."""

from __future__ import annotations

import json
import re


def write(path, facts):
    """Write facts, lists of numbers in one line each; numbers are read back to the bit."""
    text = json.dumps(facts, indent=1)
    flat = re.sub(r"\[([^][{}]*)\]", lambda found: "[" + " ".join(found[1].split()) + "]", text)
    path.write_text(flat + "\n", encoding="utf-8")
