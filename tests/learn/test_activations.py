"""Activations: derivatives, laws, and the same on dual numbers, in a traced kernel and on every array library."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from learning import STEPS, random

from neurosim.backends.tracing import Graph, evaluate
from neurosim.learn import ACTIVATIONS, DualSpace, Softmax, StochasticBinary
from neurosim.learn.activations import Elementwise, get_activation

EVERY = pytest.mark.parametrize("name", sorted(ACTIVATIONS))
SUMS = np.concatenate([random(6, 3, scale=2.0), [[0.3, -0.7, 12.0]]])


def vjp(activation, s, dy):
    return activation.pullback(np, s, activation.forward(np, s), dy)


@EVERY
def test_derivative(name):
    """The pullback is the transposed Jacobian, by central differences."""
    if name == "stochastic_binary":
        pytest.skip("its derivative is that of the mean, tested below")
    activation, dy = get_activation(name), random(7, 3, seed=4)
    h = 1e-6
    for k in range(3):
        step = h * np.eye(3)[k]
        change = (activation.forward(np, SUMS + step) - activation.forward(np, SUMS - step)) / (2 * h)
        np.testing.assert_allclose(vjp(activation, SUMS, dy)[:, k], (dy * change).sum(axis=1), rtol=1e-6, atol=1e-9)


@EVERY
def test_dual_numbers_give_the_same_derivative(name):
    activation, dy, ds = get_activation(name), random(7, 3, seed=4), random(7, 3, seed=5)
    space = DualSpace(np)
    s = space.dual(SUMS, ds)
    if name in STEPS:
        y = activation.forward(space, s)
        assert not np.any(space.tangent(y)), "a step is flat"
        return
    forward = activation.forward(space, s).tangent
    np.testing.assert_allclose(np.sum(dy * forward), np.sum(vjp(activation, SUMS, dy) * ds), rtol=1e-12)


@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS).difference(STEPS)))
def test_second_derivative(name):
    """The pullback's own derivative, which Hessian products need."""
    activation, dy, ds = get_activation(name), random(7, 3, seed=4), random(7, 3, seed=5)
    space, h = DualSpace(np), 1e-6
    s = space.dual(SUMS, ds)
    exact = space.tangent(activation.pullback(space, s, activation.forward(space, s), dy))
    change = (vjp(activation, SUMS + h * ds, dy) - vjp(activation, SUMS - h * ds, dy)) / (2 * h)
    np.testing.assert_allclose(exact, change, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", sorted(n for n, cls in ACTIVATIONS.items() if issubclass(cls, Elementwise)))
def test_elementwise_activations_can_be_fused(name):
    activation, graph = get_activation(name), Graph()
    s = graph.input("s", "float64")
    y = activation.forward(graph, s)
    slope = activation.derivative(graph, s, y)
    values = evaluate(graph, [y.index, slope.index], np, {"s": SUMS})
    y = activation.forward(np, SUMS)
    np.testing.assert_array_equal(values[0], y)
    np.testing.assert_array_equal(values[1], activation.derivative(np, SUMS, y))


def test_values():
    """The four curves of slide 16 at a few points."""
    s = np.array([[-3.0, 0.0, 1.0]])
    expected = {
        "tanh": [-0.995054753686730, 0.0, 0.761594155955765],
        "sigmoid": [0.0474258731775668, 0.5, 0.731058578630005],
        "heaviside": [0.0, 1.0, 1.0],
        "sign": [-1.0, 1.0, 1.0],
        "relu": [0.0, 0.0, 1.0],
        "linear": [-3.0, 0.0, 1.0],
        "softmax": [e / (math.exp(-3) + 1 + math.e) for e in (math.exp(-3), 1, math.e)],
    }
    for name, values in expected.items():
        np.testing.assert_allclose(get_activation(name).forward(np, s)[0], values, atol=1e-12, err_msg=name)


def test_tanh_is_a_stretched_sigmoid():
    tanh, sigmoid = (get_activation(name).forward(np, SUMS * factor) for name, factor in (("tanh", 1), ("sigmoid", 2)))
    np.testing.assert_allclose(tanh, 2 * sigmoid - 1, atol=1e-15)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_sigmoid_keeps_its_small_values(dtype):
    s = np.array([[-80.0, -20.0, 20.0, 80.0]], dtype)
    y = get_activation("sigmoid").forward(np, s)
    assert y.dtype == dtype
    np.testing.assert_allclose(y[0], [math.exp(-80), math.exp(-20), 1.0, 1.0], rtol=3e-6)


@pytest.mark.parametrize("name", ["sigmoid", "softmax", "tanh"])
def test_huge_sums_overflow_nowhere(name):
    with np.errstate(all="raise", under="ignore"):
        y = get_activation(name).forward(np, np.array([[1e3, -1e3, 0.0], [1e300, 0.0, -1e300]]))
    assert np.isfinite(y).all()


@given(arrays(np.float64, (4, 5), elements=st.floats(-1e3, 1e3)), st.floats(-1e3, 1e3))
def test_softmax_laws(s, shift):
    y = Softmax().forward(np, s)
    np.testing.assert_allclose(y.sum(axis=-1), 1.0, atol=1e-14)
    assert (y >= 0).all()
    np.testing.assert_allclose(Softmax().forward(np, s + shift), y, atol=1e-12)
    order = [3, 1, 4, 0, 2]
    np.testing.assert_allclose(Softmax().forward(np, s[:, order]), y[:, order], atol=1e-15)
    ds = vjp(Softmax(), s, y * y)
    np.testing.assert_allclose(ds.sum(axis=-1), 0.0, atol=1e-13, err_msg="a shift of all sums changes nothing")


def test_stochastic_binary():
    """Row 6 of the lecture: the mean is the sigmoid within three standard deviations; its slope is the derivative."""
    s = np.broadcast_to(np.linspace(-3.0, 3.0, 7), (20_000, 7))
    y = StochasticBinary(seed=3).forward(np, s)
    p = 1.0 / (1.0 + np.exp(-s[0]))
    assert set(np.unique(y)) == {0.0, 1.0}
    assert (np.abs(y.mean(axis=0) - p) < 3 * np.sqrt(p * (1 - p) / len(s))).all()
    np.testing.assert_allclose(vjp(StochasticBinary(), s, 2.0 * np.ones_like(s))[0], 2.0 * p * (1 - p), rtol=1e-12)


def test_stochastic_binary_is_a_function_of_seed_and_draw(backend):
    s = np.zeros((40, 10))
    first = StochasticBinary(seed=5, draw=1).forward(np, s)
    np.testing.assert_array_equal(first, StochasticBinary(seed=5, draw=1).forward(np, s))
    for other in (StochasticBinary(seed=5, draw=2), StochasticBinary(seed=6, draw=1)):
        assert 0.3 < np.mean(first != other.forward(np, s)) < 0.7
    y = StochasticBinary(seed=5, draw=1).forward(backend.xp, backend.asarray(s, "float64"))
    np.testing.assert_array_equal(backend.to_numpy(y), first)
