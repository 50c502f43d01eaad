"""Functions that gating rates share."""

from __future__ import annotations

from typing import Any

# Where the series takes over: its error x⁴/720 and the digits that eˣ − 1 has lost are both 1e-13 here.
_NEAR = 2.5e-3


def linoid(xp: Any, x: Any) -> Any:
    """x / (eˣ − 1), with its limit 1 at x = 0, without a branch.

    Hodgkin and Huxley's α_n and α_m have this form and are 0/0 at V = 10 and 25 mV. Near 0 it is the series
    1 − x/2 + x²/12. The exponential is not hidden in expm1, so that kernels can share it with the
    other rates.
    """
    near = xp.abs(x) < _NEAR
    series = 1.0 - x * (0.5 - x * (1.0 / 12.0))
    # 1e-30 is lost in any sum but 0, where it keeps the unused quotient finite.
    return xp.where(near, series, x / (xp.exp(x) - 1.0 + 1e-30))
