"""Error of a network: gradient, Hessian and Jacobian by differences, for every layer, activation and loss."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from learning import (
    KINKED,
    LAST,
    SMOOTH,
    STEPS,
    ReadOnlyBackend,
    differences,
    example,
    objective,
    quadratic,
    random,
    rosenbrock,
    weights,
)

from neurosim.backends import get
from neurosim.learn import (
    ACTIVATIONS,
    LOSSES,
    MLP,
    Dense,
    FunctionObjective,
    MeanSquaredError,
    Objective,
    ResidualObjective,
    Samples,
    Sequential,
)

EVERY_LOSS = pytest.mark.parametrize("loss", sorted(LOSSES))


def value_of(problem, row=0):
    """The error as a function of one network's weights."""
    return lambda w: problem.value(np.atleast_2d(w))[row, 0]


def test_every_activation_is_smooth_kinked_or_a_step():
    assert set(ACTIVATIONS) == {*SMOOTH, *KINKED, *STEPS}
    assert set(LAST) == set(LOSSES)


@pytest.mark.parametrize("hidden", [*SMOOTH, *KINKED])
@EVERY_LOSS
def test_gradient(hidden, loss):
    network, samples = example(loss, hidden, (3, 4, 4, 2))
    problem, w = objective(network, samples, loss, l2=0.3), weights(network)
    value, grad = problem.value_and_grad(w)
    assert (value.shape, grad.shape) == ((1, 1), w.shape)
    np.testing.assert_array_equal(problem.value(w), value)
    np.testing.assert_allclose(grad[0], differences(value_of(problem), w[0]), rtol=2e-6, atol=1e-8)


@EVERY_LOSS
def test_hessian(loss):
    """Of products with every unit vector, and by differences of the gradient."""
    network, samples = example(loss)
    problem, w = objective(network, samples, loss, l2=0.3), weights(network, 2)
    hessian = problem.hessian(w)
    for row in range(2):
        found = differences(lambda v: problem.value_and_grad(v[None, :])[1][0], w[row])
        np.testing.assert_allclose(hessian[row], found, rtol=1e-5, atol=1e-7)
    v = random(*w.shape, seed=8)
    product = problem.hessian_product(w, v)
    np.testing.assert_allclose(product, np.matmul(hessian, v[..., None])[..., 0], rtol=1e-11, atol=1e-12)
    np.testing.assert_array_equal(hessian, np.matrix_transpose(hessian))


def test_hessian_in_chunks(monkeypatch):
    network, samples = example("cross_entropy")
    problem, w = objective(network, samples, "cross_entropy"), weights(network, 3)
    whole = problem.hessian(w)
    monkeypatch.setattr("neurosim.learn.objective._ELEMENTS", 200)
    np.testing.assert_allclose(problem.hessian(w), whole, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("hidden", [*SMOOTH, *KINKED])
@pytest.mark.parametrize("outputs", ["mean", "sum"])
def test_residuals_and_jacobian(hidden, outputs):
    """½ Σ r² is the error, Jᵀ r its gradient, and J is right by differences; with penalty and weights of samples."""
    network, samples = example("mean_squared_error", hidden)
    samples = samples._replace(weight=[1.0, 2.0, 0.0, 3.0, 0.5])
    problem, w = objective(network, samples, MeanSquaredError(outputs), l2=0.3), weights(network, 2)
    r, jacobian = problem.residuals_and_jacobian(w)
    value, grad = problem.value_and_grad(w)
    np.testing.assert_allclose(0.5 * (r * r).sum(axis=1), value[:, 0], rtol=1e-12)
    np.testing.assert_allclose((r[..., None] * jacobian).sum(axis=1), grad, rtol=1e-10, atol=1e-12)
    found = differences(lambda v: problem.residuals_and_jacobian(np.stack([v, v]))[0][0], w[0])
    np.testing.assert_allclose(jacobian[0], found, rtol=1e-6, atol=1e-8)


def test_the_gauss_newton_product_is_that_of_the_jacobian():
    network, samples = example("mean_squared_error")
    problem, w = objective(network, samples, "mean_squared_error", l2=0.2), weights(network, 2)
    _, jacobian = problem.residuals_and_jacobian(w)
    v = random(*w.shape, seed=4)
    expected = np.matrix_transpose(jacobian) @ (jacobian @ v[..., None])
    np.testing.assert_allclose(problem.gauss_newton_product(w, v), expected[..., 0], rtol=1e-10, atol=1e-12)


def test_gauss_newton_of_a_linear_network_is_the_hessian():
    """One layer and softmax: the error is convex in the weights."""
    network, samples = example("cross_entropy", sizes=(3, 2))
    problem, w = objective(network, samples, "cross_entropy"), weights(network)
    v = random(*w.shape, seed=4)
    np.testing.assert_allclose(problem.gauss_newton_product(w, v), problem.hessian_product(w, v), rtol=1e-10)
    assert np.linalg.eigvalsh(problem.hessian(w)[0]).min() > -1e-12


@pytest.mark.parametrize("activation", [*SMOOTH, *KINKED])
def test_layer_pullback(activation):
    """∂E/∂x and a row of ∂E/∂w per sample, alone and for many cotangents at once."""
    layer = Dense(3, 4, activation, bias_init="uniform")
    network = Sequential((layer,))
    w, x, dy = weights(network)[0], random(5, 3, seed=1), random(5, 4, seed=2)

    def output(w, x):
        return layer.forward(np, w, x)[0]

    _, pullback = layer.forward(np, w, x)
    dx, dw = pullback(dy)
    found = differences(lambda x: (dy * output(w, x)).sum(), x)
    np.testing.assert_allclose(dx, found, rtol=1e-6, atol=1e-8)
    _, each = pullback(dy, each=True)
    assert each.shape == (5, network.params.size)
    np.testing.assert_allclose(each.sum(axis=0), dw, rtol=1e-12, atol=1e-14)
    for k in range(5):
        alone = layer.forward(np, w, x[k : k + 1])[1](dy[k : k + 1])[1]
        np.testing.assert_allclose(each[k], alone, rtol=1e-12, atol=1e-14)
    many = np.stack([dy, 2.0 * dy, 0.0 * dy])
    more_dx, more_dw = pullback(many)
    np.testing.assert_allclose(more_dx, np.stack([dx, 2.0 * dx, 0.0 * dx]), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(more_dw, np.stack([dw, 2.0 * dw, 0.0 * dw]), rtol=1e-12, atol=1e-15)
    assert pullback(dy, inputs=False)[0] is None


def test_a_layer_without_bias():
    layer = Dense(3, 2, "tanh", bias=False)
    assert [b.name for b in layer.blocks()] == ["weight"]
    w, x, dy = random(6), random(5, 3), random(5, 2)
    y, pullback = layer.forward(np, w, x)
    np.testing.assert_allclose(y, np.tanh(x @ w.reshape(3, 2)))
    found = differences(lambda w: (dy * layer.forward(np, w, x)[0]).sum(), w)
    np.testing.assert_allclose(pullback(dy)[1], found, rtol=1e-6, atol=1e-9)


def test_forward_is_what_it_says():
    network = MLP((2, 3, 1), ("tanh", "sigmoid"))
    w, x = weights(network), random(4, 2)
    p = network.params.views(np, w[0])
    hidden = np.tanh(x @ p["0.weight"] + p["0.bias"])
    expected = 1.0 / (1.0 + np.exp(-(hidden @ p["1.weight"] + p["1.bias"])))
    np.testing.assert_allclose(network.predict(w[0], x), expected, rtol=1e-14)
    np.testing.assert_allclose(network.predict(w, x)[0], expected, rtol=1e-14)
    assert network.predict(w.astype(np.float32), x).dtype == np.float32


@pytest.mark.parametrize("loss", ["mean_squared_error", "cross_entropy"])
def test_members_are_independent(loss):
    """An error, gradient and product of a network in an ensemble are those of the network alone; samples of its own."""
    network, samples = example(loss)
    x = random(4, *np.shape(samples.x), seed=5)
    rate = np.array([0.0, 0.1, 0.2, 0.3])
    together = objective(network, Samples(x, samples.target, random(4, 5, seed=6) ** 2), loss, l2=rate)
    w, v = weights(network, 4), random(4, network.params.size, seed=7)
    value, grad = together.value_and_grad(w)
    for k in range(4):
        alone = together.select(np.array([k]))
        mine = slice(k, k + 1)
        np.testing.assert_array_equal(alone.value(w[mine]), value[mine])
        np.testing.assert_array_equal(alone.value_and_grad(w[mine])[1], grad[mine])
        np.testing.assert_allclose(
            alone.hessian_product(w[mine], v[mine]), together.hessian_product(w, v)[mine], rtol=1e-13, atol=1e-16
        )
        np.testing.assert_allclose(alone.hessian(w[mine]), together.hessian(w)[mine], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("own", [False, True])
def test_large_ensembles_are_computed_in_groups(monkeypatch, own):
    network, samples = example("cross_entropy")
    if own:
        samples = Samples(random(5, *np.shape(samples.x)), samples.target, np.ones((5, 5)))
    problem, w = objective(network, samples, "cross_entropy", l2=np.arange(5.0)), weights(network, 5)
    value, grad = problem.value_and_grad(w)
    monkeypatch.setattr("neurosim.learn.network_objective._ON_CPU", 2 * problem.width)
    np.testing.assert_array_equal(problem.value(w), value)
    for found, expected in zip(problem.value_and_grad(w), (value, grad), strict=True):
        np.testing.assert_array_equal(found, expected)


@given(st.permutations(range(6)), st.floats(0.1, 10.0))
def test_laws(order, factor):
    """Order of samples and a common factor of their weights change nothing; batches average to the whole."""
    network, samples = example("cross_entropy", n=6)
    weight = np.array([1.0, 2.0, 0.5, 1.0, 3.0, 0.1])
    w = weights(network)
    problem = objective(network, samples._replace(weight=weight), "cross_entropy")
    value, grad = problem.value_and_grad(w)
    scaled = objective(network, samples._replace(weight=factor * weight), "cross_entropy")
    for other in (problem.ordered(np.array(order)), scaled):
        np.testing.assert_allclose(other.value(w), value, rtol=1e-12)
        np.testing.assert_allclose(other.value_and_grad(w)[1], grad, rtol=1e-9, atol=1e-14)
    parts = [problem.ordered(np.array(order)).part(k, k + 2).value_and_grad(w) for k in (0, 2, 4)]
    np.testing.assert_allclose(np.mean([p[0] for p in parts], axis=0), value, rtol=1e-12)
    np.testing.assert_allclose(np.mean([p[1] for p in parts], axis=0), grad, rtol=1e-9, atol=1e-14)


def test_a_weight_of_two_is_a_sample_twice():
    network, samples = example("cross_entropy")
    twice = Samples(np.concatenate([samples.x, samples.x[:1]]), np.concatenate([samples.target, samples.target[:1]]))
    weighted = samples._replace(weight=[2.0, 1.0, 1.0, 1.0, 1.0])
    w = weights(network)
    for a, b in zip(
        objective(network, twice, "cross_entropy").value_and_grad(w),
        objective(network, weighted, "cross_entropy").value_and_grad(w),
        strict=True,
    ):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-15)


def test_the_penalty_spares_biases():
    network, samples = example()
    w = weights(network)
    plain, penalised = (objective(network, samples, "mean_squared_error", l2=l2) for l2 in (0.0, 0.6))
    views = network.params.views(np, w[0])
    expected = 0.3 * sum((v**2).sum() for name, v in views.items() if name.endswith("weight"))
    np.testing.assert_allclose(penalised.value(w) - plain.value(w), expected, rtol=1e-12)


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_every_library(other_backend, precision, loss):
    """Whatever an optimizer asks for, on every array library, as on NumPy."""
    network, samples = example(loss)
    w, v = weights(network, 3), random(3, network.params.size, seed=4)
    tolerance = 1e-12 if precision == "float64" else 2e-5

    def everything(backend):
        problem = objective(network, samples, loss, l2=0.1, backend=backend, precision=precision)
        at, along = (backend.asarray(a, precision) for a in (w, v))
        found = [problem.value(at), *problem.value_and_grad(at), problem.hessian_product(at, along)]
        found += [problem.hessian(at), problem.gauss_newton_product(at, along)]
        if loss == "mean_squared_error":
            found += problem.residuals_and_jacobian(at)
        some = problem.select(backend.asarray([2, 0], "int64")).ordered(backend.asarray([4, 2, 0, 1, 3], "int64"))
        found += some.part(1, 4).value_and_grad(at[:2, :])
        for array in found:
            assert array.dtype == getattr(backend.xp, precision)
            assert type(array) is type(at)
        return [backend.to_numpy(array) for array in found]

    for actual, expected in zip(everything(other_backend), everything(get("numpy")), strict=True):
        np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance * np.abs(expected).max())


@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_nothing_writes_into_its_arguments(loss):
    backend = ReadOnlyBackend()
    network, samples = example(loss)
    problem = objective(network, samples, loss, l2=0.1, backend=backend)
    w = backend.asarray(weights(network, 3), "float64")
    problem.value_and_grad(w)
    problem.hessian_product(w, w)
    problem.hessian(w)
    if loss == "mean_squared_error":
        problem.residuals_and_jacobian(w)


# -- functions


def test_rosenbrock():
    problem = FunctionObjective(rosenbrock)
    w = np.array([[0.5, -0.3], [1.0, 1.0], [-1.2, 1.0]])
    value, grad = problem.value_and_grad(w)
    np.testing.assert_allclose(value[:, 0], [0.25 + 100 * 0.55**2, 0.0, 24.2])
    np.testing.assert_allclose(grad[2], [-215.6, -88.0])
    np.testing.assert_allclose(problem.hessian(w)[1], [[802.0, -400.0], [-400.0, 200.0]])


def test_squares_of_a_function():
    def residuals(xp, w):
        x, y = w[..., :1], w[..., 1:]
        return xp.concat([1.0 - x, 10.0 * (y - x * x)], axis=-1)

    squares, plain = ResidualObjective(residuals), FunctionObjective(rosenbrock)
    w = random(4, 2, seed=3)
    for actual, expected in zip(squares.value_and_grad(w), plain.value_and_grad(w), strict=True):
        np.testing.assert_allclose(actual, 0.5 * expected, rtol=1e-12)
    np.testing.assert_allclose(squares.hessian(w), 0.5 * plain.hessian(w), rtol=1e-12)
    _, jacobian = squares.residuals_and_jacobian(w)
    np.testing.assert_allclose(jacobian[0], [[-1.0, 0.0], [-20.0 * w[0, 0], 10.0]])


def test_constants_belong_to_networks():
    scales = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    problem = FunctionObjective(lambda xp, w, a: 0.5 * xp.sum(w * w * a, axis=-1, keepdims=True), constants=(scales,))
    w = random(3, 2)
    np.testing.assert_allclose(problem.value_and_grad(w)[1], scales * w)
    some = problem.select(np.array([2, 0]))
    np.testing.assert_allclose(some.value_and_grad(w[[2, 0]])[1], scales[[2, 0]] * w[[2, 0]])
    np.testing.assert_allclose(problem.hessian(w)[1], np.diag(scales[1]))


def test_what_does_not_fit_into_memory_is_refused_before(refuses, monkeypatch):
    network, samples = example()
    problem, w = objective(network, samples, "mean_squared_error"), weights(network)
    monkeypatch.setattr(type(problem.backend), "memory", lambda self: (1000, 1000))
    with refuses("the Hessian takes ", "GiB free: use an optimizer that takes gradients"):
        problem.hessian(w)
    with refuses("the Jacobian takes "):
        problem.residuals_and_jacobian(w)


def test_memory_is_asked_for_once_a_size(refuses, monkeypatch):
    """Again only for more than was granted to the same array; what was refused is not granted."""
    network, samples = example()
    problem, w = objective(network, samples, "mean_squared_error"), weights(network, 3)
    asked, free = [], [1 << 30]

    def memory(backend):
        asked.append(None)
        return free[0], free[0]

    monkeypatch.setattr(type(problem.backend), "memory", memory)
    for networks, total in ((2, 1), (2, 1), (1, 1), (3, 2), (3, 2)):
        problem.residuals_and_jacobian(w[:networks])
        assert len(asked) == total, networks
    free[0] = 1000
    problem.residuals_and_jacobian(w)
    for total in (3, 4):
        with refuses("the Hessian takes "):
            problem.hessian(w[:1])
        assert len(asked) == total


def test_not_every_objective_is_a_sum_of_squares(refuses):
    problem = FunctionObjective(quadratic((1.0,)))
    with refuses("FunctionObjective is no sum of squares"):
        problem.residuals_and_jacobian(np.ones((1, 1)))
    assert isinstance(problem, Objective)
