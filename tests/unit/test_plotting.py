"""Pictures: Axes come back, say what they show, and show what was recorded."""

import inspect

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from neurosim import Constant, Network, Population, Record, Simulation, analysis, plotting, simulate
from neurosim.models import LIF
from neurosim.record import SPIKES, Channel
from neurosim.result import Result
from neurosim.sinks.base import Header, Records

DT = 0.1


class Made(Records):
    """Spikes that nobody simulated."""

    def __init__(self, spikes):
        self.spikes = spikes

    def collect(self, channel):
        return self.spikes[channel.population]


def made(duration, **populations):
    """A result with ``name=(neurons, rate)`` of Poisson spikes."""
    rng = np.random.default_rng(3)
    steps = round(duration / DT)
    spikes = {}
    for name, (n, rate) in populations.items():
        step = np.sort(rng.integers(0, steps, rng.poisson(n * rate * duration * 1e-3)))
        spikes[name] = step, rng.integers(0, n, step.size).astype(np.int32)
    sizes = {name: n for name, (n, _) in populations.items()}
    channels = [Channel(name, SPIKES, 1, np.arange(n), True) for name, n in sizes.items()]
    return Result(Header(DT, 0, steps, "float64", sizes, {}, channels, {}), Made(spikes), steps, {})


@pytest.fixture(scope="module")
def two():
    return made(1000.0, exc=(80, 6.0), inh=(20, 15.0))


@pytest.fixture(scope="module")
def cells():
    """Of a run that was continued, some neurons recorded."""
    drive = Constant(np.linspace(1.0, 5.0, 6))
    simulation = Simulation(
        Network((Population("cells", LIF(), 6, stimuli=(drive,)),)), dt=DT, backend="numpy", fuse="off"
    )
    simulation.run(20.0)
    return simulation.run(
        50.0, record=(Record("cells", "spikes", neurons=[1, 3, 5]), Record("cells", "v", neurons=[0, 3, 5]))
    )


def new_axes():
    return Figure().subplots()


def colours(artists):
    return [to_hex(artist.get_color()) for artist in artists]


DRAWN = {
    "raster": ("time (ms)", ""),
    "rate": ("time (ms)", "rate (spikes/s)"),
    "isi_histogram": ("interspike interval (ms)", "density (1/ms)"),
    "correlation_histogram": ("correlation of spike counts in 5 ms", "density"),
    "spectrum": ("frequency (Hz)", "power ((spikes/s)²/Hz)"),
}


@pytest.mark.parametrize("name", DRAWN)
def test_axes_and_labels(two, name):
    draw = getattr(two.plot, name)
    ax = new_axes()
    assert draw(ax=ax) is ax
    assert (ax.get_xlabel(), ax.get_ylabel()) == DRAWN[name]
    assert isinstance(draw(), Axes)
    ax.figure.canvas.draw()  # that it can be drawn, without a warning


def test_result_plot_is_the_functions(two):
    assert set(vars(two.plot)) == {*DRAWN, "traces"}
    for name, method in vars(two.plot).items():
        function = getattr(plotting, name)
        assert method.__doc__ == function.__doc__
        assert list(inspect.signature(method).parameters) == list(inspect.signature(function).parameters)[1:]
    assert repr(two.plot).startswith("<plots: raster, rate, traces")


def test_all_names_are_there():
    assert all(hasattr(plotting, name) for name in plotting.__all__)
    functions = [getattr(plotting, name) for name in plotting.__all__ if inspect.isfunction(getattr(plotting, name))]
    assert len(functions) == 10
    for function in functions:
        text = inspect.getdoc(function)
        assert all(parameter in text for parameter in inspect.signature(function).parameters), function


# -- raster


def test_raster_of_one_population(cells):
    ax = cells.plot.raster("cells")
    (dots,) = ax.lines
    np.testing.assert_array_equal(dots.get_xdata(), cells.spikes["cells"].t)
    np.testing.assert_array_equal(dots.get_ydata(), cells.spikes["cells"].i)
    assert (ax.get_ylabel(), ax.get_title(loc="left")) == ("neuron", "cells")
    assert ax.get_xlim() == pytest.approx((20.0, 70.0))


def test_raster_of_part_of_the_time(two):
    (dots,) = two.plot.raster("inh", start=200.0, stop=300.0).lines
    t, i = two.spikes["inh"]
    kept = (t >= 200.0) & (t <= 300.0)
    np.testing.assert_array_equal(dots.get_xdata(), t[kept])
    np.testing.assert_array_equal(dots.get_ydata(), i[kept])
    assert dots.axes.get_xlim() == (200.0, 300.0)


def test_raster_stacks_populations_from_top_to_bottom(two):
    ax = two.plot.raster(colours={"inh": plotting.RED, "exc": plotting.BLUE})
    exc, inh = (line for line in ax.lines if line.get_marker() == ".")
    np.testing.assert_array_equal(exc.get_ydata(), two.spikes["exc"].i)
    np.testing.assert_array_equal(inh.get_ydata(), 80 + two.spikes["inh"].i)
    assert ax.yaxis_inverted()
    assert [label.get_text() for label in ax.get_yticklabels()] == ["exc", "inh"]
    np.testing.assert_allclose(ax.get_yticks(), [39.5, 89.5])
    assert colours((exc, inh)) == colours(ax.get_yticklabels()) == [plotting.BLUE, plotting.RED]
    reversed_ax = two.plot.raster(["inh", "exc"])
    assert [label.get_text() for label in reversed_ax.get_yticklabels()] == ["inh", "exc"]


def test_a_sample_of_a_population_leaves_no_gap():
    populations = [Population(name, LIF(), 100, stimuli=(Constant(3.0),)) for name in ("a", "b")]
    record = [Record(name, "spikes", neurons=slice(0, 100, 10)) for name in ("a", "b")]
    result = simulate(Network(tuple(populations)), duration=30.0, dt=DT, record=record, backend="numpy", fuse="off")
    ax = result.plot.raster()
    rows = [np.unique(line.get_ydata()).tolist() for line in ax.lines if line.get_marker() == "."]
    assert rows == [list(range(10)), list(range(10, 20))]


def test_names_of_small_populations_do_not_overlap():
    result = made(100.0, large=(500, 1.0), a=(4, 5.0), b=(3, 5.0), c=(2, 5.0))
    ax = result.plot.raster()
    places = ax.get_yticks()
    assert np.all(np.diff(places) >= 0.045 * 509 - 1e-9)
    assert np.all(places < 509 * 1.05)


@pytest.mark.parametrize("names", ["exc", None])
def test_raster_of_many_spikes_is_a_density_image(monkeypatch, names):
    monkeypatch.setattr("neurosim.plotting.activity.MANY", 2000)
    result = made(2000.0, exc=(400, 8.0), inh=(100, 8.0))
    ax = result.plot.raster(names)
    images = [np.asarray(image.get_array()) for image in ax.images]
    shown = ["exc"] if names else ["exc", "inh"]
    assert len(images) == len(shown)
    assert not [line for line in ax.lines if line.get_marker() == "."]
    for image, name in zip(images, shown, strict=True):
        assert image.sum() == result.spikes[name].t.size  # every spike is in one pixel
    # Time along x, to the column
    width = 2000.0 / images[0].shape[1]
    columns = analysis.population_rate(result.spikes["exc"].t, 1, bin=width, stop=2000.0).rate * width * 1e-3
    np.testing.assert_allclose(images[0].sum(axis=0), columns)
    ax.figure.canvas.draw()


def test_density_image_has_neurons_in_their_rows(monkeypatch):
    monkeypatch.setattr("neurosim.plotting.activity.MANY", 0)
    result = made(100.0, exc=(100, 0.0))
    result = Result(
        Header(DT, 0, 1000, "float64", {"exc": 100}, {}, [Channel("exc", SPIKES, 1, np.arange(100), True)], {}),
        Made({"exc": (np.arange(40_000) % 1000, np.repeat(np.int32([99, 0]), [30_000, 10_000]))}),
        1000,
        {},
    )
    ax = result.plot.raster("exc")
    (image,) = ax.images
    left, right, bottom, top = image.get_extent()
    assert (left, right, bottom, top) == (0.0, 100.0, 99.5, -0.5)  # the first row of the array is neuron 0
    rows = np.asarray(image.get_array()).sum(axis=1)
    assert (rows[0], rows[-1], rows[1:-1].sum()) == (10_000, 30_000, 0)
    assert not ax.yaxis_inverted()


def test_a_hundred_thousand_spikes_are_dots_and_one_more_is_an_image():
    from neurosim.plotting.activity import MANY

    assert MANY == 100_000


# -- rate, traces


def test_rate(two):
    ax = two.plot.rate(bin=10.0)
    exc, inh = ax.patches
    expected = analysis.population_rate(two.spikes["exc"].t, 80, bin=10.0, stop=1000.0)
    np.testing.assert_allclose(exc.get_data().values, expected.rate)
    np.testing.assert_allclose(exc.get_data().edges, np.arange(0.0, 1001.0, 10.0))
    assert np.mean(inh.get_data().values) == pytest.approx(15.0, rel=0.3)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["exc", "inh"]
    assert two.plot.rate("exc").get_title(loc="left") == "exc"


def test_traces(cells):
    ax = cells.plot.traces("cells", color=plotting.GREY)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time (ms)", "v (mV)")
    assert len(ax.lines) == 3
    for line, column in zip(ax.lines, cells.traces["cells"]["v"].T, strict=True):
        np.testing.assert_array_equal(line.get_xdata(), cells.times("cells", "v"))
        np.testing.assert_array_equal(line.get_ydata(), column)
    assert set(colours(ax.lines)) == {plotting.GREY}
    assert not ax.collections


def test_traces_of_some_neurons(cells, refuses):
    ax = cells.plot.traces("cells", "v", neurons=[5, 0])
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), cells.traces["cells"]["v"][:, 2])
    np.testing.assert_array_equal(ax.lines[1].get_ydata(), cells.traces["cells"]["v"][:, 0])
    assert len(cells.plot.traces("cells", neurons=3).lines) == 1
    with refuses("traces: cells/v of neuron 1 was not recorded: 3 were, 0 … 5"):
        cells.plot.traces("cells", neurons=[0, 1])


@pytest.mark.parametrize("neurons", [None, [5, 0, 3], 3])
def test_spikes_are_drawn_up_to_a_potential(cells, neurons):
    ax = cells.plot.traces("cells", neurons=neurons, spikes_to=20.0)
    (spikes,) = ax.collections
    segments = np.array(spikes.get_segments())
    drawn = [3, 5] if neurons is None else np.atleast_1d(neurons)
    t, i = cells.spikes["cells"]
    kept = np.isin(i, drawn)  # neuron 1 fired, but has no trace
    np.testing.assert_array_equal(segments[:, 0, 0], t[kept])
    np.testing.assert_array_equal(segments[:, 1, 0], t[kept])
    np.testing.assert_array_equal(segments[:, 1, 1], 20.0)
    # They stand where the line goes on after the reset; the very last sample is before that.
    inside = t[kept] < 70.0 - DT / 2
    sample, column = np.rint((t - 20.0) / DT).astype(int)[kept], np.searchsorted([0, 3, 5], i[kept])
    np.testing.assert_array_equal(segments[inside, 0, 1], cells.traces["cells"]["v"][sample[inside], column[inside]])
    np.testing.assert_array_equal(segments[inside, 0, 1], -65.0)
    order = [0, 3, 5] if neurons is None else list(np.atleast_1d(neurons))
    line_of = dict(zip(order, colours(ax.lines), strict=True))
    assert [to_hex(colour) for colour in spikes.get_color()] == [line_of[neuron] for neuron in i[kept]]
    assert kept.sum() > 5


# -- distributions


def test_isi_histogram_is_a_density(two):
    ax = two.plot.isi_histogram("inh", longest=1000.0, bins=100)
    (steps,) = ax.patches
    values, edges = steps.get_data().values, steps.get_data().edges
    intervals = analysis.isi(*two.spikes["inh"]).isi
    assert np.sum(values * np.diff(edges)) == pytest.approx(1.0)
    np.testing.assert_allclose(values * intervals.size * 10.0, np.histogram(intervals, edges)[0], atol=1e-9)
    (label,) = ax.get_legend().get_texts()
    irregularity = np.nanmean(analysis.cv(*two.spikes["inh"], 20))
    assert label.get_text() == f"inh, CV {irregularity:.2f}"


def test_isi_histogram_of_intervals_within_the_axis_keeps_the_scale(two):
    (short,) = two.plot.isi_histogram("inh", longest=50.0, bins=5).patches
    (long,) = two.plot.isi_histogram("inh", longest=1000.0, bins=100).patches
    # The last bin of a histogram takes its right edge too.
    np.testing.assert_allclose(short.get_data().values[:4], long.get_data().values[:4])


def test_correlation_histogram(two):
    ax = two.plot.correlation_histogram("exc", bin=10.0)
    coefficients = analysis.pairs(analysis.correlations(*two.spikes["exc"], range(80), bin=10.0, stop=1000.0))
    mean = coefficients[~np.isnan(coefficients)].mean()
    assert ax.get_legend().get_texts()[0].get_text() == f"exc, mean {mean:.3f}"
    assert ax.get_xlabel() == "correlation of spike counts in 10 ms"
    steps = ax.patches[0].get_data()
    assert np.sum(steps.values * np.diff(steps.edges)) == pytest.approx(1.0, abs=0.01)


def test_correlation_histogram_takes_a_sample():
    result = made(500.0, exc=(900, 20.0))
    ax = result.plot.correlation_histogram("exc", sample=30)
    some = np.unique(result.spikes["exc"].i)
    some = some[np.linspace(0, some.size - 1, 30).astype(int)]
    expected = analysis.pairs(analysis.correlations(*result.spikes["exc"], some, bin=5.0, stop=500.0)).mean()
    assert ax.get_legend().get_texts()[0].get_text() == f"exc, mean {expected:.3f}"


def test_spectrum(two):
    ax = two.plot.spectrum("exc", segment=200.0, highest=100.0)
    f, power = analysis.spectrum(two.spikes["exc"].t, 80, stop=1000.0, segment=200.0)
    kept = (f > 0.0) & (f <= 100.0)
    (line,) = ax.lines
    np.testing.assert_allclose(line.get_xdata(), f[kept])
    np.testing.assert_allclose(line.get_ydata(), power[kept])
    assert ax.get_yscale() == "log"


def test_weight_histogram(refuses):
    weights = np.array([[0.1, 0.2], [0.25, np.nan]])
    ax = plotting.weight_histogram(weights, bins=np.array([0.0, 0.15, 0.3]), unit="nA", label="before")
    assert [patch.get_height() for patch in ax.patches] == [1.0, 2.0]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("weight (nA)", "synapses")
    assert ax.get_legend().get_texts()[0].get_text() == "before"
    assert plotting.weight_histogram(weights, ax, bins=4) is ax
    assert len(ax.patches) == 6
    with refuses("weight_histogram: there is no weight"):
        plotting.weight_histogram([])


# -- connectivity


def image(ax):
    return np.asarray(ax.images[0].get_array())


SOURCE, TARGET, WEIGHT = np.array([0, 2, 2, 1]), np.array([1, 0, 0, 3]), np.array([0.5, 1.0, 0.25, -2.0])
MATRIX = np.array([[0.0, 0.5, 0.0, 0.0], [0.0, 0.0, 0.0, -2.0], [1.25, 0.0, 0.0, 0.0]])


def test_connectivity():
    ax = plotting.connectivity(WEIGHT, SOURCE, TARGET, unit="nA")
    np.testing.assert_array_equal(image(ax), MATRIX)  # two synapses of one pair add
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("target neuron", "source neuron")
    assert ax.figure.axes[1].get_ylabel() == "weight (nA)"
    assert ax.yaxis_inverted()
    norm = ax.images[0].norm
    assert (norm(-2.0), norm(0.0), norm(1.25)) == (0.0, 0.5, 1.0)


def test_connectivity_of_any_kind():
    scipy_sparse = pytest.importorskip("scipy.sparse")
    np.testing.assert_array_equal(image(plotting.connectivity(MATRIX)), MATRIX)
    np.testing.assert_array_equal(image(plotting.connectivity(scipy_sparse.csr_array(MATRIX))), MATRIX)
    ones = image(plotting.connectivity(source=SOURCE, target=TARGET, shape=(4, 6)))
    assert ones.shape == (4, 6)
    assert (ones[2, 0], ones.sum()) == (2.0, 4.0)
    np.testing.assert_array_equal(image(plotting.connectivity(0.5, SOURCE, TARGET, shape=(4, 6))), 0.5 * ones)
    assert image(plotting.connectivity(np.zeros((2, 2)))).sum() == 0.0
    assert plotting.connectivity(-MATRIX.clip(max=0.0)).images[0].norm(0.0) == 0.0
    assert plotting.connectivity(MATRIX.clip(max=0.0)).images[0].norm(0.0) == 1.0


def test_connectivity_of_many_neurons_shares_pixels():
    rng = np.random.default_rng(1)
    matrix = rng.normal(size=(1203, 40)) * (rng.random((1203, 40)) < 0.1)
    ax = plotting.connectivity(matrix)
    shown = image(ax)
    assert shown.shape == (401, 40)
    np.testing.assert_allclose(shown, matrix.reshape(401, 3, 40).mean(axis=1), atol=1e-12)
    assert ax.figure.axes[1].get_ylabel() == "mean weight of a pair"
    last = image(plotting.connectivity(np.ones((1001, 2))))  # the last pixel holds fewer
    np.testing.assert_allclose(last, 1.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0, 2.0],), "connectivity: weights have shape (2,): write a matrix (sources, targets)"),
        ((), "connectivity: weights have shape (0,): write a matrix"),
        ((None, [0]), "connectivity: source and target go together"),
        ((None, [0], [0, 1]), "connectivity: source has shape (1,), target (2,), weights (1,): write flat arrays"),
        ((None, [0.5], [0.5]), "connectivity: source and target must be indices of neurons, integers"),
        ((None, [-1], [0]), "connectivity: an index lies outside of shape"),
    ],
)
def test_connectivity_refuses(refuses, arguments, message):
    with refuses(message):
        plotting.connectivity(*arguments)


def test_connectivity_outside_of_the_shape(refuses):
    with refuses("an index lies outside of shape = (2, 9): write (3, 4) or more"):
        plotting.connectivity(None, SOURCE, TARGET, shape=(2, 9))


# -- what is drawn of which populations


def test_refusals(two, cells, refuses):
    with refuses("Record('ex', 'spikes') was not recorded", "did you mean 'exc'?"):
        two.plot.raster("ex")
    with refuses("3 colours for 2 populations: write one each, or one for all"):
        two.plot.rate(colours=["k", "r", "g"])
    with refuses("no spikes were recorded: add Record('population', 'spikes')"):
        made(1.0).plot.raster()
    with refuses("the run has no duration: there is nothing to draw"):
        made(0.0, exc=(3, 1.0)).plot.raster()
    with refuses("plot: stop = 100 ms must be after start = 200 ms"):
        two.plot.rate(start=200.0, stop=100.0)
    with refuses("Result.neurons: cells/u was not recorded; "):
        cells.neurons("cells", "u")
    with refuses("correlation_histogram: 0 neurons of quiet fired, at least 2 are needed"):
        made(10.0, quiet=(3, 0.0)).plot.correlation_histogram()


def test_one_colour_for_all(two):
    assert set(colours(line for line in two.plot.raster(colours="k").lines if line.get_marker() == ".")) == {"#000000"}
    assert set(colours(two.plot.spectrum(colours=["r", "r"]).lines)) == {"#ff0000"}


def test_a_silent_population_can_be_drawn():
    quiet = made(100.0, quiet=(3, 0.0), other=(3, 0.0))
    for name in ("raster", "rate", "isi_histogram"):
        getattr(quiet.plot, name)().figure.canvas.draw()


def test_traces_of_nobody():
    record = (Record("cells", "v", neurons=[]), Record("cells", "spikes"))
    cells = Population("cells", LIF(), 2, stimuli=(Constant(3.0),))
    result = simulate(Network((cells,)), duration=20.0, dt=DT, record=record, backend="numpy", fuse="off")
    assert not result.plot.traces("cells", spikes_to=20.0).lines


def test_a_file_can_be_drawn(tmp_path):
    drive = Constant(np.linspace(1.0, 5.0, 6))
    record = (Record("cells", "spikes", neurons=[1, 3, 5]), Record("cells", "v"))
    net = Network((Population("cells", LIF(), 6, stimuli=(drive,)),))
    path = tmp_path / "run.h5"
    simulate(net, duration=50.0, dt=DT, record=record, backend="numpy", fuse="off", sink=path)
    loaded = Result.load(path)
    assert loaded.neurons("cells").tolist() == [1, 3, 5]
    np.testing.assert_array_equal(loaded.plot.raster().lines[0].get_xdata(), loaded.spikes["cells"].t)
    assert len(loaded.plot.traces("cells", spikes_to=20.0).lines) == 6


def test_neurons_and_span(cells):
    assert cells.neurons("cells").tolist() == [1, 3, 5]
    assert cells.neurons("cells", "v").tolist() == [0, 3, 5]
    assert cells.span == pytest.approx((20.0, 70.0))
