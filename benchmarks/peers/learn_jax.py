"""Gradient descent with momentum in JAX, all networks at once: the whole loop compiled, or one step.

``--way loop`` is one ``lax.scan`` over the updates, the fastest that JAX has; ``--way step`` a compiled update that
Python calls in a loop. ``--way vmap`` is the loop, too; the name tells that there are several networks.
"""

import argparse
import time
from typing import Any

from _learning import SQUARES, parser, prepared, task_of
from _serve import Prepared, main


def build(options: argparse.Namespace) -> Prepared:
    """Compile ahead of time, so that compilation is not timed."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    jax.config.update("jax_enable_x64", options.precision == "float64")
    task = task_of(options)
    facts = task.facts
    method = facts["optimizer"]
    if method["name"] != "gradient_descent" or facts["stop_error"] is not None:
        raise SystemExit("the contender in JAX has gradient descent for a number of iterations only")
    rate, momentum = method["learning_rate"], method.get("momentum", 0.0)
    x, target = (jnp.asarray(a.astype(options.precision)) for a in (task.x, task.target))
    several = len(task.w0) > 1

    def loss(layers: Any, x: Any, target: Any) -> Any:
        y = x
        for k, (weight, bias) in enumerate(layers):
            y = y @ weight + bias
            if k + 1 < len(layers) or facts["output"] == "tanh":
                y = jnp.tanh(y)
        if facts["loss"] == SQUARES:
            return jnp.mean((y - target) ** 2)
        return -jnp.mean(jnp.sum(jax.nn.log_softmax(y) * target, axis=-1))

    gradient = jax.grad(loss)
    if several:
        gradient = jax.vmap(gradient, in_axes=(0, None, None))

    def update(state: Any, number: Any) -> tuple[Any, None]:
        layers, speed = state
        batch = (x, target) if number is None else (x[number], target[number])
        grads = gradient(layers, *batch)
        speed = jax.tree.map(lambda s, g: momentum * s + rate * g, speed, grads)
        return (jax.tree.map(lambda w, s: w - s, layers, speed), speed), None

    given = task.w0.astype(options.precision)
    layers = [tuple(jnp.asarray(a) for a in pair) for pair in task.layers(given if several else given[0])]
    state = (layers, jax.tree.map(jnp.zeros_like, layers))
    numbers = None
    if task.per_epoch > 1:
        numbers = jnp.asarray(np.stack([task.batch(k) for k in range(task.iterations)]))
    if options.way == "step":
        step = jax.jit(lambda state, number: update(state, number)[0])
        jax.block_until_ready(step(state, None if numbers is None else numbers[0]))
        each = [None] * task.iterations if numbers is None else list(numbers)

        def go(state: Any) -> Any:
            for number in each:
                state = step(state, number)
            return state
    else:
        whole = jax.jit(lambda state: jax.lax.scan(update, state, numbers, length=task.iterations)[0])
        go = whole.lower(state).compile()
        jax.block_until_ready(go(state))  # the first call takes longer all the same

    def train() -> tuple[float, np.ndarray, list[int]]:
        begin = time.perf_counter()
        last, _ = jax.block_until_ready(go(state))
        seconds = time.perf_counter() - begin
        pairs = [(np.asarray(a), np.asarray(b)) for a, b in last]
        w = np.atleast_2d(task.flat(pairs))
        return seconds, w, [task.iterations] * len(w)

    return prepared(train, options.weights, {"way": options.way})


if __name__ == "__main__":
    arguments = parser(__doc__)
    arguments.add_argument("--way", choices=("loop", "step", "vmap"), default="loop")
    main("jax", "jax", build, arguments.parse_args())
