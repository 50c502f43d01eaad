"""Dual numbers: every rule by differences, many directions at once, derivatives of derivatives."""

import numpy as np
import pytest
from learning import differences, quadratic, random, rosenbrock

from neurosim.backends import get
from neurosim.learn import Dual, DualSpace
from neurosim.learn.dual_rules import CONSTANT, RULES

A, B = random(3, 4, seed=1), random(3, 4, seed=2)
BINARY = ("add", "subtract", "multiply", "divide", "maximum", "minimum")
# name → the function of xp and one array; a new rule needs one
EXAMPLES = {
    **{name: (lambda xp, x, name=name: getattr(xp, name)(x, 1.5 * x + B)) for name in BINARY},
    **{name: (lambda xp, x, name=name: getattr(xp, name)(x)) for name in ("negative", "abs", "exp", "expm1", "tanh")},
    **{name: (lambda xp, x, name=name: getattr(xp, name)(x)) for name in ("sin", "cos")},
    **{name: (lambda xp, x, name=name: getattr(xp, name)(x * x + 0.5)) for name in ("sqrt", "log", "log1p")},
    "where": lambda xp, x: xp.where(x > 0.0, x * x, 2.0) + xp.where(x > 0.5, -1.0, x),
    "matmul": lambda xp, x: xp.matmul(x, xp.matrix_transpose(x + B)) @ A,
    "sum": lambda xp, x: xp.sum(x * x, axis=0) + xp.sum(x, axis=(-2, -1)) + xp.sum(x, axis=1, keepdims=True),
    "mean": lambda xp, x: xp.mean(x * x, axis=1) * xp.mean(x),
    "max": lambda xp, x: xp.max(x * x, axis=-1, keepdims=True) * xp.max(x),
    "reshape": lambda xp, x: xp.reshape(x * x, (2, 6)),
    "matrix_transpose": lambda xp, x: xp.matrix_transpose(x) * B.T,
    "permute_dims": lambda xp, x: xp.permute_dims(x, (1, 0)) * xp.permute_dims(x, (-1, -2)),
    "expand_dims": lambda xp, x: xp.expand_dims(x, axis=1) * xp.expand_dims(x, axis=-1),
    "broadcast_to": lambda xp, x: xp.broadcast_to(x[:, :1], (2, 3, 4)) * B,
    "concat": lambda xp, x: xp.concat([x, xp.asarray(B), x * x], axis=1),
    "stack": lambda xp, x: xp.stack([x, xp.asarray(B), x * x], axis=0),
    "astype": lambda xp, x: xp.astype(x, xp.float64) * 2.0,
}


@pytest.mark.parametrize("name", sorted(RULES))
def test_rules(name):
    function, tangent = EXAMPLES[name], random(3, 4, seed=3)
    space = DualSpace(np)
    y = function(space, space.dual(A, tangent))
    np.testing.assert_allclose(y.value, function(np, A), rtol=1e-14)
    jacobian = differences(lambda x: function(np, x), A)
    np.testing.assert_allclose(y.tangent, np.tensordot(jacobian, tangent, 2), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", sorted(RULES))
def test_many_directions_at_once(name):
    function, tangents = EXAMPLES[name], random(2, 5, 3, 4, seed=3)
    many, one = DualSpace(np, (2, 5)), DualSpace(np)
    y = function(many, many.dual(A, tangents))
    assert y.tangent.shape == (2, 5, *y.shape)
    for i in range(2):
        for j in range(5):
            alone = function(one, one.dual(A, tangents[i, j]))
            np.testing.assert_allclose(y.tangent[i, j], alone.tangent, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", sorted(RULES))
def test_second_derivatives(name):
    function, u, v, h = EXAMPLES[name], random(3, 4, seed=3), random(3, 4, seed=4), 1e-6

    def along(x):
        space = DualSpace(np)
        return space.tangent(function(space, space.dual(x, u)))

    outer = DualSpace(np)
    inner = DualSpace(outer)
    y = function(inner, Dual(inner, outer.dual(A, v), u))
    second = outer.tangent(inner.tangent(y))
    np.testing.assert_allclose(second, (along(A + h * v) - along(A - h * v)) / (2 * h), rtol=1e-5, atol=1e-7)


def test_a_tangent_has_the_shape_of_its_value():
    """Also where a dual meets a larger constant, so that sums afterwards count every element."""
    space = DualSpace(np, (2,))
    x = space.dual(np.ones((1, 3)), np.ones((2, 1, 3)))
    y = x + np.zeros((5, 4, 3))
    assert y.tangent.shape == (2, 5, 4, 3)
    np.testing.assert_array_equal(space.sum(y, axis=(-3, -2)).tangent, np.full((2, 3), 20.0))


def test_max_shares_between_equals():
    space = DualSpace(np)
    y = space.max(space.dual(np.array([1.0, 3.0, 3.0]), np.array([5.0, 2.0, 4.0])))
    assert (float(y.value), float(y.tangent)) == (3.0, 3.0)


@pytest.mark.parametrize("name", sorted(CONSTANT & {"less", "isfinite", "sign", "zeros_like", "argmax"}))
def test_steps_see_the_value_alone(name):
    space = DualSpace(np)
    x = space.dual(A, B)
    found = getattr(space, name)(x, 0.5) if name == "less" else getattr(space, name)(x)
    expected = getattr(np, name)(A, 0.5) if name == "less" else getattr(np, name)(A)
    assert not isinstance(found, Dual)
    np.testing.assert_array_equal(found, expected)


def test_constants_pass_through():
    space = DualSpace(np)
    assert space.pi == np.pi
    assert space.finfo(np.float64).eps == np.finfo(np.float64).eps
    np.testing.assert_array_equal(space.exp(A), np.exp(A))
    two = space.dual(A, B)
    for y in (A * two, two * A, A - two, two / A, -two, abs(two), A + two):
        assert isinstance(y, Dual)
    np.testing.assert_allclose((A / two).tangent, -A / (A * A) * B)


def test_every_library(backend):
    """Gradient and Hessian of Rosenbrock's valley."""
    xp = backend.xp
    w = backend.asarray([[0.5, -0.3]], "float64")
    outer = DualSpace(xp, (2,))
    inner = DualSpace(outer, (2,))
    units = backend.asarray(np.eye(2)[:, None, :], "float64")
    y = rosenbrock(inner, Dual(inner, outer.dual(w, units), units))
    x0, x1 = 0.5, -0.3
    gradient = [-2 * (1 - x0) - 400 * x0 * (x1 - x0 * x0), 200 * (x1 - x0 * x0)]
    hessian = [[2 - 400 * (x1 - 3 * x0 * x0), -400 * x0], [-400 * x0, 200.0]]
    np.testing.assert_allclose(backend.to_numpy(y.tangent.value)[:, 0, 0], gradient, rtol=1e-12)
    np.testing.assert_allclose(backend.to_numpy(y.tangent.tangent)[:, :, 0, 0], hessian, rtol=1e-12)


def test_misuse(refuses):
    space = DualSpace(get("numpy").xp)
    x = space.dual(A, B)
    with refuses("xp.sort has no derivative here", "known are abs, "):
        space.sort(x)
    with refuses("no truth value", "xp.where"):
        bool(x)
    with refuses("must not write into its arguments"):
        x[0] = 1.0
    with refuses("the tangent has shape (3,): give (3, 4)"):
        space.dual(A, np.zeros(3))
    assert "Dual(" in repr(x)


def test_quadratic_has_its_scales_as_hessian():
    space = DualSpace(np, (3,))
    inner = DualSpace(space, (3,))
    units = np.eye(3)[:, None, :]
    y = quadratic((1.0, 10.0, 100.0))(inner, Dual(inner, space.dual(np.ones((1, 3)), units), units))
    np.testing.assert_allclose(y.tangent.tangent[:, :, 0, 0], np.diag([1.0, 10.0, 100.0]))
