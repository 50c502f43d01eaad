"""A simulation in one call."""

from __future__ import annotations

from typing import Any

from neurosim.engine import Simulation
from neurosim.errors import UsageError, nearest
from neurosim.network import Network
from neurosim.result import Result


def simulate(net: Network, *, duration: float, dt: float, record: Any = (), **options: Any) -> Result:
    """Simulate a network once: ``Simulation(net, dt=dt, …).run(duration, record=record, …)``.

    Parameters
    ----------
    net : Network
        What is simulated.
    duration, dt : float
        ms.
    record : Record or sequence of Record
        What to keep.
    **options
        Of :class:`Simulation` and :meth:`Simulation.run`.
    """
    of_run = {key: options.pop(key) for key in ("sink", "progress") if key in options}
    known = ("backend", "precision", "method", "fuse", "seed", "sink", "progress")
    for key in options:
        if key not in known:
            raise UsageError(f"simulate has no option {key!r}: {nearest(key, known)}")
    return Simulation(net, dt=dt, **options).run(duration, record=record, **of_run)
