"""What a run keeps and hands out."""

import numpy as np
import pytest

from neurosim import Constant, Network, Population, Record, Simulation, simulate
from neurosim.models import LIF, HodgkinHuxley

DT = 0.1
NET = Network(
    (
        Population("exc", LIF(), 5, stimuli=(Constant([0.0, 1.6, 2.0, 3.0, 5.0]),)),
        Population("axon", HodgkinHuxley(), 2, stimuli=(Constant(10.0),)),
    )
)


def run(*records, duration=50.0, **options):
    options = {"backend": "numpy", "fuse": "off", "dt": DT} | options
    return simulate(NET, duration=duration, record=records, **options)


@pytest.fixture(scope="module")
def full():
    return run(Record("exc", "v"), Record("exc", "i_syn"), Record("exc", "spikes"), Record("axon", "v"))


def test_spikes_are_flat_and_ordered(full):
    t, i = full.spikes["exc"]
    assert (t.dtype, i.dtype) == (np.float64, np.int32)
    order = np.lexsort((i, t))
    np.testing.assert_array_equal(order, np.arange(t.size))
    assert full.spikes["exc"].t is t


def test_a_spike_has_the_time_of_the_end_of_its_step(full):
    """In the sample at that time the potential is that after the reset."""
    t, i = full.spikes["exc"]
    steps = np.rint(t / DT).astype(int)
    kept = steps < 500
    v = full.traces["exc"]["v"]
    np.testing.assert_array_equal(v[steps[kept], i[kept]], -65.0)
    assert np.all(v[steps - 1, i] > -53.0)


def test_samples_are_taken_before_their_step(full):
    v = full.traces["exc"]["v"]
    assert v.shape == (500, 5)
    np.testing.assert_array_equal(v[0], -65.0)
    np.testing.assert_allclose(full.t, np.arange(500) * DT)
    np.testing.assert_array_equal(full.traces["exc"]["i_syn"][0], [0.0, 1.6, 2.0, 3.0, 5.0])


def test_counts_and_rates(full):
    counts = full.counts("exc")
    np.testing.assert_array_equal(counts, np.bincount(full.spikes["exc"].i, minlength=5))
    assert counts[0] == 0 < counts[1] < counts[4]
    np.testing.assert_allclose(full.rates("exc"), counts / 0.05)


def test_units(full, refuses):
    assert (full.unit("exc", "v"), full.unit("exc", "i_syn"), full.unit("axon", "i_syn")) == ("mV", "nA", "µA/cm²")
    with refuses("Result.unit: exc/w was not recorded; "):
        full.unit("exc", "w")


def test_facts(full):
    assert (full.dt, full.duration, full.n_steps, full.partial) == (DT, 50.0, 500, False)
    assert repr(full).startswith("<Result of 50 ms: exc/v (5 neurons), exc/i_syn (5 neurons)")
    facts = full.provenance
    assert facts["steps"] == 500
    assert facts["backend"] == "numpy"
    assert facts["engine"] == {"exc": "eager", "axon": "eager"}
    assert facts["populations"]["exc"]["model"] == "LIF()"
    assert facts["versions"]["numpy"] == np.__version__
    assert facts["seconds"] > 0


def test_every_and_neurons_are_parts_of_the_whole(full, assert_same_bits):
    part = run(Record("exc", "v", every=7, neurons=[1, 4]), Record("exc", "i_syn", neurons=slice(1, None, 2)))
    assert_same_bits(part.traces["exc"]["v"], full.traces["exc"]["v"][::7, [1, 4]])
    assert_same_bits(part.traces["exc"]["i_syn"], full.traces["exc"]["i_syn"][:, 1::2])
    np.testing.assert_allclose(part.times("exc", "v"), np.arange(0, 500, 7) * DT)


@pytest.mark.parametrize(("neurons", "kept"), [(-1, [4]), (2, [2]), ([-2, -1], [3, 4]), ([], [])])
def test_neurons_by_index(full, assert_same_bits, neurons, kept):
    part = run(Record("exc", "v", neurons=neurons))
    assert_same_bits(part.traces["exc"]["v"], full.traces["exc"]["v"][:, kept])


def test_spikes_of_some_neurons(full):
    part = run(Record("exc", "spikes", neurons=[1, 4]))
    kept = np.isin(full.spikes["exc"].i, [1, 4])
    np.testing.assert_array_equal(part.spikes["exc"].t, full.spikes["exc"].t[kept])
    np.testing.assert_array_equal(part.spikes["exc"].i, full.spikes["exc"].i[kept])
    assert part.rates("exc").shape == (2,)
    assert part.counts("exc").shape == (5,)


def test_a_part_that_goes_on_keeps_the_rhythm_of_the_whole(full, assert_same_bits):
    simulation = Simulation(NET, dt=DT, backend="numpy", fuse="off")
    record = Record("exc", "v", every=7)
    parts = [simulation.run(duration, record=record) for duration in (20.5, 29.5)]
    joined = np.concatenate([part.traces["exc"]["v"] for part in parts])
    assert_same_bits(joined, full.traces["exc"]["v"][::7])
    times = np.concatenate([part.times("exc", "v") for part in parts])
    np.testing.assert_allclose(times, np.arange(0, 500, 7) * DT)


def test_a_single_record_needs_no_parentheses():
    result = simulate(NET, duration=1.0, dt=DT, record=Record("exc", "v"), backend="numpy", fuse="off")
    assert list(result.traces) == ["exc"]


def test_nothing_recorded():
    result = run(duration=1.0)
    assert repr(result) == "<Result of 1 ms: nothing recorded>"
    assert len(result.spikes) == len(result.traces) == 0


def test_no_duration(refuses):
    result = run(Record("exc", "v"), Record("exc", "spikes"), duration=0.0)
    assert result.traces["exc"]["v"].shape == (0, 5)
    assert result.spikes["exc"].t.size == 0
    with refuses("Result.rates: the run has no duration"):
        result.rates("exc")


def test_results_say_what_was_recorded(full, refuses):
    part = run(Record("exc", "spikes"), Record("exc", "v", every=2), Record("axon", "v"), duration=1.0)
    assert "exc" in part.spikes
    assert "axon" not in part.spikes
    with refuses("Record('axon', 'spikes') was not recorded; ", "known: exc"):
        part.spikes["axon"]
    with refuses("any trace of population 'inh' was not recorded; ", "known: axon, exc"):
        part.traces["inh"]
    with refuses("Record('axon', 'm') was not recorded; ", "known: v"):
        part.traces["axon"]["m"]
    with refuses("traces have different `every`; write result.times('population', 'variable')"):
        _ = part.t
    with refuses("Result.times: exc/u was not recorded; ", "did you mean 'exc/v'?"):
        part.times("exc", "u")
    with refuses("Result.t: no trace was recorded; add Record('population', 'v')"):
        _ = run(duration=1.0).t
    assert repr(part.spikes) == "{exc}"


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (Record("ex", "v"), "no population 'ex': did you mean 'exc'? known: axon, exc"),
        (
            Record("exc", "V"),
            "LIF has no such variable: did you mean 'v'? known: cv, i_syn, population_rate, rates, spikes, v",
        ),
        (Record("exc", "v", every=0), "every = 0: must be a whole number of steps, at least 1"),
        (Record("exc", "v", every=0.5), "every = 0.5: must be a whole number of steps"),
        (Record("exc", "v", every=True), "every = True: must be a whole number of steps"),
        (Record("exc", "spikes", every=2), "spikes are events, all are kept; write every=1"),
        (Record("exc", "v", neurons=[0, 5]), "neuron 5 does not exist, the population has 5: use 0 … 4"),
        (Record("exc", "v", neurons=-6), "neuron -6 does not exist"),
        (Record("exc", "v", neurons=[2, 1]), "neurons must be ascending, each once: write neurons=sorted(set(…))"),
        (Record("exc", "v", neurons=[1, 1]), "neurons must be ascending, each once"),
        (Record("exc", "v", neurons=slice(None, None, -1)), "neurons must be ascending, each once"),
        (Record("exc", "v", neurons=[[0, 1]]), "neurons have shape (1, 2): write neurons=[0, 1] or a slice"),
        (Record("exc", "v", neurons=[True] * 5), "neurons must be indices or a slice, got bool: write neurons=[0, 1]"),
        (Record("exc", "v", neurons=1.5), "neurons must be indices or a slice, got float64"),
        ("v", "record has 'v': write Record('population', 'variable')"),
    ],
)
def test_records_that_cannot_be(refuses, record, message):
    with refuses(message):
        run(record)


def test_recorded_twice(refuses):
    with refuses("exc/v is recorded twice: join the two records into one"):
        run(Record("exc", "v", neurons=[0]), Record("exc", "v", neurons=[1]))


def test_a_record_that_is_no_sequence(refuses):
    with refuses("record = 5: write Record('population', 'variable'), or several of them"):
        simulate(NET, duration=1.0, dt=DT, record=5, backend="numpy", fuse="off")
