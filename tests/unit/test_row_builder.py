"""Rows built without a sort are those of the sorted list, for any number of owners and threads."""

import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit
from scipy import stats

from neurosim import Network, Population, connect
from neurosim.backends import row_builder
from neurosim.backends.philox import philox4x32
from neurosim.backends.row_counts import binomial, row_lengths
from neurosim.backends.row_regenerator import regenerate
from neurosim.backends.rows import Rows, rows_of
from neurosim.distributions import Exponential, LogNormal, Normal, Uniform
from neurosim.layout import layout
from neurosim.models import LIF
from neurosim.plasticity import TsodyksMarkram
from neurosim.projection import Projection, names
from neurosim.receptors import ExponentialCurrent
from neurosim.wiring import connections, synapse_estimate, wire

DT = 0.1
TSODYKS_MARKRAM = TsodyksMarkram(0.5, 100.0)
KINDS = ("excitatory", "inhibitory")


def network(sizes, *projections):
    populations = (
        Population(name, LIF(), n, receptors={kind: ExponentialCurrent() for kind in KINDS})
        for name, n in sizes.items()
    )
    return Network(tuple(populations), projections)


def built(net, owners=1, threads=1, seed=1, precision="float64"):
    return wire(net, layout(net, owners), DT, seed, precision, threads=threads)


def the_synapses(net, name=None, owners=1, seed=1):
    """Source, target, weight, delay in steps."""
    where = layout(net, owners)
    found = connections(wire(net, where, DT, seed, "float64"), where, net, DT, name or net.projections[0].name)
    return *found[:3], np.rint(found[3] / DT).astype(int)


def assert_same_rows(actual: Rows, expected: Rows):
    assert (actual.first, actual.n_sources) == (expected.first, expected.n_sources)
    np.testing.assert_array_equal(actual.delays, expected.delays)
    np.testing.assert_array_equal(actual.offsets, expected.offsets)
    for mine, other in zip(actual.coo(), expected.coo(), strict=True):
        np.testing.assert_array_equal(mine, other)


@pytest.fixture
def many_threads(monkeypatch):
    """Even the smallest network is shared out."""
    monkeypatch.setattr(row_builder, "_WORTH_A_THREAD", 1)


# -- against the sorted list


@st.composite
def listed_networks(draw):
    """Two populations, and projections with listed synapses, delays and weights, several of one pair included."""
    sizes = {"a": draw(st.integers(1, 9)), "b": draw(st.integers(1, 7))}
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    projections = []
    for _ in range(draw(st.integers(1, 5))):
        source, target = draw(st.sampled_from("ab")), draw(st.sampled_from("ab"))
        n = draw(st.integers(0, 40))
        pairs = connect.from_arrays(rng.integers(0, sizes[source], n), rng.integers(0, sizes[target], n))
        weight = rng.random(n) if draw(st.booleans()) else rng.integers(0, 50, n) / 8.0
        delay = rng.integers(1, draw(st.integers(2, 9)), n) * DT
        one_weight = draw(st.sampled_from([None, 1.0, 2.5]))
        projections.append(
            Projection(
                source,
                target,
                pairs,
                weight if one_weight is None else one_weight,
                delay if n and draw(st.booleans()) else 3 * DT,
                receptor=draw(st.sampled_from(KINDS)),
            )
        )
    return network(sizes, *projections)


@settings(max_examples=60)
@given(net=listed_networks(), owners=st.integers(1, 4), threads=st.integers(1, 3))
def test_rows_are_those_of_the_sorted_list(net, owners, threads):
    where = layout(net, owners)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(row_builder, "_WORTH_A_THREAD", 1)
        wiring = built(net, owners, threads)
    assert sorted(name for held in wiring.holds for name in held) == sorted(names(net.projections))
    listed = dict(zip(names(net.projections), net.projections, strict=True))
    for rows, held in zip(wiring.rows, wiring.holds, strict=True):
        columns = []
        for name in held:
            p = listed[name]
            edges, slots = where.edges[p.target], where.slots[p.target, p.receptor]
            source, target = p.connect.source, p.connect.target
            owner = np.searchsorted(edges, target, side="right") - 1
            steps = np.broadcast_to(np.rint(np.asarray(p.delay) / DT).astype(int), source.shape)
            weight = np.broadcast_to(p.weight, source.shape)
            columns.append((source, slots[owner] + target - edges[owner], steps, weight))
        source, accumulator, steps, weight = (np.concatenate(column) for column in zip(*columns, strict=True))
        if len(source) == 0:
            assert len(rows.targets) == 0
            continue
        expected = rows_of(
            source,
            accumulator,
            steps,
            weight if np.ndim(rows.weights) else rows.weights,
            first=rows.first,
            n_sources=rows.n_sources,
            owner_edges=where.owner_edges,
        )
        assert_same_rows(rows, expected)
        if not np.ndim(rows.weights):
            assert (weight == rows.weights).all()


CONNECTORS = {
    "all_to_all": connect.all_to_all(autapses=False),
    "one_to_one": connect.one_to_one(),
    "fixed_probability": connect.fixed_probability(0.3),
    "without autapses": connect.fixed_probability(0.3, autapses=False),
    "fixed_in_degree": connect.fixed_in_degree(7),
    "distinct sources": connect.fixed_in_degree(7, autapses=False, multapses=False),
    "nearly all sources": connect.fixed_in_degree(28, autapses=False, multapses=False),
    "fixed_out_degree": connect.fixed_out_degree(9),
    "distinct targets": connect.fixed_out_degree(9, autapses=False, multapses=False),
    "nearly all targets": connect.fixed_out_degree(28, autapses=False, multapses=False),
    "fixed_total_number": connect.fixed_total_number(333),
    "distinct pairs": connect.fixed_total_number(333, autapses=False, multapses=False),
    "distance_dependent": connect.distance_dependent(np.linspace(0, 1, 30), connect.gaussian(0.2, 0.7)),
}


@pytest.mark.parametrize("delay", [0.7, Normal(1.0, 0.4, low=0.1)], ids=["one delay", "many delays"])
@pytest.mark.parametrize("weight", [0.5, Normal(1.0, 0.3)], ids=["one weight", "many weights"])
@pytest.mark.parametrize("connector", CONNECTORS)
def test_owners_divide_and_threads_change_nothing(connector, weight, delay, many_threads):
    net = network({"a": 30}, Projection("a", "a", CONNECTORS[connector], weight, delay))
    [one] = built(net).rows
    row, target, steps, weights = one.coo()
    assert len(row) > 0
    for owners, threads in ((1, 3), (2, 1), (3, 2)):
        where = layout(net, owners)
        [rows] = built(net, owners, threads).rows
        stored = weights if np.ndim(one.weights) else one.weights
        # with one receptor and one population the accumulators are the neurons
        expected = rows_of(row, target, steps, stored, first=0, n_sources=30, owner_edges=where.owner_edges)
        assert_same_rows(rows, expected)


def test_a_million_synapses_in_pieces_are_those_of_one_thread():
    net = network(
        {"a": 3000, "b": 2000},
        Projection("a", "a", connect.fixed_probability(0.1), Normal(1.0, 0.1), Uniform(0.5, 3.0)),
        Projection("a", "b", connect.fixed_total_number(600_000), LogNormal(0.0, 0.5), 1.0),
    )
    [one], [two] = built(net, 2, threads=1).rows, built(net, 2, threads=2).rows
    assert len(one.targets) > 1_400_000
    assert_same_rows(two, one)


# -- the documented numbers


def words(purpose, lane, n, stream, seed=1):
    block = np.arange(-(-n // 4))
    counter = (block, np.full_like(block, lane), np.full_like(block, 2**31 + purpose), np.full_like(block, stream))
    return np.stack(philox4x32(counter, (np.array(seed), np.array(0))), axis=1).ravel()[:n]


def test_synapses_are_the_documented_numbers():
    """Skips, delays and weights by NumPy and SciPy from the words that the scheme names."""
    n, p = 200, 0.05
    delay, weight = Normal(1.0, 0.4, low=0.3, high=1.7), Normal(2.0, 1.0, low=1.0)
    net = network({"a": n}, Projection("a", "a", connect.fixed_probability(p, autapses=False), weight, delay))
    source, target, weights, steps = the_synapses(net)
    stream = zlib.crc32(b"a->a:excitatory/synapses")
    whole, mass = delay.delay_steps(DT)
    below = np.cumsum(mass) / mass.sum()
    lowest = stats.norm.cdf(-1.0)
    for row in (0, 57, n - 1):
        u = (words(0, row, 100, stream) + 0.5) / 2**32
        position = np.cumsum(1 + np.floor(np.log(u) / np.log1p(-p)).astype(int)) - 1
        position = position[position < n - 1]
        expected = position + (position >= row)
        ours = source == row
        np.testing.assert_array_equal(target[ours], expected)
        v = (words(1, row, len(expected), stream) + 0.5) / 2**32
        np.testing.assert_array_equal(steps[ours], whole[np.searchsorted(below, v)])
        w = (words(2, row, len(expected), stream) + 0.5) / 2**32
        quantiles = 2.0 + stats.norm.ppf(lowest + (1 - lowest) * w)
        np.testing.assert_allclose(weights[ours], quantiles, rtol=1e-7)
    assert weights.dtype == np.float32


def test_sorted_targets_are_partial_sums_of_spacings():
    net = network({"a": 5, "b": 1000}, Projection("a", "b", connect.fixed_out_degree(40), 1.0, 1.0))
    source, target, *_ = the_synapses(net)
    stream = zlib.crc32(b"a->b:excitatory/synapses")
    sums = np.cumsum(-np.log((words(0, 3, 41, stream) + 0.5) / 2**32))
    np.testing.assert_array_equal(target[source == 3], np.floor(1000 * sums[:-1] / sums[-1]))


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_in_degrees_are_the_documented_numbers(threads):
    """Some blocks and pieces of targets; 256 sources divide the words without a rest."""
    net = network({"a": 256, "b": 6000}, Projection("a", "b", connect.fixed_in_degree(100), 1.0, 1.0))
    row, target, *_ = built(net, threads=threads).rows[0].coo()
    assert len(row) == 600_000
    stream = zlib.crc32(b"a->b:excitatory/synapses")
    for t in (0, 654, 655, 656, 2999, 3000, 5999):
        expected = (words(0, t, 100, stream) * 256) >> 32
        np.testing.assert_array_equal(row[target == t], np.sort(expected))


def test_another_seed_or_name_draws_others_and_other_projections_change_nothing():
    first = Projection("a", "a", connect.fixed_probability(0.2), Normal(1.0, 0.1), 1.0)
    net = network({"a": 50}, first)
    more = network({"b": 4, "a": 50}, Projection("b", "a", connect.all_to_all(), 1.0, 2.0), first)
    here = the_synapses(net)
    for mine, other in zip(here, the_synapses(more, "a->a:excitatory"), strict=True):
        np.testing.assert_array_equal(mine, other)
    renamed = network({"a": 50}, Projection("a", "a", first.connect, first.weight, 1.0, name="other"))
    for other in (the_synapses(net, seed=2), the_synapses(net, seed=1 + 2**32), the_synapses(renamed)):
        assert len(other[0]) != len(here[0]) or (other[1] != here[1]).any()


def test_two_projections_of_the_same_kind_draw_their_own():
    one = Projection("a", "a", connect.fixed_out_degree(10), 1.0, 1.0)
    net = network({"a": 40}, one, Projection("a", "a", connect.fixed_out_degree(10), 1.0, 1.0))
    first, second = (the_synapses(net, name) for name in ("a->a:excitatory", "a->a:excitatory#2"))
    assert (first[1] != second[1]).any()


# -- what is stored


def test_what_is_stored_alike_shares_rows():
    to = {name: Projection("a", name, connect.fixed_out_degree(5), Normal(1.0, 0.1), 1.0) for name in "abc"}
    net = network(
        {"a": 10, "b": 20, "c": 30},
        to["c"],
        to["a"],
        to["b"],
        Projection("a", "b", connect.fixed_out_degree(5), 2.0, 1.0, name="constant"),
        Projection("a", "c", connect.fixed_out_degree(5), 2.0, 2.0, name="the same constant"),
        Projection("a", "a", connect.fixed_out_degree(5), 3.0, 1.0, name="another"),
        Projection("a", "b", connect.fixed_out_degree(5), 2.0, 1.0, name="to b again"),
        Projection("a", "c", connect.fixed_out_degree(5), 2.0, 1.0, receptor="inhibitory", name="inhibitory"),
        Projection("a", "a", connect.fixed_out_degree(5), 2.0, 1.0, plasticity=TSODYKS_MARKRAM, name="plastic"),
        Projection("b", "a", connect.fixed_out_degree(5), 2.0, 1.0, name="from b"),
    )
    wiring = built(net, precision="float32")
    assert wiring.holds == [
        ("a->a:excitatory", "a->b:excitatory", "a->c:excitatory"),
        ("constant", "the same constant"),
        ("another",),
        ("to b again",),
        ("inhibitory",),
        ("plastic",),
        ("from b",),
    ]
    kinds = [getattr(rows.weights, "dtype", rows.weights) for rows in wiring.rows]
    assert kinds == [np.float32, 2.0, 3.0, 2.0, 2.0, np.float32, 2.0]
    assert (wiring.rows[5].weights == 2.0).all()


def test_weights_take_four_bytes_where_they_fit():
    def dtype(weights, precision="float64"):
        net = network({"a": 3}, Projection("a", "a", connect.one_to_one(), weights, 1.0))
        [rows] = built(net, precision=precision).rows
        np.testing.assert_array_equal(rows.weights, np.asarray(weights, rows.weights.dtype))
        return rows.weights.dtype

    assert dtype([0.5, 1.25, -3.0]) == np.float32
    assert dtype([0.1, 0.2, 0.3]) == np.float64
    assert dtype([0.1, 0.2, 0.3], "float32") == np.float32


@pytest.mark.parametrize(("n", "dtype"), [(65_536, np.uint16), (65_537, np.uint32)])
def test_targets_are_narrow_where_they_fit(n, dtype):
    net = network({"a": 2, "b": n}, Projection("a", "b", connect.all_to_all(), 1.0, 1.0))
    [rows] = built(net).rows
    assert rows.targets.dtype == dtype
    np.testing.assert_array_equal(rows.coo()[1], np.tile(np.arange(n), 2))


def test_delays_that_no_synapse_has_are_left_out():
    net = network({"a": 5}, Projection("a", "a", connect.one_to_one(), 1.0, Normal(5.0, 1.0)))
    [rows] = built(net, 2).rows
    assert set(rows.delays) == set(rows.coo()[2])
    assert len(rows.delays) <= 5
    nothing = network({"a": 5}, Projection("a", "a", connect.fixed_probability(0.0), 1.0, Normal(5.0, 1.0)))
    [rows] = built(nothing, 2).rows
    assert len(rows.targets) == 0
    assert rows.offsets.shape == (2, 5 * len(rows.delays) + 1) == (2, 6)
    assert not rows.offsets.any()


@pytest.mark.parametrize("owners", [1, 2])
@pytest.mark.parametrize(
    ("weight", "delay", "budget"),
    [
        (1.0, 1.5, 4.0),
        (Normal(1.0, 0.1), 1.5, 8.0),
        (1.0, Normal(1.5, 0.75, low=0.1), 4.0),
        (Normal(1.0, 0.1), Normal(1.5, 0.75, low=0.1), 8.0),
    ],
)
def test_bytes_per_synapse(weight, delay, budget, owners):
    net = network({"a": 4000}, Projection("a", "a", connect.fixed_out_degree(1500), weight, delay))
    where = layout(net, owners)
    [rows] = wire(net, where, DT, 1, "float64").rows
    assert rows.nbytes <= budget * 1500 * 4000
    assert synapse_estimate(net, where, DT) == pytest.approx(rows.nbytes, rel=0.03)


@pytest.mark.parametrize("connector", CONNECTORS)
def test_the_estimate_is_near_the_truth(connector):
    """Within 10 %, also where there are few synapses and many delays."""
    net = network({"a": 30}, Projection("a", "a", CONNECTORS[connector], Normal(1.0, 0.1), Normal(3.0, 1.5, low=0.1)))
    where = layout(net, 2)
    assert synapse_estimate(net, where, DT) == pytest.approx(wire(net, where, DT, 1, "float64").nbytes, rel=0.1)


def test_progress_ends_at_the_total():
    net = network({"a": 100}, Projection("a", "a", connect.fixed_out_degree(50), 1.0, 1.0))
    calls = []
    wire(net, layout(net, 1), DT, 1, "float64", progress=lambda *call: calls.append(call))
    assert calls[-1] == (10_000, 10_000)
    assert calls == sorted(calls)
    assert len(calls) > 2


# -- synapses that are drawn when needed


@pytest.mark.parametrize("delay", [0.7, Exponential(1.0)], ids=["one delay", "many delays"])
@pytest.mark.parametrize("weight", [0.5, LogNormal(0.0, 1.0)], ids=["one weight", "many weights"])
@pytest.mark.parametrize("connector", [name for name, c in CONNECTORS.items() if c.can_regenerate])
def test_drawn_anew_is_as_stored(connector, weight, delay):
    def projection(stored):
        return Projection("b", "a", CONNECTORS[connector], weight, delay, stored=stored)

    other = Projection("b", "b", connect.all_to_all(), 1.0, 1.0)
    nets = [network({"b": 30, "a": 30}, other, projection(stored)) for stored in (True, False)]
    for owners in (1, 3):
        stored, anew = (built(net, owners) for net in nets)
        assert anew.regenerates == ["b->a:excitatory"]
        rows = next(r for r, held in zip(stored.rows, stored.holds, strict=True) if "b->a:excitatory" in held)
        [made] = anew.regenerators
        d = len(made.recipe.delays)
        segments, out, weights = made.results()
        scratch = made.scratch()
        where = layout(nets[0], owners)
        for source in range(30):
            n = regenerate(*made.arguments, source, *scratch, segments, out, weights)
            assert segments[-1] == n
            count = 0
            for o in range(owners):
                for number, steps in enumerate(made.recipe.delays):
                    begin, end = segments[o * d + number : o * d + number + 2]
                    at = np.flatnonzero(rows.delays == steps)
                    if not at.size:
                        assert begin == end
                        continue
                    first, last = rows.offsets[o, source * len(rows.delays) + at[0] :][:2]
                    expected = rows.base[o] + rows.targets[first:last].astype(int)
                    slots = where.slots["a", "excitatory"]
                    width = np.diff(where.edges["a"])
                    ours = (expected >= slots[o]) & (expected < slots[o] + width[o])
                    np.testing.assert_array_equal(out[begin:end], expected[ours])
                    if np.ndim(rows.weights):
                        np.testing.assert_array_equal(weights[begin:end], rows.weights[first:last][ours])
                    count += end - begin
            assert count == n
        mine = connections(anew, where, nets[1], DT, "b->a:excitatory")
        theirs = connections(stored, where, nets[0], DT, "b->a:excitatory")
        for a, b in zip(mine, theirs, strict=True):
            np.testing.assert_array_equal(a, b)


@njit
def sums_of_rows(arguments, sources, scratch, results):
    """What an engine does: draws rows, in compiled code."""
    segments, out, weights = results
    synapses, total, weight = 0, 0, 0.0
    for source in sources:
        n = regenerate(*arguments, source, *scratch, segments, out, weights)
        synapses += n
        for j in range(n):
            total += out[j]
            weight += weights[j]
    return synapses, total, weight


def test_compiled_code_draws_rows_anew():
    net = network({"a": 50}, Projection("a", "a", connect.fixed_out_degree(20), Normal(1.0, 0.1), 1.0, stored=False))
    [made] = built(net, 2).regenerators
    sources = np.array([3, 49, 3])
    synapses, total, weight = sums_of_rows(made.arguments, sources, made.scratch(), made.results())
    row, accumulator, _, weights = made.coo()
    assert synapses == 60
    assert total == sum(accumulator[row == source].sum() for source in sources)
    assert weight == pytest.approx(sum(weights[row == source].sum(dtype=float) for source in sources))


def test_drawn_anew_takes_hardly_any_memory():
    net = network({"a": 2000}, Projection("a", "a", connect.fixed_probability(0.5), 1.0, 1.0, stored=False))
    wiring = built(net)
    assert wiring.nbytes < 1000
    net = network({"a": 2000}, Projection("a", "a", connect.fixed_total_number(10**6), 1.0, 1.0, stored=False))
    assert built(net).nbytes == pytest.approx(synapse_estimate(net, layout(net, 1), DT), rel=0.1)


# -- lengths of rows


@pytest.mark.parametrize(("n", "p"), [(3, 0.5), (40, 0.1), (100, 0.97), (1000, 0.3), (10**9, 2e-8), (10**10, 0.4)])
def test_binomial_numbers(n, p):
    key, scratch = np.array([3, 4, 5]), np.empty(4, np.uint32)
    drawn = np.array([binomial(n, p, lane, key, scratch) for lane in range(20_000)])
    law = stats.binom(n, p)
    edges = np.unique(law.ppf(np.linspace(0, 1, 21)[1:-1]))
    expected = np.diff(law.cdf(np.concatenate([[-1], edges, [n]])))
    seen = np.bincount(np.searchsorted(edges, drawn), minlength=len(expected))
    assert stats.chisquare(seen[expected > 0], 20_000 * expected[expected > 0]).pvalue > 1e-3


def test_lengths_of_rows_are_multinomial():
    lengths = np.array([row_lengths(5, 100, 23, False, np.array([seed, 0, 9])) for seed in range(4000)])
    assert (lengths.sum(axis=1) == 23).all()
    for row in lengths.T:
        seen = np.bincount(np.minimum(row, 9), minlength=10)
        law = stats.binom(23, 1 / 5).pmf(np.arange(10))
        law[9] = 1 - law[:9].sum()
        assert stats.chisquare(seen, 4000 * law).pvalue > 1e-3
    covariance = np.cov(lengths.T)
    assert covariance[0, 3] == pytest.approx(-23 / 25, abs=4 * 23 / 5 / np.sqrt(4000))


@pytest.mark.parametrize("total", [1, 12, 30, 49, 50])
def test_lengths_of_rows_are_hypergeometric(total):
    lengths = np.array([row_lengths(5, 10, total, True, np.array([seed, 0, 9])) for seed in range(4000)])
    assert (lengths.sum(axis=1) == total).all()
    assert lengths.max() <= 10
    law = stats.hypergeom(50, total, 10).pmf(np.arange(11))
    for row in lengths.T:
        seen = np.bincount(row, minlength=11)
        assert not seen[law == 0].any()
        if (law > 0).sum() > 1:
            assert stats.chisquare(seen[law > 0], 4000 * law[law > 0]).pvalue > 1e-3
