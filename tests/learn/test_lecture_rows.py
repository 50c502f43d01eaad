"""What the lecture's systems must do, row by row, and which test shows it; those that stand nowhere else are here.

Rows are numbered as in the list of the lecture's systems: 5 the first neuron, 25 Levenberg-Marquardt.
"""

import ast
from pathlib import Path

import numpy as np
import pytest

from neurosim.learn import MLP, ConjugateGradients, GradientDescent, LevenbergMarquardt, QuickProp, RProp, fit
from neurosim.learn.data import load
from neurosim.scenario import names
from neurosim.scenarios._error_history import draw_history
from neurosim.scenarios._optimizers import ELEMENTWISE, digits_problem, points_problem, setting
from neurosim.scenarios.optimizer_digits import first_layer, span_shares

HERE = Path(__file__).parent
# File and test, or the name of a scenario whose checks are the proof: tests/scenarios runs them all.
ROWS = {
    5: [
        "test_first_neurons::test_truth_tables",
        "test_first_neurons::test_the_threshold_is_the_weight_of_a_constant_input",
    ],
    6: [
        "test_activations::test_derivative",
        "test_activations::test_softmax_laws",
        "test_activations::test_stochastic_binary",
    ],
    7: [
        "test_first_neurons::test_convergence_within_the_bound",
        "perceptron_convergence",
    ],
    8: [
        "xor_single_layer",
        "test_fit::test_one_layer_does_not_learn_xor",
        "test_fit::test_xor",
    ],
    9: [
        "decision_regions",
    ],
    10: [
        "linear_stack",
    ],
    11: [
        "universal_approximation",
    ],
    12: [
        "test_losses::test_gradient",
        "test_losses::test_kullback_leibler_is_cross_entropy_minus_entropy",
        "test_losses::test_kullback_leibler_is_not_negative",
        "test_losses::test_cross_entropy_of_nothing_learned_is_ln_k",
    ],
    13: [
        "test_objectives::test_gradient",
        "test_torch_autograd::test_as_autograd",
        "gradient_check",
    ],
    14: [
        "test_fit::test_the_mean_of_mini_batch_gradients_is_the_full_gradient",
        "test_fit::test_an_epoch_covers_each_sample_once",
        "batch_strategies",
    ],
    15: [
        "test_optimizers::test_gradient_descent_on_a_quadratic",
        "test_optimizers::test_momentum_on_a_quadratic",
        "test_optimizers::test_decay_moves_the_minimum",
        "test_fit::test_stops_at_the_threshold_and_not_before",
        "test_lecture_rows::test_a_penalty_lowers_weights_and_the_gap",
        "regularization",
    ],
    16: [
        "test_lecture_rows::test_gradient_descent_reaches_the_errors_of_the_slides",
        "test_lecture_rows::test_titles_are_the_slides",
        "test_lecture_rows::test_tiles_lie_in_the_span_of_the_inputs",
        "test_lecture_rows::test_tiles_leave_the_span",
        "optimizer_points",
        "optimizer_digits",
    ],
    17: [
        "test_first_order_at_work::test_the_digits_by_quickprop",
        "optimizer_errata",
    ],
    18: [
        "test_optimizers_first_order::test_the_sequence_of_steps",
        "test_optimizers_first_order::test_bounds_of_the_steps",
        "test_optimizers_first_order::test_only_signs_count",
        "test_lecture_rows::test_rprop_takes_fewer_iterations_than_descent",
    ],
    19: [
        "test_optimizers::test_n_steps_on_a_quadratic",
        "test_optimizers::test_all_betas_are_one_on_a_quadratic",
        "test_optimizers::test_resets_every_n_steps",
    ],
    20: [
        "test_optimizers_first_order::test_the_look_ahead_of_the_lecture_diverges",
        "test_optimizers_first_order::test_as_torch",
    ],
    21: [
        "test_optimizers_first_order::test_a_weight_without_gradient",
        "test_optimizers_first_order::test_as_torch",
    ],
    22: [
        "test_optimizers_first_order::test_adadelta_of_the_lecture_never_moves",
        "test_optimizers_first_order::test_as_torch",
    ],
    23: [
        "test_optimizers_second_order::test_newton_takes_one_step_on_a_quadratic",
    ],
    24: [
        "test_optimizers_second_order::test_n_steps_on_a_quadratic",
        "test_optimizers_second_order::test_bfgs_finds_the_inverse_of_the_hessian",
        "test_optimizers_second_order::test_rosenbrock",
        "test_forms_of_the_lecture::test_the_lectures_bfgs_does_not_end",
    ],
    25: [
        "test_optimizers_second_order::test_levenberg_marquardt_solves_linear_least_squares",
        "test_levenberg_marquardt::test_damping_follows_acceptance",
        "test_lecture_rows::test_levenberg_marquardt_learns_the_points",
    ],
}


@pytest.mark.parametrize("row", range(5, 26))
def test_every_row_has_its_proof(row):
    """The tests that are named are there."""
    for proof in ROWS[row]:
        file, _, test = proof.partition("::")
        if not test:
            assert file in names()
            continue
        tree = ast.parse((HERE / f"{file}.py").read_text(encoding="utf-8"))
        assert test in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, proof


def test_a_penalty_lowers_weights_and_the_gap():
    """Row 15: twenty noisy points, twenty units."""
    rng = np.random.default_rng(4)
    x, new = rng.uniform(-1.0, 1.0, (20, 1)), np.linspace(-1.0, 1.0, 200)[:, None]
    y = np.sin(3.0 * x) + 0.3 * rng.standard_normal(x.shape)
    network = MLP((1, 20, 1), ("tanh", "linear"), weight_init="glorot_normal")
    history = fit(
        network, (x, y), ConjugateGradients(), l2=[0.0, 0.01], w0=network.params.initial(0, [0]), iterations=800
    )
    learned = ((network.predict(history.w, x) - y) ** 2).mean(axis=(1, 2))
    test = ((network.predict(history.w, new) - np.sin(3.0 * new)) ** 2).mean(axis=(1, 2)) + 0.3**2
    sizes = np.linalg.norm(history.w * network.params.decays, axis=1)
    assert sizes[1] < 0.7 * sizes[0]
    assert test[1] - learned[1] < 0.7 * (test[0] - learned[0])


def test_gradient_descent_reaches_the_errors_of_the_slides():
    """Row 16, slides 40 and 41: E < 0.05 and E < 0.01, after as many iterations within a factor of two."""
    points = points_problem("gradient_descent", load("horseshoe").split(0.3)[0])
    digits = digits_problem("gradient_descent")
    for problem, method, slide in (
        (points, setting("gradient_descent").points, 814),
        (digits, setting("gradient_descent").digits, 253),
    ):
        history = problem.learn(method, 2, iterations=2 * slide)
        assert history.reached.all()
        assert (history.final_error < problem.stop).all()
        assert (history.iterations + 1 > 0.5 * slide).all()


def test_titles_are_the_slides():
    """Row 16: iterations of each half and the error at its end."""
    from matplotlib.figure import Figure

    error = np.linspace(0.7, 0.04843, 814)
    axes = Figure().subplots(1, 2)
    draw_history(axes, error, 0.05)
    assert [ax.get_title(loc="left") for ax in axes] == [
        f"iterations 1–407: error {error[406]:.5f}",
        "iterations 407–814: error 0.04843",
    ]
    assert [line.get_xdata().tolist() for line in (axes[0].lines[0], axes[1].lines[0])] == [
        list(range(1, 408)),
        list(range(407, 815)),
    ]


def gained(method, name):
    """R² in the span of the ten images of what units gained, until E < 0.01."""
    problem = digits_problem(name)
    history = problem.learn(method, 1, iterations=600)
    assert history.reached.all()
    begin = first_layer(problem, problem.network.params.initial(0, [0]))
    weights = first_layer(problem, history.w)
    return span_shares(weights - begin, load("digits").x), span_shares(weights, load("digits").x)


@pytest.mark.parametrize("name", ["gradient_descent", "cg"])
def test_tiles_lie_in_the_span_of_the_inputs(name):
    """Row 16: what is added to a unit is a sum of inputs, to rounding; the tiles themselves have R² > 0.9."""
    change, tiles = gained(setting(name).digits, name)
    np.testing.assert_allclose(change, 1.0, atol=1e-9)
    assert np.median(tiles) > 0.9


@pytest.mark.parametrize("method", [QuickProp(0.3), RProp(0.37, variant="rprop-"), RProp(0.1)], ids=repr)
def test_tiles_leave_the_span(method):
    """Row 16: rProp and quickProp below 0.9, as their tiles on slides 44 and 47."""
    assert method.name in ELEMENTWISE
    change, tiles = gained(method, method.name)
    assert np.median(change) < 0.9
    assert np.median(tiles) < 0.9


def test_rprop_takes_fewer_iterations_than_descent():
    """Row 18, slides 40 and 46: 55 for 814."""
    problem = points_problem("rprop", load("horseshoe").split(0.3)[0])
    descent = problem.learn(GradientDescent(0.01, momentum=0.9, adaptive=True), 8, iterations=3000)
    resilient = problem.learn(RProp(1.0, variant="irprop+"), 8, iterations=3000)
    assert descent.reached.all()
    assert resilient.reached.all()
    assert (resilient.iterations < descent.iterations).all()
    assert np.median(resilient.iterations) < 0.5 * np.median(descent.iterations)


def test_levenberg_marquardt_learns_the_points():
    """Row 25, slide 62: Σ e² below 0.05, never rising, with the flats of rejected steps."""
    train, test = load("horseshoe").split(0.3)
    problem = points_problem("lma", train)
    history = problem.learn(LevenbergMarquardt(), 8, iterations=394)
    assert history.reached.all()
    steps = np.diff(history.error, axis=0)
    assert (steps[np.isfinite(steps)] <= 0.0).all()
    assert (steps == 0.0).any(axis=0).all(), "a step is rejected somewhere"
    right = problem.network.predict(history.w, test.x).argmax(axis=-1) == test.labels
    assert (right.mean(axis=-1) > 0.95).all()
