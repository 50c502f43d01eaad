"""Any library that implements the Array API, by its name: torch, array_api_strict, dask.array, …"""

from __future__ import annotations

import importlib
from typing import Any

import array_api_compat
import numpy as np
import psutil

from neurosim.backends.base import Backend
from neurosim.backends.errors import UsageError

_REQUIRED = ("asarray", "arange", "where", "astype", "isfinite", "take", "stack", "broadcast_to")


class NamespaceBackend(Backend):
    """Op by op on the library's default device.

    Parameters
    ----------
    name : str
        As imported.
    xp : namespace
        The library, or array_api_compat's wrapper of it.
    """

    def __init__(self, name: str, xp: Any) -> None:
        self.name, self.xp = name, xp
        self.device = array_api_compat.device(xp.zeros(1))

    def asarray(self, x: Any, dtype: str) -> Any:
        # A copy: torch warns of read-only arrays, and libraries that share memory must not see later changes.
        return super().asarray(np.array(x, dtype=dtype), dtype)

    def to_numpy(self, x: Any) -> np.ndarray:
        if hasattr(x, "numpy"):  # torch: also from another device
            return x.detach().cpu().numpy()
        return np.from_dlpack(x) if hasattr(x, "__dlpack__") else np.asarray(x)

    def memory(self) -> tuple[int, int]:
        memory = psutil.virtual_memory()
        return memory.available, memory.total


def of_library(name: str) -> Backend:
    """The backend of an importable library.

    Raises
    ------
    ModuleNotFoundError
        When there is no library of that name.
    UsageError
        When it does not implement the Array API.
    """
    module = importlib.import_module(name)
    try:
        xp = importlib.import_module(f"array_api_compat.{name}")
    except ModuleNotFoundError:
        xp = module
    missing = [f for f in _REQUIRED if not hasattr(xp, f)]
    if missing:
        raise UsageError(
            f"backend {name!r} does not implement the Array API (no {', '.join(missing)}): "
            "write backend='numpy', 'cupy', 'torch' or 'array_api_strict'"
        )
    return NamespaceBackend(name, xp)
