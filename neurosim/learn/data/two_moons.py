"""Two half circles that reach into each other."""

from __future__ import annotations

import numpy as np

from neurosim.learn import draws
from neurosim.learn.data.curves import circle, halves, labels, noise
from neurosim.learn.data.data_set import DataSet, check_number, check_whole, register


@register
def moons(n: int = 1000, *, sd: float = 0.1, seed: int = 0) -> DataSet:
    """Two half circles of radius 1, the second upside down around (1, ½): as scikit-learn's ``make_moons``.

    Parameters
    ----------
    n : int
        Samples, half of them of each class; at least 2.
    sd : float
        Standard deviation of the noise on both coordinates.
    seed : int
        From 0 to 2⁶⁴ − 1.

    Returns
    -------
    DataSet
        x of shape (n, 2); without noise from −1 to 2 and from −½ to 1.

    Raises
    ------
    UsageError
        When an argument cannot be.
    """
    check_whole("moons", "n", n, 2)
    check_number("moons", "sd", sd)
    sizes = halves(n)
    x = circle(0.5 * draws.uniform(seed, "data", n, series=0))
    lower = slice(sizes[0], None)
    x[lower] = np.array([1.0, 0.5]) - x[lower]
    return DataSet("moons", x + noise(seed, n, sd, 1), labels(sizes), 2)
