"""A population whose spikes are given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from neurosim.backends.base import Kernel, Window
from neurosim.backends.program import Outputs, Probe, Program


class SpikeList(Kernel):
    """Spikes at given steps.

    Parameters
    ----------
    name, dtype : str
        As of a :class:`~neurosim.backends.program.Program`.
    n : int
        Number of lanes.
    steps, lanes : ndarray of int, shape (S,)
        Of the spikes, in any order; a spike that is given twice is one.
    """

    engine = "list"

    def __init__(self, name: str, dtype: str, n: int, steps: np.ndarray, lanes: np.ndarray) -> None:
        self.program = Program(name, dtype, (), (), _nothing)
        self.source = f"{name}: {len(steps)} given spikes"
        self.n = n
        both = np.unique(np.stack([np.asarray(steps, np.int64), np.asarray(lanes, np.int64)], axis=1), axis=0)
        self.steps, self.lanes = np.ascontiguousarray(both[:, 0]), both[:, 1].astype(np.int32)

    def probe(self, probes: Sequence[Probe]) -> None:
        """There is nothing to sample."""

    def advance(self, first_step: int, n_steps: int, arrivals: Sequence[Any] = ()) -> Window:
        begin, end = np.searchsorted(self.steps, (first_step, first_step + n_steps))
        return Window(self.steps[begin:end], self.lanes[begin:end], [])

    def read(self, name: str) -> np.ndarray:
        raise KeyError(name)

    def write(self, name: str, values: np.ndarray) -> None:
        raise KeyError(name)


def _nothing(xp: Any, state: Any, params: Any, clock: Any) -> Outputs:
    raise AssertionError("a list of spikes is not computed")
