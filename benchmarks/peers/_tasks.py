"""The tasks of the benchmarks of learning, as neurosim declares them, and as files for its peers.

``python _tasks.py points FILE.npz`` writes one.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from _learning import CROSS_ENTROPY, SQUARES, Task

from neurosim.learn import MLP, draws
from neurosim.learn.data import load

SEED = 0
MOMENTUM = {"name": "gradient_descent", "momentum": 0.9}


def points() -> tuple[np.ndarray, np.ndarray, int]:
    """The lecture's 600 points of two classes."""
    train, _ = load("horseshoe").split(0.3)
    return train.x, train.labels, len(train)


def spirals() -> tuple[np.ndarray, np.ndarray, int]:
    """1000 points on three arms of a spiral."""
    data = load("spirals", n=1000, arms=3, turns=0.75)
    return data.x, data.labels, len(data)


def digits() -> tuple[np.ndarray, np.ndarray, int]:
    """1792 of scikit-learn's digits, which are 28 batches of 64."""
    data = load("handwritten")
    return data.x[:1792], data.labels[:1792], 64


NETWORKS = {
    "points": (points, (2, 10, 5, 2), CROSS_ENTROPY, {**MOMENTUM, "learning_rate": 0.2}),
    "points_squares": (points, (2, 10, 5, 2), SQUARES, {"name": "lma"}),
    "spirals": (spirals, (2, 16, 16, 3), CROSS_ENTROPY, {**MOMENTUM, "learning_rate": 0.1}),
    "spirals_squares": (spirals, (2, 16, 16, 3), SQUARES, {"name": "lma"}),
    "digits": (digits, (64, 64, 10), CROSS_ENTROPY, {**MOMENTUM, "learning_rate": 0.02}),
}


def task(
    name: str, networks: int, iterations: int, optimizer: dict[str, object] | None, stop_error: float | None
) -> Task:
    """The task of a name."""
    make, sizes, loss, method = NETWORKS[name]
    x, labels, batch = make()
    squares = loss == SQUARES
    output = "tanh" if squares else "softmax"
    network = MLP(sizes, (*["tanh"] * (len(sizes) - 2), output))
    target = np.where(labels[:, None] == np.arange(sizes[-1]), 1.0, -1.0 if squares else 0.0)
    epochs = -(-iterations // -(-len(x) // batch)) if batch < len(x) else 0
    order = [draws.permutation(SEED, "order", len(x), series=epoch) for epoch in range(epochs)]
    facts = {
        "sizes": sizes,
        "hidden": "tanh",
        "output": output,
        "loss": loss,
        "optimizer": optimizer or method,
        "batch": batch,
        "iterations": iterations,
        "stop_error": stop_error,
        "seed": SEED,
    }
    w0 = network.params.initial(SEED, range(networks))
    return Task(x, target, w0, np.array(order, dtype=np.int64).reshape(epochs, len(x)), facts)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("name", choices=tuple(NETWORKS))
    arguments.add_argument("path", type=Path)
    arguments.add_argument("--networks", type=int, default=1)
    arguments.add_argument("--iterations", type=int, default=1000)
    arguments.add_argument("--optimizer", type=json.loads)
    arguments.add_argument("--stop-error", type=float)
    chosen = arguments.parse_args()
    made = task(chosen.name, chosen.networks, chosen.iterations, chosen.optimizer, chosen.stop_error)
    made.save(chosen.path)
    print(json.dumps({"networks": len(made.w0), "samples": len(made.x), **made.facts}))
