"""What the scenario stdp_song takes from STDP and from theory."""

import numpy as np
import pytest

from neurosim import Network, Population, Projection, Record, Simulation, SpikeSource, connect
from neurosim.models import LIF
from neurosim.receptors import Delta
from neurosim.scenarios.stdp_song import DT, LIMIT, RATIO, TAU, rule, theory

AMPLITUDE = 0.005


@pytest.fixture(scope="module")
def changes():
    """Change of a weight, in parts of the limit, by the steps from the arrival to the neuron's spike: −800 … 800."""
    lags = np.arange(-800, 801)
    spike = 1000.0 * DT  # of the teacher
    receptors = {"teacher": Delta(), "plastic": Delta()}
    cell = LIF(tau_m=1e13, v_rest=-70.0, v_thresh=-50.0, v_reset=-70.0)
    # the neuron crosses its threshold a step after the teacher's spike has arrived
    sent = spike + 2 * DT - DT - lags * DT
    network = Network(
        (
            Population("inputs", SpikeSource(sent, np.arange(len(lags))), len(lags)),
            Population("teacher", SpikeSource([spike]), 1),
            Population("neuron", cell, 1, receptors=receptors),
        ),
        (
            Projection("teacher", "neuron", connect.one_to_one(), 100.0, DT, "teacher"),
            Projection("inputs", "neuron", connect.all_to_all(), LIMIT / 2, DT, "plastic", rule(AMPLITUDE), name="w"),
        ),
    )
    simulation = Simulation(network, dt=DT, backend="numpy")
    result = simulation.run(2000 * DT, record=Record("neuron", "spikes"), progress=False)
    assert result.spikes["neuron"].t.tolist() == [spike + 2 * DT]
    return lags, simulation.weights("w").weight / LIMIT - 0.5


def test_depression_outweighs_potentiation_by_the_papers_ratio(changes):
    lags, change = changes
    assert np.sum(change[lags < 0]) / np.sum(change[lags >= 0]) == pytest.approx(-RATIO, rel=1e-7)


def test_windows_are_exponential(changes):
    lags, change = changes
    near = (lags >= 0) & (lags < 100)
    np.testing.assert_allclose(change[near], AMPLITUDE * np.exp(-lags[near] * DT / TAU), rtol=1e-9)
    near = (lags < 0) & (lags > -100)
    expected = -AMPLITUDE * RATIO * np.exp((lags[near] + 1) * DT / TAU)
    np.testing.assert_allclose(change[near], expected, rtol=1e-9)


@pytest.mark.parametrize("mean", [0.1, 0.3, 0.5, 0.8])
def test_theory_has_the_mean_and_turns_at_its_unstable_weight(mean):
    x = (np.arange(2000) + 0.5) / 2000
    share, grows = theory(mean, AMPLITUDE, x)
    assert share.sum() == pytest.approx(1.0)
    assert share @ x == pytest.approx(mean, abs=1e-6)
    assert x[share.argmin()] == pytest.approx(grows, abs=1e-3)


def test_theory_is_where_drift_and_spread_balance():
    """No probability flows anywhere: drift·p = half the spread's slope of p, with drift and spread of the docstring."""
    x = (np.arange(2000) + 0.5) / 2000
    share, grows = theory(0.3, AMPLITUDE, x)
    drift = AMPLITUDE * (1.0 - RATIO) * (1.0 - x / grows)
    spread = AMPLITUDE**2 * (1.0 + RATIO**2) / 2.0
    np.testing.assert_allclose(0.5 * spread * np.gradient(np.log(share), x, edge_order=2), drift, atol=1e-9)


def test_smaller_steps_part_the_weights_further():
    """The exponents of the distribution are as 1/amplitude."""
    x = (np.arange(1000) + 0.5) / 1000
    depth = [np.ptp(np.log(theory(0.5, amplitude, x)[0])) for amplitude in (0.02, 0.01, 0.005)]
    np.testing.assert_allclose(depth, depth[0] * np.array([1.0, 2.0, 4.0]), rtol=1e-6)
