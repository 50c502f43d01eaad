"""What tests of second-order optimizers share."""

import numpy as np
from learning import random

from neurosim.backends import get
from neurosim.learn import FunctionObjective, Objective
from neurosim.learn.line_search import Found, LineSearch


def definite(n, seed=1, condition=100.0):
    """A symmetric matrix with eigenvalues from 1 to ``condition``."""
    vectors, _ = np.linalg.qr(random(n, n, seed=seed))
    return vectors * np.geomspace(1.0, condition, n) @ vectors.T


def bowl(matrix):
    """½ wᵀ A w."""

    def function(xp, w):
        return 0.5 * xp.sum(xp.matmul(w, xp.asarray(matrix)) * w, axis=-1, keepdims=True)

    return FunctionObjective(function)


def chain(xp, w):
    """Rosenbrock's valley in more dimensions."""
    a, b = w[..., 1:] - w[..., :-1] * w[..., :-1], 1.0 - w[..., :-1]
    return xp.sum(10.0 * a * a + b * b, axis=-1, keepdims=True)


def walk(optimizer, problem, w, steps):
    """Weights and states after every step, as the loop makes them."""
    state = optimizer.init(np, problem, w)
    found = [(w, state)]
    for _ in range(steps):
        with np.errstate(all="ignore"):
            w, state, _ = optimizer.step(np, problem, w, state)
        found.append((w, state))
    return found


def order(errors):
    """Order of convergence by the last three errors that rounding has not reached."""
    e = np.log([x for x in errors if x > 1e-13][-3:])
    return (e[2] - e[1]) / (e[1] - e[0])


class Wrong(Objective):
    """w² with a gradient of the wrong sign: nothing falls along any direction."""

    backend, precision = get("numpy"), "float64"

    def value_in(self, xp, w):
        return xp.sum(w * w, axis=-1, keepdims=True)

    def value_and_grad_in(self, xp, w):
        return self.value_in(xp, w), -2.0 * w

    def select(self, rows):
        return self


class Full(LineSearch):
    """Steps of 1; the first, along −g, of min(1, 1 / Σ |g|), as torch's."""

    name = "full"

    def search(self, xp, objective, w, value, grad, direction, first):
        taxi = np.abs(grad).sum(axis=1, keepdims=True)
        step = np.where(
            (direction == -grad).all(axis=1, keepdims=True), np.minimum(1.0, 1.0 / taxi), np.ones_like(value)
        )
        new = w + step * direction
        return Found(new, *objective.value_and_grad(new), step, np.ones_like(step), np.ones_like(step, bool))
