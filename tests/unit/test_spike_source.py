"""Given spikes: when they are, where they go, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurosim import Constant, Network, Population, Projection, Record, Simulation, SpikeSource, connect, simulate
from neurosim.models import LIF
from neurosim.receptors import ExponentialCurrent

DT = 0.1


def emitted(source, n=3, duration=20.0, dt=DT, **options):
    net = Network((Population("source", source, n),))
    result = simulate(net, duration=duration, dt=dt, record=Record("source", "spikes"), **options)
    return result.spikes["source"]


@given(
    st.lists(st.tuples(st.integers(1, 200), st.integers(0, 2)), max_size=30),
    st.sampled_from([0.1, 0.025, 0.3]),
)
def test_they_are_what_was_given(spikes, dt):
    """In order of time and neuron, each once, whatever the order in which they were given."""
    times, neurons = [dt * step for step, _ in spikes], [i for _, i in spikes]
    found = emitted(SpikeSource(times, neurons), dt=dt, duration=200 * dt)
    expected = sorted(set(spikes))
    np.testing.assert_allclose(found.t, [dt * step for step, _ in expected], rtol=1e-12)
    np.testing.assert_array_equal(found.i, [i for _, i in expected])


def test_defaults():
    assert len(emitted(SpikeSource()).t) == 0
    found = emitted(SpikeSource([3.0, 1.0]))
    np.testing.assert_allclose(found.t, [1.0, 3.0])
    np.testing.assert_array_equal(found.i, [0, 0])
    assert emitted(SpikeSource(5.0)).t == pytest.approx([5.0])


def test_a_time_between_two_steps_is_taken_at_the_nearest():
    np.testing.assert_allclose(emitted(SpikeSource([0.96, 1.04, 2.06])).t, [1.0, 2.1])


def test_spikes_behind_the_end_are_left_for_the_next_run():
    net = Network((Population("source", SpikeSource([1.0, 10.0, 10.1, 15.0], [0, 1, 0, 2]), 3),))
    simulation = Simulation(net, dt=DT)
    first, second = (simulation.run(d, record=Record("source", "spikes")).spikes["source"] for d in (10.0, 5.0))
    np.testing.assert_allclose(first.t, [1.0, 10.0])
    np.testing.assert_allclose(second.t, [10.1, 15.0])
    np.testing.assert_array_equal(second.i, [0, 2])


def test_what_was_given_is_copied():
    times = np.array([1.0, 2.0])
    source = SpikeSource(times)
    times[:] = 3.0
    np.testing.assert_array_equal(source.t, [1.0, 2.0])
    with pytest.raises(ValueError, match="read-only"):
        source.t[0] = 3.0


@pytest.mark.parametrize("fuse", ["require", "off"])
@pytest.mark.parametrize("delay", [0.1, 0.7, 2.0])
def test_a_spike_arrives_after_its_delay(fuse, delay):
    """Spike at t of neuron k, at neuron k at t + delay, to the step."""
    times = np.array([0.1, 1.0, 3.3])
    net = Network(
        (
            Population("source", SpikeSource(times, [0, 1, 2]), 3),
            Population("cells", LIF(), 3, receptors={"syn": ExponentialCurrent()}),
        ),
        (Projection("source", "cells", connect.one_to_one(), weight=0.5, delay=delay, receptor="syn"),),
    )
    result = simulate(net, duration=8.0, dt=DT, record=Record("cells", "syn_i"), fuse=fuse)
    i, t = result.traces["cells"]["syn_i"], result.times("cells", "syn_i")
    since = t[:, None] - (times + delay)
    np.testing.assert_allclose(i, np.where(since > -1e-9, 0.5 * np.exp(-since / 5.0), 0.0), atol=1e-12)


def test_in_a_network_that_is_recorded_in_part():
    """Those that nobody records arrive all the same."""
    net = Network(
        (
            Population("source", SpikeSource([1.0], [1]), 2),
            Population("silent", SpikeSource(), 1),
            Population("cells", LIF(), 2, receptors={"syn": ExponentialCurrent()}, stimuli=(Constant(1.45),)),
        ),
        (Projection("source", "cells", connect.one_to_one(), weight=5.0, delay=1.0, receptor="syn"),),
    )
    records = [Record("cells", "spikes"), Record("silent", "spikes")]
    for fuse in ("off", "require"):
        result = simulate(net, duration=20.0, dt=DT, record=records, fuse=fuse)
        assert set(result.spikes["cells"].i) == {1}
        assert len(result.spikes["silent"].t) == 0
        assert Simulation(net, dt=DT, fuse=fuse).kernels["source"] == "source: 1 given spikes"
    assert Simulation(net, dt=DT).state("source") == {}


# -- refusals


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (([1.0, np.nan],), ["SpikeSource.t has nan: give finite times in ms"]),
        (([np.inf],), ["SpikeSource.t has inf"]),
        (("soon",), ["SpikeSource.t = 'soon': give numbers, one per spike"]),
        (([[1.0], [2.0, 3.0]],), ["SpikeSource.t = ", "give numbers, one per spike"]),
        (([[1.0, 2.0]],), ["SpikeSource.t has shape (1, 2): give one value per spike, shape (S,)"]),
        (([1.0, 2.0], [0]), ["SpikeSource: 2 times and 1 neurons: give one neuron for each time"]),
        (([1.0], [0.5]), ["SpikeSource.i has 0.5: give whole numbers of neurons"]),
        (([1.0], [np.nan]), ["SpikeSource.i has nan: give whole numbers of neurons"]),
        (([1.0], [np.inf]), ["SpikeSource.i has inf: give whole numbers of neurons"]),
        (([1.0], [1e30]), ["SpikeSource.i has 1e+30: give whole numbers of neurons"]),
        (([1.0], ["first"]), ["SpikeSource.i = ['first']: give numbers, one per spike"]),
    ],
)
def test_what_cannot_be(arguments, parts, refuses):
    with refuses(*parts):
        SpikeSource(*arguments)


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        (SpikeSource([5.0, 0.04]), ["population 'source': SpikeSource.t has 0.04 ms: the first spike can be at dt ="]),
        (SpikeSource([-1e300]), ["SpikeSource.t has -1e+300 ms: the first spike can be at dt = 0.1 ms"]),
        (SpikeSource([-3.0]), ["SpikeSource.t has -3 ms", "dt = 0.1 ms"]),
        (SpikeSource([1e300]), ["SpikeSource.t has 1e+300 ms: write times below 9.0072e+14 ms"]),
        (SpikeSource([1.0, 2.0], [0, 3]), ["population 'source': SpikeSource.i has neuron 3, there are 3: use 0 … 2"]),
        (SpikeSource([1.0], [-1]), ["SpikeSource.i has neuron -1, there are 3: use 0 … 2"]),
    ],
)
def test_what_does_not_fit_the_network(source, parts, refuses):
    with refuses(*parts):
        Simulation(Network((Population("source", source, 3),)), dt=DT)


def test_a_source_takes_no_input(refuses):
    with refuses("projection 'source->source:syn': population 'source' has no receptor 'syn'"):
        Network(
            (Population("source", SpikeSource([1.0]), 1),),
            (Projection("source", "source", connect.one_to_one(), weight=1.0, delay=1.0, receptor="syn"),),
        )


@pytest.mark.parametrize("options", [{"stimuli": (Constant(1.0),)}, {"t_ref": 2.0}], ids=["stimuli", "t_ref"])
def test_what_given_spikes_cannot_heed_is_refused(options, refuses):
    with refuses("population 'source': "):
        Simulation(Network((Population("source", SpikeSource([1.0]), 1, **options),)), dt=DT)


def test_a_source_has_no_traces(refuses):
    net = Network((Population("source", SpikeSource([1.0]), 1),))
    with refuses("Record('source', 'v'): SpikeSource has no such variable"):
        simulate(net, duration=1.0, dt=DT, record=Record("source", "v"))


def test_a_source_has_no_current(refuses):
    net = Network((Population("source", SpikeSource([1.0]), 1),))
    with refuses("Record('source', 'i_syn')"):
        simulate(net, duration=1.0, dt=DT, record=Record("source", "i_syn"))
