"""Brunel's network: four states of one sparse network of excitatory and inhibitory neurons.

10 000 excitatory and 2500 inhibitory integrate-and-fire neurons hear spikes from elsewhere and, by 1250 synapses each
that make the potential jump, one another. Two numbers decide what they do: inhibition over excitation, g, and the rate
from elsewhere, ν_ext, in units of the ν_thr whose mean alone reaches the threshold. Neurons fire together like clocks
(SR), each for itself (AI), or irregularly in a common rhythm, fast (SI fast) or slow (SI slow).

The second picture scans g and ν_ext with many smaller copies in one simulation, each with its own values. Lines are
theory: neurons under white noise whose mean and variance follow the rate of the network itself give the rate; where a
small oscillation comes back from the loop larger than it went, the asynchronous state ends. Theory takes the number of
neurons for infinite; the activity of a finite network also swings by chance. The variance of such swings falls with the
number of neurons and they are soon forgotten, while a rhythm of the whole network depends on neither.

Below scale 1 there are fewer neurons (5000 + 1250 at least), but not fewer synapses of each, and the scan is coarser;
below 0.5 runs are shorter, too. The intervals in AI have a CV of about 0.4, less than the 0.68 that theory gives for
Poisson input: neurons that fire more regularly than a Poisson process also hear less noise than one makes.

Reference: Brunel, J Comput Neurosci 8:183 (2000), model A: phase diagram, fig. 8 and table 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from neurosim import Record, Result, simulate
from neurosim.analysis import cv, population_rate, spectrum
from neurosim.plotting import BLACK, BLUE, GREEN, GREY, PURPLE, RED, subplots
from neurosim.scenario import Check, Outcome, scaled
from neurosim.scenarios._brunel import (
    N_E,
    Point,
    loop_gain,
    network,
    poisson_cv,
    stationary_rate,
)

SOURCE = "Brunel 2000, fig. 8 and phase diagram"
SECONDS = 30.0

STATES = {"SR": (3.0, 2.0), "SI fast": (6.0, 4.0), "AI": (5.0, 2.0), "SI slow": (4.5, 0.9)}  # g, ν_ext/ν_thr
NAMES = {
    "SR": "synchronous regular",
    "SI fast": "synchronous irregular",
    "AI": "asynchronous irregular",
    "SI slow": "synchronous irregular",
}
COLOURS = {"SR": RED, "SI fast": BLUE, "AI": GREEN, "SI slow": PURPLE}
DURATIONS = {"SR": 250.0, "SI fast": 1200.0, "AI": 1000.0, "SI slow": 3200.0}  # ms
SHOWN = {"SR": 60.0, "SI fast": 200.0, "AI": 200.0, "SI slow": 400.0}  # ms
RHYTHMS = {"SI fast": (80.0, 400.0), "SI slow": (10.0, 60.0)}  # Hz, where the peak of the spectrum is looked for

# Quoted without the text at hand; the theory of the same table, computed here, agrees to its last digit.
_TABLE = "Brunel 2000, table 1, simulation (quoted from memory)"
_THEORY = "Brunel 2000, table 1, theory (quoted from memory)"
_FIG8 = "Brunel 2000, fig. 8"
_DIAGRAM = "Brunel 2000, phase diagram: no asynchronous state above 1"
CHECKS = (
    Check("rate AI", 37.7, 3.0, _TABLE, unit="Hz"),
    Check("rate SI fast", 60.7, 5.0, _TABLE, unit="Hz"),
    Check("rate SI slow", 5.5, 1.5, _TABLE, unit="Hz"),
    Check("frequency SI fast", 180.0, 15.0, _TABLE, unit="Hz"),
    Check("frequency SI slow", 22.0, 7.0, _TABLE, unit="Hz"),
    Check("theory: rate AI", 38.0, 0.1, _THEORY, unit="Hz"),
    Check("theory: rate SI fast", 55.8, 0.1, _THEORY, unit="Hz"),
    Check("theory: rate SI slow", 6.5, 0.1, _THEORY, unit="Hz"),
    Check("theory: frequency SI fast", 190.0, 5.0, _THEORY, unit="Hz"),
    Check("theory: frequency SI slow", 29.0, 1.0, _THEORY, unit="Hz"),
    Check("theory: loop gain SR", 1.0, 0.0, _DIAGRAM, "at least"),
    Check("theory: loop gain SI fast", 1.0, 0.0, _DIAGRAM, "at least"),
    Check("theory: loop gain AI", 1.0, 0.0, _DIAGRAM, "at most"),
    Check("theory: loop gain SI slow", 1.0, 0.0, _DIAGRAM, "at least"),
    Check("CV SR", 0.0, 0.05, _FIG8 + ": regular"),
    Check("CV SI fast", 0.7, 0.0, _FIG8 + ": irregular", "at least"),
    Check("CV AI", 0.35, 0.0, _FIG8 + ": irregular; 0.68 were the input Poisson, but it is more regular", "at least"),
    Check("CV SI slow", 0.4, 0.0, _FIG8 + ": irregular", "at least"),
    Check("swing SR / AI", 3.0, 0.0, _FIG8 + ": activity in AI is stationary; AI at full size", "at least"),
    Check("swing SI fast / AI", 1.3, 0.0, _FIG8 + ": the same", "at least"),
    Check("swing SI slow / AI", 2.0, 0.0, _FIG8 + ": the same", "at least"),
    Check("scan: rate / theory, mean of AI", 1.0, 0.1, "self-consistent rate, Brunel 2000"),
    Check("scan: rate / theory, largest error in AI", 0.0, 0.25, "the same"),
    Check("scan: rhythm where theory oscillates / in AI", 1.5, 0.0, "linear stability, Brunel 2000", "at least"),
)

DT, SETTLED, SCAN_DURATION = 0.1, 100.0, 350.0  # ms
SMALLEST, SCAN_N_E = 0.5, 4000
G, DRIVE = (3.0, 6.5, 8), (0.45, 4.05, 9)  # from, to, points at scale 1
FREQUENCIES = np.concatenate([np.arange(6.0, 100.0, 4.0), np.arange(100.0, 900.0, 12.0)])  # Hz, of rhythms looked for
FEW = 5  # spikes of a neuron, below which its irregularity is unknown


def rate(t: np.ndarray, n: int, stop: float) -> float:
    """Mean rate in Hz after the network has settled."""
    return 1e3 * float((t > SETTLED).sum()) / n / (stop - SETTLED)


def irregularity(t: np.ndarray, i: np.ndarray, n: int) -> float:
    """Mean CV of the intervals of a neuron; NaN where most neurons have too few spikes."""
    late = t > SETTLED
    values = cv(t[late], i[late], n, min_spikes=FEW)
    known = np.isfinite(values)
    return float(values[known].mean()) if known.mean() > 0.5 else float("nan")


def swing(t: np.ndarray, n: int, stop: float) -> float:
    """Standard deviation over mean of the global activity, in the bins of fig. 8, less what independent spikes have."""
    count = population_rate(t, n, bin=DT, start=SETTLED, stop=stop).rate * (n * DT * 1e-3)
    return float(np.sqrt(max(count.var() - count.mean(), 0.0)) / count.mean()) if count.any() else float("nan")


def peak(t: np.ndarray, n: int, stop: float, between: tuple[float, float]) -> float:
    """Frequency in Hz at which the global activity has most power; steps of 2 Hz."""
    density = spectrum(t, n, start=SETTLED, stop=stop, bin=1.0, segment=500.0)
    smooth = np.convolve(density.power, [0.25, 0.5, 0.25], mode="same")
    inside = (density.f >= between[0]) & (density.f <= between[1])
    return float(density.f[inside][smooth[inside].argmax()])


def rhythm(t: np.ndarray, n: int, stop: float) -> float:
    """Correlation of the global activity with itself a cycle later: 0 forgotten, 1 kept for ever.

    Unlike the size of swings it does not depend on the number of neurons that chance is averaged over.
    """
    count = population_rate(t, n, bin=0.5, start=SETTLED, stop=stop).rate * (n * 0.5e-3)
    deviation = count - count.mean()
    power = np.abs(np.fft.rfft(deviation, 2 * count.size)) ** 2
    covariance = np.fft.irfft(power)[: count.size // 2] / (count.size - np.arange(count.size // 2))
    own = covariance[0] - count.mean()  # of independent spikes, which are alike only with themselves
    fallen = np.flatnonzero(covariance < 0.0)
    if own <= 0.0 or not fallen.size:
        return float("nan")
    return float(np.clip(covariance[fallen[0] :].max() / own, 0.0, 1.0))


def run(
    *, backend: str = "auto", scale: float = 1.0, seed: int = 0, precision: str = "float32", fuse: str = "auto"
) -> Outcome:
    """The four states, then the scan; ``scale`` is that of the neurons, the durations and the points of the scan."""
    size = min(max(scale, SMALLEST), 1.0)
    n_e = scaled(N_E, size)
    options: dict[str, Any] = {"backend": backend, "precision": precision, "fuse": fuse, "seed": seed}
    options |= {"dt": DT, "method": "exact"}
    results = {}
    for name, point in STATES.items():
        net = network([point], n_e, dt=DT, seed=seed)
        duration = DURATIONS[name] if name == "SI slow" or scale >= SMALLEST else round(0.6 * DURATIONS[name])
        results[name] = simulate(net, duration=duration, record=[Record("E0", "spikes")], **options)
    part = min(np.sqrt(scale), 1.0)
    g, drive = (np.linspace(begin, end, scaled(number, part, at_least=3)) for begin, end, number in (G, DRIVE))
    points = [(float(a), float(b)) for b in drive for a in g]
    record = [Record(f"E{k}", "spikes") for k in range(len(points))]
    scan = simulate(network(points, SCAN_N_E, dt=DT, seed=seed), duration=SCAN_DURATION, record=record, **options)
    return outcome(results, n_e, scan, points, (drive.size, g.size))


def outcome(results: dict[str, Result], n_e: int, scan: Result, points: list[Point], shape: tuple[int, int]) -> Outcome:
    """Numbers and pictures."""
    metrics: dict[str, float] = {}
    at = np.array(list(STATES.values())).T
    expected = 1e3 * stationary_rate(at[0], at[1])
    gain, frequency = loop_gain(at[0], at[1], np.arange(4.0, 900.0, 4.0))
    for k, (name, result) in enumerate(results.items()):
        (t, i), stop = result.spikes["E0"], result.duration
        metrics[f"rate {name}"] = rate(t, n_e, stop)
        metrics[f"CV {name}"] = irregularity(t, i, n_e)
        metrics[f"swing {name}"] = swing(t, n_e, stop)
        if name in RHYTHMS:
            metrics[f"frequency {name}"] = peak(t, n_e, stop, RHYTHMS[name])
        metrics[f"theory: rate {name}"] = expected[k]
        metrics[f"theory: frequency {name}"] = frequency[k]
        metrics[f"theory: loop gain {name}"] = gain[k]
    metrics["theory: CV AI, Poisson input"] = poisson_cv(*STATES["AI"])
    # What is left to chance falls with the number of neurons, so AI is compared as it would be at full size.
    chance = metrics["swing AI"] * np.sqrt(n_e / N_E)
    metrics |= {f"swing {name} / AI": metrics[f"swing {name}"] / chance for name in results if name != "AI"}

    spikes = [scan.spikes[f"E{k}"] for k in range(len(points))]
    rates = np.array([rate(s.t, SCAN_N_E, scan.duration) for s in spikes])
    irregular = np.array([irregularity(*s, SCAN_N_E) for s in spikes])
    kept = np.array([rhythm(s.t, SCAN_N_E, scan.duration) for s in spikes])
    kept[rates < 2.0] = np.nan  # too few spikes to tell
    g, drive = np.array(points).T
    theory = 1e3 * stationary_rate(g, drive)
    gains, _ = loop_gain(g, drive, FREQUENCIES)
    steady = (g > 4.0) & (drive > 1.0) & (gains < 0.95)
    ratio = rates[steady] / theory[steady]
    metrics["scan: rate / theory, mean of AI"] = ratio.mean()
    metrics["scan: rate / theory, largest error in AI"] = np.abs(ratio - 1.0).max()
    calm, unstable = steady & (gains < 0.85), (gains > 1.05) & (rates > 2.0)
    metrics["scan: rhythm where theory oscillates / in AI"] = np.nanmean(kept[unstable]) / np.nanmean(kept[calm])
    metrics |= {"scan: copies": float(len(points)), "scan: points in AI": float(steady.sum())}
    figures = {
        "brunel": draw_states(results, n_e, metrics),
        "brunel_phase_diagram": draw_scan(
            (g, drive), shape, {"rate": rates, "cv": irregular, "rhythm": kept, "theory": theory}, steady
        ),
    }
    return Outcome(figures, {name: float(x) for name, x in metrics.items()}, results["AI"].provenance)


def draw_states(results: dict[str, Result], n_e: int, metrics: dict[str, float]) -> Any:
    """Spikes of 50 neurons and the global activity, as in fig. 8 of the paper."""
    total = f"{n_e + n_e // 4:,}".replace(",", " ")
    figure, axes = subplots(
        4,
        2,
        size=(11, 7.4),
        title=f"One network of {total} neurons, four states: inhibition and input decide",
        gridspec_kw={"height_ratios": [1.5, 1.0] * 2},
    )
    for k, (name, result) in enumerate(results.items()):
        above, below = axes[2 * (k // 2), k % 2], axes[2 * (k // 2) + 1, k % 2]
        (t, i), stop = result.spikes["E0"], result.duration
        begin = stop - SHOWN[name]
        seen = (t > begin) & (i % (n_e // 50) == 0)  # 50 neurons: they are alike, so which is all the same
        row = i[seen] // (n_e // 50)
        above.vlines(t[seen] - begin, row - 0.4, row + 0.4, color=COLOURS[name], lw=0.9)
        g, drive = STATES[name]
        above.set_title(f"{name}: {NAMES[name]}", loc="left", color=COLOURS[name], fontweight="bold")
        above.set_title(f"g = {g:g}, ν$_{{ext}}$ = {drive:g} ν$_{{thr}}$", loc="right", fontsize=10)
        above.set(ylabel="neuron", ylim=(-1, 50), xlim=(0, SHOWN[name]))
        above.tick_params(labelbottom=False)
        above.grid(False)
        activity = population_rate(t, n_e, bin=DT, start=begin, stop=stop)
        below.fill_between(activity.t - begin, activity.rate, color=COLOURS[name], lw=0.3, alpha=0.85)
        below.axhline(metrics[f"rate {name}"], color=BLACK, ls="--", lw=1.0)
        text = f"{metrics[f'rate {name}']:.{1 if name != 'SR' else 0}f} Hz each, CV {metrics[f'CV {name}']:.2f}"
        if name in RHYTHMS:
            text += f"; rhythm of {metrics[f'frequency {name}']:.0f} Hz"
        top = 1.35 * activity.rate.max()
        below.text(0.99, 0.95, text, transform=below.transAxes, ha="right", va="top", fontsize=9)
        below.set(xlabel="time (ms)", ylabel="activity (Hz)", xlim=(0, SHOWN[name]), ylim=(0, top))
    return figure


def draw_scan(
    where: tuple[np.ndarray, np.ndarray],
    shape: tuple[int, int],
    values: dict[str, np.ndarray],
    steady: np.ndarray,
) -> Any:
    """Maps of rate, irregularity and synchrony, and the rates against theory."""
    from matplotlib.colors import LogNorm
    from matplotlib.patheffects import withStroke

    g, drive = (x.reshape(shape) for x in where)
    copies = f"{g.size} networks of {SCAN_N_E + SCAN_N_E // 4} neurons in one simulation"
    figure, axes = subplots(2, 2, size=(11, 8.2), title=f"Phase diagram: {copies}, and mean-field theory (lines)")
    half = [0.5 * (x[-1] - x[0]) / (x.size - 1) for x in (g[0], drive[:, 0])]
    limits = (g[0, 0] - half[0], g[0, -1] + half[0]), (max(drive[0, 0] - half[1], 0.2), drive[-1, 0] + half[1])
    # Slow rhythms live in a narrow strip below the threshold, which takes finer steps to find.
    rows = (np.linspace(limits[1][0], 0.8, 4), np.linspace(0.82, 1.0, 10), np.linspace(1.1, limits[1][1], 20))
    fine_g, fine_drive = np.meshgrid(np.linspace(*limits[0], 28), np.concatenate(rows))
    theory = 1e3 * stationary_rate(fine_g, fine_drive)
    gain = loop_gain(fine_g.ravel(), fine_drive.ravel(), FREQUENCIES)[0].reshape(fine_g.shape)
    # Left of the balance, below the threshold, silence and high rates may both be stable: no one line there.
    both = (fine_g < 4.0) & (fine_drive < 1.0)
    gain, theory = np.where((theory > 1.0) & ~both, gain, np.nan), np.where(both, np.nan, theory)
    outline = [withStroke(linewidth=2.6, foreground="#00000099")]
    maps: tuple[tuple[Any, str, str, str, Any], ...] = (
        (axes[0, 0], "rate", "mean rate (Hz)", "viridis", {"norm": LogNorm(2.0, 400.0)}),
        (axes[0, 1], "cv", "irregularity: CV of intervals (0: clock)", "magma", {"vmin": 0.0, "vmax": 1.2}),
        (axes[1, 0], "rhythm", "synchrony: activity, correlated with a cycle later", "viridis", {"vmin": 0, "vmax": 1}),
    )
    for ax, name, title, colours, options in maps:
        image = np.where(values["rate"] < 0.05, np.nan, values[name]).reshape(shape)
        mesh = ax.pcolormesh(g[0], drive[:, 0], image, cmap=colours, shading="nearest", **options)
        bar = figure.colorbar(mesh, ax=ax, pad=0.02)
        if name == "rate":
            bar.set_ticks([2, 5, 10, 20, 50, 100, 200, 400], labels=["2", "5", "10", "20", "50", "100", "200", "400"])
            bar.minorticks_off()
            lines = ax.contour(fine_g, fine_drive, theory, [10, 20, 40, 80, 160, 300], colors="white", linewidths=1.3)
            labels = ax.clabel(lines, fmt="%d Hz", fontsize=8)
            for text in labels:
                text.set_path_effects(outline)
        else:
            lines = ax.contour(fine_g, fine_drive, gain, [1.0], colors="white", linewidths=2.2)
        lines.set_path_effects(outline)
        ax.set_title(title, loc="left")
        ax.set_facecolor("#dddddd")
        ax.grid(False)
        ax.set(xlim=limits[0], ylim=limits[1], xlabel="inhibition / excitation g", ylabel="ν$_{ext}$ / ν$_{thr}$")
        for draw, place in ((ax.axvline, 4.0), (ax.axhline, 1.0)):
            draw(place, color="white", ls=(0, (2, 3)), lw=1.2)
        for state, (x, y) in STATES.items():
            ax.plot(x, y, "o", mfc=COLOURS[state], mec="white", ms=8, zorder=5)
            ax.annotate(
                state,
                (x, y),
                (7, -3 if y > 1.0 else -14),  # clear of the lines near the threshold
                textcoords="offset points",
                color="white",
                fontsize=9,
                fontweight="bold",
                path_effects=outline,
            )
    compare(axes[1, 1], values, steady)
    return figure


def compare(ax: Any, values: dict[str, np.ndarray], steady: np.ndarray) -> None:
    """Simulated rates against the self-consistent ones."""
    fired = (values["rate"] > 0.05) & (values["theory"] > 0.05)
    ax.plot([1, 500], [1, 500], color=GREY, lw=1.0)
    for chosen, colour, label in ((steady, GREEN, "asynchronous by theory"), (~steady, BLACK, "elsewhere")):
        chosen = chosen & fired
        ax.plot(values["theory"][chosen], values["rate"][chosen], "o", color=colour, ms=4.5, label=label, alpha=0.85)
    ax.set(xscale="log", yscale="log", xlim=(2, 500), ylim=(2, 500))
    ax.set(xlabel="mean-field rate (Hz)", ylabel="simulated rate (Hz)")
    ax.set_title("every network against theory", loc="left")
    ax.legend(loc="upper left")
    ax.text(
        0.98,
        0.04,
        "maps: thick lines bound what theory calls asynchronous;\ndotted: balance, g = 4, and threshold, "
        "ν$_{ext}$ = ν$_{thr}$;\ngrey: silent, or too few spikes to tell",
        transform=ax.transAxes,
        ha="right",
        fontsize=8.5,
        color="#444444",
    )


if __name__ == "__main__":
    from neurosim.scenario import main

    main(__file__)
