"""The small and the random networks: their closed forms against brute force, and checks that see a wrong network."""

import math

import numpy as np
import pytest

from neurosim.running import run_scenario
from neurosim.scenario import get_scenario
from neurosim.scenarios import _brette, coba, coincidence_detector, izhikevich_network, polychronization, pulsed_neuron

NAMES = (
    "coba",
    "cobahh",
    "coincidence_detector",
    "cuba",
    "izhikevich_network",
    "polychronization",
    "pulsed_neuron",
)


def failed(name, folder, **options):
    """Names of the checks that do not hold."""
    options = {"backend": "numpy", "scale": 0.02} | options
    report = run_scenario(get_scenario(name), options, folder)
    return {check["name"] for check in report["checks"] if not check["ok"]}


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_in_single_precision_and_with_another_seed(name, tmp_path):
    assert not failed(name, tmp_path, precision="float32", seed=3)


def charged(weight, t, arrival=0.0):
    """Potential above rest in mV by an exponential current from ``arrival`` on, integrated by brute force."""
    dt = t[1] - t[0]
    current = np.where(t >= arrival - dt / 2, weight * np.exp(-(t - arrival) / 5.0), 0.0)
    v = np.zeros(len(t))
    for k in range(len(t) - 1):
        half = v[k] + dt / 2 * (10.0 * current[k] - v[k]) / 10.0
        v[k + 1] = v[k] + dt * (5.0 * (current[k] + current[k + 1]) - half) / 10.0
    return v


def test_latency_of_a_pulse():
    t = np.arange(0.0, 20.0, 1e-3)
    for weight in (6.2, 9.0, 20.0):
        crossed = t[np.argmax(charged(weight, t) > pulsed_neuron.THETA)]
        assert crossed == pytest.approx(float(pulsed_neuron.latency(weight)), abs=2e-3)
    assert charged(5.99, t).max() < pulsed_neuron.THETA < charged(6.01, t).max()
    assert math.isnan(pulsed_neuron.latency(5.99))


def test_longest_interval_of_two_pulses():
    t = np.arange(0.0, 60.0, 2e-3)
    for share in (0.55, 0.8):
        weight, interval = share * pulsed_neuron.THRESHOLD, pulsed_neuron.longest_interval(share)
        first = charged(weight, t)
        nearer, farther = (first + charged(weight, t, interval + x) for x in (-0.05, 0.05))
        assert farther.max() < pulsed_neuron.THETA < nearer.max()


def test_pulses_that_fire_by_their_sum():
    weight, tau, dt = 0.55 * coincidence_detector.THETA, 0.3, 0.005
    apart = np.array([0.0, 0.04, 0.045, 0.055, 0.2])
    arrivals = np.stack((np.zeros(len(apart)), apart), axis=-1)
    assert coincidence_detector.fires(arrivals, weight, tau, dt).tolist() == [True, True, True, False, False]
    assert coincidence_detector.fires(arrivals[:, ::-1], weight, tau, dt).tolist() == [True, True, True, False, False]
    assert not coincidence_detector.fires(np.zeros((1, 1)), weight, tau, dt).any()


def test_groups_are_what_they_say():
    groups = polychronization.draw_groups(np.random.default_rng(0), latency=2.5)
    assert groups.neurons.shape == (2000, 4, 3)
    assert all(len(set(row)) == 12 for row in groups.neurons.reshape(-1, 12).tolist())
    assert groups.delay.min() >= 1.0
    assert groups.delay.max() <= polychronization.LONGEST
    assert len(groups.source) == 2000 * 3 * 9
    # all that a neuron of the second layer of the first group receives from the first layer comes at once
    to = groups.neurons[0, 1, 0]
    of = {int(n): t for n, t in zip(groups.neurons[0, 0], groups.times[0, 0], strict=True)}
    rows = np.flatnonzero((groups.target[:9] == to) & np.isin(groups.source[:9], list(of)))
    arrive = {of[int(groups.source[row])] + groups.delay[row] for row in rows}
    assert len(rows) == 3
    assert arrive == {groups.times[0, 1, 0] - 2.5}


def test_peaks_of_known_rhythms():
    rng, duration = np.random.default_rng(0), 10_000.0
    t = np.arange(0.5, duration, 1.0)
    rate = 8.0 * (1.0 + 0.5 * np.cos(2e-3 * np.pi * 12.0 * t) + 0.5 * np.cos(2e-3 * np.pi * 44.0 * t))
    found = izhikevich_network.Rhythms(np.repeat(t, rng.poisson(np.maximum(rate, 0.0))), duration)
    assert (found.alpha, found.gamma) == (12.0, 44.0)
    poisson = izhikevich_network.Rhythms(np.repeat(t, rng.poisson(8.0, len(t))), duration)
    assert poisson.rate == pytest.approx(8.0, rel=0.02)
    band = (poisson.f > 5.0) & (poisson.f < 100.0)
    assert poisson.smooth[band].mean() == pytest.approx(poisson.independent, rel=0.1)


@pytest.mark.slow
def test_a_fifth_more_synapses_are_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(_brette, "P_CONNECT", 0.024)
    assert "inhibitory rate: from brian2" in failed("cuba", tmp_path)


@pytest.mark.slow
def test_activity_that_dies_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(coba, "BENCHMARK", coba.BENCHMARK._replace(weights=(0.003, 0.067)))
    assert "longest silence" in failed("coba", tmp_path)


@pytest.mark.slow
def test_a_delay_that_is_off_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(polychronization, "DELAYS", {"a": (9.0, 5.0, 1.0), "e": (1.0, 5.0, 4.0)})
    assert "spikes of e, pattern b, c, d" in failed("polychronization", tmp_path)
