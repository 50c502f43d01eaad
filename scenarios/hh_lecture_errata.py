"""The Hodgkin-Huxley equation of the lecture, as printed and mended.

Slide 9 prints C dV/dt = g_K n⁴(V − V_K) + g_Na m³h(V − V_Na) + I and α_h = 0.7 exp(−V/20). Three things are
wrong: both ionic currents have the wrong sign, the leak is missing although the circuit beside it has its
resistor, and α_h is ten times too large. As printed there is no spike: the potential creeps to 10.5 mV.
With α_h mended it runs away beyond 10 V; with the signs mended, too, the axon rests at −10.9 mV and fires
at 5 µA/cm²; with everything but α_h mended it also fires at 5 µA/cm², where the squid's axon is silent.

The variants are parameters of one model that is written here, as a user would write it, and not registered.
Reference: Hodgkin & Huxley, J. Physiol. 117:500 (1952); numbers of the variants by SciPy's LSODA, relative
tolerance 1e-10. The runaway is stepped by the exponential Euler method, which stays stable while the rates
of the gates grow with the potential; it is of first order, hence the tolerance.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from neurosim import Constant, Network, NeuronModel, Population, Record, Simulation, param, simulate
from neurosim.models import HodgkinHuxley
from neurosim.plotting import BLACK, BLUE, GREY, ORANGE, RED, SKY, subplots
from neurosim.scenario import Check, Outcome, scaled

SOURCE = "slide 9, errata · Hodgkin & Huxley 1952"
SECONDS = 2.5
UNIT = "µA/cm²"
_LSODA = "LSODA at 1e-10"
CHECKS = (
    Check("formula_difference", 0.0, 1e-10, "mended, it is neurosim.models.HodgkinHuxley", unit="1/ms"),
    Check("printed_rest", 10.517, 0.01, _LSODA + ": as printed, I = 0", unit="mV"),
    Check("printed_spikes", 0.0, 0.0, _LSODA + ": as printed, I = 0 … 15"),
    Check("escape_at_0", 17.90, 0.3, _LSODA + ": V > 10⁴ mV with α_h mended, I = 0", unit="ms"),
    Check("escape_at_10", 13.40, 0.3, _LSODA + ": V > 10⁴ mV with α_h mended, I = 10", unit="ms"),
    Check("no_leak_rest", -10.878, 0.01, _LSODA + ": no leak, I = 0", unit="mV"),
    Check("no_leak_rate", 54.56, 0.1, _LSODA + ": no leak, I = 5", unit="Hz"),
    Check("alpha_h_rate", 63.10, 0.1, _LSODA + ": α_h = 0.7 exp(−V/20), I = 5", unit="Hz"),
    Check("mended_rate", 0.0, 0.0, "Rinzel & Miller 1980: silent at 5 µA/cm²", unit="Hz"),
    Check("mended_onset", 6.26, 0.3, "Rinzel & Miller 1980: fires from 6.26 on", unit=UNIT),
)

TENFOLD = r"tenfold $\alpha_h$"
# sign of the ionic currents, mS/cm² of the leak, factor of α_h in 1/ms
VARIANTS = {
    "mended": (-1.0, 0.3, 0.07),
    "no leak": (-1.0, 0.0, 0.07),
    TENFOLD: (-1.0, 0.3, 0.7),
    "as printed": (1.0, 0.0, 0.7),
}
RUNAWAY = (1.0, 0.0, 0.07)
TRACED = (0.0, 5.0, 10.0)  # µA/cm²
DURATION, SETTLED = 300.0, 100.0  # ms


class SlideAxon(NeuronModel):
    """The axon of slide 9; the defaults are what is printed."""

    current_unit = UNIT
    State = HodgkinHuxley.State

    sign: float = param(1.0, "1", "of the ionic currents; right is −1")
    g_l: float = param(0.0, "mS/cm²", "leak conductance; right is 0.3", at_least=0.0)
    alpha_h: float = param(0.7, "1/ms", "factor of α_h; right is 0.07", above=0.0)
    v_spike: float = param(50.0, "mV", "a spike is an upward crossing of this potential")

    def init(self, xp: Any) -> Any:
        return HodgkinHuxley().init(xp)

    def derivatives(self, xp: Any, s: Any, i_syn: Any) -> Any:
        axon = HodgkinHuxley()
        right = axon.derivatives(xp, s, i_syn)
        _, _, alpha_h, beta_h, _, _ = axon.rates(xp, s.v)
        alpha_h = alpha_h * (self.alpha_h / 0.07)
        i_na = axon.g_na * s.m * s.m * s.m * s.h * (s.v - axon.e_na)
        i_k = axon.g_k * s.n * s.n * s.n * s.n * (s.v - axon.e_k)
        v = i_syn + self.sign * (i_na + i_k + self.g_l * (s.v - axon.e_l))
        return right._replace(v=v, h=alpha_h * (1.0 - s.h) - beta_h * s.h)

    def threshold(self, xp: Any, s: Any) -> Any:
        return s.v > self.v_spike


def run(
    *, backend: str = "auto", scale: float = 1.0, seed: int = 0, precision: str = "float64", fuse: str = "auto"
) -> Outcome:
    """All variants at many currents, and the runaway; ``scale`` is of the number of currents."""
    options: dict[str, Any] = {"backend": backend, "precision": precision, "fuse": fuse, "seed": seed}

    def runaway(current: float) -> tuple[np.ndarray, np.ndarray]:
        axon = Population("axon", SlideAxon(*RUNAWAY), 1, stimuli=(Constant(current),))
        simulation = Simulation(Network((axon,)), dt=0.005, method="exponential_euler", **options)
        pieces: list[Any] = []
        # in pieces, to stop before the potential leaves the range of the numbers
        while not pieces or (pieces[-1].traces["axon"]["v"][-1, 0] < 1e4 and simulation.t < 50.0):
            pieces.append(simulation.run(1.0, record=Record("axon", "v")))
        v = np.concatenate([piece.traces["axon"]["v"][:, 0] for piece in pieces])
        return np.concatenate([piece.t for piece in pieces]), v.astype(float)

    escapes = {k: runaway(TRACED[k]) for k in (0, 2)}
    grid = np.linspace(0.0, 15.0, scaled(301, scale, at_least=61))
    currents = np.tile(np.concatenate((TRACED, grid)), (len(VARIANTS), 1))
    parameters = np.repeat(list(VARIANTS.values()), currents.shape[1], axis=0).T
    axons = Population("axon", SlideAxon(*parameters), currents.size, stimuli=(Constant(currents.ravel()),))
    index = np.arange(currents.size).reshape(currents.shape)
    record = (Record("axon", "spikes"), Record("axon", "v", neurons=index[:, : len(TRACED)].ravel()))
    result = simulate(Network((axons,)), duration=DURATION, dt=0.04, method="rk4", record=record, **options)
    v = result.traces["axon"]["v"].astype(float).reshape(-1, len(VARIANTS), len(TRACED))
    rate = rates(*result.spikes["axon"], currents.size).reshape(currents.shape)
    of, last = dict(zip(VARIANTS, rate, strict=True)), dict(zip(VARIANTS, v[-1], strict=True))
    v_any = np.linspace(-30.0, 120.0, 301)
    s = HodgkinHuxley.State(v_any, *np.random.default_rng(seed).uniform(size=(3, len(v_any))))
    ours, theirs = (axon.derivatives(np, s, 5.0) for axon in (SlideAxon(*VARIANTS["mended"]), HodgkinHuxley()))
    metrics = {
        "formula_difference": np.abs(np.subtract(ours, theirs)).max(),
        "printed_rest": last["as printed"][0],
        "printed_spikes": result.counts("axon")[index[-1]].sum(),
        **{f"escape_at_{TRACED[k]:g}": t[np.argmax(v > 1e4)] for k, (t, v) in escapes.items()},
        "no_leak_rest": last["no leak"][0],
        "no_leak_rate": of["no leak"][1],
        "alpha_h_rate": of[TENFOLD][1],
        "mended_rate": of["mended"][1],
        "mended_onset": grid[np.argmax(of["mended"][len(TRACED) :] > 0)],
    }
    t, curves = result.times("axon", "v"), {name: r[len(TRACED) :] for name, r in of.items()}
    traces = dict(zip(VARIANTS, np.moveaxis(v, 0, -1), strict=True))
    figures = {
        "hh_lecture_errata": _draw_equations(t, traces, escapes),
        "hh_lecture_errata_rates": _draw_rates(t, traces, grid, curves, metrics),
    }
    return Outcome(figures, {name: float(value) for name, value in metrics.items()}, result.provenance)


def rates(t: np.ndarray, i: np.ndarray, n: int) -> np.ndarray:
    """Spikes per second of neurons that fire until the end, from their intervals once they have settled."""
    late = t > SETTLED
    count = np.bincount(i[late], minlength=n)
    first, last = np.full(n, np.inf), np.full(n, -np.inf)
    np.minimum.at(first, i[late], t[late])
    np.maximum.at(last, i[late], t[late])
    lasting = (count > 2) & (last > DURATION - 30.0)
    return np.where(lasting, 1e3 * (count - 1) / np.where(lasting, last - first, 1.0), 0.0)


def _draw_equations(t: np.ndarray, traces: dict, escapes: dict) -> Any:
    potassium, sodium = r"g_K\,n^4\,(V - V_K)", r"g_{Na}\,m^3 h\,(V - V_{Na})"
    printed = rf"$C\,dV/dt = +{potassium} + {sodium} + I$,   $\alpha_h = 0.7\,e^{{-V/20}}$"
    mended = rf"$C\,dV/dt = -{potassium} - {sodium} - g_L\,(V - V_L) + I$,   $\alpha_h = 0.07\,e^{{-V/20}}$"
    figure, axes = subplots(1, 3, size=(10, 5.0))
    figure.suptitle(f"printed:  {printed}\nmended:  {mended}", x=0.01, ha="left")
    panels: tuple[tuple[str, Any], ...] = (
        ("As printed: a creep,\na tremor, no spike", [(t, v) for v in traces["as printed"]]),
        (r"$\alpha_h$ mended: the potential" "\nruns away, beyond 10 V", escapes),
        ("All mended: rest at 0,\nand regular firing", [(t, v) for v in traces["mended"]]),
    )
    for ax, (title, drawn) in zip(axes, panels, strict=True):
        for k, color in ((0, GREY), (2, BLUE)):
            ax.plot(*drawn[k], color=color, label=f"I = {TRACED[k]:g} {UNIT}")
        ax.set(xlim=(0, 80), ylim=(-20, 130), xlabel="time (ms)", ylabel="potential (mV)")
        ax.set_title(title, loc="left")
        ax.legend(frameon=False, loc="upper left")
    axes[1].set(yscale="log", xlim=(0, 20), ylim=(0.1, 2e4))
    return figure


def _draw_rates(t: np.ndarray, traces: dict, grid: np.ndarray, rate: dict, found: dict) -> Any:
    figure, axes = subplots(2, 2, size=(10, 5.6), title="Signs mended, one error left")
    for ax, name, color in ((axes[0, 0], "no leak", RED), (axes[0, 1], TENFOLD, ORANGE)):
        ax.plot(t, traces[name][1], color=color, label=f"I = 5 {UNIT}")
        ax.plot(t, traces[name][0], color=GREY, label="I = 0")
        ax.plot(t, traces["mended"][1], "--", color=BLACK, label=f"all mended, I = 5 {UNIT}")
        ax.set(xlim=(0, 100), ylim=(-20, 190), yticks=(0, 50, 100), xlabel="time (ms)", ylabel="potential (mV)")
        ax.legend(frameon=False, loc="upper left", ncols=2)
    axes[0, 0].set_title(f"Without the leak it rests at −{-found['no_leak_rest']:.1f} mV", loc="left")
    axes[0, 1].set_title(r"Tenfold $\alpha_h$ fires where the axon is silent", loc="left")

    curves, gate = axes[1]
    for name, color in (("no leak", RED), (TENFOLD, ORANGE), ("mended", BLACK), ("as printed", SKY)):
        curves.plot(grid, rate[name], ".-", color=color, markersize=3, label=name)
    curves.set(xlabel=f"current ({UNIT})", ylabel="firing rate (Hz)", ylim=(-5, 115))
    curves.set_title(f"All mended, it fires from {found['mended_onset']:.1f} {UNIT}", loc="left")
    curves.legend(frameon=False, loc="upper left", ncols=2)

    v = np.linspace(-30.0, 60.0, 181)
    _, _, alpha_h, beta_h, _, _ = HodgkinHuxley().rates(np, v)
    gate.plot(v, alpha_h / (alpha_h + beta_h), color=BLACK, label=r"$\alpha_h = 0.07\,e^{-V/20}$")
    gate.plot(v, 10 * alpha_h / (10 * alpha_h + beta_h), color=ORANGE, label=r"$\alpha_h = 0.7\,e^{-V/20}$")
    gate.set(xlabel="potential (mV)", ylabel=r"$h_\infty$", ylim=(0, 1.05))
    gate.set_title(r"Tenfold $\alpha_h$: inactivation comes 17 mV too late", loc="left")
    gate.legend(frameon=False)
    return figure


if __name__ == "__main__":
    from neurosim.scenario import main

    main(__file__)
