"""Figures of the scenario hh_fi_curve."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurosim import Result
from neurosim.plotting import BLACK, BLUE, GREY, ORANGE, RED, subplots

SHOWN = (5.0, 7.0, 10.0, 20.0, 100.0, 160.0)  # µA/cm²
UNIT = "µA/cm²"


def _current_axis(ax: Any) -> None:
    ax.set(xscale="log", xlim=(1, 200), xlabel=f"current ({UNIT})")
    ax.set_xticks([1, 2, 5, 10, 20, 50, 100, 200], labels=["1", "2", "5", "10", "20", "50", "100", "200"])
    ax.minorticks_off()


def draw_curve(sudden: Any, slow: Any, wave: Any, t: np.ndarray, v: np.ndarray) -> Any:
    """Rates above potentials, one column per neuron, on one axis of currents."""
    title = "Hodgkin-Huxley neurons jump from silence to 50 Hz, and remember how they got there"
    figure, (ax, below) = subplots(2, 1, size=(10, 5.6), title=title, height_ratios=[1, 1.35], sharex=True)
    ax.axvspan(6.26, 9.78, color=ORANGE, alpha=0.2, lw=0)
    ax.plot(*sudden, color=BLUE, lw=2.2, label="current switched on suddenly")
    ax.plot(*wave, color=BLUE, ls=":", label="its oscillation below 50 mV")
    part = slow[0] < 10.5
    ax.plot(slow[0][part], slow[1][part], color=RED, lw=1.8, label="at rest at that current, pushed by 0.1 mV")
    arrow = {"arrowprops": {"arrowstyle": "->"}, "ha": "center"}
    ax.annotate("jump to 50 Hz at 6.26", (6.2, 50), (2.9, 66), **arrow)
    ax.annotate("last oscillation\nat 154.5", (154, 168), (125, 60), **arrow)
    ax.text(7.83, 17, "two stable\nstates", ha="center", color="#8a5f00", fontsize=9)
    ax.text(10.8, 17, "rest unstable from 9.78:\ndeparture grows slowly", color=RED, fontsize=9)
    ax.set(ylabel="firing rate (Hz)", ylim=(-6, 185))
    ax.legend(loc="upper left", frameon=False, fontsize=9)
    shown = t[::2] <= 150.0
    image = below.pcolormesh(wave[0], t[::2][shown], v[::2][shown], cmap="magma", vmax=100, rasterized=True)
    below.grid(False)
    below.set(ylabel="time (ms)")
    _current_axis(below)
    below.text(2.35, 22, "one spike from 2.24", color="white")
    below.text(6.0, 75, "without end from 6.26", color="white", ha="right")
    bar = figure.colorbar(image, cax=below.inset_axes((0.03, 0.88, 0.22, 0.05)), orientation="horizontal")
    bar.set_label("membrane potential (mV)", color="white")
    bar.ax.tick_params(colors="white", labelsize=9)
    return figure


def draw_bifurcations(cycle: Any, at_rest: Any, growth: Any, found: dict[str, Any]) -> Any:
    """Peaks and troughs of the neurons, growth rates around both Hopf points, amplitude at the upper one."""
    title = "The oscillation appears full-grown at 6.26, and fades away at 154.5 µA/cm²"
    figure, (ax, middle, right) = subplots(1, 3, size=(10, 5.6), title=title, width_ratios=[1.6, 1, 1])
    lower, upper, end = (found[x] for x in ("rest loses stability", "rest is stable again", "amplitude falls to 0"))
    i, top, bottom = cycle
    ax.axvspan(6.26, 9.78, color=ORANGE, alpha=0.2, lw=0)
    ax.plot(i, top, i, bottom, color=BLUE, lw=2)
    stable = (at_rest[0] < lower) | (at_rest[0] > upper)
    ax.plot(at_rest[0], np.where(stable, at_rest[1], np.nan), color=BLACK)
    ax.plot(at_rest[0], np.where(stable, np.nan, at_rest[1]), color=BLACK, ls="--")
    ax.axhline(50, color=GREY, lw=0.8, ls=":")
    for x, y, text, color in (
        (11, 51.5, "counts as a spike", GREY),
        (1.1, 4, "rest, stable", BLACK),
        (13, 17, "rest, unstable", BLACK),
        (24, 91, "peak", BLUE),
        (24, -12, "trough", BLUE),
    ):
        ax.text(x, y, text, color=color)
    ax.set(ylabel="membrane potential (mV)")
    ax.set_title("potential at the end", loc="left", fontsize=11)
    _current_axis(ax)
    for x, color in ((lower, RED), (upper, BLUE)):
        part = np.abs(growth[0] / x - 1.0) < 0.1
        percent = 100.0 * (growth[0][part] / x - 1.0)
        middle.plot(percent, growth[1][part], color=color, lw=2, label=f"around {x:.2f} {UNIT}")
    middle.axhline(0, color=BLACK, lw=0.8)
    middle.set(xlabel="distance of the current (%)", ylabel="growth rate (1/s)")
    middle.set_title("rest: push grows or decays", loc="left", fontsize=11)
    middle.legend(loc="upper right", frameon=False, fontsize=9)
    right.plot(i[i > 130.0], (top - bottom)[i > 130.0] ** 2, ".", color=BLUE, ms=5)
    right.axvline(end, color=GREY, lw=0.8)
    right.text(end + 1, 180, f"0 at\n{end:.1f}", color=GREY)
    right.set(xlabel=f"current ({UNIT})", ylabel="squared amplitude (mV²)", xlim=(130, 170))
    right.set_title("amplitude falls as a root", loc="left", fontsize=11)
    return figure


def draw_traces(result: Result, i: np.ndarray, sudden: np.ndarray) -> Any:
    """Six potentials, and the spikes of all neurons around the onset."""
    title = "From one spike to tonic firing to silence, and hesitation at the onset"
    figure, (ax, right) = subplots(1, 2, size=(10, 5.6), title=title)
    t, v = result.times("sudden", "v"), result.traces["sudden"]["v"]
    for row, current in enumerate(SHOWN):
        ax.plot(t, v[:, np.argmin(np.abs(i - current))] + 125.0 * row, color=BLUE, lw=1.1)
    ax.set_yticks(125.0 * np.arange(len(SHOWN)), labels=[f"{x:g}" for x in SHOWN])
    ax.plot([118, 118], [50, 100], color=BLACK, lw=2)
    ax.text(116, 75, "50 mV", ha="right", va="center")
    ax.set(xlabel="time (ms)", ylabel=f"current ({UNIT})", xlim=(-3, 123))
    ax.set_title("membrane potential", loc="left", fontsize=11)
    spikes = result.spikes["sudden"]
    kept = (sudden[spikes.i] > 6.0) & (sudden[spikes.i] < 6.5)
    size = 0.8 if np.count_nonzero(kept) > 5000 else 4.0
    right.plot(spikes.t[kept], sudden[spikes.i[kept]], ".", color=BLACK, ms=size, rasterized=True)
    right.axhline(6.26, color=RED, lw=1)
    right.set(xlabel="time (ms)", ylabel=f"current ({UNIT})", ylim=(6.0, 6.5), xlim=(0, result.duration))
    right.set_title("spikes: just below 6.26 firing lasts long, yet ends", loc="left", fontsize=11)
    return figure
