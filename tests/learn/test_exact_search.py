"""The exact line search, and the inner solvers of Newton's method."""

import numpy as np
from learning import example, random, rosenbrock
from second_order import bowl, definite

from neurosim.learn import (
    Exact,
    FunctionObjective,
    StrongWolfe,
    fit,
    minimize,
)
from neurosim.learn.linear import conjugate_gradients, solve_definite
from neurosim.learn.optimizers import BFGS, LBFGS, ConjugateGradients, LevenbergMarquardt, Newton

# -- the exact search


def test_exact_search_ends_where_the_slope_does():
    problem, w = FunctionObjective(rosenbrock), random(5, 2, seed=3, scale=1.5)
    value, grad = problem.value_and_grad(w)
    with np.errstate(all="ignore"):
        found = Exact().search(np, problem, w, value, grad, -grad, np.full((5, 1), 1e-3))
    slope = (grad * grad).sum(axis=1)
    assert found.ok.all()
    assert (np.abs((found.grad * grad).sum(axis=1)) <= 1e-9 * slope).all()
    assert (found.evaluations < 40).all()


def test_exact_search_of_a_quadratic_takes_few_evaluations():
    problem, w = bowl(definite(6)), random(4, 6)
    value, grad = problem.value_and_grad(w)
    with np.errstate(all="ignore"):
        found = Exact().search(np, problem, w, value, grad, -grad, np.full((4, 1), 1e-2))
    assert (found.evaluations <= 6).all(), found.evaluations


def test_exact_search_ends_where_no_number_is_left():
    """In single precision the slope cannot be made so small: an end all the same, and before all evaluations."""
    problem = FunctionObjective(rosenbrock, precision="float32")
    w = random(8, 2, seed=3).astype(np.float32)
    value, grad = problem.value_and_grad(w)
    with np.errstate(all="ignore"):
        found = Exact().search(np, problem, w, value, grad, -grad, np.full((8, 1), 1e-3, np.float32))
    assert found.ok.all()
    assert (found.value < value).all()
    assert (found.evaluations < 60).all(), found.evaluations
    np.testing.assert_array_equal(found.value, problem.value(found.w))
    np.testing.assert_array_equal(found.grad, problem.value_and_grad(found.w)[1])


def test_exact_search_options(refuses):
    with refuses("Exact.tolerance = 1: must be below 1"):
        Exact(tolerance=1.0)
    with refuses("Exact.max_evaluations = 0"):
        Exact(max_evaluations=0)


# -- systems of equations


def test_solve_definite():
    a, b = definite(5)[None] * np.array([1.0, -1.0, 0.0])[:, None, None], random(3, 5)
    x, ok = solve_definite(np, a, b, 1e-6)
    assert ok.all()
    expected = np.linalg.solve(a[0], b[0]), np.linalg.solve(a[0], b[1]), b[2]
    np.testing.assert_allclose(x, expected, rtol=1e-10)
    a[1, 0, 0] = np.nan
    x, ok = solve_definite(np, a, b, 1e-6)
    assert ok[:, 0].tolist() == [True, False, True]
    np.testing.assert_allclose(x[0], expected[0], rtol=1e-10)


def test_the_floor_of_eigenvalues():
    a = np.diag([4.0, 1e-12, -2.0])[None]
    x, _ = solve_definite(np, a, np.ones((1, 3)), np.array([[0.01]]))
    np.testing.assert_allclose(x, [[0.25, 25.0, 0.5]], rtol=1e-12)


def test_inner_conjugate_gradients():
    a, b = np.stack([definite(5), definite(5, seed=2)]), random(2, 5, seed=3)

    def times(v):
        return np.matmul(a, v[..., None])[..., 0]

    x, ok, products = conjugate_gradients(np, times, b, np.array([[1e-10], [1.0]]), 50)
    assert ok.all()
    residual = np.linalg.norm(times(x) - b, axis=1)
    assert residual[0] <= 1e-9
    assert 1e-3 < residual[1] <= 1.0
    assert products[1, 0] < products[0, 0] <= 8.0
    alone, _, _ = conjugate_gradients(np, lambda v: v @ a[1].T, b[1:], np.array([[1.0]]), 50)
    np.testing.assert_allclose(alone[0], x[1], rtol=1e-12)


def test_options(refuses):
    for attempt, *said in (
        (lambda: BFGS(form="slide"), "BFGS.form = 'slide'", "lecture"),
        (lambda: BFGS(scaled=1), "BFGS.scaled = 1: write True or False"),
        (lambda: LBFGS(memory=0), "LBFGS.memory = 0: give a whole number above 0"),
        (lambda: Newton(solver="lu"), "Newton.solver = 'lu'", "dense"),
        (lambda: Newton(form="slide"), "Newton.form = 'slide'", "lecture"),
        (lambda: Newton(inner=0), "Newton.inner = 0: give a whole number above 0"),
        (lambda: Newton(form="lecture", solver="cg"), "leave solver='auto'"),
        (lambda: Newton(matrix="gauss_newton"), "is known by products alone: write solver='cg' with it"),
        (lambda: Newton(matrix="fisher"), "Newton.matrix = 'fisher'", "gauss_newton"),
        (
            lambda: minimize(
                FunctionObjective(rosenbrock), Newton(solver="cg", matrix="gauss_newton"), np.ones((1, 2))
            ),
            "is of networks, not of FunctionObjective",
        ),
        (lambda: LevenbergMarquardt(scaling="diag"), "LevenbergMarquardt.scaling = 'diag'", "marquardt"),
        (lambda: LevenbergMarquardt(grow=1.0), "LevenbergMarquardt.grow = 1 1: must be finite and above 1"),
        (lambda: ConjugateGradients(form="slide"), "ConjugateGradients.form = 'slide'", "lecture"),
        (lambda: ConjugateGradients(line_search=StrongWolfe), "line search = StrongWolfe: that is a class"),
    ):
        with refuses(*said):
            attempt()
    network, samples = example("cross_entropy")
    with refuses("is no sum of squares, which this optimizer needs: write loss='mean_squared_error'"):
        fit(network, samples, "lma", "cross_entropy")
