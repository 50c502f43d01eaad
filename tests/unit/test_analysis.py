"""The analysis against closed forms."""

import doctest

import numpy as np
import pytest

from neurosim import Constant, Network, Population, Record, analysis, simulate
from neurosim.models import LIF

STOP, N = 100_000.0, 50


def poisson(rng, rate=10.0, n=N, stop=STOP):
    """Independent Poisson neurons, ordered as a run orders them."""
    count = rng.poisson(rate * 1e-3 * stop * n)
    return np.sort(rng.uniform(0.0, stop, count)), rng.integers(0, n, count)


def gamma(rng, shape, rate=10.0, n=N, stop=STOP):
    """Neurons whose intervals have a gamma distribution, in equilibrium: beginnings are thrown away."""
    gaps = rng.gamma(shape, 1e3 / (rate * shape), (n, int(2 * rate * stop * 1e-3)))
    times = np.cumsum(gaps, axis=1) - 5000.0
    i, k = np.nonzero((times > 0.0) & (times <= stop))
    return times[i, k], i


def clocks(period=10.0, n=3, stop=1000.0):
    i, k = np.divmod(np.arange(n * round(stop / period)), round(stop / period))
    return (k + 1) * period, i


@pytest.fixture
def rng():
    return np.random.default_rng(20)


def test_all_names_are_there():
    assert list(analysis.__all__) == sorted(analysis.__all__)
    assert doctest.testmod(analysis).failed == 0
    assert all(getattr(analysis, name).__doc__ for name in analysis.__all__)


def test_poisson_neurons(rng):
    t, i = poisson(rng)
    assert np.mean(analysis.cv(t, i, N)) == pytest.approx(1.0, abs=0.015)
    assert np.mean(analysis.cv2(t, i, N)) == pytest.approx(1.0, abs=0.01)
    assert np.mean(analysis.lv(t, i, N)) == pytest.approx(1.0, abs=0.015)
    assert np.mean(analysis.fano_factor(t, i, N, bin=200.0, stop=STOP)) == pytest.approx(1.0, abs=0.03)
    assert np.mean(analysis.rates(t, i, N, stop=STOP)) == pytest.approx(10.0, rel=0.02)
    assert analysis.synchrony(t, stop=STOP) == pytest.approx(1.0, abs=0.03)
    coefficients = analysis.pairs(analysis.correlations(t, i, range(N), bin=20.0, stop=STOP))
    assert np.mean(coefficients) == pytest.approx(0.0, abs=0.002)
    assert np.std(coefficients) == pytest.approx(1.0 / np.sqrt(STOP / 20.0), rel=0.1)


@pytest.mark.parametrize("shape", [0.5, 2, 4, 9])
def test_gamma_neurons(rng, shape):
    t, i = gamma(rng, shape)
    assert np.mean(analysis.cv(t, i, N)) == pytest.approx(1.0 / np.sqrt(shape), rel=0.02)
    assert np.mean(analysis.lv(t, i, N)) == pytest.approx(3.0 / (2.0 * shape + 1.0), rel=0.02)
    # The Fano factor of long windows is CV²; what is missing at the ends of a window is of the order 1/its length.
    assert np.mean(analysis.fano_factor(t, i, N, bin=5000.0, stop=STOP)) == pytest.approx(1.0 / shape, rel=0.2)


def test_clocks():
    t, i = clocks()
    np.testing.assert_array_equal(analysis.isi(t, i).isi, 10.0)
    for measure in (analysis.cv, analysis.cv2, analysis.lv):
        np.testing.assert_array_equal(measure(t, i, 3), 0.0)
    np.testing.assert_array_equal(analysis.fano_factor(t, i, 3, bin=50.0, stop=1000.0), 0.0)
    np.testing.assert_array_equal(analysis.rates(t, i, 3, stop=1000.0), 100.0)


def test_intervals_of_hand_made_trains():
    t, i = np.array([30.0, 10.0, 5.0, 25.0, 40.0, 11.0]), np.array([2, 2, 0, 0, 2, 7])
    intervals = analysis.isi(t, i)
    np.testing.assert_array_equal(intervals.isi, [20.0, 20.0, 10.0])
    np.testing.assert_array_equal(intervals.i, [0, 2, 2])
    # 20 and 10: mean 15, standard deviation 5; 2·10/30; 3·(10/30)²
    np.testing.assert_allclose(analysis.cv(t, i, 8), [np.nan, np.nan, 1 / 3, *[np.nan] * 5])
    np.testing.assert_allclose(analysis.cv(t, i, 8, min_spikes=2), [0.0, np.nan, 1 / 3, *[np.nan] * 5])
    np.testing.assert_allclose(analysis.cv2(t, i, 8)[2], 2 / 3)
    np.testing.assert_allclose(analysis.lv(t, i, 8)[2], 1 / 3)
    assert np.isnan(analysis.cv(t, i, 8, min_spikes=4)).all()
    assert np.isnan(analysis.lv(t, i, 8, min_spikes=4)).all()


def test_many_neurons_are_ordered_by_all_their_bits():
    t, i = np.array([1.0, 2.0, 4.0, 8.0]), np.array([65536, 0, 65536, 0])
    assert analysis.isi(t, i).isi.tolist() == [6.0, 3.0]


def test_no_spikes():
    assert analysis.isi([], []).isi.size == 0
    np.testing.assert_array_equal(analysis.rates([], [], 2, stop=1.0), [0.0, 0.0])
    assert np.isnan(analysis.cv([], [], 2)).all()
    assert np.isnan(analysis.lv([], [], 2)).all()
    assert np.isnan(analysis.fano_factor([], [], 2, bin=1.0, stop=10.0)).all()
    assert np.isnan(analysis.synchrony([], stop=10.0))
    assert np.isnan(analysis.correlations([], [], [0, 1], bin=1.0, stop=10.0)).all()
    np.testing.assert_array_equal(analysis.covariances([], [], [0, 1], bin=1.0, stop=10.0), 0.0)
    np.testing.assert_array_equal(analysis.psth([], [5.0], bin=1.0, stop=3.0).rate, 0.0)
    np.testing.assert_array_equal(analysis.spectrum([], 1, stop=10.0).power, 0.0)
    empty = analysis.cross_correlogram([], [], 0, [0, 1], bin=1.0, max_lag=2.0, stop=10.0)
    np.testing.assert_array_equal(empty.coincidences, np.zeros(5))


def test_windows_and_bins_hold_whole_steps():
    """Spikes have the times at which steps end: a window and its bins keep each with its own, whatever the rounding."""
    dt, t = 0.1, (np.arange(3000) + 1) * 0.1  # a spike each step
    i = np.zeros(t.size, np.int32)
    counts = analysis.binned_counts(t, i, 1, bin=3.0, stop=300.0)
    np.testing.assert_array_equal(counts, np.full((1, 100), 30))
    assert analysis.rates(t, i, 1, stop=300.0)[0] == pytest.approx(1e3 / dt)
    assert analysis.rates(t, i, 1, start=0.3, stop=0.7)[0] == pytest.approx(1e3 / dt)
    np.testing.assert_array_equal(analysis.population_rate(t, 1, bin=0.1, stop=300.0).rate, 1e4)


def test_rates_are_those_of_the_result():
    net = Network((Population("exc", LIF(), 4, stimuli=(Constant([0.0, 1.6, 2.0, 3.0]),)),))
    result = simulate(net, duration=123.4, dt=0.1, record=Record("exc", "spikes"), backend="numpy", fuse="off")
    actual = analysis.rates(*result.spikes["exc"], 4, stop=result.duration)
    np.testing.assert_allclose(actual, result.rates("exc"), rtol=1e-12)


def test_an_incomplete_bin_is_left_out():
    t = np.array([0.5, 9.5, 10.5])
    np.testing.assert_array_equal(analysis.binned_counts(t, [0, 0, 0], 1, bin=3.0, stop=11.0), [[1, 0, 0]])


def test_population_rate(rng):
    t = np.array([1.0, 2.0, 3.0, 12.0, 25.0])
    centres, rate = analysis.population_rate(t, 2, bin=10.0, stop=30.0, start=0.0)
    np.testing.assert_allclose(centres, [5.0, 15.0, 25.0])
    np.testing.assert_allclose(rate, [150.0, 50.0, 50.0])


def test_psth_averages_over_onsets():
    t = np.array([102.0, 98.0, 201.0, 203.0, 215.0, 300.0])
    centres, rate = analysis.psth(t, [100.0, 200.0], bin=5.0, start=-5.0, stop=10.0)
    np.testing.assert_allclose(centres, [-2.5, 2.5, 7.5])
    np.testing.assert_allclose(rate, np.array([1.0, 3.0, 0.0]) / (2 * 0.005))


def test_psth_counts_a_spike_for_every_window_that_holds_it(rng):
    t = np.sort(rng.uniform(0.0, 1000.0, 500))
    onsets = rng.uniform(100.0, 900.0, 30)
    _, rate = analysis.psth(t, onsets, 2, bin=4.0, start=-40.0, stop=80.0)
    expected = sum(np.histogram(t - onset, np.arange(-40.0, 81.0, 4.0))[0] for onset in onsets)
    np.testing.assert_allclose(rate, expected / (30 * 2 * 0.004))


def test_psth_holds_whole_steps():
    """A spike at the end of a step is in the bin that the step is in, and that of the onset's own step before it."""
    t = (np.arange(3000) + 1) * 0.1
    _, rate = analysis.psth(t, [100.0, 200.0], bin=0.7, start=-2.1, stop=4.9)
    np.testing.assert_allclose(rate, 1e4)


def test_psth_finds_the_modulation(rng):
    t, _ = poisson(rng, rate=1000.0, n=1)
    phase = np.mod(t, 500.0)
    t = t[(phase > 100.0) | (rng.random(t.size) < 0.5)]  # half the rate in the first 100 ms
    _, rate = analysis.psth(t, np.arange(0.0, STOP - 500.0, 500.0), bin=50.0, stop=200.0)
    np.testing.assert_allclose(rate, [500.0, 500.0, 1000.0, 1000.0], rtol=0.05)


def test_correlations_of_a_common_source(rng):
    """Each neuron has spikes of its own and a share c of common ones: the correlation is c."""
    share, n = 0.3, 10
    common, _ = poisson(rng, rate=10.0 * share, n=1)
    t, i = poisson(rng, rate=10.0 * (1.0 - share), n=n)
    t, i = np.concatenate([t, np.repeat(common, n)]), np.concatenate([i, np.tile(np.arange(n), common.size)])
    matrix = analysis.correlations(t, i, range(n), bin=20.0, stop=STOP)
    np.testing.assert_array_equal(np.diagonal(matrix), 1.0)
    assert np.mean(analysis.pairs(matrix)) == pytest.approx(share, abs=0.02)
    # var Σ = Σ var + Σ cov, over mean Σ: 1 + (n − 1)·c
    assert analysis.synchrony(t, stop=STOP) == pytest.approx(1.0 + (n - 1) * share, rel=0.05)
    variance = np.mean(np.diagonal(analysis.covariances(t, i, range(n), bin=20.0, stop=STOP)))
    assert variance == pytest.approx(10.0 * 0.02, rel=0.05)


def test_correlations_take_any_order_and_leave_others_out(rng):
    t, i = poisson(rng, n=6, stop=2000.0)
    whole = analysis.correlations(t, i, range(6), bin=10.0, stop=2000.0)
    part = analysis.correlations(t, i, [4, 1, 3], bin=10.0, stop=2000.0)
    np.testing.assert_allclose(part, whole[np.ix_([4, 1, 3], [4, 1, 3])], rtol=1e-12)


@pytest.mark.parametrize("block", [1, 7, 64])
def test_correlations_do_not_depend_on_the_blocks(rng, monkeypatch, block):
    t, i = poisson(rng, n=6, stop=2000.0)
    whole = analysis.covariances(t, i, range(6), bin=10.0, stop=2000.0)
    np.testing.assert_allclose(
        whole, np.cov(analysis.binned_counts(t, i, 6, bin=10.0, stop=2000.0)), rtol=1e-9, atol=1e-12
    )
    monkeypatch.setattr("neurosim.analysis.pairwise._BLOCK", 6 * block)
    np.testing.assert_array_equal(analysis.covariances(t, i, range(6), bin=10.0, stop=2000.0), whole)


def test_a_count_that_never_varies_has_no_correlation():
    """A clock in bins of its period: variance 0 exactly, and not 0/0 by rounding."""
    t, i = clocks(period=10.0, n=2, stop=1000.0)
    t, i = np.append(t, 33.0), np.append(i, 1)
    matrix = analysis.correlations(t, i, [0, 1], bin=10.0, stop=1000.0)
    np.testing.assert_array_equal(matrix, [[np.nan, np.nan], [np.nan, 1.0]])


def test_pairs_are_those_above_the_diagonal():
    np.testing.assert_array_equal(analysis.pairs([[0, 1, 2], [9, 0, 3], [9, 9, 0]]), [1, 2, 3])


def test_cross_correlogram_shows_the_delay(rng):
    t, i = poisson(rng, rate=20.0, n=1)
    t, i = np.concatenate([t, t + 7.0]), np.concatenate([i, i + 1])
    lag, coincidences, expected = analysis.cross_correlogram(t, i, 0, 1, bin=1.0, max_lag=20.0, stop=STOP)
    assert lag[np.argmax(coincidences)] == 7.0
    others = np.abs(lag - 7.0) > 1.5
    assert np.mean(coincidences[others] / expected[others]) == pytest.approx(1.0, abs=0.03)
    np.testing.assert_array_equal(lag, np.arange(-20.0, 21.0))
    # Neither at its end nor twice: with source and target exchanged it is mirrored.
    mirrored = analysis.cross_correlogram(t, i, 1, 0, bin=1.0, max_lag=20.0, stop=STOP)
    np.testing.assert_array_equal(mirrored.coincidences, coincidences[::-1])


def test_spectrum_of_poisson_neurons_is_flat(rng):
    t, _ = poisson(rng)
    f, power = analysis.spectrum(t, N, stop=STOP)
    assert (f[0], f[1], f[-1]) == (0.0, 1.0, 500.0)
    np.testing.assert_allclose(np.mean(power[1:].reshape(5, 100), axis=1), 2.0 * 10.0 / N, rtol=0.05)


def test_spectrum_finds_a_rhythm(rng):
    t, _ = poisson(rng, rate=40.0)
    t = t[rng.random(t.size) < 0.5 * (1.0 + np.cos(2.0 * np.pi * 35.0 * t * 1e-3))]  # 20·(1 + cos) spikes/s
    f, power = analysis.spectrum(t, N, stop=STOP)
    peak = np.argmax(power)
    assert f[peak] == 35.0
    # The power of the rhythm is half its amplitude squared; Hann's window spreads it over three frequencies.
    noise = 2.0 * 20.0 / N
    assert np.sum(power[peak - 1 : peak + 2] - noise) * (f[1] - f[0]) == pytest.approx(0.5 * 20.0**2, rel=0.05)


@pytest.mark.parametrize("segment", [100.0, 333.0, 1e9])
def test_spectrum_integrates_to_the_variance(rng, segment):
    """Parseval, on average over segments of white noise."""
    t, _ = poisson(rng)
    f, power = analysis.spectrum(t, N, stop=STOP, segment=segment)
    rate = analysis.population_rate(t, N, bin=1.0, stop=STOP).rate
    assert np.sum(power) * (f[1] - f[0]) == pytest.approx(rate.var(), rel=0.03)


def test_synchrony_of_neurons_that_fire_together(rng):
    """n spikes at each time of a Poisson process: n."""
    t, _ = poisson(rng, n=1)
    assert analysis.synchrony(np.repeat(t, 20), stop=STOP) == pytest.approx(20.0, rel=0.05)


def test_chi(rng):
    v = rng.normal(size=(4000, 1))
    assert analysis.chi(np.repeat(v, 5, axis=1)) == pytest.approx(1.0)
    assert analysis.chi(rng.normal(-65.0, 3.0, size=(20_000, 100))) == pytest.approx(0.1, rel=0.05)
    # half in common: χ² = (1 + 1/n)/2
    mixed = v + rng.normal(size=(4000, 100))
    assert analysis.chi(mixed) ** 2 == pytest.approx(0.505, rel=0.05)
    assert np.isnan(analysis.chi(np.full((10, 3), -65.0)))
