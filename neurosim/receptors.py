"""Receptors: what a spike that arrives does to a neuron, as pure formulas.

A receptor has state of its own, which is integrated together with the neuron's, gives a current, and takes the summed
weights that arrive in a step. A population may have several of any kind, by name.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple, TypeVar

import numpy as np

from neurosim.errors import UsageError
from neurosim.model import Array
from neurosim.parameters import Floats, Parameters, param
from neurosim.registers import enter

__all__ = [
    "RECEPTORS",
    "AlphaConductance",
    "AlphaCurrent",
    "BiexponentialConductance",
    "Delta",
    "ExponentialConductance",
    "ExponentialCurrent",
    "Receptor",
    "register",
]


class Receptor(Parameters):
    """Base of receptors.

    Attributes
    ----------
    weight_unit : str
        Of the weights that it takes.
    weight_sign : int
        1 where a weight below zero has no meaning (conductances), 0 where any has.
    """

    abstract: ClassVar[bool] = True
    weight_unit: ClassVar[str] = "nA"
    weight_sign: ClassVar[int] = 0

    if TYPE_CHECKING:
        State: ClassVar[Any]
    else:

        class State(NamedTuple):
            """State variables; each receptor has its own, annotated with their units."""

    def derivatives(self, xp: Any, s: Any) -> Any:
        """Rate of change of each state variable per ms."""
        return s

    def current(self, xp: Any, s: Any, v: Array) -> Array | None:
        """Current into the neuron at the membrane potential v, or None where there is none."""
        return None

    @abstractmethod
    def arrive(self, xp: Any, s: Any, v: Array, weight: Array) -> tuple[Any, Array]:
        """State and membrane potential after spikes of summed ``weight`` have arrived."""

    def max_dt(self) -> float:
        """The largest meaningful step in ms."""
        return float("inf")


RECEPTORS: dict[str, type[Receptor]] = {}
R = TypeVar("R", bound=type[Receptor])


def register(cls: R) -> R:
    """Enter a receptor into the register that tests and docs walk."""
    enter(RECEPTORS, "receptor", cls.__name__, cls)
    return cls


@register
class Delta(Receptor):
    """A spike makes the membrane potential jump by its weight in mV, not during the refractory period.

    The threshold is asked in the next step, so a loop of neurons takes one step more than its delays.
    """

    weight_unit = "mV"

    class State(NamedTuple):
        pass

    def arrive(self, xp: Any, s: State, v: Array, weight: Array) -> tuple[State, Array]:
        return s, v + weight


@register
class ExponentialCurrent(Receptor):
    """A spike adds its weight to a current that decays with ``tau``."""

    class State(NamedTuple):
        i: Annotated[Array, "nA"]  # (n,)

    tau: Floats = param(5.0, "ms", "decay time constant", above=0.0)

    def derivatives(self, xp: Any, s: State) -> State:
        return self.State(s.i * (-1.0 / self.tau))

    def current(self, xp: Any, s: State, v: Array) -> Array:
        return s.i

    def arrive(self, xp: Any, s: State, v: Array, weight: Array) -> tuple[State, Array]:
        return self.State(s.i + weight), v

    def max_dt(self) -> float:
        return float(np.min(self.tau))


@register
class AlphaCurrent(Receptor):
    """A spike starts a current weight · (t/tau) · e^(1 − t/tau), whose peak at ``tau`` is its weight.

    Source: Rall (1967), https://doi.org/10.1152/jn.1967.30.5.1138.
    """

    class State(NamedTuple):
        i: Annotated[Array, "nA"]  # (n,)
        rise: Annotated[Array, "nA/ms"]  # (n,)

    tau: Floats = param(2.0, "ms", "time to the peak", above=0.0)

    def derivatives(self, xp: Any, s: State) -> State:
        rate = -1.0 / self.tau
        return self.State(s.i * rate + s.rise, s.rise * rate)

    def current(self, xp: Any, s: State, v: Array) -> Array:
        return s.i

    def arrive(self, xp: Any, s: State, v: Array, weight: Array) -> tuple[State, Array]:
        return self.State(s.i, s.rise + weight * (math.e / self.tau)), v

    def max_dt(self) -> float:
        return float(np.min(self.tau))


@register
class ExponentialConductance(Receptor):
    """A spike adds its weight to a conductance that decays with ``tau``; the current is g · (e_rev − v)."""

    weight_unit, weight_sign = "µS", 1

    class State(NamedTuple):
        g: Annotated[Array, "µS"]  # (n,)

    tau: Floats = param(5.0, "ms", "decay time constant", above=0.0)
    e_rev: Floats = param(0.0, "mV", "reversal potential")

    def derivatives(self, xp: Any, s: State) -> State:
        return self.State(s.g * (-1.0 / self.tau))

    def current(self, xp: Any, s: State, v: Array) -> Array:
        return s.g * (self.e_rev - v)

    def arrive(self, xp: Any, s: State, v: Array, weight: Array) -> tuple[State, Array]:
        return self.State(s.g + weight), v

    def max_dt(self) -> float:
        return float(np.min(self.tau))


@register
class AlphaConductance(Receptor):
    """A spike opens a conductance weight · (t/tau) · e^(1 − t/tau), whose peak at ``tau`` is its weight.

    Source: Rall (1967), https://doi.org/10.1152/jn.1967.30.5.1138.
    """

    weight_unit, weight_sign = "µS", 1

    class State(NamedTuple):
        g: Annotated[Array, "µS"]  # (n,)
        rise: Annotated[Array, "µS/ms"]  # (n,)

    tau: Floats = param(2.0, "ms", "time to the peak", above=0.0)
    e_rev: Floats = param(0.0, "mV", "reversal potential")

    def derivatives(self, xp: Any, s: State) -> State:
        rate = -1.0 / self.tau
        return self.State(s.g * rate + s.rise, s.rise * rate)

    def current(self, xp: Any, s: State, v: Array) -> Array:
        return s.g * (self.e_rev - v)

    def arrive(self, xp: Any, s: State, v: Array, weight: Array) -> tuple[State, Array]:
        return self.State(s.g, s.rise + weight * (math.e / self.tau)), v

    def max_dt(self) -> float:
        return float(np.min(self.tau))


@register
class BiexponentialConductance(Receptor):
    """A spike opens a conductance that rises with ``tau_rise`` and decays with ``tau_decay``; its peak is the weight.

    Source: Destexhe, Mainen and Sejnowski (1994), https://doi.org/10.1162/neco.1994.6.1.14; the difference of two
    exponentials is scaled to a peak of one at t = ln(tau_decay/tau_rise) · tau_decay · tau_rise/(tau_decay − tau_rise).
    """

    weight_unit, weight_sign = "µS", 1

    class State(NamedTuple):
        decay: Annotated[Array, "µS"]  # (n,)
        rise: Annotated[Array, "µS"]  # (n,)

    tau_rise: Floats = param(0.5, "ms", "rise time constant", above=0.0)
    tau_decay: Floats = param(5.0, "ms", "decay time constant, above tau_rise", above=0.0)
    e_rev: Floats = param(0.0, "mV", "reversal potential")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not np.all(np.asarray(self.tau_decay) > np.asarray(self.tau_rise)):
            raise UsageError(
                f"BiexponentialConductance: tau_decay = {self.tau_decay} ms is not above tau_rise = {self.tau_rise} "
                "ms: exchange them, or write AlphaConductance(tau) where they are equal"
            )

    def derivatives(self, xp: Any, s: State) -> State:
        return self.State(s.decay * (-1.0 / self.tau_decay), s.rise * (-1.0 / self.tau_rise))

    def current(self, xp: Any, s: State, v: Array) -> Array:
        return (s.decay - s.rise) * (self.e_rev - v)

    def arrive(self, xp: Any, s: State, v: Array, weight: Array) -> tuple[State, Array]:
        ratio = self.tau_decay / self.tau_rise
        # height of e^(−t/tau_decay) − e^(−t/tau_rise) at its peak
        at_peak = xp.log(ratio) / (ratio - 1.0)
        height = xp.exp(-at_peak) - xp.exp(-ratio * at_peak)
        scaled = weight * (1.0 / height)
        return self.State(s.decay + scaled, s.rise + scaled), v

    def max_dt(self) -> float:
        return float(np.min(self.tau_rise))
