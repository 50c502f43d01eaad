"""Spikes counted in bins of time."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from neurosim.analysis.inputs import bins, flat_spikes, size

__all__ = ["binned_counts", "fano_factor"]


def binned_counts(t: ArrayLike, i: ArrayLike, n: int, *, bin: float, stop: float, start: float = 0.0) -> np.ndarray:
    """Spikes of each neuron in each bin.

    Parameters
    ----------
    t, i : array_like, shape (spikes,)
        Times in ms and neurons.
    n : int
        Neurons.
    bin : float
        Width of a bin, ms.
    stop, start : float
        Window in ms; a last bin that is not complete is left out.

    Returns
    -------
    ndarray of int, shape (n, bins)
        8 bytes per neuron and bin.

    Raises
    ------
    UsageError
        When arrays do not fit each other, a neuron is not below ``n``, or no bin fits into the window.
    """
    n = size("binned_counts", n)
    t, i = flat_spikes("binned_counts", t, i, n)
    edges = bins("binned_counts", bin, start, stop)
    k, exists = edges.of(t)
    flat = np.bincount(i[exists].astype(np.int64) * edges.number + k[exists], minlength=n * edges.number)
    return flat.reshape(n, edges.number)


def fano_factor(t: ArrayLike, i: ArrayLike, n: int, *, bin: float, stop: float, start: float = 0.0) -> np.ndarray:
    """Fano factor of each neuron: variance over mean of its counts in successive windows of one length.

    1 for a Poisson process; near 0 for a clock. The variance is divided by the number of windows.

    Parameters
    ----------
    t, i : array_like, shape (spikes,)
        Times in ms and neurons.
    n : int
        Neurons.
    bin : float
        Length of a window that is counted in, ms.
    stop, start : float
        What is cut into windows, ms; a last one that is not complete is left out.

    Returns
    -------
    ndarray, shape (n,)
        NaN for neurons without a spike.

    Raises
    ------
    UsageError
        When arrays do not fit each other, a neuron is not below ``n``, or no window fits.
    """
    n = size("fano_factor", n)
    t, i = flat_spikes("fano_factor", t, i, n)
    edges = bins("fano_factor", bin, start, stop)
    k, exists = edges.of(t)
    # Only bins that hold a spike are kept: memory goes with the spikes, not with neurons × bins.
    place, count = np.unique(i[exists].astype(np.int64) * edges.number + k[exists], return_counts=True)
    neuron = place // edges.number
    mean = np.bincount(neuron, count, n) / edges.number
    square = np.bincount(neuron, count * count, n) / edges.number
    with np.errstate(invalid="ignore"):  # silent: 0/0
        return (square - mean * mean) / mean
