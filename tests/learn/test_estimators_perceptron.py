"""Rosenblatt's perceptron as an estimator, beside scikit-learn's own and the rule itself."""

import numpy as np
import pytest
from learning import random
from moons import moons

from neurosim.errors import UsageError
from neurosim.learn import PerceptronRule

pytest.importorskip("sklearn", reason="estimators are scikit-learn's")
from sklearn.datasets import make_blobs
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Perceptron as TheirPerceptron

from neurosim.learn.estimators import Perceptron


def test_perceptron_is_rosenblatts_rule():
    x, y = make_blobs(80, centers=[[0.0, 0.0], [6.0, 6.0]], random_state=0)
    model = Perceptron(random_state=4).fit(x, y)
    run = PerceptronRule().learn((x, 2.0 * y - 1.0), shuffle=True, seed=4)
    np.testing.assert_array_equal(model.intercept_, -run.w[:, 0])
    np.testing.assert_array_equal(model.coef_, run.w[:, 1:])
    np.testing.assert_array_equal(model.mistakes_, run.mistakes)
    assert model.converged_.all()
    assert model.n_iter_ == len(run.mistakes)
    assert model.score(x, y) == 1.0
    np.testing.assert_array_equal(model.predict(x), (model.decision_function(x) > 0).astype(int))


def test_perceptron_of_scikit_learn():
    """Without shuffling, the same weights after each pass, up to a factor."""
    x, y = make_blobs(80, centers=[[0.0, 0.0], [2.5, 2.5]], random_state=1)
    for passes in (1, 3, 7):
        with pytest.warns(ConvergenceWarning):
            ours = Perceptron(2.0, shuffle=False, max_iter=passes).fit(x, y)
        theirs = TheirPerceptron(shuffle=False, max_iter=passes, tol=None).fit(x, y)
        np.testing.assert_allclose(ours.coef_, 2.0 * theirs.coef_, rtol=1e-9)
        np.testing.assert_allclose(ours.intercept_, 2.0 * theirs.intercept_, rtol=1e-9)


def test_perceptron_of_several_classes():
    x, y = make_blobs(90, centers=[[0.0, 9.0], [9.0, 0.0], [-9.0, -9.0]], random_state=0)
    names = np.array(["a", "b", "c"])[y]
    model = Perceptron(shuffle=False).fit(x, names)
    assert model.decision_function(x).shape == (90, 3)
    assert model.score(x, names) == 1.0
    for k in range(3):
        alone = Perceptron(shuffle=False, max_iter=model.n_iter_).fit(x, y == k)
        np.testing.assert_array_equal(alone.coef_[0], model.coef_[k])


def test_perceptron_goes_on():
    """Passes one by one are the passes of one fit; a first call must name the classes."""
    x, y = make_blobs(60, centers=3, cluster_std=2.0, random_state=3)
    with pytest.warns(ConvergenceWarning, match="mistakes in the last of max_iter = 6"):
        whole = Perceptron(shuffle=False, max_iter=6).fit(x, y)
    parts = Perceptron(shuffle=False)
    with pytest.raises(UsageError, match="classes = None"):
        parts.partial_fit(x, y)
    for k in range(6):
        parts.partial_fit(x, y, classes=[0, 1, 2] if k == 0 else None)
    np.testing.assert_array_equal(parts.coef_, whole.coef_)
    np.testing.assert_array_equal(parts.mistakes_, whole.mistakes_)
    assert parts.n_iter_ == 6
    warm = Perceptron(shuffle=False, max_iter=3, warm_start=True)
    with pytest.warns(ConvergenceWarning):
        warm.fit(x, y).fit(x, y)
    np.testing.assert_array_equal(warm.coef_, whole.coef_)
    # samples of some of the classes will do
    parts.partial_fit(x[y == 1], y[y == 1])
    with pytest.raises(UsageError, match="none of the classes"):
        parts.partial_fit(x, y + 1)


def test_units_with_targets_of_their_own(backend):
    x = random(30, 2, seed=1)
    target = np.stack([np.sign(x[:, 0]), np.sign(x[:, 1] - 0.2)])
    together = PerceptronRule().learn((x, target[..., None]), epochs=20, shuffle=True, backend=backend)
    for k in range(2):
        alone = PerceptronRule().learn((x, target[k]), epochs=20, shuffle=True, backend=backend)
        np.testing.assert_allclose(together.w[k], alone.w[0], rtol=1e-12)


def test_bad_perceptrons(refuses):
    x, y = moons(30)
    with refuses("max_iter = 0"):
        Perceptron(max_iter=0).fit(x, y)
    with refuses("learning_rate"):
        Perceptron(-1.0).fit(x, y)
    with refuses("at least two"):
        Perceptron().partial_fit(x, y, classes=["upper"])
