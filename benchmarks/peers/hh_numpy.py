"""The Hodgkin-Huxley population in NumPy, written by hand with preallocated arrays."""

import argparse
import time
from typing import Any

from _serve import DT, MAX_CURRENT, THRESHOLD, Prepared, main, parser


def build(options: argparse.Namespace) -> Prepared:
    """Allocate the state and the scratch arrays once; every run starts again from rest."""
    import numpy as np

    def ratio(x: Any, out: Any) -> None:
        """Put x/(exp(x)-1) in ``out``, and its limit 1 where x is 0."""
        np.expm1(x, out=out)
        np.divide(x, out, out=out)
        np.equal(x, 0, out=flag)
        # in float32 a few of 1e5 neurons do land on it exactly
        if flag.any():
            out[flag] = 1

    def exponential(out: Any, factor: float, scale: float) -> None:
        """Put factor*exp(-V/scale) in ``out``."""
        np.divide(v, -scale, out=out)
        np.exp(out, out=out)
        out *= factor

    def relax(x: Any, target: Any, rate: Any) -> None:
        """Move x towards its target for one step at a constant rate; overwrites ``rate``."""
        np.multiply(rate, -DT, out=rate)
        np.exp(rate, out=rate)
        x -= target
        x *= rate
        x += target

    def rates_m() -> None:
        np.subtract(2.5, np.divide(v, 10, out=x), out=x)
        ratio(x, alpha)
        exponential(beta, 4, 18)

    def rates_h() -> None:
        exponential(alpha, 0.07, 20)
        np.subtract(3, np.divide(v, 10, out=beta), out=beta)
        np.exp(beta, out=beta)
        np.add(beta, 1, out=beta)
        np.reciprocal(beta, out=beta)

    def rates_n() -> None:
        np.subtract(1, np.divide(v, 10, out=x), out=x)
        ratio(x, alpha)
        np.multiply(alpha, 0.1, out=alpha)
        exponential(beta, 0.125, 80)

    def membrane() -> None:
        """Put the conductance in ``total`` and the potential that V tends to in ``v_target``."""
        # powers by multiplication: np.power costs fifty times as much
        np.multiply(m, m, out=x)
        np.multiply(x, m, out=x)
        np.multiply(x, h, out=x)
        np.multiply(x, 120, out=x)
        np.multiply(n, n, out=total)
        np.multiply(total, total, out=total)
        np.multiply(total, 36, out=total)
        np.multiply(x, 115, out=v_target)
        np.multiply(total, 12, out=alpha)
        np.subtract(v_target, alpha, out=v_target)
        np.add(v_target, current, out=v_target)
        np.add(total, x, out=total)
        np.add(total, 0.3, out=total)
        np.divide(v_target, total, out=v_target)

    def gate(state: Any) -> None:
        np.add(alpha, beta, out=beta)
        np.divide(alpha, beta, out=alpha)
        relax(state, alpha, beta)

    def step() -> int:
        membrane()
        rates_m()
        gate(m)
        rates_h()
        gate(h)
        rates_n()
        gate(n)
        np.less_equal(v, THRESHOLD, out=below)
        relax(v, v_target, total)
        np.greater(v, THRESHOLD, out=flag)
        np.logical_and(flag, below, out=flag)
        return int(np.count_nonzero(flag))

    def rest() -> None:
        v[:] = 0
        for rates, state in ((rates_m, m), (rates_h, h), (rates_n, n)):
            rates()
            np.divide(alpha, alpha + beta, out=state)

    def run() -> tuple[float, int]:
        rest()
        begin = time.perf_counter()
        with np.errstate(invalid="ignore"):
            spikes = sum(step() for _ in range(options.steps))
        return time.perf_counter() - begin, spikes

    current = np.linspace(0, MAX_CURRENT, options.n).astype(options.precision)
    # the leak's share of what drives V does not change either
    current += 0.3 * 10.613
    v, m, h, n, alpha, beta, x, total, v_target = np.zeros((9, options.n), options.precision)
    flag, below = np.zeros((2, options.n), bool)
    return Prepared(run)


if __name__ == "__main__":
    main("numpy", "numpy", build, parser(__doc__).parse_args())
