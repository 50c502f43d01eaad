"""How often neurons fire."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from neurosim.analysis.inputs import array, bins, finite, flat_spikes, size, span, times, within
from neurosim.errors import UsageError

__all__ = ["PopulationRate", "population_rate", "psth", "rates"]


class PopulationRate(NamedTuple):
    """Firing rate of a population against time.

    Attributes
    ----------
    t : ndarray, shape (bins,)
        Middle of each bin, ms.
    rate : ndarray, shape (bins,)
        Spikes per second and neuron.
    """

    t: np.ndarray
    rate: np.ndarray


def rates(t: ArrayLike, i: ArrayLike, n: int, *, stop: float, start: float = 0.0) -> np.ndarray:
    """Firing rate of each neuron.

    Parameters
    ----------
    t, i : array_like, shape (spikes,)
        Times in ms and neurons.
    n : int
        Neurons, silent ones among them.
    stop, start : float
        Window in ms, start < t ≤ stop; of a whole run, ``stop=result.duration``.

    Returns
    -------
    ndarray, shape (n,)
        Spikes per second; 0 for silent neurons.

    Raises
    ------
    UsageError
        When arrays do not fit each other, a neuron is not below ``n``, or the window is empty.
    """
    n = size("rates", n)
    t, i = flat_spikes("rates", t, i, n)
    start, stop = span("rates", start, stop)
    return np.bincount(i[within(t, start, stop)], minlength=n) / ((stop - start) * 1e-3)


def population_rate(t: ArrayLike, n: int, *, bin: float, stop: float, start: float = 0.0) -> PopulationRate:
    """Firing rate of a population in bins of time.

    Parameters
    ----------
    t : array_like, shape (spikes,)
        Times of the spikes of all neurons, ms.
    n : int
        Neurons that the rate is divided by.
    bin : float
        Width of a bin, ms.
    stop, start : float
        Window in ms; a last bin that is not complete is left out.

    Returns
    -------
    PopulationRate
        ``t`` in ms, ``rate`` in spikes per second and neuron.

    Raises
    ------
    UsageError
        When times are not flat and finite, or no bin fits into the window.
    """
    edges = bins("population_rate", bin, start, stop)
    counts = edges.histogram(times("population_rate", t))
    return PopulationRate(edges.centres, counts / (size("population_rate", n) * edges.width * 1e-3))


def psth(t: ArrayLike, onsets: ArrayLike, n: int = 1, *, bin: float, stop: float, start: float = 0.0) -> PopulationRate:
    """Peri-stimulus time histogram: the rate around onsets, averaged over them.

    Parameters
    ----------
    t : array_like, shape (spikes,)
        Times of the spikes of all neurons, ms.
    onsets : array_like, shape (trials,)
        Times of the stimulus, ms. Windows may overlap: a spike then counts for each.
    n : int
        Neurons that the rate is divided by.
    bin : float
        Width of a bin, ms.
    stop, start : float
        Window about each onset, ms; ``start`` may be negative.

    Returns
    -------
    PopulationRate
        ``t`` in ms after the onset, ``rate`` in spikes per second and neuron.

    Raises
    ------
    UsageError
        When times are not flat and finite, there is no onset, or no bin fits into the window.
    """
    edges = bins("psth", bin, start, stop)
    t, begin = np.sort(times("psth", t)), _onsets(onsets)
    n = size("psth", n)
    # One bin's width more on both sides: which spikes are in is left to the bins.
    first = np.searchsorted(t, begin + edges.start - edges.width)
    number = np.searchsorted(t, begin + finite("psth", "stop", stop) + edges.width) - first
    # Spikes first … first + number of each onset, one after the other
    into = np.arange(number.sum()) - np.repeat(np.cumsum(number) - number, number)
    since = t[np.repeat(first, number) + into] - np.repeat(begin, number)
    return PopulationRate(edges.centres, edges.histogram(since) / (begin.size * n * edges.width * 1e-3))


def _onsets(onsets: Any) -> np.ndarray:
    values = np.atleast_1d(array("psth", "onsets", onsets))
    if values.ndim != 1 or not values.size or values.dtype.kind not in "fiu" or not np.isfinite(values).all():
        raise UsageError(f"psth: onsets = {onsets!r}: write at least one finite time in ms, onsets=[100.0, 300.0]")
    return values.astype(np.float64)
