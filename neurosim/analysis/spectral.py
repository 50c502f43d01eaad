"""Rhythms of a population."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike

from neurosim.analysis.inputs import bins, positive, size, times
from neurosim.errors import UsageError

__all__ = ["Spectrum", "spectrum"]


class Spectrum(NamedTuple):
    """Power spectral density, one-sided.

    Attributes
    ----------
    f : ndarray, shape (frequencies,)
        Hz, from 0 to half of 1/bin.
    power : ndarray, shape (frequencies,)
        (spikes/s)²/Hz.
    """

    f: np.ndarray
    power: np.ndarray


def spectrum(
    t: ArrayLike, n: int, *, stop: float, start: float = 0.0, bin: float = 1.0, segment: float = 1000.0
) -> Spectrum:
    """Power spectrum of the rate of a population.

    The rate in spikes per second and neuron is cut into segments that overlap by half; each is freed of its mean,
    tapered by Hann's window and transformed, and the powers are averaged. The integral over frequency is the variance
    of the rate; n independent Poisson neurons of rate r have 2·r/n at every frequency.

    Parameters
    ----------
    t : array_like, shape (spikes,)
        Times of the spikes of all neurons, ms.
    n : int
        Neurons that the rate is divided by.
    stop, start : float
        Window in ms; a last bin that is not complete is left out.
    bin : float
        Width of a bin, ms: the highest frequency is 500/bin Hz.
    segment : float
        Length of a segment, ms: frequencies are 1000/segment Hz apart. A window that is shorter is one segment.

    Returns
    -------
    Spectrum
        ``f`` in Hz, ``power`` in (spikes/s)²/Hz.

    Raises
    ------
    UsageError
        When times are not flat and finite, or a segment has fewer than 2 bins.

    Notes
    -----
    Welch (1967), IEEE Trans Audio Electroacoust 15:70.
    """
    edges = bins("spectrum", bin, start, stop)
    rate = edges.histogram(times("spectrum", t)) / (size("spectrum", n) * edges.width * 1e-3)
    length = min(round(positive("spectrum", "segment", segment) / edges.width), edges.number)
    if length < 2:
        raise UsageError(f"spectrum: bin = {edges.width:g} ms: a segment must hold at least 2 bins")
    pieces = sliding_window_view(rate, length)[:: length - length // 2]
    taper = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(length) / length)
    amplitude = np.fft.rfft((pieces - pieces.mean(axis=1, keepdims=True)) * taper)
    per_second = 1e3 / edges.width
    power = np.mean(amplitude.real**2 + amplitude.imag**2, axis=0) / (per_second * np.sum(taper * taper))
    # Both signs of the frequency in one, except of those that have one sign only: 0, and the highest of an even length
    power[1 : (length + 1) // 2] *= 2.0
    return Spectrum(np.fft.rfftfreq(length, 1.0 / per_second), power)
