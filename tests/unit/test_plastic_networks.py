"""Networks with plastic synapses: the compiled loop against the plain one, bit for bit; weights that are recorded."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plastic import DT, PAIR, RULES, TRIPLET, network

from neurosim import Network, Projection, Record, Result, Simulation
from neurosim.backends import plasticity_kernels, threads
from neurosim.plasticity import STDP

RECORD = (Record("a", "spikes"), Record("b", "spikes"), Record("b", "v", every=7, neurons=slice(0, None, 8)))


def outcome(rule, seed, parts=(40.0,), *, owners=1, read=False, build=None, every=50, **options):
    """Spikes, traces and weights of runs in a row."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threads, "threads_for", lambda neurons: owners)
        net = network(rule, seed, **(build or {}))
        simulation = Simulation(net, dt=DT, seed=seed, backend="numpy", **options)
        records = [*RECORD, Record("learns", "weight", every=every)] if rule.learns else RECORD
        found = {}
        for k, part in enumerate(parts):
            # another kernel, and so another loop, that goes on with the synapses of the one before
            result = simulation.run(part, record=[*records, *([Record("b", "i_syn", every=50)] if k else [])])
            for name in "ab":
                found.setdefault(name, []).append(np.stack(result.spikes[name]))
            found.setdefault("v", []).append(result.traces["b"]["v"].T)
            if rule.learns:
                found.setdefault("sampled", []).append(result.traces["learns"]["weight"].T)
            if read:
                simulation.weights("learns")
        found = {name: np.concatenate(pieces, axis=1) for name, pieces in found.items()}
        found |= {name: np.stack(simulation.weights(name)) for name in ("to a", "learns", "back")}
        assert options["fuse"] == "off" or simulation._loop.threads == owners
    return found


def assert_same(one, other):
    assert list(one) == list(other)
    for name, values in one.items():
        np.testing.assert_array_equal(values, other[name], err_msg=name)


@settings(max_examples=12, deadline=None)
@given(
    rule=st.sampled_from(sorted(RULES)),
    seed=st.integers(0, 2**32 - 1),
    owners=st.sampled_from([1, 2, 3]),
    precision=st.sampled_from(["float64", "float32"]),
    longest=st.sampled_from([DT, 1.0, 12.0]),
    n=st.sampled_from([(1, 1), (3, 7), (20, 250)]),
    parts=st.sampled_from([(40.0,), (13.7, 26.3), (0.1, 20.0, 19.9)]),
)
def test_the_compiled_loop_is_the_plain_one(rule, seed, owners, precision, longest, n, parts):
    options = {"precision": precision, "build": {"longest": longest, "n": n}}
    plain = outcome(RULES[rule], seed, fuse="off", **options)
    assert_same(plain, outcome(RULES[rule], seed, parts, owners=owners, fuse="require", read=True, **options))
    assert n[0] < 20 or min(plain["a"].shape[1], plain["b"].shape[1]) > 50
    if RULES[rule].learns and n[0] == 20:
        assert (plain["learns"][2] != plain["sampled"][:, 0]).mean() > 0.2


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_runs_in_a_row_are_one_run(rule):
    for fuse in ("off", "require"):
        whole = outcome(rule, 5, fuse=fuse)
        assert_same(whole, outcome(rule, 5, (0.1, 0.1, 19.8, 20.0), fuse=fuse, read=True))


def test_any_number_of_threads_gives_the_same_bits():
    options = {"fuse": "require", "build": {"n": (300, 700)}}
    one = outcome(TRIPLET, 3, **options)
    for owners in (2, 3):
        assert_same(one, outcome(TRIPLET, 3, owners=owners, **options))


@pytest.mark.parametrize("rule", ["additive", "triplet, nearest"])
def test_neurons_that_spike_more_often_than_their_ring_holds(rule):
    # sources spike seldom and nobody reads weights, which would empty the rings, too
    options = {"build": {"drive": (0.6, 15.0), "longest": 12.0}, "every": 10_000}
    # bounds would hide what is lost
    weak = RULES[rule]
    weak = weak.replace(**{name: value / 50 for name, value in weak.values().items() if name.startswith("a")})
    plain = outcome(weak, 11, (90.0,), fuse="off", **options)
    counts = np.bincount(plain["b"][1].astype(int))
    assert np.median(counts) > 3 * plasticity_kernels.RING
    for owners in (1, 2):
        assert_same(plain, outcome(weak, 11, (3.0, 87.0), owners=owners, fuse="require", **options))


def test_plastic_and_static_synapses_onto_one_receptor_are_summed_in_one_order():
    with_rule = outcome(STDP(20.0, 20.0, 0.0, 0.0, w_max=1.0), 7, fuse="require")  # never changes a weight
    static = Simulation(
        Network(
            (net := network(PAIR, 7)).populations,
            [
                Projection(p.source, p.target, p.connect, p.weight, p.delay, p.receptor, name=p.name)
                for p in net.projections
            ],
        ),
        dt=DT,
        seed=7,
        backend="numpy",
        fuse="require",
    ).run(40.0, record=RECORD)
    for name in "ab":
        np.testing.assert_array_equal(with_rule[name], np.stack(static.spikes[name]))


# -- reading and recording weights


def test_weights_are_listed_by_source_target_and_delay():
    simulation = Simulation(network(PAIR, 2), dt=DT, backend="numpy")
    source, target, weight, delay = simulation.weights("learns")
    assert len(source) == len(target) == len(weight) == len(delay) == 4 * 270
    assert (np.lexsort((delay, target, source)) == np.arange(len(source))).all()
    assert weight.dtype == np.float64
    assert ((weight >= 0) & (weight < 1)).all()
    simulation.run(50.0)
    after = simulation.weights("learns")
    np.testing.assert_array_equal(after.source, source)
    assert (after.weight != weight).mean() > 0.2
    assert simulation.weights("b->b:other").weight.tolist() == [0.3] * (4 * 270)


def test_a_record_of_weights_is_a_trace_of_a_column_per_synapse(tmp_path):
    net = network(PAIR, 2)
    simulation = Simulation(net, dt=DT, backend="numpy")
    first = simulation.weights("learns").weight
    result = simulation.run(30.0, record=[Record("learns", "weight", every=100), Record("a", "spikes")])
    weights = result.traces["learns"]["weight"]
    assert weights.shape == (3, 4 * 270)
    np.testing.assert_array_equal(weights[0], first)
    np.testing.assert_allclose(result.times("learns", "weight"), [0.0, 10.0, 20.0])
    assert result.unit("learns", "weight") == "nA"

    chosen = [1, 5, 800]
    path = tmp_path / "weights.h5"
    again = Simulation(net, dt=DT, backend="numpy")
    again.run(30.0, record=Record("learns", "weight", every=100, neurons=chosen), sink=path)
    loaded = Result.load(path)
    np.testing.assert_array_equal(loaded.traces["learns"]["weight"], weights[:, chosen])
    assert loaded.neurons("learns", "weight").tolist() == chosen


def test_a_sample_is_of_the_beginning_of_its_step():
    """A weight that changes in step k is the new one at (k + 1)·dt."""
    simulation = Simulation(network(PAIR, 4), dt=DT, backend="numpy")
    simulation.run(20.0)
    sampled = simulation.run(5.0, record=Record("learns", "weight")).traces["learns"]["weight"]
    again = Simulation(network(PAIR, 4), dt=DT, backend="numpy")
    again.run(20.0)
    for k in range(50):
        np.testing.assert_array_equal(sampled[k], again.weights("learns").weight)
        again.run(DT)
    assert (np.diff(sampled, axis=0) != 0).any()
