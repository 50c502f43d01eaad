"""Strong Wolfe: its conditions hold, for each network by itself."""

import hypothesis
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from learning import quadratic, random, rosenbrock

from neurosim.learn import FunctionObjective, StrongWolfe
from neurosim.learn.line_search import _End, cubic_minimum


def search(function, w, first, direction=None, **options):
    problem = FunctionObjective(function)
    value, grad = problem.value_and_grad(w)
    direction = -grad if direction is None else direction
    with np.errstate(all="ignore"):  # as in the loop: a cubic need not have a minimum
        found = StrongWolfe(**options).search(np, problem, w, value, grad, direction, first * np.ones_like(value))
    return problem, value, grad, direction, found


def assert_wolfe(value, grad, direction, found, c1, c2):
    slope = (grad * direction).sum(axis=1, keepdims=True)
    new_slope = (found.grad * direction).sum(axis=1, keepdims=True)
    assert found.ok.all()
    assert (found.value <= value + c1 * found.step * slope + 1e-15 * np.abs(value)).all()
    assert (np.abs(new_slope) <= -c2 * slope).all()


@given(
    st.floats(1e-6, 1e6),
    st.sampled_from([0.9, 0.1, 1e-3]),
    st.integers(0, 1000),
)
def test_conditions_hold(first, c2, seed):
    """On Rosenbrock's valley, from anywhere, whatever the first step."""
    w = random(5, 2, seed=seed, scale=2.0)
    problem, value, grad, direction, found = search(rosenbrock, w, first, c2=c2, max_evaluations=80)
    assert_wolfe(value, grad, direction, found, 1e-4, c2)
    np.testing.assert_array_equal(found.w, w + found.step * direction)
    np.testing.assert_array_equal(problem.value(found.w), found.value)
    np.testing.assert_array_equal(problem.value_and_grad(found.w)[1], found.grad)


@pytest.mark.parametrize("first", [1e-3, 0.1, 10.0])
def test_exact_on_a_quadratic(first):
    w = random(4, 3, seed=2)
    scales = np.array([1.0, 3.0, 10.0])
    _, _, grad, _, found = search(quadratic(scales), w, first, c1=1e-12, c2=1e-10, max_evaluations=60)
    expected = (grad**2).sum(axis=1) / (scales * grad**2).sum(axis=1)
    np.testing.assert_allclose(found.step[:, 0], expected, rtol=1e-8)


def test_each_network_searches_alone():
    w = random(6, 2, seed=7)
    first = np.array([[1e-4], [1e-3], [1e-2], [0.1], [1.0], [10.0]])
    _, _, _, _, together = search(rosenbrock, w, first)
    for k in range(6):
        _, _, _, _, alone = search(rosenbrock, w[k : k + 1], first[k : k + 1])
        for a, b in zip(alone, together, strict=True):
            np.testing.assert_array_equal(a[0], b[k])
    assert len(set(together.evaluations[:, 0].tolist())) > 1, "they take different numbers of evaluations"


def test_a_wall_is_stepped_back_from():
    """Infinite and NaN errors are no better than large ones."""

    def wall(xp, w):
        return xp.where(w > 1.0, xp.log(1.0 - w), -w + w * w)

    _, value, grad, direction, found = search(wall, np.array([[0.0]]), 64.0, c2=0.1)
    assert_wolfe(value, grad, direction, found, 1e-4, 0.1)
    np.testing.assert_allclose(found.w, 0.5, atol=0.06)


def test_a_failure_ends_where_it_began():
    """Uphill nothing is to be found."""
    w = np.array([[1.0, 2.0]])
    _, value, grad, _, found = search(quadratic((1.0, 1.0)), w, 1.0, direction=np.array([[1.0, 2.0]]))
    assert not found.ok.any()
    np.testing.assert_array_equal(found.w, w)
    np.testing.assert_array_equal(found.value, value)
    np.testing.assert_array_equal(found.grad, grad)
    assert found.step[0, 0] == 0.0


def test_the_best_is_taken_where_not_all_holds():
    """One evaluation lowers the error without fulfilling the second condition."""
    w = np.array([[1.0]])
    _, value, _, _, found = search(quadratic((1.0,)), w, 0.1, c2=1e-3, max_evaluations=1)
    assert found.ok.all()
    assert found.value < value
    assert found.evaluations[0, 0] == 1.0
    np.testing.assert_array_equal(found.grad, found.w)


@given(st.floats(0.01, 100.0), st.floats(-3.0, 3.0), st.floats(0.5, 5.0))
@hypothesis.example(76.17239783607951, -2.5715484176791032, 4.015873693527356)  # a valley is left for a higher one
@hypothesis.example(6.5455996020371146, 2.8622007583956774, 4.671068181319132)
def test_nothing_better_was_seen(first, start, waves):
    """Among many valleys: no step that was tried and lowers the error enough was lower than the one that is taken."""
    seen = []

    def valleys(xp, w):
        value = 0.1 * w * w + xp.sin(waves * w)
        seen.append((w, value))
        return value

    w = np.array([[start]])
    _, value, grad, direction, found = search(valleys, w, first, max_evaluations=40)
    slope = float((grad * direction)[0, 0])
    if abs(slope) < 1e-6:
        return
    for tried, error in seen[1:]:  # duals: their values
        step = float((tried.value - w)[0, 0] / direction[0, 0])
        if float(error.value[0, 0]) <= float(value[0, 0]) + 1e-4 * step * slope:
            assert found.value[0, 0] <= error.value[0, 0] + 1e-14


def test_cubic_minimum():
    """Exact for a cubic: x³ − x has its minimum at 1/√3."""

    def end(x):
        return _End(np.array([[x]]), np.array([[x**3 - x]]), np.array([[3 * x**2 - 1]]))

    for a, b in ((0.0, 1.0), (1.0, 0.0), (0.2, 0.3), (2.0, 0.1)):
        np.testing.assert_allclose(cubic_minimum(np, end(a), end(b)), 1 / np.sqrt(3), rtol=1e-12)


def test_options(refuses):
    with refuses("StrongWolfe: c1 = 0.5, c2 = 0.1: must be 0 < c1 < c2 < 1"):
        StrongWolfe(c1=0.5)
    with refuses("StrongWolfe.max_evaluations = 0"):
        StrongWolfe(max_evaluations=0)
