"""Synapses as rows: what a spike reaches, by owner, source and delay.

An owner is a thread that alone adds to its part of the accumulators, so no sum is shared and each has a fixed order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Rows:
    """Synapses of consecutive sources, ordered by owner, source, delay and target.

    Synapses of one owner, source, delay and target keep the order in which they were made.

    Attributes
    ----------
    first : int
        Number of the first source among all neurons of the network.
    n_sources : int
        Number of sources; row ``r`` belongs to neuron ``first + r``.
    delays : ndarray of int32, shape (D,)
        The delays that occur, in steps, ascending.
    offsets : ndarray of int64, shape (owners, n_sources * D + 1)
        Synapses of owner o, row r and delay number d are ``offsets[o, r * D + d] : offsets[o, r * D + d + 1]``.
    base : ndarray of int64, shape (owners,)
        Added to ``targets`` of an owner it gives the index of the accumulator.
    targets : ndarray of uint16 or uint32, shape (S,)
        Accumulators, counted from ``base``.
    weights : ndarray of float32 or float64, shape (S,), or float
        One each, or the same for all.
    """

    first: int
    n_sources: int
    delays: np.ndarray
    offsets: np.ndarray
    base: np.ndarray
    targets: np.ndarray
    weights: np.ndarray | float

    @property
    def n_owners(self) -> int:
        """Number of owners."""
        return len(self.base)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        weights = self.weights.nbytes if isinstance(self.weights, np.ndarray) else 0
        return int(self.offsets.nbytes + self.targets.nbytes + weights + self.delays.nbytes + self.base.nbytes)

    def coo(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Row, accumulator, delay in steps and weight of each synapse, in the order of storage."""
        d = len(self.delays)
        per_segment = np.diff(self.offsets, axis=1)
        segment = np.concatenate([np.repeat(np.arange(self.n_sources * d), counts) for counts in per_segment])
        owner = np.repeat(np.arange(self.n_owners), per_segment.sum(axis=1))
        weights = np.broadcast_to(np.asarray(self.weights), self.targets.shape)
        accumulators = self.base[owner] + self.targets.astype(np.int64)
        return segment // d, accumulators, self.delays[segment % d], weights


def rows_of(
    sources: Any,
    accumulators: Any,
    delays: Any,
    weights: Any,
    *,
    first: int,
    n_sources: int,
    owner_edges: np.ndarray,
) -> Rows:
    """Rows of explicit synapses, by one sort: the reference for every faster builder.

    Parameters
    ----------
    sources, accumulators, delays : array_like of int, shape (S,)
        Row, index of the accumulator, delay in steps.
    weights : array_like, shape (S,), or float
        One each, or the same for all.
    first, n_sources : int
        See :class:`Rows`.
    owner_edges : ndarray of int, shape (owners + 1,)
        Owner o has the accumulators ``owner_edges[o] : owner_edges[o + 1]``.
    """
    sources, accumulators = np.asarray(sources, np.int64), np.asarray(accumulators, np.int64)
    steps = np.asarray(delays, np.int64)
    owners = len(owner_edges) - 1
    owner = np.searchsorted(owner_edges, accumulators, side="right") - 1
    order = np.lexsort((accumulators, steps, sources, owner))
    present, number = np.unique(steps, return_inverse=True)
    present, number = present.astype(np.int32), number.ravel()
    segments = max(len(present), 1) * n_sources
    key = owner * segments + sources * max(len(present), 1) + number
    counts = np.bincount(key, minlength=owners * segments).reshape(owners, segments)
    offsets = np.zeros((owners, segments + 1), np.int64)
    offsets[:, 1:] = np.cumsum(counts, axis=1)
    offsets[1:] += np.cumsum(counts.sum(axis=1))[:-1, None]
    base = np.array([accumulators[owner == o].min(initial=owner_edges[o + 1]) for o in range(owners)], np.int64)
    local = (accumulators - base[owner])[order] if len(order) else np.empty(0, np.int64)
    narrow = np.uint16 if local.max(initial=0) < 1 << 16 else np.uint32
    stored = np.asarray(weights)[order] if np.ndim(weights) else float(weights)
    return Rows(first, n_sources, present, offsets, base, local.astype(narrow), stored)
