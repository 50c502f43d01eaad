"""The kernel does what the formula does: bit for bit where no transcendental function is called.

Every registered model and every stimulus is walked; whether a comparison is exact follows from its trace.
"""

import numpy as np
import pytest

from neurosim import Constant, Network, Population, Record, Simulation, WhiteNoise, simulate
from neurosim.backends import numba_engine
from neurosim.backends.printers.numba_tables import CALLS
from neurosim.backends.tracing import trace
from neurosim.integrators import INTEGRATORS, get_integrator
from neurosim.models import LIF, FitzHughNagumo, all_models
from neurosim.step import assemble

PRECISIONS = pytest.mark.parametrize("precision", ["float64", "float32"])
ENTRIES = pytest.mark.parametrize("entry", all_models().values(), ids=lambda entry: entry.name)
# Largest difference over 100 ms, some two spikes and more: of mV, and of all else (gates, recovery).
# The upstroke of an action potential, 500 mV/ms, magnifies the last digits of the exponential functions.
TOLERANCES = {"float64": (1e-9, 1e-11), "float32": (0.1, 1e-3)}


def both(population, *records, dt, duration, **options):
    """The results of the kernel and of NumPy."""
    run = {"duration": duration, "dt": dt, "record": records, "backend": "numpy"} | options
    return [simulate(Network((population,)), **run, fuse=fuse) for fuse in ("require", "off")]


def transcendental(population, dt, precision="float64", method="exponential_euler"):
    """Functions of our own mathematics that a kernel calls."""
    assembly = assemble(population, dt=dt, integrator=get_integrator(method), seed=0, precision=precision)
    traced = trace(assembly.program)
    return {traced.graph.nodes[index].op for index in traced.body} & CALLS


def assert_same_spikes(fused, eager):
    for population, spikes in eager.spikes.items():
        np.testing.assert_array_equal(fused.spikes[population].t, spikes.t)
        np.testing.assert_array_equal(fused.spikes[population].i, spikes.i)


@ENTRIES
@PRECISIONS
def test_models(assert_same_result, entry, precision):
    """Forty neurons from half to one and a half of the drive that the model is judged by."""
    drive = np.linspace(0.5, 1.5, 40) * entry.reference.drive
    cells = Population("cells", entry.cls(), 40, stimuli=(Constant(drive),))
    records = [Record("cells", name) for name in ("spikes", *entry.cls.State._fields)]
    dt = entry.reference.dt
    fused, eager = both(cells, *records, dt=dt, duration=100.0, precision=precision)
    assert fused.provenance["engine"] == {"cells": "numba"}
    assert eager.provenance["engine"] == {"cells": "eager"}
    assert eager.spikes["cells"].t.size > 20
    if not transcendental(cells, dt, precision):
        assert_same_result(fused, eager)
        return
    assert_same_spikes(fused, eager)
    wide = both(cells, *records, dt=dt, duration=100.0)[1] if precision == "float32" else eager
    for name, values in eager.traces["cells"].items():
        tolerance = TOLERANCES[precision][0 if eager.unit("cells", name) == "mV" else 1]
        exact = wide.traces["cells"][name]
        # A neuron at the edge of firing magnifies any rounding: by how much, the eager path's own error tells.
        own = np.abs(values - exact)
        tolerance = max(tolerance, 10.0 * own.max())
        np.testing.assert_allclose(fused.traces["cells"][name], values, rtol=0.0, atol=tolerance, err_msg=name)
        if precision == "float32":
            # Of 600 neurons that of the median neuron is the same for both within 10 %, the largest within a factor 2.
            of_fused, of_eager = (
                np.median(np.sqrt(np.mean((x - exact) ** 2, axis=0))) for x in (fused.traces["cells"][name], values)
            )
            assert of_fused <= 2.0 * of_eager + 1e-6


@ENTRIES
@PRECISIONS
def test_a_neuron_does_not_notice_its_neighbours(assert_same_bits, entry, precision):
    """Neither in which block it is, nor whether others there need the long version of a function."""
    drive = np.linspace(0.0, 3.0, 700) * entry.reference.drive
    every_100th = slice(None, None, 100)
    records = [Record("cells", name, neurons=every_100th) for name in ("spikes", *entry.cls.State._fields)]
    options = {
        "dt": entry.reference.dt,
        "duration": 20.0,
        "precision": precision,
        "backend": "numpy",
        "fuse": "require",
    }
    if entry.cls.stochastic():
        pytest.skip("its neurons differ by their random numbers")
    many = Population("cells", entry.cls(), 700, stimuli=(Constant(drive),))
    together = simulate(Network((many,)), record=records, **options)
    for k in range(7):
        one = Population("cells", entry.cls(), 1, stimuli=(Constant(drive[every_100th][k : k + 1]),))
        alone = simulate(Network((one,)), record=records, **options)
        for name, values in together.traces["cells"].items():
            assert_same_bits(alone.traces["cells"][name][:, 0], values[:, k], name)
        spikes = together.spikes["cells"]
        np.testing.assert_array_equal(alone.spikes["cells"].t, spikes.t[spikes.i == 100 * k])


def test_some_models_are_compared_bit_for_bit():
    exact = {
        name
        for name, entry in all_models().items()
        if not transcendental(Population("cells", entry.cls(), 1), entry.reference.dt)
    }
    assert {"LIF", "Izhikevich", "FitzHughNagumo"} <= exact


@pytest.mark.parametrize("method", sorted(set(INTEGRATORS) - {"exponential_euler"}))
def test_methods(assert_same_result, method):
    model = LIF() if method == "exact" else FitzHughNagumo()
    drive = {LIF: 2.0, FitzHughNagumo: 0.5}[type(model)]
    cells = Population("cells", model, 3, stimuli=(Constant([0.0, drive, 2 * drive]),))
    assert not transcendental(cells, 0.05, method=method)
    assert_same_result(*both(cells, Record("cells", "v"), dt=0.05, duration=20.0, method=method))


@PRECISIONS
def test_stimuli(neuron_per_stimulus, assert_same_bits, precision):
    population, names = neuron_per_stimulus
    records = [Record("cells", "i_syn"), Record("cells", "spikes")]
    fused, eager = both(population, *records, dt=0.1, duration=40.0, precision=precision, seed=2**40 + 1)
    for k, name in enumerate(names):
        actual, expected = (result.traces["cells"]["i_syn"][:, k] for result in (fused, eager))
        assert np.any(expected != 0.0), name
        # One of them has an elementary function, so products and sums are fused in the kernel of all.
        np.testing.assert_allclose(actual, expected, rtol=0.0, atol=30 * np.finfo(precision).eps, err_msg=name)
    assert_same_spikes(fused, eager)


@PRECISIONS
def test_stimuli_without_elementary_functions(neuron_per_stimulus, assert_same_bits, precision):
    population, names = neuron_per_stimulus
    compared = []
    for k, name in enumerate(names):
        alone = Population("cells", LIF(), 1, stimuli=(population.stimuli[k].replace(**at(population, k)),))
        if transcendental(alone, 0.1, precision):
            continue
        records = [Record("cells", "i_syn"), Record("cells", "spikes")]
        fused, eager = both(alone, *records, dt=0.1, duration=40.0, precision=precision, seed=2**40 + 1)
        actual, expected = (result.traces["cells"]["i_syn"] for result in (fused, eager))
        assert np.any(expected != 0.0), name
        assert_same_bits(actual, expected, name)
        assert_same_spikes(fused, eager)
        compared.append(name)
    assert {"Constant", "Step", "PulseTrain", "Ramp"} <= set(compared)


def at(population, k):
    """The k-th value of each per-neuron parameter of the k-th stimulus."""
    return {name: value[k] for name, value in population.stimuli[k].values().items() if np.ndim(value)}


# -- one kernel, whatever the split

N = 5000
NOISY = Population("noisy", LIF(r_m=np.linspace(8.0, 12.0, N)), N, stimuli=(WhiteNoise(2.0, mean=1.8),), t_ref=1.0)
RECORDS = (Record("noisy", "spikes"), Record("noisy", "v", every=3, neurons=slice(None, None, 7)))


def first(population, n):
    """The first n neurons of a population."""
    return Population(
        population.name,
        population.model.replace(r_m=population.model.r_m[:n]),
        n,
        stimuli=population.stimuli,
        t_ref=population.t_ref,
    )


@pytest.fixture(scope="module")
def noisy_run():
    return simulate(Network((NOISY,)), dt=0.1, duration=30.0, record=RECORDS, backend="numpy", fuse="require", seed=5)


def test_noise_and_refractoriness(noisy_run):
    eager = simulate(Network((NOISY,)), dt=0.1, duration=30.0, record=RECORDS, backend="numpy", fuse="off", seed=5)
    assert_same_spikes(noisy_run, eager)
    np.testing.assert_allclose(noisy_run.traces["noisy"]["v"], eager.traces["noisy"]["v"], rtol=0.0, atol=1e-11)
    for neuron in (0, N - 1):
        t = noisy_run.spikes["noisy"].t[noisy_run.spikes["noisy"].i == neuron]
        assert np.all(np.diff(t) >= 1.0)


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_the_number_of_threads(noisy_run, assert_same_result, monkeypatch, threads):
    monkeypatch.setattr(numba_engine, "_WORTH_A_THREAD", 1e-12)
    monkeypatch.setattr(numba_engine.numba, "get_num_threads", lambda: threads)
    result = simulate(Network((NOISY,)), dt=0.1, duration=30.0, record=RECORDS, backend="numpy", seed=5)
    assert result.provenance["threads"] == threads
    assert_same_result(result, noisy_run)


def test_little_work_wakes_no_thread(monkeypatch):
    monkeypatch.setattr(numba_engine.numba, "get_num_threads", lambda: 8)
    few = first(NOISY, 20)
    result = simulate(Network((few,)), dt=0.1, duration=30.0, backend="numpy", fuse="require")
    assert result.provenance["threads"] == 1


@pytest.mark.parametrize("n", [1, 15, 16, 17, 400, 1500])
def test_the_number_of_neurons(noisy_run, n):
    """A neuron does not notice how many others there are, nor where its block ends."""
    few = first(NOISY, n)
    records = (Record("noisy", "spikes"), Record("noisy", "v", every=3))
    result = simulate(Network((few,)), dt=0.1, duration=30.0, record=records, backend="numpy", fuse="require", seed=5)
    spikes, kept = noisy_run.spikes["noisy"], noisy_run.spikes["noisy"].i < n
    np.testing.assert_array_equal(result.spikes["noisy"].t, spikes.t[kept])
    np.testing.assert_array_equal(result.spikes["noisy"].i, spikes.i[kept])
    np.testing.assert_array_equal(result.traces["noisy"]["v"][:, ::7], noisy_run.traces["noisy"]["v"][:, : -(-n // 7)])


@pytest.mark.parametrize("fuse", ["require", "off"])
@pytest.mark.parametrize("pieces", [(30.0,), (0.1, 29.9), (1.0,) * 30, (12.3, 0.0, 17.7)])
def test_many_short_runs(noisy_run, fuse, pieces):
    few = first(NOISY, 100)
    records = (Record("noisy", "spikes"), Record("noisy", "v", every=3))
    simulation = Simulation(Network((few,)), dt=0.1, backend="numpy", fuse=fuse, seed=5)
    parts = [simulation.run(duration, record=records) for duration in pieces]
    assert simulation.t == pytest.approx(30.0)
    spikes, kept = noisy_run.spikes["noisy"], noisy_run.spikes["noisy"].i < 100
    np.testing.assert_array_equal(np.concatenate([p.spikes["noisy"].t for p in parts]), spikes.t[kept])
    np.testing.assert_array_equal(np.concatenate([p.spikes["noisy"].i for p in parts]), spikes.i[kept])
    v = np.concatenate([p.traces["noisy"]["v"] for p in parts])[:, ::7]
    tolerance = 0.0 if fuse == "require" else 1e-11
    np.testing.assert_allclose(v, noisy_run.traces["noisy"]["v"][:, :15], rtol=0.0, atol=tolerance)
