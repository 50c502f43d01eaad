"""Estimators on scikit-learn's terms: its own checks, its tools, and its own perceptrons beside ours."""

import inspect
import pickle
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from learning import random
from moons import ALL, moons

import neurosim
from neurosim.learn import (
    MLP,
    Adam,
    GradientDescent,
    LevenbergMarquardt,
    MiniBatch,
    Status,
    Stochastic,
    estimators,
    fit,
)
from neurosim.learn.estimators.watch import Watch

pytest.importorskip("sklearn", reason="estimators are scikit-learn's")
from sklearn.base import clone
from sklearn.datasets import load_digits, make_blobs
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.neural_network import MLPClassifier as TheirClassifier
from sklearn.neural_network import MLPRegressor as TheirRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from neurosim.learn.estimators import MLPClassifier, MLPRegressor, Perceptron, all_estimators


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks([cls() for cls in all_estimators().values()])
def test_scikit_learns_own_checks(estimator, check):
    """No check is left out."""
    check(estimator)


def test_they_are_found():
    assert set(all_estimators()) == {"MLPClassifier", "MLPRegressor", "Perceptron"}
    assert set(all_estimators()) <= set(dir(estimators))
    assert estimators.MLPRegressor is MLPRegressor


def test_a_wrong_name():
    with pytest.raises(AttributeError, match="MLPClassifier"):
        _ = estimators.MLPClasifier


def test_without_scikit_learn():
    """One line says what to install, wherever the estimator is asked for; nothing else needs it."""
    code = (
        "import sys; sys.modules['sklearn'] = None; import neurosim.learn.estimators\n"
        "from neurosim.errors import UsageError\n"
        "try:\n    from neurosim.learn.estimators import MLPClassifier\n"
        "except UsageError as error:\n    print(error)"
    )
    root = Path(neurosim.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, check=True, capture_output=True, text=True)
    assert done.stdout == "neurosim.learn.estimators need scikit-learn: pip install 'neurosim[sklearn]'\n"


def test_an_error_within_is_not_hidden(monkeypatch):
    monkeypatch.setitem(sys.modules, "neurosim.learn.estimators.mlp_classifier", None)
    with pytest.raises(ModuleNotFoundError):
        all_estimators.__wrapped__()


@pytest.mark.parametrize("name", sorted(all_estimators()))
def test_every_parameter_is_documented(name):
    cls = all_estimators()[name]
    text = inspect.getdoc(cls)
    assert "{" not in text
    for parameter in inspect.signature(cls).parameters:
        assert re.search(rf"^(\w+, )*{parameter}(, \w+)* : ", text, re.MULTILINE), parameter


# -- what learns is neurosim.learn


def test_it_is_fit():
    """The same weights as a call of fit with that seed; alpha is shared out over the samples of a batch."""
    x, y = moons()
    model = MLPClassifier((7,), "tanh", optimizer=Adam(0.01), alpha=0.3, batch_size=50, max_iter=3, **ALL).fit(x, y)
    network = MLP((2, 7, 1), ("tanh", "sigmoid"))
    target = (y == "upper").astype(float)
    told = fit(network, (x, target), Adam(0.01), "binary_cross_entropy", MiniBatch(50), epochs=3, l2=0.3 / 50)
    np.testing.assert_array_equal(model.w_, told.w[0])
    np.testing.assert_array_equal(model.history_.error, told.error)
    assert model.n_iter_ == len(model.loss_curve_) == 3
    np.testing.assert_allclose(model.loss_curve_, told.per_epoch()[:, 0])
    np.testing.assert_allclose(model.predict_proba(x)[:, 1], network.predict(told.w[0], x)[:, 0])


@pytest.mark.parametrize("optimizer", ["lbfgs", "bfgs", "cg", "newton", "rprop"])
def test_full_batch_optimizers_see_all(optimizer):
    x, y = moons(300)
    model = MLPClassifier((6,), "tanh", optimizer=optimizer, max_iter=30, **ALL).fit(x, y)
    assert model.history_.updates_per_epoch == 1
    assert model.n_iter_ == len(model.loss_curve_) == model.history_.iterations[0]
    assert model.loss_ == model.loss_curve_[-1] == model.history_.final_error[0]
    assert model.score(x, y) > 0.85


def test_weights_are_views():
    x, y = moons()
    model = MLPClassifier((5, 3), max_iter=1, **ALL).fit(x, y)
    assert [c.shape for c in model.coefs_] == [(2, 5), (5, 3), (3, 1)]
    assert [b.shape for b in model.intercepts_] == [(5,), (3,), (1,)]
    assert all(np.shares_memory(a, model.w_) for a in (*model.coefs_, *model.intercepts_))
    assert (model.n_layers_, model.n_outputs_, model.out_activation_) == (4, 1, "sigmoid")
    hidden = np.maximum(x @ model.coefs_[0] + model.intercepts_[0], 0.0)
    hidden = np.maximum(hidden @ model.coefs_[1] + model.intercepts_[1], 0.0)
    sums = hidden @ model.coefs_[2] + model.intercepts_[2]
    np.testing.assert_allclose(model.predict_proba(x), np.c_[1 / (1 + np.exp(sums)), 1 / (1 + np.exp(-sums))])
    np.testing.assert_allclose(model.predict_log_proba(x), np.log(model.predict_proba(x)))


def test_random_state():
    x, y = moons(60)

    def weights(state):
        return MLPClassifier((3,), max_iter=1, **{**ALL, "random_state": state}).fit(x, y).w_

    np.testing.assert_array_equal(weights(3), weights(3))
    assert not np.array_equal(weights(3), weights(4))
    np.testing.assert_array_equal(weights(np.random.RandomState(5)), weights(np.random.RandomState(5)))
    generator = np.random.RandomState(5)
    assert not np.array_equal(weights(generator), weights(generator))
    np.random.seed(7)  # noqa: NPY002 - what None means to scikit-learn
    first = weights(None)
    np.random.seed(7)  # noqa: NPY002
    np.testing.assert_array_equal(first, weights(None))


def test_precision():
    x, y = moons()
    single = MLPClassifier((5,), precision="float32", max_iter=20, **ALL).fit(x, y)
    double = MLPClassifier((5,), max_iter=20, **ALL).fit(x, y)
    assert single.predict_proba(x).dtype == np.float32
    np.testing.assert_allclose(single.predict_proba(x), double.predict_proba(x), atol=1e-4)


def test_other_libraries(backend):
    x, y = moons(40)
    model = MLPClassifier((4,), "tanh", max_iter=3, **{**ALL, "backend": backend}).fit(x, y)
    reference = MLPClassifier((4,), "tanh", max_iter=3, **ALL).fit(x, y)
    np.testing.assert_allclose(model.predict_proba(x), reference.predict_proba(x), rtol=1e-9)


def test_op_by_op_and_compiled():
    x, y = moons()
    compiled = MLPClassifier((5,), "tanh", max_iter=10, fuse="require", **ALL).fit(x, y)
    reference = MLPClassifier((5,), "tanh", max_iter=10, fuse="off", **ALL).fit(x, y)
    assert compiled.history_.provenance["engine"] != reference.history_.provenance["engine"]
    np.testing.assert_allclose(compiled.w_, reference.w_, rtol=1e-9)


# -- the same problem in scikit-learn


def test_digits_beside_scikit_learns():
    """Within two of a hundred digits of its accuracy, and most of them right, on samples not learned from."""
    x, y = load_digits(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x / 16.0, y, test_size=0.4, random_state=0, stratify=y)
    settings = {"hidden_layer_sizes": (64,), "max_iter": 60, "random_state": 0, "batch_size": 64}
    ours = MLPClassifier(tol=None, **settings).fit(x_train, y_train)
    theirs = TheirClassifier(tol=0.0, n_iter_no_change=1000, **settings)
    with pytest.warns(ConvergenceWarning):
        theirs.fit(x_train, y_train)
    scores = [model.score(x_test, y_test) for model in (ours, theirs)]
    assert scores[0] > 0.95
    assert abs(scores[0] - scores[1]) < 0.02
    assert abs(np.log(ours.loss_ / theirs.loss_)) < 0.5


@pytest.mark.parametrize("classes", [2, 3])
def test_alpha_is_scikit_learns(classes):
    """Without a hidden layer the loss has one minimum, and all find it."""
    x, y = make_blobs(120, centers=classes, cluster_std=3.0, random_state=1)
    weight = 0.5 + random(120, seed=3) ** 2
    x = StandardScaler().fit_transform(x)
    ours = MLPClassifier((), optimizer="bfgs", alpha=4.0, max_iter=500, **ALL)
    theirs = LogisticRegression(C=1 / 4.0, tol=1e-12, max_iter=1000)
    for w in (None, weight):
        ours.fit(x, y, sample_weight=w)
        theirs.fit(x, y, sample_weight=w)
        np.testing.assert_allclose(ours.predict_proba(x), theirs.predict_proba(x), atol=1e-5)


def test_regression_beside_scikit_learns():
    x = random(200, 3, seed=1)
    y = np.stack([np.sin(2 * x[:, 0]), x[:, 1] * x[:, 2]], axis=1)
    ours = MLPRegressor((20,), "tanh", optimizer="lbfgs", max_iter=300, **ALL).fit(x, y)
    theirs = TheirRegressor(
        hidden_layer_sizes=(20,), activation="tanh", solver="lbfgs", tol=0.0, max_iter=300, random_state=0
    )
    with pytest.warns(ConvergenceWarning):
        theirs.fit(x, y)
    fresh = random(200, 3, seed=2)
    wanted = np.stack([np.sin(2 * fresh[:, 0]), fresh[:, 1] * fresh[:, 2]], axis=1)
    scores = [model.score(fresh, wanted) for model in (ours, theirs)]
    assert ours.predict(x).shape == (200, 2)
    assert scores[0] > 0.98
    assert scores[0] > scores[1] - 0.01


def test_linear_regression_is_ridge():
    """Mean squares and alpha/(2 n) Σ w² have the minimum of squares and ½ alpha Σ w²."""
    x = random(50, 4, seed=1)
    y = x @ np.array([1.0, -2.0, 0.5, 0.0]) + 3.0 + 0.1 * random(50, seed=2)
    ours = MLPRegressor((), optimizer="bfgs", alpha=6.0, max_iter=200, **ALL).fit(x, y)
    theirs = Ridge(alpha=3.0).fit(x, y)
    np.testing.assert_allclose(ours.coefs_[0][:, 0], theirs.coef_, atol=1e-6)
    np.testing.assert_allclose(ours.predict(x), theirs.predict(x), atol=1e-6)


# -- scikit-learn's tools


def test_pipeline_grid_search_and_cross_validation():
    x, y = moons()
    pipe = make_pipeline(StandardScaler(), MLPClassifier((8,), "tanh", max_iter=20, **ALL))
    grid = {"mlpclassifier__optimizer": [Adam(0.0001), Adam(0.1), "lbfgs"], "mlpclassifier__alpha": [0.0, 0.01]}
    search = GridSearchCV(pipe, grid, cv=3).fit(x, y)
    assert search.best_score_ > 0.9
    assert getattr(search.best_params_["mlpclassifier__optimizer"], "learning_rate", 1.0) > 0.001
    scores = cross_val_score(search.best_estimator_, x, y, cv=4)
    assert scores.mean() > 0.9


def test_grid_search_in_processes():
    """Joblib pickles the estimators to its workers."""
    x, y = moons(80)
    search = GridSearchCV(
        MLPClassifier((4,), max_iter=3, **ALL), {"optimizer": [Adam(0.1), Adam(0.01)]}, cv=2, n_jobs=2
    )
    alone = GridSearchCV(MLPClassifier((4,), max_iter=3, **ALL), {"optimizer": [Adam(0.1), Adam(0.01)]}, cv=2)
    found, expected = (s.fit(x, y).cv_results_["mean_test_score"] for s in (search, alone))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("cls", [MLPClassifier, MLPRegressor, Perceptron])
def test_clone_and_pickle(cls):
    x, y = make_blobs(60, centers=[[0.0, 0.0], [6.0, 6.0]], random_state=0)
    given = {"optimizer": Adam(0.02), "max_iter": 5, "tol": None} if cls is not Perceptron else {"learning_rate": 0.5}
    model = cls(random_state=1, **given).fit(x, y)
    copied = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copied.predict(x), model.predict(x))
    if cls is not Perceptron:
        assert np.shares_memory(copied.coefs_[0], copied.w_)
        np.testing.assert_array_equal(copied.history_.error, model.history_.error)
    fresh = clone(model)
    with pytest.raises(NotFittedError):
        fresh.predict(x)
    assert not hasattr(fresh, "coefs_")
    np.testing.assert_array_equal(fresh.fit(x, y).predict(x), model.predict(x))


# -- classes, labels, losses


def test_several_labels_at_once():
    x = random(200, 3, seed=4)
    y = np.stack([x[:, 0] > 0, x[:, 1] > x[:, 2], x.sum(axis=1) > 0], axis=1).astype(int)
    model = MLPClassifier((10,), "tanh", optimizer="lbfgs", max_iter=60, **ALL).fit(x, y)
    assert model.predict(x).shape == model.predict_proba(x).shape == (200, 3)
    assert model.score(x, y) > 0.95
    assert model.classes_.tolist() == [0, 1, 2]
    stopped = MLPClassifier((10,), early_stopping=True, max_iter=4, **ALL).fit(x, y)
    held = train_test_split(np.arange(200), test_size=0.1, random_state=0)[1]
    assert stopped.best_validation_score_ == max(stopped.validation_scores_) == stopped.score(x[held], y[held])


@pytest.mark.parametrize("loss", ["cross_entropy", "kullback_leibler", "mean_squared_error"])
def test_losses(loss):
    x, y = make_blobs(150, centers=3, random_state=2)
    model = MLPClassifier((5,), "tanh", optimizer="rprop", loss=loss, max_iter=60, **ALL).fit(x, y)
    assert model.out_activation_ == "softmax"
    np.testing.assert_allclose(model.predict_proba(x).sum(axis=1), 1.0)
    assert model.score(x, y) > 0.95


def test_two_classes_with_an_output_each():
    x, y = moons()
    model = MLPClassifier((6,), "tanh", loss="cross_entropy", optimizer="lbfgs", max_iter=60, **ALL).fit(x, y)
    assert model.n_outputs_ == 2
    assert model.score(x, y) > 0.95


def test_levenberg_marquardt():
    x, y = moons()
    method = LevenbergMarquardt(damping=0.01)
    model = MLPClassifier((6,), "tanh", optimizer=method, loss="mean_squared_error", max_iter=40, **ALL).fit(x, y)
    assert model.score(x, y) > 0.97


def test_class_weights_are_sample_weights():
    x, y = make_blobs([90, 10], centers=[[0.0, 0.0], [1.5, 0.0]], random_state=0)
    base = MLPClassifier((), optimizer="bfgs", max_iter=100, **ALL)
    given = clone(base).set_params(class_weight={0: 1.0, 1: 9.0}).fit(x, y)
    weighted = clone(base).fit(x, y, sample_weight=np.where(y == 1, 9.0, 1.0))
    balanced = clone(base).set_params(class_weight="balanced").fit(x, y)
    np.testing.assert_array_equal(given.w_, weighted.w_)
    plain = clone(base).fit(x, y)
    assert (plain.predict(x) == 1).sum() < (balanced.predict(x) == 1).sum()
    both = clone(base).set_params(class_weight={0: 1.0, 1: 3.0}).fit(x, y, sample_weight=np.where(y == 1, 3.0, 1.0))
    np.testing.assert_allclose(both.w_, given.w_, rtol=1e-12)


# -- when it stops


def test_a_loss_that_gets_no_better_ends_it():
    x, y = moons()
    model = MLPClassifier((5,), optimizer=GradientDescent(1e-9), max_iter=100, n_iter_no_change=4, random_state=0)
    model.fit(x, y)
    # The first look counts as better than none.
    assert model.n_iter_ == 5
    assert model.history_.status[0] == Status.STOPPED


def test_early_stopping_keeps_the_best_weights():
    x, y = moons(300, seed=3)
    model = MLPClassifier(
        (30,),
        optimizer=Adam(0.05),
        early_stopping=True,
        validation_fraction=0.3,
        max_iter=200,
        tol=1e-4,
        backend="numpy",
        random_state=2,
    ).fit(x, y)
    held = train_test_split(np.arange(300), test_size=0.3, random_state=2, stratify=y)[1]
    assert 10 < model.n_iter_ < 200
    assert len(model.validation_scores_) == model.n_iter_
    assert model.best_validation_score_ == max(model.validation_scores_) == model.score(x[held], y[held])
    assert not np.array_equal(model.w_, model.history_.w[0])
    # Learned from the others alone: 210 samples in batches of 200.
    assert model.history_.updates_per_epoch == 2


def test_watch_counts_epochs():
    class Seen:
        backend = None

        def __init__(self, iteration, error):
            self.iteration, self.error = iteration, np.array([error])

    watch = Watch([4, 2], tol=0.1, patience=1)
    losses = [3.0, 2.0, 1.99, 1.98]
    answers = [watch(Seen(k, losses[k // 2])) for k in range(8)]
    assert answers == [False] * 7 + [True]
    assert watch.ended
    assert watch.best == pytest.approx(1.98)


def test_stop_error():
    x, y = moons()
    model = MLPClassifier((8,), "tanh", optimizer="lbfgs", stop_error=0.1, max_iter=500, tol=None, random_state=0)
    model.fit(x, y)
    assert model.history_.status[0] == Status.REACHED
    assert model.loss_ < 0.1
    with pytest.warns(ConvergenceWarning, match="max_iter = 2"):
        model.set_params(max_iter=2).fit(x, y)


def test_a_learning_that_fails_is_told():
    x, y = moons()
    model = MLPRegressor((5,), "relu", optimizer=GradientDescent(1e9), batch_size="full_batch", max_iter=50, **ALL)
    with pytest.warns(ConvergenceWarning, match="no longer finite"):
        model.fit(x * 1e100, (y == "upper").astype(float))
    assert np.isfinite(model.w_).all()


def test_an_interrupted_learning_is_told(monkeypatch):
    x, y = moons()
    seen = []

    def interrupt(watch, snapshot):
        seen.append(snapshot.iteration)
        if snapshot.iteration == 3:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Watch, "__call__", interrupt)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.warns(UserWarning, match="interrupted"):
            model = MLPClassifier((3,), max_iter=1_000_000, random_state=0).fit(x, y)
    finally:
        signal.signal(signal.SIGINT, before)
    assert seen[-1] == model.history_.iterations[0] < 1_000_000
    assert model.predict(x).shape == y.shape


def test_warm_start():
    """Descent without momentum goes on as if it had never stopped."""
    x, y = moons()
    settings = {"optimizer": GradientDescent(0.5), "batch_size": "full_batch", **ALL}
    once = MLPClassifier((6,), "tanh", max_iter=20, **settings).fit(x, y)
    twice = MLPClassifier((6,), "tanh", max_iter=10, warm_start=True, **settings).fit(x, y).fit(x, y)
    np.testing.assert_allclose(twice.w_, once.w_, rtol=1e-12)
    anew = MLPClassifier((6,), "tanh", max_iter=10, **settings).fit(x, y).fit(x, y)
    assert not np.allclose(anew.w_, once.w_)


def test_stochastic_by_record():
    x, y = moons(20)
    a = MLPClassifier((2,), batch_size="stochastic", max_iter=1, **ALL).fit(x, y)
    b = MLPClassifier((2,), batch_size=Stochastic(), max_iter=1, **ALL).fit(x, y)
    assert a.history_.updates_per_epoch == 20
    np.testing.assert_array_equal(a.w_, b.w_)
