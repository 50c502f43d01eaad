"""Rows of synapses that are drawn anew for the spikes in flight, in place of all being stored."""

from __future__ import annotations

import numpy as np

from neurosim.backends.row_regenerator import Regenerator, regenerate
from neurosim.backends.rows import Rows


class DrawnRows:
    """The rows of a projection's sources that spiked, one set for each step, of one owner.

    Parameters
    ----------
    regenerator : Regenerator
        What draws a row, always the same.
    """

    def __init__(self, regenerator: Regenerator) -> None:
        self._regenerator = regenerator
        self.first, self.n_sources = regenerator.first, regenerator.n_sources
        self.delays = regenerator.recipe.delays
        self._scratch, self._results = regenerator.scratch(), regenerator.results()
        self._drawn: dict[int, Rows] = {}  # step of the spikes → their rows

    def rows(self, step: int, numbers: np.ndarray) -> Rows:
        """Rows of the sources that spiked in a step, in their order; ``numbers`` are those of the projection."""
        if step not in self._drawn:
            self._drawn[step] = self._draw(numbers)
        return self._drawn[step]

    def forget(self, before: int) -> None:
        """Drop the rows of earlier steps."""
        for step in [s for s in self._drawn if s < before]:
            del self._drawn[step]

    def _draw(self, numbers: np.ndarray) -> Rows:
        of, (segments, out, out_weights) = self._regenerator, self._results
        targets, weights, offsets = [], [], [np.zeros(1, np.int64)]
        for number in numbers:
            n = regenerate(*of.arguments, int(number), *self._scratch, segments, out, out_weights)
            offsets.append(segments[1:] + offsets[-1][-1])
            targets.append(out[:n].copy())
            weights.append(out_weights[:n].copy())
        return Rows(
            0,
            len(numbers),
            self.delays,
            np.concatenate(offsets)[None],
            np.zeros(1, np.int64),
            np.concatenate(targets),
            np.concatenate(weights) if of.dtype else float(of.recipe.weight),
        )
