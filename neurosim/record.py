"""What a run keeps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neurosim.errors import UsageError, nearest
from neurosim.network import Network, Population
from neurosim.step import CURRENT

SPIKES = "spikes"


@dataclass(frozen=True, eq=False)
class Record:
    """Keep a variable of a population.

    Parameters
    ----------
    population : str
        Its name.
    variable : str
        ``"spikes"``, a state variable of the model, or ``"i_syn"``, the total current into the neuron.
    every : int
        Keep each ``every``-th step, counted from the beginning of the simulation. Spikes are always kept all.
    neurons : slice, int or sequence of int
        Which neurons.
    """

    population: str
    variable: str
    every: int = 1
    neurons: Any = field(default_factory=lambda: slice(None))

    def lanes(self, population: Population) -> np.ndarray:
        """Indices of the neurons, ascending.

        Raises
        ------
        UsageError
            When there is nothing of that name or index.
        """
        where = f"Record({self.population!r}, {self.variable!r})"
        known = (SPIKES, *population.neuron.State._fields, CURRENT)
        if self.variable not in known:
            raise UsageError(
                f"{where}: {type(population.model).__name__} has no such variable: {nearest(self.variable, known)}"
            )
        if isinstance(self.every, bool) or not isinstance(self.every, int | np.integer) or self.every < 1:
            raise UsageError(f"{where}: every = {self.every!r}: must be a whole number of steps, at least 1")
        if self.variable == SPIKES and self.every != 1:
            raise UsageError(f"{where}: every = {self.every}: spikes are events, all are kept; write every=1")
        n = population.n
        neurons = np.arange(n)[self.neurons] if isinstance(self.neurons, slice) else np.asarray(self.neurons)
        if neurons.ndim > 1:
            raise UsageError(f"{where}: neurons have shape {neurons.shape}: write neurons=[0, 1] or a slice")
        indices = np.atleast_1d(neurons)
        if indices.size and not np.issubdtype(indices.dtype, np.integer):
            raise UsageError(f"{where}: neurons must be indices or a slice, got {indices.dtype}: write neurons=[0, 1]")
        if indices.size and (indices.min() < -n or indices.max() >= n):
            bad = indices[(indices < -n) | (indices >= n)][0]
            raise UsageError(f"{where}: neuron {bad} does not exist, the population has {n}: use 0 … {n - 1}")
        lanes = np.where(indices < 0, indices + n, indices).astype(np.int64)
        if np.any(np.diff(lanes) <= 0):
            raise UsageError(f"{where}: neurons must be ascending, each once: write neurons=sorted(set(…))")
        return lanes


@dataclass(frozen=True, eq=False)
class Channel:
    """A record with its neurons worked out."""

    population: str
    variable: str
    every: int
    lanes: np.ndarray
    everyone: bool

    @property
    def name(self) -> str:
        """Of messages and of groups in files."""
        return f"{self.population}/{self.variable}"


def channels(records: Any, network: Network) -> list[Channel]:
    """The records of a run, checked against its network."""
    if isinstance(records, Record):
        records = (records,)
    if not isinstance(records, Iterable):
        raise UsageError(f"record = {records!r}: write Record('population', 'variable'), or several of them")
    found: list[Channel] = []
    for record in records:
        if not isinstance(record, Record):
            raise UsageError(f"record has {record!r}: write Record('population', 'variable')")
        population = network[record.population]
        lanes = record.lanes(population)
        channel = Channel(record.population, record.variable, int(record.every), lanes, len(lanes) == population.n)
        if any(channel.name == other.name for other in found):
            raise UsageError(f"{channel.name} is recorded twice: join the two records into one")
        found.append(channel)
    return found
