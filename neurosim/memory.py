"""How much memory a simulation takes, before anything is allocated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.backends import get, threads
from neurosim.errors import UsageError, nearest
from neurosim.step import remembers_threshold

if TYPE_CHECKING:
    from neurosim.network import Network
    from neurosim.record import Channel

_ITEMSIZE = {"float32": 4, "float64": 8}
WINDOW_BYTES = 64_000_000  # what a window may hold of event masks and samples
FIRST_WINDOW = 64  # steps


@dataclass(frozen=True)
class MemoryEstimate:
    """Bytes by what takes them.

    Attributes
    ----------
    state, parameters : int
        Arrays of every neuron; of the state there are two, the kernel's and a copy on the host between runs.
    working : int
        Intermediate arrays of the op-by-op engine; 0 where everything is fused.
    records : int
        Traces that are kept in memory. Spikes are not known before.
    available : int
        Free bytes of the device.
    synapses : int
        Rows of synapses, by their expected number, and what plastic ones keep of spikes; of those that are not stored
        the rows of the spikes in flight, as if every neuron spiked :data:`~neurosim.wiring.ASSUMED_RATE` times a
        second. They take more where spikes are more.
    """

    state: int
    parameters: int
    working: int
    records: int
    available: int
    synapses: int = 0

    @property
    def total(self) -> int:
        """Bytes in all."""
        return self.state + self.parameters + self.working + self.records + self.synapses

    def __str__(self) -> str:
        names = ("state", "parameters", "working", "records", *(("synapses",) if self.synapses else ()))
        parts = (f"{name} {human(getattr(self, name))}" for name in names)
        return f"{human(self.total)} ({', '.join(parts)}) of {human(self.available)} free"


def human(size: float) -> str:
    """Bytes for people."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(size) < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"


def estimate(
    network: Network, backend: Any, precision: str, *, fused: bool | None = None, dt: float = 0.1
) -> MemoryEstimate:
    """Memory of a network on a backend.

    Parameters
    ----------
    dt : float
        ms; how many different delays there are depends on it.
    fused : bool, optional
        Whether kernels are fused; by default where the backend can.
    """
    chosen = get(backend)
    fused = chosen.fusible() is None if fused is None else fused
    if precision not in _ITEMSIZE:
        raise UsageError(f"unknown precision {precision!r}: {nearest(str(precision), _ITEMSIZE)}")
    itemsize = _ITEMSIZE[precision]
    state = parameters = working = 0
    for population in network.populations:
        records: tuple[Any, ...] = (population.neuron, *population.stimuli)
        carried: int = sum(len(record.State._fields) for record in records) + remembers_threshold(population)
        marks = 4 * population.n if population.t_ref else 0  # the step of each neuron's last spike
        state += carried * population.n * itemsize + marks
        per_neuron = sum(np.size(v) for r in records for v in r.values().values() if np.ndim(v))
        parameters += (2 if fused else 1) * per_neuron * itemsize  # what the host makes of them, and the kernel's copy
        if not fused:
            # State before, after and in between, the lanes' numbers, and the events of the first window, twice.
            arrays = (2 * carried + 8) * population.n * itemsize + 8 * population.n + 2 * marks
            working = max(working, arrays + 2 * min(WINDOW_BYTES, FIRST_WINDOW * population.n))
    synapses = 0
    if network.projections:
        from neurosim.layout import layout  # which, with the synapses, is built on networks
        from neurosim.plastic_memory import plasticity_estimate
        from neurosim.wiring import in_flight_estimate, synapse_estimate

        compiled = fused and chosen.name == "numpy"
        owners = threads.threads_for(sum(int(p.n) for p in network.populations)) if compiled else 1
        where = layout(network, owners)
        synapses = synapse_estimate(network, where, dt, precision) + in_flight_estimate(network, where, dt, precision)
        synapses += plasticity_estimate(network, owners, dt, compiled=compiled)
    return MemoryEstimate(state, parameters, working, 0, chosen.memory()[0], synapses)


def check_fits(needed: MemoryEstimate, what: str) -> None:
    """Refuse what cannot fit.

    Raises
    ------
    UsageError
        With the numbers.
    """
    if needed.total > needed.available:
        raise UsageError(f"{what} needs {needed}: use fewer neurons, precision='float32' or fewer records")


def trace_bytes(channels: list[Channel], n_steps: int, precision: str) -> int:
    """Bytes of the traces of a run."""
    return sum(
        (n_steps // c.every + 1) * len(c.lanes) * _ITEMSIZE[precision] for c in channels if c.variable != "spikes"
    )
