"""Second-order optimizers go where SciPy's and torch's go: paths stored in oracles, and live."""

import json

import numpy as np
import pytest
from learning import ORACLES, SQUARES, example, objective, weights
from scipy.optimize import least_squares
from scipy.optimize import minimize as scipy_minimize
from second_order import Full, chain, walk

from neurosim.learn import (
    MLP,
    FunctionObjective,
    ResidualObjective,
    fit,
    minimize,
)
from neurosim.learn.line_search import Found, LineSearch
from neurosim.learn.optimizers import BFGS, LBFGS, ConjugateGradients, LevenbergMarquardt, Newton

SCIPY = json.loads((ORACLES / "scipy_second_order.json").read_text())
TORCH = json.loads((ORACLES / "torch_second_order.json").read_text())

# -- paths of others


class Replay(LineSearch):
    """Goes as far as a stored path went, in the direction that is asked for: a wrong direction leaves the path."""

    name = "replay"
    path: object = None

    def search(self, xp, objective, w, value, grad, direction, first):
        path = np.array(self.path)
        k = int(np.argmin(np.abs(path - w).sum(axis=1)))
        length = np.linalg.norm(path[k + 1] - path[k])
        step = length / np.linalg.norm(direction) * np.ones((1, 1))
        new = w + step * direction
        return Found(new, *objective.value_and_grad(new), step, 1.0 + 0.0 * step, step > 0.0)


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("cg", lambda search: ConjugateGradients(line_search=search, powell=1e300, restart=10**6)),
        ("bfgs", lambda search: BFGS(line_search=search, scaled=False)),
        ("lbfgs", lambda search: LBFGS(line_search=search, memory=4)),
    ],
)
def test_every_direction_is_scipys(name, method):
    """The whole path of SciPy's method on a valley of six dimensions, with its lengths and our directions."""
    path = np.array(SCIPY["paths"][name])
    steps = np.linalg.norm(np.diff(path, axis=0), axis=1)
    path = path[: 1 + int(np.argmin(np.append(steps, 0.0) > 1e-5))]  # to where rounding decides
    assert len(path) > 15
    found = walk(method(Replay(path=path)), FunctionObjective(chain), path[:1], len(path) - 1)
    np.testing.assert_allclose([w[0] for w, _ in found], path, atol=2e-6)


def test_lbfgs_walks_as_torchs():
    scales = np.array([1.0, 3.0, 7.0, 2.0, 5.0])

    def function(xp, w):
        s = xp.sum(w, axis=-1, keepdims=True)
        return xp.sum(scales * (0.5 * w * w + 0.25 * w * w * w * w), axis=-1, keepdims=True) + 0.5 * s * s

    path = np.array(TORCH["lbfgs"])
    found = walk(LBFGS(memory=3, line_search=Full()), FunctionObjective(function), path[:1], len(path) - 1)
    np.testing.assert_allclose([w[0] for w, _ in found], path, rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("scaling", ["identity", "marquardt"])
def test_levenberg_marquardt_walks_as_torch_levenberg_marquardt(scaling):
    """The accepted steps of a network; theirs tries up to ten dampings in a step, ours one."""
    oracle = TORCH["lma" if scaling == "identity" else "lma_marquardt"]
    path, x, y = (np.array(oracle[key]) for key in ("path", "x", "y"))
    network = MLP((1, 4, 1), ("tanh", "linear"))

    def residuals(xp, w):
        out, _ = network.forward(xp, w, x[:, None])
        return (out[..., 0] - y) * len(x) ** -0.5  # they divide by the samples

    seen = []
    minimize(
        ResidualObjective(residuals),
        LevenbergMarquardt(damping=1e-2 if scaling == "identity" else 10.0, scaling=scaling),
        path[0],
        iterations=40,
        callbacks=[lambda s: seen.append(np.array(s.w[0]))],
    )
    accepted = [w for k, w in enumerate(seen) if k == 0 or (w != seen[k - 1]).any()]
    np.testing.assert_allclose(accepted[: len(path)], path, rtol=1e-6, atol=1e-9)


def test_ends_are_scipys():
    start = np.array([-0.9, 0.9, 0.9, 0.9, 0.85, 0.75])  # near the lesser of two minima
    problem = FunctionObjective(chain)
    for method in (Newton(), Newton(solver="cg"), BFGS(), LBFGS(), ConjugateGradients()):
        history = minimize(problem, method, start, iterations=500, min_grad=1e-10)
        np.testing.assert_allclose(history.w[0], SCIPY["ends"]["newton_cg"], atol=1e-7, err_msg=str(method))
    times = np.linspace(0.0, 4.0, 25)
    data = np.exp(-0.3 * times) + 2.0 * np.exp(-1.7 * times) + 0.05 * np.sin(7.0 * times)
    fitted = ResidualObjective(
        lambda xp, w: w[:, :1] * xp.exp(-w[:, 1:2] * times) + w[:, 2:3] * xp.exp(-w[:, 3:] * times) - data
    )
    for scaling in ("identity", "marquardt"):
        history = minimize(fitted, LevenbergMarquardt(scaling=scaling), [1.0, 1.0, 0.1, 1.0], iterations=200)
        np.testing.assert_allclose(history.final_error[0], SCIPY["ends"]["lm_error"], rtol=1e-12)
        ends = np.array(SCIPY["ends"]["lm"]).reshape(2, 2)  # either exponential may come first
        ours = history.w[0].reshape(2, 2)
        np.testing.assert_allclose(ours[ours[:, 1].argsort()], ends[ends[:, 1].argsort()], rtol=1e-6)


def test_networks_end_where_scipys_do():
    """A small network with L2, where the minimum is definite: the same weights, live."""
    network, samples = example(SQUARES, sizes=(3, 2, 1), n=30)
    problem, w0 = objective(network, samples, SQUARES, l2=0.1), weights(network)

    def function(w):
        value, grad = problem.value_and_grad(w[None])
        return float(value[0, 0]), grad[0]

    theirs = scipy_minimize(function, w0[0], jac=True, method="BFGS", options={"gtol": 1e-9})
    squares = least_squares(
        lambda w: problem.residuals_and_jacobian(w[None])[0][0],
        0.9 * theirs.x,
        jac=lambda w: problem.residuals_and_jacobian(w[None])[1][0],
        method="lm",
        xtol=1e-14,
        ftol=1e-14,
    )
    np.testing.assert_allclose(squares.cost, theirs.fun, rtol=1e-9)
    for name in ("bfgs", "lbfgs", "cg", "newton", "lma"):
        ours = fit(network, samples, name, SQUARES, w0=0.9 * theirs.x, l2=0.1, iterations=400, min_grad=1e-9)
        np.testing.assert_allclose(ours.final_error[0], theirs.fun, rtol=1e-9, err_msg=name)
