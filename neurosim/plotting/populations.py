"""Which populations of a result a picture shows, and how they look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from neurosim.analysis.inputs import span
from neurosim.errors import UsageError
from neurosim.plotting.figures import COLOURS

if TYPE_CHECKING:
    from neurosim.result import Result

__all__ = ["Shown", "shown", "window"]

Names = str | Sequence[str] | None
Colours = str | Sequence[str] | Mapping[str, str] | None


class Shown(NamedTuple):
    """A population in a picture."""

    name: str
    colour: str
    t: np.ndarray  # ms
    i: np.ndarray
    neurons: np.ndarray  # those whose spikes were recorded, ascending


def shown(result: Result, populations: Names, colours: Colours = None, *, only: str | None = None) -> list[Shown]:
    """The populations that are named, or all whose spikes were recorded.

    Parameters
    ----------
    result : Result
        Of a run that recorded spikes.
    populations : str, sequence of str or None
        Their names.
    colours : str, sequence of str, mapping of str to str, optional
        One for all, one each, or by name; else those of the style, in turn.
    only : str, optional
        Colour of a population that is alone.
    """
    names = (
        [populations] if isinstance(populations, str) else list(result.spikes if populations is None else populations)
    )
    if not names:
        raise UsageError("no spikes were recorded: add Record('population', 'spikes')")
    spikes = [result.spikes[name] for name in names]
    if colours is None:
        colours = [only] if only and len(names) == 1 else [COLOURS[k % len(COLOURS)] for k in range(len(names))]
    elif isinstance(colours, Mapping):
        colours = [colours.get(name, COLOURS[k % len(COLOURS)]) for k, name in enumerate(names)]
    elif isinstance(colours, str):
        colours = [colours] * len(names)
    if len(colours) != len(names):
        raise UsageError(f"{len(colours)} colours for {len(names)} populations: write one each, or one for all")
    return [
        Shown(name, colour, t, i, result.neurons(name))
        for name, colour, (t, i) in zip(names, colours, spikes, strict=True)
    ]


def window(result: Result, start: float | None, stop: float | None) -> tuple[float, float]:
    """Begin and end of what is looked at, ms: the run, where they are not given."""
    begin, end = result.span
    if begin == end:
        raise UsageError("the run has no duration: there is nothing to draw")
    return span("plot", begin if start is None else start, end if stop is None else stop)
