"""brian2 as the judge of a model's formulas.

A registered model carries its equations a second time, typed by hand from their source in brian2's notation.
Both programs run them from the same state, with the same method, step, currents and random numbers; what is
left is the order of roundings. Where the two count differently:

- a spike found in the step from k·dt to (k + 1)·dt has the time (k + 1)·dt here and k·dt there;
- a refractory period of R steps freezes the R steps after the spike here, and R − 1 there;
- a current is held during a step here, while brian2 would evaluate it again within the step.
"""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurosim.backends.philox import Random
from neurosim.engine import Simulation
from neurosim.errors import UsageError, nearest
from neurosim.integrators import get_integrator
from neurosim.model import MODELS, Entry, NeuronModel, state_units
from neurosim.models import get_model
from neurosim.network import Network, Population
from neurosim.record import SPIKES, Record
from neurosim.step import CURRENT, assemble, refractory_steps
from neurosim.stimuli import Constant

__all__ = ["Comparison", "compare"]

# brian2 has more; of its "heun" the deterministic part is another method than ours.
_METHODS = ("euler", "exponential_euler", "rk4", "exact")


@dataclass(frozen=True, eq=False)
class Comparison:
    """A run of a model beside brian2's run of its reference equations.

    Attributes
    ----------
    model, engine, method : str
        What ran.
    dt, duration : float
        ms.
    n : int
        Number of neurons.
    spikes, spikes_brian2 : int
        Of all neurons.
    differences : mapping
        State variable → largest absolute difference at any step of any neuron.
    units : mapping
        State variable → unit.
    tolerance : float
        What the differences may be.
    first_difference : float or None
        Time in ms of the first spike that only one of them has, or of the first sample beyond the tolerance.
    """

    model: str
    engine: str
    method: str
    dt: float
    duration: float
    n: int
    spikes: int
    spikes_brian2: int
    differences: Mapping[str, float]
    units: Mapping[str, str]
    tolerance: float
    first_difference: float | None

    @property
    def ok(self) -> bool:
        """Whether every spike is the same and no state variable differs by more than the tolerance."""
        return self.first_difference is None

    def table(self) -> str:
        """The comparison for people."""
        verdict = "agrees" if self.ok else f"differs from t = {self.first_difference:g} ms"
        lines = [
            f"{self.model} {verdict} ({self.n} neurons, {self.duration:g} ms, dt = {self.dt:g} ms, "
            f"{self.method}, {self.engine})",
            f"  spikes  {self.spikes}, brian2 {self.spikes_brian2}",
        ]
        for name, largest in self.differences.items():
            lines.append(f"  {name:7} |Δ| ≤ {largest:.1e} {self.units[name]}, allowed {self.tolerance:.0e}")
        return "\n".join(lines)

    __str__ = table


def compare(
    model: str | Entry | NeuronModel,
    *,
    duration: float = 200.0,
    dt: float | None = None,
    n: int = 5,
    drive: float | None = None,
    stimuli: tuple[Any, ...] | None = None,
    t_ref: float = 0.0,
    method: str | None = None,
    backend: Any = "numpy",
    fuse: Any = "off",
    seed: int = 0,
) -> Comparison:
    """Run a registered model here and in brian2.

    Parameters
    ----------
    model : str, Entry or NeuronModel
        A registered model, with the default parameters or as a record with others, per neuron too.
    duration : float
        ms.
    dt : float, optional
        Step in ms; by default the reference's.
    n : int
        Number of neurons.
    drive : float, optional
        The neurons get constant currents from 0 to twice this; by default the reference's.
    stimuli : sequence of Stimulus, optional
        In place of constant currents.
    t_ref : float
        Refractory period in ms, for models with a reset.
    method : {"euler", "exponential_euler", "rk4", "exact"}, optional
        By default the reference's.
    backend, fuse, seed
        Of :class:`~neurosim.engine.Simulation`.

    Raises
    ------
    UsageError
        When brian2 is not installed, or for what cannot be compared.
    """
    entry, record = _registered(model)
    reference = entry.reference
    dt = reference.dt if dt is None else dt
    method = reference.method if method is None else method
    if method not in _METHODS:
        raise UsageError(f"brian2 has no method like {method!r}: {nearest(method, _METHODS)}")
    if t_ref and reference.refractory != "False":
        raise UsageError(f"{entry.name} spikes by crossing, which brian2 cannot join with a period: write t_ref=0")
    if stimuli is None:
        amplitude = reference.drive if drive is None else drive
        stimuli = (Constant(np.linspace(0.0, 2.0 * amplitude, n)),)

    population = Population("compared", record, n, stimuli=tuple(stimuli), t_ref=t_ref)
    net = Network((population,))
    simulation = Simulation(net, dt=dt, backend=backend, method=method, fuse=fuse, seed=seed)
    start = simulation.state(population.name)
    constant = all(isinstance(stimulus, Constant) for stimulus in population.stimuli)
    names = (SPIKES, *start) if constant else (SPIKES, *start, CURRENT)
    ours = simulation.run(duration, record=[Record(population.name, name) for name in names], progress=False)
    traces = ours.traces[population.name] if names[1:] else {}
    if constant:  # one row, which brian2 holds to the end; a current that is recorded takes another kernel
        held = sum((np.asarray(s.values()["amplitude"]) for s in population.stimuli), np.zeros((1, n)))
        inputs = {CURRENT: np.asarray(held)}
    else:
        inputs = {CURRENT: traces[CURRENT]}
    if record.stochastic():
        inputs["uniform"] = _uniforms(population, dt, method, seed, ours.n_steps)
    theirs = _run_brian2(entry, record, start, inputs, dt, method, refractory_steps(t_ref, dt) + 1, ours.n_steps)

    spikes = ours.spikes[population.name]
    own = {(int(step), int(i)) for step, i in zip(np.rint(spikes.t / dt), spikes.i, strict=True)}
    other = {(int(step) + 1, int(i)) for step, i in zip(theirs.steps, theirs.neurons, strict=True)}
    deviations = {name: np.abs(traces[name] - theirs.traces[name]) for name in start}
    beyond = [step for step, _ in own ^ other]
    for deviation in deviations.values():
        beyond += [int(k) for k in np.flatnonzero(~(deviation <= reference.tolerance).all(axis=1))[:1]]
    return Comparison(
        model=entry.name,
        engine=ours.provenance["engine"][population.name],
        method=method,
        dt=dt,
        duration=duration,
        n=n,
        spikes=len(own),
        spikes_brian2=len(other),
        differences={name: float(np.max(deviation, initial=0.0)) for name, deviation in deviations.items()},
        units=state_units(type(record)),
        tolerance=reference.tolerance,
        first_difference=min(beyond) * dt if beyond else None,
    )


def _registered(model: str | Entry | NeuronModel) -> tuple[Entry, NeuronModel]:
    if isinstance(model, NeuronModel):
        name = type(model).__name__
        if name not in MODELS or MODELS[name].cls is not type(model):
            raise UsageError(f"{name} is not registered: write @register(reference=…) above its class")
        return MODELS[name], model
    entry = get_model(model) if isinstance(model, str) else model
    return entry, entry.cls()


def _uniforms(population: Population, dt: float, method: str, seed: int, n_steps: int) -> np.ndarray:
    """The random numbers by which a stochastic model spikes, of shape (steps, n)."""
    integrator = get_integrator(method)
    values = assemble(population, dt=dt, integrator=integrator, seed=seed, precision="float64").values
    words = (values["seed_low"], values["seed_high"], values["model/stream"])
    step, lane = np.arange(n_steps)[:, None], np.arange(population.n)[None, :]
    return Random(*words, step, lane, "float64").uniform(np)


@dataclass(frozen=True, eq=False)
class _Brian2Run:
    steps: np.ndarray  # of the spikes, in which they were found
    neurons: np.ndarray
    traces: dict[str, np.ndarray]  # (steps, n), at the beginning of each step


def _run_brian2(
    entry: Entry,
    record: NeuronModel,
    start: Mapping[str, np.ndarray],
    inputs: Mapping[str, np.ndarray],
    dt: float,
    method: str,
    frozen_steps: int,
    n_steps: int,
) -> _Brian2Run:
    reference = entry.reference
    parameters = record.values()
    per_neuron = {name: value for name, value in parameters.items() if np.ndim(value)}
    lines = [reference.equations]
    lines += [f"{name} : 1 (constant)" for name in per_neuron]
    # "constant over dt": held as here, where brian2 would look into the next step in an inner stage
    lines += [f"{name} = {name}_of_step(t, i) : 1 (constant over dt)" for name in inputs]
    with _quiet_brian2() as brian2:
        step = dt * brian2.ms
        namespace = {"dt_ms": dt} | {name: parameters[name] for name in parameters if name not in per_neuron}
        namespace |= {f"{name}_of_step": brian2.TimedArray(x, dt=step) for name, x in inputs.items()}
        by_condition = reference.refractory != "False"
        group = brian2.NeuronGroup(
            next(iter(inputs.values())).shape[1],
            "\n".join(lines),
            threshold=reference.threshold,
            reset=reference.reset or None,
            refractory=reference.refractory if by_condition else frozen_steps * step,
            method=method,
            dt=step,
            namespace=namespace,
        )
        for name, values in (*per_neuron.items(), *start.items()):
            setattr(group, name, values)
        spikes = brian2.SpikeMonitor(group)
        objects = [group, spikes]
        if start:
            objects.append(brian2.StateMonitor(group, list(start), record=True))
        brian2.Network(*objects).run(n_steps * step, namespace={})
        found = np.rint(np.asarray(spikes.t / brian2.ms) / dt).astype(np.int64)
        traces = {name: np.array(getattr(objects[-1], name)).T for name in start}
        return _Brian2Run(found, np.array(spikes.i), traces)


@contextmanager
def _quiet_brian2() -> Iterator[Any]:
    """brian2 without a compiler and without messages; its preferences are as before afterwards."""
    hook = sys.excepthook
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import brian2
            from brian2.utils.logger import catch_logs
        except ModuleNotFoundError:
            raise UsageError("the comparison needs brian2: pip install 'neurosim[reference]'") from None
        except Exception as error:
            raise UsageError(
                f"brian2 is installed and cannot be imported ({error}): "
                "pip install 'neurosim[reference]' installs versions that fit"
            ) from error
        finally:
            sys.excepthook = hook  # brian2 sets its own, which asks for bug reports
        target = brian2.prefs["codegen.target"]
        brian2.prefs["codegen.target"] = "numpy"
        try:
            with catch_logs(log_level=logging.INFO):
                yield brian2
        finally:
            brian2.prefs["codegen.target"] = target
