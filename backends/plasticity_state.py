"""What plastic synapses carry from step to step in the compiled loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from neurosim.backends import plasticity_kernels as kernels
from neurosim.backends.plasticity_carried import Carried, replayed, untouched_sources
from neurosim.backends.plasticity_kernels import COLUMNS, RING, STATE_COLUMNS, Plasticity
from neurosim.backends.plasticity_rules import NEVER, Plastic, Rule
from neurosim.backends.row_regenerator import Bundle
from neurosim.backends.rows import Rows


class PlasticState:
    """The arrays of all plastic rows.

    Parameters
    ----------
    plastics : sequence of Plastic
        At least one.
    rows : sequence of Rows or Bundle
        All rows of the loop, of which drawn ones never learn.
    edges : ndarray of int64, shape (members, owners + 1)
        Owner o has the neurons ``edges[m, o] : edges[m, o + 1]`` of member m.
    """

    def __init__(self, plastics: Sequence[Plastic], rows: Sequence[Rows | Bundle], edges: np.ndarray) -> None:
        owners, count = edges.shape[1] - 1, len(plastics)
        self._rules = [plastic.rule for plastic in plastics]
        self._firsts = [rows[plastic.rows].first for plastic in plastics]
        self._longest = [int(rows[plastic.rows].delays.max(initial=0)) for plastic in plastics]
        table, n_pre, n_post = np.zeros((count, COLUMNS), np.int64), 0, 0
        shifts, parts = np.zeros((owners, count), np.int64), np.zeros((owners, count, 2), np.int64)
        of_rows = np.full(len(rows), -1, np.int64)
        for p, plastic in enumerate(plastics):
            n_sources, mine = rows[plastic.rows].n_sources, edges[plastic.target]
            facts = (plastic.rows, plastic.target, n_sources, n_pre, n_post, plastic.rule.learns, plastic.rule.triplets)
            table[p] = facts
            of_rows[plastic.rows] = p
            shifts[:, p] = mine[:-1] - plastic.slots + n_post
            parts[:, p, 0], parts[:, p, 1] = n_post + mine[:-1], n_post + mine[1:]
            n_pre, n_post = n_pre + n_sources, n_post + int(mine[-1])
        blocks = max(plastic.rule.coarse.shape[1] for plastic in plastics)
        coarse = np.zeros((count, 4, blocks))  # behind the end of a shorter table as at its end: nothing is left
        for p, plastic in enumerate(plastics):
            coarse[p, :, : plastic.rule.coarse.shape[1]] = plastic.rule.coarse
        pre = np.zeros((owners, n_pre, 3))
        for plastic, begin, n_sources in zip(plastics, table[:, kernels.PRE], table[:, kernels.N_SOURCES], strict=True):
            pre[:, begin : begin + n_sources] = untouched_sources(plastic.rule, n_sources)
        post = np.zeros((n_post, STATE_COLUMNS))
        post[:, [kernels.LAST, kernels.LAST_BUT_ONE]] = NEVER
        self.arrays = Plasticity(
            table=table,
            shifts=shifts,
            parts=parts,
            of_rows=of_rows,
            numbers=np.stack([plastic.rule.numbers for plastic in plastics]),
            fine=np.stack([plastic.rule.fine for plastic in plastics]),
            coarse=coarse,
            pre=pre,
            post=post,
            ring=np.zeros((n_post, RING, 2)),
            travelling=np.zeros((owners, count, 0, 3)),
            scratch=np.zeros((owners, int(table[:, kernels.N_SOURCES].max()), 2)),
        )

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return sum(array.nbytes for array in self.arrays)

    def resume(self, past: np.ndarray, places: Mapping[int, np.ndarray], carried: Sequence[Carried]) -> None:
        """Go on from what another loop carried, or from the beginning where that is nothing.

        Parameters
        ----------
        past : ndarray of int32, shape (capacity,)
            The spikes in flight, as each owner has them.
        places : mapping
            Step → the places in the past of its spikes.
        carried : sequence of Carried
            Of each plastic rows.
        """
        table, post = self.arrays.table, self.arrays.post
        travelling = np.zeros((*self.arrays.travelling.shape[:2], len(past), 3))
        for p, of in enumerate(carried):
            spikes = self._in_flight(p, past, places)
            pre, before = replayed(self._rules[p], of.pre, {step: sources for step, (sources, _) in spikes.items()})
            self.arrays.pre[:, table[p, kernels.PRE] : table[p, kernels.PRE] + len(pre)] = pre
            for step, (_, at) in spikes.items():
                travelling[:, p, at] = before[step]
            mine = post[table[p, kernels.POST] : table[p, kernels.POST] + len(of.post)]
            mine[:] = 0.0  # none that was not taken in
            mine[:, kernels.LAST_BUT_ONE] = NEVER
            mine[:, [kernels.LAST, kernels.TRACE_1, kernels.TRACE_2]] = of.post
        self.arrays = self.arrays._replace(travelling=travelling)

    def carried(self, now: int, past: np.ndarray, places: Mapping[int, np.ndarray]) -> list[Carried]:
        """For the loop that follows; all weights must have taken in every spike before the step ``now``."""
        found = []
        for p, (begin, n_sources) in enumerate(self.arrays.table[:, [kernels.PRE, kernels.N_SOURCES]]):
            pre = self.arrays.pre[0, begin : begin + n_sources].copy()
            spikes = self._in_flight(p, past, places)
            for step in sorted(spikes, reverse=True):
                if step >= now - self._longest[p]:
                    sources, at = spikes[step]
                    pre[sources] = self.arrays.travelling[0, p, at]
            first, last = self.arrays.parts[0, p, 0], self.arrays.parts[-1, p, 1]
            post = self.arrays.post[first:last, [kernels.LAST, kernels.TRACE_1, kernels.TRACE_2]]
            found.append(Carried(pre, post))
        return found

    def _in_flight(
        self, p: int, past: np.ndarray, places: Mapping[int, np.ndarray]
    ) -> dict[int, tuple[np.ndarray, np.ndarray]]:
        """Step → sources of these rows that spiked in it, and their places in the past."""
        first, count = self._firsts[p], int(self.arrays.table[p, kernels.N_SOURCES])
        found = {}
        for step, at in places.items():
            sources = past[at].astype(np.int64) - first
            mine = (sources >= 0) & (sources < count)
            if mine.any():
                found[step] = sources[mine], at[mine]
        return found

    def grow(self, heads: np.ndarray, capacity: int) -> None:
        """A past twice as large; what is there stays where it is counted from."""
        owners, count, before, _ = self.arrays.travelling.shape
        larger = np.zeros((owners, count, capacity, 3))
        for owner in range(owners):
            places = np.arange(max(0, int(heads[owner]) - before), int(heads[owner]))
            larger[owner][:, places & (capacity - 1)] = self.arrays.travelling[owner][:, places & (before - 1)]
        self.arrays = self.arrays._replace(travelling=larger)

    def bring_up_to_date(
        self, now: int, table: np.ndarray, past: np.ndarray, bounds: np.ndarray, sums: np.ndarray
    ) -> None:
        """Have all weights take in every spike before the step ``now``."""
        for owner in range(len(past)):
            for p in np.flatnonzero(self.arrays.table[:, kernels.LEARNS]):
                kernels.bring_up_to_date(
                    owner, int(p), now, table[owner], past[owner], bounds[owner], self.arrays, sums
                )


def nbytes(rules: Sequence[Rule], sources: Sequence[int], targets: Sequence[int], owners: int, past: int) -> int:
    """Bytes that a :class:`PlasticState` takes.

    Parameters
    ----------
    rules : sequence of Rule
        Of each plastic rows.
    sources, targets : sequence of int
        Neurons of each.
    owners : int
        Threads.
    past : int
        Spikes that have a place in it.
    """
    tables = rules[0].numbers.size + rules[0].fine.size + max(rule.coarse.size for rule in rules)
    of_owner = 3 * sum(sources) + 3 * len(rules) * past + 2 * max(sources)
    return 8 * (len(rules) * tables + owners * of_owner + sum(targets) * (STATE_COLUMNS + 2 * RING))
