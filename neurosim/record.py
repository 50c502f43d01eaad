"""What a run keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neurosim.errors import UsageError, nearest
from neurosim.network import Network, Population
from neurosim.projection import names
from neurosim.spike_source import SpikeSource
from neurosim.step import CURRENT
from neurosim.wiring import named

SPIKES, WEIGHT = "spikes", "weight"
POPULATION_RATE, RATES, CV = "population_rate", "rates", "cv"
STATISTICS = (POPULATION_RATE, RATES, CV)


@dataclass(frozen=True, eq=False)
class Record:
    """Keep a variable of a population, or the weights of a projection that learns.

    Parameters
    ----------
    population : str
        Its name, or that of a projection.
    variable : str
        ``"spikes"``, a state variable of the model, or ``"i_syn"``, the total current of the stimuli; of a projection
        ``"weight"``. Without keeping the spikes, over bins of ``every`` steps: ``"population_rate"`` in Hz, ``"rates"``
        of each neuron in Hz, and ``"cv"`` of the intervals that end in the bin, NaN with fewer than two.
    every : int
        Keep each ``every``-th step, counted from the beginning of the simulation. Spikes are always kept all.
    neurons : slice, int or sequence of int
        Which neurons; of a projection which synapses, numbered as :meth:`neurosim.Simulation.weights` lists them.
    """

    population: str
    variable: str
    every: int = 1
    neurons: Any = field(default_factory=lambda: slice(None))

    @property
    def _where(self) -> str:
        return f"Record({self.population!r}, {self.variable!r})"

    def lanes(self, population: Population) -> np.ndarray:
        """Indices of the neurons, ascending.

        Raises
        ------
        UsageError
            When there is nothing of that name or index.
        """
        where = self._where
        listed = isinstance(population.model, SpikeSource)
        known = (SPIKES, *population.neuron.State._fields, *(() if listed else (CURRENT,)), *STATISTICS)
        if self.variable not in known:
            raise UsageError(
                f"{where}: {type(population.model).__name__} has no such variable: {nearest(self.variable, known)}"
            )
        self._check_every()
        if self.variable == SPIKES and self.every != 1:
            raise UsageError(f"{where}: every = {self.every}: spikes are events, all are kept; write every=1")
        if self.variable == POPULATION_RATE:
            if not isinstance(self.neurons, slice) or self.neurons != slice(None):
                raise UsageError(f"{self._where}: it is that of all neurons: leave out neurons")
            return np.zeros(1, np.int64)
        return self._chosen(population.n, "neuron", "population")

    def _check_every(self) -> None:
        if isinstance(self.every, bool) or not isinstance(self.every, int | np.integer) or self.every < 1:
            raise UsageError(f"{self._where}: every = {self.every!r}: must be a whole number of steps, at least 1")

    def _chosen(self, n: int, what: str, whole: str) -> np.ndarray:
        """Indices of ``neurons`` among ``n``."""
        where = self._where
        neurons = np.arange(n)[self.neurons] if isinstance(self.neurons, slice) else np.asarray(self.neurons)
        if neurons.ndim > 1:
            raise UsageError(f"{where}: neurons have shape {neurons.shape}: write neurons=[0, 1] or a slice")
        indices = np.atleast_1d(neurons)
        if indices.size and not np.issubdtype(indices.dtype, np.integer):
            raise UsageError(f"{where}: neurons must be indices or a slice, got {indices.dtype}: write neurons=[0, 1]")
        if indices.size and (indices.min() < -n or indices.max() >= n):
            bad = indices[(indices < -n) | (indices >= n)][0]
            raise UsageError(f"{where}: {what} {bad} does not exist, the {whole} has {n}: use 0 … {n - 1}")
        lanes = np.where(indices < 0, indices + n, indices).astype(np.int64)
        if np.any(np.diff(lanes) <= 0):
            raise UsageError(f"{where}: neurons must be ascending, each once: write neurons=sorted(set(…))")
        return lanes

    def synapses(self, network: Network, count: Callable[[str], int]) -> tuple[np.ndarray, int]:
        """Numbers of the synapses, ascending, and how many there are.

        Raises
        ------
        UsageError
            When there is nothing of that name or number, or it does not change.
        """
        projection = named(network, self.population)
        if self.variable != WEIGHT:
            raise UsageError(f"{self._where}: of a projection only {WEIGHT!r} is recorded")
        if projection.plasticity is None or not projection.plasticity.learns:
            raise UsageError(
                f"{self._where}: these weights do not change: read simulation.weights({self.population!r}), or give "
                "the projection plasticity=STDP(…)"
            )
        if "/" in self.population:
            raise UsageError(f"{self._where}: give the projection a name without '/', which files take for a folder")
        self._check_every()
        n = count(self.population)
        return self._chosen(n, "synapse", "projection"), n


@dataclass(frozen=True, eq=False)
class Channel:
    """A record with its neurons, or synapses, worked out; ``n`` counts those that there are."""

    population: str
    variable: str
    every: int
    lanes: np.ndarray
    everyone: bool
    n: int = 0
    of_synapses: bool = False

    @property
    def name(self) -> str:
        """Of messages and of groups in files."""
        return f"{self.population}/{self.variable}"


def channels(records: Any, network: Network, count: Callable[[str], int]) -> list[Channel]:
    """The records of a run, checked against its network; ``count`` tells how many synapses a projection has."""
    if isinstance(records, Record):
        records = (records,)
    if not isinstance(records, Iterable):
        raise UsageError(f"record = {records!r}: write Record('population', 'variable'), or several of them")
    found: list[Channel] = []
    populations = {p.name for p in network.populations}
    for record in records:
        if not isinstance(record, Record):
            raise UsageError(f"record has {record!r}: write Record('population', 'variable')")
        of_synapses = record.population not in populations and record.population in names(network.projections)
        if of_synapses:
            lanes, n = record.synapses(network, count)
        else:
            population = network[record.population]
            lanes, n = record.lanes(population), int(population.n)
        every, everyone = int(record.every), len(lanes) == n
        channel = Channel(record.population, record.variable, every, lanes, everyone, n, of_synapses)
        if any(channel.name == other.name for other in found):
            raise UsageError(f"{channel.name} is recorded twice: join the two records into one")
        found.append(channel)
    return found
