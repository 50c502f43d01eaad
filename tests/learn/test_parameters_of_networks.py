"""The flat vector of parameters, its first values, and the random numbers that they are made of."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from learning import random
from scipy import special, stats

from neurosim.backends.philox import philox4x32
from neurosim.learn import INITIALISERS, MLP, Dense, Normal, ParamVector, Sequential, Uniform, draws
from neurosim.learn.initialisers import get_initialiser

# -- random numbers


def test_words_are_philox_of_the_documented_counter():
    words = draws.words(2**32 * 5 + 13, "order", 10, series=7, member=3)
    expected = philox4x32((np.array([1]), 7, (3 << 30) + 1, 3), (13, 5))
    assert [int(w) for w in words[4:8]] == [int(w[0]) for w in expected]


def test_numbers_do_not_depend_on_how_many_are_drawn():
    np.testing.assert_array_equal(draws.normal(1, "parameters", 1001)[:7], draws.normal(1, "parameters", 7))


def test_every_part_of_the_key_counts():
    base = {"seed": 1, "purpose": "parameters", "series": 0, "member": 0}
    others = [{"seed": 2**40}, {"purpose": "order"}, {"series": 1}, {"member": 1}]
    first = draws.uniform(base["seed"], base["purpose"], 2000)
    for change in others:
        key = base | change
        other = draws.uniform(key.pop("seed"), key.pop("purpose"), 2000, **key)
        assert abs(np.corrcoef(first, other)[0, 1]) < 4 / np.sqrt(2000), change


def test_distributions():
    u, z = draws.uniform(3, "parameters", 100_000), draws.normal(3, "parameters", 100_000)
    assert 0.0 < u.min() < u.max() < 1.0
    assert stats.kstest(u, "uniform").pvalue > 1e-3
    assert stats.kstest(z, "norm").pvalue > 1e-3


def test_normal_quantile():
    p = np.concatenate([(np.array([0, 1, 2**31, 2**32 - 1]) + 0.5) * 2.0**-32, np.linspace(1e-9, 1 - 1e-9, 20001)])
    np.testing.assert_allclose(draws.normal_quantile(p), special.ndtri(p), rtol=4e-15, atol=2e-16)


def test_known_numbers():
    """The same on every machine, to the bit: nothing but IEEE arithmetic is used."""
    found = [x.hex() for x in draws.normal(42, "parameters", 4, series=1, member=2).tolist()]
    assert found == KNOWN_NORMAL
    assert draws.permutation(42, "order", 10, series=3).tolist() == KNOWN_ORDER


KNOWN_NORMAL = ["0x1.0c3a87a9b24a5p+1", "-0x1.c29c1495fdebfp-2", "-0x1.c59e8344a9459p-1", "0x1.58ed50818dd9fp+0"]
KNOWN_ORDER = [4, 7, 9, 5, 6, 8, 2, 3, 0, 1]


@given(st.integers(0, 200), st.integers(0, 2**64 - 1), st.integers(0, 1000))
def test_a_permutation_has_everyone_once(n, seed, epoch):
    order = draws.permutation(seed, "order", n, series=epoch)
    np.testing.assert_array_equal(np.sort(order), np.arange(n))


def test_permutations_are_uniform():
    orders = np.array([draws.permutation(5, "order", 4, series=epoch) for epoch in range(4800)])
    _, counts = np.unique(orders @ [64, 16, 4, 1], return_counts=True)
    assert len(counts) == 24
    assert stats.chisquare(counts).pvalue > 1e-3


# -- first values


VARIANCE = {
    "zeros": 0.0,
    "constant": 0.0,
    "uniform": 1.0 / 12.0,
    "normal": 0.01,
    "glorot_uniform": 2.0 / 500.0,
    "glorot_normal": 2.0 / 500.0,
    "he_uniform": 2.0 / 300.0,
    "he_normal": 2.0 / 300.0,
}


@pytest.mark.parametrize("name", sorted(INITIALISERS))
def test_initialisers(name):
    """Mean and variance, of a layer with 300 inputs and 200 outputs; a new initialiser needs its variance."""
    network = Sequential((Dense(300, 200, weight_init=name, bias_init=name),))
    w = network.params.initial(1, [0])[0]
    n = w.size
    variance = VARIANCE[name]
    np.testing.assert_allclose(w.var(), variance, rtol=4 * np.sqrt(2 / n) if variance else 0, atol=1e-20)
    expected = 0.1 if name == "constant" else 0.0
    np.testing.assert_allclose(w.mean(), expected, atol=4 * np.sqrt(variance / n) + 1e-15)
    if name.endswith("uniform"):
        assert np.abs(w).max() <= np.sqrt(3 * variance)
        assert np.abs(w).max() > 0.999 * np.sqrt(3 * variance)


def test_a_member_begins_alone_as_among_others():
    params = MLP((3, 5, 2), weight_init="he_normal", bias_init="uniform").params
    together = params.initial(9, range(6))
    np.testing.assert_array_equal(params.initial(9, [4, 1]), together[[4, 1]])
    assert len(np.unique(together)) == together.size
    assert not np.isin(params.initial(10, [0]), together).any()


def test_options_of_initialisers():
    assert get_initialiser(Normal(2.0)).sd == 2.0
    w = Sequential((Dense(100, 100, weight_init=Uniform(2.0, 3.0), bias=False),)).params.initial(0, [0])
    assert 2.0 < w.min() < w.max() < 3.0


# -- layout


def test_views():
    network = MLP((2, 3, 1))
    params = network.params
    assert params.names == ("0.weight", "0.bias", "1.weight", "1.bias")
    assert params.size == 13
    w = np.arange(2 * 13.0).reshape(2, 13)
    views = params.views(np, w)
    assert {name: v.shape for name, v in views.items()} == {
        "0.weight": (2, 2, 3),
        "0.bias": (2, 3),
        "1.weight": (2, 3, 1),
        "1.bias": (2, 1),
    }
    np.testing.assert_array_equal(views["0.weight"][1], [[13, 14, 15], [16, 17, 18]])
    np.testing.assert_array_equal(views["1.bias"][:, 0], [12, 25])
    assert all(np.shares_memory(v, w) for v in views.values())


def test_pack_undoes_views(backend):
    params = MLP((2, 3, 1)).params
    w = backend.asarray(random(4, 13), "float64")
    packed = params.pack(backend.xp, params.views(backend.xp, w))
    np.testing.assert_array_equal(backend.to_numpy(packed), backend.to_numpy(w))


def test_decays_are_weights():
    params = MLP((2, 3, 1)).params
    np.testing.assert_array_equal(params.decays, [1] * 6 + [0] * 3 + [1] * 3 + [0])


def test_misuse(refuses):
    params = MLP((2, 3, 1)).params
    with refuses("w has shape (4, 12): give (…, 13)"):
        params.views(np, np.zeros((4, 12)))
    with refuses("no parameter '0.weightt': did you mean '0.weight'?"):
        params.pack(np, {"0.weightt": np.zeros((2, 3))})
    with refuses("parameter '1.bias' is missing"):
        params.pack(np, {n: v for n, v in params.views(np, np.zeros(13)).items() if n != "1.bias"})
    with refuses("parameter '0.bias' has shape (2,): give (…, 3,)"):
        params.pack(np, params.views(np, np.zeros(13)) | {"0.bias": np.zeros(2)})
    with refuses("two parameters have one name: weight, bias, weight, bias"):
        ParamVector((*Dense(1, 1).blocks(), *Dense(1, 1).blocks()))
