"""How much memory plastic synapses take besides their weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurosim.projection import ends_of, names
from neurosim.wiring import ASSUMED_RATE, longest_delay

if TYPE_CHECKING:
    from neurosim.network import Network


def plasticity_estimate(network: Network, owners: int, dt: float, *, compiled: bool) -> int:
    """Bytes of traces, of recent spikes, and of what travels with the spikes in flight.

    How often neurons will spike is not known: :data:`~neurosim.wiring.ASSUMED_RATE` each.

    Parameters
    ----------
    network : Network
        That may have plastic projections.
    owners : int
        Threads of the loop.
    dt : float
        Step in ms.
    compiled : bool
        Whether its loop is compiled. The other one keeps the traces of the source at every synapse.
    """
    populations = {p.name: p for p in network.populations}
    plastic = [
        (f"projection {name!r}", q, q.plasticity, ends_of(q, populations))
        for q, name in zip(network.projections, names(network.projections), strict=True)
        if q.plasticity is not None
    ]
    if not plastic:
        return 0
    if not compiled:
        from neurosim.backends import plasticity_reference

        return sum(plasticity_reference.nbytes(q.connect.expected(ends), ends.n_target) for _, q, _, ends in plastic)
    from neurosim.backends import plasticity_state  # which imports Numba, as does the loop
    from neurosim.backends.numba_loop import capacity

    senders = {q.source for q in network.projections}
    spiking = sum(int(populations[name].n) for name in senders) * ASSUMED_RATE * 1e-3 * dt
    return plasticity_state.nbytes(
        [rule.rule(where, dt) for where, _, rule, _ in plastic],
        [ends.n_source for _, _, _, ends in plastic],
        [ends.n_target for _, _, _, ends in plastic],
        owners,
        capacity(spiking * longest_delay(network, dt)),
    )
