"""Backpropagation against differences: for every activation and every loss, and as the slide has it.

The gradient of the error is compared with central differences, (E(w + h) − E(w − h))/2h, in every weight. Their own
error is a V: above, the third derivative leaves a term of h²; below, rounding leaves eps/h. The best h is about the
third root of eps, the error there about eps to the power ⅔; backpropagation has no h and no such error. What is written
on slides 34 to 37, δ = ∂E/∂y in the output layer, lacks the factor of the activation's derivative: then nothing
agrees, unless the outputs are linear, or softmax with cross-entropy, where δ = y − t is right.

References: Rumelhart, Hinton & Williams, Nature 323:533 (1986); Nocedal & Wright, Numerical Optimization (2006),
section 8.1, differences.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from neurosim.backends import get
from neurosim.errors import UsageError
from neurosim.learn import ACTIVATIONS, LOSSES, MLP, Samples, draws, one_hot
from neurosim.learn.losses import get_loss
from neurosim.learn.network_objective import NetworkObjective, network_objective
from neurosim.plotting import BLACK, BLUE, GREEN, GREY, RED, subplots
from neurosim.scenario import Check, Outcome, scaled

SOURCE = "slides 32–37 · Rumelhart et al. 1986"
SECONDS = 1.5
CHECKS = (
    Check("backpropagation - differences, largest", 0.0, 1e-6, "the definition of the derivative; relative"),
    Check("backpropagation in this precision, in roundings", 0.0, 2000.0, "against float64; no h, no loss", unit="eps"),
    Check("differences: slope for large h", 2.0, 0.1, "Nocedal & Wright 2006: h²"),
    Check("differences: slope for small h", -1.0, 0.35, "Nocedal & Wright 2006: eps/h"),
    Check("differences: log(least error) / log(eps)", 0.667, 0.12, "Nocedal & Wright 2006: eps^(2/3)"),
    Check("slide's δ, linear outputs: wrong by", 0.0, 1e-5, "derivative 1: the slide is right"),
    Check("slide's δ, sigmoid outputs: wrong by", 0.5, 0.0, "the factor y (1 − y) ≤ 1/4 is missing", "at least"),
    Check("δ = y - t for softmax and cross-entropy: wrong by", 0.0, 1e-5, "Bridle 1990"),
)
SIZES = (4, 6, 5, 3)
NO_DERIVATIVE = ("heaviside", "sign", "stochastic_binary")  # or none but 0: nothing to compare


def samples(n: int, seed: int, name: str) -> Samples:
    """Random inputs, and targets that a loss takes: probabilities, or else signs."""
    x = draws.normal(seed, "data", n * SIZES[0], series=0).reshape(n, -1)
    labels = draws.words(seed, "data", n, series=1) % SIZES[-1]
    soft = 0.7 * one_hot(labels, SIZES[-1]) + 0.1
    try:
        get_loss(name).check(soft)
    except UsageError:
        return Samples(x, one_hot(labels, SIZES[-1], low=-1.0))
    return Samples(x, soft)


def objective(
    hidden: str, outputs: str, loss: str, given: Samples, backend: Any = "numpy", precision: str = "float64"
) -> NetworkObjective:
    """Error of a network with two hidden layers."""
    network = MLP(SIZES, (hidden, hidden, outputs), weight_init="glorot_normal", bias_init="uniform")
    return network_objective(network, get_loss(loss), given, l2=0.01, backend=get(backend), precision=precision)


def weights(seed: int) -> np.ndarray:
    """First weights, shape (1, P); the activations do not matter."""
    return MLP(SIZES, weight_init="glorot_normal", bias_init="uniform").params.initial(seed, [0])


def differences(f: NetworkObjective, w: np.ndarray, h: float) -> np.ndarray:
    """Central differences in every weight, shape (P,): all of them as one ensemble."""
    size = w.shape[-1]
    steps = f.backend.asarray(h * np.concatenate([np.eye(size), -np.eye(size)]) + w, f.precision)
    values = f.backend.to_numpy(f.value(steps))[:, 0].astype(float)
    return (values[:size] - values[size:]) / (2.0 * h)


def gradient(f: NetworkObjective, w: np.ndarray) -> np.ndarray:
    """By backpropagation, shape (P,)."""
    return f.backend.to_numpy(f.value_and_grad(f.backend.asarray(w, f.precision))[1])[0].astype(float)


def relative(a: np.ndarray, b: np.ndarray) -> float:
    """Largest difference, of the largest element."""
    return float(np.abs(a - b).max() / np.abs(b).max())


def of_slide(outputs: str, loss: str, given: Samples, seed: int) -> float:
    """How wrong the gradient is when the output layer's δ is ∂E/∂y, relative."""
    network = MLP(SIZES, ("tanh", "tanh", outputs), weight_init="glorot_normal", bias_init="uniform")
    body, _ = network.without_output()
    w = network.params.initial(seed, [0])
    y, pullback = network.forward(np, w, given.x)
    _, dy = get_loss(loss).sample_losses(np, y, given.target)
    _, right = pullback(dy)
    _, through = body.forward(np, w, given.x)
    delta = y - given.target if loss == "cross_entropy" else dy
    return relative(through(delta)[1], right)


def run(
    *, backend: str = "auto", scale: float = 1.0, seed: int = 0, precision: str = "float64", fuse: str = "auto"
) -> Outcome:
    """All activations and losses; 200 samples at scale 1."""
    library = get(backend)
    n = scaled(200, scale, at_least=20)
    eps = float(np.finfo(precision).eps)
    cases = {(hidden, "mean_squared_error"): "tanh" for hidden in ACTIVATIONS if hidden not in NO_DERIVATIVE}
    cases |= {("tanh", loss): "softmax" for loss in LOSSES}
    found, rounded, pairs = {}, {}, {}
    for (hidden, loss), outputs in cases.items():
        given = samples(n, seed, loss)
        exact = objective(hidden, outputs, loss, given)
        w = weights(seed)
        back = gradient(exact, w)
        by_steps = differences(exact, w, 1e-6 if hidden != "relu" else 1e-9)
        found[hidden, loss] = relative(by_steps, back)
        here = objective(hidden, outputs, loss, given, library, precision)
        # Both of the same weights: rounding them is no error of the gradient.
        same = library.to_numpy(library.asarray(w, precision)).astype(float)
        rounded[hidden, loss] = relative(gradient(here, same), gradient(exact, same)) / eps
        pairs[hidden, loss] = (back, by_steps)

    given = samples(n, seed, "cross_entropy")
    valley = objective("tanh", "sigmoid", "mean_squared_error", given, library, precision)
    w = weights(seed)
    w = library.to_numpy(library.asarray(w, precision)).astype(float)
    back = gradient(objective("tanh", "sigmoid", "mean_squared_error", given), w)
    steps = np.geomspace(eps**0.9, 0.4, 60)
    errors = np.array([relative(differences(valley, w, h), back) for h in steps])
    best = np.argmin(errors)
    large, small = steps > max(5.0 * eps ** (1 / 3), 0.01), steps < 0.2 * eps ** (1 / 3)
    slopes = [np.polyfit(np.log(steps[part]), np.log(errors[part]), 1)[0] for part in (large, small)]
    wrong = {
        "slide's δ, linear outputs": of_slide("linear", "mean_squared_error", given, seed),
        "slide's δ, tanh outputs": of_slide("tanh", "mean_squared_error", given, seed),
        "slide's δ, sigmoid outputs": of_slide("sigmoid", "mean_squared_error", given, seed),
        "δ = y - t for softmax and cross-entropy": of_slide("softmax", "cross_entropy", given, seed),
    }
    metrics = {
        "backpropagation - differences, largest": max(found.values()),
        "activations and losses compared": len(found),
        "backpropagation in this precision, in roundings": max(rounded.values()),
        "differences: slope for large h": slopes[0],
        "differences: slope for small h": slopes[1],
        "differences: log(least error) / log(eps)": np.log(errors[best]) / np.log(eps),
        **{f"{name}: wrong by": value for name, value in wrong.items()},
    }
    figures = {
        "gradient_check": draw(steps, errors, eps, pairs, wrong),
        "gradient_check_cases": draw_cases(found),
    }
    facts = {"backend": library.name, "engine": {"network": "eager"}}
    return Outcome(figures, {k: float(v) for k, v in metrics.items()}, facts)


def draw(steps: np.ndarray, errors: np.ndarray, eps: float, pairs: dict, wrong: dict) -> Any:
    """The V of differences, gradients side by side, and the slide's."""
    figure, (valley, side, bars) = subplots(1, 3, size=(10, 4.4), title="Backpropagation is the gradient")
    valley.loglog(steps, errors, "o", color=BLUE, ms=3, label="differences")
    best = np.argmin(errors)
    valley.loglog(steps, errors[-8] * (steps / steps[-8]) ** 2, color=GREEN, lw=1, label="∝ h²")
    valley.loglog(steps, errors[5] * steps[5] / steps, color=RED, lw=1, label="∝ eps/h")
    valley.axvline(eps ** (1 / 3), color=GREY, ls="--", lw=1, label="h = ∛eps")
    valley.set(xlabel="step h", ylabel="relative error", ylim=(0.1 * errors[best], 30.0))
    valley.set_title("Error of differences", loc="left")
    valley.legend(loc="upper center", ncols=2, fontsize=8)
    for (_, loss), (back, by_steps) in pairs.items():
        side.plot(back, by_steps, ".", color=BLUE if loss == "mean_squared_error" else GREEN, ms=4)
    span = np.array(side.get_xlim())
    side.plot(span, span, color=BLACK, lw=0.7)
    side.plot([], [], "o", color=BLUE, ms=4, label="every activation")
    side.plot([], [], "o", color=GREEN, ms=4, label="every loss")
    side.set(xlabel="backpropagation", ylabel="differences")
    side.set_title(f"{len(pairs)} networks, every weight", loc="left")
    side.legend(loc="upper left")
    names = [name.replace("slide's δ, ", "").replace(" ", "\n") for name in wrong]
    names[-1] = "softmax,\ny − t"
    drawn = bars.bar(
        np.arange(len(wrong)), list(wrong.values()), color=[RED if v > 0.1 else GREEN for v in wrong.values()]
    )
    bars.bar_label(drawn, labels=[f"{v:.0%}" if v > 1e-3 else "right" for v in wrong.values()])
    bars.set_xticks(np.arange(len(wrong)), labels=names, fontsize=9)
    bars.set(ylabel="error of the gradient, relative", ylim=(0, 1.15 * max(wrong.values())))
    bars.set_title("Slide: δ = ∂E/∂y", loc="left")
    bars.grid(axis="x", visible=False)
    return figure


def draw_cases(found: dict) -> Any:
    """Largest relative difference of every case."""
    figure, ax = subplots(size=(8.0, 5.0), title="Backpropagation and differences, largest relative difference")
    names = [hidden if loss == "mean_squared_error" else loss.replace("_", " ") for hidden, loss in found]
    colors = [BLUE if loss == "mean_squared_error" else GREEN for _, loss in found]
    ax.barh(np.arange(len(found)), np.maximum(list(found.values()), 1e-16), color=colors)
    ax.set_yticks(np.arange(len(found)), labels=names)
    ax.axvline(1e-6, color=RED, lw=1)
    ax.text(0.9e-6, -0.3, "asked for", color=RED, ha="right", va="center")
    ax.set(xscale="log", xlim=(1e-14, 1e-5), xlabel="relative difference")
    ax.invert_yaxis()
    return figure


if __name__ == "__main__":
    from neurosim.scenario import main

    main(__file__)
