"""Neurons that spike by chance."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from neurosim.model import Array, Floats, NeuronModel, Reference, param, register


@register(
    reference=Reference(
        equations="",
        threshold="uniform < rate*1e-3*dt_ms",  # with the random numbers of the run that is judged
        drive=0.0,
        dt=0.1,
        tolerance=0.0,
    ),
    doi="10.1016/S0006-3495(67)86596-2",
)
class PoissonSource(NeuronModel):
    """Independent Poisson spike trains.

    The process of Perkel, Gerstein and Moore 1967, in steps: a step spikes with probability rate·dt, at
    most once. So the mean rate is exact, and intervals vary with the coefficient √(1 − rate·dt) instead of
    1. An input is a rate in Hz that is added to ``rate``: with ``Sine``, ``Ramp`` or any other stimulus the process is
    an inhomogeneous one; a sum below zero is no rate.
    """

    current_unit = "Hz"

    class State(NamedTuple):
        """Nothing is remembered."""

    rate: Floats = param(10.0, "Hz", "spikes per second", at_least=0.0)

    def init(self, xp: Any) -> State:
        return self.State()

    def derivatives(self, xp: Any, s: State, i_syn: Array) -> State:
        return self.State()

    def hazard(self, xp: Any, s: State, i_syn: Array) -> Array:
        return xp.maximum(self.rate + i_syn, 0.0) * 1e-3

    def max_dt(self) -> float:
        highest = float(np.max(self.rate))
        return 100.0 / highest if highest > 0 else float("inf")  # at most one step in ten spikes
