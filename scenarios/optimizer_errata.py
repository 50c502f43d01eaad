"""Formulas of the slides that err, taken literally, beside those of the literature.

quickProp: with both signs as printed steps grow where they should end (slide 42). rProp is right, and is what others
call rProp−; its first step is missing, and its path does not change when the error is multiplied (45). Conjugate
gradients: momentum and decay within the step spoil what makes directions conjugate (48). Nesterov looks back in place
of ahead, as ΔW is subtracted (51). AdaGrad and AdaDelta lack their ε: 0/0 where a pixel is always paper (52), and no
motion ever, as the first step is 0 (53). BFGS: the update of the Hessian, with s·s in place of y·s, is taken for that
of its inverse; it hardly leaves the first plateau of the lecture's points, and has no end on a quadratic of three
weights (58). Levenberg-Marquardt's I is not the identity but Marquardt's diagonal, with which units do not matter; the
rule for μ is missing (61). ``form="lecture"`` of each optimizer is the literal one; slide 59 counts 1733 iterations for
some BFGS that neither form is.

References: those of each optimizer in ``neurosim.learn``; Fahlman 1988; Riedmiller 1994; Sutskever et al. 2013; Duchi
et al. 2011; Zeiler 2012; Nocedal & Wright, Numerical Optimization (2nd ed. 2006); Marquardt 1963.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from neurosim.backends import get
from neurosim.learn import (
    BFGS,
    NAG,
    AdaDelta,
    AdaGrad,
    ConjugateGradients,
    FunctionObjective,
    GradientDescent,
    History,
    LevenbergMarquardt,
    QuickProp,
    ResidualObjective,
    RProp,
    Status,
    minimize,
)
from neurosim.learn.data import load
from neurosim.plotting import BLACK, BLUE, COLOURS, GREEN, GREY, RED, subplots
from neurosim.scenario import Check, Outcome, scaled
from neurosim.scenarios._error_history import plain_ticks
from neurosim.scenarios._optimizers import POINTS, STOP_POINTS, digits_problem, points_problem
from neurosim.scenarios.optimizer_race import START, residuals

SOURCE = "slides 42–61, errata · Fahlman 1988, Riedmiller 1994, Sutskever et al. 2013, Zeiler 2012"
SECONDS = 15.0
CHECKS = (
    Check("quickProp on the digits, iterations", 25.0, 0.0, "slide 44: 13", "at most"),
    Check("quickProp, literal: largest E / first", 1e3, 0.0, "E6: steps grow at the minimum", "at least"),
    Check("rProp: slide's formula by hand - rprop-, largest", 0.0, 0.0, "E7: the slide's is rProp−"),
    Check("rProp: change of the path by E → 1024 E", 0.0, 0.0, "E7: signs alone count"),
    Check("rProp: iterations, worst first step / best", 2.0, 0.0, "E7: the slide has none", "at least"),
    Check("CG: √(E/E₀) after n steps, in roundings", 0.0, 1e4, "n steps on a quadratic", "equal", "eps"),
    Check("CG, literal: √(E/E₀), least of μ and ρ", 1e-4, 0.0, "E8: spoilt by either", "at least"),
    Check("NAG: E/E₀ after 300 steps", 1e-12, 0.0, "E9: corrected", "at most"),
    Check("NAG, literal: largest E/E₀", 1e30, 0.0, "E9: looks back, and diverges", "at least"),
    Check("AdaGrad: digits learned, share", 1.0, 0.0, "with ε", "at least"),
    Check("AdaGrad, literal: 0/0 at once, share", 1.0, 0.0, "E10: without ε", "at least"),
    Check("AdaDelta: E/E₀ after 80 steps", 1e-3, 0.0, "with ε", "at most"),
    Check("AdaDelta, literal: farthest from the first weights", 0.0, 0.0, "E11: D = 0 remains"),
    Check("BFGS: √(E/E₀) after 3 steps, in roundings", 0.0, 1e4, "n steps on a quadratic", "equal", "eps"),
    Check("BFGS: |V - H⁻¹| after 3 steps, in roundings", 0.0, 1e4, "V goes to H⁻¹", "equal", "eps"),
    Check("BFGS, literal: E/E₀ after 30 steps", 1e-2, 0.0, "E12: that of H, taken for H⁻¹", "at least"),
    Check("BFGS on the points: share that reaches 0.05", 0.75, 0.0, "slide 59", "at least"),
    Check("BFGS, literal, on the points: median E", 0.5, 0.0, "E12: from 0.69", "at least"),
    Check("LMA, D of Marquardt: steps that units change", 0.0, 0.0, "E13: I is the diagonal of J'J"),
    Check("LMA, D = 1: steps that units change", 1.0, 0.0, "E13: I is no identity", "at least"),
    Check("LMA: steps that raise E", 0.0, 0.0, "μ by rejection"),
)
UNITS = 1024.0  # a power of two: nothing is rounded
FIRST_STEPS = np.geomspace(1e-4, 3.0, 25)
VARIANTS = ("rprop-", "rprop+", "irprop-", "irprop+")
CURVATURES = np.geomspace(1.0, 20.0, 4)


def quadratic(curvatures: Any, library: Any, precision: str) -> FunctionObjective:
    """½ Σ λ w²."""
    scale = library.asarray(np.asarray(curvatures, float)[None, :], precision)
    return FunctionObjective(lambda xp, w: 0.5 * xp.sum(w * w * scale, axis=-1, keepdims=True), library, precision)


def by_hand(objective: Any, method: RProp, w: Any, steps: int) -> np.ndarray:
    """Slide 45, line by line, with a first step Δ(0): the last weights."""
    xp, size = objective.xp, method.first_step + 0.0 * w
    before = 0.0 * w
    for _ in range(steps):
        grad = objective.value_and_grad(w)[1]
        product = grad * before
        size = xp.where(product > 0.0, xp.minimum(method.grow * size, method.step_max), size)
        size = xp.where(product < 0.0, xp.maximum(method.shrink * size, method.step_min), size)
        w, before = w - size * xp.sign(grad), grad
    return objective.backend.to_numpy(w).astype(float)


def errors_of(history: History, k: int = 0) -> np.ndarray:
    """Error of a network up to its end."""
    values = history.error[:, k].astype(float)
    return values[np.isfinite(values)]


def run(
    *, backend: str = "auto", scale: float = 1.0, seed: int = 0, precision: str = "float64", fuse: str = "auto"
) -> Outcome:
    """Eight errata; ``scale`` is of the networks that learn (16, three at least) and of their longest run."""
    library, eps = get(backend), float(np.finfo(precision).eps)
    networks = scaled(16, scale, at_least=3)
    where: dict[str, Any] = {"seed": seed, "backend": library, "precision": precision}
    curves: dict[str, dict[str, Any]] = {}
    metrics: dict[str, Any] = {}

    digits = digits_problem("quickprop")
    found = {
        form: [digits.learn(QuickProp(0.3, form=form), [k], iterations=60, **where) for k in range(networks)]
        for form in ("standard", "lecture")
    }
    metrics["quickProp on the digits, iterations"] = np.median([h.iterations[0] + 1 for h in found["standard"]])
    rise = [np.nanmax(h.error) / h.error[0, 0] for h in found["lecture"]]
    metrics["quickProp, literal: largest E / first"] = np.min(rise)
    curves["E6"] = {form: errors_of(h[0]) for form, h in found.items()}

    valley = ResidualObjective(residuals, library, precision)
    begin = library.asarray([START], precision)
    method, steps = RProp(0.1, variant="rprop-"), 40
    last = minimize(valley, method, START, iterations=steps).w.astype(float)
    metrics["rProp: slide's formula by hand - rprop-, largest"] = np.abs(
        by_hand(valley, method, begin, steps) - last
    ).max()
    larger = FunctionObjective(lambda xp, w: UNITS * valley.value_in(xp, w), library, precision)
    metrics["rProp: change of the path by E → 1024 E"] = np.abs(
        minimize(larger, method, START, iterations=steps).w - last
    ).max()
    starts = np.tile(START, (len(FIRST_STEPS), 1))
    counts = {
        v: minimize(valley, RProp(FIRST_STEPS, variant=v), starts, iterations=2000, stop_error=1e-4).iterations
        for v in VARIANTS
    }
    metrics["rProp: iterations, worst first step / best"] = counts["rprop-"].max() / counts["rprop-"].min()

    bowl, ones = quadratic(CURVATURES, library, precision), np.ones(len(CURVATURES))
    methods = {
        "standard": ConjugateGradients(line_search="exact"),
        "literal": ConjugateGradients(line_search="exact", form="lecture"),
        "literal, μ = 0.3": ConjugateGradients(line_search="exact", form="lecture", momentum=0.3),
        "literal, ρ = 0.05": ConjugateGradients(line_search="exact", form="lecture", l2=0.05),
    }
    curves["E8"] = {name: errors_of(minimize(bowl, m, ones, iterations=len(CURVATURES))) for name, m in methods.items()}
    ends = {name: np.sqrt(values[-1] / values[0]) for name, values in curves["E8"].items()}
    metrics["CG: √(E/E₀) after n steps, in roundings"] = ends["standard"] / eps
    metrics["CG, literal: √(E/E₀), least of μ and ρ"] = min(list(ends.values())[2:])

    three = quadratic((1.0, 10.0, 100.0), library, precision)
    methods = {
        "standard": NAG(0.009),
        "literal": NAG(0.009, form="lecture"),
        "heavy ball": GradientDescent(0.009, momentum=0.9),
    }
    curves["E9"] = {name: errors_of(minimize(three, m, np.ones(3), iterations=300)) for name, m in methods.items()}
    metrics["NAG: E/E₀ after 300 steps"] = curves["E9"]["standard"][-1] / curves["E9"]["standard"][0]
    metrics["NAG, literal: largest E/E₀"] = curves["E9"]["literal"].max() / curves["E9"]["literal"][0]

    found = {
        form: [digits.learn(AdaGrad(0.01, form=form), [k], **where) for k in range(networks)]
        for form in ("standard", "lecture")
    }
    metrics["AdaGrad: digits learned, share"] = np.mean([h.reached[0] for h in found["standard"]])
    at_once = [h.status[0] == Status.NON_FINITE and h.iterations[0] == 0 for h in found["lecture"]]
    metrics["AdaGrad, literal: 0/0 at once, share"] = np.mean(at_once)
    curves["E10"] = {form: errors_of(h[0]) for form, h in found.items()}
    paper = int((load("digits").x == 0.0).all(axis=0).sum())

    methods = {"standard": AdaDelta(epsilon=1e-3), "literal": AdaDelta(form="lecture")}
    moved = {name: minimize(bowl, m, ones, iterations=80) for name, m in methods.items()}
    curves["E11"] = {name: errors_of(h) for name, h in moved.items()}
    metrics["AdaDelta: E/E₀ after 80 steps"] = curves["E11"]["standard"][-1] / curves["E11"]["standard"][0]
    metrics["AdaDelta, literal: farthest from the first weights"] = np.abs(moved["literal"].w - 1.0).max()

    small, start = quadratic((1.0, 5.0, 20.0), library, precision), np.array([3.0, 1.0, 1.0])
    exact = BFGS(line_search="exact")
    curves["E12"] = {
        "standard": errors_of(minimize(small, exact, start, iterations=3)),
        "literal": errors_of(minimize(small, replace(exact, form="lecture"), start, iterations=30)),
    }
    w = library.asarray(start[None, :], precision)
    state = exact.init(library.xp, small, w)
    for _ in range(3):
        w, state, _ = exact.step(library.xp, small, w, state)
    inverse = library.to_numpy(state.inverse)[0].astype(float)
    good, bad = curves["E12"]["standard"], curves["E12"]["literal"]
    metrics["BFGS: √(E/E₀) after 3 steps, in roundings"] = np.sqrt(good[-1] / good[0]) / eps
    metrics["BFGS: |V - H⁻¹| after 3 steps, in roundings"] = np.abs(inverse - np.diag([1.0, 0.2, 0.05])).max() / eps
    metrics["BFGS, literal: E/E₀ after 30 steps"] = bad[-1] / bad[0]
    problem = points_problem("bfgs", load("horseshoe", seed=seed).split(0.3, seed=seed)[0])
    most = scaled(POINTS["bfgs"].iterations, scale, at_least=300)
    learned = {
        name: problem.learn(BFGS(form=form), max(networks, 4), iterations=most, **where)
        for name, form in (("standard", "standard"), ("literal", "lecture"))
    }
    metrics["BFGS on the points: share that reaches 0.05"] = learned["standard"].reached.mean()
    metrics["BFGS, literal, on the points: median E"] = np.median(learned["literal"].final_error)

    stretched = ResidualObjective(
        lambda xp, w: residuals(xp, w * library.asarray([[1.0 / UNITS, 1.0]], precision)), library, precision
    )
    tracks: dict[str, np.ndarray] = {}
    for scaling, name in (("marquardt", "D of Marquardt"), ("identity", "D = 1")):
        method = LevenbergMarquardt(scaling=scaling)
        pair = [
            minimize(objective, method, place, iterations=300, stop_error=1e-4)
            for objective, place in ((valley, START), (stretched, (START[0] * UNITS, START[1])))
        ]
        difference = abs(int(pair[0].iterations[0]) - int(pair[1].iterations[0]))
        metrics[f"LMA, {name}: steps that units change"] = difference
        tracks |= {name: errors_of(pair[0]), f"{name}, x in other units": errors_of(pair[1])}
    curves["E13"] = tracks
    metrics["LMA: steps that raise E"] = sum((np.diff(values) > 0.0).sum() for values in tracks.values())

    figures = {"optimizer_errata": draw(curves, counts, learned, paper)}
    provenance = learned["standard"].provenance
    return Outcome(figures, {key: float(value) for key, value in metrics.items()}, provenance)


HEADINGS = {
    "E6": "E6 quickProp, digits: signs",
    "E8": "E8 CG, quadratic of 4 weights: μ, ρ",
    "E9": "E9 NAG, quadratic: looks back",
    "E10": "E10 AdaGrad, digits: no ε",
    "E11": "E11 AdaDelta, quadratic: no ε",
    "E12": "E12 BFGS, quadratic of 3 weights",
    "E13": "E13 LMA, bent valley: I is not 1",
}


def draw(curves: dict[str, Any], counts: dict[str, Any], learned: dict[str, History], paper: int) -> Any:
    """A panel for each erratum; BFGS has two."""
    title = "Formulas of the slides taken literally, and those of the literature: error E"
    figure, axes = subplots(3, 3, size=(12, 10.0), title=title)
    places = {
        name: axes.flat[k] for k, name in enumerate(("E6", "E7", "E8", "E9", "E10", "E11", "E12", "points", "E13"))
    }
    for name, tracks in curves.items():
        ax = places[name]
        for k, (label, values) in enumerate(tracks.items()):
            color = {"standard": BLUE, "literal": RED, "lecture": RED}.get(label, (BLUE, RED, GREEN, GREY)[k])
            dots = {"marker": "o", "ms": 3.5} if len(values) < 40 else {}
            shown = {"lecture": "literal"}.get(label, label)
            line = "--" if "units" in label else "-"
            ax.plot(np.arange(len(values)), np.maximum(values, 1e-34), color=color, label=shown, ls=line, **dots)
        ax.set(yscale="log", xlabel="step", ylabel="E")
        ax.set_title(HEADINGS[name], loc="left", fontsize=10)
        ax.legend(fontsize=8)
    places["E13"].set_ylim(top=1e7)
    places["E13"].legend(fontsize=8, loc="upper right")
    ax = places["E10"]
    ax.annotate(
        f"0/0 in the first step:\n{paper} of 900 pixels are paper", (0, curves["E10"]["lecture"][0]), xytext=(0.4, 0.6),
        textcoords="axes fraction", fontsize=8, color=RED, arrowprops={"arrowstyle": "->", "color": RED},
    )  # fmt: skip
    ax = places["E7"]
    for variant, color in zip(VARIANTS, COLOURS, strict=False):
        ax.plot(FIRST_STEPS, counts[variant], "o-", ms=3, color=color, label=variant)
    ax.set(xscale="log", yscale="log", xlabel="first step Δ(0), which the slide lacks", ylabel="steps to E < 10⁻⁴")
    plain_ticks(ax.yaxis)
    ax.set_title("E7 rProp, bent valley: four variants", loc="left", fontsize=10)
    ax.legend(fontsize=8)
    ax, slide = places["points"], POINTS["bfgs"]
    for name, color in (("standard", BLUE), ("literal", RED)):
        low, middle, high = learned[name].quantiles()
        rows = learned[name].iteration + 1
        ax.fill_between(rows, low, high, color=color, alpha=0.2, lw=0)
        ax.plot(rows, middle, color=color, label=f"{name}, median of {learned[name].error.shape[1]}")
    ax.plot(slide.iterations, slide.error, "*", color=RED, mec=BLACK, ms=12, label=f"slide 59: {slide.iterations}")
    ax.axhline(STOP_POINTS, color=GREY, ls="--", lw=1)
    ax.set(xscale="log", yscale="log", xlabel="iteration", ylabel="E")
    plain_ticks(ax.yaxis)
    ax.set_title("E12 BFGS, the lecture's points", loc="left", fontsize=10)
    ax.legend(fontsize=8, loc="lower left", bbox_to_anchor=(0.0, 0.1))
    return figure


if __name__ == "__main__":
    from neurosim.scenario import main

    main(__file__)
