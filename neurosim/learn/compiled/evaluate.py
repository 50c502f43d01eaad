"""Errors and gradients of several networks, shared out among threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from neurosim.backends.numba_engine import pool
from neurosim.learn.compiled.curvature import add_curvature
from neurosim.learn.compiled.passes import BIAS, N_IN, N_OUT, on_members, padded
from neurosim.learn.compiled.plan import Data, Plan

_WORTH_A_THREAD = 2e6  # products of numbers; below it waking a thread costs more than it saves
_own = threading.local()


def scratch(plan: Plan) -> tuple[np.ndarray, ...]:
    """Buffers of this thread for a plan, kept for the next call."""
    kept = getattr(_own, "scratch", None)
    if kept is None or kept[0] is not plan:
        _own.scratch = kept = (plan, plan.scratch())
    return kept[1]


def share_out(n: int, work: float, run: Callable[[int, int], Any]) -> None:
    """Call ``run(first, last)`` for parts of n networks, in as many threads as their work is worth.

    A network is computed by one thread alone, so that bits do not depend on their number.
    """
    most = int(min(n, work / _WORTH_A_THREAD))
    threads = min(numba.get_num_threads(), most) if most > 1 else 1
    if threads == 1:
        run(0, n)
        return
    edges = [n * k // threads for k in range(threads + 1)]
    list(pool(threads).map(run, edges[:-1], edges[1:]))


def evaluate(plan: Plan, data: Data, members: np.ndarray, w: Any, *, slopes: bool) -> tuple[Any, Any]:
    """Errors (E, 1) and gradients (E, P); without ``slopes`` errors alone."""
    w = np.ascontiguousarray(w)
    flat = (w if w.flags.writeable else w.copy()).reshape(-1)
    values = np.empty((len(w), 1), plan.dtype)
    grads = np.empty(w.shape if slopes else (0, 0), plan.dtype)
    inside = data.strides[4] * plan.size * (3.0 if slopes else 1.0)

    def run(first: int, last: int) -> None:
        on_members(
            plan.layers, plan.places, data.arrays(), flat, plan.size, grads.reshape(-1), values.reshape(-1),
            scratch(plan), members, first, last, slopes,
        )  # fmt: skip

    share_out(len(w), len(w) * inside, run)
    return values, grads


def curvature(plan: Plan, data: Data, members: np.ndarray, w: Any, factor: float) -> Any:
    """JᵀJ, (E, P, P), where residuals change ``factor`` ** ½ times as fast as outputs."""
    w = np.ascontiguousarray(w)
    flat = (w if w.flags.writeable else w.copy()).reshape(-1)
    matrix = np.empty((len(w), plan.size, plan.size), plan.dtype)
    layers, tile, lanes = plan.layers, plan.tile, plan.lanes
    n_in, n_out = layers[:, N_IN] + (layers[:, BIAS] >= 0), layers[:, N_OUT]
    rows = padded(np.multiply.outer(n_out, n_out), lanes)
    pairs = np.triu(np.multiply.outer(n_in, n_in) * rows).sum()

    def run(first: int, last: int) -> None:
        buffers = (
            np.empty((n_out.sum() * n_out[-1] + n_out.max()) * tile, plan.dtype),
            np.empty(rows.max() * tile, plan.dtype),
            np.empty(n_in.max() * tile, plan.dtype),
            np.empty(pairs, plan.dtype),
        )
        add_curvature(
            layers, plan.places, data.arrays(), flat, plan.size, matrix.reshape(-1), scratch(plan), buffers,
            members, first, last, np.dtype(plan.dtype).type(factor),
        )  # fmt: skip

    share_out(len(w), float(len(w)) * data.strides[4] * plan.size * plan.size, run)
    return matrix
