"""The window loop over a network, step by step in Python: the reference of the compiled one.

    deliver  spikes of the past × rows of synapses → arrivals of each step and neuron
    advance  a window of steps of every population
    exchange its spikes → the past

A window is no longer than the smallest delay, so no spike of a window arrives in it. Arrivals at one neuron are summed
in one order on every engine: longest delay first, then by rows, by source, by synapse. Where synapses learn a window is
one step, as what arrives depends on the spikes of the step before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.backends.base import Backend, Kernel, NonFiniteState, Window
from neurosim.backends.rows import Rows

if TYPE_CHECKING:
    from neurosim.backends.drawn_rows import DrawnRows  # which needs Numba
    from neurosim.backends.plasticity_carried import Carried
    from neurosim.backends.plasticity_reference import PlasticRows
    from neurosim.backends.plasticity_rules import Plastic
    from neurosim.backends.row_regenerator import Bundle


@dataclass(frozen=True, eq=False)
class Member:
    """A population of the loop.

    Attributes
    ----------
    name : str
        For messages.
    kernel : Kernel
        Its neurons.
    n : int
        Number of neurons.
    first : int
        Number of its first neuron among all of the network.
    edges : ndarray of int64, shape (owners + 1,)
        Owner o has the neurons ``edges[o] : edges[o + 1]``.
    slots : tuple of ndarray of int64, shape (owners,)
        For each input of its kernel: the accumulator of the first neuron of each owner.
    """

    name: str
    kernel: Kernel
    n: int
    first: int
    edges: np.ndarray
    slots: tuple[np.ndarray, ...]


class BadState(ArithmeticError):
    """A population's state became NaN or infinite."""

    def __init__(self, member: str, error: NonFiniteState) -> None:
        super().__init__(f"{member}: {error}")
        self.member, self.error = member, error


def schedule(
    rows: Sequence[Rows | DrawnRows | Bundle], plastics: Sequence[Plastic]
) -> tuple[list[tuple[int, int, int]], int, int]:
    """Order of sums, longest window, and how long spikes are kept, the same for every loop.

    Returns
    -------
    work : list of tuple of int
        Delay in steps, number of the rows, number of the delay among theirs: as sums are made in each step.
    window, horizon : int
        Steps.
    """
    work = sorted(
        ((int(delay), b, d) for b, rows_ in enumerate(rows) for d, delay in enumerate(rows_.delays)),
        key=lambda entry: (-entry[0], entry[1]),
    )
    delays = [delay for delay, _, _ in work]
    # What arrives in a step at a synapse that learns depends on the spikes of its target in the step before.
    learns = any(plastic.rule.learns for plastic in plastics)
    return work, 1 if learns else min(delays, default=1), max(delays, default=0)


class PythonLoop:
    """Any kernels, joined by rows of one owner.

    Parameters
    ----------
    backend : Backend
        Of the kernels.
    members : sequence of Member
        In the order of their neurons' numbers.
    rows : sequence of Rows or DrawnRows
        Synapses, stored or not, in the order of sums.
    n_accumulators : int
        Number of sums of arrivals.
    dtype : str
        Of the sums.
    plastics : sequence of Plastic
        Rows with a rule.
    """

    threads = 1  # of the loop itself

    def __init__(
        self,
        backend: Backend,
        members: Sequence[Member],
        rows: Sequence[Rows | DrawnRows],
        n_accumulators: int,
        dtype: str,
        plastics: Sequence[Plastic] = (),
    ) -> None:
        self._backend, self._members, self._rows = backend, members, rows
        self._drawn = [of for of in rows if not isinstance(of, Rows)]
        self._n_accumulators, self._dtype = n_accumulators, dtype
        self._work, self.window, self._horizon = schedule(self._rows, plastics)
        self._plastic = _plastic_rows(rows, plastics, members)  # in the order of plastics
        self._past: dict[int, np.ndarray] = {}  # step → numbers of the neurons that spiked, ascending

    def past(self) -> dict[int, np.ndarray]:
        """The spikes that have not arrived everywhere: step → numbers of neurons, ascending."""
        return {step: ids for step, ids in self._past.items() if len(ids)}

    def carried(self) -> list[Carried]:
        """What plastic rows carry besides weights, for :meth:`resume` of the loop that follows."""
        return [plastic.carried() for plastic in self._plastic.values()]

    def bring_up_to_date(self) -> None:
        """Plastic weights are so after every step."""

    def resume(self, now: int, past: Mapping[int, np.ndarray], carried: Sequence[Carried] = ()) -> None:
        """Go on at step ``now`` with these spikes in flight, and what plastic rows carried in the loop before."""
        self._past = {step: ids for step, ids in past.items() if step >= now - self._horizon}
        for plastic, of in zip(self._plastic.values(), carried, strict=bool(carried)):
            plastic.resume(now, self._past, of)

    def record(self, names: Sequence[str]) -> None:
        """Every spike is handed out, whoever wants it."""

    def advance(self, first_step: int, n_steps: int) -> list[Window]:
        """Run ``n_steps`` steps of all members.

        Raises
        ------
        BadState
            When a carried value is no longer finite.
        """
        parts: list[list[Window]] = [[] for _ in self._members]
        for begin in range(first_step, first_step + n_steps, self.window):
            k = min(self.window, first_step + n_steps - begin)
            arrivals = self._arrivals(begin, k)
            spikes = []
            for member, found in zip(self._members, parts, strict=True):
                inputs = [arrivals[:, int(slot[0]) : int(slot[0]) + member.n] for slot in member.slots]
                try:
                    found.append(member.kernel.advance(begin, k, inputs))
                except NonFiniteState as error:
                    raise BadState(member.name, error) from None
                spikes.append((found[-1].steps, found[-1].lanes + np.int64(member.first)))
            for step in range(begin, begin + k):
                self._past[step] = np.concatenate([ids[steps == step] for steps, ids in spikes])
                for plastic in self._plastic.values():
                    steps, ids = spikes[plastic.plastic.target]
                    plastic.spike(ids[steps == step] - self._members[plastic.plastic.target].first, step)
            for step in [s for s in self._past if s < begin + k - self._horizon]:
                del self._past[step]
            for rows in self._drawn:
                rows.forget(begin + k - self._horizon)
        return [_joined(found) for found in parts]

    def _arrivals(self, begin: int, n_steps: int) -> np.ndarray:
        """Sums of the weights that arrive, (n_steps, accumulators), on the device."""
        xp = self._backend.xp
        sums = []
        for step in range(begin, begin + n_steps):
            total = xp.zeros(self._n_accumulators, dtype=getattr(xp, self._dtype), device=self._backend.device)
            for delay, number, d in self._work:
                ids = self._past.get(step - delay)
                if ids is None or not len(ids):
                    continue
                rows = self._rows[number]
                begin_of, stop_of = np.searchsorted(ids, (rows.first, rows.first + rows.n_sources))
                if begin_of < stop_of:
                    numbers = ids[begin_of:stop_of] - rows.first
                    if not isinstance(rows, Rows):
                        rows, numbers = rows.rows(step - delay, numbers), np.arange(len(numbers))
                    synapses = _ranges(rows, numbers, d)
                    targets = rows.base[0] + rows.targets[synapses].astype(np.int64)
                    weights: Any
                    if number in self._plastic:
                        weights = self._plastic[number].arrive(synapses, step)
                    else:
                        weights = rows.weights[synapses] if isinstance(rows.weights, np.ndarray) else rows.weights
                    weights = np.broadcast_to(np.asarray(weights, self._dtype), targets.shape)
                    total = self._backend.scatter_add(total, targets, weights)
            sums.append(total)
        return xp.stack(sums)


def _plastic_rows(
    rows: Sequence[Rows | DrawnRows], plastics: Sequence[Plastic], members: Sequence[Member]
) -> dict[int, PlasticRows]:
    if not plastics:
        return {}
    from neurosim.backends.plasticity_reference import PlasticRows  # most networks do not learn

    found = {}
    for plastic in plastics:
        of = rows[plastic.rows]
        assert isinstance(of, Rows)  # drawn ones never learn
        found[plastic.rows] = PlasticRows(of, plastic, members[plastic.target].n)
    return found


def _ranges(rows: Rows, numbers: np.ndarray, d: int) -> np.ndarray:
    """Synapses of these rows with the d-th delay, row by row."""
    segment = numbers * len(rows.delays) + d
    begin, end = rows.offsets[0, segment], rows.offsets[0, segment + 1]
    counts = end - begin
    shift = begin - np.concatenate(([0], np.cumsum(counts)[:-1]))
    return np.repeat(shift, counts) + np.arange(counts.sum())


def _joined(windows: Sequence[Window]) -> Window:
    return Window(
        np.concatenate([w.steps for w in windows]),
        np.concatenate([w.lanes for w in windows]),
        [np.concatenate(samples) for samples in zip(*(w.samples for w in windows), strict=True)],
    )
