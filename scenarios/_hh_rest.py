"""Rest of the Hodgkin-Huxley model and of its reductions: where it is, and whether it is stable."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurosim.models import HodgkinHuxley


def steady(model: Any, v: Any) -> Any:
    """State of a model whose gates have followed a potential."""
    a_m, b_m, a_h, b_h, a_n, b_n = HodgkinHuxley().rates(np, v)
    gates = {"v": v, "m": a_m / (a_m + b_m), "h": a_h / (a_h + b_h), "n": a_n / (a_n + b_n)}
    return model.State(*(gates[name] for name in model.State._fields))


def rest(model: Any, current: Any) -> Any:
    """State at rest at each current in µA/cm², by bisection: the steady outward current rises with v."""
    current = np.asarray(current, dtype=np.float64)
    low, high = np.full_like(current, -20.0), np.full_like(current, 60.0)
    for _ in range(60):
        middle = 0.5 * (low + high)
        up = model.derivatives(np, steady(model, middle), current).v > 0.0
        low, high = np.where(up, middle, low), np.where(up, high, middle)
    return steady(model, low)


def eigenvalues(model: Any, current: Any) -> np.ndarray:
    """Eigenvalues per ms of the model linearised at rest; the last axis runs over them."""
    state = np.array(rest(model, current))
    columns = []
    for k in range(len(state)):
        step = np.zeros((len(state), *(1,) * (state.ndim - 1)))
        step[k] = 1e-6
        up, down = (model.derivatives(np, model.State(*(state + s)), current) for s in (step, -step))
        columns.append((np.array(up) - np.array(down)) / 2e-6)
    return np.linalg.eigvals(np.moveaxis(np.array(columns), (0, 1), (-1, -2)))
