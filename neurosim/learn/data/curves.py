"""Points on curves, the same bits on every machine: no function of a C library, no sum in an order of its own."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from neurosim.learn import draws

_TAU = 6.283185307179586
# 1/n! with their signs, highest power first: beyond them nothing is left of float64 up to π/4
_SINE = tuple((-1.0) ** (k // 2) / float(np.prod(np.arange(1.0, k + 1.0))) for k in range(17, 0, -2))
_COSINE = tuple((-1.0) ** (k // 2) / float(np.prod(np.arange(1.0, k + 1.0))) for k in range(18, -1, -2))


def circle(turns: np.ndarray) -> np.ndarray:
    """cos and sin of 2π · turns, shape (…, 2)."""
    quarters = np.floor(4.0 * turns + 0.5)
    angle = _TAU * (turns - 0.25 * quarters)  # from −π/4 to π/4
    squared = angle * angle
    cosine, sine = np.full_like(squared, _COSINE[0]), np.full_like(squared, _SINE[0])
    for c in _COSINE[1:]:
        cosine = cosine * squared + c
    for s in _SINE[1:]:
        sine = sine * squared + s
    sine = sine * angle
    side = quarters.astype(np.int64) % 4
    return np.stack(
        [
            np.choose(side, (cosine, -sine, -cosine, sine)),
            np.choose(side, (sine, cosine, -sine, -cosine)),
        ],
        axis=-1,
    )


def noise(seed: int, n: int, sd: float, series: int) -> np.ndarray:
    """Normal displacements in the plane, shape (n, 2)."""
    return sd * draws.normal(seed, "data", 2 * n, series=series).reshape(n, 2)


def interpolate(at: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Value at ``at`` of the broken line through (x, y), x ascending; NumPy's may be rounded once less."""
    k = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(x) - 2)
    return y[k] + (at - x[k]) / (x[k + 1] - x[k]) * (y[k + 1] - y[k])


def halves(n: int) -> tuple[int, int]:
    """``n`` in two parts, the first the larger."""
    return n - n // 2, n // 2


def labels(sizes: tuple[int, ...]) -> np.ndarray:
    """0 as often as ``sizes[0]``, then 1 as often as ``sizes[1]``, …."""
    found = np.empty(sum(sizes), np.int64)
    for label, (begin, end) in enumerate(pairwise(np.cumsum((0, *sizes)).tolist())):
        found[begin:end] = label
    return found
