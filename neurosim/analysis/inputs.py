"""Arguments that functions of the analysis share, checked once."""

from __future__ import annotations

import operator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from neurosim.errors import UsageError

__all__ = ["Bins", "array", "bins", "by_neuron", "finite", "flat_spikes", "positive", "size", "span", "times", "within"]

EDGE = 1e-6  # ms; times are steps × dt with errors of rounding, far below any dt


def array(where: str, name: str, value: Any) -> np.ndarray:
    """An array, if it is one: nested lists of several lengths are none."""
    try:
        return np.asarray(value)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{where}: {name} is no array: {str(error).splitlines()[0]}") from None


def times(where: str, t: ArrayLike) -> np.ndarray:
    """Times as a flat array of finite float64."""
    values = array(where, "t", t)
    if values.ndim != 1:
        raise UsageError(f"{where}: t has shape {values.shape}: write a flat array, t, i = result.spikes['population']")
    if values.size and values.dtype.kind not in "fiu":
        raise UsageError(f"{where}: t holds {values.dtype}: write times in ms as floats")
    values = values.astype(np.float64, copy=False)
    if not np.isfinite(values).all():
        raise UsageError(f"{where}: t[{int(np.argmin(np.isfinite(values)))}] is not finite: write t[numpy.isfinite(t)]")
    return values


def flat_spikes(where: str, t: ArrayLike, i: ArrayLike, n: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Times and neurons as flat arrays of one length; with ``n``, every neuron is below it."""
    t, i = times(where, t), array(where, "i", i)
    if i.shape != t.shape:
        raise UsageError(f"{where}: i has shape {i.shape}, t has {t.shape}: write one neuron per spike")
    if not i.size:
        return t, i.astype(np.int64)
    if i.dtype.kind not in "iu":
        raise UsageError(f"{where}: i holds {i.dtype}: write indices of neurons as integers")
    if i.min() < 0:
        raise UsageError(f"{where}: i holds {i.min()}: neurons count from 0")
    if n is not None and i.max() >= n:
        raise UsageError(f"{where}: i holds neuron {i.max()}, n = {n}: write n={i.max() + 1} or more")
    return t, i if i.dtype.kind == "i" else i.astype(np.int64)


def size(where: str, n: Any, name: str = "n", least: int = 1) -> int:
    """A whole number, at least ``least``."""
    try:
        value = operator.index(n)
    except TypeError:
        value = least - 1
    if value < least or isinstance(n, bool):
        raise UsageError(f"{where}: {name} = {n!r} must be a whole number, at least {least}")
    return value


def finite(where: str, name: str, value: Any) -> float:
    """A finite number in ms."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = np.nan
    if not np.isfinite(number):
        raise UsageError(f"{where}: {name} = {value!r} must be a finite number of ms")
    return number


def positive(where: str, name: str, value: Any) -> float:
    """A length of time in ms."""
    number = finite(where, name, value)
    if number <= EDGE:
        raise UsageError(f"{where}: {name} = {number:g} ms must be positive")
    return number


def span(where: str, start: Any, stop: Any) -> tuple[float, float]:
    """Begin and end of a window."""
    start, stop = finite(where, "start", start), finite(where, "stop", stop)
    if stop - start <= EDGE:
        raise UsageError(f"{where}: stop = {stop:g} ms must be after start = {start:g} ms")
    return start, stop


def within(t: np.ndarray, start: float, stop: float) -> np.ndarray:
    """Which times lie in start < t ≤ stop."""
    return (t > start + EDGE) & (t <= stop + EDGE)


class Bins(NamedTuple):
    """Bins of one width, each start + k·width < t ≤ start + (k + 1)·width.

    Attributes
    ----------
    start, width : float
        ms.
    number : int
        How many fit into the window; an incomplete last one is left out.
    """

    start: float
    width: float
    number: int

    @property
    def centres(self) -> np.ndarray:
        """Middle of each bin, ms."""
        return self.start + (np.arange(self.number) + 0.5) * self.width

    def of(self, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Bin of each time, and which of them exist."""
        k = np.ceil((t - self.start - EDGE) / self.width).astype(np.int64) - 1
        return k, (k >= 0) & (k < self.number)

    def histogram(self, t: np.ndarray) -> np.ndarray:
        """Times in each bin."""
        k, exists = self.of(t)
        return np.bincount(k[exists], minlength=self.number)


def bins(where: str, width: Any, start: Any, stop: Any) -> Bins:
    """Bins of a window, at least one."""
    start, stop = span(where, start, stop)
    width = positive(where, "bin", width)
    number = int((stop - start + EDGE) / width)
    if not number:
        raise UsageError(f"{where}: bin = {width:g} ms is longer than the window of {stop - start:g} ms")
    return Bins(start, width, number)


def by_neuron(t: np.ndarray, i: np.ndarray) -> np.ndarray:
    """Order of spikes by neuron, then by time."""
    if np.any(t[1:] < t[:-1]):
        return np.lexsort((t, i))
    # NumPy sorts stably by radix, in linear time, where a key has 16 bits.
    key = i.astype(np.uint16) if i.size and i.max() < 2**16 else i
    return np.argsort(key, kind="stable")
