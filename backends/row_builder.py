"""Builds rows straight from recipes: no list of synapses, no sort.

Every row is drawn twice. The first pass counts its synapses by owner and delay; the sums of all counts are the
offsets; the second pass draws the same numbers again and puts each synapse where it belongs. A row depends on its
source alone, so any number of threads builds the same bits, and owners only divide it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from typing import Any

import numba
import numpy as np

from neurosim.backends.row_kernels import count_rows, place_rows
from neurosim.backends.row_recipe import Place, Recipe
from neurosim.backends.rows import Rows

Progress = Callable[[int], None]
_PIECES_PER_THREAD = 8  # so that a thread that was interrupted does not hold up the others
_WORTH_A_THREAD = 200_000  # synapses; waking one costs about as much as building these
_SYNAPSES_OF_A_PIECE = 500_000  # some megabytes


def build(
    recipes: Sequence[Recipe],
    places: Sequence[Place],
    *,
    first: int,
    n_sources: int,
    dtype: Any,
    expected: Sequence[float],
    threads: int | None = None,
    progress: Progress | None = None,
) -> Rows:
    """Rows of some projections of one population.

    Parameters
    ----------
    recipes : sequence of Recipe
        What each projection consists of.
    places : sequence of Place
        Where its targets are: of different projections not the same ones, and in ascending order.
    first, n_sources : int
        As in :class:`~neurosim.backends.rows.Rows`.
    dtype : {"float32", "float64"} or None
        Of the weights; None for one weight of all synapses.
    expected : sequence of float
        About how many synapses each recipe makes, to share out the work.
    threads : int, optional
        At most as many; as Numba has where not given.
    progress : callable, optional
        Called with a number of expected synapses that were drawn; all are drawn twice.
    """
    n_owners = len(places[0].slots)
    delays = np.unique(np.concatenate([recipe.delays for recipe in recipes])).astype(np.int32)
    maps = [np.searchsorted(delays, recipe.delays).astype(np.int64) for recipe in recipes]
    offsets = np.zeros((n_owners, n_sources * len(delays) + 1), np.int64)
    worth = max(1, int(sum(expected) / _WORTH_A_THREAD))
    n_threads = min(threads or numba.get_num_threads(), worth, n_sources)
    with ThreadPoolExecutor(n_threads) as pool:
        passes = _Passes(pool, n_threads, n_sources, sum(expected), progress)
        tables = [_arguments(*of) for of in zip(recipes, places, maps, strict=True)]
        passes.run([partial(count_rows, *table, len(delays), offsets) for table in tables])
        delays, offsets, maps = _without_unused(delays, offsets, maps, n_sources)
        _accumulate(offsets)
        base = np.min([place.slots for place in places], axis=0)
        widest = max(int((place.slots + np.diff(place.edges) - base).max()) for place in places)
        targets = np.empty(offsets[-1, -1], np.uint16 if widest <= 1 << 16 else np.uint32)
        weights = np.empty(len(targets) if dtype else 0, dtype or np.float32)
        given = [recipe.weights.astype(weights.dtype, copy=False) for recipe in recipes]
        tables = [_arguments(*of) for of in zip(recipes, places, maps, strict=True)]
        shared = (base, targets, weights)
        passes.run(
            [
                partial(place_rows, *table, len(delays), offsets, of, *shared)
                for table, of in zip(tables, given, strict=True)
            ]
        )
    # Each offset has moved to the end of its synapses, where the next ones begin.
    ends = offsets[:, -2].copy()
    offsets[:, 1:] = offsets[:, :-1]
    offsets[0, 0], offsets[1:, 0] = 0, ends[:-1]
    return Rows(first, n_sources, delays, offsets, base, targets, weights if dtype else recipes[0].weight)


def _arguments(recipe: Recipe, place: Place, numbers: np.ndarray) -> tuple[Any, ...]:
    tables = (recipe.ints, recipe.floats, recipe.longs, recipe.targets, recipe.delay_words, recipe.delay_numbers)
    return (*tables, place.edges, place.slots, numbers)


class _Passes:
    """Runs functions of a range of sources over all sources, a piece at a time.

    All projections draw a piece before any draws the next: its rows are then still in the cache.
    """

    def __init__(
        self, pool: ThreadPoolExecutor, threads: int, n_sources: int, expected: float, progress: Progress | None
    ) -> None:
        wanted = max(threads * _PIECES_PER_THREAD if threads > 1 else 1, int(expected / _SYNAPSES_OF_A_PIECE))
        n_pieces = min(n_sources, wanted)
        edges = [n_sources * piece // n_pieces for piece in range(n_pieces + 1)]
        self._pieces = list(pairwise(edges))
        self._map = pool.map if threads > 1 else map
        self._expected, self._progress = expected, progress

    def run(self, functions: Sequence[Callable[[int, int], None]]) -> None:
        """One pass."""

        def work(piece: tuple[int, int]) -> None:
            for function in functions:
                function(*piece)

        reported = 0
        for number, _ in enumerate(self._map(work, self._pieces), 1):
            if self._progress is not None:
                drawn = int(self._expected * number / len(self._pieces))
                self._progress(drawn - reported)
                reported = drawn


def _without_unused(
    delays: np.ndarray, offsets: np.ndarray, maps: list[np.ndarray], n_sources: int
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """The same counts without delays that no synapse has."""
    n_owners, counts = len(offsets), offsets[:, 1:].reshape(len(offsets), n_sources, len(delays))
    used = np.asarray(counts.any(axis=(0, 1)))
    used[0] = used[0] or not used.any()  # rows without any synapse still have a shape
    if used.all():
        return delays, offsets, maps
    kept = np.zeros((n_owners, n_sources * int(used.sum()) + 1), np.int64)
    kept[:, 1:] = counts[:, :, used].reshape(n_owners, -1)
    renumbered = np.cumsum(used) - 1
    return delays[used], kept, [renumbered[numbers] for numbers in maps]


def _accumulate(offsets: np.ndarray) -> None:
    """From counts behind their place to offsets."""
    np.cumsum(offsets, axis=1, out=offsets)
    offsets[1:] += np.cumsum(offsets[:-1, -1])[:, None]
