"""The buffers behind a History."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurosim.learn.history import History

_FIRST_ROWS = 64


class Recorder:
    """Collects what happens, on the host; it alone writes its buffers.

    Parameters
    ----------
    w : ndarray, shape (E, P)
        First weights.
    every : int
        Iterations from one row to the next.
    """

    def __init__(self, w: np.ndarray, every: int) -> None:
        n = len(w)
        self.w, self._every = np.array(w), every
        self.status, self.iterations = np.zeros(n, np.int64), np.zeros(n, np.int64)
        self._evaluations = np.zeros(n, np.int64)
        self._curves = np.full((_FIRST_ROWS, 4, n), np.nan)
        self._counts = np.zeros((_FIRST_ROWS, n), np.int64)
        self._iteration = np.zeros(_FIRST_ROWS, np.int64)
        self._seconds = np.zeros(_FIRST_ROWS)
        self._rows = 0

    def add(
        self, iteration: int, seconds: float, alive: np.ndarray | slice, row: np.ndarray, evaluations: Any, must: bool
    ) -> None:
        """One iteration.

        Parameters
        ----------
        iteration, seconds : int, float
            When.
        alive : ndarray or slice
            Networks that still learn.
        row : ndarray, shape (4, len(alive))
            Error, norm of the gradient, norm of the update, rate.
        evaluations : int or ndarray, shape (len(alive),)
            That it took.
        must : bool
            Whether to keep it although it is not its turn.
        """
        self._evaluations[alive] += evaluations
        if iteration % self._every and not must:
            return
        k = self._rows
        if k == len(self._seconds):
            self._grow()
        self._curves[k][:, alive] = row
        self._counts[k] = self._evaluations
        self._iteration[k], self._seconds[k] = iteration, seconds
        self._rows = k + 1

    def extend(
        self, iteration: np.ndarray, seconds: np.ndarray, alive: np.ndarray, curves: np.ndarray, evaluations: np.ndarray
    ) -> None:
        """Several iterations, all to be kept.

        Parameters
        ----------
        iteration, seconds : ndarray, shape (rows,)
            When.
        alive : ndarray
            Networks that still learned in the first of them.
        curves : ndarray, shape (rows, 4, len(alive))
            As ``row`` of :meth:`add`; NaN where a network had stopped.
        evaluations : ndarray, shape (rows, E)
            That each network took so far.
        """
        begin, end = self._rows, self._rows + len(iteration)
        while end > len(self._seconds):
            self._grow()
        self._curves[begin:end, :, alive] = curves
        self._counts[begin:end] = evaluations
        self._iteration[begin:end], self._seconds[begin:end] = iteration, seconds
        self._rows = end

    def _grow(self) -> None:
        blank = {"_curves": np.nan, "_counts": 0, "_iteration": 0, "_seconds": 0.0}
        for name, value in blank.items():
            old = getattr(self, name)
            setattr(self, name, np.concatenate([old, np.full_like(old, value)]))

    def finish(self, members: np.ndarray, w: np.ndarray, status: np.ndarray, iterations: np.ndarray) -> None:
        """Networks that have stopped."""
        self.w[members], self.status[members], self.iterations[members] = w, status, iterations

    def history(self, **facts: Any) -> History:
        """All of it."""
        k = self._rows
        error, grad_norm, step, rate = (np.ascontiguousarray(self._curves[:k, c]) for c in range(4))
        return History(
            error=error,
            grad_norm=grad_norm,
            step=step,
            rate=rate,
            evaluations=self._counts[:k].copy(),
            iteration=self._iteration[:k].copy(),
            seconds=self._seconds[:k].copy(),
            status=self.status,
            iterations=self.iterations,
            w=self.w,
            **facts,
        )
