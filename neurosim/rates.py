"""Functions that gating rates share."""

from __future__ import annotations

from typing import Any

_SMALL = 1e-4  # below it the series is exact to x⁴/720 = 1e-19


def linoid(xp: Any, x: Any) -> Any:
    """x / (eˣ − 1), with its limit 1 at x = 0, without a branch.

    Hodgkin and Huxley's α_n and α_m have this form and are 0/0 at V = 10 and 25 mV. Near 0 it is the series
    1 − x/2 + x²/12.
    """
    near = xp.abs(x) < _SMALL
    series = 1.0 - x * (0.5 - x * (1.0 / 12.0))
    return xp.where(near, series, x / xp.expm1(xp.where(near, 1.0, x)))
