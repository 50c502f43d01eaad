"""The window loops: in Python and compiled, for any number of threads, in any parts, the same bits."""

import gc
import signal
import time
import tracemalloc
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from networks import DT, everything, flat, networks, population, ran, sources, spikes, synapses

from neurosim import (
    Constant,
    Network,
    NeuronModel,
    Population,
    Projection,
    Record,
    Result,
    Simulation,
    SimulationError,
    SpikeSource,
    connect,
    param,
)
from neurosim.backends import SlowPathWarning, kernel_cache, numba_engine, numba_loop
from neurosim.models import LIF
from neurosim.receptors import Delta, ExponentialCurrent

DURATION = 15.0
OWNERS = pytest.mark.parametrize("owners", [1, 2, 3])
FUSE = pytest.mark.parametrize("fuse", ["require", "off"])


def examples(count):
    """Few, for each is several simulations."""
    return settings(max_examples=count, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def same_bits(actual, expected):
    assert list(actual) == list(expected)
    for name, values in expected.items():
        assert actual[name].dtype == values.dtype, name
        np.testing.assert_array_equal(actual[name], values, name)


def busy(seed=0, sizes=(300, 90), kind="lif", **options):
    """A network that certainly spikes and listens: the tests that are not of random networks use it."""
    rng = np.random.default_rng(seed)
    members = [population(kind, f"p{k}", n) for k, n in enumerate(sizes)]
    given = sources(rng, 20)
    projections = [
        synapses(rng, source, target, receptor, 6 * target.n, **options)
        for target in members
        for receptor in target.receptors
        for source in (*members, given)
    ]
    return Network((members[0], given, *members[1:]), tuple(projections))


# -- the same for any engine and any number of owners


@examples(12)
@given(networks())
def test_compiled_is_the_reference_bit_for_bit(net):
    expected = flat(*ran(net, [DURATION], fuse="off", method="euler"))
    for owners in (1, 2, 3):
        same_bits(flat(*ran(net, [DURATION], fuse="require", owners=owners, method="euler")), expected)


@examples(6)
@given(networks(kinds=("lif", "free")))
def test_exact_propagators_too(net):
    expected = flat(*ran(net, [DURATION], fuse="off", method="exact"))
    for owners in (1, 3):
        same_bits(flat(*ran(net, [DURATION], fuse="require", owners=owners, method="exact")), expected)


@examples(4)
@given(networks(kinds=("conductance",)))
def test_with_transcendental_functions_the_spikes_are_the_same(net):
    """And every bit is, for any number of owners."""
    reference = ran(net, [DURATION], fuse="off")
    one = ran(net, [DURATION], fuse="require")
    assert spikes(one[0][0]) == spikes(reference[0][0])
    for name, values in flat(*reference).items():
        np.testing.assert_allclose(flat(*one)[name], values, rtol=1e-11, atol=1e-13, err_msg=name)
    for owners in (2, 3):
        same_bits(flat(*ran(net, [DURATION], fuse="require", owners=owners)), flat(*one))


@pytest.mark.parametrize("weights", ["float64", "float32", "constant"])
@OWNERS
def test_in_float32(weights, owners):
    net = busy(weights=weights)
    expected = flat(*ran(net, [DURATION], fuse="off", method="euler", precision="float32"))
    same_bits(flat(*ran(net, [DURATION], fuse="require", owners=owners, method="euler", precision="float32")), expected)


def test_what_the_random_networks_are_like():
    """They spike and they listen: without synapses the spikes are others."""
    net = busy()
    (heard,), _ = ran(net, [DURATION], fuse="off", method="euler")
    (alone,), _ = ran(Network(net.populations), [DURATION], fuse="off", method="euler")
    assert heard.counts("p0").sum() > 200
    assert spikes(heard)["p0"] != spikes(alone)["p0"]
    assert spikes(heard)["source"] == spikes(alone)["source"]


@pytest.mark.parametrize("seed", [1, 2])
def test_other_array_libraries(other_backend, seed):
    net = busy(seed, sizes=(40, 13))
    (expected,), _ = ran(net, [6.0], fuse="off", method="euler")
    (actual,), _ = ran(net, [6.0], fuse="off", method="euler", backend=other_backend)
    assert spikes(actual) == spikes(expected)
    assert expected.counts("p0").sum() > 10
    for name, values in expected.traces["p0"].items():
        np.testing.assert_allclose(actual.traces["p0"][name], values, rtol=1e-12, atol=1e-12)


def test_a_delay_longer_than_all_of_the_run():
    net = busy(delays=(400, 500))
    alone = Network(net.populations)
    for fuse in ("off", "require"):
        (late,), _ = ran(net, [DURATION], fuse=fuse, method="euler")
        (never,), _ = ran(alone, [DURATION], fuse=fuse, method="euler")
        assert spikes(late) == spikes(never)


# -- in parts


@examples(8)
@given(networks(kinds=("lif", "izhikevich")), st.data())
def test_runs_in_a_row_are_one(net, data):
    """Cut anywhere, with other records in the second part, for which kernels and the loop are made anew."""
    steps = round(DURATION / DT)
    cuts = sorted(data.draw(st.lists(st.integers(0, steps), min_size=1, max_size=3)))
    fuse = data.draw(st.sampled_from(["off", "require"]))
    owners = data.draw(st.sampled_from([1, 2])) if fuse == "require" else 1
    currents = [Record(p.name, "i_syn", neurons=[0]) for p in net.populations if p.name == "p0"]
    records = [everything(net)] + [everything(net) + currents] * len(cuts)
    whole = flat(*ran(net, [DURATION], fuse=fuse, method="euler"))
    durations = np.diff([0, *cuts, steps]) * DT
    parts = flat(*ran(net, durations, records=records, fuse=fuse, owners=owners, method="euler"))
    parts.pop("p0 i_syn")
    same_bits(parts, {name: whole[name] for name in parts})
    assert len(parts) == len(whole)


@examples(5)
@given(networks(), st.data())
def test_records_of_some_populations(net, data):
    """What is recorded decides nothing else: nor what is not recorded arrives."""
    (whole,), _ = ran(net, [DURATION], fuse="off", method="euler")
    wanted = data.draw(st.lists(st.sampled_from([p.name for p in net.populations]), unique=True))
    records = [[Record(name, "spikes") for name in wanted]]
    for fuse, owners in (("off", 1), ("require", 1), ("require", 2)):
        (some,), _ = ran(net, [DURATION], records=records, fuse=fuse, owners=owners, method="euler")
        assert list(some.spikes) == wanted
        assert spikes(some) == {name: spikes(whole)[name] for name in wanted}


@OWNERS
@pytest.mark.parametrize("delays", [(1, 9), (6, 12)])
def test_buffers_grow(owners, delays):
    """From one entry to thousands, in the middle of windows, and over several runs."""

    def small(patch, simulation):
        patch.setattr(numba_loop, "_PAST", 1)
        patch.setattr(numba_loop, "_RECORDS", 1)

    net = busy(delays=delays)
    expected = flat(*ran(net, [DURATION], fuse="off", method="euler"))
    some = ran(net, [4.0, 0.1, DURATION - 4.1], fuse="require", owners=owners, method="euler", prepare=small)
    actual = flat(*some)
    same_bits(actual, {name: expected[name] for name in actual})
    assert len(actual["p0 spikes t"]) > 200


# -- what is not finite


def bad(when, names=("good", "bad"), n=500):
    """Populations of which each but "good" is kicked to −∞ at neuron 3, and a little later at another."""
    source = Population("source", SpikeSource([when]), 1)
    others = tuple(Population(name, LIF(), n, receptors={"jump": Delta()}, t_ref=1.0) for name in names)
    projections = [
        Projection(
            "source",
            p.name,
            connect.from_arrays([0, 0, 0, 0], [3, 3, n - 30, n - 30]),
            weight=1e-3 if p.name == "good" else -1e308,
            delay=[0.9, 1.0, 1.2, 1.3],
            receptor="jump",
        )
        for p in others
    ]
    return Network((source, *others), tuple(projections))


@pytest.mark.parametrize("owners", [(1,), (2, 3)])
@pytest.mark.parametrize("when", [0.1, 3.0, 3.7])
def test_a_bad_value_is_named_alike(when, owners):
    messages = []
    for fuse, threads in (("off", 1), *(("require", threads) for threads in owners)):
        with pytest.raises(SimulationError) as caught:
            ran(bad(when), [10.0], fuse=fuse, owners=threads)
        messages.append(str(caught.value))
        assert caught.value.result.n_steps <= round((when + 1.0) / DT)
    assert messages[0].startswith(f"population 'bad': v of neuron 3 became -inf at t = {when + 1.0:g} ms (LIF, dt = ")
    assert set(messages) == {messages[0]}


def test_of_two_bad_populations_the_first_is_named():
    for fuse in ("off", "require"):
        with pytest.raises(SimulationError, match=r"population 'bad2': v of neuron 3 became -inf at t = 2 ms"):
            ran(bad(1.0, names=("good", "bad2", "bad1")), [10.0], fuse=fuse)


# -- the run around it


@FUSE
def test_ctrl_c_leaves_a_part_that_goes_on(fuse):
    net = busy()
    whole, state = ran(net, [60.0], fuse=fuse, method="euler")
    simulation = Simulation(net, dt=DT, fuse=fuse, method="euler")
    records = everything(net)

    def stop(done, total):
        if not stop.sent:
            stop.sent = True
            signal.raise_signal(signal.SIGINT)

    stop.sent = False
    first = simulation.run(60.0, record=records, progress=stop)
    assert first.partial
    assert first.provenance["partial"] == "interrupted"
    assert 0 < first.n_steps < 600
    second = simulation.run(60.0 - first.duration, record=records)
    same_bits(flat([first, second], {p.name: simulation.state(p.name) for p in net.populations}), flat(whole, state))


@FUSE
def test_a_file_holds_what_memory_would(fuse, tmp_path):
    net = busy()
    (expected,), _ = ran(net, [DURATION], fuse=fuse, method="euler")
    simulation = Simulation(net, dt=DT, fuse=fuse, method="euler")
    written = simulation.run(DURATION, record=everything(net), sink=tmp_path / "run.h5")
    for result in (written, Result.load(tmp_path / "run.h5")):
        same_bits(flat([result], {}), flat([expected], {}))


@FUSE
def test_nothing_grows_from_window_to_window(fuse):
    """In steps the network is as busy as before, and holds as much."""
    held = []
    tracemalloc.start()  # first: what is made before is not counted until it is replaced, which looks like growth
    try:
        simulation = Simulation(busy(sizes=(40, 10)), dt=DT, fuse=fuse, method="euler")
        simulation.run(16.0)
        for _ in range(3):
            simulation.run(8.0)
            gc.collect()
            held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert held[-1] - held[0] < 20_000


class Unfusible(NeuronModel):
    """A leaky neuron with a function that no kernel knows."""

    class State(NamedTuple):
        v: object

    tau: float = param(10.0, "ms", above=0.0)

    def init(self, xp):
        return self.State(0.0)

    def derivatives(self, xp, s, i_syn):
        return self.State((10.0 * xp.atan(i_syn) - s.v) / self.tau)

    def threshold(self, xp, s):
        return s.v > 5.0

    def reset(self, xp, s):
        return self.State(0.0)


def test_fused_and_eager_populations_in_one_network():
    rng = np.random.default_rng(5)
    own = Population("own", Unfusible(), 30, stimuli=(Constant(0.4),), receptors={"exc": ExponentialCurrent()})
    lif = population("lif", "lif", 270)
    projections = [
        synapses(rng, source, target, receptor, 900)
        for target in (own, lif)
        for receptor in target.receptors
        for source in (own, lif)
    ]
    net = Network((own, lif), tuple(projections))
    (expected,), _ = ran(net, [DURATION], fuse="off", method="euler")
    with pytest.warns(SlowPathWarning, match="own runs op by op on backend 'numpy'") as caught:
        (mixed,), _ = ran(net, [DURATION], fuse="auto", method="euler")
    assert len(caught) == 1
    assert mixed.provenance["engine"] == {"own": "eager", "lif": "numba"}
    same_bits(flat([mixed], {}), flat([expected], {}))
    assert expected.counts("own").sum() > 20


@FUSE
def test_synapses_that_are_drawn_anew_give_the_same_spikes(fuse):
    def run(stored):
        p = population("free", "p", 60)
        projection = Projection(
            "p", "p", connect.fixed_probability(0.3), weight=1.0, delay=0.5, receptor="jump", stored=stored
        )
        return spikes(ran(Network((p,), (projection,)), [DURATION], fuse=fuse)[0][0])

    drawn = run(stored=False)
    assert drawn == run(stored=True)
    assert len(drawn["p"][0]) > 100


# -- many populations


def ring(populations, total=4000, synapses_each=20):
    """A ring of populations with so many neurons and synapses in all, whatever their number."""
    n = total // populations
    rng = np.random.default_rng(3)
    members = [population("free", f"p{k}", n) for k in range(populations)]
    count = n * synapses_each
    return Network(
        tuple(members),
        tuple(
            Projection(
                f"p{k}",
                f"p{(k + 1) % populations}",
                connect.from_arrays(rng.integers(n, size=count), rng.integers(n, size=count)),
                weight=0.1,
                delay=1.5,
                receptor="jump",
            )
            for k in range(populations)
        ),
    )


def test_hundreds_of_populations(monkeypatch):
    loaded = []
    original = kernel_cache.load
    monkeypatch.setattr(
        numba_engine.kernel_cache, "load", lambda *arguments: loaded.append(original(*arguments)) or loaded[-1]
    )
    seconds, counts = {}, {}
    for populations in (1, 200):
        simulation = Simulation(ring(populations), dt=DT, fuse="require", method="euler")
        simulation.run(1.0)
        begin = time.process_time()
        result = simulation.run(300.0, record=[Record(p.name, "spikes") for p in simulation.net.populations])
        seconds[populations] = time.process_time() - begin
        counts[populations] = sum(result.counts(p.name).sum() for p in simulation.net.populations)
    assert len({id(module) for module in loaded}) == 1
    assert counts[200] == pytest.approx(counts[1], rel=0.1)
    assert seconds[200] < 10 * seconds[1]
