"""When an estimator has learned enough: its loss, or its score on samples held back, gets no better."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from neurosim.learn.training import Snapshot

__all__ = ["Watch"]


class Watch:
    """A callback of :func:`neurosim.learn.fit` for one network; it looks once per epoch.

    Parameters
    ----------
    sizes : sequence of int
        Samples of each batch of an epoch.
    tol : float
        What counts as better: by at least so much.
    patience : int
        Epochs in a row without that, after which one more ends it.
    score : callable, optional
        Weights, shape (P,) → the higher the better. Without it the loss is watched.

    Attributes
    ----------
    scores : list of float
        After each epoch.
    best : float
        The highest of them, or the least loss.
    w : ndarray, shape (P,), or None
        Weights of the highest score.
    ended : bool
        Whether learning was stopped from here.
    """

    def __init__(
        self, sizes: list[int], tol: float, patience: int, score: Callable[[np.ndarray], float] | None = None
    ) -> None:
        self._sizes, self._tol, self._patience, self._score = sizes, tol, patience, score
        self._sum, self._idle, self._most = 0.0, 0, -np.inf
        self.scores: list[float] = []
        self.w: np.ndarray | None = None
        self.ended = False

    @property
    def best(self) -> float:
        return self._most if self._score else -self._most

    def __call__(self, snapshot: Snapshot) -> bool:
        number = snapshot.iteration % len(self._sizes)
        self._sum += float(snapshot.error[0]) * self._sizes[number]
        if number + 1 < len(self._sizes):
            return False
        value, self._sum = -self._sum / sum(self._sizes), 0.0
        if self._score is not None:
            w: Any = snapshot.backend.to_numpy(snapshot.w)[0]
            value = self._score(w)
            self.scores.append(value)
            if value > self._most or self.w is None:
                self.w = np.array(w)
        self._idle = 0 if value >= self._most + self._tol else self._idle + 1
        self._most = max(self._most, value)
        self.ended = self._idle > self._patience
        return self.ended
