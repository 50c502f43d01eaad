"""A task of learning as a file: samples, first weights, the order of the batches; and what its contenders share.

Weights of a network are one vector: of each layer the weights (inputs, outputs), row by row, then the biases.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from _serve import Prepared

CROSS_ENTROPY, SQUARES = "cross_entropy", "mean_squared_error"


@dataclass(frozen=True)
class Task:
    """What is to be learned, and how.

    Attributes
    ----------
    x, target : ndarray, shape (samples, inputs), (samples, outputs)
        Of all networks.
    w0 : ndarray, shape (networks, P)
        First weights.
    order : ndarray of int, shape (epochs, samples)
        Of the samples; empty where every update sees all.
    facts : dict
        ``sizes`` of the layers, activations ``hidden`` and ``output``, ``loss``, ``optimizer`` with its ``name`` and
        parameters, samples of a ``batch``, ``iterations``, ``stop_error`` or None, ``seed``.
    """

    x: np.ndarray
    target: np.ndarray
    w0: np.ndarray
    order: np.ndarray
    facts: dict[str, Any]

    def save(self, path: Path) -> None:
        """Write a file."""
        arrays = {name: getattr(self, name) for name in ("x", "target", "w0", "order")}
        np.savez(path, **arrays, facts=np.array(json.dumps(self.facts)))

    @staticmethod
    def load(path: Path | str) -> "Task":
        """Read a file."""
        with np.load(path) as file:
            arrays = {name: file[name] for name in ("x", "target", "w0", "order")}
            return Task(**arrays, facts=json.loads(str(file["facts"])))

    @property
    def per_epoch(self) -> int:
        """Batches."""
        return -(-len(self.x) // self.facts["batch"])

    @property
    def iterations(self) -> int:
        """Updates, or the most of them where there is an error to stop at."""
        return self.facts["iterations"]

    @property
    def labels(self) -> np.ndarray:
        """Number of the class of each sample."""
        return self.target.argmax(axis=1)

    def batch(self, k: int) -> np.ndarray:
        """Numbers of the samples of an update."""
        epoch, number = divmod(k, self.per_epoch)
        return self.order[epoch, number * self.facts["batch"] : (number + 1) * self.facts["batch"]]

    def layers(self, w: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """Weights (…, inputs, outputs) and biases (…, outputs) of each layer, of vectors (…, P)."""
        found, begin = [], 0
        for n, m in pairwise(self.facts["sizes"]):
            weight, bias = w[..., begin : begin + n * m], w[..., begin + n * m : begin + (n + 1) * m]
            found.append((weight.reshape(*w.shape[:-1], n, m), bias))
            begin += (n + 1) * m
        return found

    def flat(self, layers: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
        """The vectors, (…, P), of layers."""
        parts = [a.reshape(*b.shape[:-1], -1) for weight, bias in layers for a, b in ((weight, bias), (bias, bias))]
        return np.concatenate(parts, axis=-1)

    def loss(self, w: np.ndarray) -> float:
        """Of all samples, of one network, in float64: by this all contenders are judged."""
        y = self.x
        layers = self.layers(np.asarray(w, dtype=np.float64))
        for k, (weight, bias) in enumerate(layers):
            y = y @ weight + bias
            kind = self.facts["hidden"] if k + 1 < len(layers) else self.facts["output"]
            y = np.tanh(y) if kind == "tanh" else y
        if self.facts["loss"] == SQUARES:
            return float(np.mean((y - self.target) ** 2))
        largest = y.max(axis=1, keepdims=True)
        total = np.log(np.exp(y - largest).sum(axis=1, keepdims=True)) + largest
        return float(np.mean(((total - y) * self.target).sum(axis=1)))


def parser(description: str) -> argparse.ArgumentParser:
    """Command line that all contenders understand."""
    made = argparse.ArgumentParser(description=description.partition("\n")[0])
    made.add_argument("--task", required=True, help="file of a task")
    made.add_argument("--weights", help="file for the last weights")
    made.add_argument("--most", type=int, default=10**6, help="networks that are trained, one after the other, at most")
    made.add_argument("--precision", choices=("float32", "float64"), default="float64")
    made.add_argument("--threads", type=int, default=1)
    made.add_argument("--repeat", type=int, default=1, help="runs to time")
    made.add_argument("--serve", action="store_true", help="stay alive and take 'run' lines on stdin")
    return made


def task_of(options: argparse.Namespace) -> Task:
    """The task of a command line, whose size is put into the options."""
    task = Task.load(options.task)
    options.n, options.steps = len(task.x), task.iterations
    return task


# () → seconds, or those of each network; last weights, (networks, P); updates of each network
Train = Callable[[], tuple[float | list[float], np.ndarray, list[int]]]


def prepared(train: Train, weights: str | None, details: dict[str, Any]) -> "Prepared":
    """Of a function that trains from the first weights; those that it ends with are written outside the time."""
    from _serve import Prepared  # not above: the benchmarks import this module as one of a package

    def run() -> tuple[float, dict[str, Any]]:
        seconds, w, iterations = train()
        if weights:
            np.save(weights, np.asarray(w, dtype=np.float64))
        each = {"each": seconds} if isinstance(seconds, list) else {}
        total = sum(seconds) if isinstance(seconds, list) else seconds
        return total, {"iterations": [int(n) for n in iterations], "networks": len(w), **each}

    return Prepared(run, details)
