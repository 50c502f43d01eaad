"""The physics and the published numbers of each model."""

import math

import numpy as np
import pytest
from model_runs import population, run, spike_times
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from neurosim import Network, PulseTrain, Ramp, Simulation, Step
from neurosim.models import (
    LIF,
    AdEx,
    FitzHughNagumo,
    HodgkinHuxley,
    Izhikevich,
    MorrisLecar,
    PoissonSource,
    TraubMiles,
)

# -- stability of the equilibrium under a constant current


def equilibrium_current(model, v, others):
    """The current at which ``v``, with the other variables settled to it, stands still."""
    s = model.State(np.float64(v), *others(v))
    slope = [float(model.derivatives(np, s, current).v) for current in (0.0, 1.0)]
    return s, -slope[0] / (slope[1] - slope[0])


def growth(model, s, current):
    """Largest real part of the eigenvalues of the equations, linearised at ``s``."""
    point = np.array(s, dtype=float)
    columns = []
    for j, x in enumerate(point):
        step = np.zeros_like(point)
        step[j] = 1e-6 * max(1.0, abs(x))
        slopes = [model.derivatives(np, model.State(*(point + d)), current) for d in (step, -step)]
        columns.append(np.subtract(*slopes) / (2.0 * step[j]))
    return np.linalg.eigvals(np.array(columns).T).real.max()


def hopf_currents(model, others, *brackets):
    """Currents at which the equilibrium changes its stability, one for each bracket of potentials."""

    def at(v):
        return growth(model, *equilibrium_current(model, v, others))

    return [equilibrium_current(model, brentq(at, *bracket), others)[1] for bracket in brackets]


def settled_gates(model):
    def others(v):
        alpha_m, beta_m, alpha_h, beta_h, alpha_n, beta_n = model.rates(np, np.float64(v))
        return alpha_m / (alpha_m + beta_m), alpha_h / (alpha_h + beta_h), alpha_n / (alpha_n + beta_n)

    return others


# -- Hodgkin and Huxley


def test_hodgkin_huxley_rest():
    rest = HodgkinHuxley().init(np)
    assert (round(rest.n, 4), round(rest.m, 4), round(rest.h, 4)) == (0.3177, 0.0529, 0.5961)
    end = Simulation(Network((population(HodgkinHuxley()),)), dt=0.05, fuse="off")
    end.run(50.0)
    assert abs(end.state("cells")["v"][0]) < 0.01


def test_hodgkin_huxley_loses_and_regains_its_rest():
    """At 9.78 and 154.5 µA/cm² (Rinzel and Miller 1980)."""
    model = HodgkinHuxley()
    found = hopf_currents(model, settled_gates(model), (3.0, 8.0), (15.0, 30.0))
    np.testing.assert_allclose(found, [9.78, 154.5], atol=0.03)


def test_hodgkin_huxley_fires_at_published_rates():
    current = np.array([5.0, 6.2, 6.3, 7.0, 10.0, 20.0, 165.0])
    result = run(population(HodgkinHuxley(), 7, current), 400.0, 0.05, method="rk4")
    counts = result.counts("cells")
    assert list(counts[[0, 1, 6]] < 5) == [True, True, True]
    intervals = [np.diff(spike_times(result, k))[-8:].mean() for k in range(2, 6)]
    np.testing.assert_allclose(1e3 / np.array(intervals), [51.5, 58.3, 68.3, 86.5], rtol=0.02)


def test_hodgkin_huxley_threshold_and_peak():
    cells = population(HodgkinHuxley(), 2, init={"v": [6.4, 6.7]})
    result = run(cells, 20.0, 0.02, ("spikes", "v"), method="rk4", fuse="off")
    assert list(result.counts("cells")) == [0, 1]
    v = result.traces["cells"]["v"][:, 1]
    assert 95.0 < v.max() < 106.0
    assert -12.0 < v.min() < -9.0


def test_a_spike_is_an_upward_crossing():
    """A neuron that begins above the threshold has not crossed it; one that stays above spikes once."""
    above = run(population(HodgkinHuxley(), 1, init={"v": 60.0}), 8.0, 0.05, fuse="off")
    assert len(above.spikes["cells"].t) == 0
    once = run(population(HodgkinHuxley(), 1, 15.0), 5.0, 0.05, ("spikes", "v"), fuse="off")
    assert len(once.spikes["cells"].t) == 1
    v = once.traces["cells"]["v"][:, 0]
    crossing = np.flatnonzero((v[1:] > 50.0) & (v[:-1] <= 50.0)) + 1
    assert spike_times(once)[0] == pytest.approx(crossing[0] * 0.05)


# -- Traub and Miles


def test_traub_miles_rest():
    model = TraubMiles()
    v = brentq(lambda v: equilibrium_current(model, v, settled_gates(model))[1], -66.0, -63.0)
    assert v == pytest.approx(-64.765, abs=1e-3)
    assert growth(model, equilibrium_current(model, v, settled_gates(model))[0], 0.0) < 0


def test_traub_miles_of_the_benchmark_has_no_rest():
    result = run(population(TraubMiles(e_l=[-65.0, -60.0]), 2), 400.0, 0.05, method="heun", fuse="off")
    assert list(result.counts("cells")) == [0, 6]
    assert 1e3 / np.diff(spike_times(result, 1))[-1] == pytest.approx(14.0, abs=0.5)


# -- leaky integrate-and-fire


@pytest.mark.parametrize("t_ref", [0.0, 2.0])
def test_lif_rate(t_ref):
    current = np.array([1.6, 2.0, 4.0])
    cells = population(LIF(), 3, current, t_ref=t_ref)
    result = run(cells, 200.0, 0.02, method="exact", fuse="off")
    drive = 10.0 * current
    period = t_ref + 10.0 * np.log(drive / (drive - 15.0))
    intervals = np.array([np.diff(spike_times(result, k)).mean() for k in range(3)])
    np.testing.assert_allclose(intervals, period, rtol=0.01)
    assert run(population(LIF(), 1, 1.499), 200.0, 0.1, fuse="off").counts("cells")[0] == 0


# -- Izhikevich


def event_driven(model, current, duration, v, u):
    """Spike times by an adaptive solver that stops at the peak."""
    t, times = 0.0, []

    def slope(_, y):
        return [
            0.04 * y[0] ** 2 + model.k1 * y[0] + model.k0 - y[1] + current,
            model.a * (model.b * y[0] - y[1]),
        ]

    def peak(_, y):
        return y[0] - 30.0

    peak.terminal, peak.direction = True, 1.0
    while t < duration:
        found = solve_ivp(slope, (t, duration), [v, u], events=peak, rtol=1e-9, atol=1e-9)
        t = float(found.t[-1])
        if found.status == 1:
            times.append(t)
            v, u = model.c, found.y[1, -1] + model.d
    return np.array(times)


@pytest.mark.parametrize(
    "kind",
    [
        {"a": 0.02, "b": 0.2, "c": -65.0, "d": 8.0},
        {"a": 0.02, "b": 0.2, "c": -50.0, "d": 2.0},
        {"a": 0.1, "b": 0.2, "c": -65.0, "d": 2.0},
    ],
    ids=["regular spiking", "chattering", "fast spiking"],
)
def test_izhikevich_spikes_where_an_adaptive_solver_does(kind):
    model = Izhikevich(**kind)
    result = run(population(model, 1, 10.0), 150.0, 0.01, method="rk4", fuse="off")
    expected = event_driven(model, 10.0, 150.0, -70.0, -14.0)
    assert len(expected) >= 4
    assert spike_times(result)[0] == pytest.approx(expected[0], abs=0.01)
    intervals = np.diff(expected)
    # A reset waits for the end of its step.
    np.testing.assert_allclose(np.diff(spike_times(result)), intervals, rtol=0.015, atol=0.02)
    bursts = kind["c"] == -50.0
    assert (intervals.max() > 5 * intervals.min()) == bursts
    if kind["d"] == 8.0:
        assert intervals[0] < 0.6 * intervals[-1]  # adapts


def test_izhikevich_rest():
    """The paper's programs begin at −70 mV, and at −60 mV with the coefficients of class 1."""
    assert Izhikevich().init(np) == pytest.approx((-70.0, -14.0))
    assert Izhikevich(k1=4.1, k0=108.0, b=-0.1).init(np) == pytest.approx((-60.0, 6.0))
    assert Izhikevich(b=1.0, v_u=-65.0).init(np) == pytest.approx((-75.0, -10.0))
    no_rest = Izhikevich(k0=150.0)
    assert no_rest.init(np).v == pytest.approx(-60.0)
    assert no_rest.derivatives(np, no_rest.init(np), 0.0).v > 0


def test_izhikevich_integrates_with_the_other_coefficients():
    """Panel L of Fig. 1 in Izhikevich 2004: two pulses fire it when they are close."""
    model = Izhikevich(a=0.02, b=-0.1, c=-55.0, d=6.0, k1=4.1, k0=108.0)
    pulses = (PulseTrain(9.0, [9.0, 70.0], 2.0, [5.0, 10.0], 2),)
    result = run(population(model, 2, stimuli=pulses), 100.0, 0.1, fuse="off")
    assert list(result.counts("cells") > 0) == [True, False]


def test_izhikevich_accommodates():
    """Panel R of Fig. 1 in Izhikevich 2004: a slow ramp to 8 fails, a fast one to 4 fires."""
    model = Izhikevich(a=2e-5, b=1000.0, c=-55.0, d=4.0, v_u=-65.0)
    ramps = (
        Ramp(0.0, [8.0, 4.0], 10.0, [210.0, 22.5]),
        Step([-8.0, -4.0], [210.0, 22.5]),
    )
    cells = population(model, 2, stimuli=ramps, init={"v": -65.0, "u": -16.0})
    assert list(run(cells, 230.0, 0.1, fuse="off").counts("cells") > 0) == [False, True]


# -- AdEx


def test_adex_loses_its_rest_where_theory_says():
    """By a Hopf bifurcation, as a/g_l > tau_m/tau_w.

    Touboul and Brette 2008, https://doi.org/10.1007/s00422-008-0267-4.
    """
    model = AdEx()
    (found,) = hopf_currents(model, lambda v: (model.a * (v - model.e_l),), (-53.0, -50.0))
    ratio = (model.c_m / model.g_l) / model.tau_w
    theory = (model.g_l + model.a) * (
        model.v_thresh - model.e_l - model.delta_t + model.delta_t * math.log(1.0 + ratio)
    ) + model.delta_t * model.g_l * (model.a / model.g_l - ratio)
    assert found == pytest.approx(theory, abs=1e-6)


def test_adex_adapts():
    cells = population(AdEx(), 3, [0.55, 0.7, 1.0])
    result = run(cells, 500.0, 0.1, ("spikes", "w"), method="heun", fuse="off")
    assert list(result.counts("cells") > 0) == [False, True, True]
    intervals = np.diff(spike_times(result, 2))
    assert intervals[-1] > 1.5 * intervals[0]
    assert intervals[-1] == pytest.approx(intervals[-2], rel=0.02)
    jumps = np.diff(result.traces["cells"]["w"][:, 2])
    np.testing.assert_allclose(jumps[jumps > 0.05], 0.0805, atol=1e-3)


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize("method", ["euler", "heun", "rk4", "exponential_euler"])
def test_adex_survives_the_exponential(method, precision):
    """A narrow slope makes exp overflow at the cut-off; adaptation must not hear of it."""
    cells = population(AdEx(delta_t=[0.1, 0.5, 2.0], v_spike=[50.0, 0.0, 20.0]), 3, 3.0)
    result = run(cells, 60.0, 0.1, ("spikes", "v", "w"), method=method, precision=precision, fuse="off")
    assert np.all(result.counts("cells") >= 5)
    traces = result.traces["cells"]
    assert np.all(traces["v"] <= [50.0, 0.0, 20.0])
    # By spikes alone, less what decays; below the cut-off a·(v − e_l) adds at most 0.5 nA.
    assert traces["w"].max() < 0.0805 * result.counts("cells").max() + 0.5


# -- FitzHugh-Nagumo and Morris-Lecar


def test_fitzhugh_nagumo_oscillates_between_its_hopf_points():
    model = FitzHughNagumo()
    low, high = hopf_currents(model, lambda v: ((v + model.a) / model.b,), (-1.3, -0.8), (0.8, 1.3))
    # The trace of the linearised equations is 0 where v² = 1 − b·tau_v/tau_w.
    v = math.sqrt(1.0 - 0.8 / 12.5)
    assert low == pytest.approx((-v + 0.7) / 0.8 + v - v**3 / 3, abs=1e-6)
    assert high == pytest.approx((v + 0.7) / 0.8 - v + v**3 / 3, abs=1e-6)
    current = [low - 0.02, low + 0.02, 0.8, high - 0.02, high + 0.05]
    result = run(population(model, 5, current), 400.0, 0.1, method="rk4", fuse="off")
    late = [np.sum(spike_times(result, k) > 200.0) for k in range(5)]
    assert [count > 2 for count in late] == [False, True, True, True, False]


def test_morris_lecar_oscillates_in_its_range():
    """At 93.86 to 212.02 µA/cm²; from 88.3 firing and rest are both stable (Rinzel and Ermentrout 1989)."""
    model = MorrisLecar()

    def others(v):
        return (model.activations(np, np.float64(v))[1],)

    found = hopf_currents(model, others, (-40.0, -20.0), (0.0, 20.0))
    np.testing.assert_allclose(found, [93.86, 212.02], atol=0.01)
    assert model.init(np) == pytest.approx((-60.855, 0.014915), abs=1e-3)

    v = brentq(lambda v: equilibrium_current(model, v, others)[1] - 90.0, -40.0, -20.0)
    begin = {"v": [-60.0, v, -60.0, -60.0, -60.0], "w": [0.015, *others(v), 0.015, 0.015, 0.015]}
    cells = population(model, 5, [87.0, 90.0, 90.0, 150.0, 220.0], init=begin)
    result = run(cells, 1000.0, 0.1, method="rk4", fuse="off")
    late = [np.sum(spike_times(result, k) > 500.0) for k in range(5)]
    assert [count > 2 for count in late] == [False, False, True, True, False]


def test_morris_lecar_fires_at_any_low_rate_with_the_other_set():
    """The saddle-node set; its onset is at 39.96 µA/cm² (Rinzel and Ermentrout 1989)."""
    model = MorrisLecar(g_ca=4.0, v3=12.0, v4=17.4, phi=1.0 / 15.0)
    result = run(population(model, 3, [39.9, 40.2, 45.0]), 1000.0, 0.1, method="rk4", fuse="off")
    silent, slow, fast = result.counts("cells")
    assert silent == 0
    assert 2 <= slow < fast / 2


# -- Poisson


def test_poisson_counts_and_intervals():
    n, rate, duration, dt = 2000, np.repeat([20.0, 80.0], 1000), 1000.0, 0.5
    result = run(population(PoissonSource(rate=rate), n), duration, dt, seed=11)
    counts = result.counts("cells")
    for value in (20.0, 80.0):
        of = counts[rate == value]
        p = value * dt * 1e-3
        assert abs(of.mean() - value) < 4.0 * math.sqrt(value * (1.0 - p) / of.size)
        # Variance of a sum of independent steps; its own error is about its size times √(2/n).
        assert of.var() == pytest.approx(value * (1.0 - p), rel=4.0 * math.sqrt(2.0 / of.size))
    fast = np.concatenate([np.diff(spike_times(result, k)) for k in range(1000, 1100)])
    variation = fast.std() / fast.mean()
    assert variation == pytest.approx(math.sqrt(1.0 - 0.04), abs=4.0 / math.sqrt(fast.size))


def test_poisson_neurons_are_independent_and_seeds_differ():
    cells = population(PoissonSource(rate=100.0), 200)
    first, again, other = (run(cells, 500.0, 1.0, seed=seed, fuse="off") for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.spikes["cells"].t, again.spikes["cells"].t)
    assert not np.array_equal(first.counts("cells"), other.counts("cells"))
    trains = np.zeros((500, 200))
    trains[np.rint(first.spikes["cells"].t).astype(int) - 1, first.spikes["cells"].i] = 1.0
    correlation = np.corrcoef(trains.T)[np.triu_indices(200, 1)]
    assert abs(correlation.mean()) < 4.0 / math.sqrt(500 * correlation.size)
    assert correlation.std() == pytest.approx(1.0 / math.sqrt(500), rel=0.05)
