"""The analysis against Elephant, on random spike trains; ``Result.to_neo`` by what Elephant makes of it."""

import numpy as np
import pytest

from neurosim import Constant, Network, Population, Record, analysis, simulate
from neurosim.models import LIF

pq = pytest.importorskip("quantities", reason="elephant is not installed")
neo = pytest.importorskip("neo", reason="elephant is not installed")
statistics = pytest.importorskip("elephant.statistics", reason="elephant is not installed")
correlation = pytest.importorskip("elephant.spike_train_correlation", reason="elephant is not installed")
spectral = pytest.importorskip("elephant.spectral", reason="elephant is not installed")
conversion = pytest.importorskip("elephant.conversion", reason="elephant is not installed")

pytestmark = [
    pytest.mark.reference,
    pytest.mark.filterwarnings("ignore:The 'copy' argument in Quantity"),  # Elephant still gives it
    pytest.mark.filterwarnings("ignore:the matrix subclass"),  # and it uses it
    pytest.mark.filterwarnings("ignore:Detected empty spike trains"),  # one is silent on purpose
]
N, STOP = 12, 4000.0


class Trains:
    """Random spikes as flat arrays, and the same as Elephant takes them; the last neuron is silent.

    Times fall on no edge of a bin, where Elephant counts to the right and neurosim to the left.
    """

    def __init__(self, seed):
        rng = np.random.default_rng(seed)
        shape = rng.uniform(0.3, 5.0, N)  # from bursts to almost a clock
        rate = rng.uniform(2.0, 60.0, N)
        gaps = [rng.gamma(k, 1e3 / (r * k), 400) for k, r in zip(shape, rate, strict=True)]
        gaps[-1] = np.empty(0)
        trains = [times[times < STOP] for times in (np.floor(np.cumsum(gap)) + 0.37 for gap in gaps)]
        self.trains = [np.unique(times) for times in trains]
        i = np.repeat(np.arange(N), [times.size for times in self.trains])
        shuffled = rng.permutation(i.size)
        self.t, self.i = np.concatenate(self.trains)[shuffled], i[shuffled]

    @property
    def neo(self):
        return [neo.SpikeTrain(times * pq.ms, t_stop=STOP * pq.ms) for times in self.trains]

    def binned(self, width):
        return conversion.BinnedSpikeTrain(self.neo, bin_size=width * pq.ms)


@pytest.fixture(params=[1, 2, 3], ids="seed {}".format, scope="module")
def trains(request):
    return Trains(request.param)


def test_rates(trains):
    expected = [float(statistics.mean_firing_rate(train).rescale(pq.Hz)) for train in trains.neo]
    np.testing.assert_allclose(analysis.rates(trains.t, trains.i, N, stop=STOP), expected, rtol=1e-12)


def test_rates_in_a_window(trains):
    window = {"t_start": 1000.0 * pq.ms, "t_stop": 2500.0 * pq.ms}
    expected = [
        float(statistics.mean_firing_rate(train, **window).rescale(pq.Hz)) if len(train) else 0.0
        for train in trains.neo
    ]
    actual = analysis.rates(trains.t, trains.i, N, start=1000.0, stop=2500.0)
    np.testing.assert_allclose(actual, expected, rtol=1e-12)


def test_population_rate(trains):
    histogram = statistics.time_histogram(trains.neo, bin_size=5.0 * pq.ms, output="rate")
    centres, rate = analysis.population_rate(trains.t, N, bin=5.0, stop=STOP)
    np.testing.assert_allclose(rate, histogram.rescale(pq.Hz).magnitude[:, 0], rtol=1e-9)
    np.testing.assert_allclose(centres, histogram.times.rescale(pq.ms).magnitude + 2.5, rtol=1e-9)


def test_intervals(trains):
    values, neuron = analysis.isi(trains.t, trains.i)
    for k, times in enumerate(trains.trains):
        np.testing.assert_allclose(values[neuron == k], statistics.isi(times) if times.size else [], rtol=1e-12)


@pytest.mark.parametrize("measure", ["cv", "cv2", "lv"])
def test_irregularity(trains, measure):
    actual = getattr(analysis, measure)(trains.t, trains.i, N)
    assert np.isnan(actual[-1])
    expected = [getattr(statistics, measure)(statistics.isi(times)) for times in trains.trains[:-1]]
    np.testing.assert_allclose(actual[:-1], expected, rtol=1e-9)


def test_counts(trains):
    np.testing.assert_array_equal(
        analysis.binned_counts(trains.t, trains.i, N, bin=20.0, stop=STOP), trains.binned(20.0).to_array()
    )


@pytest.mark.parametrize("width", [50.0, 400.0])
def test_fano_factor(trains, width):
    """Elephant's is that of the counts of trials: each window is one."""
    actual = analysis.fano_factor(trains.t, trains.i, N, bin=width, stop=STOP)
    assert np.isnan(actual[-1])
    for value, times in zip(actual, trains.trains[:-1], strict=False):
        windows = [times[(times >= begin) & (times < begin + width)] for begin in np.arange(0.0, STOP, width)]
        assert value == pytest.approx(statistics.fanofactor(windows), rel=1e-9)


@pytest.mark.parametrize("width", [5.0, 40.0])
@pytest.mark.filterwarnings("ignore:invalid value encountered")  # Elephant's 0/0 of the silent neuron
def test_correlations(trains, width):
    actual = analysis.correlations(trains.t, trains.i, range(N), bin=width, stop=STOP)
    expected = correlation.correlation_coefficient(trains.binned(width), fast=False)
    np.testing.assert_allclose(actual, expected, rtol=1e-9, atol=1e-12)
    assert np.isnan(actual[-1]).all()
    assert not np.isnan(actual[:-1, :-1]).any()


@pytest.mark.parametrize("width", [5.0, 40.0])
def test_covariances(trains, width):
    actual = analysis.covariances(trains.t, trains.i, range(N), bin=width, stop=STOP)
    expected = correlation.covariance(trains.binned(width), fast=False)
    np.testing.assert_allclose(actual, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("pair", [(0, 1), (3, 2)])
def test_cross_correlogram(trains, pair):
    binned = trains.binned(4.0)
    expected, lags = correlation.cross_correlation_histogram(binned[pair[0]], binned[pair[1]], window=[-25, 25])
    actual = analysis.cross_correlogram(trains.t, trains.i, *pair, bin=4.0, max_lag=100.0, stop=STOP)
    np.testing.assert_allclose(actual.coincidences, expected.magnitude[:, 0], atol=1e-9)
    np.testing.assert_allclose(actual.lag, lags * 4.0)


def test_cross_correlogram_is_the_mean_over_pairs(trains):
    groups = [0, 2, 4], [1, 2, 4, 7]
    binned = trains.binned(4.0)
    expected = [
        correlation.cross_correlation_histogram(binned[a], binned[b], window=[-10, 10])[0].magnitude[:, 0]
        for a in groups[0]
        for b in groups[1]
        if a != b
    ]
    actual = analysis.cross_correlogram(trains.t, trains.i, *groups, bin=4.0, max_lag=40.0, stop=STOP)
    np.testing.assert_allclose(actual.coincidences, np.mean(expected, axis=0), atol=1e-9)


@pytest.mark.parametrize("segment", [500, 333, 4000])
def test_spectrum(trains, segment):
    rate = analysis.population_rate(trains.t, N, bin=1.0, stop=STOP).rate
    signal = neo.AnalogSignal(rate, units=pq.Hz, sampling_rate=1.0 * pq.kHz)
    f, expected = spectral.welch_psd(signal, len_segment=segment)
    actual = analysis.spectrum(trains.t, N, bin=1.0, stop=STOP, segment=float(segment))
    np.testing.assert_allclose(actual.f, f.rescale(pq.Hz).magnitude, rtol=1e-9)
    # Elephant's analogue is per Hz too; the mean is taken off, so that the power at 0 is rounding.
    np.testing.assert_allclose(actual.power[1:], expected.magnitude[0][1:], rtol=1e-6, atol=1e-12)


def test_a_result_goes_to_elephant():
    """What Elephant says of ``result.to_neo()`` is what the analysis says of ``result.spikes``."""
    drive = Constant([0.0, 1.6, 2.0, 3.0, 5.0])
    record = (Record("exc", "spikes"), Record("exc", "v"))
    net = Network((Population("exc", LIF(), 5, stimuli=(drive,)),))
    result = simulate(net, duration=400.0, dt=0.1, record=record, backend="numpy", fuse="off")
    trains = result.to_neo().segments[0].spiketrains
    expected = [float(statistics.mean_firing_rate(train).rescale(pq.Hz)) for train in trains]
    np.testing.assert_allclose(result.rates("exc"), expected, rtol=1e-12)
    np.testing.assert_allclose(analysis.rates(*result.spikes["exc"], 5, stop=result.duration), expected, rtol=1e-12)
    intervals = analysis.isi(*result.spikes["exc"])
    np.testing.assert_allclose(
        intervals.isi[intervals.i == 4], statistics.isi(trains[4]).rescale(pq.ms).magnitude, rtol=1e-9
    )
