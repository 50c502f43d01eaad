"""Compiled errors, gradients and curvatures against the reference, for every activation and loss, and any network."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from learning import LAST, objective, random, targets

from neurosim.errors import SlowPathWarning
from neurosim.learn import ACTIVATIONS, LOSSES, MLP, Dense, NetworkObjective, Samples, Sequential, fit, minimize
from neurosim.learn.compiled.network import compiled_objective

COMPILED = sorted(set(ACTIVATIONS) - {"stochastic_binary"})  # whose numbers depend on places in a batch
TOLERANCE = {"float64": 1e-12, "float32": 2e-5}


def both(network, samples, loss, networks, **options):
    """Reference, compiled form, weights."""
    reference = objective(network, samples, loss, **options)
    w = network.params.initial(3, range(networks)).astype(options.get("precision", "float64"))
    return reference, compiled_objective(reference, networks), w


def agree(a, b, precision):
    """Equal to rounding, in the units of the largest of each network."""
    assert a.shape == b.shape
    assert a.dtype == b.dtype == np.dtype(precision)
    size = np.abs(a).reshape(len(a), -1).max(axis=1).reshape(-1, *[1] * (a.ndim - 1))
    assert (np.abs(a - b) <= TOLERANCE[precision] * (size + 1e-3)).all()


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize("loss", sorted(LOSSES))
@pytest.mark.parametrize("hidden", COMPILED)
def test_every_activation_and_loss(hidden, loss, precision):
    network = MLP((3, 6, 5, 4), [hidden, hidden, LAST[loss]], bias_init="uniform")
    samples = Samples(random(21, 3), targets(loss, 21, 4), np.linspace(0.0, 2.0, 21))
    l2 = np.array([0.0, 0.1])
    reference, compiled, w = both(network, samples, loss, 2, precision=precision, l2=l2)
    value, grad = compiled.value_and_grad(w)
    for a, b in zip(reference.value_and_grad(w), (value, grad), strict=True):
        agree(a, b, precision)
    np.testing.assert_array_equal(compiled.value(w), value)


@pytest.mark.parametrize("last", COMPILED)
def test_every_activation_of_outputs(last):
    """Where the loss does not take the sums."""
    network = MLP((2, 5, 3), ["tanh", last], bias_init="uniform")
    reference, compiled, w = both(network, (random(40, 2), random(40, 3)), "mean_squared_error", 2)
    for a, b in zip(reference.value_and_grad(w), compiled.value_and_grad(w), strict=True):
        agree(a, b, "float64")


widths = st.lists(st.integers(1, 70), min_size=2, max_size=5)


@settings(max_examples=60, deadline=None)
@given(
    sizes=widths,
    activations=st.lists(st.sampled_from(COMPILED), min_size=4, max_size=4),
    bias=st.booleans(),
    n=st.integers(1, 300),
    own=st.booleans(),
    weighted=st.booleans(),
    l2=st.sampled_from([0.0, 0.01]),
    precision=st.sampled_from(["float64", "float32"]),
)
def test_any_network(sizes, activations, bias, n, own, weighted, l2, precision):
    layers = [
        Dense(a, b, f, bias_init="uniform", bias=bias) if bias else Dense(a, b, f, bias=False)
        for a, b, f in zip(sizes, sizes[1:], activations, strict=False)
    ]
    lead = (2,) if own else ()
    weight = np.random.default_rng(n).uniform(0.5, 1.0, (*lead, n)) if weighted else None
    samples = Samples(random(*lead, n, sizes[0]), random(*lead, n, sizes[-1]), weight)
    options = {"precision": precision, "l2": l2}
    reference, compiled, w = both(Sequential(layers), samples, "mean_squared_error", 2, **options)
    for a, b in zip(reference.value_and_grad(w), compiled.value_and_grad(w), strict=True):
        agree(a, b, precision)
    one = compiled.select(np.array([1]))  # a network alone is the network among others
    np.testing.assert_array_equal(one.value_and_grad(w[1:])[1], compiled.value_and_grad(w)[1][1:])


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 9), min_size=2, max_size=4),
    activations=st.lists(st.sampled_from(COMPILED), min_size=3, max_size=3),
    bias=st.booleans(),
    n=st.integers(1, 400),
    weighted=st.booleans(),
    l2=st.sampled_from([0.0, 0.01]),
)
def test_curvature_of_any_network(sizes, activations, bias, n, weighted, l2):
    layers = [Dense(a, b, f, bias=bias) for a, b, f in zip(sizes, sizes[1:], activations, strict=False)]
    weight = np.random.default_rng(n).uniform(0.0, 1.0, n) if weighted else None
    samples = Samples(random(n, sizes[0]), random(n, sizes[-1]), weight)
    reference, compiled, w = both(Sequential(layers), samples, "mean_squared_error", 2, l2=l2)
    expected, found = reference.least_squares(w), compiled.least_squares(w)
    for a, b in zip(expected[:2], found[:2], strict=True):
        agree(a, b, "float64")
    assert expected[2].shape == found[2].shape


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_error_that_is_not_finite(precision):
    """Infinite and NaN as the reference has them."""
    reference, compiled, w = both(MLP((2, 3, 2), "linear"), (random(9, 2), random(9, 2)), "mean_squared_error", 3)
    w[0], w[1, 0] = 1e200, np.nan
    with np.errstate(all="ignore"):
        for a, b in zip(reference.value_and_grad(w), compiled.value_and_grad(w), strict=True):
            np.testing.assert_array_equal(np.isfinite(a).all(axis=1), np.isfinite(b).all(axis=1))
            np.testing.assert_allclose(a[2], b[2], rtol=1e-12)


def test_arguments_are_not_written():
    reference, compiled, w = both(MLP((2, 3, 2), "tanh"), (random(9, 2), random(9, 2)), "mean_squared_error", 2)
    before, x = w.copy(), reference.x.copy()
    w.flags.writeable = False
    compiled.value_and_grad(w)
    compiled.least_squares(w)
    np.testing.assert_array_equal(w, before)
    np.testing.assert_array_equal(reference.x, x)


class TestWhatHasNoKernel:
    network = MLP((2, 3, 2), ["stochastic_binary", "tanh"])
    data = (random(9, 2), random(9, 2))

    def test_is_told(self):
        with pytest.warns(SlowPathWarning, match="op by op: activation StochasticBinary.* write fuse='off'"):
            history = fit(self.network, self.data, iterations=2)
        assert history.provenance["engine"] == {"network": "eager", "optimizer": "eager"}
        assert "StochasticBinary" in history.provenance["op by op because"]

    def test_is_accepted(self):
        assert len(fit(self.network, self.data, iterations=2, fuse="off")) == 3

    def test_is_refused(self, refuses):
        with refuses("fuse='require', but this cannot be compiled: activation StochasticBinary"):
            fit(self.network, self.data, iterations=2, fuse="require")
        with refuses("unknown fuse 'on'"):
            fit(self.network, self.data, fuse="on")

    def test_a_layer_of_ones_own(self, refuses):
        class Doubled(Dense):
            def forward(self, xp, w, x):
                return super().forward(xp, w, 2.0 * x)

        network = Sequential((Dense(2, 3), Doubled(3, 2)))
        with refuses("layer 1 is Doubled, which has no compiled pass: Dense has"):
            fit(network, self.data, iterations=2, fuse="require")

    def test_other_libraries(self):
        history = fit(MLP((2, 2), "tanh"), self.data, iterations=1, backend="array_api_strict")
        assert history.provenance["engine"] == {"network": "eager", "optimizer": "eager"}
        assert "array_api_strict" in history.provenance["op by op because"]


def test_minimize_a_network():
    reference, _, w = both(MLP((2, 3, 2), "tanh"), (random(9, 2), random(9, 2)), "mean_squared_error", 2)
    assert isinstance(reference, NetworkObjective)
    for optimizer, engine in (("adam", "numba"), ("cg", "eager")):
        a, b = (minimize(reference, optimizer, w, iterations=9, fuse=fuse) for fuse in ("require", "off"))
        np.testing.assert_allclose(a.w, b.w, rtol=1e-9, atol=1e-12)
        assert a.provenance["engine"] == {"network": "numba", "optimizer": engine}


def test_what_is_no_network(refuses):
    from neurosim.learn import FunctionObjective

    problem = FunctionObjective(lambda xp, w: xp.sum(w * w, axis=-1, keepdims=True))
    assert minimize(problem, "gradient_descent", [1.0, 2.0], iterations=3).provenance["engine"]["network"] == "eager"
    with refuses("FunctionObjective is no network's error"):
        minimize(problem, "gradient_descent", [1.0, 2.0], fuse="require")
