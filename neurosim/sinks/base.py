"""What a sink is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurosim.record import Channel


@dataclass(frozen=True)
class Header:
    """What is known before a run begins.

    Attributes
    ----------
    dt : float
        Step, ms.
    first_step : int
        The step that the run begins with: 0, or where the run before it ended.
    precision : str
        Type of the traces.
    sizes : dict
        Neurons of each population.
    units : dict
        Unit of each variable by ``"population/variable"``.
    channels : sequence of Channel
        What is recorded.
    provenance : dict
        JSON-able facts.
    """

    dt: float
    first_step: int
    precision: str
    sizes: dict[str, int]
    units: dict[str, str]
    channels: Sequence[Channel]
    provenance: dict[str, Any]


class Sink(ABC):
    """Takes records window by window. The engine calls :meth:`begin`, then per window one ``spikes`` or ``samples``
    per channel and a :meth:`flush`, then :meth:`end`, also when the run is cut short."""

    @abstractmethod
    def begin(self, header: Header) -> None:
        """Make ready.

        Raises
        ------
        UsageError
            When it cannot take this run.
        """

    @abstractmethod
    def spikes(self, channel: Channel, steps: np.ndarray, neurons: np.ndarray) -> None:
        """Spikes by step, then by neuron; a spike in step k has the time (k + 1)·dt."""

    @abstractmethod
    def samples(self, channel: Channel, values: np.ndarray) -> None:
        """Samples, shape (samples, neurons), that follow those given before."""

    @abstractmethod
    def flush(self, step: int) -> None:
        """All that came before is safe; the run has computed ``step`` steps since the simulation began."""

    @abstractmethod
    def end(self, provenance: dict[str, Any]) -> None:
        """The run is over; ``provenance`` has now its last facts."""

    @abstractmethod
    def collect(self, channel: Channel) -> Any:
        """What a channel took: ``(steps, neurons)`` for spikes, else samples."""
