"""Coincidence detectors: neurons that fire only when delays align what arrives.

Two pulses together fire a neuron (time constant τ) and one alone does not. So it fires when its delays compensate the
offset of the pulses, and what is a pattern in time becomes a place in a row of neurons.

- Jeffress (1948): axons from both ears run along a row of neurons in opposite directions. A sound that reaches the
  left ear first fires the neurons where the left axon is longer by as much. Here 33 neurons have best offsets from
  −0.8 to 0.8 ms, and a sound at the best offset of one fires no other.
- Motion: five receptors in a row see a spot pass, one after the other. A detector whose delays are those of one speed
  and direction fires for that and no other (delays as in Barlow & Levick 1965, in place of their inhibition).

Every pulse makes the potential jump by w, so pulses at times t_j leave w·Σ exp(−(t − t_j)/τ); a neuron looks at its
potential one step after an arrival, decayed by that step. Two pulses s apart fire it if w·(1 + exp(−s/τ))·exp(−dt/τ)
exceeds the threshold θ, so |s| < −τ·ln(θ·exp(dt/τ)/w − 1). Which neuron fires for which offset is checked one by one.

References: Jeffress, J. Comp. Physiol. Psychol. 41:35 (1948), https://doi.org/10.1037/h0061495; Barlow & Levick, J.
Physiol. 178:477 (1965); slide 10 of the lecture: a connection has a delay.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from neurosim import Network, Population, Projection, Record, Result, SpikeSource, connect, simulate
from neurosim.models import LIF
from neurosim.plotting import BLACK, BLUE, GREY, ORANGE, RED, subplots
from neurosim.receptors import Delta, Receptor
from neurosim.scenario import Check, Outcome, scaled

SOURCE = "slide 10 · Jeffress 1948, Barlow & Levick 1965"
SECONDS = 3.0
EAR_DT, EYE_DT = 0.005, 0.05  # ms
THETA = 15.0  # mV above rest
# ears: w of 0.55 θ and τ of 0.3 ms
EAR, EAR_WEIGHT = LIF(tau_m=0.3, v_rest=-65.0, v_thresh=-50.0, v_reset=-65.0), 0.55 * THETA
BEST = np.round(np.arange(-16, 17) * 0.05, 2)  # ms, offset that each neuron of the row answers
GAP = 3.0  # ms from sound to sound: nothing is left of the last one
# eyes: w of 0.24 θ, so that all five pulses are needed, and τ of 2 ms
EYE, EYE_WEIGHT = LIF(tau_m=2.0, v_rest=-65.0, v_thresh=-50.0, v_reset=-65.0), 0.24 * THETA
RECEPTORS = 5
SLOWNESS = np.array([-8.0, -4.0, -2.0, -1.0, 1.0, 2.0, 4.0, 8.0])  # ms from receptor to receptor
PASSAGE = 60.0  # ms from spot to spot
LONGEST = 17.0  # ms, delay of the receptor in the middle: the others are longer or shorter by up to 16 ms
_FORM = "closed form, see the docstring"
CHECKS = (
    Check("sounds at best offsets placed wrongly", 0.0, 0.0, "Jeffress 1948: the place in the row tells the offset"),
    Check("answers to any offset, wrong", 0.0, 0.0, _FORM),
    Check("half width of the window", 0.0492, EAR_DT, "−τ·ln(θ·exp(dt/τ)/w − 1)", unit="ms"),
    Check("answers to one ear", 0.0, 0.0, "one pulse stays below the threshold"),
    Check("delays equal: neurons that tell offsets", 0.0, 0.0, "without delays all do the same: the control"),
    Check("spots answered by their detector", 1.0, 0.0, "delays align what arrives", unit="share"),
    Check("spots answered by another", 0.0, 0.0, "other delays do not"),
    Check("answers to spots, wrong", 0.0, 0.0, _FORM),
)


def fires(arrivals: np.ndarray, weight: float, tau: float, dt: float) -> np.ndarray:
    """Whether pulses at times (last axis, ms) bring a neuron over the threshold.

    The potential is highest after one of the arrivals, those of the same time included, and is looked at one step
    later.
    """
    since = arrivals[..., :, None] - arrivals[..., None, :]
    left = np.where(since > -dt / 2, np.exp(-np.maximum(since, 0.0) / tau), 0.0).sum(axis=-1)
    return weight * left.max(axis=-1) * math.exp(-dt / tau) > THETA


def run(
    *, backend: str = "auto", scale: float = 1.0, seed: int = 0, precision: str = "float64", fuse: str = "auto"
) -> Outcome:
    """Sounds and spots, one after the other; ``scale`` is of the number of sounds that are swept, 401 at 1."""
    options: dict[str, Any] = {
        "method": "exact",
        "backend": backend,
        "seed": seed,
        "precision": precision,
        "fuse": fuse,
    }
    everyone = connect.all_to_all()
    # offsets of two whole steps, so that half of one is not rounded
    coarse = np.rint(np.linspace(-100.0, 100.0, scaled(201, scale, at_least=41)))
    sweep = 2.0 * EAR_DT * np.union1d(coarse, np.arange(-12.0, 13.0))  # in full about the edges of one window
    offsets = np.concatenate((BEST, sweep))
    centre = GAP * (1.0 + np.arange(len(offsets)))
    one_ear = centre[-1] + GAP * (1.0 + np.arange(2))
    left = np.concatenate((centre - offsets / 2.0, one_ear[:1]))
    right = np.concatenate((centre + offsets / 2.0, one_ear[1:]))
    ears = SpikeSource(np.concatenate((left, right)), np.repeat([0, 1], len(left)))
    # a positive offset is a late right ear: the left axon is longer there
    to_row = 0.5 + np.stack((0.8 + BEST, 0.8 - BEST)) / 2.0  # ms, ears × neurons
    synapse: dict[str, Receptor] = {"excitatory": Delta()}
    rows = ("row", "no_delays")
    network = Network(
        (Population("ears", ears, 2), *(Population(name, EAR, len(BEST), receptors=synapse) for name in rows)),
        (
            Projection("ears", "row", everyone, EAR_WEIGHT, to_row.ravel()),
            Projection("ears", "no_delays", everyone, EAR_WEIGHT, 0.5),
        ),
    )
    record = [Record(name, "spikes") for name in rows]
    heard = simulate(network, duration=one_ear[-1] + GAP, dt=EAR_DT, record=record, **options)

    onset = PASSAGE * (0.5 + np.arange(len(SLOWNESS)))
    place = np.arange(RECEPTORS) - RECEPTORS // 2
    seen = onset[:, None] + place * SLOWNESS[:, None]  # ms, spots × receptors
    eyes = SpikeSource(seen.ravel(), np.tile(np.arange(RECEPTORS), len(SLOWNESS)))
    to_detector = LONGEST - place[:, None] * SLOWNESS  # ms, receptors × detectors
    network = Network(
        (
            Population("receptors", eyes, RECEPTORS),
            Population("detectors", EYE, len(SLOWNESS), receptors=synapse),
        ),
        (Projection("receptors", "detectors", everyone, EYE_WEIGHT, to_detector.ravel()),),
    )
    record = [Record("detectors", "spikes"), Record("detectors", "v")]
    passed = simulate(network, duration=PASSAGE * len(SLOWNESS), dt=EYE_DT, record=record, **options)

    arrivals = np.stack((left, right), axis=-1)[: len(offsets), None, :] + to_row.T  # sounds × neurons × ears
    expected = fires(arrivals, EAR_WEIGHT, EAR.tau_m, EAR_DT)
    answered = _table(heard, "row", centre, GAP)
    flat = _table(heard, "no_delays", centre, GAP)
    spots = _table(passed, "detectors", onset + LONGEST, PASSAGE)
    spots_expected = fires(seen[:, None, :] + to_detector.T, EYE_WEIGHT, EYE.tau_m, EYE_DT)
    apart = np.abs(arrivals[..., 0] - arrivals[..., 1])
    own = np.eye(len(SLOWNESS), dtype=bool)
    metrics = {
        "sounds at best offsets placed wrongly": np.count_nonzero(answered[: len(BEST)] != np.eye(len(BEST))),
        "answers to any offset, wrong": np.count_nonzero(answered != expected),
        "half width of the window": 0.5 * (apart[answered > 0].max() + apart[answered == 0].min()),
        "answers to one ear": np.count_nonzero(heard.spikes["row"].t > one_ear[0]),
        "delays equal: neurons that tell offsets": np.count_nonzero(np.ptp(flat, axis=1)),
        "spots answered by their detector": np.mean(spots[own] == 1),
        "spots answered by another": np.count_nonzero(spots[~own]),
        "answers to spots, wrong": np.count_nonzero(spots != spots_expected),
    }
    figures = {
        "jeffress": draw_jeffress(offsets, answered),
        "motion": draw_motion(passed, seen, to_detector, spots),
    }
    return Outcome(figures, {name: float(value) for name, value in metrics.items()}, heard.provenance)


def _table(result: Result, population: str, centre: np.ndarray, gap: float) -> np.ndarray:
    """Spikes of each neuron (columns) to each stimulus (rows)."""
    t, i = result.spikes[population]
    table = np.zeros((len(centre), len(result.neurons(population))), int)
    which = np.floor((t - centre[0]) / gap + 0.4).astype(int)  # answers come up to 0.6 of a gap after the centre
    inside = (which >= 0) & (which < len(centre))
    np.add.at(table, (which[inside], i[inside]), 1)
    return table


def draw_jeffress(offsets: np.ndarray, answered: np.ndarray) -> Any:
    """The row of neurons, and which of them answers which offset."""
    figure, (left, right) = subplots(
        1,
        2,
        size=(10, 5.6),
        width_ratios=(1.0, 1.15),
        title="A row of coincidence detectors tells from where a sound comes",
    )
    left.grid(False)
    left.set_axis_off()
    neurons = np.arange(9)
    for row, (color, ear) in enumerate(((BLUE, "left ear"), (RED, "right ear"))):
        y, side = 1.0 - 2.0 * row, -1 if row == 0 else 1
        begin = -1.4 if row == 0 else 9.4
        left.plot([begin, 8.0 if row == 0 else 0.0], [y, y], color=color, lw=2)
        left.text(
            begin, y + 0.28 * -side, ear, color=color, ha="left" if row == 0 else "right", va="center", fontsize=11
        )
        left.plot(begin, y, "o", color=color, ms=11)
        for n in neurons:
            left.annotate("", (n, 0.22 * y), (n, y), arrowprops={"arrowstyle": "-|>", "color": color, "lw": 1.2})
    left.plot(neurons, 0 * neurons, "o", color=GREY, ms=15, mfc="white", mew=1.5)
    left.plot([6], [0], "o", color=BLACK, ms=15)
    left.text(4.0, -1.75, "both pulses arrive at the black neuron at once", ha="center", fontsize=11)
    left.text(4.0, 1.75, "the left ear was first: its pulse runs further", ha="center", fontsize=11)
    left.text(4.0, -2.35, "axons run in opposite directions: delays 0.5 … 1.3 ms", ha="center", fontsize=10, color=GREY)
    left.set(xlim=(-1.9, 9.9), ylim=(-2.6, 2.1))
    order = np.argsort(offsets, kind="stable")
    sounds, neuron = np.nonzero(answered[order] > 0)
    half = -EAR.tau_m * math.log(THETA * math.exp(EAR_DT / EAR.tau_m) / EAR_WEIGHT - 1.0)
    label = f"closed form: within ±{half:.3f} ms"
    right.barh(BEST, 2.0 * half, 0.05, BEST - half, color=ORANGE, alpha=0.35, label=label, linewidth=0)
    right.plot(offsets[order][sounds], BEST[neuron], "o", color=BLACK, ms=3.5, label="simulated spikes")
    right.set(
        xlabel="offset of the sound: right ear later by (ms)",
        ylabel="neuron, by its best offset (ms)",
        xlim=(-1.0, 1.0),
        ylim=(-0.87, 0.87),
    )
    right.set_title("Which neuron answers which offset", loc="left")
    right.legend(frameon=False, loc="upper left")
    return figure


def draw_motion(result: Result, seen: np.ndarray, delays: np.ndarray, spots: np.ndarray) -> Any:
    """Pulses of one spot and what they make of two detectors; and who answers whom."""
    title = "Delays make a row of receptors tell the speed and the direction of a spot"
    figure, axes = subplots(1, 3, size=(10.5, 5.2), title=title, width_ratios=(1.25, 1.25, 1.1))
    spot = int(np.flatnonzero(SLOWNESS == 4.0)[0])
    t, v = result.times("detectors", "v"), result.traces["detectors"]["v"]
    begin = seen[spot].min() - 2.0
    for ax, detector in zip(axes[:2], (spot, int(np.flatnonzero(SLOWNESS == -4.0)[0])), strict=True):
        for n, (sent, delay) in enumerate(zip(seen[spot], delays[:, detector], strict=True)):
            ax.plot([sent - begin, sent + delay - begin], [n, n], color=BLUE, lw=1.2, alpha=0.6)
            ax.plot(sent - begin, n, "|", color=BLUE, ms=13, mew=2.5)
            ax.plot(sent + delay - begin, n, ">", color=BLUE, ms=6)
        shown = (t > begin) & (t < begin + 46.0)
        height = (v[shown, detector] - EYE.v_rest) / THETA
        ax.plot(t[shown] - begin, -3.2 + 2.0 * height, color=BLACK)
        ax.axhline(-1.2, color=GREY, ls="--", lw=1)
        spikes = result.spikes["detectors"]
        own = spikes.t[(spikes.i == detector) & (spikes.t > begin) & (spikes.t < begin + 46.0)]
        ax.vlines(own - begin, -1.2, -0.6, color=RED, lw=2.5)
        ax.set(xlabel="time (ms)", xlim=(0, 46), ylim=(-3.5, RECEPTORS - 0.5))
        ax.set_yticks([-3.2, -1.2, *range(RECEPTORS)], ["rest", "threshold", *(f"{n + 1}" for n in range(RECEPTORS))])
        ax.grid(False, axis="y")
    axes[0].set_ylabel("potential of the detector · receptor of the spot")
    axes[0].set_title("same direction: all arrive at once", loc="left")
    axes[1].set_title("opposite: they do not", loc="left")
    axes[2].imshow(spots, cmap="Greys", vmin=0, vmax=1.3, origin="lower")
    names = [f"{s:+g}".replace("-", "−") for s in SLOWNESS]
    axes[2].set_xticks(range(len(names)), names)
    axes[2].set_yticks(range(len(names)), names)
    axes[2].set(xlabel="delays of the detector\n(ms per receptor)", ylabel="spot (ms per receptor)")
    axes[2].set_title("spikes: black one, white none", loc="left")
    axes[2].grid(False)
    return figure


if __name__ == "__main__":
    from neurosim.scenario import main

    main(__file__)
