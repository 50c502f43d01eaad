"""What neurons have in common."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from neurosim.analysis.inputs import Bins, array, bins, flat_spikes, positive
from neurosim.errors import UsageError

__all__ = ["Correlogram", "correlations", "covariances", "cross_correlogram", "pairs"]

_BLOCK = 2**22  # counts that are dense at a time: 32 MB


class Correlogram(NamedTuple):
    """Coincidences of spikes against the lag between them.

    Attributes
    ----------
    lag : ndarray, shape (2·lags + 1,)
        How much later the target fires, ms.
    coincidences : ndarray, shape (2·lags + 1,)
        Mean over pairs of neurons.
    expected : ndarray, shape (2·lags + 1,)
        What independent neurons of the same constant rates would have.
    """

    lag: np.ndarray
    coincidences: np.ndarray
    expected: np.ndarray


def correlations(
    t: ArrayLike, i: ArrayLike, neurons: ArrayLike, *, bin: float, stop: float, start: float = 0.0
) -> np.ndarray:
    """Pearson correlation coefficients of the binned spike counts of each pair of neurons.

    Parameters
    ----------
    t, i : array_like, shape (spikes,)
        Times in ms and neurons.
    neurons : array_like of int, shape (m,)
        Which neurons, each once; spikes of others are left out.
    bin : float
        Width of a bin, ms.
    stop, start : float
        Window in ms; a last bin that is not complete is left out.

    Returns
    -------
    ndarray, shape (m, m)
        Symmetric. Row and column of a neuron whose count does not vary, as of a silent one, are NaN, its place on
        the diagonal too. :func:`pairs` takes each pair once.

    Raises
    ------
    UsageError
        When arrays do not fit each other, ``neurons`` are not distinct indices, or there are fewer than 2 bins.
    """
    gram, total, count = _products("correlations", t, i, neurons, bin, start, stop)
    # Times bins²: whole numbers, exact below 2^53, so that a count that does not vary has variance 0 exactly.
    covariance = count * gram - np.outer(total, total)
    deviation = np.sqrt(np.diagonal(covariance))
    with np.errstate(invalid="ignore"):  # 0/0
        coefficients = covariance / np.outer(deviation, deviation)
    np.fill_diagonal(coefficients, np.where(deviation > 0.0, 1.0, np.nan))
    return coefficients


def covariances(
    t: ArrayLike, i: ArrayLike, neurons: ArrayLike, *, bin: float, stop: float, start: float = 0.0
) -> np.ndarray:
    """Covariances of the binned spike counts of each pair of neurons, their variances on the diagonal.

    Parameters
    ----------
    t, i : array_like, shape (spikes,)
        Times in ms and neurons.
    neurons : array_like of int, shape (m,)
        Which neurons, each once; spikes of others are left out.
    bin : float
        Width of a bin, ms.
    stop, start : float
        Window in ms; a last bin that is not complete is left out.

    Returns
    -------
    ndarray, shape (m, m)
        Spikes² per bin, unbiased (divided by bins − 1); 0 for silent neurons.

    Raises
    ------
    UsageError
        When arrays do not fit each other, ``neurons`` are not distinct indices, or there are fewer than 2 bins.
    """
    gram, total, count = _products("covariances", t, i, neurons, bin, start, stop)
    return (count * gram - np.outer(total, total)) / (count * (count - 1.0))


def pairs(matrix: ArrayLike) -> np.ndarray:
    """Each pair of a symmetric matrix once: what lies above its diagonal, row by row.

    Parameters
    ----------
    matrix : array_like, shape (m, m)
        As :func:`correlations` returns it.

    Returns
    -------
    ndarray, shape (m·(m − 1)/2,)
        NaN is kept.

    Raises
    ------
    UsageError
        When it is not square.
    """
    values = array("pairs", "matrix", matrix)
    if values.ndim != 2 or values.shape[0] != values.shape[1]:
        raise UsageError(f"pairs: the matrix has shape {values.shape}: write a square one, as of correlations(…)")
    return values[np.triu_indices(len(values), 1)]


def cross_correlogram(
    t: ArrayLike,
    i: ArrayLike,
    source: ArrayLike,
    target: ArrayLike,
    *,
    bin: float,
    max_lag: float,
    stop: float,
    start: float = 0.0,
) -> Correlogram:
    """Coincidences of a pair of neurons, or their mean over all pairs of two groups, at each lag.

    At the lag of l bins it is the sum over bins k of source[k] · target[k + l].

    Parameters
    ----------
    t, i : array_like, shape (spikes,)
        Times in ms and neurons.
    source, target : int or array_like of int
        A neuron, or several, each once. A neuron that is in both is not paired with itself.
    bin : float
        Width of a bin, ms.
    max_lag : float
        Lags reach from −max_lag to max_lag, ms, by whole bins.
    stop, start : float
        Window in ms; a last bin that is not complete is left out.

    Returns
    -------
    Correlogram
        ``lag`` in ms, ``coincidences`` and ``expected`` per pair.

    Raises
    ------
    UsageError
        When arrays do not fit each other, there is no pair, or a lag is as long as the window.
    """
    where = "cross_correlogram"
    t, i = flat_spikes(where, t, i)
    edges = bins(where, bin, start, stop)
    reach = int(round(positive(where, "max_lag", max_lag) / edges.width, 6))
    if reach >= edges.number:
        raise UsageError(f"{where}: max_lag = {max_lag:g} ms must be below the window of {stop - start:g} ms")
    first, second = _distinct(where, "source", source), _distinct(where, "target", target)
    both = np.intersect1d(first, second)
    n_pairs = first.size * second.size - both.size
    if not n_pairs:
        raise UsageError(f"{where}: source and target are both neuron {int(first[0])}: write two neurons")
    a, b = (edges.histogram(t[np.isin(i, group)]) for group in (first, second))
    lags = np.arange(-reach, reach + 1)
    # Lag by lag, because only few are asked for: the bins of a train of hours would make a long transform.
    early = np.array([a[lag:] @ b[: b.size - lag] for lag in range(reach, 0, -1)], np.float64)
    late = np.array([a[: a.size - lag] @ b[lag:] for lag in range(reach + 1)], np.float64)
    own, own_expected = _with_themselves(t, i, both, edges, reach)
    expected = float(a.sum()) * float(b.sum()) - own_expected
    overlap = (edges.number - np.abs(lags)) / edges.number**2
    return Correlogram(
        lags * edges.width, (np.concatenate([early, late]) - own) / n_pairs, expected * overlap / n_pairs
    )


def _with_themselves(
    t: np.ndarray, i: np.ndarray, neurons: np.ndarray, edges: Bins, reach: int
) -> tuple[np.ndarray, float]:
    """Coincidences of each of these neurons with itself, summed over them, and the sum of the squares of its spikes."""
    k, exists = edges.of(t)
    exists &= np.isin(i, neurons)
    # Neurons are further apart than any lag, so that the bin l later is the place l later.
    place, count = np.unique(i[exists].astype(np.int64) * (edges.number + reach) + k[exists], return_counts=True)
    half = np.zeros(reach + 1)
    for lag in range(reach + 1):
        there = np.minimum(np.searchsorted(place, place + lag), max(place.size - 1, 0))
        half[lag] = np.sum(count * np.where(place[there] == place + lag, count[there], 0))
    total = np.bincount(i[exists]) if place.size else np.zeros(1)
    return np.concatenate([half[:0:-1], half]), float(np.sum(total * total))


def _distinct(where: str, name: str, neurons: Any) -> np.ndarray:
    """Indices of neurons, at least one, each once."""
    values = np.atleast_1d(array(where, name, neurons))
    if values.ndim != 1 or not values.size or values.dtype.kind not in "iu" or values.min() < 0:
        raise UsageError(f"{where}: {name} = {_short(neurons)}: write indices of neurons, {name}=range(100)")
    if np.unique(values).size < values.size:
        raise UsageError(f"{where}: {name} names a neuron twice: write {name}=sorted(set(…))")
    return values


def _short(value: object) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) < 60 else f"{text[:57]}…"


def _products(
    where: str, t: ArrayLike, i: ArrayLike, neurons: ArrayLike, bin: float, start: float, stop: float
) -> tuple[np.ndarray, np.ndarray, int]:
    """Sums over bins of products of counts, shape (m, m), of counts, shape (m,), and the number of bins."""
    if np.ndim(neurons) == 0:
        raise UsageError(f"{where}: neurons = {neurons!r}: write indices of neurons, neurons=range(100)")
    wanted = _distinct(where, "neurons", neurons)
    t, i = flat_spikes(where, t, i)
    edges = bins(where, bin, start, stop)
    if edges.number < 2:
        raise UsageError(f"{where}: bin = {edges.width:g} ms: the window holds one bin, at least 2 are needed")
    # Row of each neuron that is asked for
    rows = np.full(max(int(wanted.max()), int(i.max(initial=0))) + 1, -1)
    rows[wanted] = np.arange(wanted.size)
    k, exists = edges.of(t)
    exists &= rows[i] >= 0
    k, row = k[exists], rows[i[exists]]
    order = np.argsort(k, kind="stable")
    k, row = k[order], row[order]
    gram = np.zeros((wanted.size, wanted.size))
    width = min(edges.number, max(1, _BLOCK // wanted.size))
    first = np.arange(0, edges.number, width)
    bounds = np.searchsorted(k, [*first, edges.number])
    for begin, low, high in zip(first, bounds[:-1], bounds[1:], strict=True):
        place = row[low:high] * width + (k[low:high] - begin)
        dense = np.bincount(place, minlength=wanted.size * width).reshape(wanted.size, width).astype(np.float64)
        gram += dense @ dense.T
    return gram, np.bincount(row, minlength=wanted.size).astype(np.float64), edges.number
