"""What the benchmarks ``coba``, ``cuba`` and ``cobahh`` of Brette et al. 2007 share: network, statistics, pictures.

All have 3 200 excitatory and 800 inhibitory neurons, every pair connected with a probability of 2 %, and no input
but their state at the beginning. A random network has its own rate, so what is compared is a mean over networks with
that of another simulator.

``REFERENCE`` of each scenario holds mean and standard deviation over twenty networks of brian2 2.9.0 (runtime,
Cython), of ``seed(1)`` to ``seed(20)``: Brian's programs of the benchmarks, with a delay of one step of 0.1 ms on all
synapses, for 2 s, evaluated by :func:`statistics`. A refractory period is written one step longer there, because
brian2 counts the step of the spike as part of it. The equations are those of tests/scenarios/test_brette_in_brian2.py,
which gives both simulators the same synapses: they then agree spike by spike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from neurosim import Network, NeuronModel, Population, Projection, Record, Result, Spikes, analysis, connect, simulate
from neurosim.plotting import BLACK, BLUE, GREY, RED, subplots
from neurosim.receptors import Receptor
from neurosim.scenario import Check, Outcome, scaled

N_EXC, N_INH, P_CONNECT = 3200, 800, 0.02
DT, DELAY, DURATION, SETTLED = 0.1, 0.1, 2000.0, 200.0  # ms
NETWORKS, REFERENCE_NETWORKS = 10, 20
LIMIT = 4.0  # standard errors: chance goes beyond it in one of 16 000 comparisons
SILENCE = "Brette et al. 2007, Appendix 2, after Vogels & Abbott 2005: activity goes on without input"
EXC, INH = "exc", "inh"
STATISTICS = {  # what :func:`statistics` gives, and its unit
    "excitatory rate": "Hz",
    "inhibitory rate": "Hz",
    "CV of intervals": "",
    "correlation of counts": "",
}

Reference = Mapping[str, tuple[float, float]]


class Benchmark(NamedTuple):
    """What makes the difference."""

    title: str
    model: NeuronModel
    receptors: dict[str, Receptor]
    weights: tuple[float, float]  # of excitatory and of inhibitory synapses
    t_ref: float  # ms
    method: str
    begin: Callable[[np.random.Generator, int], dict[str, np.ndarray]]  # state of all neurons at t = 0
    reference: Reference


def checks(reference: Reference, *more: Check) -> tuple[Check, ...]:
    """Statistics against those of brian2, in standard errors; and that activity goes on."""
    compared = (
        Check(
            f"{name}: from brian2",
            0.0,
            LIMIT,
            f"brian2 2.9.0, {REFERENCE_NETWORKS} networks of 2 s: {mean:g} ± {sd:g} {STATISTICS[name]}".rstrip(),
            unit="standard errors",
        )
        for name, (mean, sd) in reference.items()
    )
    return (*compared, Check("longest silence", 5.0, 0.0, SILENCE, "at most", "ms"), *more)


def network(benchmark: Benchmark, seed: int, n: int = N_EXC + N_INH) -> Network:
    """A network of the benchmark with the initial state of a seed; of any size each neuron has as many synapses."""
    n_exc = n * N_EXC // (N_EXC + N_INH)
    state = benchmark.begin(np.random.default_rng(seed), n)
    places = {EXC: slice(0, n_exc), INH: slice(n_exc, None)}
    connected = connect.fixed_probability(min(1.0, P_CONNECT * (N_EXC + N_INH) / n))
    populations = tuple(
        Population(
            name,
            benchmark.model,
            size,
            t_ref=benchmark.t_ref,
            init={variable: value[places[name]] for variable, value in state.items()},
            receptors=benchmark.receptors,
        )
        for name, size in ((EXC, n_exc), (INH, n - n_exc))
    )
    projections = tuple(
        Projection(source, target, connected, weight, DELAY, receptor)
        for source, weight, receptor in zip((EXC, INH), benchmark.weights, benchmark.receptors, strict=True)
        for target in (EXC, INH)
    )
    return Network(populations, projections)


def statistics(exc: Spikes, inh: Spikes) -> dict[str, float]:
    """Rates, irregularity and correlation after the first 200 ms.

    The CV is that of excitatory neurons with six spikes and more; the correlation coefficient that of counts in
    5 ms, the mean over the pairs of 200 excitatory neurons.
    """
    late = exc.t > SETTLED
    t, i = exc.t[late], exc.i[late]
    seconds = (DURATION - SETTLED) * 1e-3
    some = np.arange(0, N_EXC, N_EXC // 200)
    correlations = analysis.correlations(t, i, some, bin=5.0, start=SETTLED, stop=DURATION)
    values = (
        len(t) / (N_EXC * seconds),
        float(np.count_nonzero(inh.t > SETTLED)) / (N_INH * seconds),
        _mean(analysis.cv(t, i, N_EXC, min_spikes=6)),
        _mean(analysis.pairs(correlations)),
    )
    return dict(zip(STATISTICS, values, strict=True))


def _mean(values: np.ndarray) -> float:
    """Mean of what is known; NaN where nothing is, as of a network that fell silent."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")


def run_benchmark(benchmark: Benchmark, *, scale: float, seed: int, **options: Any) -> Outcome:
    """Simulate as many networks as the scale says, 10 at 1; compare, draw the first."""
    record = [Record(EXC, "spikes"), Record(INH, "spikes"), Record(EXC, "v", neurons=range(0, N_EXC, N_EXC // 40))]
    found: list[dict[str, float]] = []
    silences: list[float] = []
    results: list[Result] = []
    for k in range(scaled(NETWORKS, scale, at_least=2)):
        of_network = (seed + k) % 2**64
        result = simulate(
            network(benchmark, of_network),
            duration=DURATION,
            dt=DT,
            method=benchmark.method,
            record=record if k == 0 else record[:2],
            seed=of_network,
            **options,
        )
        found.append(statistics(result.spikes[EXC], result.spikes[INH]))
        silences.append(longest_silence(result))
        results = results or [result]
    raw = {name: np.array([one[name] for one in found]) for name in STATISTICS}
    metrics = {name: float(values.mean()) for name, values in raw.items()}
    for name, (mean, sd) in benchmark.reference.items():
        error = sd * np.sqrt(1.0 / REFERENCE_NETWORKS + 1.0 / len(found))
        metrics[f"{name}: from brian2"] = float((metrics[name] - mean) / error)
    metrics["longest silence"] = max(silences)
    metrics["networks"] = float(len(found))
    figures = {
        "activity": draw_activity(results[0], benchmark),
        "statistics": draw_statistics(results[0], raw, benchmark),
    }
    return Outcome(figures, metrics, results[0].provenance)


def longest_silence(result: Result) -> float:
    """Longest time in ms without a spike of any neuron, up to the end of the run."""
    t = np.concatenate((result.spikes[EXC].t, result.spikes[INH].t))
    return float(np.diff(np.sort(np.concatenate((t, result.span)))).max())


def draw_activity(result: Result, benchmark: Benchmark) -> Any:
    """Raster, rate and potentials of the first half second."""
    stop = 500.0
    figure, (top, middle, bottom) = subplots(
        3, 1, size=(10, 6.6), sharex=True, height_ratios=(3.0, 1.0, 1.6), title=benchmark.title
    )
    result.plot.raster([EXC, INH], top, colours=[BLUE, RED], stop=stop, size=1.3)
    top.set_yticks(top.get_yticks(), [f"{N_EXC:,}\nexcitatory", f"{N_INH:,}\ninhibitory"])
    result.plot.rate([EXC, INH], middle, bin=2.0, colours=[BLUE, RED], stop=stop)
    middle.get_legend().remove()
    middle.set_ylabel("spikes/s\nand neuron")
    busiest = result.neurons(EXC, "v")[np.argsort(result.counts(EXC)[result.neurons(EXC, "v")])[[-8, -14]]]
    t, v = result.times(EXC, "v"), result.traces[EXC]["v"]
    spike_t, spike_i = result.spikes[EXC]
    resets = "v_reset" in benchmark.model.values()
    shown = t <= stop
    for neuron, color, width in zip(busiest, (GREY, BLACK), (1.0, 1.2), strict=True):
        bottom.plot(t[shown], v[shown, np.searchsorted(result.neurons(EXC, "v"), neuron)], color=color, lw=width)
        if resets:
            own = spike_t[(spike_i == neuron) & (spike_t <= stop)]
            bottom.vlines(own, -50.0, -20.0, color=color, lw=width)
    bottom.set(ylabel="potential (mV)", xlabel="time (ms), from the random state at the beginning", xlim=(0.0, stop))
    bottom.set_title("two excitatory neurons", loc="left", fontsize=10)
    for ax in (top, middle):
        ax.set_xlabel("")
    figure.align_ylabels((middle, bottom))
    return figure


def draw_statistics(result: Result, raw: Mapping[str, np.ndarray], benchmark: Benchmark) -> Any:
    """Distributions over neurons, and each network beside those of brian2."""
    figure, axes = subplots(2, 2, size=(10, 6.0), title=f"{benchmark.title.partition(':')[0]}: rates and irregularity")
    (rates, intervals), (irregular, compared) = axes
    late = {name: _late(result.spikes[name]) for name in (EXC, INH)}
    labels = {EXC: ("excitatory", BLUE, N_EXC), INH: ("inhibitory", RED, N_INH)}
    span = (DURATION - SETTLED) * 1e-3
    highest = max(np.bincount(s.i, minlength=1).max() for s in late.values()) / span
    for name, (label, color, n) in labels.items():
        t, i = late[name]
        # counts are whole numbers: bins of so many counts each, or some would have one count more than others
        width = max(1, round(highest * span / 40)) / span
        rate = analysis.rates(t, i, n, start=SETTLED, stop=DURATION)
        edges = np.arange(-0.5 / span, highest + width, width)
        rates.stairs(np.histogram(rate, edges)[0] / n, edges, color=color, label=f"{label}, mean {rate.mean():.1f} Hz")
        edges = np.geomspace(1.0, 2000.0, 70)
        isi = analysis.isi(t, i).isi
        intervals.stairs(np.histogram(isi, edges)[0] / max(len(isi), 1), edges, color=color, label=label)
        cv = analysis.cv(t, i, n, min_spikes=6)
        edges = np.linspace(0.0, 4.0, 41)
        kept = cv[~np.isnan(cv)]
        label = f"{label}, mean {_mean(cv):.2f}"
        irregular.stairs(np.histogram(kept, edges)[0] / max(len(kept), 1), edges, color=color, label=label)
        irregular.set_xlim(0.0, 2.0 if np.count_nonzero(kept > 2.0) <= 0.01 * len(kept) else 4.0)
    rates.set(xlabel="rate of a neuron (Hz)", ylabel="share of neurons", xlim=(0, None))
    intervals.set(xlabel="interval between spikes (ms)", ylabel="share of intervals", xscale="log")
    intervals.set_xticks([1, 10, 100, 1000], ["1", "10", "100", "1000"])
    irregular.axvline(1.0, color=GREY, ls="--", lw=1)
    irregular.set(xlabel="CV of a neuron's intervals (dashed: Poisson process)", ylabel="share of neurons")
    for ax in (rates, intervals, irregular):
        ax.set_ylim(bottom=0.0)
        ax.legend(frameon=True, framealpha=1.0, edgecolor="none")
    for row, (name, (mean, sd)) in enumerate(benchmark.reference.items()):
        values = (raw[name] - mean) / sd
        compared.plot(values, np.full(len(values), float(row)), "o", color=BLUE, ms=4, alpha=0.5)
        compared.plot(values.mean(), row, "|", color=BLACK, ms=18, mew=2)
    labels_of = [f"{name}\n{mean:.3g} ± {sd:.2g}" for name, (mean, sd) in benchmark.reference.items()]
    compared.set_yticks(range(len(labels_of)), labels_of)
    compared.axvspan(-1.0, 1.0, color=GREY, alpha=0.2, lw=0)
    compared.set(xlabel="from brian2's mean, standard deviations of networks", xlim=(-4.5, 4.5))
    compared.set_ylim(len(labels_of) - 0.4, -0.6)
    compared.grid(False, axis="y")
    compared.set_title("each network (dots), mean (bar), brian2 (grey)", loc="left", fontsize=10)
    return figure


def _late(spikes: Spikes) -> Spikes:
    late = spikes.t > SETTLED
    return Spikes(spikes.t[late], spikes.i[late])
