"""Write the table of scenarios into the README, from the scenarios themselves.

``python docs/readme_table.py`` writes it; with ``--check`` it only says whether the README is up to date.
"""

from __future__ import annotations

import sys
from pathlib import Path

from neurosim.scenario import get_scenario, names

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- scenarios: begin -->", "<!-- scenarios: end -->"


def table() -> str:
    """The table in Markdown."""
    rows = ["| scenario | from | shows | checks |", "|---|---|---|---|"]
    for name in names():
        scenario = get_scenario(name)
        rows.append(f"| `{name}` | {scenario.source} | {scenario.title} | {len(scenario.checks)} |")
    return "\n".join(rows)


def written(text: str) -> str:
    """A README's text with the table in its place."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n{table()}\n{END}{tail}"


if __name__ == "__main__":
    before = README.read_text(encoding="utf-8")
    after = written(before)
    if "--check" in sys.argv:
        sys.exit(0 if after == before else "README.md is out of date: python docs/readme_table.py")
    README.write_text(after, encoding="utf-8")
