"""``neurosim run NAME``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from neurosim.cli.console import PLAIN, console
from neurosim.errors import UsageError

# What is unknown here may be an option of the scenario.
SETTINGS = {"allow_extra_args": True, "ignore_unknown_options": True}


def _complete(incomplete: str) -> list[str]:
    from neurosim.scenario import names

    return [name for name in names() if name.startswith(incomplete)]


def command(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Scenario; see `neurosim list`.", autocompletion=_complete)],
    backend: Annotated[str, typer.Option(help="auto, numpy, cupy, or any array-API library (torch).")] = "auto",
    precision: Annotated[str | None, typer.Option(help="float64 or float32; the scenario's own if not given.")] = None,
    scale: Annotated[float | None, typer.Option(help="Size of the work; 1 is the published size.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of all random numbers.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of what it writes [results/NAME].")] = None,
    fuse: Annotated[str, typer.Option(help="auto, require (an error if it cannot be) or off.")] = "auto",
) -> int:
    """Run a scenario: a table of its checks, pictures, result.json. Exit status 1 if a check fails.

    Options of one scenario alone follow its name: neurosim run optimizer_points --optimizer cg.
    """

    from neurosim.backends import get
    from neurosim.running import checked_options, prepare_folder, run_scenario
    from neurosim.scenario import get_scenario

    screen = console()
    if name.startswith("-"):
        raise UsageError(f"No such option {name}: options of a scenario follow its name, neurosim run NAME {name} …")
    scenario = get_scenario(name)
    own = _own_options(context.args)
    chosen = get(backend).name  # what cannot be is refused before anything is printed
    options = checked_options(
        scenario, own | {"backend": backend, "precision": precision, "scale": scale, "seed": seed, "fuse": fuse}
    )
    folder = prepare_folder(out or Path("results", "_".join((name, *own.values()))))
    if backend == "auto":
        note = "a GPU was found" if chosen == "cupy" else "no GPU that CuPy can use; see `neurosim doctor`"
        screen.print(f"{scenario.title} · backend {chosen} ({note})")
    else:
        screen.print(f"{scenario.title} · backend {chosen}")
    report = run_scenario(scenario, options, folder)
    _print(screen, report, folder)
    return 0 if all(check["ok"] for check in report["checks"]) else 1


def _own_options(arguments: list[str]) -> dict[str, str]:
    """``["--optimizer", "cg"]`` or ``["--optimizer=cg"]`` as names and values."""
    found, left = {}, list(arguments)
    while left:
        name, equals, value = left.pop(0).partition("=")
        if not name.startswith("--"):
            what = "No such option" if name.startswith("-") else "Got unexpected extra argument"
            raise UsageError(f"{what} {name} (see neurosim run --help)")
        if not equals and (not left or left[0].startswith("--")):
            raise UsageError(f"Option {name} requires an argument: write {name} NAME")
        found[name[2:].replace("-", "_")] = value if equals else left.pop(0)
    return found


def _print(screen: Any, report: dict[str, Any], folder: Path) -> None:
    from rich.table import Table

    table = Table("", "check", "value", "expected", "source", **PLAIN)
    sign = {"equal": "", "at least": "≥ ", "at most": "≤ "}
    for check in report["checks"]:
        value = "not a number" if check["value"] is None else f"{check['value']:.6g}"
        tolerance = f" ± {check['tolerance']:.3g}" if check["tolerance"] else ""
        expected = f"{sign[check['kind']]}{check['expected']:.6g}{tolerance} {check['unit']}".rstrip()
        mark = "[green]✓[/]" if check["ok"] else "[red]✗[/]"
        table.add_row(mark, check["name"], value, expected, check["source"])
    screen.print(table)
    failed = sum(not check["ok"] for check in report["checks"])
    verdict = f"{failed} of {len(report['checks'])} checks failed" if failed else "all checks hold"
    screen.print(f"{verdict} · {report['engine']} · {report['seconds']:.1f} s")
    for file in (*report["figures"], "result.json"):
        screen.print(f"  {folder / file}")
