"""What a simulation says of itself: units of its records, a label of its progress, why it stopped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from neurosim.backends import NonFiniteState
from neurosim.model import state_units
from neurosim.network import Network
from neurosim.online import UNITS
from neurosim.record import Channel
from neurosim.step import CURRENT
from neurosim.synapses import weight_units

if TYPE_CHECKING:
    from neurosim.engine import Simulation


def units(network: Network, wanted: Sequence[Channel]) -> dict[str, str]:
    """Unit of whatever can be recorded of populations, and of the weights that are."""
    found: dict[str, str] = {}
    for p in network.populations:
        found |= {f"{p.name}/{name}": unit for name, unit in (UNITS | {CURRENT: p.model.current_unit}).items()}
        found |= {f"{p.name}/{name}": unit for name, unit in state_units(type(p.neuron)).items()}
    return found | weight_units(network, wanted)


def label(simulation: Simulation) -> str:
    """How many neurons run where."""
    neurons = sum(p.n for p in simulation.net.populations)
    engines = "/".join(sorted({kernel.engine for kernel in simulation._kernels.values()}))
    return f"{neurons:,} neurons on {simulation.backend.name} ({engines})"


def explained(simulation: Simulation, population: str, error: NonFiniteState) -> str:
    """Where and when a state was no longer finite, and what to do."""
    model = type(simulation.net[population].model).__name__
    return (
        f"population {population!r}: {error.name} of neuron {error.lane} became {error.value} at "
        f"t = {(error.step + 1) * simulation.dt:g} ms ({model}, dt = {simulation.dt:g} ms, method "
        f"{simulation.method!r}): check its parameters and input, or take a smaller dt"
    )
