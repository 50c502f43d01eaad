"""Op by op on every array library: the same spikes and, to rounding, the same traces as on NumPy."""

import numpy as np
import pytest

from neurosim import Constant, Network, Population, Record, Simulation, SlowPathWarning, WhiteNoise, simulate
from neurosim.backends.program import LAST_EVENT
from neurosim.models import LIF, HodgkinHuxley, all_models

ENTRIES = pytest.mark.parametrize("entry", all_models().values(), ids=lambda entry: entry.name)
RELATIVE = {"float64": 1e-12, "float32": 1e-4}  # of the largest value


def run(population, backend, *, dt, duration, precision="float64", variables=("v",)):
    records = [Record(population.name, name) for name in ("spikes", *variables)]
    options = {"backend": backend, "precision": precision, "fuse": "off", "seed": 1}
    return simulate(Network((population,)), duration=duration, dt=dt, record=records, **options)


def assert_equal_to_rounding(actual, expected, precision="float64"):
    for population, spikes in expected.spikes.items():
        np.testing.assert_array_equal(actual.spikes[population].t, spikes.t)
        np.testing.assert_array_equal(actual.spikes[population].i, spikes.i)
    for population, traces in expected.traces.items():
        for name, values in traces.items():
            other = actual.traces[population][name]
            assert other.dtype == values.dtype == precision
            atol = RELATIVE[precision] * np.abs(values).max()
            np.testing.assert_allclose(other, values, rtol=0.0, atol=atol, err_msg=name)


@ENTRIES
def test_models(other_backend, entry):
    drive = np.linspace(0.7, 1.5, 5) * entry.reference.drive
    cells = Population("cells", entry.cls(), 5, stimuli=(Constant(drive),), t_ref=2.0)
    options = {"dt": 0.1, "duration": 25.0, "variables": entry.cls.State._fields}
    assert_equal_to_rounding(run(cells, other_backend, **options), run(cells, "numpy", **options))


def test_float32(other_backend):
    cells = Population("cells", HodgkinHuxley(), 3, stimuli=(Constant([0.0, 10.0, 20.0]),))
    options = {"dt": 0.05, "duration": 10.0, "precision": "float32", "variables": HodgkinHuxley.State._fields}
    actual, expected = run(cells, other_backend, **options), run(cells, "numpy", **options)
    assert_equal_to_rounding(actual, expected, "float32")


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_stimuli(other_backend, neuron_per_stimulus, precision):
    population, _ = neuron_per_stimulus
    options = {"dt": 0.1, "duration": 40.0, "precision": precision, "variables": ("v", "i_syn")}
    actual, expected = run(population, other_backend, **options), run(population, "numpy", **options)
    assert_equal_to_rounding(actual, expected, precision)


def test_arrays_stay_in_their_library(backend):
    """No step leaves NumPy arrays, or another type, behind."""
    net = Network((Population("cells", LIF(r_m=[9.0, 11.0]), 2, stimuli=(WhiteNoise(1.0),), t_ref=1.0),))
    simulation = Simulation(net, dt=0.1, backend=backend, precision="float32", fuse="off")
    simulation.run(1.0)
    for name, array in simulation._kernels["cells"]._state.items():
        assert type(array) is type(backend.asarray(0.0, "float32"))
        assert array.dtype == (backend.xp.int32 if name == LAST_EVENT else backend.xp.float32)
        assert array.shape == (2,)


def run_three_times(simulation):
    for record in ((), Record("cells", "v"), Record("cells", "i_syn")):
        simulation.run(1.0, record=record)
    return simulation


def test_the_slow_path_warns_once(other_backend):
    if other_backend.fusible() is None:
        pytest.skip(f"{other_backend.name} has a fused engine")
    net = Network((Population("cells", LIF(), 2),))
    with pytest.warns(SlowPathWarning, match=r"cells runs op by op on backend .*; write fuse='off'") as caught:
        simulation = run_three_times(Simulation(net, dt=0.1, backend=other_backend))
    assert len(caught) == 1
    assert simulation.kernels["cells"].startswith("cells: op by op with ")


def test_fuse_require(other_backend, refuses):
    if other_backend.fusible() is None:
        pytest.skip(f"{other_backend.name} has a fused engine")
    net = Network((Population("cells", LIF(), 2),))
    with refuses("fuse='require', but cells cannot be fused on backend ", "no kernels are generated for "):
        Simulation(net, dt=0.1, backend=other_backend, fuse="require")


def test_results_are_numpy_arrays(backend):
    cells = Population("cells", LIF(), 2, stimuli=(Constant(3.0),))
    result = run(cells, backend, dt=0.1, duration=20.0)
    for array in (*result.spikes["cells"], result.traces["cells"]["v"], result.counts("cells")):
        assert type(array) is np.ndarray
