"""Arms that wind around each other."""

from __future__ import annotations

import numpy as np

from neurosim.learn import draws
from neurosim.learn.data.curves import circle, labels, noise
from neurosim.learn.data.data_set import DataSet, check_number, check_whole, register


@register
def spirals(n: int = 1000, *, arms: int = 2, turns: float = 1.5, sd: float = 0.02, seed: int = 0) -> DataSet:
    """Spirals of Archimedes from the centre out to radius 1: a test of Alexis Wieland's (Lang and Witbrock 1988).

    Parameters
    ----------
    n : int
        Samples, shared evenly among the arms; at least one for each.
    arms : int
        Classes, at least 2.
    turns : float
        Of each arm.
    sd : float
        Standard deviation of the noise on both coordinates.
    seed : int
        From 0 to 2⁶⁴ − 1.

    Returns
    -------
    DataSet
        x of shape (n, 2); without noise within the circle of radius 1.

    Raises
    ------
    UsageError
        When an argument cannot be.
    """
    check_whole("spirals", "arms", arms, 2)
    check_whole("spirals", "n", n, arms)
    check_number("spirals", "turns", turns)
    check_number("spirals", "sd", sd)
    sizes = tuple(n // arms + (k < n % arms) for k in range(arms))
    arm = labels(sizes)
    # Evenly along the arm, and not along the radius: the length of an arm grows about with radius².
    u = draws.uniform(seed, "data", n, series=0)
    radius = np.sqrt(0.01 + 0.99 * u)
    x = radius[:, None] * circle(turns * radius + arm / arms)
    return DataSet("spirals", x + noise(seed, n, sd, 1), arm, arms)
