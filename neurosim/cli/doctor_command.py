"""``neurosim doctor``."""

from __future__ import annotations

from neurosim.cli.console import console


def command() -> None:
    """Report versions, cores, memory, backends, kernel cache, and what to install for more."""
    from rich.table import Table

    from neurosim.doctor import examine

    marks = {True: "[green]✓[/]", False: "[red]✗[/]", None: " "}
    table = Table(box=None, show_header=False, pad_edge=False)
    for finding in examine():
        text = f"{finding.text} → {finding.remedy}" if finding.remedy else finding.text
        table.add_row(marks[finding.ok], finding.topic, text.replace("[", r"\["))
    console().print(table)
