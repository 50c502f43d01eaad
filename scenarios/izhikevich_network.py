"""Alpha and gamma rhythms of a thousand randomly coupled neurons.

Izhikevich, "Simple model of spiking neurons", IEEE Trans. Neural Networks 14:1569 (2003),
https://doi.org/10.1109/TNN.2003.820440, Fig. 3: 800 excitatory neurons from regular spiking to chattering (c = −65 +
15·r², d = 8 − 6·r², with a random r of their own), 200 inhibitory ones from fast spiking to low-threshold spiking (a =
0.02 + 0.08·r, b = 0.25 − 0.05·r). Each reaches each with a random weight, 0 … 0.5 from excitatory, −1 … 0 from
inhibitory ones, and all have noise from the thalamus, 5 or 2 mV/ms. They fire 8 times a second or so, each in its own
time but for episodes in which many do: the rate of the population has rhythms of 10 and 40 Hz.

The paper's program has steps of 1 ms, in which v takes two Euler steps and u one, spikes are found at the end of a
step and act as a current during the next, and noise is new in each. ``paper_program`` does that again, in NumPy. Here
the equations are solved to convergence with steps of 0.1 ms: the noise has the same power, and a spike makes v jump by
its weight after 0.5 ms, the middle of the program's step. Neurons then fire a quarter more often, and the rhythms are
faster: 10 and 40 Hz as the paper says, where its program has 8 and 30 Hz or so.

Frequencies are those of the peaks of the power spectrum of the rate, in segments of 0.5 s, smoothed by 3 Hz.
``scale`` is of the simulated time, 30 s at 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from neurosim import Network, Population, Projection, Record, Result, WhiteNoise, analysis, connect, simulate
from neurosim.distributions import Uniform
from neurosim.models import Izhikevich
from neurosim.plotting import BLACK, BLUE, GREY, RED, subplots
from neurosim.receptors import Delta, Receptor
from neurosim.scenario import Check, Outcome, scaled

SOURCE = "slide 10 · Izhikevich 2003, Fig. 3"
SECONDS = 9.0
N_EXC, N_INH = 800, 200
DT, DELAY, SETTLED, SMOOTH = 0.1, 0.5, 200.0, 3.0  # ms, ms, ms, Hz
_PAPER = "Izhikevich 2003, section III: episodes of alpha and gamma rhythms, 10 and 40 Hz"
_AGAIN = "its program, step for step in NumPy; " + _PAPER
_CLEAR = "a rhythm: a peak of the spectrum"
CHECKS = (
    Check("alpha", 10.0, 2.0, _PAPER, unit="Hz"),
    Check("gamma", 40.0, 6.0, _PAPER, unit="Hz"),
    Check("mean rate", 8.0, 1.5, "Izhikevich 2003, section III: around 8 Hz", unit="Hz"),
    Check("alpha: peak over the trough to gamma", 1.5, 0.0, _CLEAR, "at least"),
    Check("gamma: peak over the trough to alpha", 1.5, 0.0, _CLEAR, "at least"),
    Check("alpha: power over that of independent neurons", 10.0, 0.0, "these have 2·rate/n", "at least"),
    Check("gamma: power over that of independent neurons", 10.0, 0.0, "these have 2·rate/n", "at least"),
    Check("alpha of the program", 10.0, 4.0, _AGAIN, unit="Hz"),
    Check("gamma of the program", 40.0, 15.0, _AGAIN, unit="Hz"),
    Check("mean rate of the program", 8.0, 1.5, "Izhikevich 2003, section III: around 8 Hz", unit="Hz"),
)


def run(
    *, backend: str = "auto", scale: float = 1.0, seed: int = 0, precision: str = "float64", fuse: str = "auto"
) -> Outcome:
    """The network and the paper's program for as long as the scale says, 10 s at least."""
    duration = 1e3 * scaled(30, scale, at_least=10)
    rng = np.random.default_rng(seed)
    r_exc, r_inh = rng.random(N_EXC), rng.random(N_INH)
    kinds = {
        "exc": Izhikevich(a=0.02, b=0.2, c=-65.0 + 15.0 * r_exc * r_exc, d=8.0 - 6.0 * r_exc * r_exc),
        "inh": Izhikevich(a=0.02 + 0.08 * r_inh, b=0.25 - 0.05 * r_inh, c=-65.0, d=2.0),
    }
    receptors: dict[str, Receptor] = {"synapses": Delta()}
    populations = tuple(
        Population(name, model, n, (WhiteNoise(sigma),), init={"v": -65.0, "u": -65.0 * model.b}, receptors=receptors)
        for (name, model), n, sigma in zip(kinds.items(), (N_EXC, N_INH), (5.0, 2.0), strict=True)
    )
    projections = tuple(
        Projection(source, target, connect.all_to_all(), Uniform(low, high), DELAY, "synapses")
        for source, low, high in (("exc", 0.0, 0.5), ("inh", -1.0, 0.0))
        for target in kinds
    )
    seen = int(np.argmin(np.abs(r_exc - 0.5)))
    result = simulate(
        Network(populations, projections),
        duration=duration,
        dt=DT,
        method="euler",
        record=[Record("exc", "spikes"), Record("inh", "spikes"), Record("exc", "v", neurons=[seen])],
        backend=backend,
        seed=seed,
        precision=precision,
        fuse=fuse,
    )
    t = np.concatenate((result.spikes["exc"].t, result.spikes["inh"].t))
    t_program = paper_program(kinds, duration, rng)
    found, again = Rhythms(t, duration), Rhythms(t_program, duration)
    metrics = {
        "alpha": found.alpha,
        "gamma": found.gamma,
        "mean rate": found.rate,
        "alpha: peak over the trough to gamma": found.at(found.alpha) / found.trough,
        "gamma: peak over the trough to alpha": found.at(found.gamma) / found.trough,
        "alpha: power over that of independent neurons": found.at(found.alpha) / found.independent,
        "gamma: power over that of independent neurons": found.at(found.gamma) / found.independent,
        "alpha of the program": again.alpha,
        "gamma of the program": again.gamma,
        "mean rate of the program": again.rate,
        "excitatory rate": float(result.rates("exc").mean()),
        "inhibitory rate": float(result.rates("inh").mean()),
        "CV of intervals": float(np.nanmean(analysis.cv(*result.spikes["exc"], N_EXC, min_spikes=6))),
    }
    figures = {
        "activity": draw_activity(result, seen),
        "rhythms": draw_rhythms(result, found, again, r_exc, r_inh),
    }
    return Outcome(figures, {name: float(value) for name, value in metrics.items()}, result.provenance)


def paper_program(kinds: dict[str, Izhikevich], duration: float, rng: np.random.Generator) -> np.ndarray:
    """Times in ms of the spikes of the paper's program, with these neurons and weights of its own."""
    size = {"exc": N_EXC, "inh": N_INH}
    a, b, c, d = (
        np.concatenate([np.broadcast_to(getattr(model, x), size[name]) for name, model in kinds.items()])
        for x in "abcd"
    )
    n = N_EXC + N_INH
    weights = np.concatenate((0.5 * rng.random((N_EXC, n)), -rng.random((N_INH, n))))  # from row to column
    sigma = np.repeat((5.0, 2.0), (N_EXC, N_INH))
    v = np.full(n, -65.0)
    u = b * v
    counts = []
    for _ in range(round(duration)):
        current = sigma * rng.standard_normal(n)
        fired = np.flatnonzero(v >= 30.0)
        counts.append(len(fired))
        v[fired] = c[fired]
        u[fired] += d[fired]
        current += weights[fired].sum(axis=0)
        for _ in range(2):
            v = v + 0.5 * ((0.04 * v + 5.0) * v + 140.0 - u + current)
        u = u + a * (b * v - u)
    return np.repeat(1.0 + np.arange(len(counts)), counts)


class Rhythms:
    """Smoothed power spectrum of the rate of the whole network, and its peaks."""

    def __init__(self, t: np.ndarray, duration: float) -> None:
        n = N_EXC + N_INH
        self.f, self.power = analysis.spectrum(t, n, start=SETTLED, stop=duration, segment=500.0)
        kernel = np.exp(-0.5 * ((self.f[:, None] - self.f) / SMOOTH) ** 2)
        kernel[:, 0] = 0.0  # no power is left at 0: segments are freed of their mean
        self.smooth = kernel @ self.power / kernel.sum(axis=1)
        self.rate = 1e3 * np.count_nonzero(t > SETTLED) / (n * (duration - SETTLED))
        self.independent = 2.0 * self.rate / n
        self.alpha, self.gamma = self._peak(5.0, 20.0), self._peak(25.0, 70.0)
        self.trough = float(self.smooth[(self.f > self.alpha) & (self.f < self.gamma)].min())

    def _peak(self, low: float, high: float) -> float:
        band = np.flatnonzero((self.f >= low) & (self.f <= high))
        return float(self.f[band[np.argmax(self.smooth[band])]])

    def at(self, frequency: float) -> float:
        """Smoothed power at a frequency of the spectrum."""
        return float(self.smooth[np.searchsorted(self.f, frequency)])


def draw_activity(result: Result, seen: int) -> Any:
    """As Fig. 3 of the paper: raster of one second and potential of an excitatory neuron, with the rate between."""
    stop = 1000.0
    title = "A thousand neurons, randomly coupled (Izhikevich 2003, Fig. 3)"
    figure, (top, middle, bottom) = subplots(
        3, 1, size=(10, 6.6), sharex=True, height_ratios=(3.0, 1.2, 1.1), title=title
    )
    result.plot.raster(["exc", "inh"], top, colours=[BLUE, RED], stop=stop, size=1.8)
    top.set_yticks(top.get_yticks(), [f"{N_EXC}\nexcitatory", f"{N_INH}\ninhibitory"])
    top.set_xlabel("")
    t = np.concatenate((result.spikes["exc"].t, result.spikes["inh"].t))
    centre, rate = analysis.population_rate(t, N_EXC + N_INH, bin=2.0, stop=stop)
    middle.fill_between(centre, rate, color=GREY, step="mid", linewidth=0)
    middle.set(ylabel="spikes/s\nand neuron", ylim=(0, None))
    middle.set_title("rate of all, in bins of 2 ms", loc="left", fontsize=10)
    time = result.times("exc", "v")
    shown = time <= stop
    v = result.traces["exc"]["v"][shown, 0]
    own = result.spikes["exc"]
    spikes = own.t[(own.i == seen) & (own.t <= stop)]
    bottom.plot(time[shown], v, color=BLACK, lw=1.0)
    bottom.vlines(spikes, -50.0, 30.0, color=BLACK, lw=1.0)  # where v was reset it has no peak to be seen
    bottom.set(ylabel="v (mV)", xlabel="time (ms)", xlim=(0, stop), ylim=(-90, 35), yticks=(-80, -40, 0))
    bottom.set_title("an excitatory neuron", loc="left", fontsize=10)
    figure.align_ylabels((middle, bottom))
    return figure


def draw_rhythms(result: Result, found: Rhythms, again: Rhythms, r_exc: np.ndarray, r_inh: np.ndarray) -> Any:
    """Spectra of the rate, and rates of the neurons by their kind."""
    figure, (left, right) = subplots(
        1, 2, size=(10, 5.0), width_ratios=(1.5, 1.0), title="The rate of the network has two rhythms"
    )
    for x, color, label in ((found, BLUE, "converged"), (again, RED, "the paper's program, steps of 1 ms")):
        shown = (x.f > 0.0) & (x.f <= 100.0)
        left.plot(x.f[shown], x.power[shown], color=color, lw=0.8, alpha=0.4)
        left.plot(x.f[shown], x.smooth[shown], color=color, lw=2.0, label=label)
        left.plot([x.alpha, x.gamma], [x.at(x.alpha), x.at(x.gamma)], "o", color=color, ms=6)
    left.axhline(found.independent, color=GREY, ls="--", lw=1.0)
    left.text(99.0, found.independent / 1.08, "independent neurons", color=GREY, ha="right", va="top", fontsize=9)
    for at, name in ((10.0, "alpha\n10 Hz"), (40.0, "gamma\n40 Hz")):
        left.axvline(at, color=GREY, ls=":", lw=1.0)
        left.text(at + 1.0, 3.4, name, color=GREY, va="top", fontsize=10)
    left.set(xlabel="frequency (Hz)", ylabel="power ((spikes/s)²/Hz)", yscale="log", xlim=(0, 100), ylim=(0.01, 4.0))
    left.legend(frameon=False, loc="lower left", bbox_to_anchor=(0.0, 0.1))
    for name, r, color, label in (("exc", r_exc, BLUE, "excitatory"), ("inh", r_inh, RED, "inhibitory")):
        right.plot(r, result.rates(name), ".", color=color, ms=4, alpha=0.7, label=label)
    right.set(xlabel="random number r of the neuron", ylabel="rate (Hz)", xlim=(0, 1))
    right.set_title(
        "r from 0 to 1: excitatory from regular to chattering,\ninhibitory from low-threshold to fast spiking",
        loc="left",
        fontsize=9.5,
    )
    right.legend(frameon=False, markerscale=2.0)
    right.set_ylim(bottom=0.0)
    return figure


if __name__ == "__main__":
    from neurosim.scenario import main

    main(__file__)
