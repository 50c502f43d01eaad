"""One layer makes half-planes, two make convex regions, three make any; and where that rule fails.

Threshold networks with weights set by hand reproduce a region of the plane point for point. One unit: a half-plane. A
unit that asks for all of them (AND): a convex polygon. A third layer that asks for any (OR), and for not: two polygons
with a hole in one of them. Each is compared with the polygon itself on a grid. The rule holds for an AND in the output
only: two layers do make XOR's two wedges, and with sigmoids they approach any region (Cybenko), as the second picture
shows. Networks of one, two and three layers then learn the lecture's horseshoe, two moons and two spirals.

References: Lippmann, IEEE ASSP Magazine 4(2):4 (1987), figure 14; Cybenko, Math. Control Signals Systems 2:303 (1989);
Huang & Lippmann, NIPS 0:387 (1988), two layers with regions that are not convex.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from neurosim.backends import get
from neurosim.learn import MLP, ConjugateGradients, Sequential, fit
from neurosim.learn.data import load
from neurosim.plotting import BLACK, subplots
from neurosim.scenario import Check, Outcome, scaled
from neurosim.scenarios._regions import draw_points, draw_regions, grid

SOURCE = "slides 24–25 · Lippmann 1987"
SECONDS = 8.0
CHECKS = (
    Check("one layer: points not of the half-plane", 0.0, 0.0, "Lippmann 1987: a half-plane"),
    Check("two layers: points not of the polygon", 0.0, 0.0, "Lippmann 1987: a convex polygon"),
    Check("three layers: points not of the region", 0.0, 0.0, "Lippmann 1987: any region; two parts and a hole"),
    Check("two layers, XOR: points not of two wedges", 0.0, 0.0, "Huang & Lippmann 1988: not convex, in parts"),
    Check("one layer, horseshoe: right beyond the best line", 0.0, 0.01, "one layer is a line", "at most"),
    Check("one layer, spirals: right beyond the best line", 0.0, 0.01, "one layer is a line", "at most"),
    Check("two layers, horseshoe: right, test", 0.99, 0.0, "a convex region will do", "at least"),
    Check("three layers, horseshoe: right, test", 0.99, 0.0, "slides 40–62: a test loss of 0.05 and less", "at least"),
    Check("three layers, horseshoe: test loss", 0.047640, 0.0, "the largest of the slides 40–62", "at most"),
    Check("three layers, spirals: right, test", 0.95, 0.0, "any region", "at least"),
)

SPAN = (-1.0, 1.0)
HEXAGON = np.array([(np.cos(a), np.sin(a)) for a in np.pi / 3.0 * np.arange(6)])
# Of the third region: two polygons and a hole in the first, corners against the clock.
LARGE = 0.55 * HEXAGON + np.array([-0.35, 0.3])
HOLE = 0.25 * HEXAGON[::2] + np.array([-0.35, 0.3])
SMALL = np.array([(0.15, -0.8), (0.9, -0.6), (0.5, -0.05)])
LINES = {"one layer": (), "two layers": (12,), "three layers": (16, 12)}  # hidden units of those that learn
SETS = {"horseshoe": {}, "moons": {"n": 600, "sd": 0.12}, "spirals": {"n": 600, "turns": 0.9, "sd": 0.02}}


def sides(corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights (2, sides) and biases (sides,) of units that fire on the inner side of each side."""
    along = np.roll(corners, -1, axis=0) - corners
    inward = np.stack([-along[:, 1], along[:, 0]])
    return inward, -(inward.T * corners).sum(axis=1)


def network(*layers: tuple[Any, Any]) -> tuple[Sequential, np.ndarray]:
    """A threshold network of given (weight, bias) of each layer, and its flat parameters."""
    arrays = [np.asarray(a, float) for layer in layers for a in layer]
    sizes = (arrays[0].shape[0], *(weight.shape[1] for weight in arrays[::2]))
    return MLP(sizes, "heaviside"), np.concatenate([a.ravel() for a in arrays])


def all_of(n: int) -> tuple[np.ndarray, np.ndarray]:
    """One unit that fires where all n do."""
    return np.ones((n, 1)), np.array([0.5 - n])


def by_hand() -> dict[str, tuple[Sequential, np.ndarray]]:
    """The four networks."""
    polygons = [sides(p) for p in (LARGE, HOLE, SMALL)]
    ends = np.cumsum([0, *(len(b) for _, b in polygons)])
    which = np.zeros((ends[-1], 3))
    for k in range(3):
        which[ends[k] : ends[k + 1], k] = 1.0
    within = (which, 0.5 - which.sum(axis=0))  # one AND for each polygon
    inward = sides(0.8 * HEXAGON)
    return {
        "one layer": network(([[1.0], [2.0]], [-0.3])),
        "two layers": network(inward, all_of(6)),
        "three layers": network(
            (np.concatenate([w for w, _ in polygons], axis=1), np.concatenate([b for _, b in polygons])),
            within,
            # large and not its hole, or small
            ([[1.0], [-1.0], [1.0]], [-0.5]),
        ),
        "two layers, XOR": network(([[1.0, -1.0], [1.0, -1.0]], [-0.4, -0.4]), (np.ones((2, 1)), [-0.5])),
    }


def inside(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Whether points are within a polygon: by crossings of a ray, and so in another way than the network's."""
    a, b = corners, np.roll(corners, -1, axis=0)
    x, y = points[:, :1], points[:, 1:]
    spans = (a[:, 1] <= y) != (b[:, 1] <= y)
    with np.errstate(divide="ignore", invalid="ignore"):
        cross = a[:, 0] + (y - a[:, 1]) / (b[:, 1] - a[:, 1]) * (b[:, 0] - a[:, 0])
    return (spans & (x < cross)).sum(axis=1) % 2 == 1


def wanted(points: np.ndarray) -> dict[str, np.ndarray]:
    """The regions themselves."""
    x, y = points.T
    return {
        "one layer": x + 2.0 * y >= 0.3,
        "two layers": inside(points, 0.8 * HEXAGON),
        "three layers": (inside(points, LARGE) & ~inside(points, HOLE)) | inside(points, SMALL),
        "two layers, XOR": np.abs(x + y) >= 0.4,
    }


def best_line(x: np.ndarray, labels: np.ndarray) -> float:
    """Largest share of two classes that a line has right, of lines in 720 directions and all places."""
    angle = np.pi * np.arange(720) / 720
    along = x @ np.stack([np.cos(angle), np.sin(angle)])
    ones = np.cumsum(2 * labels[np.argsort(along, axis=0)] - 1, axis=0)  # class 1 below the line, less class 0
    zeros = np.count_nonzero(labels == 0)
    right = np.concatenate([zeros + ones, len(labels) - zeros - ones, [[zeros] * 720, [len(labels) - zeros] * 720]])
    return float(right.max() / len(labels))


def run(
    *, backend: str = "auto", scale: float = 1.0, seed: int = 0, precision: str = "float64", fuse: str = "auto"
) -> Outcome:
    """Regions on a grid of 1000 × 1000, and the best of eight networks of each depth on each data set at scale 1."""
    library = get(backend)
    side = scaled(1000, scale, at_least=200)
    cell = 2.0 / side
    # Between the lines that the regions are made of, where float32 may decide either way.
    points = grid((SPAN[0] + 0.37 * cell, SPAN[1] - 0.61 * cell), (SPAN[0] + 0.43 * cell, SPAN[1] - 0.59 * cell), side)
    computed, metrics = {}, {}
    for (name, (net, w)), region in zip(by_hand().items(), wanted(points).values(), strict=True):
        y = net.predict(w, points, backend=library, precision=precision)[..., 0]
        computed[name] = y > 0.5
        what = {"one layer": "the half-plane", "two layers": "the polygon", "three layers": "the region"}
        metrics[f"{name}: points not of {what.get(name, 'two wedges')}"] = (computed[name] != region).sum()

    networks = scaled(8, scale, at_least=4)
    learned = {}
    for set_name, arguments in SETS.items():
        found = load(set_name, seed=seed, **arguments)
        train, test = found.split(0.3 if set_name == "horseshoe" else 0.5, seed=seed)
        for depth, hidden in LINES.items():
            net = MLP((2, *hidden, 2), (*("tanh",) * len(hidden), "softmax"))
            history = fit(
                net, train.samples(), ConjugateGradients(), "cross_entropy", networks=networks, seed=seed,
                iterations=400 if hidden else 60, stop_error=0.02, backend=library, precision=precision,
            )  # fmt: skip
            w = history.w[np.argmin(history.final_error)]
            p = net.predict(w, test.x).astype(float)
            right = (p.argmax(axis=1) == test.labels).mean()
            metrics[f"{depth}, {set_name}: right, test"] = right
            loss = -np.log(np.maximum(p[np.arange(len(test)), test.labels], 1e-30)).mean()
            metrics[f"{depth}, {set_name}: test loss"] = loss
            if not hidden:
                metrics[f"{set_name}: right, best line"] = best_line(test.x, test.labels)
                metrics[f"one layer, {set_name}: right beyond the best line"] = right - best_line(test.x, test.labels)
            learned[set_name, depth] = (net, w, test, right)
    figures = {"decision_regions": draw_by_hand(computed), "decision_regions_learned": draw_learned(learned)}
    return Outcome(figures, {k: float(v) for k, v in metrics.items()}, history.provenance)


def draw_by_hand(computed: dict[str, np.ndarray]) -> Any:
    """Regions of threshold networks with weights set by hand."""
    title = "Threshold networks, weights set by hand: what each layer adds"
    figure, axes = subplots(1, 4, size=(10, 3.4), title=title, sharey=True)
    headings = {
        "one layer": "1 layer: half-plane",
        "two layers": "2 layers, AND: convex",
        "three layers": "3 layers: parts, holes",
        "two layers, XOR": "2 layers, OR: not convex",
    }
    borders = {
        "two layers": [0.8 * HEXAGON],
        "three layers": [LARGE, HOLE, SMALL],
        "one layer": [np.array([(-1.0, 0.65), (1.0, -0.35)])],
        "two layers, XOR": [np.array([(-1.0, 1.4), (1.4, -1.0)]), np.array([(-1.4, 1.0), (1.0, -1.4)])],
    }
    for ax, (name, heading) in zip(axes, headings.items(), strict=True):
        draw_regions(ax, SPAN, SPAN, computed[name].astype(int))
        for corners in borders[name]:
            ax.plot(*np.concatenate([corners, corners[:1]]).T, color=BLACK, lw=1)
        ax.set(xlim=SPAN, ylim=SPAN, aspect="equal", xlabel="$x_1$", xticks=[-1, 0, 1], yticks=[-1, 0, 1])
        ax.set_title(heading, loc="left")
    axes[0].set_ylabel("$x_2$")
    return figure


def draw_learned(learned: dict) -> Any:
    """Regions that networks of one, two and three layers learned."""
    title = "Learned by conjugate gradients: regions, and samples that were not seen"
    figure, axes = subplots(len(SETS), len(LINES), size=(10, 9.0), title=title)
    for row, name in enumerate(SETS):
        x = learned[name, "one layer"][2].x
        low, high = x.min(axis=0) - 0.08 * np.ptp(x, axis=0), x.max(axis=0) + 0.08 * np.ptp(x, axis=0)
        spans = (low[0], high[0]), (low[1], high[1])
        for ax, (depth, hidden) in zip(axes[row], LINES.items(), strict=True):
            net, w, test, right = learned[name, depth]
            draw_regions(ax, *spans, net.predict(w, grid(*spans, 200)).argmax(axis=1))
            draw_points(ax, test.x, test.labels, size=2.5)
            sizes = "-".join(map(str, (2, *hidden, 2)))
            ax.set_title(f"{sizes}: {right:.1%} right", loc="left")
            ax.set(xlim=spans[0], ylim=spans[1])
            ax.set_xlabel("$x_1$" if row == len(SETS) - 1 else "")
        axes[row, 0].set_ylabel(f"{name}, $x_2$")
    return figure


if __name__ == "__main__":
    from neurosim.scenario import main

    main(__file__)
