"""Synapses that are drawn anew give the spikes of those that are stored, on both loops, in any mixture."""

import dataclasses

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from networks import DT, flat, population, ran, sources, spikes, synapses
from plastic import RULES
from test_loops import Unfusible

from neurosim import (
    Constant,
    Network,
    Population,
    Projection,
    Record,
    Simulation,
    SlowPathWarning,
    SpikeSource,
    UsageError,
    connect,
)
from neurosim.backends import drawn_state, numba_loop, threads
from neurosim.connect.base import CONNECTORS
from neurosim.distributions import Normal, Uniform
from neurosim.models import LIF
from neurosim.plasticity import STDP
from neurosim.receptors import ExponentialCurrent

DURATION = 15.0
OWNERS = pytest.mark.parametrize("owners", [1, 2, 3])
# Of n sources and m targets; a connector that learns to draw its rows anew needs an entry.
MADE = {
    "all_to_all": lambda n, m: connect.all_to_all(autapses=False),
    "one_to_one": lambda n, m: connect.one_to_one() if n == m else connect.fixed_probability(0.02),
    "fixed_probability": lambda n, m: connect.fixed_probability(min(1.0, 5.0 / m)),
    "fixed_out_degree": lambda n, m: connect.fixed_out_degree(5),
    "fixed_total_number": lambda n, m: connect.fixed_total_number(4 * n, multapses=False) if m > 9 else None,
}
DELAYS = {
    "one step": DT,
    "constant": 1.1,
    "few": Uniform(0.2, 0.5),
    "many": Normal(1.5, 1.0, low=0.2, high=4.0),
}
STEP = 0.05  # mV or nA, about
DRAWN = Normal(STEP, STEP)


def examples(count):
    """Few, for each is several simulations."""
    return settings(max_examples=count, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def same_bits(actual, expected):
    assert list(actual) == list(expected)
    for name, values in expected.items():
        np.testing.assert_array_equal(actual[name], values, name)


def all_stored(net):
    """The same network with all synapses in memory."""
    return Network(net.populations, tuple(dataclasses.replace(q, stored=True) for q in net.projections))


@st.composite
def mixtures(draw, kinds=("lif", "free"), learns=(False, True)):
    """Several populations, joined by projections of which at least one is not stored, some maybe listed or plastic."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sizes = st.sampled_from([2, 9, 40, 270])
    chosen = draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=3))
    members = [population(kind, f"p{k}", draw(sizes)) for k, kind in enumerate(chosen)]
    targets = list(members)
    if draw(st.booleans()):
        members.insert(draw(st.integers(0, len(members))), sources(rng, draw(sizes)))
    projections = []
    for number in range(draw(st.integers(1, 6))):
        source, target = draw(st.sampled_from(members)), draw(st.sampled_from(targets))
        made = MADE[draw(st.sampled_from(sorted(MADE)))](int(source.n), int(target.n))
        weight = draw(st.sampled_from([STEP, DRAWN]))
        delay = DELAYS[draw(st.sampled_from(sorted(DELAYS)))]
        receptor = draw(st.sampled_from([r for r in ("exc", "jump") if r in target.receptors]))
        stored = number > 0 and draw(st.booleans())
        made = made or connect.fixed_probability(0.2)
        projections.append(Projection(source.name, target.name, made, weight, delay, receptor, stored=stored))
    source, target = draw(st.sampled_from(members)), draw(st.sampled_from(targets))
    if draw(st.booleans()):
        projections.append(synapses(rng, source, target, "jump", 3 * target.n, name="listed"))
    if draw(st.sampled_from(learns)):
        rule = RULES[draw(st.sampled_from(sorted(RULES)))]
        weight, delay = Uniform(0.0, 2 * STEP), draw(st.sampled_from([0.3, Uniform(0.2, 1.0)]))
        made = connect.fixed_probability(0.1)
        projections.append(Projection(source.name, target.name, made, weight, delay, "jump", rule, name="plastic"))
    order = draw(st.permutations(projections))
    return Network(tuple(members), tuple(order))


def small(patch, simulation):
    """Room for one word and one spike at the beginning, and again whenever less is in use."""
    patch.setattr(numba_loop, "_PAST", 1)
    patch.setattr(numba_loop, "_RECORDS", 1)
    patch.setattr(drawn_state, "_arena_words", lambda made: 1)
    patch.setattr(drawn_state, "_STEPS_BETWEEN_LOOKS", 0)


# -- the same bits


def test_every_connector_that_can_is_among_them():
    assert sorted(MADE) == sorted(name for name, connector in CONNECTORS.items() if connector.can_regenerate)


@examples(8)
@given(mixtures(), st.booleans())
def test_any_mixture_gives_the_bits_of_all_stored(net, cramped):
    expected = flat(*ran(all_stored(net), [DURATION], fuse="require", method="euler"))
    same_bits(flat(*ran(net, [DURATION], fuse="off", method="euler")), expected)
    prepare = small if cramped else None
    for owners in (1, 2, 3):
        drawn = ran(net, [DURATION], fuse="require", owners=owners, method="euler", prepare=prepare)
        same_bits(flat(*drawn), expected)


@examples(6)
@given(mixtures(), st.data())
def test_runs_in_a_row_are_one(net, data):
    """Cut anywhere; the loop is made anew while spikes travel, as it is when other kernels are needed."""
    steps = round(DURATION / DT)
    cuts = sorted(data.draw(st.lists(st.integers(0, steps), min_size=1, max_size=3)))
    owners = data.draw(st.sampled_from([1, 2]))

    def prepare(patch, simulation):
        run = simulation.run

        def anew(*arguments, **options):
            if simulation._loop is not None:
                simulation._join()
            return run(*arguments, **options)

        patch.setattr(simulation, "run", anew)

    names = [Record(p.name, "spikes") for p in net.populations]
    whole = flat(*ran(net, [DURATION], records=[names], fuse="require", method="euler"))
    durations = np.diff([0, *cuts, steps]) * DT
    records = [names] * len(durations)
    parts = ran(net, durations, records=records, fuse="require", owners=owners, method="euler", prepare=prepare)
    same_bits(flat(*parts), whole)


def busy(delay="many", weight=DRAWN, stored=False):
    """A network that certainly spikes and listens."""
    members = [population("lif", "p0", 300), population("lif", "p1", 90)]
    joined = [
        Projection(
            s.name, t.name, connect.fixed_probability(0.1), weight, DELAYS[delay], receptor, stored=stored, name=name
        )
        for s in members
        for t in members
        for receptor in ("exc", "jump")
        for name in [f"{s.name}{t.name}{receptor}"]
    ]
    return Network(tuple(members), tuple(joined))


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize("weight", [STEP, DRAWN], ids=["constant", "drawn"])
def test_in_both_precisions(weight, precision):
    options = {"fuse": "require", "method": "euler", "precision": precision}
    expected = flat(*ran(busy("few", weight, stored=True), [DURATION], **options))
    for owners in (1, 2):
        same_bits(flat(*ran(busy("few", weight), [DURATION], owners=owners, **options)), expected)
    assert len(expected["p0 spikes t"]) > 100


def test_what_these_networks_are_like():
    """They spike and they listen: without synapses the spikes are others."""
    (heard,), _ = ran(busy(), [DURATION], fuse="require", method="euler")
    (alone,), _ = ran(Network(busy().populations), [DURATION], fuse="off", method="euler")
    assert heard.counts("p0").sum() > 200
    assert spikes(heard)["p0"] != spikes(alone)["p0"]


# -- memory


@OWNERS
@pytest.mark.parametrize("delay", DELAYS)
def test_arenas_grow(owners, delay):
    """From one word to thousands, in the middle of windows and over several runs."""
    expected = flat(*ran(busy(delay, stored=True), [DURATION], fuse="require", method="euler"))
    durations = [4.0, 0.1, DURATION - 4.1]
    parts = flat(*ran(busy(delay), durations, fuse="require", owners=owners, method="euler", prepare=small))
    same_bits({name: parts[name] for name in expected}, expected)


@OWNERS
def test_rows_that_memory_does_not_hold_are_drawn_at_each_delay(owners):
    expected = flat(*ran(busy(stored=True), [DURATION], fuse="require", method="euler"))
    simulations = []

    def prepare(patch, simulation):
        small(patch, simulation)
        patch.setattr(drawn_state, "_free", lambda: 10_000)
        simulations.append(simulation)

    with pytest.warns(SlowPathWarning, match=r"in flight take .* are drawn again at each of their delays"):
        drawn = ran(busy(), [DURATION], fuse="require", owners=owners, method="euler", prepare=prepare)
    same_bits(flat(*drawn), expected)
    arenas = simulations[0]._loop._drawn.arrays.arenas
    capacities = arenas[:, :, drawn_state.kernels.CAPACITY]
    assert 1 < capacities.max() <= 2_000
    assert arenas[:, :, drawn_state.kernels.LIMITED].any()


def lasting(delay, stored=False):
    """About 10 spikes per second of each neuron, without any hour at which they come together."""
    n = 3000
    drive = (Constant(np.random.default_rng(1).uniform(1.5, 1.52, n)),)
    receptors = {"excitatory": ExponentialCurrent(3.0)}
    cells = Population("cells", LIF(tau_m=40.0), n, stimuli=drive, receptors=receptors)
    projection = Projection("cells", "cells", connect.fixed_probability(0.1), 0.0, delay, stored=stored)
    return Network((cells,), (projection,))


@OWNERS
@pytest.mark.parametrize("delay", ["constant", "many"])
def test_the_estimate_is_what_is_taken(owners, delay, monkeypatch):
    """As long as spikes are no more than was assumed."""
    monkeypatch.setattr(threads, "threads_for", lambda neurons: owners)
    simulation = Simulation(lasting(DELAYS[delay]), dt=DT, backend="numpy")
    simulation.run(DT)
    drawn, wiring = simulation._loop._drawn, simulation._synapses.wiring
    assert simulation.memory_estimate.synapses == pytest.approx(drawn.nbytes + wiring.nbytes, rel=0.1)


def test_rows_leave_with_their_longest_delay():
    """However long it runs, as much memory."""
    simulation = Simulation(busy(), dt=DT, backend="numpy", fuse="require")
    simulation.run(60.0)
    taken, laid = simulation._loop._drawn.nbytes, simulation._loop._drawn.arrays.arenas[0, :, drawn_state.kernels.HEAD]
    before = laid.copy()
    simulation.run(150.0)
    assert simulation._loop._drawn.nbytes < 1.6 * taken
    capacity = simulation._loop._drawn.arrays.arenas[0, :, drawn_state.kernels.CAPACITY]
    assert (laid - before > 3 * capacity).all()


@pytest.mark.parametrize("owners", [1, 2])
def test_a_burst_gives_back_what_it_took(owners):
    """All of a population spike at once, then few; arenas are made smaller while spikes travel."""
    n, rng = 600, np.random.default_rng(2)
    few = rng.uniform(10.0, 200.0, n)
    times, lanes = np.concatenate([np.full(n, 5.0), few]), np.concatenate([np.arange(n), rng.integers(n, size=n)])
    source, cells = Population("source", SpikeSource(times, lanes), n), population("free", "p", n)
    taken = {}

    def ran_in_parts(stored):
        joined = Projection("source", "p", connect.fixed_probability(0.3), DRAWN, DELAYS["many"], "jump", stored=stored)

        def prepare(patch, simulation):
            run = simulation.run

            def told(*arguments, **options):
                result = run(*arguments, **options)
                if not stored:
                    taken[round(simulation.t)] = simulation._loop._drawn.nbytes
                return result

            patch.setattr(simulation, "run", told)

        net = Network((source, cells), (joined,))
        return flat(*ran(net, [2.0, 18.0, 180.0, 2.0], fuse="require", owners=owners, method="euler", prepare=prepare))

    same_bits(ran_in_parts(stored=False), ran_in_parts(stored=True))
    assert taken[20] > 2 * taken[2]
    assert taken[202] < 1.1 * taken[2]


def test_memory():
    def of(stored):
        return lasting(1.5, stored).memory_estimate("numpy").synapses

    assert of(False) < of(True) / 10


# -- what is told


def one_drawn(cells):
    """A population joined with itself by synapses that are not stored."""
    receptor = next(iter(cells.receptors))
    return Network(
        (cells,), (Projection(cells.name, cells.name, connect.all_to_all(), STEP, 0.5, receptor, stored=False),)
    )


def test_other_backends_tell_of_a_slow_loop(other_backend):
    net, records = one_drawn(population("free", "p", 30)), [[Record("p", "spikes")]]
    (expected,), _ = ran(net, [12.0], records=records, fuse="require")
    with pytest.warns(SlowPathWarning) as told:
        (found,), _ = ran(net, [12.0], records=records, backend=other_backend)
    assert any(
        f"projection 'p->p:jump': its synapses are not stored and are drawn in a loop in Python, some 0.2 ms more for "
        f"each step, as backend {other_backend.name!r} has no other: write stored=True" in str(w.message)
        for w in told
    )
    assert spikes(found) == spikes(expected)
    assert expected.counts("p").sum() > 10
    ran(net, [0.1], records=records, backend=other_backend, fuse="off")  # a warning would be an error


def test_populations_that_run_op_by_op_make_a_slow_loop():
    own = Population("own", Unfusible(), 30, stimuli=(Constant(0.4),), receptors={"exc": ExponentialCurrent()})
    with pytest.warns(SlowPathWarning) as told:
        Simulation(one_drawn(own), dt=DT, backend="numpy", method="euler").run(DT)
    assert any("in Python, some 0.2 ms more for each step, as population 'own' runs" in str(w.message) for w in told)


def test_refusals(refuses):
    def projection(connector, **options):
        return Projection("a", "b", connector, 0.1, 1.0, stored=False, **options)

    with refuses("stored=False"):
        projection(connect.fixed_in_degree(3))
    with refuses("plastic weights must be stored: write stored=True"):
        projection(connect.all_to_all(), plasticity=STDP(20.0, 20.0, 0.01, 0.01, w_max=1.0))


def test_the_warning_is_one_of_ours():
    assert issubclass(SlowPathWarning, UserWarning)
    assert not issubclass(SlowPathWarning, UsageError)
