"""Poisson input and Poisson sources against their distributions."""

import numpy as np
import pytest
from scipy import stats

from neurosim import (
    Constant,
    Network,
    PoissonInput,
    Population,
    Projection,
    Record,
    Simulation,
    Sine,
    SpikeSource,
    connect,
    simulate,
)
from neurosim.models import LIF, PoissonSource
from neurosim.receptors import Delta, ExponentialCurrent
from neurosim.stimuli import all_spike_inputs

DT = 0.1


def counts(*, rate, n=2000, steps=50, precision="float64", seed=0, weight=1.0, receptor="excitatory", **options):
    """Spikes in each step and neuron: jumps of a potential that neither leaks nor fires."""
    model = LIF(tau_m=1e12, v_rest=0.0, v_thresh=1e9, v_reset=0.0)
    cells = Population(
        "cells", model, n, stimuli=(PoissonInput(rate, weight, receptor),), receptors={receptor: Delta()}
    )
    record = Record("cells", "v")
    options = {"fuse": "require", "backend": "numpy"} | options
    net = Network((cells,))
    simulation = Simulation(net, dt=DT, precision=precision, seed=seed, **options)
    result = simulation.run((steps + 1) * DT, record=record)
    return np.diff(result.traces["cells"]["v"], axis=0)


def test_every_spike_input_is_tested_here():
    assert set(all_spike_inputs()) == {PoissonInput}


@pytest.mark.parametrize("mean", [0.02, 0.7, 2.3, 11.0, 60.0])
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_the_distribution(mean, precision):
    found = np.rint(counts(rate=mean / DT * 1e3, precision=precision)).astype(int).ravel()
    law = stats.poisson(mean)
    low, high = int(law.ppf(1e-3)), int(law.ppf(1 - 1e-3))
    cells = np.arange(low, high + 1)
    expected = law.pmf(cells)
    expected[0], expected[-1] = law.cdf(low), law.sf(high - 1)
    observed = np.bincount(np.clip(found, low, high) - low, minlength=len(cells))
    assert stats.chisquare(observed, expected * len(found)).pvalue > 1e-3
    assert found.min() >= 0


def test_neurons_steps_and_inputs_are_independent():
    found = counts(rate=20e3, n=400, steps=400)
    flat = found - found.mean()
    assert abs((flat[1:] * flat[:-1]).mean() / flat.var()) < 4 / np.sqrt(flat.size)
    assert abs((flat[:, 1:] * flat[:, :-1]).mean() / flat.var()) < 4 / np.sqrt(flat.size)
    assert not np.array_equal(found, counts(rate=20e3, n=400, steps=400, seed=1))


def test_a_rate_per_neuron():
    rates = np.repeat([0.0, 5e3, 40e3], 500)
    means = counts(rate=rates, n=1500, steps=200).mean(axis=0).reshape(3, 500).mean(axis=1)
    np.testing.assert_allclose(means, [0.0, 0.5, 4.0], atol=4 * np.sqrt(4.0 / (500 * 200)))


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_the_same_bits_op_by_op_and_fused(precision):
    a, b = (counts(rate=23e3, n=300, steps=100, precision=precision, fuse=f) for f in ("off", "require"))
    np.testing.assert_array_equal(a, b)


def test_input_and_projections_add_up_on_one_receptor():
    source = Population("source", SpikeSource([1.0, 2.0]), 1)
    model = LIF(tau_m=1e12, v_rest=0.0, v_thresh=1e9, v_reset=0.0)

    def potential(stimuli, weight):
        cell = Population("cell", model, 1, stimuli=stimuli, receptors={"excitatory": Delta()})
        joined = Projection("source", "cell", connect.all_to_all(), weight, DT)
        result = simulate(Network((source, cell), (joined,)), duration=5.0, dt=DT, record=Record("cell", "v"))
        return result.traces["cell"]["v"]

    noise = (PoissonInput(5e3, 1.0),)
    both, apart = potential(noise, 100.0), potential(noise, 0.0) + potential((), 100.0)
    assert both[-1, 0] > 200.0
    np.testing.assert_allclose(both, apart, rtol=1e-14)


def test_near_rates_share_a_kernel():
    def source(rate):
        cells = Population("cells", LIF(), 3, stimuli=(PoissonInput(rate, 0.1),), receptors={"excitatory": Delta()})
        return Simulation(Network((cells,)), dt=DT, fuse="require", backend="numpy").kernels["cells"]

    assert source(16e3) == source(17e3)


def test_refusals(refuses):
    receptors = {"excitatory": ExponentialCurrent()}
    with refuses("PoissonInput.rate = 2e+06 Hz is 200 spikes in a step of 0.1 ms: take a smaller dt"):
        counts(rate=2e6)
    with refuses("PoissonInput.rate = -1 Hz: must be finite and at least 0"):
        PoissonInput(-1.0, 1.0)
    with refuses("has no receptor 'excitory' to act on: did you mean 'excitatory'"):
        Population("p", LIF(), 1, stimuli=(PoissonInput(1.0, 1.0, "excitory"),), receptors=receptors)
    with refuses("has no receptor 'excitatory' to act on: write receptors={'excitatory': ExponentialCurrent()}"):
        Population("p", LIF(), 1, stimuli=(PoissonInput(1.0, 1.0),))


def test_an_inhomogeneous_process_follows_its_rate():
    """A stimulus of a Poisson source is a rate."""
    n, duration, period = 4000, 200.0, 50.0
    cells = Population("cells", PoissonSource(20.0), n, stimuli=(Sine(30.0, 1e3 / period), Constant(10.0)))
    t = simulate(Network((cells,)), duration=duration, dt=DT, record=Record("cells", "spikes")).spikes["cells"].t
    bins = np.arange(0.0, duration + 1.0, 5.0)
    middle = bins[:-1] + 2.5
    expected = n * 5e-3 * np.maximum(30.0 + 30.0 * np.sin(2 * np.pi * middle / period), 0.0)
    found = np.histogram(t - DT / 2, bins)[0]
    assert np.all(np.abs(found - expected) < 5 * np.sqrt(expected + 1) + 0.03 * expected.max())
    assert found.sum() == pytest.approx(expected.sum(), rel=4 / np.sqrt(expected.sum()))


def test_a_rate_below_zero_is_none():
    cells = Population("cells", PoissonSource(20.0), 1000, stimuli=(Constant(-30.0),))
    result = simulate(Network((cells,)), duration=50.0, dt=DT, record=Record("cells", "spikes"))
    assert len(result.spikes["cells"].t) == 0
