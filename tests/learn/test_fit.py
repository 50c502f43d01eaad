"""The loop: batches, thresholds, statuses, callbacks, histories and ensembles."""

import os
import signal

import numpy as np
import pytest
from learning import CE, EXCLUSIVE_OR, example, quadratic, random

from neurosim.backends import get
from neurosim.learn import (
    MLP,
    STRATEGIES,
    FullBatch,
    FunctionObjective,
    MiniBatch,
    Samples,
    Status,
    Stochastic,
    fit,
    minimize,
    one_hot,
)
from neurosim.learn.optimizers import ConjugateGradients, GradientDescent
from neurosim.learn.strategies import Batches


def classes(n=12, networks=None):
    network, samples = example(CE, n=n)
    if networks is None:
        return network, samples
    return network, Samples(random(networks, n, 3, seed=9), samples.target)


# -- what is learned


def test_xor():
    history = fit(
        MLP((2, 4, 1), ("tanh", "sigmoid")),
        EXCLUSIVE_OR,
        GradientDescent(2.0, momentum=0.9),
        networks=8,
        stop_error=0.01,
    )
    assert history.reached.all()
    assert (history.final_error < 0.01).all()
    y = MLP((2, 4, 1), ("tanh", "sigmoid")).predict(history.w, np.array(EXCLUSIVE_OR[0], float))
    np.testing.assert_array_equal(np.round(y[:, :, 0]), np.broadcast_to(EXCLUSIVE_OR[1], (8, 4)))


def test_one_layer_does_not_learn_xor():
    """Minsky and Papert: no weights of one unit are right on all four."""
    history = fit(MLP((2, 1), "sigmoid"), EXCLUSIVE_OR, GradientDescent(2.0, momentum=0.9), networks=8, iterations=2000)
    np.testing.assert_allclose(history.final_error, 0.25, atol=1e-6)


def test_linear_regression_has_a_closed_form():
    x, noise = random(30, 3, seed=1), random(30, 2, seed=2)
    target = x @ [[1.0, 2.0], [0.5, -1.0], [0.0, 3.0]] + 0.7 + 0.1 * noise
    expected, *_ = np.linalg.lstsq(np.column_stack([x, np.ones(30)]), target, rcond=None)
    history = fit(MLP((3, 2), "linear"), (x, target), "cg", iterations=100, min_grad=1e-10)
    assert history.status[0] == Status.CONVERGED
    np.testing.assert_allclose(history.parameters["0.weight"][0], expected[:3], atol=1e-8)
    np.testing.assert_allclose(history.parameters["0.bias"][0], expected[3], atol=1e-8)


def test_l2_is_ridge_regression():
    """Row 15 of the lecture: the penalty shrinks the weights, as the closed form says."""
    x, target = random(30, 3, seed=1), random(30, 1, seed=2)
    rates = np.array([0.0, 0.1, 1.0, 10.0])
    history = fit(MLP((3, 1), "linear"), (x, target), "cg", l2=rates, iterations=200, min_grad=1e-11)
    a = np.column_stack([x, np.ones(30)])
    for k, rate in enumerate(rates):
        ridge = 2.0 / 30.0 * a.T @ a + rate * np.diag([1.0, 1.0, 1.0, 0.0])
        expected = np.linalg.solve(ridge, 2.0 / 30.0 * a.T @ target)
        np.testing.assert_allclose(history.w[k], expected[:, 0], atol=1e-9)
    assert (np.diff(np.linalg.norm(history.w[:, :3], axis=1)) < 0).all()


# -- strategies


def batch_rows(strategy, n=10, epochs=2, seed=0):
    """Numbers of the samples of each batch."""
    network = MLP((1, 1), "linear")
    from learning import objective

    samples = Samples(np.arange(float(n))[:, None], np.zeros((n, 1)))
    batches = Batches(objective(network, samples, "mean_squared_error"), strategy, seed)
    return [batches[k].x[:, 0].astype(int).tolist() for k in range(epochs * batches.per_epoch)], batches.per_epoch


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_an_epoch_covers_each_sample_once(name):
    rows, per_epoch = batch_rows(STRATEGIES[name]())
    for epoch in (rows[:per_epoch], rows[per_epoch:]):
        assert sorted(row for batch in epoch for row in batch) == list(range(10))


def test_batches():
    rows, _ = batch_rows(MiniBatch(4, shuffle=False))
    assert rows[:3] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert rows[3:] == rows[:3]
    shuffled, _ = batch_rows(MiniBatch(4))
    assert shuffled[:3] != shuffled[3:], "each epoch has its own order"
    assert shuffled == batch_rows(MiniBatch(4))[0], "which the seed decides"
    assert shuffled != batch_rows(MiniBatch(4), seed=1)[0]
    assert batch_rows(MiniBatch(100))[1] == 1
    assert [len(r) for r in batch_rows(Stochastic())[0]] == [1] * 20
    assert batch_rows(Stochastic(shuffle=False))[0][:10] == [[k] for k in range(10)]


def test_the_mean_of_mini_batch_gradients_is_the_full_gradient():
    """Row 14 of the lecture."""
    from learning import objective, weights

    network, samples = classes()
    whole = objective(network, samples, CE)
    w = weights(network)
    batches = Batches(whole, MiniBatch(3), seed=4)
    grads = [batches[k].value_and_grad(w)[1] for k in range(batches.per_epoch)]
    np.testing.assert_allclose(np.mean(grads, axis=0), whole.value_and_grad(w)[1], rtol=1e-12)


def test_a_stochastic_step_by_hand():
    """Each update is η times the gradient of its own sample at the weights before it."""
    from learning import objective

    network, samples = classes(5)
    history = fit(network, samples, GradientDescent(0.3), CE, Stochastic(shuffle=False), epochs=2, seed=1)
    w = network.params.initial(1, [0])
    whole = objective(network, samples, CE)
    for step in range(10):
        value, grad = whole.part(step % 5, step % 5 + 1).value_and_grad(w)
        np.testing.assert_allclose(history.error[step, 0], value[0, 0], rtol=1e-12)
        w = w - 0.3 * grad
    np.testing.assert_allclose(history.w, w, rtol=1e-12)
    assert history.updates_per_epoch == 5
    assert history.iterations[0] == 10
    np.testing.assert_allclose(history.per_epoch()[0, 0], history.error[:5, 0].mean())


def test_threshold_of_epochs():
    """With batches the mean error of an epoch counts, not one lucky batch."""
    network, samples = classes(10)
    history = fit(network, samples, GradientDescent(0.2), CE, MiniBatch(3), epochs=2000, stop_error=0.5, seed=2)
    assert history.reached[0]
    assert history.updates_per_epoch == 4
    sizes = np.array([3, 3, 3, 1])
    epochs = (history.error[: len(history) // 4 * 4, 0].reshape(-1, 4) * sizes).sum(axis=1) / 10
    assert epochs[-1] < 0.5
    assert (epochs[:-1] >= 0.5).all()
    assert (history.error[:-4] < 0.5).any(), "single batches were below before"


# -- stopping


def test_stops_at_the_threshold_and_not_before():
    """As the flow chart of slide 31: the error is looked at first, and the weights stay at which it was below."""
    network, samples = classes()
    history = fit(network, samples, GradientDescent(0.5), CE, networks=4, stop_error=0.4, iterations=5000)
    assert history.reached.all()
    for k in range(4):
        end = history.iterations[k]
        assert (history.error[:end, k] >= 0.4).all()
        assert history.error[end, k] < 0.4
        assert np.isnan(history.error[end + 1 :, k]).all()
        exactly = fit(network, samples, GradientDescent(0.5), CE, networks=[k], iterations=int(end))
        np.testing.assert_allclose(exactly.w[0], history.w[k], rtol=1e-9)
    assert len(set(history.iterations.tolist())) > 1


def test_nothing_to_do():
    network, samples = classes()
    history = fit(network, samples, "gradient_descent", CE, iterations=0, networks=2, seed=5)
    np.testing.assert_array_equal(history.w, network.params.initial(5, [0, 1]))
    assert history.status.tolist() == [Status.ITERATIONS] * 2
    assert history.error.shape == (1, 2)
    already = fit(network, samples, "gradient_descent", CE, stop_error=1e3)
    assert already.reached.all()
    assert already.iterations.tolist() == [0]


def test_first_weights_that_are_hopeless():
    """The error is infinite from the beginning: the weights that were given come back."""
    problem = FunctionObjective(lambda xp, w: xp.exp(w * w * 1e3))
    history = minimize(problem, GradientDescent(1e-5), [[30.0], [0.01]], iterations=2)
    assert history.status.tolist() == [Status.NON_FINITE, Status.ITERATIONS]
    assert history.iterations.tolist() == [0, 2]
    assert history.w[0, 0] == 30.0
    assert np.isnan(history.error[:, 0]).all()


def test_gradient_threshold():
    history = minimize(
        FunctionObjective(quadratic((1.0, 2.0))), GradientDescent(0.3), [[1.0, 1.0], [9.0, 9.0]], min_grad=1e-3
    )
    assert history.status.tolist() == [Status.CONVERGED] * 2
    assert (history.held("grad_norm")[-1] <= 1e-3).all()
    assert history.iterations[0] < history.iterations[1]


def test_callbacks_see_and_stop():
    network, samples = classes()
    seen = []

    def third_stops_second(snapshot):
        seen.append(snapshot)
        return snapshot.rows == 1 if snapshot.iteration == 3 else None

    history = fit(network, samples, GradientDescent(0.1), CE, networks=3, iterations=6, callbacks=[third_stops_second])
    assert [s.iteration for s in seen] == list(range(7))
    assert history.status.tolist() == [Status.ITERATIONS, Status.STOPPED, Status.ITERATIONS]
    assert history.iterations.tolist() == [6, 3, 6]
    assert seen[3].rows.tolist() == [0, 1, 2]
    assert seen[4].rows.tolist() == [0, 2]
    np.testing.assert_array_equal(seen[4].error, history.error[4, [0, 2]])
    np.testing.assert_array_equal(seen[3].backend.to_numpy(seen[3].w)[1], history.w[1])
    alone = fit(network, samples, GradientDescent(0.1), CE, networks=[2], iterations=6)
    np.testing.assert_allclose(alone.w[0], history.w[2], rtol=1e-10)


def test_a_callback_that_stops_all():
    network, samples = classes()
    history = fit(network, samples, "cg", CE, networks=2, callbacks=[lambda s: s.iteration >= 2])
    assert history.status.tolist() == [Status.STOPPED] * 2
    assert history.iterations.tolist() == [2, 2]


def test_an_answer_that_means_nothing(refuses):
    network, samples = classes()
    with refuses("callback ", "returned 7: return None, a bool, or a bool for each of the 1 networks"):
        fit(network, samples, "cg", CE, callbacks=[lambda s: 7])


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
def test_ctrl_c_keeps_what_was_learned():
    network, samples = classes()

    def interrupt(snapshot):
        if snapshot.iteration == 4:
            os.kill(os.getpid(), signal.SIGINT)

    history = fit(network, samples, "gradient_descent", CE, callbacks=[interrupt], iterations=1000)
    assert history.status.tolist() == [Status.STOPPED]
    assert 4 <= history.iterations[0] <= 5
    assert len(history) == history.iterations[0] + 1


def test_progress():
    network, samples = classes()
    reports = []
    fit(
        network,
        samples,
        "gradient_descent",
        CE,
        iterations=5,
        progress=lambda done, total: reports.append((done, total)),
    )
    assert reports[-1] == (5, 5)


# -- histories


def test_history():
    network, samples = classes()
    history = fit(network, samples, ConjugateGradients(), CE, networks=3, iterations=8, seed=1)
    assert len(history) == 9
    for name in ("error", "grad_norm", "step", "rate", "evaluations"):
        assert history.curve(name).shape == (9, 3)
    assert np.isnan(history.rate[0]).all()
    np.testing.assert_array_equal(history.step[0], 0.0)
    assert (history.step[1:] > 0).all()
    assert (np.diff(history.evaluations, axis=0) >= 1).all()
    assert (np.diff(history.seconds) >= 0).all()
    np.testing.assert_array_equal(history.iteration, np.arange(9))
    assert history.provenance["optimizer"].startswith("ConjugateGradients(")
    assert history.provenance["backend"] == "numpy"
    assert history.provenance["engine"] == {"network": "numba", "optimizer": "eager"}
    assert repr(history).startswith("<History of 3 networks, 8 iterations, least error ")
    assert history.endings == {"all iterations done": 3}
    first = fit(network, samples, ConjugateGradients(), CE, networks=3, iterations=0, seed=1)
    w = [first.w, *(fit(network, samples, "cg", CE, networks=3, iterations=k, seed=1).w for k in (1, 2))]
    np.testing.assert_allclose(history.step[2], np.linalg.norm(w[2] - w[1], axis=1), rtol=1e-10)


def test_quantiles_hold_what_has_stopped():
    network, samples = classes()
    history = fit(network, samples, GradientDescent(0.5), CE, networks=9, stop_error=0.4, iterations=3000)
    held = history.held("error")
    assert np.isfinite(held).all()
    np.testing.assert_array_equal(held[-1], history.final_error)
    quartiles = history.quantiles()
    assert quartiles.shape == (3, len(history))
    np.testing.assert_array_equal(quartiles[1], np.median(held, axis=1))
    assert (np.diff(quartiles, axis=0) >= 0).all()


def test_every_few_iterations():
    network, samples = classes()
    full = fit(network, samples, GradientDescent(0.5), CE, networks=3, stop_error=0.4, iterations=3000)
    some = fit(network, samples, GradientDescent(0.5), CE, networks=3, stop_error=0.4, iterations=3000, every=10)
    ends = set(full.iterations.tolist())
    assert set(some.iteration.tolist()) == {k for k in full.iteration.tolist() if k % 10 == 0} | ends
    np.testing.assert_array_equal(some.error, full.error[some.iteration])
    np.testing.assert_array_equal(some.evaluations, full.evaluations[some.iteration])
    np.testing.assert_array_equal(some.w, full.w)


def test_history_of_a_function(refuses):
    history = minimize(FunctionObjective(quadratic((1.0,))), "cg", [1.0], iterations=3)
    with refuses("no network learned here: take .w"):
        _ = history.parameters
    with refuses("no curve 'errr': did you mean 'error'?"):
        history.held("errr")


# -- ensembles


def test_samples_of_each_network():
    """Splits of their own: each as alone on its own samples."""
    network, samples = classes(networks=3)
    together = fit(network, samples, GradientDescent(0.2), CE, MiniBatch(5), epochs=3)
    assert together.w.shape[0] == 3
    for k in range(3):
        alone = fit(
            network, (samples.x[k], samples.target), GradientDescent(0.2), CE, MiniBatch(5), epochs=3, networks=[k]
        )
        np.testing.assert_allclose(alone.w[0], together.w[k], rtol=1e-9)


def test_splits_by_weight():
    """Weight 0 leaves a sample out: splits of different sizes in one ensemble."""
    network, samples = classes()
    weight = np.ones((2, 12))
    weight[0, 8:] = weight[1, :5] = 0.0
    together = fit(network, samples._replace(weight=weight), "cg", CE, iterations=10)
    for k, part in enumerate((slice(0, 8), slice(5, 12))):
        alone = fit(network, (samples.x[part], samples.target[part]), "cg", CE, iterations=10, networks=[k])
        np.testing.assert_allclose(alone.w[0], together.w[k], rtol=1e-6)


def test_a_grid_of_hyper_parameters():
    network, samples = classes()
    rates, momenta = (a.ravel() for a in np.meshgrid([0.1, 0.5], [0.0, 0.9]))
    history = fit(network, samples, GradientDescent(rates, momentum=momenta), CE, iterations=30)
    assert history.w.shape[0] == 4
    np.testing.assert_array_equal(history.rate[-1], rates)


@pytest.mark.parametrize("stop_at", [1, 4, 5])
def test_a_member_that_leaves_within_an_epoch(stop_at):
    """The others go on with their own samples, rates and batches."""
    network, samples = classes(networks=3)
    options = {"strategy": MiniBatch(3), "epochs": 3, "seed": 2}
    rates, momenta = np.array([0.5, 0.1, 0.3]), np.array([0.0, 0.9, 0.5])

    def leave(snapshot):
        return snapshot.rows == 0 if snapshot.iteration == stop_at else None

    together = fit(network, samples, GradientDescent(rates, momentum=momenta), CE, callbacks=[leave], **options)
    assert together.iterations.tolist() == [stop_at, 12, 12]
    for k in (1, 2):
        data = (samples.x[k], samples.target)
        one = GradientDescent(rates[k], momentum=momenta[k])
        alone = fit(network, data, one, CE, networks=[k], **options)
        np.testing.assert_allclose(alone.w[0], together.w[k], rtol=1e-10)


def test_one_start_for_all():
    network, samples = classes()
    w0 = random(network.params.size)
    history = fit(network, samples, GradientDescent([0.1, 0.2]), CE, w0=w0, iterations=0)
    np.testing.assert_array_equal(history.w, [w0, w0])
    again = fit(network, samples, "cg", CE, w0=fit(network, samples, "cg", CE, iterations=4).w, iterations=0)
    assert again.error[0, 0] == fit(network, samples, "cg", CE, iterations=4).final_error[0]


def test_runs_repeat():
    network, samples = classes()
    options = {"strategy": MiniBatch(4), "epochs": 5, "networks": 3, "seed": 7}
    a, b = (fit(network, samples, GradientDescent(0.3), CE, **options) for _ in range(2))
    np.testing.assert_array_equal(a.w, b.w)
    other = fit(network, samples, GradientDescent(0.3), CE, **(options | {"seed": 8}))
    assert (a.w != other.w).all()


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_every_library(other_backend, precision):
    """Batches, members that stop, hyper-parameters and weights of samples, on every array library as on NumPy."""
    network, samples = classes(networks=4)
    samples = samples._replace(weight=random(4, 12, seed=2) ** 2 + 0.1)
    options = {
        "optimizer": GradientDescent([0.5, 0.4, 0.3, 0.2], momentum=0.5, adaptive=True),
        "strategy": MiniBatch(5),
        "epochs": 30,
        "stop_error": 0.25,
        "l2": np.array([0.0, 1e-4, 1e-3, 1e-2]),
        "precision": precision,
    }
    expected = fit(network, samples, loss=CE, backend="numpy", **options)
    actual = fit(network, samples, loss=CE, backend=other_backend, **options)
    tolerance = 1e-9 if precision == "float64" else 2e-2
    assert actual.w.dtype == precision
    np.testing.assert_allclose(actual.w, expected.w, rtol=tolerance, atol=tolerance)
    np.testing.assert_array_equal(actual.iterations, expected.iterations)
    for array in (actual.w, actual.error, actual.status, actual.seconds):
        assert type(array) is np.ndarray


def test_full_batch_is_the_default():
    network, samples = classes()
    a = fit(network, samples, "gradient_descent", CE, iterations=3)
    b = fit(network, samples, "gradient_descent", CE, FullBatch(), iterations=3)
    np.testing.assert_array_equal(a.w, b.w)
    assert get(a.provenance["backend"]) is get("auto")


def test_momentum_as_torch():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    network, samples = classes()
    history = fit(network, samples, GradientDescent(0.3, momentum=0.8, l2=0.05), CE, iterations=60, seed=3)
    w = torch.tensor(network.params.initial(3, [0])[0], requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.3, momentum=0.8, weight_decay=0.05)
    x, target = torch.tensor(samples.x), torch.tensor(samples.target)
    for _ in range(60):
        optimizer.zero_grad()
        hidden = torch.tanh(x @ w[:12].reshape(3, 4) + w[12:16])
        torch.nn.functional.cross_entropy(hidden @ w[16:24].reshape(4, 2) + w[24:], target).backward()
        optimizer.step()
    np.testing.assert_allclose(history.w[0], w.detach().numpy(), rtol=1e-10)


test_momentum_as_torch = pytest.mark.torch(test_momentum_as_torch)


def test_one_hot(refuses):
    np.testing.assert_array_equal(one_hot([[1], [0]], 2, low=-1.0), [[[-1.0, 1.0]], [[1.0, -1.0]]])
    with refuses("one_hot: labels from 0 to 3: give 0 to 2, or more n_classes"):
        one_hot([0, 3], 3)
    with refuses("one_hot: labels of type float64"):
        one_hot([0.5])
