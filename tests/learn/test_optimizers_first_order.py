"""What each optimizer that moves by a formula of the gradient promises: closed forms and independent judges.

Paths of torch and FANN are stored in ``oracles/`` beside the scripts that made them.
"""

import importlib
import json

import numpy as np
import pytest
from learning import ORACLES, VARIANTS, quadratic, rosenbrock

from neurosim.learn import MLP, FirstOrder, FunctionObjective, Status, all_optimizers, fit, minimize
from neurosim.learn.optimizers import NAG, AdaDelta, AdaGrad, Adam, AdamW, GradientDescent, QuickProp, RMSProp, RProp


def path_of(objective, optimizer, start, steps):
    """Weights before and after each step, (steps + 1, P), and the history."""
    path = []
    history = minimize(objective, optimizer, start, iterations=steps, callbacks=[lambda s: path.append(s.w[0].copy())])
    return np.array(path), history


def slope(scales):
    """Σ scaleᵢ wᵢ: a gradient that stays."""

    def function(xp, w):
        total = 0.0 * w[..., :1]
        for k, scale in enumerate(scales):
            total = total + scale * w[..., k : k + 1]
        return total

    return FunctionObjective(function)


# -- torch

# each case of the script as neurosim has it
TORCH = {
    "gradient_descent": GradientDescent(1e-3, momentum=0.9),
    "nag": NAG(1e-3),
    "nag on a quadratic": NAG(9e-3),
    "adagrad": AdaGrad(0.2),
    "adagrad with a first sum": AdaGrad(0.5, initial=0.1, epsilon=1e-3),
    "adadelta": AdaDelta(epsilon=1e-3),
    "adadelta with a rate": AdaDelta(0.5, rho=0.8, rho_steps=0.8, epsilon=1e-2),
    "rprop": RProp(),
    "rprop within bounds": RProp(0.1, grow=1.5, shrink=0.3, step_min=1e-2, step_max=0.2),
    "rmsprop": RMSProp(0.01),
    "rmsprop, momentum": RMSProp(0.01, decay=0.99, momentum=0.8, epsilon=1e-4),
    "rmsprop, centered": RMSProp(0.01, momentum=0.5, centered=True),
    "adam": Adam(0.05),
    "adam with other betas": Adam(0.1, beta1=0.5, beta2=0.9, epsilon=1e-2),
    "adamw": AdamW(0.05, weight_decay=0.1),
}
STORED = json.loads((ORACLES / "torch_first_order.json").read_text(encoding="utf-8"))["cases"]
FUNCTIONS = {"rosenbrock": rosenbrock, "quadratic": quadratic((1.0, 10.0, 100.0))}


def test_every_optimizer_has_a_judge():
    judged = {optimizer.name for optimizer in TORCH.values()} | {QuickProp.name}  # FANN's
    assert judged == {name for name, cls in all_optimizers().items() if issubclass(cls, FirstOrder)}
    assert set(TORCH) == set(STORED)


@pytest.mark.parametrize("name", TORCH)
def test_as_torch(name):
    expected = np.array(STORED[name]["path"])
    objective = FunctionObjective(FUNCTIONS[STORED[name]["function"]])
    path, _ = path_of(objective, TORCH[name], expected[0], len(expected) - 1)
    np.testing.assert_allclose(path, expected, rtol=1e-10, atol=1e-13)
    assert np.abs(expected[-1] - expected[0]).max() > 0.1, "it moves"


@pytest.mark.torch
@pytest.mark.parametrize("name", TORCH)
def test_as_torch_that_is_installed(name, monkeypatch):
    pytest.importorskip("torch", reason="torch is not installed")
    monkeypatch.syspath_prepend(ORACLES)
    script = importlib.import_module("make_torch_first_order")
    np.testing.assert_allclose(script.path_of(*script.CASES[name]), STORED[name]["path"], rtol=1e-10, atol=1e-13)


# -- FANN

FANN = json.loads((ORACLES / "fann.json").read_text(encoding="utf-8"))
# FANN's slopes are sums of ½ e² over the eight samples, ours the mean of e²: rate and decay go with them
AS_FANN = {
    "quickprop": QuickProp(0.03125 / 2, growth=1.75, threshold=1e-3),
    "quickprop with decay": QuickProp(0.25 / 2, growth=1.5, threshold=1e-3, l2=0.0625 * 2 / 8),
    "irprop-": RProp(2.0**-12 * 1.25, grow=1.25, step_min=0.0),
}


@pytest.mark.parametrize("name", AS_FANN)
def test_as_fann(name):
    """quickProp through reversals, limits and continued growth; iRprop− up to the first change of a sign."""
    expected = np.array(FANN["cases"][name]["path"])
    path = []
    history = fit(
        MLP(FANN["sizes"], ("tanh", "linear")),
        (FANN["x"], FANN["target"]),
        AS_FANN[name],
        w0=expected[0],
        iterations=len(expected) - 1,
        callbacks=[lambda s: path.append(s.w[0].copy())],
    )
    # errors of rounding grow along the way
    np.testing.assert_allclose(path, expected, rtol=0, atol=1e-15 if name == "irprop-" else 1e-7)
    np.testing.assert_allclose(path[:19], expected[:19], rtol=0, atol=1e-12)
    assert history.final_error[0] < 0.9 * history.error[0, 0]


def test_the_paths_of_fann_try_every_branch():
    for name in ("quickprop", "quickprop with decay"):
        steps = np.diff(np.array(FANN["cases"][name]["path"]), axis=0)
        growth = steps[1:] / steps[:-1]
        most = AS_FANN[name].growth
        assert (growth < 0.0).any(), "back to a minimum that was jumped over"
        assert ((growth > 0.0) & (growth < most)).any(), "to a minimum ahead"
        assert (growth > most).any(), "as far as allowed, and a step down the slope"
        assert (np.abs(steps[:-1]) < 1e-3).any(), "from rest"


# -- NAG


@pytest.mark.parametrize(("form", "sign"), [("standard", -1.0), ("lecture", 1.0)])
def test_nag_as_it_is_written(form, sign):
    """The two points of the textbook, W and that of the gradient, W ∓ μ ΔW: ours is the second."""
    scales, eta, mu = np.array([1.0, 4.0]), 0.05, 0.8
    objective = FunctionObjective(quadratic(scales))
    path, history = path_of(objective, NAG(eta, momentum=mu, form=form), [1.0, -2.0], 30)
    w, decrement = np.array([1.0, -2.0]), np.zeros(2)
    for k in range(31):
        at = w + sign * mu * decrement
        np.testing.assert_allclose(path[k], at, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(history.error[k, 0], 0.5 * np.sum(scales * at * at), rtol=1e-10)
        decrement = eta * scales * at + mu * decrement
        w = w - decrement


def test_nag_without_momentum_is_gradient_descent():
    objective = FunctionObjective(rosenbrock)
    expected, _ = path_of(objective, GradientDescent(1e-3), [-1.2, 1.0], 40)
    for form in ("standard", "lecture"):
        path, _ = path_of(objective, NAG(1e-3, momentum=0.0, form=form), [-1.2, 1.0], 40)
        np.testing.assert_allclose(path, expected, rtol=1e-13)


def test_the_look_ahead_of_the_lecture_diverges():
    """Quadratic with curvatures 1, 10, 100, η 0.009, μ 0.9, 300 steps: 10⁷¹ against 10⁻¹⁶."""
    objective, start = FunctionObjective(quadratic((1.0, 10.0, 100.0))), [1.0, 1.0, 1.0]
    errors = [
        minimize(objective, optimizer, start, iterations=300).final_error[0]
        for optimizer in (NAG(0.009, form="lecture"), NAG(0.009), GradientDescent(0.009, momentum=0.9))
    ]
    assert 1e70 < errors[0] < 1e73
    assert errors[1] < 1e-15
    assert 1e-13 < errors[2] < 1e-11, "momentum alone, less well damped"


# -- AdaGrad


def test_adagrad_on_a_slope():
    """Steps η/√t, whatever the slope is."""
    history = minimize(slope((2.0, -0.01)), AdaGrad(0.3), [0.0, 0.0], iterations=50)
    moved = 0.3 * np.sum(1.0 / np.sqrt(np.arange(1, 51)))
    np.testing.assert_allclose(history.w[0], [-moved, moved], rtol=1e-7)


def test_a_weight_without_gradient():
    """0/0 in the lecture's form ends the network; the standard one leaves the weight where it is."""
    for optimizer in (AdaGrad(form="lecture"), AdaDelta(form="lecture")):
        history = minimize(slope((1.0, 0.0)), optimizer, [1.0, 1.0], iterations=5)
        assert history.status.tolist() == [Status.NON_FINITE]
        np.testing.assert_array_equal(history.w, [[1.0, 1.0]])
    for optimizer in (AdaGrad(), AdaDelta()):
        history = minimize(slope((1.0, 0.0)), optimizer, [1.0, 1.0], iterations=5)
        assert history.status.tolist() == [Status.ITERATIONS]
        assert history.w[0, 0] < 1.0 == history.w[0, 1]


def test_adagrad_of_the_lecture_elsewhere():
    """Where every weight has a gradient it is the standard one with an ε that does not count."""
    objective = FunctionObjective(rosenbrock)
    expected, _ = path_of(objective, AdaGrad(0.2), [-1.2, 1.0], 40)
    path, _ = path_of(objective, AdaGrad(0.2, form="lecture"), [-1.2, 1.0], 40)
    np.testing.assert_allclose(path, expected, rtol=1e-9)


# -- AdaDelta


def test_the_first_steps_of_adadelta():
    """√ε/√(ε + (1 − α) g²) · g, then by its own square."""
    g, rho, beta, eps = 2.0, 0.9, 0.8, 1e-3
    path, _ = path_of(slope((g,)), AdaDelta(rho=rho, rho_steps=beta, epsilon=eps), [0.0], 2)
    first = np.sqrt(eps / (eps + (1 - rho) * g * g)) * g
    second = np.sqrt((eps + (1 - beta) * first**2) / (eps + (1 - rho**2) * g * g)) * g
    np.testing.assert_allclose(path[:, 0], [0.0, -first, -first - second], rtol=1e-13)


def test_adadelta_of_the_lecture_never_moves():
    """D = 0 makes ΔW = 0, which leaves D = 0."""
    path, history = path_of(FunctionObjective(rosenbrock), AdaDelta(form="lecture"), [-1.2, 1.0], 100)
    np.testing.assert_array_equal(path, np.tile(path[0], (101, 1)))
    assert history.status.tolist() == [Status.ITERATIONS]


# -- quickProp


def test_two_steps_of_quickprop_on_parabolas():
    """A first step that jumps over every minimum, a second to all of them: the parabola is exact."""
    scales = np.array([1.5, 4.0, 9.0])
    objective, start = FunctionObjective(quadratic(scales)), [1.0, -2.0, 3.0]
    path, _ = path_of(objective, QuickProp(0.9), start, 2)
    np.testing.assert_allclose(path[1], start * (1.0 - 0.9 * scales), rtol=1e-14)
    np.testing.assert_allclose(path[2], 0.0, atol=1e-14)
    diverged = minimize(objective, QuickProp(0.9, form="lecture"), start, iterations=60)
    assert diverged.final_error[0] > 1e20, "the signs of the slide"


def test_quickprop_on_a_slope():
    """Two equal slopes: the last step grown by μ_max, and one down the slope; the lecture's signs leave that out."""
    path, _ = path_of(slope((0.5,)), QuickProp(0.1, growth=1.75), [0.0], 6)
    steps = 0.05 * np.cumsum(1.75 ** np.arange(6))
    np.testing.assert_allclose(np.diff(path[:, 0]), -steps, rtol=1e-13)
    path, _ = path_of(slope((0.5,)), QuickProp(0.1, growth=1.75, form="lecture"), [0.0], 6)
    np.testing.assert_allclose(np.diff(path[:, 0]), -0.05 * 1.75 ** np.arange(6), rtol=1e-13)


def test_a_small_step_is_none_up_to_the_threshold():
    path, _ = path_of(slope((2.0,)), QuickProp(0.1, threshold=0.2), [0.0], 6)
    np.testing.assert_allclose(np.diff(path[:, 0]), -0.2, rtol=1e-13)


def test_decay_of_quickprop():
    """ρ adds to the curvature: the second step ends at the minimum of the sum, which is 0, too."""
    path, history = path_of(FunctionObjective(quadratic((2.0,))), QuickProp(0.4, l2=1.0), [1.0], 2)
    np.testing.assert_allclose(path[:, 0], [1.0, 1.0 - 0.4 * 3.0, 0.0], atol=1e-14)
    np.testing.assert_allclose(history.error[0, 0], 1.0, rtol=1e-15)


# -- rProp


def igel_and_huesken(variant, gradient, value, w, steps, *, size=0.1, grow=1.2, shrink=0.5, low=1e-6, high=50.0):
    """The pseudo-code of the paper, weight by weight."""
    n = len(w)
    sizes, moves, grads, error = [size] * n, [0.0] * n, [0.0] * n, None
    path = [list(w)]
    for _ in range(steps):
        g, e = gradient(path[-1]), value(path[-1])
        new = list(path[-1])
        for i in range(n):
            product = g[i] * grads[i]
            if product > 0:
                sizes[i] = min(sizes[i] * grow, high)
            elif product < 0:
                sizes[i] = max(sizes[i] * shrink, low)
            if product < 0 and variant != "rprop-":
                if variant == "rprop+" or (variant == "irprop+" and e > error):
                    new[i] = new[i] - moves[i]
                grads[i] = 0.0
                continue
            moves[i] = -np.sign(g[i]) * sizes[i]
            new[i] = new[i] + moves[i]
            grads[i] = g[i]
        error = e
        path.append(new)
    return np.array(path)


def rosenbrock_at(w):
    return (1.0 - w[0]) ** 2 + 100.0 * (w[1] - w[0] ** 2) ** 2


def rosenbrock_gradient(w):
    return [-2.0 * (1.0 - w[0]) - 400.0 * w[0] * (w[1] - w[0] ** 2), 200.0 * (w[1] - w[0] ** 2)]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("options", [{}, {"size": 0.3, "grow": 1.5, "shrink": 0.4, "low": 0.02, "high": 0.25}])
def test_as_the_paper_of_igel_and_huesken(variant, options):
    expected = igel_and_huesken(variant, rosenbrock_gradient, rosenbrock_at, [-1.2, 1.0], 200, **options)
    names = {"size": "first_step", "low": "step_min", "high": "step_max"}
    optimizer = RProp(variant=variant, **{names.get(k, k): v for k, v in options.items()})
    path, _ = path_of(FunctionObjective(rosenbrock), optimizer, [-1.2, 1.0], 200)
    np.testing.assert_allclose(path, expected, rtol=1e-9, atol=1e-11)


def test_the_variants_differ():
    paths = [path_of(FunctionObjective(rosenbrock), RProp(variant=v), [-1.2, 1.0], 60)[0] for v in VARIANTS]
    for k in range(4):
        for other in paths[:k]:
            assert np.abs(paths[k] - other).max() > 1e-3


STEPS = {  # at ½ w² from 0.32: down by 0.1, 0.12, 0.144, over the minimum, and what follows
    "rprop-": [-0.1, -0.12, -0.144, 0.072, -0.036, 0.018, -0.009],
    "rprop+": [-0.1, -0.12, -0.144, 0.144, -0.072, -0.0864, 0.0864],
    "irprop-": [-0.1, -0.12, -0.144, 0.0, 0.072, 0.0, -0.036],
    "irprop+": [-0.1, -0.12, -0.144, 0.0, 0.072, 0.0, -0.036],
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_sequence_of_steps(variant):
    path, history = path_of(FunctionObjective(quadratic((1.0,))), RProp(variant=variant), [0.32], 7)
    np.testing.assert_allclose(np.diff(path[:, 0]), STEPS[variant], atol=1e-15)
    assert np.isnan(history.rate).all()


def test_what_made_the_error_rise_is_taken_back():
    """From 0.06 a step of 0.1 ends at −0.04 where the error is less, from 0.03 at −0.07 where it is more."""
    less, _ = path_of(FunctionObjective(quadratic((1.0,))), RProp(variant="irprop+"), [0.06], 2)
    more, _ = path_of(FunctionObjective(quadratic((1.0,))), RProp(variant="irprop+"), [0.03], 2)
    np.testing.assert_allclose(less[:, 0], [0.06, -0.04, -0.04], atol=1e-15)
    np.testing.assert_allclose(more[:, 0], [0.03, -0.07, 0.03], atol=1e-15)


def test_bounds_of_the_steps():
    path, _ = path_of(slope((1.0,)), RProp(0.1, step_max=0.15), [0.0], 5)
    np.testing.assert_allclose(np.diff(path[:, 0]), [-0.1, -0.12, -0.144, -0.15, -0.15], rtol=1e-12)
    path, _ = path_of(FunctionObjective(quadratic((1.0,))), RProp(0.1, step_min=0.04, variant="rprop-"), [0.06], 6)
    np.testing.assert_allclose(np.diff(path[:, 0])[1:3], [0.05, -0.04], rtol=1e-12)
    assert np.abs(np.diff(path[:, 0])).min() > 0.0399


@pytest.mark.parametrize("variant", VARIANTS)
def test_only_signs_count(variant):
    """E → 2⁻⁷⁰⁰ E leaves the path the same to the bit, though the products of its gradients vanish."""

    def path(scale):
        objective, optimizer = FunctionObjective(lambda xp, w: scale * rosenbrock(xp, w)), RProp(variant=variant)
        w = np.array([[-1.2, 1.0]])
        state, found = optimizer.init(np, objective, w), []
        for _ in range(80):
            w, state, _ = optimizer.step(np, objective, w, state)
            found.append(w[0])
        return np.array(found)

    np.testing.assert_array_equal(path(2.0**-700), path(1.0))


# -- RMSProp, Adam, AdamW


def test_rmsprop_on_a_slope():
    """S = (1 − ρᵗ) g²: steps η/√(1 − ρᵗ), that fall to η."""
    path, _ = path_of(slope((2.0, -0.01)), RMSProp(0.1, decay=0.8), [0.0, 0.0], 30)
    steps = 0.1 / np.sqrt(1.0 - 0.8 ** np.arange(1, 31))
    np.testing.assert_allclose(np.diff(path, axis=0), np.stack([-steps, steps], axis=1), rtol=1e-5)


def test_centered_rmsprop_sees_the_deviation():
    """S − M² = ρᵗ (1 − ρᵗ) g² on a slope: steps grow without an end, which ε sets."""
    path, _ = path_of(slope((2.0,)), RMSProp(0.01, decay=0.8, centered=True), [0.0], 20)
    share = 0.8 ** np.arange(1, 21)
    np.testing.assert_allclose(np.diff(path[:, 0]), -0.01 / np.sqrt(share * (1.0 - share)), rtol=1e-5)


def test_adam_on_a_slope():
    """Both means are freed from their zeros: every step is η."""
    path, history = path_of(slope((2.0, -0.01)), Adam(0.1), [0.0, 0.0], 40)
    np.testing.assert_allclose(np.diff(path, axis=0), np.tile([-0.1, 0.1], (40, 1)), rtol=2e-6)
    np.testing.assert_array_equal(history.rate[1:], 0.1)


def test_the_decay_of_adamw_is_not_scaled():
    """A weight without gradient shrinks by 1 − ηλ in each step."""
    path, _ = path_of(slope((3.0, 0.0)), AdamW(0.1, weight_decay=0.2), [0.0, 2.0], 40)
    np.testing.assert_allclose(path[:, 1], 2.0 * 0.98 ** np.arange(41), rtol=1e-13)
    path, _ = path_of(FunctionObjective(rosenbrock), AdamW(0.05, weight_decay=0.0), [-1.2, 1.0], 30)
    np.testing.assert_allclose(path, path_of(FunctionObjective(rosenbrock), Adam(0.05), [-1.2, 1.0], 30)[0], rtol=1e-15)
