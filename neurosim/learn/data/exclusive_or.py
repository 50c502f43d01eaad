"""Exclusive or: the smallest set that no single neuron can learn."""

from __future__ import annotations

import numpy as np

from neurosim.learn.data.curves import noise
from neurosim.learn.data.data_set import DataSet, check_number, check_whole, register

CORNERS = np.array([(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)])


@register
def xor(copies: int = 1, *, sd: float = 0.0, seed: int = 0) -> DataSet:
    """The corners of the unit square: class 1 where the coordinates differ.

    Minsky and Papert (1969), Perceptrons.

    Parameters
    ----------
    copies : int
        Of each corner.
    sd : float
        Standard deviation of the noise on both coordinates; the classes are those of the corners.
    seed : int
        From 0 to 2⁶⁴ − 1.

    Returns
    -------
    DataSet
        x of shape (4 · copies, 2), (0, 0), (0, 1), (1, 0), (1, 1) again and again.

    Raises
    ------
    UsageError
        When an argument cannot be.
    """
    check_whole("xor", "copies", copies, 1)
    check_number("xor", "sd", sd)
    x = np.concatenate([CORNERS] * int(copies))
    return DataSet("xor", x + noise(seed, len(x), sd, 0), (x[:, 0] != x[:, 1]).astype(np.int64), 2)
