"""NumPy on the CPU; its fused engine is Numba's."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import Any

import array_api_compat.numpy as xp
import numpy as np
import psutil

from neurosim.backends.base import Backend, Kernel
from neurosim.backends.tracing import Trace


class NumPyBackend(Backend):
    """The reference."""

    name = "numpy"
    xp = xp
    device = "cpu"

    def to_numpy(self, x: Any) -> np.ndarray:
        return np.asarray(x)

    def scatter_add(self, x: Any, index: np.ndarray, values: np.ndarray) -> Any:
        with np.errstate(all="ignore"):  # what is not finite is found, and named, in the state
            np.add.at(x, index, values)
        return x

    def memory(self) -> tuple[int, int]:
        memory = psutil.virtual_memory()
        return memory.available, memory.total

    def fusible(self) -> str | None:
        return None if importlib.util.find_spec("numba") else "Numba is not installed: pip install numba"

    def compile_fused(self, trace: Trace, n: int, values: Mapping[str, Any], state: Mapping[str, Any]) -> Kernel:
        # Numba takes half a second to import: only when a kernel is wanted.
        from neurosim.backends.numba_engine import NumbaKernel

        return NumbaKernel(trace, n, values, state)


def create() -> Backend:
    """The backend for the registry."""
    return NumPyBackend()
