"""What the tests of the estimators learn from, and how."""

import numpy as np

from neurosim.learn.data import load

# For tests that learn for a fixed number of passes.
ALL = {"tol": None, "backend": "numpy", "random_state": 0}


def moons(n=200, seed=0):
    """Points and labels of two classes, which a line does not part."""
    data = load("moons", n=n, sd=0.15, seed=seed)
    return data.x, np.array(["lower", "upper"])[data.labels]
