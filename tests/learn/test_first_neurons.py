"""McCulloch and Pitts's neuron and Rosenblatt's rule: rows 5 and 7 of the lecture."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from learning import random

from neurosim.learn import (
    Dense,
    McCullochPitts,
    PerceptronRule,
    Sequential,
    Stochastic,
    fit,
    with_bias_input,
)
from neurosim.learn.optimizers import GradientDescent

GATES = {
    "and": (McCullochPitts((1, 1), 2), [0, 0, 0, 1]),
    "or": (McCullochPitts((1, 1), 1), [0, 1, 1, 1]),
    "nor": (McCullochPitts((-1, -1), 0), [1, 0, 0, 0]),
    "and not": (McCullochPitts((1, 1), 1, inhibitory=(1,)), [0, 0, 1, 0]),
}


def table(n):
    return np.array(list(product([0.0, 1.0], repeat=n)))


@pytest.mark.parametrize("gate", GATES)
def test_truth_tables(gate):
    neuron, expected = GATES[gate]
    np.testing.assert_array_equal(neuron.fire(np, table(2)), expected)


def test_not():
    np.testing.assert_array_equal(McCullochPitts((-1,), 0).fire(np, table(1)), [1, 0])
    np.testing.assert_array_equal(McCullochPitts((1,), 0, inhibitory=(0,)).fire(np, table(1)), [1, 0])


def test_inhibition_is_absolute():
    """One inhibitory input outdoes any number of others."""
    neuron = McCullochPitts((1,) * 5 + (1,), 1, inhibitory=(5,))
    x = table(6)
    np.testing.assert_array_equal(neuron.fire(np, x), (x[:, :5].sum(axis=1) >= 1) & (x[:, 5] == 0))


def test_a_net_of_them_does_xor():
    x = table(2)
    hidden = np.stack([GATES["or"][0].fire(np, x), GATES["and"][0].fire(np, x)], axis=-1)
    np.testing.assert_array_equal(McCullochPitts((1, 1), 1, inhibitory=(1,)).fire(np, hidden), [0, 1, 1, 0])


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=4), st.integers(-3, 3))
def test_the_threshold_is_the_weight_of_a_constant_input(weights, threshold):
    """σ(Σ wᵢ xᵢ − w₀) = σ(⟨w, x⟩) with x₀ = −1."""
    x = table(len(weights))
    total = with_bias_input(np, x) @ np.array([threshold, *weights], dtype=float)
    np.testing.assert_array_equal(McCullochPitts(tuple(weights), threshold).fire(np, x), total >= 0)


def test_every_library(backend):
    x = backend.asarray(table(3), "float32")
    y = McCullochPitts((1, -1, 1), 1, inhibitory=(2,)).fire(backend.xp, x)
    assert y.dtype == backend.xp.float32
    np.testing.assert_array_equal(backend.to_numpy(y), [0, 0, 0, 0, 1, 0, 0, 0])


# -- Rosenblatt


def separable(n=40, seed=0):
    """Two classes with a margin around a line, and the line."""
    normal, offset = np.array([0.6, -0.8]), 0.3
    x = random(4 * n, 2, seed=seed)
    distance = x @ normal - offset
    keep = np.abs(distance) > 0.15
    return x[keep][:n], np.sign(distance[keep][:n])


@pytest.mark.parametrize("shuffle", [False, True])
def test_convergence_within_the_bound(shuffle):
    """Row 7 of the lecture: at most (R/γ)² mistakes, whatever the order."""
    x, target = separable()
    run = PerceptronRule().learn((x, target), shuffle=shuffle, seed=3)
    assert run.converged.all()
    rows = with_bias_input(np, x)
    assert (target * (rows @ run.w[0]) > 0).all()
    perfect = np.array([0.3, 0.6, -0.8])
    margin = (target * (rows @ perfect)).min() / np.linalg.norm(perfect)
    assert 0 < run.mistakes.sum() <= (np.linalg.norm(rows, axis=1).max() / margin) ** 2
    assert run.mistakes[-1, 0] == 0


def test_and_or_are_learned_xor_is_not():
    rule = PerceptronRule()
    for wanted in ([-1, -1, -1, 1], [-1, 1, 1, 1]):
        assert rule.learn((table(2), wanted), epochs=50).converged.all()
    run = rule.learn((table(2), [-1, 1, 1, -1]), epochs=200)
    assert not run.converged.any()
    assert len(run.mistakes) == 200


def test_one_step_by_hand():
    rule = PerceptronRule(0.5)
    x, target = np.array([-1.0, 2.0]), np.array([1.0])
    w, wrong = rule.update(np, np.array([[0.0, -1.0], [0.0, 1.0]]), x, target)
    np.testing.assert_array_equal(wrong, [[1.0], [0.0]])
    np.testing.assert_array_equal(w, [[-0.5, 0.0], [0.0, 1.0]])


def test_it_is_stochastic_descent_on_the_perceptron_criterion():
    """The same weights, update for update, as fit with a linear unit; its bias is minus the threshold."""
    x, target = separable(seed=4)
    w0 = random(3, seed=5)
    run = PerceptronRule(0.7).learn((x, target), w0=[-w0[2], w0[0], w0[1]], epochs=2)
    network = Sequential((Dense(2, 1),))
    samples = (x, target[:, None])
    history = fit(
        network, samples, GradientDescent(0.7), "perceptron_criterion", Stochastic(shuffle=False), w0=w0, epochs=2
    )
    np.testing.assert_allclose(history.w[0], [run.w[0, 1], run.w[0, 2], -run.w[0, 0]], rtol=1e-12)


def test_an_ensemble_of_units(backend):
    """First weights and rates of their own; each as alone, on every array library."""
    x, target = separable()
    w0 = random(3, 3, seed=2)
    rates = np.array([1.0, 0.1, 3.0])
    together = PerceptronRule(rates).learn((x, target), w0=w0, epochs=30, backend=backend)
    for k in range(3):
        alone = PerceptronRule(rates[k]).learn((x, target), w0=w0[k], epochs=30)
        np.testing.assert_allclose(together.w[k], alone.w[0], rtol=1e-12)
        n = len(alone.mistakes)
        np.testing.assert_array_equal(together.mistakes[:n, k], alone.mistakes[:, 0])
        assert not together.mistakes[n:, k].any()


def test_no_epochs():
    run = PerceptronRule().learn(separable(), epochs=0)
    assert run.mistakes.shape == (0, 1)
    assert not run.converged.any()
