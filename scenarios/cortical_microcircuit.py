"""Cortical microcircuit: 77 169 neurons and 299 million synapses under one square millimetre.

The four layers of the model of Potjans and Diesmann, each with an excitatory and an inhibitory population, at full
size: their eight rates, the irregularity of single neurons and the synchrony of populations, with spikes from
elsewhere as input and with a constant current in their place. Below scale 1 the network has that part of the neurons
and scale^0.4 of the synapses onto each, which are made stronger by the published rules; its rates come near those of
the full network, but not to them, because the neurons that remain share more of their inputs.

Reference: Potjans & Diesmann, Cerebral Cortex 24:785 (2014); rates of the full network, initial potentials and the
rules of scaling as in the public reference implementation, INM-6/microcircuit-PD14-model.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from neurosim import Record, Result, simulate
from neurosim.analysis import cv, population_rate, synchrony
from neurosim.plotting import BLACK, BLUE, GREY, RED, raster, subplots
from neurosim.scenario import Check, Outcome
from neurosim.scenarios._microcircuit import NAMES, RATES, network

SOURCE = "Potjans & Diesmann 2014"
SECONDS = 50.0
_ALLOWED = "rates of the reference implementation; allowed: 10 % + 0.1 Hz at full size, up to three times that below"
_STATE = "Potjans & Diesmann 2014: asynchronous irregular, 0.7 < CV of intervals < 1.2, synchrony < 8, rates < 30 Hz"
CHECKS = (
    *(Check(f"{name} deviation / allowed", 0.0, 1.0, _ALLOWED) for name in NAMES),
    Check("largest deviation / allowed, constant drive", 1.5, 0.0, _ALLOWED, "at most"),
    Check("smallest CV", 0.7, 0.0, _STATE, "at least"),
    Check("largest CV", 1.2, 0.0, _STATE, "at most"),
    Check("largest synchrony, at full size", 8.0, 1.0, _STATE + "; L5E is at its edge", "at most"),
    Check("largest rate", 30.0, 0.0, _STATE, "at most", "Hz"),
)

DT, SETTLED = 0.1, 300.0  # ms
SMALLEST = 0.05  # below it populations of a few neurons remain
SPIKES = 10  # of a neuron whose irregularity counts: with fewer the long intervals are missed
SYNCHRONY_NEURONS = 1000  # as in the paper


def allowed(scale: float) -> np.ndarray:
    """How far rates may be from those of the full network, Hz."""
    return (0.1 + 0.25 * (1.0 - scale**0.4)) * RATES + 0.1


def rates(result: Result) -> np.ndarray:
    """Mean rate of each population in Hz, after it has settled."""
    seconds = (result.duration - SETTLED) * 1e-3
    return np.array([(result.spikes[x].t > SETTLED).sum() / len(result.counts(x)) / seconds for x in NAMES])


def run(
    *, backend: str = "auto", scale: float = 1.0, seed: int = 0, precision: str = "float32", fuse: str = "auto"
) -> Outcome:
    """Both drives; ``scale`` is that of the network, 0.05 at least."""
    scale = min(max(scale, SMALLEST), 1.0)
    duration = SETTLED + (4000.0 if scale > 0.3 else 6000.0)
    options: dict[str, Any] = {"backend": backend, "precision": precision, "fuse": fuse, "seed": seed}
    results = {
        drive: simulate(
            network(scale, in_degree=scale**0.4, drive=drive, dt=DT, seed=seed),
            duration=duration,
            dt=DT,
            method="exact",
            record=[Record(name, "spikes") for name in NAMES],
            **options,
        )
        for drive in ("poisson", "dc")
    }
    found = {drive: rates(result) for drive, result in results.items()}
    deviation = {drive: (values - RATES) / allowed(scale) for drive, values in found.items()}
    result = results["poisson"]
    irregular, together = {}, {}
    for name in NAMES:
        t, i = result.spikes[name]
        late = t > SETTLED
        values = cv(t[late], i[late], len(result.counts(name)), min_spikes=SPIKES)
        irregular[name] = values[np.isfinite(values)]
        some = late & (i < SYNCHRONY_NEURONS)
        together[name] = synchrony(t[some], start=SETTLED, stop=duration)
    means = {name: float(np.mean(values)) for name, values in irregular.items()}
    metrics = {
        **{f"{name} deviation / allowed": x for name, x in zip(NAMES, deviation["poisson"], strict=True)},
        "largest deviation / allowed, constant drive": np.abs(deviation["dc"]).max(),
        "smallest CV": min(means.values()),
        "largest CV": max(means.values()),
        # Shared input, which makes neurons alike, grows with in-degree over size: by scale**-0.6.
        "largest synchrony, at full size": 1.0 + (max(together.values()) - 1.0) * scale**0.6,
        "largest rate": found["poisson"].max(),
        **{f"rate {name}": x for name, x in zip(NAMES, found["poisson"], strict=True)},
        **{f"rate {name}, constant drive": x for name, x in zip(NAMES, found["dc"], strict=True)},
        **{f"CV {name}": x for name, x in means.items()},
        **{f"synchrony {name}": x for name, x in together.items()},
        "neurons": float(sum(len(result.counts(name)) for name in NAMES)),
        "wall / biological time": result.provenance["seconds"] / duration * 1e3,
    }
    figures = {
        "cortical_microcircuit": draw_activity(result, duration),
        "cortical_microcircuit_statistics": draw_statistics(found, irregular, together, scale),
    }
    return Outcome(figures, {name: float(x) for name, x in metrics.items()}, result.provenance)


def colours() -> dict[str, str]:
    """Excitation blue, inhibition red."""
    return {name: BLUE if name.endswith("E") else RED for name in NAMES}


def draw_activity(result: Result, duration: float) -> Any:
    """Spikes of all populations, as in fig. 6A of the paper, and the rates of the whole network."""
    begin = duration - 400.0
    title = f"A cortical microcircuit at rest: {sum(len(result.counts(x)) for x in NAMES):,} neurons".replace(",", " ")
    figure, (above, below) = subplots(
        2, 1, size=(10, 6.4), title=title, sharex=True, gridspec_kw={"height_ratios": [3.4, 1.0]}
    )
    raster(result, NAMES, above, colours=colours(), start=begin, stop=duration)
    above.set_xlabel("")
    for kind, label, colour in (("E", "excitatory", BLUE), ("I", "inhibitory", RED)):
        chosen = [name for name in NAMES if name.endswith(kind)]
        t = np.concatenate([result.spikes[name].t for name in chosen])
        n = sum(len(result.counts(name)) for name in chosen)
        smooth = population_rate(t, n, bin=1.0, start=begin, stop=duration)
        below.plot(smooth.t, smooth.rate, color=colour, lw=1.0, label=label)
    below.set(xlabel="time (ms)", ylabel="rate (Hz)", xlim=(begin, duration), ylim=(0, None))
    below.legend(loc="upper right", ncols=2)
    return figure


def draw_statistics(found: dict[str, Any], irregular: dict[str, Any], together: dict[str, float], scale: float) -> Any:
    """Rates beside the reference, irregularity and synchrony, as in fig. 6B–D of the paper."""
    figure, axes = subplots(1, 3, size=(11, 4.6), title="Each population has its own rate; all fire irregularly")
    places, tint = np.arange(len(NAMES))[::-1], list(colours().values())
    left, middle, right = axes
    left.barh(places, found["poisson"], height=0.62, color=tint, alpha=0.8)
    left.plot(RATES, places, "D", color=BLACK, ms=6, label="reference, full size")
    left.plot(found["dc"], places, "o", mfc="white", mec=BLACK, ms=5, label="constant drive")
    left.set(xlabel="rate (Hz)", title="mean rate, Poisson drive (bars)")
    left.legend(loc="upper right")
    boxes = middle.boxplot(
        [irregular[name] for name in NAMES],
        positions=places,
        orientation="horizontal",
        widths=0.62,
        showfliers=False,
        patch_artist=True,
    )
    for box, colour in zip(boxes["boxes"], tint, strict=True):
        box.set(facecolor=colour, alpha=0.8)
    for line in boxes["medians"]:
        line.set(color=BLACK)
    middle.axvline(1.0, color=GREY, lw=1.0, ls="--")
    middle.set(xlabel="CV of intervals", title="irregularity (1: Poisson)")
    right.barh(places, [together[name] for name in NAMES], height=0.62, color=tint, alpha=0.8)
    right.axvline(1.0, color=GREY, lw=1.0, ls="--")
    right.set(xlabel="variance / mean, 1000 neurons, 3 ms", title="synchrony (1: independent)")
    for ax in axes:
        ax.set_yticks(places, NAMES)
        ax.grid(False, axis="y")
    if scale < 1:
        left.annotate(f"network at scale {scale:g}", (0.97, 0.03), xycoords="axes fraction", ha="right", color=GREY)
    return figure


if __name__ == "__main__":
    from neurosim.scenario import main

    main(__file__)
