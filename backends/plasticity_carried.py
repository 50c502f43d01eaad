"""What plastic synapses carry besides their weights, in one form for every loop.

A source has one entry, of a moment at which its spikes had arrived everywhere; those in flight are replayed from there,
with the formulas, and so the bits, of the loops. So a loop can go on where another stands, of another kind or number of
threads, or in another process.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from neurosim.backends.plasticity_rules import NEVER, R1, R2, RESOURCES, UTILISATION, Rule, decay, raised, released


@dataclass(frozen=True, eq=False)
class Carried:
    """What the synapses of some plastic rows carry.

    Attributes
    ----------
    pre : ndarray of float64, shape (sources, 3)
        Step of a spike of each source that has arrived at all its synapses, and the traces after it; every later spike
        is in flight. Of a rule that changes what a spike releases: its resources and its utilisation.
    post : ndarray of float64, shape (targets, 3)
        Step of the last spike of each target, and its traces after it.
    """

    pre: np.ndarray
    post: np.ndarray


def untouched_sources(rule: Rule, count: int) -> np.ndarray:
    """Entries of sources that have not spiked."""
    return np.tile([float(NEVER), 0.0 if rule.learns else 1.0, 0.0], (count, 1))


def after(rule: Rule, pre: np.ndarray, step: int) -> np.ndarray:
    """Entries of sources after a spike of each in this step."""
    since = step - pre[:, 0].astype(np.int64)
    rows = (R1, R2) if rule.learns else (RESOURCES, UTILISATION)
    first, second = (decay(rule.fine[row], rule.coarse[row], since) for row in rows)
    if rule.learns:
        traces = raised(pre[:, 1] * first, rule.numbers), raised(pre[:, 2] * second, rule.numbers)
    else:
        traces = released(pre[:, 1], pre[:, 2], first, second, rule.numbers)[:2]
    return np.stack([np.full(len(pre), float(step)), *traces], axis=1)


def replayed(
    rule: Rule, pre: np.ndarray, in_flight: Mapping[int, np.ndarray]
) -> tuple[np.ndarray, dict[int, np.ndarray]]:
    """Entries of the sources after the spikes in flight, and of those that spiked before each step.

    Parameters
    ----------
    rule : Rule
        What the synapses do.
    pre : ndarray, shape (sources, 3)
        As in :class:`Carried`; spikes that it holds already are passed over.
    in_flight : mapping
        Step → the sources that spiked in it, each once.
    """
    pre, before = pre.copy(), {}
    for step in sorted(in_flight):
        sources = in_flight[step]
        before[step] = pre[sources]
        late = sources[before[step][:, 0] < step]
        pre[late] = after(rule, pre[late], step)
    return pre, before


def of_sources(spikes: Mapping[int, np.ndarray], first: int, count: int) -> dict[int, np.ndarray]:
    """Of the spikes in flight those of these sources, as numbers among them; steps without one are left out."""
    found = {step: ids[(ids >= first) & (ids < first + count)] - first for step, ids in spikes.items()}
    return {step: sources for step, sources in found.items() if len(sources)}
