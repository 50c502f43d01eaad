"""Activations of neurons: the six of the lecture, with their derivatives.

Bipolar sigmoid (tanh), exponential sigmoid, threshold and rectifier as the slide draws them, softmax, and the
stochastic neuron, which fires with the probability of the sigmoid. Every derivative that backpropagation uses is
compared with differences of the function. The derivative of a sigmoid is ¼ at most: behind a few such layers little
is left of a gradient. The Jacobian of softmax is diag(y) − y yᵀ, and not y(1 − y) alone, which the slide leaves open.

References: Bridle, Neurocomputing, NATO ASI F68:227 (1990), softmax; Hochreiter, Diploma thesis (1991), gradients that
vanish.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from neurosim.backends import get
from neurosim.learn import ACTIVATIONS, Softmax, StochasticBinary
from neurosim.learn.activations import Elementwise
from neurosim.plotting import BLUE, COLOURS, GREEN, GREY, RED, subplots
from neurosim.scenario import Check, Outcome, scaled

SOURCE = "slide 16"
SECONDS = 1.5
CHECKS = (
    Check("largest error of a derivative", 0.0, 1e-6, "differences of the function"),
    Check("largest error of the Jacobian of softmax", 0.0, 1e-6, "diag(y) - y y'"),
    Check("derivative of tanh at 0", 1.0, 1e-6, "1 - tanh(0)^2"),
    Check("derivative of the sigmoid at 0", 0.25, 1e-6, "y (1 - y) at y = 1/2"),
    Check("tanh s - (2 sigmoid(2 s) - 1), largest", 0.0, 1e-6, "identity"),
    Check("largest |sum of softmax - 1|", 0.0, 1e-6, "a probability for each"),
    Check("softmax after a shift by 1000, largest change", 0.0, 5e-4, "shift invariance; sums near 1000 are rounded"),
    Check("stochastic neuron, largest deviation", 4.5, 0.0, "binomial: mean 1/(1 + exp(-s))", "at most", "sd"),
    Check("stochastic neuron, mean square deviation", 1.0, 0.8, "binomial variance p (1 - p) / n", unit="sd²"),
)

SHOWN = {
    "tanh": ("bipolar sigmoid", r"$y = \tanh s$"),
    "sigmoid": ("exponential sigmoid", r"$y = 1\,/\,(1 + e^{-s})$"),
    "heaviside": ("threshold", r"$y = 1$ where $s \geq 0$"),
    "relu": ("rectifier", r"$y = \max(s, 0)$"),
}
STEP = 1e-5


def run(
    *, backend: str = "auto", scale: float = 1.0, seed: int = 0, precision: str = "float64", fuse: str = "auto"
) -> Outcome:
    """Functions, derivatives, and 100 000 draws of the stochastic neuron at scale 1."""
    library = get(backend)
    xp, host = library.xp, library.to_numpy

    def array(x: Any) -> Any:
        return library.asarray(x, precision)

    s = np.linspace(-5.0, 5.0, 1000)[None, :]  # 0 is not among them: there some have no derivative
    curves, worst = {}, {}
    for name, kind in ACTIVATIONS.items():
        if not issubclass(kind, Elementwise) or kind is StochasticBinary:
            continue
        f = kind()
        y = f.forward(xp, array(s))
        slope = np.asarray(host(f.derivative(xp, array(s), y)), float)[0]
        exact = (f.forward(np, s + STEP) - f.forward(np, s - STEP))[0] / (2.0 * STEP)  # of float64 whatever runs
        curves[name] = (np.asarray(host(y), float)[0], slope)
        worst[name] = np.abs(slope - exact).max()
    zero = array(np.zeros((1, 1)))
    at_zero = {}
    for name in ("tanh", "sigmoid"):
        g = ACTIVATIONS[name]()
        at_zero[name] = float(g.pullback(xp, zero, g.forward(xp, zero), zero + 1.0)[0, 0])

    softmax, sums = Softmax(), np.linspace(-2.0, 2.5, 6)[None, :]
    probabilities = softmax.forward(xp, array(sums))
    jacobian = np.stack(
        [host(softmax.pullback(xp, array(sums), probabilities, array(row[None, :])))[0] for row in np.eye(6)]
    )
    y = np.asarray(host(probabilities), float)
    shifted = np.asarray(host(softmax.forward(xp, array(sums + 1000.0))), float)
    differences = np.stack(
        [(softmax.forward(np, sums + STEP * e) - softmax.forward(np, sums - STEP * e))[0] for e in np.eye(6)], axis=1
    ) / (2.0 * STEP)

    n = scaled(100_000, scale, at_least=2000)
    levels = np.linspace(-4.0, 4.0, 33)
    fired = host(StochasticBinary(seed=seed).forward(xp, array(np.tile(levels, (n, 1)))))
    mean, p = fired.mean(axis=0, dtype=float), 1.0 / (1.0 + np.exp(-levels))
    deviation = (mean - p) / np.sqrt(p * (1.0 - p) / n)
    tanh, sigmoid2 = curves["tanh"][0], np.asarray(host(ACTIVATIONS["sigmoid"]().forward(xp, array(2.0 * s))), float)[0]
    metrics = {
        "largest error of a derivative": max(worst.values()),
        "activations compared": len(worst),
        "largest error of the Jacobian of softmax": np.abs(jacobian - differences).max(),
        "largest error of y (1 - y) in its place": np.abs(np.diag(y[0] * (1.0 - y[0])) - differences).max(),
        "derivative of tanh at 0": at_zero["tanh"],
        "derivative of the sigmoid at 0": at_zero["sigmoid"],
        "tanh s - (2 sigmoid(2 s) - 1), largest": np.abs(tanh - (2.0 * sigmoid2 - 1.0)).max(),
        "largest |sum of softmax - 1|": max(abs(y.sum() - 1.0), abs(shifted.sum() - 1.0)),
        "softmax after a shift by 1000, largest change": np.abs(shifted - y).max(),
        "stochastic neuron, largest deviation": np.abs(deviation).max(),
        "stochastic neuron, mean square deviation": np.mean(deviation * deviation),
    }
    figures = {
        "activations": draw(s[0], curves, sums[0], y[0], levels, mean),
        "activations_derivatives": draw_derivatives(s[0], curves, jacobian),
    }
    return Outcome(figures, {k: float(v) for k, v in metrics.items()}, {"backend": library.name})


def draw(s: np.ndarray, curves: dict, sums: np.ndarray, y: np.ndarray, levels: np.ndarray, mean: np.ndarray) -> Any:
    """The slide: four functions, softmax and the stochastic neuron."""
    figure, axes = subplots(2, 3, size=(10, 5.6), title="Activations: from the weighted sum s to the output y")
    places = (axes[0, 0], axes[0, 1], axes[1, 0], axes[1, 1])
    for ax, (name, (heading, formula)) in zip(places, SHOWN.items(), strict=True):
        value, slope = curves[name]
        jump = np.where(np.abs(np.diff(value, prepend=value[0])) > 0.5, np.nan, value)  # no line where it jumps
        ax.plot(s, jump, color=BLUE, lw=2, label=formula)
        ax.plot(s, slope, color=RED, ls="--", label="its derivative")
        ax.axvline(0.0, color=GREY, lw=0.7)
        ax.axhline(0.0, color=GREY, lw=0.7)
        top = 5.2 if name == "relu" else 1.15
        ax.set(xlim=(-5, 5), ylim=(-0.25 if name != "tanh" else -1.15, 1.9 if name != "relu" else top), xlabel="s")
        ax.set_title(heading, loc="left")
        ax.legend(loc="upper left")
    for ax in axes[:, 0]:
        ax.set_ylabel("y")
    bars, stochastic = axes[0, 2], axes[1, 2]
    drawn = bars.bar(np.arange(len(y)), y, color=BLUE, width=0.7)
    bars.bar_label(drawn, labels=[f"{p:.2f}" for p in y], fontsize=8)
    bars.set_xticks(np.arange(len(y)), labels=[f"{v:+.1f}".replace("-", "−") for v in sums])
    bars.set(xlabel="s of each unit", ylim=(0, 0.75), ylabel="y")
    bars.set_title(r"softmax: $y_i = e^{s_i} / \sum_k e^{s_k}$", loc="left")
    bars.grid(axis="x", visible=False)
    fine = np.linspace(-4, 4, 200)
    stochastic.plot(fine, 1.0 / (1.0 + np.exp(-fine)), color=GREY, label=r"$1\,/\,(1 + e^{-s})$")
    stochastic.plot(levels, mean, "o", color=BLUE, ms=4, label="share of draws with y = 1")
    stochastic.set(xlabel="s", ylabel="probability", ylim=(-0.05, 1.35))
    stochastic.set_title("stochastic neuron: y is 0 or 1", loc="left")
    stochastic.legend(loc="upper left")
    return figure


def draw_derivatives(s: np.ndarray, curves: dict, jacobian: np.ndarray) -> Any:
    """How much of a gradient passes, and the Jacobian of softmax."""
    title = "What a layer lets through of a gradient"
    figure, (one, many, matrix) = subplots(1, 3, size=(10, 4.2), title=title)
    for (name, (_, slope)), color in zip(curves.items(), COLOURS, strict=False):
        if slope.any():
            one.plot(s, slope, color=color, label=name)
    one.set(xlabel="s", ylabel="dy/ds", ylim=(-0.05, 1.4))
    one.set_title("the derivative…", loc="left")
    one.legend(ncols=2, loc="upper left")
    layers = np.arange(1, 11)
    normal = np.exp(-0.5 * s * s)
    for name, color in (("tanh", BLUE), ("sigmoid", RED), ("relu", GREEN)):
        slope = curves[name][1]
        many.semilogy(layers, slope.max() ** layers, "o-", color=color, ms=4, label=f"{name}, at most")
        if slope.min() > 0.0:
            typical = np.exp((normal * np.log(slope)).sum() / normal.sum())
            many.semilogy(layers, typical**layers, "--", color=color, lw=1, label=f"{name}, s normal")
    many.set(xlabel="layers with weights of 1", ylabel="share of the gradient", ylim=(1e-9, 5))
    many.set_title("…of many layers is their product", loc="left")
    many.legend(fontsize=8, loc="lower left")
    bound = np.abs(jacobian).max()
    shown = matrix.imshow(jacobian, cmap="RdBu_r", vmin=-bound, vmax=bound)
    matrix.set(xlabel="sum $s_k$", ylabel="output $y_i$", xticks=range(6), yticks=range(6))
    matrix.set_title(r"softmax: diag$(y) - y\,y^T$", loc="left")
    matrix.grid(visible=False)
    figure.colorbar(shown, ax=matrix, shrink=0.75, label="∂y/∂s")
    return figure


if __name__ == "__main__":
    from neurosim.scenario import main

    main(__file__)
