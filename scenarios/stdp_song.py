"""STDP makes synapses compete: Song, Miller and Abbott's neuron with a thousand inputs.

One integrate-and-fire neuron hears 1000 excitatory Poisson inputs, whose synapses learn by additive STDP (A₊ = 0.005,
A₋/A₊ = 1.05, τ = 20 ms, limits 0 and 0.015 leak conductances), and 200 inhibitory ones of 10 Hz, which do not learn.

- Competition: the stronger a synapse, the more of its spikes cause one of the neuron and are followed by potentiation.
  So weights are driven away from a point between the limits, and gather at both.
- Balance: the fewer spikes are caused by a single input, the more depression prevails. So the sum of all weights comes
  to rest where the mean input alone does not reach the threshold and chance fires the neuron, irregularly, at a rate
  that hardly depends on that of the inputs. With weights that are held it does.
- What predicts the neuron's spikes wins: inputs that answer a stimulus first, so that the neuron answers earlier than
  with weights of the same sum that are all alike, and inputs whose rates vary together (by 30 %, for 20 ms).

Lines in the histograms are theory. A pair of independent Poisson trains drives a weight (in parts of its limit) by
(A₊ − A₋)·τ·r_in·r_out per second, and spreads it by D = (A₊² + A₋²)/2·τ·r_in·r_out; the part of spikes that are caused
adds a drift in proportion to the weight. With the mean weight given, that leaves one distribution, of exponents ∝ 1/A₊.
It also says why this takes long: D is 6·10⁻⁵ per second at 10 Hz and 3·10⁻⁴ at 40 Hz, and falls with A₊².

Steps: spikes of an input and of the neuron in the same step count as cause and effect, so that steps k ≥ 0 potentiate
and k ≥ 1 depress. A₋ is 1.05·exp(dt/τ)·A₊, which makes the ratio of both sums 1.05 at any dt; otherwise it were 1.024
at the 0.5 ms taken here, and the neurons fired at 32 to 46 Hz with a CV of 0.6. With it, mean weights are within 3 %
of those at 0.1 ms, and output rates within 7 %. Weights begin anywhere between the limits.

Below scale 0.5, A₊ is 0.01, as in brian2's example of the same model: that is four times as fast, with less distinct
peaks and more of the input's rate left in the output, and the neuron at 30 Hz is left out. ``scale`` is of the time.

References: Song, Miller & Abbott, Nat. Neurosci. 3:919 (2000), https://doi.org/10.1038/78829; drift and spread:
Kempter, Gerstner & van Hemmen, Phys. Rev. E 59:4498 (1999), https://doi.org/10.1103/PhysRevE.59.4498; distribution:
Rubin, Lee & Sompolinsky, Phys. Rev. Lett. 86:364 (2001), https://doi.org/10.1103/PhysRevLett.86.364.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from neurosim import Network, PoissonInput, Population, Projection, PulseTrain, Record, Result, SpikeSource, simulate
from neurosim.analysis import cv, rates
from neurosim.connect import from_arrays
from neurosim.models import LIF, PoissonSource
from neurosim.plasticity import STDP
from neurosim.receptors import ExponentialConductance, Receptor
from neurosim.scenario import Check, Outcome
from neurosim.scenarios._song_figures import draw_competition, draw_rates, draw_weights

SOURCE = "Song, Miller & Abbott 2000"
SECONDS = 60.0
DT, N, LIMIT = 0.5, 1000, 0.015  # ms, inputs, in units of the leak
RATES = (10.0, 20.0, 30.0, 40.0)  # Hz, of the inputs of one neuron each
RATIO, TAU = 1.05, 20.0  # A₋/A₊, ms
CELL = LIF(tau_m=20.0, r_m=1.0, v_rest=-70.0, v_thresh=-54.0, v_reset=-60.0)  # so conductances are in parts of the leak
RECEPTORS: dict[str, Receptor] = {
    "excitatory": ExponentialConductance(5.0, 0.0),
    "inhibitory": ExponentialConductance(5.0, -70.0),
}
INHIBITION = PoissonInput(200 * 10.0, 0.05, "inhibitory")
SAMPLE = 1000.0  # ms from weights to weights
# A stimulus each PERIOD; after its latency an input fires a burst.
PERIOD, LATENCY, SPREAD, BURST, LENGTH, SPONTANEOUS = 200.0, 75.0, 15.0, 100.0, 20.0, 10.0  # ms, ms, ms, Hz, ms, Hz
STIMULI = 100  # whose answers are looked at
TOGETHER, VARIATION, MEMORY = 20.0, 0.3, 20.0  # Hz, part of it, ms: rates that vary together

# The paper's findings are quoted without its text at hand; where they have no number, bounds are this scenario's.
_PAPER = "Song et al. 2000: "
_DRIFT = "Kempter et al. 1999; independent trains"
CHECKS = (
    Check("10 Hz: lesser peak / emptiest fifth between", 1.3, 0.0, _PAPER + "bimodal, fig. 2", "at least"),
    Check("20 Hz: lesser peak / emptiest fifth between", 1.3, 0.0, _PAPER + "bimodal, fig. 2", "at least"),
    Check("20 Hz: weights elsewhere than in theory", 0.0, 0.12, "Rubin et al. 2001", "at most", "share"),
    Check("20 Hz: drift of weak synapses / theory", 1.0, 0.2, _DRIFT),
    Check("20 Hz: spread of weights / theory", 1.0, 0.3, _DRIFT + "; less as the neuron is not quite Poisson"),
    Check("20 Hz: weight from which synapses grow / theory", 1.0, 0.2, "Rubin et al. 2001; from the mean weight"),
    Check("mean potential from threshold, largest", 0.0, 2.0, _PAPER + "balanced, abstract", "at most", "mV"),
    Check("mean excitation, 40 Hz / 10 Hz", 1.0, 0.2, _PAPER + "balanced; 4 with weights that are held"),
    Check("irregularity (CV), least", 0.65, 0.0, _PAPER + "irregular, abstract", "at least"),
    Check("irregularity (CV) at 40 Hz before", 0.2, 0.0, _PAPER + "regular without balance", "at most"),
    Check("gain from 10 to 40 Hz, STDP / weights held", 0.15, 0.0, _PAPER + "STDP regulates the rate", "at most"),
    Check("weight of the earliest tenth", 0.9, 0.0, _PAPER + "short latencies win", "at least", "of the limit"),
    Check("weight of the later half", 0.1, 0.0, _PAPER + "short latencies win", "at most", "of the limit"),
    Check("answer earlier than with equal weights by", 10.0, 0.0, _PAPER + "short latencies win", "at least", "ms"),
    Check("mean weight, correlated / independent", 1.5, 0.0, _PAPER + "correlated groups win", "at least"),
)


def rule(amplitude: float) -> STDP:
    """STDP whose depression is to its potentiation as 1.05 to 1, summed over all steps between two spikes."""
    return STDP(TAU, TAU, amplitude, RATIO * math.exp(DT / TAU) * amplitude, w_max=LIMIT)


def run(
    *, backend: str = "auto", scale: float = 1.0, seed: int = 0, precision: str = "float64", fuse: str = "auto"
) -> Outcome:
    """Learning at several rates, the same weights held, then inputs that are not alike."""
    options: dict[str, Any] = {"dt": DT, "backend": backend, "seed": seed, "precision": precision, "fuse": fuse}
    full = scale >= 0.5
    amplitude, at = (0.005, np.array(RATES)) if full else (0.01, np.array(RATES)[[0, 1, 3]])
    rng = np.random.default_rng(seed)
    begin = rng.uniform(0.0, LIMIT, (len(at), N))
    learnt = learn(at, begin, amplitude, max(round(1000 * scale), 150), options)
    weights = learnt.traces["inputs to neurons"]["weight"].reshape(-1, len(at), N) / LIMIT
    held = hold(at, begin, LIMIT * weights[-1, at == 20.0], options)
    latency = np.sort(LATENCY + SPREAD * rng.standard_normal(N))
    unlike = learn_unlike(latency, rng, amplitude, min(max(round(200 * scale), 60), 200), options)
    alike = answer(latency, unlike.traces["timed to neurons"]["weight"][-1].mean(), options)

    found = measure(at, learnt, weights, held, amplitude) | measure_unlike(unlike, alike)
    names = {"rate": "rate", "cv": "irregularity (CV)", "mean": "mean weight"}
    metrics = {f"{name} at {r:g} Hz": found[key][k] for key, name in names.items() for k, r in enumerate(at)}
    metrics |= {key: value for key, value in found.items() if isinstance(value, float | np.floating)}
    figures = {
        "stdp_song_weights": draw_weights(at, weights, found),
        "stdp_song_rates": draw_rates(at, learnt, found),
        "stdp_song_competition": draw_competition(unlike, latency, STIMULI, found),
    }
    return Outcome(figures, {name: float(value) for name, value in metrics.items()}, learnt.provenance)


def _join(source: str, target: str, neuron: Any, weight: np.ndarray, plasticity: STDP | None = None) -> Projection:
    """Each input of a population onto one neuron of another."""
    each = np.arange(weight.size)
    joined = from_arrays(each, np.broadcast_to(neuron, each.shape))
    return Projection(source, target, joined, weight.ravel(), DT, plasticity=plasticity, name=f"{source} to {target}")


def _neurons(n: int, name: str = "neurons") -> Population:
    return Population(name, CELL, n, stimuli=(INHIBITION,), receptors=RECEPTORS)


def learn(at: np.ndarray, begin: np.ndarray, amplitude: float, seconds: int, options: dict[str, Any]) -> Result:
    """Neurons whose inputs have different rates, one neuron each."""
    inputs = Population("inputs", PoissonSource(np.repeat(at, N)), N * len(at))
    synapses = _join("inputs", "neurons", np.repeat(np.arange(len(at)), N), begin, rule(amplitude))
    record = (Record("neurons", "spikes"), Record("inputs to neurons", "weight", every=round(SAMPLE / DT)))
    network = Network((inputs, _neurons(len(at))), (synapses,))
    # one sample more than there are seconds: the weights at the end
    return simulate(network, duration=1000.0 * seconds + DT, record=record, **options)


def hold(at: np.ndarray, begin: np.ndarray, learnt: np.ndarray, options: dict[str, Any]) -> Result:
    """The same inputs onto weights that do not change: those of the beginning, and those learnt at 20 Hz."""
    inputs = Population("inputs", PoissonSource(np.repeat(at, N)), N * len(at))
    each = np.repeat(np.arange(len(at)), N)
    both = {"before": begin, "after": np.broadcast_to(learnt, begin.shape)}
    network = Network(
        (inputs, *(_neurons(len(at), name) for name in both)),
        tuple(_join("inputs", name, each, weight) for name, weight in both.items()),
    )
    return simulate(network, duration=10_000.0, record=[Record(name, "spikes") for name in both], **options)


def learn_unlike(
    latency: np.ndarray, rng: np.random.Generator, amplitude: float, seconds: int, options: dict[str, Any]
) -> Result:
    """A neuron whose inputs answer a stimulus sooner or later, and one half of whose inputs vary together."""
    half = N // 2
    populations = (
        _timed(latency),
        Population("together", varying_together(half, 1000.0 * seconds, rng), half),
        Population("independent", PoissonSource(np.full(half, TOGETHER)), half),  # the kernel of all inputs
        _neurons(2),
    )
    learns = rule(amplitude)
    sizes = {"timed": (N, 0), "together": (half, 1), "independent": (half, 1)}
    projections = tuple(
        _join(name, "neurons", neuron, rng.uniform(0.0, LIMIT, n), learns) for name, (n, neuron) in sizes.items()
    )
    record = [Record(f"{name} to neurons", "weight", every=round(SAMPLE / DT)) for name in sizes]
    return simulate(
        Network(populations, projections),
        duration=1000.0 * seconds + DT,
        record=[Record("neurons", "spikes"), *record],
        **options,
    )


def _timed(latency: np.ndarray) -> Population:
    burst = PulseTrain(BURST, start=latency, width=LENGTH, period=PERIOD)
    return Population("timed", PoissonSource(SPONTANEOUS), N, stimuli=(burst,))


def answer(latency: np.ndarray, weight: float, options: dict[str, Any]) -> Result:
    """What a neuron answers to the stimuli whose inputs have all the same weight."""
    network = Network((_timed(latency), _neurons(1)), (_join("timed", "neurons", 0, np.full(N, weight)),))
    return simulate(network, duration=STIMULI * PERIOD, record=Record("neurons", "spikes"), **options)


def varying_together(n: int, duration: float, rng: np.random.Generator) -> SpikeSource:
    """Poisson spikes of a common rate, which is drawn anew after exponential times."""
    ends = np.cumsum(rng.exponential(MEMORY, round(2 * duration / MEMORY) + 100))
    drawn = TOGETHER * np.maximum(1.0 + VARIATION * rng.standard_normal(len(ends)), 0.0)  # Hz
    steps = np.arange(1, round(duration / DT) + 1)
    count = rng.poisson(n * DT * 1e-3 * drawn[np.searchsorted(ends, steps * DT)])
    return SpikeSource(np.repeat(steps * DT, count), rng.integers(0, n, count.sum()))


def theory(mean: float, amplitude: float, x: np.ndarray) -> tuple[np.ndarray, float]:
    """Distribution of weights that do not drift away from a mean, and the weight from which they grow.

    The drift is −a·(1 − w/w*) with a = (A₋ − A₊)·τ·r_in·r_out, so that p ∝ exp(−2a/D·(w − w²/2w*)) between limits
    that reflect; r_in, r_out and τ cancel in a/D. The mean decides w*.

    Parameters
    ----------
    x : ndarray
        Weights, evenly spaced centres of bins of the whole range, in parts of the limit.

    Returns
    -------
    ndarray
        Share of each bin.
    float
        w*, in parts of the limit.
    """
    steepness = 2.0 * (RATIO - 1.0) / (amplitude * (1.0 + RATIO**2) / 2.0)

    def shares(inverse: float) -> np.ndarray:
        exponent = -steepness * (x - 0.5 * inverse * x * x)
        p = np.exp(exponent - exponent.max())
        return p / p.sum()

    low, high = -10.0, 100.0  # of 1/w*, with which the mean rises
    while high - low > 1e-9:
        middle = 0.5 * (low + high)
        low, high = (middle, high) if shares(middle) @ x < mean else (low, middle)
    return shares(low), 1.0 / low


def measure(
    at: np.ndarray, learnt: Result, weights: np.ndarray, held: Result, amplitude: float
) -> dict[str, np.ndarray | float]:
    """Numbers of the neurons of different rates; rates and means are of the last third."""
    t, i = learnt.spikes["neurons"]
    settled = 2.0 / 3.0 * learnt.duration
    late = t > settled
    found: dict[str, Any] = {
        "rate": rates(t, i, len(at), start=settled, stop=learnt.duration),
        "cv": cv(t[late], i[late], len(at)),
        "mean": weights[2 * len(weights) // 3 :].mean(axis=(0, 2)),
    }
    for name in ("before", "after"):
        found[f"rate {name}"] = held.rates(name)
        found[f"cv {name}"] = cv(*held.spikes[name], len(at))
    # in parts of the leak; the mean potential of a neuron without a threshold
    excitation = N * at * 5e-3 * LIMIT * found["mean"]
    inhibition = INHIBITION.rate * 5e-3 * INHIBITION.weight
    potential = -70.0 * (1.0 + inhibition) / (1.0 + inhibition + excitation)
    found["mean potential from threshold, largest"] = np.abs(potential + 54.0).max()
    found["mean excitation, 40 Hz / 10 Hz"] = excitation[-1] / excitation[0]
    found["irregularity (CV), least"] = found["cv"].min()
    found["irregularity (CV) at 40 Hz before"] = found["cv before"][-1]
    gain = {name: found[name][-1] - found[name][0] for name in ("rate", "rate after")}
    found["gain from 10 to 40 Hz, STDP / weights held"] = gain["rate"] / gain["rate after"]

    x = (np.arange(1000) + 0.5) / 1000
    found["expected"] = expected = np.empty((len(at), 1000))
    for k, rate in enumerate(at):
        share = np.histogram(weights[-1, k], 10, (0.0, 1.0))[0] / N
        fifths = share.reshape(5, 2).sum(axis=1)
        expected[k], grows = theory(found["mean"][k], amplitude, x)
        label = f"{rate:g} Hz: "
        found[label + "lesser peak / emptiest fifth between"] = fifths[[0, 4]].min() / max(fifths[1:4].min(), 1 / N)
        found[label + "weights elsewhere than in theory"] = (
            0.5 * np.abs(share - expected[k].reshape(10, 100).sum(axis=1)).sum()
        )
        first = len(weights) // 3
        drift, slope, spread = walk(weights[first:, k])
        output = np.count_nonzero((i == k) & (t > first * SAMPLE)) / (len(weights) - 1 - first)  # Hz
        pairs = TAU * 1e-3 * rate * output
        found[label + "drift of weak synapses / theory"] = drift / (amplitude * (1.0 - RATIO) * pairs)
        found[label + "spread of weights / theory"] = spread / (amplitude**2 * (1.0 + RATIO**2) / 2.0 * pairs)
        found[label + "weight from which synapses grow / theory"] = -drift / slope / grows
    return found


def walk(weights: np.ndarray) -> tuple[float, float, float]:
    """Drift of a weight of zero and its slope, both per second, and spread (variance per second).

    From one sample to the next, of weights that have not met a limit.
    """
    begin, change = weights[:-1].astype(float), np.diff(weights, axis=0).astype(float)
    free = (begin > 0.1) & (begin < 0.9)
    x, y = begin[free], change[free] / (SAMPLE * 1e-3)
    slope, drift = np.polyfit(x, y, 1)
    return float(drift), float(slope), float(np.var(y - drift - slope * x)) * SAMPLE * 1e-3


def measure_unlike(unlike: Result, alike: Result) -> dict[str, Any]:
    """Numbers of inputs that are not alike."""
    kinds = ("timed", "together", "independent")
    last = {name: unlike.traces[f"{name} to neurons"]["weight"][-1] / LIMIT for name in kinds}
    t, i = unlike.spikes["neurons"]
    late = (i == 0) & (t > unlike.duration - STIMULI * PERIOD)
    answers = {"equal": alike.spikes["neurons"].t % PERIOD, "learnt": t[late] % PERIOD}
    centre = {name: when.mean() for name, when in answers.items()}
    together, independent = last["together"].mean(), last["independent"].mean()
    return {
        "answers": answers,
        "weight of the earliest tenth": last["timed"][: N // 10].mean(),
        "weight of the later half": last["timed"][N // 2 :].mean(),
        "answer earlier than with equal weights by": centre["equal"] - centre["learnt"],
        "mean time of the answer": centre["learnt"],
        "mean weight, correlated": together,
        "mean weight, independent": independent,
        "mean weight, correlated / independent": together / independent,
    }


if __name__ == "__main__":
    from neurosim.scenario import main

    main(__file__)
