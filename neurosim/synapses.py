"""The synapses of a simulation, and the loop that they make of its kernels."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from neurosim.backends import Kernel, threads
from neurosim.backends.loop import Member, PythonLoop
from neurosim.backends.rows import Rows
from neurosim.errors import SlowPathWarning
from neurosim.layout import layout
from neurosim.network import Network
from neurosim.projection import Projection, names
from neurosim.record import Channel
from neurosim.wiring import connections, named, order_of_connections, wire

if TYPE_CHECKING:
    from neurosim.backends.drawn_rows import DrawnRows
    from neurosim.backends.numba_loop import NumbaLoop
    from neurosim.backends.plasticity_carried import Carried
    from neurosim.backends.plasticity_rules import Plastic
    from neurosim.backends.row_regenerator import Bundle
    from neurosim.engine import Simulation


class Connections(NamedTuple):
    """Synapses of a projection by source, then by target, then by delay.

    Attributes
    ----------
    source, target : ndarray of int64, shape (S,)
        Neurons.
    weight : ndarray, shape (S,)
        In the receptor's unit.
    delay : ndarray of float64, shape (S,)
        ms.
    """

    source: np.ndarray
    target: np.ndarray
    weight: np.ndarray
    delay: np.ndarray


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
        if not self.compiled and simulation.fuse != "off":
            self._tell_of_slow_rows()
        owners = 1
        if self.compiled:
            owners = threads.threads_for(sum(int(p.n) for p in net.populations))
        blocks = {name: getattr(kernel, "block", 1) for name, kernel in kernels.items()}
        self.layout = layout(net, owners, blocks)
        self.wiring = wire(net, self.layout, simulation.dt, simulation.seed, simulation.precision)
        self._rows: list[Rows | Bundle] = []
        for of in self.wiring.in_order:  # the loop in Python draws each projection alone
            if self.compiled or isinstance(of, Rows):
                self._rows.append(of)
            else:
                self._rows += [replace(of, parts=(part,)) for part in of.parts]
        self._plastics: dict[str, Plastic] = {}  # by projection
        declared = dict(zip(names(net.projections), net.projections, strict=True))
        for number, (name, *_) in enumerate(self.wiring.holds):
            if (projection := declared[name]).plasticity is not None:  # plastic ones have rows of their own
                self._plastics[name] = self._plastic(number, name, projection)
        self._orders: dict[str, np.ndarray] = {}
        self._loop: PythonLoop | NumbaLoop | None = None

    def _tell_of_slow_rows(self) -> None:
        net, backend = self._simulation.net, self._simulation.backend.name
        drawn = [name for q, name in zip(net.projections, names(net.projections), strict=True) if not q.stored]
        if not drawn:
            return
        slow = [name for name, fused in self._simulation.fused.items() if not fused]
        reason = f"population {slow[0]!r} runs op by op" if backend == "numpy" else f"backend {backend!r} has no other"
        message = (
            f"projection {drawn[0]!r}: its synapses are not stored and are drawn in a loop in Python, some 0.2 ms more "
            f"for each step, as {reason}: write stored=True where memory_estimate() shows that they fit, or fuse='off' "
            "to accept this"
        )
        warnings.warn(SlowPathWarning(message), stacklevel=3)

    def _plastic(self, number: int, name: str, projection: Projection) -> Plastic:
        from neurosim.backends.plasticity_rules import Plastic  # most networks do not learn

        assert projection.plasticity is not None
        rule = projection.plasticity.rule(f"projection {name!r}", self._simulation.dt)
        target = [p.name for p in self._simulation.net.populations].index(projection.target)
        slots = self.layout.slots[projection.target, projection.receptor]
        return Plastic(self._rows.index(self.wiring.rows[number]), rule, target, slots)

    def connections(self, name: str) -> Connections:
        """The synapses of a projection, with their weights now."""
        self._bring_up_to_date()
        return Connections(*connections(self.wiring, self.layout, self._simulation.net, self._simulation.dt, name))

    def samples(self, wanted: Sequence[Channel], step: int) -> list[tuple[Channel, np.ndarray]]:
        """A sample of each record of weights that has one at the beginning of this step."""
        due = [c for c in wanted if c.of_synapses and step % c.every == 0]
        if due:
            self._bring_up_to_date()
        return [(c, self._weights(c.population)[None, c.lanes]) for c in due]

    def _bring_up_to_date(self) -> None:
        if self._loop is not None:
            self._loop.bring_up_to_date()

    def carried(self) -> dict[str, tuple[np.ndarray | None, Carried]]:
        """Of each plastic projection its weights now, where they change, and what else it carries."""
        if not self._plastics:
            return {}
        assert self._loop is not None
        found = zip(self._plastics.items(), self._loop.carried(), strict=True)
        return {name: (self._weights(name) if of.rule.learns else None, carried) for (name, of), carried in found}

    def resume(
        self, step: int, past: Mapping[int, np.ndarray], plastic: Mapping[str, tuple[np.ndarray | None, Carried]]
    ) -> None:
        """Go on at a step with these spikes in flight and what :meth:`carried` gave."""
        assert self._loop is not None
        for name, (weights, _) in plastic.items():
            if weights is not None:
                stored, order = self._stored(name)
                stored[order] = weights
        self._loop.resume(step, past, [plastic[name][1] for name in self._plastics])

    def _weights(self, name: str) -> np.ndarray:
        """Weights of a plastic projection, ordered as by :meth:`connections`."""
        stored, order = self._stored(name)
        return stored[order]

    def _stored(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Weights of a plastic projection as they are stored, and their order by :meth:`connections`."""
        held = self.wiring.holds.index((name,))
        if name not in self._orders:
            self._orders[name] = order_of_connections(self.wiring, held)
        weights = self.wiring.rows[held].weights
        assert isinstance(weights, np.ndarray)
        return weights, self._orders[name]

    def count(self, name: str) -> int:
        """Number of synapses of a plastic projection."""
        return len(self.wiring.rows[self.wiring.holds.index((name,))].targets)

    def loop(self, kernels: Mapping[str, Kernel]) -> PythonLoop | NumbaLoop:
        """The window loop over these kernels, whose plastic synapses are the same as those of the loop before."""
        simulation, where = self._simulation, self.layout
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

            plastics = [*self._plastics.values()]
            self._loop = NumbaLoop(members, self._rows, where.owner_edges, simulation.precision, plastics)
        else:
            n_sums, dtype, plastics = where.n_accumulators, simulation.precision, [*self._plastics.values()]
            self._loop = PythonLoop(simulation.backend, members, self._anew(), n_sums, dtype, plastics)
        return self._loop

    def _anew(self) -> list[Rows | DrawnRows]:
        """Synapses as the loop in Python takes them."""
        stored = [of for of in self._rows if isinstance(of, Rows)]
        if len(stored) == len(self._rows):
            return [*stored]
        from neurosim.backends.drawn_rows import DrawnRows  # most networks store their synapses

        return [of if isinstance(of, Rows) else DrawnRows(of.parts[0]) for of in self._rows]


def steps_to_sample(wanted: Sequence[Channel], step: int) -> int:
    """Steps until weights are next to be sampled; many where none are."""
    return min((c.every - step % c.every for c in wanted if c.of_synapses), default=1 << 62)


def weight_units(network: Network, wanted: Sequence[Channel]) -> dict[str, str]:
    """Unit of each record of weights."""
    units = {}
    for channel in wanted:
        if channel.of_synapses:
            projection = named(network, channel.population)
            units[channel.name] = network[projection.target].receptors[projection.receptor].weight_unit
    return units
