"""Estimators refuse what cannot be in one line."""

import numpy as np
import pytest
from moons import ALL, moons

from neurosim.learn import Adam, one_hot

pytest.importorskip("sklearn", reason="estimators are scikit-learn's")

from neurosim.learn.estimators import MLPClassifier, Perceptron

BAD = {
    "activations": ({"activation": ("tanh",), "hidden_layer_sizes": (3, 3)}, "1 activations for 2 hidden layers"),
    "activation": ({"activation": "tanhh"}, "tanh"),
    "width": ({"hidden_layer_sizes": (0,)}, "whole number above 0"),
    "optimizer": ({"optimizer": "adamm"}, "adam"),
    "ensemble": ({"optimizer": Adam([0.1, 0.2])}, "2 values"),
    "loss": ({"loss": "softmax_cross_entropy"}, "takes sums"),
    "loss of distributions": ({"loss": "kullback_leiber"}, "kullback_leibler"),
    "alpha": ({"alpha": -1.0}, "alpha = -1.0"),
    "batch size": ({"batch_size": 2.5}, "batch_size = 2.5"),
    "empty batch": ({"batch_size": 0}, "MiniBatch.size = 0"),
    "batches": ({"optimizer": "bfgs", "batch_size": 10}, "full_batch"),
    "max_iter": ({"max_iter": 0}, "max_iter = 0"),
    "tol": ({"tol": -1.0}, "tol = -1.0"),
    "patience": ({"n_iter_no_change": 0}, "n_iter_no_change = 0"),
    "switch": ({"early_stopping": "yes"}, "early_stopping = 'yes'"),
    "fraction": ({"early_stopping": True, "validation_fraction": 1.5}, "validation_fraction = 1.5"),
    "precision": ({"precision": "float16"}, "float16"),
    "backend": ({"backend": "nunpy"}, "numpy"),
    "fuse": ({"fuse": "on"}, "unknown fuse 'on'"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_parameters(what, refuses):
    given, part = BAD[what]
    with refuses(part):
        MLPClassifier(**given).fit(*moons(30))


def test_bad_samples(refuses):
    x, y = moons(30)
    with refuses("one class"):
        MLPClassifier().fit(x, np.zeros(30))
    with refuses("one class"):
        Perceptron().fit(x, np.zeros(30))
    with refuses("no meaning for 3 classes"):
        MLPClassifier(loss="binary_cross_entropy").fit(x, np.arange(30) % 3)
    with refuses("no meaning for several labels"):
        MLPClassifier(loss="cross_entropy").fit(x, one_hot(np.arange(30) % 3).astype(int))
    with refuses("several columns of classes"):
        MLPClassifier().fit(x, np.stack([np.arange(30) % 3] * 2, axis=1))
    with pytest.raises(ValueError, match="NaN"):
        MLPClassifier().fit(np.where(x > 0, x, np.nan), y)


def test_bad_warm_starts(refuses):
    x, y = moons(30)
    model = MLPClassifier((3,), max_iter=1, warm_start=True, **ALL).fit(x, y)
    with refuses("warm_start from classes"):
        model.fit(x, np.arange(30) % 3)
    with refuses("keep the layers"):
        model.set_params(hidden_layer_sizes=(4,)).fit(x, y)
