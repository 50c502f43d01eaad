"""Synapses that are not stored: a row is drawn anew whenever its source spikes.

Compiled code calls :func:`regenerate` with ``arguments`` of a :class:`Regenerator`, the number of the source, a set of
``scratch`` arrays of its own, and arrays to fill::

    n = regenerate(*arguments, source, *scratch, segments, out, out_weights)

``segments``, ``out`` and ``out_weights`` are described there; the delays of the segments are ``recipe.delays``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from neurosim.backends.row_kernels import regenerate
from neurosim.backends.row_recipe import (
    ALL,
    CANDIDATES,
    INVERSE_LOG,
    KIND,
    LENGTH,
    LIMIT,
    ONE,
    SKIPS,
    Place,
    Recipe,
)
from neurosim.backends.row_targets import row_scratch

__all__ = ["Bundle", "Regenerator", "regenerate"]


@dataclass(frozen=True, eq=False)
class Regenerator:
    """A projection whose rows are drawn when needed.

    Attributes
    ----------
    first, n_sources : int
        As in :class:`~neurosim.backends.rows.Rows`.
    recipe : Recipe
        What it consists of; its ``delays`` are those of the segments, its ``weight`` that of all where they are equal.
    place : Place
        Where its accumulators are.
    dtype : str or None
        Of the weights; None where all are equal.
    in_flight : float
        About how many rows belong to spikes that have not arrived everywhere.
    """

    first: int
    n_sources: int
    recipe: Recipe
    place: Place
    dtype: str | None
    in_flight: float

    @property
    def delays(self) -> np.ndarray:
        """Delays that may occur, in steps, ascending."""
        return self.recipe.delays

    @property
    def mean_length(self) -> float:
        """Of a row, expected."""
        ints = self.recipe.ints
        if ints[KIND] == ONE:
            return 1.0
        if ints[KIND] == ALL:
            return float(ints[CANDIDATES])
        if ints[KIND] == SKIPS:
            return float(-np.expm1(1.0 / self.recipe.floats[INVERSE_LOG]) * ints[CANDIDATES])
        return float(ints[LENGTH]) if ints[LENGTH] >= 0 else float(self.recipe.longs.mean())

    @property
    def longest(self) -> int:
        """No row is longer: the size of the arrays to be filled."""
        return int(self.recipe.ints[LIMIT])

    @property
    def n_owners(self) -> int:
        """Number of owners."""
        return len(self.place.slots)

    @property
    def nbytes(self) -> int:
        """Bytes of all tables."""
        arrays = (value for value in vars(self.recipe).values() if isinstance(value, np.ndarray))
        return sum(array.nbytes for array in arrays)

    @property
    def arguments(self) -> tuple[np.ndarray, ...]:
        """The first arguments of :func:`regenerate`."""
        r = self.recipe
        return r.ints, r.floats, r.delay_words, r.longs, self.place.edges, self.place.slots

    def scratch(self) -> tuple[np.ndarray, ...]:
        """Scratch arrays for one thread."""
        longest, ints = self.longest, self.recipe.ints
        row = (np.empty(longest, np.uint32), np.empty(longest, np.uint16))
        weights = np.empty(longest if self.dtype else 0, self.dtype or np.float32)
        return (*row_scratch(longest, ints[CANDIDATES], ints[KIND]), *row, weights)

    def results(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Arrays to be filled: segments, accumulators, weights."""
        segments = np.empty(self.n_owners * len(self.recipe.delays) + 1, np.int64)
        weights = np.empty(self.longest if self.dtype else 0, self.dtype or np.float32)
        return segments, np.empty(self.longest, np.uint32), weights

    def coo(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Row, accumulator, delay in steps and weight of each synapse, by row, owner, delay and target."""
        scratch, (segments, out, weights) = self.scratch(), self.results()
        parts = []
        for source in range(self.n_sources):
            n = regenerate(*self.arguments, source, *scratch, segments, out, weights)
            number = np.repeat(np.arange(len(segments) - 1) % len(self.recipe.delays), np.diff(segments))
            row_weights = weights[:n].copy() if self.dtype else np.full(n, self.recipe.weight)
            parts.append((np.full(n, source), out[:n].astype(np.int64), self.recipe.delays[number], row_weights))
        row, accumulator, delay, weight = (np.concatenate(column) for column in zip(*parts, strict=True))
        return row, accumulator, delay, weight


@dataclass(frozen=True, eq=False)
class Bundle:
    """Projections of one population whose rows are drawn together, as those that are stored share their rows.

    Attributes
    ----------
    parts : tuple of Regenerator
        At least one, to different targets and in their order; with weights of one type, or one weight of all.
    """

    parts: tuple[Regenerator, ...]

    @property
    def first(self) -> int:
        """Number of the first source among all neurons."""
        return self.parts[0].first

    @property
    def n_sources(self) -> int:
        """Number of sources."""
        return self.parts[0].n_sources

    @property
    def n_owners(self) -> int:
        """Number of owners."""
        return self.parts[0].n_owners

    @property
    def dtype(self) -> str | None:
        """Of the weights; None where all are equal."""
        return self.parts[0].dtype

    @property
    def weight(self) -> float:
        """Of all synapses where it is constant."""
        return self.parts[0].recipe.weight

    @cached_property
    def delays(self) -> np.ndarray:
        """Delays that may occur, in steps, ascending."""
        return np.unique(np.concatenate([part.delays for part in self.parts])).astype(np.int32)

    @property
    def longest(self) -> int:
        """No row is longer."""
        return sum(part.longest for part in self.parts)

    @property
    def mean_length(self) -> float:
        """Of a row, expected."""
        return sum(part.mean_length for part in self.parts)

    @property
    def in_flight(self) -> float:
        """About how many rows belong to spikes that have not arrived everywhere."""
        return max(part.in_flight for part in self.parts)
