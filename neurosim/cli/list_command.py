"""``neurosim list``."""

from __future__ import annotations


def command() -> None:
    """List every scenario: slide or paper, what it shows, the time it takes."""
    from rich.console import Console
    from rich.table import Table

    from neurosim.scenario import get_scenario, names

    table = Table("scenario", "source", "shows", "time", box=None, header_style="bold", pad_edge=False)
    for name in names():
        scenario = get_scenario(name)
        table.add_row(name, scenario.source, scenario.title, f"{scenario.seconds:g} s")
    Console().print(table)
