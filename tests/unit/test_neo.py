"""``Result.to_neo``: what goes out comes back."""

import sys

import numpy as np
import pytest

from neurosim import Constant, Network, Population, Record, Result, Simulation
from neurosim.models import LIF, HodgkinHuxley

RECORD = (
    Record("exc", "spikes"),
    Record("exc", "v"),
    Record("axon", "v", every=7, neurons=[1, 2]),
    Record("axon", "i_syn"),
    Record("axon", "m"),
    Record("axon", "spikes", neurons=[0, 2]),
)


def runs(*records):
    """Two parts of one simulation."""
    populations = (
        Population("exc", LIF(), 4, stimuli=(Constant([3.0, 0.0, 2.0, 5.0]),)),
        Population("axon", HodgkinHuxley(), 3, stimuli=(Constant([0.0, 8.0, 15.0]),)),
    )
    simulation = Simulation(Network(populations), dt=0.05, backend="numpy", fuse="off", seed=7)
    return [simulation.run(duration, record=records) for duration in (40.0, 60.0)]


@pytest.fixture(scope="module")
def second():
    return runs(*RECORD)[1]


@pytest.fixture(scope="module")
def block(second):
    pytest.importorskip("neo", reason="neo is not installed")
    return second.to_neo()


def test_spikes_come_back(second, block):
    segment = block.segments[0]
    assert [train.name for train in segment.spiketrains] == ["exc/0", "exc/1", "exc/2", "exc/3", "axon/0", "axon/2"]
    for population in ("exc", "axon"):
        trains = [train for train in segment.spiketrains if train.annotations["population"] == population]
        t = np.concatenate([train.rescale("ms").magnitude for train in trains])
        i = np.repeat([train.annotations["neuron"] for train in trains], [len(train) for train in trains])
        order = np.lexsort((i, t))
        np.testing.assert_array_equal(t[order], second.spikes[population].t)
        np.testing.assert_array_equal(i[order], second.spikes[population].i)
        assert len(t) > 3
    for train in segment.spiketrains:
        assert (float(train.t_start), float(train.t_stop)) == (40.0, 100.0)
    assert len(segment.spiketrains[1]) == 0  # silent, and there


def test_traces_come_back(second, block):
    signals = {signal.name: signal for signal in block.segments[0].analogsignals}
    assert set(signals) == {"exc/v", "axon/v", "axon/i_syn", "axon/m"}
    for name, signal in signals.items():
        population, variable = name.split("/")
        np.testing.assert_array_equal(signal.magnitude, second.traces[population][variable])
        np.testing.assert_allclose(signal.times.rescale("ms").magnitude, second.times(population, variable))
        np.testing.assert_array_equal(signal.array_annotations["neuron"], second.neurons(population, variable))
        assert signal.annotations["unit"] == second.unit(population, variable)
    assert float(signals["exc/v"].sampling_rate.rescale("Hz")) == pytest.approx(20_000.0)
    assert float(signals["axon/v"].sampling_period.rescale("ms")) == pytest.approx(0.35)
    assert float(signals["exc/v"].units.rescale("V")) == pytest.approx(1e-3)
    assert float(signals["axon/i_syn"].units.rescale("A/m**2")) == pytest.approx(1e-2)  # µA/cm²
    assert signals["axon/m"].units.dimensionality.string == "dimensionless"


def test_groups_and_facts(block):
    groups = {group.name: group for group in block.groups}
    assert {name: (len(g.spiketrains), len(g.analogsignals)) for name, g in groups.items()} == {
        "exc": (4, 1),
        "axon": (2, 3),
    }
    assert groups["axon"].annotations["size"] == 3
    segment = block.segments[0]
    assert all(train.segment is segment for train in segment.spiketrains)
    assert groups["axon"].spiketrains[1] is segment.spiketrains[5]  # shared, not copied
    channel, times = segment.spiketrains.multiplexed
    assert channel.size == times.size == sum(len(train) for train in segment.spiketrains)
    assert block.annotations["dt"] == 0.05
    assert block.annotations["seed"] == 7
    assert block.annotations["backend"] == "numpy"


def test_what_is_written_into_it_leaves_the_result_alone(second):
    pytest.importorskip("neo", reason="neo is not installed")
    segment = second.to_neo().segments[0]
    v, t = second.traces["exc"]["v"].copy(), second.spikes["exc"].t.copy()
    for signal in segment.analogsignals:
        signal.magnitude[:] = 0.0
    segment.spiketrains[0].magnitude[:] = 41.0
    np.testing.assert_array_equal(second.traces["exc"]["v"], v)
    np.testing.assert_array_equal(second.spikes["exc"].t, t)


def test_a_file_goes_to_neo(second, tmp_path):
    pytest.importorskip("neo", reason="neo is not installed")
    net = Network((Population("exc", LIF(), 4, stimuli=(Constant([3.0, 0.0, 2.0, 5.0]),)),))
    Simulation(net, dt=0.05, backend="numpy", fuse="off").run(30.0, record=RECORD[:2], sink=tmp_path / "run.h5")
    result = Result.load(tmp_path / "run.h5")
    segment = result.to_neo().segments[0]
    assert [len(train) for train in segment.spiketrains] == result.counts("exc").tolist()
    np.testing.assert_array_equal(segment.analogsignals[0].magnitude, result.traces["exc"]["v"])


def test_nothing_recorded_and_empty_records():
    pytest.importorskip("neo", reason="neo is not installed")
    block = runs()[0].to_neo()
    assert len(block.segments[0].spiketrains) == len(block.groups) == 0
    nobody = runs(Record("exc", "spikes", neurons=[]), Record("exc", "v", neurons=[]))[0].to_neo()
    assert len(nobody.segments[0].spiketrains) == len(nobody.segments[0].analogsignals) == 0


def test_a_unit_that_quantities_does_not_know():
    pq = pytest.importorskip("quantities", reason="neo is not installed")
    from neurosim.neo_export import _unit

    assert _unit("bananas") == pq.dimensionless
    assert _unit("µS") == pq.uS
    assert _unit("mS/cm²").dimensionality == pq.Quantity(1.0, "mS/cm**2").dimensionality


def test_without_neo(second, monkeypatch, refuses):
    monkeypatch.setitem(sys.modules, "neo", None)
    with refuses("Result.to_neo: ", 'pip install "neurosim[neo]"'):
        second.to_neo()
