"""Linear layers, however many, are one matrix: no deeper, no better at XOR.

The outputs of a network of linear layers are x·W₁·W₂⋯ plus a constant; one layer with the product does the same, to
rounding, and no product has a higher rank than its narrowest layer is wide. So a stack of any depth learns XOR no
better than one layer does, to a mean squared error of ¼, and draws straight borders only; one layer of tanh between
changes that. Nor do more layers add ends of learning that are no least error (Baldi and Hornik).

References: Minsky & Papert, Perceptrons (1969); Baldi & Hornik, Neural Networks 2:53 (1989), no local
minima.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from neurosim.backends import get
from neurosim.learn import MLP, ConjugateGradients, Dense, Sequential, fit
from neurosim.learn.data import load
from neurosim.plotting import BLUE, GREEN, GREY, ORANGE, RED, subplots
from neurosim.scenario import Check, Outcome, scaled
from neurosim.scenarios._regions import draw_points, draw_regions, grid

SOURCE = "slides 27–28"
SECONDS = 4.0
CHECKS = (
    Check("stack - one matrix, in roundings", 0.0, 200.0, "x W1 W2 … = x (W1 W2 …), ten layers", unit="eps"),
    Check("rank of a stack whose narrowest layer has 3", 3.0, 0.0, "rank(A B) ≤ min(rank A, rank B)"),
    Check("tanh between: difference to one matrix", 0.01, 0.0, "no matrix does the same", "at least"),
    *(
        Check(f"XOR, error of {n} linear layer{'s' * (n > 1)}", 0.25, 2e-3, "least squares: every output is 1/2")
        for n in (1, 2, 4)
    ),
    Check("XOR, error of 2 layers with tanh", 0.001, 0.0, "Rumelhart et al. 1986", "at most"),
    Check("ends of deep linear networks above the least", 0.0, 5e-3, "Baldi & Hornik 1989: no local minima"),
)
DEPTHS = (1, 2, 4)
SHADES = (BLUE, GREEN, ORANGE)


def stack(sizes: tuple[int, ...], activation: str = "linear") -> Sequential:
    """Dense layers of one activation, the last linear; variance of what passes through is kept."""
    return MLP(sizes, (*(activation,) * (len(sizes) - 2), "linear"), weight_init="glorot_normal", bias_init="uniform")


def collapsed(network: Sequential, w: np.ndarray) -> np.ndarray:
    """Flat parameters of the one layer that does what linear layers do, in float64."""
    views = network.params.views(np, np.asarray(w, float))
    weight, bias = np.eye(network.n_in), np.zeros(network.n_in)
    for k in range(len(network.layers)):
        weight, bias = weight @ views[f"{k}.weight"], bias @ views[f"{k}.weight"] + views[f"{k}.bias"]
    return np.concatenate([weight.ravel(), bias])


def run(
    *, backend: str = "auto", scale: float = 1.0, seed: int = 0, precision: str = "float64", fuse: str = "auto"
) -> Outcome:
    """Random stacks, and 64 networks of each depth at scale 1."""
    library = get(backend)
    options: dict[str, Any] = {"seed": seed, "backend": library, "precision": precision}
    eps = float(np.finfo(precision).eps)
    x = load("horseshoe", seed=seed).x @ np.array([[1.0, 0.3, -0.5, 0.2], [-0.2, 1.0, 0.4, 0.7]])
    differences, with_tanh = {}, 0.0
    for depth in range(1, 11):
        sizes = (4, *(16,) * (depth - 1), 5)
        network, one = stack(sizes), Sequential((Dense(4, 5),))
        w = network.params.initial(seed, [0])[0]
        y = network.predict(w, x, backend=library, precision=precision).astype(float)
        same = one.predict(collapsed(network, w), x)
        differences[depth] = np.abs(y - same).max() / np.abs(same).max() / eps
        if depth > 1:
            bent = stack(sizes, "tanh").predict(w, x, backend=library, precision=precision).astype(float)
            rows = np.c_[x, np.ones(len(x))]
            best = rows @ np.linalg.lstsq(rows, bent, rcond=None)[0]
            with_tanh = max(with_tanh, np.abs(bent - best).max())
    narrow = stack((4, 12, 3, 12, 5))
    product = collapsed(narrow, narrow.params.initial(seed, [0])[0])[:20].reshape(4, 5)
    singular = np.linalg.svd(product, compute_uv=False)

    corners = load("xor")
    xor = (corners.x, corners.labels.astype(float))
    n = scaled(64, scale, at_least=8)
    learned = {d: fit(stack((2, *(4,) * (d - 1), 1)), xor, ConjugateGradients(), networks=n, iterations=80, **options)
               for d in DEPTHS}  # fmt: skip
    bent_one = fit(
        stack((2, 4, 1), "tanh"), xor, ConjugateGradients(), networks=n, iterations=80, stop_error=1e-5, **options
    )
    ends = np.concatenate([learned[d].final_error for d in DEPTHS])
    moons = {name: picture(net, seed, library, precision) for name, net in NETWORKS.items()}
    metrics = {
        "stack - one matrix, in roundings": max(differences.values()),
        "rank of a stack whose narrowest layer has 3": (singular > 1e-10 * singular[0]).sum(),
        "tanh between: difference to one matrix": with_tanh,
        **{f"XOR, error of {d} linear layer{'s' * (d > 1)}": learned[d].final_error.min() for d in DEPTHS},
        "XOR, error of 2 layers with tanh": bent_one.final_error.min(),
        "ends of deep linear networks above the least": np.median(ends) - 0.25,
        **{f"moons, {name}: right": right for name, (_, _, right) in moons.items()},
    }
    figures = {
        "linear_stack": draw(differences, singular, learned, bent_one),
        "linear_stack_regions": draw_regions_of(moons, seed),
    }
    return Outcome(figures, {k: float(v) for k, v in metrics.items()}, bent_one.provenance)


NETWORKS = {
    "1 linear layer": ((2, 2), "linear"),
    "4 linear layers": ((2, 16, 16, 16, 2), "linear"),
    "2 layers, tanh": ((2, 16, 2), "tanh"),
}


def picture(given: tuple[tuple[int, ...], str], seed: int, library: Any, precision: str) -> tuple[Any, Any, float]:
    """A network that learned two moons, its weights, and the share that it has right."""
    sizes, activation = given
    network = MLP(sizes, (*(activation,) * (len(sizes) - 2), "softmax"))
    found = load("moons", n=400, sd=0.12, seed=seed)
    history = fit(
        network, found.samples(), ConjugateGradients(), "cross_entropy", iterations=150, stop_error=0.01, seed=seed,
        backend=library, precision=precision,
    )  # fmt: skip
    right = (network.predict(history.w[0], found.x).argmax(axis=1) == found.labels).mean()
    return network, history.w[0], float(right)


def draw(differences: dict, singular: np.ndarray, learned: dict, bent: Any) -> Any:
    """Difference of stack and matrix, rank, and XOR."""
    title = "Linear layers are one matrix, however many there are"
    figure, (same, rank, xor) = subplots(1, 3, size=(10, 4.2), title=title)
    same.plot(list(differences), list(differences.values()), "o-", color=BLUE)
    same.set(xlabel="layers", ylabel="largest relative difference (roundings)", ylim=(0, None))
    same.set_title("Stack minus matrix", loc="left")
    values = np.maximum(singular / singular[0], 1e-18)
    rank.semilogy(np.arange(1, len(values) + 1), values, "o", color=BLUE, ms=8)
    rank.axvspan(3.5, 4.5, color=GREY, alpha=0.15, lw=0)
    rank.set(xlabel="number", ylabel="singular value / largest", xticks=range(1, 5), ylim=(1e-19, 10))
    rank.set_title("4-12-3-12-5 has rank 3", loc="left")
    for (depth, history), color in zip(learned.items(), SHADES, strict=True):
        low, middle, high = history.quantiles()
        xor.semilogy(history.iteration, middle, color=color, label=f"{depth} linear layer{'s' * (depth > 1)}")
        xor.fill_between(history.iteration, low, high, color=color, alpha=0.15, lw=0)
    low, middle, high = bent.quantiles()
    xor.semilogy(bent.iteration, middle, color=RED, label="2 layers, tanh")
    xor.fill_between(bent.iteration, low, high, color=RED, alpha=0.15, lw=0)
    xor.axhline(0.25, color=GREY, ls="--", lw=1)
    xor.text(79, 0.27, "¼", color=GREY, ha="right", va="bottom")
    xor.set(xlabel="iteration", ylabel="mean squared error of XOR", xlim=(0, 80), ylim=(5e-6, 30))
    xor.set_title("XOR, median and quartiles", loc="left")
    xor.legend(loc="upper right", ncols=2, fontsize=8)
    return figure


def draw_regions_of(moons: dict, seed: int) -> Any:
    """Borders that each network drew between two moons."""
    title = "Without bends between the layers the border is a straight line"
    figure, axes = subplots(1, 3, size=(10, 3.8), title=title, sharey=True)
    found = load("moons", n=400, sd=0.12, seed=seed)
    spans = (-1.5, 2.5), (-1.1, 1.6)
    for ax, (name, (network, w, right)) in zip(axes, moons.items(), strict=True):
        draw_regions(ax, *spans, network.predict(w, grid(*spans, 200)).argmax(axis=1))
        draw_points(ax, found.x, found.labels)
        ax.set(xlim=spans[0], ylim=spans[1], xlabel="$x_1$")
        ax.set_title(f"{name}: {right:.1%} right", loc="left")
    axes[0].set_ylabel("$x_2$")
    return figure


if __name__ == "__main__":
    from neurosim.scenario import main

    main(__file__)
