"""What plastic synapses carry from step to step in the compiled loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from neurosim.backends import plasticity_kernels as kernels
from neurosim.backends.plasticity_kernels import COLUMNS, RING, STATE_COLUMNS, Plasticity
from neurosim.backends.plasticity_rules import NEVER, Plastic
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
        pre[:, :, 0] = NEVER
        for p, plastic in enumerate(plastics):
            if not plastic.rule.learns:  # resources
                pre[:, table[p, kernels.PRE] : table[p, kernels.PRE] + table[p, kernels.N_SOURCES], 1] = 1.0
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

    def travel(self, capacity: int, entries: Mapping[int, np.ndarray], positions: Mapping[int, np.ndarray]) -> None:
        """Lay out what travels with the spikes of a past of this capacity.

        Parameters
        ----------
        capacity : int
            A power of 2.
        entries : mapping
            Step → array of shape (P, spikes, 3).
        positions : mapping
            Step → the places in the past of its spikes.
        """
        owners, count = self.arrays.travelling.shape[:2]
        laid = np.zeros((owners, count, capacity, 3))
        for step, values in entries.items():
            laid[:, :, positions[step]] = values
        self.arrays = self.arrays._replace(travelling=laid)

    def travelling(self, places: np.ndarray) -> np.ndarray:
        """What travels with the spikes at these places of the past, the same for every owner."""
        return self.arrays.travelling[0][:, places].copy()

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
