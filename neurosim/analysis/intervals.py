"""Intervals between the spikes of a neuron, and how irregular they are."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from neurosim.analysis.inputs import by_neuron, flat_spikes, size

__all__ = ["Intervals", "cv", "cv2", "isi", "lv"]


class Intervals(NamedTuple):
    """Intervals between spikes as flat arrays of one length, ordered by neuron, then by time.

    Attributes
    ----------
    isi : ndarray, shape (intervals,)
        ms.
    i : ndarray, shape (intervals,)
        Neurons.
    """

    isi: np.ndarray
    i: np.ndarray


def isi(t: ArrayLike, i: ArrayLike) -> Intervals:
    """Intervals between successive spikes of each neuron.

    Parameters
    ----------
    t, i : array_like, shape (spikes,)
        Times in ms and neurons, in any order.

    Returns
    -------
    Intervals
        A neuron of k > 0 spikes has k − 1 intervals.

    Raises
    ------
    UsageError
        When ``t`` and ``i`` are not flat arrays of one length.
    """
    return _isi("isi", t, i, None)


def cv(t: ArrayLike, i: ArrayLike, n: int, *, min_spikes: int = 3) -> np.ndarray:
    """Coefficient of variation of the intervals of each neuron: their standard deviation over their mean.

    1 for a Poisson process, 0 for a clock, 1/√k for a gamma process of shape k. The standard deviation is that of the
    intervals at hand (divided by their number), which is too small by about 1/(2·intervals) of itself.

    Parameters
    ----------
    t, i : array_like, shape (spikes,)
        Times in ms and neurons, in any order.
    n : int
        Neurons.
    min_spikes : int
        A neuron with fewer has none; at least 2. With 2 spikes there is one interval, which does not vary.

    Returns
    -------
    ndarray, shape (n,)
        NaN where there are too few spikes.

    Raises
    ------
    UsageError
        When arrays do not fit each other, a neuron is not below ``n``, or ``min_spikes`` is below 2.
    """
    n = size("cv", n)
    least = size("cv", min_spikes, "min_spikes", 2) - 1
    length, neuron = _isi("cv", t, i, n)
    mean, number = _mean(length, neuron, n)
    square, _ = _mean((length - mean[neuron]) ** 2, neuron, n)
    with np.errstate(invalid="ignore"):  # all spikes at one time: 0/0
        return np.where(number >= least, np.sqrt(square) / mean, np.nan)


def cv2(t: ArrayLike, i: ArrayLike, n: int, *, min_spikes: int = 3) -> np.ndarray:
    """Local irregularity CV₂: the mean of 2·|I₁ − I₂|/(I₁ + I₂) over successive intervals.

    1 for a Poisson process and 0 for a clock, whatever slow changes of the rate there are, which raise the CV.

    Parameters
    ----------
    t, i : array_like, shape (spikes,)
        Times in ms and neurons, in any order.
    n : int
        Neurons.
    min_spikes : int
        A neuron with fewer has none; at least 3.

    Returns
    -------
    ndarray, shape (n,)
        NaN where there are too few spikes.

    Raises
    ------
    UsageError
        When arrays do not fit each other, a neuron is not below ``n``, or ``min_spikes`` is below 3.

    Notes
    -----
    Holt, Softky, Koch and Douglas (1996), J Neurophysiol 75:1806.
    """
    return _local("cv2", t, i, n, min_spikes, 1)


def lv(t: ArrayLike, i: ArrayLike, n: int, *, min_spikes: int = 3) -> np.ndarray:
    """Local variation Lv: the mean of 3·((I₁ − I₂)/(I₁ + I₂))² over successive intervals.

    1 for a Poisson process, 0 for a clock, 3/(2k + 1) for a gamma process of shape k.

    Parameters
    ----------
    t, i : array_like, shape (spikes,)
        Times in ms and neurons, in any order.
    n : int
        Neurons.
    min_spikes : int
        A neuron with fewer has none; at least 3.

    Returns
    -------
    ndarray, shape (n,)
        NaN where there are too few spikes.

    Raises
    ------
    UsageError
        When arrays do not fit each other, a neuron is not below ``n``, or ``min_spikes`` is below 3.

    Notes
    -----
    Shinomoto, Shima and Tanji (2003), Neural Comput 15:2823.
    """
    return _local("lv", t, i, n, min_spikes, 2)


def _isi(where: str, t: ArrayLike, i: ArrayLike, n: int | None) -> Intervals:
    time, neuron = flat_spikes(where, t, i, n)
    order = by_neuron(time, neuron)
    time, neuron = time[order], neuron[order]
    same = neuron[1:] == neuron[:-1]
    return Intervals(np.diff(time)[same], neuron[1:][same])


def _mean(values: np.ndarray, neuron: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and number of the values of each neuron."""
    number = np.bincount(neuron, minlength=n)
    with np.errstate(invalid="ignore"):  # no value: 0/0
        return np.bincount(neuron, values, n) / number, number


def _local(where: str, t: ArrayLike, i: ArrayLike, n: int, min_spikes: int, power: int) -> np.ndarray:
    """Mean of (power + 1)·(|I₁ − I₂|/(I₁ + I₂))^power, both measures of irregularity from intervals that follow."""
    n = size(where, n)
    least = size(where, min_spikes, "min_spikes", 3) - 2
    length, neuron = _isi(where, t, i, n)
    same = neuron[1:] == neuron[:-1]
    total = (length[1:] + length[:-1])[same]
    # Two intervals of no length do not differ.
    difference = np.abs(np.diff(length)[same]) / np.where(total > 0.0, total, 1.0)
    mean, number = _mean((power + 1) * difference**power, neuron[1:][same], n)
    return np.where(number >= least, mean, np.nan)
