"""``neurosim models``."""

from __future__ import annotations

from typing import Annotated

import typer

from neurosim.cli.console import console

CHECK_FAILED = 1


def _complete(incomplete: str) -> list[str]:
    from neurosim.models import all_models

    return [name for name in all_models() if name.lower().startswith(incomplete.lower())]


def command(
    check: Annotated[
        list[str] | None,
        typer.Option(
            help="Run NAME (or `all`) here and in brian2, and print the differences.",
            autocompletion=_complete,
        ),
    ] = None,
    show: Annotated[
        str | None, typer.Option(help="Print the parameters of NAME with units.", autocompletion=_complete)
    ] = None,
) -> int:
    """List the neuron models, show one's parameters, or check models against brian2."""

    out = console()
    if show is not None:
        out.print(_parameters(show))
    if check:
        return _check(check)
    if show is None:
        out.print(_table())
    return 0


def _table() -> object:
    from rich.table import Table

    from neurosim.model import state_units
    from neurosim.models import all_models

    table = Table("model", "what it is", "state", "current", "DOI", box=None, header_style="bold", pad_edge=False)
    for name, entry in sorted(all_models().items()):
        state = ", ".join(f"{v} ({unit})" if unit != "1" else v for v, unit in state_units(entry.cls).items())
        table.add_row(name, entry.summary, state or "none", entry.cls.current_unit, entry.doi)
    return table


def _parameters(name: str) -> object:
    from rich.table import Table

    from neurosim.models import get_model
    from neurosim.parameters import parameters

    entry = get_model(name)
    table = Table("parameter", "default", "unit", "meaning", box=None, header_style="bold", pad_edge=False, title=name)
    default = entry.cls()
    for parameter, info in parameters(entry.cls).items():
        table.add_row(parameter, f"{getattr(default, parameter):g}", info.unit, info.doc)
    return table


def _check(names: list[str]) -> int:
    from neurosim.models import all_models, get_model
    from neurosim.reference import compare

    wanted = sorted(all_models()) if "all" in names else names
    for name in wanted:
        get_model(name)  # an unknown one is refused before any work
    agree = True
    for name in wanted:
        comparison = compare(name)
        print(comparison.table())
        agree &= comparison.ok
    return 0 if agree else CHECK_FAILED
