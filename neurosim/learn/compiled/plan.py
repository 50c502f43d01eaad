"""A network, its loss and its samples as the compiled passes take them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from neurosim.backends.vector_blocks import BYTES, ROWS
from neurosim.learn.compiled.kernels import NotCompiled, activation_kernels, address, loss_kernel
from neurosim.learn.compiled.passes import (
    COLUMNS,
    HEIGHT,
    IDENTITY,
    LOSS,
    NOT_TURNED,
    PLACES,
    TAKEN_BACK,
    TILE,
    WHOLE,
    padded,
)
from neurosim.learn.layers import Dense, Layer
from neurosim.learn.losses import Loss
from neurosim.learn.network_objective import NetworkObjective
from neurosim.learn.sequential import Sequential

_CACHE = 1 << 17  # bytes of a tile: measured, between a first-level cache and a share of the second
_MOST = 512  # samples of a tile
_MANY = 32  # inputs of a layer from which on it pays to turn a gradient over


@dataclass(frozen=True)
class Plan:
    """A network and a loss, ready to run; it does not know the samples.

    Attributes
    ----------
    layers, places : ndarray of int64
        As :mod:`neurosim.learn.compiled.passes` has them.
    size, stride : int
        Parameters of a network, and their distance from network to network, whole groups of vectors.
    wide : int
        Numbers of gradients that are gathered in rows of whole vectors.
    dtype : str
        Of all numbers.
    """

    layers: np.ndarray
    places: np.ndarray
    size: int
    stride: int
    wide: int
    dtype: str

    @property
    def lanes(self) -> int:
        """Numbers of a vector."""
        return BYTES // np.dtype(self.dtype).itemsize

    @property
    def tile(self) -> int:
        """Samples of a tile."""
        return int(self.places[TILE])

    def scratch(self) -> tuple[np.ndarray, ...]:
        """Buffers of one thread: the regions of a tile, a few numbers, zeros, gradients in rows of whole vectors."""
        height = int(self.places[HEIGHT])
        return (
            np.zeros(height * self.tile, self.dtype),
            np.zeros(max(ROWS * ROWS, self.lanes), self.dtype),
            np.zeros(1, self.dtype),
            np.zeros(self.wide, self.dtype),
        )


def layers_of(network: Layer) -> list[Dense]:
    """The dense layers of a network.

    Raises
    ------
    NotCompiled
        When there is another layer among them.
    """
    layers = network.layers if type(network) is Sequential else (network,)
    found: list[Dense] = []
    for k, layer in enumerate(layers):
        if type(layer) is Sequential:
            found += layers_of(layer)
        elif type(layer) is Dense:  # what derives from it may do anything else
            found.append(layer)
        else:
            raise NotCompiled(f"layer {k} is {type(layer).__name__}, which has no compiled pass: Dense has")
    return found


def make_plan(network: Layer, loss: Loss, dtype: str) -> Plan:
    """The plan of a network and a loss.

    Raises
    ------
    NotCompiled
        When a layer, an activation or the loss has no kernel.
    """
    dense = layers_of(network)
    source = loss_kernel(loss, dtype)
    kernels = [activation_kernels(layer.activation, dtype) for layer in dense]
    lanes = BYTES // np.dtype(dtype).itemsize
    layers = np.zeros((len(dense), COLUMNS), np.int64)
    height, place, wide, widest = dense[0].n_in, 0, 0, 0
    for k, (layer, made) in enumerate(zip(dense, kernels, strict=True)):
        weights = layer.n_in * layer.n_out
        sums, height = height, height + layer.n_out
        outputs = sums
        if made.kind != IDENTITY:
            outputs, height = height, height + layer.n_out
        addresses = [address(text, "activation") if text else 0 for text in made[1:]]
        bias = place + weights if layer.bias else -1
        row = int(padded(layer.n_out, lanes))
        turned = NOT_TURNED
        if layer.n_in >= _MANY and 2 * layer.n_out >= row:
            turned, widest = WHOLE if row == layer.n_out else wide, max(widest, row)
            wide += layer.n_in * row if turned == wide else 0
        layers[k] = (layer.n_in, layer.n_out, place, bias, made.kind, *addresses, sums, outputs, turned)
        place += weights + (layer.n_out if layer.bias else 0)
    n_out = dense[-1].n_out
    taken_back = [layer.n_out for layer, made in zip(dense, kernels, strict=True) if made.kind == TAKEN_BACK]
    places = np.zeros(PLACES, np.int64)
    for k, rows in enumerate((0, n_out, 1, 1, max([n_out, *taken_back]), max(taken_back, default=0), widest)):
        places[k] = height if k else 0  # the inputs come first
        height += rows
    group = ROWS * lanes
    samples = _CACHE // (height * np.dtype(dtype).itemsize) // group * group
    places[LOSS:] = address(source, "loss"), min(max(samples, group), _MOST), height
    return Plan(layers, places, place, int(padded(place, group)), wide, dtype)


@dataclass(frozen=True)
class Data:
    """Samples as the passes take them; flat arrays.

    Attributes
    ----------
    x, target, weight, penalty : ndarray
        Of all samples, in tiles or as rows; of each parameter, or empty.
    strides : ndarray of int64
        Numbers from one network to the next in each, 0 where all share them; padded samples.
    """

    x: np.ndarray
    target: np.ndarray
    weight: np.ndarray
    penalty: np.ndarray
    strides: np.ndarray

    def arrays(self) -> tuple[np.ndarray, ...]:
        """As the passes take them."""
        return self.x, self.target, self.weight, self.penalty, self.strides


def _writable(a: Any, dtype: str) -> np.ndarray:
    """A flat array that Numba takes for one that can be written, as all of its kind."""
    flat = np.ascontiguousarray(a, dtype=dtype).reshape(-1)
    return flat if flat.flags.writeable else flat.copy()


def make_data(objective: NetworkObjective, plan: Plan, *, tiles: bool) -> Data:
    """Samples of an objective on NumPy.

    Parameters
    ----------
    objective : NetworkObjective
        That has them.
    plan : Plan
        Of its network.
    tiles : bool
        Whether all are seen in each step, so that they can be laid out once; else they stay as rows, to be gathered.
    """
    n, dtype = objective.n_samples, plan.dtype
    x, target = (a if a.ndim == 3 else a[None] for a in (objective.x, objective.target))
    weight = np.ones((1, n, 1), dtype) if objective.weight is None else objective.weight
    weight = weight if weight.ndim == 3 else weight[None]
    penalty = np.zeros(0, dtype) if objective.penalty is None else objective.penalty
    total = n
    if tiles:
        weight = weight * np.dtype(dtype).type(1.0 / n)
        total = int(padded(n, plan.lanes))
        x, target = (_tiled(a, plan.tile, total, last=True) for a in (x, target))
        weight = _tiled(weight, plan.tile, total, last=False)
    strides = [a[0].size if len(a) > 1 else 0 for a in (x, target, weight)]
    strides.append(penalty.shape[-1] if penalty.ndim == 2 and len(penalty) > 1 else 0)
    x, target, weight, penalty = (_writable(a, dtype) for a in (x, target, weight, penalty))
    return Data(x, target, weight, penalty, np.array([*strides, total], np.int64))


def _tiled(a: np.ndarray, tile: int, total: int, *, last: bool) -> np.ndarray:
    """(E, samples, features) as tiles of rows of samples, one after the other; padded by the last sample, or zeros."""
    members, n, features = a.shape
    rest = np.repeat(a[:, -1:], total - n, axis=1) if last else np.zeros((members, total - n, features), a.dtype)
    turned = np.concatenate([a, rest], axis=1).swapaxes(1, 2)
    pieces = [turned[:, :, k : k + tile].reshape(members, -1) for k in range(0, total, tile)]
    return np.concatenate(pieces, axis=1)
