"""Recorded variables against time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.errors import UsageError
from neurosim.plotting.figures import new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from neurosim.result import Result

__all__ = ["traces"]


def traces(
    result: Result,
    population: str,
    variable: str = "v",
    ax: Axes | None = None,
    *,
    neurons: Any = None,
    spikes_to: float | None = None,
    **style: Any,
) -> Axes:
    """A recorded variable against time, one line per neuron.

    Parameters
    ----------
    result : Result
        Of a run that recorded the variable.
    population, variable : str
        What to draw.
    ax : Axes, optional
        Where to draw; a new figure without it.
    neurons : int or sequence of int, optional
        Which of the recorded neurons, by their index in the population; all without it.
    spikes_to : float, optional
        For models that reset and so have no spike to be seen: each spike is drawn as a vertical line up to this
        value. The run must have recorded spikes.
    **style
        Of :meth:`matplotlib.axes.Axes.plot`.

    Returns
    -------
    Axes
        With the variable and its unit beside it.

    Raises
    ------
    UsageError
        When the variable, one of the neurons or, with ``spikes_to``, spikes were not recorded.
    """
    times, values = result.times(population, variable), result.traces[population][variable]
    recorded = result.neurons(population, variable)
    if neurons is not None:
        wanted = np.atleast_1d(np.asarray(neurons))
        missing = wanted[~np.isin(wanted, recorded)]
        if missing.size:
            raise UsageError(
                f"traces: {population}/{variable} of neuron {missing[0]} was not recorded: "
                f"{recorded.size} were, {recorded[0]} … {recorded[-1]}"
            )
        values, recorded = values[:, np.searchsorted(recorded, wanted)], wanted
    ax = new_axes(ax)
    lines = ax.plot(times, values, **style)
    if spikes_to is not None and values.size:
        t, i = result.spikes[population]
        order = np.argsort(recorded)
        place = np.minimum(np.searchsorted(recorded, i, sorter=order), recorded.size - 1)
        column = order[place]
        drawn = recorded[column] == i
        t, column = t[drawn], column[drawn]
        # From the first sample after the spike, which is after the reset: the line goes on from there.
        sample = np.minimum(np.searchsorted(times, t - 0.5 * result.dt), times.size - 1)
        colours = np.array([line.get_color() for line in lines], dtype=object)
        widths = lines[0].get_linewidth() if lines else 1.0
        spikes = ax.vlines(t, values[sample, column], spikes_to, colors=list(colours[column]), linewidths=widths)
        spikes.set_zorder(lines[0].get_zorder() if lines else 2)
    ax.set(xlabel="time (ms)", ylabel=f"{variable} ({result.unit(population, variable)})")
    return ax
