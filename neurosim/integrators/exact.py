"""Exact integration of linear models by propagators.

Source: Rotter and Diesmann (1999), https://doi.org/10.1007/s004220050570.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from neurosim.backends.tracing import Graph, NotAffine, Value, coefficient, evaluate
from neurosim.errors import UsageError
from neurosim.integrators.base import Integrator, slopes
from neurosim.model import NeuronModel
from neurosim.parameters import bind


class Exact(Integrator):
    """x(t + dt) = P·x + q + r·i_syn for dx/dt = A·x + c + d·i_syn with constant A, c, d.

    The propagators are taken from the exponential of the augmented matrix, on the host, once for each set of
    parameters. There is no error but rounding, for any dt.
    """

    name, order = "exact", 0

    def prepare(self, model: NeuronModel, dt: float) -> Mapping[str, np.ndarray | float]:
        names = model.State._fields
        size = len(names)
        if not size:
            return {}
        system = np.asarray(_linear_system(model))  # (…, size, size + 2): columns x, 1, i_syn
        augmented = np.zeros((*system.shape[:-2], size + 2, size + 2))
        augmented[..., :size, :] = system
        propagator = expm(augmented * dt)
        columns = (*names, "1", "i_syn")
        return {
            f"{row}<-{column}": propagator[..., i, j]
            for i, row in enumerate(names)
            for j, column in enumerate(columns)
            if np.any(propagator[..., i, j] != 0)
        }

    def advance(self, xp, model, s, i_syn, dt, prepared):  # type: ignore[no-untyped-def]
        sources = {**s._asdict(), "i_syn": i_syn}
        new = {}
        for row in s._fields:
            total = 0.0 * dt
            for column, source in sources.items():
                if f"{row}<-{column}" in prepared:
                    total = total + prepared[f"{row}<-{column}"] * source
            new[row] = total + prepared[f"{row}<-1"] if f"{row}<-1" in prepared else total
        return type(s)(**new)


def _linear_system(model: NeuronModel) -> np.ndarray:
    """A, c and d of dx/dt = A·x + c + d·i_syn, per neuron where a parameter is."""
    graph = Graph()
    values = {f"parameter {name}": np.asarray(value) for name, value in model.values().items()}
    bound = bind(model, {name: graph.input(f"parameter {name}", "float64") for name in model.values()})
    s = model.State(*(graph.input(name, "float64") for name in model.State._fields))
    current = graph.input("i_syn", "float64")
    derivatives = slopes(graph, bound, s, current)
    entries = []
    at_zero = {name: np.zeros(()) for name in (*s._fields, "i_syn")}
    for name, slope in zip(s._fields, derivatives, strict=True):
        slope = slope if isinstance(slope, Value) else graph.constant(slope, "float64")
        row: list[Any] = []
        for x in (*s, current):
            try:
                a = coefficient(graph, slope, x)
                row.append(np.zeros(()) if a is None else evaluate(graph, [a.index], np, values)[0])
            except (NotAffine, KeyError):  # KeyError: the coefficient depends on a state variable
                raise UsageError(
                    f"method='exact' needs a linear model, and d{name}/dt of {type(model).__name__} is not "
                    "linear: write method='exponential_euler' or 'rk4'"
                ) from None
        constant = evaluate(graph, [slope.index], np, values | at_zero)[0]
        entries.append([*row[:-1], constant, row[-1]])
    shape = np.broadcast_shapes(*(np.shape(e) for row in entries for e in row))
    return np.stack([np.stack([np.broadcast_to(e, shape) for e in row], axis=-1) for row in entries], axis=-2)


def expm(matrix: np.ndarray) -> np.ndarray:
    """Exponential of square matrices (…, k, k): Taylor series of the scaled matrix, squared back.

    The norm is scaled below 2⁻⁴, where 12 terms leave an error under 1e-24.
    """
    norm = float(np.abs(matrix).sum(axis=-1).max(initial=0.0))
    squarings = max(0, int(np.ceil(np.log2(norm))) + 4) if norm > 0 else 0
    scaled = matrix / 2.0**squarings
    identity = np.broadcast_to(np.eye(matrix.shape[-1]), matrix.shape)
    result = identity
    for k in range(12, 0, -1):
        result = identity + scaled @ result / k
    for _ in range(squarings):
        result = result @ result
    return result


EXACT = Exact()
