"""What every registered model keeps to."""

import dataclasses
import inspect
import math
import re
from typing import get_type_hints

import numpy as np
import pytest
from model_runs import population, run, spike_times

from neurosim import Network, Record, Simulation, UsageError, models
from neurosim.integrators import INTEGRATORS
from neurosim.model import Reference, register, state_units
from neurosim.models import PoissonSource, all_models, get_model
from neurosim.parameters import parameters

ENTRIES = list(all_models().values())
MODELS = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)


@MODELS
def test_what_it_is_can_be_read(entry):
    cls = entry.cls
    assert entry.summary == inspect.getdoc(cls).splitlines()[0].rstrip(".")
    assert inspect.getdoc(inspect.getmodule(cls))
    assert re.fullmatch(r"10\.\d{4,9}/\S+", entry.doi)
    assert cls.current_unit
    hints = get_type_hints(cls.State, include_extras=True)
    assert all(getattr(hints[name], "__metadata__", None) for name in cls.State._fields)
    assert set(state_units(cls)) == set(cls.State._fields)
    for name, info in parameters(cls).items():
        assert info.unit, name
        assert info.doc, name


@MODELS
def test_one_model_is_one_file(entry):
    module = inspect.getmodule(entry.cls)
    here = [other.name for other in ENTRIES if inspect.getmodule(other.cls) is module]
    assert here == [entry.name]
    assert len(inspect.getsource(module).splitlines()) <= 110
    assert getattr(models, entry.name) is entry.cls
    assert get_model(entry.name) is entry
    assert entry.name in dir(models)


@pytest.mark.parametrize("entry", [e for e in ENTRIES if not e.cls.stochastic()], ids=lambda entry: entry.name)
def test_it_begins_at_rest(entry):
    """Without input nothing happens: no spike, and the state stays within 0.3 of its units."""
    names = entry.cls.State._fields
    result = run(population(entry.cls()), 100.0, 0.05, ("spikes", *names), method="rk4", fuse="off")
    assert len(result.spikes["cells"].t) == 0
    for name in names:
        trace = result.traces["cells"][name]
        assert np.ptp(trace) < 0.3, name
        assert abs(trace[-1] - trace[-2]).max() < 1e-5, name


@MODELS
@pytest.mark.parametrize("method", INTEGRATORS)
def test_every_integrator_keeps_it_finite(entry, method):
    """Without input, spiking, and spiking hard."""
    n, reference = 4, entry.reference
    cells = population(entry.cls(), n, np.linspace(0.0, 2.0 * reference.drive, n))
    dt = reference.dt
    try:
        simulation = Simulation(Network((cells,)), dt=dt, method=method, backend="numpy", fuse="off")
    except UsageError as error:
        if "needs a linear model" not in str(error):
            raise
        pytest.skip("exact takes linear models alone")
    result = simulation.run(400 * dt, record=Record("cells", "spikes"))
    assert all(np.isfinite(values).all() for values in simulation.state("cells").values())
    assert result.counts("cells").shape == (n,)


def assert_arrays_equal_scalars(entry, **options):
    n = 3
    cls, dt = entry.cls, entry.reference.dt
    spread = np.linspace(-0.02, 0.02, n)
    varied = {name: value + spread * (abs(value) or 1.0) for name, value in cls().values().items()}
    names = ("spikes", *cls.State._fields)
    together = run(population(cls(**varied), n, entry.reference.drive), 100 * dt, dt, names, **options)
    for k in range(n):
        model = cls(**{name: float(values[k]) for name, values in varied.items()})
        # The same lane, because a random number belongs to its neuron.
        alone = run(population(model, n, entry.reference.drive), 100 * dt, dt, names, **options)
        for name in cls.State._fields:
            expected = alone.traces["cells"][name][:, k]
            np.testing.assert_array_equal(together.traces["cells"][name][:, k], expected)
        np.testing.assert_array_equal(spike_times(together, k), spike_times(alone, k))


@MODELS
@pytest.mark.parametrize("method", ["exponential_euler", "rk4"])
def test_arrays_of_parameters_are_runs_of_their_own(entry, method):
    assert_arrays_equal_scalars(entry, method=method, backend="numpy", fuse="off")


def test_arrays_of_parameters_are_runs_of_their_own_in_a_kernel():
    assert_arrays_equal_scalars(get_model("AdEx"), backend="numpy", fuse="require")


@MODELS
def test_single_precision_is_close(entry):
    reference, names = entry.reference, entry.cls.State._fields
    cells = population(entry.cls(), 3, np.linspace(0.0, reference.drive, 3))
    runs = [
        run(cells, 100 * reference.dt, reference.dt, names, precision=precision, backend="numpy", fuse="off")
        for precision in ("float64", "float32")
    ]
    for name in names:
        wide, narrow = (result.traces["cells"][name] for result in runs)
        assert narrow.dtype == np.float32
        np.testing.assert_allclose(narrow, wide, atol=2e-4 * np.abs(wide).max())


@MODELS
def test_a_step_that_is_too_large_is_refused(entry):
    model = PoissonSource(rate=100.0) if entry.cls is PoissonSource else entry.cls()
    limit = model.max_dt()
    assert 0 < limit < math.inf
    words = f"dt = {2 * limit:g} ms is too large.*{entry.name} is stable up to {limit:g} ms"
    with pytest.raises(UsageError, match=words):
        Simulation(Network((population(model),)), dt=2 * limit)


def test_a_name_is_registered_once():
    with pytest.raises(UsageError, match="model 'LIF' is registered already"):
        register(reference=Reference("", "v > 0"))(type("LIF", (), {}))


def test_an_unknown_model_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match=r"unknown model 'HodgkinHuxly'.*HodgkinHuxley"):
        get_model("HodgkinHuxly")
    with pytest.raises(AttributeError, match="HodgkinHuxley"):
        models.HodgkinHuxly  # noqa: B018


@MODELS
def test_entries_are_complete(entry):
    assert dataclasses.is_dataclass(entry.cls)
    assert entry.reference.threshold
    assert entry.cls.resets() == bool(entry.reference.reset)
    if not entry.cls.resets() and not entry.cls.stochastic():
        assert entry.reference.refractory == entry.reference.threshold  # upward crossings
