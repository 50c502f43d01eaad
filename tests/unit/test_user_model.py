"""A model class in a user's own script has the same engines as the registered ones."""

import runpy
from pathlib import Path

import numpy as np
import pytest

from neurosim import Constant, Network, Population, Record, UsageError, simulate
from neurosim.models import all_models
from neurosim.reference import compare

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "my_neuron.py"


@pytest.fixture(scope="module")
def example():
    return runpy.run_path(str(EXAMPLE))


def run(model, **options):
    cells = Population("cells", model, 2, stimuli=(Constant(3.0),))
    record = [Record("cells", name) for name in ("spikes", "v", "theta")]
    return simulate(Network((cells,)), duration=200.0, dt=0.1, record=record, **options)


def same_spikes(a, b):
    return np.array_equal(a.spikes["cells"].t, b.spikes["cells"].t) and np.array_equal(
        a.spikes["cells"].i, b.spikes["cells"].i
    )


def test_the_example_is_short():
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 30
    assert max(map(len, lines)) <= 110


def test_a_rising_threshold_thins_the_spikes_out(example):
    spikes = example["result"].spikes["cells"]
    constant, rising = (spikes.t[spikes.i == i] for i in (0, 1))
    assert "AdaptiveThreshold" not in all_models()
    # A constant threshold: the period of a leaky integrate-and-fire neuron, tau ln(30 / 15).
    np.testing.assert_allclose(np.diff(constant), 10.0 * np.log(2.0), atol=0.1)
    assert np.all(np.diff(rising)[:3] > np.diff(constant).max())
    assert np.diff(rising)[-1] > np.diff(rising)[0]


def test_eager_fused_and_single_precision_agree(example):
    model = example["AdaptiveThreshold"](jump=[0.0, 5.0])
    eager = run(model, fuse="off", backend="numpy")
    fused = run(model, fuse="require", backend="numpy")
    single = run(model, fuse="off", backend="numpy", precision="float32")
    assert same_spikes(eager, example["result"])
    assert same_spikes(eager, fused)
    assert same_spikes(eager, single)
    for name in ("v", "theta"):
        assert np.array_equal(eager.traces["cells"][name], fused.traces["cells"][name])
        assert single.traces["cells"][name].dtype == np.float32
        np.testing.assert_allclose(single.traces["cells"][name], eager.traces["cells"][name], rtol=1e-5)


def test_only_registered_models_have_a_reference(example):
    with pytest.raises(UsageError, match="AdaptiveThreshold is not registered: write @register"):
        compare(example["AdaptiveThreshold"]())
