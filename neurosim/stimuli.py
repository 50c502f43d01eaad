"""Currents into neurons, as pure formulas of time.

A stimulus is evaluated in the middle of each step and held during the step: smooth ones are then exact to second
order in dt, and an edge falls on the step nearest to it. Every parameter is a float or one value per neuron. Time
is float64 whatever the precision of the run. Amplitudes are in the unit of the model's current (nA; for models per
area µA/cm²).
"""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from neurosim.backends.philox import Random
from neurosim.errors import UsageError
from neurosim.parameters import Floats, Parameters, param

__all__ = [
    "Constant",
    "OrnsteinUhlenbeck",
    "PoissonInput",
    "PulseTrain",
    "Ramp",
    "Sine",
    "Step",
    "Stimulus",
    "WhiteNoise",
    "all_spike_inputs",
    "all_stimuli",
]

Array = Any
_FOREVER = 1e300  # finite, so that comparisons and parameters stay finite


class Now(NamedTuple):
    """What a stimulus may know.

    Attributes
    ----------
    t : float64
        Middle of the step, ms.
    dt : array, 0-d
        Step, ms, in the precision of the run.
    random : Random
        Numbers of this stimulus, this step, for each neuron.
    dt64 : array, 0-d
        Step, ms, float64.
    terms : int
        What the stimulus's own :meth:`Stimulus.terms` gave.
    """

    t: Array
    dt: Array
    random: Random
    dt64: Array = 0.0
    terms: int = 0


class Stimulus(Parameters):
    """Base of stimuli. :meth:`current` may return float64; the engine rounds it to the precision of the run."""

    abstract: ClassVar[bool] = True

    if TYPE_CHECKING:
        State: ClassVar[Any]
    else:

        class State(NamedTuple):
            """What the stimulus remembers; most remember nothing."""

    def init(self, xp: Any) -> Any:
        """State before the first step."""
        return self.State()

    @abstractmethod
    def current(self, xp: Any, s: Any, now: Now) -> Array:
        """Current during this step, a scalar or shape (n,)."""

    def terms(self, dt: float) -> int:
        """How many terms a formula of varying length has; others compile another kernel."""
        return 0

    def advance(self, xp: Any, s: Any, now: Now) -> Any:
        """State for the next step."""
        return s


class SpikeInput(Stimulus):
    """Base of stimuli that are spikes onto a receptor of the population.

    They arrive as the spikes of a projection do: at the end of the step, after the threshold.
    """

    abstract: ClassVar[bool] = True
    if TYPE_CHECKING:
        receptor: str  # of the population, by name

    def current(self, xp: Any, s: Any, now: Now) -> Array:
        raise AssertionError("spikes are no current")

    @abstractmethod
    def arrivals(self, xp: Any, s: Any, now: Now) -> Array:
        """Summed weight of the spikes that arrive in this step, shape (n,), in the precision of the run."""


def all_stimuli() -> list[type[Stimulus]]:
    """Every current of this module: what tests and docs walk."""
    return [cls for cls in Stimulus.__subclasses__() if cls.__module__ == __name__ and cls is not SpikeInput]


def all_spike_inputs() -> list[type[SpikeInput]]:
    """Every input of spikes of this module: what tests and docs walk."""
    return [cls for cls in SpikeInput.__subclasses__() if cls.__module__ == __name__]


def _during(xp: Any, condition: Any, value: Any) -> Any:
    """``value`` where the condition holds, else 0."""
    return xp.where(condition, value, 0.0 * value)


class Constant(Stimulus):
    """The same current all the time."""

    amplitude: Floats = param(unit="nA", doc="current")

    def current(self, xp: Any, s: Any, now: Now) -> Array:
        return self.amplitude


class Step(Stimulus):
    """A current from ``start`` to ``stop``."""

    amplitude: Floats = param(unit="nA", doc="current while on")
    start: Floats = param(0.0, "ms", "on from here", wide=True)
    stop: Floats = param(_FOREVER, "ms", "off from here", wide=True)

    def current(self, xp: Any, s: Any, now: Now) -> Array:
        return _during(xp, (now.t >= self.start) & (now.t < self.stop), self.amplitude)


class PulseTrain(Stimulus):
    """``count`` pulses of ``width``, one each ``period``."""

    amplitude: Floats = param(unit="nA", doc="current during a pulse")
    start: Floats = param(unit="ms", doc="begin of the first pulse", wide=True)
    width: Floats = param(unit="ms", doc="length of a pulse", above=0.0, wide=True)
    period: Floats = param(unit="ms", doc="from pulse to pulse", above=0.0, wide=True)
    count: Floats = param(_FOREVER, "1", "number of pulses", at_least=0.0, wide=True)

    def current(self, xp: Any, s: Any, now: Now) -> Array:
        since = now.t - self.start
        pulse = xp.floor(since / self.period)
        on = (since >= 0.0) & (pulse < self.count) & (since - pulse * self.period < self.width)
        return _during(xp, on, self.amplitude)


class Ramp(Stimulus):
    """A current that goes from ``first`` to ``last`` between ``start`` and ``stop``, and stays there."""

    first: Floats = param(unit="nA", doc="current until start")
    last: Floats = param(unit="nA", doc="current from stop")
    start: Floats = param(unit="ms", doc="begin of the ramp", wide=True)
    stop: Floats = param(unit="ms", doc="end of the ramp", wide=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        start, stop = np.asarray(self.start), np.asarray(self.stop)
        if start.ndim and stop.ndim and start.shape != stop.shape:
            raise UsageError(
                f"Ramp: {start.size} values of start, {stop.size} of stop: give one per neuron, or a float"
            )
        late = np.flatnonzero(~(stop > start))
        if late.size:
            first, last = (float(np.broadcast_to(x, (late[0] + 1,))[late[0]]) for x in (start, stop))
            raise UsageError(f"Ramp: stop = {last:g} ms must be after start = {first:g} ms")

    def current(self, xp: Any, s: Any, now: Now) -> Array:
        part = xp.minimum(xp.maximum((now.t - self.start) / (self.stop - self.start), 0.0), 1.0)
        return self.first + (self.last - self.first) * part


class Sine(Stimulus):
    """offset + amplitude · sin(2π·frequency·(t − start) + phase) from ``start`` to ``stop``."""

    amplitude: Floats = param(unit="nA", doc="peak of the oscillation")
    frequency: Floats = param(unit="Hz", doc="cycles per second", at_least=0.0, wide=True)
    phase: Floats = param(0.0, "rad", "at start", wide=True)
    offset: Floats = param(0.0, "nA", "mean current while on")
    start: Floats = param(0.0, "ms", "on from here", wide=True)
    stop: Floats = param(_FOREVER, "ms", "off from here", wide=True)

    def current(self, xp: Any, s: Any, now: Now) -> Array:
        cycles = self.frequency * (now.t - self.start) * 1e-3
        # sin of the part of a cycle: the argument stays small however long the run
        wave = xp.sin(2.0 * math.pi * (cycles - xp.floor(cycles)) + self.phase)
        value = self.offset + self.amplitude * wave
        return _during(xp, (now.t >= self.start) & (now.t < self.stop), value)


class WhiteNoise(Stimulus):
    """Gaussian white noise: mean + sigma·ξ(t), ⟨ξ(t)ξ(t′)⟩ = δ(t − t′).

    The value held in a step has standard deviation sigma/√dt, so what the membrane makes of it does not depend on dt.
    """

    sigma: Floats = param(unit="nA·√ms", doc="standard deviation × √dt", at_least=0.0)
    mean: Floats = param(0.0, "nA", "mean current")

    def current(self, xp: Any, s: Any, now: Now) -> Array:
        return self.mean + self.sigma / xp.sqrt(now.dt) * now.random.normal(xp)


class OrnsteinUhlenbeck(Stimulus):
    """Gaussian noise with correlation time ``tau``: dI = (mean − I)/tau dt + sigma·√(2/tau) dW.

    Advanced exactly for any dt. It begins at its mean.
    """

    class State(NamedTuple):
        """Deviation from the mean in units of sigma, (n,)."""

        x: Array

    sigma: Floats = param(unit="nA", doc="stationary standard deviation", at_least=0.0)
    tau: Floats = param(unit="ms", doc="correlation time", above=0.0)
    mean: Floats = param(0.0, "nA", "mean current")

    def init(self, xp: Any) -> Any:
        return self.State(0.0)

    def current(self, xp: Any, s: Any, now: Now) -> Array:
        return self.mean + self.sigma * s.x

    def advance(self, xp: Any, s: Any, now: Now) -> Any:
        decay = xp.exp(-now.dt / self.tau)
        return self.State(decay * s.x + xp.sqrt(-xp.expm1(-2.0 * now.dt / self.tau)) * now.random.normal(xp))


_WORDS = 2.0**32
_HALF = 2**31
_MOST_TERMS = 128


class PoissonInput(SpikeInput):
    """Spikes of many independent Poisson sources onto each neuron, other ones for each.

    The number of spikes in a step has the Poisson distribution of mean ``rate`` · dt, by inversion of its distribution
    function: one 32-bit random word is compared with the cumulative probabilities. Numbers of a probability below 2⁻³³
    do not come.

    Raises
    ------
    UsageError
        For a mean of more than 80 spikes per step.
    """

    rate: Floats = param(unit="Hz", doc="of all sources of a neuron together", at_least=0.0, wide=True)
    weight: Floats = param(unit="of the receptor", doc="weight of a spike")
    receptor: str = "excitatory"

    def arrivals(self, xp: Any, s: Any, now: Now) -> Array:
        mean = self.rate * now.dt64 * 1e-3
        probability = xp.exp(-mean)
        below = probability * _WORDS
        # Compared as integers of 32 bits, of which a processor takes twice as many at once; so they have a sign.
        word = xp.astype(now.random.word(xp) - _HALF, xp.int32)
        count = xp.astype(word > self._last(xp, below), xp.int32)
        for k in range(1, now.terms):
            probability = probability * (mean * (1.0 / k))
            below = below + probability * _WORDS
            count = count + xp.astype(word > self._last(xp, below), xp.int32)
        return self.weight * xp.astype(count, getattr(xp, now.random.dtype))

    def _last(self, xp: Any, below: Array) -> Array:
        """The last word below a number, as it is compared; ``-floor(-x)`` is the next whole number up."""
        return xp.astype(xp.minimum(-xp.floor(-below), _WORDS) - (1.0 + _HALF), xp.int32)

    def terms(self, dt: float) -> int:
        """Numbers of spikes whose probability is at least 2⁻³³, rounded up so that near rates share a kernel."""
        mean = float(np.max(self.rate)) * dt * 1e-3
        probability = below = math.exp(-mean)
        needed = 1
        while 1.0 - below > 1.0 / _WORDS / 2.0 and (needed <= mean or probability > 1.0 / _WORDS / 4.0):
            probability *= mean / needed
            below += probability
            needed += 1
        for terms in (4, 8, 12, 16, 24, 32, 48, 64, 96, _MOST_TERMS):
            if needed <= terms:
                return terms
        raise UsageError(
            f"PoissonInput.rate = {np.max(self.rate):g} Hz is {mean:.3g} spikes in a step of {dt:g} ms: "
            "take a smaller dt, or WhiteNoise or OrnsteinUhlenbeck, which so many spikes resemble"
        )
