"""Plastic synapses step by step: at an arrival all that arrive change, at a spike all onto the neuron.

The plain version, by which the compiled one is judged: it keeps the traces of the source at every synapse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from neurosim.backends.plasticity_carried import Carried, of_sources, replayed, untouched_sources
from neurosim.backends.plasticity_rules import (
    NEVER,
    O1,
    O2,
    R1,
    R2,
    RESOURCES,
    UTILISATION,
    W_MAX,
    W_MIN,
    Plastic,
    decay,
    depressed,
    potentiated,
    raised,
    released,
)
from neurosim.backends.rows import Rows


class PlasticRows:
    """The synapses of some rows, whose weights it changes in place, and their traces.

    Parameters
    ----------
    rows : Rows
        Of one owner, with a weight for each synapse.
    plastic : Plastic
        What they do.
    n_targets : int
        Neurons of the target.
    """

    def __init__(self, rows: Rows, plastic: Plastic, n_targets: int) -> None:
        assert isinstance(rows.weights, np.ndarray)
        self._weights, self.plastic = rows.weights, plastic
        self._target = rows.base[0] + rows.targets.astype(np.int64) - plastic.slots[0]
        self._onto = np.argsort(self._target, kind="stable")
        self._ends = np.searchsorted(self._target[self._onto], np.arange(n_targets + 1))
        self._first, self._n_sources = rows.first, rows.n_sources
        self._of, _, delays, _ = rows.coo()
        self._delay = delays.astype(np.int64)
        # Of a rule that changes what a spike releases: resources after it and utilisation at it.
        self._source = untouched_sources(plastic.rule, len(self._target)).T[1:].copy()
        self._arrived = np.full(len(self._target), NEVER, np.int64)
        self._traces = np.zeros((2, n_targets))
        self._spiked = np.full(n_targets, NEVER, np.int64)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays, but for weights."""
        by_synapse = (self._target, self._onto, self._of, self._delay, self._source, self._arrived)
        return sum(array.nbytes for array in (*by_synapse, self._ends, self._traces, self._spiked))

    def resume(self, now: int, past: Mapping[int, np.ndarray], carried: Carried) -> None:
        """Go on at step ``now`` from what another loop carried, with these spikes in flight."""
        spikes, pre = of_sources(past, self._first, self._n_sources), carried.pre
        by_delay = np.argsort(-self._delay, kind="stable")
        delays, begins = np.unique(-self._delay[by_delay], return_index=True)
        for delay, synapses in zip(-delays, np.split(by_delay, begins)[1:], strict=True):
            arrived = {step: spikes.pop(step) for step in sorted(spikes) if step + delay < now}
            pre, _ = replayed(self.plastic.rule, pre, arrived)
            last, *traces = pre[self._of[synapses]].T
            self._arrived[synapses] = np.where(last == NEVER, NEVER, last + delay)
            self._source[:, synapses] = traces
        self._spiked, self._traces = carried.post[:, 0].astype(np.int64), carried.post.T[1:].copy()

    def carried(self) -> Carried:
        """For the loop that follows."""
        pre = untouched_sources(self.plastic.rule, self._n_sources)
        longest = np.argsort(self._delay, kind="stable")  # of repeated indices the last assignment holds
        last = np.where(self._arrived == NEVER, NEVER, self._arrived - self._delay)
        pre[self._of[longest]] = np.stack([last, *self._source], axis=1)[longest]
        return Carried(pre, np.stack([self._spiked, *self._traces], axis=1))

    def _left(self, trace: int, steps: Any) -> Any:
        rule = self.plastic.rule
        return decay(rule.fine[trace], rule.coarse[trace], steps)

    def arrive(self, synapses: np.ndarray, step: int) -> np.ndarray:
        """Weights with which spikes arrive at these synapses; then they change."""
        weights, numbers = self._weights[synapses].astype(np.float64), self.plastic.rule.numbers
        since = step - self._arrived[synapses]
        self._arrived[synapses] = step
        if not self.plastic.rule.learns:
            x, u = self._source[:, synapses]
            x, u, part = released(x, u, self._left(RESOURCES, since), self._left(UTILISATION, since), numbers)
            self._source[0, synapses], self._source[1, synapses] = x, u
            return np.asarray(weights * part)
        targets = self._target[synapses]
        o1 = self._traces[0, targets] * self._left(O1, step - self._spiked[targets])
        r1, r2 = (trace[synapses] * self._left(n, since) for n, trace in zip((R1, R2), self._source, strict=True))
        self._weights[synapses] = np.clip(depressed(weights, o1, r2, numbers), numbers[W_MIN], numbers[W_MAX])
        self._source[0, synapses], self._source[1, synapses] = raised(r1, numbers), raised(r2, numbers)
        return weights

    def spike(self, neurons: Sequence[int], step: int) -> None:
        """These targets spiked."""
        numbers = self.plastic.rule.numbers
        if not self.plastic.rule.learns:
            return
        for neuron in neurons:
            synapses = self._onto[self._ends[neuron] : self._ends[neuron + 1]]
            since = np.int64(step - self._spiked[neuron])
            o1, o2 = (self._traces[n, neuron] * self._left(trace, since) for n, trace in enumerate((O1, O2)))
            r1 = self._source[0, synapses] * self._left(R1, step - self._arrived[synapses])
            changed = potentiated(self._weights[synapses].astype(np.float64), r1, o2, numbers)
            self._weights[synapses] = np.clip(changed, numbers[W_MIN], numbers[W_MAX])
            self._traces[:, neuron] = raised(o1, numbers), raised(o2, numbers)
            self._spiked[neuron] = step


def nbytes(synapses: float, targets: int) -> int:
    """Bytes that :class:`PlasticRows` of so many synapses take, but for weights."""
    return round(56 * synapses) + 32 * targets
