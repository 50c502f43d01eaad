"""What a run hands out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from neurosim.errors import UsageError, nearest
from neurosim.record import SPIKES, Channel
from neurosim.sinks.base import Header, Records

if TYPE_CHECKING:
    from neurosim.plotting import Plots

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
    """A mapping that loads an item when it is first asked for; when it has none it says what there is."""

    def __init__(self, items: dict[str, Any], load: Callable[[Any], T], hint: str) -> None:
        self._items, self._load, self._hint = items, load, hint
        self._loaded: dict[str, T] = {}

    def __getitem__(self, name: str) -> T:
        if name not in self._items:
            raise UsageError(f"{self._hint.format(name)} was not recorded; {nearest(name, self._items)}")
        if name not in self._loaded:
            self._loaded[name] = self._load(self._items[name])
        return self._loaded[name]

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name in self._items else default

    def __contains__(self, name: object) -> bool:
        return name in self._items

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return f"{{{', '.join(self._items)}}}"


def _spikes(records: Records, dt: float, channel: Channel) -> Spikes:
    steps, neurons = records.collect(channel)
    return Spikes((steps + 1) * dt, neurons)


def _traces(records: Records, channels: dict[str, Channel]) -> Mapping[str, np.ndarray]:
    population = next(iter(channels.values())).population
    return _Recorded(channels, records.collect, f"Record({population!r}, {{0!r}})")


class Result:
    """Records of a run as NumPy arrays on the host, each loaded when it is first asked for.

    Attributes
    ----------
    spikes : mapping
        Population → :class:`Spikes`.
    traces : mapping
        Population → variable → array of shape (samples, neurons); sample k of a record with ``every=e`` is
        the value at the time k·e·dt from the beginning of the simulation (of a current: in the step that
        begins then).
    provenance : dict
        What ran: versions, backend, engine, precision, method, dt, seed, steps, seconds, and why it is
        partial where it is.
    """

    def __init__(self, header: Header, records: Records, n_steps: int, provenance: dict[str, Any]) -> None:
        self._header, self.n_steps, self.provenance = header, n_steps, provenance
        spiking = {c.population: c for c in header.channels if c.variable == SPIKES}
        self._traced = {c.name: c for c in header.channels if c.variable != SPIKES}
        self._recorded_neurons = {name: channel.lanes for name, channel in spiking.items()}
        by_population: dict[str, dict[str, Channel]] = {}
        for channel in self._traced.values():
            by_population.setdefault(channel.population, {})[channel.variable] = channel
        # Functions of the module, not of self: a cycle would keep large arrays until the collector comes by.
        self.spikes: Mapping[str, Spikes] = _Recorded(
            spiking, partial(_spikes, records, header.dt), "Record({0!r}, 'spikes')"
        )
        self.traces: Mapping[str, Mapping[str, np.ndarray]] = _Recorded(
            by_population, partial(_traces, records), "any trace of population {0!r}"
        )

    @classmethod
    def load(cls, path: str | Path) -> Result:
        """The result in a file that ``run(…, sink=path)`` wrote, or is writing, or wrote until it was killed.

        See :func:`neurosim.sinks.reader.load_result`.
        """
        from neurosim.sinks.reader import load_result

        return load_result(path)

    @property
    def dt(self) -> float:
        """Step, ms."""
        return self._header.dt

    @property
    def duration(self) -> float:
        """Simulated time, ms."""
        return self.n_steps * self._header.dt

    @property
    def span(self) -> tuple[float, float]:
        """Begin and end of the run, ms from the beginning of the simulation."""
        first = self._header.first_step
        return first * self.dt, (first + self.n_steps) * self.dt

    @property
    def partial(self) -> bool:
        """Whether the run was cut short."""
        return bool(self.provenance.get("partial"))

    @property
    def t(self) -> np.ndarray:
        """Times of the samples in ms, where all traces have the same ``every``; else use :meth:`times`."""
        if not self._traced:
            raise UsageError("Result.t: no trace was recorded; add Record('population', 'v')")
        first, *others = self._traced.values()
        if any(first.every != other.every for other in others):
            raise UsageError("Result.t: traces have different `every`; write result.times('population', 'variable')")
        return self.times(first.population, first.variable)

    def times(self, population: str, variable: str) -> np.ndarray:
        """Times of the samples of one trace in ms."""
        name = f"{population}/{variable}"
        if name not in self._traced:
            raise UsageError(f"Result.times: {name} was not recorded; {nearest(name, self._traced)}")
        begin, every = self._header.first_step, self._traced[name].every
        return np.arange(-(-begin // every), -(-(begin + self.n_steps) // every)) * every * self.dt

    def unit(self, population: str, variable: str) -> str:
        """Unit of a recorded variable."""
        name = f"{population}/{variable}"
        if name not in self._header.units:
            raise UsageError(f"Result.unit: {name} was not recorded; {nearest(name, self._header.units)}")
        return self._header.units[name]

    def counts(self, population: str) -> np.ndarray:
        """Spikes of each neuron, shape (n,); 0 for neurons that were not recorded."""
        return np.bincount(self.spikes[population].i, minlength=self._header.sizes[population])

    def rates(self, population: str) -> np.ndarray:
        """Spikes per second of each recorded neuron over the whole run, shape (recorded neurons,)."""
        counts = self.counts(population)[self._recorded_neurons[population]]
        if self.duration == 0:
            raise UsageError("Result.rates: the run has no duration")
        return counts / (self.duration * 1e-3)

    def neurons(self, population: str, variable: str = SPIKES) -> np.ndarray:
        """Indices of the neurons of which a variable was recorded, ascending."""
        if variable == SPIKES and population in self._recorded_neurons:
            return self._recorded_neurons[population]
        name, known = f"{population}/{variable}", [*self._traced, *(f"{p}/{SPIKES}" for p in self._recorded_neurons)]
        if name not in self._traced:
            raise UsageError(f"Result.neurons: {name} was not recorded; {nearest(name, known)}")
        return self._traced[name].lanes

    @property
    def plot(self) -> Plots:
        """Pictures: ``result.plot.raster("exc")`` and its like, each returning Axes; see :mod:`neurosim.plotting`."""
        from neurosim.plotting import Plots

        return Plots(self)

    def to_neo(self) -> Any:
        """The records as a ``neo.Block``, for Elephant and the file formats that Neo writes.

        One segment holds a ``SpikeTrain`` for each recorded neuron, silent ones too (annotations ``population`` and
        ``neuron``), and an ``AnalogSignal`` for each trace, a neuron per channel (array annotation ``neuron``). A
        ``Group`` for each population holds what is of it. A unit that Quantities does not know becomes
        dimensionless; the annotation ``unit`` of a signal keeps it.

        Returns
        -------
        neo.Block
            Its arrays are copies.

        Raises
        ------
        UsageError
            When Neo is not installed: ``pip install "neurosim[neo]"``.
        """
        from neurosim.neo_export import to_block

        return to_block(self, self._header)

    def __repr__(self) -> str:
        kept = ", ".join(f"{c.name} ({len(c.lanes)} neurons)" for c in self._header.channels) or "nothing recorded"
        state = " (partial)" if self.partial else ""
        return f"<Result of {self.duration:g} ms{state}: {kept}>"
