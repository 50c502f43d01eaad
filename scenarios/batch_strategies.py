"""Full batch, mini-batches, one sample at a time: one gradient on average, with a noise that is known.

The batches of an epoch are a partition of the samples, so the mean of their gradients is the gradient of all; a batch
of B out of N samples, drawn without putting back, misses it with the variance of a sample's gradient times
(N − B)/((N − 1)·B), the law of sampling from a finite population. Both are measured on the lecture's points and its
network, 2-10-5-2. What the noise is worth shows when the network learns: updates are what it needs, and small batches
make many of them in an epoch, at a price in time for each.

References: Cochran, Sampling Techniques (1977), theorem 2.2; Robbins & Monro, Ann. Math. Stat. 22:400 (1951); Bottou,
Curtis & Nocedal, SIAM Rev. 60:223 (2018).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from neurosim.backends import get
from neurosim.learn import MLP, FullBatch, GradientDescent, History, MiniBatch, Stochastic, draws, fit
from neurosim.learn.data import load
from neurosim.learn.losses import get_loss
from neurosim.learn.network_objective import network_objective
from neurosim.learn.samples import checked_samples
from neurosim.learn.strategies import Batches
from neurosim.plotting import BLUE, GREEN, GREY, ORANGE, RED, subplots
from neurosim.scenario import Check, Outcome, scaled

SOURCE = "slide 39 · Robbins & Monro 1951, Cochran 1977"
SECONDS = 8.0
CHECKS = (
    Check("mean of batches - gradient, in roundings", 0.0, 100.0, "batches are a partition; relative", unit="eps"),
    Check("samples not seen once in an epoch", 0.0, 0.0, "one epoch covers each sample once"),
    Check("orders of two epochs that are equal", 0.0, 0.0, "shuffled anew in each"),
    Check("variance of batches / expected, mean", 1.0, 0.2, "Cochran 1977: (N - B)/((N - 1) B)"),
    Check("variance of batches, largest deviation", 5.0, 0.0, "Cochran 1977, for each size", "at most", "se"),
    Check("slope of the variance, B << N", -1.0, 0.1, "1/B"),
    Check("error after the epochs, full batch / batches of 30", 2.0, 0.0, "twenty updates for one", "at least"),
    Check("test, batches of 30: right", 0.98, 0.0, "slides 40–62: test loss below 0.05", "at least"),
)
NETWORK = MLP((2, 10, 5, 2), ("tanh", "tanh", "softmax"))
SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 300)
STRATEGIES = {
    "full batch": (FullBatch(), 1.0),
    "batches of 100": (MiniBatch(100), 0.5),
    "batches of 30": (MiniBatch(30), 0.3),
    "one sample": (Stochastic(), 0.03),
}
SHADES = (RED, ORANGE, GREEN, BLUE)


def run(
    *, backend: str = "auto", scale: float = 1.0, seed: int = 0, precision: str = "float64", fuse: str = "auto"
) -> Outcome:
    """Variance over 250 epochs, and 16 networks for 150 epochs of each strategy at scale 1."""
    library = get(backend)
    host = library.to_numpy
    train, test = load("horseshoe", seed=seed).split(0.3, seed=seed)
    w = library.asarray(NETWORK.params.initial(seed, [0]), precision)
    loss, samples = get_loss("cross_entropy"), checked_samples(train.samples(), 2, 2)
    whole = network_objective(NETWORK, loss, samples, l2=0.0, backend=library, precision=precision)
    full = host(whole.value_and_grad(w)[1])[0].astype(float)

    # Each sample alone: their variance is what the law starts from.
    n = whole.n_samples
    each = np.stack([host(whole.part(k, k + 1).value_and_grad(w)[1])[0] for k in range(n)]).astype(float)
    variance = ((each - full) ** 2).sum(axis=1).mean()
    measured, error = np.zeros(len(SIZES)), np.zeros(len(SIZES))
    mean_off = 0.0
    epochs = scaled(250, scale, at_least=30)
    for k, size in enumerate(SIZES):
        batches = Batches(whole, MiniBatch(size) if size > 1 else Stochastic(), seed)
        squares = []
        for epoch in range(epochs if size > 5 else epochs // 10):
            grads = [
                host(batches[epoch * batches.per_epoch + b].value_and_grad(w)[1])[0].astype(float)
                for b in range(batches.per_epoch)
            ]
            mean_off = max(mean_off, float(np.abs(np.mean(grads, axis=0) - full).max() / np.abs(full).max()))
            squares.append(np.mean([((g - full) ** 2).sum() for g in grads]))
        measured[k], error[k] = np.mean(squares), np.std(squares) / np.sqrt(len(squares))
    expected = variance * (n - np.array(SIZES)) / ((n - 1) * np.array(SIZES))
    # What a network sees, marked by a first input that no other sample has.
    marked = checked_samples((np.c_[np.arange(n) + 1.0, np.zeros(n)], samples.target), 2, 2)
    seen = Batches(network_objective(NETWORK, loss, marked, l2=0.0, backend=library, precision=precision),
                   MiniBatch(30), seed)  # fmt: skip
    orders = [
        np.concatenate([host(seen[e * seen.per_epoch + b].x)[:, 0] for b in range(seen.per_epoch)])  # type: ignore[attr-defined]
        for e in range(2)
    ]
    missed = sum(int((np.sort(order) != np.arange(n) + 1).sum()) for order in orders)

    networks, epochs = scaled(16, scale, at_least=4), scaled(150, scale, at_least=120)
    learned, right = {}, {}
    for name, (strategy, rate) in STRATEGIES.items():
        most = epochs if strategy.batch_size(n) > 1 else epochs // 12
        learned[name] = fit(
            NETWORK, train.samples(), GradientDescent(rate, momentum=0.5), "cross_entropy", strategy, networks=networks,
            seed=seed, epochs=most, backend=library, precision=precision,
        )  # fmt: skip
        p = NETWORK.predict(learned[name].w, test.x)
        right[name] = float(np.median((p.argmax(axis=-1) == test.labels).mean(axis=-1)))
    last = {name: float(np.median(history.per_epoch()[-1])) for name, history in learned.items()}
    few = np.array(SIZES) <= 20
    metrics = {
        "mean of batches - gradient, in roundings": mean_off / float(np.finfo(precision).eps),
        "samples not seen once in an epoch": missed,
        "orders of two epochs that are equal": float((orders[0] == orders[1]).all()),
        "variance of batches / expected, mean": (measured / expected).mean(),
        "variance of batches, largest deviation": (np.abs(measured - expected) / (error + 0.02 * expected)).max(),
        "slope of the variance, B << N": np.polyfit(np.log(np.array(SIZES)[few]), np.log(measured[few]), 1)[0],
        "error after the epochs, full batch / batches of 30": last["full batch"] / last["batches of 30"],
        **{f"test, {name}: right": value for name, value in right.items()},
        **{f"ms per epoch, {name}": 1e3 * float(h.seconds[-1]) / len(h.per_epoch()) for name, h in learned.items()},
    }
    figures = {
        "batch_strategies": draw(np.array(SIZES), measured, expected, learned),
        "batch_strategies_cloud": draw_cloud(each - full, seed),
    }
    return Outcome(figures, {k: float(v) for k, v in metrics.items()}, learned["full batch"].provenance)


def draw(sizes: np.ndarray, measured: np.ndarray, expected: np.ndarray, learned: dict[str, History]) -> Any:
    """The noise of batches, and errors over epochs and over time."""
    title = "Small batches: a noisier gradient, more steps for the same samples"
    figure, (noise, epochs, seconds) = subplots(1, 3, size=(10, 4.4), title=title)
    fine = np.geomspace(sizes[0], sizes[-1] * 1.9, 200)
    n = 600
    noise.loglog(fine, expected[0] * (n - fine) / (fine * (n - 1)), color=GREY, label="(N − B) / ((N − 1) B)")
    noise.loglog(sizes, measured, "o", color=BLUE, label="measured")
    noise.set(xlabel="samples in a batch, B", ylabel="variance of the gradient")
    noise.set_title("The gradient of a batch", loc="left")
    noise.legend(loc="lower left")
    for (name, history), color in zip(learned.items(), SHADES, strict=True):
        errors = history.per_epoch()
        low, middle, high = np.quantile(errors, (0.25, 0.5, 0.75), axis=1)
        at = np.arange(1, len(middle) + 1)
        epochs.loglog(at, middle, color=color, label=name)
        epochs.fill_between(at, low, high, color=color, alpha=0.15, lw=0)
        time = history.seconds[history.updates_per_epoch - 1 :: history.updates_per_epoch][: len(middle)]
        seconds.loglog(np.maximum(time, 1e-4), middle, color=color, label=name)
    for ax, label, heading in (
        (epochs, "epoch", "Learning, per epoch"),
        (seconds, "seconds, all networks", "Learning, in time"),
    ):
        ax.set(xlabel=label, ylabel="cross-entropy, mean of the epoch")
        ax.set_title(heading, loc="left")
    epochs.legend(loc="lower left")
    return figure


def draw_cloud(away: np.ndarray, seed: int) -> Any:
    """Gradients of single samples, of batches, and of all, in the plane of their largest variance."""
    figure, ax = subplots(size=(7.0, 5.0), title="Gradients of samples, of batches, of all")
    cloud = away @ np.linalg.svd(away, full_matrices=False)[2][:2].T
    ax.plot(*cloud.T, ".", color=GREY, ms=4, label="one sample")
    order = draws.permutation(seed, "order", len(cloud))
    for size, color in ((5, ORANGE), (30, GREEN), (100, BLUE)):
        means = cloud[order].reshape(-1, size, 2).mean(axis=1)
        ax.plot(*means.T, "o", color=color, ms=5, label=f"batch of {size}")
    ax.plot(0.0, 0.0, "*", color=RED, ms=16, label="all samples")
    ax.set(xlabel="first principal direction", ylabel="second principal direction")
    ax.legend()
    return figure


if __name__ == "__main__":
    from neurosim.scenario import main

    main(__file__)
