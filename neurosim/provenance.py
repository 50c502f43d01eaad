"""What ran, so that a result can be traced and repeated."""

from __future__ import annotations

import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neurosim.engine import Simulation

_PACKAGES = ("numpy", "array-api-compat", "numba", "cupy-cuda12x", "cupy-cuda13x", "torch")


@cache
def versions() -> dict[str, str]:
    """Installed versions of what computes."""
    found = {"python": platform.python_version()}
    for name in ("neurosim", *_PACKAGES):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def provenance(simulation: Simulation) -> dict[str, Any]:
    """JSON-able facts about a simulation."""
    kernels = simulation._kernels
    return {
        "versions": dict(versions()),
        "machine": {"system": platform.system(), "machine": platform.machine()},
        "backend": simulation.backend.name,
        "device": str(simulation.backend.device),
        "engine": {name: kernel.engine for name, kernel in kernels.items()},
        "precision": simulation.precision,
        "method": simulation.method,
        "dt": simulation.dt,
        "seed": simulation.seed,
        "populations": {
            p.name: {
                "model": repr(p.model),
                "n": int(p.n),
                "stimuli": [repr(s) for s in p.stimuli],
                "t_ref": p.t_ref,
            }
            for p in simulation.net.populations
        },
    }
