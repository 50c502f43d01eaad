"""Checkpoints: all that a simulation has become, from which it goes on as if it had never stopped.

A checkpoint holds no code, so it takes the network again. It does not depend on the engine, the array library or the
number of threads: each goes on from what another left, with the bits that it would have had.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from neurosim.checkpoint_file import OPTIONS, Checkpoint, checked_place, read, write
from neurosim.errors import UsageError
from neurosim.identity import difference, identity
from neurosim.network import Network
from neurosim.provenance import provenance

if TYPE_CHECKING:
    from neurosim.backends import Backend
    from neurosim.backends.base import Fuse
    from neurosim.backends.plasticity_carried import Carried
    from neurosim.engine import Simulation

    S = TypeVar("S", bound=Simulation)


def save(simulation: Simulation, path: str | Path) -> None:
    """See :meth:`neurosim.Simulation.save`."""
    if not simulation._in_step:
        raise UsageError(
            "this simulation was cut off in the midst of a window and cannot be saved: load an earlier checkpoint, "
            "or make a new one"
        )
    place = checked_place(path)
    _have_kernels(simulation)
    synapses = simulation._synapses
    found = Checkpoint(
        step=simulation._step,
        options={name: getattr(simulation, name) for name in OPTIONS},
        network=identity(simulation.net),
        states={
            name: {variable: kernel.read(variable) for variable in kernel.program.carried}
            for name, kernel in simulation._kernels.items()
        },
        in_flight={} if simulation._loop is None else simulation._loop.past(),
        plastic={} if synapses is None else synapses.carried(),
    )
    write(place, found, provenance(simulation))


def load(cls: type[S], path: str | Path, net: Network, backend: str | Backend, fuse: Fuse) -> S:
    """See :meth:`neurosim.Simulation.load`."""
    if not isinstance(net, Network):
        raise UsageError(
            f"Simulation.load takes the network that was simulated, got {type(net).__name__}: a checkpoint has no "
            "code, write Simulation.load(path, Network((…,)))"
        )
    found = read(path)
    differs = difference(found.network, identity(net))
    if differs is not None:
        raise UsageError(
            f"{path} is a checkpoint of another network: {differs}: load it with the network that was saved"
        )
    simulation = cls(net, backend=backend, fuse=fuse, **found.options)
    simulation._step = found.step
    _have_kernels(simulation)
    _check_fits(path, found, simulation)
    for name, state in found.states.items():
        for variable, values in state.items():
            simulation._kernels[name].write(variable, values)
    if simulation._synapses is not None:
        simulation._synapses.resume(found.step, found.in_flight, found.plastic)
    return simulation


def _have_kernels(simulation: Simulation) -> None:
    if len(simulation._kernels) < len(simulation.net.populations):  # else a run in progress keeps its probes
        simulation._prepare([])


def _check_fits(path: str | Path, found: Checkpoint, simulation: Simulation) -> None:
    """Refuse arrays that are not those of a network which is the same by its identity."""
    n = sum(int(p.n) for p in simulation.net.populations)
    wanted = {
        f"{name}/{variable}": _kind(kernel.read(variable))
        for name, kernel in simulation._kernels.items()
        for variable in kernel.program.carried
    }
    if simulation._synapses is not None:
        wanted |= {name: _kind(x) for name, x in _arrays(simulation._synapses.carried()).items()}
    there = {f"{name}/{variable}": x for name, state in found.states.items() for variable, x in state.items()}
    there |= _arrays(found.plastic)
    neurons = np.concatenate([np.empty(0, np.int64), *found.in_flight.values()])
    wrong = [name for name in wanted | there if name not in there or wanted.get(name) != _kind(there[name])]
    if ((neurons < 0) | (neurons >= n)).any() or max(found.in_flight, default=-1) >= found.step:
        wrong.append("in-flight")
    if wrong:
        raise UsageError(f"{path} does not fit its network in {wrong[0]!r}: it is damaged, or of another neurosim")


def _arrays(plastic: Mapping[str, tuple[np.ndarray | None, Carried]]) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    for name, (weights, carried) in plastic.items():
        parts = {"weight": weights, "pre": carried.pre, "post": carried.post}
        found |= {f"{name}/{part}": x for part, x in parts.items() if x is not None}
    return found


def _kind(array: np.ndarray) -> tuple[tuple[int, ...], np.dtype[Any]]:
    return array.shape, array.dtype
