"""Independent networks side by side: the leading axis E of every learning array.

Weights, gradients and directions have shape (E, P). What each network has one of (its error, learning rate, step
length, a flag) is a *column*, shape (E, 1): it meets (E, P) without a thought. No formula mixes rows, so a network
does the same in an ensemble as alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from neurosim.backends.base import Backend
from neurosim.errors import UsageError
from neurosim.parameters import Parameters, bind

Array = Any


def dot(xp: Any, a: Array, b: Array) -> Array:
    """Scalar product of each network's rows: (E, P), (E, P) → (E, 1)."""
    return xp.vecdot(a, b)[:, None]


def select(xp: Any, tree: Any, rows: Array) -> Any:
    """Some networks of a nest of tuples of arrays with leading axis E; numbers and None are all networks'."""
    if tree is None or isinstance(tree, bool | int | float | str):
        return tree
    if isinstance(tree, tuple):
        items = (select(xp, item, rows) for item in tree)
        return type(tree)(*items) if hasattr(tree, "_fields") else tuple(items)
    return xp.take(tree, rows, axis=0)


def select_parameters(xp: Any, record: Parameters, rows: Array) -> Any:
    """The same record with the parameters of some networks."""
    columns = {n: xp.take(v, rows, axis=0) for n, v in record.values().items() if not isinstance(v, float)}
    return bind(record, columns) if columns else record


def lengths(record: Parameters) -> dict[str, int]:
    """For each parameter with one value per network: ``"Class.name"`` → how many networks."""
    return {f"{type(record).__name__}.{n}": len(v) for n, v in record.values().items() if np.ndim(v)}  # type: ignore[arg-type]


def as_columns(backend: Backend, record: Parameters, precision: str) -> Any:
    """The same record with columns (E, 1) of the backend in place of its per-network parameters."""
    arrays = {n: v for n, v in record.values().items() if isinstance(v, np.ndarray)}
    columns = {n: backend.asarray(v[:, None], precision) for n, v in arrays.items()}
    return bind(record, columns) if columns else record


def common_length(found: dict[str, int], default: int) -> int:
    """The one number of networks that all arguments have.

    Raises
    ------
    UsageError
        When two disagree.
    """
    if len(set(found.values())) > 1:
        said = ", ".join(f"{name}: {n}" for name, n in found.items())
        raise UsageError(f"arguments are of different numbers of networks: {said}")
    return next(iter(found.values()), default)
