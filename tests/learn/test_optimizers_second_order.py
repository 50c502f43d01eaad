"""Second-order optimizers: finite ends on quadratics, orders of convergence, safety, memory.

What every optimizer owes is in test_optimizers.py, paths of SciPy and torch in test_second_order_paths.py.
"""

from itertools import pairwise

import numpy as np
import pytest
from learning import SQUARES, STARTS, random, rosenbrock
from second_order import Full, Wrong, bowl, chain, definite, order, walk

from neurosim.learn import (
    MLP,
    FunctionObjective,
    ResidualObjective,
    Status,
    StrongWolfe,
    fit,
    minimize,
    one_hot,
)
from neurosim.learn.line_search import Found, LineSearch
from neurosim.learn.optimizers import BFGS, LBFGS, ConjugateGradients, LevenbergMarquardt, Newton

# -- finite ends on quadratics


@pytest.mark.parametrize("n", [2, 3, 6])
@pytest.mark.parametrize(
    "optimizer",
    [
        BFGS(line_search="exact"),
        BFGS(line_search="exact", scaled=False),
        LBFGS(line_search="exact"),
        ConjugateGradients(line_search="exact", powell=1e9),
    ],
    ids=["bfgs", "bfgs unscaled", "lbfgs", "cg"],
)
def test_n_steps_on_a_quadratic(optimizer, n):
    """Row 19 and 24 of the lecture; not before where the start is general."""
    problem, start = bowl(definite(n)), random(4, n, seed=2)
    history = minimize(problem, optimizer, start, iterations=n)
    assert (history.error[n] < 1e-13 * history.error[0]).all(), history.error
    if n > 2:
        assert (history.error[n - 1] > 1e-8 * history.error[0]).any()


def test_quasi_newton_directions_are_conjugate():
    """With an exact search BFGS, L-BFGS with all pairs, and conjugate gradients go the same way on a quadratic."""
    problem, start = bowl(definite(5)), random(3, 5, seed=4)
    one, *others = (
        minimize(problem, method, start, iterations=4).error
        for method in (
            BFGS(line_search="exact", scaled=False),
            BFGS(line_search="exact"),
            LBFGS(line_search="exact"),
            ConjugateGradients(line_search="exact", powell=1e9),
        )
    )
    for other in others:
        np.testing.assert_allclose(other, one, rtol=1e-6)


def test_bfgs_finds_the_inverse_of_the_hessian():
    """After n steps V = H⁻¹; in each V is positive definite and V y = s."""
    matrix = definite(4)
    steps = walk(BFGS(line_search="exact"), bowl(matrix), random(3, 4, seed=2), 4)
    for (w0, old), (w1, new) in pairwise(steps):
        y = new.grad - old.grad
        np.testing.assert_allclose(np.matmul(new.inverse, y[..., None])[..., 0], w1 - w0, rtol=1e-7, atol=1e-12)
        assert (np.linalg.eigvalsh(new.inverse) > 0.0).all()
        np.testing.assert_allclose(new.inverse, np.swapaxes(new.inverse, 1, 2), atol=1e-13)
    np.testing.assert_allclose(steps[-1][1].inverse, np.broadcast_to(np.linalg.inv(matrix), (3, 4, 4)), atol=1e-7)


@pytest.mark.parametrize("form", ["standard", "lecture"])
def test_newton_takes_one_step_on_a_quadratic(form):
    """Row 23."""
    history = minimize(bowl(definite(6)), Newton(form=form), random(5, 6), iterations=1)
    assert (history.error[1] < 1e-25 * history.error[0]).all()


def test_newton_by_products_takes_few_steps_on_a_quadratic():
    history = minimize(bowl(definite(6)), Newton(solver="cg"), random(5, 6), iterations=12)
    assert (history.held("error")[-1] < 1e-14 * history.error[0]).all(), history.error


def test_levenberg_marquardt_solves_linear_least_squares():
    """Row 25: as μ goes to 0 the step is exact; with μ it is the ridge solution."""
    a, b = random(8, 3, seed=1), random(8, seed=2)
    problem = ResidualObjective(lambda xp, w: xp.matmul(w, xp.asarray(a.T)) - xp.asarray(b))
    exact = minimize(problem, LevenbergMarquardt(damping=1e-14), random(4, 3), iterations=1)
    np.testing.assert_allclose(exact.w, np.tile(np.linalg.lstsq(a, b)[0], (4, 1)), rtol=1e-9)
    for scaling, d in (("identity", np.eye(3)), ("marquardt", np.diag((a * a).sum(axis=0)))):
        damped = minimize(problem, LevenbergMarquardt(damping=0.7, scaling=scaling), np.zeros(3), iterations=1)
        np.testing.assert_allclose(damped.w[0], np.linalg.solve(a.T @ a + 0.7 * d, a.T @ b), rtol=1e-12)


# -- Rosenbrock, and orders of convergence


@pytest.mark.parametrize(
    ("optimizer", "most"),
    [
        (BFGS(), 60),
        (LBFGS(), 60),
        (Newton(), 40),
        (Newton(solver="cg"), 150),
        (ConjugateGradients(line_search="exact"), 60),
    ],
    ids=["bfgs", "lbfgs", "newton", "newton-cg", "cg"],
)
def test_rosenbrock(optimizer, most):
    """Row 24: BFGS in less than 60 steps."""
    history = minimize(FunctionObjective(rosenbrock), optimizer, STARTS, iterations=most, min_grad=1e-10)
    np.testing.assert_allclose(history.w, 1.0, atol=1e-8)
    assert history.endings == {Status.CONVERGED.meaning: 3}, history
    rises = np.diff(history.error, axis=0)
    assert (rises[np.isfinite(rises)] <= 1e-15).all(), "never rises"


@pytest.mark.parametrize("scaling", ["identity", "marquardt"])
def test_rosenbrock_as_squares(scaling):
    valley = ResidualObjective(
        lambda xp, w: xp.concat([10.0 * (w[:, 1:] - w[:, :1] * w[:, :1]), 1.0 - w[:, :1]], axis=-1)
    )
    history = minimize(valley, LevenbergMarquardt(scaling=scaling), STARTS, iterations=60, min_grad=1e-12)
    np.testing.assert_allclose(history.w, 1.0, atol=1e-9)
    assert history.reached.sum() == 0
    assert (history.status == Status.CONVERGED).all()


def uneven(xp, w):
    """A smooth minimum at 0 that is no quadratic, with third derivatives."""
    return (
        xp.sum(xp.exp(w) - w, axis=-1, keepdims=True)
        - 3.0
        + 0.5 * xp.sum(w, axis=-1, keepdims=True) * xp.sum(w, axis=-1, keepdims=True)
    )


def distances(optimizer, iterations):
    history = walk(optimizer, FunctionObjective(uneven), np.array([[0.9, -0.7, 0.5]]), iterations)
    return [float(np.linalg.norm(w)) for w, _ in history]


def test_newton_converges_quadratically():
    assert 1.8 < order(distances(Newton(), 6)) < 2.2


@pytest.mark.parametrize("optimizer", [BFGS(), Newton(solver="cg")], ids=["bfgs", "newton-cg"])
def test_others_converge_superlinearly(optimizer):
    """The ratio of one distance to the one before goes to 0, while steepest descent keeps to one."""
    e = np.array(distances(optimizer, 14))
    e = e[e > 1e-13]
    ratios = e[1:] / e[:-1]
    assert ratios[-1] < 0.05, ratios
    assert ratios[-1] < 0.3 * np.median(ratios), ratios
    slow = np.array(distances(ConjugateGradients(restart=1, line_search="exact"), 14))
    assert (slow[-1] / slow[-2]) > 0.2


@pytest.mark.parametrize("scaling", ["identity", "marquardt"])
def test_levenberg_marquardt_converges_superlinearly_to_an_exact_fit(scaling):
    """Where the residuals vanish and μ with them."""

    def residuals(xp, w):
        x, y = w[:, :1], w[:, 1:]
        return xp.concat([xp.exp(x) - 1.0 + y * y, y + 0.3 * x * x, x * y], axis=-1)

    method = LevenbergMarquardt(damping=1e-2, shrink=0.01, scaling=scaling)
    steps = walk(method, ResidualObjective(residuals), np.array([[0.4, 0.3]]), 10)
    e = np.array([np.linalg.norm(w) for w, _ in steps])
    assert 1.7 < order(e) < 2.5, e


# -- safety

SAFE = {
    "bfgs": BFGS(),
    "lbfgs": LBFGS(),
    "newton": Newton(),
    "newton-cg": Newton(solver="cg"),
    "cg, lecture": ConjugateGradients(form="lecture", momentum=0.1),
}


@pytest.mark.parametrize("name", SAFE)
def test_a_search_that_cannot_succeed_ends_in_a_status(name):
    history = minimize(Wrong(), SAFE[name], [[1.0, 2.0], [0.0, 0.0]], iterations=20)
    assert history.status.tolist() == [Status.LINE_SEARCH, Status.CONVERGED]
    np.testing.assert_array_equal(history.w, [[1.0, 2.0], [0.0, 0.0]])


class AlongTheGradient(LineSearch):
    """Fails along every other direction."""

    name = "along_the_gradient"

    def search(self, xp, objective, w, value, grad, direction, first):
        found = StrongWolfe().search(xp, objective, w, value, grad, direction, first)
        steepest = (direction == -grad).all(axis=1, keepdims=True)
        here = Found(w, value, grad, 0.0 * value, found.evaluations, steepest & False)
        return Found(*(np.where(steepest, a, b) for a, b in zip(found, here, strict=True)))


@pytest.mark.parametrize("method", [BFGS, LBFGS, Newton], ids=["bfgs", "lbfgs", "newton"])
def test_a_search_that_fails_is_repeated_along_the_gradient(method):
    """And the network goes on."""
    problem = bowl(definite(3))
    history = minimize(problem, method(line_search=AlongTheGradient()), random(2, 3), iterations=20)
    assert history.endings == {Status.ITERATIONS.meaning: 2}
    failed = history.step[1:] == 0.0
    assert (failed.sum(axis=0) >= 9).all()
    assert not (failed[1:] & failed[:-1]).any()
    assert (history.final_error < 0.5 * history.error[0]).all()


@pytest.mark.parametrize("name", SAFE)
def test_negative_curvature_is_gone_down(name):
    """From beside the saddle of ¼ x⁴ − ½ x² + ½ y², where Newton's step leads up to it, to a minimum at x = ±1."""

    def saddle(xp, w):
        x, y = w[..., :1], w[..., 1:]
        return 0.25 * x * x * x * x - 0.5 * x * x + 0.5 * y * y

    start = np.array([[0.1, 0.5], [-0.01, 1.0]])
    history = minimize(FunctionObjective(saddle), SAFE[name], start, iterations=60, min_grad=1e-6)
    np.testing.assert_allclose(np.abs(history.w), [[1.0, 0.0]] * 2, atol=1e-5)
    if name == "newton":
        literal = minimize(FunctionObjective(saddle), Newton(form="lecture"), start, iterations=20, min_grad=1e-9)
        np.testing.assert_allclose(literal.w, 0.0, atol=1e-9, err_msg="undamped it goes to the saddle")


def test_a_singular_hessian():
    """w₁ of no account: the safe form goes on, the undamped one says why it cannot; neither harms the other network."""
    problem = FunctionObjective(
        lambda xp, w, a: 0.5 * (w[:, :1] * w[:, :1] + a * w[:, 1:] * w[:, 1:]), constants=(np.array([[0.0], [2.0]]),)
    )
    safe = minimize(problem, Newton(), [[3.0, 1.0], [3.0, 1.0]], iterations=3)
    np.testing.assert_allclose(safe.w, [[0.0, 1.0], [0.0, 0.0]], atol=1e-12)
    literal = minimize(problem, Newton(form="lecture"), [[3.0, 1.0], [3.0, 1.0]], iterations=3)
    assert literal.status.tolist() == [Status.SINGULAR, Status.CONVERGED]
    np.testing.assert_allclose(literal.w, [[3.0, 1.0], [0.0, 0.0]], atol=1e-12)


def test_second_derivatives_that_are_none():
    """Infinite or NaN for one network: it says so and stays, the other goes on."""

    class Cusp(Wrong):
        def value_and_grad_in(self, xp, w):
            return self.value_in(xp, w), 2.0 * w

        def hessian(self, w):
            return np.array([[[np.inf, 0.0], [0.0, 1.0]], 4.0 * np.eye(2)])

        def hessian_product(self, w, v):
            return np.array([[np.nan], [4.0]]) * v

    for method in (Newton(), Newton(solver="cg"), Newton(form="lecture")):
        history = minimize(Cusp(), method, [[0.0, 1.0], [1.0, 1.0]], iterations=1)
        assert history.status.tolist() == [Status.SINGULAR, Status.ITERATIONS]
        np.testing.assert_array_equal(history.w[0], [0.0, 1.0])
        assert history.final_error[1] < 2.0


def test_curvature_safeguards():
    """A pair with y·s ≤ 0 teaches nothing: V and the pairs stay, for that network alone."""
    curvatures = np.array([[1.0, 2.0], [-1.0, -2.0], [1.0, 2.0]])
    problem = FunctionObjective(
        lambda xp, w, a: 0.5 * xp.sum(a * w * w, axis=-1, keepdims=True), constants=(curvatures,)
    )
    start = np.array([[1.0, 1.0], [1.0, 1.0], [-2.0, 0.5]])
    for method in (BFGS(line_search=Full()), LBFGS(line_search=Full())):
        steps = walk(method, problem, start, 4)
        for k in range(3):
            rows = np.array([k])
            alone = walk(method, problem.select(rows), start[rows], 4)
            np.testing.assert_allclose([w[k] for w, _ in steps], [w[0] for w, _ in alone], rtol=1e-12)
        state = steps[-1][1]
        if isinstance(method, BFGS):
            np.testing.assert_array_equal(state.inverse[1], np.eye(2))
            assert state.updates[:, 0].tolist() == [4.0, 0.0, 4.0]
        else:
            assert [float(p.rho[1, 0]) for p in state.pairs] == [0.0] * len(state.pairs)
            assert state.pairs[0].rho[0, 0] > 0.0


def test_lbfgs_remembers_so_many_pairs():
    steps = walk(LBFGS(memory=3), FunctionObjective(chain), random(2, 6), 8)
    assert [len(state.pairs) for _, state in steps] == [0, 1, 2, 3, 3, 3, 3, 3, 3]
    (before, _), (after, state) = steps[-2:]
    np.testing.assert_allclose(state.pairs[0].s, after - before, rtol=1e-9)


# -- many weights


def test_digits_network_is_learned_or_refused(refuses):
    """136 660 weights, ten pictures: LMA reduced, Newton by products, L-BFGS; matrices are refused with their size."""
    network = MLP((900, 150, 10), ("sigmoid", "softmax"), weight_init="glorot_normal")
    assert network.params.size > 136_000
    x, target = np.random.default_rng(0).random((10, 900)), one_hot(np.arange(10), 10)
    options = {"iterations": 2, "seed": 1}
    for method in (LevenbergMarquardt(), Newton(solver="cg", inner=3), LBFGS()):
        history = fit(network, (x, target), method, SQUARES, **options)
        assert history.final_error[0] < history.error[0, 0], method
    assert Newton()._dense(network.params.size) is False
    for method, said in (
        (BFGS(), "BFGS's inverse Hessian takes 139 GiB"),
        (Newton(solver="dense"), "Newton's Hessian takes 139 GiB"),
        (Newton(form="lecture"), "Newton's Hessian takes 139 GiB"),
    ):
        with refuses(said, "free: use "):
            fit(network, (x, target), method, SQUARES, **options)
    # Compiled, JᵀJ is summed up without the Jacobian.
    for fuse, said in (("require", "JᵀJ takes 278 GiB"), ("off", "the Jacobian takes")):
        with refuses(said, "free: use "):
            fit(network, (x, target), LevenbergMarquardt(), SQUARES, l2=1e-3, fuse=fuse, **options)


def test_gauss_newton_products_learn_where_curvature_is_negative():
    """A half ring around a cloud: learned, while products of the Hessian lead along the gradient for long."""
    rng = np.random.default_rng(0)
    turn = np.pi * rng.random(150)
    ring = np.stack([0.5 + 0.35 * np.cos(turn), 0.3 + 0.45 * np.sin(turn)], axis=1)
    x = np.concatenate([ring, np.tile([0.5, 0.4], (150, 1))]) + 0.05 * rng.standard_normal((300, 2))
    data = (x, one_hot(np.repeat([0, 1], 150), 2))
    network = MLP((2, 10, 5, 2), ("sigmoid", "sigmoid", "softmax"))
    options = {"networks": 3, "iterations": 60, "stop_error": 0.05}
    hessian = fit(network, data, Newton(solver="cg"), "cross_entropy", **options)
    method = Newton(solver="cg", matrix="gauss_newton")
    free = fit(network, data, method, "cross_entropy", **options)
    assert free.reached.all(), free
    assert (free.iterations < hessian.iterations).all(), hessian
    alone = fit(network, data, method, "cross_entropy", **(options | {"networks": [2], "iterations": 15}))
    np.testing.assert_allclose(alone.error[:, 0], free.error[:16, 2], rtol=1e-7)
