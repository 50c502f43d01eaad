"""Laws that the analysis keeps for any spikes, and what it refuses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurosim import analysis

N, STOP, DT = 5, 60.0, 0.5


@st.composite
def spikes(draw):
    """Spikes on the grid of the steps, a neuron at most one per step, in any order."""
    cells = draw(st.lists(st.tuples(st.integers(1, round(STOP / DT)), st.integers(0, N - 1)), unique=True, max_size=60))
    steps, i = np.array(cells, np.int64).reshape(-1, 2).T
    return steps * DT, i


def measures(t, i, start=0.0, rows=slice(None), neurons=range(N)):
    """What is said of each neuron."""
    window = {"start": start, "stop": start + STOP}
    return {
        "rates": analysis.rates(t, i, N, **window)[rows],
        "cv": analysis.cv(t, i, N)[rows],
        "cv2": analysis.cv2(t, i, N)[rows],
        "lv": analysis.lv(t, i, N)[rows],
        "fano_factor": analysis.fano_factor(t, i, N, bin=5.0, **window)[rows],
        "counts": analysis.binned_counts(t, i, N, bin=3.0, **window)[rows],
        "correlations": analysis.correlations(t, i, neurons, bin=3.0, **window),
        "covariances": analysis.covariances(t, i, neurons, bin=3.0, **window),
    }


def of_all(t, i, start=0.0):
    """What is said of the population."""
    window = {"start": start, "stop": start + STOP}
    groups = [0, 1, 2], [2, 3, 4]
    correlogram = analysis.cross_correlogram(t, i, *groups, bin=2.0, max_lag=10.0, **window)
    return {
        "population_rate": analysis.population_rate(t, N, bin=2.5, **window).rate,
        "synchrony": analysis.synchrony(t, **window),
        "spectrum": analysis.spectrum(t, N, **window).power,
        "psth": analysis.psth(t, [start + 10.0, start + 20.0], bin=2.0, start=-4.0, stop=8.0).rate,
        "coincidences": correlogram.coincidences,
        "expected": correlogram.expected,
    }


def assert_equal(actual, expected):
    for name, value in expected.items():
        np.testing.assert_allclose(actual[name], value, rtol=1e-9, atol=1e-12, err_msg=name)


@given(spikes(), st.integers(-4000, 4000))
def test_time_may_begin_anywhere(train, steps):
    t, i = train
    shift = steps * DT
    assert_equal(measures(t + shift, i, shift), measures(t, i))
    assert_equal(of_all(t + shift, i, shift), of_all(t, i))


@given(spikes(), st.permutations(range(N)))
def test_neurons_may_be_renamed(train, names):
    t, i = train
    names = np.array(names)
    assert_equal(measures(t, names[i], rows=names, neurons=names), measures(t, i))


@given(spikes(), st.randoms(use_true_random=False))
def test_order_of_spikes_does_not_matter(train, random):
    t, i = train
    order = list(range(t.size))
    random.shuffle(order)
    order = np.array(order, np.int64)
    assert_equal(measures(t[order], i[order]), measures(t, i))
    assert_equal(of_all(t[order], i[order]), of_all(t, i))


@given(spikes(), st.sampled_from([0.25, 3.0]))
def test_irregularity_has_no_unit(train, factor):
    t, i = train
    for measure in (analysis.cv, analysis.cv2, analysis.lv):
        np.testing.assert_allclose(measure(factor * t, i, N), measure(t, i, N), rtol=1e-9, atol=1e-12)


@given(spikes(), st.integers(1, 9))
def test_counts_of_a_window_are_those_of_its_parts(train, cut):
    t, i = train
    cut *= 6.0
    whole = analysis.binned_counts(t, i, N, bin=3.0, stop=STOP)
    parts = [
        analysis.binned_counts(t, i, N, bin=3.0, start=start, stop=stop) for start, stop in ((0.0, cut), (cut, STOP))
    ]
    np.testing.assert_array_equal(np.hstack(parts), whole)
    assert whole.sum() == t.size
    rates = [analysis.rates(t, i, N, start=start, stop=stop) for start, stop in ((0.0, cut), (cut, STOP))]
    joined = (rates[0] * cut + rates[1] * (STOP - cut)) / STOP
    np.testing.assert_allclose(joined, analysis.rates(t, i, N, stop=STOP), rtol=1e-9)


@given(spikes())
def test_populations_add(train):
    """The population rate is the sum over neurons; every spike of a neuron but its first ends an interval."""
    t, i = train
    counts = analysis.binned_counts(t, i, N, bin=3.0, stop=STOP)
    rate = analysis.population_rate(t, 1, bin=3.0, stop=STOP).rate
    np.testing.assert_allclose(rate * 3e-3, counts.sum(axis=0), rtol=1e-9)
    assert analysis.isi(t, i).isi.size == t.size - np.unique(i).size
    assert np.all(analysis.isi(t, i).isi >= DT - 1e-9)


@given(spikes())
def test_matrices_are_symmetric_and_bounded(train):
    t, i = train
    covariance = analysis.covariances(t, i, range(N), bin=3.0, stop=STOP)
    np.testing.assert_allclose(covariance, np.cov(analysis.binned_counts(t, i, N, bin=3.0, stop=STOP)), atol=1e-12)
    coefficients = analysis.correlations(t, i, range(N), bin=3.0, stop=STOP)
    np.testing.assert_array_equal(coefficients, coefficients.T)
    assert np.all(np.abs(coefficients[~np.isnan(coefficients)]) <= 1.0 + 1e-12)
    silent = ~np.isin(range(N), i)
    assert np.isnan(coefficients[silent]).all()


@given(spikes(), st.integers(0, N - 1))
def test_mirrored_correlogram(train, neuron):
    t, i = train
    others = [k for k in range(N) if k != neuron]
    there = analysis.cross_correlogram(t, i, neuron, others, bin=2.0, max_lag=20.0, stop=STOP)
    back = analysis.cross_correlogram(t, i, others, neuron, bin=2.0, max_lag=20.0, stop=STOP)
    np.testing.assert_allclose(there.coincidences, back.coincidences[::-1], atol=1e-12)
    np.testing.assert_allclose(there.expected, back.expected[::-1], atol=1e-12)


@given(spikes(), st.sampled_from([(0, 1, 2), (1, 2)]), st.sampled_from([(2, 3), (0, 1, 2, 4), (1, 2)]))
def test_correlogram_of_groups_is_the_mean_over_pairs(train, source, target):
    t, i = train
    options = {"bin": 2.0, "max_lag": 20.0, "stop": STOP}
    each = [analysis.cross_correlogram(t, i, a, b, **options) for a in source for b in target if a != b]
    groups = analysis.cross_correlogram(t, i, source, target, **options)
    np.testing.assert_allclose(groups.coincidences, np.mean([one.coincidences for one in each], axis=0), atol=1e-9)
    np.testing.assert_allclose(groups.expected, np.mean([one.expected for one in each], axis=0), atol=1e-9)


@given(spikes(), st.integers(2, 40))
def test_spectrum_is_welchs(train, length):
    """SciPy's, with segments of even and odd length."""
    signal = pytest.importorskip("scipy.signal")
    t, _ = train
    actual = analysis.spectrum(t, N, bin=1.0, stop=STOP, segment=float(length))
    rate = analysis.population_rate(t, N, bin=1.0, stop=STOP).rate
    f, power = signal.welch(rate, fs=1000.0, nperseg=length)
    np.testing.assert_allclose(actual.f, f, rtol=1e-12)
    np.testing.assert_allclose(actual.power, power, rtol=1e-9, atol=1e-9)


T, I = [1.0, 2.0, 3.0], [0, 1, 0]  # noqa: E741


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: analysis.rates([[1.0]], [[0]], 1, stop=9.0), "rates: t has shape (1, 1): write a flat array"),
        (lambda: analysis.rates(T, [0], 2, stop=9.0), "rates: i has shape (1,), t has (3,): write one neuron per"),
        (lambda: analysis.rates([[1.0], [1.0, 2.0]], [0], 1, stop=9.0), "rates: t is no array: "),
        (lambda: analysis.rates(["a"], [0], 2, stop=9.0), "rates: t holds <U1: write times in ms as floats"),
        (lambda: analysis.rates([np.nan, 1.0], [0, 0], 2, stop=9.0), "rates: t[0] is not finite"),
        (lambda: analysis.rates(T, [0.0, 1.0, 0.0], 2, stop=9.0), "rates: i holds float64: write indices"),
        (lambda: analysis.rates(T, [0, -1, 0], 2, stop=9.0), "rates: i holds -1: neurons count from 0"),
        (lambda: analysis.rates(T, I, 1, stop=9.0), "rates: i holds neuron 1, n = 1: write n=2 or more"),
        (lambda: analysis.rates(T, I, 0, stop=9.0), "rates: n = 0 must be a whole number, at least 1"),
        (lambda: analysis.rates(T, I, 2.5, stop=9.0), "rates: n = 2.5 must be a whole number, at least 1"),
        (lambda: analysis.rates(T, I, True, stop=9.0), "rates: n = True must be a whole number, at least 1"),
        (lambda: analysis.rates(T, I, 2, start=9.0, stop=9.0), "rates: stop = 9 ms must be after start = 9 ms"),
        (lambda: analysis.rates(T, I, 2, stop="x"), "rates: stop = 'x' must be a finite number of ms"),
        (lambda: analysis.rates(T, I, 2, stop=np.inf), "rates: stop = inf must be a finite number of ms"),
        (lambda: analysis.isi(T, [0]), "isi: i has shape (1,)"),
        (lambda: analysis.cv(T, I, 2, min_spikes=1), "cv: min_spikes = 1 must be a whole number, at least 2"),
        (lambda: analysis.lv(T, I, 2, min_spikes=2), "lv: min_spikes = 2 must be a whole number, at least 3"),
        (lambda: analysis.cv2(T, I, 1), "cv2: i holds neuron 1, n = 1"),
        (lambda: analysis.population_rate(T, 2, bin=0.0, stop=9.0), "population_rate: bin = 0 ms must be positive"),
        (
            lambda: analysis.fano_factor(T, I, 2, bin=10.0, stop=9.0),
            "fano_factor: bin = 10 ms is longer than the window of 9 ms",
        ),
        (lambda: analysis.psth(T, [], bin=1.0, stop=5.0), "psth: onsets = []: write at least one finite time in ms"),
        (lambda: analysis.psth(T, ["x"], bin=1.0, stop=5.0), "psth: onsets = ['x']: write at least one finite time"),
        (lambda: analysis.correlations(T, I, 2, bin=1.0, stop=9.0), "correlations: neurons = 2: write indices of"),
        (lambda: analysis.correlations(T, I, [], bin=1.0, stop=9.0), "correlations: neurons = []: write indices"),
        (lambda: analysis.correlations(T, I, [0, 0], bin=1.0, stop=9.0), "correlations: neurons names a neuron twice"),
        (
            lambda: analysis.covariances(T, I, [0, 1], bin=9.0, stop=9.0),
            "covariances: bin = 9 ms: the window holds one",
        ),
        (lambda: analysis.pairs([1.0, 2.0]), "pairs: the matrix has shape (2,): write a square one"),
        (
            lambda: analysis.cross_correlogram(T, I, 0, 0, bin=1.0, max_lag=2.0, stop=9.0),
            "cross_correlogram: source and target are both neuron 0: write two neurons",
        ),
        (
            lambda: analysis.cross_correlogram(T, I, 0, 1, bin=1.0, max_lag=9.0, stop=9.0),
            "cross_correlogram: max_lag = 9 ms must be below the window of 9 ms",
        ),
        (lambda: analysis.spectrum(T, 2, bin=5.0, segment=5.0, stop=9.0), "spectrum: bin = 5 ms: a segment must hold"),
        (lambda: analysis.synchrony(T, stop=2.0), "synchrony: bin = 3 ms is longer than the window of 2 ms"),
        (lambda: analysis.chi([1.0, 2.0]), "chi: v has shape (2,): write (samples, neurons)"),
        (lambda: analysis.chi([[1.0], [np.nan]]), "chi: v holds values that are not finite"),
    ],
)
def test_refusals(refuses, call, message):
    with refuses(message):
        call()
