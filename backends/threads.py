"""How many threads pay; asked before Numba, which takes half a second to import, is needed."""

from __future__ import annotations

import os
import sys

_NEURONS_PER_THREAD = 2000


def available() -> int:
    """Threads that Numba may use: ``NUMBA_NUM_THREADS``, or the cores of this process."""
    if "numba" in sys.modules:
        return int(sys.modules["numba"].get_num_threads())
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return int(os.environ.get("NUMBA_NUM_THREADS", cores))


def threads_for(neurons: int) -> int:
    """Threads that pay for a connected network: waiting for each other costs as much as some thousand neurons."""
    return max(1, min(available(), neurons // _NEURONS_PER_THREAD))
