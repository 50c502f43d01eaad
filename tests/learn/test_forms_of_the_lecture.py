"""Second-order formulas of the lecture, literally, beside the standard ones."""

import numpy as np
from learning import quadratic, random, rosenbrock
from second_order import bowl, chain, definite, walk

from neurosim.learn import (
    FunctionObjective,
    minimize,
)
from neurosim.learn.optimizers import BFGS, ConjugateGradients

# -- forms of the lecture


def test_the_lectures_bfgs_does_not_end():
    """E12: stuck after thirty steps where the standard form needs three."""
    problem, start = FunctionObjective(quadratic((1.0, 5.0, 20.0))), [3.0, 1.0, 1.0]
    standard = minimize(problem, BFGS(line_search="exact"), start, iterations=3)
    literal = minimize(problem, BFGS(form="lecture", line_search="exact"), start, iterations=30)
    assert standard.final_error[0] < 1e-13 * standard.error[0, 0]
    assert literal.final_error[0] > 1e-2 * literal.error[0, 0], literal.error[:, 0]
    assert (np.diff(literal.error[:, 0]) <= 0.0).all()


def test_the_lectures_bfgs_by_hand():
    """V − V s sᵀ V / (sᵀ V s) + y yᵀ / (s·s)."""
    (w0, a), (w1, b) = walk(BFGS(form="lecture"), FunctionObjective(rosenbrock), np.array([[-1.2, 1.0]]), 1)
    s, y, v = (w0 - w1)[0], (b.grad - a.grad)[0], np.eye(2)
    expected = v - np.outer(v @ s, s @ v) / (s @ v @ s) + np.outer(y, y) / (s @ s)
    np.testing.assert_allclose(b.inverse[0], expected, rtol=1e-10)


def test_the_lectures_conjugate_gradients():
    """Without decay and momentum it is the standard form on a quadratic; either spoils its end (E8)."""
    problem, start, n = bowl(definite(4)), random(3, 4, seed=2), 4
    literal = minimize(problem, ConjugateGradients(form="lecture", line_search="exact"), start, iterations=n)
    assert (literal.error[n] < 1e-13 * literal.error[0]).all()
    for spoilt in ({"momentum": 0.3}, {"l2": 0.3}):
        method = ConjugateGradients(form="lecture", line_search="exact", **spoilt)
        history = minimize(problem, method, start, iterations=n)
        assert (history.held("error")[-1] > 1e-8 * history.error[0]).all(), spoilt


def test_the_lectures_step_by_hand():
    """ΔW(t) = η (p + ρ W) + μ ΔW(t−1), and E can rise with μ."""
    mu, rho = 0.5, 0.05
    problem = FunctionObjective(quadratic((1.0, 100.0)))
    method = ConjugateGradients(form="lecture", momentum=mu, l2=rho)
    steps = walk(method, problem, np.array([[-1.2, 1.0]]), 12)
    for k in range(1, 12):
        (w, state), (new, _) = steps[k], steps[k + 1]
        if (new == w).all():
            continue
        change, line = w - steps[k - 1][0], state.direction - rho * w
        along = (new - w - mu * change)[0]
        assert abs(along[0] * line[0, 1] - along[1] * line[0, 0]) < 1e-9 * np.linalg.norm(line)
    assert (np.diff([float(s.value[0, 0]) for _, s in steps]) > 0.0).any()


def test_resets_of_the_lecture(refuses):
    """Every ``restart`` steps, and β is not cut off; the standard form takes neither decay nor momentum."""
    steps = walk(ConjugateGradients(form="lecture", restart=3), FunctionObjective(chain), random(1, 6, seed=5), 9)
    assert [float(s.since[0, 0]) for _, s in steps] == [0.0, 1.0, 2.0] * 3 + [0.0]
    with refuses("ConjugateGradients.momentum spoils conjugate directions: write form='lecture' with it"):
        ConjugateGradients(momentum=0.5)
    with refuses("ConjugateGradients.l2 spoils"):
        ConjugateGradients(l2=0.1)
