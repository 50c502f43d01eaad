"""Systems of equations of many networks, some of them singular."""

import array_api_strict
import numpy as np
import pytest
from learning import random

from neurosim.learn.linear import solve


def systems():
    a = np.matmul(random(4, 3, 3), random(4, 3, 3, seed=1))
    return a, random(4, 3, seed=2)


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_solutions(backend, precision):
    if not hasattr(backend.xp, "linalg"):
        pytest.skip("without the extension linalg")
    a, b = systems()
    x, ok = solve(backend.xp, backend.asarray(a, precision), backend.asarray(b, precision))
    assert x.dtype == getattr(backend.xp, precision)
    assert backend.to_numpy(ok).tolist() == [[True]] * 4
    tolerance = 1e-11 if precision == "float64" else 1e-3
    np.testing.assert_allclose(backend.to_numpy(x), np.linalg.solve(a, b[..., None])[..., 0], rtol=tolerance)


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf])
def test_one_that_is_singular_keeps_nobody_from_theirs(backend, bad):
    if not hasattr(backend.xp, "linalg"):
        pytest.skip("without the extension linalg")
    a, b = systems()
    expected = np.linalg.solve(a, b[..., None])[..., 0]
    a[1] = bad
    expected[1] = 0.0
    with np.errstate(all="ignore"):
        x, ok = solve(backend.xp, backend.asarray(a, "float64"), backend.asarray(b, "float64"))
    assert backend.to_numpy(ok)[:, 0].tolist() == [True, False, True, True]
    np.testing.assert_allclose(backend.to_numpy(x), expected, rtol=1e-11)


def test_an_infinite_right_hand_side():
    a, b = systems()
    b[2, 0] = np.inf
    x, ok = solve(np, a, b)
    assert ok[:, 0].tolist() == [True, True, False, True]
    assert np.isfinite(x).all()


def test_an_optimizer_says_what_it_needs(refuses):
    """Where a library lacks an extension."""
    from neurosim.learn import FunctionObjective, minimize
    from neurosim.learn.optimizers import GradientDescent

    class Needy(type(GradientDescent()).__mro__[1]):
        name, extensions = "needy", ("linalg",)
        rate = start = update = lambda self, *arguments: None

    with array_api_strict.ArrayAPIStrictFlags(enabled_extensions=()):
        problem = FunctionObjective(lambda xp, w: w * w, backend="array_api_strict")
        with refuses("Needy needs xp.linalg, which array_api_strict does not have here"):
            minimize(problem, Needy(), [1.0])
