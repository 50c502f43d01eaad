"""CuPy on an NVIDIA GPU, op by op."""

from __future__ import annotations

import importlib.util
from importlib.metadata import distributions
from typing import Any

import numpy as np

from neurosim.backends.base import Backend
from neurosim.backends.unavailable import Unavailable

_INSTALL = "pip install 'neurosim[cuda13]' (driver 580 or newer) or 'neurosim[cuda12]'"


class CuPyBackend(Backend):  # pragma: no cover - needs a GPU
    """Arrays on the current CUDA device."""

    name = "cupy"

    def __init__(self) -> None:
        import array_api_compat.cupy as xp
        import cupy

        self.xp = xp
        self._cupy = cupy
        self.device = cupy.cuda.Device()

    def asarray(self, x: Any, dtype: str) -> Any:
        # One copy to the device; cupy.asarray takes no device argument of the standard's kind.
        return self._cupy.asarray(np.asarray(x, dtype=dtype))

    def to_numpy(self, x: Any) -> np.ndarray:
        return self._cupy.asnumpy(x)

    def synchronize(self) -> None:
        self._cupy.cuda.get_current_stream().synchronize()

    def memory(self) -> tuple[int, int]:
        free, total = self._cupy.cuda.runtime.memGetInfo()
        # What the pool holds but nobody uses can be had again.
        return int(free) + int(self._cupy.get_default_memory_pool().free_bytes()), int(total)

    def compact(self, mask: Any) -> tuple[np.ndarray, np.ndarray]:
        # Compacted on the device: the copy to the host is as long as the events, not as the mask.
        rows, columns = self._cupy.nonzero(mask)
        return self._cupy.asnumpy(rows), self._cupy.asnumpy(columns.astype(self._cupy.int32))


def create() -> Backend:
    """The backend for the registry.

    Raises
    ------
    Unavailable
        Without CuPy, a driver or a device.
    """
    if importlib.util.find_spec("cupy") is None:
        raise Unavailable(f"CuPy is not installed: {_INSTALL}")
    wheels = sorted({d.metadata["Name"] for d in distributions() if (d.metadata["Name"] or "").startswith("cupy-cuda")})
    if len(wheels) > 1:
        raise Unavailable(f"two CuPy wheels are installed ({', '.join(wheels)}): pip uninstall all but one of them")
    import cupy

    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        raise Unavailable(
            f"CuPy {cupy.__version__} finds no CUDA device ({error}): install or update NVIDIA's driver"
        ) from None
    if count == 0:
        raise Unavailable("CuPy finds no CUDA device: check `nvidia-smi` and CUDA_VISIBLE_DEVICES")
    return CuPyBackend()  # pragma: no cover - needs a GPU
