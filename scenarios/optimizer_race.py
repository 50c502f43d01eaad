"""All optimizers race: through a bent valley, and to the lecture's error from 256 beginnings.

The valley is Rosenbrock's with a factor of 9 in place of 100, E = ½ (9 (y − x²)² + (1 − x)²): every optimizer of the
register goes from one place to its end, E < 10⁻⁴, and its path is drawn. Then each learns the lecture's 600 points with
a network 2-10-5-2 from 256 first weights, as ``optimizer_points`` does: iterations and evaluations to E < 0.05, median
and quartiles, beside the slides' numbers; and the seconds of a network that learns alone. Rates are those of
``optimizer_points``, found by trying a few, so an order within one family says little; that curvature saves iterations,
and that an iteration of Newton's method is dear, says more. Levenberg-Marquardt has its own error, Σ e².

References: Rosenbrock, Comput. J. 3:175 (1960); the lecture, slides 40–62; Nocedal & Wright, Numerical Optimization
(2nd ed. 2006).
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import numpy as np

from neurosim.backends import get
from neurosim.learn import FirstOrder, ResidualObjective, all_optimizers, minimize
from neurosim.learn.data import load
from neurosim.plotting import BLACK, COLOURS, GREY, RED, subplots
from neurosim.scenario import Check, Outcome, scaled
from neurosim.scenarios._error_history import plain_ticks
from neurosim.scenarios._optimizers import POINTS, STOP_POINTS, iterations_of, points_problem, setting

SOURCE = "slides 40–62 · Rosenbrock 1960"
SECONDS = 400.0
_FEWER = "second derivatives save iterations"
CHECKS = (
    Check("optimizers that reach the end of the valley", 1.0, 0.0, "all of the register; share", "at least"),
    Check("optimizers of which 3 of 4 networks reach E < 0.05", 1.0, 0.0, "slides 40–62; share", "at least"),
    Check("iterations, rprop / gd", 1.0, 0.0, "slides 46, 40: 55 and 814", "at most"),
    Check("iterations, cg / gd", 1.0, 0.0, "slides 49, 40: 124 and 814", "at most"),
    Check("iterations, newton and lma / fewest of first order", 1.0, 0.0, _FEWER, "at most"),
    Check("iterations in the valley, newton and lma / fewest of first order", 1.0, 0.0, _FEWER, "at most"),
    Check("evaluations of an iteration, cg / gd", 1.5, 0.0, "a line search is not for nothing", "at least"),
)
STEEP = 3.0
START, END, REACHED, MOST = (-1.3, -0.4), (1.0, 1.0), 1e-4, 5000
BOX = ((-1.75, 1.75), (-0.9, 2.4))


class Racer(NamedTuple):
    """What was seen of one optimizer."""

    path: np.ndarray  # in the valley, shape (iterations + 1, 2)
    valley: np.ndarray  # error there
    at_end: bool
    curve: np.ndarray  # median error of the networks
    iterations: np.ndarray  # of each network
    evaluations: np.ndarray
    seconds: np.ndarray  # of a few that learn alone
    reached: float  # share of the networks
    provenance: dict[str, Any]


def residuals(xp: Any, w: Any) -> Any:
    """Of the valley: (E, 2) → (E, 2)."""
    x, y = w[:, :1], w[:, 1:]
    return xp.concat([STEEP * (y - x * x), 1.0 - x], axis=1)


def raced(name: str, library: Any, precision: str, seed: int, scale: float) -> Racer:
    """Both races of one optimizer."""
    path: list[np.ndarray] = []
    valley = minimize(
        ResidualObjective(residuals, library, precision), setting(name).valley, START, iterations=MOST,
        stop_error=REACHED, callbacks=[lambda seen: path.append(library.to_numpy(seen.w)[0].astype(float))],
    )  # fmt: skip
    train = load("horseshoe", seed=seed).split(0.3, seed=seed)[0]
    problem, method = points_problem(name, train), setting(name).points
    options: dict[str, Any] = {"seed": seed, "iterations": MOST, "backend": library, "precision": precision}
    history = problem.learn(method, scaled(256, scale, at_least=4), **options)
    seconds = []
    for k in range(scaled(8, scale)):
        begin = time.perf_counter()
        problem.learn(method, [k], **options)
        seconds.append(time.perf_counter() - begin)
    return Racer(
        np.array(path), valley.error[:, 0].astype(float), bool(valley.reached[0]), history.quantiles((0.5,))[0],
        iterations_of(history), history.evaluations[-1], np.array(seconds), float(history.reached.mean()),
        dict(history.provenance),
    )  # fmt: skip


def run(
    *, backend: str = "auto", scale: float = 1.0, seed: int = 0, precision: str = "float64", fuse: str = "auto"
) -> Outcome:
    """256 networks for each optimizer at scale 1, four at least."""
    library = get(backend)
    found = {name: raced(name, library, precision, seed, scale) for name in all_optimizers()}
    first = [name for name, cls in all_optimizers().items() if issubclass(cls, FirstOrder)]
    median = {name: float(np.median(one.iterations)) for name, one in found.items()}
    steps = {name: len(one.valley) for name, one in found.items()}
    each = {name: float(np.median(one.evaluations / one.iterations)) for name, one in found.items()}
    metrics: dict[str, Any] = {
        "optimizers that reach the end of the valley": np.mean([one.at_end for one in found.values()]),
        "optimizers of which 3 of 4 networks reach E < 0.05": np.mean([one.reached >= 0.75 for one in found.values()]),
        "iterations, rprop / gd": median["rprop"] / median["gradient_descent"],
        "iterations, cg / gd": median["cg"] / median["gradient_descent"],
        "evaluations of an iteration, cg / gd": each["cg"] / each["gradient_descent"],
    }
    for what, counts in (("", median), (" in the valley", steps)):
        most = max(counts["newton"], counts["lma"])
        metrics[f"iterations{what}, newton and lma / fewest of first order"] = most / min(counts[n] for n in first)
    for name, one in found.items():
        for quantity, values in (("iterations", one.iterations), ("seconds", one.seconds)):
            for part, value in zip(("lower quartile", "median", "upper quartile"), _quartiles(values), strict=True):
                metrics[f"{name}: {quantity} to E < 0.05, {part}"] = value
    figures = {
        "optimizer_race": draw_map(found, first),
        "optimizer_race_errors": draw_errors(found),
        "optimizer_race_times": draw_times(found),
    }
    facts = next(iter(found.values())).provenance
    return Outcome(figures, {key: float(value) for key, value in metrics.items()}, facts)


def _quartiles(values: np.ndarray) -> np.ndarray:
    return np.quantile(values, (0.25, 0.5, 0.75))


def looks(names: Any) -> dict[str, dict[str, Any]]:
    """A colour and a kind of line for each name."""
    styles = ("-", (0, (4, 1.5)), (0, (1, 1)))
    return {n: {"color": COLOURS[k % 7], "ls": styles[k // 7 % 3]} for k, n in enumerate(names)}


def draw_map(found: dict[str, Racer], first: list[str]) -> Any:
    """Paths in the valley: methods of first order, and those with line searches or curvature."""
    title = "Through a bent valley: E = ½ (9 (y − x²)² + (1 − x)²)"
    figure, axes = subplots(1, 2, size=(12, 5.6), title=title, sharey=True)
    a, b = np.meshgrid(np.linspace(*BOX[0], 300), np.linspace(*BOX[1], 300))
    height = 0.5 * (STEEP**2 * (b - a * a) ** 2 + (1.0 - a) ** 2)
    groups = {
        "first derivatives, rates": first,
        "line searches, second derivatives": [name for name in found if name not in first],
    }
    style = looks(found)
    for ax, (heading, names) in zip(axes, groups.items(), strict=True):
        ax.contourf(a, b, np.log10(height + 1e-3), 24, cmap="Greys", alpha=0.55)
        for name in names:
            one = found[name]
            label = f"{name}: {len(one.valley) - 1}" + ("" if one.at_end else ", not there")
            few = {"marker": "o", "ms": 3} if len(one.path) < 60 else {}
            ax.plot(*one.path.T, lw=1.4, label=label, **style[name], **few)
        ax.plot(*START, "s", color=BLACK, ms=7)
        ax.annotate("start", START, xytext=(6, -12), textcoords="offset points")
        ax.plot(*END, "*", color=RED, mec=BLACK, ms=15, zorder=5)
        ax.set(xlim=BOX[0], ylim=BOX[1], xlabel="x")
        ax.set_title(heading, loc="left")
        ax.grid(visible=False)
        box = {"frameon": True, "framealpha": 0.9, "fontsize": 8, "title": "steps to E < 10⁻⁴", "title_fontsize": 8}
        ax.legend(loc="upper center", ncols=2, **box)
    axes[0].set_ylabel("y")
    return figure


def draw_errors(found: dict[str, Racer]) -> Any:
    """Errors against iterations, in the valley and on the points."""
    figure, (valley, points) = subplots(1, 2, size=(12, 5.2), title="One race, two tracks: error against iterations")
    for name, style in looks(found).items():
        one = found[name]
        valley.loglog(np.arange(1, len(one.valley) + 1), np.maximum(one.valley, 1e-9), **style, label=name)
        done = np.flatnonzero(one.curve < STOP_POINTS)
        shown = one.curve[: done[0] + 1] if len(done) else one.curve
        points.loglog(np.arange(1, len(shown) + 1), shown, **style)
    valley.axhline(REACHED, color=GREY, ls="--", lw=1)
    valley.set(xlabel="iteration", ylabel="error E", ylim=(1e-6, None))
    valley.set_title("The valley, one run", loc="left")
    points.axhline(STOP_POINTS, color=GREY, ls="--", lw=1)
    points.set(xlabel="iteration", ylabel="error E, median")
    plain_ticks(points.yaxis)
    n = len(next(iter(found.values())).iterations)
    points.set_title(f"The lecture's points, median of {n} networks (lma: Σ e²)", loc="left")
    figure.legend(*valley.get_legend_handles_labels(), loc="outside lower center", ncols=7)
    return figure


def draw_times(found: dict[str, Racer]) -> Any:
    """Iterations, evaluations and seconds to the lecture's error."""
    names = sorted(found, key=lambda name: -float(np.median(found[name].iterations)))
    title = "To the lecture's error, E < 0.05: median and quartiles"
    figure, axes = subplots(1, 3, size=(12, 5.0), title=title, sharey=True)
    columns = {"iterations": "iterations", "evaluations of the error": "evaluations", "seconds, alone": "seconds"}
    for ax, (heading, column) in zip(axes, columns.items(), strict=True):
        for row, name in enumerate(names):
            low, middle, high = _quartiles(getattr(found[name], column))
            ax.plot([low, high], [row, row], color=COLOURS[0], lw=5, alpha=0.35, solid_capstyle="butt")
            ax.plot(middle, row, "o", color=COLOURS[0], ms=5)
            if column == "iterations" and name in POINTS:
                ax.plot(POINTS[name].iterations, row, "*", color=RED, mec=BLACK, mew=0.5, ms=12, label="the slide's")
        ax.set(xscale="log", xlabel=heading)
        plain_ticks(ax.xaxis)
    handles, labels = axes[0].get_legend_handles_labels()
    axes[0].legend(handles[:1], labels[:1], loc="lower left")
    axes[0].set_yticks(range(len(names)), names)
    return figure


if __name__ == "__main__":
    from neurosim.scenario import main

    main(__file__)
