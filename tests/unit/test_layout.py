"""Numbers of neurons, their owners, and the accumulators of arrivals."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from neurosim import Network, Population, Projection, SpikeSource, connect
from neurosim.layout import layout
from neurosim.models import LIF
from neurosim.receptors import Delta, ExponentialCurrent

RECEPTORS = {"a": Delta(), "b": ExponentialCurrent(), "c": ExponentialCurrent()}


@st.composite
def networks(draw):
    """Populations of any size, with some of the receptors, of which projections reach some."""
    populations = []
    for k in range(draw(st.integers(1, 5))):
        n = draw(st.integers(1, 400))
        names = draw(st.lists(st.sampled_from(list(RECEPTORS)), unique=True))
        populations.append(Population(f"p{k}", LIF(), n, receptors={name: RECEPTORS[name] for name in names}))
    ends = [(p.name, name) for p in populations for name in p.receptors]
    reached = draw(st.lists(st.sampled_from(ends), unique=True)) if ends else []
    source = draw(st.sampled_from(populations)).name
    return Network(
        tuple(populations),
        tuple(
            Projection(source, target, connect.all_to_all(), weight=1.0, delay=1.0, receptor=name)
            for target, name in reached
        ),
    )


@given(networks(), st.integers(1, 5), st.sampled_from([1, 16, 64]))
def test_everything_has_one_place(net, owners, block):
    where = layout(net, owners, dict.fromkeys([p.name for p in net.populations], block))
    assert where.n_owners == owners

    # neurons are numbered in the order of the populations
    numbers = [where.first[p.name] + np.arange(p.n) for p in net.populations]
    np.testing.assert_array_equal(np.concatenate(numbers), np.arange(sum(p.n for p in net.populations)))

    # each neuron has one owner, who has whole blocks of it
    for p in net.populations:
        edges = where.edges[p.name]
        assert edges[0] == 0
        assert edges[-1] == p.n
        assert np.all(np.diff(edges) >= 0)
        assert np.all((edges % block == 0) | (edges == p.n))

    # each neuron has one accumulator for each receptor that is reached, with its owner
    reached = {(q.target, q.receptor) for q in net.projections}
    assert set(where.slots) == reached
    taken = []
    for (name, _), slots in where.slots.items():
        edges = where.edges[name]
        for o in range(owners):
            places = slots[o] + np.arange(edges[o + 1] - edges[o])
            assert np.all((places >= where.owner_edges[o]) & (places < where.owner_edges[o + 1]))
            taken.append(places)
    np.testing.assert_array_equal(np.sort(np.concatenate([*taken, []])), np.arange(where.n_accumulators))


@given(networks(), st.integers(1, 5), st.sampled_from([1, 16, 64]))
def test_owners_have_alike_shares(net, owners, block):
    """In blocks, over all populations together."""
    where = layout(net, owners, dict.fromkeys([p.name for p in net.populations], block))
    blocks = sum(-(-np.diff(edges) // block) for edges in where.edges.values())
    assert np.ptp(blocks) <= 1


def test_accumulators_of_one_receptor_stand_together():
    """By owner, then by receptor, then by population."""
    populations = tuple(Population(name, LIF(), 4, receptors=RECEPTORS) for name in "xy")
    net = Network(
        populations,
        tuple(
            Projection("x", target, connect.all_to_all(), weight=1.0, delay=1.0, receptor=receptor)
            for target, receptor in (("y", "c"), ("x", "a"), ("y", "a"))
        ),
    )
    where = layout(net, 2)
    assert {key: list(slots) for key, slots in where.slots.items()} == {
        ("x", "a"): [0, 6],
        ("y", "a"): [2, 8],
        ("y", "c"): [4, 10],
    }
    assert list(where.owner_edges) == [0, 6, 12]


def test_more_owners_than_neurons():
    net = Network((Population("source", SpikeSource([1.0]), 1), Population("cell", LIF(), 2)))
    where = layout(net, 4)
    assert list(where.edges["source"]) == [0, 1, 1, 1, 1]
    assert list(where.edges["cell"]) == [0, 0, 1, 2, 2]
    assert where.n_accumulators == 0
