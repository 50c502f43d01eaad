"""Where the records of a run go: memory, or a file that is written while it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from neurosim.errors import UsageError
from neurosim.sinks.base import Header, Records, Sink, hand_over
from neurosim.sinks.memory import MemorySink

__all__ = ["Header", "MemorySink", "Records", "Sink", "hand_over", "open_sink"]


def open_sink(sink: Any) -> Sink:
    """A sink from what a user gives: None for memory, a path for an HDF5 file, or a sink."""
    if sink is None:
        return MemorySink()
    if isinstance(sink, Sink):
        return sink
    if isinstance(sink, str | Path):
        from neurosim.sinks.hdf5 import HDF5Sink

        return HDF5Sink(Path(sink))
    raise UsageError(f"sink = {sink!r}: give a path of an HDF5 file, a Sink, or nothing to keep records in memory")
