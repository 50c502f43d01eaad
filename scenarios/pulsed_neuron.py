"""Pulses in, pulses out: what weight and delay of a connection do.

The spiking network of slide 10 takes pulses in and gives pulses out, and a connection has a delay and a weight. Here
is the smallest one: a leaky integrate-and-fire neuron (τ 10 ms, threshold θ of 15 mV above rest) whose synapses give
it a current of weight w that decays with τ/2. With x = exp(−t/τ) the potential at a time t after the arrival is
R·w·(x − x²) above rest, so all that follows has a closed form:

- A pulse fires the neuron only if R·w/4 > θ: from a weight of 6 nA on. It takes the latency −τ·ln((1 + √(1 −
  4θ/(R·w)))/2), 6.93 ms at that weight and shorter for greater ones. What is left of the current after the
  refractory period of 2 ms can fire it again, and again.
- The delay shifts the answer by itself, to the step.
- Two pulses of k·w for a threshold weight w, k < 1, that arrive Δ apart fire it if (1 + a)² > (1 + a²)/k with
  a = exp(−Δ/τ).

Inputs come from given spikes (``SpikeSource``), integration is exact, steps are 0.05 ms: a spike waits for the end of
its step. References: Stein, Biophys. J. 5:173 (1965); Rotter & Diesmann, Biol. Cybern. 81:381 (1999).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from neurosim import Network, Population, Projection, Record, Result, SpikeSource, connect, simulate
from neurosim.models import LIF
from neurosim.plotting import BLACK, BLUE, GREEN, GREY, ORANGE, RED, subplots
from neurosim.receptors import ExponentialCurrent
from neurosim.scenario import Check, Outcome, scaled

SOURCE = "slide 10 · Stein 1965"
SECONDS = 3.0
NEURON = LIF(tau_m=10.0, r_m=10.0, v_rest=-65.0, v_thresh=-50.0, v_reset=-65.0)
TAU, THETA = NEURON.tau_m, NEURON.v_thresh - NEURON.v_rest  # ms, mV
THRESHOLD = 4.0 * THETA / NEURON.r_m  # nA, weight at which one pulse fires
DT, T_REF, DURATION, AT = 0.05, 2.0, 110.0, 10.0  # ms
DELAYS = (0.05, 30.0)  # ms
SHARES = (0.55, 0.6, 0.7, 0.8, 0.9)  # of the threshold weight, of each of two pulses
_FORM = "closed form, see the docstring"
CHECKS = (
    Check("threshold weight", THRESHOLD, 0.01, "4θ/R", unit="nA"),
    Check("weight for two pulses", 12.202, 0.02, _FORM, unit="nA"),
    Check(
        "earliest answer after the closed form", 0.0, 2e-3, "a spike waits for the end of its step", "at least", "ms"
    ),
    Check("latest answer after the closed form", DT, 2e-3, "a spike waits for the end of its step", "at most", "ms"),
    Check("answers to a pulse, largest error", 0.0, 0.0, _FORM),
    Check(
        "delay and shift of the answer, largest difference", 0.0, 1e-6, "slide 10: a connection has a delay", unit="ms"
    ),
    *(Check(f"longest interval of two pulses of {k:g} w", 0.0, DT, _FORM, unit="ms from it") for k in SHARES),
    Check("potential, largest error", 0.0, 1e-3, "R·w·(exp(−t/τ) − exp(−2t/τ))", unit="mV"),
)


def latency(weight: np.ndarray) -> np.ndarray:
    """Time in ms from the arrival of a pulse to the answer; NaN where there is none."""
    root = 1.0 - THRESHOLD / np.asarray(weight, dtype=float)
    return -TAU * np.log((1.0 + np.sqrt(np.where(root >= 0.0, root, np.nan))) / 2.0)


def answers(weight: float) -> int:
    """Pulses that the neuron gives for one: each begins with what the last left of the current."""
    count = 0
    while weight > THRESHOLD:
        count += 1
        wait = float(latency(np.array(weight))) + T_REF
        weight *= math.exp(-2.0 * wait / TAU)
    return count


def weight_for(count: int) -> float:
    """Smallest weight that gives so many pulses."""
    low, high = THRESHOLD, 1e4
    for _ in range(100):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if answers(middle) >= count else (middle, high)
    return high


def longest_interval(share: float) -> float:
    """Longest interval in ms at which two pulses of a share of the threshold weight fire the neuron."""
    b = 1.0 / share - 1.0  # (1 + a)² = (1 + a²)(1 + b), so that b·a² − 2a + b = 0
    return -TAU * math.log((1.0 - math.sqrt(1.0 - b * b)) / b)


def run(
    *, backend: str = "auto", scale: float = 1.0, seed: int = 0, precision: str = "float64", fuse: str = "auto"
) -> Outcome:
    """Simulate, compare with the closed forms, draw.

    Parameters
    ----------
    backend, seed, precision, fuse
        Of :func:`neurosim.simulate`.
    scale : float
        Of the number of weights and of delays, 2 000 each at 1.
    """
    n = scaled(2000, scale, at_least=400)
    weights = np.concatenate((np.linspace(3.0, 25.0, n), THRESHOLD + np.linspace(-0.02, 0.02, 41)))
    weights = np.concatenate((weights, weight_for(2) + np.linspace(-0.05, 0.05, 41)))
    delays = DT * np.rint(np.linspace(*DELAYS, n) / DT)
    steps = np.arange(1, 601)  # intervals of two pulses
    # neuron 0 of the input fires once, neuron k > 0 with it the k-th interval later, the last ones for the story
    story = np.array([5.0, 25.0, 47.0, 51.0, 70.0])
    times = np.concatenate(([AT], AT + DT * steps, story))
    who = np.concatenate((np.arange(len(steps) + 1), np.arange(len(story)) + len(steps) + 1))
    source = Population("pulses", SpikeSource(times, who), len(steps) + 1 + len(story))
    populations = [
        source,
        Population("weights", NEURON, len(weights), t_ref=T_REF, receptors=_synapse()),
        Population("delays", NEURON, len(delays), t_ref=T_REF, receptors=_synapse()),
        Population("pairs", NEURON, len(SHARES) * len(steps), t_ref=T_REF, receptors=_synapse()),
        Population("story", NEURON, 1, t_ref=T_REF, receptors=_synapse()),
    ]
    story_weights, story_delays = np.array([4.0, 7.0, 4.0, 4.0, 14.0]), np.array([2.0, 2.0, 2.0, 2.0, 12.0])
    of_pairs = np.repeat(SHARES, len(steps)) * THRESHOLD
    second = connect.from_arrays(np.tile(steps, len(SHARES)), np.arange(len(of_pairs)))
    projections = [
        _from_first("weights", weights, 1.0),
        _from_first("delays", np.full(n, 9.0), delays),
        Projection(
            "pulses",
            "story",
            connect.from_arrays(np.arange(len(story)) + len(steps) + 1, np.zeros(len(story), int)),
            story_weights,
            story_delays,
        ),
        _from_first("pairs", of_pairs, 1.0),
        Projection("pulses", "pairs", second, of_pairs, 1.0),
    ]
    quiet = int(np.flatnonzero(weights < THRESHOLD)[-1])
    shown = sorted({int(np.argmin(np.abs(weights - w))) for w in (4.0, 6.2, 9.0, 16.0)} | {quiet})
    record = [Record(p.name, "spikes") for p in populations]
    record += [Record("weights", "v", neurons=shown), Record("story", "v"), Record("story", "excitatory_i")]
    result = simulate(
        Network(tuple(populations), tuple(projections)),
        duration=DURATION,
        dt=DT,
        method="exact",
        record=record,
        backend=backend,
        seed=seed,
        precision=precision,
        fuse=fuse,
    )

    counts = result.counts("weights")
    first = _first_spikes(result, "weights", len(weights))
    late = (first - AT - 1.0 - latency(weights))[weights > THRESHOLD * 1.001]  # the slope at the threshold is 0
    clear = np.array([answers(w * 0.995) == answers(w * 1.005) for w in weights])  # the step decides in between
    expected = np.array([answers(w) for w in weights])
    shift = _first_spikes(result, "delays", n) - delays
    fired = (result.counts("pairs") > 0).reshape(len(SHARES), len(steps))
    t, v = result.times("weights", "v"), result.traces["weights"]["v"][:, shown.index(quiet)].astype(float)
    x = np.exp(-np.maximum(t - AT - 1.0, 0.0) / TAU)
    two = (weights > THRESHOLD + 0.5) & (weights < weight_for(3))
    metrics = {
        "threshold weight": 0.5 * (weights[counts == 0].max() + weights[counts > 0].min()),
        "weight for two pulses": 0.5 * (weights[two & (counts < 2)].max() + weights[two & (counts > 1)].min()),
        "earliest answer after the closed form": np.min(late),
        "latest answer after the closed form": np.max(late),
        "answers to a pulse, largest error": np.abs(counts - expected)[clear].max(),
        "most answers to a pulse": counts.max(),
        "delay and shift of the answer, largest difference": np.ptp(shift),
        **{
            f"longest interval of two pulses of {share:g} w": DT * steps[fired[k]].max() - longest_interval(share)
            for k, share in enumerate(SHARES)
        },
        "potential, largest error": np.abs(v - NEURON.v_rest - NEURON.r_m * weights[quiet] * (x - x * x)).max(),
    }
    figures = {
        "pulses": draw_story(result, story + story_delays, story_weights, story),
        "weight_and_delay": draw_laws(weights, first, counts, delays, shift + delays, fired, DT * steps),
    }
    return Outcome(figures, {name: float(value) for name, value in metrics.items()}, result.provenance)


def _synapse() -> dict[str, Any]:
    return {"excitatory": ExponentialCurrent(tau=TAU / 2.0)}


def _from_first(target: str, weights: np.ndarray, delay: Any) -> Projection:
    """The first neuron of the input to each of a population."""
    n = len(weights)
    return Projection("pulses", target, connect.from_arrays(np.zeros(n, int), np.arange(n)), weights, delay)


def _first_spikes(result: Result, population: str, n: int) -> np.ndarray:
    t, i = result.spikes[population]
    first = np.full(n, np.nan)
    first[i[::-1]] = t[::-1]  # of repeated indices the last assignment holds
    return first


def draw_story(result: Result, arrivals: np.ndarray, weights: np.ndarray, sent: np.ndarray) -> Any:
    """One neuron: pulses in, current, potential, pulses out."""
    title = "A spiking neuron: pulses in, pulses out"
    figure, (top, middle, bottom, out) = subplots(
        4, 1, size=(10, 5.6), sharex=True, height_ratios=(1.1, 1.2, 2.2, 0.6), title=title
    )
    for at, arrival, weight in zip(sent, arrivals, weights, strict=True):
        top.plot([at, at], [0.6, 1.0], color=GREY, lw=2)
        top.annotate("", (arrival, 0.08), (at, 0.56), arrowprops={"arrowstyle": "->", "color": GREY})
        left = at < 50.0  # the text of the second of two stands to the right of it
        top.text(
            at - 0.8 if left else at + 0.8,
            0.8,
            f"{weight:g} nA,\n{arrival - at:g} ms",
            ha="right" if left else "left",
            va="center",
            fontsize=9,
        )
    top.set(ylim=(0, 1.15), yticks=[], ylabel="pulses in\nand delays")
    t = result.times("story", "v")
    middle.plot(t, result.traces["story"]["excitatory_i"][:, 0], color=ORANGE)
    middle.set(ylabel="current\n(nA)")
    v, spikes = result.traces["story"]["v"][:, 0], result.spikes["story"].t
    bottom.plot(t, v, color=BLUE)
    bottom.axhline(NEURON.v_thresh, color=GREY, ls="--", lw=1)
    bottom.text(DURATION - 0.3, NEURON.v_thresh + 0.6, "threshold", ha="right", color=GREY, fontsize=9)
    bottom.set(ylabel="potential\n(mV)", ylim=(-66.5, -46))
    out.vlines(spikes, 0, 1, color=BLACK, lw=2)
    out.set(ylim=(0, 1.1), yticks=[], ylabel="pulses\nout", xlabel="time (ms)", xlim=(0, DURATION))
    for ax in (top, middle, bottom, out):
        ax.yaxis.label.set(rotation=0, ha="right", va="center")
        ax.grid(False, axis="y")
    for ax in (top, out):
        ax.spines["left"].set_visible(False)
    figure.align_ylabels((top, middle, bottom, out))
    return figure


def draw_laws(
    weights: np.ndarray,
    first: np.ndarray,
    counts: np.ndarray,
    delays: np.ndarray,
    out: np.ndarray,
    fired: np.ndarray,
    intervals: np.ndarray,
) -> Any:
    """Latency and number of answers against weight, answer against delay, two pulses against their interval."""
    figure, axes = subplots(2, 2, size=(10, 6.0), title="What a weight does, and what a delay")
    (left, right), (low_left, low_right) = axes
    few = np.flatnonzero(np.isfinite(first[:-82]))[::12]
    fine = np.linspace(THRESHOLD, 25.0, 500)
    left.plot(fine, latency(fine), color=BLUE, label=r"$-\tau\,\ln\frac{1}{2}(1 + \sqrt{1 - 4\theta/Rw})$")
    left.plot(weights[few], first[few] - AT - 1.0, "o", color=BLUE, ms=3.5, mfc="white", label="simulated")
    left.axvline(THRESHOLD, color=GREY, ls="--", lw=1)
    left.text(THRESHOLD - 0.2, 0.4, f"silent below\n4θ/R = {THRESHOLD:g} nA", ha="right", fontsize=9, color=GREY)
    left.set(xlabel="weight (nA)", ylabel="latency (ms)", ylim=(0, 7.5), xlim=(0, 25))
    left.set_title("A stronger pulse is answered sooner", loc="left")
    order = np.argsort(weights)
    right.plot(weights[order], counts[order], color=BLACK, drawstyle="steps-mid", label="simulated")
    for count in range(1, int(counts.max()) + 1):
        right.plot(weight_for(count), count - 0.5, "o", color=RED, ms=5, label="closed form" if count == 1 else None)
    right.set(xlabel="weight (nA)", ylabel="pulses out", xlim=(0, 25), yticks=range(4))
    right.set_title("and more often", loc="left")
    low_left.plot(delays, out - AT, color=GREEN)
    low_left.set(xlabel="delay (ms)", ylabel="answer after the pulse (ms)", xlim=(0, 30), ylim=(0, None))
    low_left.set_title("A delay shifts the answer by itself: slope 1", loc="left")
    for row, share in zip(fired, SHARES, strict=True):
        low_right.plot(intervals[row], np.full(row.sum(), share), "s", color=BLUE, ms=3)
        low_right.plot(intervals[~row], np.full((~row).sum(), share), "_", color=GREY, ms=3)
    low_right.plot([], [], "s", color=BLUE, ms=4, label="fires")
    low_right.plot([], [], "_", color=GREY, ms=6, label="silent")
    k = np.linspace(0.501, 0.999, 300)
    low_right.plot([longest_interval(x) for x in k], k, color=RED, label="closed form")
    low_right.set(xlabel="interval of two pulses (ms)", ylabel="weight / 6 nA", xlim=(0, 30), ylim=(0.48, 1.0))
    low_right.set_title("Two weak pulses work if they are close", loc="left")
    for ax, place in ((left, "upper right"), (right, "upper left"), (low_right, "lower right")):
        ax.legend(frameon=False, loc=place)
    return figure


if __name__ == "__main__":
    from neurosim.scenario import main

    main(__file__)
