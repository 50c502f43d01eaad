"""Action potential of the Hodgkin-Huxley axon and its threshold.

One brief pulse, and what it sets off: potential, gates, conductances and currents of the axon on slide 9,
whose equation lacks right signs and a leak (see ``hh_lecture_errata``). Then what it takes to fire: all or
none, a charge for brief pulses, the rheobase for long ones, and the end of a hyperpolarisation.

Reference: Hodgkin & Huxley, J. Physiol. 117:500 (1952), 6.3 °C; fine values by SciPy's LSODA, relative
tolerance 1e-10. Runge-Kutta of order 4 with steps of 0.025 ms agrees within 1e-4 µA/cm².
"""

from __future__ import annotations

from typing import Any

import numpy as np

from neurosim import Network, Population, Record, Result, Step, simulate
from neurosim.models import HodgkinHuxley
from neurosim.plotting import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, RED, SKY, subplots
from neurosim.scenario import Check, Outcome, scaled
from neurosim.scenarios._thresholds import smallest

SOURCE = "slide 9 · Hodgkin & Huxley 1952"
SECONDS = 3.0
UNIT = "µA/cm²"
_REST = "Hodgkin & Huxley 1952: α/(α + β) at V = 0"
_FIG12 = "Hodgkin & Huxley 1952, fig. 12: all or none"
_LSODA = "the 1952 equations by LSODA at 1e-10"
CHECKS = (
    Check("rest_v", 0.0, 0.01, "Hodgkin & Huxley 1952: V is from rest", unit="mV"),
    Check("rest_m", 0.0529, 0.0002, _REST),
    Check("rest_h", 0.5961, 0.0002, _REST),
    Check("rest_n", 0.3177, 0.0002, _REST),
    Check("peak", 104.32, 0.1, _LSODA, unit="mV"),
    Check("undershoot", -11.17, 0.03, _LSODA, unit="mV"),
    Check("shock_threshold", 6.502, 0.005, _LSODA + "; fig. 12: 6 mV fails, 7 mV fires", unit="mV"),
    Check("pulse_threshold", 13.261, 0.01, _LSODA + "; 0.5 ms pulse", unit=UNIT),
    Check("charge_threshold", 6.630, 0.005, _LSODA + "; 0.5 ms pulse", unit="nC/cm²"),
    Check("rheobase", 2.237, 0.003, _LSODA + "; step", unit=UNIT),
    Check("rheobase_spikes", 1.0, 0.0, "Rinzel & Miller 1980: repetitive only from 6.26 µA/cm²"),
    Check("smallest_spike", 90.0, 0.0, _FIG12, "at least", "mV"),
    Check("largest_failure", 10.0, 0.0, _FIG12, "at most", "mV"),
    Check("anode_break", 1.0, 0.0, "Hodgkin & Huxley 1952, fig. 22: a spike after −30 mV"),
)

DT, AT, WIDTH, PULSE = 0.025, 1.0, 0.5, 20.0  # ms, ms, ms, µA/cm²
FOREVER = 1e3  # ms
SHOCKS = (3.0, 6.0, 6.4, 6.6, 7.0, 15.0, 90.0)  # mV
ANODES = (-2.0, -3.0, -12.0)  # µA/cm², for 30 ms


def run(
    *, backend: str = "auto", scale: float = 1.0, seed: int = 0, precision: str = "float64", fuse: str = "auto"
) -> Outcome:
    """One action potential, and the thresholds; ``scale`` is of the number of stimuli that are tried."""
    options: dict[str, Any] = {
        "backend": backend,
        "precision": precision,
        "fuse": fuse,
        "seed": seed,
        "method": "rk4",
        "dt": DT,
    }

    def axons(amplitude: Any, start: Any, stop: Any, v: Any, duration: float, *traced: str) -> Result:
        # always one value per axon and the current of the first, so that all experiments share one kernel
        values = [np.array(x, dtype=float).ravel() for x in np.broadcast_arrays(amplitude, start, stop, v)]
        stimuli, init = (Step(*values[:3]),), {"v": values[3]}
        net = Network((Population("axon", HodgkinHuxley(), len(values[0]), stimuli=stimuli, init=init),))
        record = [Record("axon", "i_syn", neurons=[0]), *(Record("axon", x) for x in ("spikes", *traced))]
        return simulate(net, duration=duration, record=record, **options)

    # an action potential, an axon at rest, the traces of the second figure, and peak against depolarisation
    ramp = np.linspace(0.0, 20.0, scaled(400, scale, at_least=81))
    shown = 2 + len(SHOCKS) + len(ANODES)
    amplitude, start, stop, v = np.zeros((4, shown + len(ramp)))
    amplitude[0], start[0], stop[0] = PULSE, AT, AT + WIDTH
    v[2 : 2 + len(SHOCKS)] = SHOCKS
    anodes = slice(2 + len(SHOCKS), shown)
    amplitude[anodes], start[anodes], stop[anodes] = ANODES, 5.0, 35.0
    v[shown:] = ramp
    result = axons(amplitude, start, stop, v, 50.0, "v", "m", "h", "n")
    traces = {name: result.traces["axon"][name].astype(float) for name in ("v", "m", "h", "n", "i_syn")}
    peaks = traces["v"][:, shown:].max(axis=0)

    durations = np.geomspace(0.1, 50.0, scaled(40, scale, at_least=12))
    durations = np.round(np.concatenate((durations, [WIDTH, FOREVER])) / DT) * DT

    def fires(stimuli: np.ndarray) -> np.ndarray:
        """First row: depolarisation in mV; others: current in µA/cm² of one duration each."""
        current, potential = stimuli.copy(), np.zeros_like(stimuli)
        current[0], potential[0] = 0.0, stimuli[0]
        stops = AT + np.concatenate(([WIDTH], durations))
        return (axons(current, AT, stops[:, None], potential, 40.0).counts("axon") > 0).reshape(stimuli.shape)

    guess = np.concatenate(([6.5], 2.2 + 6.6 / durations))
    found = smallest(fires, 0.5 * guess, 1.5 * guess, count=scaled(256, scale, at_least=128), rounds=2)
    shock, pulse, rheobase = found[0], found[-2], found[-1]
    metrics = {
        **{f"rest_{name}": traces[name][-1, 1] for name in ("v", "m", "h", "n")},
        "peak": traces["v"][:, 0].max(),
        "undershoot": traces["v"][:, 0].min(),
        "shock_threshold": shock,
        "pulse_threshold": pulse,
        "charge_threshold": pulse * WIDTH,
        "rheobase": rheobase,
        "chronaxie": np.interp(-2.0 * rheobase, -found[1:-2], durations[:-2]),
        "rheobase_spikes": axons([1.01 * rheobase], AT, FOREVER, 0.0, 60.0).counts("axon")[0],
        "smallest_spike": peaks[ramp > shock].min(),
        "largest_failure": peaks[ramp < shock].max(),
        "anode_break": result.counts("axon")[shown - 1],
    }
    t = result.times("axon", "v")
    strength = (durations[:-2], found[1:-2])
    figures = {
        "hh_action_potential": _draw_spike(t, {name: trace[:, 0] for name, trace in traces.items()}),
        "hh_threshold": _draw_threshold(t, traces["v"][:, 2:shown], (ramp, peaks), strength, metrics),
    }
    return Outcome(figures, {name: float(value) for name, value in metrics.items()}, result.provenance)


def _draw_spike(t: np.ndarray, trace: dict[str, np.ndarray]) -> Any:
    axon, v, m, h, n = HodgkinHuxley(), *(trace[name] for name in ("v", "m", "h", "n"))
    g_na, g_k = axon.g_na * m**3 * h, axon.g_k * n**4
    i_na, i_k, i_l = g_na * (v - axon.e_na), g_k * (v - axon.e_k), axon.g_l * (v - axon.e_l)
    na, k = r"_\mathrm{Na}", r"_\mathrm{K}"
    gates = {"$m$": (m, RED), "$h$": (h, ORANGE), "$n$": (n, BLUE)}
    conductances = {f"$g{na}$": (g_na, RED), f"$g{k}$": (g_k, BLUE)}
    currents = {f"$I{na}$": (i_na, RED), f"$I{k}$": (i_k, BLUE), "leak": (i_l, GREEN)}
    panels = (
        ("potential\n(mV)", "Sodium drives it up,\npotassium below rest.", {"": (v, BLACK)}),
        ("open gates", "m opens at once; h closes\nand n opens, both later.", gates),
        ("conductance\n(mS/cm²)", "Sodium conducts for 1 ms,\npotassium for 3.", conductances),
        ("current out\n(µA/cm²)", "The two nearly cancel;\ntheir difference moves V.", currents),
        ("stimulus\n(µA/cm²)", "0.5 ms are enough.", {"": (trace["i_syn"], BLACK)}),
    )
    heights, title = (2.2, 1.3, 1.3, 1.3, 0.5), "A brief pulse sets off an action potential"
    figure, axes = subplots(5, 1, size=(10, 5.6), sharex=True, height_ratios=heights, title=title)
    for ax, (ylabel, story, lines) in zip(axes, panels, strict=True):
        for label, (y, color) in lines.items():
            ax.plot(t, y, color=color, label=label)
        ax.set_ylabel(ylabel, rotation=0, ha="right", va="center")
        ax.text(1.02, 0.5, story, transform=ax.transAxes, va="center", fontsize=11)
        if len(lines) > 1:
            ax.legend(loc="upper right", ncols=3, frameon=False, fontsize=11)
    for level, name, color, side in (
        (axon.e_na, f"$E{na}$", RED, "bottom"),
        (axon.e_k, f"$E{k}$", BLUE, "top"),
    ):
        axes[0].axhline(level, color=color, linestyle="--", linewidth=1)
        axes[0].text(14.9, level, name, color=color, ha="right", va=side)
    axes[0].set(ylim=(-35, 138), yticks=(0, 50, 100))
    axes[4].set(xlim=(0, 15), xlabel="time (ms)", yticks=(0, 20))
    figure.align_ylabels(axes)
    return figure


def _draw_threshold(t: np.ndarray, v: np.ndarray, jumps: tuple, strength: tuple, found: dict) -> Any:
    figure, axes = subplots(2, 2, size=(10, 5.6), title="All or none: what it takes to fire")
    shocks, jump, duration, anode = axes.flat
    for trace, size, color in zip(v.T, SHOCKS, (GREY, GREY, GREY, SKY, BLUE, PURPLE, RED), strict=False):
        label = f"{size:g} mV" if size > 6.4 else "3, 6, 6.4 mV" if size == 6.4 else None
        shocks.plot(t, trace, color=color, label=label)
    shocks.set(xlim=(0, 12), xlabel="time (ms)", ylabel="potential (mV)")
    shocks.set_title("A shock to 6.4 mV decays, to 6.6 mV fires", loc="left")
    shocks.legend(title="shock to", frameon=False, loc="upper right")

    jump.plot(*jumps, ".-", color=BLACK, markersize=3)
    jump.axvline(found["shock_threshold"], color=RED, linestyle="--", linewidth=1)
    jump.set(xlabel="sudden depolarisation (mV)", ylabel="peak (mV)", xticks=range(0, 21, 5))
    jump.set_title(f"The response jumps at {found['shock_threshold']:.2f} mV", loc="left")

    charge, rheobase = found["charge_threshold"], found["rheobase"]
    duration.loglog(*strength, "o-", color=BLACK, markersize=3, label="threshold")
    label = f"a charge of {charge:.2f} nC/cm²"
    duration.loglog(strength[0], charge / strength[0], "--", color=RED, label=label)
    duration.axhline(rheobase, color=BLUE, linestyle="--", label=f"rheobase, {rheobase:.2f} {UNIT}")
    duration.set(xlabel="duration of the pulse (ms)", ylabel=f"current ({UNIT})", ylim=(1, 100))
    duration.set_xticks([0.1, 1, 10], ["0.1", "1", "10"])
    duration.set_yticks([1, 10, 100], ["1", "10", "100"])
    duration.set_title("Brief pulses need a charge, long ones a current", loc="left")
    duration.legend(frameon=False)

    for trace, current, color in zip(v.T[len(SHOCKS) :], ANODES, (GREY, SKY, BLUE), strict=True):
        anode.plot(t, trace, color=color, label=f"{current:g} {UNIT}".replace("-", "−"))
    anode.axvspan(5, 35, color=GREY, alpha=0.15, linewidth=0, label="while it is on")
    anode.set(xlim=(0, 50), xlabel="time (ms)", ylabel="potential (mV)")
    anode.set_title("Anode break: the end of a hyperpolarisation fires", loc="left")
    anode.legend(frameon=False, loc="upper left")
    return figure


if __name__ == "__main__":
    from neurosim.scenario import main

    main(__file__)
