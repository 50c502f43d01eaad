"""Explicit Runge-Kutta methods."""

from __future__ import annotations

from typing import Any

from neurosim.integrators.base import Integrator, slopes


def _shift(s: Any, slope: Any, dt: Any) -> Any:
    """s + dt · slope."""
    return type(s)(*(x + dt * dx for x, dx in zip(s, slope, strict=True)))


class Euler(Integrator):
    """Forward Euler."""

    name, order = "euler", 1

    def advance(self, xp, model, s, i_syn, dt, prepared):  # type: ignore[no-untyped-def]
        return _shift(s, slopes(xp, model, s, i_syn), dt)


class Heun(Integrator):
    """Heun's method: the mean of the slopes at both ends."""

    name, order = "heun", 2

    def advance(self, xp, model, s, i_syn, dt, prepared):  # type: ignore[no-untyped-def]
        first = slopes(xp, model, s, i_syn)
        second = slopes(xp, model, _shift(s, first, dt), i_syn)
        return type(s)(*(x + 0.5 * dt * (a + b) for x, a, b in zip(s, first, second, strict=True)))


class RK4(Integrator):
    """The classical Runge-Kutta method."""

    name, order = "rk4", 4

    def advance(self, xp, model, s, i_syn, dt, prepared):  # type: ignore[no-untyped-def]
        k1 = slopes(xp, model, s, i_syn)
        k2 = slopes(xp, model, _shift(s, k1, 0.5 * dt), i_syn)
        k3 = slopes(xp, model, _shift(s, k2, 0.5 * dt), i_syn)
        k4 = slopes(xp, model, _shift(s, k3, dt), i_syn)
        sixth = dt * (1.0 / 6.0)
        return type(s)(*(x + sixth * (a + 2.0 * (b + c) + d) for x, a, b, c, d in zip(s, k1, k2, k3, k4, strict=True)))


EULER, HEUN, RK4_ = Euler(), Heun(), RK4()
