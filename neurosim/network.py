"""What is simulated: frozen declarations without arrays of state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from neurosim.errors import UsageError, nearest
from neurosim.memory import MemoryEstimate, estimate
from neurosim.model import NeuronModel
from neurosim.neuron import compose
from neurosim.parameters import check_length, is_number
from neurosim.projection import Projection, check_all
from neurosim.receptors import Receptor
from neurosim.spike_source import SpikeSource
from neurosim.stimuli import SpikeInput, Stimulus


@dataclass(frozen=True, eq=False)
class Population:
    """``n`` neurons of one model.

    Parameters
    ----------
    name : str
        Its name in records and results, and the stream of its random numbers: a population keeps its noise when
        others are added.
    model : NeuronModel
        Parameters are floats or arrays of shape (n,).
    n : int
        Number of neurons, at least 1.
    stimuli : sequence of Stimulus
        Their currents add up.
    t_ref : float
        Refractory period in ms: the threshold is off and ``model.held_while_refractory`` stand still.
    init : mapping
        Values of state variables at t = 0, a float or shape (n,), in place of the model's.
    receptors : mapping
        Receptor by name. Its state variables are named after it, as in ``excitatory_g``.

    Raises
    ------
    UsageError
        For a value that cannot be simulated; the message names it.
    """

    name: str
    model: NeuronModel
    n: int
    stimuli: tuple[Stimulus, ...] = ()
    t_ref: float = 0.0
    init: dict[str, Any] = field(default_factory=dict)
    receptors: dict[str, Receptor] = field(default_factory=dict)

    @cached_property
    def neuron(self) -> Any:
        """The model together with its receptors, as one model."""
        return compose(self.model, self.receptors)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.isidentifier():
            raise UsageError(
                f"Population name {self.name!r} is no identifier: write letters, digits and _, as in 'exc'"
            )
        where = f"population {self.name!r}"
        if isinstance(self.model, type):
            raise UsageError(f"{where}: model is the class {self.model.__name__}: write {self.model.__name__}()")
        if not isinstance(self.model, NeuronModel):
            raise UsageError(f"{where}: model = {self.model!r} is no NeuronModel: write for example LIF()")
        if isinstance(self.n, bool) or not isinstance(self.n, int | np.integer) or self.n < 1:
            raise UsageError(f"{where}: n = {self.n!r}: must be a whole number of neurons, at least 1")
        if not (is_number(self.t_ref) and self.t_ref >= 0):
            raise UsageError(f"{where}: t_ref = {self.t_ref!r} ms: must be a finite number, at least 0")
        if isinstance(self.stimuli, Stimulus):
            raise UsageError(f"{where}: stimuli must be a sequence: write stimuli=({self.stimuli!r},)")
        if isinstance(self.stimuli, str) or not isinstance(self.stimuli, Iterable):
            raise UsageError(f"{where}: stimuli = {self.stimuli!r}: write for example stimuli=(Constant(1.0),)")
        object.__setattr__(self, "stimuli", tuple(self.stimuli))
        check_length(where, self.model, self.n)
        for stimulus in self.stimuli:
            if not isinstance(stimulus, Stimulus):
                instead = f"Constant({stimulus!r})" if is_number(stimulus) else "Constant(1.0)"
                raise UsageError(f"{where}: stimulus {stimulus!r} is no Stimulus: write for example {instead}")
            check_length(where, stimulus, self.n)
        if isinstance(self.model, SpikeSource) and (self.stimuli or self.t_ref):
            raise UsageError(f"{where}: its spikes are given: leave out stimuli and t_ref")
        self._check_receptors(where)
        for stimulus in self.stimuli:
            if isinstance(stimulus, SpikeInput) and stimulus.receptor not in self.receptors:
                known = (
                    nearest(str(stimulus.receptor), self.receptors)
                    if self.receptors
                    else f"write receptors={{{stimulus.receptor!r}: ExponentialCurrent()}}"
                )
                raise UsageError(f"{where}: {stimulus!r} has no receptor {stimulus.receptor!r} to act on: {known}")
        self._check_init(where)

    def _check_receptors(self, where: str) -> None:
        if not isinstance(self.receptors, Mapping):
            raise UsageError(
                f"{where}: receptors = {self.receptors!r}: write for example "
                "receptors={'excitatory': ExponentialCurrent()}"
            )
        for name, receptor in self.receptors.items():
            if not isinstance(name, str) or not name.isidentifier():
                raise UsageError(f"{where}: receptor name {name!r} is no identifier: write for example 'excitatory'")
            if not isinstance(receptor, Receptor):
                made = f"{receptor.__name__}()" if isinstance(receptor, type) else "ExponentialCurrent()"
                raise UsageError(f"{where}: receptor {name!r} is {receptor!r}, no Receptor: write for example {made}")
            check_length(where, receptor, self.n)
        if self.receptors and "v" not in self.model.State._fields:
            raise UsageError(
                f"{where}: {type(self.model).__name__} has no membrane potential v for receptors to act on: "
                "leave receptors out"
            )
        object.__setattr__(self, "receptors", dict(self.receptors))
        _ = self.neuron  # refuses names that collide

    def _check_init(self, where: str) -> None:
        if not isinstance(self.init, Mapping):
            raise UsageError(f"{where}: init = {self.init!r}: write for example init={{'v': -70.0}}")
        checked = {}
        for name, value in self.init.items():
            if name not in self.neuron.State._fields:
                raise UsageError(f"{where}: init has {name!r}: {nearest(name, self.neuron.State._fields)}")
            try:
                array = np.array(value, dtype=np.float64)
            except (TypeError, ValueError):
                raise UsageError(f"{where}: init[{name!r}] = {value!r}: give a float or one float per neuron") from None
            if array.shape not in ((), (self.n,)):
                raise UsageError(f"{where}: init[{name!r}] has shape {array.shape}: give a float or shape ({self.n},)")
            if not np.isfinite(array).all():
                raise UsageError(f"{where}: init[{name!r}] = {array[~np.isfinite(array)][0]}: must be finite")
            array.setflags(write=False)
            checked[name] = array
        object.__setattr__(self, "init", checked)


@dataclass(frozen=True, eq=False)
class Network:
    """Populations that are simulated together, and what joins them.

    Parameters
    ----------
    populations : sequence of Population
        Each with a name of its own.
    projections : sequence of Projection
        Synapses between them.

    Raises
    ------
    UsageError
        When it is empty, two populations have the same name, or a projection joins what is not there.
    """

    populations: tuple[Population, ...]
    projections: tuple[Projection, ...] = ()

    def __post_init__(self) -> None:
        if isinstance(self.populations, Population):
            raise UsageError(f"Network takes a sequence: write Network(({self.populations.name},))")
        if isinstance(self.populations, str) or not isinstance(self.populations, Iterable):
            raise UsageError(f"Network takes populations, got {self.populations!r}: write Network((Population(…),))")
        object.__setattr__(self, "populations", tuple(self.populations))
        if not self.populations:
            raise UsageError("Network has no populations: write Network((Population(…),))")
        names = []
        for population in self.populations:
            if not isinstance(population, Population):
                raise UsageError(f"Network takes populations, got {population!r}: write Population('name', model, n)")
            if population.name in names:
                raise UsageError(f"two populations are named {population.name!r}: give each its own name")
            names.append(population.name)
        object.__setattr__(self, "projections", check_all(self.projections, self.populations))

    def __getitem__(self, name: str) -> Population:
        for population in self.populations:
            if population.name == name:
                return population
        raise UsageError(f"no population {name!r}: {nearest(name, [p.name for p in self.populations])}")

    def memory_estimate(self, backend: Any = "auto", precision: str = "float64", dt: float = 0.1) -> MemoryEstimate:
        """Bytes that a simulation of this network takes, before anything is allocated.

        Parameters
        ----------
        backend : str or Backend
            Where it would run.
        precision : {"float64", "float32"}
            Of the state.
        dt : float
            Step in ms: how many different delays there are depends on it.
        """
        return estimate(self, backend, precision, dt=dt)
