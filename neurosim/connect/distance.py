"""Connections by distance."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from neurosim.backends.row_recipe import ALL, EXPLICIT, SKIPS
from neurosim.connect.base import Connector, Ends, Pattern, candidates, flag, probability, register
from neurosim.connect.kernels import Kernel
from neurosim.errors import UsageError

_CHUNK = 100_000  # pairs that are looked at together: they stay in the cache
_LOOKED_AT = 2_000_000  # pairs, to know how many will be connected


@register
class DistanceDependent(Connector):
    """Every pair is connected with a probability that depends on its distance, independently, at most once.

    Candidates are drawn with ``p_max`` and kept with the kernel's probability over ``p_max``: a close bound saves
    time and changes which synapses are drawn, not their statistics.

    Parameters
    ----------
    positions : array_like, shape (n,) or (n, 1 to 3)
        Of the source neurons, and of the target neurons where not given.
    kernel : Kernel or callable
        Probability of each of an array of distances: ``gaussian``, ``exponential``, ``box`` or a function.
    target_positions : array_like, optional
        Of the target neurons, in the same dimensions.
    periodic : float or sequence of float, optional
        Lengths of a box whose opposite sides are one: the distance is the shortest of all ways around.
    p_max : float, optional
        No probability is above; 1 for a function, where not given.
    autapses : bool
        Whether a neuron may reach itself.
    """

    name = "distance_dependent"

    positions: Any
    kernel: Any
    target_positions: Any = None
    periodic: Any = None
    p_max: float | None = None
    autapses: bool = True

    def __post_init__(self) -> None:
        where = "distance_dependent"
        positions = _points(f"{where}: positions", self.positions)
        object.__setattr__(self, "positions", positions)
        dimensions = positions.shape[1]
        if self.target_positions is not None:
            others = _points(f"{where}: target_positions", self.target_positions)
            if others.shape[1] != dimensions:
                raise UsageError(
                    f"{where}: target_positions have {others.shape[1]} dimensions, positions {dimensions}: give as many"
                )
            object.__setattr__(self, "target_positions", others)
        if not callable(self.kernel):
            raise UsageError(f"{where}: kernel = {self.kernel!r}: write for example connect.gaussian(0.2)")
        if self.periodic is not None:
            box = np.atleast_1d(np.array(self.periodic, dtype=np.float64))
            if box.shape not in ((1,), (dimensions,)) or not (np.isfinite(box).all() and (box > 0).all()):
                raise UsageError(f"{where}: periodic = {self.periodic!r}: give {dimensions} lengths above 0")
            object.__setattr__(self, "periodic", np.broadcast_to(box, (dimensions,)))
        if self.p_max is None:
            object.__setattr__(self, "p_max", self.kernel.p if isinstance(self.kernel, Kernel) else 1.0)
        probability(f"{where}: p_max", self.p_max)
        flag(f"{where}: autapses", self.autapses)

    def _targets(self) -> np.ndarray:
        return self.positions if self.target_positions is None else self.target_positions

    def check(self, where: str, ends: Ends) -> None:
        for what, points, n in (
            ("positions", self.positions, ends.n_source),
            ("positions" if self.target_positions is None else "target_positions", self._targets(), ends.n_target),
        ):
            if len(points) != n:
                raise UsageError(f"{where}: distance_dependent has {len(points)} {what} for {n} neurons: give one each")

    def _probability(self, source: np.ndarray, target: np.ndarray) -> np.ndarray:
        squares = np.zeros(len(source))
        for axis, (here, there) in enumerate(zip(self.positions.T, self._targets().T, strict=True)):
            apart = np.abs(here[source] - there[target])
            if self.periodic is not None:
                box = self.periodic[axis]
                apart -= box * np.floor(apart / box)  # five times as fast as np.mod
                apart = np.minimum(apart, box - apart)
            squares += apart * apart
        p = np.asarray(self.kernel(np.sqrt(squares)), dtype=np.float64)
        if p.shape != source.shape:
            raise UsageError(f"distance_dependent: kernel gives shape {p.shape} for {source.shape} distances")
        assert self.p_max is not None
        bad = ~((p >= 0) & (p <= self.p_max))
        if bad.any():
            raise UsageError(
                f"distance_dependent: kernel gives the probability {p[bad][0]:g}: must be from 0 to p_max = "
                f"{self.p_max:g}, write p_max=…"
            )
        return p

    def expected(self, ends: Ends) -> float:
        """From the mean probability of all pairs, or of two million pairs on a lattice where there are more."""
        n, gap = candidates(ends, self.autapses)
        pairs = ends.n_source * n
        if pairs == 0:
            return 0.0
        # An additive recurrence of the golden ratio covers the pairs evenly; the offset is prime to any size.
        looked = np.arange(min(pairs, _LOOKED_AT), dtype=np.uint64)
        if pairs > _LOOKED_AT:
            looked = np.floor((looked * 0.6180339887498949 % 1.0) * pairs).astype(np.uint64)
        source, target = np.divmod(looked.astype(np.int64), n)
        return float(self._probability(source, target + (gap & (target >= source))).mean() * pairs)

    def pattern(self, ends: Ends, key: np.ndarray, threads: int | None) -> Pattern:
        import numba  # late: slow to import

        from neurosim.backends.row_csr import candidate_rows

        n, gap = candidates(ends, self.autapses)
        assert self.p_max is not None
        p_max = float(self.p_max)
        longs, parts = np.zeros(ends.n_source + 1, np.int64), [np.empty(0, np.uint32)]
        if p_max > 0 and n > 0:
            found = Pattern(ALL, n, gap, length=n) if p_max == 1 else Pattern(SKIPS, n, gap, p=p_max)
            ints, floats = found.numbers(key)
            step = max(1, int(_CHUNK / (n * p_max)))

            def keep(begin: int) -> np.ndarray:
                end = min(begin + step, ends.n_source)
                capacity = int(1.1 * (end - begin) * n * p_max) + 100
                lengths, targets, chances = candidate_rows(ints, floats, begin, end, capacity)
                source = np.repeat(np.arange(begin, end), lengths)
                kept = np.flatnonzero(chances * p_max < self._probability(source, targets))
                longs[begin + 1 : end + 1] = np.bincount(source[kept] - begin, minlength=end - begin)
                return targets[kept]

            with ThreadPoolExecutor(threads or numba.get_num_threads()) as pool:
                parts.extend(pool.map(keep, range(0, ends.n_source, step)))
        return Pattern(EXPLICIT, ends.n_target, longs=np.cumsum(longs), targets=np.concatenate(parts))


def _points(where: str, values: Any) -> np.ndarray:
    """Points of 1 to 3 dimensions, shape (n, dimensions), read-only."""
    array = np.array(values, dtype=np.float64)
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2 or not 1 <= array.shape[1] <= 3:
        raise UsageError(f"{where} has shape {array.shape}: give one point per neuron, shape (n, 1), (n, 2) or (n, 3)")
    if not np.isfinite(array).all():
        place = int(np.flatnonzero(~np.isfinite(array).all(axis=1))[0])
        raise UsageError(f"{where}[{place}] = {array[place].tolist()}: must be finite")
    array.setflags(write=False)
    return array
