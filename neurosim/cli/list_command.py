"""``neurosim list``."""

from __future__ import annotations

from neurosim.cli.console import PLAIN, console


def command() -> None:
    """List every scenario: slide or paper, what it shows, the time it takes."""
    from rich.table import Table

    from neurosim.scenario import get_scenario, names

    table = Table("scenario", "source", "shows", "time", **PLAIN)
    for name in names():
        scenario = get_scenario(name)
        table.add_row(name, scenario.source, scenario.title, f"{scenario.seconds:g} s")
    console().print(table)
