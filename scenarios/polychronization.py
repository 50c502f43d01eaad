"""Polychronization: the delays of a network store more patterns in time than it has neurons.

Izhikevich, "Polychronization: computation with spikes", Neural Comput. 18:245 (2006),
https://doi.org/10.1162/089976606775093882. Spikes that reach a neuron together fire it; with axons of different
delays, those are not spikes that were sent together.

- Fig. 1: neurons b, c, d reach a after 1, 5 and 9 ms, and e after 8, 5 and 1 ms. If they fire at once, neither a nor e
  does. In the pattern d, c, b at 0, 4, 8 ms all arrive at a at 9 ms, and a fires; in the pattern b, c, d at 0, 3, 7
  ms all arrive at e at 8 ms, and e fires. Here all other patterns of the three are tried, too: only those near one fire
  a, and e answers the same arrivals.
- Groups: a chain of such neurons fires in a pattern that is locked in time but not synchronous. The abstract has more
  groups than neurons in one network, found there by plasticity. Here 2 000 groups of twelve are written into the
  delays (up to 20 ms) of 1 000 neurons: three neurons fire three others, these three more, and so on. A neuron is in
  24 groups. The right spikes in the right order replay a group; the same neurons fired at once replay none.

Neurons are regular spiking (0.02, 0.2, −65, 8); at rest an instantaneous jump of 15 mV fires one. A spike makes v jump
by 7 mV, so that three together do and two do not. The time from the arrivals to the answer is measured in the first
part and then used in the second. ``scale`` is of the number of groups that are tried, not of those that are stored.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from neurosim import Network, Population, Projection, Record, Result, SpikeSource, connect, simulate
from neurosim.models import Izhikevich
from neurosim.plotting import BLACK, BLUE, GREY, ORANGE, RED, subplots
from neurosim.receptors import Delta, Receptor
from neurosim.scenario import Check, Outcome, scaled

SOURCE = "slide 10 · Izhikevich 2006, Fig. 1"
SECONDS = 14.0
DT, WEIGHT, STRONG = 0.25, 7.0, 40.0  # ms, mV, mV: the strong one fires a neuron alone
NEURON = Izhikevich()
SENDERS = "dcb"
DELAYS = {"a": (9.0, 5.0, 1.0), "e": (1.0, 5.0, 8.0)}  # ms, from d, c, b
PATTERNS = {"at once": (0.0, 0.0, 0.0), "d, c, b": (0.0, 4.0, 8.0), "b, c, d": (7.0, 3.0, 0.0)}  # ms, of d, c, b
AROUND = np.arange(-24, 25) * DT  # ms, offsets that are tried about the best one
N, GROUPS, LAYERS, WIDTH = 1000, 2000, 4, 3
LONGEST, TRIAL = 20.0, 300.0  # ms
_FIG1 = "Izhikevich 2006, Fig. 1"
CHECKS = (
    Check("spikes of a and e, all at once", 0.0, 0.0, _FIG1 + "B"),
    Check("spikes of a, pattern d, c, b", 1.0, 0.0, _FIG1 + "C"),
    Check("spikes of e, pattern d, c, b", 0.0, 0.0, _FIG1 + "C"),
    Check("spikes of a, pattern b, c, d", 0.0, 0.0, _FIG1 + "D"),
    Check("spikes of e, pattern b, c, d", 1.0, 0.0, _FIG1 + "D"),
    Check("patterns that a and e answer differently", 0.0, 0.0, "only what arrives counts: a shift of the delays"),
    Check("widest arrivals that fire", 4.0, 0.0, _FIG1 + "B: spikes sent at once arrive 4 ms apart", "at most", "ms"),
    Check("stored groups per neuron", 1.0, 0.0, "Izhikevich 2006, abstract: more groups than neurons", "at least"),
    Check("groups that replay in full", 0.95, 0.0, "all twelve spikes, each within 1 ms", "at least", "share"),
    Check("error of a spike in a replay, median", 0.0, DT, "time-locked, to the step", unit="ms"),
    Check("spikes of later layers, fired at once", 0.02, 0.0, "synchrony is no group", "at most", "share"),
)


class Groups(NamedTuple):
    """Polychronous groups: neurons and times of their spikes, and the synapses that they need."""

    neurons: np.ndarray  # (groups, layers, width)
    times: np.ndarray  # ms from the first spike, same shape
    source: np.ndarray  # (synapses,)
    target: np.ndarray
    delay: np.ndarray  # ms


def run(
    *, backend: str = "auto", scale: float = 1.0, seed: int = 0, precision: str = "float64", fuse: str = "auto"
) -> Outcome:
    """Three neurons and two, then the groups."""
    options: dict[str, Any] = {
        "dt": DT,
        "method": "euler",
        "backend": backend,
        "seed": seed,
        "precision": precision,
        "fuse": fuse,
    }
    single = three_and_two(options)
    maps = {name: answered_patterns(name, options) for name in DELAYS}
    arrived = AROUND[:, None], AROUND[None, :], 0.0
    spread = np.maximum(np.maximum(*arrived[:2]), 0.0) - np.minimum(np.minimum(*arrived[:2]), 0.0)
    latency = single.spikes["a"].t[0] - (_begin(1) + DELAYS["a"][0])

    groups = draw_groups(np.random.default_rng(seed), latency)
    tried = np.arange(scaled(GROUPS, scale, at_least=40))
    played, locked = replay(groups, tried, options)
    together, _ = replay(groups, tried, options, at_once=True)
    full = np.all(np.abs(played) <= 1.0, axis=(1, 2))
    count = {name: [_between(single, name, k) for k in range(len(PATTERNS))] for name in DELAYS}
    metrics = {
        "spikes of a and e, all at once": count["a"][0] + count["e"][0],
        "spikes of a, pattern d, c, b": count["a"][1],
        "spikes of e, pattern d, c, b": count["e"][1],
        "spikes of a, pattern b, c, d": count["a"][2],
        "spikes of e, pattern b, c, d": count["e"][2],
        "patterns that a and e answer differently": np.count_nonzero(maps["a"] != maps["e"]),
        "widest arrivals that fire": spread[maps["a"]].max(),
        "time from arrivals to answer": latency,
        "stored groups per neuron": GROUPS / N,
        "synapses per neuron": len(groups.source) / N,
        "groups that replay in full": full.mean(),
        "error of a spike in a replay, median": np.median(np.abs(played[full])),
        "spikes of later layers, fired at once": np.mean(np.abs(together[:, 1:]) <= 1.0),
        "other spikes per replay": locked.size / len(tried) - played[np.isfinite(played)].size / len(tried),
    }
    figures = {
        "figure_1": draw_figure_1(single, maps),
        "groups": draw_replay(groups, tried, played, together),
    }
    return Outcome(figures, {name: float(value) for name, value in metrics.items()}, single.provenance)


def _begin(pattern: int) -> float:
    return 20.0 + 150.0 * pattern


def _between(result: Result, name: str, pattern: int) -> int:
    t = result.spikes[name].t - _begin(pattern)
    return int(np.count_nonzero((t > 0.0) & (t < 100.0)))


def _receptors() -> dict[str, Receptor]:
    return {"excitatory": Delta()}


def three_and_two(options: dict[str, Any]) -> Result:
    """The three patterns, one after the other."""
    t = np.array([_begin(k) + np.array(offsets) for k, offsets in enumerate(PATTERNS.values())])
    senders = SpikeSource(t.ravel(), np.tile(np.arange(3), len(PATTERNS)))
    populations = [Population("senders", senders, 3)]
    populations += [Population(name, NEURON, 1, receptors=_receptors()) for name in DELAYS]
    projections = [
        Projection("senders", name, connect.all_to_all(), WEIGHT, np.array(delays)) for name, delays in DELAYS.items()
    ]
    record = [Record(name, variable) for name in DELAYS for variable in ("spikes", "v")]
    network = Network(tuple(populations), tuple(projections))
    return simulate(network, duration=_begin(len(PATTERNS)), record=record, **options)


def answered_patterns(name: str, options: dict[str, Any]) -> np.ndarray:
    """Whether neuron a or e answers: rows are offsets of c, columns of b, both from the best pattern."""
    of_d, of_c, of_b = DELAYS[name]
    size = len(AROUND)
    begin = 30.0  # ms, of d
    c, b = begin + of_d - of_c + AROUND, begin + of_d - of_b + AROUND
    senders = SpikeSource(np.concatenate(([begin], c, b)), np.arange(1 + 2 * size))
    row, column = (x.ravel() for x in np.meshgrid(np.arange(size), np.arange(size), indexing="ij"))
    source = np.concatenate((0 * row, 1 + row, 1 + size + column))
    target = np.tile(np.arange(size * size), 3)
    network = Network(
        (
            Population("senders", senders, 1 + 2 * size),
            Population("copies", NEURON, size * size, receptors=_receptors()),
        ),
        (
            Projection(
                "senders", "copies", connect.from_arrays(source, target), WEIGHT, np.repeat(DELAYS[name], size * size)
            ),
        ),
    )
    result = simulate(network, duration=100.0, record=Record("copies", "spikes"), **options)
    return (result.counts("copies") > 0).reshape(size, size)


def draw_groups(rng: np.random.Generator, latency: float) -> Groups:
    """Random groups: what fires when, and the delays that make it so."""
    neurons = np.array([rng.choice(N, (LAYERS, WIDTH), replace=False) for _ in range(GROUPS)])
    times = np.empty(neurons.shape)
    # those that begin are 3 ms apart or more: fired at once, they do not arrive at once
    gaps = DT * rng.integers(round(3.0 / DT), round(6.0 / DT) + 1, (GROUPS, WIDTH))
    times[:, 0] = rng.permuted(np.cumsum(gaps, axis=1) - gaps[:, :1], axis=1)
    source, target, delay = [], [], []
    for layer in range(1, LAYERS):
        before = times[:, layer - 1]
        # arrivals: after the last spike of the layer before, within the longest delay of its first
        low, high = before.max(axis=1) + 1.0, before.min(axis=1) + LONGEST
        span = np.rint((high - low) / DT)[:, None]
        arrive = low[:, None] + DT * np.floor(rng.random((GROUPS, WIDTH)) * (span + 1.0))
        times[:, layer] = arrive + latency
        source.append(np.repeat(neurons[:, layer - 1], WIDTH, axis=1).ravel())
        target.append(np.tile(neurons[:, layer], (1, WIDTH)).ravel())
        delay.append((arrive[:, None, :] - before[:, :, None]).ravel())
    return Groups(neurons, times, *(np.concatenate(x) for x in (source, target, delay)))


def replay(
    groups: Groups, tried: np.ndarray, options: dict[str, Any], at_once: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Fire the first layer of one group after the other.

    Returns
    -------
    ndarray, shape (tried, layers, width)
        How much later than in the group each of its neurons fired, ms; NaN where it did not within 5 ms.
    ndarray
        Times of all spikes.
    """
    begin = TRIAL * np.arange(len(tried)) + 20.0
    first = groups.times[tried, 0] * (0.0 if at_once else 1.0)
    trigger = SpikeSource((begin[:, None] + first).ravel(), groups.neurons[tried, 0].ravel())
    listed = connect.from_arrays(groups.source, groups.target)
    network = Network(
        (Population("trigger", trigger, N), Population("neurons", NEURON, N, receptors=_receptors())),
        (
            Projection("trigger", "neurons", connect.one_to_one(), STRONG, DT),
            Projection("neurons", "neurons", listed, WEIGHT, groups.delay),
        ),
    )
    record = Record("neurons", "spikes")
    t, i = simulate(network, duration=TRIAL * len(tried), record=record, **options).spikes["neurons"]
    answer = t[0] - begin[0]  # time from the trigger to the spike that it makes, the same for all: all are at rest
    late = np.full((len(tried), LAYERS, WIDTH), np.nan)
    key = np.sort(i.astype(np.int64) * 2**32 + np.rint(t / DT).astype(np.int64))
    due = begin[:, None, None] + answer + groups.times[tried]
    wanted = groups.neurons[tried].astype(np.int64) * 2**32 + np.rint(due / DT).astype(np.int64)
    place = np.searchsorted(key, wanted)
    for near in (np.maximum(place - 1, 0), np.minimum(place, len(key) - 1)):
        error = DT * (key[near] - wanted)
        better = (np.abs(error) <= 5.0) & ~(np.abs(late) <= np.abs(error))
        late = np.where(better, error, late)
    return late, t


def draw_figure_1(result: Result, maps: dict[str, np.ndarray]) -> Any:
    """The paper's figure: spikes, arrivals and answers; and all other patterns."""
    title = "Time-locked, not synchronous: which spikes fire a neuron depends on its delays (Izhikevich 2006)"
    figure, axes = subplots(2, 3, size=(10.5, 6.0), height_ratios=(1.0, 1.25), title=title)
    rows = {"a": 4, "b": 3, "c": 2, "d": 1, "e": 0}
    colors = {"a": BLUE, "e": RED}
    letters = ("B", "C", "D")
    for k, ((label, offsets), ax) in enumerate(zip(PATTERNS.items(), axes[0], strict=True)):
        for name, delays in DELAYS.items():
            for sender, offset, delay in zip(SENDERS, offsets, delays, strict=True):
                ax.annotate(
                    "",
                    (offset + delay, rows[name]),
                    (offset, rows[sender]),
                    arrowprops={"arrowstyle": "->", "color": colors[name], "alpha": 0.7, "shrinkA": 0, "shrinkB": 0},
                )
            own = result.spikes[name].t - _begin(k)
            own = own[(own > 0.0) & (own < 100.0)]
            ax.vlines(own, rows[name] - 0.35, rows[name] + 0.35, color=colors[name], lw=3)
        for sender, offset in zip(SENDERS, offsets, strict=True):
            ax.vlines(offset, rows[sender] - 0.35, rows[sender] + 0.35, color=BLACK, lw=3)
        ax.set(xlim=(-1, 19), ylim=(-0.6, 4.6), xlabel="time (ms)")
        ax.set_yticks(list(rows.values()), list(rows))
        ax.grid(False, axis="y")
        ax.set_title(f"{letters[k]}  {label}", loc="left")
    best = {name: (delays[0] - delays[1], delays[0] - delays[2]) for name, delays in DELAYS.items()}
    for (name, answered), ax in zip(maps.items(), axes[1], strict=False):
        c, b = best[name]
        extent = (b + AROUND[0] - DT / 2, b + AROUND[-1] + DT / 2, c + AROUND[0] - DT / 2, c + AROUND[-1] + DT / 2)
        ax.imshow(
            np.where(answered[..., None], _rgb(colors[name]), (1.0, 1.0, 1.0)),
            extent=extent,
            origin="lower",
            aspect="equal",
        )
        ax.plot(b, c, "+", color=BLACK, ms=9)
        ax.plot([], [], "s", color=colors[name], label=f"{name} fires")
        ax.plot([], [], "+", color=BLACK, label="all arrive at once")
        ax.set(xlabel="b later than d by (ms)", ylabel="c later than d by (ms)", xlim=extent[:2], ylim=extent[2:])
        ax.legend(frameon=False, loc="upper left", fontsize=8.5)
        ax.set_title(f"patterns that fire {name}", loc="left")
    ax = axes[1, 2]
    t = result.times("a", "v")
    for k, color in enumerate((GREY, BLUE, RED)):
        shown = (t > _begin(k) - 2.0) & (t < _begin(k) + 25.0)
        label = ("B", "C", "D")[k]
        ax.plot(t[shown] - _begin(k), np.minimum(result.traces["a"]["v"][shown, 0], 30.0), color=color, label=label)
    ax.set(xlabel="time (ms)", ylabel="potential of a (mV)", xlim=(-1, 25))
    ax.set_title("a in the three patterns", loc="left")
    ax.legend(frameon=False, loc="upper right")
    return figure


def _rgb(color: str) -> tuple[float, float, float]:
    from matplotlib.colors import to_rgb

    return to_rgb(color)


def draw_replay(groups: Groups, tried: np.ndarray, played: np.ndarray, together: np.ndarray) -> Any:
    """One group replayed and fired at once; and how many neurons of each layer follow."""
    title = f"{GROUPS:,} groups in the delays of {N:,} neurons"
    figure, axes = subplots(1, 3, size=(10.5, 5.0), width_ratios=(1.3, 1.3, 1.0), title=title)
    shown = int(np.flatnonzero(np.all(np.abs(played) <= 1.0, axis=(1, 2)))[0])
    group = tried[shown]
    times = groups.times[group]
    row = np.arange(LAYERS * WIDTH).reshape(LAYERS, WIDTH)
    stories = (
        (played[shown], "in its pattern: it replays"),
        (together[shown], "the first three at once: nothing"),
    )
    for k, (ax, (late, label)) in enumerate(zip(axes, stories, strict=False)):
        fired = times + late
        if k == 1:
            fired[0] = 0.0
        for layer in range(LAYERS - 1):
            for i in range(WIDTH):
                for j in range(WIDTH):
                    if np.isfinite(fired[layer, i]):
                        delay = times[layer + 1, j] - times[layer, i]
                        ax.plot(
                            [fired[layer, i], fired[layer, i] + delay],
                            [row[layer, i], row[layer + 1, j]],
                            color=GREY,
                            lw=0.7,
                        )
        ax.plot(times.ravel(), row.ravel(), "o", ms=11, mfc="none", mec=ORANGE, mew=1.5, label="stored")
        ax.plot(fired.ravel(), row.ravel(), "|", color=BLACK, ms=14, mew=2.5, label="fired")
        ax.set(xlabel="time (ms)", ylim=(-0.7, row.max() + 0.7), xlim=(-3, times.max() + 4.0))
        ax.set_yticks(row.ravel(), [str(n) for n in groups.neurons[group].ravel()])
        ax.grid(False, axis="y")
        ax.set_title(label, loc="left")
        ax.legend(frameon=False, loc="lower right", labelspacing=1.2, markerscale=0.7)
    axes[0].set_ylabel("neuron")
    layers = np.arange(1, LAYERS + 1)
    for late, color, label, shift in ((played, BLUE, "in its pattern", -0.2), (together, RED, "at once", 0.2)):
        share = np.mean(np.abs(late) <= 1.0, axis=(0, 2))
        if late is together:
            share[0] = np.nan  # fired by the trigger, at other times
        axes[2].bar(layers + shift, 100.0 * share, 0.38, color=color, label=label)
    axes[2].set(xlabel="layer of the group", ylabel="neurons that fire in time (%)", xticks=layers, ylim=(0, 118))
    axes[2].set_title(f"{len(tried):,} groups", loc="left")
    axes[2].legend(frameon=False, loc="upper right", ncols=2)
    return figure


if __name__ == "__main__":
    from neurosim.scenario import main

    main(__file__)
