"""Rosenblatt's rule converges, after no more mistakes than Novikoff's bound.

A threshold unit that is corrected after every mistake, w ← w + t·x, learns whatever a threshold unit can do. If the
classes can be parted with margin γ and no input is longer than R, it errs at most (R/γ)² times, in whatever order the
samples come: k mistakes turn w to the solution at least as k·γ, and lengthen it at most as √k·R. A thousand units
learn a thousand problems of 60 points each, with margins from 0.3 down to 0.03, side by side; both sides of the proof
are checked for each. XOR, which no such unit can do, keeps a unit busy for ever, and within bounds: the weights come
back to where they were.

References: Rosenblatt, Psychol. Rev. 65:386 (1958); Novikoff, Symp. Math. Theory Automata 12:615 (1962); Block & Levin,
Proc. Am. Math. Soc. 26:229 (1970), weights that stay bounded.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from neurosim.backends import get
from neurosim.learn import PerceptronRule, draws
from neurosim.learn.data import load
from neurosim.plotting import BLACK, BLUE, GREEN, GREY, ORANGE, RED, subplots
from neurosim.scenario import Check, Outcome, scaled

SOURCE = "slide 15 · Rosenblatt 1958, Novikoff 1962"
SECONDS = 1.5
CHECKS = (
    Check("largest mistakes / bound", 1.0, 0.0, "Novikoff 1962: at most (R/γ)²", "at most"),
    Check("share of units that converge", 1.0, 0.0, "Novikoff 1962: all where classes can be parted"),
    Check("share of points on the right side", 1.0, 0.0, "no mistake is left"),
    Check("least <w, u> / (k γ)", 1.0, 1e-3, "Novikoff 1962, first half of the proof", "at least"),
    Check("largest |w| / (√k R)", 1.0, 1e-3, "Novikoff 1962, second half of the proof", "at most"),
    Check("XOR: least mistakes in a pass", 1.0, 0.0, "Minsky & Papert 1969: no unit is ever right", "at least"),
    Check("XOR: largest |w|", 10.0, 0.0, "Block & Levin 1970: bounded, 200 passes", "at most"),
    Check("XOR: passes after which w is 0 again", 10.0, 0.0, "whole numbers within bounds come back", "at least"),
)
POINTS = 60
MARGINS = (0.03, 0.3)
MOST_EPOCHS = 5000


class Problems(NamedTuple):
    """Separable problems, each with its solution."""

    x: np.ndarray  # (E, POINTS, 3), with x0 = −1
    target: np.ndarray  # (E, POINTS)
    solution: np.ndarray  # (E, 3), of length 1
    margin: np.ndarray  # (E,)
    radius: np.ndarray  # (E,)


class Learned(NamedTuple):
    """What the units did."""

    w: np.ndarray  # (E, 3)
    mistakes: np.ndarray  # (E,)
    epochs: np.ndarray  # (E,), with at least one mistake
    path: np.ndarray  # (epochs + 1, 3), of the last unit
    steepness: float  # least ⟨w, u⟩/(k γ) at the end of any epoch
    length: float  # largest ‖w‖/(√k R)


def problems(n: int, seed: int) -> Problems:
    """Points of the square [−1, 1]² at least a margin away from a random line, margins falling in equal ratios."""
    u = draws.uniform(seed, "data", 2 * n, series=0).reshape(n, 2)
    angle, offset = 2.0 * np.pi * u[:, 0], 0.6 * u[:, 1] - 0.3
    line = np.stack([offset, np.cos(angle), np.sin(angle)], axis=1)
    line /= np.linalg.norm(line, axis=1, keepdims=True)
    wanted = np.geomspace(MARGINS[1], MARGINS[0], n)
    found = np.full((n, POINTS, 3), -1.0)
    have = np.zeros(n, int)
    for series in range(1, 100):
        if (have == POINTS).all():
            break
        x = 2.0 * draws.uniform(seed, "data", 2 * n * POINTS, series=series).reshape(n, POINTS, 2) - 1.0
        rows = np.concatenate([np.full((n, POINTS, 1), -1.0), x], axis=2)
        clear = np.abs(np.einsum("enk,ek->en", rows, line)) >= wanted[:, None]
        for e in np.flatnonzero(have < POINTS):
            new = rows[e, clear[e]][: POINTS - have[e]]
            found[e, have[e] : have[e] + len(new)] = new
            have[e] += len(new)
    sums = np.einsum("enk,ek->en", found, line)
    radius = np.linalg.norm(found, axis=2).max(axis=1)
    return Problems(found, np.sign(sums), line, np.abs(sums).min(axis=1), radius)


def learn(library: Any, precision: str, given: Problems) -> Learned:
    """All units at once, sample after sample, until none errs in a pass."""
    xp, rule = library.xp, PerceptronRule()
    samples = [library.asarray(given.x[:, k], precision) for k in range(POINTS)]
    targets = [library.asarray(given.target[:, k, None], precision) for k in range(POINTS)]
    w = 0.0 * samples[0]
    mistakes, epochs = np.zeros(len(given.x), int), np.zeros(len(given.x), int)
    path, steepness, length = [np.zeros(3)], np.inf, 0.0
    for _ in range(MOST_EPOCHS):
        total = 0.0 * w[:, :1]
        for x, target in zip(samples, targets, strict=True):
            w, wrong = rule.update(xp, w, x, target)
            total = total + wrong
        new = library.to_numpy(total)[:, 0].astype(int)
        mistakes += new
        epochs += new > 0
        host = np.array(library.to_numpy(w), float)
        path.append(host[-1])
        steepness = min(steepness, ((host * given.solution).sum(axis=1) / (mistakes * given.margin)).min())
        length = max(length, (np.linalg.norm(host, axis=1) / (np.sqrt(mistakes) * given.radius)).max())
        if not new.any():
            break
    return Learned(host, mistakes, epochs, np.array(path), float(steepness), float(length))


def unlearnable(library: Any, precision: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Mistakes in, and ‖w‖ after each of 200 passes through XOR, in another order each time."""
    corners = load("xor").signs()
    w, wrong, lengths = np.zeros(3), [], []
    for k in range(200):
        once = PerceptronRule().learn(
            (corners.x, corners.target),
            w0=w, epochs=1, shuffle=True, seed=(seed + k) % 2**64, backend=library, precision=precision,
        )  # fmt: skip
        w = once.w[0]
        wrong.append(once.mistakes[0, 0])
        lengths.append(np.linalg.norm(w))
    return np.array(wrong), np.array(lengths)


def run(
    *, backend: str = "auto", scale: float = 1.0, seed: int = 0, precision: str = "float64", fuse: str = "auto"
) -> Outcome:
    """A thousand problems at scale 1, and XOR."""
    library = get(backend)
    given = problems(scaled(1000, scale, at_least=50), seed)
    learned = learn(library, precision, given)
    bound = (given.radius / given.margin) ** 2
    right = given.target * np.einsum("enk,ek->en", given.x, learned.w) > 0.0
    wrong, lengths = unlearnable(library, precision, seed)
    metrics = {
        "largest mistakes / bound": (learned.mistakes / bound).max(),
        "median mistakes / bound": np.median(learned.mistakes / bound),
        "share of units that converge": right.all(axis=1).mean(),
        "share of points on the right side": right.mean(),
        "least <w, u> / (k γ)": learned.steepness,
        "largest |w| / (√k R)": learned.length,
        "most mistakes of a unit": learned.mistakes.max(),
        "most passes": learned.epochs.max(),
        "XOR: least mistakes in a pass": wrong.min(),
        "XOR: largest |w|": lengths.max(),
        "XOR: passes after which w is 0 again": (lengths == 0.0).sum(),
    }
    figures = {
        "perceptron_convergence": draw(given, learned, bound),
        "perceptron_convergence_path": draw_path(given, learned, wrong[:40]),
    }
    return Outcome(figures, {k: float(v) for k, v in metrics.items()}, {"backend": library.name})


def draw(given: Problems, learned: Learned, bound: np.ndarray) -> Any:
    """Mistakes against margin, and against the bound."""
    title = f"{len(bound)} perceptrons: the narrower the margin, the more mistakes, but never more than the bound"
    figure, (left, right) = subplots(1, 2, size=(10, 5.0), title=title)
    left.loglog(given.margin, learned.mistakes, ".", color=BLUE, ms=4, alpha=0.6, label="mistakes until none is left")
    for radius, style in ((given.radius.min(), ":"), (given.radius.max(), "-")):
        line = np.geomspace(*MARGINS, 50)
        left.loglog(line, (radius / line) ** 2, style, color=RED, label=f"(R/γ)², R = {radius:.2f}")
    left.set_xticks([0.03, 0.1, 0.3], labels=["0.03", "0.1", "0.3"])
    left.minorticks_off()
    left.set(xlabel="margin γ", ylabel="mistakes")
    left.legend(loc="upper right")
    ratio = np.sort(learned.mistakes / bound)
    right.semilogx(ratio, np.arange(1, len(ratio) + 1) / len(ratio), color=BLUE)
    right.axvline(1.0, color=RED, label="Novikoff's bound")
    right.set(xlabel="mistakes / (R/γ)²", ylabel="share of the units", xlim=(None, 2.0), ylim=(0, 1.02))
    right.set_title("the bound is for the worst order of samples", loc="left")
    right.legend(loc="center left")
    return figure


def draw_path(given: Problems, learned: Learned, xor: np.ndarray) -> Any:
    """Lines of the unit with the narrowest margin, pass after pass; and XOR's mistakes."""
    figure, (plane, passes) = subplots(1, 2, size=(10, 5.0), title="Each mistake turns the line a little")
    x, target = given.x[-1, :, 1:], given.target[-1]
    for side, color, marker, name in ((1, BLUE, "o", "t = 1"), (-1, ORANGE, "s", "t = −1")):
        plane.plot(*x[target == side].T, marker, color=color, ms=5, label=name)
    at = np.linspace(-1.1, 1.1, 2)
    path = learned.path[1 : int(learned.epochs[-1]) + 1]
    for k in np.unique(np.geomspace(1, len(path), 7).astype(int)) - 1:
        last = k == len(path) - 1
        w0, w1, w2 = path[k]
        along = np.array([-w2, w1]) / max(np.hypot(w1, w2), 1e-12)
        foot = w0 * np.array([w1, w2]) / max(w1 * w1 + w2 * w2, 1e-12)
        ends = foot + 3.0 * at[:, None] * along
        plane.plot(*ends.T, color=BLACK if last else GREY, lw=2 if last else 1, alpha=1 if last else 0.6)
        where = foot + np.clip(-foot @ along, -1, 1) * along
        if (np.abs(where) < 1.05).all():
            plane.annotate(
                f"{k + 1}", where, color=BLACK, fontsize=9, backgroundcolor="white", ha="center", va="center"
            )
    plane.set(xlim=(-1.1, 1.1), ylim=(-1.1, 1.4), aspect="equal", xlabel="$x_1$", ylabel="$x_2$")
    plane.set_title(f"γ = {given.margin[-1]:.3f}: line after pass …, black: the last", loc="left")
    plane.legend(loc="upper left", ncols=2)
    passes.step(np.arange(1, len(xor) + 1), xor, color=RED, where="mid", label="XOR: never 0")
    passes.axhline(0.0, color=GREEN, lw=3, label="where every separable problem ends")
    passes.set(xlabel="pass", ylabel="mistakes of 4 samples", ylim=(-0.15, 5.2))
    passes.set_title("What a line cannot part is never learned", loc="left")
    passes.legend(loc="upper right")
    return figure


if __name__ == "__main__":
    from neurosim.scenario import main

    main(__file__)
