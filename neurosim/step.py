"""One step of a population as a pure program: integrate → threshold → arrive → reset.

The program is a formula over arrays that the backend runs op by op or fuses; nothing here knows which.
"""

from __future__ import annotations

import zlib
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.backends.philox import Random, seed_words
from neurosim.backends.program import LAST_EVENT, NEVER, Clock, Outputs, Program, Slot
from neurosim.errors import UsageError
from neurosim.integrators import Integrator
from neurosim.model import checked_state
from neurosim.parameters import Parameters, bind, own_fields, parameters
from neurosim.stimuli import Now, SpikeInput

if TYPE_CHECKING:
    from neurosim.network import Population

CURRENT = "i_syn"  # observable: the total current in a step
# 1 where the threshold held after the last step, in models without a reset whose potential a spike may make jump;
# in others the state before the step tells.
_ABOVE = "_above"


@dataclass(frozen=True)
class Assembly:
    """A program with the values of its parameters and its state at t = 0."""

    program: Program
    values: dict[str, Any]
    state: dict[str, Any]


def refractory_steps(t_ref: float, dt: float) -> int:
    """Whole steps of a refractory period."""
    return round(t_ref / dt)


def remembers_threshold(population: Population) -> bool:
    """Whether the state of a population holds where its threshold was crossed."""
    model = population.neuron
    return bool(population.receptors) and not model.resets() and not model.stochastic()


def assemble(
    population: Population,
    *,
    dt: float,
    integrator: Integrator,
    seed: int,
    precision: str,
    observables: tuple[str, ...] = (),
    receptors: tuple[str, ...] = (),
) -> Assembly:
    """Everything that a backend needs to run a population; ``receptors`` are those that projections reach."""
    model = population.neuron
    slots: list[Slot] = []
    values: dict[str, Any] = {}

    def add(name: str, value: Any, dtype: str) -> None:
        slots.append(Slot(name, dtype, per_lane=np.ndim(value) > 0))
        values[name] = value

    def add_record(prefix: str, record: Parameters) -> None:
        for name, info in parameters(type(record)).items():
            add(f"{prefix}.{name}", getattr(record, name), "float64" if info.wide else precision)

    def stream(role: str) -> int:
        # By name: a population keeps its numbers when others come or go.
        return zlib.crc32(f"{population.name}/{role}".encode())

    add_record("model", model)
    state: dict[str, Any] = {**_initial(model), **population.init}
    for k, stimulus in enumerate(population.stimuli):
        add_record(f"stimulus{k}", stimulus)
        add(f"stimulus{k}/stream", stream(f"stimulus{k}"), "int64")
        state |= {f"stimulus{k}.{name}": value for name, value in _initial(stimulus).items()}
    prepared = integrator.prepare(model, dt)
    for name, value in prepared.items():
        add(f"prepared.{name}", value, precision)
    add("dt", dt, precision)
    add("dt64", dt, "float64")
    low, high = seed_words(seed)
    add("seed_low", low, "int64")
    add("seed_high", high, "int64")
    add("model/stream", stream("model"), "int64")
    t_ref = refractory_steps(population.t_ref, dt)
    if t_ref:
        add("t_ref", t_ref, "int64")
    if remembers_threshold(population):
        with np.errstate(all="ignore"):
            state[_ABOVE] = np.where(_on_host(model, state), 1.0, 0.0)

    program = Program(
        name=population.name,
        dtype=precision,
        state=tuple(state),
        slots=tuple(slots),
        function=_Step(
            population,
            integrator,
            tuple(prepared),
            precision,
            bool(t_ref),
            tuple(stimulus.terms(dt) for stimulus in population.stimuli),
        ),
        observables=observables,
        inputs=tuple(f"arrivals.{name}" for name in receptors),
        flush=bool(population.receptors),  # they decay for ever where nothing arrives
        last_event=t_ref > 0,
    )
    return Assembly(program, values, {**state, LAST_EVENT: NEVER} if t_ref else state)


def _initial(record: Any) -> dict[str, Any]:
    bound = bind(record, {name: np.asarray(value) for name, value in record.values().items()})
    return checked_state(record, "init", bound.init(np))._asdict()


def _on_host(model: Any, state: Mapping[str, Any]) -> Any:
    bound = bind(model, {name: np.asarray(value) for name, value in model.values().items()})
    s = model.State(*(np.asarray(state[name], dtype=np.float64) for name in model.State._fields))
    return bound.threshold(np, s)


@dataclass(frozen=True)
class _Step:
    """The function of the program."""

    population: Population
    integrator: Integrator
    prepared: tuple[str, ...]
    precision: str
    refractory: bool
    terms: tuple[int, ...]

    @property
    def structure(self) -> Hashable:
        """Equal for steps whose formulas are the same but for the values of parameters."""
        population = self.population
        records = (population.neuron, *population.stimuli)
        kinds = tuple((type(record), _options(record)) for record in records)
        made = (self.integrator, self.prepared, self.precision, self.refractory, self.terms)
        return kinds, tuple(population.receptors), made

    def __call__(self, xp: Any, state: Mapping[str, Any], params: Mapping[str, Any], clock: Clock) -> Outputs:
        try:
            return self._outputs(xp, state, params, clock)
        except UsageError as error:
            where = f"population {self.population.name!r} ({type(self.population.model).__name__})"
            raise type(error)(f"{where}: {error}") from error

    def _outputs(self, xp: Any, state: Mapping[str, Any], params: Mapping[str, Any], clock: Clock) -> Outputs:
        model = _bound("model", self.population.neuron, params)
        s = model.State(*(state[name] for name in model.State._fields))
        new: dict[str, Any] = {}

        current, spikes, carried = self._stimuli(xp, state, params, clock)
        new |= carried

        dt = params["dt"]
        prepared = {name: params[f"prepared.{name}"] for name in self.prepared}
        after = self.integrator.advance(xp, model, s, current, dt, prepared)
        free = None
        if self.refractory:
            free = state[LAST_EVENT] < xp.astype(clock.step - params["t_ref"], xp.int32)
            held = {name: xp.where(free, getattr(after, name), getattr(s, name)) for name in self._held()}
            after = after._replace(**held)

        if model.stochastic():
            random = self._random("model", params, clock)
            spiked = random.uniform(xp) < model.hazard(xp, after, current) * dt
        else:
            spiked = self._condition(xp, model.threshold(xp, after))
            if _ABOVE in state:
                new[_ABOVE] = xp.where(spiked, 1.0 + 0.0 * dt, 0.0)
                spiked = spiked & (state[_ABOVE] < 0.5)
            elif not model.resets():
                spiked = spiked & ~self._condition(xp, model.threshold(xp, s))
        if free is not None:
            spiked = spiked & free

        after = self._arrived(xp, model, after, free, params, spikes)
        if model.resets():
            fresh = checked_state(model, "reset", model.reset(xp, after))
            after = type(after)(*(x if y is x else xp.where(spiked, y, x) for x, y in zip(after, fresh, strict=True)))
        return Outputs({**after._asdict(), **new}, spiked, {CURRENT: current})

    def _arrived(
        self, xp: Any, model: Any, s: Any, free: Any, params: Mapping[str, Any], spikes: Mapping[str, Any]
    ) -> Any:
        """State after the spikes of this step have arrived; the potential of a refractory neuron does not jump."""
        weights = {}
        for name in self.population.receptors:
            found = [x for x in (params.get(f"arrivals.{name}"), spikes.get(name)) if x is not None]
            if found:
                weights[name] = found[0] if len(found) == 1 else found[0] + found[1]
        if not weights:
            return s
        new = model.arrive(xp, s, weights)
        return new if free is None or new.v is s.v else new._replace(v=xp.where(free, new.v, s.v))

    def _held(self) -> list[str]:
        model = type(self.population.neuron)
        if not model.resets():  # its spike is in its equations, and must not be clamped at its peak
            return []
        return [name for name in model.held_while_refractory if name in model.State._fields]

    def _random(self, role: str, params: Mapping[str, Any], clock: Clock) -> Random:
        words = (params["seed_low"], params["seed_high"], params[f"{role}/stream"])
        return Random(*words, clock.step, clock.lane, self.precision)

    def _stimuli(
        self, xp: Any, state: Mapping[str, Any], params: Mapping[str, Any], clock: Clock
    ) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        """Total current in this step, summed weights by receptor, and the stimuli's own state for the next."""
        dtype = getattr(xp, self.precision)
        t = (xp.astype(clock.step, xp.float64) + 0.5) * params["dt64"]
        total: Any = None
        spikes: dict[str, Any] = {}
        carried: dict[str, Any] = {}
        for k, declared in enumerate(self.population.stimuli):
            stimulus = _bound(f"stimulus{k}", declared, params)
            s = stimulus.State(*(state[f"stimulus{k}.{name}"] for name in stimulus.State._fields))
            random = self._random(f"stimulus{k}", params, clock)
            now = Now(t, params["dt"], random, params["dt64"], self.terms[k])
            if isinstance(stimulus, SpikeInput):
                arrived = xp.astype(_as_array(stimulus.arrivals(xp, s, now), params), dtype)
                before = spikes.get(stimulus.receptor)
                spikes[stimulus.receptor] = arrived if before is None else before + arrived
            else:
                current = xp.astype(_as_array(stimulus.current(xp, s, now), params), dtype)
                total = current if total is None else total + current
            advanced = checked_state(stimulus, "advance", stimulus.advance(xp, s, now))
            for name, value in advanced._asdict().items():
                carried[f"stimulus{k}.{name}"] = xp.astype(_as_array(value, params), dtype)
        return (0.0 * params["dt"] if total is None else total), spikes, carried

    def _condition(self, xp: Any, value: Any) -> Any:
        dtype = getattr(value, "dtype", None)
        if dtype is None or dtype != xp.bool:
            given = type(value).__name__ if dtype is None else f"an array of {dtype}"
            name = type(self.population.model).__name__
            raise UsageError(
                f"{name}.threshold returned {given}: return a condition on arrays, as in s.v > self.v_thresh"
            )
        return value


def _options(record: Parameters) -> tuple[tuple[str, type, Any], ...]:
    """Fields that are no parameters: they may change the formula."""
    given = parameters(type(record))
    return tuple((name, type(value), value) for name, value in own_fields(record).items() if name not in given)


def _as_array(value: Any, params: Mapping[str, Any]) -> Any:
    """A formula may also return a number."""
    return value + 0.0 * params["dt"] if isinstance(value, int | float) else value


def _bound(prefix: str, record: Parameters, params: Mapping[str, Any]) -> Any:
    return bind(record, {name: params[f"{prefix}.{name}"] for name in parameters(type(record))})
