"""What was learned, and how: errors of every network in every iteration, on the host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neurosim.errors import UsageError, nearest
from neurosim.learn.params import ParamVector
from neurosim.learn.status import Status

__all__ = ["History"]

CURVES = ("error", "grad_norm", "step", "rate", "evaluations")


@dataclass(frozen=True, eq=False, repr=False)
class History:
    """Learning curves and final weights of E networks; NumPy arrays.

    Row k of a curve is iteration ``iteration[k]``: the weights after so many updates. Row 0 are the first weights, so
    the lecture's "iteration n" is the one after n − 1 updates. After a network has stopped its entries are NaN; those
    of the evaluations stay. In stochastic learning ``error`` and ``grad_norm`` are those of the batch.

    Attributes
    ----------
    error : ndarray, shape (rows, E)
        Objective, with its L2 penalty.
    grad_norm : ndarray, shape (rows, E)
        Euclidean norm of its gradient.
    step : ndarray, shape (rows, E)
        Euclidean norm of the update that led here.
    rate : ndarray, shape (rows, E)
        Learning rate, length of the line search or damping of that update, as the optimizer has it.
    evaluations : ndarray of int64, shape (rows, E)
        Evaluations of the objective so far.
    iteration : ndarray of int64, shape (rows,)
        Updates done.
    seconds : ndarray, shape (rows,)
        Time since the beginning.
    status : ndarray of int64, shape (E,)
        Why each network stopped: a :class:`~neurosim.learn.status.Status`.
    iterations : ndarray of int64, shape (E,)
        Updates that each network made.
    w : ndarray, shape (E, P)
        Last weights, always finite.
    updates_per_epoch : int
        Batches of an epoch.
    params : ParamVector or None
        Layout of the weights, where a network learned.
    provenance : dict
        What ran.
    """

    error: np.ndarray
    grad_norm: np.ndarray
    step: np.ndarray
    rate: np.ndarray
    evaluations: np.ndarray
    iteration: np.ndarray
    seconds: np.ndarray
    status: np.ndarray
    iterations: np.ndarray
    w: np.ndarray
    updates_per_epoch: int = 1
    params: ParamVector | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.iteration)

    def __repr__(self) -> str:
        n, most = len(self.status), self.iterations.max()
        ends = ", ".join(f"{count} {meaning}" for meaning, count in self.endings.items())
        best = f"{self.final_error.min():.6g}" if np.isfinite(self.final_error).any() else "nan"
        return f"<History of {n} network{'s' if n > 1 else ''}, {most} iterations, least error {best}: {ends}>"

    @property
    def final_error(self) -> np.ndarray:
        """Error of the last weights, shape (E,); in stochastic learning of their last batch."""
        return self.held("error")[-1]

    @property
    def reached(self) -> np.ndarray:
        """Which networks got below the error asked for, shape (E,)."""
        return self.status == Status.REACHED

    @property
    def endings(self) -> dict[str, int]:
        """How many networks stopped for which reason."""
        values, counts = np.unique(self.status, return_counts=True)
        return {Status(v).meaning: int(n) for v, n in zip(values.tolist(), counts, strict=True)}

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """Weights by name, ``"0.weight"``, ``"0.bias"``, …, each of shape (E, *shape).

        Raises
        ------
        UsageError
            When no network learned, but a function was minimised.
        """
        if self.params is None:
            raise UsageError("no network learned here: take .w")
        return self.params.views(np, self.w)

    def curve(self, name: str) -> np.ndarray:
        """A curve by its name, shape (rows, E).

        Raises
        ------
        UsageError
            When there is none.
        """
        if name not in CURVES:
            raise UsageError(f"no curve {name!r}: {nearest(name, CURVES)}")
        return getattr(self, name)

    def held(self, name: str) -> np.ndarray:
        """A curve in which a network that has stopped keeps its last value, shape (rows, E)."""
        values = self.curve(name)
        rows = np.where(np.isfinite(values), np.arange(len(values))[:, None], 0)
        return np.take_along_axis(values, np.maximum.accumulate(rows, axis=0), axis=0)

    def quantiles(self, q: Sequence[float] = (0.25, 0.5, 0.75), name: str = "error") -> np.ndarray:
        """Quantiles over the networks, shape (len(q), rows); those that have stopped keep their last value.

        Parameters
        ----------
        q : sequence of float
            From 0 to 1; by default the quartiles and the median.
        name : str
            Of the curve.
        """
        return np.nanquantile(self.held(name), q, axis=1)

    def per_epoch(self, name: str = "error") -> np.ndarray:
        """Means of a curve over the batches of each whole epoch, shape (epochs, E).

        Raises
        ------
        UsageError
            When not every iteration was recorded.
        """
        values, n = self.curve(name), self.updates_per_epoch
        if len(self) > 1 and (np.diff(self.iteration) != 1).any():
            raise UsageError("per_epoch needs every iteration: fit with every=1")
        whole = len(values) // n * n
        return values[:whole].reshape(-1, n, values.shape[1]).mean(axis=1)
