"""The Hodgkin-Huxley population in JAX: one compiled ``lax.scan`` over the steps, on the CPU."""

import argparse
import time
from typing import Any

from _serve import DT, MAX_CURRENT, THRESHOLD, Prepared, main, parser


def build(options: argparse.Namespace) -> Prepared:
    """Compile the whole run ahead of time, so that compilation is not timed."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    jax.config.update("jax_enable_x64", options.precision == "float64")

    def ratio(x: Any) -> Any:
        """x/(exp(x)-1), and its series where the quotient cancels; faster in XLA than with expm1."""
        return jnp.where(jnp.abs(x) < 1e-4, 1 - x / 2, x / (jnp.exp(x) - 1))

    def rates(v: Any) -> tuple[tuple[Any, Any], ...]:
        """Opening and closing rates of m, h and n, per ms."""
        return (
            (ratio((25 - v) / 10), 4 * jnp.exp(-v / 18)),
            (0.07 * jnp.exp(-v / 20), 1 / (jnp.exp((30 - v) / 10) + 1)),
            (0.1 * ratio((10 - v) / 10), 0.125 * jnp.exp(-v / 80)),
        )

    def relax(x: Any, target: Any, rate: Any) -> Any:
        return target + (x - target) * jnp.exp(-DT * rate)

    def simulate(current: Any) -> tuple[Any, ...]:
        def step(state: tuple[Any, ...], _: None) -> tuple[tuple[Any, ...], None]:
            v, m, h, n, spikes = state
            sodium, potassium = 120 * m**3 * h, 36 * n**4
            total = sodium + potassium + 0.3
            v_target = (115 * sodium - 12 * potassium + 0.3 * 10.613 + current) / total
            v_new = relax(v, v_target, total)
            gates = (relax(x, a / (a + b), a + b) for x, (a, b) in zip((m, h, n), rates(v), strict=True))
            crossed = (v <= THRESHOLD) & (v_new > THRESHOLD)
            return (v_new, *gates, spikes + jnp.sum(crossed, dtype=jnp.int32)), None

        v = jnp.zeros_like(current)
        start = (v, *(a / (a + b) for a, b in rates(v)), jnp.int32(0))
        return jax.lax.scan(step, start, length=options.steps)[0]

    current = jnp.asarray(np.linspace(0, MAX_CURRENT, options.n).astype(options.precision))
    compiled = jax.jit(simulate).lower(current).compile()

    def run() -> tuple[float, int]:
        begin = time.perf_counter()
        final = jax.block_until_ready(compiled(current))
        return time.perf_counter() - begin, int(final[-1])

    return Prepared(run)


if __name__ == "__main__":
    main("jax", "jax", build, parser(__doc__).parse_args())
