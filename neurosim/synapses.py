"""The synapses of a simulation, and the loop that they make of its kernels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from neurosim.backends import Kernel
from neurosim.backends.loop import Member, PythonLoop
from neurosim.layout import layout
from neurosim.wiring import wire

if TYPE_CHECKING:
    from neurosim.backends.numba_loop import NumbaLoop
    from neurosim.engine import Simulation


class Synapses:
    """Rows of synapses, split for the threads that will walk them.

    Parameters
    ----------
    simulation : Simulation
        With its kernels compiled.
    """

    def __init__(self, simulation: Simulation, kernels: Mapping[str, Kernel]) -> None:
        self._simulation = simulation
        net = simulation.net
        self.compiled = simulation.backend.name == "numpy" and all(simulation.fused.values())
        owners = 1
        if self.compiled:
            from neurosim.backends.numba_loop import threads_for  # Numba takes half a second to import

            owners = threads_for(sum(int(p.n) for p in net.populations))
        blocks = {name: getattr(kernel, "block", 1) for name, kernel in kernels.items()}
        self.layout = layout(net, owners, blocks)
        self.wiring = wire(net, self.layout, simulation.dt, simulation.seed, simulation.precision)

    def loop(self, kernels: Mapping[str, Kernel]) -> PythonLoop | NumbaLoop:
        """The window loop over these kernels."""
        simulation, where, rows = self._simulation, self.layout, self.wiring.rows
        members = [
            Member(
                p.name,
                kernels[p.name],
                int(p.n),
                where.first[p.name],
                where.edges[p.name],
                tuple(where.slots[p.name, name] for name in simulation.reached[p.name]),
            )
            for p in simulation.net.populations
        ]
        if self.compiled:
            from neurosim.backends.numba_loop import NumbaLoop

            return NumbaLoop(members, rows, where.owner_edges, simulation.precision)
        return PythonLoop(simulation.backend, members, rows, where.n_accumulators, simulation.precision)
