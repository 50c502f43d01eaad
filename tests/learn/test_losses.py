"""Losses: gradients, closed forms, and the exact forms of sums before softmax and sigmoid."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from learning import LAST, differences, random, targets

from neurosim.learn import LOSSES, DualSpace, KullbackLeibler, MeanSquaredError, SoftmaxCrossEntropy, one_hot
from neurosim.learn.activations import get_activation
from neurosim.learn.losses import get_loss

EVERY = pytest.mark.parametrize("name", sorted(LOSSES))


def outputs(name, n=6, k=3):
    return get_activation(LAST[name]).forward(np, random(n, k, seed=2))


def total(loss, y, target):
    return loss.sample_losses(np, y, target)[0].sum()


@EVERY
def test_gradient(name):
    loss, y, target = get_loss(name), outputs(name), targets(name, 6, 3)
    losses, dy = loss.sample_losses(np, y, target)
    assert losses.shape == (6, 1)
    np.testing.assert_allclose(dy, differences(lambda y: total(loss, y, target), y), rtol=1e-6, atol=1e-8)


@EVERY
def test_second_derivative(name):
    loss, y, target, ds = get_loss(name), outputs(name), targets(name, 6, 3), random(6, 3, seed=9)
    space, h = DualSpace(np), 1e-6
    _, dy = loss.sample_losses(space, space.dual(y, ds), target)
    up, down = (loss.sample_losses(np, y + sign * h * ds, target)[1] for sign in (1, -1))
    np.testing.assert_allclose(space.tangent(dy), (up - down) / (2 * h), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", sorted(n for n in LOSSES if get_loss(n).of_sums(get_activation(LAST[n]))))
def test_of_sums_is_the_same_loss(name):
    """Of outputs or of the sums before them: one value, one gradient."""
    loss, activation, s = get_loss(name), get_activation(LAST[name]), random(6, 3, seed=2, scale=3.0)
    target = targets(name, 6, 3)
    y = activation.forward(np, s)
    losses, dy = loss.sample_losses(np, y, target)
    exact, ds = loss.of_sums(activation).sample_losses(np, s, target)
    np.testing.assert_allclose(exact, losses, rtol=1e-12)
    np.testing.assert_allclose(ds, activation.pullback(np, s, y, dy), atol=1e-13)
    assert loss.of_sums(get_activation("tanh")) is None


@pytest.mark.parametrize("name", ["softmax_cross_entropy", "sigmoid_cross_entropy"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_certain_networks_lose_no_digits(name, dtype):
    """Where the probabilities round to 0 and 1 the loss of sums is still finite, and small losses stay small."""
    s, target = np.array([[200.0, -200.0], [-200.0, 200.0], [20.0, -20.0]], dtype), one_hot([0, 0, 0], 2).astype(dtype)
    losses, ds = get_loss(name).sample_losses(np, s, target)
    outputs_that_err = 2 if name == "sigmoid_cross_entropy" else 1
    width = 200.0 if name == "sigmoid_cross_entropy" else 400.0
    assert losses.dtype == ds.dtype == dtype
    np.testing.assert_allclose(losses[1, 0], outputs_that_err * width)
    if dtype == "float64" and name == "sigmoid_cross_entropy":
        np.testing.assert_allclose(losses[2, 0], 2 * math.exp(-20), rtol=1e-8)
    assert np.isfinite(ds).all()


def test_cross_entropy_of_nothing_learned_is_ln_k():
    """Row 12 of the lecture: its curves begin at ln 2 = 0.693 and ln 10 = 2.303."""
    for k in (2, 10):
        losses, _ = SoftmaxCrossEntropy().sample_losses(np, np.zeros((3, k)), one_hot([0, 1, 1], k))
        np.testing.assert_allclose(losses, math.log(k), rtol=1e-15)


def test_kullback_leibler_is_cross_entropy_minus_entropy():
    y, target = outputs("cross_entropy"), targets("cross_entropy", 6, 3)
    entropy = -(target * np.log(target)).sum(axis=1, keepdims=True)
    kl, dy = get_loss("kullback_leibler").sample_losses(np, y, target)
    ce, same = get_loss("cross_entropy").sample_losses(np, y, target)
    np.testing.assert_allclose(kl, ce - entropy, rtol=1e-12)
    np.testing.assert_array_equal(dy, same)
    np.testing.assert_allclose(KullbackLeibler().sample_losses(np, target, target)[0], 0.0, atol=1e-15)


@given(arrays(np.float64, (5, 4), elements=st.floats(-30, 30)), arrays(np.float64, (5, 4), elements=st.floats(-30, 30)))
def test_kullback_leibler_is_not_negative(a, b):
    softmax = get_activation("softmax").forward
    losses, _ = SoftmaxCrossEntropy(relative=True).sample_losses(np, a, softmax(np, b))
    assert (losses >= -1e-12).all()


@given(st.integers(1, 5), st.sampled_from(["mean", "sum"]))
def test_squares(k, how):
    loss, y, target = MeanSquaredError(how), random(7, k, seed=1), random(7, k, seed=2)
    losses, _ = loss.sample_losses(np, y, target)
    np.testing.assert_allclose(losses[:, 0], getattr(np, how)((y - target) ** 2, axis=1), rtol=1e-12)
    r, slope = loss.residuals(np, y, target)
    np.testing.assert_allclose(0.5 * (r * r).sum(axis=1), losses[:, 0], rtol=1e-12)
    np.testing.assert_allclose(r, slope * (y - target), rtol=1e-12)


def test_hard_targets_and_certain_outputs_stay_finite():
    y, target = np.array([[1.0, 0.0], [0.0, 1.0]]), one_hot([0, 0], 2)
    for name in ("cross_entropy", "kullback_leibler", "binary_cross_entropy"):
        losses, dy = get_loss(name).sample_losses(np, y, target)
        assert np.isfinite(losses).all()
        assert np.isfinite(dy).all()
        assert losses[0, 0] == 0.0
        assert losses[1, 0] > 700.0


@pytest.mark.parametrize("name", sorted(set(LOSSES) - {"mean_squared_error"}))
def test_targets_that_mean_nothing_are_refused(refuses, name):
    with refuses(f"{LOSSES[name].__name__}: the target of sample [1] is [", "give "):
        get_loss(name).check(np.array([[1.0, -1.0 if name == "perceptron_criterion" else 0.0], [0.5, 3.0]]))


@pytest.mark.parametrize("name", sorted(set(LOSSES) - {"mean_squared_error"}))
def test_only_squares_have_residuals(refuses, name):
    with refuses(f"{LOSSES[name].__name__} is no sum of squares", "write loss='mean_squared_error'"):
        get_loss(name).residuals(np, outputs(name), targets(name, 6, 3))
