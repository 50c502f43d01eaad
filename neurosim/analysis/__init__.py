"""What spike trains and membrane potentials say, in numbers.

Functions take spikes as ``Result.spikes`` hands them out: flat arrays of times ``t`` in ms and neurons ``i``, in any
order. No function loops over neurons.

>>> from neurosim.analysis import cv, isi, rates
>>> t, i = [10.0, 20.0, 25.0, 30.0, 45.0], [0, 0, 1, 0, 1]
>>> [float(rate) for rate in rates(t, i, n=3, stop=50.0)]  # spikes/s of each of three neurons
[60.0, 40.0, 0.0]
>>> isi(t, i)
Intervals(isi=array([10., 10., 20.]), i=array([0, 0, 1]))
>>> [float(value) for value in cv(t, i, n=3)]  # NaN: fewer than three spikes
[0.0, nan, nan]

A window is ``start < t <= stop``, and so is every bin of it, because a spike of a run has the time at which its step
ends: the window from 0 to ``result.duration`` holds every spike of the run, and a bin holds whole steps. What lies
within 1e-6 ms of an edge lies on it, so that rounding moves no spike to the next bin. An initial transient is cut off
by ``start``, and where a function takes no window, by ``t[t > 200.0], i[t > 200.0]``.

What cannot be said of a neuron (the CV of one that fired once, the correlation of a silent one) is NaN; use
:func:`numpy.nanmean` and its like. What cannot be an input raises :class:`neurosim.UsageError`.
"""

from neurosim.analysis.counting import binned_counts, fano_factor
from neurosim.analysis.firing import PopulationRate, population_rate, psth, rates
from neurosim.analysis.intervals import Intervals, cv, cv2, isi, lv
from neurosim.analysis.pairwise import Correlogram, correlations, covariances, cross_correlogram, pairs
from neurosim.analysis.spectral import Spectrum, spectrum
from neurosim.analysis.synchronous import chi, synchrony

__all__ = [
    "Correlogram",
    "Intervals",
    "PopulationRate",
    "Spectrum",
    "binned_counts",
    "chi",
    "correlations",
    "covariances",
    "cross_correlogram",
    "cv",
    "cv2",
    "fano_factor",
    "isi",
    "lv",
    "pairs",
    "population_rate",
    "psth",
    "rates",
    "spectrum",
    "synchrony",
]
