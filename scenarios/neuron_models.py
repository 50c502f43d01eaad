"""Every neuron model side by side.

The neurons of slides 4 to 10 are of many kinds, and so are their models. For each model of the register the
first figure shows its potential in steps of 0.5, 1 and 1.5 times its reference current; the second its
firing rate against current (from the intervals that end in the second half), the smallest current at
which it fires for ever, and the cost of a step. Models that spike by chance show a raster and their
intervals. A new model gets its panels without an edit here.

Two classes of excitability (Hodgkin 1948) are told apart by the rate at the onset. Class 1 begins slowly:
integrate and fire, Traub-Miles. Class 2 begins at once with a large rate: Hodgkin-Huxley, FitzHugh-Nagumo,
and Morris-Lecar with the Hopf parameters of Rinzel and Ermentrout 1989, which fires from 88.3 µA/cm²
although its rest is stable up to 93.9.

``scale`` is of the simulated time, at least 500 ms, and of the number of neurons that spike by chance;
below one half the step is 0.1 instead of 0.05 ms. Onsets are exact to the spacing of the currents, a two-
hundredth of the reference current.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from neurosim import Network, Population, Record, Step, simulate
from neurosim.model import Entry, NeuronModel, state_units
from neurosim.models import all_models
from neurosim.plotting import BLACK, BLUE, GREY, ORANGE, RED, SKY, subplots
from neurosim.scenario import Check, Outcome, scaled

SOURCE = "slides 4–10"
SECONDS = 4.0
DURATION, SHORTEST, START = 2000.0, 500.0, 50.0  # ms; the step begins at START
CURRENTS = 401  # from 0 to twice the reference current
LEVELS = (0.5, 1.0, 1.5)
PITCH = 1.32  # between traces, in their heights
HODGKIN = "Hodgkin 1948, class {0}"
CHECKS = (
    Check("LIF onset", 1.5, 0.011, "(v_thresh − v_rest)/r_m", unit="nA"),
    Check("LIF rate at 2 nA", 1e2 / math.log(4.0), 0.5, "1/(τ ln(RI/(RI − 15 mV))), Stein 1965", unit="Hz"),
    Check("AdEx onset", 0.627, 0.01, "Touboul & Brette 2008, Hopf rheobase", unit="nA"),
    Check("Izhikevich onset", 3.7975, 0.05, "Hopf point of Izhikevich 2003: 0.08v + 5 = a", unit="mV/ms"),
    Check("FitzHughNagumo onset", 0.3313, 0.01, "Hopf point of FitzHugh 1961: 1 − v² = bτ_v/τ_w"),
    Check("HodgkinHuxley onset", 6.26, 0.06, "Rinzel & Miller 1980", unit="µA/cm²"),
    Check(
        "MorrisLecar onset",
        88.29,
        0.6,
        "Rinzel & Ermentrout 1989, fold of cycles; SciPy DOP853",
        unit="µA/cm²",
    ),
    *(
        Check(f"{name} rate at onset / at 1.5 × reference", 0.4, 0.0, HODGKIN.format(1), "at most")
        for name in ("LIF", "Izhikevich", "AdEx", "TraubMiles")
    ),
    *(
        Check(f"{name} rate at onset / at 1.5 × reference", 0.5, 0.0, HODGKIN.format(2), "at least")
        for name in ("HodgkinHuxley", "FitzHughNagumo", "MorrisLecar")
    ),
    Check("PoissonSource spikes, standard scores", 0.0, 4.0, "Poisson process: mean rate·T, variance rate·T"),
    Check("PoissonSource Fano factor, standard scores", 0.0, 4.0, "Poisson process: variance = mean"),
)


class Measured(NamedTuple):
    """What was seen of a model."""

    entry: Entry
    model: NeuronModel
    drive: float  # reference current
    result: Any
    currents: np.ndarray
    rates: np.ndarray  # Hz; of a stochastic model of each neuron, else at each current
    cost: float  # ns per neuron and step

    @property
    def onset(self) -> int:
        """Index of the smallest current that fires."""
        return int(np.argmax(self.rates > 0.0))

    def rate_at(self, level: float) -> float:
        """Rate at a multiple of the reference current."""
        return float(np.interp(level * self.drive, self.currents, self.rates))

    def contrast(self) -> float:
        """Rate at the onset, in parts of the rate at 1.5 times the reference current."""
        return float(self.rates[self.onset]) / self.rate_at(1.5) if self.rate_at(1.5) > 0.0 else math.nan


def final_rates(t: np.ndarray, i: np.ndarray, n: int, end: float) -> np.ndarray:
    """Rate of each neuron in Hz from intervals that end in the second half; 0 where it has fallen silent."""
    t, i = by_neuron(t, i)
    closes = (np.diff(i) == 0) & (t[1:] > 0.5 * end)
    neuron = i[1:][closes]
    count = np.bincount(neuron, minlength=n)
    interval = np.bincount(neuron, np.diff(t)[closes], minlength=n) / np.maximum(count, 1)
    last = np.zeros(n)
    last[i] = t  # of repeated indices the last assignment holds
    fires = (count > 0) & (last + 1.5 * interval > end)
    return np.where(fires, 1e3 / np.where(fires, interval, 1.0), 0.0)


def by_neuron(t: np.ndarray, i: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Spikes in the order of neurons, and of time within each."""
    order = np.lexsort((t, i))
    return t[order], i[order]


def measure(entry: Entry, scale: float, options: dict[str, Any]) -> Measured:
    """Simulate one model with all its currents."""
    model, drive = entry.cls(), entry.reference.drive or 1.0
    dt = float(f"{min(0.05 if scale >= 0.5 else 0.1, model.max_dt() / 2.0):.2g}")
    steps = round(max(DURATION * scale, SHORTEST) / dt)
    record = [Record("neurons", "spikes")]
    if entry.cls.stochastic():
        currents = np.zeros(scaled(2000, scale, at_least=100))
        stimuli: tuple[Any, ...] = ()
    else:
        currents = np.append(np.linspace(0.0, 2.0 * drive, CURRENTS), np.multiply(LEVELS, drive))
        stimuli = (Step(currents, START),)
        watched = range(CURRENTS, CURRENTS + len(LEVELS))
        record.append(Record("neurons", entry.cls.State._fields[0], every=2, neurons=list(watched)))
    n = len(currents)
    net = Network((Population("neurons", model, n, stimuli),))
    result = simulate(net, duration=steps * dt, dt=dt, method=entry.reference.method, record=record, **options)
    t, i = result.spikes["neurons"]
    if entry.cls.stochastic():
        rates = result.rates("neurons")
    else:
        rates, currents = final_rates(t, i, n, result.duration)[:CURRENTS], currents[:CURRENTS]
    cost = 1e9 * float(result.provenance["seconds"]) / (n * steps)
    return Measured(entry, model, drive, result, currents, rates, cost)


def run(
    *,
    backend: str = "auto",
    scale: float = 1.0,
    seed: int = 0,
    precision: str = "float64",
    fuse: str = "auto",
) -> Outcome:
    """Measure and draw all models."""
    options = {"backend": backend, "fuse": fuse, "precision": precision, "seed": seed}
    found = [measure(entry, scale, options) for entry in all_models().values()]
    metrics: dict[str, float] = {}
    for x in found:
        name = x.entry.name
        metrics[f"{name} ns per neuron-step"] = x.cost
        if x.entry.cls.stochastic():
            counts = x.result.counts("neurons")
            mean = float(np.mean(x.model.hazard(np, x.model.init(np), 0.0))) * x.result.duration
            fano = float(counts.var(ddof=1) / counts.mean())
            metrics[f"{name} spikes, standard scores"] = float(counts.sum() - mean * len(counts)) / math.sqrt(
                mean * len(counts)
            )
            metrics[f"{name} Fano factor, standard scores"] = (fano - 1.0) * math.sqrt(0.5 * (len(counts) - 1))
        else:
            metrics[f"{name} onset"] = float(x.currents[x.onset])
            metrics[f"{name} rate at onset / at 1.5 × reference"] = x.contrast()
            metrics[f"{name} rate at {x.drive:g} {x.model.current_unit}"] = x.rate_at(1.0)
    figures = {"responses": draw_responses(found), "rates": draw_rates(found, precision)}
    return Outcome(figures, metrics, max((x.result.provenance for x in found), key=lambda p: p["seconds"]))


def grid(found: list[Measured], height: float, title: str) -> tuple[Any, list[Any]]:
    """A figure with a panel for each model."""
    columns = 4 if len(found) > 3 else len(found)
    rows = -(-len(found) // columns)
    figure, axes = subplots(rows, columns, size=(12.0, height * rows), title=title, squeeze=False)
    for ax in axes.flat[len(found) :]:
        ax.set_axis_off()
    for x, ax in zip(found, axes.flat, strict=False):
        ax.set_title(x.entry.name, loc="left", fontsize=11)
    return figure, list(axes.flat[: len(found)])


def draw_responses(found: list[Measured]) -> Any:
    """Potential in three current steps, the input below; a raster of models that spike by chance."""
    figure, axes = grid(found, 3.5, "Response to current steps (orange) of three sizes")
    for x, ax in zip(found, axes, strict=True):
        (draw_raster if x.entry.cls.stochastic() else draw_steps)(ax, x)
        ax.set_xlabel("time (ms)")
    return figure


def draw_raster(ax: Any, x: Measured) -> None:
    """Spikes of forty neurons in a second."""
    t, i = x.result.spikes["neurons"]
    shown = (i < 40) & (t < 1000.0)
    ax.plot(t[shown], i[shown], "|", color=BLUE, markersize=4.0)
    ax.set(ylabel="neuron", xlim=(0.0, min(1000.0, x.result.duration)), ylim=(-1.0, 40.0))


def draw_steps(ax: Any, x: Measured) -> None:
    """Three traces above each other, with their currents."""
    variable = x.entry.cls.State._fields[0]
    t, v = x.result.times("neurons", variable) - START, x.result.traces["neurons"][variable].astype(float)
    window = float(np.clip(8e3 / max(x.rate_at(1.0), 1.0), 60.0, 500.0))
    begin, end = -0.1 * window, 0.9 * window
    seen = (t >= begin) & (t <= end)
    t, v = t[seen], v[seen]
    spikes_t, spikes_i = x.result.spikes["neurons"]
    resets = x.entry.cls.resets()
    low, peak = float(v.min()), float(v.max())
    if resets:  # the peak of such a spike is no part of the trace
        peak = float(getattr(x.model, "v_peak", getattr(x.model, "v_spike", 2.0 * peak - low)))
    size = peak - low or 1.0
    for k, color in enumerate((SKY, BLUE, BLACK)):
        trace_t, trace = t, v[:, k]
        if resets:
            s = spikes_t[spikes_i == CURRENTS + k] - START
            s = s[(s > begin) & (s < end)]
            at = np.searchsorted(t, s)
            trace_t, trace = np.insert(t, at, s), np.insert(trace, at, peak)
        ax.plot(trace_t, PITCH * k + (trace - low) / size, color=color, linewidth=1.0)
        label = with_unit(LEVELS[k] * x.drive, x.model.current_unit)
        ax.text(end, PITCH * k + 1.05, label, color=color, fontsize=9, ha="right")
        step = np.array([0.0, 0.0, 1.0, 1.0]) * LEVELS[k] / LEVELS[-1]
        ax.plot([begin, 0.0, 0.0, end], -0.65 + 0.45 * step, color=ORANGE, linewidth=1.2)
    bar = round_down(0.6 * size)
    foot = 2.0 * PITCH
    ax.plot([begin, begin], [foot, foot + bar / size], color=RED, linewidth=3.0, solid_capstyle="butt")
    unit = with_unit(bar, state_units(x.entry.cls)[variable])
    ax.text(begin - 0.02 * window, foot, unit, fontsize=9, color=RED, rotation=90, ha="right")
    ax.set(xlim=(begin - 0.01 * window, end), ylim=(-0.75, 3.0 * PITCH - 0.02), yticks=[])
    ax.spines["left"].set_visible(False)
    ax.grid(False)


def with_unit(value: float, unit: str) -> str:
    """A number with its unit, if it has one."""
    return f"{value:.3g}" if unit == "1" else f"{value:.3g} {unit}"


def round_down(value: float) -> float:
    """1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    return max(k * power for k in (1.0, 2.0, 5.0) if k * power <= value)


def draw_rates(found: list[Measured], precision: str) -> Any:
    """Rate against current with its onset; intervals of models that spike by chance."""
    figure, axes = grid(found, 2.9, f"Firing rate · grey: cost per neuron and step in {precision}")
    for x, ax in zip(found, axes, strict=True):
        ax.set_title(f"{x.cost:.1f} ns", loc="right", fontsize=9, color=GREY)
        if x.entry.cls.stochastic():
            draw_intervals(ax, x)
            continue
        unit = x.model.current_unit
        ax.plot(x.currents, x.rates, color=BLUE, linewidth=1.8)
        ax.set(xlabel=f"current ({unit})" if unit != "1" else "current", ylabel="rate (Hz)")
        ax.set(xlim=(0.0, x.currents[-1]), ylim=(0.0, 1.08 * x.rates.max() or 1.0))
        label = "silent"
        if x.rates.any():
            ax.plot(x.currents[x.onset], x.rates[x.onset], "o", color=RED, markersize=5)
            onset = with_unit(float(x.currents[x.onset]), unit)
            label = f"class {2 if x.contrast() > 0.45 else 1}\nfrom {onset}"
        ax.text(0.97, 0.06, label, transform=ax.transAxes, ha="right", fontsize=9, color=RED)
    return figure


def draw_intervals(ax: Any, x: Measured) -> None:
    """Density of intervals, beside that of a Poisson process."""
    t, i = by_neuron(*x.result.spikes["neurons"])
    intervals = np.diff(t)[np.diff(i) == 0]
    rate = float(np.mean(x.rates))
    edges = np.linspace(0.0, min(4e3 / rate, 0.5 * x.result.duration), 33)
    ax.hist(intervals, edges, density=True, color=SKY, label="intervals")
    ax.plot(edges, 1e-3 * rate * np.exp(-1e-3 * rate * edges), color=RED, label="Poisson")
    ax.set(xlabel="interval (ms)", ylabel="density (1/ms)", xlim=(0.0, edges[-1]))
    ax.legend(frameon=False, fontsize=9, title=f"{rate:.2f} Hz", title_fontsize=9)


if __name__ == "__main__":
    from neurosim.scenario import main

    main(__file__)
