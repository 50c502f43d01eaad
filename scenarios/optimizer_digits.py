"""An optimizer learns ten digits: error history, test picture, weights of the first layer.

``--optimizer NAME`` chooses from the register (gd is gradient_descent, lma Levenberg-Marquardt). A network 900-150-10,
136 660 weights, learns ten pictures of 30 × 30 pixels to E < 0.01, softmax and cross-entropy from E = ln 10. Its 150
hidden units are shown as on the slides, a tile each. What gradient descent and conjugate gradients add to a unit is a
sum of inputs: their tiles lie in the span of the ten pictures, as the slides' do (median R² 0.94 and 0.95). rProp and
quickProp weigh every pixel by itself and leave the span (0.68, 0.71). AdaDelta hardly does: its ε exceeds the squares
of these gradients. The lecture gives the size of nothing here: sigmoid units and weights from N(0, 0.005²) fit its
numbers and tiles best; settings are those of ``optimizer_points`` but for rates, rProp's first step of 0.37 makes the
slide's spike of 27. Levenberg-Marquardt, with tanh outputs and Σ e², solves for 100 residuals in place of 136 660
weights, and Newton takes products with the Gauss-Newton matrix in place of it. BFGS's matrix is 139 GiB, and refused
where there is less; lbfgs is the same without it. The digits are DejaVu Sans in the places of the lecture's, which are
not free.

References: the lecture, slides 41–50; Hagan & Menhaj, IEEE Trans. Neural Netw. 5:989 (1994); Martens, ICML 2010.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from neurosim.backends import get
from neurosim.learn import History, all_optimizers
from neurosim.learn.data import DataSet, load
from neurosim.learn.data.drawn_digits import VARIANTS
from neurosim.plotting import BLACK, BLUE, GREEN, GREY, ORANGE, RED, subplots
from neurosim.scenario import Check, Outcome, scaled
from neurosim.scenarios._error_history import draw_history
from neurosim.scenarios._optimizers import (
    DIGITS,
    ELEMENTWISE,
    IN_SPAN,
    ORDER,
    STOP_DIGITS,
    Problem,
    checked_name,
    digits_problem,
    iterations_of,
    setting,
    typical,
)

SOURCE = "slides 41–50 · Rumelhart et al. 1986, Fahlman 1988, Hagan & Menhaj 1994"
SECONDS = 10.0
MOST, COPIES = 1000, 20  # iterations; of each digit in each test set
TILES_IN_A_ROW = 23  # as on the slides


def checks(optimizer: str) -> tuple[Check, ...]:
    """What the optimizer must reach, beside its slide where it has one."""
    name = checked_name(optimizer)
    slide = DIGITS.get(name)
    squares = all_optimizers()[name].needs_residuals
    start = (10.0, "ten outputs near 0, Σ e²") if squares else (math.log(10.0), "slides 41–50: ln 10")
    found = [
        Check("networks that reach E < 0.01", 0.75, 0.0, "slides 41–50: they end there", "at least"),
        Check("E at first, median", start[0], 0.05 * start[0], start[1]),
        Check("right with low noise, median", 0.95, 0.0, "the lecture's test images are to be known", "at least"),
    ]
    tiles, learned = "R² of tiles in the span of the inputs, median", "R² of what was learned in that span, median"
    if name in IN_SPAN:
        found.append(Check(tiles, 0.9, 0.0, "slides 41, 50: 0.94 and 0.95", "at least"))
        found.append(Check(learned, 0.99, 0.0, "sums of inputs", "at least"))
    elif name in ELEMENTWISE:
        found.append(Check(tiles, 0.9, 0.0, "slides 44, 47: 0.71 and 0.68", "at most"))
        found.append(Check(learned, 0.9, 0.0, "each weight by itself", "at most"))
    if slide is not None:
        source = f"slide {slide.number}: {slide.iterations}; the same order of magnitude, or fewer"
        found.append(Check("iterations to E < 0.01, median / the slide's", ORDER, 0.0, source, "at most"))
    return tuple(found)


CHECKS = checks


class Learned(NamedTuple):
    """One network."""

    history: History
    tiles: np.ndarray  # R² of each unit's weights, shape (150,)
    change: np.ndarray  # R² of what they gained
    right: tuple[float, ...]  # share of each test set


def span_shares(weights: np.ndarray, images: np.ndarray) -> np.ndarray:
    """R² of each column of weights in the span of images and a constant, shape (units,)."""
    basis, _ = np.linalg.qr(np.column_stack([images.T, np.ones(images.shape[1])]))
    rest = weights - basis @ (basis.T @ weights)
    centred = weights - weights.mean(axis=0)
    return 1.0 - (rest * rest).sum(axis=0) / (centred * centred).sum(axis=0)


def run(
    *,
    optimizer: str = "gradient_descent",
    backend: str = "auto",
    scale: float = 1.0,
    seed: int = 0,
    precision: str = "float64",
    fuse: str = "auto",
) -> Outcome:
    """32 networks at scale 1, three at least, one after the other: each has 136 660 weights."""
    name, library = checked_name(optimizer), get(backend)
    problem, slide = digits_problem(name), DIGITS.get(name)
    options: dict[str, Any] = {"seed": seed, "iterations": MOST, "backend": library, "precision": precision}
    images = load("digits").x
    tests = {v: load("digits", variant=v, copies=COPIES, seed=seed) for v in VARIANTS if v != "clean"}
    found = []
    for k in range(scaled(32, scale, at_least=3)):
        history = problem.learn(setting(name).digits, [k], **options)
        weights = first_layer(problem, history.w)
        begin = first_layer(problem, problem.network.params.initial(seed, [k]))
        said = (problem.network.predict(history.w[0], t.x).argmax(axis=-1) == t.labels for t in tests.values())
        shares = span_shares(weights, images), span_shares(weights - begin, images)
        found.append(Learned(history, *shares, tuple(float(right.mean()) for right in said)))
    iterations = np.array([int(iterations_of(one.history)[0]) for one in found])
    reached = np.array([bool(one.history.reached[0]) for one in found])
    chosen = found[typical(iterations, reached)]
    low, middle, high = np.quantile(iterations, (0.25, 0.5, 0.75))
    metrics = {
        "networks that reach E < 0.01": reached.mean(),
        "E at first, median": np.median([one.history.error[0, 0] for one in found]),
        "largest E, median": np.median([np.nanmax(one.history.error) for one in found]),
        "iterations to E < 0.01, lower quartile": low,
        "iterations to E < 0.01, median": middle,
        "iterations to E < 0.01, upper quartile": high,
        "evaluations to E < 0.01, median": np.median([one.history.evaluations[-1, 0] for one in found]),
        "seconds to E < 0.01, median": np.median([one.history.seconds[-1] for one in found]),
        "R² of tiles in the span of the inputs, median": np.median([one.tiles for one in found]),
        "R² of what was learned in that span, median": np.median([one.change for one in found]),
    }
    words = {"shift": "shift", "noise_lo": "low noise", "noise_hi": "high noise", "shift_noise_lo": "shift and noise"}
    for k, variant in enumerate(tests):
        metrics[f"right with {words[variant]}, median"] = np.median([one.right[k] for one in found])
    if slide is not None:
        metrics["iterations to E < 0.01, median / the slide's"] = middle / slide.iterations
    stem, title = f"optimizer_digits_{name}", f"{setting(name).digits.__class__.__name__}: 900-150-10 learns ten digits"
    figures = {
        stem: draw(title, problem, chosen, tests, words),
        f"{stem}_weights": draw_tiles(title, first_layer(problem, chosen.history.w), chosen),
        f"{stem}_ensemble": draw_ensemble(name, found, chosen, iterations, words),
    }
    return Outcome(figures, {key: float(value) for key, value in metrics.items()}, chosen.history.provenance)


def first_layer(problem: Problem, w: np.ndarray) -> np.ndarray:
    """Weights of the first layer of one network, shape (900, 150), in double precision."""
    return problem.network.params.views(np, w)["0.weight"][0].astype(float)


def draw(title: str, problem: Problem, one: Learned, tests: dict[str, DataSet], words: dict[str, str]) -> Any:
    """The slide: error in two panels; and test images with what the network says."""
    figure, axes = subplots(1, 3, size=(12, 4.2), title=title, width_ratios=(1, 1, 1.6))
    draw_history(axes[:2], one.history.error[:, 0].astype(float), STOP_DIGITS)
    ax, rows = axes[2], len(tests)
    high = 50  # pixels of a row: 18 for what is said, 30 for the image
    mosaic = np.ones((rows * high, 10 * 32))
    for row, (variant, test) in enumerate(tests.items()):
        said = problem.network.predict(one.history.w[0], test.x[:10]).argmax(axis=-1)
        for k in range(10):
            mosaic[high * row + 18 : high * row + 48, 32 * k + 1 : 32 * k + 31] = 1.0 - test.x[k].reshape(30, 30)
            color = GREEN if said[k] == test.labels[k] else RED
            ax.text(32 * k + 16, high * row + 9, str(said[k]), color=color, ha="center", va="center", weight="bold")
        share = f"{words[variant]}\n{one.right[row]:.0%} right"
        ax.text(-5, high * row + 33, share, ha="right", va="center", fontsize=8)
    ax.imshow(mosaic, cmap="gray", vmin=0.0, vmax=1.0)
    ax.set_title("test images, and what the network says", loc="left")
    ax.axis("off")
    return figure


def draw_tiles(title: str, weights: np.ndarray, one: Learned) -> Any:
    """The weights of the 150 hidden units, a tile each."""
    rows = -(-weights.shape[1] // TILES_IN_A_ROW)
    mosaic = np.full((rows * 32, TILES_IN_A_ROW * 32), np.nan)
    low, high = weights.min(axis=0), weights.max(axis=0)
    scaled_weights = (weights - low) / (high - low)
    for k in range(weights.shape[1]):
        row, column = divmod(k, TILES_IN_A_ROW)
        mosaic[32 * row + 1 : 32 * row + 31, 32 * column + 1 : 32 * column + 31] = scaled_weights[:, k].reshape(30, 30)
    figure, ax = subplots(size=(10, 3.8), title=f"{title}: the weights of its first layer")
    ax.imshow(mosaic, cmap="gray", interpolation="nearest")
    share = f"in the span of the ten images and a constant: median R² {np.median(one.tiles):.3f}"
    ax.set_title(
        f"150 units, each from its least weight (black) to its largest (white); {share}", loc="left", fontsize=9
    )
    ax.axis("off")
    return figure


def draw_ensemble(name: str, found: list[Learned], one: Learned, iterations: np.ndarray, words: dict[str, str]) -> Any:
    """All networks: errors, share of the tiles in the span, share of test images that are right."""
    slide = DIGITS.get(name)
    title = f"{setting(name).digits.__class__.__name__}: the same from {len(found)} first weights"
    figure, (errors, span, right) = subplots(1, 3, size=(12, 4.0), title=title)
    for other in found:
        numbers = other.history.iteration + 1
        errors.plot(numbers, other.history.error[:, 0], color=GREY, lw=0.6, alpha=0.7)
    errors.plot(one.history.iteration + 1, one.history.error[:, 0], color=BLUE, label="that of the pictures")
    errors.axhline(STOP_DIGITS, color=GREY, ls="--", lw=1, label=f"stop: {STOP_DIGITS:g}")
    if slide is not None:
        label = f"slide {slide.number}: {slide.iterations}"
        errors.plot(slide.iterations, slide.error, "*", color=RED, ms=13, mec=BLACK, mew=0.5, label=label, zorder=5)
    errors.set(yscale="log", xlabel="iteration", ylabel="error E")
    errors.set_title(f"Median {np.median(iterations):g} iterations", loc="left")
    errors.legend(fontsize=8)
    bins = np.linspace(0.0, 1.0, 41)
    span.hist(np.clip(one.tiles, 0.0, 1.0), bins, color=BLUE, alpha=0.6, label="weights")
    span.hist(np.clip(one.change, 0.0, 1.0), bins, color=ORANGE, histtype="step", lw=1.5, label="less first weights")
    span.set_ylim(0.0, 1.4 * span.get_ylim()[1])
    if slide is not None:
        span.axvline(slide.span, color=RED, lw=1, label=f"slide {slide.number}, median: {slide.span:g}")
    span.set(xlabel="R² in the span of the ten images", ylabel="tiles")
    span.set_title("Are units sums of images?", loc="left")
    span.legend(fontsize=8, loc="upper left")
    shares = np.array([other.right for other in found])
    low, middle, high = np.quantile(shares, (0.25, 0.5, 0.75), axis=0)
    places = np.arange(len(words))
    right.bar(places, middle, color=GREEN, alpha=0.7, yerr=(middle - low, high - middle), error_kw={"lw": 1})
    right.axhline(0.1, color=GREY, ls="--", lw=1)
    right.annotate("chance", (places[-1] + 0.4, 0.1), xytext=(0, 3), textcoords="offset points", ha="right", fontsize=8)
    right.set_xticks(places, [word.replace(" ", "\n", 1) for word in words.values()], fontsize=9)
    right.set(ylim=(0.0, 1.05), ylabel="share right, median and quartiles")
    right.set_title(f"New images, {10 * COPIES} of each kind", loc="left")
    return figure


if __name__ == "__main__":
    from neurosim.scenario import main

    main(__file__)
