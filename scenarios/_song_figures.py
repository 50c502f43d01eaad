"""Pictures of the scenario stdp_song."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from neurosim import Result
from neurosim.plotting import BLACK, BLUE, COLOURS, GREEN, GREY, ORANGE, RED, subplots

_SECOND = 1000.0  # ms


def draw_weights(at: np.ndarray, weights: np.ndarray, found: Mapping[str, Any]) -> Any:
    """Distributions at the end with theory; and how weights came there."""
    from matplotlib.colors import LogNorm

    figure, axes = subplots(
        2, 3, size=(11, 7), title="Synapses compete: additive STDP sorts 1000 alike inputs into strong and weak ones"
    )
    shown = [k for k, rate in enumerate(at) if rate in (10.0, 20.0, 40.0)]
    x = (np.arange(found["expected"].shape[1]) + 0.5) / found["expected"].shape[1]
    for ax, k in zip(axes[0], shown, strict=True):
        color = COLOURS[k]
        ax.hist(weights[-1, k], 25, range=(0.0, 1.0), color=color, alpha=0.75, label="at the end")
        ax.hist(weights[0, k], 25, range=(0.0, 1.0), histtype="step", color=GREY, label="at the beginning")
        ax.plot(x, found["expected"][k] * x.size * weights.shape[2] / 25, color=BLACK, label="theory, given the mean")
        ax.set(xlim=(0, 1), ylim=(0.7, 1500), yscale="log", xlabel="weight / limit")
        ax.set_title(f"inputs of {at[k]:g} Hz", loc="left")
    axes[0, 0].set_ylabel("synapses")
    axes[0, 2].legend(loc="upper right")

    seconds = np.arange(len(weights))
    middle = int(np.flatnonzero(at == 20.0)[0])
    edges = np.linspace(0.0, 1.0, 41)
    block = max(1, len(weights) // 200)
    kept = weights[: len(weights) // block * block, middle]
    density = np.array([np.histogram(rows, edges)[0] / block for rows in np.split(kept, len(kept) // block)])
    ax = axes[1, 2]
    image = ax.imshow(
        np.maximum(density.T, 0.5),
        extent=(0.0, len(kept), 0.0, 1.0),
        origin="lower",
        aspect="auto",
        cmap="viridis",
        norm=LogNorm(0.5, 500.0),
    )
    figure.colorbar(image, ax=ax, pad=0.02, label="synapses per 0.025")
    ax.set(xlabel="time (s)", ylabel="weight / limit")
    ax.set_title("all weights, 20 Hz", loc="left")
    ax.grid(False)
    ax = axes[1, 0]
    chosen = np.argsort(weights[0, middle])[25::50]
    grown = weights[-1, middle, chosen] > 0.5
    for synapse, strong in zip(chosen, grown, strict=True):
        ax.plot(seconds, weights[:, middle, synapse], color=RED if strong else BLUE, lw=0.6, alpha=0.8)
    ax.set(xlabel="time (s)", ylabel="weight / limit", xlim=(0, seconds[-1]), ylim=(0, 1))
    ax.set_title(f"{len(chosen)} weights, 20 Hz (red: strong)", loc="left")
    ax = axes[1, 1]
    for k, rate in enumerate(at):
        ax.plot(seconds, weights[:, k].mean(axis=1) * rate, color=COLOURS[k], label=f"{rate:g} Hz")
    ax.set(xlabel="time (s)", ylabel="mean weight / limit × input rate (Hz)", xlim=(0, seconds[-1]), ylim=(0, 21))
    ax.set_title("balance: one mean excitation", loc="left")
    ax.legend(loc="upper right", title="inputs")
    return figure


def draw_rates(at: np.ndarray, learnt: Result, found: Mapping[str, Any]) -> Any:
    """Rate and irregularity of the output by the rate of the inputs, with and without STDP; and how it came to rest."""
    figure, axes = subplots(
        1, 3, size=(11, 4.4), title="STDP regulates: an irregular output that hardly depends on the rate of the inputs"
    )
    t, i = learnt.spikes["neurons"]
    width = max(2.0 * _SECOND, learnt.duration / 200)
    edges = np.arange(0.0, learnt.duration, width)
    for k, rate in enumerate(at):
        count = np.histogram(t[i == k], edges)[0] / (width / _SECOND)
        axes[0].plot((edges[:-1] + width / 2) / _SECOND, count, color=COLOURS[k], lw=1.0, label=f"{rate:g} Hz")
    axes[0].set(xlabel="time (s)", ylabel="output rate (Hz)", yscale="log", xlim=(0, learnt.duration / _SECOND))
    axes[0].set_title("while synapses learn", loc="left")
    axes[0].legend(title="inputs", ncols=2)
    curves = (
        ("rate", "cv", BLUE, "o-", "STDP, last third"),
        ("rate after", "cv after", ORANGE, "s--", "held: learnt at 20 Hz"),
        ("rate before", "cv before", GREY, "v--", "held: beginning"),
    )
    for rate, irregular, color, style, label in curves:
        axes[1].plot(at, found[rate], style, color=color, label=label)
        axes[2].plot(at, found[irregular], style, color=color, label=label)
    axes[1].set(xlabel="input rate (Hz)", ylabel="output rate (Hz)", ylim=(0, 1000))
    axes[1].set_yscale("symlog", linthresh=10.0)  # zero has a place
    axes[1].set_title("output rate", loc="left")
    axes[1].legend(loc="upper left")
    axes[2].axhline(1.0, color=GREEN, lw=1.0, ls=":")
    axes[2].text(at[0], 1.01, "Poisson", color=GREEN, fontsize=9, va="bottom")
    axes[2].set(xlabel="input rate (Hz)", ylabel="CV of intervals", ylim=(0, 1.15))
    axes[2].set_title("irregularity", loc="left")
    return figure


def draw_competition(unlike: Result, latency: np.ndarray, stimuli: int, found: Mapping[str, Any]) -> Any:
    """Weights by latency, the answer before and after, and weights of correlated and independent inputs."""
    traces = {
        name: unlike.traces[f"{name} to neurons"]["weight"] / unlike.traces["timed to neurons"]["weight"].max()
        for name in ("timed", "together", "independent")
    }
    figure, axes = subplots(2, 2, size=(10.5, 7), title="Inputs that predict the neuron's spikes win")
    ax = axes[0, 0]
    ax.plot(latency, traces["timed"][0], ".", color=GREY, ms=3, alpha=0.5, label="at the beginning")
    ax.plot(latency, traces["timed"][-1], ".", color=RED, ms=4, label="at the end")
    ax.set(xlabel="latency of the input (ms)", ylabel="weight / limit", ylim=(-0.03, 1.15))
    ax.set_title("short latencies win", loc="left")
    ax.legend(loc="upper right", ncols=2, markerscale=2)
    ax = axes[0, 1]
    bins = np.arange(0.0, 202.0, 2.0)
    for name, color, label in (("equal", GREY, "equal weights, same sum"), ("learnt", RED, "weights that were learnt")):
        density = np.histogram(found["answers"][name], bins)[0] / (stimuli * 2.0e-3)
        ax.stairs(density, bins, color=color, fill=True, alpha=0.6, label=label)
    ax.set(xlabel="time after the stimulus (ms)", ylabel="output rate (Hz)", xlim=(20, 150))
    ax.set_title("so the neuron answers earlier", loc="left")
    ax.legend(loc="upper right")
    ax = axes[1, 0]
    half = traces["together"].shape[1]
    ax.plot(np.arange(half), traces["independent"][-1], ".", color=BLUE, ms=4)
    ax.plot(half + np.arange(half), traces["together"][-1], ".", color=RED, ms=4)
    for x, name, color in ((0.25, "independent", BLUE), (0.75, "correlated", RED)):
        ax.text(x, 0.97, name, color=color, transform=ax.transAxes, ha="center", va="top", fontweight="bold")
    ax.set(xlabel="input", ylabel="weight / limit", xlim=(0, 2 * half), ylim=(-0.03, 1.15))
    ax.set_title("inputs of one mean rate, half of which vary together", loc="left")
    ax = axes[1, 1]
    for name, color, label in (("together", RED, "correlated"), ("independent", BLUE, "independent")):
        ax.plot(traces[name].mean(axis=1), color=color, label=label)
    ax.set(xlabel="time (s)", ylabel="mean weight / limit", xlim=(0, len(traces["timed"]) - 1), ylim=(0, 0.8))
    ax.set_title("correlated inputs win", loc="left")
    ax.legend(loc="upper right")
    return figure
