"""Distributions and spectra."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from neurosim import analysis
from neurosim.errors import UsageError
from neurosim.plotting.figures import BLUE, GREY, legend, new_axes, title
from neurosim.plotting.populations import Colours, Names, shown, window

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from neurosim.result import Result

__all__ = ["correlation_histogram", "isi_histogram", "spectrum", "weight_histogram"]


def isi_histogram(
    result: Result,
    population: Names = None,
    ax: Axes | None = None,
    *,
    bins: int = 60,
    longest: float | None = None,
    colours: Colours = None,
    start: float | None = None,
    stop: float | None = None,
) -> Axes:
    """Distribution of the intervals between the spikes of a neuron, over all neurons of a population.

    Parameters
    ----------
    result : Result
        Of a run that recorded spikes.
    population : str or sequence of str, optional
        Names; all whose spikes were recorded without it.
    ax : Axes, optional
        Where to draw; a new figure without it.
    bins : int
        From 0 to ``longest``.
    longest : float, optional
        End of the axis, ms; without it 99 % of all intervals are on it.
    colours : str, sequence of str or dict, optional
        One for all, one each, or by name.
    start, stop : float, optional
        What is looked at, ms; the whole run without them.

    Returns
    -------
    Axes
        Densities per ms, and in the legend the mean CV of the neurons with at least three spikes.

    Raises
    ------
    UsageError
        When spikes were not recorded.
    """
    chosen = shown(result, population, colours)
    begin, end = window(result, start, stop)
    ax = new_axes(ax)
    intervals, labels = [], []
    for p in chosen:
        kept = (p.t >= begin) & (p.t <= end)
        t, i = p.t[kept], p.i[kept]
        intervals.append(analysis.isi(t, i).isi)
        n = int(p.neurons[-1]) + 1 if p.neurons.size else 1
        irregularity = analysis.cv(t, i, n)
        known = irregularity[~np.isnan(irregularity)]
        labels.append(f"{p.name}, CV {known.mean():.2f}" if known.size else p.name)
    everything = np.concatenate(intervals)
    if longest is None:
        longest = float(np.quantile(everything, 0.99)) * 1.02 if everything.size else 1.0
    edges = np.linspace(0.0, longest, bins + 1)
    for p, values, label in zip(chosen, intervals, labels, strict=True):
        # Of all intervals, also of those beyond the axis
        density = np.histogram(values, edges)[0] / (max(values.size, 1) * (edges[1] - edges[0]))
        ax.stairs(density, edges, color=p.colour, label=label, linewidth=1.4)
    ax.set(xlabel="interspike interval (ms)", ylabel="density (1/ms)", xlim=(0.0, longest))
    ax.set_ylim(bottom=0.0)
    legend(ax)
    return ax


def correlation_histogram(
    result: Result,
    population: Names = None,
    ax: Axes | None = None,
    *,
    bin: float = 5.0,
    sample: int = 500,
    bins: int = 60,
    colours: Colours = None,
    start: float | None = None,
    stop: float | None = None,
) -> Axes:
    """Distribution of the correlation coefficients of spike counts over pairs of neurons.

    Parameters
    ----------
    result : Result
        Of a run that recorded spikes.
    population : str or sequence of str, optional
        Names; all whose spikes were recorded without it.
    ax : Axes, optional
        Where to draw; a new figure without it.
    bin : float
        In which spikes are counted, ms.
    sample : int
        At most so many neurons that fired, evenly spread over those recorded: pairs go with its square.
    bins : int
        Of the histogram.
    colours : str, sequence of str or dict, optional
        One for all, one each, or by name.
    start, stop : float, optional
        What is looked at, ms; the whole run without them.

    Returns
    -------
    Axes
        Densities, and in the legend the mean coefficient.

    Raises
    ------
    UsageError
        When spikes were not recorded.
    """
    chosen = shown(result, population, colours)
    begin, end = window(result, start, stop)
    ax = new_axes(ax)
    coefficients = []
    for p in chosen:
        firing = np.unique(p.i)
        some = firing[np.linspace(0, firing.size - 1, min(sample, firing.size)).astype(np.int64)]
        if some.size < 2:
            raise UsageError(f"correlation_histogram: {some.size} neurons of {p.name} fired, at least 2 are needed")
        values = analysis.pairs(analysis.correlations(p.t, p.i, some, bin=bin, start=begin, stop=end))
        coefficients.append(values[~np.isnan(values)])
    everything = np.concatenate(coefficients)
    low, high = np.quantile(everything, [0.001, 0.999]) if everything.size else (-1.0, 1.0)
    margin = max(0.05 * (high - low), 1e-3)
    edges = np.linspace(low - margin, high + margin, bins + 1)
    for p, values in zip(chosen, coefficients, strict=True):
        density = np.histogram(values, edges)[0] / (max(values.size, 1) * (edges[1] - edges[0]))
        label = f"{p.name}, mean {values.mean():.3f}" if values.size else p.name
        ax.stairs(density, edges, color=p.colour, label=label, linewidth=1.4)
    ax.axvline(0.0, color=GREY, linewidth=0.8, zorder=0)
    ax.set(xlabel=f"correlation of spike counts in {bin:g} ms", ylabel="density", xlim=(edges[0], edges[-1]))
    ax.set_ylim(bottom=0.0)
    legend(ax)
    return ax


def spectrum(
    result: Result,
    population: Names = None,
    ax: Axes | None = None,
    *,
    bin: float = 1.0,
    segment: float = 1000.0,
    highest: float = 200.0,
    colours: Colours = None,
    start: float | None = None,
    stop: float | None = None,
) -> Axes:
    """Power spectrum of the rate of populations, as :func:`neurosim.analysis.spectrum` computes it.

    Parameters
    ----------
    result : Result
        Of a run that recorded spikes.
    population : str or sequence of str, optional
        Names; all whose spikes were recorded without it.
    ax : Axes, optional
        Where to draw; a new figure without it.
    bin, segment : float
        Width of a bin and length of a segment, ms.
    highest : float
        End of the axis, Hz.
    colours : str, sequence of str or dict, optional
        One for all, one each, or by name.
    start, stop : float, optional
        What is looked at, ms; the whole run without them.

    Returns
    -------
    Axes
        Power on a logarithmic axis; the frequency 0, which holds the mean, is left out.

    Raises
    ------
    UsageError
        When spikes were not recorded.
    """
    chosen = shown(result, population, colours)
    begin, end = window(result, start, stop)
    ax = new_axes(ax)
    for p in chosen:
        f, power = analysis.spectrum(p.t, p.neurons.size, bin=bin, segment=segment, start=begin, stop=end)
        kept = (f > 0.0) & (f <= highest)
        ax.plot(f[kept], power[kept], color=p.colour, label=p.name)
    ax.set(
        xlabel="frequency (Hz)", ylabel="power ((spikes/s)²/Hz)", yscale="log", xlim=(0.0, min(highest, 500.0 / bin))
    )
    if len(chosen) > 1:
        legend(ax)
    else:
        title(ax, chosen[0].name)
    return ax


def weight_histogram(
    weights: ArrayLike,
    ax: Axes | None = None,
    *,
    bins: int | ArrayLike = 60,
    unit: str = "",
    colour: str = BLUE,
    label: str | None = None,
    **style: Any,
) -> Axes:
    """Distribution of synaptic weights.

    Parameters
    ----------
    weights : array_like
        Of any shape; what is not finite is left out.
    ax : Axes, optional
        Where to draw; a new figure without it.
    bins : int or array_like
        Number of bins, or their edges: give edges to draw two distributions on the same axes.
    unit : str
        Of the weights.
    colour : str
        Of the area.
    label : str, optional
        For the legend.
    **style
        Of :meth:`matplotlib.axes.Axes.hist`.

    Returns
    -------
    Axes
        Numbers of synapses.

    Raises
    ------
    UsageError
        When there is no weight.
    """
    values = np.asarray(weights, np.float64).ravel()
    values = values[np.isfinite(values)]
    if not values.size:
        raise UsageError("weight_histogram: there is no weight")
    ax = new_axes(ax)
    edges = bins if isinstance(bins, int) else np.asarray(bins, np.float64).tolist()
    ax.hist(values, bins=edges, color=colour, label=label, **({"alpha": 0.6} | style))
    ax.set(xlabel=f"weight ({unit})" if unit else "weight", ylabel="synapses")
    if label is not None:
        legend(ax)
    return ax
