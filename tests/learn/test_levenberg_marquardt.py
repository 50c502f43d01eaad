"""Levenberg-Marquardt: damping, its reduced form, Marquardt's scaling."""

from itertools import pairwise

import numpy as np
from learning import SQUARES, example, objective, weights
from second_order import walk

from neurosim.learn import (
    ResidualObjective,
    Status,
    minimize,
)
from neurosim.learn.optimizers import LevenbergMarquardt

# -- Levenberg-Marquardt


def test_damping_follows_acceptance():
    """× 0.1 after a step that lowers the error, × 10 and back after one that does not."""
    network, samples = example(SQUARES, n=30)
    method = LevenbergMarquardt(damping=1e-4)
    steps = walk(method, objective(network, samples, SQUARES), weights(network, 6), 25)
    rejections = 0
    for (w0, a), (w1, b) in pairwise(steps):
        stays = (w0 == w1).all(axis=1, keepdims=True)
        np.testing.assert_allclose(b.damping, np.maximum(a.damping * np.where(stays, 10.0, 0.1), 1e-15), rtol=1e-12)
        assert (b.value[~stays] < a.value[~stays]).all()
        np.testing.assert_array_equal(b.value[stays], a.value[stays])
        rejections += 0 < stays.sum() < 6
    assert rejections > 2, "some reject while others go on"


def test_damping_without_end():
    """At a minimum to rounding no step lowers the error: a status, and the weights of before."""
    problem = ResidualObjective(lambda xp, w: xp.concat([w - 1.0, w + 1.0], axis=-1))
    history = minimize(problem, LevenbergMarquardt(), [0.3], iterations=60)
    assert history.status[0] in (Status.REJECTED, Status.CONVERGED)
    wrong = ResidualObjective(lambda xp, w: xp.sqrt(w - 1.0) + 5.0)  # NaN below 1: beyond the edge of what is defined
    edge = minimize(wrong, LevenbergMarquardt(), [1.0 + 1e-15], iterations=60)
    assert edge.status[0] == Status.REJECTED
    assert edge.w[0, 0] == 1.0 + 1e-15


def test_fewer_residuals_than_weights_are_solved_small():
    """The reduced form is the same step."""
    network, samples = example(SQUARES, sizes=(3, 6, 2), n=4)
    problem, w = objective(network, samples, SQUARES), weights(network, 3)
    r, jacobian = problem.residuals_and_jacobian(w)
    assert r.shape[1] < w.shape[1]
    for scaling in ("identity", "marquardt"):
        method = LevenbergMarquardt(damping=0.3, scaling=scaling)
        state = method.init(np, problem, w)
        assert state.matrix.shape == jacobian.shape
        change, ok = method._change(np, state)
        assert ok.all()
        jj = np.matmul(np.swapaxes(jacobian, 1, 2), jacobian)
        d = np.diagonal(jj, axis1=1, axis2=2) if scaling == "marquardt" else np.ones_like(w)
        full = jj + 0.3 * d[..., None] * np.eye(w.shape[1])
        np.testing.assert_allclose(np.matmul(full, change[..., None])[..., 0], state.grad, rtol=1e-9, atol=1e-12)


def test_marquardts_scaling_knows_no_units():
    """Weights in other units: the same path; a weight of no account stays."""

    def residuals(unit):
        def function(xp, w):
            a, b = w[:, :1], w[:, 1:2] * unit
            return xp.concat([10.0 * (b - a * a), 1.0 - a], axis=-1) + 0.0 * w[:, 2:]

        return ResidualObjective(function)

    method = LevenbergMarquardt(scaling="marquardt")
    one = minimize(residuals(1.0), method, [-1.2, 1.0, 7.0], iterations=12)
    other = minimize(residuals(1e3), method, [-1.2, 1e-3, 7.0], iterations=12)
    np.testing.assert_allclose(other.error, one.error, rtol=1e-6, atol=1e-20)
    np.testing.assert_allclose(one.w[0, 2], 7.0)
    small = minimize(residuals(1.0), method, [-1.2, 1.0, 7.0], iterations=60)
    assert small.final_error[0] < 1e-3 * small.error[0, 0]
    more = ResidualObjective(lambda xp, w: xp.concat([residuals(1.0).function(xp, w)] * 2, axis=-1))
    tall = minimize(more, method, [-1.2, 1.0, 7.0], iterations=60)  # more residuals than weights
    assert tall.final_error[0] < 1e-3 * tall.error[0, 0]
    plain = minimize(residuals(1e3), LevenbergMarquardt(), [-1.2, 1e-3, 7.0], iterations=12)
    assert not np.allclose(plain.error[5], one.error[5])
