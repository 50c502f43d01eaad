"""Firing rate against current of 100 000 Hodgkin-Huxley neurons.

Every neuron gets a constant current of its own, from 1 to 200 µA/cm², for 400 ms. The squid axon is a neuron
of Hodgkin's class 2: silent, or good for a few spikes, until at 6.26 µA/cm² it fires without end, and at
50 Hz at once. From there to 9.78 µA/cm² it has two stable states: neurons whose current is switched on
suddenly fire; neurons that rest at the same current already (a second population of a tenth of the size,
pushed by 0.1 mV) stay silent. At 9.78 rest loses its stability in a subcritical Hopf bifurcation. At large
currents the spikes shrink, fall below the 50 mV that count as a spike at 90 µA/cm², and vanish at 154.5 in a
supercritical one.

Rates come from the inter-spike intervals of the second half. A Hopf point is where the growth rate of small
oscillations around rest is 0; the upper one is also where the squared amplitude of the large ones falls to 0.

Runge-Kutta of order 4 with steps of 0.04 ms: in float32 as in float64 the rates agree within 0.02 Hz with
SciPy's DOP853 at a tolerance of 1e-10; the exponential Euler method is 0.3 Hz off at a quarter of that step.

References: Hodgkin & Huxley, J. Physiol. 117:500 (1952). Hodgkin, J. Physiol. 107:165 (1948): classes of
excitability. Hassard, J. Theor. Biol. 71:401 (1978), and Rinzel & Miller, Math. Biosci. 49:27 (1980):
bifurcations.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from neurosim import Constant, Network, Population, Record, Result, simulate
from neurosim.models import HodgkinHuxley
from neurosim.scenario import Check, Outcome, scaled
from neurosim.scenarios._hh_fi_figures import draw_bifurcations, draw_curve, draw_traces
from neurosim.scenarios._hh_rest import rest

SOURCE = "slide 9 · Hodgkin & Huxley 1952"
SECONDS = 10
CHECKS = (
    Check("onset of one spike", 2.237, 0.02, "SciPy DOP853", unit="µA/cm²"),
    Check("onset of repetitive firing", 6.26, 0.05, "Rinzel & Miller 1980", unit="µA/cm²"),
    Check("rate at onset", 50.0, 2.5, "Hodgkin 1948, class 2", unit="Hz"),
    Check("rate at 7 µA/cm²", 58.33, 0.2, "SciPy DOP853", unit="Hz"),
    Check("rate at 10 µA/cm²", 68.32, 0.2, "SciPy DOP853", unit="Hz"),
    Check("rate at 20 µA/cm²", 86.47, 0.2, "SciPy DOP853", unit="Hz"),
    Check("rest loses stability", 9.78, 0.02, "Hassard 1978", unit="µA/cm²"),
    Check("rest is stable again", 154.5, 0.2, "Hassard 1978", unit="µA/cm²"),
    Check("amplitude falls to 0", 154.5, 0.5, "Rinzel & Miller 1980", unit="µA/cm²"),
    Check("bistable from rest: spikes", 0.0, 0.0, "rest is stable, Hassard 1978"),
)
DURATION, DT = 400.0, 0.04  # ms
CURRENTS = 1.0, 200.0  # µA/cm²


def final_rates(result: Result, population: str) -> np.ndarray:
    """Rate of each neuron in Hz from its intervals in the second half; 0 if it is silent at the end."""
    t, i = result.spikes[population]
    t, i = t[t > 0.5 * DURATION], i[t > 0.5 * DURATION]
    count = np.bincount(i, minlength=len(result.counts(population)))
    first, last = np.zeros(len(count)), np.zeros(len(count))
    last[i], first[i[::-1]] = t, t[::-1]  # of repeated indices the last assignment holds
    interval = (last - first) / np.maximum(count - 1, 1)
    firing = (count > 2) & (last > DURATION - 1.5 * interval)
    return np.where(firing, 1e3 / np.where(firing, interval, 1.0), 0.0)


def frequencies(v: np.ndarray, level: np.ndarray, interval: float) -> np.ndarray:
    """Frequency of each column in Hz from its upward crossings of a level."""
    up = (v[:-1] <= level) & (v[1:] > level)
    steps = len(up) - 1 - np.argmax(up[::-1], axis=0) - np.argmax(up, axis=0)
    return 1e3 * (up.sum(0) - 1) / np.maximum(steps, 1) / interval


def growth_rates(x: np.ndarray, interval: float, lag: float) -> np.ndarray:
    """Growth rate per ms of each column, a small oscillation exp(σt)·cos(ωt + φ).

    It obeys x(t) = a·x(t − lag) + b·x(t − 2·lag) with b = −exp(2σ·lag), found by least squares; the two terms
    are least alike where the lag is a quarter of the period.
    """
    k = round(lag / interval)
    y, p, q = x[2 * k :], x[k:-k], x[: -2 * k]
    pp, pq, qq, py, qy = ((u * w).sum(0) for u, w in ((p, p), (p, q), (q, q), (p, y), (q, y)))
    return np.log((py * pq - qy * pp) / (qq * pp - pq * pq)) / (2 * k * interval)


def root(x: np.ndarray, y: np.ndarray, near: float) -> float:
    """Root, nearest to a value, of the parabola that fits the points best."""
    roots = np.roots(np.polyfit(x - near, y, 2))
    return near + float(roots[np.argmin(np.abs(roots))].real)


def run(
    *,
    backend: str = "auto",
    scale: float = 1.0,
    seed: int = 0,
    precision: str = "float32",
    fuse: str = "auto",
) -> Outcome:
    """Simulate both populations, measure, draw.

    Parameters
    ----------
    backend, seed, precision, fuse
        Of :func:`neurosim.simulate`.
    scale : float
        Of the number of neurons, 100 000 at 1.
    """
    model = HodgkinHuxley()
    sudden = np.geomspace(*CURRENTS, scaled(100_000, scale, at_least=500))
    slow = np.geomspace(*CURRENTS, scaled(10_000, scale, at_least=500))
    at_rest = rest(model, slow)._asdict()
    pushed = at_rest | {"v": at_rest["v"] + 0.1}
    net = Network(
        (
            Population("sudden", model, len(sudden), stimuli=(Constant(sudden),)),
            Population("slow", model, len(slow), stimuli=(Constant(slow),), init=pushed),
        )
    )
    seen = np.unique(np.linspace(0, len(sudden) - 1, 1200).astype(int))
    near = np.flatnonzero((np.abs(slow / 9.78 - 1.0) < 0.04) | (np.abs(slow / 154.5 - 1.0) < 0.04))
    record = (
        Record("sudden", "spikes"),
        Record("slow", "spikes"),
        Record("sudden", "v", every=2, neurons=seen),
        Record("slow", "v", every=10, neurons=near),
    )
    options: dict[str, Any] = {"backend": backend, "precision": precision, "fuse": fuse, "seed": seed}
    result = simulate(net, duration=DURATION, dt=DT, method="rk4", record=record, **options)

    rate, slow_rate = final_rates(result, "sudden"), final_rates(result, "slow")
    fires = rate > 0.0
    t, v = result.times("sudden", "v"), result.traces["sudden"]["v"].astype(np.float64)
    late = v[t > DURATION - 60.0]
    top, bottom, i = late.max(0), late.min(0), sudden[seen]
    falling = (i > 144.0) & (i < 152.5)
    t_slow, small = (
        result.times("slow", "v"),
        result.traces["slow"]["v"].astype(np.float64) - at_rest["v"][near],
    )
    small = small[(t_slow > 60.0) & (t_slow < 120.0)]
    lower = slow[near] < 50.0
    growth = np.where(lower, growth_rates(small, t_slow[1], 2.8), growth_rates(small, t_slow[1], 1.6))
    first, spiked = int(np.argmax(fires)), result.counts("sudden") > 0
    metrics = {
        "onset of one spike": sudden[np.argmax(spiked)],
        "onset of repetitive firing": sudden[first],
        "rate at onset": rate[first],
        **{f"rate at {x} µA/cm²": np.interp(x, sudden[fires], rate[fires]) for x in (7, 10, 20)},
        "rest loses stability": root(slow[near][lower], growth[lower], 9.78),
        "rest is stable again": root(slow[near][~lower], growth[~lower], 154.5),
        "amplitude falls to 0": root(i[falling], (top - bottom)[falling] ** 2, 154.5),
        "bistable from rest: spikes": result.counts("slow")[(slow > 6.26) & (slow < 9.4)].sum(),
        "spikes fall below 50 mV": sudden[fires][-1],
        "rest gives way within 400 ms": slow[np.argmax(slow_rate > 0.0)],
    }
    wave = (i > metrics["spikes fall below 50 mV"]) & (i < metrics["amplitude falls to 0"])
    frequency = np.where(wave, frequencies(late, rest(model, i).v, t[1]), np.nan)
    figures = {
        "hh_fi_curve": draw_curve((sudden, rate), (slow, slow_rate), (i, frequency), t, v),
        "hh_fi_curve_bifurcations": draw_bifurcations(
            (i, top, bottom), (slow, at_rest["v"]), (slow[near], 1e3 * growth), metrics
        ),
        "hh_fi_curve_traces": draw_traces(result, i, sudden),
    }
    return Outcome(figures, {name: float(x) for name, x in metrics.items()}, result.provenance)


if __name__ == "__main__":
    from neurosim.scenario import main

    main(__file__)
