"""Exponential Euler: every variable relaxes exactly towards its momentary target."""

from __future__ import annotations

from typing import Any

from neurosim.integrators.base import Integrator
from neurosim.integrators.linear import slopes_and_rates

_TINY = 1e-30


class ExponentialEuler(Integrator):
    """x(t + dt) = x + f·(e^{a·dt} − 1)/a where f = dx/dt = a·x + b with the rest frozen.

    Exact for gates at constant voltage, and stable for any dt where a < 0. A variable in which the model is not
    linear (Izhikevich's v) takes a forward Euler step.

    Source: MacGregor (1987), Neural and Brain Modeling; Moore and Ramón (1974).
    """

    name, order = "exponential_euler", 1

    def advance(self, xp, model, s, i_syn, dt, prepared):  # type: ignore[no-untyped-def]
        slopes, rates, decays = slopes_and_rates(xp, model, s, i_syn)
        return type(s)(*(_advanced(xp, *of_one, dt) for of_one in zip(s, slopes, rates, decays, strict=True)))


def _advanced(xp: Any, x: Any, slope: Any, rate: Any, decays: bool, dt: Any) -> Any:
    if rate is None:
        return x + dt * slope
    if decays:  # towards 0, as a receptor's conductance: the factor is computed once for all steps
        return x * xp.exp(rate * dt)
    # A rate of 0 becomes 1e-30, whose quotient is dt; any other rate swallows it.
    rate = rate + _TINY
    return x + (slope / rate) * xp.expm1(rate * dt)


EXPONENTIAL_EULER = ExponentialEuler()
