"""Arguments of a simulation that cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.errors import UsageError, nearest
from neurosim.parameters import is_number

if TYPE_CHECKING:
    from neurosim.network import Network

_PRECISIONS = ("float64", "float32")
_MOST_STEPS = 2**31 - 1  # kernels keep the step of a neuron's last spike in 32 bits
_FUSE = ("auto", "require", "off")


def check_options(*, precision: Any, fuse: Any, seed: Any) -> None:
    """Refuse options that no simulation takes.

    Raises
    ------
    UsageError
        The message says what to write instead.
    """
    if precision not in _PRECISIONS:
        raise UsageError(f"unknown precision {precision!r}: {nearest(str(precision), _PRECISIONS)}")
    if fuse not in _FUSE:
        raise UsageError(f"unknown fuse {fuse!r}: {nearest(str(fuse), _FUSE)}")
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**64:
        raise UsageError(f"seed = {seed!r}: must be a whole number from 0 to 2**64 - 1")


def check_dt(dt: Any, net: Network) -> None:
    """Refuse a step that a model or a refractory period cannot take."""
    if not is_number(dt) or dt <= 0:
        raise UsageError(f"dt = {dt!r} ms: must be a finite number above 0, for example dt=0.1")
    for p in net.populations:
        limit = p.neuron.max_dt()
        if dt > limit:
            raise UsageError(
                f"dt = {dt:g} ms is too large for population {p.name!r}: {type(p.model).__name__} is stable "
                f"up to {limit:g} ms with these parameters; write dt={limit / 2:g} or less"
            )
        if p.t_ref and round(p.t_ref / dt) < 1:
            raise UsageError(
                f"population {p.name!r}: t_ref = {p.t_ref:g} ms is less than half a step of {dt:g} ms: "
                f"write t_ref=0 or t_ref={dt:g}"
            )


def check_end(first: int, steps: int, dt: float) -> None:
    """Refuse steps beyond those that are counted."""
    if first + steps > _MOST_STEPS:
        raise UsageError(
            f"this run would end at step {first + steps}, and steps are counted up to {_MOST_STEPS}: run at most "
            f"{(_MOST_STEPS - first) * dt:.12g} ms, or take a larger dt"
        )


def whole_steps(duration: Any, dt: float) -> int:
    """A duration in steps."""
    if not is_number(duration) or duration < 0:
        raise UsageError(f"duration = {duration!r} ms: must be a finite number, at least 0")
    steps = round(duration / dt)
    if abs(steps * dt - duration) > 1e-6 * dt + 1e-12 * duration:
        raise UsageError(
            f"duration = {duration!r} ms is no whole number of steps of {dt:g} ms: "
            f"write duration={max(steps, 1) * dt:.12g}"
        )
    return steps
