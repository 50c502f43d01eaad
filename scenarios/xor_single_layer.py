"""XOR is beyond one layer, and how many functions are not: 14 of 16, 104 of 256, 1882 of 65 536.

A threshold unit parts its inputs by a plane. The Boolean functions that it can make are counted from both sides, for
each number of inputs up to four. From below: units with all whole weights up to 3 and all thresholds are run on all
inputs, and their different outputs counted. From above: a function with two ones a, b and two zeros c, d for which
a + b = c + d is out of reach, as no plane can have both; those are counted, too. Both counts together are all
functions, which proves the numbers. A sigmoid unit that learns XOR ends at the output ½ for every input, an error of
ln 2; with a layer of hidden units it learns it.

References: Minsky & Papert, Perceptrons (1969); Muroga, Threshold Logic (1971), table of threshold functions;
Rumelhart, Hinton & Williams, Nature 323:533 (1986).
"""

from __future__ import annotations

import math
from itertools import combinations, combinations_with_replacement, product
from typing import Any

import numpy as np

from neurosim.backends import get
from neurosim.learn import MLP, ConjugateGradients, Dense, GradientDescent, Sequential, fit
from neurosim.learn.data import load
from neurosim.plotting import BLACK, BLUE, GREEN, GREY, RED, subplots
from neurosim.scenario import Check, Outcome, scaled
from neurosim.scenarios._regions import CLASS_COLOURS, draw_regions, grid

SOURCE = "slides 26–28 · Minsky & Papert 1969"
SECONDS = 6.0
CHECKS = (
    Check("functions of 1 input, one unit", 4.0, 0.0, "Muroga 1971: all of 4"),
    Check("functions of 2 inputs, one unit", 14.0, 0.0, "Minsky & Papert 1969: of 16; not XOR, nor its opposite"),
    Check("functions of 3 inputs, one unit", 104.0, 0.0, "Muroga 1971: of 256"),
    Check("functions of 4 inputs, one unit", 1882.0, 0.0, "Muroga 1971: of 65 536"),
    Check("functions neither made nor excluded", 0.0, 0.0, "the counts of both sides are all functions"),
    Check("functions both made and excluded", 0.0, 0.0, "the counts of both sides do not overlap"),
    Check("functions of 2 inputs that a sigmoid learns", 14.0, 0.0, "by gradients: the same 14"),
    Check("XOR, error of one sigmoid", math.log(2.0), 1e-3, "ln 2: every output is 1/2"),
    Check("XOR, error with a hidden layer of 4", 0.01, 0.0, "Rumelhart et al. 1986: it is learned", "at most"),
    Check("XOR, share of networks with 4 hidden", 0.9, 0.1, "Rumelhart et al. 1986: few stay behind", "at least"),
)
LARGEST = {1: 1, 2: 1, 3: 2, 4: 3}  # weights that are enough
HIDDEN = (1, 2, 3, 4)


def made(library: Any, precision: str, n: int) -> np.ndarray:
    """Which functions of n inputs units of whole weights make: bools, by number of the function."""
    most = LARGEST[n]
    thresholds = np.arange(-n * most, n * most + 2) - 0.5
    weights = np.array(list(product(range(-most, most + 1), repeat=n)), float)
    w = np.concatenate(
        [np.repeat(weights, len(thresholds), axis=0), -np.tile(thresholds, len(weights))[:, None]], axis=1
    )
    unit = Sequential((Dense(n, 1, "heaviside"),))
    found = np.zeros(2**2**n, bool)
    for begin in range(0, len(w), 1 << 14):
        part = library.asarray(w[begin : begin + (1 << 14)], precision)
        y, _ = unit.forward(library.xp, part, library.asarray(load("parity", bits=n).x, precision))
        bits = library.to_numpy(y)[..., 0].astype(np.int64)
        found[bits @ (1 << np.arange(2**n))] = True
    return found


def excluded(n: int) -> np.ndarray:
    """Which functions of n inputs have ones a, b and zeros c, d with a + b = c + d: bools, by number."""
    rows = load("parity", bits=n).x
    by_sum: dict[tuple[float, ...], list[int]] = {}
    for a, b in combinations_with_replacement(range(len(rows)), 2):
        by_sum.setdefault(tuple(rows[a] + rows[b]), []).append((1 << a) | (1 << b))
    functions = np.arange(2**2**n)
    found = np.zeros(len(functions), bool)
    for pairs in by_sum.values():
        for p, q in combinations(pairs, 2):
            for ones, zeros in ((p, q), (q, p)):
                found |= ((functions & ones) == ones) & ((functions & zeros) == 0)
    return found


def run(
    *, backend: str = "auto", scale: float = 1.0, seed: int = 0, precision: str = "float64", fuse: str = "auto"
) -> Outcome:
    """Counts, one unit for each of 16 functions, and 256 networks of each size at scale 1."""
    library = get(backend)
    options: dict[str, Any] = {"backend": library, "precision": precision, "seed": seed}
    below = {n: made(library, precision, n) for n in LARGEST}
    above = {n: excluded(n) for n in LARGEST}

    x = load("xor").x
    bits = (np.arange(16)[:, None] >> np.arange(4)) & 1  # function k gives bit r of k for row r
    one = Sequential((Dense(2, 1, "sigmoid"),))
    data = (np.tile(x, (16, 1, 1)), bits[..., None].astype(float))
    alone = fit(one, data, GradientDescent(2.0, momentum=0.9), "binary_cross_entropy", iterations=600, **options)
    outputs = one.predict(alone.w, x)[..., 0]
    learned = ((outputs > 0.5) == (bits == 1)).all(axis=1) & (alone.final_error < 0.1)

    n = scaled(256, scale, at_least=32)
    xor = (x, bits[6].astype(float))
    histories = {}
    for hidden in HIDDEN:
        network = MLP((2, hidden, 1), ("tanh", "sigmoid"), weight_init="glorot_normal")
        histories[hidden] = fit(
            network, xor, ConjugateGradients(), "binary_cross_entropy", networks=n, iterations=150, stop_error=0.005,
            **options,
        )  # fmt: skip
    shares = {h: float((history.final_error < 0.01).mean()) for h, history in histories.items()}
    metrics = {
        **{f"functions of {n} input{'s' * (n > 1)}, one unit": made_.sum() for n, made_ in below.items()},
        "functions neither made nor excluded": sum((~below[n] & ~above[n]).sum() for n in LARGEST),
        "functions both made and excluded": sum((below[n] & above[n]).sum() for n in LARGEST),
        "functions of 2 inputs that a sigmoid learns": learned.sum(),
        "XOR, error of one sigmoid": alone.final_error[6],
        "XOR, error with a hidden layer of 4": histories[4].final_error.min(),
        **{f"XOR, share of networks with {h} hidden": share for h, share in shares.items()},
    }
    figures = {
        "xor_single_layer": draw_functions(one, alone.w, bits, learned),
        "xor_single_layer_counts": draw_counts(below, alone, histories, shares),
    }
    return Outcome(figures, {k: float(v) for k, v in metrics.items()}, histories[4].provenance)


def draw_functions(unit: Sequential, w: np.ndarray, bits: np.ndarray, learned: np.ndarray) -> Any:
    """All functions of two inputs, and the line that a unit found for each."""
    title = f"One unit learns {learned.sum()} of the 16 functions of two inputs: all but XOR and its opposite"
    figure, axes = subplots(2, 8, size=(10, 3.4), title=title, sharex=True, sharey=True)
    names = {0: "never", 1: "NOR", 6: "XOR", 7: "NAND", 8: "AND", 9: "same", 14: "OR", 15: "always"}
    span = (-0.5, 1.5)
    points = grid(span, span, 101)
    regions = unit.predict(w, points)[..., 0] > 0.5
    for k, ax in enumerate(axes.flat):
        if learned[k]:
            draw_regions(ax, span, span, regions[k].astype(int))
        for (a, b), value in zip(load("xor").x, bits[k], strict=True):
            ax.plot(a, b, "o", ms=9, mfc=CLASS_COLOURS[value], mec=BLACK)
        ax.set(xticks=[0, 1], yticks=[0, 1], xlim=span, ylim=span)
        ax.set_box_aspect(1)
        label = names.get(k, "")
        ax.set_title(label if learned[k] else f"{label}: no line", loc="left", color=BLACK if learned[k] else RED)
        ax.grid(visible=False)
    for ax in axes[1]:
        ax.set_xlabel("$x_1$")
    for ax in axes[:, 0]:
        ax.set_ylabel("$x_2$")
    return figure


def draw_counts(below: dict, alone: Any, histories: dict, shares: dict) -> Any:
    """How many functions one unit makes, and XOR learned by one layer and by two."""
    figure, (left, right) = subplots(1, 2, size=(10, 4.8), title="One layer is little, and less with every input")
    n = np.array(list(below))
    places = 0.4
    heights = {"all functions": [2**2**k for k in n.tolist()], "those of one unit": [below[k].sum() for k in n]}
    for (label, values), color, side in zip(heights.items(), (GREY, BLUE), (-0.2, 0.2), strict=True):
        bars = left.bar(n + side, values, places, color=color, label=label)
        left.bar_label(bars, labels=[f"{v:,}".replace(",", " ") for v in values], fontsize=9)
    left.set(yscale="log", xlabel="inputs", ylabel="functions", ylim=(1, 3e5))
    left.set_xticks(n)
    left.legend(loc="upper left")
    right.semilogy(alone.iteration, alone.held("error")[:, 6], color=RED, lw=2, label="no hidden layer: ln 2 for ever")
    right.axhline(math.log(2.0), color=GREY, lw=0.8, ls="--")
    for (hidden, history), color in zip(histories.items(), ("#e69f00", "#56b4e9", BLUE, GREEN), strict=True):
        low, middle, high = history.quantiles()
        label = f"{hidden} hidden: {shares[hidden]:.0%} of {len(history.w)} learn it"
        right.semilogy(history.iteration, middle, color=color, label=label)
        right.fill_between(history.iteration, low, high, color=color, alpha=0.15, lw=0)
    right.set(xlabel="iteration", ylabel="cross-entropy of XOR", xlim=(0, 100), ylim=(3e-3, 8))
    right.set_title("median and quartiles", loc="left")
    right.legend(loc="upper right")
    return figure


if __name__ == "__main__":
    from neurosim.scenario import main

    main(__file__)
