"""``neurosim bench``."""

from __future__ import annotations

from typing import Annotated

import typer

from neurosim.cli.console import PLAIN, console


def command(
    name: Annotated[str | None, typer.Argument(help="Benchmark; without it, all are listed.")] = None,
    n: Annotated[list[int] | None, typer.Option(help="Number of neurons; may be repeated.")] = None,
    seconds: Annotated[float, typer.Option(help="Time of each measurement.")] = 1.0,
) -> None:
    """Measure neurosim on this machine. Comparisons with other simulators are in the folder benchmarks."""
    from rich.table import Table

    from neurosim.measuring import BENCHMARKS, get_benchmark

    out = console()
    if name is None:
        table = Table("benchmark", "measures", **PLAIN)
        for key, benchmark in BENCHMARKS.items():
            table.add_row(key, benchmark.title)
        out.print(table)
        return
    benchmark = get_benchmark(name)
    columns = benchmark.columns
    table = Table(*columns, **PLAIN)
    for row in benchmark.run(tuple(n) if n else benchmark.sizes, seconds):
        table.add_row(*row)
    out.print(table)
