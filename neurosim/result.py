"""What a run hands out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

import numpy as np

from neurosim.errors import UsageError, nearest
from neurosim.record import SPIKES
from neurosim.sinks.base import Header, Sink

T = TypeVar("T")


class Spikes(NamedTuple):
    """Spikes of a population as flat arrays of one length, ordered by time, then by neuron.

    Attributes
    ----------
    t : ndarray of float64
        Times in ms: the end of the step in which the threshold was found to be crossed.
    i : ndarray of int32
        Neurons.
    """

    t: np.ndarray
    i: np.ndarray


class _Recorded(Mapping[str, T]):
    """A mapping that says what was recorded when it is asked for something that was not."""

    def __init__(self, items: dict[str, T], hint: str) -> None:
        self._items, self._hint = items, hint

    def __getitem__(self, name: str) -> T:
        if name not in self._items:
            raise UsageError(f"{self._hint.format(name)} was not recorded; {nearest(name, self._items)}")
        return self._items[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return f"{{{', '.join(self._items)}}}"


class Result:
    """Records of a run as NumPy arrays on the host.

    Attributes
    ----------
    spikes : mapping
        Population → :class:`Spikes`.
    traces : mapping
        Population → variable → array of shape (samples, neurons); sample k of a record with ``every=e`` is the
        value at the time k·e·dt from the beginning of the simulation (of a current: in the step that begins then).
    provenance : dict
        What ran: versions, backend, engine, precision, method, dt, seed, steps, seconds, and whether it is partial.
    """

    def __init__(self, header: Header, sink: Sink, n_steps: int, provenance: dict[str, Any]) -> None:
        self._header, self.n_steps, self.provenance = header, n_steps, provenance
        spikes: dict[str, Spikes] = {}
        traces: dict[str, dict[str, np.ndarray]] = {}
        self._recorded_neurons: dict[str, np.ndarray] = {}
        self._times: dict[str, np.ndarray] = {}
        for channel in header.channels:
            if channel.variable == SPIKES:
                steps, neurons = sink.collect(channel)
                spikes[channel.population] = Spikes((steps + 1) * header.dt, neurons)
                self._recorded_neurons[channel.population] = channel.lanes
            else:
                values = sink.collect(channel)
                traces.setdefault(channel.population, {})[channel.variable] = values
                first = -(-header.first_step // channel.every)
                self._times[channel.name] = (first + np.arange(len(values))) * channel.every * header.dt
        self.spikes: Mapping[str, Spikes] = _Recorded(spikes, "Record({0!r}, 'spikes')")
        self.traces: Mapping[str, Mapping[str, np.ndarray]] = _Recorded(
            {p: _Recorded(of, f"Record({p!r}, {{0!r}})") for p, of in traces.items()}, "any trace of population {0!r}"
        )

    @property
    def dt(self) -> float:
        """Step, ms."""
        return self._header.dt

    @property
    def duration(self) -> float:
        """Simulated time, ms."""
        return self.n_steps * self._header.dt

    @property
    def partial(self) -> bool:
        """Whether the run was cut short."""
        return bool(self.provenance.get("partial"))

    @property
    def t(self) -> np.ndarray:
        """Times of the samples in ms, where all traces have the same ``every``; else use :meth:`times`."""
        if not self._times:
            raise UsageError("Result.t: no trace was recorded; add Record('population', 'v')")
        first, *others = self._times.values()
        if any(not np.array_equal(first, other) for other in others):
            raise UsageError("Result.t: traces have different `every`; write result.times('population', 'variable')")
        return first

    def times(self, population: str, variable: str) -> np.ndarray:
        """Times of the samples of one trace in ms."""
        name = f"{population}/{variable}"
        if name not in self._times:
            raise UsageError(f"Result.times: {name} was not recorded; {nearest(name, self._times)}")
        return self._times[name]

    def unit(self, population: str, variable: str) -> str:
        """Unit of a recorded variable."""
        return self._header.units[f"{population}/{variable}"]

    def counts(self, population: str) -> np.ndarray:
        """Spikes of each neuron, shape (n,); 0 for neurons that were not recorded."""
        return np.bincount(self.spikes[population].i, minlength=self._header.sizes[population])

    def rates(self, population: str) -> np.ndarray:
        """Spikes per second of each recorded neuron over the whole run, shape (recorded neurons,)."""
        counts = self.counts(population)[self._recorded_neurons[population]]
        if self.duration == 0:
            raise UsageError("Result.rates: the run has no duration")
        return counts / (self.duration * 1e-3)

    def __repr__(self) -> str:
        kept = ", ".join(f"{c.name} ({len(c.lanes)} neurons)" for c in self._header.channels) or "nothing recorded"
        state = " (partial)" if self.partial else ""
        return f"<Result of {self.duration:g} ms{state}: {kept}>"
