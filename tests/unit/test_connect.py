"""Connectors: degrees, uniformity, autapses and multapses; every one of the register."""

import numpy as np
import pytest
from scipy import sparse, stats
from test_row_builder import network, the_synapses

from neurosim import connect
from neurosim.connect import CONNECTORS, Ends
from neurosim.connect.kernels import all_kernels
from neurosim.distributions import Normal
from neurosim.projection import Projection

BOTH = pytest.mark.parametrize("same", [True, False], ids=["recurrent", "between"])


def pairs(connector, n_source=40, n_target=40, *, same=True, seed=1):
    """Source and target of each synapse."""
    target = "a" if same else "b"
    net = network({"a": n_source, "b": n_target}, Projection("a", target, connector, 1.0, 1.0))
    return the_synapses(net, seed=seed)[:2]


def matrix(connector, n_source=40, n_target=40, **options):
    """Number of synapses of each pair."""
    counts = np.zeros((n_source, n_source if options.get("same", True) else n_target), int)
    np.add.at(counts, pairs(connector, n_source, n_target, **options), 1)
    return counts


def assert_uniform(seen):
    assert stats.chisquare(seen.ravel()).pvalue > 1e-3


def test_the_register_holds_what_users_write():
    for name, cls in CONNECTORS.items():
        assert getattr(connect, name) is cls
        assert cls.__doc__
    assert {"all_to_all", "one_to_one", "fixed_probability", "fixed_in_degree", "fixed_out_degree"} <= set(CONNECTORS)
    assert {"fixed_total_number", "distance_dependent", "from_arrays", "from_matrix", "from_file"} <= set(CONNECTORS)


def test_a_name_is_registered_once(refuses):
    with refuses("'one_to_one'", "another name"):
        connect.register(CONNECTORS["one_to_one"])


@BOTH
def test_all_to_all(same):
    assert (matrix(connect.all_to_all(), 7, 5, same=same) == 1).all()
    alone = matrix(connect.all_to_all(autapses=False), 7, 7, same=same)
    assert (alone == (1 - np.eye(7) if same else 1)).all(), "between two populations there are no autapses"


def test_one_to_one(refuses):
    assert (matrix(connect.one_to_one()) == np.eye(40)).all()
    with refuses("a->b", "one_to_one", "40", "41"):
        pairs(connect.one_to_one(), 40, 41, same=False)


@BOTH
@pytest.mark.parametrize("p", [0.003, 0.1, 0.5, 0.95])
def test_fixed_probability(p, same):
    counts = matrix(connect.fixed_probability(p), 600, 600, same=same)
    assert counts.max() == 1
    law = stats.binom(600 * 600, p)
    assert law.cdf(counts.sum()) == pytest.approx(0.5, abs=0.499)
    for degrees in (counts.sum(axis=0), counts.sum(axis=1)):
        spread = degrees.var() / (600 * p * (1 - p)) * 599
        assert stats.chi2(599).cdf(spread) == pytest.approx(0.5, abs=0.4995), "binomial rows and columns"


def test_fixed_probability_connects_neighbours_independently():
    counts = matrix(connect.fixed_probability(0.3), 1000, 1000)
    for moved in (np.roll(counts, 1, axis=0), np.roll(counts, 1, axis=1)):
        together = (counts * moved).sum()
        assert stats.binom(10**6, 0.09).cdf(together) == pytest.approx(0.5, abs=0.499)


def test_certain_and_impossible_pairs():
    assert (matrix(connect.fixed_probability(1.0)) == 1).all()
    assert (matrix(connect.fixed_probability(1.0, autapses=False)) == 1 - np.eye(40)).all()
    assert not matrix(connect.fixed_probability(0.0)).any()


def test_the_last_and_the_first_target_are_reached():
    counts = matrix(connect.fixed_probability(0.2), 4000, 5, same=False)
    assert_uniform(counts.sum(axis=0))
    counts = matrix(connect.fixed_probability(0.2, autapses=False), 400)
    assert not np.diag(counts).any()
    assert counts[:, 0].any()
    assert counts[:, -1].any()


@BOTH
@pytest.mark.parametrize("multapses", [True, False])
@pytest.mark.parametrize("autapses", [True, False])
@pytest.mark.parametrize("k", [1, 12, 35])
def test_fixed_degrees(k, autapses, multapses, same):
    incoming = matrix(connect.fixed_in_degree(k, autapses, multapses), same=same)
    outgoing = matrix(connect.fixed_out_degree(k, autapses, multapses), same=same)
    assert (incoming.sum(axis=0) == k).all()
    assert (outgoing.sum(axis=1) == k).all()
    for counts in (incoming, outgoing):
        assert (counts.max() > 1) == (multapses and k > 1)
        assert np.diag(counts).any() == (autapses or not same) or k == 1


@pytest.mark.parametrize("autapses", [True, False])
@pytest.mark.parametrize("multapses", [True, False])
@pytest.mark.parametrize("k", [3, 15])
def test_degrees_are_drawn_uniformly(k, autapses, multapses):
    """Over many rows: how often each pair of a small population is drawn."""
    seen_in, seen_out = np.zeros((20, 20)), np.zeros((20, 20))
    for seed in range(300):
        seen_in += matrix(connect.fixed_in_degree(k, autapses, multapses), 20, seed=seed)
        seen_out += matrix(connect.fixed_out_degree(k, autapses, multapses), 20, seed=seed)
    possible = np.ones((20, 20), bool) if autapses else ~np.eye(20, dtype=bool)
    for seen in (seen_in, seen_out):
        assert not seen[~possible].any()
        mean = seen.sum() / possible.sum()
        # distinct draws exclude each other, which makes counts more equal than those of a multinomial
        spread = 1.0 if multapses else 1.0 - k / (20 - (not autapses))
        chi2 = ((seen[possible] - mean) ** 2 / (mean * spread)).sum()
        assert 1e-3 < stats.chi2(possible.sum() - 20).cdf(chi2) < 1 - 1e-3


def test_multapses_are_as_frequent_as_for_independent_draws():
    """Of k uniform draws of n, n·(1 − (1 − 1/n)^k) are different in the mean."""
    for connector in (connect.fixed_out_degree(50), connect.fixed_in_degree(50)):
        counts = matrix(connector, 2000, 2000)
        different = (counts > 0).sum() / 2000
        assert different == pytest.approx(2000 * (1 - (1 - 1 / 2000) ** 50), abs=0.05)


@BOTH
@pytest.mark.parametrize("multapses", [True, False])
@pytest.mark.parametrize("autapses", [True, False])
@pytest.mark.parametrize("n", [0, 1, 333, 1500])
def test_fixed_total_number(n, autapses, multapses, same):
    counts = matrix(connect.fixed_total_number(n, autapses, multapses), same=same)
    assert counts.sum() == n
    assert multapses or counts.max() <= 1
    if same and not autapses:
        assert not np.diag(counts).any()


@pytest.mark.parametrize("multapses", [True, False])
def test_total_numbers_are_drawn_uniformly(multapses):
    seen = sum(matrix(connect.fixed_total_number(60, multapses=multapses), 12, seed=s) for s in range(500))
    mean = seen.mean()
    spread = 1.0 if multapses else 1.0 - 60 / 144
    assert 1e-3 < stats.chi2(143).cdf(((seen - mean) ** 2 / (mean * spread)).sum()) < 1 - 1e-3
    everything = matrix(connect.fixed_total_number(144, multapses=False), 12)
    assert (everything == 1).all()


def test_large_numbers_of_multapses():
    counts = matrix(connect.fixed_total_number(1_000_000), 100, 200, same=False)
    assert counts.sum() == 1_000_000
    assert_uniform(counts)


# -- by distance


def box_distances(x, y, box):
    apart = np.abs(x[:, None] - y[None])
    if box is not None:
        apart = np.minimum(apart, box - apart)
    return np.sqrt((apart**2).sum(axis=-1))


@pytest.mark.parametrize("kernel", all_kernels())
@pytest.mark.parametrize("periodic", [None, 1.0])
@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_distance_dependent(kernel, periodic, dimensions):
    rng = np.random.default_rng(7)
    x, y = rng.random((400, dimensions)), rng.random((300, dimensions))
    profile = kernel(0.25, 0.6)
    counts = matrix(connect.distance_dependent(x, profile, y, periodic), 400, 300, same=False)
    p = profile(box_distances(x, y, periodic))
    assert counts.max() == 1
    assert not counts[p == 0].any()
    bands = np.array_split(np.argsort(p, axis=None), 8)
    for band in bands:
        chance = p.ravel()[band]
        deviation = (counts.ravel()[band].sum() - chance.sum()) / np.sqrt((chance * (1 - chance)).sum() + 1e-9)
        assert abs(deviation) < 4


def test_a_kernel_may_be_a_function(refuses):
    x = np.linspace(0, 1, 50)
    near = connect.distance_dependent(x, lambda d: np.where(d < 0.1, 1.0, 0.0), autapses=False)
    expected = (np.abs(x[:, None] - x) < 0.1) & ~np.eye(50, dtype=bool)
    assert (matrix(near, 50) == expected).all()
    bounded = connect.distance_dependent(x, lambda d: 0.3 * (d < 0.5), p_max=0.3)
    assert 0 < matrix(bounded, 50).sum() < 0.3 * 2500
    with refuses("distance_dependent", "1.5", "p_max = 1"):
        pairs(connect.distance_dependent(x, lambda d: 1.5 + d), 50)
    with refuses("shape (1,)"):
        pairs(connect.distance_dependent(x, lambda d: np.ones(1)), 50)


def test_a_bound_changes_no_statistics():
    rng = np.random.default_rng(3)
    x = rng.random((500, 2))
    totals = [
        matrix(connect.distance_dependent(x, connect.gaussian(0.1, 0.2), p_max=p_max), 500).sum()
        for p_max in (0.2, 0.5, 1.0)
    ]
    expected = 0.2 * np.exp(-0.5 * (box_distances(x, x, None) / 0.1) ** 2).sum()
    assert np.abs(np.array(totals) - expected).max() < 4 * np.sqrt(expected)
    connector = connect.distance_dependent(x, connect.gaussian(0.1, 0.2))
    assert connector.expected(Ends(500, 500, True)) == pytest.approx(expected)


def test_expected_numbers_by_distance_of_many_neurons():
    x = np.random.default_rng(3).random(4000)
    connector = connect.distance_dependent(x, connect.box(0.1, 0.5))
    expected = 0.5 * (np.abs(x[:, None] - x) <= 0.1).sum()
    assert connector.expected(Ends(4000, 4000, True)) == pytest.approx(expected, rel=0.01)


# -- listed


def test_from_matrix_takes_dense_and_sparse():
    rng = np.random.default_rng(5)
    dense = rng.random((6, 4)) * (rng.random((6, 4)) < 0.5)
    for given in (dense, dense.tolist(), sparse.csr_array(dense), sparse.csc_matrix(dense), sparse.coo_array(dense)):
        net = network({"a": 6, "b": 4}, Projection("a", "b", connect.from_matrix(given), delay=1.0))
        source, target, weight, _ = the_synapses(net)
        back = np.zeros((6, 4))
        back[source, target] = weight
        np.testing.assert_array_equal(back, dense)
    net = network({"a": 6, "b": 4}, Projection("a", "b", connect.from_matrix(dense), 2.0, 1.0))
    assert (the_synapses(net)[2] == 2.0).all(), "the projection's weight comes first"
    assert "6 × 4" in repr(connect.from_matrix(dense))


def test_weights_keep_their_synapse():
    rng = np.random.default_rng(6)
    source, target = rng.integers(0, 9, 50), rng.integers(0, 8, 50)
    weight, delay = np.arange(50.0), rng.integers(1, 20, 50) * 0.1
    net = network({"a": 9, "b": 8}, Projection("a", "b", connect.from_arrays(source, target), weight, delay))
    found = the_synapses(net, owners=3)
    number = found[2].astype(int)
    assert sorted(number) == list(range(50))
    np.testing.assert_array_equal(found[0], source[number])
    np.testing.assert_array_equal(found[1], target[number])
    np.testing.assert_array_equal(found[3], np.rint(delay[number] * 10))


@pytest.mark.parametrize("same", [True, False])
def test_arrays_of_regular_connectors_go_by_source_then_target(same):
    weight = np.arange(12.0 if same else 20.0)
    other = "a" if same else "b"
    net = network({"a": 4, "b": 5}, Projection("a", other, connect.all_to_all(autapses=False), weight, 1.0))
    source, target, found, _ = the_synapses(net)
    np.testing.assert_array_equal(found, weight)
    assert (np.diff(source * 10 + target) > 0).all()


# -- errors


@pytest.mark.parametrize(
    ("make", "parts"),
    [
        (lambda: connect.fixed_probability(1.5), ["fixed_probability", "p = 1.5", "from 0 to 1"]),
        (lambda: connect.fixed_probability(-0.1), ["p = -0.1"]),
        (lambda: connect.fixed_probability(np.nan), ["p = nan"]),
        (lambda: connect.fixed_probability([0.1, 0.2]), ["p = array", "probability"]),
        (lambda: connect.fixed_probability(0.1, autapses="no"), ["autapses = 'no'", "True or False"]),
        (lambda: connect.all_to_all(1), ["all_to_all: autapses = 1"]),
        (lambda: connect.fixed_in_degree(2.5), ["fixed_in_degree: k = 2.5", "whole number"]),
        (lambda: connect.fixed_out_degree(-1), ["fixed_out_degree: k = -1", "at least 0"]),
        (lambda: connect.fixed_out_degree(True), ["k = True"]),
        (lambda: connect.fixed_total_number("many"), ["fixed_total_number: n = 'many'"]),
        (lambda: connect.fixed_total_number(5, multapses=None), ["fixed_total_number: multapses = None"]),
        (lambda: connect.from_arrays([1, 2], [1]), ["2 values of source, 1 of target"]),
        (lambda: connect.from_arrays([1, -2], [1, 1]), ["from_arrays: source[1] = -2", "from 0"]),
        (lambda: connect.from_arrays([1, 2.5], [1, 1]), ["source", "whole numbers"]),
        (lambda: connect.from_arrays([[1]], [1]), ["source has shape (1, 1)"]),
        (lambda: connect.from_arrays(["a"], [1]), ["source", "whole numbers"]),
        (lambda: connect.from_matrix(np.ones(3)), ["from_matrix", "shape (3,)"]),
        (lambda: connect.from_matrix([[1.0, np.nan]]), ["from_matrix: matrix[0, 1] = nan"]),
        (lambda: connect.distance_dependent(np.ones((3, 4)), connect.box(1.0)), ["positions has shape (3, 4)"]),
        (lambda: connect.distance_dependent([0.0, np.inf], connect.box(1.0)), ["positions[1] = [inf]"]),
        (lambda: connect.distance_dependent([0.0], 3.0), ["kernel = 3.0", "gaussian"]),
        (lambda: connect.distance_dependent([0.0], connect.box(1.0), np.ones((2, 2))), ["2 dimensions"]),
        (lambda: connect.distance_dependent([0.0], connect.box(1.0), periodic=-1.0), ["periodic = -1.0"]),
        (lambda: connect.distance_dependent([0.0], connect.box(1.0), p_max=2), ["p_max = 2"]),
        (lambda: connect.gaussian(-1.0), ["Gaussian.sigma", "above 0"]),
        (lambda: connect.box([1.0, 2.0]), ["Box.radius has shape (2,)"]),
        (lambda: connect.exponential(1.0, 3.0), ["ExponentialDecay.p = 3.0"]),
    ],
)
def test_unusable_connectors(make, parts, refuses):
    with refuses(*parts):
        make()


@pytest.mark.parametrize(
    ("connector", "same", "parts"),
    [
        (connect.fixed_in_degree(11, multapses=False), False, ["k = 11", "there are 10 sources", "multapses=True"]),
        (connect.fixed_in_degree(10, False, False), True, ["there are 9 sources"]),
        (connect.fixed_out_degree(9, multapses=False), False, ["there are 8 targets"]),
        (connect.fixed_total_number(81, multapses=False), False, ["n = 81", "there are 80 pairs"]),
        (connect.from_arrays([0, 10], [0, 1]), False, ["source[1] = 10", "10 neurons", "0 to 9"]),
        (connect.from_arrays([0, 1], [8, 1]), False, ["target[0] = 8", "8 neurons"]),
        (connect.from_matrix(np.ones((8, 10))), False, ["shape (8, 10)", "10 sources", "8 targets"]),
        (connect.distance_dependent(np.ones(10), connect.box(1.0)), False, ["10 positions for 8 neurons"]),
        (connect.distance_dependent(np.ones(8), connect.box(1.0), np.ones(8)), False, ["8 positions for 10 neurons"]),
        (connect.distance_dependent(np.ones(10), connect.box(1.0), np.ones(9)), False, ["9 target_positions for 8"]),
    ],
)
def test_connectors_that_do_not_fit(connector, same, parts, refuses):
    with refuses("projection 'a->", connector.name, *parts):
        pairs(connector, 10, 8, same=same)


def test_a_neuron_alone_has_no_partner(refuses):
    for connector in (connect.fixed_in_degree(1, False), connect.fixed_out_degree(1, False)):
        with refuses("only itself", "autapses=True"):
            pairs(connector, 1)
    assert len(pairs(connect.all_to_all(False), 1)[0]) == 0


# -- files


@pytest.fixture
def table():
    rng = np.random.default_rng(8)
    return {
        "source": rng.integers(0, 9, 30),
        "target": rng.integers(0, 9, 30),
        "weight": rng.integers(0, 99, 30) / 8.0,
        "delay": rng.integers(1, 20, 30) / 10,
    }


def write(path, table):
    columns = np.stack(list(table.values()), axis=1)
    if path.suffix == ".npz":
        np.savez(path, **table)
    elif path.suffix == ".npy":
        np.save(path, columns)
    elif path.suffix == ".csv":
        np.savetxt(path, columns, delimiter=",", header=",".join(table), comments="")
    elif path.suffix == ".txt":
        np.savetxt(path, columns)
    else:
        import h5py

        with h5py.File(path, "w") as file:
            for name, values in table.items():
                file[name] = values


@pytest.mark.parametrize("suffix", [".npz", ".npy", ".csv", ".txt", ".h5", ".hdf5"])
def test_from_file(suffix, table, tmp_path):
    path = tmp_path / f"synapses{suffix}"
    write(path, table)
    from_file = network({"a": 9}, Projection("a", "a", connect.from_file(path)))
    pairs_given = connect.from_arrays(table["source"], table["target"])
    given = network({"a": 9}, Projection("a", "a", pairs_given, table["weight"], table["delay"]))
    for mine, other in zip(the_synapses(from_file), the_synapses(given), strict=True):
        np.testing.assert_array_equal(mine, other)


def test_files_without_weights_and_with_columns_in_another_order(table, tmp_path, refuses):
    path = tmp_path / "pairs.npy"
    np.save(path, np.stack([table["source"], table["target"]], axis=1))
    with refuses("a->a", "has no weight"):
        Projection("a", "a", connect.from_file(path), delay=1.0)
    net = network({"a": 9}, Projection("a", "a", connect.from_file(path), Normal(1.0, 0.1), 1.0))
    assert len(the_synapses(net)[0]) == 30
    path = tmp_path / "turned.csv"
    write(path, {name: table[name] for name in ("target", "delay", "source")})
    connector = connect.from_file(path)
    np.testing.assert_array_equal(connector.pairs, (table["source"], table["target"]))
    np.testing.assert_array_equal(connector.delays, table["delay"])
    assert connector.weights is None


def test_unusable_files(tmp_path, refuses):
    with refuses("synapses.json", "'.json'", ".npz"):
        connect.from_file("synapses.json")
    with refuses("missing.npy", "is no file"):
        connect.from_file(tmp_path / "missing.npy")
    path = tmp_path / "wide.npy"
    np.save(path, np.ones((3, 7)))
    with refuses("wide.npy", "(3, 7)"):
        connect.from_file(path)
    path = tmp_path / "words.txt"
    path.write_text("one two\nthree four\n")
    with refuses("words.txt", "cannot be read"):
        connect.from_file(path)
    path = tmp_path / "half.npz"
    np.savez(path, source=[1])
    with refuses("half.npz", "no target"):
        connect.from_file(path)
    np.savez(path, source=[1, 2], target=[1])
    with refuses("half.npz", "2 values of source"):
        connect.from_file(path)
    np.savez(path, source=[1], target=[1], weight=[np.nan])
    with refuses("half.npz: weight[0] = nan"):
        connect.from_file(path)
