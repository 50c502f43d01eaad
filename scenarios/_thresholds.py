"""Search for thresholds, many at once: what the scenarios of excitability share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def smallest(
    fires: Callable[[np.ndarray], np.ndarray],
    low: Any,
    high: Any,
    *,
    count: int,
    rounds: int,
) -> np.ndarray:
    """Smallest stimulus that fires, for each of m questions.

    Each round tries ``count`` stimuli of every question in one simulation, spread geometrically, and goes on
    between the last that fails and the first that fires: the bracket shrinks by ``(count − 1)**rounds``.

    Parameters
    ----------
    fires : callable
        Stimuli of shape (m, count) → truth values of that shape.
    low, high : array_like
        Brackets, shape (m,), above 0.
    count, rounds : int
        Stimuli in a round, and rounds.

    Returns
    -------
    ndarray
        Shape (m,); NaN where nothing in the bracket fires.
    """
    low, high = np.array(low, dtype=float), np.array(high, dtype=float)
    answered = np.ones(low.shape, dtype=bool)
    for _ in range(rounds):
        stimuli = np.geomspace(low, high, count, axis=-1)
        fired = fires(stimuli)
        answered &= fired.any(axis=-1)
        first = fired.argmax(axis=-1)[:, None]
        high = np.take_along_axis(stimuli, first, axis=-1)[:, 0]
        low = np.take_along_axis(stimuli, np.maximum(first - 1, 0), axis=-1)[:, 0]
    return np.where(answered, high, np.nan)
