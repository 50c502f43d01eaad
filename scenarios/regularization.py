"""Regularization: small weights keep a network from learning the noise.

Adding ½ρ Σ w² to the error (L2, weight decay) has a closed form where the network is linear: ridge regression. Networks
here reach it to rounding, for penalties over six decades. A network of 20 tanh units then learns 10 noisy points of a
sine: without a penalty it follows the noise; with too large a one it follows nothing; between them the error on points
that were not seen is least. Stopping early works like a penalty: in descent on a quadratic, t steps of η filter a
direction of curvature λ by 1 − (1 − ηλ)^t, a penalty by λ/(λ + ρ).

References: Hoerl & Kennard, Technometrics 12:55 (1970), ridge regression; Krogh & Hertz, NIPS 4:950 (1992), weight
decay; Goodfellow, Bengio & Courville, Deep Learning (2016), section 7.8, early stopping.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from neurosim.backends import get
from neurosim.learn import MLP, ConjugateGradients, Dense, GradientDescent, Sequential, draws, fit
from neurosim.plotting import BLACK, BLUE, COLOURS, GREEN, GREY, RED, subplots
from neurosim.scenario import Check, Outcome, scaled

SOURCE = "slides 38–41 · Hoerl & Kennard 1970, Krogh & Hertz 1992"
SECONDS = 12.0
CHECKS = (
    Check("ridge: largest error of a weight, relative", 0.0, 2e-3, "Hoerl & Kennard 1970: (X'X + ρ)⁻¹ X'y"),
    Check("ridge: |w| that rises with the penalty", 0.0, 0.0, "Hoerl & Kennard 1970: falls in ρ"),
    Check("early stop: largest error of the filter", 0.0, 2e-3, "1 − (1 − ηλ)^t, relative"),
    Check("|w| at the best penalty / without one", 0.5, 0.0, "Krogh & Hertz 1992: smaller weights", "at most"),
    Check("gap of test and training, best penalty / without", 0.7, 0.0, "Krogh & Hertz 1992", "at most"),
    Check("test error, best penalty / without one", 0.8, 0.0, "Krogh & Hertz 1992: better on new points", "at most"),
    Check("training error, largest penalty / without", 5.0, 0.0, "too large a penalty underfits", "at least"),
)
PENALTIES = np.concatenate([[0.0], np.geomspace(1e-7, 1.0, 15)])
POINTS, NOISE, HIDDEN = 10, 0.5, 20
FEATURES, ROWS, STEPS = 6, 40, 60


def ridge(library: Any, precision: str, seed: int) -> dict[str, np.ndarray]:
    """A linear unit with a penalty, beside the closed form; and descent stopped early, beside its."""
    x = draws.normal(seed, "data", ROWS * FEATURES, series=0).reshape(ROWS, -1) * np.geomspace(1.0, 0.2, FEATURES)
    y = x @ np.linspace(2.0, -1.5, FEATURES) + 0.3 * draws.normal(seed, "data", ROWS, series=1)
    unit = Sequential((Dense(FEATURES, 1, bias=False),))
    penalties = np.geomspace(1e-4, 1e2, 13)
    history = fit(
        unit, (x, y), ConjugateGradients(), l2=penalties, w0=np.zeros(FEATURES), iterations=200, min_grad=1e-9,
        backend=library, precision=precision,
    )  # fmt: skip
    curvature, target = 2.0 * x.T @ x / ROWS, 2.0 * x.T @ y / ROWS  # of the mean squared error
    closed = np.stack([np.linalg.solve(curvature + rho * np.eye(FEATURES), target) for rho in penalties])
    values, vectors = np.linalg.eigh(curvature)
    rate = 0.5 / values.max()
    stopped = fit(
        unit, (x, y), GradientDescent(rate), w0=np.zeros(FEATURES), iterations=STEPS, backend=library,
        precision=precision,
    )  # fmt: skip
    least = np.linalg.solve(curvature, target)
    return {
        "penalties": penalties,
        "learned": history.w.astype(float),
        "closed": closed,
        "filter": (stopped.w[0].astype(float) @ vectors) / (least @ vectors),
        "closed filter": 1.0 - (1.0 - rate * values) ** STEPS,
        "values": values,
        "rate": np.array(rate),
    }


def run(
    *, backend: str = "auto", scale: float = 1.0, seed: int = 0, precision: str = "float64", fuse: str = "auto"
) -> Outcome:
    """Ridge regression, and sixteen penalties for each of 16 samples of points at scale 1."""
    library = get(backend)
    linear = ridge(library, precision, seed)
    samples, each = scaled(16, scale, at_least=8), len(PENALTIES)
    x = draws.uniform(seed, "data", samples * POINTS, series=2).reshape(samples, POINTS, 1)
    y = np.sin(2.0 * math.pi * x) + NOISE * draws.normal(seed, "data", samples * POINTS, series=3).reshape(x.shape)
    network = MLP((1, HIDDEN, 1), ("tanh", "linear"), weight_init="glorot_normal")
    w0 = np.repeat(network.params.initial(seed, range(samples)), each, axis=0)
    w0[:, : 2 * HIDDEN] *= 4.0
    w0[:, HIDDEN : 2 * HIDDEN] = -0.5 * w0[:, :HIDDEN]
    history = fit(
        network, (np.repeat(x, each, axis=0), np.repeat(y, each, axis=0)), ConjugateGradients(),
        l2=np.tile(PENALTIES, samples), w0=w0, iterations=scaled(1500, scale, at_least=400), every=100,
        backend=library, precision=precision,
    )  # fmt: skip
    fine = np.linspace(0.0, 1.0, 200)[:, None]
    curves = network.predict(history.w, fine)[..., 0].astype(float).reshape(samples, each, -1)
    fitted = network.predict(history.w, np.repeat(x, each, axis=0)).astype(float).reshape(samples, each, POINTS)
    training = ((fitted - y[:, None, :, 0]) ** 2).mean(axis=-1)
    # Of new points with the same noise; the noise itself no network can know.
    test = ((curves - np.sin(2.0 * math.pi * fine[:, 0])) ** 2).mean(axis=-1) + NOISE**2
    decays = network.params.decays.astype(bool)
    lengths = np.linalg.norm(history.w[:, decays].astype(float), axis=1).reshape(samples, each)
    typical = {"training": np.median(training, axis=0), "test": np.median(test, axis=0)}
    best = int(np.argmin(typical["test"]))
    size = np.median(lengths, axis=0)
    gap = np.median(test - training, axis=0)
    norms = np.linalg.norm(linear["learned"], axis=1)
    metrics = {
        "ridge: largest error of a weight, relative": (
            np.abs(linear["learned"] - linear["closed"]).max(axis=1) / np.abs(linear["closed"]).max(axis=1)
        ).max(),
        "ridge: |w| that rises with the penalty": (np.diff(norms) > 0.0).sum(),
        "early stop: largest error of the filter": np.abs(linear["filter"] / linear["closed filter"] - 1.0).max(),
        "best penalty": PENALTIES[best],
        "|w| at the best penalty / without one": size[best] / size[0],
        "gap of test and training, best penalty / without": gap[best] / gap[0],
        "test error, best penalty / without one": typical["test"][best] / typical["test"][0],
        "training error, largest penalty / without": typical["training"][-1] / typical["training"][0],
    }
    figures = {
        "regularization": draw(x[0, :, 0], y[0, :, 0], fine[:, 0], curves[0], best),
        "regularization_curves": draw_curves(linear, training, test, size, best),
    }
    return Outcome(figures, {k: float(v) for k, v in metrics.items()}, history.provenance)


def draw(x: np.ndarray, y: np.ndarray, fine: np.ndarray, curves: np.ndarray, best: int) -> Any:
    """The same points learned with no penalty, the best, and the largest."""
    figure, axes = subplots(1, 3, size=(10, 4.0), title=f"{HIDDEN} tanh units, {POINTS} points", sharey=True)
    for ax, k, heading, color in zip(
        axes, (0, best, len(PENALTIES) - 1), ("no penalty", "the best penalty", "too large"), (RED, GREEN, BLUE),
        strict=True,
    ):  # fmt: skip
        ax.plot(fine, np.sin(2.0 * math.pi * fine), "--", color=GREY, label="sine")
        ax.plot(x, y, "o", color=BLACK, ms=5, label="points, noisy")
        ax.plot(fine, curves[k], color=color, lw=2, label="network")
        ax.set(xlabel="x", ylim=(-2.2, 2.9))
        ax.set_title(f"{heading}: ρ = {PENALTIES[k]:.2g}", loc="left")
        ax.legend(loc="upper right")
    axes[0].set_ylabel("y")
    return figure


def draw_curves(linear: dict, training: np.ndarray, test: np.ndarray, size: np.ndarray, best: int) -> Any:
    """Errors, lengths of weights, and the closed forms."""
    figure, ((errors, length), (path, early)) = subplots(2, 2, size=(10, 6.4), title="What a penalty does")
    shown = np.concatenate([[PENALTIES[1] / 5.0], PENALTIES[1:]])  # ρ = 0 has no place on a logarithmic axis
    for name, values, color in (("training", training, BLUE), ("test", test, RED)):
        low, middle, high = np.quantile(values, (0.25, 0.5, 0.75), axis=0)
        errors.loglog(shown, middle, "o-", color=color, ms=4, label=f"{name}, median and quartiles")
        errors.fill_between(shown, low, high, color=color, alpha=0.15, lw=0)
    errors.axvline(shown[best], color=GREEN, lw=1, label="best")
    errors.axhline(NOISE**2, color=GREY, ls="--", lw=1, label="variance of the noise")
    errors.set(ylabel="mean squared error", xlabel="penalty ρ (leftmost: 0)", ylim=(0.008, 12))
    errors.set_title("Too small overfits, too large underfits", loc="left")
    errors.legend(fontsize=8, loc="upper left", ncols=2)
    length.loglog(shown, size, "o-", color=BLUE, ms=4)
    length.axvline(shown[best], color=GREEN, lw=1)
    length.set(ylabel="length of the weights", xlabel="penalty ρ (leftmost: 0)")
    length.set_title("Weights shrink", loc="left")
    for k, color in zip(range(FEATURES), COLOURS, strict=False):
        path.semilogx(linear["penalties"], linear["closed"][:, k], color=color, lw=1)
        path.semilogx(linear["penalties"], linear["learned"][:, k], "o", color=color, ms=4)
    path.set(xlabel="penalty ρ", ylabel="weight")
    path.set_title("Linear unit: points learned, lines (X'X + ρ)⁻¹X'y", loc="left")
    values = linear["values"]
    fine = np.geomspace(values.min(), values.max(), 100)
    early.semilogx(fine, 1.0 - (1.0 - linear["rate"] * fine) ** STEPS, color=GREY, label="1 − (1 − ηλ)ᵗ")
    early.semilogx(values, linear["filter"], "o", color=BLUE, label=f"descent, stopped after {STEPS} steps")
    early.set(xlabel="curvature λ of a direction", ylabel="share of the least-squares weight")
    early.set_title("Stopping early is a filter, too", loc="left")
    early.legend(loc="lower right")
    return figure


if __name__ == "__main__":
    from neurosim.scenario import main

    main(__file__)
