"""What every optimizer owes, by the register; then what each one promises."""

import numpy as np
import pytest
from learning import BETAS, SQUARES, STARTS, ReadOnlyBackend, example, objective, quadratic, random, rosenbrock, weights
from second_order import Wrong

from neurosim.backends.tracing import Graph, evaluate
from neurosim.learn import (
    FirstOrder,
    FunctionObjective,
    ResidualObjective,
    Status,
    StrongWolfe,
    all_optimizers,
    fit,
    get_optimizer,
    minimize,
)
from neurosim.learn.optimizers import ConjugateGradients, GradientDescent
from neurosim.parameters import parameters

EVERY = pytest.mark.parametrize("name", sorted(all_optimizers()))
FIRST_ORDER = sorted(n for n, cls in all_optimizers().items() if issubclass(cls, FirstOrder))


def made(name, **changes):
    return all_optimizers()[name](**(all_optimizers()[name].example | changes))


def half_squares(name, residuals):
    """½ Σ r² as an objective that the optimizer takes."""
    if all_optimizers()[name].needs_residuals:
        return ResidualObjective(residuals)

    def function(xp, w):
        r = residuals(xp, w)
        return 0.5 * xp.sum(r * r, axis=-1, keepdims=True)

    return FunctionObjective(function)


def bowl(xp, w):
    """Residuals of ½ (w₀² + 3 w₁²)."""
    return xp.concat([w[..., :1], 3.0**0.5 * w[..., 1:]], axis=-1)


# -- every optimizer


@EVERY
def test_it_says_what_it_is(name):
    cls = all_optimizers()[name]
    assert cls.name == name
    assert "https://" in cls.__doc__, "a formula has a source"
    for parameter, info in parameters(cls).items():
        assert info.doc, parameter
    assert isinstance(get_optimizer(name), cls)


@EVERY
def test_it_learns(name):
    """Half the error of every network of an ensemble, in two hundred steps towards a teacher of its own kind."""
    network, samples = example(SQUARES, n=20)
    samples = samples._replace(target=network.predict(random(network.params.size, seed=3), samples.x))
    history = fit(network, samples, made(name), SQUARES, networks=4, iterations=200, seed=1)
    assert (history.final_error < 0.5 * history.error[0]).all(), history


@EVERY
def test_the_state_comes_with_the_weights(name):
    """Error and gradient in the state are those of the weights, after every step."""
    network, samples = example(SQUARES)
    problem, w = objective(network, samples, SQUARES), weights(network, 3)
    optimizer = made(name)
    state = optimizer.init(np, problem, w)
    for _ in range(5):
        value, grad = problem.value_and_grad(w)
        np.testing.assert_allclose(state.value, value, rtol=1e-13)
        np.testing.assert_allclose(state.grad, grad, rtol=1e-11, atol=1e-15)
        with np.errstate(all="ignore"):  # as in the loop
            w, state, info = optimizer.step(np, problem, w, state)
        assert w.shape == grad.shape
        for item in info:
            assert np.shape(item) in ((), (3, 1))


@EVERY
def test_nothing_writes_into_its_arguments(name):
    network, samples = example(SQUARES)
    fit(network, samples, made(name), SQUARES, networks=3, iterations=5, backend=ReadOnlyBackend())


@EVERY
def test_a_member_learns_as_it_would_alone(name):
    """Forty steps of every network of an ensemble, in which members stop at different times, beside each alone."""
    network, samples = example(SQUARES, n=12)
    options = {"iterations": 40, "stop_error": 0.35, "seed": 4}
    together = fit(network, samples, made(name), SQUARES, networks=5, **options)
    for k in range(5):
        alone = fit(network, samples, made(name), SQUARES, networks=[k], **options)
        assert alone.status[0] == together.status[k]
        assert alone.iterations[0] == together.iterations[k]
        rows = slice(0, len(alone))
        np.testing.assert_allclose(alone.error[:, 0], together.error[rows, k], rtol=1e-9)
        np.testing.assert_allclose(alone.w[0], together.w[k], rtol=1e-7, atol=1e-9)
        np.testing.assert_array_equal(alone.evaluations[-1, 0], together.evaluations[-1, k])


@EVERY
def test_hyper_parameters_of_each_network(name):
    """A grid over the first parameter is an ensemble, each member as alone with its own value."""
    names = list(parameters(all_optimizers()[name]))
    if not names:
        pytest.skip(f"{name} has no hyper-parameter")
    base = getattr(made(name), names[0])
    values = base * np.array([1.0, 0.9, 1.1])
    network, samples = example(SQUARES, n=12)
    # a threshold that members pass at different times, and leave
    first = fit(network, samples, made(name), SQUARES, w0=weights(network)[0], iterations=4)
    options = {"w0": weights(network)[0], "iterations": 15, "stop_error": float(first.error[:, 0].mean())}
    together = fit(network, samples, made(name, **{names[0]: values}), SQUARES, **options)
    for k, value in enumerate(values):
        alone = fit(network, samples, made(name, **{names[0]: value}), SQUARES, **options)
        np.testing.assert_allclose(alone.w[0], together.w[k], rtol=1e-7, atol=1e-9)


@EVERY
def test_order_of_members_is_of_no_account(name):
    network, samples = example(SQUARES, n=12)
    order = [3, 0, 4, 1, 2]
    options = {"iterations": 20, "stop_error": 0.3, "seed": 2}
    a = fit(network, samples, made(name), SQUARES, networks=5, **options)
    b = fit(network, samples, made(name), SQUARES, networks=order, **options)
    np.testing.assert_allclose(b.w, a.w[order], rtol=1e-7, atol=1e-9)
    np.testing.assert_array_equal(b.status, a.status[order])


@EVERY
def test_the_least_point_stays(name):
    """Where the gradient is 0 no optimizer moves, divides by 0 or leaves the finite."""
    problem, w = half_squares(name, bowl), np.zeros((2, 2))
    history = minimize(problem, made(name), w, iterations=3)
    assert history.status.tolist() == [Status.CONVERGED] * 2
    optimizer = made(name)
    state = optimizer.init(np, problem, w)
    with np.errstate(all="ignore"):
        for _ in range(3):
            w, state, _ = optimizer.step(np, problem, w, state)
    np.testing.assert_array_equal(w, 0.0)


@EVERY
def test_weights_stay_finite_where_the_error_does_not(name):
    """A cliff of infinite error in the way downhill: whatever is reported, the weights are good."""

    def cliff(xp, w):
        x, y = w[..., :1], w[..., 1:]
        return xp.concat([xp.where(x > 2.0, xp.exp(1e4 * x), xp.exp(-2.0 * x)), y], axis=-1)

    start = np.array([[1.9, 1.0], [0.0, 1.0], [-1.0, 5.0]])
    history = minimize(half_squares(name, cliff), made(name), start, iterations=50)
    assert np.isfinite(history.w).all()
    assert np.isfinite(history.final_error).all()


@EVERY
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_every_library(other_backend, refuses, name, precision):
    """Ten steps of an ensemble on every array library, as on NumPy."""
    network, samples = example("mean_squared_error", n=10)
    lacking = [e for e in all_optimizers()[name].extensions if not hasattr(other_backend.xp, e)]
    if lacking:
        with refuses(f"{all_optimizers()[name].__name__} needs xp.{lacking[0]}, which {other_backend.name} does not"):
            fit(network, samples, made(name), SQUARES, backend=other_backend)
        return
    options = {"networks": 3, "iterations": 10, "precision": precision, "seed": 3}
    expected = fit(network, samples, made(name), SQUARES, backend="numpy", **options)
    actual = fit(network, samples, made(name), SQUARES, backend=other_backend, **options)
    tolerance = 1e-8 if precision == "float64" else 5e-3
    assert actual.w.dtype == expected.w.dtype == precision
    np.testing.assert_allclose(actual.w, expected.w, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(actual.error, expected.error, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", FIRST_ORDER)
def test_updates_can_be_fused(name):
    """The tracer takes every formula of the gradient, and computes the same bits."""
    optimizer = made(name)
    w, value, grad = random(4, 5), np.abs(random(4, 1, seed=1)), random(4, 5, seed=2)
    memory = optimizer.start(np, w, value)
    for _ in range(2):
        graph = Graph()
        arrays = {"w": w, "value": np.broadcast_to(value, w.shape), "grad": grad}
        arrays |= {f"memory{k}": np.broadcast_to(m, w.shape) for k, m in enumerate(memory)}
        inputs = {key: graph.input(key, "float64") for key in arrays}
        traced = type(memory)(*(inputs[f"memory{k}"] for k in range(len(memory))))
        new_w, new_memory = optimizer.update(graph, inputs["w"], inputs["value"], inputs["grad"], traced)
        outputs = [new_w, *(m for m in new_memory)]
        found = evaluate(graph, [v.index for v in outputs], np, arrays)
        w, memory = optimizer.update(np, w, value, grad, memory)
        for actual, expected in zip(found, (w, *memory), strict=True):
            np.testing.assert_array_equal(actual, np.broadcast_to(expected, actual.shape))
        grad = 0.5 * grad


# -- gradient descent


def test_gradient_descent_on_a_quadratic():
    """Closed form: each coordinate shrinks by 1 − η·scale."""
    scales, eta = np.array([1.0, 4.0, 9.0]), 0.1
    history = minimize(FunctionObjective(quadratic(scales)), GradientDescent(eta), [1.0, -2.0, 3.0], iterations=25)
    np.testing.assert_allclose(history.w[0], [1.0, -2.0, 3.0] * (1.0 - eta * scales) ** 25, rtol=1e-12)
    np.testing.assert_array_equal(history.rate[1:, 0], eta)
    assert history.evaluations[-1, 0] == 26


def test_momentum_on_a_quadratic():
    """The lecture's ΔW(t) = η g + μ ΔW(t−1): a linear recursion, here as powers of its matrix."""
    eta, mu, scale = 0.05, 0.9, 4.0
    history = minimize(FunctionObjective(quadratic((scale,))), GradientDescent(eta, momentum=mu), [1.0], iterations=30)
    step = np.array([[1.0 - eta * scale, -mu], [eta * scale, mu]])  # of (w, ΔW)
    expected = np.linalg.matrix_power(step, 30) @ [1.0, 0.0]
    np.testing.assert_allclose(history.w[0, 0], expected[0], rtol=1e-10)


def test_decay_moves_the_minimum():
    """ρ adds to the curvature: w shrinks by 1 − η(scale + ρ); the error recorded is without it."""
    problem = FunctionObjective(quadratic((2.0,)))
    history = minimize(problem, GradientDescent(0.1, l2=1.0), [1.0], iterations=10)
    np.testing.assert_allclose(history.w[0, 0], 0.7**10, rtol=1e-12)
    np.testing.assert_allclose(history.final_error[0], 0.7**20, rtol=1e-12)


def test_the_adaptive_step_of_the_lecture():
    """× 1.01 where the error does not rise, × 0.99 where it rises by more than 1 %, within [0.01, 1]."""
    falls = minimize(FunctionObjective(quadratic((1e-3,))), GradientDescent(0.5, adaptive=True), [1.0], iterations=100)
    np.testing.assert_allclose(falls.rate[1:, 0], np.minimum(0.5 * 1.01 ** np.arange(1, 101), 1.0), rtol=1e-12)
    rises = minimize(FunctionObjective(quadratic((50.0,))), GradientDescent(0.1, adaptive=True), [1.0], iterations=20)
    assert (np.diff(rises.error[:4, 0]) > 0).all(), "η·scale = 5 diverges"
    np.testing.assert_allclose(rises.rate[2:5, 0] / rises.rate[1:4, 0], 0.99, rtol=1e-12)
    floor = minimize(FunctionObjective(quadratic((1e3,))), GradientDescent(0.0101, adaptive=True), [1.0], iterations=9)
    assert floor.rate[-1, 0] == 0.01


@pytest.mark.parametrize(("rise", "factor"), [(0.9, 1.01), (1.005, 1.01), (1.02, 0.99)])
def test_a_rise_within_the_tolerance_is_none(rise, factor):
    optimizer, one = GradientDescent(0.5, adaptive=True), np.ones((1, 1))
    memory = optimizer.start(np, one, one)
    _, memory = optimizer.update(np, one, rise * one, one, memory)
    np.testing.assert_allclose(memory.rate, 0.5 * factor, rtol=1e-15)


def test_adaptive_steps_are_each_networks_own():
    problem = FunctionObjective(lambda xp, w, a: 0.5 * a * w * w, constants=(np.array([[1e-3], [50.0]]),))
    history = minimize(problem, GradientDescent(0.1, adaptive=True), [[1.0], [1.0]], iterations=4)
    assert history.rate[-1, 0] > 0.1 > history.rate[-1, 1]


def test_divergence_is_stopped_at_the_last_finite_weights():
    problem = FunctionObjective(lambda xp, w, a: 0.5 * a * w * w, constants=(np.array([[1.0], [100.0]]),))
    history = minimize(problem, GradientDescent(0.5), [[1.0], [1.0]], iterations=200)
    assert history.status.tolist() == [Status.ITERATIONS, Status.NON_FINITE]
    assert np.isfinite(history.w).all()
    k = history.iterations[1]
    np.testing.assert_allclose(np.log10(np.abs(history.w[1, 0])), k * np.log10(49.0), rtol=1e-9)
    assert np.isfinite(history.error[k, 1])
    assert np.isnan(history.error[k + 1, 1])


# -- conjugate gradients

EVERY_BETA = pytest.mark.parametrize("beta", BETAS)


def exact(**options):
    return ConjugateGradients(line_search=StrongWolfe(c2=1e-9, c1=1e-10, max_evaluations=60), **options)


@EVERY_BETA
@pytest.mark.parametrize("n", [2, 3, 6])
def test_n_steps_on_a_quadratic(beta, n):
    """Row 19 of the lecture: conjugate directions end in n steps with an exact line search."""
    matrix = random(n, n, seed=1)
    matrix = matrix @ matrix.T + np.eye(n)

    def function(xp, w):
        return 0.5 * xp.sum(xp.matmul(w, xp.asarray(matrix)) * w, axis=-1, keepdims=True)

    history = minimize(FunctionObjective(function), exact(beta=beta), random(4, n, seed=2), iterations=n)
    assert (history.error[n] < 1e-13 * history.error[0]).all(), history.error
    if n > 2:
        assert (history.error[n - 1] > 1e-9 * history.error[0]).any(), "and not before"


def test_all_betas_are_one_on_a_quadratic():
    problem, start = FunctionObjective(quadratic((1.0, 5.0, 20.0))), [1.0, 1.0, 1.0]
    curves = [minimize(problem, exact(beta=beta), start, iterations=2).error for beta in BETAS]
    np.testing.assert_allclose(curves[1], curves[0], rtol=1e-6)
    np.testing.assert_allclose(curves[2], curves[0], rtol=1e-6)


@EVERY_BETA
def test_rosenbrock(beta):
    history = minimize(FunctionObjective(rosenbrock), ConjugateGradients(beta=beta), STARTS, iterations=300)
    np.testing.assert_allclose(history.w, 1.0, atol=1e-5)
    assert (np.diff(history.error, axis=0)[np.isfinite(np.diff(history.error, axis=0))] <= 1e-15).all(), "never rises"


def test_resets_every_n_steps():
    """With a reset in each step it is steepest descent, and slow."""
    problem, start = FunctionObjective(quadratic((1.0, 5.0, 20.0))), [1.0, 1.0, 1.0]
    steepest = minimize(problem, exact(restart=1), start, iterations=3)
    conjugate = minimize(problem, exact(), start, iterations=3)
    assert steepest.error[3, 0] > 1e6 * conjugate.error[3, 0]


def test_the_period_of_resets():
    """Direction number 0, 2, 4, … is steepest descent where two steps make a period."""
    problem, w = FunctionObjective(quadratic((1.0, 5.0, 20.0))), np.array([[1.0, 1.0, 1.0]])
    optimizer = exact(restart=2)
    state = optimizer.init(np, problem, w)
    for k in range(6):
        steepest = np.allclose(state.direction, -state.grad, rtol=1e-12)
        assert steepest == (k % 2 == 0)
        with np.errstate(all="ignore"):
            w, state, _ = optimizer.step(np, problem, w, state)


def test_a_search_that_cannot_succeed_ends_in_a_status():
    """Along a gradient of the wrong sign nothing falls, not even along steepest descent."""
    history = minimize(Wrong(), ConjugateGradients(), [[1.0], [0.0]], iterations=20)
    assert history.status.tolist() == [Status.LINE_SEARCH, Status.CONVERGED]
    np.testing.assert_array_equal(history.w[:, 0], [1.0, 0.0])
