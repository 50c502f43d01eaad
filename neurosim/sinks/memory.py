"""Keep records in memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurosim.record import SPIKES, Channel
from neurosim.sinks.base import Header, Records, Sink


class MemoryRecords(Records):
    """Lists of arrays, joined when they are asked for."""

    def __init__(self, header: Header) -> None:
        self._dtype = header.precision
        self.pieces: dict[str, list[Any]] = {channel.name: [] for channel in header.channels}

    def collect(self, channel: Channel) -> Any:
        pieces = self.pieces[channel.name]
        if channel.variable == SPIKES:
            steps = np.concatenate([np.empty(0, np.int64), *(s for s, _ in pieces)])
            neurons = np.concatenate([np.empty(0, np.int32), *(i for _, i in pieces)])
            self.pieces[channel.name] = [(steps, neurons)]
            return steps, neurons
        values = np.concatenate([np.empty((0, len(channel.lanes)), self._dtype), *pieces])
        self.pieces[channel.name] = [values]
        return values


class MemorySink(Sink):
    """Keeps what it is given."""

    def begin(self, header: Header) -> None:
        self._records = MemoryRecords(header)

    def spikes(self, channel: Channel, steps: np.ndarray, neurons: np.ndarray) -> None:
        self._records.pieces[channel.name].append((steps, neurons))

    def samples(self, channel: Channel, values: np.ndarray) -> None:
        self._records.pieces[channel.name].append(values)

    def flush(self, step: int) -> None:
        """Memory is as safe as it gets."""

    def end(self, provenance: dict[str, Any]) -> None:
        """Nothing to close."""

    def records(self) -> Records:
        return self._records
