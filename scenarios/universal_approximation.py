"""One hidden layer approximates any function, and the error falls with its width.

By hand: H threshold units make a staircase, whose largest error on a function of slope L at most is L/2H, half of one
step; H rectifiers make a broken line through H points, with an error of |f″|/8 of a squared step. Both laws are met by
networks of this library, with slopes of −1 and −2 in the picture. By learning: networks of tanh units, 1 to 32 of
them, trained on three functions; the error falls by orders of magnitude. And Kolmogorov's superposition in its
smallest case: a product of two inputs is made of squares of sums, exactly, xy = ((x + y)² − (x − y)²)/4.

References: Cybenko, Math. Control Signals Systems 2:303 (1989); Hornik, Stinchcombe & White, Neural Networks 2:359
(1989); Hecht-Nielsen, IEEE ICNN 3:11 (1987), Kolmogorov's theorem; de Boor, A Practical Guide to Splines (1978),
errors of staircases and broken lines.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from neurosim.backends import get
from neurosim.learn import MLP, ConjugateGradients, fit
from neurosim.plotting import BLACK, BLUE, COLOURS, GREEN, GREY, ORANGE, RED, subplots
from neurosim.scenario import Check, Outcome, scaled

SOURCE = "slides 24–26 · Cybenko 1989, Hornik et al. 1989"
SECONDS = 22.0
CHECKS = (
    Check("staircase: error / (L / 2H), largest", 1.0, 1e-3, "de Boor 1978: half a step", "at most"),
    Check("staircase: slope of the error", -1.0, 0.05, "error L / 2H"),
    Check("broken line: error / (|f''| h² / 8), largest", 1.0, 0.01, "de Boor 1978", "at most"),
    Check("broken line: slope of the error", -2.0, 0.05, "error |f''| h² / 8"),
    Check("xy of squares, largest error in roundings", 8.0, 0.0, "((x + y)² − (x − y)²)/4 = xy", "at most", "eps"),
    Check("learned: error of 1 unit / of 32, least", 100.0, 0.0, "Cybenko 1989: it falls with the width", "at least"),
    Check("learned: largest error of 32 units", 0.05, 0.0, "Hornik et al. 1989: everywhere at once", "at most"),
)
WIDTHS = (1, 2, 4, 8, 16, 32)
FUNCTIONS = {
    "sine": lambda x: np.sin(2.0 * math.pi * x),
    "bump": lambda x: np.exp(-50.0 * (x - 0.5) * (x - 0.5)),
    "chirp": lambda x: np.sin(2.0 * math.pi * (x + x * x)),
}
SLOPE, CURVATURE = 2.0 * math.pi, 4.0 * math.pi**2  # largest |f′| and |f″| of the sine


def staircase(steps: int) -> tuple[Any, np.ndarray]:
    """A threshold unit at the beginning of each step but the first, which is the bias of the output."""
    f, middle = FUNCTIONS["sine"], (np.arange(steps) + 0.5) / steps
    values = f(middle)
    hidden = steps - 1
    network = MLP((1, hidden, 1), ("heaviside", "linear"))
    w = [np.ones(hidden), -np.arange(1, steps) / steps, np.diff(values), values[:1]]
    return network, np.concatenate(w)


def broken_line(pieces: int) -> tuple[Any, np.ndarray]:
    """A rectifier at the beginning of each piece, whose weight is the change of the slope there."""
    knots = np.arange(pieces + 1) / pieces
    values = FUNCTIONS["sine"](knots)
    network = MLP((1, pieces, 1), ("relu", "linear"))
    slopes = np.diff(values) * pieces
    return network, np.concatenate([np.ones(pieces), -knots[:-1], np.diff(slopes, prepend=0.0), values[:1]])


def slope(widths: np.ndarray, errors: np.ndarray) -> float:
    """Of a line through the logarithms."""
    return float(np.polyfit(np.log(widths), np.log(errors), 1)[0])


def run(
    *, backend: str = "auto", scale: float = 1.0, seed: int = 0, precision: str = "float64", fuse: str = "auto"
) -> Outcome:
    """Networks by hand up to 64 units, and the best of 12 of each width and function at scale 1."""
    library = get(backend)
    fine = np.linspace(0.0, 1.0, 20_001)[:, None]
    hands = np.array([8, 16, 32, 64])
    made = {"staircase": staircase, "broken line": broken_line}
    errors = {name: np.empty(len(hands)) for name in made}
    for name, make in made.items():
        for k, width in enumerate(hands.tolist()):
            network, w = make(width)
            y = network.predict(w, fine, backend=library, precision=precision)
            errors[name][k] = np.abs(y - FUNCTIONS["sine"](fine)).max()
    bounds = {"staircase": SLOPE / (2.0 * hands), "broken line": CURVATURE / (8.0 * hands**2)}

    n = scaled(12, scale, at_least=4)
    iterations = scaled(1000, scale, at_least=300)
    x = np.linspace(0.0, 1.0, 101)[:, None]
    test = np.linspace(0.0, 1.0, 500)[:, None]
    learned: dict[str, dict[int, np.ndarray]] = {}
    worst: dict[str, float] = {}
    curves: dict[str, dict[int, np.ndarray]] = {}
    for name, f in FUNCTIONS.items():
        learned[name], curves[name] = {}, {}
        for width in WIDTHS:
            # Bends spread over the interval, where there is something to bend.
            spread = MLP((1, width, 1), ("tanh", "linear"), weight_init="glorot_normal")
            w0 = spread.params.initial(seed, range(n))
            w0[:, :width] *= 6.0 + width
            w0[:, width : 2 * width] = -w0[:, :width] * (np.arange(width) + 0.5) / width
            history = fit(
                spread, (x, f(x)), ConjugateGradients(), w0=w0, iterations=iterations, stop_error=1e-5,
                backend=library, precision=precision, every=iterations,
            )  # fmt: skip
            y = spread.predict(history.w, test)[..., 0].astype(float)
            learned[name][width] = ((y - f(test)[:, 0]) ** 2).mean(axis=1)
            best = y[np.argmin(learned[name][width])]
            curves[name][width] = best
            worst[name] = float(np.abs(best - f(test)[:, 0]).max())

    a, b = (library.asarray(v, precision) for v in np.meshgrid(np.linspace(-1, 1, 101), np.linspace(-1, 1, 101)))
    product = library.to_numpy(((a + b) * (a + b) - (a - b) * (a - b)) * 0.25 - a * b).astype(float)
    metrics = {
        **{
            f"{name}: error / ({what}), largest": (errors[name] / bounds[name]).max()
            for name, what in (("staircase", "L / 2H"), ("broken line", "|f''| h² / 8"))
        },
        **{f"{name}: slope of the error": slope(hands, errors[name]) for name in made},
        "xy of squares, largest error in roundings": np.abs(product).max() / float(np.finfo(precision).eps),
        "learned: error of 1 unit / of 32, least": min(e[1].min() / e[32].min() for e in learned.values()),
        "learned: largest error of 32 units": max(worst.values()),
    }
    figures = {
        "universal_approximation": draw(hands, errors, bounds, learned),
        "universal_approximation_curves": draw_curves(library, precision, test[:, 0], curves),
    }
    return Outcome(figures, {k: float(v) for k, v in metrics.items()}, history.provenance)


def draw(hands: np.ndarray, errors: dict, bounds: dict, learned: dict) -> Any:
    """Errors against widths, by hand and learned."""
    figure, (left, right) = subplots(1, 2, size=(10, 5.0), title="The wider the hidden layer, the smaller the error")
    for (name, law), color in zip((("staircase", "L/2H"), ("broken line", "|f″|h²/8")), (BLUE, GREEN), strict=True):
        left.loglog(hands, errors[name], "o", color=color, label=f"{name}, largest error")
        left.loglog(hands, bounds[name], "-", color=color, lw=1, label=law)
    left.set_xticks(hands, labels=[str(h) for h in hands])
    left.minorticks_off()
    left.set(xlabel="hidden units", ylabel="largest error of a sine", ylim=(None, 3))
    left.set_title("Weights set by hand", loc="left")
    left.legend(loc="upper right", ncols=2)
    for (name, by_width), color in zip(learned.items(), COLOURS, strict=False):
        low, middle, high = np.quantile(np.stack(list(by_width.values())), (0, 0.5, 1), axis=1)
        right.loglog(WIDTHS, middle, "o-", color=color, label=f"{name}, median")
        right.fill_between(WIDTHS, low, high, color=color, alpha=0.15, lw=0)
    right.set_xticks(WIDTHS, labels=[str(h) for h in WIDTHS])
    right.minorticks_off()
    right.set(xlabel="hidden units", ylabel="mean squared error, unseen points")
    right.set_title("Learned, tanh; shaded: from best to worst", loc="left")
    right.axhline(1e-5, color=GREY, ls="--", lw=1, label="where learning stops")
    right.legend(loc="upper right")
    return figure


def draw_curves(library: Any, precision: str, x: np.ndarray, curves: dict) -> Any:
    """What networks of each kind make."""
    figure, axes = subplots(2, 3, size=(10, 5.6), title="What hidden units add up to")
    for ax, (heading, make, width) in zip(
        axes.flat, (("8 steps of threshold units", staircase, 8), ("8 rectifiers", broken_line, 8)), strict=False
    ):
        network, w = make(width)
        y = network.predict(w, x[:, None], backend=library, precision=precision)[:, 0]
        ax.plot(x, FUNCTIONS["sine"](x), color=GREY, lw=3, alpha=0.6, label="sine")
        ax.plot(x, y, color=BLUE, label="network")
        ax.set_title(heading, loc="left")
        ax.legend(loc="upper right")
    square = axes[0, 2]
    s = np.linspace(-2, 2, 100)
    square.plot(s, s * s / 4, color=BLUE, label="$s^2/4$, s = x + y")
    square.plot(s, -s * s / 4, color=RED, label="$-s^2/4$, s = x − y")
    square.set(xlabel="s")
    square.set_title("xy is a sum of two of these", loc="left")
    square.legend(loc="upper left", fontsize=8)
    square.set_ylim(-1.1, 2.0)
    for ax, (name, by_width) in zip(axes[1], curves.items(), strict=True):
        ax.plot(x, FUNCTIONS[name](x), color=GREY, lw=3, alpha=0.6, label=name)
        for width, color in ((1, ORANGE), (2, RED), (4, GREEN), (32, BLACK)):
            ax.plot(x, by_width[width], color=color, lw=1.2, label=f"{width} tanh")
        ax.set(xlabel="x", ylim=(-1.4, 2.4))
        ax.set_title(f"{name}, learned", loc="left")
        ax.legend(loc="upper right", ncols=3, fontsize=8)
    for ax in axes[:, 0]:
        ax.set_ylabel("y")
    for ax in axes[0, :2]:
        ax.set_xlabel("x")
    return figure


if __name__ == "__main__":
    from neurosim.scenario import main

    main(__file__)
