"""Firing rate of leaky integrate-and-fire neurons, with and without noise.

A constant current charges the neuron to its threshold, θ above rest, in τ·ln(RI/(RI − θ)); so it fires at
1/(t_ref + τ·ln(RI/(RI − θ))), and never below the rheobase θ/R. Three populations of 10 000 neurons with
refractory periods of 0, 2 and 5 ms follow this formula: all that is left is that a spike waits for the end of
its step of 0.02 ms. Between spikes the integration is exact.

White noise smooths the onset: neurons fire below the rheobase. The rate is then Siegert's, from the first
passage of an Ornstein-Uhlenbeck process through the threshold. A threshold that is looked at once per step
misses excursions in between and acts like one that lies 0.5826·s higher, s the standard deviation of the
noise in a step; the comparison takes these few per cent of the rate into account.

References: Lapicque, J. Physiol. Pathol. Gen. 9:620 (1907); Stein, Biophys. J. 5:173 (1965); Siegert, Phys.
Rev. 81:617 (1951), in the form of Brunel & Hakim, Neural Comput. 11:1621 (1999); Broadie, Glasserman & Kou,
Math. Finance 7:325 (1997), thresholds looked at once per step.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from neurosim import Constant, Network, Population, Record, Result, WhiteNoise, simulate
from neurosim.models import LIF
from neurosim.plotting import BLACK, BLUE, GREEN, GREY, RED, subplots
from neurosim.scenario import Check, Outcome, scaled

SOURCE = "slide 10 · Lapicque 1907, Stein 1965, Siegert 1951"
SECONDS = 5
CHECKS = (
    Check("largest error of the rate, t_ref 0 ms", 0.0, 0.01, "Stein 1965"),
    Check("largest error of the rate, t_ref 2 ms", 0.0, 0.01, "Stein 1965"),
    Check("largest error of the rate, t_ref 5 ms", 0.0, 0.01, "Stein 1965"),
    Check("rheobase", 1.5, 0.02, "Lapicque 1907: θ/R", unit="nA"),
    Check("spikes with noise, measured / expected", 1.0, 0.02, "Siegert 1951; Broadie et al. 1997"),
    Check("the same below the rheobase", 1.0, 0.05, "Siegert 1951; Broadie et al. 1997"),
)
NEURON = LIF()
THETA = NEURON.v_thresh - NEURON.v_rest  # mV
DURATION, DT, SETTLED = 300.0, 0.02, 60.0  # ms
REFRACTORY = (0.0, 2.0, 5.0)  # ms
COLORS = (BLUE, RED, GREEN)
SIGMAS = (0.5, 1.0, 2.0)  # nA·√ms
MEANS = np.linspace(0.8, 2.4, 17)  # nA, with noise
CLEAR = 0.1  # mV of drive beyond the threshold: nearer to it the rounding of float32 decides


def stein_rate(current: np.ndarray, t_ref: float) -> np.ndarray:
    """Rate in Hz without noise."""
    drive = NEURON.r_m * np.asarray(current)
    fires = drive > THETA
    safe = np.where(fires, drive, 2.0 * THETA)
    return np.where(fires, 1e3 / (t_ref + NEURON.tau_m * np.log(safe / (safe - THETA))), 0.0)


def siegert_rate(mean: float, sigma: float) -> float:
    """Rate in Hz with white noise and a threshold that is looked at once per step.

    The interval is τ times the integral of exp(−u²)·(exp(2·a·u) − exp(2·b·u))/u from 0 on, where a and b are
    threshold and reset in units of the noise.
    """
    noise = NEURON.r_m * sigma / math.sqrt(NEURON.tau_m)
    raised = 0.5826 * noise * math.sqrt(DT / NEURON.tau_m)
    a = (THETA + raised - NEURON.r_m * mean) / noise
    b = (NEURON.v_reset - NEURON.v_rest - NEURON.r_m * mean) / noise
    du = (max(a, 0.0) + 8.0) / 20_000
    u = du * (np.arange(20_000) + 0.5)
    integral = ((np.exp(u * (2.0 * a - u)) - np.exp(u * (2.0 * b - u))) / u).sum() * du
    return 1e3 / (NEURON.tau_m * integral)


def interval_rates(result: Result, population: str) -> np.ndarray:
    """Rate of each neuron in Hz from its intervals; 0 with fewer than three spikes."""
    t, i = result.spikes[population]
    count = result.counts(population)
    first, last = np.zeros(len(count)), np.ones(len(count))
    last[i], first[i[::-1]] = t, t[::-1]  # of repeated indices the last assignment holds
    return np.where(count > 2, 1e3 * (count - 1) / np.where(count > 2, last - first, 1.0), 0.0)


def run(
    *,
    backend: str = "auto",
    scale: float = 1.0,
    seed: int = 0,
    precision: str = "float64",
    fuse: str = "auto",
) -> Outcome:
    """Simulate, compare with the formulas, draw.

    Parameters
    ----------
    backend, seed, precision, fuse
        Of :func:`neurosim.simulate`.
    scale : float
        Of the number of neurons, 4 · 10 000 at 1.
    """
    current = np.linspace(1.0, 5.0, scaled(10_000, scale, at_least=401))
    copies = scaled(400, scale, at_least=40)
    sigma, mean, _ = (x.ravel() for x in np.meshgrid(SIGMAS, MEANS, np.arange(copies), indexing="ij"))
    populations = [
        Population(f"t_ref_{t_ref:g}", NEURON, len(current), (Constant(current),), t_ref=t_ref) for t_ref in REFRACTORY
    ]
    populations.append(Population("noisy", NEURON, len(mean), (WhiteNoise(sigma=sigma, mean=mean),)))
    seen = [int(np.argmin(np.abs(current - x))) for x in (1.45, 1.6, 3.0)]
    noisy = int(np.flatnonzero((sigma == 1.0) & np.isclose(mean, 1.4))[0])
    record = [Record(p.name, "spikes") for p in populations]
    record += [Record("t_ref_2", "v", neurons=seen), Record("noisy", "v", neurons=[noisy])]
    options: dict[str, Any] = {"backend": backend, "precision": precision, "fuse": fuse, "seed": seed}
    result = simulate(Network(tuple(populations)), duration=DURATION, dt=DT, method="exact", record=record, **options)

    measured = {t_ref: interval_rates(result, f"t_ref_{t_ref:g}") for t_ref in REFRACTORY}
    clear = NEURON.r_m * current - THETA > CLEAR
    error = {t_ref: measured[t_ref][clear] / stein_rate(current[clear], t_ref) - 1.0 for t_ref in REFRACTORY}
    t, i = result.spikes["noisy"]
    count = np.bincount(i[t > SETTLED], minlength=len(mean)).reshape(len(SIGMAS), len(MEANS), copies)
    noisy_rate = 1e3 * count.mean(-1) / (DURATION - SETTLED)
    expected = np.array([[siegert_rate(m, s) for m in MEANS] for s in SIGMAS])
    metrics = {
        **{f"largest error of the rate, t_ref {x:g} ms": np.abs(error[x]).max() for x in REFRACTORY},
        "rheobase": current[np.argmax(result.counts("t_ref_0") > 0)],
        "spikes with noise, measured / expected": noisy_rate.sum() / expected.sum(),
        "the same below the rheobase": noisy_rate[:, MEANS < 1.5].sum() / expected[:, MEANS < 1.5].sum(),
    }
    figures = {
        "lif_fi_curve": draw_curves(current, measured, noisy_rate),
        "lif_fi_curve_detail": draw_detail(result, current[clear], error, (*current[seen], mean[noisy])),
    }
    return Outcome(figures, {name: float(x) for name, x in metrics.items()}, result.provenance)


def draw_curves(current: np.ndarray, measured: dict[float, Any], noisy: np.ndarray) -> Any:
    """Measured rates on the formulas, without and with noise."""
    title = "Integrate-and-fire: the rate follows theory, and noise smooths its onset"
    figure, (left, right) = subplots(1, 2, size=(10, 5.6), title=title)
    few = np.linspace(0, len(current) - 1, 45).astype(int)
    for t_ref, color in zip(REFRACTORY, COLORS, strict=True):
        left.plot(current, stein_rate(current, t_ref), color=color, lw=1.2)
        left.plot(current[few], measured[t_ref][few], "o", color=color, ms=4, label=f"refractory for {t_ref:g} ms")
    left.text(1.5, -14, "rheobase θ/R", color=GREY, ha="center", fontsize=9)
    left.set(xlabel="current (nA)", ylabel="firing rate (Hz)", ylim=(-20, 290))
    left.set_title("lines: $1/(t_{ref} + \\tau\\,\\ln(RI/(RI - \\theta)))$", loc="left", fontsize=11)
    fine = np.linspace(MEANS[0], MEANS[-1], 400)
    right.plot(fine, stein_rate(fine, 0.0), color=BLACK, ls="--", lw=1.2, label="no noise")
    for row, (sigma, color) in enumerate(zip(SIGMAS, COLORS, strict=True)):
        right.plot(fine[::6], [siegert_rate(m, sigma) for m in fine[::6]], color=color, lw=1.2)
        right.plot(MEANS, noisy[row], "o", color=color, ms=4, label=f"noise σ = {sigma:g} nA·√ms")
    right.set(xlabel="mean current (nA)", ylabel="firing rate (Hz)")
    right.set_title("lines: Siegert's formula", loc="left", fontsize=11)
    left.legend(frameon=False)
    right.legend(frameon=False)
    return figure


def draw_detail(result: Result, current: np.ndarray, error: dict[float, Any], drives: tuple[float, ...]) -> Any:
    """Error of the rate, and potentials below and above the rheobase."""
    title = "Exact between spikes: only the wait for the end of a step is left"
    figure, (left, right) = subplots(1, 2, size=(10, 5.6), title=title)
    for t_ref, color in zip(REFRACTORY, COLORS, strict=True):
        left.plot(current, 100.0 * error[t_ref], ".", color=color, ms=1, rasterized=True)
        left.plot([], [], "o", color=color, ms=4, label=f"refractory for {t_ref:g} ms")
    late = -100.0 * DT * 1e-3 * stein_rate(current, 0.0)
    left.plot(current, late, color=BLACK, lw=1, label=f"a whole step of {DT:g} ms late")
    left.set(xlabel="current (nA)", ylabel="error of the rate (%)", ylim=(-1.05, 0.25))
    left.set_title("error stays within 1 %", loc="left", fontsize=11)
    left.legend(frameon=False, loc="lower left")
    calm, noisy = result.traces["t_ref_2"]["v"], result.traces["noisy"]["v"]
    t = result.times("noisy", "v")
    names = [*(f"{x:.2f} nA" for x in drives[:-1]), f"{drives[-1]:.2f} nA\n+ noise"]
    for row, v in enumerate((*calm.T, noisy[:, 0])):
        fell = np.flatnonzero(np.diff(v) < -5.0)
        right.plot(t, v - NEURON.v_rest + 40.0 * row, color=BLUE if row < 3 else RED, lw=1.0)
        right.vlines(t[fell], 40.0 * row + THETA, 40.0 * row + 2 * THETA, color=BLACK, lw=1.2)
        right.axhline(40.0 * row + THETA, color=GREY, ls=":", lw=0.9)
    right.set_yticks(40.0 * np.arange(4), labels=names)
    right.set(xlabel="time (ms)", xlim=(0, 150), ylim=(-14, 155))
    right.set_title("potential from rest; dotted: threshold, 15 mV", loc="left", fontsize=11)
    return figure


if __name__ == "__main__":
    from neurosim.scenario import main

    main(__file__)
