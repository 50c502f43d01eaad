"""What a sink is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurosim.backends import Window
from neurosim.record import SPIKES, STATISTICS, Channel


@dataclass(frozen=True)
class Header:
    """What is known before a run begins.

    Attributes
    ----------
    dt : float
        Step, ms.
    first_step : int
        The step that the run begins with: 0, or where the run before it ended.
    n_steps : int
        Steps that were asked for.
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
    n_steps: int
    precision: str
    sizes: dict[str, int]
    units: dict[str, str]
    channels: Sequence[Channel]
    provenance: dict[str, Any]


class Records(ABC):
    """The records of one run, given out channel by channel."""

    @abstractmethod
    def collect(self, channel: Channel) -> Any:
        """What a channel took: ``(steps, neurons)`` for spikes, else samples."""


class Sink(ABC):
    """Takes records window by window.

    The engine calls :meth:`begin`, then per window one ``spikes`` or ``samples`` per channel and a
    :meth:`flush`, then :meth:`end`, also when the run is cut short, even in the midst of a window. The arrays
    that it hands over are the sink's to keep. A sink that cannot write raises
    :class:`~neurosim.errors.RecordingError`; then only ``end`` follows.
    """

    @abstractmethod
    def begin(self, header: Header) -> None:
        """Make ready.

        Raises
        ------
        UsageError
            When it cannot take this run; nothing is left behind.
        """

    @abstractmethod
    def spikes(self, channel: Channel, steps: np.ndarray, neurons: np.ndarray) -> None:
        """Spikes by step, then by neuron; a spike in step k has the time (k + 1)·dt."""

    @abstractmethod
    def samples(self, channel: Channel, values: np.ndarray) -> None:
        """Samples, shape (samples, neurons), that follow those given before."""

    @abstractmethod
    def flush(self, step: int) -> None:
        """A window is whole: the run has computed ``step`` steps since the simulation began.

        What came before belongs to the result; what comes after does so only with the next flush. A sink may
        wait with making it safe, a second at most.
        """

    @abstractmethod
    def end(self, provenance: dict[str, Any]) -> None:
        """The run is over, or was cut short; ``provenance`` has now its last facts."""

    @abstractmethod
    def records(self) -> Records:
        """After the end: what was taken up to the last flush. It stays valid when the sink begins anew."""


def hand_over(sink: Sink, population: str, wanted: Sequence[Channel], window: Window) -> None:
    """Give a sink what a window has of a population, but for statistics, which are made of it."""
    samples = iter(window.samples)
    for channel in wanted:
        if channel.population != population or channel.variable in STATISTICS:
            continue
        if channel.variable != SPIKES:
            sink.samples(channel, next(samples))
        elif channel.everyone:
            sink.spikes(channel, window.steps, window.lanes)
        else:
            kept = np.isin(window.lanes, channel.lanes)
            sink.spikes(channel, window.steps[kept], window.lanes[kept])
