"""Statistics that are made while a network runs, against those of the spikes."""

import numpy as np
import pytest

from neurosim import Network, Population, Record, Result, Simulation, WhiteNoise, analysis
from neurosim.models import LIF

DT, N = 0.1, 30


def simulation(**options):
    cells = Population("cells", LIF(), N, stimuli=(WhiteNoise(sigma=2.0, mean=2.2),), t_ref=1.0)
    return Simulation(Network((cells,)), dt=DT, backend="numpy", seed=3, **options)


def records(every=500, neurons=slice(None)):
    return [
        Record("cells", "spikes"),
        Record("cells", "population_rate", every=every),
        Record("cells", "rates", every=every, neurons=neurons),
        Record("cells", "cv", every=every, neurons=neurons),
    ]


@pytest.mark.parametrize("fuse", ["off", "require"])
@pytest.mark.parametrize("every", [1, 70, 500])
def test_they_are_those_of_the_spikes(fuse, every):
    result = simulation(fuse=fuse).run(200.0, record=records(every))
    t, i = result.spikes["cells"]
    assert len(t) > 300
    step = np.rint(t / DT).astype(int) - 1
    edges = np.append(np.arange(0, 2000, every), 2000)
    seconds = np.diff(edges) * DT * 1e-3
    counts = np.histogram2d(step, i, (edges, np.arange(N + 1) - 0.5))[0]
    trace = result.traces["cells"]
    np.testing.assert_allclose(trace["rates"], counts / seconds[:, None])
    np.testing.assert_allclose(trace["population_rate"][:, 0], counts.sum(1) / N / seconds)
    np.testing.assert_allclose(result.times("cells", "rates"), edges[:-1] * DT)
    assert result.unit("cells", "population_rate") == "Hz"


def test_the_irregularity_of_a_whole_run():
    result = simulation().run(400.0, record=records(every=4000))
    t, i = result.spikes["cells"]
    found = result.traces["cells"]["cv"]
    assert found.shape == (1, N)
    np.testing.assert_allclose(found[0], analysis.cv(t, i, N), rtol=1e-6)


def test_an_interval_belongs_to_the_bin_in_which_it_ends():
    result = simulation().run(300.0, record=records(every=1000))
    t, i = result.spikes["cells"]
    for b in range(3):
        for neuron in range(N):
            times = t[i == neuron]
            ends = np.diff(times)[(times[1:] > 100.0 * b + 1e-9) & (times[1:] <= 100.0 * (b + 1) + 1e-9)]
            expected = ends.std() / ends.mean() if len(ends) >= 2 else np.nan
            np.testing.assert_allclose(result.traces["cells"]["cv"][b, neuron], expected, rtol=1e-6)


def test_runs_in_a_row_and_some_neurons():
    chosen = [2, 5, 17]
    whole = simulation().run(150.0, record=records(500, chosen)).traces["cells"]
    two = simulation()
    parts = [two.run(d, record=records(500, chosen)).traces["cells"] for d in (100.0, 50.0)]
    for name in ("rates", "population_rate"):
        np.testing.assert_array_equal(whole[name], np.concatenate([part[name] for part in parts]))
    assert whole["rates"].shape == (3, 3)


def test_a_bin_that_began_before_the_run_is_left_out():
    two = simulation()
    two.run(30.0)
    result = two.run(70.0, record=records(500))
    np.testing.assert_allclose(result.times("cells", "rates"), [50.0])
    assert result.traces["cells"]["rates"].shape == (1, N)


def test_in_a_file(tmp_path):
    path = tmp_path / "run.h5"
    kept = simulation().run(120.0, record=records(500))
    simulation().run(120.0, record=records(500)[1:], sink=path)
    loaded = Result.load(path)
    for name in ("population_rate", "rates", "cv"):
        np.testing.assert_array_equal(loaded.traces["cells"][name], kept.traces["cells"][name])
    assert list(loaded.spikes) == []


def test_refusals(refuses):
    with refuses("it is that of all neurons: leave out neurons"):
        simulation().run(1.0, record=Record("cells", "population_rate", neurons=[0]))
    with refuses("every = 0: must be a whole number of steps"):
        simulation().run(1.0, record=Record("cells", "cv", every=0))
