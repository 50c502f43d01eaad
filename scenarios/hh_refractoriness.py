"""Refractory and supernormal periods after an action potential.

A pulse of twice the threshold makes the axon of slide 9 fire; a second pulse follows, after every interval
and with every strength at once: each neuron has its own pair. For 8 ms no second pulse of up to six times
the threshold fires (absolute refractory period); until 16 ms it must be stronger than from rest (relative);
then, while the gates overshoot their rest, a weaker one suffices (supernormal).

A second spike is an upward crossing of 50 mV after the second pulse has ended. Six times the threshold
lifts the potential at rest by 40 mV only: no crossing is the pulse's own. The limit of six is a convention;
eight times the threshold fire after 7.3 ms already. Intervals are from onset to onset.

Protocol: White, "Action potential", Encyclopedia of the Human Brain (2002), fig. 1d, pulses of 0.5 ms at
6.3 °C. Fine values: the equations of Hodgkin & Huxley, J. Physiol. 117:500 (1952), by SciPy's LSODA,
relative tolerance 1e-10.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from neurosim import Network, Population, Record, Result, Step, simulate
from neurosim.models import HodgkinHuxley
from neurosim.plotting import BLACK, BLUE, GREEN, GREY, ORANGE, RED, subplots
from neurosim.scenario import Check, Outcome, scaled
from neurosim.scenarios._thresholds import smallest

SOURCE = "slide 9 · White 2002, fig. 1d"
SECONDS = 3.5
_LSODA = "the 1952 equations by LSODA at 1e-10"
CHECKS = (
    Check("threshold", 13.275, 0.005, _LSODA, unit="µA/cm²"),
    Check("absolute_period", 8.105, 0.05, _LSODA + ", 6 × threshold", unit="ms"),
    Check("relative_period", 16.157, 0.05, _LSODA, unit="ms"),
    Check("raised_until", 15.0, 1.5, "White 2002, fig. 1d: threshold raised below 15 ms", unit="ms"),
    Check("ratio_at_10_ms", 3.497, 0.01, _LSODA),
    Check("ratio_at_12_ms", 2.158, 0.01, _LSODA),
    Check("supernormal_ratio", 0.843, 0.005, _LSODA + ", at 19.2 ms"),
    Check("late_ratio", 0.999, 0.003, _LSODA + ", at 40 ms: back to normal"),
)

DT, WIDTH, SECOND = 0.025, 0.5, 45.0  # ms: step, width of the pulses, begin of the second one
FIRST, SHOWN, STRONGEST = 2.0, 3.0, 6.0  # pulses, times the threshold
LONGEST = 40.0  # ms
EXAMPLES = np.array([6.0, 8.0, 10.0, 12.0, 15.0, 20.0, 30.0])  # ms


def run(
    *, backend: str = "auto", scale: float = 1.0, seed: int = 0, precision: str = "float64", fuse: str = "auto"
) -> Outcome:
    """All pairs of pulses; ``scale`` is of the number of intervals times strengths."""
    options: dict[str, Any] = {
        "backend": backend,
        "precision": precision,
        "fuse": fuse,
        "seed": seed,
        "method": "rk4",
        "dt": DT,
    }

    def pairs(first: Any, second: Any, interval: Any, *traced: str) -> Result:
        # all second pulses begin together: every neuron has the same time to answer
        first, second, interval = (np.array(x).ravel() for x in np.broadcast_arrays(first, second, interval))
        begin = SECOND - np.round(interval / DT) * DT
        stimuli = (Step(first, begin, begin + WIDTH), Step(second, SECOND, SECOND + WIDTH))
        net = Network((Population("axon", HodgkinHuxley(), len(first), stimuli=stimuli),))
        record = [Record("axon", name) for name in ("spikes", *traced)]
        return simulate(net, duration=SECOND + 12.0, record=record, **options)

    def latency(first: Any, second: Any, interval: Any) -> tuple[np.ndarray, Result]:
        """Time from the second pulse to its spike in ms, NaN without one."""
        shape = np.broadcast_shapes(np.shape(first), np.shape(second), np.shape(interval))
        result = pairs(first, second, interval)
        t, i = result.spikes["axon"]
        late = t > SECOND + WIDTH + DT / 2
        answer = np.full(shape, np.nan)
        answer.flat[i[late][::-1]] = t[late][::-1] - SECOND  # reversed: the first spike of a neuron stays
        return answer, result

    def fires(first: Any, second: Any, interval: Any) -> np.ndarray:
        return np.isfinite(latency(first, second, interval)[0])

    side, count = scaled(200, scale**0.5, at_least=24), scaled(64, scale**0.5, at_least=32)
    theta = smallest(lambda x: fires(0.0, x, LONGEST), [12.0], [15.0], count=1024, rounds=1)[0]
    strengths = theta * np.geomspace(0.6, STRONGEST, side)
    intervals = np.linspace(2.0, LONGEST, side)
    answers, result = latency(FIRST * theta, strengths, intervals[:, None])

    # the shortest interval for two strengths, and the smallest strength for each interval
    def second_fires(strength: Any, interval: Any) -> np.ndarray:
        return fires(FIRST * theta, strength, interval)

    limits, low, high = np.array([[STRONGEST], [1.0]]) * theta, [5.0, 5.0], [20.0, 20.0]
    periods = smallest(lambda x: second_fires(limits, x), low, high, count=1024, rounds=1)
    asked = np.concatenate((intervals[intervals > periods[0]], [10.0, 12.0, 19.2, LONGEST]))
    weak, strong = np.full((2, len(asked)), [[0.6 * theta], [STRONGEST * theta]])
    needed = smallest(lambda x: second_fires(x, asked[:, None]), weak, strong, count=count, rounds=2) / theta
    curve = (asked[:-4], needed[:-4])
    dip = curve[1].argmin()
    metrics = {
        "threshold": theta,
        "absolute_period": periods[0],
        "relative_period": periods[1],
        "raised_until": periods[1],
        "supernormal_until": curve[0][dip + np.argmax(curve[1][dip:] >= 1.0)],
        "ratio_at_10_ms": needed[-4],
        "ratio_at_12_ms": needed[-3],
        "supernormal_ratio": needed[-2],
        "late_ratio": needed[-1],
    }
    second = SHOWN * theta * np.append(np.ones(len(EXAMPLES)), 0.0)
    example = pairs(FIRST * theta, second, np.append(EXAMPLES, LONGEST), "v", "h", "n")
    figures = {
        "hh_refractoriness": _draw_periods(example, curve, metrics),
        "hh_refractoriness_map": _draw_map(intervals, strengths / theta, answers, curve),
    }
    return Outcome(figures, {name: float(value) for name, value in metrics.items()}, result.provenance)


def _draw_periods(example: Result, curve: tuple, found: dict[str, float]) -> Any:
    title = "After a spike the axon is deaf, then hard of hearing, then keen"
    figure, axes = subplots(3, 1, size=(10, 5.6), sharex=True, title=title)
    traces, ratio, gates = axes
    t, of = example.times("axon", "v"), example.traces["axon"]
    for k, interval in enumerate(EXAMPLES):
        shown = t >= SECOND
        traces.plot(t[shown] - SECOND + interval, of["v"][shown, k], color=BLUE)
        traces.plot(interval, -22, "^", color=BLUE, markersize=6)
    alone = t - SECOND + LONGEST
    traces.plot(alone, of["v"][:, -1], color=BLACK)
    traces.set(ylabel="potential\n(mV)", ylim=(-32, 120))

    ratio.semilogy(*curve, color=BLACK, linewidth=2)
    ratio.axhline(1.0, color=GREY, linewidth=1)
    ratio.set(ylabel="threshold\n(from rest = 1)", ylim=(0.7, STRONGEST))
    ratio.set_yticks([1, 2, 4], ["1", "2", "4"])
    ratio.set_yticks([], [], minor=True)
    gates.plot(alone, of["h"][:, -1], color=ORANGE, label="$h$, sodium not inactivated")
    gates.plot(alone, of["n"][:, -1], color=BLUE, label="$n$, potassium activated")
    gates.set(
        xlabel="time from the first pulse to the second (ms)",
        ylabel="open gates",
        ylim=(0, 1.05),
        yticks=(0, 0.5, 1),
    )
    gates.set_xlim(0, LONGEST)
    gates.legend(frameon=False, loc="upper right", ncols=2)

    ends = (0.0, found["absolute_period"], found["relative_period"], found["supernormal_until"])
    for k, (color, name) in enumerate(((RED, "absolute"), (ORANGE, "relative"), (GREEN, "supernormal"))):
        for ax in axes:
            ax.axvspan(ends[k], ends[k + 1], color=color, alpha=0.15, linewidth=0)
        ratio.text((ends[k] + ends[k + 1]) / 2, 4.6, name, ha="center")
    stories = (
        "Second pulses (▲) of three\ntimes the threshold",
        f"Refractory until {ends[1]:.0f} and {ends[2]:.0f} ms,\nthen keener than at rest",
        "h opens slowly, n closes\nslowly; both overshoot",
    )
    for ax, story in zip(axes, stories, strict=True):
        ax.text(1.02, 0.5, story, transform=ax.transAxes, va="center", fontsize=11)
    figure.align_ylabels(axes)
    return figure


def _draw_map(intervals: np.ndarray, strengths: np.ndarray, answers: np.ndarray, curve: tuple) -> Any:
    figure, ax = subplots(size=(8, 5))
    image = ax.pcolormesh(intervals, strengths, answers.T, cmap="viridis_r", vmin=0.5, vmax=5.0, rasterized=True)
    ax.plot(*curve, color=BLACK, linewidth=2, label="threshold of the second pulse")
    ax.axhline(1.0, color=GREY, linewidth=1, linestyle="--", label="threshold from rest")
    ax.set(
        yscale="log",
        xlabel="time from the first pulse to the second (ms)",
        ylabel="second pulse / threshold from rest",
    )
    ax.set_yticks([0.6, 1, 2, 3, 4, 6], ["0.6", "1", "2", "3", "4", "6"])
    ax.set_yticks([], [], minor=True)
    ax.set_title("White: the second pulse fails; near the threshold its spike comes late", loc="left")
    ax.legend(frameon=False, loc="upper right")
    figure.colorbar(image, ax=ax, extend="max", label="time from the second pulse to its spike (ms)")
    return figure


if __name__ == "__main__":
    from neurosim.scenario import main

    main(__file__)
