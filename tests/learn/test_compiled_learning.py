"""Learning in compiled windows against the loop of the reference: every optimizer, strategy, ending and option."""

import os
import signal
import subprocess
import sys

import numba
import numpy as np
import pytest
from learning import random

from neurosim.learn import (
    MLP,
    Adam,
    GradientDescent,
    LevenbergMarquardt,
    MiniBatch,
    RProp,
    Samples,
    Status,
    Stochastic,
    all_optimizers,
    draws,
    fit,
    one_hot,
)
from neurosim.learn.compiled import evaluate, first_order
from neurosim.learn.compiled.orders import fill_order
from neurosim.learn.optimizer import FirstOrder

NETWORK = MLP((3, 5, 4), ["tanh", "softmax"])
LABELS = np.random.default_rng(0).integers(0, 4, 33)
DATA = (random(33, 3) + LABELS[:, None], one_hot(LABELS, 4))
FIRST = sorted(name for name, kind in all_optimizers().items() if issubclass(kind, FirstOrder))
SECOND = sorted(set(all_optimizers()) - set(FIRST))
CURVES = ("error", "grad_norm", "step", "rate")


def histories(optimizer, loss="cross_entropy", strategy="full_batch", data=DATA, network=NETWORK, **options):
    """The same learning, compiled and op by op."""
    return [fit(network, data, optimizer, loss, strategy, fuse=fuse, **options) for fuse in ("require", "off")]


def same(a, b, rtol=1e-9, atol=1e-11):
    """All of two histories, but the time."""
    for name in ("iteration", "status", "iterations", "evaluations"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)
    for name in (*CURVES, "w"):
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=rtol, atol=atol, err_msg=name)
    assert a.updates_per_epoch == b.updates_per_epoch
    assert (np.diff(a.seconds) >= 0.0).all()


def made(name):
    kind = all_optimizers()[name]
    return kind(**kind.example)


# Iterations after which rounding has not grown past 1e-9: a change of the first weights by 1e-15 grows as much.
STABLE = {"quickprop": 25, "adadelta": 50, "adam": 100, "rmsprop": 30}


@pytest.mark.parametrize("name", FIRST)
def test_every_first_order_optimizer(name):
    a, b = histories(made(name), iterations=STABLE.get(name, 300), networks=2, l2=1e-3)
    assert a.provenance["engine"] == {"network": "numba", "optimizer": "numba"}
    assert b.provenance["engine"] == {"network": "eager", "optimizer": "eager"}
    same(a, b, rtol=1e-9, atol=1e-9)
    assert (a.final_error < a.error[0]).all()


@pytest.mark.parametrize("name", FIRST)
def test_every_first_order_optimizer_in_single_precision(name):
    a, b = histories(made(name), iterations=20, networks=2, precision="float32")
    assert a.w.dtype == np.float32
    same(a, b, rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize("name", sorted(n for n in FIRST if not all_optimizers()[n].full_batch))
@pytest.mark.parametrize("strategy", [MiniBatch(8), MiniBatch(8, shuffle=False), Stochastic(), MiniBatch(100)], ids=str)
def test_batches(name, strategy):
    a, b = histories(made(name), strategy=strategy, iterations=40, networks=2, seed=2**40 + 3)
    same(a, b, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("form", ["lecture", "standard"])
@pytest.mark.parametrize("name", ["nag", "adadelta", "quickprop"])
def test_forms(name, form):
    a, b = histories(all_optimizers()[name](form=form), iterations=12)
    same(a, b)


@pytest.mark.parametrize("variant", ["rprop-", "rprop+", "irprop-", "irprop+"])
def test_variants_of_rprop(variant):
    same(*histories(RProp(variant=variant), iterations=60, networks=3))


def test_adaptive_step():
    optimizer = GradientDescent([0.02, 0.05], adaptive=True, momentum=0.5, rate_max=[0.05, 0.1])
    a, b = histories(optimizer, iterations=100)
    same(a, b)
    assert len(np.unique(a.rate[1:, 0])) > 10


@pytest.mark.parametrize("name", SECOND)
def test_every_other_optimizer(name):
    loss = "mean_squared_error" if all_optimizers()[name].needs_residuals else "cross_entropy"
    a, b = histories(made(name), loss, iterations=8, networks=2, l2=1e-3)
    assert a.provenance["engine"] == {"network": "numba", "optimizer": "eager"}
    same(a, b, rtol=1e-6, atol=1e-9)


def test_least_squares_with_few_residuals():
    data = (DATA[0][:5], DATA[1][:5])
    same(*histories(LevenbergMarquardt(), "mean_squared_error", data=data, iterations=5), rtol=1e-6)


def test_an_ensemble_is_its_members():
    """To the bit: hyper-parameters, samples, weights of samples and first weights of each, ending at their own time."""
    n = 4
    data = Samples(random(n, 33, 3), DATA[1], np.random.default_rng(1).uniform(0.5, 1.0, (n, 33)))
    rates, l2 = [0.5, 0.1, 2.0, 0.01], np.array([0.0, 0.1, 0.01, 0.0])
    options = {"strategy": MiniBatch(10), "iterations": 60, "stop_error": 1.2}
    a, b = histories(Adam(rates), data=data, l2=l2, **options)
    same(a, b)
    assert len(set(a.iterations.tolist())) > 1
    for k in range(n):
        own = Samples(data.x[k], data.target, data.weight[k])
        one = fit(NETWORK, own, Adam(rates[k]), "cross_entropy", l2=l2[k], networks=[k], fuse="require", **options)
        np.testing.assert_array_equal(one.w[0], a.w[k])
        np.testing.assert_array_equal(one.error[:, 0], a.error[: len(one), k])


@pytest.mark.parametrize("every", [1, 7, 1000])
def test_rows_of_the_history(every):
    a, b = histories(GradientDescent([0.1, 0.08, 0.01]), iterations=150, every=every, stop_error=0.95)
    same(a, b)
    assert len(set(a.status.tolist())) > 1


@pytest.mark.parametrize("iterations", [0, 1, 2])
def test_hardly_any_iterations(iterations):
    same(*histories("adam", iterations=iterations, networks=2))


def test_first_weights_and_endings():
    w0 = np.zeros((1, NETWORK.params.size))
    same(*histories("gradient_descent", w0=w0, iterations=20))
    a, b = histories(GradientDescent(0.1), iterations=2000, min_grad=0.1)
    same(a, b)
    assert a.status.tolist() == [Status.CONVERGED]


def test_epochs():
    a, b = histories(GradientDescent(0.05), strategy=MiniBatch(10), epochs=40, stop_error=0.95, networks=3)
    same(a, b)
    assert (a.status == Status.REACHED).any()
    assert not ((a.iterations[a.reached] + 1) % 4).any()  # at the end of an epoch


@pytest.mark.parametrize("strategy", ["full_batch", "mini_batch"])
def test_no_longer_finite(strategy):
    """Weights are the last good ones; the others go on."""
    network = MLP((3, 5, 4), ["linear", "linear"])
    options = {"loss": "mean_squared_error", "network": network, "strategy": strategy, "iterations": 400}
    a, b = histories(GradientDescent([0.01, 1e5, 10.0]), **options)
    assert a.status.tolist() == [Status.ITERATIONS, Status.NON_FINITE, Status.NON_FINITE]
    np.testing.assert_array_equal(a.iterations, b.iterations)
    np.testing.assert_array_equal(np.isnan(a.error), np.isnan(b.error))
    np.testing.assert_allclose(a.w, b.w, rtol=1e-6)
    assert np.isfinite(a.w).all()


def test_at_once_no_longer_finite():
    w0 = np.full((2, NETWORK.params.size), 0.1)
    w0[1] = 1e308
    a, b = histories("gradient_descent", w0=w0, iterations=3, network=MLP((3, 5, 4), ["linear", "softmax"]))
    same(a, b)
    assert a.iterations.tolist() == [3, 0]


@pytest.mark.parametrize("strategy", ["full_batch", MiniBatch(10)], ids=str)
def test_callbacks(strategy):
    """They see what they see op by op, and stop what they stop there."""
    seen = {"require": [], "off": []}

    def watch(fuse):
        def callback(snapshot):
            seen[fuse].append(snapshot)
            return (snapshot.rows == 1) & (snapshot.iteration == 5) if snapshot.iteration < 9 else True

        return callback

    options = {"strategy": strategy, "iterations": 30, "networks": 3, "stop_error": 0.9}
    a, b = (fit(NETWORK, DATA, "adam", "cross_entropy", fuse=fuse, callbacks=[watch(fuse)], **options) for fuse in seen)
    same(a, b)
    assert a.iterations[1] == 5
    for p, q in zip(seen["require"], seen["off"], strict=True):
        assert (p.iteration, p.epoch) == (q.iteration, q.epoch)
        np.testing.assert_array_equal(p.rows, q.rows)
        np.testing.assert_allclose(p.w, q.w, rtol=1e-9)
        np.testing.assert_allclose(p.error, q.error, rtol=1e-9)
        np.testing.assert_allclose(p.grad_norm, q.grad_norm, rtol=1e-9)


def test_ctrl_c():
    """The history is what was learned until then, and says so."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    reports = []

    def progress(done, total):
        reports.append((done, total))
        if len(reports) == 1:
            os.kill(os.getpid(), signal.SIGINT)

    try:
        options = {"iterations": 10**8, "every": 10**6, "fuse": "require", "progress": progress}
        history = fit(NETWORK, DATA, "gradient_descent", "cross_entropy", **options)
    finally:
        signal.signal(signal.SIGINT, before)
    assert history.status.tolist() == [Status.STOPPED]
    assert 0 < history.iterations[0] < 10**8
    assert history.iteration[-1] == history.iterations[0] == reports[-1][0]
    assert np.isfinite(history.w).all()


def test_windows_do_not_show(monkeypatch):
    """However many iterations are done in a call."""
    options = {"strategy": MiniBatch(10), "iterations": 90, "networks": 3, "every": 4, "fuse": "require"}
    first = fit(NETWORK, DATA, "adam", "cross_entropy", **options)
    for numbers in (1, 200):
        monkeypatch.setattr(first_order, "_NUMBERS", numbers)
        again = fit(NETWORK, DATA, "adam", "cross_entropy", **options)
        np.testing.assert_array_equal(again.w, first.w)
        np.testing.assert_array_equal(again.error, first.error)
        np.testing.assert_array_equal(again.evaluations, first.evaluations)


@pytest.mark.parametrize("optimizer", ["adam", "lma"])
def test_threads_do_not_show(monkeypatch, optimizer):
    loss = "mean_squared_error" if optimizer == "lma" else "cross_entropy"
    options = {"iterations": 20, "networks": 5, "fuse": "require"}
    alone = fit(NETWORK, DATA, optimizer, loss, **options)
    monkeypatch.setattr(evaluate, "_WORTH_A_THREAD", 1.0)
    monkeypatch.setattr(numba, "get_num_threads", lambda: 3)
    shared = fit(NETWORK, DATA, optimizer, loss, **options)
    for name in (*CURVES, "w"):
        np.testing.assert_array_equal(getattr(alone, name), getattr(shared, name))


@pytest.mark.parametrize("n", [1, 2, 3, 33, 1000])
@pytest.mark.parametrize("seed", [0, 2**63 + 12345])
def test_orders_are_those_of_the_reference(n, seed):
    low, high = seed & 0xFFFFFFFF, seed >> 32
    for epoch in (0, 1, 77):
        order = np.empty(n, np.int64)
        fill_order(order, low, high, draws.THIRD_WORD + draws.PURPOSES.index("order"), epoch)
        np.testing.assert_array_equal(order, draws.permutation(seed, "order", n, series=epoch))


def test_the_second_process_compiles_nothing(tmp_path):
    """Networks of other widths, too."""
    script = (
        "import sys, numpy as np; from neurosim.learn import MLP, fit; a, b, n = map(int, sys.argv[1:]); "
        "fit(MLP((a, b, 2), ['tanh', 'linear']), (np.ones((n, a)), np.ones((n, 2))), 'adam', iterations=3)"
    )
    caches = {"NEUROSIM_CACHE_DIR": str(tmp_path / "kernels"), "NUMBA_CACHE_DIR": str(tmp_path / "numba")}

    def run(*sizes):
        command = [sys.executable, "-c", script, *map(str, sizes)]
        subprocess.run(command, env=os.environ | caches, check=True, timeout=300)
        return {f.name: f.stat().st_mtime_ns for f in tmp_path.rglob("*.nbc")}

    first = run(3, 4, 10)
    assert all(any(name.startswith(kind) for name in first) for kind in ("activation_", "loss_", "update_", "loop."))
    assert run(5, 70, 33) == first
